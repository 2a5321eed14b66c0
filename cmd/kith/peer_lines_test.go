package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestLinesAreReadWhole(t *testing.T) {
	longest := strings.Repeat("a", mostLine)
	in := "one\n\n" + longest + "\n" + longest + "b\ntwo\r\n" + strings.Repeat("c", 3*mostLine) + "\nlast"
	for name, r := range map[string]io.Reader{
		"at once": strings.NewReader(in), "halves": iotest.HalfReader(strings.NewReader(in)), "with its end": iotest.DataErrReader(strings.NewReader(in)),
	} {
		l := newLineReader(r)
		for _, want := range []string{"one", "", longest, "", "two\r", "", "last"} {
			b, err := l.next()
			if want == "" && err != nil {
				require.ErrorIs(t, err, errLongLine, name)
				continue
			}
			require.NoError(t, err, name)
			require.Equal(t, want, string(b), name)
		}
		_, err := l.next()
		require.ErrorIs(t, err, io.EOF, name)
	}

	l := newLineReader(strings.NewReader(longest + "b"))
	_, err := l.next()
	require.ErrorIs(t, err, errLongLine)
	_, err = l.next()
	require.ErrorIs(t, err, io.EOF)

	broken := errors.New("broken")
	_, err = newLineReader(io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken))).next()
	require.ErrorIs(t, err, broken)
}

func TestLineReaderKnowsWhenItWouldWait(t *testing.T) {
	l := newLineReader(strings.NewReader("one\ntwo\nthr"))
	require.True(t, l.waits())
	_, err := l.next()
	require.NoError(t, err)
	require.False(t, l.waits())
	_, err = l.next()
	require.NoError(t, err)
	require.True(t, l.waits())
}

func TestParseLine(t *testing.T) {
	ref := func(s string) *string { return &s }
	for line, want := range map[string]lineCommand{
		`{"do":"who"}`:                                                                  {do: "who"},
		`{"do":"quit","ref":""}`:                                                        {do: "quit", ref: ref("")},
		` { "ref" : "7" , "do" : "who" } `:                                              {do: "who", ref: ref("7")},
		`{"do":"add","friend":"kith1x"}`:                                                {do: "add", friend: "kith1x"},
		`{"do":"who","DO":"quit","x":[{}]}`:                                             {do: "who"}, // shim-peer-later
		`{"do":"add","friend":"kith1x","name":"bob","text":7}`:                          {do: "add", friend: "kith1x", name: "bob"},
		`{"do":"send","friend":"bob","text":"\ud83d\ude00 \\ud83d \u0000<&>"}`:          {do: "send", friend: "bob", text: "😀 \\ud83d \x00<&>"},
		`{"do":"taken","friend":"bob","position":"18446744073709551615"}`:               {do: "taken", friend: "bob", position: 1<<64 - 1},
		`{"do":"end","friend":"bob","ref":"` + strings.Repeat("é", mostRef/2) + `"}`:    {do: "end", friend: "bob", ref: ref(strings.Repeat("é", mostRef/2))},
		`{"do":"send","friend":"bob","text":"` + strings.Repeat("x", mostLine/2) + `"}`: {do: "send", friend: "bob", text: strings.Repeat("x", mostLine/2)},
	} {
		got, err := parseLine([]byte(line))
		require.NoError(t, err, line)
		require.Equal(t, want, got, line)
	}
}

// TestParseLineRefuses sees that a refusal says what is wrong, and has what the answer needs. // shim-peer-error
func TestParseLineRefuses(t *testing.T) {
	for line, want := range map[string]struct{ do, ref, says string }{
		``:                                      {"", "", "no JSON object"},
		`who`:                                   {"", "", "no JSON object"},
		`null`:                                  {"", "", "no JSON object"},
		`[]`:                                    {"", "", "no JSON object"},
		`{"do":"who"} {}`:                       {"", "", "no JSON object"},
		"{\"do\":\"who\",\"x\":\"\xff\"}":       {"", "", "not UTF-8"},
		`{"ref":"1"}`:                           {"", "1", "do is missing"},
		`{"do":7,"ref":"1"}`:                    {"", "1", "do is no string"},
		`{"do":null}`:                           {"", "", "do is no string"},
		`{"Do":"who"}`:                          {"", "", "do is missing"},
		`{"do":"dance","ref":"1"}`:              {"", "1", `no command "dance"`},
		`{"do":"who","ref":1}`:                  {"", "", "ref is no string"},
		`{"do":"send","friend":"bob"}`:          {"send", "", "text is missing"},
		`{"do":"send","text":"x","ref":"1"}`:    {"send", "1", "friend is missing"},
		`{"do":"rename","friend":"bob"}`:        {"rename", "", "name is missing"},
		`{"do":"add","friend":"x","name":null}`: {"add", "", "name is no string"},
		`{"do":"taken","friend":"bob"}`:         {"taken", "", "position is missing"},
		`{"do":"who","ref":"` + strings.Repeat("x", mostRef+1) + `"}`:          {"", "", "ref has more than 64 bytes"},
		`{"do":"taken","friend":"bob","position":7}`:                           {"taken", "", "position is no string"},
		`{"do":"taken","friend":"bob","position":"-1"}`:                        {"taken", "", "no decimal string"},
		`{"do":"taken","friend":"bob","position":"18446744073709551616"}`:      {"taken", "", "no decimal string"},
		`{"do":"send","friend":"bob","text":"\ud83d"}`:                         {"send", "", "half of a surrogate pair"},
		`{"do":"send","friend":"bob","text":"\ud83d\ud83d"}`:                   {"send", "", "half of a surrogate pair"},
		`{"do":"send","friend":"bob","text":"\ude00\ud83d"}`:                   {"send", "", "half of a surrogate pair"},
		`{"do":"send","friend":"bob","text":"\\\ud83dx"}`:                      {"send", "", "half of a surrogate pair"},
		`{"do":"send","friend":"bob","text":["the text, a secret"],"ref":"1"}`: {"send", "1", "text is no string"},
	} {
		c, err := parseLine([]byte(line))
		require.ErrorContains(t, err, want.says, line)
		require.NotContains(t, err.Error(), "secret")
		require.Equal(t, want.do, c.do, line)
		if want.ref == "" {
			require.Nil(t, c.ref, line)
		} else {
			require.Equal(t, want.ref, *c.ref, line)
		}
	}
}

