package conversation

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/peer/durable"
)

func wantDone(t *testing.T, s *side, next, from, to uint64) {
	t.Helper()
	gotFrom, gotTo, restored := s.out.Acknowledged(noon, next)
	require.False(t, restored)
	require.Equal(t, [2]uint64{from, to}, [2]uint64{gotFrom, gotTo})
}

func TestIDsAreGivenInOrderAndWhenSent(t *testing.T) { // peer-id-rises, peer-id-durable
	s := newSide(t)
	for i, text := range []string{"a", "b", "c"} {
		position, err := s.out.Queue(Text, []byte(text))
		require.NoError(t, err)
		require.EqualValues(t, i, position)
	}
	s.commit()
	require.Equal(t, 3, s.out.Ungiven())
	require.Zero(t, s.out.Given())
	require.Zero(t, s.out.Parts(0))

	var woken int
	s.out.Notify(func(time.Time) { woken++ })
	require.Equal(t, 2, s.out.Give(noon, 2))
	require.Equal(t, 1, s.out.Ungiven())
	require.Zero(t, s.out.Sendable(), "not durable yet")
	s.commit()
	require.EqualValues(t, 2, s.out.Sendable())
	require.Equal(t, 1, woken)
	require.Equal(t, Part{ID: 1, Parts: 1, Type: Text, Bytes: []byte("b")}, s.out.Part(1, 0))

	require.Equal(t, 1, s.out.Give(noon, 5))
	require.Equal(t, 0, s.out.Give(noon, 5))
	s.commit()
	require.EqualValues(t, 3, s.out.Given())
	require.Equal(t, 2, woken)
}

func TestQueueAndIDInOneCommit(t *testing.T) {
	s := newSide(t)
	_, err := s.out.Queue(Text, []byte("a"))
	require.NoError(t, err)
	s.out.Give(noon, 1)
	batch, seq, ok := s.journal.Take(noon)
	require.True(t, ok, "it does not wait for anything")
	s.disk.commit(batch)
	s.journal.Done(noon, seq)
	require.EqualValues(t, 1, s.out.Sendable())
}

func TestAStreamWithoutMessagesIsStoredWhenThereIsTime(t *testing.T) {
	s := newSide(t)
	_, _, ok := s.journal.Take(noon)
	require.False(t, ok)
	id := s.out.Stream()
	s.commit()
	s.restart()
	require.Equal(t, id, s.out.Stream())
}

func TestIDsAheadOfTheOther(t *testing.T) { // peer-window
	s := newSide(t)
	for range 600 {
		_, err := s.out.Queue(Text, []byte("x"))
		require.NoError(t, err)
	}
	s.out.Give(noon, 600)
	s.commit()
	require.EqualValues(t, 513, s.out.Sendable())
	wantDone(t, s, 10, 0, 10)
	require.EqualValues(t, 523, s.out.Sendable())
	wantDone(t, s, 9, 10, 10) // an older acknowledgement
	require.EqualValues(t, 523, s.out.Sendable())
	s.commit()
	s.restart()
	require.EqualValues(t, 10, s.out.First())
	require.EqualValues(t, 523, s.out.Sendable())
	wantDone(t, s, 600, 10, 600)
	require.EqualValues(t, 600, s.out.Sendable())
}

func TestKeptUntilAcknowledged(t *testing.T) { // peer-keep-until
	s := newSide(t)
	s.queue("a", "b", "c")
	s.restart()
	require.Equal(t, 3, s.out.Waiting())
	wantDone(t, s, 2, 0, 2)
	require.EqualValues(t, 2, s.out.First())
	require.Zero(t, s.out.Parts(1))
	require.Equal(t, 1, s.out.Parts(2))

	s.restart() // before the erasure was durable
	require.Equal(t, 3, s.out.Waiting())
	wantDone(t, s, 2, 0, 2)
	s.commit()
	s.restart()
	require.Equal(t, 1, s.out.Waiting())
	require.EqualValues(t, 2, s.out.First())
	require.Equal(t, "c", string(s.out.Part(2, 0).Bytes))
	wantDone(t, s, 3, 2, 3)
	s.commit()
	require.Empty(t, s.disk.positions(BucketOutbox))

	s.restart()
	require.EqualValues(t, 3, s.out.First(), "the next that will be given")
	s.queue("d")
	require.Equal(t, "d", string(s.out.Part(3, 0).Bytes))
	require.Equal(t, []uint64{3}, s.disk.positions(BucketOutbox))
}

func TestGivenButNotDurableIsGivenAgain(t *testing.T) {
	s := newSide(t)
	s.queue("a")
	_, err := s.out.Queue(Text, []byte("b"))
	require.NoError(t, err)
	s.commit()
	s.out.Give(noon, 1)
	s.restart()
	require.EqualValues(t, 1, s.out.Given())
	require.Equal(t, 1, s.out.Ungiven())
}

func TestPartsOfAMessage(t *testing.T) { // peer-parts-same
	s := newSide(t)
	for n, want := range map[int]int{1: 1, PartBytes: 1, PartBytes + 1: 2, MaxMessage: 60} {
		text := strings.Repeat("x", n-1) + "y"
		id := s.out.Given()
		s.queue(text)
		for range 2 {
			require.Equal(t, want, s.out.Parts(id))
			var all []byte
			for i := range want {
				p := s.out.Part(id, i)
				require.Equal(t, Part{ID: id, Part: uint8(i), Parts: uint8(want), Type: p.Type, Bytes: p.Bytes}, p)
				require.Equal(t, i == 0, p.Type == Text)
				require.LessOrEqual(t, HelloSize+AckSize+PingSize+p.Size(), MaxPlaintext)
				all = append(all, p.Bytes...)
			}
			require.Equal(t, text, string(all))
			s.restart()
		}
	}
}

