package dht

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestClasses(t *testing.T) {
	for class, addrs := range map[class][]string{
		global:    {"1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.0", "172.32.0.1", "223.255.255.255", "2a00::1", "2001:4860::8888"},
		private:   {"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "fc00::1", "fd12::1"},
		linkLocal: {"169.254.1.1", "fe80::1"},
		loopback:  {"127.0.0.1", "127.255.255.254", "::1"},
		carrier:   {"100.64.0.1", "100.127.255.255"},
		never: {"0.0.0.0", "0.1.2.3", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "198.51.100.1",
			"203.0.113.1", "::", "::ffff:1.1.1.1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "ff02::1", "2001:db8::1", "2001:2::1", "3fff::1", "3fff:fff::1", "100::1", "64:ff9b::1"},
	} {
		for _, a := range addrs {
			require.Equal(t, class, classOf(netip.MustParseAddr(a)), a)
			if a := netip.MustParseAddr(a); !a.Is4In6() {
				require.Equal(t, class.local(), isLocal(a), a)
			}
		}
	}
	require.Equal(t, never, classOf(netip.Addr{}))
	require.Equal(t, "IPv4 IPv6", V4.String()+" "+V6.String())
}

func TestWhatIsBelieved(t *testing.T) {
	require.True(t, believable(addr("1.1.1.1:1"), global))
	require.True(t, believable(addr("1.1.1.1:1"), loopback))
	require.False(t, believable(addr("1.1.1.1:0"), global))
	require.False(t, believable(addr("127.0.0.1:1"), global))
	require.True(t, believable(addr("127.0.0.1:1"), loopback))
	require.False(t, believable(addr("10.0.0.1:1"), loopback))
	require.True(t, believable(addr("10.0.0.1:1"), private))
	require.True(t, believable(addr("169.254.1.1:1"), linkLocal))
	require.False(t, believable(addr("[fe80::1]:1"), linkLocal), "whose interface nobody knows")
	require.False(t, believable(addr("224.0.0.1:1"), never))
	require.False(t, believable(addr("[::ffff:1.1.1.1]:1"), never))
}

func TestOwners(t *testing.T) {
	for _, v := range []struct {
		a, b string
		same bool
	}{
		{"1.2.3.4:5", "1.2.3.4:6", true},
		{"1.2.3.4:5", "1.2.3.5:5", true},
		{"1.2.3.4:5", "1.2.4.4:5", false},
		{"[2a00:1:2:3::4]:5", "[2a00:1:2:ffff::1]:6", true},
		{"[2a00:1:2:3::4]:5", "[2a00:1:3:3::4]:5", false},
		{"127.0.0.1:5", "127.0.0.1:6", false},
		{"127.0.0.1:5", "127.0.0.1:5", true},
		{"127.0.0.1:5", "127.0.0.2:5", false},
		{"192.168.0.1:5", "192.168.0.2:5", false},
	} {
		require.Equal(t, v.same, sameOwner(addr(v.a), addr(v.b)), "%s %s", v.a, v.b)
	}
}
