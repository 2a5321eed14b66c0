package sim

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// two returns a network with a talker at alice and one at bob, who talk to each other.
func two(cfg Config) (n *Network, a, b *talker, ha, hb *Host) {
	n = New(cfg)
	a, b = &talker{peer: bob}, &talker{peer: alice}
	return n, a, b, n.Add(a, nil, alice), n.Add(b, nil, bob)
}

// say has a talker send words.
func say(h *Host, p *talker, words ...string) {
	h.Do(func(time.Time) {
		for _, w := range words {
			p.out = append(p.out, []byte(w))
		}
	})
}

// requireAllCounted requires that every datagram that was sent from where its sender has an address came to one end.
func requireAllCounted(t *testing.T, c Counts) {
	t.Helper()
	require.Equal(t, c.Sent+c.Duplicated, c.Delivered+c.NoHost+c.Lost+c.Cut+c.TooLong)
}

func TestACutIsOfOneDirection(t *testing.T) {
	n, a, b, ha, hb := two(Config{Latency: time.Second})
	both := func(word string) {
		say(ha, a, word)
		say(hb, b, word)
	}
	both("under way")
	n.Cut(alice.Addr(), bob.Addr())
	both("one way")
	n.Run(time.Minute)
	n.Cut(bob.Addr(), alice.Addr())
	n.Cut(bob.Addr(), alice.Addr()) // is no deeper
	both("no way")
	n.Heal(bob.Addr(), alice.Addr())
	both("back")
	n.Heal(alice.Addr(), bob.Addr())
	both("healed")
	n.Run(time.Minute)
	require.Equal(t, []string{"under way", "one way", "back", "healed"}, a.heard)
	require.Equal(t, []string{"under way", "healed"}, b.heard)
	c := n.Counts()
	require.EqualValues(t, 4, c.Cut)
	requireAllCounted(t, c)
}

func TestLossOfOneDirection(t *testing.T) {
	n, a, b, ha, hb := two(Config{Seed: 1, Loss: .1})
	n.SetLossFrom(alice.Addr(), bob.Addr(), .5)
	for range 2 {
		ha.Do(func(time.Time) { a.out = numbers(10000) })
		hb.Do(func(time.Time) { b.out = numbers(10000) })
		n.Run(time.Second)
		require.InDelta(t, 9000, len(a.heard), 200)
		requireAllCounted(t, n.Counts())
		a.heard = nil
		n.SetLossFrom(alice.Addr(), bob.Addr(), 0)
	}
	require.InDelta(t, 4500+9000, len(b.heard), 400)
	require.Panics(t, func() { n.SetLossFrom(alice.Addr(), bob.Addr(), -1) })
}

func TestAShuffleLetsABurstArriveInAnyOrder(t *testing.T) {
	n, a, b, ha, _ := two(Config{Seed: 1, Latency: time.Millisecond, Duplicate: .1})
	burst := func() Counts {
		b.heard = nil
		ha.Do(func(time.Time) { a.out = numbers(100) })
		n.Run(time.Second)
		return n.Counts()
	}
	before := burst()
	require.True(t, slices.IsSorted(b.heard))
	require.Zero(t, before.Shuffled)
	require.Zero(t, before.Overtaken, "a duplicate is overtaken by nobody")

	n.Shuffle(100 * time.Millisecond)
	during := burst()
	require.False(t, slices.IsSorted(b.heard))
	require.EqualValues(t, 100+during.Duplicated-before.Duplicated, during.Shuffled)
	require.Greater(t, during.Overtaken, uint64(50))
	require.Equal(t, n.Counts().Sent+n.Counts().Duplicated, during.Delivered)

	after := burst() // the 100 ms are over
	require.True(t, slices.IsSorted(b.heard))
	require.Equal(t, during.Shuffled, after.Shuffled)
	require.Equal(t, during.Overtaken, after.Overtaken)

	n.Shuffle(time.Hour)
	n.Shuffle(0)
	require.Equal(t, after.Shuffled, burst().Shuffled)
	require.Panics(t, func() { n.Shuffle(-1) })
}

