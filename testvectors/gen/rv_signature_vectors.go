package gen

import (
	"fmt"
	"math/big"
)

// offerLabel is the only label that anybody signs under.
const offerLabel = "kith/1 offer"

// A forger makes signatures with an identity's secret scalar, by other means than RFC 8032's.
type forger struct {
	p       person
	message string // with its label
}

// with returns R ‖ S for any R: S is r + k·a modulo L.
func (f forger) with(r *big.Int, encoded string) (sig string, s *big.Int) {
	k := challenge(encoded, f.p.key, f.message)
	s = new(big.Int).Mod(new(big.Int).Add(r, mul(k, scalar(f.p.seed))), order)
	return encoded + toLittle(s), s
}

// forged is a signature whose R is r·B and a point of small order.
func forged(p person, message string, r *big.Int, small point) string {
	sig, _ := forger{p, message}.with(r, basePoint.times(r).add(small).encode())
	return sig
}

func signatureVectors() (out []vector) {
	const message = "kith"
	made := func(id, comment string, label, message string, name string) {
		s := new(secrets)
		p := s.person(name)
		sig := sign(p.seed, label+"\x00"+message)
		out = append(out, answered(vector{
			id: id, op: "rv.sign", comment: comment, secrets: s, in: o("seed", toHex(p.seed), "label", label, "message", toHex(message)),
		}, o("sig", toHex(sig)), ""))
	}
	made("rv-sign/offer", "a label, a byte 0x00 and a message", offerLabel, message, "alice")
	made("rv-sign/empty", "an empty message: the label alone is signed", offerLabel, "", "alice")
	made("rv-sign/long", "a message of more than one block", offerLabel, zeros(300), "bob")
	made("rv-sign/zero", "a message that begins with a byte 0x00", offerLabel, "\x00kith", "bob")
	made("rv-sign/other", "another label", "kith/1 other", message, "alice")

	type change func(s *secrets, p person, sig string) (label, text, changed string)
	asked := func(id, comment, twin string, c change) {
		s := new(secrets)
		p := s.person("alice")
		label, text, sig := c(s, p, sign(p.seed, offerLabel+"\x00"+message))
		rule := verify(p.key, label+"\x00"+text, sig)
		v := vector{
			id: id, op: "rv.verify", comment: comment, twin: twin, secrets: s,
			in: o("IK", toHex(p.key), "label", label, "message", toHex(text), "sig", toHex(sig)),
		}
		if rule != requirementOf(id) && rule != "" {
			v.also = []string{rule}
		}
		out = append(out, answered(v, o(), rule))
	}
	const good = "rv-verify-equation/good"
	sigOnly := func(f func(p person, sig string) string) change {
		return func(_ *secrets, p person, sig string) (string, string, string) {
			return offerLabel, message, f(p, sig)
		}
	}
	asked(good, "a signature of alice's", "", sigOnly(func(_ person, sig string) string { return sig }))
	asked("rv-verify-equation/empty", "a signature of an empty message", "", func(_ *secrets, p person, _ string) (string, string, string) {
		return offerLabel, "", sign(p.seed, offerLabel+"\x00")
	})
	asked("rv-verify-equation/any-r", "R of a number that was not made as section 5.1.6 says: nobody can see that", "",
		func(s *secrets, p person, _ string) (string, string, string) {
			r := new(big.Int).Mod(fromLittle([]byte(s.bytes("r", "r", 32))), order)
			sig, _ := forger{p, offerLabel + "\x00" + message}.with(r, basePoint.times(r).encode())
			return offerLabel, message, sig
		})

	// S, and what is the same modulo L.
	for _, n := range []int64{1, 2, 8, 14} {
		asked(fmt.Sprintf("rv-verify-s/plus-%d", n), fmt.Sprintf("S and %d·L: the same number modulo L", n), good, sigOnly(func(_ person, sig string) string {
			s := fromLittle([]byte(sig[32:]))
			return sig[:32] + toLittle(s.Add(s, mul(order, big.NewInt(n))))
		}))
	}
	asked("rv-verify-s/order", "S is L", good, sigOnly(func(_ person, sig string) string { return sig[:32] + toLittle(order) }))
	asked("rv-verify-s/ones", "S is 2^256 − 1", good, sigOnly(func(_ person, sig string) string { return sig[:32] + toLittle(sub(power(2, 256), 1)) }))
	asked("rv-verify-s/bit-255", "S with bit 255 set", good, sigOnly(func(_ person, sig string) string { return flipped(sig, 63, 0x80) }))
	asked("rv-verify-equation/s-largest", "S is L − 1: below L, and not right", good,
		sigOnly(func(_ person, sig string) string { return sig[:32] + toLittle(sub(order, 1)) }))
	asked("rv-verify-equation/s-zero", "S is 0", good, sigOnly(func(_ person, sig string) string { return sig[:32] + zeros(32) }))
	asked("rv-verify-equation/s-negative", "S is L − S: the signature of −R under −A", good, sigOnly(func(_ person, sig string) string {
		return sig[:32] + toLittle(new(big.Int).Sub(order, fromLittle([]byte(sig[32:]))))
	}))

	// R of small order, with S = k·a: right for whoever multiplies by 8; with the neutral element right for everybody.
	for i, t := range smallPoints {
		n := []int{1, 8, 4, 8, 2, 8, 4, 8}[i]
		asked(fmt.Sprintf("rv-verify-r/order-%d-%d", n, i), fmt.Sprintf("R is a point of order %d, and S is k·a", n), good, sigOnly(func(p person, _ string) string {
			sig, _ := forger{p, offerLabel + "\x00" + message}.with(big.NewInt(0), t.encode())
			return sig
		}))
	}
	for _, n := range []int64{0, 1} {
		asked(fmt.Sprintf("rv-verify-r/y-%d-sign", n), fmt.Sprintf("R has y = %d and bit 255 set, and S is k·a", n), good, sigOnly(func(p person, _ string) string {
			sig, _ := forger{p, offerLabel + "\x00" + message}.with(big.NewInt(0), toLittle(withSign(big.NewInt(n), 1)))
			return sig
		}))
		asked(fmt.Sprintf("rv-verify-equation/r-p-plus-%d", n), fmt.Sprintf("R has y = p + %d, which is not canonical, and S is k·a", n), good,
			sigOnly(func(p person, _ string) string {
				sig, _ := forger{p, offerLabel + "\x00" + message}.with(big.NewInt(0), toLittle(plusInt(prime, n)))
				return sig
			}))
	}
	asked("rv-verify-equation/r-noncanonical", "the neutral element as y = p + 1, bit 255 set", good, sigOnly(func(p person, _ string) string {
		sig, _ := forger{p, offerLabel + "\x00" + message}.with(big.NewInt(0), toLittle(withSign(plusInt(prime, 1), 1)))
		return sig
	}))

	// What is right only for whoever multiplies by 8.
	for _, i := range []int{4, 2, 1} {
		n := []int{1, 8, 4, 8, 2}[i]
		asked(fmt.Sprintf("rv-verify-equation/cofactor-%d", n), fmt.Sprintf("R is r·B and a point of order %d: right only for whoever multiplies by 8", n),
			good, func(s *secrets, p person, _ string) (string, string, string) {
				r := new(big.Int).Mod(fromLittle([]byte(s.bytes("r", "r", 32))), order)
				sig, _ := forger{p, offerLabel + "\x00" + message}.with(r, basePoint.times(r).add(smallPoints[i]).encode())
				return offerLabel, message, sig
			})
	}
	for _, c := range []struct {
		suffix, comment string
		at              int
		bit             byte
	}{
		{"r-first", "the first bit of R is another", 0, 1}, {"r-last", "the last bit of y in R is another", 31, 0x40}, {"r-sign", "bit 255 of R is another", 31, 0x80},
		{"s-first", "the first bit of S is another", 32, 1}, {"s-middle", "a bit in the middle of S is another", 48, 0x10},
	} {
		asked("rv-verify-equation/"+c.suffix, c.comment, good, sigOnly(func(_ person, sig string) string { return flipped(sig, c.at, c.bit) }))
	}
	told := func(suffix, comment, label, text string) {
		asked("rv-verify-equation/"+suffix, comment, good, func(_ *secrets, _ person, sig string) (string, string, string) { return label, text, sig })
	}
	told("message-first", "a bit of the message's first byte is another", offerLabel, flipped(message, 0, 1))
	told("message-last", "a bit of the message's last byte is another", offerLabel, flipped(message, -1, 0x80))
	told("message-short", "the message without its last byte", offerLabel, message[:3])
	told("message-long", "the message with a zero byte behind it", offerLabel, message+"\x00")
	told("label-other", "another label", "kith/1 other", message)
	told("label-case", "the label in capitals", "KITH/1 OFFER", message)
	told("label-version", "the label of another version", "kith/2 offer", message)
	asked("rv-verify-equation/label-none", "a signature of the message without its label", good, sigOnly(func(p person, _ string) string { return sign(p.seed, message) }))
	asked("rv-verify-equation/label-no-zero", "a signature of label and message without the byte 0x00 between them", good, sigOnly(func(p person, _ string) string {
		return sign(p.seed, offerLabel+message)
	}))
	asked("rv-verify-equation/hashed", "a signature of SHA-512 of label and message, as prehashing without its prefix would give", good,
		sigOnly(func(p person, _ string) string {
			return sign(p.seed, sha512sum(offerLabel+"\x00"+message))
		}))
	asked("rv-verify-equation/key-other", "bob's signature under alice's key", good, func(s *secrets, _ person, _ string) (string, string, string) {
		return offerLabel, message, sign(s.person("bob").seed, offerLabel+"\x00"+message)
	})
	return out
}
