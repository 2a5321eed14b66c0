package gen

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

const (
	recordEpoch = 83333
	recordTime  = recordEpoch * epochLength // in this epoch, whatever the phase
	recordSeq   = recordTime*1000 + 123
)

var recordEndpoints = []string{"192.0.2.1:6881", "[2001:db8::1]:6881"}

// recordVectors are records as they are written, and the same as they are read.
func recordVectors() (out []vector) {
	written := func(id, comment, from, to string, family int, epoch, seq uint64, endpoints []string) {
		s := new(secrets)
		p := s.person(from).with(s.person(to))
		nonce := s.bytes("nonce", "nonce", 24)
		r := makeRecord(p, family, epoch, seq, nonce, plaintextOf(seq, fieldsOf(endpoints)))
		read := openCase{p: personOf(s.person(to).seed).with(p.own), family: family, epoch: epoch, now: seq / 1000, seq: seq, k: r.slot.key, v: r.v, sig: r.sig}
		time, got, rule := read.open()
		if rule != "" || time != seq/1000 || strings.Join(got, " ") != strings.Join(endpoints, " ") {
			panic(id + ": a record of our own breaks " + rule)
		}
		out = append(out, answered(vector{
			id: id, op: "rv.record-seal", comment: comment, secrets: s,
			in:    o("seed", toHex(p.own.seed), "friend", toHex(p.friend), "family", family, "epoch", decimal(epoch), "seq", decimal(seq), "endpoints", endpoints),
			draws: o("nonce", toHex(nonce)),
			mid:   o("plaintext", toHex(r.plaintext), "key", toHex(r.key), "ad", toHex(r.ad), "signed", toHex(r.signed)),
		}, o("k", toHex(r.slot.key), "v", toHex(r.v), "sig", toHex(r.sig), "target", toHex(r.slot.target)), ""))
	}
	written("rv-record-form", "alice publishes for bob", "alice", "bob", 4, recordEpoch, recordSeq, recordEndpoints)
	written("rv-record-form/six", "the same in IPv6's DHT", "alice", "bob", 6, recordEpoch, recordSeq, recordEndpoints)
	written("rv-record-form/back", "bob publishes for alice", "bob", "alice", 4, recordEpoch, recordSeq, recordEndpoints)
	written("rv-record-form/next", "the next epoch", "alice", "bob", 4, recordEpoch+1, recordSeq+21600000, recordEndpoints)
	written("rv-record-form/none", "nowhere to be reached", "alice", "bob", 4, recordEpoch, recordSeq, []string{})
	written("rv-record-form/one", "one endpoint", "alice", "bob", 4, recordEpoch, recordSeq, recordEndpoints[:1])
	for n := 3; n < 8; n++ {
		written(fmt.Sprintf("rv-record-form/%d", n), fmt.Sprintf("%d endpoints", n), "alice", "bob", 4, recordEpoch, recordSeq, manyEndpoints(n))
	}
	written("rv-record-form/eight", "eight endpoints, as many as there may be", "alice", "bob", 6, recordEpoch, recordSeq, manyEndpoints(8))
	refused := func(id, comment, twin string, also []string, endpoints []string) {
		s := new(secrets)
		p := s.person("alice").with(s.person("bob"))
		_, rule := readFields(fieldsOf(endpoints))
		out = append(out, answered(vector{
			id: id, also: also, op: "rv.record-seal", comment: comment, twin: twin, secrets: s,
			in:    o("seed", toHex(p.own.seed), "friend", toHex(p.friend), "family", 4, "epoch", decimal(recordEpoch), "seq", decimal(recordSeq), "endpoints", endpoints),
			draws: o("nonce", toHex(s.bytes("nonce", "nonce", 24))),
		}, nil, rule))
	}
	refused("rv-record-fields/nine", "asked to write nine endpoints", "rv-record-form/eight", []string{"rv-endpoint-limit"}, manyEndpoints(9))
	refused("rv-record-fields/port", "asked to write an endpoint with port 0", "rv-record-form/one", []string{"rv-endpoint-address"}, []string{"192.0.2.1:0"})
	refused("rv-record-fields/unspecified", "asked to write the unspecified address", "rv-record-form/one", []string{"rv-endpoint-address"}, []string{"[::]:6881"})
	refused("rv-record-fields/multicast", "asked to write a multicast address", "rv-record-form/one", []string{"rv-endpoint-address"},
		[]string{"192.0.2.1:6881", "224.0.0.1:6881"})
	refused("rv-record-fields/mapped", "asked to write an IPv4-mapped address", "rv-record-form/one", []string{"rv-endpoint-address"}, []string{"[::ffff:192.0.2.1]:6881"})
	written("rv-record-time/written", "time is seq div 1000, also of a last + 1 that reaches the next second", "alice", "bob", 4, recordEpoch,
		(recordTime+60)*1000, recordEndpoints)
	return out
}

