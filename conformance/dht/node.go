package dht

import (
	"bytes"
	"fmt"
	"net/netip"
	"time"

	"kith/conformance"
	"kith/conformance/lenient"
)

// Node is one node of the harness: a socket and an id. It builds queries to the target, and answers the target's own
// queries like a good node that knows nobody, until a case says otherwise.
type Node struct {
	ID   [20]byte
	Addr netip.AddrPort

	// OnQuery, if set, is asked for the answer to each query of the target instead; nil bytes: no answer.
	OnQuery func(q *Answer) []byte

	s       *Script
	sock    int
	v6      bool
	host    int
	target  netip.AddrPort
	sent    []*Sent
	pending map[string]*Sent // by t
	asked   []*Answer
	strays  []*Answer
	shunned bool
}

// Asked returns the target's queries to this node, oldest first.
func (n *Node) Asked() []*Answer { return n.asked }

// AskedFor returns the target's queries of one method to this node.
func (n *Node) AskedFor(method string) (list []*Answer) {
	for _, a := range n.asked {
		if a.Message.Q == method {
			list = append(list, a)
		}
	}
	return list
}

// Sibling opens another node at the same source address: another port, another id.
func (n *Node) Sibling() *Node { return n.s.must(n.host, n.v6) }

// Join makes the node known to the target as a node becomes known: it asks, and answers when the target asks back. It
// ends the case as inconclusive when the target does not ask within d, as a node with a full table need not.
func (n *Node) Join(d time.Duration) {
	n.s.Given(func() {
		n.FindNode(n.ID).WantReply()
		if !n.s.Within(d, func() bool { return len(n.asked) > 0 }) {
			n.s.Inconclusive(fmt.Sprintf("the target asks a node that has asked it, within %v", d))
		}
		n.s.settle()
	})
}

// Query begins a query of any method: `id` is this node's, `t` four random bytes.
func (n *Node) Query(method string) *Packet {
	return &Packet{
		node: n,
		top:  lenient.D{{Key: "q", Value: method}, {Key: "t", Value: n.s.Bytes(4)}, {Key: "v", Value: version}, {Key: "y", Value: "q"}},
		args: lenient.D{{Key: "id", Value: n.ID}},
	}
}

// version is what the harness calls itself in `v`: it must not pass for a Kith node.
const version = "KC\x00\x01"

// Ping is BEP 5's ping.
func (n *Node) Ping() *Packet { return n.Query("ping") }

// FindNode is BEP 5's find_node.
func (n *Node) FindNode(target [20]byte) *Packet { return n.Query("find_node").Arg("target", target) }

// GetPeers is BEP 5's get_peers.
func (n *Node) GetPeers(infoHash [20]byte) *Packet {
	return n.Query("get_peers").Arg("info_hash", infoHash)
}

// Announce is BEP 5's announce_peer, with `port` and without `implied_port`.
func (n *Node) Announce(infoHash [20]byte, token []byte, port int) *Packet {
	return n.Query("announce_peer").Arg("info_hash", infoHash).Arg("port", port).Arg("token", token)
}

// Get is BEP 44's get.
func (n *Node) Get(target [20]byte) *Packet { return n.Query("get").Arg("target", target) }

// Put is BEP 44's put of an item. It carries `target`, and `seq` 0 when the item is immutable, as deployed nodes expect;
// take them out with NoArg where that matters.
func (n *Node) Put(token []byte, it *Item) *Packet {
	p := n.Query("put").Arg("token", token).Arg("target", it.Target())
	for _, e := range it.args() {
		p.Arg(e.Key, e.Value)
	}
	return p
}

// Sample is BEP 51's sample_infohashes.
func (n *Node) Sample(target [20]byte) *Packet {
	return n.Query("sample_infohashes").Arg("target", target)
}

// Raw is a datagram of any bytes.
func (n *Node) Raw(b []byte) *Packet { return &Packet{node: n, raw: b, isRaw: true} }

// Dict is a datagram of one dictionary, written as it stands, order and duplicates included.
func (n *Node) Dict(d lenient.D) *Packet { return n.Raw(lenient.Encode(d)) }

// query takes a query of the target, and answers it.
func (n *Node) query(a *Answer) {
	n.asked = append(n.asked, a)
	answer := conformance.Answer(n.ID, a.Message)
	if n.OnQuery != nil {
		answer = n.OnQuery(a)
	}
	if answer != nil && !n.s.ended {
		n.write(a.From, answer, "the answer to its query")
	}
}

// write sends bytes and notes them in the log.
func (n *Node) write(to netip.AddrPort, b []byte, note string) (number int, at time.Duration) {
	at = n.s.w.Send(n.sock, to, b)
	return n.s.log.Add(conformance.Entry{Op: conformance.OpSend, At: at, Sock: n.sock, Addr: to, Data: b, Note: note}), at
}

// sentBytes reports whether the node itself has sent these bytes: then they are an echo, not a query.
func (n *Node) sentBytes(b []byte) bool {
	for _, sent := range n.sent {
		if bytes.Equal(sent.raw, b) {
			return true
		}
	}
	return false
}

// answered takes what is not a query of the target: the answer to something sent, or a stray.
func (n *Node) answered(a *Answer) {
	sent := n.match(a)
	if sent == nil {
		n.strays = append(n.strays, a)
		for _, q := range n.sent {
			if q.late != nil {
				q.late(a)
			}
		}
		return
	}
	sent.answers = append(sent.answers, a)
	if len(sent.answers) == 1 && a.At > sent.at {
		n.s.slowest = max(n.s.slowest, a.At-sent.at)
	}
	if sent.late != nil {
		sent.late(a)
	}
}

// match finds what a answers: by `t`, or, when what was sent has no `t` that could come back, the last such datagram.
func (n *Node) match(a *Answer) *Sent {
	if a.Message.HasT {
		if sent := n.pending[string(a.Message.T)]; sent != nil {
			return sent
		}
	}
	for i := len(n.sent) - 1; i >= 0; i-- {
		if sent := n.sent[i]; !sent.hasT && !sent.closed {
			return sent
		}
	}
	return nil
}
