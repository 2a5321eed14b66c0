// Package conformance judges somebody else's implementation: it plays cases against a target and says of each, with the bytes
// that passed, whether the target does what the spec asks. spec/ says what that is; package kith/conformance/dht has the cases
// for a DHT node.
//
// A Case is played in a World, which is all that it can see: sockets (Live), a machine in virtual time (Sim) or a recorded log
// (Playback). It does no I/O, so that the same log always has the same verdict. Plan chooses the cases, Runner plays them
// and gives every one a Result, Report is what is kept of a run.
//
// A suite that passes a program which does nothing says nothing. So every case that asks for a refusal or for silence runs
// between two right queries of the same kind, silence is concluded behind a fence, the verdict of every check comes from the verb of
// the requirement, and `go test` plays all cases against targets that implement nothing, of which none may pass.
package conformance
