package testvectors

import (
	"bytes"
	"encoding/json"
	"os"
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

// Hexadecimal digits of some length.
var (
	thirtySix = strings.Repeat("0", 36)
	sixtyFour = strings.Repeat("0", 64)
)

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
	good := `{"$schema":"schema.json","version":"1-draft","group":"g","chapter":"wire","comment":"c","vectors":[
		{"id":"wire-a","requirements":["wire-a"],"type":"wire.bencode","comment":"c","text":"i0","in":{"input":"6930"},"outcome":"accept","out":{"value":{"int":"0"},"output":"6930"}},
		{"id":"wire-b","requirements":["wire-b"],"type":"wire.bencode","comment":"c","twin":"wire-a","text":"i","in":{"input":"69"},"outcome":"drop","reason":"malformed"},
		{"id":"wire-c","requirements":["wire-c"],"type":"wire.krpc","comment":"c","twin":"wire-a","in":{"input":"70"},"outcome":"ignore","reason":"limit","out":{"readable":{},"error":203}},
		{"id":"dht-d","requirements":["dht-d"],"type":"dht.node-id","comment":"c","in":{"address":"192.0.2.1"},
			"secrets":{"id":{"label":"kith/1 vector id","bytes":"` + sixtyFour + `"}},"draws":{"id":"` + thirtySix + `"},
			"outcome":"accept","out":{"node_id":"` + thirtySix + `0000"},"intermediate":{"crc32c":"01234567"}},
		{"id":"dht-e","requirements":["dht-e"],"type":"script","comment":"c","outcome":"accept","steps":[
			{"op":"wire.bencode","in":{"input":"61"},"reject":"malformed"},
			{"op":"wire.target-immutable","in":{"v":"6930"},"out":{"target":"` + thirtySix + `1111"}}]}]}`
	require.NoError(t, s.Validate(document(t, []byte(good))))
	require.Empty(t, theSchema().check(document(t, []byte(good)), ""))
	for name, change := range map[string][2]string{
		"capital hex":                    {`{"input":"6930"}`, `{"input":"6A30"}`},
		"odd hex":                        {`{"input":"6930"}`, `{"input":"693"}`},
		"an integer as a number":         {`{"int":"0"}`, `{"int":0}`},
		"an integer not canonical":       {`{"int":"0"}`, `{"int":"00"}`},
		"a value of two kinds":           {`{"int":"0"}`, `{"int":"0","bytes":""}`},
		"accepted without out":           {`,"out":{"value":{"int":"0"},"output":"6930"}`, ``},
		"an out that is not whole":       {`"value":{"int":"0"},`, ``},
		"an in that is not whole":        {`{"input":"69"}`, `{}`},
		"no in":                          {`"in":{"input":"69"},`, ``},
		"an unknown field":               {`"text":"i0"`, `"text":"i0","more":1`},
		"an unknown field of in":         {`{"input":"6930"}`, `{"input":"6930","more":"69"}`},
		"a field of another type":        {`{"input":"6930"}`, `{"address":"192.0.2.1:1"}`},
		"an unknown type":                {`"wire.bencode"`, `"wire.bencoded"`},
		"an operation of the frame":      {`"wire.bencode"`, `"hello"`},
		"no requirement":                 {`["wire-a"]`, `[]`},
		"no comment":                     {`"comment":"c","text":"i0"`, `"text":"i0"`},
		"merely acceptable":              {`"outcome":"accept"`, `"outcome":"acceptable"`},
		"accepted with a reason":         {`"outcome":"accept"`, `"outcome":"accept","reason":"limit"`},
		"accepted with a twin":           {`"outcome":"accept"`, `"outcome":"accept","twin":"wire-b"`},
		"refused without a reason":       {`,"reason":"malformed"`, ``},
		"refused without a twin":         {`"twin":"wire-a",`, ``},
		"an unknown reason":              {`"reason":"malformed"`, `"reason":"bad"`},
		"a reason of other operations":   {`"reason":"malformed"`, `"reason":"replay"`},
		"an outcome of others":           {`"outcome":"drop"`, `"outcome":"ignore"`},
		"an error that goes unsaid":      {`"outcome":"ignore"`, `"outcome":"drop"`},
		"silence that is said":           {`,"error":203`, ``},
		"a refusal without what it has":  {`,"out":{"readable":{},"error":203}`, ``},
		"a refusal with what it has not": {`"reason":"malformed"`, `"reason":"malformed","out":{"output":"69"}`},
		"an id with capitals":            {`"id":"wire-a"`, `"id":"wire-A"`},
		"no vectors":                     {good[strings.Index(good, "[\n"):], `[]}`},
		"a draw that is missing":         {`"draws":{"id":"` + thirtySix + `"},`, ``},
		"a draw that is short":           {`{"id":"` + thirtySix + `"}`, `{"id":"00"}`},
		"a draw of another name":         {`{"id":"` + thirtySix + `"}`, `{"di":"` + thirtySix + `"}`},
		"draws where nothing is drawn":   {`"in":{"input":"69"}`, `"in":{"input":"69"},"draws":{}`},
		"an unknown intermediate value":  {`"crc32c":"01234567"`, `"crc32":"01234567"`},
		"intermediate where none is":     {`"in":{"input":"69"}`, `"in":{"input":"69"},"intermediate":{}`},
		"a secret without its label":     {`"label":"kith/1 vector id",`, ``},
		"a label of another kind":        {`kith/1 vector id`, `kith/2 vector id`},
		"a secret that is short":         {`"bytes":"00`, `"bytes":"`},
		"a script without steps":         {`"type":"wire.bencode"`, `"type":"script"`},
		"a script with out":              {`"type":"script"`, `"type":"script","out":{}`},
		"steps of what is no script":     {`"type":"script"`, `"type":"wire.bencode"`},
		"a step of no operation":         {`"op":"wire.bencode"`, `"op":"wire.becode"`},
		"a step without an answer":       {`,"reject":"malformed"}`, `}`},
		"a step with two answers":        {`,"reject":"malformed"}`, `,"reject":"malformed","out":{"value":{"int":"0"},"output":"6930"}}`},
		"a step with a wrong out":        {`"out":{"target":"` + thirtySix + `1111"}`, `"out":{"target":"00"}`},
		"a step that cannot be refused":  {`"out":{"target":"` + thirtySix + `1111"}`, `"reject":"malformed"`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		require.NotEqual(t, good, bad, name)
		require.Error(t, s.Validate(document(t, []byte(bad))), name)
		require.NotEmpty(t, theSchema().check(document(t, []byte(bad)), ""), name)
	}
}

func all(t *testing.T) []Vector {
	t.Helper()
	vectors, err := All()
	require.NoError(t, err)
	require.Greater(t, len(vectors), 400)
	return vectors
}

func TestGroupsAreAllFiles(t *testing.T) {
	entries, err := Files.ReadDir(".")
	require.NoError(t, err)
	require.Len(t, entries, len(Groups())+2)
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
		require.Equal(t, v.Type, twin.Type, "%s and its twin ask different questions", v.ID)
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
		if v.Text == nil {
			continue
		}
		var fields struct {
			In  struct{ Input Hex }
			Out struct{ Signed Hex }
		}
		require.NoError(t, v.Into(&fields))
		shown := fields.In.Input
		if v.Type == "dht.item" {
			shown = fields.Out.Signed
		}
		n++
		got := escape.ReplaceAllStringFunc(*v.Text, func(s string) string {
			if s == `\\` {
				return `\`
			}
			c, _ := strconv.ParseUint(s[2:], 16, 8)
			return string([]byte{byte(c)})
		})
		require.Equal(t, string(shown), got, v.ID)
	}
	require.Greater(t, n, 200)
}

func TestIntoReportsTheVector(t *testing.T) {
	var v Vector
	require.NoError(t, json.Unmarshal([]byte(`{"id":"wire-a","input":"zz"}`), &v))
	var fields struct{ Input Hex }
	require.ErrorContains(t, v.Into(&fields), "wire-a")
}

// Whoever reads only the README knows every file, and what every type asks.
func TestReadmeNamesFilesAndTypes(t *testing.T) {
	b, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, name := range Groups() {
		require.Contains(t, string(b), "`"+name+".json`")
	}
	headings := regexp.MustCompile(`(?m)^\*\*([^*]*)\.\*\*`).FindAllStringSubmatch(string(b), -1)
	described := map[string]bool{}
	for _, h := range headings {
		for name := range strings.SplitSeq(h[1], ", ") {
			described[name] = true
		}
	}
	asked := map[string]bool{}
	for _, v := range all(t) {
		for op := range v.operations() {
			asked[op] = true
			require.True(t, described[op], "README.md does not describe %s", op)
		}
	}
	for name := range described {
		require.True(t, asked[name], "README.md describes %s, which no vector asks for", name)
	}
}
