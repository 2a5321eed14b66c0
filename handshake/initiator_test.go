package handshake

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// hs-finish-initiator, hs-accept-form, hs-hello-behind
func TestWholeHandshakeAsInitiator(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	id, knock := alice.begins()
	o, session := alice.offers(id, knock)
	s.wantNothing() // the accept waits for its hello
	accept := alice.says(id, "hello")
	s.wantNothing()
	theirs, err := alice.pair.TakeAccept(o, accept)
	require.NoError(t, err)
	wantSame(t, session, theirs)
	name := SessionID{alice.key(), id, Initiator}
	require.True(t, s.m.Lives(s.now, name))
	s.did(s.m.Opened(s.now, name))
	require.Equal(t, Output{Kind: OutputFinished, Friend: alice.key(), ID: name}, s.want(OutputFinished))
	require.True(t, s.m.Lives(s.now, name))
	s.advance(time.Hour)
	s.wantNothing()
	require.True(t, s.m.NextTimeout().IsZero(), "nothing is due any more")
}

func TestBeginRefuses(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	begins := func(to ...netip.AddrPort) func() error {
		return func() error { return s.m.Begin(s.now, alice.key(), to...) }
	}
	s.refuseCall(ErrMalformed, "without an address", begins())
	s.refuseCall(ErrLimit, "9 addresses", begins(slices.Repeat([]netip.AddrPort{alice.at}, 9)...))
	s.refuseCall(ErrMalformed, "no address", begins(alice.at, netip.AddrPort{}))
	s.refuseCall(ErrMalformed, "no address", begins(netip.AddrPortFrom(alice.at.Addr(), 0)))
	s.refuseCall(ErrMalformed, "no address", begins(netip.AddrPortFrom(netip.Addr{}, 1)))
	id, knock := alice.begins()
	s.refuseCall(ErrState, "under way", begins(alice.at))
	alice.offers(id, knock)
	s.refuseCall(ErrState, "under way", begins(alice.at))
	alice.says(id, "hello")
	s.did(s.m.Opened(s.now, SessionID{alice.key(), id, Initiator}))
	s.want(OutputFinished)
	alice.begins()
}

// The addresses are the machine's own, and an IPv4 address is one however it is written.
func TestBeginTakesAddresses(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	to := []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom16(alice.at.Addr().As16()), alice.at.Port())}
	require.True(t, to[0].Addr().Is4In6())
	s.did(s.m.Begin(s.now, alice.key(), to...))
	to[0] = netip.AddrPort{}
	alice.wantKnock()
	s.advance(500 * time.Millisecond)
	require.Equal(t, alice.at, s.want(OutputTransmit).To)
}

// hs-knock-time, hs-knock-own-stored, hs-knock-own-far
func TestKnockTime(t *testing.T) {
	for _, c := range []struct{ taken, own, want int64 }{ // from now
		{-100, -100, 0},
		{-1, -1, 0},
		{-1, 0, 1},
		{0, -1, 1},
		{5, 3, 6},
		{3, 5, 6},
		{0, 3_600_000, 3_600_001},
		{0, 3_600_001, 1},
		{-5, 3_600_001, 0},
		{3_600_001, 3_600_001, 0},         // hs-knock-taken-far
		{3_600_005, 3_600_000, 3_600_001}, // hs-knock-taken-far
	} {
		s := begin(t)
		alice := s.stranger("alice")
		s.did(s.m.Add(alice.key(), s.ms()+c.taken, s.ms()+c.own))
		s.did(s.m.Begin(s.now, alice.key(), alice.at))
		alice.wantPersist(s.ms()+c.taken, s.ms()+c.want)
		k, err := ParseKnock(alice.open(s.want(OutputTransmit).Datagram).Bytes)
		require.NoError(t, err)
		require.Equal(t, s.ms()+c.want, int64(k.Time))
	}
}

