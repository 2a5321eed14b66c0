package conversation

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/handshake"
)

const (
	initiator = handshake.Initiator
	responder = handshake.Responder
)

func TestInitiatorBegins(t *testing.T) {
	s := newScript(t, initiator) // hello was wanted there
	s.say("hi")
	s.advance(time.Hour)
	s.wantNothing() // peer-initiator-waits
	s.send("hello 0", "ack 0", "ping abcdefgh")
	s.wantEvents("connected")
	s.want("ack 0", "pong abcdefgh") // the hello has come, the ids are on their way to the store
	s.want("ack 0", "msg 0 hi")
	s.wantNothing()
}

func TestResponderBegins(t *testing.T) { // peer-responder-first, peer-hello-first
	s := newScript(t, responder)
	s.say("hi")
	s.wantNothing()
	s.send("hello 0")
	s.wantEvents("connected")
	s.want("hello 0", "ack 0", "ping")
	s.want("hello 0", "ack 0", "msg 0 hi") // its id is durable
	s.say("there")
	s.want("hello 0", "ack 0", "msg 1 there")
	s.send("ack 1", "pong")
	s.wantEvents("delivered 0 to 1")
	s.say("again")
	s.want("ack 0", "msg 2 again")
	s.wantNothing()
}

func TestHelloTellsWhereTheStreamsAre(t *testing.T) { // peer-hello-form
	s := newSide(t)
	s.in.Hello(noon, friendStream, 7)
	s.queue("a", "b", "c")
	s.out.Acknowledged(noon, 2)

	c := newScriptOf(t, s, responder)
	c.send("hello 9 3")
	c.wantEvents("connected", "missing 7 to 9", "delivered 2 to 3")
	c.want("hello 2 7", "ack 7", "ping")
	c.want("hello 2 7", "ack 9")
	c.wantNothing()
}

func TestWaitingSessionHasNoEffect(t *testing.T) { // peer-halfopen-first
	s := newScript(t, responder)
	hello, more := s.seal("hello 5"), s.seal("hello 5", "ping abcdefgh")
	opened, err := s.c.HandleDatagram(s.now, home, 0, hello)
	require.True(t, opened)
	require.NoError(t, err)
	s.settle()
	s.wantNothing()
	s.wantEvents()
	require.Zero(t, s.c.NextTimeout())

	require.ErrorIs(t, s.deliver(home, 0, more), ErrState)
	s.advance(time.Hour)
	s.wantNothing()
	s.c.Finish(s.now)
	s.settle()
	s.wantEvents("connected")
	s.want("hello 0", "ack 0", "ping")
}

func TestWaitingSessionEndsWithoutAWord(t *testing.T) {
	s := newScript(t, responder)
	s.c.End(s.now, ReasonLeft)
	s.settle()
	s.wantNothing()
	s.wantEvents("over left")
}

func TestFirstDatagramAgain(t *testing.T) { // hs-accept-again
	s := newScript(t, responder)
	s.send("hello 0")
	s.want("hello 0", "ack 0", "ping")
	s.send("msg 0 hi")
	s.want("hello 0", "ack 1")
	s.c.Repeat(s.now, away)
	s.settle()
	s.want("to "+away.String()+" hello 0", "ack 1", "ping")
	require.Len(t, s.pings, 2)
	require.Equal(t, s.pings[0], s.pings[1])
	s.wantNothing()
}

func TestResponderWantsAProof(t *testing.T) { // peer-responder-proof
	s := newScript(t, responder)
	hello := s.seal("hello 0")
	require.NoError(t, s.deliver(home, 0, hello))
	s.want("hello 0", "ack 0", "ping")
	s.advance(5 * time.Second)
	require.ErrorIs(t, s.deliver(home, 0, hello), ErrReplay)
	s.advance(5*time.Second - 1)
	s.wantEvents("connected")
	s.arrived = nil // pings, which begin with hello
	s.advance(1)
	s.wantEvents("over lost")
	s.wantNothing()
}

func TestHelloIsTheSame(t *testing.T) { // peer-hello-again
	s := newOpenScript(t, initiator)
	s.send("hello 0")
	s.wantEvents()
	s.send("hello 1")
	s.wantEnd("malformed", 2)
}

func TestHelloComesFirst(t *testing.T) { // peer-hello-missing
	for _, frame := range []string{"ack 0", "msg 0 hi"} {
		s := newScript(t, responder)
		s.send(frame)
		s.wantEvents("connected", "ending malformed")
		s.want("hello 0", "end 2")
		s.wantNothing()
		s.wantText()
	}
}

