package peer

import "kith/handshake"

// HistoryKeys returns the keys of BucketHistory between which the entries of a contact lie, from and up to but without to. The error is of class ErrState for who is none.
func (p *Peer) HistoryKeys(key handshake.PublicKey) (from, to []byte, err error) {
	c, err := p.find(key)
	if err != nil {
		return nil, nil, err
	}
	return numberKey(c.number), numberKey(c.number + 1), nil // numbers never reach 2³² − 1
}
