package gen

import (
	"fmt"
	"slices"
	"strings"
)

// A play writes a script. Machines are called by their people's names. Each line states what it expects, in words; the machine
// says the same in bytes, or the generator stops.
type play struct {
	s        *secrets
	now      uint64
	machines map[string]*machine
	quiet    map[string]bool // whose steps are not written
	drawn    map[string]int
	steps    []step
	last     string // the rule that refused the last step
	comment  string
	late     bool // tries that are due are not done
}

// start is when every play begins.
const start = recordTime * 1000

// Where the people are.
var places = map[string]string{"alice": "192.0.2.1:6881", "bob": "[2001:db8::b]:6882", "carol": "198.51.100.3:6883"}

func newPlay() *play {
	return &play{s: new(secrets), now: start, machines: map[string]*machine{}, quiet: map[string]bool{}, drawn: map[string]int{}}
}

// A friend is a contact of a new machine, with what is remembered of it.
type friend struct {
	name       string
	taken, own uint64
}

// machine makes somebody's machine.
func (p *play) machine(name string, friends ...friend) {
	m := &machine{me: p.s.person(name), now: p.now}
	contacts := []object{}
	for _, f := range friends {
		c := &contactState{p: m.me.with(p.s.person(f.name)), taken: f.taken, own: f.own}
		m.contacts = append(m.contacts, c)
		contacts = append(contacts, o("friend", toHex(c.p.friend), "taken", decimal(f.taken), "own", decimal(f.own)))
	}
	p.machines[name] = m
	m.draw = p.drawer(name)
	if !p.quiet[name] {
		p.steps = append(p.steps, step{op: "hs.new", in: o("handle", name, "seed", toHex(m.me.seed), "now_ms", decimal(p.now), "contacts", contacts), out: o()})
	}
}

// shadow makes a machine whose steps are not written: somebody else's, whose datagrams come from far.
func (p *play) shadow(name string, friends ...friend) {
	p.quiet[name] = true
	p.machine(name, friends...)
}

// drawer makes draws of labels such as "alice id 1".
func (p *play) drawer(who string) func(name string, n int) string {
	return func(name string, n int) string {
		kind, _, _ := strings.Cut(name, "-")
		p.drawn[who+kind]++
		label := fmt.Sprintf("%s %s %d", who, kind, p.drawn[who+kind])
		if n == 64 {
			return draw64(p.s, slug(label), label)
		}
		return p.s.bytes(slug(label), label, n)
	}
}

// say is the comment of the next step.
func (p *play) say(comment string) { p.comment = comment }

// wait lets time pass.
func (p *play) wait(ms uint64) { p.now += ms }

// until goes to a time from the start.
func (p *play) until(ms uint64) {
	if start+ms < p.now {
		panic("time goes back")
	}
	p.now = start + ms
}

// do asks a machine and writes the step; want are the names of its outputs, or the rule that refuses.
func (p *play) do(who, op string, in object, want string, ask func(m *machine) answer) []object {
	m := p.machines[who]
	if due := m.due(); !p.late && due != 0 && (due < p.now || due == p.now && op != "hs.timeout") {
		panic(fmt.Sprintf("%s: at %d a try of %s was due", op, due-start, who))
	}
	var draws object
	draw := m.draw
	m.draw = func(name string, n int) string {
		b := draw(name, n)
		draws = append(draws, field{name, toHex(b)})
		return b
	}
	m.at(p.now)
	a := ask(m)
	m.draw = draw
	got := a.rule
	if got == "" {
		words := []string{}
		for _, output := range a.outputs {
			words = append(words, output[0].name)
		}
		got = strings.Join(words, " ")
	}
	if got != want {
		panic(fmt.Sprintf("%s of %s at %d (comment %q, %d steps before): %q, expected %q", op, who, p.now-start, p.comment, len(p.steps), got, want))
	}
	s := step{op: op, comment: p.comment, in: append(o("handle", who, "now_ms", decimal(p.now)), in...), draws: draws}
	p.last, p.comment = a.rule, ""
	if a.rule == "" {
		s.out = o("outputs", a.outputs)
	} else {
		if s.reject = reasonOf(a.rule); s.comment == "" && a.rule != absent {
			s.comment = a.rule
		}
		s.counted = slices.Contains([]string{"hs-accept-key", "hs-accept-zero", "hs-confirm-first"}, a.rule)
		if a.outputs != nil {
			s.with = o("outputs", a.outputs)
		}
	}
	if !p.quiet[who] {
		p.steps = append(p.steps, s)
	}
	return a.outputs
}

func reasonOf(rule string) string {
	if reason := reasonOfRule[rule]; reason != "" {
		return reason
	}
	return malformed
}

// datagrams are those that outputs send.
func datagrams(outputs []object) (all []string) {
	for _, output := range outputs {
		if output[0].name == "transmit" {
			all = append(all, fromHex(output[0].value.(object)[1].value.(string)))
		}
	}
	return all
}

func (p *play) begin(who, friend, want string, to ...string) []string {
	if to == nil {
		to = []string{places[friend]}
	}
	key := p.s.person(friend).key
	return datagrams(p.do(who, "hs.begin", o("friend", toHex(key), "to", to), want, func(m *machine) answer { return m.begin(key, to) }))
}

// hear is a datagram that comes from somebody's place.
func (p *play) hear(who, from, datagram, want string) []string {
	if place, ok := places[from]; ok {
		from = place
	}
	return datagrams(p.do(who, "hs.receive", o("from", from, "datagram", toHex(datagram)), want, func(m *machine) answer { return m.receive(from, datagram) }))
}