// hs-retry-knock, hs-retry-anew, hs-retry-end, hs-knock-resend: a silent peer is tried at 0, 0.5, 1.5, 3.5, 7.5 (anew), 11.5, 15.5 (anew) and 19.5 s, and given up at 23.5 s.
func TestSilentPeer(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	second := netip.MustParseAddrPort("[2001:db8::1]:9")
	s.did(s.m.Begin(s.now, alice.key(), alice.at, second))
	var id ID
	var knock []byte
	ids, nonces := map[ID]bool{}, map[[NonceSize]byte]bool{}
	var last int64
	try := func(at time.Duration, fresh bool) {
		t.Helper()
		if at > 0 {
			s.advance(began.Add(at).Add(-time.Millisecond).Sub(s.now))
			s.wantNothing()
			s.advance(time.Millisecond)
		}
		if fresh {
			last = s.want(OutputPersist).Own
			require.Equal(t, s.ms(), last)
		}
		for i, to := range []netip.AddrPort{alice.at, second} {
			out := s.want(OutputTransmit)
			require.Equal(t, to, out.To)
			nonce := [NonceSize]byte(out.Datagram[1+TagSize:])
			require.False(t, nonces[nonce])
			nonces[nonce] = true
			e := alice.open(out.Datagram)
			if fresh && i == 0 {
				id, knock = e.ID, e.Bytes
				require.False(t, ids[id])
				ids[id] = true
			}
			require.Equal(t, id, e.ID)
			require.Equal(t, knock, e.Bytes)
		}
		s.wantNothing()
	}
	ms := time.Millisecond
	try(0, true)
	try(500*ms, false)
	try(1500*ms, false)
	try(3500*ms, false)
	try(7500*ms, true)
	try(11500*ms, false)
	try(15500*ms, true)
	try(19500*ms, false)
	s.advance(4*time.Second - ms)
	s.wantNothing()
	s.advance(ms)
	require.Equal(t, Output{Kind: OutputEnded, Friend: alice.key()}, s.want(OutputEnded))
	s.wantNothing()
	require.True(t, s.m.NextTimeout().IsZero())
	require.Nil(t, s.m.contacts[alice.key()].attempt)
}

// A machine that was told of the time late makes one try, not all that it has missed.
func TestLateTimeout(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	alice.begins()
	s.jump(6 * time.Second)
	s.did(s.m.HandleTimeout(s.now))
	s.want(OutputTransmit)
	s.wantNothing()
	require.Equal(t, s.now.Add(time.Second), s.m.NextTimeout())
	s.did(s.m.HandleTimeout(s.now.Add(time.Second - 1)))
	s.wantNothing()
	// An attempt whose time is over is, though nobody has told the machine: the next may begin.
	s.jump(attemptLife)
	s.did(s.m.Begin(s.now, alice.key(), alice.at))
	s.want(OutputEnded)
	alice.wantKnock()
}

// hs-retry-anew: by the time of the try, and not by its number.
func TestAnewAfterLateTries(t *testing.T) {
	for _, late := range []time.Duration{0, time.Millisecond} {
		s := begin(t)
		alice := s.friend("alice")
		id, _ := alice.begins()
		s.jump(7499*time.Millisecond + late)
		s.did(s.m.HandleTimeout(s.now))
		if late > 0 {
			fresh, _ := alice.wantKnock()
			require.NotEqual(t, id, fresh)
		} else {
			require.Equal(t, id, alice.open(s.want(OutputTransmit).Datagram).ID)
		}
		s.wantNothing()
	}
}

// What else is due with a contact makes no try.
func TestTriesKeepTheirTimes(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	alice.halfOpen("one", s.ms())
	s.advance(59 * time.Second)
	alice.begins()
	s.advance(750 * time.Millisecond)
	s.want(OutputTransmit)
	s.advance(500 * time.Millisecond) // in which the half-open session goes
	require.Empty(t, s.m.contacts[alice.key()].half)
	s.wantNothing()
}

// An answer that comes behind the last try, and before the attempt ends, is one.
func TestLateAnswer(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	alice.begins()
	s.advance(15500 * time.Millisecond)
	s.outputs = s.outputs[len(s.outputs)-2:]
	id, knock := alice.wantKnock()
	s.advance(8*time.Second - time.Millisecond)
	s.want(OutputTransmit)
	alice.offers(id, knock)
	alice.says(id, "hello")
	s.advance(500 * time.Millisecond)
	alice.wantAccept(id, "hello")
	s.advance(7 * time.Second)
	s.outputs = s.outputs[4:]
	alice.wantKnock() // and the count began anew
	s.wantNothing()
}

// An id that was drawn twice names one session only.
func TestIDDrawnTwice(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	id, knock := alice.begins()
	alice.offers(id, knock)
	s.advance(7500 * time.Millisecond)
	_, knock = alice.wantKnock()
	s.m.contacts[alice.key()].attempt.id = id
	o := alice.offer(knock)
	s.receive(alice.at, alice.seal(envelopeOfFragment(id, 0, o.Bytes[:])))
	s.refuse(ErrState, "drawn twice", alice.at, alice.seal(envelopeOfFragment(id, 1, o.Bytes[:])))
	require.Len(t, s.m.contacts[alice.key()].out, 1)
}

