package handshake

import (
	"math"
	"slices"
	"time"
)

// A tagTable finds the contact that a datagram is from in one look-up. Of each contact it has the tags of the present epoch and its two neighbours, and those of handshakes under way; so it is bounded
// as they are. Which of them are accepted is decided when one is found, so that the table changes only when a contact's epoch does: with thousands of contacts once in some seconds.
type tagTable struct {
	byTag map[Tag]tagOf
	from  uint64 // the Unix seconds in which every contact is in the epoch that the table has for it: from this one
	until uint64 // to before this one
}

type tagOf struct {
	contact *contact
	epoch   uint64
}

type knownTag struct {
	tag   Tag
	epoch uint64
}

// find returns whose tag this is and of which epoch, if that is accepted at now.
func (t *tagTable) find(tag Tag, now time.Time, contacts map[PublicKey]*contact) (c *contact, epoch uint64, ok bool) {
	t.turn(now, contacts)
	of, ok := t.byTag[tag]
	if !ok || !of.contact.accepts(now, of.epoch) {
		return nil, 0, false
	}
	return of.contact, of.epoch, true
}

// accepts reports whether the friend's tag of an epoch is one to listen to.
func (c *contact) accepts(now time.Time, epoch uint64) bool {
	return slices.Contains(c.pair.Live(now), epoch) || slices.Contains(c.underWay(now), epoch) // rv-epoch-live, rv-epoch-other
}

// underWay returns the epochs of the handshakes with the contact that may still bring a datagram.
func (c *contact) underWay(now time.Time) (epochs []uint64) { // hs-epoch-kept
	if a := c.attempt; a != nil && !a.over(now) {
		epochs = append(epochs, a.epoch)
	}
	for i := range c.out {
		if o := &c.out[i]; now.Before(o.until) {
			epochs = append(epochs, o.epoch)
		}
	}
	if c.offer != nil && now.Before(c.offer.until) {
		epochs = append(epochs, c.offer.epoch)
	}
	for i := range c.used {
		if u := &c.used[i]; now.Before(u.until) {
			epochs = append(epochs, u.epoch)
		}
	}
	return epochs
}

// turn brings the table to the epochs of now.
func (t *tagTable) turn(now time.Time, contacts map[PublicKey]*contact) {
	if s := unixSeconds(now); t.from <= s && s < t.until {
		return
	}
	t.from, t.until = 0, math.MaxUint64
	for _, c := range contacts {
		t.tune(now, c)
	}
}

// tune brings a contact's tags to the epochs of now.
func (t *tagTable) tune(now time.Time, c *contact) {
	epoch := c.pair.Epoch(now)
	begin := epoch * EpochLength
	t.from = max(t.from, begin-min(begin, c.pair.phase))
	t.until = min(t.until, begin+EpochLength-c.pair.phase)

	wanted := append(c.underWay(now), epoch-min(epoch, 1), epoch, epoch+1)
	knows := func(epoch uint64) bool {
		return slices.ContainsFunc(c.known, func(k knownTag) bool { return k.epoch == epoch })
	}
	if !slices.ContainsFunc(wanted, func(epoch uint64) bool { return !knows(epoch) }) {
		return
	}
	t.remove(c)
	for _, epoch := range wanted {
		if !knows(epoch) {
			k := knownTag{c.pair.Tag(Friend, epoch), epoch}
			c.known = append(c.known, k)
			t.byTag[k.tag] = tagOf{c, epoch}
		}
	}
}

// grown says that there is a contact or a handshake that the table may not know. The tags are made when the next datagram comes.
func (t *tagTable) grown() { t.from, t.until = 0, 0 }

// remove forgets a contact's tags at once.
func (t *tagTable) remove(c *contact) { // rv-pair-removed
	for _, k := range c.known {
		delete(t.byTag, k.tag)
	}
	c.known = nil
}
