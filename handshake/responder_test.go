package handshake

import (
	"fmt"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWholeHandshakeAsResponder(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	require.True(t, s.m.NextTimeout().IsZero())
	alice.converses("one", s.ms())
	require.True(t, s.m.Lives(s.now, alice.session("one", Responder)))
	require.NoError(t, s.m.Ended(s.now, alice.session("one", Responder)))
	require.False(t, s.m.Lives(s.now, alice.session("one", Responder)))
	s.advance(time.Minute)
	s.wantNothing()
	require.True(t, s.m.NextTimeout().IsZero(), "nothing is due any more")
}

// hs-knock-version, hs-knock-fields
func TestKnockForm(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	for _, c := range []struct {
		at    int
		b     byte
		class error
		words string
	}{
		{0, 0, ErrMalformed, "version 0"},
		{0, 2, ErrMalformed, "version 2"},
		{17, 2, ErrMalformed, "unknown type 2"},
		{KnockSize - 1, 1, ErrMalformed, "padding"},
	} {
		knock := alice.knock(s.ms())
		knock[c.at] = c.b
		s.refuse(c.class, c.words, alice.at, alice.seal(envelopeOfKnock("one", knock)))
	}
	knock := alice.knock(s.ms())
	copy(knock[17:], []byte{1, 0, 9 * 7})
	for i := range 9 {
		copy(knock[20+7*i:], []byte{4, 192, 0, 2, 1, 0, 1})
	}
	s.refuse(ErrLimit, "more than 8 endpoints", alice.at, alice.seal(envelopeOfKnock("one", knock)))
	alice.knocks("one", s.ms())
}

// An answer goes to where the knock came from, whatever its endpoints. hs-offer-source
func TestOfferGoesToTheSource(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	knock, err := AppendKnock(nil, Knock{Time: uint64(s.ms()), Endpoints: []netip.AddrPort{netip.MustParseAddrPort("198.51.100.1:53")}})
	require.NoError(t, err)
	mapped := netip.AddrPortFrom(netip.AddrFrom16(alice.at.Addr().As16()), alice.at.Port())
	s.receive(mapped, alice.seal(envelopeOfKnock("one", knock)))
	alice.wantPersist(s.ms(), 0)
	alice.wantOffer(alice.at, "one")
	s.wantNothing()
	elsewhere := netip.MustParseAddrPort("[2001:db8::1]:9")
	s.receive(elsewhere, alice.seal(envelopeOfKnock("one", knock)))
	alice.wantOffer(elsewhere, "one")
	s.wantNothing()
}

// hs-knock-again, hs-envelope-nonce
func TestKnockAgain(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	offer := alice.knocks("one", s.ms())
	seen := map[[NonceSize]byte]bool{}
	copies := envelopeOfKnock("one", alice.knock(s.ms()))
	for range 7 {
		s.advance(time.Second)
		s.receive(alice.at, alice.seal(copies))
		for _, out := range s.outputs {
			nonce := [NonceSize]byte(out.Datagram[1+TagSize:])
			require.False(t, seen[nonce])
			seen[nonce] = true
		}
		require.Equal(t, offer, alice.wantOffer(alice.at, "one"))
		s.wantNothing() // nothing to store either
	}
}

// hs-knock-differs
func TestKnockDiffers(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	alice.knocks("one", s.ms())
	for _, at := range []int{8, 9, 16} {
		knock := alice.knock(s.ms())
		knock[at]++
		s.refuse(ErrState, "differs", alice.at, alice.seal(envelopeOfKnock("one", knock)))
	}
	later := alice.knock(s.ms())
	later[17] = 128 // a field of a later version
	s.refuse(ErrState, "differs", alice.at, alice.seal(envelopeOfKnock("one", later)))
	later[0] = 2 // what is malformed is so before
	s.refuse(ErrMalformed, "version", alice.at, alice.seal(envelopeOfKnock("one", later)))
	s.advance(time.Minute) // the offer has expired: it is a fresh one
	alice.knocks("one", s.ms())
}

// hs-knock-copies
func TestKnockCopies(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	offer := alice.knocks("one", s.ms())
	copies := envelopeOfKnock("one", alice.knock(s.ms()))
	again := func(from netip.AddrPort, n int) {
		for range n {
			s.receive(from, alice.seal(copies))
			require.Equal(t, offer, alice.wantOffer(from, "one"))
		}
		s.refuse(ErrLimit, "copy", from, alice.seal(copies))
	}
	again(alice.at, 7) // the first was the fresh one
	again(netip.AddrPortFrom(alice.at.Addr(), 1), 8)
	again(netip.AddrPortFrom(alice.at.Addr(), 2), 8)
	again(netip.AddrPortFrom(alice.at.Addr(), 3), 0)
	require.LessOrEqual(t, len(s.m.contacts[alice.key()].offer.copies), maxCopies)

	s.advance(time.Second)
	offer = alice.knocks("two", s.ms())
	copies = envelopeOfKnock("two", alice.knock(s.ms()))
	for i := range uint16(maxCopies - 1) {
		from := netip.AddrPortFrom(alice.at.Addr(), 100+i)
		s.receive(from, alice.seal(copies))
		require.Equal(t, offer, alice.wantOffer(from, "two"))
	}
	s.refuse(ErrLimit, "copy", netip.MustParseAddrPort("192.0.2.77:1"), alice.seal(copies))
}

// hs-knock-older
func TestKnockOlder(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	alice.knocks("one", s.ms())
	for _, d := range []int64{0, 1, 3_600_000, 1_000_000_000_000} {
		s.refuse(ErrReplay, "not newer", alice.at, alice.seal(envelopeOfKnock("two", alice.knock(s.ms()-d))))
	}
	alice.knocks("two", s.ms()+1)
	s.refuse(ErrReplay, "not newer", alice.at, alice.seal(envelopeOfKnock("one", alice.knock(s.ms()))))
	// The knock of an offer that expired, or was used, is older too.
	s.advance(time.Minute)
	s.refuse(ErrReplay, "not newer", alice.at, alice.seal(envelopeOfKnock("two", alice.knock(s.ms()-59_999))))
	ms := s.ms()
	alice.halfOpen("three", ms)
	s.refuse(ErrReplay, "not newer", alice.at, alice.seal(envelopeOfKnock("three", alice.knock(ms))))

	carol := s.stranger("carol")
	require.NoError(t, s.m.Add(carol.key(), s.ms()-10, 0))
	s.refuse(ErrReplay, "not newer", carol.at, carol.seal(envelopeOfKnock("one", carol.knock(s.ms()-10))))
	carol.knocks("one", s.ms()-9)
}

// hs-knock-clock
func TestKnockClock(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	now := uint64(s.ms())
	for _, c := range []struct {
		time  uint64
		ahead int64
	}{
		{now + 3_600_001, 3_600_001},
		{now - 3_600_001, -3_600_001},
		{1, -int64(now) + 1},
		{math.MaxInt64, math.MaxInt64 - int64(now)},
		{1 << 63, math.MaxInt64 - int64(now) + 1},
		{math.MaxUint64, math.MaxInt64},
	} {
		knock, err := AppendKnock(nil, Knock{Time: c.time})
		require.NoError(t, err)
		for range 3 {
			s.refuse(ErrState, "from now", alice.at, alice.seal(envelopeOfKnock("one", knock)))
			require.Equal(t, Output{Kind: OutputClock, Friend: alice.key(), Ahead: c.ahead}, s.want(OutputClock))
			s.wantNothing()
		}
	}
	alice.knocks("one", s.ms()-3_600_000)
	s.jump(time.Second)
	alice.knocks("two", s.ms()+3_600_000)
}

// hs-offers-contact
func TestFreshOffersOfAContact(t *testing.T) {
	s := begin(t)
	alice, carol := s.friend("alice"), s.friend("carol")
	alice.knocks("a", s.ms())
	s.advance(500 * time.Millisecond)
	alice.knocks("b", s.ms())
	s.advance(499 * time.Millisecond)
	third := envelopeOfKnock("c", alice.knock(s.ms()))
	s.refuse(ErrLimit, "2 fresh offers to a contact", alice.at, alice.seal(third))
	carol.knocks("c", s.ms())
	s.advance(time.Millisecond)
	// What a limit dropped was not taken: it may come again.
	s.receive(alice.at, alice.seal(third))
	alice.wantPersist(s.ms()-1, 0)
	alice.wantOffer(alice.at, "c")
	s.refuse(ErrLimit, "2 fresh offers to a contact", alice.at, alice.seal(envelopeOfKnock("d", alice.knock(s.ms()))))
	s.advance(499 * time.Millisecond)
	s.refuse(ErrLimit, "2 fresh offers to a contact", alice.at, alice.seal(envelopeOfKnock("d", alice.knock(s.ms()))))
	s.advance(time.Millisecond)
	alice.knocks("d", s.ms())

	// Removing a contact and taking it back gives it no more.
	taken := s.ms()
	s.m.Remove(alice.key())
	require.NoError(t, s.m.Add(alice.key(), taken, 0))
	s.refuse(ErrLimit, "2 fresh offers to a contact", alice.at, alice.seal(envelopeOfKnock("e", alice.knock(taken+1))))
}

// hs-offers-all, hs-offers-turn
func TestFreshOffersOfAll(t *testing.T) {
	s := begin(t)
	var friends []*friend
	for i := range 52 {
		friends = append(friends, s.friend(fmt.Sprint("friend ", i)))
	}
	for i, f := range friends[:25] {
		f.knocks("a", s.ms())
		if i == 23 { // 24 is no crowd
			friends[0].knocks("b", s.ms()+1)
			s.refuse(ErrLimit, "turn of others", friends[1].at, friends[1].seal(envelopeOfKnock("b", friends[1].knock(s.ms()+1))))
		}
	}
	// From 25 on who had one waits, and the others go on, up to 50.
	s.advance(999 * time.Millisecond)
	s.refuse(ErrLimit, "turn of others", friends[1].at, friends[1].seal(envelopeOfKnock("b", friends[1].knock(s.ms()))))
	s.refuse(ErrLimit, "2 fresh offers to a contact", friends[0].at, friends[0].seal(envelopeOfKnock("c", friends[0].knock(s.ms()))))
	for _, f := range friends[25:49] {
		f.knocks("a", s.ms())
	}
	last := friends[50]
	s.refuse(ErrLimit, "50 fresh offers", last.at, last.seal(envelopeOfKnock("a", last.knock(s.ms()))))
	s.refuse(ErrLimit, "50 fresh offers", friends[1].at, friends[1].seal(envelopeOfKnock("b", friends[1].knock(s.ms()))))
	require.Len(t, s.m.fresh, maxFresh)
	// Copies are no fresh offers.
	s.receive(friends[48].at, friends[48].seal(envelopeOfKnock("a", friends[48].knock(s.ms()))))
	friends[48].wantOffer(friends[48].at, "a")
	s.advance(time.Millisecond)
	last.knocks("a", s.ms())
	require.Len(t, s.m.fresh, 25)
	friends[1].knocks("b", s.ms())
	s.refuse(ErrLimit, "turn of others", last.at, last.seal(envelopeOfKnock("b", last.knock(s.ms()+1))))
}

// hs-knock-taken-stored: wantPersist in every knock. hs-offer-voided, hs-erase-offer
func TestFreshOfferVoidsTheOlder(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	knock := alice.knock(s.ms())
	offer := alice.knocks("one", s.ms())
	older := s.m.contacts[alice.key()].offer.OwnOffer
	accept, _ := alice.accept(knock, offer)
	alice.knocks("two", s.ms()+1)
	require.Zero(t, older.spk)
	require.Zero(t, older.rk)
	require.Nil(t, older.ek)
	s.refuse(ErrState, "of no offer", alice.at, alice.seal(envelopeOfAccept("one", accept)))
	s.refuse(ErrState, "of another offer", alice.at, alice.seal(envelopeOfAccept("two", accept)))
}

// hs-offer-form, hs-offer-life, hs-erase-offer
func TestOfferLife(t *testing.T) {
	s := begin(t)
	s.jump(999 * time.Millisecond)
	alice := s.friend("alice")
	ms := s.ms()
	offer := alice.knocks("one", ms)
	accept, _ := alice.accept(alice.knock(ms), offer)
	var form Offer
	require.NoError(t, ParseOffer(offer, &form))
	require.Equal(t, uint64(began.Unix()+60), form.NotAfter)
	own := s.m.contacts[alice.key()].offer.OwnOffer

	s.jump(60 * time.Second) // nobody told the machine
	s.refuse(ErrState, "of no offer", alice.at, alice.seal(envelopeOfAccept("one", accept)))
	s.refuse(ErrReplay, "not newer", alice.at, alice.seal(envelopeOfKnock("one", alice.knock(ms))))
	require.NotNil(t, own.ek)
	s.did(s.m.HandleTimeout(s.now))
	require.Nil(t, own.ek)
	require.Zero(t, own.spk)
	require.Zero(t, own.rk)
	require.Nil(t, s.m.contacts[alice.key()].offer)

	ms = s.ms()
	offer = alice.knocks("two", ms)
	s.advance(60*time.Second - time.Millisecond)
	alice.accepts("two", ms, offer)
}
