package gen

import (
	"fmt"
	"strings"
)

// pcFill is a frame of a later version that leaves rest bytes of a plaintext of size bytes, behind what stands before it.
func pcFill(before string, size, rest int) string {
	return fieldForm(200, zeros(size-len(before)-3-rest))
}

// pcFrameVectors are pc.frames.
func pcFrameVectors() (out []vector) {
	var stream, other string
	ask := func(id, comment, twin, input string, also ...string) {
		s := new(secrets)
		stream, other = s.bytes("stream", "pc alice's stream", 8), s.bytes("other", "pc bob's stream", 8)
		v := vector{id: id, also: also, op: "pc.frames", comment: comment, twin: twin}
		if strings.Contains(input, stream) {
			v.secrets = s
		}
		out = append(out, pcFramesOf(v, input))
	}
	reads := func(id, comment string, frames ...string) { ask(id, comment, "", pcPadded(frames...)) }
	refuses := func(id, comment, twin string, frames ...string) { ask(id, comment, twin, pcPadded(frames...)) }
	ask("peer-datagram-form/nothing", "padding alone", "", zeros(64))
	hello := pcHelloFrame(stream, 5, other, 1<<40)
	hi := pcSays(0, "hi")

	// What is written, of each type.
	reads("peer-datagram-form/message", "a message in one part", pcSays(7, "hello"))
	reads("peer-datagram-form/message-empty", "a text of no bytes", pcSays(0, ""))
	reads("peer-datagram-form/message-id", "the greatest id", pcSays(1<<64-1, "x"))
	reads("peer-datagram-form/message-type", "a content type that nobody knows: that is judged when the message is whole", pcMessageFrame(1, 0, 1, "\xff", "x"))
	reads("peer-datagram-form/message-form", "bytes that are no text: that is judged later too", pcSays(1, "\xff\x00"))
	reads("peer-datagram-form/message-first", "the first of two parts has the content type", pcMessageFrame(1, 0, 2, pcText, "x"))
	reads("peer-datagram-form/message-first-short", "the first of two parts: its content type and one byte", pcMessageFrame(1, 0, 2, "\x00", "\x00"))
	reads("peer-datagram-form/message-second", "the second has none", pcMessageFrame(1, 1, 2, "", "\x01x"))
	reads("peer-datagram-form/message-last", "the last of 64 parts", pcMessageFrame(1<<32, 63, 64, "", "x"))
	reads("peer-datagram-form/message-full", "a message that fills the datagram: no padding", pcSays(3, strings.Repeat("m", pcMostFrames-14)))
	reads("peer-ack-form/low", "the lowest bits: 6 is held, and part 0 of 5", pcAckFrame(5, 1, 1))
	reads("peer-ack-form/high", "the highest bits: 69 is held, and part 63 of 5", pcAckFrame(5, 1<<63, 1<<63))
	reads("peer-ack-form/none", "nothing is expected but 0", pcAckFrame(0, 0, 0))
	reads("peer-ack-form/bytes", "bytes that are all different", pcAckFrame(0x0102030405060708, 0x1112131415161718, 0x2122232425262728))
	reads("peer-datagram-form/ping", "a ping of nothing", fieldForm(pcPing, ""))
	reads("peer-datagram-form/ping-value", "a ping of 8 bytes", fieldForm(pcPing, "abcdefgh"))
	reads("peer-datagram-form/pong", "a pong of nothing", fieldForm(pcPong, ""))
	reads("peer-datagram-form/pong-value", "a pong of 8 bytes", fieldForm(pcPong, "abcdefgh"))
	for _, reason := range []byte{0, 2, 3, 255} {
		reads(fmt.Sprintf("peer-datagram-form/end-%d", reason), fmt.Sprintf("end for reason %d", reason), fieldForm(pcEnd, string([]byte{reason})))
	}
	reads("peer-datagram-form/hello", "a hello", hello)
	reads("peer-datagram-form/hello-zeros", "a hello of who has said nothing, and knows no stream of the other", pcHelloFrame(stream, 0, zeros(8), 0))
	reads("peer-datagram-form/several", "frames of each type, in an order that stays", hello, pcAckFrame(2, 4, 8), fieldForm(pcPing, "abcdefgh"), pcSays(1, "one"),
		fieldForm(pcPong, ""), fieldForm(pcEndpoints, endpointForm("192.0.2.1:6881")), pcSays(0, "zero"), fieldForm(pcEnd, "\x00"))
	reads("peer-datagram-form/twice", "the same frame twice", pcSays(1, "one"), pcSays(1, "one"))
	reads("peer-ping-few/eight", "8 pings", strings.Repeat(fieldForm(pcPing, ""), 8))
	reads("peer-ping-few/read", "9 pings: it binds the sender, and a receiver refuses no more of them", strings.Repeat(fieldForm(pcPing, ""), 9))

	// Sizes.
	ask("peer-plaintext-size/128", "two units", "", pcPadded(pcSays(1, strings.Repeat("m", 51))))
	ask("peer-plaintext-size/1088", "the most that fits a datagram, nearly all of it padding", "", padded(hi, 1088))
	ask("peer-plaintext-size/more", "64 bytes of padding more than needed", "", padded(hi, 128))
	for _, n := range []int{0, 1, 63, 65, 127, 1087, 1127} {
		twin := map[bool]string{true: "peer-plaintext-size/1088", false: "peer-datagram-form/nothing"}[n > 1000]
		input := zeros(n)
		if n > len(hi) {
			input = padded(hi, n)
		}
		ask(fmt.Sprintf("peer-plaintext-size/%d", n), fmt.Sprintf("%d bytes", n), twin, input)
	}

	// Padding, and frames that are cut off.
	for rest, word := range []string{"none", "one", "two", "three", "four"} {
		reads("peer-frame-cut/left-"+word, word+" zero bytes behind the last frame", hi, pcFill(hi, 64, rest))
	}
	refuses("peer-frame-cut/by-one", "a frame that reaches one byte beyond the end", "peer-frame-cut/left-none", hi, "\xc8"+u16(64-len(hi)-3+1)+zeros(64-len(hi)-3))
	refuses("peer-frame-cut/known", "a message that reaches one byte beyond the end", "peer-datagram-form/message", "\x01"+u16(62)+u64(7)+"\x00\x01\x01"+strings.Repeat("m", 50))
	for _, c := range []struct {
		name, twin string
		frame      string
	}{
		{"acknowledgement", "peer-ack-form/bytes", pcAckFrame(0x0102030405060708, 0, 0)}, {"ping", "peer-datagram-form/ping-value", fieldForm(pcPing, "abcdefgh")},
		{"end", "peer-datagram-form/end-2", fieldForm(pcEnd, "\x02")}, {"endpoints", "peer-endpoints-form/form-both", fieldForm(pcEndpoints, endpointForm("192.0.2.1:6881"))},
		{"hello", "peer-datagram-form/hello", hello}, {"pong", "peer-datagram-form/pong-value", fieldForm(pcPong, "abcdefgh")},
	} {
		before := pcFill("", 64, len(c.frame)-1)
		refuses("peer-frame-cut/"+c.name, "its last byte would stand beyond the end", c.twin, before, c.frame[:len(c.frame)-1])
	}
	refuses("peer-frame-cut/far", "a frame of 65,535 bytes", "peer-frame-later/128", hi, "\x80\xff\xff")
	refuses("peer-frame-cut/low-byte", "a frame of 256 bytes: the length has two", "peer-frame-later/255", hi, "\xff\x01\x00")
	refuses("peer-frame-cut/type", "one byte is left, and it is a type", "peer-frame-cut/left-one", hi, pcFill(hi, 64, 1), "\x80")
	refuses("peer-frame-cut/type-and-one", "two bytes are left, and the first is a type", "peer-frame-cut/left-two", hi, pcFill(hi, 64, 2), "\x80\x00")
	refuses("peer-frame-cut/type-of-ping", "two bytes are left, and the first is a ping's type", "peer-frame-cut/left-two", hi, pcFill(hi, 64, 2), "\x03\x00")
	refuses("peer-frame-cut/second-left", "two bytes are left, and the second is not zero", "peer-frame-cut/left-two", hi, pcFill(hi, 64, 2), "\x00\x01")
	refuses("peer-frame-cut/last-byte", "the last byte of the padding is not zero", "peer-datagram-form/nothing", zeros(63)+"\x01")
	refuses("peer-frame-cut/behind-type", "the byte behind the padding's type is not zero", "peer-datagram-form/message", hi, "\x00\x01")
	refuses("peer-frame-cut/padding-length", "padding that looks like a frame of its length", "peer-datagram-form/message", hi, "\x00\x00\x02ab")
	refuses("peer-frame-cut/behind-padding", "a frame behind an empty frame of type 0: it is padding", "peer-datagram-form/twice", hi, zeros(3), hi)
	refuses("peer-frame-cut/later-version", "a frame of an unknown type in the second unit that reaches beyond the end", "peer-frame-later/128",
		hi, fieldForm(129, zeros(40)), "\x81"+u16(100)+zeros(30))

	// Lengths.
	for _, c := range []struct {
		kind    byte
		name    string
		lengths []int
		twin    string
	}{
		{pcMessage, "message", []int{0, 9, 10}, "message-empty"}, {pcAck, "acknowledgement", []int{0, 16, 23, 25}, ""}, {pcPing, "ping", []int{1, 7, 9, 16}, "ping-value"},
		{pcEnd, "end", []int{0, 2}, "end-0"}, {pcHello, "hello", []int{0, 31, 33, 16}, "hello"}, {pcPong, "pong", []int{1, 7, 9}, "pong-value"},
	} {
		for _, n := range c.lengths {
			twin := "peer-datagram-form/" + c.twin
			if c.twin == "" {
				twin = "peer-ack-form/none"
			}
			value := zeros(n)
			if n == 10 {
				value = zeros(9) + "\x01"
			}
			refuses(fmt.Sprintf("peer-frame-length/%s-%d", c.name, n), fmt.Sprintf("%s of %d bytes", c.name, n), twin, fieldForm(c.kind, value))
		}
	}
	for _, c := range []struct {
		kind byte
		name string
		size int
		twin string
	}{{pcAck, "acknowledgement", 24, "peer-ack-form/none"}, {pcPing, "ping", 0, "peer-datagram-form/ping"}, {pcEnd, "end", 1, "peer-datagram-form/end-0"},
		{pcHello, "hello", 32, "peer-datagram-form/hello"}, {pcPong, "pong", 8, "peer-datagram-form/pong-value"}} {
		refuses(fmt.Sprintf("peer-frame-length/%s-%d", c.name, c.size+256), fmt.Sprintf("%d bytes, all of them there: the length's low byte alone would be right", c.size+256),
			c.twin, fieldForm(c.kind, zeros(c.size+256)))
	}
	refuses("peer-frame-length/behind", "a ping of 3 bytes behind what is right", "peer-datagram-form/several", hello, hi, fieldForm(pcPing, "abc"))

	// Types.
	for _, kind := range []byte{128, 255} {
		reads(fmt.Sprintf("peer-frame-later/%d", kind), fmt.Sprintf("a frame of type %d before a message", kind), fieldForm(kind, "later"), hi)
	}
	reads("peer-frame-later/empty", "frames of unknown types, some of them empty, before, between and behind", fieldForm(130, ""), hi, fieldForm(131, ""), fieldForm(131, "x"), hi, fieldForm(130, ""))
	for _, kind := range []byte{8, 9, 64, 127} {
		refuses(fmt.Sprintf("peer-frame-unknown/%d", kind), fmt.Sprintf("a frame of type %d before a message", kind), "peer-frame-later/128", fieldForm(kind, "later"), hi)
	}
	refuses("peer-frame-unknown/empty", "an empty frame of type 8 behind a message", "peer-frame-later/empty", hi, fieldForm(8, ""))
	refuses("peer-frame-unknown/behind-later", "a frame of type 8 behind one of type 128", "peer-frame-later/128", fieldForm(128, "later"), fieldForm(8, "x"))

	// Parts.
	parts := func(suffix, comment, twin string, part, parts byte, kind, bytes string) {
		refuses("peer-message-parts/"+suffix, comment, "peer-datagram-form/"+twin, pcMessageFrame(1, part, parts, kind, bytes))
	}
	parts("zero", "no parts", "message", 0, 0, pcText, "x")
	parts("one-of-zero", "part 1 of none", "message-second", 1, 0, "", "x")
	parts("65", "65 parts", "message-first", 0, 65, pcText, "x")
	parts("255", "255 parts, and a part that is below them", "message-last", 100, 255, "", "x")
	parts("one-of-one", "part 1 of one", "message-second", 1, 1, "", "x")
	parts("two-of-two", "part 2 of two", "message-second", 2, 2, "", "x")
	parts("64-of-64", "part 64 of 64", "message-last", 64, 64, "", "x")
	parts("first-empty", "the first of two parts has a content type and no bytes", "message-first", 0, 2, pcText, "")
	parts("second-empty", "the second of two parts has no bytes", "message-second", 1, 2, "", "")
	parts("last-empty", "the last of 64 parts has no bytes", "message-last", 63, 64, "", "")
	return append(out, pcEndpointVectors()...)
}

