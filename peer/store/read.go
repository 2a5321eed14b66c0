package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"go.etcd.io/bbolt"
)

// How much is read in one transaction. A transaction that is open keeps pages from being used again, so it must not last as long as the caller likes.
const (
	chunkValues = 256
	chunkBytes  = 256 << 10
)

// Each calls f for every value, in the order of Options.Buckets and of keys. The slices belong to f, which may call Commit; what is committed meanwhile may be
// seen or not. When f returns fs.SkipAll, Each ends and returns nil; any other error ends it and is returned. Where nothing was committed meanwhile, a value that
// is missing is an error too, in the end.
func (s *Store) Each(f func(bucket string, key, value []byte) error) error {
	var got tally
	s.mu.Lock()
	begun := s.commits
	s.mu.Unlock()
	for _, b := range s.buckets {
		skipped := false
		err := s.read(cursor{bucket: b.Name, tally: &got}, func(key, value []byte) error {
			err := f(b.Name, key, value)
			skipped = errors.Is(err, fs.SkipAll)
			return err
		})
		if err != nil || skipped {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil && s.commits == begun && got != s.tally {
		return s.fail("read it", s.damaged(missing)) // peer-store-damaged
	}
	return s.failed
}

// Range calls f for the values of a bucket with from ≤ key < to in ascending order; nil is no limit. It is like Each in all else.
func (s *Store) Range(bucket string, from, to []byte, f func(key, value []byte) error) error {
	return s.read(cursor{bucket: bucket, from: from, to: to}, f)
}

// RangeBack is Range in descending order: the end of a history comes first.
func (s *Store) RangeBack(bucket string, from, to []byte, f func(key, value []byte) error) error {
	return s.read(cursor{bucket: bucket, from: from, to: to, back: true}, f)
}

// A cursor is what remains of a range.
type cursor struct {
	bucket   string
	from, to []byte
	back     bool
	tally    *tally // of what was read; may be nil
}

type entry struct{ key, value []byte }

func (s *Store) read(c cursor, f func(key, value []byte) error) error {
	if _, ok := s.index[c.bucket]; !ok {
		return fmt.Errorf("store: no bucket %q: %w", c.bucket, ErrLimit)
	}
	for {
		chunk, err := s.chunk(c)
		if err != nil {
			return err
		}
		for _, e := range chunk {
			if err := f(e.key, e.value); errors.Is(err, fs.SkipAll) {
				return nil
			} else if err != nil {
				return err
			}
		}
		if len(chunk) == 0 {
			return nil
		}
		last := chunk[len(chunk)-1].key
		if c.back {
			c.to = bytes.Clone(last)
		} else {
			c.from = append(bytes.Clone(last), 0)
		}
	}
}

// chunk reads the next values of c; none: there are no more.
func (s *Store) chunk(c cursor) (chunk []entry, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil {
		return nil, s.failed
	}
	err = guard(func() error {
		tx, err := s.db.Begin(false)
		if err != nil {
			return err
		}
		b := tx.Bucket([]byte(c.bucket))
		if b == nil {
			err = s.damaged(fmt.Sprintf("bucket %q is gone", c.bucket))
		} else {
			chunk, err = s.entries(b.Cursor(), c)
		}
		return errors.Join(err, tx.Rollback())
	})
	if errors.Is(err, errPanic) {
		s.stuck = true
		err = s.damaged(fmt.Sprintf("a page of bucket %q cannot be what was written (%v)", c.bucket, err))
	}
	if err != nil {
		return nil, s.fail("read it", err) // peer-store-damaged
	}
	return chunk, nil
}

func (s *Store) entries(at *bbolt.Cursor, c cursor) (chunk []entry, err error) {
	size := 0
	for k, v := c.start(at); k != nil && c.holds(k); k, v = c.step(at) {
		value, ok := s.sealer.appendOpened(make([]byte, 0, max(len(v)-overhead, 0)), c.bucket, k, v)
		if !ok {
			return nil, s.damaged(inBucket(c.bucket))
		}
		if c.tally != nil {
			c.tally.add(v)
		}
		chunk = append(chunk, entry{bytes.Clone(k), value})
		if size += len(k) + len(value); len(chunk) == chunkValues || size >= chunkBytes {
			break
		}
	}
	return chunk, nil
}

func (c cursor) start(at *bbolt.Cursor) (key, value []byte) {
	switch {
	case !c.back && c.from != nil:
		return at.Seek(c.from)
	case !c.back:
		return at.First()
	case c.to != nil:
		if k, _ := at.Seek(c.to); k != nil {
			return at.Prev()
		}
	}
	return at.Last()
}

func (c cursor) step(at *bbolt.Cursor) (key, value []byte) {
	if c.back {
		return at.Prev()
	}
	return at.Next()
}

func (c cursor) holds(key []byte) bool {
	return bytes.Compare(key, c.from) >= 0 && (c.to == nil || bytes.Compare(key, c.to) < 0)
}
