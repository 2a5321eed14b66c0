package dht

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kith/wire"
)

// inTable returns the first bytes of the ids of the table's nodes, in order.
func inTable(t *table) (b []byte) {
	for i := range t.buckets {
		for j := range t.buckets[i].nodes {
			b = append(b, t.buckets[i].nodes[j].id()[0])
		}
	}
	slices.Sort(b)
	return b
}

// filled returns a table with the id 00…00 and a full first bucket.
func filled(now instant) *table {
	t := newTable(id(0), 1)
	for i, b := range []byte{0x80, 0x90, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0, 0x40} {
		t.answered(node(b), now+instant(i))
	}
	return &t
}

func TestBucketSplitsAroundTheOwnID(t *testing.T) {
	table := newTable(id(0), 1)
	for b := 255; b > 0; b-- {
		table.answered(node(byte(b)), 1)
	}
	for i := range 5 { // 80…ff, 40…7f, 20…3f, 10…1f, 08…0f
		require.Len(t, table.buckets[i].nodes, 8, i)
		for _, e := range table.buckets[i].nodes {
			require.Equal(t, i, commonPrefix(e.id(), &table.self))
		}
	}
	require.Len(t, table.buckets, 6)
	require.Equal(t, []byte{1, 2, 3, 4, 5, 6, 7}, inTable(&table)[:7])
}

func TestGoodNodesStay(t *testing.T) {
	table := filled(1)
	before := inTable(table)
	table.answered(node(0xff), 1+15*time.Minute-time.Second)
	require.Equal(t, before, inTable(table))
	require.Len(t, table.buckets[0].waiting, 1)
}

// A bad node's place goes to a replacement, at once if one waits, or else to the next that answers.
func TestBadNodesGiveWay(t *testing.T) {
	table := filled(1)
	for range 2 {
		table.lost(node(0x90), 2)
	}
	require.Equal(t, byte(0x90), inTable(table)[2])
	table.answered(node(0x90), 3) // not in a row
	for range 2 {
		table.lost(node(0x90), 2)
	}
	require.True(t, table.find(node(0x90)).good(3))
	table.lost(node(0x90), 2)
	require.False(t, table.find(node(0x90)).good(3))
	require.Equal(t, byte(0x90), inTable(table)[2], "kept until there is another")
	table.answered(node(0xff), 4)
	require.Nil(t, table.find(node(0x90)))
	require.NotNil(t, table.find(node(0xff)))

	table.answered(node(0xfe), 4)
	for range 3 {
		table.lost(node(0xa0), 2)
	}
	require.Nil(t, table.find(node(0xa0)))
	require.NotNil(t, table.find(node(0xfe)))
}

// A questionable node is pinged, and once more, before it gives its place to one who waits.
func TestQuestionableNodesGiveWay(t *testing.T) {
	table := filled(1)
	later := instant(16 * time.Minute)
	require.True(t, table.answered(node(0xff), later))
	require.Equal(t, *table.find(node(0x80)).id(), *table.buckets[0].stalest(later).id(), "heard of least recently")
	table.lost(node(0x80), later)
	require.NotNil(t, table.find(node(0x80)))
	table.lost(node(0x80), later)
	require.Nil(t, table.find(node(0x80)))
	require.NotNil(t, table.find(node(0xff)))
}

// An answer makes a questionable node good, and keeps its place.
func TestQuestionableNodesThatAnswerStay(t *testing.T) {
	table := filled(1)
	later := instant(16 * time.Minute)
	table.answered(node(0xff), later)
	table.lost(node(0x80), later)
	table.answered(node(0x80), later)
	table.lost(node(0x80), later)
	require.NotNil(t, table.find(node(0x80)))
}

