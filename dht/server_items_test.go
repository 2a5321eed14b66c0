package dht

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/wire"
)

var owner = ed25519.NewKeyFromSeed(make([]byte, 32))

// signed returns the item of owner.
func signed(salt string, seq int64, value string) Item {
	i := Item{Value: []byte(value), Mutable: true, Salt: []byte(salt), Seq: seq}
	copy(i.Key[:], owner[32:])
	copy(i.Sig[:], ed25519.Sign(owner, wire.AppendSigned(nil, i.Salt, seq, i.Value)))
	return i
}

// putQuery returns a put of the item without a token.
func putQuery(i Item) wire.Message {
	m := wire.Message{Kind: wire.KindQuery, T: []byte("aa"), Method: []byte("put")}
	m.Has = wire.HasID | wire.HasValue
	m.ID, m.Value = id(0x22), i.Value
	if i.Mutable {
		m.Has |= wire.HasKey | wire.HasSig | wire.HasSeq
		m.Key, m.Sig, m.Seq = bytes.Clone(i.Key[:]), bytes.Clone(i.Sig[:]), i.Seq
		if len(i.Salt) > 0 {
			m.Has |= wire.HasSalt
			m.Salt = i.Salt
		}
	}
	return m
}

// put puts an item, with changes to the query.
func (s *script) put(i Item, change ...func(*wire.Message)) {
	s.Helper()
	m := putQuery(i)
	m.Has |= wire.HasToken
	m.Token = []byte(s.tokenFor(client))
	for _, c := range change {
		c(&m)
	}
	s.message(client, m)
}

func cas(seq int64) func(*wire.Message) {
	return func(m *wire.Message) { m.Has |= wire.HasCAS; m.CAS = seq }
}

// putValue puts an immutable item, which must be taken.
func (s *script) putValue(from netip.AddrPort, value string) {
	s.Helper()
	s.put(Item{Value: []byte(value)})
	s.wantReply(from)
}

// get gets what is under a target.
func (s *script) get(target wire.ID, change ...func(*wire.Message)) wire.Message {
	s.Helper()
	m := wire.Message{Kind: wire.KindQuery, T: []byte("aa"), Method: []byte("get")}
	m.Has = wire.HasID | wire.HasTarget
	m.ID, m.Target = id(0x22), target
	for _, c := range change {
		c(&m)
	}
	s.message(client, m)
	return s.wantReply(client)
}

func newer(seq int64) func(*wire.Message) {
	return func(m *wire.Message) { m.Has |= wire.HasSeq; m.Seq = seq }
}

const itemKeys = wire.HasKey | wire.HasSeq | wire.HasSig | wire.HasValue

// wantItem wants get to give the item.
func (s *script) wantItem(i Item) {
	s.Helper()
	m := s.get(i.Target())
	require.Equal(s, string(i.Value), string(m.Value))
	require.NotZero(s, m.Has&wire.HasToken)
	require.NotZero(s, m.Has&wire.HasNodes)
	if i.Mutable {
		require.True(s, m.Has.All(itemKeys))
		require.Equal(s, i.Key[:], m.Key)
		require.Equal(s, i.Sig[:], m.Sig)
		require.Equal(s, i.Seq, m.Seq)
	} else {
		require.Equal(s, wire.HasValue, m.Has&itemKeys)
	}
}

// wantNoItem wants get to give nothing.
func (s *script) wantNoItem(target wire.ID) {
	s.Helper()
	m := s.get(target)
	require.Zero(s, m.Has&itemKeys)
	require.NotZero(s, m.Has&wire.HasToken)
	require.NotZero(s, m.Has&wire.HasNodes)
}

func TestImmutableItems(t *testing.T) {
	s := begin(t, 0x11)
	for _, v := range []string{"5:hello", "0:", "i0e", "i-5e", "le", "de", "l5:helloi1eld1:ai1eeee", "d1:a1:b1:cle1:di7ee", fmt.Sprintf("996:%0996d", 0)} {
		i := Item{Value: []byte(v)}
		s.wantNoItem(i.Target())
		s.putValue(client, v)
		s.wantItem(i)
		s.putValue(client, v) // again
	}
	require.Equal(t, 9, s.n.Stats().Items)
	require.Equal(t, uint64(9), s.n.Stats().Refreshed)
}

