package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kith/dht"
	"kith/handshake"
	"kith/internal/udp"
	"kith/peer"
	"kith/peer/host"
)

const (
	historyAtStart = 10               // entries of the history that are shown at the start
	historyAsked   = 100              // and by /history
	noNodesAfter   = 30 * time.Second // without a node of the DHT, the person is told
)

// A chatRun is kith peer on a terminal while it runs. All of it belongs to one goroutine.
type chatRun struct {
	host   *host.Host
	chat   *chat
	people map[handshake.PublicKey]*chatPerson
	byName map[string]handshake.PublicKey // by the name that the chat has
}

// A chatPerson is a friend as the chat names him.
type chatPerson struct {
	name    string
	sent    []chatSent // of this run and not delivered, the oldest first
	earlier int        // messages of earlier runs that wait
}

// chatSent is a text of the chat in the outbox.
type chatSent struct{ position, id uint64 }

// runChat is kith peer on a terminal.
func runChat(ctx context.Context, cmd *cobra.Command, f *peerFlags, h *host.Host, own handshake.PublicKey, in, out *os.File) error {
	// A terminal that does not read holds this goroutine up, but not the goodbye.
	defer context.AfterFunc(ctx, func() { h.Close() })()
	r := &chatRun{host: h, people: map[handshake.PublicKey]*chatPerson{}, byName: map[string]handshake.PublicKey{}}
	var contacts []peer.Contact
	_ = h.Do(func(_ time.Time, p *peer.Peer) { contacts = p.Contacts() })
	contacts = slices.DeleteFunc(contacts, func(c peer.Contact) bool { return c.Blocked })
	slices.SortStableFunc(contacts, func(a, b peer.Contact) int { return cmp.Or(b.Spoken.Compare(a.Spoken), a.Added.Compare(b.Added)) })
	var names []string
	for _, c := range contacts {
		names = append(names, r.meet(c).name)
	}
	var err error
	if r.chat, err = openChat(ctx, in, out, chatConfig{
		friends: names, address: own, history: f.history, colour: true, now: func() time.Time { return udp.Now().Local() },
	}); err != nil {
		if errors.Is(err, errNoCursor) {
			err = errors.New(err.Error() + ": kith peer --json speaks in lines")
		}
		return failed(cmd, exitFailed, err)
	}
	defer r.chat.close()
	defer r.chat.rescue()
	if f.history && len(contacts) > 0 {
		r.history(contacts[0].Key, historyAtStart)
	}
	for _, c := range contacts {
		if c.Waiting > 0 {
			r.chat.show(chatEvent{kind: chatQueued, friend: r.people[c.Key].name, count: c.Waiting})
		}
	}
	err = r.loop(ctx)
	r.chat.close()
	if fault := h.Close(); fault != nil {
		err = trimmed(fault)
	}
	if err != nil {
		return failed(cmd, exitFailed, err)
	}
	return nil
}

// loop goes on until the person leaves, a signal comes, or the peer has ended.
func (r *chatRun) loop(ctx context.Context) error {
	type wish struct {
		chatCommand
		err error
	}
	wishes, stop := make(chan wish), make(chan struct{})
	defer close(stop)
	go func() {
		defer r.chat.rescue()
		for {
			w, err := r.chat.next(ctx)
			select {
			case wishes <- wish{w, err}:
			case <-stop:
				return
			}
			if err != nil || w.verb == chatQuit {
				return
			}
		}
	}()
	lonely := time.NewTimer(noNodesAfter)
	defer lonely.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.host.Done():
			return nil
		case w := <-wishes:
			switch {
			case errors.Is(w.err, io.EOF), w.verb == chatQuit, ctx.Err() != nil:
				return nil
			case w.err != nil:
				return w.err
			}
			r.obey(w.chatCommand)
		case <-r.host.More():
			r.tell(r.host.Take())
		case <-lonely.C:
			r.lonely()
		}
	}
}

// lonely says so when no node of the DHT has answered.
func (r *chatRun) lonely() {
	var s dht.Stats
	if r.host.Do(func(_ time.Time, p *peer.Peer) { s = p.NodeStats() }) == nil && s.Nodes[dht.V4]+s.Nodes[dht.V6] == 0 {
		r.chat.show(chatEvent{kind: chatNotice, text: "no node of the DHT answers: is there a network? kith doctor says more, once this has ended"})
	}
}

// meet makes a contact known under a name that no other has: his own, or as much of his address as it takes.
func (r *chatRun) meet(c peer.Contact) *chatPerson {
	name, address := c.Name, c.Key.String()
	for n := len("kith1") + 8; name == "" || r.isTaken(name) && n <= len(address); n++ {
		name = address[:n]
	}
	p := &chatPerson{name: name, earlier: c.Waiting}
	r.people[c.Key], r.byName[name] = p, c.Key
	return p
}

func (r *chatRun) isTaken(name string) bool {
	for other := range r.byName {
		if strings.EqualFold(name, other) {
			return true
		}
	}
	return false
}

func (r *chatRun) fault(err error) {
	r.chat.show(chatEvent{kind: chatError, text: plainFault(err)})
}

