package spec

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
)

// The grammar of an item, after its lines have been joined into one.
var (
	numbered  = regexp.MustCompile(`^ {0,3}[0-9]+[.)] +(.*)$`)
	heading   = regexp.MustCompile(`^#{1,6} +(.*?)[ #]*$`)
	fence     = regexp.MustCompile("^ *(```+|~~~+)")
	block     = regexp.MustCompile(`^([-*+] |[|>])`) // ends an item without a blank line
	nested    = regexp.MustCompile(`^\s+([-*+]|[0-9]+[.)]) `)
	codeSpan  = regexp.MustCompile("`[^`]*`")
	normative = regexp.MustCompile(`\b(MUST NOT|MUST|SHOULD NOT|SHOULD|MAY)\b`)
	foreign   = regexp.MustCompile(`\b(SHALL|REQUIRED|RECOMMENDED|OPTIONAL)\b`)
	idAtEnd   = regexp.MustCompile("`([^` ]+)`$")
	idForm    = regexp.MustCompile(`^[a-z]+(-[a-z0-9]+){1,4}$`)
	source    = regexp.MustCompile(`\[((?:BEP|RFC) [^\]]+)\]`)
	sourceEnd = regexp.MustCompile(`\s*\[(?:BEP|RFC) [^\]]+\]$`)
)

const kithMark = "(Kith)"

// A fault is a place where a chapter breaks the rules for writing requirements.
type fault struct {
	chapter string
	line    int
	kind    faultKind
	detail  string
}

func (f fault) String() string {
	return fmt.Sprintf("%s.md:%d: %s: %s", f.chapter, f.line, f.kind, f.detail)
}

type faultKind string

const (
	faultNoID    faultKind = "an item with a normative verb must end with its id"
	faultNoVerb  faultKind = "an item with an id needs a normative verb"
	faultVerbs   faultKind = "an item has one normative verb"
	faultForm    faultKind = "an id is two to five small words joined by hyphens"
	faultPrefix  faultKind = "an id begins with its chapter's prefix"
	faultDouble  faultKind = "an id names one item"
	faultOutside faultKind = "normative verbs stand in numbered items only"
	faultForeign faultKind = "the normative verbs are MUST, SHOULD and MAY"
	faultMark    faultKind = "(Kith) stands directly before the id"
)

// free names the chapters that speak about requirements without holding any.
var free = map[string]bool{"README": true, "rationale": true}

// parse reads the requirements of one chapter and everything in it that breaks the rules. An item whose
// id or verb cannot be told is left out.
func parse(c Chapter) ([]Requirement, []fault) {
	if free[c.Name] {
		return nil, nil
	}
	p := parser{chapter: c}
	for i, line := range strings.Split(c.Text, "\n") {
		p.line(i+1, strings.TrimRight(line, " \t\r"))
	}
	p.endItem()
	p.endProse()
	return p.found, p.faults
}

type parser struct {
	chapter Chapter
	section string
	inFence string // the fence that will end the block, empty outside of one

	item     []string // paragraphs of the open item; nil when none is open
	itemLine int
	newPara  bool // a blank line came since the item's last line

	prose     []string // lines of the open paragraph outside of items
	proseLine int

	found  []Requirement
	faults []fault
}

func (p *parser) line(n int, s string) {
	if m := fence.FindStringSubmatch(s); m != nil {
		switch {
		case p.inFence == "":
			p.inFence = m[1]
		case strings.HasPrefix(m[1], p.inFence):
			p.inFence = ""
		}
		return
	}
	indented := strings.HasPrefix(s, "   ") || strings.HasPrefix(s, "\t")
	switch {
	case p.inFence != "":
	case s == "":
		p.newPara = true
		p.endProse()
	case heading.MatchString(s):
		p.endItem()
		p.endProse()
		p.section = heading.FindStringSubmatch(s)[1]
		p.addProse(n, s)
		p.endProse()
	case numbered.MatchString(s) && (p.item == nil || !indented):
		p.endItem()
		p.endProse()
		p.item, p.itemLine, p.newPara = []string{numbered.FindStringSubmatch(s)[1]}, n, false
	case p.item != nil && (indented || !p.newPara && !block.MatchString(s)):
		// Markdown takes an unindented line behind an item's line into the item as well.
		if p.newPara || nested.MatchString(s) {
			p.item = append(p.item, "")
		}
		last := len(p.item) - 1
		p.item[last], p.newPara = strings.TrimSpace(p.item[last]+" "+strings.TrimSpace(s)), false
	case p.prose == nil && strings.HasPrefix(s, "    "): // a block of code
		p.endItem()
	default:
		p.endItem()
		p.addProse(n, s)
	}
}

