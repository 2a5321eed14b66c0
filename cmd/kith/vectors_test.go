package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kith/internal/shim"
	"kith/testvectors"
	"kith/testvectors/gen"
)

// shimOf is a command line that runs this test binary again as a shim of some kind.
func shimOf(t *testing.T, kind string) string {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	return quoted(exe) + " -test.run ^TestAsShim$ shim " + kind
}

// TestAsShim is a shim when shimOf starts it, and otherwise nothing.
func TestAsShim(t *testing.T) {
	if flag.NArg() != 2 || flag.Arg(0) != "shim" {
		return
	}
	asShim(flag.Arg(1))
	os.Exit(0)
}

func asShim(kind string) {
	honest := shim.New()
	in := bufio.NewReader(os.Stdin)
	for n := 0; ; n++ {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		var q struct {
			ID int64
			Op string
		}
		json.Unmarshal([]byte(line), &q)
		right := string(honest.Answer([]byte(line)))
		answer := right
		switch kind {
		case "exits":
			fmt.Fprintln(os.Stderr, "cannot open the display")
			os.Exit(1)
		case "empty":
			answer = "{}"
		case "rejects":
			answer = fmt.Sprintf(`{"id":%d,"reject":"malformed"}`, q.ID)
		case "unsupported":
			answer = fmt.Sprintf(`{"id":%d,"unsupported":true}`, q.ID)
		case "echoes":
			answer = strings.TrimSuffix(line, "\n")
		case "hangs":
			select {}
		case "random":
			answer = fmt.Sprintf(`{"id":%d,%s}`, q.ID, []string{`"out":{}`, `"reject":"limit"`, `"unsupported":true`}[rand.IntN(3)])
		case "garbage":
			answer = "\x00\xff"
		case "half":
			fmt.Print(`{"id":1,"out`)
			return
		case "talks":
			answer = "starting\n" + right
		case "endless": // a line that never ends
			for {
				if _, err := fmt.Print(strings.Repeat("x", 1<<16)); err != nil {
					return
				}
			}
		case "crashes": // at one vector only
			if strings.Contains(line, `"693065"`) {
				fmt.Fprintln(os.Stderr, "index out of range")
				os.Exit(2)
			}
		case "wrong":
			answer = strings.Replace(right, `"int":"42"`, `"int":"43"`, 1)
		case "little":
			answer = strings.Replace(right, `"limits":{}`, `"limits":{"line":2000}`, 1)
		case "boasts":
			if q.Op == "hello" {
				answer = fmt.Sprintf(`{"id":%d,"out":{"version":%q,"implementation":"boaster","capabilities":["wire.bencode","no.such"],"limits":{}}}`, q.ID, testvectors.Version)
			}
		case "nothing":
			if q.Op == "hello" {
				answer = fmt.Sprintf(`{"id":%d,"out":{"version":%q,"implementation":"modest","capabilities":[],"limits":{}}}`, q.ID, testvectors.Version)
			}
		}
		fmt.Println(answer)
	}
}

func TestVectorsVerify(t *testing.T) {
	all, err := testvectors.All()
	require.NoError(t, err)
	for _, args := range [][]string{nil, {"--exec", shimOf(t, "honest")}} {
		got := kith(t, append([]string{"vectors", "verify"}, args...)...)
		require.Zero(t, got.code, got.out+got.errs)
		require.Contains(t, got.out, fmt.Sprintf("kith: %d vectors, version 1-draft: ", len(all)))
		require.NotContains(t, got.out, "FAIL")
	}

	got := kith(t, "vectors", "verify", "--json", "--run", "wire-int-*,dht-put-seq-*")
	require.Zero(t, got.code)
	lines := strings.Split(strings.TrimSpace(got.out), "\n")
	for _, line := range lines[:len(lines)-1] {
		var v verified
		require.NoError(t, json.Unmarshal([]byte(line), &v))
		require.Equal(t, testvectors.Pass, v.Verdict)
		require.True(t, strings.HasPrefix(v.ID, "wire-int-") || strings.HasPrefix(v.ID, "dht-put-seq-"), v.ID)
	}
	var total verifiedAll
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &total))
	require.Equal(t, len(lines)-1, total.Counts[testvectors.Pass])
	require.Contains(t, total.Capabilities, "wire.bencode")
}

