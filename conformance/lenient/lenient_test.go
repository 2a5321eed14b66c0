package lenient

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDecodeReadsPastFlawsAndNamesThem(t *testing.T) {
	for _, c := range []struct{ in, flaw string }{
		{"de", ""},
		{"d1:ai1e1:bi2ee", ""},
		{"d1:bi1e1:ai2ee", `the key "a" behind "b" at byte 7`},
		{"d1:ai1e1:ai2ee", `the key "a" a second time at byte 7`},
		{"i007e", "an integer with a leading zero at byte 0"},
		{"i-0e", "a negative zero at byte 0"},
		{"i99999999999999999999e", "an integer outside 64 bits at byte 0"},
		{"02:aa", "a string length with a leading zero at byte 0"},
		{"lex", "1 bytes behind the value at byte 2"},
		{"i-9223372036854775807e", ""},
	} {
		_, flaws, err := Decode([]byte(c.in))
		require.NoError(t, err, c.in)
		if c.flaw == "" {
			require.Empty(t, flaws, c.in)
		} else {
			require.Len(t, flaws, 1, c.in)
			require.Equal(t, c.flaw, flaws[0].String())
		}
	}
}

func TestDecodeTakesTheFirstOfTwoKeys(t *testing.T) {
	v, _, err := Decode([]byte("d1:ai1e1:ai2ee"))
	require.NoError(t, err)
	a, ok := v.Get("a")
	require.True(t, ok)
	require.EqualValues(t, 1, a.Int)
}

func TestEveryTruncationIsRefused(t *testing.T) {
	whole := []byte("d1:ad2:id20:abcdefghij01234567894:wantl2:n4ee1:q4:ping2:roi1e1:t2:aa1:y1:qe")
	for n := range whole {
		_, _, err := Decode(whole[:n])
		require.ErrorIs(t, err, ErrUndecodable, "%q", whole[:n])
	}
	for _, bad := range []string{"x", "ie", "i-e", "1", "1:", "-1:a", "di1e1:ae", "99999999999999999999:a", string(bytes.Repeat([]byte("l"), 70000))} {
		_, _, err := Decode([]byte(bad))
		require.ErrorIs(t, err, ErrUndecodable)
	}
}

func TestParseSeesTheParts(t *testing.T) {
	m, err := Parse([]byte("d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee"))
	require.NoError(t, err)
	require.True(t, m.HasE)
	require.EqualValues(t, 201, m.Code)
	require.Equal(t, "A Generic Error Ocurred", m.Text)
	require.Equal(t, "e", m.Y)
	m, err = Parse([]byte("d1:rd2:id20:mnopqrstuvwxyz123456e1:t0:1:y1:re"))
	require.NoError(t, err)
	require.True(t, m.HasT)
	id, ok := m.R.ID("id")
	require.True(t, ok)
	require.Equal(t, "mnopqrstuvwxyz123456", string(id[:]))
	_, err = Parse([]byte("le"))
	require.ErrorIs(t, err, ErrUndecodable)
}

func TestEncodeKeepsWhatItIsGiven(t *testing.T) {
	got := Encode(D{{"b", 1}, {"a", L{"x", []byte{0}, int64(-2)}}, {"a", Raw("i007e")}, {"c", D{}}})
	require.Equal(t, "d1:bi1e1:al1:x1:\x00i-2ee1:ai007e1:cdee", string(got))
	require.Equal(t, "d1:ai2e1:bi1ee", string(Encode(D{{"b", 1}, {"a", 2}}.Sorted())))
	require.Panics(t, func() { Encode(1.5) })
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe", "i-007e", "l1:ae", "d1:bi1e1:ai2ee", "lllleeee"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, flaws, err := Decode(b)
		if err != nil {
			return
		}
		if len(flaws) == 0 && !bytes.Equal(reencode(v), b) {
			t.Fatalf("%q is said to be canonical and comes back as %q", b, reencode(v))
		}
		if _, err := Parse(b); err != nil && v.Kind == Dict {
			t.Fatalf("a dictionary that Parse refuses: %v", err)
		}
	})
}

// reencode writes a value from its parts, not from Raw.
func reencode(v Value) []byte { return Encode(plain(v)) }

func plain(v Value) any {
	switch v.Kind {
	case Int:
		return v.Int
	case String:
		return v.Str
	case List:
		l := L{}
		for _, e := range v.List {
			l = append(l, plain(e))
		}
		return l
	}
	d := D{}
	for _, p := range v.Pairs {
		d = append(d, E{string(p.Key), plain(p.Value)})
	}
	return d
}
