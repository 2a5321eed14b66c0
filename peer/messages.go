package peer

import (
	"encoding/binary"
	"fmt"
	"time"
	"unicode/utf8"

	"kith/handshake"
	"kith/peer/conversation"
	"kith/peer/durable"
)

// BucketHistory is the kind of value that Config.History writes: number u32 ‖ time u64 ‖ direction u8 ‖ position u64 → content type ‖ bytes. Times are Unix milliseconds, so the keys of a contact lie in the order in which things were
// said. A Change of it without a value and with only the number for a key erases all of that contact: Peer does not know how many there are.
const BucketHistory durable.Bucket = "history"

// Directions in the history.
const (
	HistorySent     = 0
	HistoryReceived = 1
)

// Send puts a text for a friend into the outbox and returns its position there. EventQueued follows when it is durable, and EventDelivered when he has it, durably. The error's class is ErrMalformed for a text that is
// not UTF-8, or has not 1 to conversation.MaxMessage bytes, ErrState for who is no contact or is blocked, and ErrLimit when the outbox is full.
func (p *Peer) Send(now time.Time, key handshake.PublicKey, text []byte) (position uint64, err error) {
	c, err := p.findOpen(key)
	if err != nil {
		return 0, err
	}
	if !utf8.Valid(text) {
		return 0, fmt.Errorf("peer: text is not UTF-8: %w", ErrMalformed)
	}
	if position, err = c.sending.Queue(conversation.Text, text); err != nil {
		return 0, err
	}
	if p.history {
		p.journal.Put(c.history(now, HistorySent, position, conversation.Text, text))
	}
	c.queued = append(c.queued, position)
	p.journal.Then(now, c.confirm)
	p.wake(now, c)
	if c.present == nil && c.quiet { // peer-end-quiet
		c.quiet = false
		p.rendezvous.Search(now, key)
	}
	p.settle(now)
	return position, nil
}

// queuedDurably tells that the outbox is durable up to the position that has waited longest.
func (p *Peer) queuedDurably(c *contact) {
	position := c.queued[0]
	if c.queued = c.queued[1:]; len(c.queued) == 0 {
		c.queued = nil
	}
	if !c.removed {
		p.events.raise(Event{Kind: EventQueued, Friend: c.Key, Position: position})
	}
}

// Taken tells that the peer's user has taken all messages of a friend up to a position: none of them will be handed over again. The error is of class ErrState for who is no contact or is blocked.
func (p *Peer) Taken(now time.Time, key handshake.PublicKey, position uint64) error {
	c, err := p.findOpen(key)
	if err != nil {
		return err
	}
	n := 0
	for n < len(c.handed) && c.handed[n] <= position {
		_ = c.receiving.Taken(now, c.handed[n]) // it is there
		n++
	}
	if c.handed = c.handed[n:]; len(c.handed) == 0 {
		c.handed = nil
	}
	p.wake(now, c)
	p.settle(now)
	return nil
}

// wake tells the conversation with a contact that there may be something to say.
func (p *Peer) wake(now time.Time, c *contact) {
	if c.receiving == nil {
		return
	}
	p.hand(c)
	if s := c.present; s != nil {
		s.conversation.Wake(now)
		p.sessions.touch(s)
	}
}

// hand puts a contact's deliveries among the events, where one stands for all. They stay where they are until somebody asks for them.
func (p *Peer) hand(c *contact) {
	if c.handing || c.receiving == nil {
		return
	}
	if c.delivery, c.handing = c.receiving.Delivery(); c.handing {
		p.events.push(pending{of: c})
	}
}

// Event returns the next event, and whether there was one. Messages that nobody asks for wait in the inbox, which is bounded. Friends take turns, so that none who says much keeps the others waiting.
func (p *Peer) Event() (Event, bool) {
	for p.events.len() > 0 {
		next := p.events.pop()
		c := next.of
		if c == nil {
			return next.Event, true
		}
		if !c.handing { // he was blocked, or removed
			continue
		}
		d := c.delivery
		if c.delivery, c.handing = c.receiving.Delivery(); c.handing {
			p.events.push(next)
		}
		return p.handOver(c, &d), true
	}
	return Event{}, false
}

// handOver is the event of a delivered message.
func (p *Peer) handOver(c *contact, d *conversation.Delivery) Event {
	if d.Refused != 0 { // peer-message-refused
		return Event{Kind: EventRefused, Friend: c.Key, From: d.ID, To: d.ID, Time: d.Time, Refused: d.Refused}
	}
	if p.history {
		p.journal.Lazily(p.now, c.history(d.Time, HistoryReceived, d.Position, d.Type, d.Text)) // before its erasure from the inbox in any case
	}
	c.handed = append(c.handed, d.Position)
	return Event{Kind: EventMessage, Friend: c.Key, Position: d.Position, Time: d.Time, Type: d.Type, Text: d.Text, Again: d.Again}
}

// history is an entry of the history.
func (c *contact) history(at time.Time, direction byte, position uint64, kind conversation.ContentType, text []byte) durable.Change {
	key := make([]byte, 0, numberSize+8+1+8)
	key = binary.BigEndian.AppendUint32(key, c.number)
	key = binary.BigEndian.AppendUint64(key, milliseconds(at))
	key = binary.BigEndian.AppendUint64(append(key, direction), position)
	return durable.Change{Bucket: BucketHistory, Key: key, Value: append([]byte{byte(kind)}, text...)}
}

// ParseHistory reads an entry of the history. The error is of class ErrMalformed.
func ParseHistory(key, value []byte) (number uint32, e Entry, err error) {
	if len(key) != numberSize+8+1+8 || len(value) < 1 || key[12] > HistoryReceived {
		return 0, Entry{}, damaged(BucketHistory, "an entry that is none")
	}
	at, err := fromMilliseconds(key[4:])
	if err != nil {
		return 0, Entry{}, damaged(BucketHistory, err.Error())
	}
	return binary.BigEndian.Uint32(key), Entry{Time: at, Received: key[12] == HistoryReceived, Position: binary.BigEndian.Uint64(key[13:]), Type: conversation.ContentType(value[0]), Text: value[1:]}, nil
}

// An Entry is one message of a history.
type Entry struct {
	Time     time.Time
	Received bool
	Position uint64
	Type     conversation.ContentType
	Text     []byte
}