// Shims that implement nothing pass nothing, and it is said what they do instead.
func TestVectorsVerifyNullShims(t *testing.T) {
	for kind, says := range map[string]string{
		"exits":       "it has ended (exit status 1); it said: cannot open the display",
		"empty":       "the answer has no id",
		"rejects":     "hello: reject: malformed",
		"unsupported": "hello: unsupported",
		"echoes":      `the answer has a key "in", which is none`,
		"hangs":       "no answer within 300ms",
		"random":      "",
		"garbage":     "the answer is no JSON object",
		"half":        "it ended in the middle of a line",
		"talks":       "the answer is no JSON object: \"starting\"",
		"endless":     "token too long",
	} {
		t.Run(kind, func(t *testing.T) {
			args := []string{"vectors", "verify", "--exec", shimOf(t, kind)}
			if kind == "hangs" {
				args = append(args, "--timeout", "300ms")
			}
			got := kith(t, args...)
			require.Equal(t, 3, got.code, got.out+got.errs)
			require.Contains(t, got.errs, says)
			require.Contains(t, got.out, ": 0 pass, ")
		})
	}
}

func TestVectorsVerifyExitCodes(t *testing.T) {
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{1, "FAIL wire-int-form-positive\n     is about  a positive integer\n     because   out.value.int is not what it has to be\n" +
			"     field     out.value.int\n     expected  \"42\"\n     observed  \"43\"\n", []string{"--exec", shimOf(t, "wrong"), "--run", "wire-int-form-*"}},
		{1, "BROKEN wire-int-form-zero", []string{"--exec", shimOf(t, "crashes"), "--run", "wire-int-form-*"}},
		{1, "5 pass, 1 broken", []string{"--exec", shimOf(t, "crashes"), "--run", "wire-int-form-*"}},
		{0, "not asked: ", []string{"--exec", shimOf(t, "little"), "--run", "wire-*"}},
		{5, "wire.krpc is claimed, and was not asked once", []string{"--exec", shimOf(t, "little"), "--run", "wire-int-form-*,wire-datagram-*"}},
		{5, "that says nothing: no vector was asked", []string{"--exec", shimOf(t, "nothing")}},
		{0, "claimed, and asked for by no vector: no.such", []string{"--exec", shimOf(t, "boasts")}},
		{3, "cannot start the shim", []string{"--exec", "/no/such/program"}},
		{3, "cannot start the shim: the command is empty", []string{"--exec", " "}},
		{3, "cannot start the shim: a ' without its end", []string{"--exec", "'x"}},
		{2, `no vector matches "nothing"`, []string{"--run", "nothing"}},
		{2, `did you mean wire-int-form-zero?`, []string{"--run", "wire-int-frm-zero"}},
		{2, "is no pattern", []string{"--run", "["}},
		{2, "--run: it is empty", []string{"--run", ""}},
		{2, "not in the future", []string{"--timeout", "0"}},
		{2, "no such file", []string{"no-such-folder"}},
		{2, "no vectors", []string{t.TempDir()}},
	} {
		got := kith(t, append([]string{"vectors", "verify"}, c.args...)...)
		require.Equal(t, c.code, got.code, "%v: %s%s", c.args, got.out, got.errs)
		require.Contains(t, got.out+got.errs, c.says)
	}
}

func TestVectorsGenAndVerifyFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "vectors")
	got := kith(t, "vectors", "gen", dir)
	require.Zero(t, got.code, got.errs)
	files := gen.Files()
	require.Contains(t, got.out, fmt.Sprintf("%d files written, 0 as they were", len(files)))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, len(files), "and nothing else stays behind")
	for name, want := range files {
		content, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.True(t, string(want) == string(content), name)
		committed, err := testvectors.Files.ReadFile(name)
		require.NoError(t, err)
		require.True(t, string(committed) == string(content), name)
	}
	require.Contains(t, kith(t, "vectors", "gen", dir).out, "0 files written")

	got = kith(t, "vectors", "verify", dir)
	require.Zero(t, got.code, got.out)
	got = kith(t, "vectors", "verify", filepath.Join(dir, "bep42.json"))
	require.Zero(t, got.code, got.out)
	group, err := testvectors.Group("bep42")
	require.NoError(t, err)
	require.Contains(t, got.out, fmt.Sprintf("kith: %d vectors", len(group)))

	damage := func(name, old, new string) {
		t.Helper()
		content, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Contains(t, string(content), old)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(strings.Replace(string(content), old, new, 1)), 0o600))
	}
	damage("bencode.json", `"input": "693065"`, `"input": "693165"`)
	got = kith(t, "vectors", "verify", dir)
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, filepath.Join(dir, "bencode.json")+`: wire-int-form-zero: in.input: is "693165", and "693065" in version 1-draft`)
	require.Contains(t, got.out, "nothing was asked")
	got = kith(t, "vectors", "verify", dir, "--json")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, `"vector":"wire-int-form-zero","field":"in.input"`)
	damage("bencode.json", `"vectors"`, `vectors`)
	require.Contains(t, kith(t, "vectors", "verify", dir).out, "bencode.json: line 7, column 4: no JSON")

	require.Contains(t, kith(t, "vectors", "gen", dir).errs, "not a file of test vectors", "what is no JSON is not ours")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bencode.json"), []byte(`{"name":"my own"}`), 0o600))
	got = kith(t, "vectors", "gen", dir)
	require.Equal(t, 2, got.code)
	require.Contains(t, got.errs, "bencode.json: not a file of test vectors, so it is not replaced")
	kept, err := os.ReadFile(filepath.Join(dir, "bencode.json"))
	require.NoError(t, err)
	require.Equal(t, `{"name":"my own"}`, string(kept))

	require.NoError(t, os.Remove(filepath.Join(dir, "bencode.json")))
	damage("krpc.json", `"version": "1-draft"`, `"version": "0-draft"`)
	require.Contains(t, kith(t, "vectors", "verify", dir).out, `krpc.json: it is of version "0-draft"`)
	require.Contains(t, kith(t, "vectors", "gen", dir).out, "2 files written")
	require.Zero(t, kith(t, "vectors", "verify", dir).code)

	require.Equal(t, 4, kith(t, "vectors", "gen", filepath.Join(dir, "krpc.json", "x")).code)
}

