package bench

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"syscall"
	"time"

	"kith/internal/udp"
)

// deafness is what stands behind the socket of a child that is deaf, and of one that only counts. Every so many datagrams it sends one back, where it is told to.
type deafness struct {
	every, came int
	to          netip.AddrPort
	due         bool
}

func (d *deafness) HandleDatagram(_ time.Time, from netip.AddrPort, _ []byte) {
	d.came++
	d.due = d.every > 0 && d.came%d.every == 0
	d.to = from
}

func (d *deafness) HandleTimeout(time.Time) {}
func (d *deafness) NextTimeout() time.Time  { return time.Time{} }

func (d *deafness) Transmit() (netip.AddrPort, []byte, bool) {
	due := d.due
	d.due = false
	return d.to, []byte{0}, due
}

// deaf receives with the peers' own driver, and lets everything fall: what no peer gets below. With a rate it tells the sender that so many more have come.
func deaf(o order) (a reply, err error) {
	if o.Do != "start" {
		return a, nil
	}
	d, err := udp.Listen(udp.Config{Listen: []netip.AddrPort{loopback}})
	if err != nil {
		return a, err
	}
	d.Start(&deafness{every: o.Rate}, nil)
	a.Addr = d.LocalAddrs()[0]
	return a, nil
}

// junkSize is that of a knock, which goes further than other sizes.
const junkSize = 1232

// firstBytes are those of the kinds of junk. A known connection id has a body that does not open.
var firstBytes = map[string]byte{"handshake": 0x50, "conversation": 0x51, "node": 0x64, "other": 0x53, "known-cid": 0x51}

// junk sends datagrams of the kinds in turn, so many a second, a few each millisecond as far as that can be kept.
func junk(o order) (a reply, err error) {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(o.To))
	if err != nil {
		return a, err
	}
	defer c.Close()
	rng := rand.NewChaCha8([32]byte{})
	b := make([]byte, junkSize)
	rng.Read(b)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for begun := time.Now(); ; {
		passed := min(time.Since(begun), o.For)
		for due := int(passed.Seconds() * float64(o.Rate)); a.Count < due; a.Count++ {
			kind := o.Kinds[a.Count%len(o.Kinds)]
			rng.Read(b[:64])
			b[0] = firstBytes[kind]
			if kind == "known-cid" {
				copy(b[1:], o.CID)
			}
			if _, err := c.Write(b); err != nil && !errors.Is(err, syscall.ECONNREFUSED) {
				return a, err
			}
		}
		if passed == o.For {
			return a, nil
		}
		<-tick.C
	}
}
