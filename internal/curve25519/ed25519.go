package curve25519

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"filippo.io/edwards25519"
	circl "github.com/cloudflare/circl/sign/ed25519"
)

// What is wrong with a signature of the right length. These are whole phrases.
var (
	ErrSignatureKey = errors.New("key of signature is not canonical or has a small order")
	//lint:ignore ST1005 S and R are names
	//lint:ignore ST1005 S and R are names
	ErrSignatureR = errors.New("R of signature has a small order")
	ErrSignature  = errors.New("signature does not verify")
)

// NewKey returns the private key of seed, which is 32 bytes long: seed ‖ public key, as the standard library has it too.
func NewKey(seed []byte) ed25519.PrivateKey {
	return ed25519.PrivateKey(circl.NewKeyFromSeed(seed)) // rv-identity-key
}

// Sign returns key's signature of message, without context and without prehashing.
func Sign(key ed25519.PrivateKey, message []byte) [ed25519.SignatureSize]byte {
	return [ed25519.SignatureSize]byte(circl.Sign(circl.PrivateKey(key), message)) // rv-sign
}

// Verify returns nil if sig is the signature of message by the owner of k. It refuses a key or signature of the wrong length, and
// with ErrSignatureKey a key that is not canonical or has a small order, for which signatures verify that nobody made. The
// other rules: R has no small order, S is below L, and the canonical encoding of S·B − k·A, without a cofactor, is R byte for
// byte. circl does the last two.
func Verify(k, message, sig []byte) error {
	switch {
	case len(k) != ed25519.PublicKeySize:
		return fmt.Errorf("key of signature is %d bytes, not %d", len(k), ed25519.PublicKeySize)
	case len(sig) != ed25519.SignatureSize:
		return fmt.Errorf("signature is %d bytes, not %d", len(sig), ed25519.SignatureSize)
	}
	a, r := yOf((*[32]byte)(k)), yOf((*[32]byte)(sig))
	switch {
	case !Canonical(&a) || smallOrder(&a): // dht-item-ed25519
		return ErrSignatureKey
	case smallOrder(&r): // rv-verify-r
		return ErrSignatureR
	case !circl.Verify(k, message, sig): // rv-verify-s, rv-verify-equation
		return ErrSignature
	}
	return nil
}

// Montgomery returns the X25519 form of the Ed25519 public key k, the Montgomery u of its point. The key has to be the one encoding
// of a point of the subgroup of prime order, and not that of its neutral element. The error says which rule it breaks first:
// ErrNotCanonical, ErrNotOnCurve, ErrSmallOrder or ErrSubgroup.
//
// A key outside of the subgroup would be a second one of the same person: X25519 gives the same shared secret with both.
func Montgomery(k *[32]byte) (u [32]byte, err error) {
	y := yOf(k)
	if !Canonical(&y) { // rv-contact-canonical
		return u, ErrNotCanonical
	}
	p, err := new(edwards25519.Point).SetBytes(k[:])
	if err != nil { // rv-contact-curve
		return u, ErrNotOnCurve
	}
	if smallOrder(&y) { // rv-contact-small; and rv-contact-curve for −0 as x, which the library takes: x is 0 for the orders 1 and 2 only
		return u, ErrSmallOrder
	}
	// L·A is the neutral element if and only if (L − 1)·A is −A. The library has no L: its scalars end below it.
	multiple := new(edwards25519.Point).VarTimeDoubleScalarBaseMult(minusOne, p, edwards25519.NewScalar())
	if multiple.Negate(multiple).Equal(p) != 1 { // rv-contact-subgroup
		return u, ErrSubgroup
	}
	return [32]byte(p.BytesMontgomery()), nil
}

// minusOne is L − 1.
var minusOne = func() *edwards25519.Scalar {
	one, err := edwards25519.NewScalar().SetCanonicalBytes(append([]byte{1}, make([]byte, 31)...))
	if err != nil {
		panic("curve25519: 1 is not a scalar")
	}
	return one.Negate(one)
}()

// yOf returns the y of an encoded point: all but the sign of its x.
func yOf(point *[32]byte) (y [32]byte) {
	y = *point
	y[31] &= 0x7f
	return y
}

// smallOrderY holds the y of the points whose order divides 8, little-endian. There are eight such points, two of each of the
// last three y.
var smallOrderY = [...][32]byte{
	{1},
	{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
	{},
	{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
		0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
	{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
		0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
}

// smallOrder reports whether y is that of the points of an order that divides 8, in the one encoding below p.
func smallOrder(y *[32]byte) bool { return slices.Contains(smallOrderY[:], *y) }
