package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"time"

	"kith/internal/udp"
	"kith/spec"
)

// Runner plays cases against a target over sockets. The zero values of all but Suite, Plan and Target are sensible.
type Runner struct {
	Suite  *Suite
	Plan   []*Case
	Target Address
	// Command starts the target, again whenever it has ended; Target is then where it is told to listen, and may be left out.
	Command *Command
	// Profiles are taken as claimed, and no others; none: what the target shows is found out.
	Profiles []string
	// Own says that the target belongs to who runs this. Without it only loopback and private addresses are judged.
	Own bool

	// Rounds is how often the plan is played; a case whose verdict is not always the same is flaky. 0: once. Every round draws other bytes.
	Rounds int
	// Renew starts the target anew for each round behind the first, where no Command does; nil: the target that is there is kept.
	Renew func() (Address, error)

	Options     Options
	Parallel    int     // cases at once; 0: 16
	Rate        float64 // datagrams a second to the target, all cases together; 0: 5,000
	Expect      *Expectations
	MinExecuted int  // at least so many cases have to be judged
	Strict      bool // warn counts as fail

	Reports     []io.Writer // take the report's lines; a file is cut back to its last whole line when the disk is full
	Transcripts string      // folder for a transcript of each case; empty: none
	Repeat      func(c *Case) string
	Progress    Progress

	noContract bool // tests play the cases against what is no target
}

// Progress is told how a run goes, from one goroutine.
type Progress interface {
	Begin(h Header)
	Round(n, of, flips int) // of several rounds one begins, the first is 1; so many verdicts were others than in the first
	Result(r *Result)       // in the order of the plan, in the last round
	Note(text string)       // something about the run itself
	End(s *Summary)
}

// Result is one case of a run.
type Result struct {
	Case        *Case
	Verdict     Verdict
	Outcome     Outcome
	Log         *Log
	Took        time.Duration
	Isolated    bool // judged alone after the target ended while several cases were under way
	Expectation *Expectation
	Transcript  string          // file name
	Rounds      map[Verdict]int // of a flaky case: how many rounds had which verdict

	round   int     // from 0
	target  Address // in that round
	beside  *Result // of a flaky case: one with another verdict
	note    string
	suspect bool      // under way when the target ended
	waits   time.Time // since when it has no answer; zero: it has them all
}

// Notes are the outcome's notes and the runner's.
func (r *Result) Notes() []string {
	notes := slices.Clone(r.Outcome.Notes)
	if r.Outcome.Fault != "" {
		notes = append(notes, "a fault of the suite: "+r.Outcome.Fault)
	}
	if r.note != "" {
		notes = append(notes, r.note)
	}
	return notes
}

// Summary is a run that has ended.
type Summary struct {
	Header  Header
	Results []*Result
	Footer  Footer
}

// Exit is the exit code of the run.
func (s *Summary) Exit() Exit { return s.Footer.Exit }

// ErrUsage is wrapped by errors that mean that nothing was tried: exit code 2.
var ErrUsage = errors.New("conformance: usage")

// Run plays the plan. The error is only for what kept the run from beginning, and wraps ErrUsage; everything that happens later
// stands in the summary.
func (r *Runner) Run(ctx context.Context) (*Summary, error) {
	s := &session{
		r: r, began: udp.Now(), pace: udp.NewPace(orDefault(r.Rate, 5000)), used: &usedAddresses{all: map[netip.AddrPort]bool{}},
		worlds: map[*live]bool{}, done: map[*Case]*Result{}, tallies: map[*Case]*tally{},
	}
	for _, w := range r.Reports {
		s.reports = append(s.reports, &reportWriter{w: w})
	}
	if len(r.Plan) == 0 {
		return nil, fmt.Errorf("%w: no cases", ErrUsage)
	}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	defer s.close()
	s.header = Header{
		Kind: "header", Format: ReportFormat, Suite: r.Suite.Name, Version: Version, Spec: spec.Version, Started: s.began.UTC().Truncate(time.Second),
		Seed: r.Options.Seed, Target: TargetInfo{Address: r.Target.String()}, Profiles: []ClaimState{}, Cases: len(r.Suite.Cases), Planned: len(r.Plan),
	}
	if r.Command != nil {
		s.header.Target.Command = r.Command.Line
	}
	if s.rounds() > 1 {
		s.header.Rounds = s.rounds()
	}
	defer context.AfterFunc(ctx, s.interrupt)()
	s.arrive(ctx)
	if err := s.line(s.header); err != nil {
		s.harness = err.Error()
	}
	if r.Progress != nil {
		r.Progress.Begin(s.header)
	}
	if s.contract == "" && s.harness == "" {
		s.playRounds(ctx)
	}
	return s.finish(ctx), nil
}

func orDefault[T int | float64](v, d T) T {
	if v == 0 {
		return d
	}
	return v
}

