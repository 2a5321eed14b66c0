package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// asChat is what makes TestChatOnATerminal the program at the terminal.
const asChat = "KITH_TEST_CHAT"

// echoes is a program with a chat: bob answers with what he is told, and some words do something.
func echoes(t *testing.T) {
	ctx, stop := signal.NotifyContext(t.Context(), endings()...)
	defer stop()
	c, err := openChat(ctx, os.Stdin, os.Stdout, chatConfig{friends: []string{"bob"}, now: time.Now})
	require.NoError(t, err)
	defer c.close()
	c.show(chatEvent{kind: chatOnline, friend: "bob"})
	for {
		w, err := c.next(ctx)
		if errors.Is(err, context.Canceled) || errors.Is(err, io.EOF) {
			c.close() // it may be on its way
			c.show(chatEvent{kind: chatNotice, text: "ended"})
			return
		}
		require.NoError(t, err)
		if w.text == "panic" {
			go func() {
				defer c.rescue()
				panic("of another goroutine")
			}()
			select {}
		}
		c.show(chatEvent{kind: chatDelivered, friend: "bob", id: w.id})
		c.show(chatEvent{kind: chatMessage, friend: "bob", text: "you said " + w.text})
	}
}

// chatAt starts it on a terminal of that size.
func chatAt(t *testing.T, width, height uint16) *person {
	p := sit(t, width, height, func(c *exec.Cmd) {
		c.Args = []string{c.Path, "-test.run=^TestChatOnATerminal$"}
		c.Env = slices.DeleteFunc(c.Env, func(v string) bool { return strings.HasPrefix(v, "GOCOVERDIR=") })
		c.Env = append(c.Env, asChat+"=1", "LC_ALL=C.UTF-8")
	})
	p.expect("bob> ")
	return p
}

func TestChatOnATerminal(t *testing.T) {
	if os.Getenv(asChat) != "" {
		echoes(t)
		return
	}
	const panics = 2 // the exit code of Go
	for how, leave := range map[string]func(p *person) int{
		"/quit":   func(p *person) int { p.press("/quit\r"); return 0 },
		"Ctrl-C":  func(p *person) int { p.press("half\x03"); p.press("\x03"); return 0 },
		"Ctrl-D":  func(p *person) int { p.press("\x04"); return 0 },
		"SIGINT":  func(p *person) int { p.press("half"); p.kith.Process.Signal(syscall.SIGINT); return 0 },
		"SIGTERM": func(p *person) int { p.kith.Process.Signal(syscall.SIGTERM); return 0 },
		"SIGHUP":  func(p *person) int { p.kith.Process.Signal(syscall.SIGHUP); return 0 },
		"panic":   func(p *person) int { p.press("panic\r"); return panics },
	} {
		if how == "SIGHUP" && signal.Ignored(syscall.SIGHUP) {
			t.Log("SIGHUP is ignored here, as it is below nohup, and so it is by kith: not tried")
			continue
		}
		p := chatAt(t, 80, 24)
		p.press("gr\u00fc\u00df dich\r")
		p.expect("bob: you said gr\u00fc\u00df dich\r\n")
		p.expect("bob> ")
		code := leave(p)
		if code == 0 {
			p.expect("\x1b[?2004l")
			p.expect("-- ended\r\n")
		} else {
			p.expect("panic: of another goroutine")
		}
		p.leave(code)
	}
}

func TestChatFollowsItsTerminal(t *testing.T) {
	p := chatAt(t, 200, 24)
	p.press("hello " + strings.Repeat("0123456789 ", 5))
	p.expect("0123456789 ")
	require.NoError(t, unix.IoctlSetWinsize(int(p.tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: 40, Row: 24}))
	p.expect("bob> hello 0123456789 0123456789 012345\r\n6789 0123456789 0123456789 ")
	p.press("\x15")
	p.expect("bob> \r")

	// The shell gets the terminal while the program is stopped, and leaves it in its own mode.
	raw, err := unix.IoctlGetTermios(int(p.tty.Fd()), unix.TCGETS)
	require.NoError(t, err)
	shell := *raw
	shell.Lflag |= unix.ECHO | unix.ICANON | unix.ISIG
	shell.Oflag |= unix.OPOST
	require.NoError(t, p.kith.Process.Signal(syscall.SIGSTOP))
	require.NoError(t, unix.IoctlSetTermios(int(p.tty.Fd()), unix.TCSETS, &shell))
	require.NoError(t, p.kith.Process.Signal(syscall.SIGCONT))
	p.expect("\x1b[?2004h")
	p.press("again\r")
	p.expect("bob: you said again\r\n")
	p.press("/quit\r")
	p.expect("-- ended\r\n")
	p.leave(0)
}
