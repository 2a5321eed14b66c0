package gen

// initiatorVectors are scripts of who knocks: alice.
func initiatorVectors() (out []vector) {
	add := func(v vector) { out = append(out, v) }

	// Two machines, from the first knock to the conversation.
	for _, two := range [][2]string{{"alice", "bob"}, {"bob", "alice"}} {
		i, r := two[0], two[1]
		p := newPlay()
		p.machine(i, friend{name: r})
		p.machine(r, friend{name: i})
		knock := p.begin(i, r, "persist transmit")
		p.wait(40)
		offer := p.hear(r, i, knock[0], "persist transmit transmit")
		p.wait(40)
		p.hear(i, r, offer[0], "")
		p.hear(i, r, offer[1], "session")
		accept := p.hello(i, p.session(i, 1, "I"), "transmit transmit")
		p.wait(40)
		p.hear(r, i, accept[0], "session")
		p.opened(r, p.session(i, 1, "R"), "finished")
		p.wait(40)
		p.opened(i, p.session(i, 1, "I"), "finished")
		p.wait(10000)
		p.say("nothing is left to do")
		p.timeout(i, "")
		p.timeout(r, "")
		add(p.vector("hs-finish-initiator/"+i+"-"+r, i+" knocks at "+r+"'s", "", "hs-finish-responder", "hs-hello-behind", "hs-envelope-form", "hs-schedule",
			"hs-knock-taken-stored", "hs-knock-own-stored"))
	}
	const whole = "hs-finish-initiator/alice-bob"
	out = append(out, attemptScripts(whole)...)
	out = append(out, knockTimeScripts()...)
	return append(out, fragmentScripts()...)
}

// knocking begins a play in which alice has knocked at bob's, who is far.
func knocking() (p *play, knock string) {
	p = newPlay()
	p.machine("alice", friend{name: "bob"})
	p.shadow("bob", friend{name: "alice"})
	return p, p.begin("alice", "bob", "persist transmit")[0]
}

// accepted goes on until alice's accept is out.
func accepted() (p *play, accept []string) {
	p, knock := knocking()
	p.wait(100)
	offer := p.hear("bob", "alice", knock, "persist transmit transmit")
	p.hear("alice", "bob", offer[0], "")
	p.hear("alice", "bob", offer[1], "session")
	return p, p.hello("alice", p.session("alice", 1, "I"), "transmit transmit")
}