// TestOvertakingIsBetweenTwoAddresses: what somebody else sent later has overtaken nothing.
func TestOvertakingIsBetweenTwoAddresses(t *testing.T) {
	n, _, b, _, _ := two(Config{Seed: 1, Jitter: time.Second})
	for i := range 100 {
		n.Send(netip.AddrPortFrom(alice.Addr(), uint16(1000+i)), bob, []byte("x"))
	}
	n.Run(time.Minute)
	require.Len(t, b.heard, 100)
	require.Zero(t, n.Counts().Overtaken)
}

func TestAMoveLosesWhatIsSentToTheOldAddress(t *testing.T) {
	n, a, b, ha, hb := two(Config{Latency: time.Second})
	elsewhere := netip.MustParseAddrPort("198.51.100.7:7")
	say(hb, b, "under way")
	a.ticks = []time.Time{n.Now().Add(time.Minute)}
	ha.Do(func(time.Time) {})
	ha.Move(elsewhere)
	say(hb, b, "too late")
	n.Run(2 * time.Second)
	require.Empty(t, a.heard)
	require.EqualValues(t, 2, n.Counts().NoHost)

	var from []netip.AddrPort
	c := &listener{from: &from}
	hb.Remove()
	n.Add(c, nil, bob)
	b.peer = elsewhere
	n.Run(2 * time.Minute)
	require.Equal(t, []netip.AddrPort{elsewhere}, from, "the timer goes on, and what it sends comes from the new address")
	n.Send(bob, elsewhere, []byte("there you are"))
	n.Run(time.Second)
	require.Equal(t, []string{"there you are"}, a.heard)

	n.Add(&talker{}, nil, alice) // is free
	require.Panics(t, func() { ha.Move(bob) })
	require.Panics(t, func() { ha.Move() })
	require.Panics(t, func() { hb.Move(carol) }, "gone")
	require.EqualValues(t, 1, n.Counts().Moved)
	requireAllCounted(t, n.Counts())
}

// A listener notes who sends.
type listener struct {
	talker
	from *[]netip.AddrPort
}

func (l *listener) HandleDatagram(_ time.Time, from netip.AddrPort, _ []byte) {
	*l.from = append(*l.from, from)
}

func TestARestartedMachine(t *testing.T) {
	n, a, b, ha, hb := two(Config{Latency: time.Second})
	old := b
	old.ticks = []time.Time{n.Now().Add(1500 * time.Millisecond), n.Now().Add(time.Hour)}
	hb.Do(func(time.Time) {})
	say(ha, a, "under way")
	hb.Remove()
	say(ha, a, "while nobody is there")
	b = &talker{peer: alice, ticks: []time.Time{n.Now().Add(2 * time.Second)}}
	hb2 := n.Add(b, nil, bob)
	say(ha, a, "after")
	hb.Remove() // the old one again: the new one stays
	n.Run(2 * time.Hour)

	require.Equal(t, []string{"under way", "while nobody is there", "after"}, b.heard, "who is there when a datagram arrives is given it")
	require.Empty(t, old.heard)
	require.Len(t, old.ticks, 2, "no timer of the old machine fires")
	require.Equal(t, []string{"tick"}, a.heard)
	require.EqualValues(t, 1, n.Counts().Timeouts)
	require.EqualValues(t, 1, n.Counts().Removed)

	hb2.Remove()
	say(ha, a, "to nobody")
	n.Run(time.Minute)
	require.EqualValues(t, 1, n.Counts().NoHost)
	requireAllCounted(t, n.Counts())
}

// TestACrashBeforeAnythingIsSent: after a call a driver takes what is to be stored, then sends. A crash between the two sends nothing.
func TestACrashBeforeAnythingIsSent(t *testing.T) {
	n := New(Config{})
	a, b := &talker{peer: bob}, &talker{}
	n.Add(b, nil, bob)
	var h *Host
	crash := false
	var heir *talker
	h = n.Add(a, func(time.Time) {
		if crash {
			crash = false
			h.Remove()
			heir = &talker{peer: bob, out: [][]byte{[]byte("heir")}}
			n.Add(heir, nil, alice)
		}
	}, alice)
	crash = true
	say(h, a, "never", "sent")
	n.Run(time.Second)
	require.Equal(t, []string{"heir"}, b.heard)
	require.EqualValues(t, 1, n.Counts().Sent)
}

