package handshake

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/chacha20poly1305"
)

var (
	testTag   = Tag{1, 2, 3}
	testKey   = [32]byte{4, 5, 6}
	testNonce = [24]byte{7, 8, 9}
	testID    = ID{1, 2, 3, 4, 5, 6, 7, 8}
)

// envelope returns the datagram of any body, sealed with another call than AppendEnvelope's.
func envelope(body []byte) []byte {
	aead, err := chacha20poly1305.NewX(testKey[:])
	if err != nil {
		panic(err)
	}
	head := append([]byte{0x50}, testTag[:]...)
	return slices.Concat(head, testNonce[:], aead.Seal(nil, testNonce[:], body, head))
}

// hs-envelope-form
func TestEnvelope(t *testing.T) {
	for _, c := range []struct {
		kind      Kind
		fragment  uint8
		fragments uint8
		size      int
		datagram  int
	}{
		{KindKnock, 0, 1, 1164, 1232},
		{KindOffer, 0, 2, 661, 729},
		{KindOffer, 1, 2, 661, 729},
		{KindAccept, 0, 1, 1152, 1220},
	} {
		e := Envelope{c.kind, testID, c.fragment, c.fragments, bytes.Repeat([]byte{0xab}, c.size)}
		b := AppendEnvelope([]byte("before"), &testTag, &testKey, &testNonce, e)[6:]
		require.Len(t, b, c.datagram)
		require.Equal(t, envelope(slices.Concat([]byte{byte(c.kind)}, testID[:], []byte{c.fragment, c.fragments}, e.Bytes)), b)
		tag, err := EnvelopeTag(b)
		require.NoError(t, err)
		require.Equal(t, testTag, tag)
		before := bytes.Clone(b)
		got, err := OpenEnvelope(&testKey, b)
		require.NoError(t, err)
		require.Equal(t, e, got)
		got.Bytes[0]++
		require.Equal(t, before, b, "the datagram is not touched")

		for n := range b {
			_, err := OpenEnvelope(&testKey, b[:n])
			require.Error(t, err)
			if n < 69 {
				wantRefused(t, err, ErrMalformed, fmt.Sprintf("envelope of %d bytes", n))
			} else {
				wantRefused(t, err, ErrAuthentication, "does not open")
			}
		}
		for i := range b {
			b[i] ^= 0x40
			_, err := OpenEnvelope(&testKey, b)
			require.Error(t, err, "byte %d", i)
			b[i] ^= 0x40
		}
		_, err = OpenEnvelope(&[32]byte{}, b)
		wantRefused(t, err, ErrAuthentication, "does not open")
	}
}

func TestEnvelopeRefuses(t *testing.T) {
	body := func(kind, fragment, fragments byte, size int) []byte {
		return envelope(slices.Concat([]byte{kind}, testID[:], []byte{fragment, fragments}, make([]byte, size)))
	}
	for _, c := range []struct {
		rule     string
		datagram []byte
		class    error
		words    string
	}{
		{"hs-envelope-size", body(1, 0, 1, 0), ErrMalformed, "envelope of 68 bytes"},
		{"hs-envelope-size", body(1, 0, 1, 1165), ErrMalformed, "envelope of 1233 bytes"},
		{"hs-envelope-size", append([]byte{0x51}, body(1, 0, 1, 1164)[1:]...), ErrMalformed, "no envelope"},
		{"hs-envelope-kind", body(0, 0, 1, 1164), ErrMalformed, "of kind 0"},
		{"hs-envelope-kind", body(4, 0, 1, 1164), ErrMalformed, "of kind 4"},
		{"hs-envelope-kind", body(4, 9, 0, 1), ErrMalformed, "of kind 4"},
		{"hs-envelope-fragment", body(1, 0, 0, 1164), ErrMalformed, "fragment 0 of 0"},
		{"hs-envelope-fragment", body(1, 1, 1, 1164), ErrMalformed, "fragment 1 of 1"},
		{"hs-envelope-fragment", body(1, 0, 2, 661), ErrMalformed, "fragment 0 of 2"},
		{"hs-envelope-fragment", body(2, 0, 1, 661), ErrMalformed, "fragment 0 of 1"},
		{"hs-envelope-fragment", body(2, 2, 2, 661), ErrMalformed, "fragment 2 of 2"},
		{"hs-envelope-fragment", body(2, 2, 3, 661), ErrMalformed, "fragment 2 of 3"},
		{"hs-envelope-fragment", body(3, 0, 2, 661), ErrMalformed, "fragment 0 of 2"},
		{"hs-envelope-fragment", body(3, 255, 1, 1152), ErrMalformed, "fragment 255 of 1"},
		{"hs-envelope-length", body(1, 0, 1, 1163), ErrMalformed, "1163 bytes in kind 1, not 1164"},
		{"hs-envelope-length", body(1, 0, 1, 1), ErrMalformed, "1 bytes in kind 1"},
		{"hs-envelope-length", body(2, 0, 2, 660), ErrMalformed, "660 bytes in kind 2, not 661"},
		{"hs-envelope-length", body(2, 1, 2, 662), ErrMalformed, "662 bytes in kind 2"},
		{"hs-envelope-length", body(3, 0, 1, 1151), ErrMalformed, "1151 bytes in kind 3, not 1152"},
		{"hs-envelope-length", body(3, 0, 1, 1153), ErrMalformed, "1153 bytes in kind 3"},
	} {
		e, err := OpenEnvelope(&testKey, c.datagram)
		require.Zero(t, e, c.rule)
		wantRefused(t, err, c.class, c.words)
	}
}

