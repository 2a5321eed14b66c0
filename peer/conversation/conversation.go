package conversation

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"time"

	"kith/handshake"
	"kith/peer/durable"
	"kith/ratchet"
)

const (
	// DatagramType is the first byte of a conversation's datagram.
	DatagramType = 0x51

	// HeadSize is how many bytes stand before the ratchet message: the type and a connection id.
	HeadSize = 1 + 8

	minDatagram = HeadSize + ratchet.Overhead
	maxDatagram = HeadSize + ratchet.MaxMessage
)

// Buffers are where datagrams are built and opened. One does for all the conversations of a peer. The zero value is ready.
type Buffers struct {
	frames   Frames
	plain    []byte
	datagram []byte
}

// Config is what a Conversation begins with.
type Config struct {
	Role    handshake.Role
	Session *handshake.Session // New copies what it needs, and erases it
	To      netip.AddrPort     // where the offer came from, or the accept: it counts as proved

	Sending   *Sending
	Receiving *Receiving
	Journal   *durable.Journal // that of both

	Rand    io.Reader  // of ratchet keys and nonces; nil: crypto/rand
	Random  *rand.Rand // of the values of pings, seeded from who knows
	Buffers *Buffers   // nil: its own
}

// A Conversation is one session with a contact, from the accept on. The initiator's begins with HelloDatagram; either side's waits until the other's first datagram has opened and the
// handshake counts as finished, and is then open until it is over. After each call, what Event and Transmit give is to be taken. It is not safe for concurrent use.
type Conversation struct {
	role      handshake.Role
	sending   *Sending
	receiving *Receiving
	journal   *durable.Journal
	random    *rand.Rand
	buffers   *Buffers

	ratchet *ratchet.State
	path    path
	flight  flight
	state   state
	now     time.Time // of the last call: Transmit is part of it

	hello    Hello
	greets   bool   // every datagram begins with hello
	theirs   Hello  // the other side's
	greeted  bool   // theirs has come
	datagram []byte // I: the first
	first    arrival
	failures failures

	// What is due.
	ack        bool      // at once
	ackAt      time.Time // zero: none is
	acked      uint64    // the next expected that was told last
	counted    int       // datagrams with message frames since
	ping       bool
	unanswered int             // pings in a row
	value      [PingValue]byte // R: of the first ping
	begun      bool            // R: it was sent
	pongs      []pong
	aside      aside
	repeat     netip.AddrPort // where the first datagram's contents go again; none without an address
	restored   bool           // no message goes any more: its stream is another

	// When it was.
	opened time.Time
	sent   time.Time
	spoken time.Time // the last message, either way
	proof  time.Time // R: until when more than the first has to open; zero: it has

	ends   int // end frames that are still to go
	endAt  time.Time
	reason uint8
	why    Why

	events eventQueue
}

// A state is how far a conversation is.
type state uint8

const (
	waiting state = iota // for Finish
	open
	ending // nothing but end goes any more
	over
)

// New returns the conversation of a session. The error is that of ratchet.NewInitiator, or of Rand.
func New(now time.Time, cfg Config) (*Conversation, error) {
	c := &Conversation{
		role: cfg.Role, sending: cfg.Sending, receiving: cfg.Receiving, journal: cfg.Journal, random: cfg.Random, buffers: cfg.Buffers,
		now: now, path: newPath(cfg.Role, &cfg.Session.CIDK, cfg.To), greets: true,
	}
	if c.buffers == nil {
		c.buffers = new(Buffers)
	}
	s := cfg.Session
	secrets := ratchet.Secrets{RK: s.RK, HKI: s.HKI, NHKR: s.NHKR, AD: s.AD}
	var err error
	if cfg.Role == handshake.Initiator {
		c.ratchet, err = ratchet.NewInitiator(&secrets, s.RatchetKey, cfg.Rand)
	} else {
		c.ratchet = ratchet.NewResponder(&secrets, &s.RatchetKey, cfg.Rand)
	}
	secrets.Erase()
	s.Erase()
	if err == nil && cfg.Role == handshake.Initiator {
		err = c.makeHello()
	}
	if err != nil {
		c.Erase()
		return nil, fmt.Errorf("peer: conversation: %w", err)
	}
	return c, nil
}

// makeHello makes I's first datagram. // peer-initiator-waits
func (c *Conversation) makeHello() error {
	c.hello = c.newHello()
	b := append(make([]byte, 0, HeadSize+ratchet.Overhead+Block), DatagramType)
	b, err := c.ratchet.Encrypt(append(b, c.path.cid[:]...), Pad(AppendHello(nil, &c.hello)))
	c.datagram = b
	return err
}

// newHello returns an own hello, the same for all of the conversation. // peer-hello-form
func (c *Conversation) newHello() Hello {
	h := Hello{Stream: c.sending.Stream(), First: c.sending.First()}
	h.Other, h.Next = c.receiving.Known()
	return h
}

// HelloDatagram returns the initiator's first datagram, for handshake.Machine.Hello; nil for a responder.
func (c *Conversation) HelloDatagram() []byte { return c.datagram }