func TestOneNodeOfANetwork(t *testing.T) {
	table := newTable(id(0), 1)
	at := func(b byte, a string) wire.Node { return wire.Node{ID: id(b), Addr: addr(a)} }
	table.answered(at(0x80, "1.2.3.4:5"), 1)
	table.answered(at(0x81, "1.2.3.4:6"), 1) // the same address
	table.answered(at(0x82, "1.2.3.9:5"), 1) // the same /24
	require.Equal(t, []byte{0x80}, inTable(&table))
	table.answered(at(0x83, "1.2.4.4:5"), 1)
	require.Equal(t, []byte{0x80, 0x83}, inTable(&table))
	for range 3 {
		table.lost(at(0x80, "1.2.3.4:5"), 1)
	}
	table.answered(at(0x82, "1.2.3.9:5"), 1)
	require.Equal(t, []byte{0x82, 0x83}, inTable(&table), "the bad one gives way to its neighbour")

	table = newTable(id(0), 1)
	table.answered(at(0x80, "[2a00:0:1::1]:5"), 1)
	table.answered(at(0x81, "[2a00:0:1:9::2]:5"), 1) // the same /48
	table.answered(at(0x82, "[2a00:0:2::1]:5"), 1)
	require.Equal(t, []byte{0x80, 0x82}, inTable(&table))

	table = newTable(id(0), 1)
	for i := range byte(6) { // a test network
		table.answered(wire.Node{ID: id(0x80 + i), Addr: netipPort("127.0.0.1", 1000+int(i))}, 1)
	}
	require.Equal(t, []byte{0x80, 0x81, 0x82, 0x83, 0x84, 0x85}, inTable(&table))
}

// Who was being asked when a new id of ours cost it its place can be asked when it gets one again.
func TestWhoWaitsIsNotBeingAsked(t *testing.T) {
	table := newTable(id(0xff), 1)
	for _, b := range []byte{0x80, 0x84, 0x88, 0x8c, 0x90, 0xc0, 0xc4, 0xc8, 0xcc, 0xd0} {
		table.answered(node(b), 1)
		table.find(node(b)).pinging = true
	}
	table.resort(id(0x00), 2)
	require.Len(t, table.buckets[0].waiting, 2)
	for _, e := range table.buckets[0].waiting {
		require.False(t, e.pinging)
	}
}

// An address and port is one node. Under a new id it is no longer the one that it was, wherever that stood.
func TestANodeWithANewIDIsDropped(t *testing.T) {
	table := filled(1)
	renamed := wire.Node{ID: id(0x41), Addr: at(0x90)}
	table.answered(renamed, 2)
	require.Nil(t, table.find(node(0x90)))
	require.NotNil(t, table.find(renamed))
	table.answered(node(0xff), 3)
	table.answered(node(0xfe), 3) // waits
	renamed = wire.Node{ID: id(0x42), Addr: at(0xfe)}
	table.answered(renamed, 4)
	require.Empty(t, table.buckets[0].waiting)
	require.NotNil(t, table.find(renamed))
}

// Of those who wait, the one whose id fits its address comes first, whoever came last.
func TestFittingNodesArePreferred(t *testing.T) {
	table := filled(1)
	a := netip.MustParseAddrPort("93.1.1.1:1")
	fits := wire.Node{ID: IDFor(a.Addr(), [20]byte{2: 7}), Addr: a}
	for i := byte(0); fits.ID[0] < 0x80; i++ { // in the full bucket
		fits.ID = IDFor(a.Addr(), [20]byte{2: 7, 19: i})
	}
	table.answered(fits, 2)
	for b := byte(0xf1); b < 0xff; b++ { // more than there is room for
		table.answered(node(b), 3)
	}
	require.Len(t, table.buckets[0].waiting, 8)
	for range 3 {
		table.lost(node(0x90), 4)
	}
	require.NotNil(t, table.find(fits))
	for range 3 {
		table.lost(node(0xa0), 4)
	}
	require.NotNil(t, table.find(node(0xfe)), "the newest, where none fits")

	// Of two whose ids fit the newer.
	table = filled(1)
	for i := range byte(2) {
		fits.Addr = netipPort(fmt.Sprintf("93.1.%d.1", i), 1)
		for r := byte(0); ; r++ {
			if fits.ID = IDFor(fits.Addr.Addr(), [20]byte{2: 7, 19: r}); fits.ID[0] >= 0x80 {
				break
			}
		}
		table.answered(fits, 2)
	}
	for range 3 {
		table.lost(node(0x90), 4)
	}
	require.NotNil(t, table.find(fits))
}

// Who waits behind a node of its own network has its place, and no other while that is there.
func TestAReplacementFitsIn(t *testing.T) {
	table := filled(1)
	later := instant(16 * time.Minute)
	neighbour := wire.Node{ID: id(0xff), Addr: netip.AddrPortFrom(at(0x80).Addr().Next(), 1)}
	table.answered(neighbour, later)
	require.Len(t, table.buckets[0].waiting, 1)
	for range 3 {
		table.lost(node(0x90), later)
	}
	require.NotNil(t, table.find(node(0x90)), "its neighbour 80 is still there")
	for range 3 {
		table.lost(node(0x80), later)
	}
	require.NotNil(t, table.find(neighbour))
	require.Empty(t, table.buckets[0].waiting)
}

