package udp

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for what must come; nothing waits for it when all is well.
const patience = 20 * time.Second

var (
	loopback4 = netip.MustParseAddrPort("127.0.0.1:0")
	loopback6 = netip.MustParseAddrPort("[::1]:0")
)

// echo answers a datagram as often as its first byte says. It has no lock, so that the race detector sees two callers at once.
type echo struct {
	calls    int
	out      []sent
	last     []byte
	next     time.Time
	timeouts chan time.Time
}

type sent struct {
	to netip.AddrPort
	b  []byte
}

func (e *echo) HandleDatagram(_ time.Time, from netip.AddrPort, b []byte) {
	e.calls++
	if string(b) == "panic" {
		panic("a defect of the machine")
	}
	for range max(1, int(append(b[:len(b):len(b)], 1)[0])) {
		e.out = append(e.out, sent{from, bytes.Clone(b)})
	}
}

func (e *echo) HandleTimeout(now time.Time) {
	e.calls++
	e.next = time.Time{}
	e.timeouts <- now
}

func (e *echo) NextTimeout() time.Time { return e.next }

func (e *echo) Transmit() (netip.AddrPort, []byte, bool) {
	clear(e.last) // what was returned is good until this call
	if len(e.out) == 0 {
		return netip.AddrPort{}, nil, false
	}
	s := e.out[0]
	e.out, e.last = e.out[1:], s.b
	return s.to, s.b, true
}

// each runs a test with the socket of this system and with the one that needs nothing of it.
func each(t *testing.T, f func(t *testing.T, start func(...netip.AddrPort) (*Driver, *echo))) {
	for name, open := range map[string]func(*net.UDPConn) (socket, error){
		"system": newSocket,
		"single": func(c *net.UDPConn) (socket, error) { return newSingle(c), nil },
	} {
		t.Run(name, func(t *testing.T) {
			f(t, func(addrs ...netip.AddrPort) (*Driver, *echo) {
				d, err := listen(Config{Listen: addrs}, open)
				require.NoError(t, err)
				t.Cleanup(func() { d.Close() })
				m := &echo{timeouts: make(chan time.Time, 1)}
				d.Start(m, nil)
				return d, m
			})
		})
	}
}

// dial returns a client of d's i-th socket.
func dial(t *testing.T, d *Driver, i int) *net.UDPConn {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(d.LocalAddrs()[i]))
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(Now().Add(patience)))
	return c
}

func say(t *testing.T, c *net.UDPConn, b []byte) {
	_, err := c.Write(b)
	require.NoError(t, err)
}

func hear(t *testing.T, c *net.UDPConn) []byte {
	b := make([]byte, 2*MaxDatagram)
	n, err := c.Read(b)
	require.NoError(t, err)
	return b[:n]
}

func haveIPv6(t *testing.T) {
	c, err := net.ListenUDP("udp6", net.UDPAddrFromAddrPort(loopback6))
	if err != nil {
		t.Skipf("no IPv6 on this machine: %v", err)
	}
	c.Close()
}

func TestBothFamiliesAnswer(t *testing.T) {
	haveIPv6(t)
	each(t, func(t *testing.T, start func(...netip.AddrPort) (*Driver, *echo)) {
		d, _ := start(loopback4, loopback6)
		for i := range 2 {
			c := dial(t, d, i)
			for _, n := range []int{0, 1, 100, 1500, MaxDatagram} {
				b := bytes.Repeat([]byte{1}, n)
				say(t, c, b)
				require.Equal(t, b, hear(t, c))
			}
		}
		s := d.Stats()
		require.EqualValues(t, 10, s.In)
		require.EqualValues(t, 10, s.Out)
		require.EqualValues(t, 2*(1+100+1500+MaxDatagram), s.BytesIn)
		require.Equal(t, s.BytesIn, s.BytesOut)
		require.Zero(t, s.ReadErrors+s.WriteErrors+s.TooLong+s.NoSocket)
	})
}

func TestLongerDatagramIsNotCutButDropped(t *testing.T) {
	each(t, func(t *testing.T, start func(...netip.AddrPort) (*Driver, *echo)) {
		d, m := start(loopback4)
		c := dial(t, d, 0)
		say(t, c, bytes.Repeat([]byte{1}, MaxDatagram+1))
		say(t, c, []byte{1})
		require.Equal(t, []byte{1}, hear(t, c))
		require.EqualValues(t, 1, d.Stats().TooLong)
		require.NoError(t, d.Do(func(time.Time) {
			require.Equal(t, 1, m.calls)
			m.out = append(m.out, sent{c.LocalAddr().(*net.UDPAddr).AddrPort(), make([]byte, MaxDatagram+1)})
		}))
		require.EqualValues(t, 2, d.Stats().TooLong)
	})
}

