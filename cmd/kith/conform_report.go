package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"kith/conformance"
)

func conformReportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "report FILE",
		Short: "Read a report back, and say whether it is whole",
		Long: `Read a report back, and say whether it is whole. A run that was interrupted, or lost its target, leaves a report that is
valid up to there and says why it ends.

Exit codes: 0 it is whole, whatever it says; 2 it is no report; 4 it is not whole.`,
		Example:           "  kith conform report report.jsonl",
		Args:              oneArg("the file"),
		ValidArgsFunction: offerFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return failed(cmd, exitUsage, err)
			}
			defer f.Close()
			r, err := conformance.ReadReport(f)
			if err != nil {
				return failed(cmd, exitUsage, fmt.Errorf("%s: %w", args[0], err))
			}
			var w bytes.Buffer
			code := showReport(&w, r)
			if err := pour(cmd, w.String(), exitCode(conformance.ExitHarness)); err != nil {
				return err
			}
			return exit(code)
		},
	}
}

func showReport(w io.Writer, r *conformance.Report) conformance.Exit {
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
		return conformance.ExitHarness
	}
	fmt.Fprintf(w, "%s: %s\n", r.Footer.Word(), r.Footer.Because)
	return conformance.ExitConformant
}
