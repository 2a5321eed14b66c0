package conversation

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"kith/handshake"
	"kith/wire"
)

// The reason classes of what this package refuses. Errors wrap one of them, for errors.Is.
var (
	ErrMalformed      = errors.New("malformed")      // not of the form: what a friend sent so ends the conversation
	ErrAuthentication = errors.New("authentication") // not sealed for this conversation
	ErrReplay         = errors.New("replay")         // had before
	ErrState          = errors.New("state")          // not now
	ErrLimit          = errors.New("limit")          // more than the bound
)

// Sizes in bytes.
const (
	Block        = 64   // what a plaintext is a multiple of
	MaxPlaintext = 1088 // the longest plaintext, 17 blocks: a datagram of 1,193 bytes; with another block it would have more than 1,232

	HelloSize = frameHeader + helloValue // of a hello frame
	AckSize   = frameHeader + ackValue   // of an acknowledgement frame
	PingSize  = frameHeader + PingValue  // of a ping or pong frame that has a value
	EndSize   = frameHeader + 1          // of an end frame

	PingValue = 8 // of a ping's value, where it has one

	frameHeader = 1 + 2 // type u8 ‖ length u16
	helloValue  = 4 * 8
	ackValue    = 3 * 8
	partHeader  = 8 + 1 + 1 // id ‖ part ‖ parts; in part 0 the content type is behind it
)

// A FrameType is the first byte of a frame.
type FrameType uint8

// The frames that a plaintext has. Padding, and types of later versions, are read over.
const (
	FrameMessage   FrameType = 1
	FrameAck       FrameType = 2
	FramePing      FrameType = 3
	FrameEnd       FrameType = 4
	FrameEndpoints FrameType = 5
	FrameHello     FrameType = 6
	FramePong      FrameType = 7

	framePadding FrameType = 0
	frameLater   FrameType = 128
)

// Reasons of an end. Others count as ReasonLeft.
const (
	ReasonLeft      = 0
	ReasonDay       = 1 // nothing was said for a day
	ReasonMalformed = 2 // what came was malformed
)

// A StreamID names all that one side ever says to one contact.
type StreamID [8]byte

// A ContentType says what the bytes of a message are.
type ContentType uint8

// Text is UTF-8, and the only content type that is known.
const Text ContentType = 1

// A Hello is the first thing that each side says in a conversation.
type Hello struct {
	Stream StreamID // the sender's own
	First  uint64   // the lowest id of it that is not acknowledged, or the next that will be given
	Other  StreamID // the other side's as far as it is known, or zeros
	Next   uint64   // the next expected id of it
}

// An Ack says what arrived of a stream.
type Ack struct {
	Next   uint64 // the next expected id; what is below it is durable
	Bitmap uint64 // bit i, bit 0 the lowest: id Next + 1 + i is wholly held
	Parts  uint64 // bit i: part i of id Next is held
}

// A Part is a piece of a message, often all of it.
type Part struct {
	ID          uint64
	Part, Parts uint8       // Part < Parts, which are 1 to MaxParts and the same in all pieces of a message
	Type        ContentType // in part 0 only
	Bytes       []byte      // not empty where there are several
}

// Size returns how many bytes the frame of the part has.
func (p *Part) Size() int {
	if p.Part == 0 {
		return frameHeader + partHeader + 1 + len(p.Bytes)
	}
	return frameHeader + partHeader + len(p.Bytes)
}

// A Frame is one frame as it was parsed. Which fields it has depends on its type; the others are zero.
type Frame struct {
	Type      FrameType
	Reason    uint8            // FrameEnd
	Part      Part             // FrameMessage; its bytes lie in the plaintext
	Ack       Ack              // FrameAck
	Hello     Hello            // FrameHello
	Value     []byte           // FramePing, FramePong: nothing, or 8 bytes that lie in the plaintext
	Endpoints []netip.AddrPort // FrameEndpoints; they lie in Frames
}

// Frames is what ParseFrames makes of a plaintext. It is used again for the next, so that parsing allocates nothing; one of them does for many conversations.
type Frames struct {
	List      []Frame // in the order in which they stand
	endpoints []netip.AddrPort
}

