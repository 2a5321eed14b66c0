package ratchet

import (
	"cmp"
	"slices"
)

// skippedKeys are the keys of missing messages, sorted by chain and number, which is also by age: new ones come to the end.
type skippedKeys []skippedKey

type skippedKey struct {
	chain uint64 // the number of the receiving chain, from 1
	n     uint32 // the number of the message in it
	key   [32]byte
}

// find returns where in k the key of message n of a chain is or would be, and whether it is there.
func (k skippedKeys) find(chain uint64, n uint32) (int, bool) {
	return slices.BinarySearchFunc(k, n, func(a skippedKey, n uint32) int {
		return cmp.Or(cmp.Compare(a.chain, chain), cmp.Compare(a.n, n))
	})
}

// has reports whether there is a key of a chain.
func (k skippedKeys) has(chain uint64) bool {
	i, _ := k.find(chain, 0)
	return i < len(k) && k[i].chain == chain
}

// add copies fresh to the end of k. Before, it erases the keys of chains older than oldest, and then as many of the oldest as
// would be more than MaxSkipped.
func (k *skippedKeys) add(fresh skippedKeys, oldest uint64) {
	gone, _ := k.find(oldest, 0)                    // rt-skipped-chains
	gone = max(gone, len(*k)+len(fresh)-MaxSkipped) // rt-skipped-total
	k.remove(0, gone)
	if n := len(*k) + len(fresh); n > cap(*k) { // append would leave keys behind in the array it leaves
		more := make(skippedKeys, len(*k), min(2*n, MaxSkipped))
		copy(more, *k)
		k.erase()
		*k = more
	}
	*k = append(*k, fresh...) // rt-skipped-kept
}

// remove erases the keys from i to before j. Without any the array is given back.
func (k *skippedKeys) remove(i, j int) {
	*k = slices.Delete(*k, i, j) // clears what it leaves behind
	if len(*k) == 0 {
		*k = nil
	}
}

// erase overwrites all keys with zeros, and gives the array back.
func (k *skippedKeys) erase() {
	clear((*k)[:cap(*k)])
	*k = nil
}
