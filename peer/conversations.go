package peer

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"kith/handshake"
	"kith/peer/conversation"
	"kith/peer/rendezvous"
)

// begin makes the conversation of a session that the machine tells of. It waits for the other side's first datagram.
func (p *Peer) begin(now time.Time, c *contact, o handshake.Output) {
	conv, err := conversation.New(now, conversation.Config{
		Role: o.ID.Role, Session: o.Session, To: p.from, Sending: c.sending, Receiving: c.receiving, Journal: &p.journal,
		Rand: p.rand, Random: p.rng, Buffers: &p.buffers,
	})
	if err != nil {
		return // Rand failed, or the friend's ratchet key is none: without a hello no accept goes, and the machine tries anew
	}
	s := &session{id: o.ID, contact: c, conversation: conv, place: -1}
	if !p.sessions.claim(s) {
		conv.Erase()
		return
	}
	c.young = append(c.young, s)
	p.sessions.young = append(p.sessions.young, s)
	p.sessions.touch(s)
	if hello := conv.HelloDatagram(); hello != nil {
		_ = p.machine.Hello(now, o.ID, hello) // hs-hello-behind; the machine waits for it
	}
	p.bury(now) // hs-halfopen-bound, hs-out-bound
}

// youngOf returns the session of an id that is not the conversation, nil if there is none.
func (c *contact) youngOf(id handshake.SessionID) *session {
	for _, s := range c.young {
		if s.id == id {
			return s
		}
	}
	return nil
}

// bury erases the sessions that do not live any more by the machine, which does not tell of each.
func (p *Peer) bury(now time.Time) {
	for _, s := range slices.Clone(p.sessions.young) {
		if !p.machine.Lives(now, s.id) {
			p.erase(s)
		}
	}
}

// erase forgets a session that is not to say anything any more. // peer-over-erase
func (p *Peer) erase(s *session) {
	if s.erased {
		return
	}
	s.conversation.Erase()
	p.sessions.remove(s)
	c := s.contact
	if c.present == s {
		c.present = nil
	}
	c.young, c.ending = without(c.young, s), without(c.ending, s)
}

// finish makes a session the present conversation with a contact. // peer-replace, hs-finish-replaces
func (p *Peer) finish(now time.Time, c *contact, id handshake.SessionID) {
	s := c.youngOf(id)
	if s == nil {
		return
	}
	replaced := c.present
	if replaced != nil {
		p.erase(replaced)
		p.events.add(Event{Kind: EventOffline, Friend: c.Key, Why: WhyReplaced})
	}
	for len(c.ending) > 0 { // the other side has begun this one since
		p.erase(c.ending[0])
	}
	c.young, p.sessions.young = without(c.young, s), without(p.sessions.young, s)
	c.present, c.quiet = s, false
	p.bury(now)
	p.rendezvous.Answered(c.Key, s.conversation.To()) // peer-knock-rare
	p.rendezvous.Open(now, c.Key, true)
	p.spoke(now, c)
	p.events.add(Event{Kind: EventOnline, Friend: c.Key, Addr: s.conversation.To()})
	s.conversation.Finish(now)
	p.sessions.touch(s)
}

// handleConversation takes a datagram of a conversation. It reports whether it was anybody's.
func (p *Peer) handleConversation(now time.Time, from netip.AddrPort, b []byte) bool {
	t, ok := p.sessions.find(b)
	if !ok {
		return false
	}
	s := t.session
	opened, err := s.conversation.HandleDatagram(now, from, t.index, b)
	if err != nil {
		return true // in silence
	}
	p.sessions.touch(s)
	if opened && p.machine.Opened(now, s.id) != nil { // hs-rank-when, hs-finish-initiator
		p.erase(s) // its time is over
	}
	return true
}

// settleSessions takes the events of the conversations that were called. It reports whether there was one.
func (p *Peer) settleSessions(now time.Time) (did bool) {
	l := &p.sessions
	for len(l.touched) > 0 {
		s := l.touched[len(l.touched)-1]
		l.touched = l.touched[:len(l.touched)-1]
		s.touched = false
		for !s.erased {
			e, ok := s.conversation.Event()
			if !ok {
				break
			}
			did = true
			p.handleEvent(now, s, e)
		}
		p.watchStream(now, s)
	}
	return did
}

