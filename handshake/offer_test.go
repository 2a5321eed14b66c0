package handshake

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/mlkem"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const offerSeconds = 1_800_000_000

var offerTime = time.Unix(offerSeconds, 999_999_999)

// testKnock returns the knock of the tests.
func testKnock(t testing.TB) []byte {
	t.Helper()
	b, err := AppendKnock(nil, Knock{Time: offerSeconds * 1000, Endpoints: eight[:2]})
	require.NoError(t, err)
	return b
}

// offerDraws returns the draws of an offer.
func offerDraws() (spk, rk [32]byte, ek [64]byte) {
	d, z := secret("d"), secret("z")
	return secret("spk"), secret("rk"), [64]byte(slices.Concat(d[:], z[:]))
}

// bobsOffer returns bob's offer for testKnock.
func bobsOffer(t testing.TB) *OwnOffer {
	t.Helper()
	spk, rk, ek := offerDraws()
	return MakeOffer(person(t, "bob"), offerTime, testKnock(t), &spk, &rk, &ek)
}

// resign returns the offer with bob's right signature for testKnock.
func resign(t testing.TB, offer []byte) []byte {
	t.Helper()
	b := bytes.Clone(offer)
	h := sha256.Sum256(append([]byte("kith/1 knock\x00"), testKnock(t)...))
	seed := secret("bob")
	copy(b[1258:], ed25519.Sign(ed25519.NewKeyFromSeed(seed[:]), slices.Concat([]byte("kith/1 offer\x00"), b[:1258], h[:])))
	return b
}

// The offer, made a second time with the standard library. hs-offer-form, hs-offer-knock
func TestMakeOffer(t *testing.T) {
	o := bobsOffer(t)
	spk, rk, ek := offerDraws()
	public := func(private [32]byte) []byte {
		k, err := ecdh.X25519().NewPrivateKey(private[:])
		require.NoError(t, err)
		return k.PublicKey().Bytes()
	}
	kem, err := mlkem.NewDecapsulationKey768(ek[:])
	require.NoError(t, err)
	want := slices.Concat([]byte{1, 0}, binary.BigEndian.AppendUint64(nil, offerSeconds+60), public(spk), public(rk),
		kem.EncapsulationKey().Bytes(), make([]byte, 64))
	want = resign(t, want)
	require.Len(t, want, 1322)
	require.Equal(t, want, o.Bytes[:])
	h := sha256.Sum256(append([]byte("kith/1 offer id\x00"), want...))
	require.Equal(t, h[:16], o.ID[:])
	require.Equal(t, want, slices.Concat(o.Fragment(0), o.Fragment(1)))
	require.Len(t, o.Fragment(0), 661)
}

func TestMakeOfferClearsItsDraws(t *testing.T) {
	spk, rk, ek := offerDraws()
	o := MakeOffer(person(t, "bob"), offerTime, testKnock(t), &spk, &rk, &ek)
	require.Zero(t, spk)
	require.Zero(t, rk)
	require.Zero(t, ek)
	spk, rk, ek = offerDraws()
	again, err := RestoreOffer(o.Bytes[:], &spk, &rk, &ek)
	require.NoError(t, err)
	require.Equal(t, o, again)
	require.Zero(t, spk)
	require.Zero(t, rk)
	require.Zero(t, ek)
	_, err = RestoreOffer(o.Bytes[:1321], &spk, &rk, &ek)
	require.ErrorIs(t, err, ErrMalformed)
}

// hs-erase-offer
func TestEraseOffer(t *testing.T) {
	o := bobsOffer(t)
	o.Erase()
	require.Zero(t, o.spk)
	require.Zero(t, o.rk)
	require.Nil(t, o.ek)
	o.Erase()
}

func TestOfferRoundTrip(t *testing.T) {
	b := bobsOffer(t).Bytes[:]
	var o Offer
	require.NoError(t, ParseOffer(b, &o))
	require.EqualValues(t, offerSeconds+60, o.NotAfter)
	require.Equal(t, b, AppendOffer([]byte("before"), &o)[6:])
	for n := range b {
		wantRefused(t, ParseOffer(b[:n], &o), ErrMalformed, "bytes, not 1322")
	}
	wantRefused(t, ParseOffer(append(bytes.Clone(b), 0), &o), ErrMalformed, "1323 bytes")
}

