package dht

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/wire"
)

var (
	client    = addr("81.2.69.142:6881")
	elsewhere = addr("81.2.69.143:6881")
)

// compactOf returns the compact form of an address, as a string.
func compactOf(a netip.AddrPort) string { return string(wire.AppendAddrPort(nil, a)) }

func TestPing(t *testing.T) {
	s := begin(t, 0x11)
	s.send(client, "d1:ad2:id20:<22>e1:q4:ping1:t2:aa1:y1:qe")
	s.want(client, "d2:ip6:"+compactOf(client)+"1:rd2:id20:<11>e1:t2:aa1:v4:KT\x00\x011:y1:re")
	s.take(client) // a stranger, so it is pinged
	s.wantNothing()
}

func TestEverySizeOfTIsEchoed(t *testing.T) {
	s := begin(t, 0x11)
	for n := 1; n <= 64; n++ {
		tid := strings.Repeat("\xff", n)
		s.send(client, fmt.Sprintf("d1:ad2:id20:<22>e1:q4:ping1:t%d:%s1:y1:qe", n, tid))
		require.Equal(t, tid, string(s.wantReply(client).T))
		s.send(client, fmt.Sprintf("d1:ad2:id20:<22>e1:q4:pong1:t%d:%s1:y1:qe", n, tid))
		s.wantError(client, 204)
	}
	s.asked = nil
	s.send(client, "d1:ad2:id20:<22>e1:q4:ping1:t0:1:y1:qe")
	s.send(client, fmt.Sprintf("d1:ad2:id20:<22>e1:q4:ping1:t65:%65s1:y1:qe", "x"))
	s.wantNothing()
}

func TestNoAnswerToWhatIsNoQuery(t *testing.T) {
	s := begin(t, 0x11)
	for _, packet := range []string{
		"", "d", "x", "\x50", "\x00d1:ad2:id20:<22>e1:q4:ping1:t2:aa1:y1:qe",
		"d1:rd2:id20:<22>e1:t4:aaaa1:y1:re",                                      // a reply to nothing
		"d1:eli201e5:Helloe1:t4:aaaa1:y1:ee",                                     // an error to nothing
		"d1:ad2:id20:<22>e1:q4:ping1:t2:aa1:y1:xe",                               // of no kind
		"d1:ad2:id20:<22>e1:q4:ping1:t2:aae",                                     // the same
		"d1:ad2:id20:<22>e1:q4:ping1:y1:qe",                                      // without t
		"d1:ad2:id20:<22>e1:q4:ping1:ti5e1:y1:qe",                                // t is no string
		"d1:ad2:id20:<22>e1:t2:aa1:y1:qe",                                        // without q
		"d1:ad2:id20:<22>e1:qi5e1:t2:aa1:y1:qe",                                  // q is no string
		"d1:q4:ping1:t2:aa1:y1:qe",                                               // malformed and short
		"d1:ad2:id20:<22>e1:q4:ping1:t2:aa1:y1:q1:z" + strings.Repeat("x", 4100), // too long
	} {
		s.send(client, packet)
		s.wantNothing()
	}
	for _, from := range []string{"81.2.69.142:0", "0.0.0.0:6881", "224.0.0.1:6881", "255.255.255.255:6881", "[2a00::1]:6881"} {
		s.send(addr(from), "d1:ad2:id20:<22>e1:q4:ping1:t2:aa1:y1:qe")
		s.wantNothing()
	}
}

