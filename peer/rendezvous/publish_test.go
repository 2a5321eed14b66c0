package rendezvous_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/dht"
	"kith/handshake"
	"kith/peer/rendezvous"
)

// puts returns when a person's puts for a slot began: the first datagram of each that stores.
func (p *person) puts(key handshake.PublicKey) (at []time.Time) {
	for _, q := range p.queries {
		if q.method == "put" && slices.Equal(q.key, key[:]) && (len(at) == 0 || q.at.Sub(at[len(at)-1]) > 5*time.Second) {
			at = append(at, q.at)
		}
	}
	return at
}

// pair returns the pair of two people, as the first sees it.
func (p *person) pair(q *person) *handshake.Pair {
	pair, err := handshake.NewPair(p.id, q.id.PublicKey())
	require.NoError(p.w.t, err)
	return pair
}

// own returns the key of p's slot for q in an epoch.
func (p *person) own(q *person, epoch uint64) handshake.PublicKey {
	return p.pair(q).Slot(handshake.Own, handshake.IPv4, epoch).Key
}

// toEdge lets time pass until the pair's next epoch begins, less some time.
func (w *world) toEdge(p, q *person, before time.Duration) {
	into := time.Duration((w.Now().Unix()+int64(p.pair(q).Phase()))%handshake.EpochLength) * time.Second
	wait := handshake.EpochLength*time.Second - into - before
	if wait < 0 {
		wait += handshake.EpochLength * time.Second
	}
	w.Run(wait)
}

// TestPublishing: at the start, every 3,000 s, for the next epoch from an hour before it, and when it begins.
func TestPublishing(t *testing.T) {
	w := newWorld(t, seed(t, 1), 10)
	a, b := w.person(0), w.person(0)
	w.toEdge(a, b, 5*time.Hour)
	begun := w.Now()
	a.begins(b)
	epoch := a.pair(b).Epoch(w.Now())
	w.Run(10 * time.Hour)

	first := a.puts(a.own(b, epoch))
	require.Less(t, first[0].Sub(begun), time.Second)
	require.Greater(t, len(first), 5)
	for i := range first[1:] {
		require.InDelta(t, 3000, first[i+1].Sub(first[i]).Seconds(), 152)
	}
	edge := begun.Add(5 * time.Hour)
	require.False(t, first[len(first)-1].After(edge), "what is over is not published again")

	second := a.puts(a.own(b, epoch+1))
	require.WithinRange(t, second[0], edge.Add(-time.Hour), edge.Add(-59*time.Minute+time.Second))
	atEdge := slices.IndexFunc(second, func(at time.Time) bool { return !at.Before(edge) })
	require.WithinRange(t, second[atEdge], edge, edge.Add(time.Minute+time.Second))
	for i := range second[1:] {
		if i+1 != atEdge {
			require.InDelta(t, 3000, second[i+1].Sub(second[i]).Seconds(), 152)
		}
	}
	require.Empty(t, a.puts(a.own(b, epoch-1)))
	require.Empty(t, a.puts(a.own(b, epoch+2)))
	require.Len(t, a.told(rendezvous.OutputPublished, b), len(first)+len(second[atEdge:]))
}

// TestStartWithinAnHourAfterAnEdge: the old slot is written too, once.
func TestStartWithinAnHourAfterAnEdge(t *testing.T) {
	w := newWorld(t, seed(t, 1), 10)
	a, b := w.person(0), w.person(0)
	w.toEdge(a, b, 0)
	w.Run(5 * time.Minute)
	epoch := a.pair(b).Epoch(w.Now())
	a.begins(b)
	w.Run(4 * time.Hour)
	require.Len(t, a.puts(a.own(b, epoch-1)), 1)
	require.Greater(t, len(a.puts(a.own(b, epoch))), 3)
}

// TestPublishingANewAddress: in the old slot too while that is accepted, and at most every 10 s but for the first time.
func TestPublishingANewAddress(t *testing.T) {
	w := newWorld(t, seed(t, 1), 10)
	a, b := w.person(0), w.person(0)
	w.toEdge(a, b, 30*time.Minute)
	a.begins(b)
	w.Run(55 * time.Minute) // 25 min behind the edge
	epoch := a.pair(b).Epoch(w.Now())
	sets := func(local ...string) {
		var at []netip.AddrPort
		for _, s := range local {
			at = append(at, netip.MustParseAddrPort(s))
		}
		a.do(func(now time.Time) { a.r.SetEndpoints(now, at) })
	}
	begun := w.Now()
	store := func(key handshake.PublicKey) int {
		return a.count(begun, func(q query) bool { return q.method == "put" && slices.Equal(q.key, key[:]) })
	}
	sets("192.0.2.1:1")
	w.Run(3 * time.Second)
	require.NotZero(t, store(a.own(b, epoch)))
	require.NotZero(t, store(a.own(b, epoch-1)))

	w.Run(time.Minute)
	begun = w.Now()
	sets("192.0.2.1:2") // the address has been the same for a minute: at once
	w.Run(3 * time.Second)
	require.NotZero(t, store(a.own(b, epoch)))
	begun = w.Now()
	sets("192.0.2.1:3")
	sets("192.0.2.1:3")
	sets("192.0.2.1:4")
	w.Run(6 * time.Second)
	require.Zero(t, store(a.own(b, epoch)))
	w.Run(4 * time.Second)
	require.NotZero(t, store(a.own(b, epoch)))
	require.NotZero(t, store(a.own(b, epoch-1)))

	begun = w.Now()
	w.Run(20 * time.Minute)
	require.Zero(t, store(a.own(b, epoch-1)), "once")
	w.Run(time.Hour)
	begun = w.Now()
	sets("192.0.2.1:5")
	w.Run(time.Minute)
	require.NotZero(t, store(a.own(b, epoch)))
	require.Zero(t, store(a.own(b, epoch-1)), "when it is not accepted any more")
}

