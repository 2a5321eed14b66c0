package gen

import (
	"encoding/binary"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"
)

// This file is the ratchet as its chapter has it, and nothing of how a program would keep it: a state is a value, so a step that is
// refused has changed nothing because its result is thrown away. All bytes are strings, and "" is the chapter's none.

const (
	rtShortest, rtLongest = 96, 1223 // a message
	rtSealedHeader        = 80
	rtMostPlaintext       = 1127
	rtMostSkipped         = 1000 // by one message in one chain
	rtMostKept            = 2000
	rtMostOlder           = 5 // chains
	rtMostSent            = 512
)

type rtState struct {
	private, public string // DHs
	dh              string // DHr
	root            string // RK
	cks, ckr        string
	hks, hkr        string
	nhks, nhkr      string
	ns, nr, pn      uint32
	kept            []rtKept // MKSKIPPED in the order of skipping, so that the oldest chain's lowest number stands first
	ad              string
}

type rtKept struct {
	hk, dh string // of the chain
	n      uint32
	mk     string
}

func rtKDFRoot(root, dh string) (rk, ck, nhk string) {
	out := expand(extract(root, dh), label("root"), 96)
	return out[:32], out[32:64], out[64:]
}

func rtKDFChain(ck string) (mk, next string) { return mac(ck, "\x01"), mac(ck, "\x02") }

func rtKDFMessage(mk string) (key, nonce string) {
	out := expand(extract(zeros(32), mk), label("message"), 44)
	return out[:32], out[32:]
}

func rtAlice(root, hkI, nhkR, ad, rk, ratchet string) (s rtState, reason string) {
	if !below(rk, prime) || x25519(ratchet, rk) == zeros(32) {
		return s, malformed
	}
	s = rtState{private: ratchet, public: x25519Public(ratchet), dh: rk, hks: hkI, nhkr: nhkR, ad: ad}
	s.root, s.cks, s.nhks = rtKDFRoot(root, x25519(ratchet, rk))
	return s, ""
}

func rtBob(root, hkI, nhkR, ad, rk string) rtState {
	return rtState{private: rk, public: x25519Public(rk), root: root, nhks: nhkR, nhkr: hkI, ad: ad}
}

// A rtLetter is a message before it is sealed. Whoever damages one changes a field.
type rtLetter struct {
	hk, nonce string
	dh        string
	pn, n     uint32
	ck        string // the chain key of message 0
	mk        string // "" for n's of ck
	plaintext string
	ad        string // of the header
	bodyAD    string // "" for AD ‖ H
}

func (l rtLetter) header() string { return l.dh + u32(l.pn) + u32(l.n) }

func (l rtLetter) sealedHeader() string { return l.nonce + sealed(l.hk, l.nonce, l.ad, l.header()) }

func (l rtLetter) seal() string {
	h := l.sealedHeader()
	mk, ad := l.mk, l.bodyAD
	if mk == "" {
		mk, _ = rtKDFChain(rtAdvanced(l.ck, l.n))
	}
	if ad == "" {
		ad = l.ad + h
	}
	return h + rtSealBody(mk, ad, l.plaintext)
}

// rtAdvanced returns the chain key n steps on.
func rtAdvanced(ck string, n uint32) string {
	for range n {
		_, ck = rtKDFChain(ck)
	}
	return ck
}

// rtSealBody is ChaCha20-Poly1305 with key and nonce of mk.
func rtSealBody(mk, ad, plaintext string) string {
	key, nonce := rtKDFMessage(mk)
	aead, err := chacha20poly1305.New([]byte(key))
	must(err)
	return string(aead.Seal(nil, []byte(nonce), []byte(plaintext), []byte(ad)))
}

func rtOpenBody(mk, ad, body string) (plaintext string, ok bool) {
	key, nonce := rtKDFMessage(mk)
	aead, err := chacha20poly1305.New([]byte(key))
	must(err)
	out, err := aead.Open(nil, []byte(nonce), []byte(body), []byte(ad))
	return string(out), err == nil
}

func (s rtState) encrypt(nonce, plaintext string) (next rtState, message, reason string) {
	switch {
	case s.cks == "":
		return s, "", state
	case s.ns >= rtMostSent, len(plaintext) > rtMostPlaintext:
		return s, "", limit
	}
	mk, ck := rtKDFChain(s.cks)
	message = rtLetter{hk: s.hks, nonce: nonce, dh: s.public, pn: s.pn, n: s.ns, mk: mk, plaintext: plaintext, ad: s.ad}.seal()
	s.cks = ck
	s.ns++
	return s, message, ""
}

// A rtOpened is a message that opened; began says that it began a chain.
type rtOpened struct {
	plaintext     string
	newest, began bool
}