func TestVectorsListAndShow(t *testing.T) {
	all, err := testvectors.All()
	require.NoError(t, err)
	got := kith(t, "vectors", "list", "--json")
	require.Zero(t, got.code)
	require.Equal(t, len(all), strings.Count(got.out, "\n"))
	got = kith(t, "vectors", "list", "--type", "wire.peer", "--run", "*-peer6*")
	require.Contains(t, got.out, "wire-values-form-peer6-seventeen  wire.peer  drop, malformed\n")
	require.Contains(t, got.out, "6 vectors, 2 of them refused")
	require.Equal(t, 2, kith(t, "vectors", "list", "--type", "wire.pear").code)

	for i, v := range all {
		if i%10 != 0 {
			continue // of each kind some
		}
		got := kith(t, "vectors", "show", v.ID)
		require.Zero(t, got.code)
		require.True(t, strings.HasPrefix(got.out, v.ID+"\n"))
	}
	got = kith(t, "vectors", "show", "wire-int-refused-zero")
	for _, part := range []string{"a leading zero", "testvectors/bencode.json", "drop, malformed", "twin         wire-int-form-inner-zero", "as text      i03e", `"input": "69303365"`} {
		require.Contains(t, got.out, part)
	}
	got = kith(t, "vectors", "show", "wire-int-refused-zero", "--json")
	var v testvectors.Vector
	require.NoError(t, json.Unmarshal([]byte(got.out), &v))
	require.Equal(t, "wire-int-refused-zero", v.ID)
	got = kith(t, "vectors", "show", "wire-int-refused")
	require.Equal(t, 2, got.code)
	require.Contains(t, got.errs, "did you mean wire-int-refused-zero, wire-int-refused-zeros,")

	offered := kith(t, "__complete", "vectors", "show", "wire-int-form-z").out
	require.True(t, slices.Contains(strings.Split(offered, "\n"), "wire-int-form-zero\tzero"), offered)
}

func TestShimAnswersLineByLine(t *testing.T) {
	got := kithReading(t, `{"id":7,"op":"wire.bencode","in":{"input":"693065"}}`+"\n"+`{"id":8,"op":"x","in":{}}`+"\nnonsense\n"+`{"id":9,"op":"wire.bencode","in":{"input":"69"}}`, "shim")
	require.Zero(t, got.code, got.errs)
	lines := strings.Split(got.out, "\n")
	require.Equal(t, `{"id":7,"out":{"value":{"int":"0"},"output":"693065"}}`, lines[0])
	require.Equal(t, `{"id":8,"unsupported":true}`, lines[1])
	require.Contains(t, lines[2], `"error":"no request: `)
	require.Equal(t, `{"id":9,"reject":"malformed"}`, lines[3])
	require.Equal(t, []string{""}, lines[4:])
}

// A script's variable that is not set must not mean the default.
func TestEmptyNamesAreRefused(t *testing.T) {
	for _, args := range [][]string{
		{"vectors", "verify", "--exec", ""}, {"id", "new", "--identity", "", "--force"}, {"id", "new", "--passphrase-file", ""}, {"conform", "dht", "--exec", ""},
	} {
		got := kith(t, args...)
		require.Equal(t, exitUsage, got.code, args)
		require.Contains(t, got.errs, "it is empty", args)
	}
}

func TestVectorsOfAFolderAreComplete(t *testing.T) {
	dir := t.TempDir()
	require.Zero(t, kith(t, "vectors", "gen", dir).code)
	require.NoError(t, os.Remove(filepath.Join(dir, "krpc.json")))
	got := kith(t, "vectors", "verify", dir)
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, "krpc.json: is missing")
}
