package handshake

import (
	"container/heap"
	"time"
)

// timers are the contacts with whom something is due, a heap with the first deadline on top.
type timers []*contact

func (t timers) Len() int { return len(t) }

// Less makes a draw of two deadlines fall in one way always: the smaller key first.
func (t timers) Less(i, j int) bool {
	if d := t[i].deadline.Compare(t[j].deadline); d != 0 {
		return d < 0
	}
	return t[i].friend.Compare(t[j].friend) < 0
}

func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].place, t[j].place = i, j
}

// Push is for package heap only.
func (t *timers) Push(x any) {
	c := x.(*contact)
	c.place = len(*t)
	*t = append(*t, c)
}

// Pop is for package heap only.
func (t *timers) Pop() any {
	last := len(*t) - 1
	c := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	c.place = -1
	return c
}

// schedule sets when something is due with the contact.
func (m *Machine) schedule(c *contact) {
	due := c.due()
	switch {
	case due.IsZero():
		if c.place >= 0 {
			heap.Remove(&m.timers, c.place)
		}
		c.deadline = due
	case c.place < 0:
		c.deadline = due
		heap.Push(&m.timers, c)
	case !due.Equal(c.deadline):
		c.deadline = due
		heap.Fix(&m.timers, c.place)
	}
}

// due returns when something is due with the contact, the zero time for never.
func (c *contact) due() (first time.Time) {
	at := func(t time.Time) {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	if a := c.attempt; a != nil {
		at(a.next)
		at(a.end) // fragments go with their id, before FragmentLife is over
	}
	if c.offer != nil {
		at(c.offer.until)
	}
	if len(c.out) > 0 {
		at(c.out[0].until)
	}
	if len(c.used) > 0 {
		at(c.used[0].until)
	}
	if len(c.half) > 0 {
		at(c.half[0].until)
	}
	return first
}
