package peer

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"kith/handshake"
	"kith/peer/conversation"
	"kith/peer/durable"
)

// A contact is one friend, and whatever there is with him.
type contact struct {
	Contact
	number    uint32
	pair      *handshake.Pair       // with him, for the rendezvous
	sending   *conversation.Sending // nil: he is blocked
	receiving *conversation.Receiving
	removed   bool

	present *session              // the conversation, nil: none is open
	young   []*session            // half-open or out, at most 18
	ending  []*session            // that only say their last words, a moment
	stream  conversation.StreamID // one's own
	quiet   bool                  // he has ended the conversation, or the user has
	known   []netip.AddrPort      // where he was when last heard of, at most handshake.MaxEndpoints

	clockTold      time.Time             // when a difference of clocks was told
	ahead          time.Duration         // and which
	taken, own     int64                 // knock times, Unix milliseconds
	knocks, stored uint64                // how many values of them were put into the journal, and are durable
	behind         []behind              // what waits for them, at most maxBehind
	handing        bool                  // his deliveries stand among the events
	delivery       conversation.Delivery // then: the next
	queued         []uint64              // positions in the outbox that are not durable yet
	confirm        func(time.Time)       // tells of the first of them
	handed         []uint64              // positions that were handed over and are not taken, as many as the inbox has at most
}

// admit makes c a contact of the machines too, with what is stored of him.
func (p *Peer) admit(now time.Time, c *contact, streams []durable.Change) error {
	if !c.Blocked {
		if err := p.connect(now, c, streams); err != nil {
			return err
		}
	}
	p.contacts[c.Key] = c
	p.list = append(p.list, c)
	return nil
}

// connect makes the contact one to be found, and knocked at by.
func (p *Peer) connect(now time.Time, c *contact, streams []durable.Change) (err error) {
	var fresh conversation.StreamID
	p.fill(fresh[:])
	if c.sending, err = conversation.NewSending(now, &p.journal, c.number, streams, fresh); err != nil {
		return err
	}
	var echo *conversation.Sending
	if p.echo {
		echo = c.sending
	}
	if c.receiving, err = conversation.NewReceiving(&p.journal, c.number, streams, echo); err != nil {
		return err
	}
	if err := p.machine.Add(c.Key, c.taken, c.own); err != nil {
		return fmt.Errorf("peer: %w", err)
	}
	if c.pair, err = handshake.NewPair(p.id, c.Key); err != nil {
		return fmt.Errorf("peer: %w", err)
	}
	c.stream = c.sending.Stream()
	c.confirm = func(time.Time) { p.queuedDurably(c) }
	wake := func(now time.Time) { p.wake(now, c) }
	c.sending.Notify(wake)
	c.receiving.Notify(wake)
	p.hand(c)
	spoken := c.Spoken
	if spoken.IsZero() {
		spoken = c.Added
	}
	if err := p.rendezvous.Add(now, c.pair, spoken); err != nil {
		return fmt.Errorf("peer: %w", err)
	}
	return nil
}

// fill fills b with random bytes that are no secret.
func (p *Peer) fill(b []byte) {
	for len(b) > 0 {
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], p.rng.Uint64())
		b = b[copy(b, word[:]):]
	}
}

// disconnect ends whatever there is with a contact at once, and puts the erasure of all that is stored of it into the journal, but for itself and its knock times. // peer-blocked
func (p *Peer) disconnect(now time.Time, c *contact) {
	if c.present != nil {
		p.endPresent(now, c)
	}
	for len(c.young) > 0 {
		p.erase(c.young[0])
	}
	p.machine.Remove(c.Key)
	p.rendezvous.Remove(now, c.Key)
	c.pair.Erase()
	c.behind, c.known, c.quiet, c.handing, c.delivery, c.handed = nil, nil, false, false, conversation.Delivery{}, nil
	c.sending.Erase(now)
	c.receiving.Erase(now)
	c.sending, c.receiving = nil, nil
}

// store puts the contact's own value into the journal.
func (p *Peer) store(c *contact) { p.journal.Put(c.value()) }

func (c *contact) value() durable.Change {
	return durable.Change{Bucket: bucketContact, Key: numberKey(c.number), Value: appendContact(nil, &c.Contact)}
}

// confirm tells of a change once it is durable. // peer-durable-first
func (p *Peer) confirm(now time.Time, kind EventKind, friend handshake.PublicKey) {
	p.journal.Then(now, func(time.Time) { p.events.add(Event{Kind: kind, Friend: friend}) })
	p.settle(now)
}

// find returns a contact, or an error of class ErrState.
func (p *Peer) find(key handshake.PublicKey) (*contact, error) {
	if c := p.contacts[key]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("peer: no such contact: %w", ErrState)
}

