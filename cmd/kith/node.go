package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kith/dht"
	"kith/internal/udp"
)

const (
	nodePort     = 6881
	saveEvery    = 5 * time.Minute
	statsEvery   = time.Minute // in the JSON log
	resolveAgain = 30 * time.Second
)

// nodeFlags are those of kith node.
type nodeFlags struct {
	networkFlags
	state         string
	readOnly      bool
	reachable     bool
	json          bool
	metrics       string
	metricsPublic bool
}

func nodeCommand() *cobra.Command {
	f := &nodeFlags{}
	cmd := &cobra.Command{
		Use:   "node",
		Short: "Run a node of the Mainline DHT",
		Long: `Run a node of BitTorrent's Mainline DHT, until Ctrl-C or SIGTERM.

It prints the addresses that it listens on, and in a terminal a line that shows what
it does; anywhere else it is quiet unless something is wrong. With --state it comes
back with its id and the nodes it knew: the file is replaced as a whole, every five
minutes and at the end. Two nodes cannot share one.

With --json every line of standard output is an object with time and event: listening,
ready, address, read_only, bootstrap_failed, saved, save_failed, stats (every minute),
stopped.

A node says that it only asks (BEP 43) until a stranger has shown that it can be
reached; a quarter of an hour after it has found others is for finding that out.
--reachable says so from the start: for servers, and for networks of one's own.

Exit codes: 0 ended as asked; 1 the state or the log cannot be read or written; 2 wrong
usage; 3 the address cannot be listened on.`,
		Example: `  kith node
  kith node --state ~/.kith.state --metrics 127.0.0.1:9090
  kith node --listen 203.0.113.7:6881 --listen [2001:db8::7]:6881 --reachable --json
  kith node --listen 127.0.0.1:7001 --bootstrap none --reachable
  kith node --listen 127.0.0.1:0 --bootstrap 127.0.0.1:7001 --reachable`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runNode(cmd, f) },
	}
	f.add(cmd, "0.0.0.0:6881 and [::]:6881")
	l := cmd.Flags()
	l.StringVar(&f.state, "state", "", "`file` that keeps the node's id and table over restarts")
	l.BoolVar(&f.readOnly, "read-only", false, "ask, but answer nobody (BEP 43)")
	l.BoolVar(&f.reachable, "reachable", false, "strangers reach this node: do not wait for one to show it")
	l.BoolVar(&f.json, "json", false, "log events as lines of JSON")
	l.StringVar(&f.metrics, "metrics", "", "`address` for Prometheus to read http://ADDRESS/metrics from, on loopback")
	l.BoolVar(&f.metricsPublic, "metrics-public", false, "let --metrics be an address that others can reach")
	filesAt(cmd, "state")
	return cmd
}

// A running is kith node while it runs.
type running struct {
	f       *nodeFlags
	cmd     *cobra.Command
	d       *udp.Driver
	n       *dht.Node
	inbox   *inbox
	journal *journal
	state   stateFile
	meter   meter
	unsent  uint64          // datagrams, as of the last live line
	told    map[string]bool // names that people know to have no address
}

func runNode(cmd *cobra.Command, f *nodeFlags) error {
	names, err := f.names()
	if err != nil {
		return misused(cmd, "%v", err)
	}
	if _, err := f.addresses(nodePort); err != nil {
		return misused(cmd, "%v", err)
	}
	if f.readOnly && f.reachable {
		return misused(cmd, "--read-only and --reachable exclude each other")
	}
	// A reader that goes away ends the node in order, with its state saved, and not by a signal.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(cmd.Context(), endings()...)
	defer stop()

	r := &running{f: f, cmd: cmd, state: stateFile(f.state), inbox: newInbox(), journal: newJournal(cmd, f.json), told: map[string]bool{}}
	lock, err := r.state.lock()
	if err != nil {
		return failed(cmd, exitFailed, err)
	}
	defer lock.release()
	saved, err := r.state.load()
	if err != nil {
		return failed(cmd, exitFailed, err)
	}
	if r.d, err = f.open(nodePort); err != nil {
		return failed(cmd, exitNetwork, err)
	}
	defer r.d.Close()
	var metrics net.Listener
	if f.metrics != "" {
		if metrics, err = metricsListener(f.metrics, f.metricsPublic); err != nil {
			if op := (*net.OpError)(nil); errors.As(err, &op) {
				return failed(cmd, exitNetwork, err)
			}
			return misused(cmd, "%v", err)
		}
		defer metrics.Close()
	}
	doors, missing := resolve(ctx, names)
	v4, v6 := families(r.d)
	r.n, err = dht.New(dht.Config{IPv4: v4, IPv6: v6, Bootstrap: doors, State: saved, ReadOnly: f.readOnly, Reachable: f.reachable}, udp.Now())
	if err != nil {
		if f.state != "" {
			err = fmt.Errorf("%s: %w; move the file away to begin anew", f.state, err)
		}
		return failed(cmd, exitFailed, err)
	}
	// What cannot be written at the end is better known at the start.
	if err := r.state.save(r.n.State(udp.Now())); err != nil {
		return failed(cmd, exitFailed, err)
	}
	r.journal.listening(r.d.LocalAddrs(), r.n)
	r.d.Start(r.n, r.inbox.from(r.n))
	if metrics != nil {
		go func() { // it ends with its listener
			if err := serveMetrics(metrics, r.stats); err != nil {
				r.journal.warn(entry{Event: "metrics_failed", Error: err.Error()}, "metrics: "+err.Error())
			}
		}()
		r.journal.print(entry{Event: "metrics", Addresses: []string{metrics.Addr().String()}}, "metrics on http://"+metrics.Addr().String()+"/metrics")
	}
	return r.loop(ctx, stop, missing)
}

