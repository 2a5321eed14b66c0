package udp

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A mmsg is a socket that moves up to batch datagrams with one system call. golang.org/x/net's ReadBatch does too, but packs
// its headers anew at each call and allocates two objects for each source address: 150 ns a datagram, when a whole
// ping is to be answered in 600 ns beyond the kernel's part. Here the headers are built once and point at memory that never moves.
type mmsg struct {
	c       *net.UDPConn
	rc      syscall.RawConn
	v6      bool
	in, out vector

	received, pending int                   // datagrams in `in`, in `out`
	sent              int                   // of the pending
	recv, send        func(fd uintptr) bool // bound once, so that a call allocates nothing
}

// A vector is the memory of one batch: header i points at address i and, through span i, at slot i.
type vector struct {
	headers [batch]header
	spans   [batch]unix.Iovec
	addrs   [batch]unix.RawSockaddrInet6 // the larger of the two kinds
	slots   [batch][MaxDatagram]byte
	errno   syscall.Errno // of the last call
}

// header is the kernel's struct mmsghdr.
type header struct {
	unix.Msghdr
	n uint32 // bytes received or sent
}

func newSocket(c *net.UDPConn) (socket, error) {
	rc, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &mmsg{c: c, rc: rc, v6: c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Is6()}
	for _, v := range []*vector{&s.in, &s.out} {
		for i := range v.headers {
			v.spans[i].Base = &v.slots[i][0]
			v.spans[i].SetLen(MaxDatagram)
			v.headers[i].Iov = &v.spans[i]
			v.headers[i].SetIovlen(1)
			v.headers[i].Name = (*byte)(unsafe.Pointer(&v.addrs[i]))
			v.headers[i].Namelen = s.addrLen()
		}
	}
	s.recv = func(fd uintptr) bool {
		n, errno := mmsgCall(unix.SYS_RECVMMSG, fd, &s.in.headers[0], batch)
		s.received, s.in.errno = n, errno
		return errno != unix.EAGAIN
	}
	s.send = func(fd uintptr) bool {
		n, errno := mmsgCall(unix.SYS_SENDMMSG, fd, &s.out.headers[s.sent], s.pending-s.sent)
		s.sent += n
		s.out.errno = errno
		return errno != unix.EAGAIN
	}
	return s, nil
}

// mmsgCall calls recvmmsg or sendmmsg for n headers from the first on, and returns for how many of them it did something.
//
// It is a raw call: the kernel never waits in it, but a batch takes it 100 µs, after which Go's monitor would take the
// processor away from an ordinary call, look for more every 20 µs and wake another thread. That cost 14 % of all CPU.
func mmsgCall(trap, fd uintptr, first *header, n int) (int, syscall.Errno) {
	for {
		r, _, errno := syscall.RawSyscall6(trap, fd, uintptr(unsafe.Pointer(first)), uintptr(n), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			return int(r), 0
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

func (s *mmsg) addrLen() uint32 {
	if s.v6 {
		return unix.SizeofSockaddrInet6
	}
	return unix.SizeofSockaddrInet4
}

func (s *mmsg) read() (int, error) {
	for i := range s.received {
		s.in.headers[i].Namelen = s.addrLen() // the kernel wrote the length of the address there
	}
	s.received = 0
	if err := s.rc.Read(s.recv); err != nil {
		return 0, err
	}
	if s.in.errno != 0 {
		return 0, os.NewSyscallError("recvmmsg", s.in.errno)
	}
	return s.received, nil
}

func (s *mmsg) datagram(i int) (netip.AddrPort, []byte, bool) {
	h := &s.in.headers[i]
	from := s.addr(&s.in.addrs[i])
	if h.Flags&unix.MSG_TRUNC != 0 {
		return from, nil, false
	}
	return from, s.in.slots[i][:h.n], true
}

func (s *mmsg) queue(to netip.AddrPort, b []byte) bool {
	i := s.pending
	s.out.spans[i].SetLen(copy(s.out.slots[i][:], b))
	s.setAddr(&s.out.addrs[i], to)
	s.pending++
	return s.pending == batch
}

// flush sends the queue. sendmmsg stops at the first datagram that cannot be sent and says why only when that is the first of
// all, so it is called again behind each failure.
func (s *mmsg) flush(stats *Stats) {
	for s.sent < s.pending {
		before := s.sent
		if err := s.rc.Write(s.send); err != nil { // closed
			if !errors.Is(err, net.ErrClosed) {
				stats.writeError(err)
			}
			break
		}
		for i := before; i < s.sent; i++ {
			stats.Out++
			stats.BytesOut += uint64(s.out.headers[i].n)
		}
		if s.out.errno != 0 {
			stats.writeError(os.NewSyscallError("sendmmsg", s.out.errno))
			s.sent++
		}
	}
	s.sent, s.pending = 0, 0
}

func (s *mmsg) close() error { return s.c.Close() }

// addr reads a socket address of the socket's own family.
func (s *mmsg) addr(a *unix.RawSockaddrInet6) netip.AddrPort {
	if !s.v6 {
		a := (*unix.RawSockaddrInet4)(unsafe.Pointer(a))
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), hostOrder(&a.Port))
	}
	ip := netip.AddrFrom16(a.Addr)
	if a.Scope_id != 0 { // link-local: the one kind of address for which the interface matters
		ip = ip.WithZone(strconv.FormatUint(uint64(a.Scope_id), 10))
	}
	return netip.AddrPortFrom(ip, hostOrder(&a.Port))
}

// setAddr writes one.
func (s *mmsg) setAddr(a *unix.RawSockaddrInet6, to netip.AddrPort) {
	if !s.v6 {
		a := (*unix.RawSockaddrInet4)(unsafe.Pointer(a))
		a.Family = unix.AF_INET
		a.Addr = to.Addr().As4()
		setHostOrder(&a.Port, to.Port())
		return
	}
	*a = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: to.Addr().As16()}
	setHostOrder(&a.Port, to.Port())
	if zone := to.Addr().Zone(); zone != "" {
		a.Scope_id = scope(zone)
	}
}

// scope is the number of an interface; 0, and the kernel's refusal, when there is none of that name.
func scope(zone string) uint32 {
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n)
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index)
	}
	return 0
}

// A port stands in network order, whatever the order of the machine.
func hostOrder(port *uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(port))
	return uint16(b[0])<<8 | uint16(b[1])
}

func setHostOrder(port *uint16, v uint16) {
	b := (*[2]byte)(unsafe.Pointer(port))
	b[0], b[1] = byte(v>>8), byte(v)
}
