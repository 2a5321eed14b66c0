// Package udp drives a machine that does no I/O of its own: it owns the sockets, the clock and the lock.
//
// Listen opens one socket for each address family, Start hands them a Machine, Do runs a function between two datagrams,
// Close ends it all and returns when nothing touches the machine any more. On Linux datagrams are read and written in
// batches (recvmmsg, sendmmsg); elsewhere one at a time.
//
// The machine is called by one goroutine at a time and needs no lock. A panic in it is a defect and ends the program:
// nothing here recovers.
package udp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// MaxDatagram is the largest datagram, in bytes, that is received or sent. A longer one is dropped and counted: no protocol
// here speaks beyond 1,500 bytes, and a truncated datagram must never be parsed as if it were whole.
const MaxDatagram = 4096

const (
	batch       = 32                     // datagrams of one system call
	readBuffer  = 1 << 20                // bytes asked of the kernel for each socket: bursts of about 1,000 datagrams
	writeBuffer = 1 << 19                // bytes
	finest      = time.Millisecond       // no timer fires sooner again, so that a machine that is never satisfied cannot spin
	worstPause  = 250 * time.Millisecond // after repeated failures of a read
)

// A Machine is a protocol without sockets. All its methods return at once.
type Machine interface {
	// HandleDatagram takes a datagram of at most MaxDatagram bytes that came from an address. The bytes are the machine's
	// until it returns.
	HandleDatagram(now time.Time, from netip.AddrPort, b []byte)
	// HandleTimeout does what is due at now.
	HandleTimeout(now time.Time)
	// NextTimeout says when HandleTimeout wants to be called; the zero time: never.
	NextTimeout() time.Time
	// Transmit returns the next datagram to be sent, until ok is false. The bytes are valid until the next call of any method.
	Transmit() (to netip.AddrPort, b []byte, ok bool)
}

// Config says where to listen.
type Config struct {
	// Listen has one address for each family, at least one and at most two; port 0 lets the kernel choose.
	Listen []netip.AddrPort
}

// A Driver is one or two sockets and the machine behind them. Its methods may be called from any goroutine.
type Driver struct {
	addrs []netip.AddrPort
	socks []socket
	v4    socket // nil without a socket of that family
	v6    socket
	open  func(*net.UDPConn) (socket, error)
	done  chan struct{} // closed by Close
	once  sync.Once
	loops sync.WaitGroup

	mu     sync.Mutex // held while the machine is called and its datagrams are sent
	m      Machine
	after  func(now time.Time)
	timer  *time.Timer
	armed  time.Time // when the timer fires; zero: it does not
	closed bool
	stats  Stats
}

// Listen opens the sockets. Of two, either both are open or none. The error wraps what the operating system said.
func Listen(cfg Config) (*Driver, error) { return listen(cfg, newSocket) }

func listen(cfg Config, open func(*net.UDPConn) (socket, error)) (*Driver, error) {
	if len(cfg.Listen) == 0 {
		return nil, errors.New("udp: no address to listen on")
	}
	d := &Driver{open: open, done: make(chan struct{})}
	for _, a := range cfg.Listen {
		if err := d.listen(a); err != nil {
			for _, s := range d.socks {
				s.close()
			}
			return nil, err
		}
	}
	return d, nil
}

func (d *Driver) listen(a netip.AddrPort) error {
	if !a.IsValid() {
		return fmt.Errorf("udp: %v is not an address", a)
	}
	network, own := "udp6", &d.v6 // "udp6" sets IPV6_V6ONLY: mapped addresses cannot arrive
	if a.Addr().Is4() {
		network, own = "udp4", &d.v4
	}
	if *own != nil {
		return fmt.Errorf("udp: two addresses of the same family, the second is %v", a)
	}
	c, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(a))
	if err != nil {
		return fmt.Errorf("udp: %w", err)
	}
	// Smaller buffers than asked for are a matter of load, not of correctness.
	_ = c.SetReadBuffer(readBuffer)
	_ = c.SetWriteBuffer(writeBuffer)
	s, err := d.open(c)
	if err != nil {
		c.Close()
		return fmt.Errorf("udp: %w", err)
	}
	*own = s
	d.socks = append(d.socks, s)
	d.addrs = append(d.addrs, c.LocalAddr().(*net.UDPAddr).AddrPort())
	return nil
}

// LocalAddrs returns the addresses of the sockets in the order of Config.Listen, with the ports that the kernel chose.
func (d *Driver) LocalAddrs() []netip.AddrPort { return d.addrs }

