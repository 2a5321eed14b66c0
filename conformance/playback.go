package conformance

import (
	"bytes"
	"fmt"
	"net/netip"
	"time"
)

// Playback is a World that has already happened: it gives a case what a log says came, and checks that the case does what the
// log says it did. A case that is judged again in it comes to the same verdict.
type Playback struct {
	entries []Entry
	now     time.Duration
	targets map[bool]netip.AddrPort
	parted  error // a case recovers its own panics; this one is not its own
}

// Divergence is what a Playback panics with when the case does something else than was recorded: another version of the
// suite, another seed, or a case that is not a function of what it sees.
type Divergence struct {
	N    int // entry of the log
	What string
}

// Error says where the two part.
func (d Divergence) Error() string {
	return fmt.Sprintf("conformance: at entry %d the case and the transcript part: %s", d.N, d.What)
}

// NewPlayback plays a log against the targets that it was recorded with.
func NewPlayback(l *Log, v4, v6 netip.AddrPort) *Playback {
	return &Playback{entries: l.Entries, targets: map[bool]netip.AddrPort{false: v4, true: v6}}
}

func (w *Playback) part(n int, format string, args ...any) {
	w.parted = Divergence{n, fmt.Sprintf(format, args...)}
	panic(w.parted)
}

func (w *Playback) take(op Op, what string) Entry {
	if len(w.entries) == 0 {
		w.part(0, "the transcript ends, and the case goes on to %s", what)
	}
	e := w.entries[0]
	if e.Op != op {
		w.part(e.N, "the transcript says %s where the case goes on to %s", e.Op, what)
	}
	w.entries = w.entries[1:]
	w.now = max(w.now, e.At)
	return e
}

// Target implements World.
func (w *Playback) Target(v6 bool) (netip.AddrPort, bool) {
	return w.targets[v6], w.targets[v6].IsValid()
}

// Open implements World.
func (w *Playback) Open(host int, v6 bool) (int, netip.AddrPort, error) {
	e := w.take(OpOpen, "open a socket")
	if e.Host != host || e.V6 != v6 {
		w.part(e.N, "the transcript opens a socket at host %d, the case at %d", e.Host, host)
	}
	switch e.Err {
	case "":
		return e.Sock, e.Addr, nil
	case ErrNoAddress.Error():
		return 0, netip.AddrPort{}, ErrNoAddress
	}
	return 0, netip.AddrPort{}, fmt.Errorf("%s", e.Err)
}

// Send implements World.
func (w *Playback) Send(sock int, to netip.AddrPort, b []byte) time.Duration {
	e := w.take(OpSend, "send "+Render(b))
	if e.Sock != sock || e.Addr != to || !bytes.Equal(e.Data, b) {
		w.part(e.N, "the transcript sends %s, the case %s", Render(e.Data), Render(b))
	}
	return e.At
}

// Next implements World.
func (w *Playback) Next(time.Duration) Event {
	if len(w.entries) == 0 {
		w.part(0, "the transcript ends, and the case goes on waiting")
	}
	e := w.entries[0]
	switch e.Op {
	case OpRecv:
		w.take(OpRecv, "")
		return Event{Kind: Datagram, At: e.At, Sock: e.Sock, From: e.Addr, Data: e.Data}
	case OpGone:
		w.take(OpGone, "")
		return Event{Kind: Gone, At: e.At}
	}
	w.take(OpWait, "wait")
	return Event{Kind: Deadline, At: e.At}
}

// Rest gives what came after the case had ended.
func (w *Playback) Rest() (events []Event) {
	for _, e := range w.entries {
		if e.Op == OpRecv {
			events = append(events, Event{Kind: Datagram, At: e.At, Sock: e.Sock, From: e.Addr, Data: e.Data})
		}
	}
	return events
}

// Now implements World.
func (w *Playback) Now() time.Duration { return w.now }

// Neighbours implements World.
func (w *Playback) Neighbours() []Neighbour {
	return w.take(OpNeighbours, "look at its neighbours").Neighbours
}
