package conversation

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	randv2 "math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/handshake"
	"kith/ratchet"
)

// sessions returns both sides of a session.
func sessions() (i, r *handshake.Session) {
	i = &handshake.Session{RK: [32]byte{1}, HKI: [32]byte{2}, NHKR: [32]byte{3}, CIDK: cidk, AD: [32]byte{4}, RatchetKey: [32]byte{5}}
	r = new(handshake.Session)
	*r = *i
	k, err := ecdh.X25519().NewPrivateKey(r.RatchetKey[:])
	if err != nil {
		panic(err)
	}
	copy(i.RatchetKey[:], k.PublicKey().Bytes())
	return i, r
}

var friendStream = StreamID{0xbb}

// A script is a conversation and the friend that it is with, who says what the script says. Frames are lines:
//
//	hello FIRST            the friend's hello, who knows no stream of ours
//	hello FIRST NEXT       the same, who expects id NEXT
//	ack NEXT [BITMAP PARTS]
//	msg ID TEXT            a message of one part
//	part ID I/N TEXT       one of several
//	ping VALUE, pong VALUE; without a value, pong answers the last ping that came
//	end REASON
//	endpoints ADDRESS…
//	raw HEX
//
// Texts of more than 20 bytes are wanted as their length.
type script struct {
	*testing.T
	*side
	c       *Conversation
	friend  *ratchet.State
	role    handshake.Role // of c
	now     time.Time
	from    netip.AddrPort // where the friend is
	index   uint32         // under which connection id the friend sends
	stalled bool           // the store takes its time

	arrived  []string // frames of each datagram that was sent and not wanted yet, behind address and connection id where these are not the usual ones
	cid      uint32   // the usual one
	pings    []string // the values of those that came
	repeated map[string]bool
	events   []string
}

// newScript returns a conversation that nothing has come to.
func newScript(t *testing.T, role handshake.Role) *script { return newScriptOf(t, newSide(t), role) }

func newScriptOf(t *testing.T, of *side, role handshake.Role) *script {
	s := &script{T: t, side: of, role: role, now: start, from: home, repeated: map[string]bool{}}
	i, r := sessions()
	own, other := i, r
	if role == handshake.Responder {
		own, other = r, i
	}
	var err error
	s.c, err = New(s.now, Config{
		Role: role, Session: own, To: home, Sending: s.out, Receiving: s.in, Journal: s.journal,
		Random: randv2.New(randv2.NewPCG(1, 2)),
	})
	require.NoError(t, err)
	require.Zero(t, *own, "erased")
	secrets := &ratchet.Secrets{RK: other.RK, HKI: other.HKI, NHKR: other.NHKR, AD: other.AD}
	if role == handshake.Initiator {
		s.friend = ratchet.NewResponder(secrets, &other.RatchetKey, rand.Reader)
		s.receive(home, s.c.HelloDatagram())
		s.want("hello 0")
	} else {
		s.friend, err = ratchet.NewInitiator(secrets, other.RatchetKey, rand.Reader)
		require.NoError(t, err)
	}
	s.out.Notify(func(now time.Time) { s.c.Wake(now) })
	s.in.Notify(func(now time.Time) { s.c.Wake(now) })
	return s
}

// newOpenScript returns a conversation in which both have said and acknowledged hello, and nothing else.
func newOpenScript(t *testing.T, role handshake.Role) *script {
	s := newScript(t, role)
	s.open()
	return s
}

func (s *script) open() {
	s.Helper()
	if s.role == handshake.Initiator {
		s.send("hello 0", "ack 0", "ping abcdefgh")
		s.want("ack 0", "pong abcdefgh")
	} else {
		s.send("hello 0")
		s.want("hello 0", "ack 0", "ping")
		s.send("ack 0", "pong")
	}
	s.wantEvents("connected")
	s.wantNothing()
}

// plaintext returns the plaintext of frames.
func (s *script) plaintext(frames ...string) []byte {
	var b []byte
	for _, f := range frames {
		if value, ok := strings.CutPrefix(f, "raw "); ok {
			raw, err := hex.DecodeString(strings.ReplaceAll(value, " ", ""))
			require.NoError(s, err)
			return append(b, raw...)
		}
		frame := s.frame(strings.Fields(f))
		b = appendFrame(b, &frame)
	}
	return Pad(b)
}

