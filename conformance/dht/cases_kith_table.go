package dht

import (
	"encoding/binary"
	"fmt"
	"time"
)

// What a Kith node sends on its own, and whom it enters. Nodes get to know it by asking, as strangers do.
func init() {
	Case("dht-query-t-random", Accept, func(s *Script) {
		n := s.Node()
		var drawn []uint32
		for host := range 5 {
			x := n.Newcomer(1 + host)
			n.Introduce(x)
			for _, q := range x.Asked() {
				t := q.Message.T
				s.Check(len(t) == 4, "a `t` of 4 bytes", fmt.Sprintf("%x", t))
				drawn = append(drawn, binary.BigEndian.Uint32(t))
			}
		}
		for i, a := range drawn {
			for _, b := range drawn[:i] {
				s.Check(a-b > 16 && b-a > 16, "numbers that are drawn at random", fmt.Sprintf("%08x and %08x", b, a))
			}
		}
	})

	// What x does with the target's ping, none of which is an answer by x.
	for _, c := range []struct {
		name string
		do   func(x *Node)
	}{
		{"silent", func(x *Node) { x.Mute() }},
		{"other-t", func(x *Node) {
			x.OnQuery = func(q *Answer) []byte {
				return encode(dict("r", dict("id", x.ID), "t", flipped(q.Message.T), "y", "r"))
			}
		}},
		{"other-port", func(x *Node) {
			other := x.Sibling()
			x.OnQuery = func(q *Answer) []byte {
				other.write(q.From, encode(dict("r", dict("id", x.ID), "t", q.Message.T, "y", "r")), "the answer, from another port")
				return nil
			}
		}},
		{"other-id", func(x *Node) {
			other := x.s.Near(x.ID, 120)
			x.OnQuery = func(q *Answer) []byte {
				return encode(dict("r", dict("id", other), "t", q.Message.T, "y", "r"))
			}
		}},
		{"no-id", func(x *Node) {
			x.OnQuery = func(q *Answer) []byte {
				return encode(dict("r", dict(), "t", q.Message.T, "y", "r"))
			}
		}},
	} {
		Case("dht-table-answered-"+c.name, Survive, func(s *Script) {
			s.Judge(func(n *Node) { n.Introduce(n.Newcomer(1)) }, func(n *Node) {
				x := n.Newcomer(2)
				c.do(x)
				n.meets(x)
				r := n.FindNode(x.ID).Look()
				r.Check(!r.Names(x.ID), "no node that has not answered")
			})
		})
	}

	// The question that the ping follows is one that nobody provoked, so the target knows that it can be reached.
	Case("dht-own-ro", Accept, func(s *Script) {
		n := s.Node()
		x := n.Newcomer(1)
		n.Introduce(x)
		ro, _ := x.firstAsked().Top("ro")
		s.Check(ro.Int == 0, "no `ro` in a query to a stranger who asked", fmt.Sprintf("ro %d", ro.Int))
	})

	Case("dht-table-ping", Accept, func(s *Script) {
		x := s.Node().Newcomer(1)
		x.Ping().WantReply()
		came := s.Within(patience, func() bool { return len(x.AskedFor("ping")) > 0 })
		s.Check(came, "a ping to a node that has asked and for which there is room", "none within "+patience.String())
	})

	Case("dht-table-ping-once", Survive, func(s *Script) {
		s.Judge(func(n *Node) { n.Introduce(n.Newcomer(1)) }, func(n *Node) { n.askOften(n.Newcomer(2).Mute()) })
	})

	Case("dht-table-ping-once-answered", Survive, func(s *Script) {
		s.Judge(func(n *Node) { n.Introduce(n.Newcomer(1)) }, func(n *Node) { n.askOften(n.Newcomer(2)) })
	})

	// A ninth node of a range comes too late.
	Case("dht-table-good-stays", Survive, func(s *Script) {
		n := s.Node()
		id, depth, old := s.fill(n, 0)
		all := func(r *Reply) {
			for _, x := range old {
				r.Check(r.Names(x.ID), fmt.Sprintf("still %x, a good node", x.ID))
			}
		}
		s.Judge(func(n *Node) { all(n.FindNode(old[0].ID).WantReply()) }, func(n *Node) {
			x := n.Newcomer(10)
			x.settleAt(id, depth)
			for range 3 {
				x.FindNode(x.ID).WantReply()
			}
			s.Wait(s.grace())
			all(n.FindNode(x.ID).Look())
		})
	})
}

// fill makes eight nodes known to the target whose ids have depth bits in common with its own, which is as many as that range of
// its table holds. No other case has nodes in it if each has a lane of its own.
func (s *Script) fill(n *Node, lane int) (id [20]byte, depth int, old []*Node) {
	s.Given(func() { id = n.Ping().WantReply().ID() })
	depth = s.deep(lane)
	for host := 1; host <= 8; host++ {
		x := n.Newcomer(host)
		x.settleAt(id, depth)
		n.Introduce(x)
		old = append(old, x)
	}
	x := n.Newcomer(9)
	x.settleAt(id, depth+1) // divides the range from that around the target's own id
	n.Introduce(x)
	return id, depth, old
}

// deep is how many bits the nodes of a range have in common with the target, so deep in its table that no newcomer of other cases gets there.
func (s *Script) deep(lane int) int { return 110 + 6*s.IntN(5) + 2*lane }

// askOften judges how often the target pings a node that asks it again and again.
func (n *Node) askOften(x *Node) {
	for range 6 {
		x.Ping().Look()
		n.s.Wait(10 * time.Millisecond)
	}
	pings := len(x.AskedFor("ping"))
	n.s.Check(pings <= 1, "one ping in 5 min", fmt.Sprintf("%d in 60 ms", pings))
}
