package store

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

const smallFile = 64 << 10

// small makes a store with branch pages, long values, inline buckets and pages that were used before, and returns its file after each of the last few
// transactions.
func small(t testing.TB, seed uint64) (files [][]byte, contents []content) {
	rng := rand.New(rand.NewPCG(seed, 2))
	path := filepath.Join(memory(t), "peer.db")
	s, err := newStore(path, testKey, options)
	require.NoError(t, err)
	s.growBy = smallFile
	require.NoError(t, s.open(options))
	defer s.Close()
	want := content{}
	for i := range 12 {
		var changes []Change
		for range 12 {
			key, size := fmt.Sprintf("%03d", rng.IntN(40)), []int{0, 30, 300, 300, 600}[rng.IntN(5)]
			changes = append(changes, put("inbox", key, strings.Repeat(string(rune('a'+i)), size)))
		}
		changes = append(changes, erase("inbox", fmt.Sprintf("%03d", rng.IntN(40))), put("contact", "1", fmt.Sprint("my friend ", i)), put("inbox", "long", strings.Repeat("L", 5000)))
		require.NoError(t, s.Commit(changes))
		want = want.apply(changes...)
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		files, contents = append(files, b), append(contents, want)
	}
	return files, contents
}

// inMemory reads a file as Open and Each do, without bbolt.
func inMemory(t testing.TB, b []byte) (content, error) {
	s, err := newStore("peer.db", testKey, options)
	require.NoError(t, err)
	if _, err := s.verifyFile(bytes.NewReader(b), int64(len(b))); err != nil {
		return nil, err
	}
	got := content{}
	w := walker{
		r:      bytes.NewReader(b),
		bucket: func(string) error { return nil },
		value: func(bucket string, key, value []byte) error {
			if bucket != ownBucket {
				plain, ok := s.sealer.appendOpened(nil, bucket, key, value)
				require.True(t, ok)
				got[bucket+"\x00"+string(key)] = string(plain)
			}
			return nil
		},
	}
	require.NoError(t, w.walk(int64(len(b))))
	return got, nil
}

// wantDamage checks what an error of a damaged file says, and what it does not.
func wantDamage(t testing.TB, err error, where any) {
	t.Helper()
	require.ErrorIs(t, err, ErrDamaged, where)
	text := err.Error()
	require.Contains(t, text, "peer.db", where)
	require.Contains(t, text, "backup", where)
	for _, secret := range []string{"my friend", "LLL", "aaa", "kkk"} {
		require.NotContains(t, text, secret, where)
	}
}

// structural reports whether a byte is of the headers and elements of pages, and not of keys and values.
func structural(b []byte, at int) bool {
	page := b[at/pageSize*pageSize:][:pageSize]
	if at < 2*pageSize {
		return at%pageSize < pageHeader+64
	}
	if ne.Uint64(page) != uint64(at/pageSize) { // it goes on from the one before
		return false
	}
	return at%pageSize < pageHeader+int(ne.Uint16(page[10:]))*elementSize
}

// pagesInUse tells which pages the newest transaction reaches.
func pagesInUse(t testing.TB, b []byte) func(page int) bool {
	w := walker{r: bytes.NewReader(b), bucket: func(string) error { return nil }, value: func(string, []byte, []byte) error { return nil }}
	require.NoError(t, w.walk(int64(len(b))))
	return func(page int) bool { return page < 2 || page < int(w.pages) && w.seen[page/64]>>(page%64)&1 != 0 }
}

// Each flipped bit is found, or changes nothing. bbolt alone would have handed out most of them as values.
func TestEveryFlippedBitIsFoundOrHarmless(t *testing.T) {
	seed := testSeed(t)
	files, contents := small(t, seed)
	b, want := files[len(files)-1], contents[len(contents)-1]
	rng := rand.New(rand.NewPCG(seed, 3))
	inUse := pagesInUse(t, b)
	harmless, found := 0, 0
	for at := range b {
		for bit := range 8 {
			if sample := rng.IntN(1000); !structural(b, at) && sample >= 20 || !inUse(at/pageSize) && sample >= 2 {
				continue // too many
			}
			b[at] ^= 1 << bit
			if got, err := inMemory(t, b); err != nil {
				wantDamage(t, err, at)
				found++
			} else {
				require.True(t, maps.Equal(want, got), "bit %d of byte %d of page %d", bit, at%pageSize, at/pageSize)
				harmless++
			}
			b[at] ^= 1 << bit
		}
	}
	t.Logf("%d flips found, %d harmless", found, harmless)
	require.Greater(t, found, 2*8*60+8*elementSize*len(want), "all of both headers and of the values' elements")
}

