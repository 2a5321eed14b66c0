package handshake

import (
	"crypto/sha256"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"time"
)

// The limits of a responder.
const (
	second          = 1000 * time.Millisecond // in which the limits count
	maxFreshContact = 2
	maxFreshTurn    = 25 // from here on, contacts in turn
	maxFresh        = 50
	maxCopiesSource = 8
	maxCopies       = 24
	maxFailures     = 4
	maxRepeats      = 8
	maxHalfOpen     = 8
	halfOpenLife    = 60 * time.Second
	usedLife        = 60 * time.Second
	cidsAhead       = 8 // of an accept, those that are looked at
)

// A servedOffer is one that was made and not used.
type servedOffer struct {
	*OwnOffer
	id       ID
	epoch    uint64
	time     int64             // of the knock
	knock    [sha256.Size]byte // its hash
	until    time.Time
	copies   []copiesFrom // of the knock that were answered, at most maxCopies
	failures []time.Time  // of accepts in the last second, at most maxFailures
}

type copiesFrom struct {
	source netip.AddrPort
	n      int
}

// A usedOffer is what is left of one: enough to know its accept again.
type usedOffer struct {
	offer   OfferID
	accept  [sha256.Size]byte // its hash
	of      conversation
	epoch   uint64
	repeats int
	until   time.Time
}

// A halfOpen is a session of a responder that waits for its hello.
type halfOpen struct {
	conversation
	until time.Time
}

// A freshOffer is remembered for a second.
type freshOffer struct {
	at     time.Time
	friend PublicKey
}

// within reports whether t lies in the second that ends now.
func within(now, t time.Time) bool { return now.Sub(t) < second }

// takeKnock answers a knock with an offer. Draws for a fresh one: spk, rk, ek; and for each: nonce-0, nonce-1.
func (m *Machine) takeKnock(now time.Time, from netip.AddrPort, c *contact, epoch uint64, e Envelope) error {
	k, err := ParseKnock(e.Bytes) // hs-knock-version, hs-knock-fields
	if err != nil {
		return err
	}
	hash := knockHash(e.Bytes)
	if o := c.offer; o != nil && o.id == e.ID && now.Before(o.until) {
		if o.knock != hash { // hs-knock-differs
			return fmt.Errorf("handshake: knock differs from the one with its id: %w", ErrState)
		}
		return m.offerAgain(from, c) // hs-knock-again
	}
	if !slices.Contains(c.pair.Live(now), epoch) { // hs-knock-epoch: what is under way in it is not this
		return errUnknownTag
	}
	if k.Time <= uint64(c.takenAt(now)) { // hs-knock-older
		return fmt.Errorf("handshake: knock is not newer than the last: %w", ErrReplay)
	}
	if ahead := difference(k.Time, uint64(wallClock(now))); ahead > maxClockDifference || ahead < -maxClockDifference { // hs-knock-clock
		m.outputs.add(Output{Kind: OutputClock, Friend: c.friend, Ahead: ahead})
		return fmt.Errorf("handshake: knock is %d ms from now: %w", ahead, ErrState)
	}
	if err := m.mayOffer(now, c.friend); err != nil {
		return err
	}
	if c.findUsed(now, e.ID) || c.names(now, SessionID{c.friend, e.ID, Responder}) { // hs-knock-session: two sessions would have one name
		return fmt.Errorf("handshake: knock has the id of a session: %w", ErrState)
	}
	o := &servedOffer{id: e.ID, epoch: epoch, time: int64(k.Time), knock: hash, until: now.Add(offerLife * time.Second)} // hs-epoch-kept
	if o.OwnOffer, err = m.makeOffer(now, e.Bytes); err != nil {
		return err
	}
	datagrams, err := m.sealOffer(c, o)
	if err != nil {
		o.Erase()
		return err
	}
	c.eraseOffer() // hs-offer-voided
	c.offer, c.taken = o, o.time
	o.copies = []copiesFrom{{from, 1}}
	m.fresh = append(slices.DeleteFunc(m.fresh, func(f freshOffer) bool { return !within(now, f.at) }), freshOffer{now, c.friend})
	m.persist(c)                         // hs-knock-taken-stored
	m.transmit(c, from, datagrams[:]...) // hs-offer-source
	return nil
}

// findUsed reports whether an offer was used under an id.
func (c *contact) findUsed(now time.Time, id ID) bool {
	return slices.ContainsFunc(c.used, func(u usedOffer) bool { return u.of.id.ID == id && now.Before(u.until) })
}

// takenAt is the time of the last knock taken from the contact, in Unix milliseconds, as it counts at now: not if the clock was set back since.
func (c *contact) takenAt(now time.Time) int64 {
	if c.taken > wallClock(now)+maxClockDifference { // hs-knock-taken-far
		return 0
	}
	return c.taken
}

// difference returns a − b, as near to it as an int64 is. b is one.
func difference(a, b uint64) int64 {
	if a < b {
		return -int64(b - a)
	}
	return int64(min(a-b, math.MaxInt64))
}

// mayOffer returns nil if the limits allow a fresh offer to friend at now.
func (m *Machine) mayOffer(now time.Time, friend PublicKey) error {
	all, his := 0, 0
	for _, f := range m.fresh {
		if within(now, f.at) {
			all++
			if f.friend == friend {
				his++
			}
		}
	}
	switch {
	case his >= maxFreshContact: // hs-offers-contact
		return fmt.Errorf("handshake: %d fresh offers to a contact in a second: %w", his, ErrLimit)
	case all >= maxFresh: // hs-offers-all
		return fmt.Errorf("handshake: %d fresh offers in a second: %w", all, ErrLimit)
	case all >= maxFreshTurn && his > 0: // hs-offers-turn
		return fmt.Errorf("handshake: it is the turn of others than who had one of %d fresh offers: %w", all, ErrLimit)
	}
	return nil
}

