package handshake

import (
	"crypto/ed25519"
	"crypto/sha512"
	"fmt"
	"testing"

	"filippo.io/edwards25519"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The secret keys, public keys and messages of RFC 8032, section 7.1, tests 1 to 3.
var rfc8032 = []struct{ seed, public, message string }{
	{
		"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
		"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
		"",
	},
	{
		"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
		"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
		"72",
	},
	{
		"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
		"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
		"af82",
	},
}

// rv-identity-key
func TestIdentityOfRFC8032(t *testing.T) {
	for _, c := range rfc8032 {
		id, err := NewIdentity(unhex(t, c.seed))
		require.NoError(t, err)
		require.Equal(t, PublicKey(unhex(t, c.public)), id.PublicKey())
	}
}

// The public X25519 form is the Montgomery u of IK, computed from the point instead of the private form. rv-identity-x25519
func TestX25519FormOfIdentity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), SeedSize, SeedSize).Draw(t, "seed")
		id, err := NewIdentity(seed)
		require.NoError(t, err)
		k := id.PublicKey()
		p, err := new(edwards25519.Point).SetBytes(k[:])
		require.NoError(t, err)
		private, public := id.X25519()
		require.Equal(t, id.dh, private)
		require.Equal(t, p.BytesMontgomery(), public[:])
		friends, err := k.X25519()
		require.NoError(t, err)
		require.Equal(t, public, friends)
		kept := id.Seed()
		require.Equal(t, seed, kept[:])

		h := sha512.Sum512(seed)
		s, err := edwards25519.NewScalar().SetBytesWithClamping(h[:32])
		require.NoError(t, err)
		require.Equal(t, k[:], new(edwards25519.Point).ScalarBaseMult(s).Bytes())
		require.Equal(t, byte(0), id.dh[0]&7)
		require.Equal(t, byte(0x40), id.dh[31]&0xc0)
	})
}

func TestSeedOfWrongLength(t *testing.T) {
	for n := range 70 {
		if _, err := NewIdentity(make([]byte, n)); n != SeedSize {
			wantRefused(t, err, ErrMalformed, fmt.Sprintf("seed is %d bytes", n))
		}
	}
}

func TestIdentityKeepsACopyOfItsSeed(t *testing.T) {
	seed := secret("alice")
	id, err := NewIdentity(seed[:])
	require.NoError(t, err)
	before := id.AppendSecretKey(nil)
	clear(seed[:])
	require.Equal(t, before, id.AppendSecretKey(nil))
}

func TestEraseIdentity(t *testing.T) {
	id := person(t, "alice")
	signing := id.signing
	id.Erase()
	require.Zero(t, id.dh)
	require.Equal(t, make([]byte, 64), []byte(signing))
}

// Signing is pure Ed25519 of label, one zero byte and message, by the standard library as by circl. rv-sign
func TestSign(t *testing.T) {
	for _, c := range rfc8032 {
		id, err := NewIdentity(unhex(t, c.seed))
		require.NoError(t, err)
		message := unhex(t, c.message)
		sig := id.Sign("kith/1 offer", message)
		signed := append([]byte("kith/1 offer\x00"), message...)
		require.Equal(t, ed25519.Sign(ed25519.NewKeyFromSeed(unhex(t, c.seed)), signed), sig[:])
		require.NoError(t, Verify(id.PublicKey(), "kith/1 offer", message, sig[:]))
		require.ErrorIs(t, Verify(id.PublicKey(), "kith/1 offes", message, sig[:]), ErrAuthentication)
	}
}

func ExampleNewIdentity() {
	seed := make([]byte, SeedSize) // from crypto/rand, but for this example
	id, err := NewIdentity(seed)
	if err != nil {
		panic(err)
	}
	defer id.Erase()
	fmt.Println(id.PublicKey())
	fmt.Printf("%s\n", id.AppendSecretKey(nil))
	// Output:
	// kith18d4z00xwk6jz6c4r4rgz5mcdwdjny9thrh3y8f36cpy2rz6emg5suss3kl
	// KITH-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQURGVMZ
}
