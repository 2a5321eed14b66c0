package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// show shows what happened. It may be called from any goroutine, and after close. It waits while the terminal does not read: who calls it
// must be able to wait, too.
func (c *chat) show(e chatEvent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.at.IsZero() {
		e.at = c.cfg.now()
	}
	f := c.find(e.friend)
	if f == nil {
		f = &chatFriend{name: e.friend} // one that was removed while it said this
	}
	c.happened(e, f)
	c.draw()
}

func (c *chat) happened(e chatEvent, f *chatFriend) {
	name := c.called(f)
	switch e.kind {
	case chatMessage:
		who := name
		if e.own {
			who = "me"
		}
		if e.again && !c.again {
			c.again = true
			c.notice("marked (again): perhaps shown before the program ended")
		}
		c.message(e.at, who, e.text, e.own, e.again)
	case chatOnline:
		if f.state != chatOnline {
			said := name + " is here"
			if n := f.waiting(); n > 0 {
				said += "; " + messages(n) + " on the way"
			}
			c.notice(said)
		}
		f.state = chatOnline
	case chatOffline:
		c.gone(f, e.kind, name+" does not answer any more")
	case chatEnded:
		if e.own {
			c.gone(f, e.kind, "you have ended the conversation with "+name+"; a message begins another")
		} else {
			c.gone(f, e.kind, name+" has left"+behind(": ", e.text))
		}
	case chatNotFound:
		c.gone(f, e.kind, name+": not found, or has not added you")
	case chatQueued:
		f.earlier = e.count
		c.notice(waits(e.count) + " for " + name)
	case chatDelivered:
		c.delivered(f, e)
	case chatRefused:
		p, _ := f.remove(e.id)
		c.fault(fmt.Sprintf("not sent to %s: %s%s. Up brings it back", name, e.text, behind(": ", inQuotes(p.text))))
	case chatClock:
		c.fault(clockFault(name, e.skew))
	case chatMissing:
		c.fault(fmt.Sprintf("%s from %s will not come: this store is an older copy, and a newer one took them", messages(e.count), name))
	case chatAdded:
		c.added(e.friend)
	case chatRemoved:
		c.drop(f, "is removed: nothing shows them that you are there")
	case chatBlocked:
		c.drop(f, "is blocked: nothing shows them that you are there")
	case chatNotice:
		c.notice(e.text)
	case chatError:
		c.fault(e.text)
	}
}

// message shows a text, below the day if that is another than before.
func (c *chat) message(at time.Time, who, text string, own, again bool) {
	if day := at.Format(time.DateOnly); day != c.day {
		c.day = day
		c.notice(at.Format("Monday, 2 January 2006"))
	}
	clock, mark := at.Format("15:04 "), ""
	if again {
		mark = " (again)"
	}
	style := styleName
	if own {
		style = styleOwn
	}
	body := cells(text, c.cfg.ascii)
	for len(body) > 0 && (body[len(body)-1].ends() || body[len(body)-1].blank()) {
		body = body[:len(body)-1]
	}
	if columns(body) == 0 {
		body = cells("(nothing that can be seen)", true)
	}
	width := len(clock) + columns(cells(who, c.cfg.ascii)) + len(mark) + len(": ")
	c.screen.say(clock+c.screen.style(style, who)+mark+": ", width, body, len(clock), "")
}

// notice says what is not said by a friend.
func (c *chat) notice(text string) {
	c.screen.say(c.screen.style(styleNotice, "-- "), 3, cells(text, c.cfg.ascii), 3, styleNotice)
}

// fault says what went wrong.
func (c *chat) fault(text string) {
	c.screen.say(c.screen.style(styleError, "!! "), 3, cells(text, c.cfg.ascii), 3, styleError)
}

// gone is how a friend is not there, said once.
func (c *chat) gone(f *chatFriend, state chatKind, text string) {
	if f.state != state {
		c.notice(text + behind("; ", waits(f.waiting())))
	}
	f.state = state
	f.delay(0)
}

// delivered takes note of a text that has arrived, and says so when it is the last of those that had to wait.
func (c *chat) delivered(f *chatFriend, e chatEvent) {
	switch p, ok := f.remove(e.id); {
	case ok && p.waited:
		f.late++
		f.last = inQuotes(p.text) + p.at.Format(" (15:04)")
	case !ok && e.id == 0 && f.earlier > 0:
		f.earlier--
		f.late++
		f.last = inQuotes(oneRow(e.text, 24, c.cfg.ascii))
	}
	if f.late == 0 || f.shownWaiting() > 0 {
		return
	}
	said := "delivered to " + c.called(f) + ": "
	switch {
	case f.late > 1:
		said += messages(f.late) + behind(", the last ", f.last)
	case f.last == "":
		said += "1 message"
	default:
		said += f.last
	}
	c.notice(said)
	f.late, f.last = 0, ""
}

