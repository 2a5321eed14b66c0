package gen

// rtSkips are how much one message may skip. Senders stop at 512, so what goes beyond is written as somebody would who does not.
func rtSkips() (all []vector) {
	all = rtUnlooked()
	for _, name := range rtNames {
		var s *rtStory
		var p, q *rtParty
		begin := func(id, comment string) {
			s = rtTell(id+"-"+name, comment, name)
			p, q = s.party(name), s.party(name).other()
			rtMeet(p)
		}
		add := func() { all = append(all, s.accepted()) }
		const most = "rt-skip-limit/"

		begin(most+"present-1000", "message 1,001 when 1 is expected: 1,000 are skipped, the first and the last of them open")
		p.hears(q.sends(1001))
		p.hearsLate(q.sent(0, 1))
		p.hearsLate(q.sent(0, 1000))
		add()
		s = rtTell(most+"first-1000-"+name, "message 1,000 of the first chain comes first", name)
		p, q = s.party(name), s.party(name).other()
		if name == "alice" {
			q.hears(p.says())
		}
		p.hears(q.sends(1000))
		p.hearsLate(q.sent(0, 0))
		p.hearsLate(q.sent(0, 999))
		add()
		if name == "alice" { // the limits know no sides
			continue
		}
		begin(most+"old-1000", "pn is 1,001 when 1 is expected")
		q.sends(1000)
		p.turn()
		p.hears(q.sends(0))
		p.hearsLate(q.sent(0, 1))
		p.hearsLate(q.sent(0, 1000))
		add()
		begin(most+"both-1000", "1,000 keys of the old chain and 1,000 of the new one: each chain counts alone")
		s.also = []string{"rt-skipped-total"}
		q.sends(1000)
		p.turn()
		p.hears(q.sends(1000))
		p.hearsLate(q.sent(0, 1))
		p.hearsLate(q.sent(0, 1000))
		p.hearsLate(q.sent(1, 0))
		p.hearsLate(q.sent(1, 999))
		add()
	}
	return append(all, rtCounts()...)
}

// rtCounts are what a message is said to skip.
func rtCounts() (all []vector) {
	var s *rtStory
	var p, q *rtParty
	begin := func(id, comment string) {
		s = rtTell(id, comment, "bob")
		p, q = s.bob, s.alice
		rtMeet(p)
	}
	add := func() { all = append(all, s.accepted()) }
	const count = "rt-skip-count/"

	begin(count+"kept-before", "keys that are kept already do not count")
	p.hears(q.sends(6))
	p.hearsLate(q.sent(0, 2))
	p.hears(q.sends(1007))
	p.hearsLate(q.sent(0, 1))
	p.hearsLate(q.sent(0, 7))
	add()
	begin(count+"kept-before-one-more", "7 is expected, 1,008 comes: a late message between has not changed what is expected")
	p.hears(q.sends(6))
	p.hearsLate(q.sent(0, 2))
	p.refuses(q.sends(1008), limit)
	all = append(all, s.refused(count+"kept-before"))
	begin(count+"each-message", "1,000 keys are skipped twice in one chain: the limit is a message's")
	p.hears(q.sends(1001))
	p.hears(q.sends(2002))
	p.hearsLate(q.sent(0, 1))
	p.hearsLate(q.sent(0, 2001))
	add()
	begin(count+"old-kept", "in the old chain too only what lies beyond the next expected number counts")
	p.hears(q.sends(6))
	q.sends(1006)
	p.turn()
	p.hears(q.sends(1))
	p.hearsLate(q.sent(0, 1))
	p.hearsLate(q.sent(0, 1006))
	add()
	begin(count+"old-kept-one-more", "pn is 1,008 when 7 is expected")
	p.hears(q.sends(6))
	q.sends(1007)
	p.turn()
	p.refuses(q.sends(1), limit)
	all = append(all, s.refused(count+"old-kept"))
	begin(count+"apart-one-more", "1,000 keys of the old chain, and 1,001 of the new one")
	q.sends(1000)
	p.turn()
	p.refuses(q.sends(1001), limit)
	all = append(all, s.refused("rt-skip-limit/both-1000-bob"))
	return all
}