func FuzzParseLine(f *testing.F) {
	for _, line := range []string{
		`{"do":"add","friend":"kith1x","name":"bob","ref":"1"}`, `{"do":"send","friend":"bob","text":"\ud83d\ude00\n"}`, `{"do":"taken","friend":"bob","position":"7"}`,
		`{"do":"who"}`, `{"do":"quit","ref":"\ud83d"}`, `{"do":"dance"}`, `[1]`, `{`, `{}`, `null`,
		` { "d\u006f" : "who" , "x":[{"}":"]"},-1e5,true,"\\\""],"ref":null, "do":"quit","name":1,"text":{} ,"position":false}`, `{"":0,"do":"who","":{"a":[]}}`,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		// It is taken apart as encoding/json does.
		keys, ok := splitLine(line)
		var others map[string]json.RawMessage
		require.Equal(t, json.Unmarshal(line, &others) == nil && others != nil, ok)
		for _, key := range []string{"do", "ref", "friend", "name", "text", "position"} {
			require.Equal(t, string(others[key]), string(*keys.of(key)))
		}
		c, err := parseLine(line)
		if err != nil {
			require.True(t, utf8.ValidString(err.Error()))
			return
		}
		require.Contains(t, lineFields, c.do)
		for _, s := range []string{c.friend, c.name, c.text} {
			require.True(t, utf8.ValidString(s))
		}
		// What was understood, said as lines are usually said, is understood the same.
		say := map[string]any{"do": c.do, "friend": c.friend, "text": c.text, "position": decimal(c.position), "name": c.name}
		if c.ref != nil {
			say["ref"] = *c.ref
		}
		b, err := json.Marshal(say)
		require.NoError(t, err)
		again, err := parseLine(b)
		require.NoError(t, err)
		require.Equal(t, c, again)
	})
}

func TestEventsAreLines(t *testing.T) {
	l, now := newLineBuffer(), time.UnixMilli(1_800_000_000_123)
	ref, ahead := "7\n", int64(-5000)
	endpoint := netip.MustParseAddrPort("[2001:db8::1]:7")
	l.add(now, lineEvent{Event: "message", Friend: "kith1x", Position: decimal(1 << 63), Text: "<a&b>\n\u2028", Again: true, Time: 5})
	l.add(now, lineEvent{Event: "who", Ref: &ref, Contacts: []lineContact{}})
	l.add(now, lineEvent{Event: "who", Contacts: []lineContact{{"kith1x", "", lineOffline, 0}}})
	l.add(now, lineEvent{Event: "clock", Friend: "kith1x", Name: "bob", AheadMS: &ahead})
	l.add(now, lineEvent{Event: "own_address", Endpoint: &endpoint})
	l.add(now, lineEvent{Event: "error", Text: "no \xff"})
	require.Equal(t, strings.Join([]string{
		`{"event":"message","time":5,"friend":"kith1x","position":"9223372036854775808","text":"<a&b>\n\u2028","again":true}`,
		`{"event":"who","time":1800000000123,"ref":"7\n","contacts":[]}`,
		`{"event":"who","time":1800000000123,"contacts":[{"friend":"kith1x","state":"offline","queued":0}]}`,
		`{"event":"clock","time":1800000000123,"friend":"kith1x","name":"bob","ahead_ms":-5000}`,
		`{"event":"own_address","time":1800000000123,"endpoint":"[2001:db8::1]:7"}`,
		`{"event":"error","time":1800000000123,"text":"no ` + "\ufffd" + `"}`,
	}, "\n")+"\n", string(l.take()))
	require.Zero(t, l.len())
}