// findOpen returns a contact that is not blocked.
func (p *Peer) findOpen(key handshake.PublicKey) (*contact, error) {
	c, err := p.find(key)
	if err == nil && c.Blocked {
		return nil, fmt.Errorf("peer: contact is blocked: %w", ErrState)
	}
	return c, err
}

var errClosed = fmt.Errorf("peer: it was closed: %w", ErrState)

// Add makes a key a contact, which is published for and looked for from now on. EventAdded follows when it is durable. The error's class is ErrMalformed for a key or name that no contact may have, ErrState for a contact that is there
// already, and ErrLimit for one over handshake.MaxContacts, or a name that is too long.
func (p *Peer) Add(now time.Time, key handshake.PublicKey, name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if _, err := handshake.CheckContact(p.id.PublicKey(), key[:]); err != nil {
		return fmt.Errorf("peer: %w: %w", err, ErrMalformed)
	}
	switch {
	case p.closing:
		return errClosed
	case p.contacts[key] != nil:
		return fmt.Errorf("peer: contact is there already: %w", ErrState)
	case len(p.contacts) == handshake.MaxContacts || p.next == 1<<32-1:
		return fmt.Errorf("peer: more than %d contacts: %w", handshake.MaxContacts, ErrLimit)
	}
	c := &contact{Contact: Contact{Key: key, Name: name, Added: now.Round(0)}, number: p.next}
	if err := p.admit(now, c, nil); err != nil {
		return err
	}
	p.next++
	p.journal.Put(durable.Change{Bucket: bucketNode, Key: []byte(keyNext), Value: numberKey(p.next)})
	p.store(c)
	p.confirm(now, EventAdded, key)
	return nil
}

// Rename gives a contact another name. EventRenamed follows when it is durable. The error's class is ErrState for who is none, otherwise CheckName's.
func (p *Peer) Rename(now time.Time, key handshake.PublicKey, name string) error {
	c, err := p.find(key)
	if err != nil {
		return err
	}
	if err := CheckName(name); err != nil {
		return err
	}
	c.Name = name
	p.store(c)
	p.confirm(now, EventRenamed, key)
	return nil
}

// Remove forgets a contact and all that is his, at once. EventRemoved follows when that is durable. The error is of class ErrState for who is none.
func (p *Peer) Remove(now time.Time, key handshake.PublicKey) error {
	c, err := p.find(key)
	if err != nil {
		return err
	}
	if !c.Blocked {
		p.disconnect(now, c)
	}
	c.removed = true
	delete(p.contacts, key)
	p.list = slices.DeleteFunc(p.list, func(o *contact) bool { return o == c })
	for _, b := range [...]durable.Bucket{bucketContact, bucketKnock, BucketHistory} {
		p.journal.Put(durable.Change{Bucket: b, Key: numberKey(c.number)})
	}
	p.confirm(now, EventRemoved, key)
	return nil
}

// Block keeps a contact and his name, but ends and erases everything else as Remove does, and has nothing to do with him. The history stays. EventBlocked follows when that is durable. The error is of class
// ErrState for who is no contact, or blocked.
func (p *Peer) Block(now time.Time, key handshake.PublicKey) error {
	c, err := p.findOpen(key)
	if err != nil {
		return err
	}
	p.disconnect(now, c)
	c.Blocked = true
	p.store(c)
	p.confirm(now, EventBlocked, key)
	return nil
}

// Unblock ends Block: what there is with the contact begins anew. EventUnblocked follows when that is durable. The error is of class ErrState for who is not blocked.
func (p *Peer) Unblock(now time.Time, key handshake.PublicKey) error {
	c, err := p.find(key)
	if err != nil {
		return err
	}
	switch {
	case p.closing:
		return errClosed
	case !c.Blocked:
		return fmt.Errorf("peer: contact is not blocked: %w", ErrState)
	}
	if err := p.connect(now, c, nil); err != nil {
		return err
	}
	c.Blocked = false
	p.store(c)
	p.confirm(now, EventUnblocked, key)
	return nil
}

// Contacts returns all contacts in the order in which they were added.
func (p *Peer) Contacts() []Contact {
	all := make([]Contact, 0, len(p.list))
	for _, c := range p.list {
		v := c.Contact
		v.Online = c.present != nil
		if c.sending != nil {
			v.Waiting = c.sending.Waiting()
		}
		all = append(all, v)
	}
	return all
}

// spoke notes that a conversation is open.
func (p *Peer) spoke(now time.Time, c *contact) {
	c.Spoken = now.Round(0)
	p.journal.Lazily(now, c.value())
}
