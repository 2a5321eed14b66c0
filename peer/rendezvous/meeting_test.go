package rendezvous_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/dht"
	"kith/handshake"
	"kith/peer/rendezvous"
)

// TestTwoWhoStartTogether: whichever put ends last, one of the two finds the other before the first timer.
func TestTwoWhoStartTogether(t *testing.T) {
	longest, own := time.Duration(0), seed(t, 1)
	for i := range 20 {
		w := newWorld(t, own+uint64(i), 12)
		a, b := w.person(0), w.person(0)
		befriend(a, b)
		a.begins(b)
		apart := time.Duration(i/4) * 150 * time.Millisecond
		w.Run(apart)
		b.begins(a)
		longest = max(longest, w.wantMeeting(a, b, 5*time.Second, "the %d-th", i))
		w.Run(time.Minute)
		if apart == 0 {
			require.Empty(t, a.told(rendezvous.OutputNotFound, b))
		}
		require.Empty(t, b.told(rendezvous.OutputNotFound, a))
		require.Len(t, a.told(rendezvous.OutputPublished, b), 1)
	}
	t.Logf("the longest took %v", longest)
}

// TestOneNodeIsEnough: with a network of one node the put and the get begin at once, and a record that one node has is found.
func TestOneNodeIsEnough(t *testing.T) {
	w := newWorld(t, seed(t, 1), 1)
	a, b := w.person(0), w.person(0)
	befriend(a, b)
	a.begins(b)
	begun := w.Now()
	require.NotZero(t, a.count(begun, func(q query) bool { return q.method == "get" }))
	w.Run(5 * time.Second)
	require.Len(t, a.told(rendezvous.OutputPublished, b), 1)
	b.begins(a)
	require.Less(t, w.wantMeeting(a, b, time.Second), 500*time.Millisecond)
}

// TestAnExistingRecordIsUsedAtOnce: the knock goes out while the look-up goes on, and before one's own put has ended.
func TestAnExistingRecordIsUsedAtOnce(t *testing.T) {
	w := newWorld(t, seed(t, 1), 30)
	a, b := w.person(0), w.person(0)
	befriend(a, b)
	a.begins(b)
	w.Run(30 * time.Minute)
	require.Len(t, a.told(rendezvous.OutputNotFound, b), 1, "told once")
	b.begins(a)
	w.wantMeeting(a, b, time.Second)
	require.Len(t, b.told(rendezvous.OutputKnock, a), 1)
	require.Equal(t, []netip.AddrPort{a.at}, b.told(rendezvous.OutputKnock, a)[0].To)
	require.Empty(t, b.told(rendezvous.OutputPublished, a))
}

// TestStartsApart: who comes later finds, however long the other has been there.
func TestStartsApart(t *testing.T) {
	own := seed(t, 1)
	for i, apart := range []time.Duration{3 * time.Second, 40 * time.Second, 10 * time.Minute, 3 * time.Hour, 15 * time.Hour} {
		w := newWorld(t, own+uint64(i), 12)
		a, b := w.person(0), w.person(0)
		befriend(a, b)
		a.begins(b)
		w.Run(apart)
		b.begins(a)
		w.wantMeeting(a, b, 5*time.Second, apart)
	}
}

// TestWhoMovesIsFound: his friend loses him, knocks where he was, and finds the record of where he is.
func TestWhoMovesIsFound(t *testing.T) {
	w := newWorld(t, seed(t, 1), 20)
	a, b := w.person(0), w.person(0)
	befriend(a, b)
	a.begins(b)
	b.begins(a)
	w.wantMeeting(a, b, 5*time.Second)
	w.Run(time.Hour)
	looked := b.count(w.Now().Add(-50*time.Minute), func(q query) bool {
		return q.method == "get" && q.target == slot(t, a.id, b.id, pairEpoch(t, b, a, w.Now()))
	})
	require.Zero(t, looked, "while a conversation is open nobody looks")

	was := a.at
	a.at = w.place()
	a.host.Move(a.at)
	a.do(func(now time.Time) { a.r.SetEndpoints(now, []netip.AddrPort{a.at}) })
	w.Run(time.Minute)
	b.open[a.id.PublicKey()], a.open[b.id.PublicKey()] = false, false
	lost := w.Now()
	b.do(func(now time.Time) {
		b.r.Open(now, a.id.PublicKey(), false)
		b.r.Search(now, a.id.PublicKey(), was, was)
	})
	knocks := b.told(rendezvous.OutputKnock, a)
	require.Equal(t, []netip.AddrPort{was}, knocks[len(knocks)-1].To, "where he was")
	require.Equal(t, lost, knocks[len(knocks)-1].at)
	w.wantMeeting(a, b, 26*time.Second)
	knocks = b.told(rendezvous.OutputKnock, a)
	require.Equal(t, a.at, knocks[len(knocks)-1].To[0], "where he is")
}

func pairEpoch(t *testing.T, p, q *person, now time.Time) uint64 {
	pair, err := handshake.NewPair(p.id, q.id.PublicKey())
	require.NoError(t, err)
	return pair.Epoch(now)
}

