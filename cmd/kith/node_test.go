package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kith/dht"
	"kith/internal/udp"
)

func TestNodesFindEachOtherAndComeBack(t *testing.T) {
	first := startNode(t, "--bootstrap", "none", "--reachable")
	door := first.wait("listening").Addresses[0]
	state := filepath.Join(t.TempDir(), "state")

	second := startNode(t, "--bootstrap", door, "--state", state)
	was := second.wait("listening")
	require.Len(t, was.IDs, 1)
	ready := second.wait("ready")
	require.Equal(t, "IPv4", ready.Family)
	require.Equal(t, 1, ready.Nodes)
	require.Zero(t, second.end())

	// Without a bootstrap: it has its id and knows the other from its file.
	again := startNode(t, "--bootstrap", "none", "--state", state)
	require.Equal(t, was.IDs, again.wait("listening").IDs)
	require.Equal(t, 1, again.wait("ready").Nodes)
	require.Zero(t, again.end())
	require.Zero(t, first.end())
	require.Empty(t, first.errs.String()+second.errs.String()+again.errs.String())
	entries, err := os.ReadDir(filepath.Dir(state))
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing but the state is left behind")
}

func TestNodeInAPipeIsQuiet(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	cmd := root()
	var errs strings.Builder
	ctx, stop := context.WithCancel(t.Context())
	cmd.SetContext(ctx)
	cmd.SetOut(w)
	cmd.SetErr(&errs)
	cmd.SetArgs([]string{"node", "--listen", "127.0.0.1:0", "--bootstrap", "none"})
	code := make(chan int, 1)
	go func() { code <- run(cmd); w.Close() }()
	line := make([]byte, 100)
	n, err := r.Read(line)
	require.NoError(t, err)
	require.Regexp(t, `^listening on 127\.0\.0\.1:\d+\n$`, string(line[:n]))
	stop()
	require.Zero(t, <-code)
	rest, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Empty(t, string(rest)+errs.String())
}

func TestNodeSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	damaged := filepath.Join(dir, "damaged")
	require.NoError(t, os.WriteFile(damaged, []byte("kith dht state 1\nand then nothing of the kind"), 0o600))
	taken := startNode(t, "--bootstrap", "none").wait("listening").Addresses[0]
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"--listen 127.0.0.1", exitUsage, "no address with a port"},
		{"--listen localhost:1", exitUsage, "no address with a port"},
		{"--listen 127.0.0.1:0 --listen 127.0.0.2:0", exitUsage, "at most one address for IPv4"},
		{"--listen " + taken, exitNetwork, "choose another port"},
		{"--listen 192.0.2.1:0", exitNetwork, "no such address"},
		{"--listen 127.0.0.1:0 --bootstrap somewhere", exitUsage, "no host with a port"},
		{"--listen 127.0.0.1:0 --bootstrap none --bootstrap 127.0.0.1:1", exitUsage, "no host with a port"},
		{"--listen 127.0.0.1:0 --bootstrap none --state " + damaged, exitFailed, "move the file away"},
		{"--listen 127.0.0.1:0 --bootstrap none --state " + dir, exitFailed, "cannot read the state"},
		{"--listen 127.0.0.1:0 --bootstrap none --state " + filepath.Join(dir, "no", "state"), exitFailed, "cannot save the state"},
		{"--listen 127.0.0.1:0 --bootstrap none --metrics 0.0.0.0:0", exitUsage, "--metrics-public"},
		{"--listen 127.0.0.1:0 --bootstrap none --metrics example.org:0", exitUsage, "--metrics-public"},
		{"--listen 127.0.0.1:0 --bootstrap none --metrics here", exitUsage, "no address with a port"},
		{"--listen 127.0.0.1:0 --read-only --reachable", exitUsage, "exclude each other"},
		{"--nonsense", exitUsage, "unknown flag"},
		{"argument", exitUsage, "takes no arguments"},
	} {
		got := kith(t, append([]string{"node"}, strings.Fields(c.args)...)...)
		require.Equal(t, c.code, got.code, c.args)
		require.Contains(t, got.errs, c.says, c.args)
		require.Empty(t, got.out, c.args)
	}
}

func TestMetrics(t *testing.T) {
	b := startNode(t, "--bootstrap", "none", "--metrics", "127.0.0.1:0")
	addr := b.wait("listening").Addresses[0]
	at := b.wait("metrics").Addresses[0]
	require.Zero(t, kith(t, "dht", "ping", addr, "--listen", "127.0.0.1:0").code)
	res, err := http.Get("http://" + at + "/metrics")
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Contains(t, string(body), "kith_dht_queries_total{method=\"ping\"} 1\n")
	require.Contains(t, string(body), "# TYPE kith_udp_datagrams_in_total counter\nkith_udp_datagrams_in_total 1\n")

	res, err = http.Get("http://" + at + "/")
	require.NoError(t, err)
	res.Body.Close()
	require.Equal(t, http.StatusNotFound, res.StatusCode)
	require.Zero(t, b.end())
	_, err = http.Get("http://" + at + "/metrics")
	require.Error(t, err, "the listener ends with the node")
}

