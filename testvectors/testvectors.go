// Package testvectors holds the test vectors of the spec: JSON that any implementation in any language can be checked
// against, a small reader of it for Go, and the verifier that asks an implementation. README.md describes the format, spec/shim.md
// how an implementation is asked.
//
// Start with [Group], or with [Verify]. The files are derived by package gen, which imports nothing else of this module. No file
// is written by hand; run go generate after a change of gen.
package testvectors

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
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

	Group string          `json:"-"` // of the file it was read from
	raw   json.RawMessage // the whole entry
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

	handle string // the state that it is about, or ""
}

// UnmarshalJSON keeps the whole entry for Into.
func (v *Vector) UnmarshalJSON(b []byte) error {
	type plain Vector // has no methods
	if err := json.Unmarshal(b, (*plain)(v)); err != nil {
		return err
	}
	v.raw = append(json.RawMessage(nil), b...)
	for _, part := range []*json.RawMessage{&v.In, &v.Draws, &v.Out, &v.Intermediate} {
		*part = compact(*part)
	}
	return nil
}

// UnmarshalJSON reads a step so that it can be asked at once.
func (s *Step) UnmarshalJSON(b []byte) error {
	type plain Step // has no methods
	if err := json.Unmarshal(b, (*plain)(s)); err != nil {
		return err
	}
	for _, part := range []*json.RawMessage{&s.In, &s.Draws, &s.Out, &s.With, &s.Intermediate} {
		*part = compact(*part)
	}
	if bytes.Contains(s.In, []byte(`"handle"`)) {
		var in struct{ Handle string }
		if err := json.Unmarshal(s.In, &in); err != nil {
			return err
		}
		s.handle = in.Handle
	}
	return nil
}

// compact takes the spaces out, so that an object fits into a line.
func compact(raw json.RawMessage) json.RawMessage {
	if raw == nil {
		return nil
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return raw
	}
	return b.Bytes()
}

// single returns a vector that is no script as its one question.
func (v *Vector) single() *Step {
	s := &Step{Op: v.Type, In: v.In, Draws: v.Draws, Reject: v.Reason, Intermediate: v.Intermediate}
	if v.Outcome == Accept {
		s.Out = v.Out
	} else {
		s.With = v.Out
	}
	return s
}

// questions returns what a vector asks.
func (v *Vector) questions() []Step {
	if v.Type == Script {
		return v.Steps
	}
	return []Step{*v.single()}
}

// operations are those that a vector asks for.
func (v *Vector) operations() iter.Seq[string] {
	return func(yield func(string) bool) {
		if v.Type != Script {
			yield(v.Type)
			return
		}
		for _, s := range v.Steps {
			if !yield(s.Op) {
				return
			}
		}
	}
}

// fault says in what a vector contradicts itself, or returns "". Its form is the business of the schema.
func (v *Vector) fault() string {
	for name, s := range v.Secrets {
		if sum := sha256.Sum256([]byte(s.Label)); !bytes.Equal(sum[:], s.Bytes) {
			return fmt.Sprintf("secrets.%s.bytes is not the SHA-256 of %q", name, s.Label)
		}
	}
	if (v.Outcome == Accept) != (v.Reason == "") {
		return fmt.Sprintf("outcome is %q and reason %q", v.Outcome, v.Reason)
	}
	if v.Type == Script && (len(v.Steps) == 0 || v.Steps[len(v.Steps)-1].Reject != v.Reason) {
		return "the last step does not end as the script does"
	}
	return ""
}

// Into reads all fields of the vector into the struct that to points to, by the rules of encoding/json: mostly a struct with the
// fields In and Out, which are structs.
func (v Vector) Into(to any) error {
	if err := json.Unmarshal(v.raw, to); err != nil {
		return fmt.Errorf("testvectors: %s: %w", v.ID, err)
	}
	return nil
}

// JSON returns the vector as it stands in its file, in one line.
func (v Vector) JSON() []byte { return compact(v.raw) }

var errVersion = errors.New("file of another version")

// Group returns the vectors of one file in their order; its name is the file's without ".json", such as "krpc". What their fields refer to
// is shared by all callers, and only read.
func Group(name string) ([]Vector, error) {
	if !slices.Contains(Groups(), name) {
		return nil, fmt.Errorf("testvectors: no group is called %q", name)
	}
	g := groups()[name]
	return slices.Clone(g.vectors), g.err
}

type readGroup struct {
	vectors []Vector
	err     error
}

// groups reads every group, once.
var groups = sync.OnceValue(func() map[string]readGroup {
	all := map[string]readGroup{}
	for _, name := range Groups() {
		vectors, err := parseGroup(name)
		if err != nil {
			err = fmt.Errorf("testvectors: group %q: %w", name, err)
		}
		all[name] = readGroup{vectors, err}
	}
	return all
})

func parseGroup(name string) ([]Vector, error) {
	b, err := Files.ReadFile(name + ".json")
	if err != nil {
		return nil, err
	}
	var file struct {
		Version string
		Vectors []Vector
	}
	if err := json.Unmarshal(b, &file); err != nil {
		return nil, err
	}
	if file.Version != Version {
		return nil, fmt.Errorf("version %q: %w", file.Version, errVersion)
	}
	for i := range file.Vectors {
		file.Vectors[i].Group = name
	}
	return file.Vectors, nil
}

// Groups returns the names of all groups, in the order in which an implementer meets them.
func Groups() []string {
	return []string{"bencode", "krpc", "compact", "bep42", "bep44", "rendezvous", "handshake", "initiator", "responder", "accepted", "ranks", "ratchet", "conversation"}
}

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
