package shim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"kith/spec"
	"kith/testvectors"
	"kith/wire"
)

// A tally is a state for these tests: it takes numbers that rise, each with two draws.
type tally struct {
	rand  io.Reader
	last  int
	sums  map[string][]byte
	inner *tally // itself
}

// withTally returns a shim with operations on a tally.
func withTally() *Shim {
	s := New()
	s.operations["t.new"] = operation{ask: func(c *call) (any, error) {
		t := &tally{rand: c.rand(), sums: map[string][]byte{"b": nil, "a": {1}}}
		t.inner = t
		c.open(in[handleOnly](c).Handle, t)
		return nil, nil
	}}
	s.operations["t.count"] = operation{draws: []string{"first", "second", "nonce-*"}, ask: func(c *call) (any, error) {
		q := in[struct {
			Handle string  `json:"handle"`
			N      int     `json:"n"`
			Note   *string `json:"note"`
		}](c)
		t := state[*tally](c, q.Handle)
		switch {
		case q.N == 99:
			return nil, refuse("state", map[string]int{"last": t.last})
		case q.N < t.last:
			return nil, wire.ErrMalformed
		case q.N == t.last:
			return nil, errors.New("of no class")
		}
		var first [2]byte
		var second [3]byte
		if _, err := io.ReadFull(t.rand, first[:]); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(t.rand, second[:]); err != nil {
			return nil, err
		}
		if q.N == 50 {
			panic("fifty")
		}
		c.show("sum", append(first[:], second[:]...))
		t.last = q.N
		t.sums["a"] = second[:]
		return nil, nil
	}}
	return s
}

func TestAnswers(t *testing.T) {
	s := withTally()
	const draws = `,"draws":{"second":"030405","first":"0102"}`
	for _, c := range [][2]string{
		{`{"id":0,"op":"nothing","in":{}}`, `{"id":0,"unsupported":true}`},
		{`{"id":1,"op":"nothing","in":5,"draws":7}`, `{"id":1,"unsupported":true}`},
		{`{"id":2,"op":"t.new","in":{"handle":"a"}}`, `{"id":2,"out":{}}`},
		{`{"id":3,"op":"t.new","in":{"handle":"a"}}`, `{"id":3,"error":"handle \"a\" is taken"}`},
		{`{"id":4,"op":"t.count","in":{"handle":"b","n":1}}`, `{"id":4,"error":"handle \"b\" is unknown"}`},
		{`{"id":5,"op":"t.count","in":{"handle":"a"}}`, `{"id":5,"error":"in: n is missing"}`},
		{`{"id":6,"op":"t.count","in":{"handle":"a","n":"1"}}`, `in: json: cannot unmarshal`},
		{`{"id":7,"op":"t.count","in":{"handle":"a","n":1,"m":1}}`, `in: json: unknown field \"m\"`},
		{`{"id":8,"op":"t.count"}`, `{"id":8,"error":"in: EOF"}`},
		{`{"id":9,"op":"t.count","in":{"handle":"a","n":1}}`, `{"id":9,"error":"a draw of 2 bytes is missing"}`},
		{`{"id":10,"op":"t.count","in":{"handle":"a","n":1},"draws":{"first":"0102"}}`, `{"id":10,"error":"a draw of 3 bytes is missing"}`},
		{`{"id":11,"op":"t.count","in":{"handle":"a","n":1},"draws":{"first":"010203","second":"0405"}}`, `{"id":11,"error":"draw \"first\" is 3 bytes, not 2"}`},
		{`{"id":12,"op":"t.count","in":{"handle":"a","n":1},"draws":{"third":"01"}}`, `{"id":12,"error":"draws: this operation draws no \"third\""}`},
		{`{"id":13,"op":"t.count","in":{"handle":"a","n":1},"draws":{"first":"01"}}`, `{"id":13,"error":"draw \"first\" is 1 bytes, not 2"}`},
		{`{"id":14,"op":"t.count","in":{"handle":"a","n":1},"draws":{"first":"0G"}}`, `"error":"draws: `},
		{`{"id":15,"op":"t.count","in":{"handle":"a","n":1}` + draws + `}`, `{"id":15,"out":{},"intermediate":{"sum":"0102030405"}}`},
		{`{"id":16,"op":"t.count","in":{"handle":"a","n":2},"draws":{"nonce-0":"00","second":"030405","first":"0102"}}`, `{"id":16,"error":"draw \"nonce-0\" was not used"}`},
		{`{"id":17,"op":"t.count","in":{"handle":"a","n":99}}`, `{"id":17,"reject":"state","with":{"last":2}}`},
		{`{"id":18,"op":"t.count","in":{"handle":"a","n":1}` + draws + `}`, `{"id":18,"reject":"malformed"}`},
		{`{"id":19,"op":"t.count","in":{"handle":"a","n":2}}`, `{"id":19,"error":"of no class"}`},
		{`{"id":20,"op":"t.count","in":{"handle":"a","n":50}` + draws + `}`, `{"id":20,"error":"panic: fifty"}`},
		{`{"id":21,"op":"t.count","in":{"handle":"a","n":60,"note":"x"}` + draws + `}`, `{"id":21,"out":{},"intermediate":{"sum":"0102030405"}}`},
		{`{"id":22,"op":"free","in":{"handle":"a"}}`, `{"id":22,"out":{}}`},
		{`{"id":23,"op":"free","in":{"handle":"a"}}`, `{"id":23,"out":{}}`},
		{`{"id":24,"op":"snapshot","in":{"handle":"a"}}`, `{"id":24,"error":"handle \"a\" is unknown"}`},
		{``, `{"id":0,"error":"no request: EOF"}`},
		{`{"op":"hello","in":{}}`, `{"id":0,"error":"no request: it has no id"}`},
		{`{"id":1,"op":"hello","in":{},"more":1}`, `"error":"no request: `},
		{`{"id":1,"op":"hello","in":{}} {}`, `"error":"no request: something stands behind the object"`},
		{`{"id":25,"op":"wire.bencode","in":{"input":"6A"}}`, `is not in small letters`},
		{`{"id":26,"op":"wire.target-mutable","in":{"k":"00","salt":""}}`, `{"id":26,"error":"in: k is 1 bytes, not 32"}`},
	} {
		require.Contains(t, string(s.Answer([]byte(c[0]))), c[1], c[0])
	}
}

