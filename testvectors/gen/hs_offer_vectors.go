package gen

import (
	"fmt"
	"math"
	"math/big"
	"strings"
)

func offerVectors() (out []vector) {
	c := newScene()
	offer := c.offer()
	made := vector{
		id: "hs-offer-form/made", also: []string{"hs-offer-knock"}, op: "hs.offer-make", comment: "bob's offer for alice's knock", secrets: c.s,
		in:    o("seed", toHex(c.bob.seed), "now", decimal(c.now()), "knock", toHex(c.knock)),
		draws: o("spk", toHex(c.keys().spk), "rk", toHex(c.keys().rk), "ek", toHex(c.keys().ek)),
		mid:   o("signed", toHex(offerSigned(offer[:1258], c.knock))),
	}
	if rule := checkOffer(c.bob.key, c.now(), c.knock, offer); rule != "" {
		panic("an offer of our own breaks " + rule)
	}
	out = append(out, answered(made, o("offer", toHex(offer), "offer_id", toHex(offerID(offer))), ""))
	c = newScene()
	later := replaced(c.knock, 1, u64(c.ms+1))
	offer = makeOffer(c.bob, c.now(), later, c.keys())
	out = append(out, answered(vector{
		id: "hs-offer-knock/later", also: []string{"hs-offer-form"}, op: "hs.offer-make",
		comment: "the same draws for a knock a millisecond later: another signature", secrets: c.s,
		in:    o("seed", toHex(c.bob.seed), "now", decimal(c.now()), "knock", toHex(later)),
		draws: o("spk", toHex(c.keys().spk), "rk", toHex(c.keys().rk), "ek", toHex(c.keys().ek)),
		mid:   o("signed", toHex(offerSigned(offer[:1258], later))),
	}, o("offer", toHex(offer), "offer_id", toHex(offerID(offer))), ""))
	// Private keys whose bits are all set or all clear show the clamping.
	c = newScene()
	keys := offerKeys{strings.Repeat("\xff", 32), zeros(32), c.keys().ek}
	offer = makeOffer(c.bob, c.now()+1, c.knock, keys)
	out = append(out, answered(vector{
		id: "hs-offer-form/clamped", op: "hs.offer-make", comment: "private keys of ones and of zeros: they are clamped when they are used", secrets: c.s,
		in:    o("seed", toHex(c.bob.seed), "now", decimal(c.now()+1), "knock", toHex(c.knock)),
		draws: o("spk", toHex(keys.spk), "rk", toHex(keys.rk), "ek", toHex(keys.ek)),
		mid:   o("signed", toHex(offerSigned(offer[:1258], c.knock))),
	}, o("offer", toHex(offer), "offer_id", toHex(offerID(offer))), ""))
	return out
}

// An offerAsk changes an offer before it is signed, what is signed, and the question.
type offerAsk struct {
	id, comment, twin string
	also              []string
	unsigned          func(c *scene, offer string) string
	sign              func(c *scene, unsigned string) string // the whole offer
	question          func(c *scene, offer string) (friend string, now uint64, knock, asked string)
}

const goodOffer = "hs-offer-version/good"

func (a offerAsk) build() (c *scene, friend string, now uint64, knock, offer string) {
	c = newScene()
	offer = c.offer()
	if a.unsigned != nil {
		offer = signedOffer(c.bob, a.unsigned(c, offer[:1258]), c.knock)
	}
	if a.sign != nil {
		offer = a.sign(c, offer[:1258])
	}
	friend, now, knock = c.bob.key, c.now(), c.knock
	if a.question != nil {
		friend, now, knock, offer = a.question(c, offer)
	}
	return c, friend, now, knock, offer
}

func (a offerAsk) vector() vector {
	c, friend, now, knock, offer := a.build()
	rule := checkOffer(friend, now, knock, offer)
	notAfter, spk, rk, ek := offerParts(offer)
	return answered(vector{
		id: a.id, also: a.also, op: "hs.offer-check", comment: a.comment, twin: a.twin, secrets: c.s,
		in: o("friend", toHex(friend), "now", decimal(now), "knock", toHex(knock), "offer", toHex(offer)),
	}, o("offer_id", toHex(offerID(offer)), "not_after", decimal(notAfter), "spk", toHex(spk), "rk", toHex(rk), "ek", toHex(ek)), rule)
}

// with replaces bytes of the offer before it is signed.
func with(at int, by func(c *scene) string) func(*scene, string) string {
	return func(c *scene, offer string) string { return replaced(offer, at, by(c)) }
}

func bytesAt(at int, by string) func(*scene, string) string {
	return with(at, func(*scene) string { return by })
}

// withCoefficient changes one of the 768 numbers in ek.
func withCoefficient(n, value int) func(*scene, string) string {
	return func(_ *scene, offer string) string {
		at := 74 + n/2*3
		b := []byte(offer[at : at+3])
		if n%2 == 0 {
			b[0], b[1] = byte(value), b[1]&0xf0|byte(value>>8)
		} else {
			b[1], b[2] = b[1]&0x0f|byte(value<<4), byte(value>>4)
		}
		changed := replaced(offer, at, string(b))
		if coefficients(changed[74:])[n] != value {
			panic("another coefficient")
		}
		return changed
	}
}

