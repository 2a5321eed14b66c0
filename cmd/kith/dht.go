package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kith/dht"
	"kith/internal/udp"
	"kith/wire"
)

// clientFlags are those of every command of kith dht.
type clientFlags struct {
	networkFlags
	timeout time.Duration
	json    bool
}

func dhtCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dht",
		Short: "Speak to the Mainline DHT from the shell",
		Long: `Speak to BitTorrent's Mainline DHT, or to any network that speaks like it.

Each command is a node for as long as it runs, one that only asks (BEP 43). Results
are on standard output, everything else on standard error; a terminal shows how a
look-up goes on. With --json every line of standard output is an object with an event:
answer, peers, item, stored, refused, and at last done.

Exit codes: 0 found, stored, answered; 1 not; 2 wrong usage; 3 nobody could be asked:
no socket, no name resolved, or no node answered at all.`,
		Example: `  kith dht ping router.bittorrent.com:6881
  kith dht find 24f320980b8c150793c8e895d2a015d23d316618
  kith dht put "Hello World!"
  kith dht get e5f96f6f38320f0f33959cb4d3d656452117aadb
  kith dht peers 2c6b6858d61da9543d4231a71db4b1c9264b0685 --timeout 20s`,
		Args: noArgs,
		RunE: helpAlone,
	}
	cmd.AddCommand(pingCommand(), findCommand(), peersCommand(), announceCommand(), getCommand(), putCommand())
	return cmd
}

func (f *clientFlags) add(cmd *cobra.Command, timeout time.Duration) {
	f.networkFlags.add(cmd, "0.0.0.0:0 and [::]:0")
	cmd.Flags().DurationVar(&f.timeout, "timeout", timeout, "when to give up")
	cmd.Flags().BoolVar(&f.json, "json", false, "results as lines of JSON")
}

// A client is a node for one command.
type client struct {
	cmd   *cobra.Command
	f     *clientFlags
	d     *udp.Driver
	n     *dht.Node
	inbox *inbox
	out   io.Writer
	live  *liveLine
	ctx   context.Context
	stop  func()
	began time.Time
	fault error // of standard output
}

// open makes the client. needNodes: it must begin at somebody.
func (f *clientFlags) client(cmd *cobra.Command, needNodes bool) (*client, error) {
	names, err := f.names()
	if err == nil {
		_, err = f.addresses(0)
	}
	if err != nil {
		return nil, misused(cmd, "%v", err)
	}
	if !needNodes {
		names = nil
	} else if len(names) == 0 {
		return nil, misused(cmd, "--bootstrap none leaves nobody to ask")
	}
	if f.timeout <= 0 {
		return nil, misused(cmd, "--timeout %v: not in the future", f.timeout)
	}
	signal.Ignore(syscall.SIGPIPE)
	c := &client{cmd: cmd, f: f, inbox: newInbox(), out: cmd.OutOrStdout(), live: newLiveLine(cmd.ErrOrStderr()), began: udp.Now()}
	ctx, cancel := context.WithTimeout(cmd.Context(), f.timeout)
	c.ctx, c.stop = signal.NotifyContext(ctx, endings()...)
	c.stop = func(stop func()) func() { return func() { stop(); cancel() } }(c.stop)
	if c.d, err = f.open(0); err != nil {
		c.stop()
		return nil, failed(cmd, exitNetwork, err)
	}
	doors, missing := resolve(c.ctx, names)
	if needNodes && len(doors) == 0 {
		c.close()
		for _, p := range missing {
			fmt.Fprintf(cmd.ErrOrStderr(), "kith: bootstrap %s: %v\n", p.Name, errors.Unwrap(p.Err))
		}
		return nil, failed(cmd, exitNetwork, errors.New("no bootstrap node has an address: nobody to ask"))
	}
	v4, v6 := families(c.d)
	c.n, err = dht.New(dht.Config{IPv4: v4, IPv6: v6, Bootstrap: doors, ReadOnly: true}, udp.Now())
	if err != nil {
		c.close()
		return nil, failed(cmd, exitFailed, err)
	}
	c.d.Start(c.n, c.inbox.from(c.n))
	return c, nil
}

func (c *client) close() {
	c.live.clear()
	c.d.Close()
	c.stop()
}

