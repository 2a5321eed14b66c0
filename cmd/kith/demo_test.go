package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// demoFolder makes temporary folders where the test sees whether they are removed.
func demoFolder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} {
		t.Setenv(name, dir)
	}
	t.Cleanup(func() {
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, left)
	})
}

var demoOrder = []string{"strangers", "people", "join", "publish", "find", "meet", "talk", "alice moves", "bob moves", "part", "search"}

func TestDemo(t *testing.T) {
	demoFolder(t)
	r := kith(t, "demo", "--json")
	require.Zero(t, r.code, "%s%s", r.out, r.errs)
	require.Empty(t, r.errs)
	steps := map[string]demoReport{}
	var order []string
	at := 0.0
	for line := range strings.Lines(r.out) {
		var s demoReport
		require.NoError(t, json.Unmarshal([]byte(line), &s), line)
		require.NotEmpty(t, s.Says)
		require.GreaterOrEqual(t, s.At, at)
		at = s.At
		order = append(order, s.Step)
		steps[s.Step] = s
	}
	require.Equal(t, demoOrder, order)

	counts := func(step string) map[string]int {
		n := map[string]int{}
		for _, k := range steps[step].Wire {
			n[k.Kind] = k.Datagrams
		}
		return n
	}
	require.GreaterOrEqual(t, steps["strangers"].Count, 2*demoNodes)
	require.Zero(t, steps["people"].Count)
	require.GreaterOrEqual(t, counts("publish")["put"], 2*3)
	require.Zero(t, counts("find")["knock"])
	require.GreaterOrEqual(t, counts("meet")["knock"], 1)
	require.GreaterOrEqual(t, counts("meet")["offer"], 2)
	require.GreaterOrEqual(t, counts("meet")["accept"], 1)
	require.GreaterOrEqual(t, counts("meet")["conversation"], 2)
	require.GreaterOrEqual(t, counts("talk")["conversation"], 2)
	require.GreaterOrEqual(t, counts("part")["conversation"], 3)
	require.Equal(t, steps["publish"].Facts["slot"], steps["find"].Facts["slot"])
	require.Regexp(t, `^node \d+$`, steps["find"].Facts["giver"])
	for _, step := range []string{"alice moves", "bob moves"} {
		f := steps[step].Facts
		require.NotEqual(t, f["from"], f["to"])
		require.GreaterOrEqual(t, f["lost"], 1.0, "something was said meanwhile")
		before, after := f["cids_before"].([]any), f["cids_after"].([]any)
		for i := range 2 {
			require.NotEmpty(t, before[i])
			require.NotEmpty(t, after[i])
			require.NotEqual(t, before[i], after[i])
		}
	}
	require.Equal(t, steps["alice moves"].Facts["from"], steps["join"].Facts["alice"])
	require.Zero(t, *steps["search"].Hits)
}

func TestDemoForPeople(t *testing.T) {
	demoFolder(t)
	r := kith(t, "demo", "--verbose")
	require.Zero(t, r.code, "%s%s", r.out, r.errs)
	require.NotContains(t, r.out, "\x1b", "this is no terminal")
	shown := 0
	for line := range strings.Lines(r.out) {
		require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), demoUsual, line)
		if regexp.MustCompile(`^ +\d+\.\d{4}  `).MatchString(line) {
			shown++
			require.NotContains(t, line, kindUnknown)
			require.NotContains(t, line, "→ "+nobody.String())
		}
	}
	found := regexp.MustCompile(`0 hits in ([\d,]+) datagrams`).FindStringSubmatch(r.out)
	require.NotNil(t, found, r.out)
	require.Equal(t, found[1], count(uint64(shown)), "every datagram has its line, and was searched")
	for _, text := range demoScript.all() {
		require.Contains(t, r.out, text)
	}
}

