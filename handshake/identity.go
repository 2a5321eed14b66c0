package handshake

import (
	"crypto/ed25519"
	"crypto/sha512"
	"fmt"

	"kith/internal/curve25519"
)

// SeedSize is the size in bytes of what an identity is made from.
const SeedSize = 32

// An Identity is a person's key pair. The seed is all of it; the rest follows.
type Identity struct {
	signing ed25519.PrivateKey // seed ‖ IK
	dh      [32]byte           // the X25519 form of the private key
	public  PublicKey          // IK
}

// NewIdentity returns the identity that follows from seed, 32 random bytes. It keeps a copy.
func NewIdentity(seed []byte) (*Identity, error) {
	if len(seed) != SeedSize {
		return nil, fmt.Errorf("handshake: seed is %d bytes, not %d: %w", len(seed), SeedSize, ErrMalformed)
	}
	id := &Identity{signing: curve25519.NewKey(seed)} // rv-identity-key
	copy(id.public[:], id.signing[SeedSize:])
	h := sha512.Sum512(seed) // rv-identity-x25519
	copy(id.dh[:], h[:32])
	id.dh[0] &= 0xf8
	id.dh[31] = id.dh[31]&0x7f | 0x40
	clear(h[:])
	return id, nil
}

// PublicKey returns IK.
func (id *Identity) PublicKey() PublicKey { return id.public }

// Seed returns the seed. It is the whole identity: who has it is the person.
func (id *Identity) Seed() (seed [SeedSize]byte) {
	copy(seed[:], id.signing)
	return seed
}

// X25519 returns the identity's X25519 form, x_private and x_public. The public one is what IK's PublicKey.X25519 gives.
func (id *Identity) X25519() (private, public [X25519Size]byte) {
	return id.dh, X25519Public(&id.dh)
}

// Sign returns the Ed25519 signature of label ‖ 0x00 ‖ message. An identity signs offers and nothing else (rv-identity-signs),
// which MakeOffer does: whoever calls this with another label has left the protocol.
func (id *Identity) Sign(label string, message []byte) [SignatureSize]byte {
	return curve25519.Sign(id.signing, labelled(label, message)) // rv-sign
}

// Erase clears the secrets. The identity is of no use afterwards, nor is a Pair that was made with it.
func (id *Identity) Erase() {
	clear(id.signing)
	clear(id.dh[:])
}
