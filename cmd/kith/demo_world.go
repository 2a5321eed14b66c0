package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"kith/dht"
	"kith/handshake"
	"kith/internal/udp"
	"kith/peer"
	"kith/peer/host"
)

// demoLoopback is where everything in the demonstration listens.
var demoLoopback = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}

// A demoPerson is alice or bob.
type demoPerson struct {
	who   party
	id    *handshake.Identity
	other *demoPerson
	h     *host.Host
	heard []peer.Event // and not yet waited for
}

func (p *demoPerson) key() handshake.PublicKey { return p.id.PublicKey() }

// petname is what a person calls the other.
func (p *demoPerson) petname() string { return p.other.who.String() + " of the demo" }

// await returns the first event of a kind that was not waited for before, when it is there.
func (p *demoPerson) await(ctx context.Context, kind peer.EventKind) (peer.Event, error) {
	for {
		for i, e := range p.heard {
			if e.Kind == kind {
				p.heard = append(p.heard[:i:i], p.heard[i+1:]...)
				return e, nil
			}
		}
		select {
		case <-ctx.Done():
			return peer.Event{}, ctx.Err()
		case <-p.h.Done():
			return peer.Event{}, errors.Join(fmt.Errorf("%v's peer has ended", p.who), p.h.Err())
		case <-p.h.More():
			p.heard = append(p.heard, p.h.Take()...)
		}
	}
}

// do calls the peer.
func (p *demoPerson) do(f func(now time.Time, k *peer.Peer) error) (err error) {
	return errors.Join(p.h.Do(func(now time.Time, k *peer.Peer) { err = f(now, k) }), err)
}

// add adds the other.
func (p *demoPerson) add(ctx context.Context) error {
	if err := p.do(func(now time.Time, k *peer.Peer) error { return k.Add(now, p.other.key(), p.petname()) }); err != nil {
		return err
	}
	_, err := p.await(ctx, peer.EventAdded)
	return err
}

// say sends a text to the other.
func (p *demoPerson) say(text string) error {
	return p.do(func(now time.Time, k *peer.Peer) error {
		_, err := k.Send(now, p.other.key(), []byte(text))
		return err
	})
}

// arrived waits until the other has a text of this person's and this person knows.
func (p *demoPerson) arrived(ctx context.Context, text string) error {
	e, err := p.other.await(ctx, peer.EventMessage)
	if err != nil {
		return err
	}
	if string(e.Text) != text {
		return fmt.Errorf("%v said %q, and %v got %q", p.who, text, p.other.who, e.Text)
	}
	if err := p.other.do(func(now time.Time, k *peer.Peer) error { return k.Taken(now, p.key(), e.Position) }); err != nil {
		return err
	}
	_, err = p.await(ctx, peer.EventDelivered)
	return err
}

// A demoWorld is all that there is: strangers, two people, and a folder for what they store.
type demoWorld struct {
	*capture
	folder    string
	strangers []*udp.Driver
	inboxes   []*inbox
	alice     *demoPerson
	bob       *demoPerson
}

// newDemoWorld returns a world without anybody in it. It is closed also where there is an error.
func newDemoWorld() (*demoWorld, error) {
	folder, err := os.MkdirTemp("", "kith-demo-")
	if err != nil {
		return nil, err
	}
	return &demoWorld{capture: newCapture(), folder: folder}, nil
}

// begin starts a node that knows one other, unless it is the first.
func (w *demoWorld) begin() error {
	d, err := udp.Listen(udp.Config{Listen: demoLoopback})
	if err != nil {
		return err
	}
	n := len(w.strangers)
	w.strangers = append(w.strangers, d)
	var knows []netip.AddrPort
	if n > 0 {
		knows = w.strangers[n/2].LocalAddrs()
	}
	node, err := dht.New(dht.Config{Reachable: true, Bootstrap: knows}, udp.Now())
	if err != nil {
		return err
	}
	in := newInbox()
	w.inboxes = append(w.inboxes, in)
	w.settled(party(n), d.LocalAddrs()[0], 0)
	d.Start(stranger{node, party(n), w.capture}, in.from(node))
	return nil
}

// ready waits until the n-th node has found others.
func (w *demoWorld) ready(ctx context.Context, n int) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.inboxes[n].more:
			for _, e := range w.inboxes[n].take() {
				if e.Kind == dht.EventReady {
					return nil
				}
			}
		}
	}
}

// born makes two people. They are drawn anew until they are not within an hour of an edge of their epochs, where they would use two slots each: once more, mostly.
func (w *demoWorld) born() error {
	w.alice, w.bob = &demoPerson{who: alice}, &demoPerson{who: bob}
	w.alice.other, w.bob.other = w.bob, w.alice
	for {
		for _, p := range w.people() {
			var seed [handshake.SeedSize]byte
			_, _ = rand.Read(seed[:]) // it never fails
			id, err := handshake.NewIdentity(seed[:])
			clear(seed[:])
			if err != nil {
				return err
			}
			p.id = id
		}
		pair, err := handshake.NewPair(w.alice.id, w.bob.key())
		if err != nil {
			return err
		}
		now := udp.Now()
		slots := max(len(pair.Live(now)), len(pair.Live(now.Add(demoPatience))))
		pair.Erase()
		if slots == 1 {
			return nil
		}
		for _, p := range w.people() {
			p.id.Erase()
		}
	}
}

func (w *demoWorld) people() []*demoPerson { return []*demoPerson{w.alice, w.bob} }

// join starts a person's peer, which knows one node, and waits until it knows others.
func (w *demoWorld) join(ctx context.Context, p *demoPerson, knows int) error {
	since := w.len()
	h, err := host.Start(host.Config{
		Identity: p.id,
		Store:    filepath.Join(w.folder, p.who.String(), "peer.db"),
		Listen:   demoLoopback,
		DHT:      dht.Config{Bootstrap: w.strangers[knows].LocalAddrs()},
		Tap: func(sent bool, other netip.AddrPort, b []byte) {
			if sent {
				w.sent(p.who, other, b)
			}
		},
	})
	if err != nil {
		return err
	}
	p.h = h
	w.settled(p.who, h.LocalAddrs()[0], since)
	_, err = p.await(ctx, peer.EventReady)
	return err
}

// leave ends a person's peer.
func (p *demoPerson) leave() (err error) {
	if p.h != nil {
		err = p.h.Close()
		p.h = nil
	}
	return err
}

// silence ends everybody, so that nothing is sent any more.
func (w *demoWorld) silence() (err error) {
	if w.alice != nil {
		for _, p := range w.people() {
			err = errors.Join(err, p.leave())
		}
	}
	for _, d := range w.strangers {
		err = errors.Join(err, d.Close())
	}
	return err
}

// close ends everybody and removes what they stored.
func (w *demoWorld) close() error {
	err := w.silence()
	if w.alice != nil {
		for _, p := range w.people() {
			if p.id != nil {
				p.id.Erase()
			}
		}
	}
	return errors.Join(err, os.RemoveAll(w.folder))
}
