package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// A liveLine is the one line at the bottom of a terminal that is written over again and again. Where there is no terminal it is
// nothing: all its methods may be called, and only print prints.
type liveLine struct {
	w     io.Writer
	on    bool
	width func() int
	shown string
	cut   int // characters of it that were shown, at most
}

// newLiveLine returns the line of w.
func newLiveLine(w io.Writer) *liveLine {
	l := &liveLine{w: w}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		l.on = true
		l.width = func() int {
			width, _, err := term.GetSize(int(f.Fd()))
			if err != nil || width <= 0 {
				return 80
			}
			return width
		}
	}
	return l
}

// show makes s the line, cut to the terminal's width so that it never becomes two.
func (l *liveLine) show(s string) {
	if !l.on {
		return
	}
	// Three columns stay free: the cursor's, and two for the ^C that the terminal itself writes.
	if n := l.width() - 3; s != l.shown || n != l.cut {
		l.shown, l.cut = s, n
		fmt.Fprint(l.w, "\r", cut(s, n), "\x1b[K")
	}
}

// clear takes the line away.
func (l *liveLine) clear() {
	if l.on && l.shown != "" {
		fmt.Fprint(l.w, "\r\x1b[K")
		l.shown = ""
	}
}

// print writes an ordinary line above.
func (l *liveLine) print(s string) {
	again := l.shown
	l.clear()
	fmt.Fprintln(l.w, s)
	if again != "" {
		l.show(again)
	}
}

// cut returns s with at most n characters.
func cut(s string, n int) string {
	if n <= 0 {
		return ""
	}
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// plain returns what a stranger wrote so that it can do no harm on a terminal: quoted unless every character can be printed.
func plain(s string) string {
	for _, r := range s {
		if !strconv.IsPrint(r) || r == utf8.RuneError {
			return strconv.Quote(s)
		}
	}
	return s
}

// count returns a number with a thin mark between thousands.
func count(n uint64) string {
	s := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, c := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return b.String()
}
