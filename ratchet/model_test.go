package ratchet

import (
	"cmp"
	"slices"
)

// A place is where a message stands in what one end has sent.
type place struct{ chain, n int } // from 1 and from 0

// A sent message, and what its header says.
type sent struct {
	place
	pn   int
	text string
	m    []byte
	mk   [32]byte // the message key that sealed it
}

// A model knows of one end what it has sent and opened, and nothing of keys. It is written from spec/ratchet.md.
type model struct {
	// Sending.
	sends    int // the number of the chain, 0: none
	next, pn int

	// Receiving.
	newest   int // the number of the newest chain, 0: none
	expected int
	kept     []place // in the order of their numbers
}

// send returns where the next message stands.
func (e *model) send() (at place, pn int) {
	at, pn = place{e.sends, e.next}, e.pn
	e.next++
	return at, pn
}

// An outcome of a message: a reason, or nil, and then whether it is the newest, and whether a new chain begins.
type outcome struct {
	reason       error
	newest, step bool
}

// receive says what has to happen with m at e.
func (e *model) receive(m *sent) outcome {
	has := slices.ContainsFunc(e.kept, func(p place) bool { return p.chain == m.chain })
	switch {
	case m.chain < e.newest && !has:
		return outcome{reason: ErrAuthentication}
	case m.chain < e.newest, m.chain == e.newest && m.n < e.expected:
		if !slices.Contains(e.kept, m.place) {
			return outcome{reason: ErrReplay}
		}
		return outcome{}
	case m.chain == e.newest && m.n-e.expected > 1000:
		return outcome{reason: ErrLimit}
	case m.chain == e.newest:
		return outcome{newest: true}
	case m.n > 1000 || e.newest > 0 && m.pn-e.expected > 1000:
		return outcome{reason: ErrLimit}
	}
	return outcome{newest: true, step: true}
}

// opened records that m has opened with an outcome.
func (e *model) opened(m *sent, o outcome) {
	if !o.newest {
		e.kept = slices.DeleteFunc(e.kept, func(p place) bool { return p == m.place })
		return
	}
	if o.step {
		for n := e.expected; e.newest > 0 && n < m.pn; n++ {
			e.kept = append(e.kept, place{e.newest, n})
		}
		e.newest, e.expected = m.chain, 0
		e.sends, e.pn, e.next = e.sends+1, e.next, 0
	}
	for n := e.expected; n < m.n; n++ {
		e.kept = append(e.kept, place{m.chain, n})
	}
	e.expected = m.n + 1

	// At most five older chains, then at most 2,000 in all, the oldest first.
	old := e.oldChains()
	for len(old) > 5 {
		e.kept = slices.DeleteFunc(e.kept, func(p place) bool { return p.chain == old[0] })
		old = old[1:]
	}
	slices.SortFunc(e.kept, func(a, b place) int { return cmp.Or(a.chain-b.chain, a.n-b.n) })
	e.kept = e.kept[max(0, len(e.kept)-2000):]
}

// oldChains returns the numbers of the older chains of which there are keys.
func (e *model) oldChains() (old []int) {
	for _, p := range e.kept {
		if p.chain < e.newest && !slices.Contains(old, p.chain) {
			old = append(old, p.chain)
		}
	}
	return old
}
