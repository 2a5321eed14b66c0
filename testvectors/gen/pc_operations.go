package gen

// pcOperations are those of spec/operations.md, "pc".
var pcOperations = []operation{
	{name: "pc.frames", in: "input hex", out: "frames frame[], output hex", fails: "abort malformed"},
	{name: "pc.begin", in: "handle handle, role role, RK hex32, HK_I hex32, NHK_R hex32, CIDK hex32, AD hex32, rk hex32", draws: "ratchet? hex32",
		fails: "drop malformed"},
	{name: "pc.seal", in: "handle handle, i number, frames hex", draws: "nonce hex24", out: "datagram hex", mid: "cid hex8, plaintext hex",
		fails: "ignore malformed state limit"},
	{name: "pc.open", in: "handle handle, now_ms integer, datagram hex", draws: "ratchet? hex32", out: "i number, plaintext hex, newest bool",
		fails: "drop malformed authentication replay limit"},
	{name: "pc.cids", in: "CIDK hex32, role role, highest number", out: "cids hex8[]"},
	{name: "pc.hello", in: "stream hex8, acknowledged integer, given integer, streams stream[]", out: "hello hex32"},
	{name: "pc.receive", in: "streams stream[], plaintexts hex[]", out: "events event[], streams stream[], ack? acknowledgement, pongs hex[]",
		with: "events event[], streams stream[]", fails: "abort malformed", extra: refusedWithOut},
	{name: "pc.send", in: "role role, stream hex8, acknowledged integer, given integer, queued number, older? hex[], plaintexts hex[]", draws: "fresh? hex8",
		out: "delivered integer[], ids integer[], stream hex8, restored bool", with: "delivered integer[]", fails: "abort malformed", extra: refusedWithOut},
}

// refusedWithOut is for operations with which something goes with every refusal.
var refusedWithOut = o("required", []string{"out"})

var pcShapes = []shape{
	{name: "frame-message", keys: "id integer, part number, parts number, type? number, bytes hex"},
	{name: "acknowledgement", keys: "next integer, bitmap hex8, parts hex8"},
	{name: "frame-value", keys: "value hex"},
	{name: "frame-end", keys: "reason number"},
	{name: "frame-endpoints", keys: "endpoints endpoint[]"},
	{name: "frame-hello", keys: "stream hex8, first integer, other hex8, next integer"},
	{name: "frame", schema: o("description", "A frame of a known type.",
		"type", "object", "minProperties", 1, "maxProperties", 1, "additionalProperties", false, "properties", o(
			"message", ref("frame-message"), "acknowledgement", ref("acknowledgement"), "ping", ref("frame-value"), "end", ref("frame-end"),
			"endpoints", ref("frame-endpoints"), "hello", ref("frame-hello"), "pong", ref("frame-value"),
		))},
	{name: "stream", keys: "stream hex8, next integer"},
	{name: "delivered", keys: "id integer, bytes hex"},
	{name: "counted", keys: "id integer"},
	{name: "missing", keys: "from integer, to integer"},
	{name: "event", schema: o("description", "What a receiver hands to its user, or tells him.",
		"type", "object", "minProperties", 1, "maxProperties", 1, "additionalProperties", false, "properties", o(
			"delivered", ref("delivered"), "refused", ref("counted"), "missing", ref("missing"),
		))},
}
