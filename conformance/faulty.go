package conformance

import (
	"bytes"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"kith/conformance/lenient"
	"kith/internal/udp"
)

// Fault is one planted fault: what it is, and the cases that fail because of it, and no others.
type Fault struct {
	What  string
	Cases []string

	// in bends a query before the node sees it, nil leaves it as it is; out bends an answer before the asker sees it. Either may
	// be missing.
	in  func(f *Faulty, now time.Time, from netip.AddrPort, m lenient.Message) []byte
	out func(f *Faulty, to netip.AddrPort, m lenient.Message, d lenient.D) lenient.D
}

// Faulty is the reference node behind filters that bend its packets: so there is a node that does not conform, and what is wrong
// with it is known to the last case.
type Faulty struct {
	Reference
	faults []Fault
	tokens map[string]netip.Addr // who was handed which token
}

// NewFaulty makes a node with some faults; with none named, all that are Planted.
func NewFaulty(r io.Reader, now time.Time, faults ...Fault) (*Faulty, error) {
	n, err := NewReference(r, now)
	if len(faults) == 0 {
		faults = Planted
	}
	return &Faulty{Reference: n, faults: faults, tokens: map[string]netip.Addr{}}, err
}

// Now is the time, for who starts a machine that is not driven yet.
func Now() time.Time { return udp.Now() }

// HandleDatagram implements Machine.
func (f *Faulty) HandleDatagram(now time.Time, from netip.AddrPort, b []byte) {
	for _, x := range f.faults {
		if m, err := lenient.Parse(b); err == nil && m.Y == "q" && x.in != nil {
			if bent := x.in(f, now, from, m); bent != nil {
				b = bent
			}
		}
	}
	f.Reference.HandleDatagram(now, from, b)
}

// Transmit implements Machine.
func (f *Faulty) Transmit() (netip.AddrPort, []byte, bool) {
	to, b, ok := f.Reference.Transmit()
	if !ok {
		return to, b, false
	}
	for _, x := range f.faults {
		m, err := lenient.Parse(b)
		if err != nil || m.Y == "q" || x.out == nil {
			continue
		}
		b = lenient.Encode(x.out(f, to, m, entries(m.Root)))
	}
	return to, b, true
}

// entries takes a dictionary apart, to be bent and written again.
func entries(v lenient.Value) lenient.D {
	d := lenient.D{}
	for _, p := range v.Pairs {
		d = append(d, lenient.E{Key: string(p.Key), Value: p.Value})
	}
	return d
}

// Planted are the faults of the node that `kith conform` shows.
var Planted = []Fault{
	{
		What:  "cuts a `t` of more than 40 bytes",
		Cases: []string{"dht-not-query-silent-taken"},
		out: func(_ *Faulty, _ netip.AddrPort, m lenient.Message, d lenient.D) lenient.D {
			return d.Set("t", m.T[:min(len(m.T), 40)])
		},
	},
	{
		What:  "looks only at the first four letters of ping",
		Cases: []string{"dht-method-reply-longer"},
		in: func(_ *Faulty, _ time.Time, _ netip.AddrPort, m lenient.Message) []byte {
			if !strings.HasPrefix(m.Q, "ping") || m.Q == "ping" {
				return nil
			}
			return lenient.Encode(entries(m.Root).Set("q", "ping"))
		},
	},
	{
		What:  "takes a token that it handed to another address",
		Cases: []string{"dht-announce-token-ip", "dht-announce-token-ip-family", "dht-announce-token-ip-stored", "dht-token-203-ip"},
		in: func(f *Faulty, now time.Time, from netip.AddrPort, m lenient.Message) []byte {
			token, _ := m.A.Get("token")
			owner, ours := f.tokens[string(token.Str)]
			if m.Q != "announce_peer" || !ours || owner == from.Addr() {
				return nil
			}
			args := entries(m.A).Set("token", f.tokenFor(now, from))
			return lenient.Encode(entries(m.Root).Set("a", args))
		},
		out: func(f *Faulty, to netip.AddrPort, m lenient.Message, d lenient.D) lenient.D {
			if token, ok := m.R.Get("token"); ok && len(f.tokens) < 1<<14 {
				f.tokens[string(token.Str)] = to.Addr()
			}
			return d
		},
	},
	{
		What:  "writes its own port into `ip`",
		Cases: []string{"dht-ip-right", "dht-ip-right-error", "dht-ip-right-other-address", "dht-ip-right-other-port"},
		out: func(_ *Faulty, _ netip.AddrPort, m lenient.Message, d lenient.D) lenient.D {
			ip, _ := m.Root.Get("ip")
			if len(ip.Str) != 6 {
				return d
			}
			return d.Set("ip", slices.Concat(ip.Str[:4], []byte{0x1a, 0xe1}))
		},
	},
	{
		What:  "asks samplers to come back after a day",
		Cases: []string{"dht-sample-interval"},
		out: func(_ *Faulty, _ netip.AddrPort, m lenient.Message, d lenient.D) lenient.D {
			if _, ok := m.R.Get("interval"); !ok {
				return d
			}
			return d.Set("r", entries(m.R).Set("interval", 86400))
		},
	},
}

// tokenFor asks the node itself for a token for an address, as if it had asked.
func (f *Faulty) tokenFor(now time.Time, from netip.AddrPort) []byte {
	args := lenient.D{{Key: "id", Value: bootstrapID}, {Key: "info_hash", Value: bootstrapID}}
	f.Reference.HandleDatagram(now, from, lenient.Encode(lenient.D{
		{Key: "a", Value: args}, {Key: "q", Value: "get_peers"}, {Key: "ro", Value: 1}, {Key: "t", Value: "tok"}, {Key: "y", Value: "q"},
	}))
	var token []byte
	for {
		to, b, ok := f.Reference.Transmit()
		if !ok {
			return token
		}
		if m, err := lenient.Parse(b); err == nil && to == from && string(m.T) == "tok" {
			t, _ := m.R.Get("token")
			token = bytes.Clone(t.Str)
		}
	}
}

// ComparePlanted compares a run against the faulty node with what was planted: cases of the plan that had to fail and did not, and the
// reverse.
func ComparePlanted(s *Summary) (missed, extra []string) {
	var planted []string
	for _, p := range Planted {
		planted = append(planted, p.Cases...)
	}
	for _, r := range s.Results {
		found := r.Verdict != Pass && r.Verdict != Unsupported && r.Verdict != Blocked
		switch meant := slices.Contains(planted, r.Case.ID); {
		case meant && !found:
			missed = append(missed, r.Case.ID)
		case found && !meant:
			extra = append(extra, r.Case.ID)
		}
	}
	return missed, extra
}
