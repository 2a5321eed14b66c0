package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kith/handshake"
	"kith/peer"
)

func TestNames(t *testing.T) {
	for _, name := range []string{"bob", "Jürgen", "山田", "b.ob-2", "😀", strings.Repeat("x", mostName), "kith", "mean"} {
		require.NoError(t, checkName(name), name)
	}
	for name, says := range map[string]string{
		"": "at least one", "two words": "one word", "tab\t": "one word", "/quit": "begin with /", "kith1x": "kith1", "KITH1": "kith1", "me": "what you are called", "Me": "what you are called",
		strings.Repeat("x", mostName+1): "columns", strings.Repeat("x", peer.MaxName+1): "bytes", strings.Repeat("山", 13): "columns",
		"a\x1b[31m": "can be seen", "a\u202eb": "can be seen", "a\xff": "can be seen", "\u200b": "can be seen", "a\x00": "can be seen",
	} {
		require.ErrorContains(t, checkName(name), says, "%q", name)
	}
}

// contactKeys are valid keys, and their addresses.
func contactKeys(t *testing.T, n int) (keys []handshake.PublicKey, addresses []string) {
	for i := range n {
		var seed [32]byte
		seed[0] = byte(i + 1)
		id, err := handshake.NewIdentity(seed[:])
		require.NoError(t, err)
		keys, addresses = append(keys, id.PublicKey()), append(addresses, id.PublicKey().String())
	}
	return keys, addresses
}

func TestBookFindsByNameAndAddress(t *testing.T) {
	keys, addresses := contactKeys(t, 4)
	b := bookOf([]peer.Contact{{Key: keys[0], Name: "Bob"}, {Key: keys[1]}, {Key: keys[2], Name: "carol", Blocked: true}})
	for word, key := range map[string]handshake.PublicKey{
		"Bob": keys[0], "bob": keys[0], addresses[0]: keys[0], addresses[1]: keys[1], strings.ToUpper(addresses[1]): keys[1], "CAROL": keys[2],
	} {
		c, err := b.find(word)
		require.NoError(t, err, word)
		require.Equal(t, key, c.Key, word)
	}
	mixed := strings.Replace(addresses[0], "kith1", "Kith1", 1)
	for word, says := range map[string]string{
		"": "no contact has this name", "dave": "no contact has this name", addresses[3]: "is no contact", mixed: "capital", addresses[0][:20]: "address",
	} {
		_, err := b.find(word)
		require.ErrorContains(t, err, says, word)
		require.NotContains(t, err.Error(), "dave")
		require.NotContains(t, err.Error(), addresses[3])
	}
	require.Equal(t, who{addresses[0], "Bob"}, b.who(keys[0]))
	require.Equal(t, who{addresses[1], ""}, b.who(keys[1]))
	require.Equal(t, who{addresses[3], ""}, b.who(keys[3]))

	require.NoError(t, b.free("bob", keys[0]), "his own")
	require.ErrorContains(t, b.free("BOB", keys[1]), "another contact")
	for address, says := range map[string]string{
		addresses[0]: "a contact already", addresses[2]: "unblock", addresses[3]: "your own address", "kith1x": "address",
	} {
		_, err := b.newcomer(address, "", keys[3])
		require.ErrorContains(t, err, says)
	}
	_, err := b.newcomer(addresses[3], "bob", keys[0])
	require.ErrorContains(t, err, "another contact")
	key, err := b.newcomer(addresses[3], "dave", keys[0])
	require.NoError(t, err)
	require.Equal(t, keys[3], key)
}
