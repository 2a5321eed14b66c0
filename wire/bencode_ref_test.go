package wire

import (
	"encoding/hex"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// unhex returns the bytes of hexadecimal digits that may be spaced.
func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

// refDecode is a second decoder, of other make and lenient: leading zeros, any order of keys and any depth are fine, and of a
// key that stands twice the first counts. Values are *big.Int, string, []any and map[string]any.
func refDecode(b string) (v any, rest string, ok bool) {
	if b == "" {
		return nil, "", false
	}
	switch b[0] {
	case 'i':
		digits, rest, found := strings.Cut(b[1:], "e")
		i, ok := new(big.Int).SetString(digits, 10)
		return i, rest, found && ok && !strings.ContainsAny(digits, "+_")
	case 'l':
		list := []any{}
		for b = b[1:]; len(b) > 0 && b[0] != 'e'; {
			if v, b, ok = refDecode(b); !ok {
				return nil, "", false
			}
			list = append(list, v)
		}
		return list, strings.TrimPrefix(b, "e"), b != ""
	case 'd':
		dict := map[string]any{}
		for b = b[1:]; len(b) > 0 && b[0] != 'e'; {
			var k any
			if k, b, ok = refDecode(b); !ok {
				return nil, "", false
			}
			key, ok := k.(string)
			if !ok {
				return nil, "", false
			}
			if v, b, ok = refDecode(b); !ok {
				return nil, "", false
			}
			if _, twice := dict[key]; !twice {
				dict[key] = v
			}
		}
		return dict, strings.TrimPrefix(b, "e"), b != ""
	}
	digits, after, found := strings.Cut(b, ":")
	n, isInt := new(big.Int).SetString(digits, 10)
	if !found || !isInt || strings.ContainsAny(digits, "+-_") || n.Cmp(big.NewInt(int64(len(after)))) > 0 {
		return nil, "", false
	}
	return after[:n.Int64()], after[n.Int64():], true
}

// refEncode is the one form that a value has.
func refEncode(b []byte, v any) []byte {
	switch v := v.(type) {
	case *big.Int:
		return fmt.Appendf(b, "i%de", v)
	case string:
		return fmt.Appendf(b, "%d:%s", len(v), v)
	case []any:
		b = append(b, 'l')
		for _, e := range v {
			b = refEncode(b, e)
		}
		return append(b, 'e')
	case map[string]any:
		b = append(b, 'd')
		for _, k := range slices.Sorted(maps.Keys(v)) {
			b = refEncode(refEncode(b, k), v[k])
		}
		return append(b, 'e')
	}
	panic("not a value")
}

// refDepth returns how many lists and dictionaries stand inside one another.
func refDepth(v any) int {
	n := 0
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			n = max(n, refDepth(e))
		}
		n++
	case map[string]any:
		for _, e := range v {
			n = max(n, refDepth(e))
		}
		n++
	}
	return n
}

// refInRange reports whether every integer in v has 64 bits.
func refInRange(v any) bool {
	switch v := v.(type) {
	case *big.Int:
		return v.IsInt64()
	case []any:
		return !slices.ContainsFunc(v, func(e any) bool { return !refInRange(e) })
	case map[string]any:
		for _, e := range v {
			if !refInRange(e) {
				return false
			}
		}
	}
	return true
}
