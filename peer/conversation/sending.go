package conversation

import (
	"encoding/binary"
	"fmt"
	"time"

	"kith/peer/durable"
)

// Bounds of a stream.
const (
	MaxMessage = 60_000 // bytes of a message
	MaxParts   = 64     // of a message
	MaxAhead   = 512    // how far an id may be above the other side's next expected

	// PartBytes is where messages are cut. So a part fits into a datagram beside a hello, an acknowledgement and a ping or pong, at any time, and the longest message
	// has 60 of them.
	PartBytes = 1000

	MaxOutbox      = 10_000   // messages that are not acknowledged, of one contact
	MaxOutboxBytes = 16 << 20 // and their bytes
)

// Sending is one's own stream to a contact, over all conversations: the outbox, and the ids. It is not safe for concurrent use.
//
// A message has a position from the moment it is queued, which rises for ever, and an id, position − base, from when it is given one. Both, and so
// which bytes an id stands for, are durable before a datagram carries the id; what is acknowledged leaves the outbox from its low end. So whatever end a process finds, the next one
// knows every id that may have been sent and not acknowledged, with its bytes, and gives none of them to another message. Entries that come back because they were erased lazily are below what the other side expects: its
// next hello or acknowledgement takes them away again.
type Sending struct {
	journal *durable.Journal
	contact uint32
	wake    func(now time.Time)
	freed   func(now time.Time) // there is room in the outbox again

	stream StreamID
	base   uint64 // the position of id 0
	given  uint64 // the next id to be given
	usable uint64 // the same, as far as it is durable
	told   uint64 // the highest next expected that the other side has told
	heard  bool   // it has told one since the start, so that this store is no old copy; nobody knows a fresh stream

	outbox queue[[]byte] // each key ‖ content type ‖ bytes
	head   uint64        // position of the first of it, or of the next message
	bytes  int           // of messages in it

	waits   queue[giving] // for the journal, the oldest first
	durable func(now time.Time)
	changes []durable.Change // used again
}

// giving is a value of given on its way to the store.
type giving struct {
	stream StreamID
	given  uint64
}

// NewSending returns the stream to a contact as it is stored, or one with the id fresh, random bytes, where there is none. Of stored, what is not in BucketSending and BucketOutbox is passed over; the error is ErrMalformed
// and says which is damaged.
func NewSending(now time.Time, j *durable.Journal, contact uint32, stored []durable.Change, fresh StreamID) (*Sending, error) {
	s := &Sending{journal: j, contact: contact, stream: fresh, heard: true}
	s.durable = s.gaveDurably
	v, err := value(stored, BucketSending, contact)
	if err != nil {
		return nil, err
	}
	outbox, err := entries(stored, BucketOutbox, contact, outboxHead+1)
	if err != nil {
		return nil, err
	}
	if v == nil {
		if len(outbox) > 0 {
			return nil, damaged(BucketSending)
		}
		j.Lazily(now, s.value()) // before it counts, Give puts it
		return s, nil
	}
	if len(v) != sendingSize {
		return nil, damaged(BucketSending)
	}
	s.stream, s.base, s.given = StreamID(v[:8]), binary.BigEndian.Uint64(v[8:]), binary.BigEndian.Uint64(v[16:])
	s.usable, s.head, s.heard = s.given, s.base+s.given, false
	if s.head < s.base || s.head > maxPosition {
		return nil, damaged(BucketSending)
	}
	return s, s.load(now, outbox)
}

// maxPosition is further than anybody comes; up to it, nothing overflows.
const maxPosition = 1 << 62

