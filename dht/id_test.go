package dht

import (
	"encoding/hex"
	"math/big"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kith/wire"
)

// The vectors of BEP 42: the last byte of each id is the random number.
func TestPublishedIDs(t *testing.T) {
	for _, v := range []struct{ addr, id string }{
		{"124.31.75.21", "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401"},
		{"21.75.31.124", "5a3ce9c14e7a08645677bbd1cfe7d8f956d53256"},
		{"65.23.51.170", "a5d43220bc8f112a3d426c84764f8c2a1150e616"},
		{"84.124.73.14", "1b0321dd1bb1fe518101ceef99462b947a01ff41"},
		{"43.213.53.83", "e56f6cbf5b7c4be0237986d5243b87aa6d51305a"},
	} {
		b, err := hex.DecodeString(v.id)
		require.NoError(t, err)
		id, a := wire.ID(b), netip.MustParseAddr(v.addr)
		require.True(t, Fits(id, a), v.addr)
		require.True(t, Fits(id, netip.AddrFrom16(a.As16())), v.addr)
		require.Equal(t, id, IDFor(a, id), v.addr)
		for i := range 21 { // each of the bits counts
			other := id
			setBit(&other, i, !bit(&id, i))
			require.False(t, Fits(other, a), "%s without bit %d", v.addr, i)
		}
		other := id
		setBit(&other, 21, !bit(&id, 21))
		require.True(t, Fits(other, a), "%s: bit 21 does not count", v.addr)
	}
}

func TestLocalAddressesAreExempt(t *testing.T) {
	for _, a := range []string{"10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.0.1", "127.0.0.1", "127.255.1.2", "fc00::1", "fdff::1", "fe80::1", "::1"} {
		require.True(t, Fits(wire.ID{1, 2, 3}, netip.MustParseAddr(a)), a)
	}
	for _, a := range []string{"11.1.2.3", "172.32.0.1", "192.169.1.1", "128.0.0.1", "100.64.0.1", "2a00::1"} {
		require.False(t, Fits(wire.ID{1, 2, 3}, netip.MustParseAddr(a)), a)
	}
}

func TestIDsOfIPv6(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ip := [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "ip"))
		ip[0] = 0x2a
		id := IDFor(netip.AddrFrom16(ip), wire.ID(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "random")))
		require.True(t, Fits(id, netip.AddrFrom16(ip)))
		for i := 8; i < 16; i++ {
			ip[i] = ^ip[i]
		}
		require.True(t, Fits(id, netip.AddrFrom16(ip)), "the lower half counts")
		ip[7] ^= 1
		require.False(t, Fits(id, netip.AddrFrom16(ip)), "the upper half does not count")
	})
}

func drawID(t *rapid.T, name string) (id wire.ID) {
	copy(id[:], rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, name))
	return id
}

func TestDistanceIsANumber(t *testing.T) {
	number := func(id wire.ID) *big.Int { return new(big.Int).SetBytes(id[:]) }
	rapid.Check(t, func(t *rapid.T) {
		target, a, b := drawID(t, "target"), drawID(t, "a"), drawID(t, "b")
		if rapid.Bool().Draw(t, "alike") { // so that the first 8 bytes do not always decide
			copy(b[:12], a[:12])
		}
		da, db := Distance(target, a), Distance(target, b)
		require.Equal(t, number(da), new(big.Int).Xor(number(target), number(a)))
		require.Equal(t, number(da).Cmp(number(db)) < 0, closer(&target, &a, &b))
		require.False(t, closer(&target, &a, &a))
		require.Equal(t, idBits-number(da).BitLen(), commonPrefix(&target, &a))
	})
}
