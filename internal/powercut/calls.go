package powercut

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A node is a file or a folder as the program sees it.
type node struct {
	entries map[string]int // of a folder; nil: a file
	size    int64
}

func (n *node) folder() bool { return n.entries != nil }

// A handle is an open file; duplicates of a descriptor share it.
type handle struct {
	node   int
	path   string // of a folder
	at     int64
	append bool
}

// A parser follows the program: which file a descriptor or a name means.
type parser struct {
	root  string
	cwd   string
	nodes []*node
	open  map[int64]*handle // by descriptor; what is not below root is not in it
	ops   []op
}

func newParser(root string, before map[string][]byte) (*parser, error) {
	if !path.IsAbs(root) {
		return nil, fmt.Errorf("powercut: %s is not absolute", root)
	}
	p := &parser{root: path.Clean(root), cwd: path.Clean(root), open: make(map[int64]*handle)}
	p.nodes = []*node{{entries: make(map[string]int)}}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		data, dir := before[name], 0
		parts := strings.Split(name, "/")
		for _, part := range parts[:len(parts)-1] {
			next, ok := p.nodes[dir].entries[part]
			if !ok {
				next = p.add(&node{entries: make(map[string]int)})
				p.link(call{begin: -2, end: -2}, link{dir, part, next})
			}
			dir = next
		}
		file := p.add(&node{size: int64(len(data))})
		p.link(call{begin: -2, end: -2}, link{dir, parts[len(parts)-1], file})
		p.op(call{begin: -2, end: -2}, op{kind: write, node: file, data: data})
	}
	if len(p.ops) > 0 {
		p.op(call{begin: -1, end: -1}, op{kind: syncAll})
	}
	return p, nil
}

func (p *parser) add(n *node) int {
	p.nodes = append(p.nodes, n)
	return len(p.nodes) - 1
}

// place is a name in a folder; node is gone where there is nothing of that name.
type place struct {
	dir  int
	name string
	node int
	path string
}

// find looks up a name. It reports false for what is not below root.
func (p *parser) find(at, arg string) (place, bool, error) {
	b, err := text(arg)
	if err != nil {
		return place{}, false, err
	}
	full := string(b)
	if !path.IsAbs(full) {
		base := p.cwd
		if at != "AT_FDCWD" {
			fd, err := strconv.ParseInt(at, 0, 64)
			if err != nil {
				return place{}, false, err
			}
			h := p.open[fd]
			if h == nil { // a folder elsewhere
				return place{}, false, nil
			}
			base = h.path
		}
		full = path.Join(base, full)
	}
	full = path.Clean(full)
	if full == p.root {
		return place{node: 0, path: full, dir: gone}, true, nil
	}
	below, ok := strings.CutPrefix(full, p.root+"/")
	if !ok {
		return place{}, false, nil
	}
	parts := strings.Split(below, "/")
	dir := 0
	for _, part := range parts[:len(parts)-1] {
		next, ok := p.nodes[dir].entries[part]
		if !ok {
			return place{}, false, fmt.Errorf("%s is in no folder that is known", below)
		}
		dir = next
	}
	name := parts[len(parts)-1]
	n, ok := p.nodes[dir].entries[name]
	if !ok {
		n = gone
	}
	return place{dir, name, n, full}, true, nil
}

// link changes names, at once for the program.
func (p *parser) link(c call, links ...link) {
	for _, l := range links {
		if l.node == gone {
			delete(p.nodes[l.dir].entries, l.name)
		} else {
			p.nodes[l.dir].entries[l.name] = l.node
		}
	}
	p.op(c, op{kind: rename, links: links})
}

func (p *parser) op(c call, o op) {
	o.call, o.begin, o.end = c.name, c.begin, c.end
	p.ops = append(p.ops, o)
}

func (c call) number(i int) (int64, error) {
	if i >= len(c.args) {
		return 0, errors.New("has too few arguments")
	}
	return strconv.ParseInt(c.args[i], 0, 64)
}

// fd returns the file that argument i means; nil: one that is not below root.
func (p *parser) fd(c call, i int) (*handle, int64, error) {
	n, err := c.number(i)
	if err != nil {
		return nil, 0, err
	}
	return p.open[n], n, nil
}

var arity = map[string]int{
	"open": 2, "openat": 3, "openat2": 3, "creat": 2, "close": 1, "dup": 1, "dup2": 2, "dup3": 2, "fcntl": 2, "lseek": 3, "chdir": 1, "fchdir": 1,
	"write": 3, "writev": 3, "pwrite64": 4, "pwritev": 4, "pwritev2": 4, "truncate": 2, "ftruncate": 2, "fallocate": 4, "fsync": 1, "fdatasync": 1,
	"rename": 2, "renameat": 4, "renameat2": 5, "link": 2, "linkat": 4, "unlink": 1, "unlinkat": 3, "mkdir": 2, "mkdirat": 3, "rmdir": 1, "mmap": 6, "mmap2": 6,
	"sendfile": 4, "splice": 6, "copy_file_range": 6,
}

