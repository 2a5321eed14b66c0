package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// typed is a stroke with its text.
type typed struct {
	stroke
	text string
}

func TestKeyboard(t *testing.T) {
	word := func(s string) typed { return typed{strokeText, s} }
	for name, tt := range map[string]struct {
		reads []string
		want  []typed
	}{
		"letters":             {[]string{"hel", "lo"}, []typed{word("hel"), word("lo")}},
		"Enter":               {[]string{"a\rb\n"}, []typed{word("a"), {strokeEnter, ""}, word("b"), {strokeEnter, ""}}},
		"cut character":       {[]string{"a\xe6\xbc", "\xa2b"}, []typed{word("a"), word("\u6f22b")}},
		"byte by byte":        {[]string{"\xf0", "\x9f", "\x91", "\x8d"}, []typed{word("\U0001f44d")}},
		"cut for good":        {[]string{"\xe6\xbc\r"}, []typed{{strokeEnter, ""}}},
		"not UTF-8":           {[]string{"a\xffb\xc3("}, []typed{word("ab(")}},
		"controls":            {[]string{"\x01\x02\x03\x04\x05\x06\x08\x0b\x0c\x0e\x10\x15\x17\x7f"}, []typed{{strokeHome, ""}, {strokeLeft, ""}, {strokeInterrupt, ""}, {strokeEndOfInput, ""}, {strokeEnd, ""}, {strokeRight, ""}, {strokeErase, ""}, {strokeDeleteLine, ""}, {strokeClear, ""}, {strokeDown, ""}, {strokeUp, ""}, {strokeEraseLine, ""}, {strokeEraseWord, ""}, {strokeErase, ""}}},
		"controls of no use":  {[]string{"\x00\x07\x1a\x1c\x1f"}, nil},
		"arrows":              {[]string{"\x1b[A\x1b[B\x1b[C\x1b[D\x1bOA"}, []typed{{strokeUp, ""}, {strokeDown, ""}, {strokeRight, ""}, {strokeLeft, ""}, {strokeUp, ""}}},
		"with Ctrl and Alt":   {[]string{"\x1b[1;5C\x1b[1;3D\x1bb\x1bf\x1bd\x1b\x7f\x1b\r"}, []typed{{strokeWordRight, ""}, {strokeWordLeft, ""}, {strokeWordLeft, ""}, {strokeWordRight, ""}, {strokeDeleteWord, ""}, {strokeEraseWord, ""}, {strokeNewLine, ""}}},
		"tilde":               {[]string{"\x1b[3~\x1b[1~\x1b[4~\x1b[7~\x1b[8~"}, []typed{{strokeDelete, ""}, {strokeHome, ""}, {strokeEnd, ""}, {strokeHome, ""}, {strokeEnd, ""}}},
		"unknown":             {[]string{"\x1b[15~a\x1b[1;2Pb\x1bOPc\x1b[[Ad\x1bxe"}, []typed{word("a"), word("b"), word("c"), word("d"), word("e")}},
		"Esc alone":           {[]string{"\x1b", "hello"}, []typed{word("hello")}},
		"cut sequence":        {[]string{"\x1b[", "1;5", "C"}, []typed{{strokeWordRight, ""}}},
		"endless sequence":    {[]string{"\x1b[" + strings.Repeat("1;", 500), "Ca"}, []typed{word("a")}},
		"sequence broken off": {[]string{"\x1b[1\x1b[Aa"}, []typed{{strokeUp, ""}, word("a")}},
		"report of the mouse": {[]string{"\x1b[<0;10;20Ma"}, []typed{word("a")}},
		"paste":               {[]string{"a\x1b[200~one\rtwo\r\nthree\n\x1b[201~b"}, []typed{word("a"), {strokePaste, "one\ntwo\nthree\n"}, word("b")}},
		"paste in pieces":     {[]string{"\x1b[20", "0~on", "e\x1b[2", "01~"}, []typed{{strokePaste, "one"}}},
		"hostile paste":       {[]string{"\x1b[200~a\x1b[31m\x03\tb\x7f\xff\x1b\x1b[201~"}, []typed{{strokePaste, "a[31m\tb"}}},
		"end without paste":   {[]string{"\x1b[201~a"}, []typed{word("a")}},
	} {
		var k keyboard
		var got []typed
		for _, r := range tt.reads {
			k.read([]byte(r), func(s stroke, text string) { got = append(got, typed{s, text}) })
		}
		require.Equal(t, tt.want, got, name)
	}

	var k keyboard
	n := 0
	k.read([]byte("\x1b[200~"+strings.Repeat("x", 3*mostPaste)+pasteEnd+"y"), func(s stroke, text string) { n += len(text) })
	require.LessOrEqual(t, n, mostPaste+1)
	require.Equal(t, keysPlain, k.state)
}

// edited returns the line after these strokes, with a | where the cursor is.
func edited(l *lineEditor, keys string) string {
	var k keyboard
	k.read([]byte(keys), func(s stroke, text string) {
		switch s {
		case strokeText, strokePaste:
			l.insert(text)
		case strokeEnter:
			l.take()
		default:
			l.edit(s)
		}
	})
	return written(l.text[:l.at]) + "|" + written(l.text[l.at:])
}

