package conversation

import (
	"bytes"
	"fmt"
	randv2 "math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kith/handshake"
)

// A party is one end of a conversation over a network, with a store that takes its time.
type party struct {
	*side
	c       *Conversation
	addr    netip.AddrPort
	commits []time.Time // when each batch that is on its way is durable
	seqs    []uint64
	said    []string // what it has said
	got     []string // what came to it
	sent    int      // datagrams
	over    string
	overAt  time.Time
}

// A pairNetwork is two parties, and what is between them, in virtual time.
type pairNetwork struct {
	t       *rapid.T
	r       *randv2.Rand
	now     time.Time
	parties [2]*party
	wire    []flyingDatagram
	hello   time.Time // when I's goes again

	loss, double int // of 1000
	delay        time.Duration
	jitter       time.Duration
	store        time.Duration
}

type flyingDatagram struct {
	at       time.Time
	from, to netip.AddrPort
	b        []byte
}

func newPairNetwork(tb *testing.T, t *rapid.T) *pairNetwork {
	n := &pairNetwork{
		t: t, r: randv2.New(randv2.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)), now: start,
		loss: rapid.IntRange(0, 150).Draw(t, "loss"), double: rapid.IntRange(0, 300).Draw(t, "double"),
		delay:  time.Duration(rapid.IntRange(0, 200).Draw(t, "delay")) * ms,
		jitter: time.Duration(rapid.IntRange(0, 100).Draw(t, "jitter")) * ms,
		store:  time.Duration(rapid.IntRange(0, 60).Draw(t, "store")) * ms,
	}
	i, r := sessions()
	for k, s := range []*handshake.Session{i, r} {
		p := &party{side: newSide(tb), addr: []netip.AddrPort{home, away}[k]}
		var err error
		p.c, err = New(n.now, Config{
			Role: []handshake.Role{initiator, responder}[k], Session: s, To: []netip.AddrPort{away, home}[k],
			Sending: p.out, Receiving: p.in, Journal: p.journal,
			Rand: randv2.NewChaCha8([32]byte{byte(n.r.Uint32()), byte(k)}), Random: n.r,
		})
		require.NoError(tb, err)
		p.out.Notify(func(now time.Time) { p.c.Wake(now) })
		p.in.Notify(func(now time.Time) { p.c.Wake(now) })
		n.parties[k] = p
	}
	n.hello = n.now
	return n
}

func (n *pairNetwork) post(from, to netip.AddrPort, b []byte) {
	for copies := 1; copies > 0; copies-- {
		if n.r.IntN(1000) < n.double && copies < 3 {
			copies++
		}
		if n.r.IntN(1000) >= n.loss {
			n.wire = append(n.wire, flyingDatagram{n.now.Add(n.delay + time.Duration(n.r.Int64N(int64(n.jitter)+1))), from, to, bytes.Clone(b)})
		}
	}
}

// settle takes what a party has to give.
func (n *pairNetwork) settle(p *party) {
	for {
		to, b, ok := p.c.Transmit()
		if !ok {
			break
		}
		p.sent++
		n.post(p.addr, to, b)
	}
	for {
		e, ok := p.c.Event()
		if !ok {
			break
		}
		if e.Kind == EventOver || e.Kind == EventEnding || e.Kind == EventMissing {
			p.over, p.overAt = p.over+eventLine(e), n.now
		}
	}
	for {
		d, ok := p.in.Delivery()
		if !ok {
			break
		}
		p.got = append(p.got, string(d.Text))
		require.NoError(n.t, p.in.Taken(n.now, d.Position))
	}
	if batch, seq, ok := p.journal.Take(n.now); ok {
		p.disk.commit(batch)
		p.commits = append(p.commits, n.now.Add(time.Duration(n.r.Int64N(int64(n.store)+1))))
		p.seqs = append(p.seqs, seq)
	}
}

func (n *pairNetwork) say(k int, text string) {
	p := n.parties[k]
	_, err := p.out.Queue(Text, []byte(text))
	require.NoError(n.t, err)
	p.said = append(p.said, text)
	p.c.Wake(n.now)
	n.settle(p)
}

// arrive lets a datagram come to whoever has the address now.
func (n *pairNetwork) arrive(d flyingDatagram) {
	for _, p := range n.parties {
		cids := p.c.CIDs()
		i := slices.Index(cids[:], handshake.CID(d.b[1:HeadSize]))
		if d.to != p.addr || i < 0 {
			continue
		}
		if opened, _ := p.c.HandleDatagram(n.now, d.from, p.c.Base()+uint32(i), d.b); opened {
			p.c.Finish(n.now)
		}
		n.settle(p)
	}
}