func (c *chat) added(name string) {
	if c.find(name) == nil {
		c.friends = append(c.friends, &chatFriend{name: name})
	}
	f := c.find(name)
	said := c.called(f) + " is added, and has to add you too: /address shows what they need"
	if c.present == nil {
		c.present = f
	} else if c.present != f {
		said += "; /to " + c.called(f) + " talks to them"
	}
	c.notice(said)
}

// drop takes a friend away.
func (c *chat) drop(f *chatFriend, said string) {
	for len(f.pending) > 0 {
		f.remove(f.pending[0].id)
	}
	c.friends = slices.DeleteFunc(c.friends, func(g *chatFriend) bool { return g == f })
	c.notice(c.called(f) + " " + said)
	if c.present != f {
		return
	}
	c.present = nil
	if len(c.friends) > 0 {
		// Not the next in the list: what is being typed was not meant for them.
		c.notice("you talk to nobody now; /to NAME, or /who")
	}
}

// clockFault says what a difference between clocks means.
func clockFault(name string, skew time.Duration) string {
	how := "ahead of"
	if skew < 0 {
		skew, how = -skew, "behind"
	}
	said := fmt.Sprintf("%s's clock is %s %s yours", name, span(skew), how)
	if skew > time.Hour {
		return said + ". Over an hour, and you do not find each other: whose clock is wrong has to set it right"
	}
	return said
}

// span is a duration as a person says it.
func span(d time.Duration) string {
	minutes := int(d.Round(time.Minute) / time.Minute)
	switch days, hours := minutes/60/24, minutes/60; {
	case days >= 3:
		return strconv.Itoa(days) + " days"
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes%60)
	default:
		return fmt.Sprintf("%d min", minutes)
	}
}

func messages(n int) string {
	if n == 1 {
		return "1 message"
	}
	return strconv.Itoa(n) + " messages"
}

// waits says how many messages wait, if any do.
func waits(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 message waits"
	}
	return messages(n) + " wait"
}

func inQuotes(s string) string {
	if s == "" {
		return ""
	}
	return `"` + s + `"`
}

// behind returns s behind what joins it, if there is something.
func behind(join, s string) string {
	if s == "" {
		return ""
	}
	return join + s
}

// find returns a friend by name, or nil.
func (c *chat) find(name string) *chatFriend {
	if i := slices.IndexFunc(c.friends, func(f *chatFriend) bool { return f.name == name }); i >= 0 {
		return c.friends[i]
	}
	return nil
}

// mostName is how many columns of a name are shown.
const mostName = 24

// called is a friend's name on the screen.
func (c *chat) called(f *chatFriend) string { return oneRow(f.name, mostName, c.cfg.ascii) }

// prompt says whom one talks to, and what is to be known about them.
func (c *chat) prompt() (prompt string, width int) {
	if c.present == nil {
		return "kith> ", len("kith> ")
	}
	f := c.present
	var facts []string
	switch f.state {
	case chatOnline:
	case chatEnded:
		facts = append(facts, "ended")
	case chatOffline, chatNotFound:
		facts = append(facts, "away")
	default:
		facts = append(facts, "looking")
	}
	if n := f.shownWaiting(); n > 0 && f.state == chatOnline {
		facts = append(facts, strconv.Itoa(n)+" on the way")
	} else if n > 0 {
		facts = append(facts, strconv.Itoa(n)+" waiting")
	}
	width, _ = c.screen.measure()
	room := width * 2 / 3 // the rest is for what is typed
	name := c.called(f)
	tails := []string{"> "}
	for i := range facts {
		tails = append(tails, " ("+strings.Join(facts[len(facts)-1-i:], ", ")+")> ")
	}
	for slices.Reverse(tails); len(tails) > 1; tails = tails[1:] {
		if columns(cells(name, c.cfg.ascii))+len(tails[0]) <= room || len(tails) == 2 && len("abcd..")+len(tails[0]) <= room {
			break
		}
	}
	name = oneRow(name, room-len(tails[0]), c.cfg.ascii)
	return c.screen.style(styleName, name) + tails[0], columns(cells(name, c.cfg.ascii)) + len(tails[0])
}
