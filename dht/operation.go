package dht

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"kith/wire"
)

// GetOptions are what a Get may say beside the target.
type GetOptions struct {
	// Salt is that of the mutable item; it is needed to check that an item is the one that the target names.
	Salt []byte

	// Newer asks only for items with a greater seq: nodes that have none leave the item out. nil: whatever they have.
	Newer *int64

	// Families are the DHTs to look in; none: all that the node is part of.
	Families []Family

	// Only are the nodes to ask, and nobody whom they name; none: all who may know. Those of a family that is not looked in are
	// passed over.
	Only []wire.Node

	// Pace holds back the queries of this operation; nil: nothing does.
	Pace *Pace
}

// PutOptions are what a Put may say beside the item.
type PutOptions struct {
	// CAS asks nodes to store a mutable item only in place of one with this seq. nil: in place of any older one.
	CAS *int64

	// Families and Pace are as in GetOptions.
	Families []Family
	Pace     *Pace
}

// An operation is what the owner of a node has asked it to do, until the last look-up or query for it has ended.
type operation struct {
	*Node
	id       Op
	lookups  [2]*lookup
	left     int
	answers  int
	storedAt int
	item     *Item
	found    bool // peers
	refusal  Event
}

// begin registers an operation.
func (n *Node) begin(now time.Time) *operation {
	n.at(now)
	n.lastOp++
	op := &operation{Node: n, id: n.lastOp}
	n.ops[op.id] = op
	return op
}

// emit tells the owner something about the operation.
func (op *operation) emit(e Event) {
	if n := op.Node; n.ops[op.id] == op {
		e.Op, e.Asked, e.Answered, e.Told, e.Stored = op.id, op.asked(), op.answers, op.told(), op.storedAt
		n.emit(e)
	}
}

// done tells that the operation has ended.
func (op *operation) done(e Event) Op {
	e.Kind = EventDone
	op.emit(e)
	delete(op.ops, op.id)
	return op.id
}

func (op *operation) asked() int {
	n := 0
	for _, l := range op.lookups {
		if l != nil {
			n += l.asked
		}
	}
	return n
}

// told returns how many nodes were asked to store.
func (op *operation) told() int {
	n := 0
	for _, l := range op.lookups {
		if l == nil {
			continue
		}
		for _, c := range l.stores {
			if c.store != fresh {
				n++
			}
		}
	}
	return n
}

// Ping asks one node whether it is there. The EventDone says who answered, and how soon.
func (n *Node) Ping(now time.Time, to netip.AddrPort) Op {
	return n.begin(now).single(to, MethodPing, wire.ID{})
}

// Sample asks one node for info-hashes that were announced to it, and for nodes close to target (BEP 51).
func (n *Node) Sample(now time.Time, to netip.AddrPort, target wire.ID) Op {
	return n.begin(now).single(to, MethodSample, target)
}

// FindNode looks up the nodes closest to target. The EventDone names them.
func (n *Node) FindNode(now time.Time, target wire.ID) Op {
	return n.begin(now).search(lookup{method: MethodFindNode, target: target}, nil)
}

// GetPeers looks up who announced infoHash. Each node that names some gives an EventPeers.
func (n *Node) GetPeers(now time.Time, infoHash wire.ID) Op {
	return n.begin(now).search(lookup{method: MethodGetPeers, target: infoHash}, nil)
}

// Announce tells the nodes closest to infoHash that this host has something of that name at port, or, if port is 0, at the port
// that the node's datagrams come from. The peers found on the way are told as GetPeers does.
func (n *Node) Announce(now time.Time, infoHash wire.ID, port uint16) Op {
	return n.begin(now).search(lookup{method: MethodGetPeers, target: infoHash, keep: &keepsake{method: MethodAnnounce, port: port}}, nil)
}

// Get looks up the item of a target. Each item that is newer than any before gives an EventItem; the EventDone has the newest of
// all.
func (n *Node) Get(now time.Time, target wire.ID, opt GetOptions) Op {
	return n.begin(now).search(lookup{method: MethodGet, target: target, salt: bytes.Clone(opt.Salt), newer: opt.Newer, only: opt.Only, pace: opt.Pace}, opt.Families)
}

// Put gives an item to the nodes closest to its target. Items that are newer than any before and are met on the way are told as Get
// does: who gets an EventItem with a greater seq has put in vain. The node that stores, or refuses, is told with EventStored or
// EventRefused.
func (n *Node) Put(now time.Time, item Item, opt PutOptions) Op {
	op := n.begin(now)
	if err := item.Check(); err != nil {
		return op.done(Event{Err: err})
	}
	item.Value, item.Salt = bytes.Clone(item.Value), bytes.Clone(item.Salt)
	keep := &keepsake{method: MethodPut, item: item, cas: opt.CAS}
	return op.search(lookup{method: MethodGet, target: item.Target(), salt: item.Salt, keep: keep, pace: opt.Pace}, opt.Families)
}

// Cancel ends an operation without any further event. An operation that is not there is no fault.
func (n *Node) Cancel(id Op) {
	op := n.ops[id]
	if op == nil {
		return
	}
	delete(n.ops, id)
	op.satisfied()
	n.settle()
}

// satisfied ends the look-ups of the operation.
func (op *operation) satisfied() {
	for _, l := range op.lookups {
		if l != nil && l.phase != ended {
			l.end()
		}
	}
}

