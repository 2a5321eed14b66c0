package dht

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/wire"
)

func TestStartLooksUpItself(t *testing.T) {
	s := begin(t, 0x11, func(c *Config) {
		c.Bootstrap = []netip.AddrPort{at(0x80), addr("[2a00::1]:1"), addr("0.0.0.0:1"), addr("46.1.1.1:0")}
	})
	s.advance(0)
	s.wantAsked(MethodFindNode, 0x80)
	require.Equal(t, id(0x11), s.asked[0].m.Target)
	s.replies(0x80, 0x10)
	require.Empty(t, s.of(EventReady))
	s.replies(0x10)
	require.Len(t, s.of(EventReady), 1)
	require.Equal(t, []byte{0x10, 0x80}, inTable(&s.n.overlays[V4].table))
}

// A node whose name is known late is asked at once, and again like one that was known from the start.
func TestBootstrapNodesMayComeLate(t *testing.T) {
	s := begin(t, 0x11)
	s.advance(time.Hour)
	s.wantNothing()
	for range 2 {
		s.n.AddBootstrap(s.now, at(0x80))
		s.n.AddBootstrap(s.now, netip.AddrPortFrom(netip.AddrFrom16(at(0x81).Addr().As16()), 6881))
		s.n.AddBootstrap(s.now, addr("[2a00::1]:1")) // not our family
	}
	s.advance(0)
	s.wantAsked(MethodFindNode, 0x80, 0x81)
	s.replies(0x80, 0x10, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17) // with 80 eight
	s.forget(0x81)
	for _, b := range []byte{0x10, 0x13, 0x12, 0x15, 0x14, 0x17, 0x16} {
		s.replies(b)
	}
	s.advance(time.Minute)
	s.asked = nil
	s.n.AddBootstrap(s.now, at(0x90))
	s.advance(time.Minute)
	s.wantNothing() // enough are known
}

// As long as too few nodes are known the node looks again: after 10 s, 20 s, … 15 min.
func TestStartIsTriedAgain(t *testing.T) {
	s := begin(t, 0x11, func(c *Config) { c.Bootstrap = []netip.AddrPort{at(0x80)} })
	var times []time.Duration
	for s.now.Sub(began) < 3*time.Hour {
		s.advance(time.Second)
		if len(s.asked) > 0 {
			times = append(times, s.now.Sub(began).Round(10*time.Second))
			s.asked = nil
		}
	}
	require.Equal(t, []time.Duration{0, 10 * time.Second, 30 * time.Second}, times[:3])
	require.Less(t, len(times), 20)
	for i := range times[1:] {
		require.LessOrEqual(t, times[i+1]-times[i], 16*time.Minute)
	}
}

// While the node looks for itself it does not begin to do so again; and once it knew enough it is as quick as at first.
func TestLookingAroundAgain(t *testing.T) {
	s := begin(t, 0x00, func(c *Config) { c.Bootstrap = []netip.AddrPort{at(0x80)} })
	s.advance(0)
	s.take(at(0x80))
	s.advance(1500 * time.Millisecond)
	s.n.overlays[V4].hurry()
	s.n.overlays[V4].around = true
	s.advance(400 * time.Millisecond)
	s.wantNothing()
	s.advance(10 * time.Minute) // by now it has lost patience
	s.asked = nil
	require.Greater(t, s.n.overlays[V4].patience, retryFirst)

	eight := []byte{0x80, 0x90, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0}
	for _, b := range eight {
		s.knows(node(b))
	}
	s.n.overlays[V4].lookAround()
	s.n.overlays[V4].patience = time.Hour
	s.advance(0)
	for range eight {
		s.replies(s.asked[0].to.Addr().As4()[1])
	}
	require.Equal(t, retryFirst, s.n.overlays[V4].patience)
	require.Zero(t, s.n.Stats().Active)
}

