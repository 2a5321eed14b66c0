package main

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strconv"
)

// A walker finds the places of one file that can be mutated.
type walker struct {
	prog *program
	u    *unit
	src  *source
	text *texts

	next    uint32 // the number of the next mutant
	mutants []*mutant
	edits   []edit

	fn       string            // the function around, or the variable
	of       bool              // the latter
	declared *types.Signature  // the function's
	imports  map[string]string // what the file calls a package, by its path
	stack    []ast.Node        // the nodes around
	roles    map[ast.Node]role // what a boolean expression decides
}

// A role is what a boolean expression decides.
type role int

const (
	value      role = iota // nothing by itself
	check                  // whether an if or a case is entered
	loop                   // whether a loop goes on
	andOperand             // of &&
	orOperand              // of ||
	result                 // what a function returns
)

// mutate finds all mutants of the program and gives them their numbers, from 1 on. It returns them with the edits of each file.
func mutate(prog *program) ([]*mutant, map[*source][]edit) {
	var all []*mutant
	edits := map[*source][]edit{}
	next := uint32(1)
	for _, u := range prog.packages {
		text := findTexts(u)
		for _, src := range u.files {
			w := &walker{prog: prog, u: u, src: src, text: text, next: next, imports: map[string]string{}, roles: map[ast.Node]role{}}
			w.file()
			next = w.next
			all = append(all, w.mutants...)
			edits[src] = w.edits
		}
	}
	return all, edits
}

func (w *walker) offset(pos token.Pos) int { return w.prog.fset.File(pos).Offset(pos) }

func (w *walker) raw(n ast.Node) string {
	return string(w.src.text[w.offset(n.Pos()):w.offset(n.End())])
}

// spot returns where a reader looks for the fault: at the operator of an expression of two operands.
func (w *walker) spot(n ast.Node) token.Pos {
	if b, ok := n.(*ast.BinaryExpr); ok {
		return b.OpPos
	}
	return n.Pos()
}

// statement returns the offset of the innermost statement around, leaving blocks aside.
func (w *walker) statement() int {
	for _, n := range slices.Backward(w.stack) {
		switch n.(type) {
		case *ast.BlockStmt:
		case ast.Stmt, ast.Decl:
			return w.offset(n.Pos())
		}
	}
	return 0
}

// file walks the functions and the variables of a file. Types and constants are left alone: they have no place that could ask
// at run time, and a constant is mutated wherever it is used.
func (w *walker) file() {
	for _, spec := range w.src.ast.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		if spec.Name != nil {
			w.imports[path] = spec.Name.Name
			continue
		}
		for _, p := range w.u.types.Imports() {
			if p.Path() == path {
				w.imports[path] = p.Name()
			}
		}
	}
	for _, d := range w.src.ast.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Body != nil {
				w.fn = functionName(d)
				w.declared = w.u.info.Defs[d.Name].Type().(*types.Signature)
				w.walk(d.Body)
			}
		case *ast.GenDecl:
			if d.Tok != token.VAR {
				continue
			}
			for _, spec := range d.Specs {
				spec := spec.(*ast.ValueSpec)
				w.fn, w.of, w.declared = "var "+spec.Names[0].Name, true, nil
				for _, v := range spec.Values {
					w.walk(v)
				}
				w.of = false
			}
		}
	}
}

// functionName returns the name of a function as people write it, with its receiver.
func functionName(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	t := d.Recv.List[0].Type
	star := ""
	if s, ok := t.(*ast.StarExpr); ok {
		t, star = s.X, "*"
	}
	switch g := t.(type) {
	case *ast.IndexExpr:
		t = g.X
	case *ast.IndexListExpr:
		t = g.X
	}
	return "(" + star + t.(*ast.Ident).Name + ")." + d.Name.Name
}

// walk finds the places in n, those around before those inside.
func (w *walker) walk(n ast.Node) {
	if n == nil {
		return
	}
	ast.Inspect(n, func(n ast.Node) bool {
		if n == nil {
			w.stack = w.stack[:len(w.stack)-1]
			return false
		}
		down := w.node(n)
		if down {
			w.stack = append(w.stack, n)
		}
		return down
	})
}

// node makes the mutants of one node and reports whether there may be some inside.
func (w *walker) node(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ArrayType, *ast.StructType, *ast.FuncType, *ast.InterfaceType, *ast.MapType, *ast.ChanType, *ast.GenDecl:
		if d, ok := n.(*ast.GenDecl); ok {
			return d.Tok == token.VAR
		}
		return false
	case *ast.ValueSpec:
		for _, v := range n.Values {
			w.walk(v)
		}
		return false
	case ast.Stmt:
		w.stmt(n)
	case ast.Expr:
		return w.expr(n)
	}
	return true
}

// parent returns the node around.
func (w *walker) parent() ast.Node {
	if len(w.stack) == 0 {
		return nil
	}
	return w.stack[len(w.stack)-1]
}

// expr makes the mutants of an expression and reports whether there may be some inside.
func (w *walker) expr(e ast.Expr) bool {
	tv := w.u.info.Types[e]
	switch {
	case tv.IsType():
		return false
	case tv.Value != nil:
		w.constant(e, tv)
		return false
	}
	w.field(e, tv)
	if basic, ok := underlying(tv.Type).(*types.Basic); ok && basic.Info()&types.IsBoolean != 0 {
		w.boolean(e)
	}
	switch e := e.(type) {
	case *ast.BinaryExpr:
		w.arithmetic(e, tv)
	case *ast.UnaryExpr:
		w.sign(e)
	case *ast.CallExpr:
		return w.call(e)
	case *ast.KeyValueExpr:
		if lit, ok := w.parent().(*ast.CompositeLit); ok {
			if _, isMap := underlying(w.u.info.TypeOf(lit)).(*types.Map); !isMap {
				w.stack = append(w.stack, e)
				w.walk(e.Value) // a key that is an index or a field stays
				w.stack = w.stack[:len(w.stack)-1]
				return false
			}
		}
	case *ast.Ident:
		w.sentinel(e, e)
	case *ast.SelectorExpr:
		w.sentinel(e, e.Sel)
		if _, isPackage := w.u.info.Uses[identOf(e.X)].(*types.PkgName); isPackage {
			return false
		}
	}
	return true
}

func identOf(e ast.Expr) *ast.Ident {
	id, _ := e.(*ast.Ident)
	return id
}

// underlying is t.Underlying, and nil for what has no type.
func underlying(t types.Type) types.Type {
	if t == nil {
		return nil
	}
	return t.Underlying()
}

// isConstant reports whether e is one.
func (w *walker) isConstant(e ast.Expr) bool { return w.u.info.Types[e].Value != nil }

// isZero reports whether e reads as the zero value of its type.
func (w *walker) isZero(e ast.Expr) bool {
	tv := w.u.info.Types[e]
	if tv.IsNil() {
		return true
	}
	if tv.Value != nil {
		switch tv.Value.Kind() {
		case constant.Bool:
			return !constant.BoolVal(tv.Value)
		case constant.String:
			return constant.StringVal(tv.Value) == ""
		default:
			return constant.Sign(tv.Value) == 0
		}
	}
	lit, ok := e.(*ast.CompositeLit)
	if !ok || len(lit.Elts) > 0 {
		return false
	}
	switch underlying(tv.Type).(type) {
	case *types.Struct, *types.Array:
		return true
	}
	return false
}
