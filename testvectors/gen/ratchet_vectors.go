package gen

import (
	"fmt"
	"slices"
	"strings"
)

var ratchetOperations = []operation{
	{name: "rt.kdf-root", in: "RK hex32, dh hex32", out: "RK hex32, CK hex32, NHK hex32"},
	{name: "rt.kdf-chain", in: "CK hex32", out: "mk hex32, CK hex32"},
	{name: "rt.kdf-message", in: "mk hex32", out: "key hex32, nonce hex12"},
	{name: "rt.alice", in: "handle handle, RK hex32, HK_I hex32, NHK_R hex32, AD hex32, rk hex32", draws: "ratchet hex32", fails: "drop malformed"},
	{name: "rt.bob", in: "handle handle, RK hex32, HK_I hex32, NHK_R hex32, AD hex32, rk hex32"},
	{name: "rt.encrypt", in: "handle handle, plaintext hex", draws: "nonce hex24", out: "message hex", fails: "ignore state limit"},
	{name: "rt.decrypt", in: "handle handle, message hex", draws: "ratchet? hex32", out: "plaintext hex, newest bool",
		fails: "drop malformed authentication replay limit"},
}

const ratchetComment = "Conversations as one side sees them, or both. Message n of alice's sending chain k, counted from 0, has the text \"alice k.n\", and as its nonce " +
	"the first 24 bytes of the SHA-256 of \"kith/1 vector rt nonce alice k.n\", where nothing else is said. Where a refusal has no draw, none may be made."

func ratchetVectors() []vector {
	return slices.Concat(rtKDFs(), rtStarts(), rtSending(), rtOrders(), rtNewest(), rtDamaged(), rtReplays(), rtStrangers(), rtSkips(), rtBounds(), rtDrained())
}

// rtKDFs are the three functions alone.
func rtKDFs() (all []vector) {
	one := func(id, comment, op, name, label string) {
		s := &secrets{}
		in := s.bytes(name, label, 32)
		v := vector{id: id, op: op, comment: comment, secrets: s, in: o(name, toHex(in)), outcome: accept}
		switch op {
		case "rt.kdf-chain":
			mk, ck := rtKDFChain(in)
			v.out = o("mk", toHex(mk), "CK", toHex(ck))
		case "rt.kdf-message":
			key, nonce := rtKDFMessage(in)
			v.out = o("key", toHex(key), "nonce", toHex(nonce))
		}
		all = append(all, v)
	}
	for _, n := range []string{"one", "two"} {
		s := &secrets{}
		root, dh := s.bytes("RK", "rt root key "+n, 32), s.bytes("dh", "rt shared secret "+n, 32)
		rk, ck, nhk := rtKDFRoot(root, dh)
		all = append(all, vector{id: "rt-start/kdf-root-" + n, op: "rt.kdf-root", comment: "KDF_RK, example " + n, secrets: s,
			in: o("RK", toHex(root), "dh", toHex(dh)), outcome: accept, out: o("RK", toHex(rk), "CK", toHex(ck), "NHK", toHex(nhk))})
	}
	for _, n := range []string{"one", "two"} {
		one("rt-send-form/kdf-chain-"+n, "KDF_CK, example "+n, "rt.kdf-chain", "CK", "rt chain key "+n)
		one("rt-send-form/kdf-message-"+n, "KDF_MK, example "+n, "rt.kdf-message", "mk", "rt message key "+n)
	}
	s := &secrets{}
	v := vector{id: "rt-send-form/kdf-chain-steps", op: script, comment: "the first message keys of one chain", secrets: s, outcome: accept}
	ck := s.bytes("CK", "rt chain key", 32)
	for range 4 {
		mk, next := rtKDFChain(ck)
		v.steps = append(v.steps, rtAsks("rt.kdf-chain", "", o("CK", toHex(ck)), o("mk", toHex(mk), "CK", toHex(next))))
		ck = next
	}
	return append(all, v)
}

func rtAsks(op, comment string, in, out object) step {
	return step{op: op, comment: comment, in: in, out: out}
}

