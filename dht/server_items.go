package dht

import (
	"net/netip"

	"kith/wire"
)

func (o *overlay) get(from netip.AddrPort) {
	if o.in.Has&wire.HasTarget == 0 {
		o.fail(from, errProtocol, "target is missing") // dht-get-target
		return
	}
	m := o.reply(from)
	m.Has |= wire.HasToken
	m.Token = o.tokens.give(from.Addr(), o.now) // dht-get-token
	o.addNodes(m, &o.in.Target)                 // dht-get-nodes, dht-get-both
	limit := answerSize
	item := o.items.get(&o.in.Target, o.now) // dht-get-nothing
	if item != nil && item.mutable {
		m.Has |= wire.HasSeq
		m.Seq = item.seq
	}
	switch {
	case item == nil:
	case item.mutable && o.in.Has&wire.HasSeq != 0 && item.seq <= o.in.Seq: // dht-get-seq, dht-get-seq-newer
	case item.mutable:
		m.Has |= wire.HasKey | wire.HasSig
		m.Key, m.Sig = item.key(), item.sig()
		fallthrough
	default: // dht-get-seq-immutable
		m.Has |= wire.HasValue
		m.Value = item.value() // dht-get-immutable, dht-get-mutable
		limit = valueSize
	}
	o.send(from, limit)
}

// put checks in the order of dht-put-order: what is malformed, sizes, the token, the signature, cas, seq. That v is one canonical
// value, of any type, the parser has seen to (dht-put-canonical, dht-put-types).
func (o *overlay) put(from netip.AddrPort) {
	const signed = wire.HasKey | wire.HasSeq | wire.HasSig
	m := &o.in
	mutable := m.Has&(wire.HasKey|wire.HasSig) != 0 // seq alone stands in deployed clients' puts of immutable items: dht-put-plain
	switch {
	case m.Has&wire.HasValue == 0:
		o.fail(from, errProtocol, "v is missing") // dht-put-no-value, dht-put-203
	case mutable && !m.Has.All(signed):
		o.fail(from, errProtocol, "k, seq and sig are not all there") // dht-put-incomplete, dht-put-203
	case len(m.Value) > MaxValue:
		o.fail(from, errValueSize, "v is longer than 1000 bytes") // dht-put-205, dht-put-size-error, dht-put-thousand
	case len(m.Salt) > MaxSalt:
		o.fail(from, errSaltSize, "salt is longer than 64 bytes") // dht-put-salt, dht-put-207
	case m.Has&wire.HasToken == 0:
		o.fail(from, errProtocol, "token is missing") // dht-put-token
	case !o.tokens.check(m.Token, from.Addr(), o.now):
		o.fail(from, errProtocol, "token is not one of ours for this address") // dht-put-token
	case mutable:
		o.putMutable(from)
	default:
		o.putImmutable(from)
	}
}

func (o *overlay) putImmutable(from netip.AddrPort) {
	m := &o.in
	target := wire.ImmutableTarget(m.Value) // the query's own target means nothing: dht-put-plain
	switch old := o.items.get(&target, o.now); {
	case old == nil:
		o.items.put(&target, &m.Body, o.keys.network(from), o.now) // dht-put-immutable
		o.stats.Put++
	case old.mutable:
		o.fail(from, errSeq, "a mutable item has this target")
		return
	default:
		o.items.refresh(&target, o.now) // dht-put-again
		o.stats.Refreshed++
	}
	o.reply(from)
	o.send(from, answerSize)
}

func (o *overlay) putMutable(from netip.AddrPort) {
	m := &o.in
	target := wire.MutableTarget(m.Key, m.Salt) // dht-put-salts, dht-put-salt-empty
	old := o.items.get(&target, o.now)
	again := old != nil && old.same(&m.Body)
	if !again {
		o.stats.Verified++
		if !verifyItem(m.Key, m.Sig, m.Salt, m.Seq, m.Value) {
			o.fail(from, errSignature, "signature does not verify") // dht-put-signature, dht-put-206
			return
		}
	}
	switch {
	case old != nil && !old.mutable:
		o.fail(from, errSeq, "an immutable item has this target")
		return
	case old != nil && m.Has&wire.HasCAS != 0 && m.CAS != old.seq: // dht-put-cas, dht-put-cas-equal, dht-put-cas-nothing
		o.fail(from, errCAS, "cas is not the seq of what is stored") // dht-put-301
		return
	case again:
		o.items.refresh(&target, o.now) // dht-put-again
		o.stats.Refreshed++
	case old != nil && m.Seq <= old.seq: // dht-put-seq-lower, dht-put-seq-same
		o.fail(from, errSeq, "seq is not greater than that of what is stored") // dht-put-302, dht-put-same-302
		return
	default:
		o.items.put(&target, &m.Body, o.keys.network(from), o.now) // dht-put-mutable, dht-put-seq-higher
		o.stats.Put++
	}
	o.reply(from)
	o.send(from, answerSize)
}
