package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kith/conformance"
	dhtcases "kith/conformance/dht"
)

// conform runs kith conform and returns what it said and its exit code.
func conform(t *testing.T, args ...string) (out, errs string, code int) {
	t.Helper()
	r := kith(t, append([]string{"conform"}, args...)...)
	return r.out, r.errs, r.code
}

// target serves the reference node for the length of a test.
func target(t *testing.T) string {
	t.Helper()
	m, err := conformance.NewReference(nil, conformance.Now())
	require.NoError(t, err)
	addr, stop, err := conformance.Serve(m)
	require.NoError(t, err)
	t.Cleanup(stop)
	return addr.V4.String()
}

func TestConformAloneShowsTheReferenceAndAFailure(t *testing.T) {
	out, _, code := conform(t, "--run", "dht-ping,dht-sample-interval*,dht-method-reply*")
	require.Zero(t, code, out)
	require.Contains(t, out, "conformant")
	require.Contains(t, out, "FAIL dht-sample-interval")
	require.Contains(t, out, "failed exactly where faults were planted")
	out, _, code = conform(t, "--run", "dht-ping")
	require.Zero(t, code, out)
	require.NotContains(t, out, "failed exactly")
}

func TestConformRepeats(t *testing.T) {
	out, _, code := conform(t, "--repeat", "3", "--run", "dht-ping,dht-sample-interval")
	require.Zero(t, code, out)
	require.Equal(t, 2, strings.Count(out, "6 verdicts in 3 rounds: 0 flips"), "of both nodes: %s", out)
	require.Contains(t, out, "failed exactly where faults were planted")
	out, _, code = conform(t, "dht", target(t), "--repeat", "2", "--run", "dht-put-seq-higher,dht-ping", "--json")
	require.Zero(t, code, out)
	require.Contains(t, out, `"rounds":2,"plays":4,"flips":0`)
	_, errs, code := conform(t, "--repeat", "0")
	require.Equal(t, 2, code)
	require.Contains(t, errs, "at least 1")
}

func TestConformExitCodes(t *testing.T) {
	addr := target(t)
	for _, c := range []struct {
		want int
		says string
		args []string
	}{
		{0, "conformant", []string{addr, "--run", "dht-ping"}},
		{2, "which target?", nil},
		{2, "no address with a port", []string{"localhost"}},
		{2, "one family", []string{addr, addr}},
		{2, "no case matches", []string{addr, "--run", "nothing"}},
		{2, "neither loopback nor private", []string{"192.0.2.1:6881"}},
		{2, "unknown flag", []string{addr, "--nonsense"}},
		{2, "no such file", []string{addr, "--expect", "/nonexistent"}},
		{2, "{listen}", []string{"--exec", "node"}},
		{3, "port is closed", []string{"127.0.0.1:9"}},
		{5, "at least 50", []string{addr, "--run", "dht-ping", "--min-executed", "50"}},
	} {
		out, errs, code := conform(t, append([]string{"dht"}, c.args...)...)
		require.Equal(t, c.want, code, "%v: %s%s", c.args, out, errs)
		require.Contains(t, out+errs, c.says, "%v", c.args)
	}
}

func TestConformWritesReports(t *testing.T) {
	addr, dir := target(t), t.TempDir()
	report := filepath.Join(dir, "report.jsonl")
	out, errs, code := conform(t, "dht", addr, "--run", "dht-ping*", "--json", "--report", report, "--transcripts", filepath.Join(dir, "out"))
	require.Zero(t, code, errs)
	b, err := os.ReadFile(report)
	require.NoError(t, err)
	require.Equal(t, out, string(b), "the same lines in both places")
	require.NotEmpty(t, errs, "what people read goes to the other stream")
	for line := range strings.Lines(out) {
		require.True(t, json.Valid([]byte(line)))
	}
	_, err = os.Stat(filepath.Join(dir, "out", "dht-ping.jsonl"))
	require.NoError(t, err)

	said, _, code := conform(t, "report", report)
	require.Zero(t, code)
	require.Contains(t, said, "pass")
	lines := strings.SplitAfter(out, "\n")
	require.NoError(t, os.WriteFile(report, []byte(strings.Join(lines[:2], "")), 0o644))
	said, _, code = conform(t, "report", report)
	require.Equal(t, 4, code)
	require.Contains(t, said, "not whole")
	_, _, code = conform(t, "report", "/nonexistent")
	require.Equal(t, 2, code)

	_, errs, code = conform(t, "dht", addr, "--run", "dht-ping", "--report", "/dev/full")
	if _, err := os.Stat("/dev/full"); err == nil {
		require.Equal(t, 4, code, errs)
	}
}

func TestConformTellsAboutItsCases(t *testing.T) {
	out, _, code := conform(t, "list", "--req", "dht-t-echo")
	require.Zero(t, code)
	require.Contains(t, out, "dht-t-echo ")
	out, _, code = conform(t, "list", "--json")
	require.Zero(t, code)
	require.Equal(t, len(dhtcases.Suite().Cases), strings.Count(out, "\n"))

	for _, c := range dhtcases.Suite().Cases {
		out, _, code = conform(t, "explain", c.ID)
		require.Zero(t, code)
		require.Contains(t, strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(c.Requirement.Text), " "))
		require.Contains(t, out, "To mend it")
		require.NotEmpty(t, dhtcases.Source(c), c.ID)
	}
	out, _, code = conform(t, "show", "dht-ping")
	require.Zero(t, code)
	require.Contains(t, out, `Case("dht-ping"`)
	require.Contains(t, out, `q: "ping"`)
	_, errs, code := conform(t, "show", "dht-pin")
	require.Equal(t, 2, code)
	require.Contains(t, errs, "did you mean dht-ping")

	require.Contains(t, kith(t, "__complete", "conform", "show", "dht-p").out, "dht-ping\t")
}
