package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// sitAt starts a chat on a terminal.
func sitAt(t *testing.T, o owner, door string, more ...string) *person {
	t.Helper()
	return sit(t, 100, 40, func(c *exec.Cmd) { c.Env = append(c.Env, "LC_ALL=C.UTF-8", "NO_COLOR=1") }, peerArgs(o, door, more...)...)
}

// TestPersonTalks lets somebody at a terminal talk to a friend who is a program.
func TestPersonTalks(t *testing.T) {
	door := swarm(t, 5)[0]
	a, b := newOwner(t, 1), newOwner(t, 2)
	p := sitAt(t, a, door)
	p.expect("You have no friend here yet")
	p.expect(a.address)
	p.expect("kith> ")
	p.press("/add " + b.address + " bob\r")
	p.expect("bob is added, and has to add you too")
	p.press("/add " + b.address + " robert\r")
	p.expect("this is bob, and added already")
	p.press("before you came\r")
	p.expect("me: before you came")
	p.expect("bob: not found, or has not added you; 1 message waits")

	bob := startTalker(t, b, door, "--contacts", b.knows(t, map[string]owner{"alice": a}))
	require.Equal(t, "before you came", bob.wait("message").Text)
	p.expect("bob is here")
	p.expect("delivered to bob: \"before you came\"")
	bob.say("send", "friend", "alice", "text", "hello \x1b[31mthere")
	p.expect("bob: hello ")
	p.expect("[31mthere")
	p.press("two\r")
	require.Equal(t, "two", bob.wait("message").Text)
	bob.say("end", "friend", "alice")
	p.expect("bob has left")
	p.press("still there?\r") // begins another conversation
	require.Equal(t, "still there?", bob.wait("message").Text)
	p.expect("bob is here")
	p.press("/end\r")
	p.expect("you have ended the conversation with bob")
	require.Equal(t, "left", bob.wait("offline").Why)
	p.press("/history\r")
	p.expect("nothing is kept")
	p.press("/block bob\r")
	p.expect("bob is blocked")
	p.press("/quit\r")
	p.leave(0)

	// What was shown is taken, and the block holds.
	p = sitAt(t, a, door)
	p.expect("kith> ")
	p.press("\x04")
	p.leave(0)
	require.NotContains(t, string(p.shown), "bob")
	got := kith(t, append([]string{"contact", "list"}, a.flags()...)...)
	require.Contains(t, got.out, "blocked")
	require.Empty(t, bob.errs.String())
}

// TestHistoryOnATerminal keeps what is said with --history, and shows the last of it.
func TestHistoryOnATerminal(t *testing.T) {
	door := swarm(t, 5)[0]
	a, b := newOwner(t, 1), newOwner(t, 2)
	bob := startTalker(t, b, door, "--echo", "--contacts", b.knows(t, map[string]owner{"alice": a}))
	friends := a.knows(t, map[string]owner{"bob": b})
	p := sitAt(t, a, door, "--history", "--contacts", friends)
	p.expect("bob is here")
	for i := range 12 {
		p.press(fmt.Sprintf("text %d\r", i))
		p.expect(fmt.Sprintf("bob: text %d", i))
	}
	p.press("\x04")
	p.leave(0)

	p = sitAt(t, a, door, "--history")
	for i := 7; i < 12; i++ { // the last ten
		p.expect(fmt.Sprintf("me: text %d", i))
		p.expect(fmt.Sprintf("bob: text %d", i))
	}
	require.NotContains(t, string(p.shown), "text 6")
	p.expect("bob is here")
	p.press("/history\r")
	p.expect("me: text 0")
	p.expect("bob: text 11")
	p.press("\x04")
	p.leave(0)

	p = sitAt(t, a, door) // it is shown only where it is asked for
	p.expect("bob is here")
	p.press("/history\r")
	p.expect("nothing is kept")
	p.press("/quit\r")
	p.leave(0)
	require.Zero(t, bob.end())
}

// TestPersonAndSignals: a friend is told, whatever ends the chat; and a chat needs a terminal that can show one.
func TestPersonAndSignals(t *testing.T) {
	door := swarm(t, 5)[0]
	a, b := newOwner(t, 1), newOwner(t, 2)
	bob := startTalker(t, b, door, "--contacts", b.knows(t, map[string]owner{"alice": a}))
	friends := a.knows(t, map[string]owner{"bob": b})
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		p := sitAt(t, a, door, "--contacts", friends)
		p.expect("bob is here")
		require.NoError(t, p.kith.Process.Signal(signal))
		p.leave(0)
		require.Equal(t, "left", bob.wait("offline").Why)
	}
	p := sit(t, 80, 24, func(c *exec.Cmd) { c.Env = append(c.Env, "TERM=dumb") }, peerArgs(a, door)...)
	p.expect("kith peer --json speaks in lines")
	p.leave(exitFailed)
	p = sit(t, 80, 24, nil, peerArgs(a, door, "--passphrase-file", "-")...)
	p.expect("standard input is what you type")
	p.leave(exitUsage)
}

// TestDiskIsFull fills the disk below a store.
func TestDiskIsFull(t *testing.T) {
	a, b := newOwner(t, 1), newOwner(t, 2)
	state := filepath.Join(a.dir, "state")
	require.NoError(t, os.Mkdir(state, 0o700))
	if err := syscall.Mount("none", state, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("no small disk to be had: mount: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(state, syscall.MNT_DETACH) })
	k := launchPeer(t, a, "none", "--contacts", a.knows(t, map[string]owner{"bob": b}))
	text := strings.Repeat("x", 60_000)
	queued, in := 0, k.in
	go func() {
		for range 200 { // 12 MB
			fmt.Fprintf(in, `{"do":"send","friend":"bob","text":"%s"}`+"\n", text)
		}
	}()
	e := k.waitFor(func(e lineEvent) bool {
		if e.Event == "queued" {
			queued++
		}
		return e.Event == "stopped"
	}, "stopped")
	require.Contains(t, e.Why, "the disk is full")
	require.Equal(t, exitFailed, <-k.code)
	k.code <- exitFailed
	require.Contains(t, k.errs.String(), "the disk is full, and what was committed before is kept")
	require.NotContains(t, k.errs.String(), "xxx")

	// What was told as queued is there.
	require.NoError(t, syscall.Mount("none", state, "tmpfs", syscall.MS_REMOUNT, "size=64m"))
	k = launchPeer(t, a, "none")
	k.say("who", "ref", "who")
	require.GreaterOrEqual(t, k.answer("who").Contacts[0].Queued, queued)
	require.Positive(t, queued)
}

// TestReaderIsAProgramThatEnds: kith peer | head -1.
func TestReaderIsAProgramThatEnds(t *testing.T) {
	a := newOwner(t, 1)
	exe, err := os.Executable()
	require.NoError(t, err)
	p := exec.Command(exe, append([]string{asKith}, peerArgs(a, "none")...)...)
	in, err := p.StdinPipe()
	require.NoError(t, err)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	var errs strings.Builder
	p.Stdout, p.Stderr = w, &errs
	require.NoError(t, p.Start())
	w.Close()
	_, err = r.Read(make([]byte, 1))
	require.NoError(t, err)
	r.Close()
	_, err = in.Write([]byte("{\"do\":\"who\"}\n"))
	require.NoError(t, err)
	require.NoError(t, p.Wait(), "by no signal")
	require.Empty(t, errs.String())
}
