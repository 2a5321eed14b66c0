package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// negated and boundary are what the comparisons become.
var (
	negated = map[token.Token]string{
		token.EQL: "!=", token.NEQ: "==", token.LSS: ">=", token.GEQ: "<", token.GTR: "<=", token.LEQ: ">",
	}
	boundary = map[token.Token]string{token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">"}
)

// boolean mutates a condition, a comparison and && and ||.
func (w *walker) boolean(e ast.Expr) {
	as := w.roles[e]
	var place []*mutant
	add := func(kind, text string) {
		if !slices.ContainsFunc(place, func(m *mutant) bool { return m.text == text }) {
			place = append(place, w.add(e, kind, text))
		}
	}
	switch as {
	case check:
		add("check never", "false")
	case loop:
		add("loop never", "false")
	case andOperand:
		add("operand gone", "true")
	case orOperand:
		add("operand gone", "false")
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		w.roles[e.X] = value
	case *ast.BinaryExpr:
		switch e.Op {
		case token.LAND:
			w.roles[e.X], w.roles[e.Y] = andOperand, andOperand
			add("logic", w.operator(e, "||"))
			if as == check {
				add("inverted", "!("+w.raw(e)+")")
			}
		case token.LOR:
			w.roles[e.X], w.roles[e.Y] = orOperand, orOperand
			add("logic", grouped(e.X, w.raw(e.X))+" && "+grouped(e.Y, w.raw(e.Y)))
			if as == check {
				add("inverted", "!("+w.raw(e)+")")
			}
		default:
			if op := boundary[e.Op]; op != "" {
				add("boundary", w.operator(e, op))
			}
			add("inverted", w.operator(e, negated[e.Op]))
		}
	case *ast.UnaryExpr:
		if as != value && e.Op == token.NOT {
			add("inverted", w.raw(e.X))
		}
	default:
		if as != value {
			add("inverted", "!"+w.raw(e))
		}
	}
	w.choose(e, place)
}

// operator returns the expression with another operator.
func (w *walker) operator(e *ast.BinaryExpr, op string) string {
	raw, at := w.raw(e), w.offset(e.OpPos)-w.offset(e.Pos())
	return raw[:at] + op + raw[at+len(e.Op.String()):]
}

// grouped puts parentheses around an operand of && that binds less.
func grouped(e ast.Expr, text string) string {
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.LOR {
		return "(" + text + ")"
	}
	return text
}

// constant mutates the outermost constant expression: numbers become one more and one less, texts get another first byte.
func (w *walker) constant(e ast.Expr, tv types.TypeAndValue) {
	spelled, ok := w.spelled(tv.Type)
	basic, isBasic := underlying(tv.Type).(*types.Basic)
	if !ok || !isBasic {
		return
	}
	raw := w.raw(e)
	switch {
	case basic.Info()&types.IsBoolean != 0:
		text := "!" + raw
		if b := constant.BoolVal(tv.Value); raw == strconv.FormatBool(b) {
			text = strconv.FormatBool(!b)
		}
		w.one(e, w.add(e, "bool", text), hook+".Not(%d, "+spelled+"(%s))")
	case basic.Info()&types.IsString != 0:
		s := constant.StringVal(tv.Value)
		if s == "" {
			return
		}
		changed := []byte(s)
		changed[0] ^= 1
		text := strconv.Quote(string(changed))
		if _, literal := e.(*ast.BasicLit); !literal {
			text = "other(" + raw + ")"
		}
		w.one(e, w.add(e, "text", text), hook+".Text(%d, "+spelled+"(%s))")
	case basic.Info()&types.IsInteger != 0:
		w.number(e, tv, spelled, raw)
	}
}

// number mutates a constant integer. One of the two is left out where a comparison with its boundary moved says the same, where
// it would be a length or an index of -1, and of the two neighbours of a character and of an entry of a table.
func (w *walker) number(e ast.Expr, tv types.TypeAndValue, spelled, raw string) {
	more, less := w.covered(e)
	if constant.Sign(tv.Value) == 0 {
		less = true
	}
	lit, isLiteral := e.(*ast.BasicLit)
	_, isEntry := w.parent().(*ast.CompositeLit)
	if (isEntry || isLiteral && lit.Kind == token.CHAR) && !more {
		less = true
	}
	by, unit := grain(tv)
	convert := hook + ".%s(%%d, " + spelled + "(%%s), " + by + ")"
	if !less {
		w.one(e, w.add(e, "off by one", w.shifted(e, tv, raw, "-", unit)), fmt.Sprintf(convert, "Back"))
	}
	if !more {
		// The text inside may be converted already, which a second conversion does not mind.
		w.one(e, w.add(e, "off by one", w.shifted(e, tv, raw, "+", unit)), fmt.Sprintf(convert, "Step"))
	}
}

