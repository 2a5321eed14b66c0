package main

import (
	"bytes"
	"context"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"kith/dht"
	"kith/internal/udp"
)

// A party is one of those who take part in the demonstration: a node of the DHT by its number, or a person.
type party int

const (
	demoNodes       = 40
	alice     party = demoNodes
	bob       party = demoNodes + 1
	nobody    party = -1
)

func (p party) String() string {
	switch p {
	case alice:
		return "alice"
	case bob:
		return "bob"
	case nobody:
		return "nobody"
	}
	return "node " + strconv.Itoa(int(p)+1)
}

func (p party) person() bool { return p == alice || p == bob }

// A crossing is one datagram, as it was given to a socket.
type crossing struct {
	at   time.Duration // since the beginning
	from party
	to   netip.AddrPort
	b    []byte
}

// A dwelling is the address at which somebody is from some crossing on.
type dwelling struct {
	addr  netip.AddrPort
	who   party
	since int
}

// A capture is every datagram that anybody sent, in the order in which they were sent. Where somebody is may be told later than what he sends from there, so nobody is looked up before a step is over.
type capture struct {
	began time.Time
	more  chan struct{} // holds one when there may be others

	mu        sync.Mutex
	crossings []crossing
	homes     []dwelling
}

func newCapture() *capture { return &capture{began: udp.Now(), more: make(chan struct{}, 1)} }

// sent takes a datagram.
func (c *capture) sent(from party, to netip.AddrPort, b []byte) {
	c.mu.Lock()
	c.crossings = append(c.crossings, crossing{udp.Now().Sub(c.began), from, to, bytes.Clone(b)})
	c.mu.Unlock()
	select {
	case c.more <- struct{}{}:
	default:
	}
}

// len returns how many there are, which is the number of the next.
func (c *capture) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.crossings)
}

// settled tells where somebody is from a crossing on.
func (c *capture) settled(who party, addr netip.AddrPort, since int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.homes = append(c.homes, dwelling{addr, who, since})
}

// await returns the number of the first crossing from the i-th on that is wanted, when it is there.
func (c *capture) await(ctx context.Context, i int, wanted func(crossing) bool) (int, error) {
	for {
		c.mu.Lock()
		all := c.crossings // what is there never changes
		c.mu.Unlock()
		for ; i < len(all); i++ {
			if wanted(all[i]) {
				return i, nil
			}
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-c.more:
		}
	}
}

// whose returns who was the last to settle at an address before the i-th crossing, and whether he was still there.
func (c *capture) whose(addr netip.AddrPort, i int) (who party, there bool) {
	who = nobody
	for _, h := range c.homes {
		if h.since <= i && h.addr == addr {
			who = h.who
		}
	}
	return who, who != nobody && c.home(who, i) == addr
}

// home returns where somebody was at the i-th crossing.
func (c *capture) home(who party, i int) (addr netip.AddrPort) {
	for _, h := range c.homes {
		if h.since <= i && h.who == who {
			addr = h.addr
		}
	}
	return addr
}

// A stranger is a node of the DHT all whose datagrams are captured.
type stranger struct {
	*dht.Node
	who     party
	capture *capture
}

func (s stranger) Transmit() (to netip.AddrPort, b []byte, ok bool) {
	if to, b, ok = s.Node.Transmit(); ok {
		s.capture.sent(s.who, to, b)
	}
	return to, b, ok
}
