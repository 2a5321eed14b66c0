package dht

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/wire"
)

func TestPaceFree(t *testing.T) {
	p := NewPace(3, 10*time.Second)
	require.True(t, p.Free(1).IsZero())
	l := &lookup{overlay: &overlay{Node: &Node{epoch: began, now: 1}}, pace: p, wake: forever}
	l.sent()
	l.now += time.Second
	l.sent()
	require.True(t, p.Free(1).IsZero())
	require.Equal(t, began.Add(10*time.Second), p.Free(2))
	require.Equal(t, began.Add(11*time.Second), p.Free(3))
	require.Equal(t, began.Add(11*time.Second), p.Free(100), "there never are more")
	l.sent()
	require.Equal(t, began.Add(10*time.Second), p.Free(1))
	require.True(t, l.held())
	require.Equal(t, began.Add(10*time.Second), l.epoch.Add(l.wake-1))
	l.now += 9 * time.Second
	require.False(t, l.held())
}

// TestPaceHoldsOperationsBack: all together send so many in any span, and go on when they may.
func TestPaceHoldsOperationsBack(t *testing.T) {
	s := begin(t, 0x00).quiet()
	for _, b := range []byte{0x80, 0x90, 0xa0, 0xb0} {
		s.knows(node(b))
	}
	pace := NewPace(3, 10*time.Second)
	item := signed("", 1, "1:a")
	get := s.n.Get(s.now, id(0xff), GetOptions{Pace: pace})
	put := s.n.Put(s.now, item, PutOptions{Pace: pace})
	s.drain()
	require.Len(t, s.asked, 3, "the get has taken all")
	answer := func() (n int) {
		for ; len(s.asked) > 0; n++ {
			s.replies(s.asked[0].to.Addr().As4()[1])
		}
		return n
	}
	sent := answer()
	require.Equal(t, 3, sent)
	s.undone(get)
	s.advance(10*time.Second - 10*time.Millisecond)
	require.Empty(t, s.asked)
	s.advance(20 * time.Millisecond)
	require.Equal(t, 3, answer())
	s.done(get) // 1 query
	s.undone(put)
	s.advance(10 * time.Second)
	require.Equal(t, 3, answer(), "1 of them to store")
	s.undone(put)
	s.advance(10 * time.Second)
	require.Equal(t, 3, answer())
	e := s.done(put)
	require.NoError(t, e.Err)
	require.Equal(t, []int{4, 4, 4}, []int{e.Asked, e.Told, e.Stored})
}

// TestPaceAndDeadline: who is held back for too long ends with what he has.
func TestPaceAndDeadline(t *testing.T) {
	s := begin(t, 0x00).quiet()
	s.knows(node(0x80), node(0x90))
	op := s.n.Get(s.now, id(0xff), GetOptions{Pace: NewPace(1, time.Hour)})
	s.drain()
	require.Len(t, s.asked, 1)
	s.replies(s.asked[0].to.Addr().As4()[1])
	s.advance(lookupTime - time.Second)
	s.undone(op)
	s.advance(time.Second)
	require.Equal(t, 1, s.done(op).Asked)
	require.Zero(t, s.n.Stats().Active)
}

// TestGetOnly: those are asked and nobody else, whomever they name.
func TestGetOnly(t *testing.T) {
	s := begin(t, 0x00, func(c *Config) { c.Bootstrap = []netip.AddrPort{at(0x01)} }).quiet()
	s.knows(node(0x80), node(0x90), node(0xa0))
	mapped := node(0xb0)
	mapped.Addr = netip.AddrPortFrom(netip.AddrFrom16(mapped.Addr.Addr().As16()), mapped.Addr.Port())
	item := signed("", 3, "1:a")
	only := []wire.Node{node(0x80), mapped, {ID: id(0xc0)}, {ID: id(0xc1), Addr: addr("[2a00::1]:1")}}
	op := s.n.Get(s.now, item.Target(), GetOptions{Only: only})
	s.drain()
	s.wantAsked(MethodGet, 0x80, 0xb0)
	s.gives(0x80, item, 0xf0, 0xf1)
	s.replies(0xb0, 0xa0, 0xf2)
	require.Empty(t, s.asked)
	e := s.done(op)
	require.NoError(t, e.Err)
	require.Equal(t, item.Seq, e.Item.Seq)
	require.Equal(t, 2, e.Asked)

	op = s.n.Get(s.now, item.Target(), GetOptions{Only: only[2:]})
	s.drain()
	require.Empty(t, s.asked)
	require.ErrorIs(t, s.done(op).Err, ErrNoNodes)
	require.Zero(t, s.n.Stats().Active)
}

// TestOperationsInOneFamily: the other DHT hears nothing of it.
func TestOperationsInOneFamily(t *testing.T) {
	both := func(c *Config) {
		c.IPv6, c.ID6 = true, id(0x01)
		c.Bootstrap = []netip.AddrPort{at(0x80), addr("[2a00::1]:1")}
	}
	for _, test := range []struct {
		families []Family
		v4, v6   bool
	}{{nil, true, true}, {[]Family{V4}, true, false}, {[]Family{V6}, false, true}, {[]Family{V6, V4}, true, true}} {
		s := begin(t, 0x00, both).quiet()
		for _, start := range []func() Op{
			func() Op { return s.n.Get(s.now, id(0xff), GetOptions{Families: test.families}) },
			func() Op { return s.n.Put(s.now, signed("", 1, "1:a"), PutOptions{Families: test.families}) },
		} {
			s.asked = nil
			start()
			s.drain()
			var v4, v6 bool
			for _, q := range s.asked {
				v4, v6 = v4 || q.to.Addr().Is4(), v6 || q.to.Addr().Is6()
			}
			require.Equal(t, []bool{test.v4, test.v6}, []bool{v4, v6}, "%v", test.families)
		}
	}
	s := begin(t, 0x00).quiet()
	op := s.n.Get(s.now, id(0xff), GetOptions{Families: []Family{V6}})
	s.drain()
	require.ErrorIs(t, s.done(op).Err, ErrNoNodes)
}
