package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/handshake"
	"kith/internal/udp"
)

func TestTwoPeersTalk(t *testing.T) {
	alice, bob, a, b := meet(t, swarm(t, 5)[0])
	added := alice.wait("added")
	require.Equal(t, b.address, added.Friend)
	require.Equal(t, "bob", added.Name)
	require.Nil(t, added.Ref)

	// What is sent before anybody is there waits.
	alice.say("send", "friend", "BOB", "text", "hello <&> 😀\n", "ref", "one")
	queued := alice.answer("one")
	require.Equal(t, "queued", queued.Event)
	require.Equal(t, b.address, queued.Friend)
	got := bob.wait("message")
	require.Equal(t, "hello <&> 😀\n", got.Text)
	require.Equal(t, a.address, got.Friend)
	require.Equal(t, "alice", got.Name)
	require.False(t, got.Again)
	require.WithinDuration(t, udp.Now(), time.UnixMilli(got.Time), time.Minute)
	delivered := alice.wait("delivered")
	require.Equal(t, queued.Position, delivered.Position)
	require.Nil(t, delivered.Ref)

	// And back, by address.
	bob.say("send", "friend", a.address, "text", "and you?")
	require.Equal(t, "and you?", alice.wait("message").Text)
	bob.wait("delivered")

	alice.say("who", "ref", "who")
	require.Equal(t, []lineContact{{b.address, "bob", lineOnline, 0}}, alice.answer("who").Contacts)

	alice.say("end", "friend", "bob", "ref", "end")
	over := alice.answer("end")
	require.Equal(t, "offline", over.Event)
	require.Equal(t, "ended", over.Why)
	require.Equal(t, "left", bob.wait("offline").Why)
	alice.say("end", "friend", "bob", "ref", "again")
	require.Equal(t, "error", alice.answer("again").Event)
	bob.say("look", "friend", "alice")
	bob.wait("online")
	alice.wait("online")

	alice.say("quit", "ref", "quit")
	require.Equal(t, "stopped", alice.answer("quit").Event)
	require.Zero(t, <-alice.code)
	alice.code <- 0
	require.Equal(t, "left", bob.wait("offline").Why)
	bob.in.Close() // shim-peer-quit: the end of input
	bob.wait("stopped")
	require.Zero(t, <-bob.code)
	bob.code <- 0
	require.Empty(t, alice.errs.String()+bob.errs.String())
}

// TestUntakenMessagesComeAgain restarts the receiver: what was not taken is handed over again, in order and marked. // shim-peer-again, shim-peer-taken
func TestUntakenMessagesComeAgain(t *testing.T) {
	door := swarm(t, 5)[0]
	alice, bob, _, b := meet(t, door)
	for i := range 4 {
		alice.say("send", "friend", "bob", "text", fmt.Sprint(i))
	}
	var last lineEvent
	var positions []string
	for i := range 4 {
		last = bob.wait("message")
		require.Equal(t, fmt.Sprint(i), last.Text)
		positions = append(positions, last.Position)
	}
	bob.say("taken", "friend", "alice", "position", "999999", "ref", "far")
	require.Equal(t, "error", bob.answer("far").Event)
	bob.say("taken", "friend", "alice", "position", positions[1])
	for range 4 {
		alice.wait("delivered")
	}
	require.Zero(t, bob.end())
	bob = startTalker(t, b, door)
	for i := range 2 {
		e := bob.wait("message")
		require.Equal(t, fmt.Sprint(i+2), e.Text)
		require.Equal(t, positions[i+2], e.Position)
		require.True(t, e.Again)
		require.Equal(t, "alice", e.Name)
	}
	alice.say("send", "friend", "bob", "text", "new")
	e := bob.wait("message")
	require.Equal(t, "new", e.Text)
	require.False(t, e.Again)
	bob.say("taken", "friend", "alice", "position", e.Position)
	require.Zero(t, bob.end())
	bob = startTalker(t, b, door)
	bob.wait("online")
	alice.say("send", "friend", "bob", "text", "newer")
	require.Equal(t, "newer", bob.wait("message").Text)
}

