package host

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/dht"
	"kith/handshake"
	"kith/internal/udp"
	"kith/peer"
	"kith/peer/conversation"
	"kith/peer/store"
)

// patience is how long a test waits for what must come; nothing waits for it when all is well.
const patience = 30 * time.Second

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

func identity(t testing.TB, n byte) *handshake.Identity {
	id, err := handshake.NewIdentity(append(make([]byte, handshake.SeedSize-1), n))
	require.NoError(t, err)
	return id
}

// doors starts a DHT of some nodes on loopback.
func doors(t testing.TB) (addrs []netip.AddrPort) {
	for range 5 {
		d, err := udp.Listen(udp.Config{Listen: []netip.AddrPort{loopback}})
		require.NoError(t, err)
		t.Cleanup(func() { d.Close() })
		n, err := dht.New(dht.Config{IPv4: true, Reachable: true, Bootstrap: addrs}, udp.Now())
		require.NoError(t, err)
		d.Start(n, func(time.Time) {
			for _, ok := n.Event(); ok; _, ok = n.Event() {
			}
		})
		addrs = append(addrs, d.LocalAddrs()[0])
	}
	return addrs
}

// A person is somebody whose host may run.
type person struct {
	t     testing.TB
	cfg   Config
	h     *Host
	heard []peer.Event
}

func newPerson(t testing.TB, n byte, doors []netip.AddrPort) *person {
	p := &person{t: t, cfg: Config{
		Identity: identity(t, n), Store: filepath.Join(t.TempDir(), "peer.kith"), Listen: []netip.AddrPort{loopback},
		DHT: dht.Config{Bootstrap: doors, Reachable: true},
	}}
	p.start()
	t.Cleanup(func() { p.h.Close() })
	return p
}

func (p *person) start() {
	h, err := Start(p.cfg)
	require.NoError(p.t, err)
	p.h = h
}

func (p *person) key() handshake.PublicKey { return p.cfg.Identity.PublicKey() }

// do calls the peer, and wants no error.
func (p *person) do(f func(now time.Time, k *peer.Peer) error) {
	p.t.Helper()
	var err error
	require.NoError(p.t, p.h.Do(func(now time.Time, k *peer.Peer) { err = f(now, k) }))
	require.NoError(p.t, err)
}

func (p *person) add(o *person) {
	p.t.Helper()
	p.do(func(now time.Time, k *peer.Peer) error { return k.Add(now, o.key(), "") })
	p.want(peer.EventAdded)
}

func (p *person) say(o *person, text string) {
	p.t.Helper()
	p.do(func(now time.Time, k *peer.Peer) error { _, err := k.Send(now, o.key(), []byte(text)); return err })
}

// want waits for an event of a kind, and returns it.
func (p *person) want(kind peer.EventKind) peer.Event {
	p.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		for i, e := range p.heard {
			if e.Kind == kind {
				p.heard = append(p.heard[:i:i], p.heard[i+1:]...)
				return e
			}
		}
		select {
		case <-p.h.More():
			p.heard = append(p.heard, p.h.Take()...)
		case <-limit.C:
			require.FailNow(p.t, "no such event", "kind %d; there were %v", kind, p.heard)
		}
	}
}

func (p *person) wantText(text string) peer.Event {
	p.t.Helper()
	e := p.want(peer.EventMessage)
	require.Equal(p.t, text, string(e.Text))
	return e
}

// meet starts two people who know each other, and waits until they talk.
func meet(t testing.TB) (a, b *person) {
	d := doors(t)
	a, b = newPerson(t, 1, d), newPerson(t, 2, d)
	a.add(b)
	b.add(a)
	a.want(peer.EventOnline)
	b.want(peer.EventOnline)
	return a, b
}

func TestTwoPeopleTalk(t *testing.T) {
	a, b := meet(t)
	a.say(b, "hello")
	require.Equal(t, a.key(), b.wantText("hello").Friend)
	a.want(peer.EventDelivered)
	b.say(a, "hello yourself")
	a.wantText("hello yourself")
}

