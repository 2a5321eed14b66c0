package shim

import (
	"bytes"
	"io"
	"math/rand/v2"
	"time"

	"kith/handshake"
	"kith/peer/conversation"
	"kith/ratchet"
)

// A pcSide is one side's datagrams. The conversation judges what comes; since it shows no plaintext and seals frames of its own only, a second
// ratchet with the same draws opens what it took, and seals.
type pcSide struct {
	role   handshake.Role
	cidk   [32]byte
	conv   *conversation.Conversation
	store  *talkStore
	second *ratchet.State
	rand   *twice
}

// twice gives both ratchets the same ratchet keys, the conversation first. What the conversation draws beside them nobody sees.
type twice struct {
	from  io.Reader // the request's draws
	other *rand.ChaCha8
	kept  []byte
}

func (t *twice) Read(p []byte) (int, error) {
	if len(p) != 32 {
		return t.other.Read(p)
	}
	n, err := io.ReadFull(t.from, p)
	t.kept = bytes.Clone(p[:n])
	return n, err
}

// again is the second ratchet's.
type again struct{ of *twice }

func (a again) Read(p []byte) (int, error) {
	if a.of.kept == nil {
		return a.of.from.Read(p)
	}
	n := copy(p, a.of.kept)
	a.of.kept = nil
	return n, nil
}

func pcBegin(c *call) (any, error) {
	q := in[struct {
		start
		Role string `json:"role"`
		CIDK octets `json:"CIDK"`
	}](c)
	secrets, rk := q.secrets()
	s := &pcSide{role: roleOf(q.Role), cidk: [32]byte(sized("CIDK", q.CIDK, 32)), rand: &twice{from: c.rand(), other: rand.NewChaCha8([32]byte{1})},
		store: newTalkStore(make([]byte, 8), 0, 0, 0, nil)}
	session := &handshake.Session{RK: secrets.RK, HKI: secrets.HKI, NHKR: secrets.NHKR, AD: secrets.AD, CIDK: s.cidk, RatchetKey: rk}
	var err error
	if s.conv, err = converse(s.role, session, s.store, s.rand, rand.NewChaCha8([32]byte{2})); err != nil {
		return nil, err
	}
	if s.role == handshake.Responder {
		s.second = ratchet.NewResponder(secrets, &rk, again{s.rand})
	} else if s.second, err = ratchet.NewInitiator(secrets, rk, again{s.rand}); err != nil {
		return nil, err
	}
	c.open(q.Handle, s)
	return nil, nil
}

// other is the role of the other side.
func (s *pcSide) other() handshake.Role {
	if s.role == handshake.Initiator {
		return handshake.Responder
	}
	return handshake.Initiator
}

func pcSeal(c *call) (any, error) {
	q := in[struct {
		Handle string `json:"handle"`
		I      uint32 `json:"i"`
		Frames octets `json:"frames"`
	}](c)
	s := state[*pcSide](c, q.Handle)
	cid := handshake.NewCID(&s.cidk, s.other(), q.I)
	plaintext := conversation.Pad(bytes.Clone(q.Frames))
	c.show("cid", cid[:])
	c.show("plaintext", plaintext)
	datagram, err := s.second.Encrypt(append([]byte{0x51}, cid[:]...), plaintext)
	return struct {
		Datagram octets `json:"datagram"`
	}{datagram}, err
}

func pcOpen(c *call) (any, error) {
	q := in[struct {
		Handle   string  `json:"handle"`
		NowMS    decimal `json:"now_ms"`
		Datagram octets  `json:"datagram"`
	}](c)
	s := state[*pcSide](c, q.Handle)
	now := time.UnixMilli(int64(q.NowMS))
	index := s.conv.Base()
	for i, cid := range s.conv.CIDs() {
		if bytes.HasPrefix(q.Datagram[min(1, len(q.Datagram)):], cid[:]) {
			index += uint32(i)
		}
	}
	opened, err := s.conv.HandleDatagram(now, talkAddr, index, q.Datagram)
	if opened {
		s.conv.Finish(now)
	}
	s.store.commit(now)
	ends := false // what came was opened, and its plaintext refused
	for e, ok := s.conv.Event(); ok; e, ok = s.conv.Event() {
		ends = ends || e.Kind == conversation.EventEnding
	}
	if err != nil && !ends {
		return nil, err
	}
	plaintext, newest, err := s.second.Decrypt(nil, q.Datagram[9:])
	return struct {
		I         uint32 `json:"i"`
		Plaintext octets `json:"plaintext"`
		Newest    bool   `json:"newest"`
	}{index, plaintext, newest}, err
}
