package dht

import (
	"bytes"
	"encoding/binary"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/wire"
)

// gives lets b answer a get with an item.
func (s *script) gives(b byte, i Item, names ...byte) {
	s.Helper()
	m := s.take(at(b)).reply(id(b))
	m.Has |= wire.HasToken | wire.HasNodes | wire.HasValue
	m.Token, m.Value = []byte{'t', b}, i.Value
	for _, o := range names {
		m.Nodes = wire.AppendNode(m.Nodes, node(o))
	}
	if i.Mutable {
		m.Has |= wire.HasKey | wire.HasSig | wire.HasSeq
		m.Key, m.Sig, m.Seq = bytes.Clone(i.Key[:]), bytes.Clone(i.Sig[:]), i.Seq
	}
	s.message(at(b), m)
}

// acknowledges lets b answer that it stored.
func (s *script) acknowledges(b byte) {
	s.Helper()
	s.message(at(b), s.take(at(b)).reply(id(b)))
}

// refuses lets b answer an error.
func (s *script) refuses(b byte, code int64) {
	s.Helper()
	q := s.take(at(b))
	s.message(at(b), wire.Message{Kind: wire.KindError, T: q.m.T, Code: code, Text: []byte("no")})
}

// of returns the events of a kind.
func (s *script) of(k EventKind) (es []Event) {
	for _, e := range s.events {
		if e.Kind == k {
			es = append(es, e)
		}
	}
	return es
}

// A reader asks all and keeps the highest seq.
func TestGetKeepsTheNewest(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80), node(0x90), node(0xa0), node(0xb0))
	target := signed("salt", 0, "i0e").Target()
	op := s.n.Get(s.now, target, GetOptions{Salt: []byte("salt")})
	s.drain()
	for len(s.asked) > 0 {
		switch b := s.asked[0].m; {
		case s.asked[0].to == at(0x80):
			require.Equal(t, target, b.Target)
			require.Zero(t, b.Has&wire.HasSeq)
			s.gives(0x80, signed("salt", 5, "1:a"))
		case s.asked[0].to == at(0x90):
			s.gives(0x90, signed("salt", 7, "1:b"))
		case s.asked[0].to == at(0xa0):
			s.gives(0xa0, signed("salt", 6, "1:c"))
		default:
			s.gives(0xb0, signed("salt", 7, "1:b"))
		}
	}
	e := s.done(op)
	require.NoError(t, e.Err)
	require.Equal(t, signed("salt", 7, "1:b"), *e.Item)
	seqs := []int64{}
	for _, e := range s.of(EventItem) {
		seqs = append(seqs, e.Item.Seq)
	}
	require.IsIncreasing(t, append([]int64{-1}, seqs...))
}

// What is not what was asked for does not count.
func TestGetVerifies(t *testing.T) {
	i := signed("salt", 7, "1:b")
	change := func(f func(*Item)) Item { j := i; f(&j); return j }
	long := bytes.Repeat([]byte{'x'}, 1001)
	for name, forged := range map[string]Item{
		"signature":       change(func(i *Item) { i.Sig[0] ^= 1 }),
		"seq":             change(func(i *Item) { i.Seq = 8 }),
		"value":           change(func(i *Item) { i.Value = []byte("1:c") }),
		"key":             change(func(i *Item) { i.Key[0] ^= 1 }),
		"salt":            signed("other", 7, "1:b"),
		"unsigned":        {Value: []byte("1:b")},
		"no salt":         signed("", 7, "1:b"),
		"too long":        signed("salt", 7, "1001:"+string(long)),
		"another's value": {Value: []byte("5:hello")},
	} {
		s := begin(t, 0x00).quiet()
		s.knows(node(0x80))
		op := s.n.Get(s.now, i.Target(), GetOptions{Salt: []byte("salt")})
		s.drain()
		s.gives(0x80, forged)
		require.ErrorIs(t, s.done(op).Err, ErrNotFound, name)
		require.Equal(t, uint64(1), s.n.Stats().Forged, name)
		require.Empty(t, s.of(EventItem), name)
	}
}

func TestGetOfAnImmutableItemEndsWithTheFirst(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80), node(0x90))
	i := Item{Value: []byte("5:hello")}
	op := s.n.Get(s.now, i.Target(), GetOptions{})
	s.drain()
	s.gives(0x80, i)
	require.NoError(t, s.done(op).Err)
	require.Equal(t, i.Value, s.done(op).Item.Value)
	require.Zero(t, s.n.Stats().Active)
}

