package dht

import (
	crand "crypto/rand"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"time"

	"kith/wire"
)

// A Config says what a Node is to be. The zero value is a node of the IPv4 DHT that knows nobody.
type Config struct {
	// Rand gives the 32 bytes from which everything random in the node follows; nil: crypto/rand.
	Rand io.Reader

	// IPv4 and IPv6 say which DHTs the node is part of; neither: IPv4.
	IPv4, IPv6 bool

	// ID4 and ID6 are the ids to begin with; zero: those in State, or random ones. An id changes when the node learns its own
	// address and the id does not fit it.
	ID4, ID6 wire.ID

	// Bootstrap are nodes to ask when the table knows too few. AddBootstrap adds to them.
	Bootstrap []netip.AddrPort

	// State is what State returned in an earlier life; empty: none.
	State []byte

	// ReadOnly makes a node that asks and never answers (BEP 43).
	ReadOnly bool

	// Reachable says that strangers are known to reach the node, as they do a public server. Without it a node sets ro in its
	// queries, but for a trial, until a stranger's query shows that.
	Reachable bool

	// Rate and Burst bound the queries that are answered for one source: so many a second, and so many at once; 0: 250 and 500.
	Rate, Burst int
}

// A Node is one node of the Mainline DHT. It is not safe for concurrent use.
type Node struct {
	cfg      Config
	epoch    time.Time // instant 1
	now      instant
	chacha   *rand.ChaCha8 // everything random comes from it,
	rand     *rand.Rand    // or from this, which draws from it
	overlays [2]*overlay
	tokens   *tokens
	items    *itemStore
	limiter  limiter
	queries  queries
	lookups  []*lookup
	ops      map[Op]*operation
	lastOp   Op

	keys      keys
	contacted ledger // whom anything was sent to within 15 minutes
	pinged    ledger // strangers pinged within 5 minutes

	// What one call needs, kept so that answers allocate nothing.
	in, out  wire.Message // the message being handled, and the one being written
	askerKey uint64       // of the query being answered
	text     []byte       // of the error being written
	found    [seeds + k]*entry
	nodes    [2][k * wire.Node6Size]byte
	values   [peersPerAnswer * (3 + wire.Addr6Size)]byte
	samples  [samplesDrawn * wire.IDSize]byte

	outbox    outbox
	events    []Event
	nextEvent int
	stats     Stats
}

// An overlay is a node's part in one of the two DHTs.
type overlay struct {
	*Node
	family Family
	table  table // its self is our id
	peers  *peerStore
	own    ownAddress

	unprovoked  instant // when a query last came from one who had not been sent anything; 0: never
	trial       instant // when the last trial without ro began; 0: there was none
	wasReadOnly bool    // what the owner was told
	maintenance
}

// New returns a node that begins at now. It returns an error if Rand fails, if Rate or Burst is negative or more than 10⁹, or, of class ErrMalformed, if
// State is not what State wrote or the two families are given one id.
func New(cfg Config, now time.Time) (*Node, error) {
	if cfg.Rand == nil {
		cfg.Rand = crand.Reader
	}
	if !cfg.IPv4 && !cfg.IPv6 {
		cfg.IPv4 = true
	}
	if cfg.Rate == 0 {
		cfg.Rate = rateDefault
	}
	if cfg.Burst == 0 {
		cfg.Burst = burstDefault
	}
	if cfg.Rate < 0 || cfg.Burst < 0 || cfg.Rate > int(time.Second) || cfg.Burst > int(time.Second) {
		return nil, fmt.Errorf("dht: rate %d and burst %d make no limit: %w", cfg.Rate, cfg.Burst, ErrLimit)
	}
	var seed [32]byte
	if _, err := io.ReadFull(cfg.Rand, seed[:]); err != nil {
		return nil, fmt.Errorf("dht: reading the seed: %w", err)
	}
	saved, err := parseState(cfg.State)
	if err != nil {
		return nil, err
	}

	chacha := rand.NewChaCha8(seed)
	n := &Node{cfg: cfg, epoch: now, now: 1, chacha: chacha, rand: rand.New(chacha), ops: map[Op]*operation{}, items: newItemStore()}
	n.cfg.State = nil
	n.tokens = newTokens(func() (s [32]byte) { chacha.Read(s[:]); return s }, n.now)
	n.limiter = newLimiter(cfg.Rate, cfg.Burst, chacha.Uint64())
	n.keys = keys{chacha.Uint64(), chacha.Uint64()}
	n.contacted = newLedger(1<<16, chacha.Uint64())
	n.pinged = newLedger(1<<12, chacha.Uint64())
	n.queries = newQueries()
	for i, wanted := range [2]bool{cfg.IPv4, cfg.IPv6} {
		if !wanted {
			continue
		}
		id := [2]wire.ID{cfg.ID4, cfg.ID6}[i]
		if id == (wire.ID{}) {
			id = saved[i].id
		}
		if id == (wire.ID{}) {
			chacha.Read(id[:])
		}
		o := &overlay{Node: n, family: Family(i), table: newTable(id, n.now), peers: newPeerStore(n.rand)} // dht-id
		o.own.addr = saved[i].addr
		o.wasReadOnly = o.readOnly()
		o.start(saved[i].nodes)
		n.overlays[i] = o
	}
	if cfg.IPv4 && cfg.IPv6 && n.ID(V4) == n.ID(V6) { // dht-id-family
		return nil, fmt.Errorf("dht: one id for both families: %w", ErrMalformed)
	}
	return n, nil
}

