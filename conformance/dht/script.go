package dht

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"strings"
	"time"

	"kith/conformance"
	"kith/conformance/lenient"
)

// Times of the harness. Virtual time makes them free in-process; over sockets only the grace is paid on every silence.
const (
	defaultTimeout = 2 * time.Second        // how long an answer may take
	leastGrace     = 30 * time.Millisecond  // after the fence; more where answers take long
	leastLinger    = 250 * time.Millisecond // how long a finished case still listens for an answer that came late
	leastSettling  = 20 * time.Millisecond  // until what was sent has been taken
)

// Script is what a case drives: it opens nodes of the harness, which send to the target and judge what comes back.
// Every method that starts with Want ends the case when it does not get what it wants. A Script is for one goroutine.
type Script struct {
	kind    conformance.Kind
	w       conformance.World
	log     conformance.Log
	rng     *rand.Rand
	own     *rand.Rand // of the harness's own pings and nodes
	timeout time.Duration

	nodes   []*Node // by number of socket
	out     conformance.Outcome
	stage   stage
	judged  bool // a Judge has run to its end
	checked bool // the stimulus was judged by what the kind asks for
	gone    bool
	sent    int           // number in the log of the last datagram that the case itself sent
	slowest time.Duration // the longest round trip seen
	ended   bool
	hosts   int        // the next source address nobody has used
	put     [][20]byte // targets under which the case has put, or tried to
	v6      bool       // Node is in IPv6
}

// stage is what a failing check means at this point.
type stage byte

const (
	inBody    stage = iota // the requirement is not kept
	inSetup                // nothing is known about the requirement yet: inconclusive
	afterward              // the target worked before the stimulus and does not now: fail, whatever the verb
)

// stop is how a Want ends the case; play recovers it.
type stop struct{}

// play runs body as the case id of a kind against w.
func play(id string, kind conformance.Kind, body func(*Script), w conformance.World, o conformance.Options) *conformance.Run {
	s := newScript(id, kind, w, o)
	s.run(body)
	s.ended = true
	run := &conformance.Run{Outcome: s.out, Log: &s.log, Linger: s.linger()}
	run.Late = func(ev conformance.Event) {
		s.late(ev)
		run.Outcome = s.out
	}
	return run
}

func newScript(id string, kind conformance.Kind, w conformance.World, o conformance.Options) *Script {
	s := &Script{kind: kind, w: w, timeout: o.Timeout, hosts: 1}
	if s.timeout == 0 {
		s.timeout = defaultTimeout
	}
	s.rng, s.own = rand.New(rand.NewChaCha8(seedOf(id, o))), rand.New(rand.NewChaCha8(seedOf(id+" aside", o)))
	if kind != conformance.Accept {
		s.stage = inSetup // until Judge says otherwise
	}
	return s
}

func (s *Script) run(body func(*Script)) {
	defer func() {
		switch r := recover(); r.(type) {
		case nil, stop:
		default:
			buf := make([]byte, 4096)
			s.out = conformance.Outcome{Verdict: conformance.Inconclusive, Fault: fmt.Sprintf("%v\n%s", r, buf[:runtime.Stack(buf, false)])}
		}
	}()
	body(s)
	if s.kind == conformance.Accept {
		s.stage = afterward
		s.alive(s.firstNode())
	} else if !s.judged || !s.checked {
		panic(fmt.Sprintf("conformance: a case of kind %s ended without Judge, or its stimulus without a Want of that kind", s.kind))
	}
	s.out.Verdict = conformance.Pass
}

// seedOf makes the bytes of a case depend on the run's seed, the round and the case's id alone.
func seedOf(id string, o conformance.Options) [32]byte {
	b := append(binary.BigEndian.AppendUint64([]byte("kith conform dht\x00"), o.Seed), id...)
	if o.Round > 0 {
		b = binary.BigEndian.AppendUint64(append(b, 0), uint64(o.Round))
	}
	return sha256.Sum256(b)
}

