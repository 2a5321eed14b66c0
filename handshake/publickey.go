package handshake

import (
	"bytes"
	"fmt"

	"kith/internal/curve25519"
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
	public, err = curve25519.Montgomery((*[32]byte)(&k))
	if err != nil {
		return public, fmt.Errorf("handshake: key %w: %w", err, ErrMalformed)
	}
	return public, nil
}

// Verify returns nil if sig is the signature by k of label ‖ 0x00 ‖ message (RFC 8032, Ed25519 without context or hashing
// before), and otherwise an error of class ErrAuthentication. k is a key that CheckContact has taken.
//
// Which signatures count is a rule about bytes, because libraries differ: curve25519.Verify has it.
func Verify(k PublicKey, label string, message, sig []byte) error {
	return verify(&k, labelled(label, message), sig)
}

// verify is Verify for a message as it was signed: BEP 44's items have no label.
func verify(k *PublicKey, message, sig []byte) error {
	if err := curve25519.Verify(k[:], message, sig); err != nil {
		return fmt.Errorf("handshake: %w: %w", err, ErrAuthentication)
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
