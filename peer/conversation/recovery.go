package conversation

import "time"

// The estimates and thresholds of RFC 9002, with datagrams as the unit of the window.
const (
	maxFlight   = 256 // datagrams with message parts
	firstWindow = 10  // datagrams
	leastWindow = 2

	paceBurst = 10                   // datagrams that may go at once
	paceTime  = 2 * time.Millisecond // or what the pace allows in this time

	firstProbe  = time.Second
	maxProbe    = 10 * time.Second
	ackDelay    = 25 * time.Millisecond // the longest time that a receiver waits
	granularity = time.Millisecond      // kGranularity: no shorter time says that something is lost

	lossDatagrams = 3 // later ones that arrived
)

// An estimate is what is known of the round trip (RFC 9002, section 5). The zero value knows nothing.
type estimate struct {
	latest   time.Duration
	smoothed time.Duration // srtt; zero: there was no sample
	variance time.Duration // rttvar
	least    time.Duration // min_rtt
}

// sample takes the time between a datagram and what showed that it had arrived.
func (e *estimate) sample(d time.Duration) {
	d = max(d, time.Microsecond) // a clock may stand still
	e.latest = d
	if e.smoothed == 0 {
		e.smoothed, e.variance, e.least = d, d/2, d
		return
	}
	e.least = min(e.least, d)
	e.variance += ((e.smoothed - d).Abs() - e.variance) / 4
	e.smoothed += (d - e.smoothed) / 8
}

// probeTimeout is how long nothing may be shown before the next probe, after so many in vain.
func (e *estimate) probeTimeout(probes int) time.Duration { // peer-probe
	d := firstProbe
	if e.smoothed > 0 {
		d = e.smoothed + 4*e.variance + ackDelay
	}
	return min(d<<min(probes, 16), maxProbe)
}

// lossDelay is how long before a datagram that arrived another was sent that counts as lost.
func (e *estimate) lossDelay() time.Duration {
	return max(max(e.latest, e.smoothed)*9/8, granularity)
}

// A window is how many datagrams may be in flight (RFC 9002, section 7, in datagrams).
type window struct {
	size      int
	threshold int       // of slow start; zero: it was never left
	grown     int       // datagrams that arrived since the last step of congestion avoidance
	halved    time.Time // when it was: what was sent before says nothing new
}

func newWindow() window { return window{size: firstWindow} }

// arrived takes notice of a datagram that was sent at a time, when flight of them, with it, were in flight.
func (w *window) arrived(sent time.Time, flight int) {
	switch {
	case !sent.After(w.halved): // in recovery
	case w.threshold == 0 || w.size < w.threshold:
		if flight*2 >= w.size { // RFC 9002, 7.8: who does not use a window does not know that it could be larger
			w.size++
		}
	case flight+paceBurst >= w.size:
		if w.grown++; w.grown >= w.size {
			w.size++
			w.grown = 0
		}
	}
	w.size = min(w.size, maxFlight) // peer-flight
}

// lost takes notice of a datagram that was sent at a time and is lost.
func (w *window) lost(now, sent time.Time) {
	if !sent.After(w.halved) {
		return // once a round trip
	}
	w.size = max(w.size/2, leastWindow)
	w.threshold, w.grown, w.halved = w.size, 0, now
}

// A pacer spreads what a window allows over a round trip: the generic cell rate algorithm. The zero value holds nothing back.
type pacer struct {
	even time.Time // when the next datagram would go if all went evenly
}

// interval is the even distance of datagrams, a quarter less than a window in a round trip (RFC 9002, 7.7); zero while the round trip is not known.
func interval(e *estimate, w *window) time.Duration {
	return e.smoothed * 4 / time.Duration(5*w.size)
}

// ready returns when a datagram may go, a time that is not after now for at once.
func (p *pacer) ready(each time.Duration) time.Time { // peer-pace
	return p.even.Add(-max((paceBurst-1)*each, paceTime-each))
}

func (p *pacer) sent(now time.Time, each time.Duration) {
	if p.even.Before(now) {
		p.even = now
	}
	p.even = p.even.Add(each)
}
