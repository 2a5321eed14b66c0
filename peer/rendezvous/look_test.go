package rendezvous_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/handshake"
	"kith/internal/sim"
	"kith/peer/rendezvous"
	"kith/wire"
)

// A lookUp is one look-up of a person's, as the network sees it.
type lookUp struct {
	at    time.Time
	asked []netip.AddrPort
}

// looks returns a person's look-ups for a slot.
func (p *person) looks(target wire.ID) (looks []lookUp) {
	var last time.Time
	for _, q := range p.queries {
		if q.method != "get" || q.target != target {
			continue
		}
		if len(looks) == 0 || q.at.Sub(last) > 3*time.Second {
			looks = append(looks, lookUp{at: q.at})
		}
		last = q.at
		l := &looks[len(looks)-1]
		l.asked = append(l.asked, q.to)
	}
	return looks
}

// theirs returns the target of q's slot for p.
func (p *person) theirs(q *person, at time.Time) wire.ID {
	return slot(p.w.t, q.id, p.id, p.pair(q).Epoch(at))
}

// TestTheRhythmOfLookUps: 15 s, 60 s, 240 s, then every 300 s or 900 s, each ± 25 %; and between full look-ups, every 1,800 s, those near the slot only.
func TestTheRhythmOfLookUps(t *testing.T) {
	own := seed(t, 1)
	for _, test := range []struct{ ago, steady time.Duration }{{6 * 24 * time.Hour, 300 * time.Second}, {8 * 24 * time.Hour, 900 * time.Second}} {
		w := newWorld(t, own, 60)
		a, b := w.person(0), w.person(0)
		w.toEdge(a, b, 5*time.Hour)
		a.do(func(now time.Time) {
			a.r.SetEndpoints(now, []netip.AddrPort{a.at})
			a.adds(now, b.id, now.Add(-test.ago))
		})
		target := a.theirs(b, w.Now())
		w.Run(239 * time.Minute)
		looks := a.looks(target)
		require.Less(t, looks[0].at.Sub(w.Now().Add(-239*time.Minute)), time.Second)
		wants := []time.Duration{15 * time.Second, 60 * time.Second, 240 * time.Second}
		var sum time.Duration
		full := looks[0].at
		fulls := 1
		for i, l := range looks[1:] {
			want := test.steady
			if i < len(wants) {
				want = wants[i]
			} else {
				sum += l.at.Sub(looks[i].at)
			}
			gap := l.at.Sub(looks[i].at)
			require.InDelta(t, want.Seconds(), gap.Seconds(), want.Seconds()/4+3, "the %d-th", i)
			if len(l.asked) > 8 {
				require.InDelta(t, 1800, l.at.Sub(full).Seconds(), 151+test.steady.Seconds()*5/4)
				full = l.at
				fulls++
			} else {
				require.Less(t, l.at.Sub(full), 1800*time.Second)
			}
		}
		mean := sum / time.Duration(len(looks)-1-len(wants))
		require.InDelta(t, test.steady.Seconds(), mean.Seconds(), test.steady.Seconds()/10)
		require.GreaterOrEqual(t, fulls, 6)
		t.Logf("%v: %d look-ups, %d of them full; between, %d queries", test.steady, len(looks), fulls, len(looks[2].asked))
	}
}

// TestLookingForWhoIsLost begins the rhythm anew, at the user's wish too.
func TestLookingForWhoIsLost(t *testing.T) {
	w := newWorld(t, seed(t, 1), 20)
	a, b := w.person(0), w.person(0)
	w.toEdge(a, b, 5*time.Hour)
	a.begins(b)
	target := a.theirs(b, w.Now())
	w.Run(time.Hour + 100*time.Second)
	a.queries = nil
	asked := w.Now()
	a.do(func(now time.Time) { a.r.Search(now, b.id.PublicKey()) })
	w.Run(6 * time.Minute)
	looks := a.looks(target)
	require.Equal(t, asked, looks[0].at)
	require.InDelta(t, 15, looks[1].at.Sub(asked).Seconds(), 4)
	require.InDelta(t, 75, looks[2].at.Sub(asked).Seconds(), 20)
	require.InDelta(t, 315, looks[3].at.Sub(asked).Seconds(), 81)
	require.Empty(t, a.told(rendezvous.OutputKnock, b))
}

// TestLookingInBothEpochs: near an edge also in the neighbour, and there only when the own one gave nothing.
func TestLookingInBothEpochs(t *testing.T) {
	w := newWorld(t, seed(t, 1), 20)
	a, b := w.person(0), w.person(0)
	w.toEdge(a, b, 2*time.Hour)
	a.begins(b)
	epoch := a.pair(b).Epoch(w.Now())
	at := func(e uint64) int { return len(a.looks(slot(t, b.id, a.id, e))) }
	w.Run(59 * time.Minute)
	require.NotZero(t, at(epoch))
	require.Zero(t, at(epoch+1))
	w.Run(time.Hour)
	require.NotZero(t, at(epoch+1))
	w.Run(2 * time.Minute)
	before := at(epoch)
	w.Run(30 * time.Minute)
	require.Greater(t, at(epoch), before, "behind the edge the old one is the neighbour")
	w.Run(30 * time.Minute)
	before = at(epoch)
	w.Run(4 * time.Hour)
	require.Equal(t, before, at(epoch), "what is over is not looked for")
	require.Zero(t, at(epoch-1))

	// b publishes; a finds that in its own epoch and asks for no other.
	b.begins(a)
	w.toEdge(a, b, 40*time.Minute)
	n := w.Now()
	next := a.pair(b).Epoch(n) + 1
	w.Run(30 * time.Minute)
	require.NotZero(t, a.count(n, func(q query) bool { return q.target == slot(t, b.id, a.id, next-1) }))
	require.Zero(t, a.count(n, func(q query) bool { return q.target == slot(t, b.id, a.id, next) && q.method == "get" }))
}

