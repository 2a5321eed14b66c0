package wire

import "crypto/sha1"

// AppendSigned appends to b what the owner of a mutable item signs (BEP 44, "Signature verification"): the keys salt, seq and
// v with their values. An empty salt is left out. v is the bencoded value exactly as it stands in the message.
func AppendSigned(b, salt []byte, seq int64, v []byte) []byte {
	if len(salt) > 0 { // wire-item-signed
		b = append(b, "4:salt"...)
		b = AppendString(b, salt)
	}
	b = append(b, "3:seq"...)
	b = AppendInt(b, seq)
	b = append(b, "1:v"...)
	return append(b, v...)
}

// MutableTarget returns the target of the mutable items of the public key k (32 bytes) under salt, which may be empty: the
// SHA-1 of one behind the other.
func MutableTarget(k, salt []byte) ID {
	b := make([]byte, 0, 32+64) // on the stack for every salt that BEP 44 allows
	b = append(b, k...)
	b = append(b, salt...)
	return sha1.Sum(b) // wire-target-mutable
}

// ImmutableTarget returns the target of the immutable item whose bencoded value is v: its SHA-1.
func ImmutableTarget(v []byte) ID { return sha1.Sum(v) } // wire-target-immutable
