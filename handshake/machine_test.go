package handshake

import (
	"bytes"
	"errors"
	"io"
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMachineNeedsAnIdentity(t *testing.T) {
	_, err := New(Config{})
	wantRefused(t, err, ErrState, "without an identity")
}

func TestAddRefuses(t *testing.T) {
	s := begin(t)
	alice, carol := s.friend("alice").key(), s.stranger("carol").key()
	own := s.id.PublicKey()
	for _, c := range []struct {
		friend     PublicKey
		taken, own int64
		class      error
		words      string
	}{
		{alice, 0, 0, ErrState, "there already"},
		{own, 0, 0, ErrMalformed, "one's own"},
		{PublicKey{1}, 0, 0, ErrMalformed, "small order"},
		{carol, -1, 0, ErrMalformed, "knock times"},
		{carol, 0, -1, ErrMalformed, "knock times"},
	} {
		s.refuseCall(c.class, c.words, func() error { return s.m.Add(c.friend, c.taken, c.own) })
	}
	s.did(s.m.Add(carol, math.MaxInt64, math.MaxInt64))
	for i := len(s.m.contacts); i < MaxContacts; i++ {
		s.m.contacts[PublicKey{0: 0xff, 1: byte(i), 2: byte(i >> 8)}] = s.m.contacts[carol]
	}
	dave := s.stranger("dave").key()
	wantRefused(t, s.m.Add(dave, 0, 0), ErrLimit, "more than 4096 contacts")
	s.m.Remove(carol)
	require.NoError(t, s.m.Add(dave, 0, 0))
}

// hs-envelope-size
func TestEnvelopeSize(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	knock := alice.seal(envelopeOfKnock("one", alice.knock(s.ms())))
	for _, n := range []int{0, 1, 17, 68} {
		s.refuse(ErrMalformed, "bytes", alice.at, knock[:n])
	}
	s.refuse(ErrMalformed, "1233 bytes", alice.at, append(knock, 0))
	s.refuse(ErrAuthentication, "does not open", alice.at, knock[:69])
	s.refuse(ErrMalformed, "no envelope", alice.at, append([]byte{0x51}, knock[1:]...))
	s.receive(alice.at, knock)
}

// hs-tag-unknown
func TestTagUnknown(t *testing.T) {
	s := begin(t)
	alice, carol := s.friend("alice"), s.stranger("carol")
	s.refuse(ErrAuthentication, "tag is no contact's", carol.at, carol.seal(envelopeOfKnock("one", carol.knock(s.ms()))))
	knock := alice.seal(envelopeOfKnock("one", alice.knock(s.ms())))
	for i := 1; i <= TagSize; i++ {
		other := slices.Clone(knock)
		other[i] ^= 1
		s.refuse(ErrAuthentication, "tag is no contact's", alice.at, other)
	}
	// The tag of what bob sends himself: nothing comes back to who mirrors it.
	offer := alice.seal(Envelope{KindKnock, hid("one"), 0, 1, alice.knock(s.ms())})
	own := alice.pair.Tag(Friend, alice.pair.Epoch(s.now))
	copy(offer[1:], own[:])
	s.refuse(ErrAuthentication, "tag is no contact's", alice.at, offer)
}

// hs-envelope-seal, hs-envelope-kind, hs-envelope-fragment, hs-envelope-length
func TestEnvelopeForm(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	good := envelopeOfKnock("one", alice.knock(s.ms()))
	for i := 1 + TagSize; i < MaxDatagram; i += 97 {
		b := alice.seal(good)
		b[i] ^= 0x80
		s.refuse(ErrAuthentication, "does not open", alice.at, b)
	}
	for _, e := range []Envelope{
		{0, hid("one"), 0, 1, good.Bytes},
		{4, hid("one"), 0, 1, good.Bytes},
		{KindKnock, hid("one"), 0, 0, good.Bytes},
		{KindKnock, hid("one"), 0, 2, good.Bytes},
		{KindKnock, hid("one"), 1, 1, good.Bytes},
		{KindKnock, hid("one"), 0, 1, good.Bytes[1:]},
		{KindOffer, hid("one"), 0, 1, good.Bytes[:661]},
		{KindOffer, hid("one"), 2, 2, good.Bytes[:661]},
		{KindAccept, hid("one"), 0, 1, good.Bytes},
	} {
		s.refuse(ErrMalformed, "kind", alice.at, alice.seal(e))
	}
	s.receive(alice.at, alice.seal(good))
}

// rv-epoch-live, rv-epoch-other
func TestEpochsThatAreAccepted(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	edge := time.Unix(int64(alice.pair.Epoch(s.now)*EpochLength)-int64(alice.pair.Phase()), 0)
	epoch := alice.pair.Epoch(s.now)
	for _, c := range []struct {
		into time.Duration
		live []uint64
	}{
		{0, []uint64{epoch, epoch - 1}},
		{3600*time.Second - 1, []uint64{epoch, epoch - 1}},
		{3600 * time.Second, []uint64{epoch}},
		{18000*time.Second - 1, []uint64{epoch}},
		{18000 * time.Second, []uint64{epoch, epoch + 1}},
		{21600*time.Second - 1, []uint64{epoch, epoch + 1}},
		{21600 * time.Second, []uint64{epoch, epoch + 1}},
		{25200 * time.Second, []uint64{epoch + 1}},
		{100 * 21600 * time.Second, []uint64{epoch + 100, epoch + 99}},
		{-1, []uint64{epoch, epoch - 1}},
	} {
		s.now = edge.Add(c.into)
		for e := epoch - 3; e <= epoch+101; e++ {
			b := alice.sealIn(e, Envelope{KindAccept, hid("one"), 0, 1, make([]byte, AcceptSize)})
			err := s.m.HandleDatagram(s.now, alice.at, b)
			if slices.Contains(c.live, e) {
				require.ErrorIs(t, err, ErrState, "epoch %d at %v", e, c.into)
			} else {
				require.ErrorIs(t, err, ErrAuthentication, "epoch %d at %v", e, c.into)
			}
		}
		require.LessOrEqual(t, len(s.m.tags.byTag), 3)
	}
}

// rv-pair-removed
func TestRemove(t *testing.T) {
	s := begin(t)
	alice, carol := s.friend("alice"), s.friend("carol")
	for _, f := range []*friend{alice, carol} {
		f.halfOpen("half", s.ms())
		f.knocks("one", s.ms()+1)
		f.begins()
	}
	offer := s.m.contacts[alice.key()].offer
	pair := s.m.contacts[alice.key()].pair
	require.NoError(t, s.m.Begin(s.now.Add(time.Minute*2), carol.key(), carol.at))
	// Nothing that waits is sent any more, and secrets that wait are erased.
	knock := alice.knock(s.ms() + 2)
	s.jump(time.Second)
	require.NoError(t, s.m.HandleDatagram(s.now, alice.at, alice.seal(envelopeOfKnock("two", knock))))
	session := &Session{RK: [32]byte{1}}
	s.m.outputs.add(Output{Kind: OutputSession, Friend: alice.key(), Session: session})
	s.m.Remove(alice.key())
	require.Zero(t, *session)
	s.drain()
	for _, out := range s.outputs {
		require.Equal(t, carol.key(), out.Friend)
	}
	s.outputs = nil

	require.Len(t, s.m.timers, 1)
	require.Nil(t, offer.ek)
	require.Zero(t, pair.prk)
	require.NotContains(t, dump(s.m), string(alice.key().String()))
	s.refuse(ErrAuthentication, "tag is no contact's", alice.at, alice.seal(envelopeOfKnock("three", alice.knock(s.ms()))))
	require.Len(t, s.m.tags.byTag, 3)
	s.refuseCall(ErrState, "no such contact", func() error { return s.m.Begin(s.now, alice.key(), alice.at) })
	require.False(t, s.m.Lives(s.now, alice.session("half", Responder)))
	require.True(t, s.m.Lives(s.now, carol.session("half", Responder)))
	s.m.Remove(alice.key())

	// And again a contact, it is a new one.
	require.NoError(t, s.m.Add(alice.key(), s.ms(), 0))
	s.refuse(ErrReplay, "not newer", alice.at, alice.seal(envelopeOfKnock("three", alice.knock(s.ms()))))
	s.m.Erase()
	require.Empty(t, s.m.contacts)
	require.Empty(t, s.m.timers)
	require.Empty(t, s.m.tags.byTag)
	require.True(t, s.m.NextTimeout().IsZero())
}

func TestSessionIDText(t *testing.T) {
	require.Equal(t, "0102030405060708I", SessionID{ID: ID{1, 2, 3, 4, 5, 6, 7, 8}, Role: Initiator}.String())
	require.Equal(t, "0102030405060708R", SessionID{ID: ID{1, 2, 3, 4, 5, 6, 7, 8}, Role: Responder}.String())
}

func TestCallsForWhomIsNoContact(t *testing.T) {
	s := begin(t)
	s.friend("alice")
	carol := s.stranger("carol")
	id := carol.session("one", Initiator)
	for _, call := range []func() error{
		func() error { return s.m.Begin(s.now, carol.key(), carol.at) },
		func() error { return s.m.Hello(s.now, id, []byte("hello")) },
		func() error { return s.m.Opened(s.now, id) },
		func() error { return s.m.Ended(s.now, id) },
	} {
		s.refuseCall(ErrState, "no such contact", call)
	}
}

// Outputs are bounded: who does not take them is refused, and nothing is lost but what was refused.
func TestOutputsAreBounded(t *testing.T) {
	s := begin(t)
	alice, carol := s.friend("alice"), s.friend("carol")
	alice.halfOpen("half", s.ms())
	id, fresh := carol.begins()
	o := carol.offer(fresh)
	s.receive(carol.at, carol.seal(envelopeOfFragment(id, 0, o.Bytes[:])))
	for n := 0; ; n++ {
		require.Less(t, n, maxOutputs)
		knock := alice.seal(envelopeOfKnock("late", alice.knock(s.ms()+7_200_000)))
		err := s.m.HandleDatagram(s.now, alice.at, knock)
		if errors.Is(err, ErrLimit) {
			break
		}
		require.ErrorIs(t, err, ErrState)
	}
	for _, call := range []func() error{
		func() error {
			return s.m.HandleDatagram(s.now, alice.at, alice.seal(envelopeOfKnock("one", alice.knock(s.ms()+1))))
		},
		func() error {
			return s.m.HandleDatagram(s.now, carol.at, carol.seal(envelopeOfFragment(id, 1, o.Bytes[:])))
		},
		func() error { return s.m.Begin(s.now, alice.key(), alice.at) },
		func() error { return s.m.Opened(s.now, alice.session("half", Responder)) },
		func() error { return s.m.Hello(s.now, SessionID{carol.key(), id, Initiator}, []byte("hello")) },
	} {
		before := s.m.Snapshot()
		wantRefused(t, call(), ErrLimit, "wait to be taken")
		require.Equal(t, before, s.m.Snapshot())
	}
	s.jump(time.Second)
	require.NoError(t, s.m.HandleTimeout(s.now))
	require.False(t, s.m.NextTimeout().After(s.now), "still due")
	n := 0
	for out, ok := s.m.Output(); ok; out, ok = s.m.Output() {
		require.Equal(t, OutputClock, out.Kind)
		n++
	}
	require.LessOrEqual(t, n, maxOutputs)
	require.Greater(t, n, maxOutputs-maxStep)
	s.did(s.m.HandleTimeout(s.now))
	s.want(OutputTransmit)
	s.wantNothing()
	s.receive(carol.at, carol.seal(envelopeOfFragment(id, 1, o.Bytes[:])))
	s.want(OutputSession)
}

// What many contacts have due at once comes in several rounds.
func TestManyTimeoutsAtOnce(t *testing.T) {
	s := begin(t)
	const contacts, targets = 200, maxTargets
	var to []netip.AddrPort
	for range targets {
		to = append(to, netip.MustParseAddrPort("192.0.2.9:1"))
	}
	for i := range contacts {
		var seed [32]byte
		seed[0] = byte(i)
		id, err := NewIdentity(seed[:])
		require.NoError(t, err)
		require.NoError(t, s.m.Add(id.PublicKey(), 0, 0))
		s.did(s.m.Begin(s.now, id.PublicKey(), to...))
	}
	require.Len(t, s.outputs, contacts*(1+targets))
	s.outputs = nil
	s.jump(500 * time.Millisecond)
	rounds := 0
	for ; !s.m.NextTimeout().After(s.now); rounds++ {
		s.did(s.m.HandleTimeout(s.now))
	}
	require.Equal(t, 2, rounds)
	require.Len(t, s.outputs, contacts*targets)
}

// A machine whose randomness fails does nothing, whichever draw it was.
func TestRandFails(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	working := s.m.rand
	fails := errors.New("no more")
	failing := func(draws int, call func() error) {
		t.Helper()
		for after := range draws {
			s.m.rand = &failsAfter{working, after, fails}
			before, snapshot := dump(s.m), s.m.Snapshot()
			require.ErrorIs(t, call(), fails)
			require.Equal(t, before, dump(s.m))
			require.Equal(t, snapshot, s.m.Snapshot())
			s.drain()
			s.wantNothing()
		}
		s.m.rand = &failsAfter{working, draws, fails}
		s.did(call())
		s.m.rand = working
	}
	second := netip.MustParseAddrPort("[2001:db8::1]:9")
	failing(4, func() error { return s.m.Begin(s.now, alice.key(), alice.at, second) })
	s.outputs = nil
	for range 3 { // again the same
		s.now = s.m.NextTimeout()
		failing(2, func() error { return s.m.HandleTimeout(s.now) })
		require.Len(t, s.outputs, 2)
		s.outputs = nil
	}
	s.now = s.m.NextTimeout()
	failing(4, func() error { return s.m.HandleTimeout(s.now) }) // anew
	s.want(OutputPersist)
	e := alice.open(s.want(OutputTransmit).Datagram)
	s.outputs = nil
	o := alice.offer(e.Bytes)
	s.receive(alice.at, alice.seal(envelopeOfFragment(e.ID, 1, o.Bytes[:])))
	failing(2, func() error {
		return s.m.HandleDatagram(s.now, alice.at, alice.seal(envelopeOfFragment(e.ID, 0, o.Bytes[:])))
	})
	s.want(OutputSession)
	failing(1, func() error { return s.m.Hello(s.now, SessionID{alice.key(), e.ID, Initiator}, []byte("hello")) })
	s.outputs = nil
	s.now = s.m.NextTimeout()
	failing(1, func() error { return s.m.HandleTimeout(s.now) }) // accept and hello
	s.outputs = nil

	for _, name := range []string{"one", "two"} { // the second voids the first
		s.jump(time.Second)
		knock := envelopeOfKnock(name, alice.knock(s.ms()+10))
		failing(5, func() error { return s.m.HandleDatagram(s.now, alice.at, alice.seal(knock)) })
		s.outputs = nil
		failing(2, func() error { return s.m.HandleDatagram(s.now, alice.at, alice.seal(knock)) }) // a copy
		s.outputs = nil
	}
}

// A failsAfter fails once, after n draws.
type failsAfter struct {
	io.Reader
	n   int
	err error
}

func (f *failsAfter) Read(p []byte) (int, error) {
	if f.n--; f.n == -1 {
		return 0, f.err
	}
	return f.Reader.Read(p)
}

// Each draw is one read, in the order in which the spec lists them.
func TestDraws(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	r := &recorder{Reader: s.m.rand}
	s.m.rand = r
	id, knock := alice.begins()
	drawn := r.want(t, 8, 8, 24)
	require.Equal(t, id[:], drawn[0])
	require.Equal(t, knock[9:17], drawn[1])
	s.advance(500 * time.Millisecond)
	r.want(t, 24)
	s.outputs = nil
	o, _ := alice.offers(id, knock)
	drawn = r.want(t, 32, 32)
	accept := alice.says(id, "hello")
	public := X25519Public((*[32]byte)(drawn[0]))
	require.Equal(t, public[:], accept[16:48])
	r.want(t, 24)
	_, err := alice.pair.TakeAccept(o, accept)
	require.NoError(t, err)

	offer := alice.knocks("one", s.ms()+1)
	drawn = r.want(t, 32, 32, 64, 24, 24)
	spk, rk := X25519Public((*[32]byte)(drawn[0])), X25519Public((*[32]byte)(drawn[1]))
	ek := NewDecapsulationKey((*[64]byte)(drawn[2])).AppendEncapsulationKey(nil)
	require.Equal(t, slices.Concat(spk[:], rk[:], ek), offer[10:10+64+EncapsulationKeySize])
	alice.accepts("one", s.ms()+1, offer)
	r.want(t)
}

type recorder struct {
	io.Reader
	drawn [][]byte
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.drawn = append(r.drawn, bytes.Clone(p[:n]))
	return n, err
}

// want checks the sizes of what was drawn since it was last asked, and returns it.
func (r *recorder) want(t *testing.T, sizes ...int) (drawn [][]byte) {
	t.Helper()
	var got []int
	for _, d := range r.drawn {
		got = append(got, len(d))
	}
	require.Equal(t, sizes, got)
	drawn, r.drawn = r.drawn, nil
	return drawn
}

// A stranger's datagram costs a look-up, and no memory, however many contacts there are.
func TestStrangersCostNothing(t *testing.T) {
	s := begin(t)
	s.friend("alice")
	carol := s.stranger("carol")
	knock := carol.seal(envelopeOfKnock("one", carol.knock(s.ms())))
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if s.m.HandleDatagram(s.now, carol.at, knock) == nil {
			t.Error("a stranger is heard")
		}
	}))
}
