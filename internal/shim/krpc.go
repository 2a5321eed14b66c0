package shim

import (
	"net/netip"

	"kith/wire"
)

// A message is a KRPC message in JSON.
type message struct {
	Y  string          `json:"y"`
	T  octets          `json:"t"`
	Q  *octets         `json:"q,omitempty"`
	A  *body           `json:"a,omitempty"`
	R  *body           `json:"r,omitempty"`
	E  *krpcError      `json:"e,omitempty"`
	V  *octets         `json:"v,omitempty"`
	RO bool            `json:"ro,omitempty"`
	IP *netip.AddrPort `json:"ip,omitempty"`
}

type krpcError struct {
	Code decimal `json:"code"`
	Text octets  `json:"text"`
}

type body struct {
	CAS         *decimal          `json:"cas,omitempty"`
	ID          *octets           `json:"id,omitempty"`
	ImpliedPort *bool             `json:"implied_port,omitempty"`
	InfoHash    *octets           `json:"info_hash,omitempty"`
	Interval    *decimal          `json:"interval,omitempty"`
	K           *octets           `json:"k,omitempty"`
	Nodes       *[]node           `json:"nodes,omitempty"`
	Nodes6      *[]node           `json:"nodes6,omitempty"`
	Num         *decimal          `json:"num,omitempty"`
	Port        *decimal          `json:"port,omitempty"`
	Salt        *octets           `json:"salt,omitempty"`
	Samples     *[]octets         `json:"samples,omitempty"`
	Seq         *decimal          `json:"seq,omitempty"`
	Sig         *octets           `json:"sig,omitempty"`
	Target      *octets           `json:"target,omitempty"`
	Token       *octets           `json:"token,omitempty"`
	V           *octets           `json:"v,omitempty"`
	Values      *[]netip.AddrPort `json:"values,omitempty"`
	Want        *[]string         `json:"want,omitempty"`
}

// readable is what a refused message still says.
type readable struct {
	Y string  `json:"y,omitempty"`
	T *octets `json:"t,omitempty"`
	Q *octets `json:"q,omitempty"`
}

func wireKRPC(c *call) (any, error) {
	b := in[input](c).Input
	var m wire.Message
	if err := wire.ParseMessage(b, &m); err != nil {
		with := struct {
			Readable readable `json:"readable"`
			Error    int64    `json:"error,omitempty"`
		}{Readable: readable{T: there(m.T), Q: there(m.Method)}}
		if m.Kind != 0 {
			with.Readable.Y = string(rune(m.Kind))
		}
		if answer := newJudged().send(b); answer != nil {
			with.Error = mustParse(answer).Code
		}
		return nil, refuse(classOf(err), with)
	}
	said := m
	said.Values = wire.Values{} // Values keeps the entries that its reader skips
	for a := range m.Values.All() {
		said.Values = wire.AppendValue(said.Values, a)
	}
	return struct {
		Message message `json:"message"`
		Output  octets  `json:"output"`
	}{messageOf(&m), wire.AppendMessage(nil, &said)}, nil
}

// there is a field that may be missing.
func there(b []byte) *octets {
	if b == nil {
		return nil
	}
	return (*octets)(&b)
}

func messageOf(m *wire.Message) message {
	out := message{Y: string(rune(m.Kind)), T: m.T, V: there(m.Version), RO: m.ReadOnly}
	if m.IP.IsValid() {
		out.IP = &m.IP
	}
	switch m.Kind {
	case wire.KindQuery:
		out.Q, out.A = there(m.Method), bodyOf(&m.Body)
	case wire.KindReply:
		out.R = bodyOf(&m.Body)
	default:
		out.E = &krpcError{decimal(m.Code), m.Text}
	}
	return out
}

func bodyOf(m *wire.Body) *body {
	out := &body{}
	number := func(key wire.Keys, to **decimal, from int64) {
		if m.Has.All(key) {
			*to = (*decimal)(&from)
		}
	}
	bytes := func(key wire.Keys, to **octets, from []byte) {
		if m.Has.All(key) {
			*to = (*octets)(&from)
		}
	}
	number(wire.HasCAS, &out.CAS, m.CAS)
	bytes(wire.HasID, &out.ID, m.ID[:])
	if m.Has.All(wire.HasImpliedPort) {
		out.ImpliedPort = &m.ImpliedPort
	}
	bytes(wire.HasInfoHash, &out.InfoHash, m.InfoHash[:])
	number(wire.HasInterval, &out.Interval, m.Interval)
	bytes(wire.HasKey, &out.K, m.Key)
	if m.Has.All(wire.HasNodes) {
		out.Nodes = &[]node{}
		for n := range m.Nodes.All() {
			*out.Nodes = append(*out.Nodes, nodeOf(n))
		}
	}
	if m.Has.All(wire.HasNodes6) {
		out.Nodes6 = &[]node{}
		for n := range m.Nodes6.All() {
			*out.Nodes6 = append(*out.Nodes6, nodeOf(n))
		}
	}
	number(wire.HasNum, &out.Num, m.Num)
	number(wire.HasPort, &out.Port, m.Port)
	bytes(wire.HasSalt, &out.Salt, m.Salt)
	if m.Has.All(wire.HasSamples) {
		out.Samples = &[]octets{}
		for h := range m.Samples.All() {
			*out.Samples = append(*out.Samples, h[:])
		}
	}
	number(wire.HasSeq, &out.Seq, m.Seq)
	bytes(wire.HasSig, &out.Sig, m.Sig)
	bytes(wire.HasTarget, &out.Target, m.Target[:])
	bytes(wire.HasToken, &out.Token, m.Token)
	bytes(wire.HasValue, &out.V, m.Value)
	if m.Has.All(wire.HasValues) {
		out.Values = &[]netip.AddrPort{}
		for a := range m.Values.All() {
			*out.Values = append(*out.Values, a)
		}
	}
	if m.Has.All(wire.HasWant) {
		out.Want = &[]string{}
		for i, family := range []string{"n4", "n6"} {
			if m.Want&(wire.Want4<<i) != 0 {
				*out.Want = append(*out.Want, family)
			}
		}
	}
	return out
}
