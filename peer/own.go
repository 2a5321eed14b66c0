package peer

import (
	"net/netip"
	"slices"
	"time"

	"kith/dht"
)

// SetLocal tells the addresses of the peer's interfaces, with the ports at which it listens: where others on the same network reach it. Those that no record may have are passed over, and of the others the global ones come
// first, since a record has room for few.
func (p *Peer) SetLocal(now time.Time, addrs []netip.AddrPort) {
	addrs = slices.Clone(addrs)
	slices.SortStableFunc(addrs, func(a, b netip.AddrPort) int { return near(a.Addr()) - near(b.Addr()) })
	p.rendezvous.SetEndpoints(now, addrs)
	p.settle(now)
}

// near is how near somebody must be for an address to be of use to him: 0 anywhere, 2 on the same machine.
func near(a netip.Addr) int {
	switch {
	case a.IsLoopback():
		return 2
	case a.IsPrivate(), a.IsLinkLocalUnicast():
		return 1
	}
	return 0
}

// Moved tells that the peer's own address may have changed.
func (p *Peer) Moved(now time.Time) {
	p.moved(now)
	p.settle(now)
}

// moved lets all conversations go up a connection id.
func (p *Peer) moved(now time.Time) { // peer-cid-moved
	for _, c := range p.list {
		if s := c.present; s != nil {
			s.conversation.Moved(now)
			p.sessions.touch(s)
		}
	}
}

// settleNode takes the events of the DHT's node. It reports whether there was one.
func (p *Peer) settleNode(now time.Time) (did bool) {
	for e, ok := p.node.Event(); ok; e, ok = p.node.Event() {
		did = true
		if p.rendezvous.HandleEvent(now, e) {
			continue
		}
		switch e.Kind {
		case dht.EventReady:
			p.events.add(Event{Kind: EventReady})
		case dht.EventEndpoint:
			p.seen(now, e)
		}
	}
	return did
}

// seen takes what others see of the peer.
func (p *Peer) seen(now time.Time, e dht.Event) {
	if !e.Endpoint.IsValid() {
		return
	}
	before := p.endpoints[e.Family]
	p.endpoints[e.Family] = e.Endpoint
	p.events.add(Event{Kind: EventAddress, Addr: e.Endpoint})
	if before.IsValid() && before != e.Endpoint {
		p.moved(now)
	}
}
