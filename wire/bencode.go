package wire

import (
	"bytes"
	"fmt"
	"strconv"
)

// MaxDepth is how many lists and dictionaries may stand inside one another.
const MaxDepth = 16

// CheckBencode returns nil if b is exactly one canonical bencoded value with nothing behind it, of a depth of at most
// MaxDepth. Otherwise it returns an *Error.
func CheckBencode(b []byte) error {
	s := scanner{b: b}
	if s.value(0) {
		s.end()
	}
	return s.result()
}

// AppendInt appends the canonical form of i to b and returns the longer slice.
func AppendInt(b []byte, i int64) []byte {
	b = append(b, 'i')
	b = strconv.AppendInt(b, i, 10) // wire-int-form
	return append(b, 'e')
}

// AppendString appends the canonical form of the byte string s to b and returns the longer slice.
func AppendString[S []byte | string](b []byte, s S) []byte {
	b = appendLength(b, len(s))
	return append(b, s...)
}

// appendLength appends the length of a byte string and its colon. It spells out what a datagram can hold, because strconv took
// a third of the time of writing a whole message.
func appendLength(b []byte, n int) []byte {
	switch { // wire-length-form
	case n < 10:
		return append(b, '0'+byte(n), ':')
	case n < 100:
		return append(b, '0'+byte(n/10), '0'+byte(n%10), ':')
	case n < 1000:
		return append(b, '0'+byte(n/100), '0'+byte(n/10%10), '0'+byte(n%10), ':')
	}
	return append(strconv.AppendInt(b, int64(n), 10), ':')
}

// A scanner walks bencode from its first byte to its last. It knows two sorts of fault. After one that leaves the structure
// clear, such as keys out of order, it notes the first such fault and walks on, so that the transaction id of a bad query can
// still be found. After one that does not, such as a string longer than the datagram, its methods report false.
type scanner struct {
	b   []byte
	i   int // the next byte
	err *Error
}

// result returns the first fault. It exists because a nil *Error in an error is not nil.
func (s *scanner) result() error {
	if s.err != nil {
		return s.err
	}
	return nil
}

// refuse notes a fault, if it is the first.
func (s *scanner) refuse(class error, format string, args ...any) {
	if s.err == nil {
		s.err = &Error{Class: class, Text: fmt.Sprintf(format, args...)}
	}
}

// truncated notes that the bytes end inside a value.
func (s *scanner) truncated() {
	s.refuse(ErrMalformed, "value ends early") // wire-truncated
}

// end notes a fault if anything stands behind the value.
func (s *scanner) end() {
	if s.i != len(s.b) {
		s.refuse(ErrMalformed, "%d bytes behind the value", len(s.b)-s.i) // wire-trailing
	}
}

// value walks one value that stands inside depth lists and dictionaries.
func (s *scanner) value(depth int) bool {
	if s.i >= len(s.b) {
		s.truncated()
		return false
	}
	switch c := s.b[s.i]; {
	case c == 'i':
		return s.int()
	case c != 'l' && c != 'd':
		_, ok := s.str()
		return ok
	case depth == MaxDepth:
		s.refuse(ErrLimit, "nested deeper than %d", MaxDepth) // wire-depth
		return s.deep()
	case c == 'l':
		s.i++
		for s.more() {
			if !s.value(depth + 1) {
				return false
			}
		}
		return s.close()
	default:
		s.i++
		var key []byte
		for s.more() {
			var ok bool
			if key, ok = s.key(key); !ok || !s.value(depth+1) {
				return false
			}
		}
		return s.close()
	}
}

// raw walks one value like value and returns its bytes.
func (s *scanner) raw(depth int) ([]byte, bool) {
	start := s.i
	ok := s.value(depth)
	return s.b[start:s.i:s.i], ok
}

// more reports whether the list or dictionary around the scanner goes on.
func (s *scanner) more() bool { return s.i < len(s.b) && s.b[s.i] != 'e' }

