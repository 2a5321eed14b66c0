package ratchet

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLimits(t *testing.T) {
	for name, text := range map[string]string{
		"1,000 missing from the start": `
			A overruns a0..a1001
			B refuses limit a1001          # rt-skip-limit
			B gets a1000
			B keeps 1000 0
			B gets a1001
			B gets-late a0..a999
			B keeps 0 0`,

		"1,000 missing from where it is": `
			A overruns a0..a1003
			B gets a0 a1
			B refuses limit a1003          # rt-skip-count
			B gets a1002
			B keeps 1000 0`,

		"1,000 missing at the end of a chain": `
			A overruns a0
			B gets a0
			B sends b0
			A overruns a1..a1000           # lost
			A gets b0
			A sends a1001
			B gets a1001
			B keeps 1000 1
			B gets-late a1..a1000`,

		"1,001 missing at the end of a chain": `
			A overruns a0
			B gets a0
			B sends b0
			A overruns a1..a1001
			A gets b0
			A sends c0
			B refuses limit c0             # rt-skip-limit, rt-skip-count
			B gets a1
			B gets c0
			B keeps 1000 1`,

		"1,000 missing at the start of a new chain": `
			A sends a0
			B gets a0
			B sends b0
			A gets b0
			A overruns c0..c1001
			B refuses limit c1001
			B gets c1000
			B keeps 1000 0`,

		"1,000 missing in both chains": `
			A overruns a0
			B gets a0
			B sends b0
			A overruns a1..a1000
			A gets b0
			A overruns c0..c1000
			B gets c1000
			B keeps 2000 1
			B gets-late a1 c999 c0 a1000`,

		"the first of 2,001 is erased": `
			A overruns a0
			B gets a0
			B sends b0
			A overruns a1..a1000
			A gets b0
			A overruns c0..c1002
			B gets c1000
			B keeps 2000 1
			B gets c1002                   # c1001 is one more: rt-skipped-total
			B keeps 2000 1
			B refuses replay a1
			B gets-late a2 a1000 c0 c1001
			B keeps 1996 1`,

		"erased past the last key of a chain": `
			A overruns a0..a3
			B gets a0 a3                   # a1 a2 are kept
			B sends b0
			A gets b0
			A overruns c0
			B gets c0
			B keeps 2 1
			A overruns c1..c2004
			B gets c999 c1998 c2001
			B keeps 2000 1
			B gets c2004                   # c2002 c2003: a1 and a2 go, and their chain with them
			B keeps 2000 0
			B refuses authentication a1 a2
			B gets-late c1 c2003`,

		"a sending chain has 512": `
			A sends a0..a511
			A cannot-send limit            # rt-send-limit
			B gets a511
			B sends b0
			A gets b0
			A sends a512
			B gets a512`,

		"an answer to the last opens the next chain": `
			A sends a0
			B gets a0
			B sends b0..b511
			B cannot-send limit
			A gets b511
			A sends a1
			B gets a1
			B sends b512
			A gets b512
			A keeps 511 1`,
	} {
		t.Run(name, func(t *testing.T) { play(t, text) })
	}
}

// Skipped keys are kept of the present chain and of five older ones that have some.
func TestSixthOldChain(t *testing.T) {
	var s *script
	round := func(i int) { // loses one message in each direction, and then steps twice
		s.play(fmt.Sprintf(`
			A sends lost%[1]d a%[1]d
			B gets a%[1]d
			B sends b%[1]d
			A gets b%[1]d`, i))
	}
	s = play(t, "")
	for i := range 6 {
		round(i)
	}
	s.play(`
		B keeps 6 5                        # the newest chain is the sixth, and has one
		A sends a6
		B gets a6                          # and now it is old: rt-skipped-chains
		B keeps 5 5
		B refuses authentication lost0
		B gets-late lost1 lost5
		B keeps 3 3`)

	// Chains of which no key is kept do not count.
	s.play(`
		B sends b6
		A gets b6`)
	for i := range 9 {
		s.play(strings.ReplaceAll(`
			A sends c#
			B gets c#
			B sends d#
			A gets d#`, "#", fmt.Sprint(i)))
	}
	s.play(`
		B keeps 3 3
		B gets-late lost2 lost3 lost4
		B keeps 0 0`)
}

func TestSizes(t *testing.T) {
	alice, bob := newPair(t)
	for _, n := range []int{0, 1, 64, 1088, MaxPlaintext} {
		m := encrypt(t, alice, strings.Repeat("x", n))
		require.Len(t, m, n+96)
		require.Len(t, decrypt(t, bob, m), n)
	}
	refused(t, alice, ErrLimit, "", func() ([]byte, error) { return alice.Encrypt(nil, make([]byte, 1128)) }) // rt-send-size
	require.True(t, alice.CanSend())

	long := overrun(alice, strings.Repeat("x", 1128))
	require.Len(t, long, 1224)
	short := encrypt(t, alice, "")
	require.Len(t, short, 96)
	for _, m := range [][]byte{long, short[:95], short[:80], short[:1], {}, nil} { // rt-size
		refused(t, bob, ErrMalformed, fmt.Sprint(len(m)), func() ([]byte, error) { m, _, err := bob.Decrypt(nil, m); return m, err })
	}
	require.Empty(t, decrypt(t, bob, short))
}
