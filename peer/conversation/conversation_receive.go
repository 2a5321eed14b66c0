package conversation

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"kith/ratchet"
)

const (
	maxFailures = 250 // that failed to open in one second
	maxPings    = 8   // that are answered of one datagram
	maxPongs    = 64  // that wait to be sent
	ackEvery    = 4   // datagrams of one long message
)

// An arrival is a datagram that opened.
type arrival struct {
	plaintext []byte
	from      netip.AddrPort
	index     uint32
	newest    bool
	size      int // of the datagram
}

// A pong is the answer to a ping.
type pong struct {
	value [PingValue]byte
	n     uint8 // bytes of it
}

// An aside is a datagram to an address that is not the one that the conversation has for the other side.
type aside struct {
	to    netip.AddrPort // none without
	pongs [maxPings]pong
	n     int
	ping  bool
	room  int // bytes that may go
}

// failures are when datagrams failed to open: the last maxFailures.
type failures struct {
	when []time.Time
	next int
}

func (f *failures) full(now time.Time) bool {
	return len(f.when) == maxFailures && now.Sub(f.when[f.next]) < time.Second
}

func (f *failures) add(now time.Time) {
	if len(f.when) < maxFailures {
		f.when = append(f.when, now)
		return
	}
	f.when[f.next] = now
	f.next = (f.next + 1) % maxFailures
}

// HandleDatagram takes a datagram that came from an address under own connection id index. It reports whether it is the one that opened first, on which the handshake decides; until Finish that has no
// effect. The error says, for tests and tools, which rule dropped the datagram; nobody is answered. It does not keep b.
func (c *Conversation) HandleDatagram(now time.Time, from netip.AddrPort, index uint32, b []byte) (opened bool, err error) {
	switch {
	case len(b) < minDatagram || len(b) > maxDatagram: // peer-datagram-size
		return false, fmt.Errorf("peer: datagram has %d bytes: %w", len(b), ErrMalformed)
	case c.state == over:
		return false, fmt.Errorf("peer: conversation is over: %w", ErrState)
	case b[0] != DatagramType || !c.path.takes(index, b[1:HeadSize]): // peer-cid-unknown
		return false, fmt.Errorf("peer: connection id is not taken: %w", ErrAuthentication)
	case c.failures.full(now): // peer-open-failures
		return false, fmt.Errorf("peer: too much does not open: %w", ErrLimit)
	case c.state == ending || c.first.plaintext != nil:
		return false, fmt.Errorf("peer: conversation takes nothing now: %w", ErrState)
	}
	plaintext, newest, err := c.ratchet.Decrypt(c.plain(), b[HeadSize:])
	if err != nil { // peer-open
		return false, c.failed(now, err)
	}
	c.buffers.plain = plaintext
	a := arrival{plaintext, from, index, newest, len(b)}
	if c.state == waiting {
		a.plaintext = bytes.Clone(plaintext)
		if a.plaintext == nil {
			a.plaintext = []byte{} // malformed, and that takes effect with Finish
		}
		c.first = a
		return true, nil
	}
	c.now = now
	c.proof = time.Time{}
	c.take(now, a)
	return false, nil
}

// failed counts a datagram that did not open, and returns why it did not. One that had opened before is no failure: networks double datagrams, and it costs next to nothing.
func (c *Conversation) failed(now time.Time, err error) error {
	class := ErrAuthentication
	switch {
	case errors.Is(err, ratchet.ErrReplay):
		return fmt.Errorf("peer: datagram was had before: %w", ErrReplay)
	case errors.Is(err, ratchet.ErrMalformed):
		class = ErrMalformed
	case errors.Is(err, ratchet.ErrLimit):
		class = ErrLimit
	case errors.Is(err, ratchet.ErrState):
		class = ErrState
	}
	c.failures.add(now)
	return fmt.Errorf("peer: datagram does not open: %w", class)
}

// take gives effect to what opened.
func (c *Conversation) take(now time.Time, a arrival) {
	c.opened = now
	use := c.path.use
	if c.path.opened(now, a.from, a.index, a.newest, a.size) {
		c.events.add(Event{Kind: EventCIDs})
		c.ping = c.ping || c.path.use != use // answered, it allows more of them (peer-cid-ahead)
	}
	f := &c.buffers.frames
	err := ParseFrames(a.plaintext, f)
	if err == nil {
		err = c.takeFrames(now, a.from, f.List)
	}
	clear(f.List) // its slices point into the plaintext
	if err != nil {
		c.stop(now, ReasonMalformed, WhyMalformed)
	}
	if c.state != open {
		return
	}
	c.answerAside(now, &a)
	c.give(now)
}

