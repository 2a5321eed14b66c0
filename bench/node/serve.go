package main

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"

	"kith/internal/udp"
)

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

// serve is a server's process: it prints its address, then the CPU time that it has used whenever it is asked, until its
// input ends.
func serve(kind string) error {
	var addr netip.AddrPort
	switch kind {
	case "echo", "batch":
		c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(loopback))
		if err != nil {
			return err
		}
		if err := c.SetReadBuffer(1 << 20); err != nil {
			return err
		}
		addr = c.LocalAddr().(*net.UDPAddr).AddrPort()
		if kind == "echo" {
			go echo(c)
		} else {
			go echoBatch(ipv4.NewPacketConn(c))
		}
	default:
		d, err := udp.Listen(udp.Config{Listen: []netip.AddrPort{loopback}})
		if err != nil {
			return err
		}
		addr = d.LocalAddrs()[0]
		var m udp.Machine = &mirror{}
		if kind == "node" {
			if m, err = fullNode(udp.Now()); err != nil {
				return err
			}
		}
		d.Start(m, nil)
	}
	fmt.Println(addr)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			return err
		}
		fmt.Println(u.Utime.Nano() + u.Stime.Nano())
	}
	return nil
}

// echo is the measure of all: the loop that anybody writes first.
func echo(c *net.UDPConn) {
	b := make([]byte, 4096)
	for {
		n, from, err := c.ReadFromUDPAddrPort(b)
		if err != nil {
			panic(err)
		}
		if _, err := c.WriteToUDPAddrPort(b[:n], from); err != nil {
			panic(err)
		}
	}
}

// echoBatch is the same with 32 datagrams to a system call.
func echoBatch(p *ipv4.PacketConn) {
	in, out := make([]ipv4.Message, 32), make([]ipv4.Message, 32)
	for i := range in {
		in[i].Buffers = [][]byte{make([]byte, 4096)}
		out[i].Buffers = make([][]byte, 1)
	}
	for {
		n, err := p.ReadBatch(in, 0)
		if err != nil {
			panic(err)
		}
		for i := range n {
			out[i].Buffers[0], out[i].Addr = in[i].Buffers[0][:in[i].N], in[i].Addr
		}
		for sent := 0; sent < n; {
			k, err := p.WriteBatch(out[sent:n], 0)
			if err != nil {
				panic(err)
			}
			sent += k
		}
	}
}

// A mirror is an echo as a machine.
type mirror struct {
	to  netip.AddrPort
	b   []byte
	has bool
}

func (m *mirror) HandleDatagram(_ time.Time, from netip.AddrPort, b []byte) {
	m.to, m.b, m.has = from, b, true
}
func (m *mirror) HandleTimeout(time.Time) {}
func (m *mirror) NextTimeout() time.Time  { return time.Time{} }
func (m *mirror) Transmit() (netip.AddrPort, []byte, bool) {
	ok := m.has
	m.has = false
	return m.to, m.b, ok
}
