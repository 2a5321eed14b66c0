package main

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kith/dht"
	"kith/wire"
)

func TestLiveLine(t *testing.T) {
	var w strings.Builder
	width := 12
	l := &liveLine{w: &w, on: true, width: func() int { return width }}
	took := func() string { s := w.String(); w.Reset(); return s }
	l.clear()
	require.Empty(t, took(), "nothing stands there yet")
	l.show("123456789")
	require.Equal(t, "\r123456789\x1b[K", took())
	l.show("123456789")
	require.Empty(t, took(), "it stands there already")
	l.show("ééééé 12345")
	require.Equal(t, "\rééééé 12…\x1b[K", took(), "one line, whatever its length")
	width = 8
	l.show("ééééé 12345")
	require.Equal(t, "\réééé…\x1b[K", took(), "the terminal is narrower now")
	l.print("a line")
	require.Equal(t, "\r\x1b[Ka line\n\réééé…\x1b[K", took())
	l.clear()
	require.Equal(t, "\r\x1b[K", took())
	width = 0
	l.show("x")
	require.Equal(t, "\r\x1b[K", took())

	off := &liveLine{w: &w}
	off.show("x")
	off.clear()
	off.print("a line")
	require.Equal(t, "a line\n", took())
	require.False(t, newLiveLine(&w).on)
}

func TestMeter(t *testing.T) {
	var m meter
	s := dht.Stats{Nodes: [2]int{12, 0}, Peers: 1234, Items: 5, ReadOnly: [2]bool{true, false}}
	require.Equal(t, "IPv4 12 nodes · holds 1,234 peers 5 items · only asks", m.line(&s, nil, [2]bool{true, false}, false))
	s.ReadOnly[0] = false
	m = meter{}
	require.Equal(t, "IPv4 12 nodes · IPv6 0 nodes · holds 1,234 peers 5 items · 192.0.2.1 · asks and answers",
		m.line(&s, []netip.Addr{netip.MustParseAddr("192.0.2.1")}, [2]bool{true, true}, false))
	s.Queries[0], s.Sent[0] = 10, 20
	require.Regexp(t, `queries in \d+\.\d/s out \d+\.\d/s .* read-only$`, m.line(&s, nil, [2]bool{true, true}, true))
}

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"Hello World! é 漢":  "Hello World! é 漢",
		"":                  "",
		"\x1b[2J":           `"\x1b[2J"`,
		"two\nlines":        `"two\nlines"`,
		"\u202eright":       `"\u202eright"`,
		"\xff":              `"\xff"`,
		"a \"quoted\" word": "a \"quoted\" word",
	} {
		require.Equal(t, want, plain(in))
	}
}

func TestCount(t *testing.T) {
	for in, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 123456: "123,456", 1234567: "1,234,567"} {
		require.Equal(t, want, count(in))
	}
}

func TestShared(t *testing.T) {
	var a wire.ID
	require.Equal(t, 160, shared(a, a))
	b := a
	b[19] = 1
	require.Equal(t, 159, shared(a, b))
	b[0] = 0x80
	require.Equal(t, 0, shared(a, b))
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{"5:hello": "hello", "0:": "", "3:a:b": "a:b"} {
		got, ok := text([]byte(in))
		require.True(t, ok)
		require.Equal(t, want, got)
	}
	for _, in := range []string{"", "i1e", "le", "de"} {
		_, ok := text([]byte(in))
		require.False(t, ok, in)
	}
}
