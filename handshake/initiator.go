package handshake

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// The times of an attempt.
const (
	maxTargets  = 8
	maxTries    = 8 // in a row without an answer
	lastWait    = 4 * time.Second
	anewAfter   = 7500 * time.Millisecond
	attemptLife = 65 * time.Second
	outLife     = 65 * time.Second
	maxOut      = 10 // so many lie within outLife: anewAfter apart, and one more where an attempt ends

	maxClockDifference = 3_600_000 // ms, of a knock
)

// An attempt is to reach a contact: a handshake as initiator, and others after it while no answer comes.
type attempt struct {
	to    []netip.AddrPort // 1 to maxTargets
	end   time.Time        // when it has taken too long
	tries int              // without an answer
	next  time.Time        // the next try or, after the last, the end

	id        ID
	epoch     uint64
	time      int64     // of the knock
	since     time.Time // the first knock, or the first accept, under this id
	knock     []byte    // nil: Accepted
	fragments Fragments

	accept []byte
	hello  []byte // nil: not there yet
	from   netip.AddrPort
}

// An ownAccept is one that is out: its answer may yet come.
type ownAccept struct {
	id    ID
	epoch uint64
	time  int64
	until time.Time
}

// over reports whether the attempt has ended, though the machine may not have been told the time.
func (a *attempt) over(now time.Time) bool {
	return !now.Before(a.end) || a.tries == maxTries && !now.Before(a.next) // hs-attempt-life, hs-retry-end
}

// tried counts one more try.
func (a *attempt) tried(now time.Time) {
	a.tries++
	a.next = now.Add(min(500*time.Millisecond<<(a.tries-1), lastWait))
}

// Begin begins an attempt to reach a friend at 1 to 8 addresses. Draws: those of the knock, and a nonce for each address. The error's class is ErrState if friend is no contact
// or is being tried already, ErrMalformed for no address or one that is none, and ErrLimit for more than 8.
func (m *Machine) Begin(now time.Time, friend PublicKey, to ...netip.AddrPort) error {
	c := m.contacts[friend]
	if c == nil {
		return errNoContact
	}
	to, err := targets(to)
	switch {
	case err != nil:
		return err
	case c.attempt != nil && !c.attempt.over(now):
		return fmt.Errorf("handshake: an attempt is under way: %w", ErrState)
	case m.outputs.full():
		return errOutputsFull
	}
	ended := c.attempt != nil
	if err := m.knock(now, c, attempt{to: to, end: now.Add(attemptLife)}, ended); err != nil {
		return err
	}
	m.schedule(c)
	return nil
}

// Also adds addresses to an attempt that knocks, where it knocks at once; the oldest give way where there are more than 8. The tries begin anew. Draws: a nonce for each address that is new. The error's class is
// ErrState if nobody is being knocked at, otherwise Begin's.
func (m *Machine) Also(now time.Time, friend PublicKey, to ...netip.AddrPort) error { // hs-attempt-more
	c := m.contacts[friend]
	switch {
	case c == nil:
		return errNoContact
	case c.attempt == nil || c.attempt.over(now) || c.attempt.knock == nil:
		return fmt.Errorf("handshake: no attempt is knocking: %w", ErrState)
	case m.outputs.full():
		return errOutputsFull
	}
	to, err := targets(to)
	if err != nil {
		return err
	}
	a := *c.attempt
	fresh := attempt{id: a.id, epoch: a.epoch, knock: a.knock}
	for _, t := range to {
		if !slices.Contains(a.to, t) && !slices.Contains(fresh.to, t) {
			fresh.to = append(fresh.to, t)
		}
	}
	if len(fresh.to) == 0 {
		return nil
	}
	datagrams, err := m.sealKnock(c, &fresh)
	if err != nil {
		return err
	}
	a.to = slices.Concat(a.to, fresh.to)
	a.to = a.to[max(0, len(a.to)-maxTargets):]
	a.tries = 0
	a.tried(now)
	*c.attempt = a
	m.transmitAll(c, fresh.to, datagrams)
	m.schedule(c)
	return nil
}

// targets returns the addresses of an attempt in their one form.
func targets(to []netip.AddrPort) ([]netip.AddrPort, error) {
	switch {
	case len(to) == 0:
		return nil, fmt.Errorf("handshake: attempt without an address: %w", ErrMalformed)
	case len(to) > maxTargets:
		return nil, fmt.Errorf("handshake: attempt with %d addresses, more than %d: %w", len(to), maxTargets, ErrLimit)
	}
	to = slices.Clone(to)
	for i, a := range to {
		if !a.IsValid() || a.Port() == 0 {
			return nil, fmt.Errorf("handshake: attempt with %v, which is no address: %w", a, ErrMalformed)
		}
		to[i] = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	}
	return to, nil
}

var errNoContact = fmt.Errorf("handshake: no such contact: %w", ErrState)

// knock begins a handshake of an attempt, which takes the place of the contact's. Draws: id, random, and a nonce for each address.
func (m *Machine) knock(now time.Time, c *contact, a attempt, ended bool) error {
	wall, own := wallClock(now), c.own
	if own > wall+maxClockDifference { // hs-knock-own-far
		own = 0
	}
	k := Knock{Time: uint64(max(wall, own+1, c.takenAt(now)+1))} // hs-knock-time
	if err := m.draw(a.id[:], "id"); err != nil {
		return err
	}
	if err := m.draw(k.Random[:], "random"); err != nil {
		return err
	}
	knock, err := AppendKnock(make([]byte, 0, KnockSize), k)
	if err != nil {
		return err
	}
	a.knock, a.accept, a.hello, a.fragments = knock, nil, nil, Fragments{}
	a.epoch, a.time, a.since = c.pair.Epoch(now), int64(k.Time), now // rv-epoch-current
	datagrams, err := m.sealKnock(c, &a)
	if err != nil {
		return err
	}
	if ended {
		m.outputs.add(Output{Kind: OutputEnded, Friend: c.friend})
	}
	a.tried(now)
	c.attempt, c.own = &a, a.time
	m.tags.tune(now, c) // who has put the clock may put it back
	m.persist(c)        // hs-knock-own-stored
	m.transmitAll(c, a.to, datagrams)
	return nil
}

