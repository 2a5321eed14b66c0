package powercut

import (
	"cmp"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
)

// A State is a disk after a power cut. It is valid until the next one is asked for.
type State struct {
	// Key is equal for states that are made of the same calls, so that a judge need not look at one twice. It differs between traces.
	Key uint64
	// Output is what the program had begun to write to its standard output before the cut.
	Output []byte

	r      *replay
	cut    int // the op that had just begun
	chosen []choice
}

// A choice is what the disk has of a call that was not synced.
type choice struct {
	op   int
	part part
	seed uint64 // of someSectors
	size bool   // where not all of the data is there: whether the file has grown to hold it
}

type part uint8

const (
	whole part = iota
	firstHalf
	secondHalf
	someSectors
	noData
)

// atMost bounds how many unsynced calls are left out, or taken, one at a time: the newest ones. Random subsets reach the others.
const atMost = 24

// States goes through all cuts, one after the beginning of each call that matters, and at each through the states that were possible: none of what was not
// synced, all of it, each call alone, each left out, the newest write torn, and some random ones, torn and in another order.
func (t *Trace) States(seed uint64, random int) iter.Seq[*State] {
	return func(yield func(*State) bool) {
		r := newReplay(t)
		rng := rand.New(rand.NewPCG(seed, 0))
		for i, o := range t.ops {
			if o.begin < 0 || o.kind == syncNode || o.kind == syncAll {
				continue // it was before the program, or takes states away and adds none
			}
			r.moveTo(i)
			if o.kind == output {
				r.output = append(r.output, o.data...)
			}
			for _, chosen := range r.choices(rng, random) {
				if !yield(&State{Key: r.key(chosen), Output: r.output, r: r, cut: i, chosen: chosen}) {
					return
				}
			}
		}
	}
}

// A replay is a trace up to a cut.
type replay struct {
	*Trace
	syncs   []int // ops that make others durable, by their end
	durable []bool
	base    [][]byte // what is certain of each file
	last    []int    // the last op in base
	rooms   [][]byte // for Tree
	pending []int    // began, changed something and is not durable
	output  []byte
}

func newReplay(t *Trace) *replay {
	n := len(t.folder)
	r := &replay{Trace: t, durable: make([]bool, len(t.ops)), base: make([][]byte, n), last: make([]int, n), rooms: make([][]byte, n)}
	for j, o := range t.ops {
		if o.kind == syncNode || o.kind == syncAll {
			r.syncs = append(r.syncs, j)
		}
	}
	slices.SortFunc(r.syncs, func(a, b int) int { return cmp.Compare(t.ops[a].end, t.ops[b].end) })
	return r
}

// moveTo goes to the cut right after op i began.
func (r *replay) moveTo(i int) {
	for len(r.syncs) > 0 && r.ops[r.syncs[0]].end <= r.ops[i].begin {
		r.sync(&r.ops[r.syncs[0]])
		r.syncs = r.syncs[1:]
	}
	r.pending = r.pending[:0]
	for j := range i + 1 {
		if o := &r.ops[j]; !r.durable[j] && o.kind != output && o.kind != syncNode && o.kind != syncAll {
			r.pending = append(r.pending, j)
		}
	}
}

// sync marks what a sync that returned has made durable: all that had ended when it began.
func (r *replay) sync(s *op) {
	for j := range r.ops {
		o := &r.ops[j]
		if o.begin > s.begin {
			break
		}
		if r.durable[j] || o.end >= s.begin {
			continue
		}
		covered := s.kind == syncAll
		switch o.kind {
		case write, resize, extend:
			covered = covered || o.node == s.node
		case rename:
			covered = covered || !slices.ContainsFunc(o.links, func(l link) bool { return l.dir != s.node })
		default:
			covered = false
		}
		if covered {
			r.durable[j] = true
			r.addToBase(j)
		}
	}
}

// addToBase brings base up to date with op j, which is durable now.
func (r *replay) addToBase(j int) {
	o := &r.ops[j]
	if o.kind == rename {
		return
	}
	n := o.node
	if j > r.last[n] {
		r.base[n], r.last[n] = o.apply(r.base[n], choice{}), j
		return
	}
	// It had begun before one that is in base, and has ended after: the order is that of the beginnings.
	r.base[n] = r.base[n][:0]
	for k := range r.ops {
		if o := &r.ops[k]; r.durable[k] && o.node == n && (o.kind == write || o.kind == resize || o.kind == extend) {
			r.base[n] = o.apply(r.base[n], choice{})
		}
	}
}

// choices are what is possible of the pending calls.
func (r *replay) choices(rng *rand.Rand, random int) [][]choice {
	all := make([]choice, len(r.pending))
	for i, j := range r.pending {
		all[i].op = j
	}
	out := [][]choice{nil}
	if len(all) == 0 {
		return out
	}
	out = append(out, all)
	for i := max(0, len(all)-atMost); i < len(all) && len(all) > 1; i++ {
		out = append(out, all[i:i+1], slices.Concat(all[:i], all[i+1:]))
	}
	others, newest := all[:len(all)-1], all[len(all)-1]
	if r.ops[newest.op].sectors() > 1 {
		for _, p := range []part{firstHalf, secondHalf, someSectors, someSectors, noData} {
			torn := choice{op: newest.op, part: p, size: p == noData || rng.IntN(2) == 0}
			if p == someSectors {
				torn.seed = rng.Uint64()
			}
			out = append(out, []choice{torn}, slices.Concat(others, []choice{torn}))
		}
	}
	for range random {
		var some []choice
		for _, c := range all {
			switch n := rng.IntN(8); {
			case n == 0 && r.ops[c.op].sectors() > 1:
				some = append(some, choice{op: c.op, part: someSectors, seed: rng.Uint64(), size: rng.IntN(2) == 0})
			case n < 4:
				some = append(some, c)
			}
		}
		if rng.IntN(2) == 0 {
			rng.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
		}
		out = append(out, some)
	}
	return out
}

