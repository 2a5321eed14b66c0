package dht

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"slices"

	"kith/conformance"
)

// Offer begins a right put of an item: its token was given to this node for this target, just now. Both belong to what a case needs, not
// to what it judges; so does that nobody put another item there before, as an earlier run with the same seed has.
func (n *Node) Offer(it *Item) *Packet {
	s, target := n.s, it.Target()
	var token []byte
	s.Given(func() {
		r := n.Get(target).WantReply()
		token = r.Token()
		if !slices.Contains(s.put, target) && r.Has("v") && !r.has(it) {
			s.Inconclusive("the target has no item here yet (from an earlier run? Then another --seed, or a target that was started again)")
		}
	})
	s.put = append(s.put, target)
	return n.Put(token, it)
}

// Keep puts an item and sees that the target has it.
func (n *Node) Keep(it *Item) {
	n.Offer(it).WantReply()
	n.WantItem(it)
}

// Have puts an item that the case needs and does not judge.
func (n *Node) Have(it *Item) { n.s.Given(func() { n.Keep(it) }) }

// KeepAny puts a mutable item of its own and sees that the target has it: the control of what must not be stored.
func (n *Node) KeepAny() { n.Keep(n.s.Mutable(1, n.s.Bytes(20))) }

// Replace puts an item and then another, which has to take its place.
func (n *Node) Replace(old, new *Item) {
	n.Keep(old)
	n.Keep(new)
}

// WantItem fails unless the target gives the item as it was put.
func (n *Node) WantItem(it *Item) { n.Get(it.Target()).Look().WantItem(it) }

// WantItem fails unless the reply has the item as it was put.
func (r *Reply) WantItem(it *Item) {
	r.same("v", r.RawOf("v"), encode(it.Value))
	if it.Key == nil {
		return
	}
	r.same("k", r.Bytes("k"), it.Public())
	r.same("sig", r.Bytes("sig"), it.SigSent())
	if seq := r.Int("seq"); seq != it.Seq {
		r.Fail(fmt.Sprintf("`seq` %d, as it was put", it.Seq), fmt.Sprint(seq))
	}
}

// has reports whether the reply has the item that is to be put; to put it again changes nothing.
func (r *Reply) has(it *Item) bool {
	seq, _ := r.Message.R.Get("seq")
	return bytes.Equal(r.RawOf("v"), encode(it.Value)) && (it.Key == nil || seq.Int == it.Seq && it.CAS == nil)
}

func (r *Reply) same(key string, got, put []byte) {
	if !bytes.Equal(got, put) {
		r.Fail(fmt.Sprintf("`%s` as it was put, %s", key, short(conformance.Render(put))), short(conformance.Render(got)))
	}
}

// WantNoItem fails if the target has an item under one of the targets.
func (n *Node) WantNoItem(targets ...[20]byte) {
	for _, t := range targets {
		n.Get(t).Look().WantNo("v", "k", "sig")
	}
}

// NotStored sends a put, to which anything may be answered, and sees that nothing is stored under the targets.
func (n *Node) NotStored(put *Packet, targets ...[20]byte) {
	put.Outcome()
	n.WantNoItem(targets...)
}

// NotReplaced sends a put, to which anything may be answered, and sees that the target still has old.
func (n *Node) NotReplaced(old *Item, put *Packet) {
	put.Outcome()
	n.WantItem(old)
}

// SigSent is the signature that a put of the item carries.
func (it *Item) SigSent() []byte {
	if it.Sig != nil {
		return it.Sig
	}
	return it.Signature()
}

// WithSig is a copy of the item with another signature.
func (it *Item) WithSig(sig []byte) *Item {
	n := *it
	n.Sig = sig
	return &n
}

// Over is a copy of the item whose signature, by its own key, is over other bytes.
func (it *Item) Over(signed []byte) *Item { return it.WithSig(ed25519.Sign(it.Key, signed)) }

// flipped is b with its last bit changed.
func flipped(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)-1] ^= 1
	return b
}

// The items of BEP 44, "Test Vectors". The private key is published in an expanded form that the standard library cannot sign
// with; the signatures are published too.
const (
	publishedKey  = "77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548"
	publishedSig1 = "305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01"
	publishedSig2 = "6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17ddf9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08"
	published1    = "4a533d47ec9c7d95b1ad75f576cffc641853b750" // the target of the first, mutable
	published2    = "411eba73b6f087ca51a3795d9c8c938d365e32c1" // of the second, with a salt
	published3    = "e5f96f6f38320f0f33959cb4d3d656452117aadb" // of the third, immutable
)

// published is a published item.
func published(sig string, salt []byte) *Item {
	key := make(ed25519.PrivateKey, ed25519.PrivateKeySize)
	copy(key[ed25519.SeedSize:], unhex(publishedKey))
	return &Item{Value: "Hello World!", Key: key, Salt: salt, Seq: 1, Sig: unhex(sig)}
}

// PutPublished puts an item that other cases, and earlier runs, may have put before, so that a target that refuses the same
// item again may refuse this one; and sees that the target has it under the published target.
func (n *Node) PutPublished(it *Item, target string) {
	n.s.put = append(n.s.put, it.Target())
	n.Offer(it).Outcome()
	n.Get([20]byte(unhex(target))).WantReply().WantItem(it)
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err.Error())
	}
	return b
}
