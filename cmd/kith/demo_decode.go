package main

import (
	"fmt"
	"slices"
	"time"

	"kith/wire"
)

// The kinds of datagram that are none of the DHT's. Handshakes are told apart by their sizes (spec/handshake.md), as any observer can.
const (
	kindKnock        = "knock"
	kindOffer        = "offer"
	kindAccept       = "accept"
	kindConversation = "conversation"
	kindUnknown      = "unknown"
)

// handshakeKinds are the kinds of handshake datagram by size.
var handshakeKinds = map[int]string{1232: kindKnock, 729: kindOffer, 1220: kindAccept}

// A datagram is a crossing, and what anybody who stands on the wire can tell of it.
type datagram struct {
	crossing
	number int
	who    party  // to whom it went
	there  bool   // he was there to get it
	kind   string // a method of the DHT, or one of the above
	reply  bool   // of the DHT
	target wire.ID
	value  bool // it carries a record
}

func (d *datagram) krpc() bool { return len(d.b) > 0 && d.b[0] == 'd' }

// cid returns the connection id.
func (d *datagram) cid() (cid [8]byte) {
	if d.kind == kindConversation {
		copy(cid[:], d.b[1:])
	}
	return cid
}

// A decoder decodes datagrams in their order: a reply of the DHT does not say to what.
type decoder struct {
	c     *capture
	asked map[string]question
}

type question struct {
	method string
	target wire.ID
}

func newDecoder(c *capture) *decoder { return &decoder{c, map[string]question{}} }

// next decodes all datagrams from the i-th on to the n-th, which is not among them. None is decoded twice.
func (d *decoder) next(i, n int) []datagram {
	d.c.mu.Lock()
	defer d.c.mu.Unlock()
	all := make([]datagram, 0, n-i)
	for ; i < n; i++ {
		x := datagram{crossing: d.c.crossings[i], number: i, kind: kindUnknown}
		x.who, x.there = d.c.whose(x.to, i)
		switch {
		case x.krpc():
			d.krpc(&x)
		case len(x.b) > 0 && x.b[0] == 0x50:
			if kind, ok := handshakeKinds[len(x.b)]; ok {
				x.kind = kind
			}
		case len(x.b) >= shortest && x.b[0] == 0x51:
			x.kind = kindConversation
		}
		all = append(all, x)
	}
	return all
}

// shortest is the size of the shortest datagram of a conversation: nobody writes a message of more than 64 bytes in it.
const shortest = 105 + 64

func (d *decoder) krpc(x *datagram) {
	var m wire.Message
	if wire.ParseMessage(x.b, &m) != nil {
		return
	}
	if m.Kind == wire.KindQuery {
		q := question{string(m.Method), m.Target}
		if m.Has&wire.HasInfoHash != 0 {
			q.target = m.InfoHash
		}
		if m.Has&wire.HasKey != 0 && q.method == "put" {
			q.target = wire.MutableTarget(m.Key, m.Salt)
		}
		d.asked[fmt.Sprintf("%d %d %x", x.from, x.who, m.T)] = q
		x.kind, x.target = q.method, q.target
	} else if q, ok := d.asked[fmt.Sprintf("%d %d %x", x.who, x.from, m.T)]; ok {
		x.kind, x.target, x.reply = q.method, q.target, true
	}
	x.value = m.Has&wire.HasValue != 0
}

// readers says who can read it. Who shares the secret of a pair opens what either of the two has sealed with it; a message key is gone when it was used, at both ends.
func (d *datagram) readers() string {
	switch {
	case d.value:
		return "anyone; value: the two"
	case d.krpc():
		return "anyone"
	case d.kind == kindConversation:
		return d.who.String() + ", once"
	}
	return "the two"
}

// line is the datagram in one line.
func (d *datagram) line() string {
	what := d.kind
	if d.reply {
		what += " answer"
	}
	if d.target != (wire.ID{}) && !d.reply {
		what += " " + short(d.target[:])
	}
	if d.kind == kindConversation {
		cid := d.cid()
		what = "talk " + short(cid[:])
	}
	readers := d.readers()
	if !d.there {
		readers = "nobody is there"
	}
	return fmt.Sprintf("%s  %-17s %5s B  %-19s %s", seconds(d.at), d.from.String()+" → "+d.who.String(), count(uint64(len(d.b))), what, readers)
}

// short returns the beginning of random bytes, enough to tell them apart.
func short(b []byte) string { return fmt.Sprintf("%x…", b[:4]) }

func seconds(d time.Duration) string { return fmt.Sprintf("%7.4f", d.Seconds()) }

// A tally counts datagrams of one kind.
type tally struct {
	Kind      string `json:"kind"`
	Datagrams int    `json:"datagrams"`
	Bytes     int    `json:"bytes"`
	Replies   int    `json:"replies,omitempty"` // of the datagrams
}

// tallies counts datagrams by kind, in the order in which they came first.
func tallies(all []datagram) (ts []tally) {
	for i := range all {
		d := &all[i]
		j := slices.IndexFunc(ts, func(t tally) bool { return t.Kind == d.kind })
		if j < 0 {
			j = len(ts)
			ts = append(ts, tally{Kind: d.kind})
		}
		ts[j].Datagrams++
		ts[j].Bytes += len(d.b)
		if d.reply {
			ts[j].Replies++
		}
	}
	return ts
}

func (t tally) String() string {
	var n string
	switch asked := t.Datagrams - t.Replies; {
	case t.Replies == 0:
		n = count(uint64(asked)) + " " + t.Kind
	case asked == 0:
		n = several(t.Replies, t.Kind+" answer")
	default:
		n = fmt.Sprintf("%s %s + %s", count(uint64(asked)), t.Kind, several(t.Replies, "answer"))
	}
	return n + " " + kilobytes(t.Bytes)
}

// sum adds up.
func sum(ts []tally) (datagrams, bytes int) {
	for _, t := range ts {
		datagrams += t.Datagrams
		bytes += t.Bytes
	}
	return datagrams, bytes
}

// kilobytes returns a size as people read it.
func kilobytes(n int) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f kB", float64(n)/1000)
}

// several returns a number of things.
func several(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return count(uint64(n)) + " " + thing
}
