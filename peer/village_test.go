package peer_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/dht"
	"kith/handshake"
	"kith/internal/sim"
	"kith/peer"
	"kith/peer/durable"
)

// A village is a network without faults, with a DHT of a few nodes, for tests that read as scripts.
type village struct {
	*sim.Network
	t     testing.TB
	doors []netip.AddrPort
	last  uint16 // of the villagers' addresses and identities
}

func newVillage(t testing.TB) *village {
	v := &village{Network: sim.New(sim.Config{Latency: 5 * time.Millisecond, Kind: kind}), t: t}
	for i := range 5 {
		a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{20 + byte(i), 0, 0, 1}), 6881)
		n, err := dht.New(dht.Config{IPv4: true, Rand: rand.NewChaCha8([32]byte{0: byte(i)}), Bootstrap: v.doors, Reachable: true}, v.Now())
		require.NoError(t, err)
		v.Add(n, func(time.Time) {
			for _, ok := n.Event(); ok; _, ok = n.Event() {
			}
		}, a)
		v.doors = append(v.doors, a)
	}
	return v
}

// kind names a datagram for the counts.
func kind(b []byte) string {
	switch b[0] {
	case 'd':
		return "node"
	case 0x50:
		return "handshake"
	case 0x51:
		return fmt.Sprintf("conversation, %d bytes", len(b))
	}
	return "other"
}

// A villager has a disk, and a peer while it runs.
type villager struct {
	v       *village
	id      *handshake.Identity
	addr    netip.AddrPort
	cfg     peer.Config
	disk    map[string][]byte
	p       *peer.Peer
	h       *sim.Host
	events  []peer.Event
	hold    bool // batches wait on the disk
	held    func()
	commits int
}

// moveIn adds somebody and starts his peer.
func (v *village) moveIn() *villager {
	v.last++
	id, err := handshake.NewIdentity(append(make([]byte, handshake.SeedSize-2), byte(v.last>>8), byte(v.last)))
	require.NoError(v.t, err)
	p := &villager{v: v, id: id, addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(v.last >> 8), byte(v.last)}), 4000), disk: map[string][]byte{}}
	p.start()
	return p
}

func (p *villager) stored() (all []durable.Change) {
	for k, v := range p.disk {
		bucket, key, _ := strings.Cut(k, "\x00")
		all = append(all, durable.Change{Bucket: durable.Bucket(bucket), Key: []byte(key), Value: bytes.Clone(v)})
	}
	return all
}

func (p *villager) start() {
	cfg := p.cfg
	cfg.Identity, cfg.Stored = p.id, p.stored()
	cfg.Rand = rand.NewChaCha8([32]byte([]byte(fmt.Sprintf("%032d", p.v.Now().UnixNano()+int64(p.addr.Port())+int64(p.addr.Addr().As4()[3])+int64(p.addr.Addr().As4()[2])<<8))))
	cfg.DHT = dht.Config{IPv4: true, Bootstrap: p.v.doors, Reachable: true}
	k, err := peer.New(cfg, p.v.Now())
	require.NoError(p.v.t, err)
	p.p, p.held, p.hold = k, nil, false
	k.SetLocal(p.v.Now(), []netip.AddrPort{p.addr})
	p.h = p.v.Add(k, p.after, p.addr)
}

// crash ends the peer without a word, and with it what was not committed.
func (p *villager) crash() {
	p.h.Remove()
	p.p, p.events = nil, nil
}

func (p *villager) after(now time.Time) {
	k := p.p
	if k == nil {
		return
	}
	for e, ok := k.Event(); ok; e, ok = k.Event() {
		p.events = append(p.events, e)
	}
	changes, seq, ok := k.Take(now)
	if !ok {
		return
	}
	commit := func() {
		if p.p != k {
			return
		}
		p.commits++
		for _, c := range changes {
			key := string(c.Bucket) + "\x00" + string(c.Key)
			if c.Value == nil {
				delete(p.disk, key)
			} else {
				p.disk[key] = c.Value
			}
		}
		p.h.Do(func(now time.Time) { k.Done(now, seq) })
	}
	if p.hold {
		p.held = commit
		return
	}
	p.v.At(p.v.Now(), func(time.Time) { commit() })
}

// release lets the disk do what it was told, and from then on at once.
func (p *villager) release() {
	p.hold = false
	if f := p.held; f != nil {
		p.held = nil
		f()
	}
}

func (p *villager) key() handshake.PublicKey { return p.id.PublicKey() }

func (p *villager) do(f func(now time.Time) error) {
	p.v.t.Helper()
	p.h.Do(func(now time.Time) { require.NoError(p.v.t, f(now)) })
}

func (p *villager) add(o *villager) {
	p.v.t.Helper()
	p.do(func(now time.Time) error { return p.p.Add(now, o.key(), "") })
}

func (p *villager) say(o *villager, text string) {
	p.v.t.Helper()
	p.do(func(now time.Time) error { _, err := p.p.Send(now, o.key(), []byte(text)); return err })
}

func (p *villager) take(o *villager, position uint64) {
	p.v.t.Helper()
	p.do(func(now time.Time) error { return p.p.Taken(now, o.key(), position) })
}

// find takes the first event of a kind out of those that were told.
func (p *villager) find(kind peer.EventKind) (peer.Event, bool) {
	for i, e := range p.events {
		if e.Kind == kind {
			p.events = append(p.events[:i:i], p.events[i+1:]...)
			return e, true
		}
	}
	return peer.Event{}, false
}

// want lets time pass until there is an event of a kind.
func (p *villager) want(kind peer.EventKind, within time.Duration) (e peer.Event) {
	p.v.t.Helper()
	require.True(p.v.t, p.v.RunUntil(within, func() (ok bool) { e, ok = p.find(kind); return ok }), "no event %d; there were %v", kind, p.events)
	return e
}

func (p *villager) wantText(text string) peer.Event {
	p.v.t.Helper()
	e := p.want(peer.EventMessage, time.Minute)
	require.Equal(p.v.t, text, string(e.Text))
	return e
}

// wantNothing lets time pass, and wants no event of a kind.
func (p *villager) wantNothing(kind peer.EventKind, within time.Duration) {
	p.v.t.Helper()
	p.v.Run(within)
	_, ok := p.find(kind)
	require.False(p.v.t, ok, "event %d", kind)
}

// meet gives a village two people who talk.
func meet(t testing.TB) (v *village, a, b *villager) {
	v = newVillage(t)
	a, b = v.moveIn(), v.moveIn()
	a.add(b)
	b.add(a)
	a.want(peer.EventOnline, time.Minute)
	b.want(peer.EventOnline, time.Minute)
	return v, a, b
}

// of counts the values that the disk has in a bucket.
func (p *villager) of(bucket string) (n int) {
	for k := range p.disk {
		if strings.HasPrefix(k, bucket+"\x00") {
			n++
		}
	}
	return n
}
