package conformance_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/conformance"
)

// fragileRun plays cases against a target of a process of its own, which does not survive everything. Whatever happens to it, each case has
// one verdict, and one line in a report that fits its schema.
func fragileRun(t *testing.T, way string, globs ...string) (sum *conformance.Summary, culprits []string) {
	t.Helper()
	t.Parallel()
	var report bytes.Buffer
	cases := plan(t, globs...)
	sum = play(t, &conformance.Runner{
		Command: fragileCommand(t, way, "{listen}"), Plan: cases, Reports: writers(&report),
		Options: conformance.Options{Timeout: 400 * time.Millisecond},
	})
	checkReport(t, report.Bytes())
	require.Len(t, sum.Results, len(cases))
	for i, c := range cases {
		require.Equal(t, c.ID, sum.Results[i].Case.ID)
		require.Equal(t, 1, strings.Count(report.String(), fmt.Sprintf(`"id":%q,"requirement"`, c.ID)))
		if sum.Results[i].Verdict == conformance.Crash {
			culprits = append(culprits, c.ID)
			require.True(t, sum.Results[i].Isolated)
		}
	}
	return sum, culprits
}

// othersPass fails unless all cases but the culprits have passed.
func othersPass(t *testing.T, sum *conformance.Summary, culprits []string) {
	t.Helper()
	require.Equal(t, len(sum.Results)-len(culprits), sum.Footer.Counts[conformance.Pass], "%v", sum.Footer.Counts)
}

var negativePort = []string{"dht-announce-port-range-minus-one", "dht-announce-port-range-negative"}

// A target that dies of a packet is started again, the cases that did it are named, and the others are judged.
func TestACrashIsAVerdict(t *testing.T) {
	sum, culprits := fragileRun(t, "dies of a negative port", "dht-announce-port*", "dht-ping*")
	require.Equal(t, conformance.ExitFailed, sum.Exit(), "%+v", sum.Footer)
	require.True(t, sum.Footer.Whole)
	require.Equal(t, negativePort, culprits)
	require.Len(t, sum.Footer.Crashes, 2)
	othersPass(t, sum, append(culprits, "dht-ping-6")) // which has no address to ask at
	for _, res := range sum.Results {
		if res.Verdict == conformance.Crash {
			require.Contains(t, strings.Join(res.Notes(), " "), "a port below zero", "what the target said")
		}
	}
}

// Two cases that end the target in two ways, side by side: each is named for its own.
func TestTwoCulpritsAtOnce(t *testing.T) {
	sum, culprits := fragileRun(t, "is two ways fragile", "dht-announce-port-range*", "dht-method-*", "dht-ping")
	require.Equal(t, append([]string{"dht-announce-port-range-minus-one", "dht-announce-port-range-negative"}, "dht-method-reply-longer"), culprits)
	require.Len(t, sum.Footer.Crashes, 3)
	othersPass(t, sum, culprits)
	for _, res := range sum.Results {
		if res.Case.ID == "dht-method-reply-longer" {
			require.Contains(t, strings.Join(res.Notes(), " "), "too many pings")
			require.NotContains(t, strings.Join(res.Notes(), " "), "below zero")
		}
	}
}

// A target that does not die of the same again: nobody is blamed, nothing is lost, and the run does not pass.
func TestACrashThatNoCaseRepeats(t *testing.T) {
	sum, culprits := fragileRun(t, "dies in its first life", "dht-announce-port-*", "dht-ping")
	require.Empty(t, culprits)
	require.Len(t, sum.Footer.Crashes, 1)
	require.NotEmpty(t, sum.Footer.Crashes[0].Suspects)
	require.Contains(t, sum.Footer.Crashes[0].Said, "once")
	othersPass(t, sum, nil)
	require.Equal(t, conformance.ExitFailed, sum.Exit())
	require.Contains(t, sum.Footer.Because, "no case alone makes it end")
}

// A process that is alive and says nothing has crashed, too; it is ended and started again.
func TestAHangIsACrash(t *testing.T) {
	sum, culprits := fragileRun(t, "hangs", "dht-announce-port-*", "dht-ping", "dht-announce-token*")
	require.Equal(t, negativePort, culprits)
	othersPass(t, sum, append(culprits, "dht-announce-token-ip-family"))
	for _, res := range sum.Results {
		if res.Verdict == conformance.Crash {
			require.Contains(t, res.Outcome.Observed, "it hung")
		}
	}
}

// A target that cannot be started again leaves the rest without a verdict, and nobody with a wrong one.
func TestATargetThatCannotBeStartedAgain(t *testing.T) {
	sum, culprits := fragileRun(t, "lives once", "dht-announce-*", "dht-ping")
	require.Empty(t, culprits)
	require.Equal(t, conformance.ExitContract, sum.Exit())
	require.False(t, sum.Footer.Whole)
	require.Contains(t, sum.Footer.Why, "when it was started again the target ended (exit status 3)")
	require.Contains(t, sum.Footer.Why, "I had my life")
	require.Zero(t, sum.Footer.Counts[conformance.Fail]+sum.Footer.Counts[conformance.Warn])
	require.Positive(t, sum.Footer.Counts[conformance.Inconclusive])
}

// A target that ends before a case has begun would be started for ever.
func TestATargetThatDoesNotLiveLongEnough(t *testing.T) {
	sum, _ := fragileRun(t, "dies of its neighbours", "dht-announce-*")
	require.Equal(t, conformance.ExitContract, sum.Exit())
	require.Contains(t, sum.Footer.Why, "with no case under way")
	require.Contains(t, sum.Footer.Why, "exit status 2")
	require.Equal(t, len(sum.Results), sum.Footer.Counts[conformance.Inconclusive])
}

// A command that takes two addresses is judged in both families.
func TestACommandOfBothFamilies(t *testing.T) {
	t.Parallel()
	sum := play(t, &conformance.Runner{
		Command: fragileCommand(t, "hangs", "{listen} {listen6}"), Plan: plan(t, "dht-*-6", "dht-announce-token-ip-family"),
	})
	require.Equal(t, conformance.ExitConformant, sum.Exit(), "%+v", sum.Footer)
	require.Equal(t, len(sum.Results), sum.Footer.Counts[conformance.Pass], "none is blocked")
	sum = play(t, &conformance.Runner{Command: fragileCommand(t, "hangs", "{listen6}"), Plan: plan(t, "dht-ping*")})
	require.Equal(t, 1, sum.Footer.Counts[conformance.Pass], "%+v", sum.Footer)
}

// The second address is asked before anything is judged by it.
func TestASecondAddressHasToAnswer(t *testing.T) {
	target := serve(t, referenceNode(t))
	target.V6 = closedPort(t).V6
	sum := play(t, &conformance.Runner{Target: target, Plan: plan(t, "dht-ping*")})
	require.Equal(t, conformance.ExitContract, sum.Exit())
	require.Contains(t, sum.Footer.Why, target.V6.String())
}
