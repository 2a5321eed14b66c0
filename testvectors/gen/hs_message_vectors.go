package gen

import (
	"fmt"
	"math"
	"strings"
)

// A scene is alice, who knocks, and bob, who offers. What it draws stands in the vector's secrets.
type scene struct {
	s          *secrets
	alice, bob person
	toBob      pair // alice's
	toAlice    pair // bob's
	ms         uint64
	knock      string
}

const sceneTime = recordTime*1000 + 123 // in epoch 83333 of every pair

func newScene() *scene {
	s := new(secrets)
	c := &scene{s: s, alice: s.person("alice"), bob: s.person("bob"), ms: sceneTime}
	c.toBob, c.toAlice = c.alice.with(c.bob), c.bob.with(c.alice)
	c.knock = knockOf(c.ms, s.bytes("random", "random", 8), "")
	return c
}

func (c *scene) now() uint64 { return c.ms / 1000 }

// draw64 makes 64 bytes of two secrets: ML-KEM's d and z.
func draw64(s *secrets, name, label string) string {
	return s.bytes(name+"-d", label+" d", 32) + s.bytes(name+"-z", label+" z", 32)
}

func (c *scene) keys() offerKeys {
	return offerKeys{c.s.bytes("spk", "spk", 32), c.s.bytes("rk", "rk", 32), draw64(c.s, "ek", "ek")}
}

func (c *scene) offer() string { return makeOffer(c.bob, c.now(), c.knock, c.keys()) }

func (c *scene) e() string     { return c.s.bytes("e", "e", 32) }
func (c *scene) coins() string { return c.s.bytes("coins", "coins", 32) }

func handshakeVectors() (out []vector) {
	out = append(out, envelopeVectors()...)
	out = append(out, envelopeRefused()...)
	out = append(out, knockVectors()...)
	out = append(out, offerVectors()...)
	out = append(out, offerRefused()...)
	out = append(out, acceptVectors()...)
	out = append(out, acceptRefused()...)
	out = append(out, smallVectors()...)
	return append(out, badFriends(out, "hs-envelope-form/offer-0", goodOffer, "hs-schedule", "hs-confirm-first/good")...)
}

func (m message) object() object {
	return o("epoch", decimal(m.epoch), "kind", int(m.kind), "id", toHex(m.id), "fragment", int(m.fragment), "fragments", int(m.fragments), "bytes", toHex(m.bytes))
}

// content makes n bytes that are easy to tell from others.
func content(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteByte(byte(i))
	}
	return b.String()
}

func envelopeVectors() (out []vector) {
	made := func(id, comment, from, to string, m message) {
		s := new(secrets)
		p := s.person(from).with(s.person(to))
		m.id = s.bytes("id", "id", 8)
		nonce := s.bytes("nonce", "nonce", 24)
		datagram := m.sealedBy(p, nonce)
		read, rule := openEnvelope([]pair{pairOf(personOf(s.person(to).seed), p.own.key)}, p.at(m.epoch, 0), nil, datagram)
		m.friend = p.own.key
		if rule != "" || read != m {
			panic(id + ": an envelope of our own breaks " + rule)
		}
		out = append(out, answered(vector{
			id: id, op: "hs.envelope-seal", comment: comment, secrets: s, in: append(o("seed", toHex(p.own.seed), "friend", toHex(p.friend)), m.object()...),
			draws: o("nonce", toHex(nonce)), mid: o("tag", toHex(p.sent("tag", m.epoch)), "key", toHex(p.sent("envelope", m.epoch)), "body", toHex(m.body())),
		}, o("datagram", toHex(datagram)), ""))
	}
	made("hs-envelope-form/knock", "a knock: one fragment of 1,164 bytes", "alice", "bob", message{epoch: recordEpoch, kind: kindKnock, fragments: 1,
		bytes: content(knockSize)})
	made("hs-envelope-form/offer-0", "the first fragment of an offer", "bob", "alice", message{epoch: recordEpoch, kind: kindOffer, fragments: 2,
		bytes: content(fragmentSize)})
	made("hs-envelope-form/offer-1", "the second", "bob", "alice", message{epoch: recordEpoch, kind: kindOffer, fragment: 1, fragments: 2, bytes: content(fragmentSize)})
	made("hs-envelope-form/accept", "an accept", "alice", "bob", message{epoch: recordEpoch, kind: kindAccept, fragments: 1, bytes: content(acceptSize)})
	made("hs-envelope-form/next", "the next epoch", "alice", "bob", message{epoch: recordEpoch + 1, kind: kindOffer, fragments: 2, bytes: content(fragmentSize)})
	return out
}

