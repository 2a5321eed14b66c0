package testvectors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kith/internal/shim"
)

// reference asks a new shim of ours.
func reference() Ask {
	s := shim.New()
	return func(q []byte) ([]byte, error) { return s.Answer(q), nil }
}

// everything is what the reference claims.
func everything(t *testing.T) []string {
	t.Helper()
	r := Verify(nil, reference(), Options{})
	require.NoError(t, r.Contract)
	return r.Claimed
}

// A question is a request as a shim reads it.
type question struct {
	ID int64
	Op string
	In json.RawMessage
}

func read(q []byte) (out question) {
	if err := json.Unmarshal(q, &out); err != nil {
		panic(err)
	}
	return out
}

// nulls are shims that implement nothing.
func nulls() map[string]Ask {
	gone := func([]byte) ([]byte, error) { return nil, io.EOF }
	rng := rand.New(rand.NewChaCha8([32]byte{1}))
	last := []byte(`{"id":0,"out":{}}`)
	honest := reference()
	return map[string]Ask{
		"gone":            gone,
		"hangs":           func([]byte) ([]byte, error) { return nil, errors.New("no answer within 1s") },
		"an empty object": func([]byte) ([]byte, error) { return []byte(`{}`), nil },
		"no JSON":         func([]byte) ([]byte, error) { return []byte("Segmentation fault"), nil },
		"nothing":         func([]byte) ([]byte, error) { return nil, nil },
		"echo":            func(q []byte) ([]byte, error) { return q, nil },
		"always unsupported": func(q []byte) ([]byte, error) {
			return fmt.Appendf(nil, `{"id":%d,"unsupported":true}`, read(q).ID), nil
		},
		"always malformed": func(q []byte) ([]byte, error) {
			return fmt.Appendf(nil, `{"id":%d,"reject":"malformed"}`, read(q).ID), nil
		},
		"always accepts": func(q []byte) ([]byte, error) { return fmt.Appendf(nil, `{"id":%d,"out":{}}`, read(q).ID), nil },
		"in is out": func(q []byte) ([]byte, error) {
			return fmt.Appendf(nil, `{"id":%d,"out":%s}`, read(q).ID, read(q).In), nil
		},
		"always an error": func(q []byte) ([]byte, error) { return fmt.Appendf(nil, `{"id":%d,"error":"x"}`, read(q).ID), nil },
		"random": func(q []byte) ([]byte, error) {
			class := reasonClasses[rng.IntN(len(reasonClasses))]
			return fmt.Appendf(nil, `{"id":%d,%s}`, read(q).ID, []string{`"out":{}`, `"reject":"` + class + `"`, `"unsupported":true`}[rng.IntN(3)]), nil
		},
		"the answer before": func(q []byte) ([]byte, error) {
			b, err := honest(q)
			b, last = last, b
			return b, err
		},
	}
}

// A shim that implements nothing passes nothing, also when it is believed without a hello.
func TestNullShimsPassNothing(t *testing.T) {
	vectors := all(t)
	claims := everything(t)
	for name, ask := range nulls() {
		r := Verify(vectors, ask, Options{Canary: "1"})
		require.ErrorIs(t, r.Contract, ErrContract, name)
		require.Equal(t, len(vectors), r.Count(NotRun), name)
		require.NotEmpty(t, r.Vacuous(), name)

		r = Verify(vectors, ask, Options{Claims: claims, Patience: len(vectors)})
		require.Zero(t, r.Count(Pass, NotRun, Limited), name)
	}
}

