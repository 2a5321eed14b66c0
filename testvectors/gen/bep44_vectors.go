package gen

import (
	"strconv"
	"strings"
)

// token is what the node under test has handed to the address that sends the put. Where a node's is another, the other goes
// into its place.
const token = "aoeusnth"

func bep44Vectors() []vector {
	var out []vector
	out = append(out, targets()...)
	out = append(out, signatures()...)
	for _, c := range puts() {
		out = append(out, c.vector())
	}
	for _, c := range gets() {
		out = append(out, c.vector())
	}
	return append(out, getReplies()...)
}

func targets() []vector {
	immutable := func(id, comment, source, v, want string) vector {
		i := item{v: v}
		if want != "" && i.target() != fromHex(want) {
			panic(id + ": not the published target")
		}
		return vector{id: id, op: "wire.target-immutable", comment: comment, source: source, in: o("v", toHex(v)),
			outcome: accept, out: o("target", toHex(i.target()))}
	}
	of := func(id, comment, source, key, salt, want string) vector {
		i := item{key: key, salt: salt}
		if want != "" && i.target() != fromHex(want) {
			panic(id + ": not the published target")
		}
		return vector{id: id, op: "wire.target-mutable", comment: comment, source: source, in: o("k", toHex(key), "salt", toHex(salt)),
			outcome: accept, out: o("target", toHex(i.target()))}
	}
	bep46 := fromHex("8543d3e6115f0f98c944077a4493dcd543e49c739fd998550a1f614ab36ed63e")
	return []vector{
		immutable("wire-target-immutable/published", "test vector 3", "BEP 44", "12:Hello World!", "e5f96f6f38320f0f33959cb4d3d656452117aadb"),
		immutable("wire-target-immutable/int", "an integer", "", "i0e", ""),
		immutable("wire-target-immutable/dictionary", "a dictionary", "", encode(d("a", 1, "b", list{"x"})), ""),
		immutable("wire-target-immutable/empty", "the empty string: its length and colon are hashed too", "", "0:", ""),
		of("wire-target-mutable/published", "test vector 1", "BEP 44", publishedItems[0].key, "", "4a533d47ec9c7d95b1ad75f576cffc641853b750"),
		of("wire-target-mutable/published-salt", "test vector 2", "BEP 44", publishedItems[1].key, "foobar", "411eba73b6f087ca51a3795d9c8c938d365e32c1"),
		of("wire-target-mutable/bep46", "a key alone", "BEP 46", bep46, "", "cc3f9d90b572172053626f9980ce261a850d050b"),
		of("wire-target-mutable/bep46-salt", "a key and a salt of one byte", "BEP 46", bep46, "n", "59ee7c2cb9b4f7eb1986ee2d18fd2fdb8a56554f"),
		of("wire-target-mutable/salt-64", "the longest salt", "", mutable(0, "", 0, "").key, strings.Repeat("s", 64), ""),
	}
}

