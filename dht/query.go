package dht

import (
	"encoding/binary"
	"math"
	"net/netip"
	"time"

	"kith/wire"
)

const (
	lostAfter    = 2 * time.Second  // a query counts as lost
	unaskedAfter = 15 * time.Second // its answer counts as unasked
	waitingMax   = 1024             // queries that are waiting for answers
	keptMax      = 4 * waitingMax   // and those whose late answers are still taken
	paceMax      = 4                // queries in any second to one address
	pacePer      = time.Second      // and so at most 40 in any 10 seconds
	forever      = instant(math.MaxInt64)
)

// A transaction is one query of ours, from when it was sent until its answer would count as unasked.
type transaction struct {
	overlay   *overlay
	method    Method
	node      wire.Node // whom we asked; the id is what we believe it to be, if known
	known     bool
	stranger  bool // it asked us before
	asker     asker
	candidate *candidate // the asker's own

	t    uint32
	sent instant
	late bool // lost already
	over bool // answered
}

// An asker is who wants to know what became of a query. It hears answered, refused or failed once for each; after a failed it may
// still hear answered, when the answer comes late.
type asker interface {
	answered(*transaction, *wire.Message) // a reply, under the id that was expected
	refused(*transaction, *wire.Message)  // an error
	failed(*transaction)                  // no answer in time, or a worthless one
}

// A queries is all our queries that an answer may still come to. Since all have the same time, the order in which they are sent
// is that in which they are lost and forgotten.
type queries struct {
	byT       map[uint32]uint64 // to numbers
	kept      []transaction     // numbers first and following
	first     uint64
	unlost    uint64 // number of the first that may not be lost yet
	waiting   int
	strangers int // of those waiting
	paces     map[netip.AddrPort]pace
	swept     instant
}

// A pace is when the last queries were sent to an address: a ring.
type pace struct {
	sent [paceMax]instant
	next uint8
}

// free returns when another query may be sent: a second after the fourth last.
func (p *pace) free() instant {
	if p.sent[p.next] == 0 {
		return 0
	}
	return p.sent[p.next] + pacePer
}

func newQueries() queries {
	return queries{byT: map[uint32]uint64{}, paces: map[netip.AddrPort]pace{}}
}

// paceKey is what the pace is kept for: an IP address, or an address and port where many nodes live at one local address.
func paceKey(a netip.AddrPort) netip.AddrPort {
	if isLocal(a.Addr()) {
		return a
	}
	return netip.AddrPortFrom(a.Addr(), 0)
}

// free returns when a query may be sent to a, which may have passed.
func (q *queries) free(a netip.AddrPort) instant {
	p := q.paces[paceKey(a)]
	return p.free()
}

func (q *queries) at(number uint64) *transaction { return &q.kept[number-q.first] }

func (q *queries) end() uint64 { return q.first + uint64(len(q.kept)) }

// due returns when the next query will be lost.
func (q *queries) due() instant {
	for ; q.unlost < q.end(); q.unlost++ {
		if t := q.at(q.unlost); !t.over {
			return t.sent + lostAfter
		}
	}
	return forever
}

// full reports whether there is no place for another query: the oldest that is kept still waits.
func (q *queries) full() bool {
	return len(q.kept) == keptMax && !q.kept[0].over && !q.kept[0].late
}

// add keeps tx, and forgets the oldest if there are too many. The queries must not be full.
func (q *queries) add(tx transaction) {
	if len(q.kept) == keptMax {
		q.forget()
	}
	q.byT[tx.t] = q.end()
	q.kept = append(q.kept, tx)
	q.waiting++
	if tx.stranger {
		q.strangers++
	}
	key := paceKey(tx.node.Addr)
	p := q.paces[key]
	p.sent[p.next] = tx.sent
	p.next = (p.next + 1) % paceMax
	q.paces[key] = p
}

// forget forgets the oldest query, which is not waiting.
func (q *queries) forget() {
	delete(q.byT, q.kept[0].t)
	q.kept[0] = transaction{}
	q.kept = q.kept[1:]
	q.first++
	q.unlost = max(q.unlost, q.first)
}

// done notes that tx no longer waits.
func (q *queries) done(tx *transaction) {
	q.waiting--
	if tx.stranger {
		q.strangers--
	}
}

// sweep forgets what is too old to matter.
func (q *queries) sweep(now instant) {
	for len(q.kept) > 0 && now-q.kept[0].sent >= unaskedAfter && (q.kept[0].over || q.kept[0].late) {
		q.forget()
	}
	if now-q.swept < pacePer {
		return
	}
	q.swept = now
	for a, p := range q.paces { // whether one goes depends on nothing but itself, so the order is no matter
		if p.sent[(p.next+paceMax-1)%paceMax]+pacePer <= now {
			delete(q.paces, a)
		}
	}
}

