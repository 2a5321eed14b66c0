package peer

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/handshake"
)

var stored1 = appendContact(nil, &Contact{
	Key: handshake.PublicKey{1, 2, 3}, Name: "Zoë", Blocked: true, Added: time.UnixMilli(1_800_000_000_123), Spoken: time.UnixMilli(1_800_000_000_456),
})

func TestContactsAreStoredWhole(t *testing.T) {
	c, err := parseContact(stored1)
	require.NoError(t, err)
	require.Equal(t, "Zoë", c.Name)
	require.True(t, c.Blocked)
	require.EqualValues(t, 1_800_000_000_456, c.Spoken.UnixMilli())
	for n := range contactValueSize {
		_, err := parseContact(stored1[:n])
		require.ErrorIs(t, err, ErrMalformed)
	}
	never, err := parseContact(appendContact(nil, &Contact{Added: time.Unix(-5, 0)}))
	require.NoError(t, err)
	require.True(t, never.Added.IsZero())
	require.True(t, never.Spoken.IsZero())
}

func FuzzParseContact(f *testing.F) {
	f.Add(stored1)
	f.Add(stored1[:contactValueSize])
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := parseContact(b); err == nil {
			require.Equal(t, b, appendContact(nil, &c))
		}
	})
}

func FuzzParseKnock(f *testing.F) {
	f.Add(appendKnock(nil, 1_800_000_000_123, 1<<62))
	f.Fuzz(func(t *testing.T, b []byte) {
		if taken, own, err := parseKnock(b); err == nil {
			require.Equal(t, b, appendKnock(nil, taken, own))
		}
	})
}

func FuzzParseHistory(f *testing.F) {
	c := contact{number: 7}
	e := c.history(time.UnixMilli(1_800_000_000_123), HistoryReceived, 9, 1, []byte("hello"))
	f.Add(e.Key, e.Value)
	f.Fuzz(func(t *testing.T, key, value []byte) {
		n, e, err := ParseHistory(key, value)
		if err != nil {
			return
		}
		direction := byte(HistorySent)
		if e.Received {
			direction = HistoryReceived
		}
		c := contact{number: n}
		again := c.history(e.Time, direction, e.Position, e.Type, e.Text)
		require.True(t, bytes.Equal(key, again.Key) && bytes.Equal(value, again.Value))
	})
}
