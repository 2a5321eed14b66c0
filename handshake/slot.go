package handshake

import (
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"kith/internal/curve25519"
	"kith/wire"
)

// A Family is an address family, and so one of the two DHTs.
type Family uint8

// The families.
const (
	IPv4 Family = 4
	IPv6 Family = 6
)

// A Slot is where one record lives: one publisher, one reader, one epoch, one family. Both ends have the key that signs it, so
// that a friend can overwrite what he alone reads, and a record proves nothing to anybody else.
type Slot struct {
	Key    PublicKey // k, the DHT public key
	Target wire.ID   // SHA-1 of Key

	signing ed25519.PrivateKey
	seal    [32]byte
}

// Slot returns the slot in which from publishes. The family is IPv4 or IPv6.
func (p *Pair) Slot(from Side, family Family, epoch uint64) *Slot { // rv-slot
	label := LabelSlot4
	if family == IPv6 {
		label = LabelSlot6
	}
	seed, seal := p.key(label, from, epoch), p.key(LabelRecord, from, epoch)
	defer clear(seed)
	defer clear(seal)
	s := &Slot{signing: curve25519.NewKey(seed), seal: [32]byte(seal)}
	copy(s.Key[:], s.signing[SeedSize:])
	s.Target = wire.MutableTarget(s.Key[:], nil)
	return s
}

// Erase clears the secrets. The slot can neither be read nor written afterwards.
func (s *Slot) Erase() {
	clear(s.signing)
	clear(s.seal[:])
}

// A Sequence gives the seq of the records that one publisher puts into one slot. The zero value is that of a slot of which
// nothing is known.
type Sequence struct {
	// Last is the highest seq that was signed or observed, 0 if none was.
	Last int64
}

// Next returns the seq for a record that is signed at now. Draw: jitter, 4 bytes of rand. It returns an error of class
// ErrState, and draws nothing, while the slot must not be written.
func (s *Sequence) Next(now time.Time, rand io.Reader) (int64, error) {
	far := (int64(unixSeconds(now)) + maxAhead + 1) * 1000
	if s.Last >= far-1 { // rv-seq-far
		return 0, fmt.Errorf("handshake: slot has a record from the far future: %w", ErrState)
	}
	var jitter [4]byte
	if _, err := io.ReadFull(rand, jitter[:]); err != nil {
		return 0, fmt.Errorf("handshake: drawing jitter: %w", err)
	}
	drawn := int64(binary.BigEndian.Uint32(jitter[:]) % 1000)
	s.Last = max(int64(unixSeconds(now))*1000+drawn, s.Last+1) // rv-seq
	return s.Last, nil
}

// Observe takes notice of the seq of an item that was fetched from the slot and that Slot.Check found right.
// What a node says in an error does not count.
func (s *Sequence) Observe(seq int64) { s.Last = max(s.Last, seq) } // rv-seq-observed, rv-seq-error
