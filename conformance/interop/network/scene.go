package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// kinds are what is given: three kinds of item, and a peer.
var kinds = []string{"immutable", "mutable", "salted", "peer"}

// scene is one network, through which every program gives one of each kind to every other.
type scene struct {
	name     string
	nodes    []*node
	programs []*program
	results  *results
	slots    chan struct{} // one for each command at once, of all networks
}

func (s *scene) play(ctx context.Context) {
	var given sync.WaitGroup
	limited := func(f func()) {
		s.slots <- struct{}{}
		defer func() { <-s.slots }()
		f()
	}
	for i, p := range s.programs {
		for k, kind := range kinds {
			given.Go(func() {
				t := s.thing(p, kind)
				var err error
				limited(func() { err = s.give(ctx, p, kind, t, s.door(i+k)) })
				s.results.add(step{Kind: kind, By: p.name, Through: s.name}, err)
				if err != nil {
					return // there is nothing to take
				}
				var taken sync.WaitGroup
				for j, q := range s.programs {
					taken.Go(func() {
						limited(func() {
							s.results.add(step{kind, p.name, s.name, q.name}, s.take(ctx, q, p, kind, t, s.door(j+k+1)))
						})
					})
				}
				taken.Wait()
			})
		}
	}
	given.Wait()
}

// door is a node of the network to begin at; different ones, where there are several.
func (s *scene) door(i int) string { return s.nodes[i%len(s.nodes)].addr }

// The commands of the other two programs are nodes like any: they take part for as long as they run, keep what others give, and are
// asked for a while after they have gone. So that none of them is where something is kept, everything that is given lies
// at the low end of the id space, as the nodes of the network do, and the commands at its high end. The nodes lie at the very end:
// anacrolix answers get with the nodes on the way to the hash of zeros, whatever the target is, and one that has its only
// neighbour elsewhere names none.
const (
	lowEnd  = 0x00
	highEnd = 0xff
)

// idOf makes an id of its beginning and what it is for.
func idOf(begin []byte, words ...string) string {
	return hex.EncodeToString(append(begin, hash(words...)[len(begin):20]...))
}

func hash(words ...string) []byte {
	h := sha256.Sum256([]byte("kith interop " + strings.Join(words, "\x00")))
	return h[:]
}

// thing is what is given: its target, and the item unless it is a peer.
type thing struct {
	target string
	item
}

// thing makes one of a kind whose target lies at the low end.
func (s *scene) thing(p *program, kind string) thing {
	if kind == "peer" {
		return thing{target: idOf([]byte{lowEnd}, s.name, p.name, kind)}
	}
	for n := 0; ; n++ {
		t := thing{item: item{text: fmt.Sprintf("%s by %s through %s, %d", kind, p.name, s.name, n)}}
		h := sha1.Sum([]byte(t.bencoded()))
		if kind != "immutable" {
			if kind == "salted" {
				t.salt = "a salt"
			}
			seed := hash(t.text)
			t.seed = hex.EncodeToString(seed)
			h = sha1.Sum(append(ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey), t.salt...))
		}
		if h[0]>>4 == lowEnd {
			t.target = hex.EncodeToString(h[:])
			return t
		}
	}
}

func (it item) bencoded() string { return fmt.Sprintf("%d:%s", len(it.text), it.text) }

// port is the one that a program announces.
func (s *scene) port(p *program) int { return 10001 + slices.Index(s.programs, p) }

// give puts or announces.
func (s *scene) give(ctx context.Context, p *program, kind string, t thing, at string) error {
	id := idOf([]byte{highEnd}, s.name, p.name, kind, "give")
	if kind == "peer" {
		_, err := p.call(ctx, p.announce(at, id, t.target, s.port(p)))
		return err
	}
	out, err := p.call(ctx, p.put(at, id, t.item))
	if err == nil && !slices.Contains(strings.Fields(out), t.target) {
		err = fmt.Errorf("its target is %s; it printed %q", t.target, out)
	}
	return err
}

// take gets what p gave, with q.
func (s *scene) take(ctx context.Context, q, p *program, kind string, t thing, at string) error {
	id := idOf([]byte{highEnd}, s.name, p.name, kind, "take", q.name)
	if kind == "peer" {
		out, err := q.call(ctx, q.peers(at, id, t.target))
		if want := fmt.Sprintf("127.0.0.1:%d", s.port(p)); err == nil && !slices.Contains(strings.Fields(out), want) {
			err = fmt.Errorf("not %s but %q", want, out)
		}
		return err
	}
	out, err := q.call(ctx, q.get(at, id, t.item, t.target))
	if value, _, _ := strings.Cut(out, "\n"); err == nil && value != t.bencoded() {
		err = fmt.Errorf("another value: %q", value)
	}
	return err
}
