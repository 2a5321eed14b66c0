package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"

	"go.etcd.io/bbolt"
)

// upgrade leads the file from the format that its header names to the one that the caller knows, and gives it the buckets that it has not.
func (s *Store) upgrade(h header, steps map[uint32]Upgrade) error {
	for v := h.version; v < s.version; v++ {
		if steps[v] == nil {
			return fmt.Errorf("store: %s: %w: it has format %d, and this program has no way from format %d to %d: upgrade with an older program first",
				s.path, ErrVersion, h.version, v, v+1)
		}
	}
	if h.version == s.version && s.complete() {
		return nil
	}
	t := &Tx{s: s, tally: s.tally}
	err := s.update(t, func() error {
		for v := h.version; v < s.version; v++ {
			if err := steps[v](t); err != nil {
				return fmt.Errorf("from format %d to %d: %w", v, v+1, err)
			}
		}
		if err := t.arrange(); err != nil {
			return err
		}
		own := t.bucket(ownBucket)
		if own == nil {
			return s.damaged("its own bucket is gone")
		}
		return own.Put(headerKey, appendHeader(nil, header{s.version, s.sealer.owner}))
	})
	if err != nil {
		return s.cannot("upgrade it", err)
	}
	s.tally = t.tally
	return nil
}

// complete reports whether the file has all buckets.
func (s *Store) complete() bool {
	all := true
	err := guard(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			for _, b := range s.buckets {
				all = all && tx.Bucket([]byte(b.Name)) != nil
			}
			return nil
		})
	})
	return all && err == nil
}

// arrange adds the buckets that are missing, and drops those that are empty and not in the list.
func (t *Tx) arrange() error {
	for _, b := range t.s.buckets {
		if _, err := t.tx.CreateBucketIfNotExists([]byte(b.Name)); err != nil {
			return err
		}
	}
	var drop [][]byte
	err := t.tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
		if _, known := t.s.index[string(name)]; known || string(name) == ownBucket {
			return nil
		}
		if k, _ := b.Cursor().First(); k != nil {
			return fmt.Errorf("values are left in bucket %q, which is no more: %w", name, ErrLimit)
		}
		drop = append(drop, append([]byte{}, name...))
		return nil
	})
	for _, name := range drop {
		err = errors.Join(err, t.tx.DeleteBucket(name))
	}
	return err
}

// Each calls f for every value of a bucket of the file, in the order of keys; a bucket that is not there is empty. The slices belong to f, which may call Put
// and Erase; it is called for what was there before.
func (t *Tx) Each(bucket string, f func(key, value []byte) error) error {
	b := t.bucket(bucket)
	if b == nil {
		return nil
	}
	var all []entry
	err := b.ForEach(func(k, v []byte) error {
		value, ok := t.s.sealer.appendOpened(nil, bucket, k, v)
		if !ok {
			return t.s.damaged(inBucket(bucket))
		}
		all = append(all, entry{append([]byte{}, k...), value})
		return nil
	})
	if err != nil {
		return err
	}
	for _, e := range all {
		if err := f(e.key, e.value); errors.Is(err, fs.SkipAll) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// Put puts a value, and makes the bucket where there is none. Buckets that the new format does not have must be empty in the end.
func (t *Tx) Put(bucket string, key, value []byte) error {
	if !goodName(bucket) {
		return fmt.Errorf("store: bucket %q cannot be used: %w", bucket, ErrLimit)
	}
	if err := fits(bucket, key, value); err != nil {
		return err
	}
	if t.bucket(bucket) == nil {
		if _, err := t.tx.CreateBucket([]byte(bucket)); err != nil {
			return err
		}
	}
	var nonce [nonceSize]byte
	rand.Read(nonce[:]) // never fails
	return t.set(bucket, key, t.s.sealer.appendSealed(nil, nonce[:], bucket, key, value))
}

// Erase erases a value; one that is not there is erased already.
func (t *Tx) Erase(bucket string, key []byte) error {
	if !goodName(bucket) {
		return fmt.Errorf("store: bucket %q cannot be used: %w", bucket, ErrLimit)
	}
	if t.bucket(bucket) == nil {
		return nil
	}
	return t.set(bucket, key, nil)
}