func TestMoreAnswersThanABatchHolds(t *testing.T) {
	each(t, func(t *testing.T, start func(...netip.AddrPort) (*Driver, *echo)) {
		d, _ := start(loopback4)
		c := dial(t, d, 0)
		say(t, c, []byte{3*batch + 1})
		for range 3*batch + 1 {
			require.Equal(t, []byte{3*batch + 1}, hear(t, c))
		}
	})
}

func TestWhatCannotBeSentHindersNothingElse(t *testing.T) {
	haveIPv6(t)
	each(t, func(t *testing.T, start func(...netip.AddrPort) (*Driver, *echo)) {
		d, m := start(loopback4)
		c := dial(t, d, 0)
		to := c.LocalAddr().(*net.UDPAddr).AddrPort()
		nowhere := netip.AddrPortFrom(to.Addr(), 0)
		require.NoError(t, d.Do(func(time.Time) {
			m.out = []sent{
				{nowhere, []byte("a")}, {to, []byte("b")}, {nowhere, []byte("c")}, {nowhere, []byte("d")},
				{netip.MustParseAddrPort("[::1]:9"), []byte("e")}, {to, []byte("f")}, {nowhere, []byte("g")},
			}
		}))
		require.Equal(t, "b", string(hear(t, c)))
		require.Equal(t, "f", string(hear(t, c)))
		s := d.Stats()
		require.EqualValues(t, 2, s.Out)
		require.EqualValues(t, 4, s.WriteErrors)
		require.EqualValues(t, 1, s.NoSocket)
		require.Error(t, s.LastError)
		say(t, c, []byte{1})
		require.Equal(t, []byte{1}, hear(t, c))
	})
}

func TestTimer(t *testing.T) {
	d, m := start(t, loopback4)
	wait := func() time.Time {
		select {
		case now := <-m.timeouts:
			return now
		case <-time.After(patience):
			t.Fatal("the timer did not fire")
			return time.Time{}
		}
	}
	var due time.Time
	set := func(after time.Duration) {
		require.NoError(t, d.Do(func(now time.Time) { due = now.Add(after); m.next = due }))
	}
	set(5 * time.Millisecond)
	require.False(t, wait().Before(due), "a timer must not fire early")
	set(-time.Hour) // long due
	wait()
	set(time.Hour)
	set(time.Millisecond) // brought forward
	require.False(t, wait().Before(due))
	set(time.Millisecond)
	set(20 * time.Millisecond) // put off: the early alarm finds nothing to do
	require.False(t, wait().Before(due))
}

func start(t *testing.T, addrs ...netip.AddrPort) (*Driver, *echo) {
	d, err := Listen(Config{Listen: addrs})
	require.NoError(t, err)
	t.Cleanup(func() { d.Close() })
	m := &echo{timeouts: make(chan time.Time, 1)}
	d.Start(m, nil)
	return d, m
}

func TestEventsAreTakenAfterEveryCall(t *testing.T) {
	d, err := Listen(Config{Listen: []netip.AddrPort{loopback4}})
	require.NoError(t, err)
	defer d.Close()
	m := &echo{}
	var seen []int
	d.Start(m, func(time.Time) { seen = append(seen, m.calls) })
	c := dial(t, d, 0)
	for range 3 {
		say(t, c, []byte{1})
		hear(t, c)
	}
	require.NoError(t, d.Do(func(time.Time) { m.calls = 10 }))
	require.NoError(t, d.Close())
	require.Equal(t, []int{0, 1, 2, 3, 10}, seen)
}

func TestManyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, start func(...netip.AddrPort) (*Driver, *echo)) {
		d, m := start(loopback4)
		const clients, rounds = 8, 100
		var all sync.WaitGroup
		for i := range clients {
			c := dial(t, d, 0)
			all.Go(func() {
				for j := range rounds {
					say(t, c, []byte{1, byte(i), byte(j)})
					require.Equal(t, []byte{1, byte(i), byte(j)}, hear(t, c))
				}
			})
			all.Go(func() {
				for range rounds {
					require.NoError(t, d.Do(func(time.Time) { m.calls++ }))
				}
			})
		}
		all.Wait()
		require.NoError(t, d.Close())
		require.Equal(t, 2*clients*rounds, m.calls)
	})
}

func TestAfterCloseNothingIsCalled(t *testing.T) {
	each(t, func(t *testing.T, start func(...netip.AddrPort) (*Driver, *echo)) {
		d, m := start(loopback4)
		c := dial(t, d, 0)
		require.NoError(t, d.Do(func(now time.Time) { m.next = now.Add(time.Millisecond) }))
		for range 100 {
			say(t, c, []byte{1})
		}
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				d.Close()
				m.look()
			})
		}
		all.Wait()
		require.ErrorIs(t, d.Do(func(time.Time) { t.Error("called after Close") }), net.ErrClosed)
		d.Start(&echo{}, func(time.Time) { t.Error("started after Close") })
	})
}

