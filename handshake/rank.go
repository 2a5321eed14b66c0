package handshake

import "cmp"

// A Rank decides which of two handshakes of a pair lives, in the same way at both ends.
type Rank struct {
	Time      uint64    // of the knock, Unix milliseconds
	Initiator PublicKey // IK_I
}

// Compare returns a positive number if r is higher than other: the later knock, and of two at the same millisecond the one
// whose initiator's key is smaller. It returns 0 if they are the same.
func (r Rank) Compare(other Rank) int { // hs-rank-present, hs-rank-out
	return cmp.Or(cmp.Compare(r.Time, other.Time), other.Initiator.Compare(r.Initiator))
}
