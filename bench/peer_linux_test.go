package bench

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/dht"
	"kith/handshake"
	"kith/internal/udp"
	"kith/peer"
	"kith/peer/host"
)

// The benchmarks of peers run in several processes, each of them this test binary with another role. A child is told what to do in lines of JSON, and answers each.
//
//	network   a DHT of 40 nodes
//	friend    a peer; a new one whenever it is told to start
//	junk      sends what nobody has asked for
//	deaf      a socket behind which nobody listens: what it costs to receive
const (
	roleVariable = "KITH_BENCH_ROLE"
	nodes        = 40
	patience     = 30 * time.Second
)

var (
	loopback   = netip.MustParseAddrPort("127.0.0.1:0")
	profileDir = flag.String("profile", "", "a `folder` for profiles of both ends of BenchmarkPeerThroughput: CPU, blocking, allocations")
)

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := serve(role); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", role, err)
		os.Exit(1)
	}
}

// An order is what a child is told.
type order struct {
	Do string

	// start: a peer, with its friend, where its store goes, whether it echoes, and whether the answer waits until its record is in the DHT.
	Seed, Friend []byte
	Door         netip.AddrPort
	Store        string
	Echo, Wait   bool

	// profile
	Path string

	// flood
	To    netip.AddrPort
	Kinds []string
	CID   []byte
	Rate  int
	For   time.Duration
}

// A reply is what a child says.
type reply struct {
	Addr  netip.AddrPort
	CPU   time.Duration // of the process
	Count int           // messages taken, or datagrams sent
}

// A child is a process.
type child struct {
	tb  testing.TB
	in  *json.Encoder
	out *json.Decoder
}

func startChild(tb testing.TB, role string) *child {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(tb, err)
	out, err := cmd.StdoutPipe()
	require.NoError(tb, err)
	require.NoError(tb, cmd.Start())
	tb.Cleanup(func() {
		in.Close() // it ends
		_ = cmd.Wait()
	})
	return &child{tb, json.NewEncoder(in), json.NewDecoder(out)}
}

func (c *child) tell(o order) { require.NoError(c.tb, c.in.Encode(o)) }

func (c *child) hear() (a reply) {
	require.NoError(c.tb, c.out.Decode(&a), "the child has ended")
	return a
}

func (c *child) ask(o order) reply {
	c.tell(o)
	return c.hear()
}

// serve is a child's life.
func serve(role string) error {
	var do func(order) (reply, error)
	switch role {
	case "network":
		do = network
	case "friend":
		do = new(friend).do
	case "junk":
		do = junk
	case "deaf":
		do = deaf
	default:
		return errors.New("there is no such role")
	}
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var o order
		if err := in.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		a, err := do(o)
		if err != nil {
			return err
		}
		a.CPU = cpu()
		if err := out.Encode(a); err != nil {
			return err
		}
	}
}

// cpu is the time, user and system, that this process has had.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// network starts the DHT, and answers with the address of one node when all have found the others.
func network(order) (a reply, err error) {
	ready := make(chan struct{}, nodes)
	for range nodes {
		d, err := udp.Listen(udp.Config{Listen: []netip.AddrPort{loopback}})
		if err != nil {
			return a, err
		}
		cfg := dht.Config{Reachable: true, Rate: 1 << 20, Burst: 1 << 20} // they all have one address
		if a.Addr.IsValid() {
			cfg.Bootstrap = []netip.AddrPort{a.Addr}
		} else {
			a.Addr = d.LocalAddrs()[0]
		}
		n, err := dht.New(cfg, udp.Now())
		if err != nil {
			return a, err
		}
		d.Start(n, func(time.Time) {
			for e, ok := n.Event(); ok; e, ok = n.Event() {
				if e.Kind == dht.EventReady {
					select {
					case ready <- struct{}{}:
					default:
					}
				}
			}
		})
	}
	for range nodes - 1 { // the first has nobody to ask
		select {
		case <-ready:
		case <-time.After(patience):
			return a, errors.New("the nodes do not find each other")
		}
	}
	return a, nil
}

// A friend is a peer that is somebody's friend. It takes every message at once, and wants them in order.
type friend struct {
	h       *host.Host
	ended   chan error
	taken   int
	profile *os.File
}

func (f *friend) do(o order) (a reply, err error) {
	switch o.Do {
	case "start":
		err = f.start(o)
		if err == nil {
			a.Addr = f.h.LocalAddrs()[0]
		}
	case "stop":
		err = f.h.Close()
		err = errors.Join(err, <-f.ended)
		a.Count = f.taken
	case "usage":
	case "profile":
		f.profile, err = startProfile(o.Path)
	case "profiled":
		err = endProfile(f.profile, o.Path)
	}
	return a, err
}

func (f *friend) start(o order) error {
	id, err := handshake.NewIdentity(o.Seed)
	if err != nil {
		return err
	}
	f.h, err = host.Start(host.Config{
		Identity: id, Store: o.Store, Listen: []netip.AddrPort{loopback}, DHT: dht.Config{Bootstrap: []netip.AddrPort{o.Door}}, Echo: o.Echo,
	})
	if err != nil {
		return err
	}
	key := handshake.PublicKey(o.Friend)
	if doErr := f.h.Do(func(now time.Time, p *peer.Peer) { err = p.Add(now, key, "") }); err != nil || doErr != nil {
		return errors.Join(err, doErr)
	}
	published := make(chan struct{}, 1)
	f.ended, f.taken = make(chan error, 1), 0
	go func() { f.ended <- f.listen(key, published) }()
	if o.Wait {
		select {
		case <-published:
		case <-time.After(patience):
			return errors.New("the record does not come into the DHT")
		}
	}
	return nil
}

