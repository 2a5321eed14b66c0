package gen

import (
	"fmt"
	"strings"
)

// pcDatagramVectors are scripts of pc.begin, pc.seal and pc.open.
func pcDatagramVectors() (out []vector) {
	var s *pcStory
	begin := func(id, comment, shown string, also ...string) {
		s = pcTell(id, comment, shown)
		s.also = also
	}
	accepts := func() { out = append(out, s.accepted()) }
	refused := func(twin string) { out = append(out, s.refused(twin)) }
	text := func(n int) string { return fieldForm(200, fmt.Sprint(n)) } // of a later version: it has no effect

	begin("peer-datagram-form/first", "I's hello, R's first datagram, and the first message", "both", "peer-hello-form", "peer-responder-first", "hs-cid")
	own, others := s.secrets.bytes("initiator-stream", "pc initiator's stream", 8), s.secrets.bytes("responder-stream", "pc responder's stream", 8)
	s.r.opens(0, s.i.seals(0, pcHelloFrame(own, 0, zeros(8), 0)))
	hello := pcHelloFrame(others, 0, own, 0)
	s.i.opens(0, s.r.seals(0, hello+pcAckFrame(0, 0, 0)+fieldForm(pcPing, s.secrets.bytes("ping", "pc ping", 8))))
	s.steps[len(s.steps)-2].comment = "a hello, an acknowledgement of nothing, and a ping"
	s.r.opens(0, s.i.seals(0, pcHelloFrame(own, 0, zeros(8), 0)+pcAckFrame(0, 0, 0)+fieldForm(pcPong, s.secrets.bytes("ping", "pc ping", 8))+pcSays(0, "hello")))
	s.steps[len(s.steps)-2].comment = "the hello a last time, an acknowledgement, the pong, and message 0"
	accepts()

	begin("peer-datagram-form/padding", "frames of 3, 63, 64, 65, 1,024, 1,025 and 1,088 bytes are padded to the next multiple of 64", "both")
	for _, n := range []int{3, 63, 64, 65, 1024, 1025, 1088} {
		s.r.opens(0, s.i.seals(0, fieldForm(200, strings.Repeat("x", n-3))))
	}
	accepts()
	begin("peer-datagram-form/too-long", "frames of 1,089 bytes", "I", "rt-send-size")
	s.i.seals(0, text(0))
	s.i.cannotSeal(fieldForm(200, strings.Repeat("x", 1086)), limit)
	refused("peer-datagram-form/padding")
	begin("peer-datagram-form/r-before-i", "R seals before anything has opened", "R", "rt-send-none")
	s.r.cannotSeal(text(0), state)
	refused("peer-datagram-form/r-after-i")
	begin("peer-datagram-form/r-after-i", "R seals once something has opened, under each i of the other that it may have to use", "R")
	s.r.opens(0, s.i.seals(0, text(0)))
	for _, i := range []uint32{0, 1, 7, 300} {
		s.r.seals(i, text(int(i)))
	}
	accepts()

	// Sizes.
	begin("peer-datagram-size/105", "105 bytes, whose plaintext is empty: it opens, and the plaintext is refused then", "R", "peer-plaintext-size")
	s.r.opens(0, s.i.seal(0, "", ""))
	accepts()
	begin("peer-datagram-size/1232", "1,232 bytes: it opens, though no sender fills a datagram so far", "R")
	s.r.opens(0, s.i.seal(0, "", padded(text(1), 1127)))
	accepts()
	for _, n := range []int{0, 1, 8, 9, 104} {
		begin(fmt.Sprintf("peer-datagram-size/%d", n), fmt.Sprintf("the first %d bytes of a datagram", n), "R")
		s.r.opens(0, s.i.seals(0, text(0)))
		s.r.refuses(s.i.seals(0, text(1))[:n], malformed)
		refused("peer-datagram-size/105")
	}
	begin("peer-datagram-size/1233", "a byte behind a datagram of 1,232 bytes", "R")
	s.r.refuses(s.i.seal(0, "", zeros(1127))+"\x00", malformed)
	refused("peer-datagram-size/1232")
	begin("peer-datagram-size/65507", "the longest datagram of UDP, under a right id", "R")
	s.r.refuses(padded(s.i.seals(0, text(0)), 65507), malformed)
	refused("peer-datagram-size/1232")
	begin("peer-datagram-size/before-cid", "104 bytes under an unknown connection id: the size is looked at first", "R", "peer-cid-unknown")
	s.r.refuses("\x51"+zeros(103), malformed)
	refused("peer-datagram-size/105")

	// Connection ids.
	for _, role := range []string{"I", "R"} {
		of := func() (p, q *pcSide) {
			if role == "I" {
				s.r.opens(0, s.i.seals(0, text(100))) // R cannot send before
				return s.i, s.r
			}
			return s.r, s.i
		}
		to := strings.ToLower(role)
		begin("peer-cid-taken/8-"+to, role+" takes its ids 0 to 7, and from 7 on those to 14", role)
		p, q := of()
		for n, i := range []uint32{0, 0, 2, 7, 7, 14, 21} {
			p.opens(i, q.seals(i, text(n)))
		}
		accepts()
		begin("peer-cid-unknown/8-"+to, "its id 8, when 0 is the highest that has opened", role, "peer-cid-taken")
		p, q = of()
		p.opens(0, q.seals(0, text(0)))
		p.refuses(q.seals(8, text(1)), authentication)
		refused("peer-cid-taken/8-" + to)
		begin("peer-cid-unknown/other-role-"+to, "id 0 of the other role", role, "hs-cid")
		p, q = of()
		p.refuses(replaced(q.seals(0, text(0)), 1, q.cidOf(0)), authentication)
		refused("peer-cid-taken/8-" + to)
	}
	begin("peer-cid-unknown/8-first", "id 8 is the first that comes", "R", "peer-cid-taken")
	s.r.refuses(s.i.seals(8, text(0)), authentication)
	refused("peer-cid-taken/8-r")
	begin("peer-cid-unknown/below", "id 2, when 3 has opened: what is late comes too late", "R", "peer-cid-taken")
	late := s.i.seals(2, text(0))
	s.r.opens(3, s.i.seals(3, text(1)))
	s.r.refuses(late, authentication)
	refused("peer-cid-taken/8-r")
	begin("peer-cid-unknown/15", "id 15, when 7 has opened", "R", "peer-cid-taken")
	s.r.opens(7, s.i.seals(7, text(0)))
	s.r.opens(7, s.i.seals(7, text(1)))
	s.r.refuses(s.i.seals(15, text(2)), authentication)
	refused("peer-cid-taken/8-r")
	begin("peer-cid-unknown/bit", "id 0 with its last bit another", "R")
	s.r.refuses(flipped(s.i.seals(0, text(0)), 8, 1), authentication)
	refused("peer-cid-taken/8-r")
	begin("peer-cid-unknown/key", "id 0 of another CIDK", "R", "hs-cid")
	s.r.refuses(replaced(s.i.seals(0, text(0)), 1, cid(s.secrets.bytes("other-CIDK", "another CIDK", 32), "R", 0)), authentication)
	refused("peer-cid-taken/8-r")
	begin("peer-cid-unknown/zeros", "an id of zeros", "R")
	s.r.refuses(replaced(s.i.seals(0, text(0)), 1, zeros(8)), authentication)
	refused("peer-cid-taken/8-r")
	begin("peer-cid-taken/failed", "what does not open under id 5 does not count: 0 is taken still", "R")
	s.r.refuses(flipped(s.i.seals(5, text(0)), -1, 1), authentication)
	s.r.opens(0, s.i.seals(0, text(1)))
	accepts()
	begin("peer-cid-unknown/failed", "what does not open under id 5 does not count: 8 is not taken yet", "R", "peer-cid-taken")
	s.r.refuses(flipped(s.i.seals(5, text(0)), -1, 1), authentication)
	s.r.refuses(s.i.seals(8, text(1)), authentication)
	refused("peer-cid-taken/failed")

	// The ratchet.
	begin("peer-open/late", "datagrams under one id, out of order: the newest is told", "R", "rt-newest")
	first, second := s.i.seals(0, text(0)), s.i.seals(0, text(1))
	s.r.opens(0, second)
	s.r.opens(0, first)
	s.r.opens(0, s.i.seals(0, text(2)))
	accepts()
	begin("peer-open/replay", "a datagram a second time", "R", "rt-message-once")
	first = s.i.seals(0, text(0))
	s.r.opens(0, first)
	s.r.refuses(first, replay)
	refused("peer-open/late")
	begin("peer-open/replay-id", "a datagram a second time, under another id that is taken: nothing moves", "R", "rt-message-once", "peer-cid-taken")
	first = s.i.seals(0, text(0))
	s.r.opens(0, first)
	s.r.refuses(replaced(first, 1, s.r.cidOf(4)), replay)
	s.r.opens(0, s.i.seals(0, text(1)))
	s.r.refuses(replaced(first, 1, s.r.cidOf(7)), replay)
	refused("peer-open/late")
	for _, c := range []struct {
		suffix, comment string
		at              int
	}{{"nonce", "a bit of the header's nonce", 9}, {"header", "a bit of the sealed header", 40}, {"body", "a bit of the body", 100}, {"tag", "the last bit", -1}} {
		begin("peer-open/"+c.suffix, c.comment+" is another; whole, it opens afterwards", "R", "rt-header-seal", "rt-body-seal")
		first = s.i.seals(0, text(0))
		s.r.refuses(flipped(first, c.at, 1), authentication)
		s.r.opens(0, first)
		s.r.refuses(flipped(s.i.seals(0, text(1)), c.at, 1), authentication)
		refused("peer-open/late")
	}
	begin("peer-open/cut", "a byte behind it is missing, and it is long enough", "R", "rt-body-seal")
	first = s.i.seals(0, text(0))
	s.r.refuses(first[:len(first)-1], authentication)
	refused("peer-open/late")
	begin("peer-open/zeros", "105 bytes, right up to the ratchet message", "R", "rt-header-seal")
	s.r.refuses("\x51"+s.r.cidOf(0)+zeros(96), authentication)
	refused("peer-datagram-size/105")
	begin("peer-open/initiator", "R's first datagram with a bit of its body another: I waits still, and takes it whole", "I", "rt-body-seal")
	s.r.opens(0, s.i.seals(0, text(0)))
	first = s.r.seals(0, text(1))
	s.i.refuses(flipped(first, 100, 1), authentication)
	s.i.opens(0, first)
	s.i.refuses(flipped(s.r.seals(0, text(2)), 100, 1), authentication)
	refused("peer-cid-taken/8-i")
	begin("peer-open/before", "I's own first datagram comes back to it under its own id, before anything has opened", "I", "rt-none", "rt-header-seal")
	s.i.refuses(replaced(s.i.seals(0, text(0)), 1, s.i.cidOf(0)), authentication)
	refused("peer-cid-taken/8-i")
	begin("peer-open/own", "R's own datagram comes back to it under its own id", "R", "rt-header-seal")
	s.r.opens(0, s.i.seals(0, text(0)))
	s.r.refuses(replaced(s.r.seals(0, text(1)), 1, s.r.cidOf(0)), authentication)
	refused("peer-open/late")
	return append(out, pcFailureVectors()...)
}

