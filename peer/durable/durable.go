// Package durable keeps the order of duty: what depends on a value waits until that value is durable.
//
// A state machine without I/O puts changes into a Journal and gives it functions to be called when they are durable. Whoever owns the store takes the
// changes in batches with Take, writes each batch in one transaction, as slowly as a disk is, and says so with Done; meanwhile the machine goes on, and what it puts
// goes into the next batch. So commits are shared without anybody waiting for company.
package durable

import "time"

// MaxBatch is how many changes a batch has, unless more belong together: what was put between one call of Then and the next.
const MaxBatch = 1 << 15

// LazyAfter is how long a change may wait that nothing depends on.
const LazyAfter = time.Second

// mostSpare is how many changes the slice of a batch may have room for that is used again. What a burst needed is not kept.
const mostSpare = 1024

// A Bucket is a kind of value.
type Bucket string

// A Change is one value of the store that is new, or gone. Its slices are not changed once it is in a Journal.
type Change struct {
	Bucket Bucket
	Key    []byte // never a person's key: the store shows keys, and only values are sealed
	Value  []byte // nil: erased
}

// A Journal holds the changes that are not durable yet, and what waits for them. The zero value is ready. It is not safe for concurrent use.
type Journal struct {
	changes []Change
	out     []Change // the batch that was taken last
	spare   []Change // an empty slice for the next, or nil
	ends    []int    // where changes may be cut, MaxBatch / 2 apart or more
	open    bool     // since the last Then something was put
	taken   uint64   // changes so far
	done    uint64   // of them that are durable
	waits   []wait
	lazy    time.Time // when the oldest change is due that nothing waits for; zero: there is none
	urgent  bool
}

type wait struct {
	until uint64 // as many changes have to be durable
	f     func(now time.Time)
}

// Put adds changes that something will depend on: Then is called next. What is put up to there is in one batch.
func (j *Journal) Put(changes ...Change) {
	j.end()
	j.changes, j.open = append(j.changes, changes...), true
}

// end notes that what was put so far need not be in one batch with what follows, if that is so.
func (j *Journal) end() {
	from := 0
	if n := len(j.ends); n > 0 {
		from = j.ends[n-1]
	}
	if !j.open && len(j.changes)-from >= MaxBatch/2 {
		j.ends = append(j.ends, len(j.changes))
	}
}

// Then calls f when all that was put so far is durable, after what was given to Then before. f may call Put and Then; where nothing is
// to be waited for it is called at once.
func (j *Journal) Then(now time.Time, f func(now time.Time)) {
	until := j.taken + uint64(len(j.changes))
	j.open, j.urgent = false, j.urgent || len(j.changes) > 0
	if until <= j.done && len(j.waits) == 0 {
		f(now)
		return
	}
	j.waits = append(j.waits, wait{until, f})
}

// Lazily adds changes that nothing depends on. They ride along with the next batch, or go after LazyAfter.
func (j *Journal) Lazily(now time.Time, changes ...Change) {
	j.end()
	j.changes = append(j.changes, changes...)
	if j.lazy.IsZero() {
		j.lazy = now.Add(LazyAfter)
	}
}

// Take returns the next batch, if there is one that should not wait any longer at now, and the number under which Done is told of it. The batch is the receiver's until then.
func (j *Journal) Take(now time.Time) (batch []Change, seq uint64, ok bool) {
	if len(j.changes) == 0 || !j.urgent && (j.lazy.IsZero() || now.Before(j.lazy)) {
		return nil, 0, false
	}
	return j.take()
}

// TakeAll returns the next batch of what there is, urgent or not: what a program does at its end, until there is none.
func (j *Journal) TakeAll() (batch []Change, seq uint64, ok bool) {
	if len(j.changes) == 0 {
		return nil, 0, false
	}
	return j.take()
}

func (j *Journal) take() ([]Change, uint64, bool) {
	if len(j.changes) > MaxBatch && len(j.ends) > 0 { // the rest stays as urgent as it was
		n := j.ends[0]
		j.out, j.changes, j.ends = j.changes[:n:n], j.changes[n:], j.ends[1:]
		for i := range j.ends {
			j.ends[i] -= n
		}
	} else {
		j.out, j.changes, j.spare = j.changes, j.spare, nil
		j.ends, j.urgent, j.lazy = nil, false, time.Time{}
	}
	j.taken += uint64(len(j.out))
	return j.out, j.taken, true
}

// Done tells that the batch seq, and so all before it, are durable, and calls what waited for them.
func (j *Journal) Done(now time.Time, seq uint64) {
	j.done = max(j.done, min(seq, j.taken))
	if j.out != nil && j.done == j.taken && cap(j.out) <= mostSpare {
		clear(j.out) // what is erased soon is not to be found here
		j.spare, j.out = j.out[:0], nil
	}
	for len(j.waits) > 0 && j.waits[0].until <= j.done {
		w := j.waits[0]
		j.waits[0] = wait{}
		j.waits = j.waits[1:]
		w.f(now)
	}
	if len(j.waits) == 0 {
		j.waits = nil
	}
}

// NextTimeout returns when Take will have a batch though nothing urgent comes, the zero time for never.
func (j *Journal) NextTimeout() time.Time {
	if j.urgent {
		return time.Time{} // it is there already
	}
	return j.lazy
}
