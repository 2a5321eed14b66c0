// Package store keeps values in one file that survives a power cut: what Commit has returned for is on the disk, whole, or the next Open says that it is not.
//
// It implements what the chapter spec/peer.md asks of a store in "What is durable"; what the values mean is the business of package peer. Start with Open, which
// also creates the file, and Commit. The file is a bbolt database: pages that are never written in place, and two turns at the disk for each transaction. bbolt
// alone passes flipped bits through, falls back to the transaction before when its newest header is damaged, and dies of damaged pages. So every value is
// sealed (XChaCha20-Poly1305, a random nonce, bucket ‖ 0x00 ‖ key as associated data), one more sealed value holds the tally of all others, and Open reads
// every page and every value itself before bbolt maps the file.
//
// Whoever has the file but not the key learns the names of the buckets, the keys, and how long the values are, and can put an older copy of the whole file
// in its place. What was erased may stay in the file, sealed, until its page is used again.
//
// The methods of a Store may be called from any goroutine.
package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// The reasons why a store refuses. An error's text says more, and what to do; it holds the file's name and never a key or a value.
var (
	// ErrDamaged: the file is not as it was written.
	ErrDamaged = errors.New("the file is damaged")
	// ErrIdentity: the file is sound and sealed with another key.
	ErrIdentity = errors.New("it belongs to another identity")
	// ErrVersion: the file's format is newer than this program, or so old that no upgrade is known.
	ErrVersion = errors.New("its format is not known")
	// ErrInUse: another process has the store open.
	ErrInUse = errors.New("it is in use")
	// ErrFailed: writing has failed once, so nothing more is read or written.
	ErrFailed = errors.New("nothing more is read or written: look after the disk and start again")
	// ErrLimit: a change that does not fit, or a bucket that the store does not have.
	ErrLimit = errors.New("not a change for this store")
)

const (
	// Version is the format of files that this package writes.
	Version = 1

	// MaxKey is the longest key, in bytes. Branch pages hold keys, so long ones make deep trees.
	MaxKey = 255
	// MaxValue is the longest value, in bytes, before it is sealed.
	MaxValue = 1 << 20
	// MaxChanges is the largest batch: one Commit is held in memory whole.
	MaxChanges = 1 << 16

	lockWait = time.Second // a process that was told to end may take a moment to be gone
)

// A Bucket is a kind of value.
type Bucket struct {
	// Name has 1 to 32 bytes, none of them zero.
	Name string
	// Append says that keys are mostly added in ascending order, as in a queue or a history. Its pages are then filled before the next is begun, instead
	// of being left half empty for keys in between.
	Append bool
}

// Options say what is in a file.
type Options struct {
	// Buckets are all kinds of values that the file holds. A bucket that a file has not is added; one that it has, and that is not in the list, is damage.
	Buckets []Bucket
	// Version is the format that the caller knows, from 1; zero means Version.
	Version uint32
	// Upgrades leads a file of format n, the key, to n + 1. All steps that are needed run at Open in one transaction.
	Upgrades map[uint32]Upgrade
}

// An Upgrade rewrites a file of one format as the next.
type Upgrade func(*Tx) error

// A Change is one value that is new, or gone.
type Change struct {
	Bucket string
	Key    []byte // 1 to MaxKey bytes; stands in the file as it is
	Value  []byte // at most MaxValue bytes; nil: the key is erased
}

// A Store is an open file.
type Store struct {
	path    string
	sealer  *sealer
	buckets []Bucket
	index   map[string]int // of buckets
	version uint32
	growBy  int

	mu      sync.Mutex
	lock    *os.File // held as long as the store is open
	file    *os.File // bbolt's own
	db      *bbolt.DB
	tally   tally
	commits uint64 // since Open
	arena   []byte // sealed values of the present Commit
	failed  error  // wraps ErrFailed; once set, nothing else is done
	stuck   bool   // bbolt panicked, so its locks may be held for ever
}

// Open opens the store at path, and creates it, with its folder, where there is none. The key has 32 bytes and comes from the identity.
//
// It takes path.lock for as long as the store is open, waits at most a second for another process to release it, and reads the whole file before it returns.
func Open(path string, key *[32]byte, o Options) (*Store, error) {
	s, err := newStore(path, key, o)
	if err != nil {
		return nil, err
	}
	if err := s.open(o); err != nil {
		s.release()
		return nil, err
	}
	return s, nil
}

