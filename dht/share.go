package dht

// A slab holds the things of a store in one piece of memory, and each is known by its number there.
type slab[T any] struct {
	things []T
	free   []uint32
}

// add returns the number of a new thing, whose fields are zero.
func (s *slab[T]) add() uint32 {
	if last := len(s.free) - 1; last >= 0 {
		i := s.free[last]
		s.free = s.free[:last]
		return i
	}
	var zero T
	s.things = append(s.things, zero)
	return uint32(len(s.things) - 1)
}

// at returns the i-th thing, good until the next add.
func (s *slab[T]) at(i uint32) *T { return &s.things[i] }

// drop gives the number of a thing back.
func (s *slab[T]) drop(i uint32) {
	var zero T
	s.things[i] = zero
	s.free = append(s.free, i)
}

// A queue is some of the numbers of a chain in the order in which they were pushed.
type queue struct{ last, n uint32 }

// A chain holds any number of queues; each number is in at most one. From the last of a queue a link leads to its first.
type chain []link

type link struct{ prev, next uint32 }

// first returns the number that was pushed first. The queue must not be empty.
func (c chain) first(q queue) uint32 { return c[q.last].next }

// push puts i at the end of q.
func (c *chain) push(q *queue, i uint32) {
	for uint32(len(*c)) <= i {
		*c = append(*c, link{})
	}
	l := *c
	if q.n == 0 {
		l[i] = link{i, i}
	} else {
		l[i] = link{q.last, l[q.last].next}
		l[l[i].prev].next, l[l[i].next].prev = i, i
	}
	q.last = i
	q.n++
}

// remove takes i out of q, which has it.
func (c chain) remove(q *queue, i uint32) {
	c[c[i].prev].next, c[c[i].next].prev = c[i].next, c[i].prev
	if q.last == i {
		q.last = c[i].prev
	}
	q.n--
}

// shares says what each network has in a store, in the order in which it came there or was renewed: so who has too much gives way to
// himself, and not to others. Networks are known by their keys.
type shares struct {
	most  uint32 // things of one network
	of    map[uint64]queue
	chain chain
}

func newShares(most uint32) shares { return shares{most: most, of: map[uint64]queue{}} }

// over returns the thing that has to give way before the network may have another, and whether it has to.
func (s *shares) over(network uint64) (uint32, bool) {
	q := s.of[network]
	if q.n < s.most {
		return 0, false
	}
	return s.chain.first(q), true
}

// push makes i the newest thing of the network.
func (s *shares) push(network uint64, i uint32) {
	q := s.of[network]
	s.chain.push(&q, i)
	s.of[network] = q
}

// remove takes i away from the network, which has it.
func (s *shares) remove(network uint64, i uint32) {
	q := s.of[network]
	s.chain.remove(&q, i)
	if q.n == 0 {
		delete(s.of, network)
	} else {
		s.of[network] = q
	}
}
