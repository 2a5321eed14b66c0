package dht

import (
	"encoding/binary"
	"net/netip"
	"time"

	"kith/wire"
)

const (
	votersMin   = 5                // before an address is believed
	votersKept  = 64               // whose votes count
	voteLife    = 30 * time.Minute // of a vote
	changeEvery = 10 * time.Minute

	unprovokedFor = 15 * time.Minute // how long a datagram of ours explains a query, and a query shows that we can be reached

	trialFor   = 15 * time.Minute // without ro, to find out whether anybody can ask us
	trialEvery = 6 * time.Hour
)

// An ownAddress is what others say our address is.
type ownAddress struct {
	addr        netip.Addr
	changed     instant // 0: never in this life
	port        uint16  // that our datagrams come from at addr; 0: not known
	portChanged instant
	votes       []vote // at most votersKept, the newest last, one for each part of the Internet
}

// A vote is what one of a /16, or of an IPv6 /32, said last.
type vote struct {
	from uint32
	said netip.AddrPort
	at   instant
}

// voter returns the part of the Internet that a is in: one owner of many addresses has few of them.
func voter(a netip.Addr) uint32 {
	if a.Is4() {
		ip := a.As4()
		return uint32(binary.BigEndian.Uint16(ip[:]))
	}
	ip := a.As16()
	return binary.BigEndian.Uint32(ip[:])
}

// take counts a vote and returns the address that is now to be believed, if it is another than before.
func (w *ownAddress) take(from netip.Addr, said netip.AddrPort, now instant) (netip.Addr, bool) {
	part := voter(from)
	kept := w.votes[:0]
	for _, v := range w.votes {
		if v.from != part && now-v.at < voteLife { // dht-own-votes
			kept = append(kept, v)
		}
	}
	if len(kept) == votersKept {
		kept = append(kept[:0], kept[1:]...)
	}
	w.votes = append(kept, vote{part, said, now})

	agree := 0
	for _, v := range w.votes {
		if v.said.Addr() == said.Addr() {
			agree++
		}
	}
	if said.Addr() == w.addr || len(w.votes) < votersMin || 3*agree <= 2*len(w.votes) { // dht-own-quorum
		return netip.Addr{}, false
	}
	if w.changed != 0 && now-w.changed < changeEvery { // dht-own-change
		return netip.Addr{}, false
	}
	return said.Addr(), true
}

// takePort takes the port of the newest vote for that of our address, if it is to be believed. Behind a NAT that gives each destination a port of
// its own there is none, and so nothing that others could be told.
func (w *ownAddress) takePort(now instant) {
	newest, agree := w.votes[len(w.votes)-1].said, 0
	for _, v := range w.votes {
		if v.said == newest {
			agree++
		}
	}
	switch {
	case newest.Addr() != w.addr || newest.Port() == w.port, len(w.votes) < votersMin || 3*agree <= 2*len(w.votes): // dht-own-quorum
	case w.port != 0 && now-w.portChanged < changeEvery: // dht-own-change
	default:
		w.port, w.portChanged = newest.Port(), now
	}
}

// endpoint returns the address and port that are believed, not valid while one of them is not known.
func (w *ownAddress) endpoint() netip.AddrPort {
	if !w.addr.IsValid() || w.port == 0 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(w.addr, w.port)
}

// vote takes what a node that answered a query of ours says our address is. Of addresses that are not global BEP 42 says nothing, so they
// are not voted on.
func (o *overlay) vote(from, ip netip.AddrPort) {
	if familyOf(ip.Addr()) != o.family || classOf(ip.Addr()) != global {
		return
	}
	o.stats.Votes++
	before := o.own.endpoint()
	if addr, ok := o.own.take(from.Addr(), ip, o.now); ok {
		o.moved(addr)
	}
	o.own.takePort(o.now)
	if now := o.own.endpoint(); now != before {
		o.emit(Event{Kind: EventEndpoint, Family: o.family, Endpoint: now})
	}
}

// moved notes that our address is another.
func (o *overlay) moved(addr netip.Addr) {
	o.own.addr, o.own.changed, o.own.port = addr, o.now, 0
	if !Fits(o.table.self, addr) {
		var random [wire.IDSize]byte
		o.chacha.Read(random[:])
		o.table.resort(IDFor(addr, random), o.now) // dht-own-id, dht-id-address
		o.stats.NewIDs++
		o.lookAround()
	}
	o.emit(Event{Kind: EventAddress, Family: o.family, Address: addr, ID: o.table.self})
}

// readOnly reports whether our queries say that we answer none: because we do not, or because nobody has shown yet that he can
// ask us.
func (o *overlay) readOnly() bool {
	return o.cfg.ReadOnly || !o.cfg.Reachable && !o.onTrial() && !o.reached() // dht-own-ro
}

// reached reports whether a query that we had not provoked came in lately.
func (o *overlay) reached() bool { return o.unprovoked != 0 && o.now-o.unprovoked < unprovokedFor }

func (o *overlay) onTrial() bool { return o.trial != 0 && o.now-o.trial < trialFor }

// tryOut begins a trial when one is due. Nobody enters a node that says ro, so nobody ever asks it: among nodes that all keep
// that rule, one has to leave ro out for a while to learn whether it can be reached.
func (o *overlay) tryOut() {
	if !o.ready || o.cfg.ReadOnly || o.cfg.Reachable {
		return
	}
	if o.trial == 0 || o.now-o.trial >= trialEvery { // dht-own-trial
		o.trial = o.now
		if !o.reached() {
			o.around = true // those around us are to enter us
			o.hurry()
		}
	}
	next := o.trial + trialEvery
	if o.onTrial() {
		next = o.trial + trialFor
	}
	o.due = min(o.due, next)
}
