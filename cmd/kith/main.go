// Command kith is the reference implementation of Kith and its conformance suite.
package main

import (
	"os"

	"github.com/spf13/cobra"
)

func main() {
	if err := root().Execute(); err != nil {
		os.Exit(exitUsage)
	}
}

// exitUsage is the exit code for a command line that asks for nothing that exists.
const exitUsage = 2

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "kith",
		Short:         "Serverless chat, its reference implementation and its conformance suite",
		SilenceUsage:  true,
		SilenceErrors: false,
	}
	cmd.AddCommand(versionCommand())
	return cmd
}
