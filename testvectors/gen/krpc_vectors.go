package gen

import "strings"

const (
	idA = "abcdefghij0123456789" // the ids of BEP 5's examples
	idB = "mnopqrstuvwxyz123456"
)

func krpcVectors() []vector {
	var out []vector
	for _, cases := range [][]krpcCase{krpcQueries(), krpcReplies(), krpcErrors(), krpcTolerated(), krpcRefused(), krpcUnreadable()} {
		for _, c := range cases {
			out = append(out, c.vector())
		}
	}
	return out
}

// query makes a query of BEP 5's examples' shape.
func query(method string, args dict) dict {
	return d("a", args.with("id", idA), "q", method, "t", "aa", "y", "q")
}

// reply makes a reply of BEP 5's examples' shape.
func reply(values dict) dict {
	return d("r", values.with("id", idB), "t", "aa", "y", "r")
}

func krpcQueries() []krpcCase {
	item, signed := "12:Hello World!", publishedItems[0]
	return []krpcCase{
		{id: "wire-krpc-query/ping", comment: "ping", source: "BEP 5",
			input: "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"},
		{id: "wire-krpc-query/find-node", comment: "find_node", source: "BEP 5",
			input: "d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe"},
		{id: "wire-krpc-query/get-peers", comment: "get_peers", source: "BEP 5",
			input: "d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:qe"},
		{id: "wire-krpc-query/announce-peer", comment: "announce_peer", source: "BEP 5",
			input: "d1:ad2:id20:abcdefghij012345678912:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234564:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe"},
		{id: "wire-krpc-query/announce-port", comment: "announce_peer without implied_port",
			input: encode(query("announce_peer", d("info_hash", idB, "port", 6881, "token", "aoeusnth")))},
		{id: "wire-krpc-query/announce-implied-zero", comment: "announce_peer with an implied_port of 0",
			input: encode(query("announce_peer", d("implied_port", 0, "info_hash", idB, "port", 6881, "token", "aoeusnth")))},
		{id: "wire-krpc-query/find-node-want", comment: "find_node that asks for both families (BEP 32)",
			input: encode(query("find_node", d("target", idB, "want", list{"n4", "n6"})))},
		{id: "wire-krpc-query/get-peers-want-n6", comment: "get_peers that asks for IPv6 nodes (BEP 32)",
			input: encode(query("get_peers", d("info_hash", idB, "want", list{"n6"})))},
		{id: "wire-krpc-query/read-only", comment: "ping of a read-only node (BEP 43)",
			input: encode(query("ping", d()).with("ro", 1))},
		{id: "wire-krpc-query/version", comment: "ping that names its program", also: []string{"wire-krpc-version", "wire-kith-version"},
			input: encode(query("ping", d()).with("v", "KT\x00\x01"))},
		{id: "wire-krpc-query/get", comment: "get (BEP 44)",
			input: encode(query("get", d("target", idB)))},
		{id: "wire-krpc-query/get-seq", comment: "get for what is newer than seq 5 (BEP 44)",
			input: encode(query("get", d("seq", 5, "target", idB)))},
		{id: "wire-krpc-query/put-immutable", comment: "put of an immutable item (BEP 44)",
			input: encode(query("put", d("token", "aoeusnth", "v", spelt(item))))},
		{id: "wire-krpc-query/put-mutable", comment: "put of a mutable item (BEP 44)",
			input: encode(query("put", d("k", signed.key, "seq", 1, "sig", signed.sig, "token", "aoeusnth", "v", spelt(item))))},
		{id: "wire-krpc-query/put-salt-cas", comment: "put of a mutable item with salt and cas (BEP 44)",
			input: encode(query("put", d("cas", 0, "k", signed.key, "salt", "foobar", "seq", 1, "sig", publishedItems[1].sig, "token", "aoeusnth", "v", spelt(item))))},
		{id: "wire-krpc-query/put-seq-max", comment: "the greatest seq, 2^63 - 1: more than a double can hold",
			input: encode(query("put", d("cas", spelt("i9223372036854775806e"), "k", signed.key, "seq", spelt("i9223372036854775807e"), "sig", signed.sig, "token", "aoeusnth", "v", spelt(item))))},
		{id: "wire-krpc-query/put-structure", comment: "put of a value that is a dictionary",
			input: encode(query("put", d("token", "aoeusnth", "v", d("list", list{1, "two", d()}, "n", -5))))},
		{id: "wire-krpc-query/sample-infohashes", comment: "sample_infohashes (BEP 51)",
			input: encode(query("sample_infohashes", d("target", idB)))},
	}
}

