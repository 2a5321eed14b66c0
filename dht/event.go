package dht

import (
	"errors"
	"net/netip"
	"time"

	"kith/wire"
)

// The reason classes of what a node refuses, and the ways in which an operation can end without its result. Errors wrap them;
// compare with errors.Is.
var (
	ErrMalformed      = errors.New("malformed")      // not of the form
	ErrAuthentication = errors.New("authentication") // a signature that does not fit
	ErrLimit          = errors.New("limit")          // more than a bound allows

	ErrTimeout   = errors.New("no answer")           // the node asked did not answer
	ErrRefused   = errors.New("refused")             // the node asked answered an error; Code and Text say which
	ErrNoNodes   = errors.New("no node answered")    // a look-up found nobody to ask, or none of those asked answered
	ErrNotFound  = errors.New("nothing found")       // a look-up found no item, or no peers
	ErrNotStored = errors.New("no node stored that") // nobody who was told to store it said that he did
)

// An Op names an operation of a Node, from its start to its EventDone. 0 names none.
type Op uint64

// An EventKind says what an Event tells.
type EventKind uint8

// The kinds of event. Those of an operation carry its Op.
const (
	EventAnswer   EventKind = iota + 1 // Node answered a query of the operation after RTT
	EventPeers                         // Node named Peers
	EventItem                          // Node had Item, which is newer than any before
	EventStored                        // Node stored what was put or announced
	EventRefused                       // Node answered the error Code with Text
	EventDone                          // the operation has ended: Err, Nodes and the rest
	EventAddress                       // the node's own address, and with it perhaps its id, is now Address and ID
	EventReadOnly                      // the node sets ro in its queries from now on, or not any more: ReadOnly
	EventReady                         // the first look-up of the node's own id has ended, and its table is as full as it will be for now
	EventEndpoint                      // the address and port that others see the node's datagrams come from are now Endpoint, not valid while that is not known
)

// An Event is something that its owner may want to know. Which fields mean something depends on Kind; slices are the
// receiver's.
type Event struct {
	Kind   EventKind
	Op     Op
	Family Family // of which of the two DHTs this is about

	Node     wire.Node     // who answered
	RTT      time.Duration // how long that took
	Peers    []netip.AddrPort
	Item     *Item // in EventDone: the best, or nil
	Code     int64
	Text     string
	Nodes    []wire.Node   // in EventDone: the closest that answered, nearest first, IPv4 before IPv6; of Sample: the nodes named
	Samples  []wire.ID     // in EventDone of Sample
	Num      int64         // in EventDone of Sample: how many info-hashes the node has, as it says
	Interval time.Duration // in EventDone of Sample: how long these samples will stay the same, as the node says, at most 6 h
	Asked    int           // queries of the operation so far, beside those that tell a node to store
	Answered int           // of them, those that had an answer
	Told     int           // nodes that were asked to store so far
	Stored   int           // nodes that stored so far
	Err      error         // in EventDone; nil: the operation did what it should

	Address  netip.Addr
	Endpoint netip.AddrPort
	ID       wire.ID
	ReadOnly bool
}

// Event returns the next event, and whether there was one.
func (n *Node) Event() (Event, bool) {
	if len(n.events) == 0 {
		return Event{}, false
	}
	e := n.events[n.nextEvent]
	n.events[n.nextEvent] = Event{}
	if n.nextEvent++; n.nextEvent == len(n.events) {
		n.events, n.nextEvent = n.events[:0], 0
	}
	return e, true
}

func (n *Node) emit(e Event) { n.events = append(n.events, e) }
