// Package curve25519 is X25519 (RFC 7748) and Ed25519 (RFC 8032) with the rules of spec/rendezvous.md, "Keys that are refused" and
// "Signatures", on what is accepted. Libraries differ there, so the rules are about bytes and stand here, around circl and
// edwards25519, which compute. Nothing else calls them for this curve.
//
// The words of an error are a predicate, such as "has a small order": the caller knows what is meant, and of which class it is.
package curve25519

import (
	"encoding/binary"
	"errors"
)

// What is wrong with a key.
var (
	ErrNotCanonical = errors.New("is not canonical")
	ErrNotOnCurve   = errors.New("is not a point of the curve")
	ErrSmallOrder   = errors.New("has a small order")
	ErrSubgroup     = errors.New("is outside of the subgroup of prime order")
)

// Canonical reports whether u, little-endian, is below p = 2²⁵⁵ − 19, and so has bit 255 clear: whether it is the one encoding of
// an X25519 public key. RFC 7748 takes every 32 bytes, and so do libraries; but then one key has several encodings, and a
// transcript would not name it.
func Canonical(u *[32]byte) bool {
	high := binary.LittleEndian.Uint64(u[24:])
	switch {
	case high != 1<<63-1:
		return high < 1<<63-1
	case binary.LittleEndian.Uint64(u[8:])&binary.LittleEndian.Uint64(u[16:]) != 1<<64-1:
		return true
	}
	return binary.LittleEndian.Uint64(u[:]) < 1<<64-19
}
