package dht

import (
	"crypto/ed25519"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// A library that does not look for them takes these signatures; otherwise the cases would judge nothing.
func TestForgedSignaturesHold(t *testing.T) {
	s := &Script{rng: rand.New(rand.NewPCG(1, 2))}
	for _, key := range [][]byte{
		neutral,
		unhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
		unhex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
	} {
		it := s.underSmallKey(key)
		require.True(t, ed25519.Verify(key, it.Signed(), it.Sig), "%x", key)
	}
	it := s.Mutable(1, "a value")
	require.True(t, ed25519.Verify(it.Public(), it.Signed(), neutralR(it)))

	sig := it.Signature()
	sum := new(big.Int).Add(fromLittle(sig[32:]), order)
	require.Equal(t, sig, signature(sig[:32], sum.Mod(sum, order)), "S and S + L are one modulo L")
}

func TestPublishedItemsAreRight(t *testing.T) {
	for _, v := range []struct {
		it     *Item
		target string
	}{
		{published(publishedSig1, nil), published1},
		{published(publishedSig2, []byte("foobar")), published2},
	} {
		require.True(t, ed25519.Verify(v.it.Public(), v.it.Signed(), v.it.Sig))
		require.Equal(t, [20]byte(unhex(v.target)), v.it.Target())
	}
	require.Equal(t, [20]byte(unhex(published3)), (&Item{Value: "Hello World!"}).Target())
}
