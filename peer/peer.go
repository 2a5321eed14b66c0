package peer

import (
	crand "crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"time"

	"kith/dht"
	"kith/handshake"
	"kith/peer/conversation"
	"kith/peer/durable"
	"kith/peer/rendezvous"
)

// The reason classes of what a Peer refuses. Errors wrap one of them, for errors.Is.
var (
	ErrMalformed = conversation.ErrMalformed // not of the form; of New: a stored value is damaged
	ErrState     = conversation.ErrState     // not now, or not with this contact
	ErrLimit     = conversation.ErrLimit     // more than the bound
)

// saveEvery is how often the state of the DHT's node is stored.
const saveEvery = 300 * time.Second

// First bytes of datagrams.
const (
	typeNode         = 'd'
	typeHandshake    = handshake.EnvelopeType
	typeConversation = 0x51
)

// A Config says what a Peer is to be.
type Config struct {
	// Identity is whose peer this is. The peer keeps it, and it must not be erased before the peer.
	Identity *handshake.Identity

	// Rand gives everything random; nil: crypto/rand.
	Rand io.Reader

	// DHT is for the peer's node, which is in the DHTs of the families that it says. Rand is not looked at, and State only where Stored has none.
	DHT dht.Config

	// Stored is what the store has, in any order. The slices are the peer's. What is in the bucket of the history is passed over, and need not be there.
	Stored []durable.Change

	// History has every message written into the bucket of the history too.
	History bool

	// Echo makes the peer send every text back to whom it came from, and take it.
	Echo bool
}

// A Peer is one person's peer.
type Peer struct {
	id         *handshake.Identity
	rand       io.Reader
	rng        *rand.Rand
	history    bool
	echo       bool
	node       *dht.Node
	machine    *handshake.Machine
	rendezvous *rendezvous.Rendezvous
	journal    durable.Journal
	committing bool // a batch was taken that is not done

	contacts  map[handshake.PublicKey]*contact // at most handshake.MaxContacts
	list      []*contact                       // the same, in the order of their numbers
	next      uint32                           // number of the next contact
	sessions  sessions
	buffers   conversation.Buffers // of all conversations
	from      netip.AddrPort       // of the handshake's datagram that is being handled
	out       []datagram           // of handshakes, that wait for Transmit
	sent      int                  // of them
	events    events
	now       time.Time         // of the last call
	endpoints [2]netip.AddrPort // what others see of us, by family
	save      time.Time         // when the node's state is stored next
	closing   bool
}

// A datagram is on its way out.
type datagram struct {
	to netip.AddrPort
	b  []byte
}

// New returns a peer that goes on at now where Stored ends. The error says which kind of value in Stored is damaged, and is then of class ErrMalformed; of class ErrState if there is no identity; or Rand's.
func New(cfg Config, now time.Time) (*Peer, error) {
	if cfg.Identity == nil {
		return nil, fmt.Errorf("peer: no identity: %w", ErrState)
	}
	if cfg.Rand == nil {
		cfg.Rand = crand.Reader
	}
	var seed [32]byte
	if _, err := io.ReadFull(cfg.Rand, seed[:]); err != nil {
		return nil, fmt.Errorf("peer: drawing a seed: %w", err)
	}
	p := &Peer{
		id: cfg.Identity, rand: cfg.Rand, rng: rand.New(rand.NewChaCha8(seed)), history: cfg.History, echo: cfg.Echo,
		contacts: map[handshake.PublicKey]*contact{}, save: now.Add(saveEvery),
	}
	p.sessions.byCID = map[handshake.CID]taken{}
	var err error
	if p.machine, err = handshake.New(handshake.Config{Identity: cfg.Identity, Rand: cfg.Rand, InUse: p.sessions.inUse}); err != nil {
		return nil, fmt.Errorf("peer: %w", err)
	}
	s, err := sort(cfg.Stored)
	if err != nil {
		return nil, err
	}
	if err := p.newNode(now, cfg.DHT, s); err != nil {
		return nil, err
	}
	if p.rendezvous, err = rendezvous.New(rendezvous.Config{Node: p.node, Rand: cfg.Rand, Random: p.rng}, now); err != nil {
		return nil, fmt.Errorf("peer: %w", err)
	}
	if err := p.restore(now, s); err != nil {
		return nil, err
	}
	p.settle(now)
	return p, nil
}

