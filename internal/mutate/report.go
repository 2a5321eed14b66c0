package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// A tally counts the mutants of one package, each once.
type tally struct {
	Package    string `json:"package"`
	Mutants    int    `json:"mutants"`
	Uncompiled int    `json:"uncompiled"`
	Unexecuted int    `json:"unexecuted"`
	Executed   int    `json:"executed"` // killed and survived
	Killed     int    `json:"killed"`
	Survived   int    `json:"survived"`

	// Of the survivors: with their line executed but not their place, on the list as harmless, and as accepted.
	Unseen   int `json:"unseen"`
	Harmless int `json:"harmless"`
	Accepted int `json:"accepted"`

	How map[string]int `json:"how"` // the killed, by how they were noticed

	// Left out on purpose: arguments that only become part of a text for people, and capacities.
	Texts      int `json:"texts"`
	Capacities int `json:"capacities"`
}

// add counts one mutant.
func (t *tally) add(m *mutant) {
	t.Mutants++
	switch m.Fate {
	case uncompiled:
		t.Uncompiled++
	case unexecuted:
		t.Unexecuted++
	case killed:
		t.Executed++
		t.Killed++
		t.How[m.How]++
	case survived:
		t.Executed++
		t.Survived++
		if m.Unseen {
			t.Unseen++
		}
		switch {
		case strings.HasPrefix(m.Review, "harmless"):
			t.Harmless++
		case strings.HasPrefix(m.Review, "accepted"):
			t.Accepted++
		}
	}
}

// share is the part of the executed mutants that were killed, in percent. Where none was executed it is 0: nothing was shown.
func (t *tally) share() float64 {
	if t.Executed == 0 {
		return 0
	}
	return 100 * float64(t.Killed) / float64(t.Executed)
}

// check returns an error if the counts do not add up, so that no mutant is lost on the way.
func (t *tally) check() error {
	how := 0
	for _, n := range t.How {
		how += n
	}
	if t.Uncompiled+t.Unexecuted+t.Executed != t.Mutants || t.Killed+t.Survived != t.Executed || how != t.Killed {
		return fmt.Errorf("%s: the counts do not add up: %+v", t.Package, *t)
	}
	return nil
}

// count returns the tallies of the packages, and that of all.
func count(prog *program, all []*mutant) (by []*tally, sum *tally, err error) {
	sum = &tally{Package: "all", How: map[string]int{}}
	for _, u := range prog.packages {
		t := &tally{Package: u.ImportPath, How: map[string]int{}, Texts: u.texts, Capacities: u.capacities}
		sum.Texts += t.Texts
		sum.Capacities += t.Capacities
		by = append(by, t)
		for _, m := range all {
			if m.pkg == u.ImportPath {
				t.add(m)
				sum.add(m)
			}
		}
		if err := t.check(); err != nil {
			return nil, nil, err
		}
	}
	return by, sum, sum.check()
}

// A report is what came of a run.
type report struct {
	Judge    string    `json:"judge"`
	Cases    int       `json:"cases"`
	Min      float64   `json:"min"`
	Share    float64   `json:"share"`
	Packages []*tally  `json:"packages"`
	Sum      *tally    `json:"sum"`
	Mutants  []*mutant `json:"mutants"`

	Unreviewed []*mutant `json:"-"`
	Stale      []string  `json:"stale"`
}

func (r *report) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(r)
}

// text writes the report for people. What is wrong comes last, where it is seen.
func (r *report) print(w io.Writer, verbose bool) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "package\tmutants\tnot compiling\tnot executed\texecuted\tkilled\tsurvived\tharmless\taccepted\tunreviewed\tkilled of executed\t")
	rows := r.Packages
	if len(rows) > 1 {
		rows = append(rows[:len(rows):len(rows)], r.Sum)
	}
	for _, p := range rows {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.1f %%\t\n", p.Package, p.Mutants, p.Uncompiled, p.Unexecuted, p.Executed,
			p.Killed, p.Survived, p.Harmless, p.Accepted, p.Survived-p.Harmless-p.Accepted, p.share())
	}
	t.Flush()
	fmt.Fprintf(w, "\njudge %s, cases %d; killed by", r.Judge, r.Cases)
	for _, how := range []string{"answer", "panic", "runaway", "crash", "timeout"} {
		fmt.Fprintf(w, " %s %d", how, r.Sum.How[how])
	}
	fmt.Fprintf(w, "\n%d survivors stand on a line that is executed, at a place that is not\n", r.Sum.Unseen)
	fmt.Fprintf(w, "no mutants in %d arguments that only become part of a text for people, and in %d capacities\n", r.Sum.Texts, r.Sum.Capacities)
	if verbose {
		for _, m := range r.Mutants {
			if m.Review != "" {
				fmt.Fprintf(w, "\n%s\n\t%s\n", m.shown(), m.Review)
			}
		}
	}
	if len(r.Unreviewed) > 0 {
		fmt.Fprintf(w, "\n%d survivors are not on the list:\n", len(r.Unreviewed))
		names := map[*mutant]string{}
		for key, m := range keys(r.Mutants) {
			names[m] = key
		}
		for _, m := range r.Unreviewed {
			unseen := ""
			if m.Unseen {
				unseen = " (not executed itself)"
			}
			fmt.Fprintf(w, "\n# %s:%d mutant %d%s\n%s\n", m.File, m.Line, m.ID, unseen, names[m])
		}
	}
	for _, s := range r.Stale {
		fmt.Fprintf(w, "\nthe list is out of date, %s\n", s)
	}
	if r.Share < r.Min {
		fmt.Fprintf(w, "\n%.1f %% is less than %.1f %%\n", r.Share, r.Min)
	}
}

// shown returns the mutant for people.
func (m *mutant) shown() string {
	return fmt.Sprintf("%s:%d %s: %s\n\t- %s\n\t+ %s", m.File, m.Line, m.Func, m.Kind, m.Before, m.After)
}

// good reports whether the run ends well.
func (r *report) good() bool {
	return r.Share >= r.Min && len(r.Unreviewed) == 0 && len(r.Stale) == 0
}
