package dht

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"kith/wire"
)

const (
	k            = 8                // nodes in a bucket and in an answer (BEP 5)
	questionable = 15 * time.Minute // after which silence makes a good node questionable (BEP 5)
	badAfter     = 3                // queries in a row without an answer
	giveUpAfter  = 2                // the same, for a questionable node whose place another waits for: a ping, and once more
)

// An instant is a time as a node counts it: since it was made, so that instants are small, monotonic and hold no pointer. A node
// begins at instant 1; 0 is never.
type instant = time.Duration

// An entry is a node in the table. It holds no pointers, so the garbage collector never looks at a table.
type entry struct {
	info     [wire.Node6Size]byte // compact form; an IPv4 node uses the first 26 bytes
	v4       bool
	fits     bool  // the id fits the address, or the address is local
	local    bool  // the address is local
	fails    uint8 // queries without an answer since the last that had one
	pinging  bool  // a query of ours is under way
	answered instant
	asked    instant // when it last asked us; 0: never
}

// newEntry returns the entry of a node that answered at now.
func newEntry(n wire.Node, now instant) entry {
	e := entry{v4: n.Addr.Addr().Is4(), local: isLocal(n.Addr.Addr()), answered: now}
	e.fits = e.local || Fits(n.ID, n.Addr.Addr())
	wire.AppendNode(e.info[:0], n)
	return e
}

func (e *entry) id() *wire.ID { return (*wire.ID)(e.info[:]) }

// compact returns the node as it stands in nodes or nodes6.
func (e *entry) compact() []byte {
	if e.v4 {
		return e.info[:wire.Node4Size]
	}
	return e.info[:]
}

func (e *entry) addr() netip.AddrPort {
	if e.v4 {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(e.info[20:24])), binary.BigEndian.Uint16(e.info[24:]))
	}
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(e.info[20:36])), binary.BigEndian.Uint16(e.info[36:]))
}

func (e *entry) node() wire.Node { return wire.Node{ID: *e.id(), Addr: e.addr()} }

// heard returns when the node last sent anything that we believe it sent.
func (e *entry) heard() instant { return max(e.answered, e.asked) }

func (e *entry) bad() bool { return e.fails >= badAfter }

// good is BEP 5's: answered within 15 minutes, or ever answered, which every entry has, and asked within 15 minutes.
func (e *entry) good(now instant) bool { return !e.bad() && now-e.heard() < questionable }

// sameAddress reports whether e and f, of one table, are at the same address and port.
func (e *entry) sameAddress(f entry) bool {
	return bytes.Equal(e.compact()[wire.IDSize:], f.compact()[wire.IDSize:])
}

// sameOwner reports whether one bucket has no room for both e and f.
func (e *entry) sameOwner(f *entry) bool {
	if *e.id() == *f.id() {
		return true
	}
	if e.local {
		return e.sameAddress(*f)
	}
	return network(e.addr().Addr()) == network(f.addr().Addr()) // dht-table-prefix
}

// A bucket holds the nodes of one range of the id space.
type bucket struct {
	nodes   []entry // at most k
	waiting []entry // replacements: they have answered, but there was no place; at most k, the newest last
	changed instant // when a node last answered, came or went
}

// find returns the entry with the id, or nil.
func (b *bucket) find(id *wire.ID) *entry {
	for i := range b.nodes {
		if e := &b.nodes[i]; *e.id() == *id {
			return e
		}
	}
	return nil
}

// rival returns the entry that keeps e out, or nil.
func (b *bucket) rival(e *entry) *entry {
	for i := range b.nodes {
		if f := &b.nodes[i]; f.sameOwner(e) {
			return f
		}
	}
	return nil
}

// bad returns a bad entry, or nil.
func (b *bucket) bad() *entry {
	for i := range b.nodes {
		if e := &b.nodes[i]; e.bad() {
			return e
		}
	}
	return nil
}

// stalest returns the questionable entry that was heard of least recently and is not being asked, or nil.
func (b *bucket) stalest(now instant) *entry {
	var s *entry
	for i := range b.nodes {
		e := &b.nodes[i]
		if !e.good(now) && !e.bad() && !e.pinging && (s == nil || e.heard() < s.heard()) {
			s = e
		}
	}
	return s
}

// wait puts e among the replacements. When there are k it takes the place of the oldest, of one whose id does not fit first.
func (b *bucket) wait(e entry) {
	e.pinging = false // who answers or not is looked for among the nodes only
	for i := range b.waiting {
		if b.waiting[i].sameOwner(&e) {
			b.waiting = slices.Delete(b.waiting, i, i+1)
			break
		}
	}
	if len(b.waiting) == k {
		out := 0
		for i := range b.waiting {
			if !b.waiting[i].fits {
				out = i
				break
			}
		}
		b.waiting = slices.Delete(b.waiting, out, out+1)
	}
	b.waiting = append(b.waiting, e)
}

// promote gives the place of nodes[i] to the best replacement that may have it: the newest whose id fits, or the newest. It reports
// whether there was one.
func (b *bucket) promote(i int) bool {
	best := -1
	for w := range b.waiting {
		e := &b.waiting[w]
		if r := b.rival(e); r != nil && r != &b.nodes[i] {
			continue
		}
		if best < 0 || e.fits || !b.waiting[best].fits { // dht-table-fits
			best = w
		}
	}
	if best < 0 {
		return false
	}
	b.nodes[i] = b.waiting[best]
	b.waiting = slices.Delete(b.waiting, best, best+1)
	return true
}
