// Package shim answers the questions of the shim protocol, as the chapter spec/shim.md says, with this module's own packages: it is the
// reference behind kith shim, and what the test vectors are verified with in-process.
//
// Start with [New] and [Shim.Answer]. An operation is one function of a table such as wireOperations; all lists the tables.
package shim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"kith/dht"
	"kith/handshake"
	"kith/peer/conversation"
	"kith/ratchet"
	"kith/wire"
)

// Version is the version of the protocol and of its operations: that of the test vectors.
const Version = "1-draft"

// An operation answers one kind of question.
type operation struct {
	// draws names the random values, in the order in which they are drawn; "nonce-*" stands for nonce-0, nonce-1 and so on. Which of them a
	// request carries, its case decides.
	draws []string
	// ask returns what is accepted: a value that encoding/json makes an object of, nil for {}. An error that wraps a reason class, or
	// that refuse made, is a refusal; every other is a fault, and told as such.
	ask func(c *call) (out any, err error)
}

// all are the tables of all components; their keys are the names of the operations.
var all = []map[string]operation{wireOperations, dhtOperations, rvOperations, hsOperations, machineOperations, ratchetOperations, pcOperations}

// reasons are the sentinels of the packages, by the reason class that they stand for.
var reasons = []struct {
	err   error
	class string
}{
	{wire.ErrMalformed, "malformed"}, {wire.ErrLimit, "limit"},
	{dht.ErrMalformed, "malformed"}, {dht.ErrAuthentication, "authentication"}, {dht.ErrLimit, "limit"},
	{handshake.ErrMalformed, "malformed"}, {handshake.ErrAuthentication, "authentication"}, {handshake.ErrReplay, "replay"},
	{handshake.ErrState, "state"}, {handshake.ErrLimit, "limit"},
	{ratchet.ErrMalformed, "malformed"}, {ratchet.ErrAuthentication, "authentication"}, {ratchet.ErrReplay, "replay"},
	{ratchet.ErrState, "state"}, {ratchet.ErrLimit, "limit"},
	{conversation.ErrMalformed, "malformed"}, {conversation.ErrAuthentication, "authentication"}, {conversation.ErrReplay, "replay"},
	{conversation.ErrState, "state"}, {conversation.ErrLimit, "limit"},
}

// A Shim is one implementation under questions. It is not safe for concurrent use.
type Shim struct {
	operations map[string]operation
	handles    map[string]any
	rand       *source
}

// New returns a shim without handles.
func New() *Shim {
	s := &Shim{operations: map[string]operation{}, handles: map[string]any{}, rand: &source{}}
	for _, table := range all {
		for name, op := range table {
			s.operations[name] = op
		}
	}
	s.operations["hello"] = operation{ask: s.hello}
	s.operations["snapshot"] = operation{ask: s.snapshot}
	s.operations["free"] = operation{ask: s.free}
	return s
}

type request struct {
	ID    *int64          `json:"id"`
	Op    string          `json:"op"`
	In    json.RawMessage `json:"in"`
	Draws json.RawMessage `json:"draws"`
}

type answer struct {
	ID           int64          `json:"id"`
	Out          any            `json:"out,omitempty"`
	Reject       string         `json:"reject,omitempty"`
	With         any            `json:"with,omitempty"`
	Unsupported  bool           `json:"unsupported,omitempty"`
	Error        string         `json:"error,omitempty"`
	Intermediate map[string]any `json:"intermediate,omitempty"`
}

// Answer returns the answer to a request; both are one line of JSON without its end. It always returns an answer: a request that is not
// of the form of its operation, and a panic below, are answered as errors.
func (s *Shim) Answer(line []byte) []byte {
	var q request
	var a answer
	if err := strictly(line, &q); err != nil || q.ID == nil {
		a = answer{Error: "no request: " + fmt.Sprint(err)}
		if q.ID != nil {
			a.ID = *q.ID // shim-answer-id, as far as it could be read
		}
		if err == nil {
			a.Error = "no request: it has no id"
		}
	} else {
		a = s.answer(q) // shim-answer-id
		a.ID = *q.ID
	}
	b, err := json.Marshal(a)
	if err != nil {
		b, _ = json.Marshal(answer{ID: a.ID, Error: "no JSON for the answer: " + err.Error()})
	}
	return b
}

func (s *Shim) answer(q request) (a answer) {
	op, ok := s.operations[q.Op]
	if !ok {
		return answer{Unsupported: true} // shim-unsupported
	}
	c := &call{shim: s, in: q.In}
	defer func() {
		if r := recover(); r != nil {
			if f, ok := r.(fault); ok {
				a = answer{Error: string(f)} // shim-error
			} else {
				a = answer{Error: fmt.Sprintf("panic: %v", r)}
			}
		}
	}()
	s.rand.load(op.draws, q.Draws)
	out, err := op.ask(c)
	var r *refusal
	switch {
	case s.rand.want != "":
		return answer{Error: s.rand.want} // shim-draws-all
	case err == nil:
		if name := s.rand.unread(); name != "" {
			return answer{Error: fmt.Sprintf("draw %q was not used", name)} // shim-draws-all
		}
		if out == nil {
			out = struct{}{}
		}
		return answer{Out: out, Intermediate: c.shown}
	case errors.As(err, &r):
		return answer{Reject: r.class, With: r.with, Intermediate: c.shown}
	}
	if class := classOf(err); class != "" {
		return answer{Reject: class, Intermediate: c.shown} // shim-reject-reason
	}
	return answer{Error: err.Error()}
}

// A refusal is a refusal with something beside its reason class.
type refusal struct {
	class string
	with  any
}

func (r *refusal) Error() string { return "refused: " + r.class }

// refuse returns a refusal of that reason class; with may be nil.
func refuse(class string, with any) error { return &refusal{class, with} }

// classOf returns the reason class that an error wraps, or "".
func classOf(err error) string {
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.class
		}
	}
	return ""
}

// hello says what this shim can do; it has no limits.
func (s *Shim) hello(c *call) (any, error) { // shim-hello
	in[struct {
		Version string `json:"version"`
	}](c)
	var names []string
	for _, table := range all {
		for name := range table {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return struct {
		Version        string   `json:"version"`
		Implementation string   `json:"implementation"`
		Capabilities   []string `json:"capabilities"`
		Limits         struct{} `json:"limits"`
	}{Version, "kith", append(names, "snapshot"), struct{}{}}, nil
}

// strictly reads one JSON value and nothing behind it, with no keys that to does not know.
func strictly(b []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return err
	}
	if d.More() {
		return errors.New("something stands behind the object")
	}
	return nil
}
