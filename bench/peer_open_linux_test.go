package bench

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"kith/internal/udp"
	"kith/peer"
)

// warming is how often a round trip is made before it counts.
const warming = 50

// open starts a caller and his friend, and returns when they can talk.
func (c *caller) open(other *child, echo bool) {
	other.ask(c.order(echo, true))
	c.start()
	c.add()
	c.want(peer.EventOnline)
}

// BenchmarkPeerEcho sends a message of 256 bytes on an open conversation and waits for its echo: two messages, each stored at both ends before it goes on. By turns with it, one commit of a bare bbolt with two values
// of as many bytes, on the same disk.
func BenchmarkPeerEcho(b *testing.B) {
	const size = 256
	other := startChild(b, "friend")
	c := newPair(b, startChild(b, "network").ask(order{}).Addr)
	c.open(other, true)
	disk, n := newDisk(b), 0
	commit := func() { disk.commit(2, size) }
	var last uint64
	echo := func() {
		c.say(text(n, size))
		last = c.want(peer.EventMessage).Position
	}
	taken := func() {
		c.do(func(now time.Time, p *peer.Peer) error { return p.Taken(now, c.friend, last) })
	}
	for ; n < warming; n++ {
		echo()
		taken()
		commit()
	}
	mine, his := commits(b, c.cfg.Store), commits(b, c.friendStore())
	var echoes, bare, ratios []float64
	for ; b.Loop(); n++ {
		begun := time.Now()
		echo()
		took := time.Since(begun)
		taken()
		begun = time.Now()
		commit()
		one := time.Since(begun)
		echoes, bare = append(echoes, float64(took.Microseconds())), append(bare, float64(one.Microseconds()))
		ratios = append(ratios, float64(took)/float64(one))
	}
	b.ReportMetric(median(echoes), "µs-echo")
	b.ReportMetric(median(bare), "µs-bbolt")
	b.ReportMetric(median(ratios), "x-bbolt")
	b.ReportMetric(float64(commits(b, c.cfg.Store)-mine)/float64(n-warming), "commits-caller")
	b.ReportMetric(float64(commits(b, c.friendStore())-his)/float64(n-warming), "commits-friend")
	load(b)
	c.stop()
	other.ask(order{Do: "stop"})
}

// A disk has a bare bbolt on it, with what it begins with by default.
type disk struct {
	tb     testing.TB
	db     *bbolt.DB
	stored int
}

func newDisk(tb testing.TB) *disk {
	db, err := bbolt.Open(filepath.Join(tb.TempDir(), "bare.db"), 0o600, nil)
	require.NoError(tb, err)
	tb.Cleanup(func() { db.Close() })
	return &disk{tb: tb, db: db}
}

// commit stores n values in one transaction, and erases as many that are older.
func (d *disk) commit(n, size int) {
	require.NoError(d.tb, d.db.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucketIfNotExists([]byte("inbox"))
		for range n {
			if err == nil {
				err = bucket.Put(number(d.stored), text(d.stored, size))
			}
			if err == nil {
				err = bucket.Delete(number(d.stored - 2*n))
			}
			d.stored++
		}
		return err
	}))
}

// store returns how many values a second it stores, n in a transaction.
func (d *disk) store(n, size int) float64 {
	const commits = 50
	begun := time.Now()
	for range commits {
		d.commit(n, size)
	}
	return float64(commits*n) / time.Since(begun).Seconds()
}

// BenchmarkPeerPing is a ping and its pong on an open conversation, each of which begins a new chain of the ratchet. The caller's peer is on the sockets without a store, of which pings need nothing, and is told that
// 20 s have passed, so that it sends its keep-alive. By turns with it, a datagram of the same size that a bare socket in the friend's place sends back.
func BenchmarkPeerPing(b *testing.B) {
	other, bare := startChild(b, "friend"), startChild(b, "deaf")
	c := newPair(b, startChild(b, "network").ask(order{}).Addr)
	other.ask(c.order(false, true))
	hurried := newHurried(b, c)
	plain := newBounce(b, bare.ask(order{Do: "start", Rate: 1}).Addr)
	for range warming {
		hurried.ping()
		plain.once()
	}
	var pings, bounces, ratios []float64
	for b.Loop() {
		took, bounce := hurried.ping(), plain.once()
		pings, bounces = append(pings, float64(took.Microseconds())), append(bounces, float64(bounce.Microseconds()))
		ratios = append(ratios, float64(took)/float64(bounce))
	}
	b.ReportMetric(median(pings), "µs-ping")
	b.ReportMetric(median(bounces), "µs-udp")
	b.ReportMetric(median(ratios), "x-udp")
	reportRival(b, "rtt", median(pings)/1e3)
	load(b)
	other.ask(order{Do: "stop"})
}

