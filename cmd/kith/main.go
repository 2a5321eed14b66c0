// Command kith is the reference implementation of Kith and its conformance suite.
package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"
)

func main() { os.Exit(run(root())) }

// run executes a command line and returns the exit code.
func run(cmd *cobra.Command) int {
	err := cmd.Execute()
	var code exitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "kith: %v\n", err)
	return exitUsage
}

// exitUsage is the exit code for a command line that asks for nothing that exists.
const exitUsage = 2

// exitCode is how a command ends the program after it has said everything itself.
type exitCode int

func (e exitCode) Error() string { return "exit code " + strconv.Itoa(int(e)) }

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "kith",
		Short:         "Serverless chat, its reference implementation and its conformance suite",
		SilenceUsage:  true,
		SilenceErrors: true, // run says what went wrong
	}
	cmd.AddCommand(nodeCommand(), dhtCommand(), versionCommand(), conformCommand())
	return cmd
}
