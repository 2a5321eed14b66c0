package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"kith/internal/udp"
	"kith/peer"
	"kith/wire"
)

// demoTexts are what alice and bob say to each other. Each has at least 40 bytes, so that it is longer than an acknowledgement, and none begins as another.
type demoTexts struct {
	hello, answer string
	lost          [2]string // to alice, and then to bob, while there is no network
	back          [2]string // what they say then
}

var demoScript = demoTexts{
	hello:  "Bob, is that you? Only you and I can read this.",
	answer: "It is me, Alice! Nobody between us knows my name.",
	lost:   [2]string{"Are you still there? You were a moment ago.", "And where have you gone now, Bob?? Hello??"},
	back:   [2]string{"Yes, in another network. I lost nothing you said.", "Here I am again. The same conversation, still."},
}

func (s demoTexts) all() []string {
	return []string{s.hello, s.answer, s.lost[0], s.back[0], s.lost[1], s.back[1]}
}

// A demo is the demonstration while it plays.
type demo struct {
	*demoWorld
	printer *demoPrinter
	decoder *decoder
	script  demoTexts
	name    string     // of the step
	decoded []datagram // so far
	meeting []datagram // what find leaves to meet
	online  time.Duration
}

// rest decodes what crossed since it was called last.
func (d *demo) rest() []datagram {
	from := len(d.decoded)
	d.decoded = append(d.decoded, d.decoder.next(from, d.len())...)
	return d.decoded[from:]
}

// elapsed is how long it has been since the beginning.
func (d *demo) elapsed() time.Duration { return udp.Now().Sub(d.began) }

// tell tells the step: what was done, when, and what crossed the wire in it.
func (d *demo) tell(at time.Duration, says string, all []datagram, facts map[string]any, explains ...string) {
	counted := all
	if d.name != "strangers" {
		counted = slices.DeleteFunc(slices.Clone(all), func(x datagram) bool { return !x.from.person() && !x.who.person() })
	}
	r := demoReport{Event: "step", Step: d.name, At: thousandths(at), Says: says, Explains: explains, Wire: tallies(counted), Facts: facts}
	r.Count, r.Bytes = sum(r.Wire)
	d.printer.step(r, all)
}

// gather makes a DHT.
func (d *demo) gather(ctx context.Context) error {
	for range demoNodes {
		if err := d.begin(); err != nil {
			return err
		}
	}
	for n := 1; n < demoNodes; n++ { // the first knows nobody to ask
		if err := d.ready(ctx, n); err != nil {
			return err
		}
	}
	d.tell(d.elapsed(), fmt.Sprintf("%d strangers make a DHT", demoNodes), d.rest(), map[string]any{"nodes": demoNodes},
		"Each knows one other, and asks for its own id until it knows its neighbours: nodes as BitTorrent has millions of. None has ever heard of Kith.")
	return nil
}

// introduce makes two people.
func (d *demo) introduce(context.Context) error {
	if err := d.born(); err != nil {
		return err
	}
	a, b := d.alice.key().String(), d.bob.key().String()
	d.tell(d.elapsed(), "alice and bob make a key each, and swap addresses", d.rest(), map[string]any{"alice": a, "bob": b},
		"alice  "+a, "bob    "+b,
		"An address is a public key; they swapped them on paper, say. Out of one's private and the other's public key both compute the same secret, without a word. All below follows from it.")
	return nil
}

// join brings both into the DHT.
func (d *demo) join(ctx context.Context) error {
	if err := d.demoWorld.join(ctx, d.bob, 3); err != nil {
		return err
	}
	if err := d.demoWorld.join(ctx, d.alice, demoNodes-4); err != nil {
		return err
	}
	places := map[string]any{}
	var at []string
	for _, p := range d.people() {
		addr := p.h.LocalAddrs()[0]
		places[p.who.String()] = addr.String()
		at = append(at, fmt.Sprintf("%v is at %v", p.who, addr))
	}
	d.tell(d.elapsed(), "both join the DHT, each by one node", d.rest(), places,
		strings.Join(at, ", ")+". To the strangers they are two more nodes with random ids.")
	return nil
}

