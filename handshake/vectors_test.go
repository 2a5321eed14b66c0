package handshake

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/chacha20poly1305"

	"kith/testvectors"
	"kith/wire"
)

// fields are the named values of a vector: text, numbers, lists.
type fields map[string]any

// A question is one vector on its way through an operation.
type question struct {
	t     *testing.T
	in    fields
	draws fields
	shown fields // intermediate values
}

func (q *question) text(name string) string {
	q.t.Helper()
	s, ok := q.in[name].(string)
	require.True(q.t, ok, "%s is not text", name)
	return s
}

func (q *question) bytes(name string) []byte { return unhex(q.t, q.text(name)) }

func (q *question) array(name string) [32]byte { return [32]byte(q.bytes(name)) }

func (q *question) draw(name string) []byte {
	q.t.Helper()
	s, ok := q.draws[name].(string)
	require.True(q.t, ok, "no draw %s", name)
	return unhex(q.t, s)
}

// number reads one that stands in decimal digits.
func (q *question) number(name string) uint64 {
	q.t.Helper()
	n, err := strconv.ParseUint(q.text(name), 10, 64)
	require.NoError(q.t, err)
	return n
}

func (q *question) seconds(name string) time.Time { return time.Unix(int64(q.number(name)), 0) }

// small reads a JSON number.
func (q *question) small(name string) int {
	q.t.Helper()
	n, ok := q.in[name].(float64)
	require.True(q.t, ok, "%s is not a number", name)
	return int(n)
}

func (q *question) endpoints() (a []netip.AddrPort) {
	for _, s := range q.in["endpoints"].([]any) {
		a = append(a, netip.MustParseAddrPort(s.(string)))
	}
	return a
}

func (q *question) identity() *Identity {
	q.t.Helper()
	id, err := NewIdentity(q.bytes("seed"))
	require.NoError(q.t, err)
	return id
}

func (q *question) pair() (*Pair, error) { return NewPair(q.identity(), PublicKey(q.bytes("friend"))) }

func (q *question) side() Side {
	return map[string]Side{"own": Own, "friend": Friend}[q.text("from")]
}

func (q *question) show(name string, b []byte) { q.shown[name] = hex.EncodeToString(b) }

func digits(n uint64) string { return strconv.FormatUint(n, 10) }

func texts(endpoints []netip.AddrPort) []any {
	list := []any{}
	for _, a := range endpoints {
		list = append(list, a.String())
	}
	return list
}

