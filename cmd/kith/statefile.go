package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// A stateFile is where a node's state outlives the program. The empty name is no file.
type stateFile string

// beside is the name of a file that belongs to the state and stands in its folder.
func (f stateFile) beside(what string) string { return "." + filepath.Base(string(f)) + "." + what }

// sweep removes what saves that were cut off have left behind. Who calls it has the lock.
func (f stateFile) sweep() {
	dir := filepath.Dir(string(f))
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // it is tidiness, no more
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), f.beside("new")+"-") {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// load returns what was saved, nothing if the file is not there yet.
func (f stateFile) load() ([]byte, error) {
	if f == "" {
		return nil, nil
	}
	b, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the state: %w", err)
	}
	return b, nil
}

// save replaces the file so that whatever happens there is a whole one, the old or the new: it is written beside it, made durable, then
// renamed.
func (f stateFile) save(b []byte) (err error) {
	if f == "" {
		return nil
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("cannot save the state to %s: %w", f, err)
		}
	}()
	dir := filepath.Dir(string(f))
	t, err := os.CreateTemp(dir, f.beside("new")+"-*") // mode 0600: the table says whom the node spoke to
	if err != nil {
		return err
	}
	_, err = t.Write(b)
	if err == nil {
		err = t.Sync()
	}
	if err = errors.Join(err, t.Close()); err == nil {
		err = os.Rename(t.Name(), string(f))
	}
	if err != nil {
		return errors.Join(err, os.Remove(t.Name()))
	}
	if runtime.GOOS == "windows" { // which has no way to sync a folder
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
