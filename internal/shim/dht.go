package shim

import (
	"bytes"
	"crypto/ed25519"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"kith/dht"
	"kith/wire"
)

var dhtOperations = map[string]operation{
	"dht.node-id":       {draws: []string{"id"}, ask: dhtNodeID},
	"dht.node-id-check": {ask: dhtNodeIDCheck},
	"dht.item":          {ask: dhtItem},
	"dht.put":           {ask: dhtPut},
	"dht.get":           {ask: dhtGet},
	"dht.get-reply":     {ask: dhtGetReply},
}

func dhtNodeID(c *call) (any, error) {
	q := in[struct {
		Address netip.Addr `json:"address"`
	}](c)
	var random [wire.IDSize]byte
	if _, err := io.ReadFull(c.rand(), random[2:]); err != nil { // the first two bytes follow from the address
		return nil, err
	}
	id := dht.IDFor(q.Address, random)
	return struct {
		NodeID octets `json:"node_id"`
	}{id[:]}, nil
}

func dhtNodeIDCheck(c *call) (any, error) {
	q := in[struct {
		Address netip.Addr `json:"address"`
		NodeID  octets     `json:"node_id"`
	}](c)
	id := wire.ID(sized("node_id", q.NodeID, wire.IDSize))
	if !dht.Fits(id, q.Address) {
		return nil, refuse("authentication", nil)
	}
	id[0] ^= 0x80 // fits only where every id does
	return struct {
		Exempt bool `json:"exempt"`
	}{dht.Fits(id, q.Address)}, nil
}

func dhtItem(c *call) (any, error) {
	q := in[struct {
		K    octets  `json:"k"`
		Salt octets  `json:"salt"`
		Seq  decimal `json:"seq"`
		V    octets  `json:"v"`
		Sig  octets  `json:"sig"`
		Seed *octets `json:"seed"`
	}](c)
	i := dht.Item{Value: q.V, Mutable: true, Key: [32]byte(sized("k", q.K, 32)), Sig: [64]byte(sized("sig", q.Sig, 64)), Salt: q.Salt, Seq: int64(q.Seq)}
	id := i.Target()
	out := struct {
		Signed octets `json:"signed"`
		Target octets `json:"target"`
		Sig    octets `json:"sig,omitempty"`
	}{Signed: wire.AppendSigned(nil, i.Salt, i.Seq, i.Value), Target: id[:]}
	if err := i.Check(); err != nil {
		return nil, refuse(classOf(err), out)
	}
	if q.Seed != nil {
		signed, err := dht.SignItem([]byte(ed25519.NewKeyFromSeed(sized("seed", *q.Seed, ed25519.SeedSize))), i.Salt, i.Seq, i.Value)
		if err != nil {
			return nil, err
		}
		out.Sig = signed.Sig[:]
	}
	return out, nil
}

// A judged is a node that nobody knows, and the one address that speaks to it.
type judged struct {
	n     *dht.Node
	now   time.Time
	token []byte
}

var asker = netip.MustParseAddrPort("45.7.1.1:6881")

func newJudged() *judged {
	now := time.Unix(1_800_000_000, 0)
	n, err := dht.New(dht.Config{Rand: rand.NewChaCha8([32]byte{7}), Reachable: true}, now)
	if err != nil {
		panic(err)
	}
	return &judged{n: n, now: now}
}

// send sends a datagram and returns the answer to it, nil when there is none. Queries of the node's own are left out.
func (j *judged) send(b []byte) (answer []byte) {
	j.n.HandleDatagram(j.now, asker, b)
	for _, b, ok := j.n.Transmit(); ok; _, b, ok = j.n.Transmit() {
		if mustParse(b).Kind != wire.KindQuery {
			answer = slices.Clone(b)
		}
	}
	return answer
}

// ask sends a query and returns the answer.
func (j *judged) ask(b []byte) *wire.Message {
	answer := j.send(b)
	if answer == nil {
		faultf("in: the node answers nothing to %q", b)
	}
	return mustParse(answer)
}

// mustParse reads what our own node has written.
func mustParse(b []byte) *wire.Message {
	var m wire.Message
	if err := wire.ParseMessage(b, &m); err != nil {
		panic(err)
	}
	return &m
}

// get asks for a target, and keeps the token for puts.
func (j *judged) get(target []byte) *wire.Message {
	q := wire.Message{Kind: wire.KindQuery, T: []byte("gg"), Method: []byte("get")}
	q.Has, q.ID, q.Target = wire.HasID|wire.HasTarget, wire.ID{1}, wire.ID(target)
	m := j.ask(wire.AppendMessage(nil, &q))
	j.token = m.Token
	return m
}

// own puts the node's token into the place of the vector's, also where a byte is missing from it or stands behind it.
func (j *judged) own(b, token []byte) []byte {
	for _, change := range []func([]byte) []byte{
		func(t []byte) []byte { return t },
		func(t []byte) []byte { return t[:max(0, len(t)-1)] },
		func(t []byte) []byte { return slices.Concat(t, []byte("x")) },
	} {
		old := wire.AppendString([]byte("5:token"), change(token))
		b = bytes.Replace(b, old, wire.AppendString([]byte("5:token"), change(j.token)), 1)
	}
	return b
}

