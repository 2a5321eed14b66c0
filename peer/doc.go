// Package peer is a whole peer without I/O: a DHT node, handshakes, conversations and what has to be durable, behind one HandleDatagram. It implements the
// chapter spec/peer.md. Package peer/host runs one on sockets and a file.
package peer
