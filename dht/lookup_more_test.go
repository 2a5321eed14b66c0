package dht

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/wire"
)

// What a look-up asks for stands in its queries, and nothing else. A node of one family wants no nodes of the other.
func TestLookupQueries(t *testing.T) {
	six := wire.Node{ID: id(0x80), Addr: addr("[2a00:1::1]:5")}
	for _, v := range []struct {
		known []wire.Node
		want  string
	}{{[]wire.Node{node(0x80)}, ""}, {[]wire.Node{six}, ""}, {[]wire.Node{node(0x80), six}, "4:wantl2:n42:n6e"}} {
		begin := func() *script {
			s := begin(t, 0x11, func(c *Config) {
				c.IPv4, c.IPv6, c.ID6 = v.known[0] != six, v.known[len(v.known)-1] == six, id(0x12)
			}).quiet()
			s.knows(v.known...)
			return s
		}
		for _, q := range []struct {
			start  func(*Node, time.Time) Op
			packet string
		}{
			{func(n *Node, now time.Time) Op { return n.FindNode(now, id(0xff)) }, "2:id20:<ID>6:target20:<ff>WANTe1:q9:find_node"},
			{func(n *Node, now time.Time) Op { return n.GetPeers(now, id(0xff)) }, "2:id20:<ID>9:info_hash20:<ff>WANTe1:q9:get_peers"},
			{func(n *Node, now time.Time) Op { return n.Get(now, id(0xff), GetOptions{}) }, "2:id20:<ID>6:target20:<ff>WANTe1:q3:get"},
			{func(n *Node, now time.Time) Op { return n.Get(now, id(0xff), GetOptions{Newer: new(int64)}) }, "2:id20:<ID>3:seqi0e6:target20:<ff>WANTe1:q3:get"},
		} {
			s := begin()
			q.start(s.n, s.now)
			s.drain()
			require.Len(t, s.asked, len(v.known))
			for _, asked := range s.asked {
				self := "<11>"
				if asked.to == six.Addr {
					self = "<12>"
				}
				packet := bytes.ReplaceAll([]byte("d1:ad"+q.packet), []byte("<ID>"), []byte(self))
				packet = bytes.ReplaceAll(packet, []byte("WANT"), []byte(v.want))
				require.Equal(t, expand(string(packet)+"1:t4:"+string(asked.m.T)+"1:v4:KT\x00\x011:y1:qe"), string(asked.raw))
			}
		}
	}
}

// When all that are known have failed they are asked all the same: there is nobody else.
func TestLookupAmongTheBad(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80), node(0x90))
	for range 3 {
		s.n.overlays[V4].table.lost(node(0x80), s.n.now)
	}
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	s.wantAsked(MethodFindNode, 0x90)
	s.replies(0x90)
	s.done(op)
	for range 3 {
		s.n.overlays[V4].table.lost(node(0x90), s.n.now)
	}
	s.n.FindNode(s.now, id(0xff))
	s.drain()
	s.wantAsked(MethodFindNode, 0x80, 0x90)
}

// While 1,024 queries are waiting a look-up waits too, and goes on when it can.
func TestLookupInACrowd(t *testing.T) {
	for _, known := range []bool{true, false} {
		s := begin(t, 0x00, func(c *Config) { c.Bootstrap = []netip.AddrPort{at(0x90)} }).quiet()
		if known {
			s.knows(node(0x80))
		}
		for i := range waitingMax {
			s.n.Ping(s.now, stranger(i<<8))
		}
		s.drain()
		s.asked = nil
		op := s.n.FindNode(s.now, id(0xff))
		s.advance(time.Second)
		s.wantNothing()
		s.undone(op)
		s.advance(1200 * time.Millisecond)
		require.NotEmpty(t, s.asked)
		s.replies(0x90)
		if known {
			s.replies(0x80)
		}
		require.NoError(t, s.done(op).Err)
	}
}

// After 30 seconds a look-up ends, however many queries are under way.
func TestLookupEndsInTime(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80))
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	for b := byte(0x80); b < 0x8f; b++ {
		s.replies(b, b+1)
		s.advance(1900 * time.Millisecond)
	}
	s.replies(0x8f, 0xf0, 0xf1, 0xf2, 0xf3)
	require.Len(t, s.asked, alpha)
	s.advance(1500*time.Millisecond - time.Millisecond)
	s.undone(op)
	s.advance(time.Millisecond)
	require.NoError(t, s.done(op).Err)
}

// Once the closest of a network has answered, its neighbours are not even asked.
func TestLookupAsksNoNeighbours(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80))
	neighbour := func(b byte) wire.Node {
		return wire.Node{ID: id(b), Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{91, 1, 1, b}), 1)}
	}
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	s.nodesReply(0x80, neighbour(0xf4), neighbour(0xf5), neighbour(0xf6), neighbour(0xf7), node(0x90))
	for _, b := range []byte{0xf7, 0xf6, 0xf5} {
		s.message(neighbour(b).Addr, s.take(neighbour(b).Addr).reply(id(b)))
	}
	s.wantAsked(MethodFindNode, 0x90)
	s.replies(0x90)
	require.Equal(t, []byte{0xf7, 0x90, 0x80}, names(s.done(op).Nodes))
}

