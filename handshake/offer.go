package handshake

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"kith/internal/curve25519"
)

const (
	offerLabel   = "kith/1 offer" // of the signature, where the zero byte is added
	offerIDLabel = "kith/1 offer id\x00"
	offerSigned  = OfferSize - SignatureSize // what the signature covers of the offer

	offerLife  = 60        // seconds, from making it
	offerGrace = 60 + 3600 // seconds for which not_after may have passed: delay, and two clocks
)

// An OfferID names an offer.
type OfferID [OfferIDSize]byte

// OfferIDSize is the size of an OfferID in bytes.
const OfferIDSize = 16

// newOfferID returns H("kith/1 offer id" ‖ offer)[0:16].
func newOfferID(offer []byte) OfferID {
	d := sha256.New()
	d.Write([]byte(offerIDLabel))
	d.Write(offer)
	var h [sha256.Size]byte
	return OfferID(d.Sum(h[:0]))
}

// An Offer is the responder's half of a handshake, as it is sent: fresh keys and a signature.
type Offer struct {
	NotAfter uint64                     // not_after, Unix seconds by the responder's clock
	SPK      [X25519Size]byte           // spk, for the handshake
	RK       [X25519Size]byte           // rk, its first ratchet key: what leaks from a ratchet must not open this
	EK       [EncapsulationKeySize]byte // ek
	Sig      [SignatureSize]byte        // sig
}

// AppendOffer appends the OfferSize bytes of o to b. It checks nothing.
func AppendOffer(b []byte, o *Offer) []byte { // hs-offer-form
	b = append(b, messageVersion, 0)
	b = binary.BigEndian.AppendUint64(b, o.NotAfter)
	b = append(b, o.SPK[:]...)
	b = append(b, o.RK[:]...)
	b = append(b, o.EK[:]...)
	return append(b, o.Sig[:]...)
}

// ParseOffer reads the offer that b holds into o. It looks at the length, the version and the flags; the rest is for
// CheckOffer. The error's class is ErrMalformed.
func ParseOffer(b []byte, o *Offer) error {
	switch {
	case len(b) != OfferSize:
		return fmt.Errorf("handshake: offer is %d bytes, not %d: %w", len(b), OfferSize, ErrMalformed)
	case b[0] != messageVersion: // hs-offer-version
		return fmt.Errorf("handshake: offer of version %d: %w", b[0], ErrMalformed)
	case b[1] != 0: // hs-offer-flags
		return fmt.Errorf("handshake: offer with flags %#02x: %w", b[1], ErrMalformed)
	}
	o.NotAfter = binary.BigEndian.Uint64(b[2:])
	b = b[10:]
	b = b[copy(o.SPK[:], b):]
	b = b[copy(o.RK[:], b):]
	b = b[copy(o.EK[:], b):]
	copy(o.Sig[:], b)
	return nil
}

// A CheckedOffer is a friend's offer that passed every check, so that an accept may be made for it.
type CheckedOffer struct {
	Offer
	ID OfferID

	from  PublicKey
	bytes [OfferSize]byte // as it came, for the transcript
	ek    *EncapsulationKey
}

// CheckOffer returns the offer that a friend made for the knock that I sent, if it passes at now. The error's class is ErrState
// if the offer is too old, ErrAuthentication if its signature is not by friend or for another knock, and otherwise
// ErrMalformed.
func CheckOffer(friend PublicKey, now time.Time, knock, offer []byte) (*CheckedOffer, error) {
	o := new(CheckedOffer)
	if err := ParseOffer(offer, &o.Offer); err != nil {
		return nil, err
	}
	if t := unixSeconds(now); t > offerGrace && o.NotAfter < t-offerGrace { // hs-offer-expired
		return nil, fmt.Errorf("handshake: offer was good until %d and it is %d: %w", o.NotAfter, t, ErrState)
	}
	for _, k := range []*[X25519Size]byte{&o.SPK, &o.RK} {
		if err := CheckX25519(k); err != nil { // hs-offer-keys
			return nil, err
		}
	}
	if o.SPK == o.RK { // hs-offer-keys-apart
		return nil, fmt.Errorf("handshake: offer has one key for two purposes: %w", ErrMalformed)
	}
	var err error
	if o.ek, err = ParseEncapsulationKey(o.EK[:]); err != nil { // hs-offer-ek
		return nil, err
	}
	if err := Verify(friend, offerLabel, signedOffer(offer, knock), o.Sig[:]); err != nil { // hs-offer-signature
		return nil, err
	}
	if curve25519.SmallOrder(&o.SPK) || curve25519.SmallOrder(&o.RK) { // hs-offer-zero
		return nil, fmt.Errorf("handshake: offer has a key of small order: %w", ErrMalformed)
	}
	o.from, o.bytes, o.ID = friend, [OfferSize]byte(offer), newOfferID(offer)
	return o, nil
}

