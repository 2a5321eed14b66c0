package handshake

import (
	"fmt"

	"kith/internal/curve25519"
)

// X25519Size is the size in bytes of an X25519 private key, public key and shared secret (RFC 7748).
const X25519Size = 32

// CheckX25519 returns nil if public is the one encoding of its u: below 2²⁵⁵ − 19, and so with bit 255 clear. RFC 7748 takes
// every 32 bytes, and so do libraries; but then one key has several encodings, and a transcript would not name it.
func CheckX25519(public *[X25519Size]byte) error {
	if !curve25519.Canonical(public) { // rv-x25519-canonical
		return refusedX25519(curve25519.ErrNotCanonical)
	}
	return nil
}

// X25519 puts the shared secret of private and public into shared. It returns an error of class ErrMalformed, and leaves shared
// all zeros, if public is not canonical or if the result is all zeros, as it is for every public key of small order.
func X25519(shared, private, public *[X25519Size]byte) error {
	if err := curve25519.X25519(shared, private, public); err != nil {
		return refusedX25519(err)
	}
	return nil
}

func refusedX25519(err error) error {
	return fmt.Errorf("handshake: X25519 key %w: %w", err, ErrMalformed)
}

// X25519Public returns the public key of private, any 32 bytes.
func X25519Public(private *[X25519Size]byte) (public [X25519Size]byte) {
	return curve25519.Public(private)
}
