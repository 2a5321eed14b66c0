package udp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// A Probe is the other side of a Driver: sockets that somebody who tests opens one by one, one queue of all that arrives at
// them, and a clock that begins at zero. Its methods may be called from any goroutine, Next from one at a time.
type Probe struct {
	began time.Time
	queue chan Arrival
	done  chan struct{}
	once  sync.Once
	loops sync.WaitGroup

	mu    sync.Mutex
	conns []*net.UDPConn
	lost  int
}

// Arrival is one datagram that came, or what Post put into the queue.
type Arrival struct {
	At   time.Duration // since NewProbe
	Sock int           // which socket, from 0; -1: posted
	From netip.AddrPort
	Data []byte // the receiver's own
}

// probeQueue bounds what waits to be looked at; a target that floods is not let grow the tester's memory.
const probeQueue = 4096

// NewProbe starts a clock.
func NewProbe() *Probe {
	return &Probe{began: Now(), queue: make(chan Arrival, probeQueue), done: make(chan struct{})}
}

// Open opens a socket at an address, of which the port may be 0, and returns its number and address.
func (p *Probe) Open(local netip.AddrPort) (sock int, addr netip.AddrPort, err error) {
	network := "udp6"
	if local.Addr().Is4() {
		network = "udp4"
	}
	c, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(local))
	if err != nil {
		return 0, netip.AddrPort{}, fmt.Errorf("udp: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.done:
		c.Close()
		return 0, netip.AddrPort{}, net.ErrClosed
	default:
	}
	p.conns = append(p.conns, c)
	sock = len(p.conns) - 1
	p.loops.Add(1)
	go p.read(sock, c)
	return sock, c.LocalAddr().(*net.UDPAddr).AddrPort(), nil
}

func (p *Probe) read(sock int, c *net.UDPConn) {
	defer p.loops.Done()
	buf := make([]byte, 1<<16) // a tester wants to see the datagram that is too long
	for {
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // what ICMP said of an earlier datagram; or an interface is down, for longer
			if !Pause(time.Millisecond, p.done) {
				return
			}
			continue
		}
		p.put(Arrival{At: p.Now(), Sock: sock, From: netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), Data: append([]byte(nil), buf[:n]...)})
	}
}

func (p *Probe) put(a Arrival) {
	select {
	case p.queue <- a:
	default:
		p.mu.Lock()
		p.lost++
		p.mu.Unlock()
	}
}

// Post puts an event that is no datagram into the queue, with socket -1.
func (p *Probe) Post(data []byte) { p.put(Arrival{At: p.Now(), Sock: -1, Data: data}) }

// Send sends one datagram from a socket and returns when.
func (p *Probe) Send(sock int, to netip.AddrPort, b []byte) (at time.Duration, err error) {
	p.mu.Lock()
	c := p.conns[sock]
	p.mu.Unlock()
	at = p.Now()
	_, err = c.WriteToUDPAddrPort(b, to)
	return at, err
}

// Next returns the next arrival, waiting for it until a time of the probe's clock; ok is false when that time came first. What
// arrived in time is returned even if nobody looked in time.
func (p *Probe) Next(until time.Duration) (a Arrival, ok bool) {
	select {
	case a = <-p.queue:
		return a, true
	default:
	}
	wait := until - p.Now()
	if wait <= 0 {
		return Arrival{}, false
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case a = <-p.queue:
		return a, true
	case <-t.C:
	case <-p.done:
	}
	select {
	case a = <-p.queue: // a busy machine may fire the timer late, and both at once
		return a, true
	default:
		return Arrival{}, false
	}
}

// Now is the time since NewProbe, by the monotonic clock.
func (p *Probe) Now() time.Duration { return Now().Sub(p.began) }

// Lost is how many arrivals found the queue full.
func (p *Probe) Lost() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

// Close closes all sockets and wakes Next.
func (p *Probe) Close() {
	p.once.Do(func() {
		p.mu.Lock()
		close(p.done)
		for _, c := range p.conns {
			c.Close()
		}
		p.mu.Unlock()
		p.loops.Wait()
	})
}

// Ask sends one datagram from a connected socket, so that a closed port is noticed at once, and returns the first answer that
// ok accepts. The error wraps the operating system's, or os.ErrDeadlineExceeded.
func Ask(to netip.AddrPort, b []byte, timeout time.Duration, ok func(answer []byte) bool) ([]byte, error) {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return nil, fmt.Errorf("udp: %w", err)
	}
	defer c.Close()
	if err := c.SetDeadline(Now().Add(timeout)); err != nil {
		return nil, fmt.Errorf("udp: %w", err)
	}
	if _, err := c.Write(b); err != nil {
		return nil, fmt.Errorf("udp: %w", err)
	}
	buf := make([]byte, 1<<16)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return nil, fmt.Errorf("udp: %w", err)
		}
		if ok(buf[:n]) {
			return append([]byte(nil), buf[:n]...), nil
		}
	}
}

// LocalFor returns the address from which this machine would speak to another; nothing is sent.
func LocalFor(to netip.AddrPort) (netip.Addr, error) {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("udp: %w", err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}

// A Pace lets through at most so many a second, evenly. It may be used from any goroutine.
type Pace struct {
	mu   sync.Mutex
	step time.Duration
	next time.Time
}

// NewPace makes a Pace; a rate of 0 or less lets everything through.
func NewPace(perSecond float64) *Pace {
	p := &Pace{}
	if perSecond > 0 {
		p.step = time.Duration(float64(time.Second) / perSecond)
	}
	return p
}

// Wait returns when it is the caller's turn.
func (p *Pace) Wait() {
	if p.step == 0 {
		return
	}
	p.mu.Lock()
	now := Now()
	if p.next.Before(now) {
		p.next = now
	}
	wait := p.next.Sub(now)
	p.next = p.next.Add(p.step)
	p.mu.Unlock()
	if wait > 0 {
		<-time.NewTimer(wait).C
	}
}

// Pause waits for d, or until stop is closed, and reports whether it was d.
func Pause(d time.Duration, stop <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-stop:
		return false
	}
}
