package conformance

import (
	"bytes"
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"

	"kith/conformance/lenient"
	"kith/internal/udp"
)

// neighbourhood is the nodes of the harness that live around a target for a whole run: one that a target may be started with as
// its bootstrap, and those that NeighbourIDs names. They answer every query.
type neighbourhood struct {
	p    *udp.Probe
	done chan struct{}

	closing chan struct{}

	mu    sync.Mutex
	nodes []Neighbour // by socket, from 1; their ids are zero until the target's is known
	addrs []netip.AddrPort
}

// newNeighbourhood opens the sockets near a target of that family. Where the tester has only one address they share it.
func newNeighbourhood(target netip.AddrPort) (*neighbourhood, error) {
	n := &neighbourhood{p: udp.NewProbe(), done: make(chan struct{}), closing: make(chan struct{})}
	for i := range 1 + len(NeighbourIDs([20]byte{})) {
		if err := n.open(target, i); err != nil {
			n.p.Close()
			return nil, err
		}
	}
	go n.serve()
	return n, nil
}

func (n *neighbourhood) open(target netip.AddrPort, i int) error {
	var tries []netip.Addr
	if a := target.Addr(); a.Is4() && a.IsLoopback() {
		tries = []netip.Addr{netip.AddrFrom4([4]byte{127, 1, byte(100 + i), 1}), netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	} else {
		tries = sources(target, 0, 0)
	}
	var err error
	for _, a := range tries {
		for _, port := range []uint16{usualPort(target, i), 0} {
			var addr netip.AddrPort
			if _, addr, err = n.p.Open(netip.AddrPortFrom(a, port)); err == nil {
				n.addrs = append(n.addrs, addr)
				return nil
			}
		}
	}
	return err
}

// usualPort is where a neighbour of a target lives in every run: a node rightly remembers for a quarter of an hour who was good, and
// under another address would take it for an impostor.
func usualPort(target netip.AddrPort, i int) uint16 { return 12000 + target.Port()%20000 + uint16(i) }

// bootstrap is the address to start a target with.
func (n *neighbourhood) bootstrap() netip.AddrPort { return n.addrs[0] }

// bootstrapID is the id of the node behind it.
var bootstrapID = func() [20]byte {
	h := sha256.Sum256([]byte("kith conform bootstrap"))
	return [20]byte(h[:20])
}()

// meet gives the neighbours their ids and makes them known to the target, and waits until it has asked them all, at most for d.
func (n *neighbourhood) meet(target netip.AddrPort, id [20]byte, d time.Duration, stop <-chan struct{}) {
	n.settle(id)
	for i, x := range n.list() {
		n.p.Send(1+i, target, hello("find_node", x.ID))
		udp.Pause(2*time.Millisecond, stop)
	}
	for end := n.p.Now() + d; n.p.Now() < end && !n.allAsked(); {
		if !udp.Pause(5*time.Millisecond, stop) {
			return
		}
	}
}

// settle gives the neighbours ids around a target's; a target that was started again has another.
func (n *neighbourhood) settle(id [20]byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	ids := NeighbourIDs(id)
	if len(n.nodes) == len(ids) && n.nodes[0].ID == ids[0] {
		return // the target came by its bootstrap, and may have asked some already
	}
	n.nodes = n.nodes[:0]
	for i, nid := range ids {
		n.nodes = append(n.nodes, Neighbour{ID: nid, Addr: n.addrs[1+i]})
	}
}

// forget takes the neighbours' ids away, because a target is started that may have another.
func (n *neighbourhood) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.nodes = n.nodes[:0]
}

func (n *neighbourhood) list() []Neighbour {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]Neighbour(nil), n.nodes...)
}

func (n *neighbourhood) allAsked() bool {
	for _, x := range n.list() {
		if !x.Asked {
			return false
		}
	}
	return true
}

// serve answers until the sockets are closed.
func (n *neighbourhood) serve() {
	defer close(n.done)
	for {
		a, ok := n.p.Next(n.p.Now() + time.Second)
		if !ok {
			select {
			case <-n.closing:
				return
			default:
				continue
			}
		}
		m, err := lenient.Parse(a.Data)
		if err != nil || a.Sock < 0 {
			continue
		}
		if b := n.answer(a.Sock, m); b != nil {
			n.p.Send(a.Sock, a.From, b)
		}
	}
}

func (n *neighbourhood) answer(sock int, m lenient.Message) []byte {
	if sock == 0 {
		return n.introduce(m)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if sock > len(n.nodes) {
		return nil
	}
	x := &n.nodes[sock-1]
	b := Answer(x.ID, m)
	x.Asked = x.Asked || b != nil
	if x.Query == nil && b != nil {
		x.Query = bytes.Clone(m.Root.Raw)
	}
	return b
}

// introduce answers as the bootstrap node: it names the neighbours, whose ids it derives from the asker's.
func (n *neighbourhood) introduce(m lenient.Message) []byte {
	id, ok := m.A.ID("id")
	if m.Y != "q" || !ok || m.Q != "find_node" && m.Q != "get_peers" {
		return Answer(bootstrapID, m)
	}
	if len(n.list()) == 0 {
		n.settle(id)
	}
	var nodes []byte
	for _, x := range n.list() {
		if x.Addr.Addr().Is4() {
			nodes = lenient.AppendContact(nodes, lenient.Contact{ID: x.ID, Addr: x.Addr})
		}
	}
	return lenient.Encode(lenient.D{
		{Key: "r", Value: lenient.D{{Key: "id", Value: bootstrapID}, {Key: "nodes", Value: nodes}}},
		{Key: "t", Value: m.T}, {Key: "y", Value: "r"},
	})
}

func (n *neighbourhood) close() {
	close(n.closing)
	n.p.Close()
	<-n.done
}
