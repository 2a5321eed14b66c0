package dht

import (
	"slices"

	"kith/wire"
)

// A table is the routing table of one family: a list of buckets. Bucket i holds the nodes whose ids have exactly the first i
// bits in common with our own, and the last bucket those with as many or more: it is the one that holds our own id, and the
// only one that is ever split.
type table struct {
	self    wire.ID
	buckets []bucket
}

// maxBuckets is where splitting ends: ids that have more bits in common with ours than that are not there by chance.
const maxBuckets = idBits - 3

func newTable(self wire.ID, now instant) table {
	return table{self: self, buckets: []bucket{{changed: now}}}
}

// bucketOf returns the bucket in whose range id is.
func (t *table) bucketOf(id *wire.ID) *bucket {
	return &t.buckets[min(commonPrefix(id, &t.self), len(t.buckets)-1)]
}

// find returns the entry of the node, or nil.
func (t *table) find(n wire.Node) *entry {
	if e := t.bucketOf(&n.ID).find(&n.ID); e != nil && e.addr() == n.Addr {
		return e
	}
	return nil
}

// size returns how many nodes the table holds, and how many of them are good.
func (t *table) size(now instant) (nodes, good int) {
	for i := range t.buckets {
		b := &t.buckets[i]
		nodes += len(b.nodes)
		for j := range b.nodes {
			if b.nodes[j].good(now) {
				good++
			}
		}
	}
	return nodes, good
}

// live returns how many nodes the table holds that are not bad.
func (t *table) live() int {
	n := 0
	for i := range t.buckets {
		for j := range t.buckets[i].nodes {
			if !t.buckets[i].nodes[j].bad() {
				n++
			}
		}
	}
	return n
}

// mayHaveRoom reports whether the bucket of id has a place to give, or would have one after it was split.
func (t *table) mayHaveRoom(id *wire.ID) bool {
	b := t.bucketOf(id)
	if len(b.nodes) < k || b.bad() != nil {
		return true
	}
	if !t.splits(b) {
		return false
	}
	n, to := 0, min(commonPrefix(id, &t.self), maxBuckets-1)
	for i := range b.nodes {
		if min(commonPrefix(b.nodes[i].id(), &t.self), maxBuckets-1) == to {
			n++
		}
	}
	return n < k
}

// hasRoom reports whether a node that is not in the table would get a place if it answered now.
func (t *table) hasRoom(n wire.Node, now instant) bool {
	if n.ID == t.self || n.Addr.Addr().Zone() != "" || !t.mayHaveRoom(&n.ID) {
		return false
	}
	e := newEntry(n, now)
	r := t.bucketOf(&n.ID).rival(&e)
	return r == nil || r.bad()
}

func (t *table) splits(b *bucket) bool {
	return b == &t.buckets[len(t.buckets)-1] && len(t.buckets) < maxBuckets
}

// asked notes that the node sent a query. It reports whether the table has it in good memory.
func (t *table) asked(n wire.Node, now instant) bool {
	e := t.find(n)
	if e == nil {
		return false
	}
	e.asked = now
	return !e.bad()
}

// answered notes that the node answered a query of ours, and enters it if there is a place for it. It reports whether it now waits for
// the place of one that may be gone. A node with a zone is never entered: it could not be asked again without.
func (t *table) answered(n wire.Node, now instant) (waits bool) {
	if n.ID == t.self || n.Addr.Addr().Zone() != "" {
		return false
	}
	if e := t.find(n); e != nil {
		e.answered, e.fails, e.pinging = now, 0, false
		t.bucketOf(&n.ID).changed = now
		return false
	}
	e := newEntry(n, now)
	t.dropFormer(&e, now)
	return t.enter(e, now)
}

// dropFormer drops the nodes that had e's address and port under other ids: there is one node, and it has a new id. e is not in the
// table.
func (t *table) dropFormer(e *entry, now instant) {
	for i := range t.buckets {
		b := &t.buckets[i]
		b.waiting = slices.DeleteFunc(b.waiting, e.sameAddress)
		if j := slices.IndexFunc(b.nodes, e.sameAddress); j >= 0 { // dht-table-id-change, dht-find-twice
			t.remove(b.nodes[j].node(), now)
		}
	}
}

// enter gives a node that has answered a place, or puts it among the replacements. It reports whether it did the latter.
func (t *table) enter(e entry, now instant) (waits bool) {
	for {
		b := t.bucketOf(e.id())
		switch r := b.rival(&e); {
		case r != nil && r.bad():
			*r = e // dht-table-bad
		case r != nil && r.good(now):
			return false // dht-table-good-stays, dht-table-prefix
		case r != nil:
			b.wait(e) // until r is good again, or is not
			return true
		case len(b.nodes) < k:
			b.nodes = append(b.nodes, e)
		case t.splits(b):
			t.split()
			continue
		default:
			bad := b.bad()
			if bad == nil {
				b.wait(e) // dht-table-good-stays
				return true
			}
			*bad = e
		}
		b.changed = now
		return false
	}
}

