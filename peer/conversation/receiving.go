package conversation

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"time"

	"kith/peer/durable"
)

// Bounds of what a contact can have here.
const (
	MaxStreams = 16        // streams that are remembered
	MaxHeld    = 256 << 10 // bytes that are held beside those of the next expected message

	MaxInbox      = 10_000   // messages that were delivered and not taken
	MaxInboxBytes = 16 << 20 // and their bytes
)

// Receiving is the other side's streams: what was delivered of them, over all conversations, and what is held of the present one. It is not safe for concurrent use.
//
// A message is delivered in one transaction with the next expected id, and only when its own id is that. So each id of a stream is delivered at most once, and in order, wherever a process ends; and since nothing but a
// durable next expected lets the sender forget, at least once. What is held, and what was staged or is on its way to the store, ends with the process, as if it had never come.
//
// Hello begins a conversation, Take takes its message frames, Deliver is called once behind all that a datagram, or several, had, and Void when the conversation is over.
type Receiving struct {
	journal *durable.Journal
	contact uint32
	echo    *Sending // nil: the inbox takes what is delivered
	wake    func(now time.Time)

	streams  []*stream // the one that had the last hello last
	position uint64    // of the next entry of the inbox
	changed  bool      // these are not in the journal as they are
	staged   []durable.Change
	underway int               // how many events wait for the journal
	waits    queue[delivering] // for the journal
	durable  func(now time.Time)

	present // conversation

	untaken      map[uint64]int // positions in the inbox, and their bytes
	untakenBytes int
	refused      int             // of events
	events       queue[Delivery] // not handed over yet
	ready        int             // how many of them are durable
}

// present is what a Receiving has of the conversation that is under way.
type present struct {
	current bool                // a hello came: the last of the streams is it
	first   uint64              // of the hello
	since   uint64              // next expected when the hello came
	held    map[uint64]*message // by id: parts of the next expected, and of those above; nil while there are none
	size    int                 // bytes held
	parts   queue[uint8]        // of how many the messages were that it delivered and that are not durable, next - 1 the last
}

// A stream is one of the other side's.
type stream struct {
	id     StreamID
	next   uint64 // expected
	told   uint64 // the same, as far as it is durable and may be told
	stored bool   // whether the store knows the stream
}

// delivering is a value of the streams on its way to the store.
type delivering struct {
	stream *stream // forgotten, perhaps
	next   uint64
	events int // how many become ready with it
}

// A message is held until it is whole, and the next.
type message struct {
	parts  uint8
	kind   ContentType
	have   uint64 // bit i: part i
	size   int
	chunks [][]byte
}

func (m *message) whole() bool { return bits.OnesCount64(m.have) == int(m.parts) }

// A Delivery is a message that the user is to take, or is to know of.
type Delivery struct {
	Position uint64      // for Taken; rises for ever, with gaps
	Time     time.Time   // when it was delivered, in milliseconds
	Type     ContentType // Text, but for a refused one
	Text     []byte      // not to be changed
	Again    bool        // it was delivered before this start, and perhaps handed over
	Refused  Refusal     // not zero: it counts as delivered and has no position and no text
	ID       uint64      // in its stream, unless Again
}

// A Refusal says why a message was refused.
type Refusal uint8

// Why a message is refused.
const (
	RefusedType Refusal = iota + 1 // unknown content type
	RefusedSize                    // more than MaxMessage bytes
	RefusedText                    // not UTF-8
)

// An Effect is what a message frame did. Each of them wants an acknowledgement.
type Effect uint8

// The effects of message frames.
const (
	Ignored   Effect = iota // outside the window, beyond MaxHeld, or had before
	Held                    // it is held
	Completed               // the next expected message is whole with it, and staged
)

// NewReceiving returns what is stored of a contact's streams. Of stored, what is not in BucketReceiving and BucketInbox is passed over; the error is ErrMalformed and says which is damaged. With an echo, what is
// delivered is queued there instead of the inbox, in the same transaction.
func NewReceiving(j *durable.Journal, contact uint32, stored []durable.Change, echo *Sending) (*Receiving, error) {
	r := &Receiving{journal: j, contact: contact, echo: echo, untaken: map[uint64]int{}}
	r.durable = r.deliveredDurably
	if echo != nil {
		echo.freed = r.Deliver
	}
	v, err := value(stored, BucketReceiving, contact)
	if err != nil {
		return nil, err
	}
	inbox, err := entries(stored, BucketInbox, contact, inboxHead)
	if err != nil {
		return nil, err
	}
	if v == nil && len(inbox) == 0 {
		return r, nil
	}
	if r.position, r.streams, err = parseReceiving(v); err != nil {
		return nil, err
	}
	for _, e := range inbox {
		if e.position >= r.position {
			return nil, damaged(BucketInbox)
		}
		r.untaken[e.position] = len(e.value) - inboxHead
		r.untakenBytes += len(e.value) - inboxHead
		r.events.push(Delivery{
			Position: e.position, Time: time.UnixMilli(int64(binary.BigEndian.Uint64(e.value))),
			Type: ContentType(e.value[8]), Text: bytes.Clone(e.value[inboxHead:]), Again: true, // peer-taken
		})
	}
	r.ready = r.events.len()
	return r, nil
}

