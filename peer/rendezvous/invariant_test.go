package rendezvous

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/dht"
	"kith/handshake"
)

// check wants all that is counted to be what there is: a look-up that is counted and not there would be one less, for ever.
func (s *script) check() {
	s.Helper()
	r := s.r
	looks, puts, reserved, posting, looking := 0, 0, 0, 0, 0
	for _, c := range r.contacts {
		if len(c.look.ops) > 0 {
			looks++
		}
		for _, op := range c.look.ops {
			require.Same(s, c, r.tasks[op].c)
		}
		if c.look.queued {
			looking++
			require.Empty(s, c.look.ops)
		}
		require.False(s, !c.wanted() && (c.look.queued || len(c.look.ops) > 0), "who is not wanted is not looked for")
		for _, p := range c.posts {
			if p.op != 0 {
				puts++
				require.Same(s, p, r.tasks[p.op].post)
			}
			if p.queued {
				posting++
				require.Zero(s, p.op)
			}
		}
		require.GreaterOrEqual(s, c.index, 0)
		require.Same(s, c, r.timers[c.index])
		require.LessOrEqual(s, len(c.posts), 4)
		require.LessOrEqual(s, len(c.look.readings), 2)
	}
	for _, t := range r.tasks {
		reserved += max(0, t.need-t.asked)
	}
	require.Equal(s, []int{looks, puts, reserved, posting, looking, len(r.contacts)}, []int{r.looks, r.puts, r.reserved, len(r.posting), len(r.looking), len(r.timers)})
	require.LessOrEqual(s, looks, looksMax)
	require.LessOrEqual(s, puts, putsAtOnce)
	require.LessOrEqual(s, len(r.tasks), 2*looks+puts)
	if posting > 0 && puts < putsAtOnce || looking > 0 && looks < looksMax {
		require.False(s, r.resume.IsZero(), "what may begin has begun, or will")
	}
}

// TestWhatIsCountedIsThere: whatever is called in whatever order, and whatever nodes answer.
func TestWhatIsCountedIsThere(t *testing.T) {
	did := map[string]int{}
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 0))
		s := begin(t)
		id := identity(t, 1)
		var pairs []*handshake.Pair
		for i := range byte(12) {
			pair, err := handshake.NewPair(id, identity(t, 10+i).PublicKey())
			require.NoError(t, err)
			pairs = append(pairs, pair)
		}
		anybody := func() handshake.PublicKey { return pairs[rng.IntN(len(pairs))].Friend() }
		endpoint := func() netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(rng.IntN(20))}), 1)
		}
		for range 400 {
			switch k := rng.IntN(20); {
			case k < 3:
				if s.r.Add(s.now, pairs[rng.IntN(len(pairs))], s.now.Add(-time.Duration(rng.IntN(20))*24*time.Hour)) == nil {
					did["added"]++
				}
			case k == 3:
				s.r.Remove(s.now, anybody())
			case k == 4:
				s.r.SetEndpoints(s.now, []netip.AddrPort{endpoint(), endpoint()}[:rng.IntN(3)])
			case k == 5:
				s.r.Open(s.now, anybody(), rng.IntN(2) == 0)
			case k == 6:
				s.r.Quiet(s.now, anybody(), rng.IntN(3) == 0)
			case k == 7:
				s.r.Search(s.now, anybody(), endpoint())
			case k == 8:
				s.r.Attempt(s.now, anybody(), rng.IntN(4) == 0)
			case k == 9:
				s.r.HandleEvent(s.now, dht.Event{Kind: dht.EventReady, Family: dht.Family(rng.IntN(2))})
			case k < 14: // a node answers something
				n := rng.IntN(max(1, len(s.r.tasks)))
				var op dht.Op
				for o := range s.r.tasks { // any n-th of those in order of their numbers
					if smaller(s.r.tasks, o) == n {
						op = o
					}
				}
				if task := s.r.tasks[op]; task != nil {
					s.answers(rng, op, task, did)
				}
			case k == 14:
				s.now = s.now.Add(time.Duration(rng.IntN(10)-3) * time.Hour) // the clock is set, or the machine has slept
				if s.now.Before(began) {
					s.now = began
				}
				did["clock set"]++
			default:
				s.advance(time.Duration(rng.IntN(1000)) * time.Second / 10)
			}
			s.drain()
			s.check()
			for o, ok := s.r.Output(); ok; o, ok = s.r.Output() {
				did["output"]++
				require.NotNil(t, s.r.contacts[o.Friend])
			}
		}
	}
	t.Log(did)
	for _, what := range []string{"added", "record", "newer own", "stored", "put done", "get done", "clock set", "output"} {
		require.Greater(t, did[what], 20, what)
	}
}

func smaller(tasks map[dht.Op]*task, op dht.Op) (n int) {
	for o := range tasks {
		if o < op {
			n++
		}
	}
	return n
}

// answers lets something become of an operation that is under way.
func (s *script) answers(rng *rand.Rand, op dht.Op, t *task, did map[string]int) {
	e := dht.Event{Op: op, Family: t.family, Asked: t.asked + rng.IntN(5), Answered: rng.IntN(9)}
	item := func(slot *handshake.Slot) *dht.Item {
		i, err := slot.Seal(rand.NewChaCha8([32]byte{3}), s.now.UnixMilli()+int64(rng.IntN(5_000_000)), at("198.51.100.77:7"))
		require.NoError(s, err)
		return &dht.Item{Value: i.Value, Mutable: true, Key: i.Key, Sig: i.Sig, Seq: i.Seq}
	}
	switch {
	case t.post == nil && rng.IntN(2) == 0:
		e.Kind, e.Item = dht.EventItem, item(t.read.sides[t.family].reader.Slot())
		did["record"]++
	case t.post == nil:
		e.Kind = dht.EventDone
		did["get done"]++
	case rng.IntN(3) == 0:
		e.Kind, e.Item = dht.EventItem, item(t.post.slot)
		did["newer own"]++
	case rng.IntN(2) == 0:
		e.Kind, e.Told, e.Stored = dht.EventStored, 8, 1+rng.IntN(8)
		did["stored"]++
	default:
		e.Kind, e.Told, e.Stored = dht.EventDone, 8, rng.IntN(9)
		did["put done"]++
	}
	if e.Kind == dht.EventDone {
		s.node.Cancel(op) // which is what has happened to it
	}
	require.True(s, s.r.HandleEvent(s.now, e))
}
