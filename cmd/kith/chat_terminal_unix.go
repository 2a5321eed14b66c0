//go:build unix

package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// showsSequences makes a terminal do what escape sequences say. Here all do.
func showsSequences(*os.File) (undo func(), err error) { return func() {}, nil }

// watchTerminal draws the line anew when the terminal gets another size, and makes it raw again when the program goes on after a stop:
// the shell has used it meanwhile.
func watchTerminal(ctx context.Context, c *chat, raw func()) {
	changes := make(chan os.Signal, 1)
	signal.Notify(changes, syscall.SIGWINCH, syscall.SIGCONT)
	go func() {
		defer c.rescue()
		defer signal.Stop(changes)
		for {
			select {
			case <-ctx.Done():
				return
			case <-c.over:
				return
			case s := <-changes:
				c.changed(s == syscall.SIGCONT, raw)
			}
		}
	}()
}
