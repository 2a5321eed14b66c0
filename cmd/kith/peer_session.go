package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"kith/handshake"
	"kith/peer"
	"kith/peer/conversation"
)

// A lineSession turns commands into calls of a Peer, and its events into lines. It is used by one goroutine at a time, and where it is handed a
// Peer that is the driver's.
type lineSession struct {
	own     handshake.PublicKey
	out     *lineBuffer
	book    *book
	friends map[handshake.PublicKey]*lineFriend
	asked   map[lineAnswer][]*string // refs of what waits for the store, in order; nil for who gave none
	waiting int                      // how many answers are due, those to send among them
	quit    *string                  // the ref of quit
}

// A lineAnswer is an event that will answer a command.
type lineAnswer struct {
	kind   peer.EventKind
	friend handshake.PublicKey
}

// A lineFriend is what a session knows of a friend's positions.
type lineFriend struct {
	sent      []lineSent // of this run and not delivered, the oldest first
	queued    int        // how many of them are durable
	earlier   bool       // some of earlier runs wait
	delivered uint64     // the position behind the last that was told as delivered
	handed    uint64     // the position behind the last message that was handed over
	end       *string    // the ref of an end
}

type lineSent struct {
	position uint64
	ref      *string
}

// mostWaiting is how many commands may wait for the store before no more are read.
const mostWaiting = 4096

func newLineSession(own handshake.PublicKey) *lineSession {
	return &lineSession{
		own: own, out: newLineBuffer(), book: bookOf(nil), friends: map[handshake.PublicKey]*lineFriend{}, asked: map[lineAnswer][]*string{},
	}
}

// ready is the first line, when p listens. // shim-peer-ready
func (s *lineSession) ready(now time.Time, p *peer.Peer, listening []netip.AddrPort) {
	s.book = bookOf(p.Contacts())
	for _, c := range s.book.contacts {
		if c.Waiting > 0 {
			s.friend(c.Key).earlier = true
		}
	}
	s.out.add(now, lineEvent{Event: "ready", Address: s.own.String(), Listening: listening})
}

func (s *lineSession) friend(key handshake.PublicKey) *lineFriend {
	f := s.friends[key]
	if f == nil {
		f = &lineFriend{}
		s.friends[key] = f
	}
	return f
}

// fault answers a command that was not done. // shim-peer-error
func (s *lineSession) fault(now time.Time, c lineCommand, err error) {
	s.out.add(now, lineEvent{Event: "error", Ref: c.ref, Do: c.do, Text: plainFault(err)})
}

// plainFault is what an error of package peer says to people.
func plainFault(err error) string {
	text := trimmed(err).Error()
	for _, class := range []error{peer.ErrMalformed, peer.ErrState, peer.ErrLimit} {
		if errors.Is(err, class) {
			text = strings.TrimSuffix(text, ": "+class.Error())
		}
	}
	return text
}

// do does what a command says.
func (s *lineSession) do(now time.Time, p *peer.Peer, c lineCommand) {
	if err := s.try(now, p, c); err != nil {
		s.fault(now, c, err)
	}
}

func (s *lineSession) try(now time.Time, p *peer.Peer, c lineCommand) error {
	switch c.do {
	case "add":
		key, err := s.book.newcomer(c.friend, c.name, s.own)
		if err != nil {
			return err
		}
		return s.changed(now, p, c, peer.EventAdded, key, p.Add(now, key, c.name))
	case "who":
		s.who(now, p, c)
		return nil
	case "quit":
		s.quit = c.ref
		return nil
	}
	contact, err := s.book.find(c.friend)
	if err != nil {
		return err
	}
	key := contact.Key
	switch c.do {
	case "rename":
		if err := s.book.free(c.name, key); err != nil {
			return err
		}
		return s.changed(now, p, c, peer.EventRenamed, key, p.Rename(now, key, c.name))
	case "remove":
		return s.changed(now, p, c, peer.EventRemoved, key, p.Remove(now, key))
	case "block":
		return s.changed(now, p, c, peer.EventBlocked, key, p.Block(now, key))
	case "unblock":
		return s.changed(now, p, c, peer.EventUnblocked, key, p.Unblock(now, key))
	case "send":
		position, err := p.Send(now, key, []byte(c.text))
		if err != nil {
			return err
		}
		f := s.friend(key)
		f.sent = append(f.sent, lineSent{position, c.ref})
		s.waiting++
		return nil
	case "taken":
		if handed := s.friend(key).handed; c.position >= handed {
			return errors.New("no message with this position was handed over")
		}
		return p.Taken(now, key, c.position) // shim-peer-taken
	case "look":
		return p.Search(now, key)
	case "end":
		if err := p.End(now, key); err != nil {
			return err
		}
		s.friend(key).end = c.ref
		return nil
	}
	return fmt.Errorf("there is no command %q", c.do)
}

// changed takes note of who waits for the answer to a change of the contacts.
func (s *lineSession) changed(now time.Time, p *peer.Peer, c lineCommand, kind peer.EventKind, key handshake.PublicKey, err error) error {
	if err != nil {
		return err
	}
	if kind == peer.EventRemoved || kind == peer.EventBlocked {
		s.forget(now, key)
	}
	s.book = bookOf(p.Contacts())
	a := lineAnswer{kind, key}
	s.asked[a] = append(s.asked[a], c.ref)
	s.waiting++
	return nil
}

// forget drops what is known of a friend's positions: they are erased, and begin anew should he come back.
func (s *lineSession) forget(now time.Time, key handshake.PublicKey) {
	if f := s.friends[key]; f != nil {
		for _, sent := range f.sent[f.queued:] {
			s.waiting--
			s.fault(now, lineCommand{do: "send", ref: sent.ref}, errors.New("the contact was taken away before the message was stored"))
		}
		delete(s.friends, key)
	}
}

