package conversation

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kith/peer/durable"
)

// A datagram is on its way in one conversation, and means nothing in another.
type datagram struct {
	conversation int
	toReceiver   bool
	hello        Hello // of who sent it
	part         *Part
	ack          *Ack
}

// world is a sender and a receiver, the network between them, and what a user would see of it.
type world struct {
	t            *rapid.T
	a, b         *process
	conversation int
	network      []datagram
	queued       []string // texts by their position
	arrived      []string // what was ever durable in the receiver's inbox
	handed       int      // how many of them the receiver's user was handed at least once
}

// A process is a side whose commits take time.
type process struct {
	side
	w       *world
	greeted bool // the other's hello came in this conversation
	hello   Hello
	batches [][]durable.Change // taken and not done
	seq     uint64             // of the last of them
	over    bool               // restored: silent until the next conversation
}

func (w *world) process(t *testing.T) *process {
	p := &process{w: w}
	p.side = *newSide(t)
	return p
}

// takeBatch begins a commit.
func (p *process) takeBatch() {
	if batch, seq, ok := p.journal.TakeAll(); ok {
		p.batches, p.seq = append(p.batches, batch), seq
	}
}

// write makes the oldest batch durable, which nobody has been told of.
func (p *process) write() {
	p.disk.commit(p.batches[0])
	if p == p.w.b {
		for _, c := range p.batches[0] {
			if c.Bucket == BucketInbox && c.Value != nil {
				p.w.arrived = append(p.w.arrived, string(c.Value[inboxHead:]))
			}
		}
	}
	p.batches = p.batches[1:]
}

func (p *process) done() {
	if len(p.batches) > 0 {
		p.write()
		p.journal.Done(noon, p.seq-uint64(len(p.batches)))
	}
}

func (p *process) sync() {
	p.takeBatch()
	for len(p.batches) > 0 {
		p.done()
	}
}

// crash ends the process. A commit that was under way may have reached the disk, as a whole.
func (p *process) crash(reached int) {
	for range min(reached, len(p.batches)) {
		p.write()
	}
	p.batches = nil
	p.restart()
	w := p.w
	if p == w.a { // what was not durable was never confirmed
		w.queued = w.queued[:int(p.out.Position(p.out.First()))+p.out.Waiting()]
	}
	w.converse()
}

// converse begins another conversation.
func (w *world) converse() {
	w.conversation++
	for _, p := range []*process{w.a, w.b} {
		p.in.Void()
		p.greeted, p.over = false, false
		other, next := p.in.Known()
		p.hello = Hello{p.out.Stream(), p.out.First(), other, next}
	}
}

func (w *world) queue(text string) {
	if position, err := w.a.out.Queue(Text, []byte(text)); err == nil {
		if int(position) != len(w.queued) {
			w.t.Fatalf("position %d, not %d", position, len(w.queued))
		}
		w.queued = append(w.queued, text)
	}
}

// sendParts sends parts of a message, those that keep says.
func (w *world) sendParts(id uint64, keep func() bool) {
	if w.a.over {
		return
	}
	for i := range w.a.out.Parts(id) {
		if keep() {
			p := w.a.out.Part(id, i)
			w.network = append(w.network, datagram{conversation: w.conversation, toReceiver: true, hello: w.a.hello, part: &p})
		}
	}
}

// greet sends the sender's hello alone.
func (w *world) greet() {
	w.network = append(w.network, datagram{conversation: w.conversation, toReceiver: true, hello: w.a.hello})
}

func (w *world) sendAck() {
	d := datagram{conversation: w.conversation, hello: w.b.hello}
	if a, ok := w.b.in.Ack(); ok {
		d.ack = &a
	}
	w.network = append(w.network, d)
}

// arrive is what a conversation does with a datagram.
func (w *world) arrive(d datagram) {
	if d.conversation != w.conversation {
		return
	}
	p := w.a
	if d.toReceiver {
		p = w.b
	}
	if p.over {
		return
	}
	if !p.greeted {
		p.greeted = true
		if from, to := p.in.Hello(noon, d.hello.Stream, d.hello.First); from != to {
			w.t.Fatalf("%d to %d are missing", from, to)
		}
		if d.hello.Other == p.out.Stream() {
			w.acknowledged(p, d.hello.Next)
		}
	}
	if d.part != nil && !p.over {
		if _, err := p.in.Take(noon, d.part); err != nil {
			w.t.Fatal(err)
		}
		p.in.Deliver(noon)
	}
	if d.ack != nil && !p.over {
		w.acknowledged(p, d.ack.Next)
	}
}

func (w *world) acknowledged(p *process, next uint64) {
	from, to, restored := p.out.Acknowledged(noon, next)
	if restored {
		w.t.Fatal("nobody restored anything")
	}
	for i := from; i < to; i++ { // delivered: the other's disk has it
		if p != w.a || i >= uint64(len(w.arrived)) || w.arrived[i] != w.queued[i] {
			w.t.Fatalf("%d counts as delivered, %d have arrived", i, len(w.arrived))
		}
	}
}

