package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"kith/handshake"
)

// A glass is what a terminal shows of what is written to it. It knows no sequence but those that a chat may send, and fails at others.
type glass struct {
	t             testing.TB
	width, height int
	rows          []glassRow // all that there ever was; the last height of them are seen
	x, y          int        // y counts in rows
	full          bool       // the last column is written, and the next character goes to the next row
	fixed         bool       // rows do not break
	pastes        bool       // pastes are marked
	styled        bool
}

type glassRow struct {
	text  []string // by column; "" behind a wide character
	joins bool     // the row before broke into this one
}

func newGlass(t testing.TB, width, height int) *glass {
	return &glass{t: t, width: width, height: height, rows: make([]glassRow, height)}
}

// top is the first row that is seen.
func (g *glass) top() int { return len(g.rows) - g.height }

func (g *glass) Write(b []byte) (int, error) {
	require.True(g.t, utf8.Valid(b), "%q", b)
	for s := string(b); s != ""; {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == '\x1b':
			n = g.sequence(s)
		case r == '\r':
			g.x, g.full = 0, false
		case r == '\n':
			g.down()
		default:
			require.False(g.t, unicode.IsControl(r), "%q in %q", r, b)
			g.put(r)
		}
		s = s[n:]
	}
	return len(b), nil
}

func (g *glass) sequence(s string) int {
	end := strings.IndexFunc(s, unicode.IsLetter)
	require.Greater(g.t, end, 1, "%q", s)
	switch arg, letter := s[2:end], s[end]; {
	case s[1] != '[':
		g.t.Fatalf("%q", s)
	case letter == 'm':
		g.styled = arg != "0"
	case letter == 'h' || letter == 'l':
		switch arg {
		case "?7":
			g.fixed = letter == 'l'
		case "?2004":
			g.pastes = letter == 'h'
		default:
			g.t.Fatalf("%q", s)
		}
	case letter == 'A':
		g.y, g.full = max(g.top(), g.y-g.number(arg)), false
	case letter == 'C':
		g.x, g.full = min(g.width-1, g.x+g.number(arg)), false
	case letter == 'H' && arg == "":
		g.x, g.y, g.full = 0, g.top(), false
	case letter == 'J' && arg == "":
		require.Zero(g.t, g.x, "only whole rows are taken away")
		clear(g.rows[g.y:])
	case letter == 'J' && arg == "2":
		clear(g.rows[g.top():])
	default:
		g.t.Fatalf("%q", s)
	}
	return end + 1
}

func (g *glass) number(arg string) int {
	n, err := strconv.Atoi(arg)
	require.NoError(g.t, err)
	return n
}

func (g *glass) down() {
	if g.full = false; g.y == len(g.rows)-1 {
		g.rows = append(g.rows, glassRow{})
	}
	g.y++
}

func (g *glass) put(r rune) {
	row := &g.rows[g.y]
	if unicode.In(r, unicode.Mn, unicode.Me) {
		at := g.x - 1
		if g.full {
			at = g.x
		}
		for at > 0 && row.text[at] == "" {
			at--
		}
		require.GreaterOrEqual(g.t, at, 0, "a mark in the first column")
		row.text[at] += string(r)
		return
	}
	width := 1
	if unicode.Is(wide, r) {
		width = 2
	}
	if !g.fixed && (g.full || g.x+width > g.width) {
		g.x = 0
		g.down()
		row = &g.rows[g.y]
		row.joins = true
	}
	for len(row.text) < g.x+width {
		row.text = append(row.text, " ")
	}
	row.text[g.x] = string(r)
	if width == 2 {
		row.text[g.x+1] = ""
	}
	if g.x += width; g.x >= g.width {
		g.x, g.full = g.width-1, true
	}
}

