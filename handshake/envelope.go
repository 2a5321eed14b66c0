package handshake

import (
	"crypto/cipher"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// Sizes of handshake datagrams in bytes.
const (
	MaxDatagram  = 1232
	EnvelopeType = 0x50 // the first byte
	NonceSize    = chacha20poly1305.NonceSizeX

	envelopeHead = 1 + TagSize // what the seal covers in clear
	bodyHead     = 1 + 8 + 1 + 1
	envelopeOver = envelopeHead + NonceSize + chacha20poly1305.Overhead + bodyHead
	minDatagram  = envelopeOver + 1

	KnockSize    = MaxDatagram - envelopeOver
	OfferSize    = 1 + 1 + 8 + X25519Size + X25519Size + EncapsulationKeySize + SignatureSize
	AcceptSize   = OfferIDSize + X25519Size + CiphertextSize + ConfirmSize
	FragmentSize = OfferSize / offerFragments

	offerFragments = 2
)

// A Kind says what an envelope carries.
type Kind uint8

// The kinds of envelope.
const (
	KindKnock  Kind = 1
	KindOffer  Kind = 2
	KindAccept Kind = 3
)

// form returns how many fragments a kind has and how many bytes each of them, 0 for a kind that does not exist.
func (k Kind) form() (fragments, size int) {
	switch k {
	case KindKnock:
		return 1, KnockSize
	case KindOffer:
		return offerFragments, FragmentSize
	case KindAccept:
		return 1, AcceptSize
	}
	return 0, 0
}

// An ID names a handshake. The initiator draws it.
type ID [8]byte

// An Envelope is what a handshake datagram says to who can open it.
type Envelope struct {
	Kind      Kind
	ID        ID
	Fragment  uint8 // from 0
	Fragments uint8
	Bytes     []byte // a knock, a fragment of an offer, or an accept
}

// AppendEnvelope appends the datagram of e to b. The tag and key are those of the sender in the handshake's epoch, and no nonce
// is ever used twice, for a resend neither. It writes what e says; that it has the form of its kind is the caller's duty.
func AppendEnvelope(b []byte, tag *Tag, key *[32]byte, nonce *[NonceSize]byte, e Envelope) []byte { // hs-envelope-form
	body := make([]byte, 0, MaxDatagram)
	body = append(body, byte(e.Kind))
	body = append(body, e.ID[:]...)
	body = append(body, e.Fragment, e.Fragments)
	body = append(body, e.Bytes...)
	start := len(b)
	b = append(b, EnvelopeType)
	b = append(b, tag[:]...)
	ad := b[start:]
	b = append(b, nonce[:]...)
	return newXAEAD(key).Seal(b, nonce[:], body, ad)
}

// EnvelopeTag returns the tag of a datagram, by which the receiver finds whose it is. It returns an error of class ErrMalformed
// if the datagram cannot be an envelope.
func EnvelopeTag(datagram []byte) (Tag, error) {
	switch {
	case len(datagram) < minDatagram || len(datagram) > MaxDatagram: // hs-envelope-size
		return Tag{}, fmt.Errorf("handshake: envelope of %d bytes: %w", len(datagram), ErrMalformed)
	case datagram[0] != EnvelopeType:
		return Tag{}, fmt.Errorf("handshake: datagram is no envelope: %w", ErrMalformed)
	}
	return Tag(datagram[1:]), nil
}

// OpenEnvelope returns what a datagram says. The key is the one that goes with its tag. The error's class is ErrAuthentication
// if the seal does not open, otherwise ErrMalformed. Bytes does not alias the datagram.
func OpenEnvelope(key *[32]byte, datagram []byte) (Envelope, error) {
	if _, err := EnvelopeTag(datagram); err != nil {
		return Envelope{}, err
	}
	nonce, sealed := datagram[envelopeHead:envelopeHead+NonceSize], datagram[envelopeHead+NonceSize:]
	body, err := newXAEAD(key).Open(nil, nonce, sealed, datagram[:envelopeHead])
	if err != nil { // hs-envelope-seal
		return Envelope{}, fmt.Errorf("handshake: envelope does not open: %w", ErrAuthentication)
	}
	e := Envelope{Kind: Kind(body[0]), ID: ID(body[1:]), Fragment: body[9], Fragments: body[10], Bytes: body[bodyHead:]}
	fragments, size := e.Kind.form()
	switch {
	case fragments == 0: // hs-envelope-kind
		return Envelope{}, fmt.Errorf("handshake: envelope of kind %d: %w", e.Kind, ErrMalformed)
	case int(e.Fragments) != fragments || e.Fragment >= e.Fragments: // hs-envelope-fragment
		return Envelope{}, fmt.Errorf("handshake: fragment %d of %d in kind %d: %w", e.Fragment, e.Fragments, e.Kind, ErrMalformed)
	case len(e.Bytes) != size: // hs-envelope-length
		return Envelope{}, fmt.Errorf("handshake: %d bytes in kind %d, not %d: %w", len(e.Bytes), e.Kind, size, ErrMalformed)
	}
	return e, nil
}

// newXAEAD returns XChaCha20-Poly1305 under key.
func newXAEAD(key *[32]byte) cipher.AEAD {
	a, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		panic("handshake: XChaCha20-Poly1305 refuses a key of 32 bytes")
	}
	return a
}