// Given runs what the case needs and does not judge: a check that fails inside makes the case inconclusive. Behind the stimulus it
// changes nothing: the control worked before, so that what fails now has to do with the stimulus.
func (s *Script) Given(f func()) {
	if s.stage == afterward {
		f()
		return
	}
	was := s.stage
	s.stage = inSetup
	f()
	s.stage = was
}

// Judge runs the heart of a case of kind Reject, Silence or Survive: control, liveness, stimulus, liveness, control.
// The control does what the stimulus does, but rightly, and has to work; it makes what it uses anew each time (a token
// may be shared). What fails before the stimulus makes the case inconclusive, what fails after it is a fault of the target.
// The node that both are handed is the same, unless the target stopped answering its address, which is the target's right.
func (s *Script) Judge(control, stimulus func(n *Node)) {
	n := s.Node()
	s.stage = inSetup
	control(n)
	s.alive(n)
	s.stage = inBody
	s.checked = false
	stimulus(n)
	if !s.checked {
		panic(fmt.Sprintf("conformance: the stimulus of a case of kind %s was not judged as one", s.kind))
	}
	s.stage = afterward
	if s.alive(n); n.shunned {
		n = s.elsewhere() // it may be the address that is shunned, whatever the port
	}
	control(n)
	s.judged = true
	s.stage = inBody
}

// alive pings from n and fails the case, as the stage says, when the target answers neither n nor another address.
func (s *Script) alive(n *Node) {
	if !n.shunned && n.probe().await() {
		return
	}
	other := s.elsewhere()
	if sent := other.probe(); !sent.await() {
		s.out.Gone = true
		sent.fail("a reply to a ping: the target still works", "nothing within "+s.timeout.String())
	}
	if !n.shunned {
		n.shunned = true
		s.Note("the target stopped answering %v; it still answers others", n.Addr)
	}
}

// elsewhere is a node at an address that nobody has used yet, or at least a port.
func (s *Script) elsewhere() *Node {
	defer s.apart()()
	s.hosts++
	if n, err := s.open(firstSpare+s.hosts%16, s.firstNode().v6); err == nil {
		return n
	}
	n, err := s.open(0, s.firstNode().v6)
	if err != nil {
		s.end(conformance.Blocked, 0, "a socket", err.Error())
	}
	return n
}

// apart lets the harness draw from numbers of its own until the function that it returns is called: so what a case sends does not depend on
// when answers come, and whether the harness had to ask what became of them.
func (s *Script) apart() (back func()) {
	was := s.rng
	s.rng = s.own
	return func() { s.rng = was }
}

// Note adds a line to what people read about the case.
func (s *Script) Note(format string, args ...any) {
	s.out.Notes = append(s.out.Notes, fmt.Sprintf(format, args...))
}

// Blocked ends the case: the tester lacks something it needs.
func (s *Script) Blocked(why string) { s.end(conformance.Blocked, 0, why, "not here") }

// Inconclusive ends the case: what the target did leaves its question open.
func (s *Script) Inconclusive(why string) {
	observed := "not so"
	if len(s.nodes) > 0 && !s.elsewhere().probe().await() { // it may have fallen silent in the meantime
		s.out.Gone = true
		observed = "not so; nor does it answer a ping"
	}
	s.end(conformance.Inconclusive, 0, why, observed)
}

// Fail ends the case: the target was to do one thing and did another.
func (s *Script) Fail(expected, observed string) { s.failAt(0, expected, observed) }

// Check ends the case unless ok.
func (s *Script) Check(ok bool, expected, observed string) {
	if !ok {
		s.Fail(expected, observed)
	}
}

func (s *Script) failAt(sent int, expected, observed string) {
	if sent == 0 {
		sent = s.sent // what was sent last is what it is about
	}
	switch s.stage {
	case inSetup:
		if s.gone {
			s.out.Gone = true
		}
		s.end(conformance.Inconclusive, sent, expected, observed)
	case afterward:
		s.out.Hard = true
		s.end(conformance.Fail, sent, expected+", as before the stimulus", observed)
	default:
		s.end(conformance.Fail, sent, expected, observed)
	}
}

