package durable

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func change(key string) Change { return Change{"b", []byte(key), []byte("v")} }

func TestWhatDependsWaits(t *testing.T) {
	var j Journal
	var called []string
	note := func(name string) func(time.Time) { return func(time.Time) { called = append(called, name) } }

	j.Then(start, note("nothing to wait for"))
	require.Equal(t, []string{"nothing to wait for"}, called)

	j.Put(change("1"))
	j.Then(start, note("1"))
	first, seq1, ok := j.Take(start)
	require.True(t, ok)
	require.Len(t, first, 1)

	j.Then(start, note("also 1")) // behind the batch that was taken
	j.Put(change("2"))
	j.Then(start, note("2"))
	_, seq2, ok := j.Take(start)
	require.True(t, ok)
	require.Len(t, called, 1)

	j.Done(start, seq1)
	require.Equal(t, []string{"1", "also 1"}, called[1:])
	j.Done(start, seq2)
	require.Equal(t, []string{"2"}, called[3:])
}

func TestOneDoneForSeveralBatches(t *testing.T) {
	var j Journal
	n := 0
	for range 3 {
		j.Put(change("k"))
		j.Then(start, func(time.Time) { n++ })
		j.Take(start)
	}
	j.Done(start, 3)
	require.Equal(t, 3, n)
}

func TestBatchIsUsedAgainWhenItIsDurable(t *testing.T) {
	var j Journal
	for n := range 4 {
		j.Put(change("1"), change("2"))
		j.Then(start, func(time.Time) {})
		batch, seq, ok := j.Take(start)
		require.True(t, ok)
		require.Equal(t, []Change{change("1"), change("2")}, batch)
		j.Put(change("3")) // while that is out
		j.Then(start, func(time.Time) { j.Put(change("4")) })
		require.Equal(t, change("1"), batch[0], "nobody else writes there")
		j.Done(start, seq)
		require.Equal(t, make([]Change, 2), batch, "what is gone from the store is not kept")
		batch, seq, _ = j.Take(start)
		require.Equal(t, []Change{change("3")}, batch, n)
		j.Done(start, seq)
		batch, seq, _ = j.TakeAll()
		require.Equal(t, []Change{change("4")}, batch)
		j.Done(start, seq)
	}
	put := func() {
		j.Put(change("1"), change("2"))
		_, seq, _ := j.TakeAll()
		j.Done(start, seq)
	}
	require.LessOrEqual(t, testing.AllocsPerRun(100, put), 4.0, "the keys and values of the test")
}

func TestBurstIsNotKept(t *testing.T) {
	var j Journal
	for range mostSpare + 1 {
		j.Put(change("k"))
	}
	batch, seq, _ := j.TakeAll()
	j.Done(start, seq)
	require.Equal(t, change("k"), batch[0], "left to whoever has it")
	require.Nil(t, j.spare)
}

func TestWhatWaitsMayPutMore(t *testing.T) {
	var j Journal
	var called []int
	j.Put(change("1"))
	j.Then(start, func(now time.Time) {
		called = append(called, 1)
		j.Put(change("2"))
		j.Then(now, func(time.Time) { called = append(called, 2) })
	})
	_, seq, _ := j.Take(start)
	j.Done(start, seq)
	require.Equal(t, []int{1}, called)
	_, seq, ok := j.Take(start)
	require.True(t, ok)
	j.Done(start, seq)
	require.Equal(t, []int{1, 2}, called)
}

func TestLazyChangesRideAlongOrGoAfterAWhile(t *testing.T) {
	var j Journal
	j.Lazily(start, change("1"))
	_, _, ok := j.Take(start)
	require.False(t, ok)
	require.Equal(t, start.Add(LazyAfter), j.NextTimeout())

	j.Put(change("2"))
	j.Then(start, func(time.Time) {})
	batch, _, ok := j.Take(start)
	require.True(t, ok)
	require.Len(t, batch, 2)
	require.Zero(t, j.NextTimeout())

	j.Lazily(start, change("3"))
	_, _, ok = j.Take(start.Add(LazyAfter))
	require.True(t, ok)

	j.Lazily(start, change("4"))
	_, _, ok = j.TakeAll()
	require.True(t, ok)
	_, _, ok = j.TakeAll()
	require.False(t, ok)
}

func TestDoneOfWhatWasNotTakenFreesNothing(t *testing.T) {
	var j Journal
	j.Put(change("1"))
	j.Then(start, func(time.Time) { t.Fatal("not durable yet") })
	j.Done(start, 5)
}

// What is more than a store takes at once goes in several batches, none of which parts what belongs together.
func TestALongQueueGoesInPieces(t *testing.T) {
	var j Journal
	put, groups, done := 0, 0, 0
	lazily := func(n int) {
		j.Lazily(start, make([]Change, n)...)
		put += n
	}
	for put < 5*MaxBatch {
		lazily(3)
		groups++
		j.Put(change("first"))
		j.Lazily(start, Change{Bucket: "in"})
		j.Put(change("last"))
		put += 3
		j.Then(start, func(time.Time) { done++ })
		lazily(2)
	}
	lazily(10_000) // of a contact that was removed
	all, opened := 0, 0
	batch, seq, ok := j.Take(start)
	for ; ok; batch, seq, ok = j.TakeAll() {
		all += len(batch)
		require.LessOrEqual(t, len(batch), MaxBatch)
		for _, c := range batch {
			switch string(c.Key) {
			case "first":
				opened++
			case "last":
				opened--
			}
		}
		require.Zero(t, opened, "a group was parted")
		j.Done(start, seq)
	}
	require.Equal(t, put, all)
	require.Equal(t, groups, done)
	require.Zero(t, j.NextTimeout())
}
