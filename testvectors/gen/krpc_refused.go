package gen

import "strings"

// krpcRefused are datagrams that a Kith node does not take. Where one is still a query that can be answered, it gets
// error 203.
func krpcRefused() []krpcCase {
	ping := query("ping", d())
	find := query("find_node", d("target", idB))
	announce := query("announce_peer", d("implied_port", 1, "info_hash", idB, "port", 6881, "token", "aoeusnth"))
	signed := publishedItems[0]
	put := query("put", d("k", signed.key, "seq", 1, "sig", signed.sig, "token", "aoeusnth", "v", "Hello World!"))
	answer := reply(d("nodes", node(idA, "192.0.2.1:6881"), "token", "aoeusnth", "values", list{compact("192.0.2.7:6881")}))

	// change sets an argument or a return value.
	change := func(m dict, key string, value any) string {
		for _, in := range []string{"a", "r"} {
			if body, ok := m.get(in); ok {
				return encode(m.with(in, body.(dict).with(key, value)))
			}
		}
		panic("neither query nor reply")
	}
	const (
		pingTwin     = "wire-krpc-query/ping"
		findTwin     = "wire-krpc-query/find-node"
		announceTwin = "wire-krpc-query/announce-peer"
		putTwin      = "wire-krpc-query/put-mutable"
		replyTwin    = "wire-krpc-dictionary/ping"
		errorTwin    = "wire-krpc-error/generic"
	)
	refused := func(id, comment, twin, input string, code int) krpcCase {
		c := krpcCase{id: id, comment: comment, twin: twin, input: input, reason: malformed, error: code}
		if code == 203 {
			c.also = append(c.also, "dht-error-malformed")
		}
		if strings.HasPrefix(id, "wire-known-key/y-") {
			c.also = append(c.also, "wire-krpc-kind")
		}
		return c
	}
	all := []krpcCase{
		refused("wire-key-missing/message-list", "a list", pingTwin, "l1:y1:qe", 0),
		refused("wire-key-missing/message-string", "a string", pingTwin, "4:ping", 0),
		refused("wire-key-missing/message-empty", "an empty dictionary", pingTwin, "de", 0),
		refused("wire-key-missing/message-none", "an empty datagram", pingTwin, "", 0),
		refused("wire-truncated/message", "a ping without its last byte: all that an answer needs stands before", pingTwin, strings.TrimSuffix(encode(ping), "e"), 203),
		refused("wire-truncated/half", "the first half of a find_node", findTwin, encode(find)[:46], 0),

		refused("wire-key-missing/y", "no y", pingTwin, encode(ping.with("y", nil)), 0),
		refused("wire-known-key/y-other", "a y that is none of the three", pingTwin, encode(ping.with("y", "x")), 0),
		refused("wire-known-key/y-long", "a y of two letters", pingTwin, encode(ping.with("y", "qq")), 0),
		refused("wire-known-key/y-empty", "an empty y", pingTwin, encode(ping.with("y", "")), 0),
		refused("wire-known-key/y-int", "a y that is an integer", pingTwin, encode(ping.with("y", 1)), 0),
		refused("wire-key-missing/t", "no t: there is nothing to answer under", pingTwin, encode(ping.with("t", nil)), 0),
		refused("wire-known-key/t-int", "a t that is an integer", pingTwin, encode(ping.with("t", 5)), 0),
		refused("wire-known-key/t-list", "a t that is a list", pingTwin, encode(ping.with("t", list{"aa"})), 0),
		refused("wire-key-missing/q", "a query without q", pingTwin, encode(ping.with("q", nil)), 0),
		refused("wire-known-key/q-int", "a q that is an integer", pingTwin, encode(ping.with("q", 1)), 0),
		refused("wire-key-missing/a", "a query without a, of 40 bytes", findTwin, encode(d("q", "find_node_etc", "t", "aabbccdd", "y", "q")), 203),
		refused("wire-known-key/a-list", "an a that is a list", findTwin, encode(find.with("a", list{"id", idA})), 203),
		refused("wire-known-key/a-string", "an a that is a string", findTwin, encode(find.with("a", idA)), 203),
		refused("wire-known-key/v-int", "a v that is an integer", pingTwin, encode(ping.with("v", 1)), 203),
		refused("wire-known-key/ro-string", "an ro that is a string", pingTwin, encode(ping.with("ro", "1")), 203),

		refused("wire-known-key/id-short", "an id of 19 bytes", pingTwin, change(ping, "id", idA[:19]), 203),
		refused("wire-known-key/id-long", "an id of 21 bytes", pingTwin, change(ping, "id", idA+"x"), 203),
		refused("wire-known-key/id-empty", "an empty id in a find_node", findTwin, change(find, "id", ""), 203),
		refused("wire-known-key/id-int", "an id that is an integer", findTwin, change(find, "id", 5), 203),
		refused("wire-known-key/target-short", "a target of 19 bytes", findTwin, change(find, "target", idB[:19]), 203),
		refused("wire-known-key/target-long", "a target of 32 bytes", findTwin, change(find, "target", strings.Repeat("t", 32)), 203),
		refused("wire-known-key/target-list", "a target that is a list", findTwin, change(find, "target", list{idB}), 203),
		refused("wire-known-key/infohash-short", "an info_hash of 19 bytes", announceTwin, change(announce, "info_hash", idB[:19]), 203),
		refused("wire-known-key/infohash-hex", "an info_hash in hexadecimal", announceTwin, change(announce, "info_hash", toHex(idB)), 203),
		refused("wire-known-key/port-string", "a port that is a string", announceTwin, change(announce, "port", "6881"), 203),
		refused("wire-known-key/implied-string", "an implied_port that is a string", announceTwin, change(announce, "implied_port", "1"), 203),
		refused("wire-known-key/token-int", "a token that is an integer", announceTwin, change(announce, "token", 5), 203),
		refused("wire-known-key/want-string", "a want that is a string", "wire-krpc-query/find-node-want", change(find, "want", "n4"), 203),
		refused("wire-known-key/want-int", "a want with an integer in it", "wire-krpc-query/find-node-want", change(find, "want", list{"n4", 6}), 203),
		refused("wire-known-key/want-dictionary", "a want that is a dictionary", "wire-krpc-query/find-node-want", change(find, "want", d("n4", "n6")), 203),
		refused("wire-known-key/k-short", "a k of 31 bytes", putTwin, change(put, "k", signed.key[:31]), 203),
		refused("wire-known-key/k-long", "a k of 33 bytes", putTwin, change(put, "k", signed.key+"x"), 203),
		refused("wire-known-key/sig-short", "a sig of 63 bytes", putTwin, change(put, "sig", signed.sig[:63]), 203),
		refused("wire-known-key/sig-long", "a sig of 65 bytes", putTwin, change(put, "sig", signed.sig+"x"), 203),
		refused("wire-known-key/salt-int", "a salt that is an integer", putTwin, change(put, "salt", 5), 203),
		refused("wire-known-key/seq-string", "a seq that is a string", putTwin, change(put, "seq", "1"), 203),
		refused("wire-known-key/cas-string", "a cas that is a string", putTwin, change(put, "cas", "1"), 203),
		refused("wire-seq-negative/minus-one", "a seq of -1", putTwin, change(put, "seq", -1), 203),
		refused("wire-seq-negative/min", "a seq of -2^63", putTwin, change(put, "seq", spelt("i-9223372036854775808e")), 203),
		refused("wire-seq-negative/cas", "a cas of -1", "wire-krpc-query/put-salt-cas", change(put, "cas", -1), 203),
		refused("wire-seq-negative/get", "a get with a seq of -1", "wire-krpc-query/get-seq", encode(query("get", d("seq", -1, "target", idB))), 203),
		refused("wire-int-range/seq", "a seq of 2^63", "wire-krpc-query/put-seq-max", change(put, "seq", spelt("i9223372036854775808e")), 203),

		refused("wire-key-missing/r", "a reply without r", replyTwin, encode(d("t", "aa", "y", "r")), 0),
		refused("wire-known-key/r-list", "an r that is a list", replyTwin, encode(answer.with("r", list{})), 0),
		refused("wire-known-key/nodes-short", "nodes of 25 bytes", "wire-nodes-form/two", change(answer, "nodes", strings.Repeat("n", 25)), 0),
		refused("wire-known-key/nodes-long", "nodes of 27 bytes", "wire-nodes-form/two", change(answer, "nodes", strings.Repeat("n", 27)), 0),
		refused("wire-known-key/nodes-list", "nodes that are a list", "wire-nodes-form/two", change(answer, "nodes", list{node(idA, "192.0.2.1:6881")}), 0),
		refused("wire-known-key/nodes6-short", "nodes6 of 26 bytes", "wire-nodes6-form/two", change(answer, "nodes6", strings.Repeat("n", 26)), 0),
		refused("wire-known-key/nodes6-long", "nodes6 of 77 bytes", "wire-nodes6-form/two", change(answer, "nodes6", strings.Repeat("n", 77)), 0),
		refused("wire-known-key/values-string", "values that are a string", "wire-krpc-dictionary/values", change(answer, "values", compact("192.0.2.7:6881")), 0),
		refused("wire-known-key/values-int", "values with an integer among them", "wire-krpc-dictionary/values", change(answer, "values", list{compact("192.0.2.7:6881"), 1}), 0),
		refused("wire-known-key/values-number", "values that are an integer", "wire-krpc-dictionary/values", change(answer, "values", 5), 0),
		refused("wire-known-key/samples-short", "samples of 39 bytes", "wire-samples-form/two", change(answer, "samples", strings.Repeat("s", 39)), 0),
		refused("wire-known-key/num-string", "a num that is a string", "wire-samples-form/two", change(answer, "num", "2"), 0),
		refused("wire-known-key/interval-string", "an interval that is a string", "wire-samples-form/two", change(answer, "interval", "60"), 0),
		refused("wire-known-key/ip-int", "an ip that is an integer", "wire-krpc-dictionary/ip", encode(answer.with("ip", 1)), 0),

		refused("wire-key-missing/e", "an error without e", errorTwin, encode(d("t", "aa", "y", "e")), 0),
		refused("wire-known-key/e-empty", "an e that is an empty list", errorTwin, encode(d("e", list{}, "t", "aa", "y", "e")), 0),
		refused("wire-known-key/e-code-only", "an e without a text", errorTwin, encode(d("e", list{201}, "t", "aa", "y", "e")), 0),
		refused("wire-known-key/e-swapped", "an e with text and code swapped", errorTwin, encode(d("e", list{"error", 201}, "t", "aa", "y", "e")), 0),
		refused("wire-known-key/e-three", "an e of three entries", errorTwin, encode(d("e", list{201, "error", "more"}, "t", "aa", "y", "e")), 0),
		refused("wire-known-key/e-text-dictionary", "an e with a dictionary for its text", errorTwin, encode(d("e", list{201, d()}, "t", "aa", "y", "e")), 0),
		refused("wire-known-key/e-dictionary", "an e that is a dictionary, as BEP 42 prints it", errorTwin, encode(d("e", d("code", 201), "t", "aa", "y", "e")), 0),

		refused("wire-key-refused/message", "keys of the message not in order", findTwin,
			encodeAsIs(d("q", "find_node", "a", d("id", idA, "target", idB), "t", "aa", "y", "q")), 203),
		refused("wire-key-refused/arguments", "keys of the arguments not in order", findTwin,
			encode(find.with("a", spelt(encodeAsIs(d("target", idB, "id", idA))))), 203),
		refused("wire-key-refused/value", "keys of a value that is put not in order", "wire-krpc-query/put-structure",
			encode(query("put", d("token", "aoeusnth", "v", spelt("d1:bi1e1:ai2ee")))), 203),
		refused("wire-key-refused/id-twice", "two ids", pingTwin,
			encode(ping.with("a", spelt(encodeAsIs(d("id", idA, "id", idB))))), 203),
		refused("wire-key-refused/t-twice", "two t: the first is the one to answer under", pingTwin,
			encodeAsIs(d("a", d("id", idA), "q", "ping", "t", "aa", "t", "bb", "y", "q")), 203),
		refused("wire-int-refused/port", "a port with a leading zero", announceTwin, change(announce, "port", spelt("i06881e")), 203),
		refused("wire-int-refused/length", "a length with a leading zero", pingTwin, change(ping, "id", spelt("020:"+idA)), 203),
		refused("wire-trailing/message", "two bytes behind a ping", pingTwin, encode(ping)+"\r\n", 203),
		refused("wire-trailing/message-twice", "two pings in one datagram", pingTwin, encode(ping)+encode(ping), 203),
	}
	deep := func(n int) string { return strings.Repeat("l", n) + strings.Repeat("e", n) }
	return append(all,
		krpcCase{id: "wire-known-key/nodes-placeholder", comment: "BEP 5's own example of a find_node reply, whose nodes are a placeholder of 9 bytes",
			source: "BEP 5", twin: "wire-nodes-form/two", reason: malformed,
			input: "d1:rd2:id20:0123456789abcdefghij5:nodes9:def456...e1:t2:aa1:y1:re"},
		krpcCase{id: "dht-error-short/thirty-nine", comment: "a refused query of 39 bytes gets no answer", twin: pingTwin, reason: malformed,
			input: encode(d("q", "find_node_et", "t", "aabbccdd", "y", "q"))},
		krpcCase{id: "dht-not-query-silent/t-empty", comment: "a refused query with an empty t gets no answer", twin: pingTwin, reason: malformed,
			input: change(ping.with("t", ""), "id", idA[:19])},
		krpcCase{id: "dht-not-query-silent/t-65", comment: "a refused query with a t of 65 bytes gets no answer", twin: pingTwin, reason: malformed,
			input: change(ping.with("t", strings.Repeat("t", 65)), "id", idA[:19])},
		krpcCase{id: "wire-depth/message-seventeen", comment: "a value at depth 17", twin: "wire-depth/message-sixteen", reason: limit, error: 203, also: []string{"dht-error-malformed"},
			input: encode(query("put", d("token", "aoeusnth", "v", spelt(deep(15)))))},
		krpcCase{id: "wire-depth/message-hundreds", comment: "a value at depth 402", twin: "wire-depth/message-sixteen", reason: limit, error: 203, also: []string{"dht-error-malformed"},
			input: encode(query("put", d("token", "aoeusnth", "v", spelt(deep(400)))))},
		krpcCase{id: "wire-datagram-limit/4097", comment: "4,097 bytes; nothing of them is read", twin: "wire-datagram-limit/4096", reason: limit,
			input: encode(ping.with("zz", strings.Repeat("x", 4097-len(encode(ping))-len("2:zz4000:"))))},
	)
}