// publish has bob leave his record, and look for hers.
func (d *demo) publish(ctx context.Context) error {
	if err := d.bob.add(ctx); err != nil {
		return err
	}
	published, err := d.bob.await(ctx, peer.EventPublished)
	if err != nil {
		return err
	}
	if _, err := d.bob.await(ctx, peer.EventNotFound); err != nil {
		return err
	}
	at, all := d.elapsed(), d.rest()
	slot := slotOf(all, bob)
	var sample []byte
	seen := map[party]bool{}
	for _, x := range all {
		if x.from == bob && x.target == slot {
			seen[x.who] = true
		}
		if x.from == bob && x.kind == "put" {
			sample = recordIn(x.b)
		}
	}
	if len(sample) == 0 {
		return errors.New("bob put no record")
	}
	d.tell(at, "bob leaves a record that only alice can find", all,
		map[string]any{"slot": slot.String(), "stored": published.Nodes, "asked": len(seen)},
		fmt.Sprintf("Slot %v is the record's place in the DHT, for six hours: only who has the secret of the two can compute it. The %d nodes nearest to it keep bob's address, sealed.", short(slot[:]), published.Nodes),
		fmt.Sprintf("%d strangers saw an IP address, a random number, and %d bytes like %x…: not whose they are, nor for whom.", len(seen), len(sample), sample[:8]),
		"Then he looks into her slot: it is empty. He cannot tell whether she is away or has not added him.")
	return nil
}

// find has alice find bob, and both shake hands. That is told by meet.
func (d *demo) find(ctx context.Context) error {
	first := d.len()
	if err := d.alice.add(ctx); err != nil {
		return err
	}
	knock, err := d.await(ctx, first, func(x crossing) bool { return x.from == alice && len(x.b) > 0 && x.b[0] == 0x50 })
	if err != nil {
		return err
	}
	for _, p := range d.people() {
		if _, err := p.await(ctx, peer.EventOnline); err != nil {
			return err
		}
	}
	d.online = d.elapsed()
	published, err := d.alice.await(ctx, peer.EventPublished)
	if err != nil {
		return err
	}
	all := d.rest()
	slot := slotOf(d.decoded[:first], bob)
	asked, giver := 0, nobody
	for _, x := range all {
		switch {
		case x.target != slot:
		case x.from == alice && giver == nobody:
			asked++
		case x.who == alice && x.value && giver == nobody:
			giver = x.from
		}
	}
	if giver == nobody {
		return errors.New("alice knocked, and nobody had given her bob's record")
	}
	var dht []datagram
	for _, x := range all {
		if x.krpc() {
			dht = append(dht, x)
		} else {
			d.meeting = append(d.meeting, x)
		}
	}
	d.tell(d.decoded[knock].at, "alice leaves hers for bob, and finds his", dht,
		map[string]any{"slot": slot.String(), "giver": giver.String(), "asked": asked, "stored": published.Nodes},
		fmt.Sprintf("She computes the same slot %s, and %v, the %s that she asks, has the record. She opens the seal: bob is at %v.", short(slot[:]), giver, ordinal(asked), d.bob.h.LocalAddrs()[0]))
	return nil
}

// meet tells of the handshake.
func (d *demo) meet(context.Context) error {
	all := d.meeting
	if len(all) == 0 {
		return errors.New("nothing went from one to the other")
	}
	took := d.online - all[0].at
	d.tell(d.online, "they shake hands, without the strangers", all, map[string]any{"took_ms": thousandths(took)},
		"knock   alice asks. To a knock not made with their secret bob is deaf",
		"offer   bob: fresh keys for this knock, X25519 and ML-KEM-768, signed",
		"accept  alice: her fresh half. Both now compute the session's keys",
		"The private halves of these keys are overwritten as soon as the accept is made, and taken: who steals both identities later, or builds a quantum computer, cannot read what is said now.",
		fmt.Sprintf("Then a datagram of the conversation each way: only now does each know that the other is there, %s after the knock.", spent(took)))
	return nil
}