func TestErrorForMalformedQueries(t *testing.T) {
	s := begin(t, 0x11)
	for _, packet := range []string{
		"d1:ad2:id19:aaaaaaaaaaaaaaaaaaae1:q4:ping1:t2:aa1:y1:qe",                                  // id of 19 bytes
		"d1:ad2:id20:<22>e1:q4:ping1:t2:aa1:y1:qex",                                                // a byte behind
		"d1:q4:ping1:ad2:id20:<22>e1:t2:aa1:y1:qe",                                                 // keys not in order
		"d1:ad2:id20:<22>e1:q4:ping1:t2:aa1:v04:abcd1:y1:qe",                                       // a leading zero
		"d1:ad2:id20:<22>6:target19:aaaaaaaaaaaaaaaaaaae1:q9:find_node1:t2:aa1:y1:qe",              // target of 19 bytes
		"d1:ad2:id20:<22>4:wanti4e6:target20:<11>e1:q9:find_node1:t2:aa1:y1:qe",                    // want is no list
		"d1:q4:ping1:t2:aa1:v12:no arguments1:y1:qe",                                               // junk for v
		"d1:al2:id20:<22>e1:q4:ping1:t2:aa1:y1:qe",                                                 // a is a list
		"d1:ad2:id20:<22>9:info_hash20:<11>4:porti-0e5:token1:xe1:q13:announce_peer1:t2:aa1:y1:qe", // −0
		"d1:ad2:id20:<22>1:k32:01234567890123456789012345678901" + "3:seqi-1e3:sig64:" + strings.Repeat("s", 64) + "5:token1:x1:v1:xe1:q3:put1:t2:aa1:y1:qe",
	} {
		s.send(client, packet)
		s.wantError(client, 203)
		require.Equal(t, "aa", string(s.lastT()))
		s.wantNothing()
	}
}

// lastT returns the t of the last answer.
func (s *script) lastT() []byte {
	var m wire.Message
	require.NoError(s, wire.ParseMessage(s.last.raw, &m))
	return m.T
}

func TestArgumentsThatAreMissing(t *testing.T) {
	s := begin(t, 0x11)
	for _, method := range []string{"ping", "find_node", "get_peers", "announce_peer", "get", "put", "sample_infohashes"} {
		s.send(client, fmt.Sprintf("d1:ade1:q%d:%s1:t20:aaaaaaaaaaaaaaaaaaaa1:y1:qe", len(method), method))
		s.wantError(client, 203)
		if method != "ping" {
			s.send(client, fmt.Sprintf("d1:ad2:id20:<22>e1:q%d:%s1:t2:aa1:y1:qe", len(method), method))
			s.wantError(client, 203)
		}
	}
	s.asked = nil
	s.wantNothing()
}

func TestUnknownMethod(t *testing.T) {
	s := begin(t, 0x11)
	s.send(client, "d1:ad2:id20:<22>e1:q4:pong1:t2:aa1:y1:qe")
	s.wantError(client, 204)
	s.send(client, "d1:ad2:id20:<22>6:target20:<33>e1:q0:1:t2:aa1:y1:qe")
	s.wantError(client, 204)
}

// find asks for nodes close to id(b) and returns the reply.
func (s *script) find(b byte, want string) wire.Message {
	s.Helper()
	s.send(client, fmt.Sprintf("d1:ad2:id20:<22>6:target20:<%02x>%se1:q9:find_node1:t2:aa1:y1:qe", b, want))
	return s.wantReply(client)
}

// nodesOf returns the first bytes of the ids in nodes.
func nodesOf(m wire.Message) (b []byte) {
	for n := range m.Nodes.All() {
		b = append(b, n.ID[0])
	}
	return b
}

func TestFindNodeNamesTheClosestEight(t *testing.T) {
	s := begin(t, 0x00)
	all := []byte{0x80, 0x90, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0, 0x40, 0x50, 0x60, 0x20}
	for _, b := range all {
		s.knows(node(b))
	}
	for target := range 256 {
		slices.SortFunc(all, func(a, b byte) int { return int(a^byte(target)) - int(b^byte(target)) })
		m := s.find(byte(target), "")
		require.Equal(t, all[:8], nodesOf(m))
		require.Zero(t, m.Has&wire.HasNodes6)
		s.now = s.now.Add(time.Millisecond)
		for n := range m.Nodes.All() {
			require.Equal(t, at(n.ID[0]), n.Addr)
		}
	}
}

