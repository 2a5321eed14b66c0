package conformance

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// Console is a Progress for people: on a terminal a line that moves, everywhere a block for each case that is not as it has to be,
// and the sum at the end.
type Console struct {
	W       io.Writer
	Live    bool // a terminal: show where the run is
	Color   bool
	Width   int  // of the terminal
	Verbose bool // a line for each case that passes, too
	// Repeat gives the command that plays a case again; nil: none is shown.
	Repeat func(*Case) string

	planned, seen int
	counts        map[Verdict]int
	blocked       []blocked
	shown         bool // a moving line stands there
}

// colours of the verdicts; what is not listed is plain.
var colours = map[Verdict]string{
	Pass: "32", Fail: "31", Crash: "31;1", Xpass: "31", Flaky: "31", Warn: "33", Inconclusive: "33", Xfail: "2", Info: "36", Unsupported: "2", Blocked: "2",
}

// blocked are the cases that lack the same thing.
type blocked struct {
	needs string
	ids   []string
}

func (c *Console) paint(v Verdict, s string) string {
	if !c.Color || colours[v] == "" {
		return s
	}
	return "\x1b[" + colours[v] + "m" + s + "\x1b[0m"
}

// textWidth is how wide text is set where the terminal is not narrower.
const textWidth = 92

// wrap breaks text so that it fits the terminal.
func (c *Console) wrap(text string, indent int) string {
	if c.Width > 0 {
		return Wrap(text, indent, min(textWidth, c.Width))
	}
	return Wrap(text, indent, textWidth)
}

func (c *Console) printf(format string, args ...any) {
	if c.shown {
		fmt.Fprint(c.W, "\r\x1b[K")
		c.shown = false
	}
	fmt.Fprintf(c.W, format, args...)
}

// Begin implements Progress.
func (c *Console) Begin(h Header) {
	c.planned, c.seen, c.counts, c.blocked = h.Planned, 0, map[Verdict]int{}, nil
	who := h.Target.Address
	if h.Target.Version != "" {
		who += " (" + h.Target.Version + ")"
	}
	c.printf("%s\n", c.wrap(fmt.Sprintf("%s %s, %s, seed %d, against %s", h.Suite, h.Version, counted(h.Planned, "case"), h.Seed, who), 5))
	if len(h.Profiles) > 0 {
		var claimed, not []string
		for _, p := range h.Profiles {
			if p.Claimed {
				claimed = append(claimed, p.Profile)
			} else {
				not = append(not, p.Profile)
			}
		}
		text := "claims " + strings.Join(claimed, " ")
		if len(not) > 0 {
			text += "; does not show " + strings.Join(not, " ") + ", which --profile would judge all the same"
		}
		c.printf("%s\n", c.wrap(text, 5))
	}
	c.move("")
}

// Round implements Progress.
func (c *Console) Round(n, of, flips int) {
	text := fmt.Sprintf("round %d of %d", n, of)
	if n > 1 {
		text += ", " + counted(flips, "flip") + " so far"
	}
	if c.Live {
		fmt.Fprint(c.W, "\r\x1b[K"+text)
		c.shown = true
		return
	}
	c.printf("%s\n", text)
}

// Result implements Progress.
func (c *Console) Result(r *Result) {
	c.seen++
	c.counts[r.Verdict]++
	switch r.Verdict {
	case Pass, Unsupported:
		if c.Verbose {
			c.printf("%s %s  %.1f ms\n", c.paint(r.Verdict, fmt.Sprintf("%-12s", r.Verdict)), r.Case.ID, ms(r.Took))
		}
	case Xfail:
		c.printf("%s\n", c.line(r, r.Expectation.Did))
	case Blocked:
		c.lacks(r)
	case Inconclusive:
		if r.Log == nil {
			break // it was not played; what there is to say stands at the end
		}
		c.printf("%s\n", c.line(r, fmt.Sprintf("needs %s; observed %s",
			orText(r.Outcome.Expected, "a target that is there"), orText(r.Outcome.Observed, strings.Join(r.Notes(), "; ")))))
		if r.Outcome.Fault != "" {
			c.printf("     %s\n", r.Outcome.Fault)
		}
	default:
		c.printf("%s", c.block(r))
	}
	c.move(r.Case.ID)
}

// line says of a case why it was not judged, or not by what it did.
func (c *Console) line(r *Result, text string) string {
	verdict := string(r.Verdict)
	return c.paint(r.Verdict, verdict) + strings.TrimPrefix(c.wrap(verdict+" "+r.Case.ID+"  "+text, 5), verdict) // colours have no width
}

// lacks keeps a blocked case for the end, together with those that lack the same: often they are many.
func (c *Console) lacks(r *Result) {
	for i := range c.blocked {
		if b := &c.blocked[i]; b.needs == r.Outcome.Expected {
			b.ids = append(b.ids, r.Case.ID)
			return
		}
	}
	c.blocked = append(c.blocked, blocked{r.Outcome.Expected, []string{r.Case.ID}})
}

// lacking says what the blocked cases lack.
func (c *Console) lacking() {
	for i, b := range c.blocked {
		if i == 0 {
			c.printf("\n")
		}
		who, verb, hint := strings.Join(b.ids, " "), "need", ""
		switch {
		case len(b.ids) == 1:
			verb = "needs"
		case len(b.ids) > 3 && !c.Verbose:
			who, hint = counted(len(b.ids), "case"), "; -v names them"
		}
		c.printf("%s%s\n", c.paint(Blocked, "blocked"), strings.TrimPrefix(c.wrap("blocked  "+who+" "+verb+" "+b.needs+hint, 5), "blocked"))
	}
}

