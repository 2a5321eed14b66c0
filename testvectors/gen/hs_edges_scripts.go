package gen

import "strings"

// deadlineScripts are about the last millisecond of what is kept, and the one behind, whether or not time was told to pass in between.
func deadlineScripts() (out []vector) {
	add := func(v vector) { out = append(out, v) }

	// Of a fragment: what is held makes another one a conflict until it is gone.
	p, knock := knocking()
	p.wait(100)
	offer := p.hear("bob", "alice", knock, offering)
	p.late = true
	p.hear("alice", "bob", p.again("bob", "alice", offer[1], func(b string) string { return flipped(b, 300, 1) }), "")
	p.wait(9999)
	p.hear("alice", "bob", offer[1], "hs-fragment-conflict")
	p.wait(1)
	p.say("10 s after it came, the wrong fragment is gone")
	p.hear("alice", "bob", offer[1], "")
	p.hear("alice", "bob", offer[0], "session")
	add(p.vector("hs-fragment-life/conflict", "a wrong fragment is in the way for 9.999 s", "", "hs-fragment-conflict"))

	// Of an offer, which was made at 40.
	p, knock, offer = knocked()
	accept := p.takes("alice", "bob", 1, offer)
	p.until(40 + 59_999)
	p.timeout("bob", "")
	p.hear("bob", "alice", knock, offers)
	p.wait(1)
	p.say("nothing has told that time passes but the datagram itself")
	p.hear("bob", "alice", knock, "hs-knock-older")
	p.hear("bob", "alice", accept, "hs-accept-unasked")
	add(p.vector("hs-offer-life/receive", "an offer at its last millisecond, and at the one behind", "hs-offer-life/last", "hs-knock-older", "hs-accept-unasked"))

	// Of a used offer and of a half-open session, both since 80.
	p, accept = halfOpen()
	p.opened("bob", p.session("alice", 1, "R"), "finished")
	p.until(80 + 59_999)
	p.timeout("bob", "")
	p.hear("bob", "alice", accept, "repeat")
	p.wait(1)
	p.hear("bob", "alice", accept, "hs-accept-unasked")
	add(p.vector("hs-used-kept/receive", "a used offer at its last millisecond, and at the one behind", "hs-used-kept/last", "hs-accept-again", "hs-accept-unasked"))
	p, _ = halfOpen()
	p.until(80 + 59_999)
	p.timeout("bob", "")
	p.wait(1)
	p.opened("bob", p.session("alice", 1, "R"), absent)
	add(p.vector("hs-halfopen-life/opened", "a half-open session is gone at 60 s, though nothing else has told that time passes", "hs-halfopen-life/last"))

	// Of an own accept, whose offer came at 100, and of an attempt. The program is late with everything.
	p, _ = accepted()
	p.late = true
	p.until(100 + 64_999)
	p.timeout("alice", "ended")
	p.opened("alice", p.session("alice", 1, "I"), "finished")
	add(p.vector("hs-out-life/late-last", "no try for 65 s: the attempt has ended, the accept is out for a millisecond more", "", "hs-attempt-life"))
	p, _ = accepted()
	p.late = true
	p.until(100 + 65_000)
	p.opened("alice", p.session("alice", 1, "I"), absent)
	add(p.vector("hs-out-life/late-over", "no try for 65 s, and the answer comes a millisecond too late", "hs-out-life/late-last"))
	p, _ = knocking()
	p.late = true
	p.until(64_999)
	p.timeout("alice", anew)
	p.wait(1)
	p.timeout("alice", "ended")
	p.say("another attempt may begin")
	p.begin("alice", "bob", anew)
	add(p.vector("hs-attempt-life/late", "a try 64.999 s after the first knock, and the end a millisecond later", "", "hs-retry-anew"))
	return out
}

