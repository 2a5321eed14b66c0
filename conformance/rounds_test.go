package conformance_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/conformance"
	dhtcases "kith/conformance/dht"
)

// renewing serves a machine for each round.
func renewing(t *testing.T, machines ...conformance.Machine) (first conformance.Address, renew func() (conformance.Address, error)) {
	t.Helper()
	next := 0
	renew = func() (conformance.Address, error) {
		m := machines[next]
		next++
		return serve(t, m), nil
	}
	first, err := renew()
	require.NoError(t, err)
	return first, renew
}

// A case whose verdict is not always the same is flaky, both verdicts are told, and both transcripts kept.
func TestAFlipIsFound(t *testing.T) {
	var report, text bytes.Buffer
	dir := t.TempDir()
	target, renew := renewing(t, referenceNode(t), &bent{Machine: referenceNode(t)}, referenceNode(t))
	cases := plan(t, "dht-method-unknown", "dht-ping*")
	sum := play(t, &conformance.Runner{
		Target: target, Renew: renew, Rounds: 3, Plan: cases, Reports: writers(&report), Transcripts: dir,
		Progress: &conformance.Console{W: &text}, Options: conformance.Options{Timeout: time.Second},
	})
	require.Equal(t, conformance.ExitFailed, sum.Exit(), "%+v", sum.Footer)
	require.True(t, sum.Footer.Whole)
	require.Equal(t, 3, sum.Footer.Rounds)
	require.Equal(t, 3*len(cases), sum.Footer.Plays)
	require.Equal(t, 1, *sum.Footer.Flips)
	require.Equal(t, map[conformance.Verdict]int{conformance.Pass: len(cases) - 1, conformance.Flaky: 1}, sum.Footer.Counts)
	checkReport(t, report.Bytes())
	require.Contains(t, text.String(), "round 3 of 3, 1 flip so far")
	require.Contains(t, text.String(), "FLAKY dht-method-unknown")
	require.Contains(t, text.String(), "1 flip\n")

	for _, res := range sum.Results {
		if res.Verdict != conformance.Flaky {
			continue
		}
		require.Equal(t, map[conformance.Verdict]int{conformance.Pass: 2, conformance.Warn: 1}, res.Rounds)
		require.Equal(t, "an error", res.Outcome.Expected, "what is shown is the verdict that does not pass")
		require.Contains(t, strings.Join(res.Notes(), " "), "pass in 2 rounds, warn in 1 round; pass in round 1, warn in round 2")
		for name, want := range map[string]conformance.Verdict{"dht-method-unknown.jsonl": conformance.Fail, "dht-method-unknown.round-1.jsonl": conformance.Pass} {
			f, err := os.Open(filepath.Join(dir, name))
			require.NoError(t, err)
			tr, err := conformance.ReadTranscript(f)
			require.NoError(t, err)
			f.Close()
			run, err := tr.Judge(dhtcases.Suite())
			require.NoError(t, err)
			require.Equal(t, want, run.Outcome.Verdict)
		}
	}
}

// A target that cannot be started again is kept: the rounds send other bytes, so that none meets what another has stored.
func TestATargetIsKeptOverRounds(t *testing.T) {
	cases := plan(t, "dht-put-seq-higher*", "dht-put-302", "dht-announce-port", "dht-find-closest")
	sum := play(t, &conformance.Runner{Target: serve(t, referenceNode(t)), Rounds: 3, Plan: cases})
	require.Equal(t, conformance.ExitConformant, sum.Exit(), "%+v", sum.Footer)
	require.Zero(t, *sum.Footer.Flips)
	require.Equal(t, len(cases), sum.Footer.Counts[conformance.Pass])
}

// What is known of all cases is reported when a later round is cut short.
func TestAnInterruptedRoundKeepsTheOnesBefore(t *testing.T) {
	var report bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	cases := plan(t, "dht-ping*", "dht-announce-*")
	r := &conformance.Runner{
		Suite: dhtcases.Suite(), Target: serve(t, referenceNode(t)), Rounds: 9, Plan: cases, Reports: writers(&report),
		Progress: &inRound{counter: counter{}, n: 2, f: cancel},
	}
	sum, err := r.Run(ctx)
	require.NoError(t, err)
	require.Equal(t, conformance.ExitHarness, sum.Exit())
	require.Contains(t, sum.Footer.Why, "of round 2 of 9")
	require.Equal(t, 1, sum.Footer.Rounds)
	require.Len(t, sum.Results, len(cases))
	require.Equal(t, len(cases), sum.Footer.Counts[conformance.Pass])
	checkReport(t, report.Bytes())
}

func TestATargetLostInARoundFlipsNothing(t *testing.T) {
	m := &mortal{Machine: referenceNode(t)}
	m.left.Store(1200)
	cases := plan(t, "dht-announce-token*")
	sum := play(t, &conformance.Runner{Target: serve(t, m), Rounds: 50, Plan: cases, Options: conformance.Options{Timeout: 100 * time.Millisecond}})
	require.Equal(t, conformance.ExitContract, sum.Exit())
	require.Contains(t, sum.Footer.Why, "of round")
	require.Len(t, sum.Results, len(cases))
	require.Zero(t, *sum.Footer.Flips, "%+v", sum.Footer.Counts)
}

// inRound is a Progress that calls f when a round begins.
type inRound struct {
	counter
	n int
	f func()
}

func (p *inRound) Round(n, _, _ int) {
	if n == p.n {
		p.f()
	}
}
