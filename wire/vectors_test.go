package wire_test

import (
	"crypto/ed25519"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"kith/testvectors"
	"kith/wire"
)

// each runs f for every vector of a type, and fails when there is none.
func each(t *testing.T, group, kind string, f func(t *testing.T, v testvectors.Vector)) {
	t.Helper()
	vectors, err := testvectors.Group(group)
	require.NoError(t, err)
	n := 0
	for _, v := range vectors {
		if v.Type != kind {
			continue
		}
		n++
		t.Run(v.ID, func(t *testing.T) { f(t, v) })
	}
	require.NotZero(t, n, "no vector of the type %s", kind)
}

func into[T any](t *testing.T, v testvectors.Vector) (fields T) {
	t.Helper()
	require.NoError(t, v.Into(&fields))
	return fields
}

// An input is all that most operations are handed.
type input struct{ Input testvectors.Hex }

// wantReason checks a parser's refusal against the vector's reason class.
func wantReason(t *testing.T, v testvectors.Vector, err error) {
	t.Helper()
	class := map[string]error{"malformed": wire.ErrMalformed, "limit": wire.ErrLimit}[v.Reason]
	require.NotNil(t, class, "reason %q is not a parser's", v.Reason)
	require.ErrorIs(t, err, class)
	other := map[string]error{"malformed": wire.ErrLimit, "limit": wire.ErrMalformed}[v.Reason]
	require.False(t, errors.Is(err, other))
}

// A tree is a bencoded value in the vectors' JSON.
type tree struct {
	Int   *string
	Bytes *testvectors.Hex
	List  *[]tree
	Dict  *[]struct {
		Key   testvectors.Hex
		Value tree
	}
}

func (v tree) append(t *testing.T, b []byte) []byte {
	switch {
	case v.Int != nil:
		return wire.AppendInt(b, integer(t, *v.Int))
	case v.Bytes != nil:
		return wire.AppendString(b, []byte(*v.Bytes))
	case v.List != nil:
		b = append(b, 'l')
		for _, item := range *v.List {
			b = item.append(t, b)
		}
	case v.Dict != nil:
		b = append(b, 'd')
		for _, e := range *v.Dict {
			b = e.Value.append(t, wire.AppendString(b, []byte(e.Key)))
		}
	default:
		t.Fatal("an empty value")
	}
	return append(b, 'e')
}

func integer(t *testing.T, s string) int64 {
	t.Helper()
	i, err := strconv.ParseInt(s, 10, 64)
	require.NoError(t, err)
	return i
}

func TestVectorsBencode(t *testing.T) {
	each(t, "bencode", "wire.bencode", func(t *testing.T, v testvectors.Vector) {
		f := into[struct {
			In  input
			Out struct {
				Value  *tree
				Output testvectors.Hex
			}
		}](t, v)
		err := wire.CheckBencode(f.In.Input)
		if v.Outcome != "accept" {
			wantReason(t, v, err)
			return
		}
		require.NoError(t, err)
		require.Equal(t, []byte(f.Out.Output), f.Out.Value.append(t, nil))
	})
}

// A message is a KRPC message in the vectors' JSON.
type message struct {
	Y    string
	T, Q testvectors.Hex
	A, R *body
	E    *struct {
		Code string
		Text testvectors.Hex
	}
	V  *testvectors.Hex
	RO bool
	IP netip.AddrPort
}

type body struct {
	CAS         *string
	ID          *testvectors.Hex
	ImpliedPort *bool            `json:"implied_port"`
	InfoHash    *testvectors.Hex `json:"info_hash"`
	Interval    *string
	K           *testvectors.Hex
	Nodes       *[]node
	Nodes6      *[]node
	Num, Port   *string
	Salt        *testvectors.Hex
	Samples     *[]testvectors.Hex
	Seq         *string
	Sig         *testvectors.Hex
	Target      *testvectors.Hex
	Token       *testvectors.Hex
	V           *testvectors.Hex
	Values      *[]netip.AddrPort
	Want        *[]string
}

type node struct {
	ID      testvectors.Hex
	Address netip.AddrPort
}

func (n node) wire() wire.Node { return wire.Node{ID: wire.ID(n.ID), Addr: n.Address} }

// wire builds the message from JSON alone, so that writing is checked apart from reading.
func (m message) wire(t *testing.T) wire.Message {
	out := wire.Message{Kind: wire.Kind(m.Y[0]), T: m.T, Method: m.Q, ReadOnly: m.RO, IP: m.IP}
	if m.V != nil {
		out.Version = append([]byte{}, *m.V...)
	}
	if m.E != nil {
		out.Code, out.Text = integer(t, m.E.Code), m.E.Text
	}
	for _, b := range []*body{m.A, m.R} {
		if b != nil {
			out.Body = b.wire(t)
		}
	}
	return out
}

