package peer_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

// BenchmarkStranger measures what a datagram of somebody costs who is no contact.
func BenchmarkStranger(b *testing.B) {
	_, a, _ := meet(b)
	from := netip.MustParseAddrPort("203.0.113.9:9")
	rng := rand.NewChaCha8([32]byte{})
	for name, first := range map[string]byte{"conversation": 0x51, "handshake": 0x50, "nobody": 0x53} {
		b.Run(name, func(b *testing.B) {
			d := make([]byte, 1232)
			now := a.v.Now()
			b.ReportAllocs()
			for range b.N {
				rng.Read(d[:32])
				d[0] = first
				a.p.HandleDatagram(now, from, d)
				if _, _, ok := a.p.Transmit(); ok {
					b.Fatal("an answer")
				}
				_ = a.p.NextTimeout()
			}
		})
	}
}
