package peer_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/handshake"
	"kith/peer"
	"kith/peer/conversation"
	"kith/peer/durable"
)

func TestTwoWhoKnowEachOtherTalk(t *testing.T) {
	_, a, b := meet(t)
	a.say(b, "hello")
	require.Equal(t, a.key(), b.wantText("hello").Friend)
	require.Zero(t, a.want(peer.EventDelivered, time.Second).Position)
	b.say(a, "hello yourself")
	a.wantText("hello yourself")
	require.True(t, a.p.Contacts()[0].Online)
}

func TestWhoWasNotAddedFindsNobody(t *testing.T) {
	v := newVillage(t)
	a, b := v.moveIn(), v.moveIn()
	a.add(b)
	require.Equal(t, b.key(), a.want(peer.EventNotFound, time.Minute).Friend)
	a.say(b, "are you there?")
	a.wantNothing(peer.EventOnline, time.Hour)
	require.Empty(t, b.events[1:], "but for the DHT's")
	b.add(a)
	b.want(peer.EventOnline, time.Minute) // he finds her record
	b.wantText("are you there?")
}

func TestARestartGoesOn(t *testing.T) {
	v, a, b := meet(t)
	for _, p := range []*villager{a, b} {
		p.crash()
		a, b := a, b
		if p == a {
			a, b = b, a
		}
		_ = b
		a.say(p, "while you were out") // who is not down
		v.Run(3 * time.Second)
		p.start()
		p.want(peer.EventOnline, time.Minute)
		require.Equal(t, peer.WhyReplaced, a.want(peer.EventOffline, time.Minute).Why)
		e := p.wantText("while you were out")
		require.False(t, e.Again)
		p.take(a, e.Position)
		p.say(a, "back again")
		e = a.wantText("back again")
		a.take(p, e.Position)
		v.Run(2 * time.Second) // for what was taken to be durable
	}
	require.Zero(t, a.of("inbox")+b.of("inbox")+a.of("outbox")+b.of("outbox"))
}

func TestWhatWasNotTakenComesAgainBehindARestart(t *testing.T) {
	v, a, b := meet(t)
	for _, text := range []string{"one", "two", "three"} {
		a.say(b, text)
	}
	first := b.wantText("one")
	b.wantText("two")
	b.wantText("three")
	b.take(a, first.Position)
	v.Run(2 * time.Second)
	b.crash()
	b.start()
	two := b.wantText("two")
	require.True(t, two.Again)
	three := b.wantText("three")
	require.True(t, three.Again)
	b.take(a, three.Position) // and so two
	v.Run(2 * time.Second)
	b.crash()
	b.start()
	b.wantNothing(peer.EventMessage, time.Minute)
}

// Who says much does not keep others waiting.
func TestFriendsTakeTurns(t *testing.T) {
	v, a, b := meet(t)
	c := v.moveIn()
	b.add(c)
	c.add(b)
	b.want(peer.EventOnline, time.Minute)
	for i := range 100 {
		a.say(b, fmt.Sprint(i))
	}
	c.say(b, "and I")
	v.Run(10 * time.Second)
	b.crash() // nothing was taken
	b.events = nil
	b.start()
	v.Run(time.Second)
	var texts []string
	for _, e := range b.events {
		if e.Kind == peer.EventMessage {
			texts = append(texts, string(e.Text))
		}
	}
	require.Len(t, texts, 101)
	require.Less(t, slices.Index(texts, "and I"), 3)
}

func TestALostConversationIsBegunAgain(t *testing.T) {
	v, a, b := meet(t)
	v.Cut(a.addr.Addr(), b.addr.Addr())
	v.Cut(b.addr.Addr(), a.addr.Addr())
	require.Equal(t, peer.WhyLost, a.want(peer.EventOffline, 2*time.Minute).Why)
	require.Equal(t, peer.WhyLost, b.want(peer.EventOffline, 2*time.Minute).Why)
	a.say(b, "can you hear me")
	v.Heal(a.addr.Addr(), b.addr.Addr())
	v.Heal(b.addr.Addr(), a.addr.Addr())
	a.want(peer.EventOnline, 30*time.Second)
	b.wantText("can you hear me")
}