func TestRestartOfEither(t *testing.T) {
	a, b := meet(t)
	for _, p := range []*person{a, b} {
		a.say(b, "before")
		e := b.wantText("before")
		b.do(func(now time.Time, k *peer.Peer) error { return k.Taken(now, a.key(), e.Position) })
		require.NoError(t, p.h.Close())
		other := a
		if p == a {
			other = b
		}
		require.Equal(t, peer.WhyEnded, other.want(peer.EventOffline).Why)
		p.heard = nil
		p.start()
		a.want(peer.EventOnline)
		b.want(peer.EventOnline)
		a.say(b, "behind")
		e = b.wantText("behind")
		require.False(t, e.Again)
		b.do(func(now time.Time, k *peer.Peer) error { return k.Taken(now, a.key(), e.Position) })
	}
}

func TestWhatWasNotTakenComesAgain(t *testing.T) {
	a, b := meet(t)
	a.say(b, "keep this")
	b.wantText("keep this")
	require.NoError(t, b.h.Close())
	b.heard = nil
	b.start()
	require.True(t, b.wantText("keep this").Again)
}

func TestRebind(t *testing.T) {
	a, b := meet(t)
	before := a.h.LocalAddrs()[0]
	require.NoError(t, a.h.Rebind([]netip.AddrPort{loopback}))
	require.NotEqual(t, before, a.h.LocalAddrs()[0])
	a.say(b, "from here")
	b.wantText("from here")
	b.say(a, "I see")
	a.wantText("I see")
	require.Error(t, a.h.Rebind([]netip.AddrPort{b.h.LocalAddrs()[0]}), "somebody is there already")
	b.say(a, "still there?")
	a.wantText("still there?")
}

func TestRebindAfter(t *testing.T) {
	a, b := meet(t)
	require.NoError(t, a.h.RebindAfter(func() { b.say(a, "where are you?") }, []netip.AddrPort{loopback}))
	a.wantText("where are you?")
	a.say(b, "elsewhere")
	b.wantText("elsewhere")
}

func TestTap(t *testing.T) {
	d := doors(t)
	a, b := newPerson(t, 1, d), newPerson(t, 2, d)
	require.NoError(t, a.h.Close())
	var sent, came [2]int // datagrams of the DHT, and others
	a.cfg.Tap = func(out bool, other netip.AddrPort, datagram []byte) {
		require.True(t, other.IsValid())
		n := &came
		if out {
			n = &sent
		}
		if datagram[0] == 'd' {
			n[0]++
		} else {
			n[1]++
		}
	}
	a.start()
	a.add(b)
	b.add(a)
	a.say(b, "hello")
	b.wantText("hello")
	s := a.h.Stats()
	require.NoError(t, a.h.Rebind([]netip.AddrPort{loopback}))
	a.say(b, "from here")
	b.wantText("from here")
	require.NoError(t, a.h.Close())
	for _, n := range [2][2]int{sent, came} {
		require.Positive(t, n[0])
		require.Positive(t, n[1])
	}
	require.Greater(t, sent[0]+sent[1], int(s.Out), "also behind Rebind")
	require.Greater(t, came[0]+came[1], int(s.In))
}

func TestEcho(t *testing.T) {
	d := doors(t)
	a, b := newPerson(t, 1, d), newPerson(t, 2, d)
	require.NoError(t, b.h.Close())
	b.cfg.Echo = true
	b.start()
	a.add(b)
	b.add(a)
	a.say(b, "is there anybody")
	a.wantText("is there anybody")
}

func TestTwiceOnOneStore(t *testing.T) {
	a := newPerson(t, 1, nil)
	_, err := Start(a.cfg)
	require.ErrorIs(t, err, store.ErrInUse)
}

func TestAnotherIdentity(t *testing.T) {
	a := newPerson(t, 1, nil)
	require.NoError(t, a.h.Close())
	cfg := a.cfg
	cfg.Identity = identity(t, 2)
	_, err := Start(cfg)
	require.ErrorIs(t, err, store.ErrIdentity)
	require.ErrorContains(t, err, cfg.Store)
}

func TestAddressInUse(t *testing.T) {
	a := newPerson(t, 1, nil)
	cfg := a.cfg
	cfg.Store += "2"
	cfg.Listen = a.h.LocalAddrs()
	_, err := Start(cfg)
	var op *net.OpError
	require.ErrorAs(t, err, &op)
	cfg.Listen = []netip.AddrPort{loopback}
	h, err := Start(cfg)
	require.NoError(t, err, "the store was released")
	require.NoError(t, h.Close())
}

