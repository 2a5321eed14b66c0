package conversation

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/handshake"
)

var (
	home = netip.MustParseAddrPort("192.0.2.1:6881")
	away = netip.MustParseAddrPort("198.51.100.7:4000")

	cidk = [32]byte{1, 2, 3}
)

// A pathScript is what happens to one side's path: its own role is I, and the other is at home.
type pathScript struct {
	*testing.T
	path
	now time.Time
}

func newPathScript(t *testing.T) *pathScript {
	return &pathScript{t, newPath(handshake.Initiator, &cidk, home), start}
}

func (s *pathScript) advance(d time.Duration) { s.now = s.now.Add(d) }

// open lets a datagram of 169 bytes open.
func (s *pathScript) open(from netip.AddrPort, i uint32, newest bool) {
	s.Helper()
	cid := handshake.NewCID(&cidk, handshake.Initiator, i)
	require.True(s, s.takes(i, cid[:]))
	s.opened(s.now, from, i, newest, 169)
}

// asks reports whether a ping is to go to where the newest datagram came from.
func (s *pathScript) asks() bool { return !s.askAt().IsZero() && !s.askAt().After(s.now) }

// ping sends a ping to the address of r, and returns its value.
func (s *pathScript) ping(r *remote, value byte) []byte {
	v := [PingValue]byte{value}
	r.pinged(s.now, v, s.use)
	return v[:]
}

// pong lets an answer open, and says where everything goes then.
func (s *pathScript) pong(value []byte, want netip.AddrPort) {
	s.Helper()
	s.answered(s.now, value)
	require.Equal(s, want, s.here.addr)
}

func TestPathTakesEightIDs(t *testing.T) { // peer-cid-taken
	s := newPathScript(t)
	s.open(home, 7, true)
	for i, want := range map[uint32]bool{0: false, 6: false, 7: true, 14: true, 15: false} {
		cid := handshake.NewCID(&cidk, handshake.Initiator, i)
		require.Equal(t, want, s.takes(i, cid[:]), i)
	}
	other := handshake.NewCID(&cidk, handshake.Responder, 7)
	require.False(t, s.takes(7, other[:]), "the other's own")
}

func TestPathGoesUpWhenTheOtherDid(t *testing.T) { // peer-cid-follows
	s := newPathScript(t)
	s.open(home, 3, true)
	require.EqualValues(t, 1, s.use)
	require.Equal(t, handshake.NewCID(&cidk, handshake.Responder, 1), s.cid)
	s.open(home, 3, true)
	require.EqualValues(t, 1, s.use, "not higher than before")
}

func TestPathsDoNotDriveEachOtherUp(t *testing.T) {
	a, b := newPathScript(t), newPathScript(t)
	require.True(t, a.up())
	for range 10 {
		b.open(home, a.use, true)
		a.open(home, b.use, true)
	}
	require.EqualValues(t, 1, a.use)
	require.EqualValues(t, 1, b.use)
}

func TestPathGoesSevenAheadOfWhatWasAnswered(t *testing.T) { // peer-cid-ahead
	s := newPathScript(t)
	for range 7 {
		require.True(t, s.up())
	}
	require.False(t, s.up())
	require.EqualValues(t, 7, s.use)

	s.pong(s.ping(&s.here, 1), home)
	for range 7 {
		require.True(t, s.up())
	}
	require.False(t, s.up())
}

func TestPathMovesWhenAPingIsAnswered(t *testing.T) { // peer-path-proved
	s := newPathScript(t)
	s.open(away, 0, true)
	require.True(t, s.asks())
	require.Equal(t, home, s.here.addr)
	value := s.ping(&s.there, 1)
	require.False(t, s.asks(), "one ping is out")

	s.pong([]byte{2, 0, 0, 0, 0, 0, 0, 0}, home)
	s.pong(nil, home)
	s.pong(value, away)
	require.False(t, s.there.addr.IsValid())
}

func TestPathFollowsTheNewestOnly(t *testing.T) {
	s := newPathScript(t)
	s.open(away, 0, false) // late
	require.False(t, s.asks())

	s.open(away, 0, true)
	value := s.ping(&s.there, 1)
	s.open(home, 0, true) // newer: away was somebody's copy
	require.False(t, s.asks())
	s.pong(value, home)
}

func TestPathTakesTheLastPingOfTenSeconds(t *testing.T) { // peer-path-answer
	s := newPathScript(t)
	s.open(away, 0, true)
	first := s.ping(&s.there, 1)
	s.advance(pathAgain)
	require.True(t, s.asks(), "again")
	last := s.ping(&s.there, 2)
	s.pong(first, home)
	s.advance(pathLife)
	s.pong(last, home)

	s.open(away, 0, true) // forgotten, and there again
	require.True(t, s.asks())
	last = s.ping(&s.there, 3)
	s.advance(pathLife - 1)
	s.pong(last, away)
}

func TestPathSendsThreeTimesWhatCame(t *testing.T) { // peer-path-amplification
	s := newPathScript(t)
	s.open(away, 0, true)
	require.Equal(t, 3*169, s.room())
	s.there.went += 2 * 169
	require.False(t, s.asks(), "too little is left for a ping that has to be long")
	s.open(away, 0, false)
	require.Equal(t, 4*169, s.room())
	require.True(t, s.asks())
}

func TestPathErases(t *testing.T) { // peer-over-erase
	s := newPathScript(t)
	s.erase()
	require.Zero(t, s.cidk)
	require.Zero(t, s.cid)
	require.Zero(t, s.taken)
}
