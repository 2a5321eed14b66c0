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

// A script is a rendezvous with one contact, whose node knows one address where nobody answers: so what the node finds is what the test says.
type script struct {
	*testing.T
	r      *Rendezvous
	node   *dht.Node
	now    time.Time
	friend handshake.PublicKey
	theirs *handshake.Pair // as the friend sees it
	seq    int64
}

var began = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func identity(t *testing.T, b byte) *handshake.Identity {
	id, err := handshake.NewIdentity(append(make([]byte, handshake.SeedSize-1), b))
	require.NoError(t, err)
	return id
}

func begin(t *testing.T) *script {
	a, b := identity(t, 1), identity(t, 2)
	own, err := handshake.NewPair(a, b.PublicKey())
	require.NoError(t, err)
	theirs, err := handshake.NewPair(b, a.PublicKey())
	require.NoError(t, err)
	s := &script{T: t, friend: b.PublicKey(), theirs: theirs}
	// In the middle of an epoch, so that there is no other.
	s.now = began.Add(time.Duration(10000-(began.Unix()+int64(own.Phase()))%handshake.EpochLength) * time.Second)
	s.node, err = dht.New(dht.Config{Rand: rand.NewChaCha8([32]byte{1}), IPv4: true, IPv6: true, Bootstrap: at("192.0.2.200:1", "[2001:db8::c8]:1")}, s.now)
	require.NoError(t, err)
	s.r, err = New(Config{Node: s.node, Rand: rand.NewChaCha8([32]byte{2})}, s.now)
	require.NoError(t, err)
	s.r.SetEndpoints(s.now, at("192.0.2.100:1"))
	require.NoError(t, s.r.Add(s.now, own, s.now))
	return s
}

// at returns addresses.
func at(texts ...string) (as []netip.AddrPort) {
	for _, text := range texts {
		as = append(as, netip.MustParseAddrPort(text))
	}
	return as
}

// advance lets time pass, and nobody answer.
func (s *script) advance(d time.Duration) {
	end := s.now.Add(d)
	for {
		next := s.node.NextTimeout()
		if own := s.r.NextTimeout(); !own.IsZero() && own.Before(next) {
			next = own
		}
		if next.After(end) {
			break
		}
		if next.After(s.now) {
			s.now = next
		}
		s.node.HandleTimeout(s.now)
		s.r.HandleTimeout(s.now)
		s.drain()
	}
	s.now = end
}

func (s *script) drain() {
	for _, _, ok := s.node.Transmit(); ok; _, _, ok = s.node.Transmit() {
	}
	for e, ok := s.node.Event(); ok; e, ok = s.node.Event() {
		s.r.HandleEvent(s.now, e)
	}
}

// get returns a get that is under way in a family, after letting one begin if there is none.
func (s *script) get(f dht.Family) dht.Op {
	for range 2 {
		for op, t := range s.r.tasks {
			if t.post == nil && t.family == f {
				return op
			}
		}
		s.r.contacts[s.friend].look.due = s.now
		s.r.settle(s.now, s.r.contacts[s.friend])
	}
	s.Fatal("nothing is asked for")
	return 0
}

// finds lets a look-up find a record with a seq of its own, newer than those before.
func (s *script) finds(f dht.Family, endpoints ...string) {
	s.Helper()
	s.seq = max(s.seq+1, s.now.UnixMilli())
	s.findsSeq(f, s.seq, endpoints...)
}

func (s *script) findsSeq(f dht.Family, seq int64, endpoints ...string) {
	s.Helper()
	op := s.get(f)
	item, err := s.theirs.Slot(handshake.Own, ofHandshake(f), s.theirs.Epoch(s.now)).Seal(rand.NewChaCha8([32]byte{3}), seq, at(endpoints...))
	require.NoError(s, err)
	require.True(s, s.r.HandleEvent(s.now, dht.Event{Kind: dht.EventItem, Op: op, Family: f, Item: &dht.Item{Value: item.Value, Mutable: true, Key: item.Key, Sig: item.Sig, Seq: item.Seq}}))
	s.drain()
}

