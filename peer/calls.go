package peer

import (
	"fmt"
	"net/netip"
	"time"

	"kith/dht"
	"kith/handshake"
	"kith/peer/conversation"
	"kith/peer/durable"
)

// End ends the conversation with a friend: he is told, and not knocked at until there is something to say, or he knocks. The error is of class ErrState if none is open.
func (p *Peer) End(now time.Time, key handshake.PublicKey) error {
	c, err := p.findOpen(key)
	if err != nil {
		return err
	}
	if c.present == nil {
		return fmt.Errorf("peer: no conversation is open: %w", ErrState)
	}
	p.endPresent(now, c)
	p.settle(now)
	return nil
}

// endPresent ends the conversation with a contact. Its last words take 200 ms.
func (p *Peer) endPresent(now time.Time, c *contact) {
	s := c.present
	s.conversation.End(now, conversation.ReasonLeft)
	p.part(now, s, conversation.WhyLeft)
	p.sessions.touch(s)
}

// Search looks for a friend at once, and then as often as at first. The error is of class ErrState for who is no contact or is blocked.
func (p *Peer) Search(now time.Time, key handshake.PublicKey) error {
	c, err := p.findOpen(key)
	if err != nil {
		return err
	}
	c.quiet = false
	p.rendezvous.Search(now, key) // peer-look-lost
	p.settle(now)
	return nil
}

// Close ends all conversations and takes no others. Once Closed, the last words are said, and what TakeAll gives is to be made durable.
func (p *Peer) Close(now time.Time) {
	if p.closing {
		return
	}
	p.closing = true
	for _, c := range p.list {
		if c.present != nil {
			p.endPresent(now, c)
		}
		for len(c.young) > 0 {
			p.erase(c.young[0])
		}
		c.behind = nil
	}
	p.machine.Erase()
	p.rendezvous.Erase()
	p.settle(now)
}

// Closed reports whether Close was called and all conversations are over.
func (p *Peer) Closed() bool { return p.closing && len(p.sessions.ending) == 0 }

// Erase overwrites the secrets that the peer holds, but for its identity's. It is of no use afterwards.
func (p *Peer) Erase() {
	p.closing = true
	p.machine.Erase()
	p.rendezvous.Erase()
	for len(p.sessions.ending) > 0 {
		p.erase(p.sessions.ending[0])
	}
	for _, c := range p.list {
		for len(c.young) > 0 {
			p.erase(c.young[0])
		}
		if c.present != nil {
			p.erase(c.present)
		}
		if c.pair != nil {
			c.pair.Erase()
		}
	}
}

// AddBootstrap adds a node at which the DHT begins, such as one whose name could not be resolved before.
func (p *Peer) AddBootstrap(now time.Time, a netip.AddrPort) {
	p.node.AddBootstrap(now, a)
	p.settle(now)
}

// NodeStats returns the counters of the DHT's node.
func (p *Peer) NodeStats() dht.Stats { return p.node.Stats() }

// Endpoints returns the addresses under which others reach the peer, as its records have them.
func (p *Peer) Endpoints() []netip.AddrPort { return p.rendezvous.Endpoints() }

// A BucketKind is a kind of value in the store.
type BucketKind struct {
	Name   durable.Bucket
	Append bool // keys are mostly added in ascending order
}

// Buckets returns all kinds of values that a peer stores.
func Buckets() []BucketKind {
	return []BucketKind{
		{bucketContact, false},
		{bucketKnock, false},
		{bucketNode, false},
		{conversation.BucketSending, false},
		{conversation.BucketReceiving, false},
		{conversation.BucketOutbox, true},
		{conversation.BucketInbox, true},
		{BucketHistory, true},
	}
}
