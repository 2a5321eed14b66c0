package wire

import (
	"math/big"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// drawMessage draws any message that AppendMessage may be given.
func drawMessage(t *rapid.T) Message {
	m := Message{
		Kind:    rapid.SampledFrom([]Kind{KindQuery, KindReply, KindError}).Draw(t, "y"),
		T:       drawBytes(t, "t", 0, 20),
		Version: rapid.SampledFrom([][]byte{nil, []byte(KithVersion)}).Draw(t, "v"),
	}
	if m.Kind == KindQuery {
		m.Method = drawBytes(t, "q", 0, 20)
		m.ReadOnly = rapid.Bool().Draw(t, "ro")
	} else if rapid.Bool().Draw(t, "ip?") {
		m.IP = drawAddr(t, rapid.Bool().Draw(t, "ip4"))
	}
	if m.Kind == KindError {
		m.Code = rapid.Int64().Draw(t, "code")
		m.Text = drawBytes(t, "text", 0, 20)
		return m
	}
	m.Has = Keys(rapid.Uint32Range(0, uint32(HasWant<<1-1)).Draw(t, "has"))
	has := func(k Keys, draw func()) {
		if m.Has&k != 0 {
			draw()
		}
	}
	has(HasCAS, func() { m.CAS = rapid.Int64Min(0).Draw(t, "cas") })
	has(HasID, func() { m.ID = drawID(t) })
	has(HasImpliedPort, func() { m.ImpliedPort = rapid.Bool().Draw(t, "implied_port") })
	has(HasInfoHash, func() { m.InfoHash = drawID(t) })
	has(HasInterval, func() { m.Interval = rapid.Int64().Draw(t, "interval") })
	has(HasKey, func() { m.Key = drawBytes(t, "k", 32, 32) })
	has(HasNodes, func() {
		for range rapid.IntRange(0, 9).Draw(t, "nodes") {
			m.Nodes = AppendNode(m.Nodes, Node{drawID(t), drawAddr(t, true)})
		}
	})
	has(HasNodes6, func() {
		for range rapid.IntRange(0, 9).Draw(t, "nodes6") {
			m.Nodes6 = AppendNode(m.Nodes6, Node{drawID(t), drawAddr(t, false)})
		}
	})
	has(HasNum, func() { m.Num = rapid.Int64().Draw(t, "num") })
	has(HasPort, func() { m.Port = rapid.Int64().Draw(t, "port") })
	has(HasSalt, func() { m.Salt = drawBytes(t, "salt", 0, 70) })
	has(HasSamples, func() {
		for range rapid.IntRange(0, 9).Draw(t, "samples") {
			m.Samples = AppendSample(m.Samples, drawID(t))
		}
	})
	has(HasSeq, func() { m.Seq = rapid.Int64Min(0).Draw(t, "seq") })
	has(HasSig, func() { m.Sig = drawBytes(t, "sig", 64, 64) })
	has(HasTarget, func() { m.Target = drawID(t) })
	has(HasToken, func() { m.Token = drawBytes(t, "token", 0, 20) })
	has(HasValue, func() { m.Value = refEncode(nil, drawValue(t, 3)) })
	has(HasValues, func() {
		for range rapid.IntRange(0, 9).Draw(t, "values") {
			m.Values = AppendValue(m.Values, drawAddr(t, rapid.Bool().Draw(t, "v4")))
		}
	})
	has(HasWant, func() { m.Want = Want(rapid.Uint8Range(0, 3).Draw(t, "want")) })
	return m
}

func drawBytes(t *rapid.T, name string, least, most int) []byte {
	return rapid.SliceOfN(rapid.Byte(), least, most).Draw(t, name)
}

func drawID(t *rapid.T) ID { return ID(drawBytes(t, "id", 20, 20)) }

func drawAddr(t *rapid.T, v4 bool) netip.AddrPort {
	port := rapid.Uint16().Draw(t, "port")
	if v4 {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(drawBytes(t, "ip", 4, 4))), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(drawBytes(t, "ip", 16, 16))), port)
}

// FuzzParseMessage compares the parser with what the reference decoder says of the same bytes.
func FuzzParseMessage(f *testing.F) {
	for b := range examples() {
		f.Add([]byte(b))
	}
	for _, b := range []string{
		"d1:y1:q1:t2:aa1:q4:ping1:ad2:id20:abcdefghij0123456789ee",
		"d1:ad4:wantl0:2:n42:n5ee1:q4:ping2:roi2e1:t2:aa1:y1:qe",
		"d2:ip4:abcd1:rd6:valuesl0:6:abcdefee1:t0:1:y1:re",
	} {
		f.Add([]byte(b))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Message
		err := ParseMessage(b, &m)
		if len(b) > MaxDatagram {
			require.ErrorIs(t, err, ErrLimit)
			return
		}
		v, _, ok := refDecode(string(b))
		top, isDict := v.(map[string]any)
		if ok && isDict { // well formed if not canonical: t, y and q are read all the same
			wantTop(t, top, &m)
		}
		if err != nil {
			wantProper(t, err)
			return
		}
		require.NoError(t, CheckBencode(b))
		again := AppendMessage(nil, &m)
		if isPlain(top, m.Kind) {
			require.Equal(t, string(b), string(again))
		}
		var m2 Message
		require.NoError(t, ParseMessage(again, &m2))
		require.Equal(t, m, m2)
		for range m.Nodes.All() {
		}
		for range m.Nodes6.All() {
		}
		for a := range m.Values.All() {
			require.True(t, a.IsValid())
		}
	})
}

// wantTop checks the keys that an error answer is made of.
func wantTop(t *testing.T, top map[string]any, m *Message) {
	tid, _ := top["t"].(string)
	require.Equal(t, tid, string(m.T))
	y, _ := top["y"].(string)
	if y != "q" && y != "r" && y != "e" {
		require.Zero(t, m.Kind)
		return
	}
	require.Equal(t, y, string(rune(m.Kind)))
	if y == "q" {
		q, _ := top["q"].(string)
		require.Equal(t, q, string(m.Method))
	}
}

// isPlain reports whether top has no key and no value that a parser passes over.
func isPlain(top map[string]any, kind Kind) bool {
	keys := map[Kind][]string{
		KindQuery: {"a", "q", "ro", "t", "v", "y"}, KindReply: {"ip", "r", "t", "v", "y"}, KindError: {"e", "ip", "t", "v", "y"},
	}[kind]
	for k := range top {
		if !slices.Contains(keys, k) {
			return false
		}
	}
	if ip, ok := top["ip"].(string); ok && len(ip) != 6 && len(ip) != 18 {
		return false
	}
	if ro, ok := top["ro"].(*big.Int); ok && ro.Cmp(big.NewInt(1)) != 0 {
		return false
	}
	body, _ := top[map[Kind]string{KindQuery: "a", KindReply: "r"}[kind]].(map[string]any)
	for k, v := range body {
		switch {
		case !slices.Contains(keyNames[:], k):
			return false
		case k == "implied_port" && (v.(*big.Int).Sign() < 0 || v.(*big.Int).Cmp(big.NewInt(1)) > 0):
			return false
		case k == "want" && !slices.Contains([]string{"le", "l2:n4e", "l2:n6e", "l2:n42:n6e"}, string(refEncode(nil, v))):
			return false
		}
	}
	return true
}
