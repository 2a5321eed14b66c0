package conversation

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A flightScript sends datagrams of message parts, all to a stream that begins with id 0.
type flightScript struct {
	*testing.T
	flight
	now time.Time
}

func newFlightScript(t *testing.T) *flightScript {
	return &flightScript{t, newFlight(0), start}
}

func (s *flightScript) advance(d time.Duration) { s.now = s.now.Add(d) }

// send sends one datagram of parts.
func (s *flightScript) send(parts ...Part) {
	for i := range parts {
		s.put(&parts[i])
	}
	s.launch(s.now)
}

// one is a message of one part, and of part i of one with n of them.
func one(id uint64) Part            { return of(id, 0, 1) }
func of(id uint64, i, n uint8) Part { return Part{ID: id, Part: i, Parts: n, Bytes: []byte{1}} }

// sends sends messages with the ids from, up to but without to, each in a datagram of its own.
func (s *flightScript) sends(from, to uint64) {
	for ; from < to; from++ {
		s.send(one(from))
	}
}

func (s *flightScript) ack(next, bitmap, parts uint64) {
	s.show(s.now, &Ack{next, bitmap, parts})
}

// wantNext wants these parts to be sent next, and takes them.
func (s *flightScript) wantNext(sendable uint64, want ...Part) {
	s.Helper()
	for _, w := range want {
		p, ok := s.next(sendable)
		require.True(s, ok)
		require.Equal(s, place{w.ID, w.Part}, p)
		s.put(&w)
	}
	s.launch(s.now)
}

func (s *flightScript) wantNothing(sendable uint64) {
	s.Helper()
	p, ok := s.next(sendable)
	require.False(s, ok, "%v", p)
}

func TestThreeLaterDatagramsSayThatOneIsLost(t *testing.T) { // peer-loss
	s := newFlightScript(t)
	s.sends(0, 4)
	s.advance(100 * ms)
	s.ack(0, 0b11, 0) // 1 and 2
	s.wantNothing(4)
	require.Equal(t, 2, s.flying)
	s.ack(0, 0b111, 0)
	require.Equal(t, 5, s.size, "the window was halved")
	s.wantNext(4, one(0))
	s.wantNothing(4)
	s.ack(4, 0, 0)
	require.Zero(t, s.flying)
	require.Zero(t, s.all.len())
	require.Zero(t, s.timeout())
}

func TestNineEighthsOfARoundTripSayThatOneIsLost(t *testing.T) { // peer-loss
	s := newFlightScript(t)
	s.send(one(0))
	s.advance(80 * ms)
	s.send(one(1))
	s.advance(100 * ms)
	s.ack(0, 0b1, 0)
	s.wantNext(2, one(0)) // 180 ms are more than 112.5
	s.ack(2, 0, 0)

	s.send(one(2))
	s.send(one(3))
	s.advance(100 * ms)
	s.ack(2, 0b1, 0)
	s.wantNothing(4)
	require.Equal(t, s.now.Add(12500*time.Microsecond), s.timeout())
	s.advance(12500 * time.Microsecond)
	s.handleTimeout(s.now)
	s.wantNext(4, one(2))
}

func TestPartsThatCannotBeShownAreNotLost(t *testing.T) {
	s := newFlightScript(t)
	s.send(one(0))
	s.send(of(1, 0, 3))
	s.send(of(1, 1, 3))
	s.send(of(1, 2, 3))
	s.sends(2, 6)
	s.advance(100 * ms)
	s.ack(0, 0b11110, 1) // all but message 1, of which anything may be there; the store has not had 0
	s.wantNothing(6)
	size := s.size
	require.Zero(t, s.flying, "nor is anything under way")

	s.ack(1, 0b1111, 0b101) // now it is known
	s.wantNext(6, of(1, 1, 3))
	s.wantNothing(6)
	require.Equal(t, size/2, s.size)
}

func TestSilenceIsProbed(t *testing.T) { // peer-probe
	s := newFlightScript(t)
	s.sends(0, 3)
	for _, wait := range []time.Duration{1, 2, 4, 8, 10, 10} {
		s.wantNothing(3)
		require.Equal(t, s.now.Add(wait*time.Second), s.timeout())
		s.advance(wait * time.Second)
		s.handleTimeout(s.now)
		require.Zero(t, s.timeout(), "until it is sent")
		ok, _ := s.allows(s.now)
		require.True(t, ok)
		s.wantNext(3, one(0))
	}
	require.Equal(t, 3, s.flying)

	s.advance(30 * ms)
	s.ack(0, 0, 1) // it waits for the store
	require.EqualValues(t, 0, s.probes)
	s.wantNext(3, one(1), one(2)) // were sent before what has just arrived
	require.Zero(t, s.smoothed, "which of the seven arrived is not known")
}

