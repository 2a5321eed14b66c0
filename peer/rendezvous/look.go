package rendezvous

import (
	"errors"
	"slices"
	"time"

	"kith/dht"
	"kith/handshake"
	"kith/wire"
)

const (
	secondAfter = 10 * time.Second // of the second look-up, if the first put has not ended
	fullAfter   = 1800 * time.Second
	fullEarly   = 150 * time.Second // a look-up that comes so much earlier asks all, so that the next one is not so much later
	nearMost    = 8                 // nodes asked between
	nearFew     = 3                 // of them that have to answer, or all are asked the next time
	lately      = 7 * 24 * time.Hour
	aheadMost   = 3600 * time.Second // that a record may be
	clockEvery  = time.Hour
)

// waits are the times between look-ups, and behind them the one for friends who were spoken to lately, and the one for others.
var waits = []time.Duration{15 * time.Second, 60 * time.Second, 240 * time.Second}

const (
	waitLately = 300 * time.Second
	waitOthers = 900 * time.Second
)

// A look is the search for a friend.
type look struct {
	due    time.Time // of the next look-up; zero: none is due by itself
	step   int       // how many waits there were since the search began
	queued bool

	putSeen bool      // the first put has begun
	waits   bool      // a look-up is due when it ends
	second  time.Time // or now, if it has not

	began    time.Time // the look-up under way, or the last
	ops      []dht.Op
	epochs   []uint64 // that it asks for, one behind the other
	stage    int      // of epochs
	found    bool
	answered bool // by anybody

	sought   bool      // it has been found, or told that it was not
	deaf     bool      // nobody answered the last
	clock    time.Time // when the user was last told of the friend's clock
	readings []*reading
}

// A reading is what is known of a friend's slots of one epoch.
type reading struct {
	epoch   uint64
	highest int64 // seq over both families
	gone    bool  // the epoch is not accepted any more
	sides   [2]side
}

// A side is a reading in one family.
type side struct {
	reader *handshake.Reader
	near   []wire.Node // who would have a record: those closest to the slot, of the last full look-up
	full   time.Time   // when that was
}

// erase forgets the keys of a reading.
func (read *reading) erase() {
	read.gone = true
	for _, s := range read.sides {
		if s.reader != nil {
			s.reader.Slot().Erase()
		}
	}
}

// forget erases the readings of all epochs but these.
func (l *look) forget(live []uint64) {
	l.readings = slices.DeleteFunc(l.readings, func(read *reading) bool {
		if slices.Contains(live, read.epoch) {
			return false
		}
		read.erase()
		return true
	})
}

// reading returns what is known of the slots of an epoch.
func (r *Rendezvous) reading(c *contact, epoch uint64) *reading {
	for _, read := range c.look.readings {
		if read.epoch == epoch {
			return read
		}
	}
	read := &reading{epoch: epoch}
	for _, f := range r.families {
		read.sides[f].reader = handshake.NewReader(c.pair.Slot(handshake.Friend, ofHandshake(f), epoch))
	}
	c.look.readings = append(c.look.readings, read)
	return read
}

// narrow reports whether it is enough to ask those near the slot.
func (s *side) narrow(now time.Time) bool { // peer-look-storers
	return len(s.near) > 0 && now.Before(s.full.Add(fullAfter-fullEarly))
}

// need returns how many queries the first stage of a look-up for c may take.
func (r *Rendezvous) need(now time.Time, c *contact) (need int) {
	read := r.reading(c, c.epoch)
	for _, f := range r.families {
		if read.sides[f].narrow(now) {
			need += nearMost
		} else {
			need += needFull
		}
	}
	return need
}

// idle reports whether the look waits for nothing but its time.
func (l *look) idle() bool { return !l.queued && len(l.ops) == 0 && !l.due.IsZero() }

// anew begins the search anew.
func (l *look) anew(now time.Time) {
	if len(l.ops) > 0 && l.began.Equal(now) {
		l.step = 1 // it has begun
		return
	}
	l.step, l.due = 0, now
}

// putBegan takes that a put begins. With the first one the search does.
func (l *look) putBegan(now time.Time, c *contact) {
	if l.putSeen {
		return
	}
	l.putSeen = true
	if c.wanted() {
		l.anew(now) // peer-look-start
		l.waits, l.second = true, now.Add(secondAfter)
	}
}

// putsEnded takes that a put was done, or has failed. When all of the present epoch have, it is time for the second look-up: of two people who begin at once, the
// one whose puts end last finds the other.
func (l *look) putsEnded(now time.Time, p *post) {
	p.ended = true
	for _, q := range p.c.posts {
		if q.epoch == p.c.epoch && !q.ended {
			return
		}
	}
	if l.waits {
		l.lookAgain(now)
	}
}

// lookAgain begins the second look-up, or has it follow the first.
func (l *look) lookAgain(now time.Time) { // peer-look-start
	l.waits, l.due = false, now
}

