package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// demoPatience is how long a step may take. All of them together take about a second.
const demoPatience = 20 * time.Second

// demoFlags are those of kith demo.
type demoFlags struct {
	json    bool
	verbose bool
}

func demoCommand() *cobra.Command {
	f := &demoFlags{}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch two people find each other and talk, on this machine",
		Long: `Watch two people find each other and talk, on this machine alone.

A DHT of 40 nodes, and alice and bob, who know nothing but each other's address: all of
them real, in this one process, and joined by nothing but UDP on 127.0.0.1. They find each
other, talk, lose their networks, come back at other ports, and part. Each step says what
happened, when, and what crossed the wire; at the end everything that crossed is searched
for what nobody must see. Nothing is read from your disk or left on it.

With --verbose every datagram has a line: when, from whom to whom, how long, what it is,
and who can read it. With --json every line is an object: step, datagram (with --verbose),
search, failed.

Exit codes: 0 all of it worked, and nothing leaked; 1 it did not; 2 wrong usage.`,
		Example: `  kith demo
  kith demo --verbose | less
  kith demo --json | jq -r 'select(.event == "step") | "\(.at_ms) \(.says)"'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDemo(cmd, f, demoScript) },
	}
	cmd.Flags().BoolVar(&f.json, "json", false, "lines of JSON")
	cmd.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "every datagram too")
	return cmd
}

func runDemo(cmd *cobra.Command, f *demoFlags, script demoTexts) error {
	// A reader that goes away must not end this before the folder is removed.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(cmd.Context(), endings()...)
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := &watched{w: cmd.OutOrStdout(), end: cancel}
	p, undo := newDemoPrinter(cmd, out, f)
	defer undo()
	err := play(ctx, p, script)
	if _, broken := out.Write(nil); broken != nil {
		if out.fault() == nil {
			return nil // who read it has gone, and has read enough
		}
		return failed(cmd, exitFailed, fmt.Errorf("cannot write: %w", broken))
	}
	if err == nil {
		return nil
	}
	var failure *demoFailure
	if !errors.As(err, &failure) {
		failure = &demoFailure{Step: "end", err: err}
	}
	if ctx.Err() != nil {
		failure.err, failure.Do = errors.New("interrupted"), ""
	}
	p.failed(failure)
	return failed(cmd, exitFailed, failure)
}

// A demoFailure is a step that did not work.
type demoFailure struct {
	Step string
	Do   string // what may help; empty: nothing
	err  error
}

func (f *demoFailure) Unwrap() error { return f.err }

func (f *demoFailure) Error() string {
	s := fmt.Sprintf("demo: step %s: %v", f.Step, f.err)
	if f.Do != "" {
		s += "\n" + f.Do
	}
	return s
}

// play plays the whole demonstration in a world of its own, of which nothing is left.
func play(ctx context.Context, p *demoPrinter, script demoTexts) (err error) {
	w, err := newDemoWorld()
	if err != nil {
		return &demoFailure{Step: "begin", err: err, Do: "A folder for temporary files is needed: see TMPDIR."}
	}
	defer func() { err = errors.Join(err, w.close()) }()
	p.begin()
	d := &demo{demoWorld: w, printer: p, decoder: newDecoder(w.capture), script: script}
	for _, s := range []demoStep{
		{"strangers", d.gather, "Forty sockets on 127.0.0.1 are needed: see ulimit -n, and whether a firewall holds back UDP even there."},
		{"people", d.introduce, ""},
		{"join", d.join, demoQuiet},
		{"publish", d.publish, demoQuiet},
		{"find", d.find, demoQuiet},
		{"meet", d.meet, demoQuiet},
		{"talk", d.talk, demoQuiet},
		{"alice moves", func(ctx context.Context) error { return d.move(ctx, w.alice, script.lost[0], script.back[0]) }, demoQuiet},
		{"bob moves", func(ctx context.Context) error { return d.move(ctx, w.bob, script.lost[1], script.back[1]) }, demoQuiet},
		{"part", d.part, demoQuiet},
		{"search", d.search, "Something crossed the wire that nobody must see. Please report it as SECURITY.md says."},
	} {
		d.name = s.name
		if err := d.take(ctx, s); err != nil {
			return &demoFailure{Step: s.name, Do: s.do, err: err}
		}
	}
	return nil
}

// demoQuiet is what to do when somebody waited in vain.
const demoQuiet = "Does a firewall hold back UDP on 127.0.0.1, or has this machine much else to do? See the last datagrams with --verbose."

// A demoStep is one step, and what to do where it does not work.
type demoStep struct {
	name string
	play func(context.Context) error
	do   string
}

// take plays a step.
func (d *demo) take(ctx context.Context, s demoStep) error {
	ctx, cancel := context.WithTimeoutCause(ctx, demoPatience, fmt.Errorf("nothing for %v", demoPatience))
	defer cancel()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err := s.play(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = context.Cause(ctx)
	}
	if err != nil {
		d.printer.datagrams(d.rest())
	}
	return err
}
