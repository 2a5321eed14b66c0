package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			plan, err := f.filter.Plan(dhtcases.Suite())
			if err != nil {
				return usage(cmd, err)
			}
			var b bytes.Buffer
			if f.json {
				listJSON(&b, plan)
			} else {
				listText(&b, plan)
			}
			return pour(cmd, b.String(), exitCode(conformance.ExitHarness))
		},
	}
	l := cmd.Flags()
	l.StringSliceVar(&f.filter.Run, "run", nil, "only cases whose id matches a `glob`")
	l.StringSliceVar(&f.filter.Skip, "skip", nil, "no cases whose id matches a `glob`")
	l.StringSliceVar(&f.filter.Req, "req", nil, "only cases of a requirement, by its `id`")
	l.StringSliceVar(&f.filter.Profiles, "profile", nil, "only cases of these `profiles`")
	l.BoolVar(&f.filter.Slow, "slow", true, "also the slow ones")
	l.BoolVar(&f.json, "json", false, "one line of JSON for each case")
	completeFilters(cmd)
	return cmd
}

func listText(w io.Writer, plan []*conformance.Case) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	requirements := map[string]bool{}
	for _, c := range plan {
		requirements[c.Requirement.ID] = true
		kind := string(c.Kind)
		if c.Slow {
			kind += ", slow"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", c.ID, c.Requirement.Level, c.Profile, kind)
	}
	t.Flush()
	fmt.Fprintf(w, "%s of %s; kith conform show ID says more\n", number(len(plan), "case"), number(len(requirements), "requirement"))
}

// number is a count of things in words.
func number(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

func listJSON(w io.Writer, plan []*conformance.Case) {
	e := json.NewEncoder(w)
	for _, c := range plan {
		q := c.Requirement
		e.Encode(listed{c.ID, q.ID, string(q.Level), q.Text, c.Profile, c.Kind, c.Slow, fmt.Sprintf("conformance/dht/%s:%d", c.File, c.Line)})
	}
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
	if cases := casesOf(id); len(cases) > 0 {
		return nil, fmt.Errorf("%s is a requirement; its cases are %s", id, strings.Join(cases, ", "))
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
		Args:              oneArg("the id of a case"),
		ValidArgsFunction: completeCase,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := findCase(args[0])
			if err != nil {
				return usage(cmd, err)
			}
			var b bytes.Buffer
			if err := showCase(&b, c); err != nil {
				return failed(cmd, exitCode(conformance.ExitHarness), err)
			}
			return pour(cmd, b.String(), exitCode(conformance.ExitHarness))
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
	headingOf(w, c.ID, c.Requirement)
	fmt.Fprintf(w, "  profile      %s\n  kind         %s: %s\n", c.Profile, c.Kind, kindText[c.Kind])
}

func headingOf(w io.Writer, id string, q spec.Requirement) {
	fmt.Fprintf(w, "%s\n\n  %s\n", id, conformance.Wrap(q.Text, 2, 92))
	fmt.Fprintf(w, "\n  requirement  %s, spec/%s.md, %q\n", q.ID, q.Chapter, q.Section)
	if q.Source != "" {
		fmt.Fprintf(w, "  from         %s\n", q.Source)
	}
	fmt.Fprintf(w, "  binds        %s\n", q.Binds)
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
