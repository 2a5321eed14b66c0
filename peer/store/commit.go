package store

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"

	"go.etcd.io/bbolt"
)

const (
	// The file grows by zeros, long before they are needed: a page that was written before goes to the disk in half the time of one that has to
	// be found a place at each commit.
	growBy = 1 << 20 // bytes, also of a new file

	maxArena = 1 << 20 // a longer one is not kept for the next Commit

	// Pages of a bucket with Append are filled, and split where they are full; others keep bbolt's half for keys in between.
	appendFill = 1.0
)

// Commit makes all changes durable in one transaction, in their order, or none. It returns nil when they are on the disk.
//
// A change that does not fit is refused with ErrLimit, and nothing happens. Any other error is final: what the disk has is then unknown until it is
// read again, since a system may forget pages that it failed to write, so the Store refuses everything from then on with the same error, which is ErrFailed, and
// the program has to stop. What was committed before is kept. Open reads through the same system, though: where the disk itself has failed, what it shows may be
// gone after the machine's next start, which Open then finds.
func (s *Store) Commit(changes []Change) error {
	if err := s.admit(changes); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil {
		return s.failed
	}
	if len(changes) == 0 {
		return nil
	}
	s.seal(changes)
	t := &Tx{s: s, tally: s.tally}
	if err := s.update(t, func() error { return t.apply(changes, s.arena) }); err != nil { // peer-durable-first
		return s.fail("write it", err)
	}
	s.tally = t.tally
	s.commits++
	if cap(s.arena) > maxArena {
		s.arena = nil
	}
	return nil
}

func (s *Store) admit(changes []Change) error {
	if len(changes) > MaxChanges {
		return fmt.Errorf("store: %d changes at once: %w", len(changes), ErrLimit)
	}
	for _, c := range changes {
		if _, ok := s.index[c.Bucket]; !ok {
			return fmt.Errorf("store: no bucket %q: %w", c.Bucket, ErrLimit)
		}
		if err := fits(c.Bucket, c.Key, c.Value); err != nil {
			return err
		}
	}
	return nil
}

func fits(bucket string, key, value []byte) error {
	if len(key) == 0 || len(key) > MaxKey || len(value) > MaxValue {
		return fmt.Errorf("store: a key of %d bytes with a value of %d in bucket %q: %w", len(key), len(value), bucket, ErrLimit)
	}
	return nil
}

// seal puts the sealed values into the arena, one behind the other. bbolt refers to them until the transaction ends.
func (s *Store) seal(changes []Change) {
	size, values := 0, 0
	for _, c := range changes {
		if c.Value != nil {
			size += len(c.Value) + overhead
			values++
		}
	}
	nonces := make([]byte, values*nonceSize)
	rand.Read(nonces) // never fails
	b := slices.Grow(s.arena[:0], size)
	for _, c := range changes {
		if c.Value != nil {
			b = s.sealer.appendSealed(b, nonces[:nonceSize], c.Bucket, c.Key, c.Value)
			nonces = nonces[nonceSize:]
		}
	}
	s.arena = b
}

// apply makes the changes, whose values stand sealed in arena.
func (t *Tx) apply(changes []Change, arena []byte) error {
	if err := t.growFile(len(arena)); err != nil {
		return err
	}
	for _, c := range changes {
		var sealed []byte
		if c.Value != nil {
			n := len(c.Value) + overhead
			sealed, arena = arena[:n:n], arena[n:]
		}
		if err := t.set(c.Bucket, c.Key, sealed); err != nil {
			return err
		}
	}
	return nil
}

// growFile keeps zeros behind the last page, so that bbolt finds its room in a file that is long enough. They become durable with the pages of this transaction,
// before its header.
func (t *Tx) growFile(batch int) error {
	f, step := t.s.file, t.s.growBy
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() >= t.tx.Size()+int64(2*batch+step/2) {
		return nil
	}
	size := info.Size()
	end := (size + int64(step+2*batch)) / pageSize * pageSize
	_, err = f.WriteAt(make([]byte, end-size), size)
	return err
}

// update runs f in a transaction t, and makes it durable.
func (s *Store) update(t *Tx, f func() error) error {
	err := guard(func() error {
		var err error
		// Not db.Update: where bbolt panics over a damaged page, it would roll back, and so go through all pages in a goroutine that nobody guards.
		if t.tx, err = s.db.Begin(true); err != nil {
			return err
		}
		if err = f(); err == nil {
			err = t.putCheck()
		}
		if err != nil {
			return errors.Join(err, t.tx.Rollback())
		}
		return t.tx.Commit()
	})
	if errors.Is(err, errPanic) {
		s.stuck = true
		return s.damaged("a page cannot be what was written (" + err.Error() + ")")
	}
	return err
}

// fail refuses everything from now on.
func (s *Store) fail(what string, err error) error { // peer-durable-fails
	s.failed = fmt.Errorf("%w: %w", s.cannot(what, err), ErrFailed)
	return s.failed
}

// errPanic is wrapped by what guard recovered.
var errPanic = errors.New("panic in bbolt")

// guard calls f, which calls bbolt, and makes an error of a panic and of a fault in the map of the file: that is how bbolt ends at pages that were damaged
// since Open, and the system at those that it cannot read. Two things are not found so, but at the next Open:
// a page that has become longer, which bbolt frees with its neighbours, and a branch page that leads back to itself, where it goes round for ever.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch p := recover().(type) {
		case nil:
		case runtime.Error:
			err = fmt.Errorf("%w: %w", errPanic, p)
		default:
			err = errPanic // its text may hold a key
		}
	}()
	return f()
}

// A Tx is the transaction of an Upgrade.
type Tx struct {
	s     *Store
	tx    *bbolt.Tx
	tally tally
	names []string // of buckets, as far as they were used
	used  []*bbolt.Cursor
}

// cursor returns the one of a bucket in this transaction, nil where there is none of that name.
func (t *Tx) cursor(name string) *bbolt.Cursor {
	if i := slices.Index(t.names, name); i >= 0 {
		return t.used[i]
	}
	b := t.tx.Bucket([]byte(name))
	if b == nil {
		return nil
	}
	if i, ok := t.s.index[name]; ok && t.s.buckets[i].Append {
		b.FillPercent = appendFill
	}
	c := b.Cursor()
	t.names, t.used = append(t.names, name), append(t.used, c)
	return c
}

// bucket returns nil where there is none of that name.
func (t *Tx) bucket(name string) *bbolt.Bucket {
	if c := t.cursor(name); c != nil {
		return c.Bucket()
	}
	return nil
}

// set puts a sealed value, nil: erases it, and keeps the tally.
func (t *Tx) set(bucket string, key, sealed []byte) error {
	c := t.cursor(bucket)
	if c == nil {
		return t.s.damaged(fmt.Sprintf("bucket %q is gone", bucket))
	}
	at, old := c.Seek(key) // which begins at the root, whatever was changed since
	there := bytes.Equal(at, key)
	if there {
		if len(old) < overhead {
			return t.s.damaged(inBucket(bucket))
		}
		t.tally.remove(old)
	}
	switch {
	case sealed != nil:
		t.tally.add(sealed)
		return c.Bucket().Put(key, sealed)
	case there:
		return c.Delete()
	default:
		return nil
	}
}

func (t *Tx) putCheck() error {
	b := t.bucket(ownBucket)
	if b == nil {
		return t.s.damaged("its own bucket is gone")
	}
	h := header{t.s.version, t.s.sealer.owner}
	return b.Put(checkKey, t.s.sealer.appendCheck(nil, check{h, uint64(t.tx.ID()), t.tally}))
}