func krpcReplies() []krpcCase {
	signed := publishedItems[0]
	four := node(idB, "192.0.2.1:6881") + node(idA, "198.51.100.255:65535")
	six := node(idB, "[2001:db8::1]:6881") + node(idA, "[2001:db8:ffff::]:1")
	return []krpcCase{
		{id: "wire-krpc-dictionary/ping", comment: "the reply to ping", source: "BEP 5",
			input: "d1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re"},
		{id: "wire-krpc-dictionary/values", comment: "the reply to get_peers with peers", source: "BEP 5", also: []string{"wire-values-form"},
			input: "d1:rd2:id20:abcdefghij01234567895:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re"},
		{id: "wire-nodes-form/two", comment: "the reply to find_node with two nodes",
			input: encode(reply(d("nodes", four)))},
		{id: "wire-nodes-form/none", comment: "the reply to find_node of a node that knows none",
			input: encode(reply(d("nodes", "")))},
		{id: "wire-nodes-form/eight", comment: "the reply to get_peers with eight nodes",
			input: encode(reply(d("nodes", strings.Repeat(four, 4), "token", "aoeusnth")))},
		{id: "wire-nodes6-form/two", comment: "the reply to find_node with two IPv6 nodes (BEP 32)",
			input: encode(reply(d("nodes6", six)))},
		{id: "wire-nodes6-form/both", comment: "nodes of both families (BEP 32)",
			input: encode(reply(d("nodes", four, "nodes6", six)))},
		{id: "wire-values-form/ipv6", comment: "IPv6 peers (BEP 32)",
			input: encode(reply(d("token", "aoeusnth", "values", list{compact("[2001:db8::1]:6881"), compact("[2001:db8::2]:6882")})))},
		{id: "wire-values-form/both", comment: "peers and nodes beside one another (BEP 32)",
			input: encode(reply(d("nodes", four, "token", "aoeusnth", "values", list{compact("192.0.2.7:6881")})))},
		{id: "wire-values-form/none", comment: "an empty list of peers",
			input: encode(reply(d("token", "aoeusnth", "values", list{})))},
		{id: "wire-krpc-dictionary/ip", comment: "a reply that says where the query came from (BEP 42)",
			input: encode(reply(d()).with("ip", compact("203.0.113.9:51413")))},
		{id: "wire-krpc-dictionary/ip6", comment: "the same over IPv6",
			input: encode(reply(d()).with("ip", compact("[2001:db8::9]:51413")))},
		{id: "wire-krpc-dictionary/get-immutable", comment: "the reply to get with an immutable item (BEP 44)",
			input: encode(reply(d("nodes", four, "token", "aoeusnth", "v", "Hello World!")))},
		{id: "wire-krpc-dictionary/get-mutable", comment: "the reply to get with a mutable item (BEP 44)",
			input: encode(reply(d("k", signed.key, "nodes", four, "seq", 1, "sig", signed.sig, "token", "aoeusnth", "v", "Hello World!")))},
		{id: "wire-krpc-dictionary/get-seq", comment: "the reply to get with a seq that is not older: seq alone (BEP 44)",
			input: encode(reply(d("nodes", four, "seq", 5, "token", "aoeusnth")))},
		{id: "wire-samples-form/two", comment: "the reply to sample_infohashes (BEP 51)",
			input: encode(reply(d("interval", 21600, "nodes", four, "num", 2, "samples", idA+idB)))},
		{id: "wire-samples-form/none", comment: "the reply of a node without info-hashes (BEP 51)",
			input: encode(reply(d("interval", 0, "nodes", "", "num", 0, "samples", "")))},
		{id: "wire-krpc-dictionary/put", comment: "the reply to put and announce_peer",
			input: encode(reply(d()).with("v", "LT\x02\x00"))},
	}
}

