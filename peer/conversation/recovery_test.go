package conversation

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const ms = time.Millisecond

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return start.Add(d) }

func TestEstimateOfTheRoundTrip(t *testing.T) {
	var e estimate
	require.Equal(t, time.Second, e.probeTimeout(0), "at first")

	e.sample(100 * ms) // RFC 9002, 5.3: the first sample
	require.Equal(t, estimate{latest: 100 * ms, smoothed: 100 * ms, variance: 50 * ms, least: 100 * ms}, e)
	require.Equal(t, 325*ms, e.probeTimeout(0))

	e.sample(180 * ms)
	require.Equal(t, estimate{latest: 180 * ms, smoothed: 110 * ms, variance: 57500 * time.Microsecond, least: 100 * ms}, e)
	require.Equal(t, 202500*time.Microsecond, e.lossDelay(), "9/8 of the latest, which is more than the smoothed")

	e.sample(0) // a clock that stood still
	require.Equal(t, time.Microsecond, e.least)
}

func TestProbeTimeoutDoublesAndHasAnEnd(t *testing.T) {
	var e estimate
	for i, want := range []time.Duration{1, 2, 4, 8, 10, 10} {
		require.Equal(t, want*time.Second, e.probeTimeout(i))
	}
	require.Equal(t, maxProbe, e.probeTimeout(1_000))
}

func TestLossDelayIsNotFinerThanAClock(t *testing.T) {
	var e estimate
	e.sample(10 * time.Microsecond)
	require.Equal(t, ms, e.lossDelay())
}

func TestWindowGrowsWhereItIsUsed(t *testing.T) {
	w := newWindow()
	w.arrived(at(0), 4)
	require.Equal(t, 10, w.size, "less than half of it was used")
	for i := range 10 {
		w.arrived(at(0), 10+i)
	}
	require.Equal(t, 20, w.size, "slow start doubles it in a round trip")

	for range 1_000 {
		w.arrived(at(0), w.size)
	}
	require.Equal(t, 256, w.size, "peer-flight")
}

func TestWindowHalvesOnceARoundTrip(t *testing.T) {
	w := newWindow()
	w.size = 64
	w.lost(at(100*ms), at(10*ms))
	require.Equal(t, 32, w.size)
	w.lost(at(101*ms), at(20*ms)) // sent before the window was halved
	require.Equal(t, 32, w.size)
	w.arrived(at(20*ms), 32)
	require.Equal(t, 32, w.size)

	for range 31 {
		w.arrived(at(110*ms), 32)
	}
	require.Equal(t, 32, w.size, "congestion avoidance: one more in a round trip")
	w.arrived(at(110*ms), 32)
	require.Equal(t, 33, w.size)

	for i := range 10 {
		w.lost(at(time.Duration(200+2*i)*ms), at(time.Duration(199+2*i)*ms))
	}
	require.Equal(t, 2, w.size)
}

func TestPaceSpreadsAWindowOverARoundTrip(t *testing.T) {
	e, w := estimate{smoothed: 100 * ms}, window{size: 40} // one each 2 ms
	each := interval(&e, &w)
	require.Equal(t, 2*ms, each)

	var p pacer
	now, sent := at(0), 0
	for ; !p.ready(each).After(now); sent++ {
		p.sent(now, each)
	}
	require.Equal(t, 10, sent, "a burst")
	require.Equal(t, at(2*ms), p.ready(each))

	now = at(10 * ms)
	for ; !p.ready(each).After(now); sent++ {
		p.sent(now, each)
	}
	require.Equal(t, 15, sent)
}

func TestPaceAllowsWhatTwoMillisecondsHold(t *testing.T) {
	e, w := estimate{smoothed: ms}, window{size: 40}
	each := interval(&e, &w) // 20 µs
	var p pacer
	sent := 0
	for ; !p.ready(each).After(at(0)); sent++ {
		p.sent(at(0), each)
	}
	require.Equal(t, 100, sent)
}

func TestPaceHoldsNothingBackWhileTheRoundTripIsNotKnown(t *testing.T) {
	var e estimate
	w := newWindow()
	each := interval(&e, &w)
	var p pacer
	for range 1_000 {
		p.sent(at(0), each)
	}
	require.False(t, p.ready(each).After(at(0)))
}