func appendHeader(b []byte, t FrameType, length int) []byte {
	return binary.BigEndian.AppendUint16(append(b, byte(t)), uint16(length))
}

// AppendPart appends the message frame of p to b.
func AppendPart(b []byte, p *Part) []byte {
	b = appendHeader(b, FrameMessage, p.Size()-frameHeader)
	b = binary.BigEndian.AppendUint64(b, p.ID)
	b = append(b, p.Part, p.Parts)
	if p.Part == 0 {
		b = append(b, byte(p.Type))
	}
	return append(b, p.Bytes...)
}

// AppendAck appends an acknowledgement frame to b.
func AppendAck(b []byte, a *Ack) []byte { // peer-ack-form
	b = appendHeader(b, FrameAck, ackValue)
	b = binary.BigEndian.AppendUint64(b, a.Next)
	b = binary.BigEndian.AppendUint64(b, a.Bitmap)
	return binary.BigEndian.AppendUint64(b, a.Parts)
}

// AppendHello appends a hello frame to b.
func AppendHello(b []byte, h *Hello) []byte {
	b = appendHeader(b, FrameHello, helloValue)
	b = append(b, h.Stream[:]...)
	b = binary.BigEndian.AppendUint64(b, h.First)
	b = append(b, h.Other[:]...)
	return binary.BigEndian.AppendUint64(b, h.Next)
}

// AppendPing appends a ping frame to b. The value is empty or has PingValue bytes.
func AppendPing(b, value []byte) []byte {
	return append(appendHeader(b, FramePing, len(value)), value...)
}

// AppendPong appends the answer to a ping frame with that value to b.
func AppendPong(b, value []byte) []byte {
	return append(appendHeader(b, FramePong, len(value)), value...)
}

// AppendEnd appends an end frame to b.
func AppendEnd(b []byte, reason uint8) []byte { return append(appendHeader(b, FrameEnd, 1), reason) }

// AppendEndpoints appends an endpoints frame to b. Endpoints that handshake.CheckEndpoint refuses are left out, and what is more than handshake.MaxEndpoints.
func AppendEndpoints(b []byte, endpoints []netip.AddrPort) []byte {
	b = appendHeader(b, FrameEndpoints, 0)
	start, n := len(b), 0
	for _, a := range endpoints {
		if n == handshake.MaxEndpoints {
			break
		}
		if handshake.CheckEndpoint(a) != nil {
			continue
		}
		if a.Addr().Is4() {
			b = append(b, 4)
		} else {
			b = append(b, 6)
		}
		b = wire.AppendAddrPort(b, a)
		n++
	}
	binary.BigEndian.PutUint16(b[start-2:], uint16(len(b)-start))
	return b
}

// Pad appends zeros to frames, so that they are a plaintext: at least one block, and whole ones. // peer-datagram-form
func Pad(frames []byte) []byte {
	n := (Block - len(frames)%Block) % Block
	if len(frames) == 0 {
		n = Block
	}
	return append(frames, zeros[:n]...)
}

var zeros [Block]byte

// ParseFrames reads all frames of a plaintext into f, or none: after an error, which is ErrMalformed, f is empty. // peer-frames-whole
// What it returns lies in the plaintext and in f, and is gone when either is used again.
func ParseFrames(plaintext []byte, f *Frames) error {
	f.List, f.endpoints = f.List[:0], f.endpoints[:0]
	if err := f.parse(plaintext); err != nil {
		f.List, f.endpoints = f.List[:0], f.endpoints[:0]
		return err
	}
	return nil
}

