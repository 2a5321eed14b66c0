package dht

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/wire"
)

func TestQueriesSayWhoAsks(t *testing.T) {
	s := begin(t, 0x11, func(c *Config) { c.Reachable = false })
	ts := map[string]bool{}
	for i := range byte(50) {
		s.n.Ping(s.now, at(i))
		s.drain()
		q := s.take(at(i))
		require.Equal(t, expand("d1:ad2:id20:<11>e1:q4:ping2:roi1e1:t4:"+string(q.m.T)+"1:v4:KT\x00\x011:y1:qe"), string(q.raw))
		require.False(t, ts[string(q.m.T)])
		ts[string(q.m.T)] = true
	}
}

func TestPingIsAnswered(t *testing.T) {
	s := begin(t, 0x11)
	op := s.n.Ping(s.now, at(0x80))
	s.drain()
	s.advance(70 * time.Millisecond)
	s.replies(0x80)
	e := s.done(op)
	require.NoError(t, e.Err)
	require.Equal(t, node(0x80), e.Node)
	require.Equal(t, 70*time.Millisecond, e.RTT)
	require.Equal(t, 1, e.Answered)

	op = s.n.Ping(s.now, netip.AddrPortFrom(netip.AddrFrom16(at(0x81).Addr().As16()), 6881)) // an IPv4-mapped address is an IPv4 address
	s.drain()
	s.replies(0x81)
	require.NoError(t, s.done(op).Err)
}

// Where nobody can be, or in a family that is not ours, nobody is asked.
func TestPingOfNobody(t *testing.T) {
	s := begin(t, 0x11)
	for _, to := range []netip.AddrPort{{}, addr("0.0.0.0:1"), addr("46.1.1.1:0"), addr("224.0.0.1:1"), addr("255.255.255.255:1"), addr("[2a00::1]:1")} {
		require.ErrorIs(t, s.done0(s.n.Ping(s.now, to)).Err, ErrNoNodes, to)
		require.ErrorIs(t, s.done0(s.n.Sample(s.now, to, id(1))).Err, ErrNoNodes, to)
	}
	s.wantNothing()
}

func TestPingIsLost(t *testing.T) {
	s := begin(t, 0x11)
	op := s.n.Ping(s.now, at(0x80))
	s.drain()
	s.forget(0x80)
	s.advance(2*time.Second - time.Millisecond)
	s.undone(op)
	s.advance(time.Millisecond)
	require.ErrorIs(t, s.done(op).Err, ErrTimeout)
	require.Equal(t, uint64(1), s.n.Stats().Lost)
	s.wantNothing() // never again
}

func TestPingIsRefused(t *testing.T) {
	s := begin(t, 0x11)
	op := s.n.Ping(s.now, at(0x80))
	s.drain()
	q := s.take(at(0x80))
	s.message(at(0x80), wire.Message{Kind: wire.KindError, T: q.m.T, Code: 202, Text: []byte("no")})
	require.ErrorIs(t, s.done(op).Err, ErrRefused)
	require.Equal(t, int64(202), s.done(op).Code)
	require.Equal(t, 1, s.done(op).Answered)
}

// A late answer shows that a node lives; after 15 s it shows nothing.
func TestLateAnswers(t *testing.T) {
	for _, v := range []struct {
		after  time.Duration
		counts bool
	}{{2 * time.Second, true}, {15*time.Second - time.Millisecond, true}, {15 * time.Second, false}, {time.Minute, false}} {
		s := begin(t, 0x11)
		s.n.Ping(s.now, at(0x80))
		s.drain()
		q := s.take(at(0x80))
		s.advance(v.after)
		s.message(at(0x80), q.reply(id(0x80)))
		if v.counts {
			require.Equal(t, 1, s.n.Stats().Nodes[V4])
			require.Equal(t, uint64(1), s.n.Stats().Late)
		} else {
			require.Equal(t, 0, s.n.Stats().Nodes[V4])
			require.Equal(t, uint64(1), s.n.Stats().Unasked)
		}
	}
}

func TestUnaskedAnswersCountForNothing(t *testing.T) {
	s := begin(t, 0x11)
	op := s.n.Ping(s.now, at(0x80))
	s.drain()
	q := s.take(at(0x80))
	right := q.reply(id(0x80))
	for from, t := range map[byte]string{
		0x81: string(q.m.T),      // from another address
		0x80: string(q.m.T[1:]),  // a shorter t
		0x82: string(q.m.T) + "", // from yet another
	} {
		m := right
		m.T = []byte(t)
		s.message(at(from), m)
		s.undone(op)
	}
	m := right
	m.T = append([]byte(nil), q.m.T...)
	m.T[0]++
	s.message(at(0x80), m)
	s.undone(op)
	s.message(netip.AddrPortFrom(at(0x80).Addr(), 6882), right) // from another port
	s.undone(op)
	require.Equal(t, uint64(5), s.n.Stats().Unasked)
	require.Zero(t, s.n.Stats().Nodes[V4])
	s.message(at(0x80), right)
	s.done(op)
	s.message(at(0x80), right) // twice
	require.Equal(t, uint64(6), s.n.Stats().Unasked)
}

