package dht

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"hash"
	"net/netip"
	"time"
)

const (
	tokenSize   = 8
	tokenRotate = 5 * time.Minute
	tokenKept   = 3 // secrets: so a token lives 10 to 15 minutes
)

// tokens hands out and checks the tokens that show that who announces or puts can receive at the address he sends from. A
// token is the first 8 bytes of HMAC-SHA-256(secret, address), so nothing is stored for those who ask.
type tokens struct {
	macs    [tokenKept]hash.Hash // of the newest secret first
	rotated instant              // when the newest secret began, or should have
	secret  func() [32]byte
	ip      [16]byte // given to a hash.Hash, which is why it stands here and not on the stack
	sum     [sha256.Size]byte
}

func newTokens(secret func() [32]byte, now instant) *tokens {
	t := &tokens{secret: secret, rotated: now}
	for i := range t.macs {
		t.macs[i] = t.newMAC()
	}
	return t
}

func (t *tokens) newMAC() hash.Hash {
	s := t.secret()
	return hmac.New(sha256.New, s[:]) // dht-token-secret
}

// rotate makes the secrets that were due by now. It takes a few steps even when nobody has called for days.
func (t *tokens) rotate(now instant) {
	due := int((now - t.rotated) / tokenRotate)
	for range min(due, tokenKept) {
		copy(t.macs[1:], t.macs[:])
		t.macs[0] = t.newMAC()
	}
	t.rotated += instant(due) * tokenRotate
}

// give returns the token for a, valid until the next call.
func (t *tokens) give(a netip.Addr, now instant) []byte {
	t.rotate(now)
	return t.mac(t.macs[0], a)
}

// check reports whether token was given to a within the life of a token, however often it was used (dht-token-again).
func (t *tokens) check(token []byte, a netip.Addr, now instant) bool {
	t.rotate(now) // dht-token-expiry
	ok := 0
	for _, m := range t.macs { // dht-token-life
		ok |= subtle.ConstantTimeCompare(token, t.mac(m, a)) // dht-token-compare
	}
	return ok == 1
}

func (t *tokens) mac(m hash.Hash, a netip.Addr) []byte {
	m.Reset()
	t.ip = a.As16()
	if a.Is4() {
		m.Write(t.ip[12:])
	} else {
		m.Write(t.ip[:])
	}
	return m.Sum(t.sum[:0])[:tokenSize]
}
