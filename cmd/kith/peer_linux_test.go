package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/internal/udp"
)

// launch starts a kith as a process of its own, whose standard output is lines of JSON.
func launch(t *testing.T, address string, args ...string) (*talker, *exec.Cmd) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	p := exec.Command(exe, append([]string{asKith}, args...)...)
	k := &talker{t: t, address: address, events: make(chan lineEvent, 1<<16), errs: new(strings.Builder), code: make(chan int, 1)}
	k.in, err = p.StdinPipe()
	require.NoError(t, err)
	r, w, err := os.Pipe() // whose rest can be read when the process has gone
	require.NoError(t, err)
	p.Stdout, p.Stderr = w, k.errs
	require.NoError(t, p.Start())
	w.Close()
	k.stop = func() { p.Process.Signal(syscall.SIGTERM) }
	go func() {
		defer r.Close()
		k.read(r)
		p.Wait()
		k.code <- p.ProcessState.ExitCode()
	}()
	t.Cleanup(func() { k.end() })
	return k, p
}

// launchPeer starts a kith peer as a process and waits until it takes commands.
func launchPeer(t *testing.T, o owner, door string, more ...string) *talker {
	t.Helper()
	k, _ := launch(t, o.address, peerArgs(o, door, more...)...)
	k.wait("ready")
	return k
}

// launchNode starts a kith node as a process, and returns where it listens.
func launchNode(t *testing.T, listen string, more ...string) (k *talker, door string) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	p := exec.Command(exe, append([]string{asKith, "node", "--json", "--bootstrap", "none", "--reachable", "--listen", listen}, more...)...)
	r, err := p.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.Start())
	listening := make(chan string, 1)
	k = &talker{t: t, code: make(chan int, 1), stop: func() { p.Process.Signal(syscall.SIGTERM) }}
	go func() {
		d := json.NewDecoder(r)
		for {
			var e entry
			if d.Decode(&e) != nil {
				p.Wait()
				k.code <- p.ProcessState.ExitCode()
				return
			}
			if e.Event == "listening" {
				listening <- e.Addresses[0]
			}
		}
	}()
	t.Cleanup(func() { k.end() })
	select {
	case door = <-listening:
	case <-time.After(patience):
		t.Fatal("the node does not listen")
	}
	return k, door
}

// chats lets two say something to each other.
func chats(t *testing.T, alice, bob *talker, what string) {
	t.Helper()
	alice.say("send", "friend", "bob", "text", what)
	require.Equal(t, what, bob.wait("message").Text)
	bob.say("send", "friend", "alice", "text", what+" too")
	require.Equal(t, what+" too", alice.wait("message").Text)
}

// TestProcessesTalk lets two processes talk that know nothing but each other's address and a node, and restarts each of the three.
func TestProcessesTalk(t *testing.T) {
	state := filepath.Join(t.TempDir(), "node")
	node, door := launchNode(t, "127.0.0.1:0", "--state", state)
	a, b := newOwner(t, 1), newOwner(t, 2)
	inA := []string{"--contacts", a.knows(t, map[string]owner{"bob": b})}
	inB := []string{"--contacts", b.knows(t, map[string]owner{"alice": a})}
	alice, bob := launchPeer(t, a, door, inA...), launchPeer(t, b, door, inB...)
	chats(t, alice, bob, "hello")

	require.Zero(t, alice.end()) // shim-peer-quit: SIGTERM
	require.Equal(t, "left", bob.wait("offline").Why)
	alice = launchPeer(t, a, door, inA...)
	require.True(t, alice.wait("message").Again) // which she has not taken
	alice.say("taken", "friend", "bob", "position", "0")
	chats(t, alice, bob, "she is back")

	require.Zero(t, bob.end())
	alice.wait("offline")
	alice.say("send", "friend", "bob", "text", "where are you?")
	bob = launchPeer(t, b, door, inB...)
	for _, text := range []string{"hello", "she is back", "where are you?"} {
		require.Equal(t, text, bob.wait("message").Text)
	}
	chats(t, alice, bob, "he is back")

	// Without a DHT they talk on. When it is back, empty, who has something to say finds the other.
	require.Zero(t, node.end())
	chats(t, alice, bob, "no node")
	_, _ = launchNode(t, door, "--state", state)
	require.Zero(t, alice.end())
	bob.wait("offline")
	alice = launchPeer(t, a, door, inA...)
	alice.wait("not_found") // bob has left her alone since she went, and his record went with the node
	bob.say("send", "friend", "alice", "text", "still there?")
	for alice.wait("message").Text != "still there?" {
	}
	require.Zero(t, alice.end())
	require.Zero(t, bob.end())
	require.Equal(t, "", strings.ReplaceAll(alice.errs.String()+bob.errs.String(), "\n", ""))
}

