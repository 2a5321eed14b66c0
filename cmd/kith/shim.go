package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"kith/internal/shim"
)

func shimCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "shim",
		Short: "Answer questions about the reference implementation, a line of JSON each",
		Long: `Answer questions about the reference implementation, a line of JSON each, until standard input ends. spec/shim.md says what can be
asked and how it is answered; kith vectors verify --exec asks any program that does the same.

It hands out secrets and takes its randomness from its input: it is for tests.`,
		Example: `  echo '{"id":1,"op":"wire.bencode","in":{"input":"693065"}}' | kith shim
  kith vectors verify --exec "kith shim"`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if in, ok := cmd.InOrStdin().(*os.File); ok && term.IsTerminal(int(in.Fd())) {
				cmd.PrintErrln("kith: reading requests, one line of JSON each, until the end of input")
			}
			if err := answer(shim.New(), cmd.InOrStdin(), cmd.OutOrStdout()); err != nil && !errors.Is(err, syscall.EPIPE) {
				return failed(cmd, exitFailed, err)
			}
			return nil
		},
	}
}

// answer answers each line of in on out, before it reads the next. // shim-answer-order, shim-end
func answer(s *shim.Shim, in io.Reader, out io.Writer) error {
	r := bufio.NewReader(in)
	for {
		line, err := r.ReadBytes('\n')
		if len(line) > 0 {
			if _, err := out.Write(append(s.Answer(line), '\n')); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}