// lookUp begins a look-up.
func (r *Rendezvous) lookUp(now time.Time, c *contact) {
	l := &c.look
	c.urgent = false
	l.began, l.due = now, time.Time{}
	l.epochs, l.stage, l.found, l.answered = c.pair.Live(now), 0, false, false // rv-epoch-current
	if !l.waits {
		l.next(now, r, c)
	}
	r.looks++
	r.ask(now, c)
}

// next says when the next look-up is due.
func (l *look) next(now time.Time, r *Rendezvous, c *contact) { // peer-look-again
	wait := waitOthers
	switch {
	case l.step < len(waits):
		wait = waits[l.step]
		l.step++
	case now.Sub(c.spoken) < lately:
		wait = waitLately
	}
	l.due = r.within(now, wait*3/4, wait*5/4)
}

// ask asks for the slots of one epoch.
func (r *Rendezvous) ask(now time.Time, c *contact) {
	l := &c.look
	read := r.reading(c, l.epochs[l.stage])
	for _, f := range r.families {
		s := &read.sides[f]
		opt := dht.GetOptions{Families: []dht.Family{f}, Pace: r.pace} // peer-look-seq
		t, need := task{c: c, read: read, family: f, full: true}, needFull
		if s.narrow(now) {
			opt.Only, t.full, need = s.near, false, nearMost
		}
		op := r.node.Get(now, s.reader.Slot().Target, opt)
		l.ops = append(l.ops, op)
		r.start(op, t, need)
	}
}

// looked takes an event of a get.
func (r *Rendezvous) looked(now time.Time, t *task, e dht.Event) {
	switch e.Kind {
	case dht.EventItem:
		r.read(now, t, e)
	case dht.EventDone:
		l := &t.c.look
		l.ops = slices.DeleteFunc(l.ops, func(op dht.Op) bool { return op == e.Op })
		l.answered = l.answered || e.Answered > 0
		t.read.sides[t.family].learn(now, t, e)
		if len(l.ops) == 0 {
			r.stageEnded(now, t.c)
		}
	}
}

// read takes an item that was found.
func (r *Rendezvous) read(now time.Time, t *task, e dht.Event) {
	if t.read.gone {
		return
	}
	l, i := &t.c.look, itemOf(e.Item)
	rec, err := t.read.sides[t.family].reader.Read(now, i)
	switch {
	case errors.Is(err, handshake.ErrState): // a right record, of another time
		r.clock(now, t.c, i.Seq)
	case err == nil && rec.Seq >= t.read.highest: // rv-record-highest
		t.read.highest = rec.Seq
		t.giver = e.Node
		l.found, l.sought = true, true
		r.found(now, t.c, rec) // peer-look-early
	}
}

// clock tells of a friend whose record comes from the future.
func (r *Rendezvous) clock(now time.Time, c *contact, seq int64) { // peer-clock
	ahead := time.Duration(min(seq/1000-now.Unix(), int64(100*365*24*time.Hour/time.Second))) * time.Second
	if ahead <= aheadMost || !c.look.clock.IsZero() && now.Before(c.look.clock.Add(clockEvery)) {
		return
	}
	c.look.clock = now
	c.look.sought = true // and so it was not that he was not found
	r.outputs.add(Output{Kind: OutputClock, Friend: c.friend, Ahead: ahead})
}

// learn notes who is near the slot: him who gave the newest record, and the closest that answered, which are those that somebody puts to.
func (s *side) learn(now time.Time, t *task, e dht.Event) {
	if !t.full {
		if e.Answered < min(nearFew, len(s.near)) {
			s.near = nil
		}
		return
	}
	s.near, s.full = nil, t.c.look.began
	add := func(n wire.Node) {
		if n.Addr.IsValid() && len(s.near) < nearMost && !slices.Contains(s.near, n) {
			s.near = append(s.near, n)
		}
	}
	add(t.giver)
	for _, n := range e.Nodes {
		add(n)
	}
}

// stageEnded goes on with the neighbouring epoch, or ends the look-up.
func (r *Rendezvous) stageEnded(now time.Time, c *contact) {
	l := &c.look
	l.stage++
	if !l.found && l.stage < len(l.epochs) && slices.Contains(c.pair.Live(now), l.epochs[l.stage]) { // rv-epoch-other
		r.ask(now, c)
		return
	}
	r.looks--
	l.deaf = !l.answered
	if another := l.waits || !l.due.IsZero() && !l.due.After(now); !another && !l.sought && l.answered { // peer-not-found
		l.sought = true
		r.outputs.add(Output{Kind: OutputNotFound, Friend: c.friend})
	}
}

// stopLooking ends the search for c.
func (r *Rendezvous) stopLooking(c *contact) {
	l := &c.look
	if len(l.ops) > 0 {
		for _, op := range l.ops {
			r.stop(op)
		}
		l.ops = nil
		r.looks--
	}
	if l.queued {
		r.looking.remove(c)
		l.queued = false
	}
	l.due, l.waits = time.Time{}, false
}
