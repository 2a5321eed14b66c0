package gen

import "slices"

// acceptScripts are about accepts that reach bob, and what becomes of them.
func acceptScripts() (out []vector) {
	add := func(v vector) { out = append(out, v) }
	const good = "hs-finish-responder/half-open"

	p, _ := halfOpen()
	p.wait(20)
	p.opened("bob", p.session("alice", 1, "R"), "finished")
	add(p.vector(good, "a half-open session, and the hello opens in it", "", "hs-halfopen-mute", "hs-rank-when"))

	// Which offer an accept is for.
	p, _, offer := knocked()
	accept := p.takes("alice", "bob", 1, offer)
	p.hear("bob", "203.0.113.9:999", accept, "session")
	add(p.vector("hs-offer-bound/source", "an accept may come from another address than the knock", ""))

	unasked := func(id, comment string, do func(p *play, accept string)) {
		p, _, offer := knocked(friend{name: "carol"})
		do(p, p.takes("alice", "bob", 1, offer))
		add(p.vector(id, comment, good, others(id, "hs-accept-unasked")...))
	}
	unasked("hs-offer-bound/contact", "the accept under the right id, from another contact", func(p *play, accept string) {
		msg, _ := openEnvelope([]pair{p.pair("bob", "alice")}, p.now/1000, nil, accept)
		p.hear("bob", "carol", p.seal("carol", "bob", message{kind: kindAccept, id: msg.id, fragments: 1, bytes: msg.bytes}), "hs-accept-unasked")
	})
	unasked("hs-offer-bound/id", "the accept under another id", func(p *play, accept string) {
		msg, _ := openEnvelope([]pair{p.pair("bob", "alice")}, p.now/1000, nil, accept)
		msg.id = flipped(msg.id, 0, 1)
		p.hear("bob", "alice", p.seal("alice", "bob", msg), "hs-accept-unasked")
	})
	unasked("hs-accept-unasked/twice", "the same accept again while its session is half-open", func(p *play, accept string) {
		p.hear("bob", "alice", accept, "session")
		p.hear("bob", "alice", accept, "hs-accept-unasked")
	})
	unasked("hs-offer-voided/older", "the accept for the older of two offers", func(p *play, accept string) {
		p.until(600)
		_, fresh := p.knockBy("alice", "bob", p.now, nil)
		p.hear("bob", "alice", fresh, offering)
		p.hear("bob", "alice", accept, "hs-accept-unasked")
	})
	p = newPlay()
	p.shadow("alice", friend{name: "bob"})
	p.machine("bob", friend{name: "alice"})
	_, first := p.knockBy("alice", "bob", p.now, nil)
	p.hear("bob", "alice", first, offering)
	p.wait(10)
	offer = p.hear("bob", "alice", p.begin("alice", "bob", anew)[0], offering)
	accept = p.takes("alice", "bob", 2, offer)
	p.hear("bob", "alice", accept, "session")
	add(p.vector("hs-offer-voided/newer", "the accept for the newer of two offers", ""))
	p, knock, offer := knocked()
	p.takes("alice", "bob", 1, offer)
	p.wait(10)
	_, fresh := p.knockBy("alice", "bob", p.now, nil)
	p.hear("bob", "alice", fresh, offering)
	p.hear("bob", "alice", knock, "hs-knock-older")
	add(p.vector("hs-offer-voided/knock", "the knock of a voided offer is older", "hs-knock-again/copies", "hs-knock-older"))
	p, knock, offer = knocked()
	p.hear("bob", "alice", p.takes("alice", "bob", 1, offer), "session")
	p.hear("bob", "alice", knock, "hs-knock-older")
	add(p.vector("hs-knock-older/used", "the knock of a used offer is older", "hs-knock-again/copies"))

	// A session that is half-open says nothing, and changes nothing.
	p, accept = halfOpen()
	p.opened("bob", p.session("alice", 1, "R"), "finished")
	p.until(1000)
	p.meet("alice", 2)
	p.wait(1000)
	p.timeout("bob", "")
	p.hear("bob", "alice", accept, "repeat")
	add(p.vector("hs-halfopen-mute/present", "a second session is half-open: it sends nothing, and the conversation goes on", "", "hs-rank-when", "hs-finish-older"))
	p, accept = halfOpen()
	p.opened("bob", p.session("alice", 1, "R"), "finished")
	p.until(1000)
	id, next := p.knockBy("alice", "bob", p.now, nil)
	wrong := p.again("alice", "bob", p.acceptOf("alice", "bob", p.hear("bob", "alice", next, offering)), func(a string) string { return flipped(a, -1, 1) })
	p.hear("bob", "alice", wrong, "hs-confirm-first")
	p.say("the conversation is the present one as before")
	p.hear("bob", "alice", accept, "repeat")
	p.say("and no session has come of it")
	p.opened("bob", toHex(id)+"R", absent)
	p.hear("bob", "alice", next, offers)
	add(p.vector("hs-accept-untouched/present", "an accept whose confirm is wrong touches neither the conversation nor the offer", "",
		"hs-confirm-first", "hs-accept-failed-keeps"))

	// How long an offer is good for: it was made at 40.
	p, _, offer = knocked()
	accept = p.takes("alice", "bob", 1, offer)
	p.until(40 + 59999)
	p.hear("bob", "alice", accept, "session")
	add(p.vector("hs-offer-life/last", "an accept 59.999 s after the offer was made", ""))
	p, _, offer = knocked()
	accept = p.takes("alice", "bob", 1, offer)
	p.until(40 + 60000)
	p.timeout("bob", "")
	p.hear("bob", "alice", accept, "hs-accept-unasked")
	add(p.vector("hs-offer-life/over", "an accept 60 s after the offer was made", "hs-offer-life/last", "hs-accept-unasked"))
	p, knock, _ = knocked()
	p.until(40 + 60000)
	p.timeout("bob", "")
	p.hear("bob", "alice", knock, "hs-knock-older")
	add(p.vector("hs-knock-older/expired", "the knock of an expired offer is older", "hs-knock-again/copies"))

	// Accepts that fail.
	damages := map[string]func(string) string{
		"hs-accept-key":    func(a string) string { return replaced(a, 16, toLittle(prime)) },
		"hs-accept-zero":   func(a string) string { return replaced(a, 16, zeros(32)) },
		"hs-confirm-first": func(a string) string { return flipped(a, -1, 1) },
		"hs-accept-offer":  func(a string) string { return flipped(a, 0, 1) },
	}
	fail := func(p *play, accept string, rules ...string) {
		for _, rule := range rules {
			p.wait(10)
			p.hear("bob", "alice", p.again("alice", "bob", accept, damages[rule]), rule)
		}
	}
	four := []string{"hs-confirm-first", "hs-accept-key", "hs-accept-zero", "hs-confirm-first"} // at 50, 60, 70 and 80
	for _, rule := range []string{"hs-accept-offer", "hs-accept-key", "hs-accept-zero", "hs-confirm-first"} {
		p, _, offer := knocked()
		accept := p.takes("alice", "bob", 1, offer)
		fail(p, accept, rule)
		add(p.vector(rule+"/machine", "an accept that "+rule+" drops", "hs-accept-failed-keeps/"+rule[3:]))
		p, _, offer = knocked()
		accept = p.takes("alice", "bob", 1, offer)
		fail(p, accept, rule)
		p.hear("bob", "alice", accept, "session")
		add(p.vector("hs-accept-failed-keeps/"+rule[3:], "an accept that "+rule+" drops, and the right one behind it", "", rule, "hs-accept-untouched"))
	}
	p, _, offer = knocked()
	accept = p.takes("alice", "bob", 1, offer)
	fail(p, accept, four...)
	p.until(1049)
	p.hear("bob", "alice", accept, "hs-accept-failures")
	add(p.vector("hs-accept-failures/fifth", "four accepts failed within one second, and the right one comes 999 ms after the first", "hs-accept-failures/later"))
	p, _, offer = knocked()
	accept = p.takes("alice", "bob", 1, offer)
	fail(p, accept, four...)
	p.until(1049)
	p.hear("bob", "alice", accept, "hs-accept-failures")
	p.until(1050)
	p.say("a second after the first: what was dropped for the limit does not count")
	p.hear("bob", "alice", accept, "session")
	add(p.vector("hs-accept-failures/later", "the right one comes a second after the first of four that failed", "", "hs-accept-failed-keeps"))
	p, _, offer = knocked()
	accept = p.takes("alice", "bob", 1, offer)
	fail(p, accept, "hs-confirm-first", "hs-accept-key", "hs-accept-zero", "hs-accept-offer", "hs-accept-offer")
	p.hear("bob", "alice", accept, "session")
	add(p.vector("hs-accept-failures/three", "three that failed; those with another offer id do not count", "", "hs-accept-failed-keeps"))

	// The same accept again, when its conversation is the present one.
	present := func() (p *play, accept string) {
		p, accept = halfOpen() // at 80
		p.wait(20)
		p.opened("bob", p.session("alice", 1, "R"), "finished")
		return p, accept
	}
	eight := func() (p *play, accept string) {
		p, accept = present()
		for range 8 {
			p.wait(100)
			p.hear("bob", "alice", accept, "repeat")
		}
		return p, accept
	}
	p, accept = present()
	p.wait(100)
	p.say("under another nonce, from elsewhere")
	p.hear("bob", "203.0.113.9:999", p.again("alice", "bob", accept, nil), "repeat")
	add(p.vector("hs-accept-again/source", "the same accept again: the conversation's first datagram goes to where it came from", ""))
	p, _ = eight()
	add(p.vector("hs-accept-again-limit/eight", "the same accept eight times more", "", "hs-accept-again"))
	p, accept = eight()
	p.hear("bob", "203.0.113.9:999", accept, "hs-accept-again-limit")
	add(p.vector("hs-accept-again-limit/nine", "the ninth time, from elsewhere", "hs-accept-again-limit/eight"))
	p, accept = present()
	p.until(80 + 59999)
	p.hear("bob", "alice", accept, "repeat")
	add(p.vector("hs-used-kept/last", "the same accept 59.999 s after it was taken", "", "hs-accept-again"))
	over := func(id, comment string, do func(p *play, accept string) (again string)) {
		p, accept := present()
		p.hear("bob", "alice", do(p, accept), "hs-accept-unasked")
		add(p.vector(id, comment, "hs-accept-again/source", "hs-accept-unasked"))
	}
	over("hs-used-kept/over", "the same accept 60 s after it was taken", func(p *play, accept string) string {
		p.until(80 + 60000)
		p.timeout("bob", "")
		return accept
	})
	over("hs-accept-again/confirm", "an accept that differs in its last byte", func(p *play, accept string) string {
		return p.again("alice", "bob", accept, func(a string) string { return flipped(a, -1, 1) })
	})
	over("hs-accept-again/ended", "the conversation has ended", func(p *play, accept string) string {
		p.ended("bob", p.session("alice", 1, "R"), "")
		return accept
	})
	over("hs-accept-again/replaced", "another conversation is the present one", func(p *play, accept string) string {
		p.meet("alice", 2)
		p.opened("bob", p.session("alice", 2, "R"), "finished")
		return accept
	})
	return out
}