// stale reports whether an event speaks of positions of before the friend was removed or blocked.
func (s *lineSession) stale(key handshake.PublicKey) bool {
	return s.asked[lineAnswer{peer.EventRemoved, key}] != nil || s.asked[lineAnswer{peer.EventBlocked, key}] != nil
}

// answer returns the ref of the command that an event answers.
func (s *lineSession) answer(kind peer.EventKind, key handshake.PublicKey) *string {
	a := lineAnswer{kind, key}
	refs := s.asked[a]
	if len(refs) == 0 {
		return nil
	}
	s.waiting--
	if len(refs) == 1 {
		delete(s.asked, a)
	} else {
		s.asked[a] = refs[1:]
	}
	return refs[0]
}

func (s *lineSession) who(now time.Time, p *peer.Peer, c lineCommand) {
	list := []lineContact{}
	for _, f := range p.Contacts() {
		state := lineOffline
		switch {
		case f.Blocked:
			state = lineBlocked
		case f.Online:
			state = lineOnline
		}
		list = append(list, lineContact{f.Key.String(), f.Name, state, f.Waiting})
	}
	s.out.add(now, lineEvent{Event: "who", Ref: c.ref, Contacts: list})
}

// changeWords are the events that answer a change of the contacts.
var changeWords = map[peer.EventKind]string{
	peer.EventAdded: "added", peer.EventRenamed: "renamed", peer.EventRemoved: "removed", peer.EventBlocked: "blocked", peer.EventUnblocked: "unblocked",
}

// overWords say why a conversation is over, to who has this end of it.
var overWords = map[peer.Why]string{
	peer.WhyEnded: "left", peer.WhyLost: "lost", peer.WhyLeft: "ended", peer.WhyIdle: "idle", peer.WhyMalformed: "malformed", peer.WhyReplaced: "replaced",
	peer.WhyRestored: "replaced", // by the one that is begun with the mended store
}

// refusalWords say why a message is not handed over.
var refusalWords = map[conversation.Refusal]string{conversation.RefusedSize: "size", conversation.RefusedType: "type", conversation.RefusedText: "utf8"}

// event tells an event of the Peer.
func (s *lineSession) event(now time.Time, e peer.Event) {
	l := lineEvent{}
	if e.Friend != (handshake.PublicKey{}) {
		w := s.book.who(e.Friend)
		l.Friend, l.Name = w.address, w.name
	}
	switch e.Kind {
	case peer.EventAdded, peer.EventRenamed, peer.EventRemoved, peer.EventBlocked, peer.EventUnblocked:
		l.Event = changeWords[e.Kind]
		l.Ref = s.answer(e.Kind, e.Friend)
	case peer.EventQueued, peer.EventDelivered:
		switch {
		case s.stale(e.Friend):
		case e.Kind == peer.EventQueued:
			s.queued(now, l, e)
		default:
			s.delivered(now, l, e)
		}
		return
	case peer.EventMessage:
		f := s.friend(e.Friend)
		f.handed = max(f.handed, e.Position+1)
		l.Event, l.Time, l.Position, l.Text, l.Again = "message", e.Time.UnixMilli(), decimal(e.Position), string(e.Text), e.Again
	case peer.EventRefused:
		l.Event, l.Why = "refused", refusalWords[e.Refused]
	case peer.EventMissing:
		l.Event, l.From, l.To = "missing", decimal(e.From), decimal(e.To)
	case peer.EventOnline:
		l.Event, l.From = "online", e.Addr.String()
	case peer.EventOffline:
		l.Event, l.Why = "offline", overWords[e.Why]
		f := s.friend(e.Friend)
		l.Ref, f.end = f.end, nil
	case peer.EventNotFound:
		l.Event = "not_found"
	case peer.EventClock:
		ahead := e.Ahead.Milliseconds()
		l.Event, l.AheadMS = "clock", &ahead
	case peer.EventAddress:
		l.Event, l.Endpoint = "own_address", &e.Addr
	default:
		return // shim.md has no line for it
	}
	s.out.add(now, l)
}

// queued answers each send up to the event's position. // shim-peer-durable
func (s *lineSession) queued(now time.Time, l lineEvent, e peer.Event) {
	f := s.friend(e.Friend)
	l.Event = "queued"
	for ; f.queued < len(f.sent) && f.sent[f.queued].position <= e.Position; f.queued++ {
		sent := &f.sent[f.queued]
		l.Position, l.Ref = decimal(sent.position), sent.ref
		sent.ref = nil
		s.waiting--
		s.out.add(now, l)
	}
}

// delivered tells of each message of this run up to the event's position. Of those of earlier runs only the last is told.
func (s *lineSession) delivered(now time.Time, l lineEvent, e peer.Event) {
	s.queued(now, l, e) // he cannot have what is not durable here
	f := s.friend(e.Friend)
	l.Event = "delivered"
	n := 0
	for n < len(f.sent) && f.sent[n].position <= e.Position {
		n++
	}
	switch {
	case n == 0:
		l.Position = decimal(e.Position)
		s.out.add(now, l)
	case f.earlier && f.sent[0].position > f.delivered:
		l.Position = decimal(f.sent[0].position - 1)
		s.out.add(now, l)
	}
	for _, sent := range f.sent[:n] {
		l.Position = decimal(sent.position)
		s.out.add(now, l)
	}
	f.earlier = f.earlier && n == 0
	f.sent, f.queued, f.delivered = f.sent[n:], f.queued-n, e.Position+1
}
