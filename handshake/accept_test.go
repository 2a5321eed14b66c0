package handshake

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/mlkem"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"

	"filippo.io/edwards25519"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// exchange runs a handshake of alice and bob up to the accept.
func exchange(t testing.TB) (hers, his *Pair, own *OwnOffer, accept []byte, s *Session) {
	t.Helper()
	hers, his, own = pair(t, "alice", "bob"), pair(t, "bob", "alice"), bobsOffer(t)
	o, err := CheckOffer(hers.Friend(), offerTime, testKnock(t), own.Bytes[:])
	require.NoError(t, err)
	e, coins := secret("e"), secret("coins")
	accept, s, err = hers.MakeAccept(o, &e, &coins)
	require.NoError(t, err)
	require.Zero(t, e, "hs-erase-initiator")
	require.Zero(t, coins, "hs-erase-initiator")
	return hers, his, own, accept, s
}

// dh is X25519 of the standard library.
func dh(t testing.TB, private [32]byte, public []byte) []byte {
	t.Helper()
	k, err := ecdh.X25519().NewPrivateKey(private[:])
	require.NoError(t, err)
	p, err := ecdh.X25519().NewPublicKey(public)
	require.NoError(t, err)
	shared, err := k.ECDH(p)
	require.NoError(t, err)
	return shared
}

// montgomery returns the u of a contact's key.
func montgomery(t testing.TB, k PublicKey) []byte {
	t.Helper()
	p, err := new(edwards25519.Point).SetBytes(k[:])
	require.NoError(t, err)
	return p.BytesMontgomery()
}

// The whole schedule a second time, as the responder, with the standard library. hs-schedule, hs-transcript-bytes, hs-accept-form
func TestSchedule(t *testing.T) {
	hers, his, own, accept, s := exchange(t)
	spk, rk, ek := offerDraws()
	kem, err := mlkem.NewDecapsulationKey768(ek[:])
	require.NoError(t, err)
	require.Len(t, accept, 1152)
	id, e, ct, confirm := accept[:16], accept[16:48], accept[48:1136], accept[1136:]
	require.Equal(t, own.ID[:], id)
	eSecret := secret("e")
	eKey, err := ecdh.X25519().NewPrivateKey(eSecret[:])
	require.NoError(t, err)
	require.Equal(t, eKey.PublicKey().Bytes(), e)

	ss, err := kem.Decapsulate(ct)
	require.NoError(t, err)
	alice, bob := person(t, "alice"), person(t, "bob")
	a, b := alice.PublicKey(), bob.PublicKey()
	auth, err := his.Key(LabelAuth, Friend, 0)
	require.NoError(t, err)
	ikm := slices.Concat(auth, dh(t, spk, montgomery(t, a)), dh(t, bob.dh, e), dh(t, spk, e), ss)
	th := sha256.Sum256(slices.Concat([]byte("kith/1 handshake\x00"), a[:], b[:], own.Bytes[:], e, ct))
	prk := mac([]byte("kith/1 handshake\x00"), ikm)
	out, err := hkdf.Expand(sha256.New, prk, "kith/1 session\x00"+string(th[:]), 176)
	require.NoError(t, err)
	rkKey, err := ecdh.X25519().NewPrivateKey(rk[:])
	require.NoError(t, err)
	want := &Session{
		RK: [32]byte(out[:32]), HKI: [32]byte(out[32:64]), NHKR: [32]byte(out[64:96]),
		CIDK: [32]byte(out[112:144]), AD: [32]byte(out[144:]), RatchetKey: [32]byte(rkKey.PublicKey().Bytes()),
	}
	require.Equal(t, out[96:112], confirm)
	require.Equal(t, want, s)

	got, err := his.TakeAccept(own, accept)
	require.NoError(t, err)
	want.RatchetKey = rk
	require.Equal(t, want, got)

	// The other direction has other keys.
	wrong, err := hers.Key(LabelAuth, Friend, 0)
	require.NoError(t, err)
	require.NotEqual(t, auth, wrong)

	got.Erase()
	require.Zero(t, *got)
}

