package conversation

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/peer/durable"
)

// noon is when tests of the streams begin; nothing in them depends on time but what the inbox writes down.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const contact = 7

// A disk is a store that a process leaves behind.
type disk struct {
	values  map[string]durable.Change
	written int // changes
}

func (d *disk) commit(batch []durable.Change) {
	for _, c := range batch {
		key := string(c.Bucket) + "/" + string(c.Key)
		if c.Value == nil {
			delete(d.values, key)
		} else {
			d.values[key] = durable.Change{Bucket: c.Bucket, Key: bytes.Clone(c.Key), Value: bytes.Clone(c.Value)}
		}
		d.written++
	}
}

func (d *disk) stored() []durable.Change { return slices.Collect(maps.Values(d.values)) }

// positions returns which entries of a bucket there are.
func (d *disk) positions(bucket durable.Bucket) (p []uint64) {
	for _, c := range d.values {
		if c.Bucket == bucket {
			p = append(p, binary.BigEndian.Uint64(c.Key[contactKey:]))
		}
	}
	slices.Sort(p)
	return p
}

// A side is a process with both streams to one contact, and its disk.
type side struct {
	t       testing.TB
	disk    *disk
	journal *durable.Journal
	out     *Sending
	in      *Receiving
	streams byte
}

func newSide(t testing.TB) *side {
	s := &side{t: t, disk: &disk{values: map[string]durable.Change{}}}
	s.restart()
	return s
}

// restart ends the process where it stands and begins another on its disk.
func (s *side) restart() {
	s.t.Helper()
	s.journal = &durable.Journal{}
	var err error
	s.out, err = NewSending(noon, s.journal, contact, s.disk.stored(), s.fresh())
	require.NoError(s.t, err)
	s.in, err = NewReceiving(s.journal, contact, s.disk.stored(), nil)
	require.NoError(s.t, err)
}

// fresh returns a stream id that no other has.
func (s *side) fresh() StreamID {
	s.streams++
	return StreamID{0xaa, s.streams}
}

// commit makes durable all that there is.
func (s *side) commit() {
	for {
		batch, seq, ok := s.journal.TakeAll()
		if !ok {
			return
		}
		s.disk.commit(batch)
		s.journal.Done(noon, seq)
	}
}

// queue takes texts, gives them ids and makes both durable.
func (s *side) queue(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		_, err := s.out.Queue(Text, []byte(text))
		require.NoError(s.t, err)
	}
	s.out.Acknowledged(noon, s.out.First()) // the other side was heard
	s.out.Give(noon, len(texts))
	s.commit()
}

// take takes a message of one part, as text.
func (s *side) take(id uint64, text string) Effect {
	s.t.Helper()
	return s.takePart(Part{ID: id, Parts: 1, Type: Text, Bytes: []byte(text)})
}

func (s *side) takePart(p Part) Effect {
	s.t.Helper()
	e, err := s.in.Take(noon, &p)
	require.NoError(s.t, err)
	s.in.Deliver(noon)
	return e
}

// aborts takes a part that ends the conversation.
func (s *side) aborts(p Part) {
	s.t.Helper()
	before, _ := s.in.Ack()
	_, err := s.in.Take(noon, &p)
	require.ErrorIs(s.t, err, ErrMalformed)
	after, _ := s.in.Ack()
	require.Equal(s.t, before, after)
}

// wantAck checks what would be acknowledged now.
func (s *side) wantAck(next, bitmap, parts uint64) {
	s.t.Helper()
	a, ok := s.in.Ack()
	require.True(s.t, ok)
	require.Equal(s.t, Ack{next, bitmap, parts}, a)
}

// wantDelivered checks what is handed over now.
func (s *side) wantDelivered(texts ...string) {
	s.t.Helper()
	var got []string
	for {
		d, ok := s.in.Delivery()
		if !ok {
			break
		}
		got = append(got, string(d.Text))
	}
	require.Equal(s.t, texts, got)
}

func TestKeysBeginWithTheContact(t *testing.T) {
	s := newSide(t)
	s.queue("a")
	s.in.Hello(noon, StreamID{1}, 0)
	s.take(0, "b")
	s.commit()
	require.Len(t, s.disk.values, 4)
	for _, c := range s.disk.stored() {
		n, ok := Contact(c.Key)
		require.True(t, ok)
		require.EqualValues(t, contact, n)
	}
	_, ok := Contact([]byte{1, 2, 3})
	require.False(t, ok)
}

