package dht

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net/netip"

	"kith/conformance/lenient"
)

func init() {
	Case("dht-ip", Accept, func(s *Script) {
		r := s.Node().Ping().WantReply()
		_, ok := r.IP()
		r.Check(ok, "an `ip` of 6 bytes beside the reply")
	})

	Case("dht-ip-each-method", Accept, func(s *Script) {
		n := s.Node()
		for _, p := range []*Packet{n.FindNode(s.ID()), n.GetPeers(s.ID())} {
			r := p.WantReply()
			_, ok := r.IP()
			r.Check(ok, "an `ip` of 6 bytes beside the reply")
		}
	})

	right := func(id string, open func(s *Script) *Node) {
		Case(id, Accept, func(s *Script) {
			n := open(s)
			n.wantIP(n.Ping().WantReply().Answer)
		})
	}
	right("dht-ip-right", func(s *Script) *Node { return s.Node() })
	right("dht-ip-right-other-address", func(s *Script) *Node { s.Node().Ping().WantReply(); return s.NodeAt(1) })
	right("dht-ip-right-other-port", func(s *Script) *Node { n := s.Node(); n.Ping().WantReply(); return n.Sibling() })
	right("dht-ip-right-6", func(s *Script) *Node { return s.Node6() })

	Case("dht-ip-right-error", Survive, func(s *Script) {
		s.Judge(ask, func(n *Node) { n.wantIP(n.Provoke()) })
	})

	Case("dht-ip-error", Survive, func(s *Script) {
		s.Judge(ask, func(n *Node) {
			a := n.Provoke()
			_, ok := a.IP()
			s.Check(ok, "an `ip` beside the error", a.quote())
		})
	})

	// Hardly an id drawn at random fits its address. On loopback, where any id does, this says only that unusual ones are served.
	Case("dht-id-served", Accept, func(s *Script) {
		n := s.Node()
		for _, each := range []byte{0x55, 0xaa} {
			for i := range n.ID {
				n.ID[i] = each
			}
			n.Ping().WantReply()
			n.FindNode(s.ID()).WantReply()
		}
	})

	Case("dht-id-served-announce", Accept, func(s *Script) {
		n, ih := s.Node(), s.ID()
		n.Announce(ih, n.GetPeers(ih).WantReply().Token(), 6881).WantReply()
	})

	Case("dht-id-address", Accept, func(s *Script) {
		n := s.Node()
		n.Ping().WantReply()
		id, addr := n.Ping().WantReply().ID(), n.target.Addr().Unmap()
		if addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast() {
			s.Blocked("a target at an address that asks for an id of its own")
		}
		s.Check(fits(id, addr), "an id that BEP 42 derives from "+addr.String(), fmt.Sprintf("%x", id))
	})

	Case("dht-ro-served", Accept, func(s *Script) { s.Node().Ping().ReadOnly().WantReply() })

	Case("dht-ro-served-find", Accept, func(s *Script) {
		n := s.Node()
		n.Acquainted()
		r := n.FindNode(s.ID()).ReadOnly().WantReply()
		r.Check(len(r.Contacts()) > 0, "a node: the target knows one")
	})

	Case("dht-ro-served-announce", Accept, func(s *Script) {
		n, ih := s.Node(), s.ID()
		n.Stores()
		token := n.GetPeers(ih).ReadOnly().WantReply().Token()
		n.Announce(ih, token, 6881).ReadOnly().WantReply()
		r := n.GetPeers(ih).ReadOnly().WantReply()
		r.Check(r.HasPeer(n.Peer(6881)), "the peer that was announced")
	})

	Case("dht-ro-served-zero", Accept, func(s *Script) { s.Node().Ping().Top("ro", 0).WantReply() })

	// What is refused is refused in the same way.
	Case("dht-ro-served-refusal", Survive, func(s *Script) {
		s.Judge(
			func(n *Node) { n.Ping().ReadOnly().WantReply() },
			func(n *Node) {
				usual := n.FindNode(s.ID()).NoArg("target").Outcome()
				ro := n.FindNode(s.ID()).NoArg("target").ReadOnly().Outcome()
				s.Check(usual.IsError() == ro.IsError() && usual.IsReply() == ro.IsReply(),
					"the same answer as to a node that is not read-only: "+usual.String(), ro.String())
			},
		)
	})
}

// wantIP fails unless the answer tells where its query came from, if it tells anything.
func (n *Node) wantIP(a *Answer) {
	v, ok := a.Top("ip")
	if !ok {
		n.s.Inconclusive("the target sends `ip`")
	}
	want := n.Peer(n.Addr.Port()).String()
	ip, ok := lenient.ParseCompact(v.Str)
	n.s.Check(ok && ip.String() == want, "an `ip` that says "+want, a.quote())
}

// fits reports whether BEP 42 derives the id from the address, of which the last 3 bits of the id are a part.
func fits(id [20]byte, a netip.Addr) bool {
	b, mask := a.AsSlice(), []byte{0x03, 0x0f, 0x3f, 0xff}
	if a.Is6() {
		b, mask = b[:8], []byte{0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff}
	}
	for i := range b {
		b[i] &= mask[i]
	}
	b[0] |= id[19] << 5
	c := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
	return (binary.BigEndian.Uint32(id[:4])^c)>>11 == 0
}
