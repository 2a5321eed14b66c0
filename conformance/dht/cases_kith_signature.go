package dht

import (
	"crypto/ed25519"
	"crypto/sha1"
	"crypto/sha512"
	"math/big"
	"slices"
)

// Signatures that satisfy the equation of Ed25519 and are still refused, because libraries differ about them: what one node stores
// another would call forged.
func init() {
	Case("dht-item-ed25519-s", Survive, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it := s.Mutable(1, "a value")
			sig := it.Signature()
			n.NotStored(n.Offer(it.WithSig(signature(sig[:32], new(big.Int).Add(fromLittle(sig[32:]), order)))), it.Target())
		})
	})

	// With the neutral element as the key everybody is its owner.
	Case("dht-item-ed25519-k-neutral", Survive, func(s *Script) { s.smallKey(neutral) })

	Case("dht-item-ed25519-k-small-order", Survive, func(s *Script) {
		s.smallKey(unhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))
	})

	// 2²⁵⁵ − 18 is 1 again.
	Case("dht-item-ed25519-k-not-canonical", Survive, func(s *Script) {
		s.smallKey(unhex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"))
	})

	Case("dht-item-ed25519-r-neutral", Survive, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it := s.Mutable(1, "a value")
			n.NotStored(n.Offer(it.WithSig(neutralR(it))), it.Target())
		})
	})
}

// smallKey judges a put under a key whose order divides 8.
func (s *Script) smallKey(key []byte) {
	s.Judge((*Node).KeepAny, func(n *Node) {
		it := s.underSmallKey(key)
		n.NotStored(n.Offer(it).Arg("k", key).Arg("target", sha1.Sum(key)), sha1.Sum(key))
	})
}

// underSmallKey is an item with a signature that holds under key, whose order divides 8: R is the public key of somebody whose
// scalar is known, and the value is one for which the challenge is a multiple of 8, so that the key falls out.
func (s *Script) underSmallKey(key []byte) *Item {
	it := s.Mutable(1, 0)
	eight := big.NewInt(8)
	for v := 1; new(big.Int).Mod(challenge(it.Public(), key, it.Signed()), eight).Sign() != 0; v++ {
		it.Value = v
	}
	return it.WithSig(signature(it.Public(), scalar(it.Key)))
}

// neutralR is a signature of the item whose R is the neutral element: S = k·a.
func neutralR(it *Item) []byte {
	k := challenge(neutral, it.Public(), it.Signed())
	return signature(neutral, k.Mod(k.Mul(k, scalar(it.Key)), order))
}

// order is L, the order of the base point: RFC 8032, section 5.1.
var order, _ = new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)

// neutral encodes the neutral element, whose y is 1.
var neutral = append([]byte{1}, make([]byte, 31)...)

// challenge is k of RFC 8032, section 5.1.7, reduced.
func challenge(r, public, message []byte) *big.Int {
	h := sha512.Sum512(slices.Concat(r, public, message))
	return new(big.Int).Mod(fromLittle(h[:]), order)
}

// scalar is the secret scalar of a key, RFC 8032, section 5.1.5.
func scalar(key ed25519.PrivateKey) *big.Int {
	h := sha512.Sum512(key.Seed())
	h[0] &= 248
	h[31] = h[31]&127 | 64
	return new(big.Int).Mod(fromLittle(h[:32]), order)
}

// signature writes R and S, which is not reduced here.
func signature(r []byte, s *big.Int) []byte {
	b := s.FillBytes(make([]byte, 32))
	slices.Reverse(b)
	return slices.Concat(r, b)
}

func fromLittle(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}
