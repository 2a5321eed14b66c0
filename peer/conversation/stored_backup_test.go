package conversation

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
)

// exchange lets a's messages reach b and everything come to rest, in a new conversation of the two, and returns what b's user is handed and which ids he is told are missing. Where a finds that its
// store is an old copy, it begins another.
func exchange(t *testing.T, a, b *side) (texts []string, from, to uint64) {
	for range 2 { // conversations
		b.in.Void()
		other, next := b.in.Known()
		from, to = b.in.Hello(noon, a.out.Stream(), a.out.First())
		b.commit()
		restored := false
		if other == a.out.Stream() {
			_, _, restored = a.out.Acknowledged(noon, next)
		}
		for range 5 {
			if restored {
				break
			}
			a.out.Give(noon, 100)
			a.commit()
			for id := a.out.First(); id < a.out.Sendable(); id++ {
				b.take(id, string(a.out.Part(id, 0).Bytes))
			}
			b.commit()
			ack, _ := b.in.Ack()
			_, _, restored = a.out.Acknowledged(noon, ack.Next)
		}
		if !restored {
			break
		}
		a.out.Restore(noon, a.fresh())
		a.commit()
	}
	require.Zero(t, a.out.Waiting())
	for {
		d, ok := b.in.Delivery()
		if !ok {
			return texts, from, to
		}
		texts = append(texts, string(d.Text))
	}
}

// say queues texts that have no id yet.
func (s *side) say(texts ...string) {
	for _, text := range texts {
		_, err := s.out.Queue(Text, []byte(text))
		require.NoError(s.t, err)
	}
	s.commit()
}

func (d *disk) copy() *disk { return &disk{values: maps.Clone(d.values)} }

// What the sender's backup holds without an id, and what is said afterwards, arrives: under a new stream, not under ids that were given to other texts.
func TestSenderFromABackup(t *testing.T) { // peer-stream-restored
	a, b := newSide(t), newSide(t)
	a.say("1", "2")
	got, _, _ := exchange(t, a, b)
	require.Equal(t, []string{"1", "2"}, got)
	a.say("3")
	backup := a.disk.copy()
	a.say("4", "5")
	got, _, _ = exchange(t, a, b)
	require.Equal(t, []string{"3", "4", "5"}, got)

	a.disk = backup
	a.restart()
	a.say("6")
	got, from, to := exchange(t, a, b)
	require.Equal(t, []string{"3", "6"}, got, "3 had no id in the backup; its user sees that it waits, and so it is said again")
	require.Equal(t, from, to)
	a.say("7")
	got, _, _ = exchange(t, a, b)
	require.Equal(t, []string{"7"}, got)
}

// The same backup twice: the second time, the other's hello tells of the stream that the first time has begun.
func TestTheSameBackupTwice(t *testing.T) { // peer-stream-restored
	a, b := newSide(t), newSide(t)
	a.say("1")
	exchange(t, a, b)
	backup := a.disk.copy()
	a.say("2", "3")
	exchange(t, a, b)
	for _, text := range []string{"4", "5"} {
		a.disk = backup.copy()
		a.restart()
		a.say(text)
		got, _, _ := exchange(t, a, b)
		require.Equal(t, []string{text}, got)
	}
}

// Ids that were durably given ahead of being sent stand for the same texts in a backup.
func TestBackupWithIDsGivenAhead(t *testing.T) {
	a, b := newSide(t), newSide(t)
	a.queue("1", "2", "3")
	backup := a.disk.copy()
	got, _, _ := exchange(t, a, b)
	require.Equal(t, []string{"1", "2", "3"}, got)
	a.disk = backup
	a.restart()
	a.say("4")
	got, _, _ = exchange(t, a, b)
	require.Equal(t, []string{"4"}, got, "and nothing twice")
}

// The receiver's backup does not know what was delivered since; the sender does not have it any more.
func TestReceiverFromABackup(t *testing.T) { // peer-stream-gap
	a, b := newSide(t), newSide(t)
	a.say("1")
	exchange(t, a, b)
	backup := b.disk.copy()
	a.say("2", "3")
	exchange(t, a, b)
	b.disk = backup
	b.restart()
	a.say("4")
	got, from, to := exchange(t, a, b)
	require.Equal(t, []string{"1", "4"}, got)
	require.Equal(t, [2]uint64{1, 3}, [2]uint64{from, to}, "and its user is told")
}

// A receiver that has lost its store begins where the sender is.
func TestReceiverWithoutItsStore(t *testing.T) { // peer-stream-new
	a, b := newSide(t), newSide(t)
	a.say("1", "2")
	exchange(t, a, b)
	b = newSide(t)
	a.say("3")
	got, from, to := exchange(t, a, b)
	require.Equal(t, []string{"3"}, got)
	require.Equal(t, from, to)
}