// Who accepts everything is not believed where the right answer is an empty one.
func TestAcceptanceWithoutWords(t *testing.T) {
	v := func(id, twin, reason string) (v Vector) {
		outcome := `"accept","out":{}`
		if reason != "" {
			outcome = fmt.Sprintf(`"drop","reason":%q,"twin":%q`, reason, twin)
		}
		require.NoError(t, json.Unmarshal(fmt.Appendf(nil, `{"id":%q,"type":"t.verify","in":{"id":%q},"outcome":%s}`, id, id, outcome), &v))
		return v
	}
	vectors := []Vector{v("good", "", ""), v("bad-1", "good", "limit"), v("bad-2", "good", "limit"), v("bad-3", "good", "state")}
	for wrong, want := range map[string][]Verdict{
		"":               {Pass, Pass, Pass, Pass},
		"bad-1":          {Pass, Fail, Pass, Pass},
		"bad-1 bad-2":    {Unclear, Fail, Fail, Unclear},
		"good":           {Fail, Unclear, Unclear, Unclear},
		"bad-1 bad-2 -3": {Unclear, Fail, Fail, Fail},
	} {
		r := Verify(vectors, func(q []byte) ([]byte, error) {
			answer := `"out":{}`
			for _, v := range vectors {
				if strings.Contains(string(q), v.ID) && v.Reason != "" && !strings.Contains(wrong, strings.TrimPrefix(v.ID, "bad")) {
					answer = `"reject":"` + v.Reason + `"`
				}
			}
			if strings.Contains(wrong, "good") && strings.Contains(string(q), "good") {
				answer = `"reject":"limit"`
			}
			return fmt.Appendf(nil, `{"id":%d,%s}`, read(q).ID, answer), nil
		}, Options{Claims: []string{"t.verify"}})
		var got []Verdict
		for _, result := range r.Results {
			got = append(got, result.Verdict)
		}
		require.Equal(t, want, got, wrong)
	}
}

// A shim that forgets between two questions answers single ones, and passes no script.
func TestForgetfulPassesNoScript(t *testing.T) {
	vectors := slices.DeleteFunc(all(t), func(v Vector) bool {
		return !slices.ContainsFunc(v.Steps, func(s Step) bool { return s.handle != "" })
	})
	r := Verify(vectors, func(q []byte) ([]byte, error) { return shim.New().Answer(q), nil }, Options{Claims: everything(t)})
	for _, result := range r.Results {
		require.Contains(t, []Verdict{Fail, Unclear}, result.Verdict, result.Vector.ID)
	}

	forgetful := func(q []byte) ([]byte, error) { return stub(false)(q) }
	const steps = `{"op":"t.new","in":{"handle":"a"},"out":{}},{"op":"t.count","in":{"handle":"a","n":3},"out":{}}`
	r = Verify([]Vector{script(t, "up", "", "", steps)}, forgetful, Options{Claims: []string{"t.new", "t.count"}})
	require.Equal(t, 1, r.Count(Fail))
}

// faulty changes the reference's answers to some operation.
func faulty(op string, change func(answer string, n int) string) Ask {
	honest, n := reference(), 0
	return func(q []byte) ([]byte, error) {
		b, err := honest(q)
		if read(q).Op == op {
			n++
			b = []byte(change(string(b), n))
		}
		return b, err
	}
}

// Each breach of the protocol is said for what it is.
func TestBrokenAnswers(t *testing.T) {
	vectors, err := Group("bencode")
	require.NoError(t, err)
	for change, says := range map[string]string{
		``:                              "the answer is no JSON object",
		`null`:                          "the answer has no id",
		`{"id":ID,"reject":5}`:          "the reject of the answer is 5",
		`[]`:                            "the answer is no JSON object",
		`{"out":{}}`:                    "the answer has no id",
		`{"id":null,"out":{}}`:          "the answer has the id null",
		`{"id":ID}`:                     "the answer has 0 of out",
		`{"id":"ID","out":{}}`:          "has the id",
		`{"id":99999,"out":{}}`:         "the id 99999",
		`{"id":ID,"out":{}} {}`:         "the answer is no JSON object",
		`{"id":ID,"out":{},"more":1}`:   "a key \"more\", which is none",
		`{"id":ID,"out":[]}`:            "the out of the answer is no object",
		`{"id":ID,"out":null}`:          "the out of the answer is no object",
		`{"id":ID,"out":{},"with":{}}`:  "has a with and refuses nothing",
		`{"id":ID,"reject":""}`:         "no reason class",
		`{"id":ID,"reject":"bad"}`:      "no reason class",
		`{"id":ID,"unsupported":false}`: "says unsupported, and then false",
		`{"id":ID,"reject":"malformed","unsupported":true}`:      "the answer has 2 of out",
		`{"id":ID,"out":{},"intermediate":1}`:                    "the intermediate of the answer is no object",
		`{"id":ID,"reject":"malformed","with":"it is too long"}`: "the with of the answer is no object",
	} {
		asked := 0
		r := Verify(vectors, func(q []byte) ([]byte, error) {
			if read(q).Op != "wire.bencode" {
				return reference()(q)
			}
			asked++
			return []byte(strings.ReplaceAll(change, "ID", fmt.Sprint(read(q).ID))), nil
		}, Options{})
		require.ErrorIs(t, r.Contract, ErrContract, change)
		require.Equal(t, defaultPatience, asked, change)
		require.Equal(t, defaultPatience, r.Count(Broken), change)
		require.Equal(t, len(vectors)-defaultPatience, r.Count(NotRun), change)
		require.Contains(t, r.Results[0].Why, says, change)
	}
}

