package dht

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"kith/wire"
)

const (
	peerLife       = 45 * time.Minute
	peersKept      = 1 << 16
	peersPerHash   = 256
	hashesKept     = 4096
	peersOfNetwork = hashesKept / 16 // so that one network has no more of the info-hashes either
	kinPerHash     = peersPerHash / 16
	peersPerAnswer = 50
	samplesDrawn   = 20
	sampleInterval = 60 * time.Second
)

// A peerStore holds who announced what, of one family. Peers stand in the order of their last announcements, and so do info-hashes,
// so what expires, and what gives way when there are too many, is always at the front.
type peerStore struct {
	byHash map[wire.ID]*swarm
	all    []*swarm // every swarm once, in no order, to draw from
	ring   swarm    // its next is the swarm that was announced to longest ago
	peers  slab[peer]
	age    queue
	ages   chain
	shares shares // of the networks that the peers are in
	rand   *rand.Rand

	sample    []wire.ID // the present draw
	sampledAt instant
	evicted   uint64 // peers and info-hashes that gave way
}

// A swarm is the peers of one info-hash. It has at least one.
type swarm struct {
	hash       wire.ID
	at         int      // index in all
	peers      []uint32 // numbers, in no order
	prev, next *swarm
}

// A peer is one who announced himself.
type peer struct {
	addr      netip.AddrPort
	announced instant
	network   uint64
	swarm     *swarm
	at        int // index in the swarm's peers
}

func newPeerStore(r *rand.Rand) *peerStore {
	s := &peerStore{byHash: map[wire.ID]*swarm{}, shares: newShares(peersOfNetwork), rand: r}
	s.ring.prev, s.ring.next = &s.ring, &s.ring
	return s
}

func (w *swarm) unlink() { w.prev.next, w.next.prev = w.next, w.prev }

func (s *peerStore) linkLast(w *swarm) {
	w.prev, w.next = s.ring.prev, &s.ring
	w.prev.next, w.next.prev = w, w
}

// add stores a peer, or counts its life anew.
func (s *peerStore) add(hash wire.ID, a netip.AddrPort, network uint64, now instant) {
	s.expire(now)
	i, known := s.find(hash, a)
	if known { // dht-announce-twice
		s.leave(i)
	} else {
		i = s.insert(hash, a, network)
	}
	s.enter(i, now)
}

// find returns the peer of the info-hash that has the address.
func (s *peerStore) find(hash wire.ID, a netip.AddrPort) (uint32, bool) {
	if w := s.byHash[hash]; w != nil {
		for _, i := range w.peers {
			if s.peers.at(i).addr == a {
				return i, true
			}
		}
	}
	return 0, false
}

// insert makes a place for a peer, which is not in any queue yet.
func (s *peerStore) insert(hash wire.ID, a netip.AddrPort, network uint64) uint32 {
	if w := s.byHash[hash]; w != nil {
		s.makeRoom(w, network)
	}
	if over, ok := s.shares.over(network); ok { // dht-peers-share
		s.evict(over)
	} else if s.age.n == peersKept { // dht-peers-bound
		s.evict(s.ages.first(s.age))
	}
	w := s.byHash[hash] // of which the last peer may just have gone
	if w == nil {
		w = s.newSwarm(hash)
	}
	i := s.peers.add()
	*s.peers.at(i) = peer{addr: a, network: network, swarm: w, at: len(w.peers)}
	w.peers = append(w.peers, i)
	return i
}

// makeRoom lets the oldest peer of a swarm give way, or the oldest that is in the network, if there are too many.
func (s *peerStore) makeRoom(w *swarm, network uint64) {
	oldest, kin, oldestKin := w.peers[0], 0, uint32(0)
	for _, i := range w.peers {
		p := s.peers.at(i)
		if p.announced < s.peers.at(oldest).announced {
			oldest = i
		}
		if p.network == network {
			if kin == 0 || p.announced < s.peers.at(oldestKin).announced {
				oldestKin = i
			}
			kin++
		}
	}
	switch {
	case kin == kinPerHash: // dht-peers-share
		s.evict(oldestKin)
	case len(w.peers) == peersPerHash: // dht-peers-bound
		s.evict(oldest)
	}
}

// newSwarm makes a place for an info-hash.
func (s *peerStore) newSwarm(hash wire.ID) *swarm {
	if len(s.all) == hashesKept { // dht-peers-bound
		for w := s.ring.next; len(w.peers) > 0; {
			s.drop(w.peers[0])
		}
		s.evicted++
	}
	w := &swarm{hash: hash, at: len(s.all)}
	s.byHash[hash] = w
	s.all = append(s.all, w)
	s.linkLast(w)
	return w
}

// enter puts the i-th peer at the end of its queues: its life begins.
func (s *peerStore) enter(i uint32, now instant) {
	p := s.peers.at(i)
	p.announced = now
	s.ages.push(&s.age, i)
	s.shares.push(p.network, i)
	p.swarm.unlink()
	s.linkLast(p.swarm)
}

func (s *peerStore) leave(i uint32) {
	s.ages.remove(&s.age, i)
	s.shares.remove(s.peers.at(i).network, i)
}

func (s *peerStore) evict(i uint32) {
	s.drop(i)
	s.evicted++
}

// drop forgets a peer, and its info-hash if that has no other.
func (s *peerStore) drop(i uint32) {
	s.leave(i)
	p := s.peers.at(i)
	w, last := p.swarm, len(p.swarm.peers)-1
	s.swapPeers(w, p.at, last)
	w.peers = w.peers[:last]
	s.peers.drop(i)
	if last == 0 {
		s.dropSwarm(w)
	}
}

// draw appends to v up to max peers of the info-hash, chosen at random when there are more. Those at local addresses are left out
// unless local says so.
func (s *peerStore) draw(v wire.Values, hash *wire.ID, max int, local bool, now instant) wire.Values {
	s.expire(now)
	w := s.byHash[*hash]
	if w == nil {
		return v
	}
	n := 0
	for i := 0; i < len(w.peers) && n < max; i++ {
		if len(w.peers) > max {
			s.swapPeers(w, i, i+s.rand.IntN(len(w.peers)-i)) // dht-peers-random
		}
		if p := s.peers.at(w.peers[i]); local || !isLocal(p.addr.Addr()) { // dht-nodes-local
			v = wire.AppendValue(v, p.addr)
			n++
		}
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
	return len(s.all), int(s.age.n)
}

// expire forgets the peers whose last announcement is too old.
func (s *peerStore) expire(now instant) {
	for s.age.n > 0 {
		i := s.ages.first(s.age)
		if now-s.peers.at(i).announced < peerLife { // dht-announce-expiry
			return
		}
		s.drop(i)
	}
}

func (s *peerStore) dropSwarm(w *swarm) {
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

func (s *peerStore) swapPeers(w *swarm, i, j int) {
	w.peers[i], w.peers[j] = w.peers[j], w.peers[i]
	s.peers.at(w.peers[i]).at, s.peers.at(w.peers[j]).at = i, j
}
