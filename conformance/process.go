package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"kith/internal/udp"
)

// Command is how the runner starts a target: a command line in which {listen}, {bootstrap} and {state} stand for the address to
// listen on, a node to begin at, and a file that does not exist yet. {listen6} is a second address, for a node of both families.
type Command struct {
	Line string
	Dir  string // where state files go; empty: a temporary folder
	Log  string // a file for what the target prints; empty: only its end is kept
}

// process is one life of a target.
type process struct {
	cmd  *exec.Cmd
	dead chan struct{} // closed when it has ended
	err  error         // how, after dead
	hung bool          // it answered nobody any more, and was ended for it

	mu    sync.Mutex
	tail  []byte // the end of what it printed
	file  *os.File
	fault error // why the file does not hold all of it
}

// tailSize is how much of a target's output is kept for the report of a crash.
const tailSize = 4096

// Write takes the target's output.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tail = append(p.tail, b...)
	if n := len(p.tail) - tailSize; n > 0 {
		p.tail = append(p.tail[:0], p.tail[n:]...)
	}
	if p.file != nil && p.fault == nil {
		_, p.fault = p.file.Write(b)
	}
	return len(b), nil
}

// logFault is why the log of what the target prints is not whole.
func (p *process) logFault() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault
}

// said returns the last lines that the target printed.
func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(p.tail)), "\n")
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}

// lastWords is what the target said, as the end of a sentence.
func (p *process) lastWords() string {
	if said := p.said(); said != "" {
		return "it said:\n" + said
	}
	return "it said nothing"
}

// start starts the command, listening at the addresses of addr.
func (c Command) start(addr Address, bootstrap netip.AddrPort, life int) (*process, error) {
	state := filepath.Join(c.Dir, fmt.Sprintf("state-%d", life))
	line := strings.NewReplacer(
		"{listen}", addr.first().String(), "{listen6}", addr.V6.String(), "{bootstrap}", bootstrap.String(), "{state}", state,
	).Replace(c.Line)
	args, err := fields(line)
	if err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return nil, errors.New("the command is empty")
	}
	p := &process{cmd: exec.Command(args[0], args[1:]...), dead: make(chan struct{})}
	if c.Log != "" {
		if p.file, err = os.OpenFile(c.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644); err != nil {
			return nil, err
		}
	}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	p.cmd.WaitDelay = time.Second // a grandchild that keeps the pipe does not keep us
	ownGroup(p.cmd)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		if p.file != nil {
			p.file.Close()
		}
		close(p.dead)
	}()
	return p, nil
}

// exited reports whether the process has ended.
func (p *process) exited() bool {
	select {
	case <-p.dead:
		return true
	default:
		return false
	}
}

// how says how it ended.
func (p *process) how() string {
	if p.err == nil {
		return "exit status 0"
	}
	return p.err.Error()
}

// stop ends the process and what it started.
func (p *process) stop() {
	if p.exited() {
		return
	}
	killGroup(p.cmd)
	never := make(chan struct{})
	for range 400 { // WaitDelay bounds this to a second
		if p.exited() {
			return
		}
		udp.Pause(5*time.Millisecond, never)
	}
}

// fields splits a command line at spaces, minding single and double quotes.
func fields(line string) (args []string, err error) {
	var word bytes.Buffer
	in, quote := false, rune(0)
	for _, c := range line {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, in = c, true
		case c == ' ' || c == '\t':
			if in {
				args = append(args, word.String())
				word.Reset()
				in = false
			}
		default:
			word.WriteRune(c)
			in = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a %c without its end in %q", quote, line)
	}
	if in {
		args = append(args, word.String())
	}
	return args, nil
}

// freePort finds a port of a loopback address that nobody has just now.
func freePort(loopback string) (netip.AddrPort, error) {
	p := udp.NewProbe()
	defer p.Close()
	_, addr, err := p.Open(netip.AddrPortFrom(netip.MustParseAddr(loopback), 0))
	return addr, err
}

// place gives the command the addresses that its line asks for and the target does not have.
func (c Command) place(target *Address) error {
	four, six := strings.Contains(c.Line, "{listen}"), strings.Contains(c.Line, "{listen6}")
	if !four && !six {
		return errors.New("--exec needs {listen} where the command takes its address")
	}
	for _, x := range []struct {
		wanted   bool
		addr     *netip.AddrPort
		loopback string
	}{{four && !target.first().IsValid(), &target.V4, "127.0.0.1"}, {six && !target.V6.IsValid(), &target.V6, "::1"}} {
		if !x.wanted {
			continue
		}
		var err error
		if *x.addr, err = freePort(x.loopback); err != nil {
			return fmt.Errorf("no free port: %w", err)
		}
	}
	return nil
}
