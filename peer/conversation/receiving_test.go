package conversation

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var theirs = StreamID{0xbb, 1}

// greeted is a side that the other's hello has come to.
func greeted(t *testing.T) *side {
	s := newSide(t)
	s.in.Hello(noon, theirs, 0)
	s.commit()
	return s
}

func part(id uint64, i, n uint8, text string) Part {
	p := Part{ID: id, Part: i, Parts: n, Bytes: []byte(text)}
	if i == 0 {
		p.Type = Text
	}
	return p
}

func TestDeliveredInOrder(t *testing.T) { // peer-deliver-once, peer-ack-form
	s := greeted(t)
	require.Equal(t, Completed, s.take(0, "a"))
	require.Equal(t, Held, s.take(2, "c"))
	require.Equal(t, Held, s.take(4, "e"))
	s.commit()
	s.wantDelivered("a")
	s.wantAck(1, 0b101, 0)
	require.Equal(t, Completed, s.take(1, "b"))
	s.commit()
	s.wantDelivered("b", "c")
	s.wantAck(3, 0b1, 0)
	require.Equal(t, Ignored, s.take(1, "b"))
	s.commit()
	s.wantDelivered()
}

func TestAcknowledgedWhenDurable(t *testing.T) { // peer-ack-durable, peer-durable-first
	s := greeted(t)
	var woken int
	s.in.Notify(func(time.Time) { woken++ })
	s.take(0, "a")
	s.take(1, "b")
	s.take(3, "d")
	s.wantAck(0, 0b101, 0b1) // what waits for the store counts as its bits say
	s.wantDelivered()
	batch, seq, ok := s.journal.Take(noon)
	require.True(t, ok)
	s.take(2, "c")
	s.wantAck(0, 0b111, 0b1)
	s.disk.commit(batch)
	s.wantDelivered()
	s.journal.Done(noon, seq)
	require.Equal(t, 2, woken)
	s.wantAck(2, 0b1, 0b1)
	s.wantDelivered("a", "b")
	s.commit()
	s.wantAck(4, 0, 0)
	s.wantDelivered("c", "d")
}

func TestPartsOfWhatWaitsForTheStore(t *testing.T) {
	s := greeted(t)
	s.takePart(part(0, 2, 3, "c"))
	s.wantAck(0, 0, 0b100)
	s.takePart(part(0, 0, 3, "a"))
	s.wantAck(0, 0, 0b101)
	require.Equal(t, Completed, s.takePart(part(0, 1, 3, "b")))
	s.wantAck(0, 0, 0b111)
	s.commit()
	s.wantAck(1, 0, 0)
	s.wantDelivered("abc")
}

func TestSixtyFourPartsAndTheWholeWindow(t *testing.T) {
	s := greeted(t)
	for id := range uint64(MaxAhead) {
		require.Equal(t, Held, s.take(id+1, "x"))
	}
	for i := range uint8(MaxParts - 1) {
		require.Equal(t, Held, s.takePart(part(0, i, MaxParts, "y")))
	}
	s.wantAck(0, math.MaxUint64, math.MaxUint64>>1)
	require.Equal(t, Completed, s.takePart(part(0, MaxParts-1, MaxParts, "y")))
	s.wantAck(0, math.MaxUint64, math.MaxUint64)
	s.commit()
	s.wantAck(MaxAhead+1, 0, 0)
}

func TestOutsideTheWindow(t *testing.T) { // peer-message-outside
	s := newSide(t)
	s.in.Hello(noon, theirs, 100)
	s.commit()
	require.Equal(t, Ignored, s.take(99, "x"))
	require.Equal(t, Ignored, s.take(613, "x"))
	require.Equal(t, Ignored, s.take(math.MaxUint64, "x"))
	require.Equal(t, Held, s.take(164, "x"))
	require.Equal(t, Held, s.take(165, "x"))
	require.Equal(t, Held, s.take(612, "x"))
	s.wantAck(100, 1<<63, 0)
}