// resize breaks all rows anew, as most terminals do.
func (g *glass) resize(width int) {
	var rows []glassRow
	x, y := g.x, g.y
	for i := 0; i < len(g.rows); i++ {
		line, from := g.rows[i].text, i
		for i+1 < len(g.rows) && g.rows[i+1].joins {
			i++
			line = append(line[:len(line):len(line)], g.rows[i].text...)
		}
		at := -1 // the cursor's place in the line
		if from <= y && y <= i {
			at = (y-from)*g.width + x
		}
		for joins := false; ; joins = true {
			n := min(width, len(line))
			if 0 < n && n < len(line) && line[n] == "" {
				n-- // a wide character stays whole
			}
			if 0 <= at && (at < n || n == len(line)) {
				g.x, g.y, at = min(at, width-1), len(rows), -1
			} else if at >= 0 {
				at -= n
			}
			rows = append(rows, glassRow{line[:n:n], joins})
			if line = line[n:]; len(line) == 0 {
				break
			}
		}
	}
	for len(rows) > g.height && len(rows[len(rows)-1].text) == 0 && g.y < len(rows)-1 {
		rows = rows[:len(rows)-1] // below the cursor
	}
	g.rows, g.width, g.full = rows, width, false
}

// String is what was ever shown, without the empty rows at the end. Where the cursor is stands a ^.
func (g *glass) String() string {
	var rows []string
	for i, r := range g.rows {
		text := r.text
		if i == g.y {
			for len(text) <= g.x {
				text = append(text[:len(text):len(text)], " ")
			}
			text = append(append(text[:g.x:g.x], "^"), text[g.x:]...)
		}
		rows = append(rows, strings.TrimRight(strings.Join(text, ""), " "))
	}
	return strings.TrimRight(strings.Join(rows, "\n"), "\n")
}

// A desk is a chat with somebody at its terminal, in a bubble of virtual time.
type desk struct {
	*testing.T
	*glass
	chat  *chat
	keys  chan string
	begun string // what stood on the screen when the chat began
}

func (d *desk) Read(b []byte) (int, error) {
	s, ok := <-d.keys
	if !ok {
		return 0, io.EOF
	}
	return copy(b, s), nil
}

// atDesk runs a script at a terminal of that size.
func atDesk(t *testing.T, width, height int, cfg chatConfig, script func(d *desk)) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{T: t, glass: newGlass(t, width, height), keys: make(chan string)}
		cfg.now = time.Now
		key, err := handshake.ParseAddress(aliceAddress)
		require.NoError(t, err)
		cfg.address = key
		d.chat = newChat(d, d.glass, func() (int, int) { return d.glass.width, d.glass.height }, cfg)
		d.begun, _, _ = strings.Cut(d.glass.String(), "\n"+cfg.first())
		go d.chat.listen()
		defer close(d.keys)
		script(d)
		d.chat.close()
		require.False(t, d.glass.pastes, "given back")
		require.False(t, d.glass.fixed, "given back")
	})
}

// first is how the first prompt begins.
func (cfg *chatConfig) first() string {
	if len(cfg.friends) == 0 {
		return "kith"
	}
	return cfg.friends[0] + " ("
}

// press types on the keyboard; each is what one read gives.
func (d *desk) press(keys ...string) {
	for _, k := range keys {
		d.keys <- k
		synctest.Wait()
	}
}

// want looks at the screen, but for what stood there when the chat began.
func (d *desk) want(rows ...string) {
	d.Helper()
	got := d.glass.String()
	require.Equal(d, d.begun+"\n"+strings.Join(rows, "\n"), got)
}

// wantNext looks at what the person wants.
func (d *desk) wantNext(want chatCommand) {
	d.Helper()
	got, err := d.chat.next(d.Context())
	require.NoError(d, err)
	require.Equal(d, want, got)
}

func (d *desk) show(all ...chatEvent) {
	for _, e := range all {
		d.chat.show(e)
	}
}

// says is a message from bob.
func says(text string) chatEvent { return chatEvent{kind: chatMessage, friend: "bob", text: text} }

var bobAndCarol = chatConfig{friends: []string{"bob", "carol"}}

func TestGlassBreaksRowsAnew(t *testing.T) {
	g := newGlass(t, 10, 4)
	fmt.Fprint(g, "0123456789abc\r\nwide: 漢字\r\n> x")
	require.Equal(t, "0123456789\nabc\nwide: 漢字\n> x^", g.String())
	g.resize(8)
	require.Equal(t, "01234567\n89abc\nwide: 漢\n字\n> x^", g.String())
	g.resize(20)
	require.Equal(t, "0123456789abc\nwide: 漢字\n> x^", g.String())
}
