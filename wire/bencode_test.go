package wire

import (
	"errors"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// bencode_ref_test.go holds the second opinion that these tests compare with.

func TestAppendInt(t *testing.T) {
	for i, want := range map[int64]string{
		0:             "69 30 65",
		-1:            "69 2d31 65",
		42:            "69 3432 65",
		math.MaxInt64: "69 39323233333732303336383534373735383037 65",
		math.MinInt64: "69 2d39323233333732303336383534373735383038 65",
	} {
		b := AppendInt(nil, i)
		require.Equal(t, unhex(want), b, "%d", i)
		require.NoError(t, CheckBencode(b))
		got, fault := parseInt(b[1 : len(b)-1])
		require.Empty(t, fault)
		require.Equal(t, i, got)
		wantRefusedWhenCut(t, b)
	}
}

func TestAppendString(t *testing.T) {
	for s, want := range map[string]string{
		"":      "30 3a",
		"spam":  "34 3a 7370616d",
		"\x00e": "32 3a 0065",
	} {
		require.Equal(t, unhex(want), AppendString(nil, s))
		require.Equal(t, unhex(want), AppendString(nil, []byte(s)))
		wantRefusedWhenCut(t, unhex(want))
	}
	for _, n := range []int{9, 10, 11, 99, 100, 101, 999, 1000, 1001, 99999} {
		s := strings.Repeat("x", n)
		require.Equal(t, strconv.Itoa(n)+":"+s, string(AppendString(nil, s)))
	}
}

func TestCanonical(t *testing.T) {
	for _, b := range []string{
		"i0e", "i-7e", "0:", "4:spam", "10:0123456789", "le", "de",
		"l4:spami42ee", "d3:cow3:moo4:spam4:eggse", "d0:0:1:a0:e", "d1:ai1e2:aai2e1:bi3ee",
		strings.Repeat("l", MaxDepth) + strings.Repeat("e", MaxDepth),
		strings.Repeat("d1:a", MaxDepth) + "i0e" + strings.Repeat("e", MaxDepth),
	} {
		require.NoError(t, CheckBencode([]byte(b)), b)
		wantRefusedWhenCut(t, []byte(b))
	}
}

func TestNotCanonical(t *testing.T) {
	deep := strings.Repeat("l", MaxDepth+1) + strings.Repeat("e", MaxDepth+1)
	for _, c := range []struct {
		id, in string
		class  error
		text   string
	}{
		{"wire-truncated", "", ErrMalformed, "value ends early"},
		{"wire-truncated", "5:spam", ErrMalformed, "value ends early"},
		{"wire-truncated", "99999999999999999999999999:a", ErrMalformed, "value ends early"},
		{"wire-truncated", "18446744073709551616:", ErrMalformed, "value ends early"},
		{"wire-truncated", "d1:a", ErrMalformed, "value ends early"},
		{"wire-no-value", "d1:ae", ErrMalformed, "byte that begins no value"},
		{"wire-int-refused", "i-0e", ErrMalformed, "integer not canonical"},
		{"wire-int-refused", "i00e", ErrMalformed, "integer not canonical"},
		{"wire-int-refused", "i03e", ErrMalformed, "integer not canonical"},
		{"wire-int-refused", "i-03e", ErrMalformed, "integer not canonical"},
		{"wire-int-refused", "i+3e", ErrMalformed, "integer not a number"},
		{"wire-int-refused", "i 3e", ErrMalformed, "integer not a number"},
		{"wire-int-refused", "ie", ErrMalformed, "integer not a number"},
		{"wire-int-refused", "i-e", ErrMalformed, "integer not a number"},
		{"wire-int-refused", "i--1e", ErrMalformed, "integer not a number"},
		{"wire-int-refused", "i1.5e", ErrMalformed, "integer not a number"},
		{"wire-truncated", "i1", ErrMalformed, "value ends early"},
		{"wire-int-refused", "04:spam", ErrMalformed, "string length not canonical"},
		{"wire-int-refused", "00:", ErrMalformed, "string length not canonical"},
		{"wire-no-value", "-1:a", ErrMalformed, "byte that begins no value"},
		{"wire-no-value", "+1:a", ErrMalformed, "byte that begins no value"},
		{"wire-no-value", ":", ErrMalformed, "byte that begins no value"},
		{"wire-int-refused", "1x:", ErrMalformed, "string length not a number"},
		{"wire-int-range", "i9223372036854775808e", ErrMalformed, "integer out of range"},
		{"wire-int-range", "i-9223372036854775809e", ErrMalformed, "integer out of range"},
		{"wire-int-range", "i18446744073709551616e", ErrMalformed, "integer out of range"},
		{"wire-int-range", "i99999999999999999999999999999999e", ErrMalformed, "integer out of range"},
		{"wire-key-refused", "d1:b0:1:a0:e", ErrMalformed, "keys not sorted"},
		{"wire-key-refused", "d2:aa0:1:a0:e", ErrMalformed, "keys not sorted"},
		{"wire-key-refused", "d1:a0:1:a0:e", ErrMalformed, "key stands twice"},
		{"wire-key-refused", "d0:0:0:0:e", ErrMalformed, "key stands twice"},
		{"wire-key-refused", "di1e0:e", ErrMalformed, "key is not a string"},
		{"wire-key-refused", "dlee", ErrMalformed, "key is not a string"},
		{"wire-depth", deep, ErrLimit, "nested deeper than 16"},
		{"wire-depth", strings.Repeat("d0:", MaxDepth) + "de" + strings.Repeat("e", MaxDepth), ErrLimit, "nested deeper than 16"},
		{"wire-depth", strings.Repeat("l", 1<<16), ErrLimit, "nested deeper than 16"},
		{"wire-trailing", "i0ei0e", ErrMalformed, "3 bytes behind the value"},
		{"wire-trailing", "le\x00", ErrMalformed, "1 bytes behind the value"},
		{"the first fault counts", "d1:b" + deep + "1:a0:e0", ErrLimit, "nested deeper than 16"},
		{"the first fault counts", "d1:bi03e1:a0:e0", ErrMalformed, "integer not canonical"},
		{"wire-no-value", "e", ErrMalformed, "byte that begins no value"},
		{"wire-no-value", "x", ErrMalformed, "byte that begins no value"},
	} {
		t.Run(c.id, func(t *testing.T) { wantError(t, CheckBencode([]byte(c.in)), c.class, c.text) })
	}
}

// A datagram of open lists must cost no more than its length.
func TestDeepIsBounded(t *testing.T) {
	b := []byte(strings.Repeat("l", 1<<20) + strings.Repeat("e", 1<<20))
	require.ErrorIs(t, CheckBencode(b), ErrLimit)
	require.Less(t, testing.AllocsPerRun(1, func() { _ = CheckBencode(b) }), 8.0)
}

func TestCheckBencodeAllocatesNothing(t *testing.T) {
	b := []byte("d1:ali1ei-2e3:abce1:bd1:cdeee")
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if CheckBencode(b) != nil {
			t.Fatal("refused")
		}
	}))
}