// TestAPutThatFails: again after 30 s, 60 s, up to 600 s, and when it has succeeded, every 3,000 s.
func TestAPutThatFails(t *testing.T) {
	w := newWorld(t, seed(t, 1), 8)
	a, b := w.person(0), w.person(0)
	a.begins(b)
	w.Run(10 * time.Second)
	w.SetLoss(1)
	w.Run(time.Hour) // so that no other thing is being done
	begun := w.Now()
	a.do(func(now time.Time) { a.r.SetEndpoints(now, []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:1")}) })
	target := slot(t, a.id, b.id, a.pair(b).Epoch(begun))
	var tries []time.Time
	w.Run(40 * time.Minute)
	for _, q := range a.queries {
		if q.target == target && !q.at.Before(begun) && (len(tries) == 0 || q.at.Sub(tries[len(tries)-1]) > 25*time.Second) {
			tries = append(tries, q.at)
		}
	}
	require.GreaterOrEqual(t, len(tries), 6)
	for i := range tries[1:] {
		want := min(30*time.Second<<i, 600*time.Second)
		require.InDelta(t, (want * 9 / 8).Seconds(), tries[i+1].Sub(tries[i]).Seconds(), want.Seconds()/8+35, "the %d-th", i)
	}
	w.SetLoss(0)
	w.Run(15 * time.Minute)
	puts := a.puts(a.own(b, a.pair(b).Epoch(begun)))
	require.True(t, puts[len(puts)-1].After(begun))
	n := len(a.told(rendezvous.OutputPublished, b))
	w.Run(30 * time.Minute)
	require.Len(t, a.told(rendezvous.OutputPublished, b), n)
}

// TestWhoIsRemovedIsNotPublishedFor: neither by what was under way, nor ever.
func TestWhoIsRemovedIsNotPublishedFor(t *testing.T) {
	w := newWorld(t, seed(t, 1), 20)
	a, b, c := w.person(0), w.person(0), w.person(0)
	a.begins(b, c)
	w.Run(60 * time.Millisecond) // in the midst of the first put
	a.do(func(now time.Time) {
		a.r.Remove(now, b.id.PublicKey())
		a.r.Remove(now, b.id.PublicKey())
	})
	removed := w.Now()
	w.Run(25 * time.Hour)
	slots := map[[20]byte]bool{}
	for e := a.pair(b).Epoch(removed) - 1; e < a.pair(b).Epoch(removed)+10; e++ {
		slots[a.pair(b).Slot(handshake.Own, handshake.IPv4, e).Target] = true
		slots[a.pair(b).Slot(handshake.Friend, handshake.IPv4, e).Target] = true
	}
	about := func(q query) bool { return slots[q.target] }
	require.NotZero(t, a.count(time.Time{}, about))
	require.Zero(t, a.count(removed, about))
	require.NotZero(t, a.count(removed, func(q query) bool { return q.method == "put" }), "for the other friend")
	require.Empty(t, a.told(rendezvous.OutputPublished, b))
	require.Empty(t, a.told(rendezvous.OutputNotFound, b))

	a.do(func(now time.Time) {
		a.r.Open(now, b.id.PublicKey(), true) // who is none is no fault
		a.r.Quiet(now, b.id.PublicKey(), true)
		a.r.Search(now, b.id.PublicKey(), b.at)
		a.r.Attempt(now, b.id.PublicKey(), false)
		a.r.Answered(b.id.PublicKey(), b.at)
	})
	require.Empty(t, a.told(rendezvous.OutputKnock, b))
	a.do(func(now time.Time) { a.adds(now, b.id, now) })
	w.Run(time.Second)
	require.Len(t, a.told(rendezvous.OutputPublished, b), 1, "a contact again")
}

// TestOldRecordsAreOutdone: somebody who forgot his seq, and whose clock was 40 min ahead, outdoes what he finds; while it is more than an hour ahead, he waits.
func TestOldRecordsAreOutdone(t *testing.T) {
	for _, test := range []struct {
		ahead time.Duration
		wait  time.Duration // until the slot is written again
	}{{40 * time.Minute, 0}, {100 * time.Minute, 40 * time.Minute}} {
		w := newWorld(t, seed(t, 1), 10)
		a, b := w.person(test.ahead), w.person(0)
		w.toEdge(a, b, 4*time.Hour)
		a.begins(b)
		epoch := a.pair(b).Epoch(w.Now().Add(test.ahead))
		require.Equal(t, epoch, a.pair(b).Epoch(w.Now()), "both clocks are in one epoch")
		w.Run(10 * time.Second)
		require.Len(t, a.told(rendezvous.OutputPublished, b), 1)
		a.leaves()

		back := w.returns(a.id, 0, dht.Config{Bootstrap: w.doors})
		begun := w.Now()
		back.begins(b)
		wrote := w.RunUntil(3*time.Hour, func() bool { return len(back.told(rendezvous.OutputPublished, b)) > 0 })
		require.True(t, wrote)
		require.InDelta(t, test.wait.Seconds(), w.Now().Sub(begun).Seconds(), 11*60)
		if test.wait == 0 {
			require.Less(t, w.Now().Sub(begun), 2*time.Second, "at once")
		}
		s := b.pair(back).Slot(handshake.Friend, handshake.IPv4, epoch)
		got := w.get(s.Target)
		require.NotNil(t, got)
		rec, err := s.Open(w.Now(), 0, handshake.Item{Key: got.Key, Seq: got.Seq, Value: got.Value, Sig: got.Sig})
		require.NoError(t, err)
		require.Equal(t, []netip.AddrPort{back.at}, rec.Endpoints)
		require.Greater(t, got.Seq/1000, begun.Add(test.ahead-time.Minute).Unix(), "it outdid the old one")
	}
}

// get returns what is in a slot, as somebody else finds it.
func (w *world) get(target [20]byte) (item *dht.Item) {
	n, err := dht.New(dht.Config{Rand: w.bytes(), Bootstrap: w.doors}, w.Now())
	require.NoError(w.t, err)
	done := false
	var op dht.Op
	at := w.place()
	h := w.Network.Add(n, func(time.Time) {
		for e, ok := n.Event(); ok; e, ok = n.Event() {
			if e.Op == op && e.Kind == dht.EventDone {
				item, done = e.Item, true
			}
		}
	}, at)
	h.Do(func(now time.Time) { op = n.Get(now, target, dht.GetOptions{}) })
	require.True(w.t, w.RunUntil(time.Minute, func() bool { return done }))
	h.Remove()
	return item
}

// TestAFriendWhoWritesIntoTheSlot cannot keep anybody busy: he is outdone once a put.
func TestAFriendWhoWritesIntoTheSlot(t *testing.T) {
	w := newWorld(t, seed(t, 1), 10)
	a, b := w.person(0), w.person(0)
	a.begins(b)
	w.Run(10 * time.Second)
	begun := w.Now()
	own := a.pair(b).Slot(handshake.Own, handshake.IPv4, a.pair(b).Epoch(begun))
	// b writes every 4 s, each time 4 s further ahead.
	var writes func(time.Time)
	i := 0
	writes = func(now time.Time) {
		if i++; i > 300 {
			return
		}
		b.do(func(time.Time) {
			item, err := own.Seal(w.bytes(), now.Add(time.Duration(i)*4*time.Second).UnixMilli(), nil)
			require.NoError(t, err)
			b.Put(now, dht.Item{Value: item.Value, Mutable: true, Key: item.Key, Sig: item.Sig, Seq: item.Seq}, dht.PutOptions{})
		})
		w.At(now.Add(4*time.Second), writes)
	}
	w.At(w.Now(), writes)
	w.Run(20 * time.Minute)
	require.Less(t, a.count(begun, func(q query) bool { return q.method == "put" }), 200)
}

// TestWhatWaitsForTheTable: what failed because nobody was known is done when somebody is, as at a start.
func TestWhatWaitsForTheTable(t *testing.T) {
	own := seed(t, 1)
	for i := range 10 {
		w := newWorld(t, own+uint64(i), 12)
		a, b := w.returns(identity(t, 0), 0, dht.Config{}), w.returns(identity(t, 1), 0, dht.Config{})
		befriend(a, b)
		a.begins(b)
		b.begins(a)
		w.Run(time.Minute)
		require.Empty(t, a.told(rendezvous.OutputNotFound, b), "nobody was asked")
		for _, p := range []*person{a, b} {
			p.do(func(now time.Time) { p.AddBootstrap(now, w.doors[0]) })
		}
		w.wantMeeting(a, b, 5*time.Second)
	}
}