func (s *script) frame(words []string) (f Frame) {
	number := func(i int) (n uint64) {
		if i < len(words) {
			_, err := fmt.Sscanf(words[i], "%v", &n)
			require.NoError(s, err)
		}
		return n
	}
	text := func(i int) []byte { return []byte(strings.Join(words[min(i, len(words)):], " ")) }
	switch words[0] {
	case "hello":
		f = Frame{Type: FrameHello, Hello: Hello{Stream: friendStream, First: number(1)}}
		if len(words) > 2 {
			f.Hello.Other, f.Hello.Next = s.out.Stream(), number(2)
		}
	case "ack":
		f = Frame{Type: FrameAck, Ack: Ack{number(1), number(2), number(3)}}
	case "msg":
		f = Frame{Type: FrameMessage, Part: Part{ID: number(1), Parts: 1, Type: Text, Bytes: text(2)}}
	case "part":
		f = Frame{Type: FrameMessage, Part: Part{ID: number(1), Bytes: text(3)}}
		_, err := fmt.Sscanf(words[2], "%d/%d", &f.Part.Part, &f.Part.Parts)
		require.NoError(s, err)
		if f.Part.Part == 0 {
			f.Part.Type = Text
		}
	case "ping":
		f = Frame{Type: FramePing, Value: text(1)}
	case "pong":
		f = Frame{Type: FramePong, Value: text(1)}
		if len(words) == 1 {
			f.Value = []byte(s.pings[len(s.pings)-1])
		}
	case "end":
		f = Frame{Type: FrameEnd, Reason: uint8(number(1))}
	case "endpoints":
		f.Type = FrameEndpoints
		for _, w := range words[1:] {
			f.Endpoints = append(f.Endpoints, netip.MustParseAddrPort(w))
		}
	default:
		s.Fatalf("no frame: %v", words)
	}
	return f
}

// seal returns the datagram in which the friend sends frames.
func (s *script) seal(frames ...string) []byte {
	cid := handshake.NewCID(&cidk, s.role, s.index)
	b, err := s.friend.Encrypt(append([]byte{DatagramType}, cid[:]...), s.plaintext(frames...))
	require.NoError(s, err)
	return b
}

// send lets a datagram of the friend's come. The handshake takes whatever opens first, at once.
func (s *script) send(frames ...string) {
	s.Helper()
	require.NoError(s, s.deliver(s.from, s.index, s.seal(frames...)))
}

func (s *script) deliver(from netip.AddrPort, index uint32, b []byte) error {
	opened, err := s.c.HandleDatagram(s.now, from, index, bytes.Clone(b))
	if opened {
		s.c.Finish(s.now)
	}
	s.settle()
	return err
}

// settle lets the store and the conversation do what they can at this moment.
func (s *script) settle() {
	s.drain()
	for !s.stalled {
		batch, seq, ok := s.journal.Take(s.now)
		if !ok {
			return
		}
		s.disk.commit(batch)
		s.journal.Done(s.now, seq)
		s.drain()
	}
}

func (s *script) drain() {
	for {
		to, b, ok := s.c.Transmit()
		if !ok {
			break
		}
		s.receive(to, b)
	}
	for {
		e, ok := s.c.Event()
		if !ok {
			return
		}
		s.events = append(s.events, eventLine(e))
	}
}

func eventLine(e Event) string {
	why := map[Why]string{WhyLost: "lost", WhyLeft: "left", WhyDay: "day", WhyMalformed: "malformed", WhyRestored: "restored", WhyEnded: "ended"}[e.Why]
	switch e.Kind {
	case EventConnected:
		return "connected"
	case EventEnding:
		return "ending " + why
	case EventOver:
		return "over " + why
	case EventMissing:
		return fmt.Sprintf("missing %d to %d", e.From, e.To)
	case EventDelivered:
		return fmt.Sprintf("delivered %d to %d", e.From, e.To)
	case EventEndpoints:
		return fmt.Sprintf("endpoints %v", e.Endpoints)
	case EventCIDs:
		return "cids"
	}
	return "?"
}

