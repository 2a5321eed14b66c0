package handshake

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"
)

const (
	messageVersion = 1 // of knock and offer
	knockHead      = 1 + 8 + 8
	knockLabel     = "kith/1 knock\x00"
)

// A Knock asks for an offer.
type Knock struct {
	Time      uint64  // Unix milliseconds
	Random    [8]byte // so that no two knocks are alike
	Endpoints []netip.AddrPort
}

// AppendKnock appends the KnockSize bytes of k to b. It returns an error of class ErrLimit or ErrMalformed for endpoints that
// no receiver takes.
func AppendKnock(b []byte, k Knock) ([]byte, error) { // hs-knock-form
	if err := checkEndpoints(k.Endpoints); err != nil {
		return nil, err
	}
	end := len(b) + KnockSize
	b = append(b, messageVersion)
	b = binary.BigEndian.AppendUint64(b, k.Time)
	b = append(b, k.Random[:]...)
	b = appendFields(b, k.Endpoints)
	return append(b, make([]byte, end-len(b))...), nil
}

// ParseKnock returns the knock that b holds. The error's class is ErrMalformed, or ErrLimit for too many endpoints.
func ParseKnock(b []byte) (Knock, error) {
	switch {
	case len(b) != KnockSize:
		return Knock{}, fmt.Errorf("handshake: knock is %d bytes, not %d: %w", len(b), KnockSize, ErrMalformed)
	case b[0] != messageVersion: // hs-knock-version
		return Knock{}, fmt.Errorf("handshake: knock of version %d: %w", b[0], ErrMalformed)
	}
	endpoints, err := parseFields(b[knockHead:]) // hs-knock-fields
	if err != nil {
		return Knock{}, err
	}
	return Knock{Time: binary.BigEndian.Uint64(b[1:]), Random: [8]byte(b[9:]), Endpoints: endpoints}, nil
}

// knockHash returns H("kith/1 knock" ‖ knock), which ties an offer to the knock that asked for it.
func knockHash(knock []byte) (h [32]byte) {
	d := sha256.New()
	d.Write([]byte(knockLabel))
	d.Write(knock)
	d.Sum(h[:0])
	return h
}