// manyEndpoints are n of both families.
func manyEndpoints(n int) (all []string) {
	for i := range n {
		if i%2 == 0 {
			all = append(all, fmt.Sprintf("192.0.2.%d:%d", i+1, 6881+i))
		} else {
			all = append(all, fmt.Sprintf("[2001:db8::%x]:%d", i+1, 6881+i))
		}
	}
	return all
}

// A readCase builds what bob is asked to read: a good record of alice's, then damage. Before it is sealed, plaintext is what goes in; sealing
// and signing follow each damage before them, so that only one thing is wrong.
type readCase struct {
	id, comment, twin string
	also              []string
	plaintext         func(string) string
	seq               uint64 // 0: recordSeq
	sealing           func(p pair, r record) record
	question          func(c *openCase)
}

func (rc readCase) vector() vector {
	s := new(secrets)
	alice, bob := s.person("alice"), s.person("bob")
	p := alice.with(bob)
	seq := rc.seq
	if seq == 0 {
		seq = recordSeq
	}
	plaintext := plaintextOf(seq, fieldsOf(recordEndpoints))
	if rc.plaintext != nil {
		plaintext = rc.plaintext(plaintext)
	}
	r := makeRecord(p, 4, recordEpoch, seq, s.bytes("nonce", "nonce", 24), plaintext)
	if rc.sealing != nil {
		r = rc.sealing(p, r)
	}
	c := openCase{p: bob.with(alice), family: 4, epoch: recordEpoch, now: recordTime, seq: r.seq, k: r.slot.key, v: r.v, sig: r.sig}
	if rc.question != nil {
		rc.question(&c)
	}
	time, endpoints, rule := c.open()
	return answered(vector{
		id: rc.id, also: rc.also, op: "rv.record-open", comment: rc.comment, twin: rc.twin, secrets: s,
		in: o("seed", toHex(c.p.own.seed), "friend", toHex(c.p.friend), "family", c.family, "epoch", decimal(c.epoch), "now", decimal(c.now), "highest", decimal(c.highest),
			"k", toHex(c.k), "seq", decimal(c.seq), "v", toHex(c.v), "sig", toHex(c.sig)),
	}, o("time", decimal(time), "endpoints", endpoints), rule)
}

const goodRecord = "rv-record-key/good"

