package conversation

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/handshake"
)

func TestFriendMoves(t *testing.T) { // peer-path-proved, peer-cid-follows
	s := newOpenScript(t, initiator)
	s.from, s.index, s.cid = away, 1, 1
	s.send("ping abcdefgh")
	s.wantEvents("cids")
	require.EqualValues(t, 1, s.c.Base())
	to := "to " + away.String() + " "
	s.want(to+"ack 0", "ping", "pong abcdefgh")
	s.want("cid 0 ack 0", "pong abcdefgh") // no id is seen at two addresses
	there := s.pings[len(s.pings)-1]
	s.say("hi")
	s.want("cid 0 ack 0", "msg 0 hi") // to the old address until the new one is proved

	s.send("pong " + there)
	require.Equal(t, away, s.c.To())
	s.want(to+"ack 0", "msg 0 hi") // at once: nobody is at the old one
	s.say("there")
	s.want(to+"ack 0", "msg 1 there")
	s.wantNothing()
}

// A contact who forges where his accept comes from makes nobody send there more than a little.
func TestFirstAddressIsProvedToo(t *testing.T) { // peer-path-first
	s := newScript(t, responder)
	s.send("hello 0")
	s.want("hello 0", "ack 0", "ping")
	require.True(t, s.c.path.unproved)
	came := s.c.path.here.came
	for range 20 {
		s.say(strings.Repeat("x", 900))
	}
	s.advance(5 * time.Second)
	require.LessOrEqual(t, s.c.path.here.went, amplification*came)
	require.Greater(t, s.c.path.here.went, 1232, "it may send a little")
	s.arrived = nil
	s.advance(time.Second)
	require.Empty(t, s.arrived)

	s.send("ack 0", "pong "+s.pings[len(s.pings)-1])
	require.False(t, s.c.path.unproved)
	s.advance(5 * time.Second)
	require.Greater(t, s.c.path.here.went, amplification*came)
}

func TestAddressThatDoesNotAnswer(t *testing.T) { // peer-path-amplification
	s := newOpenScript(t, initiator)
	s.from = away
	for range 5 {
		s.send("ping abcdefgh")
	}
	to := "to " + away.String() + " "
	s.want(to+"ack 0", "ping", "pong abcdefgh")
	s.want("ack 0", "pong abcdefgh")
	for range 4 {
		s.want(to+"ack 0", "pong abcdefgh")
		s.want("ack 0", "pong abcdefgh")
	}
	s.advance(pathAgain)
	s.send("ack 0")
	s.want(to+"ack 0", "ping")
	s.say("hi")
	s.want("ack 0", "msg 0 hi")
	s.arrived = nil
	s.advance(18 * time.Second)
	n := 7
	for _, line := range s.arrived {
		if strings.HasPrefix(line, to) {
			n++
		}
	}
	require.LessOrEqual(t, n, 3*6, "all datagrams have the same size")
	require.Equal(t, home, s.c.To())
}

func TestPingFromElsewhereThatIsLate(t *testing.T) { // peer-pong
	s := newOpenScript(t, initiator)
	late := s.seal("ping abcdefgh")
	s.send("ack 0")
	require.NoError(t, s.deliver(away, 0, late))
	s.want("to "+away.String()+" ack 0", "pong abcdefgh")
	s.want("ack 0", "pong abcdefgh")
	s.wantNothing()
}

func TestOwnAddressChanges(t *testing.T) { // peer-cid-moved
	s := newOpenScript(t, initiator)
	s.c.Moved(s.now)
	s.settle()
	s.want("cid 1 ack 0", "ping")
	for range 20 {
		s.c.Moved(s.now)
	}
	s.settle()
	s.want("cid 7 ack 0", "ping") // peer-cid-ahead
	s.send("pong")
	s.c.Moved(s.now)
	s.settle()
	s.want("cid 8 ack 0", "ping")
}

