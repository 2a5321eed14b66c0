package udp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
)

// A Place is a name with a port and what the resolver said about it.
type Place struct {
	Name  string           // as it was given: "router.bittorrent.com:6881", "192.0.2.1:6881", "[2001:db8::1]:6881"
	Addrs []netip.AddrPort // IPv4 and IPv6, never IPv4-mapped
	Err   error            // nil: Addrs has at least one
}

// CheckName returns nil if s is a host, name or address, with a port of 1 to 65,535.
func CheckName(s string) error {
	_, _, err := splitName(s)
	return err
}

func splitName(s string) (host string, port uint16, err error) {
	host, p, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, fmt.Errorf("udp: %q is no host with a port, such as 192.0.2.1:6881", s)
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil || n == 0 || host == "" {
		return "", 0, fmt.Errorf("udp: %q is no host with a port, such as 192.0.2.1:6881", s)
	}
	return host, uint16(n), nil
}

// Resolve looks all names up at the same time, and returns them in their order, each with its addresses or its error.
func Resolve(ctx context.Context, names ...string) []Place {
	places := make([]Place, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() { places[i] = resolve(ctx, name) })
	}
	all.Wait()
	return places
}

func resolve(ctx context.Context, name string) Place {
	p := Place{Name: name}
	host, port, err := splitName(name)
	if err != nil {
		p.Err = err
		return p
	}
	if a, err := netip.ParseAddr(host); err == nil {
		p.Addrs = []netip.AddrPort{netip.AddrPortFrom(a.Unmap(), port)}
		return p
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err == nil && len(ips) == 0 {
		err = errors.New("no address")
	}
	if err != nil {
		p.Err = fmt.Errorf("udp: %s: %w", name, err)
	}
	for _, ip := range ips {
		p.Addrs = append(p.Addrs, netip.AddrPortFrom(ip.Unmap(), port))
	}
	return p
}
