package conformance

import (
	"io"
	"net/netip"
	"time"

	"kith/dht"
	"kith/internal/udp"
)

// Reference is the reference node as a Machine: package dht's, with nobody to take its events.
type Reference struct{ *dht.Node }

// NewReference makes a reference node of both families that knows nobody. Its randomness comes from 32 bytes of r; nil: crypto/rand.
func NewReference(r io.Reader, now time.Time) (Reference, error) {
	n, err := dht.New(dht.Config{Rand: r, IPv4: true, IPv6: true}, now)
	return Reference{n}, err
}

// Transmit implements Machine. It is called after every other call, and so is the place to drop the events.
func (n Reference) Transmit() (netip.AddrPort, []byte, bool) {
	for {
		if _, ok := n.Event(); !ok {
			return n.Node.Transmit()
		}
	}
}

// Serve runs a machine on loopback, in both families where there are two, until stop is called.
func Serve(m Machine) (addr Address, stop func(), err error) {
	v4, v6 := netip.MustParseAddrPort("127.0.0.1:0"), netip.MustParseAddrPort("[::1]:0")
	d, err := udp.Listen(udp.Config{Listen: []netip.AddrPort{v4, v6}})
	if err != nil { // a machine without IPv6 has the other half
		if d, err = udp.Listen(udp.Config{Listen: []netip.AddrPort{v4}}); err != nil {
			return Address{}, nil, err
		}
	}
	d.Start(m, nil)
	addr.V4 = d.LocalAddrs()[0]
	if len(d.LocalAddrs()) > 1 {
		addr.V6 = d.LocalAddrs()[1]
	}
	return addr, func() { d.Close() }, nil
}