// A hurried is a peer whose time can be moved on.
type hurried struct {
	*peer.Peer
	tb     testing.TB
	d      *udp.Driver
	ahead  time.Duration
	online chan struct{}
	came   chan time.Time // when a datagram of a conversation had been opened
}

func newHurried(tb testing.TB, c *caller) *hurried {
	d, err := udp.Listen(udp.Config{Listen: []netip.AddrPort{loopback}})
	require.NoError(tb, err)
	tb.Cleanup(func() { d.Close() })
	c.cfg.DHT.IPv4 = true
	p, err := peer.New(peer.Config{Identity: c.cfg.Identity, DHT: c.cfg.DHT}, udp.Now())
	require.NoError(tb, err)
	h := &hurried{Peer: p, tb: tb, d: d, online: make(chan struct{}, 1), came: make(chan time.Time, 16)}
	p.SetLocal(udp.Now(), d.LocalAddrs())
	d.Start(h, h.after)
	require.NoError(tb, d.Do(func(now time.Time) { err = p.Add(now, c.friend, "") }))
	require.NoError(tb, err)
	select {
	case <-h.online:
	case <-time.After(patience):
		require.FailNow(tb, "no conversation")
	}
	return h
}

// after takes all for durable at once.
func (h *hurried) after(now time.Time) {
	for e, ok := h.Event(); ok; e, ok = h.Event() {
		if e.Kind == peer.EventOnline {
			h.online <- struct{}{}
		}
	}
	for {
		_, seq, ok := h.Take(now.Add(h.ahead))
		if !ok {
			return
		}
		h.Done(now.Add(h.ahead), seq)
	}
}

func (h *hurried) HandleDatagram(now time.Time, from netip.AddrPort, b []byte) {
	ours := b[0] == 0x51
	h.Peer.HandleDatagram(now.Add(h.ahead), from, b)
	if ours {
		select {
		case h.came <- time.Now():
		default: // nobody waits
		}
	}
}

func (h *hurried) HandleTimeout(now time.Time) { h.Peer.HandleTimeout(now.Add(h.ahead)) }

func (h *hurried) NextTimeout() time.Time {
	if t := h.Peer.NextTimeout(); !t.IsZero() {
		return t.Add(-h.ahead)
	}
	return time.Time{}
}

// ping lets the time pass after which a ping is due, and returns how long the pong takes.
func (h *hurried) ping() time.Duration {
	for len(h.came) > 0 {
		<-h.came
	}
	var begun time.Time
	require.NoError(h.tb, h.d.Do(func(now time.Time) {
		h.ahead += 20 * time.Second
		begun = time.Now()
		h.HandleTimeout(now)
	}))
	select {
	case at := <-h.came:
		return at.Sub(begun)
	case <-time.After(patience):
		require.FailNow(h.tb, "no pong")
		return 0
	}
}

// A bounce sends bare datagrams to who sends them back.
type bounce struct {
	tb   testing.TB
	d    *udp.Driver
	to   netip.AddrPort
	due  bool
	came chan struct{}
}

func newBounce(tb testing.TB, to netip.AddrPort) *bounce {
	d, err := udp.Listen(udp.Config{Listen: []netip.AddrPort{loopback}})
	require.NoError(tb, err)
	tb.Cleanup(func() { d.Close() })
	p := &bounce{tb: tb, d: d, to: to, came: make(chan struct{}, 1)}
	d.Start(p, nil)
	return p
}

func (p *bounce) HandleDatagram(time.Time, netip.AddrPort, []byte) { p.came <- struct{}{} }
func (p *bounce) HandleTimeout(time.Time)                          {}
func (p *bounce) NextTimeout() time.Time                           { return time.Time{} }

func (p *bounce) Transmit() (netip.AddrPort, []byte, bool) {
	due := p.due
	p.due = false
	return p.to, make([]byte, 169), due
}

func (p *bounce) once() time.Duration {
	begun := time.Now()
	require.NoError(p.tb, p.d.Do(func(time.Time) { p.due = true }))
	<-p.came
	return time.Since(begun)
}

