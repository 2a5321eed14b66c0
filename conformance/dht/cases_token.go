package dht

import (
	"slices"
	"time"
)

func init() {
	Case("dht-announce-token-missing", Reject, func(s *Script) {
		s.Judge((*Node).Accepted, func(n *Node) {
			ih := s.ID()
			n.Announce(ih, nil, 6881).NoArg("token").WantNoReply()
			n.WantNoPeer(ih)
		})
	})

	// A token was given to the same node all the same: it just does not send it.
	Case("dht-announce-token-missing-though-given", Reject, func(s *Script) {
		s.Judge((*Node).Accepted, func(n *Node) {
			ih := s.ID()
			n.Announce(ih, n.Token(ih), 6881).NoArg("token").WantNoReply()
			n.WantNoPeer(ih)
		})
	})

	badToken("dht-announce-token", func(_, other []byte) any { return other })
	badToken("dht-announce-token-empty", func(_, _ []byte) any { return "" })
	badToken("dht-announce-token-cut", func(right, _ []byte) any { return right[:len(right)-1] })
	badToken("dht-announce-token-longer", func(right, other []byte) any { return slices.Concat(right, other[:1]) })
	badToken("dht-announce-token-integer", func(_, _ []byte) any { return 1 })

	// Tokens of the two families: ::1 was given this one, not 127.0.0.1.
	Case("dht-announce-token-ip-family", Reject, func(s *Script) {
		ih := s.ID()
		stolen := s.Node6().Token(ih)
		s.Judge((*Node).Accepted, func(n *Node) {
			n.Announce(ih, stolen, 6881).WantNoReply()
			n.WantNoPeer(ih)
		})
	}).Profile("bep32")

	// The announcement that is refused must not be stored for either of the two addresses.
	Case("dht-announce-token-ip-stored", Reject, func(s *Script) {
		ih := s.ID()
		stolen := s.NodeAt(1).Token(ih)
		s.Judge((*Node).Accepted, func(n *Node) {
			n.Announce(ih, stolen, 6881).WantNoReply()
			n.WantNoPeer(ih)
		})
	})

	Case("dht-token-203", Reject, func(s *Script) {
		s.Judge((*Node).Accepted, func(n *Node) { n.Announce(s.ID(), s.Bytes(8), 6881).WantError(203) })
	})

	Case("dht-token-203-empty", Reject, func(s *Script) {
		s.Judge((*Node).Accepted, func(n *Node) { n.Announce(s.ID(), nil, 6881).WantError(203) })
	})

	Case("dht-token-203-ip", Reject, func(s *Script) {
		ih := s.ID()
		stolen := s.NodeAt(1).Token(ih)
		s.Judge((*Node).Accepted, func(n *Node) { n.Announce(ih, stolen, 6881).WantError(203) })
	})

	// Others get tokens in between.
	Case("dht-token-life", Accept, func(s *Script) {
		n, ih := s.Node(), s.ID()
		token := n.Token(ih)
		for i := range 8 {
			s.NodeAt(1 + i).Token(ih)
		}
		n.Announce(ih, token, 6881).WantReply()
	})

	Case("dht-token-life-ten-minutes", Accept, func(s *Script) {
		n, ih := s.Node(), s.ID()
		token := n.Token(ih)
		s.Wait(10*time.Minute - 5*time.Second)
		n.Announce(ih, token, 6881).WantReply()
	}).Slow()

	Case("dht-token-again", Accept, func(s *Script) {
		n, ih := s.Node(), s.ID()
		token := n.Token(ih)
		for range 3 {
			n.Announce(ih, token, 6881).WantReply()
		}
	})

	Case("dht-token-again-after-refusal", Survive, func(s *Script) {
		s.Judge((*Node).Accepted, func(n *Node) {
			ih := s.ID()
			token := n.Token(ih)
			n.Announce(ih, token, 6881).NoArg("port").Outcome()
			n.Announce(ih, token, 6881).WantReply()
		})
	})
}

// badToken is a case in which an announcement with a token of the wrong value must not be answered with a reply, nor leave a peer.
// The value is made of the right one and of another of the same length, which was drawn at random.
func badToken(id string, token func(right, other []byte) any) {
	Case(id, Reject, func(s *Script) {
		s.Judge((*Node).Accepted, func(n *Node) {
			ih := s.ID()
			right := n.Token(ih)
			n.Announce(ih, right, 6881).Arg("token", token(right, s.Bytes(len(right)))).WantNoReply()
			n.WantNoPeer(ih)
		})
	})
}