func (p *play) timeout(who, want string) []string {
	return datagrams(p.do(who, "hs.timeout", o(), want, func(m *machine) answer { return m.timeout() }))
}

// try lets time pass until the next try of somebody's, and does it.
func (p *play) try(who, want string) []string {
	p.now = p.machines[who].due()
	return p.timeout(who, want)
}

func (p *play) hello(who, session, want string) []string {
	datagram := p.firstMessage(who)
	return datagrams(p.do(who, "hs.hello", o("session", session, "datagram", toHex(datagram)), want, func(m *machine) answer { return m.hello(session, datagram) }))
}

// firstMessage stands for a ratchet message: a machine does not look into it.
func (p *play) firstMessage(who string) string {
	return "\x64" + p.drawer(who)("hello", 32)
}

func (p *play) opened(who, session, want string) {
	p.do(who, "hs.opened", o("session", session), want, func(m *machine) answer { return m.opened(session) })
}

func (p *play) ended(who, session, want string) {
	p.do(who, "hs.ended", o("session", session), want, func(m *machine) answer { return m.ended(session) })
}

func (p *play) remove(who, friend, want string) {
	key := p.s.person(friend).key
	p.do(who, "hs.remove", o("friend", toHex(key)), want, func(m *machine) answer { return m.remove(key) })
}

// session is the name of the nth handshake that who began, as role knows it.
func (p *play) session(who string, n int, role string) string {
	label := fmt.Sprintf("%s id %d", who, n)
	return toHex(p.s.bytes(slug(label), label, 8)) + role
}

// tryAt does the next try, which has to be due at a time from the start.
func (p *play) tryAt(ms uint64, who, want string) []string {
	if due := p.machines[who].due(); due != start+ms {
		panic(fmt.Sprintf("the next try of %s is due at %d, expected %d", who, due-start, ms))
	}
	return p.try(who, want)
}

// tries does the next tries, one for each want, and returns what the last one sent.
func (p *play) tries(who string, wants ...string) (sent []string) {
	for _, want := range wants {
		sent = p.try(who, want)
	}
	return sent
}

// pair is what one person has with another.
func (p *play) pair(who, friend string) pair { return p.s.person(who).with(p.s.person(friend)) }

// seal makes a datagram of somebody's in the epoch of the present time, under a nonce of its own.
func (p *play) seal(who, to string, msg message) string {
	pair := p.pair(who, to)
	if msg.epoch == 0 {
		msg.epoch = pair.epochs(p.now / 1000)[0]
	}
	return msg.sealedBy(pair, p.drawer(who)("nonce", 24))
}

// knockBy makes a fresh knock of somebody's whose clock is where it likes; change may damage it.
func (p *play) knockBy(who, to string, ms uint64, change func(knock string) string) (id, datagram string) {
	id, random := p.drawer(who)("id", 8), p.drawer(who)("random", 8)
	knock := knockOf(ms, random, "")
	if change != nil {
		knock = change(knock)
	}
	return id, p.seal(who, to, message{kind: kindKnock, id: id, fragments: 1, bytes: knock})
}

func pairsOf(p pair) []pair { return []pair{p} }

// again is the same message of a friend's under another nonce, with its bytes changed when change is there.
func (p *play) again(who, to, datagram string, change func(string) string) string {
	msg, rule := openEnvelope([]pair{p.pair(to, who)}, p.now/1000, map[string][]uint64{p.s.person(who).key: p.recent(who, to)}, datagram)
	if rule != "" {
		panic("not a message of " + who + "'s: " + rule)
	}
	if change != nil {
		msg.bytes = change(msg.bytes)
	}
	return p.seal(who, to, msg)
}

// acceptOf makes somebody's accept for an offer without a machine.
func (p *play) acceptOf(who, from string, offer []string) string {
	pair := p.pair(who, from)
	more := map[string][]uint64{pair.friend: p.recent(who, from)}
	whole, last := "", message{}
	for _, datagram := range offer {
		msg, rule := openEnvelope(pairsOf(pair), p.now/1000, more, datagram)
		if rule != "" {
			panic("not an offer: " + rule)
		}
		whole, last = whole+msg.bytes, msg
	}
	accept, _ := makeAccept(pair, whole, p.drawer(who)("e", 32), p.drawer(who)("coins", 32))
	return p.seal(who, from, message{epoch: last.epoch, kind: kindAccept, id: last.id, fragments: 1, bytes: accept})
}

// visit makes a half-open session at somebody's machine, of a knock of any time, and returns its name.
func (p *play) visit(who, at string, ms uint64) (session string) {
	id, knock := p.knockBy(who, at, ms, nil)
	offer := p.hear(at, who, knock, offering)
	p.hear(at, who, p.acceptOf(who, at, offer), "session")
	return toHex(id) + "R"
}

// recent are epochs around the present one.
func (p *play) recent(who, to string) []uint64 {
	now := p.pair(to, who).epochs(p.now / 1000)[0]
	return []uint64{now - 1, now, now + 1}
}

// vector ends the play. What it ends with decides: the last step is refused by the rule that the id or also names.
func (p *play) vector(id, comment, twin string, also ...string) vector {
	v := vector{id: id, also: also, op: script, comment: comment, twin: twin, secrets: p.s, steps: p.steps, outcome: accept}
	if p.last == "" {
		if twin != "" {
			panic(id + ": accepted")
		}
		return v
	}
	if twin == "" || p.last != absent && !slices.Contains(append(also, requirementOf(id)), p.last) {
		panic(id + ": " + p.last + " refuses its last step")
	}
	v.outcome, v.reason = drop, reasonOf(p.last)
	return v
}