func TestLineEditor(t *testing.T) {
	const left, right, up, down, home = "\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B", "\x1b[H"
	for keys, want := range map[string]string{
		"abc" + left + left + "X":               "aX|bc",
		left + "a" + right + right:              "a|",
		"abc" + home + "X":                      "X|abc",
		"abc" + home + "\x1b[3~\x04":            "|c",
		"abc\x7f\x7f\x7f\x7f":                   "|",
		"one two  three" + "\x17":               "one two  |",
		"one two  three" + "\x17\x17":           "one |",
		"one two" + home + "\x1bd":              "| two",
		"one two" + home + "\x1bf\x1bf\x0b":     "one two|",
		"one two\x1bb\x0b":                      "one |",
		"one two\x1bb\x15":                      "|two",
		"e\u0301" + left + "x":                  "x|e\u0301",
		"ae\u0301\x7f":                          "a|",
		"\u6f22\u5b57" + left + "\x7f":          "|\u5b57",
		"e" + "\x1b[200~\u0301\x1b[201~" + left: "|e\u0301",
		"one\rtwo\r" + up:                       "two|",
		"one\rtwo\r" + up + up + up:             "one|",
		"one\rtwo\r" + "dra" + up + down:        "dra|",
		"one\rone\r\r" + up + up:                "one|",
		"one\r" + down:                          "|",
		"one\r" + up + "s\rx" + up + up:         "one|",
		"a\x1b[200~x\ny\x1b[201~b":              "ax\nyb|",
	} {
		l := &lineEditor{}
		require.Equal(t, want, edited(l, keys), "%q", keys)
		require.Equal(t, len(written(l.text)), l.bytes, "%q", keys)
	}

	l := &lineEditor{}
	require.True(t, l.insert(strings.Repeat("x", mostText-1)))
	require.False(t, l.insert("\u00e4"))
	require.False(t, l.insert("\u0301"), "a mark that has no room")
	require.True(t, l.insert("y"))
	require.False(t, l.insert("z"))
	require.Len(t, written(l.text), mostText)
	require.True(t, strings.HasSuffix(written(l.text), "xy"))
	for i := range 2 * mostPast {
		l.set(strings.Repeat("x", i+1))
		l.take()
	}
	require.Len(t, l.past, mostPast)
}

// laid is how a line of 20 characters in three rows stands on a screen of 10 columns, and the cursor's row and column.
func laid(l *lineEditor, most int) (rows []string, at [2]int) {
	v := l.lay("> ", 2, 10, most)
	for _, r := range v.rows {
		rows = append(rows, r.String())
	}
	return rows, [2]int{v.row, v.column}
}

func TestLay(t *testing.T) {
	l := &lineEditor{}
	l.insert("0123456789\u6f22\u5b57\nend")
	all := []string{"> 0123456", "789\u6f22\u5b57", "end"}
	for at, want := range map[int][2]int{0: {0, 2}, 6: {0, 8}, 7: {1, 0}, 11: {1, 5}, 12: {1, 7}, 13: {2, 0}, 16: {2, 3}} {
		l.at = at
		rows, got := laid(l, 8)
		require.Equal(t, all, rows)
		require.Equal(t, want, got, "%d", at)
	}
	l.at = 16
	rows, at := laid(l, 2)
	require.Equal(t, all[1:], rows)
	require.Equal(t, [2]int{1, 3}, at)
	l.at = 0
	rows, at = laid(l, 1)
	require.Equal(t, all[:1], rows, "the cursor is always seen")
	require.Equal(t, [2]int{0, 2}, at)
}

func TestAbove(t *testing.T) {
	l := &lineEditor{}
	l.insert("0123456789\u6f22\u5b57\nend")
	for width, want := range map[int]int{10: 2, 9: 2, 8: 3, 5: 4, 4: 5, 100: 2} {
		require.Equal(t, want, l.lay("> ", 2, 10, 8).above(width), "%d", width)
	}
	l.at = 7
	require.Equal(t, 2, l.lay("> ", 2, 10, 8).above(8))
}

// FuzzKeyboard: whatever bytes come, the line stays within its bounds and counts its bytes.
func FuzzKeyboard(f *testing.F) {
	f.Add([]byte("hello\x1b[D\x7f\r"), 3)
	f.Add([]byte("\x1b[200~a\nb\x1b[201~\x1b[A\xe6\xbc\xa2"), 1)
	f.Fuzz(func(t *testing.T, b []byte, piece int) {
		l, whole := &lineEditor{}, 0
		var k keyboard
		for piece = max(1, piece); len(b) > 0; b = b[min(piece, len(b)):] {
			k.read(b[:min(piece, len(b))], func(s stroke, text string) {
				whole++
				switch s {
				case strokeText, strokePaste:
					l.insert(text)
				case strokeEnter:
					l.take()
				default:
					l.edit(s)
				}
			})
			require.LessOrEqual(t, len(k.held), mostPaste)
			require.True(t, 0 <= l.at && l.at <= len(l.text))
		}
		require.Equal(t, len(written(l.text)), l.bytes)
		v := l.lay("> ", 2, 20, 5)
		require.LessOrEqual(t, len(v.rows), 5)
		require.True(t, v.column < 20 && v.row < len(v.rows))
		for _, r := range v.rows {
			require.Less(t, r.headWidth+columns(r.text), 20, "%q", r)
		}
	})
}
