package handshake

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// hs-offer-bound, hs-accept-unasked
func TestOfferIsBound(t *testing.T) {
	s := begin(t)
	alice, carol := s.friend("alice"), s.friend("carol")
	offer := alice.knocks("one", s.ms())
	accept, _ := alice.accept(alice.knock(s.ms()), offer)
	s.refuse(ErrState, "of no offer", alice.at, alice.seal(envelopeOfAccept("two", accept)))
	s.refuse(ErrState, "of no offer", carol.at, carol.seal(envelopeOfAccept("one", accept)))
	carol.knocks("one", s.ms())
	s.refuse(ErrState, "of another offer", carol.at, carol.seal(envelopeOfAccept("one", accept)))
	s.receive(netip.MustParseAddrPort("[2001:db8::1]:9"), alice.seal(envelopeOfAccept("one", accept))) // wherever it comes from
	s.want(OutputSession)
}

// hs-accept-offer, hs-accept-key, hs-accept-zero, hs-confirm-first, hs-accept-failed-keeps
func TestAcceptRefused(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	offer := alice.knocks("one", s.ms())
	accept, session := alice.accept(alice.knock(s.ms()), offer)
	changed := func(change func([]byte)) []byte {
		b := append([]byte(nil), accept...)
		change(b)
		return alice.seal(envelopeOfAccept("one", b))
	}
	for range 3 {
		for i := range OfferIDSize {
			s.refuse(ErrState, "of another offer", alice.at, changed(func(b []byte) { b[i] ^= 1 }))
		}
		s.refuse(ErrMalformed, "canonical", alice.at, changed(func(b []byte) { b[47] |= 0x80 }))
		s.refuse(ErrMalformed, "small order", alice.at, changed(func(b []byte) { clear(b[16:48]) }))
		s.refuse(ErrAuthentication, "confirm", alice.at, changed(func(b []byte) { b[16] ^= 1 }))
		s.refuse(ErrAuthentication, "confirm", alice.at, changed(func(b []byte) { b[48] ^= 1 }))
		s.advance(time.Second)
		s.refuse(ErrAuthentication, "confirm", alice.at, changed(func(b []byte) { b[AcceptSize-1] ^= 1 }))
		s.advance(time.Second)
	}
	s.receive(alice.at, alice.seal(envelopeOfAccept("one", accept)))
	wantSame(t, session, s.want(OutputSession).Session)
}

// hs-accept-failures
func TestAcceptFailures(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	ms := s.ms()
	offer := alice.knocks("one", ms)
	accept, _ := alice.accept(alice.knock(ms), offer)
	wrong := append([]byte(nil), accept...)
	wrong[AcceptSize-1]++
	other := append([]byte(nil), accept...)
	other[0]++
	for range 4 {
		s.refuse(ErrState, "of another offer", alice.at, alice.seal(envelopeOfAccept("one", other))) // does not count
		s.refuse(ErrAuthentication, "confirm", alice.at, alice.seal(envelopeOfAccept("one", wrong)))
		s.advance(200 * time.Millisecond)
	}
	s.refuse(ErrLimit, "4 accepts", alice.at, alice.seal(envelopeOfAccept("one", accept)))
	s.advance(199 * time.Millisecond)
	s.refuse(ErrLimit, "4 accepts", alice.at, alice.seal(envelopeOfAccept("one", wrong)))
	s.refuse(ErrState, "of another offer", alice.at, alice.seal(envelopeOfAccept("one", other)))
	s.advance(time.Millisecond)
	s.refuse(ErrAuthentication, "confirm", alice.at, alice.seal(envelopeOfAccept("one", wrong)))
	s.refuse(ErrLimit, "4 accepts", alice.at, alice.seal(envelopeOfAccept("one", accept)))
	require.Len(t, s.m.contacts[alice.key()].offer.failures, 4)

	// The count is that of one offer.
	offer = alice.knocks("two", ms+1)
	alice.accepts("two", ms+1, offer)
}

// hs-accept-cid
func TestAcceptWhoseConnectionIDIsInUse(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	offer := alice.knocks("one", s.ms())
	accept, session := alice.accept(alice.knock(s.ms()), offer)
	datagram := alice.seal(envelopeOfAccept("one", accept))
	for i := range uint32(8) {
		cid := NewCID(&session.CIDK, Responder, i)
		s.inUse[cid] = true
		s.refuse(ErrState, "in use", alice.at, datagram)
		delete(s.inUse, cid)
	}
	require.Empty(t, s.m.contacts[alice.key()].offer.failures)
	s.inUse[NewCID(&session.CIDK, Responder, 8)] = true
	s.inUse[NewCID(&session.CIDK, Initiator, 0)] = true
	s.receive(alice.at, datagram)
	s.want(OutputSession)
}

