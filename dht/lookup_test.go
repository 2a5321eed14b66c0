package dht

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/wire"
)

func TestLookupFindsTheClosest(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80), node(0x90), node(0xa0), node(0x40))
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	s.wantAsked(MethodFindNode, 0xa0, 0x90, 0x80) // the 3 closest
	s.replies(0x90, 0xf0)
	s.wantAsked(MethodFindNode, 0xa0, 0x80, 0xf0)
	s.replies(0xf0, 0xfe, 0xfc)
	s.replies(0xa0)
	s.wantAsked(MethodFindNode, 0x80, 0xfe, 0xfc)
	s.replies(0x80)
	s.wantAsked(MethodFindNode, 0xfe, 0xfc, 0x40)
	s.replies(0x40)
	s.replies(0xfe)
	s.undone(op)
	s.replies(0xfc)
	e := s.done(op)
	require.NoError(t, e.Err)
	require.Equal(t, []byte{0xfe, 0xfc, 0xf0, 0xa0, 0x90, 0x80, 0x40}, names(e.Nodes))
	require.Equal(t, 7, e.Asked)
	require.Equal(t, 7, e.Answered)
	require.Equal(t, node(0x90), s.of(EventAnswer)[0].Node)
	require.Len(t, s.of(EventAnswer), 7)
	s.wantNothing()
}

// Once the 8 closest have answered nobody farther away is asked.
func TestLookupEndsWithTheEightClosest(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80))
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	s.replies(0x80, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7)
	for _, b := range []byte{0xf7, 0xf6, 0xf5, 0xf4, 0xf3, 0xf2, 0xf1, 0xf0} {
		s.undone(op)
		if b > 0xf0 {
			s.replies(b)
		} else {
			s.replies(b, 0xa0, 0xa1) // which are closer than 80
		}
	}
	require.Equal(t, []byte{0xf7, 0xf6, 0xf5, 0xf4, 0xf3, 0xf2, 0xf1, 0xf0}, names(s.done(op).Nodes))
	s.wantNothing()
}

func TestLookupWithoutNodes(t *testing.T) {
	s := begin(t, 0x00).quiet()
	require.ErrorIs(t, s.done0(s.n.FindNode(s.now, id(0xff))).Err, ErrNoNodes)
	require.Zero(t, s.n.Stats().Active)
	s.knows(node(0x80))
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	s.forget(0x80)
	s.advance(2 * time.Second)
	require.ErrorIs(t, s.done(op).Err, ErrNoNodes)
}

// done0 is done for an operation that ends at once.
func (s *script) done0(op Op) Event {
	s.Helper()
	s.drain()
	return s.done(op)
}

// Each query that is lost lets one more be under way, up to 6.
func TestLookupWidensWhenQueriesAreLost(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80))
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	s.replies(0x80, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7)
	s.wantAsked(MethodFindNode, 0xf7, 0xf6, 0xf5)
	s.forget(0xf7, 0xf6, 0xf5)
	s.advance(2 * time.Second)
	s.wantAsked(MethodFindNode, 0xf4, 0xf3, 0xf2, 0xf1, 0xf0)
	s.replies(0xf4, 0xe0, 0xe1, 0xe2, 0xe3, 0xe4)
	s.wantAsked(MethodFindNode, 0xf3, 0xf2, 0xf1, 0xf0, 0xe4, 0xe3) // 6
	s.forget(0xf3, 0xf2, 0xf1, 0xf0, 0xe4, 0xe3)
	s.advance(2 * time.Second)
	s.wantAsked(MethodFindNode, 0xe2, 0xe1, 0xe0)
	s.replies(0xe2)
	s.replies(0xe1)
	s.replies(0xe0)
	require.Equal(t, []byte{0xf4, 0xe2, 0xe1, 0xe0, 0x80}, names(s.done(op).Nodes))
}

// A node that answers late is back in, as long as the look-up runs.
func TestLookupTakesLateAnswers(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80), node(0x90))
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	q := s.take(at(0x90))
	s.advance(time.Second)
	s.replies(0x80, 0xa0)
	s.advance(time.Second)
	s.message(at(0x90), q.reply(id(0x90)))
	s.undone(op)
	s.replies(0xa0)
	require.Equal(t, []byte{0xa0, 0x90, 0x80}, names(s.done(op).Nodes))
}

