package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kith/conformance"
	"kith/internal/shim"
	"kith/testvectors"
)

type verifyFlags struct {
	chooser
	exec    string
	timeout time.Duration
	json    bool
}

func vectorsVerifyCommand() *cobra.Command {
	f := &verifyFlags{}
	cmd := &cobra.Command{
		Use:   "verify [DIR|FILE]...",
		Short: "Ask an implementation every vector, and compare its answers",
		Long: `Ask an implementation every vector, and compare its answers: this program's own, or with --exec any program that answers a line of
JSON with a line of JSON, as spec/shim.md says. The program is started once, and again when it has ended or gave no answer in time.

With a folder or files, those are checked first: that they are JSON, of this version and of the right form, and say what this version
says; then they are what is asked.

Exit codes: 0 every answer is right; 1 an answer, or a file, is wrong; 2 wrong usage, also a pattern that matches nothing; 3 the shim
cannot be started, or does not keep to the protocol; 4 a fault of the verifier or its surroundings; 5 nothing was asked, or an
operation that the shim claims was not.`,
		Example: `  kith vectors verify
  kith vectors verify --exec ./my-shim
  kith vectors verify --exec "node shim.js" --run 'wire-*' --json
  kith vectors verify vectors/`,
		ValidArgsFunction: offerFiles,
		RunE:              func(cmd *cobra.Command, args []string) error { return f.verify(cmd, args) },
	}
	f.flag(cmd)
	l := cmd.Flags()
	l.StringVar(&f.exec, "exec", "", "`command` that starts a shim, in place of this program's own")
	l.DurationVar(&f.timeout, "timeout", 10*time.Second, "how long an answer may take")
	l.BoolVar(&f.json, "json", false, "one line of JSON for each vector, and one for the whole")
	return cmd
}

func (f *verifyFlags) verify(cmd *cobra.Command, args []string) error {
	ours, err := testvectors.All()
	if err != nil {
		return failed(cmd, exitCode(conformance.ExitHarness), err)
	}
	if f.timeout <= 0 {
		return misused(cmd, "--timeout %v: not in the future", f.timeout)
	}
	if err := f.check(cmd, ours); err != nil {
		return misused(cmd, "%v", err)
	}
	vectors, problems, err := readVectors(args)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errNoVectors):
		return misused(cmd, "%v", err)
	case err != nil:
		return failed(cmd, exitCode(conformance.ExitHarness), err)
	case problems != nil:
		return f.tellProblems(cmd, problems)
	case len(args) == 0:
		vectors = ours
	}
	chosen := map[string]bool{}
	for i := range vectors {
		chosen[vectors[i].ID] = f.takes(&vectors[i])
	}
	for _, v := range ours { // a twin may stand in another file
		if _, there := chosen[v.ID]; !there {
			vectors = append(vectors, v)
		}
	}
	return f.ask(cmd, vectors, func(v *testvectors.Vector) bool { return chosen[v.ID] })
}

var errNoVectors = errors.New("no file in it ends with .json")

// readVectors reads files, and all files of folders.
func readVectors(args []string) (vectors []testvectors.Vector, problems []testvectors.Problem, err error) {
	for _, arg := range args {
		names := []string{arg}
		if info, err := os.Stat(arg); err != nil {
			return nil, nil, err
		} else if info.IsDir() {
			if names, err = filepath.Glob(filepath.Join(arg, "*.json")); err != nil {
				return nil, nil, err
			}
			if len(names) == 0 {
				return nil, nil, fmt.Errorf("%s has no vectors: %w", arg, errNoVectors)
			}
			for _, group := range testvectors.Groups() { // a folder is all of them
				if name := filepath.Join(arg, group+".json"); !slices.Contains(names, name) {
					problems = append(problems, testvectors.Problem{File: name, Text: "is missing"})
				}
			}
		}
		for _, name := range names {
			content, err := os.ReadFile(name)
			if err != nil {
				return nil, nil, err
			}
			found, wrong := testvectors.Check(filepath.Base(name), content)
			for i := range wrong {
				wrong[i].File = name
			}
			vectors, problems = append(vectors, found...), append(problems, wrong...)
		}
	}
	return vectors, problems, nil
}

