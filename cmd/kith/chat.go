package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"kith/handshake"
)

// A chat is a conversation in lines on a terminal. It knows the terminal, and which friends there are; what happens comes in by show, and
// what the person wants goes out by next.
//
// A printed line cannot be taken back, so what is not delivered is counted in the prompt, which can; and only what had to wait gets a
// line of its own, when the last of it has arrived.
type chat struct {
	cfg     chatConfig
	in      io.Reader
	more    chan struct{} // there may be something wanted
	over    chan struct{} // closed when nothing more will be read
	readErr error         // why; set before
	restore func()        // gives the terminal back as it was
	closing sync.Once

	mu      sync.Mutex
	screen  screen
	line    lineEditor
	keys    keyboard
	friends []*chatFriend // in the order of cfg.friends
	present *chatFriend   // whom the person talks to
	day     string        // of the last message that was shown
	sent    uint64        // id of the last text
	again   bool          // what (again) means was said
	quit    bool
	wanted  []chatCommand // and not taken by next yet
}

// chatConfig is what a chat begins with.
type chatConfig struct {
	friends []string            // their names; the first is whom one talks to
	address handshake.PublicKey // one's own
	history bool                // there is one to ask for
	ascii   bool                // the terminal does not read UTF-8
	colour  bool
	now     func() time.Time // in the zone that times are shown in
}

// chatKind says what happened.
type chatKind int

const (
	chatMessage   chatKind = iota + 1 // a text came, or, with own, was sent before: friend, at, text, again
	chatOnline                        // a conversation with friend is open
	chatOffline                       // friend does not answer any more
	chatEnded                         // friend, or with own the person, has ended the conversation; text may say why
	chatNotFound                      // friend was not found, or has not added this person
	chatQueued                        // count texts of earlier runs wait for friend
	chatDelivered                     // the text with that id, or id 0 for one of an earlier run, is in friend's store
	chatRefused                       // the text with that id could not be taken, and why
	chatClock                         // friend's clock is ahead by skew, or behind if that is negative
	chatMissing                       // count messages of friend will never come
	chatAdded                         // friend is a contact now
	chatRemoved                       // friend is none any more
	chatBlocked                       // friend is none any more, and never again by mistake
	chatNotice                        // text
	chatError                         // text
)

// A chatEvent is what happened. Which fields count is said above; friend is always the name of a contact.
type chatEvent struct {
	kind   chatKind
	friend string
	at     time.Time // zero: now
	text   string
	id     uint64
	own    bool
	again  bool // it may have been shown before a crash
	count  int
	skew   time.Duration
}

// chatVerb says what the person wants.
type chatVerb int

const (
	chatSend    chatVerb = iota + 1 // text to friend; id is what chatDelivered and chatRefused say
	chatSeek                        // look for friend now
	chatAdd                         // key, as friend
	chatRemove                      // friend
	chatBlock                       // friend
	chatEnd                         // the conversation with friend
	chatHistory                     // show what was said to and by friend
	chatQuit                        // the terminal is given back already
)

// A chatCommand is what the person wants.
type chatCommand struct {
	verb   chatVerb
	friend string
	text   string
	id     uint64
	key    handshake.PublicKey
}

// A chatFriend is a contact as the chat sees it.
type chatFriend struct {
	name    string
	state   chatKind // the last of chatOnline, chatOffline, chatEnded and chatNotFound, or 0
	pending []pendingText
	earlier int    // texts of earlier runs that wait
	late    int    // texts that had to wait and were delivered
	last    string // the last of these, with its time
}

// A pendingText is one that is not delivered.
type pendingText struct {
	id     uint64
	at     time.Time
	text   string // its beginning
	waited bool   // the person should know when it has arrived
	timer  *time.Timer
}

const (
	chatSoon    = time.Second // a text that is delivered within it is not spoken of
	mostPending = 1000        // texts to one friend
	mostWanted  = 64          // commands that nobody has taken yet
)

// newChat returns a chat on a terminal that is raw already. It reads nothing before listen.
func newChat(in io.Reader, out io.Writer, size func() (width, height int), cfg chatConfig) *chat {
	c := &chat{
		cfg: cfg, in: in, more: make(chan struct{}, 1), over: make(chan struct{}), restore: func() {},
		screen: screen{w: out, size: size, colour: cfg.colour}, line: lineEditor{ascii: cfg.ascii},
	}
	for _, name := range cfg.friends {
		c.friends = append(c.friends, &chatFriend{name: name})
	}
	if len(c.friends) > 0 {
		c.present = c.friends[0]
	}
	c.day = cfg.now().Format(time.DateOnly)
	c.screen.begin()
	c.welcome()
	c.draw()
	return c
}

// listen reads the keyboard until it ends.
func (c *chat) listen() {
	defer c.rescue()
	defer close(c.over)
	buf := make([]byte, 4096)
	for {
		n, err := c.in.Read(buf)
		c.mu.Lock()
		if c.screen.plain {
			c.readErr = io.EOF
			c.mu.Unlock()
			return
		}
		c.keys.read(buf[:n], c.press)
		c.draw()
		if err == nil {
			err = c.screen.failed
		}
		quit := c.quit
		c.mu.Unlock()
		if quit {
			c.close() // now, so that Ctrl-C is a signal again for who does not want to wait for what ends slowly
			err = nil
		}
		if err != nil {
			c.readErr = fmt.Errorf("the terminal has gone: %w", err)
		} else if quit {
			c.readErr = io.EOF
		}
		select { // what was pressed is there to be taken
		case c.more <- struct{}{}:
		default:
		}
		if c.readErr != nil {
			return
		}
	}
}