func offerRefused() (out []vector) {
	ask := func(a offerAsk) { out = append(out, a.vector()) }
	ask(offerAsk{id: goodOffer, comment: "bob's offer"})
	for _, v := range []string{"\x00", "\x02", "\xff"} {
		ask(offerAsk{id: fmt.Sprintf("hs-offer-version/%d", v[0]), comment: fmt.Sprintf("version %d, rightly signed", v[0]), twin: goodOffer, unsigned: bytesAt(0, v)})
	}
	for _, v := range []string{"\x01", "\x80", "\xff"} {
		ask(offerAsk{id: "hs-offer-flags/" + toHex(v), comment: "flags " + toHex(v) + ", rightly signed", twin: goodOffer, unsigned: bytesAt(1, v)})
	}
	until := func(ahead int64) func(*scene, string) string {
		return with(2, func(c *scene) string { return u64(uint64(int64(c.now()) + ahead)) })
	}
	ask(offerAsk{id: "hs-offer-expired/3660", comment: "not_after was 3,660 s ago", unsigned: until(-3660)})
	ask(offerAsk{id: "hs-offer-expired/ahead", comment: "not_after is two hours ahead: no rule is about that", unsigned: until(7200)})
	ask(offerAsk{id: "hs-offer-expired/largest", comment: "the greatest not_after", unsigned: bytesAt(2, u64(math.MaxUint64))})
	ask(offerAsk{id: "hs-offer-expired/3661", comment: "not_after was 3,661 s ago", twin: "hs-offer-expired/3660", unsigned: until(-3661)})
	ask(offerAsk{id: "hs-offer-expired/years", comment: "not_after was years ago", twin: "hs-offer-expired/3660", unsigned: until(-100000000)})
	ask(offerAsk{id: "hs-offer-expired/zero", comment: "not_after is 0", twin: "hs-offer-expired/3660", unsigned: bytesAt(2, u64(0))})

	// spk stands at 10, rk at 42.
	for _, k := range []struct {
		name string
		at   int
	}{{"spk", 10}, {"rk", 42}} {
		number := func(suffix, comment string, n *big.Int) {
			ask(offerAsk{id: "hs-offer-keys/" + k.name + "-" + suffix, also: []string{"rv-x25519-canonical"}, comment: k.name + comment, twin: goodOffer,
				unsigned: bytesAt(k.at, toLittle(n))})
		}
		number("p", " is p", prime)
		number("p-plus-9", " is p + 9", plusInt(prime, 9))
		number("ones", " is 2^256 − 1", sub(power(2, 256), 1))
		ask(offerAsk{id: "hs-offer-keys/" + k.name + "-bit-255", also: []string{"rv-x25519-canonical"}, comment: k.name + " with bit 255 set", twin: goodOffer,
			unsigned: func(_ *scene, offer string) string { return flipped(offer, k.at+31, 0x80) }})
		for _, u := range smallUs() {
			ask(offerAsk{id: "hs-offer-zero/" + k.name + "-" + u.suffix, also: []string{"rv-x25519-zero"}, comment: k.name + " is " + u.comment,
				twin: goodOffer, unsigned: bytesAt(k.at, u.u)})
		}
	}
	ask(offerAsk{id: "hs-offer-keys-apart/same", comment: "rk is spk", twin: goodOffer,
		unsigned: func(_ *scene, offer string) string { return replaced(offer, 42, offer[10:42]) }})
	ask(offerAsk{id: "hs-offer-keys-apart/identity", comment: "spk is bob's own X25519 key: no rule is about that", unsigned: with(10,
		func(c *scene) string { return c.bob.public })})

	ask(offerAsk{id: "hs-offer-ek/3328", comment: "the first number of ek is 3,328", unsigned: withCoefficient(0, 3328)})
	for _, k := range []struct{ n, value int }{{0, 3329}, {1, 3329}, {0, 4095}, {383, 3329}, {766, 4095}, {767, 3329}} {
		ask(offerAsk{id: fmt.Sprintf("hs-offer-ek/%d-%d", k.n, k.value), comment: fmt.Sprintf("number %d of ek is %d", k.n, k.value),
			twin: "hs-offer-ek/3328", unsigned: withCoefficient(k.n, k.value)})
	}
	ask(offerAsk{id: "hs-offer-ek/seed", comment: "the last 32 bytes of ek may be anything", unsigned: bytesAt(74+1152, strings.Repeat("\xff", 32))})

	signed := func(suffix, comment string, sign func(c *scene, unsigned string) string) {
		ask(offerAsk{id: "hs-offer-signature/" + suffix, comment: comment, twin: goodOffer, sign: sign})
	}
	signed("bit", "a bit of the signature is another", func(c *scene, u string) string { return flipped(signedOffer(c.bob, u, c.knock), -1, 1) })
	signed("r", "a bit of R is another", func(c *scene, u string) string { return flipped(signedOffer(c.bob, u, c.knock), 1258, 1) })
	signed("order", "S and L", func(c *scene, u string) string {
		offer := signedOffer(c.bob, u, c.knock)
		s := fromLittle([]byte(offer[1290:]))
		return offer[:1290] + toLittle(s.Add(s, order))
	})
	signed("r-neutral", "R is the neutral element, and S is k·a: the equation is right", func(c *scene, u string) string {
		return u + forged(c.bob, offerSigned(u, c.knock), big.NewInt(0), neutralPoint)
	})
	signed("cofactor", "R is r·B and a point of order 8: right only for whoever multiplies by 8", func(c *scene, u string) string {
		r := new(big.Int).Mod(fromLittle([]byte(c.s.bytes("r", "r", 32))), order)
		return u + forged(c.bob, offerSigned(u, c.knock), r, smallPoints[1])
	})
	signed("alice", "signed by alice herself", func(c *scene, u string) string { return signedOffer(c.alice, u, c.knock) })
	signed("carol", "signed by carol", func(c *scene, u string) string { return signedOffer(c.s.person("carol"), u, c.knock) })
	other := func(suffix, comment string, message func(c *scene, unsigned string) string) {
		signed(suffix, comment, func(c *scene, u string) string { return u + sign(c.bob.seed, message(c, u)) })
	}
	other("knock", "signed for another knock, of a millisecond later", func(c *scene, u string) string {
		return offerSigned(u, replaced(c.knock, 1, u64(c.ms+1)))
	})
	other("knock-none", "signed without a knock's hash", func(_ *scene, u string) string { return label("offer") + u })
	other("knock-whole", "signed with the knock in place of its hash", func(c *scene, u string) string { return label("offer") + u + c.knock })
	other("knock-label", "the knock was hashed without its label", func(c *scene, u string) string { return label("offer") + u + hash(c.knock) })
	other("label-none", "signed without a label", func(c *scene, u string) string { return u + hash(label("knock")+c.knock) })
	other("label-zero", "signed with the label without its byte 0x00", func(c *scene, u string) string { return offerLabel + u + hash(label("knock")+c.knock) })
	other("label-other", "signed under another label", func(c *scene, u string) string { return label("offer id") + u + hash(label("knock")+c.knock) })
	for _, d := range []struct {
		suffix, comment string
		at              int
	}{{"not-after", "not_after", 9}, {"spk", "spk", 10}, {"rk", "rk", 42}, {"ek", "the last byte of ek", 1257}} {
		ask(offerAsk{id: "hs-offer-signature/changed-" + d.suffix, comment: "a bit of " + d.comment + " is another than the signed one", twin: goodOffer,
			question: func(c *scene, offer string) (string, uint64, string, string) {
				return c.bob.key, c.now(), c.knock, flipped(offer, d.at, 1)
			}})
	}
	asked := func(suffix, comment string, question func(c *scene, offer string) (string, uint64, string, string)) {
		ask(offerAsk{id: "hs-offer-signature/" + suffix, comment: comment, twin: goodOffer, question: question})
	}
	asked("asked-knock", "the knock that was sent has another last byte", func(c *scene, offer string) (string, uint64, string, string) {
		return c.bob.key, c.now(), flipped(c.knock, 16, 1), offer
	})
	asked("asked-friend", "it was carol who was asked for an offer", func(c *scene, offer string) (string, uint64, string, string) {
		return c.s.person("carol").key, c.now(), c.knock, offer
	})

	// Two things are wrong: the one that is checked first decides the reason.
	late := func(c *scene, offer string) (string, uint64, string, string) {
		return c.bob.key, c.now() + 3721, c.knock, flipped(offer, -1, 1)
	}
	ask(offerAsk{id: "hs-offer-expired/before-signature", comment: "expired, and the signature is wrong", twin: "hs-offer-expired/3660", question: late})
	ask(offerAsk{id: "hs-offer-version/before-expired", comment: "version 2, and expired", twin: goodOffer, unsigned: bytesAt(0, "\x02"), question: late})
	ask(offerAsk{id: "hs-offer-expired/before-keys", comment: "expired, and spk is p", twin: "hs-offer-expired/3660", unsigned: bytesAt(10,
		toLittle(prime)), question: late})
	ask(offerAsk{id: "hs-offer-ek/before-signature", comment: "a number of ek is 3,329, and the signature is wrong", twin: "hs-offer-ek/3328",
		unsigned: withCoefficient(0, 3329),
		question: func(c *scene, offer string) (string, uint64, string, string) {
			return c.bob.key, c.now(), c.knock, flipped(offer, -1, 1)
		}})
	ask(offerAsk{id: "hs-offer-signature/before-zero", comment: "spk is 0, and the signature is wrong", twin: goodOffer, unsigned: bytesAt(10, zeros(32)),
		question: func(c *scene, offer string) (string, uint64, string, string) {
			return c.bob.key, c.now(), c.knock, flipped(offer, -1, 1)
		}})
	return out
}