// newNode makes the DHT's node.
func (p *Peer) newNode(now time.Time, cfg dht.Config, s *stored) (err error) {
	cfg.Rand = p.rand
	if s.dht != nil {
		cfg.State = s.dht
	}
	p.node, err = dht.New(cfg, now)
	switch {
	case errors.Is(err, dht.ErrMalformed) && s.dht != nil:
		return damaged(bucketNode, err.Error())
	case err != nil:
		return fmt.Errorf("peer: %w", err)
	}
	return nil
}

// HandleDatagram takes a datagram that came from an address, whatever is in it: its first byte says whose it is. It does not keep b.
func (p *Peer) HandleDatagram(now time.Time, from netip.AddrPort, b []byte) {
	if len(b) == 0 {
		return
	}
	switch b[0] {
	case typeNode:
		p.node.HandleDatagram(now, from, b)
	case typeHandshake:
		p.from = from
		_ = p.machine.HandleDatagram(now, from, b) // who was dropped, and why, is nobody's business: hs-envelope-silent
	case typeConversation:
		if !p.handleConversation(now, from, b) {
			return
		}
	default:
		return
	}
	p.settle(now)
}

// HandleTimeout does what is due at now. Calling it too early does no harm.
func (p *Peer) HandleTimeout(now time.Time) {
	due := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	if due(p.node.NextTimeout()) {
		p.node.HandleTimeout(now)
	}
	if due(p.machine.NextTimeout()) {
		p.handshakeTimeout(now)
	}
	if due(p.rendezvous.NextTimeout()) {
		p.rendezvous.HandleTimeout(now)
	}
	p.sessions.timeout(now)
	if due(p.save) {
		p.saveNode(now)
	}
	p.settle(now)
}

// saveNode stores what the DHT's node would begin its next life with.
func (p *Peer) saveNode(now time.Time) {
	p.save = now.Add(saveEvery)
	p.journal.Lazily(now, durable.Change{Bucket: bucketNode, Key: []byte(keyDHT), Value: p.node.State(now)})
	for _, c := range p.list {
		if c.present != nil {
			p.spoke(now, c)
		}
	}
}

// NextTimeout returns when HandleTimeout is to be called next.
func (p *Peer) NextTimeout() (next time.Time) {
	first := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	first(p.node.NextTimeout())
	first(p.machine.NextTimeout())
	first(p.rendezvous.NextTimeout())
	first(p.sessions.next())
	first(p.save)
	if !p.committing { // else Done is the next occasion to take one
		first(p.journal.NextTimeout())
	}
	return next
}

// Take returns the next batch of changes, if there is one that should not wait any longer at now. All of it is to be committed in one transaction, and then Done to be told of seq. There is none while one is out.
func (p *Peer) Take(now time.Time) (batch []durable.Change, seq uint64, ok bool) {
	if p.committing {
		return nil, 0, false
	}
	batch, seq, ok = p.journal.Take(now)
	p.committing = ok
	return batch, seq, ok
}

// TakeAll is Take for all that might wait, too, and for what the DHT's node would begin its next life with: the end.
func (p *Peer) TakeAll(now time.Time) (batch []durable.Change, seq uint64, ok bool) {
	if p.committing {
		return nil, 0, false
	}
	p.saveNode(now)
	batch, seq, ok = p.journal.TakeAll()
	p.committing = ok
	return batch, seq, ok
}

// Done tells that a batch is durable, and does what waited for that. // peer-durable-first
func (p *Peer) Done(now time.Time, seq uint64) {
	p.committing = false
	p.journal.Done(now, seq)
	p.settle(now)
}

// Transmit returns the next datagram to be sent and where to, and whether there was one. The bytes stay as they are until the next call of a method.
func (p *Peer) Transmit() (to netip.AddrPort, b []byte, ok bool) {
	if p.sent < len(p.out) {
		d := p.out[p.sent]
		p.out[p.sent] = datagram{}
		p.sent++
		return d.to, d.b, true
	}
	p.out, p.sent = p.out[:0], 0
	if to, b, ok := p.sessions.transmit(); ok {
		return to, b, true
	}
	return p.node.Transmit()
}

// settle lets the parts of the peer tell each other what has happened, until nothing is left to be told.
func (p *Peer) settle(now time.Time) {
	p.now = now
	for p.settleHandshakes(now) || p.settleNode(now) || p.settleRendezvous(now) || p.settleSessions(now) {
	}
}