func TestGetAsksForNewerOnly(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80))
	seq := int64(7)
	op := s.n.Get(s.now, id(0xff), GetOptions{Newer: &seq})
	s.drain()
	q := s.take(at(0x80))
	require.NotZero(t, q.m.Has&wire.HasSeq)
	require.Equal(t, int64(7), q.m.Seq)
	m := q.reply(id(0x80)) // nothing newer
	m.Has |= wire.HasSeq | wire.HasToken
	m.Seq, m.Token = 7, []byte("t")
	s.message(at(0x80), m)
	require.ErrorIs(t, s.done(op).Err, ErrNotFound)
}

func TestPutStores(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80), node(0x90), node(0xa0))
	i := signed("salt", 7, "1:b")
	six := int64(6)
	op := s.n.Put(s.now, i, PutOptions{CAS: &six})
	s.drain()
	for _, b := range []byte{0x80, 0x90, 0xa0} {
		s.replies(b)
	}
	s.wantAsked(MethodPut, 0x80, 0x90, 0xa0)
	for _, q := range s.asked {
		require.True(t, q.m.Has.All(wire.HasTarget|wire.HasValue|wire.HasKey|wire.HasSig|wire.HasSeq|wire.HasSalt|wire.HasToken|wire.HasCAS))
		require.Equal(t, i.Target(), q.m.Target)
		require.Equal(t, []byte{'t', q.to.Addr().As4()[1]}, q.m.Token)
		require.Equal(t, int64(6), q.m.CAS)
		require.Equal(t, i.Salt, q.m.Salt)
	}
	s.acknowledges(0x80)
	s.refuses(0x90, 302)
	s.undone(op)
	s.forget(0xa0)
	s.advance(2 * time.Second)
	e := s.done(op)
	require.NoError(t, e.Err)
	require.Equal(t, 1, e.Stored)
	require.Equal(t, int64(302), s.of(EventRefused)[0].Code)
	require.Equal(t, node(0x90), s.of(EventRefused)[0].Node)
	require.Equal(t, node(0x80), s.of(EventStored)[0].Node)
}

func TestPutOfAnImmutableItemHasSeqZero(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80))
	i := Item{Value: []byte("5:hello")}
	op := s.n.Put(s.now, i, PutOptions{})
	s.drain()
	s.replies(0x80)
	q := s.take(at(0x80))
	require.True(t, q.m.Has.All(wire.HasTarget|wire.HasSeq|wire.HasValue))
	require.Zero(t, q.m.Has&(wire.HasKey|wire.HasSig|wire.HasSalt|wire.HasCAS))
	require.Equal(t, i.Target(), q.m.Target)
	require.Zero(t, q.m.Seq)
	s.message(at(0x80), q.reply(id(0x80)))
	require.NoError(t, s.done(op).Err)
}

// The caller's slices are the caller's again as soon as Put returns.
func TestPutCopiesItsItem(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80))
	i := signed("salt", 1, "5:hello")
	s.n.Put(s.now, i, PutOptions{})
	clear(i.Value)
	clear(i.Salt)
	s.drain()
	s.replies(0x80)
	q := s.take(at(0x80))
	require.Equal(t, "5:hello", string(q.m.Value))
	require.Equal(t, "salt", string(q.m.Salt))
}

func TestPutThatNobodyStores(t *testing.T) {
	s := begin(t, 0x00).quiet()
	require.ErrorIs(t, s.done0(s.n.Put(s.now, signed("", 1, "1:a"), PutOptions{})).Err, ErrNoNodes)
	s.knows(node(0x80))
	op := s.n.Put(s.now, signed("", 1, "1:a"), PutOptions{})
	s.drain()
	s.replies(0x80)
	s.refuses(0x80, 301)
	require.ErrorIs(t, s.done(op).Err, ErrNotStored)
	require.Equal(t, int64(301), s.done(op).Code)
	require.Contains(t, s.done(op).Err.Error(), "error 301")

	s.now = s.now.Add(time.Second)
	op = s.n.Put(s.now, signed("", 1, "1:a"), PutOptions{})
	s.drain()
	s.replies(0x80)
	s.advance(2 * time.Second)
	require.Equal(t, ErrNotStored, s.done(op).Err, "no error was answered")
}

