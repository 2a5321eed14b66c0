package host

import (
	"slices"
	"sync"
	"time"

	"kith/peer"
)

// Bounds of the events that wait for Take. They say how far the reader may be behind before messages stay in the peer's inbox; both are filled in one go, so a reader that
// keeps up never meets them.
const (
	maxEvents = 4096
	maxBytes  = 1 << 20

	keptEvents = 512 // of which the room is used again
)

// A queue carries events from the sockets' goroutines, which must not wait, to whoever reads them. It takes no more out of the peer than it has room for: the rest stays there, where messages are
// bounded by the inbox, and so by what friends may have sent without an acknowledgement.
type queue struct {
	mu     sync.Mutex
	events []peer.Event
	bytes  int
	full   bool          // something may have been left with the peer
	more   chan struct{} // holds one when there may be events
}

// pull takes events out of the peer, whose caller calls it.
func (q *queue) pull(p *peer.Peer) {
	q.mu.Lock()
	defer q.mu.Unlock()
	before := len(q.events)
	for q.full = true; len(q.events) < maxEvents && q.bytes < maxBytes; {
		e, ok := p.Event()
		if !ok {
			q.full = false
			break
		}
		q.events = append(q.events, e)
		q.bytes += len(e.Text)
	}
	if len(q.events) > before {
		q.wake()
	}
}

// wake says that there may be events.
func (q *queue) wake() {
	select {
	case q.more <- struct{}{}:
	default:
	}
}

// More returns a channel that holds a value when Take may have something, and when the host has ended.
func (h *Host) More() <-chan struct{} { return h.queue.more }

// Take returns the events that have happened since it was called last, in their order. Who is slow to call it finds the messages of all friends waiting, each friend's up to the limit of the inbox; then friends wait. It never
// keeps the peer from its work.
func (h *Host) Take() []peer.Event {
	q := &h.queue
	q.mu.Lock()
	events, full := slices.Clone(q.events), q.full // as many as there are: who doubles a slice at each wake-up makes much to be collected
	clear(q.events)
	if q.events = q.events[:0]; cap(q.events) > keptEvents {
		q.events = nil
	}
	q.bytes = 0
	q.mu.Unlock()
	if full {
		_ = h.Do(func(time.Time, *peer.Peer) {}) // behind every call events are pulled; an error says that there is no peer any more
	}
	return events
}