// others are requirements beside the one that an id names.
func others(id string, all ...string) []string {
	return slices.DeleteFunc(all, func(r string) bool { return r == requirementOf(id) })
}

// meet is the nth whole handshake of somebody's with bob, up to the half-open session.
func (p *play) meet(who string, n int) {
	p.machines[who].contacts[0].attempt = nil // whatever became of the one before
	offer := p.hear("bob", who, p.begin(who, "bob", anew)[0], offering)
	p.hear("bob", who, p.takes(who, "bob", n, offer), "session")
}

// halfOpenScripts are about sessions in which nothing has opened yet.
func halfOpenScripts() (out []vector) {
	add := func(v vector) { out = append(out, v) }
	p, _ := halfOpen() // at 80
	p.until(80 + 59999)
	p.opened("bob", p.session("alice", 1, "R"), "finished")
	add(p.vector("hs-halfopen-life/last", "the hello opens 59.999 s after the session was made", ""))
	p, _ = halfOpen()
	p.until(80 + 60000)
	p.timeout("bob", "")
	p.opened("bob", p.session("alice", 1, "R"), absent)
	add(p.vector("hs-halfopen-life/over", "the hello opens 60 s after the session was made", "hs-halfopen-life/last"))

	// Eight may be half-open; the ninth erases the one of lowest rank, which is the oldest.
	many := func(n int) *play {
		p, _ := halfOpen()
		for i := 2; i <= n; i++ {
			p.until(uint64(i) * 600)
			p.meet("alice", i)
		}
		p.wait(10)
		return p
	}
	p = many(8)
	p.opened("bob", p.session("alice", 1, "R"), "finished")
	p.say("those of higher rank stay")
	p.opened("bob", p.session("alice", 8, "R"), "finished")
	p.say("those of lower rank are gone")
	p.opened("bob", p.session("alice", 7, "R"), absent)
	p.ended("bob", p.session("alice", 8, "R"), "")
	add(p.vector("hs-halfopen-bound/eight", "eight half-open sessions, and the hello opens in the first", "", "hs-finish-replaces"))
	p = many(9)
	p.opened("bob", p.session("alice", 1, "R"), absent)
	add(p.vector("hs-halfopen-bound/nine", "nine half-open sessions: the first is gone", "hs-halfopen-bound/eight"))
	return out
}

