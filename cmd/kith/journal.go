package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"kith/dht"
	"kith/internal/udp"
)

// An entry is one line of the JSON log of kith node.
type entry struct {
	Time      string            `json:"time"` // RFC 3339, UTC
	Event     string            `json:"event"`
	Addresses []string          `json:"addresses,omitempty"`
	IDs       []string          `json:"ids,omitempty"`
	Family    string            `json:"family,omitempty"` // IPv4 or IPv6
	Nodes     int               `json:"nodes,omitempty"`
	Address   string            `json:"address,omitempty"`
	ID        string            `json:"id,omitempty"`
	ReadOnly  *bool             `json:"read_only,omitempty"`
	Name      string            `json:"name,omitempty"`
	File      string            `json:"file,omitempty"`
	Error     string            `json:"error,omitempty"`
	Stats     map[string]uint64 `json:"stats,omitempty"` // by the names of the metrics, without their prefix
}

// A journal says what a node does: as lines of JSON, or to people on a terminal, or hardly at all.
type journal struct {
	mu    sync.Mutex // metrics fail in a goroutine of their own
	out   io.Writer
	errs  io.Writer
	json  bool
	live  *liveLine
	fault error
}

func newJournal(cmd *cobra.Command, json bool) *journal {
	j := &journal{out: cmd.OutOrStdout(), errs: cmd.ErrOrStderr(), json: json, live: newLiveLine(cmd.ErrOrStderr())}
	if json {
		j.live = &liveLine{w: cmd.ErrOrStderr()}
	}
	return j
}

// err returns why nothing can be written any more.
func (j *journal) err() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.fault
}

// write writes an entry, in a log for machines.
func (j *journal) write(e entry) {
	e.Time = udp.Now().UTC().Format(time.RFC3339Nano)
	b, err := json.Marshal(e)
	if err != nil {
		panic(err) // an entry holds nothing that JSON has not
	}
	if _, err := j.out.Write(append(b, '\n')); err != nil && j.fault == nil {
		j.fault = err
	}
}

// print says something that scripts may wait for: it is on standard output whoever reads it.
func (j *journal) print(e entry, text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.json {
		j.write(e)
		return
	}
	j.live.clear()
	if _, err := fmt.Fprintln(j.out, text); err != nil && j.fault == nil {
		j.fault = err
	}
}

// tell says something to people who are watching.
func (j *journal) tell(e entry, text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.json:
		j.write(e)
	case j.live.on:
		j.live.print(udp.Now().Format("15:04:05 ") + text)
	}
}

// note says something that nobody needs to watch.
func (j *journal) note(e entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.json {
		j.write(e)
	}
}

// warn says that something is wrong.
func (j *journal) warn(e entry, text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.json {
		j.write(e)
		return
	}
	j.live.print("kith: " + text)
}

func (j *journal) listening(addrs []netip.AddrPort, n *dht.Node) {
	e := entry{Event: "listening"}
	var lines []string
	for _, a := range addrs {
		f := dht.V4
		if a.Addr().Is6() {
			f = dht.V6
		}
		e.Addresses = append(e.Addresses, a.String())
		e.IDs = append(e.IDs, n.ID(f).String())
		lines = append(lines, "listening on "+a.String())
	}
	j.print(e, strings.Join(lines, "\n"))
}

// event tells an event of the node. nodes is the size of the table when it is ready.
func (j *journal) event(e dht.Event, nodes int) {
	family := e.Family.String()
	switch e.Kind {
	case dht.EventReady:
		j.tell(entry{Event: "ready", Family: family, Nodes: nodes}, fmt.Sprintf("%s: %d nodes found", family, nodes))
	case dht.EventAddress:
		j.tell(entry{Event: "address", Family: family, Address: e.Address.String(), ID: e.ID.String()},
			fmt.Sprintf("%s: others see us as %v; our id is %v", family, e.Address, e.ID))
	case dht.EventReadOnly:
		text := "we tell others that they can ask us"
		if e.ReadOnly {
			text = "we tell others that we only ask: no stranger has reached us for a while"
		}
		j.tell(entry{Event: "read_only", Family: family, ReadOnly: &e.ReadOnly}, family+": "+text)
	}
}

// stats writes all figures, in a log for machines.
func (j *journal) stats(read func() (dht.Stats, udp.Stats, error)) {
	if !j.json {
		return
	}
	s, _, err := read()
	if err != nil {
		return
	}
	e := entry{Event: "stats", Stats: map[string]uint64{}}
	s.Each(func(name string, v uint64) { e.Stats[name] = v })
	j.note(e)
}

// stopped is the last line.
func (j *journal) stopped(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.live.clear()
	if !j.json {
		return
	}
	e := entry{Event: "stopped"}
	if err != nil {
		e.Error = err.Error()
	}
	j.write(e)
}

// A meter makes rates out of counters: over the last five seconds, or as long as there have been.
type meter struct{ seen []sample }

type sample struct {
	at      time.Time
	in, out uint64
}

// line is the live line of a node.
func (m *meter) line(s *dht.Stats, own []netip.Addr, families [2]bool, readOnly bool) string {
	now := sample{at: udp.Now()}
	for _, v := range s.Queries {
		now.in += v
	}
	for _, v := range s.Sent {
		now.out += v
	}
	if m.seen = append(m.seen, now); len(m.seen) > 6 {
		m.seen = m.seen[1:]
	}
	var parts []string
	for i, name := range []string{"IPv4", "IPv6"} {
		if families[i] {
			parts = append(parts, fmt.Sprintf("%s %d nodes", name, s.Nodes[i]))
		}
	}
	if d := now.at.Sub(m.seen[0].at).Seconds(); d > 0 {
		parts = append(parts, fmt.Sprintf("queries in %.1f/s out %.1f/s", float64(now.in-m.seen[0].in)/d, float64(now.out-m.seen[0].out)/d))
	}
	parts = append(parts, fmt.Sprintf("holds %s peers %s items", count(uint64(s.Peers)), count(uint64(s.Items))))
	for _, a := range own {
		parts = append(parts, a.String())
	}
	role := "only asks" // a trial is no proof that strangers reach it, so more cannot be said
	if readOnly {
		role = "read-only"
	} else if families[0] && !s.ReadOnly[0] || families[1] && !s.ReadOnly[1] {
		role = "asks and answers"
	}
	return strings.Join(append(parts, role), " · ")
}
