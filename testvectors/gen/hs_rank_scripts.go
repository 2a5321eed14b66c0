package gen

// rankVectors are scripts about which conversation lives.
func rankVectors() (out []vector) {
	out = append(out, crossingScripts()...)
	out = append(out, presentScripts()...)
	return append(out, replacedScripts()...)
}

// byKey returns alice and bob, the one with the smaller IK first.
func byKey() (low, high string) {
	s := new(secrets)
	if s.person("alice").key < s.person("bob").key {
		return "alice", "bob"
	}
	return "bob", "alice"
}

// waiting begins a play in which who has an accept out at the friend's, who is far. Its knock is of the time start.
func waiting(who, friendly string) *play {
	p := newPlay()
	p.machine(who, friend{name: friendly})
	p.shadow(friendly, friend{name: who})
	offer := p.hear(friendly, who, p.begin(who, friendly, anew)[0], offering)
	p.wait(100)
	p.hear(who, friendly, offer[0], "")
	p.hear(who, friendly, offer[1], "session")
	p.hello(who, p.session(who, 1, "I"), both)
	return p
}

// crossingScripts have two handshakes at once.
func crossingScripts() (out []vector) {
	add := func(v vector) { out = append(out, v) }
	low, high := byKey()

	// Both knock in the same millisecond; both machines are shown.
	p := newPlay()
	p.machine(low, friend{name: high})
	p.machine(high, friend{name: low})
	lowKnock, highKnock := p.begin(low, high, anew)[0], p.begin(high, low, anew)[0]
	p.wait(40)
	highOffer, lowOffer := p.hear(high, low, lowKnock, offering), p.hear(low, high, highKnock, offering)
	p.wait(40)
	p.hear(low, high, highOffer[0], "")
	p.hear(low, high, highOffer[1], "session")
	p.hear(high, low, lowOffer[0], "")
	p.hear(high, low, lowOffer[1], "session")
	lowAccept, highAccept := p.hello(low, p.session(low, 1, "I"), both)[0], p.hello(high, p.session(high, 1, "I"), both)[0]
	p.wait(40)
	p.hear(low, high, highAccept, "session")
	p.say("the other's IK is the greater")
	p.opened(low, p.session(high, 1, "R"), "refused")
	p.hear(high, low, lowAccept, "session")
	p.say("the other's IK is the smaller")
	p.opened(high, p.session(low, 1, "R"), "finished")
	p.wait(40)
	p.opened(low, p.session(low, 1, "I"), "finished")
	p.wait(4000)
	p.timeout(low, "")
	p.timeout(high, "")
	add(p.vector("hs-rank-out/both", "both knock in the same millisecond: the handshake of the smaller IK lives", "", "hs-rank-give-up", "hs-rank-when"))

	for _, c := range []struct {
		suffix, comment string
		ms              uint64
		want            string
	}{
		{"later", "the friend's knock is a millisecond later than one's own: it outranks", start + 1, "finished"},
		{"earlier", "the friend's knock is a millisecond earlier: it does not", start - 1, "refused"},
		{"much-earlier", "the friend's knock is an hour earlier", start + 100 - clockApart, "refused"},
	} {
		p := waiting("bob", "alice")
		session := p.visit("alice", "bob", c.ms)
		p.opened("bob", session, c.want)
		if c.want == "refused" {
			p.say("one's own goes on")
			p.tryAt(600, "bob", both)
			p.opened("bob", p.session("bob", 1, "I"), "finished")
		} else {
			p.say("one's own has been given up: there is nothing to try, and nobody is told")
			p.wait(500)
			p.timeout("bob", "")
		}
		add(p.vector("hs-rank-out/"+c.suffix, c.comment, "", "hs-rank-when", "hs-rank-give-up"))
	}
	for _, who := range []string{low, high} {
		other, suffix, want := high, "same-smaller", "refused"
		if who == high {
			other, suffix, want = low, "same-greater", "finished"
		}
		p := waiting(who, other)
		p.opened(who, p.visit(other, who, start), want)
		add(p.vector("hs-rank-out/"+suffix, "the same millisecond: one's own IK is the "+suffix[5:], "", "hs-rank-when"))
	}

	p = waiting("bob", "alice")
	session := p.visit("alice", "bob", start-1)
	p.opened("bob", session, "refused")
	p.opened("bob", session, absent)
	add(p.vector("hs-rank-out/gone", "a session that was refused is gone", "hs-rank-out/earlier"))
	p = waiting("bob", "alice")
	p.opened("bob", p.visit("alice", "bob", start+1), "finished")
	p.opened("bob", p.session("bob", 1, "I"), absent)
	add(p.vector("hs-rank-give-up/accepted", "one's own accept was given up: its answer comes too late", "hs-rank-out/later"))

	// A knock alone, without an accept, is no rival.
	asked := func() (p *play, knock string) {
		p = newPlay()
		p.machine("bob", friend{name: "alice"})
		p.shadow("alice", friend{name: "bob"})
		knock = p.begin("bob", "alice", anew)[0]
		p.wait(10)
		p.opened("bob", p.visit("alice", "bob", start-1), "finished")
		return p, knock
	}
	p, _ = asked()
	p.until(600)
	p.timeout("bob", "")
	add(p.vector("hs-rank-give-up/knocking", "an earlier knock of the friend's, while one's own waits for an offer: only an accept is a rival", "", "hs-rank-out"))
	p, knock := asked()
	p.hear("bob", "alice", p.hear("alice", "bob", knock, offering)[0], "hs-offer-unasked")
	add(p.vector("hs-rank-give-up/offer", "the offer for a knock that was given up", "hs-fragment-again/reordered", "hs-offer-unasked"))

	// Two own accepts are out.
	for _, c := range []struct {
		suffix, comment string
		ahead           int64
		want            string
	}{{"between", "the friend's knock is later than the first of two and earlier than the second", -10, "refused"}, {"above",
		"the friend's knock is later than both", 10, "finished"}} {
		p := waiting("bob", "alice")
		p.tries("bob", both, both, both)
		offer := p.hear("alice", "bob", p.try("bob", anew)[0], offering)
		second := p.now
		p.wait(10)
		p.hear("bob", "alice", offer[0], "")
		p.hear("bob", "alice", offer[1], "session")
		p.hello("bob", p.session("bob", 2, "I"), both)
		p.opened("bob", p.visit("alice", "bob", uint64(int64(second)+c.ahead)), c.want)
		add(p.vector("hs-rank-out/two-"+c.suffix, c.comment, ""))
	}

	// How long it is one: its offer came at 100.
	for _, c := range []struct {
		id, comment string
		at          uint64
		want        string
	}{{"hs-out-life/rival", "64.999 s after the offer came, one's own accept is a rival", 65099, "refused"}, {"hs-out-life/no-rival",
		"65 s after the offer came it is none", 65100, "finished"}} {
		p := waiting("bob", "alice")
		p.tries("bob", both, both, both, anew, resend, anew, resend)
		p.try("bob", "ended")
		session := p.visit("alice", "bob", start-1)
		p.until(c.at)
		if c.want == "finished" {
			p.timeout("bob", "")
		}
		p.opened("bob", session, c.want)
		add(p.vector(c.id, c.comment, "", "hs-rank-out"))
	}
	return out
}

