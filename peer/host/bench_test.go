package host

import (
	"strings"
	"testing"
	"time"

	"kith/peer"
)

// BenchmarkOneWay sends messages of 256 bytes from one peer to another over loopback, both stores on disk, until all are acknowledged.
func BenchmarkOneWay(b *testing.B) {
	x, y := meet(b)
	text := []byte(strings.Repeat("x", 256))
	go func() { // reads, and takes what it has read
		for range y.h.More() {
			var last peer.Event
			for _, e := range y.h.Take() {
				if e.Kind == peer.EventMessage {
					last = e
				}
			}
			if last.Kind != 0 && y.h.Do(func(now time.Time, k *peer.Peer) { _ = k.Taken(now, x.key(), last.Position) }) != nil {
				return
			}
		}
	}()
	b.ReportAllocs()
	b.ResetTimer()
	for sent, delivered := 0, 0; delivered < b.N; {
		_ = x.h.Do(func(now time.Time, k *peer.Peer) {
			for range min(b.N-sent, 4000-(sent-delivered)) {
				if _, err := k.Send(now, y.key(), text); err != nil {
					b.Error(err)
				}
				sent++
			}
		})
		<-x.h.More()
		for _, e := range x.h.Take() {
			if e.Kind == peer.EventDelivered {
				delivered = int(e.Position) + 1
			}
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

// BenchmarkEcho waits for the echo of each message before it sends the next.
func BenchmarkEcho(b *testing.B) {
	d := doors(b)
	x, y := newPerson(b, 1, d), newPerson(b, 2, d)
	y.h.Close()
	y.cfg.Echo = true
	y.start()
	x.add(y)
	y.add(x)
	x.want(peer.EventOnline)
	b.ResetTimer()
	for range b.N {
		x.say(y, "are you there?")
		e := x.want(peer.EventMessage)
		x.heard = nil
		x.do(func(now time.Time, k *peer.Peer) error { return k.Taken(now, y.key(), e.Position) })
	}
}
