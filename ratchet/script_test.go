package ratchet

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A script is a conversation, a line an act:
//
//	A sends a0 a1          encrypts messages with these names; their text is the name
//	A overruns a0..a1001   the same, without the limit of a chain
//	B gets a1              decrypts it, and it is the newest
//	B gets-late a0         decrypts it, and it is not
//	B refuses replay a0    refuses it for this reason, and nothing of B changes
//	B cannot-send state    refuses to encrypt for this reason, and nothing of B changes
//	B keeps 3 1            has 3 skipped keys, some of them of 1 older chain
//	B draws 24 32          has drawn this since the last such line
//
// a3..a6 stands for a3 a4 a5 a6. Whatever is not delivered is lost.
type script struct {
	t        testing.TB
	ends     map[string]*State
	messages map[string][]byte
}

var reasons = map[string]error{
	"malformed": ErrMalformed, "authentication": ErrAuthentication, "replay": ErrReplay, "state": ErrState, "limit": ErrLimit,
}

func play(t testing.TB, text string) *script {
	alice, bob := newPair(t)
	s := &script{t, map[string]*State{"A": alice, "B": bob}, map[string][]byte{}}
	s.play(text)
	return s
}

func (s *script) play(text string) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if words := strings.Fields(line); len(words) > 0 {
			s.act(strings.TrimSpace(line), s.ends[words[0]], words[1], words[2:])
		}
	}
}

func (s *script) act(line string, end *State, verb string, args []string) {
	t := s.t
	require.NotNil(t, end, line)
	var reason error
	if verb == "refuses" || verb == "cannot-send" {
		reason, args = reasons[args[0]], args[1:]
		require.NotNil(t, reason, line)
	}
	switch verb {
	case "cannot-send":
		refused(t, end, reason, line, func() ([]byte, error) { return end.Encrypt(nil, []byte("text")) })
		require.False(t, end.CanSend(), line)
		return
	case "keeps":
		chains := 0
		for _, c := range end.old {
			if c.number > 0 {
				chains++
			}
		}
		require.Equal(t, args, []string{strconv.Itoa(len(end.skipped)), strconv.Itoa(chains)}, line)
		return
	case "draws":
		var sizes []string
		for _, n := range end.random.(*draws).sizes {
			sizes = append(sizes, strconv.Itoa(n))
		}
		end.random.(*draws).sizes = nil
		require.Equal(t, strings.Join(args, " "), strings.Join(sizes, " "), line)
		return
	}
	for _, name := range names(args) {
		switch verb {
		case "sends":
			require.True(t, end.CanSend(), line)
			m, err := end.Encrypt(nil, []byte(name))
			require.NoError(t, err, line)
			require.Len(t, m, len(name)+Overhead, line)
			s.messages[name] = m
		case "overruns":
			s.messages[name] = overrun(end, name)
		case "gets", "gets-late":
			text, newest, err := end.Decrypt(nil, s.messages[name])
			require.NoError(t, err, "%s: %s", line, name)
			require.Equal(t, name, string(text), line)
			require.Equal(t, verb == "gets", newest, "%s: %s", line, name)
		case "refuses":
			require.Contains(t, s.messages, name, line)
			refused(t, end, reason, line+": "+name, func() ([]byte, error) {
				text, newest, err := end.Decrypt(nil, s.messages[name])
				require.False(t, newest, line)
				return text, err
			})
		default:
			require.Fail(t, "no such verb", line)
		}
	}
}

// names returns args with the ranges written out.
func names(args []string) (all []string) {
	for _, arg := range args {
		first, last, is := strings.Cut(arg, "..")
		if !is {
			all = append(all, arg)
			continue
		}
		i, _ := strconv.Atoi(strings.TrimLeft(first, "abcdefghijklmnopqrstuvwxyz"))
		j, _ := strconv.Atoi(strings.TrimLeft(last, "abcdefghijklmnopqrstuvwxyz"))
		for ; i <= j; i++ {
			all = append(all, fmt.Sprint(strings.TrimRight(first, "0123456789"), i))
		}
	}
	return all
}

