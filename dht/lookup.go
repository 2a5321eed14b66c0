package dht

import (
	"bytes"
	"iter"
	"net/netip"
	"slices"
	"sort"
	"time"

	"kith/wire"
)

const (
	alpha         = 3                // queries of a look-up under way
	widest        = 2 * alpha        // and when some are lost
	lookupQueries = 128              // in one look-up
	lookupTime    = 30 * time.Second // that it may take
	lookupsMax    = 256              // at once
	contactsMax   = 8                // taken from one answer, of each family
	candidatesMax = 256              // remembered in one look-up: more than can be asked
	portsMax      = 2                // for one IP address and id, until one of them answers
	silentMax     = 2                // queries without an answer to one IP address
	seeds         = 16               // nodes of the table that a look-up begins with
	tokenMax      = 255              // bytes of another's token; the longest known has 40
)

// A phase is where a look-up is.
type phase uint8

const (
	asking phase = iota
	storing
	ended
)

// A standing is what became of a candidate.
type standing uint8

const (
	fresh    standing = iota // named by somebody
	underway                 // asked
	answered                 // by itself, with that id
	silent                   // the query was lost
	out                      // not what it was named as, or of no use
	double                   // another port of an IP address and id of which one answered
)

// A candidate is a node that a look-up has heard of.
type candidate struct {
	node     wire.Node
	fits     bool // as an entry's
	standing standing
	token    []byte
	store    standing // where storing at it stands: fresh, underway, answered (stored) or out
}

// A lookup is one search for the nodes of one family that are closest to a target, and for what they have.
type lookup struct {
	*overlay
	method Method // find_node, get_peers or get
	target wire.ID
	op     *operation  // whose it is; nil: the node's own
	then   func()      // what the node does after one of its own
	salt   []byte      // for get
	newer  *int64      // for get: the seq to send; nil: none
	only   []wire.Node // who may be asked; none: everybody
	pace   *Pace       // what holds back the queries; nil: nothing
	both   bool        // look also for the closest whose ids fit, and count only nodes that gave a token
	keep   *keepsake   // what the nodes found are to store; nil: nothing

	phase      phase
	doors      []netip.AddrPort // bootstrap addresses, whose ids are not known, still to be asked
	knocking   int              // of those, under way
	candidates []*candidate     // nearest first
	asked      int
	underway   int
	width      int // how many may be under way
	deadline   instant
	wake       instant // when a node that has had enough may be asked again
	stores     []*candidate
}

// newLookup begins a look-up with the nodes of only or, if those are none, with the nodes of the table, and the bootstrap nodes if those are few. The
// caller sets what is special about it and calls step.
func (o *overlay) newLookup(m Method, target wire.ID, only []wire.Node) *lookup {
	l := &lookup{overlay: o, method: m, target: target, only: only, width: alpha, deadline: o.now + lookupTime, wake: forever}
	l.both = m != MethodFindNode
	o.lookups = append(o.lookups, l)
	o.stats.Lookups++
	if len(only) > 0 {
		for _, node := range only {
			node.Addr = netip.AddrPortFrom(node.Addr.Addr().Unmap(), node.Addr.Port())
			if sender(node.Addr) && familyOf(node.Addr.Addr()) == o.family {
				l.insert(node)
			}
		}
		return l
	}
	found := o.table.closest(o.found[:0], &target, seeds, notBad, o.now)
	if len(found) < k {
		l.doors = append(l.doors, o.bootstrap...)
	}
	if len(found) == 0 {
		found = o.table.closest(o.found[:0], &target, seeds, anyhow, o.now)
	}
	for _, e := range found {
		l.insert(e.node())
	}
	return l
}

// due returns when step is to be called if nothing else happens.
func (l *lookup) due() instant {
	if l.phase == ended {
		return forever
	}
	return min(l.deadline, l.wake)
}

// step does what can be done now.
func (l *lookup) step() {
	if l.phase == asking {
		l.stepAsking()
	}
	if l.phase == storing {
		l.stepStoring()
	}
}

func (l *lookup) stepAsking() {
	l.wake = forever
	for l.underway < l.width {
		if l.now >= l.deadline { // dht-lookup-bound
			l.conclude()
			return
		}
		if l.asked == lookupQueries { // dht-lookup-bound
			if l.underway == 0 {
				l.conclude()
			}
			return
		}
		if door := l.nextDoor(); door >= 0 {
			if l.held() {
				return
			}
			if !l.ask(transaction{node: wire.Node{Addr: l.doors[door]}}) {
				l.wake = min(l.wake, l.now+pacePer/10) // too many are waiting
				return
			}
			l.doors = slices.Delete(l.doors, door, door+1)
			l.knocking++
			continue
		}
		c, wait := l.next()
		if c == nil {
			if !wait && l.knocking == 0 && len(l.doors) == 0 && !l.mayHear() {
				l.conclude()
			}
			return
		}
		if l.held() {
			return
		}
		if !l.ask(transaction{node: c.node, known: true, candidate: c}) {
			l.wake = min(l.wake, l.now+pacePer/10) // too many are waiting
			return
		}
		c.standing = underway
	}
	if l.now >= l.deadline {
		l.conclude()
	}
}