// call takes one call that succeeded, or may have.
func (p *parser) call(c call) error {
	if len(c.args) < arity[c.name] {
		if c.end == never { // the trace ended before it was written down: it is as if the call had not begun
			return nil
		}
		return errors.New("has too few arguments")
	}
	const here = "AT_FDCWD"
	switch c.name {
	case "open":
		return p.openFile(c, here, c.args[0], c.args[1])
	case "creat":
		return p.openFile(c, here, c.args[0], "O_WRONLY|O_CREAT|O_TRUNC")
	case "openat", "openat2":
		return p.openFile(c, c.args[0], c.args[1], c.args[2])
	case "close", "dup", "dup2", "dup3", "fcntl", "lseek", "chdir", "fchdir":
		return p.descriptor(c)
	case "write", "writev", "pwrite64", "pwritev", "pwritev2":
		return p.writeFile(c)
	case "truncate", "ftruncate", "fallocate":
		return p.resizeFile(c)
	case "fsync", "fdatasync":
		h, _, err := p.fd(c, 0)
		if err == nil && h != nil {
			p.op(c, op{kind: syncNode, node: h.node})
		}
		return err
	case "sync", "syncfs":
		p.op(c, op{kind: syncAll})
		return nil
	case "sync_file_range": // promises nothing
		return nil
	case "rename":
		return p.renameFile(c, here, c.args[0], here, c.args[1], "0")
	case "renameat":
		return p.renameFile(c, c.args[0], c.args[1], c.args[2], c.args[3], "0")
	case "renameat2":
		return p.renameFile(c, c.args[0], c.args[1], c.args[2], c.args[3], c.args[4])
	case "link":
		return p.linkFile(c, here, c.args[0], here, c.args[1])
	case "linkat":
		return p.linkFile(c, c.args[0], c.args[1], c.args[2], c.args[3])
	case "unlink", "rmdir":
		return p.unlink(c, here, c.args[0])
	case "unlinkat":
		return p.unlink(c, c.args[0], c.args[1])
	case "mkdir":
		return p.mkdir(c, here, c.args[0])
	case "mkdirat":
		return p.mkdir(c, c.args[0], c.args[1])
	case "mmap", "mmap2":
		h, _, err := p.fd(c, 4)
		if err == nil && h != nil && strings.Contains(c.args[2], "PROT_WRITE") && strings.Contains(c.args[3], "MAP_SHARED") {
			return errors.New("writes through a map are not seen")
		}
		return nil // of a number that is no descriptor, nothing is mapped
	case "clone", "clone3", "fork", "vfork":
		if !strings.Contains(strings.Join(c.args, ","), "CLONE_THREAD") {
			return errors.New("what another process does is not followed")
		}
		return nil
	case "symlink", "symlinkat":
		return errors.New("symbolic links are not followed")
	case "sendfile", "splice", "copy_file_range":
		to := 2
		if c.name == "sendfile" {
			to = 0
		}
		if h, _, err := p.fd(c, to); err != nil || h == nil {
			return err
		}
		return errors.New("cannot be replayed")
	case "io_uring_setup":
		return errors.New("cannot be replayed")
	}
	return nil // a call that nobody asked for
}

func (p *parser) openFile(c call, at, name, flags string) error {
	pl, ok, err := p.find(at, name)
	if err != nil || !ok {
		delete(p.open, c.result)
		return err
	}
	has := func(flag string) bool { return slices.Contains(strings.FieldsFunc(flags, notFlag), flag) }
	if has("O_SYNC") || has("O_DSYNC") || has("O_TMPFILE") {
		return fmt.Errorf("%s is opened with %s", pl.path, flags)
	}
	switch {
	case pl.node == gone && !has("O_CREAT"):
		return fmt.Errorf("%s was there before", pl.path)
	case pl.node == gone:
		pl.node = p.add(&node{})
		p.link(c, link{pl.dir, pl.name, pl.node})
	case has("O_TRUNC"):
		p.nodes[pl.node].size = 0
		p.op(c, op{kind: resize, node: pl.node})
	}
	if c.end != never {
		p.open[c.result] = &handle{node: pl.node, path: pl.path, append: has("O_APPEND")}
	}
	return nil
}

func notFlag(r rune) bool { return r != '_' && (r < 'A' || r > 'Z') }

