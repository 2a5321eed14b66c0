package dht

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"kith/conformance"
	"kith/conformance/lenient"
)

// Sent is a datagram that has gone out, with the answers that came back.
type Sent struct {
	node    *Node
	n       int // in the log
	at      time.Duration
	raw     []byte
	t       []byte
	hasT    bool
	answers []*Answer
	late    func(*Answer) // judges an answer that comes after it was concluded that none does
	closed  bool          // it was judged: what has no t does not belong to it any more
}

// Answer is one datagram from the target: a reply, an error, or something that cannot be read as either.
type Answer struct {
	Message lenient.Message
	Err     error // why it could not be decoded
	Raw     []byte
	From    netip.AddrPort
	At      time.Duration

	n    int
	node *Node
}

// hexOf writes a transaction id, the end of a long one left out.
func hexOf(t []byte) string {
	if len(t) > 12 {
		return fmt.Sprintf("%x… (%d bytes)", t[:8], len(t))
	}
	return fmt.Sprintf("%x", t)
}

// IsReply reports whether the answer is a reply as BEP 5 writes one: `y` is r and `r` a dictionary.
func (a *Answer) IsReply() bool {
	return a != nil && a.Err == nil && a.Message.Y == "r" && a.Message.R.Kind == lenient.Dict
}

// IsError reports whether the answer is an error as BEP 5 writes one: `y` is e and `e` a list of an integer and a string.
func (a *Answer) IsError() bool {
	return a != nil && a.Err == nil && a.Message.Y == "e" && a.Message.HasE
}

// String says what the answer is, as a verdict quotes it; of nil it is "nothing".
func (a *Answer) String() string {
	switch {
	case a == nil:
		return "nothing"
	case a.Err != nil:
		return fmt.Sprintf("a datagram that cannot be read (%v): %s", a.Err, short(conformance.Brief(a.Raw)))
	case a.IsError():
		return fmt.Sprintf("error %d %q", a.Message.Code, short(a.Message.Text))
	case a.IsReply():
		return "a reply: " + short(conformance.Brief(a.Message.R.Raw))
	}
	return "neither a reply nor an error: " + short(conformance.Brief(a.Raw))
}

