package gen

import (
	"fmt"
	"strings"
)

// A rtStory is a script in the making. Both sides of one conversation live in it as models; a side that is shown is a handle of the
// script, and what it does is a step. What the other sends comes out of nowhere, so that a vector shows one side only where one is enough.
type rtStory struct {
	id, comment string
	also        []string
	secrets     *secrets
	steps       []step
	alice, bob  *rtParty
}

type rtParty struct {
	story  *rtStory
	name   string
	shown  bool
	state  rtState
	chains []rtChain // its sending chains
	draws  int       // of ratchet keys
}

// A rtChain is a sending chain as it begins.
type rtChain struct {
	hk, dh, ck string
	pn         uint32
}

// The secrets of each conversation, by their names in rt.alice and rt.bob.
var rtSecrets = map[string]string{
	"RK": "rt root key", "HK_I": "rt header key", "NHK_R": "rt next header key", "AD": "rt associated data", "rk": "rt bob's first ratchet key",
}

// rtTell begins a story in which the named sides are shown. The word "alice" or "bob" stands for one, "alice bob" for both.
func rtTell(id, comment, shown string) *rtStory {
	s := rtUnstarted(id, comment, shown)
	if s.alice.shown {
		s.alice.startsAlice(x25519Public(s.secret("rk")), nil)
	} else {
		s.alice.state, _ = rtAlice(s.secret("RK"), s.secret("HK_I"), s.secret("NHK_R"), s.secret("AD"), x25519Public(s.secret("rk")), s.alice.ratchet())
		s.alice.begun()
	}
	if s.bob.shown {
		s.bob.startsBob(s.secret("rk"), nil)
	} else {
		s.bob.state = rtBob(s.secret("RK"), s.secret("HK_I"), s.secret("NHK_R"), s.secret("AD"), s.secret("rk"))
	}
	return s
}

func rtUnstarted(id, comment, shown string) *rtStory {
	s := &rtStory{id: id, comment: comment, secrets: &secrets{}}
	s.alice = &rtParty{story: s, name: "alice", shown: strings.Contains(shown, "alice")}
	s.bob = &rtParty{story: s, name: "bob", shown: strings.Contains(shown, "bob")}
	return s
}

// secret returns a secret of the conversation.
func (s *rtStory) secret(name string) string { return s.secrets.bytes(name, rtSecrets[name], 32) }

func (s *rtStory) party(name string) *rtParty {
	if name == "alice" {
		return s.alice
	}
	return s.bob
}

func (p *rtParty) other() *rtParty {
	if p == p.story.alice {
		return p.story.bob
	}
	return p.story.alice
}

// accepted ends the story; its last step went well. Who has drawn a ratchet key sends once more, so that it is seen.
func (s *rtStory) accepted() vector {
	for _, p := range []*rtParty{s.alice, s.bob} {
		if p.shown && p.state.cks != "" && p.state.ns == 0 {
			p.says()
		}
	}
	return s.vector()
}

func (s *rtStory) vector() vector {
	return vector{id: s.id, also: s.also, op: script, comment: s.comment, secrets: s.secrets, steps: s.steps, outcome: accept}
}

// refused ends the story; its last step was refused.
func (s *rtStory) refused(twin string) vector {
	v := s.vector()
	last := s.steps[len(s.steps)-1]
	v.outcome, v.reason, v.twin = drop, last.reject, twin
	if last.op == "rt.encrypt" {
		v.outcome = ignore // nobody has sent anything
	}
	return v
}

// startInput is what rt.alice and rt.bob take. change replaces secrets of the conversation by others.
func (p *rtParty) startInput(rk string, change map[string]string) object {
	in := o("handle", p.name)
	for _, name := range []string{"RK", "HK_I", "NHK_R", "AD"} {
		value, changed := change[name]
		if !changed {
			value = p.story.secret(name)
		}
		in = append(in, field{name, toHex(value)})
	}
	return append(in, field{"rk", toHex(rk)})
}

// startsAlice starts as Alice with the public key rk of Bob, startsBob as Bob with the private one.
func (p *rtParty) startsAlice(rk string, change map[string]string) {
	in := p.startInput(rk, change)
	ratchet := p.ratchet()
	var reason string
	p.state, reason = rtAlice(rtIn(in, "RK"), rtIn(in, "HK_I"), rtIn(in, "NHK_R"), rtIn(in, "AD"), rk, ratchet)
	p.tell(step{op: "rt.alice", in: in, draws: o("ratchet", toHex(ratchet)), out: o()}, "", reason)
	p.begun()
}

// cannotStart is refused as Alice with the public key rk.
func (p *rtParty) cannotStart(rk string) {
	ratchet := p.ratchet()
	in := p.startInput(rk, nil)
	_, reason := rtAlice(rtIn(in, "RK"), rtIn(in, "HK_I"), rtIn(in, "NHK_R"), rtIn(in, "AD"), rk, ratchet)
	p.tell(step{op: "rt.alice", in: in, draws: o("ratchet", toHex(ratchet)), out: o()}, malformed, reason)
}

func (p *rtParty) startsBob(rk string, change map[string]string) {
	in := p.startInput(rk, change)
	p.state = rtBob(rtIn(in, "RK"), rtIn(in, "HK_I"), rtIn(in, "NHK_R"), rtIn(in, "AD"), rk)
	p.tell(step{op: "rt.bob", in: in, out: o()}, "", "")
}