// mostProblems is how many problems of files are shown: a file of another kind has thousands.
const mostProblems = 20

func (f *verifyFlags) tellProblems(cmd *cobra.Command, problems []testvectors.Problem) error {
	var b bytes.Buffer
	if f.json {
		e := json.NewEncoder(&b)
		for _, p := range problems {
			e.Encode(struct {
				File   string `json:"file"`
				Vector string `json:"vector,omitempty"`
				Field  string `json:"field,omitempty"`
				Text   string `json:"text"`
			}{p.File, p.Vector, p.Field, p.Text})
		}
	} else {
		for _, p := range problems[:min(mostProblems, len(problems))] {
			fmt.Fprintln(&b, p)
		}
		if n := len(problems) - mostProblems; n > 0 {
			fmt.Fprintf(&b, "and %s more\n", number(n, "problem"))
		}
		b.WriteString("nothing was asked\n")
	}
	if err := pour(cmd, b.String(), exitCode(conformance.ExitHarness)); err != nil {
		return err
	}
	return exitCode(conformance.ExitFailed)
}

func (f *verifyFlags) ask(cmd *cobra.Command, vectors []testvectors.Vector, chosen func(*testvectors.Vector) bool) error {
	ask := func() testvectors.Ask {
		s := shim.New()
		return func(request []byte) ([]byte, error) { return s.Answer(request), nil }
	}()
	ctx := cmd.Context()
	if f.exec != "" {
		s, err := conformance.StartShim(f.exec, f.timeout)
		if err != nil {
			return failed(cmd, exitCode(conformance.ExitContract), fmt.Errorf("cannot start the shim: %w", err))
		}
		defer s.Close()
		var stop func()
		ctx, stop = signal.NotifyContext(ctx, endings()...)
		defer stop()
		defer context.AfterFunc(ctx, s.Kill)() // the shim has a group of its own, which Ctrl-C does not reach
		ask = func(request []byte) ([]byte, error) {
			if ctx.Err() != nil {
				return nil, errInterrupted
			}
			return s.Ask(request)
		}
	}
	r := testvectors.Verify(vectors, ask, testvectors.Options{Select: chosen, Canary: rand.Text()})
	if ctx.Err() != nil {
		return failed(cmd, exitCode(conformance.ExitHarness), errInterrupted)
	}
	var b bytes.Buffer
	if f.json {
		verifyJSON(&b, r)
	} else {
		verifyText(&b, r, f.exec)
	}
	if err := pour(cmd, b.String(), exitCode(conformance.ExitHarness)); err != nil {
		return err
	}
	if r.Contract != nil && !f.json {
		fmt.Fprintf(cmd.ErrOrStderr(), "kith: %v\n", r.Contract)
	}
	return exit(verifyExit(r))
}

func verifyExit(r *testvectors.Report) conformance.Exit {
	switch {
	case r.Contract != nil:
		return conformance.ExitContract
	case r.Count(testvectors.Fail, testvectors.Broken, testvectors.Unclear) > 0:
		return conformance.ExitFailed
	case r.Vacuous() != "":
		return conformance.ExitVacuous
	}
	return conformance.ExitConformant
}

// verified is a vector in the report for programs.
type verified struct {
	ID          string                   `json:"id"`
	Type        string                   `json:"type"`
	Verdict     testvectors.Verdict      `json:"verdict"`
	Why         string                   `json:"why,omitempty"`
	Differences []testvectors.Difference `json:"differences,omitempty"`
}

// verifiedAll is the line for the whole.
type verifiedAll struct {
	Implementation string                      `json:"implementation"`
	Version        string                      `json:"version"`
	Capabilities   []string                    `json:"capabilities"`
	Counts         map[testvectors.Verdict]int `json:"counts"`
	Intermediate   int                         `json:"intermediate"`
	Snapshots      int                         `json:"snapshots"`
	Contract       string                      `json:"contract,omitempty"`
	Vacuous        string                      `json:"vacuous,omitempty"`
	Exit           int                         `json:"exit"`
}

