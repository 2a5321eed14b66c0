package dht

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/wire"
)

// A script is a node and everybody it talks to. Ids have 8 bits that matter, so that distances can be read: node 0xc0 has the id
// c000…00 and, unless the test says otherwise, the address 45.192.1.1:6881, which no other has the /16 of.
type script struct {
	*testing.T
	n      *Node
	now    time.Time
	events []Event
	asked  []*question // queries of the node that were not wanted yet
	last   sent        // the last answer of the node
	others []sent      // answers that were not wanted yet
}

// A question is a query that the node sent.
type question struct {
	to  netip.AddrPort
	m   wire.Message
	raw []byte
}

type sent struct {
	to  netip.AddrPort
	raw []byte
}

var began = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// begin makes a node with the id of 8 bits. It is reachable, unless change says otherwise.
func begin(t *testing.T, id8 byte, change ...func(*Config)) *script {
	t.Helper()
	cfg := Config{Rand: seeded(1), IPv4: true, ID4: id(id8), Reachable: true}
	for _, c := range change {
		c(&cfg)
	}
	n, err := New(cfg, began)
	require.NoError(t, err)
	if n.overlays[V4] != nil && cfg.ID4 == (wire.ID{}) && cfg.State == nil { // which Config takes for none
		n.overlays[V4].table.self = cfg.ID4
	}
	s := &script{T: t, n: n, now: began}
	s.drain()
	return s
}

// quiet keeps the node from looking around by itself while it knows few nodes, for tests about something else.
func (s *script) quiet() *script {
	for _, o := range s.n.overlays {
		if o != nil {
			o.retry = forever
		}
	}
	return s
}

// seeded returns randomness that follows from a seed.
func seeded(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

// id returns the id whose first byte is b.
func id(b byte) wire.ID { return wire.ID{b} }

// at returns the address of the node whose id is id(b).
func at(b byte) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{45, b, 1, 1}), 6881)
}

// node returns the node with the id of 8 bits.
func node(b byte) wire.Node { return wire.Node{ID: id(b), Addr: at(b)} }

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// drain takes what the node has to say.
func (s *script) drain() {
	s.Helper()
	for to, b, ok := s.n.Transmit(); ok; to, b, ok = s.n.Transmit() {
		b = slices.Clone(b)
		q := &question{to: to, raw: b}
		require.NoError(s, wire.ParseMessage(b, &q.m), "%q", b)
		if q.m.Kind == wire.KindQuery {
			s.asked = append(s.asked, q)
		} else {
			s.others = append(s.others, sent{to, b})
		}
	}
	for e, ok := s.n.Event(); ok; e, ok = s.n.Event() {
		s.events = append(s.events, e)
	}
}

// advance lets time pass, and the node do what is due on the way.
func (s *script) advance(d time.Duration) {
	s.Helper()
	end := s.now.Add(d)
	for next := s.n.NextTimeout(); !next.After(end); next = s.n.NextTimeout() {
		if next.After(s.now) {
			s.now = next
		}
		s.n.HandleTimeout(s.now)
		s.drain()
	}
	s.now = end
}

// send sends the bytes of packet, in which <n> stands for the 20 bytes of id(n).
func (s *script) send(from netip.AddrPort, packet string) {
	s.Helper()
	s.n.HandleDatagram(s.now, from, []byte(expand(packet)))
	s.drain()
}

// expand replaces <c0> by the 20 bytes of id(0xc0).
func expand(packet string) string {
	for {
		i := strings.IndexByte(packet, '<')
		if i < 0 || i+3 >= len(packet) || packet[i+3] != '>' {
			return packet
		}
		var b byte
		fmt.Sscanf(packet[i+1:i+3], "%x", &b)
		whole := id(b)
		packet = packet[:i] + string(whole[:]) + packet[i+4:]
	}
}

// message sends m.
func (s *script) message(from netip.AddrPort, m wire.Message) {
	s.Helper()
	s.n.HandleDatagram(s.now, from, wire.AppendMessage(nil, &m))
	s.drain()
}

// answer returns the next answer, which must be to to.
func (s *script) answer(to netip.AddrPort) (m wire.Message) {
	s.Helper()
	require.NotEmpty(s, s.others, "no answer")
	s.last = s.others[0]
	s.others = s.others[1:]
	require.Equal(s, to, s.last.to)
	require.NoError(s, wire.ParseMessage(s.last.raw, &m))
	return m
}