func attemptScripts(whole string) (out []vector) {
	add := func(v vector) { out = append(out, v) }

	p, _ := knocking()
	for _, t := range []struct {
		at   uint64
		want string
	}{{500, "transmit"}, {1500, "transmit"}, {3500, "transmit"}, {7500, "persist transmit"}, {11500, "transmit"}, {15500, "persist transmit"}, {19500,
		"transmit"}, {23500, "ended"}} {
		p.until(t.at - 1)
		p.timeout("alice", "")
		p.tryAt(t.at, "alice", t.want)
	}
	p.wait(4000)
	p.timeout("alice", "")
	add(p.vector("hs-retry-end/silent", "nobody answers: each try at its time, and not a millisecond before", "", "hs-retry-knock", "hs-retry-anew", "hs-knock-resend"))

	p, _ = knocking()
	p.until(499)
	p.say("a millisecond before the second try")
	p.timeout("alice", "")
	p.tryAt(500, "alice", "transmit")
	p.until(1499)
	p.timeout("alice", "")
	add(p.vector("hs-retry-knock/early", "time passes, and no try is due", ""))

	p = newPlay()
	p.machine("alice", friend{name: "bob"})
	p.begin("alice", "bob", "persist transmit transmit transmit", "192.0.2.2:6881", "[2001:db8::b]:6882", "192.0.2.2:6883")
	p.tryAt(500, "alice", "transmit transmit transmit")
	add(p.vector("hs-retry-knock/three", "three addresses: a datagram to each at each try, each under a nonce of its own", "", "hs-envelope-nonce", "hs-knock-resend"))

	p, _ = knocking()
	p.wait(100)
	p.begin("alice", "bob", absent)
	add(p.vector("hs-retry-knock/begin-again", "asked to begin while an attempt is under way", "hs-retry-knock/early"))

	p, _ = knocking()
	p.tries("alice", resend, resend, resend, anew, resend, anew, resend, "ended")
	p.wait(1)
	p.begin("alice", "bob", "persist transmit")
	p.tryAt(24001, "alice", "transmit")
	add(p.vector("hs-retry-end/begin-later", "when the attempt has ended another can begin", ""))

	// The accept is sent again and again, then a fresh knock goes, and the accept stays out.
	p, _ = accepted()
	p.tryAt(600, "alice", "transmit transmit")
	p.tryAt(1600, "alice", "transmit transmit")
	p.tryAt(3600, "alice", "transmit transmit")
	p.tryAt(7600, "alice", "persist transmit")
	p.tryAt(11600, "alice", "transmit")
	p.say("what was accepted has stayed out")
	p.opened("alice", p.session("alice", 1, "I"), "finished")
	p.wait(10000)
	p.timeout("alice", "")
	add(p.vector("hs-retry-accept/late", "the accept is sent again at each try, then a fresh knock goes; the answer to the accept comes late", "",
		"hs-retry-anew", "hs-out-life", "hs-envelope-nonce"))

	// The accept goes to where the offer came from, the fresh knock to all addresses.
	p = newPlay()
	p.machine("alice", friend{name: "bob"})
	p.shadow("bob", friend{name: "alice"})
	knock := p.begin("alice", "bob", "persist transmit transmit", "192.0.2.2:6881", "[2001:db8::b]:6882")
	p.wait(100)
	offer := p.hear("bob", "alice", knock[1], "persist transmit transmit")
	p.hear("alice", "203.0.113.9:999", offer[1], "")
	p.hear("alice", "203.0.113.7:777", offer[0], "session")
	p.say("to where the fragment came from that completed the offer")
	p.hello("alice", p.session("alice", 1, "I"), "transmit transmit")
	p.tryAt(600, "alice", "transmit transmit")
	p.tryAt(1600, "alice", "transmit transmit")
	p.tryAt(3600, "alice", "transmit transmit")
	p.tryAt(7600, "alice", "persist transmit transmit")
	add(p.vector("hs-retry-accept/source", "the offer comes from another address than was knocked at", "", "hs-retry-anew"))

	// How long an accept is out.
	end := func() *play {
		p, _ := accepted()
		for _, want := range []string{"transmit transmit", "transmit transmit", "transmit transmit", "persist transmit", "transmit", "persist transmit",
			"transmit", "ended"} {
			p.try("alice", want)
		}
		if p.now != start+23600 {
			panic("another timetable")
		}
		return p
	}
	p = end()
	p.until(100 + 64999)
	p.say("64.999 s after the offer came")
	p.opened("alice", p.session("alice", 1, "I"), "finished")
	add(p.vector("hs-out-life/last", "the attempt has ended, and the accept is still out", "", "hs-retry-end"))
	p = end()
	p.until(100 + 65000)
	p.timeout("alice", "")
	p.say("65 s after the offer came")
	p.opened("alice", p.session("alice", 1, "I"), absent)
	add(p.vector("hs-out-life/over", "the accept is no longer out", "hs-out-life/last"))

	// Two accepts are out: either may finish, and the other is gone.
	two := func() *play {
		p, _ := accepted()
		p.try("alice", "transmit transmit")
		p.try("alice", "transmit transmit")
		p.try("alice", "transmit transmit")
		knock := p.try("alice", "persist transmit")
		offer := p.hear("bob", "alice", knock[0], "persist transmit transmit")
		p.wait(10)
		p.hear("alice", "bob", offer[0], "")
		p.hear("alice", "bob", offer[1], "session")
		p.hello("alice", p.session("alice", 2, "I"), "transmit transmit")
		p.wait(10)
		return p
	}
	p = two()
	p.opened("alice", p.session("alice", 1, "I"), "finished")
	add(p.vector("hs-finish-initiator/first-of-two", "two accepts are out, and the first is answered", "", "hs-retry-anew"))
	p = two()
	p.opened("alice", p.session("alice", 2, "I"), "finished")
	add(p.vector("hs-finish-initiator/second-of-two", "two accepts are out, and the second is answered", ""))
	p = two()
	p.opened("alice", p.session("alice", 2, "I"), "finished")
	p.opened("alice", p.session("alice", 1, "I"), absent)
	add(p.vector("hs-finish-replaces/out", "the accept that was out is gone when another handshake finishes", "hs-finish-initiator/second-of-two"))

	// An attempt whose knocks are answered again and again, and whose accepts are not.
	p, again := knocking()
	answered := func(n int) {
		offer := p.hear("bob", "alice", again, "persist transmit transmit")
		p.wait(50)
		p.hear("alice", "bob", offer[0], "")
		p.hear("alice", "bob", offer[1], "session")
		p.hello("alice", p.session("alice", n, "I"), both)
		p.tries("alice", both, both, both)
	}
	for _, n := range []int{1, 3, 5} {
		answered(n)
		p.tries("alice", anew, resend)
		again = p.try("alice", anew)[0]
		p.tries("alice", resend)
	}
	answered(7)
	p.until(64999)
	p.timeout("alice", "")
	p.tryAt(65000, "alice", "ended")
	p.wait(4000)
	p.timeout("alice", "")
	out = append(out, p.vector("hs-attempt-life/answered", "the attempt ends 65 s after its first knock, though offers come", ""))

	p, _ = knocking()
	p.say("the same id and the same 1,164 bytes under another nonce")
	p.tryAt(500, "alice", resend)
	add(p.vector("hs-knock-resend/second", "the second try of a knock", "", "hs-envelope-nonce", "hs-retry-knock"))
	p, _ = knocking()
	p.tries("alice", resend, resend, resend)
	p.until(7499)
	p.timeout("alice", "")
	p.say("7.5 s after the first knock under this id")
	p.tryAt(7500, "alice", anew)
	p.tryAt(11500, "alice", resend)
	p.say("8 s after the first knock under the second id")
	p.tryAt(15500, "alice", anew)
	add(p.vector("hs-retry-anew/knocks", "a fresh knock under a fresh id, twice", "", "hs-knock-time"))
	p, accept := accepted()
	second := p.tryAt(600, "alice", both)
	if accept[0] == second[0] || accept[1] != second[1] {
		panic("an accept is resent under the same nonce, or its hello is another")
	}
	add(p.vector("hs-envelope-nonce/accept", "the accept again under another nonce, and the hello as the same bytes", "", "hs-retry-accept", "hs-hello-behind"))

	for _, c := range []struct {
		id, op string
		ask    func(p *play, session string)
	}{
		{"hs-hello-behind/unknown", "hello", func(p *play, session string) { p.hello("alice", session, absent) }},
		{"hs-finish-initiator/unknown", "opened", func(p *play, session string) { p.opened("alice", session, absent) }},
		{"hs-finish-older/unknown", "ended", func(p *play, session string) { p.ended("alice", session, absent) }},
	} {
		p, _ := knocking()
		p.wait(100)
		c.ask(p, p.session("alice", 1, "I"))
		add(p.vector(c.id, "hs."+c.op+" for a session that is not there yet", whole))
	}
	return out
}

