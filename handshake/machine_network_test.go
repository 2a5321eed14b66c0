package handshake

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"flag"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A network carries datagrams between two people. All of its randomness follows from a seed, but for the rates, of 100.
type network struct {
	t       require.TestingT
	random  *rand.Rand
	now     time.Time // by the monotonic clock
	people  [2]*someone
	flying  []flight
	carried [][]byte // all that was ever sent, for replays
	seal    cache

	drop, double, tamper, replay, spoof, crash int
	eager                                      int           // to begin although there is a conversation
	delay, patience                            time.Duration // at most; how much longer than 10 s a responder waits
}

type flight struct {
	at       time.Time
	from, to netip.AddrPort
	b        []byte
}

// Someone runs a machine, with words for ratchets and the rules by which a conversation is lost.
type someone struct {
	*network
	name       string
	id         *Identity
	other      PublicKey
	place      netip.AddrPort
	skew       time.Duration // of the time of day
	m          *Machine
	taken, own int64 // what is durable

	sessions map[SessionID]*theSession // of this life
	cids     map[CID]*theSession
	present  *theSession
	finished map[SessionID]*Session // of all lives
	keys     map[[32]byte]bool      // root keys of all sessions, of all lives
	retry    time.Time
	lost     int // conversations
}

// A theSession is a session or conversation as its program sees it.
type theSession struct {
	id        SessionID
	keys      Session
	rank      Rank
	to        netip.AddrPort // where its datagrams go; not valid: nothing has come
	opened    bool           // the other's first message
	confirmed bool           // something newer than that
	made      time.Time
	heard     time.Time
	said      time.Time
}

func newNetwork(t require.TestingT, seed uint64) *network {
	n := &network{t: t, random: rand.New(rand.NewPCG(seed, 0)), now: began, delay: 50 * time.Millisecond, seal: cache{}}
	for i, name := range []string{"alice", "bob"} {
		seed := secret(name)
		id, err := NewIdentity(seed[:])
		require.NoError(t, err)
		n.people[i] = &someone{
			network: n, name: name, id: id, finished: map[SessionID]*Session{}, keys: map[[32]byte]bool{},
			place: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 6881), retry: forever,
		}
	}
	n.people[0].other, n.people[1].other = n.people[1].id.public, n.people[0].id.public
	for _, p := range n.people {
		p.start()
	}
	return n
}

var forever = began.Add(1000 * time.Hour)

// in reports whether something happens that does so at a rate of 100.
func (n *network) in(rate int) bool { return n.random.IntN(100) < rate }

// start begins a life with what is durable.
func (p *someone) start() {
	p.sessions, p.cids, p.present = map[SessionID]*theSession{}, map[CID]*theSession{}, nil
	m, err := New(Config{Identity: p.id, Rand: reader{p.random}, InUse: func(c CID) bool { return p.cids[c] != nil }})
	require.NoError(p.t, err)
	require.NoError(p.t, m.Add(p.other, p.taken, p.own))
	p.m = m
}

type reader struct{ *rand.Rand }

func (r reader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return len(p), nil
}

// clock returns what the person's clocks show.
func (p *someone) clock() time.Time { return p.now.Add(p.skew) }

// begins makes an attempt, if none is under way.
func (p *someone) begins() {
	to := p.people[0].place
	if p == p.people[0] {
		to = p.people[1].place
	}
	if err := p.m.Begin(p.clock(), p.other, to); err != nil {
		require.ErrorIs(p.t, err, ErrState)
	}
	p.drain()
}

// transmit gives a datagram to the network.
func (n *network) transmit(from, to netip.AddrPort, b []byte) {
	n.carried = append(n.carried, b)
	for range 2 {
		if !n.in(n.drop) {
			d := append([]byte(nil), b...)
			if n.in(n.tamper) {
				d[n.random.IntN(len(d))] ^= 1 << n.random.IntN(8)
			}
			if n.in(n.spoof) {
				from = netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, 1}), 1) // where nobody is
			}
			n.flying = append(n.flying, flight{n.now.Add(time.Duration(n.random.Int64N(int64(n.delay)))), from, to, d})
		}
		if !n.in(n.double) {
			break
		}
	}
	if n.in(n.replay) {
		old := n.carried[n.random.IntN(len(n.carried))]
		n.flying = append(n.flying, flight{n.now, from, n.people[n.random.IntN(2)].place, old})
	}
}

