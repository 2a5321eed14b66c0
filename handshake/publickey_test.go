package handshake

import (
	"slices"
	"testing"

	"filippo.io/edwards25519"
	"github.com/stretchr/testify/require"
)

// What internal/curve25519 refuses, in the words and the class of this package. Its rules are tested there.

func TestCheckContact(t *testing.T) {
	own, friend := person(t, "alice").PublicKey(), person(t, "bob").PublicKey()
	got, err := CheckContact(own, friend[:])
	require.NoError(t, err)
	require.Equal(t, friend, got)

	for n := range 70 { // rv-contact-length
		if n != PublicKeySize {
			_, err := CheckContact(own, slices.Repeat(friend[:], 3)[:n])
			wantRefused(t, err, ErrMalformed, "bytes, not 32")
		}
	}
	p, err := new(edwards25519.Point).SetBytes(friend[:])
	require.NoError(t, err)
	for _, c := range []struct {
		rule, words string
		key         []byte
	}{
		{"rv-contact-canonical", "handshake: key is not canonical", aroundPrime(0, false)},
		{"rv-contact-canonical", "handshake: key is not canonical", aroundPrime(18, true)},
		{"rv-contact-curve", "handshake: key is not a point of the curve", []byte{2, 31: 0}},
		{"rv-contact-curve", "handshake: key has a small order", []byte{1, 31: 0x80}}, // −0 is the neutral element's x
		{"rv-contact-small", "handshake: key has a small order", torsion(t)[0].Bytes()},
		{"rv-contact-small", "handshake: key has a small order", torsion(t)[7].Bytes()},
		{"rv-contact-subgroup", "handshake: key is outside of the subgroup", p.Add(p, torsion(t)[4]).Bytes()},
		{"rv-contact-self", "handshake: key is one's own", own[:]},
	} {
		got, err := CheckContact(own, c.key)
		wantRefused(t, err, ErrMalformed, c.words)
		require.Zero(t, got, c.rule)
		if c.rule != "rv-contact-self" {
			x, err := PublicKey(c.key).X25519()
			wantRefused(t, err, ErrMalformed, c.words)
			require.Zero(t, x, c.rule)
		}
	}

	p, err = p.SetBytes(friend[:])
	require.NoError(t, err)
	negative := PublicKey(p.Negate(p).Bytes())
	_, err = CheckContact(friend, negative[:])
	require.NoError(t, err, "the same u, another identity")
}

func TestVerify(t *testing.T) {
	id := person(t, "alice")
	const label = "kith/1 offer"
	sig := id.Sign(label, []byte("message"))
	require.NoError(t, Verify(id.PublicKey(), label, []byte("message"), sig[:]))
	for n := range SignatureSize {
		wantRefused(t, Verify(id.PublicKey(), label, nil, sig[:n]), ErrAuthentication, "handshake: signature is ")
		wantRefused(t, Verify(id.PublicKey(), label, nil, sig[:n]), ErrAuthentication, "bytes, not 64")
	}
	wantRefused(t, Verify(id.PublicKey(), label, nil, append(sig[:], 0)), ErrAuthentication, "65 bytes")
	for _, c := range []struct {
		rule, words string
		key         PublicKey
		message     string
		change      func(sig []byte)
	}{
		{"rv-verify-s", "handshake: signature does not verify", id.PublicKey(), "message", func(sig []byte) { sig[63] |= 0x20 }},
		{"rv-verify-r", "handshake: R of signature", id.PublicKey(), "message", func(sig []byte) { copy(sig, torsion(t)[1].Bytes()) }},
		{"rv-verify-equation", "handshake: signature does not verify", id.PublicKey(), "message", func(sig []byte) { sig[0] ^= 1 }},
		{"rv-verify-equation", "handshake: signature does not verify", id.PublicKey(), "messagf", func([]byte) {}},
		{"rv-verify-equation", "handshake: signature does not verify", person(t, "bob").PublicKey(), "message", func([]byte) {}},
		{"rv-contact-small", "handshake: key of signature", PublicKey{1}, "message", func([]byte) {}},
		{"rv-contact-canonical", "handshake: key of signature", PublicKey(aroundPrime(3, false)), "message", func([]byte) {}},
	} {
		changed := sig
		c.change(changed[:])
		wantRefused(t, Verify(c.key, label, []byte(c.message), changed[:]), ErrAuthentication, c.words)
	}
}