// What a try of an attempt gives.
const (
	resend = "transmit"
	anew   = "persist transmit"
	both   = "transmit transmit"
)

// knockTimeScripts are about the time that a knock has.
func knockTimeScripts() (out []vector) {
	knock := func(id, comment string, taken, own int64, also ...string) {
		p := newPlay()
		remembered := func(ahead int64) uint64 {
			if ahead == 0 {
				return 0
			}
			return uint64(start + ahead)
		}
		p.machine("alice", friend{"bob", remembered(taken), remembered(own)})
		p.begin("alice", "bob", anew)
		out = append(out, p.vector(id, comment, "", append(also, "hs-knock-own-stored")...))
	}
	knock("hs-knock-time/now", "own and taken are past: now", -5000, -7000)
	knock("hs-knock-time/own", "own is a millisecond ago: now", 0, -1)
	knock("hs-knock-time/own-ahead", "own is ahead: one more than that", 0, 1000)
	knock("hs-knock-time/taken-ahead", "taken is ahead: one more than that", 2000, 1000)
	knock("hs-knock-taken-far/sending", "taken is 3,600,001 ms ahead: it does not count", 3_600_001, 0, "hs-knock-time")
	knock("hs-knock-time/taken-far", "taken is as far ahead as it can be", 3_600_000, 0)
	p := newPlay()
	p.shadow("alice", friend{name: "bob"})
	p.machine("bob", friend{name: "alice"})
	_, ahead := p.knockBy("alice", "bob", p.now+1000, nil)
	p.hear("bob", "alice", ahead, "persist transmit transmit")
	p.wait(10)
	p.begin("bob", "alice", anew)
	out = append(out, p.vector("hs-knock-time/after-taken", "a knock was taken whose time is ahead: one more than that", "", "hs-knock-own-stored"))
	knock("hs-knock-own-far/kept", "own is 3,600,000 ms ahead: it counts", 0, 3_600_000, "hs-knock-time")
	knock("hs-knock-own-far/forgotten", "own is 3,600,001 ms ahead: it is forgotten", 0, 3_600_001, "hs-knock-time")
	knock("hs-knock-own-far/taken", "own is far ahead and forgotten, taken is not", 5000, 100_000_000, "hs-knock-time")

	p = newPlay()
	p.machine("alice", friend{name: "bob"})
	p.begin("alice", "bob", anew)
	p.tries("alice", resend, resend, resend, anew, resend, anew, resend, "ended")
	out = append(out, p.vector("hs-knock-time/anew", "each fresh knock of an attempt has the time of its own sending", "", "hs-knock-own-stored"))

	// A handshake that crosses the edge of an epoch.
	p = newPlay()
	p.now = p.pair("alice", "bob").at(recordEpoch+1, 0)*1000 - 600
	begun := p.now - start
	p.machine("alice", friend{name: "bob"})
	p.begin("alice", "bob", anew)
	p.tryAt(begun+500, "alice", resend)
	p.say("the next epoch has begun: the same tag")
	p.tryAt(begun+1500, "alice", resend)
	p.tryAt(begun+3500, "alice", resend)
	p.say("a fresh knock, in the new epoch")
	p.tryAt(begun+7500, "alice", anew)
	out = append(out, p.vector("hs-epoch-kept/initiator", "a handshake keeps the epoch of its first knock, a fresh knock has its own", "",
		"hs-retry-anew", "rv-epoch-current"))

	p = newPlay()
	p.now = p.pair("alice", "bob").at(recordEpoch+1, 0)*1000 - 600
	p.machine("alice", friend{name: "bob"})
	p.shadow("bob", friend{name: "alice"})
	knocked := p.begin("alice", "bob", anew)
	p.tries("alice", resend)
	p.wait(200)
	offer := p.hear("bob", "alice", knocked[0], "persist transmit transmit")
	p.hear("alice", "bob", offer[0], "")
	p.hear("alice", "bob", offer[1], "session")
	p.say("in the epoch of the knock")
	p.hello("alice", p.session("alice", 1, "I"), both)
	out = append(out, p.vector("hs-epoch-kept/accept", "offer and accept keep the epoch of the knock, though the next one has begun", ""))
	return out
}

