package handshake

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
)

// ConfirmSize is the size in bytes of the proof that an accept's sender has the session's keys.
const ConfirmSize = 16

// An Accept completes an offer.
type Accept struct {
	Offer   OfferID              // offer id
	E       [X25519Size]byte     // e
	CT      [CiphertextSize]byte // ct
	Confirm [ConfirmSize]byte    // confirm
}

// AppendAccept appends the AcceptSize bytes of a to b.
func AppendAccept(b []byte, a *Accept) []byte { // hs-accept-form
	b = append(b, a.Offer[:]...)
	b = append(b, a.E[:]...)
	b = append(b, a.CT[:]...)
	return append(b, a.Confirm[:]...)
}

// ParseAccept reads the accept that b holds into a. The error's class is ErrMalformed.
func ParseAccept(b []byte, a *Accept) error {
	if len(b) != AcceptSize {
		return fmt.Errorf("handshake: accept is %d bytes, not %d: %w", len(b), AcceptSize, ErrMalformed)
	}
	b = b[copy(a.Offer[:], b):]
	b = b[copy(a.E[:], b):]
	b = b[copy(a.CT[:], b):]
	copy(a.Confirm[:], b)
	return nil
}

// MakeAccept returns the accept of the friend's offer, AcceptSize bytes, and the session that it makes. Draws: e, an X25519
// private key, and coins, ML-KEM's m, 32 bytes each. It clears them, also when it returns an error. The error's class is
// ErrState for another friend's offer.
func (p *Pair) MakeAccept(o *CheckedOffer, e, coins *[32]byte) ([]byte, *Session, error) {
	defer clear(coins[:]) // hs-erase-initiator
	defer clear(e[:])
	if o.from != p.friend {
		return nil, nil, fmt.Errorf("handshake: offer is another friend's: %w", ErrState)
	}
	var s secrets
	defer clear(s[:]) // hs-erase-initiator
	s.setAuth(p, Own)
	for _, dh := range []struct{ shared, private, public *[32]byte }{
		{s.dh1(), &p.id.dh, &o.SPK},
		{s.dh2(), e, &p.friendX},
		{s.dh3(), e, &o.SPK},
	} {
		if err := X25519(dh.shared, dh.private, dh.public); err != nil { // hs-offer-zero
			return nil, nil, err
		}
	}
	a := Accept{Offer: o.ID, E: X25519Public(e)}
	o.ek.Encapsulate(&a.CT, s.ss(), coins)
	var out output
	defer clear(out[:])
	out.expand(&s, transcript(p.id.public, p.friend, o.bytes[:], &a))
	copy(a.Confirm[:], out.confirm())
	return AppendAccept(make([]byte, 0, AcceptSize), &a), out.session(&o.RK), nil
}

// TakeAccept returns the session that an accept of my own offer makes. The offer stays as it is, since another reason may yet
// refuse the accept: the caller erases it when it takes the session. The error's class is ErrState for an accept of another
// offer or an offer that was erased, ErrAuthentication if confirm is wrong, otherwise ErrMalformed.
func (p *Pair) TakeAccept(o *OwnOffer, accept []byte) (*Session, error) { // hs-accept-failed-keeps
	var a Accept
	if err := ParseAccept(accept, &a); err != nil {
		return nil, err
	}
	if a.Offer != o.ID || o.ek == nil { // hs-accept-offer
		return nil, fmt.Errorf("handshake: accept is of another offer: %w", ErrState)
	}
	var s secrets
	defer clear(s[:]) // hs-erase-responder
	s.setAuth(p, Friend)
	for _, dh := range []struct{ shared, private, public *[32]byte }{
		{s.dh1(), &o.spk, &p.friendX},
		{s.dh2(), &p.id.dh, &a.E},
		{s.dh3(), &o.spk, &a.E},
	} {
		if err := X25519(dh.shared, dh.private, dh.public); err != nil { // hs-accept-key, hs-accept-zero
			return nil, err
		}
	}
	o.ek.Decapsulate(s.ss(), &a.CT)
	var out output
	defer clear(out[:])
	out.expand(&s, transcript(p.friend, p.id.public, o.Bytes[:], &a))
	if subtle.ConstantTimeCompare(out.confirm(), a.Confirm[:]) != 1 { // hs-confirm-first, hs-accept-untouched
		return nil, fmt.Errorf("handshake: confirm is wrong: %w", ErrAuthentication)
	}
	return out.session(&o.rk), nil
}

// transcript returns th = H("kith/1 handshake" ‖ IK_I ‖ IK_R ‖ offer ‖ e ‖ ct), of the bytes that went over the wire. Both
// identities stand in it because A and −A have the same X25519 form.
func transcript(initiator, responder PublicKey, offer []byte, a *Accept) (th [sha256.Size]byte) { // hs-transcript-bytes
	d := sha256.New()
	d.Write([]byte(handshakeLabel))
	d.Write(initiator[:])
	d.Write(responder[:])
	d.Write(offer)
	d.Write(a.E[:])
	d.Write(a.CT[:])
	d.Sum(th[:0])
	return th
}