// Of the other family a node remembers a few that it hears of, as long as it knows too few there, and never itself.
func TestHearingOfTheOtherFamily(t *testing.T) {
	s := begin(t, 0x11, func(c *Config) {
		c.IPv6, c.ID6, c.Bootstrap = true, id(0x22), []netip.AddrPort{at(0x80), at(0x81), at(0x82)}
	})
	six := func(i int) wire.Node {
		return wire.Node{ID: id(0x40 + byte(i)), Addr: netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x2a, 0, byte(i), 15: 1}), 6881)}
	}
	o := s.n.overlays[V6]
	name := func(b byte, nodes ...wire.Node) {
		m := s.take(at(b)).reply(id(b))
		m.Has |= wire.HasNodes6
		for _, n := range nodes {
			m.Nodes6 = wire.AppendNode(m.Nodes6, n)
		}
		s.message(at(b), m)
	}
	s.advance(0)
	self := six(0)
	self.ID = id(0x22)
	name(0x80, self, six(1), six(2), six(3), six(4), six(5), six(6), six(7))
	require.Len(t, o.saved, 7)
	name(0x81, six(11), six(12), six(13), six(14), six(15), six(16), six(17), six(18))
	name(0x82, six(21), six(22), six(23), six(24))
	require.Len(t, o.saved, seeds)

	o.saved = nil
	for i := range 8 {
		o.table.answered(six(i), s.n.now)
	}
	s.n.overlays[V4].lookAround()
	s.advance(0)
	s.asked = slices.DeleteFunc(s.asked, func(q *question) bool { return string(q.m.Method) != "find_node" })
	name(0x80, six(31))
	require.Empty(t, o.saved, "eight are enough")
}

// A node that nobody told of others begins when the first asks it.
func TestStartWithTheFirstStranger(t *testing.T) {
	s := begin(t, 0x11)
	s.advance(time.Hour)
	s.wantNothing()
	s.send(at(0x80), "d1:ad2:id20:<80>e1:q4:ping1:t2:aa1:y1:qe")
	s.wantReply(at(0x80))
	s.replies(0x80)
	s.advance(time.Second)
	s.wantAsked(MethodFindNode, 0x80)
}

func TestQuestionableNodesArePinged(t *testing.T) {
	s := begin(t, 0x00).quiet()
	for _, b := range []byte{0x80, 0x90} {
		s.knows(node(b))
		s.advanceSilently(time.Minute)
	}
	s.advance(12*time.Minute + 59*time.Second)
	s.wantNothing()
	s.advance(2 * time.Second) // 15 minutes after the first answered
	s.wantAsked(MethodPing, 0x80)
	s.replies(0x80)
	s.advance(time.Minute)
	s.wantAsked(MethodPing, 0x90)
	s.forget(0x90)
	for range 2 { // and twice more, then it is bad, and left alone
		s.advance(4 * time.Second)
		s.take(at(0x90))
	}
	s.advance(10 * time.Second)
	s.wantNothing()
	require.Equal(t, [2]int{2, 0}, s.n.Stats().Nodes)
	require.Equal(t, [2]int{1, 0}, s.n.Stats().Good)
}

// Eight questionable nodes are pinged a second, those first that were heard of least recently, however often the clock is looked at.
func TestProbesAreBounded(t *testing.T) {
	s := begin(t, 0x00).quiet()
	for _, b := range []byte{0x80, 0x90, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0, 0x40, 0x48, 0x50, 0x58, 0x60, 0x68, 0x70, 0x78, 0x20} {
		s.knows(node(b))
	}
	for i := range s.n.overlays[V4].table.buckets {
		s.n.overlays[V4].table.buckets[i].changed = 1 << 60 // not this
	}
	s.advanceSilently(20 * time.Minute)
	for range 100 {
		s.n.HandleTimeout(s.now)
		s.drain()
	}
	s.wantAsked(MethodPing, 0x80, 0x90, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0)
	s.asked = nil
	s.advance(roundEvery)
	s.wantAsked(MethodPing, 0x40, 0x48, 0x50, 0x58, 0x60, 0x68, 0x70, 0x78)
	s.asked = nil
	s.advance(roundEvery - time.Millisecond)
	s.wantNothing()
	s.advance(time.Millisecond) // 80 and others did not answer, and are asked once more
	require.Len(t, s.asked, probesAtOnce)
}

// A full bucket of questionable nodes makes room for a newcomer within seconds.
func TestNewcomersDisplaceTheSilent(t *testing.T) {
	s := begin(t, 0x00).quiet()
	for _, b := range []byte{0x80, 0x90, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0, 0x40} {
		s.knows(node(b))
	}
	s.advanceSilently(20 * time.Minute)
	s.knows(node(0xff))
	answer := func() {
		for len(s.asked) > 0 {
			q := s.asked[0]
			if b := q.to.Addr().As4()[1]; b != 0xa0 {
				s.replies(b)
			} else {
				s.asked = s.asked[1:]
			}
		}
	}
	for range 20 {
		s.advance(time.Second)
		answer()
	}
	require.Contains(t, inTable(&s.n.overlays[V4].table), byte(0xff))
	require.NotContains(t, inTable(&s.n.overlays[V4].table), byte(0xa0))
	require.Equal(t, 9, s.n.Stats().Good[V4])
}

