package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTypedLine(t *testing.T) {
	for keys, want := range map[string]string{
		"secret\r":                       "secret",
		"secret\nnext":                   "secret",
		"\r":                             "",
		"secert\x7f\x7f\x7fret\r":        "secret",
		"caf\u00e9\u6f22\x7f\x08e\r":     "cafe",
		"\x7f\x7fa\r":                    "a",
		"wrong\x15right\r":               "right",
		"a\x04b\r":                       "ab",
		"a\x1b[Ab\r":                     "a\x1b[Ab",                           // refused as a passphrase
		strings.Repeat("x", 5000) + "\r": strings.Repeat("x", maxPassphrase+1), // as well
		" spaces stay \r":                " spaces stay ",
	} {
		r := strings.NewReader(keys)
		line, err := typedLine(r)
		require.NoError(t, err, "%q", keys)
		require.Equal(t, want, string(line), "%q", keys)
		if keys == "secret\nnext" {
			rest, _ := io.ReadAll(r)
			require.Equal(t, "next", string(rest), "for the next question")
		}
	}
	for keys, want := range map[string]error{"\x03": errInterrupted, "secret\x03": errInterrupted, "\x04": errInterrupted, "": io.EOF, "secret": io.EOF} {
		line, err := typedLine(strings.NewReader(keys))
		require.ErrorIs(t, err, want, "%q", keys)
		require.Nil(t, line)
	}
}

func TestFirstLine(t *testing.T) {
	for text, want := range map[string]string{"": "", "a": "a", "a\n": "a", "a\r\n": "a", "a\r": "a", "a\nb": "a", "\na": "", "12345678\n": "12345678", "12345678\r\n": "12345678"} {
		for _, r := range []io.Reader{strings.NewReader(text), &slowly{strings.NewReader(text)}} {
			line, err := firstLine(r, 8)
			require.NoError(t, err)
			require.Equal(t, want, string(line), "%q", text)
		}
	}
	for _, text := range []string{"123456789", "123456789\n", "1234567890123"} {
		_, err := firstLine(strings.NewReader(text), 8)
		require.ErrorIs(t, err, errTooLong)
	}
	// A pipe that stays open behind the line is not waited for.
	r, w := io.Pipe()
	go io.WriteString(w, "line\n")
	line, err := firstLine(r, 8)
	require.NoError(t, err)
	require.Equal(t, "line", string(line))
	w.CloseWithError(io.ErrClosedPipe)
	_, err = firstLine(r, 8)
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

// slowly reads byte by byte.
type slowly struct{ r io.Reader }

func (s *slowly) Read(b []byte) (int, error) { return s.r.Read(b[:min(1, len(b))]) }

func TestReadAtMost(t *testing.T) {
	for n, want := range map[int]string{0: "", 3: "abc", 4: "abcd", 5: "abcd"} {
		b, more, err := readAtMost(strings.NewReader("abcd"), n)
		require.NoError(t, err)
		require.Equal(t, want, string(b))
		require.Equal(t, n < 4, more)
	}
	_, _, err := readAtMost(io.MultiReader(bytes.NewReader([]byte("a")), &broken{}), 8)
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

type broken struct{}

func (*broken) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }
