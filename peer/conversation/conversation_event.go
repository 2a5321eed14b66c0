package conversation

import "net/netip"

// An EventKind says what an Event tells.
type EventKind uint8

// The kinds of event, and the fields that they have.
const (
	EventConnected EventKind = iota + 1 // messages can be sent
	EventEnding                         // the other side is being told that it is over; Why
	EventOver                           // it is over and erased; Why
	EventMissing                        // messages of the other side with the ids From, up to but without To, will never come
	EventDelivered                      // messages with the positions From, up to but without To, are in the other side's store
	EventEndpoints                      // the other side says where it can be reached; Endpoints
	EventCIDs                           // Base and CIDs have changed
)

// A Why says why a conversation is over.
type Why uint8

// The reasons of EventEnding and EventOver.
const (
	WhyLost      Why = iota + 1 // nothing came for too long: another is to be begun at once (peer-lost-again)
	WhyLeft                     // End was called
	WhyDay                      // nothing was said for a day
	WhyMalformed                // what came was malformed
	WhyRestored                 // the own store was older than what the other side has, and is mended: another is to be begun
	WhyEnded                    // the other side ended it
)

// An Event is something that a conversation tells.
type Event struct {
	Kind      EventKind
	Why       Why
	From, To  uint64
	Endpoints []netip.AddrPort // the receiver's
}

// An eventQueue has each kind at most once in a row, so that it is bounded by what has been said.
type eventQueue struct {
	list []Event
	head int
}

func (q *eventQueue) add(e Event) {
	for i := q.head; i < len(q.list); i++ {
		switch last := &q.list[i]; {
		case last.Kind != e.Kind:
		case e.Kind == EventDelivered && last.To == e.From:
			last.To = e.To
			return
		case e.Kind == EventCIDs || e.Kind == EventEndpoints:
			*last = e
			return
		}
	}
	q.list = append(q.list, e)
}

// Event returns what happened next, and whether there is something.
func (c *Conversation) Event() (Event, bool) {
	q := &c.events
	if q.head == len(q.list) {
		return Event{}, false
	}
	e := q.list[q.head]
	q.list[q.head] = Event{}
	if q.head++; q.head == len(q.list) {
		q.list, q.head = q.list[:0], 0
	}
	return e, true
}