// A clockwork notes each time that it is given, and wants one call, at its own time.
type clockwork struct {
	talker
	times []time.Time
	wants time.Time
}

func (c *clockwork) HandleDatagram(now time.Time, _ netip.AddrPort, _ []byte) {
	c.times = append(c.times, now)
}

func (c *clockwork) HandleTimeout(now time.Time) {
	c.times = append(c.times, now)
	if !c.wants.After(now) {
		c.wants = time.Time{}
	}
}

func (c *clockwork) NextTimeout() time.Time { return c.wants }

func TestAWrongClockIsWrongEverywhere(t *testing.T) {
	for _, skew := range []time.Duration{-50 * time.Minute, 0, 50 * time.Minute} {
		n := New(Config{})
		start := n.Now()
		m := &clockwork{wants: start.Add(skew).Add(10 * time.Second)}
		var after []time.Time
		h := n.AddSkewed(skew, m, func(now time.Time) { after = append(after, now) }, alice)
		n.Run(5 * time.Second)
		n.Send(bob, alice, []byte("hello"))
		n.Run(10 * time.Second)
		h.Do(func(now time.Time) { m.times = append(m.times, now) })
		var seen []time.Duration
		for _, now := range m.times {
			seen = append(seen, now.Sub(start.Add(skew)))
		}
		require.Equal(t, []time.Duration{5 * time.Second, 10 * time.Second, 15 * time.Second}, seen)
		require.Equal(t, slices.Concat([]time.Time{start.Add(skew)}, m.times), after)
		require.Equal(t, start.Add(15*time.Second), n.Now(), "the network's clock is right")
		require.EqualValues(t, 1, n.Counts().Timeouts)
		require.Equal(t, skew != 0, n.Counts().Skewed == 1)
	}
}

func TestAClockThatIsSet(t *testing.T) {
	n := New(Config{})
	start := n.Now()
	m := &clockwork{wants: start.Add(time.Hour)}
	h := n.Add(m, nil, alice)
	n.Run(time.Minute)
	h.Skew(-time.Hour) // what was an hour away is two now
	n.Run(90 * time.Minute)
	require.Empty(t, m.times)
	h.Skew(0)
	n.Run(time.Millisecond)
	require.Equal(t, []time.Time{start.Add(91*time.Minute + time.Millisecond)}, m.times, "what is long due is due at once")

	m.wants = n.Now().Add(time.Hour)
	h.Do(func(time.Time) {})
	h.Skew(59 * time.Minute) // brought forward
	n.Run(time.Minute)
	require.Len(t, m.times, 2)
	n.Run(2 * time.Hour)
	require.Len(t, m.times, 2, "the timer that was set before does not fire")
	require.EqualValues(t, 3, n.Counts().Skewed)
	h.Remove()
	require.Panics(t, func() { h.Skew(0) })
}

func TestTheSeedDecidesTheFaultsToo(t *testing.T) {
	run := func(seed uint64) [32]byte {
		n, a, b, ha, hb := two(Config{Seed: seed, Latency: time.Millisecond, Jitter: time.Second, Loss: .1, Duplicate: .1})
		n.SetLossFrom(bob.Addr(), alice.Addr(), .3)
		n.Shuffle(time.Second)
		ha.Do(func(time.Time) { a.out = numbers(50) })
		hb.Do(func(time.Time) { b.out = numbers(50) })
		n.At(n.Now().Add(time.Second), func(time.Time) {
			ha.Skew(time.Minute)
			ha.Move(carol, netip.MustParseAddrPort("198.51.100.7:7"))
			n.Cut(bob.Addr(), alice.Addr())
			ha.Do(func(time.Time) { a.out = numbers(50) })
		})
		n.Run(time.Minute)
		requireAllCounted(t, n.Counts())
		return n.Trace()
	}
	require.Equal(t, run(1), run(1))
	require.NotEqual(t, run(1), run(2))
}
