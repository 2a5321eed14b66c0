package dht

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"net/netip"

	"kith/wire"
)

// idBits is the length of an id in bits.
const idBits = 8 * wire.IDSize

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Distance returns the distance of two ids: their exclusive or, a big-endian number (BEP 5, "Overview").
func Distance(a, b wire.ID) wire.ID {
	for i := range a {
		a[i] ^= b[i]
	}
	return a
}

// closer reports whether a is closer to target than b is.
func closer(target, a, b *wire.ID) bool {
	t := binary.BigEndian.Uint64(target[:])
	da, db := binary.BigEndian.Uint64(a[:])^t, binary.BigEndian.Uint64(b[:])^t
	if da != db {
		return da < db
	}
	for i := 8; i < len(target); i++ {
		if a[i] != b[i] {
			return a[i]^target[i] < b[i]^target[i]
		}
	}
	return false
}

// commonPrefix returns how many bits a and b have in common before the first that differs.
func commonPrefix(a, b *wire.ID) int {
	for i := range a {
		if d := a[i] ^ b[i]; d != 0 {
			return 8*i + bits.LeadingZeros8(d)
		}
	}
	return idBits
}

// bit returns bit i of id, counted from the most significant.
func bit(id *wire.ID, i int) bool { return id[i/8]&(0x80>>(i%8)) != 0 }

// prefixCRC returns the checksum of BEP 42 for the address a and the random number r, of which it uses 3 bits. For IPv4 it is
// taken over 4 bytes, as the BEP's code and vectors do, not over the 8 of its prose.
func prefixCRC(a netip.Addr, r byte) uint32 {
	if a.Is4() {
		ip := a.As4()
		v := binary.BigEndian.Uint32(ip[:])&0x030f3fff | uint32(r&7)<<29
		return crc32.Checksum(binary.BigEndian.AppendUint32(ip[:0], v), castagnoli)
	}
	ip := a.As16()
	v := binary.BigEndian.Uint64(ip[:])&0x0103070f1f3f7fff | uint64(r&7)<<61
	return crc32.Checksum(binary.BigEndian.AppendUint64(ip[:0], v), castagnoli)
}

// IDFor returns the id that BEP 42 derives for the address a from 20 random bytes, of which the last is the id's last too. An
// IPv4-mapped address counts as IPv4.
func IDFor(a netip.Addr, random [wire.IDSize]byte) wire.ID {
	id := wire.ID(random)
	c := prefixCRC(a.Unmap(), id[19])
	id[0] = byte(c >> 24)
	id[1] = byte(c >> 16)
	id[2] = byte(c>>8)&0xf8 | id[2]&0x07
	return id
}

// Fits reports whether id is one that BEP 42 derives for the address a, or a is exempt from that rule: private, link-local and
// loopback addresses are.
func Fits(id wire.ID, a netip.Addr) bool {
	if a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsLoopback() {
		return true
	}
	want := IDFor(a, id)
	return bytes.Equal(id[:3], want[:3]) // dht-id-address
}
