package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"kith/conformance"
	dhtcases "kith/conformance/dht"
)

// A playing is a command that plays cases while it does.
type playing struct {
	f    *conformFlags
	cmd  *cobra.Command
	ctx  context.Context // done when the user, or the reader of what is said, has had enough
	stop context.CancelFunc
	out  *watched // standard output
}

// begin makes signals, and a reader that goes away, end the run in order, with its target and its report. A signal that comes later
// than a second after the first ends the program at once.
func (f *conformFlags) begin(cmd *cobra.Command) *playing {
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(cmd.Context(), endings()...)
	context.AfterFunc(ctx, func() { lateStop(stop) })
	return &playing{f, cmd, ctx, stop, &watched{w: cmd.OutOrStdout(), end: stop}}
}

// chooseSeed chooses the seed unless it was given. A target that kith starts knows nothing, and is sent the same bytes in every run. One that
// was there before may hold what the last run stored, and would rightly refuse to have that put once more.
func (f *conformFlags) chooseSeed(given, started bool) {
	switch {
	case given:
	case started:
		f.seed = 1
	default:
		f.seed, f.seedDrawn = uint64(rand.Uint32()), true
	}
}

// again is the command line, behind "kith conform dht", that plays one case as it was played.
func (f *conformFlags) again(cmd *cobra.Command, args []string, c *conformance.Case) []string {
	words := append([]string(nil), args...)
	if f.exec != "" {
		words = append(words, "--exec", quoted(f.exec))
	}
	words = append(words, "--run", c.ID)
	if !f.seedDrawn { // the target still has what was stored under that seed
		words = append(words, "--seed", strconv.FormatUint(f.seed, 10))
	}
	if c.Slow {
		words = append(words, "--slow")
	}
	if len(f.filter.Profiles) > 0 {
		words = append(words, "--profile", c.Profile)
	}
	for _, flag := range []string{"timeout", "rate"} {
		if cmd.Flags().Changed(flag) {
			words = append(words, "--"+flag, cmd.Flags().Lookup(flag).Value.String())
		}
	}
	if f.own {
		words = append(words, "--i-own-this-target")
	}
	return words
}

// quoted writes a word so that a shell reads it as it is.
func quoted(word string) string {
	if !strings.ContainsAny(word, "\"$`\\!") {
		return `"` + word + `"`
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// runner makes the runner that the flags describe. done closes its files.
func (p *playing) runner(target conformance.Address) (r *conformance.Runner, done func() error, err error) {
	f, suite := p.f, dhtcases.Suite()
	r = &conformance.Runner{
		Suite: suite, Target: target, Profiles: f.filter.Profiles, Own: f.own,
		Options: conformance.Options{Seed: f.seed, Timeout: f.timeout},
		Rounds:  f.repeat, Parallel: f.parallel, Rate: f.rate, MinExecuted: f.minExecuted, Strict: f.strict, Transcripts: f.transcripts,
	}
	if r.Plan, err = f.filter.Plan(suite); err != nil {
		return nil, nil, err
	}
	if f.exec != "" {
		r.Command = &conformance.Command{Line: f.exec, Log: f.targetLog}
	}
	if f.expect != "" {
		file, err := os.Open(f.expect)
		if err != nil {
			return nil, nil, err
		}
		defer file.Close()
		if r.Expect, err = conformance.ReadExpectations(file, suite); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", f.expect, err)
		}
	}
	done = func() error { return nil }
	if f.report != "" {
		file, err := os.Create(f.report)
		if err != nil {
			return nil, nil, err
		}
		done = file.Close
		r.Reports = append(r.Reports, file)
	}
	if f.json {
		r.Reports = append(r.Reports, p.cmd.OutOrStdout())
	}
	return r, done, nil
}

// play runs r with a console beside it, until it ends or is interrupted.
func (p *playing) play(r *conformance.Runner) (*conformance.Summary, error) {
	r.Progress = p.console(r.Repeat)
	return r.Run(p.ctx)
}

// console makes the console that fits where the text goes: standard output, or with --json the other stream.
func (p *playing) console(repeat func(*conformance.Case) string) *conformance.Console {
	c := &conformance.Console{W: p.out, Verbose: p.f.verbose, Repeat: repeat}
	to := p.cmd.OutOrStdout()
	if p.f.json {
		to = p.cmd.ErrOrStderr()
		c.W = to
	}
	if file, ok := to.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		c.Live = os.Getenv("TERM") != "dumb"
		c.Color = c.Live && os.Getenv("NO_COLOR") == ""
		c.Width, _, _ = term.GetSize(int(file.Fd()))
	}
	return c
}