func krpcErrors() []krpcCase {
	report := func(code int, words string) dict { return d("e", list{code, words}, "t", "aa", "y", "e") }
	return []krpcCase{
		{id: "wire-krpc-error/generic", comment: "an error", source: "BEP 5",
			input: "d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee"},
		{id: "wire-krpc-error/empty-text", comment: "an error without words", input: encode(report(204, ""))},
		{id: "wire-krpc-error/cas", comment: "an error of BEP 44", input: encode(report(301, "CAS mismatch"))},
		{id: "wire-krpc-error/unknown-code", comment: "a code that no BEP has: codes are not the parser's business", input: encode(report(-7, "?"))},
		{id: "wire-krpc-error/ip", comment: "an error that says where the query came from", input: encode(report(203, "Protocol Error").with("ip", compact("203.0.113.9:51413")))},
		{id: "wire-kind-decides/error-with-r", comment: "an error that carries return values also, as libtorrent's do",
			input: encode(report(203, "invalid arguments").with("r", d("id", idB)))},
		{id: "wire-kind-decides/reply-with-q", comment: "a reply that carries a method also",
			input: encode(reply(d()).with("q", "ping"))},
		{id: "wire-kind-decides/error-with-r-list", comment: "an error that carries an r which is no dictionary: it is none of its keys",
			input: encode(report(203, "invalid arguments").with("r", list{}))},
		{id: "wire-kind-decides/reply-with-q-int", comment: "a reply that carries a q which is no string",
			input: encode(reply(d()).with("q", 1))},
		{id: "wire-kind-decides/reply-with-ro-string", comment: "a reply that carries an ro, which is a query's",
			input: encode(reply(d()).with("ro", "1"))},
		{id: "wire-kind-decides/query-with-ip-int", comment: "a query that carries an ip, which is an answer's",
			input: encode(query("ping", d()).with("ip", 1))},
		{id: "wire-kind-decides/query-with-r", comment: "a query that carries return values also",
			input: encode(query("ping", d()).with("r", d("id", idB)))},
	}
}

