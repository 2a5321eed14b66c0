package wire

import (
	"encoding/binary"
	"fmt"
	"iter"
	"net/netip"
)

// Sizes of the compact forms, in bytes (BEP 5 and BEP 32).
const (
	IDSize    = 20
	Addr4Size = 4 + 2
	Addr6Size = 16 + 2
	Node4Size = IDSize + Addr4Size
	Node6Size = IDSize + Addr6Size
)

// A Node is one entry of nodes or nodes6.
type Node struct {
	ID   ID
	Addr netip.AddrPort
}

// AppendAddrPort appends the compact form of a to b: 6 bytes if its address is IPv4, otherwise 18. An IPv4-mapped IPv6
// address takes 18, as it came; who does not want that calls Unmap. a must be valid.
func AppendAddrPort(b []byte, a netip.AddrPort) []byte {
	if a.Addr().Is4() {
		ip := a.Addr().As4()
		b = append(b, ip[:]...)
	} else {
		ip := a.Addr().As16()
		b = append(b, ip[:]...)
	}
	return binary.BigEndian.AppendUint16(b, a.Port())
}

// ParseAddrPort returns the address whose compact form is b. It returns an *Error of class ErrMalformed if b is neither 6
// nor 18 bytes.
func ParseAddrPort(b []byte) (netip.AddrPort, error) {
	if len(b) != Addr4Size && len(b) != Addr6Size {
		return netip.AddrPort{}, &Error{ErrMalformed, fmt.Sprintf("address is %d bytes, not 6 or 18", len(b))}
	}
	return addrPort(b), nil
}

// addrPort is ParseAddrPort for a b that is known to be 6 or 18 bytes.
func addrPort(b []byte) netip.AddrPort {
	if len(b) == Addr4Size {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b)), binary.BigEndian.Uint16(b[4:]))
	}
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b)), binary.BigEndian.Uint16(b[16:]))
}

// AppendNode appends the compact form of n to b: 26 bytes if its address is IPv4, otherwise 38.
func AppendNode(b []byte, n Node) []byte {
	b = append(b, n.ID[:]...)
	return AppendAddrPort(b, n.Addr) // wire-nodes-form, wire-nodes6-form
}

// ParseNode returns the node whose compact form is b. It returns an *Error of class ErrMalformed if b is neither 26 nor 38
// bytes.
func ParseNode(b []byte) (Node, error) {
	if len(b) != Node4Size && len(b) != Node6Size {
		return Node{}, &Error{ErrMalformed, fmt.Sprintf("node is %d bytes, not 26 or 38", len(b))}
	}
	return Node{ID(b), addrPort(b[IDSize:])}, nil
}

// Nodes4 is the value of nodes: IPv4 nodes of 26 bytes each, written one after another with AppendNode.
type Nodes4 []byte

// Len returns the number of nodes.
func (n Nodes4) Len() int { return len(n) / Node4Size }

// All returns the nodes in the order in which they stand.
func (n Nodes4) All() iter.Seq[Node] { return nodes(n, Node4Size) }

// Nodes6 is the value of nodes6: IPv6 nodes of 38 bytes each, written one after another with AppendNode.
type Nodes6 []byte

// Len returns the number of nodes.
func (n Nodes6) Len() int { return len(n) / Node6Size }

// All returns the nodes in the order in which they stand.
func (n Nodes6) All() iter.Seq[Node] { return nodes(n, Node6Size) }

func nodes(b []byte, size int) iter.Seq[Node] {
	return func(yield func(Node) bool) {
		for b := b; len(b) >= size; b = b[size:] {
			if !yield(Node{ID(b), addrPort(b[IDSize:size])}) {
				return
			}
		}
	}
}

// Values is the value of values without its l and e: the compact forms of peers as bencoded strings, one after another. A nil
// Values is the empty list.
type Values []byte

// AppendValue appends the peer a to v and returns the longer list.
func AppendValue(v Values, a netip.AddrPort) Values {
	if a.Addr().Is4() {
		v = append(v, "6:"...) // wire-values-form
	} else {
		v = append(v, "18:"...) // wire-values-form
	}
	return AppendAddrPort(v, a)
}

// All returns the peers in the order in which they stand. It skips what is neither 6 nor 18 bytes.
func (v Values) All() iter.Seq[netip.AddrPort] {
	return func(yield func(netip.AddrPort) bool) {
		for s := (scanner{b: v}); s.i < len(v); {
			b, ok := s.str()
			if !ok {
				return // not of ParseMessage
			}
			if len(b) != Addr4Size && len(b) != Addr6Size {
				continue // wire-values-mixed
			}
			if !yield(addrPort(b)) {
				return
			}
		}
	}
}

// Samples is the value of samples (BEP 51): info-hashes of 20 bytes, one after another.
type Samples []byte

// AppendSample appends the info-hash h to s and returns the longer list.
func AppendSample(s Samples, h ID) Samples { return append(s, h[:]...) } // wire-samples-form

// Len returns the number of info-hashes.
func (s Samples) Len() int { return len(s) / IDSize }

// All returns the info-hashes in the order in which they stand.
func (s Samples) All() iter.Seq[ID] {
	return func(yield func(ID) bool) {
		for b := s; len(b) >= IDSize; b = b[IDSize:] {
			if !yield(ID(b)) {
				return
			}
		}
	}
}
