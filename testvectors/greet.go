package testvectors

import (
	"bytes"
	"encoding/json"
	"fmt"
)

type limits struct {
	Line    *int `json:"line"`
	Handles *int `json:"handles"`
}

// beyond says which limit a vector passes, or returns "".
func (l limits) beyond(of *Vector) string {
	if l.Line == nil && l.Handles == nil {
		return ""
	}
	handles := map[string]bool{}
	for _, s := range of.questions() {
		if l.Line != nil && len(encode(maxID, s.Op, s.In, s.Draws)) > *l.Line {
			return fmt.Sprintf("a request is longer than the limit of %d bytes", *l.Line)
		}
		if h := s.handle; h != "" {
			handles[h] = true
		}
	}
	if l.Handles != nil && len(handles) > *l.Handles {
		return fmt.Sprintf("it needs more handles than the limit of %d", *l.Handles)
	}
	return ""
}

// greet says hello and lets the canary out.
func (v *verifier) greet(canary string) error {
	got, err := v.put("hello", json.RawMessage(`{"version":"`+Version+`"}`), nil)
	if err != nil {
		return fmt.Errorf("%w: hello: %w", ErrContract, err)
	}
	if got.Out == nil {
		return fmt.Errorf("%w: hello: %s", ErrContract, got.text())
	}
	var hello struct {
		Version        *string   `json:"version"`
		Implementation *string   `json:"implementation"`
		Capabilities   *[]string `json:"capabilities"`
		Limits         *limits   `json:"limits"`
	}
	d := json.NewDecoder(bytes.NewReader(got.Out))
	d.DisallowUnknownFields()
	if err := d.Decode(&hello); err != nil {
		return fmt.Errorf("%w: hello: %w", ErrContract, err)
	}
	if hello.Version == nil || hello.Implementation == nil || hello.Capabilities == nil || hello.Limits == nil {
		return fmt.Errorf("%w: hello: version, implementation, capabilities or limits are missing: %s", ErrContract, clip(string(got.Out)))
	}
	if *hello.Version != Version {
		return fmt.Errorf("%w: hello: it speaks version %q, and the vectors are of version %q", ErrContract, *hello.Version, Version)
	}
	v.report.Implementation, v.report.Claimed, v.limits = *hello.Implementation, *hello.Capabilities, *hello.Limits

	got, err = v.put("canary."+canary, json.RawMessage(`{}`), nil)
	switch {
	case err != nil:
		return fmt.Errorf("%w: canary: %w", ErrContract, err)
	case !got.Unsupported:
		return fmt.Errorf("%w: canary: an operation that does not exist has to be unsupported, and is answered by %s", ErrContract, got.text())
	}
	return nil
}

func onHandle(h string) json.RawMessage { return json.RawMessage(fmt.Sprintf(`{"handle":%q}`, h)) }

// snapshot returns what the shim shows of a state.
func (v *verifier) snapshot(r *Result, at, handle string) string {
	got, err := v.put("snapshot", onHandle(handle), nil)
	var out struct {
		Snapshot string `json:"snapshot"`
	}
	switch {
	case err != nil:
		r.Verdict, r.Why = Broken, fmt.Sprintf("%ssnapshot: %v", at, err)
	case got.Out == nil || json.Unmarshal(got.Out, &out) != nil || out.Snapshot == "":
		r.fail("%sthe snapshot of %q is answered by %s", at, handle, got.text())
	}
	return out.Snapshot
}