// fill gives a node the puts that came before.
func (j *judged) fill(before []octets, token []byte) {
	for _, b := range before {
		if m := j.ask(j.own(b, token)); m.Kind != wire.KindReply {
			faultf("in: a put of before is refused: %d %s", m.Code, m.Text)
		}
	}
}

// An item is what of an item a reply carries.
type item struct {
	K   *octets  `json:"k,omitempty"`
	Seq *decimal `json:"seq,omitempty"`
	Sig *octets  `json:"sig,omitempty"`
	V   *octets  `json:"v,omitempty"`
}

func itemOf(m *wire.Message) item {
	b := bodyOf(&m.Body)
	return item{b.K, b.Seq, b.Sig, b.V}
}

func dhtPut(c *call) (any, error) {
	q := in[struct {
		Token  octets   `json:"token"`
		Before []octets `json:"before"`
		Input  octets   `json:"input"`
		Target octets   `json:"target"`
	}](c)
	sized("target", q.Target, wire.IDSize)
	j := newJudged()
	j.get(q.Target)
	j.fill(q.Before, q.Token)
	m := j.ask(j.own(q.Input, q.Token))
	after := &item{}
	if *after = itemOf(j.get(q.Target)); *after == (item{}) {
		after = nil
	}
	if m.Kind == wire.KindError {
		return nil, refuse(reasonOf(m), struct {
			Error int64 `json:"error"`
			After *item `json:"after"`
		}{m.Code, after})
	}
	return struct {
		After *item `json:"after"`
	}{after}, nil
}

// reasonOf is the reason class that an error stands for (spec/README.md). 203 stands for two, and only its text says which.
func reasonOf(m *wire.Message) string {
	switch {
	case m.Code == 206, strings.HasPrefix(string(m.Text), "token is not"):
		return "authentication"
	case m.Code == 205, m.Code == 207:
		return "limit"
	case m.Code == 301, m.Code == 302:
		return "state"
	}
	return "malformed"
}

func dhtGet(c *call) (any, error) {
	q := in[struct {
		Token  *octets  `json:"token"`
		Before []octets `json:"before"`
		Input  octets   `json:"input"`
	}](c)
	j := newJudged()
	j.get(make([]byte, wire.IDSize))
	if q.Token != nil {
		j.fill(q.Before, *q.Token)
	}
	m := j.ask(q.Input)
	if m.Kind != wire.KindReply {
		faultf("in: the get is refused: %d %s", m.Code, m.Text)
	}
	return struct {
		Item item `json:"item"`
	}{itemOf(m)}, nil
}

// dhtGetReply lets a look-up ask one node, which answers with the question's reply.
func dhtGetReply(c *call) (any, error) {
	q := in[struct {
		Target octets  `json:"target"`
		Salt   *octets `json:"salt"`
		Input  octets  `json:"input"`
	}](c)
	var opt dht.GetOptions
	if q.Salt != nil {
		opt.Salt = *q.Salt
	}
	var reply wire.Message
	if err := wire.ParseMessage(q.Input, &reply); err != nil {
		return nil, err
	}
	j := newJudged()
	j.n.Ping(j.now, asker)
	j.answerAll(func(m wire.Message) wire.Message {
		pong := wire.Message{Kind: wire.KindReply, T: m.T}
		pong.Has, pong.ID = wire.HasID, reply.ID
		return pong
	})
	op := j.n.Get(j.now, wire.ID(sized("target", q.Target, wire.IDSize)), opt)
	j.answerAll(func(m wire.Message) wire.Message {
		found := reply
		found.T = m.T
		return found
	})
	for range 100 {
		for e, ok := j.n.Event(); ok; e, ok = j.n.Event() {
			if e.Op != op || e.Kind != dht.EventDone {
				continue
			}
			if e.Item == nil { // whatever the node answered, nothing of it is the target's
				return nil, refuse("authentication", nil)
			}
			return struct {
				Item item `json:"item"`
			}{itemFound(e.Item)}, nil
		}
		j.now = j.n.NextTimeout()
		j.n.HandleTimeout(j.now)
	}
	panic("the look-up does not end")
}

func itemFound(i *dht.Item) item {
	out := item{V: there(i.Value)}
	if i.Mutable {
		out.K, out.Sig, out.Seq = there(i.Key[:]), there(i.Sig[:]), (*decimal)(&i.Seq)
	}
	return out
}

// answerAll answers what the node has asked its one acquaintance.
func (j *judged) answerAll(answer func(q wire.Message) wire.Message) {
	var out [][]byte
	for _, b, ok := j.n.Transmit(); ok; _, b, ok = j.n.Transmit() {
		m := answer(*mustParse(b))
		out = append(out, wire.AppendMessage(nil, &m))
	}
	for _, b := range out {
		j.n.HandleDatagram(j.now, asker, b)
	}
}