func TestWhoComesBackElsewhereIsKnown(t *testing.T) {
	v, a, b := meet(t)
	a.addr = netip.AddrPortFrom(netip.MustParseAddr("10.9.9.9"), 4001)
	a.h.Move(a.addr)
	a.h.Do(func(now time.Time) {
		a.p.SetLocal(now, []netip.AddrPort{a.addr})
		a.p.Moved(now)
	})
	a.say(b, "from here")
	b.wantText("from here")
	v.Run(time.Second)
	b.say(a, "I see")
	a.wantText("I see")
	a.wantNothing(peer.EventOffline, 2*time.Minute)
}

func TestWhoEndsIsLeftAloneUntilThereIsSomethingToSay(t *testing.T) {
	_, a, b := meet(t)
	a.do(func(now time.Time) error { return a.p.End(now, b.key()) })
	require.Equal(t, peer.WhyLeft, a.want(peer.EventOffline, time.Second).Why)
	require.Equal(t, peer.WhyEnded, b.want(peer.EventOffline, time.Second).Why)
	a.wantNothing(peer.EventOnline, 2*time.Hour)
	require.Error(t, a.p.End(a.v.Now(), b.key()))
	b.say(a, "one more thing")
	a.wantText("one more thing")
	a.do(func(now time.Time) error { return a.p.End(now, b.key()) })
	b.want(peer.EventOffline, time.Second)
	a.do(func(now time.Time) error { return a.p.Search(now, b.key()) })
	b.want(peer.EventOnline, time.Minute)
}

func TestWhoHasSomethingToSayDoesNotTakeAnEndForAnAnswer(t *testing.T) {
	v, a, b := meet(t)
	v.Cut(b.addr.Addr(), a.addr.Addr())
	b.say(a, "wait")
	v.Run(time.Second)
	a.do(func(now time.Time) error { return a.p.End(now, b.key()) })
	b.want(peer.EventOffline, time.Second)
	v.Heal(b.addr.Addr(), a.addr.Addr())
	a.wantText("wait")
}

func TestBlock(t *testing.T) {
	v, a, b := meet(t)
	a.say(b, "old")
	b.wantText("old")
	b.say(a, "never to be read")
	a.v.Run(time.Second)
	a.do(func(now time.Time) error { return a.p.Block(now, b.key()) })
	a.want(peer.EventBlocked, time.Second)
	require.Equal(t, peer.WhyEnded, b.want(peer.EventOffline, time.Second).Why)
	require.Zero(t, a.of("inbox")+a.of("outbox")+a.of("sending")+a.of("receiving"))
	require.Equal(t, 1, a.of("contact"))
	require.ErrorIs(t, a.p.Block(v.Now(), b.key()), peer.ErrState)
	_, err := a.p.Send(v.Now(), b.key(), []byte("x"))
	require.ErrorIs(t, err, peer.ErrState)

	b.say(a, "why?")
	b.wantNothing(peer.EventOnline, 3*time.Hour)
	a.crash()
	a.start()
	b.wantNothing(peer.EventOnline, time.Hour)
	require.True(t, a.p.Contacts()[0].Blocked)

	a.do(func(now time.Time) error { return a.p.Unblock(now, b.key()) })
	a.want(peer.EventUnblocked, time.Second)
	a.want(peer.EventOnline, 30*time.Minute)
	a.wantText("why?")
	a.say(b, "well")
	b.wantText("well")
	require.ErrorIs(t, a.p.Unblock(v.Now(), b.key()), peer.ErrState)
}

