package handshake

import (
	crand "crypto/rand"
	"fmt"
	"io"
	"net/netip"
	"time"
)

// MaxContacts is how many contacts a Machine has at most.
const MaxContacts = 4096

// A Config says what a Machine is to be.
type Config struct {
	// Identity is whose handshakes these are. The machine keeps it, and it must not be erased before the machine.
	Identity *Identity

	// Rand gives every draw, one read each, in the order in which the spec lists them; nil: crypto/rand.
	Rand io.Reader

	// InUse reports whether datagrams with this connection id are already taken for another conversation or half-open session; nil: none are. It must not call
	// the machine.
	InUse func(CID) bool
}

// A Machine makes the handshakes of one identity with its contacts: it answers knocks, makes attempts to reach somebody, and decides which conversation lives. It does no
// I/O. Its owner hands it datagrams, the time and what the ratchet found, and after each call takes from Output, in this order, what is to be done.
//
// The now of every call is both clocks: the time of day for knocks, offers and epochs, and by a time.Time's monotonic reading the one by which everything lasts. A
// call that returns an error has changed nothing but, where an accept failed, the count of such failures; beside some errors there is an OutputClock, and what had expired may be gone. Times that have no
// monotonic reading must never go back. A Machine is not safe for concurrent use.
type Machine struct {
	id    *Identity
	rand  io.Reader
	inUse func(CID) bool

	contacts map[PublicKey]*contact // at most MaxContacts
	tags     tagTable
	fresh    []freshOffer // those of the last second, at most maxFresh; the oldest first
	timers   timers
	outputs  outputs
}

// A contact is what a machine knows about one friend.
type contact struct {
	pair   *Pair
	friend PublicKey
	taken  int64 // time of the last knock taken from the friend, Unix milliseconds; 0: none
	own    int64 // time of the last knock sent to it

	attempt *attempt      // as initiator; nil: Idle
	out     []ownAccept   // own accepts that are out, at most maxOut, the oldest first
	offer   *servedOffer  // as responder, the unused offer; nil: none
	used    []usedOffer   // the oldest first: at most 121 within usedLife, since two offers a second are made
	half    []halfOpen    // at most maxHalfOpen, the oldest first
	present *conversation // nil: none

	known    []knownTag // the friend's tags that are in the table
	deadline time.Time  // while the contact is among the timers
	place    int        // its index there, −1: it is not
}

// New returns a machine without contacts. It returns an error of class ErrState if there is no identity.
func New(cfg Config) (*Machine, error) {
	if cfg.Identity == nil {
		return nil, fmt.Errorf("handshake: machine without an identity: %w", ErrState)
	}
	if cfg.Rand == nil {
		cfg.Rand = crand.Reader
	}
	if cfg.InUse == nil {
		cfg.InUse = func(CID) bool { return false }
	}
	return &Machine{
		id: cfg.Identity, rand: cfg.Rand, inUse: cfg.InUse,
		contacts: map[PublicKey]*contact{},
		tags:     tagTable{byTag: map[Tag]tagOf{}},
	}, nil
}

// Add makes friend a contact. Taken and own are what OutputPersist last told about it, in Unix milliseconds, 0 for never. The error's class is ErrMalformed for a key that CheckContact
// refuses or for a time that cannot be, ErrState for a contact that is already there, and ErrLimit for one over MaxContacts.
func (m *Machine) Add(friend PublicKey, taken, own int64) error {
	switch {
	case taken < 0 || own < 0:
		return fmt.Errorf("handshake: knock times %d and %d: %w", taken, own, ErrMalformed)
	case m.contacts[friend] != nil:
		return fmt.Errorf("handshake: contact is there already: %w", ErrState)
	case len(m.contacts) == MaxContacts:
		return fmt.Errorf("handshake: more than %d contacts: %w", MaxContacts, ErrLimit)
	}
	pair, err := NewPair(m.id, friend)
	if err != nil {
		return err
	}
	c := &contact{pair: pair, friend: friend, taken: taken, own: own, place: -1}
	m.contacts[friend] = c
	m.tags.grown()
	return nil
}

// Remove forgets a contact with all that it shares with the machine, at once; the owner ends its conversation. Removing who is no contact does nothing.
func (m *Machine) Remove(friend PublicKey) { // rv-pair-removed
	c := m.contacts[friend]
	if c == nil {
		return
	}
	delete(m.contacts, friend)
	m.tags.remove(c)
	m.outputs.forget(friend)
	c.eraseOffer()
	c.attempt, c.out, c.used, c.half, c.present = nil, nil, nil, nil, nil
	m.schedule(c)
	c.pair.Erase()
}