// hs-retry-accept, hs-retry-anew, hs-out-life
func TestSilenceBehindTheAccept(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	s.did(s.m.Begin(s.now, alice.key(), netip.MustParseAddrPort("192.0.2.200:1"), alice.at))
	s.want(OutputPersist)
	e := alice.open(s.want(OutputTransmit).Datagram)
	s.want(OutputTransmit)
	s.advance(1499 * time.Millisecond)
	s.outputs = nil
	alice.offers(e.ID, e.Bytes)
	offered := s.now
	first := alice.says(e.ID, "hello")
	ms := time.Millisecond
	for _, at := range []time.Duration{500 * ms, 1500 * ms, 3500 * ms} {
		s.advance(offered.Add(at - ms).Sub(s.now))
		s.wantNothing()
		s.advance(ms)
		require.Equal(t, first, alice.wantAccept(e.ID, "hello")) // to where the offer came from only
		s.wantNothing()
	}
	out := SessionID{alice.key(), e.ID, Initiator}
	fresh := 0
	for _, at := range []time.Duration{7500 * ms, 11500 * ms, 15500 * ms, 19500 * ms} {
		s.advance(offered.Add(at).Sub(s.now))
		if s.outputs[0].Kind == OutputPersist {
			s.want(OutputPersist)
			fresh++
		}
		for range 2 {
			require.Equal(t, KindKnock, alice.open(s.want(OutputTransmit).Datagram).Kind)
		}
		s.wantNothing()
		require.True(t, s.m.Lives(s.now, out))
	}
	require.Equal(t, 2, fresh)
	s.advance(4 * time.Second)
	s.want(OutputEnded)
	s.advance(offered.Add(65*time.Second - ms).Sub(s.now))
	require.True(t, s.m.Lives(s.now, out), "what was accepted stays out")
	snapshot := s.m.Snapshot()
	s.jump(ms)
	require.False(t, s.m.Lives(s.now, out))
	s.refuseCall(ErrState, "no such session", func() error { return s.m.Opened(s.now, out) })
	require.Equal(t, snapshot, s.m.Snapshot())
	s.did(s.m.HandleTimeout(s.now))
	require.Empty(t, s.m.contacts[alice.key()].out)
	require.True(t, s.m.NextTimeout().IsZero())
	s.wantNothing()
}

// hs-finish-initiator, hs-finish-replaces: what was accepted may finish while a fresh knock goes.
func TestOlderAcceptFinishes(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	id, knock := alice.begins()
	alice.offers(id, knock)
	alice.says(id, "hello")
	s.advance(7500 * time.Millisecond)
	s.outputs = s.outputs[6:]
	second, knock := alice.wantKnock()
	alice.offers(second, knock)
	s.advance(7500 * time.Millisecond)
	third, _ := alice.wantKnock()
	require.Len(t, s.m.contacts[alice.key()].out, 2)
	s.did(s.m.Opened(s.now, SessionID{alice.key(), id, Initiator}))
	require.Equal(t, SessionID{alice.key(), id, Initiator}, s.want(OutputFinished).ID)
	s.refuse(ErrState, "not asked for", alice.at, alice.seal(envelopeOfFragment(third, 0, make([]byte, OfferSize))))
	s.refuseCall(ErrState, "no such session", func() error { return s.m.Opened(s.now, SessionID{alice.key(), id, Initiator}) })
	s.did(s.m.Opened(s.now, SessionID{alice.key(), second, Initiator})) // it outranks: alice may be in it already
	require.Equal(t, SessionID{alice.key(), second, Initiator}, s.want(OutputFinished).ID)
	s.advance(time.Hour)
	s.wantNothing()
}

// Without its hello no accept goes out, and time passes all the same.
func TestHelloThatNeverComes(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	id, knock := alice.begins()
	alice.offers(id, knock)
	s.advance(7499 * time.Millisecond)
	s.wantNothing()
	s.advance(time.Millisecond)
	alice.wantKnock()
	s.refuseCall(ErrState, "does not wait", func() error { return s.m.Hello(s.now, SessionID{alice.key(), id, Initiator}, []byte("hello")) })
}

