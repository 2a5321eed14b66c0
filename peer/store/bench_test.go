package store

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

// batch makes n changes with values of 300 bytes, as a queue does: new keys at the end, and what is a thousand older goes.
func batch(n, round int) []Change {
	var changes []Change
	for i := range n {
		k := uint64(round*n + i)
		changes = append(changes, Change{"inbox", binary.BigEndian.AppendUint64(nil, k), make([]byte, 300)})
		if k >= 1000 {
			changes = append(changes, Change{"inbox", binary.BigEndian.AppendUint64(nil, k-1000), nil})
		}
	}
	return changes
}

// BenchmarkCommit takes turns, on one disk, between a Commit, the same puts and deletes with a bare bbolt as it is by default, and the two turns
// at the disk that a transaction needs at least: 4,096 bytes written over old ones, each time.
func BenchmarkCommit(b *testing.B) {
	for _, size := range []struct {
		name string
		n    int
	}{{"1x300B", 1}, {"64x300B", 64}} {
		b.Run(size.name, func(b *testing.B) {
			dir := b.TempDir()
			s := openAt(b, filepath.Join(dir, "peer.db"))
			db, err := bbolt.Open(filepath.Join(dir, "bare.db"), 0o600, nil)
			require.NoError(b, err)
			defer db.Close()
			require.NoError(b, db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("inbox")); return err }))
			raw, err := os.Create(filepath.Join(dir, "raw"))
			require.NoError(b, err)
			defer raw.Close()
			_, err = raw.Write(make([]byte, 2*pageSize))
			require.NoError(b, err)
			require.NoError(b, raw.Sync())

			var took [3][]time.Duration
			round := 0
			for b.Loop() {
				changes := batch(size.n, round)
				round++
				for i, f := range []func() error{
					func() error { return s.Commit(changes) },
					func() error {
						return db.Update(func(tx *bbolt.Tx) error {
							bucket := tx.Bucket([]byte("inbox"))
							for _, c := range changes {
								if c.Value == nil {
									if err := bucket.Delete(c.Key); err != nil {
										return err
									}
								} else if err := bucket.Put(c.Key, c.Value); err != nil {
									return err
								}
							}
							return nil
						})
					},
					func() error { return twice(raw) },
				} {
					begun := time.Now()
					if err := f(); err != nil {
						b.Fatal(err)
					}
					took[i] = append(took[i], time.Since(begun))
				}
			}
			var median [3]float64
			for i := range took {
				slices.Sort(took[i])
				median[i] = float64(took[i][len(took[i])/2].Microseconds())
			}
			b.ReportMetric(median[0], "µs/commit")
			b.ReportMetric(median[1], "µs/bare")
			b.ReportMetric(median[2], "µs/2syncs")
			b.ReportMetric(median[0]/median[1], "of-bare")
			b.ReportMetric(median[0]/median[2], "of-2syncs")
		})
	}
}

func twice(f *os.File) error {
	for i := range int64(2) {
		if _, err := f.WriteAt(make([]byte, pageSize), i*pageSize); err != nil {
			return err
		}
		if err := syncData(f); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkCommitAlone is what a Commit costs beside the disk, as far as the file system lets it be seen; run it with TMPDIR on a memory file system.
func BenchmarkCommitAlone(b *testing.B) {
	s := openAt(b, filepath.Join(b.TempDir(), "peer.db"))
	b.ReportAllocs()
	for round := 0; b.Loop(); round++ {
		if err := s.Commit(batch(64, round)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen opens a store of 10,000 values of 300 bytes, and reads it.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "peer.db")
	s := openAt(b, path)
	for round := range 10 {
		var changes []Change
		for i := range 1000 {
			changes = append(changes, Change{"inbox", binary.BigEndian.AppendUint64(nil, uint64(round*1000+i)), make([]byte, 300)})
		}
		require.NoError(b, s.Commit(changes))
	}
	require.NoError(b, s.Close())
	for b.Loop() {
		s, err := Open(path, testKey, options)
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		if err := s.Each(func(string, []byte, []byte) error { n++; return nil }); err != nil || n != 10000 {
			b.Fatal(n, err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
