package dht

import (
	"crypto/sha1"
	"net/netip"
	"time"

	"kith/conformance/lenient"
)

// fake is the smallest node that a few cases pass: it exists so that the harness can be tested without the reference node.
type fake struct {
	id    [20]byte
	out   []outgoing
	items map[[20]byte]lenient.Raw
	bend  func(to netip.AddrPort, b []byte) [][]byte // turns an answer into what is sent instead
}

type outgoing struct {
	to netip.AddrPort
	b  []byte
}

func newFake() *fake {
	return &fake{id: [20]byte{1, 2, 3}, items: map[[20]byte]lenient.Raw{}}
}

func (f *fake) HandleTimeout(time.Time)    {}
func (f *fake) NextTimeout() (t time.Time) { return t }

func (f *fake) Transmit() (netip.AddrPort, []byte, bool) {
	if len(f.out) == 0 {
		return netip.AddrPort{}, nil, false
	}
	o := f.out[0]
	f.out = f.out[1:]
	return o.to, o.b, true
}

func (f *fake) HandleDatagram(_ time.Time, from netip.AddrPort, b []byte) {
	a := f.answer(from, b)
	if a == nil {
		return
	}
	all := [][]byte{a}
	if f.bend != nil {
		all = f.bend(from, a)
	}
	for _, x := range all {
		f.out = append(f.out, outgoing{from, x})
	}
}

func (f *fake) token(from netip.AddrPort) []byte {
	h := sha1.Sum(from.Addr().AsSlice())
	return h[:8]
}

func (f *fake) answer(from netip.AddrPort, b []byte) []byte {
	m, err := lenient.Parse(b)
	if err != nil || !m.HasT || m.Y != "q" || m.Q == "" {
		return nil
	}
	fail := func(code int) []byte {
		return encode(dict("e", lenient.L{code, "no"}, "t", m.T, "y", "e"))
	}
	if _, ok := m.A.ID("id"); !ok {
		return fail(203)
	}
	r := dict("id", f.id)
	given, _ := m.A.Get("token")
	switch m.Q {
	case "ping":
	case "find_node", "get_peers", "get":
		key := "target"
		if m.Q == "get_peers" {
			key = "info_hash"
		}
		target, ok := m.A.ID(key)
		if !ok {
			return fail(203)
		}
		r = append(r, dict("nodes", "", "token", f.token(from))...)
		if v, ok := f.items[target]; ok && m.Q == "get" {
			r = r.Set("v", v)
		}
	case "announce_peer", "put":
		if string(given.Str) != string(f.token(from)) {
			return fail(203)
		}
		if v, ok := m.A.Get("v"); ok {
			f.items[sha1.Sum(v.Raw)] = lenient.Raw(append([]byte(nil), v.Raw...))
		}
	default:
		return fail(204)
	}
	return encode(dict("r", r, "t", m.T, "y", "r"))
}
