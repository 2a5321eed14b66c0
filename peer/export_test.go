package peer

import "kith/handshake"

// Session returns the id of the conversation that is open with a friend, and whether there is one.
func (p *Peer) Session(friend handshake.PublicKey) (id handshake.SessionID, ok bool) {
	c := p.contacts[friend]
	if c == nil || c.present == nil {
		return id, false
	}
	return c.present.id, true
}
