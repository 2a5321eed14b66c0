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
				a := stranger(rapid.IntRange(0, 9).Draw(t, "who"))
				s.add(hash, a, now)
				list = append(list, announcement{hash, a, now})
			}
			max := rapid.IntRange(0, 12).Draw(t, "max")
			drawn := slices.Collect(s.draw(nil, &hash, max, now).All())
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
		s.add(id(1), stranger(i), instant(1+i))
	}
	_, peers := s.size(400)
	require.Equal(t, 256, peers)
	hash := id(1)
	drawn := slices.Collect(s.draw(nil, &hash, 300, 400).All())
	for i := range 300 {
		require.Equal(t, i >= 300-256, slices.Contains(drawn, stranger(i)), i)
	}
	require.Equal(t, uint64(300-256), s.evicted)

	for i := range 5000 { // and so do info-hashes
		s.add(wire.ID{2, byte(i >> 8), byte(i)}, stranger(0), instant(500+i))
	}
	hashes, _ := s.size(6000)
	require.Equal(t, 4096, hashes)
	require.Nil(t, s.byHash[id(1)])
	require.Nil(t, s.byHash[wire.ID{2, 0, 0}])
	require.NotNil(t, s.byHash[wire.ID{2, 4999 >> 8, 4999 & 0xff}])
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
				s.put(&target, &m, now)
				model[target] = item{v, now}
			case 1:
				if got != nil {
					s.refresh(got, now)
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
		s.put(&target, &m, instant(1+i))
		return target
	}
	first, second := put(0), put(1)
	for i := 2; i < itemsKept; i++ {
		put(i)
	}
	s.refresh(s.get(&first, 5000), 5000)
	require.Zero(t, s.evicted)
	put(5001)
	require.Equal(t, uint64(1), s.evicted)
	require.Equal(t, itemsKept, s.size(5001))
	require.NotNil(t, s.get(&first, 5001))
	require.Nil(t, s.get(&second, 5001))
}

// What is stored is a copy.
func TestStoredItemsAreCopies(t *testing.T) {
	s := newItemStore()
	for _, has := range []wire.Keys{wire.HasValue, wire.HasValue | wire.HasKey | wire.HasSig} {
		m := wire.Body{Has: has, Key: bytes.Repeat([]byte{1}, 32), Sig: bytes.Repeat([]byte{2}, 64), Salt: []byte("salt"), Value: []byte("5:hello")}
		target := id(byte(has))
		s.put(&target, &m, 1)
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
