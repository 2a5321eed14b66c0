package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"kith/handshake"
)

// Time in a bubble begins at midnight in UTC, on Saturday, 1 January 2000.

func TestBothType(t *testing.T) {
	const long = "the quick brown fox jumps over the lazy dog, and then it does so again"
	for _, width := range []int{40, 200} {
		atDesk(t, width, 24, bobAndCarol, func(d *desk) {
			d.show(chatEvent{kind: chatOnline, friend: "bob"})
			d.press("hel")
			d.show(says("hi"))
			d.press("lo ", "\u6f22\u5b57", "\U0001f44d", "\x1b[D\x1b[D")
			d.show(says(long))
			d.press("!")
			d.show(says("bye"))
			if width == 40 {
				d.want(
					"-- bob is here",
					"00:00 bob: hi",
					"00:00 bob: the quick brown fox jumps",
					"      over the lazy dog, and then it",
					"      does so again",
					"00:00 bob: bye",
					"bob> hello \u6f22!^\u5b57\U0001f44d",
				)
			} else {
				d.want("-- bob is here", "00:00 bob: hi", "00:00 bob: "+long, "00:00 bob: bye", "bob> hello \u6f22!^\u5b57\U0001f44d")
			}
			d.press("\x1b[F", "\r")
			d.wantNext(chatCommand{verb: chatSend, friend: "bob", text: "hello \u6f22!\u5b57\U0001f44d", id: 1})
			require.Contains(d, d.glass.String(), "00:00 bob: bye\n00:00 me: hello \u6f22!\u5b57\U0001f44d\nbob> ^")
		})
	}
}

// TestTypingOverRows has a line of several rows, the cursor in none of the last, and messages that come.
func TestTypingOverRows(t *testing.T) {
	atDesk(t, 40, 24, bobAndCarol, func(d *desk) {
		d.show(chatEvent{kind: chatOnline, friend: "bob"})
		d.press(strings.Repeat("0123456789", 9), "\x1b[H")
		for _, text := range []string{"one", "two"} {
			d.show(says(text))
		}
		d.want(
			"-- bob is here",
			"00:00 bob: one",
			"00:00 bob: two",
			"bob> ^0123456789012345678901234567890123",
			"456789012345678901234567890123456789012",
			"34567890123456789",
		)
		d.press("\x1b[F\x15")
		d.want("-- bob is here", "00:00 bob: one", "00:00 bob: two", "bob> ^")
	})
}

func TestLineThatIsHigherThanTheScreen(t *testing.T) {
	atDesk(t, 20, 6, bobAndCarol, func(d *desk) {
		d.press("\x1b[200~1\r2\r3\r4\r5\r6\r7\r8\r9\x1b[201~")
		d.show(says("hi"))
		require.True(d, strings.HasSuffix(d.glass.String(), "\n00:00 bob: hi\n7\n8\n9^"), "%s", d.glass)
		d.press("\x1b[H")
		require.True(d, strings.HasSuffix(d.glass.String(), "\n00:00 bob: hi\nbob (loo..> ^1\n2\n3") || strings.HasSuffix(d.glass.String(), "> ^1\n2\n3"), "%s", d.glass)
		d.press("\r")
		d.wantNext(chatCommand{verb: chatSend, friend: "bob", text: "1\n2\n3\n4\n5\n6\n7\n8\n9", id: 1})
	})
}

func TestResize(t *testing.T) {
	atDesk(t, 40, 24, bobAndCarol, func(d *desk) {
		d.show(chatEvent{kind: chatOnline, friend: "bob"}, says("hi"))
		d.press(strings.Repeat("0123456789", 8))
		for _, width := range []int{30, 17, 200, 40} {
			d.glass.resize(width)
			d.chat.changed(false, nil)
			require.Equal(d, 1, strings.Count(d.glass.String(), "bob> "), "at %d:\n%s", width, d.glass)
			require.Equal(d, 1, strings.Count(d.glass.String(), "00:00 bob: hi\n"), "at %d:\n%s", width, d.glass)
		}
		d.want(
			"-- bob is here",
			"00:00 bob: hi",
			"bob> 0123456789012345678901234567890123",
			"456789012345678901234567890123456789012",
			"3456789^",
		)
		stopped := false
		d.chat.changed(true, func() { stopped = true })
		require.True(d, stopped)
	})
}

