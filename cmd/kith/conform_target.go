package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"kith/conformance"
	"kith/internal/udp"
)

// mostParallel is how many cases may run at once: each has sockets of its own, and a shell usually allows 1,024 files.
const mostParallel = 128

// check refuses what can only be a mistake. changed tells which flags were given.
func (f *conformFlags) check(changed func(flag string) bool) error {
	for _, l := range []struct {
		flag string
		list []string
	}{{"run", f.filter.Run}, {"skip", f.filter.Skip}, {"req", f.filter.Req}, {"profile", f.filter.Profiles}} {
		if changed(l.flag) && len(l.list) == 0 {
			return fmt.Errorf("--%s: it is empty", l.flag)
		}
	}
	switch {
	case f.parallel < 1 || f.parallel > mostParallel:
		return fmt.Errorf("--parallel %d: 1 to %d", f.parallel, mostParallel)
	case f.rate <= 0:
		return fmt.Errorf("--rate %v: more than 0", f.rate)
	case f.timeout <= 0:
		return fmt.Errorf("--timeout %v: not in the future", f.timeout)
	case f.repeat < 1:
		return fmt.Errorf("--repeat %d: at least 1", f.repeat)
	case f.minExecuted < 0:
		return fmt.Errorf("--min-executed %d: not negative", f.minExecuted)
	case f.targetLog != "" && f.exec == "":
		return errors.New("--target-log is for a target that --exec starts")
	}
	return nil
}

// errNoAddress is a name that the resolver does not know.
var errNoAddress = errors.New("it has no address")

// findTarget finds the addresses of a target, at most one for each family. Of a name that has both the first argument means the one
// for IPv4, the second the other.
func findTarget(ctx context.Context, args []string) (target conformance.Address, err error) {
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	for _, arg := range args {
		if udp.CheckName(arg) != nil {
			return target, fmt.Errorf("%q is no address with a port, such as 127.0.0.1:6881 or localhost:6881", arg)
		}
		p := udp.Resolve(ctx, arg)[0]
		if p.Err != nil {
			return target, fmt.Errorf("%s: %w: %w", arg, errNoAddress, errors.Unwrap(p.Err))
		}
		if err := place(&target, p.Addrs); err != nil {
			return target, fmt.Errorf("%s: %w", arg, err)
		}
	}
	return target, nil
}

// place takes the first address of a family that the target has none of yet, IPv4 before IPv6.
func place(target *conformance.Address, addrs []netip.AddrPort) error {
	for _, own := range []*netip.AddrPort{&target.V4, &target.V6} {
		for _, a := range addrs {
			if !own.IsValid() && a.Addr().Is4() == (own == &target.V4) {
				*own = a
				return oneNode(a.Addr())
			}
		}
	}
	return errors.New("two addresses of one family; the second is for the other")
}

// oneNode returns nil if an address can be that of one node.
func oneNode(a netip.Addr) error {
	switch {
	case a.IsUnspecified():
		return errors.New("that is where a node listens; say where it can be asked, such as 127.0.0.1")
	case a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return errors.New("that is not the address of one node")
	}
	return nil
}

// openTargetLog sees that what the target prints can be kept, before the target is started.
func (f *conformFlags) openTargetLog() error {
	if f.targetLog == "" {
		return nil
	}
	file, err := os.OpenFile(f.targetLog, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	return file.Close()
}
