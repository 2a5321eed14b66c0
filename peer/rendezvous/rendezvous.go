package rendezvous

import (
	crand "crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"kith/dht"
	"kith/handshake"
	"kith/wire"
)

// The reason classes of what is refused here. Errors wrap one of them, for errors.Is.
var (
	ErrState = errors.New("rendezvous: state") // not now
	ErrLimit = errors.New("rendezvous: limit") // more than the bound
)

// A Config says what a Rendezvous is to be.
type Config struct {
	// Node is the one whose DHTs serve. Its owner drives it, and hands its events to HandleEvent.
	Node *dht.Node

	// Rand gives the jitter and the nonce of each record; nil: crypto/rand.
	Rand io.Reader

	// Random gives the moments at which things are done; nil: one that is seeded with 32 bytes of Rand.
	Random *rand.Rand
}

// A Rendezvous keeps one's records in the DHT, one for each contact, and finds those of the contacts. It is not safe for concurrent use.
type Rendezvous struct {
	node     *dht.Node
	rand     io.Reader
	random   *rand.Rand
	families []dht.Family
	zero     time.Time // when it was made: where the minutes begin in which rare things are done together
	begun    bool      // operations may begin

	local     []netip.AddrPort // addresses of the interfaces
	endpoints []netip.AddrPort // what is published
	excused   bool             // endpoints have changed once without waiting

	contacts map[handshake.PublicKey]*contact
	added    uint64 // contacts so far
	timers   timers
	outputs  outputs

	// What is due waits here until there is room for it.
	pace     *dht.Pace
	tasks    map[dht.Op]*task
	reserved int             // queries that the operations under way may still send
	posting  queue[*post]    // they know that they are in it
	looking  queue[*contact] // as well
	puts     int             // under way
	looks    int
	lookNext bool      // of both the look-up is first
	resume   time.Time // when there may be room again; zero: nothing waits for that
}

// A contact is a friend and all that is done for him.
type contact struct {
	pair   *handshake.Pair
	friend handshake.PublicKey
	spoken time.Time
	serial uint64 // in which order contacts were added

	open   bool // a conversation is
	quiet  bool // he has left, or was left
	trying bool // an attempt to reach him is under way
	urgent bool // somebody waits for him

	epoch uint64    // the present one
	turn  time.Time // when other epochs are accepted than now
	posts []*post   // own slots of the epochs that are accepted, present one first
	look  look
	knock knock

	due   time.Time // when serve is to be called next
	index int       // in timers
}

// A task is an operation of the node under way.
type task struct {
	c      *contact
	post   *post    // a put's
	read   *reading // a get's
	family dht.Family
	asked  int // queries so far
	need   int // that were reserved
	full   bool
	giver  wire.Node // who gave the newest record
}

const (
	putsAtOnce = 4
	looksMax   = 2   // at once
	paceMost   = 399 // queries of all operations in any pacePer: under 40 a second
	pacePer    = 10 * time.Second
	needFull   = 48 // queries that an operation usually has at most, with those that store
)

// New returns a rendezvous that begins at now, without contacts and endpoints. It returns an error of class ErrState if there is no node, or one if Rand fails.
func New(cfg Config, now time.Time) (*Rendezvous, error) {
	if cfg.Node == nil {
		return nil, fmt.Errorf("rendezvous: no node: %w", ErrState)
	}
	if cfg.Rand == nil {
		cfg.Rand = crand.Reader
	}
	if cfg.Random == nil {
		var seed [32]byte
		if _, err := io.ReadFull(cfg.Rand, seed[:]); err != nil {
			return nil, fmt.Errorf("rendezvous: reading the seed: %w", err)
		}
		cfg.Random = rand.New(rand.NewChaCha8(seed))
	}
	r := &Rendezvous{
		node: cfg.Node, rand: cfg.Rand, random: cfg.Random, zero: now, contacts: map[handshake.PublicKey]*contact{},
		pace: dht.NewPace(paceMost, pacePer), tasks: map[dht.Op]*task{},
	}
	for _, f := range []dht.Family{dht.V4, dht.V6} {
		if cfg.Node.ID(f) != (wire.ID{}) {
			r.families = append(r.families, f)
		}
	}
	return r, nil
}

