package dht_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/dht"
	"kith/internal/sim"
	"kith/wire"
)

// A network is a simulated Mainline DHT: honest nodes, liars, and what the honest ones were told.
type network struct {
	*sim.Network
	t     testing.TB
	rng   *rand.Rand
	nodes []*node

	taken  map[uint64]bool // the /24s that somebody is in
	liars  []*liar
	victim netip.AddrPort        // whom liars name
	known  map[wire.ID]*dht.Item // what forgers have seen
	// alwaysFits gives every honest node the id of its address from the start; otherwise half of them have to learn it.
	alwaysFits bool
	events     map[dht.EventKind]int
	errs       map[string]int
}

// A node is an honest one.
type node struct {
	*dht.Node
	net  *network
	host *sim.Host
	addr netip.AddrPort
	ops  map[dht.Op]func(dht.Event)
}

// seed is what a test runs with: its own seed, or that of KITH_SIM_SEED. It is printed when the test fails.
func seed(t *testing.T, own uint64) uint64 {
	if s := os.Getenv("KITH_SIM_SEED"); s != "" {
		var err error
		own, err = strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("repeat with KITH_SIM_SEED=%d go test -run '^%s$'", own, t.Name())
		}
	})
	return own
}

// newNetwork returns an empty one that behaves as the Internet on a middling day.
func newNetwork(t testing.TB, seed uint64) *network {
	return &network{
		Network: sim.New(sim.Config{
			Seed: seed, Latency: 10 * time.Millisecond, Jitter: 150 * time.Millisecond,
			Loss: .01, Duplicate: .005, Late: .002, LateBy: 4 * time.Second, Kind: kind,
		}),
		t: t, rng: rand.New(rand.NewPCG(seed, 1)), taken: map[uint64]bool{}, known: map[wire.ID]*dht.Item{},
		events: map[dht.EventKind]int{}, errs: map[string]int{},
	}
}

// kind names a datagram: "query ping", "reply", "error 203", "other".
func kind(b []byte) string {
	var m wire.Message
	if err := wire.ParseMessage(b, &m); err != nil {
		return "other"
	}
	switch m.Kind {
	case wire.KindQuery:
		switch q := string(m.Method); q {
		case "ping", "find_node", "get_peers", "announce_peer", "get", "put":
			return "query " + q
		}
		return "query of another kind"
	case wire.KindError:
		return fmt.Sprintf("error %d", m.Code)
	}
	return "reply"
}

// place returns an address on the Internet that is alone in its /24.
func (n *network) place() netip.AddrPort {
	for {
		v := n.rng.Uint32()
		ip := netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
		first := v >> 24
		if first < 11 || first > 223 || first == 127 || first == 100 || first == 169 || first == 172 || first == 192 || first == 198 || first == 203 {
			continue // whole blocks around what is not global
		}
		if p := uint64(v >> 8); !n.taken[p] {
			n.taken[p] = true
			return netip.AddrPortFrom(ip, uint16(1024+n.rng.IntN(60000)))
		}
	}
}

func (n *network) id() (id wire.ID) {
	for i := range id {
		id[i] = byte(n.rng.Uint32())
	}
	return id
}

// A seeded is a Config.Rand.
type seeded struct{ *rand.Rand }

func (s seeded) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(s.Uint32())
	}
	return len(b), nil
}

// add starts an honest node.
func (n *network) add(cfg dht.Config) *node {
	cfg.Rand = seeded{n.rng}
	addr := n.place()
	if n.alwaysFits || n.rng.IntN(2) == 0 { // as if it had lived before
		cfg.ID4 = dht.IDFor(addr.Addr(), n.id())
	}
	m, err := dht.New(cfg, n.Now())
	require.NoError(n.t, err)
	nd := &node{Node: m, net: n, addr: addr, ops: map[dht.Op]func(dht.Event){}}
	nd.host = n.Add(m, func(time.Time) { nd.drain() }, addr)
	n.nodes = append(n.nodes, nd)
	return nd
}

func (nd *node) drain() {
	for e, ok := nd.Event(); ok; e, ok = nd.Event() {
		nd.net.events[e.Kind]++
		if e.Kind == dht.EventDone && e.Err != nil {
			nd.net.errs[e.Err.Error()]++
		}
		if f := nd.ops[e.Op]; f != nil {
			f(e)
			if e.Kind == dht.EventDone {
				delete(nd.ops, e.Op)
			}
		}
	}
}

// do starts an operation now, and has f told its events.
func (nd *node) do(start func(now time.Time) dht.Op, f func(dht.Event)) {
	nd.host.Do(func(now time.Time) { nd.ops[start(now)] = f })
}

// unfinished is how many operations have not ended.
func (n *network) unfinished() (left int) {
	for _, nd := range n.nodes {
		left += len(nd.ops)
	}
	return left
}

// finish lets time pass until all operations have ended.
func (n *network) finish(limit time.Duration) {
	next := n.Now()
	require.True(n.t, n.RunUntil(limit, func() bool {
		if n.Now().Before(next) {
			return false
		}
		next = n.Now().Add(100 * time.Millisecond)
		return n.unfinished() == 0
	}), "%d operations have not ended in %v", n.unfinished(), limit)
}

// populate starts n nodes, which come in the course of a minute and know three of the first ten.
func (n *network) populate(count int) {
	for range 10 {
		n.add(dht.Config{Reachable: true, Bootstrap: n.doors()})
	}
	start := n.Now()
	for i := 10; i < count; i++ {
		n.At(start.Add(time.Duration(i)*time.Minute/time.Duration(count)), func(time.Time) {
			// Every tenth only asks; the others have to find out for themselves that they can be reached.
			n.add(dht.Config{ReadOnly: i%10 == 1, Bootstrap: n.doors()})
		})
	}
	n.Run(time.Minute + time.Second)
	require.Len(n.t, n.nodes, count)
}

func (n *network) doors() (doors []netip.AddrPort) {
	for range 3 {
		if len(n.nodes) > 0 {
			doors = append(doors, n.nodes[n.rng.IntN(min(10, len(n.nodes)))].addr)
		}
	}
	return doors
}

// any returns a random honest node.
func (n *network) any() *node { return n.nodes[n.rng.IntN(len(n.nodes))] }

// total adds up the statistics of all honest nodes.
func (n *network) total() map[string]uint64 {
	sum := map[string]uint64{}
	for _, nd := range n.nodes {
		s := nd.Stats()
		s.Each(func(name string, v uint64) { sum[name] += v })
	}
	return sum
}

// nearest are the k honest nodes that answer and whose ids are closest to target: what a perfect look-up finds.
func (n *network) nearest(target wire.ID, k int) []wire.ID {
	var ids []wire.ID
	for _, nd := range n.nodes {
		if s := nd.Stats(); !s.ReadOnly[dht.V4] {
			ids = append(ids, nd.ID(dht.V4))
		}
	}
	slices.SortFunc(ids, func(a, b wire.ID) int {
		da, db := dht.Distance(a, target), dht.Distance(b, target)
		return slices.Compare(da[:], db[:])
	})
	return ids[:k]
}

// text is a bencoded string.
func text(s string) []byte { return wire.AppendString(nil, s) }

func hashOf(i int) (id wire.ID) {
	r := rand.New(rand.NewPCG(uint64(i), 2))
	for j := 0; j < len(id); j += 4 {
		binary.BigEndian.PutUint32(id[j:], r.Uint32())
	}
	return id
}