// load takes over what is in the outbox. It has no gaps: it grows at the high end and shrinks at the low one.
func (s *Sending) load(now time.Time, outbox []entry) error {
	for len(outbox) > 0 && outbox[0].position < s.base { // of an older stream; its erasure was lost
		s.journal.Lazily(now, durable.Change{Bucket: BucketOutbox, Key: appendEntryKey(nil, s.contact, outbox[0].position)})
		outbox = outbox[1:]
	}
	if len(outbox) > 0 {
		last := outbox[len(outbox)-1].position
		if outbox[0].position > s.head || last+1 < s.head || last > maxPosition || last-outbox[0].position != uint64(len(outbox)-1) {
			return damaged(BucketOutbox)
		}
		s.head = outbox[0].position
	}
	for _, e := range outbox {
		s.outbox.push(append(appendEntryKey(make([]byte, 0, entryKey+len(e.value)), s.contact, e.position), e.value...))
		s.bytes += len(e.value) - outboxHead
	}
	s.told = s.First() // what is below has been told
	return nil
}

func (s *Sending) value() durable.Change {
	b := make([]byte, 0, contactKey+sendingSize)
	b = binary.BigEndian.AppendUint32(b, s.contact)
	b = append(b, s.stream[:]...)
	b = binary.BigEndian.AppendUint64(b, s.base)
	b = binary.BigEndian.AppendUint64(b, s.given)
	return durable.Change{Bucket: BucketSending, Key: b[:contactKey:contactKey], Value: b[contactKey:]}
}

// Notify makes wake be called whenever ids have become durable, so that there may be something to send. Nil ends that.
func (s *Sending) Notify(wake func(now time.Time)) { s.wake = wake }

// Stream returns the id of the stream.
func (s *Sending) Stream() StreamID { return s.stream }

// First returns the lowest id that is not acknowledged, or the next that will be given.
func (s *Sending) First() uint64 { return s.head - s.base }

// Given returns the id behind the last that is durably given.
func (s *Sending) Given() uint64 { return s.usable }

// Sendable returns the id behind the last that may be sent now: it is durably given and not too far ahead of the other side.
func (s *Sending) Sendable() uint64 { // peer-id-durable
	return min(s.usable, s.told+MaxAhead+1) // peer-window
}

// Ungiven returns how many messages wait that have no id.
func (s *Sending) Ungiven() int { return s.outbox.len() - int(s.given-s.First()) }

// Waiting returns how many messages are not acknowledged.
func (s *Sending) Waiting() int { return s.outbox.len() }

// Position returns the position of an id of this stream.
func (s *Sending) Position(id uint64) uint64 { return s.base + id }

// Queue takes a message of 1 to MaxMessage bytes and returns its position. What is to happen when it is durable, the caller gives to the journal next. The error is ErrMalformed for another size, and
// ErrLimit when the outbox is full; then nothing is changed.
func (s *Sending) Queue(t ContentType, text []byte) (position uint64, err error) {
	if len(text) == 0 || len(text) > MaxMessage { // peer-message-size
		return 0, fmt.Errorf("peer: message of %d bytes: %w", len(text), ErrMalformed)
	}
	if !s.room(len(text)) {
		return 0, fmt.Errorf("peer: outbox is full: %w", ErrLimit)
	}
	c := s.queue(t, text)
	s.journal.Put(c)
	return s.head + uint64(s.outbox.len()) - 1, nil
}

// room reports whether a message of n bytes can be queued.
func (s *Sending) room(n int) bool { return s.outbox.len() < MaxOutbox && s.bytes+n <= MaxOutboxBytes }

// queue is Queue for who knows that there is room, and puts the change himself.
func (s *Sending) queue(t ContentType, text []byte) durable.Change {
	position := s.head + uint64(s.outbox.len())
	b := appendEntryKey(make([]byte, 0, entryKey+outboxHead+len(text)), s.contact, position)
	b = append(append(b, byte(t)), text...)
	s.outbox.push(b)
	s.bytes += len(text)
	return durable.Change{Bucket: BucketOutbox, Key: b[:entryKey:entryKey], Value: b[entryKey:]}
}

// Give gives ids to the next n messages that have none, or to fewer where there are fewer, and returns to how many. When that is durable, Given and Sendable rise. A message need not be durable before: given in
// the same batch, it costs one commit.
//
// A stream out of the store gives none before the first call of Acknowledged: an id that an old copy gives may be one that the other side has had, with another text, and what had such an id would count as delivered.
func (s *Sending) Give(now time.Time, n int) int { // peer-id-rises
	n = min(n, s.Ungiven())
	if n <= 0 || !s.heard { // peer-id-heard
		return 0
	}
	s.given += uint64(n)
	s.waits.push(giving{s.stream, s.given})
	s.journal.Put(s.value())
	s.journal.Then(now, s.durable)
	return n
}