// mayHear reports whether nobody is known here, but the look-up for the same in the other family may hear of somebody.
func (l *lookup) mayHear() bool {
	sibling := l.op.sibling(1 - l.family)
	return len(l.only) == 0 && len(l.candidates) == 0 && sibling != nil && sibling.phase == asking && sibling.underway > 0
}

// nextDoor returns the index of a bootstrap node that may be asked now, or −1. Those that have become candidates are passed over.
func (l *lookup) nextDoor() int {
	l.doors = slices.DeleteFunc(l.doors, l.knows)
	for i, door := range l.doors {
		free := l.queries.free(door)
		if free <= l.now {
			return i
		}
		l.wake = min(l.wake, free) // dht-lookup-pace
	}
	return -1
}

// knows reports whether a candidate has the address.
func (l *lookup) knows(a netip.AddrPort) bool {
	return slices.ContainsFunc(l.candidates, func(c *candidate) bool { return c.node.Addr == a })
}

// ask sends the look-up's query.
func (l *lookup) ask(tx transaction) bool {
	m := l.newQuery(l.method)
	if l.method == MethodGetPeers {
		m.Has |= wire.HasInfoHash
		m.InfoHash = l.target
	} else {
		m.Has |= wire.HasTarget
		m.Target = l.target
	}
	if l.newer != nil { // dht-get-no-seq
		m.Has |= wire.HasSeq
		m.Seq = *l.newer
	}
	if l.overlays[V4] != nil && l.overlays[V6] != nil {
		m.Has |= wire.HasWant
		m.Want = wire.Want4 | wire.Want6
	}
	tx.asker = l
	if !l.overlay.ask(tx, m) {
		return false
	}
	l.asked++
	l.underway++
	l.sent()
	return true
}

// A selection is the best k of a walk from near to far, of one owner only the first.
type selection struct {
	nodes [k]*candidate
	n     int
}

func (s *selection) full() bool { return s.n == k }

// takes reports whether c would be selected.
func (s *selection) takes(c *candidate) bool {
	for _, d := range s.nodes[:s.n] {
		if sameOwner(c.node.Addr, d.node.Addr) { // dht-lookup-prefix
			return false
		}
	}
	return s.n < k
}

func (s *selection) add(c *candidate) {
	if s.takes(c) {
		s.nodes[s.n] = c
		s.n++
	}
}

// next returns the closest candidate whose answer could change the result, or nil. Then wait reports whether the answer of one
// that is under way could, or of one that may be asked later.
func (l *lookup) next() (c *candidate, wait bool) {
	var all, fitting selection
	for _, c := range l.candidates {
		if all.full() && (fitting.full() || !l.both) {
			break
		}
		if !all.takes(c) && !(l.both && c.fits && fitting.takes(c)) {
			continue
		}
		switch c.standing {
		case answered:
			l.count(c, &all, &fitting)
		case underway:
			wait = true
		case fresh:
			if l.unanswered(c.node.Addr) >= silentMax { // dht-lookup-silent
				l.stats.Spared++
				continue
			}
			free := l.queries.free(c.node.Addr)
			if free <= l.now {
				return c, false
			}
			l.stats.Paced++
			l.wake = min(l.wake, free) // dht-lookup-pace
			wait = true
		}
	}
	return nil, wait
}

// unanswered returns how many queries to the IP address of a, or to a local address and port, were lost or are still under way: who
// names a bystander under many ids could have us ask him as often.
func (l *lookup) unanswered(a netip.AddrPort) int {
	n := 0
	for _, c := range l.candidates {
		if (c.standing == underway || c.standing == silent) && paceKey(c.node.Addr) == paceKey(a) {
			n++
		}
	}
	return n
}

// count selects c, which has answered, into the sets it is good for.
func (l *lookup) count(c *candidate, all, fitting *selection) {
	if l.both && c.token == nil {
		return // dht-lookup-no-token
	}
	all.add(c)
	if c.fits {
		fitting.add(c)
	}
}

// result returns the two sets: the closest of all, and the closest whose ids fit (dht-lookup-sets).
func (l *lookup) result() (all, fitting selection) {
	for _, c := range l.candidates {
		if c.standing == answered { // dht-lookup-answered
			l.count(c, &all, &fitting)
		}
	}
	return all, fitting
}

// enter takes a node of the family that another named, who was reached at an address of the class by.
func (l *lookup) enter(node wire.Node, by class) {
	if !believable(node.Addr, by) {
		l.stats.Unnatural++
		return
	}
	if l.phase == asking && len(l.only) == 0 && l.insert(node) != nil {
		l.stats.Entered++
	}
}