// What is held further above than the bitmap goes is told when next expected has risen.
func TestHeldBeyondTheBitmap(t *testing.T) { // peer-ack-form
	s := greeted(t)
	for _, id := range []uint64{65, 66, 130, 512} {
		require.Equal(t, Held, s.take(id, "x"))
	}
	s.takePart(part(67, 0, 2, "x"))
	s.wantAck(0, 0, 0)
	for id := range uint64(65) {
		s.take(id, "x")
		s.commit()
		switch id {
		case 0:
			s.wantAck(1, 1<<63, 0)
		case 1:
			s.wantAck(2, 3<<62, 0)
		case 3:
			s.wantAck(4, 3<<60, 0)
		}
	}
	s.wantAck(67, 1<<62, 1)
	require.Equal(t, Completed, s.takePart(part(67, 1, 2, "y")))
	s.commit()
	s.wantAck(68, 1<<61, 0)
}

// What waits for the store counts as its bits and parts say, however much of it there is.
func TestAWindowThatWaitsForTheStore(t *testing.T) { // peer-ack-soon
	s := greeted(t)
	parts := func(id uint64) uint8 { return uint8(id%7%3 + 1) }
	var seqs, ends []uint64
	for id := range uint64(MaxAhead + 1) {
		for i := range parts(id) {
			s.takePart(part(id, i, parts(id), "x"))
		}
		if id%50 == 49 || id == MaxAhead {
			_, seq, ok := s.journal.Take(noon)
			require.True(t, ok)
			seqs, ends = append(seqs, seq), append(ends, id+1)
		}
	}
	require.Equal(t, Ignored, s.take(MaxAhead+1, "x"))
	s.wantAck(0, math.MaxUint64, 1)
	for i, seq := range seqs {
		s.journal.Done(noon, seq)
		if next := ends[i]; next <= MaxAhead {
			s.wantAck(next, ones(MaxAhead-next), ones(uint64(parts(next))))
		}
	}
	s.wantAck(MaxAhead+1, 0, 0)
	require.Zero(t, s.in.parts.len())
	require.Equal(t, Completed, s.take(MaxAhead+1, "x"))
}

// The last id could not be expected to have one behind it.
func TestIDsHaveAnEnd(t *testing.T) {
	s := newSide(t)
	s.in.Hello(noon, theirs, math.MaxUint64-1)
	s.commit()
	require.Equal(t, Completed, s.take(math.MaxUint64-1, "x"))
	require.Equal(t, Ignored, s.take(math.MaxUint64, "y"))
	s.commit()
	s.wantAck(math.MaxUint64, 0, 0)
	s.wantDelivered("x")
}

func TestPartsThatDiffer(t *testing.T) { // peer-part-differs
	s := greeted(t)
	s.takePart(part(1, 0, 3, "abc"))
	s.takePart(part(1, 1, 3, "def"))
	require.Equal(t, Ignored, s.takePart(part(1, 1, 3, "def")))
	s.aborts(part(1, 2, 4, "ghi"))
	s.aborts(part(1, 0, 1, "abc"))
	s.aborts(part(1, 0, 3, "abd"))
	s.aborts(part(1, 0, 3, "ab"))
	s.aborts(part(1, 1, 3, "defg"))
	s.aborts(Part{ID: 1, Parts: 3, Type: Text + 1, Bytes: []byte("abc")})
	require.Equal(t, Held, s.takePart(part(1, 2, 3, "ghi")))
	require.Equal(t, Completed, s.take(0, "first"))
	s.commit()
	s.wantDelivered("first", "abcdefghi")
}

func TestNothingBeforeTheHello(t *testing.T) { // peer-hello-missing
	s := newSide(t)
	_, err := s.in.Take(noon, &Part{Parts: 1})
	require.ErrorIs(t, err, ErrMalformed)
	_, ok := s.in.Ack()
	require.False(t, ok)
}

func TestHeldIsBounded(t *testing.T) { // peer-hold
	s := greeted(t)
	text := string(bytes.Repeat([]byte{'x'}, 1024))
	for id := range uint64(4) { // 4 × 64 KiB, not of the next expected
		for i := range uint8(MaxParts) {
			require.Equal(t, Held, s.takePart(part(1+id, i, MaxParts, text)))
		}
	}
	require.Equal(t, Ignored, s.take(5, "x"))
	for i := range uint8(MaxParts - 1) {
		require.Equal(t, Held, s.takePart(part(0, i, MaxParts, text)), "never refused: the next expected")
	}
	require.Equal(t, Completed, s.takePart(part(0, MaxParts-1, MaxParts, text)))
	s.commit()
	require.Equal(t, Completed, s.take(5, "y"))
	s.commit()
	s.wantAck(6, 0, 0)
	require.Zero(t, s.in.size)
	require.Nil(t, s.in.held)
}

