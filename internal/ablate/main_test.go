package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const toy = "testdata/toy/toy.go"

// run judges a list over the toy and returns the exit code and both outputs.
func run(t *testing.T, list string, args ...string) (code int, out, complaint string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "list.txt")
	require.NoError(t, os.WriteFile(file, []byte(list), 0o600))
	var o, c bytes.Buffer
	code = command(context.Background(), append(append([]string{"-pkg", "./testdata/toy"}, args...), file), &o, &c)
	return code, o.String(), c.String()
}

const (
	lost     = "== toy-add | forgets b | lost\n-- " + toy + "\n\tsum := a + b // toy-add\n++\n\tsum := a\n"
	harmless = "== toy-harmless | adds the other way round | lost\n-- " + toy + "\n\tsum := a + b // toy-add\n++\n\tsum := b + a\n"
)

func TestAnAblationIsNoticed(t *testing.T) {
	code, out, complaint := run(t, "# for people\n"+lost)
	require.Equal(t, 0, code, complaint)
	require.Contains(t, out, "found   toy-add")
	require.Contains(t, out, "lost, seed 4")
	require.Contains(t, out, "1 of 1 noticed")
}

func TestAnotherTestMayJudge(t *testing.T) {
	code, out, complaint := run(t, "== toy-add | forgets b | lost | ./testdata/toy TestAdd\n-- "+toy+"\n\tsum := a + b // toy-add\n++\n\tsum := a\n")
	require.Equal(t, 0, code, complaint)
	require.Contains(t, out, "found   toy-add")
	code, out, _ = run(t, "== toy-harmless | adds the other way round | lost | ./testdata/toy TestAdd\n-- "+toy+"\n\tsum := a + b // toy-add\n++\n\tsum := b + a\n")
	require.Equal(t, 1, code)
	require.Contains(t, out, "MISSED")
	code, _, complaint = run(t, "== a | b | lost | ./testdata/toy\n")
	require.Equal(t, 2, code)
	require.Contains(t, complaint, "TestName")
}

func TestWhatNobodyNoticesIsAFailure(t *testing.T) {
	code, out, _ := run(t, lost+"\n"+harmless)
	require.Equal(t, 1, code)
	require.Contains(t, out, "MISSED  toy-harmless")
	require.Contains(t, out, "1 of 2 noticed")

	code, out, _ = run(t, lost, "-seeds", "3")
	require.Equal(t, 1, code, "it shows with the fourth seed only")
	require.Contains(t, out, "3 seeds found nothing")
}

func TestAnotherViolationThanTheOneExpectedIsAFailure(t *testing.T) {
	code, out, _ := run(t, "== toy-add | forgets b | doubled wedged\n-- "+toy+"\n\tsum := a + b // toy-add\n++\n\tsum := a\n")
	require.Equal(t, 1, code)
	require.Contains(t, out, "seed 4 found lost, expected doubled or wedged")
}

func TestAListThatDoesNotFitIsAnError(t *testing.T) {
	for _, c := range []struct{ list, says string }{
		{"== a | b | lost\n-- " + toy + "\nnot there\n++\nx\n", "stands 0 times"},
		{"== a | b | lost\n-- " + toy + "\na\n++\nx\n", "not once"},
		{"== a | b | lost\n-- " + toy + "\n\tsum := a + b // toy-add\n++\n\tsum := c\n", "does not compile"},
		{"== a | b | lost\n", "changes nothing"},
		{"== a | b | lost\n-- nothing.go\nx\n++\ny\n", "nothing.go"},
		{lost + lost, "a name of its own"},
		{"== a | b\n", "no \"== name"},
		{"what\n", "belongs to no edit"},
		{"", "no ablation"},
	} {
		code, _, complaint := run(t, c.list)
		require.Equal(t, 2, code, c.list)
		require.Contains(t, complaint, c.says)
	}
}

func TestWrongUsage(t *testing.T) {
	code, _, complaint := run(t, lost, "-seeds", "0")
	require.Equal(t, 2, code)
	require.Contains(t, complaint, "usage:")
}
