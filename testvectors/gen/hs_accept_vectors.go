package gen

import (
	"math"
	"math/big"
	"strings"
)

func acceptVectors() (out []vector) {
	made := func(a offerAsk, draws func(c *scene) (e, coins string)) {
		c, friend, now, knock, offer := a.build()
		e, coins := c.e(), c.coins()
		if draws != nil {
			e, coins = draws(c)
		}
		v := vector{
			id: a.id, also: a.also, op: "hs.accept-make", comment: a.comment, twin: a.twin, secrets: c.s,
			in:    o("seed", toHex(c.alice.seed), "friend", toHex(friend), "now", decimal(now), "knock", toHex(knock), "offer", toHex(offer)),
			draws: o("e", toHex(e), "coins", toHex(coins)),
		}
		if rule := checkOffer(friend, now, knock, offer); rule != "" {
			out = append(out, answered(v, nil, rule))
			return
		}
		accept, k := makeAccept(c.toBob, offer, e, coins)
		keys := c.keys()
		if _, spk, _, _ := offerParts(offer); spk == c.bob.public {
			keys.spk = c.bob.private
		}
		if taken, rule := takeAccept(c.toAlice, offer, keys, accept); rule != "" || taken != k {
			panic(a.id + ": the responder comes to something else: " + rule)
		}
		v.mid = k.intermediate()
		out = append(out, answered(v, append(o("accept", toHex(accept)), k.keys()...), ""))
	}
	schedule := []string{"hs-accept-form", "hs-transcript-bytes"}
	made(offerAsk{id: "hs-schedule", also: schedule, comment: "alice knocks at bob's: she accepts his offer"}, nil)
	made(offerAsk{id: "hs-schedule/again", also: schedule, comment: "other draws, another result"}, func(c *scene) (string, string) {
		return c.s.bytes("e-2", "e 2", 32), c.s.bytes("coins-2", "coins 2", 32)
	})
	made(offerAsk{id: "hs-accept-form/clamped", also: []string{"hs-schedule"}, comment: "draws of ones: e is clamped when it is used"}, func(*scene) (string, string) {
		return strings.Repeat("\xff", 32), strings.Repeat("\xff", 32)
	})
	made(offerAsk{id: "hs-transcript-bytes/not-after", also: []string{"hs-schedule"},
		comment: "an offer with another not_after: th and all that follows are others", unsigned: bytesAt(2, u64(math.MaxUint64))}, nil)
	made(offerAsk{id: "hs-transcript-bytes/identity", also: []string{"hs-schedule"},
		comment: "spk is bob's own X25519 key: dh2 and dh3 are the same, and both are hashed", unsigned: with(10, func(c *scene) string { return c.bob.public })}, nil)
	const good = "hs-schedule"
	made(offerAsk{id: "hs-offer-version/accept", comment: "an offer of version 2 is not accepted", twin: good, unsigned: bytesAt(0, "\x02")}, nil)
	made(offerAsk{id: "hs-offer-expired/accept", comment: "nor one that has expired", twin: good, question: func(c *scene, offer string) (string, uint64, string, string) {
		return c.bob.key, c.now() + 3721, c.knock, offer
	}}, nil)
	made(offerAsk{id: "hs-offer-keys/accept", comment: "nor one whose rk is p", twin: good, unsigned: bytesAt(42, toLittle(prime))}, nil)
	made(offerAsk{id: "hs-offer-ek/accept", comment: "nor one with a number of 3,329 in ek", twin: good, unsigned: withCoefficient(2, 3329)}, nil)
	made(offerAsk{id: "hs-offer-signature/accept", comment: "nor one whose signature is wrong", twin: good, sign: func(c *scene, u string) string {
		return flipped(signedOffer(c.bob, u, c.knock), -2, 4)
	}}, nil)
	made(offerAsk{id: "hs-offer-zero/accept", comment: "nor one whose spk has small order", twin: good, unsigned: bytesAt(10, zeros(32))}, nil)
	return out
}