// signedOffer returns what the signature of an offer covers behind its label: the offer before the signature, and the hash of
// the knock that asked for it. So it tells third parties that the responder was online, not with whom.
func signedOffer(offer, knock []byte) []byte { // hs-offer-knock
	b := make([]byte, 0, offerSigned+sha256.Size)
	b = append(b, offer[:offerSigned]...)
	h := knockHash(knock)
	return append(b, h[:]...)
}

// An OwnOffer is an offer that I made, with its private keys. It serves once.
type OwnOffer struct {
	ID    OfferID
	Bytes [OfferSize]byte

	spk, rk [X25519Size]byte
	ek      *DecapsulationKey
}

// MakeOffer returns an offer for a knock, which the caller has found right, at now. Draws: spk and rk, 32 bytes each, and ek,
// 64 bytes, d ‖ z. It clears them.
func MakeOffer(id *Identity, now time.Time, knock []byte, spk, rk *[X25519Size]byte, ek *[KEMSeedSize]byte) *OwnOffer {
	own := &OwnOffer{spk: *spk, rk: *rk, ek: NewDecapsulationKey(ek)} // hs-offer-seed
	clear(spk[:])
	clear(rk[:])
	clear(ek[:])
	b := own.Bytes[:0]
	b = append(b, messageVersion, 0)
	b = binary.BigEndian.AppendUint64(b, unixSeconds(now)+offerLife)
	public := X25519Public(&own.spk)
	b = append(b, public[:]...)
	public = X25519Public(&own.rk)
	b = append(b, public[:]...)
	b = own.ek.AppendEncapsulationKey(b)
	sig := id.Sign(offerLabel, signedOffer(own.Bytes[:], knock))
	copy(own.Bytes[len(b):], sig[:]) // hs-offer-form
	own.ID = newOfferID(own.Bytes[:])
	return own
}

// RestoreOffer returns the offer that MakeOffer made of these draws, given its bytes. It clears the draws. That they go
// together is the caller's duty; otherwise no accept will fit. The error's class is ErrMalformed.
func RestoreOffer(offer []byte, spk, rk *[X25519Size]byte, ek *[KEMSeedSize]byte) (*OwnOffer, error) {
	var form Offer
	if err := ParseOffer(offer, &form); err != nil {
		return nil, err
	}
	own := &OwnOffer{ID: newOfferID(offer), Bytes: [OfferSize]byte(offer), spk: *spk, rk: *rk, ek: NewDecapsulationKey(ek)}
	clear(spk[:])
	clear(rk[:])
	clear(ek[:])
	return own, nil
}

// Fragment returns the bytes of fragment i, 0 or 1.
func (o *OwnOffer) Fragment(i int) []byte { return o.Bytes[FragmentSize*i : FragmentSize*(i+1)] }

// Erase clears the private keys: when the offer was used, is voided or has expired. No accept can be taken for it afterwards.
func (o *OwnOffer) Erase() { // hs-erase-offer, hs-erase-rk
	clear(o.spk[:])
	clear(o.rk[:])
	if o.ek != nil {
		o.ek.Erase()
		o.ek = nil
	}
}
