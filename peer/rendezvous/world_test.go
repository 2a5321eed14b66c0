package rendezvous_test

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/dht"
	"kith/handshake"
	"kith/internal/sim"
	"kith/peer/rendezvous"
	"kith/wire"
)

// A world is a DHT in virtual time, and people who use it. In place of handshakes there is a rule: who knocks where a friend is, and is his contact, has a conversation with
// him 100 ms later; any other attempt ends after 24 s.
type world struct {
	*sim.Network
	t      testing.TB
	rng    *rand.Rand
	taken  map[netip.Addr]bool
	doors  []netip.AddrPort
	people []*person
}

// A person is a peer without conversations.
type person struct {
	*dht.Node
	w         *world
	r         *rendezvous.Rendezvous
	id        *handshake.Identity
	host      *sim.Host
	at        netip.AddrPort
	outs      []told
	open      map[handshake.PublicKey]bool
	queries   []query
	begun     map[dht.Op]time.Time
	longest   time.Duration // that an operation took
	timeouts  int
	wakes     int // of them, for the rendezvous
	datagrams int
}

// A told is an output of a person's.
type told struct {
	rendezvous.Output
	at time.Time // by the network's clock
}

// A query is one that an operation of a person's sent.
type query struct {
	at     time.Time // by the network's clock
	to     netip.AddrPort
	method string
	target wire.ID
	key    []byte
}

// seed is what a test runs with: its own, or that of KITH_SIM_SEED.
func seed(t *testing.T, own uint64) uint64 {
	if s := os.Getenv("KITH_SIM_SEED"); s != "" {
		var err error
		own, err = strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("repeat with KITH_SIM_SEED=%d go test -run '^%s$'", own, t.Name())
		}
	})
	return own
}

// newWorld returns a DHT of so many nodes that have found each other.
func newWorld(t testing.TB, seed uint64, nodes int) *world {
	w := &world{
		Network: sim.New(sim.Config{Seed: seed, Latency: 10 * time.Millisecond, Jitter: 40 * time.Millisecond}),
		t:       t, rng: rand.New(rand.NewPCG(seed, 1)), taken: map[netip.Addr]bool{},
	}
	for i := range nodes {
		at := w.place()
		cfg := dht.Config{Rand: w.bytes(), ID4: dht.IDFor(at.Addr(), w.random()), Reachable: true, Bootstrap: slices.Clone(w.doors)}
		n, err := dht.New(cfg, w.Now())
		require.NoError(t, err)
		w.Network.Add(n, func(time.Time) {
			for _, ok := n.Event(); ok; _, ok = n.Event() {
			}
		}, at)
		if i < 3 {
			w.doors = append(w.doors, at)
		}
		w.Run(100 * time.Millisecond)
	}
	w.Run(time.Minute)
	return w
}

// bytes returns randomness that follows from the world's seed.
func (w *world) bytes() *rand.ChaCha8 {
	var seed [32]byte
	for i := 0; i < len(seed); i += 8 {
		binary.BigEndian.PutUint64(seed[i:], w.rng.Uint64())
	}
	return rand.NewChaCha8(seed)
}

func (w *world) random() (id [wire.IDSize]byte) {
	w.bytes().Read(id[:])
	return id
}

// place returns an address on the Internet that has a /16 of its own.
func (w *world) place() netip.AddrPort {
	for {
		v := w.rng.Uint32()
		a := netip.AddrFrom4([4]byte{byte(20 + v%80), byte(v >> 8), 1, 1})
		if !w.taken[a] && a.As4()[0] != 100 {
			w.taken[a] = true
			return netip.AddrPortFrom(a, uint16(2000+v>>20))
		}
	}
}

// identity returns the i-th identity of a world.
func identity(t testing.TB, i int) *handshake.Identity {
	var seed [32]byte
	binary.BigEndian.PutUint64(seed[:], uint64(i)+1)
	id, err := handshake.NewIdentity(seed[:])
	require.NoError(t, err)
	return id
}

// person lets somebody come to whom nobody is known yet. His clock is ahead by skew.
func (w *world) person(skew time.Duration) *person {
	return w.returns(identity(w.t, len(w.people)), skew, dht.Config{Bootstrap: w.doors})
}

// returns lets somebody come who may have been there before.
func (w *world) returns(id *handshake.Identity, skew time.Duration, cfg dht.Config) *person {
	p := &person{w: w, id: id, at: w.place(), open: map[handshake.PublicKey]bool{}, begun: map[dht.Op]time.Time{}}
	cfg.Rand = w.bytes()
	now := w.Now().Add(skew)
	var err error
	p.Node, err = dht.New(cfg, now)
	require.NoError(w.t, err)
	p.r, err = rendezvous.New(rendezvous.Config{Node: p.Node, Rand: w.bytes()}, now)
	require.NoError(w.t, err)
	p.host = w.Network.AddSkewed(skew, p, p.drain, p.at)
	w.people = append(w.people, p)
	return p
}

// begins gives a person his address and his contacts.
func (p *person) begins(contacts ...*person) {
	p.do(func(now time.Time) {
		p.r.SetEndpoints(now, []netip.AddrPort{p.at})
		for _, c := range contacts {
			p.adds(now, c.id, now)
		}
	})
}