// overrun encrypts without the limit of a sending chain, which no honest end does.
func overrun(s *State, text string) []byte {
	m := make([]byte, headerNonceSize)
	if err := s.draw(m); err != nil {
		panic(err)
	}
	return s.encrypt(m, []byte(text))
}

// refused requires that act fails for the reason, returns nothing, draws nothing, and leaves no trace in s.
func refused(t require.TestingT, s *State, reason error, what string, act func() ([]byte, error)) {
	before, hash, drawn := copyOf(s), s.Snapshot(), s.random.(*draws).n
	text, err := act()
	require.ErrorIs(t, err, reason, what)
	require.Nil(t, text, what)
	require.True(t, same(before, s), what)
	require.Equal(t, hash, s.Snapshot(), what)
	require.Equal(t, drawn, s.random.(*draws).n, what)
}

// copyOf returns a copy that shares nothing with s but the source of its draws.
func copyOf(s *State) *State {
	c := *s
	c.skipped = slices.Clone(s.skipped)
	return &c
}

// same reports whether two states are the same in every field.
func same(a, b *State) bool {
	x, y := *a, *b
	x.skipped, y.skipped = nil, nil
	return slices.Equal(a.skipped, b.skipped) && reflect.DeepEqual(x, y)
}

func TestScripts(t *testing.T) {
	for name, text := range map[string]string{
		"in order": `
			A sends a0 a1
			B cannot-send state            # rt-send-none
			B gets a0
			B sends b0
			B gets a1
			B sends b1
			A gets b0 b1
			A sends a2
			B gets a2
			A keeps 0 0
			B keeps 0 0`,

		"one message a key": `
			A sends a0 a1 a2
			B gets a1
			B gets-late a0
			B refuses replay a0 a1         # rt-message-once
			B gets a2
			B refuses replay a0 a1 a2
			B keeps 0 0`,

		"a chain of which no key is left is forgotten": `
			A sends a0 a1
			B gets a0 a1
			B sends b0
			A gets b0
			A sends a2
			B gets a2
			B refuses authentication a0 a1`,

		"late over a step": `
			A sends a0..a3
			B gets a1
			B sends b0
			A gets b0
			A sends a4 a5
			B gets a5
			B keeps 4 1                    # a0 a2 a3 of the old chain, a4 of the new
			B gets-late a3
			B refuses replay a1 a3 a5
			B gets-late a4 a0 a2
			B keeps 0 0`,

		"late before the step": `
			A sends a0 a1
			B gets a1
			B sends b0
			A gets b0
			A sends a2
			B keeps 1 0
			B gets a2
			B keeps 1 1
			B gets-late a0
			B keeps 0 0`,

		"a whole chain is lost": `
			A sends a0
			B gets a0
			B sends b0
			A gets b0
			A sends a1 a2                  # lost
			B sends b1
			A gets b1                      # no step: B has heard nothing new
			A sends a3
			B gets a3
			B keeps 2 0                    # rt-skip-count
			B sends b2
			A gets b2
			A keeps 0 0`,

		"the newest of the newest chain": `
			A sends a0..a4
			B gets a1
			B gets-late a0                 # rt-newest
			B gets a3
			B gets-late a2
			B sends b0
			A gets b0
			A sends a5 a6
			B gets a6
			B gets-late a4 a5`,

		"what one end made is not for itself": `
			A sends a0
			A refuses authentication a0
			B gets a0
			B sends b0
			B refuses authentication b0
			A gets b0`,

		"the first answers cross": `
			A sends a0
			B gets a0
			A sends a1
			B sends b0
			B gets a1
			A gets b0
			A sends a2
			B sends b1
			A gets b1
			B gets a2`,

		"what is drawn": `
			A draws 32                     # the first ratchet key
			A sends a0 a1
			A draws 24 24
			B gets a1
			B draws 32                     # rt-draw-late
			B gets-late a0
			B refuses replay a0
			B draws`,
	} {
		t.Run(name, func(t *testing.T) {
			play(t, text)
		})
	}
}