func (s *Script) end(v conformance.Verdict, sent int, expected, observed string) {
	s.out.Verdict, s.out.Sent, s.out.Expected, s.out.Observed = v, sent, expected, observed
	panic(stop{})
}

// ID draws an id, target or info-hash.
func (s *Script) ID() (id [20]byte) {
	copy(id[:], s.Bytes(20))
	return id
}

// Near draws an id whose first n bits are those of id and whose next bit is not.
func (s *Script) Near(id [20]byte, n int) [20]byte {
	out := s.ID()
	for i := range n {
		bit := byte(0x80 >> (i % 8))
		out[i/8] = out[i/8]&^bit | id[i/8]&bit
	}
	if n < 160 {
		bit := byte(0x80 >> (n % 8))
		out[n/8] = out[n/8]&^bit | ^id[n/8]&bit
	}
	return out
}

// Bytes draws n bytes.
func (s *Script) Bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(s.rng.Uint32())
	}
	return b
}

// IntN draws a number from 0 up to, not including, n.
func (s *Script) IntN(n int) int { return s.rng.IntN(n) }

// Now is the time since the case began.
func (s *Script) Now() time.Duration { return s.w.Now() }

// settle waits until the target has taken what was sent before, answers to its queries included.
func (s *Script) settle() { s.Wait(s.roundTrips(2, leastSettling)) }

// roundTrips is n times the longest round trip seen, within reason: a target that is slow, or far away, gets longer.
func (s *Script) roundTrips(n int, least time.Duration) time.Duration {
	return max(least, min(time.Duration(n)*s.slowest, s.timeout/2))
}

// Wait lets time pass; the nodes of the case answer what the target asks them meanwhile.
func (s *Script) Wait(d time.Duration) { s.until(s.w.Now()+d, func() bool { return false }) }

// Within waits until cond holds, at most for d, and reports whether it came to hold.
func (s *Script) Within(d time.Duration, cond func() bool) bool { return s.until(s.w.Now()+d, cond) }

// Neighbours are the nodes of the harness that live around the target for the whole run, and whom it has asked by now or in an
// earlier run, so that it may have them in its table. They answer every query.
func (s *Script) Neighbours() []conformance.Neighbour {
	all := s.w.Neighbours()
	s.log.Add(conformance.Entry{Op: conformance.OpNeighbours, At: s.w.Now(), Neighbours: all})
	return all
}

// until pumps events until cond holds or the deadline passes.
func (s *Script) until(deadline time.Duration, cond func() bool) bool {
	for !cond() {
		ev := s.w.Next(deadline)
		switch ev.Kind {
		case conformance.Deadline:
			s.log.Add(conformance.Entry{Op: conformance.OpWait, At: ev.At})
			return cond()
		case conformance.Gone:
			s.log.Add(conformance.Entry{Op: conformance.OpGone, At: ev.At})
			s.gone, s.out.Gone = true, true
			s.end(conformance.Inconclusive, s.sent, "the target goes on running", "its process ended")
		case conformance.Datagram:
			s.receive(ev)
		}
	}
	return true
}

// receive gives a datagram to the node it was sent to.
func (s *Script) receive(ev conformance.Event) {
	e := conformance.Entry{Op: conformance.OpRecv, At: ev.At, Sock: ev.Sock, Addr: ev.From, Data: ev.Data}
	n := s.nodes[ev.Sock]
	if isUTP(ev.Data) {
		e.Note = "uTP, which shares the port with the DHT in many clients: not looked at"
		s.log.Add(e)
		return
	}
	m, err := lenient.Parse(ev.Data)
	a := &Answer{Message: m, Err: err, Raw: ev.Data, From: ev.From, At: ev.At, node: n}
	switch {
	case err != nil:
		e.Note = err.Error()
	case m.Y == "q" && !n.sentBytes(ev.Data):
		a.n = s.log.Add(e)
		n.query(a)
		return
	}
	a.n = s.log.Add(e)
	n.answered(a)
}