func TestRemove(t *testing.T) {
	v, a, b := meet(t)
	b.say(a, "never to be read")
	v.Run(time.Second)
	a.say(b, "nor this")
	a.do(func(now time.Time) error { return a.p.Remove(now, b.key()) })
	require.Empty(t, a.p.Contacts())
	a.want(peer.EventRemoved, time.Second)
	b.want(peer.EventOffline, time.Second)
	require.Zero(t, a.of("inbox")+a.of("outbox")+a.of("sending")+a.of("receiving")+a.of("contact")+a.of("knock"))
	require.ErrorIs(t, a.p.Remove(v.Now(), b.key()), peer.ErrState)
	b.say(a, "hello?")
	b.wantNothing(peer.EventOnline, 2*time.Hour)

	a.crash()
	a.start()
	a.add(b)
	a.want(peer.EventOnline, 30*time.Minute)
	a.wantText("hello?")
}

func TestNumbersAreNotGivenTwice(t *testing.T) {
	v := newVillage(t)
	a, b := v.moveIn(), v.moveIn()
	a.add(b)
	v.Run(time.Second)
	require.Contains(t, a.disk, "contact\x00\x00\x00\x00\x00")
	a.do(func(now time.Time) error { return a.p.Remove(now, b.key()) })
	v.Run(time.Second)
	a.crash()
	a.start()
	a.add(b)
	v.Run(time.Second)
	require.Contains(t, a.disk, "contact\x00\x00\x00\x00\x01")
}

func TestNothingIsToldOrSentBeforeItIsDurable(t *testing.T) {
	v := newVillage(t)
	a, b := v.moveIn(), v.moveIn()
	b.add(a)
	v.Run(time.Minute)
	a.hold = true
	a.add(b)
	a.wantNothing(peer.EventAdded, time.Minute)
	a.wantNothing(peer.EventOnline, 0) // neither knock nor offer has left
	a.release()
	a.want(peer.EventAdded, time.Second)
	a.want(peer.EventOnline, time.Hour)
	v.Run(2 * time.Second)

	a.hold = true
	a.say(b, "hello")
	a.wantNothing(peer.EventQueued, time.Minute)
	b.wantNothing(peer.EventMessage, 0)
	a.release()
	a.want(peer.EventQueued, time.Second)
	v.Run(2 * time.Second)

	b.wantText("hello")
	b.hold = true
	a.want(peer.EventDelivered, time.Second)
	a.say(b, "again")
	b.wantNothing(peer.EventMessage, 30*time.Second)
	a.wantNothing(peer.EventDelivered, 0)
	b.release()
	b.wantText("again")
	a.want(peer.EventDelivered, time.Second)
}

func TestEchoTakesAndAnswersInOneBatch(t *testing.T) {
	v := newVillage(t)
	a, b := v.moveIn(), v.moveIn()
	b.crash()
	b.cfg.Echo = true
	b.start()
	a.add(b)
	b.add(a)
	b.want(peer.EventOnline, time.Minute)
	v.Run(2 * time.Second)
	before := b.commits
	a.say(b, "is there anybody?")
	a.wantText("is there anybody?")
	require.Equal(t, before+1, b.commits)
	v.Run(3 * time.Second)
	b.crash()
	b.start()
	a.wantNothing(peer.EventMessage, time.Minute)
}

func TestContactsAreKept(t *testing.T) {
	v := newVillage(t)
	a, b, c := v.moveIn(), v.moveIn(), v.moveIn()
	a.do(func(now time.Time) error { return a.p.Add(now, b.key(), "Bob") })
	a.do(func(now time.Time) error { return a.p.Add(now, c.key(), "") })
	a.do(func(now time.Time) error { return a.p.Rename(now, c.key(), "Çarol 1") })
	a.want(peer.EventRenamed, time.Second)
	before := a.p.Contacts()
	require.Equal(t, "Bob", before[0].Name)
	require.Equal(t, "Çarol 1", before[1].Name)
	a.crash()
	a.start()
	after := a.p.Contacts()
	for i := range before {
		require.WithinDuration(t, before[i].Added, after[i].Added, time.Millisecond)
		before[i].Added, after[i].Added = time.Time{}, time.Time{}
	}
	require.Equal(t, before, after)
}