func signatures() []vector {
	in := func(i item) object {
		all := o("k", toHex(i.key), "salt", toHex(i.salt), "seq", strconv.FormatInt(i.seq, 10), "v", toHex(i.v), "sig", toHex(i.sig))
		if i.seed != "" {
			all = append(all, field{"seed", toHex(i.seed)})
		}
		return all
	}
	out := func(i item) object { return o("signed", toHex(i.signed()), "target", toHex(i.target())) }
	good := func(id, comment, source string, i item) vector {
		if !i.verifies() {
			panic(id + ": does not verify")
		}
		v := vector{id: id, op: "dht.item", comment: comment, source: source, text: text(i.signed()), in: in(i), outcome: accept, out: out(i)}
		if i.seed != "" {
			v.out = append(v.out, field{"sig", toHex(i.sig)})
		}
		return v
	}
	const rule = "wire-item-signed/"
	// A forged item shows no seed: who holds one cannot make it by signing.
	forged := func(id, comment, twin string, lax bool, i item) vector {
		if i.verifies() != lax {
			panic(id + ": not what it says")
		}
		i.seed = ""
		return vector{id: id, op: "dht.item", comment: comment, twin: twin, text: text(i.signed()), in: in(i), outcome: ignore, reason: authentication, out: out(i)}
	}
	plain, salted := mutable(0, "", 1, "Hello World!"), mutable(0, "foobar", 1, "Hello World!")
	with := func(i item, change func(*item)) item { change(&i); return i }
	all := []vector{
		good(rule+"published", "test vector 1", "BEP 44", publishedItems[0]),
		good(rule+"published-salt", "test vector 2", "BEP 44", publishedItems[1]),
		good(rule+"plain", "an item of RFC 8032's key 1", "", plain),
		good(rule+"salt", "the same with a salt", "", salted),
		good(rule+"salt-one", "the shortest salt that is signed", "", mutable(0, "n", 1, "x")),
		good(rule+"salt-binary", "a salt is bytes: this one holds what looks like bencode", "", mutable(0, "3:seqi2e\x00\xff", 1, "x")),
		good(rule+"salt-64", "the longest salt", "", mutable(0, strings.Repeat("s", 64), 1, "x")),
		good(rule+"seq-zero", "seq 0", "", mutable(1, "", 0, "x")),
		good(rule+"seq-max", "the greatest seq", "", mutable(1, "", 1<<63-1, "x")),
		good(rule+"int", "the value is an integer", "", mutable(2, "", 7, -42)),
		good(rule+"list", "the value is a list", "", mutable(2, "", 7, list{"a", 1, list{}})),
		good(rule+"dictionary", "the value is a dictionary", "", mutable(2, "", 7, d("b", 2, "a", 1))),
		good(rule+"empty", "the value is the empty string", "", mutable(2, "", 7, "")),
		good(rule+"thousand", "the longest value, 1,000 bytes bencoded", "", mutable(2, "", 7, strings.Repeat("x", 996))),

		forged(rule+"r-bit", "one bit of R turned", rule+"plain", false, with(plain, func(i *item) { i.sig = flip(i.sig, 0) })),
		forged(rule+"s-bit", "one bit of S turned", rule+"plain", false, with(plain, func(i *item) { i.sig = flip(i.sig, 256) })),
		forged(rule+"value", "another value", rule+"plain", false, with(plain, func(i *item) { i.v = "12:Hello World?" })),
		forged(rule+"seq", "another seq", rule+"plain", false, with(plain, func(i *item) { i.seq = 2 })),
		forged(rule+"key", "another key", rule+"plain", false, with(plain, func(i *item) { i.key = mutable(1, "", 1, "").key })),
		forged(rule+"salt-added", "a salt that was not signed", rule+"salt", false, with(plain, func(i *item) { i.salt = "foobar" })),
		forged(rule+"salt-gone", "a signed salt that is left out", rule+"plain", false, with(salted, func(i *item) { i.salt = "" })),
		forged(rule+"salt-other", "another salt", rule+"salt", false, with(salted, func(i *item) { i.salt = "foobaz" })),
		forged(rule+"zeros", "a signature of zeros", rule+"plain", false, with(plain, func(i *item) { i.sig = strings.Repeat("\x00", 64) })),
	}
	const points = "dht-item-ed25519/"
	zeros := strings.Repeat("\x00", 31)
	ones := strings.Repeat("\xff", 30)
	all = append(all,
		forged(points+"s-plus-l", "S + L in place of S", rule+"plain", false, highS(plain)),
		forged(points+"r-neutral", "R is the neutral element, and the equation holds", rule+"plain", true, smallR(plain)),
	)
	for _, k := range []struct{ suffix, comment, key string }{
		{"k-order-1", "k is the neutral element", "\x01" + zeros},
		{"k-order-2", "k has order 2", "\xec" + ones + "\x7f"},
		{"k-order-4", "k has order 4: all zeros", "\x00" + zeros},
		{"k-order-4-negative", "k has order 4, the other point", zeros + "\x80"},
		{"k-order-8", "k has order 8", fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")},
		{"k-order-8-negative", "k has order 8, the negative point", fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85")},
		{"k-order-8-other", "k has order 8, a third point", fromHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")},
		{"k-order-8-last", "k has order 8, the fourth point", fromHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa")},
		{"k-neutral-p", "k is the neutral element, written as p + 1", "\xee" + ones + "\x7f"},
		{"k-order-4-p", "k has order 4, written as p", "\xed" + ones + "\x7f"},
		{"k-neutral-sign", "k is the neutral element with the sign of an x that is 0", "\x01" + zeros[1:] + "\x80"},
		{"k-order-2-sign", "k has order 2, with the sign of an x that is 0", "\xec" + ones + "\xff"},
	} {
		all = append(all, forged(points+k.suffix, k.comment+"; the equation holds", rule+"plain", true, smallKey(k.key)))
	}
	return all
}

// getReplies are answers to a get, as a look-up receives them.
func getReplies() []vector {
	const rule = "dht-lookup-verify/"
	make := func(id, comment, twin string, target, salt string, values dict) vector {
		b := encode(reply(values.with("token", token)))
		if read(b).reason != "" {
			panic(id + ": not a message")
		}
		v := vector{id: id, op: "dht.get-reply", comment: comment, twin: twin, text: text(b),
			in: o("target", toHex(target)), outcome: accept}
		if _, signed := values.get("k"); signed {
			v.in = append(v.in, field{"salt", toHex(salt)})
		}
		v.in = append(v.in, field{"input", toHex(b)})
		i, counts := answers(target, salt, values)
		if counts != (twin == "") {
			panic(id + ": not as stated")
		}
		if counts {
			v.out = o("item", i.state())
		} else {
			v.outcome, v.reason = ignore, authentication
		}
		return v
	}
	immutable, plain, salted := item{v: "12:Hello World!"}, mutable(0, "", 1, "Hello World!"), mutable(0, "foobar", 1, "Hello World!")
	whole := func(i item) dict { return d("k", i.key, "seq", integer{num(i.seq).n}, "sig", i.sig, "v", spelt(i.v)) }
	other := mutable(1, "", 1, "Hello World!")
	return []vector{
		make(rule+"immutable", "an immutable value under its target", "", immutable.target(), "", d("v", "Hello World!")),
		make(rule+"immutable-seq", "a seq beside an immutable value means nothing", "", immutable.target(), "", d("v", "Hello World!", "seq", 0)),
		make(rule+"mutable", "a mutable item under the target of its key", "", plain.target(), "", whole(plain)),
		make(rule+"salt", "a mutable item under the target of its key and salt", "", salted.target(), "foobar", whole(salted)),
		make(rule+"immutable-other", "a value under another target", rule+"immutable", immutable.target(), "", d("v", "Hello World?")),
		make(rule+"immutable-case", "a value that differs in one bit", rule+"immutable", immutable.target(), "", d("v", "hello World!")),
		make(rule+"mutable-key", "a well signed item of another key", rule+"mutable", plain.target(), "", whole(other)),
		make(rule+"mutable-signature", "a signature with one bit turned", rule+"mutable", plain.target(), "", whole(plain).with("sig", flip(plain.sig, 9))),
		make(rule+"mutable-seq", "a seq that was not signed", rule+"mutable", plain.target(), "", whole(plain).with("seq", 2)),
		make(rule+"mutable-unsigned", "a value without a signature under a mutable target", rule+"mutable", plain.target(), "", d("v", "Hello World!")),
		make(rule+"mutable-no-seq", "an item without its seq", rule+"mutable", plain.target(), "", whole(plain).with("seq", nil)),
		make(rule+"mutable-no-sig", "an item without its signature", rule+"mutable", plain.target(), "", whole(plain).with("sig", nil)),
		make(rule+"salt-missing", "an item signed without the salt that was asked for", rule+"salt", salted.target(), "foobar", whole(plain)),
		make(rule+"salt-swapped", "an item signed with a salt under the target of none", rule+"mutable", plain.target(), "", whole(salted)),
	}
}

// answers returns the item of the target that return values hold, and whether they hold one.
func answers(target, salt string, values dict) (item, bool) {
	v, _ := values.get("v")
	immutable := item{v: encode(v)}
	if immutable.target() == target {
		return immutable, true
	}
	key, _ := values.get("k")
	sig, _ := values.get("sig")
	seq, ok := integerOf(values, "seq")
	if key == nil || sig == nil || !ok {
		return item{}, false
	}
	i := item{key: key.(string), salt: salt, seq: seq, v: immutable.v, sig: sig.(string)}
	return i, i.target() == target && i.verifies()
}
