package dht

import (
	"embed"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"

	"kith/conformance"
)

//go:embed cases_*.go *.multi
var sources embed.FS

// Source returns what a case is made of: its function, or its line of a table. It is empty for a case of another package.
func Source(c *conformance.Case) string {
	text, err := sources.ReadFile(c.File)
	if err != nil {
		return ""
	}
	lines := strings.Split(string(text), "\n")
	if c.Line < 1 || c.Line > len(lines) {
		return ""
	}
	if strings.HasSuffix(c.File, ".multi") {
		return lines[c.Line-1]
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, c.File, text, parser.ParseComments)
	if err != nil {
		return ""
	}
	first, last := c.Line, c.Line
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.ExprStmt); ok && fset.Position(s.Pos()).Line <= c.Line && c.Line <= fset.Position(s.End()).Line {
			first, last = fset.Position(s.Pos()).Line, fset.Position(s.End()).Line
			return false
		}
		return true
	})
	for first > 1 && strings.HasPrefix(strings.TrimSpace(lines[first-2]), "//") {
		first--
	}
	return dedent(lines[first-1 : last])
}

// dedent takes out the tabs that all lines begin with.
func dedent(lines []string) string {
	n := -1
	for _, l := range lines {
		if t := len(l) - len(strings.TrimLeft(l, "\t")); strings.TrimSpace(l) != "" && (n < 0 || t < n) {
			n = t
		}
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = l[min(max(n, 0), len(l)):]
	}
	return strings.Join(out, "\n")
}
