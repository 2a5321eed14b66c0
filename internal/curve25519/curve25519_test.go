package curve25519

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCanonical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := [32]byte(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 0x10, 0x7f, 0x80, 0xec, 0xed, 0xee, 0xff}), 32, 32).Draw(t, "b"))
		if rapid.Bool().Draw(t, "near") {
			copy(b[1:31], bytes.Repeat([]byte{0xff}, 30))
		}
		require.Equal(t, less(b, [32]byte(aroundPrime(0, false))), Canonical(&b))
	})
}

// Numbers that differ from the prime in one byte, in every place.
func TestCanonicalInEveryByte(t *testing.T) {
	for i := range 32 {
		b := [32]byte(aroundPrime(0, false))
		b[i]--
		require.True(t, Canonical(&b), "byte %d", i)
		b = [32]byte(aroundPrime(0, false))
		if b[i]++; b[i] != 0 {
			require.False(t, Canonical(&b), "byte %d", i)
		}
	}
}

func TestCanonicalAroundThePrime(t *testing.T) {
	for n := -237; n < 19; n++ {
		b := [32]byte(aroundPrime(n, false))
		require.Equal(t, n < 0, Canonical(&b), "p%+d", n)
		b = [32]byte(aroundPrime(n, true))
		require.False(t, Canonical(&b), "p%+d and bit 255", n)
	}
}
