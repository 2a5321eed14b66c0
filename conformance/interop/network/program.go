package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// callLimit is how long one command may take. bittorrent-dht waits up to 8 s for nodes that have gone.
const callLimit = 30 * time.Second

// item is what is put: text, mutable if it has a seed.
type item struct {
	text, seed, salt string
}

// program is one of the three, by its command lines. An id is that of the node for which the command line is; kith has none to set:
// as a client it is read-only, and nobody keeps it.
type program struct {
	name     string
	node     func(bootstrap, id string) []string
	put      func(at, id string, it item) []string
	get      func(at, id string, it item, target string) []string
	announce func(at, id, infoHash string, port int) []string
	peers    func(at, id, infoHash string) []string
	find     func(at string) []string // only kith has it
}

const anyPort = "127.0.0.1:0"

func kithProgram(path string) *program {
	client := func(command, at string, args ...string) []string {
		return append([]string{path, "dht", command, "--listen", anyPort, "--bootstrap", at}, args...)
	}
	return &program{
		name: "kith",
		node: func(bootstrap, _ string) []string {
			if bootstrap == "" {
				bootstrap = "none"
			}
			return []string{path, "node", "--listen", anyPort, "--bootstrap", bootstrap, "--reachable"}
		},
		put: func(at, _ string, it item) []string {
			args := []string{it.text}
			if it.seed != "" {
				args = append(args, "--seed", it.seed, "--salt", it.salt, "--seq", "1")
			}
			return client("put", at, args...)
		},
		get: func(at, _ string, it item, target string) []string {
			return client("get", at, "--raw", "--salt", it.salt, target)
		},
		announce: func(at, _, infoHash string, port int) []string {
			return client("announce", at, infoHash, "--port", strconv.Itoa(port))
		},
		peers: func(at, _, infoHash string) []string { return client("peers", at, infoHash) },
		find:  func(at string) []string { return client("find", at, strings.Repeat("5a", 20)) },
	}
}

// foreignProgram is one of the two that share a command line: ../README.md.
func foreignProgram(name string, command ...string) *program {
	line := func(args ...string) []string { return append(append([]string(nil), command...), args...) }
	mutable := func(it item) (flags []string) {
		if it.seed != "" {
			flags = append(flags, "--seed="+it.seed)
		}
		if it.salt != "" {
			flags = append(flags, "--salt="+it.salt)
		}
		return flags
	}
	return &program{
		name: name,
		node: func(bootstrap, id string) []string {
			args := line("node", "--listen="+anyPort, "--bootstrap="+bootstrap, "--id="+id)
			if name == "anacrolix" { // else it answers 25 datagrams a second, all askers together, and many ask here at once
				args = append(args, "--send-limit=0")
			}
			return args
		},
		put: func(at, id string, it item) []string {
			return append(append(line("put", "--bootstrap="+at, "--id="+id), mutable(it)...), it.text)
		},
		get: func(at, id string, it item, target string) []string {
			return line("get", "--bootstrap="+at, "--id="+id, "--salt="+it.salt, target)
		},
		announce: func(at, id, infoHash string, port int) []string {
			return line("announce", "--bootstrap="+at, "--id="+id, infoHash, strconv.Itoa(port))
		},
		peers: func(at, id, infoHash string) []string { return line("peers", "--bootstrap="+at, "--id="+id, infoHash) },
	}
}

// call runs a command to its end and returns what it printed. The error has what it said.
func (p *program) call(ctx context.Context, args []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		err = fmt.Errorf("no end within %v", callLimit)
	case err != nil:
		err = fmt.Errorf("%w: %s", err, lastLine(said.String()))
	}
	return out.String(), err
}

// node is a running node.
type node struct {
	name, addr string
	cmd        *exec.Cmd
	said       bytes.Buffer
	ended      chan struct{}
	err        error
	gone       bool // it was told to end
}

// start starts a node and waits until it says where it listens.
func (p *program) start(ctx context.Context, bootstrap, id string) (*node, error) {
	args := p.node(bootstrap, id)
	n := &node{name: p.name, cmd: exec.CommandContext(ctx, args[0], args[1:]...), ended: make(chan struct{})}
	n.cmd.Stderr = &n.said
	n.cmd.WaitDelay = time.Second
	out, err := n.cmd.StdoutPipe()
	if err == nil {
		err = n.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("a node of %s cannot be started: %w", p.name, err)
	}
	listening := make(chan string, 1)
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			if words := strings.Fields(s.Text()); len(words) > 1 && words[0] == "listening" {
				select {
				case listening <- words[len(words)-1]:
				default:
				}
			}
		}
		n.err = n.cmd.Wait()
		close(n.ended)
	}()
	select {
	case n.addr = <-listening:
		return n, nil
	case <-n.ended:
		return nil, fmt.Errorf("a node of %s ended at once: %v: %s", p.name, n.err, lastLine(n.said.String()))
	case <-time.After(20 * time.Second):
		n.cmd.Process.Kill()
		return nil, fmt.Errorf("a node of %s did not say where it listens", p.name)
	}
}

// end ends the node. That it had ended by itself, or does not end in order, is an error.
func (n *node) end() error {
	select {
	case <-n.ended:
		return fmt.Errorf("the node of %s at %s ended by itself: %v: %s", n.name, n.addr, n.err, lastLine(n.said.String()))
	default:
	}
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		n.cmd.Process.Kill()
	}
	select {
	case <-n.ended:
	case <-time.After(5 * time.Second):
		n.cmd.Process.Kill()
		<-n.ended
		return fmt.Errorf("the node of %s at %s did not end within 5 s of SIGTERM", n.name, n.addr)
	}
	if n.err != nil {
		return fmt.Errorf("the node of %s at %s: %w", n.name, n.addr, n.err)
	}
	return nil
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

func countLines(s string) int { return len(strings.Split(strings.TrimSpace(s), "\n")) }
