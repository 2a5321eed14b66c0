package dht

func init() {
	Case("dht-peers-token", Accept, func(s *Script) {
		s.Node().GetPeers(s.ID()).WantReply().Token()
	})

	Case("dht-peers-token-beside-values", Accept, func(s *Script) {
		n, ih := s.Node(), s.ID()
		s.Given(func() { announced(ih)(n) })
		n.GetPeers(ih).WantReply().Token()
	})

	Case("dht-peers-token-6", Accept, func(s *Script) {
		s.Node6().GetPeers(s.ID()).WantReply().Token()
	}).Profile("bep32")

	Case("dht-peers-nodes", Accept, func(s *Script) {
		n := s.Node()
		n.Acquainted()
		for range 4 {
			r := n.GetPeers(s.ID()).WantReply()
			r.Check(len(r.Nodes()) > 0, "a node: the target knows one, and no peer")
		}
	})

	Case("dht-peers-values", Accept, func(s *Script) { s.Node().Stored() })

	Case("dht-peers-values-two", Accept, func(s *Script) {
		ih := s.ID()
		first, second := s.Node(), s.NodeAt(1)
		first.Announce(ih, first.Token(ih), 6881).WantReply()
		second.Announce(ih, second.Token(ih), 6882).WantReply()
		r := s.NodeAt(2).GetPeers(ih).WantReply()
		r.Check(r.HasPeer(first.Peer(6881)), first.Peer(6881).String()+" in `values`")
		r.Check(r.HasPeer(second.Peer(6882)), second.Peer(6882).String()+" in `values`")
	})

	Case("dht-peers-values-6", Accept, func(s *Script) { s.Node6().Stored() }).Profile("bep32")

	Case("dht-peers-other", Survive, func(s *Script) {
		s.Judge((*Node).Stored, func(n *Node) { n.WantNoPeer(s.ID()) })
	})

	// The info-hashes have all bits in common but the last, or but the first.
	Case("dht-peers-other-last-bit", Survive, func(s *Script) {
		ih := s.ID()
		s.Judge(announced(ih), func(n *Node) {
			other := ih
			other[19] ^= 1
			n.WantNoPeer(other)
		})
	})

	Case("dht-peers-other-first-bit", Survive, func(s *Script) {
		ih := s.ID()
		s.Judge(announced(ih), func(n *Node) {
			other := ih
			other[0] ^= 0x80
			n.WantNoPeer(other)
		})
	})

	Case("dht-peers-both", Accept, func(s *Script) {
		n := s.Node()
		n.Acquainted()
		ih := s.ID()
		s.Given(func() { announced(ih)(n) })
		r := n.GetPeers(ih).WantReply()
		r.Check(len(r.Nodes()) > 0, "a node beside the peer: the target knows one")
	})

	// 150 peers, from five addresses: more than fit.
	Case("dht-peers-size", Survive, func(s *Script) {
		crowd := s.crowd(s.ID())
		s.Judge((*Node).Stored, func(n *Node) {
			r := n.GetPeers(crowd).Look()
			r.Check(len(r.Raw) <= 1024, "at most 1,024 bytes")
		})
	})

	Case("dht-peers-size-want", Survive, func(s *Script) {
		crowd := s.crowd(s.ID())
		s.Judge((*Node).Stored, func(n *Node) {
			r := n.GetPeers(crowd).Want("n4", "n6").Look()
			r.Check(len(r.Raw) <= 1024, "at most 1,024 bytes")
		})
	})
}

// announced is the control that announces a peer for the info-hash and sees that the target names it.
func announced(infoHash [20]byte) func(*Node) {
	return func(n *Node) {
		n.Announce(infoHash, n.Token(infoHash), 6881).WantReply()
		n.WantPeer(infoHash, n.Peer(6881))
	}
}

// crowd announces 150 peers for the info-hash. A target that answers fewer than 100 announcements with a reply has limits of its own,
// and the case has no subject.
func (s *Script) crowd(infoHash [20]byte) [20]byte {
	s.Given(func() {
		var sent []*Sent
		for host := range 5 {
			n := s.NodeAt(1 + host)
			token := n.Token(infoHash)
			for i := range 30 {
				sent = append(sent, n.Announce(infoHash, token, 10000+100*host+i).Send())
			}
		}
		stored := func() (count int) {
			for _, q := range sent {
				if len(q.answers) > 0 && q.answers[0].IsReply() {
					count++
				}
			}
			return count
		}
		if !s.Within(s.timeout, func() bool { return stored() >= 100 }) {
			s.Inconclusive("the target takes 100 peers for one info-hash")
		}
		s.Within(patience/4, func() bool { return stored() == len(sent) })
	})
	return infoHash
}
