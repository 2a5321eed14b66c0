package handshake

import (
	"crypto/ecdh"
	"testing"

	"github.com/stretchr/testify/require"
)

// What internal/curve25519 refuses, in the words and the class of this package. Its rules are tested there.
func TestX25519(t *testing.T) {
	alice, bob, shared := secret("alice"), secret("bob"), [32]byte{1}
	key, err := ecdh.X25519().NewPrivateKey(bob[:])
	require.NoError(t, err)
	public := X25519Public(&bob)
	require.Equal(t, key.PublicKey().Bytes(), public[:])
	require.NoError(t, CheckX25519(&public))
	require.NoError(t, X25519(&shared, &alice, &public))
	require.Equal(t, dh(t, alice, public[:]), shared[:])

	public[31] |= 0x80 // rv-x25519-canonical
	wantRefused(t, CheckX25519(&public), ErrMalformed, "handshake: X25519 key is not canonical")
	wantRefused(t, X25519(&shared, &alice, &public), ErrMalformed, "handshake: X25519 key is not canonical")
	require.Zero(t, shared)
	for _, u := range smallOrders { // rv-x25519-zero
		shared = [32]byte{1}
		require.NoError(t, CheckX25519(&u))
		wantRefused(t, X25519(&shared, &alice, &u), ErrMalformed, "handshake: X25519 key has a small order")
		require.Zero(t, shared)
	}
}
