package conversation

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMessagesShareDatagrams(t *testing.T) { // peer-share
	s := newOpenScript(t, initiator)
	s.say("a", "b", "c")
	s.want("ack 0", "msg 0 a", "msg 1 b", "msg 2 c")
	big := strings.Repeat("x", 256)
	s.say(big, big, big, big)
	s.want("ack 0", "msg 3 256", "msg 4 256", "msg 5 256")
	s.want("ack 0", "msg 6 256")
	s.wantNothing()
}

func TestNothingGoesBeforeTheStoreHasIt(t *testing.T) { // peer-id-durable, peer-durable-first
	s := newOpenScript(t, initiator)
	s.stalled = true
	s.say("hi")
	s.advance(time.Minute / 4)
	s.wantNothing()
	s.stalled = false
	s.settle()
	s.want("ack 0", "msg 0 hi")
}

func TestLongMessageTravelsInParts(t *testing.T) {
	s := newOpenScript(t, initiator)
	s.say(strings.Repeat("x", 2500))
	s.want("ack 0", "part 0 0/3 1000")
	s.want("ack 0", "part 0 1/3 1000")
	s.want("ack 0", "part 0 2/3 500")
	s.wantNothing()
	s.send("ack 1")
	s.wantEvents("delivered 0 to 1")
	s.advance(15 * time.Second)
	s.wantNothing()
}

// Much that waits goes a window at a time, and each window costs the sender no more than the commit that gives ids to one behind it.
func TestBulkTakesFewCommits(t *testing.T) {
	p := newBenchPair(t)
	p.commits = [2]int{}
	for range MaxOutbox {
		_, err := p.ends[0].sending.Queue(Text, []byte("x"))
		require.NoError(t, err)
	}
	p.ends[0].Wake(p.now)
	p.settle()
	require.Equal(t, MaxOutbox, p.took)
	require.LessOrEqual(t, p.commits[0], MaxOutbox/ids+1)
	require.LessOrEqual(t, p.commits[1], MaxOutbox/ids+1)
}

func TestWhatIsLostGoesAgain(t *testing.T) { // peer-loss, peer-probe
	s := newOpenScript(t, initiator)
	s.say("a")
	s.want("ack 0", "msg 0 a")
	s.advance(time.Second - 1)
	s.wantNothing()
	s.advance(1)
	s.want("ack 0", "msg 0 a")
	for _, text := range []string{"b", "c", "d"} {
		s.say(text)
	}
	s.arrived = nil
	s.send("ack 0 0b111 0")
	s.want("ack 0", "msg 0 a")
	s.wantNothing()
	s.send("ack 4 0 0")
	s.wantEvents("delivered 0 to 4")
	s.advance(15 * time.Second)
	s.wantNothing()
}

func TestAcknowledgementComesWithTheStore(t *testing.T) { // peer-ack-durable, peer-ack-soon
	s := newOpenScript(t, initiator)
	s.send("msg 0 hi")
	s.want("ack 1")
	s.wantText("hi")

	s.stalled = true
	s.send("msg 1 there")
	s.send("msg 2 again")
	s.wantNothing()
	s.wantText()
	s.advance(25*ms - 1)
	s.wantNothing()
	s.advance(1)
	s.want("ack 1 0b1 0b1")
	s.advance(time.Second)
	s.wantNothing()
	s.stalled = false
	s.settle()
	s.want("ack 3")
	s.wantText("there", "again")
	s.wantNothing()
}

func TestFastStoreIsNotFollowedStepByStep(t *testing.T) {
	s := newOpenScript(t, initiator)
	batch := func() func() {
		b, seq, ok := s.journal.Take(s.now)
		require.True(t, ok)
		return func() { s.disk.commit(b); s.journal.Done(s.now, seq); s.drain() }
	}
	s.stalled = true
	s.send("msg 0 a")
	first := batch()
	s.send("msg 1 b")
	second := batch()
	s.send("msg 2 c")
	third := batch()
	first()
	s.wantNothing() // there is more to come, and it has just said something
	s.advance(ackPause)
	second()
	s.want("ack 2 0b0 0b1")
	third()
	s.want("ack 3") // nothing else is on its way
	s.wantNothing()
}

func TestWhatCameTwiceOrOutOfOrderIsAcknowledgedAtOnce(t *testing.T) { // peer-ack-soon
	s := newOpenScript(t, initiator)
	s.stalled = true
	s.send("msg 0 a")
	s.wantNothing()
	s.send("msg 0 a")
	s.want("ack 0 0b0 0b1")
	s.send("msg 2 c")
	s.want("ack 0 0b10 0b1")
	s.send("part 1 1/2 y")
	s.want("ack 0 0b10 0b1")
	s.send("part 1 0/2 x")
	s.advance(25 * ms)
	s.want("ack 0 0b11 0b1")
	s.stalled = false
	s.settle()
	s.want("ack 3")
	s.wantText("a", "xy", "c")
	s.send("msg 1 other")
	s.want("ack 3")
	s.send("msg 516 far")
	s.want("ack 3")
	s.wantNothing()
	s.wantEvents()
}

