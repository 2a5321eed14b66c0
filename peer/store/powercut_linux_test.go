package store

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kith/internal/powercut"
)

const (
	cutCommits = 20
	cutPath    = "state/peer.db" // below the folder of the program
	cutGrowBy  = 64 << 10
)

// openSmall is Open for a file that grows in small steps, so that many states of it can be looked at.
func openSmall(path string) (*Store, error) {
	s, err := newStore(path, testKey, options)
	if err != nil {
		return nil, err
	}
	s.growBy = cutGrowBy
	if err := s.open(options); err != nil {
		return nil, errors.Join(err, s.release())
	}
	return s, nil
}

// scripted returns the changes of each transaction. Each has its number as a value, so that a state says which it is.
func scripted(seed uint64) [][]Change {
	rng := rand.New(rand.NewPCG(seed, 1))
	var all [][]Change
	for i := 1; i <= cutCommits; i++ {
		changes := []Change{put("contact", "n", strconv.Itoa(i))}
		for range rng.IntN(8) {
			b, key := options.Buckets[rng.IntN(3)].Name, fmt.Sprintf("%02d", rng.IntN(30))
			if rng.IntN(3) == 0 {
				changes = append(changes, erase(b, key))
			} else {
				changes = append(changes, put(b, key, strings.Repeat(strconv.Itoa(i), []int{0, 10, 100, 300, 3000}[rng.IntN(5)])))
			}
		}
		switch i {
		case cutCommits / 3: // the file grows
			changes = append(changes, put("outbox", "long", strings.Repeat("l", cutGrowBy)))
		case cutCommits/3 + 2:
			changes = append(changes, erase("outbox", "long"))
		}
		all = append(all, changes)
	}
	return all
}

// childCommits commits what is scripted and prints how many transactions are durable, 0 when the store is there.
func childCommits(s string) error {
	seed, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return err
	}
	for i, changes := range append([][]Change{nil}, scripted(seed)...) {
		s, err := openSmall(cutPath)
		if err != nil {
			return err
		}
		if err := s.Commit(changes); err != nil {
			return err
		}
		if _, err := os.Stdout.WriteString(strconv.Itoa(i) + "\n"); err != nil {
			return err
		}
		if err := s.Close(); err != nil {
			return err
		}
	}
	return nil
}

// traceChild runs the child and returns what it did.
func traceChild(t *testing.T, seed uint64) *powercut.Trace {
	words := powercut.Strace(os.DevNull)
	if out, err := exec.Command(words[0], append(words[1:], "true")...).CombinedOutput(); err != nil {
		t.Skipf("strace is not there, or may not trace: %v %s", err, out)
	}
	root := filepath.Join(memory(t), "root")
	require.NoError(t, os.Mkdir(root, 0o700))
	out := filepath.Join(t.TempDir(), "trace")
	self, err := os.Executable()
	require.NoError(t, err)
	words = append(powercut.Strace(out), self)
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), childMode+"=commit", childArg+"="+strconv.FormatUint(seed, 10))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Run(), stderr.String())
	f, err := os.Open(out)
	require.NoError(t, err)
	defer f.Close()
	trace, err := powercut.Parse(f, root, nil)
	require.NoError(t, err)
	return trace
}

// A judge opens states of the disk.
type judge struct {
	dir    string
	disk   *powercut.Disk
	want   []content // after each transaction
	opened map[uint64]verdict
}

type verdict struct {
	transaction int // that the store is at
	err         error
}

func newJudge(t *testing.T, seed uint64) *judge {
	dir := memory(t)
	j := &judge{dir: dir, disk: powercut.NewDisk(dir), want: []content{{}}, opened: make(map[uint64]verdict)}
	for i, changes := range scripted(seed) {
		j.want = append(j.want, j.want[i].apply(changes...))
	}
	return j
}

// problem returns what is wrong with a state, and nothing if nothing is.
func (j *judge) problem(s *powercut.State) string {
	v, seen := j.opened[s.Key]
	if !seen {
		v = j.open(s)
		j.opened[s.Key] = v
	}
	acknowledged := strings.Count(string(s.Output), "\n") - 1
	switch {
	case v.err != nil:
		return fmt.Sprintf("transaction %d was acknowledged: %v", acknowledged, v.err)
	case v.transaction < acknowledged:
		return fmt.Sprintf("transaction %d was acknowledged and the store is at %d", acknowledged, v.transaction)
	case v.transaction > max(acknowledged, 0)+1:
		return fmt.Sprintf("transaction %d had not begun", v.transaction)
	}
	return ""
}

