package ratchet

import (
	"crypto/cipher"
	"encoding/binary"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	headerSize       = 32 + 4 + 4
	headerNonceSize  = chacha20poly1305.NonceSizeX
	sealedHeaderSize = headerNonceSize + headerSize + chacha20poly1305.Overhead
)

// A header tells the receiver which key opens the body.
type header struct {
	dh [32]byte // the sender's ratchet public key
	pn uint32   // how many messages the sender's chain before this one had
	n  uint32   // the number of this message in its chain, from 0
}

func appendHeader(b []byte, h *header) []byte {
	b = append(b, h.dh[:]...)
	b = binary.BigEndian.AppendUint32(b, h.pn)
	return binary.BigEndian.AppendUint32(b, h.n)
}

// parseHeader reads any 40 bytes. Whether they make sense depends on the chain.
func parseHeader(b *[headerSize]byte) header {
	return header{dh: [32]byte(b[:]), pn: binary.BigEndian.Uint32(b[32:]), n: binary.BigEndian.Uint32(b[36:])}
}

// headerAEAD returns XChaCha20-Poly1305 under a header key, which seals many headers: its nonces are random.
func headerAEAD(key *[32]byte) cipher.AEAD {
	a, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		panic(err) // the key has the right length
	}
	return a
}

// bodyAEAD returns ChaCha20-Poly1305 and its nonce for the one body that a message key seals.
func bodyAEAD(message *[32]byte) (cipher.AEAD, [chacha20poly1305.NonceSize]byte) {
	key, nonce := KDFMessage(message)
	a, err := chacha20poly1305.New(key[:])
	if err != nil {
		panic(err) // the key has the right length
	}
	clear(key[:])
	return a, nonce
}
