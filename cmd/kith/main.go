// Command kith is the reference implementation of Kith and its conformance suite.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

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
		Args:          noArgs,
		RunE:          helpAlone,
	}
	cmd.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return noEmptyFlags(cmd) }
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return misused(cmd, "%v", err) })
	cmd.AddCommand(nodeCommand(), dhtCommand(), versionCommand(), conformCommand(), vectorsCommand(), shimCommand(), idCommand(), contactCommand(), peerCommand(), doctorCommand(), demoCommand())
	fitHelp(cmd, helpWidth())
	cmd.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp) // few words here are files
	return cmd
}

// noEmptyFlags refuses an empty name of a file or program: a script's variable that is not set would otherwise mean the default, and be
// written over or judged in place of what was meant.
func noEmptyFlags(cmd *cobra.Command) error {
	for _, name := range []string{"exec", "identity", "passphrase-file", "new-passphrase-file", "report", "transcripts", "expect", "state", "contacts"} {
		if value, err := cmd.Flags().GetString(name); err == nil && value == "" && cmd.Flags().Changed(name) {
			return misused(cmd, "--%s: it is empty", name)
		}
	}
	return nil
}

// helpAlone is a command that only has others below it.
func helpAlone(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// failed says what went wrong and returns what ends the program with that code.
func failed(cmd *cobra.Command, code exitCode, err error) error {
	fmt.Fprintf(cmd.ErrOrStderr(), "kith: %v\n", err)
	return code
}

// misused says what is wrong with the command line, and how to go on.
func misused(cmd *cobra.Command, format string, args ...any) error {
	fmt.Fprintf(cmd.ErrOrStderr(), "kith: %s\nTry: %s --help\n", fmt.Sprintf(format, args...), cmd.CommandPath())
	return exitCode(exitUsage)
}

// noArgs refuses arguments. Where there are commands, the argument was meant to be one.
func noArgs(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case !cmd.HasAvailableSubCommands():
		return misused(cmd, "%q: it takes no arguments", args[0])
	}
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return misused(cmd, "there is no command %q; did you mean %s?", args[0], strings.Join(near, " or "))
	}
	return misused(cmd, "there is no command %q", args[0])
}

// oneArg requires one argument, and says which.
func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return misused(cmd, "it takes one argument, %s", what)
		}
		return nil
	}
}

// lateStop gives signals their usual meaning again after a second: who presses Ctrl-C twice does not want to wait for the disk, but
// what wraps a program often hands it a signal that it got too. cancel is for when it has ended before.
func lateStop(stop func()) (cancel func() bool) { return time.AfterFunc(time.Second, stop).Stop }

// endings are the signals that ask a program to end, in order. The end of its terminal is one, unless it was started to outlive it (nohup).
func endings() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}