// What was named counts for nothing until it answers itself, under the id it was named with.
func TestLookupCountsWhoAnsweredItself(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80))
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	s.replies(0x80, 0xfe, 0xfd)
	s.message(at(0xfe), s.take(at(0xfe)).reply(id(0xff))) // a better id than it was named with
	s.replies(0xfd)
	require.Equal(t, []byte{0xfd, 0x80}, names(s.done(op).Nodes))
	require.Equal(t, uint64(1), s.n.Stats().Impostors)
}

// nodesReply lets b answer and name these nodes.
func (s *script) nodesReply(b byte, nodes ...wire.Node) {
	s.Helper()
	m := s.take(at(b)).reply(id(b))
	m.Has |= wire.HasNodes | wire.HasToken
	m.Token = []byte("t")
	for _, n := range nodes {
		m.Nodes = wire.AppendNode(m.Nodes, n)
	}
	s.message(at(b), m)
}

func TestLookupTakesEightContactsOfAnAnswer(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80))
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	s.replies(0x80, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xff, 0xfe)
	for _, b := range []byte{0xc7, 0xc6, 0xc5, 0xc4, 0xc3, 0xc2, 0xc1, 0xc0} {
		s.replies(b)
	}
	require.Equal(t, []byte{0xc7, 0xc6, 0xc5, 0xc4, 0xc3, 0xc2, 0xc1, 0xc0}, names(s.done(op).Nodes))
}

// An IP address and an id are one node. Of two ports the one that answers counts.
func TestLookupEntersANodeOnce(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80))
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	twin := func(port uint16) wire.Node {
		return wire.Node{ID: id(0xf0), Addr: netip.AddrPortFrom(at(0xf0).Addr(), port)}
	}
	s.nodesReply(0x80, twin(1), twin(2), twin(1), twin(3), twin(4))
	require.Len(t, s.asked, 2)
	first, second := s.take(twin(1).Addr), s.take(twin(2).Addr)
	s.asked = nil
	s.message(twin(2).Addr, second.reply(id(0xf0)))
	s.message(twin(1).Addr, first.reply(id(0xf0)))
	require.Equal(t, []wire.Node{twin(2), node(0x80)}, s.done(op).Nodes)
}

// A bootstrap node that is known already is not asked twice.
func TestLookupAsksAKnownBootstrapNodeOnce(t *testing.T) {
	s := begin(t, 0x00, func(c *Config) { c.Bootstrap = []netip.AddrPort{at(0x80), at(0x90)} }).quiet()
	s.knows(node(0x80))
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	s.wantAsked(MethodFindNode, 0x80, 0x90)
	s.replies(0x80)
	s.replies(0x90)
	require.Equal(t, []byte{0x90, 0x80}, names(s.done(op).Nodes))
}

// Of one /24 only the closest that answered counts; its neighbours make room for others.
func TestLookupFiltersNetworks(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80))
	neighbour := func(b byte) wire.Node {
		return wire.Node{ID: id(b), Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{91, 1, 1, b}), 1)}
	}
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	s.nodesReply(0x80, neighbour(0xf8), neighbour(0xf9), neighbour(0xfa), node(0x90))
	for _, b := range []byte{0xfa, 0xf9, 0xf8} {
		n := neighbour(b)
		if b == 0xfa {
			s.take(n.Addr) // the closest does not answer
			continue
		}
		s.message(n.Addr, s.take(n.Addr).reply(n.ID))
	}
	s.replies(0x90)
	s.undone(op)
	s.advance(2 * time.Second)
	require.Equal(t, []byte{0xf9, 0x90, 0x80}, names(s.done(op).Nodes))
}

