package store

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// errBusy is what tryLock returns when another process has the lock.
var errBusy = errors.New("locked")

const lockPoll = 20 * time.Millisecond

// takeLock locks path.lock, which holds the number of the process that did so last. It is never removed: whoever waited for it would hold a lock on nothing.
func (s *Store) takeLock() error {
	name := s.path + ".lock"
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("store: cannot open %s: let this user write there, or use another folder: %w", name, err)
	}
	for tries := int(lockWait / lockPoll); ; tries-- {
		if err = tryLock(f); !errors.Is(err, errBusy) {
			break
		}
		if tries == 0 {
			who := owner(f)
			f.Close()
			return fmt.Errorf("store: %s: %w by %s, which holds %s: end that first, or use another folder", s.path, ErrInUse, who, name)
		}
		<-time.After(lockPoll)
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("store: cannot lock %s: %w", name, err)
	}
	s.lock = f
	return nil
}

// owner says which process has the lock, as far as it said so.
func owner(f *os.File) string {
	var b [20]byte
	n, _ := f.ReadAt(b[:], 0)
	if pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n]))); err == nil {
		return fmt.Sprintf("process %d", pid)
	}
	return "another process"
}