func TestWaitingForTheStoreIsProbed(t *testing.T) {
	s := newFlightScript(t)
	s.send(of(0, 0, 2))
	s.send(of(0, 1, 2))
	s.ack(0, 0, 0b11)
	s.wantNothing(1)
	require.NotZero(t, s.timeout(), "the acknowledgement with next expected can be lost")
	s.now = s.timeout()
	s.handleTimeout(s.now)
	s.wantNext(1, of(0, 0, 2))
	s.ack(1, 0, 0)
	require.Zero(t, s.timeout())
}

func TestFlightGoesFiveHundredAndTwelveAhead(t *testing.T) { // peer-window
	s := newFlightScript(t)
	s.sends(0, 513)
	s.wantNothing(1_000)
	s.ack(0, math.MaxUint64, 1) // bits do not move the window
	s.wantNothing(1_000)
	s.ack(1, 0, 0)
	s.wantNext(1_000, one(513))
	s.wantNothing(1_000)
	s.wantNothing(514)
}

// The bitmap shows 64 ids: what is above them is neither shown nor lost, however much arrives that was sent later.
func TestWhatTheBitmapDoesNotShowIsNotLost(t *testing.T) { // peer-loss
	s := newFlightScript(t)
	s.sends(0, 300)
	s.advance(100 * ms)
	s.ack(0, math.MaxUint64&^0b111, 1) // the store has had nothing yet
	require.Equal(t, 300-65, s.flying)
	for id := range uint64(3) {
		s.wantNext(300, one(1+id))
	}
	s.wantNothing(300)
	size := s.size
	s.advance(100 * ms)
	s.ack(0, math.MaxUint64, 1)
	s.wantNothing(300)
	require.Zero(t, s.flying, "nothing is under way any more")
	require.Equal(t, s.quiet.Add(s.probeTimeout(0)), s.timeout(), "only the next probe is due")

	s.ack(10, math.MaxUint64&^(1<<60), 0) // now 65 to 74 can be shown, and 71 is not
	s.wantNext(300, one(71))
	s.wantNothing(300)
	s.ack(200, math.MaxUint64, 0)
	s.wantNext(300, one(200))
	s.wantNothing(300)
	s.ack(300, 0, 0)
	require.Zero(t, s.lost)
	require.Zero(t, s.all.len())
	require.Equal(t, size, s.size, "all of it is of one round trip")
}

// What many ids need is there when they come, and each keeps its own.
func TestSlotsGrow(t *testing.T) {
	s := newFlightScript(t)
	s.sends(0, 50)
	require.Len(t, s.slots, 64)
	s.ack(40, 0b101, 0)
	s.sends(50, 103)
	require.Len(t, s.slots, 64)
	s.sends(103, 104)
	require.Len(t, s.slots, 128)
	s.send(of(104, 0, 3), of(104, 1, 3), of(104, 2, 3))
	s.sends(105, 40+ids)
	require.Len(t, s.slots, 1024)
	require.Equal(t, uint64(40+ids), s.fresh)
	for id := uint64(40); id < 40+ids; id++ {
		want := slot{parts: 1, next: 1, ahead: 1}
		switch id {
		case 40:
			want.ahead = 0
		case 41, 43:
			want.shown = 1
		case 104:
			want = slot{parts: 3, next: 3, ahead: 3}
		}
		require.Equal(t, want, *s.slot(id), "%d", id)
	}
}

func TestNothingIsSentThatTheOtherWouldNotHold(t *testing.T) { // peer-hold
	s := newFlightScript(t)
	big := Part{Parts: 1, Bytes: make([]byte, PartBytes)}
	for big.ID = 0; ; big.ID++ {
		if _, ok := s.next(60); !ok {
			break
		}
		for big.Part, big.Parts = 0, 60; big.Part < 60; big.Part++ {
			if _, ok := s.next(60); !ok {
				break
			}
			s.send(big)
		}
	}
	require.Equal(t, MaxHeld/PartBytes*PartBytes, s.ahead)
	s.ack(1, 0, 0)
	require.Equal(t, MaxHeld/PartBytes*PartBytes-60*PartBytes, s.ahead)
	s.ack(s.fresh, 0, 0)
	require.Zero(t, s.ahead)
}

func TestAnAcknowledgementThatIsOlderSaysNothing(t *testing.T) {
	s := newFlightScript(t)
	s.sends(0, 8)
	s.ack(2, 0, 0)
	s.ack(1, 0b111110, 0)
	s.wantNothing(8)
	require.Equal(t, 6, s.flying)
}