func TestBucketsAreRefreshed(t *testing.T) {
	s := begin(t, 0x00).quiet()
	for _, b := range []byte{0x80, 0x90, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0, 0x40, 0x50} {
		s.knows(node(b))
	}
	began := s.now
	s.advanceSilently(14 * time.Minute)
	s.knows(node(0x40)) // something happens in the second bucket
	targets := func() (ids []wire.ID) {
		for _, q := range s.asked {
			if string(q.m.Method) == "find_node" {
				ids = append(ids, q.m.Target)
			}
		}
		return ids
	}
	s.advance(began.Add(15*time.Minute - time.Second).Sub(s.now))
	require.Empty(t, targets())
	s.advance(2 * time.Second)
	first := targets()
	require.Len(t, first, alpha, "one look-up")
	require.GreaterOrEqual(t, first[0][0], byte(0x80), "in the range of the first bucket")
	require.NotEqual(t, [19]byte{}, [19]byte(first[0][1:]))
	s.asked = nil
	for range 40 { // nobody answers, and the bucket waits for its next turn
		s.advance(time.Second)
		for _, target := range targets() {
			require.Equal(t, first[0], target)
		}
		s.asked = nil
	}
	s.advance(14 * time.Minute)
	require.NotEmpty(t, targets(), "the second bucket, and the first again")
	for _, target := range targets() {
		require.NotEqual(t, first[0], target)
	}
}

// A look-up for one bucket at a time.
func TestBucketsAreRefreshedOneAfterTheOther(t *testing.T) {
	n, now := withNodes(t, 200)
	s := &script{T: t, n: n, now: now}
	s.quiet().advanceSilently(20 * time.Minute)
	seen := map[wire.ID]bool{}
	for range 600 {
		s.advance(100 * time.Millisecond)
		require.LessOrEqual(t, n.Stats().Active, 1)
		for _, q := range s.asked {
			if string(q.m.Method) == "find_node" {
				seen[q.m.Target] = true
			}
			m := q.reply(id(0))
			for i := range n.overlays[V4].table.buckets {
				for _, e := range n.overlays[V4].table.buckets[i].nodes {
					if e.addr() == q.to {
						m.ID = *e.id()
					}
				}
			}
			s.message(q.to, m)
		}
		s.asked = nil
	}
	require.Greater(t, len(seen), 3) // each look-up has other buckets answer, which are then in no need of one
}

// randomIn stays in the range of its bucket.
func TestRandomIDsAreInTheirBucket(t *testing.T) {
	n, _ := withNodes(t, 400)
	o := n.overlays[V4]
	for i := range o.table.buckets {
		for range 20 {
			id := o.randomIn(i)
			require.Equal(t, &o.table.buckets[i], o.table.bucketOf(&id))
		}
	}
}

func TestStateIsRestored(t *testing.T) {
	both := func(c *Config) { c.IPv4, c.IPv6, c.ID6 = true, true, id(0x33) }
	s := begin(t, 0x00, both).quiet()
	six := wire.Node{ID: id(0x91), Addr: addr("[2a00:1::1]:5")}
	s.knows(node(0x80), node(0x90), six)
	for i := range byte(5) {
		s.votes(at(1+i), "50.1.2.3")
	}
	s.n.overlays[V4].table.lost(node(0x80), s.n.now)
	saved := s.n.State(s.now)

	again := begin(t, 0x77, both, func(c *Config) { c.ID4, c.ID6, c.State = wire.ID{}, wire.ID{}, saved })
	require.Equal(t, s.n.ID(V4), again.n.ID(V4))
	require.Equal(t, s.n.ID(V6), again.n.ID(V6))
	require.Equal(t, s.n.Address(V4), again.n.Address(V4))
	require.Zero(t, again.n.Stats().Nodes[V4], "who has not answered in this life is not in the table")
	require.Equal(t, saved, again.n.State(again.now), "and is not forgotten either")
	again.advance(time.Second)
	asked := map[netip.AddrPort]bool{}
	for _, q := range again.asked {
		asked[q.to] = true
	}
	require.Len(t, asked, 8, "the saved nodes are asked first")
	again.asked = slices.DeleteFunc(again.asked, func(q *question) bool { return q.to == at(0x90) && string(q.m.Method) == "find_node" })
	again.replies(0x90)
	require.Equal(t, 1, again.n.Stats().Nodes[V4])
}

