package dht

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/wire"
)

// A hostile is a node among nobody but enemies: it is sent whatever they like, whenever they like.
type hostile struct {
	testing.TB
	n         *Node
	now       time.Time
	questions []*question           // that may still be answered
	tokens    map[netip.Addr][]byte // that it gave
}

func newHostile(t testing.TB) *hostile {
	n, err := New(Config{Rand: seeded(1), IPv4: true, IPv6: true, ID4: id(0x11), ID6: id(0x22), Bootstrap: []netip.AddrPort{at(1), at(2)}}, began)
	require.NoError(t, err)
	return &hostile{TB: t, n: n, now: began, tokens: map[netip.Addr][]byte{}}
}

// send sends b and checks what comes back for it.
func (h *hostile) send(from netip.AddrPort, b []byte) {
	in := slices.Clone(b)
	h.n.HandleDatagram(h.now, from, in)
	require.Equal(h, b, in, "the datagram was changed")
	clear(in) // it is ours again
	h.drain(from, b)
}

// drain checks everything that the node sends, of which one may be an answer to b.
func (h *hostile) drain(from netip.AddrPort, b []byte) {
	answers := 0
	for to, out, ok := h.n.Transmit(); ok; to, out, ok = h.n.Transmit() {
		q := &question{to: to, raw: slices.Clone(out)}
		require.NoError(h, wire.ParseMessage(q.raw, &q.m), "%q", out)
		require.NotZero(h, to.Port())
		if q.m.Kind == wire.KindQuery {
			require.True(h, len(out) <= 1024 || string(q.m.Method) == "put")
			h.questions = append(h.questions, q)
			continue
		}
		answers++
		require.Equal(h, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), to, "an answer to somebody else")
		limit := answerSize
		if q.m.Has&wire.HasValue != 0 {
			limit = valueSize
			if q.m.Nodes.Len()+q.m.Nodes6.Len() == 0 {
				limit = 2 * valueSize
			}
		}
		require.LessOrEqual(h, len(out), limit)
		require.LessOrEqual(h, q.m.Nodes.Len(), k)
		require.LessOrEqual(h, q.m.Nodes6.Len(), k)
		var asked wire.Message
		wire.ParseMessage(b, &asked)
		require.Equal(h, wire.KindQuery, asked.Kind)
		require.Equal(h, asked.T, q.m.T)
		if q.m.Kind == wire.KindError {
			require.True(h, len(b) >= minRefused || q.m.Code == 204 || wire.ParseMessage(b, &asked) == nil)
		}
		if len(q.m.Token) > 0 {
			h.tokens[to.Addr()] = slices.Clone(q.m.Token)
		}
	}
	require.LessOrEqual(h, answers, 1)
	for _, ok := h.n.Event(); ok; _, ok = h.n.Event() {
	}
	h.questions = h.questions[max(0, len(h.questions)-64):]
}

// advance lets time pass.
func (h *hostile) advance(d time.Duration) {
	end := h.now.Add(d)
	for next, n := h.n.NextTimeout(), 0; !next.After(end); next, n = h.n.NextTimeout(), n+1 {
		require.Less(h, n, 100_000, "the node does not come to rest")
		if next.After(h.now) {
			h.now = next
		}
		h.n.HandleTimeout(h.now)
		h.drain(netip.AddrPort{}, nil)
	}
	h.now = end
}