func recordRefused() (out []vector) {
	ask := func(c readCase) { out = append(out, c.vector()) }
	value := func(change func(string) string) func(pair, record) record {
		return func(_ pair, r record) record { return r.withValue(change(r.v)) }
	}
	ask(readCase{id: goodRecord, comment: "bob reads what alice published"})

	// k, signature.
	ask(readCase{id: "rv-record-key/family", comment: "the right record of IPv6's slot", twin: goodRecord, sealing: func(p pair, r record) record {
		return makeRecord(p, 6, recordEpoch, r.seq, r.nonce, r.plaintext)
	}})
	ask(readCase{id: "rv-record-key/epoch", comment: "the right record of the epoch before", twin: goodRecord, sealing: func(p pair, r record) record {
		return makeRecord(p, 4, recordEpoch-1, r.seq, r.nonce, r.plaintext)
	}})
	ask(readCase{id: "rv-record-key/direction", comment: "the right record that the reader himself published", twin: goodRecord, sealing: func(p pair, r record) record {
		return makeRecord(pairOf(new(secrets).person("bob"), p.own.key), 4, recordEpoch, r.seq, r.nonce, r.plaintext)
	}})
	ask(readCase{id: "rv-record-key/identity", comment: "alice's identity in place of the slot's key, and her signature", twin: goodRecord, question: func(c *openCase) {
		alice := new(secrets).person("alice")
		c.k, c.sig = alice.key, sign(alice.seed, "3:seqi"+decimal(c.seq)+"e1:v"+c.v)
	}})
	ask(readCase{id: "rv-record-key/bit", comment: "a bit of k is another", twin: goodRecord, question: func(c *openCase) { c.k = flipped(c.k, 0, 1) }})
	for _, d := range []struct {
		suffix, comment string
		at              int
		bit             byte
	}{{"r", "a bit of R is another", 0, 1}, {"s", "a bit of S is another", 33, 1}} {
		ask(readCase{id: "rv-record-signature/" + d.suffix, comment: d.comment, twin: goodRecord, question: func(c *openCase) { c.sig = flipped(c.sig, d.at, d.bit) }})
	}
	ask(readCase{id: "rv-record-signature/value", comment: "a bit of the value is another", twin: goodRecord, question: func(c *openCase) { c.v = flipped(c.v, -1, 1) }})
	ask(readCase{id: "rv-record-signature/seq", comment: "another seq than the signed one", twin: goodRecord, question: func(c *openCase) { c.seq++ }})
	ask(readCase{id: "rv-record-signature/order", comment: "S and L", twin: goodRecord, question: func(c *openCase) {
		s := fromLittle([]byte(c.sig[32:]))
		c.sig = c.sig[:32] + toLittle(s.Add(s, order))
	}})
	ask(readCase{id: "rv-record-signature/r-neutral", comment: "R is the neutral element, and S is k·a: the equation is right", twin: goodRecord,
		also: []string{"rv-verify-r"},
		sealing: func(_ pair, r record) record {
			r.sig = forged(person{seed: r.slot.seed, key: r.slot.key}, r.signed, big.NewInt(0), neutralPoint)
			return r
		}})
	ask(readCase{id: "rv-record-signature/cofactor", comment: "R is r·B and a point of order 2: right only for whoever multiplies by 8",
		twin: goodRecord, also: []string{"rv-verify-equation"},
		sealing: func(_ pair, r record) record {
			r.sig = forged(person{seed: r.slot.seed, key: r.slot.key}, r.signed, fromLittle([]byte(r.nonce)), smallPoints[4])
			return r
		}})
	ask(readCase{id: "rv-record-signature/salt", comment: "signed with a salt", twin: goodRecord, sealing: func(_ pair, r record) record {
		r.sig = sign(r.slot.seed, "4:salt4:kith"+r.signed)
		return r
	}})
	ask(readCase{id: "rv-record-signature/size", comment: "a value of 511 bytes under a wrong signature: the signature is judged first", twin: goodRecord,
		sealing: value(func(v string) string { return "511:" + v[5:] }), question: func(c *openCase) { c.sig = flipped(c.sig, 40, 1) }})

	// seq.
	const same = "rv-record-lower/same"
	ask(readCase{id: same, comment: "the same seq as the highest: the same item again", question: func(c *openCase) { c.highest = c.seq }})
	ask(readCase{id: "rv-record-lower/higher", comment: "one more than the highest", question: func(c *openCase) { c.highest = c.seq - 1 }})
	ask(readCase{id: "rv-record-lower/one", comment: "one less than the highest", twin: same, question: func(c *openCase) { c.highest = c.seq + 1 }})
	ask(readCase{id: "rv-record-lower/much", comment: "much less than the highest", twin: same, question: func(c *openCase) { c.highest = c.seq + 1<<40 }})
	ask(readCase{id: "rv-record-lower/before-size", comment: "a seq too low and a value of 511 bytes: the seq is judged first", twin: same,
		sealing: value(func(v string) string { return "511:" + v[5:] }), question: func(c *openCase) { c.highest = c.seq + 1 }})

	// The value.
	for _, d := range []struct {
		suffix, comment string
		change          func(string) string
	}{
		{"511", "a string of 511 bytes", func(v string) string { return "511:" + v[5:] }},
		{"513", "a string of 513 bytes", func(v string) string { return "513:" + v[4:] + "\x00" }},
		{"empty", "the empty string", func(string) string { return "0:" }},
		{"int", "an integer", func(string) string { return "i512e" }},
		{"list", "a list with the right string in it", func(v string) string { return "l" + v + "e" }},
		{"behind", "a zero byte behind the right string", func(v string) string { return v + "\x00" }},
		{"bare", "512 bytes that are not bencoded", func(v string) string { return v[4:] }},
	} {
		ask(readCase{id: "rv-record-size/" + d.suffix, comment: d.comment, twin: goodRecord, sealing: value(d.change)})
	}

	// The seal.
	for _, d := range []struct {
		suffix, comment string
		at              int
	}{{"nonce", "a bit of the nonce is another", 4}, {"text", "a bit of the sealed text is another", 100}, {"tag", "a bit of the tag is another", -1}} {
		ask(readCase{id: "rv-record-seal/" + d.suffix, comment: d.comment, twin: goodRecord, sealing: value(func(v string) string { return flipped(v, d.at, 1) })})
	}
	again := func(suffix, comment string, seal func(p pair, r record) string) {
		ask(readCase{id: "rv-record-seal/" + suffix, comment: comment, twin: goodRecord, sealing: func(p pair, r record) record {
			return r.withValue(encode(r.nonce + seal(p, r)))
		}})
	}
	again("ad-seq", "sealed with the seq before in ad", func(_ pair, r record) string { return sealed(r.key, r.nonce, r.slot.key+u64(r.seq-1), r.plaintext) })
	again("ad-key", "sealed without k in ad", func(_ pair, r record) string { return sealed(r.key, r.nonce, u64(r.seq), r.plaintext) })
	again("ad-none", "sealed without ad", func(_ pair, r record) string { return sealed(r.key, r.nonce, "", r.plaintext) })
	again("key-direction", "sealed with the key of the other direction", func(p pair, r record) string {
		return sealed(p.received("record", recordEpoch), r.nonce, r.ad, r.plaintext)
	})
	again("key-epoch", "sealed with the key of the epoch before", func(p pair, r record) string {
		return sealed(p.sent("record", recordEpoch-1), r.nonce, r.ad, r.plaintext)
	})
	again("key-slot", "sealed with the slot's seed", func(_ pair, r record) string { return sealed(r.slot.seed, r.nonce, r.ad, r.plaintext) })

	// What is in it.
	head := func(id, comment string, also []string, at int, by string) {
		ask(readCase{id: id, comment: comment, also: also, twin: goodRecord, plaintext: func(p string) string { return replaced(p, at, by) }})
	}
	head("rv-record-version/0", "version 0", nil, 0, "\x00")
	head("rv-record-version/2", "version 2", nil, 0, "\x02")
	head("rv-record-version/255", "version 255", nil, 0, "\xff")
	head("rv-record-time/less", "a second less than seq says", nil, 1, u64(recordTime-1))
	head("rv-record-time/more", "a second more than seq says", nil, 1, u64(recordTime+1))
	head("rv-record-time/milliseconds", "seq itself, in milliseconds", nil, 1, u64(recordSeq))
	head("rv-record-time/zero", "no time", nil, 1, u64(0))

	// Its age.
	const old, early = "rv-record-age/7200", "rv-record-age/3600-ahead"
	aged := func(id, comment, twin string, now uint64) {
		ask(readCase{id: id, comment: comment, twin: twin, question: func(c *openCase) { c.now = now }})
	}
	aged(old, "7,200 s old", "", recordTime+7200)
	aged(early, "3,600 s ahead", "", recordTime-3600)
	aged("rv-record-age/7201", "7,201 s old", old, recordTime+7201)
	aged("rv-record-age/3601-ahead", "3,601 s ahead", early, recordTime-3601)
	aged("rv-record-age/years", "years old", old, recordTime+1<<32)
	aged("rv-record-age/1970", "read by a clock that stands at 0", early, 0)
	ask(readCase{id: "rv-record-age/before-time", also: []string{"rv-record-time"},
		comment: "7,201 s old, and its time is not what seq says: that is judged first", twin: old,
		plaintext: func(p string) string { return replaced(p, 1, u64(recordTime-1)) }, question: func(c *openCase) { c.now = recordTime + 7201 }})
	return out
}