// Addresses that are not global are dropped, unless who names them is reached at one of the same class.
func TestLookupDropsAddressesThatAreNotGlobal(t *testing.T) {
	s := begin(t, 0x00).quiet()
	home := wire.Node{ID: id(0x90), Addr: addr("192.168.1.1:6881")}
	s.knows(node(0x80), home)
	named := []wire.Node{
		{ID: id(0xf0), Addr: addr("192.168.1.2:1")}, {ID: id(0xf1), Addr: addr("127.0.0.1:1")}, {ID: id(0xf2), Addr: addr("224.0.0.1:1")},
		{ID: id(0xf3), Addr: addr("46.1.1.1:0")}, {ID: id(0xf4), Addr: addr("0.0.0.0:1")}, {ID: id(0xf5), Addr: addr("100.64.0.1:1")},
		{ID: id(0xf6), Addr: addr("10.0.0.1:1")}, {ID: id(0xf7), Addr: addr("169.254.0.1:1")},
	}
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	s.nodesReply(0x80, named...)
	require.Equal(t, uint64(8), s.n.Stats().Unnatural)
	m := s.take(home.Addr).reply(home.ID)
	m.Has |= wire.HasNodes
	for _, n := range named {
		m.Nodes = wire.AppendNode(m.Nodes, n)
	}
	s.message(home.Addr, m)
	require.Equal(t, uint64(8+6), s.n.Stats().Unnatural)
	for _, n := range []wire.Node{named[0], named[6]} { // private, as who named them
		s.message(n.Addr, s.take(n.Addr).reply(n.ID))
	}
	require.Equal(t, []byte{0xf6, 0xf0, 0x90, 0x80}, names(s.done(op).Nodes))
}

// Test networks live at one address, where ports tell nodes apart.
func TestLookupAmongLocalNodes(t *testing.T) {
	s := begin(t, 0x00).quiet()
	local := func(b byte) wire.Node {
		return wire.Node{ID: id(b), Addr: netipPort("127.0.0.1", 1000+int(b))}
	}
	s.knows(local(0x80))
	op := s.n.Get(s.now, id(0xff), GetOptions{})
	s.drain()
	answer := func(b byte, names ...byte) {
		m := s.take(local(b).Addr).reply(id(b))
		m.Has |= wire.HasNodes | wire.HasToken
		m.Token = []byte("t")
		for _, n := range names {
			m.Nodes = wire.AppendNode(m.Nodes, local(n))
		}
		s.message(local(b).Addr, m)
	}
	answer(0x80, 0x90, 0xa0, 0xb0)
	answer(0xb0, 0xc0)
	answer(0xc0)
	answer(0xa0)
	answer(0x90)
	require.Equal(t, []byte{0xc0, 0xb0, 0xa0, 0x90, 0x80}, names(s.done(op).Nodes))
}

// A liar who names ever closer nodes is asked no more than 128 times.
func TestLookupIsBounded(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80))
	var target wire.ID
	for i := range target {
		target[i] = 0xff
	}
	op := s.n.FindNode(s.now, target)
	s.drain()
	asked := 0
	for n := 0; len(s.asked) > 0; asked++ {
		s.undone(op) // not before all have answered
		require.LessOrEqual(t, len(s.n.lookups[0].candidates), candidatesMax)
		q := s.asked[0]
		s.asked = s.asked[1:]
		who := id(0x80)
		if q.to != at(0x80) {
			who = closerID(q.to)
		}
		m := q.reply(who)
		m.Has |= wire.HasNodes
		for range 8 {
			n++
			a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{60, byte(n >> 8), byte(n), 1}), 1)
			m.Nodes = wire.AppendNode(m.Nodes, wire.Node{ID: closerID(a), Addr: a})
		}
		s.message(q.to, m)
	}
	require.Equal(t, 128, asked)
	require.Len(t, s.done(op).Nodes, 8)
	require.Equal(t, 128, s.done(op).Asked)
}

// closerID returns an id that is closer to ff…ff the later the address was made.
func closerID(a netip.AddrPort) (id wire.ID) {
	ip := a.Addr().As4()
	id = wire.ID{0xff, 0xff, ip[1], ip[2]}
	return id
}

func TestLookupEndsAfterHalfAMinute(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80))
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	start := s.now
	for b := byte(0x81); s.now.Sub(start) < 30*time.Second; b++ {
		s.undone(op)
		s.replies(b-1, b) // 8 closest never are
		s.advance(1900 * time.Millisecond)
		if s.now.Sub(start) >= 30*time.Second {
			break
		}
	}
	require.Greater(t, len(s.done(op).Nodes), 7)
}