// sealKnock returns the knock once for each address.
func (m *Machine) sealKnock(c *contact, a *attempt) (datagrams [][]byte, err error) {
	for range a.to {
		d, err := m.seal(c, a.epoch, Envelope{Kind: KindKnock, ID: a.id, Fragments: 1, Bytes: a.knock}) // hs-knock-resend
		if err != nil {
			return nil, err
		}
		datagrams = append(datagrams, d)
	}
	return datagrams, nil
}

// transmitAll sends each datagram to its address.
func (m *Machine) transmitAll(c *contact, to []netip.AddrPort, datagrams [][]byte) {
	for i, d := range datagrams {
		m.transmit(c, to[i], d)
	}
}

// keepTrying makes the next try of the contact's attempt if it is due, or ends it.
func (m *Machine) keepTrying(now time.Time, c *contact) error {
	a := c.attempt
	switch {
	case a == nil:
	case a.over(now):
		c.attempt = nil
		m.outputs.add(Output{Kind: OutputEnded, Friend: c.friend})
	case now.Before(a.next):
	case now.Sub(a.since) >= anewAfter: // hs-retry-anew
		return m.knock(now, c, *a, false)
	case a.knock != nil: // hs-retry-knock
		datagrams, err := m.sealKnock(c, a)
		if err != nil {
			return err
		}
		a.tried(now)
		m.transmitAll(c, a.to, datagrams)
	default: // hs-retry-accept
		if err := m.sendAccept(c, a, a.hello); err != nil {
			return err
		}
		a.tried(now)
	}
	return nil
}

// takeFragment takes a fragment of an offer and, if it is complete, the offer. Draws, if it is: e and coins.
func (m *Machine) takeFragment(now time.Time, from netip.AddrPort, c *contact, e Envelope) error {
	a := c.attempt
	if a == nil || a.over(now) || a.knock == nil || a.id != e.ID { // hs-offer-unasked
		return fmt.Errorf("handshake: offer was not asked for: %w", ErrState)
	}
	fragments := a.fragments
	offer, err := fragments.Add(now, e) // hs-fragment-conflict, hs-fragment-again
	if err != nil {
		return err
	}
	if offer == nil {
		a.fragments = fragments
		return nil
	}
	checked, err := CheckOffer(c.friend, now, a.knock, offer)
	if err != nil {
		return err
	}
	id := SessionID{c.friend, a.id, Initiator}
	if c.names(now, id) {
		return fmt.Errorf("handshake: id was drawn twice: %w", ErrState)
	}
	var private, coins [32]byte
	defer clear(private[:])
	defer clear(coins[:])
	if err := m.draw(private[:], "e"); err != nil {
		return err
	}
	if err := m.draw(coins[:], "coins"); err != nil {
		return err
	}
	accept, session, err := c.pair.MakeAccept(checked, &private, &coins)
	if err != nil {
		return err
	}
	a.knock, a.fragments, a.accept, a.from = nil, Fragments{}, accept, from
	a.since, a.tries = now, 0
	a.tried(now)
	c.expire(now)
	if len(c.out) == maxOut { // hs-out-bound: only a friend who answers the oldest again and again, so that attempts end and begin, gets there
		c.out = slices.Delete(c.out, 0, 1)
	}
	c.out = append(c.out, ownAccept{a.id, a.epoch, a.time, now.Add(outLife)})
	m.outputs.add(Output{Kind: OutputSession, Friend: c.friend, ID: id, Time: a.time, Session: session})
	return nil
}

// Hello gives the first ratchet message of a session that OutputSession told its initiator of, as the datagram that it travels in: accept and hello go out together, in this
// order. Draw: a nonce. The error's class is ErrState if the session does not wait for it, and ErrMalformed for a datagram that is empty or longer than MaxDatagram.
func (m *Machine) Hello(now time.Time, id SessionID, datagram []byte) error { // hs-hello-behind
	c := m.contacts[id.Friend]
	switch {
	case c == nil:
		return errNoContact
	case len(datagram) == 0 || len(datagram) > MaxDatagram:
		return fmt.Errorf("handshake: hello of %d bytes: %w", len(datagram), ErrMalformed)
	case m.outputs.full():
		return errOutputsFull
	}
	a := c.attempt
	if a == nil || a.over(now) || a.accept == nil || a.hello != nil || id.Role != Initiator || a.id != id.ID {
		return fmt.Errorf("handshake: session does not wait for its hello: %w", ErrState)
	}
	hello := slices.Clone(datagram)
	if err := m.sendAccept(c, a, hello); err != nil {
		return err
	}
	a.hello = hello
	return nil
}

// sendAccept sends the accept, sealed anew, and behind it the hello, as the same bytes: without the hello neither. Draw: a nonce.
func (m *Machine) sendAccept(c *contact, a *attempt, hello []byte) error {
	if hello == nil {
		return nil
	}
	d, err := m.seal(c, a.epoch, Envelope{Kind: KindAccept, ID: a.id, Fragments: 1, Bytes: a.accept})
	if err != nil {
		return err
	}
	m.transmit(c, a.from, d, slices.Clone(hello))
	return nil
}