// close walks the e of a list or dictionary of which no more is left.
func (s *scanner) close() bool {
	if s.i == len(s.b) {
		s.truncated()
		return false
	}
	s.i++
	return true
}

// key walks a key of a dictionary. prev is the key before it, nil for the first.
func (s *scanner) key(prev []byte) ([]byte, bool) {
	if c := s.b[s.i]; c-'0' > 9 {
		s.refuse(ErrMalformed, "key is not a string") // wire-key-refused
		return nil, false
	}
	key, ok := s.str()
	if ok && prev != nil {
		if c := bytes.Compare(prev, key); c == 0 {
			s.refuse(ErrMalformed, "key stands twice") // wire-key-refused
		} else if c > 0 {
			s.refuse(ErrMalformed, "keys not sorted") // wire-key-refused
		}
	}
	return key, ok
}

// str walks a byte string and returns it, never nil.
func (s *scanner) str() ([]byte, bool) {
	b, i, n := s.b, s.i, 0
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		if n = n*10 + int(b[i]-'0'); n > len(b) { // so that no length overflows
			s.truncated()
			return nil, false
		}
	}
	switch {
	case i == len(b):
		s.truncated()
		return nil, false
	case i == s.i:
		s.refuse(ErrMalformed, "byte that begins no value") // wire-no-value
		return nil, false
	case b[i] != ':':
		s.refuse(ErrMalformed, "string length not a number") // wire-int-refused
		return nil, false
	case b[s.i] == '0' && i != s.i+1:
		s.refuse(ErrMalformed, "string length not canonical") // wire-int-refused
	}
	i++
	if n > len(b)-i {
		s.truncated()
		return nil, false
	}
	s.i = i + n
	return b[i : i+n : i+n], true
}

// int walks an integer.
func (s *scanner) int() bool {
	n := bytes.IndexByte(s.b[s.i:], 'e')
	if n < 0 {
		s.truncated()
		return false
	}
	digits := s.b[s.i+1 : s.i+n]
	s.i += n + 1
	_, fault := parseInt(digits)
	if fault != "" {
		s.refuse(ErrMalformed, "%s", fault) // wire-int-refused, wire-int-range
	}
	return fault != notNumber
}

// deep walks a value that nests deeper than is allowed, without recursion and without a look at its dictionaries: it is
// refused already, and only the keys behind it still matter.
func (s *scanner) deep() bool {
	for depth := 0; s.i < len(s.b); {
		switch s.b[s.i] {
		case 'l', 'd':
			depth++
			s.i++
		case 'e':
			depth--
			s.i++
		case 'i':
			if !s.int() {
				return false
			}
		default:
			if _, ok := s.str(); !ok {
				return false
			}
		}
		if depth == 0 {
			return true
		}
	}
	s.truncated()
	return false
}

// The faults of an integer.
const (
	notNumber    = "integer not a number"
	notCanonical = "integer not canonical"
	outOfRange   = "integer out of range"
)

// parseInt returns the number that stands in b between i and e, and what is wrong with it, if anything is.
func parseInt(b []byte) (i int64, fault string) {
	neg := len(b) > 0 && b[0] == '-'
	digits := b
	if neg {
		digits = b[1:]
	}
	if len(digits) == 0 {
		return 0, notNumber
	}
	var n uint64
	for _, c := range digits {
		if c -= '0'; c > 9 {
			return 0, notNumber
		}
		n = n*10 + uint64(c)
	}
	switch {
	case digits[0] == '0' && (neg || len(digits) > 1):
		return 0, notCanonical
	case len(digits) > 19, neg && n > 1<<63, !neg && n >= 1<<63: // 19 digits cannot overflow n
		return 0, outOfRange
	case neg:
		return -int64(n), "" // right for 2⁶³ too, which is its own negative
	}
	return int64(n), ""
}
