package handshake

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// What was due first comes first, and of two at once the smaller key.
func TestOrderOfTimeouts(t *testing.T) {
	s := begin(t)
	var friends []*friend
	for i := range 12 {
		friends = append(friends, s.friend(fmt.Sprint("friend ", i)))
	}
	began := map[PublicKey]time.Time{}
	for i, f := range friends {
		if i%3 == 0 {
			s.advance(50 * time.Millisecond)
		}
		f.begins()
		began[f.key()] = s.now
	}
	s.jump(500 * time.Millisecond)
	s.did(s.m.HandleTimeout(s.now))
	slices.SortFunc(friends, func(a, b *friend) int {
		if d := began[a.key()].Compare(began[b.key()]); d != 0 {
			return d
		}
		return a.key().Compare(b.key())
	})
	for _, f := range friends {
		require.Equal(t, f.at, s.want(OutputTransmit).To)
	}
	s.wantNothing()
}

// The contact on top is always the one with the first deadline, however deadlines come and go.
func TestTimersFindTheFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &Machine{}
		var contacts []*contact
		for i := range rapid.IntRange(1, 20).Draw(t, "contacts") {
			contacts = append(contacts, &contact{friend: PublicKey{byte(i * 7)}, place: -1})
		}
		for range rapid.IntRange(1, 100).Draw(t, "changes") {
			c := rapid.SampledFrom(contacts).Draw(t, "contact")
			c.attempt = nil
			if due := rapid.IntRange(0, 9).Draw(t, "due"); due > 0 {
				c.attempt = &attempt{next: began.Add(time.Duration(due)), end: forever}
			}
			m.schedule(c)
			waiting := slices.DeleteFunc(slices.Clone(contacts), func(c *contact) bool { return c.attempt == nil })
			require.Len(t, m.timers, len(waiting))
			if len(waiting) == 0 {
				require.True(t, m.NextTimeout().IsZero())
				continue
			}
			first := slices.MinFunc(waiting, func(a, b *contact) int {
				if d := a.attempt.next.Compare(b.attempt.next); d != 0 {
					return d
				}
				return a.friend.Compare(b.friend)
			})
			require.Same(t, first, m.timers[0])
			require.Equal(t, first.attempt.next, m.NextTimeout())
			for i, c := range m.timers {
				require.Equal(t, i, c.place)
			}
		}
	})
}

// Everything that ends by itself is due when it ends, alone.
func TestEverythingIsDue(t *testing.T) {
	for name, c := range map[string]contact{
		"next try":        {attempt: &attempt{next: began, end: forever}},
		"end of attempt":  {attempt: &attempt{next: forever, end: began}},
		"offer":           {offer: &servedOffer{until: began}},
		"own accept":      {out: []ownAccept{{until: began}, {until: forever}}},
		"used offer":      {used: []usedOffer{{until: began}, {until: forever}}},
		"half-open":       {half: []halfOpen{{until: began}, {until: forever}}},
		"one of them all": {offer: &servedOffer{until: forever}, used: []usedOffer{{until: forever}}, half: []halfOpen{{until: began}}},
	} {
		require.Equal(t, began, c.due(), name)
	}
	require.True(t, (&contact{present: &conversation{}}).due().IsZero())
}

// hs-erase-offer: what ends is erased at its time, whatever else goes on, and what does not stays.
func TestEachEndsAtItsOwnTime(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	c := s.m.contacts[alice.key()]
	alice.halfOpen("half", s.ms())
	s.advance(58 * time.Second)
	ms := s.ms()
	offer := alice.knocks("unused", ms)
	s.advance(4 * time.Second) // in which the half-open session ends, and the offer does not
	require.Empty(t, c.half)
	require.Empty(t, c.used)
	accept, _ := alice.accept(alice.knock(ms), offer)
	s.receive(alice.at, alice.seal(envelopeOfAccept("unused", accept)))
	s.want(OutputSession)
}

// hs-attempt-life: exactly, though nothing else ends then.
func TestAttemptEndsAlone(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	id, knock := alice.begins()
	s.advance(300 * time.Millisecond)
	for range 8 {
		alice.offers(id, knock)
		s.advance(7500 * time.Millisecond)
		id, knock = alice.wantKnock()
	}
	alice.offers(id, knock)
	s.advance(began.Add(65*time.Second - time.Millisecond).Sub(s.now))
	s.wantNothing()
	s.advance(time.Millisecond)
	s.want(OutputEnded)
	s.wantNothing()
}
