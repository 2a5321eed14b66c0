package gen

import (
	"slices"
	"unicode/utf8"
)

// This file is what both sides of a stream do with the frames that come, as spec/peer.md has it. The store is durable at once.

type pcStream struct {
	id   string
	next uint64
}

func pcStreamsJSON(all []pcStream) []object {
	out := []object{}
	for _, s := range all {
		out = append(out, o("stream", toHex(s.id), "next", decimal(s.next)))
	}
	return out
}

// A pcHellos keeps the hello of a conversation.
type pcHellos struct{ first string }

// sees returns the rule that refuses a frame where it stands, and whether it is the conversation's first hello.
func (h *pcHellos) sees(f pcFrame) (first bool, rule string) {
	switch {
	case f.kind == pcHello && h.first == "":
		h.first = f.value
		return true, ""
	case f.kind == pcHello && h.first != f.value:
		return false, "peer-hello-again"
	case (f.kind == pcMessage || f.kind == pcAck) && h.first == "":
		return false, "peer-hello-missing"
	}
	return false, ""
}

// A pcReceiver is who receives, in one conversation.
type pcReceiver struct {
	streams []pcStream // in the order of their last hello; of a conversation that has one, the last is the present one
	hellos  pcHellos
	held    map[uint64][]pcPart // by id
	events  []object
	pongs   []string
}

func (r *pcReceiver) next() *uint64 { return &r.streams[len(r.streams)-1].next }

// take takes a plaintext, and returns the rule that aborts at it.
func (r *pcReceiver) take(plaintext string) (rule string) {
	frames, rule := pcRead(plaintext)
	if rule != "" {
		return rule
	}
	for _, f := range frames {
		first, rule := r.hellos.sees(f)
		if rule != "" {
			return rule
		}
		switch {
		case first:
			r.hello(f.value[:8], fromU64(f.value[8:]))
		case f.kind == pcPing:
			r.pongs = append(r.pongs, toHex(f.value))
		case f.kind == pcMessage:
			if rule := r.message(f.message()); rule != "" {
				return rule
			}
		}
	}
	return ""
}

func (r *pcReceiver) hello(stream string, first uint64) {
	i := slices.IndexFunc(r.streams, func(s pcStream) bool { return s.id == stream })
	if i < 0 {
		r.streams = append(r.streams, pcStream{stream, first})
		r.streams = r.streams[max(0, len(r.streams)-pcStreams):]
		return
	}
	s := r.streams[i]
	if first > s.next {
		r.events = append(r.events, o("missing", o("from", decimal(s.next), "to", decimal(first-1))))
		s.next = first
	}
	r.streams = append(slices.Delete(slices.Clone(r.streams), i, i+1), s)
}

func (r *pcReceiver) message(m pcPart) (rule string) {
	next := r.next()
	if m.id < *next || m.id-*next > pcAhead || m.id == 1<<64-1 {
		return ""
	}
	for _, old := range r.held[m.id] {
		if old.parts != m.parts || old.part == m.part && old != m {
			return "peer-part-differs"
		}
	}
	if slices.Contains(r.held[m.id], m) {
		return ""
	}
	others := 0
	for id, parts := range r.held {
		for _, p := range parts {
			if id != *next {
				others += len(p.bytes)
			}
		}
	}
	if m.id != *next && others+len(m.bytes) > pcHeld {
		return ""
	}
	r.held[m.id] = append(r.held[m.id], m)
	for r.whole(*next) {
		r.deliver(*next)
		delete(r.held, *next)
		*next++
	}
	return ""
}

func (r *pcReceiver) whole(id uint64) bool {
	parts := r.held[id]
	return len(parts) > 0 && len(parts) == int(parts[0].parts)
}

func (r *pcReceiver) deliver(id uint64) {
	parts := slices.SortedFunc(slices.Values(r.held[id]), func(a, b pcPart) int { return int(a.part) - int(b.part) })
	bytes := ""
	for _, p := range parts {
		bytes += p.bytes
	}
	if parts[0].kind != pcText || len(bytes) > pcMostMessage || !utf8.ValidString(bytes) {
		r.events = append(r.events, o("refused", o("id", decimal(id))))
		return
	}
	r.events = append(r.events, o("delivered", o("id", decimal(id), "bytes", toHex(bytes))))
}

// ack is the acknowledgement that goes into the next datagram, nil when no hello has come.
func (r *pcReceiver) ack() object {
	if r.hellos.first == "" {
		return nil
	}
	next := *r.next()
	var bitmap, parts uint64
	for i := range uint64(64) {
		if id := next + 1 + i; id > next && r.whole(id) {
			bitmap |= 1 << i
		}
	}
	for _, p := range r.held[next] {
		parts |= 1 << p.part
	}
	return o("next", decimal(next), "bitmap", toHex(u64(bitmap)), "parts", toHex(u64(parts)))
}

// A pcSender is who sends, in one conversation or several: what it has handed to its stream, all of it messages of one part. Bits do nothing to it.
type pcSender struct {
	stream              string
	acknowledged, given uint64 // the lowest id that is not acknowledged; the next to be given
	queued              uint64 // messages without an id
	hellos              pcHellos
	delivered           []string
	heard               bool // since the start the other side has told what it expects
	restored            bool
}

func (s *pcSender) take(plaintext string) (rule string) {
	frames, rule := pcRead(plaintext)
	if rule != "" {
		return rule
	}
	for _, f := range frames {
		first, rule := s.hellos.sees(f)
		if rule != "" {
			return rule
		}
		switch {
		case first && f.value[16:24] == s.stream:
			s.told(fromU64(f.value[24:]))
		case f.kind == pcAck:
			s.told(fromU64(f.value))
		}
		if s.restored {
			return ""
		}
	}
	return ""
}

// told is what follows of a next expected.
func (s *pcSender) told(next uint64) {
	s.restored, s.heard = next > s.given, true
	for s.acknowledged < min(next, s.given) {
		s.delivered = append(s.delivered, decimal(s.acknowledged))
		s.acknowledged++
	}
}

// ids are those that may be sent.
func (s *pcSender) ids() []string {
	out, end := []string{}, s.given
	if s.heard {
		end += s.queued
	}
	for id := s.acknowledged; id <= s.acknowledged+pcAhead && id < end; id++ {
		out = append(out, decimal(id))
	}
	return out
}
