package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"kith/conformance"
	dhtcases "kith/conformance/dht"
	"kith/spec"
)

// listed is a case as `list --json` shows it.
type listed struct {
	ID          string           `json:"id"`
	Requirement string           `json:"requirement"`
	Level       string           `json:"level"`
	Text        string           `json:"text"`
	Profile     string           `json:"profile"`
	Kind        conformance.Kind `json:"case_kind"`
	Slow        bool             `json:"slow,omitempty"`
	Defined     string           `json:"defined"`
}

func conformListCommand() *cobra.Command {
	f := &conformFlags{}
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the cases",
		Example: "  kith conform list --profile bep44\n  kith conform list --req dht-put-token --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			plan, err := f.filter.Plan(dhtcases.Suite())
			if err != nil {
				return usage(cmd, err)
			}
			if f.json {
				return listJSON(cmd.OutOrStdout(), plan)
			}
			return listText(cmd.OutOrStdout(), plan)
		},
	}
	l := cmd.Flags()
	l.StringSliceVar(&f.filter.Run, "run", nil, "only cases whose id matches a `glob`")
	l.StringSliceVar(&f.filter.Skip, "skip", nil, "no cases whose id matches a `glob`")
	l.StringSliceVar(&f.filter.Req, "req", nil, "only cases of a requirement, by its `id`")
	l.StringSliceVar(&f.filter.Profiles, "profile", nil, "only cases of these `profiles`")
	l.BoolVar(&f.filter.Slow, "slow", true, "also the slow ones")
	l.BoolVar(&f.json, "json", false, "one line of JSON for each case")
	return cmd
}

func listText(w io.Writer, plan []*conformance.Case) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	requirements := map[string]bool{}
	for _, c := range plan {
		requirements[c.Requirement.ID] = true
		slow := ""
		if c.Slow {
			slow = "slow"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", c.ID, c.Requirement.Level, c.Profile, c.Kind, slow)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d cases of %d requirements; kith conform show ID says more\n", len(plan), len(requirements))
	return err
}

func listJSON(w io.Writer, plan []*conformance.Case) error {
	e := json.NewEncoder(w)
	for _, c := range plan {
		q := c.Requirement
		if err := e.Encode(listed{c.ID, q.ID, string(q.Level), q.Text, c.Profile, c.Kind, c.Slow, fmt.Sprintf("conformance/dht/%s:%d", c.File, c.Line)}); err != nil {
			return err
		}
	}
	return nil
}

// completeCase offers the ids of cases, once.
func completeCase(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return caseIDs(), cobra.ShellCompDirectiveNoFileComp
}

// findCase finds the case of an id, or says what it could have been.
func findCase(id string) (*conformance.Case, error) {
	suite := dhtcases.Suite()
	if c := suite.Find(id); c != nil {
		return c, nil
	}
	_, err := conformance.Filter{Run: []string{id}, Slow: true}.Plan(suite)
	if err == nil {
		err = errors.New("that is a pattern; give the id of one case")
	}
	return nil, err
}

func conformShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "show ID",
		Short:             "Show what a case judges, how it is written and the packets it exchanges",
		Long:              "Show what a case judges, how it is written, and the packets that pass between it and the\nreference node (played in virtual time; nothing is sent).",
		Example:           "  kith conform show dht-ping",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeCase,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := findCase(args[0])
			if err != nil {
				return usage(cmd, err)
			}
			return showCase(cmd.OutOrStdout(), c)
		},
	}
}

func showCase(w io.Writer, c *conformance.Case) error {
	heading(w, c)
	fmt.Fprintf(w, "\nconformance/dht/%s:%d\n\n%s\n", c.File, c.Line, indent(dhtcases.Source(c)))
	run, err := dhtcases.Demonstrate(c)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nAgainst the reference node: %s\n\n", run.Outcome.Verdict)
	for _, e := range run.Log.Entries {
		at := fmt.Sprintf("%8.1f ms", float64(e.At.Microseconds())/1000)
		switch e.Op {
		case conformance.OpOpen:
			fmt.Fprintf(w, "  %s  #%-3d node %d at %v\n", at, e.N, e.Sock, e.Addr)
		case conformance.OpSend:
			fmt.Fprintf(w, "  %s  #%-3d %d →  %s\n", at, e.N, e.Sock, conformance.Brief(e.Data))
		case conformance.OpRecv:
			fmt.Fprintf(w, "  %s  #%-3d %d ←  %s\n", at, e.N, e.Sock, conformance.Brief(e.Data))
		case conformance.OpWait:
			fmt.Fprintf(w, "  %s  #%-3d nothing more\n", at, e.N)
		}
	}
	return nil
}

