package dht

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/conformance"
)

// link is a machine behind a network that is slow, changes the order of datagrams, or loses some: each way by itself.
type link struct {
	conformance.Machine
	delay   func() time.Duration
	lost    func() bool
	in, out []onTheWay
	now     time.Time
}

type onTheWay struct {
	due  time.Time
	addr netip.AddrPort
	b    []byte
}

func (l *link) put(q []onTheWay, now time.Time, addr netip.AddrPort, b []byte) []onTheWay {
	if l.lost != nil && l.lost() {
		return q
	}
	d := onTheWay{now.Add(l.delay()), addr, slices.Clone(b)}
	i := len(q)
	for i > 0 && q[i-1].due.After(d.due) {
		i--
	}
	return slices.Insert(q, i, d)
}

func (l *link) HandleDatagram(now time.Time, from netip.AddrPort, b []byte) {
	l.in = l.put(l.in, now, from, b)
}

func (l *link) HandleTimeout(now time.Time) {
	for len(l.in) > 0 && !l.in[0].due.After(now) {
		d := l.in[0]
		l.in = l.in[1:]
		l.Machine.HandleDatagram(now, d.addr, d.b)
		l.drain(now)
	}
	if t := l.Machine.NextTimeout(); !t.IsZero() && !t.After(now) {
		l.Machine.HandleTimeout(now)
		l.drain(now)
	}
	l.now = now
}

func (l *link) drain(now time.Time) {
	for {
		to, b, ok := l.Machine.Transmit()
		if !ok {
			return
		}
		l.out = l.put(l.out, now, to, b)
	}
}

func (l *link) NextTimeout() time.Time {
	next := l.Machine.NextTimeout()
	for _, q := range [][]onTheWay{l.in, l.out} {
		if len(q) > 0 && (next.IsZero() || q[0].due.Before(next)) {
			next = q[0].due
		}
	}
	return next
}

func (l *link) Transmit() (netip.AddrPort, []byte, bool) {
	if len(l.out) == 0 || l.out[0].due.After(l.now) {
		return netip.AddrPort{}, nil, false
	}
	d := l.out[0]
	l.out = l.out[1:]
	return d.addr, d.b, true
}

// slow takes from 0 to most for each way, so that datagrams overtake each other.
func slow(r *rand.Rand, most time.Duration) func() time.Duration {
	return func() time.Duration { return time.Duration(r.Int64N(int64(most))) }
}

// A right node far away, or behind a network that changes the order, is judged as one beside us.
func TestSlowNetworksChangeNoVerdict(t *testing.T) {
	for name, delay := range map[string]func(r *rand.Rand) func() time.Duration{
		"round trips of 200 ms": func(*rand.Rand) func() time.Duration { return func() time.Duration { return 100 * time.Millisecond } },
		"another order":         func(r *rand.Rand) func() time.Duration { return slow(r, 100*time.Millisecond) },
	} {
		t.Run(name, func(t *testing.T) {
			for i, c := range Suite().Cases {
				w := conformance.NewSim(&link{Machine: reference(t, 1), delay: delay(rand.New(rand.NewPCG(1, uint64(i))))})
				w.Meet()
				run := finish(w, c.Run(w, conformance.Options{Seed: 1}))
				require.Contains(t, []conformance.Verdict{conformance.Pass, conformance.Blocked}, run.Outcome.Verdict,
					"%s: expected %s; observed %s; %+v", c.ID, run.Outcome.Expected, run.Outcome.Observed, run.Outcome)
			}
		})
	}
}

// Where one datagram in a hundred is lost a fault may go unseen for want of a control, but nothing passes because the wrong answer was lost: two
// would have to be, one behind the other.
func TestALossyNetworkHidesNoFault(t *testing.T) {
	suite, found := Suite(), 0
	for _, fault := range conformance.Planted {
		for _, id := range fault.Cases {
			for seed := range uint64(60) {
				r := rand.New(rand.NewPCG(2, seed))
				m, err := conformance.NewFaulty(bytes.NewReader(bytes.Repeat([]byte{byte(seed)}, 32)), conformance.Epoch, fault)
				require.NoError(t, err)
				w := conformance.NewSim(&link{Machine: m, delay: slow(r, time.Millisecond), lost: func() bool { return r.IntN(100) == 0 }})
				w.Meet()
				run := finish(w, suite.Find(id).Run(w, conformance.Options{Seed: seed}))
				require.Contains(t, []conformance.Verdict{conformance.Fail, conformance.Inconclusive}, run.Outcome.Verdict, "%s, seed %d", id, seed)
				if run.Outcome.Verdict == conformance.Fail {
					found++
				}
			}
		}
	}
	require.Greater(t, found, 500)
}
