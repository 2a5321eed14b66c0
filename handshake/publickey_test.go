package handshake

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"slices"
	"testing"

	"filippo.io/edwards25519"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// torsion returns the eight points of small order, canonically encoded, as multiples of one of order 8.
func torsion(t testing.TB) []*edwards25519.Point {
	t.Helper()
	eighth, err := new(edwards25519.Point).SetBytes(smallOrders[3][:])
	require.NoError(t, err)
	all := []*edwards25519.Point{edwards25519.NewIdentityPoint()}
	for range 7 {
		all = append(all, new(edwards25519.Point).Add(all[len(all)-1], eighth))
	}
	return all
}

func TestSmallOrders(t *testing.T) {
	found := map[PublicKey]bool{}
	for _, p := range torsion(t) {
		k := PublicKey(p.Bytes())
		y, _ := splitPoint(&k)
		require.True(t, belowPrime(&y))
		require.True(t, smallOrder(&y))
		found[k] = true
	}
	require.Len(t, found, 8)
}

// aroundPrime returns p + n, p = 2²⁵⁵ − 19, for n from −19 to 18, with bit 255 as told.
func aroundPrime(n int, high bool) []byte {
	b := bytes.Repeat([]byte{0xff}, 32)
	b[0] = byte(0xed + n)
	b[31] = 0x7f
	if high {
		b[31] = 0xff
	}
	return b
}

func TestCheckContact(t *testing.T) {
	own, friend := person(t, "alice").PublicKey(), person(t, "bob").PublicKey()
	got, err := CheckContact(own, friend[:])
	require.NoError(t, err)
	require.Equal(t, friend, got)

	// What follows is refused, each for the first rule that it breaks.
	for n := range 70 { // rv-contact-length
		if n != PublicKeySize {
			_, err := CheckContact(own, slices.Repeat(friend[:], 3)[:n])
			wantRefused(t, err, ErrMalformed, "bytes, not 32")
		}
	}
	for n := range 19 { // rv-contact-canonical
		for _, high := range []bool{false, true} {
			_, err := CheckContact(own, aroundPrime(n, high))
			wantRefused(t, err, ErrMalformed, "is not canonical")
		}
	}
	notOnCurve := 0
	for n := -19; n < 0; n++ { // rv-contact-curve
		if _, off := new(edwards25519.Point).SetBytes(aroundPrime(n, false)); off != nil {
			_, err := CheckContact(own, aroundPrime(n, false))
			wantRefused(t, err, ErrMalformed, "not a point of the curve")
			notOnCurve++
		}
	}
	require.Positive(t, notOnCurve)
	for _, s := range []string{ // rv-contact-curve: −0 as x
		"0100000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	} {
		_, err := CheckContact(own, unhex(t, s))
		wantRefused(t, err, ErrMalformed, "not a point of the curve")
	}
	p, err := new(edwards25519.Point).SetBytes(friend[:])
	require.NoError(t, err)
	for i, small := range torsion(t) {
		_, err := CheckContact(own, small.Bytes()) // rv-contact-small
		wantRefused(t, err, ErrMalformed, "small order")
		if i > 0 {
			_, err = CheckContact(own, new(edwards25519.Point).Add(p, small).Bytes()) // rv-contact-subgroup
			wantRefused(t, err, ErrMalformed, "outside of the subgroup")
		}
	}
	_, err = CheckContact(own, own[:]) // rv-contact-self
	wantRefused(t, err, ErrMalformed, "one's own")

	negative := PublicKey(new(edwards25519.Point).Negate(p).Bytes())
	_, err = CheckContact(friend, negative[:])
	require.NoError(t, err, "the same u, another identity")
}

// The published signatures of RFC 8032, which have no label.
func TestVerifyRFC8032(t *testing.T) {
	for _, c := range rfc8032 {
		k, message, sig := PublicKey(unhex(t, c.public)), unhex(t, c.message), unhex(t, c.sig)
		require.NoError(t, verify(&k, message, sig))
		for i := range sig {
			for bit := range 8 {
				sig[i] ^= 1 << bit
				require.ErrorIs(t, verify(&k, message, sig), ErrAuthentication)
				sig[i] ^= 1 << bit
			}
		}
		require.ErrorIs(t, verify(&k, append(message, 0), sig), ErrAuthentication)
	}
}