func TestHelloRefuses(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	id, knock := alice.begins()
	says := func(name SessionID, n int) func() error {
		return func() error { return s.m.Hello(s.now, name, make([]byte, n)) }
	}
	name := SessionID{alice.key(), id, Initiator}
	s.refuseCall(ErrState, "does not wait", says(name, 1))
	carol := s.friend("carol")
	s.refuseCall(ErrState, "does not wait", says(SessionID{carol.key(), id, Initiator}, 1))
	alice.offers(id, knock)
	s.refuseCall(ErrMalformed, "0 bytes", says(name, 0))
	s.refuseCall(ErrMalformed, "1233 bytes", says(name, 1233))
	s.refuseCall(ErrState, "does not wait", says(SessionID{alice.key(), id, Responder}, 1))
	s.refuseCall(ErrState, "does not wait", says(SessionID{alice.key(), hid("other"), Initiator}, 1))
	hello := make([]byte, 1232)
	s.did(s.m.Hello(s.now, name, hello))
	alice.wantAccept(id, string(make([]byte, 1232)))
	s.refuseCall(ErrState, "does not wait", says(name, 1))
	// The machine keeps a copy, and hands out copies.
	hello[0] = 1
	s.advance(500 * time.Millisecond)
	s.outputs[1].Datagram[1] = 1
	s.outputs = nil
	s.advance(time.Second)
	alice.wantAccept(id, string(make([]byte, 1232)))

	carol.begins()
	s.advance(64 * time.Second)
	s.outputs = nil
	id, knock = carol.begins()
	carol.offers(id, knock)
	s.jump(65 * time.Second) // and nobody told the machine
	s.refuseCall(ErrState, "does not wait", says(SessionID{carol.key(), id, Initiator}, 1))
}

// hs-attempt-life: an attempt ends 65 s after its first knock, however often it was answered.
func TestAttemptLife(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	id, knock := alice.begins()
	most := 0
	for end := began.Add(65 * time.Second); ; {
		alice.offers(id, knock) // at once, and then nothing
		most = max(most, len(s.m.contacts[alice.key()].out))
		s.advance(min(7500*time.Millisecond, end.Add(-time.Millisecond).Sub(s.now)))
		if s.now.Equal(end.Add(-time.Millisecond)) {
			break
		}
		id, knock = alice.wantKnock()
	}
	s.wantNothing()
	s.refuseCall(ErrState, "under way", func() error { return s.m.Begin(s.now, alice.key(), alice.at) })
	s.advance(time.Millisecond)
	s.want(OutputEnded)
	s.wantNothing()
	// Begun again at once, no more than nine are out at any time.
	for range 20 {
		id, knock = alice.begins()
		alice.offers(id, knock)
		most = max(most, len(s.m.contacts[alice.key()].out))
		s.advance(attemptLife)
		s.outputs = nil
	}
	for range 20 { // nor if nobody tells the machine the time
		id, knock = alice.begins()
		alice.offers(id, knock)
		most = max(most, len(s.m.contacts[alice.key()].out))
		s.jump(attemptLife)
		s.did(s.m.Begin(s.now, alice.key(), alice.at))
		s.want(OutputEnded)
		s.outputs = nil
		s.jump(attemptLife)
		s.did(s.m.HandleTimeout(s.now))
		s.want(OutputEnded)
	}
	require.Equal(t, 9, most)
}

// hs-offer-unasked
func TestOfferUnasked(t *testing.T) {
	s := begin(t)
	alice, carol := s.friend("alice"), s.friend("carol")
	bytes := make([]byte, OfferSize)
	s.refuse(ErrState, "not asked for", alice.at, alice.seal(envelopeOfFragment(hid("one"), 0, bytes)))
	id, knock := alice.begins()
	good := alice.offer(knock).Bytes[:]
	s.refuse(ErrState, "not asked for", alice.at, alice.seal(envelopeOfFragment(hid("one"), 0, good)))
	s.refuse(ErrState, "not asked for", carol.at, carol.seal(envelopeOfFragment(id, 0, good)))
	s.advance(7500 * time.Millisecond)
	s.outputs = s.outputs[3:]
	fresh, knock := alice.wantKnock()
	s.refuse(ErrState, "not asked for", alice.at, alice.seal(envelopeOfFragment(id, 0, good))) // given up
	alice.offers(fresh, knock)
	s.refuse(ErrState, "not asked for", alice.at, alice.seal(envelopeOfFragment(fresh, 0, good))) // it has one
	s.advance(7500 * time.Millisecond)
	last, _ := alice.wantKnock()
	s.jump(time.Minute) // it is over, and nobody has told the machine
	s.refuse(ErrState, "not asked for", alice.at, alice.seal(envelopeOfFragment(last, 0, good)))
}