// hs-accept-again, hs-accept-again-limit, hs-used-kept
func TestAcceptAgain(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	ms := s.ms()
	accept, _ := alice.halfOpen("one", ms)
	again := func() []byte { return alice.seal(envelopeOfAccept("one", accept)) }
	s.refuse(ErrState, "of no offer", alice.at, again()) // it is half-open only
	s.did(s.m.Opened(s.now, alice.session("one", Responder)))
	s.want(OutputFinished)
	elsewhere := netip.MustParseAddrPort("[2001:db8::1]:9")
	for range 8 {
		s.receive(elsewhere, again())
		require.Equal(t, Output{Kind: OutputRepeat, Friend: alice.key(), ID: alice.session("one", Responder), To: elsewhere}, s.want(OutputRepeat))
		s.wantNothing()
	}
	s.refuse(ErrLimit, "more than 8", alice.at, again())
	other := append([]byte(nil), accept...)
	other[AcceptSize-1]++
	s.refuse(ErrState, "of no offer", alice.at, alice.seal(envelopeOfAccept("one", other)))
	s.refuse(ErrState, "of no offer", alice.at, alice.seal(envelopeOfAccept("two", accept)))

	// A conversation that is over, or is not the present one any more, is not answered for.
	s.jump(time.Second)
	older, _ := alice.halfOpen("two", s.ms())
	s.did(s.m.Opened(s.now, alice.session("two", Responder)))
	s.want(OutputFinished)
	s.refuse(ErrState, "of no offer", alice.at, again())
	s.receive(alice.at, alice.seal(envelopeOfAccept("two", older)))
	s.want(OutputRepeat)
	s.did(s.m.Ended(s.now, alice.session("two", Responder)))
	s.refuse(ErrState, "of no offer", alice.at, alice.seal(envelopeOfAccept("two", older)))

	// It is known for 60 s from when it was used.
	s.jump(time.Second)
	accept = alice.converses("three", s.ms())
	s.advance(60*time.Second - time.Millisecond)
	s.receive(alice.at, alice.seal(envelopeOfAccept("three", accept)))
	s.want(OutputRepeat)
	s.jump(time.Millisecond)
	s.refuse(ErrState, "of no offer", alice.at, alice.seal(envelopeOfAccept("three", accept)))
	s.did(s.m.HandleTimeout(s.now))
	require.Nil(t, s.m.contacts[alice.key()].used)
	require.NotNil(t, s.m.contacts[alice.key()].present)
}

// hs-erase-offer, hs-used-kept: what is left of a used offer has none of its secrets.
func TestUsedOfferIsErased(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	offer := alice.knocks("one", s.ms())
	own := s.m.contacts[alice.key()].offer.OwnOffer
	_, session := alice.accepts("one", s.ms(), offer)
	require.Zero(t, own.spk)
	require.Zero(t, own.rk)
	require.Nil(t, own.ek)
	everything := dump(s.m)
	for _, secret := range [][32]byte{session.RK, session.HKI, session.NHKR, session.CIDK, session.AD, session.RatchetKey} {
		require.NotContains(t, everything, fmt.Sprintf("%x", secret))
	}
}

// An id is the friend's to choose. While it names a session, no other session gets the same name.
func TestKnockWithTheIDOfASession(t *testing.T) {
	s := begin(t)
	alice, carol := s.friend("alice"), s.friend("carol")
	alice.halfOpen("one", s.ms())
	carol.halfOpen("one", s.ms()) // another's is another
	s.jump(time.Second)
	s.refuse(ErrState, "id of a session", alice.at, alice.seal(envelopeOfKnock("one", alice.knock(s.ms()))))
	s.did(s.m.Opened(s.now, alice.session("one", Responder)))
	s.want(OutputFinished)
	s.refuse(ErrState, "id of a session", alice.at, alice.seal(envelopeOfKnock("one", alice.knock(s.ms()))))
	s.did(s.m.Ended(s.now, alice.session("one", Responder)))
	s.refuse(ErrState, "id of a session", alice.at, alice.seal(envelopeOfKnock("one", alice.knock(s.ms()))))
	require.True(t, s.m.Lives(s.now, carol.session("one", Responder)))
	s.jump(time.Minute)
	s.did(s.m.HandleTimeout(s.now))
	alice.converses("one", s.ms())
}

