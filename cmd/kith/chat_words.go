package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"kith/handshake"
)

// A chatWord is a command as a person types it, behind a /.
type chatWord struct {
	name, args, help string
	friend           bool // its argument is a friend, who may be left out where one talks to somebody
	do               func(c *chat, args []string)
}

// chatWords are all of them, in the order of /help. They are set at the start because /help is one.
var chatWords []chatWord

func init() {
	chatWords = []chatWord{
		{"to", "NAME", "talk to NAME, and look for them now", true, (*chat).wordTo},
		{"who", "", "your friends, and who is here", false, (*chat).wordWho},
		{"add", "ADDRESS NAME", "add a friend; they have to add you too", false, (*chat).wordAdd},
		{"end", "[NAME]", "end the conversation", true, friendWord(chatEnd)},
		{"remove", "NAME", "remove a friend, and what waits for them", true, friendWord(chatRemove)},
		{"block", "NAME", "remove a friend for good", true, friendWord(chatBlock)},
		{"address", "", "your address, for your friends", false, (*chat).wordAddress},
		{"qr", "", "the same for a camera", false, (*chat).wordQR},
		{"history", "[NAME]", "what was said before", true, (*chat).wordHistory},
		{"help", "", "this list", false, (*chat).wordHelp},
		{"quit", "", "end the program", false, func(c *chat, _ []string) { c.leave() }},
	}
}

// entered does what a line says: a command behind one /, else a text.
func (c *chat) entered(line string) {
	switch {
	case strings.TrimSpace(line) == "":
	case len(c.wanted) >= mostWanted:
		c.fault("too much at once, this was left out. Up brings it back")
	case strings.HasPrefix(line, "//"):
		c.send(line[1:])
	case strings.HasPrefix(line, "/") && !strings.Contains(line, "\n"): // a command has one line
		c.command(line)
	default:
		c.send(line)
	}
}

func (c *chat) command(line string) {
	fields := strings.Fields(line[1:])
	if len(fields) == 0 {
		c.fault("/help shows what there is; // sends a text that begins with /")
		return
	}
	i := slices.IndexFunc(chatWords, func(w chatWord) bool { return w.name == fields[0] })
	if i < 0 {
		said := fmt.Sprintf("there is no command /%s", fields[0])
		var names []string
		for _, w := range chatWords {
			names = append(names, w.name)
		}
		if near := nearest(fields[0], names); near != "" {
			said += "; did you mean /" + near + "?"
		} else {
			said += "; /help shows what there is"
		}
		c.fault(said + " To send a text that begins with /, begin it with //")
		return
	}
	w := chatWords[i]
	if most := len(strings.Fields(w.args)); len(fields)-1 > most && w.name != "add" {
		c.fault("/" + strings.TrimSpace(w.name+" "+w.args) + ": what is " + fields[most+1] + "?")
		return
	}
	w.do(c, fields[1:])
}

// named returns the friend that a command is about, and says so if there is none. Where it may be left out it is the present one.
func (c *chat) named(word string, args []string, optional bool) *chatFriend {
	switch {
	case len(args) == 0 && len(c.friends) == 0:
		c.noFriend()
		return nil
	case len(args) == 0 && optional && c.present != nil:
		return c.present
	case len(args) == 0:
		c.fault("/" + word + " NAME: whom? /who shows your friends")
		return nil
	}
	if f := c.find(args[0]); f != nil {
		return f
	}
	var names []string
	for _, f := range c.friends {
		if strings.EqualFold(f.name, args[0]) {
			return f
		}
		names = append(names, f.name)
	}
	said := "you have no friend called " + args[0]
	if near := nearest(args[0], names); near != "" {
		said += "; did you mean " + near + "?"
	} else {
		said += "; /who shows your friends"
	}
	c.fault(said)
	return nil
}

// friendWord makes a command of what is only handed on.
func friendWord(verb chatVerb) func(*chat, []string) {
	word := map[chatVerb]string{chatEnd: "end", chatRemove: "remove", chatBlock: "block"}[verb]
	return func(c *chat, args []string) {
		if f := c.named(word, args, verb == chatEnd); f != nil {
			c.want(chatCommand{verb: verb, friend: f.name})
		}
	}
}

func (c *chat) wordTo(args []string) {
	f := c.named("to", args, false)
	if f == nil {
		return
	}
	if c.present != f {
		c.present = f
		c.notice("you talk to " + c.called(f) + " now")
	}
	if f.state != chatOnline {
		c.want(chatCommand{verb: chatSeek, friend: f.name})
	}
}

func (c *chat) wordWho([]string) {
	if len(c.friends) == 0 {
		c.noFriend()
	}
	for _, f := range c.friends {
		state := map[chatKind]string{
			0: "not found yet", chatOnline: "here", chatOffline: "does not answer any more",
			chatEnded: "the conversation has ended", chatNotFound: "not found, or has not added you",
		}[f.state]
		c.notice(c.called(f) + ": " + state + behind("; ", waits(f.waiting())))
	}
}

func (c *chat) wordAdd(args []string) {
	if len(args) != 2 {
		c.fault("/add ADDRESS NAME: the address that your friend gave you, and what you call them, one word")
		return
	}
	address, name := args[0], args[1]
	key, err := handshake.ParseAddress(address)
	if err != nil {
		if other, swapped := handshake.ParseAddress(name); swapped == nil {
			key, err, name = other, nil, address
		}
	}
	switch fault := c.nameFault(name); {
	case err != nil:
		c.fault("this is no address: " + reason(err))
	case key == c.cfg.address:
		c.fault("this is your own address: give it to your friend, and add theirs")
	case fault != "":
		c.fault(fault)
	default:
		c.want(chatCommand{verb: chatAdd, friend: name, key: key})
	}
}

