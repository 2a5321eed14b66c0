package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kith/dht"
	"kith/internal/udp"
)

// Exit codes of kith node and kith dht, beside 0 and exitUsage. Scripts rely on them.
const (
	exitFailed  = 1 // not found, not stored, no answer; a file that cannot be read or written
	exitNetwork = 3 // no socket, no name resolved, nobody answered at all
)

// routers are the well-known nodes of the Mainline DHT that know others.
var routers = []string{
	"router.bittorrent.com:6881",
	"dht.transmissionbt.com:6881",
	"router.utorrent.com:6881",
	"dht.libtorrent.org:25401",
}

const resolveTime = 5 * time.Second // for all names together

// networkFlags say which network a node is part of, and where it stands.
type networkFlags struct {
	listen    []string
	bootstrap []string
}

func (f *networkFlags) add(cmd *cobra.Command, listen string) {
	l := cmd.Flags()
	l.StringArrayVar(&f.listen, "listen", nil, "`address` and port to listen on, at most one for IPv4 and one for IPv6; port 0 is any (default "+listen+")")
	l.StringArrayVar(&f.bootstrap, "bootstrap", nil, "`host:port` of a node to begin at, as often as you like; none for none (default the well-known Mainline routers)")
	mustComplete(cmd, "bootstrap", func() []string { return append([]string{"none"}, routers...) })
	mustComplete(cmd, "listen", func() []string { return []string{"0.0.0.0:6881", "0.0.0.0:0", "[::]:6881", "127.0.0.1:0"} })
}

// names returns the bootstrap names, or the error in them.
func (f *networkFlags) names() ([]string, error) {
	switch {
	case len(f.bootstrap) == 0:
		return routers, nil
	case len(f.bootstrap) == 1 && f.bootstrap[0] == "none":
		return nil, nil
	}
	for _, name := range f.bootstrap {
		if err := udp.CheckName(name); err != nil {
			return nil, fmt.Errorf("--bootstrap %s: no host with a port, such as 192.0.2.1:6881 or router.bittorrent.com:6881", name)
		}
	}
	return f.bootstrap, nil
}

// addresses returns where to listen, or the error in it: what was asked for, or else both families at a port.
func (f *networkFlags) addresses(port uint16) (addrs []netip.AddrPort, err error) {
	if len(f.listen) == 0 {
		return []netip.AddrPort{netip.AddrPortFrom(netip.IPv4Unspecified(), port), netip.AddrPortFrom(netip.IPv6Unspecified(), port)}, nil
	}
	var v4, v6 int
	for _, s := range f.listen {
		a, err := netip.ParseAddrPort(s)
		if err != nil {
			return nil, fmt.Errorf("--listen %s: no address with a port, such as 0.0.0.0:6881 or [::]:6881", s)
		}
		a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
		if addrs = append(addrs, a); a.Addr().Is4() {
			v4++
		} else {
			v6++
		}
	}
	if v4 > 1 || v6 > 1 {
		return nil, errors.New("--listen: at most one address for IPv4 and one for IPv6")
	}
	return addrs, nil
}

// open opens the sockets. Unless addresses were asked for by name, a machine without IPv6, or without IPv4, does with the other.
func (f *networkFlags) open(port uint16) (*udp.Driver, error) {
	addrs, err := f.addresses(port)
	if err != nil {
		return nil, err
	}
	d, err := udp.Listen(udp.Config{Listen: addrs})
	if err == nil || len(f.listen) > 0 || errors.Is(err, syscall.EADDRINUSE) {
		return d, explain(err)
	}
	for _, a := range addrs {
		if d, err2 := udp.Listen(udp.Config{Listen: []netip.AddrPort{a}}); err2 == nil {
			return d, nil
		}
	}
	return nil, explain(err)
}

// explain adds to an error of Listen what can be done about it.
func explain(err error) error {
	hint := ""
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EADDRINUSE):
		hint = "; another program has it: choose another port with --listen, or 0 for any"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		hint = "; this machine has no such address"
	case errors.Is(err, syscall.EACCES):
		hint = "; ports below 1024 need privileges"
	}
	return fmt.Errorf("cannot listen: %s%s", strings.TrimPrefix(err.Error(), "udp: "), hint)
}

// resolve looks the names up, for a moment. What cannot be resolved is returned as it is.
func resolve(ctx context.Context, names []string) (addrs []netip.AddrPort, missing []udp.Place) {
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	for _, p := range udp.Resolve(ctx, names...) {
		if p.Err != nil {
			missing = append(missing, p)
		}
		addrs = append(addrs, p.Addrs...)
	}
	return addrs, missing
}

// An inbox carries events from the driver's goroutines, which must not wait, to the command's.
type inbox struct {
	mu     sync.Mutex
	events []dht.Event
	more   chan struct{} // holds one when there may be events
}

func newInbox() *inbox { return &inbox{more: make(chan struct{}, 1)} }

// from is what the driver calls after each call of n.
func (i *inbox) from(n *dht.Node) func(time.Time) {
	return func(time.Time) {
		e, ok := n.Event()
		if !ok {
			return
		}
		i.mu.Lock()
		for ; ok; e, ok = n.Event() {
			i.events = append(i.events, e)
		}
		i.mu.Unlock()
		select {
		case i.more <- struct{}{}:
		default:
		}
	}
}

func (i *inbox) take() []dht.Event {
	i.mu.Lock()
	defer i.mu.Unlock()
	events := i.events
	i.events = nil
	return events
}

// families says which of the two DHTs the sockets are for.
func families(d *udp.Driver) (v4, v6 bool) {
	for _, a := range d.LocalAddrs() {
		v4 = v4 || a.Addr().Is4()
		v6 = v6 || a.Addr().Is6()
	}
	return v4, v6
}
