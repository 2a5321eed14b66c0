package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// The disk takes the data and then says that it could not be made durable: nobody knows what it has.
func TestSyncFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peer.db")
	s := openAt(t, path)
	require.NoError(t, s.Commit([]Change{put("contact", "1", "x")}))
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	require.NoError(t, err)
	defer null.Close()
	// Writes to the null device succeed, fdatasync of it does not. Its size is 0, so the store must not want to know it.
	s.growBy = -1 << 40
	require.NoError(t, syscall.Dup3(int(null.Fd()), int(s.file.Fd()), syscall.O_CLOEXEC))
	err = s.Commit([]Change{put("contact", "1", "y")})
	require.ErrorIs(t, err, syscall.EINVAL)
	wantFailed(t, s, path, err)
	wantContent(t, openAt(t, path), content{}.apply(put("contact", "1", "x")))
}

// mount gives the test a small disk in memory.
func mount(t *testing.T, size string) (dir string, remount func(flags uintptr, size string)) {
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	return dir, func(flags uintptr, size string) {
		require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flags, "size="+size))
	}
}

func TestFullDisk(t *testing.T) {
	dir, remount := mount(t, "3m")
	path := filepath.Join(dir, "peer.db")
	s := openAt(t, path)
	want := content{}
	var err error
	for i := 0; err == nil; i++ {
		c := put("inbox", fmt.Sprint(i), strings.Repeat("x", 50_000))
		if err = s.Commit([]Change{c}); err == nil {
			want = want.apply(c)
		}
	}
	require.Greater(t, len(want), 10)
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.Contains(t, err.Error(), "disk is full")
	wantFailed(t, s, path, err)

	// As long as it is full there is no progress, and no harm.
	s = openAt(t, path)
	wantContent(t, s, want)
	require.ErrorIs(t, s.Commit([]Change{put("inbox", "more", strings.Repeat("x", 500_000))}), syscall.ENOSPC)
	s.Close()
	remount(0, "20m")
	s = openAt(t, path)
	require.NoError(t, s.Commit([]Change{put("inbox", "more", "x")}))
	wantContent(t, s, want.apply(put("inbox", "more", "x")))
}

func TestFullDiskAtTheBeginning(t *testing.T) {
	dir, remount := mount(t, "500k")
	path := filepath.Join(dir, "a", "peer.db")
	_, err := Open(path, testKey, options)
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.Contains(t, err.Error(), "disk is full")
	require.NoFileExists(t, path)
	require.NoFileExists(t, path+".new")
	remount(0, "20m")
	openAt(t, path)
}

func TestReadOnlyFolder(t *testing.T) {
	dir, remount := mount(t, "20m")
	path := filepath.Join(dir, "peer.db")
	require.NoError(t, openAt(t, path).Close())
	remount(syscall.MS_RDONLY, "20m")
	for _, name := range []string{path, filepath.Join(dir, "other.db"), filepath.Join(dir, "folder", "peer.db")} {
		_, err := Open(name, testKey, options)
		require.ErrorIs(t, err, syscall.EROFS)
		require.Contains(t, err.Error(), dir)
	}
}

func TestFolderOfSomebodyElse(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write everywhere; TestReadOnlyFolder is for root")
	}
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o500))
	_, err := Open(filepath.Join(dir, "peer.db"), testKey, options)
	require.True(t, errors.Is(err, syscall.EACCES), err)
	require.Contains(t, err.Error(), "peer.db.lock")
}
