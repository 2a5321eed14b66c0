package main

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/peer"
	"kith/peer/conversation"
)

// sessionSays returns the lines about events without their time and friend.
func sessionSays(s *lineSession, events ...peer.Event) []string {
	now := time.UnixMilli(0)
	for _, e := range events {
		s.event(now, e)
	}
	text := string(s.out.take())
	for _, c := range s.book.contacts {
		text = strings.ReplaceAll(text, `"friend":"`+c.Key.String()+`",`, "")
		text = strings.ReplaceAll(text, `"friend":"`+c.Key.String()+`"`, "")
	}
	text = strings.NewReplacer(`"time":0,`, "", `"time":0`, "").Replace(text)
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

func TestEachSendIsAnswered(t *testing.T) {
	keys, _ := contactKeys(t, 2)
	bob := keys[1]
	s := newLineSession(keys[0])
	s.book = bookOf([]peer.Contact{{Key: bob}})
	s.friend(bob).earlier = true
	ref := "r"
	for i := range 4 {
		c := lineCommand{do: "send"}
		if i == 2 {
			c.ref = &ref
		}
		f := s.friend(bob)
		f.sent = append(f.sent, lineSent{uint64(7 + i), c.ref})
		s.waiting++
	}
	queued := func(p uint64) peer.Event {
		return peer.Event{Kind: peer.EventQueued, Friend: bob, Position: p}
	}
	delivered := func(p uint64) peer.Event {
		return peer.Event{Kind: peer.EventDelivered, Friend: bob, Position: p}
	}
	require.Equal(t, []string{`{"event":"queued","position":"7"}`, `{"event":"queued","position":"8"}`}, sessionSays(s, queued(8)))
	require.Equal(t, 2, s.waiting)
	// Of what an earlier run has left the last is told, then each.
	require.Equal(t, []string{`{"event":"delivered","position":"4"}`}, sessionSays(s, delivered(4)))
	require.Equal(t, []string{
		`{"event":"queued","ref":"r","position":"9"}`,
		`{"event":"delivered","position":"6"}`, `{"event":"delivered","position":"7"}`, `{"event":"delivered","position":"8"}`, `{"event":"delivered","position":"9"}`,
	}, sessionSays(s, delivered(9)), "nothing is delivered that was not queued")
	require.Equal(t, []string{`{"event":"queued","position":"10"}`, `{"event":"delivered","position":"10"}`}, sessionSays(s, queued(10), delivered(10)))
	require.Zero(t, s.waiting)
	require.Empty(t, s.friend(bob).sent)
}

// TestPositionsOfBeforeABlockCountNoMore: they begin anew, so that what comes late must not be taken for what was sent since.
func TestPositionsOfBeforeABlockCountNoMore(t *testing.T) {
	keys, _ := contactKeys(t, 2)
	bob, ref := keys[1], "lost"
	s := newLineSession(keys[0])
	s.book = bookOf([]peer.Contact{{Key: bob}})
	s.friend(bob).sent = []lineSent{{5, &ref}}
	s.waiting = 1
	s.forget(time.UnixMilli(0), bob)
	require.Zero(t, s.waiting)
	require.Equal(t, []string{`{"event":"error","ref":"lost","text":"the contact was taken away before the message was stored","do":"send"}`}, sessionSays(s))
	s.asked[lineAnswer{peer.EventBlocked, bob}] = []*string{nil}
	s.asked[lineAnswer{peer.EventUnblocked, bob}] = []*string{nil}
	s.friend(bob).sent = []lineSent{{0, nil}}
	s.waiting = 3
	late := peer.Event{Kind: peer.EventQueued, Friend: bob, Position: 5}
	require.Equal(t, []string{""}, sessionSays(s, late))
	require.Equal(t, []string{`{"event":"blocked",}`, `{"event":"unblocked",}`, `{"event":"queued","position":"0"}`}, sessionSays(s,
		peer.Event{Kind: peer.EventBlocked, Friend: bob}, peer.Event{Kind: peer.EventUnblocked, Friend: bob}, peer.Event{Kind: peer.EventQueued, Friend: bob}))
	require.Zero(t, s.waiting)
}

func TestEveryEventHasItsLine(t *testing.T) {
	keys, _ := contactKeys(t, 2)
	bob := keys[1]
	s := newLineSession(keys[0])
	s.book = bookOf([]peer.Contact{{Key: bob, Name: "bob"}})
	at := netip.MustParseAddrPort("192.0.2.1:7")
	for want, e := range map[string]peer.Event{
		`{"event":"online","name":"bob","from":"192.0.2.1:7"}`: {Kind: peer.EventOnline, Addr: at},
		`{"event":"offline","name":"bob","why":"left"}`:        {Kind: peer.EventOffline, Why: peer.WhyEnded},
		`{"event":"offline","name":"bob","why":"ended"}`:       {Kind: peer.EventOffline, Why: peer.WhyLeft},
		`{"event":"offline","name":"bob","why":"lost"}`:        {Kind: peer.EventOffline, Why: peer.WhyLost},
		`{"event":"offline","name":"bob","why":"idle"}`:        {Kind: peer.EventOffline, Why: peer.WhyIdle},
		`{"event":"offline","name":"bob","why":"malformed"}`:   {Kind: peer.EventOffline, Why: peer.WhyMalformed},
		`{"event":"offline","name":"bob","why":"replaced"}`:    {Kind: peer.EventOffline, Why: peer.WhyReplaced},
		`{"event":"not_found","name":"bob"}`:                   {Kind: peer.EventNotFound},
		`{"event":"clock","name":"bob","ahead_ms":-1500}`:      {Kind: peer.EventClock, Ahead: -1500 * time.Millisecond},
		`{"event":"missing","name":"bob","from":"0","to":"3"}`: {Kind: peer.EventMissing, To: 3},
		`{"event":"refused","name":"bob","why":"size"}`:        {Kind: peer.EventRefused, Refused: conversation.RefusedSize},
		`{"event":"refused","name":"bob","why":"type"}`:        {Kind: peer.EventRefused, Refused: conversation.RefusedType},
		`{"event":"refused","name":"bob","why":"utf8"}`:        {Kind: peer.EventRefused, Refused: conversation.RefusedText},
		``: {Kind: peer.EventPublished},
	} {
		e.Friend = bob
		require.Equal(t, []string{want}, sessionSays(s, e))
	}
	require.Equal(t, []string{`{"event":"own_address","endpoint":"192.0.2.1:7"}`}, sessionSays(s, peer.Event{Kind: peer.EventAddress, Addr: at}))
}
