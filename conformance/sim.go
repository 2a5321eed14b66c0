package conformance

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"kith/conformance/lenient"
)

// Machine is a node without I/O, as package dht writes one. A null target is a few lines.
type Machine interface {
	HandleDatagram(now time.Time, from netip.AddrPort, b []byte)
	HandleTimeout(now time.Time)
	NextTimeout() time.Time // zero: none
	Transmit() (to netip.AddrPort, b []byte, ok bool)
}

// Sim is a World around one Machine in virtual time: a case takes microseconds, and two runs are alike to the bit.
type Sim struct {
	m       Machine
	epoch   time.Time
	now     time.Duration
	addr    [2]netip.AddrPort // of the machine: v4, v6
	socks   []netip.AddrPort
	inbox   []Event // for the case, by time
	flying  []Event // for the machine, by time; From is the sender
	round   []*simNeighbour
	started bool
}

type simNeighbour struct {
	Neighbour
	asked bool
}

// Latency is how long a datagram of a Sim is on its way.
const Latency = 200 * time.Microsecond

// Epoch is when every Sim begins.
var Epoch = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// NewSim makes a world around m.
func NewSim(m Machine) *Sim {
	return &Sim{m: m, epoch: Epoch, addr: [2]netip.AddrPort{
		netip.MustParseAddrPort("127.0.0.1:6881"), netip.MustParseAddrPort("[::1]:6881"),
	}}
}

// Target implements World.
func (w *Sim) Target(v6 bool) (netip.AddrPort, bool) {
	if v6 {
		return w.addr[1], true
	}
	return w.addr[0], true
}

// Open implements World.
func (w *Sim) Open(host int, v6 bool) (int, netip.AddrPort, error) {
	a := netip.AddrFrom4([4]byte{127, byte(1 + host>>8), byte(host), 1})
	if v6 {
		if host != 0 {
			return 0, netip.AddrPort{}, ErrNoAddress // a machine has one ::1
		}
		a = netip.IPv6Loopback()
	}
	addr := netip.AddrPortFrom(a, uint16(20000+len(w.socks)))
	w.socks = append(w.socks, addr)
	return len(w.socks) - 1, addr, nil
}

// Send implements World.
func (w *Sim) Send(sock int, to netip.AddrPort, b []byte) time.Duration {
	if to == w.addr[0] || to == w.addr[1] {
		w.flying = insert(w.flying, Event{Kind: Datagram, At: w.now + Latency, From: w.socks[sock], Data: append([]byte(nil), b...)})
	}
	return w.now
}

// Now implements World.
func (w *Sim) Now() time.Duration { return w.now }

// Next implements World.
func (w *Sim) Next(until time.Duration) Event {
	for {
		at := until
		if len(w.inbox) > 0 {
			at = min(at, w.inbox[0].At)
		}
		if len(w.flying) > 0 {
			at = min(at, w.flying[0].At)
		}
		timer := w.m.NextTimeout()
		due := !timer.IsZero() && timer.Sub(w.epoch) <= at
		if due {
			at = min(at, timer.Sub(w.epoch))
		}
		w.now = max(w.now, at)
		switch {
		case len(w.flying) > 0 && w.flying[0].At <= w.now:
			d := w.flying[0]
			w.flying = w.flying[1:]
			w.m.HandleDatagram(w.epoch.Add(w.now), d.From, d.Data)
			w.drain()
		case due:
			w.m.HandleTimeout(w.epoch.Add(w.now))
			w.drain()
			if n := w.m.NextTimeout(); !n.IsZero() && !n.After(timer) && !n.After(w.epoch.Add(w.now)) {
				w.now += time.Microsecond // a machine whose timer does not move must not stop the clock
			}
		case len(w.inbox) > 0 && w.inbox[0].At <= w.now:
			ev := w.inbox[0]
			w.inbox = w.inbox[1:]
			return ev
		default:
			return Event{Kind: Deadline, At: w.now}
		}
	}
}

// insert keeps a queue in the order of time, and of sending where times are equal.
func insert(q []Event, ev Event) []Event {
	i := len(q)
	for i > 0 && q[i-1].At > ev.At {
		i--
	}
	return slices.Insert(q, i, ev)
}

