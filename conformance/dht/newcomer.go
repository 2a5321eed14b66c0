package dht

import (
	"net/netip"
	"slices"
	"time"

	"kith/conformance"
	"kith/conformance/lenient"
)

// patience is how long a target gets to ask a node that has asked it. No BEP sets a time: who takes longer is not judged.
const patience = time.Second

// Newcomer opens a node that the target has not heard of, at the case's source address of that number, or at another port of
// n's where the tester has no more addresses. Its id is close to the target's, where a Kademlia table has room.
func (n *Node) Newcomer(host int) *Node {
	s := n.s
	var x *Node
	s.Given(func() {
		id := n.Ping().WantReply().ID()
		var err error
		if x, err = s.open(host, n.v6); err != nil {
			x = n.Sibling()
		}
		x.settleAt(id, 24+s.IntN(80)) // deeper lie the ranges that some cases fill on purpose
	})
	return x
}

// settleAt gives x an id with n bits in common with another. Its last bytes depend on x's port: the target may remember for a quarter of an hour
// whom it met under the same seed in an earlier run.
func (x *Node) settleAt(id [20]byte, n int) {
	x.ID = x.s.Near(id, n)
	x.ID[18] ^= byte(x.Addr.Port() >> 8)
	x.ID[19] ^= byte(x.Addr.Port())
}

// firstAsked is the target's first query to a node that it knows. The case is inconclusive where it took the node in unasked.
func (n *Node) firstAsked() *Answer {
	if len(n.asked) == 0 {
		n.s.Inconclusive("the target asks a newcomer before it names it to others")
	}
	return n.asked[0]
}

// Mute makes the node leave the target's queries without an answer.
func (n *Node) Mute() *Node {
	n.OnQuery = func(*Answer) []byte { return nil }
	return n
}

// Introduce makes x known to the target, as a node becomes known that asks and answers, until the target names it to n.
func (n *Node) Introduce(x *Node) {
	s := n.s
	s.Given(func() {
		x.FindNode(x.ID).WantReply()
		if n.FindNode(x.ID).WantReply().Names(x.ID) {
			return
		}
		s.Within(patience, func() bool { return len(x.asked) > 0 })
		s.settle()
		if !n.FindNode(x.ID).WantReply().Names(x.ID) {
			s.Inconclusive("the target names a newcomer, which asks and answers, to others within " + patience.String())
		}
	})
}

// Acquainted sees that the target knows a node that it could name to n, and returns it: a neighbour, or else a newcomer.
func (n *Node) Acquainted() (known lenient.Contact) {
	n.s.Given(func() {
		for _, x := range n.s.Neighbours() {
			known = lenient.Contact{ID: x.ID, Addr: x.Addr}
			if x.Addr.Addr().Is6() == n.v6 && n.knows(known) {
				return
			}
		}
		x := n.Newcomer(1)
		n.Introduce(x)
		known = lenient.Contact{ID: x.ID, Addr: x.Addr}
	})
	return known
}

// Look sends a query whose reply shows the effect of a stimulus, or that there is none.
func (p *Packet) Look() *Reply {
	sent := p.Send()
	r := sent.WantReply()
	sent.judged(conformance.Survive)
	return r
}

// Contacts returns the nodes that the reply names in the family of who asked: none when the key is not there, which only a Kith
// node may not do.
func (r *Reply) Contacts() []lenient.Contact {
	key, list := "nodes", r.Nodes
	if r.sent.node.v6 {
		key, list = "nodes6", r.Nodes6
	}
	if !r.Has(key) {
		return nil
	}
	return list()
}

// Names reports whether the reply names the node of that id, at whatever address.
func (r *Reply) Names(id [20]byte) bool { return names(r.Contacts(), id) }

func names(list []lenient.Contact, id [20]byte) bool {
	for _, c := range list {
		if c.ID == id {
			return true
		}
	}
	return false
}

