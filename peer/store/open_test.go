package store

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

func TestAnotherIdentity(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peer.db")
	s := openAt(t, path)
	require.NoError(t, s.Commit([]Change{put("contact", "1", "x")}))
	require.NoError(t, s.Close())
	_, err := Open(path, otherKey, options)
	require.ErrorIs(t, err, ErrIdentity)
	require.NotErrorIs(t, err, ErrDamaged)
	wantContent(t, openAt(t, path), content{}.apply(put("contact", "1", "x")))
}

// childHolds has a store open until its standard input ends.
func childHolds(path string) error {
	s, err := Open(path, testKey, options)
	if err != nil {
		return err
	}
	fmt.Println("open")
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, s.Close())
}

func TestTwoProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peer.db")
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childMode+"=hold", childArg+"="+path)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "open\n", line)

	_, err = Open(path, testKey, options)
	require.ErrorIs(t, err, ErrInUse)
	require.Contains(t, err.Error(), path+".lock")
	require.Contains(t, err.Error(), strconv.Itoa(cmd.Process.Pid))

	require.NoError(t, stdin.Close())
	require.NoError(t, cmd.Wait())
	openAt(t, path)
}

func TestTwiceInOneProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peer.db")
	s := openAt(t, path)
	_, err := Open(path, testKey, options)
	require.ErrorIs(t, err, ErrInUse)
	require.NoError(t, s.Commit([]Change{put("contact", "1", "x")}))
}

func TestOpenInATool(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peer.db")
	require.NoError(t, openAt(t, path).Close())
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	require.NoError(t, err)
	_, err = Open(path, testKey, options)
	require.ErrorIs(t, err, ErrInUse)
	require.NoError(t, db.Close())
	require.NoError(t, openAt(t, path).Close())

	// A tool that opens the file for writing makes a transaction at once, of which the check value does not know.
	db, err = bbolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	_, err = Open(path, testKey, options)
	require.ErrorIs(t, err, ErrDamaged)
	require.Contains(t, err.Error(), "another program")
}

// A file that a crash left half made is no obstacle, and no store.
func TestTornFileOfAnEarlierCreation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peer.db")
	s := openAt(t, path)
	require.NoError(t, s.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for size := 0; size < len(whole); size += 100_003 {
		require.NoError(t, os.Remove(path))
		require.NoError(t, os.WriteFile(path+".new", whole[:size], 0o600))
		s := openAt(t, path)
		require.NoFileExists(t, path+".new")
		require.NoError(t, s.Commit([]Change{put("contact", "1", "x")}))
		require.NoError(t, s.Close())
	}
}

func TestWhatIsNoStore(t *testing.T) {
	dir := t.TempDir()
	empty, text, folder := filepath.Join(dir, "empty"), filepath.Join(dir, "text"), filepath.Join(dir, "folder")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	require.NoError(t, os.WriteFile(text, []byte(strings.Repeat("not a store\n", 1000)), 0o600))
	require.NoError(t, os.Mkdir(folder, 0o700))
	for _, path := range []string{empty, text} {
		before, err := os.ReadFile(path)
		require.NoError(t, err)
		_, err = Open(path, testKey, options)
		require.ErrorIs(t, err, ErrDamaged, path)
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, before, after, "it is left as it was")
	}
	_, err := Open(folder, testKey, options)
	require.Error(t, err)
	_, err = Open(filepath.Join(text, "peer.db"), testKey, options)
	require.Error(t, err)
}

// makeVersion makes a file of a format, with values, and buckets that only that format has.
func makeVersion(t *testing.T, path string, version uint32, buckets []Bucket, changes ...Change) {
	o := Options{Buckets: buckets}
	s, err := newStore(path, testKey, o)
	require.NoError(t, err)
	s.version = version
	require.NoError(t, s.open(o))
	require.NoError(t, s.Commit(changes))
	require.NoError(t, s.Close())
}

func TestNewerFormatIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peer.db")
	makeVersion(t, path, 2, append([]Bucket{{Name: "new"}}, options.Buckets...), put("new", "1", "x"))
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	_, err = Open(path, testKey, options)
	require.ErrorIs(t, err, ErrVersion)
	require.NotErrorIs(t, err, ErrDamaged)
	require.Contains(t, err.Error(), "format 2")
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func TestUpgrade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peer.db")
	old := []Bucket{{Name: "friend"}, {Name: "empty"}, {Name: "inbox"}}
	makeVersion(t, path, 0, old, put("friend", "1", "anna"), put("friend", "2", "ben"), put("inbox", "1", "hello"))
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	unchanged := func() {
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, before, after)
	}

	_, err = Open(path, testKey, options)
	require.ErrorIs(t, err, ErrVersion, "no way from 0")
	unchanged()

	stop := errors.New("stop")
	o := Options{Buckets: options.Buckets, Version: 2}
	rename := func(tx *Tx) error {
		return tx.Each("friend", func(key, value []byte) error {
			return errors.Join(tx.Put("contact", key, append([]byte("name "), value...)), tx.Erase("friend", key))
		})
	}
	o.Upgrades = map[uint32]Upgrade{0: rename}
	_, err = Open(path, testKey, o)
	require.ErrorIs(t, err, ErrVersion, "no way from 1")
	unchanged()

	o.Upgrades[1] = func(*Tx) error { return stop }
	_, err = Open(path, testKey, o)
	require.ErrorIs(t, err, stop)
	o.Upgrades[1] = func(tx *Tx) error { return tx.Put(ownBucket, headerKey, nil) }
	_, err = Open(path, testKey, o)
	require.ErrorIs(t, err, ErrLimit)
	o.Upgrades[1] = func(tx *Tx) error { return tx.Put("inbox", nil, nil) }
	_, err = Open(path, testKey, o)
	require.ErrorIs(t, err, ErrLimit)
	o.Upgrades[1] = func(tx *Tx) error { return tx.Put("neither", []byte("1"), nil) } // a bucket of no format
	_, err = Open(path, testKey, o)
	require.ErrorIs(t, err, ErrLimit)
	unchanged()

	var seen []string
	o.Upgrades[1] = func(tx *Tx) error {
		err := tx.Each("contact", func(key, value []byte) error { seen = append(seen, string(key)+string(value)); return nil })
		return errors.Join(err, tx.Erase("inbox", []byte("1")), tx.Erase("inbox", []byte("2")), tx.Erase("none", []byte("2")), tx.Each("none", nil))
	}
	s, err := Open(path, testKey, o)
	require.NoError(t, err)
	require.Equal(t, []string{"1name anna", "2name ben"}, seen)
	want := content{}.apply(put("contact", "1", "name anna"), put("contact", "2", "name ben"))
	wantContent(t, s, want)
	require.NoError(t, s.Commit([]Change{put("outbox", "1", "x")}))
	require.NoError(t, s.Close())

	s, err = Open(path, testKey, o) // nothing is left to do
	require.NoError(t, err)
	wantContent(t, s, want.apply(put("outbox", "1", "x")))
	require.Len(t, seen, 2)
	require.NoError(t, s.Close())
	_, err = Open(path, testKey, options)
	require.ErrorIs(t, err, ErrVersion)
}

// Buckets may be added without a new format; one with values is not forgotten.
func TestMoreBuckets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peer.db")
	makeVersion(t, path, Version, options.Buckets[:1], put("contact", "1", "x"))
	s := openAt(t, path)
	require.NoError(t, s.Commit([]Change{put("inbox", "1", "y")}))
	wantContent(t, s, content{}.apply(put("contact", "1", "x"), put("inbox", "1", "y")))
	require.NoError(t, s.Close())
	_, err := Open(path, testKey, Options{Buckets: options.Buckets[:1]})
	require.ErrorIs(t, err, ErrDamaged)
}

func TestCommitFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peer.db")
	s := openAt(t, path)
	require.NoError(t, s.Commit([]Change{put("contact", "1", "x")}))
	require.NoError(t, s.file.Close()) // behind its back
	err := s.Commit([]Change{put("contact", "1", "y")})
	wantFailed(t, s, path, err)
	wantContent(t, openAt(t, path), content{}.apply(put("contact", "1", "x")))
}

// wantFailed checks that a store refuses everything after the error err of a Commit, and closes it.
func wantFailed(t *testing.T, s *Store, path string, err error) {
	t.Helper()
	require.ErrorIs(t, err, ErrFailed)
	require.Contains(t, err.Error(), path)
	require.Equal(t, err, s.Commit([]Change{put("contact", "1", "z")}))
	require.Equal(t, err, s.Commit(nil))
	_, again := read(s)
	require.Equal(t, err, again)
	s.Close() // may say that the file was closed
}