// run lets time pass.
func (n *network) run(d time.Duration) {
	for end := n.now.Add(d); ; {
		next, act := end, func() {}
		at := func(t time.Time, do func()) {
			if !t.IsZero() && t.Before(next) {
				next, act = t, do
			}
		}
		for _, p := range n.people {
			if t := p.m.NextTimeout(); !t.IsZero() {
				at(t.Add(-p.skew), func() {
					require.NoError(n.t, p.m.HandleTimeout(p.clock()))
					p.drain()
				})
			}
			at(p.retry, func() {
				p.retry = forever
				if p.present == nil {
					p.begins()
				} else if p.in(p.eager) {
					p.begins()
				}
			})
			if c := p.present; c != nil {
				at(c.heard.Add(time.Minute), p.lose)
				at(c.said.Add(20*time.Second), func() { p.say(c, "alive") })
				if !c.confirmed {
					at(c.made.Add(10*time.Second+n.patience), p.lose)
				}
			}
		}
		for i, f := range n.flying {
			at(f.at, func() {
				n.flying = append(n.flying[:i:i], n.flying[i+1:]...)
				for _, p := range n.people {
					if p.place == f.to {
						p.receive(f.from, f.b)
					}
				}
			})
		}
		if next.After(n.now) {
			n.now = next
		}
		if next == end {
			return
		}
		act()
	}
}

// lose ends the conversation.
func (p *someone) lose() {
	require.NoError(p.t, p.m.Ended(p.clock(), p.present.id))
	p.present = nil
	p.lost++
	p.retry = p.now.Add(time.Duration(p.random.Int64N(int64(10 * time.Second))))
}

// word returns what a ratchet would make of a word: a datagram of a session that only the other side takes, and only for this word.
func word(s *theSession, to Role, what string) []byte {
	cid := NewCID(&s.keys.CIDK, to, 0)
	rk := s.keys.RatchetKey
	if s.id.Role == Responder {
		rk = X25519Public(&rk)
	}
	m := hmac.New(sha256.New, s.keys.RK[:])
	m.Write([]byte(what))
	for _, k := range [][32]byte{s.keys.HKI, s.keys.NHKR, s.keys.AD, rk} {
		m.Write(k[:])
	}
	return m.Sum(append([]byte{0x51}, cid[:]...))
}

func otherRole(r Role) Role { return Initiator + Responder - r }

// say sends a word in the conversation.
func (p *someone) say(s *theSession, what string) {
	s.said = p.now
	p.transmit(p.place, s.to, word(s, otherRole(s.id.Role), what))
}

func (p *someone) receive(from netip.AddrPort, b []byte) {
	if len(b) > 0 && b[0] == 0x51 {
		p.hear(from, b)
		return
	}
	before := p.m.Snapshot()
	if err := p.m.HandleDatagram(p.clock(), from, b); err != nil {
		require.Equal(p.t, before, p.m.Snapshot(), err)
	}
	p.drain()
	c := p.m.contacts[p.other]
	require.True(p.t, len(c.out) <= 10 && len(c.half) <= maxHalfOpen && len(c.used) <= 121 && len(p.m.tags.byTag) <= 5 && len(p.m.timers) <= 1)
}

// hear takes a datagram of a conversation.
func (p *someone) hear(from netip.AddrPort, b []byte) {
	if len(b) != 1+8+32 {
		return
	}
	s := p.cids[CID(b[1:])]
	if s == nil {
		return
	}
	says := func(what string) bool { return hmac.Equal(b, word(s, s.id.Role, what)) }
	first := "first"
	if s.id.Role == Responder {
		first = "hello"
	}
	switch {
	case says(first) && !s.opened: // a ratchet opens a message once
		s.opened, s.to, s.heard = true, from, p.now
		if err := p.m.Opened(p.clock(), s.id); err != nil {
			require.ErrorIs(p.t, err, ErrState)
		}
		p.drain()
	case says("alive") && s == p.present: // a new one each time, let us say
		s.confirmed, s.heard = true, p.now
	}
}

