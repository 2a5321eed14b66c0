package gen

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kith/spec"
)

// A row is what spec/operations.md says of an operation, by the heading of the column.
type row map[string]string

// rows reads every table of spec/operations.md whose first column is called operation.
func rows(t *testing.T) map[string]row {
	t.Helper()
	all := map[string]row{}
	for _, c := range spec.Chapters() {
		if c.Name != "operations" {
			continue
		}
		var heads []string
		for line := range strings.Lines(c.Text) {
			cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			switch {
			case !strings.HasPrefix(line, "|"):
				heads = nil
			case heads == nil:
				heads = cells
			case heads[0] == "operation" && strings.HasPrefix(cells[0], "`"):
				r := row{}
				for i, cell := range cells {
					r[heads[i]] = cell
				}
				for name := range strings.SplitSeq(strings.ReplaceAll(cells[0], "`", ""), ", ") {
					require.NotContains(t, all, name, "an operation stands in one table")
					all[name] = r
				}
			}
		}
	}
	require.NotEmpty(t, all)
	return all
}

var asides = regexp.MustCompile(`\([^()]*\)|:[^{}]*\{[^{}]*\}`)

// names returns the keys that a cell names: what stands in brackets says more about them.
func names(cell string) (all []string) {
	for asides.MatchString(cell) {
		cell = asides.ReplaceAllString(cell, "")
	}
	for part := range strings.SplitSeq(cell, ",") {
		word, _, _ := strings.Cut(strings.TrimSpace(strings.ReplaceAll(part, "`", "")), " ")
		if word = strings.TrimSuffix(word, ":"); word != "" {
			all = append(all, word)
		}
	}
	slices.Sort(all)
	return all
}

// The text leads: what an operation takes and gives stands in it.
func TestTheSpecListsTheOperations(t *testing.T) {
	all := rows(t)
	for _, op := range operations() {
		if op.name == "hello" {
			continue // in spec/shim.md
		}
		r, ok := all[op.name]
		require.True(t, ok, "%s does not stand in spec/operations.md", op.name)
		for _, part := range []struct{ head, keys string }{{"in", op.in}, {"out", op.out}, {"intermediate", op.mid}, {"with a refusal", op.with}} {
			cell, there := r[part.head]
			if !there {
				continue // the table has no such column: the text says it
			}
			var want []string
			for _, k := range keys(part.keys) {
				want = append(want, k.name)
			}
			slices.Sort(want)
			require.Equal(t, want, names(cell), "%s: %s", op.name, part.head)
		}
	}
}

func TestKeys(t *testing.T) {
	require.Equal(t, []key{{name: "HK_I", kind: "hex", size: 32}, {name: "to", kind: "endpoint", list: true, optional: true}, {name: "nonce-*", kind: "hex", size: 24}},
		keys("HK_I hex32, to? endpoint[], nonce-* hex24"))
	require.Equal(t, []string{"after", "error"}, names("after (an item, or null), error (where (somewhere) a node answers one)"))
	require.Equal(t, []string{"contacts", "handle"}, names("handle, contacts: list of {friend, taken} (ms, `0`: none)"))
	require.Empty(t, names("(nothing)"))
	require.Panics(t, func() { keys("two") })
	require.Panics(t, func() { keys("a of no type") })
	require.Panics(t, func() { keys("a nosuchtype") })
}
