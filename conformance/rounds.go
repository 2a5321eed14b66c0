package conformance

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// tally is what the rounds of a run say of one case.
type tally struct {
	first *Result // of the first round
	other *Result // the first with another verdict; nil: there is none
	count map[Verdict]int
	flips int // rounds with another verdict than the first
}

func (t *tally) add(r *Result) {
	if t.count[r.Verdict]++; t.first == nil {
		t.first = r
	} else if r.Verdict != t.first.Verdict {
		if t.flips++; t.other == nil {
			t.other = r
		}
	}
}

// result is the case's result over all rounds: that of the first, or flaky.
func (t *tally) result() *Result {
	if t.other == nil {
		return t.first
	}
	r, beside := t.other, t.first // what is shown is the one that does not pass
	if r.Verdict == Pass {
		r, beside = beside, r
	}
	flaky := *r
	flaky.Verdict, flaky.Rounds, flaky.beside = Flaky, t.count, beside
	parts := []string{}
	for _, v := range Verdicts {
		if n := t.count[v]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s in %s", v, counted(n, "round")))
		}
	}
	flaky.note = fmt.Sprintf("%s; %s in round %d, %s in round %d", strings.Join(parts, ", "), t.first.Verdict, t.first.round+1, t.other.Verdict, t.other.round+1)
	if beside.Verdict != Pass {
		flaky.note += fmt.Sprintf(": expected %s; observed %s", beside.Outcome.Expected, beside.Outcome.Observed)
	}
	return &flaky
}

// options are what the cases of this round are told.
func (s *session) options() Options {
	o := s.r.Options
	o.Round = s.turn
	return o
}

// rounds is how often the plan is played.
func (s *session) rounds() int { return max(1, s.r.Rounds) }

// playRounds plays the plan as often as it has to be played. From round to round a target is started anew where that can be done: one that
// is kept fills up with what the rounds before left behind.
func (s *session) playRounds(ctx context.Context) {
	cut := func() bool { return ctx.Err() != nil || s.harness != "" || s.lost != "" }
	for ; s.turn < s.rounds(); s.turn++ {
		if s.rounds() > 1 && s.r.Progress != nil {
			s.r.Progress.Round(s.turn+1, s.rounds(), s.flips())
		}
		if s.kept = 0; s.turn > 0 {
			s.renew(ctx)
		}
		if !cut() {
			s.playPlan(ctx)
		}
		if cut() {
			s.emitAll()
			return
		}
	}
}

// renew starts the target anew for another round, or keeps it.
func (s *session) renew(ctx context.Context) {
	switch {
	case s.r.Command != nil:
		s.again(ctx)
	case s.r.Renew != nil:
		addr, err := s.r.Renew()
		if err != nil {
			s.lost = "the target could not be started for another round: " + err.Error()
			return
		}
		s.r.Target = addr
		s.round.forget()
		s.greet(ctx)
	}
}

// emitAll passes on what is known of all cases before the last round was over.
func (s *session) emitAll() {
	for _, c := range s.r.Plan {
		if t := s.tallies[c]; t != nil && s.done[c] == nil {
			s.emit(t.result())
		}
	}
}

func (s *session) flips() (n int) {
	for t := range maps.Values(s.tallies) {
		n += t.flips
	}
	return n
}

// plays is how many cases were played, each round's counted.
func (s *session) plays() (n int) {
	for t := range maps.Values(s.tallies) {
		for v, k := range t.count {
			if !slices.Contains([]Verdict{Unsupported, Blocked}, v) {
				n += k
			}
		}
	}
	return n
}