// closer reports whether a is closer to target than b is.
func closer(target, a, b [20]byte) bool {
	for i := range target {
		if x, y := a[i]^target[i], b[i]^target[i]; x != y {
			return x < y
		}
	}
	return false
}

// Known returns the neighbours that the target has in its table for certain: it names each to n, who asks for its id.
func (n *Node) Known() (known []lenient.Contact) {
	n.s.Given(func() {
		for _, x := range n.s.Neighbours() {
			if c := (lenient.Contact{ID: x.ID, Addr: x.Addr}); n.knows(c) {
				known = append(known, c)
			}
		}
	})
	return known
}

// knows reports whether the target names x to n, who asks for its id.
func (n *Node) knows(x lenient.Contact) bool {
	named := func(c lenient.Contact) bool { return c.ID == x.ID && (c.Addr == x.Addr || n.translated()) }
	return slices.ContainsFunc(n.FindNode(x.ID).WantReply().Contacts(), named) ||
		slices.ContainsFunc(n.GetPeers(x.ID).WantReply().Contacts(), named)
}

// translated reports whether addresses may be translated between n and the target, so that the target sees another.
func (n *Node) translated() bool { return n.Addr.Addr().IsPrivate() && !n.target.Addr().IsPrivate() }

// leftOut finds a known node that is closer to target than one that the reply names, and that the reply does not name.
func leftOut(known []lenient.Contact, target [20]byte, r *Reply) (c lenient.Contact, found bool) {
	named := r.Contacts()
	for _, x := range known {
		for _, y := range named {
			if closer(target, x.ID, y.ID) && !names(named, x.ID) {
				return x, true
			}
		}
	}
	return c, false
}

// Token gets a token for an info-hash. It belongs to what a stimulus needs, not to what it judges.
func (n *Node) Token(infoHash [20]byte) (token []byte) {
	n.s.Given(func() { token = n.GetPeers(infoHash).WantReply().Token() })
	return token
}

// Peer is the peer that the target sees when n announces port. The case is blocked where it may see another.
func (n *Node) Peer(port uint16) netip.AddrPort {
	if n.translated() {
		n.s.Blocked("a source address that is not translated on the way to the target")
	}
	return netip.AddrPortFrom(n.Addr.Addr(), port)
}

// Provoke sends wrong queries until one is answered with an error, and returns that error. Which of them a node refuses, and whether it
// says so, others judge: where none is answered so the case has no subject.
func (n *Node) Provoke() *Answer {
	for _, p := range []*Packet{n.Query("kith_no_such"), n.GetPeers(n.s.ID()).NoArg("info_hash"), n.Announce(n.s.ID(), n.s.Bytes(8), 6881)} {
		if a := p.Outcome(); a.IsError() {
			return a
		}
	}
	n.s.Inconclusive("the target answers an error to an unknown method, a missing argument or a wrong token")
	return nil
}

// Accepted announces a peer for an info-hash of its own and wants the reply.
func (n *Node) Accepted() {
	infoHash := n.s.ID()
	n.Announce(infoHash, n.Token(infoHash), 6881).WantReply()
}

// Stores sees that the target names a plainly announced peer, which dht-peers-values judges: elsewhere it is only given.
func (n *Node) Stores() { n.s.Given(n.Stored) }

// Stored announces a peer for an info-hash of its own and sees that the target names it: the control of what must not be stored.
func (n *Node) Stored() {
	infoHash := n.s.ID()
	n.Announce(infoHash, n.Token(infoHash), 6881).WantReply()
	n.WantPeer(infoHash, n.Peer(6881))
}

// WantPeer fails unless the target names the peer to n.
func (n *Node) WantPeer(infoHash [20]byte, peer netip.AddrPort) {
	r := n.GetPeers(infoHash).Look()
	r.Check(r.HasPeer(peer), peer.String()+" in `values`")
}

// WantNoPeer fails if the target names any peer to n.
func (n *Node) WantNoPeer(infoHash [20]byte) {
	r := n.GetPeers(infoHash).Look()
	r.Check(len(r.Values()) == 0, "no peer of this info-hash")
}