// rtBounds are how much is kept.
func rtBounds() (all []vector) {
	for _, name := range rtNames {
		all = append(all, rtTotals(name)...)
	}
	return append(all, rtChains()...)
}

func rtTotals(name string) (all []vector) {
	const total = "rt-skipped-total/"
	// full is how 2,000 keys come to be kept: 1 to 1,000 of chain 0 and 0 to 999 of chain 1.
	full := func(id, comment string) (s *rtStory, p, q *rtParty) {
		s = rtTell(id+"-"+name, comment, name)
		p, q = s.party(name), s.party(name).other()
		rtMeet(p)
		p.hears(q.sends(1001))
		p.turn()
		p.hears(q.sends(1000))
		return s, p, q
	}
	s, p, q := full(total+"2001", "one more erases the oldest chain's lowest number, and nothing else")
	p.hears(q.sends(1002))
	p.hearsLate(q.sent(0, 2))
	p.hearsLate(q.sent(1, 0))
	p.hearsLate(q.sent(1, 1001))
	all = append(all, s.accepted())
	s, p, q = full(total+"2001-oldest", "one more erases the oldest chain's lowest number: the chain is still known")
	p.hears(q.sends(1002))
	p.refuses(q.sent(0, 1), replay)
	all = append(all, s.refused(total+"2001-"+name))
	if name == "alice" { // nor do the bounds
		return all
	}

	s, p, q = full(total+"2000", "2,000 keys are kept, all of them")
	p.hearsLate(q.sent(0, 1))
	p.hearsLate(q.sent(0, 1000))
	p.hearsLate(q.sent(1, 0))
	p.hearsLate(q.sent(1, 999))
	all = append(all, s.accepted())

	s, p, q = full(total+"used", "a key that was used makes room: one more erases nothing")
	p.hearsLate(q.sent(0, 7))
	p.hears(q.sends(1002))
	p.hearsLate(q.sent(0, 1))
	all = append(all, s.accepted())

	s, p, q = full(total+"refused", "a refused message would have skipped 1,000 more: it erases nothing")
	s.also = []string{"rt-failure-nothing"}
	p.refuses(flipped(q.sends(2001), -1, 1), authentication)
	p.hearsLate(q.sent(0, 1))
	all = append(all, s.accepted())

	s, p, q = full(total+"whole-chain", "1,000 more erase the oldest chain; the next one is whole")
	p.hears(q.sends(2001))
	p.hearsLate(q.sent(1, 0))
	p.hearsLate(q.sent(1, 2000))
	all = append(all, s.accepted())
	s, p, q = full(total+"whole-chain-gone", "1,000 more erase the oldest chain, with its header key")
	s.also = []string{"rt-header-seal"}
	p.hears(q.sends(2001))
	p.refuses(q.sent(0, 1000), authentication)
	all = append(all, s.refused(total+"whole-chain-"+name))

	s, p, q = full(total+"at-a-turn", "2 more in the old chain and 3 in the new one erase the 5 lowest of the oldest")
	p.hears(q.sends(1001))
	q.sends(1003)
	p.turn()
	p.hears(q.sends(3))
	p.refuses(q.sent(0, 5), replay)
	p.hearsLate(q.sent(0, 6))
	p.hearsLate(q.sent(1, 1003))
	p.hearsLate(q.sent(2, 0))
	all = append(all, s.accepted())

	one := func(id, comment string) (s *rtStory, p, q *rtParty) {
		s = rtTell(id+"-"+name, comment, name)
		p, q = s.party(name), s.party(name).other()
		rtMeet(p)
		p.hears(q.sends(1001))
		p.hears(q.sends(2002))
		p.hears(q.sends(2504))
		return s, p, q
	}
	s, p, q = one(total+"present", "2,501 keys of the present chain: its own lowest 501 are erased")
	p.hearsLate(q.sent(0, 502))
	p.hearsLate(q.sent(0, 2503))
	all = append(all, s.accepted())
	s, p, q = one(total+"present-erased", "2,501 keys of the present chain: number 501 was the last to be erased")
	p.refuses(q.sent(0, 501), replay)
	return append(all, s.refused(total+"present-"+name))
}

