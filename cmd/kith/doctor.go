package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kith/dht"
	"kith/internal/udp"
)

// doctorFlags are those of kith doctor.
type doctorFlags struct {
	networkFlags
	wait time.Duration
	json bool
}

func doctorCommand() *cobra.Command {
	f := &doctorFlags{}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "See whether friends can find and reach you from here",
		Long: `See whether friends can find and reach you from here, and what to do where they cannot.

It joins the DHT as kith peer does, at the same port, looks for half a minute, and says of
each of these whether it is well:

  clock      two friends whose clocks are more than an hour apart do not meet
  port       that it can be listened on; stop a running kith peer or node first
  dht        how many nodes were found
  address    what others see you as; behind a router it differs from your own
  reachable  whether somebody whom you had not asked has asked you

Not being reachable is no illness: you reach others, and two who are both behind routers
mostly meet all the same, because each sends to the other.

Exit codes: 0 well; 1 something to mend; 2 wrong usage; 3 no network: nothing can be
listened on, or nobody answered.`,
		Example: `  kith doctor
  kith doctor --wait 5m
  kith doctor --listen 0.0.0.0:7000 --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDoctor(cmd, f) },
	}
	f.networkFlags.add(cmd, "0.0.0.0:6881 and [::]:6881")
	cmd.Flags().DurationVar(&f.wait, "wait", 30*time.Second, "how long to look at most; what is known earlier ends it")
	cmd.Flags().BoolVar(&f.json, "json", false, "the findings as lines of JSON")
	return cmd
}

// A finding is one line of kith doctor.
type finding struct {
	Check string `json:"check"`
	State string `json:"state"` // well, note or ill
	Says  string `json:"says"`
	Do    string `json:"do,omitempty"`

	Nodes    int    `json:"nodes,omitempty"`
	Endpoint string `json:"endpoint,omitempty"`
}

// The states of a finding.
const (
	well = "well"
	note = "note" // to be known, and nothing to mend
	ill  = "ill"
)

// An examination is one run of kith doctor.
type examination struct {
	cmd   *cobra.Command
	f     *doctorFlags
	found []finding
	err   error // of standard output
}

// tell prints a finding.
func (x *examination) tell(found finding) {
	x.found = append(x.found, found)
	if x.err != nil {
		return
	}
	if x.f.json {
		b, err := json.Marshal(found)
		if err != nil {
			panic(err) // it holds strings and a number
		}
		_, x.err = fmt.Fprintf(x.cmd.OutOrStdout(), "%s\n", b)
		return
	}
	_, x.err = fmt.Fprintf(x.cmd.OutOrStdout(), "%-4s  %-9s  %s\n", found.State, found.Check, found.Says)
	if found.Do != "" && x.err == nil {
		_, x.err = fmt.Fprintf(x.cmd.OutOrStdout(), "      %-9s  → %s\n", "", found.Do)
	}
}

func runDoctor(cmd *cobra.Command, f *doctorFlags) error {
	names, err := f.names()
	if err == nil {
		_, err = f.addresses(nodePort)
	}
	switch {
	case err != nil:
		return misused(cmd, "%v", err)
	case f.wait <= 0:
		return misused(cmd, "--wait %v: not in the future", f.wait)
	case len(names) == 0:
		return misused(cmd, "--bootstrap none leaves nobody to ask")
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), endings()...)
	defer stop()

	x := &examination{cmd: cmd, f: f}
	x.tell(clockFinding(udp.Now(), built()))
	d, err := f.open(nodePort)
	if err != nil {
		x.tell(finding{Check: "port", State: ill, Says: err.Error(), Do: "stop what uses it, or give another with --listen"})
		return x.end(exitNetwork)
	}
	defer d.Close()
	x.tell(finding{Check: "port", State: well, Says: "listening on " + join(d.LocalAddrs())})
	return x.network(ctx, d, names)
}

// network looks at what others say.
func (x *examination) network(ctx context.Context, d *udp.Driver, names []string) error {
	doors, missing := resolve(ctx, names)
	if len(doors) == 0 {
		why := "no name of a bootstrap node has an address"
		if len(missing) > 0 {
			why += ": " + errors.Unwrap(missing[0].Err).Error()
		}
		x.tell(finding{Check: "dht", State: ill, Says: why, Do: "is this machine online? does its resolver work? name a node with --bootstrap"})
		return x.end(exitNetwork)
	}
	v4, v6 := families(d)
	n, err := dht.New(dht.Config{IPv4: v4, IPv6: v6, Bootstrap: doors}, udp.Now())
	if err != nil {
		return failed(x.cmd, exitFailed, err)
	}
	in := newInbox()
	d.Start(n, in.from(n))

	seen := x.watch(ctx, d, n, in)
	if ctx.Err() != nil {
		return failed(x.cmd, exitFailed, errors.New("interrupted"))
	}
	x.tell(seen.dht(d))
	if seen.nodes() == 0 {
		return x.end(exitNetwork)
	}
	for _, family := range []dht.Family{dht.V4, dht.V6} {
		if seen.Nodes[family] > 0 {
			x.tell(seen.address(family, d))
			x.tell(seen.reachable(family, x.f.wait))
		}
	}
	return x.end(exitFailed)
}

// A sight is what is known at some time.
type sight struct {
	dht.Stats
	ready    [2]bool
	endpoint [2]netip.AddrPort
	reached  [2]bool
}

func (s *sight) nodes() int { return s.Nodes[0] + s.Nodes[1] }

// watch looks until everything is known, the time is over or ctx is done.
func (x *examination) watch(ctx context.Context, d *udp.Driver, n *dht.Node, in *inbox) (s sight) {
	live := newLiveLine(x.cmd.ErrOrStderr())
	defer live.clear()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	began := udp.Now()
	for udp.Now().Sub(began) < x.f.wait && !s.whole() {
		select {
		case <-ctx.Done():
			return s
		case <-in.more:
			for _, e := range in.take() {
				if e.Kind == dht.EventReady {
					s.ready[e.Family] = true
				}
			}
		case <-tick.C:
		}
		if d.Do(func(time.Time) {
			s.Stats = n.Stats()
			for _, f := range []dht.Family{dht.V4, dht.V6} {
				s.endpoint[f], s.reached[f] = n.Endpoint(f), n.Reached(f)
			}
		}) != nil {
			return s
		}
		live.show(fmt.Sprintf("%2.0f s of %.0f · %d nodes · %d asked · %d answered", udp.Now().Sub(began).Seconds(), x.f.wait.Seconds(), s.nodes(), s.asked(), s.Answers))
	}
	return s
}

// whole reports whether waiting longer would show nothing new: each family is done, or has nobody.
func (s *sight) whole() bool {
	known := 0
	for f := range s.ready {
		if s.ready[f] && s.reached[f] && s.endpoint[f].IsValid() {
			known++
		} else if s.Nodes[f] > 0 || !s.ready[f] {
			return false
		}
	}
	return known > 0
}

func (s *sight) asked() (n uint64) {
	for _, sent := range s.Sent {
		n += sent
	}
	return n
}

func (s *sight) dht(d *udp.Driver) finding {
	if n := s.nodes(); n > 0 {
		return finding{Check: "dht", State: well, Nodes: n, Says: fmt.Sprintf("%d nodes found, %s of %s queries answered", n, count(s.Answers), count(s.asked()))}
	}
	says := fmt.Sprintf("nobody answered; asked %s times", count(s.asked()))
	if err := d.Stats().LastError; err != nil {
		says += ": " + err.Error()
	}
	return finding{Check: "dht", State: ill, Says: says, Do: "a firewall may drop UDP: let this port out and its answers in, or try another network"}
}

// address says what others see, and whether something on the way translates.
func (s *sight) address(f dht.Family, d *udp.Driver) finding {
	own, port := s.endpoint[f], uint16(0)
	for _, a := range d.LocalAddrs() {
		if a.Addr().Is4() == (f == dht.V4) {
			port = a.Port()
		}
	}
	switch {
	case !own.IsValid():
		return finding{Check: "address", State: note, Says: f.String() + ": fewer than 5 nodes of public networks agree on how they see you",
			Do: "in a network of your own that is right; else wait longer (--wait), or your router gives every destination another port"}
	case slices.Contains(interfaceAddrs(), own.Addr()):
		return finding{Check: "address", State: well, Endpoint: own.String(), Says: fmt.Sprintf("%v, this machine's own", own)}
	case own.Port() == port:
		return finding{Check: "address", State: well, Endpoint: own.String(), Says: fmt.Sprintf("%v, through a router that keeps the port", own)}
	}
	return finding{Check: "address", State: well, Endpoint: own.String(), Says: fmt.Sprintf("%v, through a router that changes port %d", own, port)}
}

func (s *sight) reachable(f dht.Family, waited time.Duration) finding {
	if s.reached[f] {
		return finding{Check: "reachable", State: well, Says: f.String() + ": others have asked this machine unasked"}
	}
	return finding{Check: "reachable", State: note, Says: fmt.Sprintf("%v: nobody has asked this machine in %v", f, waited),
		Do: "wait longer to be sure (--wait 5m); if it stays so, forward the UDP port in your router"}
}

// end says how it is altogether. code is for what is ill.
func (x *examination) end(code exitCode) error {
	if x.err != nil {
		return failed(x.cmd, exitFailed, fmt.Errorf("cannot write the findings: %w", x.err))
	}
	if slices.ContainsFunc(x.found, func(f finding) bool { return f.State == ill }) {
		return code
	}
	return nil
}

// clockFinding judges a clock by what the system knows about it, and by when this program was built.
func clockFinding(now, built time.Time) finding {
	c := finding{Check: "clock", State: well, Says: now.Format("2006-01-02 15:04:05 -0700")}
	synchronised, known := clockSynchronised()
	switch {
	case now.Before(built):
		c.State, c.Do = ill, "set the clock: this program was built later than that"
	case known && !synchronised:
		c.State, c.Do = note, "nothing keeps this clock right, says the system: compare it, and turn time synchronisation on"
	case known:
		c.Says += ", kept right by the system"
	default:
		c.Says += "; compare it with another: an hour off is too much"
	}
	return c
}

// built is when the source that this program was built from was committed; zero where that is not known.
func built() time.Time {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return time.Time{}
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			t, err := time.Parse(time.RFC3339, s.Value)
			if err == nil {
				return t
			}
		}
	}
	return time.Time{}
}

// interfaceAddrs are the addresses of this machine.
func interfaceAddrs() (all []netip.Addr) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil // then whatever others see is a router's
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			all = append(all, p.Addr())
		}
	}
	return all
}

// join writes addresses in a sentence.
func join(addrs []netip.AddrPort) string {
	s := make([]string, len(addrs))
	for i, a := range addrs {
		s[i] = a.String()
	}
	return strings.Join(s, " and ")
}
