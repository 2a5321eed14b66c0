package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/net/ipv4"
)

// sources is how many addresses the queries come from, in turn: 250 a second from each, a node's default limit, is more than
// one server answers on one core.
const sources = 2048

// A load sends queries to one server after another.
type load struct {
	c       *net.UDPConn
	p       *ipv4.PacketConn
	in, out []ipv4.Message
	source  int
	resent  int
}

func newLoad(window int) (*load, error) {
	// One socket for all the addresses: it is bound to none, and each datagram names its own.
	c, err := net.ListenUDP("udp4", &net.UDPAddr{})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(c.SetReadBuffer(4<<20), c.SetWriteBuffer(4<<20)); err != nil {
		return nil, err
	}
	l := &load{c: c, p: ipv4.NewPacketConn(c), in: make([]ipv4.Message, window), out: make([]ipv4.Message, window)}
	for i := range window {
		l.in[i].Buffers = [][]byte{make([]byte, 2048)}
		l.out[i].Buffers = make([][]byte, 1)
	}
	return l, nil
}

// run has c answer n queries, and returns how many it answered.
func (l *load) run(c *contestant, n int) (int, error) {
	cms := make([][]byte, sources)
	for i := range cms {
		cms[i] = (&ipv4.ControlMessage{Src: net.IPv4(127, 1, byte(i>>8), byte(i))}).Marshal()
	}
	to := net.UDPAddrFromAddrPort(c.addr)
	send := func(k int) error {
		for i := range l.out[:k] {
			m := &l.out[i]
			m.Buffers[0], m.Addr, m.OOB = c.query, to, cms[l.source]
			l.source = (l.source + 1) % sources
		}
		for sent := 0; sent < k; {
			m, err := l.p.WriteBatch(l.out[sent:k], 0)
			if err != nil {
				return err
			}
			sent += m
		}
		return nil
	}
	if err := send(len(l.out)); err != nil {
		return 0, err
	}
	answered, quiet := 0, 0
	for answered < n {
		if err := l.c.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
			return 0, err
		}
		k, err := l.p.ReadBatch(l.in, 0)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if quiet++; quiet > 10 {
				return 0, fmt.Errorf("no answer for 2 s")
			}
			k = len(l.out)
			l.resent += k
		case err != nil:
			return 0, err
		default:
			quiet = 0
			for i := range l.in[:k] {
				m := &l.in[i]
				if m.Addr.(*net.UDPAddr).AddrPort() == netip.AddrPortFrom(c.addr.Addr(), c.addr.Port()) {
					if m.N < c.reply {
						return 0, fmt.Errorf("a reply of %d bytes: %q", m.N, m.Buffers[0][:m.N])
					}
					answered++
				}
			}
		}
		if err := send(k); err != nil {
			return 0, err
		}
	}
	// The rest of the window is answered too: it belongs to this server.
	for l.c.SetReadDeadline(time.Now().Add(20*time.Millisecond)) == nil {
		k, err := l.p.ReadBatch(l.in, 0)
		if err != nil {
			return answered, nil
		}
		answered += k
	}
	return answered, nil
}