// grain returns by how much a constant is moved, as an expression and as people read it. A time moves by a second, or by the
// largest unit of which it has a whole number; the nanosecond would hardly ever make a difference.
func grain(tv types.TypeAndValue) (by, unit string) {
	if tv.Type.String() != "time.Duration" {
		return "1", "1"
	}
	v, exact := constant.Int64Val(tv.Value)
	for _, u := range []struct {
		size int64
		name string
	}{{1e9, "1 s"}, {1e6, "1 ms"}, {1e3, "1 µs"}} {
		if exact && v != 0 && v%u.size == 0 {
			return strconv.FormatInt(u.size, 10), u.name
		}
	}
	return "1", "1 ns"
}

// shifted returns the constant moved, as people read it.
func (w *walker) shifted(e ast.Expr, tv types.TypeAndValue, raw, sign, unit string) string {
	lit, ok := e.(*ast.BasicLit)
	v, exact := constant.Int64Val(tv.Value)
	if !ok || !exact || unit != "1" {
		return "(" + raw + " " + sign + " " + unit + ")"
	}
	if sign == "+" {
		v++
	} else {
		v--
	}
	switch {
	case lit.Kind == token.CHAR:
		return strconv.QuoteRune(rune(v))
	case strings.HasPrefix(raw, "0x"):
		return fmt.Sprintf("0x%0*x", len(raw)-2, v)
	}
	return strconv.FormatInt(v, 10)
}

// covered reports whether one more, and one less, of a constant says the same as the comparison that it stands in with its
// boundary moved: n < 11 is n <= 10.
func (w *walker) covered(e ast.Expr) (more, less bool) {
	b, ok := w.parent().(*ast.BinaryExpr)
	if !ok {
		return false, false
	}
	op := b.Op
	if b.X == e { // read from the other side
		op = map[token.Token]token.Token{token.LSS: token.GTR, token.GTR: token.LSS, token.LEQ: token.GEQ, token.GEQ: token.LEQ}[op]
	}
	switch op {
	case token.LSS, token.GEQ:
		// x < c: x <= c is x < c + 1. x >= c: x > c is x >= c + 1.
		return true, false
	case token.LEQ, token.GTR:
		return false, true
	}
	return false, false
}

// operators are the hooks of the arithmetic operators, and what each becomes.
var operators = map[token.Token]struct{ hook, becomes string }{
	token.ADD: {"Add", "-"}, token.SUB: {"Sub", "+"}, token.MUL: {"Mul", "+"}, token.QUO: {"Quo", "*"}, token.REM: {"Rem", "/"},
	token.AND: {"And", "|"}, token.OR: {"Ior", "&"}, token.XOR: {"Xor", "|"}, token.AND_NOT: {"Andnot", "&"},
	token.SHL: {"Shl", ">>"}, token.SHR: {"Shr", "<<"},
}

// arithmetic swaps an operator.
func (w *walker) arithmetic(e *ast.BinaryExpr, tv types.TypeAndValue) {
	op, ok := operators[e.Op]
	if basic, isBasic := underlying(tv.Type).(*types.Basic); ok && isBasic && basic.Info()&types.IsString != 0 {
		return
	}
	if !ok {
		return
	}
	m := w.add(e, "arithmetic", w.operator(e, op.becomes))
	w.one(e, m, hook+"."+op.hook+"(%d, %s)")
	at := w.offset(e.OpPos)
	w.edits = append(w.edits, edit{at, at + len(e.Op.String()), func(inner string) string {
		if m.Fate == uncompiled {
			return inner
		}
		return ","
	}})
}

// sign takes away a minus or a complement.
func (w *walker) sign(e *ast.UnaryExpr) {
	switch e.Op {
	case token.SUB:
		w.one(e, w.add(e, "arithmetic", w.raw(e.X)), hook+".Neg(%d, %s)")
	case token.XOR:
		m := w.add(e, "arithmetic", w.raw(e.X))
		w.edit(e, func(inner string) string {
			if m.Fate == uncompiled {
				return inner
			}
			return fmt.Sprintf("%s.Com(%d, %s)", hook, m.ID, strings.TrimPrefix(inner, "^"))
		})
	}
}

