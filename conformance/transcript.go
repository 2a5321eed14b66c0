package conformance

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"time"
)

// Transcript is the log of one case with all that is needed to judge it again. A file of one is lines of JSON: this header, an entry
// a line, and at the end what was said of it.
type Transcript struct {
	Format    int            `json:"transcript"`
	Version   string         `json:"suite_version"`
	Case      string         `json:"case"`
	Seed      uint64         `json:"seed"`
	Round     int            `json:"round,omitempty"`
	TimeoutNS int64          `json:"timeout_ns"`
	V4        netip.AddrPort `json:"target,omitzero"`
	V6        netip.AddrPort `json:"target6,omitzero"`
	Log       *Log           `json:"-"`
	Verdict   Verdict        `json:"-"`
}

// end is the last line.
type end struct {
	Verdict  Verdict  `json:"verdict"`
	Expected string   `json:"expected,omitempty"`
	Observed string   `json:"observed,omitempty"`
	Notes    []string `json:"notes,omitempty"`
}

// write writes the transcript of a result into dir and returns the file's name. What is added to it tells several of one case apart.
func (t Transcript) write(dir string, r *Result, added string) (name string, err error) {
	name = filepath.Join(dir, t.Case+added+".jsonl")
	f, err := os.Create(name)
	if err != nil {
		return "", err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			os.Remove(f.Name()) // half a transcript could be taken for a whole one
		}
	}()
	w := bufio.NewWriter(f)
	e := json.NewEncoder(w)
	if err := e.Encode(t); err != nil {
		return "", err
	}
	for _, x := range t.Log.Entries {
		if err := e.Encode(x); err != nil {
			return "", err
		}
	}
	if err := e.Encode(end{r.Verdict, r.Outcome.Expected, r.Outcome.Observed, r.Notes()}); err != nil {
		return "", err
	}
	return name, w.Flush()
}

// ReadTranscript reads a transcript.
func ReadTranscript(r io.Reader) (*Transcript, error) {
	t := &Transcript{Log: &Log{}}
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<24)
	for n := 0; s.Scan(); n++ {
		var err error
		if n == 0 {
			err = json.Unmarshal(s.Bytes(), t)
			if err == nil && t.Format != 1 {
				err = errors.New("not the header of a transcript")
			}
		} else {
			err = t.entry(s.Bytes())
		}
		if err != nil {
			return nil, fmt.Errorf("conformance: transcript, line %d: %w", n+1, err)
		}
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("conformance: transcript: %w", err)
	}
	if t.Format == 0 {
		return nil, errors.New("conformance: transcript: it is empty")
	}
	return t, nil
}

func (t *Transcript) entry(b []byte) error {
	var x end
	if err := json.Unmarshal(b, &x); err != nil {
		return err
	}
	if x.Verdict != "" {
		t.Verdict = x.Verdict
		return nil
	}
	var e Entry
	if err := e.UnmarshalJSON(b); err != nil {
		return err
	}
	t.Log.Entries = append(t.Log.Entries, e)
	return nil
}

// Judge plays the case again in the transcript and returns what it comes to now. The error is a Divergence when the case no longer
// does what was recorded.
func (t *Transcript) Judge(s *Suite) (run *Run, err error) {
	c := s.Find(t.Case)
	if c == nil {
		return nil, fmt.Errorf("conformance: the suite has no case %q", t.Case)
	}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case Divergence:
			run, err = nil, r
		default:
			panic(r)
		}
	}()
	w := NewPlayback(t.Log, t.V4, t.V6)
	run = c.Run(w, Options{Seed: t.Seed, Round: t.Round, Timeout: time.Duration(t.TimeoutNS)})
	for _, ev := range w.Rest() {
		run.Late(ev)
	}
	return run, w.parted
}
