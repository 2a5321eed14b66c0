package store

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kith/internal/powercut"
)

var (
	testKey  = &[32]byte{1, 2, 3}
	otherKey = &[32]byte{3, 2, 1}
	options  = Options{Buckets: []Bucket{{Name: "contact"}, {Name: "inbox", Append: true}, {Name: "outbox", Append: true}}}
)

// With these in the environment this binary is another program: one that writes while its power is cut, or one that has a store open.
const (
	childMode = "STORE_TEST_CHILD"
	childArg  = "STORE_TEST_ARG"
)

var children = map[string]func(arg string) error{"commit": childCommits, "hold": childHolds}

func TestMain(m *testing.M) {
	if mode := os.Getenv(childMode); mode != "" {
		if err := children[mode](os.Getenv(childArg)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var seedFlag = flag.Uint64("seed", 0, "of the tests with random numbers; 0: another one each time")

func testSeed(t *testing.T) uint64 {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("repeat with -seed %d", seed)
	return seed
}

// memory is a folder whose syncs cost nothing, for tests with many.
func memory(t testing.TB) string {
	dir, err := powercut.MemoryFolder()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

// content is what a store holds: bucket and key, with a zero byte between them, to value.
type content map[string]string

// apply makes the changes in a copy.
func (c content) apply(changes ...Change) content {
	c = maps.Clone(c)
	for _, ch := range changes {
		if name := ch.Bucket + "\x00" + string(ch.Key); ch.Value == nil {
			delete(c, name)
		} else {
			c[name] = string(ch.Value)
		}
	}
	return c
}

func read(s *Store) (content, error) {
	c := content{}
	return c, s.Each(func(bucket string, key, value []byte) error {
		c[bucket+"\x00"+string(key)] = string(value)
		return nil
	})
}

func put(bucket, key, value string) Change {
	return Change{bucket, []byte(key), append([]byte{}, value...)}
}

func erase(bucket, key string) Change { return Change{bucket, []byte(key), nil} }

func openAt(t testing.TB, path string) *Store {
	s, err := Open(path, testKey, options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func wantContent(t testing.TB, s *Store, want content) {
	t.Helper()
	got, err := read(s)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(want, got))
}

func TestWhatWasCommittedIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "peer.db")
	s := openAt(t, path)
	wantContent(t, s, content{})

	first := []Change{put("contact", "1", "anna"), put("inbox", "1", ""), put("inbox", "2", strings.Repeat("x", MaxValue)), put("outbox", "1", "one")}
	require.NoError(t, s.Commit(first))
	second := []Change{erase("inbox", "2"), put("contact", "1", "ben"), put("outbox", "1", "two"), erase("outbox", "1"), erase("outbox", "none")}
	require.NoError(t, s.Commit(second))
	require.NoError(t, s.Commit(nil))
	want := content{}.apply(first...).apply(second...)
	wantContent(t, s, want)

	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.Commit(first), os.ErrClosed)
	_, err := read(s)
	require.ErrorIs(t, err, os.ErrClosed)
	wantContent(t, openAt(t, path), want)
}

func TestFilesAreForTheirOwner(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, filepath.Join(dir, "a", "peer.db"))
	require.NoError(t, s.Commit([]Change{put("contact", "1", "x")}))
	for name, want := range map[string]fs.FileMode{"a": 0o700 | fs.ModeDir, "a/peer.db": 0o600, "a/peer.db.lock": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		if os.PathSeparator == '/' { // Windows has no such bits
			require.Equal(t, want, info.Mode(), name)
		}
	}
	require.NoFileExists(t, filepath.Join(dir, "a", "peer.db.new"))
}

// Any run of transactions and restarts leaves what a map would hold.
func TestStoreIsAMap(t *testing.T) {
	root := memory(t)
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp(root, "")
		require.NoError(t, err)
		path, want := filepath.Join(dir, "peer.db"), content{}
		for range rapid.IntRange(1, 3).Draw(r, "restarts") {
			s, err := Open(path, testKey, options)
			require.NoError(t, err)
			for range rapid.IntRange(0, 4).Draw(r, "commits") {
				changes := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) Change {
					b := rapid.SampledFrom(options.Buckets).Draw(r, "bucket").Name
					key := fmt.Sprintf("%03d", rapid.IntRange(0, 200).Draw(r, "key"))
					if rapid.IntRange(0, 2).Draw(r, "erase") == 0 {
						return erase(b, key)
					}
					return put(b, key, strings.Repeat("v", rapid.SampledFrom([]int{0, 1, 20, 300, 1000, 5000, 60000}).Draw(r, "size")))
				}), 0, 60).Draw(r, "changes")
				require.NoError(t, s.Commit(changes))
				want = want.apply(changes...)
			}
			got, err := read(s)
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(want, got))
			require.NoError(t, s.Close())
		}
	})
}

