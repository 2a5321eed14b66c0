package handshake

import (
	"fmt"

	"github.com/cloudflare/circl/kem/mlkem/mlkem768"
)

// Sizes of ML-KEM-768 (FIPS 203) in bytes. Shared secrets and coins have 32.
const (
	EncapsulationKeySize = mlkem768.PublicKeySize
	CiphertextSize       = mlkem768.CiphertextSize
	KEMSeedSize          = mlkem768.KeySeedSize // d ‖ z
)

// An EncapsulationKey is an ML-KEM-768 encapsulation key, parsed once.
type EncapsulationKey struct{ key mlkem768.PublicKey }

// ParseEncapsulationKey returns the key that b holds if it passes the check of FIPS 203, section 7.2: its length, and that each
// of its 768 numbers is below 3,329. The error's class is ErrMalformed.
func ParseEncapsulationKey(b []byte) (*EncapsulationKey, error) {
	k := new(EncapsulationKey)
	if err := k.key.Unpack(b); err != nil { // hs-offer-ek
		return nil, fmt.Errorf("handshake: encapsulation key breaks the rules of ML-KEM: %w", ErrMalformed)
	}
	return k, nil
}

// Encapsulate puts the ciphertext and the shared secret that follow from coins, FIPS 203's m, into ct and ss.
func (k *EncapsulationKey) Encapsulate(ct *[CiphertextSize]byte, ss, coins *[32]byte) {
	k.key.EncapsulateTo(ct[:], ss[:], coins[:]) // circl: ciphertext first
}

// A DecapsulationKey is an ML-KEM-768 decapsulation key, expanded once. It is made from its seed only: an expanded key from
// elsewhere could break the tie between key and ciphertext.
type DecapsulationKey struct {
	public  *mlkem768.PublicKey
	private *mlkem768.PrivateKey
}

// NewDecapsulationKey returns the key that follows from d ‖ z.
func NewDecapsulationKey(seed *[KEMSeedSize]byte) *DecapsulationKey {
	public, private := mlkem768.NewKeyFromSeed(seed[:])
	return &DecapsulationKey{public, private}
}

// AppendEncapsulationKey appends the EncapsulationKeySize bytes of the encapsulation key to b.
func (k *DecapsulationKey) AppendEncapsulationKey(b []byte) []byte {
	var ek [EncapsulationKeySize]byte
	k.public.Pack(ek[:])
	return append(b, ek[:]...)
}

// Decapsulate puts the shared secret into ss. It never fails: a ciphertext that is not right gives a secret that nobody else has.
func (k *DecapsulationKey) Decapsulate(ss *[32]byte, ct *[CiphertextSize]byte) {
	k.private.DecapsulateTo(ss[:], ct[:]) // circl: secret first
}

// Erase clears what it can reach of the key, z, and lets go of the rest: circl keeps s behind a pointer of its own, where only
// the garbage collector comes.
func (k *DecapsulationKey) Erase() {
	if k.private != nil {
		*k.private = mlkem768.PrivateKey{}
	}
	*k = DecapsulationKey{}
}