// Erase forgets all contacts. The machine is of no use for datagrams afterwards.
func (m *Machine) Erase() {
	for friend := range m.contacts {
		m.Remove(friend)
	}
}

// HandleDatagram takes a datagram of type EnvelopeType that came from an address. It returns nil if the datagram had an effect or was one to be ignored, and otherwise an error
// that says, for tests and tools, which rule dropped it; its sender learns nothing. It does not keep b.
func (m *Machine) HandleDatagram(now time.Time, from netip.AddrPort, b []byte) error { // hs-envelope-silent
	tag, err := EnvelopeTag(b) // hs-envelope-size
	if err != nil {
		return err
	}
	c, epoch, ok := m.tags.find(tag, now, m.contacts)
	if !ok { // hs-tag-unknown, rv-epoch-other
		return errUnknownTag
	}
	key := c.pair.EnvelopeKey(Friend, epoch)
	defer clear(key[:])
	e, err := OpenEnvelope(&key, b) // hs-envelope-seal, hs-envelope-kind, hs-envelope-fragment, hs-envelope-length
	if err != nil {
		return err
	}
	if m.outputs.full() {
		return errOutputsFull
	}
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	switch e.Kind {
	case KindKnock:
		err = m.takeKnock(now, from, c, epoch, e)
	case KindOffer:
		err = m.takeFragment(now, from, c, e)
	case KindAccept:
		err = m.takeAccept(now, from, c, e)
	}
	m.schedule(c)
	return err
}

// These are not made anew for each datagram of a stranger.
var (
	errUnknownTag  = fmt.Errorf("handshake: tag is no contact's: %w", ErrAuthentication)
	errOutputsFull = fmt.Errorf("handshake: outputs wait to be taken: %w", ErrLimit)
)

// HandleTimeout does what is due at now. Calling it too early does no harm. It returns an error only if Rand fails; what was not done then stays due. What has lasted as long as it may is
// erased in any case. No output tells of that: a session's owner asks Lives afterwards.
func (m *Machine) HandleTimeout(now time.Time) error {
	for _, c := range m.timers {
		if !now.Before(c.deadline) {
			c.expire(now)
		}
	}
	for len(m.timers) > 0 && !now.Before(m.timers[0].deadline) {
		if m.outputs.full() {
			return nil // and NextTimeout has passed already, so that its caller comes back
		}
		c := m.timers[0]
		c.expire(now)
		err := m.keepTrying(now, c)
		m.schedule(c)
		if err != nil {
			return err
		}
	}
	return nil
}

// expire erases what has lasted as long as it may, but for the attempt.
func (c *contact) expire(now time.Time) {
	if a := c.attempt; a != nil {
		a.fragments.Expire(now) // hs-fragment-life
	}
	c.out = unexpired(now, c.out, func(o *ownAccept) time.Time { return o.until }) // hs-out-life
	if c.offer != nil && !now.Before(c.offer.until) {                              // hs-offer-life
		c.eraseOffer()
	}
	c.used = unexpired(now, c.used, func(u *usedOffer) time.Time { return u.until }) // hs-used-kept
	c.half = unexpired(now, c.half, func(h *halfOpen) time.Time { return h.until })  // hs-halfopen-life
}

// unexpired takes from the front of a slice, which lies in the order of time, what ends at now or before.
func unexpired[T any](now time.Time, s []T, until func(*T) time.Time) []T {
	n := 0
	for n < len(s) && !now.Before(until(&s[n])) {
		n++
	}
	if n == len(s) {
		return nil
	}
	return s[n:]
}

// NextTimeout returns when HandleTimeout is to be called next, the zero time for never.
func (m *Machine) NextTimeout() time.Time {
	if len(m.timers) == 0 {
		return time.Time{}
	}
	return m.timers[0].deadline
}

// draw fills b with one draw.
func (m *Machine) draw(b []byte, name string) error {
	if _, err := io.ReadFull(m.rand, b); err != nil {
		return fmt.Errorf("handshake: drawing %s: %w", name, err)
	}
	return nil
}

// seal returns one more datagram of a handshake. Draw: a nonce.
func (m *Machine) seal(c *contact, epoch uint64, e Envelope) ([]byte, error) {
	var nonce [NonceSize]byte
	if err := m.draw(nonce[:], "nonce"); err != nil { // hs-envelope-nonce
		return nil, err
	}
	tag, key := c.pair.Tag(Own, epoch), c.pair.EnvelopeKey(Own, epoch)
	defer clear(key[:])
	return AppendEnvelope(make([]byte, 0, MaxDatagram), &tag, &key, &nonce, e), nil
}

// wallClock returns the time of day in Unix milliseconds, 0 for what was before 1970.
func wallClock(now time.Time) int64 { return max(0, now.UnixMilli()) }
