package conversation

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"kith/peer/durable"
)

// deliver stages the next expected message, unless there is no room for it: then it reports false, and has changed nothing. // peer-deliver-once
func (r *Receiving) deliver(now time.Time, kind ContentType, parts uint8, chunks ...[]byte) bool {
	n := 0
	for _, c := range chunks {
		n += len(c)
	}
	if !r.room(n) {
		return false
	}
	s := r.last()
	r.parts.push(parts)
	switch text, refusal := assemble(kind, n, chunks); {
	case refusal != 0: // peer-message-refused
		r.events.push(Delivery{Time: milliseconds(now), Type: kind, Refused: refusal, ID: s.next})
		r.refused++
	case r.echo == nil:
		r.stage(now, s.next, kind, text)
	case n > 0: // there is no empty message to send
		r.staged = append(r.staged, r.echo.queue(kind, text))
	}
	s.next++
	r.changed = true
	return true
}

// room reports whether n bytes more can be delivered.
func (r *Receiving) room(n int) bool {
	if r.echo != nil && !r.echo.room(n) {
		return false
	}
	return len(r.untaken)+r.refused < MaxInbox && r.untakenBytes+n <= MaxInboxBytes
}

// assemble returns the text of a message, which may be the chunk itself, or why it is refused.
func assemble(kind ContentType, n int, chunks [][]byte) (text []byte, refusal Refusal) {
	switch {
	case kind != Text:
		return nil, RefusedType
	case n > MaxMessage:
		return nil, RefusedSize
	}
	text = chunks[0]
	if len(chunks) > 1 {
		text = slices.Concat(chunks...)
	}
	if !utf8.Valid(text) {
		return nil, RefusedText
	}
	return text, 0
}

// stage puts a message into the inbox.
func (r *Receiving) stage(now time.Time, id uint64, kind ContentType, text []byte) {
	b := appendEntryKey(make([]byte, 0, entryKey+inboxHead+len(text)), r.contact, r.position)
	b = binary.BigEndian.AppendUint64(b, uint64(now.UnixMilli()))
	b = append(append(b, byte(kind)), text...)
	r.staged = append(r.staged, durable.Change{Bucket: BucketInbox, Key: b[:entryKey:entryKey], Value: b[entryKey:len(b):len(b)]})
	r.events.push(Delivery{Position: r.position, Time: milliseconds(now), Type: kind, Text: b[entryKey+inboxHead : len(b) : len(b)], ID: id})
	r.untaken[r.position] = len(text)
	r.untakenBytes += len(text)
	r.position++
}

func milliseconds(now time.Time) time.Time { return time.UnixMilli(now.UnixMilli()) }

// Deliver puts what Take has staged into the journal, in one transaction with what is expected next. When that is durable, Ack tells of it and Delivery hands it over.
func (r *Receiving) Deliver(now time.Time) {
	if r.current {
		r.deliverHeld(now) // there may be room again
	}
	r.put(now)
}

// put puts what is staged, and the streams, where they changed.
func (r *Receiving) put(now time.Time) {
	if !r.changed {
		return
	}
	r.journal.Put(r.staged...)
	clear(r.staged)
	r.staged, r.changed = r.staged[:0], false
	r.journal.Put(r.value())
	s := r.last()
	r.waits.push(delivering{s, s.next, r.events.len() - r.ready - r.underway})
	r.underway = r.events.len() - r.ready
	r.journal.Then(now, r.durable) // peer-ack-durable
}

func (r *Receiving) deliveredDurably(now time.Time) {
	d := r.waits.pop()
	r.ready += d.events
	r.underway -= d.events
	d.stream.told, d.stream.stored = d.next, true // peer-ack-never-back
	for s := r.last(); uint64(r.parts.len()) > s.next-s.told; {
		r.parts.pop()
	}
	if r.wake != nil {
		r.wake(now)
	}
}

func (r *Receiving) value() durable.Change {
	b := make([]byte, 0, contactKey+8+len(r.streams)*streamSize)
	b = binary.BigEndian.AppendUint32(b, r.contact)
	b = binary.BigEndian.AppendUint64(b, r.position)
	for _, s := range r.streams {
		b = append(b, s.id[:]...)
		b = binary.BigEndian.AppendUint64(b, s.next)
	}
	return durable.Change{Bucket: BucketReceiving, Key: b[:contactKey:contactKey], Value: b[contactKey:]}
}

// Ack returns the newest acknowledgement, and false when there is none because no hello has come.
func (r *Receiving) Ack() (a Ack, ok bool) {
	if !r.current {
		return Ack{}, false
	}
	s := r.last()
	a.Next = s.told
	if from := max(s.told, r.since); from < s.next { // peer-ack-held
		if from == s.told {
			a.Parts = ones(uint64(r.parts.at(0)))
			from++
		}
		a.Bitmap = ones(s.next-s.told-1) &^ ones(from-s.told-1)
	}
	if len(r.held) == 0 {
		return a, true
	}
	if m := r.held[s.told]; m != nil {
		a.Parts = m.have
	}
	for i := range uint64(mapped) { // what is held further above is not told yet
		if m := r.held[s.told+1+i]; m != nil && m.whole() {
			a.Bitmap |= 1 << i
		}
	}
	return a, true
}

// ones returns a number whose lowest n bits are set.
func ones(n uint64) uint64 {
	if n >= 64 {
		return 1<<64 - 1
	}
	return 1<<n - 1
}

// Delivery returns the next message that is durably delivered and was not handed over since the start.
func (r *Receiving) Delivery() (Delivery, bool) { // peer-durable-first
	if r.ready == 0 {
		return Delivery{}, false
	}
	d := r.events.pop()
	r.ready--
	if d.Refused != 0 {
		r.refused--
	}
	return d, true
}

// Taken tells that the user has taken the message at position: it will not come again. The error is ErrState where there is none, or no more.
func (r *Receiving) Taken(now time.Time, position uint64) error { // peer-taken
	n, ok := r.untaken[position]
	if !ok {
		return fmt.Errorf("peer: nothing at %d is to be taken: %w", position, ErrState)
	}
	delete(r.untaken, position)
	r.untakenBytes -= n
	r.journal.Lazily(now, durable.Change{Bucket: BucketInbox, Key: appendEntryKey(make([]byte, 0, entryKey), r.contact, position)})
	r.Deliver(now) // what waits for room
	return nil
}

// Untaken returns how many messages are delivered and not taken.
func (r *Receiving) Untaken() int { return len(r.untaken) }

// Erase takes all that is stored of the streams out of the store: their contact was removed. Nothing else is to be called any more.
func (r *Receiving) Erase(now time.Time) {
	r.Void()
	r.wake = nil
	for _, position := range slices.Sorted(maps.Keys(r.untaken)) {
		r.journal.Put(durable.Change{Bucket: BucketInbox, Key: appendEntryKey(nil, r.contact, position)})
	}
	r.journal.Put(durable.Change{Bucket: BucketReceiving, Key: binary.BigEndian.AppendUint32(nil, r.contact)})
}
