package handshake

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"filippo.io/edwards25519"
	"github.com/cloudflare/circl/sign/ed25519"
)

// Sizes in bytes.
const (
	PublicKeySize = 32
	SignatureSize = 64
)

// A PublicKey is an identity, IK: an Ed25519 public key (RFC 8032) as it stands in an address.
type PublicKey [PublicKeySize]byte

// String returns the address of the key, kith1… in lower case.
func (k PublicKey) String() string { return string(appendBech32m(nil, addressPrefix, k[:])) } // rv-address-write

// Compare returns −1, 0 or 1 as k stands before, at or behind other in the order of their bytes.
func (k PublicKey) Compare(other PublicKey) int { return bytes.Compare(k[:], other[:]) }

// CheckContact returns the key that friend holds, if whoever has the key own may take it as a contact. Otherwise the error, of
// class ErrMalformed, says which rule it breaks: its length, the one encoding of a point, the curve, a small order, the
// subgroup of prime order, or that it is own.
//
// An identity outside of the subgroup would be a second address of the person inside it: both give the same shared secret.
func CheckContact(own PublicKey, friend []byte) (PublicKey, error) {
	if len(friend) != PublicKeySize { // rv-contact-length
		return PublicKey{}, fmt.Errorf("handshake: key is %d bytes, not %d: %w", len(friend), PublicKeySize, ErrMalformed)
	}
	k := PublicKey(friend)
	if _, err := k.contactOf(own); err != nil {
		return PublicKey{}, err
	}
	return k, nil
}

// contactOf is CheckContact for a key of the right length. It returns the key's X25519 form.
func (k *PublicKey) contactOf(own PublicKey) ([X25519Size]byte, error) {
	x, err := k.X25519()
	if err == nil && *k == own { // rv-contact-self
		err = fmt.Errorf("handshake: key is one's own: %w", ErrMalformed)
	}
	return x, err
}

// X25519 returns the key's X25519 form, x_public: the Montgomery u of its point. It refuses what CheckContact refuses, but for
// one's own key.
func (k PublicKey) X25519() (public [X25519Size]byte, err error) {
	p, err := k.point()
	if err != nil {
		return public, err
	}
	return [X25519Size]byte(p.BytesMontgomery()), nil
}

// point returns the point that k encodes, if it is one of the subgroup of prime order and not its neutral element.
func (k *PublicKey) point() (*edwards25519.Point, error) {
	y, negative := splitPoint(k)
	if !belowPrime(&y) { // rv-contact-canonical
		return nil, fmt.Errorf("handshake: key is not canonical: %w", ErrMalformed)
	}
	p, err := new(edwards25519.Point).SetBytes(k[:])
	if err != nil || negative && xIsZero(&y) { // rv-contact-curve; the library takes −0 for x
		return nil, fmt.Errorf("handshake: key is not a point of the curve: %w", ErrMalformed)
	}
	if smallOrder(&y) { // rv-contact-small
		return nil, fmt.Errorf("handshake: key has a small order: %w", ErrMalformed)
	}
	// L·A is the neutral element if and only if (L − 1)·A is −A. The library has no L: its scalars end below it.
	multiple := new(edwards25519.Point).VarTimeDoubleScalarBaseMult(minusOne, p, edwards25519.NewScalar())
	if multiple.Negate(multiple).Equal(p) != 1 { // rv-contact-subgroup
		return nil, fmt.Errorf("handshake: key is outside of the subgroup of prime order: %w", ErrMalformed)
	}
	return p, nil
}

// minusOne is L − 1.
var minusOne = func() *edwards25519.Scalar {
	one, err := edwards25519.NewScalar().SetCanonicalBytes(append([]byte{1}, make([]byte, 31)...))
	if err != nil {
		panic("handshake: 1 is not a scalar")
	}
	return one.Negate(one)
}()

// Verify returns nil if sig is the signature by k of label ‖ 0x00 ‖ message (RFC 8032, Ed25519 without context or hashing
// before), and otherwise an error of class ErrAuthentication. k is a key that CheckContact has taken.
//
// Which signatures count is a rule about bytes, because libraries differ: S is below L, R has no small order, and the canonical
// encoding of S·B − k·A is R, byte for byte. circl does the last and is not asked where one of the others fails, nor about a key
// that no contact can have.
func Verify(k PublicKey, label string, message, sig []byte) error {
	return verify(&k, labelled(label, message), sig)
}

// verify is Verify for a message as it was signed: BEP 44's items have no label.
func verify(k *PublicKey, message, sig []byte) error {
	if len(sig) != SignatureSize {
		return fmt.Errorf("handshake: signature is %d bytes, not %d: %w", len(sig), SignatureSize, ErrAuthentication)
	}
	y, _ := splitPoint(k)
	r, _ := splitPoint((*PublicKey)(sig))
	switch {
	case !belowPrime(&y) || smallOrder(&y):
		return fmt.Errorf("handshake: key of signature is not a contact's: %w", ErrAuthentication)
	case !belowOrder(sig[32:]): // rv-verify-s
		return fmt.Errorf("handshake: S of signature is not below L: %w", ErrAuthentication)
	case smallOrder(&r): // rv-verify-r
		return fmt.Errorf("handshake: R of signature has a small order: %w", ErrAuthentication)
	case !ed25519.Verify(k[:], message, sig): // rv-verify-equation
		return fmt.Errorf("handshake: signature does not verify: %w", ErrAuthentication)
	}
	return nil
}

// labelled returns label ‖ 0x00 ‖ message.
func labelled(label string, message []byte) []byte {
	b := make([]byte, 0, len(label)+1+len(message))
	b = append(b, label...)
	b = append(b, 0)
	return append(b, message...)
}

// splitPoint returns the y of an encoded point and whether its x is to be the negative one.
func splitPoint(k *PublicKey) (y [32]byte, negative bool) {
	y = *k
	y[31] &= 0x7f
	return y, k[31]>>7 == 1
}

// smallOrders holds the y of the points whose order divides 8, little-endian. There are eight such points, two of each of the
// last three y.
var smallOrders = [...][32]byte{
	{1},
	{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
	{},
	{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
		0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
	{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
		0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
}

// xIsZero reports whether the points with this y, which is below the prime, have the x 0: those of the orders 1 and 2.
func xIsZero(y *[32]byte) bool { return *y == smallOrders[0] || *y == smallOrders[1] }

// smallOrder reports whether y is that of the points of an order that divides 8, in the one encoding below the prime.
func smallOrder(y *[32]byte) bool { return slices.Contains(smallOrders[:], *y) }

// belowPrime reports whether b, little-endian, is below 2²⁵⁵ − 19.
func belowPrime(b *[32]byte) bool {
	high := binary.LittleEndian.Uint64(b[24:])
	switch {
	case high != 1<<63-1:
		return high < 1<<63-1
	case binary.LittleEndian.Uint64(b[8:])&binary.LittleEndian.Uint64(b[16:]) != 1<<64-1:
		return true
	}
	return binary.LittleEndian.Uint64(b[:]) < 1<<64-19
}

// groupOrder is L, the order of the subgroup: 2²⁵² + 27742317777372353535851937790883648493, little-endian.
var groupOrder = [32]byte{
	0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
	31: 0x10,
}

// belowOrder reports whether b, 32 bytes and little-endian, is below L.
func belowOrder(b []byte) bool {
	for i := len(groupOrder) - 1; i >= 0; i-- {
		if b[i] != groupOrder[i] {
			return b[i] < groupOrder[i]
		}
	}
	return false
}
