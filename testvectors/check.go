package testvectors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Problem is a place in which a file is not what it should be.
type Problem struct {
	File   string // as it was called
	Vector string // its id, empty where it is about the file
	Field  string // "in.input", empty where it is about the whole
	Text   string
}

// String returns the problem in one line.
func (p Problem) String() string {
	at := p.File
	for _, part := range []string{p.Vector, p.Field} {
		if part != "" {
			at += ": " + part
		}
	}
	return at + ": " + p.Text
}

// Check reads a file of vectors and returns them, or what is wrong with it: bad JSON, another version, a field that is not of its form, a secret that
// is not the hash of its label, and every place in which it is not what this version of the file says. name is the file's without
// folders; of the schemas it returns no vectors.
func Check(name string, content []byte) ([]Vector, []Problem) {
	fail := func(format string, args ...any) ([]Vector, []Problem) {
		return nil, []Problem{{File: name, Text: fmt.Sprintf(format, args...)}}
	}
	ours, err := Files.ReadFile(name)
	if err != nil {
		return fail("no file of version %s is called so", Version)
	}
	doc, err := readDocument(content)
	if err != nil {
		return fail("%v", err)
	}
	if !slices.Contains(Groups(), strings.TrimSuffix(name, ".json")) { // a schema
		if !bytes.Equal(content, ours) {
			return fail("it is not the schema of version %s", Version)
		}
		return nil, nil
	}
	m, ok := doc.(map[string]any)
	if !ok {
		return fail("it is no object")
	}
	if m["version"] != Version {
		return fail("it is of version %s, and this program is of version %q", brief(m["version"]), Version)
	}
	if found := theSchema().check(doc, ""); len(found) > 0 {
		return nil, place(name, m, found)
	}
	var file struct{ Vectors []Vector }
	if err := json.Unmarshal(content, &file); err != nil {
		return fail("%v", err)
	}
	var problems []Problem
	for i := range file.Vectors {
		v := &file.Vectors[i]
		v.Group = strings.TrimSuffix(name, ".json")
		if fault := v.fault(); fault != "" {
			problems = append(problems, Problem{name, v.ID, "", fault})
		}
	}
	if problems = append(problems, compareFiles(name, m, ours)...); len(problems) > 0 {
		return nil, problems
	}
	return file.Vectors, nil
}

// readDocument reads one JSON value and nothing behind it; its error says where it is wrong.
func readDocument(content []byte) (doc any, err error) {
	d := json.NewDecoder(bytes.NewReader(content))
	d.UseNumber()
	if err = d.Decode(&doc); err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return doc, nil
		}
		err = errors.New("something stands behind the end")
	}
	at := d.InputOffset()
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = syntax.Offset
	}
	before := content[:min(int(at), len(content))]
	return nil, fmt.Errorf("line %d, column %d: no JSON: %w", 1+bytes.Count(before, []byte{'\n'}), len(before)-bytes.LastIndexByte(before, '\n'), err)
}

var inVectors = regexp.MustCompile(`^vectors\[([0-9]+)\](?:\.(.*))?$`)

// place says of flaws in whole files in which vector they are.
func place(name string, file map[string]any, found []flaw) (problems []Problem) {
	for _, f := range found {
		p := Problem{File: name, Field: f.field, Text: f.text}
		if m := inVectors.FindStringSubmatch(f.field); m != nil {
			i, _ := strconv.Atoi(m[1])
			p.Vector, p.Field = fmt.Sprintf("vectors[%d]", i), m[2]
			if v, ok := file["vectors"].([]any)[i].(map[string]any); ok {
				if id, ok := v["id"].(string); ok && id != "" {
					p.Vector = id
				}
			}
		}
		problems = append(problems, p)
	}
	return problems
}

// compareFiles tells where a file that is of this version says something else than this version's own.
func compareFiles(name string, theirs map[string]any, content []byte) (problems []Problem) {
	doc, err := readDocument(content)
	if err != nil {
		panic("testvectors: " + name + ": " + err.Error()) // the files are in the binary
	}
	ours := doc.(map[string]any)
	ourVectors, theirVectors := ours["vectors"].([]any), theirs["vectors"].([]any)
	delete(ours, "vectors")
	heads := map[string]any{}
	for key, v := range theirs {
		if key != "vectors" {
			heads[key] = v
		}
	}
	tell := func(vector string) func(field, expected, observed string) {
		return func(field, expected, observed string) {
			problems = append(problems, Problem{name, vector, strings.TrimPrefix(field, "."), fmt.Sprintf("is %s, and %s in version %s", clip(observed), clip(expected), Version)})
		}
	}
	compareValues("", ours, heads, tell(""))
	theirsByID := map[string]any{}
	for _, v := range theirVectors {
		id := idOf(v)
		if _, twice := theirsByID[id]; twice {
			problems = append(problems, Problem{name, id, "id", "stands there twice"})
		}
		theirsByID[id] = v
	}
	for _, v := range ourVectors {
		id := idOf(v)
		if other, ok := theirsByID[id]; ok {
			compareValues("", v, other, tell(id))
		} else {
			problems = append(problems, Problem{name, id, "", "is missing"})
		}
		delete(theirsByID, id)
	}
	for _, id := range sortedKeys(theirsByID) {
		problems = append(problems, Problem{name, id, "", "no vector of version " + Version + " is called so"})
	}
	return problems
}

func idOf(v any) string {
	m, _ := v.(map[string]any)
	id, _ := m["id"].(string)
	return id
}
