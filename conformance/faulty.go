package conformance

import (
	"io"
	"net/netip"
	"slices"
	"time"

	"kith/conformance/lenient"
	"kith/internal/udp"
)

// Planted are the faults of the faulty node, each with the cases that have to find it.
var Planted = []Fault{
	{
		What:  "cuts a `t` of more than 8 bytes in its replies",
		Cases: []string{"dht-not-query-silent-taken"},
		bend: func(_ *Faulty, m lenient.Message, d lenient.D) lenient.D {
			if m.Y == "r" && len(m.T) > 8 {
				return d.Set("t", m.T[:8])
			}
			return d
		},
	},
}

// Fault is one planted fault: what it is, the cases that fail because of it and no others, and how it bends an answer.
type Fault struct {
	What  string
	Cases []string
	bend  func(f *Faulty, m lenient.Message, answer lenient.D) lenient.D
}

// Faulty is the reference node with the planted faults in front of it: they bend its packets on the way out.
type Faulty struct {
	Reference
}

// NewFaulty makes a faulty node.
func NewFaulty(r io.Reader, now time.Time) (*Faulty, error) {
	n, err := NewReference(r, now)
	return &Faulty{Reference: n}, err
}

// Now is the time, for who starts a machine that is not driven yet.
func Now() time.Time { return udp.Now() }

// Transmit implements Machine.
func (f *Faulty) Transmit() (netip.AddrPort, []byte, bool) {
	to, b, ok := f.Reference.Transmit()
	if !ok {
		return to, b, false
	}
	m, err := lenient.Parse(b)
	if err != nil || m.Y == "q" {
		return to, b, true
	}
	d := lenient.D{}
	for _, p := range m.Root.Pairs {
		d = append(d, lenient.E{Key: string(p.Key), Value: p.Value})
	}
	for _, x := range Planted {
		d = x.bend(f, m, d)
	}
	return to, lenient.Encode(d), true
}

// ComparePlanted compares a run against the faulty node with what was planted: cases that had to fail and did not, and the reverse.
// Cases that were not in the plan are left out.
func ComparePlanted(s *Summary) (missed, extra []string) {
	var planted []string
	for _, p := range Planted {
		planted = append(planted, p.Cases...)
	}
	for _, r := range s.Results {
		found := r.Verdict != Pass
		switch meant := slices.Contains(planted, r.Case.ID); {
		case meant && !found:
			missed = append(missed, r.Case.ID)
		case found && !meant && r.Verdict != Unsupported && r.Verdict != Blocked:
			extra = append(extra, r.Case.ID)
		}
	}
	return missed, extra
}
