package dht

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"kith/spec"
)

// Whoever's node fails a case has to be told by which sentence, and what to do.
func TestEveryJudgedRequirementIsExplained(t *testing.T) {
	quoted := regexp.MustCompile(`^BEP (3|5|20|32|42|43|44|51): ".+"`)
	judged := map[string]bool{}
	for _, c := range Suite().Cases {
		judged[c.Requirement.ID] = true
		x := Explain(c.Requirement.ID)
		require.NotEmpty(t, x.Mend, "explain.txt does not say how to mend %s", c.Requirement.ID)
		if c.Requirement.Binds == spec.AnyNode {
			require.Regexp(t, quoted, x.Sentence, "explain.txt quotes no sentence for %s", c.Requirement.ID)
		}
	}
	for id := range parseExplanations(explanations) {
		require.True(t, judged[id], "explain.txt explains %s, which no case judges", id)
	}
}
