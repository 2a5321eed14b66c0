package main

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"kith/conformance"
)

func TestTargetsByNameAndAddress(t *testing.T) {
	v4, v6 := netip.MustParseAddrPort("127.0.0.1:6881"), netip.MustParseAddrPort("[::1]:6882")
	for _, c := range []struct {
		args []string
		want conformance.Address
	}{
		{nil, conformance.Address{}},
		{[]string{"127.0.0.1:6881"}, conformance.Address{V4: v4}},
		{[]string{"[::ffff:127.0.0.1]:6881"}, conformance.Address{V4: v4}},
		{[]string{"localhost:6881"}, conformance.Address{V4: v4}},
		{[]string{"[::1]:6882"}, conformance.Address{V6: v6}},
		{[]string{"127.0.0.1:6881", "[::1]:6882"}, conformance.Address{V4: v4, V6: v6}},
		{[]string{"[::1]:6882", "127.0.0.1:6881"}, conformance.Address{V4: v4, V6: v6}},
	} {
		got, err := findTarget(t.Context(), c.args)
		require.NoError(t, err, "%v", c.args)
		require.Equal(t, c.want, got, "%v", c.args)
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"127.0.0.1"}, "no address with a port"},
		{[]string{"localhost:0"}, "no address with a port"},
		{[]string{"127.0.0.1:99999"}, "no address with a port"},
		{[]string{":6881"}, "no address with a port"},
		{[]string{"127.0.0.1:1", "127.0.0.1:2"}, "one family"},
		{[]string{"0.0.0.0:1"}, "where a node listens"},
		{[]string{"127.0.0.1:1", "[::]:1"}, "where a node listens"},
		{[]string{"239.0.0.1:1"}, "not the address of one node"},
		{[]string{"255.255.255.255:1"}, "not the address of one node"},
	} {
		_, err := findTarget(t.Context(), c.args)
		require.ErrorContains(t, err, c.says, "%v", c.args)
		require.NotErrorIs(t, err, errNoAddress)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel() // so that no resolver is asked
	_, err := findTarget(gone, []string{"nobody.invalid:1"})
	require.ErrorIs(t, err, errNoAddress)
}

func TestConformRefusesMistakes(t *testing.T) {
	for _, c := range []struct {
		says string
		args []string
	}{
		{"--run: it is empty", []string{"--run", ""}},
		{"--profile: it is empty", []string{"--profile", ""}},
		{"--parallel -1: 1 to 128", []string{"--parallel", "-1"}},
		{"--rate 0", []string{"--rate", "0"}},
		{"--timeout -1s", []string{"--timeout", "-1s"}},
		{"--min-executed -5", []string{"--min-executed", "-5"}},
		{"--target-log is for", []string{"--target-log", filepath.Join(t.TempDir(), "log")}},
		{"no such file", []string{"--exec", "node {listen}", "--target-log", filepath.Join(t.TempDir(), "no", "log")}},
		{"at most two", []string{"127.0.0.1:2", "127.0.0.1:3"}},
	} {
		_, errs, code := conform(t, append([]string{"dht", "127.0.0.1:1"}, c.args...)...)
		require.Equal(t, exitUsage, code, "%v", c.args)
		require.Contains(t, errs, c.says, "%v", c.args)
	}
	_, errs, code := conform(t, "--timeout", "0")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "--timeout 0s")
}

func TestTheRepeatedCommandIsReadByAShellAsItIs(t *testing.T) {
	require.Equal(t, `"./node {listen} 'a b'"`, quoted("./node {listen} 'a b'"))
	require.Equal(t, `'./node "$HOME" {listen}'`, quoted(`./node "$HOME" {listen}`))
	require.Equal(t, `'it'\''s "a"'`, quoted(`it's "a"`))
}

func TestExplainTakesRequirements(t *testing.T) {
	out, _, code := conform(t, "explain", "dht-put-cas")
	require.Zero(t, code)
	for _, want := range []string{"MUST NOT replace an item", "To mend it", "Its cases", "    dht-put-cas-higher\n", "    dht-put-cas-lower\n", "--req dht-put-cas "} {
		require.Contains(t, out, want)
	}
	out, _, _ = conform(t, "explain", "dht-put-cas-lower")
	require.Contains(t, out, "Other cases of it")
	require.NotContains(t, out, "    dht-put-cas-lower\n")
	_, errs, code := conform(t, "show", "dht-put-cas")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "its cases are dht-put-cas-before-last, ")
	_, _, code = conform(t, "explain", "dht-nonsense")
	require.Equal(t, exitUsage, code)
	require.Contains(t, kith(t, "__complete", "conform", "explain", "dht-put-c").out, "dht-put-cas\tMUST NOT")
	require.Contains(t, kith(t, "__complete", "conform", "list", "--req", "dht-put-c").out, "dht-put-cas\tMUST NOT")
}

// TestConformThatNobodyReads ends with its reader; what cannot be written is a fault of the harness.
func TestConformThatNobodyReads(t *testing.T) {
	addr := target(t)
	for _, args := range [][]string{{"conform"}, {"conform", "dht", addr}, {"conform", "dht", addr, "--json"}, {"conform", "list"}, {"conform", "list", "--json"},
		{"conform", "explain", "dht-ping"}, {"conform", "show", "dht-ping"}} {
		for _, why := range []error{syscall.EPIPE, errors.New("no space left on device")} {
			cmd := root()
			var errs writes
			cmd.SetOut(brokenWriter{why})
			cmd.SetErr(&errs)
			cmd.SetArgs(args)
			require.Equal(t, int(conformance.ExitHarness), run(cmd), "%v", args)
			if why != syscall.EPIPE {
				require.Contains(t, string(errs), why.Error(), "%v", args)
			}
		}
	}
}

type writes []byte

func (w *writes) Write(b []byte) (int, error) { *w = append(*w, b...); return len(b), nil }

// TestInterruptedConform ends at once, with a report that is valid and says why it is not whole.
func TestInterruptedConform(t *testing.T) {
	report := filepath.Join(t.TempDir(), "report.jsonl")
	ctx, interrupt := context.WithCancel(t.Context())
	cmd := root()
	cmd.SetContext(ctx)
	var out, errs writes
	cmd.SetOut(&afterWrite{&out, interrupt})
	cmd.SetErr(&errs)
	cmd.SetArgs([]string{"conform", "dht", target(t), "--report", report, "--slow"}) // slow cases take minutes
	require.Equal(t, int(conformance.ExitHarness), run(cmd))
	require.Contains(t, string(out), "interrupted after")
	f, err := os.Open(report)
	require.NoError(t, err)
	defer f.Close()
	r, err := conformance.ReadReport(f)
	require.NoError(t, err)
	require.False(t, r.Whole())
	require.Contains(t, r.Why(), "interrupted after")
}

// afterWrite interrupts the run as soon as it says something.
type afterWrite struct {
	w  *writes
	do func()
}

func (a *afterWrite) Write(b []byte) (int, error) { defer a.do(); return a.w.Write(b) }
