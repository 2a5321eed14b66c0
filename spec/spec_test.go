package spec

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestChaptersKeepTheRules(t *testing.T) {
	for _, f := range parsed().faults {
		t.Error(f)
	}
}

func TestChaptersHaveTitlesAndPlaces(t *testing.T) {
	for _, c := range Chapters() {
		require.NotEmpty(t, c.Title, c.Name)
		require.Contains(t, order, c.Name, "a new chapter needs its place in the reading order")
		require.NotEmpty(t, c.Text, c.Name)
	}
}

// A chapter with a prefix and no requirement means that the parser has gone blind, not that the chapter asks nothing.
func TestEveryChapterWithAPrefixHoldsRequirements(t *testing.T) {
	for _, c := range Chapters() {
		if c.Prefix == "" {
			continue
		}
		n := 0
		for _, r := range Requirements() {
			if r.Chapter == c.Name {
				n++
			}
		}
		// Counted a second way, straight from the text, so that a change of the parser cannot lose items unseen.
		ends := regexp.MustCompile("(?m)`"+c.Prefix+"(-[a-z0-9]+)+`$").FindAllString(c.Text, -1)
		require.NotZero(t, n, c.Name)
		require.Len(t, ends, n, c.Name)
	}
}

func TestLookup(t *testing.T) {
	for _, r := range Requirements() {
		got, ok := Lookup(r.ID)
		require.True(t, ok, r.ID)
		require.Equal(t, r, got)
		require.NotEmpty(t, r.Section, r.ID)
		require.NotEmpty(t, r.Text, r.ID)
		require.True(t, slices.Contains([]Level{Must, MustNot, Should, ShouldNot, May}, r.Level), r.ID)
	}
	_, ok := Lookup("dht-no-such-rule")
	require.False(t, ok)
}

func TestRequirementsAreTheCallersOwn(t *testing.T) {
	all := Requirements()
	require.NotEmpty(t, all)
	was := all[0].ID
	all[0].ID = "changed"
	require.Equal(t, was, Requirements()[0].ID)
}

// The prose points at rules by their ids; a pointer to nothing misleads whoever follows it.
func TestReferencesResolve(t *testing.T) {
	reference := regexp.MustCompile("`((?:wire|dht|sealed|rv|hs|rt|peer|shim)(?:-[a-z0-9]+)+)`")
	n := 0
	for _, c := range Chapters() {
		for _, m := range reference.FindAllStringSubmatch(c.Text, -1) {
			n++
			// A vector or a case has its requirement's id and a suffix.
			known := slices.ContainsFunc(Requirements(), func(r Requirement) bool {
				return m[1] == r.ID || strings.HasPrefix(m[1], r.ID+"-")
			})
			require.True(t, known, "%s.md names %s, which no requirement is called", c.Name, m[1])
		}
	}
	require.Greater(t, n, len(Requirements()))
}
