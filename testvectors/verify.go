package testvectors

import (
	"errors"
	"fmt"
	"slices"
)

// An Ask puts one question to an implementation: one line of JSON without its end, as spec/shim.md says, and returns the answer, one
// line too. Its error says why there is no answer: the implementation has ended, or was silent for longer than the caller waits.
type Ask func(request []byte) (answer []byte, err error)

// Options are what a verification may be told beside the vectors. The zero value verifies everything.
type Options struct {
	// Select says which vectors are verified; nil: all. The twin of one that is is asked too.
	Select func(*Vector) bool
	// Canary is part of the name of an operation that does not exist. Whoever asks a stranger draws it anew each time.
	Canary string
	// Claims are taken for the implementation's capabilities, without a hello and a canary; nil: it is asked.
	Claims []string
	// First ends the verification at the first vector that fails.
	First bool
	// Patience is after how many vectors in a row without an answer nobody goes on asking; 0: 3.
	Patience int
}

// A Verdict is what became of one vector.
type Verdict string

// The verdicts.
const (
	Pass        Verdict = "pass"
	Fail        Verdict = "fail"        // another answer than the vector's
	Broken      Verdict = "broken"      // no answer, or something that is none
	Unclear     Verdict = "unclear"     // the right answer, which means nothing because its opposite is given to the opposite too
	Unsupported Verdict = "unsupported" // not asked: an operation of it is not among the capabilities
	Limited     Verdict = "limited"     // not asked: it is beyond a limit that the implementation named
	NotRun      Verdict = "not run"     // not asked: the verification ended before
)

// Ran reports whether the vector was asked, to its end or until it failed.
func (v Verdict) Ran() bool { return v == Pass || v.Failed() }

// Failed reports whether the vector was asked, and not answered as it should be.
func (v Verdict) Failed() bool { return v == Fail || v == Broken || v == Unclear }

// A Difference is one place in which an answer is not the vector's.
type Difference struct {
	Field    string `json:"field"` // out.message.a.id, or steps[3].out.text
	Expected string `json:"expected"`
	Observed string `json:"observed"`
}

// A Result is what became of one vector, and why.
type Result struct {
	Vector      *Vector
	Verdict     Verdict
	Why         string // in one sentence, empty for Pass
	Differences []Difference
}

// A Report is what became of all of them.
type Report struct {
	Implementation string   // what it calls itself
	Claimed        []string // its capabilities
	Unknown        []string // those of them that no vector asks for
	Results        []Result // of the selected vectors, in their order
	Intermediate   int      // intermediate values compared
	Snapshots      int      // refusals after which the state was compared with that before
	Contract       error    // why the implementation could not be verified, or not to the end
}

// ErrContract is wrapped by Report.Contract.
var ErrContract = errors.New("the shim does not keep to the protocol")

// Count returns how many results have one of the verdicts.
func (r *Report) Count(of ...Verdict) (n int) {
	for _, result := range r.Results {
		if slices.Contains(of, result.Verdict) {
			n++
		}
	}
	return n
}

// Vacuous says why it means nothing that nothing failed, or returns "": nothing was asked, or an operation that the implementation
// claims, and that a selected vector asks for, was never asked.
func (r *Report) Vacuous() string {
	asked, wanted := map[string]bool{}, map[string]bool{}
	for _, result := range r.Results {
		for op := range result.Vector.operations() {
			wanted[op] = true
			asked[op] = asked[op] || result.Verdict.Ran()
		}
	}
	if r.Count(Pass, Fail, Broken, Unclear) == 0 {
		return "no vector was asked"
	}
	for _, op := range r.Claimed {
		if wanted[op] && !asked[op] {
			return op + " is claimed, and was not asked once"
		}
	}
	return ""
}

const defaultPatience = 3

