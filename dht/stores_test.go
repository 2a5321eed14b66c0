package dht

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kith/wire"
)

// The store of peers against a list of all announcements ever.
func TestPeerStoreAgainstAList(t *testing.T) {
	type announcement struct {
		hash wire.ID
		addr netip.AddrPort
		at   instant
	}
	rapid.Check(t, func(t *rapid.T) {
		s := newPeerStore(rand.New(seeded(1)))
		var list []announcement
		now := instant(1)
		live := func(hash wire.ID) map[netip.AddrPort]bool {
			m := map[netip.AddrPort]bool{}
			for _, a := range list {
				if a.hash == hash && now-a.at < peerLife {
					m[a.addr] = true
				}
			}
			return m
		}
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			now += instant(rapid.Int64Range(0, int64(10*time.Minute)).Draw(t, "pause"))
			hash := id(rapid.ByteRange(0, 5).Draw(t, "hash"))
			if rapid.Bool().Draw(t, "announce") {
				i := rapid.IntRange(0, 9).Draw(t, "who")
				a := stranger(i)
				s.add(hash, a, uint64(i), now)
				list = append(list, announcement{hash, a, now})
			}
			max := rapid.IntRange(0, 12).Draw(t, "max")
			drawn := slices.Collect(s.draw(nil, &hash, max, true, now).All())
			want := live(hash)
			require.Len(t, drawn, min(max, len(want)))
			for _, a := range drawn {
				require.True(t, want[a])
				delete(want, a)
			}
			hashes, peers := 0, 0
			for h := range byte(6) {
				if n := len(live(id(h))); n > 0 {
					hashes++
					peers += n
				}
			}
			gotHashes, gotPeers := s.size(now)
			require.Equal(t, hashes, gotHashes)
			require.Equal(t, peers, gotPeers)
			sample, num, left := s.samples(now)
			require.GreaterOrEqual(t, num, len(sample))
			require.GreaterOrEqual(t, num, hashes)
			require.LessOrEqual(t, left, sampleInterval)
			require.Positive(t, left)
		}
	})
}

func TestPeersAreBounded(t *testing.T) {
	s := newPeerStore(rand.New(seeded(1)))
	for i := range 300 { // the newest push out the oldest
		s.add(id(1), stranger(i), uint64(i), instant(1+i))
	}
	_, peers := s.size(400)
	require.Equal(t, 256, peers)
	hash := id(1)
	drawn := slices.Collect(s.draw(nil, &hash, 300, true, 400).All())
	for i := range 300 {
		require.Equal(t, i >= 300-256, slices.Contains(drawn, stranger(i)), i)
	}
	require.Equal(t, uint64(300-256), s.evicted)

	for i := range 5000 { // and so do info-hashes
		s.add(wire.ID{2, byte(i >> 8), byte(i)}, stranger(0), uint64(i), instant(500+i))
	}
	hashes, _ := s.size(6000)
	require.Equal(t, 4096, hashes)
	require.Nil(t, s.byHash[id(1)])
	require.Nil(t, s.byHash[wire.ID{2, 0, 0}])
	require.NotNil(t, s.byHash[wire.ID{2, 4999 >> 8, 4999 & 0xff}])
}

// However many peers there are in all, the oldest give way.
func TestPeersAreBoundedInAll(t *testing.T) {
	s := newPeerStore(rand.New(seeded(1)))
	for i := range peersKept + 1000 {
		s.add(wire.ID{byte(i >> 14), byte(i >> 7)}, netip.AddrPortFrom(stranger(i).Addr(), uint16(1+i&0x7f)), uint64(i), instant(1+i))
	}
	hashes, peers := s.size(100_000)
	require.Equal(t, peersKept, peers)
	require.Equal(t, 520-7, hashes, "of 7 info-hashes every peer has gone")
	require.Equal(t, uint64(1000), s.evicted)
	checkPeers(t, s, V4)
}

