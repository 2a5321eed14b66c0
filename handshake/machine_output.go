package handshake

import (
	"encoding/hex"
	"net/netip"
)

// A SessionID names a session from the accept on. The id alone would not do: I draws it, and two contacts can agree on one.
type SessionID struct {
	Friend PublicKey
	ID     ID
	Role   Role // one's own
}

// String returns the id in hex with the role behind it, as in 0102030405060708I.
func (s SessionID) String() string { return hex.EncodeToString(s.ID[:]) + string(s.Role) }

// An OutputKind says what an Output wants or tells.
type OutputKind uint8

// The kinds of output, and the fields that they have beside Friend.
const (
	OutputPersist  OutputKind = iota + 1 // Taken and Own are to be durable before anything that follows is done
	OutputTransmit                       // Datagram goes To
	OutputSession                        // ID begins with Session and has Time; to the initiator: Hello is due
	OutputFinished                       // ID is the conversation from now on; whatever else there was with Friend and does not outrank it is over
	OutputRefused                        // ID was half-open, did not outrank, and is erased
	OutputRepeat                         // the first datagram of conversation ID is to be sent again, sealed again, To
	OutputClock                          // Friend's clock is Ahead of ours, or somebody has held back a knock; one for each such datagram
	OutputEnded                          // an attempt to reach Friend has ended; an accept that is out may still be answered
)

// An Output is something that a Machine wants done, or tells.
type Output struct {
	Kind   OutputKind
	Friend PublicKey

	Taken, Own int64 // what Add is to be told, in Unix milliseconds
	To         netip.AddrPort
	Datagram   []byte // the receiver's
	ID         SessionID
	Time       int64    // of the knock, Unix milliseconds
	Session    *Session // the receiver's, who erases it
	Ahead      int64    // milliseconds; negative: behind
}

// Bounds of the outputs that wait. No call makes more than maxStep but HandleTimeout, which does contact after contact while there is room.
const (
	maxOutputs = 1024
	maxStep    = 1 + maxTargets + 1
)

// outputs wait to be taken.
type outputs struct {
	waiting []Output
	next    int
}

// Output returns what is to be done next, and whether there is something. The order matters: what stands behind an OutputPersist must wait until that is durable.
func (m *Machine) Output() (Output, bool) {
	o := &m.outputs
	if o.next == len(o.waiting) {
		o.waiting, o.next = o.waiting[:0], 0
		return Output{}, false
	}
	out := o.waiting[o.next]
	o.waiting[o.next] = Output{} // the secrets are the receiver's now
	o.next++
	return out, true
}

func (o *outputs) add(out Output) {
	if o.next > 0 && len(o.waiting) == cap(o.waiting) { // what was taken makes room
		n := copy(o.waiting, o.waiting[o.next:])
		clear(o.waiting[n:])
		o.waiting, o.next = o.waiting[:n], 0
	}
	o.waiting = append(o.waiting, out)
}

// full reports whether there is no room for another step.
func (o *outputs) full() bool { return len(o.waiting)-o.next > maxOutputs-maxStep }

// forget takes out everything about a friend.
func (o *outputs) forget(friend PublicKey) {
	kept := o.waiting[:0]
	for i := o.next; i < len(o.waiting); i++ {
		switch out := &o.waiting[i]; {
		case out.Friend != friend:
			kept = append(kept, *out)
		case out.Session != nil:
			out.Session.Erase()
		}
	}
	clear(o.waiting[len(kept):])
	o.waiting, o.next = kept, 0
}

// persist asks for the contact's knock times to be stored.
func (m *Machine) persist(c *contact) {
	m.outputs.add(Output{Kind: OutputPersist, Friend: c.friend, Taken: c.taken, Own: c.own})
}

func (m *Machine) transmit(c *contact, to netip.AddrPort, datagrams ...[]byte) {
	for _, d := range datagrams {
		m.outputs.add(Output{Kind: OutputTransmit, Friend: c.friend, To: to, Datagram: d})
	}
}