// TestStoreFails closes the file under the host, as a disk that goes away does.
func TestStoreFails(t *testing.T) {
	a, b := meet(t)
	require.NoError(t, b.h.store.Close())
	a.say(b, "into the void")
	select {
	case <-b.h.Done():
	case <-time.After(patience):
		t.Fatal("the host goes on")
	}
	require.ErrorContains(t, b.h.Err(), b.cfg.Store)
	require.ErrorIs(t, b.h.Err(), os.ErrClosed)
	require.ErrorIs(t, b.h.Close(), os.ErrClosed)
	require.ErrorIs(t, b.h.Do(func(time.Time, *peer.Peer) {}), net.ErrClosed)
	require.ErrorIs(t, b.h.Rebind([]netip.AddrPort{loopback}), net.ErrClosed)
	for _, e := range append(b.heard, b.h.Take()...) {
		require.NotEqual(t, peer.EventMessage, e.Kind, "it was told what is not durable")
	}
	b.cfg.Listen = []netip.AddrPort{loopback}
	b.heard = nil
	b.start()
	b.wantText("into the void")
}

func TestSlowReader(t *testing.T) {
	a, b := meet(t)
	text := strings.Repeat("x", 1000)
	n := 3 * maxBytes / len(text)
	for range n {
		a.say(b, text)
	}
	for i := 0; i < n; {
		e := a.want(peer.EventDelivered)
		i = int(e.Position) + 1
	}
	b.h.queue.mu.Lock()
	require.Less(t, b.h.queue.bytes, maxBytes+conversation.MaxMessage)
	b.h.queue.mu.Unlock()
	for i := range n {
		e := b.wantText(text)
		require.EqualValues(t, i, e.Position)
	}
}

func TestHistoryIsErasedWithItsContact(t *testing.T) {
	a, b := meet(t)
	require.NoError(t, b.h.Close())
	b.cfg.History = true
	b.heard = nil
	b.start()
	b.want(peer.EventOnline)
	a.say(b, "hello")
	b.wantText("hello")
	b.say(a, "goodbye")
	a.wantText("goodbye")
	require.NoError(t, b.h.Close())
	require.Equal(t, []string{"hello", "goodbye"}, history(t, b))
	b.start()
	b.do(func(now time.Time, k *peer.Peer) error { return k.Remove(now, a.key()) })
	b.want(peer.EventRemoved)
	require.NoError(t, b.h.Close())
	require.Empty(t, history(t, b))
}

func history(t *testing.T, p *person) (texts []string) {
	s, _, err := open(p.cfg.Store, p.cfg.Identity)
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Range(string(peer.BucketHistory), nil, nil, func(key, value []byte) error {
		_, e, err := peer.ParseHistory(key, value)
		texts = append(texts, string(e.Text))
		return err
	}))
	return texts
}

func TestNoIdentity(t *testing.T) {
	_, err := Start(Config{Store: filepath.Join(t.TempDir(), "x"), Listen: []netip.AddrPort{loopback}})
	require.Error(t, err)
}

func TestCloseTwice(t *testing.T) {
	a := newPerson(t, 1, nil)
	require.NoError(t, a.h.Close())
	require.NoError(t, a.h.Close())
	require.True(t, errors.Is(a.h.Do(func(time.Time, *peer.Peer) {}), net.ErrClosed))
}

func TestWatcherEnds(t *testing.T) {
	for _, w := range []interface {
		wait(stop <-chan struct{}) bool
		close()
	}{newWatcher(), poll{}} {
		stop, ended := make(chan struct{}), make(chan struct{})
		go func() {
			for w.wait(stop) { // addresses may really change
			}
			close(ended)
		}()
		close(stop)
		w.close()
		select {
		case <-ended:
		case <-time.After(patience):
			t.Fatalf("%T still watches", w)
		}
	}
}

func TestLocalAddrs(t *testing.T) {
	here := netip.MustParseAddrPort("127.0.0.1:4000")
	require.Equal(t, []netip.AddrPort{here}, localAddrs([]netip.AddrPort{here}))
	for _, a := range localAddrs([]netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:4000"), netip.MustParseAddrPort("[::]:4001")}) {
		require.NoError(t, handshake.CheckEndpoint(a))
		require.False(t, a.Addr().IsLoopback() || a.Addr().IsLinkLocalUnicast())
		require.Equal(t, map[bool]uint16{true: 4000, false: 4001}[a.Addr().Is4()], a.Port())
	}
}