// A fieldsCase is a piece of fields that a record and a knock may have.
type fieldsCase struct {
	rule, suffix, comment string
	twin                  string // suffix of the id, with its rule; empty: it is taken
	fields                func(size int) string
}

// fieldsCases are asked of both; size is how much room there is.
func fieldsCases() (all []fieldsCase) {
	add := func(rule, suffix, twin, comment string, fields func(size int) string) {
		all = append(all, fieldsCase{rule, suffix, comment, twin, fields})
	}
	fixed := func(fields string) func(int) string { return func(size int) string { return padded(fields, size) } }
	endpoints := fieldForm(1, endpointForm("192.0.2.1:6881"))
	filled := func(rest int) func(int) string { // an unknown field leaves rest bytes
		return func(size int) string { return endpoints + fieldForm(200, zeros(size-len(endpoints)-3-rest)) }
	}
	then := func(a func(int) string, b string) func(int) string {
		return func(size int) string { return a(size) + b }
	}

	add("rv-field-later", "128", "", "an unknown type from 128 on", fixed(fieldForm(128, "later")+endpoints))
	add("rv-field-later", "255", "", "type 255, empty", fixed(endpoints+fieldForm(255, "")))
	add("rv-field-later", "twice", "", "an unknown type may stand twice", fixed(fieldForm(129, "a")+endpoints+fieldForm(129, "b")))
	add("rv-field-later", "full", "", "fields to the last byte: no padding", filled(0))
	add("rv-field-padding", "none", "", "nothing but padding", fixed(""))
	add("rv-field-padding", "one-left", "", "one zero byte is left", then(filled(1), "\x00"))
	add("rv-field-padding", "two-left", "", "two zero bytes are left", then(filled(2), "\x00\x00"))
	add("rv-field-padding", "three-left", "", "three zero bytes are left", then(filled(3), "\x00\x00\x00"))

	add("rv-field-cut", "by-one", "rv-field-later/full", "a field that reaches one byte beyond the end", func(size int) string {
		return endpoints + "\xc8" + u16(size-len(endpoints)-3+1) + zeros(size-len(endpoints)-3)
	})
	add("rv-field-cut", "much", "rv-field-later/128", "a field of 65,535 bytes", fixed(endpoints+"\x80\xff\xff"))
	add("rv-field-cut", "endpoints", "rv-field-later/128", "endpoints that reach beyond the end", fixed("\x01\xff\xff"+endpointForm("192.0.2.1:6881")))
	add("rv-field-cut", "one-left", "rv-field-padding/one-left", "one byte is left, and it is a type", then(filled(1), "\x80"))
	add("rv-field-cut", "two-left", "rv-field-padding/two-left", "two bytes are left, and the first is a type", then(filled(2), "\x80\x00"))
	add("rv-field-padding", "last-byte", "rv-field-padding/none", "the last byte is not zero", func(size int) string { return zeros(size-1) + "\x01" })
	add("rv-field-padding", "first-behind", "rv-field-later/128", "the byte behind the padding's type is not zero", fixed(endpoints+"\x00\x01"))
	add("rv-field-padding", "field-behind", "rv-field-later/128", "a field behind an empty field of type 0: it is padding", fixed("\x00\x00\x00"+endpoints))
	add("rv-field-padding", "second-left", "rv-field-padding/two-left", "two bytes are left, and the second is not zero", then(filled(2), "\x00\x01"))
	for _, kind := range []byte{2, 3, 127} {
		add("rv-field-unknown", strconv.Itoa(int(kind)), "rv-field-later/128", fmt.Sprintf("type %d", kind), fixed(fieldForm(kind, "later")+endpoints))
	}
	add("rv-field-unknown", "behind", "rv-field-later/255", "an unknown type behind a known one", fixed(endpoints+fieldForm(2, "")))
	add("rv-field-twice", "endpoints", "rv-field-later/twice", "endpoints twice", fixed(endpoints+endpoints))
	add("rv-field-twice", "empty", "rv-field-later/twice", "endpoints twice, the second time empty", fixed(endpoints+fieldForm(129, "a")+fieldForm(1, "")))

	one := func(b string) func(int) string { return fixed(fieldForm(1, b)) }
	list := func(endpoints ...string) func(int) string { return fixed(fieldsOf(endpoints)) }
	good := endpointForm("192.0.2.1:6881")
	add("rv-endpoint-limit", "empty", "", "a field of no endpoints", one(""))
	add("rv-endpoint-limit", "eight", "", "eight endpoints", list(manyEndpoints(8)...))
	add("rv-endpoint-limit", "nine", "rv-endpoint-limit/eight", "nine endpoints", list(manyEndpoints(9)...))
	add("rv-endpoint-limit", "nine-same", "rv-endpoint-limit/eight", "nine times the same endpoint", one(strings.Repeat(good, 9)))
	add("rv-endpoint-limit", "nine-cut", "rv-endpoint-limit/eight", "a cut-off ninth endpoint: it is the ninth before it is looked at",
		one(strings.Repeat(good, 8)+"\x04"))
	add("rv-endpoint-limit", "nine-port", "rv-endpoint-limit/eight", "a ninth endpoint with port 0", one(strings.Repeat(good, 8)+endpointForm("192.0.2.1:0")))
	add("rv-endpoint-address", "third-of-nine", "rv-endpoint-limit/eight", "nine endpoints, the third with port 0: it is read before the ninth",
		one(good+good+endpointForm("192.0.2.1:0")+strings.Repeat(good, 6)))
	add("rv-endpoint-form", "both", "", "an endpoint of each family", list(recordEndpoints...))
	add("rv-endpoint-form", "same", "", "an endpoint twice", one(good+good))
	for _, family := range []string{"\x00", "\x05", "\x10", "\xff"} {
		add("rv-endpoint-form", "family-"+toHex(family), "rv-endpoint-form/both", fmt.Sprintf("an endpoint of family %d", family[0]), one(family+good[1:]))
	}
	add("rv-endpoint-form", "second-family", "rv-endpoint-form/both", "a second endpoint of another family", one(good+"\x02"+good[1:]))
	add("rv-endpoint-form", "cut-four", "rv-endpoint-form/both", "an IPv4 endpoint without its last byte", one(good[:6]))
	add("rv-endpoint-form", "cut-six", "rv-endpoint-form/both", "an IPv6 endpoint without its last byte", one(endpointForm("[2001:db8::1]:6881")[:18]))
	add("rv-endpoint-form", "cut-second", "rv-endpoint-form/both", "a second endpoint of which only the family is there", one(good+"\x06"))
	for _, a := range []struct{ suffix, comment, endpoint string }{
		{"loopback", "a loopback address", "127.0.0.1:6881"}, {"private", "a private address", "192.168.0.1:6881"},
		{"below-multicast", "the last address below multicast", "223.255.255.255:6881"}, {"above-multicast", "the first address above multicast", "240.0.0.0:6881"},
		{"below-broadcast", "the last address below 255.255.255.255", "255.255.255.254:6881"}, {"zero-net", "the first address above the unspecified one", "0.0.0.1:6881"},
		{"ports", "the lowest port", "192.0.2.1:1"}, {"port-last", "the highest port", "192.0.2.1:65535"},
		{"six-loopback", "IPv6's loopback address", "[::1]:6881"}, {"six-link", "a link-local address", "[fe80::1]:6881"}, {"six-below-multicast",
			"an address below multicast", "[feff::1]:6881"},
	} {
		add("rv-endpoint-address", a.suffix, "", a.comment, list(a.endpoint))
	}
	for _, a := range []struct{ suffix, comment, endpoint, twin string }{
		{"port-zero", "port 0", "192.0.2.1:0", "ports"}, {"six-port-zero", "port 0", "[2001:db8::1]:0", "six-link"},
		{"unspecified", "the unspecified address", "0.0.0.0:6881", "zero-net"}, {"six-unspecified", "the unspecified address", "[::]:6881", "six-loopback"},
		{"multicast-first", "the first multicast address", "224.0.0.0:6881", "below-multicast"}, {"multicast-last", "the last multicast address",
			"239.255.255.255:6881", "above-multicast"},
		{"six-multicast", "a multicast address", "[ff02::1]:6881", "six-below-multicast"}, {"six-multicast-first", "the first multicast address",
			"[ff00::]:6881", "six-below-multicast"},
		{"broadcast", "255.255.255.255", "255.255.255.255:6881", "below-broadcast"}, {"mapped", "an IPv4-mapped address", "[::ffff:192.0.2.1]:6881", "six-link"},
		{"mapped-first", "the first IPv4-mapped address", "[::ffff:0.0.0.0]:6881", "six-taken"}, {"mapped-last", "the last IPv4-mapped address",
			"[::ffff:255.255.255.255]:6881", "six-taken"},
		{"six-multicast-last", "the last multicast address", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:6881", "six-taken"},
	} {
		add("rv-endpoint-address", a.suffix, "rv-endpoint-address/"+a.twin, a.comment, list(a.endpoint))
	}
	add("rv-endpoint-address", "second", "rv-endpoint-form/both", "a second endpoint with port 0", list("192.0.2.1:6881", "[2001:db8::1]:0"))

	// What ends where the plaintext does, and what is next to what is refused.
	add("rv-field-later", "empty-at-end", "", "three bytes are left, an empty field of a later type", then(filled(3), fieldForm(128, "")))
	add("rv-field-unknown", "empty-at-end", "rv-field-later/empty-at-end", "three bytes are left, an empty field of type 127", then(filled(3), fieldForm(127, "")))
	add("rv-field-cut", "at-end", "rv-field-later/empty-at-end", "three bytes are left, a field of one byte", then(filled(3), "\x80\x00\x01"))
	add("rv-field-cut", "high-byte", "rv-field-later/empty-at-end", "three bytes are left, a field of 256 bytes", then(filled(3), "\x80\x01\x00"))
	last := func(fields string) func(int) string { // endpoints as the last field, to the last byte
		return func(size int) string { return fieldForm(200, zeros(size-3-len(fields))) + fields }
	}
	add("rv-endpoint-form", "at-end", "", "endpoints are the last field, and end where the plaintext does", last(endpoints))
	add("rv-field-cut", "endpoints-by-one", "rv-endpoint-form/at-end", "the same, and the field says a byte more", last("\x01\x00\x08"+good))
	add("rv-endpoint-form", "cut-at-end", "rv-endpoint-form/at-end", "the same, and the field has a byte less", last(fieldForm(1, good[:6])))
	add("rv-endpoint-form", "one-byte-four", "rv-endpoint-form/both", "a family 4 and nothing behind", one("\x04"))
	add("rv-endpoint-form", "one-byte-six", "rv-endpoint-form/both", "a family 6 and nothing behind", one("\x06"))
	add("rv-endpoint-form", "four-longer", "rv-endpoint-form/both", "a zero byte behind an IPv4 endpoint: a second one, of family 0", one(good+"\x00"))
	add("rv-endpoint-form", "six-longer", "rv-endpoint-form/both", "a zero byte behind an IPv6 endpoint: a second one, of family 0",
		one(endpointForm("[2001:db8::1]:6881")+"\x00"))
	add("rv-endpoint-address", "four-taken", "", "addresses of which a part is like one that is refused", list("0.0.0.255:256", "0.0.1.0:6881", "0.1.0.0:6881", "1.0.0.0:6881",
		"255.255.255.0:6881", "255.255.0.255:6881", "255.0.255.255:6881", "0.255.255.255:6881"))
	add("rv-endpoint-address", "six-taken", "", "addresses next to those that are refused", list("[feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:256", "[::2]:6881", "[100::]:6881",
		"[::fffe:ffff:ffff]:6881", "[::1:0:0:0]:6881", "[100::ffff:192.0.2.1]:6881", "[::1:ffff:192.0.2.1]:6881", "[::192.0.2.1]:6881"))
	return all
}

func fieldVectors() (out []vector) {
	for _, c := range fieldsCases() {
		out = append(out, readCase{
			id: c.rule + "/" + c.suffix, also: []string{"rv-record-content"}, comment: c.comment, twin: c.twin,
			plaintext: func(p string) string { return p[:9] + c.fields(recordText-9) },
		}.vector())
	}
	out = append(out, readCase{id: "rv-record-content/before-age", also: []string{"rv-field-unknown"},
		comment: "7,201 s old, and with an unknown type: that is judged first",
		twin:    "rv-record-age/7200", plaintext: func(p string) string { return p[:9] + padded(fieldForm(2, ""), recordText-9) },
		question: func(c *openCase) { c.now = recordTime + 7201 }}.vector())
	return out
}
