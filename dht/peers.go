package dht

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"kith/wire"
)

const (
	peerLife       = 45 * time.Minute
	peersPerHash   = 256
	hashesKept     = 4096
	peersPerAnswer = 50
	samplesDrawn   = 20
	sampleInterval = 60 * time.Second
)

// A peerStore holds who announced what, of one family. Info-hashes stand in a ring in the order of their last announcement, so
// what expires, and what gives way when there are too many, is always at its front.
type peerStore struct {
	byHash map[wire.ID]*swarm
	all    []*swarm // every swarm once, in no order, to draw from
	ring   swarm    // its next is the swarm that was announced to longest ago
	rand   *rand.Rand

	sample    []wire.ID // the present draw
	sampledAt instant
	evicted   uint64 // peers and info-hashes that gave way
}

// A swarm is the peers of one info-hash.
type swarm struct {
	hash       wire.ID
	at         int // index in all
	peers      []peer
	announced  instant
	prev, next *swarm
}

// A peer is one who announced himself.
type peer struct {
	addr      netip.AddrPort
	announced instant
}

func newPeerStore(r *rand.Rand) *peerStore {
	s := &peerStore{byHash: map[wire.ID]*swarm{}, rand: r}
	s.ring.prev, s.ring.next = &s.ring, &s.ring
	return s
}

func (w *swarm) unlink() { w.prev.next, w.next.prev = w.next, w.prev }

func (s *peerStore) linkLast(w *swarm) {
	w.prev, w.next = s.ring.prev, &s.ring
	w.prev.next, w.next.prev = w, w
}

// add stores a peer, or counts its life anew.
func (s *peerStore) add(hash wire.ID, a netip.AddrPort, now instant) {
	s.expire(now)
	w := s.byHash[hash]
	switch {
	case w != nil:
		w.unlink()
	default:
		if len(s.all) == hashesKept { // dht-peers-bound
			s.drop(s.ring.next)
			s.evicted++
		}
		w = &swarm{hash: hash, at: len(s.all)}
		s.byHash[hash] = w
		s.all = append(s.all, w)
	}
	w.announced = now
	s.linkLast(w)
	if w.add(a, now) {
		s.evicted++
	}
}

// add stores a peer and reports whether another gave way.
func (w *swarm) add(a netip.AddrPort, now instant) bool {
	w.expire(now)
	oldest := 0
	for i := range w.peers {
		if w.peers[i].addr == a { // dht-announce-twice
			w.peers[i].announced = now
			return false
		}
		if w.peers[i].announced < w.peers[oldest].announced {
			oldest = i
		}
	}
	if len(w.peers) < peersPerHash {
		w.peers = append(w.peers, peer{a, now})
		return false
	}
	w.peers[oldest] = peer{a, now} // dht-peers-bound
	return true
}

// draw appends to v up to max peers of the info-hash, chosen at random when there are more.
func (s *peerStore) draw(v wire.Values, hash *wire.ID, max int, now instant) wire.Values {
	s.expire(now)
	w := s.byHash[*hash]
	if w == nil {
		return v
	}
	w.expire(now)
	for i := range min(max, len(w.peers)) {
		j := i
		if len(w.peers) > max {
			j += s.rand.IntN(len(w.peers) - i) // dht-peers-random
		}
		w.peers[i], w.peers[j] = w.peers[j], w.peers[i]
		v = wire.AppendValue(v, w.peers[i].addr)
	}
	return v
}

// samples returns the present draw of info-hashes, how many there are in all, and for how long the draw will stay.
func (s *peerStore) samples(now instant) (drawn []wire.ID, num int, left time.Duration) {
	s.expire(now)
	stale := s.sampledAt == 0 || now-s.sampledAt >= sampleInterval
	// A draw that has room never hides anything: who just announced is seen at once.
	if stale || len(s.sample) < min(samplesDrawn, len(s.all)) {
		s.sample = s.sample[:0]
		for i := range min(samplesDrawn, len(s.all)) {
			s.swap(i, i+s.rand.IntN(len(s.all)-i))
			s.sample = append(s.sample, s.all[i].hash)
		}
		s.sampledAt = now
	}
	return s.sample, max(len(s.all), len(s.sample)), s.sampledAt + sampleInterval - now
}

// size returns how many info-hashes and how many peers there are.
func (s *peerStore) size(now instant) (hashes, peers int) {
	s.expire(now)
	for _, w := range s.all {
		w.expire(now)
		peers += len(w.peers)
	}
	return len(s.all), peers
}

// expire forgets the info-hashes whose last announcement is too old.
func (s *peerStore) expire(now instant) {
	for w := s.ring.next; w != &s.ring && now-w.announced >= peerLife; w = s.ring.next {
		s.drop(w)
	}
}

// expire forgets the peers whose last announcement is too old.
func (w *swarm) expire(now instant) {
	for i := 0; i < len(w.peers); {
		if now-w.peers[i].announced < peerLife { // dht-announce-expiry
			i++
			continue
		}
		last := len(w.peers) - 1
		w.peers[i] = w.peers[last]
		w.peers = w.peers[:last]
	}
}

func (s *peerStore) drop(w *swarm) {
	w.unlink()
	delete(s.byHash, w.hash)
	last := len(s.all) - 1
	s.swap(w.at, last)
	s.all[last] = nil
	s.all = s.all[:last]
}

func (s *peerStore) swap(i, j int) {
	s.all[i], s.all[j] = s.all[j], s.all[i]
	s.all[i].at, s.all[j].at = i, j
}
