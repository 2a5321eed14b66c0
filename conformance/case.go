package conformance

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"kith/spec"
)

// Version is the suite's. It grows whenever a case is added or changes what it sends or accepts.
const Version = "0.1.0"

// Kind says how a case is built, and by that what keeps it from passing by accident.
type Kind string

// The kinds. All but Accept run control, liveness, stimulus, liveness, control; Accept ends with a liveness check.
const (
	Accept  Kind = "accept"  // the target has to do something
	Reject  Kind = "reject"  // the target has to answer with an error
	Silence Kind = "silence" // the target has to answer nothing
	Survive Kind = "survive" // the target may answer what it likes and has to go on working, without the effect
)

// Case is one case of a suite.
type Case struct {
	ID          string           // permanent: the requirement's id, or that and a suffix
	Requirement spec.Requirement // what it judges; its verb is the severity
	Kind        Kind
	Profile     string // what the target has to claim: bep5, bep44, kith …
	Slow        bool   // left out unless asked for
	File        string // where it is defined, for people
	Line        int
	Packet      string // of a case from a table: the line

	// Run plays the case in w. It does no I/O of its own, and what it sends depends only on o, the case's id and what came.
	Run func(w World, o Options) *Run
}

// Options are what a case may be told from outside.
type Options struct {
	Seed    uint64
	Round   int           // from 0: every round of one run draws other bytes
	Timeout time.Duration // how long an answer may take; 0: 2 s
}

// Run is a case that has been played: its outcome, what passed between the two, and an ear for what still comes.
type Run struct {
	Outcome Outcome
	Log     *Log
	Late    func(Event) // takes an event that came after the end; it may turn Outcome
	Linger  time.Duration
}

// Suite is a set of cases for one kind of target.
type Suite struct {
	Name  string // "dht"
	Cases []*Case

	// Contract is played before anything else: a target that does not pass it cannot be judged at all.
	Contract func(w World, o Options) *Run
	// Claims finds out which profiles the target has. It returns them in the order of Profiles, with what it learnt.
	Claims func(w World, o Options) *Claims
}

// Profiles are the parts of the suite that a target may claim, in the order of reports.
var Profiles = []string{"bep5", "bep32", "bep42", "bep43", "bep44", "bep51", "kith"}

// Claims is what a target says about itself by what it does.
type Claims struct {
	Profiles []string
	ID       [20]byte
	Version  []byte // its `v`, if it sends one
	Log      *Log
}

// Find returns the case of that id, or nil.
func (s *Suite) Find(id string) *Case {
	for _, c := range s.Cases {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// Sort puts the cases into the order of their ids, which is the order of reports and of the addresses they use.
func (s *Suite) Sort() {
	slices.SortFunc(s.Cases, func(a, b *Case) int { return cmp.Compare(a.ID, b.ID) })
}

// RequirementOf finds the requirement that a case's id begins with, the longest one if there are several.
func RequirementOf(id string) (spec.Requirement, error) {
	for p := id; ; {
		if r, ok := spec.Lookup(p); ok {
			return r, nil
		}
		i := strings.LastIndexByte(p, '-')
		if i < 0 {
			return spec.Requirement{}, fmt.Errorf("conformance: case %s cites no requirement: an id is a requirement's id, or that and a suffix", id)
		}
		p = p[:i]
	}
}

// ProfileOf says which profile a target has to claim to be judged by r: kith for what binds only Kith nodes, else the first
// BEP that r comes from, bep5 standing for all that every Mainline node does.
func ProfileOf(r spec.Requirement) string {
	if r.Binds == spec.KithOnly {
		return "kith"
	}
	for p := range strings.SplitSeq(r.Source, ";") {
		switch n := strings.TrimSpace(p); n {
		case "BEP 32", "BEP 42", "BEP 43", "BEP 44", "BEP 51":
			return "bep" + strings.TrimPrefix(n, "BEP ")
		case "BEP 3", "BEP 5":
			return "bep5"
		}
	}
	return "kith"
}
