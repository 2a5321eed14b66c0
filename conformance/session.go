package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"kith/conformance/lenient"
	"kith/internal/udp"
)

// session is one run under way. Its goroutines are one for each case being played and one that waits for the process.
type session struct {
	r       *Runner
	began   time.Time
	pace    *udp.Pace
	round   *neighbourhood
	used    *usedAddresses
	header  Header
	reports []*reportWriter
	turn    int // the round that is being played, from 0
	kept    int // results of this round
	tallies map[*Case]*tally
	done    map[*Case]*Result // what is passed on
	out     []*Result         // in the order of the plan, as far as it is known without gaps
	deaths  []Death
	lives   int
	aloof   bool // the target asks nobody who asks it
	temp    string

	harness  string // why the suite itself cannot go on
	contract string // why the target cannot be judged
	lost     string // why the target can no longer be judged

	mu     sync.Mutex
	proc   *process
	worlds map[*live]bool
	dead   bool // the process has ended, or the target was found gone
}

// How long the runner waits for things that have no event.
const (
	startLimit   = 20 * time.Second       // for a started target to answer
	startStep    = 50 * time.Millisecond  // between two looks, and for the answer to the first
	meetLimit    = time.Second            // for the target to ask its neighbours
	afterIsolate = 300 * time.Millisecond // for a target to end of a case that was played alone
	blockOf      = blocks - 8             // source addresses of the contract, the claims and the runner's own questions
)

// arrive starts the target if it has to be started, and finds out whether it can be judged and what it claims.
func (s *session) arrive(ctx context.Context) {
	var err error
	if s.round, err = newNeighbourhood(s.r.Target.first()); err != nil {
		s.harness = "no sockets: " + err.Error()
		return
	}
	if s.contract = s.start(ctx); s.contract != "" {
		return
	}
	if s.r.noContract {
		s.claimed(&Claims{Profiles: Profiles})
		return
	}
	run := s.side(0, s.r.Suite.Contract)
	if run.Outcome.Verdict != Pass {
		s.contract = fmt.Sprintf("%v does not do what a target has to do before it can be judged: expected %s; observed %s",
			s.r.Target, run.Outcome.Expected, run.Outcome.Observed)
		return
	}
	w := s.world(blockOf + 1)
	claims := s.r.Suite.Claims(w, s.r.Options)
	s.leave(w)
	s.claimed(claims)
	s.meet(ctx, claims.ID)
}

// meet makes the neighbours known. A target that has asked none of them once is not waited for again.
func (s *session) meet(ctx context.Context, id [20]byte) {
	limit := meetLimit
	if s.aloof {
		limit = 0
	}
	s.round.meet(s.r.Target.first(), id, limit, ctx.Done())
	s.aloof = !slices.ContainsFunc(s.round.list(), func(n Neighbour) bool { return n.Asked })
}

// side plays something that is no case of the plan.
func (s *session) side(block int, play func(World, Options) *Run) *Run {
	w := s.world(blockOf + block)
	defer s.leave(w)
	return play(w, s.r.Options)
}

func (s *session) claimed(c *Claims) {
	if c.ID != [20]byte{} {
		s.header.Target.ID = fmt.Sprintf("%x", c.ID)
	}
	s.header.Target.Version = versionText(c.Version)
	for _, p := range Profiles {
		state := ClaimState{Profile: p, Claimed: slices.Contains(c.Profiles, p), How: "not seen"}
		if state.Claimed {
			state.How = "seen"
		}
		if len(s.r.Profiles) > 0 {
			state.Claimed, state.How = slices.Contains(s.r.Profiles, p), "not chosen"
			if state.Claimed {
				state.How = "chosen"
			}
		}
		s.header.Profiles = append(s.header.Profiles, state)
	}
}

// versionText shows a `v`: two letters and two numbers as BEP 20 has them, or what there is.
func versionText(v []byte) string {
	switch {
	case len(v) == 0:
		return ""
	case len(v) == 4 && v[0] >= 'A' && v[0] <= 'z' && v[1] >= 'A' && v[1] <= 'z':
		return fmt.Sprintf("%s %d.%d", v[:2], v[2], v[3])
	}
	return strconv.Quote(string(v))
}