// A killing is a sender and a receiver that are killed again and again, and what they have said.
type killing struct {
	t          *testing.T
	rng        *rand.Rand
	door       string
	a, b       owner
	alice, bob *talker
	kill       [2]func()
	run        int               // of bob
	listen     map[string]string // where they listened first, by address: who comes back there is found by his old record

	next      int            // number of the next message
	asked     int            // how many this alice was asked to send and has not told as queued
	highest   int            // number that was told as queued
	positions map[int]uint64 // of those that are queued, by number
	delivered uint64         // the position behind the last that was told as delivered
	got       []int          // numbers that bob has, in order
	at        map[uint64]handed
	last      uint64   // position behind the last that bob got
	said      []string // the last events, for people
}

// handed is a message that bob was handed.
type handed struct{ number, run int }

// TestKilledAgainAndAgain kills sender and receiver of numbered messages at random moments. Nothing that was told as queued is lost, nothing is doubled, and all is in order.
// KITH_KILLS says how often, KITH_SEED when.
func TestKilledAgainAndAgain(t *testing.T) {
	number := func(name string, usual uint64) uint64 {
		n, err := strconv.ParseUint(os.Getenv(name), 10, 64)
		if err != nil {
			return usual
		}
		return n
	}
	kills, seed := number("KITH_KILLS", 20), number("KITH_SEED", rand.Uint64N(1e6))
	t.Logf("KITH_KILLS=%d KITH_SEED=%d", kills, seed)
	_, door := launchNode(t, "127.0.0.1:0")
	k := &killing{
		t: t, rng: rand.New(rand.NewPCG(seed, 0)), door: door, a: newOwner(t, 1), b: newOwner(t, 2), listen: map[string]string{}, highest: -1,
		positions: map[int]uint64{}, at: map[uint64]handed{},
	}
	k.a.knows(t, map[string]owner{"bob": k.b})
	k.b.knows(t, map[string]owner{"alice": k.a})
	k.startAlice()
	k.startBob()
	for range kills {
		k.round()
	}
	k.finish()
	t.Logf("%d messages sent, %d of them told as queued, %d received", k.next, len(k.positions), len(k.got))
}

func (k *killing) start(o owner) (*talker, func()) {
	listen, again := k.listen[o.address]
	if !again {
		listen = "127.0.0.1:0"
	}
	args := append([]string{"peer", "--listen", listen, "--bootstrap", k.door, "--contacts", filepath.Join(o.dir, "friends")}, o.flags()...)
	p, cmd := launch(k.t, o.address, args...)
	if !again {
		k.listen[o.address] = p.wait("ready").Listening[0].String()
	}
	return p, func() {
		cmd.Process.Kill()
		<-p.code
		p.code <- 0 // for end
	}
}

func (k *killing) startAlice() {
	k.asked = 0
	k.alice, k.kill[0] = k.start(k.a)
}

func (k *killing) startBob() {
	k.run++
	k.bob, k.kill[1] = k.start(k.b)
}

// send lets alice send some messages. That she was killed meanwhile is no fault.
func (k *killing) send(n int) {
	for range n {
		text := fmt.Sprintf("%d %s", k.next, strings.Repeat("x", k.rng.IntN(200)))
		if k.rng.IntN(50) == 0 {
			text += strings.Repeat("y", 20_000) // in parts
		}
		b, err := json.Marshal(map[string]string{"do": "send", "friend": "bob", "text": text, "ref": strconv.Itoa(k.next)})
		require.NoError(k.t, err)
		k.alice.write(string(b))
		k.next++
		k.asked++
	}
}

// round lets things happen until a random moment, and kills one of the two.
func (k *killing) round() {
	if k.rng.IntN(3) > 0 {
		k.until(func(e lineEvent) bool { return e.Event == "online" })
	}
	k.send(k.rng.IntN(100))
	if n := k.rng.IntN(200); n > 0 && !k.idle() {
		k.until(func(lineEvent) bool { n--; return n == 0 || k.idle() })
	}
	if k.rng.IntN(2) == 0 {
		k.kill[0]()
		k.note("alice", lineEvent{Event: "is killed", Time: udp.Now().UnixMilli()})
		k.drain(k.alice, k.fromAlice)
		k.startAlice()
	} else {
		k.kill[1]()
		k.note("bob", lineEvent{Event: "is killed", Time: udp.Now().UnixMilli()})
		k.drain(k.bob, k.fromBob)
		k.startBob()
	}
}

