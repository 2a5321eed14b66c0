package main

import (
	"go/ast"
	"go/types"
)

// texts knows which parameters of a package's own functions only ever become part of a text for people: of a format or an
// argument of fmt, of errors.New or of panic. What stands there is not mutated, because the reason class is what a refusal
// says, and its words are nobody's business.
type texts struct {
	params   map[*types.Var]bool
	closures map[*types.Var]*types.Signature // of the variables that begin as a function literal
}

// findTexts begins with every parameter of a function that has a name and takes away those that are used in any other way, until
// none is left to take.
func findTexts(u *unit) *texts {
	t := &texts{params: map[*types.Var]bool{}, closures: map[*types.Var]*types.Signature{}}
	begin := func(sig *types.Signature) {
		for p := range sig.Params().Variables() {
			switch p.Type().Underlying().(type) {
			case *types.Basic, *types.Slice:
				t.params[p] = true
			}
		}
	}
	for _, src := range u.files {
		ast.Inspect(src.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				begin(u.info.Defs[n.Name].Type().(*types.Signature))
			case *ast.AssignStmt:
				for i, e := range n.Rhs {
					lit, ok := e.(*ast.FuncLit)
					if v, again := u.info.Uses[identOf(n.Lhs[min(i, len(n.Lhs)-1)])].(*types.Var); again {
						delete(t.closures, v) // who knows which literal is called
					}
					if !ok || len(n.Lhs) != len(n.Rhs) || identOf(n.Lhs[i]) == nil {
						continue
					}
					if v, ok := u.info.Defs[identOf(n.Lhs[i])].(*types.Var); ok {
						t.closures[v] = u.info.TypeOf(lit).(*types.Signature)
						begin(t.closures[v])
					}
				}
			}
			return true
		})
	}
	for again := true; again; {
		again = false
		for p := range t.other(u) {
			if t.params[p] {
				t.params[p] = false
				again = true
			}
		}
	}
	return t
}

// other returns the variables that are used otherwise than as a text, as far as that is known by now.
func (t *texts) other(u *unit) map[*types.Var]bool {
	found := map[*types.Var]bool{}
	var look func(n ast.Node)
	look = func(n ast.Node) {
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				look(n.Fun)
				for i, arg := range n.Args {
					id, plain := arg.(*ast.Ident)
					if plain && u.info.Uses[id] != nil && t.argument(u, n, i) {
						continue
					}
					look(arg)
				}
				return false
			case *ast.Ident:
				if v, ok := u.info.Uses[n].(*types.Var); ok {
					found[v] = true
				}
			}
			return true
		})
	}
	for _, src := range u.files {
		for _, d := range src.ast.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
				look(f.Body)
			}
		}
	}
	return found
}

// argument reports whether the argument i of the call only becomes part of a text.
func (t *texts) argument(u *unit, call *ast.CallExpr, i int) bool {
	var id *ast.Ident
	switch f := call.Fun.(type) {
	case *ast.Ident:
		id = f
	case *ast.SelectorExpr:
		id = f.Sel
	default:
		return false
	}
	var params *types.Tuple
	switch f := u.info.Uses[id].(type) {
	case *types.Builtin:
		return f.Name() == "panic"
	case *types.Func:
		if f.Pkg() == nil {
			return false
		}
		switch f.Pkg().Path() {
		case "fmt":
			return f.Name() == "Errorf" || f.Name() == "Sprintf" || f.Name() == "Sprint"
		case "errors":
			return f.Name() == "New"
		}
		params = f.Origin().Signature().Params()
	case *types.Var:
		if t.closures[f] == nil {
			return false
		}
		params = t.closures[f].Params()
	}
	return params.Len() > 0 && t.params[params.At(min(i, params.Len()-1))]
}
