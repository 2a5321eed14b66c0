// Package handshake is everything that two contacts compute before the first message key: identities and their addresses, the
// secrets that a pair shares, the rendezvous record, and knock, offer and accept with the key schedule behind them. It
// implements the chapters spec/rendezvous.md and spec/handshake.md, whose requirements begin with rv- and hs-.
//
// Start with [NewIdentity] and [NewPair]. Everything here computes on bytes and a time that it is handed; no call does I/O or
// reads a clock, and secret bytes are arguments or come from an io.Reader in the order in which the spec lists the draws.
//
// The caller's duties: call from one goroutine at a time, erase what has an Erase method when it is done with it, and refuse
// everything that returned an error without answering it. Erasing is the best that Go allows: the runtime may have copied a
// secret while it moved a stack, and libraries keep temporaries of their own.
package handshake

import "errors"

// The reason classes of everything that is refused here. Errors wrap one of them, for errors.Is.
var (
	ErrMalformed      = errors.New("handshake: malformed")      // not of the form
	ErrAuthentication = errors.New("handshake: authentication") // a seal, signature or confirmation that does not fit
	ErrReplay         = errors.New("handshake: replay")         // had before, or older than what was had
	ErrState          = errors.New("handshake: state")          // not now
	ErrLimit          = errors.New("handshake: limit")          // more than the bound
)
