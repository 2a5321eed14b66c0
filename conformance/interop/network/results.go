package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// step is one thing that was tried: a kind of thing, given by a program, through a network, taken by a program. To is empty for the giving itself.
type step struct {
	Kind    string `json:"kind"`
	By      string `json:"by"`
	Through string `json:"through"`
	To      string `json:"to,omitempty"`
}

func (s step) String() string {
	if s.To == "" {
		return fmt.Sprintf("%s given by %s through %s", s.Kind, s.By, s.Through)
	}
	return fmt.Sprintf("%s given by %s through %s taken by %s", s.Kind, s.By, s.Through, s.To)
}

// expectation is a reason why some steps do not work. There are no wildcards.
type expectation struct {
	Cites string `json:"cites"` // the sentence that says what is right: BEP 5: "…"
	Did   string `json:"did"`   // what a program does instead, and where in its source
	Steps []step `json:"steps"`
}

type expectations struct {
	Steps  int           `json:"steps"` // how many are tried; those behind one that fails are not
	Expect []expectation `json:"expect"`
}

var citation = regexp.MustCompile(`^BEP \d+[^"]*".{8,}"`)

func readExpectations(name string) (*expectations, error) {
	if name == "" {
		return nil, nil
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var e expectations
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	seen := map[step]bool{}
	for _, x := range e.Expect {
		if !citation.MatchString(x.Cites) || len(strings.Fields(x.Did)) < 3 {
			return nil, fmt.Errorf(`%s: %v: cites needs a BEP and its sentence in quotes, did what the program does`, name, x.Steps)
		}
		for _, s := range x.Steps {
			if seen[s] {
				return nil, fmt.Errorf("%s: %v stands there twice", name, s)
			}
			seen[s] = true
		}
	}
	return &e, nil
}

// results are what came of each step.
type results struct {
	known *expectations

	mu   sync.Mutex
	done map[step]error
}

func (r *results) add(s step, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done == nil {
		r.done = map[step]error{}
	}
	r.done[s] = err
}

func (r *results) expected(s step) bool {
	return r.known != nil && slices.ContainsFunc(r.known.Expect, func(x expectation) bool { return slices.Contains(x.Steps, s) })
}

// print prints a table for each network: a row for who gave, a column for who took.
func (r *results) print(programs []*program) {
	fmt.Printf("\nWhat is given (row), kept (table) and taken (column): %s. A dot is a step that is known to fail, ! one that is not.\n", strings.Join(kinds, ", "))
	through := []string{}
	for _, p := range programs {
		through = append(through, p.name)
	}
	for _, keeper := range append(through, "all") {
		fmt.Printf("\n%-26s", "through "+keeper)
		for _, p := range programs {
			fmt.Printf("%-16s", p.name)
		}
		fmt.Println()
		for _, p := range programs {
			fmt.Printf("  %-24s", p.name)
			for _, q := range programs {
				cell := ""
				for _, kind := range kinds {
					cell += r.mark(step{kind, p.name, keeper, q.name})
				}
				fmt.Printf("%-16s", cell)
			}
			fmt.Println()
		}
	}
	fmt.Println()
}

// mark is one letter of a table.
func (r *results) mark(s step) string {
	err, tried := r.done[s]
	if !tried {
		s.To = ""
		err = r.done[s]
	}
	switch {
	case err == nil && tried:
		return s.Kind[:1]
	case r.expected(s):
		return "."
	}
	return "!"
}

// all returns the steps in a fixed order.
func (r *results) all() (steps []step) {
	for s := range r.done {
		steps = append(steps, s)
	}
	slices.SortFunc(steps, func(a, b step) int { return strings.Compare(a.String(), b.String()) })
	return steps
}

// write writes a line for each step.
func (r *results) write(name string) error {
	var b strings.Builder
	e := json.NewEncoder(&b)
	for _, s := range r.all() {
		line := struct {
			step
			OK       bool   `json:"ok"`
			Expected bool   `json:"expected"`
			Said     string `json:"said,omitempty"`
		}{step: s, OK: r.done[s] == nil, Expected: (r.done[s] != nil) == r.expected(s)}
		if err := r.done[s]; err != nil {
			line.Said = err.Error()
		}
		if err := e.Encode(line); err != nil {
			return err
		}
	}
	return os.WriteFile(name, []byte(b.String()), 0o644)
}

// verdict compares with the expectations: a failure that is not known, a known one that did not come, and a number of steps that
// is not the one pinned are errors.
func (r *results) verdict() (err error) {
	failed := 0
	for _, s := range r.all() {
		e, known := r.done[s], r.expected(s)
		switch {
		case e != nil && !known:
			err = errors.Join(err, fmt.Errorf("%v: %w", s, e))
		case e == nil && known:
			err = errors.Join(err, fmt.Errorf("%v: it worked, though the expectation file says otherwise: take the entry out", s))
		}
		if e != nil {
			failed++
		}
	}
	if r.known != nil {
		for _, x := range r.known.Expect {
			for _, s := range x.Steps {
				if _, tried := r.done[s]; !tried {
					err = errors.Join(err, fmt.Errorf("%v: it was not tried, though the expectation file names it", s))
				}
			}
		}
		if len(r.done) != r.known.Steps {
			err = errors.Join(err, fmt.Errorf("%d steps were tried and not %d: look at what changed, then set the number", len(r.done), r.known.Steps))
		}
	}
	fmt.Printf("%d steps, %d as one would wish, %d not\n", len(r.done), len(r.done)-failed, failed)
	return err
}