func (p *parser) addProse(n int, s string) {
	if p.prose == nil {
		p.proseLine = n
	}
	p.prose = append(p.prose, s)
}

func (p *parser) fault(line int, kind faultKind, format string, args ...any) {
	p.faults = append(p.faults, fault{p.chapter.Name, line, kind, fmt.Sprintf(format, args...)})
}

// endProse looks through a paragraph that belongs to no item. It is joined first: a verb may break over two lines.
func (p *parser) endProse() {
	text := normalise(codeSpan.ReplaceAllString(strings.Join(p.prose, " "), ""))
	p.prose = nil
	for _, verb := range normative.FindAllString(text, -1) {
		p.fault(p.proseLine, faultOutside, "%s in %q", verb, shorten(text))
	}
	for _, verb := range foreign.FindAllString(text, -1) {
		p.fault(p.proseLine, faultForeign, "%s in %q", verb, shorten(text))
	}
}

// endItem judges the open item and keeps it when it is a requirement.
func (p *parser) endItem() {
	if p.item == nil {
		return
	}
	paragraphs, line := p.item, p.itemLine
	p.item, p.newPara = nil, false

	id, at := p.takeID(paragraphs)
	var binds Binding
	if text, marked := strings.CutSuffix(paragraphs[at], kithMark); marked && id != "" {
		paragraphs[at], binds = text, KithOnly
	}
	sources := source.FindAllStringSubmatch(strings.Join(paragraphs, " "), -1)
	for paragraphs[at] = strings.TrimSpace(paragraphs[at]); sourceEnd.MatchString(paragraphs[at]); {
		paragraphs[at] = sourceEnd.ReplaceAllString(paragraphs[at], "")
	}
	text := normalise(strings.Join(paragraphs, " "))
	plain := normalise(codeSpan.ReplaceAllString(text, ""))
	verbs := normative.FindAllString(plain, -1)
	for _, verb := range foreign.FindAllString(plain, -1) {
		p.fault(line, faultForeign, "%s in %q", verb, shorten(text))
	}
	if id == "" {
		if len(verbs) > 0 {
			p.fault(line, faultNoID, "%q", shorten(text))
		}
		return // an ordinary numbered list
	}
	if strings.Contains(text, kithMark) {
		p.fault(line, faultMark, "%s", id)
	}
	switch {
	case !idForm.MatchString(id):
		p.fault(line, faultForm, "%s", id)
		return
	case !strings.HasPrefix(id, p.chapter.Prefix+"-") || p.chapter.Prefix == "":
		p.fault(line, faultPrefix, "%s in %s.md, whose prefix is %q", id, p.chapter.Name, p.chapter.Prefix)
	}
	switch len(verbs) {
	case 0:
		p.fault(line, faultNoVerb, "%s", id)
		return
	case 1:
	default:
		p.fault(line, faultVerbs, "%s has %s", id, strings.Join(verbs, ", "))
	}
	r := Requirement{
		ID: id, Chapter: p.chapter.Name, Section: p.section, Line: line,
		Level: Level(verbs[0]), Binds: binds, Text: text, Hash: hash(text, binds),
	}
	for i, m := range sources {
		if i > 0 {
			r.Source += "; "
		}
		r.Source += m[1]
	}
	p.found = append(p.found, r)
}

// takeID cuts the id off the item's end, or off the end of its first paragraph when more text hangs below, and says
// from which paragraph. It takes a misspelt id as well, for the fault to name it.
func (p *parser) takeID(paragraphs []string) (id string, at int) {
	for _, at := range []int{len(paragraphs) - 1, 0} {
		m := idAtEnd.FindStringSubmatch(paragraphs[at])
		if m == nil || !idForm.MatchString(m[1]) && !strings.HasPrefix(m[1], p.chapter.Prefix+"-") {
			continue
		}
		paragraphs[at] = strings.TrimSpace(strings.TrimSuffix(paragraphs[at], m[0]))
		return m[1], at
	}
	return "", 0
}

func hash(text string, b Binding) [sha256.Size]byte {
	if b == KithOnly {
		text += " " + kithMark
	}
	return sha256.Sum256([]byte(text))
}

// normalise makes one line of a text: line breaks carry no meaning, so they do not count for its hash.
func normalise(s string) string { return strings.Join(strings.Fields(s), " ") }

func title(text string) string {
	for line := range strings.Lines(text) {
		if m := heading.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			return m[1]
		}
	}
	return ""
}

// shorten keeps a fault on one line of a terminal.
func shorten(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}