// newQuery begins a query, of which the arguments beyond id are the caller's.
func (o *overlay) newQuery(m Method) *wire.Message {
	o.out = wire.Message{Kind: wire.KindQuery, Method: methodBytes[m], Version: version, ReadOnly: o.readOnly()} // dht-query-ro
	o.out.Has, o.out.ID = wire.HasID, o.table.self                                                               // dht-query-own-id
	return &o.out
}

var methodBytes = func() (b [methods][]byte) {
	for m, name := range methodNames {
		b[m] = []byte(name)
	}
	return b
}()

// ask sends the query m, which newQuery began, to tx's node. It reports false, and does nothing, when too many are waiting or
// the address has had its four in this second.
func (o *overlay) ask(tx transaction, m *wire.Message) bool {
	o.queries.sweep(o.now)
	if o.queries.waiting >= waitingMax || o.queries.full() {
		o.stats.Crowded++
		return false
	}
	if o.queries.free(tx.node.Addr) > o.now { // dht-query-pace
		o.stats.Paced++
		return false
	}
	tx.overlay, tx.method, tx.sent = o, methodOf(m.Method), o.now
	for taken := true; taken; _, taken = o.queries.byT[tx.t] {
		tx.t = o.rand.Uint32() // dht-query-t, dht-query-t-random
	}
	var t [4]byte
	binary.BigEndian.PutUint32(t[:], tx.t)
	m.T = t[:]
	o.queries.add(tx)
	o.outbox.add(tx.node.Addr, m) // dht-query-once
	m.T = nil
	o.contacted.note(o.keys.address(tx.node.Addr), unprovokedFor, o.now)
	o.stats.Sent[tx.method]++
	if e := o.entryOf(&tx); e != nil {
		e.pinging = true
	}
	return true
}

// entryOf returns the table's entry of the node that tx asks, or nil.
func (o *overlay) entryOf(tx *transaction) *entry {
	if !tx.known {
		return nil
	}
	return o.table.find(tx.node)
}

// loseQueries gives up the queries that had no answer in time.
func (n *Node) loseQueries() {
	for n.queries.due() <= n.now {
		tx := n.queries.at(n.queries.unlost)
		tx.late = true // dht-query-timeout
		n.queries.unlost++
		n.queries.done(tx)
		n.stats.Lost++
		tx.overlay.failed(*tx)
	}
	n.queries.sweep(n.now)
}

// failed notes that tx had no answer that is worth anything.
func (o *overlay) failed(tx transaction) {
	if tx.known {
		o.table.lost(tx.node, o.now)
		o.hurry()
	}
	if tx.asker != nil {
		tx.asker.failed(&tx)
	}
}

// answer takes the reply or error in n.in, of which the parser said err.
func (o *overlay) answer(from netip.AddrPort, err error) {
	m := &o.in
	o.queries.sweep(o.now)
	var number uint64
	ok := len(m.T) == 4
	if ok {
		number, ok = o.queries.byT[binary.BigEndian.Uint32(m.T)]
	}
	if !ok || o.queries.at(number).over || !sameAddress(o.queries.at(number).node.Addr, from) || o.now-o.queries.at(number).sent >= unaskedAfter { // dht-unasked
		o.stats.Unasked++
		return
	}
	o.stats.Answers++
	o.queries.at(number).over = true
	tx := *o.queries.at(number) // a copy: more queries may be sent, and move it
	if tx.late {
		o.stats.Late++
	} else {
		o.queries.done(&tx)
	}
	switch {
	case err != nil || m.Kind == wire.KindReply && m.Has&wire.HasID == 0:
		o.stats.Garbled++
		o.worthless(tx)
	case m.Kind == wire.KindError:
		o.stats.Refusals++
		o.vote(from, m.IP)
		if e := o.entryOf(&tx); e != nil {
			e.pinging = false
		}
		if tx.asker != nil {
			tx.asker.refused(&tx, m)
		}
	case tx.known && m.ID != tx.node.ID:
		o.stats.Impostors++
		o.table.remove(tx.node, o.now) // dht-table-id-change
		o.worthless(tx)
	default:
		o.vote(from, m.IP)
		tx.node.ID = m.ID
		if o.table.answered(tx.node, o.now) || !o.ready { // dht-table-answered
			o.hurry()
		}
		if tx.asker != nil {
			tx.asker.answered(&tx, m)
		}
	}
}

// worthless is failed for a query that was answered, badly. One that was given up before has failed already.
func (o *overlay) worthless(tx transaction) {
	if !tx.late {
		o.failed(tx)
	}
}