func TestOnlyGoodNodesAreNamed(t *testing.T) {
	s := begin(t, 0x00)
	require.Empty(t, nodesOf(s.find(0x80, "")))
	require.NotZero(t, s.wantFind().Has&wire.HasNodes, "an empty string, not none")
	s.asked = nil
	s.knows(node(0x80))
	require.Equal(t, []byte{0x80}, nodesOf(s.find(0x80, "")))
	s.advanceSilently(15*time.Minute - time.Second)
	require.Equal(t, []byte{0x80}, nodesOf(s.find(0x80, "")))
	s.advanceSilently(time.Second)
	require.Empty(t, nodesOf(s.find(0x80, "")), "silent for 15 minutes")
	s.send(at(0x80), "d1:ad2:id20:<80>e1:q4:ping1:t2:aa1:y1:qe")
	s.wantReply(at(0x80))
	require.Equal(t, []byte{0x80}, nodesOf(s.find(0x80, "")), "it has answered once, and asks now")
}

// Where somebody lives at home is nothing that strangers are told.
func TestLocalAddressesStayAtHome(t *testing.T) {
	s := begin(t, 0x00)
	home := wire.Node{ID: id(0xa0), Addr: addr("192.168.1.7:6881")}
	s.knows(node(0x80), home)
	s.announce(home.Addr, 0x77, "", "4:porti1e", s.tokenFor(home.Addr))
	s.wantReply(home.Addr)
	s.announce(client, 0x77, "", "4:porti2e", s.tokenFor(client))
	s.wantReply(client)
	public, private := netip.AddrPortFrom(client.Addr(), 2), netip.AddrPortFrom(home.Addr.Addr(), 1)
	for range 10 {
		require.Equal(t, []byte{0x80}, nodesOf(s.find(0xa0, "")))
		require.Equal(t, []netip.AddrPort{public}, s.peersOf(client, 0x77))
		require.ElementsMatch(t, []netip.AddrPort{public, private}, s.peersOf(addr("192.168.1.8:6881"), 0x77))
	}
	s.send(addr("192.168.1.8:6881"), "d1:ad2:id20:<22>6:target20:<a0>e1:q9:find_node1:t2:aa1:y1:qe")
	require.Equal(t, []byte{0xa0, 0x80}, nodesOf(s.wantReply(addr("192.168.1.8:6881"))))
}

func (s *script) wantFind() wire.Message { return s.find(0x80, "") }

// advanceSilently lets time pass without what would be due.
func (s *script) advanceSilently(d time.Duration) { s.now = s.now.Add(d) }

func TestWant(t *testing.T) {
	s := begin(t, 0x00, func(c *Config) { c.IPv6, c.ID6 = true, id(0xaa) })
	six := func(b byte) wire.Node {
		return wire.Node{ID: id(b), Addr: netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x2a, 0, b, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}), 6881)}
	}
	s.knows(node(0x80), six(0x81))
	require.NotEqual(t, s.n.ID(V4), s.n.ID(V6))
	has := func(m wire.Message) wire.Keys { return m.Has & (wire.HasNodes | wire.HasNodes6) }
	for _, v := range []struct {
		want   string
		v4, v6 wire.Keys
	}{
		{"", wire.HasNodes, wire.HasNodes6},
		{"4:wantle", wire.HasNodes, wire.HasNodes6},
		{"4:wantl2:n5e", wire.HasNodes, wire.HasNodes6},
		{"4:wantl2:n4e", wire.HasNodes, wire.HasNodes},
		{"4:wantl2:n6e", wire.HasNodes6, wire.HasNodes6},
		{"4:wantl2:n42:n5e", wire.HasNodes, wire.HasNodes},
		{"4:wantl2:n62:n4e", wire.HasNodes | wire.HasNodes6, wire.HasNodes | wire.HasNodes6},
	} {
		for from, want := range map[netip.AddrPort]wire.Keys{client: v.v4, addr("[2a00:ffff::1]:6881"): v.v6} {
			for _, q := range []string{
				"d1:ad2:id20:<22>6:target20:<80>WANTe1:q9:find_node1:t2:aa1:y1:qe",
				"d1:ad2:id20:<22>9:info_hash20:<80>WANTe1:q9:get_peers1:t2:aa1:y1:qe",
				"d1:ad2:id20:<22>6:target20:<80>WANTe1:q3:get1:t2:aa1:y1:qe",
				"d1:ad2:id20:<22>6:target20:<80>WANTe1:q17:sample_infohashes1:t2:aa1:y1:qe",
			} {
				s.send(from, strings.Replace(q, "WANT", v.want, 1))
				m := s.wantReply(from)
				require.Equal(t, want, has(m), "%q from %v", v.want, from)
				require.Equal(t, s.n.ID(familyOf(from.Addr())), m.ID)
				if want&wire.HasNodes != 0 {
					require.Equal(t, 1, m.Nodes.Len())
				}
				if want&wire.HasNodes6 != 0 {
					require.Equal(t, 1, m.Nodes6.Len())
				}
			}
		}
	}
}