func acceptRefused() (out []vector) {
	ask := func(id, comment, twin string, also []string, change func(c *scene, offer, accept string) string) {
		c := newScene()
		offer := c.offer()
		accept, _ := makeAccept(c.toBob, offer, c.e(), c.coins())
		if change != nil {
			accept = change(c, offer, accept)
		}
		k, rule := takeAccept(c.toAlice, offer, c.keys(), accept)
		v := vector{
			id: id, also: also, op: "hs.accept-take", comment: comment, twin: twin, secrets: c.s,
			in: o("seed", toHex(c.bob.seed), "friend", toHex(c.alice.key), "offer", toHex(offer),
				"spk", toHex(c.keys().spk), "rk", toHex(c.keys().rk), "ek", toHex(c.keys().ek), "accept", toHex(accept)),
		}
		if rule == "" {
			v.mid = k.intermediate()
		}
		out = append(out, answered(v, k.keys(), rule))
	}
	const good = "hs-confirm-first/good"
	ask(good, "bob takes alice's accept", "", []string{"hs-schedule"}, nil)
	ask("hs-confirm-first/again", "an accept of other draws", "", []string{"hs-schedule"}, func(c *scene, offer, _ string) string {
		accept, _ := makeAccept(c.toBob, offer, c.s.bytes("e-2", "e 2", 32), c.s.bytes("coins-2", "coins 2", 32))
		return accept
	})
	// An accept by alice with e as it is given, and with what it gives by whoever takes it.
	withE := func(c *scene, offer, e string) string {
		keys := c.keys()
		ct, ss := encapsulate(kemPublic(keys.ek), c.coins())
		accept, _ := c.toBob.acceptWith(offer, e, ct, schedule{
			auth: c.toBob.sent("auth", 0), dh1: x25519(c.alice.private, x25519Public(keys.spk)), dh2: x25519(c.bob.private, e), dh3: x25519(keys.spk, e), ss: ss,
		})
		return accept
	}
	ask("hs-accept-key/twist", "e is no point of the curve, but of its twist: taken like any other", "", []string{"hs-schedule"}, func(c *scene, offer, _ string) string {
		u := big.NewInt(2)
		for ; onCurve(u); u = plusInt(u, 1) {
		}
		return withE(c, offer, toLittle(u))
	})

	for _, d := range []struct {
		suffix, comment string
		at              int
	}{{"first", "a bit of the offer id's first byte is another", 0}, {"last", "a bit of its last byte is another", 15}} {
		ask("hs-accept-offer/"+d.suffix, d.comment, good, nil, func(_ *scene, _, accept string) string { return flipped(accept, d.at, 1) })
	}
	ask("hs-accept-offer/other", "the right accept of another offer", good, nil, func(c *scene, _, _ string) string {
		keys := offerKeys{c.s.bytes("spk-2", "spk 2", 32), c.s.bytes("rk-2", "rk 2", 32), c.keys().ek}
		accept, _ := makeAccept(c.toBob, makeOffer(c.bob, c.now(), c.knock, keys), c.e(), c.coins())
		return accept
	})
	ask("hs-accept-offer/before-key", "another offer id, and e is p", good, nil, func(c *scene, offer, _ string) string {
		return flipped(withE(c, offer, toLittle(prime)), 0, 1)
	})

	number := func(suffix, comment string, e func(c *scene) string) {
		ask("hs-accept-key/"+suffix, comment, good, []string{"rv-x25519-canonical"}, func(c *scene, offer, _ string) string { return withE(c, offer, e(c)) })
	}
	number("bit-255", "e with bit 255 set, and a confirm that is right for whoever clears it", func(c *scene) string { return flipped(x25519Public(c.e()), 31, 0x80) })
	for _, i := range []int64{0, 1, 9, 18} {
		number("p-plus-"+decimal(uint64(i)), "e is p + "+decimal(uint64(i))+", and confirm is right for whoever reduces it",
			func(*scene) string { return toLittle(plusInt(prime, i)) })
	}
	for _, u := range smallUs() {
		ask("hs-accept-zero/"+u.suffix, "e is "+u.comment+", and confirm is right for whoever takes a zero DH", good, []string{"rv-x25519-zero"},
			func(c *scene, offer, _ string) string {
				return withE(c, offer, u.u)
			})
	}

	for _, d := range []struct {
		suffix, comment string
		at              int
	}{
		{"e", "a bit of e is another", 16}, {"ct-first", "a bit of ct's first byte is another: another ss", 48}, {"ct-middle", "a bit in the middle of ct is another", 600},
		{"ct-last", "a bit of ct's last byte is another", 1135}, {"confirm-first", "a bit of confirm's first byte is another", 1136},
		{"confirm-last", "a bit of confirm's last byte is another", 1151},
	} {
		ask("hs-confirm-first/"+d.suffix, d.comment, good, nil, func(_ *scene, _, accept string) string { return flipped(accept, d.at, 1) })
	}
	ask("hs-confirm-first/zero", "confirm is zero", good, nil, func(_ *scene, _, accept string) string { return accept[:1136] + zeros(16) })
	// Each part of the schedule that one could leave out or take from elsewhere.
	part := func(suffix, comment string, change func(c *scene, k *schedule) (initiator, responder string)) {
		ask("hs-confirm-first/"+suffix, comment, good, []string{"hs-schedule"}, func(c *scene, offer, accept string) string {
			_, k := makeAccept(c.toBob, offer, c.e(), c.coins())
			initiator, responder := change(c, &k)
			k = k.derive(initiator, responder, offer, accept[16:48], accept[48:1136])
			return accept[:1136] + k.confirm
		})
	}
	both := func(c *scene) (string, string) { return c.alice.key, c.bob.key }
	part("auth", "confirm of a schedule with auth of the other direction", func(c *scene, k *schedule) (string, string) {
		k.auth = c.toBob.received("auth", 0)
		return both(c)
	})
	part("dh1", "confirm of a schedule whose dh1 is made with e in place of alice's identity", func(c *scene, k *schedule) (string, string) {
		k.dh1 = k.dh3
		return both(c)
	})
	part("dh2", "confirm of a schedule whose dh2 is made with alice's identity in place of e", func(c *scene, k *schedule) (string, string) {
		k.dh2 = c.toBob.s
		return both(c)
	})
	part("dh-order", "confirm of a schedule with dh2 and dh3 in the other order", func(c *scene, k *schedule) (string, string) {
		k.dh2, k.dh3 = k.dh3, k.dh2
		return both(c)
	})
	part("ss", "confirm of a schedule without ss", func(c *scene, k *schedule) (string, string) {
		k.ss = ""
		return both(c)
	})
	part("roles", "confirm of a schedule with the two IKs in the other order", func(c *scene, _ *schedule) (string, string) { return c.bob.key, c.alice.key })
	ask("hs-confirm-first/carol", "carol's accept, taken as alice's", good, nil, func(c *scene, offer, _ string) string {
		accept, _ := makeAccept(c.s.person("carol").with(c.bob), offer, c.e(), c.coins())
		return accept
	})
	return out
}