// wantKnock wants a knock to go out to these, and nothing else.
func (s *script) wantKnock(to ...string) {
	s.Helper()
	o, ok := s.r.Output()
	require.True(s, ok, "no output")
	require.Equal(s, Output{Kind: OutputKnock, Friend: s.friend, To: at(to...)}, o)
	s.wantNothing()
}

func (s *script) wantNothing() {
	s.Helper()
	o, ok := s.r.Output()
	require.False(s, ok, "%+v", o)
}

// ends ends the attempt.
func (s *script) ends() { s.r.Attempt(s.now, s.friend, false) }

func TestEachEndpointOnceInTenMinutes(t *testing.T) {
	s := begin(t)
	s.finds(dht.V4, "192.0.2.1:1", "192.0.2.2:2")
	s.wantKnock("192.0.2.1:1", "192.0.2.2:2")
	s.ends()
	s.wantNothing()
	s.finds(dht.V4, "192.0.2.2:2", "192.0.2.1:1")
	s.wantNothing()
	s.finds(dht.V6, "192.0.2.2:2", "192.0.2.1:1")
	s.wantNothing()
	s.finds(dht.V4, "192.0.2.1:1", "192.0.2.2:3") // another port is another endpoint
	s.wantKnock("192.0.2.2:3")
	s.ends()
	s.advance(9*time.Minute + 59*time.Second)
	s.finds(dht.V4, "192.0.2.1:1", "192.0.2.2:3")
	s.wantNothing()
	s.advance(2 * time.Second)
	s.finds(dht.V4, "192.0.2.1:1", "192.0.2.2:3")
	s.wantKnock("192.0.2.1:1", "192.0.2.2:3")
}

func TestWhereTheFriendHasAnsweredKnocksAreFree(t *testing.T) {
	s := begin(t)
	s.r.Answered(s.friend, at("[::ffff:192.0.2.1]:1")[0])
	for range 3 {
		s.finds(dht.V4, "192.0.2.1:1", "192.0.2.2:2")
		o, _ := s.r.Output()
		require.Equal(t, at("192.0.2.1:1")[0], o.To[0])
		s.ends()
		s.wantNothing()
	}
	for i := range uint16(8) { // older answers are forgotten
		s.r.Answered(s.friend, netip.AddrPortFrom(netip.MustParseAddr("192.0.2.9"), 1+i))
	}
	s.finds(dht.V4, "192.0.2.1:1")
	s.wantNothing()
}

// A friend cannot have more than 64 endpoints knocked at in 10 minutes, whatever his records say.
func TestKnocksCannotBeAimed(t *testing.T) {
	s := begin(t)
	n := 0
	for i := range 100 {
		var to []string
		for j := range uint16(8) {
			to = append(to, netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}), 1+j).String())
		}
		s.finds(dht.V4, to...)
		for o, ok := s.r.Output(); ok; o, ok = s.r.Output() {
			n += len(o.To)
		}
		s.ends()
		s.advance(time.Second)
	}
	require.Equal(t, knockedMost, n)
	require.Len(t, s.r.contacts[s.friend].knock.knocked, knockedMost)
}

// What is being tried may be where the friend was before: the endpoints of a newer record are knocked at too.
func TestANewerRecordWhileAnAttemptIsUnderWay(t *testing.T) { // peer-knock-found
	s := begin(t)
	seq := s.now.UnixMilli()
	s.findsSeq(dht.V4, seq, "192.0.2.1:1")
	s.wantKnock("192.0.2.1:1")
	s.findsSeq(dht.V4, seq, "192.0.2.1:1") // the same again
	s.wantNothing()
	s.findsSeq(dht.V4, seq+1, "192.0.2.2:2", "192.0.2.1:1")
	s.wantKnock("192.0.2.2:2") // peer-knock-rare
	s.findsSeq(dht.V6, seq+2, "192.0.2.2:2")
	s.wantNothing()
	s.ends()
	s.wantNothing()
}