func (f *Frames) parse(b []byte) error {
	if len(b) == 0 || len(b)%Block != 0 { // peer-plaintext-size
		return fmt.Errorf("peer: plaintext has %d bytes: %w", len(b), ErrMalformed)
	}
	for len(b) > 0 {
		t := FrameType(b[0])
		if t == framePadding {
			if !allZero(b) { // peer-frame-cut
				return fmt.Errorf("peer: padding is not zero: %w", ErrMalformed)
			}
			return nil
		}
		if len(b) < frameHeader || len(b)-frameHeader < int(binary.BigEndian.Uint16(b[1:])) { // peer-frame-cut
			return fmt.Errorf("peer: frame reaches beyond the end: %w", ErrMalformed)
		}
		end := frameHeader + int(binary.BigEndian.Uint16(b[1:]))
		value := b[frameHeader:end:end]
		b = b[end:]
		if t >= frameLater { // peer-frame-later
			continue
		}
		f.List = append(f.List, Frame{Type: t})
		if err := f.parseValue(&f.List[len(f.List)-1], value); err != nil {
			return err
		}
	}
	return nil
}

// parseValue reads the value of a frame whose type is set.
func (f *Frames) parseValue(frame *Frame, v []byte) (err error) {
	fits := true
	switch frame.Type {
	case FrameMessage:
		return parsePart(&frame.Part, v)
	case FrameEndpoints:
		frame.Endpoints, err = f.parseEndpoints(v)
		return err
	case FramePing, FramePong:
		fits, frame.Value = len(v) == 0 || len(v) == PingValue, v
	case FrameEnd:
		if fits = len(v) == 1; fits {
			frame.Reason = v[0]
		}
	case FrameAck:
		if fits = len(v) == ackValue; fits {
			frame.Ack = Ack{binary.BigEndian.Uint64(v), binary.BigEndian.Uint64(v[8:]), binary.BigEndian.Uint64(v[16:])}
		}
	case FrameHello:
		if fits = len(v) == helloValue; fits {
			frame.Hello = Hello{StreamID(v[:8]), binary.BigEndian.Uint64(v[8:]), StreamID(v[16:24]), binary.BigEndian.Uint64(v[24:])}
		}
	default: // peer-frame-unknown
		return fmt.Errorf("peer: frame of unknown type %d: %w", frame.Type, ErrMalformed)
	}
	if !fits { // peer-frame-length
		return fmt.Errorf("peer: frame of type %d has %d bytes: %w", frame.Type, len(v), ErrMalformed)
	}
	return nil
}

func parsePart(p *Part, v []byte) error {
	if len(v) < partHeader || v[8] == 0 && len(v) < partHeader+1 { // peer-frame-length
		return fmt.Errorf("peer: message frame has %d bytes: %w", len(v), ErrMalformed)
	}
	p.ID, p.Part, p.Parts, p.Bytes = binary.BigEndian.Uint64(v), v[8], v[9], v[partHeader:]
	if p.Part == 0 {
		p.Type, p.Bytes = ContentType(v[partHeader]), p.Bytes[1:]
	}
	if p.Parts == 0 || p.Parts > MaxParts || p.Part >= p.Parts || p.Parts > 1 && len(p.Bytes) == 0 { // peer-message-parts
		return fmt.Errorf("peer: part %d of %d with %d bytes: %w", p.Part, p.Parts, len(p.Bytes), ErrMalformed)
	}
	return nil
}

// parseEndpoints reads the endpoints of one frame. The slice stays what it is when another frame's are read. // peer-endpoints-form
func (f *Frames) parseEndpoints(v []byte) ([]netip.AddrPort, error) {
	start := len(f.endpoints)
	for len(v) > 0 {
		size := 0
		switch v[0] {
		case 4:
			size = 1 + wire.Addr4Size
		case 6:
			size = 1 + wire.Addr6Size
		}
		if len(f.endpoints)-start == handshake.MaxEndpoints || size == 0 || len(v) < size { // rv-endpoint-limit, rv-endpoint-form
			return nil, fmt.Errorf("peer: endpoints are more than %d, or cut off: %w", handshake.MaxEndpoints, ErrMalformed)
		}
		a, err := wire.ParseAddrPort(v[1:size])
		if err != nil || handshake.CheckEndpoint(a) != nil { // rv-endpoint-address
			return nil, fmt.Errorf("peer: endpoint that nobody has: %w", ErrMalformed)
		}
		f.endpoints, v = append(f.endpoints, a), v[size:]
	}
	return f.endpoints[start:len(f.endpoints):len(f.endpoints)], nil
}

func allZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}
