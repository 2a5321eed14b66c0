package conformance

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"kith/spec"
)

// Filter chooses cases. The zero Filter chooses all that are not slow.
type Filter struct {
	Run, Skip []string // globs of ids, as path.Match reads them
	Req       []string // ids of requirements
	Profiles  []string // only these; also the claim that the target has them
	Slow      bool
}

// Plan returns the cases of the suite that f chooses, in the order of their ids. A pattern, requirement or profile that matches
// nothing is an error: it is a typing mistake, or a case that is no longer there.
func (f Filter) Plan(s *Suite) ([]*Case, error) {
	for _, globs := range [][]string{f.Run, f.Skip} {
		for _, g := range globs {
			if err := f.known(s, g); err != nil {
				return nil, err
			}
		}
	}
	for _, r := range f.Req {
		if _, ok := spec.Lookup(r); !ok {
			return nil, fmt.Errorf("no requirement is called %q", r)
		}
		if !slices.ContainsFunc(s.Cases, func(c *Case) bool { return c.Requirement.ID == r }) {
			return nil, fmt.Errorf("no case of the suite judges the requirement %q", r)
		}
	}
	for _, p := range f.Profiles {
		if !slices.Contains(Profiles, p) {
			return nil, fmt.Errorf("no profile is called %q; there are %s", p, strings.Join(Profiles, ", "))
		}
	}
	var plan []*Case
	for _, c := range s.Cases {
		if f.takes(c) {
			plan = append(plan, c)
		}
	}
	if len(plan) == 0 {
		return nil, fmt.Errorf("the filters leave no case of the suite's %d%s", len(s.Cases), f.slowHint(s))
	}
	return plan, nil
}

func (f Filter) takes(c *Case) bool {
	return (len(f.Run) == 0 || matchAny(f.Run, c.ID)) && !matchAny(f.Skip, c.ID) &&
		(len(f.Req) == 0 || slices.Contains(f.Req, c.Requirement.ID)) &&
		(len(f.Profiles) == 0 || slices.Contains(f.Profiles, c.Profile)) && (f.Slow || !c.Slow)
}

func (f Filter) slowHint(s *Suite) string {
	if f.Slow {
		return ""
	}
	f.Slow = true
	if slices.ContainsFunc(s.Cases, f.takes) {
		return "; what they name is slow: add --slow"
	}
	return ""
}

func (f Filter) known(s *Suite, glob string) error {
	if _, err := path.Match(glob, ""); err != nil {
		return fmt.Errorf("%q is no pattern: %w", glob, err)
	}
	if slices.ContainsFunc(s.Cases, func(c *Case) bool { return matchAny([]string{glob}, c.ID) }) {
		return nil
	}
	if near := nearest(s, glob); near != "" {
		return fmt.Errorf("no case matches %q; did you mean %s?", glob, near)
	}
	return fmt.Errorf("no case matches %q", glob)
}

func matchAny(globs []string, id string) bool {
	for _, g := range globs {
		if ok, _ := path.Match(g, id); ok {
			return true
		}
	}
	return false
}

// nearest finds the id that a mistyped one was meant to be: the one that shares the longest beginning, if that is a word or more.
func nearest(s *Suite, id string) string {
	best, most := "", 0
	for _, c := range s.Cases {
		n := 0
		for n < len(id) && n < len(c.ID) && id[n] == c.ID[n] {
			n++
		}
		if n > most {
			best, most = c.ID, n
		}
	}
	if most < 6 {
		return ""
	}
	return best
}
