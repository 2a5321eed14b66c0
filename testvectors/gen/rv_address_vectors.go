package gen

import (
	"fmt"
	"strings"
)

// A damage makes another text of a good one; groups are its groups of 5 bits.
type damage struct {
	rule, suffix, comment string
	change                func(good, prefix string, b string) string
}

// damages are the refusals that an address and a seed's text share, in the order in which they are checked; places are the characters
// of the prefix.
func damages(places int) (all []damage) {
	add := func(rule, suffix, comment string, change func(good, prefix, b string) string) {
		all = append(all, damage{rule, suffix, comment, change})
	}
	lower := func(change func(string) string) func(good, prefix, b string) string {
		return func(good, _, _ string) string { return change(strings.ToLower(good)) }
	}
	at := func(i int, by string) func(good, prefix, b string) string { // i from the end when it is negative
		return lower(func(s string) string {
			if i < 0 {
				i += len(s)
			}
			if s[i:i+1] == by {
				panic("a damage that changes nothing")
			}
			return s[:i] + by + s[i+1:]
		})
	}
	add("mixed", "first", "the first letter in capitals", lower(func(s string) string { return "K" + s[1:] }))
	add("mixed", "prefix", "the prefix in capitals, the rest small", func(good, prefix, _ string) string {
		return strings.ToUpper(prefix) + strings.ToLower(good)[len(prefix):]
	})
	add("mixed", "last", "the last letter of another case than the others", lower(func(s string) string {
		i := strings.LastIndexFunc(s, func(r rune) bool { return r >= 'a' })
		return s[:i] + strings.ToUpper(s[i:i+1]) + s[i+1:]
	}))
	add("mixed", "one-small", "one small letter among capitals", func(good, _, _ string) string {
		i := strings.LastIndexFunc(strings.ToLower(good), func(r rune) bool { return r >= 'a' })
		return strings.ToUpper(good[:i]) + strings.ToLower(good[i:i+1]) + strings.ToUpper(good[i+1:])
	})
	// a and z are the ends of the alphabet: whoever leaves one out sees no mixture. These texts have both.
	for _, letter := range []string{"a", "z"} {
		capital := strings.ToUpper(letter)
		add("mixed", "capital-"+letter, "a single capital, "+capital, lower(func(s string) string { return strings.Replace(s, letter, capital, 1) }))
		add("mixed", "small-"+letter, "a single small letter, "+letter, func(good, _, _ string) string {
			return strings.Replace(strings.ToUpper(good), capital, letter, 1)
		})
	}
	add("mixed", "first-small", "the first letter alone is small", func(good, _, _ string) string { return "k" + strings.ToUpper(good)[1:] })
	add("prefix", "other", "another prefix, with the right checksum for it", func(_, prefix, b string) string {
		return bechText(prefix[:len(prefix)-1]+"x", fiveBits(b, 0), bech32m)
	})
	for i := range places {
		add("prefix", fmt.Sprintf("place-%d", i+1), fmt.Sprintf("character %d of the prefix is another, with the right checksum for it", i+1), func(_, prefix, b string) string {
			return bechText(prefix[:i]+"x"+prefix[i+1:], fiveBits(b, 0), bech32m)
		})
	}
	add("prefix", "alone", "the first letter is another, and nothing else", at(0, "x"))
	add("prefix", "long", "a letter more in the prefix, with the right checksum for it", func(_, prefix, b string) string {
		return bechText(prefix+"x", fiveBits(b, 0), bech32m)
	})
	add("prefix", "short", "a prefix without its first letter, with the right checksum for it", func(_, prefix, b string) string {
		return bechText(prefix[1:], fiveBits(b, 0), bech32m)
	})
	add("prefix", "second-one", "a 1 behind the first 1: the prefix ends at the last one", func(_, prefix, b string) string {
		return bechText(prefix+"1q", fiveBits(b, 0), bech32m)
	})
	add("prefix", "two-separators", "two of the 1 between prefix and data, with the right checksum for it", func(_, prefix, b string) string {
		return bechText(prefix+"1", fiveBits(b, 0), bech32m)
	})
	add("prefix", "no-separator", "the 1 is left out", lower(func(s string) string { return strings.Replace(s, "1", "", 1) }))
	add("prefix", "one-among-data", "a character changed to 1", at(20, "1"))
	add("prefix", "no-one", "no 1 at all", lower(func(s string) string { return strings.ReplaceAll(s, "1", "q") }))
	add("prefix", "empty", "no text at all", lower(func(string) string { return "" }))
	add("prefix", "none", "nothing before the 1", func(_, _, b string) string { return bechText("", fiveBits(b, 0), bech32m) })
	add("prefix", "space", "a space before it", lower(func(s string) string { return " " + s }))
	add("prefix", "kelvin", "KELVIN SIGN, which becomes a k in small letters, for the K", func(good, _, _ string) string {
		return "\u212a" + strings.ToUpper(good)[1:]
	})
	add("length", "31-bytes", "31 bytes, with the right checksum", func(_, prefix, b string) string { return bechText(prefix, fiveBits(b[:31], 0), bech32m) })
	add("length", "33-bytes", "33 bytes, with the right checksum", func(_, prefix, b string) string { return bechText(prefix, fiveBits(b+"\x00", 0), bech32m) })
	add("length", "group-more", "a group of zeros more, with the right checksum", func(_, prefix, b string) string {
		return bechText(prefix, append(fiveBits(b, 0), 0), bech32m)
	})
	add("length", "group-less", "without its last group, with the right checksum", func(_, prefix, b string) string {
		return bechText(prefix, fiveBits(b, 0)[:51], bech32m)
	})
	add("length", "cut", "the last character is missing", lower(func(s string) string { return s[:len(s)-1] }))
	add("length", "longer", "a character too many", lower(func(s string) string { return s + "q" }))
	add("length", "space", "a space behind it", lower(func(s string) string { return s + " " }))
	add("length", "alone", "the prefix and its 1 alone", func(_, prefix, _ string) string { return prefix + "1" })
	for _, c := range []string{"b", "i", "o"} {
		add("character", c, "a character changed to "+c+", which bech32 does not have", at(30, c))
	}
	add("character", "first", "the first character behind the 1 changed to b", func(good, prefix, _ string) string {
		i := len(prefix) + 1
		return strings.ToLower(good[:i]) + "b" + strings.ToLower(good[i+1:])
	})
	add("character", "last", "the last character changed to o", at(-1, "o"))
	add("character", "space", "a space in the middle", at(40, " "))
	add("character", "hyphen", "a hyphen in the middle", at(33, "-"))
	add("character", "long-s", "LATIN SMALL LETTER LONG S, which becomes an S in capitals, for two characters", lower(func(s string) string {
		return s[:40] + "\u017f" + s[42:]
	}))
	changed := func(i int) func(good, prefix, b string) string {
		return lower(func(s string) string {
			if i < 0 {
				i += len(s)
			}
			c := strings.IndexByte(bechCharacters, s[i])
			return s[:i] + bechCharacters[c^1:c^1+1] + s[i+1:]
		})
	}
	add("checksum", "data-first", "the first character of the key changed", func(good, prefix, b string) string { return changed(len(prefix)+1)(good, prefix, b) })
	add("checksum", "data-middle", "a character in the middle of the key changed", changed(-32))
	add("checksum", "data-last", "the last character of the key changed", lower(func(s string) string {
		i := len(s) - 7
		c := strings.IndexByte(bechCharacters, s[i])
		return s[:i] + bechCharacters[c^16:c^16+1] + s[i+1:] // the padding stays zero
	}))
	for i := 1; i <= 6; i++ {
		add("checksum", fmt.Sprintf("check-%d", 7-i), fmt.Sprintf("character %d of the checksum changed", 7-i), changed(-i))
	}
	add("checksum", "swapped", "two neighbours changed their places", lower(func(s string) string {
		for i := len(s) - 20; ; i++ {
			if s[i] != s[i+1] {
				return s[:i] + s[i+1:i+2] + s[i:i+1] + s[i+2:]
			}
		}
	}))
	add("checksum", "bech32", "bech32's constant 1 in place of bech32m's", func(_, prefix, b string) string { return bechText(prefix, fiveBits(b, 0), bech32) })
	add("checksum", "zero", "the constant 0", func(_, prefix, b string) string { return bechText(prefix, fiveBits(b, 0), 0) })
	add("checksum", "capitals", "the checksum of the prefix in capitals", func(_, prefix, b string) string {
		s := bechText(strings.ToUpper(prefix), fiveBits(b, 0), bech32m)
		return strings.ToUpper(s)
	})
	for _, padding := range []byte{1, 2, 4, 8, 15} {
		add("padding", fmt.Sprintf("bits-%d", padding), fmt.Sprintf("%04b in the padding, with the right checksum", padding), func(_, prefix, b string) string {
			return bechText(prefix, fiveBits(b, padding), bech32m)
		})
	}
	return all
}

