package dht

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/conformance"
	"kith/conformance/lenient"
)

// judge plays a case in virtual time and listens as long after its end as the runner does.
func judge(m conformance.Machine, kind conformance.Kind, body func(*Script)) *conformance.Run {
	w := conformance.NewSim(m)
	return finish(w, play("test", kind, body, w, conformance.Options{Seed: 1}))
}

func finish(w conformance.World, run *conformance.Run) *conformance.Run {
	for end := w.Now() + run.Linger; ; {
		ev := w.Next(end)
		if ev.Kind != conformance.Datagram {
			return run
		}
		run.Late(ev)
	}
}

func ping(n *Node) { n.Ping().WantReply() }

func TestAcceptPassesAndFails(t *testing.T) {
	run := judge(newFake(), Accept, func(s *Script) { ping(s.Node()) })
	require.Equal(t, conformance.Pass, run.Outcome.Verdict, "%+v", run.Outcome)

	run = judge(newFake(), Accept, func(s *Script) { s.Node().Query("nothing").WantReply() })
	require.Equal(t, conformance.Fail, run.Outcome.Verdict)
	require.Equal(t, "a reply", run.Outcome.Expected)
	require.Equal(t, `error 204 "no"`, run.Outcome.Observed)
	require.Equal(t, 2, run.Outcome.Sent)
}

func TestGivenIsInconclusive(t *testing.T) {
	run := judge(newFake(), Accept, func(s *Script) {
		s.Given(func() { s.Node().Query("nothing").WantReply() })
	})
	require.Equal(t, conformance.Inconclusive, run.Outcome.Verdict)
}

func TestSilenceNeedsTheFence(t *testing.T) {
	quiet := func(n *Node) { n.Raw([]byte("nonsense")).WantSilence() }
	run := judge(newFake(), Silence, func(s *Script) { s.Judge(ping, quiet) })
	require.Equal(t, conformance.Pass, run.Outcome.Verdict, "%+v", run.Outcome)

	loud := newFake()
	run = judge(&chatty{fake: loud, after: 0}, Silence, func(s *Script) { s.Judge(ping, quiet) })
	require.Equal(t, conformance.Fail, run.Outcome.Verdict)
	require.Contains(t, run.Outcome.Observed, "cannot be read")
}

func TestAnAnswerThatComesLateTurnsTheVerdict(t *testing.T) {
	quiet := func(n *Node) { n.Raw([]byte("nonsense")).WantSilence() }
	for _, after := range []time.Duration{10 * time.Millisecond, 31 * time.Millisecond, 200 * time.Millisecond} {
		run := judge(&chatty{fake: newFake(), after: after}, Silence, func(s *Script) { s.Judge(ping, quiet) })
		require.Equal(t, conformance.Fail, run.Outcome.Verdict, "after %v", after)
	}
}

func TestControlDecidesBetweenInconclusiveAndFail(t *testing.T) {
	good := func(n *Node) { n.Query("nothing").WantError(204) }
	dies := func(n *Node) { n.Query("die").Outcome() }
	body := func(control func(*Node)) func(*Script) {
		return func(s *Script) { s.Judge(control, dies) }
	}
	run := judge(newFake(), Survive, body(func(n *Node) { n.Query("nothing").WantReply() }))
	require.Equal(t, conformance.Inconclusive, run.Outcome.Verdict)

	mortal := &mortal{fake: newFake(), word: "die"}
	run = judge(mortal, Survive, body(good))
	require.Equal(t, conformance.Fail, run.Outcome.Verdict)
	require.True(t, run.Outcome.Gone)
	require.True(t, run.Outcome.Hard)
}

// What works as given before the stimulus and not after it is the target's fault.
func TestGivenBehindTheStimulusIsAFailure(t *testing.T) {
	given := func(n *Node) { n.s.Given(func() { n.FindNode(n.s.ID()).WantReply() }) }
	forgets := &forgetful{fake: newFake(), word: "forget"}
	run := judge(forgets, Survive, func(s *Script) {
		s.Judge(given, func(n *Node) { n.Query("forget").Outcome() })
	})
	require.Equal(t, conformance.Fail, run.Outcome.Verdict, "%+v", run.Outcome)
	require.True(t, run.Outcome.Hard)
}

// Silence where an error is wanted takes no time-out.
func TestNoErrorIsNoticedBehindAFence(t *testing.T) {
	f := newFake()
	f.bend = func(_ netip.AddrPort, b []byte) [][]byte {
		if m, _ := lenient.Parse(b); m.Y == "e" {
			return nil
		}
		return [][]byte{b}
	}
	run := judge(f, Reject, func(s *Script) { s.Judge(ping, func(n *Node) { n.Query("nothing").WantError(204) }) })
	require.Equal(t, conformance.Fail, run.Outcome.Verdict)
	require.Equal(t, "nothing, though a ping sent later was answered", run.Outcome.Observed)
	last := run.Log.Entries[len(run.Log.Entries)-1]
	require.Less(t, last.At, defaultTimeout/4)
}

// An error that takes its time is waited for, when everything takes time.
func TestASlowErrorIsWaitedFor(t *testing.T) {
	m := &link{Machine: newFake(), delay: slow(rand.New(rand.NewPCG(1, 1)), 200*time.Millisecond)}
	run := judge(m, Reject, func(s *Script) {
		s.Judge(ping, func(n *Node) {
			for range 20 {
				n.Query("nothing").WantError(204)
			}
		})
	})
	require.Equal(t, conformance.Pass, run.Outcome.Verdict, "%+v", run.Outcome)
}