// A node of one family says that it knows nobody of the other.
func TestWantOfAFamilyThatIsNotServed(t *testing.T) {
	s := begin(t, 0x00)
	m := s.find(0x80, "4:wantl2:n6e")
	require.Equal(t, wire.HasNodes6, m.Has&(wire.HasNodes|wire.HasNodes6))
	require.Empty(t, m.Nodes6)
}

// tokenFor returns a token that the node gives to a.
func (s *script) tokenFor(a netip.AddrPort) string {
	s.Helper()
	s.send(a, "d1:ad2:id20:<22>9:info_hash20:<77>e1:q9:get_peers1:t2:aa1:y1:qe")
	m := s.wantReply(a)
	require.Len(s, m.Token, 8)
	return string(m.Token)
}

// peersOf asks for the peers of id(b).
func (s *script) peersOf(from netip.AddrPort, b byte) (peers []netip.AddrPort) {
	s.Helper()
	s.send(from, fmt.Sprintf("d1:ad2:id20:<22>9:info_hash20:<%02x>e1:q9:get_peers1:t2:aa1:y1:qe", b))
	m := s.wantReply(from)
	require.LessOrEqual(s, len(s.last.raw), 1024)
	require.NotZero(s, m.Has&wire.HasToken)
	require.NotZero(s, m.Has&(wire.HasNodes|wire.HasNodes6))
	return slices.Collect(m.Values.All())
}

// announce announces a peer of id(b) with these arguments.
func (s *script) announce(from netip.AddrPort, b byte, implied, port, token string) {
	s.Helper()
	s.send(from, fmt.Sprintf("d1:ad2:id20:<22>%s9:info_hash20:<%02x>%s5:token%d:%se1:q13:announce_peer1:t2:aa1:y1:qe", implied, b, port, len(token), token))
}

func TestAnnounce(t *testing.T) {
	s := begin(t, 0x11)
	token := s.tokenFor(client)
	for _, v := range []struct {
		implied, port string
		stored        uint16 // 0: refused
	}{
		{"", "4:porti1e", 1},
		{"", "4:porti65535e", 65535},
		{"12:implied_porti0e", "4:porti7e", 7},
		{"12:implied_porti1e", "4:porti7e", 6881},
		{"12:implied_porti1e", "", 6881},
		{"12:implied_porti2e", "4:porti0e", 6881},
		{"", "4:porti0e", 0},
		{"", "4:porti-1e", 0},
		{"", "4:porti65536e", 0},
		{"", "4:porti65537e", 0},
		{"", "", 0},
		{"12:implied_porti0e", "", 0},
	} {
		s := begin(t, 0x11)
		token := s.tokenFor(client)
		s.announce(client, 0x77, v.implied, v.port, token)
		if v.stored == 0 {
			s.wantError(client, 203)
			require.Empty(t, s.peersOf(elsewhere, 0x77), "%+v", v)
			continue
		}
		s.wantReply(client)
		require.Equal(t, []netip.AddrPort{netip.AddrPortFrom(client.Addr(), v.stored)}, s.peersOf(elsewhere, 0x77), "%+v", v)
		require.Empty(t, s.peersOf(elsewhere, 0x78), "another info-hash")
	}
	s.announce(client, 0x77, "", "4:porti1e", token)
	s.wantReply(client)
	s.announce(client, 0x77, "", "4:porti1e", token)
	s.wantReply(client)
	s.announce(client, 0x77, "", "4:porti2e", token)
	s.wantReply(client)
	require.Len(t, s.peersOf(elsewhere, 0x77), 2, "one peer once")
}

