package conversation

import (
	"bytes"
	"net/netip"
	"time"

	"kith/handshake"
	"kith/ratchet"
)

const (
	takenCIDs = 8                // how many of its own connection ids a side takes
	cidsAhead = 7                // how far a side goes in the other's beyond what was answered
	pathLife  = 10 * time.Second // how long an answer to a ping is waited for
	pathAgain = time.Second      // how long before another ping goes to an address that is not proved

	// acceptDatagram is the size of an accept as it travels: what had come from R's first address before a conversation was there.
	acceptDatagram = 57 + 11 + handshake.AcceptSize

	// maxAsk is the size of the largest datagram that a ping goes in to such an address: beside a hello and an acknowledgement.
	maxAsk = HeadSize + ratchet.Overhead + 2*Block

	amplification = 3 // times the bytes that came from an address that is not proved
)

// A remote is an address of the other side, and the last ping that went there.
type remote struct {
	addr  netip.AddrPort
	value [PingValue]byte
	at    time.Time // when the ping went; zero: none is to be answered
	under uint32    // the connection id that it carried

	// While the address is not proved.
	newest     bool // the newest datagram came from there
	came, went int  // bytes
}

func (r *remote) pinged(now time.Time, value [PingValue]byte, under uint32) {
	r.value, r.at, r.under = value, now, under
}

// answered takes a pong, and returns how long it took.
func (r *remote) answered(now time.Time, value []byte) (time.Duration, bool) { // peer-path-answer
	if r.at.IsZero() || now.Sub(r.at) >= pathLife || !bytes.Equal(value, r.value[:]) {
		return 0, false
	}
	d := now.Sub(r.at)
	r.at = time.Time{}
	return d, true
}

// A path is between which addresses, and under which connection ids, a conversation goes.
type path struct {
	own, other handshake.Role
	cidk       [32]byte

	base  uint32                   // the highest own connection id that has opened
	taken [takenCIDs]handshake.CID // own ones, from base on

	use     uint32 // the connection id of the other that datagrams carry
	cid     handshake.CID
	highest uint32 // of the other's, under which a ping was answered

	follow bool // the next of them is used as soon as the address is proved from which the other went up

	here     remote // where everything goes
	unproved bool   // that is where R's accept came from, and nothing that was sent there has been answered
	there    remote // where the newest datagram came from, if that is not proved; without an address there is none
}

// newPath returns the path of a side to the other's first address. I's counts as proved: an offer came from there, in answer to its knock.
func newPath(own handshake.Role, cidk *[32]byte, to netip.AddrPort) path {
	other := handshake.Initiator
	if own == handshake.Initiator {
		other = handshake.Responder
	}
	p := path{own: own, other: other, cidk: *cidk, here: remote{addr: to, came: acceptDatagram}, unproved: own == handshake.Responder}
	for i := range p.taken {
		p.taken[i] = handshake.NewCID(&p.cidk, own, uint32(i))
	}
	p.cid = handshake.NewCID(&p.cidk, other, 0)
	return p
}

// takes reports whether cid is own connection id i and one that is taken.
func (p *path) takes(i uint32, cid []byte) bool { // peer-cid-taken
	return i >= p.base && i-p.base < takenCIDs && bytes.Equal(p.taken[i-p.base][:], cid)
}

// opened takes notice of a datagram of n bytes that opened under own connection id i. It reports whether others are taken now.
func (p *path) opened(now time.Time, from netip.AddrPort, i uint32, newest bool, n int) (raised bool) {
	if p.there.addr.IsValid() && !p.there.at.IsZero() && now.Sub(p.there.at) >= pathLife {
		p.there = remote{} // peer-path-answer
	}
	switch {
	case from == p.here.addr:
		p.here.came += n
		p.there.newest = p.there.newest && !newest
	case from == p.there.addr:
		p.there.came += n
		p.there.newest = p.there.newest || newest
	case newest:
		p.there = remote{addr: from, came: n, newest: true}
	}
	if i <= p.base {
		return false
	}
	for j := p.base; j < i; j++ {
		copy(p.taken[:], p.taken[1:])
		p.taken[takenCIDs-1] = handshake.NewCID(&p.cidk, p.own, j+takenCIDs)
	}
	p.base = i
	if i > p.use { // peer-cid-follows; who is at i has already gone up, and this is the other's answer to it
		if p.follow = from != p.here.addr; !p.follow { // what still goes to the old address keeps its id: none is to be seen at two
			p.up()
		}
	}
	return true
}

// next returns the connection id for what goes to where the newest datagram came from, and its number.
func (p *path) next() (handshake.CID, uint32) {
	if !p.follow || p.use-p.highest >= cidsAhead {
		return p.cid, p.use
	}
	return handshake.NewCID(&p.cidk, p.other, p.use+1), p.use + 1
}

// allows reports whether n bytes may go to the other's address: as many as one likes, once it is proved.
func (p *path) allows(n int) bool { // peer-path-first
	return !p.unproved || amplification*p.here.came-p.here.went >= n
}

// up goes to the next of the other's connection ids, and reports whether it could.
func (p *path) up() bool {
	if p.use-p.highest >= cidsAhead { // peer-cid-ahead
		return false
	}
	p.use++
	p.cid = handshake.NewCID(&p.cidk, p.other, p.use)
	return true
}

// askAt returns when a ping is to go to where the newest datagram came from, the zero time for never.
func (p *path) askAt() time.Time {
	if !p.there.newest || p.room() < maxAsk {
		return time.Time{}
	}
	return p.there.at.Add(pathAgain) // long ago, where none has gone
}

// room returns how many bytes may go to the address that is not proved. // peer-path-amplification
func (p *path) room() int { return amplification*p.there.came - p.there.went }

// answered takes a pong. It returns the round trip, and whether there is another address now.
func (p *path) answered(now time.Time, value []byte) (d time.Duration, moved, ok bool) {
	under := p.here.under
	d, ok = p.here.answered(now, value)
	if !ok && p.there.newest {
		under = p.there.under
		d, ok = p.there.answered(now, value)
		if moved = ok; moved { // peer-path-proved
			p.here, p.there = remote{addr: p.there.addr}, remote{}
			if p.follow {
				p.follow = false
				p.up()
			}
		}
	}
	if ok {
		p.unproved = false
		p.highest = max(p.highest, under)
	}
	return d, moved, ok
}

// erase overwrites the secret, and what follows from it.
func (p *path) erase() {
	clear(p.cidk[:])
	clear(p.taken[:])
	clear(p.cid[:])
}