func TestSignatureOfWrongLength(t *testing.T) {
	id := person(t, "alice")
	sig := id.Sign("kith/1 offer", nil)
	for n := range SignatureSize {
		wantRefused(t, Verify(id.PublicKey(), "kith/1 offer", nil, sig[:n]), ErrAuthentication, "bytes, not 64")
	}
	wantRefused(t, Verify(id.PublicKey(), "kith/1 offer", nil, append(sig[:], 0)), ErrAuthentication, "65 bytes")
}

// S + L verifies where S is not checked. rv-verify-s
func TestVerifyRefusesLargeS(t *testing.T) {
	for _, c := range rfc8032 {
		k, message, sig := PublicKey(unhex(t, c.public)), unhex(t, c.message), unhex(t, c.sig)
		carry := 0
		for i := range 32 {
			carry += int(sig[32+i]) + int(groupOrder[i])
			sig[32+i] = byte(carry)
			carry >>= 8
		}
		wantRefused(t, verify(&k, message, sig), ErrAuthentication, "S of signature")
	}
	id := person(t, "alice")
	sig := id.Sign("", nil)
	copy(sig[32:], groupOrder[:])
	wantRefused(t, Verify(id.PublicKey(), "", nil, sig[:]), ErrAuthentication, "S of signature")
	sig[32]--
	wantRefused(t, Verify(id.PublicKey(), "", nil, sig[:]), ErrAuthentication, "does not verify")
}

// craft returns a signature with R = r·B + shift, which satisfies the equation with a cofactor, and without it if shift is the
// neutral element and k·A has no part of small order.
func craft(t testing.TB, a *edwards25519.Scalar, key []byte, r *edwards25519.Scalar, shift *edwards25519.Point, message []byte) []byte {
	t.Helper()
	R := new(edwards25519.Point).ScalarBaseMult(r)
	R.Add(R, shift)
	h := sha512.New()
	h.Write(R.Bytes())
	h.Write(key)
	h.Write(message)
	k, err := edwards25519.NewScalar().SetUniformBytes(h.Sum(nil))
	require.NoError(t, err)
	return slices.Concat(R.Bytes(), edwards25519.NewScalar().MultiplyAdd(k, a, r).Bytes())
}

// The equation has no cofactor: a part of small order in R is refused, though eight times both sides are equal.
// rv-verify-equation
func TestVerifyHasNoCofactor(t *testing.T) {
	id := person(t, "alice")
	a, err := edwards25519.NewScalar().SetBytesWithClamping(id.dh[:])
	require.NoError(t, err)
	r, err := edwards25519.NewScalar().SetUniformBytes(bytes.Repeat([]byte{7}, 64))
	require.NoError(t, err)
	for i, small := range torsion(t) {
		sig := craft(t, a, id.public[:], r, small, []byte("message"))
		require.Equal(t, i == 0, verify(&id.public, []byte("message"), sig) == nil)
	}
}

// A key of small order verifies signatures that nobody made; circl and the standard library take the neutral element.
func TestVerifyRefusesSmallKeys(t *testing.T) {
	zero := edwards25519.NewScalar()
	for _, small := range torsion(t) {
		for _, shift := range torsion(t) {
			k := PublicKey(small.Bytes())
			sig := craft(t, zero, k[:], zero, shift, nil)
			wantRefused(t, verify(&k, nil, sig), ErrAuthentication, "key of signature")
		}
	}
	neutral := PublicKey(edwards25519.NewIdentityPoint().Bytes())
	sig := slices.Concat(neutral[:], make([]byte, 32))
	require.True(t, ed25519.Verify(neutral[:], nil, sig), "the hole that is closed here")
	require.Error(t, verify(&neutral, nil, sig))
}

// A signature with R of small order, right in the equation: who made it gave his key away. rv-verify-r
func TestVerifyRefusesSmallR(t *testing.T) {
	id := person(t, "alice")
	a, err := edwards25519.NewScalar().SetBytesWithClamping(id.dh[:])
	require.NoError(t, err)
	for i, small := range torsion(t) {
		sig := craft(t, a, id.public[:], edwards25519.NewScalar(), small, nil)
		require.Equal(t, i == 0, ed25519.Verify(id.public[:], nil, sig))
		wantRefused(t, verify(&id.public, nil, sig), ErrAuthentication, "R of signature")
		sig[31] ^= 0x80
		wantRefused(t, verify(&id.public, nil, sig), ErrAuthentication, "R of signature")
	}
}

