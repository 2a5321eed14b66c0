package gen

import "slices"

// offering is what bob answers a knock with, the first time and every time.
const (
	offering = "persist transmit transmit"
	offers   = "transmit transmit"
)

// knocked begins a play in which bob has offered for alice's knock; alice is far.
func knocked(contacts ...friend) (p *play, knock string, offer []string) {
	p = newPlay()
	p.shadow("alice", friend{name: "bob"})
	p.machine("bob", append([]friend{{name: "alice"}}, contacts...)...)
	knock = p.begin("alice", "bob", anew)[0]
	p.wait(40)
	return p, knock, p.hear("bob", "alice", knock, offering)
}

// takes makes alice's accept of an offer.
func (p *play) takes(who, from string, n int, offer []string) (accept string) {
	p.hear(who, from, offer[0], "")
	p.hear(who, from, offer[1], "session")
	return p.hello(who, p.session(who, n, "I"), both)[0]
}

// halfOpen goes on until bob has a half-open session.
func halfOpen(contacts ...friend) (p *play, accept string) {
	p, _, offer := knocked(contacts...)
	accept = p.takes("alice", "bob", 1, offer)
	p.wait(40)
	p.hear("bob", "alice", accept, "session")
	return p, accept
}

// responderVectors are scripts of who is knocked at: bob.
func responderVectors() []vector {
	return slices.Concat(knockScripts(), silentScripts(), crowdScripts())
}

// acceptedVectors are scripts of what comes of an offer: accepts, half-open sessions, and the edge of an epoch.
func acceptedVectors() []vector {
	return slices.Concat(acceptScripts(), halfOpenScripts(), edgeScripts(), deadlineScripts(), epochScripts(), removedScripts(), misplacedScripts(),
		severalScripts(), askedScripts())
}

