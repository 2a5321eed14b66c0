package sim

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var (
	alice = netip.MustParseAddrPort("192.0.2.1:1")
	bob   = netip.MustParseAddrPort("192.0.2.2:2")
	carol = netip.MustParseAddrPort("[2001:db8::3]:3")
)

// A talker sends what it is told to, notes what it hears, and says "tick" to its peer at each of its times.
type talker struct {
	peer  netip.AddrPort
	out   [][]byte
	heard []string
	when  []time.Time
	ticks []time.Time
}

func (p *talker) HandleDatagram(now time.Time, _ netip.AddrPort, b []byte) {
	p.heard = append(p.heard, string(b))
	p.when = append(p.when, now)
}

func (p *talker) HandleTimeout(now time.Time) {
	for len(p.ticks) > 0 && !p.ticks[0].After(now) {
		p.ticks = p.ticks[1:]
		p.out = append(p.out, []byte("tick"))
	}
}

func (p *talker) NextTimeout() time.Time {
	if len(p.ticks) == 0 {
		return time.Time{}
	}
	return p.ticks[0]
}

func (p *talker) Transmit() (netip.AddrPort, []byte, bool) {
	if len(p.out) == 0 {
		return netip.AddrPort{}, nil, false
	}
	b := p.out[0]
	p.out = p.out[1:]
	return p.peer, b, true
}

func numbers(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = binary.BigEndian.AppendUint32(nil, uint32(i))
	}
	return out
}

func TestPerfectNetworkDeliversInOrder(t *testing.T) {
	n := New(Config{Latency: 20 * time.Millisecond})
	a, b := &talker{peer: bob}, &talker{peer: alice}
	ha := n.Add(a, nil, alice)
	n.Add(b, nil, bob)
	ha.Do(func(time.Time) { a.out = numbers(100) })
	n.Run(20*time.Millisecond - 1)
	require.Empty(t, b.heard)
	n.Run(1)
	require.Len(t, b.heard, 100)
	require.True(t, slices.IsSorted(b.heard))
	require.Equal(t, n.Now(), b.when[0])
	require.Equal(t, Counts{Sent: 100, Delivered: 100, Bytes: 400, Kinds: map[string]uint64{}}, n.Counts())
}

func TestEachMisfortuneIsCounted(t *testing.T) {
	n := New(Config{
		Seed: 1, Latency: time.Millisecond, Jitter: time.Millisecond, Loss: .1, Duplicate: .2, Late: .05, LateBy: time.Second,
		Kind: func(b []byte) string { return map[bool]string{true: "number", false: "other"}[len(b) == 4] },
	})
	a, b := &talker{peer: bob}, &talker{}
	ha := n.Add(a, nil, alice)
	hb := n.Add(b, nil, bob)
	ha.Do(func(time.Time) { a.out = append(numbers(10000), make([]byte, 1472), make([]byte, 1473)) })
	n.Run(10 * time.Millisecond)
	early := len(b.heard)
	require.False(t, slices.IsSorted(b.heard[:early]), "jitter must let datagrams overtake each other")
	n.Run(time.Minute)
	c := n.Counts()
	require.EqualValues(t, 10002, c.Sent)
	require.EqualValues(t, 1, c.TooLong)
	require.InDelta(t, 1000, c.Lost, 200)
	require.InDelta(t, 1800, c.Duplicated, 250)
	require.InDelta(t, 540, c.Late, 120)
	require.Equal(t, c.Sent-c.TooLong-c.Lost+c.Duplicated, c.Delivered)
	require.EqualValues(t, c.Delivered, len(b.heard))
	require.EqualValues(t, c.Late, len(b.heard)-early)
	require.Equal(t, map[string]uint64{"number": 10000, "other": 2}, c.Kinds)

	a.peer = carol
	ha.Do(func(time.Time) { a.out = numbers(3) })
	a.peer = bob
	hb.Remove()
	ha.Do(func(time.Time) { a.out = numbers(100) })
	n.Run(time.Minute)
	c = n.Counts()
	require.EqualValues(t, 3, c.NoAddress)
	require.NotZero(t, c.NoHost)
	require.Equal(t, c.Sent+c.Duplicated, c.Delivered+c.NoHost+c.Lost+c.TooLong)
}

func TestOutage(t *testing.T) {
	n := New(Config{})
	a, b := &talker{peer: bob}, &talker{}
	ha := n.Add(a, nil, alice)
	n.Add(b, nil, bob)
	for i, heard := range []int{100, 100, 200} {
		n.SetLoss([]float64{0, 1, 0}[i])
		ha.Do(func(time.Time) { a.out = numbers(100) })
		n.Run(time.Second)
		require.Len(t, b.heard, heard)
	}
	require.EqualValues(t, 100, n.Counts().Lost)
	require.Panics(t, func() { n.SetLoss(2) })
}