// BenchmarkPeerThroughput sends messages to a friend in another process until all are acknowledged, which is after they are durable there; he takes them, and wants them in order. Shared: of 256 bytes, many of which
// wait, so that three share a datagram. Alone: of 520 bytes, the shortest of which no two fit into one. By turns with each, two limits: as many datagrams of that size through the same
// driver and nothing else, 64 under way; and a bare bbolt that stores as many messages in a transaction as the friend did, and erases as many, in one process and with nobody else at the disk.
func BenchmarkPeerThroughput(b *testing.B) {
	door := startChild(b, "network").ask(order{}).Addr
	for _, mode := range []struct {
		name              string
		size, each, bytes int // of a message, messages in a datagram, bytes of that
		count             int
	}{{"shared", 256, 3, 9 + 96 + 896, 200_000}, {"alone", 520, 1, 9 + 96 + 576, 100_000}} {
		b.Run(mode.name, func(b *testing.B) {
			other, bare := startChild(b, "friend"), startChild(b, "deaf")
			c := newPair(b, door)
			c.open(other, false)
			to := bare.ask(order{Do: "start", Rate: 32}).Addr
			disk := newDisk(b)
			var rates, limits, ratios, stores, ofStores, datagrams, mine, his, sending, receiving []float64
			path := filepath.Join(*profileDir, mode.name)
			for sent := 0; b.Loop(); sent += mode.count {
				var p *os.File
				if *profileDir != "" {
					var err error
					p, err = startProfile(path + "-sender")
					require.NoError(b, err)
					other.ask(order{Do: "profile", Path: path + "-receiver"})
				}
				before, out, own := other.ask(order{Do: "usage"}).CPU, c.h.Stats().Out, cpu()
				gave, stored := commits(b, c.cfg.Store), commits(b, c.friendStore())
				rate := c.pour(sent, mode.count, mode.size)
				mine = append(mine, float64((cpu()-own).Nanoseconds())/float64(mode.count))
				his = append(his, float64((other.ask(order{Do: "usage"}).CPU-before).Nanoseconds())/float64(mode.count))
				datagrams = append(datagrams, float64(c.h.Stats().Out-out)/float64(mode.count))
				sending = append(sending, float64(mode.count)/float64(commits(b, c.cfg.Store)-gave))
				receiving = append(receiving, float64(mode.count)/float64(commits(b, c.friendStore())-stored))
				if p != nil {
					other.ask(order{Do: "profiled", Path: path + "-receiver"})
					require.NoError(b, endProfile(p, path+"-sender"))
				}
				limit := float64(mode.each) * stream(b, to, mode.bytes, mode.count/mode.each)
				rates, limits, ratios = append(rates, rate), append(limits, limit), append(ratios, rate/limit)
				limit = disk.store(int(receiving[len(receiving)-1]), mode.size)
				stores, ofStores = append(stores, limit), append(ofStores, rate/limit)
			}
			b.ReportMetric(median(rates), "msg/s")
			b.ReportMetric(median(limits), "msg/s-udp")
			b.ReportMetric(median(ratios), "x-udp")
			b.ReportMetric(median(stores), "msg/s-bbolt")
			b.ReportMetric(median(ofStores), "x-bbolt")
			b.ReportMetric(median(datagrams), "datagrams/msg")
			b.ReportMetric(median(sending), "msg/commit-sender")
			b.ReportMetric(median(receiving), "msg/commit-receiver")
			b.ReportMetric(median(mine), "ns-cpu-sender")
			b.ReportMetric(median(his), "ns-cpu-receiver")
			load(b)
			c.stop()
			other.ask(order{Do: "stop"})
		})
	}
}

// pour sends count messages, the first of which is number first, and returns how many a second were delivered.
func (c *caller) pour(first, count, size int) float64 {
	const most = 8000            // in the outbox, and more when half of them are delivered
	all := make([][]byte, count) // made before, so that this is not measured
	for i := range all {
		all[i] = text(first+i, size)
	}
	begun := time.Now()
	for sent, delivered := 0, 0; delivered < count; {
		c.do(func(now time.Time, p *peer.Peer) (err error) {
			for sent < count && sent-delivered < most && err == nil {
				_, err = p.Send(now, c.friend, all[sent])
				sent++
			}
			return err
		})
		for delivered < count && (sent == count || sent-delivered > most/2) {
			delivered = int(c.want(peer.EventDelivered).Position) + 1 - first
		}
	}
	return float64(count) / time.Since(begun).Seconds()
}

// stream sends bare datagrams to a socket that tells of every 32, and returns how many a second arrived.
func stream(b *testing.B, to netip.AddrPort, size, count int) float64 {
	d, err := udp.Listen(udp.Config{Listen: []netip.AddrPort{loopback}})
	require.NoError(b, err)
	defer d.Close()
	s := &streaming{to: to, b: make([]byte, size), left: count / 32 * 32, room: 64, done: make(chan struct{})}
	s.missing = s.left / 32
	begun := time.Now()
	d.Start(s, nil)
	<-s.done
	return float64(count/32*32) / time.Since(begun).Seconds()
}

// A streaming sends datagrams, 64 of which may be under way.
type streaming struct {
	to                  netip.AddrPort
	b                   []byte
	left, room, missing int
	done                chan struct{}
}

func (s *streaming) HandleDatagram(time.Time, netip.AddrPort, []byte) {
	s.room += 32
	if s.missing--; s.missing == 0 {
		close(s.done)
	}
}

func (s *streaming) HandleTimeout(time.Time) {}
func (s *streaming) NextTimeout() time.Time  { return time.Time{} }

func (s *streaming) Transmit() (netip.AddrPort, []byte, bool) {
	if s.left == 0 || s.room == 0 {
		return s.to, nil, false
	}
	s.left--
	s.room--
	return s.to, s.b, true
}
