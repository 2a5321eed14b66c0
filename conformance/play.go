package conformance

import (
	"context"
	"fmt"
	"slices"
	"time"

	"kith/internal/udp"
)

// playPlan plays all cases. When the target ends on the way it is started again, and the cases that were under way are played
// once more, alone, until one of them ends it again: only so can the culprit be named. That is no retry. A case that was under way
// had no verdict yet, and the one it gets alone says that it was judged alone.
func (s *session) playPlan(ctx context.Context) {
	var left []*Case
	for _, c := range s.r.Plan {
		if s.claims(c.Profile) {
			left = append(left, c)
		} else {
			s.keep(&Result{Case: c, Verdict: Unsupported})
		}
	}
	idle := 0 // deaths in a row of which no case can be the cause
	for len(left) > 0 && ctx.Err() == nil && s.harness == "" {
		var suspects []*Result
		before := len(left)
		left, suspects = s.playSome(ctx, left)
		if idle++; len(left) < before {
			idle = 0
		}
		if !s.isDead() || ctx.Err() != nil {
			continue
		}
		if s.r.Command == nil {
			s.abandon(append(casesOf(suspects), left...))
			return
		}
		if idle == mostIdle {
			s.lost = fmt.Sprintf("the target ended %s in a row with no case under way, the last time so: %s", counted(idle, "time"), s.how())
		}
		left = append(s.isolate(ctx, suspects), left...)
		if len(left) > 0 && s.lost == "" {
			s.again(ctx)
		}
		if s.lost != "" {
			s.abandon(left)
			return
		}
	}
}

// mostIdle is how often in a row a target may end while it is not judged.
const mostIdle = 3

func casesOf(results []*Result) (cases []*Case) {
	for _, r := range results {
		cases = append(cases, r.Case)
	}
	return cases
}

func (s *session) claims(profile string) bool {
	for _, p := range s.header.Profiles {
		if p.Profile == profile {
			return p.Claimed
		}
	}
	return false
}

// playSome plays cases side by side until all are played or the target is gone. It returns those that were not begun, and those
// that were under way at the end of the target.
func (s *session) playSome(ctx context.Context, cases []*Case) (left []*Case, suspects []*Result) {
	results := make(chan *Result)
	slots := make(chan struct{}, orDefault(s.r.Parallel, 16))
	begun, open := 0, 0
	for {
		var slot chan struct{}
		if begun < len(cases) && ctx.Err() == nil && !s.isDead() && s.harness == "" {
			slot = slots
		} else if open == 0 {
			return cases[begun:], suspects
		}
		select {
		case slot <- struct{}{}:
			c := cases[begun]
			begun++
			open++
			go func() { results <- s.play(c, func() { <-slots }) }()
		case r := <-results:
			open--
			switch {
			case ctx.Err() != nil: // whatever it says was cut short
			case r.suspect:
				suspects = append(suspects, r)
			default:
				s.keep(r)
			}
		}
	}
}

// play plays one case and listens for what comes late. free is called when the case itself is over.
func (s *session) play(c *Case, free func()) *Result {
	started := udp.Now()
	w := s.world(s.block(c))
	defer s.leave(w)
	began := w.p.Now()
	run := c.Run(w, s.options())
	r := &Result{Case: c, Log: run.Log, Took: w.p.Now() - began}
	if at, ok := unanswered(run.Log); ok {
		r.waits = started.Add(at)
	}
	free()
	for end := w.p.Now() + run.Linger; ; {
		ev := w.Next(end)
		if ev.Kind == Deadline {
			break
		}
		if ev.Kind == Gone {
			r.suspect = true
			break
		}
		run.Late(ev)
	}
	r.Outcome = run.Outcome
	r.Verdict = run.Outcome.verdict(c.Requirement.Level)
	if run.Outcome.Gone && s.silent() {
		r.suspect = true
	}
	return r
}

// block gives a case its source addresses: those of its place in the whole suite, whatever the filter, moved by the seed and
// the round so that a node that remembers who sent what last time meets others.
func (s *session) block(c *Case) int {
	at := 0
	for i, x := range s.r.Suite.Cases {
		if x == c || x.ID == c.ID {
			at = i
		}
	}
	return (at + int((s.r.Options.Seed+uint64(s.turn))%7)*113) % (blockOf - 1)
}

