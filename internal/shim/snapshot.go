package shim

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"reflect"
	"slices"
)

type handleOnly struct {
	Handle string `json:"handle"`
}

// snapshot answers with the SHA-256 of everything that a state holds.
func (s *Shim) snapshot(c *call) (any, error) { // shim-snapshot
	kept := state[any](c, in[handleOnly](c).Handle)
	var b bytes.Buffer
	w := walker{w: &b, seen: map[uintptr]int{}}
	w.walk(reflect.ValueOf(kept))
	sum := sha256.Sum256(b.Bytes())
	return struct {
		Snapshot octets `json:"snapshot"`
	}{sum[:]}, nil
}

// free forgets a state, if there is one.
func (s *Shim) free(c *call) (any, error) { // shim-free
	delete(s.handles, in[handleOnly](c).Handle)
	return nil, nil
}

// ofTheClock are fields of handshake's machine that follow the time alone: the tags of the present epochs. That they moved is no trace.
var ofTheClock = map[string]bool{"handshake.Machine.tags": true, "handshake.contact.known": true, "handshake.contact.epoch": true}

// A walker writes a value with all that it refers to, unexported fields too, so that two writings are equal exactly if the values are.
// The states that it walks need no methods for it, and so cannot leave anything out.
type walker struct {
	w    io.Writer
	seen map[uintptr]int // pointers met, numbered: what refers to itself ends, and sharing shows
}

func (w *walker) walk(v reflect.Value) {
	if !v.IsValid() {
		fmt.Fprint(w.w, "nil;")
		return
	}
	if v.Type() == reflect.TypeFor[*source]() {
		fmt.Fprint(w.w, "rand;") // of the question, not of the state
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		fmt.Fprintf(w.w, "%t;", v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		fmt.Fprintf(w.w, "%d;", v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		fmt.Fprintf(w.w, "%d;", v.Uint())
	case reflect.Float32, reflect.Float64:
		fmt.Fprintf(w.w, "%x;", v.Float())
	case reflect.String:
		fmt.Fprintf(w.w, "%q;", v.String())
	case reflect.Array, reflect.Slice:
		w.list(v)
	case reflect.Struct:
		fmt.Fprintf(w.w, "%s{", v.Type())
		for i := range v.NumField() {
			if !ofTheClock[v.Type().String()+"."+v.Type().Field(i).Name] {
				w.walk(v.Field(i))
			}
		}
		fmt.Fprint(w.w, "}")
	case reflect.Map:
		w.table(v)
	case reflect.Interface:
		w.walk(v.Elem())
	case reflect.Pointer:
		switch at, met := w.seen[v.Pointer()]; {
		case v.IsNil():
			fmt.Fprint(w.w, "nil;")
		case met:
			fmt.Fprintf(w.w, "*%d;", at)
		default:
			w.seen[v.Pointer()] = len(w.seen)
			w.walk(v.Elem())
		}
	default: // functions and channels have no contents to compare
		fmt.Fprintf(w.w, "%s %t;", v.Kind(), v.IsNil())
	}
}

// list writes an array or a slice. A nil slice is an empty one: nobody can tell them apart on the wire.
func (w *walker) list(v reflect.Value) {
	fmt.Fprintf(w.w, "[%d:", v.Len())
	if v.Type().Elem().Kind() == reflect.Uint8 {
		raw := make([]byte, v.Len())
		for i := range raw {
			raw[i] = byte(v.Index(i).Uint())
		}
		w.w.Write(raw)
	} else {
		for i := range v.Len() {
			w.walk(v.Index(i))
		}
	}
	fmt.Fprint(w.w, "]")
}

// table writes a map in the order of its written keys.
func (w *walker) table(v reflect.Value) {
	type entry struct {
		key   []byte
		value reflect.Value
	}
	var all []entry
	for k, value := range v.Seq2() {
		var b bytes.Buffer
		inner := walker{w: &b, seen: w.seen}
		inner.walk(k)
		all = append(all, entry{b.Bytes(), value})
	}
	slices.SortFunc(all, func(a, b entry) int { return bytes.Compare(a.key, b.key) })
	fmt.Fprintf(w.w, "map[%d:", len(all))
	for _, e := range all {
		binary.Write(w.w, binary.BigEndian, uint32(len(e.key)))
		w.w.Write(e.key)
		w.walk(e.value)
	}
	fmt.Fprint(w.w, "]")
}