// start starts the target, or asks the one that is there, and returns why it cannot be judged.
func (s *session) start(ctx context.Context) string {
	if s.r.Command == nil {
		return s.ask(s.timeout())
	}
	if s.temp == "" {
		var err error
		if s.temp, err = os.MkdirTemp("", "kith-conform-"); err != nil {
			return err.Error()
		}
	}
	if s.lives == 0 && !s.r.noContract {
		for _, addr := range s.r.Target.all() {
			if s.askAt(addr, startStep) == "" {
				return fmt.Sprintf("something answers at %v already, before the target was started: end it, or give another address", addr)
			}
		}
	}
	c := *s.r.Command
	if c.Dir == "" {
		c.Dir = s.temp
	}
	s.lives++
	p, err := c.start(s.r.Target, s.round.bootstrap(), s.lives)
	if err != nil {
		return "the target cannot be started: " + err.Error()
	}
	s.mu.Lock()
	s.proc, s.dead = p, ctx.Err() != nil
	s.mu.Unlock()
	step := startStep
	for end := udp.Now().Add(startLimit); ; step = min(2*step, s.timeout()) {
		switch why := s.ask(step); {
		case p.exited():
			return fmt.Sprintf("the target ended (%s) before it answered a ping at %v; %s", p.how(), s.r.Target, p.lastWords())
		case why == "":
			go s.watch(p)
			return ""
		case udp.Now().After(end):
			p.stop()
			return fmt.Sprintf("the target was started and answered no ping within %v: %s; %s", startLimit, why, p.lastWords())
		}
		if !udp.Pause(startStep, ctx.Done()) {
			return "interrupted while the target was starting"
		}
	}
}

func (s *session) timeout() time.Duration {
	if s.r.Options.Timeout > 0 {
		return s.r.Options.Timeout
	}
	return 2 * time.Second
}

// ask asks at every address of the target, and says in words what is wrong.
func (s *session) ask(timeout time.Duration) (why string) {
	for _, addr := range s.r.Target.all() {
		if why = s.askAt(addr, timeout); why != "" {
			return why
		}
	}
	return ""
}

// askAt pings from a connected socket, which notices a closed port at once.
func (s *session) askAt(addr netip.AddrPort, timeout time.Duration) string {
	if s.r.noContract {
		return ""
	}
	_, err := udp.Ask(addr, hello("ping", bootstrapID), timeout, func(b []byte) bool {
		m, err := lenient.Parse(b)
		return err == nil && m.Y != "q" && string(m.T) == string(bootstrapID[:4])
	})
	switch {
	case err == nil:
		return ""
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("nothing listens on UDP at %v: the port is closed", addr)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Sprintf("%v did not answer a ping within %v: is it a DHT node, and is this its UDP port?", addr, timeout)
	}
	return fmt.Sprintf("%v cannot be reached: %v", addr, err)
}

// watch waits for the process to end, and tells the cases under way.
func (s *session) watch(p *process) {
	<-p.dead
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc != p {
		return // it was stopped to be started again
	}
	s.dead = true
	for w := range s.worlds {
		w.gone()
	}
}

// world makes a world and, should the target have ended already, tells it.
func (s *session) world(block int) *live {
	w := newLive(s.r.Target, block, s.pace, s.round, s.used)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.worlds[w] = true
	if s.dead {
		w.gone()
	}
	return w
}

func (s *session) leave(w *live) {
	s.mu.Lock()
	delete(s.worlds, w)
	s.mu.Unlock()
	w.close()
}

// interrupt ends the cases under way as the end of the target does: nobody waits for a slow one. Their results are dropped.
func (s *session) interrupt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = true
	for w := range s.worlds {
		w.gone()
	}
}

func (s *session) isDead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead
}

// close ends what the run started.
func (s *session) close() {
	s.mu.Lock()
	p := s.proc
	s.proc = nil
	s.mu.Unlock()
	if p != nil {
		p.stop()
	}
	if s.round != nil {
		s.round.close()
	}
	if s.temp != "" {
		os.RemoveAll(s.temp)
	}
}
