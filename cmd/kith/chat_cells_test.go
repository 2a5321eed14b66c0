package main

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestCells(t *testing.T) {
	for name, tt := range map[string]struct {
		text, show string
		width      int
	}{
		"plain":                      {"Hello, w\u00f6rld!", "Hello, w\u00f6rld!", 13},
		"escape sequence":            {"\x1b[31mred\x1b]0;title\x07", "\u241b[31mred\u241b]0;title\u2407", 18},
		"C1 control":                 {"\u009b31mred", "\ufffd31mred", 7},
		"carriage return":            {"me:\roops", "me:oops", 7}, // shown leaves out that it begins a line
		"backspaces":                 {"abc\b\b\bxyz\x7f", "abc\u2408\u2408\u2408xyz\u2421", 10},
		"NUL":                        {"a\x00b", "a\u2400b", 3},
		"tab":                        {"a\tb", "a    b", 6},
		"not UTF-8":                  {"a\xff\xc3(\xed\xa0\x80", "a\ufffd\ufffd(\ufffd\ufffd\ufffd", 7},
		"override":                   {"\u202egpj.exe\u202c", "gpj.exe", 7},
		"isolates":                   {"\u2066a\u2067b\u2068c\u2069", "abc", 3},
		"marks of direction":         {"a\u200e\u200f\u061cb", "ab", 2},
		"zero width":                 {"a\u200b\u200c\u200d\u2060\ufeffb\u00adc", "abc", 3},
		"only zero width":            {"\u200b\u200b", "", 0},
		"tags":                       {"\U0001f3f4\U000e0067\U000e007f", "\U0001f3f4", 2},
		"selectors":                  {"\u2764\ufe0f \u26a1\ufe0e", "\u2764 \u26a1", 4},
		"family":                     {"\U0001f469\u200d\U0001f469\u200d\U0001f467", "\U0001f469\U0001f469\U0001f467", 6},
		"wide":                       {"\u6f22\u5b57\uff21\uac00", "\u6f22\u5b57\uff21\uac00", 8},
		"half":                       {"\uff71\uffe8", "\uff71\uffe8", 2},
		"combining":                  {"e\u0301", "e\u0301", 1},
		"combining flood":            {"e" + strings.Repeat("\u0301", 100) + "x", "e\u0301\u0301\u0301\u0301x", 2},
		"flood behind what is left":  {"e" + strings.Repeat("\u0301\u200b", 100) + "x", "e\u0301\u0301\u0301\u0301x", 2},
		"mark first":                 {"\u0301a", "\u25cc\u0301a", 2},
		"mark behind a space":        {"a \u0301", "a \u25cc\u0301", 3},
		"mark in a new line":         {"a\n\u0301", "a\u25cc\u0301", 2},
		"mark behind zero width":     {"\u200b\u0301", "\u25cc\u0301", 1},
		"enclosing":                  {"1\ufe0f\u20e3", "1\u20e3", 1},
		"Hangul in parts":            {"\u1112\u1161\u11ab", "\u1112\u1161\u11ab", 2},
		"Hangul flood":               {"\u1112" + strings.Repeat("\u1161", 50), "\u1112\u1161\u1161\u1161\u1161", 2},
		"Hangul filler":              {"a\u3164\u115fb", "ab", 2},
		"spaces":                     {"a\u00a0b\u2003c\u3000d\u2800e", "a b c  d e", 10},
		"private and not assigned":   {"\ue000\U000f0000\u0378\uffff", "\ufffd\ufffd\ufffd\ufffd", 4},
		"signs before Arabic digits": {"\u0600", "\ufffd", 1},
		"right to left stays":        {"\u05e9\u05dc\u05d5\u05dd", "\u05e9\u05dc\u05d5\u05dd", 4},
		"flag":                       {"\U0001f1e9\U0001f1ea", "\U0001f1e9\U0001f1ea", 2},
	} {
		all := cells(tt.text, false)
		require.Equal(t, tt.show, shown(all), name)
		require.Equal(t, tt.width, columns(all), name)
	}
	require.Equal(t, "Gr??e ? ?", shown(cells("Gr\u00f6\u00dfe \u6f22 \x1b", true)), "a terminal of 8 bits would take the second byte of \u00db for a control character")
	require.Equal(t, 9, columns(cells("Gr\u00f6\u00dfe \u6f22 \x1b", true)))
	require.Equal(t, "\u202ea\u200b\u0301", written(cells("\u202ea\u200b\u0301", false)), "what is typed is sent as it is")

	for _, s := range []string{"a\nb", "a\r\nb", "a\rb", "a\vb", "a\fb", "a\u0085b", "a\u2028b", "a\u2029b"} {
		all := cells(s, false)
		require.Len(t, all, 3, "%q", s)
		require.True(t, all[1].ends(), "%q", s)
	}
}

