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
	wild    bool // it listens at every address of the host, so the kernel says at which each datagram came
	in, out vector

	received, pending int                   // datagrams in `in`, in `out`
	sent              int                   // of the pending
	recv, send        func(fd uintptr) bool // bound once, so that a call allocates nothing
}

// A vector is the memory of one batch: header i points at address i, control i and, through span i, at slot i.
type vector struct {
	headers  [batch]header
	spans    [batch]unix.Iovec
	addrs    [batch]unix.RawSockaddrInet6 // the larger of the two kinds
	controls [batch]control
	slots    [batch][MaxDatagram]byte
	errno    syscall.Errno // of the last call
}

// control is one control message: a header and behind it unix.Inet4Pktinfo or unix.Inet6Pktinfo.
type control struct {
	unix.Cmsghdr
	info [24]byte // 12 bytes for IPv4 and 20 for IPv6, with what aligns them
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
	local := c.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
	s := &mmsg{c: c, rc: rc, v6: local.Is6()}
	s.wild = local.IsUnspecified() && s.wantAddrs()
	for _, v := range []*vector{&s.in, &s.out} {
		for i := range v.headers {
			v.spans[i].Base = &v.slots[i][0]
			v.spans[i].SetLen(MaxDatagram)
			v.headers[i].Iov = &v.spans[i]
			v.headers[i].SetIovlen(1)
			v.headers[i].Name = (*byte)(unsafe.Pointer(&v.addrs[i]))
			v.headers[i].Namelen = s.addrLen()
			if s.wild {
				v.headers[i].Control = (*byte)(unsafe.Pointer(&v.controls[i]))
				v.headers[i].SetControllen(int(unsafe.Sizeof(control{})))
			}
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

// wantAddrs has the kernel say at which address each datagram came. It reports whether it will.
func (s *mmsg) wantAddrs() bool {
	var err error
	failed := s.rc.Control(func(fd uintptr) {
		if s.v6 {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
		} else {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
		}
	})
	return failed == nil && err == nil
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
		if s.wild {
			s.in.headers[i].SetControllen(int(unsafe.Sizeof(control{})))
		}
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

func (s *mmsg) queue(to netip.AddrPort, b []byte, answered int) bool {
	i := s.pending
	s.out.spans[i].SetLen(copy(s.out.slots[i][:], b))
	s.setAddr(&s.out.addrs[i], to)
	if s.wild {
		n := 0
		if answered >= 0 {
			n = s.comeFrom(&s.out.controls[i], &s.in.controls[answered], int(s.in.headers[answered].Controllen))
		}
		s.out.headers[i].SetControllen(n)
	}
	s.pending++
	return s.pending == batch
}

// comeFrom writes into out that a datagram is to leave from the address at which one came of which the kernel wrote in, n bytes. It
// returns the length of out: 0 if the kernel did not say.
func (s *mmsg) comeFrom(out, in *control, n int) int {
	if n < unix.CmsgLen(unix.SizeofInet4Pktinfo) {
		return 0
	}
	*out = *in
	switch {
	case !s.v6 && in.Level == unix.IPPROTO_IP && in.Type == unix.IP_PKTINFO:
		(*unix.Inet4Pktinfo)(unsafe.Pointer(&out.info)).Ifindex = 0 // the route says which; Spec_dst is the source
		return unix.CmsgSpace(unix.SizeofInet4Pktinfo)
	case s.v6 && in.Level == unix.IPPROTO_IPV6 && in.Type == unix.IPV6_PKTINFO:
		(*unix.Inet6Pktinfo)(unsafe.Pointer(&out.info)).Ifindex = 0 // the route says which, or the scope of a link-local address
		return unix.CmsgSpace(unix.SizeofInet6Pktinfo)
	}
	return 0
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