// operations answer the questions of spec/operations.md that are about messages and computations.
var operations = map[string]func(q *question) (fields, error){
	"rv.identity": func(q *question) (fields, error) {
		id := q.identity()
		private, public := id.X25519()
		k := id.PublicKey()
		return fields{"IK": k[:], "x_private": private[:], "x_public": public[:], "address": k.String(), "secret": string(id.AppendSecretKey(nil))}, nil
	},
	"rv.contact": func(q *question) (fields, error) {
		k, err := CheckContact(PublicKey(q.bytes("own")), q.bytes("friend"))
		if err != nil {
			return nil, err
		}
		x, err := k.X25519()
		return fields{"x_public": x[:]}, err
	},
	"rv.address-encode": func(q *question) (fields, error) {
		return fields{"address": PublicKey(q.bytes("IK")).String()}, nil
	},
	"rv.address-decode": func(q *question) (fields, error) {
		k, err := ParseAddress(q.text("address"))
		return fields{"IK": k[:]}, err
	},
	"rv.secret-decode": func(q *question) (fields, error) {
		id, err := ParseSecretKey([]byte(q.text("secret")))
		if err != nil {
			return nil, err
		}
		seed := id.Seed()
		return fields{"seed": seed[:]}, nil
	},
	"rv.x25519": func(q *question) (fields, error) {
		var shared [32]byte
		private, public := q.array("private"), q.array("public")
		err := X25519(&shared, &private, &public)
		return fields{"shared": shared[:]}, err
	},
	"rv.sign": func(q *question) (fields, error) {
		sig := q.identity().Sign(q.text("label"), q.bytes("message"))
		return fields{"sig": sig[:]}, nil
	},
	"rv.verify": func(q *question) (fields, error) {
		return fields{}, Verify(PublicKey(q.bytes("IK")), q.text("label"), q.bytes("message"), q.bytes("sig"))
	},
	"rv.pair": func(q *question) (fields, error) {
		p, err := q.pair()
		if err != nil {
			return nil, err
		}
		var s [32]byte
		require.NoError(q.t, X25519(&s, &p.id.dh, &p.friendX))
		q.show("S", s[:])
		q.show("prk", p.prk[:])
		return fields{"phase": float64(p.Phase())}, nil
	},
	"rv.key": func(q *question) (fields, error) {
		p, err := q.pair()
		if err != nil {
			return nil, err
		}
		key, err := p.Key(Label(q.text("label")), q.side(), q.number("epoch"))
		return fields{"key": key}, err
	},
	"rv.epoch": func(q *question) (fields, error) {
		p, err := q.pair()
		if err != nil {
			return nil, err
		}
		live := []any{}
		for _, epoch := range p.Live(q.seconds("time")) {
			live = append(live, digits(epoch))
		}
		return fields{"epoch": digits(p.Epoch(q.seconds("time"))), "live": live}, nil
	},
	"rv.slot": func(q *question) (fields, error) {
		p, err := q.pair()
		if err != nil {
			return nil, err
		}
		s := p.Slot(q.side(), Family(q.small("family")), q.number("epoch"))
		q.show("seed", s.signing[:SeedSize])
		return fields{"k": s.Key[:], "target": s.Target[:]}, nil
	},
	"rv.seq": func(q *question) (fields, error) {
		s := Sequence{Last: int64(q.number("last"))}
		for _, seen := range q.in["observed"].([]any) {
			seq, err := strconv.ParseInt(seen.(string), 10, 64)
			require.NoError(q.t, err)
			s.Observe(q.seconds("time"), seq)
		}
		seq, err := s.Next(q.seconds("time"), bytes.NewReader(q.draw("jitter")))
		return fields{"seq": digits(uint64(seq))}, err
	},
	"rv.record-seal": func(q *question) (fields, error) {
		p, err := q.pair()
		if err != nil {
			return nil, err
		}
		s, seq := p.Slot(Own, Family(q.small("family")), q.number("epoch")), int64(q.number("seq"))
		i, err := s.Seal(bytes.NewReader(q.draw("nonce")), seq, q.endpoints())
		if err != nil {
			return nil, err
		}
		plaintext, err := s.unseal(&i)
		require.NoError(q.t, err)
		q.show("plaintext", plaintext)
		q.show("key", s.seal[:])
		q.show("ad", s.ad(seq))
		q.show("signed", wire.AppendSigned(nil, nil, seq, i.Value))
		return fields{"k": i.Key[:], "v": i.Value, "sig": i.Sig[:], "target": s.Target[:]}, nil
	},
	"rv.record-open": func(q *question) (fields, error) {
		p, err := q.pair()
		if err != nil {
			return nil, err
		}
		s := p.Slot(Friend, Family(q.small("family")), q.number("epoch"))
		i := Item{Key: PublicKey(q.bytes("k")), Seq: int64(q.number("seq")), Value: q.bytes("v"), Sig: [64]byte(q.bytes("sig"))}
		r, err := s.Open(q.seconds("now"), int64(q.number("highest")), i)
		return fields{"time": digits(r.Time), "endpoints": texts(r.Endpoints)}, err
	},
	"hs.envelope-seal": func(q *question) (fields, error) {
		p, err := q.pair()
		if err != nil {
			return nil, err
		}
		tag, key, nonce := p.Tag(Own, q.number("epoch")), p.EnvelopeKey(Own, q.number("epoch")), [24]byte(q.draw("nonce"))
		e := Envelope{Kind(q.small("kind")), ID(q.bytes("id")), uint8(q.small("fragment")), uint8(q.small("fragments")), q.bytes("bytes")}
		b := AppendEnvelope(nil, &tag, &key, &nonce, e)
		aead, err := chacha20poly1305.NewX(key[:])
		require.NoError(q.t, err)
		body, err := aead.Open(nil, nonce[:], b[41:], b[:17])
		require.NoError(q.t, err)
		q.show("tag", tag[:])
		q.show("key", key[:])
		q.show("body", body)
		return fields{"datagram": b}, nil
	},
	"hs.envelope-open": openEnvelope,
	"hs.knock-make": func(q *question) (fields, error) {
		b, err := AppendKnock(nil, Knock{q.number("time_ms"), [8]byte(q.draw("random")), q.endpoints()})
		return fields{"knock": b}, err
	},
	"hs.knock-read": func(q *question) (fields, error) {
		k, err := ParseKnock(q.bytes("knock"))
		return fields{"time_ms": digits(k.Time), "random": k.Random[:], "endpoints": texts(k.Endpoints)}, err
	},
	"hs.offer-make": func(q *question) (fields, error) {
		spk, rk, ek := [32]byte(q.draw("spk")), [32]byte(q.draw("rk")), [64]byte(q.draw("ek"))
		o := MakeOffer(q.identity(), q.seconds("now"), q.bytes("knock"), &spk, &rk, &ek)
		q.show("signed", labelled(offerLabel, signedOffer(o.Bytes[:], q.bytes("knock"))))
		return fields{"offer": o.Bytes[:], "offer_id": o.ID[:]}, nil
	},
	"hs.offer-check": func(q *question) (fields, error) {
		friend, err := CheckContact(PublicKey{}, q.bytes("friend"))
		if err != nil {
			return nil, err
		}
		o, err := CheckOffer(friend, q.seconds("now"), q.bytes("knock"), q.bytes("offer"))
		if err != nil {
			return nil, err
		}
		return fields{"offer_id": o.ID[:], "not_after": digits(o.NotAfter), "spk": o.SPK[:], "rk": o.RK[:], "ek": o.EK[:]}, nil
	},
	"hs.accept-make": makeAccept,
	"hs.accept-take": takeAccept,
	"hs.cid": func(q *question) (fields, error) {
		key := q.array("CIDK")
		cid := NewCID(&key, Role(q.text("to")[0]), uint32(q.small("i")))
		return fields{"cid": cid[:]}, nil
	},
	"hs.rank": func(q *question) (fields, error) {
		rank := func(name string) Rank {
			r := question{t: q.t, in: q.in[name].(map[string]any)}
			return Rank{r.number("time_ms"), PublicKey(r.bytes("IK_I"))}
		}
		return fields{"higher": []string{"b", "same", "a"}[rank("a").Compare(rank("b"))+1]}, nil
	},
}

