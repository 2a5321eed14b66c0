package handshake

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A script is a machine, bob's, whose friends are played by hand. Time stands still but for advance.
type script struct {
	*testing.T
	id      *Identity
	m       *Machine
	now     time.Time
	inUse   map[CID]bool
	outputs []Output // not wanted yet
}

// began lies in the middle of an epoch of every pair here.
var began = time.UnixMilli(1_800_000_000_000)

// begin makes the machine.
func begin(t *testing.T) *script {
	t.Helper()
	s := &script{T: t, id: person(t, "bob"), now: began, inUse: map[CID]bool{}}
	m, err := New(Config{Identity: s.id, Rand: rand.NewChaCha8([32]byte{1}), InUse: func(c CID) bool { return s.inUse[c] }})
	require.NoError(t, err)
	s.m = m
	return s
}

// A friend is a contact of the machine.
type friend struct {
	*script
	name string
	id   *Identity
	pair *Pair
	at   netip.AddrPort
	rand *rand.ChaCha8
}

// friend makes a contact, whose address ends with its place among all friends.
func (s *script) friend(name string) *friend {
	s.Helper()
	f := s.stranger(name)
	require.NoError(s, s.m.Add(f.id.PublicKey(), 0, 0))
	return f
}

// stranger makes somebody who knows bob's address, and whom bob does not know.
func (s *script) stranger(name string) *friend {
	s.Helper()
	id := person(s, name)
	pair, err := NewPair(id, s.id.PublicKey())
	require.NoError(s, err)
	at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(1 + len(s.m.contacts))}), 6881)
	return &friend{s, name, id, pair, at, rand.NewChaCha8(secret(name))}
}

// drain takes what the machine has to say, and shows that it knows when it has to be called next.
func (s *script) drain() {
	s.Helper()
	due := time.Time{}
	for _, c := range s.m.contacts {
		require.Equal(s, c.due(), c.deadline)
		require.Equal(s, c.deadline.IsZero(), c.place < 0)
		if !c.deadline.IsZero() && (due.IsZero() || c.deadline.Before(due)) {
			due = c.deadline
		}
	}
	require.Equal(s, due, s.m.NextTimeout())
	for out, ok := s.m.Output(); ok; out, ok = s.m.Output() {
		s.outputs = append(s.outputs, out)
	}
}

// advance lets time pass, and the machine do what is due on the way.
func (s *script) advance(d time.Duration) {
	s.Helper()
	end := s.now.Add(d)
	for {
		next := s.m.NextTimeout()
		if next.IsZero() || next.After(end) {
			break
		}
		require.True(s, next.After(s.now), "due at %v, and it is %v", next, s.now)
		s.now = next
		require.NoError(s, s.m.HandleTimeout(s.now))
		s.drain()
	}
	s.now = end
}

// jump lets time pass without the machine being told.
func (s *script) jump(d time.Duration) { s.now = s.now.Add(d) }

// did takes the error of a call that is to succeed.
func (s *script) did(err error) {
	s.Helper()
	require.NoError(s, err)
	s.drain()
}

// receive hands the machine a datagram that it takes.
func (s *script) receive(from netip.AddrPort, b []byte) {
	s.Helper()
	s.did(s.m.HandleDatagram(s.now, from, b))
}

// refuse hands the machine a datagram that it refuses, and shows that this left no trace.
func (s *script) refuse(class error, words string, from netip.AddrPort, b []byte) {
	s.Helper()
	s.refuseCall(class, words, func() error { return s.m.HandleDatagram(s.now, from, b) })
}

// refuseCall shows that a call is refused and left no trace, but for a count of failed accepts.
func (s *script) refuseCall(class error, words string, call func() error) {
	s.Helper()
	s.drain()
	s.m.tags.turn(s.now, s.m.contacts) // which follows from the time alone
	before, snapshot := dump(s.m), s.m.Snapshot()
	wantRefused(s, call(), class, words)
	s.drain()
	require.Equal(s, before, dump(s.m))
	require.Equal(s, snapshot, s.m.Snapshot())
}

// want returns the next output, which must be of a kind.
func (s *script) want(kind OutputKind) Output {
	s.Helper()
	require.NotEmpty(s, s.outputs, "nothing more came out")
	out := s.outputs[0]
	require.Equal(s, kind, out.Kind, "%+v", out)
	s.outputs = s.outputs[1:]
	return out
}

// wantNothing shows that nothing more came out.
func (s *script) wantNothing() {
	s.Helper()
	require.Empty(s, s.outputs)
}

// wantPersist shows that the friend's times are to be stored.
func (f *friend) wantPersist(taken, own int64) {
	f.Helper()
	out := f.want(OutputPersist)
	require.Equal(f, Output{Kind: OutputPersist, Friend: f.key(), Taken: taken, Own: own}, out)
}

func (f *friend) key() PublicKey { return f.id.PublicKey() }

// session names a session of the machine with the friend.
func (f *friend) session(id string, role Role) SessionID { return SessionID{f.key(), hid(id), role} }

