package conformance_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kith/conformance"
	dhtcases "kith/conformance/dht"
)

func TestFilters(t *testing.T) {
	suite := dhtcases.Suite()
	count := func(f conformance.Filter) int {
		t.Helper()
		p, err := f.Plan(suite)
		require.NoError(t, err)
		return len(p)
	}
	all, slow := count(conformance.Filter{}), count(conformance.Filter{Slow: true})
	require.Equal(t, len(suite.Cases), slow)
	require.Less(t, all, slow)
	require.Equal(t, 1, count(conformance.Filter{Run: []string{"dht-ping"}}))
	require.Equal(t, all-1, count(conformance.Filter{Skip: []string{"dht-ping"}}))
	require.Equal(t, all, count(conformance.Filter{Run: []string{"dht-*", "wire-*"}}))
	for _, c := range must(conformance.Filter{Req: []string{"dht-t-echo"}}.Plan(suite)) {
		require.Equal(t, "dht-t-echo", c.Requirement.ID)
	}
	sum := 0
	for _, p := range conformance.Profiles {
		sum += count(conformance.Filter{Profiles: []string{p}})
	}
	require.Equal(t, all, sum, "every case belongs to one profile")
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestAFilterThatMatchesNothingIsAMistake(t *testing.T) {
	for _, c := range []struct {
		f    conformance.Filter
		want string
	}{
		{conformance.Filter{Run: []string{"dht-pingg"}}, "did you mean dht-ping"},
		{conformance.Filter{Run: []string{"xyz"}}, "no case matches"},
		{conformance.Filter{Run: []string{"[a"}}, "no pattern"},
		{conformance.Filter{Skip: []string{"xyz"}}, "no case matches"},
		{conformance.Filter{Req: []string{"dht-no-such"}}, "no requirement"},
		{conformance.Filter{Profiles: []string{"bep99"}}, "no profile"},
		{conformance.Filter{Run: []string{"dht-ping"}, Skip: []string{"dht-*"}}, "leave no case"},
		{conformance.Filter{Run: []string{"dht-query-once-half-a-minute"}}, "--slow"},
	} {
		_, err := c.f.Plan(dhtcases.Suite())
		require.ErrorContains(t, err, c.want)
	}
}

func TestIDsNameTheirRequirement(t *testing.T) {
	r, err := conformance.RequirementOf("dht-ip-error-of-some-kind")
	require.NoError(t, err)
	require.Equal(t, "dht-ip-error", r.ID, "the longest")
	require.Equal(t, "bep42", conformance.ProfileOf(r))
	_, err = conformance.RequirementOf("dht")
	require.Error(t, err)
	_, err = conformance.RequirementOf("pong-dht-ping")
	require.Error(t, err)
}