// search begins look-ups like this one in those DHTs of families that the node is part of; none of them named: in all.
func (op *operation) search(like lookup, families []Family) Op {
	if len(op.Node.lookups) >= lookupsMax {
		return op.done(Event{Err: fmt.Errorf("dht: %d look-ups are under way: %w", len(op.Node.lookups), ErrLimit)})
	}
	for i, o := range op.overlays {
		if o == nil || len(families) > 0 && !slices.Contains(families, Family(i)) {
			continue
		}
		l := o.newLookup(like.method, like.target, like.only)
		l.op, l.salt, l.newer, l.keep, l.pace = op, like.salt, like.newer, like.keep, like.pace
		op.lookups[i] = l
		op.left++
	}
	if op.left == 0 {
		return op.done(Event{Err: fmt.Errorf("dht: not part of such a DHT: %w", ErrNoNodes)})
	}
	for _, knowing := range []bool{true, false} { // who knows nobody waits for the other
		for _, l := range op.lookups {
			if l != nil && l.phase == asking && len(l.candidates)+len(l.doors) > 0 == knowing {
				l.step()
			}
		}
	}
	op.settle()
	return op.id
}

// sibling returns the look-up of the operation in another family, or nil.
func (op *operation) sibling(f Family) *lookup {
	if op == nil {
		return nil
	}
	return op.lookups[f]
}

// answered notes an answer to a look-up.
func (op *operation) answered(l *lookup, tx *transaction) {
	if op != nil {
		op.answers++
		op.emit(Event{Kind: EventAnswer, Family: l.family, Node: tx.node, RTT: l.now - tx.sent})
	}
}

// stored notes that a node stored.
func (op *operation) stored(l *lookup, tx *transaction) {
	op.storedAt++
	op.emit(Event{Kind: EventStored, Family: l.family, Node: tx.node, RTT: l.now - tx.sent})
}

// refused notes that a node did not store.
func (op *operation) refused(l *lookup, tx *transaction, m *wire.Message) {
	e := Event{Kind: EventRefused, Family: l.family, Node: tx.node, RTT: l.now - tx.sent, Code: m.Code, Text: string(m.Text)}
	op.refusal = e
	op.emit(e)
}

// lookupEnded notes that a look-up has ended. The last one ends the operation.
func (op *operation) lookupEnded(l *lookup) {
	if op.left--; op.left > 0 {
		if sibling := op.sibling(1 - l.family); len(sibling.candidates) == 0 {
			sibling.step() // it has waited to hear of somebody
		}
		return
	}
	e := Event{Item: op.item, Code: op.refusal.Code, Text: op.refusal.Text}
	for _, l := range op.lookups {
		if l != nil {
			all, _ := l.result()
			for _, c := range all.nodes[:all.n] {
				e.Nodes = append(e.Nodes, c.node)
			}
		}
	}
	switch {
	case op.answers == 0:
		e.Err = ErrNoNodes
	case op.storedAt == 0 && op.refusal.Code != 0:
		e.Err = fmt.Errorf("dht: error %d: %w", op.refusal.Code, ErrNotStored)
	case l.keep != nil && op.storedAt == 0:
		e.Err = ErrNotStored
	case l.keep != nil:
	case l.method == MethodGet && op.item == nil, l.method == MethodGetPeers && !op.found:
		e.Err = ErrNotFound
	}
	op.done(e)
}

// maxInterval is the longest interval of BEP 51, in seconds.
const maxInterval = 21600

// A single is an operation of one query.
type single struct{ op *operation }

// single sends the one query of the operation.
func (op *operation) single(to netip.AddrPort, method Method, target wire.ID) Op {
	to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	if !sender(to) || op.overlays[familyOf(to.Addr())] == nil {
		return op.done(Event{Err: fmt.Errorf("dht: no way to %v: %w", to, ErrNoNodes)})
	}
	o := op.overlays[familyOf(to.Addr())]
	m := o.newQuery(method)
	if method == MethodSample {
		m.Has |= wire.HasTarget
		m.Target = target
	}
	if !o.ask(transaction{node: wire.Node{Addr: to}, asker: single{op}}, m) {
		return op.done(Event{Err: fmt.Errorf("dht: %v has been asked too often: %w", to, ErrLimit)})
	}
	return op.id
}

func (s single) answered(tx *transaction, m *wire.Message) {
	e := Event{Family: tx.overlay.family, Node: tx.node, RTT: tx.overlay.now - tx.sent, Num: m.Num}
	e.Interval = time.Duration(min(max(m.Interval, 0), maxInterval)) * time.Second
	for h := range m.Samples.All() {
		e.Samples = append(e.Samples, h)
	}
	by := classOf(tx.node.Addr.Addr())
	for node := range m.Nodes.All() {
		if believable(node.Addr, by) {
			e.Nodes = append(e.Nodes, node)
		}
	}
	for node := range m.Nodes6.All() {
		if believable(node.Addr, by) {
			e.Nodes = append(e.Nodes, node)
		}
	}
	s.op.answers++
	s.op.done(e)
}

func (s single) refused(tx *transaction, m *wire.Message) {
	s.op.answers++
	s.op.done(Event{Family: tx.overlay.family, Node: tx.node, RTT: tx.overlay.now - tx.sent, Code: m.Code, Text: string(m.Text),
		Err: fmt.Errorf("dht: error %d: %w", m.Code, ErrRefused)})
}

func (s single) failed(tx *transaction) {
	s.op.done(Event{Family: tx.overlay.family, Node: tx.node, Err: ErrTimeout})
}