// TestMarks tells what a person sees of what is delivered: nothing, unless it had to wait.
func TestMarks(t *testing.T) {
	atDesk(t, 80, 24, bobAndCarol, func(d *desk) {
		bob := func(k chatKind, id uint64) chatEvent { return chatEvent{kind: k, friend: "bob", id: id} }
		d.show(bob(chatOnline, 0))
		d.press("one\r")
		d.show(bob(chatDelivered, 1))
		time.Sleep(2 * chatSoon)
		d.want("-- bob is here", "00:00 me: one", "bob> ^")

		d.press("two\r") // slow
		time.Sleep(2 * chatSoon)
		synctest.Wait()
		d.want("-- bob is here", "00:00 me: one", "00:00 me: two", "bob (1 on the way)> ^")
		d.show(bob(chatDelivered, 2))
		d.want("-- bob is here", "00:00 me: one", "00:00 me: two", `-- delivered to bob: "two" (00:00)`, "bob> ^")

		d.press("three\r") // lost, and others behind it
		d.show(bob(chatOffline, 0), bob(chatOffline, 0), bob(chatNotFound, 0))
		d.press("four\r")
		d.show(bob(chatOnline, 0), bob(chatDelivered, 3))
		d.want("-- bob is here", "00:00 me: one", "00:00 me: two", `-- delivered to bob: "two" (00:00)`,
			"00:00 me: three",
			"-- bob does not answer any more; 1 message waits",
			"-- bob: not found, or has not added you; 1 message waits",
			"00:00 me: four",
			"-- bob is here; 2 messages on the way",
			"bob (1 on the way)> ^")
		time.Sleep(time.Hour)
		d.show(bob(chatDelivered, 4), bob(chatDelivered, 4))
		require.Contains(d, d.glass.String(), "-- bob is here; 2 messages on the way\n"+`-- delivered to bob: 2 messages, the last "four" (00:00)`+"\nbob> ^")
	})
	atDesk(t, 80, 24, bobAndCarol, func(d *desk) {
		d.show(chatEvent{kind: chatQueued, friend: "bob", count: 2})
		d.press("a message that is rather long\r")
		d.want("-- 2 messages wait for bob", "00:00 me: a message that is rather long", "bob (looking, 3 waiting)> ^")
		d.show(chatEvent{kind: chatOnline, friend: "bob"}, chatEvent{kind: chatDelivered, friend: "bob"}, chatEvent{kind: chatDelivered, friend: "bob", text: "earlier"})
		d.show(chatEvent{kind: chatDelivered, friend: "bob", id: 1})
		d.want("-- 2 messages wait for bob", "00:00 me: a message that is rather long", "-- bob is here; 3 messages on the way",
			`-- delivered to bob: 3 messages, the last "a message that is rath.." (00:00)`, "bob> ^")
		d.press("no\r")
		d.show(chatEvent{kind: chatRefused, friend: "bob", id: 2, text: "the outbox is full"})
		time.Sleep(2 * chatSoon)
		require.Contains(d, d.glass.String(), `!! not sent to bob: the outbox is full: "no". Up brings it back`+"\nbob> ^")
	})
}

