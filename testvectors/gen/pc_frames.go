package gen

import "strings"

// This file is what stands in a datagram of spec/peer.md: frames as they are written, and a reading of them.

const (
	pcUnit        = 64   // of a plaintext
	pcMostFrames  = 1088 // what fits a datagram
	pcParts       = 64
	pcMostMessage = 60000
	pcAhead       = 512
	pcHeld        = 256 << 10
	pcStreams     = 16
	pcCIDs        = 8
	pcFailures    = 250
)

// Types of frames.
const (
	pcPadding = iota
	pcMessage
	pcAck
	pcPing
	pcEnd
	pcEndpoints
	pcHello
	pcPong
)

const pcText = "\x01" // the content type

func pcMessageFrame(id uint64, part, parts byte, kind, bytes string) string {
	return fieldForm(pcMessage, u64(id)+string([]byte{part, parts})+kind+bytes)
}

// pcSays is a whole message of one part.
func pcSays(id uint64, text string) string { return pcMessageFrame(id, 0, 1, pcText, text) }

// pcCut cuts a message into parts of size bytes, the last may be shorter.
func pcCut(id uint64, kind, bytes string, size int) (frames []string) {
	parts := (len(bytes) + size - 1) / size
	for part := range parts {
		piece := bytes[part*size : min(len(bytes), (part+1)*size)]
		frames = append(frames, pcMessageFrame(id, byte(part), byte(parts), kind, piece))
		kind = ""
	}
	return frames
}

func pcAckFrame(next, bitmap, parts uint64) string {
	return fieldForm(pcAck, u64(next)+u64(bitmap)+u64(parts))
}

func pcHelloFrame(stream string, first uint64, other string, next uint64) string {
	return fieldForm(pcHello, stream+u64(first)+other+u64(next))
}

// pcPadded is a plaintext of these frames, at least 64 bytes.
func pcPadded(frames ...string) string {
	all := strings.Join(frames, "")
	return padded(all, max(1, (len(all)+pcUnit-1)/pcUnit)*pcUnit)
}

type pcFrame struct {
	kind  byte
	value string
}

// pcRead returns the frames of a plaintext whose type is known, or the rule that refuses it. Where a rule of rendezvous.md does, it is that rule.
func pcRead(plaintext string) (frames []pcFrame, rule string) {
	if plaintext == "" || len(plaintext)%pcUnit != 0 {
		return nil, "peer-plaintext-size"
	}
	for rest := plaintext; rest != ""; {
		if rest[0] == pcPadding {
			if rest != zeros(len(rest)) {
				return nil, "peer-frame-cut"
			}
			break
		}
		if len(rest) < 3 {
			return nil, "peer-frame-cut"
		}
		size := int(rest[1])<<8 | int(rest[2])
		f := pcFrame{kind: rest[0]}
		if rest = rest[3:]; len(rest) < size {
			return nil, "peer-frame-cut"
		}
		f.value, rest = rest[:size], rest[size:]
		if f.kind >= 128 {
			continue
		}
		if rule := f.rule(); rule != "" {
			return nil, rule
		}
		frames = append(frames, f)
	}
	return frames, ""
}

// rule returns what refuses a frame of a type below 128.
func (f pcFrame) rule() string {
	n := len(f.value)
	fits := map[byte]bool{pcAck: n == 24, pcPing: n == 0 || n == 8, pcPong: n == 0 || n == 8, pcEnd: n == 1, pcHello: n == 32, pcEndpoints: true,
		pcMessage: n > 10 || n == 10 && f.value[8] != 0}
	if f.kind > pcPong {
		return "peer-frame-unknown"
	}
	if !fits[f.kind] {
		return "peer-frame-length"
	}
	switch f.kind {
	case pcMessage:
		m := f.message()
		if m.parts == 0 || m.parts > pcParts || m.part >= m.parts || m.parts > 1 && m.bytes == "" {
			return "peer-message-parts"
		}
	case pcEndpoints:
		_, rule := readEndpoints(f.value)
		return rule
	}
	return ""
}

type pcPart struct {
	id          uint64
	part, parts byte
	kind        string // the content type, "" but in part 0
	bytes       string
}

func (f pcFrame) message() pcPart {
	m := pcPart{id: fromU64(f.value[:8]), part: f.value[8], parts: f.value[9], bytes: f.value[10:]}
	if m.part == 0 {
		m.kind, m.bytes = m.bytes[:1], m.bytes[1:]
	}
	return m
}

// json shows a frame that was read.
func (f pcFrame) json() object {
	value := o("value", toHex(f.value))
	switch f.kind {
	case pcMessage:
		m := f.message()
		all := o("id", decimal(m.id), "part", int(m.part), "parts", int(m.parts))
		if m.kind != "" {
			all = append(all, field{"type", int(m.kind[0])})
		}
		return o("message", append(all, field{"bytes", toHex(m.bytes)}))
	case pcAck:
		return o("acknowledgement", o("next", decimal(fromU64(f.value)), "bitmap", toHex(f.value[8:16]), "parts", toHex(f.value[16:])))
	case pcPing:
		return o("ping", value)
	case pcEnd:
		return o("end", o("reason", int(f.value[0])))
	case pcEndpoints:
		endpoints, _ := readEndpoints(f.value)
		return o("endpoints", o("endpoints", endpoints))
	case pcHello:
		return o("hello", o("stream", toHex(f.value[:8]), "first", decimal(fromU64(f.value[8:])), "other", toHex(f.value[16:24]), "next", decimal(fromU64(f.value[24:]))))
	}
	return o("pong", value)
}

// pcAnswered completes a vector: out, or the rule that refuses it, with what goes with that. Whatever ends a conversation does so as malformed, which is reason 2
// of its end, also where the rule is one of rendezvous.md that has another reason there.
func pcAnswered(v vector, out object, rule string, with object) vector {
	if v = answered(v, out, rule); rule != "" {
		v.outcome, v.reason, v.out = abort, malformed, with
	}
	return v
}