// hid returns the handshake id of a name.
func hid(name string) (id ID) {
	copy(id[:], name)
	return id
}

// ms returns the script's time.
func (s *script) ms() int64 { return s.now.UnixMilli() }

// seal returns an envelope of the friend in its present epoch.
func (f *friend) seal(e Envelope) []byte { return f.sealIn(f.pair.Epoch(f.now), e) }

func (f *friend) sealIn(epoch uint64, e Envelope) []byte {
	tag, key := f.pair.Tag(Own, epoch), f.pair.EnvelopeKey(Own, epoch)
	var nonce [NonceSize]byte
	f.rand.Read(nonce[:])
	return AppendEnvelope(nil, &tag, &key, &nonce, e)
}

// open opens a datagram of the machine in the friend's present epoch.
func (f *friend) open(datagram []byte) Envelope {
	f.Helper()
	return f.openIn(f.pair.Epoch(f.now), datagram)
}

func (f *friend) openIn(epoch uint64, datagram []byte) Envelope {
	f.Helper()
	tag, key := f.pair.Tag(Friend, epoch), f.pair.EnvelopeKey(Friend, epoch)
	require.Equal(f, tag[:], datagram[1:1+TagSize])
	e, err := OpenEnvelope(&key, datagram)
	require.NoError(f, err)
	return e
}

// knock returns the bytes of a knock of a time. Its random part follows from the time.
func (f *friend) knock(ms int64) []byte {
	f.Helper()
	b, err := AppendKnock(nil, Knock{Time: uint64(ms), Random: [8]byte{byte(ms), byte(ms >> 8)}})
	require.NoError(f, err)
	return b
}

func envelopeOfKnock(id string, knock []byte) Envelope {
	return Envelope{Kind: KindKnock, ID: hid(id), Fragments: 1, Bytes: knock}
}

// knocks sends a knock that the machine answers, and returns the offer.
func (f *friend) knocks(id string, ms int64) []byte {
	f.Helper()
	own := f.m.contacts[f.key()].own
	f.receive(f.at, f.seal(envelopeOfKnock(id, f.knock(ms))))
	f.wantPersist(ms, own)
	return f.wantOffer(f.at, id)
}

// wantOffer returns the offer that goes to an address.
func (f *friend) wantOffer(to netip.AddrPort, id string) (offer []byte) {
	f.Helper()
	for i := range uint8(offerFragments) {
		out := f.want(OutputTransmit)
		require.Equal(f, to, out.To)
		require.Len(f, out.Datagram, 729)
		e := f.open(out.Datagram)
		require.Equal(f, Envelope{KindOffer, hid(id), i, offerFragments, e.Bytes}, e)
		offer = append(offer, e.Bytes...)
	}
	return offer
}

// accept returns an accept of the machine's offer, and its session.
func (f *friend) accept(knock, offer []byte) ([]byte, *Session) {
	f.Helper()
	checked, err := CheckOffer(f.script.id.PublicKey(), f.now, knock, offer)
	require.NoError(f, err)
	var e, coins [32]byte
	f.rand.Read(e[:])
	f.rand.Read(coins[:])
	accept, session, err := f.pair.MakeAccept(checked, &e, &coins)
	require.NoError(f, err)
	return accept, session
}

func envelopeOfAccept(id string, accept []byte) Envelope {
	return Envelope{Kind: KindAccept, ID: hid(id), Fragments: 1, Bytes: accept}
}

// accepts sends an accept that makes a half-open session, and returns it and the session.
func (f *friend) accepts(id string, ms int64, offer []byte) ([]byte, *Session) {
	f.Helper()
	accept, session := f.accept(f.knock(ms), offer)
	f.receive(f.at, f.seal(envelopeOfAccept(id, accept)))
	out := f.want(OutputSession)
	require.Equal(f, Output{Kind: OutputSession, Friend: f.key(), ID: f.session(id, Responder), Time: ms, Session: out.Session}, out)
	wantSame(f, session, out.Session)
	return accept, session
}

// halfOpen makes a half-open session.
func (f *friend) halfOpen(id string, ms int64) (accept []byte, session *Session) {
	f.Helper()
	accept, session = f.accepts(id, ms, f.knocks(id, ms))
	f.wantNothing()
	return accept, session
}

// converses makes a conversation by a handshake of the friend.
func (f *friend) converses(id string, ms int64) (accept []byte) {
	f.Helper()
	accept, _ = f.halfOpen(id, ms)
	f.did(f.m.Opened(f.now, f.session(id, Responder)))
	require.Equal(f, f.session(id, Responder), f.want(OutputFinished).ID)
	f.wantNothing()
	return accept
}

// wantSame checks that the initiator's and the responder's session are one.
func wantSame(t require.TestingT, initiator, responder *Session) {
	i, r := *initiator, *responder
	require.Equal(t, i.RatchetKey, X25519Public(&r.RatchetKey))
	i.RatchetKey, r.RatchetKey = [32]byte{}, [32]byte{}
	require.Equal(t, i, r)
	require.NotZero(t, i)
}

