package dht_test

import (
	"crypto/ed25519"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/dht"
)

// A tally is what became of the operations of one kind.
type tally struct{ begun, ended, good int }

// TestThousandNodes is an hour in the life of a network: a thousand nodes find each other, look each other up, announce and
// find who announced, put items and get them, while one datagram in a hundred is lost.
func TestThousandNodes(t *testing.T) {
	n := newNetwork(t, seed(t, 1))
	n.populate(1000)
	n.Run(30 * time.Second)

	found, of := n.findNodes(100)
	t.Logf("the 8 closest nodes to a target: %d of %d found", found, of)
	require.GreaterOrEqual(t, float64(found), .95*float64(of))
	n.check("announce", n.announce(60), .95)
	n.check("get_peers", n.getPeers(60), .95)
	n.check("put", n.put(60), .95)
	n.check("get", n.get(60, 1), .95)
	n.check("put of the next seq", n.putAgain(60), .95)
	n.check("get of the newest", n.get(60, 2), .95)
	n.check("ping", n.pings(60), .9) // lost once, lost for good

	n.Run(40 * time.Minute) // tables are refreshed, nodes probed, tokens changed
	n.check("get, later", n.get(60, 2), .95)
	n.check("get_peers, later", n.getPeers(60), .95)
	n.Run(30 * time.Minute) // peers are forgotten after 45 minutes, items not before two hours
	n.check("get_peers, too late", n.getPeersGone(20), 1)
	n.check("put in place of a seq that is gone", n.putAgain(20), .5) // half are immutable, which has no seq
	n.check("get, still", n.get(20, 2), .95)
	n.checkReached() // long after the trials

	n.report()
	n.happened(
		"query ping", "query find_node", "query get_peers", "query announce_peer", "query get", "query put", "reply",
	)
	n.happenedInside(
		"answers_total", "late_total", "lost_total", "replies_total", "announced_total", "put_total", "verified_total", "refusals_total", "strangers_total",
		"probes_total", "lookups_total", "entered_total", "new_ids_total", "votes_total", `queries_total{method="ping"}`,
		`queries_total{method="find_node"}`, `queries_total{method="get_peers"}`, `queries_total{method="announce_peer"}`,
		`errors_total{code="301"}`, `queries_total{method="get"}`, `queries_total{method="put"}`, `nodes{family="IPv4"}`, "items",
	)
	n.neverInside("foreign_total", "limited_total", "garbled_total", "unnatural_total", "forged_total", "crowded_total",
		`errors_total{code="203"}`, `errors_total{code="204"}`, `errors_total{code="206"}`, "peers")
	for _, k := range []dht.EventKind{dht.EventAnswer, dht.EventPeers, dht.EventItem, dht.EventStored, dht.EventDone,
		dht.EventAddress, dht.EventReadOnly, dht.EventReady} {
		require.NotZero(t, n.events[k], "no event of kind %d", k)
	}
	n.bounded()
}

// TestTheSeedDecidesWhatNodesDo runs a small network twice.
func TestTheSeedDecidesWhatNodesDo(t *testing.T) {
	run := func(seed uint64) (trace [32]byte, delivered uint64) {
		n := newNetwork(t, seed)
		n.populate(40)
		n.check("announce", n.announce(5), 0)
		n.check("put", n.put(5), 0)
		n.check("get", n.get(5, 1), 0)
		n.Run(20 * time.Minute)
		return n.Trace(), n.Counts().Delivered
	}
	first, delivered := run(7)
	again, _ := run(7)
	other, _ := run(8)
	require.Greater(t, delivered, uint64(4000))
	require.Equal(t, first, again, "the same seed, but another history")
	require.NotEqual(t, first, other)
}

// TestNetworkComesBack takes everything away for two hours. All nodes have given up all others, and find them again without help.
func TestNetworkComesBack(t *testing.T) {
	n := newNetwork(t, seed(t, 3))
	n.populate(100)
	n.Run(5 * time.Minute)
	n.check("put", n.put(20), .95)
	n.SetLoss(1)
	n.Run(2*time.Hour - 30*time.Minute)
	n.check("get, in the outage", n.getInVain(10), 1)
	require.Zero(t, n.total()[`nodes_good{family="IPv4"}`])
	sent := n.Counts().Sent
	n.Run(30 * time.Minute)
	require.Less(t, n.Counts().Sent-sent, uint64(100*30*60/4), "a query a node every four seconds, and more, to nobody")
	n.SetLoss(.01)
	n.Run(20 * time.Minute)
	found, of := n.findNodes(50)
	t.Logf("the 8 closest nodes to a target: %d of %d found", found, of)
	require.GreaterOrEqual(t, float64(found), .9*float64(of))
	n.check("put, after it", n.put(20), .95)
	n.check("get, after it", n.get(20, 1), .95)
	n.bounded()
}