// While an address has had its four queries in this second, its nodes are passed and come later.
func TestLookupKeepsThePace(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80))
	many := func(b byte) wire.Node { // one address, many ids
		return wire.Node{ID: id(b), Addr: netipPort("91.1.1.1", 1000+int(b))}
	}
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	s.nodesReply(0x80, many(0xf0), many(0xf1), many(0xf2), many(0xf3), many(0xf4), many(0xf5), node(0x90))
	for b := byte(0xf5); b >= 0xf2; b-- { // none of them is there
		m := s.take(many(b).Addr).reply(id(b))
		m.ID[5] = 1
		s.message(many(b).Addr, m)
	}
	require.Len(t, s.asked, 1)
	s.replies(0x90) // who is asked in place of a fifth
	s.undone(op)
	s.advance(time.Second)
	require.Len(t, s.asked, 2)
	for _, b := range []byte{0xf1, 0xf0} {
		s.message(many(b).Addr, s.take(many(b).Addr).reply(id(b)))
	}
	s.advance(time.Second)
	require.Equal(t, []byte{0xf1, 0x90, 0x80}, names(s.done(op).Nodes))
	require.NotZero(t, s.n.Stats().Paced)
}

// An address from which two queries had no answer is not asked again under other ids. Of local ones each port is an address.
func TestLookupSparesTheSilent(t *testing.T) {
	for ip, asked := range map[string]int{"91.1.1.1": 2, "127.0.0.1": 6} {
		s := begin(t, 0x00).quiet()
		from := wire.Node{ID: id(0x80), Addr: netipPort(ip, 9)}
		s.knows(from)
		op := s.n.FindNode(s.now, id(0xff))
		s.drain()
		m := s.take(from.Addr).reply(from.ID)
		m.Has |= wire.HasNodes
		for i := range 6 {
			m.Nodes = wire.AppendNode(m.Nodes, wire.Node{ID: id(0xf0 + byte(i)), Addr: netipPort(strings.Replace(ip, ".1.1.1", ".1.1.2", 1), 1000+i)})
		}
		s.message(from.Addr, m)
		s.advance(10 * time.Second)
		require.Len(t, s.asked, asked, ip)
		require.Equal(t, []byte{0x80}, names(s.done(op).Nodes))
		require.Equal(t, asked == 2, s.n.Stats().Spared > 0)
	}
}

// A node that knows nobody asks the bootstrap nodes, whose ids it does not know.
func TestLookupBeginsWithBootstrapNodes(t *testing.T) {
	s := begin(t, 0x00, func(c *Config) { c.Bootstrap = []netip.AddrPort{at(0x80), at(0x90)} }).quiet()
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	s.wantAsked(MethodFindNode, 0x80, 0x90)
	s.replies(0x80, 0xf0)
	s.replies(0xf0)
	s.forget(0x90)
	s.undone(op)
	s.advance(2 * time.Second)
	require.Equal(t, []byte{0xf0, 0x80}, names(s.done(op).Nodes))

	s.knows(node(0xa1), node(0xa2), node(0xa3), node(0xa4), node(0xa5), node(0xa6)) // eight are enough
	s.n.FindNode(s.now, id(0x01))
	s.drain()
	s.wantAsked(MethodFindNode, 0x80, 0xa1, 0xa3)
}

// However many look-ups begin at once, the bootstrap node has its pace, and none ends because of that.
func TestLookupsShareABootstrapNode(t *testing.T) {
	s := begin(t, 0x00, func(c *Config) { c.Bootstrap = []netip.AddrPort{at(0x80)} }).quiet()
	var ops []Op
	for range 6 {
		ops = append(ops, s.n.FindNode(s.now, id(0xff)))
	}
	s.drain()
	s.wantAsked(MethodFindNode, 0x80, 0x80, 0x80, 0x80)
	s.asked = nil
	s.advance(time.Second)
	s.wantAsked(MethodFindNode, 0x80, 0x80)
	s.replies(0x80)
	s.replies(0x80)
	require.NoError(t, s.done(ops[4]).Err)
	require.NoError(t, s.done(ops[5]).Err)
}