// TestMessagesOutliveTheSender queues for a friend who is not there, and restarts before he comes.
func TestMessagesOutliveTheSender(t *testing.T) {
	door := swarm(t, 5)[0]
	a, b := newOwner(t, 1), newOwner(t, 2)
	friends := a.knows(t, map[string]owner{"bob": b})
	alice := startTalker(t, a, door, "--contacts", friends)
	var last string
	for i := range 3 {
		alice.say("send", "friend", "bob", "text", fmt.Sprint(i), "ref", fmt.Sprint(i))
		last = alice.answer(fmt.Sprint(i)).Position
	}
	alice.say("who", "ref", "who")
	require.Equal(t, []lineContact{{b.address, "bob", lineOffline, 3}}, alice.answer("who").Contacts)
	require.Zero(t, alice.end())
	got := kith(t, append([]string{"contact", "list"}, a.flags()...)...)
	require.Contains(t, got.out, "3 messages wait")

	alice = startTalker(t, a, door, "--contacts", friends) // which adds nothing twice
	bob := startTalker(t, b, door, "--contacts", b.knows(t, map[string]owner{"alice": a}))
	for i := range 3 {
		require.Equal(t, fmt.Sprint(i), bob.wait("message").Text)
	}
	require.Equal(t, last, alice.waitFor(func(e lineEvent) bool { return e.Event == "delivered" && e.Position == last }, "all delivered").Position)
}

// TestPeerGoesOnAfterWhatItDoesNotUnderstand. // shim-peer-error, shim-peer-long, shim-peer-later
func TestPeerGoesOnAfterWhatItDoesNotUnderstand(t *testing.T) {
	a, b := newOwner(t, 1), newOwner(t, 2)
	k := startTalker(t, a, "none")
	_, addresses := contactKeys(t, 4)
	add := func(ref string, pairs ...string) lineEvent {
		k.say(append([]string{"add", "ref", ref}, pairs...)...)
		return k.answer(ref)
	}
	require.Equal(t, "added", add("1", "friend", b.address, "name", "Bob").Event)
	require.Equal(t, "added", add("2", "friend", addresses[2]).Event)
	for i, c := range []struct{ line, says string }{
		{`nonsense`, "no JSON object"},
		{`{"do":"dance","ref":"R"}`, `no command "dance"`},
		{strings.Repeat("x", mostLine+1), "more than 1048576 bytes"},
		{`{"do":"add","friend":"` + b.address + `","ref":"R"}`, "a contact already"},
		{`{"do":"add","friend":"` + a.address + `","ref":"R"}`, "your own address"},
		{`{"do":"add","friend":"` + addresses[3] + `","name":"bob","ref":"R"}`, "another contact has this name"},
		{`{"do":"add","friend":"` + addresses[3] + `","name":"a b","ref":"R"}`, "one word"},
		{`{"do":"add","friend":"kith1","ref":"R"}`, "address"},
		{`{"do":"rename","friend":"` + addresses[2] + `","name":"bob","ref":"R"}`, "another contact has this name"},
		{`{"do":"remove","friend":"carol","ref":"R"}`, "no contact has this name"},
		{`{"do":"unblock","friend":"bob","ref":"R"}`, "not blocked"},
		{`{"do":"send","friend":"bob","text":"","ref":"R"}`, "message of 0 bytes"},
		{`{"do":"send","friend":"bob","text":"` + strings.Repeat("x", 60_001) + `","ref":"R"}`, "message of 60001 bytes"},
		{`{"do":"send","friend":"` + addresses[3] + `","text":"x","ref":"R"}`, "is no contact"},
		{`{"do":"taken","friend":"bob","position":"0","ref":"R"}`, "no message with this position"},
		{`{"do":"end","friend":"bob","ref":"R"}`, "no conversation is open"},
	} {
		ref := fmt.Sprint("r", i)
		k.write(strings.ReplaceAll(c.line, `"R"`, `"`+ref+`"`))
		e := k.wait("error")
		require.Contains(t, e.Text, c.says, c.line[:min(60, len(c.line))])
		if strings.Contains(c.line, `"R"`) {
			require.Equal(t, ref, *e.Ref)
		}
	}
	k.say("rename", "friend", "bob", "name", "robert", "ref", "rename")
	e := k.answer("rename")
	require.Equal(t, "renamed robert", e.Event+" "+e.Name)
	k.say("block", "friend", "Robert", "ref", "block")
	require.Equal(t, "blocked", k.answer("block").Event)
	k.say("send", "friend", "robert", "text", "x", "ref", "send")
	require.Contains(t, k.answer("send").Text, "blocked")
	k.say("add", "friend", b.address, "ref", "add")
	require.Contains(t, k.answer("add").Text, "unblock")
	k.write(`{"do":"who","ref":"who","friend":[1],"later":{}}`)
	require.Equal(t, []lineContact{{b.address, "robert", lineBlocked, 0}, {addresses[2], "", lineOffline, 0}}, k.answer("who").Contacts)
	k.say("unblock", "friend", "robert", "ref", "unblock")
	require.Equal(t, "unblocked", k.answer("unblock").Event)
	k.say("remove", "friend", "robert", "ref", "remove")
	require.Equal(t, "removed", k.answer("remove").Event)
	k.say("remove", "friend", addresses[2], "ref", "remove")
	require.Equal(t, "removed", k.answer("remove").Event)
	k.say("who", "ref", "none")
	require.Empty(t, k.answer("none").Contacts)
	require.Zero(t, k.end())
}