func (n *network) getInVain(times int) tally {
	return n.each(times,
		func(i int, nd *node, now time.Time) dht.Op {
			return nd.Get(now, n.item(i, 1).Target(), dht.GetOptions{})
		},
		func(_ int, e dht.Event) bool { return e.Kind == dht.EventDone && e.Err != nil })
}

// check requires that all operations have ended and enough of them well.
func (n *network) check(what string, got tally, share float64) {
	n.t.Helper()
	n.t.Logf("%-20s %+v", what, got)
	require.NotZero(n.t, got.begun)
	require.Equal(n.t, got.begun, got.ended, what)
	require.GreaterOrEqual(n.t, float64(got.good), share*float64(got.begun), what)
}

// each has one random node after the other begin an operation, some at the same time, and waits for all.
func (n *network) each(times int, start func(i int, nd *node, now time.Time) dht.Op, good func(i int, e dht.Event) bool) tally {
	var got tally
	began := n.Now()
	for i := range times {
		n.At(began.Add(time.Duration(i)*100*time.Millisecond), func(time.Time) {
			nd := n.any()
			got.begun++
			nd.do(func(now time.Time) dht.Op { return start(i, nd, now) }, func(e dht.Event) {
				if e.Kind == dht.EventDone {
					got.ended++
				}
				if good(i, e) {
					got.good++
				} else if e.Kind == dht.EventDone {
					n.t.Logf("%d, by %v: %d asked, %d answered, %d stored: %v", i, nd.addr, e.Asked, e.Answered, e.Stored, e.Err)
				}
			})
		})
	}
	n.Run(time.Duration(times) * 100 * time.Millisecond)
	n.finish(2 * time.Minute)
	return got
}

// findNodes compares what look-ups find with the truth.
func (n *network) findNodes(times int) (found, of int) {
	got := n.each(times,
		func(i int, nd *node, now time.Time) dht.Op { return nd.FindNode(now, hashOf(i)) },
		func(i int, e dht.Event) bool {
			if e.Kind != dht.EventDone {
				return false
			}
			truth := n.nearest(hashOf(i), 8)
			of += len(truth)
			for _, nd := range e.Nodes {
				if slices.Contains(truth, nd.ID) {
					found++
				}
			}
			return e.Err == nil
		})
	n.check("find_node", got, 1)
	return found, of
}

// Info-hashes are 1000, 1001 …, items 2000, 2001 …: half of the items are mutable.

func (n *network) announce(times int) tally {
	return n.each(times,
		func(i int, nd *node, now time.Time) dht.Op { return nd.Announce(now, hashOf(1000+i), uint16(10000+i)) },
		func(_ int, e dht.Event) bool { return e.Kind == dht.EventDone && e.Err == nil && e.Stored >= 6 })
}

func (n *network) getPeers(times int) tally {
	found := map[int][]netip.AddrPort{}
	return n.each(times,
		func(i int, nd *node, now time.Time) dht.Op { return nd.GetPeers(now, hashOf(1000+i)) },
		func(i int, e dht.Event) bool {
			found[i] = append(found[i], e.Peers...)
			return e.Kind == dht.EventDone && e.Err == nil && n.announced(i, found[i])
		})
}

// announced reports whether peers are right: all at the port of the i-th announcement.
func (n *network) announced(i int, peers []netip.AddrPort) bool {
	for _, p := range peers {
		if p.Port() != uint16(10000+i) {
			return false
		}
	}
	return len(peers) > 0
}

func (n *network) getPeersGone(times int) tally {
	return n.each(times,
		func(i int, nd *node, now time.Time) dht.Op { return nd.GetPeers(now, hashOf(1000+i)) },
		func(_ int, e dht.Event) bool { return e.Kind == dht.EventDone && e.Err != nil && len(e.Peers) == 0 })
}

// item is the i-th, in its version seq.
func (n *network) item(i int, seq int64) dht.Item {
	if i%2 == 0 {
		return dht.Item{Value: text(fmt.Sprintf("immutable %d", i))}
	}
	seed := hashOf(2000 + i)
	key := ed25519.NewKeyFromSeed(append(seed[:], make([]byte, 12)...))
	var salt []byte
	if i%4 == 1 {
		salt = []byte("salt")
	}
	item, err := dht.SignItem(key, salt, seq, text(fmt.Sprintf("mutable %d, version %d", i, seq)))
	require.NoError(n.t, err)
	return item
}