// hs-fragment-conflict, hs-fragment-again
func TestFragmentsOfAnOffer(t *testing.T) {
	for first := range offerFragments {
		s := begin(t)
		alice := s.friend("alice")
		id, knock := alice.begins()
		good, other := alice.offer(knock), alice.offer(knock)
		s.receive(alice.at, alice.seal(envelopeOfFragment(id, first, good.Bytes[:])))
		s.refuse(ErrState, "other bytes", alice.at, alice.seal(envelopeOfFragment(id, first, other.Bytes[:])))
		snapshot := s.m.Snapshot()
		s.receive(alice.at, alice.seal(envelopeOfFragment(id, first, good.Bytes[:])))
		require.Equal(t, snapshot, s.m.Snapshot())
		s.wantNothing()
		s.receive(alice.at, alice.seal(envelopeOfFragment(id, 1-first, good.Bytes[:])))
		s.want(OutputSession)
		s.wantNothing()
	}
}

// hs-fragment-life
func TestFragmentLife(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	// The attempt's tries of one id are 7.5 s at least, and 8 s with an offer's half in between.
	s.did(s.m.Begin(s.now, alice.key(), alice.at))
	_, _ = alice.wantKnock()
	s.advance(7500 * time.Millisecond)
	s.outputs = s.outputs[3:]
	id, knock := alice.wantKnock() // tried until 15.5 s
	o := alice.offer(knock)
	a := func() *attempt { return s.m.contacts[alice.key()].attempt }
	s.receive(alice.at, alice.seal(envelopeOfFragment(id, 0, o.Bytes[:])))
	came := s.now
	s.jump(5 * time.Second)
	s.receive(alice.at, alice.seal(envelopeOfFragment(id, 0, o.Bytes[:]))) // does not renew it
	s.now = came.Add(10*time.Second - time.Millisecond)
	wrong := append([]byte(nil), o.Bytes[:]...)
	wrong[0] ^= 1
	s.refuse(ErrState, "other bytes", alice.at, alice.seal(envelopeOfFragment(id, 0, wrong)))
	s.now = came.Add(10 * time.Second)
	s.receive(alice.at, alice.seal(envelopeOfFragment(id, 1, o.Bytes[:])))
	s.wantNothing() // the first is gone
	require.Zero(t, a().fragments.held[0].bytes)
	require.NotZero(t, a().fragments.held[1].bytes)
	s.receive(alice.at, alice.seal(envelopeOfFragment(id, 0, o.Bytes[:])))
	s.want(OutputSession)
}

// An offer that is refused leaves everything as it was before the fragment that completed it.
func TestOfferRefused(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	id, knock := alice.begins()
	good := alice.offer(knock)
	sign := func(b []byte) []byte { // with alice's key, so that only the damage counts
		sig := alice.id.Sign(offerLabel, signedOffer(b, knock))
		copy(b[offerSigned:], sig[:])
		return b
	}
	for _, c := range []struct {
		rule, words string
		class       error
		change      func([]byte) []byte
	}{
		{"hs-offer-version", "version 2", ErrMalformed, func(b []byte) []byte { b[0] = 2; return sign(b) }},
		{"hs-offer-flags", "flags", ErrMalformed, func(b []byte) []byte { b[1] = 1; return sign(b) }},
		{"hs-offer-expired", "good until", ErrState, func(b []byte) []byte { b[6]--; return sign(b) }},
		{"hs-offer-keys", "canonical", ErrMalformed, func(b []byte) []byte { b[41] |= 0x80; return sign(b) }},
		{"hs-offer-keys", "canonical", ErrMalformed, func(b []byte) []byte { b[73] |= 0x80; return sign(b) }},
		{"hs-offer-keys-apart", "two purposes", ErrMalformed, func(b []byte) []byte { copy(b[42:74], b[10:42]); return sign(b) }},
		{"hs-offer-ek", "ML-KEM", ErrMalformed, func(b []byte) []byte { b[74], b[75] = 0xff, 0xff; return sign(b) }},
		{"hs-offer-signature", "does not verify", ErrAuthentication, func(b []byte) []byte { b[9]++; return b }},
		{"hs-offer-knock", "does not verify", ErrAuthentication, func(b []byte) []byte {
			sig := alice.id.Sign(offerLabel, signedOffer(b, alice.knock(1)))
			copy(b[offerSigned:], sig[:])
			return b
		}},
		{"hs-offer-zero", "small order", ErrMalformed, func(b []byte) []byte { clear(b[10:42]); return sign(b) }},
		{"hs-offer-zero", "small order", ErrMalformed, func(b []byte) []byte { clear(b[42:74]); return sign(b) }},
	} {
		bad := c.change(slices.Clone(good.Bytes[:]))
		half := 0
		if slices.Equal(bad[:FragmentSize], good.Bytes[:FragmentSize]) {
			half = 1
		}
		if half == 0 {
			s.receive(alice.at, alice.seal(envelopeOfFragment(id, 1, bad)))
			s.refuse(c.class, c.words, alice.at, alice.seal(envelopeOfFragment(id, 0, bad)))
		} else {
			s.receive(alice.at, alice.seal(envelopeOfFragment(id, 0, bad)))
			s.refuse(c.class, c.words, alice.at, alice.seal(envelopeOfFragment(id, 1, bad)))
		}
		s.m.contacts[alice.key()].attempt.fragments = Fragments{} // as if the ten seconds had passed
	}
	alice.rand.Read(make([]byte, 1))
	o, _ := alice.offers(id, knock)
	require.NotEqual(t, o.ID, good.ID)
	alice.says(id, "hello")
}