// run runs an operation to its end and returns its EventDone. Each event on the way is given to on, which may be nil. A target is
// what the look-up comes closer to; nil: none.
func (c *client) run(target *wire.ID, start func(now time.Time) dht.Op, on func(dht.Event)) (dht.Event, error) {
	var op dht.Op
	if err := c.d.Do(func(now time.Time) { op = start(now) }); err != nil {
		return dht.Event{}, failed(c.cmd, exitNetwork, err)
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	p := progress{target: target}
	for {
		select {
		case <-c.ctx.Done():
			c.d.Do(func(time.Time) { c.n.Cancel(op) })
			return p.last, c.stopped(p)
		case <-tick.C:
			c.live.show(p.line(c.since()))
		case <-c.inbox.more:
			for _, e := range c.inbox.take() {
				if e.Op != op {
					continue
				}
				p.take(e)
				if e.Kind == dht.EventDone {
					c.live.clear()
					return e, nil
				}
				if on != nil {
					on(e)
				}
			}
		}
	}
}

// stopped says why the operation was ended from outside, and how far it was.
func (c *client) stopped(p progress) error {
	c.live.clear()
	if c.fault != nil {
		return c.result(dht.Event{})
	}
	code, err := exitCode(exitFailed), errors.New("interrupted")
	if errors.Is(c.ctx.Err(), context.DeadlineExceeded) {
		what := "result"
		if p.target == nil {
			what = "answer"
		}
		code, err = c.silence(exitFailed), fmt.Errorf("no %s in %v", what, c.f.timeout)
		if s := c.d.Stats(); s.In == 0 && s.LastError != nil {
			err = fmt.Errorf("%w: %w", err, s.LastError)
		}
	}
	ok := false
	r := report{Event: "done", OK: &ok, Error: err.Error(), Asked: p.last.Asked, Answered: p.last.Answered, Stored: p.last.Stored, Seconds: c.since().Seconds()}
	if p.target != nil {
		r.Target = p.target.String()
	}
	c.emit(r)
	return failed(c.cmd, code, err)
}

// since is how long the command has run.
func (c *client) since() time.Duration { return udp.Now().Sub(c.began) }

// silence is exitNetwork when nothing at all was received, else code.
func (c *client) silence(code exitCode) exitCode {
	if c.d.Stats().In == 0 {
		return exitNetwork
	}
	return code
}

// result turns the end of an operation into what RunE returns.
func (c *client) result(e dht.Event) error {
	switch {
	case errors.Is(c.fault, syscall.EPIPE): // whoever read this has read enough
		return exitCode(exitFailed)
	case c.fault != nil:
		return failed(c.cmd, exitFailed, fmt.Errorf("cannot write the result: %w", c.fault))
	case e.Err == nil:
		return nil
	case errors.Is(e.Err, dht.ErrNoNodes):
		err := errors.New("no node answered")
		if s := c.d.Stats(); s.LastError != nil {
			err = fmt.Errorf("%w: %w", err, s.LastError)
		}
		return failed(c.cmd, exitNetwork, err)
	}
	text := strings.TrimPrefix(e.Err.Error(), "dht: ")
	if e.Text != "" {
		text += ": " + plain(e.Text)
	}
	return failed(c.cmd, exitFailed, errors.New(text))
}

// say prints something for people beside the result.
func (c *client) say(format string, args ...any) {
	if !c.f.json {
		c.live.print(fmt.Sprintf(format, args...))
	}
}

// print prints a line of the result. If that fails there is no point in going on.
func (c *client) print(s string) { c.write(s + "\n") }

func (c *client) write(s string) {
	if c.fault != nil {
		return
	}
	c.live.clear()
	if _, c.fault = io.WriteString(c.out, s); c.fault != nil {
		c.stop()
	}
}

// A report is one line of --json.
type report struct {
	Event    string     `json:"event"`
	Node     *jsonNode  `json:"node,omitempty"`   // who answered
	RTT      float64    `json:"rtt_ms,omitempty"` // how soon
	Peers    []string   `json:"peers,omitempty"`
	Item     *jsonItem  `json:"item,omitempty"`
	Code     int64      `json:"code,omitempty"` // of a node's error
	Text     string     `json:"text,omitempty"`
	OK       *bool      `json:"ok,omitempty"` // done: exit code 0
	Error    string     `json:"error,omitempty"`
	Target   string     `json:"target,omitempty"`
	Nodes    []jsonNode `json:"nodes,omitempty"` // done: the closest that answered
	Asked    int        `json:"asked,omitempty"` // queries so far
	Answered int        `json:"answered,omitempty"`
	Stored   int        `json:"stored,omitempty"`
	Seconds  float64    `json:"seconds,omitempty"`
}

type jsonNode struct {
	ID   string `json:"id"`
	Addr string `json:"address"`
}

type jsonItem struct {
	Value   string `json:"value_hex"`       // bencoded
	Text    string `json:"value,omitempty"` // when it is a string of readable text
	Mutable bool   `json:"mutable"`
	Key     string `json:"key,omitempty"`
	Salt    string `json:"salt_hex,omitempty"`
	Seq     *int64 `json:"seq,omitempty"`
	Sig     string `json:"sig,omitempty"`
}

func nodeOf(n wire.Node) jsonNode { return jsonNode{n.ID.String(), n.Addr.String()} }

func itemOf(i *dht.Item) *jsonItem {
	if i == nil {
		return nil
	}
	j := &jsonItem{Value: hex.EncodeToString(i.Value), Mutable: i.Mutable}
	if s, ok := text(i.Value); ok && plain(s) == s {
		j.Text = s
	}
	if i.Mutable {
		j.Key, j.Salt, j.Sig, j.Seq = hex.EncodeToString(i.Key[:]), hex.EncodeToString(i.Salt), hex.EncodeToString(i.Sig[:]), &i.Seq
	}
	return j
}

// emit prints a line of --json.
func (c *client) emit(r report) {
	if !c.f.json {
		return
	}
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // a report holds nothing that JSON has not
	}
	c.print(string(b))
}

