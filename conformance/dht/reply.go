package dht

import (
	"fmt"
	"net/netip"

	"kith/conformance"
	"kith/conformance/lenient"
)

// Reply is an answer with `r`. Its methods read one value each and fail the case when it is not there or not of its form.
type Reply struct {
	*Answer
	sent *Sent
}

// Fail ends the case because of this reply.
func (r *Reply) Fail(expected, observed string) { r.sent.fail(expected, observed) }

// Check fails the case, with what was expected and the reply, unless ok.
func (r *Reply) Check(ok bool, expected string) {
	if !ok {
		r.Fail(expected, r.String())
	}
}

// Has reports whether `r` has the key.
func (r *Reply) Has(key string) bool {
	_, ok := r.Message.R.Get(key)
	return ok
}

// WantNo fails when `r` has one of the keys.
func (r *Reply) WantNo(keys ...string) {
	for _, k := range keys {
		if v, ok := r.Message.R.Get(k); ok {
			r.Fail(fmt.Sprintf("no `%s`", k), short(conformance.Brief(v.Raw)))
		}
	}
}

// Value returns what stands under key in `r`.
func (r *Reply) Value(key string, kind lenient.Kind) lenient.Value {
	v, ok := r.Message.R.Get(key)
	if !ok {
		r.Fail(fmt.Sprintf("`%s` in the reply", key), "none: "+r.String())
	}
	if v.Kind != kind {
		r.Fail(fmt.Sprintf("`%s` as a %v", key, kind), fmt.Sprintf("a %v", v.Kind))
	}
	return v
}

// ID returns the target's id.
func (r *Reply) ID() (id [20]byte) {
	copy(id[:], r.Exactly("id", 20))
	return id
}

// Bytes returns the string under key.
func (r *Reply) Bytes(key string) []byte { return r.Value(key, lenient.String).Str }

// Exactly returns the string of n bytes under key.
func (r *Reply) Exactly(key string, n int) []byte {
	b := r.Bytes(key)
	if len(b) != n {
		r.Fail(fmt.Sprintf("`%s` of %d bytes", key, n), fmt.Sprintf("%d bytes", len(b)))
	}
	return b
}

// Int returns the integer under key.
func (r *Reply) Int(key string) int64 { return r.Value(key, lenient.Int).Int }

// Raw returns the bencoded bytes under key, whatever their type.
func (r *Reply) RawOf(key string) []byte {
	v, ok := r.Message.R.Get(key)
	if !ok {
		r.Fail(fmt.Sprintf("`%s` in the reply", key), "none: "+r.String())
	}
	return v.Raw
}

// Token returns the token, which must not be empty.
func (r *Reply) Token() []byte {
	b := r.Bytes("token")
	if len(b) == 0 {
		r.Fail("a `token` that is not empty", "an empty one")
	}
	return b
}

// Nodes returns the contacts of `nodes`.
func (r *Reply) Nodes() []lenient.Contact { return r.contacts("nodes", 26) }

// Nodes6 returns the contacts of `nodes6`.
func (r *Reply) Nodes6() []lenient.Contact { return r.contacts("nodes6", 38) }

func (r *Reply) contacts(key string, width int) []lenient.Contact {
	b := r.Bytes(key)
	list, ok := lenient.ParseContacts(b, width)
	if !ok {
		r.Fail(fmt.Sprintf("`%s` as a whole number of %d-byte nodes", key, width), fmt.Sprintf("%d bytes", len(b)))
	}
	return list
}

// Values returns the peers of `values`; none when there is no `values`.
func (r *Reply) Values() (peers []netip.AddrPort) {
	if !r.Has("values") {
		return nil
	}
	for _, v := range r.Value("values", lenient.List).List {
		p, ok := lenient.ParseCompact(v.Str)
		if v.Kind != lenient.String || !ok {
			r.Fail("`values` as a list of strings of 6 or 18 bytes", short(conformance.Brief(v.Raw)))
		}
		peers = append(peers, p)
	}
	return peers
}

// HasPeer reports whether `values` names a.
func (r *Reply) HasPeer(a netip.AddrPort) bool {
	for _, p := range r.Values() {
		if p == a {
			return true
		}
	}
	return false
}

// IP returns the address in the message's `ip`, and whether there is one of 6 or 18 bytes.
func (a *Answer) IP() (netip.AddrPort, bool) {
	v, _ := a.Message.Root.Get("ip")
	return lenient.ParseCompact(v.Str)
}

// Top returns a key of the message itself, such as `v` or `ip`.
func (a *Answer) Top(key string) (lenient.Value, bool) { return a.Message.Root.Get(key) }
