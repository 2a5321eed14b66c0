package handshake

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"
)

// Times of the rendezvous, in seconds.
const (
	EpochLength = 21600 // how long one set of tags and slots serves
	EpochSlack  = 3600  // how long before and behind an epoch's edge the neighbour is accepted too
)

// A Side is one of the two people of a pair.
type Side uint8

// The sides, as one of the two sees them.
const (
	Own Side = iota
	Friend
)

// A Label names a key of a pair.
type Label string

// The labels of pair secrets, and what the keys are.
const (
	LabelPhase    Label = "phase"    // when the pair's epochs begin
	LabelSlot4    Label = "slot4"    // Ed25519 seed of the record's DHT key in the DHT of IPv4
	LabelSlot6    Label = "slot6"    // the same in that of IPv6
	LabelRecord   Label = "record"   // seals the record
	LabelTag      Label = "tag"      // begins a handshake datagram
	LabelEnvelope Label = "envelope" // seals a handshake datagram
	LabelAuth     Label = "auth"     // goes into the handshake's keys
)

// size returns how many bytes the label's keys have, 0 if there is no such label.
func (l Label) size() int {
	switch l {
	case LabelPhase:
		return 4
	case LabelTag:
		return TagSize
	case LabelSlot4, LabelSlot6, LabelRecord, LabelEnvelope, LabelAuth:
		return 32
	}
	return 0
}

// A Pair is what two contacts share before they ever speak: keys for each purpose, direction and epoch.
type Pair struct {
	id      *Identity
	friend  PublicKey
	friendX [X25519Size]byte // the friend's x_public
	prk     [32]byte
	phase   uint64 // seconds
}

// NewPair returns the pair of id and a friend. It refuses every key that CheckContact refuses. It keeps id, which must not be
// erased before the pair.
func NewPair(id *Identity, friend PublicKey) (*Pair, error) {
	x, err := friend.contactOf(id.public)
	if err != nil {
		return nil, err
	}
	p := &Pair{id: id, friend: friend, friendX: x}
	var s [32]byte                                 // S
	defer clear(s[:])                              // rv-pair-erase
	if err := X25519(&s, &id.dh, &x); err != nil { // rv-pair-zero
		return nil, err
	}
	prk, err := hkdf.Extract(sha256.New, s[:], []byte("kith/1 pair\x00")) // rv-pair-keys
	if err != nil {
		return nil, fmt.Errorf("handshake: pair: %w", err)
	}
	copy(p.prk[:], prk)
	clear(prk)
	p.phase = uint64(binary.BigEndian.Uint32(p.key(LabelPhase, Own, 0))) % EpochLength
	return p, nil
}

// Identity returns one's own identity.
func (p *Pair) Identity() *Identity { return p.id }

// Friend returns the friend's IK.
func (p *Pair) Friend() PublicKey { return p.friend }

// Phase returns by how many seconds the pair's epochs begin before the multiples of EpochLength, so that not all records of a
// person change in the same second.
func (p *Pair) Phase() int { return int(p.phase) }

// Erase clears the secrets. The pair is of no use afterwards.
func (p *Pair) Erase() { // rv-pair-removed
	clear(p.prk[:])
	p.id, p.phase = nil, 0
}

// Key returns the key for what from sends or publishes in an epoch: 4 bytes for LabelPhase, 16 for LabelTag, otherwise 32.
// LabelPhase has no direction; it and LabelAuth, whose from is the initiator, have the epoch 0. An unknown label is an error of
// class ErrMalformed.
func (p *Pair) Key(label Label, from Side, epoch uint64) ([]byte, error) {
	if label.size() == 0 {
		return nil, fmt.Errorf("handshake: label %q is none of a pair's: %w", label, ErrMalformed)
	}
	return p.key(label, from, epoch), nil
}

// key is Key for a label that exists.
func (p *Pair) key(label Label, from Side, epoch uint64) []byte {
	a, b := &p.id.public, &p.friend
	if from == Friend {
		a, b = b, a
	}
	if label == LabelPhase && a.Compare(*b) > 0 {
		a, b = b, a
	}
	info := make([]byte, 0, 96)
	info = append(info, "kith/1 "...)
	info = append(info, label...)
	info = append(info, 0)
	info = append(info, a[:]...)
	info = append(info, b[:]...)
	info = binary.BigEndian.AppendUint64(info, epoch)
	k, err := hkdf.Expand(sha256.New, p.prk[:], string(info), label.size()) // rv-pair-keys
	if err != nil {
		panic("handshake: HKDF refuses a length that is constant")
	}
	return k
}

// A Tag begins a handshake datagram and tells its receiver, and nobody else, whom it is from.
type Tag [TagSize]byte

// TagSize is the size of a tag in bytes.
const TagSize = 16

// Tag returns the tag of what from sends in a handshake of an epoch.
func (p *Pair) Tag(from Side, epoch uint64) Tag { return Tag(p.key(LabelTag, from, epoch)) }

// EnvelopeKey returns the key that seals what from sends in a handshake of an epoch.
func (p *Pair) EnvelopeKey(from Side, epoch uint64) [32]byte {
	key := p.key(LabelEnvelope, from, epoch)
	defer clear(key)
	return [32]byte(key)
}

// Epoch returns the pair's epoch at t. Times before 1970 count as its beginning.
func (p *Pair) Epoch(t time.Time) uint64 { // rv-epoch-current
	return (unixSeconds(t) + p.phase) / EpochLength
}

// Live returns the epochs that are accepted at t: the present one and, if one of its edges is near, the neighbour behind that.
// Two clocks that differ by at most EpochSlack always have one in common.
func (p *Pair) Live(t time.Time) []uint64 { // rv-epoch-live, rv-epoch-other
	epoch, into := p.Epoch(t), (unixSeconds(t)+p.phase)%EpochLength
	switch {
	case into < EpochSlack && epoch > 0:
		return []uint64{epoch, epoch - 1}
	case into >= EpochLength-EpochSlack:
		return []uint64{epoch, epoch + 1}
	}
	return []uint64{epoch}
}

// unixSeconds returns the Unix time in whole seconds, rounded down, 0 for what was before.
func unixSeconds(t time.Time) uint64 { return uint64(max(0, t.Unix())) }
