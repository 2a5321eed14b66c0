package gen

import "strings"

func compactVectors() []vector {
	// peers and nodes; the addresses cover the first and last of each byte and of the port.
	taken := func(id, op, comment, input string, out object) vector {
		return vector{id: id, op: op, comment: comment, in: o("input", toHex(input)), outcome: accept, out: append(out, field{"output", toHex(input)})}
	}
	refused := func(id, op, comment, twin string, size int) vector {
		return vector{id: id, op: op, comment: comment, twin: twin, in: o("input", toHex(strings.Repeat("\x01", size))), outcome: drop, reason: malformed}
	}
	peer := func(id, comment, address string) vector {
		return taken(id, "wire.peer", comment, compact(address), o("address", address))
	}
	one := func(id, comment, nodeID, address string) vector {
		return taken(id, "wire.node", comment, node(nodeID, address), o("node", o("id", toHex(nodeID), "address", address)))
	}
	many := func(id, op, comment string, unit int, entries ...string) vector {
		all := strings.Join(entries, "")
		return taken(id, op, comment, all, o("nodes", nodes(all, unit)))
	}
	zero, ones := strings.Repeat("\x00", 20), strings.Repeat("\xff", 20)
	a, b := node(idB, "192.0.2.1:6881"), node(idA, "198.51.100.255:65535")
	a6, b6 := node(idB, "[2001:db8::1]:6881"), node(idA, "[2001:db8:ffff::]:1")
	mapped := idA + strings.Repeat("\x00", 10) + "\xff\xff" + compact("192.0.2.1:6881")
	valuesOf := func(id, comment string, entries ...string) vector {
		items, kept, peers := list{}, list{}, []string{}
		for _, e := range entries {
			items = append(items, e)
			if len(e) == 6 || len(e) == 18 {
				kept, peers = append(kept, e), append(peers, address(e))
			}
		}
		return vector{id: id, op: "wire.values", comment: comment, in: o("input", toHex(encode(items))), outcome: accept,
			out: o("peers", peers, "output", toHex(encode(kept)))}
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
		refused("wire-values-form/peer-nothing", "wire.peer", "no bytes", "wire-values-form/peer", 0),
		refused("wire-values-form/peer-five", "wire.peer", "5 bytes", "wire-values-form/peer", 5),
		refused("wire-values-form/peer-seven", "wire.peer", "7 bytes", "wire-values-form/peer", 7),
		refused("wire-values-form/peer6-seventeen", "wire.peer", "17 bytes", "wire-values-form/peer6", 17),
		refused("wire-values-form/peer6-nineteen", "wire.peer", "19 bytes", "wire-values-form/peer6", 19),

		one("wire-nodes-form/node", "an IPv4 node: its id and its address", idB, "192.0.2.1:6881"),
		one("wire-nodes-form/node-zero", "all zeros", zero, "0.0.0.0:0"),
		one("wire-nodes-form/node-ones", "all ones", ones, "255.255.255.255:65535"),
		one("wire-nodes6-form/node", "an IPv6 node", idB, "[2001:db8::1]:6881"),
		refused("wire-nodes-form/node-nothing", "wire.node", "no bytes", "wire-nodes-form/node", 0),
		refused("wire-nodes-form/node-short", "wire.node", "25 bytes", "wire-nodes-form/node", 25),
		refused("wire-nodes-form/node-long", "wire.node", "27 bytes", "wire-nodes-form/node", 27),
		refused("wire-nodes6-form/node-short", "wire.node", "37 bytes", "wire-nodes6-form/node", 37),
		refused("wire-nodes6-form/node-long", "wire.node", "39 bytes", "wire-nodes6-form/node", 39),

		many("wire-nodes-form/list-none", "wire.nodes", "no node", 26),
		many("wire-nodes-form/list-one", "wire.nodes", "one node", 26, a),
		many("wire-nodes-form/list-two", "wire.nodes", "two nodes, whose order stays", 26, b, a),
		many("wire-nodes-form/list-eight", "wire.nodes", "eight nodes", 26, a, b, a, b, a, b, a, b),
		refused("wire-nodes-form/list-short", "wire.nodes", "one byte less than two nodes", "wire-nodes-form/list-two", 51),
		refused("wire-nodes-form/list-long", "wire.nodes", "one byte more than two nodes", "wire-nodes-form/list-two", 53),
		refused("wire-nodes-form/list-of-nodes6", "wire.nodes", "one IPv6 node in nodes", "wire-nodes-form/list-one", 38),
		many("wire-nodes6-form/list-none", "wire.nodes6", "no node", 38),
		many("wire-nodes6-form/list-one", "wire.nodes6", "one node", 38, a6),
		many("wire-nodes6-form/list-two", "wire.nodes6", "two nodes, whose order stays", 38, b6, a6),
		many("wire-nodes6-form/list-mapped", "wire.nodes6", "an IPv4-mapped address stays IPv6", 38, mapped),
		refused("wire-nodes6-form/list-short", "wire.nodes6", "one byte less than two nodes", "wire-nodes6-form/list-two", 75),
		refused("wire-nodes6-form/list-long", "wire.nodes6", "one byte more than two nodes", "wire-nodes6-form/list-two", 77),
		refused("wire-nodes6-form/list-of-nodes", "wire.nodes6", "one IPv4 node in nodes6", "wire-nodes6-form/list-one", 26),

		valuesOf("wire-values-mixed/none", "an empty list"),
		valuesOf("wire-values-mixed/two", "two peers, whose order stays", compact("198.51.100.255:65535"), compact("192.0.2.1:6881")),
		valuesOf("wire-values-mixed/both", "both families in one list", compact("[2001:db8::1]:6881"), compact("192.0.2.1:6881")),
		valuesOf("wire-values-mixed/skipped", "entries of 0, 4, 7, 16 and 26 bytes are skipped", "", "\x7f\x00\x00\x01", compact("192.0.2.1:6881"), "1234567",
			strings.Repeat("\x01", 16), compact("[2001:db8::1]:6881"), a),
	}
}
