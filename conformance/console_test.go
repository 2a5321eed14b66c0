package conformance_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"kith/conformance"
)

func TestTheConsoleShowsAFailure(t *testing.T) {
	var out bytes.Buffer
	m, err := conformance.NewFaulty(nil, conformance.Now())
	require.NoError(t, err)
	c := &conformance.Console{W: &out, Repeat: func(c *conformance.Case) string { return "kith conform dht ADDR --run " + c.ID }}
	play(t, &conformance.Runner{Target: serve(t, m), Plan: plan(t, "dht-method-reply-longer", "dht-ping"), Progress: c})
	text := out.String()
	for _, want := range []string{
		"\nFAIL dht-method-reply-longer  ", "MUST NOT, spec/dht.md, BEP 5\n", "     sent      #", `q: "pings"`, "     expected  an error, or nothing\n",
		"     observed  a reply: {id: <", "     repeat    kith conform dht ADDR --run dht-method-reply-longer\n", "1 pass, 1 fail", "not conformant: 1 of 2 judged cases",
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "\x1b", "no colour without a terminal")
	for line := range strings.Lines(text) {
		require.Less(t, len([]rune(line)), 110, "a line that fits: %q", line)
	}
}

func TestTheConsoleOnATerminalMovesAndCleansUp(t *testing.T) {
	var out bytes.Buffer
	c := &conformance.Console{W: &out, Live: true, Color: true, Width: 40}
	play(t, &conformance.Runner{Target: serve(t, referenceNode(t)), Plan: plan(t, "dht-ping*"), Progress: c})
	text := out.String()
	require.Contains(t, text, "\r\x1b[K")
	require.Contains(t, text, "\x1b[32m")
	last := text[strings.LastIndex(text, "\r\x1b[K")+4:]
	require.Contains(t, last, "pass", "the sum is not on the moving line")
}

// Cases that lack the same are one line, unless every case is to be named.
func TestTheConsoleSaysOnceWhatIsNotHere(t *testing.T) {
	for _, verbose := range []bool{false, true} {
		var out bytes.Buffer
		c := &conformance.Console{W: &out, Verbose: verbose}
		target := serve(t, referenceNode(t))
		target.V6 = netip.AddrPort{}
		play(t, &conformance.Runner{Target: target, Plan: plan(t, "dht-*-6", "dht-ping", "dht-id-address"), Progress: c})
		require.Contains(t, out.String(), "\nblocked  dht-id-address needs a target at an address")
		require.Equal(t, verbose, strings.Contains(out.String(), "dht-ping-6"))
		require.Equal(t, !verbose, strings.Contains(out.String(), " cases need an address of the target in IPv6; -v names them"))
	}
}

// Nothing that is set in lines is wider than a narrow terminal, but for words that no line could hold.
func TestTheConsoleFitsANarrowTerminal(t *testing.T) {
	var out bytes.Buffer
	c := &conformance.Console{W: &out, Width: 50}
	m, err := conformance.NewFaulty(nil, conformance.Now())
	require.NoError(t, err)
	play(t, &conformance.Runner{Target: serve(t, m), Plan: plan(t, "dht-ping*", "dht-sample-interval*", "dht-ip-right*", "dht-id-address"), Progress: c})
	require.Contains(t, out.String(), "FAIL dht-sample-interval")
	for line := range strings.Lines(out.String()) {
		if words := strings.Fields(line); len(words) > 1 && !strings.Contains(line, " repeat ") {
			require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimRight(line, "\n")), 50, line)
		}
	}
}

func TestDatagramsAreShownAsPeopleReadThem(t *testing.T) {
	require.Equal(t, `{a: {id: <00ff>}, t: "aa"}`, conformance.Render([]byte("d1:ad2:id2:\x00\xffe1:t2:aae")))
	require.Equal(t, `[1, "x"] + "rest"`, conformance.Render([]byte("li1e1:xerest")))
	require.Equal(t, `d1:a\x00\x5c`, conformance.Render([]byte("d1:a\x00\\")))
	require.Equal(t, `"`+strings.Repeat("a", 16)+`"… (60 bytes)`, conformance.Brief([]byte("60:"+strings.Repeat("a", 60))))
}

// A log is written and read back without loss, whatever bytes are in it.
func TestEntriesSurviveTheirFile(t *testing.T) {
	for _, e := range []conformance.Entry{
		{N: 1, Op: conformance.OpSend, At: 1234567 * time.Nanosecond, Sock: 3, Data: []byte("\x00not bencode")},
		{N: 2, Op: conformance.OpOpen, Host: 7, V6: true, Err: "no"},
		{N: 3, Op: conformance.OpWait, At: time.Second},
	} {
		b, err := e.MarshalJSON()
		require.NoError(t, err)
		var back conformance.Entry
		require.NoError(t, back.UnmarshalJSON(b))
		require.Equal(t, e, back)
	}
}
