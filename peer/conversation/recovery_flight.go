package conversation

import (
	"math/bits"
	"slices"
	"time"
)

const (
	ids        = MaxAhead + 1 // that can be under way at once: the next expected one and those above it
	mapped     = 64           // ids above the next expected one that a bitmap has
	firstSlots = 64           // a power of two: what a conversation has that sends little
	maxKept    = 1024         // datagrams, more than the parts that there can be of which an acknowledgement does not show whether they arrived
)

// A place is one part of one message.
type place struct {
	id   uint64
	part uint8
}

// A slot is what became of the parts of one message in this conversation. Bit i stands for part i.
type slot struct {
	shown uint64 // by acknowledgements
	lost  uint64 // to be sent again
	ahead uint16 // bytes of it that count against what the other side holds
	parts uint8  // of the message; zero: nothing of it was sent
	next  uint8  // the first part that was never sent
}

// sent has the bits of the parts that were sent.
func (s *slot) sent() uint64 { return 1<<s.next - 1 }

// A carried is a part in the datagram in which it was last sent.
type carried struct {
	place
	again bool // it was sent before: when it is shown, that does not say which datagram arrived
	alone bool // it is a whole message
}

// A flying is a datagram with message parts.
type flying struct {
	sent  time.Time
	parts []carried // that are not shown, in the order of their ids
	later uint8     // how many datagrams behind it have arrived, at most lossDatagrams
	state flyingState
}

type flyingState uint8

const (
	inFlight flyingState = iota
	landed               // it arrived; what is left in it cannot be shown yet, or was ignored
	gone                 // it is lost; what is left in it cannot be missed yet
)

// A flight is what was sent of a stream in one conversation and is not acknowledged: RFC 9002 with message parts in the place of packets. It ends with the conversation. // peer-bitmap-void
//
// A part is shown by next expected, bitmap or parts. Of a message behind the next expected one an acknowledgement shows only whether it is whole, and of those far behind it nothing;
// until it would show a part, that does not count as lost.
type flight struct {
	estimate
	window
	pacer

	base   uint64 // the highest next expected that was told
	fresh  uint64 // the lowest id of which not all parts were sent
	slots  []slot // of base to fresh, that of an id at id % len(slots), which is a power of two; nil while nothing was sent
	lost   int    // parts that are to be sent again
	resend uint64 // no id below it has such a part
	ahead  int    // bytes of ids above base that were sent

	all     queue[flying] // the oldest first; nothing is left of some
	flying  int           // those that are in flight
	current []carried
	free    [][]carried

	quiet  time.Time // since when nothing was shown and nothing sent
	probes int       // that showed nothing
	probe  bool      // one is due
	lossAt time.Time // when more counts as lost if nothing is shown; zero: never
}

// newFlight returns the state of a stream of which the other side expects an id.
func newFlight(base uint64) flight {
	return flight{window: newWindow(), base: base, fresh: base, resend: base}
}

// moved forgets what was known of the path: it is another now.
func (f *flight) moved() { f.estimate, f.window, f.pacer = estimate{}, newWindow(), pacer{} }

// rest gives back what an idle conversation does not need.
func (f *flight) rest() {
	if f.all.len() == 0 && !f.waits() {
		f.slots, f.all, f.free, f.current = nil, queue[flying]{}, nil, nil
	}
}

func (f *flight) slot(id uint64) *slot { return &f.slots[id&uint64(len(f.slots)-1)] }

// reach makes room for the slot of an id, which is at most one above those that there is room for.
func (f *flight) reach(id uint64) {
	if id-f.base < uint64(len(f.slots)) {
		return
	}
	old := *f
	f.slots = make([]slot, max(firstSlots, 2*len(old.slots)))
	for moved := old.base; old.slots != nil && moved <= old.fresh; moved++ {
		*f.slot(moved) = *old.slot(moved)
	}
}

// waits reports whether anything was sent in this conversation that is not acknowledged.
func (f *flight) waits() bool { return f.slots != nil && f.slot(f.base).parts != 0 }

