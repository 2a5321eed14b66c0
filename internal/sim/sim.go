// Package sim is a network in virtual time: machines without I/O exchange datagrams that are late, lost, doubled and
// overtaken, and hours pass in seconds.
//
// New makes a Network, Add puts a machine into it, Run lets time pass. Cut, Heal, SetLossFrom, Shuffle, Host.Move and Host.Skew
// are what else can happen; a machine that restarts is removed, and another added at its address. Everything that happens
// follows from the seed and from what the machines do: the same test with the same seed has the same Trace. (testing/synctest
// has virtual time too, but its goroutines run in no fixed order.) Counts says how often each kind of thing happened, so that
// a test can insist that something did.
//
// A Network is not safe for concurrent use.
package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// A Machine is a protocol without sockets, as package internal/udp drives it over real ones.
type Machine interface {
	HandleDatagram(now time.Time, from netip.AddrPort, b []byte)
	HandleTimeout(now time.Time)
	NextTimeout() time.Time
	Transmit() (to netip.AddrPort, b []byte, ok bool)
}

// Config describes a network. The zero value delivers everything at once and in order.
type Config struct {
	Seed  uint64
	Start time.Time // of virtual time; zero: the first second of 2026

	Latency   time.Duration // of every datagram, one way
	Jitter    time.Duration // up to this much more, drawn for each: what is sent first may arrive last
	Loss      float64       // share of datagrams that never arrive, 0 to 1
	Duplicate float64       // share that arrives twice
	Late      float64       // share that is held back by LateBy
	LateBy    time.Duration
	MTU       int // longest datagram in bytes that passes; 0: 1,472, what fits into an Ethernet frame

	// Kind names a datagram for Counts.Kinds; nil: nothing is named.
	Kind func(b []byte) string
}

// Counts says how often each kind of thing happened.
type Counts struct {
	Sent       uint64 // datagrams that machines sent
	Delivered  uint64 // datagrams that machines were given
	Lost       uint64 // by chance
	Cut        uint64 // datagrams lost to a Cut
	Duplicated uint64
	Late       uint64
	Shuffled   uint64 // copies that were held back by a Shuffle
	Overtaken  uint64 // delivered after one of the same two addresses that was sent later
	TooLong    uint64 // beyond the MTU
	NoHost     uint64 // to an address where nobody is, or nobody any more
	NoAddress  uint64 // to a family in which the sender has no address
	Removed    uint64 // hosts
	Moved      uint64 // calls of Host.Move
	Skewed     uint64 // clocks that were set: calls of Host.Skew, and of AddSkewed but with 0
	Timeouts   uint64 // calls of HandleTimeout
	Functions  uint64 // that were given to At
	Bytes      uint64 // of all Sent
	Kinds      map[string]uint64
}

// A Network is virtual time and who lives in it.
type Network struct {
	cfg    Config
	rng    *rand.Rand
	start  time.Time
	now    time.Time
	queue  queue
	hosts  map[netip.AddrPort]*Host
	faults faults
	counts Counts
	trace  hash.Hash
	line   []byte // of the trace, used again
}

// A Host is a machine in a network.
type Host struct {
	n     *Network
	m     Machine
	after func(now time.Time)
	addrs []netip.AddrPort
	skew  time.Duration             // what its clock is ahead of the network's
	armed time.Time                 // its next timer event, by the network's clock; zero: none
	last  map[netip.AddrPort]uint64 // which of a sender's datagrams is the latest that arrived, for Counts.Overtaken
	gone  bool
}

// New returns an empty network. It panics when cfg makes no sense.
func New(cfg Config) *Network {
	checkShares(cfg.Loss, cfg.Duplicate, cfg.Late)
	if cfg.Latency < 0 || cfg.Jitter < 0 || cfg.LateBy < 0 {
		panic("sim: what is sent arrives later")
	}
	if cfg.Start.IsZero() {
		cfg.Start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if cfg.MTU == 0 {
		cfg.MTU = 1472
	}
	return &Network{
		cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 0)), start: cfg.Start, now: cfg.Start,
		hosts: map[netip.AddrPort]*Host{}, faults: newFaults(), counts: Counts{Kinds: map[string]uint64{}}, trace: sha256.New(),
	}
}