// The highest seq counts, over both families: one that is older has no effect.
func TestTheHighestOfBothFamiliesCounts(t *testing.T) {
	s := begin(t)
	seq := s.now.UnixMilli()
	s.findsSeq(dht.V6, seq, "192.0.2.1:1")
	s.wantKnock("192.0.2.1:1")
	s.ends()
	s.findsSeq(dht.V4, seq-1, "192.0.2.2:2") // rv-record-highest
	s.findsSeq(dht.V6, seq-1, "192.0.2.3:3") // rv-record-lower
	s.wantNothing()
	s.findsSeq(dht.V4, seq, "192.0.2.4:4")
	s.wantKnock("192.0.2.4:4")
}

func TestNoKnockAtWhoIsQuietOrThere(t *testing.T) {
	s := begin(t)
	op := s.get(dht.V4)
	s.r.Quiet(s.now, s.friend, true)
	require.False(t, s.r.HandleEvent(s.now, dht.Event{Kind: dht.EventDone, Op: op}), "the search has ended")
	require.Empty(t, s.r.contacts[s.friend].look.ops)
	s.r.Open(s.now, s.friend, true)
	s.r.Search(s.now, s.friend, at("192.0.2.1:1")...)
	s.wantNothing()
	s.r.Quiet(s.now, s.friend, true)
	s.r.Open(s.now, s.friend, false)
	s.advance(time.Hour)
	s.wantNothing()
	s.r.Search(s.now, s.friend, at("192.0.2.1:1")...) // at its user's wish
	s.wantKnock("192.0.2.1:1")
}

// Where the friend was is knocked at when he is lost, whatever records have said.
func TestKnockingWhereHeWas(t *testing.T) {
	s := begin(t)
	s.finds(dht.V4, "192.0.2.1:1")
	s.wantKnock("192.0.2.1:1")
	s.r.Answered(s.friend, at("192.0.2.1:1")[0])
	s.r.Open(s.now, s.friend, true)
	s.advance(time.Minute)
	s.r.Open(s.now, s.friend, false)
	known := at("192.0.2.1:1", "[::ffff:192.0.2.1]:1", "0.0.0.0:0", "192.0.2.2:2", "192.0.2.3:3", "192.0.2.4:4", "192.0.2.5:5", "192.0.2.6:6", "192.0.2.7:7", "192.0.2.8:8", "192.0.2.9:9")
	s.r.Search(s.now, s.friend, append(known, netip.AddrPort{})...)
	s.wantKnock("192.0.2.1:1", "192.0.2.2:2", "192.0.2.3:3", "192.0.2.4:4", "192.0.2.5:5", "192.0.2.6:6", "192.0.2.7:7", "192.0.2.8:8")
	s.ends()
	s.finds(dht.V4, "192.0.2.8:8", "192.0.2.9:9")
	s.wantKnock("192.0.2.9:9")
}

// Nor by what he says in conversations that he has end one after the other.
func TestKnocksCannotBeAimedByConversations(t *testing.T) { // peer-knock-rare
	s := begin(t)
	s.r.Answered(s.friend, at("192.0.2.1:1")[0])
	for i := range 10 {
		s.r.Open(s.now, s.friend, true)
		s.r.Open(s.now, s.friend, false)
		s.r.Search(s.now, s.friend, at("192.0.2.1:1", "198.51.100.1:53", "198.51.100.2:53")...)
		if i == 0 {
			s.wantKnock("192.0.2.1:1", "198.51.100.1:53", "198.51.100.2:53")
		} else {
			s.wantKnock("192.0.2.1:1")
		}
		s.ends()
		s.advance(time.Second)
	}
}

