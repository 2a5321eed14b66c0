package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"kith/conformance"
)

// The demonstration is set in lines of at most demoMost characters, and of demoUsual where no terminal says how many it has.
const (
	demoMost   = 100
	demoUsual  = 80
	demoLeast  = 40
	demoIndent = 9 // the width of the times
)

// A demoReport is one step as it is told.
type demoReport struct {
	Event    string         `json:"event"`
	Step     string         `json:"step"`
	At       float64        `json:"at_ms"` // since the beginning, when it was done
	Says     string         `json:"says"`
	Explains []string       `json:"explains,omitempty"`
	Count    int            `json:"datagrams"` // from or to alice and bob, but for the strangers' own step
	Bytes    int            `json:"bytes"`
	Wire     []tally        `json:"wire,omitempty"`
	Facts    map[string]any `json:"facts,omitempty"`
	Hits     *int           `json:"hits,omitempty"` // of the search

	bad bool
}

// A demoPrinter tells the demonstration.
type demoPrinter struct {
	w       io.Writer
	json    bool
	verbose bool
	colour  bool
	width   int
}

// newDemoPrinter returns what tells it to w, and what gives the terminal back.
func newDemoPrinter(cmd *cobra.Command, w io.Writer, f *demoFlags) (p *demoPrinter, undo func()) {
	p, undo = &demoPrinter{w: w, json: f.json, verbose: f.verbose, width: demoUsual}, func() {}
	out, ok := cmd.OutOrStdout().(*os.File)
	if !ok || f.json || !term.IsTerminal(int(out.Fd())) {
		return p, undo
	}
	if width, _, err := term.GetSize(int(out.Fd())); err == nil && width > 0 {
		p.width = max(demoLeast, min(width, demoMost))
	}
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return p, undo
	}
	if u, err := showsSequences(out); err == nil {
		p.colour, undo = true, u
	}
	return p, undo
}

// styled sets s in a style.
func (p *demoPrinter) styled(style, s string) string {
	if !p.colour || s == "" {
		return s
	}
	return style + s + styleNone
}

const styleGood = "\x1b[32m"

// object prints a line for machines.
func (p *demoPrinter) object(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // it holds nothing that JSON has not
	}
	fmt.Fprintf(p.w, "%s\n", b)
}

// begin tells what stands where.
func (p *demoPrinter) begin() {
	if p.json {
		return
	}
	const left, right = "seconds  what happened", "on the wire"
	fmt.Fprintln(p.w, p.styled(styleNotice, left+strings.Repeat(" ", p.width-len(left)-len(right))+right))
}

// step tells a step, and what crossed the wire in it.
func (p *demoPrinter) step(r demoReport, all []datagram) {
	if p.json {
		p.object(r)
		p.datagrams(all)
		return
	}
	var b strings.Builder
	wire := ""
	if r.Count > 0 && r.Hits == nil {
		wire = fmt.Sprintf("%s  %8s", several(r.Count, "datagram"), kilobytes(r.Bytes))
	}
	style := styleName
	if r.Hits != nil {
		if style = styleName + styleGood; r.bad {
			style = styleName + styleError
		}
	}
	at := fmt.Sprintf("%*.3f  ", demoIndent-2, r.At/1000)
	gap := p.width - demoIndent - utf8.RuneCountInString(r.Says) - utf8.RuneCountInString(wire)
	fmt.Fprintf(&b, "%s%s", p.styled(styleNotice, at), p.styled(style, conformance.Wrap(r.Says, demoIndent, p.width)))
	switch {
	case wire == "":
	case gap >= 2:
		b.WriteString(strings.Repeat(" ", gap) + p.styled(styleNotice, wire))
	default:
		fmt.Fprintf(&b, "\n%*s%s", demoIndent, "", p.styled(styleNotice, strings.Join(strings.Fields(wire), " ")))
	}
	b.WriteByte('\n')
	for _, e := range r.Explains {
		fmt.Fprintf(&b, "%*s%s\n", demoIndent, "", p.explained(e))
	}
	if len(r.Wire) > 0 {
		kinds := make([]string, len(r.Wire))
		for i, t := range r.Wire {
			kinds[i] = strings.ReplaceAll(t.String(), " ", "\u00a0") // each in one line
		}
		text := conformance.Wrap(strings.Join(kinds, " · "), demoIndent, p.width)
		fmt.Fprintf(&b, "%*s%s\n", demoIndent, "", p.styled(styleNotice, strings.ReplaceAll(text, "\u00a0", " ")))
	}
	b.WriteByte('\n')
	_, _ = io.WriteString(p.w, b.String()) // w remembers
	p.datagrams(all)
}

// explained sets a paragraph. What is in columns stays as it is.
func (p *demoPrinter) explained(s string) string {
	if strings.Contains(s, "  ") {
		return s
	}
	return conformance.Wrap(s, demoIndent, p.width)
}

// A demoDatagram is a datagram for machines.
type demoDatagram struct {
	Event   string  `json:"event"`
	At      float64 `json:"at_ms"`
	From    string  `json:"from"`
	To      string  `json:"to"`
	There   bool    `json:"there"` // somebody was at that address
	Bytes   int     `json:"bytes"`
	Kind    string  `json:"kind"`
	Reply   bool    `json:"reply,omitempty"`
	Readers string  `json:"readers"`
	Hex     string  `json:"hex"`
}

// datagrams tells each datagram, where that was asked for.
func (p *demoPrinter) datagrams(all []datagram) {
	if !p.verbose || len(all) == 0 {
		return
	}
	var b strings.Builder
	for i := range all {
		d := &all[i]
		if p.json {
			p.object(demoDatagram{"datagram", thousandths(d.at), d.from.String(), d.who.String(), d.there, len(d.b), d.kind, d.reply, d.readers(), fmt.Sprintf("%x", d.b)})
			continue
		}
		line := d.line()
		if !d.from.person() && !d.who.person() {
			line = p.styled(styleNotice, line)
		}
		b.WriteString(line + "\n")
	}
	if !p.json {
		_, _ = io.WriteString(p.w, b.String()+"\n")
	}
}

// failed tells machines of a step that did not work; people are told on the other stream.
func (p *demoPrinter) failed(f *demoFailure) {
	if p.json {
		p.object(struct {
			Event string `json:"event"`
			Step  string `json:"step"`
			Error string `json:"error"`
			Do    string `json:"do,omitempty"`
		}{"failed", f.Step, f.err.Error(), f.Do})
	}
}

// thousandths returns d in milliseconds with three digits behind the point.
func thousandths(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond)) / float64(time.Millisecond)
}
