package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// hooks is the import path of the package that a rewritten file asks which mutant is on.
const hooks = "kith/internal/mutate/mutants"

// A listed package is what the Go tool says about one.
type listed struct {
	ImportPath, Dir, Name, Export string

	GoFiles, CgoFiles, TestGoFiles, XTestGoFiles []string

	Deps   []string
	Module *struct{ Dir string }
	Error  *struct{ Err string }
}

// goList asks the Go tool about the packages that patterns name, or with "-export" and "-deps" in front also for what the
// compiler made of them and of all they import.
func goList(ctx context.Context, patterns ...string) ([]listed, error) {
	args := append([]string{"list", "-e", "-json=ImportPath,Dir,Name,Export,GoFiles,CgoFiles,TestGoFiles,XTestGoFiles,Deps,Module,Error"}, patterns...)
	out, err := goTool(ctx, args...)
	if err != nil {
		return nil, err
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		if p.Error != nil {
			return nil, fmt.Errorf("%s: %s", p.ImportPath, p.Error.Err)
		}
		all = append(all, p)
	}
}

// goTool runs the Go tool and returns its output, or an error with what it complained of.
func goTool(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", args[0], err, complaint.Bytes())
	}
	return out.Bytes(), nil
}

// A program is the packages that are mutated, and what is needed to check types against them.
type program struct {
	fset     *token.FileSet
	imports  types.Importer
	packages []*unit
}

// A unit is one package that is mutated.
type unit struct {
	listed
	files []*source
	types *types.Package
	info  *types.Info

	// Left without mutants on purpose: arguments that only become part of a text for people, and capacities.
	texts, capacities int
}

// A source is one of its files.
type source struct {
	path string // absolute
	name string // as reports show it, relative to the module and with slashes
	text []byte
	ast  *ast.File
}

// load parses the packages and checks their types. They keep the order in which they are named.
func load(all []listed, paths []string) (*program, error) {
	exports := map[string]string{}
	byPath := map[string]listed{}
	for _, p := range all {
		exports[p.ImportPath] = p.Export
		byPath[p.ImportPath] = p
	}
	prog := &program{fset: token.NewFileSet()}
	prog.imports = importer.ForCompiler(prog.fset, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("no export data for %s", path)
		}
		return os.Open(exports[path])
	})
	for _, path := range paths {
		u := &unit{listed: byPath[path]}
		if len(u.CgoFiles) > 0 {
			return nil, fmt.Errorf("%s: cgo is not mutated", path)
		}
		for _, name := range u.GoFiles {
			s := &source{path: filepath.Join(u.Dir, name), name: name}
			if u.Module != nil {
				rel, err := filepath.Rel(u.Module.Dir, s.path)
				if err != nil {
					return nil, err
				}
				s.name = filepath.ToSlash(rel)
			}
			var err error
			if s.text, err = os.ReadFile(s.path); err != nil {
				return nil, err
			}
			if s.ast, err = parser.ParseFile(prog.fset, s.path, s.text, parser.ParseComments|parser.SkipObjectResolution); err != nil {
				return nil, err
			}
			u.files = append(u.files, s)
		}
		u.info = &types.Info{
			Types: map[ast.Expr]types.TypeAndValue{},
			Defs:  map[*ast.Ident]types.Object{},
			Uses:  map[*ast.Ident]types.Object{},
		}
		config := types.Config{Importer: prog.imports}
		var err error
		if u.types, err = config.Check(path, prog.fset, u.syntax(), u.info); err != nil {
			return nil, err
		}
		prog.packages = append(prog.packages, u)
	}
	return prog, nil
}

func (u *unit) syntax() []*ast.File {
	var files []*ast.File
	for _, s := range u.files {
		files = append(files, s.ast)
	}
	return files
}
