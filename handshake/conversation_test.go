package handshake

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// opens tells the machine that a hello has opened, which is then the conversation.
func (f *friend) opens(id string) {
	f.Helper()
	f.did(f.m.Opened(f.now, f.session(id, Responder)))
	require.Equal(f, Output{Kind: OutputFinished, Friend: f.key(), ID: f.session(id, Responder)}, f.want(OutputFinished))
	f.wantNothing()
}

// isRefused tells the machine that a hello has opened, which does not outrank.
func (f *friend) isRefused(id string) {
	f.Helper()
	c := f.m.contacts[f.key()]
	present, offer, attempt, out, half := c.present, c.offer, c.attempt, len(c.out), len(c.half)
	f.did(f.m.Opened(f.now, f.session(id, Responder)))
	require.Equal(f, Output{Kind: OutputRefused, Friend: f.key(), ID: f.session(id, Responder)}, f.want(OutputRefused))
	f.wantNothing()
	require.False(f, f.m.Lives(f.now, f.session(id, Responder)))
	f.refuseCall(ErrState, "no such session", func() error { return f.m.Opened(f.now, f.session(id, Responder)) })
	require.True(f, present == c.present && offer == c.offer && attempt == c.attempt, "something else has changed")
	require.Equal(f, []int{out, half - 1}, []int{len(c.out), len(c.half)})
}

// outranked returns the times around the machine's knock of which hers is the first that outranks it: at the same millisecond the smaller key does.
func (f *friend) outranked(own int64) (lower, higher int64) {
	if f.key().Compare(f.script.id.PublicKey()) < 0 {
		return own - 1, own
	}
	return own, own + 1
}

// hs-rank-when, hs-halfopen-mute, hs-finish-older: what is half-open changes nothing.
func TestHalfOpenChangesNothing(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	alice.converses("one", s.ms())
	s.advance(time.Second)
	id, _ := alice.begins()
	alice.halfOpen("two", s.ms()+1)
	c := s.m.contacts[alice.key()]
	require.Equal(t, alice.session("one", Responder), c.present.id)
	require.Equal(t, id, c.attempt.id)
	s.advance(500 * time.Millisecond)
	s.want(OutputTransmit) // the knock goes on
	s.did(s.m.Ended(s.now, alice.session("one", Responder)))
	require.Nil(t, c.present)
	alice.opens("two")
}

// hs-rank-present
func TestHalfOpenMustOutrankThePresentConversation(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	alice.halfOpen("one", s.ms())
	alice.halfOpen("two", s.ms()+1)
	s.advance(time.Second)
	alice.halfOpen("three", s.ms())
	alice.opens("two")
	s.refuseCall(ErrState, "no such session", func() error { return s.m.Opened(s.now, alice.session("one", Responder)) }) // went with it
	s.refuseCall(ErrState, "no such session", func() error { return s.m.Opened(s.now, alice.session("two", Responder)) }) // it is the conversation
	require.True(t, s.m.Lives(s.now, alice.session("three", Responder)))                                                  // it outranks: alice may be in it already
	alice.opens("three")

	// Against an own conversation, of which the rank is that of the own knock.
	for _, outranks := range []bool{false, true} {
		s := begin(t)
		bob := s.friend("alice")
		id, knock := bob.begins()
		bob.offers(id, knock)
		bob.says(id, "hello")
		s.did(s.m.Opened(s.now, SessionID{bob.key(), id, Initiator}))
		s.want(OutputFinished)
		lower, higher := bob.outranked(s.ms())
		if outranks {
			bob.halfOpen("two", higher)
			bob.opens("two")
			require.False(t, s.m.Lives(s.now, SessionID{bob.key(), id, Initiator}))
		} else {
			bob.halfOpen("two", lower)
			bob.knocks("three", higher)
			bob.isRefused("two")
			require.True(t, s.m.Lives(s.now, SessionID{bob.key(), id, Initiator}))
		}
	}
}

// Both orders of the two keys, since at one millisecond the smaller key decides.
func bothOrders(t *testing.T, test func(t *testing.T, friend string)) {
	bob := person(t, "bob").PublicKey()
	names := map[bool]string{}
	for i := 0; len(names) < 2; i++ {
		name := fmt.Sprint("friend ", i)
		names[person(t, name).PublicKey().Compare(bob) < 0] = name
	}
	t.Run("friend's is smaller", func(t *testing.T) { test(t, names[true]) })
	t.Run("friend's is greater", func(t *testing.T) { test(t, names[false]) })
}

