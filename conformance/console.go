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
	shown         bool // a moving line stands there
}

// colours of the verdicts; what is not listed is plain.
var colours = map[Verdict]string{
	Pass: "32", Fail: "31", Crash: "31;1", Xpass: "31", Flaky: "31", Warn: "33", Inconclusive: "33", Xfail: "2", Info: "36", Unsupported: "2", Blocked: "2",
}

func (c *Console) paint(v Verdict, s string) string {
	if !c.Color || colours[v] == "" {
		return s
	}
	return "\x1b[" + colours[v] + "m" + s + "\x1b[0m"
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
	c.planned, c.seen, c.counts = h.Planned, 0, map[Verdict]int{}
	who := h.Target.Address
	if h.Target.Version != "" {
		who += " (" + h.Target.Version + ")"
	}
	c.printf("%s %s, %d cases, seed %d, against %s\n", h.Suite, h.Version, h.Planned, h.Seed, who)
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
		c.printf("%s\n", text)
	}
	c.move("")
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
		c.printf("%s %s  %s\n", c.paint(Xfail, "xfail"), r.Case.ID, r.Expectation.Did)
	case Blocked, Inconclusive:
		if r.Log == nil {
			break // it was not played; what there is to say stands at the end
		}
		c.printf("%s %s  needs %s; observed %s\n", c.paint(r.Verdict, string(r.Verdict)), r.Case.ID,
			orText(r.Outcome.Expected, "a target that is there"), orText(r.Outcome.Observed, strings.Join(r.Notes(), "; ")))
		if r.Outcome.Fault != "" {
			c.printf("     %s\n", r.Outcome.Fault)
		}
	default:
		c.printf("%s", c.block(r))
	}
	c.move(r.Case.ID)
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
	gap := max(2, 80-utf8.RuneCountInString(head)-utf8.RuneCountInString(where))
	fmt.Fprintf(&b, "\n%s %s%s%s\n", c.paint(r.Verdict, strings.ToUpper(string(r.Verdict))), r.Case.ID, strings.Repeat(" ", gap), where)
	fmt.Fprintf(&b, "     %s\n", Wrap(q.Text, 5, 92))
	if e := r.Log.sent(r.Outcome.Sent); e != nil {
		fmt.Fprintf(&b, "     sent      #%d  %.1f ms  %s\n", e.N, ms(e.At), Wrap(fmt.Sprintf("%s (%d B)", cut(Brief(e.Data), 600), len(e.Data)), 15, 92))
	}
	if r.Outcome.Expected != "" {
		fmt.Fprintf(&b, "     expected  %s\n", Wrap(r.Outcome.Expected, 15, 92))
		fmt.Fprintf(&b, "     observed  %s\n", Wrap(r.Outcome.Observed, 15, 92))
	}
	for _, n := range r.Notes() {
		fmt.Fprintf(&b, "     note      %s\n", Wrap(n, 15, 92))
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
func (c *Console) Note(text string) { c.printf("note: %s\n", text) }

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
		c.printf("\nthe target ended: %s; under way: %s; alone it ends of: %s\n", d.How, strings.Join(d.Suspects, " "), orText(strings.Join(d.Culprits, " "), "none of them"))
	}
	if known := knownCounts(s.Results); len(known) > 0 {
		c.printf("\nknown deviations: %s", c.sum(known))
	}
	if len(s.Results) > 0 {
		c.printf("\n%s  in %.1f s\n", c.sum(f.Counts), (time.Duration(f.TookMS) * time.Millisecond).Seconds())
	}
	if !f.Whole {
		c.printf("The run is not whole: %s\n", f.Why)
		return
	}
	word := "conformant"
	if f.Counts[Xfail] > 0 {
		word = "as expected"
	}
	if f.Exit != ExitConformant {
		word = "not conformant"
		if f.Exit == ExitVacuous {
			word = "vacuous"
		}
	}
	c.printf("%s: %s\n", word, f.Because)
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