// drain puts what the machine wants to send on its way.
func (w *Sim) drain() {
	for {
		to, b, ok := w.m.Transmit()
		if !ok {
			return
		}
		b = append([]byte(nil), b...)
		from := w.addr[0]
		if to.Addr().Is6() && !to.Addr().Is4In6() {
			from = w.addr[1]
		}
		for k, a := range w.socks {
			if a == to {
				w.inbox = insert(w.inbox, Event{Kind: Datagram, At: w.now + Latency, Sock: k, From: from, Data: b})
			}
		}
		for _, n := range w.round {
			if n.Addr == to {
				w.neighbour(n, b)
			}
		}
	}
}

func (w *Sim) neighbour(n *simNeighbour, b []byte) {
	m, err := lenient.Parse(b)
	if err != nil {
		return
	}
	if a := Answer(n.ID, m); a != nil {
		if n.asked = true; n.Query == nil {
			n.Query = b
		}
		w.flying = insert(w.flying, Event{Kind: Datagram, At: w.now + 2*Latency, From: n.Addr, Data: a})
	}
}

// Meet lets the neighbours make themselves known, as they have before the first case of a run over sockets. Without it that happens
// when a case first looks at them.
func (w *Sim) Meet() {
	if w.started {
		return
	}
	w.started = true
	w.meet()
	if len(w.socks) > 0 {
		return // a case is under way, and its clock runs on
	}
	w.epoch = w.epoch.Add(w.now)
	for i := range w.flying {
		w.flying[i].At -= w.now
	}
	w.inbox, w.now = nil, 0
}

// Neighbours implements World.
func (w *Sim) Neighbours() []Neighbour {
	w.Meet()
	var all []Neighbour
	for _, n := range w.round {
		n.Neighbour.Asked = n.asked
		all = append(all, n.Neighbour)
	}
	return all
}

// meet learns the target's id by a ping and lets the neighbours introduce themselves.
func (w *Sim) meet() {
	first := netip.MustParseAddrPort("127.0.200.1:20000")
	probe := &simNeighbour{Neighbour: Neighbour{Addr: first}}
	k := len(w.socks)
	w.socks = append(w.socks, first)
	w.Send(k, w.addr[0], hello("ping", probe.ID))
	deadline := w.now + time.Second
	var id [20]byte
	for ok := false; !ok; {
		ev := w.Next(deadline)
		if ev.Kind == Deadline {
			w.socks = w.socks[:k]
			return
		}
		if m, err := lenient.Parse(ev.Data); ev.Sock == k && err == nil {
			id, ok = m.R.ID("id")
		}
	}
	w.socks = w.socks[:k]
	for i, nid := range NeighbourIDs(id) {
		n := &simNeighbour{Neighbour: Neighbour{ID: nid, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, byte(100 + i), 1}), 20000)}}
		w.round = append(w.round, n)
		w.flying = insert(w.flying, Event{Kind: Datagram, At: w.now + Latency, From: n.Addr, Data: hello("find_node", n.ID)})
		w.Next(w.now + 10*time.Millisecond)
	}
	for end := w.now + time.Second; w.Next(end).Kind != Deadline; {
	}
}

// NeighbourIDs are the ids of the neighbours of a node named id: they spread over the buckets so that each has room for them,
// six in the far half of the id space, then four, three and two, and one each deeper.
func NeighbourIDs(id [20]byte) (ids [][20]byte) {
	for bits, count := range []int{6, 4, 3, 2, 1, 1, 1} {
		for range count {
			h := sha256.Sum256(binary.BigEndian.AppendUint32([]byte("kith conform neighbour"), uint32(len(ids))))
			n := [20]byte(h[:20])
			for b := range bits + 1 {
				mask := byte(0x80 >> (b % 8))
				n[b/8] = n[b/8]&^mask | id[b/8]&mask
				if b == bits {
					n[b/8] ^= mask
				}
			}
			ids = append(ids, n)
		}
	}
	return ids
}

// hello is the query with which the harness makes one of its nodes known, or learns the target's id.
func hello(method string, id [20]byte) []byte {
	args := lenient.D{{Key: "id", Value: id}}
	if method == "find_node" {
		args = append(args, lenient.E{Key: "target", Value: id})
	}
	return lenient.Encode(lenient.D{
		{Key: "a", Value: args}, {Key: "q", Value: method}, {Key: "t", Value: id[:4]}, {Key: "y", Value: "q"},
	})
}
