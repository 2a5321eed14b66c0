package dht

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/wire"
)

// counted returns the counters that changed since the last call, by the names of Each.
func (s *script) counted(before map[string]uint64) map[string]uint64 {
	changed := map[string]uint64{}
	stats := s.n.Stats()
	stats.Each(func(name string, v uint64) {
		if strings.Contains(name, "_total") && v != before[name] {
			changed[name] = v - before[name]
		}
		before[name] = v
	})
	return changed
}

// Everything that happens is counted once, under its name, and nothing else is.
func TestWhatHappensIsCounted(t *testing.T) {
	s := begin(t, 0x11).quiet()
	before := map[string]uint64{}
	s.counted(before)
	want := func(what string, names ...string) {
		t.Helper()
		all := map[string]uint64{}
		for _, name := range names {
			all[name]++
		}
		require.Equal(t, all, s.counted(before), what)
		s.asked, s.others = nil, nil
	}
	datagram := func(packet string) { s.send(client, packet) }
	datagram("\x50")
	want("not KRPC", "datagrams_total", "foreign_total")
	s.send(addr("81.2.69.142:0"), "d1:ad2:id20:<22>e1:q4:ping1:t2:aa1:y1:qe")
	want("from nowhere", "datagrams_total", "foreign_total")
	datagram("de")
	want("no message", "datagrams_total", "ignored_total")
	datagram("d1:ad2:id20:<22>e1:q4:ping1:t0:1:y1:qe")
	want("an empty t", "datagrams_total", "ignored_total")
	datagram("d1:q4:ping1:t2:aa1:y1:qe")
	want("malformed and short", "datagrams_total", "ignored_total")
	datagram("d1:ad2:id19:aaaaaaaaaaaaaaaaaaae1:q4:ping1:t2:aa1:y1:qe")
	want("malformed", "datagrams_total", `errors_total{code="203"}`)
	datagram("d1:rd2:id20:<22>e1:t4:aaaa1:y1:re")
	want("unasked", "datagrams_total", "unasked_total")
	datagram("d1:ad2:id20:<22>e1:q4:pong2:roi1e1:t2:aa1:y1:qe")
	want("unknown method", "datagrams_total", `queries_total{method="unknown"}`, `errors_total{code="204"}`)
	for _, m := range []string{"ping", "find_node", "get_peers", "get", "sample_infohashes"} {
		datagram(fmt.Sprintf("d1:ad2:id20:<22>9:info_hash20:<33>6:target20:<33>e1:q%d:%s2:roi1e1:t2:aa1:y1:qe", len(m), m))
		want(m, "datagrams_total", `queries_total{method="`+m+`"}`, "replies_total")
	}
	datagram("d1:ad2:id20:<22>e1:q4:ping1:t2:aa1:y1:qe")
	want("a stranger", "datagrams_total", `queries_total{method="ping"}`, "replies_total", "strangers_total", `sent_total{method="ping"}`)

	token := s.tokenFor(client)
	s.counted(before)
	s.announce(client, 0x77, "", "4:porti1e", token)
	want("announced", "datagrams_total", `queries_total{method="announce_peer"}`, "replies_total", "announced_total")
	for i := range 16 {
		s.announce(client, 0x77, "", fmt.Sprintf("4:porti%de", 2+i), token)
		s.wantReply(client)
	}
	require.Equal(t, uint64(1), s.counted(before)["evicted_total"])

	put := func(i Item) { s.put(i, func(m *wire.Message) { m.ReadOnly = true }) }
	item := signed("", 5, "5:hello")
	get := []string{"datagrams_total", "datagrams_total", `queries_total{method="get_peers"}`, `queries_total{method="put"}`, "replies_total"}
	put(item)
	want("put", append(get, "replies_total", "put_total", "verified_total")...)
	put(item)
	want("put again", append(get, "replies_total", "refreshed_total")...)
	put(signed("", 4, "5:hello"))
	want("put too late", append(get, "verified_total", `errors_total{code="302"}`)...)
	item.Sig[0] ^= 1
	put(item)
	want("forged", append(get, "verified_total", `errors_total{code="206"}`)...)

	s.advance(5 * time.Second)
	s.counted(before)
	ping := func(b byte) *question {
		s.n.Ping(s.now, at(b))
		s.drain()
		return s.take(at(b))
	}
	s.message(at(0x80), ping(0x80).reply(id(0x80)))
	want("answered", `sent_total{method="ping"}`, "datagrams_total", "answers_total")
	m := ping(0x81).reply(id(0x81))
	m.IP = addr("50.1.2.3:1")
	s.message(at(0x81), m)
	want("with a vote", `sent_total{method="ping"}`, "datagrams_total", "answers_total", "votes_total")
	q := ping(0x82)
	s.advance(2 * time.Second)
	want("lost", `sent_total{method="ping"}`, "lost_total")
	s.message(at(0x82), q.reply(id(0x82)))
	want("late", "datagrams_total", "answers_total", "late_total")
	q = ping(0x83)
	s.message(at(0x83), wire.Message{Kind: wire.KindError, T: q.m.T, Code: 201, Text: []byte("no")})
	want("refused", `sent_total{method="ping"}`, "datagrams_total", "answers_total", "refusals_total")
	q = ping(0x84)
	s.message(at(0x84), wire.Message{Kind: wire.KindReply, T: q.m.T})
	want("garbled", `sent_total{method="ping"}`, "datagrams_total", "answers_total", "garbled_total")
	for range 5 {
		s.n.Ping(s.now, at(0x85))
	}
	s.drain()
	require.Equal(t, map[string]uint64{`sent_total{method="ping"}`: 4, "paced_total": 1}, s.counted(before))
	s.asked = nil
	s.advance(2 * time.Second)
	s.counted(before)

	op := s.n.FindNode(s.now, id(0x80))
	s.drain()
	for _, b := range []byte{0x80, 0x81, 0x82} {
		q = s.take(at(b))
		m = q.reply(id(b))
		if b == 0x80 {
			m.ID = id(0x8f)
			s.message(q.to, m)
			continue
		}
		m.Has |= wire.HasNodes
		m.Nodes = wire.AppendNode(wire.AppendNode(nil, node(0x90)), wire.Node{ID: id(0x91), Addr: netip.AddrPortFrom(at(0x91).Addr(), 0)})
		s.message(q.to, m)
	}
	s.replies(0x90)
	require.NoError(t, s.done(op).Err)
	require.Equal(t, map[string]uint64{
		"lookups_total": 1, "lookups_ended_total": 1, `sent_total{method="find_node"}`: 4, "datagrams_total": 4, "answers_total": 4,
		"impostors_total": 1, "entered_total": 1, "unnatural_total": 2,
	}, s.counted(before))
}
