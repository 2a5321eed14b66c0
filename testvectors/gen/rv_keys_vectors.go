package gen

import (
	"fmt"
	"math/big"
	"strconv"
)

func identityVectors() (out []vector) {
	identity := func(id, comment, source string, s *secrets, seed string) {
		p := personOf(seed)
		for prefix, b := range map[string]string{addressPrefix: p.key, secretPrefix: seed} {
			text := addressOf(p.key)
			if prefix == secretPrefix {
				text = secretOf(seed)
			}
			if got, rule := readText(prefix, text); rule != "" || got != b {
				panic(id + ": its texts do not say what it is")
			}
		}
		out = append(out, answered(vector{
			id: id, also: others(id, "rv-identity-key", "rv-identity-x25519", "rv-address-write", "rv-secret-write"), op: "rv.identity", comment: comment,
			source: source, secrets: s,
			in: o("seed", toHex(seed)),
		}, o("IK", toHex(p.key), "x_private", toHex(p.private), "x_public", toHex(p.public), "address", addressOf(p.key), "secret", secretOf(seed)), ""))
	}
	for i, published := range []string{
		"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
		"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
		"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
	} {
		agree("RFC 8032", ed25519Public(seeds[i]), fromHex(published))
		identity("rv-identity-key/published-"+strconv.Itoa(i+1), "the secret key of test "+strconv.Itoa(i+1), "RFC 8032", nil, seeds[i])
	}
	for _, name := range []string{"alice", "bob", "carol"} {
		s := new(secrets)
		identity("rv-identity-key/"+name, "the identity of "+name, "", s, s.bytes(name, name, 32))
	}
	for _, other := range [][2]string{{"dave", "rv-identity-x25519/dave"}, {"erin", "rv-secret-write/erin"}} {
		s := new(secrets)
		identity(other[1], "the identity of "+other[0], "", s, s.bytes(other[0], other[0], 32))
	}
	identity("rv-identity-key/zeros", "a seed of zeros is a seed like any other", "", nil, zeros(32))
	return out
}

// badKeys are the keys that are refused as a contact, whoever it is that has them; good is a key that is not.
type badKey struct{ rule, suffix, comment, key string }

func badKeys(good string) []badKey {
	return once("bad keys", good, func() []badKey { return badKeysSlow(good) })
}

func badKeysSlow(good string) (all []badKey) {
	add := func(rule, suffix, comment, key string) {
		all = append(all, badKey{"rv-contact-" + rule, suffix, comment, key})
	}
	sign := func(y *big.Int) string { return toLittle(withSign(y, 1)) }
	for i := range int64(19) {
		add("canonical", "p-plus-"+strconv.FormatInt(i, 10), fmt.Sprintf("y is p + %d", i), toLittle(plusInt(prime, i)))
	}
	for _, i := range []int64{0, 1, 18} {
		add("canonical", fmt.Sprintf("p-plus-%d-sign", i), fmt.Sprintf("y is p + %d, and bit 255 is set", i), sign(plusInt(prime, i)))
	}
	for y, n := int64(2), 0; n < 2; y++ {
		if _, ok := decodePoint(toLittle(big.NewInt(y))); !ok {
			n++
			add("curve", "y-"+strconv.FormatInt(y, 10), fmt.Sprintf("there is no point with y = %d", y), toLittle(big.NewInt(y)))
			add("curve", fmt.Sprintf("y-%d-sign", y), fmt.Sprintf("there is no point with y = %d, whichever the sign", y), sign(big.NewInt(y)))
		}
	}
	for i := 1; ; i++ { // the nearest key above that is none
		changed := flipped(good, 0, byte(i))
		if _, ok := decodePoint(changed); !ok {
			add("curve", "changed", "a friend's key with its first byte changed", changed)
			break
		}
	}
	add("curve", "x-zero-neutral", "the neutral element: x is 0 and bit 255 set", sign(big.NewInt(1)))
	add("curve", "x-zero-order-2", "the point of order 2: x is 0 and bit 255 set", sign(minus1))
	a, _ := decodePoint(good)
	for i, t := range smallPoints {
		n := []int{1, 8, 4, 8, 2, 8, 4, 8}[i]
		add("small", fmt.Sprintf("order-%d-%d", n, i), fmt.Sprintf("a point of order %d", n), t.encode())
		if i > 0 {
			add("subgroup", fmt.Sprintf("order-%d-%d", n, i), fmt.Sprintf("a friend's key and a point of order %d added to it", n), a.add(t).encode())
		}
	}
	return all
}

