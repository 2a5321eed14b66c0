package shim

import (
	"bytes"
	"crypto/ecdh"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"kith/handshake"
	"kith/peer/conversation"
	"kith/peer/durable"
	"kith/ratchet"
)

// A talk is one conversation with what it stores, and the other side of it as a ratchet without rules: whatever that seals comes in. The store
// is durable whenever settle has returned.
type talk struct {
	conv     *conversation.Conversation
	store    *talkStore
	other    *ratchet.State
	role     handshake.Role
	cidk     [32]byte
	random   *talkRandom
	now      time.Time
	missing  []pcEvent // that were told of since the last time
	aborted  bool
	restored bool
}

// A talkStore is what outlives conversations.
type talkStore struct {
	journal   *durable.Journal
	sending   *conversation.Sending
	receiving *conversation.Receiving
	streams   []byte // what is stored of the receiving side
	delivered []string
}

// talkStart is when every talk begins: operations without a now have no time in them.
var (
	talkStart = time.Unix(1_800_000_000, 0)
	talkAddr  = netip.MustParseAddrPort("192.0.2.1:6881")
	talkKey   = []byte{0, 0, 0, 1} // of the one contact
)

type pcStream struct {
	Stream octets `json:"stream"`
	Next   string `json:"next"`
}

// natural reads a number of 64 bits.
func natural(name, s string) uint64 {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || unsigned(n) != s {
		faultf("in: %s is %q", name, s)
	}
	return n
}

// newTalkStore returns a store with a stream, of which the ids below acknowledged are gone, those below given are given, and queued more wait.
func newTalkStore(stream octets, acknowledged, given uint64, queued int, streams []pcStream) *talkStore {
	t := &talkStore{journal: new(durable.Journal), streams: make([]byte, 8)}
	if given < acknowledged || queued < 0 || given-acknowledged+uint64(queued) > conversation.MaxOutbox {
		faultf("in: these are not the messages of a stream")
	}
	own := append(binary.BigEndian.AppendUint64(append([]byte(nil), sized("stream", stream, 8)...), 0), u64(given)...)
	stored := []durable.Change{{Bucket: conversation.BucketSending, Key: talkKey, Value: own}}
	for position := acknowledged; position < given+uint64(queued); position++ {
		stored = append(stored, durable.Change{Bucket: conversation.BucketOutbox, Key: append(talkKey[:4:4], u64(position)...), Value: []byte{byte(conversation.Text), 'm'}})
	}
	for _, s := range streams {
		t.streams = append(append(t.streams, sized("stream", s.Stream, 8)...), u64(natural("next", s.Next))...)
	}
	if len(streams) > 0 {
		stored = append(stored, durable.Change{Bucket: conversation.BucketReceiving, Key: talkKey, Value: t.streams})
	}
	var err error
	if t.sending, err = conversation.NewSending(talkStart, t.journal, 1, stored, conversation.StreamID{}); err != nil {
		faultf("in: %v", err)
	}
	if t.receiving, err = conversation.NewReceiving(t.journal, 1, stored, nil); err != nil {
		faultf("in: %v", err)
	}
	return t
}

// commit makes everything durable.
func (t *talkStore) commit(now time.Time) (some bool) {
	for {
		batch, seq, ok := t.journal.TakeAll()
		if !ok {
			return some
		}
		some = true
		for _, change := range batch {
			if change.Bucket == conversation.BucketReceiving {
				t.streams = change.Value
			}
		}
		t.journal.Done(now, seq)
	}
}

// remembered are the streams of the other side as they are stored.
func (t *talkStore) remembered() []pcStream {
	out := []pcStream{}
	for b := t.streams[8:]; len(b) > 0; b = b[16:] {
		out = append(out, pcStream{b[:8], unsigned(binary.BigEndian.Uint64(b[8:]))})
	}
	return out
}

// newTalk begins a conversation with secrets that do not matter.
func newTalk(role handshake.Role, store *talkStore, cidk [32]byte) *talk {
	private := [32]byte{31: 1}
	key, err := ecdh.X25519().NewPrivateKey(private[:])
	if err != nil {
		panic(err)
	}
	public := [32]byte(key.PublicKey().Bytes())
	secrets := ratchet.Secrets{RK: [32]byte{1}, HKI: [32]byte{2}, NHKR: [32]byte{3}, AD: [32]byte{4}}
	session := &handshake.Session{RK: secrets.RK, HKI: secrets.HKI, NHKR: secrets.NHKR, AD: secrets.AD, CIDK: cidk, RatchetKey: public}
	t := &talk{store: store, role: role, cidk: cidk, now: talkStart, random: &talkRandom{ChaCha8: rand.NewChaCha8([32]byte{3})}}
	if role == handshake.Initiator {
		t.other = ratchet.NewResponder(&secrets, &private, rand.NewChaCha8([32]byte{1}))
	} else {
		session.RatchetKey = private
		if t.other, err = ratchet.NewInitiator(&secrets, public, rand.NewChaCha8([32]byte{1})); err != nil {
			panic(err)
		}
	}
	if t.conv, err = converse(role, session, store, rand.NewChaCha8([32]byte{2}), t.random); err != nil {
		panic(err)
	}
	return t
}