// fragmentScripts are about offers on their way.
func fragmentScripts() (out []vector) {
	// asked begins a play in which bob has made an offer for alice's knock.
	asked := func() (p *play, offer []string) {
		p, knock := knocking()
		p.wait(100)
		return p, p.hear("bob", "alice", knock, "persist transmit transmit")
	}
	add := func(v vector) { out = append(out, v) }

	p, offer := asked()
	p.hear("alice", "bob", offer[1], "")
	p.hear("alice", "bob", offer[0], "session")
	add(p.vector("hs-fragment-again/reordered", "the second fragment comes before the first", ""))

	p, offer = asked()
	p.hear("alice", "bob", offer[0], "")
	p.say("the same datagram again")
	p.hear("alice", "bob", offer[0], "")
	p.say("the same fragment under another nonce, from elsewhere")
	p.hear("alice", "203.0.113.9:999", p.again("bob", "alice", offer[0], nil), "")
	p.hear("alice", "bob", offer[1], "session")
	add(p.vector("hs-fragment-again/twice", "a fragment comes again before the other one", ""))

	p, offer = asked()
	p.hear("alice", "bob", offer[0], "")
	second := p.hear("bob", "alice", p.try("alice", resend)[0], "transmit transmit")
	p.say("the other half, of the second copy of the offer")
	p.hear("alice", "bob", second[1], "session")
	add(p.vector("hs-fragment-again/lost", "a fragment is lost, and comes with the next copy of the offer", "", "hs-knock-again"))

	conflict := func() (p *play, offer []string) {
		p, offer = asked()
		p.hear("alice", "bob", offer[0], "")
		p.hear("alice", "bob", p.again("bob", "alice", offer[0], func(b string) string { return flipped(b, 300, 1) }), "hs-fragment-conflict")
		return p, offer
	}
	p, _ = conflict()
	add(p.vector("hs-fragment-conflict/other", "a fragment with other bytes than the one that is held", "hs-fragment-conflict/kept"))
	p, offer = conflict()
	p.hear("alice", "bob", offer[1], "session")
	add(p.vector("hs-fragment-conflict/kept", "what is held is kept: the other fragment completes the offer", ""))

	// Fragments live 10 s. The program is late with its tries, or they could not be seen to.
	for _, c := range []struct {
		id, comment string
		after       uint64
		again       bool
		want        string
	}{
		{"hs-fragment-life/last", "the second fragment comes 9.999 s after the first", 9999, false, "session"},
		{"hs-fragment-life/over", "the second fragment comes 10 s after the first, which is gone", 10000, false, ""},
		{"hs-fragment-life/again", "a fragment that comes again lives no longer", 10000, true, ""},
	} {
		p, offer := asked()
		p.late = true
		p.hear("alice", "bob", offer[0], "")
		if c.again {
			p.wait(5000)
			p.hear("alice", "bob", offer[0], "")
			p.wait(5000)
		} else {
			p.wait(c.after)
		}
		p.hear("alice", "bob", offer[1], c.want)
		if c.want == "" {
			p.say("the first fragment once more")
			p.hear("alice", "bob", offer[0], "session")
		}
		add(p.vector(c.id, c.comment, ""))
	}

	// Offers that are refused leave what was held.
	for _, c := range []struct {
		suffix, comment, rule string
		at                    int // which fragment is damaged
		change                func(b string) string
	}{
		{"version", "the first fragment has version 2", "hs-offer-version", 0, func(b string) string { return replaced(b, 0, "\x02") }},
		{"expired", "the first fragment has a not_after of long ago", "hs-offer-expired", 0, func(b string) string { return replaced(b, 2, u64(recordTime-10000)) }},
		{"signature", "the second fragment has a wrong signature", "hs-offer-signature", 1, func(b string) string { return flipped(b, -1, 1) }},
	} {
		p, offer := asked()
		p.hear("alice", "bob", offer[1-c.at], "")
		p.hear("alice", "bob", p.again("bob", "alice", offer[c.at], c.change), c.rule)
		add(p.vector(c.rule+"/fragment", c.comment, c.rule+"/right-then"))
		p, offer = asked()
		p.hear("alice", "bob", offer[1-c.at], "")
		p.hear("alice", "bob", p.again("bob", "alice", offer[c.at], c.change), c.rule)
		p.hear("alice", "bob", offer[c.at], "session")
		add(p.vector(c.rule+"/right-then", c.comment+", and the right one comes behind it", ""))
	}

	// Offers that nobody waits for.
	unasked := func(suffix, comment string, do func() *play) {
		add(do().vector("hs-offer-unasked/"+suffix, comment, "hs-fragment-again/reordered"))
	}
	unasked("idle", "no handshake is under way", func() *play {
		p := newPlay()
		p.machine("alice", friend{name: "bob"})
		p.shadow("bob", friend{name: "alice"})
		_, knock := p.knockBy("alice", "bob", p.now, nil)
		offer := p.hear("bob", "alice", knock, "persist transmit transmit")
		p.hear("alice", "bob", offer[0], "hs-offer-unasked")
		return p
	})
	unasked("id", "another id than that of the handshake", func() *play {
		p, offer := asked()
		msg, _ := openEnvelope([]pair{p.pair("alice", "bob")}, p.now/1000, nil, offer[0])
		msg.id = flipped(msg.id, 7, 1)
		p.hear("alice", "bob", p.seal("bob", "alice", msg), "hs-offer-unasked")
		return p
	})
	unasked("contact", "the right id, from another contact", func() *play {
		p := newPlay()
		p.machine("alice", friend{name: "bob"}, friend{name: "carol"})
		p.shadow("bob", friend{name: "alice"})
		offer := p.hear("bob", "alice", p.begin("alice", "bob", anew)[0], "persist transmit transmit")
		msg, _ := openEnvelope([]pair{p.pair("alice", "bob")}, p.now/1000, nil, offer[0])
		p.hear("alice", "bob", p.seal("carol", "alice", message{kind: kindOffer, id: msg.id, fragments: 2, bytes: msg.bytes}), "hs-offer-unasked")
		return p
	})
	unasked("complete", "the offer is complete, and a fragment comes again", func() *play {
		p, offer := asked()
		p.hear("alice", "bob", offer[0], "")
		p.hear("alice", "bob", offer[1], "session")
		p.hear("alice", "bob", offer[1], "hs-offer-unasked")
		return p
	})
	unasked("given-up", "the offer for a knock that a fresh one has taken the place of", func() *play {
		p, offer := asked()
		p.tries("alice", resend, resend, resend, anew)
		p.hear("alice", "bob", offer[0], "hs-offer-unasked")
		return p
	})
	unasked("ended", "the attempt has ended", func() *play {
		p, _ := knocking()
		last := p.tries("alice", resend, resend, resend, anew, resend, anew)[0]
		p.tries("alice", resend, "ended")
		p.hear("alice", "bob", p.hear("bob", "alice", last, "persist transmit transmit")[0], "hs-offer-unasked")
		return p
	})
	return out
}