// silent finds out whether a target that did not answer a case answers anybody. One that hangs is ended, as one that has ended.
func (s *session) silent() bool {
	if s.isDead() {
		return true
	}
	for _, addr := range s.r.Target.all() {
		if s.askAt(addr, s.timeout()) == "" {
			return false
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.proc; p != nil && !s.dead {
		p.hung = !p.exited()
		p.stop()
	}
	s.dead = true
	return true
}

// isolate finds the case that ended the target: each suspect is played alone on a target that was started for it, the one that waits
// longest for an answer first, until one ends it again. The others are returned: they have no verdict yet, and are played with the rest.
func (s *session) isolate(ctx context.Context, suspects []*Result) (unjudged []*Case) {
	slices.SortStableFunc(suspects, func(a, b *Result) int {
		if a.waits.IsZero() != b.waits.IsZero() {
			return map[bool]int{true: 1, false: -1}[a.waits.IsZero()]
		}
		return a.waits.Compare(b.waits)
	})
	cases := casesOf(suspects)
	d := Death{How: s.how(), Said: s.proc.said()}
	for _, c := range cases {
		d.Suspects = append(d.Suspects, c.ID)
	}
	defer func() { s.deaths = append(s.deaths, d) }()
	if len(cases) > 0 {
		s.note(fmt.Sprintf("the target is gone (%s) while %s under way; now each is judged alone, until one ends it again", d.How, counted(len(cases), "case")))
	}
	for i, c := range cases {
		if ctx.Err() != nil || s.lost != "" {
			return cases[i:]
		}
		if s.again(ctx); s.lost != "" || ctx.Err() != nil {
			return cases[i:]
		}
		r := s.play(c, func() {})
		if ctx.Err() != nil {
			return cases[i:]
		}
		r.Isolated = true
		ended := r.suspect || s.endsWithin(afterIsolate)
		if ended {
			d.Culprits = append(d.Culprits, c.ID)
			s.blame(r)
		}
		s.keep(r)
		if ended {
			return cases[i+1:]
		}
	}
	return nil
}

// blame gives a case that ended the target alone its verdict. A target that hangs for good is no better off than one that ended.
func (s *session) blame(r *Result) {
	r.Verdict, r.Outcome.Verdict = Crash, Fail
	r.Outcome.Expected = "the target goes on working"
	r.Outcome.Observed = s.how()
	if said := s.proc.said(); said != "" {
		r.Outcome.Notes = append(r.Outcome.Notes, "it said last:\n"+said)
	}
	if r.Outcome.Sent == 0 {
		r.Outcome.Sent = lastSent(r.Log)
	}
}

// how says how the target came to its end.
func (s *session) how() string {
	if s.proc.hung {
		return fmt.Sprintf("it hung: it answered no ping within %v, and was ended", s.timeout())
	}
	return "it ended: " + s.proc.how()
}

// unanswered is when a case sent the first datagram behind the last that it received: a node that answers in turn had not
// come to it, or did not get past it.
func unanswered(l *Log) (at time.Duration, ok bool) {
	for i := len(l.Entries) - 1; i >= 0 && l.Entries[i].Op != OpRecv; i-- {
		if e := l.Entries[i]; e.Op == OpSend && e.Note == "" {
			at, ok = e.At, true
		}
	}
	return at, ok
}

// lastSent is the number of the last datagram that a case sent.
func lastSent(l *Log) int {
	for i := len(l.Entries) - 1; i >= 0; i-- {
		if l.Entries[i].Op == OpSend {
			return l.Entries[i].N
		}
	}
	return 0
}

// endsWithin waits for the target's process to end.
func (s *session) endsWithin(d time.Duration) bool { return !udp.Pause(d, s.proc.dead) }

// again ends the target if it still runs and starts it anew.
func (s *session) again(ctx context.Context) {
	s.mu.Lock()
	p := s.proc
	s.proc = nil
	s.mu.Unlock()
	p.stop()
	s.round.forget()
	if why := s.start(ctx); why != "" {
		s.lost = "when it was started again " + why
		s.mu.Lock()
		s.dead = true
		if s.proc == nil {
			s.proc = p
		}
		s.mu.Unlock()
		return
	}
	s.greet(ctx)
}

// greet makes the neighbours known to a target that was started again, whose id is another now.
func (s *session) greet(ctx context.Context) {
	w := s.world(blockOf + 2)
	c := s.r.Suite.Claims(w, s.options())
	s.leave(w)
	s.meet(ctx, c.ID)
}

// abandon gives up cases because the target is gone.
func (s *session) abandon(cases []*Case) {
	if s.lost == "" {
		s.lost = fmt.Sprintf("%v stopped answering after %d of %d cases", s.r.Target, s.kept, len(s.r.Plan))
		if s.turn > 0 {
			s.lost += fmt.Sprintf(" of round %d", s.turn+1)
		}
	}
	if s.turn > 0 {
		return // they have their verdicts from the rounds before
	}
	for _, c := range cases {
		s.keep(&Result{Case: c, Verdict: Inconclusive, note: "the target was gone: with --exec it would have been started again"})
	}
}

// keep takes a result of this round. In the last one the case is passed on.
func (s *session) keep(r *Result) {
	s.kept++
	s.checkLog()
	r.round, r.target = s.turn, s.r.Target
	t := s.tallies[r.Case]
	if t == nil {
		t = &tally{count: map[Verdict]int{}}
		s.tallies[r.Case] = t
	}
	if t.add(r); s.turn+1 == s.rounds() {
		s.emit(t.result())
	}
}

// emit takes what the run says of a case, and passes on those that are now known without a gap.
func (s *session) emit(r *Result) {
	var note string
	r.Verdict, r.Expectation, note = s.r.Expect.apply(r.Case.ID, r.Verdict, s.began)
	if note != "" {
		r.Outcome.Notes = append(r.Outcome.Notes, note)
	}
	r.Transcript = s.record(r, "")
	if b := r.beside; b != nil {
		s.record(b, fmt.Sprintf(".round-%d", b.round+1))
	}
	s.done[r.Case] = r
	for len(s.out) < len(s.r.Plan) && s.harness == "" {
		next := s.done[s.r.Plan[len(s.out)]]
		if next == nil {
			return
		}
		s.tell(next)
	}
}

// tell passes a result on.
func (s *session) tell(r *Result) {
	s.out = append(s.out, r)
	if err := s.line(newCaseLine(r, s.repeat(r.Case))); err != nil {
		s.harness = err.Error()
	}
	if s.r.Progress != nil {
		s.r.Progress.Result(r)
	}
}

// tellRest passes on what was known when the run was cut off, and waited for a case before it.
func (s *session) tellRest() {
	for _, c := range s.r.Plan[len(s.out):] {
		if r := s.done[c]; r != nil && s.harness == "" {
			s.tell(r)
		}
	}
}

// record writes the transcript of a result, if transcripts are wanted and there is one, and returns the file's name.
func (s *session) record(r *Result, added string) string {
	if s.r.Transcripts == "" || r.Log == nil {
		return ""
	}
	t := Transcript{
		Format: 1, Version: Version, Case: r.Case.ID, Seed: s.r.Options.Seed, Round: r.round, TimeoutNS: int64(s.r.Options.Timeout),
		V4: r.target.V4, V6: r.target.V6, Log: r.Log,
	}
	name, err := t.write(s.r.Transcripts, r, added)
	if err != nil && s.harness == "" {
		s.harness = "a transcript cannot be written: " + err.Error()
	}
	return name
}

// checkLog ends the run when what the target prints can no longer be kept.
func (s *session) checkLog() {
	if s.proc == nil || s.harness != "" {
		return
	}
	if err := s.proc.logFault(); err != nil {
		s.harness = "the log of what the target prints cannot be written: " + err.Error()
	}
}

func (s *session) repeat(c *Case) string {
	if s.r.Repeat == nil {
		return ""
	}
	return s.r.Repeat(c)
}

func (s *session) note(text string) {
	if s.r.Progress != nil {
		s.r.Progress.Note(text)
	}
}
