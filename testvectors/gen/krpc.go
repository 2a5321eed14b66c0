package gen

import (
	"fmt"
	"net/netip"
	"strings"
)

const maxDatagram = 4096

// A form is what spec/wire.md's tables say that the value of a key has to be.
type form struct {
	kind string // "int", "natural", "string", "strings", "any"
	size int    // of a string: its exact length, when not 0
	unit int    // of a string: what its length is a multiple of, when not 0
}

// forms of the keys of a and r.
var forms = map[string]form{
	"id": {"string", 20, 0}, "target": {"string", 20, 0}, "info_hash": {"string", 20, 0},
	"nodes": {"string", 0, 26}, "nodes6": {"string", 0, 38}, "samples": {"string", 0, 20},
	"k": {"string", 32, 0}, "sig": {"string", 64, 0}, "token": {"string", 0, 0}, "salt": {"string", 0, 0},
	"values": {"strings", 0, 0}, "want": {"strings", 0, 0},
	"port": {"int", 0, 0}, "implied_port": {"int", 0, 0}, "num": {"int", 0, 0}, "interval": {"int", 0, 0},
	"seq": {"natural", 0, 0}, "cas": {"natural", 0, 0},
	"v": {"any", 0, 0},
}

func (f form) fits(v any) bool {
	switch s, isString := v.(string); f.kind {
	case "string":
		return isString && (f.size == 0 || len(s) == f.size) && (f.unit == 0 || len(s)%f.unit == 0)
	case "strings":
		items, ok := v.(list)
		for _, item := range items {
			if _, isString := item.(string); !isString {
				return false
			}
		}
		return ok
	case "int", "natural":
		i, ok := v.(integer)
		return ok && (f.kind == "int" || i.n.Sign() >= 0)
	}
	return true
}

// A reading is what a Kith node makes of a datagram.
type reading struct {
	reason   string // why it refuses it; empty when it does not
	message  object // what it says, in JSON
	output   string // the canonical bytes that say the same
	readable object // of what is refused: y, t and q as far as they can be read
	error    int    // of what is refused: the error that is answered
}

func read(b string) reading {
	if len(b) > maxDatagram {
		return reading{reason: limit, readable: object{}}
	}
	r := reading{reason: judge(b)}
	m := entries(b)
	if r.reason == "" && r.understand(m) {
		return r
	}
	r.salvage(m, len(b))
	if r.reason == "" {
		r.reason = malformed
	}
	return r
}

// entries reads a dictionary as far as it can be read.
func entries(b string) (m dict) {
	rest, ok := strings.CutPrefix(b, "d")
	for ok {
		key, behind, err := decode(rest)
		name, isString := key.(string)
		if err != nil || !isString {
			break
		}
		var value any
		if value, rest, err = decode(behind); err != nil {
			break
		}
		m = append(m, entry{name, value})
	}
	return m
}

// understand fills in message and output, and reports whether m is a message at all.
func (r *reading) understand(m dict) bool {
	y, _ := m.get("y")
	t, _ := m.get("t")
	tid, ok := t.(string)
	if !ok {
		return false
	}
	msg, clean := object{{"y", y}, {"t", toHex(tid)}}, d("t", tid, "y", y)
	switch y {
	case "q":
		q, _ := m.get("q")
		method, ok := q.(string)
		a, _ := m.get("a")
		json, args, fits := body(a)
		if !ok || !fits {
			return false
		}
		msg = append(msg, field{"q", toHex(method)}, field{"a", json})
		clean = append(clean, entry{"q", method}, entry{"a", args})
		if ro, there := m.get("ro"); there {
			i, isInt := ro.(integer)
			if !isInt {
				return false
			}
			if i.n.Sign() != 0 {
				msg, clean = append(msg, field{"ro", true}), append(clean, entry{"ro", 1})
			}
		}
	case "r":
		values, _ := m.get("r")
		json, args, fits := body(values)
		if !fits {
			return false
		}
		msg, clean = append(msg, field{"r", json}), append(clean, entry{"r", args})
	case "e":
		e, _ := m.get("e")
		parts, ok := e.(list)
		if !ok || len(parts) != 2 {
			return false
		}
		code, isInt := parts[0].(integer)
		words, isString := parts[1].(string)
		if !isInt || !isString {
			return false
		}
		msg = append(msg, field{"e", object{{"code", code.n.String()}, {"text", toHex(words)}}})
		clean = append(clean, entry{"e", parts})
	default:
		return false
	}
	if ip, there := m.get("ip"); there && y != "q" {
		s, isString := ip.(string)
		if !isString {
			return false
		}
		if len(s) == 6 || len(s) == 18 {
			msg, clean = append(msg, field{"ip", address(s)}), append(clean, entry{"ip", s})
		}
	}
	if v, there := m.get("v"); there {
		s, isString := v.(string)
		if !isString {
			return false
		}
		msg, clean = append(msg, field{"v", toHex(s)}), append(clean, entry{"v", s})
	}
	r.message, r.output = msg, encode(clean)
	return true
}

