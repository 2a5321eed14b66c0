package bench

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"testing"

	anacrolix "github.com/anacrolix/torrent/bencode"
	"github.com/stretchr/testify/require"
	zeebo "github.com/zeebo/bencode"

	"kith/wire"
)

// A krpc is a find_node answer for the libraries that decode by reflection. It names only the keys that the answer has and
// leaves addresses and nodes in their compact form, so that it asks less of them than wire.Message does of ours.
type krpc struct {
	IP []byte `bencode:"ip"`
	R  struct {
		ID    []byte `bencode:"id"`
		Nodes []byte `bencode:"nodes"`
	} `bencode:"r"`
	T []byte `bencode:"t"`
	V []byte `bencode:"v"`
	Y string `bencode:"y"`
}

// answer returns a find_node answer of 287 bytes: 8 nodes, ip, t of 2 bytes and v of 4.
func answer() *wire.Message {
	m := &wire.Message{
		Kind:    wire.KindReply,
		T:       []byte("aa"),
		Version: []byte(wire.KithVersion),
		IP:      netip.MustParseAddrPort("192.0.2.1:6881"),
	}
	m.Has = wire.HasID | wire.HasNodes
	m.ID = wire.ID([]byte("mnopqrstuvwxyz123456"))
	for i := range byte(8) {
		n := wire.Node{ID: m.ID, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, i}), 6881)}
		n.ID[0] ^= 1 << i
		m.Nodes = wire.AppendNode(m.Nodes, n)
	}
	return m
}

// The libraries are compared on the same work only if they read the same from the same bytes and write the same bytes.
func TestAllDecodeTheSame(t *testing.T) {
	m := answer()
	b := wire.AppendMessage(nil, m)
	require.Len(t, b, 287)
	t.Log(hex.EncodeToString(b))

	var ours wire.Message
	require.NoError(t, wire.ParseMessage(b, &ours))
	require.Equal(t, *m, ours)

	want := krpc{IP: wire.AppendAddrPort(nil, ours.IP), T: ours.T, V: ours.Version, Y: string(rune(ours.Kind))}
	want.R.ID = ours.ID[:]
	want.R.Nodes = ours.Nodes

	var a, z krpc
	require.NoError(t, anacrolix.Unmarshal(b, &a))
	require.Equal(t, want, a)
	require.NoError(t, zeebo.DecodeBytes(b, &z))
	require.Equal(t, want, z)

	ab, err := anacrolix.Marshal(want)
	require.NoError(t, err)
	require.Equal(t, b, ab)
	zb, err := zeebo.EncodeBytes(want)
	require.NoError(t, err)
	require.Equal(t, b, zb)
}

func BenchmarkDecode(b *testing.B) {
	data := wire.AppendMessage(nil, answer())
	b.Run("kith", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(data)))
		var m wire.Message
		for b.Loop() {
			if err := wire.ParseMessage(data, &m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("anacrolix", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			var m krpc
			if err := anacrolix.Unmarshal(data, &m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("zeebo", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			var m krpc
			if err := zeebo.DecodeBytes(data, &m); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	m := answer()
	data := wire.AppendMessage(nil, m)
	b.Run("kith", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(data)))
		var buf []byte
		for b.Loop() {
			buf = wire.AppendMessage(buf[:0], m)
		}
	})
	var k krpc
	require.NoError(b, zeebo.DecodeBytes(data, &k))
	b.Run("anacrolix", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(data)))
		var buf bytes.Buffer
		for b.Loop() {
			buf.Reset()
			if err := anacrolix.NewEncoder(&buf).Encode(k); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("zeebo", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(data)))
		var buf bytes.Buffer
		for b.Loop() {
			buf.Reset()
			if err := zeebo.NewEncoder(&buf).Encode(k); err != nil {
				b.Fatal(err)
			}
		}
	})
}
