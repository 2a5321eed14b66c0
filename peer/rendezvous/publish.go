package rendezvous

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"kith/dht"
	"kith/handshake"
)

const (
	againFrom   = 2850 * time.Second // 3,000 s ± 5 % after the last time
	againTo     = 3150 * time.Second
	failedFirst = 30 * time.Second // after a put that was not done; doubles
	failedMost  = 600 * time.Second
	storedMost  = 3 // nodes that have to store, where there are as many
	calm        = 10 * time.Second
)

// A post is one's own record in one slot.
type post struct {
	c      *contact
	epoch  uint64
	family dht.Family
	slot   *handshake.Slot // nil until it is needed
	seq    handshake.Sequence

	due    time.Time // when it is to be put; zero: not by itself
	first  bool      // it was made with the contact, for the epoch of then
	queued bool
	began  time.Time     // the last put; zero: there was none
	wait   time.Duration // after the last, which was not done; 0: it was
	ended  bool          // a put was done, or has failed

	op     dht.Op // under way; 0: none
	item   handshake.Item
	second bool // it is put a second time, since a newer one was there
	done   bool // enough nodes have stored it
}

// idle reports whether the post waits for nothing but its time.
func (p *post) idle() bool { return p.op == 0 && !p.queued && !p.due.IsZero() }

// erase clears the keys of the slot.
func (p *post) erase() {
	if p.slot != nil {
		p.slot.Erase()
	}
}

// turn makes the slots of the epochs that are accepted at now, and erases those of others. That of the epoch that was before the present one it makes only if old says so.
func (r *Rendezvous) turn(now time.Time, c *contact, old bool) {
	live := c.pair.Live(now)
	into := (now.Unix() + int64(c.pair.Phase())) % handshake.EpochLength
	edge := int64(handshake.EpochLength)
	for _, e := range []int64{handshake.EpochLength - handshake.EpochSlack, handshake.EpochSlack} {
		if into < e {
			edge = e
		}
	}
	c.turn = now.Add(time.Duration(edge-into)*time.Second - time.Duration(now.Nanosecond()))

	c.look.forget(live)
	c.posts = slices.DeleteFunc(c.posts, func(p *post) bool {
		if slices.Contains(live, p.epoch) {
			return false
		}
		r.stopPosting(p)
		p.erase()
		return true
	})
	if c.epoch != live[0] {
		c.epoch = live[0]
		for _, p := range c.posts {
			switch {
			case p.epoch == c.epoch:
				p.due = now // peer-publish-when
			case p.epoch < c.epoch && p.wait == 0:
				p.due = time.Time{}
			}
		}
	}
	for _, epoch := range live {
		if epoch < c.epoch && !old {
			continue
		}
		for _, f := range r.families {
			if !slices.ContainsFunc(c.posts, func(p *post) bool { return p.epoch == epoch && p.family == f }) {
				c.posts = append(c.posts, &post{c: c, epoch: epoch, family: f, due: now}) // peer-publish-next
			}
		}
	}
	slices.SortStableFunc(c.posts, func(p, q *post) int { return cmp.Compare(c.distance(p.epoch), c.distance(q.epoch)) })
}

// distance says how far an epoch is from the present one.
func (c *contact) distance(epoch uint64) uint64 { return max(epoch, c.epoch) - min(epoch, c.epoch) }

// ofHandshake returns the family by its name in package handshake.
func ofHandshake(f dht.Family) handshake.Family {
	if f == dht.V4 {
		return handshake.IPv4
	}
	return handshake.IPv6
}

// put puts the record of the present endpoints.
func (r *Rendezvous) put(now time.Time, p *post) {
	p.began, p.due, p.second = now, time.Time{}, false
	p.c.look.putBegan(now, p.c)
	r.putOnce(now, p)
}

func (r *Rendezvous) putOnce(now time.Time, p *post) {
	if p.slot == nil {
		p.slot = p.c.pair.Slot(handshake.Own, ofHandshake(p.family), p.epoch)
	}
	p.done = false
	seq, err := p.seq.Next(now, r.rand)
	if err == nil {
		p.item, err = p.slot.Seal(r.rand, seq, r.endpoints)
	}
	if err != nil { // the slot has a record from the far future, or there is no randomness
		r.putEnded(now, p)
		return
	}
	item := dht.Item{Value: p.item.Value, Mutable: true, Key: p.item.Key, Sig: p.item.Sig, Seq: p.item.Seq}
	p.op = r.node.Put(now, item, dht.PutOptions{Families: []dht.Family{p.family}, Pace: r.pace})
	r.puts++
	r.start(p.op, task{c: p.c, post: p}, needFull)
}

// posted takes an event of a put. A node's error is no news of the slot (rv-seq-error).
func (r *Rendezvous) posted(now time.Time, t *task, e dht.Event) {
	p := t.post
	switch e.Kind {
	case dht.EventItem:
		r.met(now, p, itemOf(e.Item))
	case dht.EventStored:
		if e.Stored >= storedMost && !p.done { // peer-publish-done
			p.done = true
			p.c.look.putsEnded(now, p)
		}
	case dht.EventDone:
		r.puts--
		p.op = 0
		all := e.Told > 0 && e.Stored == e.Told && e.Answered == e.Asked // fewer than 3 are all only if nobody was silent
		if e.Stored >= storedMost || all {                               // peer-publish-done
			p.done = true
		}
		if p.done && p.epoch == p.c.epoch {
			r.outputs.add(Output{Kind: OutputPublished, Friend: p.c.friend, Nodes: e.Stored})
		}
		r.putEnded(now, p)
	}
}

func itemOf(i *dht.Item) handshake.Item {
	return handshake.Item{Key: i.Key, Seq: i.Seq, Value: i.Value, Sig: i.Sig}
}

// met takes an item that was in the slot already. One that is newer than what is being put, from a life of which nothing is remembered or by a clock that was wrong, has to be
// outdone: once at once, so that a friend who writes into the slot too cannot keep the two of us busy.
func (r *Rendezvous) met(now time.Time, p *post, i handshake.Item) {
	if p.slot.Check(i) != nil {
		return
	}
	p.seq.Observe(i.Seq) // rv-seq-observed
	if i.Seq < p.item.Seq || i.Seq == p.item.Seq && bytes.Equal(i.Value, p.item.Value) {
		return
	}
	r.stopPosting(p)
	if p.second {
		p.done = false
		r.putEnded(now, p)
		return
	}
	p.second = true
	r.putOnce(now, p)
}

// putEnded says when the next put is due.
func (r *Rendezvous) putEnded(now time.Time, p *post) {
	switch {
	case !p.done: // peer-publish-done
		p.wait = min(max(failedFirst, 2*p.wait), failedMost)
		p.due = r.within(now, p.wait, p.wait+p.wait/4)
	case p.epoch < p.c.epoch:
		p.wait, p.due = 0, time.Time{} // the old slot is written when the endpoints change, and not again
	default:
		p.wait, p.due = 0, r.within(p.began, againFrom, againTo) // peer-publish-when
	}
	p.c.look.putsEnded(now, p)
}

// stopPosting ends the put of p, and the wait for it.
func (r *Rendezvous) stopPosting(p *post) {
	if p.op != 0 {
		r.stop(p.op)
		r.puts--
		p.op = 0
	}
	if p.queued {
		r.posting.remove(p)
		p.queued = false
	}
}