// Finish makes it the present conversation with the contact: the handshake counts as finished. The older conversation is to be erased before. What the other side's first datagram says takes effect now.
func (c *Conversation) Finish(now time.Time) {
	if c.state != waiting || c.first.plaintext == nil {
		return
	}
	c.state, c.now, c.datagram = open, now, nil
	c.opened, c.sent, c.spoken = now, now, now
	c.flight = newFlight(c.sending.First())
	if c.role == handshake.Initiator {
		c.begun, c.restored = true, c.hello.Stream != c.sending.Stream()
	} else {
		c.hello = c.newHello()
		c.ping = true // peer-responder-first
		c.random64(&c.value)
		c.proof = now.Add(firstProof) // peer-responder-proof
	}
	c.events.add(Event{Kind: EventConnected})
	if c.restored {
		c.stop(now, ReasonLeft, WhyRestored)
		return
	}
	a := c.first
	c.first = arrival{}
	c.take(now, a) // peer-halfopen-first
	clear(a.plaintext)
}

// Wake tells that a message was queued, or that something of one of the two streams has become durable.
func (c *Conversation) Wake(now time.Time) {
	if c.state != open {
		return
	}
	c.now = now
	c.acknowledge(now)
	c.give(now)
}

// Ids are given before there is room to send them: an acknowledgement that frees all of the window finds another that is durable. They are given a window at a time, so that it costs one commit.
const (
	idsAhead = 2 * ids
	idsLeast = ids
)

// give gives ids to what will soon be sent.
func (c *Conversation) give(now time.Time) {
	if c.restored || c.state != open || c.sending.Ungiven() == 0 {
		return
	}
	if ahead := c.sending.given - c.flight.base; ahead < ids+idsLeast { // peer-id-rises
		c.sending.Give(now, int(ids+idsAhead-ahead))
	}
}

// Repeat sends the contents of the responder's first datagram once more, in a new ratchet message, to where the same accept came from again (hs-accept-again). The acknowledgement in it is the newest.
func (c *Conversation) Repeat(now time.Time, to netip.AddrPort) {
	if c.state == open && c.role == handshake.Responder {
		c.now, c.repeat = now, to
	}
}

// Moved tells that the own address has changed.
func (c *Conversation) Moved(now time.Time) { // peer-cid-moved
	if c.state != open {
		return
	}
	c.now = now
	c.path.up()
	c.flight.moved()
	c.ping = true
}

// End ends the conversation for a reason: Reason… of this package. EventOver comes when the other side has been told.
func (c *Conversation) End(now time.Time, reason uint8) {
	switch c.state {
	case waiting:
		c.now = now
		c.close(WhyLeft) // nobody but the two handshakes knows of it
	case open:
		c.now = now
		c.stop(now, reason, WhyLeft)
	}
}

// stop begins to end the conversation.
func (c *Conversation) stop(now time.Time, reason uint8, why Why) { // peer-end-thrice
	if c.state != open {
		return
	}
	c.receiving.Deliver(now) // what has come before counts
	c.state, c.reason, c.why = ending, reason, why
	c.ends, c.endAt = endCopies, now
	c.events.add(Event{Kind: EventEnding, Why: why})
}

// close ends the conversation without a word.
func (c *Conversation) close(why Why) {
	if c.state == over {
		return
	}
	if c.state != waiting {
		c.receiving.Deliver(c.now)
		c.receiving.Void()
	}
	c.Erase()
	c.events.add(Event{Kind: EventOver, Why: why})
}

// Erase overwrites the secrets and what was held in memory, and makes the conversation one that is over, without an event: because a newer one finishes, or the handshake did not. What the streams hold stays; it is the
// newer one's. // peer-over-erase, peer-never-stored
func (c *Conversation) Erase() {
	c.state = over
	if c.ratchet != nil {
		c.ratchet.Erase()
	}
	c.path.erase()
	clear(c.first.plaintext)
	clear(c.buffers.plain[:cap(c.buffers.plain)])
	clear(c.datagram)
	c.first, c.datagram, c.flight, c.failures, c.pongs, c.aside = arrival{}, nil, flight{}, failures{}, nil, aside{}
}

// Over reports whether the conversation is over and erased.
func (c *Conversation) Over() bool { return c.state == over }

// Open reports whether messages can be sent.
func (c *Conversation) Open() bool { return c.state == open }

// To returns the address that the conversation has for the other side.
func (c *Conversation) To() netip.AddrPort { return c.path.here.addr }

// Base returns the lowest own connection id that is taken, and CIDs the eight from it on.
func (c *Conversation) Base() uint32 { return c.path.base }

// CIDs returns the own connection ids that are taken: Base, Base + 1 and so on.
func (c *Conversation) CIDs() [8]handshake.CID { return c.path.taken }

func (c *Conversation) random64(b *[PingValue]byte) {
	x := c.random.Uint64()
	for i := range b {
		b[i] = byte(x >> (8 * i))
	}
}