// TestTheReflexiveAddressIsPublished: somebody who knows none of his addresses hears of one, and publishes it.
func TestTheReflexiveAddressIsPublished(t *testing.T) {
	w := newWorld(t, seed(t, 1), 20)
	a, b := w.person(0), w.person(0)
	befriend(a, b)
	inner := netip.MustParseAddrPort("192.168.1.7:2000")
	a.do(func(now time.Time) {
		a.r.SetEndpoints(now, []netip.AddrPort{inner, netip.MustParseAddrPort("0.0.0.0:1"), inner})
		require.Equal(t, []netip.AddrPort{inner}, a.r.Endpoints())
		a.adds(now, b.id, now)
	})
	w.Run(5 * time.Second) // and does not wait until he may publish again, since it is the first time
	require.Equal(t, []netip.AddrPort{a.at, inner}, a.r.Endpoints())
	b.begins(a)
	w.wantMeeting(a, b, time.Second)
	require.Equal(t, []netip.AddrPort{a.at, inner}, b.told(rendezvous.OutputKnock, a)[0].To)
}

// TestEpochEdges: whenever the two start, however wrong their clocks are within 50 min each way, they meet.
func TestEpochEdges(t *testing.T) {
	own := seed(t, 1)
	i := 0
	for _, skew := range [][2]time.Duration{{0, 0}, {50 * time.Minute, 0}, {0, 50 * time.Minute}, {-50 * time.Minute, 0}, {0, -50 * time.Minute}, {-25 * time.Minute, 25 * time.Minute}} {
		for before := -60 * time.Minute; before <= 60*time.Minute; before += 30 * time.Minute {
			for _, apart := range []time.Duration{0, 100 * time.Minute} {
				i++
				w := newWorld(t, own+uint64(i), 8)
				a, b := w.person(skew[0]), w.person(skew[1])
				befriend(a, b)
				pair, err := handshake.NewPair(a.id, b.id.PublicKey())
				require.NoError(t, err)
				edge := handshake.EpochLength - (w.Now().Unix()+int64(pair.Phase()))%handshake.EpochLength
				begin := w.Now().Add(time.Duration(edge)*time.Second - before)
				if begin.Before(w.Now()) {
					begin = begin.Add(handshake.EpochLength * time.Second)
				}
				w.Run(begin.Sub(w.Now()))
				a.begins(b)
				w.Run(apart)
				b.begins(a)
				w.wantMeeting(a, b, 6*time.Second, "skews %v, %v before the edge, %v apart", skew, before, apart)
			}
		}
	}
	t.Logf("%d meetings", i)
}

// TestAnOldRecordInTheOldSlot: somebody comes back at another address, within the hour after an edge by his clock and before it by his friend's, who finds the new address although
// the old record is still where he looks first.
func TestAnOldRecordInTheOldSlot(t *testing.T) {
	w := newWorld(t, seed(t, 1), 12)
	a, b := w.person(50*time.Minute), w.person(0)
	befriend(a, b)
	pair, err := handshake.NewPair(a.id, b.id.PublicKey())
	require.NoError(t, err)
	edge := time.Duration(handshake.EpochLength-(w.Now().Unix()+int64(pair.Phase()))%handshake.EpochLength) * time.Second
	w.Run(edge - 58*time.Minute) // by a's clock it is 8 min before it
	a.begins(b)
	w.Run(20 * time.Second)
	a.leaves()
	w.Run(10 * time.Minute)
	w.people = w.people[1:]
	back := w.returns(a.id, 50*time.Minute, dht.Config{Bootstrap: w.doors})
	befriend(back, b)
	back.begins(b)
	w.Run(10 * time.Second)
	b.begins(back)
	w.wantMeeting(back, b, 2*time.Second)
}

// TestClockBeyondAnHour: the one that is behind is told how far the other is ahead.
func TestClockBeyondAnHour(t *testing.T) {
	w := newWorld(t, seed(t, 1), 12)
	a, b := w.person(90*time.Minute), w.person(0)
	befriend(a, b)
	pair, err := handshake.NewPair(a.id, b.id.PublicKey())
	require.NoError(t, err)
	edge := time.Duration(handshake.EpochLength-(w.Now().Unix()+int64(pair.Phase()))%handshake.EpochLength) * time.Second
	w.Run(edge + time.Hour) // now both are in one epoch
	a.do(func(now time.Time) {
		a.r.SetEndpoints(now, []netip.AddrPort{a.at})
		a.adds(now, b.id, now)
	})
	w.Run(10 * time.Second)
	b.begins(a)
	w.Run(30 * time.Minute)
	clocks := b.told(rendezvous.OutputClock, a)
	require.Len(t, clocks, 1, "once in an hour")
	require.InDelta(t, (90 * time.Minute).Seconds(), clocks[0].Ahead.Seconds(), 15)
	require.Empty(t, b.told(rendezvous.OutputKnock, a), "what is refused has no effect")
	require.Empty(t, b.told(rendezvous.OutputNotFound, a), "and it was there")
	require.Empty(t, a.told(rendezvous.OutputClock, b), "from there b is in the past, and what he says is old, but not too old")
}

// TestTheSeedDecides: with the same seed the same happens.
func TestTheSeedDecides(t *testing.T) {
	run := func(s uint64) [32]byte {
		w := newWorld(t, s, 10)
		a, b := w.person(0), w.person(0)
		befriend(a, b)
		a.begins(b)
		w.Run(time.Minute)
		b.begins(a)
		w.wantMeeting(a, b, 5*time.Second)
		w.Run(time.Hour)
		a.loses(b)
		w.Run(time.Hour)
		return w.Trace()
	}
	own := seed(t, 1)
	require.Equal(t, run(own), run(own))
	require.NotEqual(t, run(own), run(own+1))
}
