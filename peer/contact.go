package peer

import (
	"encoding/binary"
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"

	"kith/handshake"
	"kith/peer/durable"
)

// MaxName is the size in bytes of the longest name of a contact.
const MaxName = 64

// A Contact is somebody whom the peer's user has added.
type Contact struct {
	Key     handshake.PublicKey
	Name    string // what the user calls him, empty for nothing
	Blocked bool
	Added   time.Time
	Spoken  time.Time // when a conversation with him was last open, within some minutes; zero: never
	Online  bool      // one is open now
	Waiting int       // messages in the outbox that he does not have yet
}

// CheckName returns nil if a contact may have the name: at most MaxName bytes of UTF-8 without anything that moves a cursor. Otherwise the error's class is ErrMalformed, or ErrLimit.
func CheckName(name string) error {
	switch {
	case len(name) > MaxName:
		return fmt.Errorf("peer: name of %d bytes, more than %d: %w", len(name), MaxName, ErrLimit)
	case !utf8.ValidString(name):
		return fmt.Errorf("peer: name is not UTF-8: %w", ErrMalformed)
	}
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("peer: name has a character that does not print: %w", ErrMalformed)
		}
	}
	return nil
}

// Buckets of the store that this package writes itself. Keys begin with the contact's number, u32, but in bucketNode.
const (
	bucketContact durable.Bucket = "contact" // number → contactValue
	bucketKnock   durable.Bucket = "knock"   // number → taken u64 ‖ own u64, Unix milliseconds
	bucketNode    durable.Bucket = "node"    // "dht" → dht.Node.State; "next" → u32, the number of the next contact
)

const (
	numberSize       = 4
	contactValueSize = handshake.PublicKeySize + 1 + 8 + 8 // and the name
	flagBlocked      = 1
)

// number is the key of a contact's values. It is never reused in a store, so that a value that was left over could not be taken for another's.
func numberKey(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// appendContact appends key(32) ‖ flags u8 ‖ added u64 ‖ spoken u64 ‖ name. Times are Unix milliseconds, 0 for never.
func appendContact(b []byte, c *Contact) []byte {
	b = append(b, c.Key[:]...)
	var flags byte
	if c.Blocked {
		flags = flagBlocked
	}
	b = append(b, flags)
	b = binary.BigEndian.AppendUint64(b, milliseconds(c.Added))
	b = binary.BigEndian.AppendUint64(b, milliseconds(c.Spoken))
	return append(b, c.Name...)
}

// parseContact reads what appendContact wrote.
func parseContact(b []byte) (c Contact, err error) {
	if len(b) < contactValueSize {
		return Contact{}, fmt.Errorf("%d bytes: %w", len(b), ErrMalformed)
	}
	c.Key = handshake.PublicKey(b)
	b = b[handshake.PublicKeySize:]
	if b[0]&^flagBlocked != 0 {
		return Contact{}, fmt.Errorf("flags %#x: %w", b[0], ErrMalformed)
	}
	c.Blocked = b[0]&flagBlocked != 0
	if c.Added, err = fromMilliseconds(b[1:]); err != nil {
		return Contact{}, err
	}
	if c.Spoken, err = fromMilliseconds(b[9:]); err != nil {
		return Contact{}, err
	}
	c.Name = string(b[17:])
	if err := CheckName(c.Name); err != nil {
		return Contact{}, fmt.Errorf("its name: %w", ErrMalformed)
	}
	return c, nil
}

// milliseconds is t for a store: the zero time, and what was before 1970, as 0.
func milliseconds(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(max(0, t.UnixMilli()))
}

// latest is the last time that a store can have: far enough, and small enough to be reckoned with.
const latest = 1 << 52

func fromMilliseconds(b []byte) (time.Time, error) {
	switch ms := binary.BigEndian.Uint64(b); {
	case ms == 0:
		return time.Time{}, nil
	case ms > latest:
		return time.Time{}, fmt.Errorf("time %d: %w", ms, ErrMalformed)
	default:
		return time.UnixMilli(int64(ms)), nil
	}
}

// appendKnock appends the knock times of a contact.
func appendKnock(b []byte, taken, own int64) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(taken))
	return binary.BigEndian.AppendUint64(b, uint64(own))
}

// parseKnock reads what appendKnock wrote.
func parseKnock(b []byte) (taken, own int64, err error) {
	if len(b) != 16 {
		return 0, 0, fmt.Errorf("%d bytes: %w", len(b), ErrMalformed)
	}
	taken, own = int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint64(b[8:]))
	if taken < 0 || own < 0 {
		return 0, 0, fmt.Errorf("times %d and %d: %w", taken, own, ErrMalformed)
	}
	return taken, own, nil
}
