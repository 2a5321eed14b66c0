package testvectors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// An answer is one line of an implementation. Exactly one of Out, Reject, Unsupported and Error is there.
type answer struct {
	Out          json.RawMessage
	Reject       string
	With         json.RawMessage
	Unsupported  bool
	Error        *string
	Intermediate json.RawMessage
}

// text shows an answer in the middle of a sentence.
func (a answer) text() string {
	switch {
	case a.Error != nil:
		return "error: " + *a.Error
	case a.Unsupported:
		return "unsupported"
	case a.Reject != "":
		return "reject: " + a.Reject
	}
	return "out: " + clip(string(a.Out))
}

// encode writes a request.
func encode(id int64, op string, in, draws json.RawMessage) []byte {
	b := append([]byte(`{"id":`), strconv.FormatInt(id, 10)...)
	b = append(b, `,"op":`...)
	name, _ := json.Marshal(op)
	b = append(append(b, name...), `,"in":`...)
	b = append(b, in...)
	if draws != nil {
		b = append(append(b, `,"draws":`...), draws...)
	}
	return append(b, '}')
}

var reasonClasses = []string{"malformed", "authentication", "replay", "state", "limit"}

// maxID is the greatest id: what a double holds exactly.
const maxID = 1<<53 - 1

// An asker numbers its questions.
type asker struct {
	ask  Ask
	last int64
}

// put asks one question and reads the answer. Its error says what is wrong with it, or why there is none.
func (a *asker) put(op string, in, draws json.RawMessage) (answer, error) {
	a.last++
	line, err := a.ask(encode(a.last, op, in, draws))
	if err != nil {
		return answer{}, err
	}
	return parseAnswer(line, a.last)
}

func parseAnswer(line []byte, id int64) (a answer, err error) {
	var keys map[string]json.RawMessage
	if json.Unmarshal(line, &keys) != nil {
		return a, fmt.Errorf("the answer is no JSON object: %q", clip(string(line)))
	}
	kinds := 0
	for _, name := range slices.Sorted(maps.Keys(keys)) { // so that of two faults the same is told each time
		var to any
		raw := keys[name]
		switch name {
		case "id":
			if string(raw) != strconv.FormatInt(id, 10) {
				return a, fmt.Errorf("the answer has the id %s, the request had %d", raw, id)
			}
			continue
		case "out", "with", "intermediate":
			if raw[0] != '{' {
				return a, fmt.Errorf("the %s of the answer is no object: %s", name, clip(string(line)))
			}
			*map[string]*json.RawMessage{"out": &a.Out, "with": &a.With, "intermediate": &a.Intermediate}[name] = raw
		case "reject":
			to = &a.Reject
		case "unsupported":
			to = &a.Unsupported
		case "error":
			to = &a.Error
		default:
			return a, fmt.Errorf("the answer has a key %q, which is none: %s", name, clip(string(line)))
		}
		if to != nil && json.Unmarshal(raw, to) != nil {
			return a, fmt.Errorf("the %s of the answer is %s", name, clip(string(raw)))
		}
		if name == "out" || to != nil {
			kinds++
		}
	}
	_, hasID := keys["id"]
	_, hasReject := keys["reject"]
	_, hasUnsupported := keys["unsupported"]
	switch {
	case !hasID:
		return a, fmt.Errorf("the answer has no id: %s", clip(string(line)))
	case kinds != 1:
		return a, fmt.Errorf("the answer has %d of out, reject, unsupported and error, and needs one: %s", kinds, clip(string(line)))
	case hasReject && !slices.Contains(reasonClasses, a.Reject):
		return a, fmt.Errorf("the answer refuses for %q, which is no reason class", a.Reject)
	case hasUnsupported && !a.Unsupported:
		return a, errors.New("the answer says unsupported, and then false")
	case a.With != nil && !hasReject:
		return a, errors.New("the answer has a with and refuses nothing")
	}
	return a, nil
}

// compare tells every place in which two JSON objects differ. One that is missing is an empty one.
func compare(field string, want, got json.RawMessage, differ func(field, expected, observed string)) {
	if bytes.Equal(want, got) {
		return
	}
	compareValues(field, value(want), value(got), differ)
}

func value(raw json.RawMessage) (v any) {
	if raw == nil {
		return map[string]any{}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil // parseAnswer and the vectors' own reading have seen to it that this is JSON
	}
	return v
}

func compareValues(field string, want, got any, differ func(field, expected, observed string)) {
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok {
			break
		}
		for _, name := range sortedKeys(want) {
			if other, ok := got[name]; ok {
				compareValues(field+"."+name, want[name], other, differ)
			} else {
				differ(field+"."+name, show(want[name]), "nothing")
			}
		}
		for _, name := range sortedKeys(got) {
			if _, ok := want[name]; !ok {
				differ(field+"."+name, "nothing", show(got[name]))
			}
		}
		return
	case []any:
		got, ok := got.([]any)
		if !ok {
			break
		}
		for i := range max(len(want), len(got)) {
			at := fmt.Sprintf("%s[%d]", field, i)
			switch {
			case i >= len(got):
				differ(at, show(want[i]), "nothing")
			case i >= len(want):
				differ(at, "nothing", show(got[i]))
			default:
				compareValues(at, want[i], got[i], differ)
			}
		}
		return
	default:
		if want == got {
			return
		}
	}
	differ(field, show(want), show(got))
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for name := range m {
		keys = append(keys, name)
	}
	slices.Sort(keys)
	return keys
}

// intermediate compares the values that both sides have, and returns how many.
func intermediate(want, got json.RawMessage, differ func(field, expected, observed string)) (n int) {
	if want == nil || got == nil {
		return 0
	}
	have, _ := value(got).(map[string]any)
	need, _ := value(want).(map[string]any)
	for _, name := range sortedKeys(need) {
		if other, ok := have[name]; ok {
			compareValues("intermediate."+name, need[name], other, differ)
			n++
		}
	}
	return n
}

// show writes a value for people.
func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// clip keeps what a stranger said to a line.
func clip(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}