// TestWhoIsQuiet is neither looked for nor knocked at, until somebody wants him.
func TestWhoIsQuiet(t *testing.T) {
	w := newWorld(t, seed(t, 1), 20)
	a, b := w.person(0), w.person(0)
	befriend(a, b)
	a.begins(b)
	b.begins(a)
	w.wantMeeting(a, b, 5*time.Second)
	w.Run(time.Minute)
	for _, p := range []*person{a, b} {
		other := map[*person]*person{a: b, b: a}[p]
		p.open[other.id.PublicKey()] = false
		p.do(func(now time.Time) {
			p.r.Open(now, other.id.PublicKey(), false)
			p.r.Quiet(now, other.id.PublicKey(), true)
		})
	}
	quiet := w.Now()
	a.outs, b.outs = nil, nil
	w.Run(2 * time.Hour)
	require.Zero(t, a.count(quiet, func(q query) bool { return q.target == a.theirs(b, q.at) && q.method == "get" }))
	require.NotZero(t, a.count(quiet, func(q query) bool { return q.method == "put" }), "records are kept alive")
	for _, o := range slices.Concat(a.outs, b.outs) {
		require.Equal(t, rendezvous.OutputPublished, o.Kind)
	}
	a.do(func(now time.Time) { // a has something to say
		a.r.Quiet(now, b.id.PublicKey(), false)
		a.r.Search(now, b.id.PublicKey())
	})
	w.wantMeeting(a, b, 2*time.Second)
}

// TestTheOrderAtTheStart: who was spoken to last comes first, with at most two look-ups at once.
func TestTheOrderAtTheStart(t *testing.T) {
	w := newWorld(t, seed(t, 1), 20)
	a := w.person(0)
	var friends []*person
	for range 12 {
		friends = append(friends, w.person(0))
	}
	order := []int{3, 7, 1, 11, 0, 9, 4, 10, 2, 8, 5, 6}
	a.do(func(now time.Time) {
		for i, f := range friends {
			a.adds(now, f.id, now.Add(-time.Duration(slices.Index(order, i))*time.Hour))
		}
		require.False(t, a.r.NextTimeout().After(now))
		a.r.SetEndpoints(now, []netip.AddrPort{a.at})
	})
	w.Run(30 * time.Second)
	slots := map[wire.ID]int{}
	for i, f := range friends {
		slots[a.theirs(f, w.Now())] = i
	}
	var seen []int
	last := map[int]time.Time{}
	for _, q := range a.queries {
		if i, ok := slots[q.target]; ok {
			if last[i].IsZero() {
				seen = append(seen, i)
			}
			last[i] = q.at
		}
	}
	require.Equal(t, order, seen)
}

// busy is the most queries in any span of 10 s.
func (p *person) busy() (most int) {
	begin := 0
	for i, q := range p.queries {
		for q.at.Sub(p.queries[begin].at) >= 10*time.Second {
			begin++
		}
		most = max(most, i-begin+1)
	}
	return most
}

// TestThePaceOfAHundredContacts: under 40 queries a second over any 10 s, from the start on; the last spoken to first; and an idle hour within the spec's budget.
func TestThePaceOfAHundredContacts(t *testing.T) {
	w := newWorld(t, seed(t, 1), 100)
	a := w.person(0)
	w.Run(10 * time.Second)
	var friends []*handshake.Identity
	a.do(func(now time.Time) {
		a.r.SetEndpoints(now, []netip.AddrPort{a.at})
		for i := range 100 {
			friends = append(friends, identity(t, 1000+i))
			a.adds(now, friends[i], now.Add(-time.Duration((i*37)%100)*time.Hour))
		}
	})
	begun := w.Now()
	all := w.RunUntil(30*time.Minute, func() bool {
		n := 0
		for _, o := range a.outs {
			if o.Kind == rendezvous.OutputNotFound {
				n++
			}
		}
		return n == 100
	})
	require.True(t, all)
	t.Logf("100 contacts were published for and looked for in %v, at most %d queries in 10 s, no operation longer than %v", w.Now().Sub(begun), a.busy(), a.longest)
	require.Less(t, a.longest, 5*time.Second, "what has begun is not held back")
	require.Less(t, a.busy(), 400)

	const hours = 3
	a.queries, a.timeouts, a.wakes, a.datagrams = nil, 0, 0, 0
	before := a.Stats()
	for range hours {
		w.Run(time.Hour)
	}
	require.Less(t, a.busy(), 400)
	after := a.Stats()
	var sent uint64
	for m := range after.Sent {
		sent += after.Sent[m] - before.Sent[m]
	}
	gets, puts := 0, 0
	for _, q := range a.queries {
		if q.method == "get" {
			gets++
		} else {
			puts++
		}
	}
	t.Logf("an hour: %d queries (%d get, %d put, %d others), %d wake-ups by timer (%d for the rendezvous), %d by datagrams; at most %d queries in 10 s",
		sent/hours, gets/hours, puts/hours, (int(sent)-gets-puts)/hours, a.timeouts/hours, a.wakes/hours, a.datagrams/hours, a.busy())
	require.Less(t, sent/hours, uint64(25000))
	require.Less(t, a.wakes/hours, 100, "what is due in one minute is done in one go")
}

var _ sim.Machine = (*person)(nil)