func TestIDsThatAreNotTaken(t *testing.T) { // peer-cid-taken, peer-cid-unknown
	s := newOpenScript(t, initiator)
	s.index = 7
	b := s.seal("ping")
	for index, want := range map[uint32]error{6: ErrAuthentication, 8: ErrAuthentication, 15: ErrAuthentication} {
		require.ErrorIs(t, s.deliver(home, index, b), want)
	}
	require.NoError(t, s.deliver(home, 7, b))
	require.EqualValues(t, 7, s.c.Base())
	s.index = 6
	require.ErrorIs(t, s.deliver(home, 6, s.seal("ping")), ErrAuthentication)
	cids := s.c.CIDs()
	require.Equal(t, handshake.NewCID(&cidk, initiator, 14), cids[7])
}

func TestDatagramsOfTheWrongSize(t *testing.T) { // peer-datagram-size
	s := newOpenScript(t, initiator)
	b := s.seal("ping")
	require.ErrorIs(t, s.deliver(home, 0, b[:104]), ErrMalformed)
	require.ErrorIs(t, s.deliver(home, 0, append(b, make([]byte, 1233-len(b))...)), ErrMalformed)
	require.ErrorIs(t, s.deliver(home, 0, append(b, 0)), ErrAuthentication)
	b[0] = 0x50
	require.ErrorIs(t, s.deliver(home, 0, b), ErrAuthentication)
}

func TestFailuresToOpen(t *testing.T) { // peer-open-failures, peer-open
	s := newOpenScript(t, initiator)
	good := s.seal("ping abcdefgh")
	bad := append([]byte(nil), good...)
	bad[len(bad)-1]++
	for range 125 {
		require.ErrorIs(t, s.deliver(home, 0, bad), ErrAuthentication)
	}
	s.advance(500 * ms)
	for range 125 {
		require.ErrorIs(t, s.deliver(home, 0, bad), ErrAuthentication)
	}
	require.ErrorIs(t, s.deliver(home, 0, good), ErrLimit)
	s.advance(500*ms - 1)
	require.ErrorIs(t, s.deliver(home, 0, good), ErrLimit)
	s.advance(1)
	require.NoError(t, s.deliver(home, 0, good))
	for range 1_000 {
		require.ErrorIs(t, s.deliver(home, 0, good), ErrReplay) // networks do that
	}
	s.send("ping abcdefgh")
	s.advance(500 * ms)
	for range 250 { // those of before do not count any more
		require.ErrorIs(t, s.deliver(home, 0, bad), ErrAuthentication)
	}
	require.ErrorIs(t, s.deliver(home, 0, bad), ErrLimit)
}

func TestNobodyIsNamedInAnError(t *testing.T) {
	s := newOpenScript(t, initiator)
	err := s.deliver(away, 0, make([]byte, 200))
	require.NotContains(t, err.Error(), away.Addr().String())
	require.True(t, errors.Is(err, ErrAuthentication))
}

// noRandom fails after some reads.
type noRandom struct{ reads int }

func (r *noRandom) Read(b []byte) (int, error) {
	if r.reads--; r.reads < 0 {
		return 0, errors.New("no randomness")
	}
	return len(b), nil
}

func TestWithoutRandomness(t *testing.T) {
	side := newSide(t)
	cfg := Config{
		Role: initiator, To: home, Sending: side.out, Receiving: side.in, Journal: side.journal,
		Random: rand.New(rand.NewPCG(1, 2)),
	}
	for reads := range 2 { // ratchet key, nonce of the hello
		cfg.Session, _ = sessions()
		cfg.Rand = &noRandom{reads}
		_, err := New(start, cfg)
		require.Error(t, err)
		require.Zero(t, *cfg.Session)
	}

	s := newScript(t, responder)
	_, cfg.Session = sessions()
	cfg.Role, cfg.Rand = responder, &noRandom{1} // the ratchet key when hello opens
	c, err := New(start, cfg)
	require.NoError(t, err)
	s.c = c
	s.send("hello 0")
	s.wantEvents("connected", "over lost")
	s.wantNothing()
	s.wantErased()
}
