// Package testvectors holds the test vectors of the spec: JSON that any implementation in any language can be checked
// against, and a small reader of it for Go. README.md describes the format.
//
// The files are derived by the program in gen, which imports nothing of this module. Nothing here is written by hand but
// schema.json; run go generate after a change of gen.
package testvectors

import (
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

//go:generate go run ./gen

// Version is the version of the vectors, the same as in each file. While it ends in "-draft", vectors may still change;
// ids may not.
const Version = "1-draft"

// Files holds every group as a JSON file at its top, and schema.json.
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

// A Vector is one entry of a group. Fields that depend on Type are read with Into.
type Vector struct {
	ID           string   `json:"id"`           // its first requirement, mostly with a suffix
	Requirements []string `json:"requirements"` // ids of package spec
	Type         string   `json:"type"`         // which fields it has: README.md lists the types
	Comment      string   `json:"comment"`
	Source       string   `json:"source"`  // where it was published, "BEP 5"; empty for our own
	Twin         string   `json:"twin"`    // of what is not accepted: the nearest vector that is
	Outcome      string   `json:"outcome"` // accept, ignore, drop or abort
	Reason       string   `json:"reason"`  // malformed, authentication, replay, state or limit; empty when accepted
	Error        int      `json:"error"`   // the KRPC error that is answered; 0: none

	raw json.RawMessage
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

// Into reads all fields of the vector into the struct that to points to, by the rules of encoding/json.
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
	return file.Vectors, nil
}

// Groups returns the names of all groups, in the order in which an implementer meets them.
func Groups() []string { return []string{"bencode", "krpc", "compact", "bep42", "bep44"} }