func (p *parser) descriptor(c call) error {
	if strings.HasSuffix(c.name, "chdir") {
		return errors.New("the program leaves its folder")
	}
	h, n, err := p.fd(c, 0)
	switch {
	case err != nil || h == nil && !strings.HasPrefix(c.name, "dup"):
		return err
	case c.name == "close":
		delete(p.open, n)
	case c.name == "lseek":
		h.at = c.result
	case c.name == "fcntl" && !strings.HasPrefix(c.args[1], "F_DUPFD"):
		if c.args[1] == "F_SETFL" && strings.Contains(strings.Join(c.args, ","), "O_APPEND") != h.append {
			return errors.New("O_APPEND is changed")
		}
	case c.end != never && h != nil:
		p.open[c.result] = h
	case c.end != never:
		delete(p.open, c.result)
	}
	return nil
}

func (p *parser) writeFile(c call) error {
	h, fd, err := p.fd(c, 0)
	if err != nil || h == nil && fd != 1 {
		return err
	}
	data, err := text(c.args[1])
	if err != nil {
		return err
	}
	if c.end != never {
		if c.result < 0 || int(c.result) > len(data) {
			return errors.New("wrote more than it had")
		}
		data = data[:c.result]
	}
	if h == nil {
		p.op(c, op{kind: output, data: data})
		return nil
	}
	n := p.nodes[h.node]
	var off int64
	switch {
	case c.name[0] == 'p':
		if off, err = c.number(3); err != nil {
			return err
		}
		if h.append {
			return errors.New("O_APPEND and a position")
		}
	case h.append:
		off = n.size
		h.at = off + int64(len(data))
	default:
		off = h.at
		h.at += int64(len(data))
	}
	n.size = max(n.size, off+int64(len(data)))
	p.op(c, op{kind: write, node: h.node, off: off, data: data})
	return nil
}

func (p *parser) resizeFile(c call) error {
	var n int
	if c.name == "truncate" {
		pl, ok, err := p.find("AT_FDCWD", c.args[0])
		if err != nil || !ok {
			return err
		}
		n = pl.node
	} else if h, _, err := p.fd(c, 0); err != nil || h == nil {
		return err
	} else {
		n = h.node
	}
	if c.name != "fallocate" {
		size, err := c.number(1)
		if err == nil {
			p.nodes[n].size = size
			p.op(c, op{kind: resize, node: n, size: size})
		}
		return err
	}
	off, err := c.number(2)
	if err != nil {
		return err
	}
	size, err := c.number(3)
	if err != nil {
		return err
	}
	switch c.args[1] {
	case "FALLOC_FL_KEEP_SIZE":
	case "0":
		p.nodes[n].size = max(p.nodes[n].size, off+size)
		p.op(c, op{kind: extend, node: n, size: off + size})
	default:
		return fmt.Errorf("%s cannot be replayed", c.args[1])
	}
	return nil
}

func (p *parser) renameFile(c call, fromAt, from, toAt, to, flags string) error {
	a, inA, err := p.find(fromAt, from)
	if err != nil {
		return err
	}
	b, inB, err := p.find(toAt, to)
	switch {
	case err != nil || !inA && !inB:
		return err
	case inA != inB:
		return errors.New("a file comes into the folder, or leaves it")
	case flags != "0" && flags != "RENAME_NOREPLACE":
		return fmt.Errorf("%s cannot be replayed", flags)
	case a.node == gone:
		return fmt.Errorf("%s was there before", a.path)
	}
	p.link(c, link{a.dir, a.name, gone}, link{b.dir, b.name, a.node})
	return nil
}

func (p *parser) linkFile(c call, fromAt, from, toAt, to string) error {
	a, inA, err := p.find(fromAt, from)
	if err != nil {
		return err
	}
	b, inB, err := p.find(toAt, to)
	switch {
	case err != nil || !inA && !inB:
		return err
	case inA != inB || a.node == gone:
		return errors.New("a file comes into the folder, or leaves it")
	}
	p.link(c, link{b.dir, b.name, a.node})
	return nil
}

func (p *parser) unlink(c call, at, name string) error {
	pl, ok, err := p.find(at, name)
	if err != nil || !ok {
		return err
	}
	if pl.node == gone || pl.dir == gone {
		return fmt.Errorf("%s was there before", pl.path)
	}
	p.link(c, link{pl.dir, pl.name, gone})
	return nil
}

func (p *parser) mkdir(c call, at, name string) error {
	pl, ok, err := p.find(at, name)
	if err != nil || !ok {
		return err
	}
	if pl.node != gone {
		return fmt.Errorf("%s is known", pl.path)
	}
	p.link(c, link{pl.dir, pl.name, p.add(&node{entries: make(map[string]int)})})
	return nil
}
