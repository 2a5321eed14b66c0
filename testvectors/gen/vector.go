package main

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

	malformed      = "malformed"
	limit          = "limit"
	authentication = "authentication"
	state          = "state"
)

// A vector is one entry of a file. Its fields stand in the order in which a reader wants them.
type vector struct {
	id      string   // its requirement and a suffix: "wire-depth/seventeen"
	also    []string // requirements beside the one that the id names
	kind    string   // the field "type"
	comment string
	source  string // where the bytes were published, empty for our own
	twin    string // of what is not accepted: the nearest vector that is
	body    []field
	outcome string
	reason  string
	error   int // the KRPC error that a Kith node answers; 0: none
}

type field struct {
	name  string
	value any
}

// MarshalJSON keeps the order of the fields.
func (v vector) MarshalJSON() ([]byte, error) {
	all := []field{
		{"id", written(v.id)}, {"requirements", append([]string{requirementOf(v.id)}, v.also...)}, {"type", v.kind}, {"comment", v.comment},
	}
	optional := func(name, s string) {
		if s != "" {
			all = append(all, field{name, s})
		}
	}
	optional("source", v.source)
	optional("twin", written(v.twin))
	all = append(all, v.body...)
	optional("outcome", v.outcome)
	optional("reason", v.reason)
	if v.error != 0 {
		all = append(all, field{"error", v.error})
	}
	return object(all).MarshalJSON()
}

// An object is a JSON object whose keys keep their order.
type object []field

func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, f := range o {
		b.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
		fmt.Fprintf(&b, "%q:", f.name)
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(f.value); err != nil {
			return nil, err
		}
	}
	if len(o) == 0 {
		b.WriteByte('{')
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

func toHex(b string) string { return hex.EncodeToString([]byte(b)) }

// fromHex reads hex in which spaces may stand.
func fromHex(s string) string {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	must(err)
	return string(b)
}