func TestIdleGivesBackMemory(t *testing.T) {
	s := newFlightScript(t)
	s.sends(0, 8)
	s.rest()
	require.NotNil(t, s.slots)
	s.ack(8, 0, 0)
	s.rest()
	require.Nil(t, s.slots)
	s.sends(8, 9)
	s.ack(9, 0, 0)
}

// A flight over a network that loses and reorders, to a receiver that is slow to store: it always ends, and its counts are what they count.
func TestFlightEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		loss := rapid.IntRange(0, 60).Draw(t, "loss")
		messages := rapid.SampledFrom([]int{80, 800}).Draw(t, "messages") // of many parts, or of one, so that they go far ahead
		slow := rapid.SampledFrom([]int{1, 3, 30}).Draw(t, "steps of a commit")
		f, now := newFlight(0), start
		count, got := make([]uint8, messages), make([]uint64, messages)
		for i := range count {
			if count[i] = 1; r.IntN(messages) < 80 {
				count[i] = uint8(1 + r.IntN(5)*r.IntN(5)*r.IntN(4))
			}
		}
		next, wire, acks := uint64(0), [][]place(nil), []Ack(nil)

		for step := 0; f.base < uint64(messages); step++ {
			require.Less(t, step, 20_000)
			for {
				if ok, _ := f.allows(now); !ok {
					break
				}
				var d []place
				for len(d) < 1+r.IntN(4) {
					p, ok := f.next(uint64(messages))
					if !ok {
						break
					}
					f.put(&Part{ID: p.id, Part: p.part, Parts: count[p.id], Bytes: make([]byte, 100)})
					d = append(d, p)
				}
				if len(d) == 0 {
					break
				}
				f.launch(now)
				if r.IntN(100) >= loss {
					wire = append(wire, d)
				}
			}
			checkFlight(t, &f)
			r.Shuffle(len(wire), func(i, j int) { wire[i], wire[j] = wire[j], wire[i] })
			for n := r.IntN(len(wire) + 1); n > 0; n-- {
				for _, p := range wire[0] {
					got[p.id] |= 1 << p.part
				}
				wire = wire[1:]
			}
			whole := func(id uint64) bool { return id < uint64(messages) && got[id] == 1<<count[id]-1 }
			if r.IntN(slow) == 0 {
				for whole(next) {
					next++
				}
			}
			a := Ack{Next: next}
			if next < uint64(messages) {
				a.Parts = got[next]
			}
			for i := range uint64(64) {
				if whole(next + 1 + i) {
					a.Bitmap |= 1 << i
				}
			}
			if r.IntN(100) >= loss {
				acks = append(acks, a)
			}
			if len(acks) > 0 {
				i := r.IntN(len(acks))
				f.show(now, &acks[i])
				acks = acks[i+1:]
			}
			checkFlight(t, &f)
			now = now.Add(time.Duration(r.IntN(20)) * ms)
			if at := f.timeout(); step%20 == 0 && at.After(now) {
				now = at
			}
			f.handleTimeout(now)
		}
		require.Zero(t, f.flying)
		require.Zero(t, f.ahead)
		require.False(t, f.waits())
	})
}

func checkFlight(t *rapid.T, f *flight) {
	flying, lost, ahead, both := 0, 0, 0, uint64(0)
	later := uint8(lossDatagrams)
	for _, d := range f.all.rest() {
		if d.state != inFlight {
			continue
		}
		if flying++; len(d.parts) == 0 || d.later > later {
			t.Fatalf("%+v behind one with %d later ones", d, later)
		}
		later = d.later
	}
	for id := f.base; f.slots != nil && id <= f.fresh; id++ {
		s := f.slot(id)
		both |= s.lost & s.shown
		lost += bits.OnesCount64(s.lost)
		ahead += int(s.ahead)
	}
	if both != 0 || flying != f.flying || lost != f.lost || ahead != f.ahead || flying > maxFlight {
		t.Fatalf("%d datagrams in flight, %d parts lost, %d bytes ahead: %+v", flying, lost, ahead, f)
	}
}

// Where all that may be in flight is lost at once, probes still go: what they take the place of does not count as in flight any more.
func TestAFullFlightIsProbed(t *testing.T) { // peer-probe, peer-flight
	s := newFlightScript(t)
	s.size = maxFlight
	for id := range uint64(maxFlight) {
		s.send(one(2*id), one(2*id+1))
	}
	require.Equal(t, maxFlight, s.flying)
	for range 3 {
		s.now = s.timeout()
		s.handleTimeout(s.now)
		ok, _ := s.allows(s.now)
		require.True(t, ok)
		s.wantNext(2*maxFlight, one(0))
		require.LessOrEqual(t, s.flying, maxFlight) // peer-flight
	}
	s.advance(30 * ms)
	s.ack(1, 0, 0)
	require.Less(t, s.flying, maxFlight)
}
