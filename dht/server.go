package dht

import (
	"errors"
	"net/netip"
	"time"

	"kith/wire"
)

const (
	maxT            = 64   // bytes of t
	minRefused      = 40   // bytes of a malformed query that gets an error
	answerSize      = 1024 // bytes of an answer without a value (BEP 32): wire-send-size
	valueSize       = 1232 // and of one with a value: IPv6's least MTU without headers
	strangerEvery   = 5 * time.Minute
	strangersAtOnce = 64 // pings of strangers under way: a share of the queries that may wait
)

var version = []byte(wire.KithVersion)

// query answers the query in n.in, whose size is that of its datagram, and of which the parser said err.
func (o *overlay) query(from netip.AddrPort, size int, err error) {
	m := &o.in
	if len(m.T) == 0 || len(m.T) > maxT || m.Method == nil || o.cfg.ReadOnly { // dht-not-query-silent, dht-ro-silent
		o.stats.Ignored++
		return
	}
	if !o.limiter.allow(from.Addr(), o.now) { // dht-source-limit, dht-source-apart
		o.stats.Limited++
		return
	}
	o.askerKey = o.keys.address(from)
	if err != nil {
		if size < minRefused { // dht-error-short
			o.stats.Ignored++
			return
		}
		text := "malformed"
		if e := (*wire.Error)(nil); errors.As(err, &e) {
			text = e.Text
		}
		o.fail(from, errProtocol, text) // dht-error-malformed
		return
	}
	if *o.contacted.until(o.askerKey, o.now) <= o.now {
		o.unprovoked = o.now // dht-own-ro
	}
	o.serve(from) // whatever its id: dht-id-served; read-only or not: dht-ro-served
	o.meet(from)
}

// serve answers the well-formed query in n.in.
func (o *overlay) serve(from netip.AddrPort) {
	method := methodOf(o.in.Method)
	o.stats.Queries[method]++
	switch {
	case method == MethodUnknown:
		o.fail(from, errMethod, "method unknown") // dht-method-204, dht-method-unknown, dht-method-reply
		return
	case o.in.Has&wire.HasID == 0:
		o.fail(from, errProtocol, "id is missing") // dht-error-argument, dht-error-203, dht-query-id
		return
	}
	switch method {
	case MethodPing:
		o.reply(from)
		o.send(from, answerSize) // dht-ping
	case MethodFindNode:
		o.findNode(from)
	case MethodGetPeers:
		o.getPeers(from)
	case MethodAnnounce:
		o.announcePeer(from)
	case MethodGet:
		o.get(from)
	case MethodPut:
		o.put(from)
	case MethodSample:
		o.sampleInfohashes(from)
	}
}

// meet notes that the sender of the query in n.in lives, if it is a node that can be asked. An unknown one is pinged if there is a
// place for it, and is entered when it answers.
func (o *overlay) meet(from netip.AddrPort) {
	m := &o.in
	if m.Has&wire.HasID == 0 || m.ReadOnly { // dht-ro-entered
		return
	}
	node := wire.Node{ID: m.ID, Addr: from}
	if o.table.asked(node, o.now) || !o.table.mayHaveRoom(&m.ID) || o.queries.strangers == strangersAtOnce {
		return
	}
	if o.pinged.noted(o.askerKey, strangerEvery, o.now) || !o.table.hasRoom(node, o.now) { // dht-table-ping
		return
	}
	if o.ask(transaction{node: node, known: true, stranger: true}, o.newQuery(MethodPing)) {
		o.stats.Strangers++
	}
}

// reply begins a reply to the query in n.in.
func (o *overlay) reply(to netip.AddrPort) *wire.Message {
	o.out = wire.Message{Kind: wire.KindReply, T: o.in.T, Version: version, IP: to} // dht-t-echo, dht-ip, dht-ip-right
	o.out.Has, o.out.ID = wire.HasID, o.table.self                                  // dht-reply-id, dht-id-stable
	return &o.out
}

// send sends the reply in n.out, the one answer to the query in n.in (dht-answer-once, dht-answer-address). If it is longer than limit,
// nodes6 and then nodes lose their far ends until it fits or nothing is left to lose.
func (o *overlay) send(to netip.AddrPort, limit int) {
	m := &o.out
	for o.outbox.add(to, m) > limit && len(m.Nodes)+len(m.Nodes6) > 0 { // dht-get-size, dht-peers-size, dht-sample-size
		o.outbox.takeBack()
		if len(m.Nodes6) > 0 {
			m.Nodes6 = m.Nodes6[:len(m.Nodes6)-wire.Node6Size]
		} else {
			m.Nodes = m.Nodes[:len(m.Nodes)-wire.Node4Size]
		}
	}
	o.stats.Replies++
	o.contacted.note(o.askerKey, unprovokedFor, o.now)
}

// fail answers the query in n.in with an error.
func (o *overlay) fail(to netip.AddrPort, e int, text string) {
	o.text = append(o.text[:0], text...)
	o.out = wire.Message{Kind: wire.KindError, T: o.in.T, Version: version, IP: to, Code: errorCodes[e], Text: o.text} // dht-ip-error
	o.outbox.add(to, &o.out)
	o.stats.ErrorsSent[e]++
	o.contacted.note(o.askerKey, unprovokedFor, o.now)
}

