package host

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/peer"
	"kith/peer/conversation"
)

// TestCloseWhileSomethingIsCommitted closes hosts at moments at which a batch is on its way to the disk.
func TestCloseWhileSomethingIsCommitted(t *testing.T) {
	p := newPerson(t, 1, nil)
	friend := identity(t, 2).PublicKey()
	p.do(func(now time.Time, k *peer.Peer) error { return k.Add(now, friend, "") })
	for life := range 10 {
		p.do(func(now time.Time, k *peer.Peer) error {
			_, err := k.Send(now, friend, fmt.Appendf(nil, "%d", life))
			return err
		})
		ended := make(chan error, 1)
		go func() { ended <- p.h.Close() }()
		select {
		case err := <-ended:
			require.NoError(t, err)
		case <-time.After(patience):
			t.Fatalf("life %d does not end", life)
		}
		p.start()
		p.do(func(_ time.Time, k *peer.Peer) error {
			require.Equal(t, life+1, k.Contacts()[0].Waiting)
			return nil
		})
	}
}

// However much is put at once, the store gets no more than it takes.
func TestMoreThanTheStoreTakesAtOnce(t *testing.T) {
	p := newPerson(t, 1, nil)
	const friends, each = 8, conversation.MaxOutbox
	p.do(func(now time.Time, k *peer.Peer) error {
		for f := range friends {
			friend := identity(t, byte(2+f)).PublicKey()
			if err := k.Add(now, friend, ""); err != nil {
				return err
			}
			for range each {
				if _, err := k.Send(now, friend, []byte("x")); err != nil {
					return err
				}
			}
		}
		return nil
	})
	require.NoError(t, p.h.Close())
	p.start()
	p.do(func(_ time.Time, k *peer.Peer) error {
		for _, c := range k.Contacts() {
			require.Equal(t, each, c.Waiting)
		}
		return nil
	})
}