// Start hands the sockets to m. After every call of m, and before its datagrams are sent, after is called too (nil: nothing
// is): the place to take a machine's events. It is called once in the life of a Driver.
func (d *Driver) Start(m Machine, after func(now time.Time)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.m != nil || d.closed {
		return
	}
	d.m, d.after = m, after
	now := Now()
	d.drain(now, arrival{})
	d.settle(now)
	for _, s := range d.socks {
		d.loops.Add(1)
		go d.read(s)
	}
}

// Do calls f between two calls of the machine, then sends what the machine has to send. It returns net.ErrClosed, and has
// not called f, after Close. It must not be called from f, nor from the function given to Start.
func (d *Driver) Do(f func(now time.Time)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return net.ErrClosed
	}
	now := Now()
	f(now)
	if d.m != nil {
		d.drain(now, arrival{})
		d.settle(now)
	}
	return nil
}

// Close closes the sockets and returns when the machine will not be called any more. It must not be called from the
// machine, from a function given to Do or from the one given to Start.
func (d *Driver) Close() error {
	var err error
	d.once.Do(func() {
		close(d.done)
		for _, s := range d.socks { // before the lock is taken: its holder may be waiting to write
			err = errors.Join(err, s.close())
		}
		d.mu.Lock()
		d.closed = true
		if d.timer != nil {
			d.timer.Stop()
		}
		d.mu.Unlock()
	})
	d.loops.Wait()
	return err
}

// Stats returns the counters so far.
func (d *Driver) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stats
}

// read is the loop of one socket. The lock is taken once for a batch, and no deadline is ever set: timers have a goroutine
// of their own, which takes the same lock.
func (d *Driver) read(s socket) {
	defer d.loops.Done()
	failed := 0
	for {
		n, err := s.read()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			failed++
			if !d.readFailed(err, failed) {
				return
			}
			continue
		}
		failed = 0
		if !d.handle(s, n) {
			return
		}
	}
}

// handle gives the n datagrams of a batch to the machine. It reports false after Close.
func (d *Driver) handle(s socket, n int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	now := Now()
	d.stats.Batches++
	for i := range n {
		from, b, whole := s.datagram(i)
		if !whole {
			d.stats.TooLong++
			continue
		}
		d.stats.In++
		d.stats.BytesIn += uint64(len(b))
		d.m.HandleDatagram(now, from, b)
		d.drain(now, arrival{from, s, i})
	}
	d.settle(now)
	return true
}

// readFailed counts a failure. The kernel reports what happened to earlier datagrams (an ICMP answer, say) as an error of the
// next read, so one failure means nothing; many in a row are waited out. It reports false after Close.
func (d *Driver) readFailed(err error, inARow int) bool {
	d.mu.Lock()
	d.stats.readError(err)
	d.mu.Unlock()
	if inARow < 4 {
		return true
	}
	t := time.NewTimer(min(time.Millisecond<<min(inARow, 10), worstPause))
	defer t.Stop()
	select {
	case <-d.done:
		return false
	case <-t.C:
		return true
	}
}

// fire is the timer's goroutine.
func (d *Driver) fire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.armed = time.Time{}
	if d.closed {
		return
	}
	now := Now()
	d.stats.Wakeups++
	if next := d.m.NextTimeout(); !next.IsZero() && !next.After(now) {
		d.m.HandleTimeout(now)
		d.drain(now, arrival{})
	}
	d.settle(now)
}

// An arrival is the i-th datagram of a socket; the zero value is none.
type arrival struct {
	from netip.AddrPort
	sock socket
	i    int
}

// drain takes the machine's events and queues its datagrams. Those that go to who sent what has just arrived leave from the address at
// which that came: a host has several, and an answer from another of them comes from somebody else.
func (d *Driver) drain(now time.Time, came arrival) {
	if d.after != nil {
		d.after(now)
	}
	for {
		to, b, ok := d.m.Transmit()
		if !ok {
			return
		}
		out, answered := d.v6, -1
		if to.Addr().Is4() {
			out = d.v4
		}
		if to == came.from && out == came.sock { // dht-answer-address
			answered = came.i
		}
		switch {
		case out == nil:
			d.stats.NoSocket++
		case len(b) > MaxDatagram:
			d.stats.TooLong++
		case out.queue(to, b, answered):
			out.flush(&d.stats)
		}
	}
}

// settle sends what is queued and sets the timer. A timer that would fire early is left alone: it finds nothing to do and
// sets itself again, which is cheaper than moving it at every batch.
func (d *Driver) settle(now time.Time) {
	for _, s := range d.socks {
		s.flush(&d.stats)
	}
	next := d.m.NextTimeout()
	if next.IsZero() || !d.armed.IsZero() && !next.Before(d.armed) {
		return
	}
	wait := max(next.Sub(now), finest)
	d.armed = now.Add(wait)
	if d.timer == nil {
		d.timer = time.AfterFunc(wait, d.fire)
	} else {
		d.timer.Reset(wait)
	}
}