// prepare checks what can be checked before anything is sent.
func (s *session) prepare() error {
	r := s.r
	if r.Command != nil {
		if err := r.Command.place(&r.Target); err != nil {
			return fmt.Errorf("%w: %w", ErrUsage, err)
		}
		if _, err := fields(r.Command.Line); err != nil {
			return fmt.Errorf("%w: --exec: %w", ErrUsage, err)
		}
	}
	for _, a := range []netip.AddrPort{r.Target.V4, r.Target.V6} {
		if !a.IsValid() {
			continue
		}
		if ip := a.Addr(); !r.Own && !ip.IsLoopback() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast() {
			return fmt.Errorf("%w: %v is neither loopback nor private. Judging a node means sending it hundreds of queries, many of them malformed: add --i-own-this-target if it is yours", ErrUsage, ip)
		}
		if a.Port() == 0 {
			return fmt.Errorf("%w: %v has no port", ErrUsage, a)
		}
	}
	if !r.Target.first().IsValid() {
		return fmt.Errorf("%w: no target", ErrUsage)
	}
	if r.Transcripts != "" {
		if err := os.MkdirAll(r.Transcripts, 0o755); err != nil {
			return fmt.Errorf("%w: the folder for transcripts: %w", ErrUsage, err)
		}
	}
	return nil
}

// finish counts, decides the exit code and writes the footer.
func (s *session) finish(ctx context.Context) *Summary {
	f := Footer{Kind: "footer", Counts: map[Verdict]int{}, TookMS: ms(udp.Now().Sub(s.began)), Crashes: s.deaths}
	if s.rounds() > 1 {
		f.Rounds, f.Plays, f.Flips = s.turn, s.plays(), new(s.flips())
	}
	s.checkLog()
	if ctx.Err() != nil {
		s.tellRest()
	}
	for _, r := range s.out {
		f.Counts[r.Verdict]++
		if r.Verdict.Judged() {
			f.Judged++
		}
		if r.Outcome.Fault != "" && s.harness == "" {
			s.harness = "a fault of the suite in " + r.Case.ID
		}
	}
	switch {
	case s.harness != "":
		f.Why = s.harness
	case ctx.Err() != nil:
		f.Why = fmt.Sprintf("interrupted after %d of %d cases", s.kept, len(s.r.Plan))
		if s.rounds() > 1 {
			f.Why += fmt.Sprintf(" of round %d of %d", s.turn+1, s.rounds())
		}
	case s.contract != "":
		f.Why = s.contract
	case s.lost != "":
		f.Why = s.lost
	}
	f.Whole = f.Why == ""
	f.Exit, f.Because = s.exit(f, ctx.Err() != nil)
	if err := s.line(f); err != nil && s.harness == "" {
		s.harness = err.Error()
		f.Whole, f.Why, f.Exit, f.Because = false, s.harness, ExitHarness, s.harness
	}
	sum := &Summary{Header: s.header, Results: s.out, Footer: f}
	if s.r.Progress != nil {
		s.r.Progress.End(sum)
	}
	return sum
}

// line writes a line to every report.
func (s *session) line(v any) (err error) {
	for _, r := range s.reports {
		err = errors.Join(err, r.line(v))
	}
	return err
}

func (s *session) exit(f Footer, interrupted bool) (Exit, string) {
	bad := f.Counts[Fail] + f.Counts[Crash] + f.Counts[Xpass] + f.Counts[Flaky]
	if s.r.Strict {
		bad += f.Counts[Warn]
	}
	unexplained := 0
	for _, d := range f.Crashes {
		if len(d.Culprits) == 0 {
			unexplained++
		}
	}
	switch {
	case s.harness != "":
		return ExitHarness, s.harness
	case interrupted:
		return ExitHarness, f.Why
	case s.contract != "":
		return ExitContract, s.contract
	case s.lost != "":
		return ExitContract, s.lost
	case bad > 0:
		return ExitFailed, fmt.Sprintf("%d of %d judged cases are not as they have to be", bad, f.Judged)
	case unexplained > 0:
		return ExitFailed, fmt.Sprintf("the target ended %s, and no case alone makes it end", counted(unexplained, "time"))
	}
	if why := s.vacuous(f); why != "" {
		return ExitVacuous, why
	}
	if n := f.Counts[Xfail]; n > 0 {
		return ExitConformant, fmt.Sprintf("%s judged; %d are not as the spec says, and the expectation file knows them", counted(f.Judged, "case"), n)
	}
	return ExitConformant, fmt.Sprintf("%s judged, none against the spec", counted(f.Judged, "case"))
}

// vacuous says why a run without failures shows nothing: every planned case that the target claims and the tester can play has to
// have been judged, and one at least for each claim.
func (s *session) vacuous(f Footer) string {
	unjudged := 0
	for _, r := range s.out {
		if r.Verdict == Inconclusive {
			unjudged++
		}
	}
	switch {
	case f.Judged == 0:
		return "no case was judged"
	case f.Judged < s.r.MinExecuted:
		return fmt.Sprintf("%s judged, and at least %d have to be", counted(f.Judged, "case"), s.r.MinExecuted)
	case unjudged > 0:
		return fmt.Sprintf("%d cases were inconclusive, so %d judged ones are too few", unjudged, f.Judged)
	}
	for _, c := range s.header.Profiles {
		if !c.Claimed || !s.plansAll(c.Profile) {
			continue
		}
		judged := slices.ContainsFunc(s.out, func(r *Result) bool { return r.Case.Profile == c.Profile && r.Verdict.Judged() })
		if !judged {
			return fmt.Sprintf("no case of %s, which the target claims, was judged", c.Profile)
		}
	}
	return ""
}

// plansAll reports whether all cases of a profile were to be played. Who chose some of them knows that they may show nothing.
func (s *session) plansAll(profile string) bool {
	count := func(cases []*Case) (n int) {
		for _, c := range cases {
			if c.Profile == profile && !c.Slow {
				n++
			}
		}
		return n
	}
	return count(s.r.Plan) > 0 && count(s.r.Plan) >= count(s.r.Suite.Cases)
}