// TestDemoLeaks has alice say what nodes of the DHT say to each other, so that her text is on the wire.
func TestDemoLeaks(t *testing.T) {
	demoFolder(t)
	script := demoScript
	script.hello = "find_node"
	var out, errs bytes.Buffer
	cmd := demoCommand()
	cmd.SetContext(t.Context())
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	err := runDemo(cmd, &demoFlags{json: true}, script)
	var code exitCode
	require.ErrorAs(t, err, &code)
	require.Equal(t, exitCode(exitFailed), code)
	require.Contains(t, errs.String(), "step search")
	require.Contains(t, errs.String(), "the 1st text")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var found demoReport
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-2]), &found))
	require.Positive(t, *found.Hits)
	require.Contains(t, lines[len(lines)-1], `"event":"failed","step":"search"`)
}

func TestDemoSearch(t *testing.T) {
	text := []byte("nobody but us two")
	s := newSearch([]needle{{"a key", bytes.Repeat([]byte{7}, 32)}, {"a text", text}})
	noise := make([]byte, 300)
	all := []datagram{{crossing: crossing{b: noise}}, {crossing: crossing{b: nil}}, {crossing: crossing{b: noise[:5]}}}
	hits, err := s.hits(all)
	require.NoError(t, err)
	require.Empty(t, hits)
	for at := range len(noise) - trace + 1 {
		planted := bytes.Clone(noise)
		copy(planted[at:], text[:trace])
		hits, err = s.hits(append(all, datagram{crossing: crossing{b: planted}}))
		require.NoError(t, err)
		require.Len(t, hits, 1)
		require.Contains(t, hits[0], "a text")
	}
	_, err = s.hits(nil)
	require.Error(t, err, "nothing is no proof")
	_, err = newSearch([]needle{{"what is too short", []byte("bob")}}).hits(all)
	require.ErrorContains(t, err, "too short", "a search that cannot find something must not say that it is not there")
}

func TestDemoInterrupted(t *testing.T) {
	demoFolder(t)
	ctx, cancel := context.WithCancel(t.Context())
	var errs bytes.Buffer
	cmd := root()
	cmd.SetContext(ctx)
	cmd.SetOut(&interrupting{cancel: cancel})
	cmd.SetErr(&errs)
	cmd.SetArgs([]string{"demo"})
	require.Equal(t, int(exitFailed), run(cmd))
	require.Equal(t, "kith: demo: step people: interrupted\n", errs.String())
}

// An interrupting writer is somebody who presses Ctrl-C when the second step is told.
type interrupting struct {
	n      int
	cancel context.CancelFunc
}

func (w *interrupting) Write(b []byte) (int, error) {
	if w.n++; w.n == 2 { // behind what stands where
		w.cancel()
	}
	return len(b), nil
}

func TestDemoReaderGoes(t *testing.T) {
	for _, tt := range []struct {
		err  error
		code int
		says string
	}{
		{syscall.EPIPE, 0, ""},
		{errors.New("the disk is full"), int(exitFailed), "kith: cannot write: the disk is full\n"},
	} {
		demoFolder(t)
		var errs bytes.Buffer
		cmd := root()
		cmd.SetContext(t.Context())
		cmd.SetOut(refusing{tt.err})
		cmd.SetErr(&errs)
		cmd.SetArgs([]string{"demo"})
		require.Equal(t, tt.code, run(cmd))
		require.Equal(t, tt.says, errs.String())
	}
}

func TestDemoUsage(t *testing.T) {
	r := kith(t, "demo", "now")
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.errs, "kith demo --help")
	require.Contains(t, kith(t, "demo", "--help").out, "Examples:")
}

func TestOrdinal(t *testing.T) {
	for n, want := range map[int]string{1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 12: "12th", 13: "13th", 21: "21st", 112: "112th"} {
		require.Equal(t, want, ordinal(n))
	}
}

// A refusing writer takes nothing.
type refusing struct{ err error }

func (w refusing) Write([]byte) (int, error) { return 0, w.err }
