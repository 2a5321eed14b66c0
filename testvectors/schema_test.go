package testvectors

import (
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

// mutations returns copies of a value, each changed in one place: a key gone, a key too many, a value of another kind, an entry doubled.
func mutations(v any) (all []any) {
	switch v := v.(type) {
	case map[string]any:
		with := func(key string, value any, there bool) map[string]any {
			m := map[string]any{}
			for name, old := range v {
				m[name] = old
			}
			if delete(m, key); there {
				m[key] = value
			}
			return m
		}
		for name, old := range v {
			all = append(all, with(name, nil, false), with(name, nil, true))
			for _, changed := range mutations(old) {
				all = append(all, with(name, changed, true))
			}
		}
		all = append(all, with("another", "key", true))
	case []any:
		all = append(all, []any{}, append(append([]any{}, v...), v...), "no list")
		for i, old := range v {
			for _, changed := range mutations(old) {
				list := append([]any{}, v...)
				list[i] = changed
				all = append(all, list)
			}
		}
	case string:
		all = append(all, v+"0", v+"00", "G"+v, "", "accept", "drop", "malformed", "wire.bencode", json.Number("5"))
	case json.Number:
		all = append(all, json.Number("-1"), json.Number("1.5"), json.Number("9007199254740992"), "5")
	case bool:
		all = append(all, !v, "true")
	}
	return all
}

// Our own reading of the schema says of every broken vector what a whole implementation says.
func TestOwnSchemaAgrees(t *testing.T) {
	theirs := schema(t)
	kinds, refused := map[string]Vector{}, 0
	for _, v := range all(t) { // the shortest of each kind
		if old, ok := kinds[v.Type+v.Outcome]; !ok || len(v.raw) < len(old.raw) {
			kinds[v.Type+v.Outcome] = v
		}
	}
	for _, v := range kinds {
		whole := document(t, v.raw)
		for _, changed := range append(mutations(whole), whole) {
			doc := map[string]any{"$schema": "schema.json", "version": Version, "group": "g", "chapter": "wire", "comment": "c", "vectors": []any{changed}}
			err, flaws := theirs.Validate(doc), theSchema().check(doc, "")
			if (err == nil) != (len(flaws) == 0) {
				t.Fatalf("%s: %v, but %v: %s", v.ID, err, flaws, show(changed))
			}
			if err != nil {
				refused++
			}
		}
	}
	require.Greater(t, refused, 1000)
}

func TestOwnSchemaRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, bad := range []string{`{"contains":{}}`, `{"properties":{"a":{"not":{}}}}`, `{"$ref":"#/$defs/none"}`, `{"$ref":"#/properties/a"}`, `{"$ref":"#/$defs"}`, `{"pattern":"("}`} {
		_, err := parseRule([]byte(bad))
		require.Error(t, err, bad)
	}
}

// The lines of the shim protocol have a schema too, which refers to the other one.
func TestShimSchema(t *testing.T) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	for _, name := range []string{"schema.json", "shim.schema.json"} {
		b, err := Files.ReadFile(name)
		require.NoError(t, err)
		doc := document(t, b)
		require.NoError(t, c.AddResource(doc.(map[string]any)["$id"].(string), doc))
	}
	s, err := c.Compile("urn:kith:testvectors:shim")
	require.NoError(t, err)
	for _, line := range []string{
		`{"id":1,"op":"hello","in":{"version":"1-draft"}}`,
		`{"id":2,"op":"canary.5","in":{}}`,
		`{"id":2,"op":"wire.bencode","in":{"input":"6930"}}`,
		`{"id":2,"op":"dht.node-id","in":{"address":"192.0.2.1"},"draws":{"id":"` + thirtySix + `"}}`,
		`{"id":1,"out":{}}`,
		`{"id":1,"out":{"value":{}},"intermediate":{"S":"00"}}`,
		`{"id":1,"reject":"replay"}`,
		`{"id":1,"reject":"replay","with":{"error":203}}`,
		`{"id":1,"unsupported":true}`,
		`{"id":1,"error":"a draw is missing"}`,
	} {
		require.NoError(t, s.Validate(document(t, []byte(line))), line)
	}
	for _, line := range []string{
		`{}`, `{"id":1}`, `{"op":"hello","in":{}}`, `{"id":1,"op":"","in":{}}`, `{"id":1,"op":"hello","in":{}}`, `{"id":-1,"out":{}}`, `{"id":1.5,"out":{}}`, `{"id":"1","out":{}}`,
		`{"id":2,"op":"wire.bencode","in":{"input":"693"}}`, `{"id":2,"op":"wire.bencode","in":{"input":"69"},"draws":{}}`,
		`{"id":2,"op":"dht.node-id","in":{"address":"192.0.2.1"},"draws":{"id":"00"}}`,
		`{"id":1,"out":{},"reject":"replay"}`, `{"id":1,"out":{},"with":{}}`, `{"id":1,"out":1}`, `{"id":1,"reject":"bad"}`, `{"id":1,"reject":""}`, `{"id":1,"unsupported":false}`,
		`{"id":1,"unsupported":true,"out":{}}`, `{"id":1,"error":"x","out":{}}`, `{"id":1,"out":{},"verdict":"pass"}`,
	} {
		require.Error(t, s.Validate(document(t, []byte(line))), line)
	}
}
