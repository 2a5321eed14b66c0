package conformance_test

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"kith/conformance"
	dhtcases "kith/conformance/dht"
	"kith/conformance/lenient"
)

// Whatever was recorded over sockets is judged offline, to the same verdict and with the same words: what passes, what fails, and what
// could not be judged.
func TestEveryTranscriptIsJudgedAgain(t *testing.T) {
	t.Parallel()
	m, err := conformance.NewFaulty(nil, conformance.Now())
	require.NoError(t, err)
	target := serve(t, m)
	target.V6 = conformance.Address{}.V6 // so that some cases are blocked
	sum := play(t, &conformance.Runner{Target: target, Plan: plan(t, "*"), Transcripts: t.TempDir()})
	require.Equal(t, conformance.ExitFailed, sum.Exit(), "%+v", sum.Footer)
	suite := dhtcases.Suite()
	for _, res := range sum.Results {
		b, err := os.ReadFile(res.Transcript)
		require.NoError(t, err)
		tr, err := conformance.ReadTranscript(bytes.NewReader(b))
		require.NoError(t, err, res.Case.ID)
		run, err := tr.Judge(suite)
		require.NoError(t, err, res.Case.ID)
		require.Equal(t, res.Outcome, run.Outcome, res.Case.ID)
		require.Equal(t, res.Verdict, tr.Verdict)
	}
	for _, v := range []conformance.Verdict{conformance.Pass, conformance.Fail, conformance.Warn, conformance.Blocked} {
		require.Positive(t, sum.Footer.Counts[v], v)
	}
}

// What a case sends does not depend on which cases are played, in which order, and how many at once. (The ids of newcomers depend on their
// ports; none of these cases has one.)
func TestBytesDoNotDependOnTheOthers(t *testing.T) {
	t.Parallel()
	cases := plan(t, "dht-announce-*", "dht-put-*", "dht-t-*", "dht-error-*", "wire-known-*", "wire-unknown-key*")
	sent := func(p []*conformance.Case, parallel int) (byCase map[string][]string) {
		m, err := conformance.NewReference(bytes.NewReader(bytes.Repeat([]byte{5}, 32)), conformance.Now()) // the same id and tokens each time
		require.NoError(t, err)
		dir, byCase := t.TempDir(), map[string][]string{}
		for _, res := range play(t, &conformance.Runner{Target: serve(t, m), Plan: p, Parallel: parallel, Transcripts: dir}).Results {
			require.Equal(t, conformance.Pass, res.Verdict, res.Case.ID)
			for _, e := range res.Log.Entries {
				if q, _ := lenient.Parse(e.Data); e.Op == conformance.OpSend && e.Note == "" && q.Q != "ping" { // the harness's pings fill gaps of time
					byCase[res.Case.ID] = append(byCase[res.Case.ID], string(e.Data))
				}
			}
		}
		return byCase
	}
	together := sent(cases, 32)
	some := slices.Clone(cases[len(cases)/3:])
	slices.Reverse(some)
	alone := sent(some, 1)
	require.NotEmpty(t, alone)
	for _, c := range some {
		require.Equal(t, together[c.ID], alone[c.ID], c.ID)
	}
}