func contactVectors() (out []vector) {
	ask := func(id, comment, twin string, friend func(alice, bob person) string) {
		s := new(secrets)
		alice, bob := s.person("alice"), s.person("bob")
		key := friend(alice, bob)
		public, rule := contact(alice.key, key)
		out = append(out, answered(vector{
			id: id, op: "rv.contact", comment: comment, twin: twin, secrets: s, in: o("own", toHex(alice.key), "friend", toHex(key)),
		}, o("x_public", toHex(public)), rule))
	}
	const good = "rv-contact-length/bob"
	ask(good, "alice takes bob as a contact", "", func(_, bob person) string { return bob.key })
	ask("rv-contact-self/negative", "the negative of one's own key: the same X25519 form, and somebody else", "", func(alice, _ person) string {
		return flipped(alice.key, 31, 0x80)
	})
	ask("rv-contact-small/base", "the base point: y is 4/5", "", func(_, _ person) string { return basePoint.encode() })
	ask("rv-contact-subgroup/eight", "eight times the base point", "", func(_, _ person) string { return basePoint.times(big.NewInt(8)).encode() })
	largest := sub(prime, 1)
	for ; ; largest = sub(largest, 1) {
		if _, rule := contact("", toLittle(largest)); rule == "" {
			break
		}
	}
	ask("rv-contact-canonical/largest", "the largest y that a contact can have", "", func(_, _ person) string { return toLittle(largest) })
	for _, n := range []int{0, 31, 33, 64} {
		ask(fmt.Sprintf("rv-contact-length/%d", n), fmt.Sprintf("%d bytes", n), good, func(_, bob person) string { return (bob.key + bob.key)[:n] })
	}
	for i, bad := range badKeys(new(secrets).person("bob").key) {
		ask(bad.rule+"/"+bad.suffix, bad.comment, good, func(_, bob person) string { return badKeys(bob.key)[i].key })
	}
	ask("rv-contact-self/self", "one's own key", good, func(alice, _ person) string { return alice.key })
	return out
}

func x25519Vectors() (out []vector) {
	ask := func(id, comment, source, twin string, s *secrets, private, public, want string) {
		shared, rule := agreement(private, public)
		if want != "" {
			agree(id, shared, fromHex(want))
		}
		out = append(out, answered(vector{
			id: id, op: "rv.x25519", comment: comment, source: source, twin: twin, secrets: s, in: o("private", toHex(private), "public", toHex(public)),
		}, o("shared", toHex(shared)), rule))
	}
	ask("rv-x25519-canonical/published", "the first vector of section 5.2", "RFC 7748", "", nil,
		fromHex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
		fromHex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
		"c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552")
	ask("rv-x25519-canonical/agreement", "alice's private key and bob's public key of section 6.1", "RFC 7748", "", nil,
		fromHex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"),
		fromHex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"),
		"4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
	with := func(id, comment, twin string, public func(bob person) string) {
		s := new(secrets)
		alice, bob := s.person("alice"), s.person("bob")
		ask(id, comment, "", twin, s, alice.private, public(bob), "")
	}
	const good = "rv-x25519-canonical/bob"
	with(good, "alice's private key and bob's public key", "", func(bob person) string { return bob.public })
	twist := big.NewInt(2)
	for ; onCurve(twist); twist = plusInt(twist, 1) {
	}
	number := func(n *big.Int) func(person) string { return func(person) string { return toLittle(n) } }
	with("rv-x25519-canonical/twist", "u of no point of the curve, but of its twist: taken like any other", "", number(twist))
	with("rv-x25519-canonical/largest", "u = p − 2, the largest that does not have small order", "", number(sub(prime, 2)))
	for _, k := range rtNextToP() {
		with("rv-x25519-canonical/"+k.name, "u is "+k.comment, "", func(person) string { return k.key })
	}
	for _, bits := range []int64{64, 120, 184, 192} {
		n := new(big.Int).Sub(plusInt(prime, 18), power(2, bits))
		with(fmt.Sprintf("rv-x25519-canonical/ones-less-%d", bits), fmt.Sprintf("u is 2^255 − 1 − 2^%d: only one byte is below p's", bits), "", number(n))
	}
	with("rv-x25519-canonical/nine", "u = 9, the base point", "", number(big.NewInt(9)))
	for _, i := range []int64{0, 1, 2, 9, 17, 18} {
		with(fmt.Sprintf("rv-x25519-canonical/p-plus-%d", i), fmt.Sprintf("u is p + %d", i), good, number(plusInt(prime, i)))
	}
	with("rv-x25519-canonical/bit-255", "bob's public key with bit 255 set", good, func(bob person) string { return flipped(bob.public, 31, 0x80) })
	with("rv-x25519-canonical/nine-bit-255", "u = 9 with bit 255 set", "rv-x25519-canonical/nine", number(withSign(big.NewInt(9), 1)))
	with("rv-x25519-canonical/ones", "2^256 − 1", good, number(sub(power(2, 256), 1)))
	for _, u := range smallUs() {
		with("rv-x25519-zero/"+u.suffix, u.comment, good, func(person) string { return u.u })
	}
	return out
}

// onCurve reports whether curve25519, and not its twist, has a point with this u.
func onCurve(u *big.Int) bool {
	_, ok := root(plus(times(u, times(u, u)), plus(times(big.NewInt(486662), times(u, u)), u)))
	return ok
}

type smallU struct{ suffix, comment, u string }

// smallUs are the canonical u of small order: with each of them the result is zero.
func smallUs() (all []smallU) {
	add := func(suffix, comment, u string) {
		if !below(u, prime) || ladder(zeros(31)+"\x01", u) != zeros(32) {
			panic("a u of another order")
		}
		all = append(all, smallU{suffix, comment, u})
	}
	add("0", "u = 0, of order 2", zeros(32))
	add("1", "u = 1, of order 4", "\x01"+zeros(31))
	add("minus-1", "u = p − 1, of order 4 on the twist", toLittle(minus1))
	for i := range 2 {
		add(fmt.Sprintf("order-8-%d", i), "a u of order 8", smallPoints[2*i+1].montgomery())
	}
	return all
}
