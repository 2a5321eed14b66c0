package store

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	nonceSize = chacha20poly1305.NonceSizeX
	tagSize   = chacha20poly1305.Overhead
	overhead  = nonceSize + tagSize // bytes that sealing adds
)

// The store's own bucket is there beside the caller's.
const ownBucket = "store"

// The keys in the store's own bucket.
var (
	headerKey = []byte("header")
	checkKey  = []byte("check")
)

func goodName(name string) bool {
	return name != "" && len(name) <= 32 && name != ownBucket && !strings.Contains(name, "\x00")
}

// A sealer seals values as nonce ‖ ciphertext ‖ tag.
type sealer struct {
	aead  cipher.AEAD
	owner [16]byte // tells files of one identity from those of another, and says nothing about it
	room  []byte   // of appendSealed, used again
}

func newSealer(key *[32]byte) (*sealer, error) {
	s := new(sealer)
	owner, err := hkdf.Expand(sha256.New, key[:], "kith/1 store owner", len(s.owner))
	if err != nil {
		return nil, err
	}
	copy(s.owner[:], owner)
	s.aead, err = chacha20poly1305.NewX(key[:])
	return s, err
}

// associated appends bucket ‖ 0x00 ‖ key to b.
func associated(b []byte, bucket string, key []byte) []byte {
	b = append(b, bucket...)
	b = append(b, 0)
	return append(b, key...)
}

// appendSealed appends the sealed value to b. nonce has 24 random bytes. One goroutine at a time may call it.
func (s *sealer) appendSealed(b, nonce []byte, bucket string, key, value []byte) []byte {
	s.room = associated(s.room[:0], bucket, key)
	return s.aead.Seal(append(b, nonce...), nonce, value, s.room)
}

// appendOpened appends the value in sealed to b; ok is false where bucket, key and value do not belong together.
func (s *sealer) appendOpened(b []byte, bucket string, key, sealed []byte) (value []byte, ok bool) {
	if len(sealed) < overhead || len(key) > MaxKey {
		return nil, false
	}
	var room [32 + 1 + MaxKey]byte
	value, err := s.aead.Open(b, sealed[:nonceSize], sealed[nonceSize:], associated(room[:0], bucket, key))
	return value, err == nil
}

// A header is the one value that is not sealed: who may read the file, and how.
//
//	version u32 ‖ owner(16) ‖ SHA-256 of both, the first 8 bytes
type header struct {
	version uint32
	owner   [16]byte
}

const headerSize = 4 + 16 + 8

func appendHeader(b []byte, h header) []byte {
	start := len(b)
	b = binary.BigEndian.AppendUint32(b, h.version)
	b = append(b, h.owner[:]...)
	sum := sha256.Sum256(b[start:])
	return append(b, sum[:8]...)
}

// parseHeader reports false for whatever appendHeader would not have written: a flipped bit must not look like another version or identity.
func parseHeader(b []byte) (h header, ok bool) {
	if len(b) != headerSize {
		return h, false
	}
	h.version = binary.BigEndian.Uint32(b)
	copy(h.owner[:], b[4:])
	return h, string(appendHeader(nil, h)) == string(b)
}

// A tally covers all values together: how many there are, and the sum of their tags in GF(2)^128. Each value is authentic by itself; the tally notices one
// that is missing, or is from an earlier transaction.
type tally struct {
	values uint64
	tags   [tagSize]byte
}

// missing is what is wrong where a tally is another one.
const missing = "a value is missing, or is an old one"

func (t *tally) add(sealed []byte)    { t.values++; t.sum(sealed) }
func (t *tally) remove(sealed []byte) { t.values--; t.sum(sealed) }

func (t *tally) sum(sealed []byte) {
	subtle.XORBytes(t.tags[:], t.tags[:], sealed[len(sealed)-tagSize:])
}

// A check is the sealed value over all others. It is that of one transaction of bbolt: a root page that has come back from an earlier one has an earlier check.
//
//	header(28) ‖ transaction u64 ‖ values u64 ‖ tags(16)
type check struct {
	header      header
	transaction uint64
	tally       tally
}

const checkSize = headerSize + 8 + 8 + tagSize

// appendCheck appends the sealed check value to b.
func (s *sealer) appendCheck(b []byte, c check) []byte {
	var nonce [nonceSize]byte
	rand.Read(nonce[:]) // never fails
	value := appendHeader(make([]byte, 0, checkSize), c.header)
	value = binary.BigEndian.AppendUint64(value, c.transaction)
	value = binary.BigEndian.AppendUint64(value, c.tally.values)
	value = append(value, c.tally.tags[:]...)
	return s.appendSealed(b, nonce[:], ownBucket, checkKey, value)
}

func (s *sealer) openCheck(sealed []byte) (c check, ok bool) {
	value, ok := s.appendOpened(nil, ownBucket, checkKey, sealed)
	if !ok || len(value) != checkSize {
		return c, false
	}
	if c.header, ok = parseHeader(value[:headerSize]); !ok {
		return c, false
	}
	c.transaction = binary.BigEndian.Uint64(value[headerSize:])
	c.tally.values = binary.BigEndian.Uint64(value[headerSize+8:])
	copy(c.tally.tags[:], value[headerSize+16:])
	return c, true
}