// rtSending is what a sender does, seen from both sides.
func rtSending() (all []vector) {
	const form = "rt-send-form/"
	add := func(v vector) { all = append(all, v) }
	for _, name := range []string{"alice", "bob"} {
		s := rtTell(form+"numbers-"+name, "three messages in a row: their numbers rise by one", "alice bob")
		p := s.party(name)
		rtMeet(p.other())
		for range 3 {
			p.other().hears(p.says())
		}
		p.hears(p.other().says())
		add(s.accepted())

		s = rtTell(form+"unanswered-"+name, "who gets no answer stays in the chain; what was lost counts all the same", name)
		p = s.party(name)
		rtMeet(p.other())
		for range 4 {
			p.says()
		}
		p.turn()
		p.hears(p.other().sends(0))
		add(s.accepted())

		s = rtTell(form+"pn-"+name, "a new chain says how long the last one was, the lost messages too", name)
		p = s.party(name)
		rtMeet(p)
		for _, n := range []int{3, 1, 4} {
			for range n {
				p.says()
			}
			p.turn()
			p.hears(p.other().sends(0))
		}
		p.says()
		add(s.accepted())

		s = rtTell(form+"refusal-between-"+name, "a message that was refused begins no chain and changes no number", name)
		p = s.party(name)
		rtMeet(p)
		p.says()
		p.turn()
		m := p.other().sends(0)
		p.refuses(flipped(m, 70, 1), authentication)
		p.says()
		p.hears(m)
		add(s.accepted())
	}
	for _, size := range []int{0, 1, rtMostPlaintext} {
		s := rtTell(fmt.Sprintf("rt-send-size/%d", size), fmt.Sprintf("a plaintext of %d bytes", size), "alice bob")
		s.bob.hears(s.alice.saysText(rtText(size)))
		s.alice.hears(s.bob.says())
		add(s.accepted())
	}
	s := rtTell("rt-send-size/1128", "a plaintext of 1,128 bytes: no number is used up", "alice bob")
	s.also = []string{"rt-failure-nothing"}
	s.alice.cannotSay(rtText(rtMostPlaintext+1), limit)
	s.alice.says()
	s.alice.cannotSay(rtText(rtMostPlaintext+1), limit)
	add(s.refused("rt-send-size/1127"))
	for _, turns := range []int{2, 8} {
		s := rtTell(fmt.Sprintf(form+"alternation-%d", turns), fmt.Sprintf("question and answer, %d times", turns), "alice bob")
		for range turns {
			s.bob.hears(s.alice.says())
			s.alice.hears(s.bob.says())
		}
		add(s.accepted())
	}
	s = rtTell(form+"bytes", "a text is bytes: all 256 of them", "alice bob")
	bytes := make([]byte, 256)
	for i := range bytes {
		bytes[i] = byte(i)
	}
	s.bob.hears(s.alice.saysText(string(bytes)))
	s.alice.hears(s.bob.saysText(string(bytes)))
	add(s.accepted())

	for _, name := range rtNames {
		for _, id := range []string{"refused", "then"} {
			s = rtTell("rt-draw-late/"+id+"-"+name, "a body that does not open begins no chain and draws nothing; the right one draws", name)
			p := s.party(name)
			if name == "alice" {
				s.bob.hears(p.says())
			}
			m := p.other().sends(0)
			p.refuses(flipped(m, -1, 1), authentication)
			if id == "then" {
				p.hears(m)
				add(s.accepted())
			} else {
				p.refuses(flipped(m, 80, 1), authentication)
				add(s.refused("rt-draw-late/then-" + name))
			}
		}
	}

	s = rtTell("rt-send-none/bob", "Bob has no sending chain before Alice's first message has opened", "bob")
	s.bob.cannotSay("bob 0.0", state)
	add(s.refused("rt-send-none/then"))
	s = rtTell("rt-send-none/bob-refused", "nor after a message that did not open", "bob")
	s.bob.refuses(flipped(s.alice.sends(0), 80, 1), authentication)
	s.bob.cannotSay("bob 0.0", state)
	add(s.refused("rt-send-none/then"))
	s = rtTell("rt-send-none/then", "once it has, he may send", "bob")
	s.bob.cannotSay("bob 0.0", state)
	s.bob.hears(s.alice.sends(0))
	add(s.accepted())

	s = rtTell("rt-send-limit/answered", "512 messages without an answer; the 513th is refused, and may be sent once a new chain has begun", "alice")
	s.also = []string{"rt-failure-nothing", "rt-send-form"}
	for range rtMostSent {
		s.alice.saysText("")
	}
	s.alice.cannotSay("", limit)
	s.alice.cannotSay("", limit)
	s.bob.hears(s.alice.sent(0, 0))
	s.alice.hears(s.bob.sends(0))
	add(s.accepted())
	return all
}

// rtMeet lets p open the first message of the other side, which is Alice's hello or the answer to it.
func rtMeet(p *rtParty) {
	q := p.other()
	if p.name == "alice" {
		q.hears(p.says())
	}
	p.hears(q.says())
}

// rtText is a text of n bytes.
func rtText(n int) string { return strings.Repeat("kith ", n/5+1)[:n] }