// A network that announces without end makes only its own peers give way: 16 of an info-hash, 256 in all.
func TestANetworkHasItsShareOfPeers(t *testing.T) {
	s := newPeerStore(rand.New(seeded(1)))
	for i := range 240 { // what others announced
		s.add(id(1), stranger(i), uint64(i), 1)
		s.add(wire.ID{2, byte(i)}, stranger(i), uint64(i), 1)
	}
	const flood = 1000
	port := func(i int) netip.AddrPort { return netipPort("91.1.1.1", 1+i) }
	for i := range 5000 {
		s.add(id(1), port(i), flood, instant(2+i))
		require.LessOrEqual(t, len(s.byHash[id(1)].peers), 240+16)
	}
	checkPeers(t, s, V4)
	for i := range 5000 {
		s.add(wire.ID{3, byte(i >> 8), byte(i)}, port(i), flood, instant(6000+i))
	}
	checkPeers(t, s, V4)
	hashes, peers := s.size(20_000)
	require.Equal(t, 1+240+256, hashes)
	require.Equal(t, 240+240+256, peers)
	for i := range 240 {
		_, ok := s.find(id(1), stranger(i))
		require.True(t, ok)
		require.NotNil(t, s.byHash[wire.ID{2, byte(i)}])
	}
	for i := range 5000 {
		require.Equal(t, i >= 5000-256, s.byHash[wire.ID{3, byte(i >> 8), byte(i)}] != nil, i)
	}
	s.add(wire.ID{3, 4900 >> 8, 4900 & 0xff}, port(4900), flood, 20_000) // renewed
	for i := range 255 {
		s.add(wire.ID{4, byte(i)}, port(i), flood, instant(20_001+i))
	}
	require.NotNil(t, s.byHash[wire.ID{3, 4900 >> 8, 4900 & 0xff}])
	s.add(id(5), port(0), flood, 30_000)
	require.Nil(t, s.byHash[wire.ID{3, 4900 >> 8, 4900 & 0xff}])
}

// checkPeers checks what is always true of a store of peers.
func checkPeers(t require.TestingT, s *peerStore, family Family) {
	require.LessOrEqual(t, len(s.all), hashesKept)
	require.Equal(t, len(s.all), len(s.byHash))
	require.LessOrEqual(t, s.age.n, uint32(peersKept))
	peers := 0
	shares := map[uint64]uint32{}
	for i, w := range s.all {
		require.Equal(t, i, w.at)
		require.Same(t, w, s.byHash[w.hash])
		require.NotEmpty(t, w.peers)
		require.LessOrEqual(t, len(w.peers), peersPerHash)
		kin := map[uint64]int{}
		for j, number := range w.peers {
			p := s.peers.at(number)
			require.Equal(t, j, p.at)
			require.Same(t, w, p.swarm)
			require.Equal(t, family, familyOf(p.addr.Addr()))
			require.NotZero(t, p.addr.Port())
			kin[p.network]++
			require.LessOrEqual(t, kin[p.network], kinPerHash)
			shares[p.network]++
		}
		peers += len(w.peers)
	}
	require.Equal(t, peers, int(s.age.n))
	require.Equal(t, len(s.peers.things), peers+len(s.peers.free))
	checkShares(t, &s.shares, shares)
}

// checkShares checks that each network has as many things as want says.
func checkShares(t require.TestingT, s *shares, want map[uint64]uint32) {
	require.Len(t, s.of, len(want))
	for network, n := range want {
		require.Equal(t, n, s.of[network].n)
		require.LessOrEqual(t, n, s.most)
	}
}

func checkItems(t require.TestingT, s *itemStore) {
	require.LessOrEqual(t, len(s.byTarget), itemsKept)
	require.Equal(t, len(s.byTarget), int(s.age.n))
	require.Equal(t, len(s.items.things), len(s.byTarget)+len(s.items.free))
	shares := map[uint64]uint32{}
	for target, i := range s.byTarget {
		require.Equal(t, target, s.items.at(i).target)
		shares[s.items.at(i).network]++
	}
	checkShares(t, &s.shares, shares)
}

// A chain against a slice for each of its queues.
func TestChainAgainstSlices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c chain
		var queues [3]queue
		var model [3][]uint32
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			i := rapid.Uint32Range(0, 20).Draw(t, "number")
			in := slices.IndexFunc(model[:], func(m []uint32) bool { return slices.Contains(m, i) })
			if in >= 0 {
				c.remove(&queues[in], i)
				model[in] = slices.DeleteFunc(model[in], func(j uint32) bool { return i == j })
			} else {
				in = rapid.IntRange(0, 2).Draw(t, "queue")
				c.push(&queues[in], i)
				model[in] = append(model[in], i)
			}
			for q, m := range model {
				require.Equal(t, len(m), int(queues[q].n))
				if len(m) == 0 {
					continue
				}
				i := c.first(queues[q])
				for _, want := range m {
					require.Equal(t, want, i)
					require.Equal(t, i, c[c[i].next].prev)
					i = c[i].next
				}
				require.Equal(t, m[0], i, "a circle")
			}
		}
	})
}