func converse(role handshake.Role, session *handshake.Session, store *talkStore, secret io.Reader, random rand.Source) (*conversation.Conversation, error) {
	return conversation.New(talkStart, conversation.Config{
		Role: role, Session: session, To: talkAddr, Sending: store.sending, Receiving: store.receiving, Journal: store.journal,
		Rand: secret, Random: rand.New(random),
	})
}

// A talkRandom is where a conversation draws what is no secret: the values of pings from a generator, the id of a stream from the request.
type talkRandom struct {
	*rand.ChaCha8
	draws *source // nil: none
}

func (r *talkRandom) Uint64() uint64 {
	if r.draws == nil || len(r.draws.left) == 0 {
		return r.ChaCha8.Uint64()
	}
	var id conversation.StreamID
	r.draws.Read(id[:])
	return binary.LittleEndian.Uint64(id[:])
}

// greets lets the first datagram of the other side come: padding alone. What comes later is judged at once.
func (t *talk) greets() {
	if hello := t.conv.HelloDatagram(); hello != nil {
		t.frames(hello)
	}
	if err := t.hears(make([]byte, conversation.Block)); err != nil {
		panic(err)
	}
}

// hears seals a plaintext and lets it come. The error says why it ends the conversation.
func (t *talk) hears(plaintext []byte) error { return t.hearsUnder(t.conv.Base(), plaintext) }

// hearsUnder lets it come under own connection id i.
func (t *talk) hearsUnder(i uint32, plaintext []byte) error {
	cid := handshake.NewCID(&t.cidk, t.role, i)
	datagram, err := t.other.Encrypt(append([]byte{0x51}, cid[:]...), plaintext)
	if err != nil {
		faultf("in: a plaintext of %d bytes: %v", len(plaintext), err)
	}
	opened, err := t.conv.HandleDatagram(t.now, talkAddr, i, datagram)
	if opened {
		t.conv.Finish(t.now)
	}
	t.settle()
	if err == nil && t.aborted {
		if err = conversation.ParseFrames(plaintext, new(conversation.Frames)); err == nil {
			err = conversation.ErrMalformed // by a rule beyond the frames
		}
	}
	return err
}

// settle makes everything durable that is to be, and takes the events.
func (t *talk) settle() {
	for t.store.commit(t.now) {
		t.conv.Wake(t.now)
	}
	for e, ok := t.conv.Event(); ok; e, ok = t.conv.Event() {
		switch {
		case e.Kind == conversation.EventMissing:
			t.missing = append(t.missing, pcEvent{Missing: &pcRange{unsigned(e.From), unsigned(e.To - 1)}})
		case e.Kind == conversation.EventDelivered:
			for position := e.From; position < e.To; position++ {
				t.store.delivered = append(t.store.delivered, unsigned(position))
			}
		case e.Kind == conversation.EventEnding:
			t.aborted, t.restored = e.Why == conversation.WhyMalformed, e.Why == conversation.WhyRestored
		}
	}
}

// frames opens a datagram of the conversation.
func (t *talk) frames(datagram []byte) []conversation.Frame {
	plaintext, _, err := t.other.Decrypt(nil, datagram[9:])
	if err != nil {
		panic(err)
	}
	var f conversation.Frames
	if err := conversation.ParseFrames(plaintext, &f); err != nil {
		panic(err)
	}
	return f.List
}

// says returns what the conversation sends until nothing more comes for 100 ms. Its pings are answered, so that its address for the other side is proved.
func (t *talk) says() (all []conversation.Frame) {
	end := t.now.Add(100 * time.Millisecond)
	for {
		for _, b, ok := t.conv.Transmit(); ok; _, b, ok = t.conv.Transmit() {
			frames := t.frames(bytes.Clone(b))
			all = append(all, frames...)
			for _, f := range frames {
				if f.Type == conversation.FramePing {
					_ = t.hears(conversation.Pad(conversation.AppendPong(nil, f.Value)))
				}
			}
			t.settle()
		}
		next := t.conv.NextTimeout()
		if next.IsZero() || next.After(end) {
			return all
		}
		t.now = next
		t.conv.HandleTimeout(t.now)
		t.settle()
	}
}

type pcEvent struct {
	Delivered *pcDelivered `json:"delivered,omitempty"`
	Refused   *pcCounted   `json:"refused,omitempty"`
	Missing   *pcRange     `json:"missing,omitempty"`
}

type pcDelivered struct {
	ID    string `json:"id"`
	Bytes octets `json:"bytes"`
}

type pcCounted struct {
	ID string `json:"id"`
}

type pcRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// told returns what the user is told of since it was asked last.
func (t *talk) told() []pcEvent {
	all := t.missing
	t.missing = nil
	for d, ok := t.store.receiving.Delivery(); ok; d, ok = t.store.receiving.Delivery() {
		if d.Refused != 0 {
			all = append(all, pcEvent{Refused: &pcCounted{unsigned(d.ID)}})
		} else {
			all = append(all, pcEvent{Delivered: &pcDelivered{unsigned(d.ID), d.Text}})
		}
	}
	return all
}

func pcReceive(c *call) (any, error) {
	q := in[struct {
		Streams    []pcStream `json:"streams"`
		Plaintexts []octets   `json:"plaintexts"`
	}](c)
	t := newTalk(handshake.Responder, newTalkStore(make([]byte, 8), 0, 0, 0, q.Streams), [32]byte{})
	t.greets()
	t.says()
	type told struct {
		Events  []pcEvent  `json:"events"`
		Streams []pcStream `json:"streams"`
	}
	out := struct {
		told
		Ack   *pcAck   `json:"ack,omitempty"`
		Pongs []octets `json:"pongs"`
	}{told{[]pcEvent{}, nil}, nil, []octets{}}
	for _, p := range q.Plaintexts {
		err := t.hears(p)
		out.Events = append(out.Events, t.told()...)
		out.Streams = t.store.remembered()
		if err != nil {
			return nil, refuse(classOf(err), out.told)
		}
	}
	for _, f := range t.says() {
		if f.Type == conversation.FramePong {
			out.Pongs = append(out.Pongs, bytes.Clone(f.Value))
		}
	}
	if a, ok := t.store.receiving.Ack(); ok {
		out.Ack = pcAckOf(&a)
	}
	out.Streams = t.store.remembered()
	return out, nil
}

func pcSend(c *call) (any, error) {
	q := in[struct {
		Role         string    `json:"role"`
		Stream       octets    `json:"stream"`
		Acknowledged string    `json:"acknowledged"`
		Given        string    `json:"given"`
		Queued       int       `json:"queued"`
		Older        *[]octets `json:"older"`
		Plaintexts   []octets  `json:"plaintexts"`
	}](c)
	store := newTalkStore(q.Stream, natural("acknowledged", q.Acknowledged), natural("given", q.Given), q.Queued, nil)
	store.delivered = []string{}
	type told struct {
		Delivered []string `json:"delivered"`
	}
	var t *talk
	all := [][]octets{q.Plaintexts}
	if q.Older != nil {
		all = append([][]octets{*q.Older}, all...)
	}
	for _, plaintexts := range all {
		if t != nil {
			t.conv.Erase()
		}
		t = newTalk(roleOf(q.Role), store, [32]byte{})
		for i, p := range plaintexts {
			if i == 0 {
				t.greets()
				t.random.draws = c.shim.rand // from here on nothing is drawn but the id of a new stream
			}
			if err := t.hears(p); err != nil {
				return nil, refuse(classOf(err), told{store.delivered})
			}
		}
	}
	ids := []string{}
	if !t.restored {
		for _, f := range t.says() {
			if id := unsigned(f.Part.ID); f.Type == conversation.FrameMessage && !slices.Contains(ids, id) { // nobody acknowledges, so some come again
				ids = append(ids, id)
			}
		}
	}
	stream := store.sending.Stream()
	return struct {
		told
		IDs      []string `json:"ids"`
		Stream   octets   `json:"stream"`
		Restored bool     `json:"restored"`
	}{told{store.delivered}, ids, stream[:], t.restored}, nil
}

func pcSayHello(c *call) (any, error) {
	q := in[struct {
		Stream       octets     `json:"stream"`
		Acknowledged string     `json:"acknowledged"`
		Given        string     `json:"given"`
		Streams      []pcStream `json:"streams"`
	}](c)
	t := newTalk(handshake.Initiator, newTalkStore(q.Stream, natural("acknowledged", q.Acknowledged), natural("given", q.Given), 0, q.Streams), [32]byte{})
	hello := t.frames(t.conv.HelloDatagram())[0].Hello
	return struct {
		Hello octets `json:"hello"`
	}{conversation.AppendHello(nil, &hello)[conversation.HelloSize-32:]}, nil
}

func pcCIDs(c *call) (any, error) {
	q := in[struct {
		CIDK    octets `json:"CIDK"`
		Role    string `json:"role"`
		Highest uint32 `json:"highest"`
	}](c)
	t := newTalk(roleOf(q.Role), newTalkStore(make([]byte, 8), 0, 0, 0, nil), [32]byte(sized("CIDK", q.CIDK, 32)))
	t.greets()
	for t.conv.Base() < q.Highest { // as high as one datagram may go
		if err := t.hearsUnder(min(q.Highest, t.conv.Base()+7), make([]byte, conversation.Block)); err != nil {
			return nil, err
		}
	}
	out := []octets{}
	for _, cid := range t.conv.CIDs() {
		out = append(out, cid[:])
	}
	return struct {
		CIDs []octets `json:"cids"`
	}{out}, nil
}
