package dht

import (
	"encoding/binary"
	"net/netip"
)

// A Family is one of the two DHTs that a node can be part of: one for each version of IP (BEP 32).
type Family uint8

// The families.
const (
	V4 Family = iota
	V6
)

// String returns the name of the Internet Protocol's version.
func (f Family) String() string {
	if f == V4 {
		return "IPv4"
	}
	return "IPv6"
}

// familyOf returns the family of a, which is not IPv4-mapped.
func familyOf(a netip.Addr) Family {
	if a.Is4() {
		return V4
	}
	return V6
}

// A class says how far an address reaches.
type class uint8

const (
	never     class = iota // nothing can be reached there: multicast, reserved, unspecified, IPv4-mapped
	global                 // from everywhere
	private                // 10/8, 172.16/12, 192.168/16, fc00::/7
	linkLocal              // 169.254/16, fe80::/10
	loopback               // 127/8, ::1
	carrier                // 100.64/10, between a provider and its customers
)

// local reports whether addresses of the class are ones that test and home networks live at: /24 and BEP 42 say nothing
// about them, so a node there is told apart by address and port.
func (c class) local() bool { return c > global }

var (
	carrierNet = netip.MustParsePrefix("100.64.0.0/10")
	globalV6   = netip.MustParsePrefix("2000::/3")

	// What IANA's registries of special addresses call not globally reachable and no class above covers.
	reserved = [...]netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),
		netip.MustParsePrefix("192.0.0.0/24"),
		netip.MustParsePrefix("192.0.2.0/24"),
		netip.MustParsePrefix("198.18.0.0/15"),
		netip.MustParsePrefix("198.51.100.0/24"),
		netip.MustParsePrefix("203.0.113.0/24"),
		netip.MustParsePrefix("240.0.0.0/4"),
		netip.MustParsePrefix("2001:2::/48"),
		netip.MustParsePrefix("2001:db8::/32"),
		netip.MustParsePrefix("3fff::/20"),
	}
)

// isLocal is classOf(a).local(), for where speed counts.
func isLocal(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || carrierNet.Contains(a)
}

// classOf returns the class of a.
func classOf(a netip.Addr) class {
	switch {
	case !a.IsValid() || a.Is4In6() || a.IsMulticast():
		return never
	case a.IsLoopback():
		return loopback
	case a.IsPrivate():
		return private
	case a.IsLinkLocalUnicast():
		return linkLocal
	case carrierNet.Contains(a):
		return carrier
	case a.Is6() && !globalV6.Contains(a):
		return never
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return never
		}
	}
	return global
}

// sameAddress reports whether a and b are the same address and port. Zones are left out: the system that sends knows an interface by name
// or number, the one that receives by either.
func sameAddress(a, b netip.AddrPort) bool {
	return a.Port() == b.Port() && a.Addr().WithZone("") == b.Addr().WithZone("")
}

// believable reports whether a node that was reached at an address of the class by may name a, a node or a peer.
func believable(a netip.AddrPort, by class) bool {
	if a.Port() == 0 {
		return false
	}
	c := classOf(a.Addr())
	if c == linkLocal && a.Addr().Is6() {
		return false // nobody can say in 18 bytes behind which interface that is
	}
	return c == global || c.local() && c == by // dht-address-global
}

// network returns what the addresses of one owner have in common: the /24 of an IPv4 address, the /48 of an IPv6 address.
func network(a netip.Addr) uint64 {
	if a.Is4() {
		ip := a.As4()
		return uint64(binary.BigEndian.Uint32(ip[:]) >> 8)
	}
	ip := a.As16()
	return binary.BigEndian.Uint64(ip[:]) >> 16
}

// sameOwner reports whether a and b, of one family, are likely in the hands of one person: of one network, which one IP address
// always is, or, where addresses are local, the same address and port.
func sameOwner(a, b netip.AddrPort) bool {
	if isLocal(a.Addr()) {
		return a == b
	}
	return network(a.Addr()) == network(b.Addr()) // dht-table-prefix, dht-lookup-prefix
}
