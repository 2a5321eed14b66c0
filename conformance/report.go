package conformance

import (
	"bufio"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// ReportSchema is the JSON schema of one line of a report.
//
//go:embed report.schema.json
var ReportSchema []byte

// ReportFormat is the version of the report's form. It grows when a reader of the older form would misunderstand a newer report.
const ReportFormat = 1

// Header is the first line of a report.
type Header struct {
	Kind     string       `json:"kind"` // "header"
	Format   int          `json:"format"`
	Suite    string       `json:"suite"`
	Version  string       `json:"suite_version"`
	Spec     string       `json:"spec_version"`
	Started  time.Time    `json:"started"`
	Seed     uint64       `json:"seed"`
	Target   TargetInfo   `json:"target"`
	Profiles []ClaimState `json:"profiles"`
	Cases    int          `json:"cases"`            // in the suite
	Planned  int          `json:"planned"`          // after the filters: so many case lines come
	Rounds   int          `json:"rounds,omitempty"` // how often the plan is played, if more than once
}

// TargetInfo is what is known about the target.
type TargetInfo struct {
	Address string `json:"address"`
	Command string `json:"command,omitempty"`
	ID      string `json:"id,omitempty"`      // hex
	Version string `json:"version,omitempty"` // its `v`, as text where it is text
}

// ClaimState says whether a profile's cases are judged, and why.
type ClaimState struct {
	Profile string `json:"profile"`
	Claimed bool   `json:"claimed"`
	How     string `json:"how"` // "seen", "not seen" or "chosen"
}

// CaseLine is one case of a report.
type CaseLine struct {
	Kind        string          `json:"kind"` // "case"
	ID          string          `json:"id"`
	Requirement string          `json:"requirement"`
	Level       string          `json:"level"`
	Text        string          `json:"text"`
	Chapter     string          `json:"chapter"`
	Source      string          `json:"source,omitempty"`
	Profile     string          `json:"profile"`
	CaseKind    Kind            `json:"case_kind"`
	Verdict     Verdict         `json:"verdict"`
	TookMS      float64         `json:"took_ms"`
	Sent        *SentLine       `json:"sent,omitempty"`
	Expected    string          `json:"expected,omitempty"`
	Observed    string          `json:"observed,omitempty"`
	Notes       []string        `json:"notes,omitempty"`
	Isolated    bool            `json:"isolated,omitempty"`
	Rounds      map[Verdict]int `json:"rounds,omitempty"` // of a flaky case
	Expectation *Expectation    `json:"expectation,omitempty"`
	Repeat      string          `json:"repeat,omitempty"`
	Transcript  string          `json:"transcript,omitempty"`
}

// SentLine is the datagram that a failed check is about.
type SentLine struct {
	N       int     `json:"n"`
	AtMS    float64 `json:"at_ms"`
	Hex     string  `json:"hex"`
	Decoded string  `json:"decoded"`
}

// Footer is the last line of a report. A report without one was cut off: it is valid, and not whole.
type Footer struct {
	Kind    string          `json:"kind"` // "footer"
	Whole   bool            `json:"whole"`
	Why     string          `json:"why,omitempty"` // why it is not whole
	Counts  map[Verdict]int `json:"counts"`
	Judged  int             `json:"judged"`
	Exit    Exit            `json:"exit"`
	Because string          `json:"because"` // the exit code in words
	TookMS  float64         `json:"took_ms"`
	Crashes []Death         `json:"crashes,omitempty"`
	Rounds  int             `json:"rounds,omitempty"` // that went to their end, of several
	Plays   int             `json:"plays,omitempty"`  // cases judged, each round's counted
	Flips   *int            `json:"flips,omitempty"`  // of them those with another verdict than in the first round
}

// Word says in a word or two what a run that went to its end says about the target.
func (f Footer) Word() string {
	switch {
	case f.Exit == ExitVacuous:
		return "vacuous"
	case f.Exit != ExitConformant:
		return "not conformant"
	case f.Counts[Xfail] > 0:
		return "as expected"
	}
	return "conformant"
}

// Death is one end of the target's process that the runner did not ask for.
type Death struct {
	How      string   `json:"how"`      // exit status or signal
	Said     string   `json:"said"`     // the last it printed
	Suspects []string `json:"suspects"` // the cases under way
	Culprits []string `json:"culprits"` // of them those that ended it again when played alone
}

func newCaseLine(r *Result, repeat string) CaseLine {
	q := r.Case.Requirement
	l := CaseLine{
		Kind: "case", ID: r.Case.ID, Requirement: q.ID, Level: string(q.Level), Text: q.Text, Chapter: "spec/" + q.Chapter + ".md", Source: q.Source,
		Profile: r.Case.Profile, CaseKind: r.Case.Kind, Verdict: r.Verdict, TookMS: ms(r.Took),
		Expected: r.Outcome.Expected, Observed: r.Outcome.Observed, Notes: r.Notes(), Isolated: r.Isolated, Expectation: r.Expectation,
		Transcript: r.Transcript, Rounds: r.Rounds,
	}
	if r.Verdict != Pass && r.Verdict != Unsupported {
		l.Repeat = repeat
	}
	if e := r.Log.sent(r.Outcome.Sent); e != nil {
		l.Sent = &SentLine{N: e.N, AtMS: ms(e.At), Hex: hex.EncodeToString(e.Data), Decoded: Render(e.Data)}
	}
	return l
}

// sent returns the datagram of that number, or nil.
func (l *Log) sent(n int) *Entry {
	if l == nil {
		return nil
	}
	if e := l.Get(n); e != nil && e.Op == OpSend {
		return e
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// reportWriter writes lines so that what stands in the file is valid at every moment.
type reportWriter struct {
	w       io.Writer
	written int64
}

// line writes one value. If that fails half-way the file is cut back to its last whole line.
func (r *reportWriter) line(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("conformance: the report: %w", err)
	}
	n, err := r.w.Write(append(b, '\n'))
	if err == nil {
		r.written += int64(n)
		return nil
	}
	if f, ok := r.w.(interface{ Truncate(int64) error }); ok && n > 0 {
		err = errors.Join(err, f.Truncate(r.written))
	}
	return fmt.Errorf("conformance: the report cannot be written; it holds what came before and is not whole: %w", err)
}

// Report is a report that was read back.
type Report struct {
	Header Header
	Cases  []CaseLine
	Footer *Footer // nil: it was cut off
}

// Whole reports whether the run went to its end. If not, Why says why.
func (r *Report) Whole() bool { return r.Footer != nil && r.Footer.Whole }

// Why says why the report is not whole.
func (r *Report) Why() string {
	switch {
	case r.Footer == nil:
		return fmt.Sprintf("it has no footer: it was cut off after %d of %d cases", len(r.Cases), r.Header.Planned)
	case !r.Footer.Whole:
		return r.Footer.Why
	}
	return ""
}

// ErrReport is what ReadReport's errors wrap.
var ErrReport = errors.New("conformance: not a report")

// ReadReport reads a report. One that was cut off between two lines is read, and says that it is not whole.
func ReadReport(r io.Reader) (*Report, error) {
	var out Report
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<24)
	for n := 1; s.Scan(); n++ {
		var kind struct {
			Kind string `json:"kind"`
		}
		if err := json.Unmarshal(s.Bytes(), &kind); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrReport, n, err)
		}
		var err error
		switch {
		case (n == 1) != (kind.Kind == "header") || out.Footer != nil:
			err = fmt.Errorf("a %q where it cannot stand", kind.Kind)
		case kind.Kind == "header":
			err = json.Unmarshal(s.Bytes(), &out.Header)
		case kind.Kind == "case":
			var c CaseLine
			err = json.Unmarshal(s.Bytes(), &c)
			out.Cases = append(out.Cases, c)
		case kind.Kind == "footer":
			out.Footer = &Footer{}
			err = json.Unmarshal(s.Bytes(), out.Footer)
		default:
			err = fmt.Errorf("kind %q", kind.Kind)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrReport, n, err)
		}
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrReport, err)
	}
	if out.Header.Kind == "" {
		return nil, fmt.Errorf("%w: it is empty", ErrReport)
	}
	return &out, nil
}
