package ratchet

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kith/internal/curve25519"
)

func drawKey(t *rapid.T, label string) [32]byte {
	return [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, label))
}

// The standard library derives the same.
func TestKDFs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawKey(t, "a"), drawKey(t, "b")

		rk, ck, nhk := KDFRoot(&a, &b)
		want, err := hkdf.Key(sha256.New, b[:], a[:], "kith/1 root\x00", 96)
		require.NoError(t, err)
		require.Equal(t, want, slices.Concat(rk[:], ck[:], nhk[:]))

		key, nonce := KDFMessage(&a)
		want, err = hkdf.Key(sha256.New, a[:], make([]byte, 32), "kith/1 message\x00", 44)
		require.NoError(t, err)
		require.Equal(t, want, slices.Concat(key[:], nonce[:]))

		mk, next := KDFChain(&a)
		h := hmac.New(sha256.New, a[:])
		h.Write([]byte{1})
		require.Equal(t, h.Sum(nil), mk[:])
		h.Reset()
		h.Write([]byte{2})
		require.Equal(t, h.Sum(nil), next[:])
	})
}

// publicKey returns the X25519 public key of private.
func publicKey(private *[32]byte) [32]byte { return curve25519.Public(private) }

// p is 2²⁵⁵ − 19.
var p = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))

func littleEndian(n *big.Int) (b [32]byte) {
	n.FillBytes(b[:])
	slices.Reverse(b[:])
	return b
}

// smallOrder are the canonical u-coordinates that give zeros with every private key: 0, 1, the two points of order 8, and p − 1 on the
// twist (RFC 7748, section 7, and https://cr.yp.to/ecdh.html).
var smallOrder = [][32]byte{
	{},
	{1},
	fromHex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
	fromHex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
	fromHex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
}

func fromHex(s string) [32]byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return [32]byte(b)
}