func TestRangesGoBothWays(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "peer.db"))
	var changes []Change
	for i := range 3*chunkValues + 7 {
		changes = append(changes, put("inbox", fmt.Sprintf("%05d", i), "v"))
	}
	require.NoError(t, s.Commit(changes))
	keys := func(back bool, from, to []byte) (got []string) {
		f := func(key, _ []byte) error { got = append(got, string(key)); return nil }
		if back {
			require.NoError(t, s.RangeBack("inbox", from, to, f))
		} else {
			require.NoError(t, s.Range("inbox", from, to, f))
		}
		return got
	}
	var all []string
	for _, c := range changes {
		all = append(all, string(c.Key))
	}
	for _, tc := range []struct {
		from, to string
		want     []string
	}{
		{"", "", all},
		{"00001", "", all[1:]},
		{"", "00001", all[:1]},
		{"00100", "00600", all[100:600]},
		{"000995", "00101", all[100:101]},
		{"00200", "00200", nil},
		{"9", "", nil},
		{"", "0", nil},
		{"00700", "9", all[700:]},
	} {
		var from, to []byte
		if tc.from != "" {
			from = []byte(tc.from)
		}
		if tc.to != "" {
			to = []byte(tc.to)
		}
		require.Equal(t, tc.want, keys(false, from, to), "%q to %q", tc.from, tc.to)
		backward := slices.Clone(tc.want)
		slices.Reverse(backward)
		require.Equal(t, backward, keys(true, from, to), "%q to %q", tc.from, tc.to)
	}

	n := 0
	stop := errors.New("stop")
	require.ErrorIs(t, s.Range("inbox", nil, nil, func(_, _ []byte) error { n++; return stop }), stop)
	require.NoError(t, s.Each(func(string, []byte, []byte) error { n++; return fs.SkipAll }))
	require.Equal(t, 2, n)
	// A consumer may write.
	require.NoError(t, s.Range("inbox", nil, nil, func(key, _ []byte) error { return s.Commit([]Change{{"inbox", key, nil}}) }))
	wantContent(t, s, content{})
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "peer.db"))
	good := put("contact", "1", "x")
	for name, bad := range map[string][]Change{
		"bucket":  {good, put("nothing", "1", "x")},
		"own":     {good, put(ownBucket, "1", "x")},
		"no key":  {good, put("inbox", "", "x")},
		"key":     {good, put("inbox", strings.Repeat("k", MaxKey+1), "x")},
		"value":   {good, put("inbox", "1", strings.Repeat("v", MaxValue+1))},
		"changes": make([]Change, MaxChanges+1),
	} {
		require.ErrorIs(t, s.Commit(bad), ErrLimit, name)
	}
	require.ErrorIs(t, s.Range("nothing", nil, nil, nil), ErrLimit)
	wantContent(t, s, content{})
	longest := put("inbox", strings.Repeat("k", MaxKey), strings.Repeat("v", MaxValue))
	require.NoError(t, s.Commit([]Change{good, longest}))
	wantContent(t, s, content{}.apply(good, longest))

	for _, names := range [][]string{{""}, {"a", "a"}, {ownBucket}, {"a\x00"}, {strings.Repeat("n", 33)}} {
		var o Options
		for _, n := range names {
			o.Buckets = append(o.Buckets, Bucket{Name: n})
		}
		_, err := Open(filepath.Join(t.TempDir(), "peer.db"), testKey, o)
		require.ErrorIs(t, err, ErrLimit, "%q", names)
	}
}

func TestNothingOfAValueStandsInTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peer.db")
	s := openAt(t, path)
	require.NoError(t, s.Commit([]Change{put("inbox", "1", "a text that nobody else reads")}))
	require.NoError(t, s.Commit([]Change{erase("inbox", "1"), put("inbox", "2", "a text that nobody else reads")}))
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, string(b), "a text that")
	require.False(t, bytes.Contains(b, testKey[:]))
}

// fillStore commits random changes, so that pages split, merge and are used again.
func fillStore(t testing.TB, s *Store, rng *rand.Rand, commits int) content {
	want := content{}
	for range commits {
		var changes []Change
		for range 1 + rng.IntN(12) {
			b, key := options.Buckets[rng.IntN(3)].Name, fmt.Sprintf("%03d", rng.IntN(40))
			if rng.IntN(4) == 0 {
				changes = append(changes, erase(b, key))
				continue
			}
			value := make([]byte, []int{0, 10, 100, 300, 900, 5000}[rng.IntN(6)])
			for i := range value {
				value[i] = byte(rng.Uint32())
			}
			changes = append(changes, Change{b, []byte(key), value})
		}
		require.NoError(t, s.Commit(changes))
		want = want.apply(changes...)
	}
	return want
}