// want wants the next answer to be the bytes of packet.
func (s *script) want(to netip.AddrPort, packet string) {
	s.Helper()
	s.answer(to)
	require.Equal(s, expand(packet), string(s.last.raw))
}

// wantError wants the next answer to be an error.
func (s *script) wantError(to netip.AddrPort, code int64) {
	s.Helper()
	m := s.answer(to)
	require.Equal(s, wire.KindError, m.Kind, "%q", s.last.raw)
	require.Equal(s, code, m.Code, "%q", s.last.raw)
	require.NotEmpty(s, m.Text)
	require.Equal(s, to, m.IP)
}

// wantReply wants the next answer to be a reply.
func (s *script) wantReply(to netip.AddrPort) wire.Message {
	s.Helper()
	m := s.answer(to)
	require.Equal(s, wire.KindReply, m.Kind, "%q", s.last.raw)
	require.Equal(s, to, m.IP)
	return m
}

// wantNothing wants nothing to have been sent that was not wanted before.
func (s *script) wantNothing() {
	s.Helper()
	for _, a := range s.others {
		s.Errorf("sent to %v: %q", a.to, a.raw)
	}
	for _, q := range s.asked {
		s.Errorf("asked %v: %s", q.to, q.m.Method)
	}
	if s.Failed() {
		s.FailNow()
	}
}

// wantAsked wants the node to have asked exactly these nodes, in any order, for one thing.
func (s *script) wantAsked(method Method, nodes ...byte) {
	s.Helper()
	var got, want []string
	for _, q := range s.asked {
		got = append(got, string(q.m.Method)+" "+q.to.String())
	}
	for _, b := range nodes {
		want = append(want, method.String()+" "+at(b).String())
	}
	require.ElementsMatch(s, want, got)
}

// take returns the query that was sent to a node, which is then no longer expected.
func (s *script) take(to netip.AddrPort) *question {
	s.Helper()
	for i, q := range s.asked {
		if q.to == to {
			s.asked = slices.Delete(s.asked, i, i+1)
			return q
		}
	}
	s.Fatalf("%v was not asked", to)
	return nil
}

// reply begins a reply to q by the node with the id from.
func (q *question) reply(from wire.ID) wire.Message {
	m := wire.Message{Kind: wire.KindReply, T: q.m.T}
	m.Has, m.ID = wire.HasID, from
	return m
}

// replies lets the node b answer what it was asked, and name others.
func (s *script) replies(b byte, names ...byte) {
	s.Helper()
	m := s.take(at(b)).reply(id(b))
	m.Has |= wire.HasNodes | wire.HasToken
	m.Token = []byte{'t', b}
	for _, o := range names {
		m.Nodes = wire.AppendNode(m.Nodes, node(o))
	}
	s.message(at(b), m)
}

// forget lets the nodes not answer what they were asked.
func (s *script) forget(nodes ...byte) {
	s.Helper()
	for _, b := range nodes {
		s.take(at(b))
	}
}

// knows enters nodes into the table: they answer a ping.
func (s *script) knows(nodes ...wire.Node) {
	s.Helper()
	for _, n := range nodes {
		s.n.Ping(s.now, n.Addr)
		s.drain()
		s.message(n.Addr, s.take(n.Addr).reply(n.ID))
		s.now = s.now.Add(time.Millisecond)
	}
	s.events = nil
}

// done returns the EventDone of op, which must have come.
func (s *script) done(op Op) Event {
	s.Helper()
	for _, e := range s.events {
		if e.Op == op && e.Kind == EventDone {
			return e
		}
	}
	s.Fatalf("operation %d is not done", op)
	return Event{}
}

// undone fails if op is done.
func (s *script) undone(op Op) {
	s.Helper()
	for _, e := range s.events {
		require.False(s, e.Op == op && e.Kind == EventDone, "operation %d is done: %+v", op, e)
	}
}

// names returns the first bytes of the ids of nodes.
func names(nodes []wire.Node) (b []byte) {
	for _, n := range nodes {
		b = append(b, n.ID[0])
	}
	return b
}

func netipPort(ip string, port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(ip), uint16(port))
}
