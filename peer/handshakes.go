package peer

import (
	"time"

	"kith/handshake"
	"kith/peer/durable"
)

// maxBehind is how many datagrams of handshakes with one contact wait for the store. What is more counts as lost on the way: its sender will come again.
const maxBehind = 64

// behind is a datagram that waits for the store.
type behind struct {
	datagram
	after uint64 // how many values of the contact's knock times must be durable
}

// handshakeTimeout does what is due in handshakes. What has lasted as long as it may goes without an output, so the machine is asked.
func (p *Peer) handshakeTimeout(now time.Time) {
	_ = p.machine.HandleTimeout(now) // Rand failed: what was not done stays due
	p.settleHandshakes(now)
	p.bury(now)
}

// settleHandshakes does what the machine wants done. It reports whether there was something.
func (p *Peer) settleHandshakes(now time.Time) (did bool) {
	for o, ok := p.machine.Output(); ok; o, ok = p.machine.Output() {
		did = true
		c := p.contacts[o.Friend]
		switch o.Kind {
		case handshake.OutputPersist:
			p.storeKnock(now, c, o.Taken, o.Own)
		case handshake.OutputTransmit:
			p.sendBehind(c, datagram{o.To, o.Datagram})
		case handshake.OutputSession:
			p.begin(now, c, o)
		case handshake.OutputFinished:
			p.finish(now, c, o.ID)
		case handshake.OutputRefused:
			if s := c.youngOf(o.ID); s != nil {
				p.erase(s)
			}
		case handshake.OutputRepeat:
			if s := c.present; s != nil && s.id == o.ID { // hs-accept-again
				s.conversation.Repeat(now, o.To)
				p.sessions.touch(s)
			}
		case handshake.OutputClock:
			p.clock(now, c, milliAhead(o.Ahead))
		case handshake.OutputEnded:
			p.rendezvous.Attempt(now, o.Friend, false)
		}
	}
	return did
}

// The same is not told again so soon: a friend with a wrong clock knocks a dozen times.
const (
	clockAgain = 10 * time.Minute
	clockSame  = time.Minute
)

// clock tells of a friend whose clock differs. // peer-clock
func (p *Peer) clock(now time.Time, c *contact, ahead time.Duration) {
	if !c.clockTold.IsZero() && now.Sub(c.clockTold) < clockAgain && (ahead-c.ahead).Abs() < clockSame {
		return
	}
	c.clockTold, c.ahead = now, ahead
	p.events.add(Event{Kind: EventClock, Friend: c.Key, Ahead: ahead})
}

// milliAhead is a difference of clocks in milliseconds, as far as a Duration goes.
func milliAhead(ms int64) time.Duration {
	const most = int64(1<<63-1) / int64(time.Millisecond)
	return time.Duration(max(-most, min(ms, most))) * time.Millisecond
}

// storeKnock stores a contact's knock times. What the machine sends afterwards waits for that. // peer-knock-stored, hs-knock-own-stored, hs-knock-taken-stored
func (p *Peer) storeKnock(now time.Time, c *contact, taken, own int64) {
	p.journal.Put(durable.Change{Bucket: bucketKnock, Key: numberKey(c.number), Value: appendKnock(nil, taken, own)})
	c.taken, c.own = taken, own
	c.knocks++
	p.journal.Then(now, func(time.Time) {
		c.stored++
		n := 0
		for n < len(c.behind) && c.behind[n].after <= c.stored {
			p.out = append(p.out, c.behind[n].datagram)
			n++
		}
		if c.behind = c.behind[n:]; len(c.behind) == 0 {
			c.behind = nil
		}
	})
}

// sendBehind sends a datagram of a handshake once the knock times that were put before it are durable.
func (p *Peer) sendBehind(c *contact, d datagram) {
	switch {
	case c.stored == c.knocks:
		p.out = append(p.out, d)
	case len(c.behind) < maxBehind:
		c.behind = append(c.behind, behind{d, c.knocks})
	}
}