// run lets time pass.
func (n *pairNetwork) run(d time.Duration) {
	end := n.now.Add(d)
	for steps := 0; ; steps++ {
		if steps > 200_000 {
			n.t.Fatal("it does not come to rest")
		}
		slices.SortStableFunc(n.wire, func(a, b flyingDatagram) int { return a.at.Compare(b.at) })
		next, do := end, func() {}
		try := func(at time.Time, f func()) {
			if !at.IsZero() && at.Before(next) {
				next, do = at, f
			}
		}
		if len(n.wire) > 0 {
			try(n.wire[0].at, func() {
				d := n.wire[0]
				n.wire = n.wire[1:]
				n.arrive(d)
			})
		}
		if i, r := n.parties[0], n.parties[1]; i.c.state == waiting {
			try(n.hello, func() {
				n.hello = n.now.Add(time.Second)
				if r.c.state == waiting {
					n.post(i.addr, r.addr, i.c.HelloDatagram())
				} else if n.r.IntN(2) == 0 {
					r.c.Repeat(n.now, i.addr)
					n.settle(r)
				}
			})
		}
		for _, p := range n.parties {
			try(p.c.NextTimeout(), func() { p.c.HandleTimeout(n.now); n.settle(p) })
			try(p.journal.NextTimeout(), func() { n.settle(p) })
			if len(p.commits) > 0 {
				try(p.commits[0], func() {
					p.commits = p.commits[1:]
					seq := p.seqs[0]
					p.seqs = p.seqs[1:]
					p.journal.Done(n.now, seq)
					n.settle(p)
				})
			}
		}
		if n.now = maxTime(n.now, next); next == end {
			return
		}
		do()
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// unproved reports whether the responder has given up after ten seconds, for the network took each answer to its first datagram: then there is no conversation.
func (n *pairNetwork) unproved() bool { // peer-responder-proof
	r := n.parties[1]
	return n.loss > 0 && r.over == "over lost" && r.overAt.Before(start.Add(silence))
}

// wantAll wants each to have had what the other said, in order and once.
func (n *pairNetwork) wantAll() {
	for k, p := range n.parties {
		if p.over != "" {
			n.t.Fatalf("party %d: %s", k, p.over)
		}
		if other := n.parties[1-k]; !slices.Equal(p.got, other.said) {
			n.t.Fatalf("party %d got %d messages of %d: %.200q", k, len(p.got), len(other.said), p.got)
		}
		if p.out.Waiting() != 0 || p.c.flight.waits() || p.c.flight.flying != 0 {
			n.t.Fatalf("party %d has %d messages that are not acknowledged", k, p.out.Waiting())
		}
	}
}

func (n *pairNetwork) text(k, i int) string {
	size := n.r.IntN(300)
	if n.r.IntN(10) == 0 {
		size = n.r.IntN(MaxMessage - 20)
	}
	return fmt.Sprintf("%d %d %s", k, i, strings.Repeat("x", size))
}

// Whatever the network does, each message arrives once and in order, and then it is quiet.
func TestPairOverAnyNetwork(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := newPairNetwork(t, rt)
		for i := range rapid.IntRange(0, 40).Draw(rt, "messages") {
			k := n.r.IntN(2)
			n.say(k, n.text(k, i))
			if n.r.IntN(4) == 0 {
				n.run(time.Duration(n.r.IntN(2_000)) * ms)
			}
		}
		n.run(5 * time.Minute)
		if n.unproved() {
			return
		}
		n.wantAll()
		before := n.parties[0].sent + n.parties[1].sent
		n.run(10 * time.Minute)
		n.wantAll()
		if idle := n.parties[0].sent + n.parties[1].sent - before; n.loss == 0 && idle > 2*200/6 {
			rt.Fatalf("%d datagrams in ten idle minutes", idle)
		}
	})
}

// So many short messages that ids go further ahead than a bitmap shows, while the store takes its time.
func TestPairWithMuchToSay(t *testing.T) { // peer-window, peer-loss
	rapid.Check(t, func(rt *rapid.T) {
		n := newPairNetwork(t, rt)
		n.loss = min(n.loss, 50)
		n.run(2 * time.Second)
		far := uint64(0)
		for i := range 1500 {
			k := max(0, n.r.IntN(8)-6)
			n.say(k, fmt.Sprint(i, strings.Repeat("x", n.r.IntN(40))))
			if n.r.IntN(200) == 0 {
				n.run(time.Duration(n.r.IntN(300)) * ms)
			}
			f := &n.parties[0].c.flight
			far = max(far, f.fresh-f.base)
		}
		n.run(5 * time.Minute)
		if n.unproved() {
			return
		}
		n.wantAll()
		require.LessOrEqual(rt, far, uint64(ids))
	})
}

// Either side may come to another address, and may notice or not.
func TestPairThatMoves(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := newPairNetwork(t, rt)
		n.loss = min(n.loss, 50)
		n.run(5 * time.Second)
		for i := range rapid.IntRange(1, 12).Draw(rt, "moves") {
			k := n.r.IntN(2)
			p := n.parties[k]
			p.addr = netip.AddrPortFrom(p.addr.Addr(), uint16(5000+i))
			if n.r.IntN(2) == 0 {
				p.addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}), 1)
			}
			if n.r.IntN(2) == 0 {
				p.c.Moved(n.now)
				n.settle(p)
			}
			n.say(k, n.text(k, i))
			n.run(35 * time.Second) // it speaks within 20 s, and so is found again
			n.say(1-k, n.text(1-k, i))
			n.run(time.Duration(n.r.IntN(10_000)) * ms)
		}
		n.run(5 * time.Minute)
		if n.unproved() {
			return
		}
		n.wantAll()
		for k, p := range n.parties {
			if p.c.To() != n.parties[1-k].addr {
				rt.Fatalf("party %d is at %v, and not %v", 1-k, n.parties[1-k].addr, p.c.To())
			}
		}
	})
}
