package conformance_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/conformance"
	dhtcases "kith/conformance/dht"
)

// file is an expectation file of entries, pinned to this suite.
func file(entries ...string) string {
	return fmt.Sprintf(`{"suite": %q, "cases": %d, "target": "a test", "expect": [%s]}`,
		conformance.Version, len(dhtcases.Suite().Cases), strings.Join(entries, ","))
}

func entry(id, verdict, until string) string {
	return fmt.Sprintf(`{"id": %q, "verdict": %q, "cites": "BEP 5: \"All responses have an id key\"", "did": "says nothing at all", "until": %q}`, id, verdict, until)
}

func read(t *testing.T, text string) (*conformance.Expectations, error) {
	t.Helper()
	return conformance.ReadExpectations(strings.NewReader(text), dhtcases.Suite())
}

func TestAnExpectationFileHasToSayWhy(t *testing.T) {
	good := entry("dht-method-unknown", "warn", "")
	_, err := read(t, file(good))
	require.NoError(t, err)
	for want, text := range map[string]string{
		"twice":              file(good, good),
		"no such case":       file(entry("dht-method-*", "warn", "")),
		"cannot be expected": file(entry("dht-ping", "pass", "")),
		"until is a date":    file(entry("dht-ping", "fail", "soon")),
		"cites needs":        file(strings.Replace(good, `BEP 5: \"All responses have an id key\"`, "BEP 5", 1)),
		"did needs":          file(strings.Replace(good, "says nothing at all", "bad", 1)),
		"unknown field":      file(strings.Replace(good, "{", `{"reason": "x", `, 1)),
		"behind the object":  file(good) + "{}",
		"look at what chang": strings.Replace(file(good), fmt.Sprint(len(dhtcases.Suite().Cases)), "7", 1),
	} {
		_, err := read(t, text)
		require.ErrorIs(t, err, conformance.ErrExpectations)
		require.ErrorContains(t, err, want)
	}
}

func TestExpectationsTurnVerdicts(t *testing.T) {
	target := serve(t, &bent{Machine: referenceNode(t)})
	run := func(text string) *conformance.Summary {
		e, err := read(t, text)
		require.NoError(t, err)
		return play(t, &conformance.Runner{
			Target: target, Plan: plan(t, "dht-method-unknown", "dht-ping"), Expect: e, Strict: true,
			Options: conformance.Options{Timeout: 200 * time.Millisecond},
		})
	}
	sum := run(file(entry("dht-method-unknown", "warn", "")))
	require.Equal(t, 1, sum.Footer.Counts[conformance.Xfail])
	require.Equal(t, conformance.ExitConformant, sum.Exit())

	sum = run(file(entry("dht-method-unknown", "warn", "2020-01-01")))
	require.Equal(t, 1, sum.Footer.Counts[conformance.Warn], "the entry is void")
	require.Equal(t, conformance.ExitFailed, sum.Exit())

	sum = run(file(entry("dht-method-unknown", "fail", "2999-01-01")))
	require.Equal(t, 1, sum.Footer.Counts[conformance.Warn], "another verdict than expected")

	sum = run(file(entry("dht-method-unknown", "warn", ""), entry("dht-ping", "fail", "")))
	require.Equal(t, 1, sum.Footer.Counts[conformance.Xpass])
	require.Equal(t, conformance.ExitFailed, sum.Exit())
}