func (n *network) put(times int) tally {
	return n.each(times,
		func(i int, nd *node, now time.Time) dht.Op { return nd.Put(now, n.item(i, 1), dht.PutOptions{}) },
		func(_ int, e dht.Event) bool { return e.Kind == dht.EventDone && e.Err == nil && e.Stored >= 6 })
}

// putAgain puts the next version of the mutable items, if nobody has put another meanwhile.
func (n *network) putAgain(times int) tally {
	one := int64(1)
	return n.each(times,
		func(i int, nd *node, now time.Time) dht.Op {
			return nd.Put(now, n.item(i, 2), dht.PutOptions{CAS: &one})
		},
		func(_ int, e dht.Event) bool { return e.Kind == dht.EventDone && e.Err == nil && e.Stored >= 6 })
}

func (n *network) get(times int, seq int64) tally {
	return n.each(times,
		func(i int, nd *node, now time.Time) dht.Op {
			want := n.item(i, seq)
			return nd.Get(now, want.Target(), dht.GetOptions{Salt: want.Salt})
		},
		func(i int, e dht.Event) bool {
			if e.Kind != dht.EventDone || e.Err != nil {
				return false
			}
			want := n.item(i, seq)
			return string(e.Item.Value) == string(want.Value)
		})
}

func (n *network) pings(times int) tally {
	return n.each(times,
		func(i int, nd *node, now time.Time) dht.Op {
			to := n.any()
			for to == nd || n.silent(to) {
				to = n.any()
			}
			return nd.Ping(now, to.addr)
		},
		func(_ int, e dht.Event) bool { return e.Kind == dht.EventDone && e.Err == nil && e.RTT > 0 })
}

// checkReached checks that the nodes found out that they can be reached: all but those that only ask, and a few who had no
// luck.
func (n *network) checkReached() {
	readOnly := n.total()[`read_only{family="IPv4"}`]
	n.t.Logf("%d of %d nodes set ro", readOnly, len(n.nodes))
	require.InDelta(n.t, len(n.nodes)/10, readOnly, float64(len(n.nodes))/20)
}

// silent reports whether a node answers nobody.
func (n *network) silent(nd *node) bool {
	s := nd.Stats()
	return s.ReadOnly[dht.V4] && s.Replies == 0
}

// report logs what happened.
func (n *network) report() {
	c := n.Counts()
	n.t.Logf("%d datagrams of %d bytes: %d delivered, %d lost, %d doubled, %d late, %d too long, %d to nobody; %d timeouts",
		c.Sent, c.Bytes, c.Delivered, c.Lost, c.Duplicated, c.Late, c.TooLong, c.NoHost, c.Timeouts)
	for _, k := range slices.Sorted(maps.Keys(c.Kinds)) {
		n.t.Logf("  %8d %s", c.Kinds[k], k)
	}
	sum := n.total()
	for _, k := range slices.Sorted(maps.Keys(sum)) {
		n.t.Logf("  %8d %s", sum[k], k)
	}
	n.t.Logf("operations ended with: %v", n.errs)
}

// happened requires that datagrams of each kind were sent, and that the network did all it can do to them.
func (n *network) happened(kinds ...string) {
	c := n.Counts()
	for _, k := range kinds {
		require.NotZero(n.t, c.Kinds[k], "no datagram was a %q", k)
	}
	for name, v := range map[string]uint64{"lost": c.Lost, "duplicated": c.Duplicated, "late": c.Late, "timeouts": c.Timeouts, "delivered": c.Delivered} {
		require.NotZero(n.t, v, name)
	}
	require.Zero(n.t, c.TooLong, "a node sent more than an Ethernet frame holds")
}

// happenedInside requires that the honest nodes counted each of these.
func (n *network) happenedInside(names ...string) {
	sum := n.total()
	for _, name := range names {
		v, known := sum[name]
		require.True(n.t, known, "no such counter: %s", name)
		require.NotZero(n.t, v, name)
	}
}

// neverInside requires that no honest node counted any of these.
func (n *network) neverInside(names ...string) {
	sum := n.total()
	for _, name := range names {
		v, known := sum[name]
		require.True(n.t, known, "no such counter: %s", name)
		require.Zero(n.t, v, name)
	}
}

// bounded requires that no node holds more than it may.
func (n *network) bounded() {
	for _, nd := range n.nodes {
		s := nd.Stats()
		require.LessOrEqual(n.t, s.Nodes[dht.V4], 160*8)
		require.LessOrEqual(n.t, s.Items, 4096)
		require.LessOrEqual(n.t, s.Hashes, 4096)
		require.LessOrEqual(n.t, s.Waiting, 1024)
		require.LessOrEqual(n.t, s.Active, 256)
		require.Less(n.t, len(nd.State(n.Now())), 64<<10)
	}
}