func checkShares(shares ...float64) {
	for _, share := range shares {
		if share < 0 || share > 1 {
			panic(fmt.Sprintf("sim: share %v", share))
		}
	}
}

// SetLoss changes Config.Loss for what is sent from now on: 1 is an outage. It panics when share makes no sense.
func (n *Network) SetLoss(share float64) {
	checkShares(share)
	n.cfg.Loss = share
}

// Now returns the virtual time.
func (n *Network) Now() time.Time { return n.now }

// Counts returns what has happened so far.
func (n *Network) Counts() Counts {
	c := n.counts
	c.Kinds = make(map[string]uint64, len(n.counts.Kinds))
	for k, v := range n.counts.Kinds {
		c.Kinds[k] = v
	}
	return c
}

// Trace returns a hash over all that has happened: every delivery and timeout with its time, addresses and bytes, in order.
func (n *Network) Trace() [32]byte { return [32]byte(n.trace.Sum(nil)) }

// Add puts m at one or more addresses, at most one of each family being used to send. After every call of m, after is called
// too (nil: nothing is), as internal/udp does.
func (n *Network) Add(m Machine, after func(now time.Time), addrs ...netip.AddrPort) *Host {
	return n.AddSkewed(0, m, after, addrs...)
}

// AddSkewed is Add for a host whose clock is d ahead, as Host.Skew sets it, from the first call on.
func (n *Network) AddSkewed(d time.Duration, m Machine, after func(now time.Time), addrs ...netip.AddrPort) *Host {
	h := &Host{n: n, m: m, after: after, skew: d, last: map[netip.AddrPort]uint64{}}
	h.moveIn(addrs)
	if d != 0 {
		n.counts.Skewed++
	}
	h.settle()
	return h
}

// moveIn gives the host, which has none, its addresses.
func (h *Host) moveIn(addrs []netip.AddrPort) {
	if len(addrs) == 0 {
		panic("sim: a host without an address")
	}
	for _, a := range addrs {
		if h.n.hosts[a] != nil {
			panic(fmt.Sprintf("sim: somebody is at %v already", a))
		}
		h.n.hosts[a] = h
	}
	h.addrs = slices.Clone(addrs)
}

// leave takes the host from its addresses.
func (h *Host) leave() {
	for _, a := range h.addrs {
		delete(h.n.hosts, a)
	}
}

// now is the time by the host's clock.
func (h *Host) now() time.Time { return h.n.now.Add(h.skew) }

// Do calls f with the time by the host's clock, then sends what the machine has to send.
func (h *Host) Do(f func(now time.Time)) {
	f(h.now())
	h.settle()
}

// Remove takes the host off the network: its timers stop, and what is sent to it is lost until somebody else is added there.
// Called from within after it is a crash: nothing is sent of what the machine had to send. To remove a host again does nothing.
func (h *Host) Remove() {
	if h.gone {
		return // somebody else may be at its addresses by now
	}
	h.gone = true
	h.leave()
	h.n.counts.Removed++
}

// At calls f when it is t; what f does to a machine it does through Host.Do.
func (n *Network) At(t time.Time, f func(now time.Time)) {
	if t.Before(n.now) {
		t = n.now
	}
	n.queue.push(t).do = f
}

// Send puts a datagram on the network as if the owner of from had sent it, whoever that is.
func (n *Network) Send(from, to netip.AddrPort, b []byte) {
	n.counts.Sent++
	n.counts.Bytes += uint64(len(b))
	if n.cfg.Kind != nil {
		n.counts.Kinds[n.cfg.Kind(b)]++
	}
	if len(b) > n.cfg.MTU {
		n.counts.TooLong++
		return
	}
	path := direction{from.Addr(), to.Addr()}
	if n.faults.cut[path] {
		n.counts.Cut++
		return
	}
	if n.chance(n.cfg.Loss) || n.chance(n.faults.loss[path]) {
		n.counts.Lost++
		return
	}
	times := 1
	if n.chance(n.cfg.Duplicate) {
		n.counts.Duplicated++
		times = 2
	}
	for range times {
		wait := n.cfg.Latency
		if n.cfg.Jitter > 0 {
			wait += time.Duration(n.rng.Int64N(int64(n.cfg.Jitter)))
		}
		if n.chance(n.cfg.Late) {
			n.counts.Late++
			wait += n.cfg.LateBy
		}
		wait += n.shuffled()
		e := n.queue.push(n.now.Add(wait))
		e.from, e.to, e.sent = from, to, n.counts.Sent
		e.data = append(e.data[:0:cap(e.data)], b...)
	}
}

