package handshake

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"filippo.io/edwards25519"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The valid strings of BIP 350, "Test vectors for Bech32m", through the checksum that addresses have.
func TestChecksumOfBIP350(t *testing.T) {
	for _, s := range []string{
		"A1LQFN3A",
		"a1lqfn3a",
		"an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
		"abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
		"11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr8",
		"split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
		"?1v759aa",
	} {
		require.Equal(t, bech32(bech32mXor), checksum(s), s)
		_, err := ParseAddress(s)
		wantRefused(t, err, ErrMalformed, "does not begin with kith1")
	}
	// Those whose checksum is that of BIP 173, or wrong.
	for _, s := range []string{"y1b0jsk6g", "lt1igcx5c0", "in1muywd", "mm1crxm3i", "au1s5cgom", "M1VUXWEZ", "16plkw9", "1p2gdwpf"} {
		_, err := ParseAddress(s)
		require.ErrorIs(t, err, ErrMalformed)
		_, err = ParseSecretKey([]byte(s))
		require.ErrorIs(t, err, ErrMalformed)
	}
	require.NotEqual(t, bech32(bech32mXor), checksum("M1VUXWEZ"))
	require.Equal(t, bech32(1), checksum("split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w"), "BIP 173's constant")
}

// checksum returns the state behind all of s, whatever its human-readable part.
func checksum(s string) bech32 {
	s = strings.ToLower(s)
	n := strings.LastIndexByte(s, '1')
	c := newBech32(s[:n])
	for _, letter := range []byte(s[n+1:]) {
		c.add(byte(strings.IndexByte(bech32Alphabet, letter)))
	}
	return c
}

// fix returns s with the last six characters made right.
func fix(s string) string {
	n := strings.LastIndexByte(s, '1')
	c := newBech32(strings.ToLower(s[:n]))
	for _, letter := range []byte(strings.ToLower(s[n+1 : len(s)-bech32Checksum])) {
		c.add(byte(strings.IndexByte(bech32Alphabet, letter)))
	}
	b := []byte(s[:len(s)-bech32Checksum])
	for range bech32Checksum {
		c.add(0)
	}
	for i := bech32Checksum - 1; i >= 0; i-- {
		b = append(b, bech32Alphabet[(c^bech32mXor)>>(5*i)&31])
	}
	return string(b)
}

func TestAddress(t *testing.T) {
	k := person(t, "alice").PublicKey()
	s := k.String()
	require.Len(t, s, 63)
	for _, same := range []string{s, strings.ToUpper(s)} { // rv-address-case
		got, err := ParseAddress(same)
		require.NoError(t, err)
		require.Equal(t, k, got)
	}
	at := func(i int, c string) string { return s[:i] + c + s[i+1:] }
	noPoint := PublicKey{2}
	_, err := new(edwards25519.Point).SetBytes(noPoint[:])
	require.Error(t, err)
	for _, c := range []struct{ rule, address, words string }{
		{"rv-address-mixed", "K" + s[1:], "both capital and small"},
		{"rv-address-mixed", "x1qQ", "both capital and small"},
		{"rv-address-prefix", "", "does not begin with kith1"},
		{"rv-address-prefix", "kith", "does not begin with kith1"},
		{"rv-address-prefix", s[1:], "does not begin with kith1"},
		{"rv-address-prefix", " " + s, "does not begin with kith1"},
		{"rv-address-prefix", "kit1" + s[5:], "does not begin with kith1"},
		{"rv-address-prefix", "kiss1" + s[5:], "does not begin with kith1"},
		{"rv-address-prefix", at(30, "1"), "does not begin with kith1"},
		{"rv-address-length", "kith1", "is 5 characters long, not 63"},
		{"rv-address-length", s + "q", "is 64 characters long"},
		{"rv-address-length", s + " ", "is 64 characters long"},
		{"rv-address-length", s[:62], "is 62 characters long"},
		{"rv-address-character", at(5, "b"), "'b' at place 6,"},
		{"rv-address-character", at(62, "i"), "'i' at place 63,"},
		{"rv-address-character", s[:20] + "é" + s[22:], "'é' at place 21,"},
		{"rv-address-checksum", at(62, "q"), "wrong checksum"},
		{"rv-address-padding", fix(at(56, "z")), "padding that is not zero"},
		{"rv-address-key", PublicKey{1}.String(), "small order"},
		{"rv-address-key", PublicKey(aroundPrime(2, false)).String(), "not canonical"},
		{"rv-address-key", noPoint.String(), "not a point"},
	} {
		if c.rule == "rv-address-checksum" && c.address == s {
			c.address = at(62, "p")
		}
		got, err := ParseAddress(c.address)
		require.Zero(t, got)
		wantRefused(t, err, ErrMalformed, c.words)
	}
	for n := range s {
		_, err := ParseAddress(s[:n])
		require.ErrorIs(t, err, ErrMalformed)
	}
}