var reportNames = map[dht.EventKind]string{
	dht.EventAnswer: "answer", dht.EventPeers: "peers", dht.EventItem: "item", dht.EventStored: "stored", dht.EventRefused: "refused",
}

// follow prints the events of an operation, in --json.
func (c *client) follow(e dht.Event) {
	name := reportNames[e.Kind]
	if name == "" {
		return
	}
	node := nodeOf(e.Node)
	r := report{Event: name, Node: &node, RTT: milliseconds(e.RTT), Item: itemOf(e.Item), Code: e.Code, Text: e.Text}
	for _, p := range e.Peers {
		r.Peers = append(r.Peers, p.String())
	}
	c.emit(r)
}

// finish prints the last line of --json, and returns what RunE does.
func (c *client) finish(e dht.Event, target *wire.ID) error {
	ok := e.Err == nil
	r := report{Event: "done", OK: &ok, Asked: e.Asked, Answered: e.Answered, Stored: e.Stored, Code: e.Code, Text: e.Text,
		Item: itemOf(e.Item), Seconds: c.since().Seconds()}
	if e.Err != nil {
		r.Error = e.Err.Error()
	}
	if target != nil {
		r.Target = target.String()
	}
	if e.Node.Addr.IsValid() {
		node := nodeOf(e.Node)
		r.Node, r.RTT = &node, milliseconds(e.RTT)
	}
	for _, n := range e.Nodes {
		r.Nodes = append(r.Nodes, nodeOf(n))
	}
	c.emit(r)
	return c.result(e)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// A progress is what a look-up's line shows.
type progress struct {
	target *wire.ID // nil: one node is asked
	last   dht.Event
	near   int // bits that the closest node so far and the target have in common
}

func (p *progress) take(e dht.Event) {
	p.last = e
	if p.target != nil && e.Kind == dht.EventAnswer {
		p.near = max(p.near, shared(e.Node.ID, *p.target))
	}
}

func (p *progress) line(since time.Duration) string {
	if p.target == nil {
		return fmt.Sprintf("%4.1f s · no answer yet", since.Seconds())
	}
	s := fmt.Sprintf("%4.1f s · %d asked · %d answered", since.Seconds(), p.last.Asked, p.last.Answered)
	if p.near > 0 {
		s += fmt.Sprintf(" · %d bits close", p.near)
	}
	if p.last.Stored > 0 {
		s += fmt.Sprintf(" · %d stored", p.last.Stored)
	}
	return s
}

// shared is how many leading bits two ids have in common.
func shared(a, b wire.ID) int {
	d := dht.Distance(a, b)
	n := 0
	for n < 8*len(d) && d[n/8]&(0x80>>(n%8)) == 0 {
		n++
	}
	return n
}

// parseID parses an id, target or info-hash from the command line.
func parseID(s string) (id wire.ID, err error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(id) {
		return id, fmt.Errorf("%q is no id of %d hexadecimal digits", s, 2*len(id))
	}
	return wire.ID(b), nil
}

// text is what a bencoded string says; ok is false for a value of another kind.
func text(value []byte) (s string, ok bool) {
	if len(value) == 0 || value[0] < '0' || value[0] > '9' {
		return "", false
	}
	_, s, ok = strings.Cut(string(value), ":")
	return s, ok
}
