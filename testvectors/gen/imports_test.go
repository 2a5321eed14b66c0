package gen

import (
	"go/parser"
	gotoken "go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// With a package of ours, or a library that ours use, the vectors would share their faults: what stands here may import the standard library and
// golang.org/x/crypto.
func TestNothingOfOursIsImported(t *testing.T) {
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	files := 0
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		files++
		f, err := parser.ParseFile(gotoken.NewFileSet(), e.Name(), nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range f.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			first, _, _ := strings.Cut(path, "/")
			standard := !strings.Contains(first, ".") && first != "kith"
			require.True(t, standard || strings.HasPrefix(path, "golang.org/x/crypto/"), "%s imports %s", e.Name(), path)
		}
	}
	require.Greater(t, files, 10)
}
