package dht_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/dht"
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
		if v.Type == kind {
			n++
			t.Run(v.ID, func(t *testing.T) { f(t, v) })
		}
	}
	require.NotZero(t, n, "no vector of the type %s", kind)
}

func into[T any](t *testing.T, v testvectors.Vector) (fields T) {
	t.Helper()
	require.NoError(t, v.Into(&fields))
	return fields
}

func integer(t *testing.T, s string) int64 {
	t.Helper()
	i, err := strconv.ParseInt(s, 10, 64)
	require.NoError(t, err)
	return i
}

func TestVectorsNodeID(t *testing.T) {
	each(t, "bep42", "dht.node-id", func(t *testing.T, v testvectors.Vector) {
		f := into[struct {
			In    struct{ Address netip.Addr }
			Draws struct{ ID testvectors.Hex }
			Out   struct {
				NodeID testvectors.Hex `json:"node_id"`
			}
			Intermediate struct{ Hashed, CRC32C testvectors.Hex }
		}](t, v)
		random := [wire.IDSize]byte(append([]byte{0, 0}, f.Draws.ID...))
		require.Equal(t, wire.ID(f.Out.NodeID), dht.IDFor(f.In.Address, random))
		require.True(t, dht.Fits(wire.ID(f.Out.NodeID), f.In.Address))

		crc := crc32.Checksum(f.Intermediate.Hashed, crc32.MakeTable(crc32.Castagnoli))
		require.Equal(t, binary.BigEndian.Uint32(f.Intermediate.CRC32C), crc)
		require.Zero(t, (binary.BigEndian.Uint32(f.Out.NodeID)^crc)>>11, "bits 0 to 20")
	})
	each(t, "bep42", "dht.node-id-check", func(t *testing.T, v testvectors.Vector) {
		f := into[struct {
			In struct {
				Address netip.Addr
				NodeID  testvectors.Hex `json:"node_id"`
			}
		}](t, v)
		require.Equal(t, v.Outcome == testvectors.Accept, dht.Fits(wire.ID(f.In.NodeID), f.In.Address))
	})
}

func TestVectorsItem(t *testing.T) {
	each(t, "bep44", "dht.item", func(t *testing.T, v testvectors.Vector) {
		f := into[struct {
			In struct {
				K, Salt, V, Sig testvectors.Hex
				Seq             string
			}
			Out struct{ Target testvectors.Hex }
		}](t, v)
		i := dht.Item{Value: f.In.V, Mutable: true, Key: [32]byte(f.In.K), Sig: [64]byte(f.In.Sig), Salt: f.In.Salt, Seq: integer(t, f.In.Seq)}
		require.Equal(t, wire.ID(f.Out.Target), i.Target())
		if v.Outcome == testvectors.Accept {
			require.NoError(t, i.Check())
		} else {
			require.ErrorIs(t, i.Check(), dht.ErrAuthentication)
		}
	})
}

// A judged is a node under the vectors, and the one address that speaks to it.
type judged struct {
	*testing.T
	n     *dht.Node
	now   time.Time
	token []byte
}

var asker = netip.MustParseAddrPort("45.7.1.1:6881")

func newJudged(t *testing.T) *judged {
	t.Helper()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	n, err := dht.New(dht.Config{Rand: rand.NewChaCha8([32]byte{7}), Reachable: true}, now)
	require.NoError(t, err)
	return &judged{T: t, n: n, now: now}
}

// send sends a datagram and returns the answer to it, nil when there is none. Queries of the node's own are left out.
func (j *judged) send(b []byte) (answer []byte) {
	j.Helper()
	j.n.HandleDatagram(j.now, asker, b)
	for to, b, ok := j.n.Transmit(); ok; to, b, ok = j.n.Transmit() {
		var m wire.Message
		require.NoError(j, wire.ParseMessage(b, &m))
		if m.Kind != wire.KindQuery {
			require.Equal(j, asker, to)
			require.Nil(j, answer, "a second answer")
			answer = slices.Clone(b)
		}
	}
	return answer
}

// ask sends a query and returns the answer.
func (j *judged) ask(b []byte) (m wire.Message) {
	j.Helper()
	answer := j.send(b)
	require.NotNil(j, answer, "no answer")
	require.NoError(j, wire.ParseMessage(answer, &m))
	return m
}

// get asks for a target, and keeps the token for puts.
func (j *judged) get(target testvectors.Hex) wire.Message {
	j.Helper()
	q := wire.Message{Kind: wire.KindQuery, T: []byte("gg"), Method: []byte("get")}
	q.Has, q.ID, q.Target = wire.HasID|wire.HasTarget, wire.ID{1}, wire.ID(target)
	m := j.ask(wire.AppendMessage(nil, &q))
	require.Equal(j, wire.KindReply, m.Kind)
	j.token = slices.Clone(m.Token)
	return m
}

// own puts the node's token into the place of the vector's, also where a byte is missing from it or stands behind it.
func (j *judged) own(b, token testvectors.Hex) []byte {
	for _, change := range []func([]byte) []byte{
		func(t []byte) []byte { return t },
		func(t []byte) []byte { return t[:len(t)-1] },
		func(t []byte) []byte { return append(slices.Clone(t), 'x') },
	} {
		old := wire.AppendString([]byte("5:token"), change(token))
		b = bytes.Replace(b, old, wire.AppendString([]byte("5:token"), change(j.token)), 1)
	}
	return b
}

type item struct {
	K, Sig, V testvectors.Hex
	Seq       *string
}