// One vector without an answer is that vector's failure and nobody else's.
func TestOneBrokenAnswer(t *testing.T) {
	vectors, err := Group("bencode")
	require.NoError(t, err)
	r := Verify(vectors, faulty("wire.bencode", func(answer string, n int) string {
		if n == 4 {
			return "oops"
		}
		return answer
	}), Options{})
	require.NoError(t, r.Contract)
	require.Equal(t, 1, r.Count(Broken))
	require.Equal(t, Broken, r.Results[3].Verdict)
}

func TestHello(t *testing.T) {
	const good = `{"version":"` + Version + `","implementation":"x","capabilities":["wire.bencode"],"limits":{}}`
	vectors, err := Group("bencode")
	require.NoError(t, err)
	ask := func(hello string) Ask {
		honest := reference()
		return func(q []byte) ([]byte, error) {
			if read(q).Op == "hello" {
				return fmt.Appendf(nil, `{"id":%d,%s}`, read(q).ID, hello), nil
			}
			return honest(q)
		}
	}
	r := Verify(vectors, ask(`"out":`+good), Options{})
	require.NoError(t, r.Contract)
	require.Equal(t, len(vectors), r.Count(Pass))
	require.Equal(t, "x", r.Implementation)

	for bad, says := range map[string]string{
		`"reject":"state"`:   "reject: state",
		`"unsupported":true`: "unsupported",
		`"error":"not now"`:  "not now",
		`"out":{}`:           "missing",
		`"out":` + strings.Replace(good, Version, "0", 1):                            `it speaks version "0"`,
		`"out":` + strings.Replace(good, `"limits":{}`, `"limits":{"depth":3}`, 1):   "depth",
		`"out":` + strings.Replace(good, `,"limits":{}`, ``, 1):                      "missing",
		`"out":` + strings.Replace(good, `["wire.bencode"]`, `"wire.bencode"`, 1):    "capabilities",
		`"out":` + strings.Replace(good, `"implementation":"x"`, `"verdict":"x"`, 1): "verdict",
	} {
		r := Verify(vectors, ask(bad), Options{})
		require.ErrorIs(t, r.Contract, ErrContract, bad)
		require.ErrorContains(t, r.Contract, says, bad)
		require.Equal(t, len(vectors), r.Count(NotRun))
	}

	canary := Verify(vectors, func(q []byte) ([]byte, error) {
		if strings.HasPrefix(read(q).Op, "canary.") {
			return fmt.Appendf(nil, `{"id":%d,"out":{}}`, read(q).ID), nil
		}
		return reference()(q)
	}, Options{})
	require.ErrorContains(t, canary.Contract, "an operation that does not exist has to be unsupported")
}

// What is not claimed or beyond a limit is not asked, and counted; a claim that is never asked makes the whole vacuous.
func TestLimits(t *testing.T) {
	vectors := all(t)
	ask := func(capabilities, limits string) (Ask, *int) {
		honest, longest := reference(), 0
		return func(q []byte) ([]byte, error) {
			if read(q).Op == "hello" {
				return fmt.Appendf(nil, `{"id":%d,"out":{"version":%q,"implementation":"x","capabilities":%s,"limits":%s}}`, read(q).ID, Version, capabilities, limits), nil
			}
			longest = max(longest, len(q))
			return honest(q)
		}, &longest
	}
	asker, longest := ask(`["wire.bencode","wire.krpc","mine.own"]`, `{"line":1500}`)
	r := Verify(vectors, asker, Options{})
	require.NoError(t, r.Contract)
	require.LessOrEqual(t, *longest, 1500)
	require.Equal(t, []string{"mine.own"}, r.Unknown)
	require.Empty(t, r.Vacuous())
	require.Greater(t, r.Count(Limited), 1)
	require.Equal(t, len(vectors), r.Count(Pass, Unsupported, Limited))
	for _, result := range r.Results {
		require.Equal(t, strings.HasPrefix(result.Vector.Type, "wire.bencode") || result.Vector.Type == "wire.krpc", result.Verdict != Unsupported, result.Why)
	}

	asker, _ = ask(`["wire.bencode","dht.put"]`, `{"line":180}`)
	require.Contains(t, Verify(vectors, asker, Options{}).Vacuous(), "dht.put is claimed")
	asker, _ = ask(`[]`, `{}`)
	require.Contains(t, Verify(vectors, asker, Options{}).Vacuous(), "no vector was asked")

	asker, _ = ask(`["wire.bencode"]`, `{}`)
	r = Verify(vectors, func(q []byte) ([]byte, error) {
		if read(q).Op == "wire.bencode" {
			return fmt.Appendf(nil, `{"id":%d,"unsupported":true}`, read(q).ID), nil
		}
		return asker(q)
	}, Options{})
	require.Zero(t, r.Count(Pass), "a capability that is unsupported")
}

