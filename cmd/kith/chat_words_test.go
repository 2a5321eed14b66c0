package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kith/handshake"
)

func TestWords(t *testing.T) {
	bob, err := handshake.ParseAddress(bobAddress)
	require.NoError(t, err)
	none := chatCommand{}
	for _, tt := range []struct {
		line string
		want chatCommand
		says string
	}{
		{"hello", chatCommand{verb: chatSend, friend: "bob", text: "hello", id: 1}, "00:00 me: hello"},
		{"  indented  ", chatCommand{verb: chatSend, friend: "bob", text: "  indented", id: 1}, "00:00 me:   indented"},
		{"//etc/passwd", chatCommand{verb: chatSend, friend: "bob", text: "/etc/passwd", id: 1}, "00:00 me: /etc/passwd"},
		{"", none, ""},
		{"   ", none, ""},
		{"/", none, "!! /help shows what there is; // sends a text that begins with /"},
		{"/hepl", none, "!! there is no command /hepl; did you mean /help? To send a text that begins with /, begin it with //"},
		{"/hist", none, "!! there is no command /hist; did you mean /history? To send"},
		{"/etc/passwd", none, "!! there is no command /etc/passwd; /help shows what there is To send"},
		{"/who is there", none, "!! /who: what is is?"},
		{"/who", none, "-- bob: not found yet\n-- carol: not found yet"},
		{"/to carol", chatCommand{verb: chatSeek, friend: "carol"}, "-- you talk to carol now"},
		{"/to bob", chatCommand{verb: chatSeek, friend: "bob"}, ""},
		{"/to", none, "!! /to NAME: whom? /who shows your friends"},
		{"/to carl", none, "!! you have no friend called carl; did you mean carol?"},
		{"/to ca", none, "!! you have no friend called ca; did you mean carol?"},
		{"/to nobody", none, "!! you have no friend called nobody; /who shows your friends"},
		{"/end", chatCommand{verb: chatEnd, friend: "bob"}, ""},
		{"/end carol", chatCommand{verb: chatEnd, friend: "carol"}, ""},
		{"/remove", none, "!! /remove NAME: whom? /who shows your friends"},
		{"/remove carol", chatCommand{verb: chatRemove, friend: "carol"}, ""},
		{"/block bob", chatCommand{verb: chatBlock, friend: "bob"}, ""},
		{"/address", none, aliceAddress},
		{"/history", chatCommand{verb: chatHistory, friend: "bob"}, ""},
		{"/quit", chatCommand{verb: chatQuit}, ""},
		{"/add", none, "!! /add ADDRESS NAME: the address that your friend gave you, and what you call them, one word"},
		{"/add " + bobAddress, none, "!! /add ADDRESS NAME: "},
		{"/add " + bobAddress + " Bob Smith", none, "!! /add ADDRESS NAME: "},
		{"/add " + bobAddress + " dave", chatCommand{verb: chatAdd, friend: "dave", key: bob}, ""},
		{"/add dave " + bobAddress, chatCommand{verb: chatAdd, friend: "dave", key: bob}, ""},
		{"/add " + bobAddress[:50] + " dave", none, "!! this is no address: "},
		{"/add " + aliceAddress + " dave", none, "!! this is your own address: give it to your friend, and add theirs"},
		{"/add " + bobAddress + " BOB", none, "!! you have a friend called BOB already"},
		{"/add " + bobAddress + " Me", none, "!! this is what you are called here: another name"},
		{"/add " + bobAddress + " /dave", none, "!! a name has characters that can be seen"},
		{"/add " + bobAddress + " da\u200bve", none, "!! a name has characters that can be seen"},
		{"/add " + bobAddress + " " + strings.Repeat("x", 25), none, "!! a name has at most 24 columns"},
		{strings.ToLower(aliceSecret) + "!", none, "!! not sent: it has a secret key in it. Who has that is you; nobody needs it, not even a friend"},
	} {
		atDesk(t, 200, 40, chatConfig{friends: []string{"bob", "carol"}, history: true}, func(d *desk) {
			d.press(tt.line, "\r")
			if tt.says != "" {
				require.Contains(d, d.glass.String(), "shows what there is\n"+tt.says, tt.line)
			} else if tt.want.verb == 0 {
				d.want("bob (looking)> ^")
			}
			if tt.want.verb != 0 {
				d.wantNext(tt.want)
			}
			require.Empty(d, d.chat.wanted, tt.line)
		})
	}
	atDesk(t, 80, 24, bobAndCarol, func(d *desk) {
		d.press("/history\r")
		d.want("!! nothing is kept; kith peer --history keeps what is said from then on", "bob (looking)> ^")
		d.press(aliceSecret, "\r", "\x1b[A")
		require.Contains(d, d.glass.String(), "> /history^", "a secret key is not brought back")
	})
}

func TestHelp(t *testing.T) {
	for _, width := range []int{40, 80, 200} {
		atDesk(t, width, 60, bobAndCarol, func(d *desk) {
			d.press("/help\r")
			got := d.glass.String()
			for _, w := range chatWords {
				require.Contains(d, got, "\n/"+strings.TrimSpace(w.name+" "+w.args))
			}
			if width >= 60 {
				require.Contains(d, got, "\n/block NAME          remove a friend for good\n")
			}
		})
	}
}

func TestQR(t *testing.T) {
	atDesk(t, 80, 24, bobAndCarol, func(d *desk) {
		d.press("/qr\r")
		require.Contains(d, d.glass.String(), "\u2580")
		require.Contains(d, d.glass.String(), "\n"+aliceAddress+"\n")
		require.False(d, d.glass.styled)
	})
	atDesk(t, 36, 24, bobAndCarol, func(d *desk) {
		d.press("/qr\r")
		require.NotContains(d, d.glass.String(), "\u2580")
		require.Contains(d, d.glass.String(), "!! the QR code needs 37 columns")
	})
}

func TestComplete(t *testing.T) {
	cfg := chatConfig{friends: []string{"bob", "carol", "Carla", "\u00e4nne", "\u00e4rn"}}
	for keys, want := range map[string]string{
		"/he\t":                           "/help ^",
		"/a\t":                            "/add^",
		"/a\tr\t":                         "/address ^",
		"/x\t":                            "/x^",
		"hello\t":                         "hello^",
		"/to b\t":                         "/to bob ^",
		"/to CARO\t":                      "/to carol ^",
		"/to \u00e4n\t":                   "/to \u00e4nne ^",
		"/to \u00e4\t":                    "/to \u00e4^",
		"/who b\t":                        "/who b^",
		"/to b x\t":                       "/to b x^",
		"/to b\x1b[D\t":                   "/to ^b",
		"/he x\x1b[H\x1b[C\x1b[C\x1b[C\t": "/help ^ x",
	} {
		atDesk(t, 80, 24, cfg, func(d *desk) {
			d.press(keys)
			require.True(d, strings.HasSuffix(d.glass.String(), "\nbob (looking)> "+want), "%q\n%s", keys, d.glass)
		})
	}
	atDesk(t, 80, 24, cfg, func(d *desk) {
		d.press("/to \u00e4\t")
		d.want("-- \u00e4nne  \u00e4rn", "bob (looking)> /to \u00e4^")
	})
}

func TestNearest(t *testing.T) {
	for word, want := range map[string]string{"carl": "carol", "bbo": "bob", "x": "", "bo": "bob", strings.Repeat("a", 1<<20): "", "": ""} {
		require.Equal(t, want, nearest(word, []string{"bob", "carol"}), "%.20q", word)
	}
}
