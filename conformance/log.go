package conformance

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"kith/conformance/lenient"
)

// Op is what an entry of a log records.
type Op string

// The ops of a log. Wait is a deadline that passed with nothing else.
const (
	OpOpen       Op = "open"
	OpSend       Op = "send"
	OpRecv       Op = "recv"
	OpWait       Op = "wait"
	OpGone       Op = "gone"
	OpNeighbours Op = "neighbours"
	OpTarget     Op = "target"
)

// Entry is one step of a case: a call into its World and what came of it. A log of them is all that a checker sees, so
// judging it again gives the same verdict.
type Entry struct {
	N          int // from 1
	Op         Op
	At         time.Duration
	Sock       int
	Addr       netip.AddrPort // open: own address; send: to; recv: from; target: its address
	V6         bool           // open, target: the family asked for
	Host       int            // open
	Err        string         // open, target: why it failed
	Data       []byte         // send, recv
	Neighbours []Neighbour
	Note       string // what the script made of it
}

// Log is what passed between a case and its target.
type Log struct {
	Entries []Entry
}

// Add appends an entry and returns its number.
func (l *Log) Add(e Entry) int {
	e.N = len(l.Entries) + 1
	l.Entries = append(l.Entries, e)
	return e.N
}

// Get returns entry n, or nil.
func (l *Log) Get(n int) *Entry {
	if n < 1 || n > len(l.Entries) {
		return nil
	}
	return &l.Entries[n-1]
}

// Render writes a datagram for people: bencode with what is not printable in hex, anything else as hex.
func Render(b []byte) string { return renderUpTo(b, math.MaxInt) }

// Brief is Render with long strings cut: what fits a line or two of a terminal.
func Brief(b []byte) string { return renderUpTo(b, 48) }

func renderUpTo(b []byte, most int) string {
	v, _, err := lenient.Decode(b)
	if err != nil {
		return escaped(b, longest(most))
	}
	var w strings.Builder
	render(&w, v, most)
	if n := len(b) - len(v.Raw); n > 0 {
		w.WriteString(" + " + printable(b[len(v.Raw):], most))
	}
	return w.String()
}

func render(w *strings.Builder, v lenient.Value, most int) {
	switch v.Kind {
	case lenient.Int:
		fmt.Fprintf(w, "%d", v.Int)
	case lenient.String:
		w.WriteString(printable(v.Str, most))
	case lenient.List:
		w.WriteByte('[')
		for i, e := range v.List {
			if i > 0 {
				w.WriteString(", ")
			}
			render(w, e, most)
		}
		w.WriteByte(']')
	case lenient.Dict:
		w.WriteByte('{')
		for i, p := range v.Pairs {
			if i > 0 {
				w.WriteString(", ")
			}
			w.WriteString(strings.Trim(printable(p.Key, most), `"`) + ": ")
			render(w, p.Value, most)
		}
		w.WriteByte('}')
	}
}

// printable quotes text, and writes anything else as hex; of more than most bytes it shows the first third.
func printable(b []byte, most int) string {
	shown, rest := b, ""
	if len(b) > most {
		shown, rest = b[:most/3], fmt.Sprintf("… (%d bytes)", len(b))
	}
	for _, c := range b {
		if c < 0x20 || c > 0x7e {
			return "<" + hex.EncodeToString(shown) + rest + ">"
		}
	}
	return strconv.Quote(string(shown)) + rest
}

// line is the form of an entry in a transcript file.
type line struct {
	N          int          `json:"n"`
	Op         Op           `json:"op"`
	AtMS       float64      `json:"at_ms"`
	AtNS       int64        `json:"at_ns"`
	Socket     *int         `json:"socket,omitempty"`
	Addr       string       `json:"addr,omitempty"`
	Host       int          `json:"host,omitempty"`
	V6         bool         `json:"v6,omitempty"`
	Error      string       `json:"error,omitempty"`
	Hex        string       `json:"hex,omitempty"`
	Decoded    any          `json:"decoded,omitempty"`
	Flaws      []string     `json:"flaws,omitempty"`
	Neighbours []lineNodeID `json:"neighbours,omitempty"`
	Note       string       `json:"note,omitempty"`
}

