package gen

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// ErrForeign is why Write has written nothing: a file in the way was not written by it.
var ErrForeign = errors.New("not a file of test vectors, so it is not replaced")

// Write makes the folder dir hold the generated files. It returns the names of those that it has written; one that held the same
// bytes already is left alone. Each file appears under its name as a whole or not at all. Where a file of one of these names
// is not a file of test vectors, Write returns an error that wraps ErrForeign and has written nothing.
func Write(dir string) (written []string, err error) {
	files := Files()
	var names []string
	for name, content := range files {
		old, err := os.ReadFile(filepath.Join(dir, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		case bytes.Equal(old, content):
			continue
		case !ours(old):
			return nil, fmt.Errorf("%s: %w", filepath.Join(dir, name), ErrForeign)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := replace(filepath.Join(dir, name), files[name]); err != nil {
			return written, err
		}
		written = append(written, name)
	}
	return written, nil
}

// ours reports whether b was written by some version of this generator.
func ours(b []byte) bool {
	var head struct {
		Schema string `json:"$schema"`
		ID     string `json:"$id"`
		Group  string
	}
	if json.Unmarshal(b, &head) != nil {
		return false
	}
	return head.Schema == "schema.json" && head.Group != "" || head.ID == "urn:kith:testvectors:schema" || head.ID == "urn:kith:testvectors:shim"
}

// replace writes a file beside its place and moves it there.
func replace(name string, content []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if _, err := f.Write(content); err != nil {
		f.Close()
		return err
	}
	if err := errors.Join(f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
