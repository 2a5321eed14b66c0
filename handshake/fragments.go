package handshake

import (
	"bytes"
	"fmt"
	"time"
)

// FragmentLife is how long a fragment is kept.
const FragmentLife = 10 * time.Second

// Fragments holds what has come of the offer to one knock. The zero value holds nothing. It is bounded by its type: one offer.
type Fragments struct {
	held [offerFragments]struct {
		until time.Time // zero: nothing
		bytes [FragmentSize]byte
	}
}

// Add takes a fragment out of an envelope of KindOffer that OpenEnvelope has taken. If the offer is complete with it, Add
// returns the offer and does not keep the fragment, so that an offer which is then refused leaves nothing. Otherwise it keeps
// the fragment and returns nil. A fragment that is held with other bytes is an error of class ErrState; one that is held with
// the same bytes has no effect.
func (f *Fragments) Add(now time.Time, e Envelope) (offer []byte, err error) {
	f.Expire(now)
	if e.Kind != KindOffer || int(e.Fragment) >= len(f.held) || len(e.Bytes) != FragmentSize {
		return nil, fmt.Errorf("handshake: not a fragment of an offer: %w", ErrMalformed)
	}
	h := &f.held[e.Fragment]
	if !h.until.IsZero() {
		if !bytes.Equal(h.bytes[:], e.Bytes) { // hs-fragment-conflict
			return nil, fmt.Errorf("handshake: fragment %d is held with other bytes: %w", e.Fragment, ErrState)
		}
		return nil, nil // hs-fragment-again
	}
	offer = make([]byte, 0, OfferSize)
	for i := range f.held {
		switch {
		case i == int(e.Fragment):
			offer = append(offer, e.Bytes...)
		case !f.held[i].until.IsZero():
			offer = append(offer, f.held[i].bytes[:]...)
		}
	}
	if len(offer) == OfferSize {
		return offer, nil
	}
	h.until = now.Add(FragmentLife)
	copy(h.bytes[:], e.Bytes)
	return nil, nil
}

// Expire erases what has been held for FragmentLife.
func (f *Fragments) Expire(now time.Time) { // hs-fragment-life
	for i := range f.held {
		if h := &f.held[i]; !h.until.IsZero() && !now.Before(h.until) {
			h.until = time.Time{}
			clear(h.bytes[:])
		}
	}
}
