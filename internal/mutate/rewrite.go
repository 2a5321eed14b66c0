package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strconv"
)

// rewriteAll returns the rewritten files by their paths. Mutants that do not compile are left out of them, and marked so.
func rewriteAll(prog *program, mutants []*mutant, edits map[*source][]edit) (map[string]string, error) {
	files := map[string]string{}
	for _, u := range prog.packages {
		for {
			fset := token.NewFileSet()
			var syntax []*ast.File
			for _, src := range u.files {
				text := rewriteFile(prog, src, edits[src])
				files[src.path] = text
				f, err := parser.ParseFile(fset, src.path, text, parser.SkipObjectResolution)
				if err != nil {
					return nil, fmt.Errorf("the rewritten file is no Go: %w\n%s", err, text)
				}
				syntax = append(syntax, f)
			}
			faults := checkTypes(prog, u, fset, syntax)
			if len(faults) == 0 {
				break
			}
			if !blame(mutants, fset, syntax, faults) {
				return nil, fmt.Errorf("%s does not compile when rewritten: %w", u.ImportPath, faults[0])
			}
		}
	}
	return files, nil
}

// rewriteFile returns the text of the file with its edits, and with package mutants imported.
func rewriteFile(prog *program, src *source, edits []edit) string {
	at := prog.fset.File(src.ast.Name.End()).Offset(src.ast.Name.End())
	imports := edit{at, at, func(string) string { return "; import " + hook + " " + strconv.Quote(hooks) }}
	return rewrite(src.text, append([]edit{imports}, edits...)) + "\nvar _ = " + hook + ".On\n"
}

// checkTypes returns what the type checker finds wrong with the rewritten package.
func checkTypes(prog *program, u *unit, fset *token.FileSet, syntax []*ast.File) (faults []types.Error) {
	config := types.Config{Importer: prog.imports, Error: func(err error) { faults = append(faults, err.(types.Error)) }}
	_, _ = config.Check(u.ImportPath, fset, syntax, nil) // every error has been handed to Error
	return faults
}

// blame marks the mutants that the faults stem from, and reports whether there was one that was not marked before: the
// innermost around a fault, or else the nearest in front of it, from where a "missing return" stems.
func blame(mutants []*mutant, fset *token.FileSet, syntax []*ast.File, faults []types.Error) bool {
	found := false
	for _, fault := range faults {
		var inside, before []uint32
		for _, f := range syntax {
			if f.FileStart > fault.Pos || fault.Pos >= f.FileEnd {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				pos, end, ids := guard(n)
				switch {
				case ids == nil:
				case pos <= fault.Pos && fault.Pos < end:
					inside = ids
				case end <= fault.Pos:
					before = ids
				}
				return true
			})
		}
		if inside == nil {
			inside = before
		}
		for _, id := range inside {
			if m := mutants[id-1]; m.Fate != uncompiled {
				m.Fate = uncompiled
				found = true
			}
		}
	}
	return found
}

// guard returns what is only compiled for some mutants, if n is that.
func guard(n ast.Node) (pos, end token.Pos, ids []uint32) {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if name, ids := hookCall(n.X); name == "On" {
			return n.Y.Pos(), n.Y.End(), ids
		}
	case *ast.IfStmt:
		switch name, ids := hookCall(n.Cond); name {
		case "On":
			return n.Body.Pos(), n.Body.End(), ids
		case "Off":
			return n.Pos(), n.Pos() + 1, ids // what stands in the body is the program as it was
		}
	case *ast.ParenExpr:
		// A whole choice: where it is of a type that a boolean does not fit into.
		if b, ok := n.X.(*ast.BinaryExpr); ok {
			for b.Op == token.LOR {
				last, ok := b.Y.(*ast.BinaryExpr)
				if !ok {
					break
				}
				b = last
			}
			if name, ids := hookCall(b.X); name == "Off" {
				return n.Pos(), n.End(), ids
			}
		}
	case *ast.CallExpr:
		if name, ids := hookCall(n); name != "" && name != "On" && name != "Off" {
			return n.Pos(), n.End(), ids
		}
	}
	return 0, 0, nil
}

// hookCall returns the name of the hook that e calls, and the mutants it asks for.
func hookCall(e ast.Expr) (name string, ids []uint32) {
	call, ok := e.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return "", nil
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || identOf(sel.X) == nil || identOf(sel.X).Name != hook {
		return "", nil
	}
	number := func(e ast.Expr) uint32 {
		n, _ := strconv.ParseUint(e.(*ast.BasicLit).Value, 10, 32)
		return uint32(n)
	}
	first := number(call.Args[0])
	ids = []uint32{first}
	if sel.Sel.Name == "Off" {
		for id := first + 1; id < number(call.Args[1]); id++ {
			ids = append(ids, id)
		}
	}
	return sel.Sel.Name, slices.Clip(ids)
}
