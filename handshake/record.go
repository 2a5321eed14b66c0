package handshake

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"kith/internal/curve25519"
	"kith/wire"
)

// Sizes of a record in bytes, and how far in seconds its time may be from the reader's.
const (
	RecordSize = 512 // the byte string

	recordPlaintext = RecordSize - chacha20poly1305.NonceSizeX - chacha20poly1305.Overhead
	recordHead      = 1 + 8 // version u8 ‖ time u64
	recordVersion   = 1
	recordPrefix    = "512:" // of bencode

	maxAge   = 7200
	maxAhead = 3600
)

// An Item is what the DHT stores: a mutable item of BEP 44 without salt.
type Item struct {
	Key   PublicKey // k
	Seq   int64     // seq
	Value []byte    // v, bencoded: "512:" and 512 bytes
	Sig   [SignatureSize]byte
}

// A Record says where a person can be reached.
type Record struct {
	Seq       int64            // of the item; its thousands are the time
	Time      uint64           // when it was signed, in Unix seconds
	Endpoints []netip.AddrPort // at most MaxEndpoints
}

// Seal returns the item that publishes endpoints in the slot. Draw: nonce, 24 bytes of rand. It returns an error of class
// ErrLimit or ErrMalformed, and draws nothing, for endpoints that no receiver takes. The seq is a Sequence's.
func (s *Slot) Seal(rand io.Reader, seq int64, endpoints []netip.AddrPort) (Item, error) {
	if err := checkEndpoints(endpoints); err != nil {
		return Item{}, err
	}
	// The value is built in place: prefix, nonce, then the plaintext where its seal will stand.
	value := make([]byte, 0, len(recordPrefix)+RecordSize)
	value = append(value, recordPrefix...)
	value = value[:len(value)+chacha20poly1305.NonceSizeX]
	nonce := value[len(recordPrefix):]
	if _, err := io.ReadFull(rand, nonce); err != nil { // rv-record-draws
		return Item{}, fmt.Errorf("handshake: drawing nonce: %w", err)
	}
	plaintext := make([]byte, 0, recordPlaintext)
	plaintext = append(plaintext, recordVersion)
	plaintext = binary.BigEndian.AppendUint64(plaintext, uint64(seq)/1000) // rv-seq
	plaintext = appendFields(plaintext, endpoints)
	value = newXAEAD(&s.seal).Seal(value, nonce, plaintext[:recordPlaintext], s.ad(seq)) // rv-record-form

	sig := curve25519.Sign(s.signing, wire.AppendSigned(nil, nil, seq, value))
	return Item{Key: s.Key, Seq: seq, Value: value, Sig: sig}, nil
}

// ad returns what a record's seal covers besides its plaintext: k ‖ u64(seq).
func (s *Slot) ad(seq int64) []byte {
	b := make([]byte, 0, PublicKeySize+8)
	b = append(b, s.Key[:]...)
	return binary.BigEndian.AppendUint64(b, uint64(seq))
}

// Open returns the record that an item of the slot holds, if a reader takes it at now who has accepted highest, the seq of an
// earlier one, or 0. The error says which rule it breaks; its class is ErrAuthentication for the key, signature and seal,
// ErrReplay for a lower seq, ErrState for its age, and otherwise ErrMalformed or ErrLimit.
func (s *Slot) Open(now time.Time, highest int64, i Item) (Record, error) {
	if err := s.verify(&i); err != nil {
		return Record{}, err
	}
	if i.Seq < highest { // rv-record-lower
		return Record{}, fmt.Errorf("handshake: record has seq %d, and %d was had: %w", i.Seq, highest, ErrReplay)
	}
	plaintext, err := s.unseal(&i)
	if err != nil {
		return Record{}, err
	}
	r := Record{Seq: i.Seq, Time: binary.BigEndian.Uint64(plaintext[1:])}
	switch {
	case plaintext[0] != recordVersion: // rv-record-version
		return Record{}, fmt.Errorf("handshake: record of version %d: %w", plaintext[0], ErrMalformed)
	case r.Time != uint64(i.Seq)/1000: // rv-record-time
		return Record{}, fmt.Errorf("handshake: record has another time than its seq: %w", ErrMalformed)
	}
	if r.Endpoints, err = parseFields(plaintext[recordHead:]); err != nil { // rv-record-content
		return Record{}, err
	}
	if t := unixSeconds(now); r.Time+maxAge < t || r.Time > t+maxAhead { // rv-record-age
		return Record{}, fmt.Errorf("handshake: record is of %d and it is %d: %w", r.Time, t, ErrState)
	}
	return r, nil
}

// Check returns nil if an item is of the slot and its signature and seal are right, whatever it says: what a publisher asks
// before it lets its Sequence Observe the item's seq.
func (s *Slot) Check(i Item) error {
	if err := s.verify(&i); err != nil {
		return err
	}
	_, err := s.unseal(&i)
	return err
}

// verify returns nil if the item is signed with the slot's key.
func (s *Slot) verify(i *Item) error {
	if i.Key != s.Key { // rv-record-key
		return fmt.Errorf("handshake: record is signed with another key than its slot's: %w", ErrAuthentication)
	}
	return verify(&i.Key, wire.AppendSigned(nil, nil, i.Seq, i.Value), i.Sig[:]) // rv-record-signature
}

// unseal returns the plaintext of an item that verify has taken.
func (s *Slot) unseal(i *Item) ([]byte, error) {
	if len(i.Value) != len(recordPrefix)+RecordSize || string(i.Value[:len(recordPrefix)]) != recordPrefix { // rv-record-size
		return nil, fmt.Errorf("handshake: record is not a string of %d bytes: %w", RecordSize, ErrMalformed)
	}
	sealed := i.Value[len(recordPrefix):]
	nonce, sealed := sealed[:chacha20poly1305.NonceSizeX], sealed[chacha20poly1305.NonceSizeX:]
	plaintext, err := newXAEAD(&s.seal).Open(nil, nonce, sealed, s.ad(i.Seq))
	if err != nil { // rv-record-seal
		return nil, fmt.Errorf("handshake: record does not open: %w", ErrAuthentication)
	}
	return plaintext, nil
}

// A Reader reads one slot and never takes a record that is older than one which it has taken. It is kept until the slot's epoch
// is no longer accepted.
type Reader struct {
	slot    *Slot
	highest int64
}

// NewReader returns a reader that has taken nothing yet.
func NewReader(s *Slot) *Reader { return &Reader{slot: s} }

// Slot returns the slot that is read.
func (r *Reader) Slot() *Slot { return r.slot }

// Read is Slot.Open with the reader's memory. The same item again is taken again. Of a person's slots of both families the
// record with the highest Seq counts (rv-record-highest).
func (r *Reader) Read(now time.Time, i Item) (Record, error) {
	rec, err := r.slot.Open(now, r.highest, i)
	if err == nil {
		r.highest = rec.Seq
	}
	return rec, err
}
