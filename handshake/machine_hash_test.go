package handshake

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// Snapshot returns a hash of everything on which it depends what the machine does, but for where it draws from, the outputs that wait, and the times of failed accepts, which
// are there to count refusals. Two calls return the same if and only if nothing else has changed in between, which is how a test shows that a refused datagram
// left no trace.
func (m *Machine) Snapshot() [sha256.Size]byte {
	s := snapshot{sha256.New()}
	s.bytes(m.id.public[:])
	s.number(len(m.contacts))
	for _, friend := range slices.SortedFunc(maps.Keys(m.contacts), PublicKey.Compare) {
		s.contact(m.contacts[friend])
	}
	s.number(len(m.fresh))
	for _, f := range m.fresh {
		s.time(f.at)
		s.bytes(f.friend[:])
	}
	return [sha256.Size]byte(s.Sum(nil))
}

// A snapshot is a hash into which values go so that no two sequences of them look alike.
type snapshot struct {
	hash.Hash
}

func (s *snapshot) number(n int) { s.Write(binary.BigEndian.AppendUint64(nil, uint64(n))) }

func (s *snapshot) bytes(b []byte) {
	s.number(len(b))
	s.Write(b)
}

func (s *snapshot) flag(set bool) {
	if set {
		s.number(1)
	} else {
		s.number(0)
	}
}

// time writes a time, whatever its place on earth.
func (s *snapshot) time(t time.Time) {
	s.flag(t.IsZero())
	if !t.IsZero() {
		s.number(int(t.UnixNano()))
	}
}

func (s *snapshot) address(a netip.AddrPort) {
	b, err := a.MarshalBinary()
	if err != nil {
		panic("handshake: an address cannot be written")
	}
	s.bytes(b)
}

func (s *snapshot) conversation(c *conversation) {
	s.flag(c != nil)
	if c != nil {
		s.bytes(c.id.ID[:])
		s.number(int(c.id.Role))
		s.number(int(c.rank.Time))
	}
}

func (s *snapshot) contact(c *contact) {
	s.bytes(c.friend[:])
	s.number(int(c.taken))
	s.number(int(c.own))
	s.flag(c.attempt != nil)
	if c.attempt != nil {
		s.attempt(c.attempt)
	}
	s.number(len(c.out))
	for i := range c.out {
		o := &c.out[i]
		s.bytes(o.id[:])
		s.number(int(o.epoch))
		s.number(int(o.time))
		s.time(o.until)
	}
	s.flag(c.offer != nil)
	if c.offer != nil {
		s.offer(c.offer)
	}
	s.number(len(c.used))
	for i := range c.used {
		u := &c.used[i]
		s.bytes(u.offer[:])
		s.bytes(u.accept[:])
		s.conversation(&u.of)
		s.number(int(u.epoch))
		s.number(u.repeats)
		s.time(u.until)
	}
	s.number(len(c.half))
	for i := range c.half {
		s.conversation(&c.half[i].conversation)
		s.time(c.half[i].until)
	}
	s.conversation(c.present)
}

func (s *snapshot) attempt(a *attempt) {
	s.number(len(a.to))
	for _, to := range a.to {
		s.address(to)
	}
	s.time(a.end)
	s.number(a.tries)
	s.time(a.next)
	s.bytes(a.id[:])
	s.number(int(a.epoch))
	s.number(int(a.time))
	s.time(a.since)
	s.bytes(a.knock)
	for i := range a.fragments.held {
		s.time(a.fragments.held[i].until)
		s.bytes(a.fragments.held[i].bytes[:])
	}
	s.bytes(a.accept)
	s.bytes(a.hello)
	s.address(a.from)
}

func (s *snapshot) offer(o *servedOffer) {
	s.bytes(o.ID[:])
	s.bytes(o.Bytes[:]) // which the private keys go with
	s.bytes(o.id[:])
	s.number(int(o.epoch))
	s.number(int(o.time))
	s.bytes(o.knock[:])
	s.time(o.until)
	s.number(len(o.copies))
	for _, c := range o.copies {
		s.address(c.source)
		s.number(c.n)
	}
}
