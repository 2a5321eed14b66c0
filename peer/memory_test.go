package peer_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/peer"
)

// BenchmarkThousandConversations measures what one peer holds that has a thousand conversations open, in each of which both have spoken, beyond one that is idle.
func BenchmarkThousandConversations(b *testing.B) {
	for range b.N {
		idle := sizeOf(func() *peer.Peer { return popular(b, 0) })
		b.ReportMetric(float64(sizeOf(func() *peer.Peer { return popular(b, 1000) })-idle)/(1<<20), "MiB")
	}
}

// popular returns the peer of somebody with so many conversations.
func popular(b *testing.B, n int) *peer.Peer {
	v := newVillage(b)
	hub := v.moveIn()
	v.Run(time.Minute)
	friends := make([]*villager, n)
	for i := range friends {
		friends[i] = v.moveIn()
		friends[i].add(hub)
		hub.add(friends[i])
		v.Run(200 * time.Millisecond)
	}
	require.True(b, v.RunUntil(2*time.Hour, func() bool { return open(hub) == n }), "%d are open", open(hub))
	for _, f := range friends {
		f.say(hub, "hello")
		hub.say(f, "hello yourself")
	}
	v.Run(time.Minute)
	require.Equal(b, n, open(hub))
	return hub.p
}

// open is how many conversations somebody has.
func open(p *villager) (n int) {
	for _, c := range p.p.Contacts() {
		if c.Online {
			n++
		}
	}
	return n
}

// sizeOf is what nobody but the peer holds.
func sizeOf(f func() *peer.Peer) int64 {
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	p := f()
	with := heap()
	runtime.KeepAlive(p)
	return with - heap()
}
