package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// stmt makes the mutants of a statement. What is inside is walked afterwards.
func (w *walker) stmt(s ast.Stmt) {
	w.stack = append(w.stack, s) // it is its own innermost statement
	defer func() { w.stack = w.stack[:len(w.stack)-1] }()
	switch s := s.(type) {
	case *ast.IfStmt:
		w.roles[s.Cond] = check
	case *ast.ForStmt:
		if s.Cond != nil {
			w.roles[s.Cond] = loop
		}
	case *ast.RangeStmt:
		m := w.add(s, "loop never", strings.TrimSuffix(w.raw(s), w.raw(s.Body))+"{ break }")
		at := w.offset(s.Body.Lbrace)
		w.edits = append(w.edits, edit{at, at + 1, func(inner string) string {
			if m.Fate == uncompiled {
				return inner
			}
			return fmt.Sprintf("{ if !%s.Off(%d, %d) { break };", hook, m.ID, m.ID+1)
		}})
	case *ast.SwitchStmt:
		if s.Tag != nil {
			return
		}
		for _, c := range s.Body.List {
			for _, e := range c.(*ast.CaseClause).List {
				w.roles[e] = check
			}
		}
	case *ast.ReturnStmt:
		w.returned(s)
	case *ast.AssignStmt:
		w.assigned(s)
	case *ast.IncDecStmt:
		w.counted(s)
	case *ast.ExprStmt, *ast.DeferStmt, *ast.SendStmt:
		if w.listed() {
			w.instead(s, []*mutant{w.add(s, "statement gone", "")})
		}
	case *ast.BranchStmt:
		if w.listed() && (s.Tok == token.BREAK || s.Tok == token.CONTINUE) {
			w.instead(s, []*mutant{w.add(s, "statement gone", "")})
		}
	}
}

// listed reports whether the statement on top of the stack stands in a list of statements, so that others can stand in its
// place.
func (w *walker) listed() bool {
	switch w.stack[len(w.stack)-2].(type) {
	case *ast.BlockStmt, *ast.CaseClause:
		return true
	case *ast.CommClause:
		c := w.stack[len(w.stack)-2].(*ast.CommClause)
		return ast.Node(c.Comm) != w.stack[len(w.stack)-1]
	}
	return false
}

// returned makes a function return zero values, or go on where it returns none.
func (w *walker) returned(s *ast.ReturnStmt) {
	if len(s.Results) == 0 {
		if w.listed() {
			w.instead(s, []*mutant{w.add(s, "statement gone", "")})
		}
		return
	}
	for _, e := range s.Results {
		w.roles[e] = result
	}
	sig := w.signature()
	if sig == nil || !w.listed() {
		return
	}
	zero := true
	for _, e := range s.Results {
		zero = zero && w.isZero(e)
	}
	if zero {
		return
	}
	if len(s.Results) == 1 && w.isConstant(s.Results[0]) && zeroText(w.u.info.TypeOf(s.Results[0])) == "false" {
		return // true becomes false already
	}
	var values, shown []string
	for v := range sig.Results().Variables() {
		name, ok := w.spelled(v.Type())
		if !ok {
			return
		}
		values, shown = append(values, "*new("+name+")"), append(shown, zeroText(v.Type()))
	}
	m := w.add(s, "returns zero", "return "+strings.Join(shown, ", "))
	m.text = "return " + strings.Join(values, ", ")
	w.instead(s, []*mutant{m})
}

// signature returns the type of the innermost function around, which may be a literal.
func (w *walker) signature() *types.Signature {
	for i := len(w.stack) - 1; i >= 0; i-- {
		if lit, ok := w.stack[i].(*ast.FuncLit); ok {
			sig, _ := w.u.info.TypeOf(lit).(*types.Signature)
			return sig
		}
	}
	return w.declared
}

// assigned leaves an assignment away, or swaps its operator.
func (w *walker) assigned(s *ast.AssignStmt) {
	if s.Tok == token.DEFINE {
		return
	}
	var place []*mutant
	blank := true
	for _, e := range s.Lhs {
		id, ok := e.(*ast.Ident)
		blank = blank && ok && id.Name == "_"
	}
	if w.listed() && !blank {
		place = append(place, w.add(s, "statement gone", ""))
	}
	if s.Tok != token.ASSIGN {
		left, right := w.raw(s.Lhs[0]), w.raw(s.Rhs[0])
		t := w.u.info.TypeOf(s.Lhs[0])
		basic, _ := underlying(t).(*types.Basic)
		spelled, ok := w.spelled(t)
		switch {
		case basic != nil && basic.Info()&types.IsString != 0:
		case (s.Tok == token.ADD_ASSIGN || s.Tok == token.SUB_ASSIGN) && ok:
			becomes := map[token.Token]string{token.ADD_ASSIGN: "-=", token.SUB_ASSIGN: "+="}[s.Tok]
			m := w.add(s, "arithmetic", left+" "+becomes+" "+right)
			defer w.one(s.Rhs[0], m, hook+".Neg(%d, "+spelled+"(%s))")
			m.text = ""
		case w.listed():
			op := s.Tok - token.ADD_ASSIGN + token.ADD // the two groups of tokens have one order
			place = append(place, w.add(s, "arithmetic", left+" "+operators[op].becomes+"= "+right))
		}
	}
	w.instead(s, place)
}

// counted leaves i++ away, or makes it i--.
func (w *walker) counted(s *ast.IncDecStmt) {
	spelled, ok := w.spelled(w.u.info.TypeOf(s.X))
	if !ok {
		return
	}
	if w.listed() {
		w.instead(s, []*mutant{w.add(s, "statement gone", "")})
	}
	now, becomes, operator := "++", "--", "+="
	if s.Tok == token.DEC {
		now, becomes, operator = "--", "++", "-="
	}
	m := w.add(s, "arithmetic", w.raw(s.X)+becomes)
	w.edit(s, func(inner string) string {
		if m.Fate == uncompiled {
			return inner
		}
		return fmt.Sprintf("%s %s %s.Neg(%d, %s(1))", strings.TrimSuffix(inner, now), operator, hook, m.ID, spelled)
	})
}