// split divides the last bucket: what has one more bit in common with our id goes into a new one.
func (t *table) split() {
	i := len(t.buckets) - 1
	last := &t.buckets[i]
	here, there := bucket{changed: last.changed}, bucket{changed: last.changed}
	to := func(e *entry) *bucket {
		if commonPrefix(e.id(), &t.self) > i {
			return &there
		}
		return &here
	}
	for j := range last.nodes {
		b := to(&last.nodes[j])
		b.nodes = append(b.nodes, last.nodes[j])
	}
	for j := range last.waiting {
		b := to(&last.waiting[j])
		if e := last.waiting[j]; len(b.nodes) < k && b.rival(&e) == nil {
			b.nodes = append(b.nodes, e)
		} else {
			b.wait(e)
		}
	}
	t.buckets[i] = here
	t.buckets = append(t.buckets, there)
}

// lost notes that the node did not answer a query. It gives the node's place away if that was once too often and a replacement
// waits.
func (t *table) lost(n wire.Node, now instant) {
	b := t.bucketOf(&n.ID)
	for i := range b.nodes {
		e := &b.nodes[i]
		if *e.id() != n.ID || e.addr() != n.Addr {
			continue
		}
		e.pinging = false
		if e.fails < badAfter {
			e.fails++
		}
		// dht-table-bad, dht-table-questionable
		if (e.bad() || !e.good(now) && e.fails >= giveUpAfter) && b.promote(i) {
			b.changed = now
		}
		return
	}
}

// remove drops the node, whose place goes to a replacement if one waits.
func (t *table) remove(n wire.Node, now instant) {
	b := t.bucketOf(&n.ID)
	for i := range b.nodes {
		if e := &b.nodes[i]; *e.id() != n.ID || e.addr() != n.Addr {
			continue
		}
		if !b.promote(i) {
			b.nodes = slices.Delete(b.nodes, i, i+1)
		}
		b.changed = now
		return
	}
}

// resort moves every node to where it belongs under another id of our own.
func (t *table) resort(self wire.ID, now instant) {
	old := t.buckets
	*t = newTable(self, now)
	for i := range old {
		for _, e := range old[i].nodes {
			t.enter(e, now)
		}
	}
	for i := range old {
		for _, e := range old[i].waiting {
			t.enter(e, now)
		}
	}
}

// A demand says which nodes of a table are wanted.
type demand uint8

const (
	goodOnly   demand = iota // to name them to others
	goodGlobal               // to name them to one to whom local addresses say nothing
	notBad                   // to ask them
	anyhow                   // when nothing else is left to ask
)

func (d demand) met(e *entry, now instant) bool {
	switch d {
	case goodOnly:
		return e.good(now)
	case goodGlobal:
		return !e.local && e.good(now)
	case notBad:
		return !e.bad()
	}
	return true
}

// closest appends to found the nodes closest to target that meet the demand, nearest first, until it has max. found needs room
// for max + k.
//
// With d the distance of target to our own id, a node of bucket i differs from target at bit i exactly if d has no 1 there, and
// agrees with us, and so differs from target just as d does, at all bits before. So the buckets in order of nearness are: those where d
// has a 1, ascending; the last; those where d has a 0, descending. No node of one is closer than any of one before it, and
// rarely are more than two visited.
func (t *table) closest(found []*entry, target *wire.ID, max int, want demand, now instant) []*entry {
	d := Distance(*target, t.self)
	last := len(t.buckets) - 1
	for i := commonPrefix(target, &t.self); i < last && len(found) < max; i++ {
		if bit(&d, i) {
			found = t.buckets[i].closest(found, target, max, want, now)
		}
	}
	if len(found) < max {
		found = t.buckets[last].closest(found, target, max, want, now)
	}
	for i := last - 1; i >= 0 && len(found) < max; i-- {
		if !bit(&d, i) {
			found = t.buckets[i].closest(found, target, max, want, now)
		}
	}
	return found
}

// closest is table.closest within a bucket.
func (b *bucket) closest(found []*entry, target *wire.ID, max int, want demand, now instant) []*entry {
	from := len(found)
	for i := range b.nodes {
		e := &b.nodes[i]
		if !want.met(e, now) {
			continue
		}
		found = append(found, e)
		for j := len(found) - 1; j > from && closer(target, e.id(), found[j-1].id()); j-- {
			found[j], found[j-1] = found[j-1], found[j]
		}
	}
	return found[:min(len(found), max)]
}
