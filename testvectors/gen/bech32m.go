package gen

import "strings"

// bech32m of BIP 350, for 32 bytes.

const (
	bechCharacters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	bech32         = 1          // BIP 173's constant
	bech32m        = 0x2bc830a3 // BIP 350's
)

// polymod is the checksum's remainder.
func polymod(values []byte) uint32 {
	rest := uint32(1)
	for _, v := range values {
		top := rest >> 25
		rest = rest&0x1ffffff<<5 ^ uint32(v)
		for i, g := range []uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				rest ^= g
			}
		}
	}
	return rest
}

// expandPrefix returns the prefix as the checksum counts it: the high bits of each character, a zero, the low bits.
func expandPrefix(prefix string) (out []byte) {
	for i := range len(prefix) {
		out = append(out, prefix[i]>>5)
	}
	out = append(out, 0)
	for i := range len(prefix) {
		out = append(out, prefix[i]&31)
	}
	return out
}

// bechText writes groups of 5 bits in lower case, with the checksum of the constant.
func bechText(prefix string, groups []byte, constant uint32) string {
	rest := polymod(append(append(expandPrefix(prefix), groups...), make([]byte, 6)...)) ^ constant
	text := prefix + "1"
	for _, g := range groups {
		text += bechCharacters[g : g+1]
	}
	for i := 5; i >= 0; i-- {
		g := rest >> (5 * i) & 31
		text += bechCharacters[g : g+1]
	}
	return text
}

// fiveBits parts bytes into groups of 5 bits, most significant first; what is left over is filled with the low bits of padding.
func fiveBits(b string, padding byte) (groups []byte) {
	bits := ""
	for i := range len(b) {
		for j := 7; j >= 0; j-- {
			bits += string('0' + b[i]>>j&1)
		}
	}
	for j := 4 - len(bits)%5; len(bits)%5 != 0; j-- {
		bits += string('0' + padding>>j&1)
	}
	for ; bits != ""; bits = bits[5:] {
		g := byte(0)
		for _, bit := range []byte(bits[:5]) {
			g = g<<1 + (bit - '0')
		}
		groups = append(groups, g)
	}
	return groups
}

// The two texts of the spec.
const (
	addressPrefix = "kith"
	secretPrefix  = "kith-secret-key-"
)

func addressOf(key string) string { return bechText(addressPrefix, fiveBits(key, 0), bech32m) }
func secretOf(seed string) string {
	return strings.ToUpper(bechText(secretPrefix, fiveBits(seed, 0), bech32m))
}

// readText reads an address or a seed's text, and returns the rule of an address that refuses it.
func readText(prefix, text string) (b, rule string) {
	lower := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
	capitals := lower != text
	small := strings.ContainsFunc(text, func(r rune) bool { return r >= 'a' && r <= 'z' })
	if capitals && small {
		return "", "rv-address-mixed"
	}
	at := strings.LastIndexByte(lower, '1')
	if at < 0 || lower[:at] != prefix {
		return "", "rv-address-prefix"
	}
	if len(lower) != len(prefix)+1+52+6 {
		return "", "rv-address-length"
	}
	groups := []byte{}
	for _, c := range []byte(lower[at+1:]) {
		g := strings.IndexByte(bechCharacters, c)
		if g < 0 {
			return "", "rv-address-character"
		}
		groups = append(groups, byte(g))
	}
	if polymod(append(expandPrefix(prefix), groups...)) != bech32m {
		return "", "rv-address-checksum"
	}
	groups = groups[:52]
	if groups[51]&15 != 0 {
		return "", "rv-address-padding"
	}
	var out []byte
	have, bits := uint(0), 0
	for _, g := range groups {
		have, bits = have<<5|uint(g), bits+5
		if bits >= 8 {
			bits -= 8
			out = append(out, byte(have>>bits))
		}
	}
	return string(out), ""
}
