package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"
)

// A mutant is one small fault that can be turned on in the judged program.
type mutant struct {
	ID     uint32 `json:"id"`
	File   string `json:"file"`
	Line   int    `json:"line"`
	Func   string `json:"func"` // such as "(*scanner).value", or "var keyNames"
	Kind   string `json:"kind"`
	Before string `json:"before"` // the source line
	After  string `json:"after"`

	// What became of it.
	Fate   fate   `json:"fate"`
	Killer string `json:"killer,omitempty"` // the case that noticed
	How    string `json:"how,omitempty"`    // answer, panic, runaway, crash or timeout
	Unseen bool   `json:"unseen,omitempty"` // a survivor whose line is executed, but not its place
	Review string `json:"review,omitempty"` // of a survivor: the reason on the list

	pkg   string // import path
	first uint32 // the first mutant of its place
	stmt  int    // the offset of the statement that it stands in
	text  string // what the place reads with it, where the whole text is replaced
	of    bool   // it stands in the initialiser of a package-level variable, which is Func
}

// A fate is what became of a mutant. Every mutant has exactly one.
type fate string

const (
	uncompiled fate = "does not compile"
	unexecuted fate = "not executed" // nor its line
	killed     fate = "killed"
	survived   fate = "survived"
	unjudged   fate = "not judged" // only while the run lasts, or where mutants are only listed
)

// An edit replaces the bytes from pos to end of a file by what wrap makes of them; edits nest.
type edit struct {
	pos, end int
	wrap     func(inner string) string
}

// rewrite returns the text with all edits made. Those of outer places were added before those inside of them.
func rewrite(text []byte, edits []edit) string {
	ordered := slices.Clone(edits)
	slices.SortStableFunc(ordered, func(a, b edit) int {
		return cmp.Or(cmp.Compare(a.pos, b.pos), cmp.Compare(b.end, a.end))
	})
	var render func(pos, end int) string
	render = func(pos, end int) string {
		var b strings.Builder
		for len(ordered) > 0 && ordered[0].end <= end {
			e := ordered[0]
			ordered = ordered[1:]
			b.Write(text[pos:e.pos])
			b.WriteString(e.wrap(render(e.pos, e.end)))
			pos = e.end
		}
		b.Write(text[pos:end])
		return b.String()
	}
	return render(0, len(text))
}

// add makes a new mutant at the node. Those of one place are added one after another.
func (w *walker) add(n ast.Node, kind, text string) *mutant {
	m := &mutant{
		ID: w.next, File: w.src.name, Line: w.prog.fset.Position(w.spot(n)).Line, Func: w.fn, Kind: kind, Fate: unjudged,
		pkg: w.u.ImportPath, first: w.next, stmt: w.statement(), text: text, of: w.of,
	}
	m.Before, m.After = w.show(n, text)
	w.next++
	w.mutants = append(w.mutants, m)
	return m
}

// show returns the first line of the node as it stands in the file, and with the node's text replaced.
func (w *walker) show(n ast.Node, text string) (before, after string) {
	pos, end := w.offset(n.Pos()), w.offset(n.End())
	from := strings.LastIndexByte(string(w.src.text[:pos]), '\n') + 1
	upTo := func(s string) string {
		s, _, _ = strings.Cut(s, "\n")
		return s
	}
	before = upTo(string(w.src.text[from:]))
	rest := ""
	if end <= from+len(before) {
		rest = string(w.src.text[end : from+len(before)])
	}
	after = string(w.src.text[from:pos]) + upTo(text) + rest
	if before, after = code(before), code(after); after == "" {
		after = "(deleted)"
	}
	return before, after
}

// code returns a source line without its indentation and its comment.
func code(line string) string {
	if i := strings.Index(line, "//"); i >= 0 && strings.Count(line[:i], `"`)%2 == 0 {
		line = line[:i]
	}
	return strings.Join(strings.Fields(line), " ")
}

// hook is how a rewritten file calls package mutants.
const hook = "kithMutants"

// one wraps the node in a call of a hook of one mutant: the text of the node goes where %s stands.
func (w *walker) one(n ast.Node, m *mutant, format string) {
	w.edit(n, func(inner string) string {
		if m.Fate == uncompiled {
			return inner
		}
		return strings.Replace(strings.Replace(format, "%d", fmt.Sprint(m.ID), 1), "%s", inner, 1)
	})
}

func (w *walker) edit(n ast.Node, wrap func(string) string) {
	w.edits = append(w.edits, edit{w.offset(n.Pos()), w.offset(n.End()), wrap})
}

// choose makes the mutants into one boolean expression with the node as its last choice. Each replaces the whole node, so
// none of the mutants inside is on when one of these is.
func (w *walker) choose(n ast.Node, place []*mutant) {
	if len(place) == 0 {
		return
	}
	first, end := bounds(place)
	w.edit(n, func(inner string) string {
		if !anyCompiles(place) {
			return inner
		}
		var b strings.Builder
		b.WriteByte('(')
		for _, m := range place {
			if m.Fate != uncompiled {
				fmt.Fprintf(&b, "%s.On(%d) && (%s) || ", hook, m.ID, m.text)
			}
		}
		fmt.Fprintf(&b, "%s.Off(%d, %d) && (%s))", hook, first, end, inner)
		return b.String()
	})
}

// instead makes the mutants into statements that may be executed instead of the statement n, or before it if n is a return.
func (w *walker) instead(n ast.Stmt, place []*mutant) {
	if len(place) == 0 {
		return
	}
	first, end := bounds(place)
	_, last := n.(*ast.ReturnStmt)
	w.edit(n, func(inner string) string {
		if !anyCompiles(place) {
			return inner
		}
		var b strings.Builder
		for _, m := range place {
			if m.text != "" && m.Fate != uncompiled {
				fmt.Fprintf(&b, "if %s.On(%d) { %s } else ", hook, m.ID, m.text)
			}
		}
		if last && place[0].text != "" {
			// A return stays the last statement of its function for the compiler.
			fmt.Fprintf(&b, "if %s.Off(%d, %d) {}; %s", hook, first, end, inner)
		} else {
			fmt.Fprintf(&b, "if %s.Off(%d, %d) { %s }", hook, first, end, inner)
		}
		return b.String()
	})
}

func anyCompiles(place []*mutant) bool {
	return slices.ContainsFunc(place, func(m *mutant) bool { return m.Fate != uncompiled })
}

func bounds(place []*mutant) (first, end uint32) {
	first, end = place[0].ID, place[len(place)-1].ID+1
	for _, m := range place {
		m.first = first
	}
	return first, end
}

// spelled returns how the type is written in the file, and whether it can be.
func (w *walker) spelled(t types.Type) (string, bool) {
	ok := true
	s := types.TypeString(types.Default(t), func(p *types.Package) string {
		if p == w.u.types {
			return ""
		}
		name, imported := w.imports[p.Path()]
		ok = ok && imported
		return name
	})
	return s, ok
}
