package conversation

import "testing"

// perCommit is how many messages share a commit in the benchmarks: what the window of ids lets through.
const perCommit = MaxAhead + 1

// discard makes durable all that there is, on a disk that keeps nothing.
func (s *side) discard() {
	_, seq, _ := s.journal.TakeAll()
	s.journal.Done(noon, seq)
}

// BenchmarkSending is what a message costs its sender beside the ratchet and the store: queued, given an id, cut into a frame, acknowledged.
func BenchmarkSending(b *testing.B) {
	s := newSide(b)
	text := make([]byte, 256)
	var plaintext []byte
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%perCommit != 0 {
			continue
		}
		for range perCommit {
			if _, err := s.out.Queue(Text, text); err != nil {
				b.Fatal(err)
			}
		}
		s.out.Give(noon, perCommit)
		s.discard()
		for id := s.out.First(); id < s.out.Sendable(); id++ {
			if len(plaintext) > 700 {
				plaintext = plaintext[:0]
			}
			p := s.out.Part(id, 0)
			plaintext = AppendPart(plaintext, &p)
		}
		s.out.Acknowledged(noon, s.out.Sendable())
	}
}

// BenchmarkReceiving is what a message costs its receiver beside the ratchet and the store: parsed, delivered, acknowledged, handed over, taken.
func BenchmarkReceiving(b *testing.B) {
	for name, each := range map[string]int{"four in a datagram": 4, "one in a datagram": 1} {
		b.Run(name, func(b *testing.B) {
			s := newSide(b)
			s.in.Hello(noon, theirs, 0)
			s.discard()
			text := make([]byte, 256-1)
			var plaintext, ack []byte
			var frames Frames
			var id uint64
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if n%(each*16) != 0 {
					continue
				}
				for range 16 {
					plaintext = AppendAck(plaintext[:0], &Ack{})
					for range each {
						plaintext = AppendPart(plaintext, &Part{ID: id, Parts: 1, Type: Text, Bytes: text})
						id++
					}
					plaintext = Pad(plaintext)
					if ParseFrames(plaintext, &frames) != nil {
						b.Fatal("malformed")
					}
					for i := range frames.List {
						if f := &frames.List[i]; f.Type == FrameMessage {
							if e, err := s.in.Take(noon, &f.Part); e != Completed || err != nil {
								b.Fatal(e, err)
							}
						}
					}
					s.in.Deliver(noon)
					a, _ := s.in.Ack()
					ack = AppendAck(ack[:0], &a)
				}
				s.discard()
				for {
					d, ok := s.in.Delivery()
					if !ok {
						break
					}
					if s.in.Taken(noon, d.Position) != nil {
						b.Fatal("not taken")
					}
				}
			}
		})
	}
}