// After days in which nobody called, as of a machine that slept, a node knows nothing for sure, and asks at its usual pace.
func TestAfterDaysOfSilence(t *testing.T) {
	s := begin(t, 0x00)
	for b := byte(0x80); b < 0xff; b += 3 {
		s.knows(node(b))
	}
	token := s.tokenFor(client)
	s.announce(client, 0x77, "", "4:porti1e", token)
	s.wantReply(client)
	s.putValue(client, "5:hello")
	s.asked, s.others = nil, nil
	s.advanceSilently(1000 * time.Hour)
	s.n.Ping(s.now, at(0x01))
	require.Zero(t, s.n.Stats().Items+s.n.Stats().Hashes+s.n.Stats().Peers)
	require.Empty(t, nodesOf(s.find(0x80, "")), "good is who answered lately")
	s.announce(client, 0x77, "", "4:porti1e", token)
	s.wantError(client, 203)
	require.Empty(t, s.peersOf(client, 0x77))
	s.wantNoItem(wire.ImmutableTarget([]byte("5:hello")))
	s.n.HandleTimeout(s.now)
	s.drain()
	require.LessOrEqual(t, len(s.asked), probesAtOnce+2*alpha+1)
	require.NotEmpty(t, s.asked)
	require.True(t, s.n.NextTimeout().After(s.now))
	s.asked = nil
	s.advance(time.Minute)
	require.Less(t, len(s.asked), 300)
}

// Saved nodes of one address are asked at its pace, and each is.
func TestSavedNodesKeepThePace(t *testing.T) {
	s := begin(t, 0x00).quiet()
	port := func(i int) netip.AddrPort { return netipPort("45.1.1.1", 1000+i) }
	for i := range 12 {
		s.n.overlays[V4].saved = append(s.n.overlays[V4].saved, wire.Node{ID: id(0x80 + byte(i)), Addr: port(i)})
	}
	s.advance(5 * time.Second)
	asked := map[netip.AddrPort]bool{}
	for _, q := range s.asked {
		asked[q.to] = true
	}
	require.Len(t, asked, 12)

	s.asked = nil
	s.knows(node(0x80)) // who is in the table already is not asked
	s.n.overlays[V4].saved = []wire.Node{node(0x80)}
	s.n.overlays[V4].hurry()
	s.advance(2 * time.Second)
	s.wantNothing()
}

func TestStateThatIsBroken(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80), node(0x90))
	saved := s.n.State(s.now)
	_, err := New(Config{State: saved}, began)
	require.NoError(t, err)
	for i := 1; i < len(saved); i++ { // cut off anywhere
		_, err := New(Config{State: saved[:i]}, began)
		require.ErrorIs(t, err, ErrMalformed, i)
	}
	for i := range saved { // or changed anywhere
		b := slices.Clone(saved)
		b[i] ^= 1
		_, err := New(Config{State: b}, began)
		require.ErrorIs(t, err, ErrMalformed, i)
	}
	_, err = New(Config{State: append(slices.Clone(saved), 0)}, began)
	require.ErrorIs(t, err, ErrMalformed)
}

func TestConfigIsChecked(t *testing.T) {
	for _, c := range []Config{{Rate: -1}, {Burst: -1}, {Rate: 2e9}, {Burst: 2e9}} {
		_, err := New(c, began)
		require.ErrorIs(t, err, ErrLimit)
	}
	_, err := New(Config{IPv4: true, IPv6: true, ID4: id(1), ID6: id(1)}, began)
	require.ErrorIs(t, err, ErrMalformed)
	_, err = New(Config{IPv6: true, ID4: id(1), ID6: id(1)}, began)
	require.NoError(t, err)
	_, err = New(Config{Rand: bytes.NewReader(make([]byte, 31))}, began)
	require.Error(t, err)
	n, err := New(Config{}, began)
	require.NoError(t, err)
	require.NotZero(t, n.ID(V4))
	require.Zero(t, n.ID(V6))
	require.False(t, n.Address(V6).IsValid())
}

// A node that knows a door to one family only finds the other through it.
func TestOneFamilyLeadsToTheOther(t *testing.T) {
	s := begin(t, 0x11, func(c *Config) { c.IPv6, c.ID6, c.Bootstrap = true, id(0x22), []netip.AddrPort{at(0x80)} })
	six := wire.Node{ID: id(0x91), Addr: addr("[2a00:1::1]:5")}
	s.advance(0)
	q := s.take(at(0x80))
	require.Equal(t, wire.Want4|wire.Want6, q.m.Want)
	m := q.reply(id(0x80))
	m.Has |= wire.HasNodes6
	m.Nodes6 = wire.AppendNode(wire.AppendNode(nil, six), wire.Node{ID: id(1), Addr: addr("[fe80::1]:1")})
	s.message(at(0x80), m)
	s.advance(time.Second)
	q = s.take(six.Addr)
	require.Equal(t, id(0x22), q.m.Target, "looks around there")
	s.message(six.Addr, q.reply(six.ID))
	require.Equal(t, [2]int{1, 1}, s.n.Stats().Nodes)
}