// pcEndpointVectors are the endpoints of rendezvous.md in a frame.
func pcEndpointVectors() (out []vector) {
	named := func(rule, suffix string) string {
		return "peer-endpoints-form/" + strings.TrimPrefix(rule, "rv-endpoint-") + "-" + suffix
	}
	twins := map[string]bool{"rv-endpoint-limit/empty": true}
	for _, c := range fieldsCases() {
		twins[c.twin] = true
	}
	for _, c := range fieldsCases() {
		if !strings.HasPrefix(c.rule, "rv-endpoint-") || strings.HasSuffix(c.suffix, "at-end") || c.twin == "" && !twins[c.rule+"/"+c.suffix] {
			continue // at the end a field is no frame; of what is accepted, the twins are enough
		}
		v := vector{id: named(c.rule, c.suffix), also: []string{c.rule}, op: "pc.frames", comment: c.comment}
		if rule, suffix, refused := strings.Cut(c.twin, "/"); refused {
			v.twin = named(rule, suffix)
		}
		out = append(out, pcFramesOf(v, string([]byte{pcEndpoints})+c.fields(192)[1:]))
	}
	return out
}

// pcFramesOf asks for the frames of a plaintext.
func pcFramesOf(v vector, input string) vector {
	v.in = o("input", toHex(input))
	frames, rule := pcRead(input)
	shown, written := []object{}, ""
	for _, f := range frames {
		shown = append(shown, f.json())
		written += fieldForm(f.kind, f.value)
	}
	return pcAnswered(v, o("frames", shown, "output", toHex(written)), rule, nil)
}