func heading(w io.Writer, c *conformance.Case) {
	q := c.Requirement
	fmt.Fprintf(w, "%s\n\n  %s\n", c.ID, conformance.Wrap(q.Text, 2, 92))
	fmt.Fprintf(w, "\n  requirement  %s, spec/%s.md, %q\n", q.ID, q.Chapter, q.Section)
	if q.Source != "" {
		fmt.Fprintf(w, "  from         %s\n", q.Source)
	}
	fmt.Fprintf(w, "  binds        %s\n  profile      %s\n  kind         %s: %s\n", q.Binds, c.Profile, c.Kind, kindText[c.Kind])
}

var kindText = map[conformance.Kind]string{
	conformance.Accept:  "the target has to do something",
	conformance.Reject:  "the target has to refuse, and to accept the right twin before and after",
	conformance.Silence: "the target has to say nothing, and to answer the right twin before and after",
	conformance.Survive: "the target may answer what it likes, and has to go on working without the effect",
}

func indent(s string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n    ")
}

func conformExplainCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "explain ID",
		Short:             "Explain what it means that a case fails, and how to mend it",
		Example:           "  kith conform explain dht-announce-token-ip",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeCase,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := findCase(args[0])
			if err != nil {
				return usage(cmd, err)
			}
			explainCase(cmd.OutOrStdout(), c)
			return nil
		},
	}
}

func explainCase(w io.Writer, c *conformance.Case) {
	heading(w, c)
	x := dhtcases.Explain(c.Requirement.ID)
	section(w, "The document says", x.Sentence)
	section(w, "If it fails", strings.TrimSpace(severityText(c)+"\n"+x.Harm))
	section(w, "To mend it", x.Mend)
	section(w, "Why it reads so", rationale(c.Requirement.ID))
	fmt.Fprintf(w, "\nTo see the packets: kith conform show %s\nTo see your node's: kith conform dht ADDR --run %s --transcripts DIR\n", c.ID, c.ID)
}

// section writes a heading and a text, or nothing.
func section(w io.Writer, heading, text string) {
	if text != "" {
		fmt.Fprintf(w, "\n%s\n\n    %s\n", heading, conformance.Wrap(text, 4, 92))
	}
}

// rationale finds the paragraph of spec/rationale.md that speaks of a requirement.
func rationale(id string) string {
	for _, chapter := range spec.Chapters() {
		if chapter.Name != "rationale" {
			continue
		}
		for p := range strings.SplitSeq(chapter.Text, "\n\n") {
			if strings.Contains(p, "`"+id+"`") {
				return strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(p), "\n", " "), "**", "")
			}
		}
	}
	return ""
}

// severityText says what the verb of the requirement makes of a failure.
func severityText(c *conformance.Case) string {
	switch l := c.Requirement.Level; {
	case c.Profile == "kith":
		return "This binds Kith nodes only. A foreign node is not asked, unless --profile kith was given."
	case strings.HasPrefix(string(l), "MUST"):
		return "The node does not do what every node of the network relies on: fail, exit code 1."
	case strings.HasPrefix(string(l), "SHOULD"):
		return "The node may have a reason, and its users will notice: warn, which fails the run only with --strict."
	}
	return "The node made use of a freedom that others have to expect: info."
}

func conformReportCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "report FILE",
		Short:   "Read a report back, and say whether it is whole",
		Example: "  kith conform report report.jsonl",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return usage(cmd, err)
			}
			defer f.Close()
			r, err := conformance.ReadReport(f)
			if err != nil {
				return usage(cmd, err)
			}
			w := cmd.OutOrStdout()
			fmt.Fprintf(w, "%s %s against %s, seed %d, %s\n", r.Header.Suite, r.Header.Version, r.Header.Target.Address, r.Header.Seed, r.Header.Started.Format("2006-01-02 15:04 MST"))
			counts := map[conformance.Verdict]int{}
			for _, c := range r.Cases {
				counts[c.Verdict]++
				if c.Verdict != conformance.Pass && c.Verdict != conformance.Unsupported {
					fmt.Fprintf(w, "%-12s %s  expected %s; observed %s\n", c.Verdict, c.ID, c.Expected, c.Observed)
				}
			}
			for _, v := range conformance.Verdicts {
				if counts[v] > 0 {
					fmt.Fprintf(w, "%d %s  ", counts[v], v)
				}
			}
			fmt.Fprintf(w, "of %d planned\n", r.Header.Planned)
			if !r.Whole() {
				fmt.Fprintf(w, "The report is not whole: %s\n", r.Why())
				return exit(conformance.ExitHarness)
			}
			return nil
		},
	}
}