// silentScripts are about what is dropped without a trace.
func silentScripts() (out []vector) {
	add := func(v vector) { out = append(out, v) }
	silent := func(rule, comment string, change func(p *play, knock string) string) {
		begun := func() (p *play, knock, bad string) {
			p = newPlay()
			p.shadow("alice", friend{name: "bob"})
			p.machine("bob", friend{name: "alice"})
			_, knock = p.knockBy("alice", "bob", p.now, nil)
			return p, knock, change(p, knock)
		}
		p, _, bad := begun()
		p.hear("bob", "alice", bad, rule)
		add(p.vector(rule+"/machine", comment, rule+"/then-right", "hs-envelope-silent"))
		p, knock, bad := begun()
		p.hear("bob", "alice", bad, rule)
		p.hear("bob", "alice", knock, offering)
		add(p.vector(rule+"/then-right", comment+", and the right knock behind it", "", "hs-envelope-silent"))
	}
	silent("hs-envelope-size", "a byte too many", func(_ *play, knock string) string { return knock + "\x00" })
	silent("hs-tag-unknown", "carol, who is no contact, knocks", func(p *play, _ string) string {
		_, datagram := p.knockBy("carol", "bob", p.now, nil)
		return datagram
	})
	silent("hs-envelope-seal", "a bit of the seal is another", func(_ *play, knock string) string { return flipped(knock, -1, 1) })
	silent("hs-envelope-kind", "a datagram of kind 4", func(p *play, _ string) string {
		return p.seal("alice", "bob", message{kind: 4, id: "kithkith", fragments: 1, bytes: zeros(knockSize)})
	})

	// What is removed is forgotten at once.
	removed := func(suffix, comment, twin string, do func(p *play)) {
		p, _ := halfOpen()
		p.remove("bob", "alice", "")
		do(p)
		add(p.vector("rv-pair-removed/"+suffix, comment, twin, "hs-tag-unknown"))
	}
	p, _ := halfOpen(friend{name: "carol"})
	p.remove("bob", "alice", "")
	_, knock := p.knockBy("carol", "bob", p.now, nil)
	p.hear("bob", "carol", knock, offering)
	add(p.vector("rv-pair-removed/other", "another contact than the one that was removed knocks", ""))
	removed("knock", "a contact that was removed knocks", "rv-pair-removed/other", func(p *play) {
		_, knock := p.knockBy("alice", "bob", p.now+1, nil)
		p.hear("bob", "alice", knock, "hs-tag-unknown")
	})
	removed("session", "the half-open session of a contact that was removed is gone", "hs-finish-responder/half-open", func(p *play) {
		p.opened("bob", p.session("alice", 1, "R"), absent)
	})
	return out
}

