package peer_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"kith/dht"
	"kith/handshake"
	"kith/internal/sim"
	"kith/peer"
	"kith/peer/durable"
)

// A person has a disk, a clock, a peer while it runs, and a memory of what was promised.
type person struct {
	w      *world
	name   string
	id     *handshake.Identity
	friend *person
	addr   netip.AddrPort
	skew   time.Duration

	disk     disk
	p        *peer.Peer // nil: it does not run
	h        *sim.Host
	life     int
	inFlight []durable.Change // of a batch that is being committed
	crashing float64          // the chance to crash after any call

	asked    int            // messages that were given to Send
	queued   map[uint64]int // position → number of the message, also those that a crash may have swallowed
	promised map[int]bool   // by number: the outbox has it, durably

	got      []int          // numbers of the friend's messages, in the order of their positions
	texts    map[uint64]int // position → number, of what was handed over
	has      map[int]bool   // numbers that are, or were, in the inbox durably
	untaken  []uint64
	online   bool
	finished int // conversations
}

// A disk is what is durable: bucket ‖ 0 ‖ key → value.
type disk map[string][]byte

func (d disk) apply(changes []durable.Change) {
	for _, c := range changes {
		k := string(c.Bucket) + "\x00" + string(c.Key)
		if c.Value == nil {
			delete(d, k)
		} else {
			d[k] = c.Value
		}
	}
}

func (d disk) stored() (all []durable.Change) {
	for k, v := range d {
		bucket, key, _ := strings.Cut(k, "\x00")
		all = append(all, durable.Change{Bucket: durable.Bucket(bucket), Key: []byte(key), Value: v})
	}
	slices.SortFunc(all, func(a, b durable.Change) int { // the same seed, the same run
		return cmp.Or(strings.Compare(string(a.Bucket), string(b.Bucket)), bytes.Compare(a.Key, b.Key))
	})
	return all
}

// start starts the person's peer from what is on the disk.
func (a *person) start() {
	w := a.w
	a.life++
	if a.life > 1 && !w.skewed && w.rng.IntN(8) == 0 { // somebody has put the clock
		a.skew = max(-25*time.Minute, min(25*time.Minute, a.skew+time.Duration(w.rng.Int64N(int64(60*time.Minute)))-30*time.Minute))
		w.count("clock put")
	}
	var seed [32]byte
	copy(seed[:], fmt.Sprintf("%d %s %d", w.seed, a.name, a.life))
	p, err := peer.New(peer.Config{
		Identity: a.id, Rand: rand.NewChaCha8(seed), Stored: a.disk.stored(),
		DHT: dht.Config{IPv4: true, Bootstrap: w.doors, Reachable: true},
	}, w.n.Now().Add(a.skew))
	if err != nil {
		w.violate("damaged", "%s cannot start: %v", a.name, err)
		return
	}
	a.p, a.inFlight, a.online = p, nil, false
	p.SetLocal(w.n.Now().Add(a.skew), []netip.AddrPort{a.addr})
	a.h = w.n.AddSkewed(a.skew, p, a.after, a.addr)
	w.count("start")
	w.note(a, "starts life %d at %v", a.life, a.addr)
}

// crash ends the peer without a word. Of a batch that is being committed all or nothing is there afterwards.
func (a *person) crash() {
	if a.p == nil {
		return
	}
	a.w.count("crash")
	a.w.note(a, "crashes")
	if a.inFlight != nil {
		if a.w.rng.IntN(2) == 0 {
			a.w.count("crash, batch kept")
			a.committed(a.inFlight)
		} else {
			a.w.count("crash, batch lost")
		}
	}
	a.h.Remove()
	a.p, a.h, a.inFlight = nil, nil, nil
	for position, n := range a.queued { // what was not promised may be gone, and its position given again
		if !a.promised[n] {
			delete(a.queued, position)
		}
	}
	a.untaken = nil
	down := time.Duration(a.w.rng.Int64N(int64(20 * time.Second)))
	if a.w.rng.IntN(3) == 0 {
		down += time.Duration(a.w.rng.Int64N(int64(90 * time.Second)))
	}
	a.w.n.At(a.w.n.Now().Add(down), func(time.Time) {
		if a.p == nil {
			a.start()
		}
	})
}

// after is called after every call of the peer, and before its datagrams are sent.
func (a *person) after(now time.Time) {
	p := a.p
	if p == nil {
		return
	}
	for e, ok := p.Event(); ok; e, ok = p.Event() {
		a.event(now, e)
	}
	if changes, seq, ok := p.Take(now); ok {
		a.commit(p, changes, seq)
	}
	if a.crashing > 0 && a.h != nil && a.w.rng.Float64() < a.crashing {
		a.w.count("crash at an event")
		a.crash()
	}
}