// epochScripts are about the epochs in which a datagram may come, and those of handshakes that are under way.
func epochScripts() (out []vector) {
	add := func(v vector) { out = append(out, v) }

	later := uint64(0) // each knock is newer than those before
	knock := func(p *play, who string, epoch uint64, want string) (datagram string) {
		later++
		id, random := p.drawer(who)("id", 8), p.drawer(who)("random", 8)
		datagram = p.seal(who, "bob", message{epoch: epoch, kind: kindKnock, id: id, fragments: 1, bytes: knockOf(p.now+later, random, "")})
		p.hear("bob", who, datagram, want)
		return datagram
	}
	for _, who := range []string{"alice", "carol"} {
		p := newPlay()
		p.shadow("alice", friend{name: "bob"})
		p.shadow("carol", friend{name: "bob"})
		p.machine("bob", friend{name: "alice"}, friend{name: "carol"})
		pair := p.pair(who, "bob")
		knock(p, who, pair.epochs(p.now / 1000)[0], offering)
		p.say("several epochs later, in the last millisecond of the slack for the one before")
		p.now = pair.at(recordEpoch+4, 3600)*1000 - 1
		old := knock(p, who, recordEpoch+3, offering)
		p.wait(60_001)
		p.timeout("bob", "")
		p.say("no handshake of that epoch is under way")
		p.hear("bob", who, old, "hs-tag-unknown")
		p.now = pair.at(recordEpoch+4, 18000)*1000 - 1
		next := knock(p, who, recordEpoch+5, "hs-tag-unknown")
		p.wait(1)
		p.hear("bob", who, next, offering)
		add(p.vector("rv-epoch-live/edges-"+who, "the edges at which "+who+"'s tags come and go, those of another contact at other times", "",
			"rv-epoch-other", "hs-tag-unknown"))
	}
	p := newPlay()
	p.now = p.pair("alice", "bob").at(recordEpoch+1, 3600)*1000 - 1
	p.shadow("alice", friend{name: "bob"})
	p.machine("bob", friend{name: "alice"})
	knock(p, "alice", recordEpoch, offering)
	knock(p, "alice", recordEpoch+1, offering)
	add(p.vector("rv-epoch-live/both", "two epochs are accepted: alice knocks in each", "", "hs-offer-voided"))

	// alice's clock is behind: her handshake is of the epoch before, 10 s before bob ceases to accept it.
	begun := func() (p *play, id, datagram string, edge uint64) {
		p = newPlay()
		edge = p.pair("alice", "bob").at(recordEpoch+1, 3600) * 1000
		p.now = edge - 10_000
		p.shadow("alice", friend{name: "bob"})
		p.machine("bob", friend{name: "alice"})
		id = p.drawer("alice")("id", 8)
		return p, id, p.seal("alice", "bob", message{epoch: recordEpoch, kind: kindKnock, id: id, fragments: 1, bytes: knockOf(p.now-3_590_000, "kithkith", "")}), edge
	}
	p, id, first, edge := begun()
	accept := p.acceptOf("alice", "bob", p.hear("bob", "alice", first, offering))
	p.hear("bob", "alice", accept, "session")
	p.opened("bob", toHex(id)+"R", "finished")
	p.now = edge - 10_000 + 59_999
	p.say("the clock has left the epoch, and a used offer of it is kept")
	p.hear("bob", "alice", accept, "repeat")
	p.wait(1)
	p.say("it is kept no longer: the tag is unknown")
	p.hear("bob", "alice", accept, "hs-tag-unknown")
	add(p.vector("rv-epoch-other/used", "the clock has left the epoch, and the used offer is gone", "hs-epoch-kept/responder", "hs-tag-unknown", "hs-used-kept", "hs-accept-again"))

	p, _, first, edge = begun()
	accept = p.acceptOf("alice", "bob", p.hear("bob", "alice", first, offering))
	p.hear("bob", "alice", accept, "session")
	p.now = edge - 10_000 + 59_999
	p.say("the tag is known: the session is half-open")
	p.hear("bob", "alice", accept, "hs-accept-unasked")
	p.wait(1)
	p.hear("bob", "alice", accept, "hs-tag-unknown")
	add(p.vector("rv-epoch-other/half-open", "the clock has left the epoch, and the half-open session is gone", "hs-epoch-kept/responder",
		"hs-tag-unknown", "hs-accept-unasked", "hs-halfopen-life"))

	p, _, first, edge = begun()
	p.hear("bob", "alice", first, offering)
	fresh := func() string {
		return p.seal("alice", "bob", message{epoch: recordEpoch, kind: kindKnock, id: "kithkith", fragments: 1, bytes: knockOf(edge-3_590_000, "fresh it", "")})
	}
	p.now = edge - 1
	p.hear("bob", "alice", fresh(), offering)
	add(p.vector("hs-knock-epoch/last", "a fresh knock in the last millisecond of its epoch, while a handshake of it is under way", "", "hs-offer-voided"))
	p, _, first, edge = begun()
	p.hear("bob", "alice", first, offering)
	p.now = edge
	p.hear("bob", "alice", first, offers)
	p.hear("bob", "alice", fresh(), "hs-knock-epoch")
	add(p.vector("hs-knock-epoch/over", "a fresh knock a millisecond later: the tag is known, and the epoch is over for whatever is fresh", "hs-knock-epoch/last", "hs-epoch-kept"))
	return out
}

