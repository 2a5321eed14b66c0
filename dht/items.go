package dht

import (
	"bytes"
	"time"

	"kith/wire"
)

const (
	itemLife       = 2 * time.Hour
	itemsKept      = 4096
	itemsOfNetwork = itemsKept / 16
)

// An itemStore holds what others put, in the order in which it was put last, which is the order in which lives end.
type itemStore struct {
	byTarget map[wire.ID]uint32 // numbers in items
	items    slab[stored]
	age      queue
	ages     chain
	shares   shares // of the networks that put an item first
	evicted  uint64
}

// A stored is one item. Its parts stand in one piece of memory: k and sig of a mutable item, the salt, the value.
type stored struct {
	target  wire.ID
	salt    uint8 // length; only mutable items have any
	mutable bool
	seq     int64
	put     instant
	network uint64
	bytes   []byte
}

func (s *stored) key() []byte { return s.bytes[:32] }
func (s *stored) sig() []byte { return s.bytes[32:96] }

func (s *stored) value() []byte {
	if s.mutable {
		return s.bytes[96+int(s.salt):]
	}
	return s.bytes
}

func newItemStore() *itemStore {
	return &itemStore{byTarget: map[wire.ID]uint32{}, shares: newShares(itemsOfNetwork)}
}

// get returns the item of target, good until the next put, or nil.
func (s *itemStore) get(target *wire.ID, now instant) *stored {
	s.expire(now)
	if i, ok := s.byTarget[*target]; ok {
		return s.items.at(i)
	}
	return nil
}

// same reports whether the mutable item in m, found under s's target, is s itself: then nothing has to be verified.
func (s *stored) same(m *wire.Body) bool {
	return s.mutable && s.seq == m.Seq && bytes.Equal(s.sig(), m.Sig) && bytes.Equal(s.value(), m.Value) &&
		bytes.Equal(s.key(), m.Key) && bytes.Equal(s.bytes[96:96+int(s.salt)], m.Salt)
}

// refresh counts the life of the item of target anew, as a put of the same does.
func (s *itemStore) refresh(target *wire.ID, now instant) {
	i := s.byTarget[*target]
	s.leave(i)
	s.enter(i, now)
}

// put stores the item that m holds, in place of what stands under target. An item stays with the network that first put it: else who puts
// it again could have it give way to others of his own.
func (s *itemStore) put(target *wire.ID, m *wire.Body, network uint64, now instant) {
	i, old := s.byTarget[*target]
	if old {
		s.leave(i)
	} else {
		if over, ok := s.shares.over(network); ok { // dht-item-share
			s.drop(over)
			s.evicted++
		} else if len(s.byTarget) == itemsKept { // dht-item-bound
			s.drop(s.ages.first(s.age))
			s.evicted++
		}
		i = s.items.add()
		s.items.at(i).target, s.items.at(i).network = *target, network
		s.byTarget[*target] = i
	}
	item := s.items.at(i)
	item.mutable = m.Has&wire.HasKey != 0
	if item.mutable {
		item.seq, item.salt = m.Seq, uint8(len(m.Salt))
		item.bytes = bytes.Join([][]byte{m.Key, m.Sig, m.Salt, m.Value}, nil) // dht-put-verbatim
	} else {
		item.bytes = bytes.Clone(m.Value)
	}
	s.enter(i, now)
}

// size returns how many items there are.
func (s *itemStore) size(now instant) int {
	s.expire(now)
	return len(s.byTarget)
}

// expire forgets the items whose life has ended.
func (s *itemStore) expire(now instant) {
	for s.age.n > 0 {
		i := s.ages.first(s.age)
		if now-s.items.at(i).put < itemLife { // dht-item-expiry
			return
		}
		s.drop(i)
	}
}

// enter puts the i-th item at the end of its queues: its life begins.
func (s *itemStore) enter(i uint32, now instant) {
	item := s.items.at(i)
	item.put = now
	s.ages.push(&s.age, i)
	s.shares.push(item.network, i)
}

func (s *itemStore) leave(i uint32) {
	s.ages.remove(&s.age, i)
	s.shares.remove(s.items.at(i).network, i)
}

func (s *itemStore) drop(i uint32) {
	s.leave(i)
	delete(s.byTarget, s.items.at(i).target)
	s.items.drop(i)
}
