package dht

import (
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"kith/wire"
)

// stranger returns the i-th of many global addresses, no two of one /24.
func stranger(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(20 + i>>16), byte(i >> 8), byte(i), 1}), 6881)
}

// withNodes returns a node whose table holds n nodes that are good: 8 in each of n/8 buckets.
func withNodes(tb testing.TB, n int) (*Node, time.Time) {
	node, err := New(Config{Rand: seeded(1), Reachable: true, Rate: 1e9, Burst: 1e9}, began)
	require.NoError(tb, err)
	fill(node.overlays[V4], n)
	_, good := node.overlays[V4].table.size(node.now)
	require.Equal(tb, n, good)
	return node, began
}

// fill enters nodes that share ever more bits with our id.
func fill(o *overlay, n int) {
	r := rand.New(seeded(2))
	for i := range n {
		var id wire.ID
		for j := range id {
			id[j] = byte(r.Uint32())
		}
		for b := range i / k {
			setBit(&id, b, bit(&o.table.self, b))
		}
		setBit(&id, i/k, !bit(&o.table.self, i/k))
		o.table.answered(wire.Node{ID: id, Addr: stranger(i)}, o.now)
	}
}

// queries are packets of many strangers, about many targets.
func packets(m Method) (b [][]byte) {
	r := rand.New(seeded(3))
	for range 1024 {
		q := wire.Message{Kind: wire.KindQuery, T: []byte("abcd"), Method: methodBytes[m], Version: version}
		q.Has = wire.HasID
		for j := range q.ID {
			q.ID[j] = byte(r.Uint32())
			q.Target[j] = byte(r.Uint32())
		}
		switch m {
		case MethodFindNode, MethodGet:
			q.Has |= wire.HasTarget
		case MethodGetPeers:
			q.Has |= wire.HasInfoHash
			q.InfoHash = q.Target
		}
		b = append(b, wire.AppendMessage(nil, &q))
	}
	return b
}

// benchmarkReply measures one answer in the core: a datagram in, a datagram out.
func benchmarkReply(b *testing.B, m Method) {
	n, now := withNodes(b, 1000)
	in := packets(m)
	from := addr("81.2.69.142:6881")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		n.HandleDatagram(now, from, in[i%len(in)])
		if _, _, ok := n.Transmit(); !ok {
			b.Fatal("no answer")
		}
	}
}

func BenchmarkPing(b *testing.B)     { benchmarkReply(b, MethodPing) }
func BenchmarkFindNode(b *testing.B) { benchmarkReply(b, MethodFindNode) }
func BenchmarkGetPeers(b *testing.B) { benchmarkReply(b, MethodGetPeers) }
func BenchmarkGet(b *testing.B)      { benchmarkReply(b, MethodGet) }

// What a node does for strangers costs the collector nothing.
func TestRepliesAllocateNothing(t *testing.T) {
	for _, m := range []Method{MethodPing, MethodFindNode, MethodGetPeers, MethodGet} {
		n, now := withNodes(t, 1000)
		in := packets(m)
		from := addr("81.2.69.142:6881")
		i := 0
		once := func() {
			n.HandleDatagram(now, from, in[i%len(in)])
			for _, _, ok := n.Transmit(); ok; _, _, ok = n.Transmit() {
			}
			i++
		}
		for range 10 {
			once() // the first grow what is used again
		}
		require.Zero(t, testing.AllocsPerRun(200, once), m)
	}
}

// The figures that the memory of a node is bounded by.
func TestSizes(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(entry{}), uintptr(128))
	t.Logf("entry %d, stored %d, peer %d, transaction %d, candidate %d bytes", unsafe.Sizeof(entry{}), unsafe.Sizeof(stored{}), unsafe.Sizeof(peer{}), unsafe.Sizeof(transaction{}), unsafe.Sizeof(candidate{}))
}

// heap returns how many bytes of the heap what make makes takes up.
func heap(make func() any) float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&before)
	kept := make()
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(kept)
	return float64(after.HeapAlloc) - float64(before.HeapAlloc)
}

func TestTableMemory(t *testing.T) {
	n, err := New(Config{Rand: seeded(1)}, began)
	require.NoError(t, err)
	each := heap(func() any {
		fill(n.overlays[V4], 1000)
		return n
	}) / 1000
	t.Logf("%.0f bytes of heap for an entry", each)
	require.Less(t, each, 128.0)
}

func TestItemMemory(t *testing.T) {
	for _, size := range []int{1, 100, 500, 1000} {
		value := make([]byte, size)
		each := heap(func() any {
			s := newItemStore()
			m := wire.Body{Has: wire.HasValue | wire.HasKey | wire.HasSig, Key: make([]byte, 32), Sig: make([]byte, 64), Salt: []byte("salt"), Value: value}
			for i := range itemsKept { // each of another network, which costs most
				target := wire.ID{byte(i >> 8), byte(i)}
				s.put(&target, &m, uint64(i), 1)
			}
			return s
		}) / itemsKept
		beyond := each - float64(size+32+64+4)
		t.Logf("value of %d: %.0f bytes beyond its own", size, beyond)
		require.Less(t, beyond, 256.0)
	}
}