// counted is a number of things in words.
func counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

func orText(s, d string) string {
	if s == "" {
		return d
	}
	return s
}

// block writes what is to be known about one case that is not as it has to be.
func (c *Console) block(r *Result) string {
	var b strings.Builder
	q := r.Case.Requirement
	head := fmt.Sprintf("%s %s", strings.ToUpper(string(r.Verdict)), r.Case.ID)
	where := fmt.Sprintf("%s, spec/%s.md", q.Level, q.Chapter)
	if q.Source != "" {
		where += ", " + q.Source
	}
	between := strings.Repeat(" ", max(2, 80-utf8.RuneCountInString(head)-utf8.RuneCountInString(where)))
	if c.Width > 0 && utf8.RuneCountInString(head+between+where) > c.Width {
		between = "\n     "
	}
	fmt.Fprintf(&b, "\n%s %s%s%s\n", c.paint(r.Verdict, strings.ToUpper(string(r.Verdict))), r.Case.ID, between, where)
	fmt.Fprintf(&b, "     %s\n", c.wrap(q.Text, 5))
	if e := r.Log.sent(r.Outcome.Sent); e != nil {
		fmt.Fprintf(&b, "     sent      #%d  %.1f ms  %s\n", e.N, ms(e.At), c.wrap(fmt.Sprintf("%s (%d B)", cut(Brief(e.Data), 600), len(e.Data)), 15))
	}
	if r.Outcome.Expected != "" {
		fmt.Fprintf(&b, "     expected  %s\n", c.wrap(r.Outcome.Expected, 15))
		fmt.Fprintf(&b, "     observed  %s\n", c.wrap(r.Outcome.Observed, 15))
	}
	for _, n := range r.Notes() {
		fmt.Fprintf(&b, "     note      %s\n", c.wrap(n, 15))
	}
	if r.Isolated {
		fmt.Fprintf(&b, "     note      judged alone, on a target started for it\n")
	}
	if c.Repeat != nil {
		fmt.Fprintf(&b, "     repeat    %s\n", c.Repeat(r.Case))
	}
	return b.String()
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}

// Wrap breaks text at spaces so that it stays within width, with the lines behind the first indented. Line breaks in it stay.
func Wrap(text string, indent, width int) string {
	var b strings.Builder
	col := indent
	for line := range strings.SplitSeq(text, "\n") {
		if b.Len() > 0 {
			b.WriteString("\n" + strings.Repeat(" ", indent))
			col = indent
		}
		for i, word := range strings.Split(line, " ") {
			n := utf8.RuneCountInString(word)
			switch {
			case i == 0:
			case col+1+n > width:
				b.WriteString("\n" + strings.Repeat(" ", indent))
				col = indent
			default:
				b.WriteByte(' ')
				col++
			}
			b.WriteString(word)
			col += n
		}
	}
	return b.String()
}

// Note implements Progress.
func (c *Console) Note(text string) { c.printf("%s\n", c.wrap("note: "+text, 5)) }

// move draws the moving line.
func (c *Console) move(id string) {
	if !c.Live || c.planned == 0 {
		return
	}
	text := fmt.Sprintf("%d of %d  %s  %s", c.seen, c.planned, (&Console{}).sum(c.counts), id) // colours would be cut apart below
	if w := c.Width - 1; w > 0 && utf8.RuneCountInString(text) > w {
		text = string([]rune(text)[:w])
	}
	fmt.Fprint(c.W, "\r\x1b[K"+text)
	c.shown = true
}

func (c *Console) sum(counts map[Verdict]int) string {
	var parts []string
	for _, v := range Verdicts {
		if n := counts[v]; n > 0 {
			parts = append(parts, c.paint(v, fmt.Sprintf("%d %s", n, v)))
		}
	}
	return strings.Join(parts, ", ")
}

// End implements Progress.
func (c *Console) End(s *Summary) {
	f := s.Footer
	for _, d := range f.Crashes {
		c.printf("\n%s\n", c.wrap(fmt.Sprintf("the target ended: %s; under way: %s; alone it ends of: %s",
			d.How, strings.Join(d.Suspects, " "), orText(strings.Join(d.Culprits, " "), "none of them")), 5))
	}
	c.lacking()
	if known := knownCounts(s.Results); len(known) > 0 {
		c.printf("\nknown deviations: %s", c.sum(known))
	}
	if len(s.Results) > 0 {
		c.printf("\n%s  in %.1f s\n", c.sum(f.Counts), (time.Duration(f.TookMS) * time.Millisecond).Seconds())
	}
	if f.Flips != nil {
		c.printf("%s in %s: %s\n", counted(f.Plays, "verdict"), counted(f.Rounds, "round"), counted(*f.Flips, "flip"))
	}
	if !f.Whole {
		c.printf("%s\n", c.wrap("The run is not whole: "+f.Why, 5))
		return
	}
	c.printf("%s\n", c.wrap(f.Word()+": "+f.Because, 5))
}

// knownCounts counts what the expected failures are.
func knownCounts(results []*Result) map[Verdict]int {
	known := map[Verdict]int{}
	for _, r := range results {
		if r.Verdict == Xfail {
			known[r.Expectation.Verdict]++
		}
	}
	return known
}
