package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"
)

// An identityFile is where an identity is written to.
type identityFile struct {
	name string
	over bool // whether a file that is there is replaced
}

// check refuses, before anybody is asked for anything, what write would refuse at the end.
func (f identityFile) check() error {
	switch info, err := os.Lstat(f.name); {
	case errors.Is(err, fs.ErrNotExist):
		if f.own() {
			return nil
		}
		_, err := os.Stat(filepath.Dir(f.name))
		return err
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a folder", f.name)
	case !f.over:
		return f.there()
	}
	if info, err := os.Stat(f.name); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", f.name)
	}
	return nil
}

func (f identityFile) there() error {
	return fmt.Errorf("%s is there already: another identity needs another --identity. --force replaces it; without a copy the identity in it is gone", f.name)
}

// write writes the file so that whatever happens there is a whole one, or what was there before: it is written beside its place,
// made durable, and then put there. Until then an end that was asked for leaves nothing.
func (f identityFile) write(cmd *cobra.Command, content io.WriterTo) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("cannot write the identity to %s: %w", f.name, err)
		}
	}()
	ctx, stop := signal.NotifyContext(cmd.Context(), endings()...)
	defer stop()
	defer context.AfterFunc(ctx, func() { lateStop(stop) })()

	name, err := f.place()
	if err != nil {
		return err
	}
	state := stateFile(name)
	state.sweep() // what a program that was killed has left may be an identity without a passphrase
	dir := filepath.Dir(name)
	t, err := os.CreateTemp(dir, state.beside("new")+"-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = content.WriteTo(t)
	if err == nil {
		err = t.Sync()
	}
	if err = errors.Join(err, t.Close()); err == nil && ctx.Err() != nil {
		err = errors.New("interrupted; nothing was written")
	}
	if err == nil {
		err = f.put(t.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(t.Name()))
	}
	return syncFolder(dir)
}

// place returns the name that is written to, which is not the file's if that is a link to another. The folder is made only where kith
// has chosen it.
func (f identityFile) place() (string, error) {
	if f.over {
		if to, err := filepath.EvalSymlinks(f.name); err == nil {
			return to, nil
		}
	}
	dir := filepath.Dir(f.name)
	if _, err := os.Stat(dir); err == nil || !f.own() {
		return f.name, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return f.name, syncFolder(filepath.Dir(dir))
}

// own reports whether kith has chosen the name.
func (f identityFile) own() bool {
	name, err := new(identityFlags).path()
	return err == nil && name == f.name
}

// put gives the file temp its name. A link, unlike a renaming, never replaces a file that came there in the meantime.
func (f identityFile) put(temp, name string) error {
	if !f.over {
		err := os.Link(temp, name)
		if err == nil {
			os.Remove(temp) // if that fails, the next write sweeps
			return nil
		}
		if _, there := os.Lstat(name); there == nil {
			return f.there()
		}
		// Some file systems have no links.
	}
	return os.Rename(temp, name)
}

// syncFolder makes a new name durable.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" { // which has no way to do it
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
