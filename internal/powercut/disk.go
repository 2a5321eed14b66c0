package powercut

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// A Disk is a folder that is made to hold one state after another. It writes only what differs, so a folder in memory is written some thousand times a second.
type Disk struct {
	dir  string
	have map[string]file // as it was written here
}

type file struct {
	data    []byte
	changed time.Time
}

// NewDisk returns a disk in the folder dir, which is its own: what is in it goes.
func NewDisk(dir string) *Disk { return &Disk{dir: dir, have: make(map[string]file)} }

const block = 4096

// Write makes the folder hold the tree, whatever was done to it in the meantime.
func (d *Disk) Write(t Tree) error {
	err := filepath.WalkDir(d.dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || name == d.dir {
			return err
		}
		rel, err := filepath.Rel(d.dir, name)
		if err != nil {
			return err
		}
		data, there := t[filepath.ToSlash(rel)]
		if there && (data == nil) == e.IsDir() {
			return nil
		}
		if err := os.RemoveAll(name); err != nil {
			return err
		}
		if e.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		return err
	}
	for name, data := range t {
		full := filepath.Join(d.dir, filepath.FromSlash(name))
		if data == nil {
			err = os.MkdirAll(full, 0o700)
		} else if err = os.MkdirAll(filepath.Dir(full), 0o700); err == nil {
			err = d.writeFile(full, data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *Disk) writeFile(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	had := d.have[name]
	if !info.ModTime().Equal(had.changed) || info.Size() != int64(len(had.data)) || len(data) < block {
		had.data = nil // somebody else wrote to it
	}
	// Behind the shorter of the two all of it is written: what was cut off is gone.
	err = f.Truncate(min(int64(len(had.data)), int64(len(data))))
	for at := 0; at < len(data) && err == nil; at += block {
		end := min(at+block, len(data))
		if end <= len(had.data) && string(had.data[at:end]) == string(data[at:end]) {
			continue
		}
		_, err = f.WriteAt(data[at:end], int64(at))
	}
	if err != nil {
		return err
	}
	// By the clock, a write within the same tick as ours would not be noticed.
	old := time.Unix(1, 0)
	if err := os.Chtimes(name, old, old); err != nil {
		return err
	}
	had.data = append(had.data[:0], data...)
	had.changed = old
	d.have[name] = had
	return nil
}

// MemoryFolder makes a folder that lies in memory where the system has such a place, and otherwise with the temporary files. The caller removes it.
func MemoryFolder() (string, error) {
	if dir, err := os.MkdirTemp("/dev/shm", "powercut"); err == nil {
		return dir, nil
	}
	return os.MkdirTemp("", "powercut")
}
