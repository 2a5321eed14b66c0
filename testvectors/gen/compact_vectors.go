package main

import "strings"

func compactVectors() []vector {
	// peers and nodes; the addresses cover the first and last of each byte and of the port.
	peer := func(id, comment, address string) vector {
		c := compact(address)
		return vector{id: id, kind: "peer", comment: comment, outcome: accept,
			body: []field{{"input", toHex(c)}, {"address", address}}}
	}
	peerRefused := func(id, comment, twin string, size int) vector {
		return vector{id: id, kind: "peer", comment: comment, twin: twin, outcome: drop, reason: malformed,
			body: []field{{"input", toHex(strings.Repeat("\x01", size))}}}
	}
	one := func(id, comment, nodeID, address string) vector {
		return vector{id: id, kind: "node", comment: comment, outcome: accept,
			body: []field{{"input", toHex(node(nodeID, address))}, {"node", object{{"id", toHex(nodeID)}, {"address", address}}}}}
	}
	oneRefused := func(id, comment, twin string, size int) vector {
		return vector{id: id, kind: "node", comment: comment, twin: twin, outcome: drop, reason: malformed,
			body: []field{{"input", toHex(strings.Repeat("\x01", size))}}}
	}
	many := func(id, kind, comment string, unit int, entries ...string) vector {
		all := strings.Join(entries, "")
		return vector{id: id, kind: kind, comment: comment, outcome: accept,
			body: []field{{"input", toHex(all)}, {"nodes", nodes(all, unit)}}}
	}
	manyRefused := func(id, kind, comment, twin string, size int) vector {
		return vector{id: id, kind: kind, comment: comment, twin: twin, outcome: drop, reason: malformed,
			body: []field{{"input", toHex(strings.Repeat("\x01", size))}}}
	}
	zero, ones := strings.Repeat("\x00", 20), strings.Repeat("\xff", 20)
	a, b := node(idB, "192.0.2.1:6881"), node(idA, "198.51.100.255:65535")
	a6, b6 := node(idB, "[2001:db8::1]:6881"), node(idA, "[2001:db8:ffff::]:1")
	mapped := idA + strings.Repeat("\x00", 10) + "\xff\xff" + compact("192.0.2.1:6881")
	valuesOf := func(id, comment string, entries ...string) vector {
		items, peers := list{}, []string{}
		for _, e := range entries {
			items = append(items, e)
			if len(e) == 6 || len(e) == 18 {
				peers = append(peers, address(e))
			}
		}
		return vector{id: id, kind: "values", comment: comment, outcome: accept,
			body: []field{{"input", toHex(encode(items))}, {"peers", peers}}}
	}

	return []vector{
		peer("wire-values-form/peer", "an IPv4 peer: 4 bytes of address, 2 of port, big-endian", "192.0.2.1:6881"),
		peer("wire-values-form/peer-zero", "all zeros can be read; to use it is another matter", "0.0.0.0:0"),
		peer("wire-values-form/peer-ones", "all ones", "255.255.255.255:65535"),
		peer("wire-values-form/peer-port-high", "a port whose first byte is not 0 and whose second is", "192.0.2.1:256"),
		peer("wire-values-form/peer6", "an IPv6 peer", "[2001:db8::1]:6881"),
		peer("wire-values-form/peer6-full", "an IPv6 peer without a zero in it", "[2001:db8:1234:5678:9abc:def0:1357:9bdf]:65280"),
		peer("wire-values-form/peer6-zero", "all zeros", "[::]:0"),
		peer("wire-values-form/peer6-mapped", "an IPv4-mapped address of 18 bytes stays IPv6", "[::ffff:192.0.2.1]:6881"),
		peerRefused("wire-values-form/peer-nothing", "no bytes", "wire-values-form/peer", 0),
		peerRefused("wire-values-form/peer-five", "5 bytes", "wire-values-form/peer", 5),
		peerRefused("wire-values-form/peer-seven", "7 bytes", "wire-values-form/peer", 7),
		peerRefused("wire-values-form/peer6-seventeen", "17 bytes", "wire-values-form/peer6", 17),
		peerRefused("wire-values-form/peer6-nineteen", "19 bytes", "wire-values-form/peer6", 19),

		one("wire-nodes-form/node", "an IPv4 node: its id and its address", idB, "192.0.2.1:6881"),
		one("wire-nodes-form/node-zero", "all zeros", zero, "0.0.0.0:0"),
		one("wire-nodes-form/node-ones", "all ones", ones, "255.255.255.255:65535"),
		one("wire-nodes6-form/node", "an IPv6 node", idB, "[2001:db8::1]:6881"),
		oneRefused("wire-nodes-form/node-nothing", "no bytes", "wire-nodes-form/node", 0),
		oneRefused("wire-nodes-form/node-short", "25 bytes", "wire-nodes-form/node", 25),
		oneRefused("wire-nodes-form/node-long", "27 bytes", "wire-nodes-form/node", 27),
		oneRefused("wire-nodes6-form/node-short", "37 bytes", "wire-nodes6-form/node", 37),
		oneRefused("wire-nodes6-form/node-long", "39 bytes", "wire-nodes6-form/node", 39),

		many("wire-nodes-form/list-none", "nodes", "no node", 26),
		many("wire-nodes-form/list-one", "nodes", "one node", 26, a),
		many("wire-nodes-form/list-two", "nodes", "two nodes, whose order stays", 26, b, a),
		many("wire-nodes-form/list-eight", "nodes", "eight nodes", 26, a, b, a, b, a, b, a, b),
		manyRefused("wire-nodes-form/list-short", "nodes", "one byte less than two nodes", "wire-nodes-form/list-two", 51),
		manyRefused("wire-nodes-form/list-long", "nodes", "one byte more than two nodes", "wire-nodes-form/list-two", 53),
		manyRefused("wire-nodes-form/list-of-nodes6", "nodes", "one IPv6 node in nodes", "wire-nodes6-form/list-one", 38),
		many("wire-nodes6-form/list-none", "nodes6", "no node", 38),
		many("wire-nodes6-form/list-one", "nodes6", "one node", 38, a6),
		many("wire-nodes6-form/list-two", "nodes6", "two nodes, whose order stays", 38, b6, a6),
		many("wire-nodes6-form/list-mapped", "nodes6", "an IPv4-mapped address stays IPv6", 38, mapped),
		manyRefused("wire-nodes6-form/list-short", "nodes6", "one byte less than two nodes", "wire-nodes6-form/list-two", 75),
		manyRefused("wire-nodes6-form/list-long", "nodes6", "one byte more than two nodes", "wire-nodes6-form/list-two", 77),
		manyRefused("wire-nodes6-form/list-of-nodes", "nodes6", "one IPv4 node in nodes6", "wire-nodes-form/list-one", 26),

		valuesOf("wire-values-mixed/none", "an empty list"),
		valuesOf("wire-values-mixed/two", "two peers, whose order stays", compact("198.51.100.255:65535"), compact("192.0.2.1:6881")),
		valuesOf("wire-values-mixed/both", "both families in one list", compact("[2001:db8::1]:6881"), compact("192.0.2.1:6881")),
		valuesOf("wire-values-mixed/skipped", "entries of 0, 4, 7, 16 and 26 bytes are skipped", "", "\x7f\x00\x00\x01", compact("192.0.2.1:6881"), "1234567",
			strings.Repeat("\x01", 16), compact("[2001:db8::1]:6881"), a),
	}
}