// A node that is told to begin with itself does not find itself.
func TestLookupDoesNotFindOurselves(t *testing.T) {
	s := begin(t, 0x00, func(c *Config) { c.Bootstrap = []netip.AddrPort{at(0x00), at(0x80)} }).quiet()
	op := s.n.FindNode(s.now, id(0x01))
	s.drain()
	s.replies(0x00, 0x00, 0x80)
	s.replies(0x80, 0x00)
	require.Equal(t, []byte{0x80}, names(s.done(op).Nodes))
}

func TestLookupsAreBounded(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80))
	var last Op
	for range lookupsMax + 1 {
		last = s.n.FindNode(s.now, id(0xff))
	}
	s.drain()
	require.ErrorIs(t, s.done(last).Err, ErrLimit)
	require.Equal(t, lookupsMax, s.n.Stats().Active)
	s.asked = nil
	s.advance(31 * time.Second)
	require.Zero(t, s.n.Stats().Active)
	require.Empty(t, s.n.ops)
}

// A look-up in a family of which nobody is known waits to hear of somebody from the other, as long as that asks.
func TestLookupWaitsForTheOtherFamily(t *testing.T) {
	four, six := node(0x80), wire.Node{ID: id(0x81), Addr: addr("[2a00:1::1]:6881")}
	for _, known := range []wire.Node{four, six} {
		s := begin(t, 0x00, func(c *Config) { c.IPv6, c.ID6 = true, id(0x01) }).quiet()
		s.knows(known)
		op := s.n.FindNode(s.now, id(0xff))
		s.drain()
		m := s.take(known.Addr).reply(known.ID)
		m.Has |= wire.HasNodes | wire.HasNodes6
		m.Nodes, m.Nodes6 = wire.AppendNode(nil, four), wire.AppendNode(nil, six)
		s.message(known.Addr, m)
		s.undone(op)
		for _, q := range s.asked {
			s.message(q.to, q.reply(map[netip.AddrPort]wire.ID{four.Addr: four.ID, six.Addr: six.ID}[q.to]))
		}
		require.Equal(t, []wire.Node{four, six}, s.done(op).Nodes)

		s.asked = nil
		op = s.n.FindNode(s.now, id(0xfe)) // now both are known, and silent
		s.drain()
		s.advance(2 * time.Second)
		require.ErrorIs(t, s.done(op).Err, ErrNoNodes)
	}
	s := begin(t, 0x00, func(c *Config) { c.IPv6 = true }).quiet()
	s.knows(four)
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	s.forget(0x80) // nobody names anybody
	s.advance(2 * time.Second)
	require.ErrorIs(t, s.done(op).Err, ErrNoNodes)
}

// The look-ups of both families tell each other what they hear of the other.
func TestLookupInBothFamilies(t *testing.T) {
	s := begin(t, 0x00, func(c *Config) { c.IPv6, c.ID6 = true, id(0x01) }).quiet()
	six := func(b byte) wire.Node {
		return wire.Node{ID: id(b), Addr: netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x2a, 0, b, 1, 15: 1}), 6881)}
	}
	s.knows(node(0x80), six(0x81))
	op := s.n.FindNode(s.now, id(0xff))
	s.drain()
	q := s.take(at(0x80))
	require.Equal(t, wire.Want4|wire.Want6, q.m.Want)
	m := q.reply(id(0x80))
	m.Has |= wire.HasNodes | wire.HasNodes6
	m.Nodes = wire.AppendNode(nil, node(0xf0))
	m.Nodes6 = wire.AppendNode(nil, six(0xf1))
	s.message(at(0x80), m)
	for _, n := range []wire.Node{node(0xf0), six(0x81), six(0xf1)} {
		s.undone(op)
		s.message(n.Addr, s.take(n.Addr).reply(n.ID))
	}
	require.Equal(t, []wire.Node{node(0xf0), node(0x80), six(0xf1), six(0x81)}, s.done(op).Nodes)
}