// Verify asks an implementation every vector and compares its answers. It is deterministic: the same vectors and answers make the same
// report. vectors have to hold the twins of those that are selected.
func Verify(vectors []Vector, ask Ask, opt Options) *Report {
	r := &Report{Claimed: opt.Claims}
	v := &verifier{asker: asker{ask: ask}, report: r, byID: map[string]*Vector{}, refusals: map[string][]*Vector{},
		done: map[string]Result{}, little: map[string]bool{}, claimed: map[string]bool{}}
	if opt.Claims == nil {
		r.Contract = v.greet(opt.Canary)
	}
	if opt.Patience == 0 {
		opt.Patience = defaultPatience
	}
	for _, op := range r.Claimed {
		v.claimed[op] = true
	}
	known := map[string]bool{"snapshot": true}
	for i := range vectors {
		v.byID[vectors[i].ID] = &vectors[i]
		if vectors[i].Outcome != Accept {
			v.refusals[vectors[i].Type] = append(v.refusals[vectors[i].Type], &vectors[i])
		}
		for op := range vectors[i].operations() {
			known[op] = true
		}
	}
	r.Unknown = slices.DeleteFunc(slices.Clone(r.Claimed), func(op string) bool { return known[op] })

	silent, ended := 0, r.Contract != nil
	for i := range vectors {
		of := &vectors[i]
		switch {
		case opt.Select != nil && !opt.Select(of):
			continue
		case ended:
			r.Results = append(r.Results, Result{Vector: of, Verdict: NotRun, Why: "the verification ended before"})
			continue
		}
		result := v.judge(of)
		r.Results = append(r.Results, result)
		if silent++; result.Verdict != Broken {
			silent = 0
		}
		if silent == opt.Patience {
			ended, r.Contract = true, fmt.Errorf("%w: no answer to %d vectors in a row: %s", ErrContract, opt.Patience, result.Why)
		}
		ended = ended || opt.First && result.Verdict.Failed()
	}
	return r
}

type verifier struct {
	asker
	report    *Report
	byID      map[string]*Vector
	refusals  map[string][]*Vector // by their operation
	done      map[string]Result
	little    map[string]bool
	claimed   map[string]bool
	limits    limits
	snapshots map[string]string // of the script that is played: what a handle held when it was last looked at, "" if it may have changed
}

// judge returns the result of a vector. A refusal counts only where the twin is accepted, and an acceptance without words only where
// the same operation refuses: who always says the same says nothing.
func (v *verifier) judge(of *Vector) Result {
	r := v.played(of)
	switch {
	case r.Verdict != Pass:
	case of.Outcome != Accept:
		twin := v.byID[of.Twin]
		if twin == nil || twin.Outcome != Accept {
			r.fail("the vector is wrong: its twin %q is none", of.Twin)
		} else if t := v.judge(twin); !t.Verdict.Ran() {
			r.Verdict, r.Why = t.Verdict, "its twin is not asked: "+t.Why
		} else if t.Verdict != Pass {
			r.Verdict, r.Why = Unclear, fmt.Sprintf("it is refused, but its twin %s is not accepted as it should be", of.Twin)
		}
	case string(of.Out) == "{}" && v.refusesLittle(of.Type):
		r.Verdict, r.Why = Unclear, fmt.Sprintf("it is accepted, and so is most of what %s has to refuse", of.Type)
	}
	return r
}

// refusesLittle reports whether less than half of what an operation has to refuse is refused.
func (v *verifier) refusesLittle(op string) bool {
	little, ok := v.little[op]
	if !ok {
		right, all := 0, 0
		for _, of := range v.refusals[op] {
			if r := v.played(of); r.Verdict.Ran() {
				all++
				if r.Verdict == Pass {
					right++
				}
			}
		}
		little = 2*right < all
		v.little[op] = little
	}
	return little
}

// played asks a vector, once.
func (v *verifier) played(of *Vector) Result {
	r, ok := v.done[of.ID]
	if !ok {
		r = v.play(of)
		v.done[of.ID] = r
	}
	return r
}