// drain does what the machine wants. A crash may come in between.
func (p *someone) drain() {
	for out, ok := p.m.Output(); ok; out, ok = p.m.Output() {
		if p.in(p.crash) && p.in(10) {
			p.start()
			p.retry = p.now
			return
		}
		switch out.Kind {
		case OutputPersist:
			require.False(p.t, out.Taken < p.taken, "taken goes back")
			p.taken, p.own = out.Taken, out.Own
		case OutputTransmit:
			p.seal.check(p, out.Datagram)
			p.transmit(p.place, out.To, out.Datagram)
		case OutputSession:
			require.False(p.t, p.keys[out.Session.RK], "two sessions of one accept")
			p.keys[out.Session.RK] = true
			s := &theSession{id: out.ID, keys: *out.Session, rank: Rank{uint64(out.Time), p.m.id.public}}
			if out.ID.Role == Responder {
				s.rank.Initiator = out.Friend
			}
			p.sessions[out.ID] = s
			p.cids[NewCID(&s.keys.CIDK, out.ID.Role, 0)] = s
			if out.ID.Role == Initiator {
				require.NoError(p.t, p.m.Hello(p.clock(), out.ID, word(s, Responder, "hello")))
			}
		case OutputFinished:
			require.NotContains(p.t, p.finished, out.ID, "a session finishes twice")
			s := p.sessions[out.ID]
			p.finished[out.ID] = &s.keys
			require.True(p.t, p.m.Lives(p.clock(), out.ID))
			for id, other := range p.sessions { // whatever else there was is over, but for what outranks
				if p.m.Lives(p.clock(), id) {
					require.True(p.t, other == s || other.rank.Compare(s.rank) > 0, "what does not outrank is over") // hs-finish-replaces
				} else {
					delete(p.sessions, id)
					delete(p.cids, NewCID(&other.keys.CIDK, id.Role, 0))
				}
			}
			p.retry = p.now.Add(time.Duration(p.random.Int64N(int64(10 * time.Second))))
			p.present, s.made, s.heard, s.confirmed = s, p.now, p.now, out.ID.Role == Initiator
			if out.ID.Role == Responder {
				p.say(s, "first")
			} else {
				p.say(s, "alive")
			}
		case OutputRefused:
			delete(p.sessions, out.ID)
		case OutputRepeat:
			require.Equal(p.t, p.present.id, out.ID)
			p.transmit(p.place, out.To, word(p.present, Initiator, "first"))
		case OutputEnded:
			p.retry = p.now.Add(time.Duration(p.random.Int64N(int64(5 * time.Second))))
		}
	}
}

// A cache knows what was sent, under which nothing may stand twice.
type cache map[string]string

// check shows that no time of a knock is used for two, no knock gets two offers, no accept is made twice and no nonce is used again, in however many lives.
func (c cache) check(p *someone, datagram []byte) {
	if datagram[0] == 0x51 {
		return
	}
	once := func(key, value string) {
		if old, ok := c[key]; ok && old != value {
			require.Fail(p.t, "two of one: "+key[:3])
		}
		c[key] = value
	}
	nonce := datagram[1+TagSize : 1+TagSize+NonceSize]
	require.NotContains(p.t, c, "nonce"+string(nonce))
	c["nonce"+string(nonce)] = ""
	pair := p.m.contacts[p.other].pair
	epoch := pair.Epoch(p.clock())
	if pair.Tag(Own, epoch) != Tag(datagram[1:]) {
		epoch-- // the other's clock was still there, or a handshake of ours
	}
	if pair.Tag(Own, epoch) != Tag(datagram[1:]) {
		epoch += 2
	}
	key := pair.EnvelopeKey(Own, epoch)
	e, err := OpenEnvelope(&key, datagram)
	require.NoError(p.t, err)
	switch e.Kind {
	case KindKnock:
		k, err := ParseKnock(e.Bytes)
		require.NoError(p.t, err)
		require.LessOrEqual(p.t, int64(k.Time), p.own, "sent before it was stored")
		once("knock"+p.name+string(binary.BigEndian.AppendUint64(nil, k.Time)), string(e.ID[:])+string(e.Bytes))
	case KindOffer:
		require.GreaterOrEqual(p.t, p.taken, p.m.contacts[p.other].offer.time, "sent before it was stored")
		once("offer"+p.name+string(e.ID[:])+string(e.Fragment), string(e.Bytes))
	case KindAccept:
		once("accept"+p.name+string(e.ID[:]), string(e.Bytes))
	}
}

// agree shows that both have the same secrets of every session that finished at both.
func (n *network) agree() (both int) {
	for id, keys := range n.people[0].finished {
		if other := n.people[1].finished[SessionID{n.people[0].id.public, id.ID, otherRole(id.Role)}]; other != nil {
			both++
			if id.Role == Initiator {
				wantSame(n.t, keys, other)
			} else {
				wantSame(n.t, other, keys)
			}
		}
	}
	return both
}

// calm makes the network a good one, and shows that then both are in one conversation.
func (n *network) calm() {
	n.drop, n.double, n.tamper, n.replay, n.spoof, n.crash, n.eager, n.delay = 0, 0, 0, 0, 0, 0, 0, 50*time.Millisecond
	for _, p := range n.people {
		p.retry = n.now.Add(time.Duration(n.random.Int64N(int64(5 * time.Second))))
	}
	n.run(180 * time.Second)
	a, b := n.people[0].present, n.people[1].present
	require.True(n.t, a != nil && b != nil, "somebody is in no conversation")
	require.Equal(n.t, a.id.ID, b.id.ID, "they are in two conversations")
	require.Equal(n.t, a.id.Role, otherRole(b.id.Role))
	require.Positive(n.t, n.agree())
}