// receive opens what was sent to the friend.
func (s *script) receive(to netip.AddrPort, b []byte) {
	s.Helper()
	require.False(s, s.repeated[string(b)], "a ciphertext was sent twice")
	s.repeated[string(b)] = true
	require.EqualValues(s, DatagramType, b[0])
	require.LessOrEqual(s, len(b), 1232)
	line := ""
	if to != home {
		line = "to " + to.String() + " "
	}
	other := handshake.Initiator
	if s.role == handshake.Initiator {
		other = handshake.Responder
	}
	for i := uint32(0); ; i++ {
		require.Less(s, i, uint32(100), "no connection id of the friend's")
		if handshake.NewCID(&cidk, other, i) == handshake.CID(b[1:HeadSize]) {
			if i != s.cid {
				line += fmt.Sprintf("cid %d ", i)
			}
			break
		}
	}
	plaintext, _, err := s.friend.Decrypt(nil, b[HeadSize:])
	require.NoError(s, err)
	var f Frames
	require.NoError(s, ParseFrames(plaintext, &f))
	var lines []string
	for i := range f.List {
		lines = append(lines, s.frameLine(&f.List[i]))
	}
	s.arrived = append(s.arrived, line+strings.Join(lines, "; "))
}

func (s *script) frameLine(f *Frame) string {
	text := string(f.Part.Bytes)
	if len(text) > 20 {
		text = fmt.Sprint(len(text))
	}
	switch f.Type {
	case FrameHello:
		line := fmt.Sprintf("hello %d", f.Hello.First)
		if f.Hello.Other != (StreamID{}) {
			line += fmt.Sprintf(" %d", f.Hello.Next)
		}
		return line
	case FrameAck:
		if f.Ack.Bitmap == 0 && f.Ack.Parts == 0 {
			return fmt.Sprintf("ack %d", f.Ack.Next)
		}
		return fmt.Sprintf("ack %d %#b %#b", f.Ack.Next, f.Ack.Bitmap, f.Ack.Parts)
	case FrameMessage:
		if f.Part.Parts == 1 {
			return fmt.Sprintf("msg %d %s", f.Part.ID, text)
		}
		return fmt.Sprintf("part %d %d/%d %s", f.Part.ID, f.Part.Part, f.Part.Parts, text)
	case FramePing:
		s.pings = append(s.pings, string(f.Value))
		return "ping"
	case FramePong:
		return "pong " + string(f.Value)
	case FrameEnd:
		return fmt.Sprintf("end %d", f.Reason)
	}
	return fmt.Sprintf("frame %d", f.Type)
}

// want wants one datagram with these frames to have been sent, the oldest of what was not wanted yet. A first word "to …" or "cid …" goes with the first frame.
func (s *script) want(frames ...string) {
	s.Helper()
	require.NotEmpty(s, s.arrived, "nothing was sent")
	line := s.arrived[0]
	s.arrived = s.arrived[1:]
	require.Equal(s, strings.Join(frames, "; "), line)
}

// wantNothing wants nothing else to have been sent.
func (s *script) wantNothing() {
	s.Helper()
	require.Empty(s, s.arrived)
}

// wantEvents wants these events to have come since the last time.
func (s *script) wantEvents(events ...string) {
	s.Helper()
	require.Equal(s, strings.Join(events, "; "), strings.Join(s.events, "; "))
	s.events = nil
}

// advance lets time pass.
func (s *script) advance(d time.Duration) {
	s.Helper()
	end := s.now.Add(d)
	for wakes := 0; ; wakes++ {
		require.Less(s, wakes, 10_000, "it does not let anybody sleep")
		at := s.c.NextTimeout()
		if at.IsZero() || at.After(end) {
			break
		}
		if at.After(s.now) {
			s.now = at
		}
		s.c.HandleTimeout(s.now)
		s.settle()
	}
	s.now = end
	s.settle()
}

// say queues messages.
func (s *script) say(texts ...string) {
	s.Helper()
	for _, text := range texts {
		_, err := s.out.Queue(Text, []byte(text))
		require.NoError(s, err)
	}
	s.c.Wake(s.now)
	s.settle()
}

// wantText wants these messages, and no others, to have been delivered durably.
func (s *script) wantText(texts ...string) {
	s.Helper()
	var got []string
	for {
		d, ok := s.in.Delivery()
		if !ok {
			break
		}
		got = append(got, string(d.Text))
		require.NoError(s, s.in.Taken(s.now, d.Position))
	}
	require.Equal(s, texts, got)
}
