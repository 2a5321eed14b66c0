package gen

import (
	"fmt"
	"strconv"
	"strings"
)

// A putCase is a put that reaches a node, which has already taken others.
type putCase struct {
	id, comment, twin string
	before            []item
	put               dict
	error             int    // 0: it is accepted
	reason            string // empty when it is accepted
	after             any    // an item, or nil for none: what a get of target then finds
	target            string
}

func (c putCase) vector() vector {
	// What the case states must follow from the rules; here they are applied a second time.
	store := map[string]item{}
	for _, i := range c.before {
		if code, reason := take(store, i.put()); code != 0 {
			panic(fmt.Sprintf("%s: an item before is refused: %d %s", c.id, code, reason))
		}
	}
	input := encode(c.put)
	code, reason := take(store, c.put)
	if code != c.error || reason != c.reason {
		panic(fmt.Sprintf("%s: %d %q, stated %d %q", c.id, code, reason, c.error, c.reason))
	}
	before := []string{}
	for _, i := range c.before {
		before = append(before, toHex(encode(i.put())))
	}
	v := vector{id: c.id, also: c.codes(), op: "dht.put", comment: c.comment, twin: c.twin, text: text(input), outcome: accept, reason: c.reason}
	if code != 0 {
		v.outcome = ignore
	}
	v.in = o("token", toHex(token), "before", before, "input", toHex(input), "target", toHex(c.target))
	after := any(nil)
	if i, stored := store[c.target]; stored {
		after = i.state()
		if c.after == nil || c.after.(item).public() != i {
			panic(c.id + ": another item is stored than was stated")
		}
	} else if c.after != nil {
		panic(c.id + ": nothing is stored")
	}
	if code != 0 {
		v.out = o("error", code)
	}
	v.out = append(v.out, field{"after", after})
	return v
}

// codes returns the requirements that name the error of a refused put.
func (c putCase) codes() []string {
	rule := requirementOf(c.id)
	switch {
	case c.error == 203 && (rule == "dht-put-no-value" || rule == "dht-put-canonical" || rule == "dht-put-incomplete"):
		return []string{"dht-put-203"}
	case c.error == 205 && rule == "dht-put-205":
		return []string{"dht-put-size-error"}
	case c.error == 206 && rule == "dht-put-signature":
		return []string{"dht-put-206"}
	case c.error == 207 && rule == "dht-put-salt":
		return []string{"dht-put-207"}
	case c.error == 301 && rule == "dht-put-cas":
		return []string{"dht-put-301"}
	case c.error == 302 && rule == "dht-put-seq-lower":
		return []string{"dht-put-302"}
	case c.error == 302 && rule == "dht-put-seq-same":
		return []string{"dht-put-same-302"}
	case c.error == 0 && strings.HasSuffix(c.id, "/plain"):
		return []string{"dht-put-plain"}
	}
	return nil
}

// take is what a node does with a put, in the order that spec/dht.md gives.
func take(store map[string]item, query dict) (code int, reason string) {
	if r := read(encode(query)); r.reason != "" {
		return r.error, r.reason
	}
	a, _ := query.get("a")
	args := a.(dict)
	text := func(key string) (string, bool) {
		v, _ := args.get(key)
		s, ok := v.(string)
		return s, ok
	}
	value, hasValue := args.get("v")
	handed, hasToken := text("token")
	key, hasKey := text("k")
	sig, hasSig := text("sig")
	salt, _ := text("salt")
	seq, hasSeq := integerOf(args, "seq")
	cas, hasCAS := integerOf(args, "cas")
	if !hasValue || !hasToken || hasKey != hasSig || hasKey && !hasSeq {
		return 203, malformed
	}
	i := item{v: encode(value)}
	if hasKey {
		i = item{key: key, salt: salt, seq: seq, v: i.v, sig: sig}
	}
	old, stored := store[i.target()]
	switch {
	case len(i.v) > 1000:
		return 205, limit
	case len(salt) > 64:
		return 207, limit
	case handed != token:
		return 203, authentication
	case hasKey && !i.verifies():
		return 206, authentication
	case hasKey && stored && hasCAS && cas != old.seq:
		return 301, state
	case hasKey && stored && (seq < old.seq || seq == old.seq && i != old):
		return 302, state
	}
	store[i.target()] = i
	return 0, ""
}