// listen takes the messages until the peer has ended.
func (f *friend) listen(from handshake.PublicKey, published chan<- struct{}) error {
	for {
		select {
		case <-f.h.Done():
			return nil
		case <-f.h.More():
		}
		var last peer.Event
		for _, e := range f.h.Take() {
			switch e.Kind {
			case peer.EventPublished:
				select {
				case published <- struct{}{}:
				default:
				}
			case peer.EventMessage:
				if !bytes.HasPrefix(e.Text, number(f.taken)) {
					return fmt.Errorf("message %d is %.16q", f.taken, e.Text)
				}
				f.taken++
				last = e
			}
		}
		if last.Kind != 0 {
			_ = f.h.Do(func(now time.Time, p *peer.Peer) { _ = p.Taken(now, from, last.Position) }) // it has ended
		}
	}
}

// number begins the n-th message, so that its receiver sees the order.
func number(n int) []byte { return fmt.Appendf(nil, "%016x", n) }

// text is the n-th message.
func text(n, size int) []byte {
	b := number(n)
	return append(b, bytes.Repeat([]byte("."), size-len(b))...)
}

func startProfile(path string) (*os.File, error) {
	f, err := os.Create(path + ".cpu")
	if err != nil {
		return nil, err
	}
	runtime.SetBlockProfileRate(10_000)
	return f, pprof.StartCPUProfile(f)
}

func endProfile(f *os.File, path string) error {
	pprof.StopCPUProfile()
	runtime.SetBlockProfileRate(0)
	errs := []error{f.Close()}
	for _, name := range []string{"block", "allocs"} {
		f, err := os.Create(path + "." + name)
		if err != nil {
			return err
		}
		errs = append(errs, pprof.Lookup(name).WriteTo(f, 0), f.Close())
	}
	return errors.Join(errs...)
}

// A caller is the peer in this process.
type caller struct {
	tb     testing.TB
	cfg    host.Config
	seed   []byte // the friend's
	friend handshake.PublicKey
	h      *host.Host
	heard  []peer.Event
}

// newPair returns somebody with a friend whom he has not added yet. Both have a store that is empty.
func newPair(tb testing.TB, door netip.AddrPort) *caller {
	c := &caller{tb: tb, seed: newSeed(tb)}
	id, err := handshake.NewIdentity(newSeed(tb))
	require.NoError(tb, err)
	other, err := handshake.NewIdentity(c.seed)
	require.NoError(tb, err)
	c.friend = other.PublicKey()
	dir := tb.TempDir()
	c.cfg = host.Config{
		Identity: id, Store: filepath.Join(dir, "caller"), Listen: []netip.AddrPort{loopback}, DHT: dht.Config{Bootstrap: []netip.AddrPort{door}},
	}
	nothing := func(time.Time, *peer.Peer) error { return nil }
	require.NoError(tb, host.Edit(c.cfg.Store, id, nothing))
	require.NoError(tb, host.Edit(c.friendStore(), other, nothing))
	return c
}

func newSeed(tb testing.TB) []byte {
	seed := make([]byte, handshake.SeedSize)
	_, err := rand.Read(seed)
	require.NoError(tb, err)
	return seed
}

func (c *caller) friendStore() string { return filepath.Join(filepath.Dir(c.cfg.Store), "friend") }

// order lets the friend begin.
func (c *caller) order(echo, wait bool) order {
	own := c.cfg.Identity.PublicKey()
	return order{Do: "start", Seed: c.seed, Friend: own[:], Door: c.cfg.DHT.Bootstrap[0], Store: c.friendStore(), Echo: echo, Wait: wait}
}

func (c *caller) start() {
	h, err := host.Start(c.cfg)
	require.NoError(c.tb, err)
	c.h = h
}

func (c *caller) stop() { require.NoError(c.tb, c.h.Close()) }

// do calls the peer, and wants no error.
func (c *caller) do(f func(now time.Time, p *peer.Peer) error) {
	var err error
	require.NoError(c.tb, c.h.Do(func(now time.Time, p *peer.Peer) { err = f(now, p) }))
	require.NoError(c.tb, err)
}

func (c *caller) add() {
	c.do(func(now time.Time, p *peer.Peer) error { return p.Add(now, c.friend, "") })
}

func (c *caller) say(b []byte) {
	c.do(func(now time.Time, p *peer.Peer) error { _, err := p.Send(now, c.friend, b); return err })
}

// want waits for an event of a kind, and returns it.
func (c *caller) want(kind peer.EventKind) peer.Event {
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		for i, e := range c.heard {
			if e.Kind == kind {
				c.heard = c.heard[i+1:]
				return e
			}
		}
		c.heard = nil
		select {
		case <-c.h.More():
			c.heard = c.h.Take()
		case <-late.C:
			require.FailNow(c.tb, "no such event", "kind %d", kind)
		}
	}
}

// commits is how many transactions a store has had: bbolt counts them in the headers on its first two pages.
func commits(tb testing.TB, path string) uint64 {
	f, err := os.Open(path)
	require.NoError(tb, err)
	defer f.Close()
	var last uint64
	for page := range int64(2) {
		var b [80]byte
		_, err := f.ReadAt(b[:], page*4096)
		require.NoError(tb, err)
		last = max(last, binary.NativeEndian.Uint64(b[16+48:]))
	}
	return last
}

// load says how busy the machine was during the last minute.
func load(b *testing.B) {
	text, err := os.ReadFile("/proc/loadavg")
	require.NoError(b, err)
	var v float64
	_, err = fmt.Sscan(strings.Fields(string(text))[0], &v)
	require.NoError(b, err)
	b.ReportMetric(v, "load")
	b.ReportMetric(0, "ns/op") // of a round: means nothing
}
