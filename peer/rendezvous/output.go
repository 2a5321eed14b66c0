package rendezvous

import (
	"net/netip"
	"slices"
	"time"

	"kith/handshake"
)

// An OutputKind says what an Output is about.
type OutputKind uint8

// The kinds of output, and the fields that they have beside Friend.
const (
	OutputKnock     OutputKind = iota + 1 // an attempt is to be made To; it counts as under way until Attempt says otherwise
	OutputNotFound                        // a first full search has found nothing: Friend has published nothing, or not for us. Told once
	OutputClock                           // Friend's record comes from Ahead in the future
	OutputPublished                       // Nodes have stored the record for Friend
)

// An Output is something that a Rendezvous wants done, or tells.
type Output struct {
	Kind   OutputKind
	Friend handshake.PublicKey

	To    []netip.AddrPort // 1 to 8, the receiver's
	Ahead time.Duration    // more than an hour
	Nodes int
}

// Output returns the next output, and whether there was one. They are taken after every call.
func (r *Rendezvous) Output() (Output, bool) { return r.outputs.take() }

// outputs is what waits to be taken.
type outputs struct {
	waiting []Output
	next    int
}

func (o *outputs) add(out Output) { o.waiting = append(o.waiting, out) }

func (o *outputs) take() (Output, bool) {
	if o.next == len(o.waiting) {
		return Output{}, false
	}
	out := o.waiting[o.next]
	o.waiting[o.next] = Output{}
	if o.next++; o.next == len(o.waiting) {
		o.waiting, o.next = o.waiting[:0], 0
	}
	return out, true
}

// forget takes out what is about a friend.
func (o *outputs) forget(friend handshake.PublicKey) {
	o.waiting = slices.DeleteFunc(o.waiting[o.next:], func(out Output) bool { return out.Friend == friend })
	o.next = 0
}