// talk has each say something.
func (d *demo) talk(ctx context.Context) error {
	began := udp.Now()
	var lines []string
	for _, said := range []struct {
		by   *demoPerson
		text string
	}{{d.alice, d.script.hello}, {d.bob, d.script.answer}} {
		from := udp.Now()
		if err := said.by.say(said.text); err != nil {
			return err
		}
		if err := said.by.arrived(ctx, said.text); err != nil {
			return err
		}
		lines = append(lines, spoken(said.by, said.text, udp.Now().Sub(from)))
	}
	at, all := d.elapsed(), d.rest()
	keys := 0
	for _, x := range all {
		if x.kind == kindConversation {
			keys++
		}
	}
	d.tell(at, "they talk", all, map[string]any{"took_ms": thousandths(udp.Now().Sub(began)), "keys": keys},
		append(lines, fmt.Sprintf("Each of the %d datagrams had a key of its own, overwritten at both ends when it was used. Each answer mixes in a new Diffie-Hellman, so that who copied all keys now is soon shut out again.", keys),
			"✓ it lies on the other's disk: nothing is acknowledged before.")...)
	return nil
}

// move has a person lose the network, hear nothing of what the other says meanwhile, and come back at another port.
func (d *demo) move(ctx context.Context, p *demoPerson, lost, back string) error {
	before, since := p.h.LocalAddrs()[0], d.len()
	var said time.Time
	var mistake error
	err := p.h.RebindAfter(func() {
		d.settled(p.who, netip.AddrPort{}, since)
		said = udp.Now()
		if mistake = p.other.say(lost); mistake == nil {
			_, mistake = d.await(ctx, since, func(x crossing) bool {
				return x.from == p.other.who && x.to == before && len(x.b) > shortest && x.b[0] == 0x51
			})
		}
		since = d.len()
	}, demoLoopback)
	after := p.h.LocalAddrs()[0]
	d.settled(p.who, after, since)
	if err := errors.Join(err, mistake); err != nil {
		return err
	}
	if err := p.other.arrived(ctx, lost); err != nil {
		return err
	}
	took := udp.Now().Sub(said)
	said = udp.Now()
	if err := p.say(back); err != nil {
		return err
	}
	if err := p.arrived(ctx, back); err != nil {
		return err
	}
	answered := udp.Now().Sub(said)
	at, all := d.elapsed(), d.rest()
	gone, republished := 0, false
	for _, x := range all {
		if !x.there {
			gone++
		}
		republished = republished || x.from == p.who && x.kind == "put"
	}
	ids := d.changed(p.who, before, after)
	says, onward := fmt.Sprintf("%v's network goes, and another comes", p.who), ""
	if p.who == bob {
		says = "bob moves too"
	}
	if republished {
		onward = fmt.Sprintf(" %v's record in the DHT has the new address as well.", p.who)
	}
	explains := []string{
		spoken(p.other, lost, took),
		fmt.Sprintf("That went to port %d, where nobody is any more (%s). %v is back at port %d, and pings from there under a new id; %v pings back, lest a forged address divert what is said, and sends the text again.%s",
			before.Port(), several(gone, "datagram"), p.who, after.Port(), p.other.who, onward),
		spoken(p, back, answered),
		ids.String(),
	}
	if p.who == bob {
		explains = append(explains, "Had both moved at once, neither would have heard of the other: after 60 s of silence each looks for the other's new record, and a new handshake begins a new conversation. Texts that were not acknowledged go there.")
	}
	d.tell(at, says, all, map[string]any{
		"from": before.String(), "to": after.String(), "lost": gone, "took_ms": thousandths(took),
		"cids_before": ids.before[:], "cids_after": ids.after[:], "cids_at_both": ids.both,
	}, explains...)
	return nil
}

// A change is what became of the ids of a conversation when somebody moved: from him, and to him.
type change struct {
	before, after [2]string
	both          []string // those that stood on datagrams at both of his addresses
}

func (c change) String() string {
	s := fmt.Sprintf("The ids on the datagrams were %s and %s, and are %s and %s", c.before[0], c.before[1], c.after[0], c.after[1])
	if len(c.both) > 0 {
		return s + fmt.Sprintf("; %s was seen at both ports.", strings.Join(c.both, " "))
	}
	return s + ": none was seen at both ports."
}