// presentScripts have a conversation already.
func presentScripts() (out []vector) {
	add := func(v vector) { out = append(out, v) }
	low, high := byKey()
	// talking begins a play with a conversation that who began at start.
	talking := func(who, friendly string) *play {
		p := waiting(who, friendly)
		p.wait(40)
		p.opened(who, p.session(who, 1, "I"), "finished")
		p.wait(1000)
		return p
	}
	for _, c := range []struct {
		suffix, comment string
		ms              uint64
		want            string
	}{{"later", "a knock a millisecond later than that of the present conversation", start + 1, "finished"}, {"earlier", "a knock a millisecond earlier",
		start - 1, "refused"}} {
		p := talking("bob", "alice")
		p.opened("bob", p.visit("alice", "bob", c.ms), c.want)
		add(p.vector("hs-rank-present/"+c.suffix, c.comment, "", "hs-rank-when"))
	}
	for _, who := range []string{low, high} {
		other, suffix, want := high, "same-smaller", "refused"
		if who == high {
			other, suffix, want = low, "same-greater", "finished"
		}
		p := talking(who, other)
		p.opened(who, p.visit(other, who, start), want)
		add(p.vector("hs-rank-present/"+suffix, "the same millisecond as the present conversation, which one began oneself: one's own IK is the "+suffix[5:], ""))
	}
	p := talking("bob", "alice")
	session := p.visit("alice", "bob", start-1)
	p.ended("bob", p.session("bob", 1, "I"), "")
	p.say("the conversation that it did not outrank is over")
	p.opened("bob", session, "finished")
	add(p.vector("hs-rank-present/ended", "when a conversation has ended, its rank counts no more", ""))
	p = talking("bob", "alice")
	p.opened("bob", p.visit("alice", "bob", start+1), "finished")
	p.ended("bob", p.session("bob", 1, "I"), absent)
	add(p.vector("hs-finish-replaces/present", "the older conversation has been replaced: it cannot end", "hs-rank-present/later"))

	// The older conversation goes on until another one has finished.
	p, accept := halfOpen()
	p.opened("bob", p.session("alice", 1, "R"), "finished")
	p.wait(1000)
	p.meet("alice", 2)
	p.say("the first is the present one still: its accept is answered")
	p.hear("bob", "alice", accept, "repeat")
	p.opened("bob", p.session("alice", 2, "R"), "finished")
	p.hear("bob", "alice", accept, "hs-accept-unasked")
	add(p.vector("hs-finish-older/accept", "the older conversation goes on until the newer one has finished", "hs-finish-older/goes-on", "hs-accept-unasked"))
	p, accept = halfOpen()
	p.opened("bob", p.session("alice", 1, "R"), "finished")
	p.wait(1000)
	p.meet("alice", 2)
	p.hear("bob", "alice", accept, "repeat")
	p.opened("bob", p.session("alice", 2, "R"), "finished")
	add(p.vector("hs-finish-older/goes-on", "a second handshake of the same friend, who has restarted", "", "hs-halfopen-mute", "hs-finish-replaces"))
	return out
}

