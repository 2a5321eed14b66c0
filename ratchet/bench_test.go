package ratchet

import (
	"crypto/rand"
	"testing"
)

func benchPair(b *testing.B) (alice, bob *State, text, message []byte) {
	alice, bob = newPair(b)
	alice.random, bob.random = rand.Reader, rand.Reader
	b.ReportAllocs()
	b.SetBytes(256)
	return alice, bob, make([]byte, 256), make([]byte, 0, MaxMessage)
}

// pass sends text once, and back into its own place.
func pass(b *testing.B, from, to *State, text, message []byte) {
	message, err := from.Encrypt(message, text)
	if err != nil {
		b.Fatal(err)
	}
	if _, _, err := to.Decrypt(text[:0], message); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkOneWay encrypts and decrypts one message that follows another.
func BenchmarkOneWay(b *testing.B) {
	alice, bob, text, message := benchPair(b)
	for b.Loop() {
		alice.sending.n, bob.receiving.n = 0, 0 // never at the end of the chain
		pass(b, alice, bob, text, message)
	}
}

// BenchmarkPingPong encrypts and decrypts one message that answers another, so that there is a Diffie-Hellman step each time.
func BenchmarkPingPong(b *testing.B) {
	alice, bob, text, message := benchPair(b)
	for b.Loop() {
		pass(b, alice, bob, text, message)
		alice, bob = bob, alice
	}
}