func (p *person) adds(now time.Time, id *handshake.Identity, spoken time.Time) {
	pair, err := handshake.NewPair(p.id, id.PublicKey())
	require.NoError(p.w.t, err)
	require.NoError(p.w.t, p.r.Add(now, pair, spoken))
}

func (p *person) do(f func(now time.Time)) { p.host.Do(f) }

func (p *person) HandleTimeout(now time.Time) {
	p.timeouts++
	if next := p.r.NextTimeout(); !next.IsZero() && !next.After(now) {
		p.wakes++
	}
	p.Node.HandleTimeout(now)
	p.r.HandleTimeout(now)
}

func (p *person) HandleDatagram(now time.Time, from netip.AddrPort, b []byte) {
	p.datagrams++
	p.Node.HandleDatagram(now, from, b)
}

func (p *person) NextTimeout() time.Time {
	next := p.Node.NextTimeout()
	if own := p.r.NextTimeout(); !own.IsZero() && own.Before(next) {
		next = own
	}
	return next
}

// Transmit notes the queries that look for something, or put it.
func (p *person) Transmit() (netip.AddrPort, []byte, bool) {
	to, b, ok := p.Node.Transmit()
	var m wire.Message
	if ok && wire.ParseMessage(b, &m) == nil && m.Kind == wire.KindQuery && (string(m.Method) == "get" || string(m.Method) == "put") {
		q := query{at: p.w.Now(), to: to, method: string(m.Method), target: m.Target, key: slices.Clone(m.Key)}
		require.True(p.w.t, q.method == "put" || m.Has&wire.HasSeq == 0, "a get says no seq")
		p.queries = append(p.queries, q)
	}
	return to, b, ok
}

// drain does what a Peer does after each call.
func (p *person) drain(now time.Time) {
	for e, ok := p.Event(); ok; e, ok = p.Event() {
		if p.r.HandleEvent(now, e) {
			if p.begun[e.Op].IsZero() {
				p.begun[e.Op] = now
			}
			if e.Kind == dht.EventDone {
				p.longest = max(p.longest, now.Sub(p.begun[e.Op]))
				delete(p.begun, e.Op)
			}
		}
	}
	for o, ok := p.r.Output(); ok; o, ok = p.r.Output() {
		p.outs = append(p.outs, told{o, p.w.Now()})
		if o.Kind == rendezvous.OutputKnock {
			p.knocks(o)
		}
	}
}

// knocks is what a handshake would do.
func (p *person) knocks(o rendezvous.Output) {
	w := p.w
	w.At(w.Now().Add(100*time.Millisecond), func(time.Time) {
		for _, q := range w.people {
			if q.id.PublicKey() == o.Friend && slices.Contains(o.To, q.at) && q.knows(p) {
				p.opens(q)
				q.opens(p)
				return
			}
		}
		w.At(w.Now().Add(24*time.Second), func(time.Time) {
			p.do(func(now time.Time) { p.r.Attempt(now, o.Friend, false) })
		})
	})
}

func (p *person) knows(q *person) bool {
	_, ok := p.open[q.id.PublicKey()]
	return ok
}

// befriend lets p and q take each other's knocks.
func befriend(p, q *person) {
	p.open[q.id.PublicKey()] = false
	q.open[p.id.PublicKey()] = false
}

func (p *person) opens(q *person) {
	p.open[q.id.PublicKey()] = true
	p.do(func(now time.Time) {
		p.r.Attempt(now, q.id.PublicKey(), false)
		p.r.Answered(q.id.PublicKey(), q.at)
		p.r.Open(now, q.id.PublicKey(), true)
	})
}

// loses is what happens when nothing has come of q for a minute.
func (p *person) loses(q *person) {
	p.open[q.id.PublicKey()] = false
	p.do(func(now time.Time) {
		p.r.Open(now, q.id.PublicKey(), false)
		p.r.Search(now, q.id.PublicKey(), q.at)
	})
}

// leaves takes a person off the network.
func (p *person) leaves() {
	p.host.Remove()
	p.at = netip.AddrPort{}
}

// told returns the outputs of a kind about a friend.
func (p *person) told(kind rendezvous.OutputKind, friend *person) (outs []told) {
	for _, o := range p.outs {
		if o.Kind == kind && o.Friend == friend.id.PublicKey() {
			outs = append(outs, o)
		}
	}
	return outs
}

// slot returns the target of the record that from publishes for to at a time by from's clock.
func slot(t testing.TB, from, to *handshake.Identity, epoch uint64) wire.ID {
	pair, err := handshake.NewPair(from, to.PublicKey())
	require.NoError(t, err)
	return pair.Slot(handshake.Own, handshake.IPv4, epoch).Target
}

// count returns how many queries since a time satisfy f.
func (p *person) count(since time.Time, f func(q query) bool) (n int) {
	for _, q := range p.queries {
		if !q.at.Before(since) && f(q) {
			n++
		}
	}
	return n
}

// wantMeeting wants p and q to have a conversation within d, and returns how long that took.
func (w *world) wantMeeting(p, q *person, d time.Duration, about ...any) time.Duration {
	w.t.Helper()
	begin := w.Now()
	met := w.RunUntil(d, func() bool { return p.open[q.id.PublicKey()] && q.open[p.id.PublicKey()] })
	require.True(w.t, met, about...)
	return w.Now().Sub(begin)
}