func integerOf(m dict, key string) (int64, bool) {
	switch v, _ := m.get(key); v := v.(type) {
	case int:
		return int64(v), true
	case integer:
		return v.n.Int64(), true
	}
	return 0, false
}

func puts() []putCase {
	hello := item{v: "12:Hello World!"}
	one, two := mutable(0, "", 1, "one"), mutable(0, "", 2, "two")
	otherOne := mutable(0, "", 1, "another")
	salted := mutable(0, "foobar", 1, "salted")
	big := item{v: encode(strings.Repeat("x", 997))}
	longSalt := mutable(0, strings.Repeat("s", 65), 1, "x")

	args := func(m dict, pairs ...any) dict {
		a, _ := m.get("a")
		changed := a.(dict)
		for i := 0; i < len(pairs); i += 2 {
			changed = changed.with(pairs[i].(string), pairs[i+1])
		}
		return m.with("a", changed)
	}
	taken := func(id, comment string, put dict, stored item, before ...item) putCase {
		return putCase{id: id, comment: comment, before: before, put: put, after: stored, target: stored.target()}
	}
	refused := func(id, comment, twin string, code int, reason string, put dict, at item, before ...item) putCase {
		c := putCase{id: id, comment: comment, twin: twin, before: before, put: put, error: code, reason: reason, target: at.target()}
		for _, i := range before {
			if i.target() == c.target {
				c.after = i
			}
		}
		return c
	}
	badSig := func(i item) string { return flip(i.sig, 300) }
	immutableOf := func(suffix, comment string, v any) putCase {
		i := item{v: encode(v)}
		return taken("dht-put-types/"+suffix, comment, i.put(), i)
	}
	longest := item{v: encode(strings.Repeat("x", 996))}
	maxSeq := mutable(1, "", 1<<63-1, "last")

	return []putCase{
		taken("dht-put-immutable/string", "BEP 44's immutable item", hello.put(), hello),
		taken("dht-put-immutable/deployed", "with the target and the seq of 0 that deployed clients send", args(hello.put(), "target", hello.target(), "seq", 0), hello),
		immutableOf("int", "an integer", 42),
		immutableOf("zero", "the integer 0", 0),
		immutableOf("empty", "the empty string", ""),
		immutableOf("list", "a list", list{"a", 1, list{}}),
		immutableOf("empty-list", "the empty list", list{}),
		immutableOf("dictionary", "a dictionary", d("a", 1, "b", list{"x"})),
		immutableOf("empty-dictionary", "the empty dictionary", d()),
		immutableOf("bytes", "bytes that are no text", "\x00\xff\xfe"),
		taken("dht-put-thousand/immutable", "1,000 bytes, bencoded", longest.put(), longest),
		taken("dht-put-mutable/plain", "a mutable item", one.put(), one),
		taken("dht-put-mutable/published", "BEP 44's mutable item", publishedItems[0].put(), publishedItems[0]),
		taken("dht-put-mutable/published-salt", "BEP 44's mutable item with a salt", publishedItems[1].put(), publishedItems[1]),
		taken("dht-put-mutable/seq-zero", "a seq of 0", mutable(1, "", 0, "zero").put(), mutable(1, "", 0, "zero")),
		taken("dht-put-mutable/seq-max", "the greatest seq", maxSeq.put(), maxSeq),
		taken("dht-put-salt/sixty-four", "the longest salt", mutable(0, strings.Repeat("s", 64), 1, "x").put(), mutable(0, strings.Repeat("s", 64), 1, "x")),
		taken("dht-put-salts/beside", "an item with a salt beside one without", salted.put(), salted, one),
		taken("dht-put-salts/kept", "the one without a salt stays as it was", salted.put(), salted, two),
		taken("dht-put-salt-empty/none", "an empty salt is none", args(one.put(), "salt", ""), one),
		taken("dht-put-seq-higher/two", "a higher seq", two.put(), two, one),
		taken("dht-put-seq-higher/jump", "a seq that leaves numbers out", mutable(0, "", 1000, "far").put(), mutable(0, "", 1000, "far"), one),
		taken("dht-put-again/mutable", "the same item again", one.put(), one, one),
		taken("dht-put-again/immutable", "the same immutable item again", hello.put(), hello, hello),
		taken("dht-put-cas-equal/one", "a cas that is the seq stored", args(two.put(), "cas", 1), two, one),
		taken("dht-put-cas-nothing/none", "a cas when nothing is stored", args(two.put(), "cas", 1), two),

		refused("dht-put-no-value/immutable", "no v", "dht-put-immutable/string", 203, malformed, args(hello.put(), "v", nil), hello),
		refused("dht-put-no-value/mutable", "a mutable item without v", "dht-put-mutable/plain", 203, malformed, args(one.put(), "v", nil), one),
		refused("dht-put-canonical/int", "a value with a leading zero", "dht-put-types/int", 203, malformed, args(hello.put(), "v", spelt("i042e")), item{v: "i042e"}),
		refused("dht-put-canonical/order", "a value with unsorted keys", "dht-put-types/dictionary", 203, malformed, args(hello.put(), "v", spelt("d1:bi1e1:ai1ee")), item{v: "d1:bi1e1:ai1ee"}),
		refused("dht-put-incomplete/seq", "a mutable item without seq", "dht-put-mutable/plain", 203, malformed, args(one.put(), "seq", nil), one),
		refused("dht-put-incomplete/sig", "a mutable item without sig", "dht-put-mutable/plain", 203, malformed, args(one.put(), "sig", nil), one),
		refused("dht-put-incomplete/k", "a mutable item without k: its value is not to be stored as an immutable one", "dht-put-mutable/plain", 203, malformed, args(one.put(), "k", nil), item{v: one.v}),
		refused("dht-put-incomplete/k-short", "a k of 31 bytes", "dht-put-mutable/plain", 203, malformed, args(one.put(), "k", one.key[:31]), one),
		refused("dht-put-incomplete/sig-short", "a sig of 63 bytes", "dht-put-mutable/plain", 203, malformed, args(one.put(), "sig", one.sig[:63]), one),
		refused("dht-put-205/immutable", "1,001 bytes, bencoded", "dht-put-thousand/immutable", 205, limit, big.put(), big),
		refused("dht-put-205/mutable", "1,001 bytes, signed", "dht-put-mutable/plain", 205, limit, mutable(0, "", 1, strings.Repeat("x", 997)).put(), mutable(0, "", 1, strings.Repeat("x", 997))),
		refused("dht-put-salt/sixty-five", "a salt of 65 bytes, signed", "dht-put-salt/sixty-four", 207, limit, longSalt.put(), longSalt),
		refused("dht-put-token/missing", "no token", "dht-put-immutable/string", 203, malformed, args(hello.put(), "token", nil), hello),
		refused("dht-put-token/other", "a token that was not handed out", "dht-put-immutable/string", 203, authentication, args(hello.put(), "token", "htnsueoa"), hello),
		refused("dht-put-token/short", "the token without its last byte", "dht-put-immutable/string", 203, authentication, args(hello.put(), "token", token[:7]), hello),
		refused("dht-put-token/long", "the token with a byte behind it", "dht-put-immutable/string", 203, authentication, args(hello.put(), "token", token+"x"), hello),
		refused("dht-put-token/empty", "an empty token", "dht-put-immutable/string", 203, authentication, args(hello.put(), "token", ""), hello),
		refused("dht-put-signature/bit", "a signature with one bit turned", "dht-put-mutable/plain", 206, authentication, args(one.put(), "sig", badSig(one)), one),
		refused("dht-put-signature/seq", "a seq that was not signed", "dht-put-mutable/plain", 206, authentication, args(one.put(), "seq", 2), one),
		refused("dht-put-signature/salt", "a salt that was not signed", "dht-put-mutable/plain", 206, authentication, args(one.put(), "salt", "foobar"), salted),
		refused("dht-put-signature/stored", "a forged higher seq does not replace", "dht-put-seq-higher/two", 206, authentication, args(two.put(), "sig", one.sig), one, one),
		refused("dht-put-cas/other", "a cas that is not the seq stored", "dht-put-cas-equal/one", 301, state, args(two.put(), "cas", 0), one, one),
		refused("dht-put-cas/higher", "a cas that is the new seq", "dht-put-cas-equal/one", 301, state, args(two.put(), "cas", 2), one, one),
		refused("dht-put-seq-lower/one", "a lower seq", "dht-put-seq-higher/two", 302, state, one.put(), two, two),
		refused("dht-put-seq-same/value", "another value with the same seq", "dht-put-again/mutable", 302, state, otherOne.put(), one, one),

		refused("dht-put-order/205-207", "a value and a salt that are too long: 205", "dht-put-mutable/plain", 205, limit,
			mutable(0, strings.Repeat("s", 65), 1, strings.Repeat("x", 997)).put(), mutable(0, strings.Repeat("s", 65), 1, strings.Repeat("x", 997))),
		refused("dht-put-order/207-token", "a salt that is too long and a bad token: 207", "dht-put-mutable/plain", 207, limit, args(longSalt.put(), "token", "htnsueoa"), longSalt),
		refused("dht-put-order/205-token", "a value that is too long and a bad token: 205", "dht-put-mutable/plain", 205, limit, args(big.put(), "token", "htnsueoa"), big),
		refused("dht-put-order/token-206", "a bad token and a bad signature: 203", "dht-put-mutable/plain", 203, authentication, args(one.put(), "token", "htnsueoa", "sig", badSig(one)), one),
		refused("dht-put-order/206-301", "a bad signature and another cas: 206", "dht-put-cas-equal/one", 206, authentication, args(two.put(), "cas", 0, "sig", badSig(two)), one, one),
		refused("dht-put-order/206-302", "a bad signature and a lower seq: 206", "dht-put-seq-higher/two", 206, authentication, args(one.put(), "sig", badSig(one)), two, two),
		refused("dht-put-order/301-302", "another cas and a lower seq: 301", "dht-put-cas-equal/one", 301, state, args(one.put(), "cas", 1), two, two),
	}
}