func (s *Sending) gaveDurably(now time.Time) {
	g := s.waits.pop()
	if g.stream != s.stream {
		return // restored since
	}
	s.usable = g.given
	if s.wake != nil {
		s.wake(now)
	}
}

// Parts returns in how many parts a message with an id travels, 0 if it is not in the outbox or has no id.
func (s *Sending) Parts(id uint64) int {
	if id < s.First() || id >= s.given {
		return 0
	}
	return (s.size(id) + PartBytes - 1) / PartBytes
}

func (s *Sending) size(id uint64) int {
	return len(s.outbox.at(int(id-s.First()))) - entryKey - outboxHead
}

// Part returns a part of a message, always the same for the same arguments; its bytes are the outbox's. The id is one from First up to Sendable, and the part below its Parts. // peer-parts-same
func (s *Sending) Part(id uint64, part int) Part {
	b := s.outbox.at(int(id - s.First()))
	text := b[entryKey+outboxHead:]
	p := Part{ID: id, Part: uint8(part), Parts: uint8((len(text) + PartBytes - 1) / PartBytes)}
	if part == 0 {
		p.Type = ContentType(b[entryKey])
	}
	p.Bytes = text[part*PartBytes : min(len(text), (part+1)*PartBytes)]
	return p
}

// Acknowledged tells what the other side expects next, out of an acknowledgement or a hello for this stream. It returns the positions from, and up to but without to, that are delivered now; they leave the
// outbox. Restored is true, and nothing is changed, if the other side has had more than was ever given: then Restore is due.
func (s *Sending) Acknowledged(now time.Time, next uint64) (from, to uint64, restored bool) {
	if next > s.usable { // peer-stream-restored; what is given and not durable was not sent
		return 0, 0, true
	}
	s.told, s.heard = max(s.told, next), true
	from, to = s.head, s.head
	if next > s.First() { // peer-keep-until
		s.drop(now, int(next-s.First()))
		if to = s.head; s.freed != nil {
			s.freed(now)
		}
	}
	return from, to, false
}

// drop takes the first n messages out of the outbox. Nothing depends on their erasure.
func (s *Sending) drop(now time.Time, n int) {
	keys := make([]byte, 0, n*entryKey) // of their own: a key of the entry would keep its text
	changes := s.changes[:0]
	for range n {
		s.bytes -= len(s.outbox.at(0)) - entryKey - outboxHead
		s.outbox.pop()
		keys = appendEntryKey(keys, s.contact, s.head)
		changes = append(changes, durable.Change{Bucket: BucketOutbox, Key: keys[len(keys)-entryKey : len(keys) : len(keys)]})
		s.head++
	}
	s.journal.Lazily(now, changes...)
	clear(changes)
	s.changes = changes[:0]
}

// Restore begins a new stream with the id fresh, random bytes, because this store is older than what the other side has. What had an id counts as delivered: positions from, and up to but without to. When it is durable, which the
// caller gives to the journal next, the conversation is to end and another to begin; nothing else is sent or taken in it from now on, for its hello named the old stream. // peer-stream-restored
func (s *Sending) Restore(now time.Time, fresh StreamID) (from, to uint64) {
	from, to = s.head, s.base+s.given
	s.stream, s.base, s.given, s.usable, s.told, s.heard = fresh, to, 0, 0, 0, true
	s.journal.Put(s.value())
	s.drop(now, int(to-from))
	return from, to
}

// Erase takes all that is stored of the stream out of the store: its contact was removed. The stream is not used any more.
func (s *Sending) Erase(now time.Time) {
	s.wake, s.freed = nil, nil
	s.drop(now, s.outbox.len())
	s.journal.Put(durable.Change{Bucket: BucketSending, Key: binary.BigEndian.AppendUint32(nil, s.contact)})
}
