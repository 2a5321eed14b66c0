package conformance

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"kith/internal/udp"
)

// A port that another case has left is not spoken from again: the target may know who was there.
func TestNoAddressIsUsedTwice(t *testing.T) {
	used := &usedAddresses{all: map[netip.AddrPort]bool{}}
	target := Address{V4: netip.MustParseAddrPort("127.0.0.1:9")}
	seen := map[netip.AddrPort]bool{}
	for range 50 {
		w := newLive(target, 3, udp.NewPace(0), nil, used)
		for want := range 4 {
			k, addr, err := w.Open(0, false)
			require.NoError(t, err)
			require.Equal(t, want, k)
			require.False(t, seen[addr])
			seen[addr] = true
		}
		w.close()
	}
}

// A taken port is passed over, and what arrives there is not the case's.
func TestATakenPortIsPassedOver(t *testing.T) {
	used := &usedAddresses{all: map[netip.AddrPort]bool{}}
	w := newLive(Address{V4: netip.MustParseAddrPort("127.0.0.1:9")}, 3, udp.NewPace(0), nil, used)
	defer w.close()
	_, spare, err := w.p.Open(netip.MustParseAddrPort("127.0.0.1:0")) // as if it had been refused
	require.NoError(t, err)
	k, addr, err := w.Open(0, false)
	require.NoError(t, err)
	require.Zero(t, k)
	w.Send(k, spare, []byte("to nobody"))
	w.Send(k, addr, []byte("to itself"))
	ev := w.Next(w.Now() + 1e9)
	require.Equal(t, Datagram, ev.Kind)
	require.Equal(t, "to itself", string(ev.Data))
	require.Equal(t, addr, ev.From)
}

func TestCasesSpeakFromNetworksOfTheirOwn(t *testing.T) {
	loop := netip.MustParseAddrPort("127.0.0.1:9")
	seen := map[netip.Prefix]bool{}
	for block := range blocks {
		for _, host := range []int{0, 1, hostsPerBlock - 1} {
			a := sources(loop, block, host)[0]
			p := netip.PrefixFrom(a, 24).Masked()
			require.True(t, a.IsLoopback())
			require.False(t, seen[p], "%v twice", p)
			require.False(t, netip.MustParsePrefix("127.0.0.0/15").Contains(a), "%v is the neighbours' or the machine's", a)
			seen[p] = true
		}
	}
}
