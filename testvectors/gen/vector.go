package gen

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// Outcomes and reason classes, as spec/README.md lists them.
const (
	accept = "accept"
	ignore = "ignore"
	drop   = "drop"
	abort  = "abort"

	malformed      = "malformed"
	authentication = "authentication"
	replay         = "replay"
	state          = "state"
	limit          = "limit"
)

// A vector is one entry of a file: one question to an implementation, or a script of them, and the one right answer. Its fields
// are written in the order in which they stand here.
type vector struct {
	id      string   // its requirement and a suffix: "wire-depth/seventeen"
	also    []string // requirements beside the one that the id names
	op      string   // the field "type": an operation of the tables, or script
	comment string
	source  string   // where the bytes were published, empty for our own
	twin    string   // of what is not accepted: the nearest vector that is
	secrets *secrets // the secrets that in, draws and steps were made of; nil: none
	text    string   // bytes of it, for people
	in      object   // what is asked, as the table says
	draws   object   // randomness by its name, in the order in which the spec lists the draws
	steps   []step   // of a script, in place of in, draws and out
	outcome string
	reason  string // why it was not accepted
	out     object // the answer; of what is not accepted: what goes with the refusal, if anything does
	mid     object // intermediate values by the spec's names
}

// A step is one question of a script and its answer: out when it is accepted, otherwise reject.
type step struct {
	op      string
	comment string // optional
	in      object
	draws   object
	out     object
	reject  string // the reason class
	with    object // what goes with the refusal
	counted bool   // the refusal is counted by a limit of the spec, so that it does change the state
	mid     object
}

type field struct {
	name  string
	value any
}

// MarshalJSON keeps the order of the fields.
func (v vector) MarshalJSON() ([]byte, error) {
	all := object{
		{"id", written(v.id)}, {"requirements", append([]string{requirementOf(v.id)}, v.also...)}, {"type", v.op}, {"comment", v.comment},
	}
	all.text("source", v.source)
	all.text("twin", written(v.twin))
	if v.secrets != nil {
		all = append(all, field{"secrets", v.secrets.json()})
	}
	all.text("text", v.text)
	if v.op == script {
		all = append(all, field{"steps", v.steps})
	} else {
		all = append(all, field{"in", v.in})
	}
	all.object("draws", v.draws)
	all = append(all, field{"outcome", v.outcome})
	all.text("reason", v.reason)
	if v.op != script && (v.outcome == accept || v.out != nil) {
		all = append(all, field{"out", v.out})
	}
	all.object("intermediate", v.mid)
	return all.MarshalJSON()
}

// MarshalJSON keeps the order of the fields.
func (s step) MarshalJSON() ([]byte, error) {
	all := object{{"op", s.op}}
	all.text("comment", s.comment)
	all = append(all, field{"in", s.in})
	all.object("draws", s.draws)
	if s.reject == "" {
		all = append(all, field{"out", s.out})
	}
	all.text("reject", s.reject)
	all.object("with", s.with)
	if s.counted {
		all = append(all, field{"counted", true})
	}
	all.object("intermediate", s.mid)
	return all.MarshalJSON()
}

// check panics when the vector is not one: the schema and the package testvectors look at everything else.
func (v vector) check() {
	refused := v.outcome != accept
	switch {
	case refused != (v.reason != ""), refused != (v.twin != ""):
		panic(v.id + ": a reason and a twin stand where it is not accepted, and nowhere else")
	case (v.op == script) != (v.steps != nil), v.op == script && (v.in != nil || v.draws != nil || v.out != nil || v.mid != nil):
		panic(v.id + ": a script has steps and nothing else has")
	}
	if v.op != script {
		operationOf(v.id, v.op)
	}
	for i, s := range v.steps {
		operationOf(fmt.Sprintf("%s, step %d", v.id, i+1), s.op)
		if s.reject != "" && s.out != nil || s.reject == "" && (s.with != nil || s.counted) {
			panic(fmt.Sprintf("%s: step %d is accepted and refused", v.id, i+1))
		}
	}
	if n := len(v.steps); n > 0 && v.steps[n-1].reject != v.reason {
		panic(v.id + ": the last step of a script decides its reason")
	}
}

// An object is a JSON object whose keys keep their order.
type object []field

// o makes an object of keys and values in turn. Strings stand in it as they are; bytes belong through toHex.
func o(pairs ...any) object {
	out := object{}
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, field{pairs[i].(string), pairs[i+1]})
	}
	return out
}

// with returns a copy in which a key has another value; it panics where there is no such key.
func (o object) with(key string, value any) object {
	out := append(object(nil), o...)
	for i := range out {
		if out[i].name == key {
			out[i].value = value
			return out
		}
	}
	panic("no key " + key)
}

func (o *object) text(name, s string) {
	if s != "" {
		*o = append(*o, field{name, s})
	}
}

func (o *object) object(name string, value object) {
	if value != nil {
		*o = append(*o, field{name, value})
	}
}

func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:", f.name)
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(f.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// An id is stated as its requirement, a slash and a suffix, and written with a hyphen for the slash.
func requirementOf(id string) string {
	requirement, _, _ := strings.Cut(id, "/")
	return requirement
}

func written(id string) string { return strings.Replace(id, "/", "-", 1) }

// text shows bytes to people: what cannot be printed stands as \xNN, and a backslash is doubled.
func text(b string) string {
	var s strings.Builder
	for i := range len(b) {
		switch c := b[i]; {
		case c == '\\':
			s.WriteString(`\\`)
		case c >= 0x20 && c < 0x7f:
			s.WriteByte(c)
		default:
			fmt.Fprintf(&s, `\x%02x`, c)
		}
	}
	return s.String()
}

// toHex writes bytes as they stand in the files.
func toHex[B string | []byte](b B) string { return hex.EncodeToString([]byte(b)) }

// fromHex reads hex in which spaces may stand.
func fromHex(s string) string {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	must(err)
	return string(b)
}