// Of several ports of a local address and an id one counts also: the first that answers.
func TestLookupCountsOnePortOfATwin(t *testing.T) {
	s := begin(t, 0x00).quiet()
	local := func(b byte, port int) wire.Node { return wire.Node{ID: id(b), Addr: netipPort("127.0.0.1", port)} }
	s.knows(local(0x80, 1))
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	name := func(by wire.Node, names ...wire.Node) {
		m := s.take(by.Addr).reply(by.ID)
		m.Has |= wire.HasNodes
		for _, n := range names {
			m.Nodes = wire.AppendNode(m.Nodes, n)
		}
		s.message(by.Addr, m)
	}
	name(local(0x80, 1), local(0xf0, 10), local(0xf0, 11), local(0xe0, 20))
	name(local(0xe0, 20))
	name(local(0xf0, 11), local(0xe0, 21)) // of e0 one port has answered, so the other is not asked
	require.Equal(t, []wire.Node{local(0xf0, 11), local(0xe0, 20), local(0x80, 1)}, s.done(op).Nodes)
	require.Len(t, s.asked, 1, "nobody waits for the other port")

	// When it answers second it counts no more, and the look-up goes on.
	op = s.n.FindNode(s.now, id(0xff))
	s.asked = nil
	s.drain()
	for _, n := range []wire.Node{local(0xe0, 20), local(0x80, 1)} {
		name(n, local(0xf8, 30), local(0xf8, 31))
	}
	first, second := s.take(local(0xf8, 30).Addr), s.take(local(0xf8, 31).Addr)
	name(local(0xf0, 11), local(0xf9, 40))
	s.message(first.to, first.reply(id(0xf8)))
	s.message(second.to, second.reply(id(0xf8)))
	s.undone(op)
	name(local(0xf9, 40))
	require.Equal(t, []wire.Node{local(0xf9, 40), local(0xf8, 30), local(0xf0, 11), local(0xe0, 20), local(0x80, 1)}, s.done(op).Nodes)
}

// A token may have 1 to 255 bytes. Without one a node does not store.
func TestLookupTakesTokens(t *testing.T) {
	for size, stores := range map[int]bool{-1: false, 0: false, 1: true, 255: true, 256: false, 600: false} {
		s := begin(t, 0x00).quiet()
		s.knows(node(0x80))
		op := s.n.Put(s.now, Item{Value: []byte("i1e")}, PutOptions{})
		s.drain()
		m := s.take(at(0x80)).reply(id(0x80))
		if size >= 0 {
			m.Has |= wire.HasToken
			m.Token = make([]byte, size)
		}
		s.message(at(0x80), m)
		if !stores {
			require.ErrorIs(t, s.done(op).Err, ErrNotStored, size)
			continue
		}
		require.Equal(t, m.Token, s.take(at(0x80)).m.Token)
	}
}

// Nodes of a family that is not ours are nothing to us.
func TestLookupInOneFamilyOnly(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80))
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	m := s.take(at(0x80)).reply(id(0x80))
	m.Has |= wire.HasNodes6
	m.Nodes6 = wire.AppendNode(nil, wire.Node{ID: id(0xf0), Addr: addr("[2a00:1::1]:5")})
	s.message(at(0x80), m)
	require.Equal(t, []byte{0x80}, names(s.done(op).Nodes))
	s.wantNothing()
}

// A node that answers an error is passed at once.
func TestLookupPassesWhoRefuses(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80), node(0x90))
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	s.refuses(0x90, 202)
	s.undone(op)
	s.replies(0x80)
	require.Equal(t, []byte{0x80}, names(s.done(op).Nodes))

	// Also when it does so late: then it has been passed already.
	s.now = s.now.Add(time.Second)
	op = s.n.FindNode(s.now, id(0xff))
	s.drain()
	late := s.take(at(0x90))
	s.advance(time.Second)
	s.replies(0x80, 0xa0)
	s.advance(time.Second)
	s.message(late.to, wire.Message{Kind: wire.KindError, T: late.m.T, Code: 202})
	s.undone(op)
	s.replies(0xa0)
	require.Equal(t, []byte{0xa0, 0x80}, names(s.done(op).Nodes))
}

// A node of two families that knows nobody in either does not wait for itself.
func TestLookupWithoutNodesInBothFamilies(t *testing.T) {
	s := begin(t, 0x00, func(c *Config) { c.IPv6 = true }).quiet()
	require.ErrorIs(t, s.done0(s.n.FindNode(s.now, id(0xff))).Err, ErrNoNodes)
}
