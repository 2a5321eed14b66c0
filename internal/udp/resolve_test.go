package udp

import (
	"context"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestResolve(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	got := Resolve(ctx, "192.0.2.1:6881", "[2001:db8::1]:1", "[::ffff:192.0.2.2]:2", "localhost:3", "192.0.2.1", "")
	require.Len(t, got, 6)
	for i, want := range []string{"192.0.2.1:6881", "[2001:db8::1]:1", "192.0.2.2:2"} {
		require.NoError(t, got[i].Err)
		require.Equal(t, []netip.AddrPort{netip.MustParseAddrPort(want)}, got[i].Addrs)
	}
	require.NoError(t, got[3].Err)
	for _, a := range got[3].Addrs {
		require.True(t, a.Addr().IsLoopback())
		require.EqualValues(t, 3, a.Port())
	}
	require.Error(t, got[4].Err)
	require.Error(t, got[5].Err)
}

func TestResolveEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := Resolve(ctx, "name.invalid:1", "127.0.0.1:1")
	require.Error(t, got[0].Err)
	require.NoError(t, got[1].Err, "an address needs nobody")
}

func TestCheckName(t *testing.T) {
	for _, good := range []string{"a:1", "router.bittorrent.com:6881", "192.0.2.1:65535", "[::1]:1"} {
		require.NoError(t, CheckName(good), good)
	}
	for _, bad := range []string{"", ":", "a", ":1", "a:", "a:0", "a:65536", "a:-1", "a:b", "::1:1", "a:1:2"} {
		require.Error(t, CheckName(bad), bad)
	}
}