// TestLastCommandsAreAnswered: what stands before the end of input, or before quit, is done and answered.
func TestLastCommandsAreAnswered(t *testing.T) {
	a, b := newOwner(t, 1), newOwner(t, 2)
	in := `{"do":"add","friend":"` + b.address + `","name":"bob"}` + "\n"
	for range 100 {
		in += `{"do":"send","friend":"bob","text":"x"}` + "\n"
	}
	got := kithReading(t, strings.TrimSuffix(in, "\n"), peerArgs(a, "none")...)
	require.Zero(t, got.code, got.errs)
	require.Equal(t, 100, strings.Count(got.out, `{"event":"queued"`))
	require.True(t, strings.HasPrefix(got.out, `{"event":"ready"`), got.out) // shim-peer-ready
	lines := strings.Split(strings.TrimSuffix(got.out, "\n"), "\n")
	require.Contains(t, lines[len(lines)-1], `{"event":"stopped"`)
	got = kithReading(t, `{"do":"quit","ref":"q"}`+"\nnonsense", peerArgs(a, "none")...)
	require.Zero(t, got.code)
	require.NotContains(t, got.out, "error")
	require.Contains(t, got.out, `"ref":"q"`)
}

func TestPeerSaysWhatIsWrong(t *testing.T) {
	a, b := newOwner(t, 1), newOwner(t, 2)
	running := startTalker(t, a, "none")
	other := newOwner(t, 3)
	damaged := newOwner(t, 4)
	require.NoError(t, os.Mkdir(filepath.Join(damaged.dir, "state"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(damaged.dir, "state", "peer.db"), make([]byte, 65536), 0o600))
	friends := filepath.Join(t.TempDir(), "friends")
	require.NoError(t, os.WriteFile(friends, []byte("# mine\nbob"), 0o600))
	taken := startNode(t, "--bootstrap", "none").wait("listening").Addresses[0]
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{append(b.flags(), "--nonsense"), exitUsage, "unknown flag"},
		{append(b.flags(), "argument"), exitUsage, "takes no arguments"},
		{append(b.flags(), "--listen", "127.0.0.1"), exitUsage, "no address with a port"},
		{append(b.flags(), "--bootstrap", "somewhere"), exitUsage, "no host with a port"},
		{append(b.flags(), "--contacts", ""), exitUsage, "--contacts: it is empty"},
		{append(b.flags(), "--state", ""), exitUsage, "--state: it is empty"},
		{append(b.flags(), "--listen", taken), exitNetwork, "choose another port"},
		{append(b.flags(), "--contacts", friends), exitFailed, "friends: line 2: "},
		{append(b.flags(), "--contacts", friends+"-not"), exitFailed, "the contacts file"},
		{[]string{"--identity", filepath.Join(b.dir, "none")}, exitFailed, "there is no identity"},
		{a.flags(), exitFailed, "a kith peer runs on"},
		{append(a.flags()[:2:2], b.flags()[2:]...), exitFailed, "a kith peer runs on"},
		{damaged.flags(), exitFailed, "damaged"},
		{append([]string{"--state", friends}, other.flags()[2:]...), exitFailed, "not a directory"},
	} {
		got := kith(t, append([]string{"peer", "--bootstrap", "none", "--listen", "127.0.0.1:0"}[:3+2*btoi(!strings.Contains(strings.Join(c.args, " "), "--listen"))], c.args...)...)
		require.Equal(t, c.code, got.code, "%v: %s", c.args, got.errs)
		require.Contains(t, got.errs, c.says, c.args)
		require.Empty(t, got.out, c.args)
		require.NotContains(t, got.errs, "store: ")
	}
	require.Zero(t, running.end())
	got := kith(t, append(append([]string{"peer", "--listen", "127.0.0.1:0", "--bootstrap", "none"}, a.flags()[:2]...), b.flags()[2:]...)...)
	require.Equal(t, exitFailed, got.code)
	require.Contains(t, got.errs, "another identity")
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestEchoPeer(t *testing.T) {
	door := swarm(t, 5)[0]
	a, b := newOwner(t, 1), newOwner(t, 2)
	alice := startTalker(t, a, door, "--contacts", a.knows(t, map[string]owner{"bob": b}))
	bob := startTalker(t, b, door, "--echo", "--contacts", b.knows(t, map[string]owner{"alice": a}))
	for i := range 20 {
		alice.say("send", "friend", "bob", "text", fmt.Sprint(i))
	}
	for i := range 20 { // shim-peer-echo
		require.Equal(t, fmt.Sprint(i), alice.wait("message").Text)
	}
	require.Zero(t, bob.end())
	bob = startTalker(t, b, door, "--echo")
	bob.wait("online")
	bob.say("who", "ref", "who")
	require.Equal(t, 1, len(bob.answer("who").Contacts))
}

// TestReaderThatSleeps lets nobody read what a peer says: it goes on, and when somebody reads again nothing is missing.
func TestReaderThatSleeps(t *testing.T) {
	door := swarm(t, 5)[0]
	a, b := newOwner(t, 1), newOwner(t, 2)
	alice := startTalker(t, a, door, "--contacts", a.knows(t, map[string]owner{"bob": b}))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	outR, outW := io.Pipe()
	inR, inW := io.Pipe()
	cmd := root()
	cmd.SetContext(ctx)
	cmd.SetIn(inR)
	cmd.SetOut(outW)
	cmd.SetArgs(peerArgs(b, door, "--contacts", b.knows(t, map[string]owner{"alice": a})))
	code := make(chan int, 1)
	go func() { code <- run(cmd); outW.Close() }()

	const n = 2000
	text := strings.Repeat("x", 500)
	go func() {
		for i := range n {
			fmt.Fprintf(alice.in, `{"do":"send","friend":"bob","text":"%d %s"}`+"\n", i, text)
		}
	}()
	for range n {
		alice.wait("delivered") // though bob's reader has not read a byte
	}
	bob := &talker{t: t, in: inW, events: make(chan lineEvent, 1<<16), errs: new(strings.Builder)}
	go bob.read(outR)
	for i := range n {
		require.Equal(t, fmt.Sprintf("%d %s", i, text), bob.wait("message").Text)
	}
	stop()
	bob.wait("stopped")
	require.Zero(t, <-code)
}

// TestReaderThatHasGone ends the peer in order; one that cannot be written to is an error.
func TestReaderThatHasGone(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
	}{{syscall.EPIPE, 0}, {syscall.ENOSPC, exitFailed}} {
		a := newOwner(t, 1)
		cmd := root()
		var errs strings.Builder
		in, w := io.Pipe()
		defer w.Close()
		cmd.SetIn(in)
		cmd.SetOut(brokenWriter{c.err})
		cmd.SetErr(&errs)
		cmd.SetArgs(peerArgs(a, "none"))
		require.Equal(t, c.code, run(cmd), errs.String())
	}
}