// next returns what the person wants next. It ends with io.EOF after chatQuit or close, with ctx's error, or because the terminal has gone.
func (c *chat) next(ctx context.Context) (chatCommand, error) {
	for over := false; ; {
		c.mu.Lock()
		if len(c.wanted) > 0 {
			w := c.wanted[0]
			c.wanted = slices.Delete(c.wanted, 0, 1)
			c.mu.Unlock()
			return w, nil
		}
		c.mu.Unlock()
		if over {
			return chatCommand{}, c.readErr
		}
		select {
		case <-c.more:
		case <-c.over:
			over = true
		case <-ctx.Done():
			return chatCommand{}, ctx.Err()
		}
	}
}

// close gives the terminal back. What is shown after it is written as plain lines.
func (c *chat) close() {
	c.closing.Do(func() {
		c.restore() // first: whoever holds mu may wait for a terminal that does not read
		c.mu.Lock()
		defer c.mu.Unlock()
		c.restore() // again: changed may have come between
		c.screen.end()
	})
}

// rescue is to be deferred in every goroutine of a program with a chat: it gives the terminal back before a panic ends the program.
func (c *chat) rescue() {
	if reason := recover(); reason != nil {
		c.restore()
		panic(reason)
	}
}

// changed draws the line anew, because the terminal is another than before. After a stop of the program it is made raw first.
func (c *chat) changed(stopped bool, raw func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.screen.plain {
		return
	}
	if stopped {
		raw()
		c.screen.below = layout{} // what the shell wrote stays
		c.screen.begin()
	}
	c.draw()
}

func (c *chat) draw() {
	prompt, width := c.prompt()
	c.screen.draw(&c.line, prompt, width)
}

// press does what a stroke says.
func (c *chat) press(s stroke, text string) {
	if c.quit {
		return
	}
	switch s {
	case strokeText, strokePaste:
		if !c.line.insert(text) {
			c.fault(fmt.Sprintf("a message has at most %s bytes: the rest was left out", count(mostText)))
		}
	case strokeNewLine:
		c.line.insert("\n")
	case strokeTab:
		c.complete()
	case strokeClear:
		c.screen.clear()
	case strokeInterrupt:
		if len(c.line.text) == 0 {
			c.leave()
		}
		c.line.take() // Up brings it back
	case strokeEndOfInput:
		if len(c.line.text) == 0 {
			c.leave()
			return
		}
		c.line.edit(s)
	case strokeEnter:
		c.entered(strings.TrimRight(c.line.take(), " \t\n"))
	default:
		c.line.edit(s)
	}
}

func (c *chat) want(w chatCommand) { c.wanted = append(c.wanted, w) }

func (c *chat) leave() {
	for _, f := range c.friends {
		if n := f.waiting(); n > 0 {
			c.notice(fmt.Sprintf("%s for %s: sent when you are back", waits(n), c.called(f)))
		}
	}
	c.quit = true
	c.want(chatCommand{verb: chatQuit})
}

// send sends a text to whom the person talks to, and shows it.
func (c *chat) send(text string) {
	f := c.present
	switch {
	case f == nil:
		c.noFriend()
		return
	case strings.Contains(strings.ToUpper(text), "KITH-SECRET-KEY-1"):
		c.line.forget()
		c.fault("not sent: it has a secret key in it. Who has that is you; nobody needs it, not even a friend")
		return
	case f.waiting() >= mostPending:
		c.fault(fmt.Sprintf("not sent: %s for %s already. Up brings the text back", waits(f.waiting()), c.called(f)))
		return
	}
	c.sent++
	p := pendingText{id: c.sent, at: c.cfg.now(), text: oneRow(text, 24, c.cfg.ascii), waited: f.state != chatOnline}
	c.message(p.at, "me", text, true, false)
	if !p.waited {
		p.timer = time.AfterFunc(chatSoon, func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			f.delay(p.id)
			c.draw()
		})
	}
	f.pending = append(f.pending, p)
	c.want(chatCommand{verb: chatSend, friend: f.name, text: text, id: p.id})
}

// delay notes that the person will want to know when what waits has arrived; of one text, or of all with id 0.
func (f *chatFriend) delay(id uint64) {
	for i := range f.pending {
		if id == 0 || f.pending[i].id == id {
			f.pending[i].waited = true
		}
	}
}

// waiting is how many texts are not delivered.
func (f *chatFriend) waiting() int { return len(f.pending) + f.earlier }

// shownWaiting is how many of them the person should see.
func (f *chatFriend) shownWaiting() int {
	n := f.earlier
	for _, p := range f.pending {
		if p.waited {
			n++
		}
	}
	return n
}

// remove takes a text from what is pending.
func (f *chatFriend) remove(id uint64) (pendingText, bool) {
	i := slices.IndexFunc(f.pending, func(p pendingText) bool { return p.id == id })
	if i < 0 {
		return pendingText{}, false
	}
	p := f.pending[i]
	if p.timer != nil {
		p.timer.Stop()
	}
	f.pending = slices.Delete(f.pending, i, i+1)
	return p, true
}

// errNoCursor is why there is no chat on a terminal.
var errNoCursor = errors.New("this terminal cannot move its cursor (TERM=dumb)")
