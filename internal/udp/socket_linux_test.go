package udp

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A connected socket hears only the address that it asked, so each answer has to come from there, also where many at once were asked at
// different addresses of one host.
func TestAnswersComeFromTheAddressThatWasAsked(t *testing.T) {
	d, m := start(t, netip.MustParseAddrPort("0.0.0.0:0"))
	port := d.LocalAddrs()[0].Port()
	var clients []*net.UDPConn
	for i := range 2 * batch {
		to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 1, byte(1 + i)}), port)
		c, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(to))
		require.NoError(t, err)
		defer c.Close()
		require.NoError(t, c.SetDeadline(Now().Add(patience)))
		clients = append(clients, c)
	}
	for range 3 {
		for i, c := range clients {
			say(t, c, []byte{2, byte(i)})
		}
		for i, c := range clients {
			require.Equal(t, []byte{2, byte(i)}, hear(t, c))
			require.Equal(t, []byte{2, byte(i)}, hear(t, c))
		}
	}
	// What answers nothing leaves from wherever the kernel likes.
	c := dial(t, d, 0)
	to := c.LocalAddr().(*net.UDPAddr).AddrPort()
	require.NoError(t, d.Do(func(now time.Time) { m.out = append(m.out, sent{to, []byte("x")}) }))
	require.Equal(t, "x", string(hear(t, c)))
	require.Zero(t, d.Stats().WriteErrors)
}

func TestAnswersComeFromTheAddressThatWasAskedOverIPv6(t *testing.T) {
	haveIPv6(t)
	d, _ := start(t, netip.MustParseAddrPort("[::]:0"))
	asked := []netip.Addr{netip.IPv6Loopback()}
	if a := otherIPv6(t); a.IsValid() {
		asked = append(asked, a) // from ::1 the kernel would answer as ::1
	}
	for _, a := range asked {
		to := netip.AddrPortFrom(a, d.LocalAddrs()[0].Port())
		c, err := net.DialUDP("udp6", net.UDPAddrFromAddrPort(loopback6), net.UDPAddrFromAddrPort(to))
		require.NoError(t, err)
		defer c.Close()
		require.NoError(t, c.SetDeadline(Now().Add(patience)))
		for range 3 {
			say(t, c, []byte{1})
			require.Equal(t, []byte{1}, hear(t, c))
		}
	}
	require.Zero(t, d.Stats().WriteErrors)
}

// otherIPv6 returns an address of this host beside ::1 that needs no zone, not valid if there is none.
func otherIPv6(t *testing.T) netip.Addr {
	addrs, err := net.InterfaceAddrs()
	require.NoError(t, err)
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is6() && !p.Addr().IsLoopback() && !p.Addr().IsLinkLocalUnicast() {
			return p.Addr()
		}
	}
	t.Log("the host has no IPv6 address beside ::1, so only that is asked")
	return netip.Addr{}
}