// An encoding of R that is not canonical is equal to none. rv-verify-equation
func TestVerifyRefusesOtherEncodingsOfR(t *testing.T) {
	id := person(t, "alice")
	a, err := edwards25519.NewScalar().SetBytesWithClamping(id.dh[:])
	require.NoError(t, err)
	// The neutral element, with p + 1 as its y.
	for _, other := range [][]byte{aroundPrime(1, false), aroundPrime(1, true)} {
		h := sha512.New()
		h.Write(other)
		h.Write(id.public[:])
		k, err := edwards25519.NewScalar().SetUniformBytes(h.Sum(nil))
		require.NoError(t, err)
		sig := slices.Concat(other, edwards25519.NewScalar().Multiply(k, a).Bytes())
		wantRefused(t, verify(&id.public, nil, sig), ErrAuthentication, "does not verify")
	}
}

// Whatever verifies here verifies in the standard library too.
func FuzzVerify(f *testing.F) {
	for _, c := range rfc8032 {
		f.Add(unhex(f, c.public), unhex(f, c.message), unhex(f, c.sig))
	}
	f.Fuzz(func(t *testing.T, key, message, sig []byte) {
		if len(key) != PublicKeySize {
			return
		}
		k := PublicKey(key)
		if verify(&k, message, sig) == nil {
			require.True(t, ed25519.Verify(key, message, sig))
		}
	})
}

func FuzzCheckContact(f *testing.F) {
	own := PublicKey(unhex(f, rfc8032[0].public))
	for _, c := range rfc8032 {
		f.Add(unhex(f, c.public))
	}
	for _, y := range smallOrders {
		f.Add(y[:])
	}
	f.Fuzz(func(t *testing.T, key []byte) {
		k, err := CheckContact(own, key)
		if err != nil {
			require.ErrorIs(t, err, ErrMalformed)
			require.Zero(t, k)
			return
		}
		p, err := new(edwards25519.Point).SetBytes(key)
		require.NoError(t, err)
		require.Equal(t, key, p.Bytes(), "the one encoding")
		eighth := new(edwards25519.Point).ScalarMult(inverseOfEight(t), p)
		require.Equal(t, 1, eighth.MultByCofactor(eighth).Equal(p), "no part of small order")
	})
}

func inverseOfEight(t testing.TB) *edwards25519.Scalar {
	t.Helper()
	eight, err := edwards25519.NewScalar().SetCanonicalBytes(append([]byte{8}, make([]byte, 31)...))
	require.NoError(t, err)
	return eight.Invert(eight)
}

func TestBelowPrimeAndOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := [32]byte(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 0x10, 0x7f, 0x80, 0xec, 0xed, 0xee, 0xff}), 32, 32).Draw(t, "b"))
		if rapid.Bool().Draw(t, "near") {
			copy(b[1:31], bytes.Repeat([]byte{0xff}, 30))
		}
		_, err := edwards25519.NewScalar().SetCanonicalBytes(b[:])
		require.Equal(t, err == nil, belowOrder(b[:]))
		require.Equal(t, lessThan(b, [32]byte(aroundPrime(0, false))), belowPrime(&b))
	})
}

// Numbers that differ from the prime in one byte, in every place.
func TestBelowPrimeInEveryByte(t *testing.T) {
	for i := range 32 {
		b := [32]byte(aroundPrime(0, false))
		b[i]--
		require.True(t, belowPrime(&b), "byte %d", i)
		b = [32]byte(aroundPrime(0, false))
		if b[i]++; b[i] != 0 {
			require.False(t, belowPrime(&b), "byte %d", i)
		}
	}
}

// lessThan compares little-endian numbers in the plainest way.
func lessThan(a, b [32]byte) bool {
	slices.Reverse(a[:])
	slices.Reverse(b[:])
	return bytes.Compare(a[:], b[:]) < 0
}
