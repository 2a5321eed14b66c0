// Package wire turns the bytes of the Mainline DHT into values and back: bencode in its one canonical form, KRPC messages,
// the compact forms of addresses and nodes, and the bytes that a mutable item signs. It implements the chapter spec/wire.md.
//
// Start with [ParseMessage] and [AppendMessage]. Parsing is strict and bounded and allocates nothing; what it returns aliases
// the datagram, so a caller that keeps a field beyond the life of its read buffer copies it. Which arguments a method needs,
// and what is answered to whom, is the business of package dht.
package wire

import (
	"encoding/hex"
	"errors"
)

// ErrMalformed is the reason class of bytes that say nothing, or something else than they must.
var ErrMalformed = errors.New("malformed")

// ErrLimit is the reason class of bytes that are well formed and too much: too long, or nested too deeply.
var ErrLimit = errors.New("limit")

// An Error is the refusal of a parser.
type Error struct {
	// Class is ErrMalformed or ErrLimit.
	Class error

	// Text says what is wrong, such as "id is 19 bytes, not 20". It quotes nothing of the input and is at most 64 bytes, so
	// it may stand in the KRPC error that a stranger gets.
	Text string
}

// Error returns the text behind the name of the package.
func (e *Error) Error() string { return "wire: " + e.Text }

// Unwrap returns the reason class, for errors.Is.
func (e *Error) Unwrap() error { return e.Class }

// An ID is a node's id, a target or an info-hash: 20 bytes, compared as one big-endian number.
type ID [20]byte

// String returns the id as 40 hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }
