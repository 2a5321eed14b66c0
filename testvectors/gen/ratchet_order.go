package gen

import (
	"fmt"
	"slices"
)

var rtNames = []string{"bob", "alice"}

// rtOrders are messages that are lost, late, doubled and overtaken. Message 0 of the other side has opened before, where nothing else
// is said; what is not heard is lost.
func rtOrders() (all []vector) {
	for _, name := range rtNames {
		var s *rtStory
		var p, q *rtParty
		tell := func(suffix, comment string) {
			s = rtTell("rt-skipped-kept/"+suffix+"-"+name, comment, name)
			p, q = s.party(name), s.party(name).other()
		}
		add := func() { all = append(all, s.accepted()) }
		begin := func(suffix, comment string) {
			tell(suffix, comment)
			rtMeet(p)
		}

		begin("in-order", "nothing is skipped")
		for n := range uint32(3) {
			p.hears(q.sends(n + 1))
		}
		add()
		begin("late-one", "one message overtakes another")
		p.hears(q.sends(2))
		p.hearsLate(q.sent(0, 1))
		add()
		begin("reversed", "five messages, the last one first")
		p.hears(q.sends(5))
		for n := range uint32(4) {
			p.hearsLate(q.sent(0, 4-n))
		}
		add()
		tell("overtaken-first", "the message that begins the conversation is the last of three to come")
		if name == "alice" {
			q.hears(p.says())
		}
		p.hears(q.sends(2))
		p.hearsLate(q.sent(0, 1))
		p.hearsLate(q.sent(0, 0))
		p.hears(q.sends(3))
		add()
		begin("over-a-turn", "a message comes when its chain is an older one")
		p.hears(q.sends(2))
		p.turn()
		p.hears(q.sends(0))
		p.hearsLate(q.sent(0, 1))
		p.hears(q.sends(1))
		add()
		begin("before-the-turn-is-heard", "what was sent before the answer came, and what came after, crosses")
		p.hears(q.sends(2))
		m := p.says()
		p.hears(q.sends(3))
		q.hears(m)
		p.hears(q.sends(0))
		p.hearsLate(q.sent(0, 1))
		add()
		begin("by-pn", "the last messages of a chain are lost, and pn tells of them")
		q.sends(3)
		p.turn()
		p.hears(q.sends(0))
		for _, n := range []uint32{2, 3, 1} {
			p.hearsLate(q.sent(0, n))
		}
		add()
		begin("new-chain-late", "the message that begins a chain comes after its second and third")
		p.turn()
		p.hears(q.sends(2))
		p.hearsLate(q.sent(1, 0))
		p.hearsLate(q.sent(1, 1))
		p.hears(q.sends(3))
		add()
		begin("over-two-turns", "a message comes two chains late, then one that is a chain late")
		p.hears(q.sends(2))
		p.turn()
		p.hears(q.sends(1))
		p.turn()
		p.hears(q.sends(0))
		p.hearsLate(q.sent(0, 1))
		p.hearsLate(q.sent(1, 0))
		add()
		turns := map[string]int{"bob": 9, "alice": 6}[name]
		begin("many-turns", fmt.Sprintf("a message comes %d chains late: chains of which no key is kept do not count", turns))
		s.also = []string{"rt-skipped-chains"}
		p.hears(q.sends(2))
		for range turns {
			p.turn()
			p.hears(q.sends(0))
		}
		p.hearsLate(q.sent(0, 1))
		add()
		if name == "alice" { // the rest is seen from one side: they are alike by now
			continue
		}
		begin("lost", "gaps that are never filled")
		for _, n := range []uint32{1, 3, 6, 10, 11} {
			p.hears(q.sends(n))
		}
		add()
		begin("both-chains", "the end of one chain and the beginning of the next are late, and come mixed")
		q.sends(2)
		p.turn()
		p.hears(q.sends(2))
		for _, m := range []struct {
			chain int
			n     uint32
		}{{0, 2}, {1, 1}, {0, 1}, {1, 0}} {
			p.hearsLate(q.sent(m.chain, m.n))
		}
		add()
		begin("through-refusals", "copies of a late message that were tampered with do not use its key up, in its own chain's time and after it")
		s.also = []string{"rt-failure-nothing"}
		p.hears(q.sends(3))
		p.refuses(flipped(q.sent(0, 1), -1, 1), authentication)
		p.hearsLate(q.sent(0, 1))
		p.turn()
		p.hears(q.sends(0))
		p.refuses(flipped(q.sent(0, 2), -1, 1), authentication)
		p.hearsLate(q.sent(0, 2))
		add()
	}
	return append(all, rtStorm(1), rtStorm(2))
}

