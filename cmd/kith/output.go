package main

import (
	"context"
	"errors"
	"io"
	"sync"
	"syscall"

	"github.com/spf13/cobra"
)

// pour writes a result that is there as a whole. Where nobody reads it any more the program ends as others do, by SIGPIPE.
func pour(cmd *cobra.Command, text string, code exitCode) error {
	if _, err := io.WriteString(cmd.OutOrStdout(), text); err != nil {
		return failed(cmd, code, err)
	}
	return nil
}

// A watched writer remembers why nothing can be written any more, and ends what would only go on writing.
type watched struct {
	w   io.Writer
	end context.CancelFunc

	mu  sync.Mutex
	err error
}

func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.w.Write(b)
	if err != nil {
		w.err = err
		w.end()
	}
	return n, err
}

// fault is why nothing can be written. A reader that has gone is no fault: it has read enough.
func (w *watched) fault() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if errors.Is(w.err, syscall.EPIPE) {
		return nil
	}
	return w.err
}
