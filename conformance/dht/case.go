package dht

import (
	"fmt"
	"path"
	"runtime"
	"slices"

	"kith/conformance"
)

// registered are the cases of this package, in no order.
var registered []*conformance.Case

// Suite returns the cases for a DHT node, in the order of their ids. It panics when two have one id, or one cites no requirement:
// the suite itself is then broken.
func Suite() *conformance.Suite {
	s := &conformance.Suite{Name: "dht", Cases: slices.Concat(registered, tables()), Contract: contract, Claims: claims}
	s.Sort()
	for i, c := range s.Cases {
		if i > 0 && s.Cases[i-1].ID == c.ID {
			panic("conformance: two cases are called " + c.ID)
		}
	}
	return s
}

// Registered is a case that Case has registered, to be marked.
type Registered struct{ c *conformance.Case }

// Case registers a case from an init function. Its id is that of the requirement it judges, or that and a suffix; the
// requirement gives the severity and the profile.
func Case(id string, kind conformance.Kind, body func(*Script)) Registered {
	_, file, line, _ := runtime.Caller(1)
	c := newCase(id, kind, body)
	c.File, c.Line = path.Base(file), line
	registered = append(registered, c)
	return Registered{c}
}

// Slow leaves the case out of a run that does not ask for slow ones.
func (r Registered) Slow() Registered {
	r.c.Slow = true
	return r
}

// Profile says which profile the target has to claim, where it is not the requirement's own.
func (r Registered) Profile(name string) Registered {
	r.c.Profile = name
	return r
}

func newCase(id string, kind conformance.Kind, body func(*Script)) *conformance.Case {
	r, err := conformance.RequirementOf(id)
	if err != nil {
		panic(err.Error())
	}
	return &conformance.Case{
		ID: id, Requirement: r, Kind: kind, Profile: conformance.ProfileOf(r),
		Run: func(w conformance.World, o conformance.Options) *conformance.Run { return play(id, kind, body, w, o) },
	}
}

// The kinds, under short names.
const (
	Accept  = conformance.Accept
	Reject  = conformance.Reject
	Silence = conformance.Silence
	Survive = conformance.Survive
)

// tables reads the embedded *.multi tables.
func tables() (cases []*conformance.Case) {
	names, err := multi.ReadDir(".")
	if err != nil {
		panic(err.Error())
	}
	for _, f := range names {
		text, err := multi.ReadFile(f.Name())
		if err != nil {
			panic(err.Error())
		}
		rows, err := parseTable(string(text))
		if err != nil {
			panic(fmt.Sprintf("conformance: %s:%v", f.Name(), err))
		}
		for _, r := range rows {
			c := newCase(r.id, r.expected.kind, r.play)
			if c.Requirement.ID != r.requirement {
				panic(fmt.Sprintf("conformance: %s:%d: %s cites %s by its id and %s in its row", f.Name(), r.line, r.id, c.Requirement.ID, r.requirement))
			}
			c.File, c.Line, c.Packet = f.Name(), r.line, r.packet
			cases = append(cases, c)
		}
	}
	return cases
}
