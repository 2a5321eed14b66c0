package gen

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// script is the type of a vector that is no single question.
const script = "script"

// An operation is a question that an implementation can be asked, as spec/shim.md lists them. Its keys are written as "name type"
// and parted by commas; a question mark behind the name means that it may be missing, "nonce-*" stands for nonce-0, nonce-1 and so on, as
// many as there are. Types are those of shapes, hex of a fixed number of bytes ("hex32"), and lists of either ("hex32[]").
type operation struct {
	name  string
	in    string
	draws string // in the order in which they are drawn
	out   string // of what is accepted
	with  string // what goes with a refusal; empty: nothing
	mid   string // intermediate values that it may show
	fails string // the outcome of a refusal and the reasons that it may have, "drop malformed limit"; empty: it accepts everything
	extra object // a schema for whole vectors, for what the keys cannot say
}

// operations are all that there are, a table for each component.
func operations() []operation {
	return slices.Concat(frameOperations, wireOperations, dhtOperations, rvOperations, hsOperations, ratchetOperations, pcOperations)
}

// frameOperations belong to the protocol itself.
var frameOperations = []operation{
	{name: "hello", in: "version text", out: "version text, implementation text, capabilities text[], limits limits"},
	{name: "snapshot", in: "handle handle", out: "snapshot hex"},
	{name: "free", in: "handle handle"},
}

// A shape is a named type of the tables: an object with these keys, or what the schema says.
type shape struct {
	name   string
	keys   string
	schema object
}

func (s shape) describe() object {
	if s.keys != "" {
		return objectOf(s.keys)
	}
	return s.schema
}

// shapes are the types of all tables.
func shapes() []shape { return slices.Concat(frameShapes, wireShapes, hsShapes, pcShapes) }

var frameShapes = []shape{
	{name: "hex", schema: o("description", "Bytes, two lower-case digits each.", "type", "string", "pattern", "^([0-9a-f]{2})*$")},
	{name: "bool", schema: o("type", "boolean")},
	{name: "text", schema: o("description", "Text for people, or a name.", "type", "string")},
	{name: "number", schema: o("description", "A number that is exact in a double.", "type", "integer", "minimum", 0, "maximum", 1<<53-1)},
	{name: "integer", schema: o("description", "An integer of 64 bits, in decimal, as a string: JSON's numbers are exact to 2^53 only.",
		"type", "string", "pattern", "^(0|-?[1-9][0-9]*)$")},
	{name: "handle", schema: o("description", "The name of a state that the shim keeps.", "type", "string", "pattern", "^[a-z][a-z0-9-]{0,31}$")},
	{name: "limits", schema: o("description", "What the shim cannot do that another could.", "type", "object", "additionalProperties", false, "properties", o(
		"line", o("description", "The longest request, in bytes, without its newline.", "type", "integer", "minimum", 1024),
		"handles", o("description", "How many handles may live at once.", "type", "integer", "minimum", 0),
	))},
}

// operationOf returns the operation of a name; where says who asks.
func operationOf(where, name string) operation {
	for _, op := range operations() {
		if op.name == name {
			return op
		}
	}
	panic(where + ": no operation is called " + name)
}

// drawsAlways reports whether there is no case in which nothing is drawn.
func (op operation) drawsAlways() bool {
	return slices.ContainsFunc(keys(op.draws), func(k key) bool { return !k.optional && !strings.HasSuffix(k.name, "*") })
}

// A key is one entry of an operation's in, draws, out, with or mid.
type key struct {
	name     string
	optional bool
	kind     string // the type without size and list
	size     int    // of hexN
	list     bool
}

var (
	keyForm = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_-]*\*?)(\??) ([a-z][a-z0-9_-]*?)([0-9]*)((?:\[\])?)$`)
	ref     = func(name string) object { return o("$ref", "#/$defs/"+name) }
)

func keys(list string) (all []key) {
	if list == "" {
		return nil
	}
	for part := range strings.SplitSeq(list, ",") {
		m := keyForm.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil {
			panic(fmt.Sprintf("%q is not a name and a type", part))
		}
		k := key{name: m[1], optional: m[2] != "", kind: m[3], list: m[5] != ""}
		if k.kind == "hex" && m[4] != "" {
			k.size, _ = strconv.Atoi(m[4])
		} else {
			k.kind += m[4]
		}
		if !slices.ContainsFunc(shapes(), func(s shape) bool { return s.name == k.kind }) {
			panic(fmt.Sprintf("%q: no type is called %s", part, k.kind))
		}
		all = append(all, k)
	}
	return all
}

func (k key) schema() object {
	s := ref(k.kind)
	if k.size != 0 {
		s = append(s, field{"minLength", 2 * k.size}, field{"maxLength", 2 * k.size})
	}
	if k.list {
		s = o("type", "array", "items", s)
	}
	return s
}

// objectOf describes an object of these keys and no others.
func objectOf(list string) object {
	properties, many, required := object{}, object{}, []string{}
	for _, k := range keys(list) {
		if stem, ok := strings.CutSuffix(k.name, "*"); ok {
			many = append(many, field{"^" + stem + "(0|[1-9][0-9]?)$", k.schema()})
			continue
		}
		properties = append(properties, field{k.name, k.schema()})
		if !k.optional {
			required = append(required, k.name)
		}
	}
	s := o("type", "object", "additionalProperties", false)
	if len(required) > 0 {
		s = append(s, field{"required", required})
	}
	if len(properties) > 0 {
		s = append(s, field{"properties", properties})
	}
	if len(many) > 0 {
		s = append(s, field{"patternProperties", many})
	}
	return s
}

// optionally makes every key of a list optional: a shim shows the intermediate values that it has.
func optionally(list string) string {
	all := strings.Split(list, ",")
	for i, part := range all {
		name, kind, _ := strings.Cut(strings.TrimSpace(part), " ")
		all[i] = strings.TrimSuffix(name, "?") + "? " + kind
	}
	return strings.Join(all, ", ")
}
