// Mutate measures how strong a judge is: the vectors, the conformance suite, a package's tests. It plants small faults in our
// own packages, one at a time, and counts which the judge notices.
//
//	go run ./internal/mutate -judge ./wire -run Vectors ./wire
//
// All mutants are compiled into one program, the judge, through the Go tool's -overlay: every place that can be mutated asks at
// run time which mutant is on. So each is judged in-process, by those cases only that execute its place. A judge is a main
// package that hands its cases to [mutants.Judge], or else the tests of a package.
//
// A mutant counts if its line is executed without mutants; it is killed if a case answers wrong, panics, runs away (executes 20
// times what it did and 100,000 places more), crashes or gives no answer in time. Survivors are listed. Each has to be reviewed in
// the file that -survivors names: harmless, which no input can show, or accepted, with the reason; none leaves the count.
//
// The exit code is 0 if at least -min percent are killed and the list fits, 1 if not, and 2 if there was nothing to measure.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"syscall"
	"time"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	cancel()
	os.Exit(code)
}

// options are the flags.
type options struct {
	judge, run, survivors, keep string

	min           float64
	json, verbose bool
	list          bool
	parallel      int
	deadline      time.Duration
}

// command is main without the process around it. It returns the exit code.
func command(ctx context.Context, args []string, out, complaint io.Writer) int {
	var o options
	f := flag.NewFlagSet("mutate", flag.ContinueOnError)
	f.SetOutput(complaint)
	f.Usage = func() {
		fmt.Fprintln(complaint, "usage: go run ./internal/mutate -judge PACKAGE [flags] PACKAGE...\n\nThe packages behind the flags are mutated.")
		f.PrintDefaults()
	}
	f.StringVar(&o.judge, "judge", "", "`package` that judges: a main package that calls mutants.Judge, or one with tests")
	f.StringVar(&o.run, "run", "", "the tests that judge: those whose names match the `regexp`")
	f.StringVar(&o.survivors, "survivors", "", "`file` with the survivors that were reviewed")
	f.StringVar(&o.keep, "keep", "", "`folder` to keep the rewritten files and the judge in; KITH_MUTANT=17 ./judge shows what mutant 17 does")
	f.Float64Var(&o.min, "min", 0, "least share of the executed mutants that must be killed, in `percent`")
	f.BoolVar(&o.json, "json", false, "write the report, with every mutant, as JSON")
	f.BoolVar(&o.verbose, "v", false, "write the reviewed survivors too")
	f.BoolVar(&o.list, "list", false, "list the mutants and judge none")
	f.IntVar(&o.parallel, "parallel", runtime.GOMAXPROCS(0), "judges at a time")
	f.DurationVar(&o.deadline, "deadline", 20*time.Second, "how long a judge may take for one mutant; a second try has three times as long")
	if err := f.Parse(args); err != nil {
		return 2
	}
	if f.NArg() == 0 || o.judge == "" && !o.list || o.parallel < 1 {
		f.Usage()
		return 2
	}
	good, err := measure(ctx, o, f.Args(), out, complaint)
	switch {
	case err != nil:
		fmt.Fprintln(complaint, "mutate:", err)
		return 2
	case !good:
		return 1
	}
	return 0
}

// measure does what the command is for and reports whether the run ends well.
func measure(ctx context.Context, o options, patterns []string, out, complaint io.Writer) (good bool, err error) {
	run, err := regexp.Compile(o.run)
	if err != nil {
		return false, err
	}
	var reviews []*review
	if o.survivors != "" {
		file, err := os.Open(o.survivors)
		if err != nil {
			return false, err
		}
		defer file.Close()
		if reviews, err = parseReviews(file); err != nil {
			return false, fmt.Errorf("%s: %w", o.survivors, err)
		}
	}
	line := newProgress(complaint)
	defer line.clear()
	line.show("reading")
	prog, judge, err := find(ctx, patterns, cmp.Or(o.judge, patterns[0]))
	if err != nil {
		return false, err
	}
	all, edits := mutate(prog)
	line.show("checking the types of %d mutants", len(all))
	files, err := rewriteAll(prog, all, edits)
	if err != nil {
		return false, err
	}
	r := &report{Judge: o.judge, Min: o.min, Mutants: all}
	if o.list {
		line.clear()
		for _, m := range all {
			if !o.json {
				fmt.Fprintln(out, m.ID, m.shown())
			}
		}
		if o.json {
			return true, r.json(out)
		}
		return true, nil
	}
	dir, err := folder(o.keep)
	if err != nil {
		return false, err
	}
	if o.keep == "" {
		defer os.RemoveAll(dir)
	}
	line.show("compiling %d mutants", len(all))
	binary, err := build(ctx, dir, files, judge, run)
	if err != nil {
		return false, err
	}
	t := &trial{judge: binary, mutants: all, users: findUsers(prog), parallel: o.parallel, deadline: o.deadline, progress: func(done, of int) {
		line.show("%d of %d mutants judged", done, of)
	}}
	line.show("running the judge without a mutant")
	if err := t.run(ctx); err != nil {
		return false, err
	}
	line.clear()
	r.Cases = len(t.baseline)
	r.Unreviewed, r.Stale = apply(reviews, all)
	if r.Packages, r.Sum, err = count(prog, all); err != nil {
		return false, err
	}
	r.Share = r.Sum.share()
	if o.json {
		return r.good(), r.json(out)
	}
	r.print(out, o.verbose)
	return r.good(), nil
}

// folder returns the absolute path of a folder that is there: of keep, or of a new one if that is empty.
func folder(keep string) (string, error) {
	if keep == "" {
		return os.MkdirTemp("", "kith-mutants-")
	}
	dir, err := filepath.Abs(keep)
	if err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o700)
}

// find loads the packages that are mutated, in the order of their paths, and finds the one that judges.
func find(ctx context.Context, patterns []string, judge string) (*program, listed, error) {
	targets, err := goList(ctx, patterns...)
	if err != nil {
		return nil, listed{}, err
	}
	var paths []string
	for _, p := range targets {
		paths = append(paths, p.ImportPath)
	}
	who, err := goList(ctx, judge)
	if err != nil {
		return nil, listed{}, err
	}
	if len(who) != 1 {
		return nil, listed{}, fmt.Errorf("one package judges, but %s names %d", judge, len(who))
	}
	all, err := goList(ctx, slices.Concat([]string{"-export", "-deps"}, paths, []string{hooks})...)
	if err != nil {
		return nil, listed{}, err
	}
	prog, err := load(all, paths)
	return prog, who[0], err
}

// A progress is the line at the bottom of a terminal. Where there is none it is nothing.
type progress struct {
	w  io.Writer
	on bool
}

func newProgress(w io.Writer) *progress {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return &progress{w: w}
	}
	info, err := f.Stat()
	return &progress{w, err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (p *progress) show(format string, args ...any) {
	if p.on {
		fmt.Fprintf(p.w, "\r"+format+"\x1b[K", args...)
	}
}

func (p *progress) clear() {
	if p.on {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
