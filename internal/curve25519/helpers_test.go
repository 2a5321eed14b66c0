package curve25519

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"filippo.io/edwards25519"
	"github.com/stretchr/testify/require"
)

// unhex returns the bytes that s spells; spaces mean nothing.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	require.NoError(t, err)
	return b
}

// aroundPrime returns p + n, p = 2²⁵⁵ − 19, for n from −237 to 18, with bit 255 as told.
func aroundPrime(n int, high bool) []byte {
	b := bytes.Repeat([]byte{0xff}, 32)
	b[0] = byte(0xed + n)
	b[31] = 0x7f
	if high {
		b[31] = 0xff
	}
	return b
}

// torsion returns the eight points of small order, as multiples of one of order 8. That is found, not known: it is what a random
// point has beside its part of prime order.
func torsion(t require.TestingT) []*edwards25519.Point {
	neutral := edwards25519.NewIdentityPoint()
	for seed := byte(0); ; seed++ {
		h := sha512.Sum512([]byte{seed})
		p, err := new(edwards25519.Point).SetBytes(h[:32])
		if err != nil {
			continue
		}
		eighth := times(p, order[:])
		if times(eighth, []byte{4}).Equal(neutral) == 1 {
			continue
		}
		all := []*edwards25519.Point{neutral}
		for range 7 {
			all = append(all, new(edwards25519.Point).Add(all[len(all)-1], eighth))
		}
		return all
	}
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

// encodings returns every encoding of the eight points of small order that libraries decode: with y or y + p where that fits into
// 255 bits, and with either sign where x is 0.
func encodings(t require.TestingT) (all [][]byte) {
	for _, p := range torsion(t) {
		y := p.Bytes()
		y[31] &= 0x7f
		for _, more := range [][]byte{make([]byte, 32), aroundPrime(0, false)} {
			sum, carry := sum(y, more)
			for _, sign := range []byte{0, 0x80} {
				e := slices.Clone(sum)
				e[31] ^= sign
				if q, err := new(edwards25519.Point).SetBytes(e); sum[31] < 0x80 && carry == 0 && err == nil && q.Equal(p) == 1 {
					all = append(all, e)
				}
			}
		}
	}
	return all
}

// sum adds little-endian numbers of 32 bytes.
func sum(a, b []byte) (c []byte, carry int) {
	for i := range 32 {
		carry += int(a[i]) + int(b[i])
		c, carry = append(c, byte(carry)), carry>>8
	}
	return c, carry
}

// less compares little-endian numbers in the plainest way.
func less(a, b [32]byte) bool {
	slices.Reverse(a[:])
	slices.Reverse(b[:])
	return bytes.Compare(a[:], b[:]) < 0
}

// uniform returns a scalar that follows from n.
func uniform(t require.TestingT, n byte) *edwards25519.Scalar {
	s, err := edwards25519.NewScalar().SetUniformBytes(bytes.Repeat([]byte{n}, 64))
	require.NoError(t, err)
	return s
}

// craft returns a signature with the bytes encoded as R and S = r + k·a, k made from the bytes as they are. It satisfies the
// equation if encoded is the canonical encoding of r·B + a part of small order that cancels that of −k·A.
func craft(t require.TestingT, a *edwards25519.Scalar, key, encoded []byte, r *edwards25519.Scalar, message []byte) []byte {
	h := sha512.New()
	h.Write(encoded)
	h.Write(key)
	h.Write(message)
	k, err := edwards25519.NewScalar().SetUniformBytes(h.Sum(nil))
	require.NoError(t, err)
	return slices.Concat(encoded, edwards25519.NewScalar().MultiplyAdd(k, a, r).Bytes())
}

// order is L, the order of the subgroup: 2²⁵² + 27742317777372353535851937790883648493, little-endian.
var order = [32]byte{
	0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
	31: 0x10,
}