func smallVectors() (out []vector) {
	for _, to := range []string{"I", "R"} {
		for _, i := range []uint32{0, 1, 7, 8, 255, 256, 65536, 1<<32 - 1} {
			s := new(secrets)
			key := s.bytes("CIDK", "CIDK", 32)
			out = append(out, answered(vector{
				id: "hs-cid/" + strings.ToLower(to) + "-" + decimal(uint64(i)), op: "hs.cid", comment: "connection id " + decimal(uint64(i)) + " of datagrams to " + to, secrets: s,
				in: o("CIDK", toHex(key), "to", to, "i", int(i)),
			}, o("cid", toHex(cid(key, to, i))), ""))
		}
	}
	ranked := func(suffix, comment, higher string, a, b uint64, of, than func(low, high string) string) {
		s := new(secrets)
		low, high := s.person("alice").key, s.person("bob").key
		if low > high {
			low, high = high, low
		}
		x, y := rank{a, of(low, high)}, rank{b, than(low, high)}
		got := "same"
		if x.outranks(y) {
			got = "a"
		} else if y.outranks(x) {
			got = "b"
		}
		if got != higher {
			panic("hs-rank: " + suffix)
		}
		out = append(out, answered(vector{
			id: "hs-rank-present/" + suffix, also: []string{"hs-rank-out"}, op: "hs.rank", comment: comment, secrets: s,
			in: o("a", o("time_ms", decimal(x.ms), "IK_I", toHex(x.initiator)), "b", o("time_ms", decimal(y.ms), "IK_I", toHex(y.initiator))),
		}, o("higher", higher), ""))
	}
	low := func(low, _ string) string { return low }
	high := func(_, high string) string { return high }
	ranked("later-a", "the later knock", "a", sceneTime+1, sceneTime, low, low)
	ranked("later-b", "the later knock, the other way round", "b", sceneTime, sceneTime+1, low, low)
	ranked("later-higher", "the later knock, though its IK is the greater", "a", sceneTime+1, sceneTime, high, low)
	ranked("same-time-a", "the same millisecond: the smaller IK", "a", sceneTime, sceneTime, low, high)
	ranked("same-time-b", "the same, the other way round", "b", sceneTime, sceneTime, high, low)
	ranked("same", "the same handshake", "same", sceneTime, sceneTime, low, low)
	ranked("unsigned", "times are compared as numbers, not by their digits", "a", 10000000000000, 9999999999999, high, low)
	return out
}
