package ratchet

import (
	"crypto/sha256"

	"github.com/cloudflare/circl/dh/x25519"
)

const (
	labelRoot    = "kith/1 root\x00"
	labelMessage = "kith/1 message\x00"
)

// mac sets out to HMAC-SHA-256 (RFC 2104) of msg ‖ more, at most 64 bytes. crypto/hmac would keep the padded keys on the heap, where
// nobody can erase them, and take half as long again.
func mac(out, key *[32]byte, msg, more []byte) {
	var b [sha256.BlockSize + 64]byte
	copy(b[:], key[:])
	for i := range sha256.BlockSize {
		b[i] ^= 0x36 // ipad
	}
	n := sha256.BlockSize
	n += copy(b[n:], msg)
	n += copy(b[n:], more)
	inner := sha256.Sum256(b[:n])
	for i := range sha256.BlockSize {
		b[i] ^= 0x36 ^ 0x5c // opad
	}
	n = sha256.BlockSize + copy(b[sha256.BlockSize:], inner[:])
	*out = sha256.Sum256(b[:n])
	clear(b[:])
	clear(inner[:])
}

// derive fills the blocks of out with HKDF-SHA-256 (RFC 5869). The label is at most 31 bytes long, so that a block of the expansion
// goes into one call of mac.
func derive(out [][32]byte, salt, ikm *[32]byte, label string) {
	var prk [32]byte
	mac(&prk, salt, ikm[:], nil) // extract
	var info [32]byte            // label ‖ number of the block
	n := copy(info[:], label) + 1
	for i := range out {
		info[n-1] = byte(i + 1)
		var last []byte
		if i > 0 {
			last = out[i-1][:]
		}
		mac(&out[i], &prk, last, info[:n])
	}
	clear(prk[:])
}

// KDFRoot is KDF_RK of spec/ratchet.md, the paper's KDF_RK_HE: from a root key and a Diffie-Hellman result it derives the next
// root key, a chain key, and the header key of the chain that will follow that one.
func KDFRoot(rk, dh *[32]byte) (nextRK, ck, nhk [32]byte) {
	var out [3][32]byte
	derive(out[:], rk, dh, labelRoot)
	nextRK, ck, nhk = out[0], out[1], out[2]
	clear(out[:])
	return nextRK, ck, nhk
}

// KDFChain is KDF_CK of spec/ratchet.md: from a chain key it derives a message key and the next chain key.
func KDFChain(ck *[32]byte) (mk, nextCK [32]byte) {
	mac(&mk, ck, []byte{1}, nil)
	mac(&nextCK, ck, []byte{2}, nil)
	return mk, nextCK
}

// KDFMessage is KDF_MK of spec/ratchet.md: from a message key it derives the key and the nonce that seal the body.
func KDFMessage(mk *[32]byte) (key [32]byte, nonce [12]byte) {
	var out [2][32]byte
	derive(out[:], new([32]byte), mk, labelMessage)
	key = out[0]
	copy(nonce[:], out[1][:])
	clear(out[:])
	return key, nonce
}

// publicKey returns the X25519 public key of private.
func publicKey(private *[32]byte) (public [32]byte) {
	x25519.KeyGen((*x25519.Key)(&public), (*x25519.Key)(private))
	return public
}

// agree is X25519. It reports whether public leaves the result any other choice than zeros.
func agree(private, public *[32]byte) (shared [32]byte, ok bool) {
	ok = x25519.Shared((*x25519.Key)(&shared), (*x25519.Key)(private), (*x25519.Key)(public))
	return shared, ok
}

// canonical reports whether public, little-endian, is below p = 2²⁵⁵ − 19. circl reads other encodings too, modulo p and
// without their highest bit.
func canonical(public *[32]byte) bool {
	if public[31] != 0x7f {
		return public[31] < 0x7f
	}
	for _, b := range public[1:31] {
		if b != 0xff {
			return true
		}
	}
	return public[0] < 0xed
}