// check checks every bound.
func (h *hostile) check() {
	n := h.n
	for _, o := range n.overlays {
		checkTable(h, &o.table, n.now)
		require.LessOrEqual(h, len(o.peers.all), hashesKept)
		checkPeers(h, o.peers, o.family)
		require.LessOrEqual(h, len(o.own.votes), votersKept)
	}
	checkItems(h, n.items)
	require.LessOrEqual(h, len(n.lookups), lookupsMax+4)
	for _, l := range n.lookups {
		require.LessOrEqual(h, l.asked, lookupQueries)
		require.LessOrEqual(h, l.underway, widest)
		require.GreaterOrEqual(h, l.underway, 0)
		require.GreaterOrEqual(h, l.knocking, 0)
		require.LessOrEqual(h, len(l.candidates), candidatesMax)
		require.True(h, slices.IsSortedFunc(l.candidates, func(a, b *candidate) int {
			da, db := Distance(a.node.ID, l.target), Distance(b.node.ID, l.target)
			return bytes.Compare(da[:], db[:])
		}))
	}
	require.LessOrEqual(h, n.queries.waiting, waitingMax)
	require.GreaterOrEqual(h, n.queries.waiting, 0)
	require.GreaterOrEqual(h, n.queries.strangers, 0)
	require.LessOrEqual(h, n.queries.strangers, strangersAtOnce)
	require.LessOrEqual(h, len(n.queries.kept), keptMax)
	require.Equal(h, len(n.queries.byT), len(n.queries.kept))
	require.LessOrEqual(h, len(n.limiter.sets)*ways, limitedSources)
	require.LessOrEqual(h, len(n.pinged.sets)*ways, 1<<12)
	require.LessOrEqual(h, len(n.contacted.sets)*ways, 1<<16)
}

// from returns one of 512 addresses of all kinds.
func (h *hostile) from(b byte, odd bool) netip.AddrPort {
	switch {
	case odd && b&3 == 0:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x2a, 0, b, b >> 2, 15: b}), 1+uint16(b))
	case odd && b&3 == 1:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, b}), 1+uint16(b))
	case odd && b&3 == 2:
		return netip.AddrPortFrom(netip.AddrFrom16(at(b).Addr().As16()), uint16(b>>2))
	case odd:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{45, 1, 1, b}), 6881)
	}
	return at(b)
}

// play reads data as a story: who sends what when. Each step is a letter, a byte that says who, and what the letter needs.
func (h *hostile) play(data []byte) {
	next := func(n int) []byte {
		n = min(n, len(data))
		b := data[:n]
		data = data[n:]
		return b
	}
	for len(data) > 1 {
		what, who := data[0], data[1]
		data = data[2:]
		switch from := h.from(who, what&1 != 0); what >> 1 & 7 {
		case 0, 1: // a datagram
			var n int
			if size := next(2); len(size) == 2 {
				n = int(binary.BigEndian.Uint16(size)) & 0xfff
			}
			b := slices.Clone(next(n))
			if i, token := bytes.Index(b, []byte("TOKENxxx")), h.tokens[from.Addr().Unmap()]; i >= 0 {
				copy(b[i:], token)
			}
			h.send(from, b)
		case 2, 3: // an answer to a query
			names := next(int(what >> 4))
			fault := next(2 * int(what&1))
			if len(h.questions) == 0 {
				break
			}
			i := max(0, len(h.questions)-1-int(who)%4)
			q := h.questions[i]
			h.questions = slices.Delete(h.questions, i, i+1)
			m := q.reply(id(q.to.Addr().As16()[13]))
			m.Has |= wire.HasNodes | wire.HasToken | wire.HasNodes6
			m.Token, m.IP = []byte("token"), netip.AddrPortFrom(netip.AddrFrom4([4]byte{50, 1, 1, who & 1}), 1)
			for _, b := range names {
				m.Nodes = wire.AppendNode(m.Nodes, wire.Node{ID: id(b), Addr: at(b)})
				m.Nodes6 = wire.AppendNode(m.Nodes6, wire.Node{ID: id(b), Addr: h.from(b&^3, true)})
			}
			b := wire.AppendMessage(nil, &m)
			if len(fault) == 2 {
				b[int(fault[0])*len(b)/256] = fault[1]
			}
			h.send(q.to, b)
		case 4: // time
			h.advance(time.Duration(who) * time.Duration(who) * 20 * time.Millisecond)
		case 5: // something to do
			target := id(who)
			switch what >> 4 & 7 {
			case 0:
				h.n.FindNode(h.now, target)
			case 1:
				h.n.GetPeers(h.now, target)
			case 2:
				h.n.Announce(h.now, target, uint16(who))
			case 3:
				h.n.Get(h.now, target, GetOptions{})
			case 4:
				h.n.Put(h.now, Item{Value: []byte{'i', '1' + who%9, 'e'}}, PutOptions{})
			case 5:
				h.n.Ping(h.now, from)
			case 6:
				h.n.Sample(h.now, from, target)
			default:
				h.n.Cancel(Op(who))
			}
			h.drain(netip.AddrPort{}, nil)
		case 6: // another life
			saved := h.n.State(h.now)
			n, err := New(Config{Rand: seeded(1), IPv4: true, IPv6: true, State: saved}, h.now)
			require.NoError(h, err)
			h.n = n
		default:
			h.check()
		}
	}
}

