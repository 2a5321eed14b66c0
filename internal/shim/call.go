package shim

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
)

// A call is one question while it is answered.
type call struct {
	shim  *Shim
	in    json.RawMessage
	shown map[string]any
}

// A fault is a request that is not of the form of its operation. It is thrown, so that operations read as if there were none.
type fault string

func faultf(format string, args ...any) { panic(fault(fmt.Sprintf(format, args...))) }

// in reads the question's in into a struct with json tags. Every key has to be there, but for those whose field is a pointer.
func in[T any](c *call) (to T) {
	if err := strictly(c.in, &to); err != nil {
		faultf("in: %v", err)
	}
	var there map[string]json.RawMessage
	json.Unmarshal(c.in, &there)
	for _, f := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if _, ok := there[name]; !ok && !f.Anonymous && f.Type.Kind() != reflect.Pointer {
			faultf("in: %s is missing", name)
		}
	}
	return to
}

// show adds an intermediate value to the answer, under the spec's name; bytes are shown as hex.
func (c *call) show(name string, value any) {
	if c.shown == nil {
		c.shown = map[string]any{}
	}
	if b, ok := value.([]byte); ok {
		value = octets(b)
	}
	c.shown[name] = value
}

// rand is where an operation draws: the request's draws one behind another, in the order of the operation's table. One source serves
// all handles, so it may be kept as Config.Rand.
func (c *call) rand() io.Reader { return c.shim.rand }

// open keeps a state under a handle that is new.
func (c *call) open(handle string, state any) {
	if _, taken := c.shim.handles[handle]; taken {
		faultf("handle %q is taken", handle) // shim-handle-known
	}
	c.shim.handles[handle] = state
}

// state returns what stands under a handle, as T.
func state[T any](c *call, handle string) T {
	kept, ok := c.shim.handles[handle]
	if !ok {
		faultf("handle %q is unknown", handle) // shim-handle-known
	}
	of, ok := kept.(T)
	if !ok {
		faultf("handle %q is a %T", handle, kept)
	}
	return of
}

// octets are bytes that stand in JSON as hex.
type octets []byte

func (b octets) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, b), nil }

func (b *octets) UnmarshalText(text []byte) (err error) {
	if *b, err = hex.DecodeString(string(text)); err == nil && hex.EncodeToString(*b) != string(text) {
		err = fmt.Errorf("%q is not in small letters", text)
	}
	return err
}

// sized returns n bytes of a request, or it is a fault.
func sized(name string, b octets, n int) []byte {
	if len(b) != n {
		faultf("in: %s is %d bytes, not %d", name, len(b), n)
	}
	return b
}

// A source gives the draws of one request, a read each. What was drawn before means nothing to it: every request loads it anew.
type source struct {
	left []draw
	want string // why a read got nothing
}

type draw struct {
	name  string
	bytes octets
}

// load takes the draws of a request, in the order of names. // shim-draws-only
func (s *source) load(names []string, given json.RawMessage) {
	*s = source{}
	if given == nil {
		return
	}
	var byName map[string]octets
	if err := json.Unmarshal(given, &byName); err != nil {
		faultf("draws: %v", err)
	}
	take := func(name string) bool {
		b, ok := byName[name]
		if ok {
			s.left = append(s.left, draw{name, b})
			delete(byName, name)
		}
		return ok
	}
	for _, name := range names {
		if stem, ok := strings.CutSuffix(name, "*"); ok {
			for i := 0; take(stem + strconv.Itoa(i)); i++ {
			}
			continue
		}
		take(name)
	}
	for name := range byName {
		faultf("draws: this operation draws no %q", name)
	}
}

// Read gives out the next draw, which has to be as long as p: one read is one draw.
func (s *source) Read(p []byte) (int, error) {
	switch {
	case len(s.left) == 0:
		s.want = fmt.Sprintf("a draw of %d bytes is missing", len(p))
	case len(s.left[0].bytes) != len(p):
		s.want = fmt.Sprintf("draw %q is %d bytes, not %d", s.left[0].name, len(s.left[0].bytes), len(p))
	default:
		copy(p, s.left[0].bytes)
		s.left = s.left[1:]
		return len(p), nil
	}
	return 0, io.ErrUnexpectedEOF
}

// unread names a draw of which something is left, or returns "".
func (s *source) unread() string {
	if len(s.left) == 0 {
		return ""
	}
	return s.left[0].name
}