// next returns the part that is to be sent next, of ids below sendable: the oldest that a probe carries, then what is lost, then what is new.
func (f *flight) next(sendable uint64) (place, bool) {
	if f.probe && len(f.current) == 0 && f.waits() {
		return f.oldest(), true
	}
	for ; f.lost > 0 && f.resend <= f.fresh; f.resend++ {
		if s := f.slot(f.resend); s.lost != 0 {
			return place{f.resend, uint8(bits.TrailingZeros64(s.lost))}, true
		}
	}
	if f.fresh >= min(sendable, f.base+ids) { // peer-window
		return place{}, false
	}
	if f.fresh > f.base && f.ahead+PartBytes > MaxHeld { // it would be ignored (peer-hold)
		return place{}, false
	}
	p := place{id: f.fresh}
	if f.slots != nil {
		p.part = f.slot(f.fresh).next
	}
	return p, true
}

// oldest returns the first part of the next expected message that is not shown, or, where only the other side's store is waited for, its first.
func (f *flight) oldest() place {
	s := f.slot(f.base)
	if missing := s.sent() &^ s.shown; missing != 0 {
		return place{f.base, uint8(bits.TrailingZeros64(missing))}
	}
	return place{id: f.base}
}

// allows reports whether a datagram with message parts may go, and, if only the pace holds it back, when it may.
func (f *flight) allows(now time.Time) (ok bool, when time.Time) {
	switch {
	case f.flying >= maxFlight: // peer-flight
		return false, time.Time{}
	case f.probe: // RFC 9002, 7.5: neither window nor pace holds it back
		return true, time.Time{}
	case f.flying >= f.size: // peer-congestion
		return false, time.Time{}
	}
	when = f.ready(interval(&f.estimate, &f.window))
	return !when.After(now), when
}

// put adds a part to the datagram that is being built.
func (f *flight) put(p *Part) {
	f.reach(p.ID + 1) // fresh may rise to it
	at := place{p.ID, p.Part}
	s, bit := f.slot(p.ID), uint64(1)<<p.Part
	again := s.sent()&bit != 0
	switch {
	case s.lost&bit != 0:
		s.lost &^= bit
		f.lost--
	case again:
		f.leave(at)
	default:
		s.parts, s.next = p.Parts, p.Part+1
		if p.ID > f.base {
			s.ahead += uint16(len(p.Bytes))
			f.ahead += len(p.Bytes)
		}
		if s.next == s.parts {
			f.fresh++
		}
	}
	f.current = append(f.current, carried{at, again, p.Parts == 1})
}

// leave takes a part out of the datagram in which it was last sent.
func (f *flight) leave(p place) {
	all := f.all.rest()
	for i := range all {
		d := &all[i]
		d.parts = slices.DeleteFunc(d.parts, func(c carried) bool { return c.place == p })
		if len(d.parts) == 0 {
			f.down(d, gone)
		}
	}
	f.sweep()
}

// launch says that the datagram that was being built goes now.
func (f *flight) launch(now time.Time) {
	if len(f.current) == 0 {
		return
	}
	f.pacer.sent(now, interval(&f.estimate, &f.window))
	f.all.push(flying{sent: now, parts: f.current})
	f.flying++
	f.quiet, f.probe = now, false
	f.current = nil
	if n := len(f.free); n > 0 {
		f.current, f.free = f.free[n-1], f.free[:n-1]
	}
}

// show takes an acknowledgement.
func (f *flight) show(now time.Time, a *Ack) {
	if a.Next < f.base {
		return // older than one that was had
	}
	before := f.base
	news := f.advance(a.Next)
	if f.waits() {
		news = f.mark(f.base, a.Parts) || news
		for b := a.Bitmap; b != 0; b &= b - 1 {
			if id := f.base + 1 + uint64(bits.TrailingZeros64(b)); id <= f.fresh {
				news = f.mark(id, ^uint64(0)) || news
			}
		}
	}
	if !news {
		return
	}
	f.quiet, f.probes, f.probe = now, 0, false
	f.land(now, before)
	f.lose(now)
}

// advance moves base up to next.
func (f *flight) advance(next uint64) bool {
	if next == f.base {
		return false
	}
	for id := f.base; f.slots != nil && id <= min(f.fresh, next); id++ {
		s := f.slot(id)
		f.ahead -= int(s.ahead)
		s.ahead = 0 // that of next too: the next expected is not ahead
		if id < next {
			f.lost -= bits.OnesCount64(s.lost)
			*s = slot{}
		}
	}
	f.base = next
	f.fresh, f.resend = max(f.fresh, next), max(f.resend, next)
	return true
}

// mark notes that parts of a message are shown.
func (f *flight) mark(id, parts uint64) bool {
	s := f.slot(id)
	parts &= s.sent() &^ s.shown
	s.shown |= parts
	f.lost -= bits.OnesCount64(s.lost & parts)
	s.lost &^= parts
	return parts != 0
}