// insert puts a node among the candidates, in order of distance. It returns nil if there is no place for it, or it is ourselves.
func (l *lookup) insert(node wire.Node) *candidate {
	if node.ID == l.table.self {
		return nil
	}
	at := sort.Search(len(l.candidates), func(i int) bool { return !closer(&l.target, &l.candidates[i].node.ID, &node.ID) })
	ports := 0
	for i := at; i < len(l.candidates) && l.candidates[i].node.ID == node.ID; i++ {
		if c := l.candidates[i]; c.node.Addr.Addr() == node.Addr.Addr() {
			ports++
			if c.standing == answered || c.node.Addr == node.Addr || ports == portsMax { // dht-lookup-once
				return nil
			}
		}
	}
	if len(l.candidates) == candidatesMax {
		if at == candidatesMax {
			return nil
		}
		l.candidates = l.candidates[:candidatesMax-1]
	}
	c := &candidate{node: node, fits: isLocal(node.Addr.Addr()) || Fits(node.ID, node.Addr.Addr())}
	l.candidates = append(l.candidates, nil)
	copy(l.candidates[at+1:], l.candidates[at:])
	l.candidates[at] = c
	return c
}

// answered takes an answer.
func (l *lookup) answered(tx *transaction, m *wire.Message) {
	if tx.method != l.method {
		l.storeAnswered(tx)
		return
	}
	if !tx.late {
		l.arrived(tx)
	}
	if l.phase != asking {
		return
	}
	c := tx.candidate
	if c == nil { // a door
		c = l.insert(tx.node)
	}
	if c == nil || c.standing == double {
		l.step()
		return
	}
	c.standing = answered
	if n := len(m.Token); n > 0 && n <= tokenMax {
		c.token = bytes.Clone(m.Token)
	}
	l.dropDoubles(c)
	l.op.answered(l, tx)

	by := classOf(tx.node.Addr.Addr())
	l.enterAll(V4, m.Nodes.All(), by)
	l.enterAll(V6, m.Nodes6.All(), by)
	if m.Has&wire.HasValues != 0 {
		l.takePeers(tx, m, by)
	}
	if m.Has&wire.HasValue != 0 {
		l.takeItem(tx, m)
	}
	if l.phase == asking {
		l.step()
	}
}

// enterAll takes at most 8 contacts of a family. Those of the other family go to the look-up that searches there for the same, or,
// of a node that still looks for its first, are remembered to be asked.
func (l *lookup) enterAll(to Family, nodes iter.Seq[wire.Node], by class) {
	other, sibling := l.overlays[to], l
	if to != l.family {
		sibling = l.op.sibling(to)
	}
	n := 0
	for node := range nodes {
		if n++; n > contactsMax || other == nil { // dht-lookup-bound
			break
		}
		if sibling != nil {
			sibling.enter(node, by)
		} else if believable(node.Addr, by) {
			other.hearOf(node)
		}
	}
	if sibling != nil && sibling != l {
		sibling.step()
	}
}

// dropDoubles drops the other candidates that have the IP address and id of c, which has answered.
func (l *lookup) dropDoubles(c *candidate) {
	for _, d := range l.candidates {
		if d != c && d.node.ID == c.node.ID && d.node.Addr.Addr() == c.node.Addr.Addr() { // dht-lookup-once
			d.standing = double
		}
	}
}

// refused takes an error: the node is of no use.
func (l *lookup) refused(tx *transaction, m *wire.Message) {
	if tx.method != l.method {
		l.storeRefused(tx, m)
		return
	}
	if !tx.late {
		l.arrived(tx)
	}
	l.strike(tx)
}

// failed takes that there was no answer. One more query may be under way, so that the silent do not make the look-up slow.
func (l *lookup) failed(tx *transaction) {
	if tx.method != l.method {
		l.storeFailed(tx)
		return
	}
	l.arrived(tx)
	l.width = min(l.width+1, widest)
	if c := tx.candidate; c != nil && c.standing == underway && tx.late {
		c.standing = silent
	}
	l.strike(tx)
}

// arrived notes that tx is no longer under way.
func (l *lookup) arrived(tx *transaction) {
	l.underway--
	if tx.candidate == nil {
		l.knocking--
	}
}

// strike takes that a node is of no use.
func (l *lookup) strike(tx *transaction) {
	if c := tx.candidate; c != nil && c.standing == underway {
		c.standing = out
	}
	if l.phase == asking {
		l.step()
	}
}

// conclude ends the asking.
func (l *lookup) conclude() {
	if l.keep == nil {
		l.end()
		return
	}
	l.beginStoring()
}

// end ends the look-up.
func (l *lookup) end() {
	l.phase = ended
	l.stats.LookupsEnd++
	if l.op != nil {
		l.op.lookupEnded(l)
	}
	if l.then != nil {
		l.then()
	}
}
