package dht

import (
	"bytes"
	"slices"

	"kith/wire"
)

// A keepsake is what a look-up leaves with the nodes it found.
type keepsake struct {
	method Method // announce_peer or put
	port   uint16 // for announce_peer; 0: the one that the datagram comes from
	item   Item   // for put
	cas    *int64 // for put
}

// beginStoring asks the nodes found to store: the 8 closest, and the 8 closest whose ids fit.
func (l *lookup) beginStoring() {
	all, fitting := l.result()
	l.stores = append(l.stores, all.nodes[:all.n]...)
	for _, c := range fitting.nodes[:fitting.n] {
		if !slices.Contains(l.stores, c) {
			l.stores = append(l.stores, c)
		}
	}
	l.phase, l.deadline = storing, l.now+lookupTime
	l.stepStoring()
}

// stepStoring asks those that may be asked now, and ends the look-up when none is left.
func (l *lookup) stepStoring() {
	l.wake = forever
	left := false
	for _, c := range l.stores {
		if c.store == fresh {
			if free := l.queries.free(c.node.Addr); free > l.now { // dht-query-pace
				l.wake = min(l.wake, free)
			} else if l.held() {
				// until wake
			} else if l.askToStore(c) {
				c.store = underway
				l.sent()
			} else {
				l.wake = min(l.wake, l.now+pacePer/10) // too many are waiting
			}
		}
		left = left || c.store == fresh || c.store == underway
	}
	if !left || l.now >= l.deadline {
		l.end()
	}
}

func (l *lookup) askToStore(c *candidate) bool {
	m := l.newQuery(l.keep.method)
	m.Has |= wire.HasToken
	m.Token = c.token
	if l.keep.method == MethodAnnounce {
		m.Has |= wire.HasInfoHash | wire.HasPort | wire.HasImpliedPort
		m.InfoHash, m.Port, m.ImpliedPort = l.target, int64(l.keep.port), l.keep.port == 0
	} else {
		item := &l.keep.item
		m.Has |= wire.HasTarget | wire.HasValue | wire.HasSeq // dht-put-target
		m.Target, m.Value = l.target, item.Value
		if item.Mutable {
			m.Has |= wire.HasKey | wire.HasSig
			m.Key, m.Sig, m.Seq = item.Key[:], item.Sig[:], item.Seq
			if len(item.Salt) > 0 {
				m.Has |= wire.HasSalt
				m.Salt = item.Salt
			}
			if l.keep.cas != nil {
				m.Has |= wire.HasCAS
				m.CAS = *l.keep.cas
			}
		}
	}
	return l.overlay.ask(transaction{node: c.node, known: true, asker: l, candidate: c}, m)
}

func (l *lookup) storeAnswered(tx *transaction) {
	if l.phase == storing {
		tx.candidate.store = answered
		l.op.stored(l, tx)
		l.stepStoring()
	}
}

func (l *lookup) storeRefused(tx *transaction, m *wire.Message) {
	if l.phase == storing {
		tx.candidate.store = out
		l.op.refused(l, tx, m)
		l.stepStoring()
	}
}

func (l *lookup) storeFailed(tx *transaction) {
	if l.phase == storing {
		tx.candidate.store = out
		l.stepStoring()
	}
}

// takePeers takes the values of an answer.
func (l *lookup) takePeers(tx *transaction, m *wire.Message, by class) {
	if l.op == nil || l.method != MethodGetPeers {
		return
	}
	e := Event{Kind: EventPeers, Family: l.family, Node: tx.node, RTT: l.now - tx.sent}
	for a := range m.Values.All() {
		if believable(a, by) {
			e.Peers = append(e.Peers, a)
		} else {
			l.stats.Unnatural++
		}
	}
	if len(e.Peers) > 0 {
		l.op.found = true
		l.op.emit(e)
	}
}

// takeItem takes the item of an answer if it is what was asked for.
func (l *lookup) takeItem(tx *transaction, m *wire.Message) {
	if l.op == nil || l.method != MethodGet {
		return
	}
	i := Item{Value: m.Value, Mutable: m.Has&(wire.HasKey|wire.HasSig) != 0, Salt: l.salt}
	if i.Mutable {
		if !m.Has.All(wire.HasKey | wire.HasSig | wire.HasSeq) {
			l.stats.Forged++
			return
		}
		i.Key, i.Sig, i.Seq = [32]byte(m.Key), [64]byte(m.Sig), m.Seq
	}
	if i.Target() != l.target { // dht-lookup-verify
		l.stats.Forged++
		return
	}
	if best := l.op.item; best != nil && i.Seq <= best.Seq { // dht-lookup-highest
		return
	}
	l.stats.Verified++
	if i.Check() != nil { // dht-lookup-verify
		l.stats.Forged++
		return
	}
	i.Value = bytes.Clone(m.Value)
	i.Salt = bytes.Clone(l.salt)
	l.op.item = &i
	l.op.emit(Event{Kind: EventItem, Family: l.family, Node: tx.node, RTT: l.now - tx.sent, Item: &i})
	if !i.Mutable && l.keep == nil {
		l.op.satisfied() // an immutable item cannot be had any better
	}
}
