package peer_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"kith/dht"
	"kith/handshake"
	"kith/internal/sim"
	"kith/peer"
)

// How long the faults of a run last, and how long everybody has afterwards, on a network without faults but for some loss, until all is delivered: longer than the dearest timers one after the other, 300 s + 25 % between two
// look-ups and 10 min between two knocks at a record.
const (
	faultsMin = 2 * time.Minute
	faultsMax = 8 * time.Minute
	healed    = 40 * time.Minute

	// How long the two may be in different conversations: until one of them is lost for who still has it, and somewhat longer. Where nothing is lost and nobody starts anew, one first datagram that is late is all that parts them.
	splitMost = 75 * time.Second
	splitCalm = 20 * time.Second
)

// A world is one run: two people, three nodes of a DHT, and a network between them.
type world struct {
	seed   uint64
	rng    *rand.Rand
	n      *sim.Network
	doors  []netip.AddrPort
	people [2]*person
	skewed bool          // one of them has a wrong clock from the start
	calm   bool          // nothing is lost, nobody starts anew: only late, doubled and overtaken
	apart  time.Time     // since when the two are in different conversations; zero: they are not
	commit time.Duration // about how long the disks take
	begun  time.Time
	until  time.Time // the end of the faults
	counts map[string]int
	found  *violation
}

// A violation is what must never be.
type violation struct {
	kind, text string
	seed       uint64
}

func (v *violation) String() string {
	return fmt.Sprintf("violation: %s %s, seed %d", v.kind, v.text, v.seed)
}

func (w *world) count(what string) { w.counts[what]++ }

// note prints what happens, for who looks into one seed.
func (w *world) note(a *person, format string, args ...any) {
	if *simTrace {
		fmt.Printf("%9.3f %-5s %s\n", w.n.Now().Sub(w.begun).Seconds(), a.name, fmt.Sprintf(format, args...))
	}
}

func (w *world) violate(kind, format string, args ...any) {
	if w.found == nil {
		w.found = &violation{kind, fmt.Sprintf(format, args...), w.seed}
	}
}

// template is how both begin: two identities, and a disk on which each is the other's contact.
var template = sync.OnceValues(func() (ids [2]*handshake.Identity, disks [2]disk) {
	for i := range ids {
		seed := [32]byte{0: byte(i + 1)}
		id, err := handshake.NewIdentity(seed[:])
		if err != nil {
			panic(err)
		}
		ids[i] = id
	}
	for i := range ids {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		p, err := peer.New(peer.Config{Identity: ids[i], Rand: rand.NewChaCha8([32]byte{0: byte(i)}), DHT: dht.Config{IPv4: true}}, now)
		if err == nil {
			err = p.Add(now, ids[1-i].PublicKey(), "friend")
		}
		if err != nil {
			panic(err)
		}
		disks[i] = disk{}
		changes, _, _ := p.TakeAll(now)
		for _, c := range changes {
			if c.Bucket != "node" || string(c.Key) != "dht" {
				disks[i].apply(append(changes[:0:0], c))
			}
		}
	}
	return ids, disks
})

