package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The lines in which a program drives a peer: spec/shim.md, "A peer in lines".

const (
	mostLine = 1 << 20 // bytes of a command, without its end // shim-peer-long
	mostRef  = 64      // bytes of a ref
)

// errLongLine is a line that was passed over.
var errLongLine = fmt.Errorf("the line has more than %d bytes", mostLine)

// A lineReader reads commands.
type lineReader struct {
	r    *bufio.Reader
	line []byte
}

func newLineReader(r io.Reader) *lineReader { return &lineReader{r: bufio.NewReaderSize(r, 64<<10)} }

// next returns the next line without its end; it stays as it is until the next call. After errLongLine the line behind it can be read.
// The last line needs no end: a shell's printf writes none.
func (l *lineReader) next() ([]byte, error) {
	l.line = l.line[:0]
	long := false
	for {
		b, err := l.r.ReadSlice('\n')
		more := errors.Is(err, bufio.ErrBufferFull)
		switch {
		case err == nil:
			b = b[:len(b)-1]
		case more, errors.Is(err, io.EOF) && len(b)+len(l.line) > 0, errors.Is(err, io.EOF) && long:
		default:
			return nil, err
		}
		if long = long || len(l.line)+len(b) > mostLine; long {
			l.line = nil // what is not kept takes no room
		}
		switch {
		case more && !long:
			l.line = append(l.line, b...)
		case more:
		case long:
			return nil, errLongLine
		case len(l.line) == 0:
			return b, nil
		default:
			l.line = append(l.line, b...)
			return l.line, nil
		}
	}
}

// waits reports whether reading on may have to wait.
func (l *lineReader) waits() bool {
	b, _ := l.r.Peek(l.r.Buffered())
	return bytes.IndexByte(b, '\n') < 0
}

// A lineCommand is one line of standard input.
type lineCommand struct {
	do       string
	ref      *string // nil: none was given
	friend   string
	name     string
	text     string
	position uint64
}

// lineFields are the keys that a command has beside do and ref; those behind the first needed ones may be left out.
var lineFields = map[string]struct {
	needed int
	keys   []string
}{
	"add":     {1, []string{"friend", "name"}},
	"rename":  {2, []string{"friend", "name"}},
	"remove":  {1, []string{"friend"}},
	"block":   {1, []string{"friend"}},
	"unblock": {1, []string{"friend"}},
	"send":    {2, []string{"friend", "text"}},
	"taken":   {2, []string{"friend", "position"}},
	"look":    {1, []string{"friend"}},
	"end":     {1, []string{"friend"}},
	"who":     {},
	"quit":    {},
}

// lineKeys are the values of a command's keys as they were written; nil: the key is missing. Where one is there twice the last counts.
type lineKeys struct{ do, ref, friend, name, text, position json.RawMessage }

// of returns the value's place, nil for a key that is not known: they count as they are written, which encoding/json would not see to.
func (k *lineKeys) of(key string) *json.RawMessage {
	switch key {
	case "do":
		return &k.do
	case "ref":
		return &k.ref
	case "friend":
		return &k.friend
	case "name":
		return &k.name
	case "text":
		return &k.text
	case "position":
		return &k.position
	}
	return nil // shim-peer-later
}

// parseLine reads a command. With an error, c has what could be read of do and ref. No error repeats anything of the line but do.
func parseLine(line []byte) (c lineCommand, err error) {
	if !utf8.Valid(line) {
		return c, errors.New("the line is not UTF-8")
	}
	keys, ok := splitLine(line)
	if !ok {
		return c, errors.New("the line is no JSON object")
	}
	if keys.ref != nil {
		ref, err := keys.string("ref")
		switch {
		case err != nil:
			return c, err
		case len(ref) > mostRef:
			return c, fmt.Errorf("ref has more than %d bytes", mostRef)
		}
		c.ref = &ref
	}
	if c.do, err = keys.string("do"); err != nil {
		return c, err
	}
	fields, ok := lineFields[c.do]
	if !ok {
		do := c.do
		c.do = ""
		return c, fmt.Errorf("there is no command %s", strconv.Quote(cut(do, 32)))
	}
	for i, key := range fields.keys {
		if i >= fields.needed && *keys.of(key) == nil {
			continue
		}
		value, err := keys.string(key)
		if err != nil {
			return c, err
		}
		switch key {
		case "friend":
			c.friend = value
		case "name":
			c.name = value
		case "text":
			c.text = value
		case "position":
			if c.position, err = strconv.ParseUint(value, 10, 64); err != nil {
				return c, errors.New(`position is no decimal string, such as "17"`)
			}
		}
	}
	return c, nil
}

// splitLine takes a JSON object apart. Of its values none is copied.
func splitLine(line []byte) (keys lineKeys, ok bool) {
	if !json.Valid(line) { // so that below nothing can be but what is expected
		return keys, false
	}
	at := space(line, 0)
	if line[at] != '{' {
		return keys, false
	}
	for at = space(line, at+1); line[at] != '}'; {
		begin := at
		at = value(line, at)
		key := line[begin:at]
		begin = space(line, space(line, at)+1) // behind the colon
		at = value(line, begin)
		if place := keys.of(plainString(key)); place != nil {
			*place = line[begin:at]
		}
		if at = space(line, at); line[at] == ',' {
			at = space(line, at+1)
		}
	}
	return keys, true
}