func rtChains() (all []vector) {
	const chains = "rt-skipped-chains/"
	// kept is a conversation in which count chains have become older, each with keys 1 and 2 kept; the present one has key 0.
	kept := func(id, comment string, count int) (s *rtStory, p, q *rtParty) {
		s = rtTell(id, comment, "bob")
		p, q = s.bob, s.alice
		rtMeet(p)
		for range count {
			p.hears(q.sends(3))
			p.turn()
			if len(q.chains) <= count {
				p.hears(q.sends(0))
			}
		}
		p.hears(q.sends(1))
		return s, p, q
	}
	s, p, q := kept(chains+"sixth", "a sixth older chain erases the oldest; the 5 others keep theirs", 6)
	for chain := range 5 {
		p.hearsLate(q.sent(1+chain, 2))
		p.hearsLate(q.sent(1+chain, 1))
	}
	p.hearsLate(q.sent(6, 0))
	all = append(all, s.accepted())
	s, p, q = kept(chains+"sixth-oldest", "a sixth older chain erases all keys of the oldest, and its header key", 6)
	s.also = []string{"rt-header-seal"}
	p.refuses(q.sent(0, 1), authentication)
	p.refuses(q.sent(0, 2), authentication)
	all = append(all, s.refused(chains+"sixth"))
	s, p, q = kept(chains+"five", "5 older chains with keys, and the present one: messages under each of the 7 header keys open", 5)
	s.also = []string{"rt-skipped-kept"}
	for chain := range 5 {
		p.hearsLate(q.sent(chain, 1))
	}
	p.hearsLate(q.sent(5, 0))
	p.turn()
	p.hears(q.sends(0))
	all = append(all, s.accepted())

	s, p, q = kept(chains+"emptied", "of 5 older chains one loses its last key: the next to become older erases nothing", 5)
	p.hearsLate(q.sent(2, 1))
	p.hearsLate(q.sent(2, 2))
	p.turn()
	p.hears(q.sends(0))
	p.hearsLate(q.sent(0, 1))
	p.hearsLate(q.sent(5, 0))
	all = append(all, s.accepted())

	s, p, q = kept(chains+"nothing-kept", "the sixth chain becomes older without a key: nothing is erased", 5)
	p.hearsLate(q.sent(5, 0))
	p.turn()
	p.hears(q.sends(0))
	p.hearsLate(q.sent(0, 2))
	all = append(all, s.accepted())

	s, p, q = kept(chains+"by-pn", "the sixth chain has a key only because pn tells of a message that was lost", 5)
	p.hearsLate(q.sent(5, 0))
	q.sends(2)
	p.turn()
	p.hears(q.sends(0))
	p.hearsLate(q.sent(1, 2))
	p.hearsLate(q.sent(5, 2))
	all = append(all, s.accepted())
	s, p, q = kept(chains+"by-pn-oldest", "the same: the oldest chain is erased", 5)
	s.also = []string{"rt-header-seal"}
	p.hearsLate(q.sent(5, 0))
	q.sends(2)
	p.turn()
	p.hears(q.sends(0))
	p.refuses(q.sent(0, 2), authentication)
	all = append(all, s.refused(chains+"by-pn"))

	s, p, q = kept(chains+"refused", "a message that would begin the sixth does not open: nothing is erased", 5)
	s.also = []string{"rt-failure-nothing"}
	p.turn()
	p.refuses(flipped(q.sends(0), -1, 1), authentication)
	p.hearsLate(q.sent(0, 1))
	return append(all, s.accepted())
}
