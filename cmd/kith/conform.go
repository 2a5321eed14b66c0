package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kith/conformance"
	dhtcases "kith/conformance/dht"
)

// exit turns an exit code into what RunE returns.
func exit(e conformance.Exit) error {
	if e == conformance.ExitConformant {
		return nil
	}
	return exitCode(e)
}

// conformFlags are the flags of every command that plays cases.
type conformFlags struct {
	filter      conformance.Filter
	seed        uint64
	seedDrawn   bool
	timeout     time.Duration
	strict      bool
	expect      string
	minExecuted int
	parallel    int
	rate        float64
	report      string
	json        bool
	transcripts string
	repeat      int
	verbose     bool
	own         bool
	exec        string
	targetLog   string
}

func conformCommand() *cobra.Command {
	f := &conformFlags{}
	cmd := &cobra.Command{
		Use:   "conform",
		Short: "Judge somebody else's implementation by the spec",
		Long: `Judge somebody else's implementation by the spec.

Without arguments kith starts its own reference node on loopback, plays every case
against it, and then once more against a node with planted faults, so that you see
what a failure looks like.

Exit codes: 0 conformant; 1 a case failed, crashed the target or passed unexpectedly;
2 wrong usage, also a filter that matches nothing; 3 the target cannot be reached,
or was lost; 4 a fault of the suite or its surroundings, such as a full disk;
5 too few cases could be judged.`,
		Example: `  kith conform
  kith conform dht 127.0.0.1:6881
  kith conform dht --exec "./mynode --listen {listen} --bootstrap {bootstrap}"
  kith conform explain dht-announce-token`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return conformDefault(cmd, f) },
	}
	f.common(cmd)
	cmd.AddCommand(conformDHTCommand(), conformListCommand(), conformShowCommand(), conformExplainCommand(), conformReportCommand())
	return cmd
}

func conformDHTCommand() *cobra.Command {
	f := &conformFlags{}
	cmd := &cobra.Command{
		Use:   "dht ADDR [ADDR6]",
		Short: "Judge a node of the Mainline DHT",
		Long: `Judge a node of the Mainline DHT at a UDP address, and by a second address also in IPv6.
A host name will do.

Start the node with an empty table and without a bootstrap. kith finds out which BEPs
it knows and judges those; --profile names them instead. With --exec kith starts the
node itself, again whenever it has crashed, and says which case did it. In the command
{listen} stands for the address to listen on, {bootstrap} for a node to begin at, and
{state} for a file that does not exist yet; {listen6}, where it stands, for an address
of IPv6 beside {listen}, so that the node is judged in both families.

With --repeat the plan is played again and again, each time with other bytes, to find
verdicts that are not always the same. A target that --exec starts is started anew for
each round; one at an address is kept, and after a few rounds its table may be full.

On Linux every case speaks from addresses of its own in 127/8, because nodes silence an
address that sends much. --rate slows the whole run down for nodes that limit all their
answers together.

What is known not to be right can be written into an expectation file. It names the suite
and each case, the sentence of the document and what the node does instead; a case that
passes although it stands there is an error.

  {"suite": "` + conformance.Version + `", "cases": ` + strconv.Itoa(len(dhtcases.Suite().Cases)) + `, "target": "mynode 1.2", "expect": [
    {"id": "dht-token-203", "verdict": "warn",
     "cites": "BEP 5: \"203: Protocol Error, such as ... bad token\"",
     "did": "drops the announcement in silence, server.c:310", "until": "2027-06-30"}]}`,
		Example: `  kith conform dht 127.0.0.1:6881
  kith conform dht localhost:6881
  kith conform dht 127.0.0.1:6881 [::1]:6881 --profile bep5,bep32
  kith conform dht 127.0.0.1:6881 --run 'dht-announce-*' --transcripts out
  kith conform dht --exec "node server.js {listen}" --report report.jsonl
  kith conform dht 127.0.0.1:6881 --expect mynode.json --rate 20`,
		RunE: func(cmd *cobra.Command, args []string) error { return conformDHT(cmd, f, args) },
	}
	f.common(cmd)
	l := cmd.Flags()
	l.StringVar(&f.exec, "exec", "", "`command` that starts the target; {listen} {listen6} {bootstrap} {state} are filled in")
	l.StringVar(&f.targetLog, "target-log", "", "`file` for what the target started by --exec prints")
	l.StringVar(&f.expect, "expect", "", "`file` of known deviations, each with its reason; they become xfail")
	l.BoolVar(&f.own, "i-own-this-target", false, "judge an address that is neither loopback nor private")
	filesAt(cmd, "target-log", "expect")
	return cmd
}