func addressVectors() (out []vector) {
	for _, name := range []string{"alice", "bob"} {
		s := new(secrets)
		p := s.person(name)
		out = append(out, answered(vector{
			id: "rv-address-write/" + name, op: "rv.address-encode", comment: name + "'s address", secrets: s, in: o("IK", toHex(p.key)),
		}, o("address", addressOf(p.key)), ""))
	}
	read := func(id, comment, twin, rule string, text func(bob person) string) {
		s := new(secrets)
		bob := s.person("bob")
		b, refused := readText(addressPrefix, text(bob))
		v := vector{id: id, op: "rv.address-decode", comment: comment, twin: twin, secrets: s, in: o("address", text(bob))}
		if refused == "" {
			_, refused = contact("", b)
		}
		if rule != "" && rule != requirementOf(id) {
			v.also = []string{rule}
		}
		out = append(out, answered(v, o("IK", toHex(b)), refused))
	}
	const good = "rv-address-case/small"
	read(good, "bob's address in small letters", "", "", func(bob person) string { return addressOf(bob.key) })
	read("rv-address-case/capitals", "bob's address in capitals, as a QR code has it", "", "", func(bob person) string { return strings.ToUpper(addressOf(bob.key)) })
	read("rv-address-key/base", "the address of the base point", "", "", func(person) string { return addressOf(basePoint.encode()) })
	for _, d := range damages(len(addressPrefix)) {
		read("rv-address-"+d.rule+"/"+d.suffix, d.comment, good, "", func(bob person) string { return d.change(addressOf(bob.key), addressPrefix, bob.key) })
	}
	seen := map[string]bool{}
	for i, bad := range badKeys(new(secrets).person("bob").key) {
		if seen[bad.rule] && bad.rule == "rv-contact-canonical" {
			continue
		}
		seen[bad.rule] = true
		read("rv-address-key/"+strings.TrimPrefix(bad.rule, "rv-contact-")+"-"+bad.suffix, "the right address of what is no contact: "+bad.comment, good, bad.rule,
			func(bob person) string { return addressOf(badKeys(bob.key)[i].key) })
	}
	return out
}

