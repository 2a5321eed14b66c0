package ratchet

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
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

// mac may be given its key or its message as the place for its result.
func TestMAC(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key, msg := drawKey(t, "key"), drawKey(t, "msg")
		more := rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, "more")
		h := hmac.New(sha256.New, key[:])
		h.Write(msg[:])
		h.Write(more)
		want := h.Sum(nil)
		inMsg := msg
		mac(&inMsg, &key, inMsg[:], more)
		require.Equal(t, want, inMsg[:])
		mac(&key, &key, msg[:], more)
		require.Equal(t, want, key[:])
	})
}

// Both labels leave room for the block's number, and a block of the expansion with the label fits into one call of mac.
func TestLabelsFit(t *testing.T) {
	for _, label := range []string{labelRoot, labelMessage} {
		require.LessOrEqual(t, len(label)+1, 32)
	}
}

// The standard library agrees on the same.
func TestX25519(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawKey(t, "a"), drawKey(t, "b")
		theirs, err := ecdh.X25519().NewPrivateKey(b[:])
		require.NoError(t, err)
		ours, err := ecdh.X25519().NewPrivateKey(a[:])
		require.NoError(t, err)
		want, err := ours.ECDH(theirs.PublicKey())
		require.NoError(t, err)

		public := publicKey(&b)
		require.Equal(t, theirs.PublicKey().Bytes(), public[:])
		shared, ok := agree(&a, &public)
		require.True(t, ok)
		require.Equal(t, want, shared[:])
	})
}

// p is 2²⁵⁵ − 19.
var p = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))

func littleEndian(n *big.Int) (b [32]byte) {
	n.FillBytes(b[:])
	slices.Reverse(b[:])
	return b
}

func TestCanonical(t *testing.T) {
	for _, d := range []int64{-257, -256, -20, -2, -1} {
		u := littleEndian(new(big.Int).Add(p, big.NewInt(d)))
		require.True(t, canonical(&u), "p%d", d)
		u[31] |= 0x80
		require.False(t, canonical(&u), "bit 255 of p%d", d)
	}
	for d := range int64(19) {
		u := littleEndian(new(big.Int).Add(p, big.NewInt(d)))
		require.False(t, canonical(&u), "p+%d", d)
	}
	for i := range 31 {
		u := littleEndian(new(big.Int).Add(p, big.NewInt(18))) // 2²⁵⁵ − 1
		require.False(t, canonical(&u))
		u[i+1]--
		require.True(t, canonical(&u), "byte %d", i+1)
	}
	rapid.Check(t, func(t *rapid.T) {
		u := drawKey(t, "u")
		for i := range rapid.IntRange(0, 32).Draw(t, "near p") {
			u[31-i] = 0xff
		}
		u[31] &= rapid.SampledFrom([]byte{0xff, 0x7f}).Draw(t, "top")
		be := slices.Clone(u[:])
		slices.Reverse(be)
		require.Equal(t, new(big.Int).SetBytes(be).Cmp(p) < 0, canonical(&u))
	})
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

func TestSmallOrderAgreesOnNothing(t *testing.T) {
	private := secret("private")
	for _, u := range smallOrder {
		require.True(t, canonical(&u))
		shared, ok := agree(&private, &u)
		require.False(t, ok)
		require.Zero(t, shared)
	}
}