func (w *world) check() {
	if len(w.arrived) > len(w.queued) {
		w.t.Fatalf("%d arrived of %d", len(w.arrived), len(w.queued))
	}
	for i, text := range w.arrived {
		if text != w.queued[i] {
			w.t.Fatalf("%d is %.20q, not %.20q", i, text, w.queued[i])
		}
	}
}

// handOver hands over what there is, and takes some of it.
func (w *world) handOver(take func() bool) {
	for {
		d, ok := w.b.in.Delivery()
		if !ok {
			return
		}
		if i := int(d.Position); i > w.handed || i < w.handed && !d.Again || string(d.Text) != w.arrived[i] {
			w.t.Fatalf("handed over %d (again: %v) when %d were", i, d.Again, w.handed)
		} else if i == w.handed {
			w.handed++
		}
		if take() {
			if err := w.b.in.Taken(noon, d.Position); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

// Whatever is lost, doubled or overtaken, and whenever either side ends or begins another conversation: what was confirmed to the sender's user arrives once and in order, and what counts as delivered has arrived.
func TestExactlyOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{t: rt}
		w.a, w.b = w.process(t), w.process(t)
		w.converse()
		chance := func(percent int) bool { return rapid.IntRange(1, 100).Draw(rt, "chance") <= percent }
		size := rapid.SampledFrom([]int{10, 10, 10, PartBytes, PartBytes + 1, 3 * PartBytes, MaxMessage})
		either := func() *process {
			if rapid.Bool().Draw(rt, "the receiver") {
				return w.b
			}
			return w.a
		}
		rt.Repeat(map[string]func(*rapid.T){
			"queue": func(rt *rapid.T) {
				for range rapid.IntRange(1, 30).Draw(rt, "messages") {
					text := fmt.Sprintf("%d ", len(w.queued)+1000*w.conversation)
					w.queue(text + strings.Repeat("x", size.Draw(rt, "size")-len(text)))
				}
			},
			"give": func(rt *rapid.T) { w.a.out.Give(noon, rapid.IntRange(1, 100).Draw(rt, "ids")) },
			"send": func(rt *rapid.T) {
				first, end := w.a.out.First(), w.a.out.Sendable()
				for range 5 {
					if first < end {
						loss := rapid.SampledFrom([]int{100, 100, 90, 30}).Draw(rt, "arrives")
						w.sendParts(rapid.Uint64Range(first, end-1).Draw(rt, "id"), func() bool { return loss == 100 || chance(loss) })
					}
				}
			},
			"greet":       func(rt *rapid.T) { w.greet() },
			"acknowledge": func(rt *rapid.T) { w.sendAck() },
			"arrive": func(rt *rapid.T) {
				for range rapid.IntRange(1, 70).Draw(rt, "datagrams") {
					if len(w.network) == 0 {
						return
					}
					i := rapid.IntRange(0, len(w.network)-1).Draw(rt, "which")
					d := w.network[i]
					if chance(80) { // or it comes once more
						w.network[i] = w.network[len(w.network)-1]
						w.network = w.network[:len(w.network)-1]
					}
					w.arrive(d)
				}
			},
			"arrive in order": func(rt *rapid.T) {
				for _, d := range w.network {
					w.arrive(d)
				}
				w.network = nil
			},
			"take a batch": func(rt *rapid.T) { either().takeBatch() },
			"done":         func(rt *rapid.T) { either().done() },
			"sync":         func(rt *rapid.T) { either().sync() },
			"hand over":    func(rt *rapid.T) { w.handOver(func() bool { return chance(60) }) },
			"crash":        func(rt *rapid.T) { either().crash(rapid.IntRange(0, 2).Draw(rt, "batches that reached the disk")) },
			"converse":     func(rt *rapid.T) { w.converse() },
			"":             func(rt *rapid.T) { w.check() },
		})

		for range 1000 { // a good network
			w.greet()
			w.a.out.Give(noon, 65)
			w.a.sync()
			for id := w.a.out.First(); id < w.a.out.Sendable(); id++ {
				w.sendParts(id, func() bool { return true })
			}
			for range 2 {
				w.sendAck()
				for _, d := range w.network {
					w.arrive(d)
				}
				w.network = nil
				w.b.sync()
			}
			w.handOver(func() bool { return true })
			if w.a.out.Waiting() == 0 {
				break
			}
		}
		w.check()
		if len(w.arrived) != len(w.queued) || w.handed != len(w.queued) || w.a.out.Waiting() != 0 {
			rt.Fatalf("%d queued, %d arrived, %d handed over, %d wait", len(w.queued), len(w.arrived), w.handed, w.a.out.Waiting())
		}
		if w.b.in.size != 0 || len(w.b.in.held) != 0 {
			rt.Fatalf("%d bytes are held of what was delivered", w.b.in.size)
		}
		w.a.sync()
		w.b.sync()
		if n, m := len(w.a.disk.positions(BucketOutbox)), len(w.b.disk.positions(BucketInbox)); n+m != w.b.in.Untaken() {
			rt.Fatalf("%d are left in the outbox, %d in the inbox", n, m)
		}
	})
}
