package main

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a friend writes is shown on the terminal of somebody who trusts it with passwords. So nothing of a text reaches the terminal but
// characters that can be seen, in the order in which they were written:
//
//   - control characters (escape sequences begin with one) become pictures of themselves, and are text;
//   - what cannot be seen is left out: joiners, selectors, tags, and all that changes the direction of writing;
//   - a character has at most mostMarks marks on it, so that none grows over its neighbours' lines;
//   - what this program knows no width for is shown as U+FFFD.
//
// Left as they are: letters written from right to left, which some terminals turn around within their row, and letters that look like
// others. Emoji made of several, by joiners, are shown as those.

// A cell is what stands in one place of a line: a character with the marks on it.
type cell struct {
	src   string // as it was written; of a line's end always "\n"
	show  string // what of it goes to the terminal; of a line's end nothing
	width int    // columns of show
}

func (c cell) ends() bool  { return c.src == "\n" }
func (c cell) blank() bool { return c.width > 0 && strings.Trim(c.show, " ") == "" }

// mostMarks is more than any living language puts on one character.
const mostMarks = 4

const replacement = string(utf8.RuneError)

// cells takes a text apart. With ascii, all that is not ASCII is shown as ?: a terminal that does not read UTF-8 would take some of its
// bytes for control characters.
func cells(s string, ascii bool) []cell {
	all := make([]cell, 0, len(s))
	begun := 0 // where the last cell begins in s
	marks := 0 // that the last cell has
	add := func(at int, c cell) { all, begun, marks = append(all, c), at, 0 }
	for at := 0; at < len(s); {
		r, n := utf8.DecodeRuneInString(s[at:])
		src := s[at : at+n]
		last := len(all) - 1
		joins := last >= 0 && !all[last].ends() // whether there is something that r can belong to
		switch {
		case r == utf8.RuneError:
			add(at, cell{src, replacement, 1})
		case r == '\r' && strings.HasPrefix(s[at+1:], "\n"): // the end of the line is the next
		case endsLine(r):
			add(at, cell{"\n", "", 0})
		case r == '\t':
			add(at, cell{src, "    ", 4})
		case r < ' ':
			add(at, cell{src, string('\u2400' + r), 1})
		case r == 0x7f:
			add(at, cell{src, "\u2421", 1})
		case unseen(r) && joins:
			all[last].src = s[begun : at+n]
		case unseen(r):
			add(at, cell{src, "", 0})
		case isMark(r) && joins && all[last].width > 0 && !all[last].blank():
			all[last].src = s[begun : at+n]
			if marks++; marks <= mostMarks {
				all[last].show += src
			}
		case isMark(r):
			add(at, cell{src, "\u25cc" + src, 1}) // the dotted circle, so that it does not sit on what is not the friend's
			marks = 1
		default:
			show, width := seen(r)
			add(at, cell{src, show, width})
		}
		at += n
	}
	if ascii {
		for i, c := range all {
			if strings.ContainsFunc(c.show, func(r rune) bool { return r >= utf8.RuneSelf }) {
				all[i].show, all[i].width = "?", 1
			}
		}
	}
	return all
}

// endsLine reports whether r begins a new line, by Unicode's rules.
func endsLine(r rune) bool {
	return '\n' <= r && r <= '\r' || r == 0x85 || r == 0x2028 || r == 0x2029
}

// unseen reports whether r shows nothing itself: Unicode's Default_Ignorable_Code_Point, and the rest of category Cf but for a few signs
// that are seen. All that turns writing around is among them.
func unseen(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) &&
		!unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

// isMark reports whether r stands on the character before it. Of Hangul these are the vowels and ends of a syllable that is written in parts.
func isMark(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me) || 0x1160 <= r && r <= 0x11ff || 0xd7b0 <= r && r <= 0xd7fb
}

