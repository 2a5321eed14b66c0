package main

import (
	"go/ast"
	"go/token"
	"go/types"
)

// A declaration is a function or a variable of a package, by its name as mutants show it.
type declaration struct{ pkg, name string }

// users are the declarations that mention each package-level variable.
type users map[declaration][]declaration

// findUsers looks for who mentions which variable.
func findUsers(prog *program) users {
	found := users{}
	for _, u := range prog.packages {
		look := func(by declaration, n ast.Node) {
			ast.Inspect(n, func(n ast.Node) bool {
				id, ok := n.(*ast.Ident)
				if !ok {
					return true
				}
				v, ok := u.info.Uses[id].(*types.Var)
				if ok && v.Pkg() != nil && v.Pkg().Scope().Lookup(v.Name()) == v {
					of := declaration{v.Pkg().Path(), "var " + v.Name()}
					found[of] = append(found[of], by)
				}
				return true
			})
		}
		for _, src := range u.files {
			for _, d := range src.ast.Decls {
				switch d := d.(type) {
				case *ast.FuncDecl:
					if d.Body != nil {
						look(declaration{u.ImportPath, functionName(d)}, d.Body)
					}
				case *ast.GenDecl:
					if d.Tok != token.VAR {
						continue
					}
					for _, spec := range d.Specs {
						spec := spec.(*ast.ValueSpec)
						look(declaration{u.ImportPath, "var " + spec.Names[0].Name}, spec)
					}
				}
			}
		}
	}
	return found
}

// executed marks the mutants that nothing executes and those of which only the line is executed, and returns the others, which
// are to be judged. A line counts as executed if any place on it is, or any other place of the same statement. The initialiser
// of a variable counts if a function that mentions it is executed, because every program executes all initialisers.
func executed(all []*mutant, by users, visited map[uint32]bool) (queue []*mutant) {
	type line struct {
		file string
		line int
	}
	type statement struct {
		file string
		pos  int
	}
	lines, statements, functions := map[line]bool{}, map[statement]bool{}, map[declaration]bool{}
	for _, m := range all {
		if visited[m.first] {
			lines[line{m.File, m.Line}] = true
			statements[statement{m.File, m.stmt}] = true
		}
		if visited[m.first] && !m.of {
			functions[declaration{m.pkg, m.Func}] = true
		}
	}
	var used func(v declaration, within int) bool
	used = func(v declaration, within int) bool {
		if len(by[v]) == 0 {
			return true // by a package that is not mutated
		}
		for _, d := range by[v] {
			// A chain of initialisers is never longer than there are variables.
			if functions[d] || by[d] != nil && within < len(by) && used(d, within+1) {
				return true
			}
		}
		return false
	}
	for _, m := range all {
		switch {
		case m.Fate == uncompiled:
		case m.of && !used(declaration{m.pkg, m.Func}, 0):
			m.Fate = unexecuted
		case visited[m.first]:
			queue = append(queue, m)
		case lines[line{m.File, m.Line}] || statements[statement{m.File, m.stmt}]:
			m.Fate, m.Unseen = survived, true
		default:
			m.Fate = unexecuted
		}
	}
	return queue
}
