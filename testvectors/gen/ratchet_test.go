package gen

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kith/spec"
)

// What of the chapter no answer of an implementation shows, and why.
var rtUnseen = map[string]string{
	"rt-start-once": "whether two states are of one handshake is known to who starts them",
	"rt-send-erase": "what is erased from memory cannot be asked for",
	"rt-erase-dh":   "the same",
}

func TestRatchetRequirements(t *testing.T) {
	refused := 0
	vectors := ratchetVectors()
	seen := map[string]int{}
	for _, v := range vectors {
		if v.outcome != accept {
			refused++
		}
		for _, r := range append(v.also, requirementOf(v.id)) {
			seen[r]++
		}
	}
	require.Greater(t, 2*refused, len(vectors), "half of what a receiver is asked has to be refused")
	for _, r := range spec.Requirements() {
		if !strings.HasPrefix(r.ID, "rt-") {
			continue
		}
		_, unseen := rtUnseen[r.ID]
		require.Equal(t, unseen, seen[r.ID] == 0, r.ID)
	}
}

// The model has to hold its own limits, or its vectors are not at them.
func TestRatchetModelForgets(t *testing.T) {
	var s rtState
	keep := func(hk string, count uint32) {
		s.hkr, s.ckr, s.nr = hk, zeros(32), 0
		s.skip(count)
		s.forget()
	}
	for _, hk := range []string{"a", "b", "c", "d", "e", "f"} {
		keep(hk, 2)
	}
	require.Len(t, s.kept, 12, "five older chains and the present one")
	keep("g", 0)
	require.Equal(t, "b", s.kept[0].hk, "the sixth older chain erases the oldest")
	require.Len(t, s.kept, 10)
	keep("h", rtMostKept-9)
	require.Len(t, s.kept, rtMostKept)
	require.Equal(t, "b", s.kept[0].hk)
	require.EqualValues(t, 1, s.kept[0].n, "the lowest number of the oldest chain is gone")
}
