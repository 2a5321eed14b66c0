package shim

import (
	"encoding/binary"
	"net/netip"
	"strconv"

	"kith/peer/conversation"
)

// pcOperations are those of spec/operations.md, "pc: the conversation".
var pcOperations = map[string]operation{
	"pc.frames":  {ask: pcFrames},
	"pc.begin":   {draws: []string{"ratchet"}, ask: pcBegin},
	"pc.seal":    {draws: []string{"nonce"}, ask: pcSeal},
	"pc.open":    {draws: []string{"ratchet"}, ask: pcOpen},
	"pc.cids":    {ask: pcCIDs},
	"pc.hello":   {ask: pcSayHello},
	"pc.receive": {ask: pcReceive},
	"pc.send":    {draws: []string{"fresh"}, ask: pcSend},
}

type pcMessage struct {
	ID    string `json:"id"`
	Part  int    `json:"part"`
	Parts int    `json:"parts"`
	Type  *int   `json:"type,omitempty"`
	Bytes octets `json:"bytes"`
}

type pcAck struct {
	Next   string `json:"next"`
	Bitmap octets `json:"bitmap"`
	Parts  octets `json:"parts"`
}

type pcHello struct {
	Stream octets `json:"stream"`
	First  string `json:"first"`
	Other  octets `json:"other"`
	Next   string `json:"next"`
}

type pcValue struct {
	Value octets `json:"value"`
}

type pcEnd struct {
	Reason int `json:"reason"`
}

type pcEndpoints struct {
	Endpoints []netip.AddrPort `json:"endpoints"`
}

// pcFrame is a frame under the name of its type.
type pcFrame struct {
	Message         *pcMessage   `json:"message,omitempty"`
	Acknowledgement *pcAck       `json:"acknowledgement,omitempty"`
	Ping            *pcValue     `json:"ping,omitempty"`
	End             *pcEnd       `json:"end,omitempty"`
	Endpoints       *pcEndpoints `json:"endpoints,omitempty"`
	Hello           *pcHello     `json:"hello,omitempty"`
	Pong            *pcValue     `json:"pong,omitempty"`
}

// unsigned is a number of 64 bits as it stands in JSON.
func unsigned(n uint64) string { return strconv.FormatUint(n, 10) }

func u64(n uint64) octets { return binary.BigEndian.AppendUint64(nil, n) }

func pcAckOf(a *conversation.Ack) *pcAck {
	return &pcAck{unsigned(a.Next), u64(a.Bitmap), u64(a.Parts)}
}

func pcFrames(c *call) (any, error) {
	q := in[struct {
		Input octets `json:"input"`
	}](c)
	var f conversation.Frames
	if err := conversation.ParseFrames(q.Input, &f); err != nil {
		return nil, err
	}
	out := struct {
		Frames []pcFrame `json:"frames"`
		Output octets    `json:"output"`
	}{Frames: []pcFrame{}}
	for i := range f.List {
		shown, written := pcShown(out.Output, &f.List[i])
		out.Frames, out.Output = append(out.Frames, shown), written
	}
	return out, nil
}

// pcShown returns a frame as it is shown, and b with the frame written behind it.
func pcShown(b []byte, f *conversation.Frame) (shown pcFrame, written []byte) {
	switch f.Type {
	case conversation.FrameMessage:
		p := &f.Part
		shown.Message = &pcMessage{ID: unsigned(p.ID), Part: int(p.Part), Parts: int(p.Parts), Bytes: p.Bytes}
		if p.Part == 0 {
			kind := int(p.Type)
			shown.Message.Type = &kind
		}
		return shown, conversation.AppendPart(b, p)
	case conversation.FrameAck:
		shown.Acknowledgement = pcAckOf(&f.Ack)
		return shown, conversation.AppendAck(b, &f.Ack)
	case conversation.FramePing:
		shown.Ping = &pcValue{f.Value}
		return shown, conversation.AppendPing(b, f.Value)
	case conversation.FrameEnd:
		shown.End = &pcEnd{int(f.Reason)}
		return shown, conversation.AppendEnd(b, f.Reason)
	case conversation.FrameEndpoints:
		shown.Endpoints = &pcEndpoints{append([]netip.AddrPort{}, f.Endpoints...)}
		return shown, conversation.AppendEndpoints(b, f.Endpoints)
	case conversation.FrameHello:
		h := &f.Hello
		shown.Hello = &pcHello{h.Stream[:], unsigned(h.First), h.Other[:], unsigned(h.Next)}
		return shown, conversation.AppendHello(b, h)
	}
	shown.Pong = &pcValue{f.Value}
	return shown, conversation.AppendPong(b, f.Value)
}