// edgeScripts are handshakes of an epoch that the clock leaves.
func edgeScripts() (out []vector) {
	// alice's clock is behind: she knocks in the epoch before, 10 s before bob ceases to accept it. Where it says nothing else, times are bob's.
	begun := func() (p *play, knock string, edge uint64) {
		p = newPlay()
		pair := p.pair("alice", "bob")
		edge = pair.at(recordEpoch+1, 3600) * 1000
		p.now = edge - 10_000
		p.shadow("alice", friend{name: "bob"})
		p.machine("bob", friend{name: "alice"})
		id := p.drawer("alice")("id", 8)
		knock = p.seal("alice", "bob", message{epoch: recordEpoch, kind: kindKnock, id: id, fragments: 1, bytes: knockOf(p.now-3_590_000, "kithkith", "")})
		return p, knock, edge
	}
	p, knock, edge := begun()
	offer := p.hear("bob", "alice", knock, offering)
	p.now = edge
	p.say("the clock accepts the epoch no longer; the handshake is under way")
	p.hear("bob", "alice", knock, offers)
	p.hear("bob", "alice", p.acceptOf("alice", "bob", offer), "session")
	p.opened("bob", p.session("alice", 1, "R"), "finished")
	out = append(out, p.vector("hs-epoch-kept/responder", "the clock leaves the epoch while a handshake of it is under way", "", "rv-epoch-other"))

	p, knock, edge = begun()
	offer = p.hear("bob", "alice", knock, offering)
	late := p.acceptOf("alice", "bob", offer)
	p.now = edge - 10_000 + offerLife
	p.timeout("bob", "")
	p.say("no handshake of this epoch is under way any more: the tag is unknown")
	p.hear("bob", "alice", late, "hs-tag-unknown")
	out = append(out, p.vector("rv-epoch-other/expired", "the clock has left the epoch, and the offer has expired", "hs-epoch-kept/responder", "hs-tag-unknown"))

	p, knock, edge = begun()
	p.now = edge
	p.hear("bob", "alice", knock, "hs-tag-unknown")
	out = append(out, p.vector("rv-epoch-other/knock", "a knock that comes when the clock has left its epoch", "hs-epoch-kept/responder", "hs-tag-unknown"))
	return out
}
