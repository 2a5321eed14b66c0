package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// errInterrupted is what asking gives when the person wants to leave.
var errInterrupted = errors.New("interrupted")

// A terminal is where a person is asked.
type terminal struct{ in, out *os.File }

// openTerminal opens the terminal that the program was started on, whatever standard input is: that may be the pipe a key comes from.
func openTerminal(cmd *cobra.Command) (*terminal, error) {
	stdin, ok := cmd.InOrStdin().(*os.File)
	if !ok {
		return nil, errNobodyToAsk // who calls the command from a program answers for the person
	}
	if runtime.GOOS == "windows" {
		in, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
		if err != nil {
			return nil, errNobodyToAsk
		}
		out, err := os.OpenFile("CONOUT$", os.O_WRONLY, 0)
		if err != nil {
			in.Close()
			return nil, errNobodyToAsk
		}
		return &terminal{in, out}, nil
	}
	if tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0); err == nil {
		return &terminal{tty, tty}, nil
	}
	if isTerminal(stdin) && isTerminal(cmd.ErrOrStderr()) {
		return &terminal{stdin, cmd.ErrOrStderr().(*os.File)}, nil
	}
	return nil, errNobodyToAsk
}

func (t *terminal) close() {
	if t.in != os.Stdin {
		t.in.Close()
		t.out.Close()
	}
}

// ask writes a prompt and returns what is typed, without showing it. However it ends, but for SIGKILL, the terminal is as it was.
func (t *terminal) ask(ctx context.Context, prompt string) ([]byte, error) {
	ctx, stop := signal.NotifyContext(ctx, endings()...)
	defer stop()
	// Raw, and not only without echo, because this is done before anybody reads: a signal can never come between the two and find
	// the echo taken away after it was given back.
	before, err := term.MakeRaw(int(t.in.Fd()))
	if err != nil {
		return nil, fmt.Errorf("cannot ask on this terminal: %w", err)
	}
	defer func() {
		term.Restore(int(t.in.Fd()), before)
		fmt.Fprintln(t.out)
	}()
	if _, err := io.WriteString(t.out, prompt); err != nil {
		return nil, err
	}
	type answer struct {
		line []byte
		err  error
	}
	typed := make(chan answer, 1)
	go func() { // it ends with the program, if nobody types any more
		line, err := typedLine(t.in)
		typed <- answer{line, err}
	}()
	select {
	case <-ctx.Done():
		return nil, errInterrupted
	case a := <-typed:
		return a.line, a.err
	}
}

// Keys, as a raw terminal sends them.
const (
	keyInterrupt = 3  // Ctrl-C
	keyEnd       = 4  // Ctrl-D
	keyBackspace = 8  // Ctrl-H
	keyKill      = 21 // Ctrl-U
	keyDelete    = 127
)

// typedLine reads one line byte by byte, so that the next prompt gets what was typed ahead.
func typedLine(r io.Reader) ([]byte, error) {
	line := make([]byte, 0, maxPassphrase+1) // one more is kept, for the error
	refuse := func(err error) ([]byte, error) {
		clear(line[:cap(line)])
		return nil, err
	}
	var key [1]byte
	defer clear(key[:])
	for {
		if _, err := io.ReadFull(r, key[:]); err != nil {
			return refuse(fmt.Errorf("the terminal has gone: %w", err))
		}
		switch c := key[0]; c {
		case '\r', '\n':
			return line, nil
		case keyInterrupt:
			return refuse(errInterrupted)
		case keyEnd:
			if len(line) == 0 {
				return refuse(errInterrupted)
			}
		case keyBackspace, keyDelete:
			_, size := utf8.DecodeLastRune(line)
			line = line[:len(line)-size]
		case keyKill:
			line = line[:0]
		default:
			if len(line) < cap(line) {
				line = append(line, c)
			}
		}
	}
}