// key sums what there is of each call, and minds their order where it is not their own.
func (r *replay) key(chosen []choice) uint64 {
	var sum uint64
	for j, durable := range r.durable {
		if durable {
			sum += mix(uint64(j) + 1)
		}
	}
	inOrder := slices.IsSortedFunc(chosen, func(a, b choice) int { return a.op - b.op })
	for _, c := range chosen {
		h := mix(uint64(c.op) + 1)
		if c.part != whole {
			h = mix(h ^ uint64(c.part))
			h = mix(h ^ c.seed)
			if c.size {
				h = mix(h)
			}
		}
		if !inOrder {
			sum = mix(sum)
		}
		sum += h
	}
	return sum
}

// mix is the last step of SplitMix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// sectors is how many sectors a write touches.
func (o *op) sectors() int {
	if o.kind != write || len(o.data) == 0 {
		return 0
	}
	return int((o.off+int64(len(o.data))-1)/Sector - o.off/Sector + 1)
}

// apply does to the file b what c says of the call, and returns it.
func (o *op) apply(b []byte, c choice) []byte {
	switch o.kind {
	case resize:
		return setSize(b, o.size)
	case extend:
		return setSize(b, max(o.size, int64(len(b))))
	}
	end := o.off + int64(len(o.data))
	if (c.part == whole || c.size) && end > int64(len(b)) {
		b = setSize(b, end)
	}
	if c.part == whole {
		copy(b[o.off:], o.data)
		return b
	}
	n, sector := o.sectors(), 0
	for at := o.off; at < end; sector++ {
		next := min(end, (at/Sector+1)*Sector)
		if c.has(sector, n) && at < int64(len(b)) { // beyond the end of the file there is nothing
			copy(b[at:], o.data[at-o.off:next-o.off])
		}
		at = next
	}
	return b
}

func (c choice) has(sector, of int) bool {
	switch c.part {
	case firstHalf:
		return sector < (of+1)/2
	case secondHalf:
		return sector >= (of+1)/2
	case someSectors:
		return mix(c.seed+uint64(sector))&1 != 0
	}
	return false
}

// setSize cuts b or adds zeros to it.
func setSize(b []byte, size int64) []byte {
	if size <= int64(len(b)) {
		return b[:size]
	}
	old := len(b)
	b = slices.Grow(b, int(size)-old)[:size]
	clear(b[old:])
	return b
}

// A Tree is the files and folders of a disk by their names below the root, with slashes; a folder's content is nil.
type Tree map[string][]byte

// Tree builds the disk. Its slices are valid as long as the state is.
func (s *State) Tree() Tree {
	r := s.r
	contents := slices.Clone(r.base)
	names := make([]map[string]int, len(r.folder))
	chosen, copied := make(map[int]bool), make(map[int]bool)
	for _, c := range s.chosen {
		chosen[c.op] = true
		o := &r.ops[c.op]
		if o.kind == rename {
			continue
		}
		n := o.node
		if !copied[n] {
			copied[n] = true
			contents[n] = append(r.rooms[n][:0], r.base[n]...)
		}
		contents[n] = o.apply(contents[n], c)
		r.rooms[n] = contents[n]
	}
	for j := range r.ops {
		if o := &r.ops[j]; o.kind == rename && (r.durable[j] || chosen[j]) {
			for _, l := range o.links {
				if names[l.dir] == nil {
					names[l.dir] = make(map[string]int)
				}
				if l.node == gone {
					delete(names[l.dir], l.name)
				} else {
					names[l.dir][l.name] = l.node
				}
			}
		}
	}
	tree := make(Tree)
	r.collect(tree, names, contents, 0, "")
	return tree
}

func (r *replay) collect(tree Tree, names []map[string]int, contents [][]byte, dir int, prefix string) {
	for name, n := range names[dir] {
		if r.folder[n] {
			tree[prefix+name] = nil
			r.collect(tree, names, contents, n, prefix+name+"/")
			continue
		}
		tree[prefix+name] = contents[n]
		if contents[n] == nil {
			tree[prefix+name] = []byte{}
		}
	}
}

// String says where the cut is, and what the disk has of what was not synced.
func (s *State) String() string {
	at := s.r.ops[s.cut]
	var b strings.Builder
	fmt.Fprintf(&b, "power cut in line %d, at %s", at.begin, at.String())
	left := make(map[int]bool)
	for _, j := range s.r.pending {
		left[j] = true
	}
	for _, c := range s.chosen {
		o := s.r.ops[c.op]
		fmt.Fprintf(&b, "\n\tthere: line %d, %s", o.begin, o.String())
		if c.part != whole {
			fmt.Fprintf(&b, ", %s", [...]string{"", "its first half", "its second half", "some sectors", "none of its data"}[c.part])
		}
		delete(left, c.op)
	}
	for _, j := range s.r.pending {
		if left[j] {
			fmt.Fprintf(&b, "\n\tgone: line %d, %s", s.r.ops[j].begin, s.r.ops[j].String())
		}
	}
	return b.String()
}