// hs-epoch-kept: what I sends and takes stays in the epoch of its knock, and a fresh knock is of the time's.
func TestInitiatorKeepsItsEpoch(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	epoch := alice.pair.Epoch(s.now)
	edge := time.Unix(int64((epoch+1)*EpochLength)-int64(alice.pair.Phase()), 0)
	s.now = edge.Add(-time.Second)
	id, knock := alice.begins()
	s.advance(1500 * time.Millisecond)
	for range 2 {
		require.Equal(t, knock, alice.openIn(epoch, s.want(OutputTransmit).Datagram).Bytes)
	}
	o := alice.offer(knock)
	for i := range offerFragments {
		s.receive(alice.at, alice.sealIn(epoch, envelopeOfFragment(id, i, o.Bytes[:])))
	}
	s.want(OutputSession)
	s.did(s.m.Hello(s.now, SessionID{alice.key(), id, Initiator}, []byte("hello")))
	alice.openIn(epoch, s.want(OutputTransmit).Datagram)
	s.outputs = nil
	s.advance(7500 * time.Millisecond)
	s.outputs = s.outputs[6:]
	alice.wantKnock() // of the present epoch
}

// The tag of an epoch that the clock has left, because somebody has put it, stays known while an own handshake of it is under way.
func TestEpochWhenTheClockIsPut(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	id, knock := alice.begins()
	c := s.m.contacts[alice.key()]
	old := c.attempt.epoch - 5
	c.attempt.epoch = old // as if it had been put forward by 30 hours just now
	o := alice.offer(knock)
	s.receive(alice.at, alice.sealIn(old, envelopeOfFragment(id, 0, o.Bytes[:])))
	s.receive(alice.at, alice.sealIn(old, envelopeOfFragment(id, 1, o.Bytes[:])))
	s.want(OutputSession)
	stray := envelopeOfFragment(id, 1, o.Bytes[:])
	s.advance(65*time.Second - time.Millisecond)
	s.refuse(ErrState, "not asked for", alice.at, alice.sealIn(old, stray))
	s.advance(time.Millisecond)
	s.refuse(ErrAuthentication, "tag is no contact's", alice.at, alice.sealIn(old, stray))
	s.now = s.now.Add(EpochLength * time.Second) // in which the table turns
	s.refuse(ErrAuthentication, "tag is no contact's", alice.at, alice.sealIn(old, stray))
	require.Len(t, s.m.tags.byTag, 3)
}

// hs-out-bound: a friend who answers the oldest accept again and again, while somebody begins again each time, makes the machine keep no more than its bound.
func TestOwnAcceptsAreBounded(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	var out []ID
	id, knock := alice.begins()
	alice.offers(id, knock)
	out = append(out, id)
	for range 30 {
		s.advance(7500 * time.Millisecond)
		id, knock = alice.wantKnock()
		alice.offers(id, knock)
		out = append(out, id)
		for !s.m.Lives(s.now, SessionID{alice.key(), out[0], Initiator}) {
			out = out[1:]
		}
		s.did(s.m.Opened(s.now, SessionID{alice.key(), out[0], Initiator}))
		s.want(OutputFinished)
		id, knock = alice.begins()
		alice.offers(id, knock)
		out = append(out[1:], id)
		require.LessOrEqual(t, len(s.m.contacts[alice.key()].out), maxOut)
	}
	require.Len(t, s.m.contacts[alice.key()].out, maxOut)
}
