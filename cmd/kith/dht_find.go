package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kith/dht"
	"kith/internal/udp"
)

func pingCommand() *cobra.Command {
	f := &clientFlags{}
	cmd := &cobra.Command{
		Use:   "ping HOST:PORT",
		Short: "Ask one node whether it is there",
		Long: `Ask one node whether it is there, again every two seconds until it answers.
Prints its address, its id and how soon it answered.`,
		Example: `  kith dht ping router.bittorrent.com:6881
  kith dht ping [::1]:6881 --timeout 3s --json`,
		Args: oneArg("the node's host:port"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return append([]string{"127.0.0.1:6881"}, routers...), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runPing(cmd, f, args[0]) },
	}
	f.add(cmd, 8*time.Second)
	for _, pointless := range []string{"bootstrap"} {
		if err := cmd.Flags().MarkHidden(pointless); err != nil {
			panic(err) // the flag was defined some lines above
		}
	}
	return cmd
}

func runPing(cmd *cobra.Command, f *clientFlags, name string) error {
	if err := udp.CheckName(name); err != nil {
		return misused(cmd, "%q is no host with a port, such as 192.0.2.1:6881", name)
	}
	c, err := f.client(cmd, false)
	if err != nil {
		return err
	}
	defer c.close()
	addrs, missing := resolve(c.ctx, []string{name})
	if len(missing) > 0 {
		return failed(cmd, exitNetwork, errors.New(strings.TrimPrefix(missing[0].Err.Error(), "udp: ")))
	}
	to, ok := c.reachable(addrs)
	if !ok {
		return failed(cmd, exitNetwork, fmt.Errorf("%v: there is no socket for that family", addrs[0]))
	}
	for {
		e, err := c.run(nil, func(now time.Time) dht.Op { return c.n.Ping(now, to) }, nil)
		if err != nil {
			return err
		}
		if e.Err == nil || e.Answered > 0 {
			if e.Err == nil && !f.json {
				c.print(fmt.Sprintf("%v  %v  %.1f ms", e.Node.Addr, e.Node.ID, milliseconds(e.RTT)))
			}
			return c.finish(e, nil)
		}
	}
}

// reachable returns the first address of a family that there is a socket for.
func (c *client) reachable(addrs []netip.AddrPort) (netip.AddrPort, bool) {
	v4, v6 := families(c.d)
	for _, a := range addrs {
		if a.Addr().Is4() && v4 || a.Addr().Is6() && v6 {
			return a, true
		}
	}
	return netip.AddrPort{}, false
}

func findCommand() *cobra.Command {
	f := &clientFlags{}
	cmd := &cobra.Command{
		Use:   "find ID",
		Short: "Find the nodes closest to an id",
		Long: `Find the nodes whose ids are closest to an id of 40 hexadecimal digits. Prints the id,
the address, and how many leading bits the two ids have in common, closest first.`,
		Example: `  kith dht find 24f320980b8c150793c8e895d2a015d23d316618
  kith dht find 24f320980b8c150793c8e895d2a015d23d316618 --bootstrap 127.0.0.1:7001 --json`,
		Args: oneArg("an id"),
		RunE: func(cmd *cobra.Command, args []string) error { return runFind(cmd, f, args[0]) },
	}
	f.add(cmd, time.Minute)
	return cmd
}

func runFind(cmd *cobra.Command, f *clientFlags, arg string) error {
	id, err := parseID(arg)
	if err != nil {
		return misused(cmd, "%v", err)
	}
	c, err := f.client(cmd, true)
	if err != nil {
		return err
	}
	defer c.close()
	e, err := c.run(&id, func(now time.Time) dht.Op { return c.n.FindNode(now, id) }, c.follow)
	if err != nil {
		return err
	}
	if !f.json {
		for _, n := range e.Nodes {
			c.print(fmt.Sprintf("%v  %-21v  %d", n.ID, n.Addr, shared(n.ID, id)))
		}
	}
	return c.finish(e, &id)
}

func peersCommand() *cobra.Command {
	f := &clientFlags{}
	cmd := &cobra.Command{
		Use:   "peers INFOHASH",
		Short: "Find who announced an info-hash",
		Long: `Find who announced an info-hash. Prints each address once, as soon as it is known.
Anybody can announce any address, so none is more than a claim.`,
		Example: `  kith dht peers 2c6b6858d61da9543d4231a71db4b1c9264b0685
  kith dht peers 2c6b6858d61da9543d4231a71db4b1c9264b0685 | head -1`,
		Args: oneArg("an info-hash"),
		RunE: func(cmd *cobra.Command, args []string) error { return runPeers(cmd, f, args[0]) },
	}
	f.add(cmd, time.Minute)
	return cmd
}

func runPeers(cmd *cobra.Command, f *clientFlags, arg string) error {
	hash, err := parseID(arg)
	if err != nil {
		return misused(cmd, "%v", err)
	}
	c, err := f.client(cmd, true)
	if err != nil {
		return err
	}
	defer c.close()
	seen := map[netip.AddrPort]bool{}
	e, err := c.run(&hash, func(now time.Time) dht.Op { return c.n.GetPeers(now, hash) }, func(e dht.Event) {
		c.follow(e)
		for _, p := range e.Peers {
			if !seen[p] && !f.json {
				c.print(p.String())
			}
			seen[p] = true
		}
	})
	if err != nil {
		return err
	}
	return c.finish(e, &hash)
}

func announceCommand() *cobra.Command {
	f := &clientFlags{}
	var port uint16
	cmd := &cobra.Command{
		Use:   "announce INFOHASH --port N",
		Short: "Announce that this host has something of that info-hash",
		Long: `Tell the nodes closest to an info-hash that this host has something of that name, at
a port. They forget it within the hour. Prints who stored it.`,
		Example: `  kith dht announce 2c6b6858d61da9543d4231a71db4b1c9264b0685 --port 6881
  kith dht announce 2c6b6858d61da9543d4231a71db4b1c9264b0685 --port 0 --listen 0.0.0.0:6881   # the port of this socket`,
		Args: oneArg("an info-hash"),
		RunE: func(cmd *cobra.Command, args []string) error {
			hash, err := parseID(args[0])
			if err != nil {
				return misused(cmd, "%v", err)
			}
			if !cmd.Flags().Changed("port") {
				return misused(cmd, "--port is missing: the port at which this host can be reached, or 0 for that of the socket")
			}
			c, err := f.client(cmd, true)
			if err != nil {
				return err
			}
			defer c.close()
			e, err := c.run(&hash, func(now time.Time) dht.Op { return c.n.Announce(now, hash, port) }, c.storing)
			if err != nil {
				return err
			}
			return c.finish(e, &hash)
		},
	}
	f.add(cmd, time.Minute)
	cmd.Flags().Uint16Var(&port, "port", 0, "the `port` to announce; 0: the one that the nodes see")
	return cmd
}

// storing prints who stores, and who does not.
func (c *client) storing(e dht.Event) {
	c.follow(e)
	if c.f.json {
		return
	}
	switch e.Kind {
	case dht.EventStored:
		c.print(fmt.Sprintf("stored  %v  %v", e.Node.ID, e.Node.Addr))
	case dht.EventRefused:
		c.say("refused  %v  %v  error %d %s", e.Node.ID, e.Node.Addr, e.Code, plain(e.Text))
	}
}