// Any one letter in the other case is a mix, whichever it is. rv-address-mixed, rv-secret-write
func TestEveryLetterHasACase(t *testing.T) {
	seen := map[byte]bool{}
	for i := range byte(30) {
		id, err := NewIdentity(bytes.Repeat([]byte{i}, SeedSize))
		require.NoError(t, err)
		text := id.AppendSecretKey(nil)
		require.Equal(t, bytes.ToUpper(text), text)
		for j, c := range text {
			if 'A' <= c && c <= 'Z' {
				mixed := bytes.Clone(text)
				mixed[j] += 'a' - 'A'
				_, err := ParseSecretKey(mixed)
				wantRefused(t, err, ErrMalformed, "both capital and small")
				_, err = ParseSecretKey(bytes.ToLower(mixed))
				require.NoError(t, err)
				mixed = bytes.ToLower(text)
				mixed[j] = c
				_, err = ParseSecretKey(mixed)
				wantRefused(t, err, ErrMalformed, "both capital and small")
				seen[c] = true
			}
		}
	}
	require.True(t, seen['A'])
	require.True(t, seen['Z'])
}

// Every padding but zero is refused, with a right checksum.
func TestAddressPadding(t *testing.T) {
	s := person(t, "alice").PublicKey().String()
	taken := 0
	for _, letter := range bech32Alphabet {
		if _, err := ParseAddress(fix(s[:56] + string(letter) + s[57:])); err == nil {
			taken++
		}
	}
	require.LessOrEqual(t, taken, 2, "the highest bit belongs to the key")
}

// One wrong character, or two, never pass.
func TestAddressNoticesMistakes(t *testing.T) {
	s := person(t, "bob").PublicKey().String()
	rapid.Check(t, func(t *rapid.T) {
		b := []byte(s)
		for range rapid.IntRange(1, 3).Draw(t, "mistakes") {
			b[rapid.IntRange(5, 62).Draw(t, "place")] = bech32Alphabet[rapid.IntRange(0, 31).Draw(t, "letter")]
		}
		if string(b) != s {
			_, err := ParseAddress(string(b))
			require.ErrorContains(t, err, "wrong checksum")
		}
	})
}

func TestSecretKeyText(t *testing.T) {
	id := person(t, "alice")
	text := id.AppendSecretKey([]byte("# "))[2:]
	require.Len(t, text, 75)
	require.True(t, strings.HasPrefix(string(text), "KITH-SECRET-KEY-1")) // rv-secret-write
	for _, same := range []string{string(text), strings.ToLower(string(text))} {
		got, err := ParseSecretKey([]byte(same))
		require.NoError(t, err)
		require.Equal(t, id, got)
	}
	s := string(text)
	for _, c := range []struct{ text, words string }{ // rv-secret-read
		{"k" + s[1:], "both capital and small"},
		{"", "does not begin with kith-secret-key-1"},
		{id.PublicKey().String(), "does not begin with kith-secret-key-1"},
		{s + "Q", "is 76 characters long, not 75"},
		{s[:74], "is 74 characters long, not 75"},
		{s[:40] + "B" + s[41:], "'B' at place 41, which no secret key has"},
		{s[:74] + string(bech32Alphabet[0]-'q'+'Q'), "wrong checksum"},
		{strings.ToUpper(fix(s[:68] + "Z" + s[69:])), "padding that is not zero"},
	} {
		got, err := ParseSecretKey([]byte(c.text))
		require.Nil(t, got)
		wantRefused(t, err, ErrMalformed, c.words)
	}
	_, err := ParseAddress(s)
	wantRefused(t, err, ErrMalformed, "does not begin with kith1")
}

func FuzzParseAddress(f *testing.F) {
	seed := secret("alice")
	id, err := NewIdentity(seed[:])
	require.NoError(f, err)
	f.Add(id.PublicKey().String())
	f.Add(strings.ToUpper(id.PublicKey().String()))
	f.Add(string(id.AppendSecretKey(nil)))
	f.Fuzz(func(t *testing.T, s string) {
		if k, err := ParseAddress(s); err == nil {
			require.Equal(t, strings.ToLower(s), k.String())
		} else {
			require.ErrorIs(t, err, ErrMalformed)
			require.Zero(t, k)
		}
		if id, err := ParseSecretKey([]byte(s)); err == nil {
			require.Equal(t, strings.ToUpper(s), string(id.AppendSecretKey(nil)))
		} else {
			require.ErrorIs(t, err, ErrMalformed)
		}
	})
}

func ExampleParseAddress() {
	_, err := ParseAddress("kith18d4z00xwk6jz6c4r4rgz5mcdwdjny9thrh3y8f36cpy2rz6emg5suss3kb")
	fmt.Println(err)
	// Output:
	// handshake: address has 'b' at place 63, which no address has: handshake: malformed
}
