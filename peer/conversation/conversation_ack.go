package conversation

import "time"

// ackPause is how long after a datagram the next may wait for more to acknowledge. An answer costs both sides a Diffie-Hellman step, as much as some twenty messages, and a fast store has done a batch sooner.
const ackPause = 250 * time.Microsecond

// acknowledge decides whether what has become durable is told at once, or with what is still on its way to the store.
func (c *Conversation) acknowledge(now time.Time) { // peer-ack-soon
	told, ok := c.receiving.told()
	if !ok || told <= c.acked {
		return
	}
	if told == c.receiving.last().next || told-c.acked >= MaxAhead/2 || now.Sub(c.sent) >= ackPause {
		c.ack = true
	} else if c.ackAt.IsZero() {
		c.ackAt = now.Add(ackDelay)
	}
}

// What a conversation asks of the streams for that.

// told returns what is durably the next expected id, and false when no hello has come.
func (r *Receiving) told() (uint64, bool) {
	if !r.current {
		return 0, false
	}
	return r.last().told, true
}

// gap reports whether a part is missing before another of a message that is held.
func (r *Receiving) gap(id uint64) bool {
	m := r.held[id]
	return m != nil && m.have&(m.have+1) != 0
}

// partial reports whether something of the next expected message is held.
func (r *Receiving) partial() bool { return r.held[r.last().next] != nil }
