package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/dht"
	"kith/internal/udp"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// A result is what a command line left behind.
type result struct {
	out, errs string
	code      int
}

// kith runs a command line to its end.
func kith(t *testing.T, args ...string) result { return kithReading(t, "", args...) }

// kithReading does, with something on standard input.
func kithReading(t *testing.T, in string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := root()
	cmd.SetContext(ctx)
	cmd.SetIn(strings.NewReader(in))
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	cmd.SetArgs(args)
	code := run(cmd)
	require.NoError(t, ctx.Err(), "kith %v took too long: %s %s", args, &out, &errs)
	return result{out.String(), errs.String(), code}
}

// A background is a kith node --json while it runs.
type background struct {
	t     *testing.T
	out   *bufio.Scanner
	errs  *bytes.Buffer
	pipe  *io.PipeReader
	stop  context.CancelFunc
	code  chan int
	once  sync.Once
	ended int
}

// startNode runs kith node on loopback.
func startNode(t *testing.T, args ...string) *background {
	ctx, stop := context.WithCancel(t.Context())
	r, w := io.Pipe()
	b := &background{t: t, out: bufio.NewScanner(r), errs: new(bytes.Buffer), pipe: r, stop: stop, code: make(chan int, 1)}
	cmd := root()
	cmd.SetContext(ctx)
	cmd.SetOut(w)
	cmd.SetErr(b.errs)
	cmd.SetArgs(append([]string{"node", "--json", "--listen", "127.0.0.1:0"}, args...))
	go func() {
		code := run(cmd)
		w.Close()
		b.code <- code
	}()
	t.Cleanup(func() { b.end() })
	return b
}

// wait returns the next entry of a kind.
func (b *background) wait(event string) entry {
	b.t.Helper()
	for b.out.Scan() {
		var e entry
		require.NoError(b.t, json.Unmarshal(b.out.Bytes(), &e), b.out.Text())
		at, err := time.Parse(time.RFC3339Nano, e.Time)
		require.NoError(b.t, err)
		require.WithinDuration(b.t, udp.Now(), at, time.Hour)
		if e.Event == event {
			return e
		}
	}
	b.t.Fatalf("the node ended without saying %s: %s", event, b.errs)
	return entry{}
}

// end stops the node as Ctrl-C does and returns its exit code.
func (b *background) end() int {
	b.once.Do(func() {
		b.stop()
		go io.Copy(io.Discard, b.pipe)
		b.ended = <-b.code
	})
	return b.ended
}

// swarm starts n nodes that know each other, without commands, and returns their addresses.
func swarm(t *testing.T, n int) []string {
	var addrs []string
	var doors []netip.AddrPort
	for range n {
		d, err := udp.Listen(udp.Config{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}})
		require.NoError(t, err)
		t.Cleanup(func() { d.Close() })
		node, err := dht.New(dht.Config{Bootstrap: doors, Reachable: true}, udp.Now())
		require.NoError(t, err)
		in := newInbox()
		d.Start(node, in.from(node))
		if len(doors) > 0 {
			ready(t, in)
		}
		doors = d.LocalAddrs()
		addrs = append(addrs, doors[0].String())
	}
	return addrs
}

// ready waits until a node has found others.
func ready(t *testing.T, in *inbox) {
	deadline := time.After(patience)
	for {
		select {
		case <-deadline:
			t.Fatal("a node does not find the others")
		case <-in.more:
			for _, e := range in.take() {
				if e.Kind == dht.EventReady {
					return
				}
			}
		}
	}
}
