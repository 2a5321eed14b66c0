package dht

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// allowed counts how many of n queries from a are allowed at now.
func allowed(l *limiter, a string, n int, now instant) int {
	ok := 0
	for range n {
		if l.allow(netip.MustParseAddr(a), now) {
			ok++
		}
	}
	return ok
}

func TestLimitOfASource(t *testing.T) {
	l := newLimiter(250, 500, 1)
	require.Equal(t, 500, allowed(&l, "1.2.3.4", 10000, 1))
	require.Equal(t, 500, allowed(&l, "1.2.3.5", 10000, 1), "the neighbour has his own")
	require.Equal(t, 250, allowed(&l, "1.2.3.4", 10000, 1+time.Second))
	require.Equal(t, 1, allowed(&l, "1.2.3.4", 10000, 1+time.Second+4*time.Millisecond))
	require.Equal(t, 500, allowed(&l, "1.2.3.4", 10000, 1+time.Hour))
}

func TestLimitOfIPv6(t *testing.T) {
	l := newLimiter(250, 500, 1)
	require.Equal(t, 500, allowed(&l, "2a00:1:2:3::1", 10000, 1))
	require.Equal(t, 0, allowed(&l, "2a00:1:2:3:4::2", 10000, 1), "of the same /64")
	for i, want := range []int{500, 500, 500, 0} { // the /48 has four times as much
		a := netip.MustParseAddr("2a00:1:2:4::").As16()
		a[7] += byte(i)
		require.Equal(t, want, allowed(&l, netip.AddrFrom16(a).String(), 10000, 1), i)
	}
	require.Equal(t, 500, allowed(&l, "2a00:1:3::", 10000, 1), "another /48")
	require.Equal(t, 500, allowed(&l, "::1", 10000, 1), "a /64 that is its own /48")
}

// While strangers flood from ever new sources, each other source is still served.
func TestLimitUnderAFlood(t *testing.T) {
	l := newLimiter(250, 500, 1)
	now := instant(1)
	for i := range 300_000 {
		now += 10 * time.Microsecond
		l.allow(netip.AddrFrom4([4]byte{byte(1 + i>>24), byte(i >> 16), byte(i >> 8), byte(i)}), now)
		if i%1000 == 0 {
			require.True(t, l.allow(netip.MustParseAddr("200.1.1.1"), now))
		}
	}
	require.LessOrEqual(t, len(l.sets)*ways, limitedSources)
}

// However keys come, the ledger keeps what it is told as long as it has room, and its bound.
func TestLedgerAgainstAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLedger(256, rapid.Uint64().Draw(t, "secret"))
		model := map[uint64]instant{}
		now := instant(1)
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			now += instant(rapid.IntRange(0, 10).Draw(t, "pause"))
			key := rapid.Uint64Range(0, 40).Draw(t, "key")
			until := l.until(key, now)
			if model[key] > now {
				require.Equal(t, model[key], *until)
			} else {
				require.LessOrEqual(t, *until, now)
			}
			*until = now + instant(rapid.IntRange(0, 100).Draw(t, "for"))
			model[key] = *until
		}
		require.LessOrEqual(t, len(l.sets)*ways, 256)
	})
}
