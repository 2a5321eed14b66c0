package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// errHeld is what tryLock returns while another process, or another lock of this one, has the file.
var errHeld = errors.New("held by another")

// errNoLocks is what tryLock returns where there are no locks. A node goes on without one: to lose the state is better than to have none.
var errNoLocks = errors.New("no locks here")

// A stateLock keeps a second node from the same state. It is a lock of the operating system's on a file beside the state, because
// the state itself is replaced each time it is saved; it ends with the process, however that ends.
type stateLock struct{ file *os.File }

// lock takes the state for this process. Without a file there is nothing to take.
func (f stateFile) lock() (*stateLock, error) {
	if f == "" {
		return nil, nil
	}
	name := filepath.Join(filepath.Dir(string(f)), f.beside("lock"))
	for {
		file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, fmt.Errorf("cannot save the state to %s: %w", f, err)
		}
		switch err := tryLock(file); {
		case errors.Is(err, errNoLocks):
			file.Close()
			os.Remove(name)
			return nil, nil
		case errors.Is(err, errHeld):
			defer file.Close()
			return nil, fmt.Errorf("%s belongs to another node, %s: give this one a --state of its own", f, holder(file))
		case err != nil:
			file.Close()
			return nil, fmt.Errorf("cannot lock the state %s: %w", f, err)
		}
		if current(file, name) {
			file.Truncate(0)
			fmt.Fprintln(file, os.Getpid()) // for the error above; nothing else depends on it
			f.sweep()
			return &stateLock{file}, nil
		}
		file.Close() // whoever had it removed it between the two calls: this one locks nothing
	}
}

// current reports whether name is still the file that was locked.
func current(file *os.File, name string) bool {
	locked, err := file.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(name)
	return err == nil && os.SameFile(locked, now)
}

// holder names the process that wrote itself into the file.
func holder(file *os.File) string {
	b := make([]byte, 20)
	n, _ := file.ReadAt(b, 0)
	if pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n]))); err == nil {
		return fmt.Sprintf("process %d", pid)
	}
	return "which runs now"
}

// release gives the state back.
func (l *stateLock) release() {
	if l == nil {
		return
	}
	os.Remove(l.file.Name()) // while it is locked: later it could be another's. Windows removes no open file, and there it stays.
	l.file.Close()
}