func (n *Network) chance(share float64) bool { return share > 0 && n.rng.Float64() < share }

// Run lets d pass.
func (n *Network) Run(d time.Duration) {
	n.RunUntil(d, func() bool { return false })
}

// RunUntil lets time pass until done says so, which is asked after everything that happens, or until limit has passed. It
// returns what done said last.
func (n *Network) RunUntil(limit time.Duration, done func() bool) bool {
	end := n.now.Add(limit)
	for !done() {
		e := n.queue.next()
		if e == nil || e.at.After(end) {
			n.now = end
			return false
		}
		n.queue.pop()
		n.now = e.at
		n.happen(e)
		n.queue.done(e)
	}
	return true
}

func (n *Network) happen(e *event) {
	switch {
	case e.do != nil:
		n.counts.Functions++
		e.do(n.now)
	case e.timer != nil:
		e.timer.fire(e.at)
	default:
		h := n.hosts[e.to]
		if h == nil {
			n.counts.NoHost++
			return
		}
		n.counts.Delivered++
		if e.sent < h.last[e.from] {
			n.counts.Overtaken++
		} else {
			h.last[e.from] = e.sent
		}
		n.note('d', e.from, e.to, e.data)
		h.m.HandleDatagram(h.now(), e.from, e.data)
		h.settle()
	}
}

// fire is a timer event. Like the driver's timer it may be too early: then it only sets itself again.
func (h *Host) fire(at time.Time) {
	if h.gone || !h.armed.Equal(at) {
		return
	}
	h.armed = time.Time{}
	if next := h.m.NextTimeout(); !next.IsZero() && !next.After(h.now()) {
		h.n.counts.Timeouts++
		h.n.note('t', h.addrs[0], netip.AddrPort{}, nil)
		h.m.HandleTimeout(h.now())
	}
	h.settle()
}

// settle does what a driver does after a call: takes the events, sends the datagrams, sets the timer.
func (h *Host) settle() {
	n := h.n
	if h.after != nil {
		h.after(h.now())
	}
	for {
		to, b, ok := h.m.Transmit()
		if !ok {
			break
		}
		if h.gone {
			continue
		}
		if from, ok := h.source(to); ok {
			n.Send(from, to, b)
		} else {
			n.counts.NoAddress++
		}
	}
	next := h.m.NextTimeout()
	if h.gone || next.IsZero() {
		return
	}
	next = next.Add(-h.skew)
	if !h.armed.IsZero() && !next.Before(h.armed) {
		return
	}
	// No timer fires twice within a millisecond, so that a machine that is never satisfied cannot stop time.
	if soonest := n.now.Add(time.Millisecond); next.Before(soonest) {
		next = soonest
	}
	h.armed = next
	n.queue.push(next).timer = h
}

// source is the host's address of the family of to.
func (h *Host) source(to netip.AddrPort) (netip.AddrPort, bool) {
	for _, a := range h.addrs {
		if a.Addr().Is4() == to.Addr().Is4() {
			return a, true
		}
	}
	return netip.AddrPort{}, false
}

// note adds a line to the trace.
func (n *Network) note(kind byte, from, to netip.AddrPort, b []byte) {
	l := append(n.line[:0], kind)
	l = binary.BigEndian.AppendUint64(l, uint64(n.now.Sub(n.start)))
	for _, a := range [2]netip.AddrPort{from, to} {
		ip := a.Addr().As16()
		l = append(l, ip[:]...)
		l = binary.BigEndian.AppendUint16(l, a.Port())
	}
	l = binary.BigEndian.AppendUint32(l, uint32(len(b)))
	n.line = append(l, b...)
	n.trace.Write(n.line)
}
