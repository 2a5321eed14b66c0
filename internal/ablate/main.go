// Ablate takes rules out of our own packages, one at a time, and shows that the simulation of the peer notices.
//
//	go run ./internal/ablate peer/ablations.txt
//
// A simulation that finds nothing is worth what it could have found. Each ablation is a small replacement in one or two files, compiled in through the Go tool's
// -overlay, so that the product has no switch for it. The simulation then runs seed by seed and has to fail, in one of the ways that the ablation names: lost,
// doubled, order, wedged, split, or another that the simulation prints behind "violation:".
//
// The exit code is 0 if every ablation was noticed, 1 if one was not, and 2 if the list does not fit the code, or something else could not be done.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// options are the flags.
type options struct {
	pkg, test string
	run       *regexp.Regexp
	seeds     int
	first     uint64
	parallel  int
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	cancel()
	os.Exit(code)
}

// command is main without the process around it. It returns the exit code.
func command(ctx context.Context, args []string, out, complaint io.Writer) int {
	var o options
	f := flag.NewFlagSet("ablate", flag.ContinueOnError)
	f.SetOutput(complaint)
	f.Usage = func() {
		fmt.Fprintln(complaint, "usage: go run ./internal/ablate [flags] FILE\n\nFILE lists what is taken away.")
		f.PrintDefaults()
	}
	f.StringVar(&o.pkg, "pkg", "./peer", "`package` with the simulation")
	f.StringVar(&o.test, "test", "TestSimulation", "the test that is the simulation, with the flags -sim.seeds and -sim.first")
	run := f.String("run", "", "only ablations whose names match the `regexp`")
	f.IntVar(&o.seeds, "seeds", 500, "within so many seeds an ablation has to be noticed")
	f.Uint64Var(&o.first, "first", 1, "the first seed")
	f.IntVar(&o.parallel, "parallel", 2, "ablations at a time")
	if err := f.Parse(args); err != nil {
		return 2
	}
	if f.NArg() != 1 || o.seeds < 1 || o.parallel < 1 {
		f.Usage()
		return 2
	}
	var err error
	if o.run, err = regexp.Compile(*run); err != nil {
		fmt.Fprintln(complaint, "ablate:", err)
		return 2
	}
	missed, err := judge(ctx, o, f.Arg(0), out)
	switch {
	case err != nil:
		fmt.Fprintln(complaint, "ablate:", err)
		return 2
	case missed > 0:
		return 1
	}
	return 0
}

// A verdict is what the simulation said about one ablation.
type verdict struct {
	found string // the kind of violation, empty if there was none
	seed  uint64
	err   error
}

// judge has the simulation run for each ablation of a list, and returns how many it did not notice.
func judge(ctx context.Context, o options, list string, out io.Writer) (missed int, err error) {
	text, err := os.ReadFile(list)
	if err != nil {
		return 0, err
	}
	all, err := parse(string(text))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", list, err)
	}
	var chosen []*ablation
	for _, a := range all {
		if o.run.MatchString(a.name) {
			chosen = append(chosen, a)
		}
	}
	if len(chosen) == 0 {
		return 0, errors.New("no ablation was chosen")
	}
	dir, err := os.MkdirTemp("", "ablate")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)

	verdicts := make([]verdict, len(chosen))
	ready := make([]chan struct{}, len(chosen))
	slots := make(chan struct{}, o.parallel)
	var wg sync.WaitGroup
	for i, a := range chosen {
		ready[i] = make(chan struct{})
		wg.Go(func() {
			defer close(ready[i])
			slots <- struct{}{}
			defer func() { <-slots }()
			verdicts[i] = try(ctx, o, a, filepath.Join(dir, strconv.Itoa(i)))
		})
	}
	defer wg.Wait()
	for i, a := range chosen {
		<-ready[i]
		v := verdicts[i]
		switch {
		case v.err != nil:
			return 0, fmt.Errorf("%s: %w", a.name, v.err)
		case v.found == "":
			missed++
			fmt.Fprintf(out, "MISSED  %-34s %s: %d seeds found nothing\n", a.name, a.what, o.seeds)
		case !a.allows(v.found):
			missed++
			fmt.Fprintf(out, "OTHER   %-34s %s: seed %d found %s, expected %s\n", a.name, a.what, v.seed, v.found, strings.Join(a.finds, " or "))
		default:
			fmt.Fprintf(out, "found   %-34s %s: %s, seed %d\n", a.name, a.what, v.found, v.seed)
		}
	}
	fmt.Fprintf(out, "%d of %d noticed\n", len(chosen)-missed, len(chosen))
	return missed, nil
}

// violationLine is what the simulation prints of what it found first.
var violationLine = regexp.MustCompile(`violation: ([a-z]+) .*seed (\d+)`)

// try compiles the simulation without a rule and runs it.
func try(ctx context.Context, o options, a *ablation, dir string) verdict {
	replace, err := a.apply(dir)
	if err != nil {
		return verdict{err: err}
	}
	overlay := filepath.Join(dir, "overlay.json")
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return verdict{err: err}
	}
	if err := os.WriteFile(overlay, b, 0o600); err != nil {
		return verdict{err: err}
	}
	program, pkg, args := filepath.Join(dir, "simulation.test"), o.pkg, []string{"-test.run", "^" + o.test + "$", "-sim.seeds", strconv.Itoa(o.seeds), "-sim.first", strconv.FormatUint(o.first, 10)}
	if a.pkg != "" {
		pkg, args = a.pkg, append([]string{"-test.run", "^" + a.test + "$"}, a.args...)
	}
	if said, err := exec.CommandContext(ctx, "go", "test", "-c", "-overlay", overlay, "-o", program, pkg).CombinedOutput(); err != nil {
		return verdict{err: fmt.Errorf("does not compile: %w\n%s", err, said)}
	}
	if err := ctx.Err(); err != nil {
		return verdict{err: err}
	}
	c := exec.CommandContext(ctx, program, args...)
	c.Dir = pkg
	said, err := c.CombinedOutput()
	if err == nil {
		return verdict{}
	}
	if a.pkg != "" && strings.Contains(string(said), "--- FAIL: "+a.test) {
		return verdict{found: a.finds[0]}
	}
	if m := violationLine.FindSubmatch(said); m != nil {
		seed, _ := strconv.ParseUint(string(m[2]), 10, 64)
		return verdict{found: string(m[1]), seed: seed}
	}
	if i := strings.Index(string(said), "panic: "); i >= 0 && ctx.Err() == nil {
		return verdict{found: "panic"}
	}
	return verdict{err: fmt.Errorf("the simulation did not run: %w\n%s", err, said)}
}
