package gen

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net/netip"
)

// seed returns the bytes that BEP 42 hashes for an address and r, the low 3 bits of the random byte.
func seed(ip netip.Addr, r byte) []byte {
	if ip.Is4() {
		b := ip.As4()
		masked := binary.BigEndian.Uint32(b[:]) & 0x030f3fff
		return binary.BigEndian.AppendUint32(nil, masked|uint32(r&7)<<29)
	}
	b := ip.As16()
	masked := binary.BigEndian.Uint64(b[:8]) & 0x0103070f1f3f7fff
	return binary.BigEndian.AppendUint64(nil, masked|uint64(r&7)<<61)
}

func crcOf(ip netip.Addr, r byte) uint32 {
	return crc32.Checksum(seed(ip, r), crc32.MakeTable(crc32.Castagnoli))
}

// fits reports whether bits 0 to 20 of the id are those of the address.
func fits(id string, ip netip.Addr) bool {
	return (binary.BigEndian.Uint32([]byte(id))^crcOf(ip, id[19]))>>11 == 0
}

// fitting returns an id for the address: 21 bits of its own, the last byte, and the rest from tail.
func fitting(ip netip.Addr, random byte, tail string) string {
	head := crcOf(ip, random)&^0x7ff | binary.BigEndian.Uint32([]byte(tail))&0x7ff
	return string(binary.BigEndian.AppendUint32(nil, head)) + tail[4:19] + string([]byte{random})
}

// exempt reports whether an address is of a network in which no id is checked.
func exempt(ip netip.Addr) bool {
	for _, p := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128"} {
		if netip.MustParsePrefix(p).Contains(ip) {
			return true
		}
	}
	return false
}

func flip(id string, bit int) string {
	b := []byte(id)
	b[bit/8] ^= 0x80 >> (bit % 8)
	return string(b)
}

