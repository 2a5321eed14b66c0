package dht

import (
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"testing"

	"filippo.io/edwards25519"
	"github.com/cloudflare/circl/sign/ed25519"
	"github.com/stretchr/testify/require"

	"kith/wire"
)

// unhex returns the bytes that s spells.
func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

// The published items of BEP 44.
func TestPublishedItems(t *testing.T) {
	key := [32]byte(unhex(t, "77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548"))
	for _, v := range []struct{ salt, sig, target string }{
		{"", "305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01", "4a533d47ec9c7d95b1ad75f576cffc641853b750"},
		{"foobar", "6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17ddf9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08", "411eba73b6f087ca51a3795d9c8c938d365e32c1"},
	} {
		i := Item{Value: []byte("12:Hello World!"), Mutable: true, Key: key, Sig: [64]byte(unhex(t, v.sig)), Salt: []byte(v.salt), Seq: 1}
		require.NoError(t, i.Check())
		require.Equal(t, v.target, i.Target().String())
	}
	i := Item{Value: []byte("12:Hello World!")}
	require.NoError(t, i.Check())
	require.Equal(t, "e5f96f6f38320f0f33959cb4d3d656452117aadb", i.Target().String())
}

func TestSignItem(t *testing.T) {
	i, err := SignItem(owner, []byte("salt"), 7, []byte("5:hello"))
	require.NoError(t, err)
	require.Equal(t, signed("salt", 7, "5:hello"), i)
	_, err = SignItem(owner, nil, 7, []byte("5:hell"))
	require.ErrorIs(t, err, ErrMalformed)
	require.ErrorIs(t, err, wire.ErrMalformed)
	_, err = SignItem(owner, make([]byte, 65), 7, []byte("5:hello"))
	require.ErrorIs(t, err, ErrLimit)
}

// smallOrderPoints returns the eight points whose order divides 8, and every encoding of each that decodes.
func smallOrderPoints(t *testing.T) (encodings [][]byte) {
	t.Helper()
	// A point of order 8: what a random point has beside its part of prime order.
	order := unhex(t, "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
	var torsion *edwards25519.Point
	for seed := uint64(0); torsion == nil; seed++ {
		h := sha512.Sum512(binary.LittleEndian.AppendUint64(nil, seed))
		p, err := new(edwards25519.Point).SetBytes(h[:32])
		if err != nil {
			continue
		}
		q := times(p, order)
		if times(q, []byte{4}).Equal(edwards25519.NewIdentityPoint()) == 0 {
			torsion = q
		}
	}
	prime := unhex(t, "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")
	p := edwards25519.NewIdentityPoint()
	for range 8 {
		y := p.Bytes()
		y[31] &= 0x7f
		for _, more := range [][]byte{make([]byte, 32), prime} { // the same y, and y + p where that fits
			sum, carry := make([]byte, 32), 0
			for i := range sum {
				carry += int(y[i]) + int(more[i])
				sum[i], carry = byte(carry), carry>>8
			}
			for _, sign := range []byte{0, 0x80} {
				e := slices.Clone(sum)
				e[31] ^= sign
				if sum[31] < 0x80 && carry == 0 {
					encodings = append(encodings, e)
				}
			}
		}
		p.Add(p, torsion)
	}
	return encodings
}

// times returns n·p for a little-endian number, by doubling, since a Scalar would reduce it.
func times(p *edwards25519.Point, n []byte) *edwards25519.Point {
	r := edwards25519.NewIdentityPoint()
	for i := 8*len(n) - 1; i >= 0; i-- {
		r.Add(r, r)
		if n[i/8]>>(i%8)&1 == 1 {
			r.Add(r, p)
		}
	}
	return r
}

func TestPointsOfSmallOrderAreRefused(t *testing.T) {
	encodings := smallOrderPoints(t)
	require.GreaterOrEqual(t, len(encodings), 8+2+4)
	seen := map[string]bool{}
	for _, e := range encodings {
		seen[string(e)] = true
		require.False(t, ordinaryPoint(e), "%x", e)
		// With k of small order S = 0 and R = −h·k verify for one message in eight, whoever signs.
		for n := range 64 {
			sig := make([]byte, 64)
			copy(sig, e)
			require.False(t, verifySignature(e, []byte{byte(n)}, sig))
		}
	}
	t.Logf("%d encodings", len(seen))
}

func TestPointsThatAreNotCanonicalAreRefused(t *testing.T) {
	p := unhex(t, "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f") // 2²⁵⁵ − 19
	for n := range 19 {
		y := slices.Clone(p)
		y[0] += byte(n)
		require.False(t, ordinaryPoint(y), "p + %d", n)
		y[31] |= 0x80
		require.False(t, ordinaryPoint(y), "p + %d, negative", n)
	}
	for n := 2; n < 50; n++ { // p − 1 is −1, of order 2
		y := slices.Clone(p)
		y[0] -= byte(n)
		require.True(t, ordinaryPoint(y), "p − %d", n)
	}
	for i := range 31 { // a bit less anywhere is below p
		y := slices.Clone(p)
		y[i] ^= 0x10
		if i > 0 {
			require.True(t, ordinaryPoint(y), i)
		}
	}
}

// S and S + L are one signature in two forms.
func TestSignatureHasOneForm(t *testing.T) {
	msg := []byte("message")
	sig := ed25519.Sign(owner, msg)
	require.True(t, verifySignature(owner[32:], msg, sig))
	order := unhex(t, "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
	carry := 0
	for i := range 32 {
		carry += int(sig[32+i]) + int(order[i])
		sig[32+i], carry = byte(carry), carry>>8
	}
	require.False(t, verifySignature(owner[32:], msg, sig))
}