// space returns where something stands from at on that is not white.
func space(b []byte, at int) int {
	for at < len(b) && (b[at] == ' ' || b[at] == '\t' || b[at] == '\r' || b[at] == '\n') {
		at++
	}
	return at
}

// value returns where the JSON value ends that begins at at.
func value(b []byte, at int) int {
	for depth := 0; at < len(b); at++ {
		switch b[at] {
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth == 0 {
				return at // of the object that a number or a word stands in
			}
			depth--
		case '"':
			for at++; b[at] != '"'; at++ {
				if b[at] == '\\' {
					at++
				}
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return at // behind a number or a word
			}
			continue
		default:
			continue
		}
		if depth == 0 {
			return at + 1
		}
	}
	return at
}

// plainString returns what a JSON string says.
func plainString(raw []byte) (s string) {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	_ = json.Unmarshal(raw, &s) // it is one
	return s
}

// string returns the string under key.
func (k *lineKeys) string(key string) (string, error) {
	switch raw := *k.of(key); {
	case raw == nil:
		return "", errors.New(key + " is missing")
	case raw[0] != '"':
		return "", errors.New(key + " is no string")
	case halfPair(raw):
		return "", errors.New(key + " is not UTF-8: it has half of a surrogate pair")
	default:
		return plainString(raw), nil
	}
}

// halfPair reports whether a JSON string has half of a surrogate pair, which encoding/json would pass on as another character.
func halfPair(raw []byte) bool {
	unit := func(i int) (u uint64, ok bool) {
		if i+6 > len(raw) || raw[i] != '\\' || raw[i+1] != 'u' {
			return 0, false
		}
		u, err := strconv.ParseUint(string(raw[i+2:i+6]), 16, 16)
		return u, err == nil
	}
	for i := bytes.IndexByte(raw, '\\'); i >= 0 && i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		u, ok := unit(i)
		switch low, ok2 := unit(i + 6); {
		case !ok || u < 0xd800 || u > 0xdfff:
			i++ // the character that is escaped may be a \
		case u < 0xdc00 && ok2 && 0xdc00 <= low && low <= 0xdfff:
			i += 11
		default:
			return true
		}
	}
	return false
}

// A lineEvent is one line of standard output. Positions and ids are decimal strings, since JSON's numbers are exact to 2^53 only.
type lineEvent struct {
	Event     string           `json:"event"`
	Time      int64            `json:"time"` // Unix milliseconds
	Ref       *string          `json:"ref,omitempty"`
	Friend    string           `json:"friend,omitempty"` // an address
	Name      string           `json:"name,omitempty"`
	Position  string           `json:"position,omitempty"`
	Text      string           `json:"text,omitempty"`
	Again     bool             `json:"again,omitempty"`
	From      string           `json:"from,omitempty"`
	To        string           `json:"to,omitempty"`
	Why       string           `json:"why,omitempty"`
	AheadMS   *int64           `json:"ahead_ms,omitempty"`
	Endpoint  *netip.AddrPort  `json:"endpoint,omitempty"`
	Do        string           `json:"do,omitempty"`
	Address   string           `json:"address,omitempty"`
	Listening []netip.AddrPort `json:"listening,omitempty"`
	Contacts  []lineContact    `json:"contacts,omitzero"`
}

// A lineContact is an entry of who.
type lineContact struct {
	Friend string `json:"friend"`
	Name   string `json:"name,omitempty"`
	State  string `json:"state"`
	Queued int    `json:"queued"`
}

// States of a contact.
const (
	lineOnline  = "online"
	lineOffline = "offline"
	lineBlocked = "blocked"
)

// decimal is a position or an id as lines have it.
func decimal(n uint64) string { return strconv.FormatUint(n, 10) }

// A lineBuffer holds events that are to be written.
type lineBuffer struct {
	b   bytes.Buffer
	enc *json.Encoder
}

func newLineBuffer() *lineBuffer {
	l := &lineBuffer{}
	l.enc = json.NewEncoder(&l.b)
	l.enc.SetEscapeHTML(false)
	return l
}

// add adds an event; one that has no time gets now.
func (l *lineBuffer) add(now time.Time, e lineEvent) {
	if e.Time == 0 {
		e.Time = now.UnixMilli()
	}
	e.Text = strings.ToValidUTF8(e.Text, "\ufffd") // an error's may come from anywhere
	if err := l.enc.Encode(&e); err != nil {
		panic(err) // an event holds nothing that JSON has not
	}
}

func (l *lineBuffer) len() int { return l.b.Len() }

// take returns what is to be written, and begins anew.
func (l *lineBuffer) take() []byte {
	b := bytes.Clone(l.b.Bytes())
	l.b.Reset()
	return b
}
