package gen

const scheduleKeys = "RK hex32, HK_I hex32, NHK_R hex32, CIDK hex32, AD hex32"
const scheduleSteps = "auth hex32, dh1 hex32, dh2 hex32, dh3 hex32, ss hex32, th hex32, prk hex32"
const messageKeys = "epoch integer, kind number, id hex8, fragment number, fragments number, bytes hex"
const offerReasons = "drop malformed state authentication"
const machineReasons = "drop malformed authentication replay state limit"

// hsOperations are those of spec/operations.md, "hs".
var hsOperations = []operation{
	{name: "hs.envelope-seal", in: "seed hex32, friend hex32, " + messageKeys, draws: "nonce hex24", out: "datagram hex",
		mid: "tag hex16, key hex32, body hex", fails: "drop malformed"},
	{name: "hs.envelope-open", in: "seed hex32, friends hex32[], now_ms integer, datagram hex", out: "friend hex32, " + messageKeys,
		fails: "drop malformed authentication"},
	{name: "hs.knock-make", in: "time_ms integer, endpoints endpoint[]", draws: "random hex8", out: "knock hex1164", fails: "drop malformed limit"},
	{name: "hs.knock-read", in: "knock hex1164", out: "time_ms integer, random hex8, endpoints endpoint[]", fails: "drop malformed limit"},
	{name: "hs.offer-make", in: "seed hex32, now integer, knock hex1164", draws: "spk hex32, rk hex32, ek hex64", out: "offer hex1322, offer_id hex16", mid: "signed hex"},
	{name: "hs.offer-check", in: "friend hex32, now integer, knock hex1164, offer hex1322", out: "offer_id hex16, not_after integer, spk hex32, rk hex32, ek hex1184",
		fails: offerReasons},
	{name: "hs.accept-make", in: "seed hex32, friend hex32, now integer, knock hex1164, offer hex1322", draws: "e hex32, coins hex32",
		out: "accept hex1152, " + scheduleKeys, mid: scheduleSteps, fails: offerReasons},
	{name: "hs.accept-take", in: "seed hex32, friend hex32, offer hex1322, spk hex32, rk hex32, ek hex64, accept hex1152",
		out: scheduleKeys, mid: scheduleSteps, fails: offerReasons},
	{name: "hs.cid", in: "CIDK hex32, to role, i number", out: "cid hex8"},
	{name: "hs.rank", in: "a rank, b rank", out: "higher text"},

	{name: "hs.new", in: "handle handle, seed hex32, now_ms integer, contacts contact[]", fails: "drop malformed state limit"},
	{name: "hs.begin", in: "handle handle, now_ms integer, friend hex32, to endpoint[]", draws: "id hex8, random hex8, nonce-* hex24",
		out: "outputs output[]", fails: machineReasons},
	{name: "hs.receive", in: "handle handle, now_ms integer, from endpoint, datagram hex",
		draws: "spk? hex32, rk? hex32, ek? hex64, e? hex32, coins? hex32, nonce-* hex24", out: "outputs output[]", with: "outputs output[]", fails: machineReasons},
	{name: "hs.timeout", in: "handle handle, now_ms integer", draws: "id? hex8, random? hex8, nonce-* hex24", out: "outputs output[]"},
	{name: "hs.hello", in: "handle handle, now_ms integer, session session, datagram hex", draws: "nonce-* hex24", out: "outputs output[]", fails: machineReasons},
	{name: "hs.opened", in: "handle handle, now_ms integer, session session", out: "outputs output[]", fails: machineReasons},
	{name: "hs.ended", in: "handle handle, now_ms integer, session session", out: "outputs output[]", fails: machineReasons},
	{name: "hs.remove", in: "handle handle, now_ms integer, friend hex32", out: "outputs output[]", fails: machineReasons},
}

var hsShapes = []shape{
	{name: "role", schema: o("description", "Initiator or responder.", "enum", []string{"I", "R"})},
	{name: "session", schema: o("description", "A handshake's id, and the role in it.", "type", "string", "pattern", "^[0-9a-f]{16}[IR]$")},
	{name: "rank", keys: "time_ms integer, IK_I hex32"},
	{name: "contact", keys: "friend hex32, taken integer, own integer"},
	{name: "persist", keys: "friend hex32, taken integer, own integer"},
	{name: "transmit", keys: "to endpoint, datagram hex"},
	{name: "made", keys: "session session, friend hex32, role role, time_ms integer, " + scheduleKeys + ", rk hex32"},
	{name: "judged", keys: "session session, friend hex32"},
	{name: "repeat", keys: "session session, to endpoint"},
	{name: "clock", keys: "friend hex32, ahead_ms integer"},
	{name: "ended", keys: "friend hex32"},
	{name: "output", schema: o("description", "What the caller of a machine has to do, or gets to know.",
		"type", "object", "minProperties", 1, "maxProperties", 1, "additionalProperties", false, "properties", o(
			"persist", ref("persist"), "transmit", ref("transmit"), "session", ref("made"), "finished", ref("judged"), "refused", ref("judged"),
			"repeat", ref("repeat"), "clock", ref("clock"), "ended", ref("ended"),
		))},
}