// rtStorm is a conversation over a bad network: each octet of a hash decides what happens next.
func rtStorm(number int) vector {
	s := rtTell(fmt.Sprintf("rt-skipped-kept/storm-%d", number), "a bad network, seen from both sides: lost, late, doubled, overtaken", "alice bob")
	s.also = []string{"rt-message-once", "rt-newest", "rt-header-seal"}
	type packet struct{ to, message string }
	var flying []packet
	send := func(p *rtParty) {
		flying = append(flying, packet{p.other().name, p.says()})
	}
	send(s.alice)
	s.bob.hears(flying[0].message)
	for _, octet := range []byte(new(secrets).bytes("", fmt.Sprintf("rt storm %d", number), 32)) {
		choice, which := octet&7, int(octet>>3)
		switch {
		case choice < 2:
			send(s.alice)
		case choice < 4:
			send(s.bob)
		default:
			i := which % len(flying)
			s.party(flying[i].to).takes(flying[i].message)
			if choice > 4 && len(flying) > 1 { // otherwise it may come again
				flying = slices.Delete(flying, i, i+1)
			}
		}
	}
	send(s.alice)
	s.bob.takes(flying[len(flying)-1].message)
	return s.accepted()
}

// rtNewest are conversations in which only that is of interest. Most others show it too.
func rtNewest() (all []vector) {
	for _, name := range rtNames {
		begin := func(suffix, comment string) (s *rtStory, p, q *rtParty) {
			s = rtTell("rt-newest/"+suffix+"-"+name, comment, name)
			rtMeet(s.party(name))
			return s, s.party(name), s.party(name).other()
		}
		s, p, q := begin("late", "a kept message is not the newest, what comes after it is")
		p.hears(q.sends(1))
		p.hears(q.sends(4))
		p.hearsLate(q.sent(0, 3))
		p.hearsLate(q.sent(0, 2))
		p.hears(q.sends(5))
		all = append(all, s.accepted())

		s, p, q = begin("turn", "what begins a chain is the newest whatever its number; what comes of the older chain is not, whatever its own")
		q.sends(9)
		p.turn()
		p.hears(q.sends(1))
		p.hearsLate(q.sent(0, 9))
		p.hearsLate(q.sent(1, 0))
		p.hears(q.sends(2))
		all = append(all, s.accepted())

		s, p, q = begin("refused", "a refused message with a higher number is not the newest, the one before it is")
		s.also = []string{"rt-failure-nothing"}
		p.refuses(flipped(q.sends(3), -1, 1), authentication)
		p.hears(q.sent(0, 2))
		p.hears(q.sent(0, 3))
		p.hearsLate(q.sent(0, 1))
		all = append(all, s.accepted())
	}
	return all
}

// rtReplays are messages that come again, at every stage at which they can.
func rtReplays() (all []vector) {
	for _, name := range rtNames {
		var s *rtStory
		var p, q *rtParty
		begin := func(id, comment string) {
			s = rtTell(id+"-"+name, comment, name)
			s.also = []string{"rt-erase"}
			p, q = s.party(name), s.party(name).other()
			rtMeet(p)
		}
		again := func(chain int, n uint32, reason, twin string) {
			p.refuses(q.sent(chain, n), reason)
			all = append(all, s.refused("rt-skipped-kept/"+twin+"-"+name))
		}
		const once, sealed = "rt-message-once/", "rt-header-seal/"

		begin(once+"at-once", "a message again at once")
		p.hears(q.sends(1))
		again(0, 1, replay, "in-order")
		begin(once+"late", "a late message again")
		p.hears(q.sends(2))
		p.hearsLate(q.sent(0, 1))
		again(0, 1, replay, "late-one")
		begin(once+"older-chain", "a message of an older chain again, of which another key is kept")
		p.hears(q.sends(2))
		p.turn()
		p.hears(q.sends(0))
		again(0, 2, replay, "over-a-turn")
		begin(sealed+"older-chain-done", "a message of an older chain again: no key of it is kept, so it is forgotten")
		p.hears(q.sends(1))
		p.turn()
		p.hears(q.sends(0))
		again(0, 1, authentication, "over-a-turn")
		begin(sealed+"older-chain-emptied", "a late message of an older chain again: its key was the last of the chain")
		p.hears(q.sends(2))
		p.turn()
		p.hears(q.sends(0))
		p.hearsLate(q.sent(0, 1))
		again(0, 1, authentication, "over-a-turn")
		begin(sealed+"reflected-at-once", "an own message comes back, before the other side has answered it")
		p.refuses(p.says(), authentication)
		all = append(all, s.refused("rt-skipped-kept/in-order-"+name))
		begin(sealed+"reflected-late", "an own message comes back when the other side has answered it")
		m := p.says()
		q.hears(m)
		p.hears(q.sends(0))
		p.refuses(m, authentication)
		all = append(all, s.refused("rt-skipped-kept/over-a-turn-"+name))
		begin(sealed+"reflected-again", "an own message of the present sending chain comes back")
		p.turn()
		p.hears(q.sends(0))
		p.refuses(p.says(), authentication)
		all = append(all, s.refused("rt-skipped-kept/over-a-turn-"+name))
		if name == "alice" {
			continue
		}
		begin(once+"first", "the message that began the chain, again at once")
		again(0, 0, replay, "in-order")
		begin(once+"later", "a message again, two messages later")
		for n := range uint32(3) {
			p.hears(q.sends(n + 1))
		}
		again(0, 1, replay, "in-order")
		begin(once+"skipping", "a message again that skipped others, of which keys are kept")
		p.hears(q.sends(3))
		again(0, 3, replay, "reversed")
		begin(once+"own-answer-between", "a message again after one's own answer, which begins no receiving chain")
		p.hears(q.sends(1))
		p.turn()
		again(0, 1, replay, "before-the-turn-is-heard")
		begin(once+"older-chain-late", "a late message of an older chain again, while another key of it is kept")
		q.sends(2)
		p.turn()
		p.hears(q.sends(0))
		p.hearsLate(q.sent(0, 2))
		again(0, 2, replay, "by-pn")
		begin(once+"late-before-the-turn", "a message that came late, again when its chain is an older one with another key")
		p.hears(q.sends(3))
		p.hearsLate(q.sent(0, 2))
		p.turn()
		p.hears(q.sends(0))
		again(0, 2, replay, "over-a-turn")
		begin(once+"new-chain", "the message that began the second chain, again at once")
		p.turn()
		p.hears(q.sends(0))
		again(1, 0, replay, "over-a-turn")

		begin(sealed+"very-old", "the first message of all again, three chains later")
		for range 3 {
			p.turn()
			p.hears(q.sends(0))
		}
		again(0, 0, authentication, "over-two-turns")
	}
	s := rtTell("rt-header-seal/reflected-hello", "Alice's first message comes back before anything else", "alice")
	s.alice.refuses(s.alice.says(), authentication)
	return append(all, s.refused("rt-header-seal/answered-hello"), rtAnswered())
}

