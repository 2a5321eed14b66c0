package main

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A judge is the program that is asked whether it notices a mutant.
type judge struct {
	path string // the binary
	dir  string // where it runs
}

// build writes the rewritten files into dir and compiles the judge with them in one go, through the Go tool's overlay. The
// judge is a main package that calls mutants.Judge, or else the tests of a package that match run.
func build(ctx context.Context, dir string, files map[string]string, p listed, run *regexp.Regexp) (*judge, error) {
	replace := map[string]string{}
	write := func(path, text string) error {
		to := filepath.Join(dir, fmt.Sprintf("%03d_%s", len(replace), filepath.Base(path)))
		replace[path] = to
		return os.WriteFile(to, []byte(text), 0o600)
	}
	var paths []string
	for path := range files {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	for _, path := range paths {
		if err := write(path, files[path]); err != nil {
			return nil, err
		}
	}
	j := &judge{path: filepath.Join(dir, "judge"), dir: p.Dir}
	args := []string{"build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", j.path, p.ImportPath}
	if p.Name != "main" {
		args = append([]string{"test", "-c", "-vet=off"}, args[1:]...)
		text, err := testMain(p, run)
		if err != nil {
			return nil, err
		}
		if err := write(filepath.Join(p.Dir, "kith_mutant_test.go"), text); err != nil {
			return nil, err
		}
	} else if !slices.Contains(p.Deps, hooks) {
		return nil, fmt.Errorf("%s is no judge: it does not call mutants.Judge", p.ImportPath)
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), b, 0o600); err != nil {
		return nil, err
	}
	_, err = goTool(ctx, args...)
	return j, err
}

// testMain returns a file that makes each test of a package a case.
func testMain(p listed, run *regexp.Regexp) (string, error) {
	var tests []string
	external := true
	for i, names := range [][]string{p.XTestGoFiles, p.TestGoFiles} {
		for _, name := range names {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				return "", err
			}
			external = i == 0 && external || i == 1 && len(p.XTestGoFiles) > 0
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				switch {
				case !ok || fn.Recv != nil:
				case fn.Name.Name == "TestMain":
					return "", fmt.Errorf("%s has a TestMain: write a judge, a main package that calls mutants.Judge", p.ImportPath)
				case strings.HasPrefix(fn.Name.Name, "Test") && run.MatchString(fn.Name.Name):
					tests = append(tests, fn.Name.Name)
				}
			}
		}
	}
	if len(tests) == 0 {
		return "", fmt.Errorf("%s has no test that matches %q", p.ImportPath, run)
	}
	name := p.Name
	if external {
		name += "_test"
	}
	return fmt.Sprintf(`package %s

import (
	"errors"
	"flag"
	"testing"

	%s %q
)

func TestMain(m *testing.M) {
	flag.Parse()
	var cases []%[2]s.Case
	for _, name := range %#[4]v {
		cases = append(cases, %[2]s.Case{Name: name, Run: func() error {
			flag.Set("test.run", "^"+name+"$")
			if m.Run() != 0 {
				return errors.New("the test fails")
			}
			return nil
		}})
	}
	%[2]s.Judge(cases)
}
`, name, hook, hooks, tests), nil
}
