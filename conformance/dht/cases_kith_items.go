package dht

import (
	"crypto/sha1"
	"fmt"
	"slices"

	"kith/conformance/lenient"
)

// What only Kith nodes promise about items.
func init() {
	Case("dht-get-seq-immutable", Accept, func(s *Script) {
		n := s.Node()
		it := s.Immutable(s.Bytes(20))
		n.Have(it)
		for _, seq := range []int64{0, 1, 1<<63 - 1} {
			n.Get(it.Target()).Arg("seq", seq).WantReply().WantItem(it)
		}
	})

	Case("dht-get-size", Accept, func(s *Script) {
		n := s.Node()
		n.Known()
		n.wantSmall(s.Mutable(1, s.sized(1000)))
	})

	Case("dht-get-size-immutable", Accept, func(s *Script) {
		n := s.Node()
		n.Known()
		n.wantSmall(s.Immutable(s.sized(1000)))
	})

	Case("dht-get-size-some-nodes", Accept, func(s *Script) {
		n := s.Node()
		n.Known()
		r := n.wantSmall(s.Immutable(s.sized(900)))
		r.Check(len(r.Nodes()) > 0, "some `nodes`, for a value of 900 bytes leaves room")
	})

	// A value so long that the answer would have one byte too much with all the nodes that a shorter one has beside it.
	Case("dht-get-size-to-the-byte", Accept, func(s *Script) {
		n := s.Node()
		n.Known()
		it := s.Immutable(s.sized(800))
		n.Have(it)
		r := n.Get(it.Target()).WantReply()
		it = s.Immutable(s.sized(min(1000, 800+1233-len(r.Raw))))
		n.Have(it)
		r = n.Get(it.Target()).WantReply()
		r.Check(len(r.Raw) <= 1232, fmt.Sprintf("at most 1,232 bytes and not %d", len(r.Raw)))
	})

	// Of the nodes that do not fit the farthest are left out.
	Case("dht-get-size-far-end", Accept, func(s *Script) {
		n := s.Node()
		known := n.Known()
		r := n.wantSmall(s.Immutable(s.sized(900)))
		target := sha1.Sum(r.RawOf("v"))
		x, found := leftOut(known, target, r)
		r.Check(!found, fmt.Sprintf("in `nodes` also %x at %v, which is closer than one that is named", x.ID, x.Addr))
	})

	for _, c := range []struct {
		name string
		put  func(s *Script, n *Node) *Packet
	}{
		{"value", func(s *Script, n *Node) *Packet { return n.Offer(s.Mutable(1, "a value")).NoArg("v") }},
		{"canonical", func(s *Script, n *Node) *Packet { return n.Offer(s.Immutable(lenient.Raw("d1:bi1e1:ai1ee"))) }},
		{"sig", func(s *Script, n *Node) *Packet { return n.Offer(s.Mutable(1, "a value")).NoArg("sig") }},
		{"seq", func(s *Script, n *Node) *Packet { return n.Offer(s.Mutable(0, "a value")).NoArg("seq") }},
		{"k", func(s *Script, n *Node) *Packet { return n.Offer(s.Mutable(1, "a value")).NoArg("k") }},
	} {
		Case("dht-put-203-"+c.name, Reject, func(s *Script) {
			s.Judge((*Node).KeepAny, func(n *Node) { c.put(s, n).WantError(203) })
		})
	}

	Case("dht-put-205", Reject, func(s *Script) { s.tooLong(s.Immutable(s.sized(1001))) })
	Case("dht-put-205-list", Reject, func(s *Script) { s.tooLong(s.Immutable(s.sizedList(1001))) })
	Case("dht-put-205-mutable", Reject, func(s *Script) { s.tooLong(s.Mutable(1, s.sized(1001))) })
	Case("dht-put-205-far", Reject, func(s *Script) { s.tooLong(s.Immutable(s.Bytes(3000))) })

	Case("dht-put-same-302", Reject, func(s *Script) {
		s.Judge(seqControl, func(n *Node) {
			it := s.Mutable(5, "old")
			n.Have(it)
			n.Offer(it.Next(5, "new")).WantError(302)
			n.WantItem(it)
		})
	})

	Case("dht-put-same-302-cas", Reject, func(s *Script) {
		s.Judge(seqControl, func(n *Node) {
			it := s.Mutable(5, "old")
			n.Have(it)
			n.Offer(it.Next(5, "new").WithCAS(5)).WantError(302)
			n.WantItem(it)
		})
	})

	// Each put has two faults, or more; the one that is checked first decides.
	Case("dht-put-order", Reject, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			long := s.Mutable(1, s.sized(1001)).WithSalt(s.Bytes(65))
			n.Offer(long).NoArg("seq").Arg("token", "").WantError(203)
			n.Offer(long).Arg("token", "").WantError(205)
		})
	})

	Case("dht-put-order-207-before-token", Reject, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			n.Offer(s.Mutable(1, "a value").WithSalt(s.Bytes(65))).Arg("token", "no token").WantError(207)
			n.Offer(s.Immutable(s.sized(1001))).NoArg("token").WantError(205)
		})
	})

	Case("dht-put-order-token-before-206", Reject, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it := s.Mutable(1, "a value")
			n.Offer(it.WithSig(s.Bytes(64))).Arg("token", "no token").WantError(203)
			n.Offer(it.WithSig(s.Bytes(64))).WantError(206)
		})
	})

	Case("dht-put-order-206-before-301", Reject, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it := s.Mutable(5, "old")
			n.Have(it)
			n.Offer(it.Next(6, "new").WithCAS(4).WithSig(s.Bytes(64))).WantError(206)
			n.Offer(it.Next(4, "new").WithSig(s.Bytes(64))).WantError(206)
			n.WantItem(it)
		})
	})

	Case("dht-put-order-301-before-302", Reject, func(s *Script) {
		s.Judge((*Node).KeepAny, func(n *Node) {
			it := s.Mutable(5, "old")
			n.Have(it)
			n.Offer(it.Next(4, "new").WithCAS(4)).WantError(301)
			n.Offer(it.Next(5, "new").WithCAS(9)).WantError(301)
			n.WantItem(it)
		})
	})

	Case("dht-sample-items", Survive, func(s *Script) {
		s.Judge(
			func(n *Node) { n.Sample(s.ID()).WantReply().Bytes("samples") },
			func(n *Node) {
				immutable, mutable := s.Immutable(s.Bytes(20)), s.Mutable(1, "a value")
				n.Have(immutable)
				n.Have(mutable)
				r := n.Sample(s.ID()).Look()
				for sample := range slices.Chunk(r.Bytes("samples"), 20) {
					at := [20]byte(sample)
					r.Check(at != immutable.Target() && at != mutable.Target(), "no target of an item in `samples`")
				}
			},
		)
	})
}

// tooLong judges a put whose value is too long.
func (s *Script) tooLong(it *Item) {
	s.Judge((*Node).KeepAny, func(n *Node) {
		n.Offer(it).WantError(205)
		n.WantNoItem(it.Target())
	})
}

// wantSmall puts an item and asks for it with all that an answer can have beside it.
func (n *Node) wantSmall(it *Item) *Reply {
	n.Have(it)
	r := n.Get(it.Target()).Want("n4", "n6").WantReply()
	r.WantItem(it)
	r.Check(len(r.Raw) <= 1232, fmt.Sprintf("at most 1,232 bytes and not %d", len(r.Raw)))
	return r
}