func TestDifferences(t *testing.T) {
	vectors, err := Group("compact")
	require.NoError(t, err)
	for change, want := range map[[2]string]Difference{
		{`"192.0.2.1:6881"`, `"192.0.2.1:6882"`}: {"out.address", `"192.0.2.1:6881"`, `"192.0.2.1:6882"`},
		{`,"output":"c00002011ae1"`, ``}:         {"out.output", `"c00002011ae1"`, "nothing"},
		{`"output":`, `"more":1,"output":`}:      {"out.more", "nothing", "1"},
		{`"out"`, `"reject":"limit","with"`}:     {"reject", "nothing", "limit"},
	} {
		r := Verify(vectors, faulty("wire.peer", func(answer string, n int) string {
			return strings.Replace(answer, change[0], change[1], 1)
		}), Options{First: true})
		require.Equal(t, Fail, r.Results[0].Verdict)
		require.Equal(t, []Difference{want}, r.Results[0].Differences)
		require.Equal(t, len(vectors)-1, r.Count(NotRun))
	}
}

// A vector that contradicts itself passes for nobody.
func TestWrongVectors(t *testing.T) {
	vectors, err := Group("bencode")
	require.NoError(t, err)
	refused := slices.IndexFunc(vectors, func(v Vector) bool { return v.Outcome != Accept })
	for name, change := range map[string]func(v *Vector){
		"its twin":    func(v *Vector) { v.Twin = "wire-no-such" },
		"is none":     func(v *Vector) { v.Twin = v.ID },
		"the SHA-256": func(v *Vector) { v.Secrets = map[string]Secret{"a": {Label: "kith/1 vector a", Bytes: make(Hex, 32)}} },
		"outcome is":  func(v *Vector) { v.Outcome = Accept },
	} {
		v := vectors[refused]
		change(&v)
		r := Verify(append([]Vector{v}, vectors[:refused]...), reference(), Options{})
		require.Equal(t, Fail, r.Results[0].Verdict, name)
		require.Contains(t, r.Results[0].Why, name)
	}
}

// A stub is a shim with one kind of state: a counter that takes only numbers above the last.
func stub(trace bool) Ask {
	states := map[string]int{}
	return func(q []byte) ([]byte, error) {
		var in struct {
			Handle string
			N      int
		}
		r := read(q)
		json.Unmarshal(r.In, &in)
		answer := `"out":{}`
		old, open := states[in.Handle]
		switch {
		case r.Op == "free":
			delete(states, in.Handle)
		case r.Op == "t.new" && open, r.Op != "t.new" && !open:
			answer = `"error":"handle"`
		case r.Op == "t.new":
			states[in.Handle] = 0
		case r.Op == "snapshot":
			answer = fmt.Sprintf(`"out":{"snapshot":"%04x"}`, old)
		case in.N <= old:
			answer = `"reject":"replay"`
			if trace {
				states[in.Handle] = old + 1<<8
			}
		default:
			states[in.Handle] = in.N
		}
		return fmt.Appendf(nil, `{"id":%d,%s}`, r.ID, answer), nil
	}
}

