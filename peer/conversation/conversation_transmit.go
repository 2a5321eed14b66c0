package conversation

import (
	"net/netip"
	"time"

	"kith/handshake"
	"kith/ratchet"
)

// Transmit returns the next datagram to be sent, until ok is false. Its bytes are valid until the next call of a conversation with these Buffers. No ciphertext is ever sent twice. // peer-fresh-ciphertext
func (c *Conversation) Transmit() (to netip.AddrPort, b []byte, ok bool) {
	if c.state != open && c.state != ending || !c.ratchet.CanSend() {
		return to, nil, false
	}
	if c.state == ending {
		return c.transmitEnd()
	}
	if c.aside.to.IsValid() {
		if to, b, ok = c.transmitAside(); ok {
			return to, b, true
		}
	}
	if c.repeat.IsValid() {
		to, c.repeat = c.repeat, netip.AddrPort{}
		plain := AppendHello(c.plain(), &c.hello)
		plain = c.appendAck(plain)
		return c.seal(to, AppendPing(plain, c.value[:])) // hs-accept-again
	}
	if !c.path.allows(maxAsk) {
		return to, nil, false
	}
	send, _ := c.flight.allows(c.now)
	if send = send && !c.restored && c.path.allows(maxDatagram+2*maxAsk); send {
		_, send = c.flight.next(c.sending.Sendable())
	}
	if !send && !c.ack && !c.ping && len(c.pongs) == 0 {
		return to, nil, false
	}
	plain := c.appendHead(c.plain())
	if c.ping {
		plain = c.appendPing(plain)
	}
	plain = c.appendPongs(plain)
	if send {
		plain = c.appendMessages(plain)
	}
	return c.transmit(plain)
}

// plain returns where a plaintext is built.
func (c *Conversation) plain() []byte {
	if cap(c.buffers.plain) < MaxPlaintext {
		c.buffers.plain = make([]byte, 0, MaxPlaintext)
	}
	return c.buffers.plain[:0]
}

// appendHead appends what every datagram begins with.
func (c *Conversation) appendHead(b []byte) []byte {
	if c.greets { // peer-hello-first
		b = AppendHello(b, &c.hello)
	}
	return c.appendAck(b)
}

// appendAck appends the newest acknowledgement, if there is one: the other's hello has come.
func (c *Conversation) appendAck(b []byte) []byte { // peer-ack-everywhere
	if a, ok := c.receiving.Ack(); ok {
		return AppendAck(b, &a)
	}
	return b
}

// appendPing appends a ping, the only one of its datagram and the last that went to the address. // peer-ping-few
func (c *Conversation) appendPing(b []byte) []byte {
	value := c.value
	if c.begun { // R's first ping has its value already, for Repeat
		c.random64(&value)
	}
	c.path.here.pinged(c.now, value, c.path.use)
	c.ping, c.begun = false, true
	return AppendPing(b, value[:])
}

// appendPongs appends the answers that wait.
func (c *Conversation) appendPongs(b []byte) []byte {
	n := 0
	for n < len(c.pongs) && len(b)+PingSize <= MaxPlaintext {
		b = AppendPong(b, c.pongs[n].value[:c.pongs[n].n])
		n++
	}
	c.pongs = append(c.pongs[:0], c.pongs[n:]...)
	return b
}

// appendMessages fills b with message frames. // peer-share
func (c *Conversation) appendMessages(b []byte) []byte {
	for {
		at, ok := c.flight.next(c.sending.Sendable())
		if !ok {
			return b
		}
		p := c.sending.Part(at.id, int(at.part))
		if len(b)+p.Size() > MaxPlaintext {
			return b
		}
		b = AppendPart(b, &p)
		c.flight.put(&p)
		c.spoken = c.now
	}
}

// transmit sends what was built to the other side's address.
func (c *Conversation) transmit(plain []byte) (to netip.AddrPort, b []byte, ok bool) {
	if to, b, ok = c.seal(c.path.here.addr, plain); !ok {
		return to, nil, false
	}
	c.path.here.went += len(b)
	c.flight.launch(c.now)
	c.sent = c.now
	c.ack, c.ackAt, c.counted = false, time.Time{}, 0
	if next, ok := c.receiving.told(); ok {
		c.acked = next
	}
	return to, b, true
}

// transmitEnd sends one of the end frames. // peer-end-thrice
func (c *Conversation) transmitEnd() (to netip.AddrPort, b []byte, ok bool) {
	if c.ends == 0 || c.now.Before(c.endAt) {
		return to, nil, false
	}
	c.ends--
	c.endAt = c.now.Add(endApart)
	return c.seal(c.path.here.addr, AppendEnd(c.appendHead(c.plain()), c.reason))
}

// transmitAside sends to an address that is not proved.
func (c *Conversation) transmitAside() (to netip.AddrPort, b []byte, ok bool) {
	a := c.aside
	c.aside = aside{}
	plain := c.appendHead(c.plain())
	var value [PingValue]byte
	if a.ping {
		c.random64(&value)
		plain = AppendPing(plain, value[:])
	}
	for _, p := range a.pongs[:a.n] {
		plain = AppendPong(plain, p.value[:p.n])
	}
	plain = Pad(plain)
	if size := HeadSize + ratchet.Overhead + len(plain); size > a.room || !a.ping && a.n == 0 { // peer-path-amplification
		return to, nil, false
	}
	if a.to != c.path.there.addr {
		return c.seal(a.to, plain)
	}
	cid, under := c.path.next()
	if to, b, ok = c.sealUnder(cid, a.to, plain); ok {
		c.path.there.went += len(b)
		if a.ping {
			c.path.there.pinged(c.now, value, under)
		}
	}
	return to, b, ok
}

// seal makes the datagram of a plaintext.
func (c *Conversation) seal(to netip.AddrPort, plain []byte) (netip.AddrPort, []byte, bool) {
	return c.sealUnder(c.path.cid, to, plain)
}

// sealUnder makes the datagram of a plaintext, with a connection id. // peer-datagram-form
func (c *Conversation) sealUnder(cid handshake.CID, to netip.AddrPort, plain []byte) (netip.AddrPort, []byte, bool) {
	b := append(append(c.buffers.datagram[:0], DatagramType), cid[:]...)
	b, err := c.ratchet.Encrypt(b, Pad(plain))
	if err != nil { // there is no randomness: whoever cannot send is lost
		c.close(WhyLost)
		return netip.AddrPort{}, nil, false
	}
	c.buffers.datagram = b
	return to, b, true
}
