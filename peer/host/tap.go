package host

import (
	"net/netip"
	"time"

	"kith/internal/udp"
	"kith/peer"
)

// A Tap is shown a datagram that came from other, or that was sent there. It is called between two calls of the peer, and must not call the host; b is good until it returns.
type Tap func(sent bool, other netip.AddrPort, b []byte)

// tapped shows a tap what passes between the sockets and the peer.
type tapped struct {
	*peer.Peer
	tap Tap
}

func (t tapped) HandleDatagram(now time.Time, from netip.AddrPort, b []byte) {
	t.tap(false, from, b)
	t.Peer.HandleDatagram(now, from, b)
}

func (t tapped) Transmit() (to netip.AddrPort, b []byte, ok bool) {
	if to, b, ok = t.Peer.Transmit(); ok {
		t.tap(true, to, b)
	}
	return to, b, ok
}

// machine is what the sockets are handed to.
func (h *Host) machine() udp.Machine {
	if h.tap == nil {
		return h.peer
	}
	return tapped{h.peer, h.tap}
}
