package spec

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// chapter makes a fixture: a chapter of the DHT's prefix that says nothing but text.
func chapter(text string) Chapter { return Chapter{Name: "dht", Prefix: "dht", Text: text} }

func TestParseReadsItems(t *testing.T) {
	got, faults := parse(chapter(`# DHT

Prose with a quoted ` + "`MUST`" + ` in code font.

    1. MUST NOT be read, it is a block of code.

## Tokens

### Receiving

1. MUST drop an envelope
   whose tag it does not know, and answer
nothing. ` + "`dht-tag-silent`" + `
2. MUST NOT answer with more than 1,024 bytes. [BEP 32] (Kith) ` + "`dht-reply-size`" + `
3. SHOULD NOT, when asked ` + "`MAY`" + `, say [BEP 5] or [BEP 44, "Mutable items"] twice. ` + "`dht-long-name-x`" + `

   Nested text, and

   - a list of it
4. Not a requirement, says ` + "`implied_port`" + `

~~~
5. MUST NOT be read either.
~~~
`))
	require.Empty(t, faults)
	hash := func(s string) [sha256.Size]byte { return sha256.Sum256([]byte(s)) }
	want := []Requirement{
		{
			ID: "dht-tag-silent", Chapter: "dht", Section: "Receiving", Level: Must, Line: 11,
			Text: "MUST drop an envelope whose tag it does not know, and answer nothing.",
			Hash: hash("MUST drop an envelope whose tag it does not know, and answer nothing."),
		},
		{
			ID: "dht-reply-size", Chapter: "dht", Section: "Receiving", Level: MustNot, Line: 14,
			Binds: KithOnly, Source: "BEP 32", Text: "MUST NOT answer with more than 1,024 bytes.",
			Hash: hash("MUST NOT answer with more than 1,024 bytes. (Kith)"),
		},
		{
			ID: "dht-long-name-x", Chapter: "dht", Section: "Receiving", Level: ShouldNot, Line: 15,
			Source: `BEP 5; BEP 44, "Mutable items"`,
			Text:   `SHOULD NOT, when asked ` + "`MAY`" + `, say [BEP 5] or [BEP 44, "Mutable items"] twice. Nested text, and - a list of it`,
			Hash:   hash(`SHOULD NOT, when asked ` + "`MAY`" + `, say [BEP 5] or [BEP 44, "Mutable items"] twice. Nested text, and - a list of it`),
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseKeepsAMarkBeforeALateID(t *testing.T) {
	got, faults := parse(chapter("1. MAY end\n   after its nested text.\n\n   Nested. (Kith) `dht-late`\n"))
	require.Empty(t, faults)
	require.Len(t, got, 1)
	require.Equal(t, KithOnly, got[0].Binds)
	require.Equal(t, "MAY end after its nested text. Nested.", got[0].Text)
}

// Each fixture breaks one rule, and the twin beside it keeps it: a parser that refuses everything would pass neither.
func TestParseRefuses(t *testing.T) {
	for _, tc := range []struct {
		name      string
		bad, good string
		want      faultKind
	}{
		{"no id", "1. MUST answer.", "1. MUST answer. `dht-answer`", faultNoID},
		{"no id, verb on the second line", "1. A node\n   MAY NOT answer.", "1. A node answers.", faultNoID},
		{"code at the end is no id", "1. MUST answer `get_peers`", "1. MUST answer `get_peers`. `dht-answer`", faultNoID},
		{"id before the full stop", "1. MUST answer `dht-answer`.", "1. MUST answer. `dht-answer`", faultNoID},
		{"id without a verb", "1. Answers. `dht-answer`", "1. SHOULD answer. `dht-answer`", faultNoVerb},
		{"verb in code only", "1. `MUST` answer. `dht-answer`", "1. MUST answer. `dht-answer`", faultNoVerb},
		{"two verbs", "1. MUST answer and MUST NOT lie. `dht-answer`", "1. MUST answer and not lie. `dht-answer`", faultVerbs},
		{"two verbs, nested", "1. MUST answer. `dht-answer`\n\n   It MAY lie.", "1. MUST answer. `dht-answer`\n\n   It may lie.", faultVerbs},
		{"nested list with verbs", "1. MUST answer. `dht-answer`\n   1. MAY lie.", "1. MUST answer. `dht-answer`\n   1. Or lie.", faultVerbs},
		{"two verbs over a line break", "1. MUST answer and MUST\n   NOT lie. `dht-answer`", "1. MUST\n   NOT lie. `dht-answer`", faultVerbs},
		{"capital letters in an id", "1. MUST answer. `dht-Answer`", "1. MUST answer. `dht-answer`", faultForm},
		{"one word", "1. MUST answer. `dht-`", "1. MUST answer. `dht-a`", faultForm},
		{"six words", "1. MUST answer. `dht-a-b-c-d-e`", "1. MUST answer. `dht-a-b-c-d`", faultForm},
		{"other chapter's prefix", "1. MUST answer. `wire-answer`", "1. MUST answer. `dht-answer`", faultPrefix},
		{"prefix without its hyphen", "1. MUST answer. `dhtx-answer`", "1. MUST answer. `dht-xanswer`", faultPrefix},
		{"verb in prose", "A node\nMUST NOT lie.", "A node must not lie.", faultOutside},
		{"verb in a heading", "## What a node MUST say", "## What a node must say", faultOutside},
		{"verb in a bullet", "- SHOULD lie", "- should lie", faultOutside},
		{"verb in a table", "| MAY | lie |", "| May | lie |", faultOutside},
		{"verb in a bullet right behind an item", "1. MUST answer. `dht-answer`\n- MAY lie", "1. MUST answer. `dht-answer`\n- may lie", faultOutside},
		{"verb in a paragraph behind an item", "1. MUST answer. `dht-answer`\n\nIt MAY lie.", "1. MUST answer. `dht-answer`\n\nIt may lie.", faultOutside},
		{"foreign verb", "A node SHALL lie.", "A node shall lie.", faultForeign},
		{"foreign verb in an item", "1. MUST do what is REQUIRED. `dht-answer`", "1. MUST do it. `dht-answer`", faultForeign},
		{"mark behind the id", "1. MUST answer. `dht-answer` (Kith)", "1. MUST answer. (Kith) `dht-answer`", faultNoID},
		{"mark in the middle", "1. MUST (Kith) answer. `dht-answer`", "1. MUST answer. (Kith) `dht-answer`", faultMark},
		{"mark before the source", "1. MUST answer. (Kith) [BEP 5] `dht-answer`", "1. MUST answer. [BEP 5] (Kith) `dht-answer`", faultMark},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, faults := parse(chapter(tc.bad))
			require.Len(t, faults, 1, "%v", faults)
			require.Equal(t, tc.want, faults[0].kind)
			at := strings.Split(tc.bad, "\n")[faults[0].line-1]
			require.Truef(t, faults[0].line == 1 || strings.Contains(at, "MAY"), "the fault names line %d, %q", faults[0].line, at)

			_, faults = parse(chapter(tc.good))
			require.Empty(t, faults)
		})
	}
}

func TestParseRefusesWhereNoRequirementsBelong(t *testing.T) {
	const item = "1. MUST answer. `dht-answer`"
	for name, want := range map[string]int{"README": 0, "rationale": 0, "security": 1} {
		items, faults := parse(Chapter{Name: name, Text: item})
		require.Len(t, faults, want, name)
		if name != "security" {
			require.Empty(t, items, name)
		}
	}
}

func TestCollectRefusesADoubleID(t *testing.T) {
	a := Chapter{Name: "dht", Prefix: "dht", Text: "## One\n\n1. MUST answer. `dht-answer`\n2. MUST ask. `dht-ask`\n"}
	require.Empty(t, collect([]Chapter{a}).faults)

	twice := a
	twice.Text += "\n3. MAY answer. `dht-answer`\n"
	r := collect([]Chapter{twice})
	require.Len(t, r.faults, 1)
	require.Equal(t, faultDouble, r.faults[0].kind)
	require.Len(t, r.all, 2)
	require.Equal(t, Must, r.all[r.index["dht-answer"]].Level, "the first one stays")

	other := Chapter{Name: "peer", Prefix: "dht", Text: a.Text}
	require.Len(t, collect([]Chapter{a, other}).faults, 2, "an id is taken for all chapters")
}

func TestHashFollowsTheMeaningOnly(t *testing.T) {
	one := func(text string) Requirement {
		items, faults := parse(chapter(text))
		require.Empty(t, faults)
		require.Len(t, items, 1)
		return items[0]
	}
	base := one("1. MUST answer a ping. [BEP 5] `dht-answer`").Hash
	require.Equal(t, base, one("7. MUST answer\n   a ping. `dht-answer`").Hash, "line breaks, number, source")
	require.NotEqual(t, base, one("1. MUST answer a query. [BEP 5] `dht-answer`").Hash, "a word")
	require.NotEqual(t, base, one("1. SHOULD answer a ping. [BEP 5] `dht-answer`").Hash, "the level")
	require.NotEqual(t, base, one("1. MUST answer a ping. [BEP 5] (Kith) `dht-answer`").Hash, "whom it binds")
}
