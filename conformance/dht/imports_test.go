package dht

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// banned says why a case must not import something.
var banned = map[string]string{
	"net":         "only the runner owns sockets; net/netip is fine",
	"os":          "a case has no surroundings but its World",
	"os/exec":     "only the runner owns processes",
	"sync/atomic": "a Script is for one goroutine",
	"context":     "a deadline is an argument",
	"log":         "what happened stands in the log of the case",
	"crypto/rand": "bytes depend on the seed and the case's id alone",
	"math/rand":   "use s.Bytes and s.IntN",
	"kith/wire":   "a judge that shares a parser with the reference node cannot see its faults",
	"kith/dht":    "a judge that shares code with the reference node cannot see its faults",
}

var fset = token.NewFileSet()

// parsed are this package's files without the tests.
func parsed(t *testing.T) map[string]*ast.File {
	names, err := os.ReadDir(".")
	require.NoError(t, err)
	files := map[string]*ast.File{}
	for _, e := range names {
		if name := e.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			files[name], err = parser.ParseFile(fset, name, nil, 0)
			require.NoError(t, err)
		}
	}
	return files
}

func TestCasesKeepOut(t *testing.T) {
	clock := []string{"Now", "Sleep", "After", "AfterFunc", "Since", "Until", "NewTimer", "NewTicker", "Tick"}
	for name, f := range parsed(t) {
		for _, i := range f.Imports {
			path, _ := strconv.Unquote(i.Path.Value)
			require.NotContains(t, banned, path, "%s imports %s: %s", name, path, banned[path])
			if path == "math/rand/v2" || path == "sync" {
				require.Contains(t, []string{"script.go", "case.go"}, name, "%s imports %s: use s.Bytes and s.IntN", name, path)
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clock, n.Sel.Name) {
					t.Errorf("%s: time.%s: a case is told what time it is", fset.Position(n.Pos()), n.Sel.Name)
				}
			case *ast.GoStmt:
				t.Errorf("%s: a case has one goroutine", fset.Position(n.Pos()))
			}
			return true
		})
	}
}

// A map is ranged over in no order, and a case that did so would send other bytes each time. Without types a test cannot tell a
// range over a map from one over a slice, so the cases have no maps at all.
func TestCasesHaveNoMaps(t *testing.T) {
	for name, f := range parsed(t) {
		if !strings.HasPrefix(name, "cases_") {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if m, ok := n.(*ast.MapType); ok {
				t.Errorf("%s: a map has no order; use a slice", fset.Position(m.Pos()))
			}
			return true
		})
	}
}
