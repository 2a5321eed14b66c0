package dht

import (
	"kith/conformance"
	"kith/conformance/lenient"
)

// encode is lenient.Encode.
func encode(v any) []byte { return lenient.Encode(v) }

// dict is a dictionary of keys and values in turn, in the order given.
func dict(pairs ...any) lenient.D {
	var d lenient.D
	for i := 0; i+1 < len(pairs); i += 2 {
		d = append(d, lenient.E{Key: pairs[i].(string), Value: pairs[i+1]})
	}
	return d
}

// raw is bytes that stand in a packet as they are, whatever they are.
func raw(s string) lenient.Raw { return lenient.Raw(s) }

// render writes a datagram for people.
func render(b []byte) string { return conformance.Render(b) }