func TestEvents(t *testing.T) {
	at := time.Date(2000, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		event chatEvent
		want  string
	}{
		{chatEvent{kind: chatMessage, friend: "bob", text: "hi", at: at}, "-- Sunday, 2 January 2000\n03:04 bob: hi"},
		{chatEvent{kind: chatMessage, friend: "bob", text: "hi", own: true}, "00:00 me: hi"},
		{chatEvent{kind: chatMessage, friend: "bob", text: "hi", again: true}, "-- marked (again): perhaps shown before the program ended\n00:00 bob (again): hi"},
		{chatEvent{kind: chatMessage, friend: "bob", text: "hi\n12:00 me: no\n\n\n\n.\n"}, "00:00 bob: hi\n      12:00 me: no\n\n      ."},
		{chatEvent{kind: chatMessage, friend: "bob", text: "\u200b\u202e"}, "00:00 bob: (nothing that can be seen)"},
		{chatEvent{kind: chatMessage, friend: "bob", text: "\r\x1b[2K00:00 me: yes"}, "00:00 bob:\n      \u241b[2K00:00 me: yes"},
		{chatEvent{kind: chatMessage, friend: "dave", text: "hi"}, "00:00 dave: hi"},
		{chatEvent{kind: chatEnded, friend: "bob"}, "-- bob has left"},
		{chatEvent{kind: chatEnded, friend: "bob", text: "nothing was said for a day"}, "-- bob has left: nothing was said for a day"},
		{chatEvent{kind: chatEnded, friend: "bob", own: true}, "-- you have ended the conversation with bob; a message begins another"},
		{chatEvent{kind: chatNotFound, friend: "bob"}, "-- bob: not found, or has not added you"},
		{chatEvent{kind: chatClock, friend: "bob", skew: -52 * time.Minute}, "!! bob's clock is 52 min behind yours"},
		{chatEvent{kind: chatClock, friend: "bob", skew: 125 * time.Minute}, "!! bob's clock is 2 h 5 min ahead of yours. Over an hour, and you do not find each other: whose clock is wrong has to set it right"},
		{chatEvent{kind: chatClock, friend: "bob", skew: 100 * time.Hour}, "!! bob's clock is 4 days ahead of yours. Over an hour, and you do not find each other: whose clock is wrong has to set it right"},
		{chatEvent{kind: chatMissing, friend: "bob", count: 3}, "!! 3 messages from bob will not come: this store is an older copy, and a newer one took them"},
		{chatEvent{kind: chatAdded, friend: "dave"}, "-- dave is added, and has to add you too: /address shows what they need; /to dave talks to them"},
		{chatEvent{kind: chatRemoved, friend: "carol"}, "-- carol is removed: nothing shows them that you are there"},
		{chatEvent{kind: chatBlocked, friend: "carol"}, "-- carol is blocked: nothing shows them that you are there"},
		{chatEvent{kind: chatNotice, text: "a\tb\x1bc"}, "-- a    b\u241bc"},
		{chatEvent{kind: chatError, text: "the disk is full"}, "!! the disk is full"},
	} {
		atDesk(t, 150, 24, bobAndCarol, func(d *desk) {
			d.show(tt.event)
			got := d.glass.String()
			require.Contains(d, got, "shows what there is\n"+tt.want+"\nbob ", "%+v", tt.event)
		})
	}
}

func TestRemovedWhileTalkedTo(t *testing.T) {
	atDesk(t, 80, 24, bobAndCarol, func(d *desk) {
		d.press("secret")
		d.show(chatEvent{kind: chatRemoved, friend: "bob"})
		d.press("\r")
		d.want("-- bob is removed: nothing shows them that you are there", "-- you talk to nobody now; /to NAME, or /who",
			"!! you talk to nobody: /to NAME, or /who", "kith> ^")
		d.press("/to CAROL\r", "for carol\r")
		d.wantNext(chatCommand{verb: chatSeek, friend: "carol"})
		d.wantNext(chatCommand{verb: chatSend, friend: "carol", text: "for carol", id: 1})
	})
}

func TestNoFriendYet(t *testing.T) {
	atDesk(t, 40, 24, chatConfig{}, func(d *desk) {
		hint := `-- You have no friend here yet. Give a
   friend your address:
` + aliceAddress[:40] + "\n" + aliceAddress[40:] + `
-- and add theirs: /add ADDRESS NAME.
   Both of you have to add the other.
   /qr shows your address to a camera,
   /help what else there is.
`
		require.Equal(d, hint+"kith> ^", d.glass.String())
		d.press("hello\r")
		require.Equal(d, hint+hint+"kith> ^", d.glass.String())
		d.press("/add " + bobAddress + " bob\r")
		key, err := handshake.ParseAddress(bobAddress)
		require.NoError(d, err)
		d.wantNext(chatCommand{verb: chatAdd, friend: "bob", key: key})
		d.show(chatEvent{kind: chatAdded, friend: "bob"})
		require.Contains(d, d.glass.String(), "-- bob is added, and has to add you too:\n   /address shows what they need\nbob (looking)> ^")
	})
}