// ID returns the node's id in a family; zero if it is not part of it.
func (n *Node) ID(f Family) wire.ID {
	if n.overlays[f] == nil {
		return wire.ID{}
	}
	return n.overlays[f].table.self
}

// Address returns the address under which others see the node, not valid while that is not known.
func (n *Node) Address(f Family) netip.Addr {
	if n.overlays[f] == nil {
		return netip.Addr{}
	}
	return n.overlays[f].own.addr
}

// Endpoint returns the address and port that others see the node's datagrams come from, not valid while that is not known: most nodes that answered
// lately have to agree on both.
func (n *Node) Endpoint(f Family) netip.AddrPort {
	if n.overlays[f] == nil {
		return netip.AddrPort{}
	}
	return n.overlays[f].own.endpoint()
}

// Reached reports whether somebody whom the node had not asked has asked it in the last 15 minutes: what shows that others can reach it.
func (n *Node) Reached(f Family) bool { return n.overlays[f] != nil && n.overlays[f].reached() }

// at sets the time, which never runs backwards.
func (n *Node) at(now time.Time) {
	n.now = max(n.now, now.Sub(n.epoch)+1)
	n.outbox.reuse()
}

// HandleDatagram takes a datagram that came from an address, whatever is in it (dht-survive). It does not keep b.
func (n *Node) HandleDatagram(now time.Time, from netip.AddrPort, b []byte) {
	n.at(now)
	n.stats.Datagrams++
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	if len(b) == 0 || b[0] != 'd' || !sender(from) || n.overlays[familyOf(from.Addr())] == nil { // dht-first-byte
		n.stats.Foreign++
		return
	}
	o := n.overlays[familyOf(from.Addr())]
	err := wire.ParseMessage(b, &n.in)
	switch n.in.Kind {
	case wire.KindQuery:
		o.query(from, len(b), err)
	case wire.KindReply, wire.KindError:
		o.answer(from, err) // dht-not-query
	default:
		n.stats.Ignored++ // dht-not-query-silent
	}
	n.settle()
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// sender reports whether a datagram can come from a, and an answer reach it and nobody else.
func sender(a netip.AddrPort) bool {
	return a.IsValid() && a.Port() != 0 && !a.Addr().IsUnspecified() && !a.Addr().IsMulticast() && a.Addr() != broadcast
}

// HandleTimeout does what is due at now. Calling it too early, or too often, does no harm.
func (n *Node) HandleTimeout(now time.Time) {
	n.at(now)
	n.loseQueries()
	for i := 0; i < len(n.lookups); i++ { // a step may begin or end others; they are taken out by settle
		if l := n.lookups[i]; l.due() <= n.now {
			l.step()
		}
	}
	for _, o := range n.overlays {
		if o != nil && o.due <= n.now {
			o.maintain()
		}
	}
	n.settle()
}

// NextTimeout returns when HandleTimeout is to be called next.
func (n *Node) NextTimeout() time.Time {
	next := n.queries.due()
	for _, l := range n.lookups {
		next = min(next, l.due())
	}
	for _, o := range n.overlays {
		if o != nil {
			next = min(next, o.due)
		}
	}
	return n.epoch.Add(next - 1)
}

// settle does what ends every call: it takes out look-ups that have ended, and tells whether we are read-only now.
func (n *Node) settle() {
	kept := n.lookups[:0]
	for _, l := range n.lookups {
		if l.phase != ended {
			kept = append(kept, l)
		}
	}
	clear(n.lookups[len(kept):])
	n.lookups = kept
	for _, o := range n.overlays {
		if o != nil && o.readOnly() != o.wasReadOnly {
			o.wasReadOnly = !o.wasReadOnly
			n.emit(Event{Kind: EventReadOnly, Family: o.family, ReadOnly: o.wasReadOnly})
		}
	}
}

// Transmit returns the next datagram to be sent and where to, and whether there was one. The bytes stay as they are until the next
// call of HandleDatagram, HandleTimeout or an operation.
func (n *Node) Transmit() (to netip.AddrPort, b []byte, ok bool) { return n.outbox.next() }

// An outbox holds the datagrams that wait for Transmit, one behind the other in memory that is used again and again.
type outbox struct {
	bytes   []byte
	packets []packet
	taken   int
}

type packet struct {
	to    netip.AddrPort
	start int
	end   int
}

// reuse makes room if everything was taken.
func (o *outbox) reuse() {
	if o.taken == len(o.packets) {
		o.bytes, o.packets, o.taken = o.bytes[:0], o.packets[:0], 0
	}
}

func (o *outbox) next() (netip.AddrPort, []byte, bool) {
	if o.taken == len(o.packets) {
		return netip.AddrPort{}, nil, false
	}
	p := o.packets[o.taken]
	o.taken++
	return p.to, o.bytes[p.start:p.end:p.end], true
}

// add puts the message m, for to, into the outbox, and returns its length.
func (o *outbox) add(to netip.AddrPort, m *wire.Message) int {
	start := len(o.bytes)
	o.bytes = wire.AppendMessage(o.bytes, m)
	o.packets = append(o.packets, packet{to, start, len(o.bytes)})
	return len(o.bytes) - start
}

// takeBack removes what add just put in.
func (o *outbox) takeBack() {
	last := len(o.packets) - 1
	o.bytes, o.packets = o.bytes[:o.packets[last].start], o.packets[:last]
}