func TestWhoCannotBeAdded(t *testing.T) {
	v := newVillage(t)
	a, b := v.moveIn(), v.moveIn()
	now := v.Now()
	require.ErrorIs(t, a.p.Add(now, a.key(), ""), peer.ErrMalformed)
	require.ErrorIs(t, a.p.Add(now, handshake.PublicKey{}, ""), peer.ErrMalformed)
	require.ErrorIs(t, a.p.Add(now, b.key(), strings.Repeat("x", peer.MaxName+1)), peer.ErrLimit)
	require.ErrorIs(t, a.p.Add(now, b.key(), "\x1b[2J"), peer.ErrMalformed)
	require.ErrorIs(t, a.p.Add(now, b.key(), "\xff"), peer.ErrMalformed)
	require.Empty(t, a.p.Contacts())
	a.add(b)
	require.ErrorIs(t, a.p.Add(now, b.key(), ""), peer.ErrState)
	require.ErrorIs(t, a.p.Rename(now, a.key(), ""), peer.ErrState)
	require.ErrorIs(t, a.p.Rename(now, b.key(), "\n"), peer.ErrMalformed)
}

func TestTextsThatCannotBeSent(t *testing.T) {
	_, a, b := meet(t)
	for text, class := range map[string]error{
		"": peer.ErrMalformed, "\xff": peer.ErrMalformed, strings.Repeat("x", conversation.MaxMessage+1): peer.ErrMalformed,
	} {
		_, err := a.p.Send(a.v.Now(), b.key(), []byte(text))
		require.ErrorIs(t, err, class)
	}
	_, err := a.p.Send(a.v.Now(), a.key(), []byte("to myself"))
	require.ErrorIs(t, err, peer.ErrState)
	require.ErrorIs(t, a.p.Taken(a.v.Now(), a.key(), 0), peer.ErrState)
	require.ErrorIs(t, a.p.Search(a.v.Now(), a.key()), peer.ErrState)
}

func TestHistory(t *testing.T) {
	v, a, b := meet(t)
	a.crash()
	a.cfg.History = true
	a.start()
	a.want(peer.EventOnline, time.Minute)
	a.say(b, "hello")
	b.wantText("hello")
	b.say(a, "hello yourself")
	e := a.wantText("hello yourself")
	a.take(b, e.Position)
	v.Run(3 * time.Second)
	require.Equal(t, 2, a.of("history"))
	require.Zero(t, a.of("inbox")+a.of("outbox"))
	for k, value := range a.disk {
		if key, ok := strings.CutPrefix(k, "history\x00"); ok {
			n, e, err := peer.ParseHistory([]byte(key), value)
			require.NoError(t, err)
			require.Zero(t, n)
			require.Equal(t, map[bool]string{false: "hello", true: "hello yourself"}[e.Received], string(e.Text))
		}
	}
	a.crash()
	a.start() // the history is no hindrance
}

func TestCloseSaysGoodbye(t *testing.T) {
	v, a, b := meet(t)
	a.h.Do(a.p.Close)
	require.False(t, a.p.Closed())
	require.Equal(t, peer.WhyEnded, b.want(peer.EventOffline, 100*time.Millisecond).Why)
	require.True(t, v.RunUntil(400*time.Millisecond, a.p.Closed))
	b.say(a, "anybody home?")
	a.wantNothing(peer.EventOnline, time.Hour)
	_, _, ok := a.p.TakeAll(v.Now())
	require.True(t, ok, "the node's state at least")
	a.p.Erase()
}

func TestTheNodeIsAsItWas(t *testing.T) {
	v := newVillage(t)
	a := v.moveIn()
	v.Run(6 * time.Minute)
	require.Contains(t, a.disk, "node\x00dht")
	a.crash()
	v.doors = nil // nobody is told of
	a.start()
	v.Run(time.Minute)
	stats := a.p.NodeStats()
	require.Positive(t, stats.Nodes[0])
}

