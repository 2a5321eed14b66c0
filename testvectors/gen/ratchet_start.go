package gen

import (
	"fmt"
	"math/big"
	"slices"
)

// A rtKey is a ratchet public key that has something about it.
type rtKey struct{ name, comment, key string }

// rtNotCanonical are keys that rv-x25519-canonical refuses; p + 9 and 2^255 − 1 are other spellings of keys that are not of small order.
func rtNotCanonical() []rtKey {
	return []rtKey{
		{"p", "p, another 0", toLittle(prime)},
		{"p-plus-1", "p + 1, another 1", toLittle(plusInt(prime, 1))},
		{"p-plus-9", "p + 9, another base point", toLittle(plusInt(prime, 9))},
		{"all-ones", "2^255 − 1, the greatest without bit 255", toLittle(sub(power(2, 255), 1))},
		{"zero-bit-255", "0 with bit 255", toLittle(power(2, 255))},
	}
}

// rtSmall are the canonical keys of small order: each gives a DH of zeros.
func rtSmall() []rtKey {
	return []rtKey{
		{"zero", "0, of order 2", zeros(32)},
		{"one", "1, of order 4 on the curve", toLittle(big.NewInt(1))},
		{"order-8", "a key of order 8", smallPoints[1].montgomery()},
		{"order-8-other", "the other key of order 8", smallPoints[3].montgomery()},
		{"minus-one", "p − 1, of order 4 on the twist", toLittle(minus1)},
	}
}

// rtUnusual are keys that no rule refuses.
func rtUnusual() []rtKey {
	return []rtKey{
		{"two", "2, which lies on the twist", toLittle(big.NewInt(2))},
		{"base", "9, the base point", rtBase},
		{"minus-two", "p − 2, the greatest key that is not refused", toLittle(sub(prime, 2))},
	}
}

var rtBase = toLittle(big.NewInt(9))

// rtBit255 sets bit 255 of a key.
func rtBit255(key string) string { return flipped(key, 31, 0x80) }

func rtStarts() (all []vector) {
	add := func(v vector) { all = append(all, v) }
	add(rtWorked())

	s := rtTell("rt-start/alice", "Alice may send at once: number 0 of a first chain", "alice")
	s.alice.says()
	s.alice.says()
	s.bob.hears(s.alice.sent(0, 1))
	s.alice.hears(s.bob.sends(0))
	add(s.accepted())
	s = rtTell("rt-start/bob", "Bob hears, and then may send: number 0 of a first chain", "bob")
	s.bob.hears(s.alice.sends(0))
	s.bob.says()
	add(s.accepted())
	for _, k := range slices.Concat(rtUnusual(), rtNextToP()) {
		s := rtUnstarted("rt-start-key/"+k.name, "rk is "+k.comment, "alice")
		s.alice.startsAlice(k.key, nil)
		s.alice.says()
		s.alice.hears(s.alice.answer())
		add(s.accepted())
	}
	s = rtUnstarted("rt-start-key/good", "rk is a key like any other", "alice")
	s.alice.startsAlice(x25519Public(s.secret("rk")), nil)
	s.alice.says()
	s.alice.hears(s.alice.answer())
	add(s.accepted())
	bit := rtKey{"bit-255", "rk is a right key with bit 255", rtBit255(x25519Public(s.secret("rk")))}
	for _, k := range slices.Concat(rtNotCanonical(), rtSmall(), []rtKey{bit}) {
		s := rtUnstarted("rt-start-key/"+k.name, "rk is "+k.comment, "alice")
		if k == bit {
			s.comment = k.comment
		}
		s.also = []string{"rv-x25519-canonical"}
		if below(k.key, prime) {
			s.also = []string{"rv-x25519-zero"}
		}
		s.alice.cannotStart(k.key)
		add(s.refused("rt-start-key/good"))
	}
	return all
}

// answer is a message that begins a chain, of somebody who knows all that the party knows.
func (p *rtParty) answer() string {
	l := rtLetter{hk: p.state.nhkr, nonce: rtNonce("answer"), plaintext: "answer", ad: p.state.ad}
	rtWithKey(x25519Public(p.story.secrets.bytes("other", "rt other ratchet key", 32)))(&l, p.state)
	return l.seal()
}

// rtWorked is the chapter's example: Alice's first message and Bob's answer, with every value between.
func rtWorked() vector {
	s := rtUnstarted("rt-start", "Alice's first message and Bob's answer, with what they are computed from", "alice bob")
	s.also = []string{"rt-send-form", "rt-draw-late", "rt-newest"}
	ask := func(op, comment string, in, out object) { s.steps = append(s.steps, rtAsks(op, comment, in, out)) }
	shared := func(comment, private, public string) string {
		out := x25519(private, public)
		ask("rv.x25519", comment, o("private", toHex(private), "public", toHex(public)), o("shared", toHex(out)))
		return out
	}
	root := func(comment, rk, dh string) (string, string) {
		next, ck, nhk := rtKDFRoot(rk, dh)
		ask("rt.kdf-root", comment, o("RK", toHex(rk), "dh", toHex(dh)), o("RK", toHex(next), "CK", toHex(ck), "NHK", toHex(nhk)))
		return next, ck
	}
	message := func(comment, ck string) {
		mk, next := rtKDFChain(ck)
		ask("rt.kdf-chain", comment, o("CK", toHex(ck)), o("mk", toHex(mk), "CK", toHex(next)))
		key, nonce := rtKDFMessage(mk)
		ask("rt.kdf-message", "", o("mk", toHex(mk)), o("key", toHex(key), "nonce", toHex(nonce)))
	}

	rk := s.secret("rk")
	rkPublic := shared("Bob's first ratchet key, public: X25519 with the base point", rk, rtBase)
	a0 := s.alice.nextRatchet()
	a0Public := shared("Alice's first ratchet key, public", a0, rtBase)
	dh := shared("DH(DHs, DHr) at Alice's", a0, rkPublic)
	r1, ck := root("RK, CKs and NHKs of Alice", s.secret("RK"), dh)
	message("Alice's first message key; CK is CKs from then on", ck)
	s.alice.startsAlice(rkPublic, nil)
	m := s.alice.says()
	s.remark("H is the first 80 bytes: nonce, sealed header, tag. The header is Alice's public key, pn 00000000, n 00000000")
	s.bob.startsBob(rk, nil)
	b0 := s.bob.nextRatchet()
	s.bob.hears(m)
	s.remark("opens with NHKr, which is HK_I: a new chain")
	b0Public := shared("Bob's ratchet key, drawn when the message had opened, public", b0, rtBase)
	dh = shared("DH(DHs, DHr) at Bob's, after he has made it", b0, a0Public)
	if dh != x25519(a0, b0Public) {
		panic("the two sides disagree")
	}
	_, ck = root(fmt.Sprintf("RK, CKs and NHKs of Bob; the first step of the ratchet gave him Alice's RK, %s…", toHex(r1[:4])), r1, dh)
	message("Bob's first message key", ck)
	m = s.bob.says()
	s.remark("HKs is NHK_R. The header is Bob's new public key, pn 00000000, n 00000000")
	s.alice.hears(m)
	s.remark("opens with NHKr, which is NHK_R: a new chain")
	return s.accepted()
}