// wantItem wants a reply to get to have exactly what stands in want.
func (j *judged) wantItem(want item, m wire.Message) {
	j.Helper()
	for _, part := range []struct {
		key       wire.Keys
		want, got []byte
	}{{wire.HasKey, want.K, m.Key}, {wire.HasSig, want.Sig, m.Sig}, {wire.HasValue, want.V, m.Value}} {
		require.Equal(j, part.want != nil, m.Has.All(part.key))
		require.Equal(j, string(part.want), string(part.got))
	}
	require.Equal(j, want.Seq != nil, m.Has.All(wire.HasSeq))
	if want.Seq != nil {
		require.Equal(j, integer(j.T, *want.Seq), m.Seq)
	}
}

func TestVectorsPut(t *testing.T) {
	each(t, "bep44", "dht.put", func(t *testing.T, v testvectors.Vector) {
		f := into[struct {
			In struct {
				Token, Input, Target testvectors.Hex
				Before               []testvectors.Hex
			}
			Out struct {
				Error int64
				After *item
			}
		}](t, v)
		j := newJudged(t)
		j.get(f.In.Target)
		for _, b := range f.In.Before {
			require.Equal(t, wire.KindReply, j.ask(j.own(b, f.In.Token)).Kind)
		}
		m := j.ask(j.own(f.In.Input, f.In.Token))
		if v.Outcome == testvectors.Accept {
			require.Equal(t, wire.KindReply, m.Kind, "%d %s", m.Code, m.Text)
		} else {
			require.Equal(t, wire.KindError, m.Kind)
			require.Equal(t, f.Out.Error, m.Code, "%s", m.Text)
		}
		if f.Out.After == nil {
			f.Out.After = &item{}
		}
		j.wantItem(*f.Out.After, j.get(f.In.Target))
	})
}

func TestVectorsGet(t *testing.T) {
	each(t, "bep44", "dht.get", func(t *testing.T, v testvectors.Vector) {
		f := into[struct {
			In struct {
				Token, Input testvectors.Hex
				Before       []testvectors.Hex
			}
			Out struct{ Item item }
		}](t, v)
		j := newJudged(t)
		j.get(make(testvectors.Hex, wire.IDSize))
		for _, b := range f.In.Before {
			require.Equal(t, wire.KindReply, j.ask(j.own(b, f.In.Token)).Kind)
		}
		m := j.ask(f.In.Input)
		require.Equal(t, wire.KindReply, m.Kind)
		j.wantItem(f.Out.Item, m)
	})
}

// A look-up asks one node, which answers with the vector.
func TestVectorsGetReply(t *testing.T) {
	each(t, "bep44", "dht.get-reply", func(t *testing.T, v testvectors.Vector) {
		f := into[struct {
			In struct{ Target, Salt, Input testvectors.Hex }
		}](t, v)
		var reply wire.Message
		require.NoError(t, wire.ParseMessage(f.In.Input, &reply))
		j := newJudged(t)
		j.n.Ping(j.now, asker)
		j.answerAll(func(q wire.Message) wire.Message {
			m := wire.Message{Kind: wire.KindReply, T: q.T}
			m.Has, m.ID = wire.HasID, reply.ID
			return m
		})

		op := j.n.Get(j.now, wire.ID(f.In.Target), dht.GetOptions{Salt: f.In.Salt})
		j.answerAll(func(q wire.Message) wire.Message {
			m := reply
			m.T = q.T
			return m
		})
		for range 100 {
			for e, ok := j.n.Event(); ok; e, ok = j.n.Event() {
				if e.Op == op && e.Kind == dht.EventDone {
					require.Equal(t, 1, e.Answered)
					require.Equal(t, v.Outcome == testvectors.Accept, e.Item != nil)
					if e.Item != nil {
						require.Equal(t, []byte(reply.Value), e.Item.Value)
					}
					return
				}
			}
			j.now = j.n.NextTimeout()
			j.n.HandleTimeout(j.now)
		}
		t.Fatal("the look-up does not end")
	})
}

// answerAll answers what the node has asked its one acquaintance.
func (j *judged) answerAll(answer func(q wire.Message) wire.Message) {
	j.Helper()
	var out [][]byte
	for to, b, ok := j.n.Transmit(); ok; to, b, ok = j.n.Transmit() {
		require.Equal(j, asker, to)
		var q wire.Message
		require.NoError(j, wire.ParseMessage(b, &q))
		m := answer(q)
		out = append(out, wire.AppendMessage(nil, &m))
	}
	require.NotEmpty(j, out, "nothing was asked")
	for _, b := range out {
		j.n.HandleDatagram(j.now, asker, b)
	}
}

// What cannot be parsed gets error 203 under its t, or nothing. What can be gets one answer when it is a query.
func TestVectorsKRPC(t *testing.T) {
	each(t, "krpc", "wire.krpc", func(t *testing.T, v testvectors.Vector) {
		f := into[struct {
			In  struct{ Input testvectors.Hex }
			Out struct {
				Error    int64
				Readable struct{ T testvectors.Hex }
				Message  struct {
					Y string
					T testvectors.Hex
				}
			}
		}](t, v)
		j := newJudged(t)
		answer := j.send(f.In.Input)
		if v.Outcome == testvectors.Accept {
			tid := f.Out.Message.T
			require.Equal(t, f.Out.Message.Y == "q" && len(tid) >= 1 && len(tid) <= 64, answer != nil)
			if answer != nil {
				var m wire.Message
				require.NoError(t, wire.ParseMessage(answer, &m))
				require.Equal(t, []byte(tid), m.T)
			}
			return
		}
		if f.Out.Error == 0 {
			require.Nil(t, answer, "%q", answer)
			return
		}
		var m wire.Message
		require.NoError(t, wire.ParseMessage(answer, &m))
		require.Equal(t, wire.KindError, m.Kind)
		require.Equal(t, f.Out.Error, m.Code)
		require.Equal(t, []byte(f.Out.Readable.T), m.T)
		require.NotEmpty(t, m.Text)
	})
}