// Deployed clients add target, and seq 0, to puts of immutable items; others do not.
func TestPutAsOthersDo(t *testing.T) {
	s := begin(t, 0x11)
	i := Item{Value: []byte("5:hello")}
	s.put(i, func(m *wire.Message) {
		m.Has |= wire.HasTarget | wire.HasSeq
		m.Target, m.Seq = i.Target(), 0
	})
	s.wantReply(client)
	s.wantItem(i)
	m := s.get(i.Target(), newer(5))
	require.Equal(t, "5:hello", string(m.Value), "seq is nothing to an immutable item")
}

func TestMutableItems(t *testing.T) {
	s := begin(t, 0x11)
	for _, i := range []Item{signed("", 1, "12:Hello World!"), signed("foobar", 0, "12:Hello World!"), signed(strings.Repeat("s", 64), math.MaxInt64, "le")} {
		s.wantNoItem(i.Target())
		s.put(i)
		s.wantReply(client)
		s.wantItem(i)
	}
	s.put(signed("", 2, "i2e"), func(m *wire.Message) { m.Has |= wire.HasSalt }) // an empty salt is none
	s.wantReply(client)
	s.wantItem(signed("", 2, "i2e"))
	s.wantItem(signed("foobar", 0, "12:Hello World!"))
}

func TestGetOnlyNewer(t *testing.T) {
	s := begin(t, 0x11)
	i := signed("", 5, "5:hello")
	s.put(i)
	s.wantReply(client)
	for _, seq := range []int64{5, 6, math.MaxInt64} {
		m := s.get(i.Target(), newer(seq))
		require.Equal(t, wire.HasSeq, m.Has&itemKeys)
		require.Equal(t, int64(5), m.Seq)
		require.NotZero(t, m.Has&wire.HasToken)
	}
	for _, seq := range []int64{0, 4} {
		require.True(t, s.get(i.Target(), newer(seq)).Has.All(itemKeys))
	}
}

// Each fault has its error, and changes nothing.
func TestPutRefused(t *testing.T) {
	without := func(keys wire.Keys) func(*wire.Message) { return func(m *wire.Message) { m.Has &^= keys } }
	token := func(token string) func(*wire.Message) {
		return func(m *wire.Message) { m.Token = []byte(token) }
	}
	flip := func(bit int) func(*wire.Message) {
		return func(m *wire.Message) { m.Sig[bit/8] ^= 1 << (bit % 8) }
	}
	value := func(v string) func(*wire.Message) { return func(m *wire.Message) { m.Value = []byte(v) } }
	salt := func(n int) func(*wire.Message) {
		return func(m *wire.Message) { m.Has |= wire.HasSalt; m.Salt = bytes.Repeat([]byte{'s'}, n) }
	}
	var none []func(*wire.Message)
	change := func(c ...func(*wire.Message)) []func(*wire.Message) { return append(none, c...) }
	mutable, immutable := signed("", 5, "5:hello"), Item{Value: []byte("5:hello")}
	big := fmt.Sprintf("997:%0997d", 0)
	for _, v := range []struct {
		item   Item
		change []func(*wire.Message)
		code   int64
	}{
		{immutable, change(without(wire.HasValue)), 203},
		{mutable, change(without(wire.HasValue)), 203},
		{mutable, change(without(wire.HasKey)), 203},
		{mutable, change(without(wire.HasSig)), 203},
		{mutable, change(without(wire.HasSeq)), 203},
		{mutable, change(without(wire.HasSeq | wire.HasSig)), 203},
		{immutable, change(value("d1:bi1e1:ai1ee")), 203}, // keys not in order
		{immutable, change(value("i03e")), 203},
		{immutable, change(value(big)), 205},
		{mutable, change(value(big)), 205},
		{mutable, change(salt(65)), 207},
		{immutable, change(without(wire.HasToken)), 203},
		{immutable, change(token("01234567")), 203},
		{mutable, change(token("")), 203},
		{mutable, change(flip(0)), 206},
		{mutable, change(flip(255)), 206},
		{mutable, change(flip(256)), 206},
		{mutable, change(flip(511)), 206},
		{mutable, change(value("5:hellp")), 206},
		{mutable, change(salt(3)), 206},
		{mutable, change(func(m *wire.Message) { m.Seq++ }), 206},
		{mutable, change(func(m *wire.Message) { m.Key[3]++ }), 206},
		// the order
		{mutable, change(without(wire.HasSeq), value(big)), 203},
		{mutable, change(value(big), salt(65)), 205},
		{mutable, change(salt(65), token("x")), 207},
		{mutable, change(token("x"), flip(3)), 203},
		{mutable, change(flip(3), cas(9)), 206},
	} {
		s := begin(t, 0x11)
		s.put(v.item, v.change...)
		s.wantError(client, v.code)
		s.wantNoItem(v.item.Target())
		require.Zero(t, s.n.Stats().Items)
	}
}