// What is held of the next expected message takes nothing from the others.
func TestHeldBesideTheNextExpected(t *testing.T) { // peer-hold
	s := greeted(t)
	text := string(bytes.Repeat([]byte{'x'}, 1024))
	for id := range uint64(5) {
		for i := range uint8(MaxParts) - 1 {
			s.takePart(part(id, i, MaxParts, text))
		}
	}
	require.Equal(t, Held, s.take(5, string(bytes.Repeat([]byte{'x'}, 4*1024))))
	require.Equal(t, Ignored, s.take(6, "x"))
}

// Two conversations come so close that what the first took is not in the journal when the second begins, with another stream.
func TestStagedBeforeAnotherHello(t *testing.T) {
	s := greeted(t)
	p := part(0, 0, 1, "a")
	_, err := s.in.Take(noon, &p)
	require.NoError(t, err)
	s.in.Hello(noon, StreamID{0xbb, 2}, 0)
	s.commit()
	s.wantDelivered("a")
	s.in.Hello(noon, theirs, 0)
	s.wantAck(1, 0, 0)
}

// A stream that was forgotten, and has begun again, is not told of by what was on its way to the store before.
func TestForgottenOnItsWayToTheStore(t *testing.T) { // peer-ack-durable
	s := greeted(t)
	s.take(0, "a")
	for i := range byte(MaxStreams) {
		s.in.Hello(noon, StreamID{i}, 0)
	}
	batch, seq, _ := s.journal.TakeAll()
	s.in.Hello(noon, theirs, 0)
	s.disk.commit(batch)
	s.journal.Done(noon, seq)
	s.wantAck(0, 0, 0)
	require.Equal(t, Completed, s.take(0, "a"))
	s.commit()
	s.wantAck(1, 0, 0)
}

func TestRefusedMessagesCount(t *testing.T) { // peer-message-refused
	s := greeted(t)
	require.Equal(t, Completed, s.takePart(Part{ID: 0, Parts: 1, Type: 2, Bytes: []byte("x")}))
	require.Equal(t, Completed, s.takePart(Part{ID: 1, Parts: 1, Type: Text, Bytes: []byte("\xff")}))
	for i := range uint8(61) {
		s.takePart(part(2, i, 61, string(bytes.Repeat([]byte{'x'}, 984))))
	}
	require.Equal(t, Completed, s.take(3, ""))
	s.takePart(part(4, 0, 2, "\xc3")) // a character that two parts share
	s.takePart(part(4, 1, 2, "\xa4"))
	s.wantDelivered()
	s.commit()
	s.wantAck(5, 0, 0)
	for id, want := range []Refusal{RefusedType, RefusedText, RefusedSize, 0, 0} {
		d, ok := s.in.Delivery()
		require.True(t, ok)
		require.Equal(t, want, d.Refused)
		require.EqualValues(t, id, d.ID)
		require.Equal(t, want != 0, d.Text == nil)
	}
	require.Equal(t, 2, s.in.Untaken())
	require.Len(t, s.disk.positions(BucketInbox), 2)
}

func TestHandedOverUntilTaken(t *testing.T) { // peer-taken
	s := greeted(t)
	s.take(0, "a")
	s.take(1, "b")
	s.take(2, "c")
	s.commit()
	a, _ := s.in.Delivery()
	require.Equal(t, Delivery{Position: 0, Time: noon.Local(), Type: Text, Text: []byte("a")}, a)
	b, _ := s.in.Delivery()
	require.NoError(t, s.in.Taken(noon, b.Position))
	require.ErrorIs(t, s.in.Taken(noon, b.Position), ErrState)
	require.ErrorIs(t, s.in.Taken(noon, 3), ErrState)
	s.commit()

	s.restart()
	a, _ = s.in.Delivery()
	require.Equal(t, Delivery{Position: 0, Time: noon.Local(), Type: Text, Text: []byte("a"), Again: true}, a)
	s.wantDelivered("c")
	require.NoError(t, s.in.Taken(noon, 2))
	require.NoError(t, s.in.Taken(noon, 0))
	s.commit()
	require.Empty(t, s.disk.positions(BucketInbox))

	s.restart()
	s.wantDelivered()
	s.in.Hello(noon, theirs, 3)
	s.take(3, "d")
	s.commit()
	d, _ := s.in.Delivery()
	require.EqualValues(t, 3, d.Position, "positions rise for ever")
	require.False(t, d.Again)
}

