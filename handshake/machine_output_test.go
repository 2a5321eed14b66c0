package handshake

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What was taken is not kept: secrets are the receiver's, who erases them.
func TestOutputsTakenAreForgotten(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	offer := alice.knocks("one", s.ms())
	alice.accepts("one", s.ms(), offer)
	o := &s.m.outputs
	require.Empty(t, o.waiting)
	require.Zero(t, o.next)
	for _, out := range o.waiting[:cap(o.waiting)] {
		require.Zero(t, out)
	}
}

// The bound is of what waits, not of what was there before.
func TestOutputsTakenMakeRoom(t *testing.T) {
	s := begin(t)
	alice := s.friend("alice")
	late := func() error {
		return s.m.HandleDatagram(s.now, alice.at, alice.seal(envelopeOfKnock("late", alice.knock(s.ms()+7_200_000))))
	}
	const most = maxOutputs - maxStep + 1
	for range most {
		require.ErrorIs(t, late(), ErrState)
	}
	require.ErrorIs(t, late(), ErrLimit)
	for range 3 * maxOutputs { // one out, one in, and never more
		_, ok := s.m.Output()
		require.True(t, ok)
		require.ErrorIs(t, late(), ErrState)
		require.ErrorIs(t, late(), ErrLimit)
	}
	require.LessOrEqual(t, cap(s.m.outputs.waiting), 8*maxOutputs)
}

// What one contact leaves behind when it is removed is its own alone.
func TestOutputsOfOthersStay(t *testing.T) {
	s := begin(t)
	alice, carol := s.friend("alice"), s.friend("carol")
	require.NoError(t, s.m.Begin(s.now, alice.key(), alice.at))
	require.NoError(t, s.m.Begin(s.now, carol.key(), carol.at))
	s.jump(500 * time.Millisecond)
	require.NoError(t, s.m.HandleTimeout(s.now))
	_, ok := s.m.Output() // alice's
	require.True(t, ok)
	s.m.Remove(alice.key())
	for _, out := range s.m.outputs.waiting[len(s.m.outputs.waiting):cap(s.m.outputs.waiting)] {
		require.Zero(t, out)
	}
	s.drain()
	carol.wantKnock()
	require.Equal(t, carol.at, s.want(OutputTransmit).To)
	s.wantNothing()
}
