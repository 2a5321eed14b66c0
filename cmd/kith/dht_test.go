package main

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	someID    = "24f320980b8c150793c8e895d2a015d23d316618"
	helloID   = "e5f96f6f38320f0f33959cb4d3d656452117aadb" // BEP 44's test vector: the target of "Hello World!"
	publicKey = "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"
)

var zeroSeed = strings.Repeat("00", 32) // publicKey's

// dhtTo returns a function that runs kith dht in a network.
func dhtTo(t *testing.T, door string) func(args ...string) result {
	return func(args ...string) result {
		return kith(t, append([]string{"dht"}, append(args, "--bootstrap", door, "--listen", "127.0.0.1:0")...)...)
	}
}

// lines parses what --json printed.
func lines(t *testing.T, out string) (all []report) {
	for l := range strings.Lines(out) {
		var r report
		require.NoError(t, json.Unmarshal([]byte(l), &r), l)
		all = append(all, r)
	}
	return all
}

func TestDHTPing(t *testing.T) {
	addrs := swarm(t, 1)
	got := kith(t, "dht", "ping", addrs[0])
	require.Zero(t, got.code)
	require.Regexp(t, `^127\.0\.0\.1:\d+  [0-9a-f]{40}  \d+\.\d ms\n$`, got.out)
	require.Empty(t, got.errs)

	got = kith(t, "dht", "ping", addrs[0], "--json")
	all := lines(t, got.out)
	require.Len(t, all, 1)
	require.Equal(t, "done", all[0].Event)
	require.True(t, *all[0].OK)
	require.Equal(t, addrs[0], all[0].Node.Addr)
	require.NotZero(t, all[0].RTT)

	dead := swarmOfNone(t)
	got = kith(t, "dht", "ping", dead, "--timeout", "200ms")
	require.Equal(t, exitNetwork, got.code)
	require.Equal(t, "kith: no answer in 200ms\n", got.errs)
	require.Empty(t, got.out)
	got = kith(t, "dht", "ping", dead, "--timeout", "200ms", "--json")
	require.Equal(t, exitNetwork, got.code)
	all = lines(t, got.out)
	require.Len(t, all, 1, "the last line comes however it ends")
	require.Equal(t, "done", all[0].Event)
	require.False(t, *all[0].OK)
	require.Equal(t, "no answer in 200ms", all[0].Error)

	got = kith(t, "dht", "ping", "[::1]:1", "--listen", "127.0.0.1:0")
	require.Equal(t, exitNetwork, got.code)
	require.Contains(t, got.errs, "no socket for that family")
}

// swarmOfNone returns an address where nobody is.
func swarmOfNone(t *testing.T) string {
	b := startNode(t, "--bootstrap", "none")
	addr := b.wait("listening").Addresses[0]
	b.end()
	return addr
}

func TestDHTFind(t *testing.T) {
	do := dhtTo(t, swarm(t, 9)[0])
	got := do("find", someID)
	require.Zero(t, got.code, got.errs)
	require.Regexp(t, `^([0-9a-f]{40}  127\.0\.0\.1:\d+ +  \d+\n){8}$`, got.out)
	require.Empty(t, got.errs)

	got = do("find", someID, "--json")
	all := lines(t, got.out)
	done := all[len(all)-1]
	require.Equal(t, "done", done.Event)
	require.Equal(t, someID, done.Target)
	require.Len(t, done.Nodes, 8)
	require.Equal(t, done.Answered, len(all)-1, "a line for each answer, and one at the end")
	require.Equal(t, "answer", all[0].Event)
}

func TestDHTPutAndGet(t *testing.T) {
	do := dhtTo(t, swarm(t, 5)[0])
	got := do("get", helloID)
	require.Equal(t, exitFailed, got.code)
	require.Equal(t, "kith: nothing found\n", got.errs)

	got = do("put", "Hello World!")
	require.Zero(t, got.code)
	require.Equal(t, helloID+"\n", got.out)
	require.Equal(t, "stored by 5 nodes\n", got.errs)
	got = do("get", helloID)
	require.Equal(t, result{"Hello World!", "", 0}, got)
	require.Equal(t, result{"12:Hello World!", "", 0}, do("get", helloID, "--raw"))

	file := filepath.Join(t.TempDir(), "value")
	require.NoError(t, os.WriteFile(file, []byte("\x00binary\xff"), 0o600))
	got = do("put", "--file", file, "--json")
	all := lines(t, got.out)
	done := all[len(all)-1]
	require.True(t, *done.OK)
	require.Equal(t, 5, done.Stored)
	require.Equal(t, result{"\x00binary\xff", "", 0}, do("get", done.Target))
	got = do("get", done.Target, "--json")
	all = lines(t, got.out)
	item := all[len(all)-1].Item
	require.Equal(t, "383a0062696e617279ff", item.Value)
	require.Empty(t, item.Text, "it is no text")
	require.False(t, item.Mutable)

	got = do("put", "--bencode", "d4:name5:Alicee")
	require.Zero(t, got.code)
	require.Equal(t, "d4:name5:Alicee", do("get", strings.TrimSpace(got.out)).out)
	got = kithReading(t, "from a pipe", "dht", "put", "--file", "-", "--bootstrap", swarm(t, 1)[0], "--listen", "127.0.0.1:0")
	require.Zero(t, got.code, got.errs)
}

