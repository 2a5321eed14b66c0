package bench

import (
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"kith/peer"
)

const (
	useful = 1_000  // messages a second
	flood  = 10_000 // datagrams of junk a second
	during = 2 * time.Second
)

// BenchmarkPeerFlood sends a friend 1,000 messages of 256 bytes a second, and beside them from a third process 10,000 datagrams a second that nobody has asked for: random but for their first byte. Reported are which
// share of the pace was held, that is of the messages how many were durably delivered when the time was up; what a junk datagram costs the friend's process when nothing else comes; and how much of that is beyond what the same
// junk costs a process that receives it, with the same driver, and does nothing else. Known-cid has a connection id that the friend takes: who sees one can spend its 250 failures a second (peer-open-failures), so that
// no pace is promised.
func BenchmarkPeerFlood(b *testing.B) {
	other, third, nobody := startChild(b, "friend"), startChild(b, "junk"), startChild(b, "deaf")
	deafAt := nobody.ask(order{Do: "start"}).Addr
	c := newPair(b, startChild(b, "network").ask(order{}).Addr)
	var cid atomic.Pointer[[]byte] // the last under which something went to the friend
	c.cfg.Tap = func(sent bool, _ netip.AddrPort, b []byte) {
		if sent && b[0] == firstBytes["conversation"] {
			v := append([]byte(nil), b[1:9]...)
			cid.Store(&v)
		}
	}
	to := other.ask(c.order(false, true)).Addr
	c.start()
	c.add()
	c.want(peer.EventOnline)
	next := 0
	junk := func(to netip.AddrPort, kinds []string) order {
		return order{To: to, Kinds: kinds, CID: *cid.Load(), Rate: flood, For: during}
	}
	// cost is the CPU time in µs that a child spends for a datagram of junk, and how many there were.
	cost := func(of *child, to netip.AddrPort, kinds []string) (each float64, n int) {
		before := of.ask(order{Do: "usage"}).CPU
		n = third.ask(junk(to, kinds)).Count
		return float64((of.ask(order{Do: "usage"}).CPU - before).Nanoseconds()) / 1e3 / float64(n), n
	}
	for _, mode := range []struct {
		name  string
		kinds []string
	}{{"mixed", []string{"handshake", "conversation", "node", "other"}}, {"0x50", []string{"handshake"}}, {"0x51", []string{"conversation"}}, {"0x64", []string{"node"}}, {"other", []string{"other"}}, {"known-cid", []string{"known-cid"}}} {
		b.Run(mode.name, func(b *testing.B) {
			var shares, costs, beyond, rates []float64
			for b.Loop() {
				third.tell(junk(to, mode.kinds))
				share := c.pace(&next)
				third.hear()
				used, n := cost(other, to, mode.kinds)
				received, _ := cost(nobody, deafAt, mode.kinds)
				shares, rates = append(shares, share), append(rates, float64(n)/during.Seconds())
				costs, beyond = append(costs, used), append(beyond, used-received)
			}
			b.ReportMetric(100*median(shares), "%-of-pace")
			b.ReportMetric(median(costs), "µs-cpu/junk")
			b.ReportMetric(median(beyond), "µs-cpu/junk-beyond-receiving")
			b.ReportMetric(median(rates), "junk/s")
			load(b)
		})
	}
	c.stop()
	other.ask(order{Do: "stop"})
}

// pace sends messages evenly for a while, the first of which is number next, and returns which share of them was delivered when it was over. It returns when all were.
func (c *caller) pace(next *int) float64 {
	const count = int(useful * during / time.Second)
	first, delivered := *next, 0
	sayUntil := func(passed time.Duration) {
		for due := int(passed * useful / time.Second); *next-first < due; *next++ {
			c.say(text(*next, 256))
		}
	}
	hear := func() {
		for _, e := range c.h.Take() {
			if e.Kind == peer.EventDelivered {
				delivered = int(e.Position) + 1 - first
			}
		}
	}
	tick := time.NewTicker(time.Second / useful)
	defer tick.Stop()
	begun := time.Now()
	for passed := time.Duration(0); passed < during; passed = time.Since(begun) {
		sayUntil(passed)
		select {
		case <-c.h.More():
			hear()
		case <-tick.C:
		}
	}
	hear()
	inTime := delivered
	sayUntil(during)
	for delivered < count {
		delivered = int(c.want(peer.EventDelivered).Position) + 1 - first
	}
	return float64(inTime) / float64(count)
}
