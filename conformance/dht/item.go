package dht

import (
	"crypto/ed25519"
	"crypto/sha1"
	"slices"
	"strconv"

	"kith/conformance/lenient"
)

// Item is a BEP 44 item. With a Key it is mutable, and Put signs it; the exported fields bend what is sent.
type Item struct {
	Value any // what lenient.Encode takes
	Key   ed25519.PrivateKey
	Salt  []byte
	Seq   int64
	CAS   *int64
	Sig   []byte // if not nil, sent in place of the right signature
}

// Key draws a key pair for mutable items.
func (s *Script) Key() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(s.Bytes(32)) }

// Immutable is an immutable item.
func (s *Script) Immutable(value any) *Item { return &Item{Value: value} }

// Mutable is a mutable item under a new key.
func (s *Script) Mutable(seq int64, value any) *Item {
	return &Item{Value: value, Key: s.Key(), Seq: seq}
}

// Next is a copy of the item with another sequence number and value, under the same key and salt.
func (it *Item) Next(seq int64, value any) *Item {
	n := *it
	n.Seq, n.Value, n.Sig, n.CAS = seq, value, nil, nil
	return &n
}

// WithCAS is a copy of the item with `cas`.
func (it *Item) WithCAS(cas int64) *Item {
	n := *it
	n.CAS = &cas
	return &n
}

// WithSalt is a copy of the item with another salt.
func (it *Item) WithSalt(salt []byte) *Item {
	n := *it
	n.Salt = salt
	return &n
}

// Public returns the public key, 32 bytes.
func (it *Item) Public() []byte { return []byte(it.Key.Public().(ed25519.PublicKey)) }

// Target is where the item is stored: SHA-1 of the key and the salt, or of the bencoded value.
func (it *Item) Target() [20]byte {
	if it.Key == nil {
		return sha1.Sum(lenient.Encode(it.Value))
	}
	return sha1.Sum(slices.Concat(it.Public(), it.Salt))
}

// Signed are the bytes that a mutable item signs, BEP 44, "Signature Verification".
func (it *Item) Signed() []byte {
	var b []byte
	if len(it.Salt) > 0 {
		b = append(b, "4:salt"+strconv.Itoa(len(it.Salt))+":"...)
		b = append(b, it.Salt...)
	}
	b = append(b, "3:seqi"+strconv.FormatInt(it.Seq, 10)+"e1:v"...)
	return lenient.Append(b, it.Value)
}

// Signature signs the item.
func (it *Item) Signature() []byte { return ed25519.Sign(it.Key, it.Signed()) }

// args are the arguments of a put of the item beside `id`, `token` and `target`.
func (it *Item) args() lenient.D {
	d := lenient.D{{Key: "v", Value: it.Value}, {Key: "seq", Value: it.Seq}}
	if it.CAS != nil {
		d = append(d, lenient.E{Key: "cas", Value: *it.CAS})
	}
	if it.Salt != nil {
		d = append(d, lenient.E{Key: "salt", Value: it.Salt})
	}
	if it.Key != nil {
		sig := it.Sig
		if sig == nil {
			sig = it.Signature()
		}
		d = append(d, lenient.E{Key: "k", Value: it.Public()}, lenient.E{Key: "sig", Value: sig})
	}
	return d
}
