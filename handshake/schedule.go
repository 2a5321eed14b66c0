package handshake

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
)

const (
	handshakeLabel = "kith/1 handshake\x00"
	sessionLabel   = "kith/1 session\x00"
)

// A Session is what a handshake gives to both sides: the secrets from which the ratchet starts (Signal's names), and those of
// the conversation around it.
type Session struct {
	RK   [32]byte // RK, the root key
	HKI  [32]byte // HK_I, header key of the initiator's first chain (shared_hka)
	NHKR [32]byte // NHK_R, header key of the responder's first chain (shared_nhkb)
	CIDK [32]byte // CIDK, from which CID makes connection ids
	AD   [32]byte // AD, associated data of every message

	// RatchetKey is rk, the responder's first ratchet key: the public one in the initiator's session, the private one in the
	// responder's.
	RatchetKey [X25519Size]byte
}

// Erase clears the session. The caller does so when the ratchet has its copy.
func (s *Session) Erase() { *s = Session{} } // hs-erase-rk

// secrets are the input of the key schedule: auth ‖ dh1 ‖ dh2 ‖ dh3 ‖ ss.
type secrets [5 * 32]byte

func (s *secrets) dh1() *[32]byte { return (*[32]byte)(s[32:]) }
func (s *secrets) dh2() *[32]byte { return (*[32]byte)(s[64:]) }
func (s *secrets) dh3() *[32]byte { return (*[32]byte)(s[96:]) }
func (s *secrets) ss() *[32]byte  { return (*[32]byte)(s[128:]) }

// setAuth puts in key("auth") of the handshake that initiator began. It keeps a leaked spk from letting anyone be anyone.
func (s *secrets) setAuth(p *Pair, initiator Side) {
	auth := p.key(LabelAuth, initiator, 0)
	copy(s[:32], auth)
	clear(auth)
}

// An output is that of the key schedule: RK(32) ‖ HK_I(32) ‖ NHK_R(32) ‖ confirm(16) ‖ CIDK(32) ‖ AD(32).
type output [5*32 + ConfirmSize]byte

// expand computes the output from the secrets and the transcript.
func (o *output) expand(s *secrets, th [sha256.Size]byte) { // hs-schedule
	prk, err := hkdf.Extract(sha256.New, s[:], []byte(handshakeLabel))
	if err != nil {
		panic("handshake: HKDF refuses a salt that is constant")
	}
	defer clear(prk)
	out, err := hkdf.Expand(sha256.New, prk, sessionLabel+string(th[:]), len(o))
	if err != nil {
		panic("handshake: HKDF refuses a length that is constant")
	}
	copy(o[:], out)
	clear(out)
}

func (o *output) confirm() []byte { return o[96 : 96+ConfirmSize] }

// session returns the session with the responder's first ratchet key in it.
func (o *output) session(rk *[X25519Size]byte) *Session {
	return &Session{
		RK:         [32]byte(o[0:]),
		HKI:        [32]byte(o[32:]),
		NHKR:       [32]byte(o[64:]),
		CIDK:       [32]byte(o[112:]),
		AD:         [32]byte(o[144:]),
		RatchetKey: *rk,
	}
}

// A Role is a side of a handshake.
type Role byte

// The roles, by the byte that stands for them.
const (
	Initiator Role = 'I'
	Responder Role = 'R'
)

// A CID is a connection id: it begins the datagrams of a conversation and says whose they are to nobody but the two.
type CID [8]byte

// NewCID returns connection id i of the datagrams that go to a role: HMAC(CIDK, role ‖ u32(i))[0:8].
func NewCID(cidk *[32]byte, to Role, i uint32) CID { // hs-cid
	m := hmac.New(sha256.New, cidk[:])
	m.Write(binary.BigEndian.AppendUint32([]byte{byte(to)}, i))
	var sum [sha256.Size]byte
	return CID(m.Sum(sum[:0]))
}