// Add makes a contact of the pair's friend, who was last spoken to, or added, at spoken: publishing for him and looking for him begins. Nothing begins before SetEndpoints or HandleTimeout is
// called for the first time, so that of those who are added before, who was spoken to last is the first. The pair stays the caller's, and must not
// be erased before Remove. The error's class is ErrState for a contact that is already there, and ErrLimit for one over handshake.MaxContacts.
func (r *Rendezvous) Add(now time.Time, pair *handshake.Pair, spoken time.Time) error {
	friend := pair.Friend()
	if r.contacts[friend] != nil {
		return fmt.Errorf("rendezvous: contact is there already: %w", ErrState)
	}
	if len(r.contacts) == handshake.MaxContacts {
		return fmt.Errorf("rendezvous: more than %d contacts: %w", handshake.MaxContacts, ErrLimit)
	}
	r.added++
	c := &contact{pair: pair, friend: friend, spoken: spoken, serial: r.added, epoch: pair.Epoch(now), index: -1}
	r.contacts[friend] = c
	r.turn(now, c, true) // peer-publish-when, peer-publish-old
	for _, p := range c.posts {
		p.first = p.epoch == c.epoch
	}
	if len(r.endpoints) == 0 {
		c.look.due = now // there will be no put to wait for
	}
	r.settle(now, c)
	return nil
}

// Remove forgets a contact: nothing is published for him any more, looked for, or told of him. One that is none is no fault.
func (r *Rendezvous) Remove(now time.Time, friend handshake.PublicKey) { // peer-blocked, rv-pair-removed
	c := r.contacts[friend]
	if c == nil {
		return
	}
	r.drop(c)
	r.begin(now)
}

// drop ends and forgets all that is done for c.
func (r *Rendezvous) drop(c *contact) {
	r.stopLooking(c)
	for _, p := range c.posts {
		r.stopPosting(p)
		p.erase()
	}
	for _, read := range c.look.readings {
		read.erase()
	}
	delete(r.contacts, c.friend)
	r.timers.remove(c)
	r.outputs.forget(c.friend)
}

// Erase forgets all contacts, and clears the keys of their slots.
func (r *Rendezvous) Erase() {
	for _, c := range r.inOrder() {
		r.drop(c)
	}
}

// SetEndpoints says which addresses the interfaces have. What is published is these and, before them, what DHT nodes report; those that no record may have are left out, and
// those beyond 8.
func (r *Rendezvous) SetEndpoints(now time.Time, local []netip.AddrPort) {
	r.begun = true
	r.local = slices.Clone(local)
	r.moved(now)
}

// Endpoints returns what is published.
func (r *Rendezvous) Endpoints() []netip.AddrPort { return slices.Clone(r.endpoints) }

// moved finds out what is to be published now.
func (r *Rendezvous) moved(now time.Time) {
	var endpoints []netip.AddrPort
	add := func(a netip.AddrPort) {
		a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
		if handshake.CheckEndpoint(a) == nil && len(endpoints) < handshake.MaxEndpoints && !slices.Contains(endpoints, a) { // rv-record-fields
			endpoints = append(endpoints, a)
		}
	}
	for _, f := range r.families {
		if a := r.node.Endpoint(f); a.IsValid() {
			add(a)
		}
	}
	for _, a := range r.local {
		add(a)
	}
	if slices.Equal(endpoints, r.endpoints) {
		r.begin(now)
		return
	}
	again := len(r.endpoints) > 0
	r.endpoints = endpoints
	for _, c := range r.inOrder() {
		r.turn(now, c, false)
		for _, p := range c.posts {
			r.stopPosting(p)
			p.due, p.wait = now, 0                                                        // peer-publish-when, peer-publish-old
			if again && r.excused && !p.began.IsZero() && now.Before(p.began.Add(calm)) { // peer-publish-calm
				p.due = p.began.Add(calm)
			}
		}
		r.serve(now, c)
	}
	r.excused = r.excused || again
	r.begin(now)
}

// inOrder returns the contacts in the order in which they were added.
func (r *Rendezvous) inOrder() []*contact {
	all := make([]*contact, 0, len(r.contacts))
	for _, c := range r.contacts {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *contact) int { return int(int64(a.serial - b.serial)) })
	return all
}

// Open says whether a conversation with a friend is open. While it is, nobody looks for him. When one is over, Search or Quiet follows, or he is looked for a while later.
func (r *Rendezvous) Open(now time.Time, friend handshake.PublicKey, open bool) {
	c := r.contacts[friend]
	if c == nil || c.open == open {
		return
	}
	c.open, c.spoken = open, now
	if open {
		c.quiet, c.trying = false, false
	}
	r.attention(now, c)
}