// look reads what a call writes: the race detector complains when one is still under way.
func (e *echo) look() { _ = e.calls }

func TestListenTellsWhatIsWrong(t *testing.T) {
	d, _ := start(t, loopback4)
	_, err := Listen(Config{Listen: d.LocalAddrs()})
	require.Error(t, err)
	if runtime.GOOS != "windows" {
		require.ErrorIs(t, err, syscall.EADDRINUSE)
	}
	_, err = Listen(Config{})
	require.Error(t, err)
	_, err = Listen(Config{Listen: []netip.AddrPort{{}}})
	require.Error(t, err)
	_, err = Listen(Config{Listen: []netip.AddrPort{loopback4, loopback4}})
	require.Error(t, err)

	// Of two addresses the first was free, and is again.
	free := dialable(t)
	_, err = Listen(Config{Listen: []netip.AddrPort{free, netip.MustParseAddrPort("[2001:db8::1]:1")}})
	require.Error(t, err)
	again, err := Listen(Config{Listen: []netip.AddrPort{free}})
	require.NoError(t, err)
	require.NoError(t, again.Close())
}

// dialable returns an address that nothing listens on.
func dialable(t *testing.T) netip.AddrPort {
	d, err := Listen(Config{Listen: []netip.AddrPort{loopback4}})
	require.NoError(t, err)
	require.NoError(t, d.Close())
	return d.LocalAddrs()[0]
}

// TestReadErrors takes the socket away under the driver: it must neither spin nor give up, and Close must still end it.
func TestReadErrors(t *testing.T) {
	broken := &failing{errs: make(chan error), closed: make(chan struct{})}
	d := &Driver{socks: []socket{broken}, v4: broken, done: make(chan struct{})}
	d.Start(&echo{}, nil)
	for i := range 6 {
		broken.errs <- fmt.Errorf("failure %d: %w", i, syscall.ECONNREFUSED)
	}
	require.GreaterOrEqual(t, d.Stats().ReadErrors, uint64(5))
	require.ErrorIs(t, d.Stats().LastError, syscall.ECONNREFUSED)
	require.NoError(t, d.Close())
}

type failing struct {
	single
	errs   chan error
	closed chan struct{}
}

func (f *failing) read() (int, error) {
	select {
	case err := <-f.errs:
		return 0, err
	case <-f.closed:
		return 0, net.ErrClosed
	}
}

func (f *failing) flush(*Stats) {}

func (f *failing) close() error { close(f.closed); return nil }

// TestPanicEndsTheProgram runs itself in another process: a panic must not be swallowed there.
func TestPanicEndsTheProgram(t *testing.T) {
	if os.Getenv("UDP_TEST_PANIC") != "" {
		d, _ := start(t, loopback4)
		c := dial(t, d, 0)
		say(t, c, []byte("panic"))
		_, err := c.Read(make([]byte, 1))
		t.Fatalf("still here: %v", err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestPanicEndsTheProgram$")
	cmd.Env = append(os.Environ(), "UDP_TEST_PANIC=1")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.True(t, errors.As(err, &exit), "%s", out)
	require.Contains(t, string(out), "panic: a defect of the machine")
}

// quiet answers from one buffer, so that whatever allocates is the driver.
type quiet struct {
	to  netip.AddrPort
	b   [64]byte
	n   int
	has bool
}

func (q *quiet) HandleDatagram(_ time.Time, from netip.AddrPort, b []byte) {
	q.to, q.n, q.has = from, copy(q.b[:], b), true
}
func (q *quiet) HandleTimeout(time.Time) {}
func (q *quiet) NextTimeout() time.Time  { return time.Time{} }
func (q *quiet) Transmit() (netip.AddrPort, []byte, bool) {
	ok := q.has
	q.has = false
	return q.to, q.b[:q.n], ok
}

func TestNothingIsAllocatedForADatagram(t *testing.T) {
	d, err := Listen(Config{Listen: []netip.AddrPort{loopback4}})
	require.NoError(t, err)
	defer d.Close()
	d.Start(&quiet{}, nil)
	c := dial(t, d, 0)
	b := make([]byte, 64)
	require.Zero(t, testing.AllocsPerRun(200, func() {
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(b); err != nil {
			t.Fatal(err)
		}
	}))
}

func BenchmarkRoundTrip(b *testing.B) {
	d, err := Listen(Config{Listen: []netip.AddrPort{loopback4}})
	require.NoError(b, err)
	defer d.Close()
	d.Start(&quiet{}, nil)
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(d.LocalAddrs()[0]))
	require.NoError(b, err)
	defer c.Close()
	buf := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(buf); err != nil {
			b.Fatal(err)
		}
		if _, err := c.Read(buf); err != nil {
			b.Fatal(err)
		}
	}
}