// thousand checks a property a thousand times, or as often as -rapid.checks says.
func thousand(t *testing.T, property func(*rapid.T)) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		require.NoError(t, f.Value.Set("1000"))
		t.Cleanup(func() { require.NoError(t, f.Value.Set(f.DefValue)) })
	}
	rapid.Check(t, property)
}

// Over a network that loses, doubles, reorders, tampers, replays and sends from elsewhere, with clocks that differ and machines that crash between any two outputs, no session finishes twice, no two
// knocks have one time, no knock has two offers, what finishes at both has the same keys at both, what is refused leaves no trace, and in the calm behind it both are in one conversation.
func TestTwoMachinesOverABadNetwork(t *testing.T) {
	finished := 0
	thousand(t, func(t *rapid.T) {
		n := newNetwork(t, rapid.Uint64().Draw(t, "seed"))
		rate := rapid.IntRange(0, 40)
		n.drop, n.double, n.tamper = rate.Draw(t, "drop"), rate.Draw(t, "double"), rate.Draw(t, "tamper")/2
		n.replay, n.spoof, n.crash = rate.Draw(t, "replay"), rate.Draw(t, "spoof")/4, rate.Draw(t, "crash")
		n.eager = rapid.IntRange(0, 100).Draw(t, "eager")
		n.delay = time.Duration(1<<rapid.IntRange(1, 13).Draw(t, "delay")) * time.Millisecond
		n.now = began.Add(time.Duration(rapid.IntRange(0, EpochLength).Draw(t, "into the epoch")) * time.Second)
		n.people[0].skew = time.Duration(rapid.IntRange(-1790, 1790).Draw(t, "alice's clock")) * time.Second
		n.people[1].skew = time.Duration(rapid.IntRange(-1790, 1790).Draw(t, "bob's clock")) * time.Second
		for _, p := range n.people {
			p.start()
			p.retry = n.now.Add(time.Duration(rapid.IntRange(0, 20_000).Draw(t, p.name+" begins")) * time.Millisecond)
		}
		n.run(time.Duration(rapid.IntRange(0, 90).Draw(t, "bad for")) * time.Second)
		n.agree()
		n.calm()
		finished += n.agree()
	})
	t.Log(finished, "sessions finished at both")
}

// Where nothing is lost, only late, doubled or out of order, two who begin at any times, again and again, are soon in one conversation, and none is lost on the way: the rank decides alike at both ends.
func TestGlareLosesNothing(t *testing.T) {
	thousand(t, func(t *rapid.T) {
		n := newNetwork(t, rapid.Uint64().Draw(t, "seed"))
		n.double, n.eager = rapid.IntRange(0, 40).Draw(t, "double"), rapid.IntRange(0, 100).Draw(t, "eager")
		n.delay = 8 * time.Second >> rapid.IntRange(0, 12).Draw(t, "shorter delays")
		n.patience = 2 * n.delay
		for _, p := range n.people {
			p.skew = time.Duration(rapid.IntRange(-1790, 1790).Draw(t, p.name+"'s clock")) * time.Second
			p.start()
			p.retry = n.now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, p.name+" begins")) * time.Millisecond)
		}
		n.run(60 * time.Second)
		n.eager = 0
		n.run(70 * time.Second)
		n.calm()
		require.Zero(t, n.people[0].lost+n.people[1].lost)
	})
}

// The glare of the design: both begin at once, and one knock is lost.
func TestBothBeginAtOnce(t *testing.T) {
	for seed := range uint64(20) {
		n := newNetwork(t, seed)
		for _, p := range n.people {
			p.begins()
		}
		if seed%2 == 0 {
			n.flying = n.flying[:1]
		}
		n.run(10 * time.Second)
		n.calm()
		require.Equal(t, 1, n.agree(), "seed %d", seed)
	}
}

// With clocks that differ by more than an hour nobody answers, and both are told by how much.
func TestClocksThatDifferTooMuch(t *testing.T) {
	n := newNetwork(t, 1)
	n.people[1].skew = time.Hour + 10*time.Second
	n.people[1].start()
	var told []int64
	n.people[0].begins()
	for _, f := range n.flying {
		m := n.people[1].m
		err := m.HandleDatagram(n.people[1].clock(), f.from, f.b)
		if errors.Is(err, ErrState) {
			out, _ := m.Output()
			require.Equal(t, OutputClock, out.Kind)
			told = append(told, out.Ahead)
		}
	}
	require.Equal(t, []int64{-3_610_000}, told)
}
