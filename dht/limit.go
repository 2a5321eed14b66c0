package dht

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"time"
)

const (
	rateDefault  = 250 // queries answered for one source, a second
	burstDefault = 500 // and at once
	wideFactor   = 4   // what a /48 may do more than a /64
)

// A ledger remembers for each of many keys until when it matters. It is bounded: when it is full, a new key takes the place of
// the one of its set that will matter for the shortest time. Strangers choose the keys, so they are mixed with a secret, and
// memory grows only with what they really send.
type ledger struct {
	sets   [][ways]slot // a power of two
	limit  int          // sets at most
	secret uint64
}

const ways = 4

type slot struct {
	key   uint64 // mixed
	until instant
}

func newLedger(limit int, secret uint64) ledger {
	return ledger{sets: make([][ways]slot, 1), limit: limit / ways, secret: secret}
}

// mix is a bijection, so two keys are never one: the finalizer of MurmurHash3.
func (l *ledger) mix(key uint64) uint64 {
	key ^= l.secret
	key = (key ^ key>>33) * 0xff51afd7ed558ccd
	key = (key ^ key>>33) * 0xc4ceb9fe1a85ec53
	return key ^ key>>33
}

// until returns the place of key's instant, to be read and written before the next call. A key that is new, or that was
// forgotten, has the instant 0.
func (l *ledger) until(key uint64, now instant) *instant {
	key = l.mix(key)
	for {
		set := &l.sets[key&uint64(len(l.sets)-1)]
		out := 0
		for i := range set {
			if set[i].key == key {
				return &set[i].until
			}
			if set[i].until < set[out].until {
				out = i
			}
		}
		if set[out].until > now && len(l.sets) < l.limit {
			l.grow(now)
			continue
		}
		set[out] = slot{key: key}
		return &set[out].until
	}
}

// grow doubles the sets. A set of the old length becomes two, so none overflows.
func (l *ledger) grow(now instant) {
	old := l.sets
	l.sets = make([][ways]slot, 2*len(old))
	for i := range old {
		for _, s := range old[i] {
			if s.until <= now {
				continue
			}
			set := &l.sets[s.key&uint64(len(l.sets)-1)]
			for j := range set {
				if set[j] == (slot{}) {
					set[j] = s
					break
				}
			}
		}
	}
}

// noted reports whether key was noted less than d ago, and if not, notes it.
func (l *ledger) noted(key uint64, d time.Duration, now instant) bool {
	until := l.until(key, now)
	if *until > now {
		return true
	}
	*until = now + d
	return false
}

// note notes key for d from now.
func (l *ledger) note(key uint64, d time.Duration, now instant) { *l.until(key, now) = now + d }

// A limiter bounds how many queries are answered for each source: an IPv4 address, or an IPv6 /64 and its /48. It is a token
// bucket for each, of which only the instant is kept at which it will be full again.
type limiter struct {
	ledger
	interval time.Duration // in which one query is earned back
	burst    time.Duration // what an untouched source has saved up
}

// limitedSources is how many sources that are below their full burst are remembered at once: 16 bytes each.
const limitedSources = 1 << 16

func newLimiter(rate, burst int, secret uint64) limiter {
	interval := time.Second / time.Duration(rate)
	return limiter{newLedger(limitedSources, secret), interval, interval * time.Duration(burst)}
}

// allow reports whether a query from a may be answered at now, and counts it if so.
func (l *limiter) allow(a netip.Addr, now instant) bool {
	// The three kinds of key never meet: 0100::/8 is IPv6's discard prefix, and ffff::/16 would be multicast.
	if a.Is4() {
		ip := a.As4()
		return l.take(0x01<<56|uint64(binary.BigEndian.Uint32(ip[:])), l.interval, now)
	}
	ip := a.As16()
	upper := binary.BigEndian.Uint64(ip[:])
	return l.take(upper, l.interval, now) && l.take(0xffff<<48|upper>>16, l.interval/wideFactor, now)
}

func (l *limiter) take(key uint64, interval time.Duration, now instant) bool {
	full := l.until(key, now)
	at := max(*full, now) + interval
	if at-now > l.burst {
		return false
	}
	*full = at
	return true
}

// keys turns addresses into numbers under a secret, so that nobody can find an address that counts as another's.
type keys [2]uint64

func (k keys) mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^k[0], b^k[1])
	return hi ^ lo
}

// address returns the key under which a is remembered where one address may make us do something only so often: that of the IP
// address, or where local networks make many nodes of one address, of address and port.
func (k keys) address(a netip.AddrPort) uint64 {
	ip := a.Addr().As16()
	key := k.mix(binary.BigEndian.Uint64(ip[:]), binary.BigEndian.Uint64(ip[8:]))
	if isLocal(a.Addr()) {
		key = k.mix(key, uint64(a.Port()))
	}
	return key
}

// network returns the key under which the network of a is remembered: that of its /24 (IPv6: /48), or of a local address itself.
func (k keys) network(a netip.AddrPort) uint64 {
	if isLocal(a.Addr()) {
		return k.address(a)
	}
	return k.mix(network(a.Addr()), uint64(familyOf(a.Addr())))
}