func parseReceiving(v []byte) (position uint64, streams []*stream, err error) {
	if len(v) < 8 || (len(v)-8)%streamSize != 0 || len(v) > 8+MaxStreams*streamSize {
		return 0, nil, damaged(BucketReceiving)
	}
	position = binary.BigEndian.Uint64(v)
	for v = v[8:]; len(v) > 0; v = v[streamSize:] {
		next := binary.BigEndian.Uint64(v[8:])
		s := &stream{StreamID(v[:8]), next, next, true}
		if slices.ContainsFunc(streams, func(o *stream) bool { return o.id == s.id }) {
			return 0, nil, damaged(BucketReceiving)
		}
		streams = append(streams, s)
	}
	if position > maxPosition {
		return 0, nil, damaged(BucketReceiving)
	}
	return position, streams, nil
}

// Notify makes wake be called whenever a delivery has become durable: there is an acknowledgement to send, and perhaps an event. Nil ends that.
func (r *Receiving) Notify(wake func(now time.Time)) { r.wake = wake }

// Hello begins a conversation with the first hello of the other side: of its stream, the lowest id that it has not had acknowledged is first. The ids from, and up to but without to, are missing here for ever; often
// there are none.
func (r *Receiving) Hello(now time.Time, id StreamID, first uint64) (from, to uint64) {
	r.Void()
	r.put(now) // what was staged is of another stream, perhaps
	i := slices.IndexFunc(r.streams, func(s *stream) bool { return s.id == id })
	s := &stream{id: id, next: first} // peer-stream-new
	if i >= 0 {
		s = r.streams[i]
		from, to = s.next, max(s.next, first)
		s.next = to // peer-stream-gap
	}
	if i < 0 || i < len(r.streams)-1 || to > from {
		if i < 0 && len(r.streams) == MaxStreams {
			i = 0
		}
		if i >= 0 {
			r.streams = slices.Delete(r.streams, i, i+1)
		}
		r.streams = append(r.streams, s)
		r.changed = true
	}
	r.current, r.first, r.since = true, first, s.next
	r.put(now)
	return from, to
}

// Known returns the stream that had the last hello and what is durably expected of it, or zeros: what an own hello tells. // peer-hello-form
func (r *Receiving) Known() (id StreamID, next uint64) {
	if len(r.streams) == 0 || !r.last().stored {
		return StreamID{}, 0
	}
	return r.last().id, r.last().told
}

func (r *Receiving) last() *stream { return r.streams[len(r.streams)-1] }

// Void forgets what is held: the conversation is over. // peer-replace
func (r *Receiving) Void() {
	for _, m := range r.held {
		for _, c := range m.chunks {
			clear(c) // peer-over-erase
		}
	}
	r.present = present{}
}

// Take takes a message frame, and copies what it needs of it. After an error, which is ErrMalformed, nothing is changed and the conversation is to be aborted.
func (r *Receiving) Take(now time.Time, p *Part) (Effect, error) {
	if !r.current {
		return Ignored, fmt.Errorf("peer: message before the hello: %w", ErrMalformed) // peer-hello-missing
	}
	s := r.last()
	floor := max(s.told, r.first)                                                         // what next expected the other side may know
	if p.ID < s.next || p.ID > floor && p.ID-floor > MaxAhead || p.ID == math.MaxUint64 { // peer-message-outside; behind the last id, none could be expected
		return Ignored, nil
	}
	m := r.held[p.ID]
	switch {
	case m == nil:
	case m.parts != p.Parts: // peer-part-differs
		return Ignored, fmt.Errorf("peer: message of %d parts has a part of %d: %w", m.parts, p.Parts, ErrMalformed)
	case m.have>>p.Part&1 != 0:
		if !bytes.Equal(m.chunks[p.Part], p.Bytes) || p.Part == 0 && m.kind != p.Type { // peer-part-differs
			return Ignored, fmt.Errorf("peer: part %d came with other bytes: %w", p.Part, ErrMalformed)
		}
		return Ignored, nil
	}
	if p.ID == s.next && p.Parts == 1 && r.deliver(now, p.Type, 1, p.Bytes) {
		r.deliverHeld(now)
		return Completed, nil
	}
	if p.ID != s.next && r.size-r.sizeOf(s.next)+len(p.Bytes) > MaxHeld { // peer-hold
		return Ignored, nil
	}
	if m = r.hold(m, p); p.ID == s.next && m.whole() && r.deliverHeld(now) {
		return Completed, nil
	}
	return Held, nil
}

// hold keeps a part of m, which is nil for a message of which nothing is held.
func (r *Receiving) hold(m *message, p *Part) *message {
	if m == nil {
		m = &message{parts: p.Parts, chunks: make([][]byte, p.Parts)}
		if r.held == nil {
			r.held = map[uint64]*message{}
		}
		r.held[p.ID] = m
	}
	if p.Part == 0 {
		m.kind = p.Type
	}
	m.have |= 1 << p.Part
	m.chunks[p.Part] = bytes.Clone(p.Bytes)
	m.size += len(p.Bytes)
	r.size += len(p.Bytes)
	return m
}

func (r *Receiving) sizeOf(id uint64) int {
	if m := r.held[id]; m != nil {
		return m.size
	}
	return 0
}

// deliverHeld stages what is held and whole from the next expected on, and reports whether that was anything.
func (r *Receiving) deliverHeld(now time.Time) (any bool) {
	for {
		id := r.last().next
		m := r.held[id]
		if m == nil || !m.whole() || !r.deliver(now, m.kind, m.parts, m.chunks...) {
			return any
		}
		if delete(r.held, id); len(r.held) == 0 {
			r.held = nil // a map stays as large as it was
		}
		r.size -= m.size
		any = true
	}
}