func script(t *testing.T, id, twin, reason string, steps string) (v Vector) {
	t.Helper()
	outcome := `"accept"`
	if reason != "" {
		outcome = fmt.Sprintf(`"drop","reason":%q,"twin":%q`, reason, twin)
	}
	require.NoError(t, json.Unmarshal(fmt.Appendf(nil, `{"id":%q,"type":"script","outcome":%s,"steps":[%s]}`, id, outcome, steps), &v))
	return v
}

func TestScripts(t *testing.T) {
	const begin = `{"op":"t.new","in":{"handle":"a"},"out":{}},{"op":"t.count","in":{"handle":"a","n":3},"out":{}}`
	vectors := []Vector{
		script(t, "up", "", "", begin+`,{"op":"t.count","in":{"handle":"a","n":4},"out":{}}`),
		script(t, "down", "up", "replay", begin+`,{"op":"t.count","in":{"handle":"a","n":3},"reject":"replay"}`),
		script(t, "both", "", "", begin+`,{"op":"t.count","in":{"handle":"a","n":3},"reject":"replay"},{"op":"t.count","in":{"handle":"a","n":2},"reject":"replay"},`+
			`{"op":"t.count","in":{"handle":"a","n":4},"out":{}}`),
	}
	claims := []string{"t.new", "t.count", "snapshot"}
	r := Verify(vectors, stub(false), Options{Claims: claims})
	require.Equal(t, 3, r.Count(Pass), "%v", r.Results)
	require.Equal(t, 3, r.Snapshots)

	traces := Verify(vectors, stub(true), Options{Claims: claims})
	require.Equal(t, []Verdict{Pass, Fail, Fail}, []Verdict{traces.Results[0].Verdict, traces.Results[1].Verdict, traces.Results[2].Verdict})
	require.Contains(t, traces.Results[1].Why, "the refusal left a trace")
	require.Equal(t, "steps[2].snapshot", traces.Results[1].Differences[0].Field)

	counted := script(t, "counted", "up", "replay", begin+`,{"op":"t.count","in":{"handle":"a","n":3},"reject":"replay","counted":true}`)
	r = Verify([]Vector{vectors[0], counted}, stub(true), Options{Claims: claims})
	require.Equal(t, 2, r.Count(Pass))

	without := Verify(vectors, stub(true), Options{Claims: claims[:2]})
	require.Zero(t, without.Snapshots)
	require.Equal(t, Fail, without.Results[2].Verdict, "what comes later shows the trace")

	forgets := stub(false)
	r = Verify(vectors, func(q []byte) ([]byte, error) {
		if read(q).Op == "free" {
			return fmt.Appendf(nil, `{"id":%d,"out":{}}`, read(q).ID), nil
		}
		return forgets(q)
	}, Options{Claims: claims})
	require.Equal(t, 1, r.Count(Pass), "a handle that is not freed stands in the way of the next script")

	one := 1
	l := limits{Handles: &one}
	require.Empty(t, l.beyond(&vectors[0]))
	two := script(t, "two", "", "", begin+`,{"op":"t.new","in":{"handle":"b"},"out":{}}`)
	require.Contains(t, l.beyond(&two), "limit of 1")
}

// Where both have an intermediate value, it has to be equal; nobody has to have any.
func TestIntermediate(t *testing.T) {
	vectors, err := Group("bep42")
	require.NoError(t, err)
	show := func(text string) Ask {
		return faulty("dht.node-id", func(answer string, n int) string {
			return strings.TrimSuffix(answer, "}") + `,"intermediate":` + text + `}`
		})
	}
	r := Verify(vectors, show(`{"crc32c":"5fbfbdb2","mine":1}`), Options{First: true})
	require.Equal(t, Pass, r.Results[0].Verdict, r.Results[0].Why)
	require.Equal(t, Fail, r.Results[1].Verdict)
	require.Equal(t, 2, r.Intermediate)
	require.Equal(t, "intermediate.crc32c", r.Results[1].Differences[0].Field)
}

// The verification of the whole is the same every time.
func TestVerifyIsDeterministic(t *testing.T) {
	vectors := all(t)
	transcript := func() []byte {
		var b bytes.Buffer
		honest := reference()
		Verify(vectors, func(q []byte) ([]byte, error) {
			a, err := honest(q)
			b.Write(q)
			b.Write(a)
			return a, err
		}, Options{})
		return b.Bytes()
	}
	require.True(t, bytes.Equal(transcript(), transcript()))
}