// A getCase is a get that reaches a node with items.
type getCase struct {
	id, comment string
	before      []item
	query       dict
	item        object // what of an item stands in the reply
}

func (c getCase) vector() vector {
	input := encode(c.query)
	if read(input).reason != "" {
		panic(c.id + ": not a message")
	}
	if want := found(c.before, c.query); fmt.Sprint(want) != fmt.Sprint(c.item) {
		panic(fmt.Sprintf("%s: %v is found, %v was stated", c.id, want, c.item))
	}
	before := []string{}
	for _, i := range c.before {
		before = append(before, toHex(encode(i.put())))
	}
	in := o("before", before, "input", toHex(input))
	if len(before) > 0 {
		in = append(o("token", toHex(token)), in...)
	}
	return vector{id: c.id, op: "dht.get", comment: c.comment, text: text(input), in: in, outcome: accept, out: o("item", c.item)}
}

// found is what of the items under a get's target stands in its reply.
func found(before []item, query dict) object {
	a, _ := query.get("a")
	args := a.(dict)
	target, _ := args.get("target")
	seq, hasSeq := integerOf(args, "seq")
	for _, i := range before {
		switch {
		case i.target() != target:
		case i.key != "" && hasSeq && seq >= i.seq:
			return object{{"seq", strconv.FormatInt(i.seq, 10)}}
		default:
			return i.state()
		}
	}
	return object{}
}