// replacedScripts are about what a handshake that finishes erases.
func replacedScripts() (out []vector) {
	add := func(v vector) { out = append(out, v) }

	// As responder: an unused offer.
	offered := func() (p *play, accept string) {
		p, _ = halfOpen()
		p.until(1000)
		_, knock := p.knockBy("alice", "bob", p.now, nil)
		return p, p.acceptOf("alice", "bob", p.hear("bob", "alice", knock, offering))
	}
	p, accept := offered()
	p.hear("bob", "alice", accept, "session")
	add(p.vector("hs-finish-replaces/offer-kept", "an offer to a contact of whom a session is half-open", ""))
	p, accept = offered()
	p.opened("bob", p.session("alice", 1, "R"), "finished")
	p.hear("bob", "alice", accept, "hs-accept-unasked")
	add(p.vector("hs-finish-replaces/offer", "a handshake has finished: the unused offer is gone", "hs-finish-replaces/offer-kept", "hs-accept-unasked"))

	// As initiator: a half-open session, and an unused offer.
	p = waiting("bob", "alice")
	session := p.visit("alice", "bob", start-1)
	p.opened("bob", p.session("bob", 1, "I"), "finished")
	p.opened("bob", session, absent)
	add(p.vector("hs-finish-replaces/half-open", "one's own handshake has finished: the half-open session that it outranks is gone", "hs-finish-replaces/half-open-stays"))
	p = waiting("bob", "alice")
	session = p.visit("alice", "bob", start+1)
	p.opened("bob", p.session("bob", 1, "I"), "finished")
	p.say("it outranks what has finished: the friend may be in it already")
	p.opened("bob", session, "finished")
	add(p.vector("hs-finish-replaces/half-open-stays", "one's own handshake has finished, and then a half-open session that outranks it", ""))

	// As initiator: the answer to the first of two accepts comes after the second was sent.
	two := func() *play {
		p := waiting("bob", "alice")
		p.tries("bob", both, both, both)
		offer := p.hear("alice", "bob", p.try("bob", anew)[0], offering)
		p.wait(10)
		p.hear("bob", "alice", offer[0], "")
		p.hear("bob", "alice", offer[1], "session")
		p.hello("bob", p.session("bob", 2, "I"), both)
		p.wait(40)
		return p
	}
	p = two()
	p.opened("bob", p.session("bob", 1, "I"), "finished")
	p.wait(500)
	p.timeout("bob", "")
	p.say("the friend has taken the second accept: both move to it")
	p.opened("bob", p.session("bob", 2, "I"), "finished")
	add(p.vector("hs-finish-replaces/later-accept", "the answer to an older accept, and then that to the newer one, which outranks it", ""))
	p = two()
	p.opened("bob", p.session("bob", 2, "I"), "finished")
	p.opened("bob", p.session("bob", 1, "I"), absent)
	add(p.vector("hs-finish-replaces/older-accept", "the answer to the newer accept has come: the older one is given up", "hs-finish-replaces/later-accept"))
	p = two()
	p.opened("bob", p.session("bob", 1, "I"), "finished")
	p.until(7610 + 65_000) // its offer came at 7610
	p.timeout("bob", "")
	p.opened("bob", p.session("bob", 2, "I"), absent)
	add(p.vector("hs-out-life/stayed", "what outranks the conversation is out for no longer than otherwise", "hs-finish-replaces/later-accept"))
	p = waiting("bob", "alice")
	_, knock := p.knockBy("alice", "bob", start+1, nil)
	accept = p.acceptOf("alice", "bob", p.hear("bob", "alice", knock, offering))
	p.opened("bob", p.session("bob", 1, "I"), "finished")
	p.hear("bob", "alice", accept, "hs-accept-unasked")
	add(p.vector("hs-finish-replaces/offer-initiator", "one's own handshake has finished: the unused offer is gone", "hs-finish-replaces/offer-kept", "hs-accept-unasked"))

	// What finishes leaves the other contacts alone.
	p, _ = halfOpen(friend{name: "carol"})
	_, knock = p.knockBy("carol", "bob", p.now, nil)
	accept = p.acceptOf("carol", "bob", p.hear("bob", "carol", knock, offering))
	p.opened("bob", p.session("alice", 1, "R"), "finished")
	p.hear("bob", "carol", accept, "session")
	p.opened("bob", p.session("carol", 1, "R"), "finished")
	add(p.vector("hs-finish-replaces/others", "a handshake with one contact erases nothing of another's", ""))
	return out
}