func TestLeaving(t *testing.T) {
	for how, keys := range map[string]string{"/quit": "/quit\r", "Ctrl-C": "thrown away\x03\x03", "Ctrl-D": "a\x04\x7f\x04"} {
		atDesk(t, 80, 24, bobAndCarol, func(d *desk) {
			gaveBack := false
			d.chat.restore = func() { gaveBack = true }
			d.press("hello\r", keys)
			d.wantNext(chatCommand{verb: chatSend, friend: "bob", text: "hello", id: 1})
			d.wantNext(chatCommand{verb: chatQuit})
			_, err := d.chat.next(d.Context())
			require.ErrorIs(d, err, io.EOF, how)
			require.True(d, gaveBack, how)
			d.show(chatEvent{kind: chatError, text: "the end"})
			d.want("00:00 me: hello", "-- 1 message waits for bob: sent when you are back", "!! the end", "                        ^"[:d.glass.x]+"^")
		})
	}
	atDesk(t, 80, 24, bobAndCarol, func(d *desk) {
		ctx, cancel := context.WithCancel(d.Context())
		cancel()
		_, err := d.chat.next(ctx)
		require.ErrorIs(d, err, context.Canceled)
	})
	synctest.Test(t, func(t *testing.T) { // the terminal goes
		c := newChat(strings.NewReader("hi\r"), io.Discard, func() (int, int) { return 0, 0 }, chatConfig{friends: []string{"bob"}, now: time.Now})
		go c.listen()
		w, err := c.next(t.Context())
		require.NoError(t, err)
		require.Equal(t, "hi", w.text)
		_, err = c.next(t.Context())
		require.ErrorIs(t, err, io.EOF)
		require.ErrorContains(t, err, "the terminal has gone")
		c.close()
	})
	synctest.Test(t, func(t *testing.T) { // it cannot be written to
		r, w := io.Pipe()
		c := newChat(r, &broken{}, func() (int, int) { return 80, 24 }, chatConfig{now: time.Now})
		go c.listen()
		fmt.Fprint(w, "a")
		_, err := c.next(t.Context())
		require.ErrorIs(t, err, io.ErrClosedPipe)
		c.close()
	})
}

