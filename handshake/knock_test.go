package handshake

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// hs-knock-form
func TestKnock(t *testing.T) {
	k := Knock{Time: 1_800_000_000_123, Random: [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, Endpoints: eight[:2]}
	want := unhex(t, `01 000001a3185c507b 0102030405060708
		01 001a 04 c0000201 1ae1 06 20010db8000000000000000000000001 1ae1`)
	want = append(want, make([]byte, 1164-len(want))...)
	b, err := AppendKnock([]byte("before"), k)
	require.NoError(t, err)
	require.Equal(t, want, b[6:])
	got, err := ParseKnock(b[6:])
	require.NoError(t, err)
	require.Equal(t, k, got)
	h := sha256.Sum256(append([]byte("kith/1 knock\x00"), want...))
	require.Equal(t, h, knockHash(want))

	for n := range want {
		_, err := ParseKnock(want[:n])
		wantRefused(t, err, ErrMalformed, "bytes, not 1164")
	}
	_, err = ParseKnock(append(bytes.Clone(want), 0))
	wantRefused(t, err, ErrMalformed, "1165 bytes")
	for _, version := range []byte{0, 2, 255} { // hs-knock-version
		want[0] = version
		_, err := ParseKnock(want)
		wantRefused(t, err, ErrMalformed, "knock of version")
	}
	want[0], want[1163] = 1, 1 // hs-knock-fields
	_, err = ParseKnock(want)
	wantRefused(t, err, ErrMalformed, "padding is not zero")
}

func TestKnockWithAllItCanHold(t *testing.T) {
	k := Knock{Time: 1<<64 - 1, Endpoints: eight}
	b, err := AppendKnock(nil, k)
	require.NoError(t, err)
	got, err := ParseKnock(b)
	require.NoError(t, err)
	require.Equal(t, k, got)
	// A field may reach to the very end.
	b = append(b[:17:17], 0x80, 1144>>8, 1144&0xff)
	b = append(b, bytes.Repeat([]byte{9}, 1144)...)
	_, err = ParseKnock(b)
	require.NoError(t, err)
	b[19]++
	_, err = ParseKnock(b)
	wantRefused(t, err, ErrMalformed, "reaches beyond the end")
}

func TestAppendKnockRefuses(t *testing.T) {
	_, err := AppendKnock(nil, Knock{Endpoints: addrs("0.0.0.0:1")})
	wantRefused(t, err, ErrMalformed, "nobody has")
	_, err = AppendKnock(nil, Knock{Endpoints: append(slices.Clone(eight), eight[0])})
	wantRefused(t, err, ErrLimit, "9 endpoints")
}

func FuzzParseKnock(f *testing.F) {
	b, err := AppendKnock(nil, Knock{Time: 1_800_000_000_123, Endpoints: eight})
	require.NoError(f, err)
	f.Add(b)
	f.Add(bytes.TrimRight(b, "\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < KnockSize {
			b = append(b, make([]byte, KnockSize-len(b))...)
		}
		before := bytes.Clone(b)
		k, err := ParseKnock(b)
		require.Equal(t, before, b)
		if err != nil {
			require.Zero(t, k)
			require.True(t, errors.Is(err, ErrMalformed) || errors.Is(err, ErrLimit))
			return
		}
		again, err := AppendKnock(nil, k)
		require.NoError(t, err)
		same, err := ParseKnock(again)
		require.NoError(t, err)
		require.Equal(t, k.Time, same.Time)
		require.Equal(t, k.Random, same.Random)
		require.True(t, slices.Equal(k.Endpoints, same.Endpoints))
	})
}