func TestWrap(t *testing.T) {
	for name, tt := range map[string]struct {
		text          string
		first, indent int
		width         int
		want          []string
	}{
		"nothing":                  {"", 5, 2, 20, []string{""}},
		"fits":                     {"one two", 5, 2, 12, []string{"one two"}},
		"one too many":             {"one two", 5, 2, 11, []string{"one", "two"}},
		"words":                    {"the quick brown fox jumps", 4, 4, 14, []string{"the quick", "brown fox", "jumps"}},
		"spaces at the break":      {"the quick     brown", 4, 4, 14, []string{"the quick", "brown"}},
		"space is the last column": {"0123456789 ab", 0, 0, 10, []string{"0123456789", "ab"}},
		"only spaces":              {"                    ", 4, 4, 14, []string{""}},
		"long word":                {"aaaaaaaaaaaaaaaaaaaaaaa b", 4, 4, 14, []string{"aaaaaaaaaa", "aaaaaaaaaa", "aaa b"}},
		"long word behind another": {"a bbbbbbbbbbbbbbb", 4, 4, 14, []string{"a", "bbbbbbbbbb", "bbbbb"}},
		"long head":                {"0123456789 a", 12, 4, 16, []string{"", "0123456789 a"}},
		"lines":                    {"a\n\n  b\n", 4, 4, 14, []string{"a", "", "  b", ""}},
		"space before a line":      {"0123456789  \nb", 4, 4, 14, []string{"0123456789", "b"}},
		"wide":                     {"\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57", 4, 4, 13, []string{"\u6f22\u5b57\u6f22\u5b57", "\u6f22\u5b57"}},
		"wide behind narrow":       {"abc\u6f22\u5b57\u6f22\u5b57", 4, 4, 13, []string{"abc\u6f22\u5b57\u6f22", "\u5b57"}},
		"combining":                {strings.Repeat("e\u0301", 12), 4, 4, 14, []string{strings.Repeat("e\u0301", 10), "e\u0301e\u0301"}},
		"link":                     {"see https://example.org/long/path now", 4, 4, 20, []string{"see", "https://example.org/long/path", "now"}},
		"link alone":               {"https://example.org/long/path", 4, 4, 20, []string{"https://example.org/long/path"}},
		"link and a line":          {"https://example.org/long/path\nb", 4, 4, 20, []string{"https://example.org/long/path", "b"}},
		"link that is too long":    {"x://" + strings.Repeat("y", mostLink-3), 0, 0, mostLink - 8, []string{"x://" + strings.Repeat("y", mostLink-12), "yyyyyyyyy"}},
		"no scheme":                {"aaaaaaaaaaaaaaaaaaaa://x", 0, 0, 20, []string{"aaaaaaaaaaaaaaaaaaaa", "://x"}},
		"no link":                  {"x://\u28ff2345678901234567890", 4, 4, 14, []string{"x://\u28ff23456", "7890123456", "7890"}},
		"too narrow for anything":  {"\u6f22\u5b57a", 9, 9, 5, []string{"\u6f22", "\u5b57", "a"}},
		"tab where little is left": {"012345678\tb", 4, 4, 14, []string{"012345678", "b"}},
	} {
		var got []string
		for _, row := range wrap(cells(tt.text, false), tt.first, tt.indent, tt.width) {
			got = append(got, shown(row))
		}
		require.Equal(t, tt.want, got, name)
	}
}

func TestOneRow(t *testing.T) {
	require.Equal(t, "short", oneRow("short", 5, false))
	require.Equal(t, "lo..", oneRow("longer", 4, false))
	require.Equal(t, "\u6f22..", oneRow("\u6f22\u5b57\u6f22", 5, false))
	require.Equal(t, "a b", oneRow("a\nb", 5, false))
}

// FuzzCells: whatever a friend writes, nothing of it but characters that can be seen reaches the terminal, and rows are as wide as was said.
func FuzzCells(f *testing.F) {
	for _, s := range []string{"", "hello", "\x1b[2J", "\u202ea", "a\u0301\u0301\u0301\u0301\u0301", "\xff\xfe", "\u6f22\u5b57 \u6f22", "a\r\n\u0085b", "https://x.y/z z", "\u200b\u0301", "\u1112\u1161"} {
		f.Add(s, uint8(40), false)
	}
	f.Fuzz(func(t *testing.T, s string, width uint8, ascii bool) {
		all := cells(s, ascii)
		require.Equal(t, normal(s), normal(written(all)), "nothing that was written is lost")
		screen, indent := max(int(width), leastWidth), 6
		for _, row := range wrap(all, 12, indent, screen) {
			show := shown(row)
			require.True(t, utf8.ValidString(show))
			marks := 0
			for _, r := range show {
				require.True(t, unicode.IsPrint(r), "%q shows %q", s, r)
				require.False(t, ascii && r >= utf8.RuneSelf, "%q shows %q", s, r)
				require.False(t, unicode.In(r, unicode.Bidi_Control, unicode.Cf, unicode.Co, unicode.Variation_Selector), "%q shows %q", s, r)
				if marks++; !isMark(r) {
					marks = 0
				}
				require.LessOrEqual(t, marks, mostMarks)
			}
			if link(row) == 0 {
				require.LessOrEqual(t, columns(row), screen-indent)
			}
		}
	})
}

// normal is a text with the ends of lines that cells makes one of.
func normal(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if endsLine(r) {
			b.WriteByte('\n')
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}