// isUTP knows a uTP packet: version 1, a type up to 4, 20 bytes at least. No KRPC packet looks so, for its first byte is d.
func isUTP(b []byte) bool { return len(b) >= 20 && b[0]&0x0f == 1 && b[0]>>4 <= 4 }

// late takes an event after the end. Only an answer where silence was concluded still matters.
func (s *Script) late(ev conformance.Event) {
	if ev.Kind != conformance.Datagram || s.out.Fault != "" {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(stop); !ok {
				panic(r)
			}
		}
	}()
	passed := s.out.Verdict == conformance.Pass
	was := s.out
	s.stage = inBody
	defer func() {
		if !passed {
			s.out = was // the first finding stands
		}
	}()
	s.receive(ev)
}

// grace is how long after the fence an answer could still be on its way.
func (s *Script) grace() time.Duration { return s.roundTrips(4, leastGrace) }

func (s *Script) linger() time.Duration {
	for _, n := range s.nodes {
		for _, sent := range n.sent {
			if sent.late != nil {
				return s.roundTrips(4, leastLinger)
			}
		}
	}
	return 0
}

// firstSpare is the first source address that the harness keeps for itself; a case has those below.
const firstSpare = 48

// open opens a node at a source address of its own.
func (s *Script) open(host int, v6 bool) (*Node, error) {
	k, addr, err := s.w.Open(host, v6)
	e := conformance.Entry{Op: conformance.OpOpen, At: s.w.Now(), Sock: k, Addr: addr, Host: host, V6: v6}
	if err != nil {
		e.Err = err.Error()
		s.log.Add(e)
		return nil, err
	}
	s.log.Add(e)
	target, _ := s.w.Target(v6)
	n := &Node{s: s, ID: s.ID(), Addr: addr, sock: k, v6: v6, host: host, target: target, pending: map[string]*Sent{}}
	if k != len(s.nodes) {
		panic(fmt.Sprintf("conformance: socket %d was given the number %d", len(s.nodes), k))
	}
	s.nodes = append(s.nodes, n)
	return n, nil
}

func (s *Script) firstNode() *Node {
	if len(s.nodes) == 0 {
		return s.Node()
	}
	return s.nodes[0]
}

// Target is the address under test.
func (s *Script) Target() netip.AddrPort {
	t, _ := s.w.Target(false)
	return t
}

// Node opens a node of the harness that speaks to the target's IPv4 address, from the case's first source address. It has a
// random id, and answers the target's queries as a good node that knows nobody.
func (s *Script) Node() *Node { return s.NodeAt(0) }

// NodeAt opens a node at another source address of the case: every host from 0 to 47 lies in a /24 of its own. The case is
// blocked where the tester has no second address.
func (s *Script) NodeAt(host int) *Node { return s.must(host, s.v6) }

// anyFamily lets Node speak IPv6 when the target has no IPv4 address. It is for what is asked of every target; a case that says
// Node means IPv4, and says Node6 where it means the other.
func (s *Script) anyFamily() {
	_, v4 := s.w.Target(false)
	s.v6 = !v4
}

// Node6 opens a node that speaks to the target's IPv6 address. The case is blocked when the target was not given one.
func (s *Script) Node6() *Node { return s.must(0, true) }

func (s *Script) must(host int, v6 bool) *Node {
	if _, ok := s.w.Target(v6); !ok {
		s.Blocked("an address of the target in IPv" + map[bool]string{true: "6", false: "4"}[v6])
	}
	n, err := s.open(host, v6)
	switch {
	case errors.Is(err, conformance.ErrNoAddress):
		s.Blocked(fmt.Sprintf("a source address of its own (number %d, such as 127.0.0.2)", host+1))
	case err != nil:
		s.end(conformance.Blocked, 0, "a socket", err.Error())
	}
	return n
}

func list(items []string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	return strings.Join(items[:len(items)-1], ", ") + " or " + items[len(items)-1]
}
