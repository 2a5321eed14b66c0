package ratchet

import (
	"fmt"
	"slices"
)

// Why a state cannot send. They are asked for before each datagram, so they are not made anew.
var (
	errUnanswerable = fmt.Errorf("ratchet: nothing was received that could be answered: %w", ErrState)
	errUnanswered   = fmt.Errorf("ratchet: %d messages without an answer: %w", MaxChain, ErrLimit)
)

// CanSend reports whether Encrypt has a key for one more message.
func (s *State) CanSend() bool { return s.maySend() == nil }

// maySend returns nil if there is a key for one more message.
func (s *State) maySend() error {
	switch {
	case !s.sends: // rt-send-none
		return errUnanswerable
	case s.sending.n >= MaxChain: // rt-send-limit
		return errUnanswered
	}
	return nil
}

// Encrypt appends to dst the message that carries plaintext: sealed header (80 bytes) ‖ body ‖ tag (16). plaintext must not overlap
// the free capacity of dst. It draws 24 bytes, the header's nonce.
//
// The error is ErrState when a responder has opened nothing yet, and ErrLimit when the chain or the plaintext is full.
func (s *State) Encrypt(dst, plaintext []byte) ([]byte, error) {
	if err := s.maySend(); err != nil {
		return nil, err
	}
	if len(plaintext) > MaxPlaintext { // rt-send-size
		return nil, fmt.Errorf("ratchet: plaintext has %d bytes, more than %d: %w", len(plaintext), MaxPlaintext, ErrLimit)
	}
	// The nonce is drawn into its place in the message.
	n := len(dst) + headerNonceSize
	dst = slices.Grow(dst, Overhead+len(plaintext))[:n]
	if err := s.draw(dst[n-headerNonceSize:]); err != nil {
		return nil, err
	}
	return s.encrypt(dst, plaintext), nil
}

// encrypt appends what follows the header's nonce, with which dst ends.
func (s *State) encrypt(dst, plaintext []byte) []byte {
	n := len(dst)
	dst = appendHeader(dst, &header{dh: s.public, pn: s.previous, n: uint32(s.sending.n)})
	dst = headerAEAD(&s.sendHeader).Seal(dst[:n], dst[n-headerNonceSize:n], dst[n:], s.ad[:])
	sealed := dst[n-headerNonceSize:]

	message := s.sending.next()
	body, nonce := bodyAEAD(&message)
	clear(message[:])
	return body.Seal(dst, nonce[:], plaintext, s.bodyAD(sealed)) // rt-send-form
}

// bodyAD returns the associated data of the body behind a sealed header.
func (s *State) bodyAD(sealedHeader []byte) []byte {
	return slices.Concat(s.ad[:], sealedHeader)
}

// next takes the next message key out of c.
func (c *chain) next() (mk [32]byte) {
	mk, ck := KDFChain(&c.key)
	c.key = ck // rt-send-erase, rt-erase
	c.n++
	clear(ck[:])
	return mk
}
