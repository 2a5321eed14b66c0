package peer

import (
	"container/heap"
	"net/netip"
	"slices"
	"time"

	"kith/handshake"
	"kith/peer/conversation"
)

// A session is what a handshake made: the conversation with a contact, or one that may become it, or one that says its last words.
type session struct {
	id           handshake.SessionID
	contact      *contact
	conversation *conversation.Conversation

	cids    [cidsTaken]handshake.CID // under which it takes datagrams
	due     time.Time                // while it is among the timers
	place   int                      // its index there, −1: it is not
	touched bool                     // it stands among the touched
	ready   bool                     // it stands among the ready
	erased  bool
}

const cidsTaken = 8 // peer-cid-taken

// sessions are all that live: of each contact the conversation and at most 18 that may become it, and those that have ended a moment ago.
type sessions struct {
	byCID   map[handshake.CID]taken // 8 for each that takes datagrams
	timers  sessionTimers
	young   []*session // half-open and out: at most 18 of each contact
	ending  []*session // that only say their last words
	touched []*session // that were called since their events were taken
	ready   []*session // that may have something to send
}

// taken is whose datagrams carry a connection id, and which of its own it is.
type taken struct {
	session *session
	index   uint32
}

// inUse is for handshake.Config. // hs-accept-cid
func (l *sessions) inUse(cid handshake.CID) bool {
	_, ok := l.byCID[cid]
	return ok
}

// find returns whose a datagram is. What is nobody's costs one look-up. // peer-cid-unknown
func (l *sessions) find(b []byte) (taken, bool) {
	if len(b) < conversation.HeadSize {
		return taken{}, false
	}
	t, ok := l.byCID[handshake.CID(b[1:])]
	return t, ok
}

// claim makes the connection ids that a session takes its own, in place of those that it took. It reports whether none of them is another's.
func (l *sessions) claim(s *session) bool {
	l.release(s)
	cids := s.conversation.CIDs()
	for _, cid := range cids {
		if l.inUse(cid) {
			return false
		}
	}
	for i, cid := range cids {
		l.byCID[cid] = taken{s, s.conversation.Base() + uint32(i)}
	}
	s.cids = cids
	return true
}

// release gives up the connection ids of a session.
func (l *sessions) release(s *session) {
	for _, cid := range s.cids {
		if l.byCID[cid].session == s {
			delete(l.byCID, cid)
		}
	}
	s.cids = [cidsTaken]handshake.CID{}
}

// touch notes that a session was called, so that there may be events, datagrams and another time.
func (l *sessions) touch(s *session) {
	if s.erased {
		return
	}
	if !s.touched {
		s.touched = true
		l.touched = append(l.touched, s)
	}
	if !s.ready {
		s.ready = true
		l.ready = append(l.ready, s)
	}
}

// transmit returns the next datagram of any conversation. When one has no more, its next timeout is known.
func (l *sessions) transmit() (to netip.AddrPort, b []byte, ok bool) {
	for len(l.ready) > 0 {
		s := l.ready[len(l.ready)-1]
		if !s.erased {
			if to, b, ok := s.conversation.Transmit(); ok {
				return to, b, true
			}
			l.schedule(s)
		}
		s.ready = false
		l.ready[len(l.ready)-1] = nil
		l.ready = l.ready[:len(l.ready)-1]
	}
	return netip.AddrPort{}, nil, false
}

// schedule sets when something is due with a session.
func (l *sessions) schedule(s *session) {
	due := s.conversation.NextTimeout()
	switch {
	case due.IsZero():
		if s.place >= 0 {
			heap.Remove(&l.timers, s.place)
		}
	case s.place < 0:
		s.due = due
		heap.Push(&l.timers, s)
	case !due.Equal(s.due):
		s.due = due
		heap.Fix(&l.timers, s.place)
	}
}

// next returns when something is due, the zero time for never.
func (l *sessions) next() time.Time {
	if len(l.timers) == 0 {
		return time.Time{}
	}
	return l.timers[0].due
}

// timeout does what is due. Each session is among the timers again when it has nothing more to transmit.
func (l *sessions) timeout(now time.Time) {
	for len(l.timers) > 0 && !now.Before(l.timers[0].due) {
		s := heap.Pop(&l.timers).(*session)
		s.conversation.HandleTimeout(now)
		l.touch(s)
	}
}

// remove takes a session out of everything.
func (l *sessions) remove(s *session) {
	l.release(s)
	if s.place >= 0 {
		heap.Remove(&l.timers, s.place)
	}
	l.young, l.ending = without(l.young, s), without(l.ending, s)
	s.erased = true
}

// without takes a session out of a list.
func without(list []*session, s *session) []*session {
	return slices.DeleteFunc(list, func(o *session) bool { return o == s })
}

// sessionTimers is a heap with the first on top.
type sessionTimers []*session

func (t sessionTimers) Len() int           { return len(t) }
func (t sessionTimers) Less(i, j int) bool { return t[i].due.Before(t[j].due) }

func (t sessionTimers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].place, t[j].place = i, j
}

// Push is for package heap only.
func (t *sessionTimers) Push(x any) {
	s := x.(*session)
	s.place = len(*t)
	*t = append(*t, s)
}

// Pop is for package heap only.
func (t *sessionTimers) Pop() any {
	last := len(*t) - 1
	s := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	s.place = -1
	return s
}
