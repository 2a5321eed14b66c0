package dht

import (
	"bytes"
	"time"

	"kith/wire"
)

const (
	itemLife  = 2 * time.Hour
	itemsKept = 4096
)

// An itemStore holds what others put. The items stand in a ring in the order in which they were put last, which is the order
// in which their lives end.
type itemStore struct {
	byTarget map[wire.ID]*stored
	ring     stored // its next is the item whose life ends first
	evicted  uint64
}

// A stored is one item. Its parts stand in one piece of memory: k and sig of a mutable item, the salt, the value.
type stored struct {
	target     wire.ID
	salt       uint8 // length; only mutable items have any
	mutable    bool
	seq        int64
	put        instant
	bytes      []byte
	prev, next *stored
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
	s := &itemStore{byTarget: map[wire.ID]*stored{}}
	s.ring.prev, s.ring.next = &s.ring, &s.ring
	return s
}

func (s *stored) unlink() { s.prev.next, s.next.prev = s.next, s.prev }

// touch counts the life of i anew.
func (s *itemStore) touch(i *stored, now instant) {
	i.put = now
	i.prev, i.next = s.ring.prev, &s.ring
	i.prev.next, i.next.prev = i, i
}

// get returns the item of target, or nil.
func (s *itemStore) get(target *wire.ID, now instant) *stored {
	s.expire(now)
	return s.byTarget[*target]
}

// same reports whether the mutable item in m, found under s's target, is s itself: then nothing has to be verified.
func (s *stored) same(m *wire.Body) bool {
	return s.mutable && s.seq == m.Seq && bytes.Equal(s.sig(), m.Sig) && bytes.Equal(s.value(), m.Value) &&
		bytes.Equal(s.key(), m.Key) && bytes.Equal(s.bytes[96:96+int(s.salt)], m.Salt)
}

// refresh counts the life of an item anew, as a put of the same does.
func (s *itemStore) refresh(i *stored, now instant) {
	i.unlink()
	s.touch(i, now)
}

// put stores the item that m holds, in place of what stands under target.
func (s *itemStore) put(target *wire.ID, m *wire.Body, now instant) {
	i := s.byTarget[*target]
	if i == nil {
		if len(s.byTarget) == itemsKept { // dht-item-bound
			s.drop(s.ring.next)
			s.evicted++
		}
		i = &stored{target: *target}
		s.byTarget[*target] = i
	} else {
		i.unlink()
	}
	i.mutable = m.Has&wire.HasKey != 0
	if i.mutable {
		i.seq, i.salt = m.Seq, uint8(len(m.Salt))
		i.bytes = bytes.Join([][]byte{m.Key, m.Sig, m.Salt, m.Value}, nil)
	} else {
		i.bytes = bytes.Clone(m.Value)
	}
	s.touch(i, now)
}

// size returns how many items there are.
func (s *itemStore) size(now instant) int {
	s.expire(now)
	return len(s.byTarget)
}

// expire forgets the items whose life has ended.
func (s *itemStore) expire(now instant) {
	for i := s.ring.next; i != &s.ring && now-i.put >= itemLife; i = s.ring.next { // dht-item-expiry
		s.drop(i)
	}
}

func (s *itemStore) drop(i *stored) {
	i.unlink()
	delete(s.byTarget, i.target)
}
