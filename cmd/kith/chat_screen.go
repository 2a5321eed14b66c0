package main

import (
	"fmt"
	"io"
	"strings"
)

// Styles, where the terminal has them.
const (
	styleName   = "\x1b[1m"
	styleOwn    = "\x1b[36m"
	styleNotice = "\x1b[2m"
	styleError  = "\x1b[31m"
	styleNone   = "\x1b[0m"
)

// A screen is the terminal's: what is said goes up line by line, and below it stands the line that is typed.
//
// It is not safe for concurrent use.
type screen struct {
	w      io.Writer
	size   func() (width, height int)
	colour bool
	plain  bool // there is no line below any more, and the terminal is not raw: lines are only written

	above  []string // rows that are to be written with the next drawing
	width  int      // of the terminal when it was drawn last
	below  layout   // what was drawn last
	failed error    // why nothing can be written any more
}

const (
	usualWidth, usualHeight = 80, 24
	leastWidth              = 16 // to set text in; what is narrower breaks it anew
)

// measure returns the terminal's size now.
func (s *screen) measure() (width, height int) {
	width, height = s.size()
	if width <= 0 || height <= 0 {
		return usualWidth, usualHeight
	}
	return max(width, leastWidth), height
}

// style returns text in that style. It comes back to the usual one within the row.
func (s *screen) style(style, text string) string {
	if !s.colour || text == "" {
		return text
	}
	return style + text + styleNone
}

// say writes a text above the line, behind a head that stands once and whose width in columns is given.
func (s *screen) say(head string, width int, text []cell, indent int, style string) {
	columns, _ := s.measure()
	blank := false
	for i, row := range wrap(text, width, indent, columns) {
		if i > 0 {
			head = strings.Repeat(" ", indent)
			if len(row) == 0 {
				if blank {
					continue // a thousand empty lines push everything else away
				}
				head = ""
			}
		}
		blank = len(row) == 0
		s.above = append(s.above, head+s.style(style, shown(row)))
	}
}

// sayAsIs writes rows of this program's own, which the terminal may break.
func (s *screen) sayAsIs(rows ...string) { s.above = append(s.above, rows...) }

// draw shows what was said since, and the line behind its prompt, in one write: nothing is seen that is half drawn.
func (s *screen) draw(line *lineEditor, prompt string, promptWidth int) {
	var b strings.Builder
	if s.plain {
		for _, row := range s.above {
			b.WriteString(row + "\n")
		}
		s.above = nil
		s.write(b.String())
		return
	}
	s.lift(&b)
	for _, row := range s.above {
		b.WriteString(row + "\r\n")
	}
	s.above = nil
	width, height := s.measure()
	v := line.lay(prompt, promptWidth, width, max(1, height/2))
	// Without the terminal's own breaking, a character that is wider there than here moves nothing but its row.
	b.WriteString("\x1b[?7l")
	for i, row := range v.rows {
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(row.String())
	}
	if up := len(v.rows) - 1 - v.row; up > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", up)
	}
	b.WriteByte('\r')
	if v.column > 0 {
		fmt.Fprintf(&b, "\x1b[%dC", v.column)
	}
	b.WriteString("\x1b[?7h")
	s.width, s.below = width, v
	s.write(b.String())
}

// lift takes the line away, and leaves the cursor where it began.
func (s *screen) lift(b *strings.Builder) {
	up := s.below.row
	if width, _ := s.measure(); width != s.width && s.width > 0 {
		// Most terminals break rows anew when they become narrower. One that does not, such as xterm, loses a row or two above.
		up = s.below.above(width)
	}
	b.WriteByte('\r')
	if up > 0 {
		fmt.Fprintf(b, "\x1b[%dA", up)
	}
	b.WriteString("\x1b[J")
	s.below = layout{}
}

// begin asks the terminal to mark what is pasted.
func (s *screen) begin() { s.write("\x1b[?2004h") }

// end takes the line away. From now on lines are only written.
func (s *screen) end() {
	var b strings.Builder
	s.lift(&b)
	s.plain = true
	s.write(b.String() + "\x1b[?2004l")
}

// clear takes everything away.
func (s *screen) clear() {
	s.below = layout{}
	s.write("\x1b[H\x1b[2J")
}

func (s *screen) write(text string) {
	if s.failed == nil && text != "" {
		_, s.failed = io.WriteString(s.w, text)
	}
}
