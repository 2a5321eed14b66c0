package sim

import (
	"net/netip"
	"time"
)

// An event is something that will happen: a datagram arrives, a machine's timer fires, or a function of the test runs.
type event struct {
	at  time.Time
	seq uint64 // of two events at the same time the one that was made first happens first
	// One of these three:
	data  []byte // a datagram from from to to
	timer *Host
	do    func(now time.Time)

	from, to netip.AddrPort
	sent     uint64 // which datagram of the network this is; a duplicate is the same
}

func (e *event) before(f *event) bool {
	if !e.at.Equal(f.at) {
		return e.at.Before(f.at)
	}
	return e.seq < f.seq
}

// A queue is a binary heap of events. What has happened is used again, so a long simulation allocates little.
type queue struct {
	heap []*event
	free []*event
	seq  uint64
}

// push returns an event at a time, to be filled in before the next call.
func (q *queue) push(at time.Time) *event {
	var e *event
	if n := len(q.free); n > 0 {
		e, q.free = q.free[n-1], q.free[:n-1]
	} else {
		e = new(event)
	}
	e.at, e.seq = at, q.seq
	q.seq++
	q.heap = append(q.heap, e)
	i := len(q.heap) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !q.heap[i].before(q.heap[up]) {
			break
		}
		q.heap[i], q.heap[up] = q.heap[up], q.heap[i]
		i = up
	}
	return e
}

// next returns the event that happens next, nil when nothing will.
func (q *queue) next() *event {
	if len(q.heap) == 0 {
		return nil
	}
	return q.heap[0]
}

// pop removes the event that next returned. It must be given to done afterwards.
func (q *queue) pop() {
	last := len(q.heap) - 1
	q.heap[0] = q.heap[last]
	q.heap[last] = nil
	q.heap = q.heap[:last]
	i := 0
	for {
		least := i
		for _, down := range [2]int{2*i + 1, 2*i + 2} {
			if down < last && q.heap[down].before(q.heap[least]) {
				least = down
			}
		}
		if least == i {
			return
		}
		q.heap[i], q.heap[least] = q.heap[least], q.heap[i]
		i = least
	}
}

// done gives back an event that has happened.
func (q *queue) done(e *event) {
	*e = event{data: e.data[:0]}
	q.free = append(q.free, e)
}