// commit makes a batch durable, after as long as a disk takes.
func (a *person) commit(p *peer.Peer, changes []durable.Change, seq uint64) {
	w := a.w
	a.inFlight = changes
	took := w.commit / 2
	if w.commit > 0 {
		took += time.Duration(w.rng.Int64N(int64(w.commit)))
	}
	w.count("commit")
	if a.crashing > 0 && took > 0 && w.rng.IntN(25) == 0 { // while the disk works, and with what was sent before
		w.n.At(w.n.Now().Add(time.Duration(w.rng.Int64N(int64(took)))), func(time.Time) {
			if a.p == p && a.crashing > 0 {
				a.crash()
			}
		})
	}
	w.n.At(w.n.Now().Add(took), func(time.Time) {
		if a.p != p {
			return
		}
		a.committed(changes)
		a.inFlight = nil
		a.h.Do(func(now time.Time) { p.Done(now, seq) })
	})
}

// committed puts changes onto the disk and notes which messages are there.
func (a *person) committed(changes []durable.Change) {
	a.disk.apply(changes)
	for _, c := range changes {
		if c.Bucket == "inbox" && c.Value != nil {
			if n, ok := number(string(c.Value[9:])); ok {
				a.has[n] = true
			}
		}
	}
}

// number is the number that a text begins with.
func number(text string) (int, bool) {
	first, _, _ := strings.Cut(text, " ")
	n, err := strconv.Atoi(first)
	return n, err == nil
}

// say gives the peer one more message.
func (a *person) say() {
	if a.p == nil {
		return
	}
	size := 1 + a.w.rng.IntN(300)
	if a.w.rng.IntN(30) == 0 {
		size = 60_000
		a.w.count("60,000 bytes")
	}
	n := a.asked
	text := strconv.Itoa(n) + " "
	text += strings.Repeat("x", max(0, size-len(text)))
	a.h.Do(func(now time.Time) {
		position, err := a.p.Send(now, a.friend.id.PublicKey(), []byte(text))
		if err != nil {
			a.w.violate("refused", "%s may not send: %v", a.name, err)
			return
		}
		a.w.note(a, "says %d", n)
		a.asked++
		a.queued[position] = n
	})
}

// event takes what the peer tells.
func (a *person) event(now time.Time, e peer.Event) {
	w := a.w
	w.note(a, "kind %d position %d again %v why %v from %d to %d text %.8q", e.Kind, e.Position, e.Again, e.Why, e.From, e.To, e.Text)
	switch e.Kind {
	case peer.EventQueued:
		for position, n := range a.queued {
			if position <= e.Position {
				a.promised[n] = true
			}
		}
	case peer.EventDelivered:
		w.count("delivered")
		for position, n := range a.queued {
			if position <= e.Position && !a.friend.has[n] {
				w.violate("early", "%s is told that message %d was delivered, and it is not on the friend's disk", a.name, n)
			}
		}
	case peer.EventMessage:
		a.message(now, e)
	case peer.EventMissing:
		w.violate("lost", "%s misses messages %d to %d", a.name, e.From, e.To)
	case peer.EventRefused:
		w.violate("refused", "%s refuses a message", a.name)
	case peer.EventOnline:
		w.count("online")
		a.online = true
		a.finished++
	case peer.EventOffline:
		w.count("offline: " + fmt.Sprint(e.Why))
		a.online = false
		if e.Why == peer.WhyMalformed {
			w.violate("malformed", "%s got what is malformed", a.name)
		}
	case peer.EventClock:
		w.count("clock")
	case peer.EventNotFound:
		w.count("not found")
	}
}

// message takes a message of the friend.
func (a *person) message(now time.Time, e peer.Event) {
	w := a.w
	n, ok := number(string(e.Text))
	if !ok {
		w.violate("changed", "%s gets a text that nobody wrote", a.name)
		return
	}
	if !a.has[n] {
		w.violate("early", "%s is handed message %d, which is not on the disk", a.name, n)
	}
	switch before, had := a.texts[e.Position]; {
	case had && before != n:
		w.violate("changed", "%s has messages %d and %d at one position", a.name, before, n)
		return
	case had && !e.Again:
		w.violate("doubled", "%s is handed message %d twice", a.name, n)
		return
	case had:
		w.count("again")
	default:
		if len(a.got) > 0 && n <= a.got[len(a.got)-1] {
			kind := "order"
			for _, m := range a.got {
				if m == n {
					kind = "doubled"
				}
			}
			w.violate(kind, "%s gets message %d behind %d", a.name, n, a.got[len(a.got)-1])
			return
		}
		a.got = append(a.got, n)
		a.texts[e.Position] = n
	}
	p, position := a.p, e.Position
	if w.rng.IntN(4) == 0 { // it is taken now, or some time later, or not before the next start
		return
	}
	w.n.At(w.n.Now().Add(time.Duration(w.rng.Int64N(int64(2*time.Second)))), func(time.Time) {
		if a.p == p {
			a.h.Do(func(now time.Time) { _ = p.Taken(now, a.friend.id.PublicKey(), position) })
		}
	})
}

// whole reports whether everything that the friend was promised to have sent is here, and nothing waits with him.
func (a *person) whole() bool {
	if a.p == nil || a.friend.p == nil {
		return false
	}
	for n := range a.friend.promised {
		if !a.has[n] {
			return false
		}
	}
	for _, c := range a.friend.p.Contacts() {
		if c.Waiting > 0 {
			return false
		}
	}
	return true
}