func secretVectors() (out []vector) {
	read := func(id, comment, twin string, text func(seed string) string) {
		s := new(secrets)
		seed := s.bytes("bob", "bob", 32)
		b, refused := readText(secretPrefix, text(seed))
		v := vector{id: id, op: "rv.secret-decode", comment: comment, twin: twin, secrets: s, in: o("secret", text(seed))}
		if refused != "" {
			v.also = []string{refused}
		}
		out = append(out, answered(v, o("seed", toHex(b)), refused))
	}
	const good = "rv-secret-read/capitals"
	read(good, "bob's seed as it is written", "", secretOf)
	read("rv-secret-read/small", "bob's seed in small letters", "", func(seed string) string { return strings.ToLower(secretOf(seed)) })
	read("rv-secret-read/zeros", "a seed of zeros", "", func(string) string { return secretOf(zeros(32)) })
	read("rv-secret-read/ones", "a seed of ones", "", func(string) string { return secretOf(strings.Repeat("\xff", 32)) })
	for _, d := range damages(len(secretPrefix)) {
		read("rv-secret-read/"+d.rule+"-"+d.suffix, d.comment, good, func(seed string) string { return d.change(secretOf(seed), secretPrefix, seed) })
	}
	read("rv-secret-read/prefix-address", "an address in place of a seed", good, addressOf)
	return out
}
