package testvectors

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckTakesOurOwnFiles(t *testing.T) {
	entries, err := Files.ReadDir(".")
	require.NoError(t, err)
	n := 0
	for _, e := range entries {
		b, err := Files.ReadFile(e.Name())
		require.NoError(t, err)
		vectors, problems := Check(e.Name(), b)
		require.Empty(t, problems)
		n += len(vectors)
	}
	require.Len(t, all(t), n)
}

// Whatever is wrong with a file is said with the vector and the field.
func TestCheckSaysWhere(t *testing.T) {
	b, err := Files.ReadFile("bencode.json")
	require.NoError(t, err)
	good := string(b)
	for change, want := range map[[2]string]string{
		{"\"outcome\": \"accept\",\n", "\"outcome\": \"accept\"\n"}: "bencode.json: line 20, column 8: no JSON: ",
		{`"version": "1-draft"`, `"version": "2"`}:                  `bencode.json: it is of version "2", and this program is of version "1-draft"`,
		{`"input": "693065"`, `"input": "69306"`}:                   "bencode.json: wire-int-form-zero: in.input: is \"69306\", and does not match",
		{`"input": "693065"`, `"input": "693066"`}:                  "bencode.json: wire-int-form-zero: in.input: is \"693066\", and \"693065\" in version 1-draft",
		{`"input": "693065"`, `"inputs": "693065"`}:                 "bencode.json: wire-int-form-zero: in.input: is missing",
		{`"id": "wire-int-form-zero"`, `"id": "wire-int-form-nil"`}: "bencode.json: wire-int-form-zero: is missing",
		{`"id": "wire-int-form-zero"`, `"id": "Wire"`}:              "bencode.json: Wire: id: is \"Wire\", and does not match",
		{`"id": "wire-int-form-zero",`, ``}:                         "bencode.json: vectors[0]: id: is missing",
		{`"group": "bencode"`, `"group": "krpc"`}:                   "bencode.json: group: is \"krpc\", and \"bencode\" in version 1-draft",
		{`"reason": "malformed"`, `"reason": "limit"`}:              "bencode.json: wire-truncated-nothing: reason: is \"limit\", and \"malformed\"",
		{`"outcome": "drop"`, `"outcome": "accept"`}:                "bencode.json: wire-truncated-nothing: twin: must not be there",
		{good, "[]"}:               "bencode.json: it is no object",
		{good, ""}:                 "bencode.json: line 1, column 1: no JSON: EOF",
		{good, good + "{}"}:        "no JSON: something stands behind the end",
		{good, good[:len(good)/2]}: "no JSON: unexpected EOF",
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		require.NotEqual(t, good, bad)
		vectors, problems := Check("bencode.json", []byte(bad))
		require.Nil(t, vectors)
		var said []string
		for _, p := range problems {
			said = append(said, p.String())
		}
		require.Contains(t, strings.Join(said, "\n"), want)
	}
	twice := strings.Replace(good, `"vectors": [`, `"vectors": [`+show(document(t, all(t)[0].raw))+",", 1)
	_, problems := Check("bencode.json", []byte(twice))
	require.Equal(t, "bencode.json: wire-int-form-zero: id: stands there twice", problems[0].String())

	_, problems = Check("mine.json", b)
	require.Equal(t, "mine.json: no file of version 1-draft is called so", problems[0].String())
	_, problems = Check("schema.json", []byte("{}"))
	require.Equal(t, "schema.json: it is not the schema of version 1-draft", problems[0].String())
}
