package peer

import (
	"net/netip"
	"time"

	"kith/handshake"
	"kith/peer/conversation"
)

// An EventKind says what an Event tells.
type EventKind uint8

// The kinds of event, and the fields that they have beside Friend.
const (
	EventAdded     EventKind = iota + 1 // he is a contact, durably
	EventRenamed                        // he has his new name, durably
	EventRemoved                        // nothing is left of him, durably
	EventBlocked                        // he is blocked, durably
	EventUnblocked                      // he is not blocked any more, durably
	EventQueued                         // everything in the outbox up to Position is durable
	EventDelivered                      // he has everything of the outbox up to Position, durably
	EventMessage                        // a message is in the inbox: Position, Time, Type, Text, Again
	EventRefused                        // the message From of his stream was counted as delivered and is not handed over: Refused
	EventMissing                        // the messages From to To of his stream never came, and will not
	EventOnline                         // a conversation is open: Addr
	EventOffline                        // it is over: Why
	EventNotFound                       // a first full search found nothing: he is not there, or has not added us
	EventClock                          // his clock is Ahead of ours, or somebody has held back what he sent
	EventPublished                      // Nodes nodes have the record for him
	EventAddress                        // others see us at Addr; no Friend
	EventReady                          // the table of the DHT's node is as full as it will be for now; no Friend
)

// A Why says why a conversation is over.
type Why uint8

// The reasons of EventOffline.
const (
	WhyLost      = Why(conversation.WhyLost)      // nothing came any more: he is looked for
	WhyLeft      = Why(conversation.WhyLeft)      // the user has ended it
	WhyIdle      = Why(conversation.WhyDay)       // nothing was said for a day
	WhyMalformed = Why(conversation.WhyMalformed) // what came was malformed, on either side
	WhyRestored  = Why(conversation.WhyRestored)  // our store is an old copy, and was mended: another is begun
	WhyEnded     = Why(conversation.WhyEnded)     // he has ended it
	WhyReplaced  = WhyEnded + 1                   // another is open in its place
)

// String returns the reason in a word.
func (w Why) String() string {
	if int(w) < len(whys) {
		return whys[w]
	}
	return "unknown"
}

var whys = [...]string{"unknown", "lost", "left", "idle", "malformed", "restored", "ended", "replaced"}

// An Event is something that the peer's user may want to know.
type Event struct {
	Kind     EventKind
	Friend   handshake.PublicKey
	Position uint64
	Time     time.Time // when it was delivered
	Type     conversation.ContentType
	Text     []byte // the receiver's
	Again    bool   // it was handed over in an earlier life and not taken
	From, To uint64
	Why      Why
	Refused  conversation.Refusal
	Ahead    time.Duration // negative: behind
	Addr     netip.AddrPort
	Nodes    int
}

// maxEvents is how many events wait, beside messages, which the inboxes bound: what is more is dropped, the newest first. Only who does not take events gets there.
const maxEvents = 1 << 14
