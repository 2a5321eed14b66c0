package wire

import (
	"bytes"
	"crypto/ed25519"
	"testing"

	"github.com/stretchr/testify/require"
)

// The vectors of BEP 44, "Test vectors". Its private key is an expanded one, which crypto/ed25519 does not take; that the
// published signatures verify shows that the bytes are the right ones. wire-item-signed, wire-target-mutable, wire-target-immutable
func TestBEP44Vectors(t *testing.T) {
	key := unhex("77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548")
	v := []byte("12:Hello World!")
	for _, c := range []struct{ salt, signed, sig, target string }{
		{
			"", "3:seqi1e1:v12:Hello World!",
			`305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff
			 1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01`,
			"4a533d47ec9c7d95b1ad75f576cffc641853b750",
		}, {
			"foobar", "4:salt6:foobar3:seqi1e1:v12:Hello World!",
			`6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17d
			 df9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08`,
			"411eba73b6f087ca51a3795d9c8c938d365e32c1",
		},
	} {
		signed := AppendSigned(nil, []byte(c.salt), 1, v)
		require.Equal(t, c.signed, string(signed))
		require.True(t, ed25519.Verify(key, signed, unhex(c.sig)))
		require.Equal(t, c.target, MutableTarget(key, []byte(c.salt)).String())
	}
	require.Equal(t, "e5f96f6f38320f0f33959cb4d3d656452117aadb", ImmutableTarget(v).String())
}

// The targets of BEP 46, "Test vectors".
func TestBEP46Targets(t *testing.T) {
	key := unhex("8543d3e6115f0f98c944077a4493dcd543e49c739fd998550a1f614ab36ed63e")
	require.Equal(t, "cc3f9d90b572172053626f9980ce261a850d050b", MutableTarget(key, nil).String())
	require.Equal(t, "59ee7c2cb9b4f7eb1986ee2d18fd2fdb8a56554f", MutableTarget(key, []byte("n")).String())
}

func TestSaltOfAnyLength(t *testing.T) {
	key, salt := make([]byte, 32), bytes.Repeat([]byte("s"), 4000)
	require.Equal(t, ImmutableTarget(append(key, salt...)), MutableTarget(key, salt))
}

func TestItemsAllocateNothing(t *testing.T) {
	key, salt, v := make([]byte, 32), make([]byte, 64), []byte("12:Hello World!")
	b := make([]byte, 0, 1200)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		b = AppendSigned(b[:0], salt, 1<<62, v)
		MutableTarget(key, salt)
		ImmutableTarget(v)
	}))
}