// Any accept but the one that was made is refused, and refusing leaves no trace. hs-confirm-first, hs-accept-failed-keeps
func TestTakeAcceptRefuses(t *testing.T) {
	_, his, own, accept, _ := exchange(t)
	change := func(at int, with ...byte) []byte {
		b := bytes.Clone(accept)
		copy(b[at:], with)
		return b
	}
	const e, ct, confirm = 16, 48, 1136
	for _, c := range []struct {
		rule   string
		accept []byte
		class  error
		words  string
	}{
		{"hs-accept-form", accept[:1151], ErrMalformed, "1151 bytes, not 1152"},
		{"hs-accept-offer", change(0, accept[0]^1), ErrState, "another offer"},
		{"hs-accept-offer", change(15, accept[15]^1), ErrState, "another offer"},
		{"hs-accept-key", change(e, aroundPrime(0, false)...), ErrMalformed, "not canonical"},
		{"hs-accept-key", change(e+31, accept[e+31]|0x80), ErrMalformed, "not canonical"},
		{"hs-accept-zero", change(e, smallOrders[0][:]...), ErrMalformed, "small order"},
		{"hs-accept-zero", change(e, smallOrders[1][:]...), ErrMalformed, "small order"},
		{"hs-accept-zero", change(e, smallOrders[2][:]...), ErrMalformed, "small order"},
		{"hs-accept-zero", change(e, smallOrders[3][:]...), ErrMalformed, "small order"},
		{"hs-accept-zero", change(e, smallOrders[4][:]...), ErrMalformed, "small order"},
		{"hs-confirm-first", change(e, accept[e]^1), ErrAuthentication, "confirm is wrong"},
		{"hs-confirm-first", change(ct, accept[ct]^1), ErrAuthentication, "confirm is wrong"},
		{"hs-confirm-first", change(ct+1087, accept[ct+1087]^1), ErrAuthentication, "confirm is wrong"},
		{"hs-confirm-first", change(confirm, accept[confirm]^1), ErrAuthentication, "confirm is wrong"},
		{"hs-confirm-first", change(confirm+15, accept[confirm+15]^1), ErrAuthentication, "confirm is wrong"},
	} {
		before := *own
		s, err := his.TakeAccept(own, c.accept)
		require.Nil(t, s, c.rule)
		wantRefused(t, err, c.class, c.words)
		require.Equal(t, before, *own)
	}
	_, err := his.TakeAccept(own, accept)
	require.NoError(t, err)
	own.Erase()
	_, err = his.TakeAccept(own, accept)
	wantRefused(t, err, ErrState, "another offer")
}

// The identities are in the transcript: −A has the X25519 form of A, and is somebody else.
func TestNegativeIdentityIsSomebodyElse(t *testing.T) {
	_, _, own, accept, _ := exchange(t)
	bob := person(t, "bob")
	alice := person(t, "alice").PublicKey()
	p, err := new(edwards25519.Point).SetBytes(alice[:])
	require.NoError(t, err)
	negative, err := NewPair(bob, PublicKey(p.Negate(p).Bytes()))
	require.NoError(t, err)
	_, err = negative.TakeAccept(own, accept)
	wantRefused(t, err, ErrAuthentication, "confirm is wrong")
}

// An accept is good for its two people and its offer only.
func TestAcceptOfOthers(t *testing.T) {
	hers, _, own, accept, _ := exchange(t)
	_, err := pair(t, "bob", "carol").TakeAccept(own, accept)
	wantRefused(t, err, ErrAuthentication, "confirm is wrong")
	_, err = pair(t, "carol", "alice").TakeAccept(own, accept)
	wantRefused(t, err, ErrAuthentication, "confirm is wrong")

	o, err := CheckOffer(person(t, "bob").PublicKey(), offerTime, testKnock(t), own.Bytes[:])
	require.NoError(t, err)
	e, coins := secret("e"), secret("coins")
	_, _, err = pair(t, "alice", "carol").MakeAccept(o, &e, &coins)
	wantRefused(t, err, ErrState, "another friend's")
	require.Zero(t, e)
	require.Zero(t, coins)

	// The same draws give the same accept; each draw changes all of it that depends on it.
	for i, want := range []bool{true, false, false} {
		e, coins := secret("e"), secret("coins")
		switch i {
		case 1:
			e[3] ^= 1
		case 2:
			coins[3] ^= 1
		}
		again, _, err := hers.MakeAccept(o, &e, &coins)
		require.NoError(t, err)
		require.Equal(t, want, bytes.Equal(accept, again))
		require.Equal(t, want, bytes.Equal(accept[1136:], again[1136:]))
	}
}

// Both sides compute the same session, whatever the draws.
func TestBothSidesAgree(t *testing.T) {
	alice, bob := person(t, "alice"), person(t, "bob")
	hers, his := pair(t, "alice", "bob"), pair(t, "bob", "alice")
	knock := testKnock(t)
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) *[32]byte {
			b := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, name))
			return &b
		}
		initiator, responder, id := hers, his, bob
		if rapid.Bool().Draw(t, "bob begins") {
			initiator, responder, id = his, hers, alice
		}
		seed := [64]byte(slices.Concat(draw("d")[:], draw("z")[:]))
		spk, rk := draw("spk"), draw("rk")
		own := MakeOffer(id, offerTime, knock, spk, rk, &seed)
		o, err := CheckOffer(id.PublicKey(), offerTime, knock, own.Bytes[:])
		if o == nil {
			require.ErrorContains(t, err, "one key for two purposes")
			return
		}
		accept, one, err := initiator.MakeAccept(o, draw("e"), draw("coins"))
		require.NoError(t, err)
		other, err := responder.TakeAccept(own, accept)
		require.NoError(t, err)
		require.Equal(t, one.RatchetKey, X25519Public(&other.RatchetKey))
		one.RatchetKey = other.RatchetKey
		require.Equal(t, one, other)
	})
}

