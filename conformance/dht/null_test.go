package dht

import (
	"bytes"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kith/conformance"
	"kith/conformance/lenient"
)

// nulls are targets that implement nothing. A suite that any of them passes a case of is a suite that can pass nothing.
var nulls = map[string]func() conformance.Machine{
	// Over sockets a closed port looks like a sink: the refusals reach only connected sockets, and cases have none.
	"silent sink": func() conformance.Machine { return null(func(b []byte) []byte { return nil }) },
	"garbage": func() conformance.Machine {
		x := uint32(1)
		return null(func(b []byte) []byte {
			out := make([]byte, 40)
			for i := range out {
				x = x*1664525 + 1013904223
				out[i] = byte(x >> 24)
			}
			return out
		})
	},
	"echo": func() conformance.Machine { return null(func(b []byte) []byte { return b }) },
	"always 204": func() conformance.Machine {
		return null(func(b []byte) []byte {
			return encode(dict("e", lenient.L{204, "Method Unknown"}, "t", tOf(b), "y", "e"))
		})
	},
	"last reply again": func() conformance.Machine {
		f := newFake()
		var last []byte
		return null(func(b []byte) []byte {
			was := last
			last = f.answer(netip.MustParseAddrPort("127.0.0.1:1"), b)
			return was
		})
	},
	"same t": func() conformance.Machine {
		f := newFake()
		f.bend = func(_ netip.AddrPort, b []byte) [][]byte {
			v, _, _ := lenient.Decode(b)
			d := lenient.D{}
			for _, p := range v.Pairs {
				d = append(d, lenient.E{Key: string(p.Key), Value: p.Value})
			}
			return [][]byte{encode(d.Set("t", "aa"))}
		}
		return f
	},
	"answers, then dies": func() conformance.Machine {
		f := newFake()
		answered := false
		f.bend = func(_ netip.AddrPort, b []byte) [][]byte {
			if answered {
				return nil
			}
			answered = true
			return [][]byte{b}
		}
		return f
	},
}

func TestNullTargetsPassNothing(t *testing.T) {
	for name, target := range nulls {
		t.Run(name, func(t *testing.T) {
			for _, c := range Suite().Cases {
				w := conformance.NewSim(target())
				run := finish(w, c.Run(w, conformance.Options{Seed: 1}))
				require.Empty(t, run.Outcome.Fault, "%s: a fault of the case", c.ID)
				require.Contains(t, []conformance.Verdict{conformance.Fail, conformance.Inconclusive}, run.Outcome.Verdict, "%s: %+v", c.ID, run.Outcome)
			}
		})
	}
}

func tOf(b []byte) []byte {
	m, _ := lenient.Parse(b)
	return m.T
}

// null is a target made of a function.
type nullTarget struct {
	f   func([]byte) []byte
	out []outgoing
}

func null(f func([]byte) []byte) *nullTarget { return &nullTarget{f: f} }

func (n *nullTarget) HandleDatagram(_ time.Time, from netip.AddrPort, b []byte) {
	if a := n.f(append([]byte(nil), b...)); a != nil {
		n.out = append(n.out, outgoing{from, a})
	}
}
func (n *nullTarget) HandleTimeout(time.Time)    {}
func (n *nullTarget) NextTimeout() (t time.Time) { return t }
func (n *nullTarget) Transmit() (netip.AddrPort, []byte, bool) {
	if len(n.out) == 0 {
		return netip.AddrPort{}, nil, false
	}
	o := n.out[0]
	n.out = n.out[1:]
	return o.to, o.b, true
}

// The same seed gives the same bytes, whatever ran before; and a log is judged as the run that wrote it was.
func TestCasesAreFunctionsOfWhatTheySee(t *testing.T) {
	for _, c := range Suite().Cases {
		play := func(m conformance.Machine) *conformance.Run {
			w := conformance.NewSim(m)
			w.Meet()
			return finish(w, c.Run(w, conformance.Options{Seed: 7}))
		}
		for name, m := range map[string]func() conformance.Machine{
			"fake": func() conformance.Machine { return newFake() }, "sink": nulls["silent sink"], "echo": nulls["echo"],
			"reference": func() conformance.Machine { return reference(t, 1) }, "faulty": func() conformance.Machine { return faulty(t) },
		} {
			first, second := play(m()), play(m())
			require.Equal(t, first.Log, second.Log, "%s on %s: two runs differ", c.ID, name)
			again := playback(t, c, first.Log)
			require.Equal(t, first.Outcome, again.Outcome, "%s on %s: judged offline", c.ID, name)
		}
	}
}

func faulty(t *testing.T) conformance.Machine {
	m, err := conformance.NewFaulty(bytes.NewReader(bytes.Repeat([]byte{1}, 32)), conformance.Epoch)
	require.NoError(t, err)
	return m
}

// playback writes a log out, reads it again and judges it.
func playback(t *testing.T, c *conformance.Case, l *conformance.Log) *conformance.Run {
	t.Helper()
	var read conformance.Log
	for _, e := range l.Entries {
		b, err := e.MarshalJSON()
		require.NoError(t, err)
		var back conformance.Entry
		require.NoError(t, back.UnmarshalJSON(b))
		read.Entries = append(read.Entries, back)
	}
	sim := conformance.NewSim(newFake())
	v4, _ := sim.Target(false)
	v6, _ := sim.Target(true)
	w := conformance.NewPlayback(&read, v4, v6)
	run := c.Run(w, conformance.Options{Seed: 7})
	for _, ev := range w.Rest() {
		run.Late(ev)
	}
	return run
}

// An id is permanent: expectation files and other people's notes name it. A case may change and be added to, never renamed.
func TestIDsArePermanent(t *testing.T) {
	text, err := os.ReadFile("testdata/ids.txt")
	require.NoError(t, err)
	var known, ids []string
	for line := range strings.Lines(string(text)) {
		known = append(known, strings.TrimSpace(line))
	}
	for _, c := range Suite().Cases {
		ids = append(ids, c.ID)
		require.Contains(t, known, c.ID, "a new case: put its id into testdata/ids.txt")
	}
	for _, id := range known {
		require.Contains(t, ids, id, "the case is gone or has another name")
	}
}

// Of one requirement at most five cases count, so that a number of cases says something.
func TestTheSuiteIsWellFormed(t *testing.T) {
	per, counted, negative := map[string]int{}, 0, 0
	for _, c := range Suite().Cases {
		require.NotEmpty(t, c.File, c.ID)
		require.Positive(t, c.Line, c.ID)
		require.NotEmpty(t, Source(c), c.ID)
		if per[c.Requirement.ID]++; per[c.Requirement.ID] > 5 {
			continue
		}
		counted++
		if c.Kind != Accept {
			negative++
		}
	}
	t.Logf("%d cases of %d requirements; with at most 5 of each %d, of them %d negative", len(Suite().Cases), len(per), counted, negative)
	require.GreaterOrEqual(t, counted, 150)
	require.GreaterOrEqual(t, 2*negative, counted)
}
