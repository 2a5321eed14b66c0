package curve25519

import (
	"testing"

	"filippo.io/edwards25519"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSmallOrderY(t *testing.T) {
	found := map[[32]byte]bool{}
	for _, p := range torsion(t) {
		k := [32]byte(p.Bytes())
		y := yOf(&k)
		require.True(t, Canonical(&y))
		require.True(t, smallOrder(&y))
		found[k] = true
	}
	require.Len(t, found, 8)
	require.Len(t, smallOrderY, 5)
}

// refuses checks that k is refused for the rule that err names.
func refuses(t *testing.T, k []byte, err error) {
	t.Helper()
	u, got := Montgomery((*[32]byte)(k))
	require.ErrorIs(t, got, err, "%x", k)
	require.Zero(t, u)
}

// Each key is refused for the first rule that it breaks.
func TestMontgomeryRefuses(t *testing.T) {
	for n := range 19 { // rv-contact-canonical
		refuses(t, aroundPrime(n, false), ErrNotCanonical)
		refuses(t, aroundPrime(n, true), ErrNotCanonical)
	}
	notOnCurve := 0
	for n := -19; n < 0; n++ { // rv-contact-curve
		if _, off := new(edwards25519.Point).SetBytes(aroundPrime(n, false)); off != nil {
			refuses(t, aroundPrime(n, false), ErrNotOnCurve)
			notOnCurve++
		}
	}
	require.Positive(t, notOnCurve)
	for _, s := range []string{ // rv-contact-curve: −0 as x, which is refused for its order
		"0100000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	} {
		refuses(t, unhex(t, s), ErrSmallOrder)
	}
	_, public, _ := owner(t)
	p, err := new(edwards25519.Point).SetBytes(public)
	require.NoError(t, err)
	for i, small := range torsion(t) {
		refuses(t, small.Bytes(), ErrSmallOrder) // rv-contact-small
		if i > 0 {
			refuses(t, new(edwards25519.Point).Add(p, small).Bytes(), ErrSubgroup) // rv-contact-subgroup
		}
	}
}

// The u of a key is the public key of the private scalar that made it, and −A has the same.
func TestMontgomeryOfKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		private := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "private"))
		a, err := edwards25519.NewScalar().SetBytesWithClamping(private[:])
		require.NoError(t, err)
		p := new(edwards25519.Point).ScalarBaseMult(a)
		for range 2 {
			u, err := Montgomery((*[32]byte)(p.Bytes()))
			require.NoError(t, err)
			require.Equal(t, Public(&private), u)
			p.Negate(p)
		}
	})
}

func FuzzMontgomery(f *testing.F) {
	for _, c := range rfc8032 {
		f.Add(unhex(f, c.public))
	}
	for _, e := range encodings(f) {
		f.Add(e)
	}
	neutral := edwards25519.NewIdentityPoint()
	f.Fuzz(func(t *testing.T, k []byte) {
		if len(k) != 32 {
			return
		}
		u, err := Montgomery((*[32]byte)(k))
		p, off := new(edwards25519.Point).SetBytes(k)
		switch {
		case err == nil:
			require.NoError(t, off)
			require.Equal(t, k, p.Bytes(), "the one encoding")
			require.Equal(t, 1, times(p, order[:]).Equal(neutral))
			require.Equal(t, 0, p.Equal(neutral))
			require.Equal(t, p.BytesMontgomery(), u[:])
			require.True(t, Canonical(&u))
			require.False(t, SmallOrder(&u))
		case off == nil && string(p.Bytes()) == string(k):
			require.True(t, times(p, []byte{8}).Equal(neutral) == 1 || times(p, order[:]).Equal(neutral) == 0, "%v", err)
		}
	})
}