// A disk that is not written to takes nothing from the other side.
func TestWhatWasNotDurableComesAgain(t *testing.T) {
	s := greeted(t)
	s.take(0, "a")
	s.commit()
	s.take(1, "b")
	s.restart()
	id, next := s.in.Known()
	require.Equal(t, theirs, id)
	require.EqualValues(t, 1, next)
	s.in.Hello(noon, theirs, 1)
	s.wantDelivered("a")
	require.Equal(t, Completed, s.take(1, "b"))
	s.commit()
	s.wantDelivered("b")
}

func TestHeldEndsWithTheConversation(t *testing.T) { // peer-replace, peer-ack-held
	s := greeted(t)
	s.take(0, "a")
	s.take(1, "b")
	s.take(3, "d")
	s.wantAck(0, 0b101, 0b1)
	s.in.Void()
	_, ok := s.in.Ack()
	require.False(t, ok)
	s.in.Hello(noon, theirs, 0)
	s.wantAck(0, 0, 0) // "a" and "b" are on their way to the store, but were delivered in the conversation before
	require.Equal(t, Ignored, s.take(0, "a"))
	require.Equal(t, Completed, s.take(2, "c"))
	s.wantAck(0, 0b10, 0)
	s.commit()
	s.wantAck(3, 0, 0)
	s.wantDelivered("a", "b", "c")
}

func TestStreamGap(t *testing.T) { // peer-stream-gap
	s := greeted(t)
	s.take(0, "a")
	s.commit()
	s.restart()
	from, to := s.in.Hello(noon, theirs, 5)
	require.Equal(t, [2]uint64{1, 5}, [2]uint64{from, to})
	s.wantAck(1, 0, 0)                          // not durable yet
	require.Equal(t, Completed, s.take(5, "f")) // but the other side may know
	s.commit()
	s.wantAck(6, 0, 0)
	s.wantDelivered("a", "f")

	from, to = s.in.Hello(noon, theirs, 3)
	require.Equal(t, from, to)
	s.wantAck(6, 0, 0)
}

func TestStreamsThatAreRemembered(t *testing.T) { // peer-stream-new
	s := newSide(t)
	for i := range byte(MaxStreams) {
		from, to := s.in.Hello(noon, StreamID{i}, 10*uint64(i))
		require.Equal(t, from, to)
		s.take(10*uint64(i), "x")
	}
	s.in.Hello(noon, StreamID{0}, 0)  // now 1 is the oldest
	s.in.Hello(noon, StreamID{99}, 0) // and goes
	s.commit()
	s.restart()
	require.Len(t, s.in.streams, MaxStreams)
	s.in.Hello(noon, StreamID{0}, 0)
	s.wantAck(1, 0, 0)
	s.in.Hello(noon, StreamID{15}, 0)
	s.wantAck(151, 0, 0)
	from, to := s.in.Hello(noon, StreamID{1}, 50)
	require.Equal(t, from, to, "it is new, so nothing is missing")
	s.commit()
	s.wantAck(50, 0, 0)
}

func TestWhatAHelloTells(t *testing.T) { // peer-hello-form
	s := newSide(t)
	known := func() Hello {
		id, next := s.in.Known()
		return Hello{Other: id, Next: next}
	}
	require.Equal(t, Hello{}, known())
	s.in.Hello(noon, theirs, 7)
	require.Equal(t, Hello{}, known(), "not durable yet")
	s.commit()
	require.Equal(t, Hello{Other: theirs, Next: 7}, known())
	s.take(7, "x")
	require.Equal(t, Hello{Other: theirs, Next: 7}, known())
	s.commit()
	require.Equal(t, Hello{Other: theirs, Next: 8}, known())
	s.restart()
	require.Equal(t, Hello{Other: theirs, Next: 8}, known())
}

// The end of the order of hellos is stored; the same hello again needs no store.
func TestTheSameHelloWritesNothing(t *testing.T) {
	s := greeted(t)
	s.in.Hello(noon, theirs, 0)
	_, _, ok := s.journal.TakeAll()
	require.False(t, ok)
}

