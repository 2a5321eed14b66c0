package main

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net/netip"
	"time"

	"kith/dht"
	"kith/internal/udp"
	"kith/wire"
)

// tableSize is how many nodes the measured node knows.
const tableSize = 1000

// fullNode returns a node whose table holds tableSize good nodes. It is given a saved state that names them, and then answers
// to its questions, in a virtual time that ends now: nothing of that is in the product.
func fullNode(now time.Time) (udp.Machine, error) {
	const warmUp = 5 * time.Minute
	self := wire.ID([]byte("a node that is asked"))
	ids := map[netip.AddrPort]wire.ID{}
	b := append([]byte("kith dht state 1\n"), self[:]...)
	b = append(b, 0) // no address of its own
	b = binary.BigEndian.AppendUint16(b, tableSize)
	for i := range tableSize { // eight for each length of the prefix that they have in common with self
		n := wire.Node{ID: self, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 2, byte(i >> 8), byte(i)}), 6881)}
		shared := i / 8
		n.ID[shared/8] ^= 0x80 >> (shared % 8)
		n.ID[18] ^= byte(i%8) << 3 // beyond the longest prefix
		ids[n.Addr] = n.ID
		b = wire.AppendNode(b, n)
	}
	b = append(b, make([]byte, 20+1+2)...) // no part in IPv6
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))

	t := now.Add(-warmUp)
	n, err := dht.New(dht.Config{State: b, Reachable: true}, t)
	if err != nil {
		return nil, err
	}
	var q wire.Message
	var r []byte
	for ; t.Before(now); t = n.NextTimeout() {
		n.HandleTimeout(t)
		for {
			to, b, ok := n.Transmit()
			if !ok {
				break
			}
			if err := wire.ParseMessage(b, &q); err != nil {
				return nil, err
			}
			a := wire.Message{Kind: wire.KindReply, T: q.T, Body: wire.Body{Has: wire.HasID, ID: ids[to]}}
			if string(q.Method) == "find_node" {
				a.Has |= wire.HasNodes
			}
			r = wire.AppendMessage(r[:0], &a)
			n.HandleDatagram(t, to, r)
		}
		for _, ok := n.Event(); ok; _, ok = n.Event() {
		}
	}
	if s := n.Stats(); s.Good[dht.V4] != tableSize {
		return nil, fmt.Errorf("the table holds %d good nodes of %d", s.Good[dht.V4], tableSize)
	}
	return n, nil
}
