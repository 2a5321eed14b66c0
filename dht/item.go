package dht

import (
	"bytes"
	"crypto/subtle"
	"encoding/binary"
	"fmt"

	"github.com/cloudflare/circl/sign/ed25519"

	"kith/wire"
)

// Limits of an item, in bytes (BEP 44).
const (
	MaxValue = 1000 // of Value, bencoded
	MaxSalt  = 64
)

// An Item is what BEP 44 lets nodes store for others: an immutable item, found under the hash of its value, or a mutable one,
// found under its owner's public key and a salt.
type Item struct {
	// Value is one canonical bencoded value of at most MaxValue bytes.
	Value []byte

	// Mutable says that the fields below count.
	Mutable bool
	Key     [32]byte // k, the owner's Ed25519 public key
	Sig     [64]byte // sig, over wire.AppendSigned(nil, Salt, Seq, Value)
	Salt    []byte   // at most MaxSalt bytes; empty is the same as none
	Seq     int64    // not negative
}

// SignItem returns the mutable item that the owner of key signs. It returns an error of class ErrLimit for a value or salt that is too long, and of
// class ErrMalformed for a value that is not canonical bencode or a negative seq.
func SignItem(key ed25519.PrivateKey, salt []byte, seq int64, value []byte) (Item, error) {
	i := Item{Value: bytes.Clone(value), Mutable: true, Salt: bytes.Clone(salt), Seq: seq}
	copy(i.Key[:], key[ed25519.SeedSize:])
	copy(i.Sig[:], ed25519.Sign(key, wire.AppendSigned(nil, salt, seq, value)))
	return i, i.Check()
}

// Target returns the target under which the item is found.
func (i Item) Target() wire.ID {
	if i.Mutable {
		return wire.MutableTarget(i.Key[:], i.Salt)
	}
	return wire.ImmutableTarget(i.Value)
}

// Check returns nil if nodes may store the item. Otherwise the error's class is ErrLimit, ErrMalformed or, for a signature that does not
// verify, ErrAuthentication.
func (i Item) Check() error {
	if err := wire.CheckBencode(i.Value); err != nil {
		return fmt.Errorf("dht: value of item: %w: %w", ErrMalformed, err)
	}
	switch {
	case len(i.Value) > MaxValue:
		return fmt.Errorf("dht: value of item is %d bytes, more than %d: %w", len(i.Value), MaxValue, ErrLimit)
	case !i.Mutable:
		return nil
	case len(i.Salt) > MaxSalt:
		return fmt.Errorf("dht: salt of item is %d bytes, more than %d: %w", len(i.Salt), MaxSalt, ErrLimit)
	case i.Seq < 0:
		return fmt.Errorf("dht: seq of item is negative: %w", ErrMalformed)
	case !verifyItem(i.Key[:], i.Sig[:], i.Salt, i.Seq, i.Value):
		return fmt.Errorf("dht: signature of item does not verify: %w", ErrAuthentication)
	}
	return nil
}

// verifyItem reports whether sig is the signature of a mutable item by the owner of the public key k.
func verifyItem(k, sig, salt []byte, seq int64, value []byte) bool {
	var buf [MaxSalt + MaxValue + 64]byte
	return verifySignature(k, wire.AppendSigned(buf[:0], salt, seq, value), sig)
}

// verifySignature is Ed25519's verification with the acceptance rules bytewise, because libraries differ: S < L, k and R
// canonical and not of small order, without cofactor. circl checks S, and compares R with the canonical form of what it
// computed; it takes any encoding of k, and points of small order for both.
func verifySignature(k, msg, sig []byte) bool {
	return ordinaryPoint(k) && ordinaryPoint(sig[:32]) && ed25519.Verify(k, msg, sig) // dht-item-ed25519
}

// smallOrder holds the y coordinates of the eight points whose order divides 8, little-endian: 0 for the order 4, 1 and −1 for
// 1 and 2, and two for the order 8.
var smallOrder = [...][32]byte{
	{},
	{1},
	{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
	{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
		0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
	{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
		0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
}

// ordinaryPoint reports whether p, 32 bytes, may encode a public key or an R: its y is below 2²⁵⁵ − 19, and is not that of a point
// of small order. That also leaves out −0 as x, since x is 0 only where y is 1 or −1. Whether the point is on the curve is
// left to who decodes it.
func ordinaryPoint(p []byte) bool {
	var y [32]byte
	copy(y[:], p)
	y[31] &= 0x7f // the sign of x
	for i := range smallOrder {
		if subtle.ConstantTimeCompare(y[:], smallOrder[i][:]) == 1 {
			return false
		}
	}
	high := binary.LittleEndian.Uint64(y[8:]) & binary.LittleEndian.Uint64(y[16:]) & (binary.LittleEndian.Uint64(y[24:]) | 1<<63)
	return high != 1<<64-1 || binary.LittleEndian.Uint64(y[:]) < 1<<64-19
}
