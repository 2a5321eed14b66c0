// Package host runs a peer: sockets, a store, and the goroutine that commits.
//
// Start returns a Host that goes on where its store ends. What has happened is in Take, of which More says when to ask; Do calls the peer between two datagrams; Close says goodbye to
// all friends. Whatever cannot be made durable ends it at once: Done is closed, and Err says which file and why.
//
// There are five goroutines at most: one for each socket, one for the sockets' timer, one that commits, one that watches the addresses of the machine. A host that nobody talks to wakes for the
// peer's timers only.
package host

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"kith/dht"
	"kith/handshake"
	"kith/internal/udp"
	"kith/peer"
	"kith/peer/durable"
	"kith/peer/store"
)

// goodbye is how long Close waits for the last words, which take 200 ms when nothing hinders them.
const goodbye = time.Second

// A Config says what a Host is to be.
type Config struct {
	// Identity is whose peer this is. It must not be erased before the host has ended.
	Identity *handshake.Identity

	// Store is the path of the file that holds what is durable. It is created where there is none, with its folder.
	Store string

	// Listen has one address for each family, one or two; port 0 lets the kernel choose. With Either, one of two is enough.
	Listen []netip.AddrPort
	Either bool

	// DHT is for the peer's node. Families, Rand and State are not looked at.
	DHT dht.Config

	// History and Echo are those of peer.Config.
	History, Echo bool

	// Rand is that of peer.Config.
	Rand io.Reader

	// Tap is shown every datagram; nil: nobody is.
	Tap Tap
}

// A Host is a peer that runs. Its methods may be called from any goroutine, but not from a function given to Do.
type Host struct {
	peer    *peer.Peer       // called by the driver, and by its Do
	local   []netip.AddrPort // what the peer knows of the machine's addresses; goes with it
	store   *store.Store
	out     []store.Change // of one commit; used again
	tap     Tap
	queue   queue
	batches chan batch    // holds one at most, since the peer gives no other before that is done
	commits chan struct{} // closed when no more batches are committed
	silent  chan struct{} // closed when Close was called and the last words are said
	done    chan struct{} // closed when the host has ended
	stop    chan struct{} // closed when the host ends: for who watches
	once    sync.Once
	hush    sync.Once

	mu     sync.RWMutex // held while the sockets are exchanged
	driver *udp.Driver
	err    error // why the host has ended
}

// A batch is changes that are to become durable together.
type batch struct {
	changes []durable.Change
	seq     uint64
}

// Start opens store and sockets and lets the peer begin. Errors name the file, or wrap what the operating system said of an address.
func Start(cfg Config) (*Host, error) {
	if cfg.Identity == nil {
		return nil, errors.New("host: no identity")
	}
	s, stored, err := open(cfg.Store, cfg.Identity)
	if err != nil {
		return nil, err
	}
	d, err := listen(cfg.Listen, cfg.Either)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	cfg.DHT.IPv4, cfg.DHT.IPv6 = families(d)
	now := udp.Now()
	p, err := peer.New(peer.Config{Identity: cfg.Identity, Rand: cfg.Rand, DHT: cfg.DHT, Stored: stored, History: cfg.History, Echo: cfg.Echo}, now)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("host: %s: %w", cfg.Store, err), d.Close(), s.Close())
	}
	h := &Host{
		peer: p, store: s, tap: cfg.Tap, driver: d, queue: queue{more: make(chan struct{}, 1)},
		batches: make(chan batch, 1), commits: make(chan struct{}), silent: make(chan struct{}), done: make(chan struct{}), stop: make(chan struct{}),
	}
	h.local = localAddrs(d.LocalAddrs())
	p.SetLocal(now, h.local)
	go h.commit()
	d.Start(h.machine(), h.after)
	go h.watch()
	return h, nil
}

// listen opens the sockets.
func listen(addrs []netip.AddrPort, either bool) (*udp.Driver, error) {
	d, err := udp.Listen(udp.Config{Listen: addrs})
	if err == nil || !either || len(addrs) < 2 {
		return d, err
	}
	for _, a := range addrs {
		if d, err := udp.Listen(udp.Config{Listen: []netip.AddrPort{a}}); err == nil {
			return d, nil
		}
	}
	return nil, err
}