// isShown reports whether a part that was sent is shown.
func (f *flight) isShown(p place) bool { return p.id < f.base || f.slot(p.id).shown>>p.part&1 != 0 }

// visibleAt reports whether an acknowledgement with that next expected id would show the part if it had arrived.
func (c *carried) visibleAt(next uint64) bool {
	return c.id <= next || c.alone && c.id-next <= mapped
}

// land finds which datagrams arrived, and what that says of the round trip and of those before them. Up to this acknowledgement, the next expected was before.
func (f *flight) land(now time.Time, before uint64) {
	used, arrived, measured := f.flying, 0, false
	all := f.all.rest()
	for i := len(all) - 1; i >= 0; i-- { // the newest first
		d := &all[i]
		if len(d.parts) == 0 {
			continue
		}
		proof, exact := false, false
		if d.parts[0].id <= f.base+mapped { // else nothing of it can be shown
			d.parts = slices.DeleteFunc(d.parts, func(c carried) bool {
				if !f.isShown(c.place) {
					return false
				}
				// A part that was sent before has arrived in this datagram only if there was time for it. What could not be shown before says nothing of the round trip.
				proof = proof || !c.again || now.Sub(d.sent) >= f.least
				exact = exact || !c.again && c.visibleAt(before)
				return true
			})
		}
		if exact && !measured { // RFC 9002, 5.1: of the newest only
			f.estimate.sample(now.Sub(d.sent))
			measured = true
		}
		switch {
		case proof:
			arrived++
			if d.state == inFlight {
				f.window.arrived(d.sent, used)
			}
			f.down(d, landed)
		case len(d.parts) == 0:
			f.down(d, gone) // what it carried has arrived in another
		default:
			d.later = uint8(min(int(d.later)+arrived, lossDatagrams))
		}
	}
}

// down says that a datagram is not in flight any more.
func (f *flight) down(d *flying, to flyingState) {
	if d.state == inFlight {
		f.flying--
	}
	d.state = to
}

// lose finds what counts as lost.
func (f *flight) lose(now time.Time) { // peer-loss
	delay := f.lossDelay()
	f.lossAt = time.Time{}
	all := f.all.rest()
	for i := range all {
		d := &all[i]
		if d.state == inFlight {
			if d.later == 0 {
				break // of what was sent later, nothing has arrived
			}
			if at := d.sent.Add(delay); d.later < lossDatagrams && now.Before(at) {
				if f.lossAt.IsZero() {
					f.lossAt = at // the oldest's is the first
				}
				continue
			}
			f.down(d, gone)
		}
		n := len(d.parts)
		d.parts = slices.DeleteFunc(d.parts, func(c carried) bool {
			if !c.visibleAt(f.base) {
				return false
			}
			f.resend = min(f.resend, c.id)
			f.slot(c.id).lost |= 1 << c.part
			f.lost++
			return true
		})
		if len(d.parts) < n && d.state == gone {
			f.window.lost(now, d.sent)
		}
	}
	f.sweep()
}

// sweep forgets datagrams of which nothing is left: the oldest at once, others when there are many.
func (f *flight) sweep() {
	for f.all.len() > 0 && len(f.all.at(0).parts) == 0 {
		f.free = append(f.free, f.all.pop().parts)
	}
	if f.all.len() > maxKept {
		f.all = queue[flying]{all: slices.DeleteFunc(f.all.rest(), func(d flying) bool { return len(d.parts) == 0 })}
	}
}

// timeout returns when handleTimeout is due, the zero time for never.
func (f *flight) timeout() time.Time {
	if !f.waits() || f.probe {
		return time.Time{}
	}
	at := f.quiet.Add(f.probeTimeout(f.probes))
	if !f.lossAt.IsZero() && f.lossAt.Before(at) {
		return f.lossAt
	}
	return at
}

func (f *flight) handleTimeout(now time.Time) {
	if at := f.timeout(); at.IsZero() || now.Before(at) {
		return
	}
	if !f.lossAt.IsZero() && !now.Before(f.lossAt) {
		f.lose(now)
		return
	}
	f.probe = true // peer-probe
	f.probes++
	f.quiet = now
	if f.flying >= maxFlight { // it takes the place of the oldest: otherwise who has lost all of them could never ask again (peer-flight)
		all := f.all.rest()
		f.down(&all[slices.IndexFunc(all, func(d flying) bool { return d.state == inFlight })], gone)
	}
}
