package gen

import "math/big"

// rtNextToP are keys that no rule refuses, though all but a byte or two of them are those of p: whoever compares byte by byte has to
// look at the right ones, from the right end.
func rtNextToP() []rtKey {
	less := func(bits int64) *big.Int { return new(big.Int).Sub(prime, power(2, bits)) }
	return []rtKey{
		{"p-less-second", "p − 2^8: the second byte is one less", toLittle(less(8))},
		{"p-less-middle", "p − 2^128: a byte in the middle is one less", toLittle(less(128))},
		{"p-less-last", "p − 2^248: the last byte is one less", toLittle(less(248))},
		{"ones-less-middle", "2^255 − 1 − 2^128: the first byte is above p's, and one in the middle below", toLittle(plusInt(less(128), 18))},
		{"ones-less-last", "2^255 − 1 − 2^248: the first byte is above p's, and the last one below", toLittle(plusInt(less(248), 18))},
	}
}

// rtDrained are chains whose keys are used in any order, until none is left.
func rtDrained() (all []vector) {
	var s *rtStory
	var p, q *rtParty
	begin := func(id, comment string, also ...string) {
		s = rtTell(id, comment, "bob")
		s.also = also
		p, q = s.bob, s.alice
		rtMeet(p)
	}
	// three older chains, of which keys 1 to 3 are kept, and the present one, which has begun.
	three := func() {
		for range 3 {
			p.hears(q.sends(4))
			p.turn()
			p.hears(q.sends(0))
		}
	}
	begin("rt-skipped-kept/any-order", "keys of three older chains are used in any order; each chain is known as long as it has one, and no longer",
		"rt-message-once", "rt-header-seal")
	three()
	p.hearsLate(q.sent(1, 2))
	p.refuses(q.sent(1, 2), replay)
	p.hearsLate(q.sent(0, 3))
	p.hearsLate(q.sent(2, 1))
	p.hearsLate(q.sent(1, 1))
	p.hearsLate(q.sent(0, 1))
	p.refuses(q.sent(0, 3), replay)
	p.refuses(q.sent(0, 1), replay)
	p.hearsLate(q.sent(1, 3))
	for _, n := range []uint32{1, 2, 3, 0} {
		p.refuses(q.sent(1, n), authentication)
	}
	p.hearsLate(q.sent(0, 2))
	p.refuses(q.sent(0, 2), authentication)
	p.refuses(q.sent(2, 1), replay)
	p.hearsLate(q.sent(2, 3))
	p.hearsLate(q.sent(2, 2))
	p.refuses(q.sent(2, 3), authentication)
	p.hears(q.sends(1))
	all = append(all, s.accepted())

	begin("rt-skipped-chains/emptied-present", "the present chain loses its last key before it is an older one: it is forgotten then, and the others stay",
		"rt-header-seal")
	three()
	p.hears(q.sends(2))
	p.hearsLate(q.sent(3, 1))
	p.refuses(q.sent(3, 1), replay)
	p.turn()
	p.hears(q.sends(0))
	p.refuses(q.sent(3, 1), authentication)
	p.hearsLate(q.sent(0, 1))
	p.hearsLate(q.sent(2, 3))
	all = append(all, s.accepted())

	// 2,000 keys are kept: 1 to 1,000 of chain 0 and 0 to 999 of chain 1. Two are used, in the middle and at the end; five more come.
	begin("rt-skipped-total/after-use", "keys that were used before change nothing about which goes first: the three lowest", "rt-message-once")
	p.hears(q.sends(1001))
	p.turn()
	p.hears(q.sends(1000))
	p.hearsLate(q.sent(0, 500))
	p.hearsLate(q.sent(0, 1000))
	p.hears(q.sends(1006))
	p.refuses(q.sent(0, 3), replay)
	p.refuses(q.sent(0, 1), replay)
	p.hearsLate(q.sent(0, 4))
	p.hearsLate(q.sent(0, 999))
	p.hearsLate(q.sent(1, 0))
	p.hearsLate(q.sent(1, 1005))
	all = append(all, s.accepted())
	return all
}
