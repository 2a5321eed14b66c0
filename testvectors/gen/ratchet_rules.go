package gen

import "slices"

// rtWithKey puts another dh into the message that begins a chain. The chain is then what a receiver gets who takes that key.
func rtWithKey(key string) func(*rtLetter, rtState) {
	return func(l *rtLetter, to rtState) {
		l.dh = key
		_, l.ck, _ = rtKDFRoot(to.root, x25519(to.private, key))
	}
}

// rtKeyDamages are headers of which what they say is refused.
func rtKeyDamages() (all []rtDamage) {
	add := func(id, comment, reason, in, alone string, letter func(*rtLetter, rtState)) {
		all = append(all, rtDamage{id, comment, reason, in, alone, letter, nil})
	}
	const begins = "first new"
	other := x25519Public(new(secrets).bytes("", "rt other ratchet key", 32))

	const same = "rt-dh-same/"
	add(same+"other", "dh is another public key", malformed, "present older", "present-bob present-alice older-bob", func(l *rtLetter, _ rtState) { l.dh = other })
	add(same+"bit-255", "dh is the chain's, with bit 255: the same key to X25519", malformed, "present older", "present-bob older-alice", func(l *rtLetter, _ rtState) { l.dh = rtBit255(l.dh) })
	add(same+"zero", "dh is 32 zero bytes", malformed, "present older", "present-alice", func(l *rtLetter, _ rtState) { l.dh = zeros(32) })
	add(same+"own", "dh is the receiver's own", malformed, "present older", "present-bob", func(l *rtLetter, to rtState) { l.dh = to.public })
	add(same+"present", "dh is that of the present chain", malformed, "older", "older-bob", func(l *rtLetter, to rtState) { l.dh = to.dh })

	for i, k := range rtNotCanonical() {
		alone := "new-bob"
		if i < 3 {
			alone = "first-bob"
		}
		add("rt-dh-canonical/"+k.name, "dh is "+k.comment, malformed, begins, alone, rtWithKey(k.key))
	}
	add("rt-dh-canonical/bit-255", "dh is right, but for bit 255: the same key to X25519", malformed, begins, "first-bob first-alice new-bob", func(l *rtLetter, _ rtState) { l.dh = rtBit255(l.dh) })
	for i, k := range rtSmall() {
		alone := []string{"first-bob new-bob", "first-bob", "first-alice new-bob", "new-alice", "first-bob"}[i]
		add("rt-dh-zero/"+k.name, "dh is "+k.comment, malformed, begins, alone, rtWithKey(k.key))
	}

	pn := func(change func(to rtState) uint32) func(*rtLetter, rtState) {
		return func(l *rtLetter, to rtState) { l.pn = change(to) }
	}
	n := func(change func(to rtState) uint32) func(*rtLetter, rtState) {
		return func(l *rtLetter, to rtState) { l.n = change(to) }
	}
	// No chain is computed up to a number near 2^32: the body is that of the right message.
	far := func(number uint32) func(*rtLetter, rtState) {
		return func(l *rtLetter, _ rtState) {
			l.mk, _ = rtKDFChain(rtAdvanced(l.ck, l.n))
			l.n = number
		}
	}
	exactly := func(number uint32) func(rtState) uint32 { return func(rtState) uint32 { return number } }
	const max = 1<<32 - 1
	add("rt-pn/one-without-chain", "pn is 1", malformed, "first", "first-bob first-alice", pn(exactly(1)))
	add("rt-pn/1001-without-chain", "pn is 1,001: not a matter of limits", malformed, "first", "first-bob", pn(exactly(rtMostSkipped+1)))
	add("rt-pn/max-without-chain", "pn is 2^32 − 1", malformed, "first", "first-alice", pn(exactly(max)))
	add("rt-pn/one-less", "pn is one below the next expected number", malformed, "new", "new-bob new-alice", pn(func(to rtState) uint32 { return to.nr - 1 }))
	add("rt-pn/zero", "pn is 0", malformed, "new", "new-bob", pn(exactly(0)))

	const many = "rt-skip-limit/"
	add(many+"old-1001", "pn skips 1,001 keys of the old chain", limit, "new", "new-bob new-alice", pn(func(to rtState) uint32 { return to.nr + rtMostSkipped + 1 }))
	add(many+"old-max", "pn is 2^32 − 1", limit, "new", "new-bob", pn(exactly(max)))
	add(many+"old-sign", "pn is 2^31", limit, "new", "new-alice", pn(exactly(1<<31)))
	add(many+"new-1001", "n skips 1,001 keys of the new chain", limit, begins, "first-bob first-alice new-bob", n(exactly(rtMostSkipped+1)))
	add(many+"new-max", "n is 2^32 − 1", limit, begins, "first-bob new-alice", far(max))
	add(many+"new-sign", "n is 2^31", limit, begins, "first-alice", far(1<<31))
	add(many+"present-1001", "n skips 1,001 keys", limit, "present", "present-bob present-alice", n(func(to rtState) uint32 { return to.nr + rtMostSkipped + 1 }))
	add(many+"present-max", "n is 2^32 − 1", limit, "present", "present-bob", far(max))
	add(many+"present-sign", "n is 2^31", limit, "present", "present-alice", far(1<<31))

	const once = "rt-message-once/"
	add(once+"opened-number", "another message under a number that has opened", replay, "present older", "present-bob older-bob", n(exactly(0)))
	add(once+"never-sent", "a number that the chain never reached", replay, "older", "older-bob older-alice", n(exactly(9)))
	add(once+"max", "n is 2^32 − 1", replay, "older", "older-bob", far(max))
	return all
}