// removedScripts remove a contact in each state, and ask for it again.
func removedScripts() (out []vector) {
	add := func(v vector) { out = append(out, v) }
	const other = "rv-pair-removed/other"

	p, knock := knocking()
	p.wait(10)
	p.remove("alice", "bob", "")
	offer := p.hear("bob", "alice", knock, offering)
	p.until(500)
	p.timeout("alice", "")
	p.hear("alice", "bob", offer[0], "hs-tag-unknown")
	p.begin("alice", "bob", absent)
	add(p.vector("rv-pair-removed/knocking", "who is knocked at is removed: no try goes, no offer is taken, no attempt begins", other, "hs-tag-unknown"))

	p, _ = accepted()
	p.remove("alice", "bob", "")
	p.until(600)
	p.timeout("alice", "")
	p.hello("alice", p.session("alice", 1, "I"), absent)
	p.opened("alice", p.session("alice", 1, "I"), absent)
	add(p.vector("rv-pair-removed/accepted", "who has been sent an accept is removed: it is out no longer", other))

	p, knock, offer = knocked()
	accept := p.takes("alice", "bob", 1, offer)
	p.remove("bob", "alice", "")
	p.hear("bob", "alice", knock, "hs-tag-unknown")
	p.hear("bob", "alice", accept, "hs-tag-unknown")
	add(p.vector("rv-pair-removed/offered", "who got an offer is removed", other, "hs-tag-unknown"))

	p, accept = halfOpen()
	p.opened("bob", p.session("alice", 1, "R"), "finished")
	p.remove("bob", "carol", "")
	p.say("nobody was removed")
	p.hear("bob", "alice", accept, "repeat")
	p.remove("bob", "alice", "")
	p.hear("bob", "alice", accept, "hs-tag-unknown")
	p.ended("bob", p.session("alice", 1, "R"), absent)
	p.remove("bob", "alice", "")
	p.begin("bob", "alice", absent)
	add(p.vector("rv-pair-removed/present", "whom one talks with is removed, and then once more", other, "hs-tag-unknown", "hs-accept-again"))
	return out
}

