package testvectors

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"kith/spec"
)

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	b, err := Files.ReadFile("schema.json")
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	require.NoError(t, c.AddResource("schema.json", doc))
	s, err := c.Compile("schema.json")
	require.NoError(t, err)
	return s
}

func document(t *testing.T, b []byte) any {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	require.NoError(t, err)
	return doc
}

func TestFilesFitTheSchema(t *testing.T) {
	s := schema(t)
	for _, name := range Groups() {
		b, err := Files.ReadFile(name + ".json")
		require.NoError(t, err)
		require.NoError(t, s.Validate(document(t, b)), name)
	}
}

// A schema that takes anything would pass the test above, so each of its rules is broken once.
func TestTheSchemaCanFail(t *testing.T) {
	s := schema(t)
	const good = `{"$schema":"schema.json","version":"1-draft","group":"g","chapter":"wire","comment":"c","vectors":[
		{"id":"wire-a","requirements":["wire-a"],"type":"bencode","comment":"c","input":"6930","text":"i0","value":{"int":"0"},"outcome":"accept"},
		{"id":"wire-b","requirements":["wire-b"],"type":"bencode","comment":"c","twin":"wire-a","input":"69","text":"i","outcome":"drop","reason":"malformed"}]}`
	require.NoError(t, s.Validate(document(t, []byte(good))))
	for name, change := range map[string][2]string{
		"capital hex":              {`"6930"`, `"6A30"`},
		"odd hex":                  {`"6930"`, `"693"`},
		"an integer as a number":   {`{"int":"0"}`, `{"int":0}`},
		"an integer not canonical": {`{"int":"0"}`, `{"int":"00"}`},
		"a value of two kinds":     {`{"int":"0"}`, `{"int":"0","bytes":""}`},
		"accepted without value":   {`"value":{"int":"0"},`, ``},
		"an unknown field":         {`"text":"i0"`, `"text":"i0","more":1`},
		"a field of another type":  {`"text":"i0"`, `"text":"i0","address":"192.0.2.1:1"`},
		"an unknown type":          {`"type":"bencode"`, `"type":"bencoded"`},
		"no requirement":           {`["wire-a"]`, `[]`},
		"no comment":               {`"comment":"c","input":"6930"`, `"input":"6930"`},
		"merely acceptable":        {`"outcome":"accept"`, `"outcome":"acceptable"`},
		"accepted with a reason":   {`"outcome":"accept"`, `"outcome":"accept","reason":"limit"`},
		"refused without a reason": {`,"reason":"malformed"`, ``},
		"refused without a twin":   {`"twin":"wire-a",`, ``},
		"an unknown reason":        {`"malformed"`, `"bad"`},
		"an id with capitals":      {`"id":"wire-a"`, `"id":"wire-A"`},
		"no vectors":               {good[strings.Index(good, "[\n"):], `[]}`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		require.NotEqual(t, good, bad, name)
		require.Error(t, s.Validate(document(t, []byte(bad))), name)
	}
}

func all(t *testing.T) []Vector {
	t.Helper()
	var out []Vector
	for _, name := range Groups() {
		vectors, err := Group(name)
		require.NoError(t, err)
		require.NotEmpty(t, vectors)
		out = append(out, vectors...)
	}
	return out
}

func TestGroupsAreAllFiles(t *testing.T) {
	entries, err := Files.ReadDir(".")
	require.NoError(t, err)
	require.Len(t, entries, len(Groups())+1)
	_, err = Group("no-such-group")
	require.Error(t, err)
}

func TestIDsAndTwins(t *testing.T) {
	byID := map[string]Vector{}
	for _, v := range all(t) {
		_, taken := byID[v.ID]
		require.False(t, taken, "%s stands twice", v.ID)
		byID[v.ID] = v
	}
	for _, v := range byID {
		for _, r := range v.Requirements {
			_, known := spec.Lookup(r)
			require.True(t, known, "%s cites %s, which is no requirement", v.ID, r)
		}
		first := v.Requirements[0]
		require.True(t, v.ID == first || strings.HasPrefix(v.ID, first+"-"), "%s is not called after %s", v.ID, first)
		if v.Outcome == "accept" {
			continue
		}
		twin, ok := byID[v.Twin]
		require.True(t, ok, "%s has no twin %s", v.ID, v.Twin)
		require.Equal(t, "accept", twin.Outcome, "%s: a twin is what would have been accepted", v.ID)
	}
}

// One vector that accepts everything and one that refuses everything must both fail somewhere in each group.
func TestEachGroupAcceptsAndRefuses(t *testing.T) {
	for _, name := range Groups() {
		outcomes := map[bool]int{}
		vectors, err := Group(name)
		require.NoError(t, err)
		for _, v := range vectors {
			outcomes[v.Outcome == "accept"]++
		}
		require.Greater(t, outcomes[true], 5, name)
		require.Greater(t, outcomes[false], 5, name)
	}
}

// Whoever reads JSON numbers as doubles must not be led astray.
func TestNumbersAreExactInDoubles(t *testing.T) {
	number := regexp.MustCompile(`[:\[,]\s*(-?[0-9][0-9.eE+-]*)`)
	for _, name := range Groups() {
		b, err := Files.ReadFile(name + ".json")
		require.NoError(t, err)
		// Strings hold digits too, so they are taken out first.
		bare := regexp.MustCompile(`"(\\.|[^"\\])*"`).ReplaceAll(b, []byte(`""`))
		for _, m := range number.FindAllSubmatch(bare, -1) {
			n, err := strconv.ParseInt(string(m[1]), 10, 64)
			require.NoError(t, err, "%s: %s", name, m[1])
			require.Less(t, n, int64(1)<<53, name)
		}
	}
}

func TestTextSaysWhatInputIs(t *testing.T) {
	escape := regexp.MustCompile(`\\(\\|x[0-9a-f]{2})`)
	n := 0
	for _, v := range all(t) {
		var fields struct {
			Input Hex
			Text  *string
		}
		require.NoError(t, v.Into(&fields))
		if fields.Text == nil {
			continue
		}
		n++
		got := escape.ReplaceAllStringFunc(*fields.Text, func(s string) string {
			if s == `\\` {
				return `\`
			}
			c, _ := strconv.ParseUint(s[2:], 16, 8)
			return string([]byte{byte(c)})
		})
		require.Equal(t, string(fields.Input), got, v.ID)
	}
	require.Greater(t, n, 200)
}

func TestIntoReportsTheVector(t *testing.T) {
	var v Vector
	require.NoError(t, json.Unmarshal([]byte(`{"id":"wire-a","input":"zz"}`), &v))
	var fields struct{ Input Hex }
	require.ErrorContains(t, v.Into(&fields), "wire-a")
}
