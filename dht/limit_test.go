package dht

import (
	"encoding/binary"
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

// Which addresses have the same key nobody knows but the node. (That of an IPv6 address was once a formula that anybody can solve for the
// lower half of his own address, and so count as a neighbour that he does not want to be pinged.)
func TestKeysAreSecret(t *testing.T) {
	a, b := keys{1, 2}, keys{1, 3}
	seen := map[uint64]string{}
	for _, s := range []string{"1.2.3.4:5", "1.2.3.5:5", "[2a00::1]:5", "[2a00::2]:5", "[2a00:0:0:1::1]:5", "127.0.0.1:5", "127.0.0.1:6", "[fd00::1]:5", "[fd00::1]:6"} {
		key := a.address(addr(s))
		require.Empty(t, seen[key], s)
		seen[key] = s
		require.NotEqual(t, key, b.address(addr(s)))
	}
	require.Equal(t, a.address(addr("1.2.3.4:5")), a.address(addr("1.2.3.4:6")))
	require.Equal(t, a.network(addr("1.2.3.4:5")), a.network(addr("1.2.3.99:6")))
	require.NotEqual(t, a.network(addr("1.2.3.4:5")), a.network(addr("1.2.4.4:5")))
	require.Equal(t, a.network(addr("[2a00:1:2:3::]:5")), a.network(addr("[2a00:1:2:ffff::]:5")))
	require.NotEqual(t, a.network(addr("[2a00:1:2::]:5")), a.network(addr("[2a00:1:3::]:5")))
	require.NotEqual(t, a.network(addr("127.0.0.1:5")), a.network(addr("127.0.0.1:6")))

	victim := addr("81.2.69.142:6881")
	ip := victim.Addr().As16()
	taken := binary.BigEndian.Uint64(ip[:]) ^ binary.BigEndian.Uint64(ip[8:])*0x9e3779b97f4a7c15
	var thief [16]byte
	binary.BigEndian.PutUint64(thief[:], 0x2a00_0001_0002_0003)
	binary.BigEndian.PutUint64(thief[8:], (taken^0x2a00_0001_0002_0003)*inverse(0x9e3779b97f4a7c15))
	s := begin(t, 0x00, func(c *Config) { c.IPv6 = true })
	s.send(netip.AddrPortFrom(netip.AddrFrom16(thief), 6881), "d1:ad2:id20:<80>e1:q4:ping1:t2:aa1:y1:qe")
	s.asked = nil
	s.send(victim, "d1:ad2:id20:<81>e1:q4:ping1:t2:aa1:y1:qe")
	s.take(victim)
}

// inverse returns the number whose product with odd is 1.
func inverse(odd uint64) uint64 {
	x := odd
	for range 6 {
		x *= 2 - odd*x
	}
	return x
}

// A ledger grows with what matters at one time, as far as its limit, and no further; keys that differ anywhere are spread over all of it.
func TestLedgerGrowsWithWhatMatters(t *testing.T) {
	l := newLedger(1<<12, 1)
	for i := range uint64(100_000) { // one after the other
		l.note(i, time.Second, instant(1+i)*time.Second)
	}
	require.Equal(t, 1, len(l.sets))
	for i := range uint64(200) { // all at once
		l.note(i<<40, time.Hour, 1<<60)
	}
	require.Greater(t, len(l.sets)*ways, 200)
	for i := range uint64(200) {
		require.True(t, l.noted(i<<40, time.Hour, 1<<60), i)
	}
	for i := range uint64(100_000) {
		l.note(i<<40, time.Hour, 1<<60)
	}
	require.Equal(t, 1<<12, len(l.sets)*ways)
	// What matters longest is kept.
	l = newLedger(1<<12, 1)
	l.note(7, 2*time.Hour, 1)
	for i := range uint64(100_000) {
		l.note(1<<32|i, time.Hour, 1)
	}
	require.True(t, l.noted(7, time.Hour, 1))
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
