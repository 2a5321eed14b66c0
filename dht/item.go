package dht

import (
	"bytes"
	"crypto/ed25519"
	"fmt"

	"kith/internal/curve25519"
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
	i.Sig = curve25519.Sign(key, wire.AppendSigned(nil, salt, seq, value))
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
	return curve25519.Verify(k, wire.AppendSigned(buf[:0], salt, seq, value), sig) == nil // dht-item-ed25519
}
