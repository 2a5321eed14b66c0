package conformance

import (
	"errors"
	"net/netip"
	"time"

	"kith/conformance/lenient"
)

// World is all that a case can do to its surroundings. Behind it stand sockets and a clock (Live), a machine in virtual time
// (Sim), or a log that is judged again (Playback). Times are offsets from the beginning of the case.
type World interface {
	// Target gives the address under test in a family, and whether it has one.
	Target(v6 bool) (netip.AddrPort, bool)
	// Open opens a socket and gives its number, from 0. Sockets of one host share a source address; hosts lie in
	// different /24s. It fails with ErrNoAddress when the tester has no such address.
	Open(host int, v6 bool) (sock int, addr netip.AddrPort, err error)
	// Send sends one datagram. A datagram that the network refuses is lost, as any may be.
	Send(sock int, to netip.AddrPort, b []byte) (at time.Duration)
	// Next waits for the next event, at most until that time; then it is a Deadline.
	Next(until time.Duration) Event
	// Now is the time of the last event, deadline or datagram sent.
	Now() time.Duration
	// Neighbours are the nodes that the harness runs around the target for the whole run.
	Neighbours() []Neighbour
}

// ErrNoAddress says that the tester has no source address of the kind asked for; the case is then blocked.
var ErrNoAddress = errors.New("conformance: no such source address here")

// EventKind is what happened.
type EventKind byte

// The kinds of event.
const (
	Deadline EventKind = iota // the time came, and nothing else
	Datagram
	Gone // the target's process ended
)

// Event is one thing that happened to a case.
type Event struct {
	Kind EventKind
	At   time.Duration
	Sock int
	From netip.AddrPort
	Data []byte
}

// Neighbour is a node of the harness that lives for the whole run, answers every query, and made itself known to the target
// before the first case. Asked says that the target has sent it a query and was answered, so that it may be in the
// target's table.
type Neighbour struct {
	ID    [20]byte
	Addr  netip.AddrPort
	Asked bool
	Query []byte // the first query that the target sent it, as it came; nil: none
}

// Answer is what a well-behaved node named id that knows nobody answers to a query; nil when m is none.
func Answer(id [20]byte, m lenient.Message) []byte {
	if m.Y != "q" || !m.HasT {
		return nil
	}
	r := lenient.D{{Key: "id", Value: id}}
	switch m.Q {
	case "ping", "announce_peer", "put":
	case "find_node":
		r = append(r, lenient.E{Key: "nodes", Value: ""})
	case "get_peers", "get":
		r = append(r, lenient.E{Key: "nodes", Value: ""}, lenient.E{Key: "token", Value: "kc"})
	default:
		return lenient.Encode(lenient.D{
			{Key: "e", Value: lenient.L{204, "unknown method"}}, {Key: "t", Value: m.T}, {Key: "y", Value: "e"},
		})
	}
	return lenient.Encode(lenient.D{{Key: "r", Value: r}, {Key: "t", Value: m.T}, {Key: "y", Value: "r"}})
}
