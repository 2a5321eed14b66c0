package handshake

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"filippo.io/edwards25519"
	"github.com/stretchr/testify/require"
)

// unhex returns the bytes that s spells; spaces mean nothing.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	require.NoError(t, err)
	return b
}

// secret returns the 32 bytes that the vectors make from a name.
func secret(name string) [32]byte { return sha256.Sum256([]byte("kith/1 vector " + name)) }

// person returns the identity of a name.
func person(t testing.TB, name string) *Identity {
	t.Helper()
	seed := secret(name)
	id, err := NewIdentity(seed[:])
	require.NoError(t, err)
	return id
}

// wantRefused checks that err is of the class and says the words.
func wantRefused(t testing.TB, err, class error, words string) {
	t.Helper()
	require.ErrorIs(t, err, class)
	require.ErrorContains(t, err, words)
	require.True(t, strings.HasPrefix(err.Error(), "handshake: "), err.Error())
}

// aroundPrime returns p + n, p = 2²⁵⁵ − 19, for n from −237 to 18, with bit 255 as told.
func aroundPrime(n int, high bool) []byte {
	b := bytes.Repeat([]byte{0xff}, 32)
	b[0] = byte(0xed + n)
	b[31] = 0x7f
	if high {
		b[31] = 0xff
	}
	return b
}

// smallOrders are the X25519 keys that give zero with every private key, in their canonical encoding: 0, 1, the two of order 8, and
// p − 1.
var smallOrders = [...][32]byte{
	{0},
	{1},
	{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
		0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
	{0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
		0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
	[32]byte(aroundPrime(-1, false)),
}

// torsion returns the eight points of small order of edwards25519, as multiples of one of order 8.
func torsion(t testing.TB) []*edwards25519.Point {
	t.Helper()
	eighth, err := new(edwards25519.Point).SetBytes(unhex(t, "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))
	require.NoError(t, err)
	all := []*edwards25519.Point{edwards25519.NewIdentityPoint()}
	for range 7 {
		all = append(all, new(edwards25519.Point).Add(all[len(all)-1], eighth))
	}
	return all
}