// The store of items against a map.
func TestItemStoreAgainstAMap(t *testing.T) {
	type item struct {
		value string
		put   instant
	}
	rapid.Check(t, func(t *rapid.T) {
		s := newItemStore()
		model := map[wire.ID]item{}
		now := instant(1)
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			now += instant(rapid.Int64Range(0, int64(20*time.Minute)).Draw(t, "pause"))
			target := id(rapid.ByteRange(0, 5).Draw(t, "target"))
			for target, i := range model {
				if now-i.put >= itemLife {
					delete(model, target)
				}
			}
			got := s.get(&target, now)
			want, ok := model[target]
			require.Equal(t, ok, got != nil)
			if ok {
				require.Equal(t, want.value, string(got.value()))
			}
			require.Equal(t, len(model), s.size(now))
			switch rapid.IntRange(0, 2).Draw(t, "op") {
			case 0:
				v := rapid.StringN(0, 9, 9).Draw(t, "value")
				m := wire.Body{Has: wire.HasValue, Value: []byte(v)}
				if rapid.Bool().Draw(t, "mutable") {
					m.Has |= wire.HasKey | wire.HasSig
					m.Key, m.Sig, m.Salt = make([]byte, 32), make([]byte, 64), []byte("salt")
				}
				s.put(&target, &m, 1, now)
				model[target] = item{v, now}
			case 1:
				if got != nil {
					s.refresh(&target, now)
					model[target] = item{want.value, now}
				}
			}
		}
	})
}

// The item whose life ends first gives way.
func TestItemsAreBounded(t *testing.T) {
	s := newItemStore()
	put := func(i int) wire.ID {
		m := wire.Body{Has: wire.HasValue, Value: fmt.Appendf(nil, "i%de", i)}
		target := wire.ImmutableTarget(m.Value)
		s.put(&target, &m, uint64(i), instant(1+i))
		return target
	}
	first, second := put(0), put(1)
	for i := 2; i < itemsKept; i++ {
		put(i)
	}
	s.refresh(&first, 5000)
	require.Zero(t, s.evicted)
	put(5001)
	require.Equal(t, uint64(1), s.evicted)
	require.Equal(t, itemsKept, s.size(5001))
	require.NotNil(t, s.get(&first, 5001))
	require.Nil(t, s.get(&second, 5001))
}

// A network that puts without end makes only its own items give way, of which it has 256: those first whose lives end first.
func TestANetworkHasItsShareOfItems(t *testing.T) {
	s := newItemStore()
	put := func(network uint64, i int, now instant) wire.ID {
		m := wire.Body{Has: wire.HasValue, Value: fmt.Appendf(nil, "i%d00000%de", 1+network, i)}
		target := wire.ImmutableTarget(m.Value)
		s.put(&target, &m, network, now)
		return target
	}
	const victim, flood = 1, 2
	var theirs, mine []wire.ID
	for i := range 10 {
		theirs = append(theirs, put(victim, i, 1))
	}
	put(flood, 0, 2)
	put(victim, 10, 2)
	s.put(&theirs[0], &wire.Body{Has: wire.HasValue, Value: []byte("i1e")}, flood, 3) // stays theirs, whoever puts it again
	for i := range 10_000 {
		mine = append(mine, put(flood, i, instant(3+i)))
		if i == 5000 {
			s.refresh(&mine[4900], instant(3+i))
		}
		if i == 5100 {
			require.NotNil(t, s.get(&mine[4900], instant(3+i)), "its life was renewed")
		}
	}
	checkItems(t, s)
	for _, target := range theirs {
		require.NotNil(t, s.get(&target, 20_000))
	}
	for i := range mine {
		require.Equal(t, i >= 10_000-256, s.get(&mine[i], 20_000) != nil, i)
	}
	require.Equal(t, 11+256, s.size(20_000))
	require.Equal(t, uint64(10_000-256), s.evicted)
}

// What is stored is a copy.
func TestStoredItemsAreCopies(t *testing.T) {
	s := newItemStore()
	for _, has := range []wire.Keys{wire.HasValue, wire.HasValue | wire.HasKey | wire.HasSig} {
		m := wire.Body{Has: has, Key: bytes.Repeat([]byte{1}, 32), Sig: bytes.Repeat([]byte{2}, 64), Salt: []byte("salt"), Value: []byte("5:hello")}
		target := id(byte(has))
		s.put(&target, &m, 1, 1)
		for _, b := range [][]byte{m.Key, m.Sig, m.Salt, m.Value} {
			clear(b)
		}
		require.Equal(t, "5:hello", string(s.get(&target, 1).value()))
		if i := s.get(&target, 1); i.mutable {
			require.Equal(t, bytes.Repeat([]byte{1}, 32), i.key())
			require.Equal(t, bytes.Repeat([]byte{2}, 64), i.sig())
		}
	}
}