// Nobody is asked any more when an immutable item is there: it cannot be had any better.
func TestGetOfAnImmutableItemEndsWithIt(t *testing.T) {
	s := begin(t, 0x00, func(c *Config) { c.IPv6 = true }).quiet()
	six := func(b byte) wire.Node {
		return wire.Node{ID: id(b), Addr: netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x2a, 0, b, 15: 1}), 1)}
	}
	for b := byte(0x80); b < 0xc0; b += 0x10 {
		s.knows(node(b), six(b))
	}
	item := Item{Value: []byte("5:hello")}
	op := s.n.Get(s.now, item.Target(), GetOptions{})
	s.drain()
	b := s.asked[0].to.Addr().As4()[1]
	others := len(s.asked) - 1
	s.gives(b, item)
	require.Equal(t, item, *s.done(op).Item)
	require.Len(t, s.asked, others)
	require.Zero(t, s.n.Stats().Active)
}

func TestPutChecksItsItem(t *testing.T) {
	s := begin(t, 0x00).quiet()
	bad := signed("", 1, "1:a")
	bad.Sig[0] ^= 1
	require.ErrorIs(t, s.done0(s.n.Put(s.now, bad, PutOptions{})).Err, ErrAuthentication)
	require.ErrorIs(t, s.done0(s.n.Put(s.now, Item{Value: []byte("1:ab")}, PutOptions{})).Err, ErrMalformed)
	require.ErrorIs(t, s.done0(s.n.Put(s.now, Item{Value: append([]byte("1001:"), make([]byte, 1001)...)}, PutOptions{})).Err, ErrLimit)
	require.ErrorIs(t, s.done0(s.n.Put(s.now, signed(string(make([]byte, 65)), 1, "1:a"), PutOptions{})).Err, ErrLimit)
	require.ErrorIs(t, s.done0(s.n.Put(s.now, signed("", -1, "1:a"), PutOptions{})).Err, ErrMalformed)
}

// Nodes that gave no token do not store, and are passed.
func TestPutPassesNodesWithoutTokens(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80), node(0x90))
	op := s.n.Put(s.now, signed("", 1, "1:a"), PutOptions{})
	s.drain()
	s.message(at(0x90), s.take(at(0x90)).reply(id(0x90)))
	s.replies(0x80)
	s.wantAsked(MethodPut, 0x80)
	s.acknowledges(0x80)
	require.Equal(t, 1, s.done(op).Stored)
}

// An item goes to the 8 closest, and to the 8 closest whose ids fit their addresses: who grinds ids that do not fit cannot have it
// alone.
func TestPutGoesToBothSets(t *testing.T) {
	s := begin(t, 0x00).quiet()
	item := signed("", 1, "1:a")
	target := item.Target()
	// Nodes that fit lie anywhere; those that do not, next to the target.
	var fitting, near []wire.Node
	for i := range byte(12) {
		a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{70, i, 1, 1}), 1)
		fitting = append(fitting, wire.Node{ID: IDFor(a.Addr(), [20]byte{i, i, i, i, i}), Addr: a})
		a = netip.AddrPortFrom(netip.AddrFrom4([4]byte{71, i, 1, 1}), 1)
		n := wire.Node{ID: target, Addr: a}
		n.ID[19] ^= i + 1
		near = append(near, n)
	}
	s.knows(fitting...)
	op := s.n.Put(s.now, item, PutOptions{})
	s.drain()
	stored := map[netip.AddrPort]bool{}
	for len(s.asked) > 0 {
		q := s.asked[0]
		s.asked = s.asked[1:]
		var who wire.Node
		for _, n := range append(fitting, near...) {
			if n.Addr == q.to {
				who = n
			}
		}
		m := q.reply(who.ID)
		if string(q.m.Method) == "put" {
			stored[q.to] = true
		} else {
			m.Has |= wire.HasToken | wire.HasNodes
			m.Token = []byte("t")
			for _, n := range append(near[:4:4], fitting...)[:8] {
				m.Nodes = wire.AppendNode(m.Nodes, n)
			}
			if ip := q.to.Addr().As4(); ip[0] == 71 {
				m.Nodes = nil
				for i := range 8 {
					m.Nodes = wire.AppendNode(m.Nodes, near[(int(ip[1])+i)%12])
				}
			}
		}
		s.message(q.to, m)
	}
	s.done(op)
	require.Len(t, stored, 16)
	for _, nodes := range [][]wire.Node{fitting, near} {
		n := 0
		for _, m := range nodes {
			if stored[m.Addr] {
				n++
			}
		}
		require.Equal(t, 8, n)
	}
	for i := range byte(8) {
		require.True(t, stored[near[i].Addr], "not at the closest")
	}
}