// rtIn returns the bytes that stand under a name.
func rtIn(in object, name string) string {
	for _, f := range in {
		if f.name == name {
			return fromHex(f.value.(string))
		}
	}
	panic("no " + name)
}

// tell writes a step, if the party is shown. The model must have come to what the story wants.
func (p *rtParty) tell(s step, want, got string) {
	if want != got {
		panic(fmt.Sprintf("%s, step %d: the model says %q, not %q", p.story.id, len(p.story.steps)+1, got, want))
	}
	if !p.shown {
		return
	}
	if want != "" {
		s.reject, s.out = want, nil
	}
	p.story.steps = append(p.story.steps, s)
}

// remark puts a comment on the last step.
func (s *rtStory) remark(comment string) { s.steps[len(s.steps)-1].comment = comment }

// ratchet draws a ratchet key.
func (p *rtParty) ratchet() string {
	b := p.nextRatchet()
	p.story.secrets.bytes(fmt.Sprintf("%s-ratchet-%d", p.name, p.draws), p.ratchetLabel(), 32)
	p.draws++
	return b
}

// nextRatchet is what ratchet would draw.
func (p *rtParty) nextRatchet() string { return new(secrets).bytes("", p.ratchetLabel(), 32) }

func (p *rtParty) ratchetLabel() string { return fmt.Sprintf("rt %s ratchet %d", p.name, p.draws) }

// begun notes a new sending chain.
func (p *rtParty) begun() {
	p.chains = append(p.chains, rtChain{p.state.hks, p.state.public, p.state.cks, p.state.pn})
}

// message is what message n of a sending chain is called, in its text and in the label of its nonce.
func (p *rtParty) message(chain int, n uint32) string {
	return fmt.Sprintf("%s %d.%d", p.name, chain, n)
}

func rtNonce(message string) string { return new(secrets).bytes("", "rt nonce "+message, 24) }

// says sends the next message with a text of its own.
func (p *rtParty) says() string { return p.saysText(p.message(len(p.chains)-1, p.state.ns)) }

func (p *rtParty) saysText(text string) string {
	nonce := rtNonce(p.message(len(p.chains)-1, p.state.ns))
	next, message, reason := p.state.encrypt(nonce, text)
	p.state = next
	p.tell(step{op: "rt.encrypt", in: o("handle", p.name, "plaintext", toHex(text)), draws: o("nonce", toHex(nonce)), out: o("message", toHex(message))}, "", reason)
	return message
}

// cannotSay is refused to send.
func (p *rtParty) cannotSay(text, reason string) {
	_, _, got := p.state.encrypt(strings.Repeat("\x00", 24), text)
	p.tell(step{op: "rt.encrypt", in: o("handle", p.name, "plaintext", toHex(text))}, reason, got)
}

// hears opens a message which is the newest, hearsLate one that is not.
func (p *rtParty) hears(message string) { p.opens(message, true) }

func (p *rtParty) hearsLate(message string) { p.opens(message, false) }

func (p *rtParty) opens(message string, newest bool) {
	next, got, reason := p.state.decrypt(message, p.nextRatchet())
	s := step{op: "rt.decrypt", in: o("handle", p.name, "message", toHex(message)), out: o("plaintext", toHex(got.plaintext), "newest", newest)}
	if got.newest != newest && reason == "" {
		panic(p.story.id + ": the model has another newest message")
	}
	if got.began {
		s.draws = o("ratchet", toHex(p.ratchet()))
	}
	p.tell(s, "", reason)
	p.state = next
	if got.began {
		p.begun()
	}
}

// refuses does not open a message. The state is what the model leaves, so that what comes next shows whether it is the same.
func (p *rtParty) refuses(message, reason string) {
	next, _, got := p.state.decrypt(message, p.nextRatchet())
	p.state = next
	p.tell(step{op: "rt.decrypt", in: o("handle", p.name, "message", toHex(message))}, reason, got)
}

// takes opens or refuses a message, as the model says.
func (p *rtParty) takes(message string) {
	if _, got, reason := p.state.decrypt(message, p.nextRatchet()); reason != "" {
		p.refuses(message, reason)
	} else {
		p.opens(message, got.newest)
	}
}

// turn lets the other side, which is not shown, begin a new chain: it hears something.
func (p *rtParty) turn() { p.other().hears(p.says()) }

// letter writes message n of the present chain; the messages before it were sent too. It knows no limit of 512.
func (p *rtParty) letter(n uint32) rtLetter {
	if p.shown {
		panic(p.story.id + ": who is shown sends with a step")
	}
	if n >= p.state.ns {
		p.state.cks = rtAdvanced(p.state.cks, n+1-p.state.ns)
		p.state.ns = n + 1
	}
	return p.old(len(p.chains)-1, n)
}

// sends is the letter n, sealed.
func (p *rtParty) sends(n uint32) string { return p.letter(n).seal() }

// old writes message n of a chain of any age.
func (p *rtParty) old(chain int, n uint32) rtLetter {
	c := p.chains[chain]
	name := p.message(chain, n)
	return rtLetter{hk: c.hk, nonce: rtNonce(name), dh: c.dh, pn: c.pn, n: n, ck: c.ck, plaintext: name, ad: p.state.ad}
}

// sent is message n of a chain of any age, sealed.
func (p *rtParty) sent(chain int, n uint32) string { return p.old(chain, n).seal() }