// end lets everything that was begun come to its end.
func (h *hostile) end() {
	h.check()
	h.advance(time.Minute)
	require.True(h, h.n.NextTimeout().After(h.now))
	require.Empty(h, h.n.ops, "an operation without end")
	h.check()
}

// story is data for play in which b is sent.
func story(b string) []byte {
	data := []byte{0, 0x80, byte(len(b) >> 8), byte(len(b))}
	return append(data, b...)
}

// FuzzHandleDatagram: whatever strangers send, in whatever order, the node stays within its bounds and answers as it may.
func FuzzHandleDatagram(f *testing.F) {
	for _, packet := range []string{
		"d1:ad2:id20:<80>e1:q4:ping1:t2:aa1:y1:qe",
		"d1:ad2:id20:<80>6:target20:<90>4:wantl2:n42:n6ee1:q9:find_node1:t2:aa1:y1:qe",
		"d1:ad2:id20:<80>9:info_hash20:<90>e1:q9:get_peers1:t2:aa1:y1:qe",
		"d1:ad2:id20:<80>9:info_hash20:<90>4:porti7e5:token8:TOKENxxxe1:q13:announce_peer1:t2:aa1:y1:qe",
		"d1:ad2:id20:<80>6:target20:<90>e1:q3:get1:t2:aa1:y1:qe",
		"d1:ad2:id20:<80>5:token8:TOKENxxx1:v5:helloe1:q3:put1:t2:aa1:y1:qe",
		"d1:ad2:id20:<80>6:target20:<90>e1:q17:sample_infohashes1:t2:aa1:y1:qe",
		"d1:ad2:id20:<80>e1:q4:pong1:t2:aa1:y1:qe",
		"d1:ad2:id19:<80>e1:q4:ping1:t2:aa1:y1:qe",
		"d1:eli201e5:Helloe1:t4:aaaa1:y1:ee",
	} {
		one := story(expand(packet))
		f.Add(one)
		f.Add(slices.Concat(story(expand("d1:ad2:id20:<80>9:info_hash20:<90>e1:q9:get_peers1:t2:aa1:y1:qe")), one, one, []byte{8, 60, 10, 3}, one))
	}
	m := putQuery(signed("salt", 7, "5:hello"))
	m.Has |= wire.HasToken
	m.Token = []byte("TOKENxxx")
	f.Add(slices.Concat(story(expand("d1:ad2:id20:<80>6:target20:<90>e1:q3:get1:t2:aa1:y1:qe")), story(string(wire.AppendMessage(nil, &m)))))
	f.Add([]byte{8, 1, 0x34, 0, 0x90, 0xa0, 0xb0, 8, 10, 0x34, 1, 1, 2, 3, 10, 0xff, 0x1a, 3, 0x2a, 4, 0x34, 2, 7, 8, 9, 12, 0, 8, 200})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<14 {
			t.Skip("longer than it takes to tell anything new")
		}
		h := newHostile(t)
		h.play(data)
		h.end()
	})
}