func TestDHTPutMutable(t *testing.T) {
	do := dhtTo(t, swarm(t, 5)[0])
	got := do("put", "--seed", zeroSeed, "--salt", "of the earth", "first")
	require.Zero(t, got.code, got.errs)
	require.Contains(t, got.errs, "seq 1 of key "+publicKey)
	target := got.out
	got = do("put", "--seed", zeroSeed, "--salt", "of the earth", "second")
	require.Zero(t, got.code, got.errs)
	require.Contains(t, got.errs, "seq 2 ")
	require.Equal(t, target, got.out)

	want := result{"second", "seq 2, signed by " + publicKey + "\n", 0}
	require.Equal(t, want, do("get", "--key", publicKey, "--salt", "of the earth"))
	require.Equal(t, want, do("get", strings.TrimSpace(target), "--salt", "of the earth"))
	require.Equal(t, exitFailed, do("get", "--key", publicKey).code, "the salt is part of the name")
	all := lines(t, do("get", "--key", publicKey, "--salt", "of the earth", "--json").out)
	item := all[len(all)-1].Item
	require.True(t, item.Mutable)
	require.EqualValues(t, 2, *item.Seq)
	require.Equal(t, "second", item.Text)
	require.Equal(t, publicKey, item.Key)

	got = do("put", "--seed", zeroSeed, "--salt", "of the earth", "--seq", "9", "--cas", "1", "third")
	require.Equal(t, exitFailed, got.code)
	require.Contains(t, got.errs, "error 301")
	require.Empty(t, got.out)
	got = do("put", "--seed", zeroSeed, "--salt", "of the earth", "--seq", "1", "old")
	require.Equal(t, exitFailed, got.code)
	require.Contains(t, got.errs, "error 302")
	require.Contains(t, got.errs, "seq 2 is out there already")

	keyFile := filepath.Join(t.TempDir(), "key")
	got = do("put", "--key-file", keyFile, "mine")
	require.Equal(t, exitFailed, got.code)
	require.Contains(t, got.errs, "--new-key")
	require.Zero(t, do("put", "--key-file", keyFile, "--new-key", "mine").code)
	got = do("put", "--key-file", keyFile, "mine again")
	require.Zero(t, got.code)
	require.Contains(t, got.errs, "seq 2 ")
	got = do("put", "--key-file", keyFile, "--new-key", "not mine")
	require.Equal(t, exitFailed, got.code, "a key is never written over")
	info, err := os.Stat(keyFile)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestDHTPeers(t *testing.T) {
	do := dhtTo(t, swarm(t, 5)[0])
	got := do("peers", someID)
	require.Equal(t, result{"", "kith: nothing found\n", exitFailed}, got)
	got = do("announce", someID, "--port", "4321")
	require.Zero(t, got.code, got.errs)
	require.Equal(t, 5, strings.Count(got.out, "stored  "))
	require.Equal(t, result{"127.0.0.1:4321\n", "", 0}, do("peers", someID))
	all := lines(t, do("peers", someID, "--json").out)
	found := 0
	for _, r := range all {
		if r.Event == "peers" {
			found++
			require.Equal(t, []string{"127.0.0.1:4321"}, r.Peers)
		}
	}
	require.Equal(t, 5, found)
}

// TestDHTResultThatNobodyReads ends the command at once, without a word if the reader has just gone.
func TestDHTResultThatNobodyReads(t *testing.T) {
	addr := swarm(t, 3)[0]
	require.Zero(t, kith(t, "dht", "announce", someID, "--port", "1", "--bootstrap", addr, "--listen", "127.0.0.1:0").code)
	for _, c := range []struct {
		err  error
		says string
	}{{syscall.EPIPE, ""}, {errors.New("disk full"), "kith: cannot write the result: disk full\n"}} {
		for _, args := range [][]string{{"peers", someID}, {"peers", someID, "--json"}, {"find", someID}, {"ping", addr}, {"put", "value"}} {
			if args[0] != "ping" {
				args = append(args, "--bootstrap", addr)
			}
			cmd := root()
			var errs strings.Builder
			cmd.SetOut(brokenWriter{c.err})
			cmd.SetErr(&errs)
			cmd.SetArgs(append([]string{"dht", "--listen", "127.0.0.1:0"}, args...))
			require.Equal(t, exitFailed, run(cmd), args)
			require.Equal(t, c.says, strings.TrimPrefix(errs.String(), "stored by 3 nodes\n"), args)
		}
	}
}

func TestValueOnATerminal(t *testing.T) {
	f := &getFlags{}
	require.Equal(t, "héllo\n", f.shown([]byte("6:héllo"), true))
	require.Equal(t, "\"\\x1b[2J\"\n", f.shown([]byte("4:\x1b[2J"), true))
	require.Equal(t, "\x1b[2J", f.shown([]byte("4:\x1b[2J"), false))
	require.Equal(t, "i5e", f.shown([]byte("i5e"), false))
	f.raw = true
	require.Equal(t, "2:ab", f.shown([]byte("2:ab"), false))
}

// TestDHTBothFamilies uses whatever sockets there are, as commands do unless they are told.
func TestDHTBothFamilies(t *testing.T) {
	addr := swarm(t, 3)[0]
	got := kith(t, "dht", "find", someID, "--bootstrap", addr)
	require.Zero(t, got.code, got.errs)
	require.Equal(t, 3, strings.Count(got.out, "\n"))

	c, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 on this machine: %v", err)
	}
	c.Close()
	b := startNode(t, "--listen", "[::1]:0", "--bootstrap", addr, "--reachable")
	both := b.wait("listening")
	require.Len(t, both.IDs, 2)
	require.NotEqual(t, both.IDs[0], both.IDs[1])
	got = kith(t, "dht", "put", "in both", "--bootstrap", addr, "--bootstrap", both.Addresses[1])
	require.Zero(t, got.code, got.errs)
	require.Contains(t, got.errs, "stored by ")
	got = kith(t, "dht", "get", strings.TrimSpace(got.out), "--bootstrap", both.Addresses[1], "--listen", "[::1]:0")
	require.Equal(t, result{"in both", "", 0}, got)
}

func TestDHTSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "key")
	require.NoError(t, os.WriteFile(bad, []byte("not a key"), 0o600))
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"ping", exitUsage, "one argument"},
		{"ping 127.0.0.1", exitUsage, "no host with a port"},
		{"ping 127.0.0.1:1 --timeout -1s", exitUsage, "--timeout"},
		{"ping nowhere.invalid:1", exitNetwork, "nowhere.invalid"},
		{"find", exitUsage, "one argument"},
		{"find 24f320", exitUsage, "40 hexadecimal digits"},
		{"find " + someID + " --bootstrap none", exitUsage, "nobody to ask"},
		{"find " + someID + " --bootstrap nowhere.invalid:1", exitNetwork, "nobody to ask"},
		{"find " + someID + " --bootstrap " + swarmOfNone(t) + " --listen 127.0.0.1:0", exitNetwork, "no node answered"},
		{"peers x", exitUsage, "40 hexadecimal digits"},
		{"announce " + someID, exitUsage, "--port is missing"},
		{"announce " + someID + " --port 65536", exitUsage, "invalid argument"},
		{"get", exitUsage, "either a target or --key"},
		{"get " + someID + " --key " + publicKey, exitUsage, "either a target or --key"},
		{"get --key abc", exitUsage, "64 hexadecimal digits"},
		{"get " + someID + " --salt " + strings.Repeat("s", 65), exitUsage, "at most 64"},
		{"put", exitUsage, "either one value or --file"},
		{"put a b", exitUsage, "either one value or --file"},
		{"put a --file b", exitUsage, "either one value or --file"},
		{"put --file " + filepath.Join(dir, "none"), exitFailed, "no such file"},
		{"put --bencode i01e", exitUsage, "not one canonical bencoded value"},
		{"put " + strings.Repeat("v", 1000), exitUsage, "more than 1000 bytes"},
		{"put v --seq 1", exitUsage, "--seq belongs to a mutable item"},
		{"put v --seed 00", exitUsage, "64 hexadecimal digits"},
		{"put v --seed " + zeroSeed + " --key-file " + bad, exitUsage, "exclude each other"},
		{"put v --key-file " + bad, exitUsage, "64 hexadecimal digits"},
		{"put v --new-key", exitUsage, "needs --key-file"},
		{"put v --seed " + zeroSeed + " --seq -1", exitUsage, "not negative"},
		{"sing", exitUsage, "no command"},
	} {
		got := kith(t, append([]string{"dht"}, strings.Fields(c.args)...)...)
		require.Equal(t, c.code, got.code, "%s: %s", c.args, got.errs)
		require.Contains(t, got.errs, c.says, c.args)
		require.Empty(t, got.out, c.args)
	}
}

func TestEveryCommandHasAnExample(t *testing.T) {
	for _, words := range [][]string{{"node"}, {"dht"}, {"version"}, {"dht", "ping"}, {"dht", "find"}, {"dht", "peers"}, {"dht", "announce"}, {"dht", "get"}, {"dht", "put"}} {
		cmd, _, err := root().Find(words)
		require.NoError(t, err)
		require.Equal(t, words[len(words)-1], cmd.Name())
		require.Contains(t, cmd.Example, "kith "+strings.Join(words, " "))
		require.NotEmpty(t, cmd.Long)
		for l := range strings.Lines(cmd.Long) {
			require.LessOrEqual(t, len(l), 90, l)
		}
	}
}

func TestCompletion(t *testing.T) {
	got := kith(t, "__complete", "dht", "")
	for _, name := range []string{"ping", "find", "get", "put", "peers", "announce"} {
		require.Contains(t, got.out, name+"\t")
	}
	require.Contains(t, kith(t, "__complete", "node", "--bootstrap", "").out, "router.bittorrent.com:6881")
	require.Contains(t, kith(t, "completion", "bash").out, "__start_kith")
}
