package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/handshake"
	"kith/internal/udp"
)

// A talker is a kith peer in lines, and who drives it.
type talker struct {
	t       *testing.T
	address string
	in      io.WriteCloser
	events  chan lineEvent // what it has said; closed at the end
	errs    *strings.Builder
	stop    func() // as Ctrl-C does
	code    chan int
	once    sync.Once
	ended   int
}

// An owner is where a person's identity and state are, without passphrase.
type owner struct {
	dir, address string
}

func newOwner(t *testing.T, seed byte) owner {
	var b [handshake.SeedSize]byte
	b[0] = seed
	id, err := handshake.NewIdentity(b[:])
	require.NoError(t, err)
	h := owner{t.TempDir(), id.PublicKey().String()}
	require.NoError(t, os.WriteFile(filepath.Join(h.dir, "id"), identityText(id, udp.Now()), 0o600))
	return h
}

// flags say whose state and identity are meant.
func (h owner) flags() []string {
	return []string{"--state", filepath.Join(h.dir, "state"), "--identity", filepath.Join(h.dir, "id")}
}

// knows writes a contacts file.
func (h owner) knows(t *testing.T, friends map[string]owner) string {
	var b strings.Builder
	for name, f := range friends {
		fmt.Fprintf(&b, "%s %s\n", f.address, name)
	}
	file := filepath.Join(h.dir, "friends")
	require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o600))
	return file
}

// peerArgs are those of a kith peer on loopback.
func peerArgs(h owner, door string, more ...string) []string {
	return append(append([]string{"peer", "--listen", "127.0.0.1:0", "--bootstrap", door}, h.flags()...), more...)
}

// startTalker runs a kith peer in this process.
func startTalker(t *testing.T, h owner, door string, more ...string) *talker {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	k := &talker{t: t, address: h.address, in: inW, events: make(chan lineEvent, 1<<16), errs: new(strings.Builder), stop: stop, code: make(chan int, 1)}
	cmd := root()
	cmd.SetContext(ctx)
	cmd.SetIn(inR)
	cmd.SetOut(outW)
	cmd.SetErr(k.errs)
	cmd.SetArgs(peerArgs(h, door, more...))
	go func() {
		code := run(cmd)
		outW.Close()
		inR.Close()
		k.code <- code
	}()
	go k.read(outR)
	t.Cleanup(func() { k.end() })
	ready := k.wait("ready")
	require.Equal(t, h.address, ready.Address)
	return k
}

// read reads what the peer says, until it ends.
func (k *talker) read(r io.Reader) {
	defer close(k.events)
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var e lineEvent
		if err := json.Unmarshal(s.Bytes(), &e); err != nil {
			e = lineEvent{Event: "no JSON", Text: s.Text()}
		}
		k.events <- e
	}
}

// say writes a command: pairs of key and value.
func (k *talker) say(pairs ...string) {
	k.t.Helper()
	command := map[string]string{"do": pairs[0]}
	for i := 1; i+1 < len(pairs); i += 2 {
		command[pairs[i]] = pairs[i+1]
	}
	b, err := json.Marshal(command)
	require.NoError(k.t, err)
	k.write(string(b))
}

func (k *talker) write(line string) {
	k.t.Helper()
	_, err := io.WriteString(k.in, line+"\n")
	require.NoError(k.t, err)
}

// wait returns the next event of a kind; others before it are passed over.
func (k *talker) wait(kind string) lineEvent {
	k.t.Helper()
	return k.waitFor(func(e lineEvent) bool { return e.Event == kind }, kind)
}

// answer returns the event that answers a command.
func (k *talker) answer(ref string) lineEvent {
	k.t.Helper()
	return k.waitFor(func(e lineEvent) bool { return e.Ref != nil && *e.Ref == ref }, "an answer to "+ref)
}

func (k *talker) waitFor(right func(lineEvent) bool, what string) lineEvent {
	k.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case e, ok := <-k.events:
			switch {
			case !ok:
				k.t.Fatalf("it ended without saying %s: %s", what, k.errs)
			case e.Event == "no JSON":
				k.t.Fatalf("no JSON: %q", e.Text)
			case right(e):
				return e
			}
		case <-deadline:
			k.t.Fatalf("it does not say %s", what)
		}
	}
}

// end ends the peer as Ctrl-C does, and returns its exit code.
func (k *talker) end() int {
	k.once.Do(func() {
		k.stop()
		select {
		case k.ended = <-k.code:
		case <-time.After(patience):
			panic("a peer does not end") // with what all goroutines do
		}
	})
	return k.ended
}

// meet starts two friends who have added each other.
func meet(t *testing.T, door string, more ...string) (alice, bob *talker, a, b owner) {
	a, b = newOwner(t, 1), newOwner(t, 2)
	alice = startTalker(t, a, door, append([]string{"--contacts", a.knows(t, map[string]owner{"bob": b})}, more...)...)
	bob = startTalker(t, b, door, append([]string{"--contacts", b.knows(t, map[string]owner{"alice": a})}, more...)...)
	return alice, bob, a, b
}
