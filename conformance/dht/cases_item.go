package dht

import (
	"crypto/sha1"
	"fmt"
	"slices"
)

// Which bytes an item signs, and where it is found.
func init() {
	Case("wire-item-signed-published", Accept, func(s *Script) {
		s.Node().PutPublished(published(publishedSig1, nil), published1)
	})

	Case("wire-item-signed-published-salt", Accept, func(s *Script) {
		s.Node().PutPublished(published(publishedSig2, []byte("foobar")), published2)
	})

	// BEP 44 prints the length of the value twice; its own signatures have it once.
	Case("wire-item-signed-length-twice", Survive, func(s *Script) {
		s.otherBytes(func(it *Item) string {
			v := string(encode(it.Value))
			return fmt.Sprintf("3:seqi%de1:v%d:%s", it.Seq, len(v), v)
		})
	})

	Case("wire-item-signed-dictionary", Survive, func(s *Script) {
		s.otherBytes(func(it *Item) string { return "d" + string(it.Signed()) + "e" })
	})

	// An empty salt is no salt, also in what is signed.
	Case("wire-item-signed-salt-empty", Survive, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it := s.Mutable(1, "a value").WithSalt([]byte{})
			n.NotStored(n.Offer(it.Over(slices.Concat([]byte("4:salt0:"), it.Signed()))), it.Target())
		})
	})

	Case("wire-target-mutable", Accept, func(s *Script) {
		s.Node().Keep(s.Mutable(1, "a value").WithSalt([]byte("a salt")))
	})

	Case("wire-target-mutable-given", Survive, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it, given := s.Mutable(1, "a value"), s.ID()
			n.NotStored(n.Offer(it).Arg("target", given), given)
		})
	})

	Case("wire-target-mutable-otherwise", Survive, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it := s.Mutable(1, s.Bytes(20)).WithSalt([]byte("a salt"))
			n.Have(it)
			n.WantNoItem(sha1.Sum(slices.Concat(it.Salt, it.Public())), sha1.Sum(it.Public()), sha1.Sum(encode(it.Value)),
				sha1.Sum(slices.Concat(it.Public(), []byte("6:"), it.Salt)))
		})
	})

	Case("wire-target-immutable-published", Accept, func(s *Script) {
		s.Node().PutPublished(s.Immutable("Hello World!"), published3)
	})

	Case("wire-target-immutable-given", Survive, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it, given := s.Immutable(s.Bytes(20)), s.ID()
			n.NotStored(n.Offer(it).Arg("target", given), given)
		})
	})

	// Of the bencoded value, not of the string in it.
	Case("wire-target-immutable-bare", Survive, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			b := s.Bytes(20)
			n.Have(s.Immutable(b))
			n.WantNoItem(sha1.Sum(b))
		})
	})
}

// otherBytes judges a put whose signature, by the right key, is over bytes that are not the ones to be signed.
func (s *Script) otherBytes(bytes func(it *Item) string) {
	s.Judge((*Node).KeepAny, func(n *Node) {
		it := s.Mutable(1, "a value")
		n.NotStored(n.Offer(it.Over([]byte(bytes(it)))), it.Target())
	})
}