// samples returns how many info-hashes the message has.
func (m message) samples() int {
	if m.R == nil || m.R.Samples == nil {
		return 0
	}
	return len(*m.R.Samples)
}

func (b body) wire(t *testing.T) (out wire.Body) {
	id := func(from *testvectors.Hex, key wire.Keys, to *wire.ID) {
		if from != nil {
			*to, out.Has = wire.ID(*from), out.Has|key
		}
	}
	bytes := func(from *testvectors.Hex, key wire.Keys, to *[]byte) {
		if from != nil {
			*to, out.Has = append([]byte{}, *from...), out.Has|key
		}
	}
	number := func(from *string, key wire.Keys, to *int64) {
		if from != nil {
			*to, out.Has = integer(t, *from), out.Has|key
		}
	}
	nodes := func(from *[]node, key wire.Keys) (compact []byte) {
		if from != nil {
			compact, out.Has = []byte{}, out.Has|key
			for _, n := range *from {
				compact = wire.AppendNode(compact, n.wire())
			}
		}
		return compact
	}
	number(b.CAS, wire.HasCAS, &out.CAS)
	id(b.ID, wire.HasID, &out.ID)
	if b.ImpliedPort != nil {
		out.ImpliedPort, out.Has = *b.ImpliedPort, out.Has|wire.HasImpliedPort
	}
	id(b.InfoHash, wire.HasInfoHash, &out.InfoHash)
	number(b.Interval, wire.HasInterval, &out.Interval)
	bytes(b.K, wire.HasKey, &out.Key)
	out.Nodes = nodes(b.Nodes, wire.HasNodes)
	out.Nodes6 = nodes(b.Nodes6, wire.HasNodes6)
	number(b.Num, wire.HasNum, &out.Num)
	number(b.Port, wire.HasPort, &out.Port)
	bytes(b.Salt, wire.HasSalt, &out.Salt)
	if b.Samples != nil {
		out.Samples, out.Has = []byte{}, out.Has|wire.HasSamples
		for _, h := range *b.Samples {
			out.Samples = wire.AppendSample(out.Samples, wire.ID(h))
		}
	}
	number(b.Seq, wire.HasSeq, &out.Seq)
	bytes(b.Sig, wire.HasSig, &out.Sig)
	id(b.Target, wire.HasTarget, &out.Target)
	bytes(b.Token, wire.HasToken, &out.Token)
	bytes(b.V, wire.HasValue, &out.Value)
	if b.Values != nil {
		out.Values, out.Has = []byte{}, out.Has|wire.HasValues
		for _, a := range *b.Values {
			out.Values = wire.AppendValue(out.Values, a)
		}
	}
	if b.Want != nil {
		out.Has |= wire.HasWant
		for _, family := range *b.Want {
			out.Want |= map[string]wire.Want{"n4": wire.Want4, "n6": wire.Want6}[family]
		}
	}
	return out
}

func TestVectorsKRPC(t *testing.T) {
	each(t, "krpc", "wire.krpc", func(t *testing.T, v testvectors.Vector) {
		f := into[struct {
			In  input
			Out struct {
				Message  message
				Output   testvectors.Hex
				Readable struct {
					Y    string
					T, Q *testvectors.Hex
				}
			}
		}](t, v)
		var got wire.Message
		err := wire.ParseMessage(f.In.Input, &got)
		if v.Outcome != "accept" {
			wantReason(t, v, err)
			var kind wire.Kind
			if f.Out.Readable.Y != "" {
				kind = wire.Kind(f.Out.Readable.Y[0])
			}
			require.Equal(t, kind, got.Kind)
			for _, part := range []struct {
				want *testvectors.Hex
				got  []byte
			}{{f.Out.Readable.T, got.T}, {f.Out.Readable.Q, got.Method}} {
				require.Equal(t, part.want == nil, part.got == nil)
				if part.want != nil {
					require.Equal(t, []byte(*part.want), part.got)
				}
			}
			return
		}
		require.NoError(t, err)
		want := f.Out.Message.wire(t)
		require.Equal(t, []byte(f.Out.Output), wire.AppendMessage(nil, &want), "written from the vector's message")

		// A list of peers keeps what it skips, so the lists are compared as they are read.
		require.Equal(t, slices.Collect(want.Values.All()), slices.Collect(got.Values.All()))
		require.Equal(t, slices.Collect(want.Samples.All()), slices.Collect(got.Samples.All()))
		require.Equal(t, f.Out.Message.samples(), len(slices.Collect(got.Samples.All())))
		want.Values, got.Values = nil, nil
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
			t.Error(diff)
		}
	})
}

