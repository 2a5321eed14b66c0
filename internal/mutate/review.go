package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// A review is one survivor that somebody has looked at. It is found again by what it is, not by its line, so that an edit
// elsewhere in the file leaves it valid, and an edit of the line itself asks for a new look.
type review struct {
	key    string
	file   string
	at     int    // the line of the list
	reason string // "harmless: …" or "accepted: …"
}

// key returns what a mutant is known by. nth tells apart those that read the same, from 1 on.
func (m *mutant) key(nth int) string {
	s := fmt.Sprintf("%s %s: %s", m.File, m.Func, m.Kind)
	if nth > 1 {
		s += fmt.Sprintf(" #%d", nth)
	}
	return s + "\n\t- " + m.Before + "\n\t+ " + m.After
}

// keys returns the mutants by their keys.
func keys(all []*mutant) map[string]*mutant {
	found := map[string]*mutant{}
	count := map[string]int{}
	for _, m := range all {
		plain := m.key(1)
		count[plain]++
		found[m.key(count[plain])] = m
	}
	return found
}

// parseReviews reads a list of reviewed survivors. An entry is
//
//	wire/bencode.go (*scanner).str: boundary
//		- the source line
//		+ the same line, mutated
//		harmless: why no input can show the difference
//
// or, in its place, "accepted: what difference there is, and why nobody needs to notice". A reason may take several lines. Empty
// lines and those that begin with # mean nothing.
func parseReviews(r io.Reader) ([]*review, error) {
	var list []*review
	var now *review
	finish := func() error {
		if now == nil {
			return nil
		}
		if reason, ok := strings.CutPrefix(now.reason, "harmless: "); !ok || reason == "" {
			if reason, ok = strings.CutPrefix(now.reason, "accepted: "); !ok || reason == "" {
				return fmt.Errorf("line %d: an entry ends with harmless: or accepted: and a reason", now.at)
			}
		}
		list = append(list, now)
		return nil
	}
	s := bufio.NewScanner(r)
	for at := 1; s.Scan(); at++ {
		line := s.Text()
		text, inside := strings.CutPrefix(line, "\t")
		switch {
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
		case !inside:
			if err := finish(); err != nil {
				return nil, err
			}
			file, _, ok := strings.Cut(line, " ")
			if !ok {
				return nil, fmt.Errorf("line %d: an entry begins with a file, a function and a kind", at)
			}
			now = &review{key: line, file: file, at: at}
		case now == nil:
			return nil, fmt.Errorf("line %d: stands before the first entry", at)
		case now.reason == "" && (strings.HasPrefix(text, "- ") || strings.HasPrefix(text, "+ ")):
			now.key += "\n" + line
		default:
			now.reason = strings.TrimSpace(now.reason + " " + strings.TrimSpace(text))
		}
	}
	if err := finish(); err != nil {
		return nil, err
	}
	return list, s.Err()
}

// apply gives the survivors their reviews. It returns the survivors without one, and what is wrong with the list: entries that
// stand twice, and those whose mutant exists no more or does not survive. Entries of files without mutants are of another run.
func apply(reviews []*review, all []*mutant) (unreviewed []*mutant, stale []string) {
	stale = []string{}
	byKey := keys(all)
	files := map[string]bool{}
	for _, m := range all {
		files[m.File] = true
	}
	for _, r := range reviews {
		m := byKey[r.key]
		complain := func(why string) {
			stale = append(stale, fmt.Sprintf("line %d: %s\n%s", r.at, why, r.key))
		}
		switch {
		case !files[r.file]:
		case m == nil:
			complain("there is no such mutant any more")
		case m.Fate != survived:
			complain("the mutant is no survivor: " + string(m.Fate))
		case m.Review != "":
			complain("the entry stands twice")
		default:
			m.Review = r.reason
		}
	}
	for _, m := range all {
		if m.Fate == survived && m.Review == "" {
			unreviewed = append(unreviewed, m)
		}
	}
	return unreviewed, stale
}
