package handshake

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Human-readable parts of BIP 350, in lower case.
const (
	addressPrefix   = "kith"
	secretKeyPrefix = "kith-secret-key-"
)

// ParseAddress returns the key that an address names: bech32m (BIP 350) in one case, with the human-readable part kith. An
// error is of class ErrMalformed and says what is wrong. The key is one that CheckContact takes from everybody but its owner.
func ParseAddress(s string) (PublicKey, error) {
	data, err := parseBech32m("address", addressPrefix, []byte(s))
	if err != nil {
		return PublicKey{}, err
	}
	k := PublicKey(data)
	if _, err := k.X25519(); err != nil { // rv-address-key
		return PublicKey{}, err
	}
	return k, nil
}

// ParseSecretKey returns the identity whose seed text spells, KITH-SECRET-KEY-1…, in one case. The error says what is wrong,
// without a character of it.
func ParseSecretKey(text []byte) (*Identity, error) {
	seed, err := parseBech32m("secret key", secretKeyPrefix, text) // rv-secret-read
	defer clear(seed[:])
	if err != nil {
		return nil, err
	}
	return NewIdentity(seed[:])
}

// AppendSecretKey appends to b the text that ParseSecretKey reads, in capitals so that nobody takes it for an address. It makes room
// at once, so that no half of the text stays behind in an array that was too small.
func (id *Identity) AppendSecretKey(b []byte) []byte { // rv-secret-write
	b = slices.Grow(b, len(secretKeyPrefix)+1+bech32Data+bech32Checksum)
	n := len(b)
	b = appendBech32m(b, secretKeyPrefix, id.signing[:SeedSize])
	for i, c := range b[n:] {
		if 'a' <= c && c <= 'z' {
			b[n+i] = c - 'a' + 'A'
		}
	}
	return b
}

const (
	bech32Alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	bech32mXor     = 0x2bc830a3 // BIP 350; BIP 173 has 1
	bech32Checksum = 6          // characters
	bech32Data     = 52         // characters that hold 32 bytes and 4 bits of padding
)

// appendBech32m appends the text of 32 bytes to b, in lower case.
func appendBech32m(b []byte, prefix string, data []byte) []byte {
	b = append(b, prefix...)
	b = append(b, '1')
	c := newBech32(prefix)
	var acc, bits uint
	for _, x := range data {
		acc = acc<<8 | uint(x)
		for bits += 8; bits >= 5; bits -= 5 {
			b = c.append(b, byte(acc>>(bits-5)&31))
		}
	}
	b = c.append(b, byte(acc<<(5-bits)&31))
	for range bech32Checksum {
		c.add(0)
	}
	sum := c ^ bech32mXor
	for i := bech32Checksum - 1; i >= 0; i-- {
		b = append(b, bech32Alphabet[sum>>(5*i)&31])
	}
	return b
}

// parseBech32m returns the 32 bytes that text spells behind prefix. What is the name of the thing in errors, which show no more
// of a text than one character that can be in none.
func parseBech32m(what, prefix string, text []byte) (data [32]byte, err error) {
	refuse := func(format string, args ...any) ([32]byte, error) {
		clear(data[:])
		return data, fmt.Errorf("handshake: %s %s: %w", what, fmt.Sprintf(format, args...), ErrMalformed)
	}
	lower := bytes.ContainsFunc(text, func(r rune) bool { return 'a' <= r && r <= 'z' })
	upper := bytes.ContainsFunc(text, func(r rune) bool { return 'A' <= r && r <= 'Z' })
	if lower && upper { // rv-address-mixed, rv-address-case
		return refuse("has both capital and small letters")
	}
	n := bytes.LastIndexByte(text, '1')
	if n < 0 || !equalLower(text[:n], prefix) { // rv-address-prefix
		return refuse("does not begin with %s1", prefix)
	}
	n++
	if want := n + bech32Data + bech32Checksum; len(text) != want { // rv-address-length
		return refuse("is %d characters long, not %d", len(text), want)
	}
	c := newBech32(prefix)
	var acc, bits uint
	for i, letter := range text[n:] {
		v := strings.IndexByte(bech32Alphabet, toLower(letter))
		if v < 0 { // rv-address-character
			r, _ := utf8.DecodeRune(text[n+i:])
			return refuse("has %q at place %d, which no %s has", r, n+i+1, what)
		}
		c.add(byte(v))
		if i >= bech32Data {
			continue
		}
		acc = acc<<5 | uint(v)
		if bits += 5; bits >= 8 {
			bits -= 8
			data[(i+1)*5/8-1] = byte(acc >> bits)
			acc &= 1<<bits - 1
		}
	}
	switch {
	case c != bech32mXor: // rv-address-checksum
		return refuse("has a wrong checksum: a character is mistyped")
	case acc != 0: // rv-address-padding
		return refuse("has padding that is not zero")
	}
	return data, nil
}

// toLower returns the small letter for an ASCII capital. That of another alphabet is no letter here, even where Unicode folds
// it to one.
func toLower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// equalLower reports whether text is lower, which has no capitals, in either case.
func equalLower(text []byte, lower string) bool {
	if len(text) != len(lower) {
		return false
	}
	for i, c := range text {
		if toLower(c) != lower[i] {
			return false
		}
	}
	return true
}

// A bech32 is the state of BIP 173's checksum, the polynomial reduced so far.
type bech32 uint32

// newBech32 returns the state behind the human-readable part.
func newBech32(prefix string) bech32 {
	c := bech32(1)
	for _, x := range []byte(prefix) {
		c.add(x >> 5)
	}
	c.add(0)
	for _, x := range []byte(prefix) {
		c.add(x & 31)
	}
	return c
}

// add takes one more value of 5 bits.
func (c *bech32) add(v byte) {
	top := *c >> 25
	*c = *c&0x1ffffff<<5 ^ bech32(v)
	for i, g := range [5]bech32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
		if top>>i&1 == 1 {
			*c ^= g
		}
	}
}

// append takes one more value and appends its character to b.
func (c *bech32) append(b []byte, v byte) []byte {
	c.add(v)
	return append(b, bech32Alphabet[v])
}