func FuzzOpenEnvelope(f *testing.F) {
	for _, e := range []Envelope{
		{KindKnock, testID, 0, 1, make([]byte, KnockSize)},
		{KindOffer, testID, 1, 2, make([]byte, FragmentSize)},
		{KindAccept, testID, 0, 1, make([]byte, AcceptSize)},
	} {
		b := AppendEnvelope(nil, &testTag, &testKey, &testNonce, e)
		f.Add(b, false)
		body := slices.Concat([]byte{byte(e.Kind)}, e.ID[:], []byte{e.Fragment, e.Fragments}, e.Bytes)
		f.Add(body, true)
	}
	f.Fuzz(func(t *testing.T, b []byte, seal bool) {
		if seal {
			b = envelope(b)
		}
		before := bytes.Clone(b)
		e, err := OpenEnvelope(&testKey, b)
		require.Equal(t, before, b)
		if err != nil {
			require.Zero(t, e)
			require.True(t, errors.Is(err, ErrMalformed) || errors.Is(err, ErrAuthentication))
			return
		}
		tag, err := EnvelopeTag(b)
		require.NoError(t, err)
		require.Equal(t, b, AppendEnvelope(nil, &tag, &testKey, (*[24]byte)(b[17:]), e))
	})
}

// fragment returns fragment i of an offer.
func fragment(i uint8, content byte) Envelope {
	return Envelope{KindOffer, testID, i, 2, bytes.Repeat([]byte{content}, FragmentSize)}
}

func TestFragments(t *testing.T) {
	now := time.Unix(1000, 0)
	want := append(bytes.Repeat([]byte{'a'}, 661), bytes.Repeat([]byte{'b'}, 661)...)
	for _, order := range [][]Envelope{{fragment(0, 'a'), fragment(1, 'b')}, {fragment(1, 'b'), fragment(0, 'a')}} {
		var f Fragments
		offer, err := f.Add(now, order[0])
		require.NoError(t, err)
		require.Nil(t, offer)
		before := f

		offer, err = f.Add(now.Add(time.Second), order[0]) // hs-fragment-again
		require.NoError(t, err)
		require.Nil(t, offer)
		require.Equal(t, before, f)

		other := order[0]
		other.Bytes = bytes.Clone(other.Bytes)
		other.Bytes[660]++
		offer, err = f.Add(now, other) // hs-fragment-conflict
		wantRefused(t, err, ErrState, "held with other bytes")
		require.Nil(t, offer)
		require.Equal(t, before, f)

		for range 2 {
			offer, err = f.Add(now.Add(10*time.Second-1), order[1])
			require.NoError(t, err)
			require.Equal(t, want, offer)
			require.Equal(t, before, f, "what completes an offer is not kept")
		}
	}
}

// hs-fragment-life
func TestFragmentsExpire(t *testing.T) {
	now := time.Unix(1000, 0)
	var f Fragments
	_, err := f.Add(now, fragment(0, 'a'))
	require.NoError(t, err)
	offer, err := f.Add(now.Add(10*time.Second), fragment(1, 'b'))
	require.NoError(t, err)
	require.Nil(t, offer, "the first is gone")
	offer, err = f.Add(now.Add(11*time.Second), fragment(0, 'c'))
	require.NoError(t, err)
	require.Len(t, offer, OfferSize)
	f.Expire(now.Add(20*time.Second - 1))
	f.Expire(now.Add(20 * time.Second))
	require.Equal(t, Fragments{}, f)
}

func TestFragmentsTakeOffersOnly(t *testing.T) {
	var f Fragments
	for _, e := range []Envelope{
		{KindAccept, testID, 0, 1, make([]byte, FragmentSize)},
		{KindOffer, testID, 2, 2, make([]byte, FragmentSize)},
		{KindOffer, testID, 0, 2, make([]byte, FragmentSize-1)},
	} {
		_, err := f.Add(time.Unix(1000, 0), e)
		require.ErrorIs(t, err, ErrMalformed)
	}
	require.Equal(t, Fragments{}, f)
}

func BenchmarkOpenEnvelope(b *testing.B) {
	datagram := AppendEnvelope(nil, &testTag, &testKey, &testNonce, Envelope{KindKnock, testID, 0, 1, make([]byte, KnockSize)})
	b.ReportAllocs()
	for b.Loop() {
		_, err := OpenEnvelope(&testKey, datagram)
		require.NoError(b, err)
	}
}