// nameFault says why a friend cannot have that name, or nothing.
func (c *chat) nameFault(name string) string {
	clash := slices.ContainsFunc(c.friends, func(f *chatFriend) bool { return strings.EqualFold(f.name, name) })
	switch {
	case clash:
		return "you have a friend called " + name + " already"
	case strings.EqualFold(name, "me"):
		return "this is what you are called here: another name"
	case strings.HasPrefix(name, "/"), shown(cells(name, false)) != name, strings.ContainsFunc(name, unicode.IsSpace):
		return "a name has characters that can be seen, and does not begin with /"
	case columns(cells(name, false)) > mostName:
		return fmt.Sprintf("a name has at most %d columns", mostName)
	}
	return ""
}

func (c *chat) wordAddress([]string) { c.screen.sayAsIs(c.cfg.address.String()) }

func (c *chat) wordQR([]string) {
	code, err := addressCode(c.cfg.address)
	width, height := c.screen.measure()
	switch {
	case err != nil:
		c.fault(err.Error())
	case c.cfg.ascii:
		c.fault("a QR code needs a terminal that reads UTF-8")
	case width < codeWidth || height < codeLines+1:
		c.fault(fmt.Sprintf("the QR code needs %d columns and %d lines, and this terminal has %d and %d: make it larger, or the letters smaller", codeWidth, codeLines+1, width, height))
	default:
		c.screen.sayAsIs(strings.Split(strings.TrimSuffix(drawCode(code), "\n"), "\n")...)
		c.wordAddress(nil)
	}
}

func (c *chat) wordHistory(args []string) {
	if !c.cfg.history {
		c.fault("nothing is kept; kith peer --history keeps what is said from then on")
		return
	}
	if f := c.named("history", args, true); f != nil {
		c.want(chatCommand{verb: chatHistory, friend: f.name})
	}
}

func (c *chat) wordHelp([]string) {
	const column = 21
	width, _ := c.screen.measure()
	for _, w := range chatWords {
		head := fmt.Sprintf("/%-*s", column-1, w.name+" "+w.args)
		if width >= 60 {
			c.screen.say(head, column, cells(w.help, true), column, styleNotice)
			continue
		}
		c.screen.sayAsIs(strings.TrimSpace(head))
		c.screen.say("    ", 4, cells(w.help, true), 4, styleNotice)
	}
	c.notice("What begins with no / is sent. // sends a text that begins with /. Alt-Enter begins a new line; what is pasted is one message. " +
		"Tab completes, Up brings back what you entered. Ctrl-C throws the line away; where there is none it ends the program, as Ctrl-D does.")
	c.notice("In front of the > stands how many messages have not arrived yet.")
}

// welcome is what stands first.
func (c *chat) welcome() {
	if c.cfg.ascii {
		c.notice("this terminal does not read UTF-8 (LC_ALL, LC_CTYPE, LANG): other letters are shown as ?")
	}
	if c.present == nil {
		c.noFriend()
		return
	}
	c.notice("you talk to " + c.called(c.present) + "; /help shows what there is")
}

// noFriend says what to do first.
func (c *chat) noFriend() {
	if len(c.friends) > 0 {
		c.fault("you talk to nobody: /to NAME, or /who")
		return
	}
	c.notice("You have no friend here yet. Give a friend your address:")
	c.wordAddress(nil)
	c.notice("and add theirs: /add ADDRESS NAME. Both of you have to add the other. /qr shows your address to a camera, /help what else there is.")
}

// complete completes the command or name before the cursor.
func (c *chat) complete() {
	before := written(c.line.text[:c.line.at])
	fields := strings.Split(before, " ")
	word := fields[len(fields)-1]
	var all []string
	switch {
	case !strings.HasPrefix(before, "/"):
		return
	case len(fields) == 1:
		for _, w := range chatWords {
			all = append(all, "/"+w.name)
		}
	case len(fields) == 2 && slices.ContainsFunc(chatWords, func(w chatWord) bool { return w.friend && "/"+w.name == fields[0] }):
		for _, f := range c.friends {
			all = append(all, f.name)
		}
	}
	all = slices.DeleteFunc(all, func(s string) bool { return len(s) < len(word) || !strings.EqualFold(s[:len(word)], word) })
	switch common := commonPrefix(all); {
	case len(all) == 0:
	case len(all) == 1:
		c.replace(word, all[0]+" ")
	case len(common) > len(word):
		c.replace(word, common)
	default:
		if len(all) > 20 {
			all = append(all[:20], "...")
		}
		c.notice(strings.Join(all, "  "))
	}
}

// replace puts by in the place of the word before the cursor.
func (c *chat) replace(word, by string) {
	c.line.cut(c.line.at-len(cells(word, c.cfg.ascii)), c.line.at)
	c.line.insert(by)
}

func commonPrefix(all []string) string {
	if len(all) == 0 {
		return ""
	}
	common := all[0]
	for _, s := range all[1:] {
		for !strings.HasPrefix(s, common) {
			common = common[:len(common)-1]
		}
	}
	return strings.ToValidUTF8(common, "")
}

// nearest returns the word that somebody may have meant by another, or nothing.
func nearest(word string, words []string) string {
	best, least := "", 3
	if len(word) > 64 {
		return ""
	}
	for _, w := range words {
		d := distance(word, w)
		if len(word) > 1 && strings.HasPrefix(w, word) {
			d = 1
		}
		if d < least && d < len(w) {
			best, least = w, d
		}
	}
	return best
}