func TestOtherBucketsArePassedOver(t *testing.T) {
	stored := []durable.Change{{Bucket: "node", Key: []byte("x"), Value: []byte("y")}}
	_, err := NewSending(noon, &durable.Journal{}, contact, stored, StreamID{1})
	require.NoError(t, err)
	_, err = NewReceiving(&durable.Journal{}, contact, stored, nil)
	require.NoError(t, err)
}

// Whatever a stored value is, it is either understood or said to be damaged, by its kind.
func TestDamagedValuesAreSaid(t *testing.T) { // peer-store-damaged
	number := []byte{0, 0, 0, contact}
	u64 := func(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
	entry := func(bucket durable.Bucket, position uint64, value string) durable.Change {
		return durable.Change{Bucket: bucket, Key: slices.Concat(number, u64(position)), Value: []byte(value)}
	}
	sending := func(base, given uint64) durable.Change {
		return durable.Change{Bucket: BucketSending, Key: number, Value: slices.Concat(make([]byte, 8), u64(base), u64(given))}
	}
	receiving := func(position uint64, streams ...[]byte) durable.Change {
		return durable.Change{Bucket: BucketReceiving, Key: number, Value: slices.Concat(u64(position), slices.Concat(streams...))}
	}
	message := "\x00\x00\x00\x00\x00\x00\x00\x00\x01hi"
	for name, stored := range map[string][]durable.Change{
		"sending":   {{Bucket: BucketSending, Key: number, Value: make([]byte, 23)}},
		"sending 2": {sending(1<<63, 1<<63)},
		"sending 3": {sending(1<<62, 1)},
		"sending 4": {{Bucket: BucketSending, Key: []byte{0, 0, 0, 8}, Value: make([]byte, 24)}},
		"sending 5": {{Bucket: BucketSending, Key: []byte{0, 0, contact}, Value: make([]byte, 24)}},
		"sending 7": {{Bucket: BucketSending, Key: append([]byte{0, 0, 0, contact}, 0), Value: make([]byte, 24)}},
		"sending 6": {entry(BucketOutbox, 0, "\x01hi")}, // there is none
		"outbox":    {sending(0, 0), entry(BucketOutbox, 1, "\x01hi")},
		"outbox 2":  {sending(0, 3), entry(BucketOutbox, 0, "\x01hi"), entry(BucketOutbox, 2, "\x01hi")},
		"outbox 3":  {sending(0, 3), entry(BucketOutbox, 0, "\x01hi"), entry(BucketOutbox, 1, "\x01hi")},
		"outbox 4":  {sending(0, 0), entry(BucketOutbox, 0, "\x01")},
		"outbox 5":  {sending(0, 0), {Bucket: BucketOutbox, Key: number, Value: []byte("\x01hi")}},
		"outbox 6":  {sending(0, 1), entry(BucketOutbox, 0, "\x01hi"), entry(BucketOutbox, 0, "\x01hi")},
		"outbox 7":  {sending(0, 0), entry(BucketOutbox, 0, "\x01"+string(make([]byte, MaxMessage+9)))},
		"receiving": {{Bucket: BucketReceiving, Key: number, Value: make([]byte, 7)}},

		"receiving 2": {receiving(0, make([]byte, 15))},
		"receiving 3": {receiving(0, make([]byte, 32))}, // one stream twice
		"receiving 4": {receiving(0, make([]byte, 17*16))},
		"receiving 5": {receiving(1<<62 + 1)},
		"receiving 6": {entry(BucketInbox, 0, message)}, // there is none
		"inbox":       {receiving(5), entry(BucketInbox, 5, message)},
		"inbox 2":     {receiving(5), entry(BucketInbox, 4, message[:8])},
		"inbox 3":     {receiving(5), {Bucket: BucketInbox, Key: slices.Concat(number, u64(1), number), Value: []byte(message)}},
	} {
		_, outErr := NewSending(noon, &durable.Journal{}, contact, stored, StreamID{1})
		_, inErr := NewReceiving(&durable.Journal{}, contact, stored, nil)
		err := outErr
		if err == nil {
			err = inErr
		} else {
			require.NoError(t, inErr, name)
		}
		require.ErrorIs(t, err, ErrMalformed, name)
		kind, _, _ := bytes.Cut([]byte(name), []byte(" "))
		require.ErrorContains(t, err, `"`+string(kind)+`"`, name)
	}
}