// A long time among enemies that know the protocol: the bounds hold, and everything happens.
func TestAmongEnemies(t *testing.T) {
	h := newHostile(t)
	r := rand.New(seeded(9))
	m := putQuery(signed("salt", 7, "5:hello"))
	m.Has |= wire.HasToken
	m.Token = []byte("TOKENxxx")
	stories := []string{
		"d1:ad2:id20:<80>e1:q4:ping1:t2:aa1:y1:qe",
		"d1:ad2:id20:<80>6:target20:<90>4:wantl2:n42:n6ee1:q9:find_node1:t2:aa1:y1:qe",
		"d1:ad2:id20:<80>9:info_hash20:<90>e1:q9:get_peers1:t2:aa1:y1:qe",
		"d1:ad2:id20:<80>9:info_hash20:<90>4:porti7e5:token8:TOKENxxxe1:q13:announce_peer1:t2:aa1:y1:qe",
		"d1:ad2:id20:<80>5:token8:TOKENxxx1:v5:helloe1:q3:put1:t2:aa1:y1:qe",
		"d1:ad2:id20:<80>6:target20:<90>e1:q17:sample_infohashes1:t2:aa1:y1:qe",
		string(wire.AppendMessage(nil, &m)),
	}
	for range 20000 {
		var data []byte
		for range 1 + r.IntN(4) {
			who, odd := byte(r.Uint32()), byte(r.IntN(8)/7)
			switch r.IntN(12) {
			default:
				b := []byte(expand(stories[r.IntN(len(stories))]))
				if i := bytes.IndexByte(b, 0x80); i > 0 {
					b[i] = who
				}
				if r.IntN(3) == 0 {
					b[r.IntN(len(b))] = byte(r.Uint32())
				}
				data = append(data, odd, who, byte(len(b)>>8), byte(len(b)))
				data = append(data, b...)
			case 0, 1, 2, 3, 4:
				names := r.IntN(10)
				data = append(data, 4|byte(names)<<4|odd, who)
				for range names + 2*int(odd) {
					data = append(data, byte(r.Uint32()))
				}
			case 5:
				data = append(data, 8, byte(r.IntN(80)))
			case 6:
				data = append(data, 10|byte(r.IntN(8))<<4, who)
			}
		}
		h.play(data)
		if r.IntN(100) == 0 {
			h.check()
		}
	}
	h.end()
	s := h.n.Stats()
	s.Each(func(name string, v uint64) { t.Logf("%9d %s", v, name) })
	for name, v := range map[string]uint64{"entered": s.Entered, "announced": s.Announced, "put": s.Put, "late": s.Late, "garbled": s.Garbled,
		"impostors": s.Impostors, "new ids": s.NewIDs, "probes": s.Probes, "strangers": s.Strangers, "refused": s.ErrorsSent[errProtocol], "lookups": s.LookupsEnd} {
		require.NotZero(t, v, name)
	}
}

// FuzzParseState: whatever a file holds, it is refused or read, and what was read is written again. The seeds are short:
// the fuzzer tries to make what is of interest shorter still before it goes on, byte by byte, for up to -fuzzminimizetime.
func FuzzParseState(f *testing.F) {
	for _, nodes := range []int{0, 3} {
		n, _ := withNodes(f, nodes)
		f.Add(n.State(began))
	}
	both, err := New(Config{Rand: seeded(1), IPv4: true, IPv6: true}, began)
	require.NoError(f, err)
	both.overlays[V6].own.addr = netip.MustParseAddr("2a00::1")
	both.overlays[V6].table.answered(wire.Node{ID: id(0x80), Addr: addr("[2a00:1::1]:5")}, 1)
	f.Add(both.State(began))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4 { // so that more than the checksum is tried
			b = binary.BigEndian.AppendUint32(slices.Clone(b[:len(b)-4]), checksum(b[:len(b)-4]))
		}
		again := rewritten(t, b)
		if again != nil {
			require.Equal(t, again, rewritten(t, again))
		}
	})
}

// rewritten returns the state of a node that begins with the state b, nil if that is refused.
func rewritten(t *testing.T, b []byte) []byte {
	n, err := New(Config{Rand: seeded(1), IPv4: true, IPv6: true, State: b}, began)
	if err != nil {
		require.ErrorIs(t, err, ErrMalformed)
		return nil
	}
	return n.State(began)
}
