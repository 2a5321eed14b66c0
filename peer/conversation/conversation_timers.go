package conversation

import (
	"time"

	"kith/handshake"
)

const (
	keepAlive  = 20 * time.Second
	silence    = 60 * time.Second
	firstProof = 10 * time.Second
	wholeDay   = 24 * time.Hour

	endCopies = 3
	endApart  = 100 * time.Millisecond

	pingSlowest = 4 * time.Second // between pings that are not answered: a dozen go before silence ends it

	// sooner is how much earlier the initiator's keep-alive comes. Its ping is answered, so that the responder's never comes; at the same moment both would ping and both would answer.
	sooner = time.Second
)

// keepAliveAt returns when a ping is due if nothing else is sent.
func (c *Conversation) keepAliveAt() time.Time { // peer-keepalive
	if c.role == handshake.Initiator {
		return c.sent.Add(keepAlive - sooner)
	}
	return c.sent.Add(keepAlive)
}

// pingAgainAt returns when a ping that was not answered goes again: one that is lost must not cost a third of the time after which the conversation is.
func (c *Conversation) pingAgainAt() time.Time {
	if at := c.path.here.at; !at.IsZero() {
		return at.Add(min(max(c.flight.probeTimeout(c.unanswered), firstProbe), pingSlowest))
	}
	return time.Time{}
}

// NextTimeout returns when HandleTimeout is to be called next, the zero time for never.
func (c *Conversation) NextTimeout() time.Time {
	switch c.state {
	case ending:
		return c.endAt
	case open:
	default:
		return time.Time{} // a session that waits is the handshake's
	}
	at := earliest(c.opened.Add(silence), c.spoken.Add(wholeDay), c.proof)
	if !c.ratchet.CanSend() || !c.path.allows(maxAsk) { // what is due cannot be done before something opens
		return at
	}
	at = earliest(at, c.keepAliveAt(), c.pingAgainAt(), c.path.askAt(), c.ackAt, c.flight.timeout())
	if _, when := c.flight.allows(c.now); !c.restored && !when.IsZero() && c.path.allows(maxDatagram+2*maxAsk) {
		if _, ok := c.flight.next(c.sending.Sendable()); ok {
			at = earliest(at, when)
		}
	}
	return at
}

// earliest returns the earliest of some times that is not zero.
func earliest(at time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if at.IsZero() || !t.IsZero() && t.Before(at) {
			at = t
		}
	}
	return at
}

// HandleTimeout does what is due. Calling it too early does no harm.
func (c *Conversation) HandleTimeout(now time.Time) {
	due := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	c.now = now
	switch {
	case c.state == ending:
		c.handleEnding(now)
	case c.state != open:
	case due(c.opened.Add(silence)), due(c.proof): // peer-lost, peer-responder-proof
		c.close(WhyLost)
	case due(c.spoken.Add(wholeDay)): // peer-day
		c.stop(now, ReasonDay, WhyDay)
	default:
		c.ack = c.ack || due(c.ackAt)
		if due(c.keepAliveAt()) {
			c.ping = true
			c.flight.rest()
		}
		if due(c.pingAgainAt()) {
			c.ping = true
			c.unanswered++
		}
		c.askAside(now)
		c.flight.handleTimeout(now)
	}
}

// handleEnding closes the conversation when all that can be said was said.
func (c *Conversation) handleEnding(now time.Time) {
	switch {
	case now.Before(c.endAt):
	case c.ends == 0:
		c.close(c.why)
	case !c.ratchet.CanSend():
		c.ends--
		c.endAt = now.Add(endApart)
	}
}
