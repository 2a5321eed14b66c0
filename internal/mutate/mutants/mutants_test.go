package mutants

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// on returns what f returns without a mutant, and with the mutant 7.
func on[T any](f func() T) [2]T {
	chosen = 0
	off := f()
	chosen = 7
	defer func() { chosen = 0 }()
	return [2]T{off, f()}
}

func TestHooks(t *testing.T) {
	type number = [2]int
	for name, c := range map[string]struct {
		f    func() int
		want number
	}{
		"Step":   {func() int { return Step(7, 10, 3) }, number{10, 13}},
		"Back":   {func() int { return Back(7, 10, 3) }, number{10, 7}},
		"Zero":   {func() int { return Zero(7, 10) }, number{10, 0}},
		"Or":     {func() int { return Or(7, 10, 3) }, number{10, 3}},
		"Neg":    {func() int { return Neg(7, 10) }, number{10, -10}},
		"Com":    {func() int { return Com(7, 10) }, number{^10, 10}},
		"Add":    {func() int { return Add(7, 10, 3) }, number{13, 7}},
		"Sub":    {func() int { return Sub(7, 10, 3) }, number{7, 13}},
		"Mul":    {func() int { return Mul(7, 10, 3) }, number{30, 13}},
		"Quo":    {func() int { return Quo(7, 10, 3) }, number{3, 30}},
		"Rem":    {func() int { return Rem(7, 10, 3) }, number{1, 3}},
		"And":    {func() int { return And(7, 10, 3) }, number{2, 11}},
		"Ior":    {func() int { return Ior(7, 10, 3) }, number{11, 2}},
		"Xor":    {func() int { return Xor(7, 10, 3) }, number{9, 11}},
		"Andnot": {func() int { return Andnot(7, 10, 3) }, number{8, 2}},
		"Shl":    {func() int { return Shl(7, 10, 1) }, number{20, 5}},
		"Shr":    {func() int { return Shr(7, 10, 1) }, number{5, 20}},
	} {
		require.Equal(t, c.want, on(c.f), name)
	}
	require.Equal(t, [2]bool{true, false}, on(func() bool { return Not(7, true) }))
	require.Equal(t, [2]string{"kith", "jith"}, on(func() string { return Text(7, "kith") }))
	require.Equal(t, [2]bool{false, true}, on(func() bool { return On(7) }))
	require.Equal(t, [2]bool{true, false}, on(func() bool { return Off(5, 8) }))
	require.Equal(t, [2]bool{true, true}, on(func() bool { return Off(5, 7) && Off(8, 9) }))
}

// The baseline says which case executes which place, and a mutant's cases stop at the first that notices.
func TestAsk(t *testing.T) {
	take()
	cases := []Case{
		{"none", func() error { return nil }},
		{"five", func() error { require.Equal(t, 1, Step(5, 1, 1)); return nil }},
		{"seven", func() error { Step(5, 1, 1); _ = []int{0}[Step(7, 0, 1)]; return nil }},
	}
	var a Answer
	a.ask(cases, Request{})
	require.Equal(t, []Ran{{"none", 0, nil}, {"five", 1, []uint32{5}}, {"seven", 2, []uint32{5, 7}}}, a.Baseline)
	a = Answer{}
	a.ask(cases, Request{Mutant: 7, Cases: []Asked{{Case: 0}, {Case: 2}, {Case: 1}}})
	require.Equal(t, "seven", a.Killer)
	require.Equal(t, "panic", a.How)
	require.Zero(t, chosen)
	a = Answer{}
	a.ask(cases, Request{Cases: []Asked{{Case: 1, Limit: 1}, {Case: 2, Limit: 1}}})
	require.Equal(t, [2]string{"seven", "runaway"}, [2]string{a.Killer, a.How})
	require.Equal(t, uint64(math.MaxUint64), limit)
}