// takeFrames gives effect to frames, in the order in which they stand. After an error the conversation is to be aborted.
func (c *Conversation) takeFrames(now time.Time, from netip.AddrPort, frames []Frame) error {
	messages, pings := false, 0
	for i := range frames {
		f := &frames[i]
		if !c.greeted && (f.Type == FrameMessage || f.Type == FrameAck) { // peer-hello-missing
			return fmt.Errorf("peer: no hello has come: %w", ErrMalformed)
		}
		switch f.Type {
		case FrameHello:
			if err := c.takeHello(now, &f.Hello); err != nil {
				return err
			}
		case FrameAck:
			c.greets = false
			c.acknowledged(now, &f.Ack)
		case FrameMessage:
			messages = true
			if err := c.takePart(now, &f.Part); err != nil {
				return err
			}
		case FramePing:
			if pings++; pings <= maxPings && len(c.pongs) < maxPongs { // peer-pong
				p := pong{n: uint8(len(f.Value))}
				copy(p.value[:], f.Value)
				c.pongs = append(c.pongs, p)
			}
			if from != c.path.here.addr {
				c.pongAside(from, f.Value)
			}
		case FramePong:
			c.takePong(now, f.Value)
		case FrameEndpoints:
			c.events.add(Event{Kind: EventEndpoints, Endpoints: slices.Clone(f.Endpoints)})
		case FrameEnd: // peer-end-own
			c.close(WhyEnded)
		}
		if c.state != open {
			return nil
		}
	}
	if messages {
		c.takeMessages(now)
	}
	return nil
}

// takeHello takes the other side's hello.
func (c *Conversation) takeHello(now time.Time, h *Hello) error {
	if c.greeted {
		if *h != c.theirs { // peer-hello-again
			return fmt.Errorf("peer: hello differs from the one before: %w", ErrMalformed)
		}
		return nil
	}
	c.theirs, c.greeted, c.ack = *h, true, true
	if from, to := c.receiving.Hello(now, h.Stream, h.First); from < to { // peer-stream-gap
		c.events.add(Event{Kind: EventMissing, From: from, To: to})
	}
	if h.Other == c.hello.Stream {
		c.acknowledged(now, &Ack{Next: h.Next})
	}
	return nil
}

// acknowledged takes what the other side says of the own stream.
func (c *Conversation) acknowledged(now time.Time, a *Ack) {
	if c.restored {
		return
	}
	from, to, restored := c.sending.Acknowledged(now, a.Next)
	if restored { // peer-stream-restored
		c.restored = true
		var fresh [PingValue]byte
		c.random64(&fresh)
		from, to = c.sending.Restore(now, StreamID(fresh))
		c.journal.Then(now, func(now time.Time) {
			c.stop(now, ReasonLeft, WhyRestored)
			if c.sending.wake != nil {
				c.sending.wake(now)
			}
		})
	}
	if from < to {
		c.events.add(Event{Kind: EventDelivered, From: from, To: to})
	}
	if !c.restored {
		c.flight.show(now, a)
	}
}

// takePart takes a message frame.
func (c *Conversation) takePart(now time.Time, p *Part) error {
	expected := c.receiving.last().next
	effect, err := c.receiving.Take(now, p)
	if err != nil {
		return err
	}
	switch {
	case effect == Completed:
		c.spoken = now
	case effect == Ignored || p.ID != expected || c.receiving.gap(p.ID): // had before, or out of order
		c.ack = true
	}
	return nil
}

// takeMessages is called behind the message frames of a datagram. The acknowledgement waits for the store, but not for long.
func (c *Conversation) takeMessages(now time.Time) {
	c.receiving.Deliver(now)
	if c.counted++; c.counted >= ackEvery && c.receiving.partial() { // the other side's window may be no larger than this
		c.ack = true
	}
	if c.ackAt.IsZero() {
		c.ackAt = now.Add(ackDelay) // peer-ack-soon
	}
}

// takePong takes the answer to a ping.
func (c *Conversation) takePong(now time.Time, value []byte) {
	old := c.path.here.addr.Addr()
	d, moved, ok := c.path.answered(now, value)
	if moved && c.path.here.addr.Addr() != old {
		c.flight.moved()
	}
	if moved {
		c.flight.probe = c.flight.waits() // what was under way went to where nobody is
	}
	if ok {
		c.unanswered = 0
		c.flight.sample(d)
	}
}

// pongAside lets a ping that came from elsewhere have its pong there too. // peer-pong
func (c *Conversation) pongAside(from netip.AddrPort, value []byte) {
	if c.aside.to != from {
		c.aside = aside{to: from}
	}
	if c.aside.n == maxPings {
		return
	}
	p := &c.aside.pongs[c.aside.n]
	p.n = uint8(copy(p.value[:], value))
	c.aside.n++
}

// answerAside decides what goes to where a datagram came from, if that is not the address that the conversation has for the other side.
func (c *Conversation) answerAside(now time.Time, a *arrival) {
	if a.from == c.path.here.addr {
		c.aside = aside{} // proved meanwhile
		return
	}
	c.aside.room = amplification * a.size // peer-path-amplification
	if a.from == c.path.there.addr {
		c.aside.room = c.path.room()
		c.askAside(now)
	}
}

// askAside lets a ping go to where the newest datagram came from, if it is time for one.
func (c *Conversation) askAside(now time.Time) {
	at := c.path.askAt()
	if at.IsZero() || now.Before(at) {
		return
	}
	if c.aside.to != c.path.there.addr {
		c.aside = aside{to: c.path.there.addr, room: c.path.room()}
	}
	c.aside.ping = true
}
