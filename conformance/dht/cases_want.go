package dht

func init() {
	Case("dht-want-absent", Accept, func(s *Script) {
		n := s.Node()
		n.Acquainted()
		for _, p := range []*Packet{n.FindNode(s.ID()), n.GetPeers(s.ID())} {
			r := p.WantReply()
			r.Check(len(r.Nodes()) > 0, "a node in `nodes`: the target knows one")
		}
	})

	Case("dht-want-absent-6", Accept, func(s *Script) {
		n := s.Node6()
		n.Acquainted()
		for _, p := range []*Packet{n.FindNode(s.ID()), n.GetPeers(s.ID())} {
			r := p.WantReply()
			r.Check(len(r.Nodes6()) > 0, "a node in `nodes6`: the target knows one")
		}
	})

	Case("dht-want-n4", Accept, func(s *Script) {
		n := s.Node()
		n.Acquainted()
		r := n.FindNode(s.ID()).Want("n4").WantReply()
		r.Check(len(r.Nodes()) > 0, "a node in `nodes`: the target knows one")
	})

	Case("dht-want-n4-peers", Accept, func(s *Script) {
		n := s.Node()
		n.Acquainted()
		r := n.GetPeers(s.ID()).Want("n4").WantReply()
		r.Check(len(r.Nodes()) > 0, "a node in `nodes`: the target knows one")
	})

	Case("dht-want-n4-over-6", Accept, func(s *Script) {
		n, six := s.Node(), s.Node6()
		n.Acquainted()
		r := six.FindNode(s.ID()).Want("n4").WantReply()
		r.Check(len(r.Nodes()) > 0, "a node in `nodes`: the target knows one")
	})

	Case("dht-want-n6", Accept, func(s *Script) {
		n := s.Node6()
		n.Acquainted()
		r := n.FindNode(s.ID()).Want("n6").WantReply()
		r.Check(len(r.Nodes6()) > 0, "a node in `nodes6`: the target knows one")
	})

	Case("dht-want-n6-over-4", Accept, func(s *Script) {
		n, six := s.Node(), s.Node6()
		six.Acquainted()
		for _, p := range []*Packet{n.FindNode(s.ID()), n.GetPeers(s.ID())} {
			r := p.Want("n6").WantReply()
			r.Check(len(r.Nodes6()) > 0, "a node in `nodes6`: the target knows one")
		}
	})

	Case("dht-want-n6-beside-n4", Accept, func(s *Script) {
		n, six := s.Node(), s.Node6()
		n.Acquainted()
		six.Acquainted()
		r := n.FindNode(s.ID()).Want("n4", "n6").WantReply()
		r.Check(len(r.Nodes()) > 0 && len(r.Nodes6()) > 0, "a node in `nodes` and one in `nodes6`: the target knows both")
	})

	Case("dht-want-only", Survive, func(s *Script) {
		some := s.Node()
		some.Acquainted()
		s.Judge(
			func(n *Node) {
				r := n.FindNode(s.ID()).Want("n4").WantReply()
				r.Check(len(r.Nodes()) > 0, "a node in `nodes`")
			},
			func(n *Node) { n.FindNode(s.ID()).Want("n6").Look().WantNone("nodes") },
		)
	})

	Case("dht-want-only-peers", Survive, func(s *Script) {
		some := s.Node()
		some.Acquainted()
		s.Judge(
			func(n *Node) {
				r := n.GetPeers(s.ID()).Want("n4").WantReply()
				r.Check(len(r.Nodes()) > 0, "a node in `nodes`")
			},
			func(n *Node) { n.GetPeers(s.ID()).Want("n6").Look().WantNone("nodes") },
		)
	})

	Case("dht-want-only-6", Survive, func(s *Script) {
		some := s.Node6()
		some.Acquainted()
		s.Judge(
			func(*Node) {
				r := some.FindNode(s.ID()).Want("n6").WantReply()
				r.Check(len(r.Nodes6()) > 0, "a node in `nodes6`")
			},
			func(*Node) { some.FindNode(s.ID()).Want("n4").Look().WantNone("nodes6") },
		)
	})

	Case("dht-want-values", Accept, func(s *Script) {
		n, ih := s.Node(), s.ID()
		s.Given(func() { announced(ih)(n) })
		for _, want := range []string{"n4", "n6"} {
			r := n.GetPeers(ih).Want(want).WantReply()
			r.Check(r.HasPeer(n.Peer(6881)), "the peer, whatever `want` says")
		}
	})

	Case("dht-want-values-6", Accept, func(s *Script) {
		n, ih := s.Node6(), s.ID()
		s.Given(func() { announced(ih)(n) })
		for _, want := range []string{"n4", "n6"} {
			r := n.GetPeers(ih).Want(want).WantReply()
			r.Check(r.HasPeer(n.Peer(6881)), "the peer, whatever `want` says")
		}
	})

	// Peers of one family are not for those who ask over the other, not even if they want its nodes.
	Case("dht-want-values-apart", Survive, func(s *Script) {
		six, ih := s.Node6(), s.ID()
		s.Judge(
			func(*Node) {
				six.Announce(ih, six.Token(ih), 6881).WantReply()
				six.WantPeer(ih, six.Peer(6881))
			},
			func(n *Node) {
				r := n.GetPeers(ih).Want("n6").Look()
				r.Check(!r.HasPeer(six.Peer(6881)), "no IPv6 peer over IPv4")
			},
		)
	})

	Case("wire-want-unknown", Accept, func(s *Script) {
		n := s.Node()
		n.Acquainted()
		for _, want := range [][]string{{"n4", "n9"}, {"n9", "n4"}, {"", "n4x", "n4"}} {
			r := n.FindNode(s.ID()).Want(want...).WantReply()
			r.Check(len(r.Nodes()) > 0, "a node in `nodes`: the target knows one")
		}
	})

	Case("wire-want-unknown-6", Accept, func(s *Script) {
		n := s.Node6()
		n.Acquainted()
		r := n.FindNode(s.ID()).Want("n9", "n6").WantReply()
		r.Check(len(r.Nodes6()) > 0, "a node in `nodes6`: the target knows one")
	})

	// What is not known asks for nothing: it must not bring nodes of the other family.
	Case("wire-want-unknown-only", Survive, func(s *Script) {
		some := s.Node()
		some.Acquainted()
		s.Judge(
			func(n *Node) {
				r := n.FindNode(s.ID()).Want("n4").WantReply()
				r.Check(len(r.Nodes()) > 0, "a node in `nodes`")
			},
			func(n *Node) { n.FindNode(s.ID()).Want("n4", "n6x", "6").Look().WantNone("nodes6") },
		)
	})
}

// WantNone fails unless the key is missing or holds an empty string.
func (r *Reply) WantNone(key string) {
	if r.Has(key) {
		r.Check(len(r.Bytes(key)) == 0, "nothing in `"+key+"`")
	}
}