// common adds the flags of every command that plays cases.
func (f *conformFlags) common(cmd *cobra.Command) {
	l := cmd.Flags()
	l.StringSliceVar(&f.filter.Run, "run", nil, "only cases whose id matches a `glob`, such as 'dht-announce-*'")
	l.StringSliceVar(&f.filter.Skip, "skip", nil, "no cases whose id matches a `glob`")
	l.StringSliceVar(&f.filter.Req, "req", nil, "only cases of a requirement, by its `id`")
	l.StringSliceVar(&f.filter.Profiles, "profile", nil, "judge these `profiles` and no others, without asking the target: "+strings.Join(conformance.Profiles, " "))
	l.BoolVar(&f.filter.Slow, "slow", false, "also the cases that wait for timers")
	l.Uint64Var(&f.seed, "seed", 0, "`number` that all random bytes follow from (default 1 for a target that kith starts, else drawn)")
	l.DurationVar(&f.timeout, "timeout", 2*time.Second, "how long an answer may take")
	l.BoolVar(&f.strict, "strict", false, "a SHOULD that is not kept fails the run")
	l.IntVar(&f.minExecuted, "min-executed", 0, "exit 5 unless at least that `number` of cases is judged")
	l.IntVar(&f.parallel, "parallel", 16, "`number` of cases at once")
	l.Float64Var(&f.rate, "rate", 5000, "`datagrams` a second to the target, all cases together")
	l.StringVar(&f.report, "report", "", "`file` for the report, lines of JSON (see conformance/report.schema.json)")
	l.BoolVar(&f.json, "json", false, "the report on standard output instead of text")
	l.StringVar(&f.transcripts, "transcripts", "", "`folder` for the packets of each case, decoded, as lines of JSON")
	l.IntVar(&f.repeat, "repeat", 1, "`rounds` to play; a case whose verdict is not always the same is flaky and fails the run")
	l.BoolVarP(&f.verbose, "verbose", "v", false, "a line for each case that passes, too")
	completeFilters(cmd)
	filesAt(cmd, "report")
	if err := cmd.MarkFlagDirname("transcripts"); err != nil {
		panic(err) // the flag was defined some lines above
	}
}

// completeFilters completes the flags that choose cases.
func completeFilters(cmd *cobra.Command) {
	for _, flag := range []string{"run", "skip"} {
		mustComplete(cmd, flag, caseIDs)
	}
	mustComplete(cmd, "req", func() (ids []string) {
		for _, q := range judged() {
			ids = append(ids, q.ID+"\t"+q.Text)
		}
		return ids
	})
	mustComplete(cmd, "profile", func() []string { return conformance.Profiles })
}

// offerFiles lets the shell complete a word by the names of files.
func offerFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

// filesAt completes flags by the names of files.
func filesAt(cmd *cobra.Command, flags ...string) {
	for _, flag := range flags {
		if err := cmd.RegisterFlagCompletionFunc(flag, offerFiles); err != nil {
			panic(err) // the flag was defined some lines above
		}
	}
}

func mustComplete(cmd *cobra.Command, flag string, words func() []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words(), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // the flag was defined some lines above
	}
}

func caseIDs() (ids []string) {
	for _, c := range dhtcases.Suite().Cases {
		ids = append(ids, c.ID+"\t"+c.Requirement.Text)
	}
	return ids
}

// usage says what was wrong with the command line, and how to go on.
func usage(cmd *cobra.Command, err error) error {
	fmt.Fprintf(cmd.ErrOrStderr(), "kith: %s\nTry: %s --help\n", strings.TrimPrefix(err.Error(), conformance.ErrUsage.Error()+": "), cmd.CommandPath())
	return exitCode(conformance.ExitUsage)
}

// conformDHT is kith conform dht.
func conformDHT(cmd *cobra.Command, f *conformFlags, args []string) error {
	if len(args) > 2 {
		return usage(cmd, fmt.Errorf("%q: it takes at most two addresses", args[2]))
	}
	if len(args) == 0 && f.exec == "" {
		return usage(cmd, errors.New("which target? An address such as 127.0.0.1:6881, or --exec with a command that starts one"))
	}
	err := f.check(cmd.Flags().Changed)
	if err == nil {
		err = f.openTargetLog()
	}
	if err != nil {
		return usage(cmd, err)
	}
	f.chooseSeed(cmd.Flags().Changed("seed"), f.exec != "")
	target, err := findTarget(cmd.Context(), args)
	switch {
	case errors.Is(err, errNoAddress):
		return failed(cmd, exitCode(conformance.ExitContract), err)
	case err != nil:
		return usage(cmd, err)
	}
	p := f.begin(cmd)
	defer p.stop()
	r, done, err := p.runner(target)
	if err != nil {
		return usage(cmd, err)
	}
	r.Repeat = func(c *conformance.Case) string {
		return strings.Join(append([]string{"kith conform dht"}, f.again(cmd, args, c)...), " ")
	}
	sum, err := p.play(r)
	if err = errors.Join(err, done()); sum == nil {
		return usage(cmd, err)
	}
	if err = errors.Join(err, p.out.fault()); err != nil {
		return failed(cmd, exitCode(conformance.ExitHarness), err)
	}
	return exit(sum.Exit())
}