// misplacedScripts speak of sessions in states in which that means nothing.
func misplacedScripts() (out []vector) {
	add := func(v vector) { out = append(out, v) }

	p, _ := halfOpen()
	session, initiators := p.session("alice", 1, "R"), p.session("alice", 1, "I")
	p.hello("bob", session, absent)
	p.ended("bob", session, absent)
	p.opened("bob", initiators, absent)
	p.opened("bob", session, "finished")
	p.opened("bob", session, absent)
	p.hello("bob", session, absent)
	p.ended("bob", initiators, absent)
	p.ended("bob", session, "")
	p.ended("bob", session, absent)
	p.opened("bob", session, absent)
	add(p.vector("hs-finish-responder/misplaced", "what a half-open session, a conversation and one that is over cannot be told", "hs-finish-responder/half-open"))

	p, _ = accepted()
	session, responders := p.session("alice", 1, "I"), p.session("alice", 1, "R")
	p.ended("alice", session, absent)
	p.hello("alice", responders, absent)
	p.opened("alice", responders, absent)
	p.opened("alice", session, "finished")
	p.opened("alice", session, absent)
	p.hello("alice", session, absent)
	p.ended("alice", responders, absent)
	p.ended("alice", session, "")
	p.ended("alice", session, absent)
	p2, knock := knocking()
	p2.say("there is no offer yet")
	p2.hello("alice", p2.session("alice", 1, "I"), absent)
	p2.wait(100)
	offer := p2.hear("bob", "alice", knock, offering)
	p2.hear("alice", "bob", offer[0], "")
	p2.hear("alice", "bob", offer[1], "session")
	p2.say("a session of the other role")
	p2.hello("alice", p2.session("alice", 1, "R"), absent)
	p2.opened("alice", p2.session("alice", 1, "R"), absent)
	p2.hello("alice", p2.session("alice", 1, "I"), both)
	p2.say("a second hello")
	p2.hello("alice", p2.session("alice", 1, "I"), absent)
	p2.opened("alice", p2.session("alice", 1, "I"), "finished")
	add(p2.vector("hs-hello-behind/misplaced", "hellos that nobody waits for", ""))
	add(p.vector("hs-finish-initiator/misplaced", "what an accept that is out, a conversation and one that is over cannot be told", "hs-finish-initiator/alice-bob"))

	// The accept of the present conversation, under another id.
	p, accept := halfOpen()
	p.opened("bob", p.session("alice", 1, "R"), "finished")
	msg, _ := openEnvelope(pairsOf(p.pair("bob", "alice")), p.now/1000, nil, accept)
	msg.id = flipped(msg.id, 7, 1)
	p.hear("bob", "alice", p.seal("alice", "bob", msg), "hs-accept-unasked")
	add(p.vector("hs-accept-again/id", "the accept that used the offer, under another id", "hs-accept-again/source", "hs-accept-unasked"))
	return out
}

// severalScripts have something due for more than one contact.
func severalScripts() []vector {
	p := newPlay()
	low, high := "alice", "carol"
	if p.s.person(low).key > p.s.person(high).key {
		low, high = high, low
	}
	p.machine("bob", friend{name: low}, friend{name: high})
	p.late = true
	p.begin("bob", high, anew)
	p.wait(100)
	p.begin("bob", low, anew)
	p.until(600)
	p.say("the greater IK's try was due first")
	p.timeout("bob", resend+" "+resend)
	p.until(1599)
	p.timeout("bob", "")
	p.until(1600)
	p.say("both at once: the smaller IK comes first")
	p.timeout("bob", resend+" "+resend)
	p.until(1700)
	p.timeout("bob", "")
	return []vector{p.vector("hs-retry-knock/order", "tries of two contacts are due when time passes", "")}
}

// askedScripts ask a machine for what cannot be.
func askedScripts() []vector {
	p := newPlay()
	alice, bob, carol := p.s.person("alice"), p.s.person("bob"), p.s.person("carol")
	refuse := func(op, comment, reason string, in object) {
		p.steps = append(p.steps, step{op: op, comment: comment, in: append(o("handle", "alice", "now_ms", decimal(p.now)), in...), reject: reason})
	}
	contact := func(key string) object { return o("friend", toHex(key), "taken", "0", "own", "0") }
	made := func(comment, reason string, contacts ...object) {
		refuse("hs.new", comment, reason, o("seed", toHex(alice.seed), "contacts", contacts))
	}
	made("a contact whose key has small order", malformed, contact(bob.key), contact(neutralPoint.encode()))
	made("oneself as a contact", malformed, contact(alice.key))
	made("the same contact twice", state, contact(bob.key), contact(carol.key), contact(bob.key))
	p.machine("alice", friend{name: "bob"}, friend{name: "carol"})
	begun := func(comment, reason, friend string, to ...string) {
		refuse("hs.begin", comment, reason, o("friend", toHex(friend), "to", append([]string{}, to...)))
	}
	all := append(manyEndpoints(8), "192.0.2.9:6889")
	begun("no address", malformed, bob.key)
	begun("nine addresses", limit, bob.key, all...)
	begun("who is no contact", state, p.s.person("dave").key, all[:1]...)
	p.begin("alice", "bob", strings.TrimSpace("persist "+strings.Repeat("transmit ", 8)), all[:8]...)
	p.begin("alice", "carol", anew, all[8])
	return []vector{p.vector("hs-retry-knock/asked", "machines that cannot be made, attempts that cannot begin, and one with as many addresses as there may be", "",
		"rv-contact-small", "rv-contact-self")}
}
