package dht

import "kith/conformance/lenient"

func init() {
	Case("dht-get-token", Accept, func(s *Script) {
		s.Node().Get(s.ID()).WantReply().Token()
	})

	Case("dht-get-token-with-item", Accept, func(s *Script) {
		n := s.Node()
		it := s.Mutable(3, "a value")
		n.Have(it)
		n.Get(it.Target()).WantReply().Token()
		n.Get(it.Target()).Arg("seq", 3).WantReply().Token()
	})

	Case("dht-get-nodes", Accept, func(s *Script) {
		n := s.Node()
		n.Acquainted()
		r := n.Get(s.ID()).WantReply()
		r.Check(len(r.Contacts()) > 0, "a node in `nodes`: the target knows one")
	})

	Case("dht-get-nodes-closest", Accept, func(s *Script) {
		n := s.Node()
		n.wantClosest(n.Get, s.besideNeighbours()...)
	})

	Case("dht-get-nothing", Survive, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) { n.WantNoItem(s.ID()) })
	})

	Case("dht-get-nothing-one-bit-away", Survive, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it := s.Immutable(s.Bytes(24))
			n.Have(it)
			target := it.Target()
			n.WantNoItem([20]byte(flipped(target[:])))
		})
	})

	// dht-get-nothing-announced: peers and items are different things under one target.
	Case("dht-get-nothing-announced", Survive, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			infoHash := s.ID()
			s.Given(func() { n.Announce(infoHash, n.Token(infoHash), 6881).WantReply() })
			n.WantNoItem(infoHash)
		})
	})

	Case("dht-get-immutable-binary", Accept, func(s *Script) {
		every := make([]byte, 256)
		for i := range every {
			every[i] = byte(i)
		}
		s.Node().Keep(s.Immutable(lenient.L{every, s.Bytes(16)}))
	})

	// An integer of bencode has no bounds; beyond 2⁵³ a double can no longer hold it.
	Case("dht-get-immutable-integer", Accept, func(s *Script) {
		s.Node().Keep(s.Immutable(int64(1)<<60 + int64(s.IntN(1<<30))*2 + 1))
	})

	// Keys in the order of their bytes, in which UTF-16 would put the last two the other way round.
	Case("dht-get-immutable-dictionary", Accept, func(s *Script) {
		s.Node().Keep(s.Immutable(dict("", s.Bytes(16), "a", 1, "\xef\xbf\xbf", lenient.L{}, "\xf0\x90\x80\x80", dict())))
	})

	Case("dht-get-immutable-nested", Accept, func(s *Script) {
		s.Node().Keep(s.Immutable(lenient.L{lenient.L{lenient.L{}, dict("k", lenient.L{0, "", s.Bytes(8)})}, -1}))
	})

	Case("dht-get-mutable", Accept, func(s *Script) {
		s.Node().Keep(s.Mutable(1, "a value"))
	})

	Case("dht-get-mutable-salt", Accept, func(s *Script) {
		s.Node().Keep(s.Mutable(7, s.Bytes(30)).WithSalt([]byte("a salt")))
	})

	Case("dht-get-mutable-nested", Accept, func(s *Script) {
		s.Node().Keep(s.Mutable(2, dict("a", lenient.L{"b", 1}, "z", dict("y", ""))))
	})

	// BEP 44 lets a node refuse numbers beyond 2⁶³ − 1. Those below are signed as they stand, to the last digit.
	Case("dht-get-mutable-seq-large", Accept, func(s *Script) {
		s.Node().Keep(s.Mutable(1<<53+1, "a value"))
	})

	Case("dht-get-seq", Survive, func(s *Script) { s.askSince(5, 5) })
	Case("dht-get-seq-higher", Survive, func(s *Script) { s.askSince(5, 6) })
	Case("dht-get-seq-zero", Survive, func(s *Script) { s.askSince(0, 0) })

	Case("dht-get-seq-newer", Accept, func(s *Script) {
		n := s.Node()
		it := s.Mutable(5, "a value")
		n.Have(it)
		n.Get(it.Target()).Arg("seq", 4).WantReply().WantItem(it)
	})

	Case("dht-get-seq-newer-zero", Accept, func(s *Script) {
		n := s.Node()
		it := s.Mutable(1, "a value")
		n.Have(it)
		n.Get(it.Target()).Arg("seq", 0).WantReply().WantItem(it)
	})

	// The item is replaced between two questions that are the same.
	Case("dht-get-seq-newer-replaced", Accept, func(s *Script) {
		n := s.Node()
		it := s.Mutable(5, "old")
		n.Have(it)
		n.Get(it.Target()).Arg("seq", 5).WantReply()
		n.Have(it.Next(6, "new"))
		n.Get(it.Target()).Arg("seq", 5).WantReply().WantItem(it.Next(6, "new"))
	})

	Case("dht-get-both", Accept, func(s *Script) {
		n := s.Node()
		n.Acquainted()
		it := s.Immutable(s.Bytes(20))
		n.Have(it)
		r := n.Get(it.Target()).WantReply()
		r.RawOf("v")
		r.Check(len(r.Contacts()) > 0, "a node in `nodes` beside `v`: the target knows one")
	})
}

// askSince puts an item and asks for what is newer than since, which it is not. The control asks for it as it is.
func (s *Script) askSince(seq, since int64) {
	s.Judge((*Node).KeepAny, func(n *Node) {
		it := s.Mutable(seq, "a value")
		n.Have(it)
		n.Get(it.Target()).Arg("seq", since).Look().WantNo("k", "sig", "v")
	})
}