func TestVectorsPeer(t *testing.T) {
	each(t, "compact", "wire.peer", func(t *testing.T, v testvectors.Vector) {
		f := into[struct {
			In  input
			Out struct {
				Address netip.AddrPort
				Output  testvectors.Hex
			}
		}](t, v)
		got, err := wire.ParseAddrPort(f.In.Input)
		if v.Outcome != "accept" {
			wantReason(t, v, err)
			return
		}
		require.NoError(t, err)
		require.Equal(t, f.Out.Address, got)
		require.Equal(t, []byte(f.Out.Output), wire.AppendAddrPort(nil, f.Out.Address))
	})
}

func TestVectorsNode(t *testing.T) {
	each(t, "compact", "wire.node", func(t *testing.T, v testvectors.Vector) {
		f := into[struct {
			In  input
			Out struct {
				Node   node
				Output testvectors.Hex
			}
		}](t, v)
		got, err := wire.ParseNode(f.In.Input)
		if v.Outcome != "accept" {
			wantReason(t, v, err)
			return
		}
		require.NoError(t, err)
		require.Equal(t, f.Out.Node.wire(), got)
		require.Equal(t, []byte(f.Out.Output), wire.AppendNode(nil, f.Out.Node.wire()))
	})
}

// reply makes a reply that carries value, which is bencoded, under key.
func reply(key string, value []byte) []byte {
	b := wire.AppendString([]byte("d1:rd"), key)
	b = append(b, value...)
	return append(b, "e1:t2:aa1:y1:re"...)
}

func TestVectorsNodes(t *testing.T) {
	for _, key := range []string{"nodes", "nodes6"} {
		each(t, "compact", "wire."+key, func(t *testing.T, v testvectors.Vector) {
			f := into[struct {
				In  input
				Out struct {
					Nodes  []node
					Output testvectors.Hex
				}
			}](t, v)
			var m wire.Message
			err := wire.ParseMessage(reply(key, wire.AppendString(nil, []byte(f.In.Input))), &m)
			if v.Outcome != "accept" {
				wantReason(t, v, err)
				return
			}
			require.NoError(t, err)
			got, n := m.Nodes.All(), m.Nodes.Len()
			if key == "nodes6" {
				got, n = m.Nodes6.All(), m.Nodes6.Len()
			}
			var want []wire.Node
			var compact []byte
			for _, n := range f.Out.Nodes {
				want, compact = append(want, n.wire()), wire.AppendNode(compact, n.wire())
			}
			require.Equal(t, want, slices.Collect(got))
			require.Equal(t, len(want), n)
			require.Equal(t, string(f.Out.Output), string(compact))
		})
	}
}

func TestVectorsValues(t *testing.T) {
	each(t, "compact", "wire.values", func(t *testing.T, v testvectors.Vector) {
		f := into[struct {
			In  input
			Out struct {
				Peers  []netip.AddrPort
				Output testvectors.Hex
			}
		}](t, v)
		var m wire.Message
		require.NoError(t, wire.ParseMessage(reply("values", f.In.Input), &m))
		got := slices.Collect(m.Values.All())
		require.Len(t, got, len(f.Out.Peers))
		for i := range got {
			require.Equal(t, f.Out.Peers[i], got[i])
		}
		written := []byte{'l'}
		for _, a := range f.Out.Peers {
			written = wire.AppendValue(written, a)
		}
		require.Equal(t, string(f.Out.Output), string(written)+"e")
	})
}

func TestVectorsTarget(t *testing.T) {
	type target struct{ Target testvectors.Hex }
	each(t, "bep44", "wire.target-immutable", func(t *testing.T, v testvectors.Vector) {
		f := into[struct {
			In  struct{ V testvectors.Hex }
			Out target
		}](t, v)
		require.Equal(t, wire.ID(f.Out.Target), wire.ImmutableTarget(f.In.V))
	})
	each(t, "bep44", "wire.target-mutable", func(t *testing.T, v testvectors.Vector) {
		f := into[struct {
			In  struct{ K, Salt testvectors.Hex }
			Out target
		}](t, v)
		require.Equal(t, wire.ID(f.Out.Target), wire.MutableTarget(f.In.K, f.In.Salt))
	})
}

// Package wire makes the bytes that are signed; who verifies them is package dht. Here signing by the seed shows that the
// bytes and the signature belong together.
func TestVectorsItem(t *testing.T) {
	each(t, "bep44", "dht.item", func(t *testing.T, v testvectors.Vector) {
		f := into[struct {
			In struct {
				Seed, K, Salt, V testvectors.Hex
				Seq              string
			}
			Out struct{ Signed, Sig, Target testvectors.Hex }
		}](t, v)
		require.Equal(t, []byte(f.Out.Signed), wire.AppendSigned(nil, f.In.Salt, integer(t, f.In.Seq), f.In.V))
		require.Equal(t, wire.ID(f.Out.Target), wire.MutableTarget(f.In.K, f.In.Salt))
		if f.In.Seed != nil {
			require.Equal(t, []byte(f.Out.Sig), ed25519.Sign(ed25519.NewKeyFromSeed(f.In.Seed), f.Out.Signed))
		}
	})
}
