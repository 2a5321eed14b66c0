package udp

import (
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestProbeHearsEachSocketApart(t *testing.T) {
	p := NewProbe()
	defer p.Close()
	loop := netip.MustParseAddrPort("127.0.0.1:0")
	a, addrA, err := p.Open(loop)
	require.NoError(t, err)
	b, addrB, err := p.Open(loop)
	require.NoError(t, err)
	_, err = p.Send(a, addrB, []byte("to b"))
	require.NoError(t, err)
	got, ok := p.Next(p.Now() + time.Minute)
	require.True(t, ok)
	require.Equal(t, b, got.Sock)
	require.Equal(t, addrA, got.From)
	require.Equal(t, "to b", string(got.Data))
	_, ok = p.Next(p.Now())
	require.False(t, ok)
	p.Post([]byte("gone"))
	got, ok = p.Next(p.Now())
	require.True(t, ok)
	require.Equal(t, -1, got.Sock)
}

func TestAskNoticesAClosedPort(t *testing.T) {
	p := NewProbe()
	_, addr, err := p.Open(netip.MustParseAddrPort("127.0.0.1:0"))
	require.NoError(t, err)
	_, err = Ask(addr, []byte("x"), time.Millisecond, func([]byte) bool { return true })
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	p.Close()
	_, err = Ask(addr, []byte("x"), time.Minute, func([]byte) bool { return true })
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	_, _, err = p.Open(netip.MustParseAddrPort("127.0.0.1:0"))
	require.Error(t, err)
}