// obey does what the person wants.
func (r *chatRun) obey(w chatCommand) {
	key := r.byName[w.friend]
	var err error
	done := r.host.Do(func(now time.Time, p *peer.Peer) {
		switch w.verb {
		case chatSend:
			var position uint64
			if position, err = p.Send(now, key, []byte(w.text)); err == nil {
				person := r.people[key]
				person.sent = append(person.sent, chatSent{position, w.id})
			}
		case chatSeek:
			err = p.Search(now, key)
		case chatAdd:
			err = r.add(now, p, w)
		case chatRemove:
			err = p.Remove(now, key)
		case chatBlock:
			err = p.Block(now, key)
		case chatEnd:
			err = p.End(now, key)
		}
	})
	switch {
	case done != nil: // the peer has ended, which the loop sees
	case err != nil && w.verb == chatSend:
		r.chat.show(chatEvent{kind: chatRefused, friend: w.friend, id: w.id, text: plainFault(err)})
	case err != nil:
		r.fault(err)
	case w.verb == chatHistory:
		r.history(key, historyAsked)
	}
}

func (r *chatRun) add(now time.Time, p *peer.Peer, w chatCommand) error {
	for _, c := range p.Contacts() {
		switch {
		case c.Key == w.key && c.Blocked:
			return errors.New("this contact is blocked: kith contact unblock, once this has ended")
		case c.Key == w.key:
			return errors.New("this is " + r.people[c.Key].name + ", and added already")
		case strings.EqualFold(c.Name, w.friend):
			return errors.New("another contact has this name")
		}
	}
	if err := checkName(w.friend); err != nil {
		return err
	}
	if err := p.Add(now, w.key, w.friend); err != nil {
		return err
	}
	r.meet(peer.Contact{Key: w.key, Name: w.friend})
	return nil
}

// tell shows what has happened, and takes the messages that were shown.
func (r *chatRun) tell(events []peer.Event) {
	shown := map[handshake.PublicKey]uint64{}
	for _, e := range events {
		p := r.people[e.Friend]
		if p == nil {
			continue // of nobody, or of who was removed since
		}
		if c, ok := r.picture(p, e); ok {
			c.friend = p.name
			r.chat.show(c)
		}
		if e.Kind == peer.EventMessage {
			shown[e.Friend] = e.Position
		}
	}
	if len(shown) == 0 {
		return
	}
	_ = r.host.Do(func(now time.Time, p *peer.Peer) {
		for key, position := range shown {
			_ = p.Taken(now, key, position) // who was removed meanwhile has none
		}
	})
}

// picture is how the chat sees an event; not all are for people.
func (r *chatRun) picture(p *chatPerson, e peer.Event) (c chatEvent, ok bool) {
	switch e.Kind {
	case peer.EventMessage:
		return chatEvent{kind: chatMessage, at: e.Time.Local(), text: string(e.Text), again: e.Again}, true
	case peer.EventOnline:
		return chatEvent{kind: chatOnline}, true
	case peer.EventOffline:
		return offlinePicture(e.Why)
	case peer.EventNotFound:
		return chatEvent{kind: chatNotFound}, true
	case peer.EventDelivered:
		r.delivered(p, e)
	case peer.EventClock:
		return chatEvent{kind: chatClock, skew: e.Ahead}, true
	case peer.EventMissing:
		return chatEvent{kind: chatMissing, count: int(min(e.To-e.From, 1<<30)) + 1}, true
	case peer.EventRefused:
		return chatEvent{kind: chatNotice, text: "a message from " + p.name + " is nothing that this program can show"}, true
	case peer.EventAdded:
		return chatEvent{kind: chatAdded}, true
	case peer.EventRemoved, peer.EventBlocked:
		delete(r.people, e.Friend)
		delete(r.byName, p.name)
		if e.Kind == peer.EventBlocked {
			return chatEvent{kind: chatBlocked}, true
		}
		return chatEvent{kind: chatRemoved}, true
	}
	return chatEvent{}, false
}

func offlinePicture(why peer.Why) (chatEvent, bool) {
	switch why {
	case peer.WhyLost:
		return chatEvent{kind: chatOffline}, true
	case peer.WhyLeft:
		return chatEvent{kind: chatEnded, own: true}, true
	case peer.WhyIdle:
		return chatEvent{kind: chatEnded, text: "nothing was said for a day"}, true
	case peer.WhyMalformed:
		return chatEvent{kind: chatEnded, text: "one of the two programs has said what the other does not understand"}, true
	case peer.WhyEnded:
		return chatEvent{kind: chatEnded}, true
	}
	return chatEvent{}, false // another takes its place at once
}

// delivered takes note of all texts up to a position: those of this run, and else as many as wait no more.
func (r *chatRun) delivered(p *chatPerson, e peer.Event) {
	for len(p.sent) > 0 && p.sent[0].position <= e.Position {
		r.chat.show(chatEvent{kind: chatDelivered, friend: p.name, id: p.sent[0].id})
		p.sent = p.sent[1:]
	}
	if p.earlier == 0 {
		return
	}
	waiting := 0
	_ = r.host.Do(func(_ time.Time, peer *peer.Peer) {
		for _, c := range peer.Contacts() {
			if c.Key == e.Friend {
				waiting = max(0, c.Waiting-len(p.sent))
			}
		}
	})
	for ; p.earlier > waiting; p.earlier-- {
		r.chat.show(chatEvent{kind: chatDelivered, friend: p.name})
	}
}

// history shows the last that was said to and by a friend.
func (r *chatRun) history(key handshake.PublicKey, most int) {
	entries, err := r.host.History(key, most)
	if err != nil {
		r.fault(err)
		return
	}
	for _, e := range entries {
		r.chat.show(chatEvent{kind: chatMessage, friend: r.people[key].name, at: e.Time.Local(), text: string(e.Text), own: !e.Received})
	}
}
