package main

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kith/handshake"
)

// A needle is something that must never be on the wire.
type needle struct {
	what string
	b    []byte
}

// trace is how many bytes in a row of a needle count as a hit. Among some million random bytes and a few hundred places none is there by chance: 10⁶ · 10³ / 2⁶⁴.
const trace = 8

// A search looks for needles in datagrams.
type search struct {
	needles []needle
	places  map[uint64]int // any trace of a needle, and whose it is
}

// newSearch returns a search. A needle must have at least trace bytes.
func newSearch(needles []needle) *search {
	s := &search{needles, map[uint64]int{}}
	for i, n := range needles {
		for j := range len(n.b) - trace + 1 {
			s.places[binary.NativeEndian.Uint64(n.b[j:])] = i
		}
	}
	return s
}

// in returns the first needle of which there is a trace in b.
func (s *search) in(b []byte) (what string, found bool) {
	for j := range len(b) - trace + 1 {
		if i, ok := s.places[binary.NativeEndian.Uint64(b[j:])]; ok {
			return s.needles[i].what, true
		}
	}
	return "", false
}

// hits returns the datagrams in which there is something, as lines. Each needle is first put into a copy of a datagram, and has to be found there.
func (s *search) hits(all []datagram) (lines []string, err error) {
	if len(all) == 0 {
		return nil, errors.New("nothing was captured")
	}
	for _, n := range s.needles {
		planted := slices.Insert(slices.Clone(all[len(all)-1].b), 1, n.b...)
		if what, found := s.in(planted); !found {
			return nil, fmt.Errorf("the search does not find %s where it was put", n.what)
		} else if what != n.what {
			return nil, fmt.Errorf("the search takes %s for %s", n.what, what)
		}
	}
	for i := range all {
		if what, found := s.in(all[i].b); found {
			lines = append(lines, what+": "+strings.Join(strings.Fields(all[i].line()), " "))
		}
	}
	return lines, nil
}

// keyNeedles are the forms in which a person's key may be written.
func keyNeedles(name string, id *handshake.Identity) []needle {
	ik := id.PublicKey()
	private, public := id.X25519()
	clear(private[:])
	return []needle{
		{name + "'s key", ik[:]},
		{name + "'s key in hex", []byte(hex.EncodeToString(ik[:]))},
		{name + "'s X25519 key", public[:]},
		{name + "'s address", []byte(ik.String())},
		{name + "'s address in capitals", []byte(strings.ToUpper(ik.String()))},
	}
}