func bep42Vectors() []vector {
	const tail = "\x00\x00\x00\x07\x0c\x5d\x6a\x4e\xc8\xa8\x8e\x4c\x6a\xb4\xc2\x8b\x95\xee\xe4\x00"
	derive := func(id, comment, source, address string, random byte, whole string) vector {
		ip := netip.MustParseAddr(address)
		if !fits(whole, ip) || whole[19] != random || exempt(ip) {
			panic(fmt.Sprintf("%s: %x does not fit %s", id, whole, address))
		}
		return vector{id: id, op: "dht.node-id", comment: comment, source: source, in: o("address", address),
			draws: o("id", toHex(whole[2:])), outcome: accept, out: o("node_id", toHex(whole)),
			mid: o("hashed", toHex(seed(ip, random)), "crc32c", fmt.Sprintf("%08x", crcOf(ip, random)))}
	}
	check := func(id, comment, twin, address, whole string, isExempt, ok bool) vector {
		ip := netip.MustParseAddr(address)
		if exempt(ip) != isExempt || (isExempt || fits(whole, ip)) != ok || (twin == "") != ok {
			panic(id + ": not as stated")
		}
		v := vector{id: id, op: "dht.node-id-check", comment: comment, twin: twin, in: o("address", address, "node_id", toHex(whole)), outcome: accept}
		if ok {
			v.out = o("exempt", isExempt)
		} else {
			v.outcome, v.reason = ignore, authentication
		}
		return v
	}

	published := []struct {
		suffix, address string
		random          byte
		id              string
	}{
		{"published-1", "124.31.75.21", 1, "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401"},
		{"published-2", "21.75.31.124", 86, "5a3ce9c14e7a08645677bbd1cfe7d8f956d53256"},
		{"published-3", "65.23.51.170", 22, "a5d43220bc8f112a3d426c84764f8c2a1150e616"},
		{"published-4", "84.124.73.14", 65, "1b0321dd1bb1fe518101ceef99462b947a01ff41"},
		{"published-5", "43.213.53.83", 90, "e56f6cbf5b7c4be0237986d5243b87aa6d51305a"},
	}
	const rule = "dht-id-address/"
	var out []vector
	for _, p := range published {
		out = append(out, derive(rule+p.suffix, "a published id", "BEP 42", p.address, p.random, fromHex(p.id)))
	}
	for r := range byte(8) {
		ip := netip.MustParseAddr("192.0.2.1")
		out = append(out, derive(fmt.Sprintf("%sr-%d", rule, r), "each r gives another id", "", ip.String(), 0xf8|r, fitting(ip, 0xf8|r, tail)))
	}
	for _, v := range []struct {
		suffix, comment, address string
		random                   byte
	}{
		{"ones", "every bit of the address set: the mask decides", "255.255.255.255", 7},
		{"low", "an address of small numbers", "1.0.0.0", 0},
		{"v6-documentation", "an IPv6 address: of its 16 bytes the first 8 are hashed, as 8 bytes", "2001:db8:85a3:8d3::1", 1},
		{"v6-lower-half", "the lower half of an IPv6 address means nothing: the same id as the vector before", "2001:db8:85a3:8d3:ffff:ffff:ffff:ffff", 1},
		{"v6-ones", "every bit of the upper half set", "ffff:ffff:ffff:ffff::", 86},
		{"v6-teredo", "an address whose second half of the upper half is not 0", "2001:0:5ef5:79fb::1", 22},
		{"v6-global", "an address of a provider", "2a02:8109:9ac0:3c2c::7", 90},
		{"v6-r-seven", "r of 7: three bits from the top", "2a02:8109:9ac0:3c2c::7", 0xff},
	} {
		ip := netip.MustParseAddr(v.address)
		out = append(out, derive(rule+v.suffix, v.comment, "", v.address, v.random, fitting(ip, v.random, tail)))
	}

	const twin = rule + "bit-21"
	good := fromHex(published[0].id)
	address := published[0].address
	for bit := range 24 {
		id, comment := fmt.Sprintf("%sbit-%d", rule, bit), fmt.Sprintf("bit %d of the id turned", bit)
		if bit < 21 {
			out = append(out, check(id, comment, twin, address, flip(good, bit), false, false))
		} else {
			out = append(out, check(id, comment+": it is not of the 21 that count", "", address, flip(good, bit), false, true))
		}
	}
	v6 := netip.MustParseAddr("2001:db8:85a3:8d3::1")
	good6 := fitting(v6, 1, tail)
	out = append(out,
		check(rule+"last-byte-high", "the upper 5 bits of the last byte are free", "", address, flip(good, 152), false, true),
		check(rule+"last-byte-r", "another r in the last byte, whose id begins otherwise", twin, address, flip(good, 159), false, false),
		check(rule+"address-other", "another address", twin, "124.31.75.22", good, false, false),
		check(rule+"address-masked", "an address that differs in masked bits only", "", "252.255.203.21", fitting(netip.MustParseAddr("0.15.11.21"), 1, tail), false, true),
		check(rule+"eight-bytes", "an id made from 8 bytes for IPv4, as the prose of BEP 42 says and its code does not", twin, address, eightBytes(netip.MustParseAddr(address), 1, tail), false, false),
		check(rule+"v6-bit-20", "the last bit that counts, for IPv6", rule+"v6-bit-21", v6.String(), flip(good6, 20), false, false),
		check(rule+"v6-bit-21", "the first bit that does not count, for IPv6", "", v6.String(), flip(good6, 21), false, true),
		check(rule+"v6-subnet", "another /64", rule+"v6-bit-21", "2001:db8:85a3:8d2::1", good6, false, false),
	)
	for _, e := range []struct {
		suffix, address string
		exempt          bool
	}{
		{"ten-first", "10.0.0.0", true}, {"ten-last", "10.255.255.255", true}, {"ten-after", "11.0.0.0", false}, {"ten-before", "9.255.255.255", false},
		{"172-first", "172.16.0.0", true}, {"172-last", "172.31.255.255", true}, {"172-after", "172.32.0.0", false}, {"172-before", "172.15.255.255", false},
		{"192-first", "192.168.0.0", true}, {"192-last", "192.168.255.255", true}, {"192-after", "192.169.0.0", false}, {"192-before", "192.167.255.255", false},
		{"link-first", "169.254.0.0", true}, {"link-last", "169.254.255.255", true}, {"link-after", "169.255.0.0", false}, {"link-before", "169.253.255.255", false},
		{"loopback-first", "127.0.0.0", true}, {"loopback-last", "127.255.255.255", true}, {"loopback-after", "128.0.0.0", false}, {"loopback-before", "126.255.255.255", false},
		{"v6-unique-first", "fc00::", true}, {"v6-unique-last", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true}, {"v6-unique-after", "fe00::", false}, {"v6-unique-before", "fbff::", false},
		{"v6-link-first", "fe80::", true}, {"v6-link-last", "febf:ffff::", true}, {"v6-link-after", "fec0::", false}, {"v6-link-before", "fe7f::", false},
		{"v6-loopback", "::1", true}, {"v6-loopback-after", "::2", false},
	} {
		// The id fits neither side of a border, so that only the exemption can make it pass.
		whole, twin := flip(fitting(netip.MustParseAddr(e.address), 3, tail), 0), ""
		comment := "an exempt address: any id will do"
		if !e.exempt {
			comment, twin = "an address just beyond the exempt ones", rule+"exempt-ten-first"
		}
		out = append(out, check(rule+"exempt-"+e.suffix, comment, twin, e.address, whole, e.exempt, e.exempt))
	}
	return out
}

// eightBytes makes an id the way BEP 42's prose describes and nobody does.
func eightBytes(ip netip.Addr, random byte, tail string) string {
	b := append(make([]byte, 4), seed(ip, random)...)
	head := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))&^0x7ff | binary.BigEndian.Uint32([]byte(tail))&0x7ff
	return string(binary.BigEndian.AppendUint32(nil, head)) + tail[4:19] + string([]byte{random})
}