// What is said to be harmless is so for bbolt too, also when it writes.
func TestFlippedBitsThroughBolt(t *testing.T) {
	seed := testSeed(t)
	files, contents := small(t, seed)
	b, want := files[len(files)-1], contents[len(contents)-1]
	rng := rand.New(rand.NewPCG(seed, 4))
	dir := memory(t)
	path := filepath.Join(dir, "peer.db")
	opened := 0
	for range 400 {
		at, bit := rng.IntN(len(b)), rng.IntN(8)
		for rng.IntN(2) == 0 && !structural(b, at) {
			at = rng.IntN(len(b))
		}
		b[at] ^= 1 << bit
		require.NoError(t, os.WriteFile(path, b, 0o600))
		b[at] ^= 1 << bit
		s, err := Open(path, testKey, options)
		if err != nil {
			wantDamage(t, err, at)
			continue
		}
		opened++
		wantContent(t, s, want)
		changes := []Change{put("inbox", "010", "new"), put("outbox", "1", strings.Repeat("n", 9000)), erase("contact", "1"), erase("inbox", "long")}
		require.NoError(t, s.Commit(changes))
		require.NoError(t, s.Close())
		s, err = Open(path, testKey, options)
		require.NoError(t, err)
		wantContent(t, s, want.apply(changes...))
		require.NoError(t, s.Close())
	}
	require.Greater(t, opened, 20)
}

// A page from an earlier transaction, which a disk may leave or bring back, holds values that are authentic, and is found all the same.
func TestOldPagesAreFound(t *testing.T) {
	files, contents := small(t, testSeed(t))
	now, want := files[len(files)-1], contents[len(contents)-1]
	found := 0
	for _, old := range files[:len(files)-1] {
		for page := 2; page < min(len(old), len(now))/pageSize; page++ {
			at := page * pageSize
			if bytes.Equal(now[at:at+pageSize], old[at:at+pageSize]) {
				continue
			}
			mixed := slices.Concat(now[:at], old[at:at+pageSize], now[at+pageSize:])
			if got, err := inMemory(t, mixed); err != nil {
				wantDamage(t, err, page)
				found++
			} else {
				require.True(t, maps.Equal(want, got), "page %d", page) // it is not in use
			}
		}
	}
	require.Greater(t, found, 10)
}

func TestTruncatedFilesAreFound(t *testing.T) {
	files, contents := small(t, testSeed(t))
	b, want := files[len(files)-1], contents[len(contents)-1]
	path := filepath.Join(memory(t), "peer.db")
	for size := 0; size <= len(b); size += 509 {
		require.NoError(t, os.WriteFile(path, b[:size], 0o600))
		s, err := Open(path, testKey, options)
		if err != nil {
			wantDamage(t, err, size)
			continue
		}
		require.Greater(t, size, len(b)/2)
		wantContent(t, s, want) // only zeros are missing
		require.NoError(t, s.Commit([]Change{put("inbox", "x", strings.Repeat("x", 100000))}))
		require.NoError(t, s.Close())
	}
}

func TestDamageNamesTheBucket(t *testing.T) {
	files, _ := small(t, 1)
	b := files[len(files)-1]
	var values [][]byte
	w := walker{r: bytes.NewReader(b), bucket: func(string) error { return nil }, value: func(bucket string, _, value []byte) error {
		if bucket == "inbox" && len(value) > 100 {
			values = append(values, bytes.Clone(value))
		}
		return nil
	}}
	require.NoError(t, w.walk(int64(len(b))))
	for at := range occurrences(b, values[0]) {
		b[at+50] ^= 1
	}
	_, err := inMemory(t, b)
	wantDamage(t, err, "")
	require.Contains(t, err.Error(), `bucket "inbox"`)
	for at := range occurrences(b, values[1]) {
		b[at/pageSize*pageSize] ^= 1 // the page's own number
	}
	_, err = inMemory(t, b)
	wantDamage(t, err, "")
	require.Contains(t, err.Error(), `bucket "inbox"`)
}