// snapshotOf asks for a snapshot.
func snapshotOf(t *testing.T, s *Shim, handle string) string {
	t.Helper()
	b := s.Answer([]byte(`{"id":1,"op":"snapshot","in":{"handle":"` + handle + `"}}`))
	require.Contains(t, string(b), `"snapshot":"`)
	return string(b)
}

func TestSnapshot(t *testing.T) {
	s := withTally()
	for _, handle := range []string{"a", "b"} {
		s.Answer([]byte(`{"id":1,"op":"t.new","in":{"handle":"` + handle + `"}}`))
	}
	empty := snapshotOf(t, s, "a")
	require.Equal(t, empty, snapshotOf(t, s, "b"), "two states that are equal")
	for _, refused := range []string{`{"handle":"a","n":-1}`, `{"handle":"a","n":99}`, `{"handle":"a","n":0}`} {
		s.Answer([]byte(`{"id":1,"op":"t.count","in":` + refused + `,"draws":{"first":"0102","second":"030405"}}`))
		require.Equal(t, empty, snapshotOf(t, s, "a"), "what was drawn is of the question, not of the state")
	}
	s.Answer([]byte(`{"id":1,"op":"t.count","in":{"handle":"a","n":1},"draws":{"first":"0102","second":"030405"}}`))
	one := snapshotOf(t, s, "a")
	require.NotEqual(t, empty, one)
	require.Equal(t, empty, snapshotOf(t, s, "b"))

	kept := s.handles["a"].(*tally)
	kept.sums["a"][1] ^= 1
	require.NotEqual(t, one, snapshotOf(t, s, "a"), "one bit in a map")
	kept.sums["a"][1] ^= 1
	require.Equal(t, one, snapshotOf(t, s, "a"))
	kept.inner = &tally{}
	require.NotEqual(t, one, snapshotOf(t, s, "a"))
}

// What is said to hello, and how all else is said, keeps to the schema; and what can be asked stands in the spec.
func TestFrame(t *testing.T) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	for _, name := range []string{"schema.json", "shim.schema.json"} {
		b, err := testvectors.Files.ReadFile(name)
		require.NoError(t, err)
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		require.NoError(t, err)
		require.NoError(t, c.AddResource(doc.(map[string]any)["$id"].(string), doc))
	}
	lines, err := c.Compile("urn:kith:testvectors:shim")
	require.NoError(t, err)
	fits := func(line []byte) {
		t.Helper()
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
		require.NoError(t, err)
		require.NoError(t, lines.Validate(doc), "%s", line)
	}
	vectors, err := testvectors.All()
	require.NoError(t, err)
	s := New()
	testvectors.Verify(vectors, func(q []byte) ([]byte, error) {
		a := s.Answer(q)
		fits(q)
		fits(a)
		return a, nil
	}, testvectors.Options{Canary: "frame"})

	var hello struct {
		Out struct{ Capabilities []string }
	}
	require.NoError(t, json.Unmarshal(s.Answer([]byte(`{"id":1,"op":"hello","in":{"version":"1-draft"}}`)), &hello))
	text := ""
	for _, chapter := range spec.Chapters() {
		if chapter.Name == "operations" {
			text = chapter.Text
		}
	}
	for _, name := range hello.Out.Capabilities {
		require.True(t, strings.Contains(text, "`"+name+"`"), "%s does not stand in spec/operations.md", name)
	}
}
