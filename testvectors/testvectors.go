// Package testvectors holds the test vectors of the spec: JSON that any implementation in any language can be checked
// against, a small reader of it for Go, and the verifier that asks an implementation. README.md describes the format, spec/shim.md
// how an implementation is asked.
//
// Start with [Group], or with [Verify]. The files are derived by package gen, which imports nothing else of this module. No file
// is written by hand; run go generate after a change of gen.
package testvectors

import (
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

//go:generate go run ./gen/write

// Version is the version of the vectors, the same as in each file. While it ends in "-draft", vectors may still change;
// ids may not.
const Version = "1-draft"

// Files holds every group as a JSON file at its top, schema.json, and shim.schema.json.
//
//go:embed *.json
var Files embed.FS

// Hex is bytes that stand in JSON as lower-case hexadecimal digits.
type Hex []byte

// UnmarshalText reads hexadecimal digits.
func (h *Hex) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	*h = b
	return err
}

// Accept is the outcome of what takes its effect.
const Accept = "accept"

// Script is the type of a vector that has steps.
const Script = "script"

// A Vector is one entry of a group. What stands in In, Draws, Out and Intermediate depends on Type; they are objects as they stand
// in the file, nil where they do not.
type Vector struct {
	ID           string            `json:"id"`           // its first requirement, mostly with a suffix
	Requirements []string          `json:"requirements"` // ids of package spec
	Type         string            `json:"type"`         // an operation of spec/shim.md, or Script
	Comment      string            `json:"comment"`
	Source       string            `json:"source"`  // where it was published, "BEP 5"; empty for our own
	Twin         string            `json:"twin"`    // of what is not accepted: the nearest vector that is
	Secrets      map[string]Secret `json:"secrets"` // what In, Draws and Steps were made of
	Text         *string           `json:"text"`    // bytes of it, for people
	In           json.RawMessage   `json:"in"`
	Draws        json.RawMessage   `json:"draws"` // randomness by its name
	Steps        []Step            `json:"steps"` // of a script
	Outcome      string            `json:"outcome"`
	Reason       string            `json:"reason"`       // malformed, authentication, replay, state or limit; empty when accepted
	Out          json.RawMessage   `json:"out"`          // of what is not accepted: what goes with the refusal
	Intermediate json.RawMessage   `json:"intermediate"` // values by the spec's names

	Group string `json:"-"` // of the file it was read from
	raw   json.RawMessage
}

// A Secret is SHA-256 of its label.
type Secret struct {
	Label string `json:"label"`
	Bytes Hex    `json:"bytes"`
}

// A Step is one question of a script and its answer.
type Step struct {
	Op           string          `json:"op"`
	Comment      string          `json:"comment"`
	In           json.RawMessage `json:"in"`
	Draws        json.RawMessage `json:"draws"`
	Out          json.RawMessage `json:"out"`
	Reject       string          `json:"reject"`  // the reason class; empty when accepted
	With         json.RawMessage `json:"with"`    // what goes with the refusal
	Counted      bool            `json:"counted"` // a limit counts this refusal, so that it may change the state
	Intermediate json.RawMessage `json:"intermediate"`
}

// UnmarshalJSON keeps the whole entry for Into.
func (v *Vector) UnmarshalJSON(b []byte) error {
	type plain Vector // has no methods
	if err := json.Unmarshal(b, (*plain)(v)); err != nil {
		return err
	}
	v.raw = append(json.RawMessage(nil), b...)
	return nil
}

// Into reads all fields of the vector into the struct that to points to, by the rules of encoding/json: mostly a struct with the
// fields In and Out, which are structs.
func (v Vector) Into(to any) error {
	if err := json.Unmarshal(v.raw, to); err != nil {
		return fmt.Errorf("testvectors: %s: %w", v.ID, err)
	}
	return nil
}

var errVersion = errors.New("file of another version")

// Group returns the vectors of one file in their order; its name is the file's without ".json", such as "krpc".
func Group(name string) ([]Vector, error) {
	b, err := Files.ReadFile(name + ".json")
	if err != nil {
		return nil, fmt.Errorf("testvectors: group %q: %w", name, err)
	}
	var file struct {
		Version string
		Vectors []Vector
	}
	if err := json.Unmarshal(b, &file); err != nil {
		return nil, fmt.Errorf("testvectors: group %q: %w", name, err)
	}
	if file.Version != Version {
		return nil, fmt.Errorf("testvectors: group %q: version %q: %w", name, file.Version, errVersion)
	}
	for i := range file.Vectors {
		file.Vectors[i].Group = name
	}
	return file.Vectors, nil
}

// Groups returns the names of all groups, in the order in which an implementer meets them.
func Groups() []string { return []string{"bencode", "krpc", "compact", "bep42", "bep44"} }

// All returns the vectors of every group.
func All() ([]Vector, error) {
	var all []Vector
	for _, name := range Groups() {
		vectors, err := Group(name)
		if err != nil {
			return nil, err
		}
		all = append(all, vectors...)
	}
	return all, nil
}