// TestPrometheusFormat checks what Prometheus insists on: the lines of a name stand together behind its type, and none is there twice.
func TestPrometheusFormat(t *testing.T) {
	s := dht.Stats{Datagrams: 7}
	seen := map[string]bool{}
	current := ""
	for line := range strings.Lines(string(prometheus(&s, &udp.Stats{In: 8}))) {
		if typ, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, kind, _ := strings.Cut(strings.TrimSpace(typ), " ")
			require.False(t, seen[name], "%s has two places", name)
			require.Equal(t, strings.HasSuffix(name, "_total"), kind == "counter", name)
			seen[name], current = true, name
			continue
		}
		require.Regexp(t, `^`+current+`(\{[a-z]+="[A-Za-z0-9_]+"\})? [0-9]+\n$`, line)
		require.False(t, seen[line], line)
		seen[line] = true
	}
	require.True(t, seen["kith_dht_datagrams_total 7\n"])
	require.True(t, seen["kith_udp_datagrams_in_total 8\n"])
}

func TestMetricsListener(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "localhost:0", "127.1.2.3:0"} {
		l, err := metricsListener(addr, false)
		require.NoError(t, err, addr)
		require.True(t, l.Addr().(*net.TCPAddr).IP.IsLoopback())
		require.NoError(t, l.Close())
	}
	l, err := metricsListener("0.0.0.0:0", true)
	require.NoError(t, err)
	require.NoError(t, l.Close())
}

func TestStateFileIsReplacedAsAWhole(t *testing.T) {
	dir := t.TempDir()
	f := stateFile(filepath.Join(dir, "state"))
	b, err := f.load()
	require.NoError(t, err)
	require.Empty(t, b)
	for _, s := range []string{"one", "two"} {
		require.NoError(t, f.save([]byte(s)))
		b, err := f.load()
		require.NoError(t, err)
		require.Equal(t, s, string(b))
	}
	info, err := os.Stat(string(f))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	// Where a folder is in the way nothing is replaced, and nothing is left beside it.
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "folder", "in it"), 0o700))
	require.Error(t, stateFile(filepath.Join(dir, "folder")).save([]byte("three")))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2)
	require.NoError(t, stateFile("").save([]byte("nowhere")))
}

// TestTwoNodesDoNotShareAState sees that the second is refused, and that the file is free when the first has ended, also when it was killed.
func TestTwoNodesDoNotShareAState(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	first := startNode(t, "--bootstrap", "none", "--state", state)
	id := first.wait("listening").IDs
	second := kith(t, "node", "--listen", "127.0.0.1:0", "--bootstrap", "none", "--state", state)
	require.Equal(t, exitFailed, second.code)
	require.Contains(t, second.errs, fmt.Sprintf("belongs to another node, process %d", os.Getpid()))
	require.Zero(t, first.end())

	// What a killed node leaves behind holds nobody up.
	for _, left := range []string{".state.lock", ".state.new-123"} {
		require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(state), left), []byte("1\n"), 0o600))
	}
	again := startNode(t, "--bootstrap", "none", "--state", state)
	require.Equal(t, id, again.wait("listening").IDs)
	require.Zero(t, again.end())
	entries, err := os.ReadDir(filepath.Dir(state))
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing but the state is left behind")
}

// TestOneOfManyHasTheLock lets many take and release it at once.
func TestOneOfManyHasTheLock(t *testing.T) {
	f := stateFile(filepath.Join(t.TempDir(), "state"))
	var all sync.WaitGroup
	var holders, taken atomic.Int32
	for range 8 {
		all.Go(func() {
			for range 200 {
				l, err := f.lock()
				if err != nil {
					assert.ErrorContains(t, err, "belongs to another node")
					continue
				}
				taken.Add(1)
				assert.EqualValues(t, 1, holders.Add(1))
				holders.Add(-1)
				l.release()
			}
		})
	}
	all.Wait()
	require.Positive(t, taken.Load())
}

// TestLogThatNobodyReads ends the node in order, with its state saved; one that cannot be written is an error.
func TestLogThatNobodyReads(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
	}{{syscall.EPIPE, 0}, {errors.New("no space left on device"), exitFailed}} {
		state := filepath.Join(t.TempDir(), "state")
		cmd := root()
		var errs strings.Builder
		cmd.SetOut(brokenWriter{c.err})
		cmd.SetErr(&errs)
		cmd.SetArgs([]string{"node", "--json", "--listen", "127.0.0.1:0", "--bootstrap", "none", "--state", state})
		require.Equal(t, c.code, run(cmd), errs.String())
		b, err := stateFile(state).load()
		require.NoError(t, err)
		require.NotEmpty(t, b)
	}
}

type brokenWriter struct{ err error }

func (b brokenWriter) Write([]byte) (int, error) { return 0, b.err }
