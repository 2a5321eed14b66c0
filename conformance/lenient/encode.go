package lenient

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
)

// D is a dictionary that is written in the order given, a key twice if it stands there twice.
type D []E

// E is one entry of a D. Value is anything that Encode takes.
type E struct {
	Key   string
	Value any
}

// L is a list of anything that Encode takes.
type L []any

// Raw is bytes that stand in the packet as they are, whatever they are.
type Raw []byte

// Encode writes v: an int, int64, string, []byte, [20]byte, D, L, Raw or a decoded Value (its own bytes).
// Nothing is sorted and nothing is checked. A value of any other type panics: that is a fault of a case, not of a node.
func Encode(v any) []byte { return Append(nil, v) }

// Append is Encode behind b.
func Append(b []byte, v any) []byte {
	switch v := v.(type) {
	case int:
		return integer(b, int64(v))
	case int64:
		return integer(b, v)
	case string:
		return append(length(b, len(v)), v...)
	case []byte:
		return append(length(b, len(v)), v...)
	case [20]byte:
		return append(length(b, len(v)), v[:]...)
	case Raw:
		return append(b, v...)
	case Value:
		return append(b, v.Raw...)
	case L:
		b = append(b, 'l')
		for _, e := range v {
			b = Append(b, e)
		}
		return append(b, 'e')
	case D:
		b = append(b, 'd')
		for _, e := range v {
			b = append(length(b, len(e.Key)), e.Key...)
			b = Append(b, e.Value)
		}
		return append(b, 'e')
	}
	panic(fmt.Sprintf("lenient: %T is no bencode", v))
}

func integer(b []byte, i int64) []byte {
	return append(strconv.AppendInt(append(b, 'i'), i, 10), 'e')
}

func length(b []byte, n int) []byte {
	return append(strconv.AppendInt(b, int64(n), 10), ':')
}

// Sorted returns d with its keys in the order that bencode asks for; entries of one key keep theirs.
func (d D) Sorted() D {
	s := slices.Clone(d)
	slices.SortStableFunc(s, func(a, b E) int {
		switch {
		case a.Key < b.Key:
			return -1
		case a.Key > b.Key:
			return 1
		}
		return 0
	})
	return s
}

// Set replaces the value of key, or adds it at the end.
func (d D) Set(key string, v any) D {
	for i := range d {
		if d[i].Key == key {
			d[i].Value = v
			return d
		}
	}
	return append(d, E{key, v})
}

// Drop removes every entry of key.
func (d D) Drop(key string) D {
	return slices.DeleteFunc(d, func(e E) bool { return e.Key == key })
}

// Get returns the value under key.
func (d D) Get(key string) (any, bool) {
	for _, e := range d {
		if e.Key == key {
			return e.Value, true
		}
	}
	return nil, false
}

// Compact gives the 6 bytes (IPv4) or 18 bytes (IPv6) of an address and port, BEP 5, "Contact Encoding".
func Compact(a netip.AddrPort) []byte {
	b := a.Addr().Unmap().AsSlice()
	return append(b, byte(a.Port()>>8), byte(a.Port()))
}

// Contact is a node as `nodes` and `nodes6` name it.
type Contact struct {
	ID   [20]byte
	Addr netip.AddrPort
}

// AppendContact appends the 26 or 38 bytes of a contact.
func AppendContact(b []byte, c Contact) []byte {
	return append(append(b, c.ID[:]...), Compact(c.Addr)...)
}