// play asks a vector.
func (v *verifier) play(of *Vector) Result {
	r := Result{Vector: of, Verdict: Pass}
	if fault := of.fault(); fault != "" {
		r.fail("the vector is wrong: %s", fault)
		return r
	}
	for op := range of.operations() {
		if !v.claimed[op] {
			r.Verdict, r.Why = Unsupported, op+" is not among the capabilities"
			return r
		}
	}
	if why := v.limits.beyond(of); why != "" {
		r.Verdict, r.Why = Limited, why
		return r
	}
	if of.Type != Script {
		v.question(&r, "", of.single())
		return r
	}
	defer v.tidy(of)
	v.snapshots = map[string]string{}
	for i := range of.Steps {
		if v.step(&r, fmt.Sprintf("steps[%d].", i), &of.Steps[i]); r.Verdict != Pass {
			break // what comes later depends on it
		}
	}
	return r
}

// tidy frees the handles of a script.
func (v *verifier) tidy(of *Vector) {
	freed := map[string]bool{}
	for _, s := range of.Steps {
		if h := s.handle; h != "" && !freed[h] {
			freed[h] = true
			v.put("free", onHandle(h), nil) // what comes of it shows in the next script
		}
	}
}

// step asks a step of a script. A refusal must leave no trace in the state, where there is one already.
func (v *verifier) step(r *Result, at string, s *Step) {
	h := s.handle
	before, open := v.snapshots[h]
	watched := open && s.Reject != "" && !s.Counted && v.claimed["snapshot"]
	if watched && before == "" {
		before = v.snapshot(r, at, h)
	}
	if r.Verdict == Pass {
		v.question(r, at, s)
	}
	if h == "" || r.Verdict != Pass {
		return
	}
	if s.Reject == "" || s.Counted && open {
		v.snapshots[h] = ""
	}
	if watched {
		after := v.snapshot(r, at, h)
		if r.Verdict == Pass && after != before {
			r.Differences = append(r.Differences, Difference{at + "snapshot", before, after})
			r.fail("%sthe refusal left a trace: the state of %q is not what it was", at, h)
		}
		v.snapshots[h] = after
		v.report.Snapshots++
	}
}

// question asks one question and compares the answer.
func (v *verifier) question(r *Result, at string, s *Step) {
	got, err := v.put(s.Op, s.In, s.Draws)
	if err != nil {
		r.Verdict, r.Why = Broken, at+err.Error()
		return
	}
	differ := func(field, expected, observed string) {
		r.Differences = append(r.Differences, Difference{at + field, expected, observed})
	}
	switch {
	case got.Error != nil:
		r.fail("%sit cannot answer: %s", at, *got.Error)
	case got.Unsupported:
		r.fail("%s%s is among its capabilities, and unsupported", at, s.Op)
	case s.Reject == "" && got.Reject != "":
		differ("reject", "nothing", got.Reject)
		r.fail("%srefused as %s, where it has to be accepted", at, got.Reject)
	case s.Reject != "" && got.Reject == "":
		differ("reject", s.Reject, "nothing")
		r.fail("%saccepted, where it has to be refused as %s", at, s.Reject)
	case s.Reject != got.Reject:
		differ("reject", s.Reject, got.Reject)
		r.fail("%srefused as %s, where the reason is %s", at, got.Reject, s.Reject)
	case s.Reject != "":
		compare("with", s.With, got.With, differ)
	default:
		compare("out", s.Out, got.Out, differ)
	}
	if r.Verdict == Pass {
		v.report.Intermediate += intermediate(s.Intermediate, got.Intermediate, differ)
	}
	if r.Verdict == Pass && len(r.Differences) > 0 {
		r.fail("%s is not what it has to be", r.Differences[0].Field)
	}
}

func (r *Result) fail(format string, args ...any) {
	r.Verdict, r.Why = Fail, fmt.Sprintf(format, args...)
}
