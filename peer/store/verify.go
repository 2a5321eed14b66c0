package store

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// verify reads the whole file and returns its header. It changes nothing but s.tally.
func (s *Store) verify() (header, error) {
	f, err := os.Open(s.path)
	if err != nil {
		return header{}, s.cannot("open it", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return header{}, s.cannot("look at it", err)
	}
	if !info.Mode().IsRegular() {
		return header{}, fmt.Errorf("store: %s: is not a file: move it away", s.path)
	}
	return s.verifyFile(f, info.Size())
}

// verifyFile goes through r twice: who the file belongs to is to be known before its values are said to be damaged.
func (s *Store) verifyFile(r io.ReaderAt, size int64) (header, error) {
	var (
		head, sum []byte
		buckets   []string
	)
	// In the first pass nothing is opened.
	w := walker{
		r:      r,
		bucket: func(name string) error { buckets = append(buckets, name); return nil },
		value: func(bucket string, key, value []byte) error {
			switch {
			case bucket != ownBucket:
			case string(key) == string(headerKey):
				head = append([]byte{}, value...)
			case string(key) == string(checkKey):
				sum = append([]byte{}, value...)
			default:
				return fmt.Errorf("%w: an unknown value of its own", errPages)
			}
			return nil
		},
	}
	if err := s.pagesError(w.walk(size)); err != nil {
		return header{}, err
	}
	h, ok := parseHeader(head)
	switch {
	case !ok:
		return h, s.damaged("its header")
	case h.owner != s.sealer.owner:
		return h, fmt.Errorf("store: %s: %w: use that identity, or another folder", s.path, ErrIdentity)
	case h.version > s.version:
		return h, fmt.Errorf("store: %s: %w: it has format %d, and this program knows formats up to %d: use the newer program that wrote it",
			s.path, ErrVersion, h.version, s.version)
	}
	if h.version == s.version {
		for _, name := range buckets {
			if _, known := s.index[name]; !known && name != ownBucket {
				return h, s.damaged("it has a bucket of an unknown name")
			}
		}
	}
	want, ok := s.sealer.openCheck(sum)
	if !ok || want.header != h {
		return h, s.damaged("its check value")
	}
	if want.transaction != w.transaction {
		return h, s.damaged("a root page is an old one, or another program has written to it")
	}

	var got tally
	var room []byte
	w = walker{
		r:      r,
		bucket: func(string) error { return nil },
		value: func(bucket string, key, value []byte) error {
			if bucket == ownBucket {
				return nil
			}
			var ok bool
			if room, ok = s.sealer.appendOpened(room[:0], bucket, key, value); !ok {
				return s.damaged(inBucket(bucket))
			}
			clear(room)
			got.add(value)
			return nil
		},
	}
	if err := s.pagesError(w.walk(size)); err != nil {
		return h, err
	}
	if got != want.tally {
		return h, s.damaged(missing)
	}
	s.tally = got
	return h, nil
}

// pagesError tells a damaged page from a disk that cannot be read.
func (s *Store) pagesError(err error) error {
	switch {
	case err == nil || errors.Is(err, ErrDamaged):
		return err
	case errors.Is(err, errPages):
		return s.damaged(err.Error())
	}
	return s.cannot("read it", err)
}