func TestSeqAndCAS(t *testing.T) {
	s := begin(t, 0x11)
	try := func(seq int64, v string, code int64, change ...func(*wire.Message)) {
		t.Helper()
		s.put(signed("", seq, v), change...)
		if code == 0 {
			s.wantReply(client)
			s.wantItem(signed("", seq, v))
		} else {
			s.wantError(client, code)
		}
	}
	try(5, "1:a", 0, cas(77)) // nothing there: cas is ignored
	try(5, "1:a", 0)          // the same again
	try(5, "1:b", 302)
	try(4, "1:b", 302)
	s.wantItem(signed("", 5, "1:a"))
	try(6, "1:b", 301, cas(4))
	try(4, "1:b", 301, cas(4)) // 301 before 302
	try(4, "1:b", 302, cas(5))
	try(5, "1:a", 301, cas(6)) // also for the same again
	s.wantItem(signed("", 5, "1:a"))
	try(6, "1:b", 0, cas(5))
	try(8, "1:c", 0)
	try(0, "1:c", 302)
	s.put(signed("", 9, "1:d"), cas(1), func(m *wire.Message) { m.Sig[0] ^= 1 })
	s.wantError(client, 206) // 206 before 301
	require.Equal(t, 1, s.n.Stats().Items)
}

// The same item again costs no verification.
func TestTheSameAgainIsNotVerified(t *testing.T) {
	s := begin(t, 0x11)
	i := signed("salt", 5, "5:hello")
	for range 10 {
		s.put(i)
		s.wantReply(client)
	}
	require.Equal(t, uint64(1), s.n.Stats().Verified)
	require.Equal(t, uint64(9), s.n.Stats().Refreshed)
	s.put(i, func(m *wire.Message) { m.Sig[5] ^= 1 })
	s.wantError(client, 206)
}

func TestItemsAreForgotten(t *testing.T) {
	s := begin(t, 0x11)
	i, j := signed("", 5, "5:hello"), Item{Value: []byte("5:hello")}
	s.put(i)
	s.wantReply(client)
	s.put(j)
	s.wantReply(client)
	s.advance(time.Hour)
	s.put(i) // lives on
	s.wantReply(client)
	s.advance(time.Hour - time.Second)
	s.wantItem(j)
	s.advance(time.Second)
	s.wantNoItem(j.Target())
	s.wantItem(i)
	s.advance(time.Hour)
	s.wantNoItem(i.Target())
	require.Zero(t, s.n.Stats().Items)
	s.put(signed("", 1, "1:x")) // forgotten is forgotten
	s.wantReply(client)
}

