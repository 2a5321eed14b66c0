package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"kith/conformance"
	"kith/spec"
	"kith/testvectors"
)

// listedVector is a vector as list --json shows it.
type listedVector struct {
	ID           string   `json:"id"`
	Group        string   `json:"group"`
	Type         string   `json:"type"`
	Requirements []string `json:"requirements"`
	Outcome      string   `json:"outcome"`
	Reason       string   `json:"reason,omitempty"`
	Comment      string   `json:"comment"`
}

func vectorsListCommand() *cobra.Command {
	var c chooser
	var kind string
	asJSON := false
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the vectors",
		Example: `  kith vectors list
  kith vectors list --run 'wire-int-*'
  kith vectors list --type dht.put --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			vectors, err := testvectors.All()
			if err != nil {
				return failed(cmd, exitCode(conformance.ExitHarness), err)
			}
			if err := c.check(cmd, vectors); err != nil {
				return misused(cmd, "%v", err)
			}
			if kind != "" && !slices.Contains(vectorTypes(), kind) {
				return misused(cmd, "no vector is of the type %q; there are %s", kind, strings.Join(vectorTypes(), ", "))
			}
			var b bytes.Buffer
			listVectors(&b, slices.DeleteFunc(vectors, func(v testvectors.Vector) bool { return !c.takes(&v) || kind != "" && v.Type != kind }), asJSON)
			return pour(cmd, b.String(), exitCode(conformance.ExitHarness))
		},
	}
	c.flag(cmd)
	cmd.Flags().StringVar(&kind, "type", "", "only vectors of one `type`, such as wire.krpc or script")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one line of JSON for each vector")
	mustComplete(cmd, "type", vectorTypes)
	return cmd
}

// vectorTypes are the types that some vector has.
func vectorTypes() []string {
	vectors, err := testvectors.All()
	if err != nil {
		return nil
	}
	types := map[string]bool{}
	for i := range vectors {
		types[vectors[i].Type] = true
	}
	return slices.Sorted(maps.Keys(types))
}

func listVectors(w io.Writer, vectors []testvectors.Vector, asJSON bool) {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		for i := range vectors {
			v := &vectors[i]
			e.Encode(listedVector{v.ID, v.Group, v.Type, v.Requirements, v.Outcome, v.Reason, v.Comment})
		}
		return
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	refused := 0
	for i := range vectors {
		v := &vectors[i]
		outcome := v.Outcome
		if v.Reason != "" {
			refused++
			outcome += ", " + v.Reason
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", v.ID, v.Type, outcome)
	}
	t.Flush()
	fmt.Fprintf(w, "%s, %d of them refused; kith vectors show ID says more\n", number(len(vectors), "vector"), refused)
}

func vectorsShowCommand() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show a vector: what is asked, what is right, and by which rule",
		Example: `  kith vectors show wire-int-refused-zero
  kith vectors show dht-put-cas-other --json`,
		Args: oneArg("the id of a vector"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return vectorIDs(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			vectors, err := testvectors.All()
			if err != nil {
				return failed(cmd, exitCode(conformance.ExitHarness), err)
			}
			i := slices.IndexFunc(vectors, func(v testvectors.Vector) bool { return v.ID == args[0] })
			if i < 0 {
				return misused(cmd, "no vector is called %q%s", args[0], hint(vectors, args[0]))
			}
			var b bytes.Buffer
			if asJSON {
				b.WriteString(string(vectors[i].JSON()) + "\n")
			} else {
				showVector(&b, &vectors[i])
			}
			return pour(cmd, b.String(), exitCode(conformance.ExitHarness))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "the vector as it stands in its file, in one line")
	return cmd
}

func showVector(w io.Writer, v *testvectors.Vector) {
	fmt.Fprintf(w, "%s\n\n  %s\n\n", v.ID, conformance.Wrap(v.Comment, 2, 92))
	line := func(head, text string) {
		if text != "" {
			fmt.Fprintf(w, "  %-12s %s\n", head, conformance.Wrap(text, 15, 92))
		}
	}
	line("stands in", "testvectors/"+v.Group+".json")
	line("asks for", v.Type)
	line("outcome", strings.TrimSuffix(v.Outcome+", "+v.Reason, ", "))
	line("twin", v.Twin)
	line("from", v.Source)
	for _, id := range v.Requirements {
		if q, ok := spec.Lookup(id); ok {
			line("rule", fmt.Sprintf("%s (spec/%s.md): %s", id, q.Chapter, q.Text))
		} else {
			line("rule", id)
		}
	}
	if v.Text != nil {
		line("as text", brief(*v.Text))
	}
	for _, name := range slices.Sorted(maps.Keys(v.Secrets)) {
		line("secret", fmt.Sprintf("%s = SHA-256(%q)", name, v.Secrets[name].Label))
	}
	showParts(w, "", []part{{"in", v.In}, {"draws", v.Draws}, {"out", v.Out}, {"intermediate", v.Intermediate}})
	for i, s := range v.Steps {
		fmt.Fprintf(w, "\n  step %d: %s", i+1, s.Op)
		if s.Reject != "" {
			fmt.Fprintf(w, ", refused: %s", s.Reject)
		}
		if s.Comment != "" {
			fmt.Fprintf(w, " (%s)", s.Comment)
		}
		fmt.Fprintln(w)
		showParts(w, "  ", []part{{"in", s.In}, {"draws", s.Draws}, {"out", s.Out}, {"with", s.With}, {"intermediate", s.Intermediate}})
	}
	fmt.Fprintf(w, "\nTo ask your implementation: kith vectors verify --exec CMD --run %s\n", v.ID)
}

// A part is an object of a vector, under its name.
type part struct {
	name string
	raw  json.RawMessage
}

func showParts(w io.Writer, indent string, parts []part) {
	for _, p := range parts {
		if p.raw == nil || string(p.raw) == "{}" {
			continue
		}
		var b bytes.Buffer
		if json.Indent(&b, p.raw, indent+"    ", "  ") != nil {
			continue // it is JSON, or it would not have been read
		}
		fmt.Fprintf(w, "\n%s  %s\n%s    %s\n", indent, p.name, indent, b.String())
	}
}