type lineNodeID struct {
	ID    string `json:"id"`
	Addr  string `json:"addr"`
	Asked bool   `json:"asked"`
	Query string `json:"query,omitempty"`
}

// MarshalJSON writes the entry as a line of a transcript, with the datagram decoded beside its hex.
func (e Entry) MarshalJSON() ([]byte, error) {
	l := line{N: e.N, Op: e.Op, AtMS: float64(e.At.Microseconds()) / 1000, AtNS: int64(e.At), Host: e.Host, V6: e.V6, Error: e.Err, Note: e.Note}
	switch e.Op {
	case OpOpen, OpSend, OpRecv:
		l.Socket = &e.Sock
	}
	if e.Addr.IsValid() {
		l.Addr = e.Addr.String()
	}
	if e.Op == OpSend || e.Op == OpRecv {
		l.Hex = hex.EncodeToString(e.Data)
		v, flaws, err := lenient.Decode(e.Data)
		if err == nil {
			l.Decoded = tree(v)
		} else {
			l.Flaws = []string{err.Error()}
		}
		for _, f := range flaws {
			l.Flaws = append(l.Flaws, f.String())
		}
	}
	for _, n := range e.Neighbours {
		l.Neighbours = append(l.Neighbours, lineNodeID{hex.EncodeToString(n.ID[:]), n.Addr.String(), n.Asked, hex.EncodeToString(n.Query)})
	}
	return json.Marshal(l)
}

// UnmarshalJSON reads a line of a transcript. Of a datagram only the hex counts.
func (e *Entry) UnmarshalJSON(b []byte) error {
	var l line
	if err := json.Unmarshal(b, &l); err != nil {
		return err
	}
	*e = Entry{N: l.N, Op: l.Op, At: time.Duration(l.AtNS), Host: l.Host, V6: l.V6, Err: l.Error, Note: l.Note}
	if l.Socket != nil {
		e.Sock = *l.Socket
	}
	var err error
	if l.Addr != "" {
		if e.Addr, err = netip.ParseAddrPort(l.Addr); err != nil {
			return err
		}
	}
	if e.Op == OpSend || e.Op == OpRecv {
		if e.Data, err = hex.DecodeString(l.Hex); err != nil {
			return err
		}
	}
	for _, n := range l.Neighbours {
		var x Neighbour
		id, err := hex.DecodeString(n.ID)
		if err != nil || len(id) != 20 {
			return fmt.Errorf("conformance: neighbour id %q", n.ID)
		}
		x.ID, x.Asked = [20]byte(id), n.Asked
		if n.Query != "" {
			if x.Query, err = hex.DecodeString(n.Query); err != nil {
				return err
			}
		}
		if x.Addr, err = netip.ParseAddrPort(n.Addr); err != nil {
			return err
		}
		e.Neighbours = append(e.Neighbours, x)
	}
	return nil
}

// tree gives a decoded value in JSON's types; a dictionary keeps its order as a list of pairs only where a map could not hold it.
func tree(v lenient.Value) any {
	switch v.Kind {
	case lenient.Int:
		return v.Int
	case lenient.String:
		return strings.Trim(printable(v.Str, math.MaxInt), `"`)
	case lenient.List:
		l := make([]any, 0, len(v.List))
		for _, e := range v.List {
			l = append(l, tree(e))
		}
		return l
	}
	m := make(map[string]any, len(v.Pairs))
	for _, p := range v.Pairs {
		k := strings.Trim(printable(p.Key, math.MaxInt), `"`)
		if _, twice := m[k]; !twice {
			m[k] = tree(p.Value)
		}
	}
	return m
}

// escaped writes what is no bencode the way a table of packets does: text as it is, other bytes as \xNN.
func escaped(b []byte, most int) string {
	var w strings.Builder
	for _, c := range b[:min(len(b), most)] {
		if c < 0x20 || c > 0x7e || c == '\\' {
			fmt.Fprintf(&w, `\x%02x`, c)
		} else {
			w.WriteByte(c)
		}
	}
	if len(b) > most {
		fmt.Fprintf(&w, "… (%d bytes)", len(b))
	}
	return w.String()
}

// longest is how much is shown of a datagram that is no bencode at all.
func longest(most int) int { return max(most, 128) }
