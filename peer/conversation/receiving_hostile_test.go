package conversation

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Whatever a friend sends, no bound is passed, what is told never goes back and is what was taken in this conversation, and an error changes nothing.
func TestHostileFriend(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newSide(t)
		var told uint64
		taken := map[uint64]Ack{} // of each id: in Parts those that were taken in this conversation, in Bitmap all that there are
		ids := rapid.OneOf(rapid.Uint64Range(0, 700), rapid.Uint64(), rapid.Uint64Range(1<<64-100, 1<<64-1))
		rt.Repeat(map[string]func(*rapid.T){
			"hello": func(rt *rapid.T) {
				id := StreamID{rapid.Byte().Draw(rt, "stream") % 20}
				from, to := s.in.Hello(noon, id, ids.Draw(rt, "first"))
				if from > to {
					rt.Fatalf("from %d to %d are missing", from, to)
				}
				told = 0
				clear(taken)
			},
			"part": func(rt *rapid.T) {
				id := ids.Draw(rt, "id")
				if len(s.in.streams) > 0 && rapid.Bool().Draw(rt, "near") {
					id = s.in.last().next + rapid.OneOf(rapid.Uint64Range(0, 70), rapid.Uint64Range(500, 520)).Draw(rt, "ahead") - 3
				}
				p := Part{ID: id, Parts: rapid.SampledFrom([]uint8{1, 2, 2, 3, MaxParts}).Draw(rt, "parts")}
				p.Part = rapid.Uint8Range(0, p.Parts-1).Draw(rt, "part")
				if p.Part == 0 {
					p.Type = rapid.SampledFrom([]ContentType{Text, Text, 2}).Draw(rt, "content type")
				}
				n := rapid.SampledFrom([]int{1, 10, 1060}).Draw(rt, "bytes")
				for range n {
					p.Bytes = append(p.Bytes, "xx\xff"[rapid.IntRange(0, 2).Draw(rt, "byte")*min(1, 10/n)])
				}
				before, _ := s.in.Ack()
				size := s.in.size
				effect, err := s.in.Take(noon, &p)
				if err != nil && !errors.Is(err, ErrMalformed) {
					rt.Fatal(err)
				}
				if err == nil && effect != Ignored {
					taken[id] = Ack{Parts: taken[id].Parts | 1<<p.Part, Bitmap: ones(uint64(p.Parts))}
				}
				after, _ := s.in.Ack()
				if d := cmp.Diff(before, after); (err != nil || effect == Ignored) && (d != "" || size != s.in.size) {
					rt.Fatalf("effect %d, %v: %s", effect, err, d)
				}
			},
			"deliver": func(*rapid.T) { s.in.Deliver(noon) },
			"commit":  func(*rapid.T) { s.commit() },
			"run": func(rt *rapid.T) { // with the store behind
				if !s.in.current {
					return
				}
				for range rapid.IntRange(1, 200).Draw(rt, "messages") {
					p := Part{ID: s.in.last().next, Parts: 1, Type: Text}
					if effect, _ := s.in.Take(noon, &p); effect == Completed {
						taken[p.ID] = Ack{Parts: 1, Bitmap: 1}
					}
				}
			},
			"void":    func(*rapid.T) { s.in.Void() },
			"restart": func(*rapid.T) { s.restart() },
			"": func(rt *rapid.T) {
				size := 0
				for id, m := range s.in.held {
					n := 0
					for i, c := range m.chunks {
						if m.have>>i&1 == 0 && c != nil {
							rt.Fatal("a part is there and is not")
						}
						n += len(c)
					}
					if n != m.size || id < s.in.last().next || id-s.in.last().next > MaxAhead {
						rt.Fatalf("held %d: %d bytes, said to be %d", id, n, m.size)
					}
					size += n
				}
				if size != s.in.size || s.in.current && size-s.in.sizeOf(s.in.last().next) > MaxHeld || len(s.in.streams) > MaxStreams {
					rt.Fatalf("%d bytes are held, said to be %d, of %d streams", size, s.in.size, len(s.in.streams))
				}
				if a, ok := s.in.Ack(); ok {
					if a.Next < told {
						rt.Fatalf("next expected went back from %d to %d", told, a.Next)
					}
					told = a.Next
					want := Ack{Next: a.Next, Parts: taken[a.Next].Parts}
					for i := range uint64(64) {
						if m := taken[a.Next+1+i]; m.Parts != 0 && m.Parts == m.Bitmap {
							want.Bitmap |= 1 << i
						}
					}
					if a != want {
						rt.Fatalf("%+v is told, and not %+v", a, want)
					}
				}
			},
		})
	})
}