// pcFailureVectors are the 250 failures of a second.
func pcFailureVectors() (out []vector) {
	begin := func(id, comment string, n int) (s *pcStory) {
		s = pcTell(id, comment, "R")
		s.r.opens(0, s.i.seals(0, fieldForm(200, "a")))
		bad := "\x51" + s.r.cidOf(0) + zeros(96)
		for range n {
			s.r.refuses(bad, authentication)
		}
		return s
	}
	next := func(s *pcStory) string { return s.i.seals(0, fieldForm(200, "b")) }
	s := begin("peer-open-failures/249", "249 have failed: the next opens", 249)
	s.r.opens(0, next(s))
	out = append(out, s.accepted())
	s = begin("peer-open-failures/250", "250 have failed in this millisecond: the next is not opened", 250)
	s.r.refuses(next(s), limit)
	out = append(out, s.refused("peer-open-failures/249"))
	s = begin("peer-open-failures/999", "250 have failed 999 ms ago", 250)
	s.now += 999
	s.r.refuses(next(s), limit)
	out = append(out, s.refused("peer-open-failures/1000"))
	s = begin("peer-open-failures/1000", "250 have failed a second ago; one that was not opened meanwhile is no failure, and opens", 250)
	datagram := next(s)
	s.now += 500
	s.r.refuses(datagram, limit)
	s.now += 500
	s.r.opens(0, datagram)
	out = append(out, s.accepted())
	s = begin("peer-open-failures/other-rules", "249 have failed; what is too short, or under an unknown id, is no failure", 249)
	s.r.refuses("\x51"+s.r.cidOf(0)+zeros(95), malformed)
	s.r.refuses("\x51"+s.r.cidOf(8)+zeros(96), authentication)
	s.r.opens(0, next(s))
	out = append(out, s.accepted())
	s = begin("peer-open-failures/repeated", "249 have failed; what has opened before comes three times more, and is no failure", 249)
	datagram = next(s)
	s.r.opens(0, datagram)
	for range 3 {
		s.r.refuses(datagram, replay)
	}
	s.r.opens(0, next(s))
	out = append(out, s.accepted())
	s = begin("peer-open-failures/repeated-unopened", "250 have failed: what has opened before is not looked at either", 249)
	datagram = next(s)
	s.r.opens(0, datagram)
	s.r.refuses("\x51"+s.r.cidOf(0)+zeros(96), authentication)
	s.r.refuses(datagram, limit)
	return append(out, s.refused("peer-open-failures/repeated"))
}

const conversationComment = "Frames, streams and datagrams of a conversation. In pc.receive and pc.send every datagram is a plaintext, and the store is durable at once."

func conversationVectors() (out []vector) {
	out = append(out, pcFrameVectors()...)
	out = append(out, pcDatagramVectors()...)
	out = append(out, pcReceiveVectors()...)
	return append(out, pcSendVectors()...)
}