func gets() []getCase {
	hello, five := item{v: "12:Hello World!"}, mutable(0, "", 5, "five")
	salted := mutable(0, "foobar", 1, "salted")
	get := func(target string, pairs ...any) dict {
		return query("get", append(d("target", target), d(pairs...)...))
	}
	return []getCase{
		{"dht-get-immutable/string", "an immutable item", []item{hello}, get(hello.target()), hello.state()},
		{"dht-get-mutable/plain", "a mutable item", []item{five}, get(five.target()), five.state()},
		{"dht-get-mutable/salt", "a mutable item with a salt, beside one without", []item{five, salted}, get(salted.target()), salted.state()},
		{"dht-get-nothing/empty", "nothing was put", nil, get(hello.target()), object{}},
		{"dht-get-nothing/other", "something else was put", []item{five, hello}, get(salted.target()), object{}},
		{"dht-get-seq/equal", "the asker has it already: seq alone", []item{five}, get(five.target(), "seq", 5), object{{"seq", "5"}}},
		{"dht-get-seq/higher", "the asker has a newer one: seq alone", []item{five}, get(five.target(), "seq", 6), object{{"seq", "5"}}},
		{"dht-get-seq-newer/lower", "the asker has an older one", []item{five}, get(five.target(), "seq", 4), five.state()},
		{"dht-get-seq-newer/zero", "the asker has seq 0", []item{five}, get(five.target(), "seq", 0), five.state()},
		{"dht-get-seq-immutable/any", "a seq means nothing for an immutable item", []item{hello}, get(hello.target(), "seq", 5), hello.state()},
	}
}
