package dht

import (
	"bytes"

	"kith/conformance/lenient"
)

// Packet is a datagram that is being built. By default it is a right query; every method bends it. Keys are written in
// bencode's order unless Unsorted was called. Send, or a Want, sends it, once.
type Packet struct {
	node     *Node
	top      lenient.D
	args     any // a lenient.D, or what stands in its place
	noArgs   bool
	unsorted bool
	isRaw    bool
	raw      []byte
	edit     []func([]byte) []byte
}

// Arg sets an argument: an int, int64, string, []byte, [20]byte, lenient.L, lenient.D, lenient.Raw or lenient.Value.
func (p *Packet) Arg(key string, v any) *Packet {
	p.args = p.dict().Set(key, v)
	return p
}

// TwiceArg puts an argument in a second time, behind the one that is there.
func (p *Packet) TwiceArg(key string, v any) *Packet {
	p.args = append(p.dict(), lenient.E{Key: key, Value: v})
	return p
}

// NoArg takes arguments out.
func (p *Packet) NoArg(keys ...string) *Packet {
	for _, k := range keys {
		p.args = p.dict().Drop(k)
	}
	return p
}

func (p *Packet) dict() lenient.D {
	d, ok := p.args.(lenient.D)
	if !ok {
		panic("conformance: the arguments of this packet are no dictionary any more")
	}
	return d
}

// Args puts anything in the place of the dictionary of arguments.
func (p *Packet) Args(v any) *Packet {
	p.args = v
	return p
}

// NoArgs takes `a` out.
func (p *Packet) NoArgs() *Packet {
	p.noArgs = true
	return p
}

// Top sets a key of the message itself, such as `ro`, `y` or `t`.
func (p *Packet) Top(key string, v any) *Packet {
	p.top = p.top.Set(key, v)
	return p
}

// TwiceTop puts a key of the message in a second time, behind the one that is there.
func (p *Packet) TwiceTop(key string, v any) *Packet {
	p.top = append(p.top, lenient.E{Key: key, Value: v})
	return p
}

// NoTop takes keys of the message out.
func (p *Packet) NoTop(keys ...string) *Packet {
	for _, k := range keys {
		p.top = p.top.Drop(k)
	}
	return p
}

// ReadOnly marks the query as BEP 43 does.
func (p *Packet) ReadOnly() *Packet { return p.Top("ro", 1) }

// Want adds BEP 32's `want`.
func (p *Packet) Want(families ...string) *Packet {
	l := lenient.L{}
	for _, f := range families {
		l = append(l, f)
	}
	return p.Arg("want", l)
}

// Unsorted keeps the keys in the order in which they were set, with `a` behind the others.
func (p *Packet) Unsorted() *Packet {
	p.unsorted = true
	return p
}

// Edit changes the finished bytes; several edits run in the order given.
func (p *Packet) Edit(f func(b []byte) []byte) *Packet {
	p.edit = append(p.edit, f)
	return p
}

// Behind appends bytes behind the message.
func (p *Packet) Behind(b []byte) *Packet {
	return p.Edit(func(m []byte) []byte { return append(m, b...) })
}

// Cut keeps only the first n bytes, or all but the last -n.
func (p *Packet) Cut(n int) *Packet {
	return p.Edit(func(m []byte) []byte {
		if n < 0 {
			return m[:max(0, len(m)+n)]
		}
		return m[:min(n, len(m))]
	})
}

// Bytes are the bytes that Send would send.
func (p *Packet) Bytes() []byte {
	b := bytes.Clone(p.raw)
	if !p.isRaw {
		b = p.encode()
	}
	for _, f := range p.edit {
		b = f(b)
	}
	return b
}

func (p *Packet) encode() []byte {
	top := append(lenient.D{}, p.top...)
	if !p.noArgs {
		a := p.args
		if d, ok := a.(lenient.D); ok && !p.unsorted {
			a = d.Sorted()
		}
		top = append(top, lenient.E{Key: "a", Value: a})
	}
	if !p.unsorted {
		top = top.Sorted()
	}
	return lenient.Encode(top)
}

// Send sends the packet. What comes back is judged by a Want on the result; an answer may arrive before it is asked for.
func (p *Packet) Send() *Sent { return p.send() }

func (p *Packet) send() *Sent {
	sent := p.aside()
	p.node.s.sent = sent.n
	return sent
}

// probe is a ping of the harness's own.
func (n *Node) probe() *Sent {
	defer n.s.apart()()
	return n.Ping().aside()
}

// aside sends what is not the case's own: the harness's pings.
func (p *Packet) aside() *Sent {
	n := p.node
	sent := &Sent{node: n, raw: p.Bytes()}
	if m, err := lenient.Parse(sent.raw); err == nil && m.HasT {
		sent.hasT, sent.t = true, m.T
		n.pending[string(m.T)] = sent
	} else if top, ok := p.top.Get("t"); ok && err != nil {
		// Bent beyond our own reading: a node that reads it may still return the `t` that went in.
		if t, ok := top.([]byte); ok {
			sent.t = t
			n.pending[string(t)] = sent
		}
	}
	n.sent = append(n.sent, sent)
	sent.n, sent.at = n.write(n.target, sent.raw, "")
	return sent
}

// WantReply is Send().WantReply().
func (p *Packet) WantReply() *Reply { return p.send().WantReply() }

// WantError is Send().WantError(codes...).
func (p *Packet) WantError(codes ...int64) *Answer { return p.send().WantError(codes...) }

// WantSilence is Send().WantSilence().
func (p *Packet) WantSilence() { p.send().WantSilence() }

// WantNoReply is Send().WantNoReply().
func (p *Packet) WantNoReply() *Answer { return p.send().WantNoReply() }

// Poked is Send().Poked().
func (p *Packet) Poked() *Answer { return p.send().Poked() }

// Outcome is Send().Outcome().
func (p *Packet) Outcome() *Answer { return p.send().Outcome() }
