package dht

import (
	"bytes"
	"slices"

	"kith/conformance"
	"kith/conformance/lenient"
)

// What a node may hand to others. Nobody has to take a newcomer in, or to ask it at once; so the control is a newcomer that asks, answers
// and is handed out, and the stimulus one that differs from it in one thing.
func init() {
	Case("dht-good-only", Survive, func(s *Script) {
		host := 0
		s.Judge(takenIn(&host), func(n *Node) {
			x := n.Newcomer(host + 1).Mute()
			x.FindNode(x.ID).Outcome()
			r := n.FindNode(x.ID).Look()
			r.Check(!r.Names(x.ID), "not the node that has answered nothing yet")
		})
	})

	// A node that answers one and names another vouches for nobody.
	Case("dht-good-only-named", Survive, func(s *Script) {
		host := 0
		s.Judge(takenIn(&host), func(n *Node) {
			x, dead := n.Newcomer(host+1), n.Newcomer(host+2).Mute()
			x.OnQuery = func(q *Answer) []byte { return naming(x, dead, q) }
			s.Given(func() { x.Join(patience) })
			s.settle()
			r := n.FindNode(dead.ID).Look()
			r.Check(!r.Names(dead.ID), "not the node that has answered nothing")
		})
	})

	Case("dht-unasked", Survive, func(s *Script) {
		host := 0
		s.Judge(takenIn(&host), func(n *Node) {
			x := n.Newcomer(host + 1).Mute()
			x.Dict(dict("r", dict("id", x.ID), "t", s.Bytes(4), "y", "r")).Send()
			n.wantUnknown(x, "not the node whose reply nobody asked for")
		})
	})

	// A reply to find_node, from nowhere: neither it nor the node that it names was asked for.
	Case("dht-unasked-nodes", Survive, func(s *Script) {
		host := 0
		s.Judge(takenIn(&host), func(n *Node) {
			x, y := n.Newcomer(host+1).Mute(), n.Newcomer(host+2).Mute()
			x.Dict(dict("r", dict("id", x.ID, "nodes", compactNode(y)), "t", s.Bytes(2), "y", "r")).Send()
			n.wantUnknown(y, "not the node that an unasked reply names")
			n.wantUnknown(x, "not the node whose reply nobody asked for")
		})
	})

	unanswered("dht-unasked-t", func(x *Node, q *Answer) {
		m := q.Message
		m.T = slices.Concat([]byte("x"), m.T[min(1, len(m.T)):])
		if bytes.Equal(m.T, q.Message.T) {
			m.T[0] = 'y'
		}
		x.write(q.From, conformance.Answer(x.ID, m), "the answer to its query, under another t")
	})

	unanswered("dht-unasked-port", func(x *Node, q *Answer) {
		x.Sibling().write(q.From, conformance.Answer(x.ID, q.Message), "the answer to its query, from another port")
	})

	unanswered("dht-unasked-address", func(x *Node, q *Answer) {
		x.s.NodeAt(0).write(q.From, conformance.Answer(x.ID, q.Message), "the answer to its query, from another address")
	})

	// It asks and, which no read-only node does, would answer.
	Case("dht-ro-entered", Survive, func(s *Script) {
		host := 0
		s.Judge(takenIn(&host), func(n *Node) {
			x := n.Newcomer(host + 1)
			x.FindNode(x.ID).ReadOnly().Send().WantReply()
			s.settle()
			n.wantUnknown(x, "not the node that says it is read-only")
		})
	})

	Case("dht-ro-entered-mute", Survive, func(s *Script) {
		host := 0
		s.Judge(takenIn(&host), func(n *Node) {
			x := n.Newcomer(host + 1).Mute()
			for _, p := range []*Packet{x.FindNode(x.ID), x.GetPeers(s.ID()), x.FindNode(s.ID())} {
				p.ReadOnly().Outcome()
			}
			n.wantUnknown(x, "not the node that says it is read-only")
		})
	})
}

// takenIn is the control: a newcomer that asks and answers is handed to others. Each time it is another, at a source address of its own.
func takenIn(host *int) func(*Node) {
	return func(n *Node) {
		*host += 3
		n.Introduce(n.Newcomer(*host))
	}
}

// wantUnknown fails if the target hands x to n. It waits until what x sent has been taken, without a query of x.
func (n *Node) wantUnknown(x *Node, expected string) {
	n.s.Given(func() {
		n.Ping().WantReply()
		n.s.Wait(n.s.grace())
	})
	r := n.FindNode(x.ID).Look()
	r.Check(!r.Names(x.ID), expected)
}

// unanswered is a case in which a newcomer's answer to the target's first query is wrong: it has answered nothing, and is not handed
// out. A target that hands out nodes which have not answered at all is judged by dht-good-only, not here.
func unanswered(id string, answer func(x *Node, q *Answer)) {
	Case(id, Survive, func(s *Script) {
		first := s.Node()
		mute := first.Newcomer(1).Mute()
		mute.FindNode(mute.ID).WantReply()
		if first.FindNode(mute.ID).WantReply().Names(mute.ID) {
			s.Inconclusive("the target hands out nodes only when they have answered")
		}
		host := 1
		s.Judge(takenIn(&host), func(n *Node) {
			x := n.Newcomer(host + 1)
			x.OnQuery = func(q *Answer) []byte { answer(x, q); return nil }
			s.Given(func() { x.Join(patience) })
			n.wantUnknown(x, "not the node that has answered none of the target's queries")
		})
	})
}

// compactNode is n as `nodes` or `nodes6` names it.
func compactNode(n *Node) []byte {
	return lenient.AppendContact(nil, lenient.Contact{ID: n.ID, Addr: n.Addr})
}

// naming is x's answer to a query of any method, with other in `nodes` where the method has such.
func naming(x, other *Node, q *Answer) []byte {
	r := dict("id", x.ID)
	if q.Message.Q == "find_node" || q.Message.Q == "get_peers" {
		r = append(r, dict("nodes", compactNode(other))...)
	}
	return encode(dict("r", r, "t", q.Message.T, "y", "r"))
}
