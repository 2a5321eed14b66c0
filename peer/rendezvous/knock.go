package rendezvous

import (
	"net/netip"
	"slices"
	"time"

	"kith/handshake"
)

const (
	knockEvery  = 10 * time.Minute // at one endpoint
	knockedMost = 64               // endpoints of one friend in that time
	targetsMost = 8                // of one knock
	answersKept = 8
)

// A knock is what is remembered of where a friend was knocked at.
type knock struct {
	seq      int64            // of the newest record
	knocked  []knocked        // in the last 10 minutes
	answered []netip.AddrPort // where he has answered, the newest last
}

type knocked struct {
	at   netip.AddrPort
	when time.Time
}

// hasAnswered notes that the friend has answered at an address.
func (k *knock) hasAnswered(at netip.AddrPort) {
	k.answered = slices.DeleteFunc(k.answered, func(a netip.AddrPort) bool { return a == at })
	if len(k.answered) == answersKept {
		k.answered = slices.Delete(k.answered, 0, 1)
	}
	k.answered = append(k.answered, at)
}

// may reports whether a friend's word may send a knock to an endpoint, in a record or in a conversation: a contact must not be able to aim knocks at others.
func (k *knock) may(now time.Time, at netip.AddrPort) bool { // peer-knock-rare
	k.knocked = slices.DeleteFunc(k.knocked, func(n knocked) bool { return !now.Before(n.when.Add(knockEvery)) })
	return slices.Contains(k.answered, at) ||
		len(k.knocked) < knockedMost && !slices.ContainsFunc(k.knocked, func(n knocked) bool { return n.at == at })
}

// found takes a record: it is knocked at, also while an attempt at an older one is under way. // peer-knock-found
func (r *Rendezvous) found(now time.Time, c *contact, rec handshake.Record) {
	k := &c.knock
	if c.trying && rec.Seq <= k.seq {
		return
	}
	k.seq = rec.Seq // what is being tried may be an address that he has left
	r.knockAt(now, c, rec.Endpoints)
}

// knockAt knocks at a friend, if he may be knocked at, where he may.
func (r *Rendezvous) knockAt(now time.Time, c *contact, at []netip.AddrPort) {
	if !c.wanted() {
		return
	}
	k := &c.knock
	var to []netip.AddrPort
	for _, a := range at {
		a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
		if handshake.CheckEndpoint(a) != nil || slices.Contains(to, a) || len(to) == targetsMost || !k.may(now, a) {
			continue
		}
		to = append(to, a)
		if len(k.knocked) < knockedMost {
			k.knocked = append(k.knocked, knocked{a, now})
		}
	}
	if len(to) == 0 {
		return
	}
	c.trying = true
	r.outputs.add(Output{Kind: OutputKnock, Friend: c.friend, To: to})
}
