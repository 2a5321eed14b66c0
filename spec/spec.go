// Package spec is the protocol's written form as data: it embeds the chapters that stand beside it and reads every
// requirement out of them, so that the suite, the vectors and the tests can cite one by its id and notice when its
// text has changed. [Requirements] lists them all, [Lookup] finds one.
//
// A requirement is one numbered list item with one normative verb in capitals that ends with its id in code font:
//
//  1. MUST drop an envelope whose tag it does not know, and answer nothing. `hs-tag-silent`
//  2. MUST NOT answer with more than 1,024 bytes. [BEP 32] (Kith) `dht-reply-size`
//
// The mark (Kith) says that the item binds only Kith nodes; brackets name the document that the rule comes from.
package spec

import (
	"crypto/sha256"
	"embed"
	"slices"
	"strings"
	"sync"
)

// Version is the version of the protocol's text. While it ends in "-draft", rules may still change; ids may not.
const Version = "1-draft"

//go:embed *.md
var files embed.FS

// Level is how strongly a requirement binds: the capital verb of its item.
type Level string

// The levels, as the chapters write them. RFC 2119's other words are not used.
const (
	Must      Level = "MUST"
	MustNot   Level = "MUST NOT"
	Should    Level = "SHOULD"
	ShouldNot Level = "SHOULD NOT"
	May       Level = "MAY"
)

// Binding says whom a requirement binds.
type Binding byte

const (
	// AnyNode requirements follow from the BEPs and bind every node of the Mainline DHT.
	AnyNode Binding = iota
	// KithOnly requirements are choices of this spec. A foreign node that chose otherwise has not failed.
	KithOnly
)

// String returns "any node" or "Kith".
func (b Binding) String() string {
	if b == KithOnly {
		return "Kith"
	}
	return "any node"
}

// A Requirement is one numbered item of a chapter.
type Requirement struct {
	ID      string            // permanent name, "dht-token-life"; its first word is the chapter's prefix
	Chapter string            // name of the chapter's file without ".md", "dht"
	Section string            // the nearest heading above the item, without its marks
	Level   Level             // its one normative verb
	Binds   Binding           // AnyNode, or KithOnly when it carries the mark (Kith)
	Source  string            // what stands in brackets, "BEP 5"; several are joined by "; "; empty when none is named
	Text    string            // the item in one line: without number, trailing source, mark and id
	Hash    [sha256.Size]byte // SHA-256 of Text, with " (Kith)" behind it when KithOnly
	Line    int               // line of the item in the chapter's file, from 1
}

// A Chapter is one file of the spec.
type Chapter struct {
	Name   string // file name without ".md"
	Title  string // its first heading
	Prefix string // first word of its requirements' ids; empty for a chapter that holds none
	Text   string // the whole file
}

// order is the reading order of the chapters; a file that it does not name comes last.
var order = []string{"README", "wire", "dht", "sealed", "rendezvous", "handshake", "ratchet", "peer", "shim", "operations", "security", "rationale"}

// prefixes gives the chapters that hold requirements the first word of their ids.
var prefixes = map[string]string{
	"wire": "wire", "dht": "dht", "sealed": "sealed", "rendezvous": "rv",
	"handshake": "hs", "ratchet": "rt", "peer": "peer", "shim": "shim",
}

// Chapters returns all chapters in reading order.
func Chapters() []Chapter { return slices.Clone(chapters()) }

var chapters = sync.OnceValue(func() []Chapter {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic("spec: " + err.Error()) // the files are in the binary
	}
	var all []Chapter
	for _, e := range entries {
		text, err := files.ReadFile(e.Name())
		if err != nil {
			panic("spec: " + err.Error())
		}
		name := strings.TrimSuffix(e.Name(), ".md")
		all = append(all, Chapter{Name: name, Title: title(string(text)), Prefix: prefixes[name], Text: string(text)})
	}
	place := func(c Chapter) int {
		if i := slices.Index(order, c.Name); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortStableFunc(all, func(a, b Chapter) int { return place(a) - place(b) })
	return all
})

// Requirements returns every requirement, chapter by chapter in reading order and in the order of the text.
func Requirements() []Requirement { return slices.Clone(parsed().all) }

// Lookup returns the requirement of that id, and whether there is one.
func Lookup(id string) (Requirement, bool) {
	i, ok := parsed().index[id]
	if !ok {
		return Requirement{}, false
	}
	return parsed().all[i], true
}

type requirements struct {
	all    []Requirement
	index  map[string]int
	faults []fault
}

var parsed = sync.OnceValue(func() requirements { return collect(chapters()) })

// collect parses the chapters together, because an id is taken for all of them. Of a double id the first stays.
func collect(all []Chapter) requirements {
	r := requirements{index: map[string]int{}}
	for _, c := range all {
		items, faults := parse(c)
		r.faults = append(r.faults, faults...)
		for _, it := range items {
			if first, taken := r.index[it.ID]; taken {
				was := r.all[first]
				r.faults = append(r.faults, fault{c.Name, it.Line, faultDouble,
					it.ID + " already stands in " + was.Chapter + ".md, " + was.Section})
				continue
			}
			r.index[it.ID] = len(r.all)
			r.all = append(r.all, it)
		}
	}
	return r
}