// krpcTolerated are messages in which something is to be passed over.
func krpcTolerated() []krpcCase {
	peer, peer6 := compact("192.0.2.7:6881"), compact("[2001:db8::1]:6881")
	padded := func(size int) string {
		ping := encode(query("ping", d()).with("zz", ""))
		fill := size - len(ping) - len("1000") + len("0")
		return encode(query("ping", d()).with("zz", strings.Repeat("x", fill)))
	}
	return []krpcCase{
		{id: "wire-unknown-key/top", comment: "unknown keys before, between and behind the known ones",
			input: encode(append(query("ping", d()), entry{"", 1}, entry{"aa", list{}}, entry{"nk", "x"}, entry{"z", d("y", "r")}))},
		{id: "wire-unknown-key/arguments", comment: "unknown arguments, one of them a dictionary with a known name inside",
			input: encode(query("ping", d("ia", 1, "scrape", 1, "x", d("id", "short"))))},
		{id: "wire-unknown-key/values", comment: "unknown return values, as libtorrent's p",
			input: encode(reply(d("p", 6881)))},
		{id: "wire-unknown-key/prefix", comment: "keys that begin like known ones",
			input: encode(query("ping", d("i", 1, "idx", "x")).with("tt", 5).with("yy", 5))},
		{id: "wire-version-absent/ping", comment: "no v", input: encode(query("ping", d()))},
		{id: "wire-ip-other-length/five", comment: "an ip of 5 bytes is none", input: encode(reply(d()).with("ip", "\x01\x02\x03\x04\x05"))},
		{id: "wire-ip-other-length/four", comment: "an ip without a port is none", input: encode(reply(d()).with("ip", "\xc0\x00\x02\x01"))},
		{id: "wire-ip-other-length/empty", comment: "an empty ip is none", input: encode(reply(d()).with("ip", ""))},
		{id: "wire-values-mixed/lengths", comment: "entries of 0, 5, 7 and 26 bytes are skipped, the others stay",
			input: encode(reply(d("values", list{"", peer, peer[:5], peer + "x", peer6, strings.Repeat("n", 26)})))},
		{id: "wire-values-mixed/families", comment: "peers of both families in one list",
			input: encode(reply(d("values", list{peer6, peer})))},
		{id: "wire-want-unknown/entry", comment: "an unknown family is ignored beside a known one",
			input: encode(query("find_node", d("target", idB, "want", list{"n7", "n4", ""})))},
		{id: "wire-want-unknown/only", comment: "only unknown families",
			input: encode(query("find_node", d("target", idB, "want", list{"zz"})))},
		{id: "wire-want-unknown/none", comment: "an empty want",
			input: encode(query("find_node", d("target", idB, "want", list{})))},
		{id: "wire-want-unknown/order", comment: "families in another order, and one twice",
			input: encode(query("find_node", d("target", idB, "want", list{"n6", "n4", "n6"})))},
		{id: "wire-krpc-query/ro-zero", comment: "ro of 0: the sender answers queries, as one that says nothing",
			input: encode(query("ping", d()).with("ro", 0))},
		{id: "wire-krpc-query/implied-other", comment: "an implied_port other than 0 and 1 counts as 1",
			input: encode(query("announce_peer", d("implied_port", 7, "info_hash", idB, "token", "aoeusnth")))},
		{id: "wire-krpc-query/port-any", comment: "a port out of range can be read: to refuse it is the node's business",
			input: encode(query("announce_peer", d("info_hash", idB, "port", 65536+6881, "token", "aoeusnth")))},
		{id: "wire-krpc-query/salt-65", comment: "a salt of 65 bytes can be read: to refuse it with 207 is the node's business",
			input: encode(query("put", d("k", publishedItems[0].key, "salt", strings.Repeat("s", 65), "seq", 1, "sig", publishedItems[0].sig, "token", "aoeusnth", "v", "x")))},
		{id: "wire-krpc-query/no-arguments", comment: "no arguments at all can be read: which of them a method needs is the node's business",
			input: encode(d("a", d(), "q", "ping", "t", "aa", "y", "q"))},
		{id: "wire-krpc-query/cas-only", comment: "a put with no other argument than cas can be read",
			input: "d1:ad3:casi1ee1:q3:put1:t2:aa1:y1:qe"},
		{id: "wire-krpc-query/unknown-method", comment: "a method that no BEP has", input: encode(query("xyzzy", d("target", idB)))},
		{id: "wire-krpc-query/t-one", comment: "a t of 1 byte, any byte", input: encode(query("ping", d()).with("t", "\x00"))},
		{id: "wire-krpc-query/t-64", comment: "a t of 64 bytes", input: encode(query("ping", d()).with("t", strings.Repeat("t", 64)))},
		{id: "wire-krpc-query/t-empty", comment: "an empty t can be read: what is answered under it is the node's business",
			input: encode(query("ping", d()).with("t", ""))},
		{id: "wire-datagram-taken/1024", comment: "1,024 bytes", input: padded(1024)},
		{id: "wire-datagram-limit/4096", comment: "4,096 bytes, the most", input: padded(4096)},
		{id: "wire-depth/message-sixteen", comment: "a value at depth 16: 14 lists inside the message and its arguments",
			input: encode(query("put", d("token", "aoeusnth", "v", spelt(strings.Repeat("l", 14)+strings.Repeat("e", 14)))))},
	}
}