// call swaps neighbouring arguments of one type. It reports whether the arguments are to be walked too.
func (w *walker) call(e *ast.CallExpr) bool {
	if w.u.info.Types[e.Fun].IsType() {
		return true
	}
	builtin := ""
	if w.u.info.Types[e.Fun].IsBuiltin() {
		builtin = w.raw(e.Fun)
	}
	for i := range len(e.Args) - 1 {
		a, b := e.Args[i], e.Args[i+1]
		ta, tb := w.u.info.TypeOf(a), w.u.info.TypeOf(b)
		switch {
		case builtin != "" && builtin != "copy", w.text.argument(w.u, e, i), w.text.argument(w.u, e, i+1):
		case ta == nil || tb == nil || !types.Identical(ta, tb) || w.u.info.Types[a].IsNil():
		case !w.pure(a) || !w.pure(b) || w.raw(a) == w.raw(b) || w.isConstant(a) && w.isConstant(b):
		default:
			m := w.add(e, "arguments swapped", w.raw(e.Fun)+"("+w.rawList(e.Args[:i], w.raw(b), w.raw(a), e.Args[i+2:])+")")
			w.one(a, m, hook+".Or(%d, %s, "+w.raw(b)+")")
			w.one(b, m, hook+".Or(%d, %s, "+w.raw(a)+")")
		}
	}
	w.stack = append(w.stack, e)
	w.walk(e.Fun)
	for i, arg := range e.Args {
		switch {
		case w.text.argument(w.u, e, i):
			w.u.texts++
			w.sentinels(arg)
		case builtin == "make" && i == 2:
			w.u.capacities++ // it is about speed only
		default:
			w.walk(arg)
		}
	}
	w.stack = w.stack[:len(w.stack)-1]
	return false
}

func (w *walker) rawList(before []ast.Expr, a, b string, after []ast.Expr) string {
	var list []string
	for _, e := range before {
		list = append(list, w.raw(e))
	}
	list = append(list, a, b)
	for _, e := range after {
		list = append(list, w.raw(e))
	}
	return strings.Join(list, ", ")
}

// pure reports whether e may be evaluated twice: it calls nothing.
func (w *walker) pure(e ast.Expr) bool {
	ok := true
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			ok = ok && (w.isConstant(n) || w.u.info.Types[n.Fun].IsType())
		case *ast.FuncLit, *ast.CompositeLit:
			ok = false
		case *ast.UnaryExpr:
			ok = ok && n.Op != token.ARROW
		}
		return ok
	})
	return ok
}

// sentinels looks for reason classes only, in what is else a text for people.
func (w *walker) sentinels(e ast.Expr) {
	w.stack = append(w.stack, e)
	switch e := e.(type) {
	case *ast.Ident:
		w.sentinel(e, e)
	case *ast.SelectorExpr:
		w.sentinel(e, e.Sel)
	}
	w.stack = w.stack[:len(w.stack)-1]
}

// sentinel replaces a reason class by the next one of its package.
func (w *walker) sentinel(e ast.Expr, id *ast.Ident) {
	v, ok := w.u.info.Uses[id].(*types.Var)
	if !ok || !isSentinel(v) {
		return
	}
	var names []string
	for _, name := range v.Pkg().Scope().Names() { // sorted
		if other, ok := v.Pkg().Scope().Lookup(name).(*types.Var); ok && isSentinel(other) {
			names = append(names, name)
		}
	}
	other := names[(slices.Index(names, v.Name())+1)%len(names)]
	if other == v.Name() {
		return
	}
	text := strings.TrimSuffix(w.raw(e), v.Name()) + other
	w.one(e, w.add(e, "other class", text), hook+".Or(%d, %s, "+text+")")
}

// isSentinel reports whether v is an exported error of a package.
func isSentinel(v *types.Var) bool {
	return strings.HasPrefix(v.Name(), "Err") && v.Pkg() != nil && v.Pkg().Scope().Lookup(v.Name()) == v &&
		types.Identical(v.Type(), types.Universe.Lookup("error").Type())
}

// field leaves a field of a composite literal at its zero value.
func (w *walker) field(e ast.Expr, tv types.TypeAndValue) {
	var lit *ast.CompositeLit
	switch p := w.parent().(type) {
	case *ast.CompositeLit:
		lit = p
	case *ast.KeyValueExpr:
		if p.Value == e && len(w.stack) > 1 {
			lit, _ = w.stack[len(w.stack)-2].(*ast.CompositeLit)
		}
	}
	if lit == nil || !tv.IsValue() || w.isZero(e) {
		return
	}
	if _, ok := underlying(w.u.info.TypeOf(lit)).(*types.Struct); !ok {
		return
	}
	if _, ok := e.(*ast.CompositeLit); ok {
		if lit, ok := e.(*ast.CompositeLit); ok && lit.Type == nil {
			return // its type is left out
		}
	}
	w.one(e, w.add(e, "field not set", zeroText(tv.Type)), hook+".Zero(%d, %s)")
}

// zeroText returns how people write the zero value of a type.
func zeroText(t types.Type) string {
	switch u := underlying(t).(type) {
	case *types.Basic:
		switch {
		case u.Info()&types.IsString != 0:
			return `""`
		case u.Info()&types.IsBoolean != 0:
			return "false"
		}
		return "0"
	case *types.Struct, *types.Array:
		return "zero"
	}
	return "nil"
}
