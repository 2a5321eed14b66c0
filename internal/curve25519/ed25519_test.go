package curve25519

import (
	"crypto/ed25519"
	"crypto/sha512"
	"slices"
	"testing"

	"filippo.io/edwards25519"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The secret keys, public keys and signatures of RFC 8032, section 7.1, tests 1 to 3.
var rfc8032 = []struct{ seed, public, message, sig string }{
	{
		"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
		"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
		"",
		"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155 5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
	},
	{
		"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
		"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
		"72",
		"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da 085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
	},
	{
		"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
		"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
		"af82",
		"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac 18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
	},
}

// owner returns a key pair, and the scalar of its private key.
func owner(t require.TestingT) (key ed25519.PrivateKey, public []byte, a *edwards25519.Scalar) {
	key = NewKey(make([]byte, 32))
	h := sha512.Sum512(key[:32])
	a, err := edwards25519.NewScalar().SetBytesWithClamping(h[:32])
	require.NoError(t, err)
	return key, key[32:], a
}

// rv-identity-key, rv-sign
func TestKeysAndSignaturesOfRFC8032(t *testing.T) {
	for _, c := range rfc8032 {
		key := NewKey(unhex(t, c.seed))
		require.Equal(t, unhex(t, c.seed+c.public), []byte(key))
		sig := Sign(key, unhex(t, c.message))
		require.Equal(t, unhex(t, c.sig), sig[:])
	}
}

// The standard library makes the same keys and signatures. rv-sign
func TestSignOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed")
		message := rapid.SliceOf(rapid.Byte()).Draw(t, "message")
		key := NewKey(seed)
		require.Equal(t, ed25519.NewKeyFromSeed(seed), key)
		sig := Sign(key, message)
		require.Equal(t, ed25519.Sign(key, message), sig[:])
		require.NoError(t, Verify(key[32:], message, sig[:]))
	})
}

func TestVerifyRFC8032(t *testing.T) {
	for _, c := range rfc8032 {
		k, message, sig := unhex(t, c.public), unhex(t, c.message), unhex(t, c.sig)
		require.NoError(t, Verify(k, message, sig))
		for i := range sig {
			for bit := range 8 {
				sig[i] ^= 1 << bit
				require.Error(t, Verify(k, message, sig))
				sig[i] ^= 1 << bit
			}
		}
		require.ErrorIs(t, Verify(k, append(message, 0), sig), ErrSignature)
	}
}

func TestVerifyLengths(t *testing.T) {
	key, public, _ := owner(t)
	sig := Sign(key, nil)
	long := append(sig[:], make([]byte, 64)...)
	for n := range len(long) {
		if n != 64 {
			require.ErrorContains(t, Verify(public, nil, long[:n]), "bytes, not 64")
		}
		if n != 32 {
			require.ErrorContains(t, Verify(append(public, long...)[:n], nil, sig[:]), "bytes, not 32")
		}
	}
	require.NoError(t, Verify(public, nil, sig[:]))
}

// S + L verifies where S is not checked: S and S + L are one signature in two forms. rv-verify-s
func TestVerifyRefusesLargeS(t *testing.T) {
	for _, c := range rfc8032 {
		k, message, sig := unhex(t, c.public), unhex(t, c.message), unhex(t, c.sig)
		large, _ := sum(sig[32:], order[:])
		require.ErrorIs(t, Verify(k, message, slices.Concat(sig[:32], large)), ErrSignature)
	}
	key, public, _ := owner(t)
	sig := Sign(key, nil)
	copy(sig[32:], order[:])
	require.ErrorIs(t, Verify(public, nil, sig[:]), ErrSignature)
	sig[32]--
	require.ErrorIs(t, Verify(public, nil, sig[:]), ErrSignature)
}

// The equation has no cofactor: a part of small order in R is refused, though eight times both sides are equal.
// rv-verify-equation
func TestVerifyHasNoCofactor(t *testing.T) {
	_, public, a := owner(t)
	r := uniform(t, 7)
	for i, small := range torsion(t) {
		R := new(edwards25519.Point).ScalarBaseMult(r)
		sig := craft(t, a, public, R.Add(R, small).Bytes(), r, []byte("message"))
		if i == 0 {
			require.NoError(t, Verify(public, []byte("message"), sig))
		} else {
			require.ErrorIs(t, Verify(public, []byte("message"), sig), ErrSignature)
		}
	}
}

