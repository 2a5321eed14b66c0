package handshake

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The table turns at the edges of its contacts' epochs, and at no other time.
func TestTagTableTurnsAtEdges(t *testing.T) {
	s := begin(t)
	alice, carol := s.friend("alice"), s.friend("carol")
	edges := func(f *friend) (from, until uint64) {
		from = f.pair.Epoch(s.now)*EpochLength - uint64(f.pair.Phase())
		return from, from + EpochLength
	}
	for range 100 {
		s.m.tags.turn(s.now, s.m.contacts)
		from1, until1 := edges(alice)
		from2, until2 := edges(carol)
		require.Equal(t, max(from1, from2), s.m.tags.from)
		require.Equal(t, min(until1, until2), s.m.tags.until)
		require.Len(t, s.m.tags.byTag, 6)

		known := s.m.contacts[alice.key()].known
		s.m.tags.byTag = nil // which is not touched in between
		s.m.tags.turn(time.Unix(int64(s.m.tags.from), 0), s.m.contacts)
		s.m.tags.turn(time.Unix(int64(s.m.tags.until), -1), s.m.contacts)
		s.m.tags.byTag = map[Tag]tagOf{}
		require.Same(t, &known[0], &s.m.contacts[alice.key()].known[0])
		for _, c := range s.m.contacts {
			c.known = nil
		}
		s.now = time.Unix(int64(s.m.tags.until), 0)
	}
}

// In the first epochs there are neighbours on one side only, and nothing before them.
func TestFirstEpochs(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	for epoch := range uint64(3) {
		s.now = time.Unix(int64(epoch*EpochLength)+EpochSlack-1, 0).Add(-time.Duration(alice.pair.Phase()) * time.Second)
		if epoch == 0 {
			s.now = time.Unix(0, 0)
		}
		require.Equal(t, epoch, alice.pair.Epoch(s.now))
		for e := range epoch + 3 {
			err := s.m.HandleDatagram(s.now, alice.at, alice.sealIn(e, envelopeOfAccept("one", make([]byte, AcceptSize))))
			if e == epoch || epoch > 0 && e == epoch-1 {
				require.ErrorIs(t, err, ErrState)
			} else if epoch > 0 || e > 1 {
				require.ErrorIs(t, err, ErrAuthentication)
			}
		}
	}
}

// A clock that was wrong when a handshake began, and is mended at once, leaves its tag known. hs-epoch-kept
func TestTagOfAHandshakeUnderAWrongClock(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	s.refuse(ErrState, "of no offer", alice.at, alice.seal(envelopeOfAccept("one", make([]byte, AcceptSize)))) // the table is made
	right := s.now
	s.now = right.Add(50 * time.Hour)
	id, knock := alice.begins()
	epoch := alice.pair.Epoch(s.now)
	o := alice.offer(knock)
	s.now = right
	s.receive(alice.at, alice.sealIn(epoch, envelopeOfFragment(id, 0, o.Bytes[:])))
	s.receive(alice.at, alice.sealIn(epoch, envelopeOfFragment(id, 1, o.Bytes[:])))
	s.want(OutputSession)
	require.Len(t, s.m.tags.byTag, 4)
}
