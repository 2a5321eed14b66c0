package ratchet_test

import (
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"fmt"

	"kith/ratchet"
)

// Both ends start from what a handshake gave them, and from the ratchet key pair of the responder's offer.
func Example() {
	var secrets ratchet.Secrets // of a handshake; here they are zeros
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	alice, err := ratchet.NewInitiator(&secrets, [32]byte(key.PublicKey().Bytes()), nil)
	if err != nil {
		panic(err)
	}
	bob := ratchet.NewResponder(&secrets, (*[32]byte)(key.Bytes()), nil)
	defer alice.Erase()
	defer bob.Erase()
	fmt.Println("Bob can send:", bob.CanSend())

	first, err := alice.Encrypt(nil, []byte("Are you there?"))
	if err != nil {
		panic(err)
	}
	second, err := alice.Encrypt(nil, []byte("It is me."))
	if err != nil {
		panic(err)
	}
	for _, message := range [][]byte{second, first, first} { // the network reorders and doubles
		text, newest, err := bob.Decrypt(nil, message)
		if errors.Is(err, ratchet.ErrReplay) {
			fmt.Println("a second time")
			continue
		}
		fmt.Printf("%q, newest: %v\n", text, newest)
	}
	fmt.Println("Bob can send:", bob.CanSend())
	// Output:
	// Bob can send: false
	// "It is me.", newest: true
	// "Are you there?", newest: false
	// a second time
	// Bob can send: true
}