// Whatever the reference encodes is canonical, and no cut of it is.
func TestCheckBencodeTakesEveryValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := refEncode(nil, drawValue(t, 4))
		require.NoError(t, CheckBencode(b), "%q", b)
		require.Error(t, CheckBencode(b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")]))
		require.Error(t, CheckBencode(append(b, rapid.Byte().Draw(t, "behind"))))
	})
}

// drawValue draws a bencoded value that nests no deeper than depth.
func drawValue(t *rapid.T, depth int) any {
	kinds := 4
	if depth == 0 {
		kinds = 2
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return big.NewInt(rapid.Int64().Draw(t, "int"))
	case 1:
		return string(rapid.SliceOfN(rapid.Byte(), 0, 12).Draw(t, "string"))
	case 2:
		l := []any{}
		for range rapid.IntRange(0, 4).Draw(t, "entries") {
			l = append(l, drawValue(t, depth-1))
		}
		return l
	}
	d := map[string]any{}
	for range rapid.IntRange(0, 4).Draw(t, "keys") {
		d[string(rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(t, "key"))] = drawValue(t, depth-1)
	}
	return d
}

// The definition of canonical: decoding and encoding again, with an encoder that knows only one form, changes nothing.
func FuzzCheckBencode(f *testing.F) {
	for _, s := range []string{
		"i0e", "i-0e", "i9223372036854775808e", "4:spam", "04:spam", "l4:spami42ee", "d3:cow3:moo4:spam4:eggse", "d1:b0:1:a0:e",
		"d1:a0:1:a0:e", "di1e0:e", "llllllllllllllllleeeeeeeeeeeeeeeee", "i0ei0e",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > MaxDatagram {
			return // the reference is slow
		}
		v, rest, ok := refDecode(string(b))
		canonical := ok && len(rest) == 0 && refDepth(v) <= MaxDepth && refInRange(v) && slices.Equal(refEncode(nil, v), b)
		err := CheckBencode(b)
		require.Equal(t, canonical, err == nil, "%v", err)
		if err != nil {
			wantProper(t, err)
		}
	})
}

// wantError checks the class and the text of a refusal.
func wantError(t testing.TB, err error, class error, text string) {
	t.Helper()
	var e *Error
	require.ErrorAs(t, err, &e)
	require.ErrorIs(t, err, class)
	require.Equal(t, text, e.Text)
	require.Equal(t, "wire: "+text, err.Error())
}

// wantProper checks what holds for every refusal: a known class, and a text for a stranger.
func wantProper(t testing.TB, err error) {
	t.Helper()
	var e *Error
	require.ErrorAs(t, err, &e)
	require.True(t, errors.Is(err, ErrMalformed) != errors.Is(err, ErrLimit))
	require.NotEmpty(t, e.Text)
	require.LessOrEqual(t, len(e.Text), 64)
}

// wantRefusedWhenCut checks that no beginning of b is a value.
func wantRefusedWhenCut(t *testing.T, b []byte) {
	t.Helper()
	for n := range b {
		require.ErrorIs(t, CheckBencode(b[:n]), ErrMalformed, "%q", b[:n])
	}
}
