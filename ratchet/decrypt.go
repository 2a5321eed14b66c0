package ratchet

import (
	"fmt"
	"slices"

	"kith/internal/curve25519"
)

// Decrypt appends to dst the plaintext of message. It reports whether the message is the newest so far: the one with the highest
// number of the newest chain. dst must not overlap message. When the message begins a new chain, and only after its body has
// opened, it draws 32 bytes, the next ratchet private key.
//
// The error is ErrMalformed for a length, a public key or a count that no State produces, ErrAuthentication for what was not
// sealed for this State, ErrReplay for a message that was opened before or whose key is gone, ErrLimit when more than MaxSkip
// messages of a chain are missing before it, and ErrState for a State that was erased. After an error the state is what it was,
// byte for byte.
func (s *State) Decrypt(dst, message []byte) (plaintext []byte, newest bool, err error) {
	switch {
	case s.random == nil:
		return nil, false, fmt.Errorf("ratchet: there are no keys: %w", ErrState)
	case len(message) < Overhead || len(message) > MaxMessage:
		return nil, false, fmt.Errorf("ratchet: message has %d bytes: %w", len(message), ErrMalformed) // rt-size
	}
	number, h, err := s.openHeader(message[:sealedHeaderSize])
	if err != nil {
		return nil, false, err
	}
	if number < s.newest.number || number == s.newest.number && uint64(h.n) < s.receiving.n {
		plaintext, err = s.openSkipped(dst, message, number, h.n)
		return plaintext, false, err
	}
	plaintext, err = s.openNew(dst, message, number, &h)
	return plaintext, err == nil, err // rt-newest
}

// openHeader tries the header keys of the newest receiving chain, of the next, and of the older ones, at most 7 in all, and returns
// the number of the chain whose key it was.
func (s *State) openHeader(sealed []byte) (number uint64, h header, err error) {
	var plain [headerSize]byte
	opens := func(c source) bool {
		if c.number == 0 {
			return false // rt-none
		}
		_, err := headerAEAD(&c.header).Open(plain[:0], sealed[:headerNonceSize], sealed[headerNonceSize:], s.ad[:])
		return err == nil
	}
	c := s.newest
	if !opens(c) {
		if next := (source{number: c.number + 1, header: s.nextRecvHeader}); opens(next) {
			return next.number, parseHeader(&plain), nil
		}
		i := slices.IndexFunc(s.old[:], opens)
		if i < 0 {
			return 0, h, fmt.Errorf("ratchet: header opens under no key: %w", ErrAuthentication) // rt-header-seal
		}
		c = s.old[i]
	}
	h = parseHeader(&plain)
	if h.dh != c.dh {
		return 0, h, fmt.Errorf("ratchet: header names another key than its chain has: %w", ErrMalformed) // rt-dh-same
	}
	return c.number, h, nil
}

// openSkipped opens a message that was missing when a newer one of its chain, or of a newer chain, was opened.
func (s *State) openSkipped(dst, message []byte, number uint64, n uint32) ([]byte, error) {
	i, ok := s.skipped.find(number, n)
	if !ok {
		return nil, fmt.Errorf("ratchet: there is no key for message %d any more: %w", n, ErrReplay) // rt-message-once
	}
	plaintext, err := s.openBody(dst, message, &s.skipped[i].key)
	if err != nil {
		return nil, err
	}
	s.skipped.remove(i, i+1) // rt-erase
	s.forget()
	return plaintext, nil
}

// openNew opens a message that is newer than all before: of the newest receiving chain, or the first that comes of the next.
func (s *State) openNew(dst, message []byte, number uint64, h *header) ([]byte, error) {
	step := number > s.newest.number
	var ended, missing uint64 // messages without a key, of the chain before and of this
	if !step {
		missing = uint64(h.n) - s.receiving.n // rt-skip-count
	} else {
		switch {
		case !curve25519.Canonical(&h.dh):
			return nil, fmt.Errorf("ratchet: public key in header is not canonical: %w", ErrMalformed) // rt-dh-canonical
		case s.newest.number == 0 && h.pn != 0:
			return nil, fmt.Errorf("ratchet: chain of %d messages before the first: %w", h.pn, ErrMalformed) // rt-pn
		case uint64(h.pn) < s.receiving.n:
			return nil, fmt.Errorf("ratchet: chain of %d messages had %d: %w", h.pn, s.receiving.n, ErrMalformed) // rt-pn
		}
		ended, missing = uint64(h.pn)-s.receiving.n, uint64(h.n) // rt-skip-count
	}
	if ended > MaxSkip || missing > MaxSkip {
		return nil, fmt.Errorf("ratchet: more than %d messages of a chain are missing: %w", MaxSkip, ErrLimit) // rt-skip-limit
	}

	// What follows changes a copy, and keys that are not among the kept ones yet. rt-failure-nothing
	next := *s
	defer func() { next = State{} }()
	fresh := make(skippedKeys, 0, ended+missing)
	defer fresh.erase()
	if step {
		fresh = next.skip(fresh, ended)
		if err := next.startReceiving(&h.dh, ended > 0); err != nil {
			return nil, err
		}
	}
	fresh = next.skip(fresh, missing)
	key := next.receiving.next()
	defer clear(key[:])
	plaintext, err := s.openBody(dst, message, &key)
	if err != nil {
		return nil, err
	}
	if step {
		if err := next.drawSending(&h.dh); err != nil { // rt-draw-late
			clear(plaintext[len(dst):])
			return nil, err
		}
	}
	*s = next
	s.skipped.add(fresh, s.old[MaxOldChains-1].number)
	s.forget()
	return plaintext, nil
}

// skip takes the keys of the next n messages of the newest receiving chain and appends them to keys, which has room for them.
func (s *State) skip(keys skippedKeys, n uint64) skippedKeys {
	for range n {
		number := uint32(s.receiving.n)
		keys = append(keys, skippedKey{chain: s.newest.number, n: number, key: s.receiving.next()})
	}
	return keys
}

// startReceiving begins the receiving chain that the other side's new public key makes. Keys of the chain before are kept if there
// are some already, or kept says that there will be. On an error s is half made.
func (s *State) startReceiving(public *[32]byte, kept bool) error {
	var shared [32]byte
	if curve25519.X25519(&shared, &s.private, public) != nil {
		return fmt.Errorf("ratchet: public key has small order: %w", ErrMalformed) // rt-dh-zero
	}
	if kept || s.skipped.has(s.newest.number) {
		copy(s.old[1:], s.old[:])
		s.old[0] = s.newest
	}
	s.newest = source{number: s.newest.number + 1, dh: *public, header: s.nextRecvHeader}
	s.receiving.n = 0
	s.root, s.receiving.key, s.nextRecvHeader = KDFRoot(&s.root, &shared)
	clear(shared[:])
	return nil
}

// openBody appends to dst what the body of message opens to.
func (s *State) openBody(dst, message []byte, mk *[32]byte) ([]byte, error) {
	body, nonce := bodyAEAD(mk)
	plaintext, err := body.Open(dst, nonce[:], message[sealedHeaderSize:], s.bodyAD(message[:sealedHeaderSize]))
	if err != nil {
		return nil, fmt.Errorf("ratchet: body does not open: %w", ErrAuthentication) // rt-body-seal
	}
	return plaintext, nil
}

// forget erases the sources of which no key is left.
func (s *State) forget() {
	n := 0
	for i := range s.old {
		if s.skipped.has(s.old[i].number) {
			s.old[n] = s.old[i]
			n++
		}
	}
	clear(s.old[n:])
}
