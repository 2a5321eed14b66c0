package testvectors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// A rule is a schema of JSON Schema 2020-12, as far as schema.json makes use of it. A keyword that does not stand here is an error when
// the schema is read, so that none is passed over. The tests hold it against a whole implementation.
type rule struct {
	Schema      string           `json:"$schema"`
	ID          string           `json:"$id"`
	Title       string           `json:"title"`
	Description string           `json:"description"`
	Defs        map[string]*rule `json:"$defs"`
	Ref         string           `json:"$ref"`

	Type  string  `json:"type"`
	Const any     `json:"const"`
	Enum  []any   `json:"enum"`
	AllOf []*rule `json:"allOf"`
	AnyOf []*rule `json:"anyOf"`
	OneOf []*rule `json:"oneOf"`
	If    *rule   `json:"if"`
	Then  *rule   `json:"then"`
	Else  *rule   `json:"else"`

	Pattern   string `json:"pattern"`
	MinLength *int   `json:"minLength"`
	MaxLength *int   `json:"maxLength"`
	Minimum   *int64 `json:"minimum"`
	Maximum   *int64 `json:"maximum"`

	Properties           map[string]*rule `json:"properties"`
	PatternProperties    map[string]*rule `json:"patternProperties"`
	AdditionalProperties *rule            `json:"additionalProperties"`
	Required             []string         `json:"required"`
	MinProperties        *int             `json:"minProperties"`
	MaxProperties        *int             `json:"maxProperties"`
	Items                *rule            `json:"items"`
	MinItems             *int             `json:"minItems"`
	MaxItems             *int             `json:"maxItems"`
	UniqueItems          bool             `json:"uniqueItems"`

	never    bool // the schema false
	target   *rule
	pattern  *regexp.Regexp
	patterns map[string]*regexp.Regexp
}

// UnmarshalJSON reads a schema, which may be true or false.
func (r *rule) UnmarshalJSON(b []byte) error {
	if b[0] == 't' || b[0] == 'f' {
		r.never = b[0] == 'f'
		return nil
	}
	type plain rule
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	d.UseNumber()
	if err := d.Decode((*plain)(r)); err != nil {
		return err
	}
	if r.Pattern != "" {
		p, err := regexp.Compile(r.Pattern)
		if err != nil {
			return err
		}
		r.pattern = p
	}
	for name := range r.PatternProperties {
		p, err := regexp.Compile(name)
		if err != nil {
			return err
		}
		if r.patterns == nil {
			r.patterns = map[string]*regexp.Regexp{}
		}
		r.patterns[name] = p
	}
	return nil
}

// children are all schemas directly inside.
func (r *rule) children() []*rule {
	all := slices.Concat(r.AllOf, r.AnyOf, r.OneOf, []*rule{r.If, r.Then, r.Else, r.AdditionalProperties, r.Items})
	for _, m := range []map[string]*rule{r.Defs, r.Properties, r.PatternProperties} {
		for _, c := range m {
			all = append(all, c)
		}
	}
	return slices.DeleteFunc(all, func(c *rule) bool { return c == nil })
}

// link finds what each $ref means. They name definitions of the same file.
func (r *rule) link(root *rule) error {
	if r.Ref != "" {
		at := root
		words := strings.Split(strings.TrimPrefix(r.Ref, "#/"), "/")
		for i := 0; i+1 < len(words) && at != nil; i += 2 {
			if words[i] != "$defs" {
				return fmt.Errorf("$ref %q does not name a definition", r.Ref)
			}
			at = at.Defs[words[i+1]]
		}
		if at == nil || len(words)%2 != 0 {
			return fmt.Errorf("$ref %q names nothing", r.Ref)
		}
		r.target = at
	}
	for _, c := range r.children() {
		if err := c.link(root); err != nil {
			return err
		}
	}
	return nil
}

// theSchema is schema.json.
var theSchema = sync.OnceValue(func() *rule {
	b, err := Files.ReadFile("schema.json")
	if err != nil {
		panic("testvectors: " + err.Error()) // the files are in the binary
	}
	r, err := parseRule(b)
	if err != nil {
		panic("testvectors: schema.json: " + err.Error()) // and the tests have read them
	}
	return r
})

func parseRule(b []byte) (*rule, error) {
	r := &rule{}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, err
	}
	return r, r.link(r)
}

// A flaw is a place in which a value is not as its schema wants it.
type flaw struct{ field, text string }