// A key of small order verifies signatures that nobody made; circl and the standard library take the neutral element. No encoding of
// such a key is taken, nor any other that is not canonical. dht-item-ed25519
func TestVerifyRefusesKeys(t *testing.T) {
	zero := edwards25519.NewScalar()
	all := encodings(t)
	require.Len(t, all, 14, "the list in the CCTV test vectors")
	verified := 0
	for _, k := range all {
		for _, R := range all {
			for n := range byte(8) { // with k of small order S = 0 and R = −h·k verify for one message in eight or more, whoever signs
				sig := craft(t, zero, k, R, zero, []byte{n})
				if ed25519.Verify(k, []byte{n}, sig) {
					verified++
				}
				require.ErrorIs(t, Verify(k, []byte{n}, sig), ErrSignatureKey)
			}
		}
	}
	require.Positive(t, verified, "the hole that is closed here")

	_, public, _ := owner(t)
	for n := range 19 {
		for _, high := range []bool{false, true} {
			require.ErrorIs(t, Verify(aroundPrime(n, high), nil, slices.Concat(public, make([]byte, 32))), ErrSignatureKey, "p + %d", n)
		}
	}
	for n := 2; n < 50; n++ { // p − 1 is −1, of order 2
		require.ErrorIs(t, Verify(aroundPrime(-n, false), nil, slices.Concat(public, make([]byte, 32))), ErrSignature, "p − %d", n)
	}
}

// A signature with R of small order, right in the equation: who made it gave his key away. rv-verify-r
func TestVerifyRefusesSmallR(t *testing.T) {
	_, public, a := owner(t)
	for i, small := range torsion(t) {
		sig := craft(t, a, public, small.Bytes(), edwards25519.NewScalar(), nil)
		require.Equal(t, i == 0, ed25519.Verify(public, nil, sig))
		require.ErrorIs(t, Verify(public, nil, sig), ErrSignatureR)
		sig[31] ^= 0x80
		require.ErrorIs(t, Verify(public, nil, sig), ErrSignatureR)
	}
}

// An encoding of R that is not canonical is equal to none. rv-verify-equation
func TestVerifyRefusesOtherEncodingsOfR(t *testing.T) {
	_, public, a := owner(t)
	for n := range 19 { // p + 1 is the neutral element's
		for _, high := range []bool{false, true} {
			sig := craft(t, a, public, aroundPrime(n, high), edwards25519.NewScalar(), nil)
			require.ErrorIs(t, Verify(public, nil, sig), ErrSignature)
		}
	}
}

// judge says by the words of the spec, with points instead of bytes, whether a signature counts.
func judge(k, message, sig []byte) bool {
	neutral := edwards25519.NewIdentityPoint()
	A, err := new(edwards25519.Point).SetBytes(k)
	if err != nil || string(A.Bytes()) != string(k) || times(A, []byte{8}).Equal(neutral) == 1 {
		return false
	}
	R, err := new(edwards25519.Point).SetBytes(sig[:32])
	if err == nil && times(R, []byte{8}).Equal(neutral) == 1 {
		return false
	}
	return less([32]byte(sig[32:]), order) && ed25519.Verify(k, message, sig)
}

// Signatures with every kind of point, and a right S for them but for its form.
func TestVerifyOracle(t *testing.T) {
	small, others := torsion(t), encodings(t)
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		a, r := edwards25519.NewScalar(), edwards25519.NewScalar()
		encode := func(name string, s *edwards25519.Scalar) []byte {
			if rapid.IntRange(0, 3).Draw(t, name+" small") == 0 {
				return rapid.SampledFrom(others).Draw(t, name)
			}
			s.Set(uniform(t, rapid.Byte().Draw(t, name)))
			p := new(edwards25519.Point).ScalarBaseMult(s)
			if rapid.Bool().Draw(t, name+" mixed") {
				p.Add(p, rapid.SampledFrom(small).Draw(t, name+" part"))
			}
			return p.Bytes()
		}
		k, R := encode("A", a), encode("R", r)
		sig := craft(t, a, k, R, r, []byte("message"))
		if rapid.IntRange(0, 7).Draw(t, "L") == 0 {
			large, _ := sum(sig[32:], order[:])
			copy(sig[32:], large)
		}
		want := judge(k, []byte("message"), sig)
		require.Equal(t, want, Verify(k, []byte("message"), sig) == nil)
		if want {
			taken++
		}
	})
	require.Positive(t, taken)
}

func FuzzVerify(f *testing.F) {
	for _, c := range rfc8032 {
		f.Add(unhex(f, c.public), unhex(f, c.message), unhex(f, c.sig))
	}
	zero := edwards25519.NewScalar()
	_, public, a := owner(f)
	for _, e := range encodings(f) {
		f.Add(e, []byte{}, craft(f, zero, e, e, zero, nil))
		f.Add(public, []byte{}, craft(f, a, public, e, zero, nil))
	}
	f.Fuzz(func(t *testing.T, k, message, sig []byte) {
		err := Verify(k, message, sig)
		if len(k) != 32 || len(sig) != 64 {
			require.Error(t, err)
			return
		}
		require.Equal(t, judge(k, message, sig), err == nil)
	})
}