func TestADamagedStoreIsSaidToBe(t *testing.T) {
	v, a, b := meet(t)
	a.say(b, "hello")
	b.wantText("hello")
	b.say(a, "hello")
	a.wantText("hello")
	v.Run(6 * time.Minute)
	b.crash()
	a.say(b, "it waits")
	v.Run(time.Second)
	for _, bucket := range []string{"contact", "knock", "node", "sending", "receiving", "outbox", "inbox"} {
		require.Positive(t, a.of(bucket), bucket)
	}
	good := a.stored()
	try := func(stored []durable.Change) error {
		cfg := a.cfg
		cfg.Identity, cfg.Stored = a.id, stored
		_, err := peer.New(cfg, v.Now())
		return err
	}
	require.NoError(t, try(good))
	for i, c := range good {
		damaged := func(c durable.Change) []durable.Change {
			all := append([]durable.Change{}, good...)
			all[i] = c
			return all
		}
		short := 3
		if c.Bucket == "outbox" {
			short = 0 // its shortest has one byte
		}
		for what, c := range map[string]durable.Change{
			"short value": {Bucket: c.Bucket, Key: c.Key, Value: c.Value[:short]},
			"short key":   {Bucket: c.Bucket, Key: c.Key[:2], Value: c.Value},
		} {
			err := try(damaged(c))
			require.ErrorIs(t, err, peer.ErrMalformed, "%s, %s", c.Bucket, what)
			require.ErrorContains(t, err, string(c.Bucket))
			require.NotContains(t, err.Error(), "hello")
		}
	}
	err := try(append(good, durable.Change{Bucket: "letters", Key: []byte("1234"), Value: []byte("x")}))
	require.ErrorContains(t, err, "letters")
	err = try(append(good, durable.Change{Bucket: "inbox", Key: []byte("nobody's key"), Value: make([]byte, 20)}))
	require.ErrorContains(t, err, "inbox")
	_, err = peer.New(peer.Config{}, v.Now())
	require.ErrorIs(t, err, peer.ErrState)
}

func TestStrangersGetNoAnswer(t *testing.T) {
	v, a, _ := meet(t)
	v.Run(5 * time.Second)
	stranger := netip.MustParseAddrPort("203.0.113.9:9")
	for _, first := range []byte{0x50, 0x51, 0x52, 0x00, 'e'} {
		for _, n := range []int{1, 8, 9, 104, 105, 177, 1232, 1400} {
			b := make([]byte, n)
			b[0] = first
			before := v.Counts().NoHost
			v.Send(stranger, a.addr, b)
			v.Run(100 * time.Millisecond)
			require.Equal(t, before, v.Counts().NoHost, "%#x, %d bytes", first, n)
		}
	}
}

// TestTheFirstMessageTakesFewCommits counts those of both, from the moment when each has the other's key to the echo of the first message.
func TestTheFirstMessageTakesFewCommits(t *testing.T) {
	v := newVillage(t)
	a, b := v.moveIn(), v.moveIn()
	b.crash()
	b.cfg.Echo = true
	b.start()
	b.add(a)
	v.Run(time.Minute)
	before := a.commits + b.commits
	a.add(b)
	a.say(b, "hello")
	a.wantText("hello")
	require.LessOrEqual(t, a.commits+b.commits-before, 12)
	t.Logf("%d by her, %d by him", a.commits, b.commits)
}

// TestSilentConversations counts what keeps them open.
func TestSilentConversations(t *testing.T) {
	v := newVillage(t)
	hub := v.moveIn()
	const n = 10
	for range n {
		f := v.moveIn()
		f.add(hub)
		hub.add(f)
		hub.want(peer.EventOnline, time.Minute)
	}
	v.Run(time.Minute)
	before := v.Counts()
	v.Run(time.Hour)
	after := v.Counts()
	for k, sent := range after.Kinds {
		switch sent -= before.Kinds[k]; {
		case k == "conversation, 169 bytes":
			t.Logf("%d datagrams an hour in each direction of a conversation", sent/n/2)
			require.LessOrEqual(t, sent, uint64(2*200*n))
		case strings.HasPrefix(k, "conversation"), k == "handshake":
			require.Zero(t, sent, k)
		}
	}
	require.Equal(t, n, open(hub))
	t.Logf("%d time-outs an hour for each of %d peers and 5 nodes", (after.Timeouts-before.Timeouts)/(n+1+5), n+1)
}
