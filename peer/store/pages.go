package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
)

// bbolt maps the file and trusts it: a damaged page makes it read beyond the map, loop, or panic in a goroutine of its own, where nobody can recover. So its
// pages are read here first, without a map and with every length, number and order checked. The format is that of bbolt 1.x (package internal/common):
//
//	page     id u64 ‖ flags u16 ‖ count u16 ‖ overflow u32 ‖ elements ‖ keys and values
//	header   (pages 0 and 1) magic u32 ‖ version u32 ‖ page size u32 ‖ flags u32 ‖ root bucket(16) ‖ free list u64 ‖ pages u64 ‖ transaction u64 ‖ FNV-1a u64
//	branch   position u32 ‖ key size u32 ‖ page u64
//	leaf     flags u32 ‖ position u32 ‖ key size u32 ‖ value size u32
//	bucket   root page u64 (0: one page follows inline) ‖ sequence u64
//
// all of it in the byte order of the machine.
const (
	pageSize = 4096

	pageHeader   = 16
	elementSize  = 16
	bucketHeader = 16

	branchPage = 1
	leafPage   = 2

	bucketElement = 1

	boltMagic   = 0xED0CDAED
	boltVersion = 2

	maxDepth = 32 // a tree of pages is deeper only if it is damaged
)

var ne = binary.NativeEndian

// errPages is wrapped by whatever is wrong with pages; the text says which, by number.
var errPages = errors.New("page")

func badPage(id uint64, what string) error { return fmt.Errorf("%w %d %s", errPages, id, what) }

// A boltHeader is what Open needs of a header page.
type boltHeader struct {
	root, pages, transaction uint64
}

// readHeader reads header page 0 or 1.
func readHeader(r io.ReaderAt, id uint64) (boltHeader, error) {
	var p [pageSize]byte
	if _, err := r.ReadAt(p[:], int64(id)*pageSize); err != nil {
		return boltHeader{}, readError(id, err)
	}
	b := p[pageHeader:]
	hash := fnv.New64a()
	hash.Write(b[:56])
	if ne.Uint32(b) != boltMagic || ne.Uint32(b[4:]) != boltVersion || ne.Uint32(b[8:]) != pageSize || ne.Uint64(b[56:]) != hash.Sum64() {
		return boltHeader{}, badPage(id, "is not a header")
	}
	return boltHeader{root: ne.Uint64(b[16:]), pages: ne.Uint64(b[40:]), transaction: ne.Uint64(b[48:])}, nil
}

func readError(id uint64, err error) error {
	if errors.Is(err, io.EOF) {
		return badPage(id, "is beyond the end of the file")
	}
	return fmt.Errorf("page %d cannot be read: %w", id, err) // not damage that a backup would mend
}

// A walker goes through all pages that the newest transaction reaches.
type walker struct {
	r                  io.ReaderAt
	pages, transaction uint64           // of the newest header: page numbers are below pages
	seen               []uint64         // bits: pages that were reached
	depth              int              // of the page that is being read
	rooms              [maxDepth][]byte // the page of each depth
	// value is called for each value in the order of bucket and key; the slices are valid until it returns.
	value  func(bucket string, key, value []byte) error
	bucket func(name string) error // is called before the values of a bucket
}

// walk reads the file of size bytes.
func (w *walker) walk(size int64) error {
	h0, err := readHeader(w.r, 0)
	if err != nil {
		return err
	}
	h1, err := readHeader(w.r, 1)
	if err != nil {
		return err
	}
	// bbolt would go on with the other one when the newest is damaged, and what was committed last would be gone without a word. Headers lie in one
	// sector each and are written in turn, so a power cut leaves both whole.
	newest := h0
	if h1.transaction > h0.transaction {
		newest = h1
	}
	if h0.transaction%2 != 0 || h1.transaction%2 != 1 || max(h0.transaction, h1.transaction)-min(h0.transaction, h1.transaction) != 1 {
		return badPage(0, "and 1 are not of two transactions in a row")
	}
	if newest.pages > uint64(size)/pageSize { // a map would reach beyond the file
		return badPage(newest.pages-1, "is beyond the end of the file")
	}
	w.pages, w.transaction = newest.pages, newest.transaction
	w.seen = make([]uint64, newest.pages/64+1)
	return w.tree(newest.root, limits{}, w.topLevel)
}

// limits are what the page above says of a page's keys: min ≤ key < max, nil: no limit.
type limits struct{ min, max []byte }

// A leafFunc is handed each element of the leaf pages of a tree.
type leafFunc func(page uint64, flags uint32, key, value []byte) error

func (w *walker) tree(id uint64, l limits, f leafFunc) error {
	if w.depth == maxDepth {
		return badPage(id, "is too deep")
	}
	w.depth++
	defer func() { w.depth-- }()
	p, err := w.page(id)
	if err != nil {
		return err
	}
	switch ne.Uint16(p[8:]) {
	case leafPage:
		return leaf(id, p, l, f)
	case branchPage:
		return w.branch(id, p, l, f)
	}
	return badPage(id, "is of no known kind")
}

