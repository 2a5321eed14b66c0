package dht

import (
	"net/netip"
	"slices"
	"time"

	"kith/wire"
)

const (
	probesAtOnce = 8               // nodes pinged in one round of maintenance
	roundEvery   = time.Second     // at the soonest
	roundAtLeast = 5 * time.Minute // at the latest
	refreshAfter = 15 * time.Minute
	retryFirst   = 10 * time.Second // look-up of the own id while too few nodes are known; doubles
	retryMost    = 15 * time.Minute
)

// A maintenance is what keeps a table filled with nodes that live.
type maintenance struct {
	due       instant // of the next round
	bootstrap []netip.AddrPort
	saved     []wire.Node   // of an earlier life, or heard of from the other family, still to be asked
	around    bool          // a look-up of the own id is due whatever we know: at the start, and after a change of id
	looking   bool          // it is under way
	ready     bool          // it has ended once
	retry     instant       // not before this
	patience  time.Duration // after a look-up that found too few
	refresh   bool          // a look-up for a bucket is under way
}

// start sets up maintenance.
func (o *overlay) start(saved []wire.Node) {
	for _, a := range o.cfg.Bootstrap {
		o.addBootstrap(a)
	}
	o.saved = saved
	o.lookAround()
}

// AddBootstrap adds a node to those of Config.Bootstrap: one, say, whose name could not be resolved before. It is asked soon if the table
// knows too few, and otherwise when it does.
func (n *Node) AddBootstrap(now time.Time, a netip.AddrPort) {
	n.at(now)
	for _, o := range n.overlays {
		if o != nil && o.addBootstrap(a) && o.table.live() < k {
			o.lookAround()
		}
	}
}

// addBootstrap adds a node that is to be asked when the table knows too few. It reports whether it is one of the family, and new.
func (o *overlay) addBootstrap(a netip.AddrPort) bool {
	a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	if !sender(a) || familyOf(a.Addr()) != o.family || slices.Contains(o.bootstrap, a) {
		return false
	}
	o.bootstrap = append(o.bootstrap, a)
	return true
}

// lookAround makes the look-up of the own id due.
func (o *overlay) lookAround() {
	o.around, o.retry, o.patience, o.due = true, o.now, retryFirst, o.now
}

// hearOf remembers a node of the family to be asked, if there are few in the table.
func (o *overlay) hearOf(n wire.Node) {
	if len(o.saved) < seeds && n.ID != o.table.self && o.table.live() < k {
		o.saved = append(o.saved, n)
		o.hurry()
	}
}

// hurry makes a round due soon: a node may have to be pinged.
func (o *overlay) hurry() { o.due = min(o.due, o.now+roundEvery) }

// maintain is one round.
func (o *overlay) maintain() {
	o.due = o.now + roundAtLeast
	o.tryOut()
	o.lookUpSelf()
	for range min(probesAtOnce, len(o.saved)) { // dht-table-saved
		node := o.saved[0]
		if o.table.find(node) == nil && !o.ask(transaction{node: node, known: true}, o.newQuery(MethodPing)) {
			break
		}
		o.saved = o.saved[1:]
	}
	if len(o.saved) > 0 {
		o.hurry()
	}
	for range probesAtOnce { // dht-table-questionable
		if !o.probe() {
			break
		}
	}
	o.refreshBucket()
}

// lookUpSelf looks for the nodes around us: at the start, after a change of our id, and as long as we know too few.
func (o *overlay) lookUpSelf() {
	few := o.table.live() < k
	if o.looking || !o.around && !few {
		return
	}
	if nodes, _ := o.table.size(o.now); nodes+len(o.bootstrap)+len(o.saved) == 0 {
		return // until somebody asks us
	}
	if o.retry > o.now {
		o.due = min(o.due, o.retry)
		return
	}
	o.around, o.looking = false, true
	l := o.newLookup(MethodFindNode, o.table.self, nil) // dht-table-start
	for _, node := range o.saved {                      // dht-table-saved
		l.insert(node)
	}
	l.then = func() {
		o.looking = false
		if o.table.live() < k {
			o.retry = o.now + o.patience
			o.patience = min(2*o.patience, retryMost)
		} else {
			o.patience = retryFirst
		}
		if !o.ready {
			o.ready = true
			o.emit(Event{Kind: EventReady, Family: o.family})
		}
		o.hurry()
	}
	l.step()
}

// probe pings the questionable node of the table that was heard of least recently. It reports whether there was one, and
// otherwise when there may be.
func (o *overlay) probe() bool {
	var stalest *entry
	for i := range o.table.buckets {
		b := &o.table.buckets[i]
		if e := b.stalest(o.now); e != nil && (stalest == nil || e.heard() < stalest.heard()) {
			stalest = e
		}
		for j := range b.nodes {
			if e := &b.nodes[j]; e.good(o.now) {
				o.due = min(o.due, e.heard()+questionable)
			}
		}
	}
	if stalest == nil {
		return false
	}
	if !o.ask(transaction{node: stalest.node(), known: true}, o.newQuery(MethodPing)) {
		o.hurry()
		return false
	}
	o.stats.Probes++
	o.hurry()
	return true
}

// refreshBucket looks up a random id in the range of a bucket that nothing happened in for 15 minutes.
func (o *overlay) refreshBucket() {
	for i := range o.table.buckets {
		b := &o.table.buckets[i]
		if o.now-b.changed < refreshAfter {
			o.due = min(o.due, b.changed+refreshAfter)
			continue
		}
		if nodes, _ := o.table.size(o.now); o.refresh || o.looking || nodes == 0 {
			continue
		}
		b.changed = o.now
		o.refresh = true
		l := o.newLookup(MethodFindNode, o.randomIn(i), nil) // dht-table-refresh
		l.then = func() {
			o.refresh = false
			o.hurry()
		}
		l.step()
	}
}

// randomIn returns a random id in the range of bucket i.
func (o *overlay) randomIn(i int) wire.ID {
	var id wire.ID
	o.chacha.Read(id[:])
	self := &o.table.self
	for b := range i {
		setBit(&id, b, bit(self, b))
	}
	if i < len(o.table.buckets)-1 {
		setBit(&id, i, !bit(self, i))
	}
	return id
}

func setBit(id *wire.ID, i int, to bool) {
	mask := byte(0x80) >> (i % 8)
	id[i/8] &^= mask
	if to {
		id[i/8] |= mask
	}
}