func TestAnnounceNeedsItsToken(t *testing.T) {
	s := begin(t, 0x11)
	token := s.tokenFor(client)
	s.send(client, "d1:ad2:id20:<22>9:info_hash20:<77>4:porti1ee1:q13:announce_peer1:t2:aa1:y1:qe")
	s.wantError(client, 203)
	for _, bad := range []string{"", "x", token[:7], token + "x", "01234567", strings.Repeat("x", 500)} {
		s.announce(client, 0x77, "", "4:porti1e", bad)
		s.wantError(client, 203)
	}
	s.announce(elsewhere, 0x77, "", "4:porti1e", token)
	s.wantError(elsewhere, 203)
	other := netip.AddrPortFrom(client.Addr(), 1)
	s.announce(other, 0x77, "", "4:porti1e", token) // the port does not matter
	s.wantReply(other)
}

func TestPeersAreForgotten(t *testing.T) {
	s := begin(t, 0x11)
	s.announce(client, 0x77, "", "4:porti1e", s.tokenFor(client))
	s.wantReply(client)
	s.advance(45*time.Minute - time.Second)
	s.announce(client, 0x77, "", "4:porti2e", s.tokenFor(client))
	s.wantReply(client)
	require.Len(t, s.peersOf(client, 0x77), 2)
	s.advance(time.Second)
	require.Equal(t, []netip.AddrPort{netip.AddrPortFrom(client.Addr(), 2)}, s.peersOf(client, 0x77))
	s.advance(45 * time.Minute)
	require.Empty(t, s.peersOf(client, 0x77))
	require.Zero(t, s.n.Stats().Hashes)
}

func TestManyPeersAreDrawnAtRandom(t *testing.T) {
	for _, six := range []bool{false, true} {
		s := begin(t, 0x11, func(c *Config) { c.IPv6 = true })
		from := func(i int) netip.AddrPort {
			if six {
				return netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x2a, 0, 0, byte(i >> 8), byte(i), 15: 1}), 6881)
			}
			return stranger(i << 8)
		}
		for i := range 256 {
			s.announce(from(i), 0x77, "", "4:porti1e", s.tokenFor(from(i)))
			s.wantReply(from(i))
		}
		seen := map[netip.AddrPort]bool{}
		for range 40 {
			peers := s.peersOf(from(300), 0x77)
			require.LessOrEqual(t, len(peers), 50)
			require.GreaterOrEqual(t, len(peers), 25)
			once := map[netip.AddrPort]bool{}
			for _, p := range peers {
				require.False(t, once[p], "one peer twice in an answer")
				once[p], seen[p] = true, true
				require.Equal(t, six, p.Addr().Is6())
			}
		}
		require.Greater(t, len(seen), 240)
	}
}

func TestSamples(t *testing.T) {
	s := begin(t, 0x11)
	sample := func() wire.Message {
		s.send(client, "d1:ad2:id20:<22>6:target20:<77>e1:q17:sample_infohashes1:t2:aa1:y1:qe")
		m := s.wantReply(client)
		require.LessOrEqual(t, len(s.last.raw), 1024)
		require.NotZero(t, m.Has&wire.HasSamples)
		require.NotZero(t, m.Has&wire.HasNodes)
		require.GreaterOrEqual(t, m.Num, int64(m.Samples.Len()))
		require.GreaterOrEqual(t, m.Interval, int64(0))
		require.LessOrEqual(t, m.Interval, int64(60))
		return m
	}
	m := sample()
	require.Zero(t, m.Num)
	require.Empty(t, m.Samples)

	s.putValue(client, "5:hello")
	require.Zero(t, sample().Num, "items are not sampled")

	token := s.tokenFor(client)
	for i := range 100 {
		s.announce(client, byte(i), "", "4:porti1e", token)
		s.wantReply(client)
		if i < 20 {
			require.Equal(t, i+1, sample().Samples.Len(), "all, as long as they fit")
		}
	}
	m = sample()
	require.Equal(t, int64(100), m.Num)
	require.Equal(t, 20, m.Samples.Len())
	first := slices.Collect(m.Samples.All())
	s.advance(30 * time.Second)
	m = sample()
	require.Equal(t, first, slices.Collect(m.Samples.All()), "one draw for the interval")
	require.LessOrEqual(t, m.Interval, int64(30))
	s.advance(31 * time.Second)
	m = sample()
	require.NotEqual(t, first, slices.Collect(m.Samples.All()))
	once := map[wire.ID]bool{}
	for h := range m.Samples.All() {
		require.False(t, once[h])
		once[h] = true
		require.Less(t, h[0], byte(100))
	}
}

