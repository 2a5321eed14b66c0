package handshake

import (
	"testing"

	"github.com/cloudflare/circl/dh/x25519"
	"github.com/cloudflare/circl/kem/mlkem/mlkem768"
	"github.com/cloudflare/circl/sign/ed25519"
	"github.com/stretchr/testify/require"
)

// The three steps, each beside the sum of the primitives that it cannot do without.

func BenchmarkMakeOffer(b *testing.B) {
	id, knock := person(b, "bob"), testKnock(b)
	spk, rk, ek := offerDraws()
	b.ReportAllocs()
	for b.Loop() {
		s, r, k := spk, rk, ek
		MakeOffer(id, offerTime, knock, &s, &r, &k)
	}
}

// Two X25519 keys, an ML-KEM key, a signature.
func BenchmarkMakeOfferPrimitives(b *testing.B) {
	id := person(b, "bob")
	spk, rk, ek := offerDraws()
	message := make([]byte, len(offerLabel)+1+offerSigned+32)
	packed := make([]byte, EncapsulationKeySize)
	for b.Loop() {
		var public x25519.Key
		x25519.KeyGen(&public, (*x25519.Key)(&spk))
		x25519.KeyGen(&public, (*x25519.Key)(&rk))
		k, _ := mlkem768.NewKeyFromSeed(ek[:])
		k.Pack(packed)
		ed25519.Sign(id.signing, message)
	}
}

func BenchmarkAcceptOffer(b *testing.B) {
	hers, knock, own := pair(b, "alice", "bob"), testKnock(b), bobsOffer(b)
	b.ReportAllocs()
	for b.Loop() {
		o, err := CheckOffer(hers.friend, offerTime, knock, own.Bytes[:])
		require.NoError(b, err)
		e, coins := [32]byte{1}, [32]byte{2}
		_, _, err = hers.MakeAccept(o, &e, &coins)
		require.NoError(b, err)
	}
}

// A verification, an X25519 key, three shared secrets, an encapsulation with its key parsed.
func BenchmarkAcceptOfferPrimitives(b *testing.B) {
	hers, own := pair(b, "alice", "bob"), bobsOffer(b)
	var o Offer
	require.NoError(b, ParseOffer(own.Bytes[:], &o))
	signed := labelled(offerLabel, signedOffer(own.Bytes[:], testKnock(b)))
	ct, ss, coins := make([]byte, CiphertextSize), make([]byte, 32), make([]byte, 32)
	e := secret("e")
	for b.Loop() {
		ed25519.Verify(hers.friend[:], signed, o.Sig[:])
		var public, shared x25519.Key
		x25519.KeyGen(&public, (*x25519.Key)(&e))
		x25519.Shared(&shared, (*x25519.Key)(&hers.id.dh), (*x25519.Key)(&o.SPK))
		x25519.Shared(&shared, (*x25519.Key)(&e), (*x25519.Key)(&hers.friendX))
		x25519.Shared(&shared, (*x25519.Key)(&e), (*x25519.Key)(&o.SPK))
		var k mlkem768.PublicKey
		require.NoError(b, k.Unpack(o.EK[:]))
		k.EncapsulateTo(ct, ss, coins)
	}
}

func BenchmarkTakeAccept(b *testing.B) {
	_, his, own, accept, _ := exchange(b)
	b.ReportAllocs()
	for b.Loop() {
		_, err := his.TakeAccept(own, accept)
		require.NoError(b, err)
	}
}

// Three shared secrets and a decapsulation.
func BenchmarkTakeAcceptPrimitives(b *testing.B) {
	_, his, own, accept, _ := exchange(b)
	e, ss := x25519.Key(accept[16:48]), make([]byte, 32)
	for b.Loop() {
		var shared x25519.Key
		x25519.Shared(&shared, (*x25519.Key)(&own.spk), (*x25519.Key)(&his.friendX))
		x25519.Shared(&shared, (*x25519.Key)(&his.id.dh), &e)
		x25519.Shared(&shared, (*x25519.Key)(&own.spk), &e)
		own.ek.private.DecapsulateTo(ss, accept[48:1136])
	}
}

func BenchmarkOpenEnvelope(b *testing.B) {
	datagram := AppendEnvelope(nil, &testTag, &testKey, &testNonce, Envelope{KindKnock, testID, 0, 1, make([]byte, KnockSize)})
	b.ReportAllocs()
	for b.Loop() {
		_, err := OpenEnvelope(&testKey, datagram)
		require.NoError(b, err)
	}
}

func BenchmarkTag(b *testing.B) {
	p := pair(b, "alice", "bob")
	b.ReportAllocs()
	for b.Loop() {
		p.Tag(Friend, 83333)
	}
}

func BenchmarkNewPair(b *testing.B) {
	id, friend := person(b, "alice"), person(b, "bob").PublicKey()
	for b.Loop() {
		_, err := NewPair(id, friend)
		require.NoError(b, err)
	}
}