// hs-rank-out, hs-out-life, hs-rank-give-up
func TestHalfOpenMustOutrankWhatIsOut(t *testing.T) {
	bothOrders(t, func(t *testing.T, name string) {
		s := begin(t)
		f := s.friend(name)
		id, knock := f.begins()
		lower, higher := f.outranked(s.ms())
		f.halfOpen("lower", lower)
		f.halfOpen("higher", higher)
		f.offers(id, knock)
		f.says(id, "hello")
		f.isRefused("lower")
		require.True(t, s.m.Lives(s.now, SessionID{f.key(), id, Initiator}))
		f.opens("higher")
		require.False(t, s.m.Lives(s.now, SessionID{f.key(), id, Initiator}))
		s.refuseCall(ErrState, "no such session", func() error { return s.m.Opened(s.now, SessionID{f.key(), id, Initiator}) })
		s.advance(59 * time.Second)
		s.wantNothing() // the own handshake was given up
	})
	bothOrders(t, func(t *testing.T, name string) { // out counts 65 s from its offer, also behind the attempt
		for _, late := range []bool{false, true} {
			s := begin(t)
			f := s.friend(name)
			id, knock := f.begins()
			lower, _ := f.outranked(s.ms())
			s.advance(time.Second)
			s.outputs = nil
			f.offers(id, knock)
			s.advance(64 * time.Second)
			s.outputs = nil
			f.halfOpen("lower", lower)
			if !late {
				s.jump(time.Second - time.Millisecond)
				f.isRefused("lower")
			} else {
				s.jump(time.Second)
				f.opens("lower")
			}
		}
	})
}

// hs-rank-give-up: a mere knock is given up for whatever the friend's rank is.
func TestKnockIsGivenUp(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	alice.halfOpen("one", s.ms()-1000)
	id, knock := alice.begins()
	alice.opens("one")
	o := alice.offer(knock)
	s.refuse(ErrState, "not asked for", alice.at, alice.seal(envelopeOfFragment(id, 0, o.Bytes[:])))
	s.advance(59 * time.Second)
	s.wantNothing()
	s.advance(time.Hour)
	s.wantNothing()
	alice.begins()
}

// hs-finish-replaces
func TestFinishReplaces(t *testing.T) {
	s := begin(t)
	alice, carol := s.friend("alice"), s.friend("carol")
	everything := func(f *friend) (own ID, waiting []byte) {
		f.converses("present", s.ms()-10)
		f.halfOpen("half", s.ms()-9)
		s.jump(time.Second)
		own, knock := f.begins()
		f.offers(own, knock)
		f.halfOpen("winner", s.ms()+5)
		offer := f.knocks("unused", s.ms()+6)
		waiting, _ = f.accept(f.knock(s.ms()+6), offer)
		return own, f.seal(envelopeOfAccept("unused", waiting))
	}
	own, waiting := everything(alice)
	carols, theirs := everything(carol)
	offer := s.m.contacts[alice.key()].offer.OwnOffer
	alice.opens("winner")
	for _, id := range []SessionID{alice.session("present", Responder), alice.session("half", Responder), {alice.key(), own, Initiator}} {
		require.False(t, s.m.Lives(s.now, id))
		s.refuseCall(ErrState, "no such session", func() error { return s.m.Opened(s.now, id) })
		s.refuseCall(ErrState, "no such session", func() error { return s.m.Ended(s.now, id) })
	}
	require.Nil(t, offer.ek) // hs-erase-offer
	s.refuse(ErrState, "of no offer", alice.at, waiting)
	// None of it is another contact's.
	s.receive(carol.at, theirs)
	s.want(OutputSession)
	for _, id := range []SessionID{carol.session("present", Responder), carol.session("half", Responder), {carol.key(), carols, Initiator}} {
		require.True(t, s.m.Lives(s.now, id))
	}
}

func TestEndedRefuses(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	alice.halfOpen("one", s.ms())
	id, knock := alice.begins()
	alice.offers(id, knock)
	for _, id := range []SessionID{alice.session("one", Responder), alice.session("two", Responder), {alice.key(), id, Initiator}} {
		s.refuseCall(ErrState, "no such session", func() error { return s.m.Ended(s.now, id) })
	}
}

// A session is that of one role: the other has nothing under this name.
func TestRoleOfASession(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	alice.halfOpen("one", s.ms())
	id, knock := alice.begins()
	alice.offers(id, knock)
	for _, id := range []SessionID{alice.session("one", Initiator), {alice.key(), id, Responder}} {
		require.False(t, s.m.Lives(s.now, id))
		s.refuseCall(ErrState, "no such session", func() error { return s.m.Opened(s.now, id) })
	}
}

// After a conversation has ended its rank means nothing: an older knock may make the next.
func TestRankIsForgottenWithTheConversation(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	id, knock := alice.begins()
	alice.offers(id, knock)
	s.did(s.m.Opened(s.now, SessionID{alice.key(), id, Initiator}))
	s.want(OutputFinished)
	lower, _ := alice.outranked(s.ms())
	alice.halfOpen("one", lower)
	s.did(s.m.Ended(s.now, SessionID{alice.key(), id, Initiator}))
	alice.opens("one")
}