func envelopeRefused() (out []vector) {
	// An ask may change the message before it is sealed, what is sealed, and the question.
	type ask struct {
		id, comment, twin string
		r                 uint64 // r(now) in the epoch of the message, unless ahead
		behind, ahead     uint64 // epochs that the message is behind now, or ahead of it
		message           func(*message)
		datagram          func(p pair, nonce string, m message, datagram string) string
		friends           []string
	}
	do := func(a ask) {
		s := new(secrets)
		alice, bob := s.person("alice"), s.person("bob")
		p := alice.with(bob)
		m := message{epoch: recordEpoch - a.behind + a.ahead, kind: kindOffer, id: s.bytes("id", "id", 8), fragment: 1, fragments: 2, bytes: content(fragmentSize)}
		if a.message != nil {
			a.message(&m)
		}
		nonce := s.bytes("nonce", "nonce", 24)
		datagram := m.sealedBy(p, nonce)
		if a.datagram != nil {
			datagram = a.datagram(p, nonce, m, datagram)
		}
		friends, pairs, keys := a.friends, []pair{}, []string{}
		if friends == nil {
			friends = []string{"alice", "carol"}
		}
		for _, name := range friends {
			friend := s.person(name)
			pairs, keys = append(pairs, bob.with(friend)), append(keys, toHex(friend.key))
		}
		r := a.r
		if r == 0 {
			r = 10800
		}
		now := p.at(recordEpoch, r)*1000 + 999
		read, rule := openEnvelope(pairs, now/1000, nil, datagram)
		out = append(out, answered(vector{
			id: a.id, op: "hs.envelope-open", comment: a.comment, twin: a.twin, secrets: s,
			in: o("seed", toHex(bob.seed), "friends", keys, "now_ms", decimal(now), "datagram", toHex(datagram)),
		}, append(o("friend", toHex(read.friend)), read.object()...), rule))
	}
	kind := func(kind byte, size int, fragment, fragments byte) func(*message) {
		return func(m *message) { m.kind, m.bytes, m.fragment, m.fragments = kind, content(size), fragment, fragments }
	}
	const good, knock, accepted = "hs-envelope-kind/offer", "hs-envelope-kind/knock", "hs-envelope-kind/accept"
	do(ask{id: good, comment: "a fragment of an offer"})
	do(ask{id: knock, comment: "a knock: the longest datagram that there is", message: kind(kindKnock, knockSize, 0, 1)})
	do(ask{id: accepted, comment: "an accept", message: kind(kindAccept, acceptSize, 0, 1)})
	do(ask{id: "hs-tag-unknown/second-friend", comment: "the sender is the second contact", friends: []string{"carol", "alice"}})

	// Size and first byte.
	cut := func(n int) func(pair, string, message, string) string {
		return func(_ pair, _ string, _ message, d string) string { return d[:n] }
	}
	for _, n := range []int{0, 1, 17, 41, 68} {
		do(ask{id: fmt.Sprintf("hs-envelope-size/%d", n), comment: fmt.Sprintf("the first %d bytes of a datagram", n), twin: good, datagram: cut(n)})
	}
	do(ask{id: "hs-envelope-size/sealed-68", comment: "a body of 11 bytes, rightly sealed: 68 bytes", twin: good, message: kind(kindOffer, 0, 0, 2)})
	do(ask{id: "hs-envelope-size/1233", comment: "a knock of a byte more, rightly sealed: 1,233 bytes", twin: knock, message: kind(kindKnock, knockSize+1, 0, 1)})
	do(ask{id: "hs-envelope-size/behind", comment: "a byte behind a knock", twin: knock, message: kind(kindKnock, knockSize, 0, 1),
		datagram: func(_ pair, _ string, _ message, d string) string { return d + "\x00" }})
	first := func(b string) func(p pair, nonce string, m message, d string) string {
		return func(p pair, nonce string, m message, _ string) string {
			head := b + p.sent("tag", m.epoch)
			return head + nonce + sealed(p.sent("envelope", m.epoch), nonce, head, m.body())
		}
	}
	for _, b := range []string{"\x51", "\x00", "\x64"} {
		do(ask{id: "hs-envelope-size/first-" + toHex(b), comment: "another first byte, rightly sealed", twin: good, datagram: first(b)})
	}

	// The tag, by who is a contact and which epoch is accepted.
	do(ask{id: "hs-tag-unknown/last-second", comment: "the epoch before, 3,599 s into the present one", r: 3599, behind: 1})
	do(ask{id: "hs-tag-unknown/first-second", comment: "the next epoch, 18,000 s into the present one", r: 18000, ahead: 1})
	do(ask{id: "hs-tag-unknown/3600", comment: "the epoch before, 3,600 s into the present one", twin: "hs-tag-unknown/last-second", r: 3600, behind: 1})
	do(ask{id: "hs-tag-unknown/17999", comment: "the next epoch, 17,999 s into the present one", twin: "hs-tag-unknown/first-second", r: 17999, ahead: 1})
	do(ask{id: "hs-tag-unknown/two-before", comment: "two epochs before", twin: "hs-tag-unknown/last-second", r: 3599, behind: 2})
	do(ask{id: "hs-tag-unknown/two-ahead", comment: "two epochs ahead", twin: "hs-tag-unknown/first-second", r: 18000, ahead: 2})
	do(ask{id: "hs-tag-unknown/ahead-early", comment: "the next epoch at the begin of the present one", twin: "hs-tag-unknown/first-second", r: 1, ahead: 1})
	do(ask{id: "hs-tag-unknown/behind-late", comment: "the epoch before at the end of the present one", twin: "hs-tag-unknown/last-second", r: 21599, behind: 1})
	do(ask{id: "hs-tag-unknown/no-contact", comment: "the sender is no contact", twin: good, friends: []string{"carol"}})
	do(ask{id: "hs-tag-unknown/nobody", comment: "there is no contact at all", twin: good, friends: []string{}})
	do(ask{id: "hs-tag-unknown/direction", comment: "the tag of what the receiver sends, and the rest sealed to it", twin: good,
		datagram: func(p pair, nonce string, m message, _ string) string {
			head := "\x50" + p.received("tag", m.epoch)
			return head + nonce + sealed(p.sent("envelope", m.epoch), nonce, head, m.body())
		}})
	do(ask{id: "hs-tag-unknown/bit-first", comment: "the first bit of the tag is another", twin: good,
		datagram: func(_ pair, _ string, _ message, d string) string { return flipped(d, 1, 0x80) }})
	do(ask{id: "hs-tag-unknown/bit-last", comment: "the last bit of the tag is another", twin: good,
		datagram: func(_ pair, _ string, _ message, d string) string { return flipped(d, 16, 1) }})

	// The seal.
	for _, d := range []struct {
		suffix, comment string
		at              int
	}{{"nonce-first", "a bit of the nonce's first byte is another", 17}, {"nonce-last", "a bit of the nonce's last byte is another", 40},
		{"text-first", "a bit of the first sealed byte is another", 41}, {"text-last", "a bit of the last sealed byte is another", -17},
		{"tag-first", "a bit of the seal's tag is another", -16}, {"tag-last", "the last bit is another", -1}} {
		do(ask{id: "hs-envelope-seal/" + d.suffix, comment: d.comment, twin: good,
			datagram: func(_ pair, _ string, _ message, b string) string { return flipped(b, d.at, 1) }})
	}
	again := func(suffix, comment string, seal func(p pair, nonce, head string, m message) string) {
		do(ask{id: "hs-envelope-seal/" + suffix, comment: comment, twin: good, datagram: func(p pair, nonce string, m message, _ string) string {
			head := "\x50" + p.sent("tag", m.epoch)
			return head + nonce + seal(p, nonce, head, m)
		}})
	}
	again("ad-none", "sealed without ad", func(p pair, nonce, _ string, m message) string {
		return sealed(p.sent("envelope", m.epoch), nonce, "", m.body())
	})
	again("ad-tag", "sealed with the tag alone as ad", func(p pair, nonce, head string, m message) string {
		return sealed(p.sent("envelope", m.epoch), nonce, head[1:], m.body())
	})
	again("key-epoch", "sealed with the key of the epoch before", func(p pair, nonce, head string, m message) string {
		return sealed(p.sent("envelope", m.epoch-1), nonce, head, m.body())
	})
	again("key-direction", "sealed with the key of the other direction", func(p pair, nonce, head string, m message) string {
		return sealed(p.received("envelope", m.epoch), nonce, head, m.body())
	})
	do(ask{id: "hs-envelope-seal/cut", comment: "the last byte is missing", twin: good,
		datagram: func(_ pair, _ string, _ message, d string) string { return d[:len(d)-1] }})
	do(ask{id: "hs-envelope-seal/69", comment: "69 bytes, the least that is looked at, with a seal that does not open", twin: good, datagram: cut(69)})

	// The body.
	refuse := func(id, comment, twin string, m func(*message)) {
		do(ask{id: id, comment: comment, twin: twin, message: m})
	}
	for _, k := range []byte{0, 4, 0x50, 255} {
		refuse(fmt.Sprintf("hs-envelope-kind/%d", k), fmt.Sprintf("kind %d", k), good, kind(k, fragmentSize, 1, 2))
	}
	refuse("hs-envelope-fragment/knock-0", "a knock of no fragments", knock, kind(kindKnock, knockSize, 0, 0))
	refuse("hs-envelope-fragment/knock-2", "a knock of two fragments", knock, kind(kindKnock, knockSize, 0, 2))
	refuse("hs-envelope-fragment/knock-second", "the second fragment of a knock of one", knock, kind(kindKnock, knockSize, 1, 1))
	refuse("hs-envelope-fragment/offer-1", "an offer of one fragment", good, kind(kindOffer, fragmentSize, 0, 1))
	refuse("hs-envelope-fragment/offer-3", "an offer of three fragments", good, kind(kindOffer, fragmentSize, 1, 3))
	refuse("hs-envelope-fragment/offer-third", "the third fragment of an offer of two", good, kind(kindOffer, fragmentSize, 2, 2))
	refuse("hs-envelope-fragment/offer-255", "fragment 255 of an offer of two", good, kind(kindOffer, fragmentSize, 255, 2))
	refuse("hs-envelope-fragment/accept-2", "an accept of two fragments", accepted, kind(kindAccept, acceptSize, 0, 2))
	refuse("hs-envelope-fragment/accept-second", "the second fragment of an accept of one", accepted, kind(kindAccept, acceptSize, 1, 1))
	refuse("hs-envelope-length/knock-short", "a knock of 1,163 bytes", knock, kind(kindKnock, knockSize-1, 0, 1))
	refuse("hs-envelope-length/knock-one", "a knock of one byte: the shortest datagram that is looked at", knock, kind(kindKnock, 1, 0, 1))
	refuse("hs-envelope-length/offer-short", "a fragment of 660 bytes", good, kind(kindOffer, fragmentSize-1, 1, 2))
	refuse("hs-envelope-length/offer-long", "a fragment of 662 bytes", good, kind(kindOffer, fragmentSize+1, 1, 2))
	refuse("hs-envelope-length/accept-short", "an accept of 1,151 bytes", accepted, kind(kindAccept, acceptSize-1, 0, 1))
	refuse("hs-envelope-length/accept-long", "an accept of 1,153 bytes", accepted, kind(kindAccept, acceptSize+1, 0, 1))
	refuse("hs-envelope-length/accept-knock", "an accept as long as a knock", accepted, kind(kindAccept, knockSize, 0, 1))
	refuse("hs-envelope-length/knock-accept", "a knock as long as an accept", knock, kind(kindKnock, acceptSize, 0, 1))
	return out
}

