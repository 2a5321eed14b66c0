package dht

import "fmt"

func init() {
	Case("dht-announce-reply", Accept, func(s *Script) {
		n, ih := s.Node(), s.ID()
		n.Announce(ih, n.Token(ih), 6881).WantReply()
	})

	Case("dht-announce-reply-6", Accept, func(s *Script) {
		n, ih := s.Node6(), s.ID()
		n.Announce(ih, n.Token(ih), 6881).WantReply()
	}).Profile("bep32")

	// info_hash: where an announcement without a right one could end up is looked at.
	Case("dht-announce-infohash", Survive, func(s *Script) {
		ih := s.ID()
		s.Judge((*Node).Stored, func(n *Node) {
			n.Announce(ih, n.Token(ih), 6881).NoArg("info_hash").Outcome()
			n.WantNoPeer(ih)
			n.WantNoPeer([20]byte{})
		})
	})

	Case("dht-announce-infohash-short", Survive, func(s *Script) {
		ih := s.ID()
		ih[19] = 0
		s.Judge((*Node).Stored, func(n *Node) {
			n.Announce(ih, n.Token(ih), 6881).Arg("info_hash", ih[:19]).Outcome()
			n.WantNoPeer(ih)
			n.wantNoPeerUnder(ih[:19])
		})
	})

	Case("dht-announce-infohash-long", Survive, func(s *Script) {
		ih := s.ID()
		s.Judge((*Node).Stored, func(n *Node) {
			n.Announce(ih, n.Token(ih), 6881).Arg("info_hash", append(ih[:], 0)).Outcome()
			n.WantNoPeer(ih)
			n.wantNoPeerUnder(append(ih[:], 0))
		})
	})

	Case("dht-announce-infohash-integer", Survive, func(s *Script) {
		ih := s.ID()
		s.Judge((*Node).Stored, func(n *Node) {
			n.Announce(ih, n.Token(ih), 6881).Arg("info_hash", 20).Outcome()
			n.WantNoPeer(ih)
		})
	})

	Case("dht-announce-infohash-list", Survive, func(s *Script) {
		ih := s.ID()
		s.Judge((*Node).Stored, func(n *Node) {
			n.Announce(ih, n.Token(ih), 6881).Arg("info_hash", raw("l20:"+string(ih[:])+"e")).Outcome()
			n.WantNoPeer(ih)
		})
	})

	notStored("dht-announce-no-port", func(p *Packet) { p.NoArg("port") })
	notStored("dht-announce-no-port-implied-zero", func(p *Packet) { p.NoArg("port").Arg("implied_port", 0) })
	notStored("dht-announce-no-port-string", func(p *Packet) { p.Arg("port", "6881") })
	notStored("dht-announce-no-port-list", func(p *Packet) { p.Arg("port", raw("li6881ee")) })

	// Each is 6881, cut to 16 bits.
	notStored("dht-announce-port-range", func(p *Packet) { p.Arg("port", 65536+6881) })
	notStored("dht-announce-port-range-negative", func(p *Packet) { p.Arg("port", 6881-65536) })
	notStored("dht-announce-port-range-33-bits", func(p *Packet) { p.Arg("port", 1<<32+6881) })
	notStored("dht-announce-port-range-65-bits", func(p *Packet) { p.Arg("port", raw("i18446744073709558497e")) })
	notStored("dht-announce-port-range-minus-one", func(p *Packet) { p.Arg("port", -1) })

	notStored("dht-announce-port-zero", func(p *Packet) { p.Arg("port", 0) })
	notStored("dht-announce-port-zero-not-implied", func(p *Packet) { p.Arg("port", 0).Arg("implied_port", 0) })

	Case("dht-announce-address", Accept, func(s *Script) {
		ih := s.ID()
		n := s.NodeAt(1)
		n.Stores()
		n.Announce(ih, n.Token(ih), 6881).WantReply()
		s.Node().WantPeer(ih, n.Peer(6881))
	})

	// What others call themselves does not count: no BEP has such an argument.
	Case("dht-announce-address-claimed", Survive, func(s *Script) {
		s.Judge((*Node).Stored, func(n *Node) {
			ih := s.ID()
			n.Announce(ih, n.Token(ih), 6881).Arg("ip", []byte{127, 9, 9, 9}).Top("ip", []byte{127, 9, 9, 9, 1, 1}).Outcome()
			for _, p := range n.GetPeers(ih).Look().Values() {
				s.Check(p.Addr() == n.Peer(6881).Addr(), "the source address of the announcement", p.String())
			}
		})
	})

	Case("dht-announce-port", Accept, func(s *Script) {
		n := s.Node()
		n.Stores()
		for _, port := range []int{1, 255, 256, 65535} {
			ih := s.ID()
			n.Announce(ih, n.Token(ih), port).WantReply()
			n.WantPeer(ih, n.Peer(uint16(port)))
		}
	})

	Case("dht-announce-port-not-implied", Accept, func(s *Script) {
		n, ih := s.Node(), s.ID()
		n.Stores()
		n.Announce(ih, n.Token(ih), 6881).Arg("implied_port", 0).WantReply()
		n.WantPeer(ih, n.Peer(6881))
	})

	Case("dht-announce-implied", Accept, func(s *Script) {
		n, ih := s.Node(), s.ID()
		n.Stores()
		n.Announce(ih, n.Token(ih), 1).Arg("implied_port", 1).WantReply()
		n.WantPeer(ih, n.Peer(n.Addr.Port()))
	})

	Case("dht-announce-implied-two", Accept, func(s *Script) {
		n, ih := s.Node(), s.ID()
		n.Stores()
		n.Announce(ih, n.Token(ih), 1).Arg("implied_port", 2).WantReply()
		n.WantPeer(ih, n.Peer(n.Addr.Port()))
	})

	Case("dht-announce-implied-told", Survive, func(s *Script) {
		s.Judge((*Node).Stored, func(n *Node) {
			ih := s.ID()
			n.Announce(ih, n.Token(ih), 1).Arg("implied_port", 1).Outcome()
			r := n.GetPeers(ih).Look()
			r.Check(!r.HasPeer(n.Peer(1)), "not the port that `implied_port` says to ignore")
		})
	})

	Case("dht-announce-implied-alone", Accept, func(s *Script) {
		n, ih := s.Node(), s.ID()
		n.Stores()
		n.Announce(ih, n.Token(ih), 1).NoArg("port").Arg("implied_port", 1).WantReply()
		n.WantPeer(ih, n.Peer(n.Addr.Port()))
	})
}

// wantNoPeerUnder fails if the target names any peer for what is no info-hash. That it answers at all is judged elsewhere.
func (n *Node) wantNoPeerUnder(wrong []byte) {
	sent := n.GetPeers(n.s.ID()).Arg("info_hash", wrong).Send()
	if a := sent.Outcome(); a.IsReply() {
		r := sent.reply(a)
		r.Check(len(r.Values()) == 0, fmt.Sprintf("no peer under %d bytes, which are no info-hash", len(wrong)))
	}
}

// notStored is a case in which an announcement, bent in one way, must not leave a peer.
func notStored(id string, bend func(p *Packet)) {
	Case(id, Survive, func(s *Script) {
		ih := s.ID()
		s.Judge((*Node).Stored, func(n *Node) {
			p := n.Announce(ih, n.Token(ih), 6881)
			bend(p)
			p.Outcome()
			n.WantNoPeer(ih)
		})
	})
}
