package conformance

import "kith/spec"

// Verdict is what the suite says about one case.
type Verdict string

// The verdicts. Pass, Fail, Crash, Warn and Info judge the target; the others say why it could not be judged, or what
// an expectation file made of the judgement.
const (
	Pass         Verdict = "pass"
	Fail         Verdict = "fail"         // a MUST is not kept
	Crash        Verdict = "crash"        // the target's process ended of the case, or hung and had to be ended
	Warn         Verdict = "warn"         // a SHOULD is not kept
	Info         Verdict = "info"         // a MAY was used otherwise
	Unsupported  Verdict = "unsupported"  // the target does not claim the case's profile
	Blocked      Verdict = "blocked"      // a precondition on the tester's side is missing
	Inconclusive Verdict = "inconclusive" // a control failed before the stimulus, or the target was lost
	Flaky        Verdict = "flaky"        // the verdict was not always the same; only repeated runs can find it
	Xfail        Verdict = "xfail"        // not kept, as the expectation file says
	Xpass        Verdict = "xpass"        // kept, though the expectation file says otherwise
)

// Verdicts lists all verdicts in the order of reports.
var Verdicts = []Verdict{Pass, Fail, Crash, Warn, Info, Unsupported, Blocked, Inconclusive, Flaky, Xfail, Xpass}

// Judged reports whether v says something about the target, so that its case counts as one that ran.
func (v Verdict) Judged() bool {
	switch v {
	case Unsupported, Blocked, Inconclusive:
		return false
	}
	return true
}

// severity turns a failed check into the verdict that the requirement's verb asks for.
func severity(l spec.Level) Verdict {
	switch l {
	case spec.Should, spec.ShouldNot:
		return Warn
	case spec.May:
		return Info
	}
	return Fail
}

// Exit is the exit code of a run.
type Exit int

// The exit codes. Of several that apply the one that says most about the run itself wins: harness, contract, failed, vacuous.
const (
	ExitConformant Exit = 0
	ExitFailed     Exit = 1 // fail, crash, xpass or flaky; with Strict also warn
	ExitUsage      Exit = 2 // also a filter that matches nothing
	ExitContract   Exit = 3 // the target cannot be reached, fails the canary, or was lost on the way
	ExitHarness    Exit = 4 // a fault of the suite or of its surroundings, such as a full disk
	ExitVacuous    Exit = 5 // fewer cases were judged than have to be
)

// Outcome is what a case found, before severity and expectations are applied.
type Outcome struct {
	Verdict  Verdict // Pass, Fail, Blocked or Inconclusive
	Hard     bool    // a Fail that stays one whatever the verb: the target no longer works after the stimulus
	Gone     bool    // the target's process ended, or it answers nobody any more
	Sent     int     // number in the log of the datagram that the check is about; 0: none
	Expected string
	Observed string
	Notes    []string
	Fault    string // a fault of the case itself, such as a panic; not the target's
}

// verdict applies the requirement's verb.
func (o Outcome) verdict(l spec.Level) Verdict {
	if o.Verdict == Fail && !o.Hard {
		return severity(l)
	}
	return o.Verdict
}