// idle reports whether all that this alice was asked to send is queued, and all that is queued has come.
func (k *killing) idle() bool {
	return k.asked == 0 && (k.highest < 0 || len(k.got) > 0 && k.got[len(k.got)-1] >= k.highest)
}

// until takes what both say until one of them says the right thing.
func (k *killing) until(right func(lineEvent) bool) {
	k.t.Helper()
	deadline := time.After(2 * patience)
	for {
		var e lineEvent
		ok := false
		select {
		case e, ok = <-k.alice.events:
			k.note("alice", e)
			k.fromAlice(e)
		case e, ok = <-k.bob.events:
			k.note("bob", e)
			k.fromBob(e)
		case <-deadline:
			k.t.Fatalf("nothing happens any more: %d sent, %d queued, %d received\n%s\n%s%s", k.next, len(k.positions), len(k.got), strings.Join(k.said, "\n"), k.alice.errs, k.bob.errs)
		}
		if !ok {
			k.t.Fatalf("one has ended by itself:\n%s%s", k.alice.errs, k.bob.errs)
		}
		if right(e) {
			return
		}
	}
}

func (k *killing) note(who string, e lineEvent) {
	k.said = append(k.said, fmt.Sprintf("%s %s: %s %s", time.UnixMilli(e.Time).Format("15:04:05.000"), who, e.Event, e.Position+e.Why))
	k.said = k.said[max(0, len(k.said)-30):]
}

// drain takes what one has said before it was killed. Its last line may have been cut off.
func (k *killing) drain(p *talker, from func(lineEvent)) {
	for e := range p.events {
		if e.Event != "no JSON" {
			from(e)
		}
	}
}

func (k *killing) fromAlice(e lineEvent) {
	k.t.Helper()
	position, err := strconv.ParseUint(e.Position, 10, 64)
	switch e.Event {
	case "queued":
		require.NoError(k.t, err)
		n, err := strconv.Atoi(*e.Ref)
		require.NoError(k.t, err)
		require.NotContains(k.t, k.positions, n)
		k.positions[n] = position
		k.highest = n
		k.asked--
	case "delivered":
		require.NoError(k.t, err)
		k.delivered = max(k.delivered, position+1)
	case "error", "missing", "refused", "no JSON":
		k.t.Fatalf("alice says %+v", e)
	}
}

func (k *killing) fromBob(e lineEvent) {
	k.t.Helper()
	switch e.Event {
	case "message":
	case "error", "missing", "refused", "no JSON":
		k.t.Fatalf("bob says %+v", e)
	default:
		return
	}
	position, err := strconv.ParseUint(e.Position, 10, 64)
	require.NoError(k.t, err)
	word, _, _ := strings.Cut(e.Text, " ")
	n, err := strconv.Atoi(word)
	require.NoError(k.t, err)
	if before, again := k.at[position]; again {
		require.Equal(k.t, before.number, n, "another message at the same position")
		require.Less(k.t, before.run, k.run, "handed over twice in one life")
		require.True(k.t, e.Again)
	} else {
		require.GreaterOrEqual(k.t, position, k.last)
		if len(k.got) > 0 {
			require.Greater(k.t, n, k.got[len(k.got)-1], "doubled, or out of order")
		}
		k.got, k.last = append(k.got, n), position+1
	}
	k.at[position] = handed{n, k.run}
	if k.rng.IntN(3) == 0 {
		fmt.Fprintf(k.bob.in, `{"do":"taken","friend":"alice","position":"%d"}`+"\n", position) // he may be dead already
	}
}

// finish sends one more message and waits until all have come.
func (k *killing) finish() {
	k.send(1)
	k.until(func(lineEvent) bool {
		p, queued := k.positions[k.next-1]
		return queued && len(k.got) > 0 && k.got[len(k.got)-1] == k.next-1 && k.delivered > p
	})
	for n, p := range k.positions {
		_, has := slices.BinarySearch(k.got, n)
		require.True(k.t, has, "message %d, told as queued at %d, is lost", n, p)
	}
	require.Zero(k.t, k.alice.end())
	require.Zero(k.t, k.bob.end())
}
