package ratchet

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHeader(t *testing.T) {
	const text = "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f" +
		" 00 00 01 02 fe ff ff ff"
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	require.NoError(t, err)
	h := header{pn: 258, n: 0xfeffffff}
	for i := range h.dh {
		h.dh[i] = byte(i)
	}
	require.Equal(t, b, appendHeader(nil, &h))
	require.Equal(t, h, parseHeader((*[headerSize]byte)(b)))
}

func FuzzParseHeader(f *testing.F) {
	f.Add(make([]byte, headerSize))
	f.Add(appendHeader(nil, &header{dh: secret("dh"), pn: 7, n: 511}))
	f.Fuzz(func(t *testing.T, b []byte) {
		var plain [headerSize]byte
		copy(plain[:], b)
		h := parseHeader(&plain)
		require.Equal(t, plain[:], appendHeader(nil, &h))
	})
}