func short(s string) string {
	const most = 240
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

func (q *Sent) fail(expected, observed string) { q.node.s.failAt(q.n, expected, observed) }

// Answers returns all answers that came so far, oldest first.
func (q *Sent) Answers() []*Answer { return q.answers }

// WantReply waits for a reply and returns it. An error, silence, an answer that cannot be read, one from another address and one
// that carries the asking node's own id all fail.
func (q *Sent) WantReply() *Reply {
	const want = "a reply"
	a := q.first(want)
	if !a.IsReply() {
		q.fail(want, a.String())
	}
	return q.reply(a)
}

func (q *Sent) reply(a *Answer) *Reply {
	if id, ok := a.Message.R.ID("id"); ok && id == q.node.ID {
		q.fail("a reply with the target's own id", "one with the id of the node that asked")
	}
	if a.From != q.node.target {
		q.fail("an answer from "+q.node.target.String(), "one from "+a.From.String())
	}
	return &Reply{Answer: a, sent: q}
}

// WantError waits for an error with one of the codes; with no codes, with any. What says nothing to a wrong query is not waited for in
// vain: a ping sent later is answered, and a generous while passes.
func (q *Sent) WantError(codes ...int64) *Answer {
	want := wantError(codes)
	a := q.firstOf(want, q.soon)
	if !a.IsError() || !matches(a.Message.Code, codes) {
		q.fail(want, a.String())
	}
	q.judged(conformance.Reject)
	return a
}

func matches(code int64, codes []int64) bool {
	for _, c := range codes {
		if c == code {
			return true
		}
	}
	return len(codes) == 0
}

func wantError(codes []int64) string {
	if len(codes) == 0 {
		return "an error"
	}
	var text []string
	for _, c := range codes {
		text = append(text, strconv.FormatInt(c, 10))
	}
	return "error " + list(text)
}

// WantSilence concludes that nothing comes: a ping behind the datagram is answered, and the grace passes. An answer that comes
// still later, until the end of the case and some time beyond, turns the verdict.
func (q *Sent) WantSilence() {
	q.late = func(a *Answer) { q.fail("nothing", a.String()+q.delay(a)) }
	for _, a := range q.answers {
		q.late(a)
	}
	q.fence()
	q.again()
	q.judged(conformance.Silence)
}

func (q *Sent) delay(a *Answer) string {
	return fmt.Sprintf(", %.1f ms after", float64((a.At-q.at).Microseconds())/1000)
}

// WantNoReply accepts an error or silence, and fails on a reply. It returns the error, or nil.
func (q *Sent) WantNoReply() *Answer { return q.WantErrorOrSilence() }

// WantErrorOrSilence accepts silence or an error with one of the codes, and returns the error, or nil.
func (q *Sent) WantErrorOrSilence(codes ...int64) *Answer {
	q.late = func(a *Answer) {
		if !a.IsError() || !matches(a.Message.Code, codes) {
			q.fail(wantError(codes)+", or nothing", a.String())
		}
	}
	a := q.Outcome()
	if a != nil {
		q.late(a)
	}
	q.judged(conformance.Silence, conformance.Reject)
	return a
}

// Outcome waits for whatever comes, and returns nil when a fence shows that nothing does. It judges nothing itself: use it
// where any answer is allowed, or where the case looks at it afterwards.
func (q *Sent) Outcome() *Answer {
	if !q.answered() {
		q.fenceUntil(0, q.answered)
	}
	if !q.answered() {
		q.again()
	}
	q.judged()
	if len(q.answers) == 0 {
		return nil
	}
	return q.answers[0]
}

// again sends the datagram a second time, because of nothing nothing can be concluded when it or its answer may have been lost, and
// waits for what comes of it.
func (q *Sent) again() {
	q.node.write(q.node.target, q.raw, "once more, for it or its answer may have been lost")
	q.fenceUntil(0, q.answered)
}

// Poked is Outcome for one of many datagrams that the target has to survive: it is sent only once.
func (q *Sent) Poked() *Answer {
	if !q.answered() {
		q.fenceUntil(0, q.answered)
	}
	q.judged()
	if !q.answered() {
		return nil
	}
	return q.answers[0]
}

// WantOnce waits for the reply and then, behind a fence, that no second answer comes.
func (q *Sent) WantOnce() *Reply {
	r := q.WantReply()
	q.fence()
	if n := len(q.answers); n > 1 {
		q.fail("one answer", fmt.Sprintf("%d; the second is %v", n, q.answers[1]))
	}
	return r
}

// judged notes that the stimulus was looked at in a way that its kind accepts.
func (q *Sent) judged(kinds ...conformance.Kind) {
	q.closed = true
	for _, k := range kinds {
		if k == q.node.s.kind {
			q.node.s.checked = true
		}
	}
	if q.node.s.kind == conformance.Survive { // which asks only that the case looked
		q.node.s.checked = true
	}
}

// await waits for the reply to a ping of the harness's own: the same as WantReply, but it reports.
func (q *Sent) await() bool {
	q.node.s.until(q.at+q.node.s.timeout, func() bool { return len(q.answers) > 0 })
	if len(q.answers) == 0 || !q.answers[0].IsReply() {
		return false
	}
	id, ok := q.answers[0].Message.R.ID("id")
	return ok && id != q.node.ID && q.answers[0].From == q.node.target
}

// first waits for the first answer, and fails with what came instead of one.
func (q *Sent) first(want string) *Answer {
	s := q.node.s
	return q.firstOf(want, func() (observed string) {
		if s.until(q.at+s.timeout, q.answered) {
			return ""
		}
		return "nothing within " + s.timeout.String() + q.stillThere()
	})
}

func (q *Sent) answered() bool { return len(q.answers) > 0 }

// soon waits for an answer, and no longer than a ping sent later takes and a generous while.
func (q *Sent) soon() (observed string) {
	s := q.node.s
	if s.until(q.at+s.grace(), q.answered) {
		return ""
	}
	if q.fenceUntil(s.roundTrips(8, leastLinger), q.answered); q.answered() {
		return ""
	}
	return "nothing, though a ping sent later was answered"
}

// firstOf returns the first answer that wait brings, and fails with what came instead of one.
func (q *Sent) firstOf(want string, wait func() (observed string)) *Answer {
	before := len(q.node.strays)
	if observed := wait(); observed != "" {
		if strays := q.node.strays[before:]; len(strays) > 0 {
			observed = "no answer to this t, but " + strays[0].String()
			if m := strays[0].Message; m.HasT {
				observed += fmt.Sprintf(" with t=%s for t=%s", hexOf(m.T), hexOf(q.t))
			}
		}
		q.fail(want, observed)
	}
	q.closed = true
	return q.answers[0]
}

// stillThere asks from another address, so that a target that says nothing to q can be told from one that says nothing at all.
func (q *Sent) stillThere() string {
	if q.node.s.elsewhere().probe().await() {
		return "; it answers pings"
	}
	q.node.s.out.Gone = true
	return "; nor does it answer a ping"
}

// fence ends when whatever the target had to say to q has been said: a ping sent behind it was answered, and the grace is over.
// If the target answers this node no longer, another node asks.
func (q *Sent) fence() { q.fenceUntil(0, func() bool { return false }) }

// fenceUntil is fence, with a grace of at least so long that ends early when enough has come.
func (q *Sent) fenceUntil(least time.Duration, enough func() bool) {
	s := q.node.s
	p := q.node.probe()
	if q.node.shunned || !p.await() {
		if len(q.answers) > 0 {
			return
		}
		other := s.elsewhere()
		if p = other.probe(); !p.await() {
			s.out.Gone = true
			s.out.Hard = true
			q.fail("the target goes on answering pings", "nothing within "+s.timeout.String())
		}
		if !q.node.shunned {
			q.node.shunned = true
			s.Note("the target stopped answering %v; it still answers others", q.node.Addr)
		}
	}
	s.Within(max(least, s.grace()), enough)
}

// Equal reports whether two answers are the same bytes.
func (a *Answer) Equal(b *Answer) bool { return a != nil && b != nil && bytes.Equal(a.Raw, b.Raw) }