// check returns the flaws of a value that was read with UseNumber; at is what it is called.
func (r *rule) check(v any, at string) (found []flaw) {
	add := func(format string, args ...any) { found = append(found, flaw{at, fmt.Sprintf(format, args...)}) }
	if r.never {
		add("must not be there")
		return found
	}
	if r.target != nil {
		found = append(found, r.target.check(v, at)...)
	}
	if r.Type != "" && !isType(v, r.Type) {
		add("is %s, and not of the type %s", brief(v), r.Type)
		return found
	}
	if r.Const != nil && !same(r.Const, v) {
		add("is %s, and not %s", brief(v), brief(r.Const))
	}
	if r.Enum != nil && !slices.ContainsFunc(r.Enum, func(e any) bool { return same(e, v) }) {
		add("is %s, and not one of %s", brief(v), brief(r.Enum))
	}
	switch v := v.(type) {
	case string:
		found = append(found, r.checkString(v, at)...)
	case json.Number:
		if i, err := v.Int64(); err == nil && (r.Minimum != nil && i < *r.Minimum || r.Maximum != nil && i > *r.Maximum) {
			add("is %s, and out of range", v)
		}
	case map[string]any:
		found = append(found, r.checkObject(v, at)...)
	case []any:
		found = append(found, r.checkList(v, at)...)
	}
	for _, c := range r.AllOf {
		found = append(found, c.check(v, at)...)
	}
	if r.AnyOf != nil || r.OneOf != nil {
		found = append(found, r.checkChoice(v, at)...)
	}
	if r.If != nil {
		then := r.Then
		if len(r.If.check(v, at)) > 0 {
			then = r.Else
		}
		if then != nil {
			found = append(found, then.check(v, at)...)
		}
	}
	return found
}

// checkChoice wants one of AnyOf, and exactly one of OneOf. When none fits, it shows what is wrong with the nearest.
func (r *rule) checkChoice(v any, at string) []flaw {
	fit, nearest := 0, []flaw(nil)
	for _, c := range slices.Concat(r.AnyOf, r.OneOf) {
		switch flaws := c.check(v, at); {
		case len(flaws) == 0:
			fit++
		case nearest == nil || len(flaws) < len(nearest):
			nearest = flaws
		}
	}
	switch {
	case fit == 0:
		return nearest
	case fit > 1 && r.OneOf != nil:
		return []flaw{{at, "is of two forms at once"}}
	}
	return nil
}

func (r *rule) checkString(s, at string) (found []flaw) {
	n := utf8.RuneCountInString(s)
	switch {
	case r.pattern != nil && !r.pattern.MatchString(s):
		found = append(found, flaw{at, fmt.Sprintf("is %s, and does not match %s", brief(s), r.Pattern)})
	case r.MinLength != nil && n < *r.MinLength, r.MaxLength != nil && n > *r.MaxLength:
		found = append(found, flaw{at, fmt.Sprintf("has %d characters, and a wrong length", n)})
	}
	return found
}

func (r *rule) checkObject(m map[string]any, at string) (found []flaw) {
	for _, name := range r.Required {
		if _, ok := m[name]; !ok {
			found = append(found, flaw{join(at, name), "is missing"})
		}
	}
	for _, name := range sortedKeys(m) {
		known := false
		if p, ok := r.Properties[name]; ok {
			known = true
			found = append(found, p.check(m[name], join(at, name))...)
		}
		for pattern, p := range r.patterns {
			if p.MatchString(name) {
				known = true
				found = append(found, r.PatternProperties[pattern].check(m[name], join(at, name))...)
			}
		}
		if !known && r.AdditionalProperties != nil {
			found = append(found, r.AdditionalProperties.check(m[name], join(at, name))...)
		}
	}
	if r.MinProperties != nil && len(m) < *r.MinProperties || r.MaxProperties != nil && len(m) > *r.MaxProperties {
		found = append(found, flaw{at, fmt.Sprintf("has %d keys, and a wrong number of them", len(m))})
	}
	return found
}

func (r *rule) checkList(list []any, at string) (found []flaw) {
	if r.MinItems != nil && len(list) < *r.MinItems || r.MaxItems != nil && len(list) > *r.MaxItems {
		found = append(found, flaw{at, fmt.Sprintf("has %d entries, and a wrong number of them", len(list))})
	}
	for i, item := range list {
		if r.Items != nil {
			found = append(found, r.Items.check(item, fmt.Sprintf("%s[%d]", at, i))...)
		}
		if r.UniqueItems && slices.ContainsFunc(list[:i], func(other any) bool { return same(other, item) }) {
			found = append(found, flaw{fmt.Sprintf("%s[%d]", at, i), "stands there twice"})
		}
	}
	return found
}

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

func isType(v any, name string) bool {
	switch v := v.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case json.Number:
		_, err := v.Int64()
		return name == "integer" && err == nil || name == "number"
	case []any:
		return name == "array"
	}
	return name == "object"
}

// same reports whether two values are equal.
func same(a, b any) bool {
	equal := true
	compareValues("", a, b, func(string, string, string) { equal = false })
	return equal
}

// brief shows a value in the middle of a sentence.
func brief(v any) string { return clip(show(v)) }