func newWorld(seed uint64) *world {
	rng := rand.New(rand.NewPCG(seed, 0))
	pick := func(all ...float64) float64 { return all[rng.IntN(len(all))] }
	cfg := sim.Config{
		Seed: seed, Start: time.Unix(1_800_000_000+rng.Int64N(86_400*14), rng.Int64N(1e9)),
		Latency: time.Duration(pick(0.2, 5, 20, 80) * float64(time.Millisecond)), Jitter: time.Duration(pick(0, 2, 40) * float64(time.Millisecond)),
		Loss: pick(0, 0, 0.02, 0.1, 0.3), Duplicate: pick(0, 0.02, 0.2), Late: pick(0, 0, 0.02, 0.1), LateBy: time.Duration(pick(0.3, 2, 9) * float64(time.Second)),
	}
	calm := rng.IntN(4) == 0
	if calm {
		cfg.Loss, cfg.Jitter, cfg.Late, cfg.LateBy = 0, 300*time.Millisecond, pick(0.1, 0.25), time.Duration(pick(1, 4, 9)*float64(time.Second))
	}
	w := &world{seed: seed, rng: rng, calm: calm, n: sim.New(cfg), commit: time.Duration(pick(0, 0.2, 3, 30, 300) * float64(time.Millisecond)), counts: map[string]int{}}
	w.begun = w.n.Now()
	w.until = w.begun.Add(faultsMin + time.Duration(rng.Int64N(int64(faultsMax-faultsMin))))
	if calm {
		w.count("calm")
	}
	if cfg.Loss == 0.3 {
		w.count("30 % loss")
	}
	for i := range 3 {
		a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), 6881)
		var s [32]byte
		s[0], s[1], s[2], s[3] = byte(i), byte(seed), byte(seed>>8), byte(seed>>16)
		node, err := dht.New(dht.Config{IPv4: true, Rand: rand.NewChaCha8(s), Bootstrap: w.doors, Reachable: true}, w.n.Now())
		if err != nil {
			panic(err)
		}
		w.n.Add(node, func(time.Time) {
			for _, ok := node.Event(); ok; _, ok = node.Event() {
			}
		}, a)
		w.doors = append(w.doors, a)
	}
	ids, disks := template()
	for i := range w.people {
		w.people[i] = &person{
			w: w, name: [2]string{"alice", "bob"}[i], id: ids[i], addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i), 1}), 4000),
			disk: disk{}, queued: map[uint64]int{}, promised: map[int]bool{}, texts: map[uint64]int{}, has: map[int]bool{},
		}
		for k, v := range disks[i] {
			w.people[i].disk[k] = v
		}
	}
	w.people[0].friend, w.people[1].friend = w.people[1], w.people[0]
	if rng.IntN(4) == 0 { // wrong clocks: together at most 50 min apart
		w.people[rng.IntN(2)].skew, w.skewed = time.Duration(rng.Int64N(int64(100*time.Minute)))-50*time.Minute, true
		w.count("wrong clock")
	}
	w.plan()
	return w
}

// plan draws what will happen.
func (w *world) plan() {
	start := w.n.Now()
	both := w.rng.IntN(2) == 0
	for i, a := range w.people {
		at := start
		if !both {
			at = at.Add(time.Duration(w.rng.Int64N(int64(40 * time.Second))))
		} else if i == 1 {
			w.count("both at once")
			at = at.Add(time.Duration(w.rng.Int64N(int64(30 * time.Millisecond))))
		}
		w.n.At(at, func(time.Time) { a.start() })
		for range w.rng.IntN(25) {
			w.some(a.say)
		}
		if w.rng.IntN(3) == 0 { // a burst
			w.some(func() {
				for range 40 + w.rng.IntN(150) {
					a.say()
				}
				w.count("burst")
				if w.rng.IntN(3) == 0 {
					w.end(a)
				}
			})
		}
		if w.rng.IntN(5) == 0 {
			w.some(func() { w.end(a) })
		}
		if w.calm {
			continue
		}
		for range w.rng.IntN(4) {
			w.some(a.crash)
		}
		if w.rng.IntN(4) == 0 {
			a.crashing = 0.002
		}
		for range w.rng.IntN(3) {
			w.some(func() { w.move(a) })
		}
	}
	for range w.rng.IntN(3) {
		if !w.calm {
			w.some(w.partition)
		}
	}
	for range 10 {
		if w.calm {
			w.some(w.glare)
		}
	}
	w.n.At(start.Add(time.Second), w.together)
	if w.rng.IntN(3) == 0 {
		w.some(func() {
			w.n.Shuffle(time.Duration(w.rng.Int64N(int64(5 * time.Second))))
			w.count("shuffle")
		})
	}
}

// some lets f happen at some time before the faults end.
func (w *world) some(f func()) {
	d := time.Duration(w.rng.Int64N(int64(w.until.Sub(w.n.Now()))))
	if w.rng.IntN(3) == 0 {
		d = min(d, time.Duration(w.rng.Int64N(int64(20*time.Second)))) // many things happen in the beginning
	}
	w.n.At(w.n.Now().Add(d), func(time.Time) { f() })
}

// move gives somebody another address. He learns of it at once, after a while, or never.
func (w *world) move(a *person) {
	if a.p == nil {
		return
	}
	port := a.addr.Port() + 1
	addr := a.addr.Addr()
	if w.rng.IntN(2) == 0 {
		addr = addr.Next()
	}
	a.addr = netip.AddrPortFrom(addr, port)
	a.h.Move(a.addr)
	w.count("moved")
	w.note(a, "moves to %v", a.addr)
	p := a.p
	tell := func(now time.Time) {
		p.SetLocal(now, []netip.AddrPort{a.addr})
		p.Moved(now)
	}
	switch w.rng.IntN(3) {
	case 0:
		a.h.Do(tell)
	case 1:
		w.n.At(w.n.Now().Add(time.Duration(w.rng.Int64N(int64(20*time.Second)))), func(time.Time) {
			if a.p == p {
				a.h.Do(tell)
			}
		})
	default:
		w.count("moved unnoticed")
	}
}

