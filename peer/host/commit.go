package host

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"kith/handshake"
	"kith/internal/udp"
	"kith/peer"
	"kith/peer/durable"
	"kith/peer/store"
)

// Entries of a history are erased so many in one transaction, and the last in that of the contact, of which there may be several in a batch.
const (
	eraseAtOnce = store.MaxChanges / 2
	eraseLast   = 256
)

// open opens the store and returns what the peer is to know of it, which is all but the history.
func open(path string, id *handshake.Identity) (*store.Store, []durable.Change, error) {
	seed := id.Seed()
	defer clear(seed[:])
	secret, err := hkdf.Key(sha256.New, seed[:], nil, "kith/1 store\x00", 32)
	if err != nil {
		return nil, nil, fmt.Errorf("host: %w", err)
	}
	key := [32]byte(secret)
	defer clear(key[:])
	defer clear(secret)
	var o store.Options
	for _, b := range peer.Buckets() {
		o.Buckets = append(o.Buckets, store.Bucket{Name: string(b.Name), Append: b.Append})
	}
	s, err := store.Open(path, &key, o)
	if err != nil {
		return nil, nil, err
	}
	var stored []durable.Change
	for _, b := range peer.Buckets() {
		if b.Name == peer.BucketHistory {
			continue
		}
		err := s.Range(string(b.Name), nil, nil, func(key, value []byte) error {
			stored = append(stored, durable.Change{Bucket: b.Name, Key: key, Value: value})
			return nil
		})
		if err != nil {
			return nil, nil, errors.Join(err, s.Close())
		}
	}
	return s, stored, nil
}

// commit makes batches durable, one after the other. Meanwhile the peer goes on, and what it puts is the next batch.
func (h *Host) commit() {
	defer close(h.commits)
	for b := range h.batches {
		if err := h.write(b.changes); err != nil {
			h.mu.Lock()
			h.err = err
			h.mu.Unlock()
			go h.fail(err)
			return
		}
		err := h.Do(func(now time.Time, p *peer.Peer) { p.Done(now, b.seq) })
		if errors.Is(err, net.ErrClosed) { // then nobody else calls the peer
			h.peer.Done(udp.Now(), b.seq)
		}
	}
}

// commitAll makes durable what is left, when nobody calls the peer any more.
func (h *Host) commitAll() error {
	now := udp.Now()
	changes, seq, ok := h.peer.TakeAll(now)
	for ok {
		if err := h.write(changes); err != nil {
			return err
		}
		h.peer.Done(now, seq)
		changes, seq, ok = h.peer.Take(now.Add(durable.LazyAfter)) // what that has led to
	}
	return nil
}

// write makes changes durable in one transaction.
func (h *Host) write(changes []durable.Change) error {
	out := h.out[:0]
	for i, c := range changes {
		if c.Bucket != peer.BucketHistory || len(c.Key) != 4 {
			out = append(out, store.Change{Bucket: string(c.Bucket), Key: c.Key, Value: c.Value})
			continue
		}
		for _, earlier := range changes[:i] { // of this batch
			if earlier.Bucket == c.Bucket && string(earlier.Key[:4]) == string(c.Key) {
				out = append(out, store.Change{Bucket: string(c.Bucket), Key: earlier.Key})
			}
		}
		var err error
		if out, err = h.appendErased(out, c); err != nil {
			return err
		}
	}
	err := h.store.Commit(out)
	clear(out)
	h.out = out[:0]
	return err
}

// appendErased appends the erasure of all that a contact has in the history. Of a long one the most goes before, in transactions of its own: then it is only part of the erasure that can be found done
// after a crash.
func (h *Host) appendErased(out []store.Change, c durable.Change) ([]store.Change, error) {
	bucket := string(c.Bucket)
	end := binary.BigEndian.AppendUint32(nil, binary.BigEndian.Uint32(c.Key)+1) // numbers never reach 2³² − 1
	var keys []store.Change
	err := h.store.Range(bucket, c.Key, end, func(key, _ []byte) error {
		keys = append(keys, store.Change{Bucket: bucket, Key: key})
		return nil
	})
	if err != nil {
		return nil, err
	}
	for len(keys) > eraseLast {
		n := min(len(keys)-eraseLast, eraseAtOnce)
		if err := h.store.Commit(keys[:n]); err != nil {
			return nil, err
		}
		keys = keys[n:]
	}
	return slices.Concat(out, keys), nil
}
