package handshake

import (
	"fmt"
	"slices"

	"github.com/cloudflare/circl/dh/x25519"
)

// X25519Size is the size in bytes of an X25519 private key, public key and shared secret (RFC 7748).
const X25519Size = 32

// CheckX25519 returns nil if public is the one encoding of its u: below 2²⁵⁵ − 19, and so with bit 255 clear. RFC 7748 takes
// every 32 bytes, and so do libraries; but then one key has several encodings, and a transcript would not name it.
func CheckX25519(public *[X25519Size]byte) error {
	if !belowPrime(public) { // rv-x25519-canonical
		return fmt.Errorf("handshake: X25519 key is not canonical: %w", ErrMalformed)
	}
	return nil
}

// X25519 puts the shared secret of private and public into shared. It returns an error of class ErrMalformed, and leaves shared
// all zeros, if public is not canonical or if the result is all zeros, as it is for every public key of small order.
func X25519(shared, private, public *[X25519Size]byte) error {
	clear(shared[:])
	if err := CheckX25519(public); err != nil {
		return err
	}
	// circl says by its bool that the result is 0, after having written it.
	if !x25519.Shared((*x25519.Key)(shared), (*x25519.Key)(private), (*x25519.Key)(public)) { // rv-x25519-zero
		clear(shared[:])
		return fmt.Errorf("handshake: X25519 key has a small order: %w", ErrMalformed)
	}
	return nil
}

// X25519Public returns the public key of private, any 32 bytes.
func X25519Public(private *[X25519Size]byte) (public [X25519Size]byte) {
	x25519.KeyGen((*x25519.Key)(&public), (*x25519.Key)(private))
	return public
}

// smallOrdersX25519 holds the u below 2²⁵⁵ − 19 of the points of curve and twist whose order divides 8, little-endian.
var smallOrdersX25519 = [...][X25519Size]byte{
	{0},
	{1},
	{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
		0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
	{0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
		0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
	{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
}

// smallOrderX25519 reports whether X25519 gives zero for the canonical public, whatever the private key: clamping makes that a
// multiple of 8.
func smallOrderX25519(public *[X25519Size]byte) bool {
	return slices.Contains(smallOrdersX25519[:], *public)
}
