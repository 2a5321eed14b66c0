package dht

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"time"

	"kith/conformance/lenient"
)

// What only Kith nodes promise about ids, tokens, peers and how much they answer.
func init() {
	Case("dht-id-family", Accept, func(s *Script) {
		four, six := s.Node(), s.Node6()
		r := six.Ping().WantReply()
		r.Check(r.ID() != four.Ping().WantReply().ID(), "another id than over IPv4")
	})

	for _, q := range []struct {
		name string
		ask  func(n *Node) *Packet
	}{
		{"find", func(n *Node) *Packet { return n.FindNode(n.s.ID()) }},
		{"peers", func(n *Node) *Packet { return n.GetPeers(n.s.ID()) }},
		{"get", func(n *Node) *Packet { return n.Get(n.s.ID()) }},
		{"sample", func(n *Node) *Packet { return n.Sample(n.s.ID()) }},
	} {
		Case("dht-nodes-empty-"+q.name, Accept, func(s *Script) {
			n := s.Node()
			q.ask(n).WantReply().Nodes()
			r := q.ask(n).Want("n4", "n6").WantReply()
			r.Nodes()
			r.Nodes6()
		})
	}

	Case("dht-want-empty", Accept, func(s *Script) { s.Node().emptyWant() })
	Case("dht-want-empty-unknown", Accept, func(s *Script) { s.Node().emptyWant("n5", "N4", "") })
	Case("dht-want-empty-6", Accept, func(s *Script) {
		r := s.Node6().FindNode(s.ID()).Want().WantReply()
		r.Nodes6()
		r.WantNo("nodes")
	})

	Case("dht-nodes-address", Survive, func(s *Script) {
		odd := []netip.AddrPort{
			netip.MustParseAddrPort("0.0.0.0:6881"), netip.MustParseAddrPort("224.0.0.1:6881"),
			netip.MustParseAddrPort("255.255.255.255:6881"), netip.MustParseAddrPort("127.0.0.1:0"),
		}
		s.Judge(func(n *Node) { n.Introduce(n.Newcomer(1)) }, func(n *Node) {
			x := n.Newcomer(2)
			s.vouch(x, odd)
			n.Introduce(x)
			for _, c := range n.FindNode(x.ID).Look().Nodes() {
				a := c.Addr.Addr()
				s.Check(!a.IsUnspecified() && !a.IsMulticast() && c.Addr.Port() != 0, "no such address in `nodes`", c.Addr.String())
			}
		})
	})

	Case("dht-token-secret", Accept, func(s *Script) {
		n := s.Node()
		n.GetPeers(s.ID()).WantReply().Exactly("token", 8)
		n.Get(s.ID()).WantReply().Exactly("token", 8)
	})

	Case("dht-token-secret-guessed", Reject, func(s *Script) {
		infoHash := s.ID()
		s.Judge((*Node).Stored, func(n *Node) {
			for _, token := range guesses(n) {
				n.Announce(infoHash, token, 6881).WantNoReply()
			}
			n.WantNoPeer(infoHash)
		})
	})

	// Neither the first nor the last byte may be left out of the comparison, nor may there be more of them.
	Case("dht-token-secret-bent", Reject, func(s *Script) {
		infoHash := s.ID()
		s.Judge((*Node).Stored, func(n *Node) {
			token := n.Token(infoHash)
			first := bytes.Clone(token)
			first[0] ^= 0x80
			for _, bent := range [][]byte{first, flipped(token), token[:7], append(bytes.Clone(token), 0)} {
				n.Announce(infoHash, bent, 6881).WantNoReply()
			}
			n.WantNoPeer(infoHash)
		})
	})

	Case("dht-announce-twice", Survive, func(s *Script) {
		s.Judge((*Node).Stored, func(n *Node) {
			infoHash := s.ID()
			for range 3 {
				n.Announce(infoHash, n.Token(infoHash), 6881).Outcome()
			}
			r := n.GetPeers(infoHash).Look()
			r.Check(len(r.Values()) == 1, "the peer once in `values`")
		})
	})

	Case("dht-announce-twice-implied", Survive, func(s *Script) {
		s.Judge((*Node).Stored, func(n *Node) {
			infoHash := s.ID()
			n.Announce(infoHash, n.Token(infoHash), int(n.Addr.Port())).Outcome()
			n.Announce(infoHash, n.Token(infoHash), 1).Arg("implied_port", 1).Outcome()
			r := n.GetPeers(infoHash).Look()
			r.Check(len(r.Values()) == 1, "the peer once in `values`")
		})
	})

	Case("dht-peers-random", Accept, func(s *Script) {
		n, infoHash := s.Node(), s.ID()
		n.swarm(infoHash, 100)
		var seen [100]bool
		count := 0
		for range 12 {
			for _, p := range n.GetPeers(infoHash).WantReply().Values() {
				if i := int(p.Port()) - 1; i >= 0 && i < len(seen) && !seen[i] {
					seen[i] = true
					count++
				}
			}
		}
		// Of 50 at a time one of them is missing twelve times in a row with a probability of 1 in 4,096.
		s.Check(count > 90, "nearly all of 100 peers in twelve answers", fmt.Sprintf("%d of them", count))
	})

	Case("dht-peers-bound", Survive, func(s *Script) {
		s.Judge((*Node).Stored, func(n *Node) {
			infoHash := s.ID()
			s.Given(func() { n.swarm(infoHash, 300) })
			named := 0
			for range 12 {
				for _, p := range n.GetPeers(infoHash).Look().Values() {
					named++
					s.Check(p.Port() > 300-256, "none of the 44 oldest peers of 300", p.String())
				}
			}
			s.Check(named > 0, "some peers", "none")
		})
	})

	for _, q := range []struct {
		suffix string
		query  func(n *Node) *Packet
	}{
		{"", func(n *Node) *Packet { return n.Ping() }},
		{"-malformed", func(n *Node) *Packet { return n.Ping().Behind([]byte("x")) }},
	} {
		// The sources are none that a tester without addresses of his own would share with other cases.
		Case("dht-source-limit"+q.suffix, Survive, func(s *Script) {
			loud, quiet := s.NodeAt(2), s.NodeAt(3)
			s.Judge(pinged, func(*Node) {
				answered, most := s.flood(loud, quiet, q.query)
				s.Check(answered <= most, fmt.Sprintf("at most %d answers in this time", most), fmt.Sprintf("%d", answered))
			})
		})
	}

	Case("dht-source-apart", Survive, func(s *Script) {
		loud, quiet := s.NodeAt(2), s.NodeAt(3)
		s.Judge(pinged, func(*Node) {
			s.flood(loud, quiet, func(n *Node) *Packet { return n.Ping() })
			s.NodeAt(4).Ping().Look()
			s.NodeAt(5).Get(s.ID()).Look()
		})
	})
}

