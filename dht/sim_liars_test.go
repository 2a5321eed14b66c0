package dht_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/dht"
	"kith/wire"
)

// A lie is a way of not being a node.
type lie int

const (
	garbage   lie = iota // answers pings, everything else with noise or half a reply
	manyIDs              // answers pings under its id, everything else under another
	closest              // is always the closest to whatever is looked for, and names others who are, and a victim
	huge                 // answers with as much as fits into a datagram
	silent               // answers pings and nothing else
	martian              // names nodes and peers where nobody can be
	forger               // has every item, and stores none
	refuser              // answers errors
	flooder              // asks one node more than it can
	mangler              // sends queries with a few bytes changed
	poser                // sends answers that nobody asked for
	lies                 // how many there are
	liarsEach = 8
)

// A liar answers by its lie. It is made known to honest nodes by asking them.
type liar struct {
	net  *network
	lie  lie
	addr netip.AddrPort
	id   wire.ID
	next time.Time
	asks netip.AddrPort // whom a flooder floods,
	till time.Time      // until then
	out  []outgoing
	in   wire.Message
	told int // queries that it got beside pings

	named map[whom]bool // to whom others of its kind have named it
}

type whom struct {
	asked  netip.AddrPort
	target wire.ID
}

type outgoing struct {
	to netip.AddrPort
	b  []byte
}

// lie adds liars of every kind. They ask around at once, and so get into the honest nodes' tables.
func (n *network) lie() {
	var all []*liar
	for i := range int(lies) * liarsEach {
		l := &liar{net: n, lie: lie(i % int(lies)), addr: n.place(), id: n.id(), next: n.Now(), named: map[whom]bool{}}
		if i%2 == 0 {
			l.id = dht.IDFor(l.addr.Addr(), l.id)
		}
		l.asks, l.till = n.any().addr, n.Now().Add(20*time.Second)
		all = append(all, l)
	}
	n.liars = all
	for _, l := range all {
		n.Add(l, nil, l.addr)
	}
}

func (l *liar) NextTimeout() time.Time { return l.next }

func (l *liar) Transmit() (netip.AddrPort, []byte, bool) {
	if len(l.out) == 0 {
		return netip.AddrPort{}, nil, false
	}
	o := l.out[0]
	l.out = l.out[1:]
	return o.to, o.b, true
}

func (l *liar) send(to netip.AddrPort, m *wire.Message) {
	l.out = append(l.out, outgoing{to, wire.AppendMessage(nil, m)})
}

func (l *liar) query(method string, target wire.ID) *wire.Message {
	m := &wire.Message{Kind: wire.KindQuery, T: []byte("liar"), Method: []byte(method)}
	m.Has, m.ID = wire.HasID, l.id
	switch method {
	case "find_node", "get":
		m.Has |= wire.HasTarget
		m.Target = target
	case "get_peers":
		m.Has |= wire.HasInfoHash
		m.InfoHash = target
	}
	return m
}

// HandleTimeout is what a liar does unasked.
func (l *liar) HandleTimeout(now time.Time) {
	rng := l.net.rng
	l.next = now.Add(10 * time.Second)
	for range 2 { // to be known
		l.send(l.net.any().addr, l.query("find_node", l.net.id()))
	}
	switch l.lie {
	case flooder:
		if now.After(l.till) {
			return
		}
		l.next = now.Add(100 * time.Millisecond)
		for range 150 { // a second: 1,500, and 250 are allowed
			l.send(l.asks, l.query("get_peers", l.net.id()))
		}
	case mangler:
		l.next = now.Add(time.Second)
		b := wire.AppendMessage(nil, l.query([]string{"ping", "find_node", "get", "get_peers", "vote"}[rng.IntN(5)], l.net.id()))
		for range 1 + rng.IntN(3) {
			switch at := rng.IntN(len(b)); rng.IntN(3) {
			case 0:
				b[at] = byte(rng.Uint32())
			case 1:
				b = slices.Delete(b, at, at+1)
			case 2:
				b = slices.Insert(b, at, byte(rng.Uint32()))
			}
		}
		l.out = append(l.out, outgoing{l.net.any().addr, b})
	case poser:
		l.next = now.Add(time.Second)
		m := &wire.Message{Kind: wire.KindReply, T: []byte{byte(rng.Uint32()), 0, 0, 0}}
		m.Has, m.ID = wire.HasID, l.id
		l.send(l.net.any().addr, m)
		l.net.Send(l.net.any().addr, l.net.any().addr, wire.AppendMessage(nil, m)) // in another's name
	}
}

