package host

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/handshake"
	"kith/peer"
	"kith/peer/store"
)

func identityOf(t *testing.T, seed byte) *handshake.Identity {
	var b [handshake.SeedSize]byte
	b[0] = seed
	id, err := handshake.NewIdentity(b[:])
	require.NoError(t, err)
	return id
}

// namesIn returns the names of a store's contacts.
func namesIn(t *testing.T, path string, id *handshake.Identity) (names []string) {
	require.NoError(t, Edit(path, id, func(_ time.Time, p *peer.Peer) error {
		for _, c := range p.Contacts() {
			names = append(names, c.Name)
		}
		return nil
	}))
	return names
}

func TestEdit(t *testing.T) {
	id, path := identityOf(t, 1), filepath.Join(t.TempDir(), "folder", "peer.db")
	add := func(seed byte, name string) error {
		return Edit(path, id, func(now time.Time, p *peer.Peer) error { return p.Add(now, identityOf(t, seed).PublicKey(), name) })
	}
	require.NoError(t, add(2, "bob"))
	require.NoError(t, add(3, "carol"))
	require.ErrorIs(t, add(3, "carol"), peer.ErrState)
	require.Equal(t, []string{"bob", "carol"}, namesIn(t, path, id))

	// With an error nothing is changed.
	enough := errors.New("enough")
	require.ErrorIs(t, Edit(path, id, func(now time.Time, p *peer.Peer) error {
		require.NoError(t, p.Remove(now, identityOf(t, 2).PublicKey()))
		return enough
	}), enough)
	require.NoError(t, Edit(path, id, func(now time.Time, p *peer.Peer) error { return p.Rename(now, identityOf(t, 2).PublicKey(), "robert") }))
	require.Equal(t, []string{"robert", "carol"}, namesIn(t, path, id))

	require.ErrorIs(t, Edit(path, id, func(time.Time, *peer.Peer) error {
		return Edit(path, id, func(time.Time, *peer.Peer) error { return nil })
	}), store.ErrInUse)
	require.ErrorIs(t, Edit(path, identityOf(t, 4), func(time.Time, *peer.Peer) error { return nil }), store.ErrIdentity)
}

func TestHistoryOfNobody(t *testing.T) {
	require.NoError(t, Edit(filepath.Join(t.TempDir(), "peer.db"), identityOf(t, 1), func(_ time.Time, p *peer.Peer) error {
		_, _, err := p.HistoryKeys(identityOf(t, 2).PublicKey())
		require.ErrorIs(t, err, peer.ErrState)
		return nil
	}))
}