func (*broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestPanicGivesTheTerminalBack(t *testing.T) {
	c := newChat(strings.NewReader(""), io.Discard, func() (int, int) { return 80, 24 }, chatConfig{now: time.Now})
	gaveBack := false
	c.restore = func() { gaveBack = true }
	reason := errors.New("a bug")
	require.PanicsWithValue(t, reason, func() {
		defer c.rescue()
		panic(reason)
	})
	require.True(t, gaveBack)
	gaveBack = false
	func() { defer c.rescue() }()
	require.False(t, gaveBack, "nothing happened")
}

// TestNobodyTakes has a program that takes no commands any more: the keyboard works, and what does not fit is said.
func TestNobodyTakes(t *testing.T) {
	atDesk(t, 80, 24, bobAndCarol, func(d *desk) {
		for range mostWanted {
			d.press("x\r")
		}
		d.press("y\r")
		require.Contains(d, d.glass.String(), "!! too much at once, this was left out. Up brings it back\nbob")
		d.press("\x1b[A")
		require.Contains(d, d.glass.String(), "> y^")
	})
	atDesk(t, 80, 24, bobAndCarol, func(d *desk) {
		for i := range mostPending {
			d.press("x\r")
			d.wantNext(chatCommand{verb: chatSend, friend: "bob", text: "x", id: uint64(i + 1)})
		}
		d.press("y\r")
		require.Contains(d, d.glass.String(), "!! not sent: 1000 messages wait for bob already. Up brings the text back\n")
	})
}

func TestASCII(t *testing.T) {
	atDesk(t, 80, 24, chatConfig{friends: []string{"bob"}, ascii: true}, func(d *desk) {
		d.show(says("Gr\u00fc\u00dfe \u009b31m"))
		d.press("\u00fcx\r")
		d.want("00:00 bob: Gr??e ?31m", "00:00 me: ?x", "bob (looking, 1 waiting)> ^")
		d.wantNext(chatCommand{verb: chatSend, friend: "bob", text: "\u00fcx", id: 1})
		d.press("/help\r/who\r/qr\r/add\r/history\r")
		_, said, _ := strings.Cut(d.glass.String(), "/to NAME")
		require.NotContains(d, said, "?", "what is said here is ASCII")
	})
}

func TestPrompt(t *testing.T) {
	long := strings.Repeat("x", 30)
	for _, tt := range []struct {
		name  string
		width int
		want  string
	}{
		{"bob", 200, "bob (away, 1 waiting)> ^"},
		{"bob", 40, "bob (away, 1 waiting)> ^"},
		{"alexandria", 40, "alexandria (1 waiting)> ^"},
		{long, 200, "xxxxxxxxxxxxxxxxxxxxxx.. (away, 1 waiting)> ^"},
		{long, 40, "xxxxxxxxxx.. (1 waiting)> ^"},
		{"bob", 20, "bob> ^"},
		{long, 20, "xxxxxxxxx..> ^"},
		{"\u6f22\u5b57", 1, "\u6f22\u5b57> ^"},
	} {
		atDesk(t, tt.width, 24, chatConfig{friends: []string{tt.name}}, func(d *desk) {
			d.press("x\r")
			d.show(chatEvent{kind: chatOffline, friend: tt.name})
			if tt.width >= leastWidth {
				require.True(d, strings.HasSuffix(d.glass.String(), "\n"+tt.want), "%s", d.glass)
			}
		})
	}
}

// FuzzChat: whatever a friend writes and the person types, at whatever width, the screen shows nothing but characters and the sequences
// that the glass knows, and ends with the line that is typed.
func FuzzChat(f *testing.F) {
	f.Add("khello\x00mhi there\x00k\x1b[D\x7f\x00w\x10\x00m\x1b[2J\u6f22\u5b57")
	f.Add("k/help\r\x00k\x1b[200~a\nb\x1b[201~\x00mlong long long\n\n\n\x00w\xff\x00k\x0c")
	f.Add("k/to\x00k\t\t\x00nfine\x00ebad\x00fo\x00k\r//\r")
	f.Fuzz(func(t *testing.T, script string) {
		g := newGlass(t, 40, 12)
		c := newChat(strings.NewReader(""), g, func() (int, int) { return g.width, g.height },
			chatConfig{friends: []string{"bob", "carol"}, now: func() time.Time { return time.Time{} }})
		for _, step := range strings.Split(script, "\x00") {
			if step == "" || c.quit {
				break
			}
			switch arg := step[1:]; step[0] {
			case 'k':
				c.mu.Lock()
				c.keys.read([]byte(arg), c.press)
				c.draw()
				c.mu.Unlock()
			case 'm':
				c.show(says(arg))
			case 'n':
				c.show(chatEvent{kind: chatNotice, text: arg})
			case 'e':
				c.show(chatEvent{kind: chatError, text: arg})
			case 'f':
				c.show(chatEvent{kind: chatAdded, friend: arg})
			case 'w':
				g.resize(max(leastWidth, len(arg)%100))
				c.changed(false, nil)
			}
			prompt, width := c.prompt()
			v := c.line.lay(prompt, width, g.width, g.height/2)
			require.Equal(t, v.column, g.x)
			for i, r := range v.rows {
				row := g.rows[g.y-v.row+i].text
				require.Equal(t, strings.TrimRight(r.String(), " "), strings.TrimRight(strings.Join(row, ""), " "), "%s", g)
			}
			for _, r := range g.rows[g.y-v.row+len(v.rows):] {
				require.Empty(t, r.text, "%s", g)
			}
			c.wanted = nil
		}
		c.close()
	})
}