// watchStream lets the conversation be looked at again when it has given its stream up and that is durable: it ends then. // peer-stream-restored
func (p *Peer) watchStream(now time.Time, s *session) {
	if c := s.contact; s == c.present && c.stream != c.sending.Stream() {
		c.stream = c.sending.Stream()
		p.journal.Then(now, func(time.Time) { p.sessions.touch(s) })
	}
}

// handleEvent takes an event of a conversation.
func (p *Peer) handleEvent(now time.Time, s *session, e conversation.Event) {
	c := s.contact
	if s != c.present { // only its end is of interest
		if e.Kind == conversation.EventOver {
			p.erase(s)
		}
		return
	}
	switch e.Kind {
	case conversation.EventCIDs:
		if !p.sessions.claim(s) { // nobody but a friend who has sought for years gets here
			s.conversation.End(now, conversation.ReasonLeft)
		}
	case conversation.EventDelivered:
		p.events.raise(Event{Kind: EventDelivered, Friend: c.Key, Position: e.To - 1})
	case conversation.EventMissing:
		p.events.add(Event{Kind: EventMissing, Friend: c.Key, From: e.From, To: e.To - 1}) // peer-stream-gap
	case conversation.EventEndpoints:
		c.known = e.Endpoints
	case conversation.EventEnding:
		p.part(now, s, e.Why)
	case conversation.EventOver:
		p.part(now, s, e.Why)
		p.erase(s)
	}
}

// part takes the conversation away from its contact, because it is over or only says its last words.
func (p *Peer) part(now time.Time, s *session, why conversation.Why) {
	c := s.contact
	c.present = nil
	c.ending = append(c.ending, s)
	p.sessions.ending = append(p.sessions.ending, s)
	p.sessions.release(s) // nothing is taken any more
	_ = p.machine.Ended(now, s.id)
	p.rendezvous.Answered(c.Key, s.conversation.To())
	p.rendezvous.Open(now, c.Key, false)
	p.spoke(now, c)
	p.events.add(Event{Kind: EventOffline, Friend: c.Key, Why: Why(why)})
	if p.closing {
		return
	}
	again := why != conversation.WhyMalformed && c.sending.Waiting() > 0
	switch {
	case why == conversation.WhyLost, why == conversation.WhyRestored: // peer-lost-again, peer-knock-last
		p.rendezvous.Search(now, c.Key, append([]netip.AddrPort{s.conversation.To()}, c.known...)...)
	case again: // there is a message to send
		p.rendezvous.Search(now, c.Key)
	default: // what ended for a fault would end so again
		c.quiet = true
		p.rendezvous.Quiet(now, c.Key, true) // peer-end-quiet
	}
}

// knock begins an attempt, or tries more addresses in the one that is under way.
func (p *Peer) knock(now time.Time, o rendezvous.Output) { // peer-knock-found, hs-attempt-more
	err := p.machine.Begin(now, o.Friend, o.To...)
	if errors.Is(err, handshake.ErrState) {
		_ = p.machine.Also(now, o.Friend, o.To...) // or an accept is out already, which is better
		return
	}
	if err != nil || p.closing {
		p.rendezvous.Attempt(now, o.Friend, false)
	}
}

// settleRendezvous does what the rendezvous wants done. It reports whether there was something.
func (p *Peer) settleRendezvous(now time.Time) (did bool) {
	for o, ok := p.rendezvous.Output(); ok; o, ok = p.rendezvous.Output() {
		did = true
		switch o.Kind {
		case rendezvous.OutputKnock:
			p.knock(now, o)
		case rendezvous.OutputNotFound:
			p.events.add(Event{Kind: EventNotFound, Friend: o.Friend}) // peer-not-found
		case rendezvous.OutputClock:
			p.clock(now, p.contacts[o.Friend], o.Ahead)
		case rendezvous.OutputPublished:
			p.events.add(Event{Kind: EventPublished, Friend: o.Friend, Nodes: o.Nodes})
		}
	}
	return did
}