func openEnvelope(q *question) (fields, error) {
	datagram := q.bytes("datagram")
	tag, err := EnvelopeTag(datagram)
	if err != nil {
		return nil, err
	}
	now := time.UnixMilli(int64(q.number("now_ms")))
	for _, friend := range q.in["friends"].([]any) {
		p, err := NewPair(q.identity(), PublicKey(unhex(q.t, friend.(string))))
		if err != nil {
			return nil, err
		}
		for _, epoch := range p.Live(now) {
			if p.Tag(Friend, epoch) != tag {
				continue
			}
			key := p.EnvelopeKey(Friend, epoch)
			e, err := OpenEnvelope(&key, datagram)
			return fields{"friend": p.friend[:], "epoch": digits(epoch), "kind": float64(e.Kind), "id": e.ID[:],
				"fragment": float64(e.Fragment), "fragments": float64(e.Fragments), "bytes": e.Bytes}, err
		}
	}
	return nil, ErrAuthentication // hs-tag-unknown
}

func makeAccept(q *question) (fields, error) {
	p, err := q.pair()
	if err != nil {
		return nil, err
	}
	o, err := CheckOffer(p.Friend(), q.seconds("now"), q.bytes("knock"), q.bytes("offer"))
	if err != nil {
		return nil, err
	}
	e, coins := [32]byte(q.draw("e")), [32]byte(q.draw("coins"))
	secretE, m := e, coins
	b, s, err := p.MakeAccept(o, &secretE, &m)
	if err != nil {
		return nil, err
	}
	var in secrets
	in.setAuth(p, Own)
	require.NoError(q.t, X25519(in.dh1(), &p.id.dh, &o.SPK))
	require.NoError(q.t, X25519(in.dh2(), &e, &p.friendX))
	require.NoError(q.t, X25519(in.dh3(), &e, &o.SPK))
	var ct [CiphertextSize]byte
	o.ek.Encapsulate(&ct, in.ss(), &coins)
	q.showSchedule(&in, p.id.public, p.friend, o.bytes[:], b)
	require.Equal(q.t, o.RK, s.RatchetKey)
	out := sessionFields(s)
	out["accept"] = b
	return out, nil
}

