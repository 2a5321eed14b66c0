package dht

import (
	"bytes"
	"strings"

	"kith/conformance/lenient"
)

// Each packet of these is fenced by a ping of its own, so that a verdict names the one that the target did not survive.
func init() {
	Case("dht-survive-nesting", Survive, func(s *Script) {
		s.Judge(ask, func(n *Node) {
			for _, depth := range []int{100, 1000, 15000} {
				lists := strings.Repeat("l", depth) + strings.Repeat("e", depth)
				dicts := strings.Repeat("d0:", depth) + "de" + strings.Repeat("e", depth)
				for _, z := range []string{lists, dicts, strings.Repeat("l", depth)} {
					n.Ping().Top("z", raw(z)).Poked()
				}
			}
		})
	})

	// Lengths and integers that a number of 32 or 64 bits does not hold, or that are none.
	Case("dht-survive-numbers", Survive, func(s *Script) {
		s.Judge(ask, func(n *Node) {
			for _, z := range []string{
				"4294967297:a", "9223372036854775808:a", "99999999999999999999999:a", "2147483647:a", "-1:a", "-4294967295:a",
				"i9223372036854775808e", "i-9223372036854775809e", "i" + strings.Repeat("9", 300) + "e", "ie", "i-e", "i1",
			} {
				n.Ping().Top("z", raw(z)).Poked()
			}
		})
	})

	Case("dht-survive-cut", Survive, func(s *Script) {
		s.Judge(ask, func(n *Node) {
			p := n.Announce(s.ID(), s.Bytes(8), 6881)
			whole := p.Bytes()
			for k := range 16 {
				n.Raw(whole[:1+k*(len(whole)-1)/16]).Poked()
			}
		})
	})

	// What a method needs is not there at all, or is something else.
	Case("dht-survive-arguments", Survive, func(s *Script) {
		s.Judge(ask, func(n *Node) {
			for _, method := range []string{"ping", "find_node", "get_peers", "announce_peer", "get", "put", "sample_infohashes"} {
				n.Query(method).NoArgs().Poked()
				for _, a := range []any{0, "", lenient.L{}, dict()} {
					n.Query(method).Args(a).Poked()
				}
			}
		})
	})

	// Addresses, nodes and peers of every length, in a query, a reply and an error.
	Case("dht-survive-addresses", Survive, func(s *Script) {
		s.Judge(ask, func(n *Node) {
			for size := range 20 {
				b := s.Bytes(size)
				n.Ping().Top("ip", b).Poked()
				r := dict("id", n.ID, "nodes", b, "nodes6", b, "values", lenient.L{b})
				n.Dict(dict("ip", b, "r", r, "t", s.Bytes(4), "y", "r")).Poked()
				n.Dict(dict("e", lenient.L{201, "no"}, "ip", b, "t", s.Bytes(4), "y", "e")).Poked()
			}
		})
	})

	Case("dht-survive-noise", Survive, func(s *Script) {
		s.Judge(ask, func(n *Node) {
			n.Raw(nil).Poked()
			for _, size := range []int{1, 20, 1024, 60000} {
				n.Raw(append([]byte("d"), s.Bytes(size-1)...)).Poked()
			}
			n.Raw(bytes.Repeat([]byte{0}, 1400)).Poked()
			n.Ping().Top("z", bytes.Repeat([]byte("a"), 60000)).Poked()
		})
	})
}
