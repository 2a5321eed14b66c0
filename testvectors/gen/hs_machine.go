package gen

import (
	"cmp"
	"slices"
	"strconv"
)

// A machine is the state machine of spec/handshake.md, as plainly as it can be written: what is judged is looked up in lists, and what
// has expired is thrown away before each call. Scripts state what they expect; the machine has to agree.
type machine struct {
	me       person
	contacts []*contactState
	fresh    []freshOffer
	now      uint64
	draw     func(name string, n int) string
	nonces   int
}

// Lives and limits, in milliseconds.
const (
	offerLife    = 60_000
	outLife      = 65_000
	fragmentLife = 10_000
	attemptLife  = 65_000
	anewAfter    = 7_500
	clockApart   = 3_600_000
)

type freshOffer struct {
	at     uint64
	friend string
}

type contactState struct {
	p          pair
	taken, own uint64
	attempt    *attempt
	asked      *asked // the handshake that waits for an offer
	out        []*ownAccept
	offer      *offered // unused; a fresh one voids the older
	used       []*usedOffer
	halfOpen   []*conversation
	present    *conversation
}

type attempt struct {
	to    []string
	first uint64 // when its first knock went
	tries int    // in a row that brought no answer
	next  uint64
}

type asked struct {
	id, knock string
	epoch     uint64
	since     uint64
	held      [2]string
	came      [2]uint64
}

// An ownAccept is out from the offer on.
type ownAccept struct {
	conversation
	epoch         uint64
	to            string
	accept, hello string
	offerCame     uint64
	since         uint64 // when it was first sent
}

type offered struct {
	id, knock, offer string
	epoch, ms        uint64
	keys             offerKeys
	made             uint64
	copies           map[string]int
	all              int
	failed           []uint64
}

type usedOffer struct {
	id, accept string // the hash of the accept
	epoch, at  uint64
	again      int
}

type conversation struct {
	session string
	rank    rank
	made    uint64
	epoch   uint64
}

// An answer is what a call gives: outputs, or the rule that refuses, with what goes along.
type answer struct {
	outputs []object
	rule    string
}

func refused(rule string) answer { return answer{rule: rule} }

// absent is no rule, but what operations.md says of sessions that are not there.
const absent = "absent"

func output(kind string, pairs ...any) object { return o(kind, o(pairs...)) }

func (m *machine) contact(friend string) *contactState {
	for _, c := range m.contacts {
		if c.p.friend == friend {
			return c
		}
	}
	return nil
}

func (c *contactState) persist() object {
	return output("persist", "friend", toHex(c.p.friend), "taken", decimal(c.taken), "own", decimal(c.own))
}

// send seals a message under the next nonce.
func (m *machine) send(c *contactState, to string, msg message) object {
	nonce := m.draw("nonce-"+strconv.Itoa(m.nonces), 24)
	m.nonces++
	return output("transmit", "to", to, "datagram", toHex(msg.sealedBy(c.p, nonce)))
}

// at begins a call: time passes, and what has expired is gone.
func (m *machine) at(now uint64) {
	if now < m.now {
		panic("time goes back")
	}
	m.now, m.nonces = now, 0
	m.fresh = slices.DeleteFunc(m.fresh, func(f freshOffer) bool { return now-f.at >= 1000 })
	for _, c := range m.contacts {
		c.expire(now)
	}
}

func (c *contactState) expire(now uint64) {
	if a := c.asked; a != nil {
		for i := range a.held {
			if a.held[i] != "" && now-a.came[i] >= fragmentLife {
				a.held[i] = ""
			}
		}
	}
	c.out = slices.DeleteFunc(c.out, func(a *ownAccept) bool { return now-a.offerCame >= outLife })
	if c.offer != nil && now-c.offer.made >= offerLife {
		c.offer = nil
	}
	c.used = slices.DeleteFunc(c.used, func(u *usedOffer) bool { return now-u.at >= offerLife })
	c.halfOpen = slices.DeleteFunc(c.halfOpen, func(h *conversation) bool { return now-h.made >= offerLife })
}

// begin begins an attempt.
func (m *machine) begin(friend string, to []string) answer {
	c := m.contact(friend)
	if c == nil || c.attempt != nil {
		return refused(absent)
	}
	c.attempt = &attempt{to: to, first: m.now}
	return answer{outputs: m.knock(c)}
}

// knock begins a handshake with a fresh knock.
func (m *machine) knock(c *contactState) []object {
	id, random := m.draw("id", 8), m.draw("random", 8)
	if c.own > m.now+clockApart {
		c.own = 0
	}
	ms := max(m.now, c.own+1, c.takenAt(m.now)+1)
	c.own = ms
	c.asked = &asked{id: id, knock: knockOf(ms, random, ""), epoch: c.p.epochs(m.now / 1000)[0], since: m.now}
	return append([]object{c.persist()}, m.try(c)...)
}

