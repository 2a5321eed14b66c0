package dht

import (
	"bytes"

	"kith/conformance/lenient"
)

// What a node has to store.
func init() {
	Case("dht-put-immutable", Accept, func(s *Script) {
		s.Node().Offer(s.Immutable(s.Bytes(20))).WantReply()
	})

	// The second address uses a token of its own.
	Case("dht-put-immutable-from-two", Accept, func(s *Script) {
		it := s.Immutable(s.Bytes(20))
		s.Node().Keep(it)
		other := s.NodeAt(1)
		other.WantItem(it)
		other.Keep(s.Immutable(s.Bytes(21)))
	})

	Case("dht-put-mutable", Accept, func(s *Script) {
		s.Node().Offer(s.Mutable(1, "a value")).WantReply()
	})

	Case("dht-put-mutable-seq-zero", Accept, func(s *Script) {
		s.Node().Keep(s.Mutable(0, "a value"))
	})

	Case("dht-put-mutable-salt-64", Accept, func(s *Script) {
		s.Node().Keep(s.Mutable(1, "a value").WithSalt(s.Bytes(64)))
	})

	Case("dht-put-mutable-salt-1", Accept, func(s *Script) {
		s.Node().Keep(s.Mutable(1, "a value").WithSalt([]byte{0}))
	})

	Case("dht-put-seq-higher", Accept, func(s *Script) {
		it := s.Mutable(1, "old")
		s.Node().Replace(it, it.Next(2, "new"))
	})

	Case("dht-put-seq-higher-from-zero", Accept, func(s *Script) {
		it := s.Mutable(0, "old")
		s.Node().Replace(it, it.Next(1, "new"))
	})

	Case("dht-put-seq-higher-far", Accept, func(s *Script) {
		it := s.Mutable(9, "old")
		s.Node().Replace(it, it.Next(1<<40, lenient.L{"new", 1}))
	})

	Case("dht-put-seq-higher-same-value", Accept, func(s *Script) {
		it := s.Mutable(9, "a value")
		s.Node().Replace(it, it.Next(10, "a value"))
	})

	// Whoever wants an item to stay puts it again every hour, the owner or not: BEP 44, "Expiration".
	Case("dht-put-again", Accept, func(s *Script) {
		n := s.Node()
		it := s.Mutable(4, "a value")
		n.Have(it)
		n.wantAgain(it)
		n.WantItem(it)
	})

	Case("dht-put-again-immutable", Accept, func(s *Script) {
		n := s.Node()
		it := s.Immutable(s.Bytes(20))
		n.Have(it)
		n.Offer(it).WantReply()
		n.WantItem(it)
	})

	Case("dht-put-again-from-another", Accept, func(s *Script) {
		it := s.Mutable(4, "a value")
		s.Node().Have(it)
		s.NodeAt(1).wantAgain(it)
	})

	Case("dht-put-cas-equal", Accept, func(s *Script) {
		it := s.Mutable(5, "old")
		s.Node().Replace(it, it.Next(6, "new").WithCAS(5))
	})

	Case("dht-put-cas-equal-zero", Accept, func(s *Script) {
		it := s.Mutable(0, "old")
		s.Node().Replace(it, it.Next(1, "new").WithCAS(0))
	})

	// The number to compare with is the stored item's seq, not the cas with which that one came.
	Case("dht-put-cas-equal-again", Accept, func(s *Script) {
		it := s.Mutable(5, "old")
		n := s.Node()
		n.Replace(it, it.Next(6, "new").WithCAS(5))
		n.Keep(it.Next(7, "newest").WithCAS(6))
	})

	Case("dht-put-cas-nothing", Accept, func(s *Script) {
		s.Node().Keep(s.Mutable(3, "a value").WithCAS(2))
	})

	Case("dht-put-cas-nothing-zero", Accept, func(s *Script) {
		s.Node().Keep(s.Mutable(1, "a value").WithCAS(0))
	})

	Case("dht-put-salts", Accept, func(s *Script) {
		n := s.Node()
		plain := s.Mutable(9, "plain")
		salted := plain.WithSalt([]byte("one")).Next(5, "one")
		other := plain.WithSalt([]byte("two")).Next(1, "two")
		for _, it := range []*Item{plain, salted, other} {
			n.Keep(it)
		}
		for _, it := range []*Item{plain, salted, other} {
			n.WantItem(it)
		}
	})

	Case("dht-put-salts-one-inside-the-other", Survive, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it := s.Mutable(1, "a value").WithSalt([]byte("salt"))
			n.Have(it)
			n.WantNoItem(it.WithSalt(nil).Target(), it.WithSalt([]byte("sal")).Target(), it.WithSalt([]byte("salts")).Target())
		})
	})

	Case("dht-put-salt-empty", Accept, func(s *Script) {
		s.Node().Keep(s.Mutable(1, "a value").WithSalt([]byte{}))
	})

	Case("dht-put-salt-empty-then-none", Accept, func(s *Script) {
		it := s.Mutable(1, "old").WithSalt([]byte{})
		s.Node().Replace(it, it.Next(2, "new").WithSalt(nil))
	})

	// Under keys of their own, so that what other cases put cannot stand in for them.
	for _, v := range []struct {
		name  string
		value any
	}{
		{"empty-string", ""},
		{"zero", 0},
		{"negative", -7},
		{"empty-list", lenient.L{}},
		{"empty-dictionary", dict()},
	} {
		Case("dht-put-types-"+v.name, Accept, func(s *Script) {
			s.Node().Keep(s.Mutable(1, v.value))
		})
	}

	Case("dht-put-thousand", Accept, func(s *Script) {
		s.Node().Keep(s.Immutable(s.sized(1000)))
	})

	Case("dht-put-thousand-mutable", Accept, func(s *Script) {
		s.Node().Keep(s.Mutable(1, s.sized(1000)).WithSalt(s.Bytes(64)))
	})

	Case("dht-put-thousand-list", Accept, func(s *Script) {
		s.Node().Keep(s.Immutable(s.sizedList(1000)))
	})

	Case("dht-put-plain", Accept, func(s *Script) {
		n := s.Node()
		it := s.Immutable(s.Bytes(20))
		n.Offer(it).NoArg("seq", "target").WantReply()
		n.WantItem(it)
	})

	Case("dht-put-plain-no-target", Accept, func(s *Script) {
		n := s.Node()
		it := s.Immutable(s.Bytes(20))
		n.Offer(it).NoArg("target").WantReply()
		n.WantItem(it)
	})

	Case("dht-put-plain-mutable", Accept, func(s *Script) {
		n := s.Node()
		it := s.Mutable(1, "a value")
		n.Offer(it).NoArg("target").WantReply()
		n.WantItem(it)
	})
}

// wantAgain offers a mutable item that the target has. BEP 44 has the put of an equal `seq` rejected, and its timer reset if the value is the
// same: the answer may be a reply, or the error for what is not newer.
func (n *Node) wantAgain(it *Item) {
	sent := n.Offer(it).Send()
	if a := sent.first("a reply"); a.IsError() && a.Message.Code == 302 {
		n.s.Note("the target answers error 302 to an item that it has; whether it counts the item's life anew cannot be seen")
		return
	}
	sent.WantReply()
}

// sized draws a string that has n bytes when bencoded, from 106 to 1,005.
func (s *Script) sized(n int) []byte {
	return s.Bytes(n - len(encode(bytes.Repeat([]byte{0}, n-5))) + n - 5)
}

// sizedList draws a list that has n bytes when bencoded: small integers and a string.
func (s *Script) sizedList(n int) lenient.L {
	l := lenient.L{}
	for range 100 {
		l = append(l, s.IntN(10))
	}
	return append(l, s.sized(n-len(encode(l))))
}
