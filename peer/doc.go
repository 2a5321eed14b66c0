// Package peer is a whole peer without I/O: a DHT node, handshakes, conversations and what has to be durable, behind one HandleDatagram. It implements the
// chapter spec/peer.md. Package peer/host runs one on sockets and a file.
//
// Start with New, and call it as internal/udp and internal/sim call a machine. The caller's duties, after every call:
//
//	for e, ok := p.Event(); ok; e, ok = p.Event() { … }                 // as many as there is room for; the others stay
//	if batch, seq, ok := p.Take(now); ok { … }                          // commit it as one transaction, then p.Done(now, seq)
//	for to, b, ok := p.Transmit(); ok; to, b, ok = p.Transmit() { … }   // all of them
//
// and HandleTimeout when NextTimeout has come. While a batch is being committed the peer goes on; what depends on it waits inside. A batch that cannot be committed is the end:
// the caller stops, and says why. A Peer is not safe for concurrent use, and the time that it is handed never runs backwards.
//
// A peer that is given the same Config, Rand included, and the same calls does the same things, byte for byte.
package peer
