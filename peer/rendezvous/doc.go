// Package rendezvous decides when a peer publishes its records, when it looks for those of its friends, and at which addresses it knocks. It implements the chapter
// spec/peer.md from "Publishing" to "Knocking", over a node of package dht. It does no I/O and reads no clock.
package rendezvous