// body reads the dictionary a or r, into JSON and into the dictionary that says the same in known keys.
func body(v any) (json object, clean dict, ok bool) {
	m, ok := v.(dict)
	if !ok {
		return nil, nil, false
	}
	for _, e := range m {
		f, known := forms[e.key]
		if !known {
			continue
		}
		if !f.fits(e.value) {
			return nil, nil, false
		}
		var out any
		value := e.value
		switch e.key {
		case "nodes", "nodes6":
			out = nodes(e.value.(string), f.unit)
		case "samples":
			hashes := []string{}
			for s := e.value.(string); s != ""; s = s[20:] {
				hashes = append(hashes, toHex(s[:20]))
			}
			out = hashes
		case "values":
			peers, kept := []string{}, list{}
			for _, item := range e.value.(list) {
				if s := item.(string); len(s) == 6 || len(s) == 18 {
					peers, kept = append(peers, address(s)), append(kept, s)
				}
			}
			out, value = peers, kept
		case "want":
			families, kept := []string{}, list{}
			for _, family := range []string{"n4", "n6"} {
				for _, item := range e.value.(list) {
					if item == family {
						families, kept = append(families, family), append(kept, family)
						break
					}
				}
			}
			out, value = families, kept
		case "implied_port":
			implied := e.value.(integer).n.Sign() != 0
			out, value = implied, map[bool]int{false: 0, true: 1}[implied]
		case "v":
			out = toHex(encode(e.value))
		default:
			if i, isInt := e.value.(integer); isInt {
				out = i.n.String()
			} else {
				out = toHex(e.value.(string))
			}
		}
		json, clean = append(json, field{e.key, out}), append(clean, entry{e.key, value})
	}
	return json, clean, true
}

// salvage reads what is left of a refused message: a key that stands twice counts where it stands first.
func (r *reading) salvage(m dict, size int) {
	r.readable = object{}
	y, _ := m.get("y")
	if y == "q" || y == "r" || y == "e" {
		r.readable = append(r.readable, field{"y", y})
	}
	t, _ := m.get("t")
	tid, hasT := t.(string)
	if hasT {
		r.readable = append(r.readable, field{"t", toHex(tid)})
	}
	q, _ := m.get("q")
	method, hasQ := q.(string)
	if y == "q" && hasQ {
		r.readable = append(r.readable, field{"q", toHex(method)})
		if hasT && len(tid) >= 1 && len(tid) <= 64 && size >= 40 {
			r.error = 203
		}
	}
}

// address reads the compact form of 6 or 18 bytes.
func address(s string) string {
	ip, _ := netip.AddrFromSlice([]byte(s[:len(s)-2]))
	return netip.AddrPortFrom(ip, uint16(s[len(s)-2])<<8|uint16(s[len(s)-1])).String()
}

// compact writes an address in its compact form.
func compact(s string) string {
	a := netip.MustParseAddrPort(s)
	return string(a.Addr().AsSlice()) + string([]byte{byte(a.Port() >> 8), byte(a.Port())})
}

// nodes reads the compact forms of nodes.
func nodes(s string, size int) []object {
	out := []object{}
	for ; s != ""; s = s[size:] {
		out = append(out, object{{"id", toHex(s[:20])}, {"address", address(s[20:size])}})
	}
	return out
}

// node writes the compact form of a node.
func node(id, addr string) string { return id + compact(addr) }

// A krpcCase is a vector of the type krpc as its author states it.
type krpcCase struct {
	id, comment, twin string
	input             string
	reason            string
	error             int
	source            string
	also              []string
}

func (c krpcCase) vector() vector {
	r := read(c.input)
	if r.reason != c.reason || r.error != c.error {
		panic(fmt.Sprintf("%s: read with reason %q and error %d, stated %q and %d", c.id, r.reason, r.error, c.reason, c.error))
	}
	v := vector{
		id: c.id, also: c.also, op: "wire.krpc", comment: c.comment, source: c.source, twin: c.twin,
		text: text(c.input), in: o("input", toHex(c.input)), outcome: accept,
	}
	if r.reason != "" {
		v.outcome, v.reason, v.out = drop, r.reason, o("readable", r.readable)
		if r.error != 0 {
			v.outcome, v.out = ignore, append(v.out, field{"error", r.error}) // no effect, but not silence
		}
		return v
	}
	v.out = o("message", r.message, "output", toHex(r.output))
	// Writing and reading once more must change nothing.
	if again := read(r.output); again.reason != "" || again.output != r.output {
		panic(c.id + ": the canonical bytes do not read as they were written")
	}
	return v
}