func TestAcceptRoundTrip(t *testing.T) {
	_, _, _, accept, _ := exchange(t)
	var a Accept
	require.NoError(t, ParseAccept(accept, &a))
	require.Equal(t, accept, AppendAccept([]byte("before"), &a)[6:])
	for n := range accept {
		wantRefused(t, ParseAccept(accept[:n], &a), ErrMalformed, "bytes, not 1152")
	}
	wantRefused(t, ParseAccept(append(accept, 0), &a), ErrMalformed, "1153 bytes")
}

// hs-cid
func TestCID(t *testing.T) {
	key := secret("cidk")
	for _, role := range []Role{Initiator, Responder} {
		for _, i := range []uint32{0, 1, 7, 1<<32 - 1} {
			want := mac(key[:], []byte{byte(role)}, binary.BigEndian.AppendUint32(nil, i))[:8]
			got := NewCID(&key, role, i)
			require.Equal(t, want, got[:])
		}
	}
	require.EqualValues(t, 0x49, Initiator)
	require.EqualValues(t, 0x52, Responder)
}

// hs-rank-present
func TestRank(t *testing.T) {
	a, b := PublicKey{1}, PublicKey{2}
	for _, c := range []struct {
		one, other Rank
		want       int
	}{
		{Rank{5, a}, Rank{5, a}, 0},
		{Rank{6, b}, Rank{5, a}, 1},
		{Rank{5, a}, Rank{6, b}, -1},
		{Rank{5, a}, Rank{5, b}, 1},
		{Rank{5, b}, Rank{5, a}, -1},
		{Rank{1 << 63, b}, Rank{1, a}, 1},
	} {
		require.Equal(t, c.want, c.one.Compare(c.other))
	}
}

// Whatever comes as an accept, it is refused with a class and the offer stays as it is, unless it is the one that was made.
func FuzzTakeAccept(f *testing.F) {
	_, his, own, accept, _ := exchange(f)
	f.Add(accept)
	f.Add(slices.Concat(accept[:16], smallOrders[2][:], accept[48:]))
	before := *own
	f.Fuzz(func(t *testing.T, b []byte) {
		given := bytes.Clone(b)
		s, err := his.TakeAccept(own, b)
		require.Equal(t, given, b)
		require.Equal(t, before, *own)
		if err == nil {
			require.Equal(t, accept, b)
			return
		}
		require.Nil(t, s)
		require.True(t, errors.Is(err, ErrMalformed) || errors.Is(err, ErrAuthentication) || errors.Is(err, ErrState))
	})
}

func FuzzParseAccept(f *testing.F) {
	_, _, _, accept, _ := exchange(f)
	f.Add(accept)
	f.Fuzz(func(t *testing.T, b []byte) {
		var a Accept
		if err := ParseAccept(b, &a); err != nil {
			require.ErrorIs(t, err, ErrMalformed)
			return
		}
		require.Equal(t, b, AppendAccept(nil, &a))
	})
}

func ExamplePair_MakeAccept() {
	try := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	identity := func(name string) *Identity {
		seed := secret(name)
		id, err := NewIdentity(seed[:])
		try(err)
		return id
	}
	alice, bob := identity("alice"), identity("bob")
	hers, err := NewPair(alice, bob.PublicKey())
	try(err)
	his, err := NewPair(bob, alice.PublicKey())
	try(err)

	knock, err := AppendKnock(nil, Knock{Time: 1_800_000_000_000}) // alice's; sent in an envelope, as what follows
	try(err)
	spk, rk, ek := offerDraws() // from crypto/rand, but for this example
	own := MakeOffer(bob, offerTime, knock, &spk, &rk, &ek)

	offer, err := CheckOffer(bob.PublicKey(), offerTime, knock, own.Bytes[:])
	try(err)
	e, coins := secret("e"), secret("coins") // from crypto/rand too
	accept, herSession, err := hers.MakeAccept(offer, &e, &coins)
	try(err)

	hisSession, err := his.TakeAccept(own, accept)
	try(err)
	own.Erase()
	fmt.Println(herSession.RK == hisSession.RK, herSession.AD == hisSession.AD)
	// Output: true true
}
