package conformance

import (
	"errors"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"kith/internal/udp"
)

// Address is where a target listens: IPv4, IPv6 or both.
type Address struct {
	V4, V6 netip.AddrPort
}

// String names the address as the command line takes it.
func (a Address) String() string {
	switch {
	case !a.V6.IsValid():
		return a.V4.String()
	case !a.V4.IsValid():
		return a.V6.String()
	}
	return a.V4.String() + " " + a.V6.String()
}

// any returns the address that the target is first spoken to at.
func (a Address) first() netip.AddrPort {
	if a.V4.IsValid() {
		return a.V4
	}
	return a.V6
}

// all returns the addresses there are.
func (a Address) all() (list []netip.AddrPort) {
	for _, x := range []netip.AddrPort{a.V4, a.V6} {
		if x.IsValid() {
			list = append(list, x)
		}
	}
	return list
}

// live is a World over sockets. Each case has one, with sockets and source addresses of its own.
type live struct {
	p     *udp.Probe
	addr  Address
	block int // which source addresses
	pace  *udp.Pace
	round *neighbourhood
	used  *usedAddresses
	socks []int // the probe's number of each socket
	now   time.Duration
}

// usedAddresses are those that a run has spoken from. A kernel hands a port out again as soon as it is free, and a node rightly
// remembers for minutes who was there: another case must not be taken for it.
type usedAddresses struct {
	mu  sync.Mutex
	all map[netip.AddrPort]bool
}

// take reports whether an address is new, and takes it.
func (u *usedAddresses) take(a netip.AddrPort) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	was := u.all[a]
	u.all[a] = true
	return !was
}

// The blocks of source addresses in 127/8. Block 0 begins behind 127.1, where the neighbours live, so that no case ever
// speaks as 127.0.0.1, which other programs on the machine use.
const (
	hostsPerBlock = 64
	blocks        = 960
	firstNet      = 2 << 8 // 127.2.0
)

func newLive(addr Address, block int, pace *udp.Pace, round *neighbourhood, used *usedAddresses) *live {
	return &live{p: udp.NewProbe(), addr: addr, block: block % blocks, pace: pace, round: round, used: used}
}

func (w *live) close() { w.p.Close() }

// Target implements World.
func (w *live) Target(v6 bool) (netip.AddrPort, bool) {
	if v6 {
		return w.addr.V6, w.addr.V6.IsValid()
	}
	return w.addr.V4, w.addr.V4.IsValid()
}

// Open implements World.
func (w *live) Open(host int, v6 bool) (int, netip.AddrPort, error) {
	target, _ := w.Target(v6)
	for _, a := range sources(target, w.block, host) {
		addr, err := w.openNew(a)
		if err == nil || !errors.Is(err, syscall.EADDRNOTAVAIL) {
			return len(w.socks) - 1, addr, err
		}
	}
	return 0, netip.AddrPort{}, ErrNoAddress
}

// openNew opens sockets until one has a port that nobody has spoken from. The others stay open, so that none is handed out twice.
func (w *live) openNew(a netip.Addr) (netip.AddrPort, error) {
	for {
		k, addr, err := w.p.Open(netip.AddrPortFrom(a, 0))
		if err != nil {
			return addr, err
		}
		if w.used.take(addr) {
			w.socks = append(w.socks, k)
			return addr, nil
		}
	}
}

// sources are the addresses to try for a host: on IPv4 loopback one in a /24 of its own, which Linux has and others have not, then
// the two that a tester may be expected to have made; elsewhere the one that leads to the target.
func sources(target netip.AddrPort, block, host int) []netip.Addr {
	switch a := target.Addr(); {
	case a.Is4() && a.IsLoopback():
		n := firstNet + block*hostsPerBlock + host
		list := []netip.Addr{netip.AddrFrom4([4]byte{127, byte(n >> 8), byte(n), 1})}
		if host < 2 {
			list = append(list, netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + host)}))
		}
		return list
	case host == 0:
		if local, err := udp.LocalFor(target); err == nil {
			return []netip.Addr{local}
		}
	}
	return nil
}

// Send implements World.
func (w *live) Send(sock int, to netip.AddrPort, b []byte) time.Duration {
	w.pace.Wait()
	at, _ := w.p.Send(w.socks[sock], to, b) // what the network refuses is lost, as any datagram may be
	w.now = max(w.now, at)
	return w.now
}

// Next implements World.
func (w *live) Next(until time.Duration) Event {
	for {
		a, ok := w.p.Next(until)
		if !ok {
			w.now = max(w.now, until)
			return Event{Kind: Deadline, At: w.now}
		}
		w.now = max(w.now, a.At)
		if a.Sock < 0 {
			return Event{Kind: Gone, At: w.now}
		}
		if k := slices.Index(w.socks, a.Sock); k >= 0 {
			return Event{Kind: Datagram, At: w.now, Sock: k, From: a.From, Data: a.Data}
		}
	}
}

// Now implements World.
func (w *live) Now() time.Duration { return w.now }

// Neighbours implements World.
func (w *live) Neighbours() []Neighbour { return w.round.list() }

// gone tells the case that the target's process ended.
func (w *live) gone() { w.p.Post(nil) }
