// Package durable keeps the order of duty: what depends on a value waits until that value is durable.
//
// A state machine without I/O puts changes into a Journal and gives it functions to be called when they are durable. Whoever owns the store takes the
// changes in batches with Take, writes each batch in one transaction, as slowly as a disk is, and says so with Done; meanwhile the machine goes on, and what it puts
// goes into the next batch. So commits are shared without anybody waiting for company.
package durable

import "time"

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
	seq     uint64   // of the batch that is being filled, less 1: how many batches were taken
	done    uint64   // batches that are durable
	waits   []wait
	lazy    time.Time // when the oldest change is due that nothing waits for; zero: there is none
	urgent  bool
}

type wait struct {
	seq uint64
	f   func(now time.Time)
}

// Put adds changes that something will depend on: Then is called next.
func (j *Journal) Put(changes ...Change) { j.changes = append(j.changes, changes...) }

// Then calls f when all that was put so far is durable, after what was given to Then before. f may call Put and Then; where nothing is
// to be waited for it is called at once.
func (j *Journal) Then(now time.Time, f func(now time.Time)) {
	seq := j.seq
	if len(j.changes) > 0 {
		seq++
		j.urgent = true
	}
	if seq <= j.done && len(j.waits) == 0 {
		f(now)
		return
	}
	j.waits = append(j.waits, wait{seq, f})
}

// Lazily adds changes that nothing depends on. They ride along with the next batch, or go after LazyAfter.
func (j *Journal) Lazily(now time.Time, changes ...Change) {
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

// TakeAll returns what there is, urgent or not: what a program does at its end.
func (j *Journal) TakeAll() (batch []Change, seq uint64, ok bool) {
	if len(j.changes) == 0 {
		return nil, 0, false
	}
	return j.take()
}

func (j *Journal) take() ([]Change, uint64, bool) {
	j.out, j.changes, j.spare = j.changes, j.spare, nil
	j.urgent, j.lazy = false, time.Time{}
	j.seq++
	return j.out, j.seq, true
}

// Done tells that the batch seq, and so all before it, are durable, and calls what waited for them.
func (j *Journal) Done(now time.Time, seq uint64) {
	j.done = max(j.done, min(seq, j.seq))
	if j.out != nil && j.done == j.seq && cap(j.out) <= mostSpare {
		clear(j.out) // what is erased soon is not to be found here
		j.spare, j.out = j.out[:0], nil
	}
	for len(j.waits) > 0 && j.waits[0].seq <= j.done {
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