// page reads a page with those that belong to it.
func (w *walker) page(id uint64) ([]byte, error) {
	if id < 2 || id >= w.pages {
		return nil, badPage(id, "is not in the file")
	}
	var head [pageHeader]byte
	if _, err := w.r.ReadAt(head[:], int64(id)*pageSize); err != nil {
		return nil, readError(id, err)
	}
	more := uint64(ne.Uint32(head[12:]))
	if ne.Uint64(head[:]) != id || more >= w.pages-id {
		return nil, badPage(id, "has another number or length")
	}
	for i := id; i <= id+more; i++ {
		if w.seen[i/64]>>(i%64)&1 != 0 { // also what keeps a loop from being one
			return nil, badPage(i, "belongs to two others")
		}
		w.seen[i/64] |= 1 << (i % 64)
	}
	room := &w.rooms[w.depth-1]
	*room = slices.Grow((*room)[:0], int(more+1)*pageSize)
	p := (*room)[:(more+1)*pageSize]
	if _, err := w.r.ReadAt(p, int64(id)*pageSize); err != nil {
		return nil, readError(id, err)
	}
	return p, nil
}

func (w *walker) branch(id uint64, p []byte, l limits, f leafFunc) error {
	count := int(ne.Uint16(p[10:]))
	if count == 0 || pageHeader+count*elementSize > len(p) {
		return badPage(id, "has no elements, or too many")
	}
	key := func(i int) ([]byte, bool) {
		at := pageHeader + i*elementSize
		return cut(p, at, ne.Uint32(p[at:]), ne.Uint32(p[at+4:]))
	}
	below, ok := key(0)
	if !ok || bytes.Compare(below, l.min) < 0 {
		return badPage(id, "has a key out of its place")
	}
	for i := range count {
		inner := limits{min: below, max: l.max}
		if i+1 < count {
			next, ok := key(i + 1)
			if !ok || bytes.Compare(below, next) >= 0 {
				return badPage(id, "has a key out of its place")
			}
			inner.max, below = next, next
		} else if l.max != nil && bytes.Compare(below, l.max) >= 0 {
			return badPage(id, "has a key out of its place")
		}
		if err := w.tree(ne.Uint64(p[pageHeader+i*elementSize+8:]), inner, f); err != nil {
			return err
		}
	}
	return nil
}

// leaf goes through the elements of a leaf page, which may be an inline one.
func leaf(id uint64, p []byte, l limits, f leafFunc) error {
	count := int(ne.Uint16(p[10:]))
	if pageHeader+count*elementSize > len(p) {
		return badPage(id, "has too many elements")
	}
	before := l.min
	for i := range count {
		at := pageHeader + i*elementSize
		pos, keySize, valueSize := ne.Uint32(p[at+4:]), ne.Uint32(p[at+8:]), ne.Uint32(p[at+12:])
		both, ok := cut(p, at, pos, keySize)
		key := both
		if ok && keySize <= MaxKey && valueSize <= MaxValue+overhead {
			both, ok = cut(p, at, pos, keySize+valueSize)
		} else {
			ok = false
		}
		if c := bytes.Compare(before, key); !ok || c > 0 || c == 0 && i > 0 || l.max != nil && bytes.Compare(key, l.max) >= 0 {
			return badPage(id, "has a key out of its place")
		}
		before = key
		if err := f(id, ne.Uint32(p[at:]), key, both[len(key):]); err != nil {
			return err
		}
	}
	return nil
}

// cut returns size bytes, at least one, at pos after at.
func cut(p []byte, at int, pos, size uint32) ([]byte, bool) {
	start := uint64(at) + uint64(pos)
	end := start + uint64(size)
	if size == 0 || end > uint64(len(p)) {
		return nil, false
	}
	return p[start:end:end], true
}

// topLevel goes into a bucket.
func (w *walker) topLevel(id uint64, flags uint32, name, b []byte) error {
	if flags != bucketElement || len(b) < bucketHeader || len(name) > 32 {
		return badPage(id, "has something that is not a bucket")
	}
	bucket := string(name)
	if err := w.bucket(bucket); err != nil {
		return err
	}
	if err := w.values(id, bucket, b); err != nil {
		if errors.Is(err, errPages) {
			return fmt.Errorf("bucket %q, %w", bucket, err)
		}
		return err
	}
	return nil
}

// values goes through a bucket.
func (w *walker) values(id uint64, bucket string, b []byte) error {
	value := func(id uint64, flags uint32, key, value []byte) error {
		if flags != 0 {
			return badPage(id, "has something that is not a value")
		}
		return w.value(bucket, key, value)
	}
	if root := ne.Uint64(b); root != 0 && len(b) == bucketHeader {
		return w.tree(root, limits{}, value)
	} else if root != 0 {
		return badPage(id, "has a bucket of no known kind")
	}
	inline := b[bucketHeader:]
	// bbolt would free the page that an inline page's number names.
	if len(inline) < pageHeader || ne.Uint64(inline) != 0 || ne.Uint16(inline[8:]) != leafPage || ne.Uint32(inline[12:]) != 0 {
		return badPage(id, "has a bucket of no known kind")
	}
	return leaf(id, inline, limits{}, value)
}