// Another item where nobody put one comes from an earlier run: nothing that is seen then says anything.
func TestAnItemOfAnEarlierRunIsInconclusive(t *testing.T) {
	f := newFake()
	var target [20]byte
	body := func(s *Script) {
		it := s.Mutable(1, "a value")
		target = it.Target()
		s.Node().Offer(it).WantReply()
	}
	require.Equal(t, conformance.Pass, judge(f, Accept, body).Outcome.Verdict)
	f.items[target] = lenient.Raw("7:another")
	run := judge(f, Accept, body)
	require.Equal(t, conformance.Inconclusive, run.Outcome.Verdict)
	require.Contains(t, run.Outcome.Expected, "--seed")
}

func TestATargetMayShunAnAddress(t *testing.T) {
	run := judge(&shunning{fake: newFake(), banned: map[netip.AddrPort]bool{}, whole: true}, Silence, func(s *Script) {
		s.Judge(ping, func(n *Node) { n.Raw([]byte("nonsense")).WantSilence() })
	})
	require.Equal(t, conformance.Pass, run.Outcome.Verdict, "%+v", run.Outcome)
}

func TestATargetMayShunASender(t *testing.T) {
	run := judge(&shunning{fake: newFake(), banned: map[netip.AddrPort]bool{}}, Silence, func(s *Script) {
		s.Judge(ping, func(n *Node) { n.Raw([]byte("nonsense")).WantSilence() })
	})
	require.Equal(t, conformance.Pass, run.Outcome.Verdict, "%+v", run.Outcome)
	require.NotEmpty(t, run.Outcome.Notes)
}

func TestACaseThatForgetsIsAFault(t *testing.T) {
	for _, body := range []func(*Script){
		func(s *Script) { ping(s.Node()) },                                        // no Judge
		func(s *Script) { s.Judge(ping, ping) },                                   // the stimulus is not judged as silence
		func(s *Script) { s.Judge(ping, func(n *Node) { n.Raw(nil).Outcome() }) }, // nor here
	} {
		run := judge(newFake(), Silence, body)
		require.NotEmpty(t, run.Outcome.Fault)
	}
}

func TestReplyWithOurOwnIDIsAnEcho(t *testing.T) {
	f := newFake()
	run := judge(f, Accept, func(s *Script) {
		n := s.Node()
		n.ID = f.id
		ping(n)
	})
	require.Equal(t, conformance.Fail, run.Outcome.Verdict)
	require.Contains(t, run.Outcome.Observed, "id of the node that asked")
}

func TestTheTargetsQueriesAreAnswered(t *testing.T) {
	f := newFake()
	asked := encode(dict("a", dict("id", f.id), "q", "ping", "t", "zz", "y", "q"))
	f.bend = func(_ netip.AddrPort, b []byte) [][]byte { return [][]byte{b, asked} }
	run := judge(f, Accept, func(s *Script) {
		n := s.Node()
		ping(n)
		s.Within(time.Second, func() bool { return len(n.AskedFor("ping")) > 0 })
		s.Check(len(n.Asked()) == 1, "a query", "none")
	})
	require.Equal(t, conformance.Pass, run.Outcome.Verdict, "%+v", run.Outcome)
	var answers int
	for _, e := range run.Log.Entries {
		if m, err := lenient.Parse(e.Data); err == nil && e.Op == conformance.OpSend && m.Y == "r" {
			answers++
			require.Equal(t, "zz", string(m.T))
		}
	}
	require.Positive(t, answers)
}

// chatty answers nonsense with nonsense, some time later.
type chatty struct {
	*fake
	after time.Duration
	due   time.Time
	to    netip.AddrPort
}

func (c *chatty) HandleDatagram(now time.Time, from netip.AddrPort, b []byte) {
	if string(b) == "nonsense" {
		c.due, c.to = now.Add(c.after), from
		return
	}
	c.fake.HandleDatagram(now, from, b)
}

func (c *chatty) NextTimeout() time.Time { return c.due }

func (c *chatty) HandleTimeout(now time.Time) {
	if !c.due.IsZero() && !now.Before(c.due) {
		c.due = time.Time{}
		c.out = append(c.out, outgoing{c.to, []byte("gibberish")})
	}
}

// mortal dies of a word.
type mortal struct {
	*fake
	word string
	dead bool
}

func (m *mortal) HandleDatagram(now time.Time, from netip.AddrPort, b []byte) {
	if msg, err := lenient.Parse(b); err == nil && msg.Q == m.word {
		m.dead = true
	}
	if !m.dead {
		m.fake.HandleDatagram(now, from, b)
	}
}

// shunning hears no more from whoever sent nonsense.
type shunning struct {
	*fake
	banned map[netip.AddrPort]bool
	whole  bool // the address, whatever the port
}

func (m *shunning) HandleDatagram(now time.Time, from netip.AddrPort, b []byte) {
	who := from
	if m.whole {
		who = netip.AddrPortFrom(from.Addr(), 0)
	}
	if string(b) == "nonsense" {
		m.banned[who] = true
	}
	if !m.banned[who] {
		m.fake.HandleDatagram(now, from, b)
	}
}

// forgetful answers only pings after a word.
type forgetful struct {
	*fake
	word   string
	forgot bool
}

func (m *forgetful) HandleDatagram(now time.Time, from netip.AddrPort, b []byte) {
	msg, _ := lenient.Parse(b)
	m.forgot = m.forgot || msg.Q == m.word
	if !m.forgot || msg.Q == "ping" {
		m.fake.HandleDatagram(now, from, b)
	}
}