// loop runs until ctx is done or the log cannot be written any more. stop gives signals their usual meaning again.
func (r *running) loop(ctx context.Context, stop func(), missing []udp.Place) error {
	second, save, stats := time.NewTicker(time.Second), time.NewTicker(saveEvery), time.NewTicker(statsEvery)
	defer second.Stop()
	defer save.Stop()
	defer stats.Stop()
	late := make(chan []udp.Place, 1)
	r.tryAgain(ctx, missing, late)
	for r.journal.err() == nil {
		select {
		case <-ctx.Done():
			defer lateStop(stop)()
			return r.end(nil)
		case <-r.inbox.more:
			for _, e := range r.inbox.take() {
				r.event(e)
			}
		case places := <-late:
			r.addBootstrap(places)
			var still []udp.Place
			for _, p := range places {
				if p.Err != nil {
					still = append(still, p)
				}
			}
			r.tryAgain(ctx, still, late)
		case <-second.C:
			r.show()
		case <-stats.C:
			r.journal.stats(r.stats)
		case <-save.C:
			r.save()
		}
	}
	return r.end(r.journal.err())
}

// end is the end: nothing is received any more, and what the node knows is saved. why is a log that cannot be written, nil if
// the node was told to end; that its reader has gone is no fault.
func (r *running) end(why error) error {
	r.d.Close()
	err := r.state.save(r.n.State(udp.Now()))
	if why != nil && !errors.Is(why, syscall.EPIPE) {
		err = errors.Join(fmt.Errorf("cannot write the log: %w", why), err)
	}
	r.journal.stopped(err)
	if err != nil {
		return failed(r.cmd, exitFailed, err)
	}
	return nil
}

// save saves the state of a node that goes on. If that fails the last one is still there, and the next may succeed.
func (r *running) save() {
	var b []byte
	if r.f.state == "" || r.d.Do(func(now time.Time) { b = r.n.State(now) }) != nil {
		return
	}
	if err := r.state.save(b); err != nil {
		r.journal.warn(entry{Event: "save_failed", File: r.f.state, Error: err.Error()}, err.Error())
		return
	}
	r.journal.note(entry{Event: "saved", File: r.f.state})
}

// stats reads the figures between two datagrams.
func (r *running) stats() (s dht.Stats, u udp.Stats, err error) {
	err = r.d.Do(func(time.Time) { s = r.n.Stats() })
	return s, r.d.Stats(), err
}

// show moves the live line.
func (r *running) show() {
	if !r.journal.live.on {
		return
	}
	s, u, err := r.stats()
	if err != nil {
		return
	}
	var own []netip.Addr
	if r.d.Do(func(time.Time) {
		for _, f := range []dht.Family{dht.V4, dht.V6} {
			if a := r.n.Address(f); a.IsValid() {
				own = append(own, a)
			}
		}
	}) == nil {
		v4, v6 := families(r.d)
		line := r.meter.line(&s, own, [2]bool{v4, v6}, r.f.readOnly)
		if u.WriteErrors > r.unsent { // since a second ago
			line = fmt.Sprintf("cannot send: %v · %s", u.LastError, line)
		}
		r.unsent = u.WriteErrors
		r.journal.live.show(line)
	}
}

// tryAgain looks names up again after a while.
func (r *running) tryAgain(ctx context.Context, missing []udp.Place, late chan<- []udp.Place) {
	if len(missing) == 0 {
		return
	}
	names := make([]string, len(missing))
	for i, p := range missing {
		names[i] = p.Name
		e := entry{Event: "bootstrap_failed", Name: p.Name, Error: strings.TrimPrefix(p.Err.Error(), "udp: ")}
		if r.told[p.Name] { // the log counts on; people have read it
			r.journal.note(e)
			continue
		}
		r.told[p.Name] = true
		r.journal.warn(e, fmt.Sprintf("bootstrap %s: %v; trying again every %v", p.Name, errors.Unwrap(p.Err), resolveAgain))
	}
	go func() {
		wait := time.NewTimer(resolveAgain)
		defer wait.Stop()
		select {
		case <-ctx.Done():
		case <-wait.C:
			ctx, cancel := context.WithTimeout(ctx, resolveTime)
			defer cancel()
			late <- udp.Resolve(ctx, names...)
		}
	}()
}

// addBootstrap tells the node of bootstrap nodes whose names could not be resolved at the start.
func (r *running) addBootstrap(places []udp.Place) {
	r.d.Do(func(now time.Time) {
		for _, p := range places {
			for _, a := range p.Addrs {
				r.n.AddBootstrap(now, a)
			}
		}
	})
}

// event takes an event of the node.
func (r *running) event(e dht.Event) {
	nodes := 0
	if e.Kind == dht.EventReady {
		if s, _, err := r.stats(); err == nil {
			nodes = s.Nodes[e.Family]
		}
	}
	r.journal.event(e, nodes)
}
