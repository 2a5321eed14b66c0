package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// An ablation takes one rule away.
type ablation struct {
	name  string   // the rule's id, with a suffix where there are several
	what  string   // what the code does without it
	finds []string // the kinds of violation that it leads to
	pkg   string   // empty: the simulation judges; else this package's
	test  string   // test, which has to fail
	args  []string // with these flags
	edits []edit
}

// An edit replaces text that stands exactly once in a file.
type edit struct {
	file, old, with string
}

func (a *ablation) allows(found string) bool { return slices.Contains(a.finds, found) }

// parse reads a list:
//
//	== peer-ack-durable | acknowledges what the disk does not have yet | lost
//	-- peer/conversation/receiving.go
//	the old text, some lines
//	++
//	the new text, some lines or none
//
// Behind the kinds may stand " | ./package TestName flags": then that test judges, by failing.
// Lines before the first == that begin with # are for people.
func parse(text string) (all []*ablation, err error) {
	var a *ablation
	var e *edit
	var into *string
	seen := map[string]bool{}
	for i, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, "== "):
			parts := strings.Split(line[3:], " | ")
			if len(parts) < 3 || len(parts) > 4 || seen[parts[0]] {
				return nil, fmt.Errorf("line %d: no \"== name | what | kinds\" with a name of its own", i+1)
			}
			seen[parts[0]] = true
			a = &ablation{name: parts[0], what: parts[1], finds: strings.Fields(parts[2])}
			if len(parts) == 4 {
				words := strings.Fields(parts[3])
				if len(words) < 2 {
					return nil, fmt.Errorf("line %d: no \"./package TestName flags\"", i+1)
				}
				a.pkg, a.test, a.args = words[0], words[1], words[2:]
			}
			all, e, into = append(all, a), nil, nil
		case strings.HasPrefix(line, "-- ") && a != nil:
			a.edits = append(a.edits, edit{file: line[3:]})
			e = &a.edits[len(a.edits)-1]
			into = &e.old
		case line == "++" && e != nil && into == &e.old:
			into = &e.with
		case into != nil:
			*into += line + "\n"
		case line == "" || strings.HasPrefix(line, "#"):
		default:
			return nil, fmt.Errorf("line %d belongs to no edit", i+1)
		}
	}
	for _, a := range all {
		if len(a.edits) == 0 || len(a.finds) == 0 {
			return nil, fmt.Errorf("%s changes nothing, or finds nothing", a.name)
		}
		for i := range a.edits {
			e := &a.edits[i]
			e.old, e.with = strings.Trim(e.old, "\n"), strings.Trim(e.with, "\n")
			if e.old == "" || e.old == e.with {
				return nil, fmt.Errorf("%s: the edit of %s changes nothing", a.name, e.file)
			}
		}
	}
	return all, nil
}

// apply writes the changed files into dir and returns what the Go tool's overlay wants to know: the path of each file, and of what replaces it.
func (a *ablation) apply(dir string) (map[string]string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	changed := map[string]string{} // file → its text
	for _, e := range a.edits {
		text, ok := changed[e.file]
		if !ok {
			b, err := os.ReadFile(e.file)
			if err != nil {
				return nil, err
			}
			text = string(b)
		}
		if n := strings.Count(text, e.old); n != 1 {
			return nil, fmt.Errorf("the old text stands %d times in %s, not once: the list does not fit the code any more:\n%s", n, e.file, e.old)
		}
		changed[e.file] = strings.Replace(text, e.old, e.with, 1)
	}
	replace := map[string]string{}
	n := 0
	for file, text := range changed {
		path, err := filepath.Abs(file)
		if err != nil {
			return nil, err
		}
		to := filepath.Join(dir, fmt.Sprintf("%d.go", n))
		n++
		if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
			return nil, err
		}
		replace[path] = to
	}
	return replace, nil
}