// rtOrderDamages break two rules at once: the one that stands first decides.
func rtOrderDamages() (all []rtDamage) {
	add := func(id, comment, reason, in, alone string, changes ...func(*rtLetter, rtState)) {
		all = append(all, rtDamage{id, comment, reason, in, alone, func(l *rtLetter, to rtState) {
			for _, change := range changes {
				change(l, to)
			}
		}, nil})
	}
	const begins = "first new"
	other := func(l *rtLetter, _ rtState) { l.dh = x25519Public(zeros(32)) }
	body := func(l *rtLetter, _ rtState) { l.mk = zeros(32) }
	n := func(number uint32) func(*rtLetter, rtState) { return func(l *rtLetter, _ rtState) { l.n = number } }
	tooFar := n(2 * rtMostSkipped)
	notCanonical, small := rtWithKey(rtNotCanonical()[2].key), rtWithKey(rtSmall()[2].key)

	add("rt-dh-same/before-once", "another dh, and a number that has opened", malformed, "present older", "present-bob older-bob", other, n(0))
	add("rt-dh-same/before-limit", "another dh, and a number too far ahead", malformed, "present", "present-alice", other, tooFar)
	add("rt-dh-same/before-body", "another dh, and a body under another key", malformed, "present older", "present-bob", other, body)
	add("rt-message-once/before-body", "a number that has opened, and a body under another key", replay, "present older", "present-bob older-alice", n(0), body)
	add("rt-dh-canonical/before-limit", "dh is p + 9, and n too far ahead", malformed, begins, "first-bob new-bob", notCanonical, tooFar)
	add("rt-dh-canonical/before-body", "dh is p + 9, and the body under another key", malformed, begins, "new-alice", notCanonical, body)
	add("rt-pn/before-limit", "pn is 1 without a chain, and n too far ahead", malformed, "first", "first-bob", func(l *rtLetter, _ rtState) { l.pn = 1 }, tooFar)
	add("rt-pn/below-before-limit", "pn is 1, below the next expected number, and n too far ahead", malformed, "new", "new-bob", func(l *rtLetter, _ rtState) { l.pn = 1 }, tooFar)
	add("rt-pn/before-body", "pn is 1, which cannot be, and the body under another key", malformed, begins, "first-alice new-alice", func(l *rtLetter, _ rtState) { l.pn = 1 }, body)
	add("rt-skip-limit/before-zero", "dh has order 8, and n is too far ahead", limit, begins, "first-bob new-bob", small, tooFar)
	add("rt-skip-limit/before-body", "n too far ahead, and the body under another key", limit, "first present new", "first-alice present-bob", tooFar, body)
	add("rt-dh-zero/before-body", "dh has order 8, and the body is under another key", malformed, begins, "first-bob new-bob", small, body)
	return all
}

// rtUnlooked are messages that break no rule, though they may look as if they did.
func rtUnlooked() (all []vector) {
	take := func(id, comment string, situation rtSituation, change func(*rtLetter, rtState)) {
		s := rtTell(id, comment, "bob")
		letter := situation.begin(s.bob, s.alice)(0)
		change(&letter, s.bob.state)
		s.bob.opens(letter.seal(), situation.name != "older")
		all = append(all, s.accepted())
	}
	present, begins, older := rtSituations[1], rtSituations[2], rtSituations[3]
	for _, k := range slices.Concat(rtUnusual(), rtNextToP()) {
		take("rt-dh-canonical/"+k.name, "dh is "+k.comment+"; no rule refuses it", begins, rtWithKey(k.key))
	}
	take("rt-dh-canonical/same-again", "a new chain whose dh is that of the one before: the header key says that it is new", begins,
		func(l *rtLetter, to rtState) { rtWithKey(to.dh)(l, to) })
	take("rt-pn/next-expected", "pn is the next expected number: nothing is skipped in the old chain", begins, func(l *rtLetter, to rtState) { l.pn = to.nr })
	take("rt-pn/present", "pn is looked at when a chain begins: later in it, it may be anything", present, func(l *rtLetter, _ rtState) { l.pn = 1<<32 - 1 })
	take("rt-pn/older", "pn of a message of an older chain is not looked at", older, func(l *rtLetter, _ rtState) { l.pn = 77 })
	take("rt-skip-limit/512", "numbers from 512 on are no sender's, but only the sender is bound", present, func(l *rtLetter, _ rtState) { l.n = rtMostSent })
	return all
}