// makeOffer draws an offer for a knock.
func (m *Machine) makeOffer(now time.Time, knock []byte) (*OwnOffer, error) {
	var spk, rk [X25519Size]byte
	var ek [KEMSeedSize]byte
	for _, d := range []struct {
		name  string
		bytes []byte
	}{{"spk", spk[:]}, {"rk", rk[:]}, {"ek", ek[:]}} {
		if err := m.draw(d.bytes, d.name); err != nil {
			clear(spk[:])
			clear(rk[:])
			clear(ek[:])
			return nil, err
		}
	}
	return MakeOffer(m.id, now, knock, &spk, &rk, &ek), nil
}

// sealOffer returns the datagrams of an offer. Draws: nonce-0, nonce-1.
func (m *Machine) sealOffer(c *contact, o *servedOffer) (datagrams [offerFragments][]byte, err error) {
	for i := range datagrams {
		e := Envelope{Kind: KindOffer, ID: o.id, Fragment: uint8(i), Fragments: offerFragments, Bytes: o.Fragment(i)}
		if datagrams[i], err = m.seal(c, o.epoch, e); err != nil {
			return datagrams, err
		}
	}
	return datagrams, nil
}

// offerAgain answers a copy of the knock that is being served.
func (m *Machine) offerAgain(from netip.AddrPort, c *contact) error {
	o := c.offer
	at, all := -1, 0
	for i := range o.copies {
		all += o.copies[i].n
		if o.copies[i].source == from {
			at = i
		}
	}
	if all >= maxCopies || at >= 0 && o.copies[at].n >= maxCopiesSource { // hs-knock-copies
		return fmt.Errorf("handshake: copy %d of a knock: %w", all+1, ErrLimit)
	}
	datagrams, err := m.sealOffer(c, o)
	if err != nil {
		return err
	}
	if at < 0 {
		at = len(o.copies)
		o.copies = append(o.copies, copiesFrom{source: from})
	}
	o.copies[at].n++
	m.transmit(c, from, datagrams[:]...) // hs-offer-source
	return nil
}

// eraseOffer erases the unused offer.
func (c *contact) eraseOffer() {
	if c.offer != nil {
		c.offer.Erase() // hs-erase-offer, hs-erase-rk
		c.offer = nil
	}
}

// takeAccept makes a half-open session of an accept.
func (m *Machine) takeAccept(now time.Time, from netip.AddrPort, c *contact, e Envelope) error {
	hash := sha256.Sum256(e.Bytes)
	for i := range c.used {
		u := &c.used[i]
		if u.accept != hash || u.offer != OfferID(e.Bytes) || u.of.id.ID != e.ID || !now.Before(u.until) || c.present == nil || u.of != *c.present {
			continue
		}
		if u.repeats == maxRepeats { // hs-accept-again-limit
			return fmt.Errorf("handshake: accept came again more than %d times: %w", maxRepeats, ErrLimit)
		}
		u.repeats++
		m.outputs.add(Output{Kind: OutputRepeat, Friend: c.friend, ID: u.of.id, To: from}) // hs-accept-again
		return nil
	}
	o := c.offer
	switch {
	case o == nil || o.id != e.ID || !now.Before(o.until): // hs-accept-unasked, hs-offer-bound, hs-offer-life
		return fmt.Errorf("handshake: accept of no offer: %w", ErrState)
	case o.ID != OfferID(e.Bytes): // hs-accept-offer
		return fmt.Errorf("handshake: accept of another offer: %w", ErrState)
	}
	failures := 0
	for _, t := range o.failures {
		if within(now, t) {
			failures++
		}
	}
	if failures >= maxFailures { // hs-accept-failures
		return fmt.Errorf("handshake: %d accepts of an offer failed in a second: %w", failures, ErrLimit)
	}
	session, err := c.pair.TakeAccept(o.OwnOffer, e.Bytes) // hs-accept-key, hs-accept-zero, hs-confirm-first
	if err != nil {                                        // hs-accept-failed-keeps, hs-accept-untouched
		o.failures = append(slices.DeleteFunc(o.failures, func(t time.Time) bool { return !within(now, t) }), now)
		return err
	}
	for i := range uint32(cidsAhead) {
		if m.inUse(NewCID(&session.CIDK, Responder, i)) { // hs-accept-cid
			session.Erase()
			return fmt.Errorf("handshake: connection id %d is in use: %w", i, ErrState)
		}
	}
	c.expire(now)
	of := conversation{SessionID{c.friend, e.ID, Responder}, Rank{uint64(o.time), c.friend}}
	c.used = append(c.used, usedOffer{offer: o.ID, accept: hash, of: of, epoch: o.epoch, until: now.Add(usedLife)}) // hs-used-kept
	c.eraseOffer()
	c.half = append(c.half, halfOpen{of, now.Add(halfOpenLife)})
	if len(c.half) > maxHalfOpen { // hs-halfopen-bound
		lowest := slices.MinFunc(c.half, func(a, b halfOpen) int { return a.rank.Compare(b.rank) })
		c.half = slices.DeleteFunc(c.half, func(h halfOpen) bool { return h == lowest })
	}
	m.outputs.add(Output{Kind: OutputSession, Friend: c.friend, ID: of.id, Time: int64(of.rank.Time), Session: session})
	return nil
}
