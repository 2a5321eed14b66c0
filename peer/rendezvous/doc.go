// Package rendezvous decides when a peer publishes its records, when it looks for those of its friends, and at which addresses it knocks. It implements the
// chapter spec/peer.md from "Publishing" to "Knocking", over a node of package dht. It does no I/O and reads no clock.
//
// Start with New, Rendezvous.Add and Rendezvous.SetEndpoints. Operations are begun on the node, so after each call its owner drains the node and hands the
// node's events to HandleEvent; then it takes from Output what is to be done:
//
//	for e, ok := node.Event(); ok; e, ok = node.Event() { r.HandleEvent(now, e) }
//	for o, ok := r.Output(); ok; o, ok = r.Output() { … }
//	… sleep until NextTimeout of node and rendezvous, or a datagram …
//
// The now of every call is both clocks: the time of day for epochs and records, and by a time.Time's monotonic reading the one by which it waits. What was given the same Config,
// Rand included, and the same calls does the same things.
package rendezvous