func TestReadOnlyNodeIsSilent(t *testing.T) {
	s := begin(t, 0x11, func(c *Config) { c.ReadOnly = true })
	s.send(client, "d1:ad2:id20:<22>e1:q4:ping1:t2:aa1:y1:qe")
	s.send(client, "d1:ad2:id19:aaaaaaaaaaaaaaaaaaae1:q4:ping1:t2:aa1:y1:qe")
	s.wantNothing()
}

func TestReadOnlyAskerIsServedAndNotEntered(t *testing.T) {
	s := begin(t, 0x11)
	s.send(client, "d1:ad2:id20:<22>e1:q4:ping2:roi1e1:t2:aa1:y1:qe")
	s.wantReply(client)
	s.wantNothing() // not pinged, so never entered
}

func TestStrangersArePinged(t *testing.T) {
	s := begin(t, 0x00)
	ping := func(b byte) {
		s.send(at(b), fmt.Sprintf("d1:ad2:id20:<%02x>e1:q4:ping1:t2:aa1:y1:qe", b))
		s.wantReply(at(b))
	}
	ping(0x80)
	require.Empty(t, nodesOf(s.find(0x80, "")), "it has not answered")
	s.asked = slices.DeleteFunc(s.asked, func(q *question) bool { return q.to == client })
	s.replies(0x80)
	require.Equal(t, []byte{0x80}, nodesOf(s.find(0x80, "")))
	s.asked = nil

	ping(0x90)
	s.forget(0x90)
	s.advanceSilently(5*time.Minute - time.Second)
	ping(0x90)
	s.wantNothing() // once in 5 minutes
	s.advanceSilently(time.Second)
	ping(0x90)
	s.replies(0x90)

	for _, b := range []byte{0xa0, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0} {
		s.knows(node(b))
	}
	s.knows(node(0x40)) // splits the bucket: 8 of them begin with a 1
	require.Equal(t, [2]int{9, 0}, s.n.Stats().Nodes)
	require.Equal(t, [2]int{2, 0}, s.n.Stats().Buckets)
	ping(0x88)
	s.wantNothing() // no room
	require.Equal(t, [2]int{9, 0}, s.n.Stats().Nodes)
}

// A stranger's address says who may be pinged, and forged ones may be many.
func TestPingsOfStrangersAreBounded(t *testing.T) {
	s := begin(t, 0x00)
	for i := range 1000 {
		s.message(stranger(i<<8), wire.Message{Kind: wire.KindQuery, T: []byte("aa"), Method: []byte("ping"), Body: wire.Body{Has: wire.HasID, ID: id(0x80)}})
	}
	require.Len(t, s.asked, strangersAtOnce)
	require.Equal(t, strangersAtOnce, s.n.Stats().Waiting)
	s.asked = nil
	s.advance(2 * time.Second)
	require.Zero(t, s.n.Stats().Waiting)
}

func TestLimitedSourceIsNotAnswered(t *testing.T) {
	s := begin(t, 0x11)
	answers := func(from netip.AddrPort, n int) (got int) {
		for range n {
			s.send(from, "d1:ad2:id20:<22>e1:q4:ping2:roi1e1:t2:aa1:y1:qe")
			got += len(s.others)
			s.others = nil
		}
		return got
	}
	require.Equal(t, 500, answers(client, 2000))
	require.Equal(t, 100, answers(elsewhere, 100))
	s.advance(time.Second)
	require.Equal(t, 250, answers(client, 2000))
	require.Equal(t, uint64(3250), s.n.Stats().Limited)
}