// HandleDatagram answers a query.
func (l *liar) HandleDatagram(_ time.Time, from netip.AddrPort, b []byte) {
	if wire.ParseMessage(b, &l.in) != nil || l.in.Kind != wire.KindQuery {
		return
	}
	rng := l.net.rng
	method := string(l.in.Method)
	target := l.in.Target
	if l.in.Has&wire.HasInfoHash != 0 {
		target = l.in.InfoHash
	}
	m := &wire.Message{Kind: wire.KindReply, T: l.in.T, IP: from}
	m.Has, m.ID = wire.HasID, l.id
	if method == "ping" {
		l.send(from, m)
		return
	}
	l.told++
	if method == "put" || method == "announce_peer" { // nobody here stores, and nobody says so
		l.send(from, m)
		return
	}
	m.Has |= wire.HasNodes
	if method != "find_node" {
		m.Has |= wire.HasToken
		m.Token = []byte("token")
	}
	switch l.lie {
	case garbage:
		m.Nodes = make([]byte, 25) // no number of nodes
		b := wire.AppendMessage(nil, m)
		switch rng.IntN(3) {
		case 0:
			b = b[:rng.IntN(len(b))]
		case 1:
			for range 4 {
				b[rng.IntN(len(b))] = byte(rng.Uint32())
			}
		}
		l.out = append(l.out, outgoing{from, b})
		return
	case manyIDs:
		m.ID = l.net.id()
	case closest:
		if l.named[whom{from, target}] { // by another, under this id; else it is asked under its own
			m.ID = l.near(target)
		}
		for _, other := range l.net.liars {
			if other != l && other.lie == closest && m.Nodes.Len() < 7 {
				other.named[whom{from, target}] = true
				m.Nodes = wire.AppendNode(m.Nodes, wire.Node{ID: other.near(target), Addr: other.addr})
			}
		}
		id := target
		id[19] ^= byte(rng.Uint32())
		m.Nodes = wire.AppendNode(m.Nodes, wire.Node{ID: id, Addr: l.net.victim})
	case huge:
		for range 25 {
			m.Nodes = wire.AppendNode(m.Nodes, wire.Node{ID: l.net.id(), Addr: l.net.any().addr})
		}
		if method == "get_peers" {
			m.Has |= wire.HasValues
			for range 60 {
				m.Values = wire.AppendValue(m.Values, l.net.any().addr)
			}
		}
		if method == "get" {
			m.Token = make([]byte, 600)
		}
	case silent:
		return
	case martian:
		for i, a := range []string{"10.1.2.3:6881", "127.0.0.1:6881", "224.0.0.1:6881", "0.0.0.0:6881", "255.255.255.255:1", "100.64.0.1:9", "169.254.1.1:9", "8.8.8.8:0"} {
			id := target
			id[19] ^= byte(i)
			addr := netip.MustParseAddrPort(a)
			m.Nodes = wire.AppendNode(m.Nodes, wire.Node{ID: id, Addr: addr})
			if method == "get_peers" {
				m.Has |= wire.HasValues
				m.Values = wire.AppendValue(m.Values, addr)
			}
		}
	case forger:
		if method == "get" {
			m.Has |= wire.HasValue
			m.Value = text("a forged value")
			if rng.IntN(2) == 0 {
				m.Has |= wire.HasKey | wire.HasSig | wire.HasSeq
				m.Key, m.Sig, m.Seq = make([]byte, 32), make([]byte, 64), 1<<62
				if i := l.net.known[target]; i != nil { // the right key, and the signature of another version
					m.Key, m.Sig = i.Key[:], i.Sig[:]
				}
			}
		}
	case refuser:
		m = &wire.Message{Kind: wire.KindError, T: l.in.T, Code: 202, Text: []byte("no")}
	}
	l.send(from, m)
}

// near is an id closer to target than anybody's: each liar has its own, for each target.
func (l *liar) near(target wire.ID) wire.ID {
	target[18] ^= byte(slices.Index(l.net.liars, l))
	return target
}

// TestLiars puts 88 liars of 11 kinds among 400 honest nodes. Nothing that they do may make honest nodes take a forged item, stop
// answering, grow, or ask a bystander much, and items and peers are found as before, though the 8 nodes closest to any
// target are liars when the look-up ends: those whose ids fit their addresses are honest. (One look-up in 300 does fail:
// it begins at a node that knows more liars than others around its target.)
func TestLiars(t *testing.T) {
	n := newNetwork(t, seed(t, 2))
	n.alwaysFits = true
	n.populate(400)
	victim := &bystander{}
	n.victim = n.place()
	n.Add(victim, nil, n.victim)
	for i := range 60 {
		item := n.item(i, 1)
		n.known[item.Target()] = &item
	}
	n.lie()
	n.Run(2 * time.Minute) // they get into the tables

	n.check("put", n.put(60), .95)
	n.check("get", n.get(60, 1), .95)
	n.check("put of the next seq", n.putAgain(60), .95)
	n.check("get of the newest", n.get(60, 2), .95)
	n.check("announce", n.announce(60), .95)
	n.Run(16 * time.Minute)
	n.check("get, later", n.get(60, 2), .95)

	n.report()
	var told [lies]int
	for _, l := range n.liars {
		told[l.lie] += l.told
	}
	require.NotContains(t, told, 0, "nobody ever asked a liar of that kind")
	n.happened("query ping", "query find_node", "query get_peers", "query announce_peer", "query get", "query put", "reply", "other",
		"error 202", "error 203", "error 204")
	n.happenedInside("ignored_total", "limited_total", "garbled_total", "unasked_total", "impostors_total", "unnatural_total", "forged_total",
		"refusals_total", "lost_total", "spared_total", "late_total", `errors_total{code="203"}`, `errors_total{code="204"}`, "votes_total")
	n.neverInside("crowded_total")
	n.bounded()
	t.Logf("the victim got %d datagrams", victim.got)
	require.NotZero(t, victim.got)
	require.Less(t, 4*victim.got, n.total()["lookups_total"], "a bystander is asked again and again")
}

// A bystander is no node: it only counts what it is sent.
type bystander struct{ got uint64 }

func (b *bystander) HandleDatagram(time.Time, netip.AddrPort, []byte)  { b.got++ }
func (b *bystander) HandleTimeout(time.Time)                           {}
func (b *bystander) NextTimeout() time.Time                            { return time.Time{} }
func (b *bystander) Transmit() (a netip.AddrPort, _ []byte, more bool) { return }
