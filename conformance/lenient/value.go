// Package lenient reads what a node under test sent, and writes what no sane node would send.
//
// It is the harness's own bencode, kept apart from kith/wire on purpose: a bug of wire cannot agree with itself here,
// and a judge has to be able to look at packets that a strict parser refuses. Decode takes every deviation that leaves
// the structure readable (keys out of order, a key twice, bytes after the value, 007, -0) and lists it as a Flaw.
// Encode writes values exactly as given, order and duplicates included.
//
// Start with Parse, which gives the KRPC view of a datagram, and with Encode.
package lenient

import (
	"errors"
	"fmt"
	"math"
)

// Kind is the type of a bencoded value.
type Kind byte

// The four types of bencode. The zero Kind means that there is no value.
const (
	Int    Kind = 'i'
	String Kind = 's'
	List   Kind = 'l'
	Dict   Kind = 'd'
)

// String names the kind as the text of a verdict needs it.
func (k Kind) String() string {
	switch k {
	case Int:
		return "integer"
	case String:
		return "string"
	case List:
		return "list"
	case Dict:
		return "dictionary"
	}
	return "nothing"
}

// Value is one decoded value. Raw is the span of the datagram that holds it, and aliases it, as Str does.
type Value struct {
	Kind  Kind
	Int   int64
	Str   []byte
	List  []Value
	Pairs []Pair // of a dictionary, in the order of the packet, duplicates included
	Raw   []byte
}

// Pair is one entry of a dictionary.
type Pair struct {
	Key   []byte
	Value Value
}

// Get returns the value under key, the first one if the key stands there twice.
func (v Value) Get(key string) (Value, bool) {
	for _, p := range v.Pairs {
		if string(p.Key) == key {
			return p.Value, true
		}
	}
	return Value{}, false
}

// Flaw is one deviation from canonical bencode that Decode read past.
type Flaw struct {
	Offset int
	What   string
}

// String gives the flaw as a verdict quotes it.
func (f Flaw) String() string { return fmt.Sprintf("%s at byte %d", f.What, f.Offset) }

// ErrUndecodable is what Decode's errors wrap.
var ErrUndecodable = errors.New("undecodable")

// maxDepth bounds the recursion; nothing that a node may send nests deeper than five.
const maxDepth = 64

// Decode reads the value at the start of b and lists what was not canonical about it, bytes behind it included.
// It never panics. The error wraps ErrUndecodable and says where the structure could no longer be followed.
func Decode(b []byte) (Value, []Flaw, error) {
	d := decoder{b: b}
	v, err := d.value(0)
	if err != nil {
		return Value{}, d.flaws, err
	}
	if d.at < len(b) {
		d.flaw(d.at, fmt.Sprintf("%d bytes behind the value", len(b)-d.at))
	}
	return v, d.flaws, nil
}

type decoder struct {
	b     []byte
	at    int
	flaws []Flaw
}

func (d *decoder) flaw(at int, what string) {
	if len(d.flaws) < 16 { // enough for any message; a hostile packet must not buy memory
		d.flaws = append(d.flaws, Flaw{Offset: at, What: what})
	}
}

func (d *decoder) errorf(format string, args ...any) error {
	return fmt.Errorf("%w at byte %d of %d: %s", ErrUndecodable, d.at, len(d.b), fmt.Sprintf(format, args...))
}

func (d *decoder) value(depth int) (Value, error) {
	if depth > maxDepth {
		return Value{}, d.errorf("nested deeper than %d", maxDepth)
	}
	if d.at >= len(d.b) {
		return Value{}, d.errorf("the packet ends where a value must begin")
	}
	start := d.at
	var v Value
	var err error
	switch c := d.b[d.at]; {
	case c == 'i':
		v, err = d.integer()
	case c >= '0' && c <= '9':
		v.Kind = String
		v.Str, err = d.str()
	case c == 'l':
		v, err = d.list(depth)
	case c == 'd':
		v, err = d.dict(depth)
	default:
		return Value{}, d.errorf("%q begins no value", c)
	}
	v.Raw = d.b[start:d.at]
	return v, err
}

func (d *decoder) integer() (Value, error) {
	start := d.at
	d.at++ // i
	negative := d.at < len(d.b) && d.b[d.at] == '-'
	if negative {
		d.at++
	}
	n, digits, first, over := d.digits()
	if digits == 0 {
		return Value{}, d.errorf("an integer without digits")
	}
	if d.at >= len(d.b) || d.b[d.at] != 'e' {
		return Value{}, d.errorf("an integer without its e")
	}
	d.at++
	if digits > 1 && first == '0' {
		d.flaw(start, "an integer with a leading zero")
	}
	if negative && n == 0 {
		d.flaw(start, "a negative zero")
	}
	if over {
		d.flaw(start, "an integer outside 64 bits")
	}
	if negative {
		n = -n
	}
	return Value{Kind: Int, Int: n}, nil
}

// digits reads a run of digits, saturating at the largest int64.
func (d *decoder) digits() (n int64, count int, first byte, over bool) {
	for d.at < len(d.b) && d.b[d.at] >= '0' && d.b[d.at] <= '9' {
		c := d.b[d.at]
		if count == 0 {
			first = c
		}
		if n > (math.MaxInt64-int64(c-'0'))/10 {
			over = true
			n = math.MaxInt64
		} else if !over {
			n = n*10 + int64(c-'0')
		}
		count++
		d.at++
	}
	return n, count, first, over
}

func (d *decoder) str() ([]byte, error) {
	start := d.at
	n, digits, first, _ := d.digits()
	if d.at >= len(d.b) || d.b[d.at] != ':' {
		return nil, d.errorf("a string length without its colon")
	}
	d.at++
	if n > int64(len(d.b)-d.at) {
		return nil, d.errorf("a string of %d bytes with %d left", n, len(d.b)-d.at)
	}
	if digits > 1 && first == '0' {
		d.flaw(start, "a string length with a leading zero")
	}
	s := d.b[d.at : d.at+int(n)]
	d.at += int(n)
	return s, nil
}

func (d *decoder) end() bool {
	if d.at < len(d.b) && d.b[d.at] == 'e' {
		d.at++
		return true
	}
	return false
}

func (d *decoder) list(depth int) (Value, error) {
	v := Value{Kind: List}
	d.at++
	for !d.end() {
		e, err := d.value(depth + 1)
		if err != nil {
			return Value{}, err
		}
		v.List = append(v.List, e)
	}
	return v, nil
}

func (d *decoder) dict(depth int) (Value, error) {
	v := Value{Kind: Dict}
	d.at++
	for !d.end() {
		if d.at >= len(d.b) || d.b[d.at] < '0' || d.b[d.at] > '9' {
			return Value{}, d.errorf("a dictionary key that is not a string")
		}
		at := d.at
		key, err := d.str()
		if err != nil {
			return Value{}, err
		}
		if n := len(v.Pairs); n > 0 {
			switch last := v.Pairs[n-1].Key; {
			case string(key) == string(last):
				d.flaw(at, fmt.Sprintf("the key %q a second time", key))
			case string(key) < string(last):
				d.flaw(at, fmt.Sprintf("the key %q behind %q", key, last))
			}
		}
		e, err := d.value(depth + 1)
		if err != nil {
			return Value{}, err
		}
		v.Pairs = append(v.Pairs, Pair{Key: key, Value: e})
	}
	return v, nil
}
