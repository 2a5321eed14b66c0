package lenient

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Message is the KRPC view of a datagram: what BEP 5 says its keys mean, as far as they are there and of their type.
type Message struct {
	Root  Value
	Flaws []Flaw // what was not canonical bencode

	T    []byte // transaction id; HasT tells an empty one from none
	HasT bool
	Y    string // q, r, e, or whatever stood there
	Q    string // method of a query
	A    Value  // arguments of a query
	R    Value  // values of a reply
	Code int64  // of an error
	Text string // of an error
	HasE bool   // e is a list of an integer and a string
}

// Parse reads a datagram. The error wraps ErrUndecodable; a decodable value that is no dictionary is one too.
func Parse(b []byte) (Message, error) {
	root, flaws, err := Decode(b)
	if err != nil {
		return Message{Flaws: flaws}, err
	}
	if root.Kind != Dict {
		return Message{Root: root, Flaws: flaws}, fmt.Errorf("%w: a %v and not a dictionary", ErrUndecodable, root.Kind)
	}
	m := Message{Root: root, Flaws: flaws}
	if t, ok := root.Get("t"); ok && t.Kind == String {
		m.T, m.HasT = t.Str, true
	}
	m.Y = text(root, "y")
	m.Q = text(root, "q")
	m.A, _ = root.Get("a")
	m.R, _ = root.Get("r")
	if e, ok := root.Get("e"); ok && e.Kind == List && len(e.List) >= 2 && e.List[0].Kind == Int && e.List[1].Kind == String {
		m.HasE, m.Code, m.Text = true, e.List[0].Int, string(e.List[1].Str)
	}
	return m, nil
}

func text(v Value, key string) string {
	s, _ := v.Get(key)
	return string(s.Str)
}

// ID returns the 20-byte string under key in v, and whether there is one.
func (v Value) ID(key string) (id [20]byte, ok bool) {
	s, _ := v.Get(key)
	if s.Kind != String || len(s.Str) != 20 {
		return id, false
	}
	return [20]byte(s.Str), true
}

// ParseCompact reads the 6 or 18 bytes of an address and port.
func ParseCompact(b []byte) (netip.AddrPort, bool) {
	if len(b) != 6 && len(b) != 18 {
		return netip.AddrPort{}, false
	}
	a, _ := netip.AddrFromSlice(b[:len(b)-2])
	return netip.AddrPortFrom(a, binary.BigEndian.Uint16(b[len(b)-2:])), true
}

// ParseContacts reads a `nodes` (width 26) or `nodes6` (width 38) string; ok is false when its length is no multiple of the width.
func ParseContacts(b []byte, width int) (list []Contact, ok bool) {
	for ; len(b) >= width; b = b[width:] {
		addr, _ := ParseCompact(b[20:width])
		list = append(list, Contact{ID: [20]byte(b[:20]), Addr: addr})
	}
	return list, len(b) == 0
}
