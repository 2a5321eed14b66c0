// Package powercut tells what a power cut could have left on a disk, for tests: it reads the system calls that a program made, as strace writes them down, and
// builds the states of the disk that were possible at each of them.
//
// Run the program under the words of Strace, read what it wrote with Parse, go through States, put each on a real disk with Disk.Write, and judge what the
// program makes of it. State.Output says what the program had promised by then. Trace.Without takes the duty of a call away: a judge that finds nothing then
// finds nothing ever.
//
// The disk is as bad as POSIX lets it be (the method is that of "All File Systems Are Not Created Equal", OSDI 2014):
//
//   - data and length of a file are there for certain after fsync or fdatasync of it, and names after fsync of their folder; until then each call may
//     have happened or not, on its own, in any order;
//   - a write that was not synced may be there in part, in sectors of 512 bytes, and the file may have grown without its data, which then reads as zeros;
//   - a name changes whole or not at all, and so does a sector;
//   - what was synced stays.
//
// What cannot be replayed is an error and never passed over: files that were there before and that Parse was not told of, writes through a map, symbolic
// links, files opened with O_SYNC, and other processes.
package powercut

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// Sector is the number of bytes that a disk writes whole.
const Sector = 512

// never is the time of a call that did not return.
const never = math.MaxInt

// calls are those that change files or names, or say which they are.
const calls = "open,openat,openat2,creat,close,dup,dup2,dup3,fcntl,lseek,chdir,fchdir,write,writev,pwrite64,pwritev,pwritev2,truncate,ftruncate,fallocate," +
	"fsync,fdatasync,sync,syncfs,sync_file_range,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,mmap,mmap2," +
	"sendfile,splice,copy_file_range,io_uring_setup,clone,clone3,fork,vfork"

// Strace returns the words that stand before a command to have its calls written to the file out. The command has to run in the folder that Parse is told
// of, which is empty or as Parse is told.
func Strace(out string) []string {
	return []string{"strace", "-f", "--seccomp-bpf", "-qq", "-xx", "-s", "67108864", "-e", "signal=none", "-e", "trace=" + calls, "-o", out}
}

// A Trace is what a program did to the files below one folder.
type Trace struct {
	ops    []op
	folder []bool // of each file and folder that there was: which it is; 0 is the folder itself
}

type kind uint8

const (
	write    kind = iota + 1 // data to node at off
	resize                   // node to size
	extend                   // node to at least size
	rename                   // links
	syncNode                 // node
	syncAll
	output // data to standard output
)

// An op is one system call.
type op struct {
	kind       kind
	call       string // the name of the system call
	begin, end int    // lines of the trace
	node       int
	off, size  int64
	data       []byte
	links      []link
}

// A link is a name that is new, or gone (node gone).
type link struct {
	dir  int
	name string
	node int
}

const gone = -1

// Parse reads the calls of a program in the folder root, an absolute path, which held the files before, by their names below it.
func Parse(r io.Reader, root string, before map[string][]byte) (*Trace, error) {
	p, err := newParser(root, before)
	if err != nil {
		return nil, err
	}
	if err := eachCall(r, p.call); err != nil {
		return nil, err
	}
	t := &Trace{ops: p.ops}
	for _, n := range p.nodes {
		t.folder = append(t.folder, n.folder())
	}
	return t, nil
}

// Without returns the trace of a program for which some calls of fsync and its like succeeded and made nothing durable: those for which drop returns true. It is
// asked with the name of the call and how many of that name there were before.
func (t *Trace) Without(drop func(call string, before int) bool) *Trace {
	c := *t
	c.ops = nil
	before := make(map[string]int)
	for _, o := range t.ops {
		if o.begin >= 0 && (o.kind == syncNode || o.kind == syncAll) {
			before[o.call]++
			if drop(o.call, before[o.call]-1) {
				continue
			}
		}
		c.ops = append(c.ops, o)
	}
	return &c
}

// Count returns how often each system call stands in the trace, as far as it matters to a disk.
func (t *Trace) Count() map[string]int {
	n := make(map[string]int)
	for _, o := range t.ops {
		n[o.call]++
	}
	return n
}

func (o *op) String() string {
	switch o.kind {
	case write:
		return fmt.Sprintf("%s of %d bytes at %d", o.call, len(o.data), o.off)
	case resize, extend:
		return fmt.Sprintf("%s to %d bytes", o.call, o.size)
	case rename:
		var names []string
		for _, l := range o.links {
			names = append(names, l.name)
		}
		return o.call + " " + strings.Join(names, ", ")
	}
	return o.call
}
