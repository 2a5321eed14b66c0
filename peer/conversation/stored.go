package conversation

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"kith/peer/durable"
)

// The kinds of value that streams have in a store. Every key begins with the contact's number, u32.
const (
	BucketSending   durable.Bucket = "sending"   // number → stream id ‖ base u64 ‖ given u64
	BucketReceiving durable.Bucket = "receiving" // number → position u64 ‖ up to 16 × (stream id ‖ next expected u64), the one that had the last hello last
	BucketOutbox    durable.Bucket = "outbox"    // number ‖ position u64 → content type ‖ bytes
	BucketInbox     durable.Bucket = "inbox"     // number ‖ position u64 → time u64, Unix milliseconds ‖ content type ‖ bytes
)

const (
	contactKey  = 4
	entryKey    = contactKey + 8
	outboxHead  = 1     // content type
	inboxHead   = 8 + 1 // time, content type
	sendingSize = 8 + 8 + 8
	streamSize  = 8 + 8
)

// Contact returns the number of the contact that a key of one of these buckets begins with, and whether it has one.
func Contact(key []byte) (uint32, bool) {
	if len(key) < contactKey {
		return 0, false
	}
	return binary.BigEndian.Uint32(key), true
}

// appendEntryKey appends the key of an entry of the outbox or inbox.
func appendEntryKey(b []byte, contact uint32, position uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(b, contact), position)
}

// An entry is a message in the outbox or inbox as it was stored.
type entry struct {
	position uint64
	value    []byte
}

// value returns the last value of a contact in a bucket that has one for each, nil if there is none.
func value(stored []durable.Change, bucket durable.Bucket, contact uint32) ([]byte, error) {
	var v []byte
	for _, c := range stored {
		if c.Bucket != bucket {
			continue
		}
		if n, _ := Contact(c.Key); len(c.Key) != contactKey || n != contact {
			return nil, damaged(bucket)
		}
		v = c.Value
	}
	return v, nil
}

// entries returns a contact's entries of a bucket in the order of their positions. Their values have at least that many bytes.
func entries(stored []durable.Change, bucket durable.Bucket, contact uint32, least int) ([]entry, error) {
	var all []entry
	for _, c := range stored {
		if c.Bucket != bucket {
			continue
		}
		if n, _ := Contact(c.Key); len(c.Key) != entryKey || n != contact || len(c.Value) < least || len(c.Value) > inboxHead+MaxMessage {
			return nil, damaged(bucket)
		}
		all = append(all, entry{binary.BigEndian.Uint64(c.Key[contactKey:]), c.Value})
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.position, b.position) })
	for i := 1; i < len(all); i++ {
		if all[i].position == all[i-1].position {
			return nil, damaged(bucket)
		}
	}
	return all, nil
}

// damaged says which kind of value is. // peer-store-damaged
func damaged(bucket durable.Bucket) error {
	return fmt.Errorf("peer: stored value of kind %q is damaged: %w", bucket, ErrMalformed)
}