// families says which of the two DHTs the sockets are for.
func families(d *udp.Driver) (v4, v6 bool) {
	for _, a := range d.LocalAddrs() {
		v4 = v4 || a.Addr().Is4()
		v6 = v6 || a.Addr().Is6()
	}
	return v4, v6
}

// after is called after every call of the peer, before its datagrams are sent.
func (h *Host) after(now time.Time) {
	if changes, seq, ok := h.peer.Take(now); ok {
		h.batches <- batch{changes, seq}
	}
	h.queue.pull(h.peer)
	if h.peer.Closed() {
		h.hush.Do(func() { close(h.silent) })
	}
}

// Do calls f with the peer between two datagrams, then sends what the peer has to send. It returns net.ErrClosed, and has not called f, when the host has ended. f must not keep the peer.
func (h *Host) Do(f func(now time.Time, p *peer.Peer)) error {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.driver.Do(func(now time.Time) { f(now, h.peer) })
}

// LocalAddrs returns the addresses of the sockets, with the ports that the kernel chose.
func (h *Host) LocalAddrs() []netip.AddrPort {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.driver.LocalAddrs()
}

// Stats returns what happened at the sockets since they were opened.
func (h *Host) Stats() udp.Stats {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.driver.Stats()
}

// Done returns a channel that is closed when the host has ended, by Close or by itself.
func (h *Host) Done() <-chan struct{} { return h.done }

// Err returns why the host has ended by itself, nil if it has not.
func (h *Host) Err() error {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.err
}

// Rebind closes the sockets and opens others under the same peer, as if the machine had come to another network: conversations go on, and friends notice by the next datagram. What arrives meanwhile is lost. If the
// others cannot be opened, the host is back at the addresses where it was, or has ended if those are gone too, and the error says why.
func (h *Host) Rebind(addrs []netip.AddrPort) error { return h.RebindAfter(func() {}, addrs) }

// RebindAfter is Rebind with a while without any network, until away returns. The peer stands still meanwhile, and whoever calls a method of the host waits: away must not.
func (h *Host) RebindAfter(away func(), addrs []netip.AddrPort) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.stop:
		return net.ErrClosed
	default:
	}
	before := h.driver.LocalAddrs()
	if err := h.driver.Close(); err != nil {
		return fmt.Errorf("host: closing the sockets: %w", err)
	}
	away()
	d, err := listen(addrs, false)
	if err != nil {
		var back error
		if d, back = listen(before, false); back != nil {
			go h.fail(fmt.Errorf("host: neither new sockets nor the old ones: %w", err))
			return err
		}
	}
	h.driver = d
	d.Start(h.machine(), h.after)
	_ = d.Do(func(now time.Time) { h.moved(now, localAddrs(d.LocalAddrs())) }) // it has just been opened, and only the holder of mu closes it
	return err
}

// Close ends all conversations, which takes 200 ms where there are any, makes durable what is not yet, and releases store and sockets. It returns when the host has ended, and why it had ended before, if it had. Events that are
// still in Take can be taken afterwards.
func (h *Host) Close() error {
	h.once.Do(func() {
		if h.Do(func(now time.Time, p *peer.Peer) { p.Close(now) }) == nil {
			wait := time.NewTimer(goodbye)
			select {
			case <-h.silent:
			case <-h.commits: // which has failed
			case <-wait.C:
			}
			wait.Stop()
		}
		h.end(nil)
	})
	<-h.done
	return h.Err()
}

// fail ends the host at once because of err. // peer-durable-fails
func (h *Host) fail(err error) {
	h.once.Do(func() { h.end(err) })
}

// end ends the host. Without a reason, what is not durable becomes so.
func (h *Host) end(why error) {
	defer close(h.done)
	close(h.stop)
	h.mu.Lock() // nobody exchanges the sockets any more, or calls the peer, but for the commit that is under way
	err := h.driver.Close()
	h.mu.Unlock()
	close(h.batches)
	<-h.commits // which takes mu
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		h.err = why
	}
	if h.err == nil {
		h.err = errors.Join(h.commitAll(), err)
		h.queue.pull(h.peer)
	}
	h.peer.Erase()
	if err := h.store.Close(); h.err == nil {
		h.err = err
	}
	h.queue.wake()
}
