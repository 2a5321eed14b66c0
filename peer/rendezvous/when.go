package rendezvous

import (
	"cmp"
	"container/heap"
	"slices"
	"time"
)

// minute is how far apart the moments are at which rare things are done: what is due at about the same time, for whomever, is done in one go, and wakes the machine once.
const minute = time.Minute

// breath is how far apart, where the pace is what holds things up, the moments are at which they go on.
const breath = time.Second / 2

// within returns a moment from lo to hi after now, drawn so that it is in the middle on average, and common to all that are drawn: a multiple, counted from zero, of
// half of the span, or of a minute if that is less.
func (r *Rendezvous) within(now time.Time, lo, hi time.Duration) time.Time {
	grid := min((hi-lo)/2, minute)
	if grid <= 0 {
		return now.Add(lo)
	}
	return r.round(now.Add(lo+time.Duration(r.random.Int64N(int64(hi-lo-grid)+1))), grid)
}

// round returns the next moment from t on that is common to all.
func (r *Rendezvous) round(t time.Time, grid time.Duration) time.Time {
	if over := t.Sub(r.zero) % grid; over > 0 {
		return t.Add(grid - over)
	}
	return t
}

// NextTimeout returns when HandleTimeout is to be called next; the zero time: never.
func (r *Rendezvous) NextTimeout() time.Time {
	next := r.resume
	if !r.begun && len(r.contacts) > 0 {
		return r.zero
	}
	if len(r.timers) > 0 {
		next = earlier(next, r.timers[0].due)
	}
	return next
}

// earlier returns the earlier of two moments, of which the zero time is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// HandleTimeout does what is due at now. Calling it too early, or too often, does no harm.
func (r *Rendezvous) HandleTimeout(now time.Time) {
	r.begun = true
	for len(r.timers) > 0 && !r.timers[0].due.After(now) {
		r.serve(now, r.timers[0])
	}
	r.begin(now)
}

// settle does what ends every call about c.
func (r *Rendezvous) settle(now time.Time, c *contact) {
	r.serve(now, c)
	r.begin(now)
}

// serve lets what is due for c wait for room, and sets the timer for the rest.
func (r *Rendezvous) serve(now time.Time, c *contact) {
	if r.contacts[c.friend] != c {
		return
	}
	r.turn(now, c, false)
	c.due = r.round(c.turn, minute)
	for _, p := range c.posts {
		if p.idle() && len(r.endpoints) > 0 {
			if p.due.After(now) {
				c.due = earlier(c.due, p.due)
			} else {
				p.queued = true
				r.posting.add(p, c.urgencyOf(p.first && p.began.IsZero(), p.due))
			}
		}
	}
	if l := &c.look; c.wanted() {
		if l.waits && !l.second.After(now) { // peer-look-start
			l.lookAgain(now)
		}
		if l.waits {
			c.due = earlier(c.due, l.second)
		}
		if l.idle() {
			if l.due.After(now) {
				c.due = earlier(c.due, l.due)
			} else {
				l.queued = true
				r.looking.add(c, c.urgencyOf(l.began.IsZero(), l.due))
			}
		}
	}
	r.timers.set(c)
}

// begin begins what waits, as far as there is room: look-ups and puts in turn, so that neither waits for all of the other.
func (r *Rendezvous) begin(now time.Time) {
	r.resume = time.Time{}
	for r.begun {
		look, put := len(r.looking) > 0 && r.looks < looksMax, len(r.posting) > 0 && r.puts < putsAtOnce // peer-look-pace
		if look && put {
			look = r.lookNext
			put = !look
		}
		need := needFull
		switch {
		case look:
			need = r.need(now, r.looking[0].x)
		case !put:
			return
		}
		if free := r.pace.Free(r.reserved + need); free.After(now) {
			r.resume = r.round(free, breath)
			return
		}
		r.lookNext = !look
		if look {
			c := r.looking.pop()
			c.look.queued = false
			r.lookUp(now, c)
			r.serve(now, c)
		} else {
			p := r.posting.pop()
			p.queued = false
			r.put(now, p)
			r.serve(now, p.c) // the first put lets a look-up begin
		}
	}
}

// An urgency says in which order things are done that wait. The lesser is first.
type urgency struct {
	rank   int       // 0: somebody waits for him; 1: for the first time; 2: again
	spoken time.Time // of rank 1, who was spoken to last is first
	due    time.Time // of rank 2, what is due longest
	serial uint64
}

func (u urgency) compare(v urgency) int {
	c := cmp.Compare(u.rank, v.rank)
	if c == 0 && u.rank == 1 {
		c = v.spoken.Compare(u.spoken) // peer-look-pace
	}
	if c == 0 && u.rank == 2 {
		c = u.due.Compare(v.due)
	}
	if c == 0 {
		c = cmp.Compare(u.serial, v.serial)
	}
	return c
}

// urgencyOf returns the urgency of something for c that is due at a time.
func (c *contact) urgencyOf(first bool, due time.Time) urgency {
	u := urgency{rank: 2, spoken: c.spoken, due: due, serial: c.serial}
	if first {
		u.rank = 1
	}
	if c.urgent {
		u.rank = 0
	}
	return u
}

// A queue is what waits for room, the most urgent first.
type queue[T comparable] []waiting[T]

type waiting[T comparable] struct {
	x T
	u urgency
}

func (q *queue[T]) add(x T, u urgency) {
	at, _ := slices.BinarySearchFunc(*q, u, func(w waiting[T], u urgency) int {
		if w.u.compare(u) > 0 {
			return 1
		}
		return -1 // behind its equals
	})
	*q = slices.Insert(*q, at, waiting[T]{x, u})
}

func (q *queue[T]) pop() T {
	x := (*q)[0].x
	*q = slices.Delete(*q, 0, 1)
	return x
}

func (q *queue[T]) remove(x T) {
	*q = slices.DeleteFunc(*q, func(w waiting[T]) bool { return w.x == x })
}

// timers is a heap of contacts, by when they are due.
type timers []*contact

func (t timers) Len() int { return len(t) }

func (t timers) Less(i, j int) bool {
	if t[i].due.Equal(t[j].due) {
		return t[i].serial < t[j].serial
	}
	return t[i].due.Before(t[j].due)
}

func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].index, t[j].index = i, j
}

// Push is heap.Interface's.
func (t *timers) Push(x any) {
	c := x.(*contact)
	c.index = len(*t)
	*t = append(*t, c)
}

// Pop is heap.Interface's.
func (t *timers) Pop() any {
	last := len(*t) - 1
	c := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	c.index = -1
	return c
}

// set puts c where it belongs after its due has changed.
func (t *timers) set(c *contact) {
	if c.index < 0 {
		heap.Push(t, c)
	} else {
		heap.Fix(t, c.index)
	}
}

func (t *timers) remove(c *contact) {
	if c.index >= 0 {
		heap.Remove(t, c.index)
	}
}
