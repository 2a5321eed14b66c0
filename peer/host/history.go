package host

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"time"

	"kith/handshake"
	"kith/peer"
)

// History returns the last most entries of the history with a friend, the oldest first. What was said within the last second may be missing. The error is of class peer.ErrState for who is no contact.
func (h *Host) History(friend handshake.PublicKey, most int) (entries []peer.Entry, err error) {
	var from, to []byte
	if done := h.Do(func(_ time.Time, p *peer.Peer) { from, to, err = p.HistoryKeys(friend) }); done != nil || err != nil {
		return nil, errors.Join(done, err)
	}
	err = h.store.RangeBack(string(peer.BucketHistory), from, to, func(key, value []byte) error {
		if len(entries) == most {
			return fs.SkipAll
		}
		_, e, err := peer.ParseHistory(key, bytes.Clone(value))
		entries = append(entries, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.Reverse(entries)
	return entries, nil
}
