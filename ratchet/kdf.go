package ratchet

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
)

const (
	labelRoot    = "kith/1 root\x00"
	labelMessage = "kith/1 message\x00"
)

// mac is HMAC-SHA-256 (RFC 2104) of one byte.
func mac(key *[32]byte, b byte) (sum [32]byte) {
	h := hmac.New(sha256.New, key[:])
	h.Write([]byte{b})
	h.Sum(sum[:0])
	return sum
}

// derive is HKDF-SHA-256 (RFC 5869), extract and expand, to fill out.
func derive(out []byte, salt, ikm []byte, info string) {
	b, err := hkdf.Key(sha256.New, ikm, salt, info, len(out))
	if err != nil {
		panic(err) // out is never longer than 255 hashes
	}
	copy(out, b)
	clear(b)
}

// KDFRoot is KDF_RK of spec/ratchet.md, the paper's KDF_RK_HE: from a root key and a Diffie-Hellman result it derives the next
// root key, a chain key, and the header key of the chain that will follow that one.
func KDFRoot(rk, dh *[32]byte) (nextRK, ck, nhk [32]byte) {
	var out [96]byte
	derive(out[:], rk[:], dh[:], labelRoot)
	nextRK, ck, nhk = [32]byte(out[:]), [32]byte(out[32:]), [32]byte(out[64:])
	clear(out[:])
	return nextRK, ck, nhk
}

// KDFChain is KDF_CK of spec/ratchet.md: from a chain key it derives a message key and the next chain key.
func KDFChain(ck *[32]byte) (mk, nextCK [32]byte) { return mac(ck, 1), mac(ck, 2) }

// KDFMessage is KDF_MK of spec/ratchet.md: from a message key it derives the key and the nonce that seal the body.
func KDFMessage(mk *[32]byte) (key [32]byte, nonce [12]byte) {
	var out [44]byte
	derive(out[:], make([]byte, 32), mk[:], labelMessage)
	key, nonce = [32]byte(out[:]), [12]byte(out[32:])
	clear(out[:])
	return key, nonce
}
