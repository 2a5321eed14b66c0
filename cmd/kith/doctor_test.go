package main

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/dht"
	"kith/internal/udp"
)

// findings parses what kith doctor --json printed, by check.
func findings(t *testing.T, out string) map[string]finding {
	all := map[string]finding{}
	for l := range strings.Lines(out) {
		var f finding
		require.NoError(t, json.Unmarshal([]byte(l), &f), l)
		require.NotContains(t, all, f.Check)
		all[f.Check] = f
	}
	return all
}

func TestDoctorInANetworkOfOnesOwn(t *testing.T) {
	door := swarm(t, 9)[0]
	got := kith(t, "doctor", "--bootstrap", door, "--listen", "127.0.0.1:0", "--wait", "2s", "--json")
	require.Zero(t, got.code, got.errs)
	all := findings(t, got.out)
	require.Contains(t, []string{well, note}, all["clock"].State)
	require.Equal(t, well, all["port"].State)
	require.Equal(t, well, all["dht"].State)
	require.Positive(t, all["dht"].Nodes)
	require.Equal(t, note, all["address"].State, "nodes on loopback do not vote")
	require.NotEmpty(t, all["address"].Do)

	got = kith(t, "doctor", "--bootstrap", door, "--listen", "127.0.0.1:0", "--wait", "1s")
	require.Zero(t, got.code)
	require.Regexp(t, `(?m)^well  port       listening on 127\.0\.0\.1:\d+$`, got.out)
	require.Regexp(t, `(?m)^well  dht        \d+ nodes found`, got.out)
	require.Empty(t, got.errs)
}

func TestDoctorFindsWhatIsIll(t *testing.T) {
	taken := startNode(t, "--bootstrap", "none").wait("listening").Addresses[0]
	got := kith(t, "doctor", "--bootstrap", "127.0.0.1:1", "--listen", taken, "--json")
	require.Equal(t, exitNetwork, got.code)
	port := findings(t, got.out)["port"]
	require.Equal(t, ill, port.State)
	require.Contains(t, port.Says, "another program has it")
	require.NotEmpty(t, port.Do)

	got = kith(t, "doctor", "--bootstrap", swarmOfNone(t), "--listen", "127.0.0.1:0", "--wait", "300ms", "--json")
	require.Equal(t, exitNetwork, got.code)
	nobody := findings(t, got.out)["dht"]
	require.Equal(t, ill, nobody.State)
	require.Contains(t, nobody.Do, "firewall")
}

func TestDoctorMisused(t *testing.T) {
	for _, args := range []string{"--wait 0s", "--bootstrap none", "--listen nowhere", "more"} {
		got := kith(t, append([]string{"doctor"}, strings.Fields(args)...)...)
		require.Equal(t, exitCode(exitUsage), exitCode(got.code), args)
		require.Contains(t, got.errs, "Try: kith doctor --help")
	}
}

func TestDoctorJudgesTheClock(t *testing.T) {
	now := udp.Now()
	require.Equal(t, ill, clockFinding(now, now.Add(time.Hour)).State)
	require.NotEqual(t, ill, clockFinding(now, now.Add(-time.Hour)).State)
	require.NotEqual(t, ill, clockFinding(now, time.Time{}).State)
}

func TestDoctorJudgesTheAddress(t *testing.T) {
	d, err := udp.Listen(udp.Config{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}})
	require.NoError(t, err)
	defer d.Close()
	port := d.LocalAddrs()[0].Port()
	for _, c := range []struct {
		own  netip.AddrPort
		says string
	}{
		{netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port), "this machine's own"},
		{netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port), "keeps the port"},
		{netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port^1), "changes port"},
	} {
		s := sight{endpoint: [2]netip.AddrPort{c.own}}
		got := s.address(dht.V4, d)
		require.Equal(t, well, got.State)
		require.Contains(t, got.Says, c.says)
		require.Equal(t, c.own.String(), got.Endpoint)
	}
}

func TestDoctorIsDoneWhenAllIsKnown(t *testing.T) {
	a := netip.MustParseAddrPort("192.0.2.1:6881")
	known := sight{ready: [2]bool{true, true}, endpoint: [2]netip.AddrPort{a}, reached: [2]bool{true, false}}
	known.Nodes[0] = 50
	require.True(t, known.whole(), "IPv6 has nobody")
	known.Nodes[1] = 1
	require.False(t, known.whole())
	require.False(t, (&sight{}).whole())
}