// flood sends queries from loud until there are a hundred more than the target may answer by then. It says how many were answered,
// and how many may have been. A ping from quiet behind every few shows that the target has seen them, so that none is lost
// because a buffer is full; it has to be answered.
func (s *Script) flood(loud, quiet *Node, query func(n *Node) *Packet) (answered, most int) {
	const burst, second, enough = 500, 250, 2000
	var sent []*Sent
	begin, behind := s.Now(), 0
	limit := func(until time.Duration) int { return burst + 1 + int(second*(until-begin).Seconds()) }
	for len(sent) < limit(s.Now())+100 {
		if len(sent) == enough {
			s.Blocked("a tester that sends faster than a source may ask; this one is slowed down, by --rate or by the network")
		}
		sent = append(sent, query(loud).Send())
		if behind++; behind == 180 || behind >= 45 && s.slowest < 20*time.Millisecond { // what is far away can have more on its way
			behind = 0
			quiet.Ping().Look()
		}
	}
	s.Wait(s.grace())
	last := begin
	for _, q := range sent {
		for _, a := range q.Answers() {
			answered++
			last = max(last, a.At)
		}
	}
	return answered, limit(last)
}

// emptyWant asks with a `want` that names no family and wants the nodes that come without one.
func (n *Node) emptyWant(families ...string) {
	for _, ask := range []func() *Packet{
		func() *Packet { return n.FindNode(n.s.ID()) },
		func() *Packet { return n.GetPeers(n.s.ID()) },
		func() *Packet { return n.Get(n.s.ID()) },
	} {
		r := ask().Want(families...).WantReply()
		r.Nodes()
		if !ask().WantReply().Has("nodes6") {
			r.WantNo("nodes6")
		}
	}
}

// vouch makes x name nodes at addresses at which no node can be.
func (s *Script) vouch(x *Node, addrs []netip.AddrPort) {
	var nodes []byte
	for _, a := range addrs {
		nodes = lenient.AppendContact(nodes, lenient.Contact{ID: s.Near(x.ID, 100), Addr: a})
	}
	x.OnQuery = func(q *Answer) []byte {
		return encode(dict("r", dict("id", x.ID, "nodes", nodes), "t", q.Message.T, "y", "r"))
	}
}

// guesses are what somebody may try for n's token who knows its address and no secret.
func guesses(n *Node) [][]byte {
	ip := n.Addr.Addr().AsSlice()
	s1, s256, text := sha1.Sum(ip), sha256.Sum256(ip), sha1.Sum([]byte(n.Addr.Addr().String()))
	h := hmac.New(sha256.New, nil)
	h.Write(ip)
	return [][]byte{s1[:8], s256[:8], text[:8], h.Sum(nil)[:8], lenient.Compact(n.Addr), make([]byte, 8)}
}

// swarm announces so many peers for an info-hash, from port 1 on.
func (n *Node) swarm(infoHash [20]byte, count int) {
	token := n.GetPeers(infoHash).WantReply().Token()
	for port := 1; port <= count; port++ {
		n.Announce(infoHash, token, port).WantReply()
	}
}
