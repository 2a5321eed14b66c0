package peer_test

import (
	"crypto/rand"
	"encoding/binary"
	"flag"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	simSeeds = flag.Int("sim.seeds", 40, "how many runs the simulation has")
	simFirst = flag.Uint64("sim.first", 0, "the first seed; 0: another one each time")
	simCount = flag.Bool("sim.counts", false, "print how often each kind of thing happened")
	simTrace = flag.Bool("sim.trace", false, "print what happens, as it happens")
)

// TestSimulation lets two people talk over the worst networks, with crashes at any event, and wants each message that was promised to arrive once and in order. What it could find is shown by
//
//	go run ./internal/ablate peer/ablations.txt
//
// A failure prints its seed: go test ./peer -run '^TestSimulation$' -sim.seeds 1 -sim.first SEED
func TestSimulation(t *testing.T) {
	first := *simFirst
	if first == 0 {
		var b [8]byte
		rand.Read(b[:])
		first = binary.BigEndian.Uint64(b[:]) >> 24
	}
	t.Logf("%d runs from seed %d on", *simSeeds, first)
	var (
		mu     sync.Mutex
		counts = map[string]int{}
		found  *violation
		next   atomic.Int64
		wg     sync.WaitGroup
		stop   atomic.Bool
	)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for !stop.Load() {
				i := next.Add(1) - 1
				if i >= int64(*simSeeds) {
					return
				}
				w := newWorld(first + uint64(i))
				v := w.run()
				mu.Lock()
				for k, n := range w.counts {
					counts[k] += n
				}
				for k, n := range map[string]uint64{"datagrams": w.n.Counts().Sent, "lost": w.n.Counts().Lost, "duplicated": w.n.Counts().Duplicated, "late": w.n.Counts().Late, "cut": w.n.Counts().Cut, "overtaken": w.n.Counts().Overtaken} {
					counts[k] += int(n)
				}
				if v != nil && (found == nil || v.seed < found.seed) {
					found = v
					stop.Store(true)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if *simCount || testing.Verbose() {
		for k, n := range counts {
			t.Logf("%8d %s", n, k)
		}
	}
	if found != nil {
		t.Fatal(found)
	}
	if *simSeeds >= 40 { // a simulation in which nothing happens finds nothing
		for kind, share := range map[string]int{
			"start": 150, "crash": 100, "crash at an event": 5, "crash, batch kept": 5, "crash, batch lost": 5, "commit": 2000, "online": 150, "delivered": 300, "again": 20,
			"60,000 bytes": 20, "both at once": 20, "moved": 40, "moved unnoticed": 10, "partition": 30, "shuffle": 10, "burst": 15, "wrong clock": 8, "clock put": 5, "ended by the user": 5, "30 % loss": 5, "calm": 50, "glare": 400,
			"lost": 5000, "duplicated": 3000, "late": 500, "cut": 500, "overtaken": 1000,
		} {
			require.GreaterOrEqual(t, counts[kind], *simSeeds*share/400, "%s: too few for the simulation to mean something", kind)
		}
	}
}

// TestSimulationRepeats runs seeds twice: what a seed has shown it shows again.
func TestSimulationRepeats(t *testing.T) {
	for seed := range uint64(20) {
		a, b := newWorld(seed), newWorld(seed)
		a.run()
		b.run()
		require.Equal(t, a.n.Trace(), b.n.Trace(), "seed %d", seed)
	}
}