// addNodes puts the closest good nodes into a reply, of the families that the query wants.
func (o *overlay) addNodes(m *wire.Message, target *wire.ID) {
	want := o.in.Want & (wire.Want4 | wire.Want6) // dht-want-n4, dht-want-n6, dht-want-only
	if want == 0 {                                // dht-want-absent, dht-want-empty
		want = wire.Want4 << o.family
	}
	if want&wire.Want4 != 0 {
		m.Has |= wire.HasNodes
		m.Nodes = o.compact(V4, target, m.IP)
	}
	if want&wire.Want6 != 0 {
		m.Has |= wire.HasNodes6
		m.Nodes6 = o.compact(V6, target, m.IP)
	}
}

// compact returns the closest good nodes of a family for one who asks, one behind the other: none if we are not part of it, which is
// an empty string and not nothing (dht-nodes-empty).
func (n *Node) compact(family Family, target *wire.ID, to netip.AddrPort) []byte {
	b := n.nodes[family][:0]
	if o := n.overlays[family]; o != nil {
		want := goodOnly
		if !isLocal(to.Addr()) {
			want = goodGlobal // dht-nodes-local
		}
		// dht-find-closest, dht-peers-closest, dht-find-eight, dht-good-only, dht-nodes-address: who answered has an address
		for _, e := range o.table.closest(n.found[:0], target, k, want, n.now) {
			b = append(b, e.compact()...)
		}
	}
	return b
}

func (o *overlay) findNode(from netip.AddrPort) {
	if o.in.Has&wire.HasTarget == 0 {
		o.fail(from, errProtocol, "target is missing") // dht-find-target
		return
	}
	o.addNodes(o.reply(from), &o.in.Target) // dht-find-nodes
	o.send(from, answerSize)
}

func (o *overlay) getPeers(from netip.AddrPort) {
	if o.in.Has&wire.HasInfoHash == 0 {
		o.fail(from, errProtocol, "info_hash is missing") // dht-peers-infohash
		return
	}
	m := o.reply(from)
	m.Has |= wire.HasToken
	m.Token = o.tokens.give(from.Addr(), o.now) // dht-peers-token
	o.addNodes(m, &o.in.InfoHash)               // dht-peers-nodes, dht-peers-both

	each := len("6:") + wire.Addr4Size
	if o.family == V6 {
		each = len("18:") + wire.Addr6Size
	}
	size := o.outbox.add(from, m) + len("6:valuesle")
	o.outbox.takeBack()
	room := min(peersPerAnswer, max(0, answerSize-size)/each) // dht-peers-size
	// dht-want-values
	if v := o.peers.draw(o.values[:0], &o.in.InfoHash, room, isLocal(from.Addr()), o.now); len(v) > 0 {
		m.Has |= wire.HasValues
		m.Values = v // dht-peers-values, dht-peers-other
	}
	o.send(from, answerSize)
}

func (o *overlay) announcePeer(from netip.AddrPort) {
	m := &o.in
	port := m.Port
	if m.ImpliedPort { // dht-announce-implied, dht-announce-implied-alone
		port = int64(from.Port())
	}
	switch {
	case m.Has&wire.HasInfoHash == 0:
		o.fail(from, errProtocol, "info_hash is missing") // dht-announce-infohash
	case m.Has&wire.HasPort == 0 && !m.ImpliedPort:
		o.fail(from, errProtocol, "port is missing") // dht-announce-no-port
	case port < 1 || port > 65535:
		o.fail(from, errProtocol, "port is not in 1 to 65535") // dht-announce-port-range, dht-announce-port-zero
	case m.Has&wire.HasToken == 0:
		o.fail(from, errProtocol, "token is missing") // dht-announce-token-missing
	case !o.tokens.check(m.Token, from.Addr(), o.now):
		o.fail(from, errProtocol, "token is not one of ours for this address") // dht-announce-token, dht-announce-token-ip, dht-token-203
	default:
		peer := netip.AddrPortFrom(from.Addr(), uint16(port)) // dht-announce-address, dht-announce-port
		o.peers.add(m.InfoHash, peer, o.keys.network(peer), o.now)
		o.stats.Announced++
		o.reply(from)
		o.send(from, answerSize) // dht-announce-reply
	}
}

func (o *overlay) sampleInfohashes(from netip.AddrPort) {
	if o.in.Has&wire.HasTarget == 0 {
		o.fail(from, errProtocol, "target is missing") // dht-sample-target
		return
	}
	m := o.reply(from)
	drawn, num, left := o.peers.samples(o.now) // dht-sample-announced, dht-sample-items
	m.Has |= wire.HasSamples | wire.HasNum | wire.HasInterval
	m.Samples = o.samples[:0] // dht-sample-samples
	for _, h := range drawn {
		m.Samples = wire.AppendSample(m.Samples, h)
	}
	m.Num = int64(num)                     // dht-sample-num
	m.Interval = int64(left / time.Second) // dht-sample-interval
	o.addNodes(m, &o.in.Target)            // dht-sample-nodes
	o.send(from, answerSize)
}
