package host

import (
	"errors"
	"fmt"
	"time"

	"kith/dht"
	"kith/handshake"
	"kith/internal/udp"
	"kith/peer"
)

// Edit opens the store of a peer that does not run, creating it where there is none, and calls f with the peer, which has no sockets. What f has changed is durable when Edit returns nil; with
// an error of f nothing is.
func Edit(path string, id *handshake.Identity, f func(now time.Time, p *peer.Peer) error) (err error) {
	s, stored, err := open(path, id)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	now := udp.Now()
	// Both families, so that what is stored of neither DHT is lost.
	p, err := peer.New(peer.Config{Identity: id, DHT: dht.Config{IPv4: true, IPv6: true}, Stored: stored}, now)
	if err != nil {
		return fmt.Errorf("host: %s: %w", path, err)
	}
	defer p.Erase()
	if err := f(now, p); err != nil {
		return err
	}
	return (&Host{peer: p, store: s}).commitAll()
}