// hs-epoch-kept: a handshake goes on in the epoch of its knock, though the clock leaves it.
func TestEpochIsKept(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	epoch := alice.pair.Epoch(s.now)
	edge := time.Unix(int64((epoch+1)*EpochLength)-int64(alice.pair.Phase()), 0)
	s.now = edge.Add(3600*time.Second - 10*time.Second) // ten seconds before the old epoch goes
	ms := s.ms()
	knock := envelopeOfKnock("one", alice.knock(ms))
	opened := func() (offer []byte) {
		for range offerFragments {
			offer = append(offer, alice.openIn(epoch, s.want(OutputTransmit).Datagram).Bytes...)
		}
		return offer
	}
	s.receive(alice.at, alice.sealIn(epoch, knock))
	alice.wantPersist(ms, 0)
	offer := opened()
	s.advance(50 * time.Second)
	s.refuse(ErrAuthentication, "tag is no contact's", alice.at, alice.sealIn(epoch-1, knock))
	s.receive(alice.at, alice.sealIn(epoch, knock))
	require.Equal(t, offer, opened())
	accept, _ := alice.accept(alice.knock(ms), offer)
	s.receive(alice.at, alice.sealIn(epoch, envelopeOfAccept("one", accept)))
	s.want(OutputSession)
	s.did(s.m.Opened(s.now, alice.session("one", Responder)))
	s.want(OutputFinished)
	s.advance(60*time.Second - time.Millisecond)
	s.receive(alice.at, alice.sealIn(epoch, envelopeOfAccept("one", accept)))
	s.want(OutputRepeat)
	s.advance(time.Millisecond)
	s.refuse(ErrAuthentication, "tag is no contact's", alice.at, alice.sealIn(epoch, envelopeOfAccept("one", accept)))
	s.refuse(ErrState, "of no offer", alice.at, alice.seal(envelopeOfAccept("one", accept)))

	// An offer that expired keeps nothing either, nor does the table in the end.
	s.now = edge.Add(21600*time.Second + 3600*time.Second - 10*time.Second)
	s.receive(alice.at, alice.sealIn(epoch+1, envelopeOfKnock("two", alice.knock(s.ms()))))
	s.outputs = nil
	s.advance(60*time.Second - time.Millisecond)
	s.refuse(ErrState, "of no offer", alice.at, alice.sealIn(epoch+1, envelopeOfAccept("one", accept)))
	s.jump(time.Millisecond) // and nobody told the machine
	s.refuse(ErrAuthentication, "tag is no contact's", alice.at, alice.sealIn(epoch+1, envelopeOfAccept("one", accept)))
	require.Len(t, s.m.tags.byTag, 3)
}

// hs-halfopen-bound
func TestHalfOpenBound(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	for i := range 10 {
		alice.halfOpen(fmt.Sprint(i), s.ms())
		require.Len(t, s.m.contacts[alice.key()].half, min(i+1, 8))
		s.advance(time.Second)
	}
	for i := range 10 {
		require.Equal(t, i >= 2, s.m.Lives(s.now, alice.session(fmt.Sprint(i), Responder)))
	}
	s.refuseCall(ErrState, "no such session", func() error { return s.m.Opened(s.now, alice.session("1", Responder)) })
	s.did(s.m.Opened(s.now, alice.session("2", Responder)))
	s.want(OutputFinished)
}

// hs-halfopen-life
func TestHalfOpenLife(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	alice.halfOpen("one", s.ms())
	alice.halfOpen("two", s.ms()+1)
	s.jump(60*time.Second - time.Millisecond)
	s.did(s.m.Opened(s.now, alice.session("one", Responder)))
	s.want(OutputFinished)
	alice.halfOpen("three", s.ms())
	s.jump(60 * time.Second)
	require.False(t, s.m.Lives(s.now, alice.session("three", Responder)))
	s.refuseCall(ErrState, "no such session", func() error { return s.m.Opened(s.now, alice.session("three", Responder)) })
	require.Len(t, s.m.contacts[alice.key()].half, 2, "two outranks one, and so stayed")
	s.did(s.m.HandleTimeout(s.now))
	require.Empty(t, s.m.contacts[alice.key()].half)
	s.wantNothing()
}

// No friend, however busy, makes the machine keep more than its bounds.
func TestUsedOffersAreBounded(t *testing.T) {
	for _, told := range []bool{true, false} { // of the time, while it passes
		s := begin(t)
		alice := s.friend("alice")
		for i := range 300 {
			alice.halfOpen(fmt.Sprint(i), s.ms())
			require.LessOrEqual(t, len(s.m.contacts[alice.key()].used), 121)
			if told {
				s.advance(500 * time.Millisecond)
			} else {
				s.jump(500 * time.Millisecond)
			}
		}
		require.GreaterOrEqual(t, len(s.m.contacts[alice.key()].used), 119)
		require.LessOrEqual(t, len(s.m.fresh), maxFreshContact)
	}
}