func rtAnswered() vector {
	s := rtTell("rt-header-seal/answered-hello", "Alice's first message is answered", "alice")
	s.bob.hears(s.alice.says())
	s.alice.hears(s.bob.sends(0))
	return s.accepted()
}

// rtStrangers are conversations whose sides did not start from the same handshake.
func rtStrangers() (all []vector) {
	const header, body = "rt-header-seal/", "rt-body-seal/"
	for _, c := range []struct{ id, comment, name string }{
		{header + "other-ad", "Bob has another AD: the header does not open", "AD"},
		{header + "other-hk", "Bob has another HK_I", "HK_I"},
		{body + "other-root", "Bob has another RK: the header opens, the body does not", "RK"},
		{body + "other-rk", "Bob has another ratchet key than Alice was told of", "rk"},
	} {
		s := rtTell(c.id, c.comment, "")
		other := s.secrets.bytes("other", "rt other "+c.name, 32)
		s.bob.shown = true
		if c.name == "rk" {
			s.bob.startsBob(other, nil)
		} else {
			s.bob.startsBob(s.secret("rk"), map[string]string{c.name: other})
		}
		s.bob.refuses(s.alice.sends(0), authentication)
		all = append(all, s.refused("rt-start/bob"))
	}
	s := rtTell(header+"other-next", "Alice has another NHK_R: Bob's answer does not open", "")
	other := s.secrets.bytes("other", "rt other NHK_R", 32)
	s.alice = &rtParty{story: s, name: "alice", shown: true}
	s.alice.startsAlice(x25519Public(s.secret("rk")), map[string]string{"NHK_R": other})
	s.bob.hears(s.alice.says())
	s.alice.refuses(s.bob.sends(0), authentication)
	all = append(all, s.refused(header+"answered-hello"))

	for _, right := range []bool{true, false} {
		s = rtTell(header+"two-conversations", "Bob has two conversations: neither handle opens what is the other's", "bob")
		s.bob.hears(s.alice.sends(0))
		change := map[string]string{}
		for _, name := range []string{"RK", "HK_I", "NHK_R", "AD"} {
			change[name] = s.secrets.bytes("other-"+name, "rt other "+name, 32)
		}
		rk := s.secrets.bytes("other-rk", "rt other rk", 32)
		robert, alicia := &rtParty{story: s, name: "robert", shown: true}, &rtParty{story: s, name: "alicia"}
		robert.startsBob(rk, change)
		alicia.startsAlice(x25519Public(rk), change)
		m := alicia.sends(0)
		robert.refuses(s.alice.sends(1), authentication)
		s.bob.refuses(m, authentication)
		robert.hears(m)
		s.bob.hears(s.alice.sent(0, 1))
		if right {
			robert.hears(alicia.sends(1))
			robert.says()
			all = append(all, s.accepted())
			continue
		}
		s.id, s.comment = header+"other-conversation", "a message of another conversation of Bob's"
		robert.refuses(s.alice.sends(2), authentication)
		all = append(all, s.refused(header+"two-conversations"))
	}
	return all
}