// changed returns what became of the ids when somebody went from one address to another.
func (d *demo) changed(who party, old, now netip.AddrPort) (c change) {
	d.mu.Lock()
	defer d.mu.Unlock()
	places := map[string][2]bool{} // at which of his two addresses an id was
	for i := range d.decoded {
		x := &d.decoded[i]
		if x.kind != kindConversation {
			continue
		}
		b := x.cid()
		id, at, way := short(b[:]), x.to, 1
		if x.from == who {
			at, way = d.home(who, x.number), 0
		}
		if at == now {
			c.after[way] = id
		} else if at == old && c.after == [2]string{} {
			c.before[way] = id
		}
		p := places[id]
		p[0], p[1] = p[0] || at == old, p[1] || at == now
		if p == [2]bool{true, true} && !slices.Contains(c.both, id) {
			c.both = append(c.both, id)
		}
		places[id] = p
	}
	return c
}

// part has alice end the conversation, and everybody leave.
func (d *demo) part(ctx context.Context) error {
	if err := d.alice.do(func(now time.Time, k *peer.Peer) error { return k.End(now, d.bob.key()) }); err != nil {
		return err
	}
	for _, p := range d.people() {
		e, err := p.await(ctx, peer.EventOffline)
		if err != nil {
			return err
		}
		if e.Why != peer.WhyLeft && e.Why != peer.WhyEnded {
			return fmt.Errorf("for %v the conversation is over because of: %v", p.who, e.Why)
		}
	}
	if err := d.silence(); err != nil {
		return err
	}
	d.tell(d.elapsed(), "they part", d.rest(), nil,
		"alice says so three times, since a datagram may be lost. Both overwrite the keys of the conversation, which never were on a disk. The strangers forget the records within hours.")
	return nil
}

// search looks at everything that crossed the wire as somebody would who saw all of it.
func (d *demo) search(context.Context) error {
	all := d.decoded
	var needles []needle
	for _, p := range d.people() {
		needles = append(needles, keyNeedles(p.who.String(), p.id)...)
		needles = append(needles, needle{"what " + p.other.who.String() + " calls " + p.who.String(), []byte(p.other.petname())})
	}
	for i, text := range d.script.all() {
		needles = append(needles, needle{"the " + ordinal(i+1) + " text", []byte(text)})
	}
	hits, err := newSearch(needles).hits(all)
	if err != nil {
		return err
	}
	bytes, between := 0, 0
	for _, x := range all {
		bytes += len(x.b)
		if !x.from.person() && !x.who.person() {
			between++
		}
	}
	n := len(hits)
	r := demoReport{
		Event: "search", Step: d.name, At: thousandths(d.elapsed()), Says: fmt.Sprintf("who recorded all of it finds: %s in %s", several(n, "hit"), several(len(all), "datagram")),
		Count: len(all), Bytes: bytes, Hits: &n, bad: n > 0, Facts: map[string]any{"needles": len(needles), "strangers": between, "where": hits},
		Explains: []string{
			fmt.Sprintf("The %s, with %s among the strangers, were searched for any %d bytes in a row of both keys, raw and in hex, both addresses, what each calls the other, and the %d texts. In copies into which they were put, each was found.", kilobytes(bytes), several(between, "datagram"), trace, len(d.script.all())),
			"What he does see: IP addresses, times, sizes, that it is Kith, and at a slot which two addresses meet there. spec/security.md says what is claimed, and what is not.",
		},
	}
	if n > 0 {
		r.Explains = hits[:min(n, 10)]
	}
	d.printer.step(r, nil)
	if n > 0 {
		return fmt.Errorf("%s in %s: %s", several(n, "hit"), several(len(all), "datagram"), hits[0])
	}
	return nil
}

// slotOf returns the slot into which somebody put a record.
func slotOf(all []datagram, who party) wire.ID {
	for _, x := range all {
		if x.from == who && x.kind == "put" && !x.reply {
			return x.target
		}
	}
	return wire.ID{}
}

// recordIn returns the value that a put carries, without the length before it.
func recordIn(b []byte) []byte {
	var m wire.Message
	if wire.ParseMessage(b, &m) != nil {
		return nil
	}
	_, value, _ := strings.Cut(string(m.Value), ":")
	return []byte(value)
}

// spoken is what somebody said, and how long it took until it was known to have arrived.
func spoken(by *demoPerson, text string, took time.Duration) string {
	return fmt.Sprintf("%-6v %q ✓ %s", by.who, text, spent(took))
}

// spent returns how long something took, in milliseconds.
func spent(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// ordinal returns the n-th in digits.
func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprintf("%d%s", n, suffix)
}
