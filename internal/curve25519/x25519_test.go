package curve25519

import (
	"crypto/ecdh"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// RFC 7748, section 5.2.
func TestX25519OfRFC7748(t *testing.T) {
	for _, c := range []struct{ private, public, shared string }{
		{
			"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
			"e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
			"c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
		}, {
			// The published u has bit 255 set, which RFC 7748 clears and Kith refuses.
			"4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
			"e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a413",
			"95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
		},
	} {
		private, public, shared := [32]byte(unhex(t, c.private)), [32]byte(unhex(t, c.public)), [32]byte{1}
		require.NoError(t, X25519(&shared, &private, &public))
		require.Equal(t, unhex(t, c.shared), shared[:])
		public[31] |= 0x80
		require.ErrorIs(t, X25519(&shared, &private, &public), ErrNotCanonical)
		require.Zero(t, shared)
	}
}

// RFC 7748, section 5.2, after one round and after 1,000.
func TestX25519Iterated(t *testing.T) {
	k, u := [32]byte{9}, [32]byte{9}
	for i := range 1000 {
		var next [32]byte
		require.NoError(t, X25519(&next, &k, &u))
		k, u = next, k
		if i == 0 {
			require.Equal(t, unhex(t, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"), k[:])
		}
	}
	require.Equal(t, unhex(t, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"), k[:])
}

// RFC 7748, section 6.1.
func TestX25519KeysOfRFC7748(t *testing.T) {
	alice := [32]byte(unhex(t, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"))
	bob := [32]byte(unhex(t, "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"))
	alicePublic, bobPublic := Public(&alice), Public(&bob)
	require.Equal(t, unhex(t, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"), alicePublic[:])
	require.Equal(t, unhex(t, "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"), bobPublic[:])
	var one, other [32]byte
	require.NoError(t, X25519(&one, &alice, &bobPublic))
	require.NoError(t, X25519(&other, &bob, &alicePublic))
	require.Equal(t, unhex(t, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"), one[:])
	require.Equal(t, one, other)
}

// The standard library agrees wherever it is asked the same.
func TestX25519Oracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		private := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "private"))
		public := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "public"))
		public[31] &= 0x7f
		checkX25519(t, private, public)
	})
}

// checkX25519 compares what X25519 and Public say with the standard library, and with a number that is compared plainly.
func checkX25519(t require.TestingT, private, public [32]byte) {
	key, err := ecdh.X25519().NewPrivateKey(private[:])
	require.NoError(t, err)
	own := Public(&private)
	require.Equal(t, key.PublicKey().Bytes(), own[:])
	peer, err := ecdh.X25519().NewPublicKey(public[:])
	require.NoError(t, err)
	want, refused := key.ECDH(peer)

	k, u, shared := private, public, [32]byte{1}
	err = X25519(&shared, &k, &u)
	require.Equal(t, private, k)
	require.Equal(t, public, u)
	switch {
	case !less(public, [32]byte(aroundPrime(0, false))):
		require.ErrorIs(t, err, ErrNotCanonical)
		require.Zero(t, shared)
	case refused != nil:
		require.ErrorIs(t, err, ErrSmallOrder)
		require.Zero(t, shared)
		require.True(t, SmallOrder(&public))
	default:
		require.NoError(t, err)
		require.Equal(t, want, shared[:])
		require.False(t, SmallOrder(&public))
	}
}

// Every u of small order is refused: those below the prime for their result, the others before. rv-x25519-canonical,
// rv-x25519-zero
func TestX25519SmallOrder(t *testing.T) {
	for _, c := range []struct {
		u   string
		err error
	}{
		{"0000000000000000000000000000000000000000000000000000000000000000", ErrSmallOrder},
		{"0100000000000000000000000000000000000000000000000000000000000000", ErrSmallOrder},
		{"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", ErrSmallOrder},
		{"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157", ErrSmallOrder},
		{"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", ErrSmallOrder},
		{"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", ErrNotCanonical},
		{"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", ErrNotCanonical},
		{"0000000000000000000000000000000000000000000000000000000000000080", ErrNotCanonical},
		{"0900000000000000000000000000000000000000000000000000000000000080", ErrNotCanonical},
		{"f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", ErrNotCanonical},
	} {
		private, public, shared := [32]byte{7}, [32]byte(unhex(t, c.u)), [32]byte{1}
		require.ErrorIs(t, X25519(&shared, &private, &public), c.err, c.u)
		require.Zero(t, shared)
		checkX25519(t, private, public)
	}
}

// The table is all there is: these keys give zero, and they are of the curve and its twist. The points of small order of the curve
// are there.
func TestSmallOrder(t *testing.T) {
	for _, u := range smallOrderU {
		require.True(t, Canonical(&u))
		require.True(t, SmallOrder(&u))
		checkX25519(t, [32]byte{7}, u)
	}
	require.False(t, SmallOrder(&[32]byte{9}))
	for _, p := range torsion(t) {
		u := [32]byte(p.BytesMontgomery())
		require.True(t, SmallOrder(&u))
	}
}

func FuzzX25519(f *testing.F) {
	f.Add(make([]byte, 32), make([]byte, 32))
	for _, u := range smallOrderU {
		f.Add(unhex(f, "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"), u[:])
	}
	f.Add(make([]byte, 32), aroundPrime(9, true))
	f.Fuzz(func(t *testing.T, private, public []byte) {
		if len(private) != 32 || len(public) != 32 {
			return
		}
		checkX25519(t, [32]byte(private), [32]byte(public))
	})
}
