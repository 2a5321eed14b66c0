package main

import (
	"context"
	"os"

	"golang.org/x/sys/windows"
)

// showsSequences makes a console do what escape sequences say.
func showsSequences(out *os.File) (undo func(), err error) {
	console := windows.Handle(out.Fd())
	var before uint32
	if err := windows.GetConsoleMode(console, &before); err != nil {
		return nil, err
	}
	if err := windows.SetConsoleMode(console, before|windows.ENABLE_PROCESSED_OUTPUT|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING); err != nil {
		return nil, err
	}
	return func() { windows.SetConsoleMode(console, before) }, nil
}

// watchTerminal does nothing: a console says nothing of a new size, which is looked up whenever something is drawn.
func watchTerminal(context.Context, *chat, func()) {}
