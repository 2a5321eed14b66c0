package peer

// events wait for Event.
type events struct {
	waiting []pending
	next    int
}

// pending is an event, or stands for the deliveries of a contact, which come one at a time.
type pending struct {
	Event
	of *contact
}

func (e *events) len() int { return len(e.waiting) - e.next }

func (e *events) pop() pending {
	v := e.waiting[e.next]
	e.waiting[e.next] = pending{}
	if e.next++; e.next == len(e.waiting) {
		e.waiting, e.next = e.waiting[:0], 0
	}
	return v
}

func (e *events) push(v pending) {
	if e.next > 0 && len(e.waiting) == cap(e.waiting) && e.next >= len(e.waiting)/2 { // what was taken makes room
		n := copy(e.waiting, e.waiting[e.next:])
		clear(e.waiting[n:])
		e.waiting, e.next = e.waiting[:n], 0
	}
	e.waiting = append(e.waiting, v)
}

// add adds an event, unless far too many wait.
func (e *events) add(v Event) {
	if e.len() < maxEvents {
		e.push(pending{Event: v})
	}
}

// raise adds an event that speaks of all positions up to its own. If the last that waits is about the same, it is raised instead.
func (e *events) raise(v Event) {
	if n := len(e.waiting); n > e.next {
		if last := &e.waiting[n-1]; last.of == nil && last.Kind == v.Kind && last.Friend == v.Friend {
			last.Position = v.Position
			return
		}
	}
	e.add(v)
}