// wantEnd wants the conversation to be ending: three datagrams, and then it is over.
func (s *script) wantEnd(why string, reason int) {
	s.Helper()
	s.wantEvents("ending " + why)
	for i := range 3 {
		require.Len(s, s.arrived, 1)
		require.Regexp(s, fmt.Sprintf(`^(hello \d+( \d+)?; )?(ack [^;]*; )?end %d$`, reason), s.arrived[0])
		s.arrived = nil
		s.advance(endApart - 1)
		s.wantNothing()
		s.wantEvents()
		s.advance(1)
		if i < 2 {
			s.wantEvents()
		}
	}
	s.wantEvents("over " + why)
	s.wantErased()
	s.advance(48 * time.Hour)
	s.wantNothing()
}

// wantErased wants nothing to be left of the conversation.
func (s *script) wantErased() { // peer-over-erase
	s.Helper()
	require.True(s, s.c.Over())
	require.Zero(s, s.c.path.cidk)
	require.Zero(s, s.c.flight)
	require.False(s, s.c.ratchet.CanSend())
	require.NotContains(s, string(s.c.buffers.plain[:cap(s.c.buffers.plain)]), "hi")
	require.Zero(s, s.c.NextTimeout())
	_, err := s.c.HandleDatagram(s.now, home, s.index, make([]byte, 169))
	require.ErrorIs(s, err, ErrState)
}

func TestEnd(t *testing.T) { // peer-end-thrice
	s := newOpenScript(t, initiator)
	s.say("hi")
	s.want("ack 0", "msg 0 hi")
	s.c.End(s.now, ReasonLeft)
	s.settle()
	s.say("more")
	s.wantEnd("left", 0)
}

func TestTheOtherEnds(t *testing.T) { // peer-end-own
	s := newOpenScript(t, initiator)
	s.send("msg 0 hi", "end 0", "msg 1 never")
	s.wantEvents("over ended")
	s.wantNothing()
	s.wantErased()
	s.wantText("hi")
	require.NotPanics(t, func() { s.c.Wake(s.now); s.c.Moved(s.now); s.c.End(s.now, 0); s.c.HandleTimeout(s.now) })
}

func TestADayWithoutAMessage(t *testing.T) { // peer-day
	s := newOpenScript(t, initiator)
	for range 24*60 - 1 {
		s.advance(time.Minute - 1)
		s.send("ping")
		s.arrived = nil
	}
	s.wantEvents()
	s.advance(time.Minute - 1)
	s.send("ping")
	s.wantEvents()
	s.advance(1440)
	s.arrived = s.arrived[len(s.arrived)-1:]
	s.wantEnd("day", 1)
}

func TestKeepAlive(t *testing.T) { // peer-keepalive
	for role, wait := range map[handshake.Role]time.Duration{initiator: 19 * time.Second, responder: 20 * time.Second} {
		s := newOpenScript(t, role)
		for range 5 {
			s.advance(wait - 1)
			s.wantNothing()
			s.advance(1)
			s.want("ack 0", "ping")
			s.send("pong")
		}
	}
}

func TestSilence(t *testing.T) { // peer-lost
	s := newOpenScript(t, initiator)
	s.advance(19 * time.Second)
	s.want("ack 0", "ping")
	for _, wait := range []time.Duration{1, 2, 4, 4, 4, 4, 4, 4, 4, 4, 4} { // 58 s
		s.advance(wait*time.Second - 1)
		s.wantNothing()
		s.advance(1)
		s.want("ack 0", "ping")
	}
	s.advance(2*time.Second - 1)
	s.wantEvents()
	s.advance(1)
	s.wantEvents("over lost")
	s.wantNothing()
	s.wantErased()
}

func TestIdleWakesForItsTimersOnly(t *testing.T) {
	s := newOpenScript(t, initiator)
	s.say("hi")
	s.send("ack 1", "msg 0 hello")
	s.arrived = nil
	s.advance(100 * ms)
	wakes := 0
	for end := s.now.Add(time.Hour); s.now.Before(end); wakes++ {
		s.now = s.c.NextTimeout()
		s.c.HandleTimeout(s.now)
		s.settle()
		s.want("ack 1", "ping")
		s.send("ack 1", "pong")
		s.wantNothing()
	}
	require.LessOrEqual(t, wakes, 190)
}