func TestWorthlessAnswers(t *testing.T) {
	for _, packet := range []string{
		"d1:rd2:id19:aaaaaaaaaaaaaaaaaaae1:t4:TTTT1:y1:re",
		"d1:rde1:t4:TTTT1:y1:re",
		"d1:rd2:id20:<80>5:nodes1:xe1:t4:TTTT1:y1:re",
		"d1:eli5ee1:t4:TTTT1:y1:ee",
	} {
		s := begin(t, 0x11)
		op := s.n.Ping(s.now, at(0x80))
		s.drain()
		q := s.take(at(0x80))
		b := []byte(expand(packet))
		copy(b[len(b)-len("TTTT1:y1:re"):], q.m.T)
		s.n.HandleDatagram(s.now, at(0x80), b)
		s.drain()
		require.ErrorIs(t, s.done(op).Err, ErrTimeout)
		require.Zero(t, s.n.Stats().Nodes[V4])
		require.Equal(t, uint64(1), s.n.Stats().Garbled)
		require.Zero(t, s.n.Stats().Waiting)
	}
}

// A node on the same wire is served and can be asked. It is not entered: to ask it again takes the zone of its address, for which a compact
// form has no room.
func TestLinkLocalNodes(t *testing.T) {
	s := begin(t, 0x11, func(c *Config) { c.IPv6 = true }).quiet()
	near := addr("[fe80::1%2]:6881")
	s.send(near, "d1:ad2:id20:<80>e1:q4:ping1:t2:aa1:y1:qe")
	require.Equal(t, "fe80::1", s.answer(near).IP.Addr().String())
	s.wantNothing()
	op := s.n.Ping(s.now, addr("[fe80::1%eth0]:6881"))
	s.drain()
	s.message(near, s.take(addr("[fe80::1%eth0]:6881")).reply(id(0x80)))
	require.NoError(t, s.done(op).Err)
	require.Zero(t, s.n.Stats().Nodes)
}

// At most 4 queries a second to one address, and so 40 in 10 s, whoever wants them.
func TestPace(t *testing.T) {
	s := begin(t, 0x11)
	var times []time.Time
	for range 3000 {
		s.n.Ping(s.now, at(0x80))
		s.drain()
		for range s.asked {
			times = append(times, s.now)
		}
		s.asked = nil
		s.now = s.now.Add(5 * time.Millisecond)
		s.n.HandleTimeout(s.now)
	}
	require.Greater(t, len(times), 50)
	for i := range times {
		if i >= 4 {
			require.GreaterOrEqual(t, times[i].Sub(times[i-4]), time.Second)
		}
		if i >= 40 {
			require.GreaterOrEqual(t, times[i].Sub(times[i-40]), 10*time.Second)
		}
	}
	require.NotZero(t, s.n.Stats().Paced)
}

// Ports of one IP address are one address, unless it is local: then each is a node of a test network.
func TestPaceIsOfAnAddress(t *testing.T) {
	s := begin(t, 0x11)
	for i := range 10 {
		s.n.Ping(s.now, netipPort("45.1.1.1", 1000+i))
		s.n.Ping(s.now, netipPort("127.0.0.1", 1000+i))
	}
	s.drain()
	require.Len(t, s.asked, 4+10)
}

func TestWaitingQueriesAreBounded(t *testing.T) {
	s := begin(t, 0x11)
	for i := range 3000 {
		s.n.Ping(s.now, stranger(i<<8))
	}
	s.drain()
	require.Len(t, s.asked, 1024)
	require.Equal(t, 1024, s.n.Stats().Waiting)
	require.Equal(t, uint64(3000-1024), s.n.Stats().Crowded)
	s.asked = nil
	s.advance(2 * time.Second)
	require.Zero(t, s.n.Stats().Waiting)
	for range 20 { // and those that might be answered late
		for i := range 1024 {
			s.n.Ping(s.now, stranger(i<<8))
		}
		s.drain()
		s.advance(2 * time.Second)
		require.LessOrEqual(t, len(s.n.queries.byT), keptMax)
		require.LessOrEqual(t, len(s.n.queries.paces), 4096)
	}
	s.advance(15 * time.Second)
	s.n.Ping(s.now, at(1))
	require.Len(t, s.n.queries.byT, 1)
}

func TestCancelledOperationsAreSilent(t *testing.T) {
	s := begin(t, 0x00)
	s.knows(node(0x80))
	for _, op := range []Op{s.n.Ping(s.now, at(0x90)), s.n.FindNode(s.now, id(0xff))} {
		s.drain()
		s.n.Cancel(op)
	}
	require.Zero(t, s.n.Stats().Active)
	s.replies(0x90)
	s.replies(0x80, 0xa0)
	s.wantNothing() // a0 is not asked
	s.advance(time.Minute)
	for _, e := range s.events {
		require.Zero(t, e.Op)
	}
	s.n.Cancel(99)
}

// What was sent is forgotten, and its memory used again.
func TestOutboxIsUsedAgain(t *testing.T) {
	s := begin(t, 0x11)
	for range 100 {
		s.send(client, "d1:ad2:id20:<22>e1:q4:ping2:roi1e1:t2:aa1:y1:qe")
		require.Len(t, s.n.outbox.packets, 1)
		s.wantReply(client)
	}
}