func TestQueueRefuses(t *testing.T) { // peer-message-size
	s := newSide(t)
	for _, n := range []int{0, MaxMessage + 1} {
		_, err := s.out.Queue(Text, make([]byte, n))
		require.ErrorIs(t, err, ErrMalformed)
	}
	s.commit()
	require.Equal(t, 1, s.disk.written, "the stream")
	require.Zero(t, s.out.Waiting())
}

func TestOutboxIsBounded(t *testing.T) {
	s := newSide(t)
	for range MaxOutbox {
		_, err := s.out.Queue(Text, []byte("x"))
		require.NoError(t, err)
	}
	_, err := s.out.Queue(Text, []byte("x"))
	require.ErrorIs(t, err, ErrLimit)
	s.out.Give(noon, 1)
	s.commit()
	wantDone(t, s, 1, 0, 1)
	_, err = s.out.Queue(Text, []byte("x"))
	require.NoError(t, err)

	s = newSide(t)
	long := make([]byte, MaxMessage)
	for range MaxOutboxBytes / MaxMessage {
		_, err := s.out.Queue(Text, long)
		require.NoError(t, err)
	}
	s.commit()
	s.restart()
	_, err = s.out.Queue(Text, long)
	require.ErrorIs(t, err, ErrLimit)
	_, err = s.out.Queue(Text, long[:MaxOutboxBytes%MaxMessage])
	require.NoError(t, err)
	s.out.Acknowledged(noon, 0)
	s.out.Give(noon, 1)
	s.commit()
	wantDone(t, s, 1, 0, 1)
	_, err = s.out.Queue(Text, long)
	require.NoError(t, err)
	_, err = s.out.Queue(Text, long[:1])
	require.ErrorIs(t, err, ErrLimit)
}

// After a start, the other side may know more of the stream than the store does.
func TestNoIDBeforeTheOtherWasHeard(t *testing.T) { // peer-stream-restored
	s := newSide(t)
	s.queue("a")
	s.restart()
	_, err := s.out.Queue(Text, []byte("b"))
	require.NoError(t, err)
	require.Zero(t, s.out.Give(noon, 1))
	require.EqualValues(t, 1, s.out.Sendable(), "what has an id is the same in every copy")
	wantDone(t, s, 0, 0, 0)
	require.Equal(t, 1, s.out.Give(noon, 1))
}

// A store from a backup gave ids that it does not know of.
func TestRestoredStream(t *testing.T) { // peer-stream-restored
	s := newSide(t)
	s.queue("a", "b")
	_, err := s.out.Queue(Text, []byte("c"))
	require.NoError(t, err)
	s.commit()
	old := s.out.Stream()

	_, _, restored := s.out.Acknowledged(noon, 3)
	require.True(t, restored)
	require.EqualValues(t, 0, s.out.First(), "nothing is changed")
	from, to := s.out.Restore(noon, s.fresh())
	require.Equal(t, [2]uint64{0, 2}, [2]uint64{from, to})
	var ended bool
	s.journal.Then(noon, func(time.Time) { ended = true })
	s.commit()
	require.True(t, ended)

	for range 2 {
		require.NotEqual(t, old, s.out.Stream())
		require.Zero(t, s.out.First())
		require.Zero(t, s.out.Given())
		require.Equal(t, 1, s.out.Ungiven())
		s.restart()
	}
	wantDone(t, s, 0, 2, 2)
	s.out.Give(noon, 1)
	s.commit()
	require.Equal(t, "c", string(s.out.Part(0, 0).Bytes))
	require.EqualValues(t, 2, s.out.Position(0))
	wantDone(t, s, 1, 2, 3)
}

// The other side cannot have had what was given and not sent, since that is not durable.
func TestWhatIsGivenAndNotDurableCannotBeAcknowledged(t *testing.T) {
	s := newSide(t)
	s.queue("a")
	_, err := s.out.Queue(Text, []byte("b"))
	require.NoError(t, err)
	s.out.Give(noon, 1)
	_, _, restored := s.out.Acknowledged(noon, 2)
	require.True(t, restored)
	s.out.Restore(noon, s.fresh())
	s.commit()
	require.Zero(t, s.out.Given(), "what was on its way is of the old stream")
}

func TestErasuresOfAnOlderStreamMayBeLost(t *testing.T) {
	s := newSide(t)
	s.queue("a", "b")
	before := s.disk.stored()
	s.out.Restore(noon, s.fresh())
	s.commit()
	for _, c := range before {
		if c.Bucket == BucketOutbox {
			s.disk.commit([]durable.Change{c})
		}
	}
	require.Len(t, s.disk.positions(BucketOutbox), 2)
	s.restart()
	require.Zero(t, s.out.Waiting())
	s.queue("c")
	require.Equal(t, []uint64{2}, s.disk.positions(BucketOutbox))
	require.Equal(t, "c", string(s.out.Part(0, 0).Bytes))
}

func TestErasedSendingLeavesNothing(t *testing.T) {
	s := newSide(t)
	s.queue("a", "b")
	wantDone(t, s, 1, 0, 1)
	s.out.Erase(noon)
	s.commit()
	require.Empty(t, s.disk.values)
}
