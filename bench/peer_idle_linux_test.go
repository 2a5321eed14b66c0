package bench

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/handshake"
)

var (
	settling = flag.Duration("settling", 20*time.Second, "how long BenchmarkPeerIdle lets a peer be before it looks; with contacts the pace of the first searches is over after 5m")
	looking  = flag.Duration("looking", 20*time.Second, "how long BenchmarkPeerIdle looks")
)

// BenchmarkPeerIdle runs kith peer as a person does, in a DHT of 40 nodes, and looks what it does when nobody talks: CPU time, how often its threads wake, datagrams, and resident memory. Alone, and with 100 contacts who
// are away.
func BenchmarkPeerIdle(b *testing.B) {
	dir := b.TempDir()
	kith := filepath.Join(dir, "kith")
	build := exec.Command("go", "build", "-o", kith, "./cmd/kith")
	build.Dir = ".." // its module
	out, err := build.CombinedOutput()
	require.NoError(b, err, string(out))
	door := startChild(b, "network").ask(order{}).Addr
	for _, contacts := range []int{0, 100} {
		b.Run(fmt.Sprintf("%d-contacts", contacts), func(b *testing.B) {
			p := startKith(b, kith, filepath.Join(dir, strconv.Itoa(contacts)), door.String(), contacts)
			b.ResetTimer()
			var used, wakes []float64
			time.Sleep(*settling)
			for b.Loop() {
				ran, woke := p.schedule(b)
				time.Sleep(*looking)
				ranNow, wokeNow := p.schedule(b)
				used = append(used, float64((ranNow-ran).Microseconds())/1e3/looking.Seconds())
				wakes = append(wakes, float64(wokeNow-woke)/looking.Seconds())
			}
			b.ReportMetric(median(used), "ms-cpu/s")
			b.ReportMetric(median(wakes), "wakeups/s")
			b.ReportMetric(p.memory(b, "VmRSS"), "MB-rss")
			b.ReportMetric(p.memory(b, "RssAnon"), "MB-rss-anonymous")
			load(b)
		})
	}
}

// A program is a process that runs.
type program struct{ pid int }

// startKith makes an identity and runs kith peer with it, and returns when it listens.
func startKith(b *testing.B, kith, dir, door string, contacts int) program {
	require.NoError(b, os.MkdirAll(dir, 0o700))
	identity, friends := filepath.Join(dir, "identity"), filepath.Join(dir, "friends")
	out, err := exec.Command(kith, "id", "new", "--no-passphrase", "--identity", identity).CombinedOutput()
	require.NoError(b, err, string(out))
	var lines strings.Builder
	for range contacts {
		id, err := handshake.NewIdentity(newSeed(b))
		require.NoError(b, err)
		fmt.Fprintln(&lines, id.PublicKey())
	}
	require.NoError(b, os.WriteFile(friends, []byte(lines.String()), 0o600))
	cmd := exec.Command(kith, "peer", "--json", "--identity", identity, "--state", dir, "--contacts", friends, "--listen", "127.0.0.1:0", "--bootstrap", door)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(b, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, cmd.Start())
	b.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	ready := make(chan error, 1)
	go func() {
		scan := bufio.NewScanner(stdout)
		for scan.Scan() {
			var e struct{ Event string }
			if err := json.Unmarshal(scan.Bytes(), &e); err != nil {
				ready <- err
				return
			}
			if e.Event == "ready" {
				ready <- nil
				break
			}
		}
		for scan.Scan() { // a reader must not make it wait
		}
	}()
	select {
	case err := <-ready:
		require.NoError(b, err)
	case <-time.After(patience):
		require.FailNow(b, "it is not ready")
	}
	return program{cmd.Process.Pid}
}

// schedule returns how long the threads have run, and how often they have begun to wait.
func (p program) schedule(b *testing.B) (ran time.Duration, waits int) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", p.pid))
	require.NoError(b, err)
	for _, task := range tasks {
		stat, err := os.ReadFile(task + "/schedstat")
		require.NoError(b, err)
		ns, err := strconv.ParseInt(strings.Fields(string(stat))[0], 10, 64)
		require.NoError(b, err)
		ran += time.Duration(ns)
		n, err := strconv.Atoi(field(b, task+"/status", "voluntary_ctxt_switches"))
		require.NoError(b, err)
		waits += n
	}
	return ran, waits
}

// memory returns a field of the status in megabytes.
func (p program) memory(b *testing.B, name string) float64 {
	kib, err := strconv.Atoi(strings.TrimSuffix(field(b, fmt.Sprintf("/proc/%d/status", p.pid), name), " kB"))
	require.NoError(b, err)
	return float64(kib) * 1024 / 1e6
}

func field(b *testing.B, path, name string) string {
	text, err := os.ReadFile(path)
	require.NoError(b, err)
	for line := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(v)
		}
	}
	require.FailNow(b, "no such field", name)
	return ""
}