// seen returns how a character that is no mark is shown, and in how many columns.
func seen(r rune) (string, int) {
	switch {
	case r == 0x3000:
		return "  ", 2
	case unicode.Is(unicode.Zs, r), r == 0x2800: // the Braille pattern without dots
		return " ", 1
	case !unicode.IsGraphic(r):
		return replacement, 1 // not assigned, private, or a control character of the upper half
	case unicode.Is(wide, r):
		return string(r), 2
	}
	return string(r), 1
}

// written returns what was written.
func written(all []cell) string {
	var b strings.Builder
	for _, c := range all {
		b.WriteString(c.src)
	}
	return b.String()
}

// shown returns what goes to the terminal of one row.
func shown(row []cell) string {
	var b strings.Builder
	for _, c := range row {
		b.WriteString(c.show)
	}
	return b.String()
}

// columns returns how wide a row is.
func columns(row []cell) int {
	n := 0
	for _, c := range row {
		n += c.width
	}
	return n
}

// oneRow returns a text as part of a row of at most that many columns. Two points stand for what is missing.
func oneRow(s string, most int, ascii bool) string {
	row := cells(s, ascii)
	for i, c := range row {
		if c.ends() {
			row[i] = cell{c.src, " ", 1}
		}
	}
	if columns(row) <= most {
		return shown(row)
	}
	n, width := 0, 0
	for ; width+row[n].width <= most-2; n++ {
		width += row[n].width
	}
	return shown(row[:n]) + ".."
}

// wrap sets a text in rows that end before column width. The first has first columns taken already, the others will be indented by
// indent. It breaks between words and around wide characters, elsewhere only where a word is longer than a row. A word of ASCII with ://
// in it stays in one row, however long, for the terminal to break: who clicks or copies it gets all of it.
func wrap(text []cell, first, indent, width int) [][]cell {
	var rows [][]cell
	taken := first
	if word := columns(wordOf(text)); first > indent && word > width-first && word <= width-indent {
		rows, taken = append(rows, nil), indent
	}
	for {
		n, rest := fitting(text, max(width-taken, 2))
		rows = append(rows, trimRight(text[:n]))
		if rest < 0 {
			return rows
		}
		text, taken = text[rest:], indent
	}
}

// fitting returns how many cells of text go into the next row of width columns, and where the row after that begins, or -1.
func fitting(text []cell, width int) (n, rest int) {
	room, after := width, 0 // after is behind the last place to break
	for i, c := range text {
		switch {
		case c.ends():
			return i, i + 1
		case c.width > room && c.blank(), c.width > room && after > 0:
			if !c.blank() {
				i = after
			}
			n := i
			for i < len(text) && text[i].blank() {
				i++
			}
			switch {
			case i == len(text):
				return n, -1
			case text[i].ends():
				i++
			}
			return n, i
		case c.width > room:
			switch n := link(text); n {
			case 0:
				return i, i
			case len(text):
				return n, -1
			default:
				return n, n + 1 // behind it is a space, or the line ends
			}
		}
		room -= c.width
		if c.blank() || c.width == 2 || i+1 < len(text) && text[i+1].width == 2 {
			after = i + 1
		}
	}
	return len(text), -1
}

func wordOf(text []cell) []cell {
	for i, c := range text {
		if c.ends() || c.blank() {
			return text[:i]
		}
	}
	return text
}

const (
	mostScheme = 16   // characters in front of a link's ://
	mostLink   = 2048 // so that nobody makes every row look for its end
)

// link returns how many cells a link has with which a text begins, or 0. The terminal may break it, so it has no character that could
// pass for a blank: a row of it begins where those of this program do.
func link(text []cell) int {
	if !strings.Contains(written(text[:min(len(text), mostScheme+len("://"))]), "://") {
		return 0
	}
	word := wordOf(text[:min(len(text), mostLink+1)])
	if len(word) > mostLink || strings.ContainsFunc(written(word), func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return 0
	}
	return len(word)
}

func trimRight(row []cell) []cell {
	for len(row) > 0 && row[len(row)-1].blank() {
		row = row[:len(row)-1]
	}
	return row
}