func TestAnnounceTellsTheClosest(t *testing.T) {
	for _, port := range []uint16{0, 6881} {
		s := begin(t, 0x00).quiet()
		s.knows(node(0x80), node(0x90))
		op := s.n.Announce(s.now, id(0xff), port)
		s.drain()
		s.wantAsked(MethodGetPeers, 0x80, 0x90)
		s.replies(0x80)
		s.replies(0x90)
		s.wantAsked(MethodAnnounce, 0x80, 0x90)
		for _, b := range []byte{0x80, 0x90} {
			q := s.take(at(b))
			require.Equal(t, id(0xff), q.m.InfoHash)
			require.Equal(t, int64(port), q.m.Port)
			require.Equal(t, port == 0, q.m.ImpliedPort)
			require.Equal(t, []byte{'t', b}, q.m.Token)
			s.message(at(b), q.reply(id(b)))
		}
		require.Equal(t, 2, s.done(op).Stored)
		require.NoError(t, s.done(op).Err)
	}
}

func TestGetPeersTellsPeers(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80))
	op := s.n.GetPeers(s.now, id(0xff))
	s.drain()
	m := s.take(at(0x80)).reply(id(0x80))
	m.Has |= wire.HasValues
	for _, a := range []string{"46.1.1.1:1", "127.0.0.1:1", "46.1.1.1:0", "[2a00::1]:2", "10.1.1.1:1"} {
		m.Values = wire.AppendValue(m.Values, addr(a))
	}
	s.message(at(0x80), m)
	require.NoError(t, s.done(op).Err)
	require.Equal(t, []netip.AddrPort{addr("46.1.1.1:1"), addr("[2a00::1]:2")}, s.of(EventPeers)[0].Peers)
	op = s.n.GetPeers(s.now, id(0xfe))
	s.drain()
	s.replies(0x80)
	require.ErrorIs(t, s.done(op).Err, ErrNotFound)
}

func TestSampleTellsInfohashes(t *testing.T) {
	s := begin(t, 0x00).quiet()
	op := s.n.Sample(s.now, at(0x80), id(0x55))
	s.drain()
	q := s.take(at(0x80))
	require.Equal(t, "sample_infohashes", string(q.m.Method))
	require.Equal(t, id(0x55), q.m.Target)
	m := q.reply(id(0x80))
	m.Has |= wire.HasSamples | wire.HasNum | wire.HasInterval | wire.HasNodes
	m.Samples, m.Num, m.Interval = wire.AppendSample(nil, id(7)), 12, 60
	m.Nodes = wire.AppendNode(wire.AppendNode(nil, node(0x90)), wire.Node{ID: id(1), Addr: addr("127.0.0.1:1")})
	six := wire.Node{ID: id(2), Addr: addr("[2a00::1]:1")}
	m.Has |= wire.HasNodes6
	m.Nodes6 = wire.AppendNode(wire.AppendNode(nil, wire.Node{ID: id(3), Addr: addr("[::1]:1")}), six)
	s.message(at(0x80), m)
	e := s.done(op)
	require.Equal(t, []wire.ID{id(7)}, e.Samples)
	require.Equal(t, int64(12), e.Num)
	require.Equal(t, time.Minute, e.Interval)
	require.Equal(t, []wire.Node{node(0x90), six}, e.Nodes)
	require.Equal(t, 1, e.Answered)
}

// What a node says of its interval is no reason to come back before it was asked, or never.
func TestSampleIntervalIsBounded(t *testing.T) {
	for said, want := range map[int64]time.Duration{-1: 0, 21600: 6 * time.Hour, 21601: 6 * time.Hour, math.MaxInt64: 6 * time.Hour, math.MinInt64: 0} {
		s := begin(t, 0x00).quiet()
		op := s.n.Sample(s.now, at(0x80), id(0x55))
		s.drain()
		m := s.take(at(0x80)).reply(id(0x80))
		m.Has |= wire.HasInterval
		m.Interval = said
		s.message(at(0x80), m)
		require.Equal(t, want, s.done(op).Interval)
	}
}

// Puts keep the pace also: to a fifth at one address the node waits.
func TestStoringKeepsThePace(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80))
	op := s.n.Put(s.now, signed("", 1, "1:a"), PutOptions{})
	for range 3 { // with the get, four in this second
		s.n.Ping(s.now, at(0x80))
	}
	s.drain()
	for i, q := range s.asked {
		if string(q.m.Method) == "get" {
			m := q.reply(id(0x80))
			m.Has |= wire.HasToken
			m.Token = binary.BigEndian.AppendUint16(nil, uint16(i))
			s.message(at(0x80), m)
			break
		}
	}
	s.asked = nil
	s.advance(time.Second)
	s.wantAsked(MethodPut, 0x80)
	s.acknowledges(0x80)
	require.NoError(t, s.done(op).Err)
}