func knockVectors() (out []vector) {
	made := func(id, comment, twin string, also []string, ms uint64, endpoints []string) {
		s := new(secrets)
		random := s.bytes("random", "random", 8)
		_, rule := readFields(fieldsOf(endpoints))
		knock := knockOf(ms, random, fieldsOf(endpoints))
		if rule == "" {
			if at, r, got, rule := readKnock(knock); rule != "" || at != ms || r != random || strings.Join(got, " ") != strings.Join(endpoints, " ") {
				panic(id + ": a knock of our own breaks " + rule)
			}
		}
		out = append(out, answered(vector{id: id, also: also, op: "hs.knock-make", comment: comment, twin: twin, secrets: s,
			in: o("time_ms", decimal(ms), "endpoints", endpoints), draws: o("random", toHex(random))}, o("knock", toHex(knock)), rule))
	}
	made("hs-knock-form/none", "a knock that names no endpoints", "", nil, sceneTime, []string{})
	made("hs-knock-form/two", "a knock with an endpoint of each family", "", nil, sceneTime, recordEndpoints)
	made("hs-knock-form/eight", "a knock with eight endpoints", "", nil, sceneTime+1, manyEndpoints(8))
	made("hs-knock-form/nine", "asked to write nine endpoints", "hs-knock-form/eight", []string{"rv-endpoint-limit", "rv-record-fields"}, sceneTime, manyEndpoints(9))
	made("hs-knock-form/port", "asked to write an endpoint with port 0", "hs-knock-form/two", []string{"rv-endpoint-address", "rv-record-fields"},
		sceneTime, []string{"192.0.2.1:0"})

	read := func(id, comment, twin string, also []string, knock func(random string) string) {
		s := new(secrets)
		b := knock(s.bytes("random", "random", 8))
		ms, random, endpoints, rule := readKnock(b)
		out = append(out, answered(vector{id: id, also: also, op: "hs.knock-read", comment: comment, twin: twin, secrets: s, in: o("knock", toHex(b))},
			o("time_ms", decimal(ms), "random", toHex(random), "endpoints", endpoints), rule))
	}
	const good = "hs-knock-version/good"
	read(good, "a knock", "", nil, func(r string) string { return knockOf(sceneTime, r, fieldsOf(recordEndpoints)) })
	read("hs-knock-version/time", "the greatest time that can be written: it is judged later", "", nil, func(r string) string { return knockOf(math.MaxUint64, r, "") })
	for _, v := range []string{"\x00", "\x02", "\xff"} {
		read(fmt.Sprintf("hs-knock-version/%d", v[0]), fmt.Sprintf("version %d", v[0]), good, nil, func(r string) string {
			return v + knockOf(sceneTime, r, fieldsOf(recordEndpoints))[1:]
		})
	}
	// One of each kind: rendezvous.json has them all.
	seen := map[string]int{}
	for _, c := range fieldsCases() {
		kind := c.rule + "/" + fmt.Sprint(c.twin == "")
		if seen[kind]++; seen[kind] > 2 && c.suffix != "full" && c.suffix != "none" || c.suffix == "127" {
			continue
		}
		twin := ""
		if c.twin != "" {
			twin = good
		}
		read("hs-knock-fields/"+strings.TrimPrefix(c.rule, "rv-")+"-"+c.suffix, c.comment, twin, []string{c.rule}, func(r string) string {
			return "\x01" + u64(sceneTime) + r + c.fields(knockSize-17)
		})
	}
	return out
}
