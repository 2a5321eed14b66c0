package handshake

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"kith/wire"
)

// MaxEndpoints is how many endpoints a record or a knock has at most.
const MaxEndpoints = 8

// Types of fields. Those from fieldLater on may be ignored by who does not know them.
const (
	fieldPadding   = 0
	fieldEndpoints = 1
	fieldLater     = 128
)

const fieldHeader = 1 + 2 // type u8 ‖ length u16

var netBroadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// CheckEndpoint returns nil if a may stand in a record or a knock. Otherwise the error's class is ErrMalformed.
func CheckEndpoint(a netip.AddrPort) error {
	ip := a.Addr()
	switch {
	case !a.IsValid() || ip.Zone() != "":
		return fmt.Errorf("handshake: endpoint is not an address and a port: %w", ErrMalformed)
	case a.Port() == 0: // rv-endpoint-address
		return fmt.Errorf("handshake: endpoint has the port 0: %w", ErrMalformed)
	case ip.IsUnspecified() || ip.IsMulticast() || ip == netBroadcast || ip.Is4In6(): // rv-endpoint-address
		return fmt.Errorf("handshake: endpoint has an address that nobody has: %w", ErrMalformed)
	}
	return nil
}

// checkEndpoints returns nil if appendFields may write the endpoints.
func checkEndpoints(endpoints []netip.AddrPort) error {
	if len(endpoints) > MaxEndpoints {
		return fmt.Errorf("handshake: %d endpoints, more than %d: %w", len(endpoints), MaxEndpoints, ErrLimit)
	}
	for _, a := range endpoints {
		if err := CheckEndpoint(a); err != nil {
			return err
		}
	}
	return nil
}

// appendFields appends the fields of a record or knock to b. Without endpoints there is no field of them. The endpoints are
// checked.
func appendFields(b []byte, endpoints []netip.AddrPort) []byte { // rv-record-fields
	if len(endpoints) == 0 {
		return b
	}
	b = append(b, fieldEndpoints, 0, 0)
	start := len(b)
	for _, a := range endpoints {
		if a.Addr().Is4() {
			b = append(b, 4)
		} else {
			b = append(b, 6)
		}
		b = wire.AppendAddrPort(b, a)
	}
	binary.BigEndian.PutUint16(b[start-2:], uint16(len(b)-start))
	return b
}

// parseFields reads fields up to the end of b, from the first to the last, and returns the endpoints. What it refuses is
// ErrMalformed, but ErrLimit for too many endpoints.
func parseFields(b []byte) (endpoints []netip.AddrPort, err error) {
	seen := false
	for len(b) > 0 {
		if b[0] == fieldPadding {
			if !allZero(b) { // rv-field-padding
				return nil, fmt.Errorf("handshake: padding is not zero: %w", ErrMalformed)
			}
			return endpoints, nil
		}
		if len(b) < fieldHeader || len(b)-fieldHeader < int(binary.BigEndian.Uint16(b[1:])) { // rv-field-cut
			return nil, fmt.Errorf("handshake: field reaches beyond the end: %w", ErrMalformed)
		}
		kind, value := b[0], b[fieldHeader:fieldHeader+int(binary.BigEndian.Uint16(b[1:]))]
		b = b[fieldHeader+len(value):]
		switch {
		case kind >= fieldLater: // rv-field-later
		case kind != fieldEndpoints: // rv-field-unknown
			return nil, fmt.Errorf("handshake: field of unknown type %d: %w", kind, ErrMalformed)
		case seen: // rv-field-twice
			return nil, fmt.Errorf("handshake: field of type %d stands twice: %w", kind, ErrMalformed)
		default:
			seen = true
			if endpoints, err = parseEndpoints(value); err != nil {
				return nil, err
			}
		}
	}
	return endpoints, nil
}

// parseEndpoints reads the value of a field of endpoints.
func parseEndpoints(b []byte) (endpoints []netip.AddrPort, err error) {
	for len(b) > 0 {
		if len(endpoints) == MaxEndpoints { // rv-endpoint-limit
			return nil, fmt.Errorf("handshake: more than %d endpoints: %w", MaxEndpoints, ErrLimit)
		}
		size := 0
		switch b[0] {
		case 4:
			size = wire.Addr4Size
		case 6:
			size = wire.Addr6Size
		default: // rv-endpoint-form
			return nil, fmt.Errorf("handshake: endpoint of family %d: %w", b[0], ErrMalformed)
		}
		if len(b) < 1+size { // rv-endpoint-form
			return nil, fmt.Errorf("handshake: endpoint is cut off: %w", ErrMalformed)
		}
		a, err := wire.ParseAddrPort(b[1 : 1+size])
		if err != nil {
			return nil, fmt.Errorf("handshake: endpoint: %w: %w", ErrMalformed, err)
		}
		if err := CheckEndpoint(a); err != nil {
			return nil, err
		}
		endpoints, b = append(endpoints, a), b[1+size:]
	}
	return endpoints, nil
}

func allZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}
