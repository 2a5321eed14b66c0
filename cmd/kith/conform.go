package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

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
	timeout     time.Duration
	strict      bool
	expect      string
	minExecuted int
	parallel    int
	rate        float64
	report      string
	json        bool
	transcripts string
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
		Args: cobra.NoArgs,
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

Start the node with an empty table and without a bootstrap. kith finds out which BEPs
it knows and judges those; --profile names them instead. With --exec kith starts the
node itself, again whenever it has crashed, and says which case did it. In the command
{listen} stands for the address to listen on, {bootstrap} for a node to begin at, and
{state} for a file that does not exist yet.

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
  kith conform dht 127.0.0.1:6881 [::1]:6881 --profile bep5,bep32
  kith conform dht 127.0.0.1:6881 --run 'dht-announce-*' --transcripts out
  kith conform dht --exec "node server.js {listen}" --report report.jsonl
  kith conform dht 127.0.0.1:6881 --expect mynode.json --rate 20`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return conformDHT(cmd, f, args) },
	}
	f.common(cmd)
	l := cmd.Flags()
	l.StringVar(&f.exec, "exec", "", "`command` that starts the target; {listen} {bootstrap} {state} are filled in")
	l.StringVar(&f.targetLog, "target-log", "", "`file` for what the target started by --exec prints")
	l.StringVar(&f.expect, "expect", "", "`file` of known deviations, each with its reason; they become xfail")
	l.BoolVar(&f.own, "i-own-this-target", false, "judge an address that is neither loopback nor private")
	return cmd
}

// common adds the flags of every command that plays cases.
func (f *conformFlags) common(cmd *cobra.Command) {
	l := cmd.Flags()
	l.StringSliceVar(&f.filter.Run, "run", nil, "only cases whose id matches a `glob`, such as 'dht-token-*'")
	l.StringSliceVar(&f.filter.Skip, "skip", nil, "no cases whose id matches a `glob`")
	l.StringSliceVar(&f.filter.Req, "req", nil, "only cases of a requirement, by its `id`")
	l.StringSliceVar(&f.filter.Profiles, "profile", nil, "judge these `profiles` and no others, without asking the target: "+strings.Join(conformance.Profiles, " "))
	l.BoolVar(&f.filter.Slow, "slow", false, "also the cases that wait for timers")
	l.Uint64Var(&f.seed, "seed", 1, "`number` that all random bytes of the run follow from")
	l.DurationVar(&f.timeout, "timeout", 2*time.Second, "how long an answer may take")
	l.BoolVar(&f.strict, "strict", false, "a SHOULD that is not kept fails the run")
	l.IntVar(&f.minExecuted, "min-executed", 0, "exit 5 unless at least so `many` cases are judged")
	l.IntVar(&f.parallel, "parallel", 16, "how `many` cases at once")
	l.Float64Var(&f.rate, "rate", 5000, "datagrams a `second` to the target, all cases together")
	l.StringVar(&f.report, "report", "", "`file` for the report, lines of JSON (see conformance/report.schema.json)")
	l.BoolVar(&f.json, "json", false, "the report on standard output instead of text")
	l.StringVar(&f.transcripts, "transcripts", "", "`folder` for the packets of each case, decoded, as lines of JSON")
	l.BoolVarP(&f.verbose, "verbose", "v", false, "a line for each case that passes, too")
	for _, flag := range []string{"run", "skip"} {
		mustComplete(cmd, flag, caseIDs)
	}
	mustComplete(cmd, "req", func() (ids []string) {
		for _, c := range dhtcases.Suite().Cases {
			ids = append(ids, c.Requirement.ID)
		}
		return ids
	})
	mustComplete(cmd, "profile", func() []string { return conformance.Profiles })
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
	if len(args) == 0 && f.exec == "" {
		return usage(cmd, errors.New("which target? An address such as 127.0.0.1:6881, or --exec with a command that starts one"))
	}
	var target conformance.Address
	for _, a := range args {
		addr, err := netip.ParseAddrPort(a)
		if err != nil {
			return usage(cmd, fmt.Errorf("%q is no address with a port, such as 127.0.0.1:6881: %w", a, err))
		}
		own := &target.V4
		if addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()); addr.Addr().Is6() {
			own = &target.V6
		}
		if own.IsValid() {
			return usage(cmd, errors.New("two addresses of one family; the second is for the other"))
		}
		*own = addr
	}
	r, done, err := f.runner(cmd, target)
	if err != nil {
		return usage(cmd, err)
	}
	r.Repeat = func(c *conformance.Case) string {
		return strings.Join(append([]string{"kith conform dht"}, f.again(args, c)...), " ")
	}
	sum, err := f.play(cmd, r)
	if err = errors.Join(err, done()); sum == nil {
		return usage(cmd, err)
	}
	if err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "kith: %v\n", err)
		return exit(conformance.ExitHarness)
	}
	return exit(sum.Exit())
}

// again is the command line, behind "kith conform dht", that plays one case as it was played.
func (f *conformFlags) again(args []string, c *conformance.Case) []string {
	words := append([]string(nil), args...)
	if f.exec != "" {
		words = append(words, "--exec", strconv.Quote(f.exec))
	}
	words = append(words, "--run", c.ID, "--seed", strconv.FormatUint(f.seed, 10))
	if c.Slow {
		words = append(words, "--slow")
	}
	if len(f.filter.Profiles) > 0 {
		words = append(words, "--profile", c.Profile)
	}
	if f.own {
		words = append(words, "--i-own-this-target")
	}
	return words
}

// runner makes the runner that the flags describe. done closes its files.
func (f *conformFlags) runner(cmd *cobra.Command, target conformance.Address) (r *conformance.Runner, done func() error, err error) {
	suite := dhtcases.Suite()
	r = &conformance.Runner{
		Suite: suite, Target: target, Profiles: f.filter.Profiles, Own: f.own,
		Options:  conformance.Options{Seed: f.seed, Timeout: f.timeout},
		Parallel: f.parallel, Rate: f.rate, MinExecuted: f.minExecuted, Strict: f.strict, Transcripts: f.transcripts,
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
		r.Reports = append(r.Reports, cmd.OutOrStdout())
	}
	return r, done, nil
}

// play runs r with a console beside it, until it ends or is interrupted.
func (f *conformFlags) play(cmd *cobra.Command, r *conformance.Runner) (*conformance.Summary, error) {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
	defer stop()
	if r.Progress == nil {
		r.Progress = f.console(cmd, r.Repeat)
	}
	return r.Run(ctx)
}

// console makes the console that fits where the output goes.
func (f *conformFlags) console(cmd *cobra.Command, repeat func(*conformance.Case) string) *conformance.Console {
	out := cmd.OutOrStdout()
	if f.json {
		out = cmd.ErrOrStderr()
	}
	c := &conformance.Console{W: out, Verbose: f.verbose, Repeat: repeat}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		c.Live = os.Getenv("TERM") != "dumb"
		c.Color = c.Live && os.Getenv("NO_COLOR") == ""
		c.Width, _, _ = term.GetSize(int(file.Fd()))
	}
	return c
}