// Quiet says whether a friend is not to be knocked at, since he has left or was left, and nobody has anything to say. While he is quiet nobody looks for him either.
func (r *Rendezvous) Quiet(now time.Time, friend handshake.PublicKey, quiet bool) { // peer-end-quiet
	if c := r.contacts[friend]; c != nil && c.quiet != quiet {
		c.quiet = quiet
		r.attention(now, c)
	}
}

// attention begins or ends looking for c after he has become wanted or unwanted.
func (r *Rendezvous) attention(now time.Time, c *contact) {
	if !c.wanted() { // peer-look-not
		r.stopLooking(c)
		c.look.sought, c.urgent = true, false
	} else {
		c.look.step = 0
		c.look.next(now, r, c)
	}
	r.settle(now, c)
}

// wanted reports whether c is to be looked for.
func (c *contact) wanted() bool { return !c.open && !c.quiet }

// Search looks for a friend at once, and then as often as at first: because his conversation was lost, or because the user asks. At known, the addresses and endpoints that he
// last had, of which at most 8 count, he is knocked at now: where he has answered, and elsewhere as rarely as at what a record says.
func (r *Rendezvous) Search(now time.Time, friend handshake.PublicKey, known ...netip.AddrPort) {
	c := r.contacts[friend]
	if c == nil || c.open {
		return
	}
	c.quiet = false
	r.knockAt(now, c, known) // peer-knock-last
	c.look.anew(now)         // peer-look-lost
	c.urgent = true
	if c.look.queued { // to be put in again where the urgent stand
		r.looking.remove(c)
		c.look.queued = false
	}
	for _, p := range c.posts {
		if p.queued {
			r.posting.remove(p)
			p.queued = false
		}
	}
	r.settle(now, c)
}

// Attempt says whether an attempt to reach a friend is under way. After OutputKnock one is, until Attempt says that it is not. OutputKnock while one is under way is for other addresses, of a newer record.
func (r *Rendezvous) Attempt(now time.Time, friend handshake.PublicKey, underWay bool) {
	if c := r.contacts[friend]; c != nil {
		c.trying = underWay
	}
}

// Answered says that a friend has proved to be at an address: knocks there are free.
func (r *Rendezvous) Answered(friend handshake.PublicKey, at netip.AddrPort) {
	if c := r.contacts[friend]; c != nil {
		c.knock.hasAnswered(netip.AddrPortFrom(at.Addr().Unmap(), at.Port()))
	}
}

// HandleEvent takes an event of the node. It reports whether that was of an operation of the rendezvous, and so of no interest to anybody else.
func (r *Rendezvous) HandleEvent(now time.Time, e dht.Event) bool {
	switch e.Kind {
	case dht.EventEndpoint:
		r.moved(now)
		return false
	case dht.EventReady:
		r.ready(now, e.Family)
		return false
	}
	t := r.tasks[e.Op]
	if t == nil {
		return false
	}
	r.reserved -= max(0, t.need-t.asked)
	t.asked = e.Asked + e.Told
	r.reserved += max(0, t.need-t.asked)
	if e.Kind == dht.EventDone {
		r.forget(e.Op)
	}
	if t.post != nil {
		r.posted(now, t, e)
	} else {
		r.looked(now, t, e)
	}
	r.settle(now, t.c)
	return true
}

// ready begins anew what failed because nobody was known in a DHT.
func (r *Rendezvous) ready(now time.Time, f dht.Family) {
	for _, c := range r.inOrder() {
		for _, p := range c.posts {
			if p.family == f && p.wait > 0 && p.op == 0 {
				p.due, p.ended = now, false
				c.look.putSeen = false // and the search begins with it
			}
		}
		if c.wanted() && c.look.deaf {
			c.look.deaf = false
			c.look.anew(now)
		}
		r.serve(now, c)
	}
	r.begin(now)
}

// start registers an operation that has begun, which may need so many queries.
func (r *Rendezvous) start(op dht.Op, t task, need int) {
	t.need = need
	r.tasks[op] = &t
	r.reserved += need
}

// forget forgets an operation that has ended.
func (r *Rendezvous) forget(op dht.Op) {
	if t := r.tasks[op]; t != nil {
		r.reserved -= max(0, t.need-t.asked)
		delete(r.tasks, op)
	}
}

// stop ends an operation.
func (r *Rendezvous) stop(op dht.Op) {
	r.node.Cancel(op)
	r.forget(op)
}