func TestANodeThatMovesIsNoOtherNode(t *testing.T) {
	table := newTable(id(0), 1)
	table.answered(node(0x80), 1)
	thief := wire.Node{ID: id(0x80), Addr: at(0x99)}
	table.answered(thief, 2)
	require.NotNil(t, table.find(node(0x80)))
	require.Nil(t, table.find(thief))
	for range 3 {
		table.lost(node(0x80), 3)
	}
	table.answered(thief, 3)
	require.NotNil(t, table.find(thief))
}

func TestOwnIDIsNeverEntered(t *testing.T) {
	table := newTable(id(0x80), 1)
	table.answered(node(0x80), 1)
	require.Empty(t, inTable(&table))
	require.False(t, table.hasRoom(node(0x80), 1))
}

// Whatever happens to a table, its bounds hold, and the closest are those that a look at every node finds.
func TestTableAgainstALookAtEveryNode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		self := drawID(t, "self")
		table := newTable(self, 1)
		now := instant(1)
		var known []wire.Node
		ids := rapid.Custom(func(t *rapid.T) wire.ID { // often near our own
			id := drawID(t, "id")
			for b := range rapid.IntRange(0, 30).Draw(t, "common") {
				setBit(&id, b, bit(&self, b))
			}
			return id
		})
		for range rapid.IntRange(1, 150).Draw(t, "steps") {
			now += instant(rapid.Int64Range(0, int64(2*time.Minute)).Draw(t, "pause"))
			n := wire.Node{ID: ids.Draw(t, "node"), Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{60, 1, rapid.ByteRange(0, 20).Draw(t, "c"), rapid.Byte().Draw(t, "d")}), 1)}
			if len(known) > 0 && rapid.Bool().Draw(t, "known") {
				n = rapid.SampledFrom(known).Draw(t, "which")
			}
			known = append(known, n)
			good := goodNodes(&table, now)
			switch op := rapid.IntRange(0, 9).Draw(t, "op"); {
			case op < 6:
				room := table.hasRoom(n, now) && table.find(n) == nil
				table.answered(n, now)
				require.True(t, !room || table.find(n) != nil, "there was room")
				for _, g := range good {
					require.True(t, table.find(g) != nil || g.Addr == n.Addr, "a good node gave way")
				}
			case op < 7:
				table.asked(n, now)
			case op < 9:
				table.lost(n, now)
			case len(known)%20 == 0:
				table.resort(ids.Draw(t, "self"), now)
			default:
				table.remove(n, now)
				require.Nil(t, table.find(n))
			}
			checkTable(t, &table, now)
		}
		for range 5 {
			target := ids.Draw(t, "target")
			want := goodNodes(&table, now)
			slices.SortFunc(want, func(a, b wire.Node) int {
				if closer(&target, &a.ID, &b.ID) {
					return -1
				}
				return 1
			})
			want = want[:min(k, len(want))]
			var got []wire.Node
			for _, e := range table.closest(make([]*entry, 0, 2*k), &target, k, goodOnly, now) {
				got = append(got, e.node())
			}
			require.Equal(t, want, got)
		}
	})
}

func goodNodes(t *table, now instant) []wire.Node {
	var good []wire.Node
	for i := range t.buckets {
		for j := range t.buckets[i].nodes {
			if e := &t.buckets[i].nodes[j]; e.good(now) {
				good = append(good, e.node())
			}
		}
	}
	return good
}

// checkTable checks what is always true of a table.
func checkTable(t require.TestingT, table *table, now instant) {
	last := len(table.buckets) - 1
	require.LessOrEqual(t, last, maxBuckets)
	for i := range table.buckets {
		b := &table.buckets[i]
		require.LessOrEqual(t, len(b.nodes), k)
		require.LessOrEqual(t, len(b.waiting), k)
		require.LessOrEqual(t, b.changed, now)
		for _, es := range [][]entry{b.nodes, b.waiting} {
			for j := range es {
				in := commonPrefix(es[j].id(), &table.self)
				require.True(t, in == i || i == last && in > i)
				require.NotEqual(t, table.self, *es[j].id())
				require.NotZero(t, es[j].answered)
				for l := range j {
					require.False(t, es[l].sameOwner(&es[j]))
				}
			}
		}
		for j := range b.waiting {
			require.Nil(t, table.find(b.waiting[j].node()), "it has a place and waits for one")
		}
	}
}