func knockScripts() (out []vector) {
	add := func(v vector) { out = append(out, v) }

	p, knock, _ := knocked()
	p.say("the same datagram once more")
	p.hear("bob", "alice", knock, offers)
	p.wait(500)
	p.say("the same knock under another nonce, from elsewhere: the offer goes there")
	p.hear("bob", "203.0.113.9:999", p.again("alice", "bob", knock, nil), offers)
	add(p.vector("hs-knock-again/copies", "three copies of a knock: the same offer each time, sealed anew", "", "hs-offer-source", "hs-envelope-nonce"))

	p = newPlay()
	p.shadow("alice", friend{name: "bob"})
	p.machine("bob", friend{name: "alice"})
	_, knock = p.knockBy("alice", "bob", p.now, func(k string) string {
		return padded(k[:17]+fieldsOf([]string{"203.0.113.5:555", "[2001:db8::5]:555"}), knockSize)
	})
	p.hear("bob", "alice", knock, offering)
	add(p.vector("hs-offer-source/fields", "the knock names endpoints, and the offer goes to where the knock came from", "", "hs-knock-taken-stored"))

	differs := func(suffix, comment string, change func(string) string) {
		p, knock, _ := knocked()
		p.hear("bob", "alice", p.again("alice", "bob", knock, change), "hs-knock-differs")
		add(p.vector("hs-knock-differs/"+suffix, comment, "hs-knock-again/copies"))
	}
	differs("random", "the id that is served, and another random", func(k string) string { return flipped(k, 16, 1) })
	differs("time", "the id that is served, and a later time", func(k string) string { return replaced(k, 1, u64(fromU64(k[1:9])+1)) })
	differs("fields", "the id that is served, and a field more", func(k string) string { return padded(k[:17]+fieldForm(200, ""), knockSize) })
	p, knock, _ = knocked()
	p.hear("bob", "alice", p.again("alice", "bob", knock, func(k string) string { return flipped(k, 16, 1) }), "hs-knock-differs")
	p.hear("bob", "alice", knock, offers)
	add(p.vector("hs-knock-differs/then-right", "what differs leaves what is served", "", "hs-knock-again"))

	// Copies.
	p, knock, _ = knocked()
	for range 7 {
		p.hear("bob", "alice", knock, offers)
	}
	p.hear("bob", "203.0.113.9:999", knock, offers)
	add(p.vector("hs-knock-copies/eight", "eight copies from one source, one from another", ""))
	p, knock, _ = knocked()
	for range 7 {
		p.hear("bob", "alice", knock, offers)
	}
	p.hear("bob", "alice", knock, "hs-knock-copies")
	add(p.vector("hs-knock-copies/nine", "the ninth copy from one source", "hs-knock-copies/eight"))
	p, knock, _ = knocked()
	for range 7 {
		p.hear("bob", "alice", knock, offers)
	}
	for _, source := range []string{"203.0.113.9:999", "192.0.2.1:6882"} { // another address, another port
		for range 8 {
			p.hear("bob", source, knock, offers)
		}
	}
	p.hear("bob", "203.0.113.10:999", knock, "hs-knock-copies")
	add(p.vector("hs-knock-copies/all", "the 25th copy of all", "hs-knock-copies/eight"))

	// Times.
	at := func(id, comment, twin string, taken uint64, ahead int64, want string, also ...string) {
		p := newPlay()
		p.shadow("alice", friend{name: "bob"})
		p.machine("bob", friend{name: "alice", taken: taken})
		_, knock := p.knockBy("alice", "bob", uint64(int64(p.now)+ahead), nil)
		p.hear("bob", "alice", knock, want)
		add(p.vector(id, comment, twin, also...))
	}
	at("hs-knock-older/newer", "a knock a millisecond newer than the last", "", start-1, 0, offering, "hs-knock-taken-stored")
	at("hs-knock-older/equal", "a knock of the same millisecond as the last", "hs-knock-older/newer", start, 0, "hs-knock-older")
	at("hs-knock-older/one", "a knock a millisecond older than the last", "hs-knock-older/newer", start+1, 0, "hs-knock-older")
	at("hs-knock-older/much", "a knock much older than the last", "hs-knock-older/newer", start+3_000_000, -3_000_000, "hs-knock-older")
	at("hs-knock-older/before-clock", "older than the last, and too far behind the clock: a replay", "hs-knock-older/newer", start, -3_600_001, "hs-knock-older")
	at("hs-knock-taken-far/counts", "taken is 3,600,000 ms ahead: it counts", "hs-knock-taken-far/ignored", start+clockApart, 0, "hs-knock-older", "hs-knock-older")
	at("hs-knock-taken-far/ignored", "taken is 3,600,001 ms ahead: the clock was set back, and it does not count", "", start+clockApart+1, 0, offering)
	at("hs-knock-clock/ahead", "3,600,000 ms ahead", "", 0, clockApart, offering)
	at("hs-knock-clock/behind", "3,600,000 ms behind", "", 0, -clockApart, offering)
	at("hs-knock-clock/ahead-over", "3,600,001 ms ahead: the user is told", "hs-knock-clock/ahead", 0, clockApart+1, "hs-knock-clock")
	at("hs-knock-clock/behind-over", "3,600,001 ms behind: the user is told", "hs-knock-clock/behind", 0, -clockApart-1, "hs-knock-clock")
	at("hs-knock-clock/years", "years ahead", "hs-knock-clock/ahead", 0, 100_000_000_000, "hs-knock-clock")
	p = newPlay()
	p.shadow("alice", friend{name: "bob"})
	p.machine("bob", friend{name: "alice"})
	_, far := p.knockBy("alice", "bob", p.now+clockApart+1, nil)
	p.hear("bob", "alice", far, "hs-knock-clock")
	p.wait(1)
	p.say("it was not taken, and may be now")
	p.hear("bob", "alice", far, offering)
	add(p.vector("hs-knock-clock/later", "the same knock a millisecond later", "", "hs-knock-taken-stored"))

	// A fresh knock under the id of what is still there.
	under := func(suffix, comment string, prepare func(p *play, id string, knock string), want string) {
		p := newPlay()
		p.shadow("alice", friend{name: "bob"})
		p.machine("bob", friend{name: "alice"})
		id, knock := p.knockBy("alice", "bob", p.now, nil)
		prepare(p, id, knock)
		second := p.seal("alice", "bob", message{kind: kindKnock, id: id, fragments: 1, bytes: knockOf(p.now, p.drawer("alice")("random", 8), "")})
		p.hear("bob", "alice", second, want)
		twin := "hs-knock-session/gone"
		if want == offering {
			twin = ""
		}
		add(p.vector("hs-knock-session/"+suffix, comment, twin))
	}
	accepted := func(p *play, id, knock string) {
		p.hear("bob", "alice", p.acceptOf("alice", "bob", p.hear("bob", "alice", knock, offering)), "session")
	}
	under("gone", "a fresh knock under the id of a handshake of which nothing is left", func(p *play, id, knock string) {
		accepted(p, id, knock)
		p.wait(60_000)
		p.timeout("bob", "")
	}, offering)
	under("half-open", "a fresh knock under the id of a half-open session and its used offer", func(p *play, id, knock string) {
		accepted(p, id, knock)
		p.wait(59_999)
	}, "hs-knock-session")
	under("used", "a fresh knock under the id of a used offer whose conversation has ended", func(p *play, id, knock string) {
		accepted(p, id, knock)
		p.opened("bob", toHex(id)+"R", "finished")
		p.ended("bob", toHex(id)+"R", "")
		p.wait(59_999)
	}, "hs-knock-session")
	under("present", "a fresh knock under the id of the present conversation", func(p *play, id, knock string) {
		accepted(p, id, knock)
		p.opened("bob", toHex(id)+"R", "finished")
		p.wait(100_000)
		p.timeout("bob", "")
	}, "hs-knock-session")

	// What is malformed is not taken.
	bad := func(rule, suffix, comment string, also []string, change func(string) string) {
		p := newPlay()
		p.shadow("alice", friend{name: "bob"})
		p.machine("bob", friend{name: "alice"})
		_, knock := p.knockBy("alice", "bob", p.now, change)
		want := rule
		if also != nil {
			want = also[0]
		}
		p.hear("bob", "alice", knock, want)
		add(p.vector(rule+"/"+suffix, comment, "hs-knock-older/newer", also...))
	}
	bad("hs-knock-version", "machine", "a knock of version 2", nil, func(k string) string { return replaced(k, 0, "\x02") })
	bad("hs-knock-fields", "machine", "a knock with an unknown type below 128", []string{"rv-field-unknown"},
		func(k string) string { return padded(k[:17]+fieldForm(9, ""), knockSize) })
	bad("hs-knock-fields", "machine-limit", "a knock with nine endpoints", []string{"rv-endpoint-limit"}, func(k string) string {
		return padded(k[:17]+fieldsOf(manyEndpoints(9)), knockSize)
	})
	bad("hs-knock-version", "before-clock", "version 2, and too far ahead of the clock: no user is told", nil, func(k string) string {
		return replaced(replaced(k, 0, "\x02"), 1, u64(start+clockApart+1))
	})
	p = newPlay()
	p.shadow("alice", friend{name: "bob"})
	p.machine("bob", friend{name: "alice"})
	id, wrong := p.knockBy("alice", "bob", p.now+1000, func(k string) string { return replaced(k, 0, "\x02") })
	p.hear("bob", "alice", wrong, "hs-knock-version")
	p.hear("bob", "alice", p.seal("alice", "bob", message{kind: kindKnock, id: id, fragments: 1, bytes: knockOf(p.now, "kithkith", "")}), offering)
	add(p.vector("hs-knock-version/then-right", "what is malformed is not taken: an older knock of the same id is, behind it", ""))

	// How many fresh offers a contact gets.
	three := func() (p *play, third string) {
		p = newPlay()
		p.shadow("alice", friend{name: "bob"})
		p.machine("bob", friend{name: "alice"})
		for _, ms := range []uint64{0, 10} {
			p.until(ms)
			_, knock := p.knockBy("alice", "bob", p.now, nil)
			p.hear("bob", "alice", knock, offering)
		}
		p.until(999)
		_, third = p.knockBy("alice", "bob", p.now, nil)
		return p, third
	}
	p, third := three()
	p.hear("bob", "alice", third, "hs-offers-contact")
	add(p.vector("hs-offers-contact/third", "a third fresh knock 999 ms after the first", "hs-offers-contact/later"))
	p, third = three()
	p.hear("bob", "alice", third, "hs-offers-contact")
	p.until(1000)
	p.say("the same knock, a second after the first: it was not taken")
	p.hear("bob", "alice", third, offering)
	p.until(1009)
	_, fourth := p.knockBy("alice", "bob", p.now, nil)
	p.hear("bob", "alice", fourth, "hs-offers-contact")
	p.until(1010)
	p.hear("bob", "alice", fourth, offering)
	add(p.vector("hs-offers-contact/later", "two fresh offers within one second, wherever it begins", "", "hs-knock-taken-stored"))
	return out
}
