// Package ratchet gives every datagram of one conversation a key of its own: the Double Ratchet with header encryption
// (Signal, "The Double Ratchet Algorithm", revision 4, section 4), with the choices and limits of spec/ratchet.md.
//
// The initiator of a handshake starts with [NewInitiator], the responder with [NewResponder]; both are given the [Secrets] that
// the handshake ended with. From then on it is [State.Encrypt] and [State.Decrypt], until [State.Erase]. A responder can encrypt
// only after it has opened the initiator's first message.
//
// What a message costs is bounded by the package: it tries at most 7 header keys, skips at most 1,000 keys in a chain and
// keeps at most 2,000. A call that fails leaves the state as it was, byte for byte.
//
// The caller's duties:
//
//   - The Secrets of a handshake make one State at each end, once (rt-start-once). A State is never copied and never stored: two that go
//     on from one point use the same message keys.
//   - It erases Secrets and the responder's private key when the State is made, and the State when the conversation ends.
//   - It does not use the responder's ratchet key pair for anything else, above all not in the handshake.
//   - It does not call one State from two goroutines at once.
//
// Keys are erased when they were used. What the AEAD and the compiler copied in between is left to the garbage collector.
package ratchet