func TestLongMessageIsAcknowledgedOnTheWay(t *testing.T) {
	s := newOpenScript(t, initiator)
	for i, part := range []string{"0", "1", "2"} {
		s.send("part 0 " + part + "/8 x")
		s.wantNothing()
		require.Less(t, i, 3)
	}
	s.send("part 0 3/8 x")
	s.want("ack 0 0b0 0b1111")
	s.send("part 0 5/8 x") // a gap
	s.want("ack 0 0b0 0b101111")
}

func TestMalformedEnds(t *testing.T) { // peer-frames-whole
	for name, frames := range map[string][]string{
		"frame":   {"msg 0 hi", "raw 55"},
		"differs": {"part 0 0/2 x", "part 0 0/3 x"},
		"bytes":   {"part 0 0/2 x", "part 0 0/2 y"},
	} {
		s := newOpenScript(t, initiator)
		s.send(frames...)
		s.wantText()
		t.Log(name)
		s.wantEnd("malformed", 2)
	}
}

func TestBitmapsEndWithTheConversation(t *testing.T) { // peer-bitmap-void
	s := newOpenScript(t, initiator)
	s.say("a", "b", "c")
	s.want("ack 0", "msg 0 a", "msg 1 b", "msg 2 c")
	s.send("ack 0 3 0")
	s.c.Erase()

	next := newScriptOf(t, s.side, responder)
	next.send("hello 0 0")
	next.want("hello 0 0", "ack 0", "ping", "msg 0 a", "msg 1 b", "msg 2 c")
}

func TestOldStoreIsNoticed(t *testing.T) { // peer-stream-restored
	for _, datagrams := range [][]string{{"hello 0 3"}, {"hello 0", "ack 3"}} {
		side := newSide(t)
		side.queue("a", "b")
		old := side.out.Stream()
		_, err := side.out.Queue(Text, []byte("c"))
		require.NoError(t, err)
		side.commit()
		side.restart() // "c" has no id

		s := newScriptOf(t, side, responder)
		s.stalled = true
		for _, d := range datagrams {
			s.send(d)
		}
		s.wantEvents("connected", "delivered 0 to 2")
		s.arrived = nil
		s.advance(time.Second)
		for _, line := range s.arrived {
			require.NotContains(t, line, "msg")
			require.NotContains(t, line, "end")
		}
		s.arrived, s.stalled = nil, false
		s.settle()
		s.arrived = s.arrived[len(s.arrived)-1:] // behind what the store let go
		s.wantEnd("restored", 0)
		require.NotEqual(t, old, s.out.Stream())
		require.Equal(t, 1, s.out.Ungiven())
	}
}

func TestSessionOfAnOldStreamEnds(t *testing.T) {
	side := newSide(t)
	s := newScriptOf(t, side, initiator)
	side.out.Restore(s.now, StreamID{9}) // by the conversation before
	s.send("hello 0", "ack 0", "ping abcdefgh")
	s.events = s.events[1:]
	s.wantEnd("restored", 0)
}

func TestFullChainIsSilent(t *testing.T) { // rt-send-limit
	s := newOpenScript(t, initiator)
	for range 60 {
		s.send("ping abcdefgh")
	}
	for range 2000 {
		s.c.ping = true
		s.settle()
	}
	require.Len(t, s.arrived, 512+59) // each datagram of the friend's, but the last, began no chain
	s.arrived = nil
	s.say("hi")
	s.advance(59 * time.Second)
	s.wantNothing()
	s.send("msg 0 hello")
	s.want("ack 0 0b0 0b1", "ping", "msg 0 hi")
	s.want("ack 1")
}

func TestEndOfAFullChain(t *testing.T) {
	s := newOpenScript(t, initiator)
	for s.c.ratchet.CanSend() {
		s.c.ping = true
		s.settle()
	}
	s.arrived = nil
	s.c.End(s.now, ReasonLeft)
	s.settle()
	s.wantEvents("ending left")
	s.advance(time.Second)
	s.wantEvents("over left")
	s.wantNothing()
}

func TestEventsAreBounded(t *testing.T) {
	s := newOpenScript(t, initiator)
	for i := range uint32(5) {
		s.index = i
		_, err := s.c.HandleDatagram(s.now, home, i, s.seal("endpoints 192.0.2.9:1"))
		require.NoError(t, err)
		_, err = s.c.HandleDatagram(s.now, home, i, s.seal("endpoints 192.0.2.9:2"))
		require.NoError(t, err)
	}
	s.cid = 1
	s.settle()
	s.wantEvents("endpoints [192.0.2.9:2]", "cids")
}

func TestEndpointsAreTold(t *testing.T) {
	s := newOpenScript(t, initiator)
	s.send("endpoints 192.0.2.9:1 [2001:db8::9]:2")
	s.wantEvents("endpoints [192.0.2.9:1 [2001:db8::9]:2]")
}

func TestPings(t *testing.T) { // peer-pong, peer-ping-few
	s := newOpenScript(t, initiator)
	s.send("ping", "ping abcdefgh")
	s.want("ack 0", "pong ", "pong abcdefgh")
	s.send(strings.Split(strings.Repeat("ping;", 20)+"ping", ";")...)
	s.want("ack 0", "pong ", "pong ", "pong ", "pong ", "pong ", "pong ", "pong ", "pong ")
	s.wantNothing()
}