// What the slot does not say has no effect.
func TestWhatIsNotARecord(t *testing.T) {
	s := begin(t)
	slot := s.theirs.Slot(handshake.Own, handshake.IPv4, s.theirs.Epoch(s.now))
	for name, change := range map[string]func(*dht.Item){
		"signature": func(i *dht.Item) { i.Sig[0] ^= 1 },
		"key":       func(i *dht.Item) { i.Key[0] ^= 1 },
		"value":     func(i *dht.Item) { i.Value[100] ^= 1 },
		"seq":       func(i *dht.Item) { i.Seq++ },
	} {
		item, err := slot.Seal(rand.NewChaCha8([32]byte{3}), s.now.UnixMilli(), at("192.0.2.1:1"))
		require.NoError(t, err)
		i := &dht.Item{Value: item.Value, Mutable: true, Key: item.Key, Sig: item.Sig, Seq: item.Seq}
		change(i)
		s.r.HandleEvent(s.now, dht.Event{Kind: dht.EventItem, Op: s.get(dht.V4), Item: i})
		s.wantNothing()
		require.False(t, s.r.contacts[s.friend].look.found, name)
	}
	for _, age := range []time.Duration{7201 * time.Second, -3601 * time.Second} {
		s.findsSeq(dht.V4, s.now.Add(-age).UnixMilli(), "192.0.2.1:1")
		o, ok := s.r.Output()
		require.Equal(t, age < 0, ok)
		if ok {
			require.Equal(t, Output{Kind: OutputClock, Friend: s.friend, Ahead: -age}, o)
		}
	}
	s.findsSeq(dht.V4, 1<<62, "192.0.2.1:1")
	s.wantNothing() // once in an hour
	s.advance(time.Hour)
	s.findsSeq(dht.V4, 1<<62, "192.0.2.1:1")
	o, _ := s.r.Output()
	require.Equal(t, 100*365*24*time.Hour, o.Ahead, "as far as a Duration can say")
}

func TestContactsAreBounded(t *testing.T) {
	s := begin(t)
	a, b := identity(t, 1), identity(t, 2)
	pair, err := handshake.NewPair(a, b.PublicKey())
	require.NoError(t, err)
	require.ErrorIs(t, s.r.Add(s.now, pair, s.now), ErrState)
	s.r.contacts = make(map[handshake.PublicKey]*contact)
	for i := range handshake.MaxContacts {
		s.r.contacts[handshake.PublicKey{byte(i), byte(i >> 8), 1}] = nil
	}
	require.ErrorIs(t, s.r.Add(s.now, pair, s.now), ErrLimit)
	_, err = New(Config{}, s.now)
	require.ErrorIs(t, err, ErrState)
}

// TestWithin: moments are spread over the whole span, in the middle on average, and few.
func TestWithin(t *testing.T) {
	s := begin(t)
	for _, base := range []time.Duration{15 * time.Second, time.Minute, 4 * time.Minute, 5 * time.Minute, 15 * time.Minute} {
		lo, hi := base*3/4, base*5/4
		var sum time.Duration
		seen := map[time.Time]bool{}
		for range 4000 {
			now := s.now.Add(time.Duration(s.r.random.Int64N(int64(time.Hour))))
			at := s.r.within(now, lo, hi)
			require.GreaterOrEqual(t, at.Sub(now), lo)
			require.LessOrEqual(t, at.Sub(now), hi)
			sum += at.Sub(now)
			seen[at] = true
		}
		require.InDelta(t, base.Seconds(), (sum / 4000).Seconds(), base.Seconds()/50)
		grid := min(base/4, time.Minute)
		require.LessOrEqual(t, len(seen), int((time.Hour+hi)/grid)+1)
	}
	require.Equal(t, s.now.Add(time.Second), s.r.within(s.now, time.Second, time.Second))
}

// TestErase leaves nothing under way.
func TestErase(t *testing.T) {
	s := begin(t)
	s.finds(dht.V4, "192.0.2.1:1")
	s.r.Erase()
	s.wantNothing()
	s.advance(time.Minute)
	require.Empty(t, s.r.tasks)
	require.True(t, s.r.NextTimeout().IsZero())
	require.Zero(t, s.r.reserved)
	require.Equal(t, []int{0, 0}, []int{s.r.puts, s.r.looks})
}