func TestTimers(t *testing.T) {
	n := New(Config{})
	b := &talker{}
	n.Add(b, nil, bob)
	a := &talker{peer: bob}
	at := func(ms ...int) (out []time.Time) {
		for _, ms := range ms {
			out = append(out, n.Now().Add(time.Duration(ms)*time.Millisecond))
		}
		return out
	}
	a.ticks = at(10, 20, 20, 3000)
	want := at(10, 20, 20)
	h := n.Add(a, nil, alice)
	n.Run(time.Second)
	require.Equal(t, want, b.when)
	require.EqualValues(t, 2, n.Counts().Timeouts)

	h.Do(func(time.Time) { a.ticks = at(5) }) // brought forward
	want = append(want, at(5)...)
	n.Run(time.Second)
	require.Equal(t, want, b.when)

	h.Do(func(time.Time) { a.ticks = at(-5000) }) // long due: at once, but never twice in a millisecond
	want = append(want, at(1)...)
	n.Run(time.Second)
	require.Equal(t, want, b.when)

	h.Do(func(time.Time) { a.ticks = at(5) })
	h.Remove() // nothing more comes from it
	n.Run(time.Hour)
	require.Equal(t, want, b.when)
}

func TestFunctionsRunInVirtualTime(t *testing.T) {
	n := New(Config{})
	start := n.Now()
	var order []time.Duration
	note := func(now time.Time) { order = append(order, now.Sub(start)) }
	n.At(start.Add(2*time.Second), note)
	n.At(start.Add(time.Second), func(now time.Time) {
		note(now)
		n.At(now.Add(-time.Hour), note) // the past is now
	})
	require.True(t, n.RunUntil(time.Minute, func() bool { return len(order) == 3 }))
	require.Equal(t, []time.Duration{time.Second, time.Second, 2 * time.Second}, order)
	require.Equal(t, start.Add(2*time.Second), n.Now())
	require.False(t, n.RunUntil(time.Minute, func() bool { return false }))
	require.Equal(t, start.Add(62*time.Second), n.Now())
	require.EqualValues(t, 3, n.Counts().Functions)
}

func TestTheSeedDecidesEverything(t *testing.T) {
	run := func(seed uint64, word string) [32]byte {
		n := New(Config{Seed: seed, Latency: time.Millisecond, Jitter: time.Second, Loss: .1, Duplicate: .1})
		a, b := &talker{peer: bob}, &talker{peer: alice}
		a.ticks = []time.Time{n.Now().Add(time.Second)}
		ha := n.Add(a, nil, alice)
		n.Add(b, nil, bob)
		ha.Do(func(time.Time) { a.out = append(numbers(50), []byte(word)) })
		n.Run(time.Minute)
		return n.Trace()
	}
	require.Equal(t, run(1, "word"), run(1, "word"))
	require.NotEqual(t, run(1, "word"), run(2, "word"))
	require.NotEqual(t, run(1, "word"), run(1, "wort"))
	require.NotEqual(t, run(1, "word"), New(Config{}).Trace())
}

// TestOldSeedsStayWhatTheyWere keeps what was found by a seed findable: what a network can do more must not draw from the
// randomness of one that does not do it.
func TestOldSeedsStayWhatTheyWere(t *testing.T) {
	n := New(Config{Seed: 1, Latency: time.Millisecond, Jitter: time.Second, Loss: .1, Duplicate: .1, Late: .1, LateBy: time.Second})
	a, b := &talker{peer: bob}, &talker{peer: alice}
	a.ticks = []time.Time{n.Now().Add(time.Second)}
	ha := n.Add(a, nil, alice)
	hb := n.Add(b, nil, bob)
	ha.Do(func(time.Time) { a.out = numbers(50) })
	hb.Do(func(time.Time) { b.out = numbers(50) })
	n.Run(time.Minute)
	require.Equal(t, "00ccb83ae63cf0ea344c89b87022efc4218401f9dc5ac2dc6d4fee3772d2fb59", fmt.Sprintf("%x", n.Trace()))
}

func TestQueueIsInOrder(t *testing.T) {
	start := time.Unix(0, 0)
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		for range rapid.IntRange(0, 200).Draw(t, "steps") {
			if e := q.next(); e != nil && rapid.Bool().Draw(t, "pop") {
				q.pop()
				for _, other := range q.heap {
					require.True(t, e.before(other))
				}
				q.done(e)
				continue
			}
			q.push(start.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "at"))))
		}
	})
}

func TestNonsenseIsRefused(t *testing.T) {
	for _, cfg := range []Config{{Loss: 2}, {Duplicate: -1}, {Late: 1.5}, {Latency: -1}, {Jitter: -1}} {
		require.Panics(t, func() { New(cfg) })
	}
	n := New(Config{})
	require.Panics(t, func() { n.Add(&talker{}, nil) })
	n.Add(&talker{}, nil, alice)
	require.Panics(t, func() { n.Add(&talker{}, nil, alice) })
}

// TestBytesAreCopied sends from a buffer that is used again at once, as Transmit allows.
func TestBytesAreCopied(t *testing.T) {
	n := New(Config{Latency: time.Second, Duplicate: 1})
	b := &talker{}
	n.Add(b, nil, bob)
	buf := []byte("first")
	n.Send(alice, bob, buf)
	copy(buf, "other")
	n.Send(alice, bob, buf)
	n.Run(time.Second)
	require.Equal(t, []string{"first", "first", "other", "other"}, b.heard)
	require.True(t, bytes.Equal(buf, []byte("other")))
}
