package handshake

import (
	"fmt"
	"slices"
	"time"
)

// A conversation is what a handshake makes.
type conversation struct {
	id   SessionID
	rank Rank
}

var errNoSession = fmt.Errorf("handshake: no such session: %w", ErrState)

// Lives reports whether a session is one that its owner must keep: half-open, out, or the present conversation. What does not live any more is to be erased; most of it goes without an Output,
// when its time is over or another has won.
func (m *Machine) Lives(now time.Time, id SessionID) bool {
	c := m.contacts[id.Friend]
	return c != nil && c.names(now, id)
}

// names reports whether there is a session of that name.
func (c *contact) names(now time.Time, id SessionID) bool {
	return c.present != nil && c.present.id == id || c.findHalf(now, id) >= 0 || c.findOut(now, id) >= 0
}

// findHalf returns the index of a half-open session, −1 if there is none.
func (c *contact) findHalf(now time.Time, id SessionID) int {
	return slices.IndexFunc(c.half, func(h halfOpen) bool { return h.id == id && now.Before(h.until) })
}

// findOut returns the index of an own accept that is out, −1 if there is none.
func (c *contact) findOut(now time.Time, id SessionID) int {
	if id.Role != Initiator {
		return -1
	}
	return slices.IndexFunc(c.out, func(o ownAccept) bool { return o.id == id.ID && now.Before(o.until) })
}

// Opened tells that the other side's first ratchet message has opened in a session. The responder's is decided now: OutputFinished or OutputRefused. The error's class is ErrState if there is
// no such session, or it is the conversation already.
func (m *Machine) Opened(now time.Time, id SessionID) error {
	c := m.contacts[id.Friend]
	if c == nil {
		return errNoContact
	}
	if m.outputs.full() {
		return errOutputsFull
	}
	if i := c.findOut(now, id); i >= 0 { // hs-finish-initiator
		m.finish(c, conversation{id, m.ownRank(&c.out[i])})
		return nil
	}
	i := c.findHalf(now, id) // hs-rank-when
	if i < 0 {
		return errNoSession
	}
	h := c.half[i].conversation
	refused := c.present != nil && h.rank.Compare(c.present.rank) <= 0 // hs-rank-present
	for i := range c.out {
		if o := &c.out[i]; now.Before(o.until) && h.rank.Compare(m.ownRank(o)) <= 0 { // hs-rank-out, hs-out-life
			refused = true
		}
	}
	if refused {
		c.half = slices.Delete(c.half, i, i+1)
		m.schedule(c)
		m.outputs.add(Output{Kind: OutputRefused, Friend: c.friend, ID: id})
		return nil
	}
	m.finish(c, h) // hs-finish-responder, hs-rank-give-up
	return nil
}

// ownRank is the rank of a handshake as initiator.
func (m *Machine) ownRank(o *ownAccept) Rank { return Rank{uint64(o.time), m.id.public} }

// finish makes a session the present conversation, in place of whatever there was with the contact. What outranks it stays: the friend may have it already.
func (m *Machine) finish(c *contact, of conversation) { // hs-finish-replaces, hs-finish-older
	c.present = &of
	c.eraseOffer()
	c.attempt = nil
	c.out = slices.DeleteFunc(c.out, func(o ownAccept) bool { return m.ownRank(&o).Compare(of.rank) <= 0 })
	c.half = slices.DeleteFunc(c.half, func(h halfOpen) bool { return h.rank.Compare(of.rank) <= 0 })
	m.schedule(c)
	m.outputs.add(Output{Kind: OutputFinished, Friend: c.friend, ID: of.id})
}

// Ended tells that a conversation is over. The error's class is ErrState if it is not the present one.
func (m *Machine) Ended(now time.Time, id SessionID) error {
	c := m.contacts[id.Friend]
	switch {
	case c == nil:
		return errNoContact
	case c.present == nil || c.present.id != id:
		return errNoSession
	}
	c.present = nil
	return nil
}
