package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// kinds are all kinds of mutants.
var kinds = []string{
	"check never", "loop never", "operand gone", "logic", "inverted", "boundary", "off by one", "bool", "text", "arithmetic",
	"arguments swapped", "other class", "field not set", "statement gone", "returns zero",
}

// mutateSample runs the command on package sample.
func mutateSample(t *testing.T, flags ...string) (code int, out string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = command(t.Context(), append(flags, "./testdata/sample"), &stdout, &stderr)
	if code == 2 {
		return code, stderr.String()
	}
	require.Empty(t, stderr.String())
	return code, stdout.String()
}

// read reads the report that the flags lead to.
func read(t *testing.T, flags ...string) (code int, r report) {
	t.Helper()
	code, out := mutateSample(t, append(flags, "-json")...)
	require.NotEqual(t, 2, code, out)
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	for _, p := range append(r.Packages, r.Sum) {
		require.NoError(t, p.check())
		require.Equal(t, len(r.Mutants), p.Mutants)
	}
	return code, r
}

// A judge that looks at everything kills mutants of every kind, in every way, and nothing survives that is not on the list. Nor
// does the verdict depend on which process judged what before, although some mutants leave a process that is no good any more.
func TestGoodJudge(t *testing.T) {
	t.Parallel()
	good := []string{"-judge", "./testdata/good", "-survivors", "testdata/survivors.txt", "-min", "95", "-deadline", "1s"}
	code, r := read(t, append(good, "-parallel", "1")...)
	require.Zero(t, code)
	require.Equal(t, 1, r.Sum.Harmless)
	require.Equal(t, 5, r.Sum.Accepted)
	require.Equal(t, 2, r.Sum.Unseen)
	for _, how := range []string{"answer", "panic", "runaway", "crash", "timeout"} {
		require.NotZero(t, r.Sum.How[how], how)
	}
	dead := map[string]int{}
	for i, m := range r.Mutants {
		require.Equal(t, i+1, int(m.ID))
		require.Contains(t, kinds, m.Kind)
		require.NotEqual(t, m.Before, m.After)
		require.False(t, m.Kind == "text" && strings.Contains(m.Before, "argument"), "a text for people is mutated")
		switch {
		case m.Fate == killed:
			dead[m.Kind]++
		case m.Fate == uncompiled:
			require.Contains(t, []string{"Less", "Three"}, m.Func)
		case m.Fate == unexecuted:
			require.Contains(t, []string{"var dead", "Dead", "Less", "Three", "Leave"}, m.Func, "%+v", m)
		}
	}
	for _, kind := range kinds {
		require.NotZero(t, dead[kind], kind)
	}
	_, again := read(t, append(good, "-parallel", "2")...)
	require.Equal(t, r, again)
}

// A judge that executes places and looks at nothing kills nothing, whatever the kind.
func TestBlindJudge(t *testing.T) {
	t.Parallel()
	code, r := read(t, "-judge", "./testdata/blind", "-min", "1")
	require.Equal(t, 1, code)
	require.Zero(t, r.Share)
	require.Zero(t, r.Sum.Killed)
	require.NotZero(t, r.Sum.Executed)
	alive := map[string]int{}
	for _, m := range r.Mutants {
		if m.Fate == survived {
			alive[m.Kind]++
		}
	}
	for _, kind := range kinds {
		require.NotZero(t, alive[kind], kind)
	}
}

// What is not executed counts for nothing, neither for the judge nor against it.
func TestIdleJudge(t *testing.T) {
	t.Parallel()
	code, r := read(t, "-judge", "./testdata/idle", "-min", "1")
	require.Equal(t, 1, code)
	require.Zero(t, r.Sum.Executed)
	require.Zero(t, r.Share)
}

// Tests judge what they execute.
func TestTestsAsJudge(t *testing.T) {
	t.Parallel()
	_, r := read(t, "-judge", "./testdata/sample", "-run", "Swapped|Depth")
	require.Equal(t, 2, r.Cases)
	for _, m := range r.Mutants {
		switch m.Func {
		case "minus", "Swapped", "Depth":
			require.Equal(t, killed, m.Fate, m.shown())
		default:
			require.Contains(t, []fate{unexecuted, uncompiled}, m.Fate, m.shown())
		}
	}
	_, r = read(t, "-judge", "./testdata/sample", "-run", "Swapped")
	require.Equal(t, 1, r.Cases)
}

func TestReport(t *testing.T) {
	t.Parallel()
	_, out := mutateSample(t, "-judge", "./testdata/sample", "-run", "Depth")
	require.Contains(t, out, "kith/internal/mutate/testdata/sample")
	require.Contains(t, out, "100.0 %")
	code, out := mutateSample(t, "-list")
	require.Zero(t, code)
	require.Contains(t, out, "Swapped: arguments swapped\n\t- func Swapped(a, b int) int { return minus(a, b) }\n\t+ func Swapped(a, b int) int { return minus(b, a) }\n")
}

