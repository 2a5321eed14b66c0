package gen

import (
	"crypto/sha1"
	"crypto/sha512"
	"encoding/binary"
	"slices"
)

// A person is an identity and its X25519 form.
type person struct{ seed, key, private, public string }

func personOf(seed string) person {
	return once("person", seed, func() person { return personSlow(seed) })
}

func personSlow(seed string) person {
	h := sha512.Sum512([]byte(seed))
	p := person{seed: seed, key: ed25519Public(seed), private: toLittle(clamp(string(h[:32])))}
	a, ok := decodePoint(p.key)
	if !ok {
		panic("an identity is no point")
	}
	p.public = a.montgomery()
	agree("the X25519 form", p.public, x25519Public(p.private))
	return p
}

// person makes an identity of a secret.
func (s *secrets) person(name string) person { return personOf(s.bytes(name, name, 32)) }

// contact returns the rule that refuses a friend's key, empty for none, and the key's X25519 form.
func contact(own, friend string) (public, rule string) {
	judged := once("contact", own+"/"+friend, func() [2]string {
		public, rule := contactSlow(own, friend)
		return [2]string{public, rule}
	})
	return judged[0], judged[1]
}

func contactSlow(own, friend string) (public, rule string) {
	if len(friend) != 32 {
		return "", "rv-contact-length"
	}
	y := fromLittle([]byte(friend))
	if y.SetBit(y, 255, 0).Cmp(prime) >= 0 {
		return "", "rv-contact-canonical"
	}
	a, ok := decodePoint(friend)
	if !ok {
		return "", "rv-contact-curve"
	}
	agree("an encoding", friend, a.encode())
	if a.add(a).add(a.add(a)).add(a.add(a).add(a.add(a))).isNeutral() {
		return "", "rv-contact-small"
	}
	if !a.times(order).isNeutral() {
		return "", "rv-contact-subgroup"
	}
	if friend == own {
		return "", "rv-contact-self"
	}
	return a.montgomery(), ""
}

// agreement returns the rule that refuses an X25519 key or its result, empty for none.
func agreement(private, public string) (shared, rule string) {
	if !below(public, prime) {
		return "", "rv-x25519-canonical"
	}
	shared = x25519(private, public)
	if shared == zeros(32) {
		return "", "rv-x25519-zero"
	}
	return shared, ""
}

// A pair is a person with one contact.
type pair struct {
	own    person
	friend string // IK
	s, prk string
}

func pairOf(own person, friend string) pair {
	public, rule := contact(own.key, friend)
	if rule != "" {
		panic("no contact: " + rule)
	}
	p := pair{own: own, friend: friend, s: x25519(own.private, public)}
	p.prk = extract(label("pair"), p.s)
	return p
}

// with is the pair of two people whose seeds are both known; the secrets of both sides have to be the same.
func (p person) with(friend person) pair {
	a, b := pairOf(p, friend.key), pairOf(friend, p.key)
	agree("a pair's secret", a.prk, b.prk)
	return a
}

func (p pair) key(name, from, to string, epoch uint64, n int) string {
	return expand(p.prk, label(name)+from+to+u64(epoch), n)
}

// sizes of keys by their labels.
var keySizes = map[string]int{"phase": 4, "slot4": 32, "slot6": 32, "record": 32, "tag": 16, "envelope": 32, "auth": 32}

// sent is a key for what the owner publishes, sends or initiates; received is one for what the friend does.
func (p pair) sent(name string, epoch uint64) string {
	return p.key(name, p.own.key, p.friend, epoch, keySizes[name])
}
func (p pair) received(name string, epoch uint64) string {
	return p.key(name, p.friend, p.own.key, epoch, keySizes[name])
}

const (
	epochLength = 21600
	epochSlack  = 3600
)

func (p pair) phaseKey() string {
	ends := []string{p.own.key, p.friend}
	slices.Sort(ends)
	return p.key("phase", ends[0], ends[1], 0, 4)
}

func (p pair) phase() uint64 {
	return uint64(binary.BigEndian.Uint32([]byte(p.phaseKey()))) % epochLength
}

// epochs returns the epochs that are accepted at t, the current one first.
func (p pair) epochs(t uint64) []uint64 {
	at := t + p.phase()
	now := at / epochLength
	switch r := at % epochLength; {
	case r < epochSlack:
		return []uint64{now, now - 1}
	case r >= epochLength-epochSlack:
		return []uint64{now, now + 1}
	}
	return []uint64{now}
}

// at returns the time at which r(t) seconds of an epoch have passed.
func (p pair) at(epoch, r uint64) uint64 { return epoch*epochLength + r - p.phase() }

// A slot is where a record lives.
type slot struct{ seed, key, target string }

// slotOf returns the slot of what is published under a seed: sent or received of slot4 or slot6.
func slotOf(seed string) slot {
	k := ed25519Public(seed)
	target := sha1.Sum([]byte(k))
	return slot{seed, k, string(target[:])}
}
