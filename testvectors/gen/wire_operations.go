package gen

var wireOperations = []operation{
	{name: "wire.bencode", in: "input hex", out: "value value, output hex", fails: "drop malformed limit"},
	{name: "wire.krpc", in: "input hex", out: "message message, output hex", with: "readable readable, error? error", fails: "any malformed limit", extra: o(
		"if", o("required", []string{"reason"}),
		"then", o("required", []string{"out"},
			"if", o("properties", o("out", o("required", []string{"error"}))),
			"then", o("properties", o("outcome", o("const", ignore))), // no effect, but not silence
			"else", o("properties", o("outcome", o("const", drop)))),
	)},
	{name: "wire.peer", in: "input hex", out: "address endpoint, output hex", fails: "drop malformed"},
	{name: "wire.node", in: "input hex", out: "node node, output hex", fails: "drop malformed"},
	{name: "wire.nodes", in: "input hex", out: "nodes node[], output hex", fails: "drop malformed"},
	{name: "wire.nodes6", in: "input hex", out: "nodes node[], output hex", fails: "drop malformed"},
	{name: "wire.values", in: "input hex", out: "peers endpoint[], output hex", fails: "drop malformed"},
	{name: "wire.target-immutable", in: "v hex", out: "target hex20"},
	{name: "wire.target-mutable", in: "k hex32, salt hex", out: "target hex20"},
}

var dhtOperations = []operation{
	{name: "dht.node-id", in: "address address", draws: "id hex18", out: "node_id hex20", mid: "hashed hex, crc32c hex4"},
	{name: "dht.node-id-check", in: "address address, node_id hex20", out: "exempt bool", fails: "ignore authentication"},
	{name: "dht.item", in: "k hex32, salt hex, seq integer, v hex, sig hex64, seed? hex32", out: "signed hex, target hex20, sig? hex64",
		with: "signed hex, target hex20", fails: "ignore authentication"},
	{name: "dht.put", in: "token hex, before hex[], input hex, target hex20", out: "after stored", with: "error error, after stored",
		fails: "ignore malformed limit authentication state", extra: o("required", []string{"out"})},
	{name: "dht.get", in: "token? hex, before hex[], input hex", out: "item item"},
	{name: "dht.get-reply", in: "target hex20, salt? hex, input hex", out: "item item", fails: "ignore authentication"},
}

var wireShapes = []shape{
	{name: "address", schema: o("description", "An IP address in text.", "type", "string", "pattern", "^[0-9a-f.:]+$")},
	{name: "endpoint", schema: o("description", "192.0.2.1:6881 or [2001:db8::1]:6881", "type", "string", "pattern", `^([0-9.]+|\[[0-9a-f.:]+\]):[0-9]{1,5}$`)},
	{name: "error", schema: o("description", "A KRPC error code.", "enum", []int{201, 202, 203, 204, 205, 206, 207, 301, 302})},
	{name: "node", keys: "id hex20, address endpoint"},
	{name: "item", keys: "k? hex32, seq? integer, sig? hex64, v? hex"},
	{name: "body", keys: "cas? integer, id? hex20, implied_port? bool, info_hash? hex20, interval? integer, k? hex32, nodes? node[], nodes6? node[], " +
		"num? integer, port? integer, salt? hex, samples? hex20[], seq? integer, sig? hex64, target? hex20, token? hex, v? hex, values? endpoint[], want? family[]"},
	{name: "family", schema: o("enum", []string{"n4", "n6"})},
	{name: "value", schema: o("description", "A bencoded value as a tree.", "type", "object", "minProperties", 1, "maxProperties", 1, "additionalProperties", false, "properties", o(
		"int", ref("integer"),
		"bytes", ref("hex"),
		"list", o("type", "array", "items", ref("value")),
		"dict", o("description", "In the order in which the keys stand.", "type", "array", "items",
			o("type", "object", "required", []string{"key", "value"}, "additionalProperties", false, "properties", o("key", ref("hex"), "value", ref("value")))),
	))},
	{name: "message", schema: o("description", "What a KRPC message says. Keys that this version does not know are left out.",
		"type", "object", "required", []string{"y", "t"}, "additionalProperties", false, "properties", o(
			"y", ref("kind"), "t", ref("hex"), "q", ref("hex"), "a", ref("body"), "r", ref("body"),
			"e", o("type", "object", "required", []string{"code", "text"}, "additionalProperties", false, "properties", o("code", ref("integer"), "text", ref("hex"))),
			"v", ref("hex"), "ro", o("const", true), "ip", ref("endpoint"),
		), "oneOf", []object{
			{{"required", []string{"q", "a"}}, {"properties", o("y", o("const", "q"), "r", false, "e", false, "ip", false)}},
			{{"required", []string{"r"}}, {"properties", o("y", o("const", "r"), "q", false, "a", false, "e", false, "ro", false)}},
			{{"required", []string{"e"}}, {"properties", o("y", o("const", "e"), "q", false, "a", false, "r", false, "ro", false)}},
		})},
	{name: "kind", schema: o("enum", []string{"q", "r", "e"})},
	{name: "readable", schema: o("description", "What of a refused message can be read in spite of its fault.", "type", "object", "additionalProperties", false,
		"properties", o("y", ref("kind"), "t", ref("hex"), "q", ref("hex")))},
	{name: "stored", schema: o("anyOf", []object{{{"type", "null"}}, ref("item")})},
}