func verifyJSON(w io.Writer, r *testvectors.Report) {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	counts := map[testvectors.Verdict]int{}
	for _, x := range r.Results {
		counts[x.Verdict]++
		e.Encode(verified{x.Vector.ID, x.Vector.Type, x.Verdict, x.Why, x.Differences})
	}
	sum := verifiedAll{
		Implementation: r.Implementation, Version: testvectors.Version, Capabilities: append([]string{}, r.Claimed...), Counts: counts,
		Intermediate: r.Intermediate, Snapshots: r.Snapshots, Vacuous: r.Vacuous(), Exit: int(verifyExit(r)),
	}
	if r.Contract != nil {
		sum.Contract = r.Contract.Error()
	}
	e.Encode(sum)
}

func verifyText(w io.Writer, r *testvectors.Report, exec string) {
	for i := range r.Results {
		if x := &r.Results[i]; x.Verdict.Failed() {
			showFailure(w, x, exec)
		}
	}
	name := r.Implementation
	if name == "" {
		name = "the shim"
	}
	counts := []string{fmt.Sprintf("%d pass", r.Count(testvectors.Pass))}
	for _, v := range []testvectors.Verdict{testvectors.Fail, testvectors.Broken, testvectors.Unclear, testvectors.Unsupported, testvectors.Limited, testvectors.NotRun} {
		if n := r.Count(v); n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, v))
		}
	}
	fmt.Fprintf(w, "%s: %s, version %s: %s\n", name, number(len(r.Results), "vector"), testvectors.Version, strings.Join(counts, ", "))
	notAsked(w, r)
	if r.Intermediate > 0 || r.Snapshots > 0 {
		fmt.Fprintf(w, "%s compared; %s looked at for traces\n", number(r.Intermediate, "intermediate value"), number(r.Snapshots, "refusal"))
	}
	if why := r.Vacuous(); why != "" && r.Contract == nil {
		fmt.Fprintf(w, "that says nothing: %s\n", why)
	}
}

// notAsked says what was left out, and why.
func notAsked(w io.Writer, r *testvectors.Report) {
	reasons, counts := []string{}, map[string]int{}
	for _, x := range r.Results {
		if x.Verdict == testvectors.Unsupported || x.Verdict == testvectors.Limited {
			if counts[x.Why]++; counts[x.Why] == 1 {
				reasons = append(reasons, x.Why)
			}
		}
	}
	for _, why := range reasons {
		fmt.Fprintf(w, "not asked: %s: %s\n", number(counts[why], "vector"), conformance.Wrap(why, 4, 92))
	}
	if len(r.Unknown) > 0 {
		fmt.Fprintf(w, "claimed, and asked for by no vector: %s\n", conformance.Wrap(strings.Join(r.Unknown, " "), 4, 92))
	}
}

func showFailure(w io.Writer, x *testvectors.Result, exec string) {
	fmt.Fprintf(w, "%s %s\n", strings.ToUpper(string(x.Verdict)), x.Vector.ID)
	line := func(head, text string) { fmt.Fprintf(w, "     %-9s %s\n", head, conformance.Wrap(text, 15, 92)) }
	line("is about", x.Vector.Comment)
	line("because", x.Why)
	for i, d := range x.Differences {
		if i == 4 {
			line("", fmt.Sprintf("and %s more", number(len(x.Differences)-i, "difference")))
			break
		}
		line("field", d.Field)
		line("expected", brief(d.Expected))
		line("observed", brief(d.Observed))
	}
	again := "kith vectors verify --run " + x.Vector.ID
	if exec != "" {
		again = "kith vectors verify --exec " + quoted(exec) + " --run " + x.Vector.ID
	}
	line("repeat", again)
}

// brief keeps a value to some lines.
func brief(s string) string {
	if len(s) > 300 {
		return fmt.Sprintf("%s… (%d characters)", s[:300], len(s))
	}
	return s
}