func TestInboxIsBounded(t *testing.T) {
	for name, c := range map[string]struct{ n, size int }{"messages": {MaxInbox, 1}, "bytes": {MaxInboxBytes / 6000, 6000}} {
		s := greeted(t)
		text := string(bytes.Repeat([]byte{'x'}, c.size))
		for id := range uint64(c.n) {
			require.Equal(t, Completed, s.take(id, text), name)
			if id%64 == 0 {
				s.commit()
			}
		}
		s.commit()
		next := uint64(c.n)
		require.Equal(t, Held, s.take(next, text), name)
		require.Equal(t, Held, s.take(next+1, text), name)
		s.commit()
		s.wantAck(next, 0b1, 0b1)

		s.restart()
		s.in.Hello(noon, theirs, next)
		require.Equal(t, Held, s.take(next, text), name)
		require.NoError(t, s.in.Taken(noon, 5))
		s.commit()
		s.wantAck(next+1, 0, 0)
		require.Equal(t, c.n, s.in.Untaken())
	}
}

func TestRefusedMessagesAreBoundedToo(t *testing.T) {
	s := greeted(t)
	for id := range uint64(MaxInbox) {
		s.takePart(Part{ID: id, Parts: 1, Type: 9})
		s.commit()
	}
	require.Equal(t, Held, s.takePart(Part{ID: MaxInbox, Parts: 1, Type: 9}))
	_, ok := s.in.Delivery()
	require.True(t, ok)
	s.in.Deliver(noon)
	s.commit()
	s.wantAck(MaxInbox+1, 0, 0)
}

func TestEchoIsOneCommit(t *testing.T) {
	s := newSide(t)
	var err error
	s.in, err = NewReceiving(s.journal, contact, nil, s.out)
	require.NoError(t, err)
	s.in.Hello(noon, theirs, 0)
	s.commit()

	s.take(0, "a")
	s.takePart(part(1, 0, 2, "b"))
	s.takePart(part(1, 1, 2, "c"))
	s.take(2, "")                                                        // there is no empty message to send
	s.takePart(Part{ID: 3, Parts: 1, Type: Text, Bytes: []byte("\xff")}) // nor one that is refused
	s.out.Give(noon, s.out.Ungiven())
	batch, seq, ok := s.journal.Take(noon)
	require.True(t, ok)
	s.disk.commit(batch)
	s.journal.Done(noon, seq)
	s.wantAck(4, 0, 0)
	require.EqualValues(t, 2, s.out.Sendable())
	require.Equal(t, "a", string(s.out.Part(0, 0).Bytes))
	require.Equal(t, "bc", string(s.out.Part(1, 0).Bytes))
	require.Zero(t, s.in.Untaken())
	d, ok := s.in.Delivery()
	require.True(t, ok)
	require.Equal(t, RefusedText, d.Refused)
}

func TestEchoWaitsForRoom(t *testing.T) {
	s := newSide(t)
	var err error
	s.in, err = NewReceiving(s.journal, contact, nil, s.out)
	require.NoError(t, err)
	for range MaxOutbox {
		_, err := s.out.Queue(Text, []byte("x"))
		require.NoError(t, err)
	}
	s.out.Give(noon, 1)
	s.in.Hello(noon, theirs, 0)
	require.Equal(t, Held, s.take(0, "a"))
	s.commit()
	s.wantAck(0, 0, 0b1)
	wantDone(t, s, 1, 0, 1)
	s.commit()
	s.wantAck(1, 0, 0)
}

// What a friend sends in a conversation is forgotten with it, byte by byte.
func TestVoidErases(t *testing.T) { // peer-over-erase
	s := greeted(t)
	s.takePart(part(1, 0, 2, "secret"))
	chunk := s.in.held[1].chunks[0]
	s.in.Void()
	require.Equal(t, make([]byte, 6), chunk)
}

func TestErasedReceivingLeavesNothing(t *testing.T) {
	s := greeted(t)
	s.take(0, "a")
	s.commit()
	s.take(1, "b")
	s.in.Erase(noon)
	s.out.Erase(noon)
	s.commit()
	require.Empty(t, s.disk.values)
}

func TestTakeCopies(t *testing.T) {
	s := greeted(t)
	b := []byte("abc")
	for _, p := range []Part{{ID: 0, Parts: 1, Type: Text, Bytes: b}, {ID: 2, Parts: 1, Type: Text, Bytes: b}} {
		s.takePart(p)
	}
	copy(b, "xyz")
	s.take(1, "between")
	s.commit()
	s.wantDelivered("abc", "between", "abc")
}
