package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kith/conformance"
	dhtcases "kith/conformance/dht"
	"kith/spec"
)

func conformExplainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain ID",
		Short: "Explain what it means that a case fails, and how to mend it",
		Long: `Explain what it means that a case fails, and how to mend it. The id of a requirement will do too: then all of its cases
are named.`,
		Example: `  kith conform explain dht-announce-token-ip
  kith conform explain dht-put-cas`,
		Args: oneArg("the id of a case or a requirement"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return append(caseIDs(), requirementIDs()...), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var b bytes.Buffer
			if q, ok := spec.Lookup(args[0]); ok && dhtcases.Suite().Find(args[0]) == nil {
				explainRequirement(&b, q)
			} else if c, err := findCase(args[0]); err != nil {
				return usage(cmd, err)
			} else {
				explainCase(&b, c)
			}
			return pour(cmd, b.String(), exitCode(conformance.ExitHarness))
		},
	}
}

// explainRequirement explains a requirement that no case has its name from.
func explainRequirement(w io.Writer, q spec.Requirement) {
	headingOf(w, q.ID, q)
	explainHarm(w, q, q.Binds == spec.KithOnly)
	cases := casesOf(q.ID)
	if len(cases) == 0 {
		fmt.Fprintf(w, "\nNo case of the suite judges it.\n")
		return
	}
	otherCases(w, "Its cases", cases)
	fmt.Fprintf(w, "\nTo see the packets of one: kith conform show %s\nTo see your node's: kith conform dht ADDR --req %s --transcripts DIR\n", cases[0], q.ID)
}

func explainCase(w io.Writer, c *conformance.Case) {
	q := c.Requirement
	heading(w, c)
	explainHarm(w, q, c.Profile == "kith")
	otherCases(w, "Other cases of it", slices.DeleteFunc(casesOf(q.ID), func(id string) bool { return id == c.ID }))
	fmt.Fprintf(w, "\nTo see the packets: kith conform show %s\nTo see your node's: kith conform dht ADDR --run %s --transcripts DIR\n", c.ID, c.ID)
}

func explainHarm(w io.Writer, q spec.Requirement, kith bool) {
	x := dhtcases.Explain(q.ID)
	section(w, "The document says", x.Sentence)
	section(w, "If it fails", strings.TrimSpace(severityText(q.Level, kith)+"\n"+x.Harm))
	section(w, "To mend it", x.Mend)
	section(w, "Why it reads so", rationale(q.ID))
}

// otherCases lists cases with what each does, or nothing if there are none.
func otherCases(w io.Writer, heading string, ids []string) {
	if len(ids) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n\n", heading)
	for _, id := range ids {
		fmt.Fprintf(w, "    %s\n", id)
	}
}

// casesOf returns the ids of a requirement's cases.
func casesOf(requirement string) (ids []string) {
	for _, c := range dhtcases.Suite().Cases {
		if c.Requirement.ID == requirement {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// requirementIDs are those of the requirements that have cases, without those that are ids of cases too.
func requirementIDs() (ids []string) {
	for _, q := range judged() {
		if dhtcases.Suite().Find(q.ID) == nil {
			ids = append(ids, q.ID+"\t"+q.Text)
		}
	}
	return ids
}

// judged are the requirements that have cases.
func judged() (all []spec.Requirement) {
	seen := map[string]bool{}
	for _, c := range dhtcases.Suite().Cases {
		if !seen[c.Requirement.ID] {
			all = append(all, c.Requirement)
		}
		seen[c.Requirement.ID] = true
	}
	return all
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
func severityText(l spec.Level, kith bool) string {
	switch {
	case kith:
		return "This binds Kith nodes only. A foreign node is not asked, unless --profile kith was given."
	case strings.HasPrefix(string(l), "MUST"):
		return "The node does not do what every node of the network relies on: fail, exit code 1."
	case strings.HasPrefix(string(l), "SHOULD"):
		return "The node may have a reason, and its users will notice: warn, which fails the run only with --strict."
	}
	return "The node made use of a freedom that others have to expect: info."
}