// What a network has beyond its share pushes out its own, whichever of its addresses it comes from. At home every address and port is
// somebody of his own.
func TestNetworksDoNotPushEachOtherOut(t *testing.T) {
	for _, v := range []struct {
		first, second, elsewhere string
		one                      bool // the first two are of one network
	}{
		{"81.2.69.142:6881", "81.2.69.143:1", "81.2.70.142:6881", true},
		{"[2a00:0:1:2::3]:6881", "[2a00:0:1:3::4]:1", "[2a00:0:2:2::3]:6881", true},
		{"127.0.0.1:6881", "127.0.0.1:6882", "127.0.0.2:6881", false},
		{"[fd00::1]:6881", "[fd00::1]:6882", "[fd00::2]:6881", false},
	} {
		s := begin(t, 0x11, func(c *Config) { c.IPv6, c.Rate, c.Burst = true, 1e6, 1e6 })
		tokens := map[netip.AddrPort]string{}
		put := func(from string, value string) wire.ID {
			a := addr(from)
			if tokens[a] == "" {
				tokens[a] = s.tokenFor(a)
			}
			m := putQuery(Item{Value: []byte(value)})
			m.Has |= wire.HasToken
			m.Token = []byte(tokens[a])
			s.message(a, m)
			s.wantReply(a)
			return wire.ImmutableTarget(m.Value)
		}
		announce := func(from string, hash, port int) {
			a := addr(from)
			s.announce(a, byte(hash), "", fmt.Sprintf("4:porti%de", port), tokens[a])
			s.wantReply(a)
		}
		theirs := put(v.elsewhere, "5:hello")
		announce(v.elsewhere, 0xff, 7)
		first := put(v.first, "i0e")
		announce(v.first, 0, 7)
		for i := range 256 {
			put(v.second, fmt.Sprintf("i%de", i+1))
			announce(v.second, (i+1)%128, i+1)
		}
		require.NotNil(t, s.n.items.get(&theirs, s.n.now))
		require.Equal(t, v.one, s.n.items.get(&first, s.n.now) == nil, v)
		peers := s.n.overlays[familyOf(addr(v.first).Addr())].peers
		_, ok := peers.find(id(0xff), netip.AddrPortFrom(addr(v.elsewhere).Addr(), 7))
		require.True(t, ok)
		_, ok = peers.find(id(0), netip.AddrPortFrom(addr(v.first).Addr(), 7))
		require.Equal(t, v.one, !ok, v)
	}
}

// An answer with a value loses nodes6 and then nodes, from the far end, until it fits.
func TestAnswerWithAValueFits(t *testing.T) {
	s := begin(t, 0x00, func(c *Config) { c.IPv6, c.ID6 = true, id(0) })
	for _, b := range []byte{0x80, 0x90, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0} {
		six := netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x2a, 0, b, 1, 15: 1}), 6881)
		s.knows(node(b), wire.Node{ID: id(b), Addr: six})
	}
	both := func(m *wire.Message) { m.Has |= wire.HasWant; m.Want = wire.Want4 | wire.Want6 }
	last4, last6 := 8, 8
	for size := 1; size <= 996; size++ {
		v := fmt.Sprintf("%d:%0*d", size, size, 0)
		i := signed("", int64(size), v[:])
		if len(v) > MaxValue {
			break
		}
		s.now = s.now.Add(20 * time.Millisecond)
		s.put(i)
		s.wantReply(client)
		m := s.get(i.Target(), both)
		require.Equal(t, v, string(m.Value))
		all, used := len(s.last.raw), m.Nodes.Len()
		require.LessOrEqual(t, all, 1232, "value of %d", size)
		require.LessOrEqual(t, used, last4)
		require.LessOrEqual(t, m.Nodes6.Len(), last6)
		if m.Nodes.Len() < 8 {
			require.Empty(t, m.Nodes6, "nodes6 goes first")
			require.Greater(t, all+longer(len(m.Nodes), 26), 1232, "another node would have fitted")
		} else if m.Nodes6.Len() < 8 {
			require.Greater(t, all+longer(len(m.Nodes6), 38), 1232, "another node would have fitted")
		}
		want := s.find(i.Target()[0], "4:wantl2:n42:n6e")
		require.Equal(t, string(want.Nodes[:len(m.Nodes)]), string(m.Nodes), "the nearest stay")
		last4, last6 = m.Nodes.Len(), m.Nodes6.Len()
	}
	require.Less(t, last4, 8)
	require.Zero(t, last6)
}

// longer returns by how much a string of n bytes grows on the wire when it gets more.
func longer(n, more int) int {
	return len(wire.AppendString(nil, make([]byte, n+more))) - len(wire.AppendString(nil, make([]byte, n)))
}