var errWrong = errors.New("the content is of no transaction")

func (j *judge) open(state *powercut.State) verdict {
	if err := j.disk.Write(state.Tree()); err != nil {
		return verdict{err: err}
	}
	s, err := openSmall(filepath.Join(j.dir, cutPath))
	if err != nil {
		return verdict{err: err}
	}
	defer s.Close()
	at, err := j.at(s)
	if err != nil || state.Key%16 != 0 {
		return verdict{at, err}
	}
	// A store that has come through a cut goes on as any other.
	changes := []Change{put("inbox", "after", strings.Repeat("a", 5000)), erase("contact", "n")}
	if err := s.Commit(changes); err != nil {
		return verdict{err: err}
	}
	if err := s.Close(); err != nil {
		return verdict{err: err}
	}
	if s, err = openSmall(filepath.Join(j.dir, cutPath)); err != nil {
		return verdict{err: err}
	}
	defer s.Close()
	if got, err := read(s); err != nil || !maps.Equal(got, j.want[at].apply(changes...)) {
		return verdict{err: fmt.Errorf("after another transaction: %w: %v", errWrong, err)}
	}
	return verdict{transaction: at}
}

func (j *judge) at(s *Store) (int, error) {
	got, err := read(s)
	if err != nil {
		return 0, err
	}
	at := 0
	if n, ok := got["contact\x00n"]; ok {
		if at, err = strconv.Atoi(n); err != nil || at < 1 || at > cutCommits {
			return 0, errWrong
		}
	}
	if !maps.Equal(got, j.want[at]) {
		return 0, errWrong
	}
	return at, nil
}

// Whatever a power cut leaves of what was not synced, the store opens with all that was acknowledged, at the transaction that was acknowledged last or the
// one that was being made.
func TestPowerCut(t *testing.T) {
	seed := testSeed(t)
	trace := traceChild(t, seed)
	calls := trace.Count()
	require.GreaterOrEqual(t, calls["fdatasync"], 2*cutCommits, "two for each transaction")
	require.Greater(t, calls["pwrite64"], 3*cutCommits)
	require.Equal(t, 1, calls["renameat"])

	j := newJudge(t, seed)
	states, between := 0, 0
	for s := range trace.States(seed, 4) {
		states++
		if what := j.problem(s); what != "" {
			t.Fatalf("%s\n%s", what, s)
		}
		if j.opened[s.Key].transaction > strings.Count(string(s.Output), "\n")-1 {
			between++
		}
	}
	t.Logf("%d states, %d of them different, %d ahead of what was acknowledged", states, len(j.opened), between)
	require.Greater(t, len(j.opened), 20*cutCommits)
	require.Greater(t, between, 0, "a cut before the acknowledgement and after the transaction")
}

// The test above can fail: with any of the store's duties to the disk taken away, a state shows a loss.
func TestPowerCutFindsWhatIsNotSynced(t *testing.T) {
	const seed = 1
	trace := traceChild(t, seed)
	for _, tc := range []struct {
		name string
		drop func(call string, before int) bool
		said bool // the store says so itself: it never hands out what is of no transaction
	}{
		// The first fdatasync is bbolt's for an empty file; from then on each transaction has one for its pages and one for its header.
		{"pages", func(call string, before int) bool { return call == "fdatasync" && before%2 == 1 }, true},
		{"headers", func(call string, before int) bool { return call == "fdatasync" && before > 2 && before%2 == 0 }, false},
		{"names", func(call string, _ int) bool { return call == "fsync" }, false},
		{"everything", func(string, int) bool { return true }, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			j := newJudge(t, seed)
			states := 0
			for s := range trace.Without(tc.drop).States(seed, 4) {
				states++
				if what := j.problem(s); what != "" {
					t.Logf("state %d: %s", states, what)
					require.Equal(t, tc.said, errors.Is(j.opened[s.Key].err, ErrDamaged), what)
					return
				}
			}
			t.Fatalf("none of %d states shows a loss", states)
		})
	}
}