func newStore(path string, key *[32]byte, o Options) (*Store, error) {
	s := &Store{path: path, buckets: o.Buckets, index: make(map[string]int), version: o.Version, growBy: growBy}
	if s.version == 0 {
		s.version = Version
	}
	for i, b := range o.Buckets {
		if _, again := s.index[b.Name]; again || !goodName(b.Name) {
			return nil, fmt.Errorf("store: bucket %q cannot be used: %w", b.Name, ErrLimit)
		}
		s.index[b.Name] = i
	}
	var err error
	s.sealer, err = newSealer(key)
	return s, err
}

func (s *Store) open(o Options) error {
	if err := makeFolder(filepath.Dir(s.path)); err != nil {
		return s.cannot("make its folder", err)
	}
	if err := s.takeLock(); err != nil { // peer-store-once
		return err
	}
	if _, err := os.Lstat(s.path); errors.Is(err, os.ErrNotExist) {
		if err := s.create(); err != nil {
			return err
		}
	} else if err != nil {
		return s.cannot("look at it", err)
	}
	h, err := s.verify() // peer-store-damaged
	if err != nil {
		return err
	}
	if err := s.openBolt(); err != nil {
		return err
	}
	return s.upgrade(h, o.Upgrades)
}

// boltOptions are the same for a new file and for one that is there.
func (s *Store) boltOptions() *bbolt.Options {
	return &bbolt.Options{
		// The lock file keeps other peers away; bbolt's own lock keeps its tools away.
		Timeout: lockWait,
		// The list of free pages is found again at Open, which reads everything anyway. Written at each commit it would cost a page, and after a
		// long queue has drained some hundreds of kilobytes, for ever; and a damaged list would hand out pages that are in use.
		NoFreelistSync: true,
		// Finds room in a long list at once; the other kind goes through all of it.
		FreelistType: bbolt.FreelistMapType,
		// The format is the same on every machine, and a change rewrites no more than it must where pages of memory have 16 or 64 KiB.
		PageSize: pageSize,
		// The file has this size from the beginning, so that it need not be mapped again while it is small. On Windows a larger map would make
		// the file larger.
		InitialMmapSize: s.growBy,
		NoStatistics:    true,
		OpenFile: func(name string, flag int, perm os.FileMode) (*os.File, error) {
			f, err := os.OpenFile(name, flag&^os.O_CREATE, perm) // bbolt would make an empty file of one that is gone
			s.file = f
			return f, err
		},
	}
}

func (s *Store) openBolt() error {
	err := guard(func() (err error) {
		s.db, err = bbolt.Open(s.path, 0o600, s.boltOptions())
		return err
	})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("store: %s: %w by another program: end that first", s.path, ErrInUse)
	case err != nil:
		return s.cannot("open it", err)
	}
	return nil
}

// Close releases the file. What was committed is on the disk already.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock == nil {
		return nil
	}
	if s.failed == nil {
		s.failed = fmt.Errorf("store: %s: %w", s.path, os.ErrClosed)
	}
	if err := s.release(); err != nil {
		return s.cannot("close it", err)
	}
	return nil
}

// release gives up whatever is held.
func (s *Store) release() error {
	var errs []error
	switch {
	case s.db == nil:
	case s.stuck:
		// Its Close would wait for a transaction that ended in a panic. The map stays until the process ends, and with it the lock, unless it is
		// undone by hand.
		errs = append(errs, unlock(s.file), s.file.Close())
	default:
		errs = append(errs, s.db.Close())
	}
	if s.lock != nil {
		errs = append(errs, unlock(s.lock), s.lock.Close())
	}
	s.db, s.file, s.lock = nil, nil, nil
	return errors.Join(errs...)
}

// cannot is the error of an operation that the system refused.
func (s *Store) cannot(what string, err error) error {
	if errors.Is(err, ErrDamaged) {
		return err
	}
	if diskFull(err) {
		return fmt.Errorf("store: %s: cannot %s: the disk is full, and what was committed before is kept: %w", s.path, what, err)
	}
	return fmt.Errorf("store: %s: cannot %s: %w", s.path, what, err)
}

// damaged is the error of a file that is not as it was written. where names the bucket, or what else is damaged; never a key.
func (s *Store) damaged(where string) error {
	return fmt.Errorf("store: %s: %w: %s: put a backup in its place, or move the file away to begin with an empty one", s.path, ErrDamaged, where)
}

func inBucket(name string) string { return fmt.Sprintf("a value in bucket %q", name) }
