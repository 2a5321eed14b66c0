package conversation

import (
	"bytes"
	randv2 "math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/handshake"
	"kith/peer/durable"
)

// A benchPair is two conversations with nothing between them, and stores that take everything at once when they are asked.
type benchPair struct {
	now       time.Time
	ends      [2]*Conversation
	journals  [2]durable.Journal
	datagrams [2]int // sent by each
	commits   [2]int
	took      int
}

func newBenchPair(tb testing.TB) *benchPair {
	p := &benchPair{now: start}
	i, r := sessions()
	buffers := new(Buffers)
	for k, s := range []*handshake.Session{i, r} {
		j := &p.journals[k]
		out, err := NewSending(p.now, j, contact, nil, StreamID{byte(k)})
		require.NoError(tb, err)
		in, err := NewReceiving(j, contact, nil, nil)
		require.NoError(tb, err)
		c, err := New(p.now, Config{
			Role: []handshake.Role{initiator, responder}[k], Session: s, To: home, Sending: out, Receiving: in, Journal: j,
			Random: randv2.New(randv2.NewPCG(0, uint64(k))), Buffers: buffers,
		})
		require.NoError(tb, err)
		out.Notify(c.Wake)
		in.Notify(c.Wake)
		p.ends[k] = c
	}
	p.give(1, bytes.Clone(p.ends[0].HelloDatagram()))
	p.settle()
	require.True(tb, p.ends[0].Open() && p.ends[1].Open())
	return p
}

func (p *benchPair) give(to int, b []byte) {
	c := p.ends[to]
	if opened, _ := c.HandleDatagram(p.now, home, 0, b); opened {
		c.Finish(p.now)
	}
}

// settle goes on until nobody has anything to send and both stores have everything. A batch of a store has what all that was sent at once brought.
func (p *benchPair) settle() {
	for busy := true; busy; {
		busy = false
		for k, c := range p.ends {
			for {
				_, b, ok := c.Transmit()
				if !ok {
					break
				}
				p.datagrams[k]++
				p.give(1-k, b)
				busy = true
			}
		}
		for k, c := range p.ends {
			p.now = p.now.Add(50 * time.Microsecond)
			if _, seq, ok := p.journals[k].Take(p.now); ok {
				p.journals[k].Done(p.now, seq)
				p.commits[k]++
				busy = true
			}
			for {
				if _, ok := c.Event(); !ok {
					break
				}
			}
			for {
				d, ok := c.receiving.Delivery()
				if !ok {
					break
				}
				p.took++
				c.receiving.Taken(p.now, d.Position)
			}
		}
	}
}

// bench sends b.N messages, so many at a time.
func bench(b *testing.B, size, atOnce int) {
	p := newBenchPair(b)
	text := bytes.Repeat([]byte("x"), size)
	p.datagrams = [2]int{}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if _, err := p.ends[0].sending.Queue(Text, text); err != nil {
			b.Fatal(err)
		}
		if n++; n%atOnce == 0 {
			p.ends[0].Wake(p.now)
			p.settle()
		}
	}
	p.ends[0].Wake(p.now)
	p.settle()
	if p.took != n {
		b.Fatalf("%d of %d messages arrived", p.took, n)
	}
	b.ReportMetric(float64(p.datagrams[0])/float64(n), "datagrams/msg")
	b.ReportMetric(float64(p.datagrams[1])/float64(n), "acks/msg")
}

// BenchmarkShared is the CPU time of both ends for a message of 256 bytes when many wait, and so share datagrams.
func BenchmarkShared(b *testing.B) { bench(b, 256, 1000) }

// BenchmarkAlone is the same when each message goes by itself and is acknowledged before the next.
func BenchmarkAlone(b *testing.B) { bench(b, 256, 1) }

// BenchmarkLong is the same for messages of 60 parts.
func BenchmarkLong(b *testing.B) { bench(b, MaxMessage, 20) }

// BenchmarkPing is a ping and its pong.
func BenchmarkPing(b *testing.B) {
	p := newBenchPair(b)
	for b.Loop() {
		p.ends[0].ping = true
		p.settle()
	}
}
