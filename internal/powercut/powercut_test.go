package powercut

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// script makes a trace of lines in which words in 'quotes' stand for what -xx writes; a line without a process is of process 7.
func script(lines string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimSpace(lines)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if line[0] < '0' || line[0] > '9' {
			b.WriteString("7 ")
		}
		for i, part := range strings.Split(line, "'") {
			if i%2 == 0 {
				b.WriteString(part)
				continue
			}
			b.WriteByte('"')
			for _, c := range []byte(strings.ReplaceAll(part, "~", "/root/")) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
			b.WriteByte('"')
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func parse(t *testing.T, before map[string][]byte, lines string) *Trace {
	trace, err := Parse(strings.NewReader(script(lines)), "/root", before)
	require.NoError(t, err)
	return trace
}

// states renders all states of the last cut, each once: name=content, folders with a slash.
func states(trace *Trace) []string {
	last := 0
	for s := range trace.States(1, 0) {
		last = s.cut
	}
	all := make(map[string]bool)
	for s := range trace.States(1, 50) {
		if s.cut == last {
			all[render(s.Tree())] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func render(tree Tree) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		if tree[name] == nil {
			fmt.Fprintf(&b, "%s/ ", name)
		} else {
			fmt.Fprintf(&b, "%s=%s ", name, strings.ReplaceAll(string(tree[name]), "\x00", "0"))
		}
	}
	return strings.TrimSpace(b.String())
}

func TestWhatADiskMayForget(t *testing.T) {
	const create = `
		openat(AT_FDCWD, '/root', O_RDONLY|O_CLOEXEC) = 4
		openat(AT_FDCWD, '~a', O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 5
		`
	for _, tc := range []struct {
		name, lines string
		want        []string
	}{
		{"a write and its name", create + `
			pwrite64(5, 'xy', 2, 0) = 2
			write(1, 'ok', 2) = 2`,
			[]string{"", "a=", "a=xy"}}, // without its name the data is nowhere
		{"a file that was synced may have no name", create + `
			pwrite64(5, 'xy', 2, 0) = 2
			fsync(5) = 0
			write(1, 'ok', 2) = 2`,
			[]string{"", "a=xy"}},
		{"a name that was synced may have no content", create + `
			pwrite64(5, 'xy', 2, 0) = 2
			fsync(4) = 0
			write(1, 'ok', 2) = 2`,
			[]string{"a=", "a=xy"}},
		{"both", create + `
			pwrite64(5, 'xy', 2, 0) = 2
			fdatasync(5) = 0
			fsync(4) = 0
			write(1, 'ok', 2) = 2`,
			[]string{"a=xy"}},
		{"a sync that failed", create + `
			pwrite64(5, 'xy', 2, 0) = 2
			fsync(4) = 0
			fdatasync(5) = -1 EIO (Input/output error)
			write(1, 'ok', 2) = 2`,
			[]string{"a=", "a=xy"}},
		{"a sync that has not returned", create + `
			fsync(4) = 0
			pwrite64(5, 'xy', 2, 0) = 2
			7 fdatasync(5 <unfinished ...>
			8 write(1, 'ok', 2) = 2
			7 <... fdatasync resumed>) = 0`,
			[]string{"a=", "a=xy"}},
		{"a write that ended after the sync began", create + `
			fsync(4) = 0
			7 pwrite64(5, 'xy', 2, 0 <unfinished ...>
			8 fdatasync(5 <unfinished ...>
			7 <... pwrite64 resumed>) = 2
			8 <... fdatasync resumed>) = 0
			8 write(1, 'ok', 2) = 2`,
			[]string{"a=", "a=xy"}},
		{"a write that never ended", create + `
			fsync(4) = 0
			7 pwrite64(5, 'xy', 2, 0 <unfinished ...>
			8 write(1, 'ok', 2) = 2
			8 +++ killed by SIGKILL +++
			7 <... pwrite64 resumed>) = ?`,
			[]string{"a=", "a=xy"}},
		{"writes on their own, in any order", create + `
			fsync(4) = 0
			pwrite64(5, 'x', 1, 0) = 1
			pwrite64(5, 'y', 1, 0) = 1
			pwrite64(5, 'z', 1, 1) = 1
			write(1, 'ok', 2) = 2`,
			[]string{"a=", "a=0z", "a=x", "a=xz", "a=y", "a=yz"}},
		{"sizes", create + `
			fsync(4) = 0
			write(5, 'xyz', 3) = 3
			fsync(5) = 0
			ftruncate(5, 1) = 0
			fallocate(5, 0, 0, 2) = 0
			write(1, 'ok', 2) = 2`,
			[]string{"a=x", "a=x0", "a=xyz"}},
		{"a rename is whole", `
			openat(AT_FDCWD, '/root', O_RDONLY|O_CLOEXEC) = 4
			openat(AT_FDCWD, '~a', O_WRONLY|O_CREAT, 0600) = 5
			write(5, 'old', 3) = 3
			fsync(5) = 0
			openat(AT_FDCWD, '~b', O_WRONLY|O_CREAT, 0600) = 6
			write(6, 'new', 3) = 3
			fsync(6) = 0
			fsync(4) = 0
			renameat(AT_FDCWD, '~b', AT_FDCWD, '~a') = 0
			write(1, 'ok', 2) = 2`,
			[]string{"a=new", "a=old b=new"}},
		{"a rename of what was not synced", create + `
			pwrite64(5, 'xy', 2, 0) = 2
			rename('~a', '~b') = 0
			fsync(4) = 0
			write(1, 'ok', 2) = 2`,
			[]string{"b=", "b=xy"}},
		{"folders", `
			mkdirat(AT_FDCWD, 'd', 0700) = 0
			openat(AT_FDCWD, '/root', O_RDONLY) = 4
			fsync(4) = 0
			openat(AT_FDCWD, 'd', O_RDONLY|O_DIRECTORY) = 5
			openat(5, 'f', O_WRONLY|O_CREAT, 0600) = 6
			writev(6, [{iov_base='x', iov_len=1}, {iov_base='y', iov_len=1}], 2) = 2
			fsync(6) = 0
			unlinkat(AT_FDCWD, '~none', 0) = -1 ENOENT (No such file or directory)
			write(1, 'ok', 2) = 2`,
			[]string{"d/", "d/ d/f=xy"}},
		{"a file that is gone", create + `
			fsync(4) = 0
			unlink('~a') = 0
			close(5) = 0
			write(1, 'ok', 2) = 2`,
			[]string{"", "a="}},
		{"appended, through a second descriptor", `
			openat(AT_FDCWD, '~a', O_WRONLY|O_CREAT|O_APPEND, 0600) = 5
			write(5, 'x', 1) = 1
			fcntl(5, F_DUPFD_CLOEXEC, 0) = 6
			close(5) = 0
			write(6, 'y', 1) = 1
			sync() = 0
			write(1, 'ok', 2) = 2`,
			[]string{"a=xy"}},
		{"begun again", `
			openat(AT_FDCWD, '~a', O_WRONLY|O_CREAT|O_TRUNC, 0600) = 5
			write(5, 'xyz', 3) = 3
			lseek(5, 1, SEEK_SET) = 1
			write(5, 'Y', 1) = 1
			sync() = 0
			openat(AT_FDCWD, '~a', O_WRONLY|O_CREAT|O_TRUNC, 0600) = 7
			write(1, 'ok', 2) = 2`,
			[]string{"a=", "a=xYz"}},
		{"elsewhere", `
			openat(AT_FDCWD, '/tmp/a', O_WRONLY|O_CREAT|O_TRUNC, 0600) = 5
			write(5, 'xyz', 3) = 3
			mkdir('/tmp/b', 0700) = 0
			rename('/tmp/a', '/tmp/c') = 0
			mmap(NULL, 4096, PROT_READ|PROT_WRITE, 0x8 /* MAP_??? */|MAP_ANONYMOUS, -1, 0) = 0x7f787e55b000
			write(1, 'ok', 2) = 2`,
			[]string{""}},
	} {
		t.Run(tc.name, func(t *testing.T) { require.Equal(t, tc.want, states(parse(t, nil, tc.lines))) })
	}
}

func TestWritesTearInSectors(t *testing.T) {
	old, now := strings.Repeat("o", 1200), strings.Repeat("n", 1200)
	trace := parse(t, map[string][]byte{"a": []byte(old)}, `
		openat(AT_FDCWD, '~a', O_RDWR) = 5
		pwrite64(5, '`+now+`', 1200, 100) = 1200
		write(1, 'ok', 2) = 2`)
	seen := make(map[string]bool)
	for s := range trace.States(1, 400) {
		b := s.Tree()["a"]
		require.True(t, len(b) == 1200 || len(b) == 1300, len(b))
		require.Equal(t, old[:100], string(b[:100]))
		var shape strings.Builder
		for at, c := range b {
			if at == 100 || at > 100 && at%Sector == 0 {
				shape.WriteByte(c)
			} else if at > 100 && at < 1200 {
				require.Equal(t, b[at-1], c, "a sector is whole")
			}
		}
		seen[fmt.Sprintf("%s %d %c", shape.String(), len(b), max(b[len(b)-1], '0'))] = true
	}
	for _, want := range []string{"ooo 1200 o", "nnn 1300 n", "noo 1200 o", "oon 1200 n", "non 1300 n", "ooo 1300 0"} {
		require.True(t, seen[want], "%s of %v", want, seen)
	}
}

func TestOutputIsKnownAtEachCut(t *testing.T) {
	trace := parse(t, nil, `
		write(1, 'a', 1) = 1
		openat(AT_FDCWD, '~a', O_WRONLY|O_CREAT, 0600) = 5
		write(2, 'not this', 8) = 8
		write(1, 'b', 1) = 1`)
	var got []string
	for s := range trace.States(1, 0) {
		if got = append(got, string(s.Output)); s.cut == 1 {
			require.Contains(t, s.String(), "line 2")
		}
	}
	require.Equal(t, []string{"a", "a", "a", "ab", "ab"}, got)
}

func TestEqualKeysAreEqualDisks(t *testing.T) {
	trace := parse(t, nil, `
		openat(AT_FDCWD, '~a', O_WRONLY|O_CREAT, 0600) = 5
		pwrite64(5, 'xx', 2, 0) = 2
		pwrite64(5, 'y', 1, 1) = 1
		fsync(5) = 0
		pwrite64(5, '`+strings.Repeat("z", 1000)+`', 1000, 2) = 1000
		sync() = 0
		pwrite64(5, 'u', 1, 0) = 1
		pwrite64(5, 'v', 1, 0) = 1
		write(1, 'ok', 2) = 2`)
	byKey := make(map[uint64]string)
	n := 0
	for s := range trace.States(3, 30) {
		n++
		got := render(s.Tree())
		if had, ok := byKey[s.Key]; ok {
			require.Equal(t, had, got, s)
		}
		byKey[s.Key] = got
	}
	require.Less(t, len(byKey), n/2, "most come again")
}

// Without its syncs a program has the states of one that never called them.
func TestWithoutTakesTheDutyAway(t *testing.T) {
	trace := parse(t, nil, `
		openat(AT_FDCWD, '/root', O_RDONLY|O_CLOEXEC) = 4
		openat(AT_FDCWD, '~a', O_WRONLY|O_CREAT, 0600) = 5
		write(5, 'x', 1) = 1
		fdatasync(5) = 0
		fsync(4) = 0
		write(1, 'ok', 2) = 2`)
	without := func(calls ...string) *Trace {
		return trace.Without(func(call string, _ int) bool { return slices.Contains(calls, call) })
	}
	require.Equal(t, []string{"a=x"}, states(trace))
	require.Equal(t, []string{"a=x"}, states(trace.Without(func(_ string, before int) bool { return before > 0 })))
	require.Equal(t, []string{"a=", "a=x"}, states(without("fdatasync")))
	require.Equal(t, []string{"", "a=x"}, states(without("fsync")))
	require.Equal(t, []string{"", "a=", "a=x"}, states(without("fsync", "fdatasync")))
	require.Equal(t, map[string]int{"openat": 1, "write": 2, "fdatasync": 1, "fsync": 1}, trace.Count())
}

func TestWhatCannotBeReplayedIsSaid(t *testing.T) {
	const create = `openat(AT_FDCWD, '~a', O_RDWR|O_CREAT, 0600) = 5
		`
	for _, lines := range []string{
		`openat(AT_FDCWD, '~a', O_RDWR) = 5`,
		`openat(AT_FDCWD, '~a/b', O_RDWR|O_CREAT) = 5`,
		`openat(AT_FDCWD, '~a', O_RDWR|O_CREAT|O_DSYNC) = 5`,
		`unlinkat(AT_FDCWD, '~a', 0) = 0`,
		`rename('/tmp/a', '~b') = 0`,
		`symlink('x', '~b') = 0`,
		`chdir('/tmp') = 0`,
		`clone(child_stack=NULL, flags=CLONE_VM|CLONE_VFORK) = 9`,
		create + `mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 5, 0) = 0x7f787e55b000`,
		create + `write(5, 'abc'..., 100) = 100`,
		create + `write(5, 'abc', 3) = 4`,
		create + `fallocate(5, FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE, 0, 1) = 0`,
		create + `sendfile(5, 3, NULL, 10) = 10`,
		create + `fcntl(5, F_SETFL, O_RDWR|O_APPEND) = 0`,
		`7 <... write resumed>) = 1`,
		`write(1, 'x', 1 = 1`,
		`write(1, 'x', 1) =`,
	} {
		_, err := Parse(strings.NewReader(script(lines)), "/root", nil)
		require.Error(t, err, lines)
	}
	_, err := Parse(strings.NewReader("no process\n"), "/root", nil)
	require.Error(t, err)
	_, err = Parse(strings.NewReader(""), "root", nil)
	require.Error(t, err)
}

func TestDiskHoldsEachState(t *testing.T) {
	dir, err := MemoryFolder()
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	d := NewDisk(dir)
	long := []byte(strings.Repeat("x", 3*block+5))
	other := slices.Clone(long)
	other[block] = 'y'
	for i, tree := range []Tree{
		{"a": long, "b": []byte("b"), "d": nil, "d/e": []byte{}},
		{"a": other},
		{"a": other, "b": nil, "d": []byte("d")},
		{"a": long[:block+3], "b": nil},
		{"a": long},
		{},
	} {
		for range 2 {
			require.NoError(t, d.Write(tree))
			got := make(Tree)
			require.NoError(t, filepath.Walk(dir, func(name string, info os.FileInfo, err error) error {
				rel, _ := filepath.Rel(dir, name)
				if err != nil || rel == "." {
					return err
				}
				got[filepath.ToSlash(rel)] = nil
				if !info.IsDir() {
					b, err := os.ReadFile(name)
					got[filepath.ToSlash(rel)] = append([]byte{}, b...)
					return err
				}
				return nil
			}))
			require.Equal(t, tree, got, i)
			// What somebody else does is undone.
			require.NoError(t, os.WriteFile(filepath.Join(dir, "z"), long, 0o600))
			if tree["a"] != nil {
				require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), []byte(strings.Repeat("?", len(tree["a"]))), 0o600))
			}
		}
	}
}