// decrypt takes the steps of the section Receiving in their order. ratchet is what would be drawn.
func (s rtState) decrypt(message, ratchet string) (next rtState, got rtOpened, reason string) {
	if len(message) < rtShortest || len(message) > rtLongest {
		return s, got, malformed
	}
	h, body := message[:rtSealedHeader], message[rtSealedHeader:]
	hk, header := s.openHeader(h)
	if hk == "" {
		return s, got, authentication
	}
	dh, pn, n := header[:32], rtU32(header[32:]), rtU32(header[36:])

	next = s
	next.kept = slices.Clone(s.kept)
	mk := ""
	switch {
	case hk == s.nhkr:
		if reason = s.mayBegin(dh, pn, n); reason != "" {
			return s, got, reason
		}
		if s.ckr != "" {
			next.skip(pn)
		}
		next.dh = dh
		next.hkr = s.nhkr
		next.root, next.ckr, next.nhkr = rtKDFRoot(s.root, x25519(s.private, dh))
		next.nr = 0
		got.began, got.newest = true, true
		mk = next.take(n)
	case hk == s.hkr && dh != s.dh, hk != s.hkr && dh != s.dhOf(hk):
		return s, got, malformed
	case hk == s.hkr && n >= s.nr:
		if n-s.nr > rtMostSkipped {
			return s, got, limit
		}
		got.newest = true
		mk = next.take(n)
	default:
		i := slices.IndexFunc(s.kept, func(k rtKept) bool { return k.hk == hk && k.n == n })
		if i < 0 {
			return s, got, replay
		}
		mk = s.kept[i].mk
		next.kept = slices.Delete(next.kept, i, i+1)
	}

	plaintext, ok := rtOpenBody(mk, s.ad+h, body)
	if !ok {
		return s, rtOpened{}, authentication
	}
	got.plaintext = plaintext
	if got.began {
		next.pn, next.ns, next.hks = s.ns, 0, s.nhks
		next.private, next.public = ratchet, x25519Public(ratchet)
		next.root, next.cks, next.nhks = rtKDFRoot(next.root, x25519(ratchet, dh))
	}
	next.forget()
	return next, got, ""
}

func rtU32(b string) uint32 { return binary.BigEndian.Uint32([]byte(b)) }

// openHeader returns the header key that opens h, "" for none, and the header.
func (s rtState) openHeader(h string) (hk, header string) {
	keys := []string{s.hkr, s.nhkr}
	for _, k := range slices.Backward(s.kept) {
		keys = append(keys, k.hk)
	}
	for _, hk := range slices.Compact(keys) {
		if hk == "" {
			continue
		}
		if header, ok := unsealed(hk, h[:24], s.ad, h[24:]); ok {
			return hk, header
		}
	}
	return "", ""
}

// dhOf returns the dh of an older chain.
func (s rtState) dhOf(hk string) string {
	return s.kept[slices.IndexFunc(s.kept, func(k rtKept) bool { return k.hk == hk })].dh
}

// mayBegin says why a header must not begin a new chain.
func (s rtState) mayBegin(dh string, pn, n uint32) (reason string) {
	switch chain := s.ckr != ""; {
	case !below(dh, prime):
		return malformed
	case !chain && pn != 0, chain && pn < s.nr:
		return malformed
	case chain && pn-s.nr > rtMostSkipped, n > rtMostSkipped:
		return limit
	case x25519(s.private, dh) == zeros(32):
		return malformed
	}
	return ""
}

// skip keeps the keys of the receiving chain up to, not including, n.
func (s *rtState) skip(n uint32) {
	for s.nr < n {
		var mk string
		mk, s.ckr = rtKDFChain(s.ckr)
		s.kept = append(s.kept, rtKept{s.hkr, s.dh, s.nr, mk})
		s.nr++
	}
}

// take returns the key of message n of the receiving chain, and keeps those before it.
func (s *rtState) take(n uint32) (mk string) {
	s.skip(n)
	mk, s.ckr = rtKDFChain(s.ckr)
	s.nr++
	return mk
}

// forget keeps the bounds of what is kept.
func (s *rtState) forget() {
	older := []string{}
	for _, k := range s.kept {
		if k.hk != s.hkr && !slices.Contains(older, k.hk) {
			older = append(older, k.hk)
		}
	}
	if n := len(older) - rtMostOlder; n > 0 {
		s.kept = slices.DeleteFunc(s.kept, func(k rtKept) bool { return slices.Contains(older[:n], k.hk) })
	}
	if n := len(s.kept) - rtMostKept; n > 0 {
		s.kept = s.kept[n:]
	}
}
