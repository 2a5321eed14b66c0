package dht

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net/netip"
	"time"

	"kith/wire"
)

// The saved form of a node, version 1: this header; for IPv4 and then IPv6 the id (20 bytes), the length of the own address (one
// byte: 0, 4 or 16) and the address, the number of nodes (2 bytes) and the nodes in their compact form; the CRC-32C of all before.
// A family that the node is not part of has the zero id and no nodes.
const stateHeader = "kith dht state 1\n"

// savedMax is how many nodes a state may name for one family: as many as a table can hold.
const savedMax = maxBuckets * k

// A saved is one family's part of a state.
type saved struct {
	id    wire.ID
	addr  netip.Addr
	nodes []wire.Node
}

// State returns what a node needs to begin its next life where this one ends, for Config.State: its ids, its addresses and the nodes of its
// table, those first that are alive.
func (n *Node) State(now time.Time) []byte {
	n.at(now)
	b := []byte(stateHeader)
	for _, o := range n.overlays {
		if o == nil {
			b = append(b, make([]byte, wire.IDSize+1+2)...)
			continue
		}
		b = append(b, o.table.self[:]...)
		addr := o.own.addr.AsSlice()
		b = append(b, byte(len(addr)))
		b = append(b, addr...)
		nodes, _ := o.table.size(n.now)
		nodes += len(o.saved)
		b = binary.BigEndian.AppendUint16(b, uint16(min(nodes, savedMax)))
		left := min(nodes, savedMax)
		for _, alive := range []bool{true, false} {
			for i := range o.table.buckets {
				for j := range o.table.buckets[i].nodes {
					if e := &o.table.buckets[i].nodes[j]; !e.bad() == alive && left > 0 {
						b = append(b, e.compact()...)
						left--
					}
				}
			}
		}
		for _, node := range o.saved[:left] {
			b = wire.AppendNode(b, node)
		}
	}
	return binary.BigEndian.AppendUint32(b, checksum(b))
}

// parseState reads what State wrote. Nothing is the state of a node that has not lived.
func parseState(b []byte) (s [2]saved, err error) {
	if len(b) == 0 {
		return s, nil
	}
	bad := func(what string) ([2]saved, error) {
		return [2]saved{}, fmt.Errorf("dht: saved state: %s: %w", what, ErrMalformed)
	}
	rest, ok := bytes.CutPrefix(b, []byte(stateHeader))
	if !ok {
		return bad("unknown header")
	}
	if len(rest) < 4 || checksum(b[:len(b)-4]) != binary.BigEndian.Uint32(b[len(b)-4:]) {
		return bad("wrong checksum")
	}
	rest = rest[:len(rest)-4]
	for i := range s {
		if len(rest) < wire.IDSize+1 {
			return bad("truncated")
		}
		s[i].id = wire.ID(rest)
		addrLen := int(rest[wire.IDSize])
		rest = rest[wire.IDSize+1:]
		ipLen, nodeLen := 4, wire.Node4Size
		if Family(i) == V6 {
			ipLen, nodeLen = 16, wire.Node6Size
		}
		if addrLen != 0 && addrLen != ipLen || len(rest) < addrLen+2 {
			return bad("own address")
		}
		s[i].addr, _ = netip.AddrFromSlice(rest[:addrLen])
		n := int(binary.BigEndian.Uint16(rest[addrLen:]))
		rest = rest[addrLen+2:]
		if n > savedMax || len(rest) < n*nodeLen {
			return bad("number of nodes")
		}
		for ; n > 0; n-- {
			node, _ := wire.ParseNode(rest[:nodeLen]) // of the right length
			if !sender(node.Addr) || familyOf(node.Addr.Addr()) != Family(i) || node.Addr.Addr().Is4In6() {
				return bad("address of a node")
			}
			s[i].nodes = append(s[i].nodes, node)
			rest = rest[nodeLen:]
		}
	}
	if len(rest) > 0 {
		return bad("bytes behind the nodes")
	}
	return s, nil
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }
