package conformance

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"kith/testvectors"
)

// A Shim is somebody's implementation behind the protocol of spec/shim.md: a program that answers a line of JSON with a line of JSON. When it
// has ended, or was silent for too long and was ended for it, it is started anew for the next question.
type Shim struct {
	args    []string
	timeout time.Duration
	life    *shimLife
	starts  int
	running atomic.Pointer[exec.Cmd] // for Kill
}

// mostLine is the longest answer, in bytes, that is read.
const mostLine = 16 << 20

// StartShim starts a command line, and waits for nothing. An answer may take the time of timeout. The error says why the program cannot be
// started.
func StartShim(line string, timeout time.Duration) (*Shim, error) {
	args, err := fields(line)
	if err == nil && len(args) == 0 {
		err = errors.New("the command is empty")
	}
	if err != nil {
		return nil, err
	}
	s := &Shim{args: args, timeout: timeout}
	s.life, err = s.start()
	return s, err
}

// Ask is a testvectors.Ask.
func (s *Shim) Ask(request []byte) ([]byte, error) {
	if s.life == nil {
		life, err := s.start()
		if err != nil {
			return nil, err
		}
		s.life = life
		// Whatever it answers, it has been greeted: a program that lives again starts from the beginning.
		if _, err := s.ask([]byte(`{"id":0,"op":"hello","in":{"version":"` + testvectors.Version + `"}}`)); err != nil {
			return nil, err
		}
	}
	return s.ask(request)
}

func (s *Shim) ask(request []byte) ([]byte, error) {
	answer, err := s.life.ask(request, s.timeout)
	if err != nil {
		s.life.stop()
		s.life = nil
	}
	return answer, err
}

// Starts is how often the program was started.
func (s *Shim) Starts() int { return s.starts }

// Kill ends the program at once. It may be called while another goroutine waits for an answer, which then does not come.
func (s *Shim) Kill() {
	if c := s.running.Load(); c != nil {
		killGroup(c)
	}
}

// Close lets the program see the end of its input, and ends it if that does not end it.
func (s *Shim) Close() {
	if s.life != nil {
		late := time.AfterFunc(min(s.timeout, 2*time.Second), func() { killGroup(s.life.cmd) })
		s.life.in.Close()
		s.life.drain()
		late.Stop()
		s.life = nil
	}
}

// A shimLife is one run of the program.
type shimLife struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan []byte // what it has answered; closed when it has ended
	end   error       // how, after lines
	said  lastLines
}

func (s *Shim) start() (*shimLife, error) {
	l := &shimLife{cmd: exec.Command(s.args[0], s.args[1:]...), lines: make(chan []byte)}
	l.cmd.Stderr = &l.said
	l.cmd.WaitDelay = time.Second // a grandchild that keeps a pipe does not keep us
	ownGroup(l.cmd)
	in, err := l.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	l.in = in
	if err := l.cmd.Start(); err != nil {
		return nil, err
	}
	s.starts++
	s.running.Store(l.cmd)
	go l.read(out)
	return l, nil
}

// read hands over the lines of the program until it ends.
func (l *shimLife) read(out io.Reader) {
	r := bufio.NewScanner(out)
	r.Buffer(nil, mostLine)
	r.Split(wholeLines)
	for r.Scan() {
		l.lines <- bytes.Clone(r.Bytes())
	}
	grace := time.Second // for a program that has closed its output, and has only to end
	if r.Err() != nil {
		grace = 0
	}
	late := time.AfterFunc(grace, func() { killGroup(l.cmd) })
	l.end = errors.Join(r.Err(), l.cmd.Wait())
	late.Stop()
	close(l.lines)
}

var errHalfLine = errors.New("it ended in the middle of a line")

// wholeLines takes lines that end, without their ends.
func wholeLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return 0, nil, errHalfLine
	}
	return 0, nil, nil
}

// ask writes a request and waits for the next line.
func (l *shimLife) ask(request []byte, timeout time.Duration) ([]byte, error) {
	go l.in.Write(append(bytes.Clone(request), '\n')) // a program that reads nothing must not keep us; it answers nothing then
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case line, ok := <-l.lines:
		if ok {
			return line, nil
		}
		how := "exit status 0"
		if l.end != nil {
			how = l.end.Error()
		}
		return nil, fmt.Errorf("no answer: it has ended (%s)%s", how, l.said.text())
	case <-timer.C:
		return nil, fmt.Errorf("no answer within %v%s", timeout, l.said.text())
	}
}

// stop ends the program and what it started.
func (l *shimLife) stop() {
	l.in.Close()
	killGroup(l.cmd)
	l.drain()
}

// drain waits until the program has ended; WaitDelay bounds this when it was killed.
func (l *shimLife) drain() {
	for range l.lines { // what nobody asked for
	}
}

// lastLines keeps the end of what a program says to people.
type lastLines struct {
	mu   sync.Mutex
	tail []byte
}

func (t *lastLines) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tail = append(t.tail, b...)
	if n := len(t.tail) - tailSize; n > 0 {
		t.tail = append(t.tail[:0], t.tail[n:]...)
	}
	return len(b), nil
}

// text is what was said, as the end of a sentence.
func (t *lastLines) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	said := strings.TrimSpace(string(t.tail))
	if said == "" {
		return ""
	}
	lines := strings.Split(said, "\n")
	return "; it said: " + strings.Join(lines[max(0, len(lines)-6):], "\n")
}