// A run that cannot measure anything says so, and its exit code is neither of the others.
func TestNothingMeasured(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want  string
		flags []string
	}{
		{"complains without a mutant: any: answer: never content", []string{"-judge", "./testdata/broken"}},
		{"is no judge", []string{"-judge", "./testdata/nojudge"}},
		{"has no test that matches", []string{"-judge", "./testdata/sample", "-run", "Nobody"}},
		{"usage", nil},
		{"usage", []string{"-judge", "./testdata/good", "-parallel", "0"}},
		{"missing closing", []string{"-judge", "./testdata/sample", "-run", "("}},
		{"not-there", []string{"-judge", "./testdata/not-there"}},
		{"not-there", []string{"-judge", "./testdata/good", "-survivors", "testdata/not-there"}},
	} {
		code, out := mutateSample(t, c.flags...)
		require.Equal(t, 2, code, c.want)
		require.Contains(t, out, c.want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, 2, command(ctx, []string{"-judge", "./testdata/good", "./testdata/sample"}, &bytes.Buffer{}, &bytes.Buffer{}))
}

func TestRewriteNests(t *testing.T) {
	in := func(l, r string) func(string) string { return func(s string) string { return l + s + r } }
	got := rewrite([]byte("ab + cd"), []edit{
		{0, 7, in("(", ")")}, {0, 2, in("[", "]")}, {3, 4, func(string) string { return "," }}, {5, 7, in("<", ">")}, {5, 7, in("{", "}")},
	})
	require.Equal(t, "([ab] , <{cd}>)", got)
}

func TestReviews(t *testing.T) {
	m := func(line int, f fate) *mutant {
		return &mutant{File: "a/b.go", Func: "(*t).f", Kind: "bool", Before: "x", After: "y", Line: line, Fate: f}
	}
	first, second := m(1, survived), m(7, survived)
	all := []*mutant{first, second, m(9, killed)}
	entry := first.key(1) + "\n\tharmless: it is\n"
	list, err := parseReviews(strings.NewReader("# a\n\n" + entry + second.key(2) + "\n\taccepted: so\n\tbe it\n" + strings.Replace(entry, "a/b.go", "other.go", 1)))
	require.NoError(t, err)
	unreviewed, stale := apply(list, all)
	require.Empty(t, unreviewed)
	require.Empty(t, stale)
	require.Equal(t, "harmless: it is", first.Review)
	require.Equal(t, "accepted: so be it", second.Review)

	first.Review, second.Review = "", ""
	list, err = parseReviews(strings.NewReader(entry + entry + first.key(3) + "\n\tharmless: a\n" + first.key(4) + "\n\tharmless: b\n"))
	require.NoError(t, err)
	unreviewed, stale = apply(list, all)
	require.Equal(t, []*mutant{second}, unreviewed)
	require.Len(t, stale, 3)
	require.Contains(t, stale[0], "line 5: the entry stands twice")
	require.Contains(t, stale[1], "line 9: the mutant is no survivor: killed")
	require.Contains(t, stale[2], "line 13: there is no such mutant any more")

	for _, bad := range []string{first.key(1), entry + first.key(2), "\tharmless: x", "word", first.key(1) + "\n\tfine", first.key(1) + "\n\tharmless: "} {
		_, err := parseReviews(strings.NewReader(bad + "\n"))
		require.Error(t, err, bad)
	}
}

// The list that is out of date fails a run, and so does a survivor that is not on it.
func TestListFails(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "internal/mutate/testdata/sample/sample.go Depth: bool\n\t- a\n\t+ b\n\tharmless: gone\n"} {
		file := filepath.Join(t.TempDir(), "list")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		code, out := mutateSample(t, "-judge", "./testdata/sample", "-run", "Depth", "-survivors", file)
		if text == "" {
			require.Zero(t, code, out)
			continue
		}
		require.Equal(t, 1, code)
		require.Contains(t, out, "there is no such mutant any more")
	}
	code, out := mutateSample(t, "-judge", "./testdata/blind")
	require.Equal(t, 1, code)
	require.Contains(t, out, "survivors are not on the list")
	code, out = mutateSample(t, "-judge", "./testdata/sample", "-run", "Depth", "-min", "101")
	require.Equal(t, 1, code)
	require.Contains(t, out, "100.0 % is less than 101.0 %")
}

func TestCountsAddUp(t *testing.T) {
	good := &tally{How: map[string]int{}}
	for _, m := range []*mutant{{Fate: killed, How: "panic"}, {Fate: survived}, {Fate: uncompiled}, {Fate: unexecuted}} {
		good.add(m)
	}
	require.NoError(t, good.check())
	require.Equal(t, 50.0, good.share())
	for _, m := range []*mutant{{Fate: unjudged}, {}} {
		lost := *good
		lost.add(m)
		require.Error(t, lost.check())
	}
}
