package gen

import "fmt"

// A pcStory is a script of the datagrams of one conversation, in the making: the initiator I and the responder R as models. Who is shown is a handle of
// the script.
type pcStory struct {
	id, comment string
	also        []string
	secrets     *secrets
	steps       []step
	i, r        *pcSide
	now         uint64
}

type pcSide struct {
	story   *pcStory
	role    string
	shown   bool
	rt      rtState
	highest uint32   // of its own i, that opened
	failed  []uint64 // when something did not open
	sent    int
	draws   int
}

func pcTell(id, comment, shown string) *pcStory {
	s := &pcStory{id: id, comment: comment, secrets: &secrets{}, now: sceneTime}
	s.i, s.r = &pcSide{story: s, role: "I"}, &pcSide{story: s, role: "R"}
	for _, p := range []*pcSide{s.i, s.r} {
		p.shown = shown == "both" || shown == p.role
		p.begins()
	}
	return s
}

func (p *pcSide) handle() string {
	if p.role == "I" {
		return "initiator"
	}
	return "responder"
}

func (p *pcSide) other() *pcSide {
	if p.role == "I" {
		return p.story.r
	}
	return p.story.i
}

func (p *pcSide) begins() {
	s := p.story
	in := o("handle", p.handle(), "role", p.role)
	for _, name := range []string{"RK", "HK_I", "NHK_R"} {
		in = append(in, field{name, toHex(s.secret(name))})
	}
	in = append(in, field{"CIDK", toHex(s.cidk())}, field{"AD", toHex(s.secret("AD"))})
	begin := step{op: "pc.begin", out: o()}
	if p.role == "I" {
		ratchet := p.ratchet()
		rk := x25519Public(s.secret("rk"))
		p.rt, _ = rtAlice(s.secret("RK"), s.secret("HK_I"), s.secret("NHK_R"), s.secret("AD"), rk, ratchet)
		begin.in, begin.draws = append(in, field{"rk", toHex(rk)}), o("ratchet", toHex(ratchet))
	} else {
		p.rt = rtBob(s.secret("RK"), s.secret("HK_I"), s.secret("NHK_R"), s.secret("AD"), s.secret("rk"))
		begin.in = append(in, field{"rk", toHex(s.secret("rk"))})
	}
	p.tell(begin)
}

func (s *pcStory) secret(name string) string { return s.secrets.bytes(name, rtSecrets[name], 32) }
func (s *pcStory) cidk() string              { return s.secrets.bytes("CIDK", "CIDK", 32) }

func (p *pcSide) ratchet() string {
	b := p.nextRatchet()
	p.story.secrets.bytes(fmt.Sprintf("%s-ratchet-%d", p.handle(), p.draws), p.ratchetLabel(), 32)
	p.draws++
	return b
}

func (p *pcSide) nextRatchet() string  { return new(secrets).bytes("", p.ratchetLabel(), 32) }
func (p *pcSide) ratchetLabel() string { return fmt.Sprintf("pc %s ratchet %d", p.role, p.draws) }

func (p *pcSide) tell(s step) {
	if p.shown {
		p.story.steps = append(p.story.steps, s)
	}
}

// cidOf is the i-th id of datagrams to p.
func (p *pcSide) cidOf(i uint32) string { return cid(p.story.cidk(), p.role, i) }

// seals is a datagram of frames under the other's i.
func (p *pcSide) seals(i uint32, frames string) string {
	return p.seal(i, frames, padded(frames, (len(frames)+pcUnit-1)/pcUnit*pcUnit))
}

// seal is a datagram of a plaintext that may break every rule.
func (p *pcSide) seal(i uint32, frames, plaintext string) string {
	nonce := new(secrets).bytes("", fmt.Sprintf("pc %s nonce %d", p.role, p.sent), 24)
	next, message, reason := p.rt.encrypt(nonce, plaintext)
	if reason != "" {
		panic(p.story.id + ": not to be sealed: " + reason)
	}
	p.rt = next
	p.sent++
	to := p.other().cidOf(i)
	p.tell(step{op: "pc.seal", in: o("handle", p.handle(), "i", int(i), "frames", toHex(frames)), draws: o("nonce", toHex(nonce)),
		out: o("datagram", toHex("\x51"+to+message)), mid: o("cid", toHex(to), "plaintext", toHex(plaintext))})
	return "\x51" + to + message
}

// cannotSeal is refused to write frames.
func (p *pcSide) cannotSeal(frames, reason string) {
	p.tell(step{op: "pc.seal", in: o("handle", p.handle(), "i", 0, "frames", toHex(frames)), reject: reason})
}

// open takes the first four rules of Receiving in their order; counted says that a limit counts the refusal.
func (p *pcSide) open(datagram string) (next rtState, i uint32, got rtOpened, reason string, counted bool) {
	if len(datagram) < 105 || len(datagram) > 1232 {
		return p.rt, 0, got, malformed, false
	}
	taken := false
	for n := range uint32(pcCIDs) {
		if p.cidOf(p.highest+n) == datagram[1:9] {
			i, taken = p.highest+n, true
		}
	}
	if !taken {
		return p.rt, 0, got, authentication, false
	}
	recent := 0
	for _, at := range p.failed {
		if p.story.now-at < 1000 {
			recent++
		}
	}
	if recent >= pcFailures {
		return p.rt, 0, got, limit, false
	}
	next, got, reason = p.rt.decrypt(datagram[9:], p.nextRatchet())
	return next, i, got, reason, reason != "" && reason != replay
}

// opens opens a datagram that came under i.
func (p *pcSide) opens(i uint32, datagram string) {
	next, under, got, reason, _ := p.open(datagram)
	if reason != "" || under != i {
		panic(fmt.Sprintf("%s: the model says %q, and i is %d", p.story.id, reason, under))
	}
	s := step{op: "pc.open", in: p.question(datagram), out: o("i", int(i), "plaintext", toHex(got.plaintext), "newest", got.newest)}
	if got.began {
		s.draws = o("ratchet", toHex(p.ratchet()))
	}
	p.rt, p.highest = next, under
	p.tell(s)
}

func (p *pcSide) question(datagram string) object {
	return o("handle", p.handle(), "now_ms", decimal(p.story.now), "datagram", toHex(datagram))
}

func (p *pcSide) refuses(datagram, want string) {
	_, _, _, reason, counted := p.open(datagram)
	if reason != want {
		panic(fmt.Sprintf("%s: the model says %q, not %q", p.story.id, reason, want))
	}
	if counted {
		p.failed = append(p.failed, p.story.now)
	}
	p.tell(step{op: "pc.open", in: p.question(datagram), reject: reason, counted: counted})
}

// accepted ends a story; its last step went well. Who has drawn a ratchet key seals once more, so that it is seen.
func (s *pcStory) accepted() vector {
	for _, p := range []*pcSide{s.r, s.i} {
		if p.shown && p.rt.cks != "" && p.rt.ns == 0 {
			last := p.seals(0, fieldForm(200, "last"))
			if p == s.r && s.i.shown {
				s.i.opens(0, last)
			}
		}
	}
	return s.vector()
}

func (s *pcStory) vector() vector {
	return vector{id: s.id, also: s.also, op: script, comment: s.comment, secrets: s.secrets, steps: s.steps, outcome: accept}
}

// refused ends a story; its last step was refused.
func (s *pcStory) refused(twin string) vector {
	v := s.vector()
	last := s.steps[len(s.steps)-1]
	v.outcome, v.reason, v.twin = drop, last.reject, twin
	if last.op == "pc.seal" {
		v.outcome = ignore
	}
	return v
}