// takenAt is what is remembered of the last knock taken: nothing, if its time is too far ahead.
func (c *contactState) takenAt(now uint64) uint64 {
	if c.taken > now+clockApart {
		return 0
	}
	return c.taken
}

// try sends what is to be sent, and sets the time of the next try.
func (m *machine) try(c *contactState) (out []object) {
	if a := c.asked; a != nil {
		for _, to := range c.attempt.to {
			out = append(out, m.send(c, to, message{epoch: a.epoch, kind: kindKnock, id: a.id, fragments: 1, bytes: a.knock}))
		}
	} else {
		a := c.out[len(c.out)-1]
		id := fromHex(a.session[:16])
		out = append(out, m.send(c, a.to, message{epoch: a.epoch, kind: kindAccept, id: id, fragments: 1, bytes: a.accept}),
			output("transmit", "to", a.to, "datagram", toHex(a.hello)))
	}
	c.attempt.tries++
	c.attempt.next = m.now + 4000
	if gaps := []uint64{500, 1000, 2000}; c.attempt.tries <= len(gaps) {
		c.attempt.next = m.now + gaps[c.attempt.tries-1]
	}
	return out
}

// timeout does what is due: what was due first comes first, and of two at once the smaller IK.
func (m *machine) timeout() answer {
	out := []object{}
	due := slices.DeleteFunc(slices.Clone(m.contacts), func(c *contactState) bool { return c.attempt == nil })
	slices.SortFunc(due, func(a, b *contactState) int {
		return cmp.Or(cmp.Compare(a.attempt.due(), b.attempt.due()), cmp.Compare(a.p.friend, b.p.friend))
	})
	for _, c := range due {
		a := c.attempt
		switch {
		case m.now < a.due():
		case a.tries == 8 || m.now >= a.first+attemptLife:
			c.attempt, c.asked = nil, nil
			out = append(out, output("ended", "friend", toHex(c.p.friend)))
		case m.now-c.since() >= anewAfter:
			out = append(out, m.knock(c)...)
		default:
			out = append(out, m.try(c)...)
		}
	}
	return answer{outputs: out}
}

// due is when its next try or its end is due.
func (a *attempt) due() uint64 { return min(a.next, a.first+attemptLife) }

// since is when the first knock or accept of the present handshake went.
func (c *contactState) since() uint64 {
	if c.asked != nil {
		return c.asked.since
	}
	return c.out[len(c.out)-1].since
}

// due is when a try or the end of an attempt is due, for whoever plays a script; 0 for never.
func (m *machine) due() (at uint64) {
	for _, c := range m.contacts {
		if a := c.attempt; a != nil {
			if next := a.due(); at == 0 || next < at {
				at = next
			}
		}
	}
	return at
}

// hello sends accept and first message.
func (m *machine) hello(session, datagram string) answer {
	for _, c := range m.contacts {
		if last := len(c.out) - 1; c.attempt != nil && c.asked == nil && last >= 0 && c.out[last].session == session && c.out[last].hello == "" {
			c.out[last].hello, c.out[last].since = datagram, m.now
			return answer{outputs: m.try(c)}
		}
	}
	return refused(absent)
}

// opened is told that the other side's first message opened.
func (m *machine) opened(session string) answer {
	for _, c := range m.contacts {
		if i := slices.IndexFunc(c.out, func(a *ownAccept) bool { return a.session == session }); i >= 0 {
			return c.finish(&c.out[i].conversation)
		}
		i := slices.IndexFunc(c.halfOpen, func(h *conversation) bool { return h.session == session })
		if i < 0 {
			continue
		}
		h := c.halfOpen[i]
		outranked := c.present != nil && !h.rank.outranks(c.present.rank)
		for _, a := range c.out {
			outranked = outranked || !h.rank.outranks(a.rank)
		}
		if outranked {
			c.halfOpen = slices.Delete(c.halfOpen, i, i+1)
			return answer{outputs: []object{output("refused", "session", session, "friend", toHex(c.p.friend))}}
		}
		return c.finish(h)
	}
	return refused(absent)
}

// finish makes a conversation the present one, and erases what was to replace it.
func (c *contactState) finish(h *conversation) answer {
	c.present = h
	c.attempt, c.asked, c.offer = nil, nil, nil
	c.out = slices.DeleteFunc(c.out, func(a *ownAccept) bool { return !a.rank.outranks(h.rank) })
	c.halfOpen = slices.DeleteFunc(c.halfOpen, func(other *conversation) bool { return !other.rank.outranks(h.rank) })
	return answer{outputs: []object{output("finished", "session", h.session, "friend", toHex(c.p.friend))}}
}

func (m *machine) ended(session string) answer {
	for _, c := range m.contacts {
		if c.present != nil && c.present.session == session {
			c.present = nil
			return answer{outputs: []object{}}
		}
	}
	return refused(absent)
}

func (m *machine) remove(friend string) answer {
	m.contacts = slices.DeleteFunc(m.contacts, func(c *contactState) bool { return c.p.friend == friend })
	return answer{outputs: []object{}}
}