// occurrences goes through the places of part in b: pages that are free now may hold it too.
func occurrences(b, part []byte) iter.Seq[int] {
	return func(yield func(int) bool) {
		for at := 0; ; at++ {
			i := bytes.Index(b[at:], part)
			if at += i; i < 0 || !yield(at) {
				return
			}
		}
	}
}

// While a store is open its file may be damaged too. bbolt sees it at once, through its map. Branch pages and the lengths of pages are left alone here: what guard
// says of them is so.
func TestDamageWhileOpen(t *testing.T) {
	rng := rand.New(rand.NewPCG(testSeed(t), 5))
	dir := memory(t)
	failures := 0
	for range 150 {
		path := filepath.Join(dir, "peer.db")
		require.NoError(t, os.RemoveAll(path))
		s, err := newStore(path, testKey, options)
		require.NoError(t, err)
		s.growBy = smallFile
		require.NoError(t, s.open(options))
		want := fillStore(t, s, rng, 6)
		raw, err := os.OpenFile(path, os.O_RDWR, 0)
		require.NoError(t, err)
		info, err := raw.Stat()
		require.NoError(t, err)
		for range 4 {
			page := make([]byte, pageSize)
			at := int64(2+rng.IntN(min(20, int(info.Size()/pageSize)-2))) * pageSize
			_, err := raw.ReadAt(page, at)
			require.NoError(t, err)
			if ne.Uint16(page[8:]) != leafPage {
				continue
			}
			if i := []int{rng.IntN(12), rng.IntN(100), rng.IntN(pageSize)}[rng.IntN(3)]; i < 12 || i >= pageHeader {
				page[i] ^= byte(1 + rng.IntN(255))
			}
			_, err = raw.WriteAt(page, at)
			require.NoError(t, err)
		}
		require.NoError(t, raw.Close())

		got, err := read(s)
		if err == nil {
			require.Empty(t, cmp.Diff(want, got))
		} else {
			wantDamage(t, err, "")
			require.ErrorIs(t, err, ErrFailed)
		}
		if err = s.Commit([]Change{put("inbox", "1", "x"), erase("inbox", "010")}); err != nil {
			require.ErrorIs(t, err, ErrFailed)
			require.ErrorIs(t, s.Commit([]Change{put("inbox", "1", "x")}), ErrFailed)
			_, err = read(s)
			require.ErrorIs(t, err, ErrFailed)
			failures++
		}
		require.NoError(t, s.Close())
		if s, err = Open(path, testKey, options); err != nil { // nobody has the lock, and nothing hangs
			wantDamage(t, err, "")
			continue
		}
		require.NoError(t, s.Close())
	}
	require.Greater(t, failures, 10)
}

// A file that is cut off under a map is a fault at its pages, not an error of a call.
func TestFileIsCutOffWhileOpen(t *testing.T) {
	path := filepath.Join(memory(t), "peer.db")
	s := openAt(t, path)
	fillStore(t, s, rand.New(rand.NewPCG(1, 6)), 10)
	require.NoError(t, os.Truncate(path, 2*pageSize))
	_, err := read(s)
	wantDamage(t, err, "")
	require.ErrorIs(t, s.Commit([]Change{put("inbox", "1", "x")}), ErrFailed)
	require.NoError(t, s.Close())
	_, err = Open(path, testKey, options)
	wantDamage(t, err, "")
}

// FuzzVerify writes bytes over a store's file, with the check sums of bbolt's headers made right again, and so gets to all of the reader. Whatever is in the file, what
// is read is what was written: this transaction's values or, since a right header can point at them, those of one before.
func FuzzVerify(f *testing.F) {
	files, contents := small(f, 1)
	base := files[len(files)-1]
	f.Add([]byte{})
	f.Add([]byte{0, 0, 40, 1, 16, 0, 48, 2, 80, 10, 7})
	f.Fuzz(func(t *testing.T, patch []byte) {
		b := bytes.Clone(base)
		for ; len(patch) >= 3; patch = patch[3:] {
			b[(int(patch[0])<<8|int(patch[1]))%len(b)] = patch[2]
		}
		for id := range 2 {
			h := b[id*pageSize+pageHeader:]
			sum := fnv.New64a()
			sum.Write(h[:56])
			ne.PutUint64(h[56:], sum.Sum64())
		}
		got, err := inMemory(t, b)
		if err != nil {
			return
		}
		require.True(t, slices.ContainsFunc(append(contents, content{}), func(c content) bool { return cmp.Equal(c, got) }))
	})
}
