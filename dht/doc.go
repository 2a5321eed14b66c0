// Package dht is one node of BitTorrent's Mainline DHT, server and client, as a state machine without I/O. It implements the
// chapter spec/dht.md: BEP 5, 32, 42, 43, 44 and 51.
//
// Start with [New] and [Node.HandleDatagram]. A node is handed datagrams and the time, and gives back datagrams and events:
//
//	n.HandleDatagram(now, from, b)          // or HandleTimeout, or an operation such as Get
//	for to, b, ok := n.Transmit(); ok; to, b, ok = n.Transmit() { … }
//	for e, ok := n.Event(); ok; e, ok = n.Event() { … }
//	… sleep until n.NextTimeout() or a datagram …
//
// The caller's duties: drain Transmit and Event after every call, call HandleTimeout when NextTimeout has come, let time never
// run backwards, save State now and then, and call from one goroutine at a time. Package internal/udp does all of it for a
// real socket, internal/sim for a simulated network.
//
// A node that is given the same Config, Rand included, and the same calls does the same things, byte for byte.
package dht
