package ratchet

import (
	"crypto/sha256"
	"encoding/binary"
)

// Snapshot returns a hash of everything that s is, but for where it draws from. Two calls return the same if and only if nothing has
// changed in between, which is how a test shows that a refused message left no trace.
func (s *State) Snapshot() [sha256.Size]byte {
	h := sha256.New()
	number := func(n uint64) { h.Write(binary.BigEndian.AppendUint64(nil, n)) }
	flag := func(is bool) {
		if is {
			number(1)
		} else {
			number(0)
		}
	}
	from := func(c *source) {
		number(c.number)
		h.Write(c.dh[:])
		h.Write(c.header[:])
	}

	flag(s.random != nil)
	flag(s.sends)
	for _, n := range []uint64{s.sending.n, uint64(s.previous), s.receiving.n} {
		number(n)
	}
	for _, k := range []*[32]byte{
		&s.ad, &s.root, &s.private, &s.public,
		&s.sending.key, &s.sendHeader, &s.nextSendHeader, &s.receiving.key, &s.nextRecvHeader,
	} {
		h.Write(k[:])
	}
	from(&s.newest)
	for i := range s.old {
		from(&s.old[i])
	}
	for i := range s.skipped {
		k := &s.skipped[i]
		number(k.chain)
		number(uint64(k.n))
		h.Write(k.key[:])
	}
	return [sha256.Size]byte(h.Sum(nil))
}