// TestNothingIsToldElsewhere looks for texts, names and addresses of friends where they do not belong. // shim-peer-quiet
func TestNothingIsToldElsewhere(t *testing.T) {
	alice, bob, a, b := meet(t, swarm(t, 5)[0], "--history")
	const secret = "the cake is in the oven"
	alice.say("send", "friend", "bob", "text", secret)
	bob.wait("message")
	alice.wait("delivered")
	alice.write("nonsense " + secret)
	alice.wait("error")
	require.Zero(t, alice.end())
	require.Zero(t, bob.end())
	require.Empty(t, alice.errs.String()+bob.errs.String())
	key, err := handshake.ParseAddress(b.address)
	require.NoError(t, err)
	for _, h := range []owner{a, b} {
		entries, err := os.ReadDir(filepath.Join(h.dir, "state"))
		require.NoError(t, err)
		for _, e := range entries {
			content, err := os.ReadFile(filepath.Join(h.dir, "state", e.Name()))
			require.NoError(t, err)
			for _, what := range []string{secret, "bob", b.address, string(key[:]), a.address} {
				require.NotContains(t, string(content), what, e.Name())
			}
			info, err := e.Info()
			require.NoError(t, err)
			require.Zero(t, info.Mode().Perm()&0o077, e.Name())
		}
	}
}
