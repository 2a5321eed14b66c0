package dht

import "time"

// A Pace bounds how many queries all operations that have it send in any span of time. Those that are too many wait, and so an operation may have
// less time than it would need: who begins one asks Free first whether there is room.
type Pace struct {
	per  time.Duration
	sent []time.Time // when the last were sent: a ring
	next int
}

// NewPace returns a pace of so many queries, at least 1, in any span per.
func NewPace(queries int, per time.Duration) *Pace {
	return &Pace{per: per, sent: make([]time.Time, max(1, queries))}
}

// Free returns when n queries may be sent at once, if none is sent until then; it may have passed. More than all are as many as all.
func (p *Pace) Free(n int) time.Time {
	n = min(max(1, n), len(p.sent))
	last := p.sent[(p.next+n-1)%len(p.sent)]
	if last.IsZero() {
		return last
	}
	return last.Add(p.per)
}

// held reports whether the pace holds back the next query of the look-up, and if so sets when to try again.
func (l *lookup) held() bool {
	if l.pace == nil {
		return false
	}
	free := l.pace.Free(1).Sub(l.epoch) + 1 // before everything, if nothing was sent yet
	if free <= l.now {
		return false
	}
	l.wake = min(l.wake, free)
	return true
}

// sent counts a query of the look-up.
func (l *lookup) sent() {
	if p := l.pace; p != nil {
		p.sent[p.next] = l.epoch.Add(l.now - 1)
		p.next = (p.next + 1) % len(p.sent)
	}
}
