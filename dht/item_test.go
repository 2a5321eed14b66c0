package dht

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"kith/wire"
)

// unhex returns the bytes that s spells.
func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

// The published items of BEP 44.
func TestPublishedItems(t *testing.T) {
	key := [32]byte(unhex(t, "77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548"))
	for _, v := range []struct{ salt, sig, target string }{
		{"", "305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01", "4a533d47ec9c7d95b1ad75f576cffc641853b750"},
		{"foobar", "6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17ddf9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08", "411eba73b6f087ca51a3795d9c8c938d365e32c1"},
	} {
		i := Item{Value: []byte("12:Hello World!"), Mutable: true, Key: key, Sig: [64]byte(unhex(t, v.sig)), Salt: []byte(v.salt), Seq: 1}
		require.NoError(t, i.Check())
		require.Equal(t, v.target, i.Target().String())
	}
	i := Item{Value: []byte("12:Hello World!")}
	require.NoError(t, i.Check())
	require.Equal(t, "e5f96f6f38320f0f33959cb4d3d656452117aadb", i.Target().String())
}

func TestSignItem(t *testing.T) {
	i, err := SignItem(owner, []byte("salt"), 7, []byte("5:hello"))
	require.NoError(t, err)
	require.Equal(t, signed("salt", 7, "5:hello"), i)
	_, err = SignItem(owner, nil, 7, []byte("5:hell"))
	require.ErrorIs(t, err, ErrMalformed)
	require.ErrorIs(t, err, wire.ErrMalformed)
	_, err = SignItem(owner, make([]byte, 65), 7, []byte("5:hello"))
	require.ErrorIs(t, err, ErrLimit)
}

// The rules are those of internal/curve25519, where they are tested. Here they are in force. dht-item-ed25519
func TestSignaturesThatDoNotCount(t *testing.T) {
	order := unhex(t, "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
	for name, change := range map[string]func(*Item){
		"another signature": func(i *Item) { i.Sig[0] ^= 1 },
		"S + L": func(i *Item) { // the same signature in another form
			carry := 0
			for n := range order {
				carry += int(i.Sig[32+n]) + int(order[n])
				i.Sig[32+n], carry = byte(carry), carry>>8
			}
		},
		// The neutral element as k and R satisfies the equation with S = 0 for every item, whoever puts it.
		"k of order 1": func(i *Item) { i.Key, i.Sig = [32]byte{1}, [64]byte{1} },
		"k of order 1 as p + 1": func(i *Item) {
			i.Key, i.Sig = [32]byte(unhex(t, "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")), [64]byte{1}
		},
		"R of order 1": func(i *Item) { i.Sig = [64]byte{1} },
	} {
		i := signed("salt", 7, "5:hello")
		require.NoError(t, i.Check())
		change(&i)
		require.ErrorIs(t, i.Check(), ErrAuthentication, name)
		require.False(t, verifyItem(i.Key[:], i.Sig[:], i.Salt, i.Seq, i.Value), name)
	}
	i := signed("salt", 7, "5:hello")
	require.True(t, verifyItem(i.Key[:], i.Sig[:], i.Salt, i.Seq, i.Value))
}
