package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kith/conformance"
	"kith/testvectors"
	"kith/testvectors/gen"
)

func vectorsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vectors",
		Short: "The test vectors: write them, show them, ask an implementation",
		Long: `The test vectors are the protocol as data: questions to an implementation in any language, each with its one right answer.
testvectors/README.md describes them.`,
		Example: `  kith vectors verify --exec ./my-shim
  kith vectors show wire-int-refused-zero`,
		Args: noArgs,
		RunE: helpAlone,
	}
	cmd.AddCommand(vectorsGenCommand(), vectorsVerifyCommand(), vectorsListCommand(), vectorsShowCommand())
	return cmd
}

func vectorsGenCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "gen DIR",
		Short: "Derive the vectors from the formulas of the spec, and write them into a folder",
		Long: `Derive the vectors from the formulas of the spec, and write them into a folder, with their schemas. The same version writes
the same bytes everywhere. A file that holds them already is left alone; one of the same name that holds something else than test
vectors is not replaced, and then nothing is written.

Exit codes: 0 the folder holds the vectors; 2 there are files in the way; 4 a file cannot be written.`,
		Example: "  kith vectors gen vectors",
		Args:    oneArg("the folder"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return failed(cmd, exitCode(conformance.ExitHarness), err)
			}
			written, err := gen.Write(args[0])
			switch {
			case errors.Is(err, gen.ErrForeign):
				return failed(cmd, exitUsage, err)
			case err != nil:
				return failed(cmd, exitCode(conformance.ExitHarness), err)
			}
			all := len(testvectors.Groups()) + 2 // and the schemas
			return pour(cmd, fmt.Sprintf("%s: %s written, %d as they were\n", args[0], number(len(written), "file"), all-len(written)), exitCode(conformance.ExitHarness))
		},
	}
}

// A chooser says which vectors are meant: those whose ids match one of the globs, all without one.
type chooser struct{ globs []string }

func (c *chooser) flag(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&c.globs, "run", nil, "only vectors whose id matches a `glob`, such as 'wire-int-*'")
	mustComplete(cmd, "run", vectorIDs)
}

func (c *chooser) takes(v *testvectors.Vector) bool {
	return len(c.globs) == 0 || slices.ContainsFunc(c.globs, func(g string) bool {
		ok, _ := path.Match(g, v.ID)
		return ok
	})
}

// check returns an error if a glob is none, or matches nothing.
func (c *chooser) check(cmd *cobra.Command, vectors []testvectors.Vector) error {
	if cmd.Flags().Changed("run") && len(c.globs) == 0 {
		return errors.New("--run: it is empty")
	}
	for _, g := range c.globs {
		if _, err := path.Match(g, ""); err != nil {
			return fmt.Errorf("%q is no pattern: %w", g, err)
		}
		if !slices.ContainsFunc(vectors, func(v testvectors.Vector) bool { return (&chooser{[]string{g}}).takes(&v) }) {
			return fmt.Errorf("no vector matches %q%s", g, hint(vectors, g))
		}
	}
	return nil
}

// hint names vectors that could have been meant.
func hint(vectors []testvectors.Vector, id string) string {
	var near []string
	for i := range vectors {
		if strings.Contains(vectors[i].ID, id) {
			near = append(near, vectors[i].ID)
		}
	}
	if len(near) == 0 {
		best, least := "", len(id)/3+1
		for i := range vectors {
			if d := distance(id, vectors[i].ID); d < least {
				best, least = vectors[i].ID, d
			}
		}
		if best == "" {
			return "; kith vectors list names them all"
		}
		near = append(near, best)
	}
	if n := len(near) - 5; n > 0 {
		near = append(near[:5], fmt.Sprintf("%d more", n))
	}
	return "; did you mean " + strings.Join(near, ", ") + "?"
}

// distance is how many letters have to be put in, left out or changed to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			same := before
			if a[i] != b[j] {
				same++
			}
			before = row[j+1]
			row[j+1] = min(same, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// vectorIDs are offered to a shell.
func vectorIDs() (ids []string) {
	vectors, err := testvectors.All()
	if err != nil {
		return nil
	}
	for i := range vectors {
		ids = append(ids, vectors[i].ID+"\t"+vectors[i].Comment)
	}
	return ids
}