// begins makes the machine knock at the friend's, and returns the id and the knock.
func (f *friend) begins() (ID, []byte) {
	f.Helper()
	f.did(f.m.Begin(f.now, f.key(), f.at))
	return f.wantKnock()
}

// wantKnock returns the id and the bytes of a fresh knock.
func (f *friend) wantKnock() (ID, []byte) {
	f.Helper()
	out := f.want(OutputPersist)
	d := f.want(OutputTransmit)
	require.Equal(f, f.at, d.To)
	require.Len(f, d.Datagram, MaxDatagram)
	e := f.open(d.Datagram)
	require.Equal(f, KindKnock, e.Kind)
	k, err := ParseKnock(e.Bytes)
	require.NoError(f, err)
	require.Equal(f, out.Own, int64(k.Time))
	require.Empty(f, k.Endpoints)
	return e.ID, e.Bytes
}

// offer makes an offer of the friend's.
func (f *friend) offer(knock []byte) *OwnOffer {
	var spk, rk [32]byte
	var ek [KEMSeedSize]byte
	f.rand.Read(spk[:])
	f.rand.Read(rk[:])
	f.rand.Read(ek[:])
	return MakeOffer(f.id, f.now, knock, &spk, &rk, &ek)
}

func envelopeOfFragment(id ID, i int, offer []byte) Envelope {
	return Envelope{KindOffer, id, uint8(i), offerFragments, offer[i*FragmentSize : (i+1)*FragmentSize]}
}

// offers sends an offer that the machine accepts, and returns it and the machine's session.
func (f *friend) offers(id ID, knock []byte) (*OwnOffer, *Session) {
	f.Helper()
	o := f.offer(knock)
	for i := range offerFragments {
		f.wantNothing()
		f.receive(f.at, f.seal(envelopeOfFragment(id, i, o.Bytes[:])))
	}
	out := f.want(OutputSession)
	k, err := ParseKnock(knock)
	require.NoError(f, err)
	require.Equal(f, Output{Kind: OutputSession, Friend: f.key(), ID: SessionID{f.key(), id, Initiator}, Time: int64(k.Time), Session: out.Session}, out)
	return o, out.Session
}

// says gives the machine a hello, and returns the accept that goes out with it.
func (f *friend) says(id ID, hello string) (accept []byte) {
	f.Helper()
	f.did(f.m.Hello(f.now, SessionID{f.key(), id, Initiator}, []byte(hello)))
	return f.wantAccept(id, hello)
}

func (f *friend) wantAccept(id ID, hello string) (accept []byte) {
	f.Helper()
	out := f.want(OutputTransmit)
	require.Equal(f, f.at, out.To)
	require.Len(f, out.Datagram, 1220)
	e := f.open(out.Datagram)
	require.Equal(f, Envelope{KindAccept, id, 0, 1, e.Bytes}, e)
	out = f.want(OutputTransmit)
	require.Equal(f, f.at, out.To)
	require.Equal(f, hello, string(out.Datagram))
	return e.Bytes
}

// dump writes everything that a machine is made of, but for randomness, functions, the clock and the count of failed accepts.
func dump(m *Machine) string {
	var b strings.Builder
	d := dumper{&b, map[uintptr]bool{}}
	d.value("machine", reflect.ValueOf(m))
	return b.String()
}

type dumper struct {
	*strings.Builder
	seen map[uintptr]bool
}

func (d *dumper) value(name string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || d.seen[v.Pointer()] {
			fmt.Fprintln(d, name, v.IsNil())
			return
		}
		d.seen[v.Pointer()] = true
		d.value(name, v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() || v.Type() == reflect.TypeFor[netip.AddrPort]() {
			fmt.Fprintf(d, "%s %#v\n", name, v)
			return
		}
		for i := range v.NumField() {
			switch field := v.Type().Field(i).Name; field {
			case "rand", "inUse", "failures", "waiting", "next":
				if field == "next" && v.Type() == reflect.TypeFor[attempt]() {
					d.value(name+"."+field, v.Field(i))
				}
			default:
				d.value(name+"."+field, v.Field(i))
			}
		}
	case reflect.Slice, reflect.Array:
		switch v.Type().Elem().Kind() {
		case reflect.Uint8:
			fmt.Fprintf(d, "%s %x\n", name, v)
			return
		case reflect.Int16: // of ML-KEM's keys
			fmt.Fprintf(d, "%s %v\n", name, v)
			return
		}
		fmt.Fprintln(d, name, v.Len())
		for i := range v.Len() {
			d.value(fmt.Sprintf("%s[%d]", name, i), v.Index(i))
		}
	case reflect.Map:
		keys := v.MapKeys()
		text := func(i int) []byte { return fmt.Appendf(nil, "%x", keys[i]) }
		sort.Slice(keys, func(i, j int) bool { return bytes.Compare(text(i), text(j)) < 0 })
		for i, k := range keys {
			d.value(fmt.Sprintf("%s[%s]", name, text(i)), v.MapIndex(k))
		}
	case reflect.Func, reflect.Interface:
	default:
		fmt.Fprintf(d, "%s %v\n", name, v)
	}
}
