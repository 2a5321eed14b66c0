package dht

import (
	"crypto/hmac"
	"crypto/sha256"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func countingSecrets() func() [32]byte {
	var n byte
	return func() [32]byte { n++; return [32]byte{n} }
}

func TestTokenLife(t *testing.T) {
	const a, b = "1.2.3.4", "1.2.3.5"
	for begins := range instant(6) { // wherever in the life of a secret
		tokens := newTokens(countingSecrets(), 1)
		given := 1 + begins*time.Minute
		token := slices.Clone(tokens.give(netip.MustParseAddr(a), given))
		require.Len(t, token, 8)
		require.False(t, tokens.check(token, netip.MustParseAddr(b), given), "another address")
		require.False(t, tokens.check(token[:7], netip.MustParseAddr(a), given))
		require.False(t, tokens.check(nil, netip.MustParseAddr(a), given))
		for age := instant(0); age < 20*time.Minute; age += time.Second {
			ok := tokens.check(token, netip.MustParseAddr(a), given+age)
			if age <= 10*time.Minute {
				require.True(t, ok, "%v old", age)
			}
			if age >= 15*time.Minute {
				require.False(t, ok, "%v old", age)
			}
		}
	}
}

// The same token after days in which nobody asked would be as good as none.
func TestTokenAfterALongSilence(t *testing.T) {
	a := netip.MustParseAddr("2a00::1")
	tokens := newTokens(countingSecrets(), 1)
	token := slices.Clone(tokens.give(a, 1))
	require.False(t, tokens.check(token, a, 1+100*time.Hour))
	token = slices.Clone(tokens.give(a, 1+100*time.Hour))
	require.True(t, tokens.check(token, a, 1+100*time.Hour+10*time.Minute))
}

func TestTokenIsTheSpecsFormula(t *testing.T) {
	tokens := newTokens(countingSecrets(), 1)
	for _, a := range []string{"1.2.3.4", "2a00::1"} {
		h := hmac.New(sha256.New, append([]byte{3}, make([]byte, 31)...)) // of the three secrets made, the newest
		h.Write(netip.MustParseAddr(a).AsSlice())
		require.NotEqual(t, h.Sum(nil)[:8], tokens.give(netip.MustParseAddr(a), 1), "the first secret is made last")
		h = hmac.New(sha256.New, append([]byte{1}, make([]byte, 31)...))
		h.Write(netip.MustParseAddr(a).AsSlice())
		require.Equal(t, h.Sum(nil)[:8], tokens.give(netip.MustParseAddr(a), 1))
	}
}