func TestCheckOffer(t *testing.T) {
	bob, knock := person(t, "bob").PublicKey(), testKnock(t)
	own := bobsOffer(t)
	good := own.Bytes[:]
	o, err := CheckOffer(bob, offerTime, knock, good)
	require.NoError(t, err)
	require.Equal(t, own.ID, o.ID)
	require.Equal(t, own.Bytes, o.bytes)

	change := func(f func([]byte)) []byte {
		b := bytes.Clone(good)
		f(b)
		return b
	}
	put := func(at int, key []byte) []byte {
		return resign(t, change(func(b []byte) { copy(b[at:], key) }))
	}
	const spk, rk, ek = 10, 42, 74
	other := bytes.Clone(knock)
	other[9]++
	for _, c := range []struct {
		rule  string
		offer []byte
		class error
		words string
	}{
		{"hs-offer-version", resign(t, change(func(b []byte) { b[0] = 0 })), ErrMalformed, "version 0"},
		{"hs-offer-version", resign(t, change(func(b []byte) { b[0] = 2 })), ErrMalformed, "version 2"},
		{"hs-offer-flags", resign(t, change(func(b []byte) { b[1] = 1 })), ErrMalformed, "flags 0x01"},
		{"hs-offer-flags", resign(t, change(func(b []byte) { b[1] = 0x80 })), ErrMalformed, "flags 0x80"},
		{"hs-offer-expired", put(2, binary.BigEndian.AppendUint64(nil, offerSeconds-3661)), ErrState, "was good until"},
		{"hs-offer-expired", put(2, make([]byte, 8)), ErrState, "was good until"},
		{"hs-offer-keys", put(spk, aroundPrime(0, false)), ErrMalformed, "not canonical"},
		{"hs-offer-keys", put(rk, aroundPrime(9, false)), ErrMalformed, "not canonical"},
		{"hs-offer-keys", resign(t, change(func(b []byte) { b[spk+31] |= 0x80 })), ErrMalformed, "not canonical"},
		{"hs-offer-keys", resign(t, change(func(b []byte) { b[rk+31] |= 0x80 })), ErrMalformed, "not canonical"},
		{"hs-offer-keys-apart", put(rk, good[spk:spk+32]), ErrMalformed, "one key for two"},
		{"hs-offer-ek", put(ek, []byte{0x01, 0x0d}), ErrMalformed, "encapsulation key"},
		{"hs-offer-ek", put(ek+1149, []byte{0xff, 0xff, 0xff}), ErrMalformed, "encapsulation key"},
		{"hs-offer-signature", change(func(b []byte) { b[1258] ^= 1 }), ErrAuthentication, "does not verify"},
		{"hs-offer-signature", change(func(b []byte) { b[1321] |= 0x80 }), ErrAuthentication, "signature does not verify"},
		{"hs-offer-signature", change(func(b []byte) { b[spk] ^= 1 }), ErrAuthentication, "does not verify"},
		{"hs-offer-signature", change(func(b []byte) { b[9] ^= 1 }), ErrAuthentication, "does not verify"},
		{"hs-offer-signature", change(func(b []byte) { b[ek+1183] ^= 1 }), ErrAuthentication, "does not verify"},
		{"hs-offer-zero", put(spk, smallOrders[0][:]), ErrMalformed, "small order"},
		{"hs-offer-zero", put(spk, smallOrders[2][:]), ErrMalformed, "small order"},
		{"hs-offer-zero", put(rk, smallOrders[4][:]), ErrMalformed, "small order"},
	} {
		before := bytes.Clone(c.offer)
		o, err := CheckOffer(bob, offerTime, knock, c.offer)
		require.Nil(t, o, c.rule)
		wantRefused(t, err, c.class, c.words)
		require.Equal(t, before, c.offer)
	}
	_, err = CheckOffer(bob, offerTime, other, good) // hs-offer-signature
	wantRefused(t, err, ErrAuthentication, "does not verify")
	_, err = CheckOffer(person(t, "carol").PublicKey(), offerTime, knock, good) // hs-offer-signature
	wantRefused(t, err, ErrAuthentication, "does not verify")
	for _, late := range []time.Duration{3720 * time.Second, -1e6 * time.Hour} { // not_after is 60 s ahead
		_, err = CheckOffer(bob, offerTime.Add(late), knock, good)
		require.NoError(t, err)
	}
	_, err = CheckOffer(bob, offerTime.Add(3721*time.Second), knock, good)
	wantRefused(t, err, ErrState, "was good until")
	_, err = CheckOffer(bob, offerTime, knock, put(2, binary.BigEndian.AppendUint64(nil, math.MaxUint64)))
	require.NoError(t, err, "R's clock is R's business")
	_, err = CheckOffer(bob, time.Unix(-5, 0), knock, put(2, make([]byte, 8)))
	require.NoError(t, err)
}

// Whatever R signs, I takes it or refuses it with a class; what it takes is the same bytes again.
func FuzzCheckOffer(f *testing.F) {
	f.Add(bobsOffer(f).Bytes[:], false)
	f.Add(bobsOffer(f).Bytes[:], true)
	bob, knock := person(f, "bob").PublicKey(), testKnock(f)
	f.Fuzz(func(t *testing.T, b []byte, right bool) {
		if right && len(b) == OfferSize {
			b = resign(t, b)
		}
		before := bytes.Clone(b)
		o, err := CheckOffer(bob, offerTime, knock, b)
		require.Equal(t, before, b)
		if err != nil {
			require.Nil(t, o)
			require.True(t, errors.Is(err, ErrMalformed) || errors.Is(err, ErrAuthentication) || errors.Is(err, ErrState))
			return
		}
		require.Equal(t, b, AppendOffer(nil, &o.Offer))
	})
}

func FuzzParseOffer(f *testing.F) {
	f.Add(bobsOffer(f).Bytes[:])
	f.Fuzz(func(t *testing.T, b []byte) {
		var o Offer
		if err := ParseOffer(b, &o); err != nil {
			require.ErrorIs(t, err, ErrMalformed)
			require.Zero(t, o)
			return
		}
		require.Equal(t, b, AppendOffer(nil, &o))
	})
}
