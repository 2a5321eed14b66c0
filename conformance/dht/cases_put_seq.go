package dht

// cas and seq: which item takes another's place.
func init() {
	Case("dht-put-cas-lower", Survive, func(s *Script) { s.wrongCAS(5, 4) })
	Case("dht-put-cas-higher", Survive, func(s *Script) { s.wrongCAS(5, 6) })
	Case("dht-put-cas-zero", Survive, func(s *Script) { s.wrongCAS(5, 0) })
	Case("dht-put-cas-own-seq", Survive, func(s *Script) { s.wrongCAS(5, 9) })

	// The seq of the item before the last does not do either.
	Case("dht-put-cas-before-last", Survive, func(s *Script) {
		s.Judge(casControl, func(n *Node) {
			it := s.Mutable(5, "old")
			s.Given(func() { n.Replace(it, it.Next(6, "new").WithCAS(5)) })
			n.NotReplaced(it.Next(6, "new"), n.Offer(it.Next(7, "newest").WithCAS(5)))
		})
	})

	Case("dht-put-301", Reject, func(s *Script) {
		s.Judge(casControl, func(n *Node) {
			it := s.Mutable(5, "old")
			n.Have(it)
			n.Offer(it.Next(9, "new").WithCAS(4)).WantError(301)
		})
	})

	Case("dht-put-301-higher", Reject, func(s *Script) {
		s.Judge(casControl, func(n *Node) {
			it := s.Mutable(5, "old")
			n.Have(it)
			n.Offer(it.Next(9, "new").WithCAS(8)).WantError(301)
		})
	})

	Case("dht-put-301-zero", Reject, func(s *Script) {
		s.Judge(casControl, func(n *Node) {
			it := s.Mutable(5, "old")
			n.Have(it)
			n.Offer(it.Next(9, "new").WithCAS(0)).WantError(301)
		})
	})

	Case("dht-put-seq-lower", Survive, func(s *Script) { s.notNewer(5, 4, "new") })
	Case("dht-put-seq-lower-zero", Survive, func(s *Script) { s.notNewer(5, 0, "new") })
	Case("dht-put-seq-lower-same-value", Survive, func(s *Script) { s.notNewer(5, 4, "old") })

	// A right cas does not make an older item newer.
	Case("dht-put-seq-lower-cas", Survive, func(s *Script) {
		s.Judge(casControl, func(n *Node) {
			it := s.Mutable(5, "old")
			n.Have(it)
			n.NotReplaced(it, n.Offer(it.Next(4, "new").WithCAS(5)))
		})
	})

	// As text "10" comes before "9".
	Case("dht-put-seq-lower-digits", Survive, func(s *Script) { s.notNewer(10, 9, "new") })

	Case("dht-put-302", Reject, func(s *Script) {
		s.Judge(seqControl, func(n *Node) {
			it := s.Mutable(5, "old")
			n.Have(it)
			n.Offer(it.Next(4, "new")).WantError() // BEP 44: the node MAY say 302
		})
	})

	Case("dht-put-302-one-below", Reject, func(s *Script) {
		s.Judge(seqControl, func(n *Node) {
			it := s.Mutable(1, "old").WithSalt([]byte("a salt"))
			n.Have(it)
			n.Offer(it.Next(0, "new")).WantError()
		})
	})

	Case("dht-put-seq-same", Survive, func(s *Script) { s.notNewer(5, 5, "new") })
	Case("dht-put-seq-same-zero", Survive, func(s *Script) { s.notNewer(0, 0, "new") })

	Case("dht-put-seq-same-cas", Survive, func(s *Script) {
		s.Judge(casControl, func(n *Node) {
			it := s.Mutable(5, "old")
			n.Have(it)
			n.NotReplaced(it, n.Offer(it.Next(5, "new").WithCAS(5)))
		})
	})
}

// seqControl replaces an item by a newer one.
func seqControl(n *Node) {
	it := n.s.Mutable(1, "old")
	n.Replace(it, it.Next(2, "new"))
}

// casControl is a put with a `cas`, under which nothing is stored, so that it works in nodes that compare it with the wrong number.
func casControl(n *Node) { n.Keep(n.s.Mutable(1, "a value").WithCAS(0)) }

// wrongCAS judges a put over an item with seq, newer than that, with a cas that is another number.
func (s *Script) wrongCAS(seq, cas int64) {
	s.Judge(casControl, func(n *Node) {
		it := s.Mutable(seq, "old")
		n.Have(it)
		n.NotReplaced(it, n.Offer(it.Next(9, "new").WithCAS(cas)))
	})
}

// notNewer judges a put over an item with seq that is not newer.
func (s *Script) notNewer(seq, other int64, value string) {
	s.Judge(seqControl, func(n *Node) {
		it := s.Mutable(seq, "old")
		n.Have(it)
		n.NotReplaced(it, n.Offer(it.Next(other, value)))
	})
}
