package peer

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"time"

	"kith/handshake"
	"kith/peer/conversation"
	"kith/peer/durable"
)

// Keys of bucketNode.
const (
	keyDHT  = "dht"
	keyNext = "next"
)

// Stored values, sorted by whose they are.
type stored struct {
	contacts map[uint32]Contact
	knocks   map[uint32]knock
	streams  map[uint32][]durable.Change // for package conversation
	dht      []byte
	next     uint32
}

// A knock is the times of the last knocks taken from a contact and sent to it, Unix milliseconds.
type knock struct{ taken, own int64 }

// sort reads the values that this package writes and sorts the others by contact. What contradicts is an error, of class ErrMalformed, that names the kind. // peer-store-damaged
func sort(values []durable.Change) (*stored, error) {
	s := &stored{contacts: map[uint32]Contact{}, knocks: map[uint32]knock{}, streams: map[uint32][]durable.Change{}}
	for _, v := range values {
		if v.Bucket == bucketNode {
			if err := s.addNode(v); err != nil {
				return nil, err
			}
			continue
		}
		if v.Bucket == BucketHistory {
			continue
		}
		n, ok := conversation.Contact(v.Key)
		if !ok || (v.Bucket == bucketContact || v.Bucket == bucketKnock) && len(v.Key) != numberSize {
			return nil, damaged(v.Bucket, "a key that is none")
		}
		switch v.Bucket {
		case bucketContact:
			c, err := parseContact(v.Value)
			if err != nil {
				return nil, damaged(v.Bucket, err.Error())
			}
			s.contacts[n] = c
		case bucketKnock:
			taken, own, err := parseKnock(v.Value)
			if err != nil {
				return nil, damaged(v.Bucket, err.Error())
			}
			s.knocks[n] = knock{taken, own}
		case conversation.BucketSending, conversation.BucketReceiving, conversation.BucketOutbox, conversation.BucketInbox:
			s.streams[n] = append(s.streams[n], v)
		default:
			return nil, damaged(v.Bucket, "no such kind is known")
		}
	}
	return s, s.check()
}

// addNode takes a value that belongs to no contact.
func (s *stored) addNode(v durable.Change) error {
	switch string(v.Key) {
	case keyDHT:
		s.dht = v.Value
	case keyNext:
		if len(v.Value) != numberSize {
			return damaged(bucketNode, "the number of the next contact")
		}
		s.next = binary.BigEndian.Uint32(v.Value)
	default:
		return damaged(bucketNode, "a key that is none")
	}
	return nil
}

// check returns nil if no value contradicts another. A contact goes with all that is his in one transaction, so nothing is left of who is none.
func (s *stored) check() error {
	seen := map[handshake.PublicKey]bool{}
	for n, c := range s.contacts {
		if n >= s.next || seen[c.Key] {
			return damaged(bucketContact, "two have one number, or one key")
		}
		seen[c.Key] = true
	}
	for n := range s.knocks {
		if _, ok := s.contacts[n]; !ok {
			return damaged(bucketKnock, "of nobody")
		}
	}
	for n, values := range s.streams {
		if c, ok := s.contacts[n]; !ok || c.Blocked {
			return damaged(values[0].Bucket, "of nobody")
		}
	}
	return nil
}

// damaged says which kind of value is, and nothing of what is in it. // peer-store-damaged
func damaged(kind durable.Bucket, what string) error {
	return fmt.Errorf("peer: stored value of kind %q is damaged: %s: %w", kind, what, ErrMalformed)
}

// restore makes the contacts that are stored.
func (p *Peer) restore(now time.Time, s *stored) error {
	p.next = s.next
	for _, n := range slices.Sorted(maps.Keys(s.contacts)) {
		c := &contact{Contact: s.contacts[n], number: n, taken: s.knocks[n].taken, own: s.knocks[n].own}
		if err := p.admit(now, c, s.streams[n]); err != nil {
			return err
		}
	}
	return nil
}
