package dht

func init() {
	Case("dht-sample-samples", Accept, func(s *Script) {
		s.Node().Sample(s.ID()).WantReply().Samples()
	})

	// Whoever asks is told, and again: `interval` is a request to the asker and no licence to be silent.
	Case("dht-sample-samples-again", Accept, func(s *Script) {
		n := s.Node()
		for range 3 {
			n.Sample(s.ID()).WantReply().Samples()
		}
	})

	Case("dht-sample-interval", Accept, func(s *Script) {
		n := s.Node()
		for range 2 {
			r := n.Sample(s.ID()).WantReply()
			i := r.Int("interval")
			r.Check(i >= 0 && i <= 21600, "an `interval` from 0 to 21,600")
		}
	})

	Case("dht-sample-num", Accept, func(s *Script) {
		r := s.Node().Sample(s.ID()).WantReply()
		r.Check(r.Int("num") >= int64(len(r.Samples())), "a `num` of at least as many as are sampled")
	})

	Case("dht-sample-num-announced", Accept, func(s *Script) {
		n := s.Node()
		s.Given(func() { n.Stored() })
		r := n.Sample(s.ID()).WantReply()
		r.Check(r.Int("num") >= int64(max(1, len(r.Samples()))), "a `num` of at least one, and as many as are sampled: a peer was announced")
	})

	Case("dht-sample-nodes", Accept, func(s *Script) {
		n := s.Node()
		n.Acquainted()
		r := n.Sample(s.ID()).WantReply()
		r.Check(len(r.Nodes()) > 0, "a node: the target knows one")
	})

	Case("dht-sample-nodes-closest", Accept, func(s *Script) {
		n := s.Node()
		n.wantClosest(n.Sample, s.ID(), s.ID(), s.ID(), s.ID())
	})

	// What is sampled has peers: the target itself names them.
	Case("dht-sample-announced", Accept, func(s *Script) {
		n := s.Node()
		s.Given(func() { n.Stored() })
		samples := n.Sample(s.ID()).WantReply().Samples()
		if len(samples) == 0 {
			s.Inconclusive("the target samples one of its info-hashes at once")
		}
		for _, h := range samples[:min(8, len(samples))] {
			r := n.GetPeers(h).WantReply()
			r.Check(len(r.Values()) > 0 || s.hasIPv6Peer(h), "a peer for an info-hash that the target sampled")
		}
	})

	// To be asked for an info-hash is not to have it.
	Case("dht-sample-announced-not-asked", Survive, func(s *Script) {
		samples := func(n *Node) { n.Sample(s.ID()).Look().Samples() }
		s.Judge(samples, func(n *Node) {
			ih := s.ID()
			n.GetPeers(ih).Outcome()
			n.FindNode(ih).Outcome()
			r := n.Sample(ih).Look()
			r.Check(!r.samples(ih), "not the info-hash that nobody announced")
		})
	})

	Case("dht-sample-announced-not-refused", Survive, func(s *Script) {
		samples := func(n *Node) { n.Sample(s.ID()).Look().Samples() }
		s.Judge(samples, func(n *Node) {
			ih := s.ID()
			n.Announce(ih, s.Bytes(8), 6881).Outcome()
			r := n.Sample(ih).Look()
			r.Check(!r.samples(ih), "not the info-hash whose announcement had a wrong token")
		})
	})

	// 60 info-hashes of 20 bytes are more than fit.
	Case("dht-sample-size", Survive, func(s *Script) {
		s.Given(func() {
			for host := range 3 {
				n := s.NodeAt(1 + host)
				for range 20 {
					ih := s.ID()
					n.Announce(ih, n.Token(ih), 6881).Send()
				}
			}
		})
		s.Judge((*Node).Stored, func(n *Node) {
			r := n.Sample(s.ID()).Want("n4", "n6").Look()
			r.Check(len(r.Raw) <= 1024, "at most 1,024 bytes")
		})
	}).Profile("bep51")
}

// hasIPv6Peer asks a target of both families, which may keep one store for them, over IPv6.
func (s *Script) hasIPv6Peer(infoHash [20]byte) bool {
	_, six := s.w.Target(true)
	return six && len(s.Node6().GetPeers(infoHash).WantReply().Values()) > 0
}

// Samples returns the info-hashes of `samples`.
func (r *Reply) Samples() (list [][20]byte) {
	b := r.Bytes("samples")
	r.Check(len(b)%20 == 0, "`samples` as a whole number of 20-byte info-hashes")
	for ; len(b) > 0; b = b[20:] {
		list = append(list, [20]byte(b))
	}
	return list
}

func (r *Reply) samples(infoHash [20]byte) bool {
	for _, h := range r.Samples() {
		if h == infoHash {
			return true
		}
	}
	return false
}
