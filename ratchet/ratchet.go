package ratchet

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"

	"kith/internal/curve25519"
)

// The reason classes of what this package refuses.
var (
	ErrMalformed      = errors.New("malformed")
	ErrAuthentication = errors.New("authentication")
	ErrReplay         = errors.New("replay")
	ErrState          = errors.New("state")
	ErrLimit          = errors.New("limit")
)

// Sizes in bytes, and limits.
const (
	// Overhead is how much longer a message is than its plaintext: 80 bytes of sealed header and 16 of tag.
	Overhead = sealedHeaderSize + chacha20poly1305.Overhead

	// MaxMessage is the longest message. With the 9 bytes that a conversation puts before it, it fills a datagram of 1,232.
	MaxMessage = 1223

	// MaxPlaintext is the longest plaintext.
	MaxPlaintext = MaxMessage - Overhead

	// MaxChain is how many messages one sending chain has. An answer begins the next chain.
	MaxChain = 512

	// MaxSkip is how many messages of one chain may be missing before one that opens.
	MaxSkip = 1000

	// MaxSkipped is how many keys of missing messages are kept in all.
	MaxSkipped = 2000

	// MaxOldChains is of how many receiving chains before the present one they are kept.
	MaxOldChains = 5
)

// Secrets are what a handshake ends with, the same for both sides.
type Secrets struct {
	RK   [32]byte // the first root key
	HKI  [32]byte // HK_I: header key of the initiator's first chain (shared_hka)
	NHKR [32]byte // NHK_R: header key of the responder's first chain (shared_nhkb)
	AD   [32]byte // goes into the associated data of every header and body
}

// Erase overwrites the secrets with zeros.
func (s *Secrets) Erase() { *s = Secrets{} }

// A State is one end of a conversation. Its zero value, and an erased one, refuse everything. It is not safe for concurrent use.
type State struct {
	random io.Reader // nil: there are no keys here, at all
	ad     [32]byte

	root    [32]byte // RK
	private [32]byte // DHs
	public  [32]byte // DHs

	sends          bool     // whether there is a sending chain
	sending        chain    // CKs, Ns
	sendHeader     [32]byte // HKs
	nextSendHeader [32]byte // NHKs
	previous       uint32   // PN

	newest         source   // DHr, HKr: the newest receiving chain
	receiving      chain    // CKr, Nr: of the same
	nextRecvHeader [32]byte // NHKr

	skipped skippedKeys          // MKSKIPPED
	old     [MaxOldChains]source // of what older chains there are skipped keys; the newest first
}

// A chain makes message keys. Whether there is one never shows in its bytes: 32 zeros are a key that everybody knows.
type chain struct {
	key [32]byte // CK
	n   uint64   // the number of the next message
}

// A source is a receiving chain as its headers show it.
type source struct {
	number uint64   // how many receiving chains there were up to this one; 0: it is none
	dh     [32]byte // the other side's ratchet public key
	header [32]byte // HK
}

// NewInitiator returns the initiator's state, which can send at once. rk is the ratchet public key out of the responder's offer;
// the error is ErrMalformed when it is not a usable key. It copies what it needs out of s. All that is ever drawn is read
// from random (nil: crypto/rand.Reader), here the 32 bytes of the first ratchet private key.
func NewInitiator(s *Secrets, rk [32]byte, random io.Reader) (*State, error) {
	if !curve25519.Canonical(&rk) {
		return nil, fmt.Errorf("ratchet: public key of the responder is not canonical: %w", ErrMalformed) // rt-start-key
	}
	st := newState(s, random)
	st.nextSendHeader, st.nextRecvHeader = s.HKI, s.NHKR // rt-start
	if err := st.drawSending(&rk); err != nil {
		return nil, err
	}
	return st, nil
}

// NewResponder returns the responder's state, which can send once it has opened a message. rkPrivate is the private key of the
// ratchet key in its offer. It copies what it needs out of s and rkPrivate. All that is ever drawn is read from random (nil:
// crypto/rand.Reader).
func NewResponder(s *Secrets, rkPrivate *[32]byte, random io.Reader) *State {
	st := newState(s, random)
	st.private = *rkPrivate
	st.public = curve25519.Public(rkPrivate)
	st.nextSendHeader, st.nextRecvHeader = s.NHKR, s.HKI // rt-start
	return st
}

func newState(s *Secrets, random io.Reader) *State {
	if random == nil {
		random = rand.Reader
	}
	return &State{random: random, ad: s.AD, root: s.RK}
}

// draw fills b, which is one named draw of the spec, with one read.
func (s *State) draw(b []byte) error {
	if _, err := io.ReadFull(s.random, b); err != nil {
		return fmt.Errorf("ratchet: no randomness: %w", err)
	}
	return nil
}

// drawSending is startSending with a private key that it draws.
func (s *State) drawSending(public *[32]byte) error {
	var private [32]byte
	defer clear(private[:])
	if err := s.draw(private[:]); err != nil {
		return err
	}
	return s.startSending(&private, public)
}

// startSending begins the sending chain of a new ratchet private key towards the other side's public key.
func (s *State) startSending(private, public *[32]byte) error {
	var shared [32]byte
	if curve25519.X25519(&shared, private, public) != nil {
		return fmt.Errorf("ratchet: public key has small order: %w", ErrMalformed) // rt-start-key, rt-dh-zero
	}
	s.sends = true
	s.previous, s.sending.n = uint32(s.sending.n), 0
	s.sendHeader = s.nextSendHeader
	s.root, s.sending.key, s.nextSendHeader = KDFRoot(&s.root, &shared)
	clear(shared[:])
	s.private, s.public = *private, curve25519.Public(private) // rt-erase-dh
	return nil
}

// Erase overwrites every key with zeros. After it the state refuses everything.
func (s *State) Erase() {
	s.skipped.erase()
	*s = State{}
}
