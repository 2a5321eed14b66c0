package dht

import "bytes"

func init() {
	Case("dht-ping", Accept, func(s *Script) {
		s.Node().Ping().WantReply()
	})

	Case("dht-reply-id", Accept, func(s *Script) {
		n := s.Node()
		id := n.Ping().WantReply().ID()
		r := n.FindNode(s.ID()).WantReply()
		r.Check(r.ID() == id, "the id that the reply to a ping had")
	})

	Case("dht-t-echo", Accept, func(s *Script) {
		n := s.Node()
		for _, size := range []int{1, 2, 8} {
			n.Ping().Top("t", s.Bytes(size)).WantReply()
		}
	})

	Case("dht-not-query", Silence, func(s *Script) {
		s.Judge(
			func(n *Node) { n.Ping().WantReply() },
			func(n *Node) { n.Ping().NoTop("q").NoArgs().Top("y", "r").Top("r", dict("id", n.ID)).WantNoReply() },
		)
	})

	Case("dht-method-reply", Reject, func(s *Script) {
		s.Judge(
			func(n *Node) { n.Ping().WantReply() },
			func(n *Node) { n.Query("kith_no_such").WantNoReply() },
		)
	})

	Case("dht-announce-token-ip", Reject, func(s *Script) {
		ih := s.ID()
		other := s.NodeAt(1)
		token := func(n *Node) []byte { return n.GetPeers(ih).WantReply().Token() }
		stolen := token(other)
		s.Judge(
			func(n *Node) { n.Announce(ih, token(n), 1001).WantReply() },
			func(n *Node) { n.Announce(ih, stolen, 1002).WantNoReply() },
		)
	})

	Case("dht-get-immutable", Accept, func(s *Script) {
		n := s.Node()
		it := s.Immutable(s.Bytes(40))
		n.Put(n.Get(it.Target()).WantReply().Token(), it).WantReply()
		r := n.Get(it.Target()).WantReply()
		r.Check(bytes.Equal(r.RawOf("v"), encode(it.Value)), "the value that was put")
	})
}
