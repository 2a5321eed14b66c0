package gen

import (
	"fmt"
	"strings"
)

func bencodeVectors() []vector {
	nest := func(n int) string { return strings.Repeat("l", n) + strings.Repeat("e", n) }
	nestDicts := func(n int) string { return strings.Repeat("d1:k", n-1) + "de" + strings.Repeat("e", n-1) }

	taken := func(id, comment, input string) vector { return bencodeVector(id, comment, "", input, "") }
	refused := func(id, comment, twin, input string) vector {
		return bencodeVector(id, comment, twin, input, malformed)
	}
	deep := func(id, comment, twin, input string) vector { return bencodeVector(id, comment, twin, input, limit) }

	return []vector{
		taken("wire-int-form/zero", "zero", "i0e"),
		taken("wire-int-form/positive", "a positive integer", "i42e"),
		taken("wire-int-form/negative", "a negative integer", "i-1e"),
		taken("wire-int-form/inner-zero", "a zero that does not lead", "i100e"),
		taken("wire-int-form/max", "2^63 - 1", "i9223372036854775807e"),
		taken("wire-int-form/min", "-2^63", "i-9223372036854775808e"),
		taken("wire-length-form/empty", "the empty string", "0:"),
		taken("wire-length-form/one-digit", "a string", "4:spam"),
		taken("wire-length-form/two-digits", "a length of two digits", "10:0123456789"),
		taken("wire-length-form/nine", "the longest string with a length of one digit", "9:"+strings.Repeat("x", 9)),
		taken("wire-length-form/ninety-nine", "the longest with two digits", "99:"+strings.Repeat("x", 99)),
		taken("wire-length-form/hundred", "the shortest with three digits", "100:"+strings.Repeat("x", 100)),
		taken("wire-length-form/999", "the longest with three digits", "999:"+strings.Repeat("x", 999)),
		taken("wire-length-form/thousand", "the shortest with four digits", "1000:"+strings.Repeat("x", 1000)),
		taken("wire-length-form/binary", "a string is bytes, not text, and may hold what looks like bencode", "8:\x00\xffi1e4:\x80"),
		taken("wire-key-order/none", "the empty dictionary", "de"),
		taken("wire-key-order/two", "two keys in order", "d3:cow3:moo4:spam4:eggse"),
		taken("wire-key-order/prefix", "a key that begins another stands before it", "d1:ai1e2:aai2ee"),
		taken("wire-key-order/length", "keys are compared by their bytes, not by their lengths", "d2:aai1e1:bi2ee"),
		taken("wire-key-order/unsigned", "bytes are compared as unsigned numbers", "d1:\x7fi1e1:\x80i2ee"),
		taken("wire-key-order/empty-key", "a key may be empty, and is then the first", "d0:i1e1:ai2ee"),
		taken("wire-key-order/case", "capital letters stand before small ones", "d1:Bi1e1:ai2ee"),
		taken("wire-one-value/empty-list", "the empty list", "le"),
		taken("wire-one-value/list", "a list of each kind", "li1e4:spamle"+"dee"),
		taken("wire-one-value/nested", "a dictionary in a list in a dictionary", "d4:listld3:keyi-5eeee"),
		taken("wire-depth/sixteen-lists", "16 lists inside one another", nest(16)),
		taken("wire-depth/sixteen-dictionaries", "16 dictionaries inside one another", nestDicts(16)),
		taken("wire-depth/beside", "depth is counted along one branch: twenty lists beside one another", "l"+strings.Repeat("le", 20)+"e"),
		taken("wire-depth/leaf", "a value inside 16 lists", strings.Repeat("l", 16)+"i1e"+strings.Repeat("e", 16)),

		refused("wire-truncated/nothing", "no bytes at all", "wire-length-form/empty", ""),
		refused("wire-truncated/int", "an integer without its e", "wire-int-form/positive", "i42"),
		refused("wire-truncated/int-first", "an integer of one byte", "wire-int-form/positive", "i"),
		refused("wire-truncated/int-minus", "an integer that ends with its sign", "wire-int-form/negative", "i-"),
		refused("wire-truncated/string", "a string one byte short", "wire-length-form/one-digit", "4:spa"),
		refused("wire-truncated/string-empty", "a string without its bytes", "wire-length-form/one-digit", "4:"),
		refused("wire-truncated/length", "a length without its colon", "wire-length-form/one-digit", "4"),
		refused("wire-truncated/length-zero", "the length of the empty string without its colon", "wire-length-form/empty", "0"),
		refused("wire-truncated/length-31-bits", "a length of 2^31: whoever allocates first loses", "wire-length-form/one-digit", "2147483648:a"),
		refused("wire-truncated/length-64-bits", "a length of 2^64 + 1, which is 1 when cut to 64 bits", "wire-length-form/one-digit", "18446744073709551617:a"),
		refused("wire-truncated/length-long", "a length of 100 digits", "wire-length-form/one-digit", strings.Repeat("9", 100)+":a"),
		refused("wire-truncated/list", "a list without its e", "wire-one-value/empty-list", "l"),
		refused("wire-truncated/list-entry", "a list that ends behind an entry", "wire-one-value/list", "li1e"),
		refused("wire-truncated/dictionary", "a dictionary without its e", "wire-key-order/none", "d"),
		refused("wire-truncated/dictionary-key", "a dictionary that ends behind a key", "wire-key-order/prefix", "d1:a"),
		refused("wire-truncated/dictionary-value", "a dictionary that ends behind a value", "wire-key-order/prefix", "d1:ai1e"),
		refused("wire-truncated/key-alone", "a key without a value", "wire-key-order/prefix", "d1:ae"),
		refused("wire-truncated/list-int", "a list that ends inside an integer", "wire-one-value/list", "li5"),
		refused("wire-truncated/list-digit", "a list that ends behind the first digit of a length", "wire-one-value/list", "l1"),
		refused("wire-truncated/list-length", "a list that ends inside a length", "wire-one-value/list", "l12"),
		refused("wire-truncated/list-string", "a string in a list that says more than is left", "wire-one-value/list", "l99999:e"),
		refused("wire-truncated/outer", "the inner list has its e, the outer has not", "wire-one-value/nested", "lle"),

		refused("wire-no-value/letter", "a byte that begins no value", "wire-int-form/zero", "x"),
		refused("wire-no-value/end", "an e with nothing to end", "wire-one-value/empty-list", "e"),
		refused("wire-no-value/colon", "a string without its length", "wire-length-form/empty", ":"),
		refused("wire-no-value/space", "a space before a value", "wire-int-form/zero", " i0e"),
		refused("wire-no-value/inside", "a byte that begins no value, inside a list", "wire-one-value/list", "li1exe"),

		refused("wire-int-refused/zero", "a leading zero", "wire-int-form/inner-zero", "i03e"),
		refused("wire-int-refused/zeros", "two zeros", "wire-int-form/zero", "i00e"),
		refused("wire-int-refused/minus-zero", "minus zero", "wire-int-form/zero", "i-0e"),
		refused("wire-int-refused/minus-leading", "a leading zero behind the minus", "wire-int-form/negative", "i-01e"),
		refused("wire-int-refused/empty", "no digits", "wire-int-form/zero", "ie"),
		refused("wire-int-refused/minus", "a minus without digits", "wire-int-form/negative", "i-e"),
		refused("wire-int-refused/minuses", "two signs", "wire-int-form/negative", "i--1e"),
		refused("wire-int-refused/plus", "a plus sign", "wire-int-form/positive", "i+1e"),
		refused("wire-int-refused/space", "a space before the digits", "wire-int-form/positive", "i 1e"),
		refused("wire-int-refused/fraction", "a fraction", "wire-int-form/positive", "i1.0e"),
		refused("wire-int-refused/hex", "hexadecimal digits", "wire-int-form/positive", "i0x1fe"),
		refused("wire-int-refused/digits", "digits of another script", "wire-int-form/positive", "i\u0661e"),
		refused("wire-int-refused/colon", "a colon for the digits", "wire-int-form/positive", "i:e"),
		refused("wire-int-refused/digit-colon", "a colon behind the digits", "wire-int-form/positive", "i1:e"),
		refused("wire-int-refused/length-inside", "a letter in a length, inside a list", "wire-one-value/list", "l1xe"),
		refused("wire-int-refused/length-zero", "a length with a leading zero", "wire-length-form/one-digit", "04:spam"),
		refused("wire-int-refused/length-zeros", "a length of two zeros", "wire-length-form/empty", "00:"),
		refused("wire-int-refused/length-minus", "a negative length", "wire-length-form/one-digit", "-1:a"),
		refused("wire-int-refused/length-plus", "a length with a plus sign", "wire-length-form/one-digit", "+1:a"),
		refused("wire-int-refused/length-letter", "a letter in a length", "wire-length-form/one-digit", "1x:a"),
		refused("wire-int-refused/length-other", "a length that ends in another sign than a colon", "wire-length-form/one-digit", "1;a"),
		refused("wire-int-refused/length-key", "a key's length with a leading zero", "wire-key-order/prefix", "d01:ai1ee"),

		refused("wire-int-range/max", "2^63", "wire-int-form/max", "i9223372036854775808e"),
		refused("wire-int-range/min", "-2^63 - 1", "wire-int-form/min", "i-9223372036854775809e"),
		refused("wire-int-range/wrap", "2^64 + 1, which is 1 when cut to 64 bits", "wire-int-form/max", "i18446744073709551617e"),
		refused("wire-int-range/long", "an integer of 100 digits", "wire-int-form/max", "i"+strings.Repeat("9", 100)+"e"),

		refused("wire-key-refused/order", "two keys that are not in order", "wire-key-order/two", "d4:spam4:eggs3:cow3:mooe"),
		refused("wire-key-refused/twice", "one key twice", "wire-key-order/prefix", "d1:ai1e1:ai2ee"),
		refused("wire-key-refused/prefix", "a key before the one that begins it", "wire-key-order/prefix", "d2:aai2e1:ai1ee"),
		refused("wire-key-refused/length", "keys ordered by their lengths", "wire-key-order/length", "d1:bi2e2:aai1ee"),
		refused("wire-key-refused/signed", "keys ordered as signed bytes", "wire-key-order/unsigned", "d1:\x80i2e1:\x7fi1ee"),
		refused("wire-key-refused/case", "keys ordered without regard to case", "wire-key-order/case", "d1:ai2e1:Bi1ee"),
		refused("wire-key-refused/int", "a key that is an integer", "wire-key-order/prefix", "di1ei2ee"),
		refused("wire-key-refused/list", "a key that is a list", "wire-key-order/prefix", "dlei2ee"),
		refused("wire-key-refused/inside", "two keys that are not in order, inside a list", "wire-one-value/nested", "ld1:bi2e1:ai1eee"),

		deep("wire-depth/seventeen-lists", "17 lists inside one another", "wire-depth/sixteen-lists", nest(17)),
		deep("wire-depth/seventeen-dictionaries", "17 dictionaries inside one another", "wire-depth/sixteen-dictionaries", nestDicts(17)),
		deep("wire-depth/hundreds", "400 lists inside one another", "wire-depth/sixteen-lists", nest(400)),
		deep("wire-depth/seventeen-cut", "17 lists begin and none ends: the byte that goes too deep comes before the end", "wire-depth/sixteen-lists", strings.Repeat("l", 17)),

		refused("wire-trailing/value", "two values", "wire-int-form/zero", "i0ei0e"),
		refused("wire-trailing/newline", "a newline behind the value", "wire-int-form/zero", "i0e\n"),
		refused("wire-trailing/zero", "a zero byte behind the value", "wire-key-order/none", "de\x00"),
		refused("wire-trailing/end", "one e too many", "wire-one-value/empty-list", "lee"),
	}
}

func bencodeVector(id, comment, twin, input, reason string) vector {
	if got := judge(input); got != reason {
		panic(fmt.Sprintf("%s: the reason is %q, not %q", id, got, reason))
	}
	v := vector{id: id, op: "wire.bencode", comment: comment, twin: twin, text: text(input), in: o("input", toHex(input)), outcome: accept}
	if reason != "" {
		v.outcome, v.reason = drop, reason
		return v
	}
	value, _, err := decode(input)
	must(err)
	v.out = o("value", neutral(value), "output", toHex(encode(value)))
	return v
}
