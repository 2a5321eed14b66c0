package handshake

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

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
