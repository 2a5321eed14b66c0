package handshake

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzHandleDatagram hands a machine that is in the middle of everything a datagram that was valid and then changed: before it was sealed, by a contact, or after it, by
// anybody. Whatever is refused has a reason and leaves no trace.
func FuzzHandleDatagram(f *testing.F) {
	for which := range byte(9) {
		f.Add(which, false, uint16(0), []byte{}, uint32(0))
		f.Add(which, false, uint16(0), []byte{1}, uint32(1000))
		f.Add(which, false, uint16(11), []byte{0xff, 0x80}, uint32(0))
		f.Add(which, true, uint16(20), []byte{1}, uint32(60_000))
		f.Add(which, false, uint16(8), []byte{0xff}, uint32(500))
	}
	f.Fuzz(func(t *testing.T, which byte, sealed bool, at uint16, patch []byte, later uint32) {
		s := begin(t)
		alice := s.friend("alice")
		ms := s.ms()
		accept := alice.converses("present", ms)
		s.jump(time.Second)
		alice.halfOpen("half", s.ms())
		id, knock := alice.begins()
		o := alice.offer(knock)
		s.receive(alice.at, alice.seal(envelopeOfFragment(id, 0, o.Bytes[:])))
		served := alice.knock(s.ms() + 1)
		unused, _ := alice.accept(served, alice.knocks("unused", s.ms()+1))
		s.jump(time.Second)

		all := []Envelope{
			envelopeOfKnock("fresh", alice.knock(s.ms())),
			envelopeOfKnock("unused", served),
			envelopeOfKnock("present", alice.knock(ms)),
			envelopeOfKnock("late", alice.knock(s.ms()+3_600_001)),
			envelopeOfFragment(id, 0, o.Bytes[:]),
			envelopeOfFragment(id, 1, o.Bytes[:]),
			envelopeOfAccept("present", accept),
			envelopeOfAccept("unused", unused),
			envelopeOfAccept("half", unused),
		}
		e := all[int(which)%len(all)]
		change := func(b []byte) {
			for i, x := range patch {
				if int(at)+i < len(b) {
					b[int(at)+i] ^= x
				}
			}
		}
		var datagram []byte
		if sealed {
			datagram = alice.seal(e)
			change(datagram)
		} else {
			body := slices.Concat([]byte{byte(e.Kind)}, e.ID[:], []byte{e.Fragment, e.Fragments}, e.Bytes)
			change(body)
			datagram = alice.seal(Envelope{Kind(body[0]), ID(body[1:]), body[9], body[10], body[11:]})
		}
		s.jump(time.Duration(later) * time.Millisecond)
		before := s.m.Snapshot()
		err := s.m.HandleDatagram(s.now, alice.at, datagram)
		s.drain()
		if err == nil {
			return
		}
		require.Equal(t, before, s.m.Snapshot())
		require.True(t, slices.ContainsFunc([]error{ErrMalformed, ErrAuthentication, ErrReplay, ErrState, ErrLimit}, func(class error) bool { return errors.Is(err, class) }), err)
		for _, out := range s.outputs {
			require.Equal(t, OutputClock, out.Kind)
		}
	})
}
