package udp

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
)

// A socket reads and writes datagrams through buffers of its own. read is called by one goroutine; datagram, queue and flush
// with the driver's lock held, datagram only between two reads.
type socket interface {
	// read waits for datagrams and returns how many there are; an error is net.ErrClosed or of passing interest.
	read() (int, error)
	// datagram returns the i-th of them; whole is false when it was longer than MaxDatagram.
	datagram(i int) (from netip.AddrPort, b []byte, whole bool)
	// queue copies a datagram of at most MaxDatagram bytes and reports whether the queue is full now. It is to leave from the address at
	// which the answered-th of the datagrams came, or, if answered is negative, from any.
	queue(to netip.AddrPort, b []byte, answered int) (full bool)
	// flush sends what is queued, counts what could not be sent, and leaves the queue empty.
	flush(stats *Stats)
	close() error
}

// Stats counts what happened at the sockets since Listen.
type Stats struct {
	In, Out           uint64 // datagrams
	BytesIn, BytesOut uint64 // of payload
	Batches           uint64 // reads that returned something
	Wakeups           uint64 // of the timer
	TooLong           uint64 // datagrams of more than MaxDatagram bytes, dropped, either way
	NoSocket          uint64 // datagrams for a family that has no socket, dropped
	ReadErrors        uint64 // each survived
	WriteErrors       uint64 // each a datagram not sent, among them:
	Unreachable       uint64 // no route to the network or host
	Refused           uint64 // by a firewall, or an earlier datagram by its receiver
	NoBuffers         uint64 // the kernel had no room

	LastError error // of a read or write; nil: none yet
}

func (s *Stats) readError(err error) {
	s.ReadErrors++
	s.LastError = err
}

func (s *Stats) writeError(err error) {
	s.WriteErrors++
	s.LastError = err
	switch {
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		s.Unreachable++
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		s.Refused++
	case errors.Is(err, syscall.ENOBUFS), errors.Is(err, syscall.ENOMEM):
		s.NoBuffers++
	}
}

// A single is a socket that makes one system call for each datagram: what there is on systems without recvmmsg. On a host of several
// addresses it has to listen at one of them: what it sends leaves from the one that the system prefers.
type single struct {
	c    *net.UDPConn
	in   [MaxDatagram + 1]byte // one more, so that a datagram that was cut shows
	n    int
	from netip.AddrPort
	out  [MaxDatagram]byte
	to   netip.AddrPort
	held int // bytes of out; -1: the queue is empty
}

func newSingle(c *net.UDPConn) *single { return &single{c: c, held: -1} }

func (s *single) read() (int, error) {
	n, from, err := s.c.ReadFromUDPAddrPort(s.in[:])
	if err != nil && n < len(s.in) { // Windows calls a datagram that was cut an error
		return 0, err
	}
	s.n, s.from = n, from
	return 1, nil
}

func (s *single) datagram(int) (netip.AddrPort, []byte, bool) {
	if s.n > MaxDatagram {
		return s.from, nil, false
	}
	return s.from, s.in[:s.n], true
}

func (s *single) queue(to netip.AddrPort, b []byte, _ int) bool {
	s.to, s.held = to, copy(s.out[:], b)
	return true
}

func (s *single) flush(stats *Stats) {
	if s.held < 0 {
		return
	}
	n, err := s.c.WriteToUDPAddrPort(s.out[:s.held], s.to)
	s.held = -1
	switch {
	case err == nil:
		stats.Out++
		stats.BytesOut += uint64(n)
	case !errors.Is(err, net.ErrClosed):
		stats.writeError(err)
	}
}

func (s *single) close() error { return s.c.Close() }
