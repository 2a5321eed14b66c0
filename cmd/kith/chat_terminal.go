package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/term"
)

// openChat begins a chat on a terminal, and gives it back when ctx ends, whatever else goes on then. The caller defers close, and rescue
// in each of its goroutines; in and out must be terminals.
func openChat(ctx context.Context, in, out *os.File, cfg chatConfig) (*chat, error) {
	if os.Getenv("TERM") == "dumb" {
		return nil, errNoCursor
	}
	undo, err := showsSequences(out)
	if err != nil {
		return nil, fmt.Errorf("cannot chat on this terminal: %w", err)
	}
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		undo()
		return nil, fmt.Errorf("cannot chat on this terminal: %w", err)
	}
	cfg.ascii = cfg.ascii || !readsUTF8()
	cfg.colour = cfg.colour && os.Getenv("NO_COLOR") == ""
	size := func() (width, height int) {
		width, height, err := term.GetSize(int(out.Fd()))
		if err != nil {
			return 0, 0
		}
		return width, height
	}
	c := newChat(in, out, size, cfg)
	c.restore = func() {
		term.Restore(int(in.Fd()), before)
		undo()
	}
	context.AfterFunc(ctx, c.close)
	watchTerminal(ctx, c, func() { term.MakeRaw(int(in.Fd())) })
	go c.listen()
	return c, nil
}

// readsUTF8 reports whether the terminal is one for UTF-8, by what POSIX has for it. Who sets nothing gets ASCII, as by other programs:
// to a terminal of 8 bits half of UTF-8 is control characters.
func readsUTF8() bool {
	if runtime.GOOS == "windows" {
		return true // it is given UTF-16
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToLower(os.Getenv(name)); locale != "" {
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	return false
}
