package testvectors

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kith/spec"
)

var update = flag.Bool("update", false, "write the worked examples of the spec anew, from the vectors that they name")

// workedExample is the place of the spec where the values of some vectors stand: a line that names them, and indented lines behind it.
var workedExample = regexp.MustCompile(`(?m)^    example: (.*)\n(?:(?:    .*)?\n)*?(\n(?:[^ \n]|\z))`)

// The worked examples of the spec are the vectors that they name, to the byte.
func TestSpecExamplesAreVectors(t *testing.T) {
	vectors := map[string]Vector{}
	for _, v := range all(t) {
		vectors[v.ID] = v
	}
	for _, name := range []string{"rendezvous", "handshake", "ratchet", "peer"} {
		text := chapter(t, name)
		n := 0
		written := workedExample.ReplaceAllStringFunc(text, func(old string) string {
			n++
			m := workedExample.FindStringSubmatch(old)
			var b strings.Builder
			fmt.Fprintf(&b, "    example: %s\n", m[1])
			for _, id := range strings.Fields(m[1]) {
				v, ok := vectors[id]
				require.True(t, ok, "%s.md cites %s", name, id)
				fmt.Fprintf(&b, "\n    %s: %s\n", id, v.Comment)
				writeExample(t, &b, v)
			}
			return b.String() + m[2]
		})
		require.Equal(t, 1, n, "%s.md has no worked example", name)
		if *update {
			require.NoError(t, os.WriteFile("../spec/"+name+".md", []byte(written), 0o644))
			continue
		}
		require.Equal(t, written, text, "go test ./testvectors -run SpecExamples -update writes it anew")
	}
}

func chapter(t *testing.T, name string) string {
	t.Helper()
	for _, c := range spec.Chapters() {
		if c.Name == name {
			return c.Text
		}
	}
	t.Fatalf("no chapter %s", name)
	return ""
}

func writeExample(t *testing.T, b *strings.Builder, v Vector) {
	t.Helper()
	if v.Steps == nil {
		writeValues(t, b, "in", v.In)
		writeValues(t, b, "draw", v.Draws)
		writeValues(t, b, "", v.Intermediate)
		writeValues(t, b, "out", v.Out)
	}
	for i, s := range v.Steps {
		fmt.Fprintf(b, "    %d. %s %s\n", i+1, s.Op, s.Comment)
		writeValues(t, b, "in", s.In)
		writeValues(t, b, "draw", s.Draws)
		writeValues(t, b, "", s.Intermediate)
		writeValues(t, b, "out", s.Out)
	}
}

// writeValues writes the values of one object in their order, a line each, and each entry of a list; long ones lose their middle.
func writeValues(t *testing.T, b *strings.Builder, kind string, raw json.RawMessage) {
	t.Helper()
	if len(raw) == 0 {
		return
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	_, err := d.Token()
	require.NoError(t, err)
	for d.More() {
		name, err := d.Token()
		require.NoError(t, err)
		var value json.RawMessage
		require.NoError(t, d.Decode(&value))
		var list []json.RawMessage
		if json.Unmarshal(value, &list) != nil || len(list) == 0 {
			list = []json.RawMessage{value}
		}
		for i, value := range list {
			shown := fmt.Sprint(name)
			if len(list) > 1 {
				shown += fmt.Sprintf("[%d]", i)
			}
			text := string(value) // of an object, as it stands
			if json.Unmarshal(value, &text) == nil && len(text) > 140 {
				text = fmt.Sprintf("%s…%s (%d bytes)", text[:64], text[len(text)-16:], len(text)/2)
			}
			fmt.Fprintf(b, "      %-4s %-12s %s\n", kind, shown, text)
		}
	}
}
