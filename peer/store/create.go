package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// create makes an empty store beside its place and renames it into it, so that path is a whole store from the beginning. The caller has the lock.
func (s *Store) create() error {
	tmp := s.path + ".new"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) { // an earlier attempt that a crash ended
		return s.cannot("remove "+tmp, err)
	}
	if err := s.fill(tmp); err != nil {
		return s.cannot("create it", errors.Join(err, os.Remove(tmp)))
	}
	if err := os.Rename(tmp, s.path); err != nil {
		return s.cannot("create it", errors.Join(err, os.Remove(tmp)))
	}
	if err := syncFolder(filepath.Dir(s.path)); err != nil {
		return s.cannot("make its name durable", err)
	}
	return nil
}

// fill writes an empty store and makes it durable.
func (s *Store) fill(tmp string) (err error) {
	f, err := os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	o := s.boltOptions()
	o.OpenFile = func(string, int, os.FileMode) (*os.File, error) { return f, nil }
	db, err := bbolt.Open(tmp, 0o600, o) // closes f where it fails
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var end int64
	err = db.Update(func(tx *bbolt.Tx) error {
		own, err := tx.CreateBucket([]byte(ownBucket))
		if err != nil {
			return err
		}
		for _, b := range s.buckets {
			if _, err := tx.CreateBucket([]byte(b.Name)); err != nil {
				return err
			}
		}
		h := header{s.version, s.sealer.owner}
		if err := own.Put(headerKey, appendHeader(nil, h)); err != nil {
			return err
		}
		return own.Put(checkKey, s.sealer.appendCheck(nil, check{header: h, transaction: uint64(tx.ID())}))
	})
	if err != nil {
		return err
	}
	if err := db.View(func(tx *bbolt.Tx) error { end = tx.Size(); return nil }); err != nil {
		return err
	}
	if size := int64(s.growBy); end < size {
		if _, err := f.WriteAt(make([]byte, size-end), end); err != nil {
			return err
		}
	}
	return f.Sync()
}

// makeFolder makes dir and what is missing above it, durably and for nobody else to read.
func makeFolder(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	above := filepath.Dir(dir)
	if above != dir {
		if err := makeFolder(above); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(above)
}
