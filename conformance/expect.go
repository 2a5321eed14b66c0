package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Expectations are what is known about one target: for each case that it does not pass, the verdict and why. They pin the suite, so
// that a new suite is looked at before it is believed. There are no wildcards.
type Expectations struct {
	Suite  string        `json:"suite"`  // the suite's version
	Cases  int           `json:"cases"`  // how many the suite has
	Target string        `json:"target"` // which program, for people
	Expect []Expectation `json:"expect"`
}

// Expectation is one case that is known not to pass.
type Expectation struct {
	ID      string  `json:"id"`
	Verdict Verdict `json:"verdict"`
	Cites   string  `json:"cites"`           // the sentence that says what is right: BEP 5: "…"
	Did     string  `json:"did"`             // what the target did instead, and where in its source
	Until   string  `json:"until,omitempty"` // a date, 2027-01-31: from the day after, the entry is void
}

// ErrExpectations is what ReadExpectations' errors wrap.
var ErrExpectations = errors.New("expectation file")

// citation is a document and a sentence of it in quotes.
var citation = regexp.MustCompile(`^(BEP|RFC|spec/)[^"“]*["“].{8,}["”]`)

// ReadExpectations reads a file and checks that it fits the suite. The error says which entry is wrong and how.
func ReadExpectations(r io.Reader, s *Suite) (*Expectations, error) {
	var e Expectations
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrExpectations, err)
	}
	rest, _ := io.ReadAll(io.MultiReader(d.Buffered(), r))
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("%w: something behind the object", ErrExpectations)
	}
	if e.Suite != Version || e.Cases != len(s.Cases) {
		return nil, fmt.Errorf("%w: it was written for suite %s with %d cases; this is suite %s with %d: look at what changed, then set both",
			ErrExpectations, e.Suite, e.Cases, Version, len(s.Cases))
	}
	seen := map[string]bool{}
	for _, x := range e.Expect {
		if err := x.check(s); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrExpectations, x.ID, err)
		}
		if seen[x.ID] {
			return nil, fmt.Errorf("%w: %s stands there twice", ErrExpectations, x.ID)
		}
		seen[x.ID] = true
	}
	return &e, nil
}

func (x Expectation) check(s *Suite) error {
	if s.Find(x.ID) == nil {
		return errors.New("the suite has no such case, and an entry names exactly one")
	}
	if !slices.Contains([]Verdict{Fail, Crash, Warn, Info, Inconclusive}, x.Verdict) {
		return fmt.Errorf("a verdict %q cannot be expected; fail, crash, warn, info and inconclusive can", x.Verdict)
	}
	if !citation.MatchString(x.Cites) {
		return errors.New(`cites needs the document and its sentence in quotes: BEP 5: "…"`)
	}
	if len(strings.Fields(x.Did)) < 3 {
		return errors.New("did needs what the target does instead")
	}
	if _, err := x.until(); err != nil {
		return err
	}
	return nil
}

// until is the last moment at which the entry holds; zero: for ever.
func (x Expectation) until() (time.Time, error) {
	if x.Until == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, x.Until)
	if err != nil {
		return t, fmt.Errorf("until is a date such as 2027-01-31: %w", err)
	}
	return t.AddDate(0, 0, 1), nil
}

// find returns the entry of a case, or nil.
func (e *Expectations) find(id string) *Expectation {
	if e == nil {
		return nil
	}
	for i := range e.Expect {
		if e.Expect[i].ID == id {
			return &e.Expect[i]
		}
	}
	return nil
}

// apply turns a verdict into xfail or xpass where the file speaks of its case, and says why where it does not hold.
func (e *Expectations) apply(id string, v Verdict, now time.Time) (out Verdict, x *Expectation, note string) {
	x = e.find(id)
	if x == nil {
		return v, nil, ""
	}
	if end, _ := x.until(); !end.IsZero() && !now.Before(end) {
		return v, x, "the expectation file's entry ended on " + x.Until
	}
	switch {
	case v == x.Verdict:
		return Xfail, x, ""
	case v == Pass:
		return Xpass, x, fmt.Sprintf("the expectation file says %s: take the entry out", x.Verdict)
	}
	return v, x, fmt.Sprintf("the expectation file says %s", x.Verdict)
}
