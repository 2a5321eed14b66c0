package gen

import (
	"errors"
	"math/big"
	"sort"
	"strings"
)

// The four kinds of value. Numbers are unbounded here, so that what is out of range can be told from what is no number.
type (
	integer struct{ n *big.Int }
	list    []any
	dict    []entry // in the order in which it was read; encode sorts
	entry   struct {
		key   string
		value any
	}
	// spelt is a value that is written as it stands, for what is not canonical.
	spelt string
)

func num(i int64) integer { return integer{big.NewInt(i)} }

// d makes a dictionary of keys and values in turn.
func d(pairs ...any) dict {
	var out dict
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, entry{pairs[i].(string), pairs[i+1]})
	}
	return out
}

// get returns the value of the first key of that name.
func (m dict) get(key string) (any, bool) {
	for _, e := range m {
		if e.key == key {
			return e.value, true
		}
	}
	return nil, false
}

// with returns a copy of m with key set to value, or without key when value is nil.
func (m dict) with(key string, value any) dict {
	var out dict
	for _, e := range m {
		if e.key != key {
			out = append(out, e)
		}
	}
	if value != nil {
		out = append(out, entry{key, value})
	}
	return out
}

// encode writes the canonical form.
func encode(v any) string {
	switch v := v.(type) {
	case spelt:
		return string(v)
	case int:
		return encode(num(int64(v)))
	case integer:
		return "i" + v.n.String() + "e"
	case string:
		return big.NewInt(int64(len(v))).String() + ":" + v
	case list:
		var b strings.Builder
		for _, item := range v {
			b.WriteString(encode(item))
		}
		return "l" + b.String() + "e"
	case dict:
		sorted := append(dict(nil), v...)
		sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].key < sorted[j].key })
		return encodeAsIs(sorted)
	}
	panic("no bencode for this")
}

// encodeAsIs writes a dictionary with its keys in the order in which they stand.
func encodeAsIs(m dict) string {
	var b strings.Builder
	for _, e := range m {
		b.WriteString(encode(e.key) + encode(e.value))
	}
	return "d" + b.String() + "e"
}

var errForm = errors.New("not bencode")

// decode reads one value in any spelling, in which numbers and lengths may have zeros in front, and returns what stands
// behind it.
func decode(b string) (v any, rest string, err error) {
	if b == "" {
		return nil, "", errForm
	}
	switch b[0] {
	case 'i':
		digits, rest, ok := strings.Cut(b[1:], "e")
		n, isNumber := number(digits)
		if !ok || !isNumber {
			return nil, "", errForm
		}
		return integer{n}, rest, nil
	case 'l':
		out := list{}
		for rest = b[1:]; !strings.HasPrefix(rest, "e"); {
			if v, rest, err = decode(rest); err != nil {
				return nil, "", err
			}
			out = append(out, v)
		}
		return out, rest[1:], nil
	case 'd':
		out := dict{}
		for rest = b[1:]; !strings.HasPrefix(rest, "e"); {
			var key any
			if key, rest, err = decode(rest); err != nil {
				return nil, "", err
			}
			name, ok := key.(string)
			if !ok {
				return nil, "", errForm
			}
			if v, rest, err = decode(rest); err != nil {
				return nil, "", err
			}
			out = append(out, entry{name, v})
		}
		return out, rest[1:], nil
	}
	digits, rest, ok := strings.Cut(b, ":")
	n, isNumber := number(digits)
	if !ok || !isNumber || digits[0] == '-' || n.Cmp(big.NewInt(int64(len(rest)))) > 0 {
		return nil, "", errForm
	}
	return rest[:n.Int64()], rest[n.Int64():], nil
}

func number(s string) (*big.Int, bool) {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return nil, false
	}
	return new(big.Int).SetString(s, 10)
}

var (
	maxInt = new(big.Int).SetUint64(1<<63 - 1)
	minInt = new(big.Int).Neg(new(big.Int).SetUint64(1 << 63))
)

const maxDepth = 16

// judge returns the reason class for which a Kith node refuses b as a single bencoded value, empty when it does not.
func judge(b string) string {
	v, rest, err := decode(b)
	switch {
	case strings.HasPrefix(b, strings.Repeat("l", maxDepth+1)):
		return limit // the byte that nests too deep comes before whatever fault is behind it
	case err != nil:
		return malformed
	case depth(v) > maxDepth:
		return limit
	case rest != "", encode(v) != b, !strict(v):
		return malformed
	}
	return ""
}

// depth counts the lists and dictionaries around the innermost value.
func depth(v any) int {
	deepest := 0
	switch v := v.(type) {
	case list:
		for _, item := range v {
			deepest = max(deepest, depth(item))
		}
		return deepest + 1
	case dict:
		for _, e := range v {
			deepest = max(deepest, depth(e.value))
		}
		return deepest + 1
	}
	return 0
}

// strict reports whether every number is in range and no key stands twice, which writing v again does not show.
func strict(v any) bool {
	switch v := v.(type) {
	case integer:
		return v.n.Cmp(minInt) >= 0 && v.n.Cmp(maxInt) <= 0
	case list:
		for _, item := range v {
			if !strict(item) {
				return false
			}
		}
	case dict:
		seen := map[string]bool{}
		for _, e := range v {
			if seen[e.key] || !strict(e.value) {
				return false
			}
			seen[e.key] = true
		}
	}
	return true
}

// neutral turns a value into JSON: {"int": "42"}, {"bytes": "7370616d"}, {"list": […]}, {"dict": [{"key": …, "value": …}]}.
func neutral(v any) any {
	switch v := v.(type) {
	case integer:
		return object{{"int", v.n.String()}}
	case string:
		return object{{"bytes", toHex(v)}}
	case list:
		out := []any{}
		for _, item := range v {
			out = append(out, neutral(item))
		}
		return object{{"list", out}}
	case dict:
		out := []any{}
		for _, e := range v {
			out = append(out, object{{"key", toHex(e.key)}, {"value", neutral(e.value)}})
		}
		return object{{"dict", out}}
	}
	panic("no JSON for this")
}