func takeAccept(q *question) (fields, error) {
	p, err := q.pair()
	if err != nil {
		return nil, err
	}
	spk, rk, ek := q.array("spk"), q.array("rk"), [64]byte(q.bytes("ek"))
	o, err := RestoreOffer(q.bytes("offer"), &spk, &rk, &ek)
	require.NoError(q.t, err)
	b := q.bytes("accept")
	s, err := p.TakeAccept(o, b)
	if err != nil {
		return nil, err
	}
	var in secrets
	e := [32]byte(b[16:])
	in.setAuth(p, Friend)
	require.NoError(q.t, X25519(in.dh1(), &o.spk, &p.friendX))
	require.NoError(q.t, X25519(in.dh2(), &p.id.dh, &e))
	require.NoError(q.t, X25519(in.dh3(), &o.spk, &e))
	o.ek.Decapsulate(in.ss(), (*[CiphertextSize]byte)(b[48:]))
	q.showSchedule(&in, p.friend, p.id.public, o.Bytes[:], b)
	require.Equal(q.t, q.array("rk"), s.RatchetKey)
	return sessionFields(s), nil
}

func (q *question) showSchedule(in *secrets, initiator, responder PublicKey, offer, accept []byte) {
	q.t.Helper()
	var a Accept
	require.NoError(q.t, ParseAccept(accept, &a))
	th := transcript(initiator, responder, offer, &a)
	prk, err := hkdf.Extract(sha256.New, in[:], []byte(handshakeLabel))
	require.NoError(q.t, err)
	for i, name := range []string{"auth", "dh1", "dh2", "dh3", "ss"} {
		q.show(name, in[32*i:32*i+32])
	}
	q.show("th", th[:])
	q.show("prk", prk)
}

func sessionFields(s *Session) fields {
	return fields{"RK": s.RK[:], "HK_I": s.HKI[:], "NHK_R": s.NHKR[:], "CIDK": s.CIDK[:], "AD": s.AD[:]}
}

// TestVectors asks every question about messages and computations, and compares every field of the answers.
func TestVectors(t *testing.T) {
	asked := map[string]bool{}
	for _, group := range []string{"rendezvous", "handshake"} {
		vectors, err := testvectors.Group(group)
		require.NoError(t, err)
		for _, v := range vectors {
			operation := operations[v.Type]
			if operation == nil {
				require.Contains(t, []string{testvectors.Script}, v.Type, "the machine's are scripts")
				continue
			}
			asked[v.Type] = true
			t.Run(v.ID, func(t *testing.T) { answer(t, v, operation) })
		}
	}
	for name := range operations {
		require.True(t, asked[name], "no vector of the type %s", name)
	}
}

func answer(t *testing.T, v testvectors.Vector, operation func(*question) (fields, error)) {
	read := func(raw json.RawMessage) (f fields) {
		if len(raw) > 0 {
			require.NoError(t, json.Unmarshal(raw, &f))
		}
		return f
	}
	q := &question{t: t, in: read(v.In), draws: read(v.Draws), shown: fields{}}
	out, err := operation(q)
	if v.Outcome != testvectors.Accept {
		class := map[string]error{
			"malformed": ErrMalformed, "authentication": ErrAuthentication, "replay": ErrReplay, "state": ErrState, "limit": ErrLimit,
		}[v.Reason]
		require.ErrorIs(t, err, class)
		return
	}
	require.NoError(t, err)
	for name, value := range out {
		if b, ok := value.([]byte); ok {
			out[name] = hex.EncodeToString(b)
		}
	}
	require.Empty(t, cmp.Diff(read(v.Out), out))
	if want := read(v.Intermediate); want != nil {
		require.Empty(t, cmp.Diff(want, q.shown))
	}
}
