package gen

import (
	"slices"
	"strconv"
)

// receive judges a datagram.
func (m *machine) receive(from, datagram string) answer {
	pairs, more := []pair{}, map[string][]uint64{}
	for _, c := range m.contacts {
		pairs = append(pairs, c.p)
		more[c.p.friend] = c.underWay()
	}
	msg, rule := openEnvelope(pairs, m.now/1000, more, datagram)
	if rule != "" {
		return refused(rule)
	}
	c := m.contact(msg.friend)
	switch msg.kind {
	case kindKnock:
		return m.takeKnock(c, from, msg)
	case kindOffer:
		return m.takeFragment(c, from, msg)
	}
	return m.takeAccept(c, from, msg)
}

// underWay are the epochs of handshakes that have not ended.
func (c *contactState) underWay() (epochs []uint64) {
	if c.asked != nil {
		epochs = append(epochs, c.asked.epoch)
	}
	for _, a := range c.out {
		epochs = append(epochs, a.epoch)
	}
	if c.offer != nil {
		epochs = append(epochs, c.offer.epoch)
	}
	for _, u := range c.used {
		epochs = append(epochs, u.epoch)
	}
	for _, h := range c.halfOpen {
		epochs = append(epochs, h.epoch)
	}
	return epochs
}

func (m *machine) takeKnock(c *contactState, from string, msg message) answer {
	ms, _, _, rule := readKnock(msg.bytes)
	if rule != "" {
		return refused(rule)
	}
	if s := c.offer; s != nil && s.id == msg.id {
		if s.knock != msg.bytes {
			return refused("hs-knock-differs")
		}
		if s.copies[from] == 8 || s.all == 24 {
			return refused("hs-knock-copies")
		}
		return answer{outputs: m.sendOffer(c, from)}
	}
	if !slices.Contains(c.p.epochs(m.now/1000), msg.epoch) {
		return refused("hs-knock-epoch")
	}
	if ms <= c.takenAt(m.now) {
		return refused("hs-knock-older")
	}
	if ahead := int64(ms - m.now); ahead > clockApart || ahead < -clockApart {
		return answer{rule: "hs-knock-clock", outputs: []object{output("clock", "friend", toHex(c.p.friend), "ahead_ms", strconv.FormatInt(ahead, 10))}}
	}
	its := 0
	for _, f := range m.fresh {
		if f.friend == c.p.friend {
			its++
		}
	}
	switch {
	case its >= 2:
		return refused("hs-offers-contact")
	case len(m.fresh) >= 50:
		return refused("hs-offers-all")
	case len(m.fresh) >= 25 && its > 0:
		return refused("hs-offers-turn")
	}
	if c.named(toHex(msg.id) + "R") {
		return refused("hs-knock-session")
	}
	m.fresh = append(m.fresh, freshOffer{m.now, c.p.friend})
	c.taken = ms
	keys := offerKeys{m.draw("spk", 32), m.draw("rk", 32), m.draw("ek", 64)}
	c.offer = &offered{
		id: msg.id, knock: msg.bytes, offer: makeOffer(m.me, m.now/1000, msg.bytes, keys), epoch: msg.epoch, ms: ms, keys: keys, made: m.now, copies: map[string]int{},
	}
	return answer{outputs: append([]object{c.persist()}, m.sendOffer(c, from)...)}
}

// named reports whether a used offer, a half-open session or the present conversation has this name.
func (c *contactState) named(session string) bool {
	return c.present != nil && c.present.session == session ||
		slices.ContainsFunc(c.halfOpen, func(h *conversation) bool { return h.session == session }) ||
		slices.ContainsFunc(c.used, func(u *usedOffer) bool { return toHex(u.id)+"R" == session })
}

// sendOffer answers one copy of the knock.
func (m *machine) sendOffer(c *contactState, to string) (out []object) {
	s := c.offer
	s.copies[to]++
	s.all++
	for i := range byte(2) {
		out = append(out, m.send(c, to, message{
			epoch: s.epoch, kind: kindOffer, id: s.id, fragment: i, fragments: 2, bytes: s.offer[int(i)*fragmentSize : (int(i)+1)*fragmentSize],
		}))
	}
	return out
}

func (m *machine) takeFragment(c *contactState, from string, msg message) answer {
	a, i := c.asked, msg.fragment
	if a == nil || a.id != msg.id {
		return refused("hs-offer-unasked")
	}
	if a.held[i] == msg.bytes {
		return answer{outputs: []object{}}
	}
	if a.held[i] != "" {
		return refused("hs-fragment-conflict")
	}
	if a.held[1-i] == "" {
		a.held[i], a.came[i] = msg.bytes, m.now
		return answer{outputs: []object{}}
	}
	offer := msg.bytes + a.held[1]
	if i == 1 {
		offer = a.held[0] + msg.bytes
	}
	if rule := checkOffer(c.p.friend, m.now/1000, a.knock, offer); rule != "" {
		return refused(rule)
	}
	accept, k := makeAccept(c.p, offer, m.draw("e", 32), m.draw("coins", 32))
	_, _, rk, _ := offerParts(offer)
	s := conversation{session: toHex(a.id) + "I", rank: rank{fromU64(a.knock[1:9]), m.me.key}, epoch: a.epoch}
	c.out = append(c.out, &ownAccept{conversation: s, epoch: a.epoch, to: from, accept: accept, offerCame: m.now, since: m.now})
	c.asked, c.attempt.tries = nil, 0
	return answer{outputs: []object{c.sessionOutput(s, "I", k, rk)}}
}

func (c *contactState) sessionOutput(s conversation, role string, k schedule, rk string) object {
	return o("session", append(append(o("session", s.session, "friend", toHex(c.p.friend), "role", role, "time_ms", decimal(s.rank.ms)), k.keys()...),
		field{"rk", toHex(rk)}))
}

func (m *machine) takeAccept(c *contactState, from string, msg message) answer {
	session := toHex(msg.id) + "R"
	for _, u := range c.used {
		if u.id == msg.id && u.accept == hash(msg.bytes) && c.present != nil && c.present.session == session {
			if u.again == 8 {
				return refused("hs-accept-again-limit")
			}
			u.again++
			return answer{outputs: []object{output("repeat", "session", session, "to", from)}}
		}
	}
	s := c.offer
	if s == nil || s.id != msg.id {
		return refused("hs-accept-unasked")
	}
	if msg.bytes[:16] != offerID(s.offer) {
		return refused("hs-accept-offer")
	}
	s.failed = slices.DeleteFunc(s.failed, func(at uint64) bool { return m.now-at >= 1000 })
	if len(s.failed) >= 4 {
		return refused("hs-accept-failures")
	}
	k, rule := takeAccept(c.p, s.offer, s.keys, msg.bytes)
	if rule != "" {
		s.failed = append(s.failed, m.now)
		return refused(rule)
	}
	h := conversation{session: session, rank: rank{s.ms, c.p.friend}, made: m.now, epoch: s.epoch}
	c.used = append(c.used, &usedOffer{id: s.id, accept: hash(msg.bytes), epoch: s.epoch, at: m.now})
	c.offer = nil
	c.halfOpen = append(c.halfOpen, &h)
	if len(c.halfOpen) > 8 {
		lowest := 0
		for i, other := range c.halfOpen {
			if c.halfOpen[lowest].rank.outranks(other.rank) {
				lowest = i
			}
		}
		c.halfOpen = slices.Delete(c.halfOpen, lowest, lowest+1)
	}
	return answer{outputs: []object{c.sessionOutput(h, "R", k, s.keys.rk)}}
}