// end is a user who ends the conversation, and may go on talking later.
func (w *world) end(a *person) {
	if a.p == nil {
		return
	}
	w.count("ended by the user")
	w.note(a, "ends")
	a.h.Do(func(now time.Time) { _ = a.p.End(now, a.friend.id.PublicKey()) })
}

// glare ends the conversation, and lets both begin another at once.
func (w *world) glare() {
	w.count("glare")
	w.end(w.people[w.rng.IntN(2)])
	for _, a := range w.people {
		w.n.At(w.n.Now().Add(3*time.Second+time.Duration(w.rng.Int64N(int64(50*time.Millisecond)))), func(time.Time) { w.search(a) })
	}
}

// search is a user who wants the friend looked for now.
func (w *world) search(a *person) {
	if a.p != nil {
		a.h.Do(func(now time.Time) { _ = a.p.Search(now, a.friend.id.PublicKey()) })
	}
}

// together looks four times a second whether both are in the same conversation.
func (w *world) together(now time.Time) {
	w.n.At(now.Add(250*time.Millisecond), w.together)
	var ids [2]string
	for i, a := range w.people {
		if a.p != nil {
			if id, ok := a.p.Session(a.friend.id.PublicKey()); ok {
				ids[i] = fmt.Sprintf("%x", id.ID)
			}
		}
	}
	switch {
	case ids[0] == ids[1] || ids[0] == "" || ids[1] == "":
		w.apart = time.Time{}
	case w.apart.IsZero():
		w.count("apart")
		w.apart = now
	}
	most := splitMost
	if w.calm {
		most = splitCalm
	}
	if !w.apart.IsZero() && now.Sub(w.apart) > most {
		w.violate("split", "the two are in different conversations, for %v", now.Sub(w.apart))
	}
}

// partition cuts the two, or one of them from everybody, in one or both directions, for a while.
func (w *world) partition() {
	a := w.people[w.rng.IntN(2)]
	from := []netip.Addr{a.friend.addr.Addr()}
	if w.rng.IntN(2) == 0 {
		for _, d := range w.doors {
			from = append(from, d.Addr())
		}
	}
	way := w.rng.IntN(3)
	own := a.addr.Addr()
	for _, b := range from {
		if way != 1 {
			w.n.Cut(own, b)
		}
		if way != 2 {
			w.n.Cut(b, own)
		}
	}
	w.count("partition")
	long := time.Duration(w.rng.Int64N(int64(100 * time.Second)))
	w.note(a, "is cut off from %d, way %d, for %v", len(from), way, long)
	end := w.n.Now().Add(long)
	if end.After(w.until) {
		end = w.until
	}
	w.n.At(end, func(time.Time) {
		for _, b := range from {
			w.n.Heal(own, b)
			w.n.Heal(b, own)
		}
	})
}

// run lets it all happen, and returns what must not have.
func (w *world) run() *violation {
	w.n.RunUntil(w.until.Sub(w.n.Now()), func() bool { return w.found != nil })
	if w.found != nil {
		return w.found
	}
	for _, a := range w.people {
		a.crashing = 0
		if a.p != nil { // who has moved finds out some day: from his system, or from what nodes report
			a.h.Do(func(now time.Time) {
				a.p.SetLocal(now, []netip.AddrPort{a.addr})
				a.p.Moved(now)
			})
		}
	}
	if !w.calm {
		w.n.SetLoss(0.01)
	}
	a, b := w.people[0], w.people[1]
	done := func() bool { return w.found != nil || a.whole() && b.whole() }
	if !w.n.RunUntil(healed, done) {
		w.violate("wedged", "%s", w.state())
	}
	w.n.Run(3 * time.Second) // what is still under way may still do harm
	for _, p := range w.people {
		for n := range p.friend.promised {
			if w.found == nil && !p.has[n] {
				w.violate("lost", "%s never gets message %d", p.name, n)
			}
		}
	}
	return w.found
}

// state says what waits.
func (w *world) state() (s string) {
	for _, a := range w.people {
		s += fmt.Sprintf("%s: life %d, online %v", a.name, a.life, a.online)
		if a.p != nil {
			for _, c := range a.p.Contacts() {
				s += fmt.Sprintf(", %d wait", c.Waiting)
			}
		}
		s += fmt.Sprintf(", has %d of %d; ", len(a.has), len(a.friend.promised))
	}
	return s
}
