package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// eventLimit is how long a peer may take until it tells something: behind it are look-ups in networks of nodes that have gone.
const eventLimit = 2 * time.Minute

// talk lets two peers of kith, with nothing but each other's address, talk in a DHT of foreign nodes, through restarts of everybody.
func talk(ctx context.Context, kith, name string, members []*program) (err error) {
	dir, err := os.MkdirTemp("", "talk")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	began := time.Now()
	said := func(what string) { fmt.Printf("%-16s %6.2f s  %s\n", name, time.Since(began).Seconds(), what) }

	nodes, err := startAll(ctx, members, nil)
	if err != nil {
		return err
	}
	defer func() { endAll(nodes) }()
	said(fmt.Sprintf("%d nodes", len(nodes)))

	var people [2]*peer
	for i, who := range []string{"alice", "bob"} {
		if people[i], err = newPeer(ctx, kith, filepath.Join(dir, who), nodes); err != nil {
			return err
		}
	}
	for i, p := range people {
		p.friend = people[1-i].address
		if err := os.WriteFile(p.file("friends"), []byte(p.friend+"\n"), 0o600); err != nil {
			return err
		}
		if err := p.start(ctx); err != nil {
			return err
		}
		defer p.kill()
	}
	a, b := people[0], people[1]
	both := func(round string) error {
		for i, p := range people {
			text := fmt.Sprintf("%s, from %d", round, i)
			if err := p.do(`{"do":"send","friend":%q,"text":%q}`, p.friend, text); err != nil {
				return err
			}
			if err := people[1-i].hear(ctx, text); err != nil {
				return fmt.Errorf("%s: %w", round, err)
			}
		}
		said(round)
		return nil
	}
	steps := []struct {
		round string
		do    func() error
	}{
		{"both ways", func() error { return nil }},
		{"after bob was killed and started", func() error { b.kill(); return b.start(ctx) }},
		{"after alice was ended and started", func() error { return a.again(ctx) }},
		{"after the whole DHT was ended", func() error { return endAll(nodes) }},
		{"after another DHT came at its addresses, and both were killed and started", func() error {
			at := make([]string, len(nodes))
			for i, n := range nodes {
				at[i] = n.addr
			}
			if nodes, err = startAll(ctx, members, at); err != nil {
				return err
			}
			a.kill()
			b.kill()
			if err := a.start(ctx); err != nil {
				return err
			}
			return b.start(ctx)
		}},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			return fmt.Errorf("%s: %s: %w", name, s.round, err)
		}
		if err := both(s.round); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, p := range people {
		if err := p.quit(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return endAll(nodes)
}

// startAll starts a node of each program, at given addresses or anywhere. The first is where the others begin.
func startAll(ctx context.Context, members []*program, at []string) (nodes []*node, err error) {
	door := ""
	for i, m := range members {
		args := *m
		if at != nil {
			args.node = func(bootstrap, id string) []string {
				line := m.node(bootstrap, id)
				for j := range line {
					line[j] = strings.Replace(line[j], anyPort, at[i], 1)
				}
				return line
			}
		}
		n, err := args.start(ctx, door, fmt.Sprintf("%02x%038x", 17*i, i+1))
		if err != nil {
			endAll(nodes)
			return nil, err
		}
		nodes = append(nodes, n)
		if i == 0 {
			door = n.addr
		}
	}
	return nodes, nil
}

// endAll ends nodes that have not been ended.
func endAll(nodes []*node) error {
	for _, n := range nodes {
		if n.gone {
			continue
		}
		n.gone = true
		if err := n.end(); err != nil {
			return err
		}
	}
	return nil
}

// A peer is a running kith peer.
type peer struct {
	kith, dir, address, friend string
	doors                      []string
	cmd                        *exec.Cmd
	in                         io.WriteCloser
	events                     chan map[string]any // closed when it has ended
	said                       strings.Builder
}

// newPeer makes an identity.
func newPeer(ctx context.Context, kith, dir string, nodes []*node) (*peer, error) {
	p := &peer{kith: kith, dir: dir}
	for _, n := range nodes {
		p.doors = append(p.doors, n.addr)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(p.file("passphrase"), []byte("for this network only\n"), 0o600); err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, kith, "id", "new", "--json", "--identity", p.file("identity.age"), "--passphrase-file", p.file("passphrase")).Output()
	if err != nil {
		return nil, fmt.Errorf("kith id new: %w", err)
	}
	var made struct{ Address string }
	if err := json.Unmarshal(out, &made); err != nil || made.Address == "" {
		return nil, fmt.Errorf("kith id new printed no address: %v", err)
	}
	p.address = made.Address
	return p, nil
}

func (p *peer) file(name string) string { return filepath.Join(p.dir, name) }

// start starts the peer and waits until it takes commands.
func (p *peer) start(ctx context.Context) error {
	args := []string{"peer", "--json", "--state", p.file("state"), "--identity", p.file("identity.age"), "--passphrase-file", p.file("passphrase"), "--contacts", p.file("friends"), "--listen", anyPort}
	for _, d := range p.doors {
		args = append(args, "--bootstrap", d)
	}
	p.cmd = exec.CommandContext(ctx, p.kith, args...)
	p.said.Reset()
	p.cmd.Stderr = &p.said
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	events := make(chan map[string]any, 1024)
	p.events = events
	go func() {
		defer close(events)
		for s := bufio.NewScanner(out); s.Scan(); {
			var e map[string]any
			if json.Unmarshal(s.Bytes(), &e) != nil {
				e = map[string]any{"event": "no JSON"}
			}
			events <- e
		}
	}()
	return p.wait(ctx, func(e map[string]any) bool { return e["event"] == "ready" })
}

// wait waits for an event.
func (p *peer) wait(ctx context.Context, right func(map[string]any) bool) error {
	limit := time.NewTimer(eventLimit)
	defer limit.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-limit.C:
			return fmt.Errorf("a peer did not tell what was waited for within %v", eventLimit)
		case e, ok := <-p.events:
			switch {
			case !ok:
				p.cmd.Wait()
				return fmt.Errorf("a peer has ended: %s", lastLine(p.said.String()))
			case e["event"] == "error" || e["event"] == "no JSON":
				return fmt.Errorf("a peer said %v", e)
			case right(e):
				return nil
			}
		}
	}
}

// hear waits for a text that was not handed over before, and takes it.
func (p *peer) hear(ctx context.Context, text string) error {
	var position any
	err := p.wait(ctx, func(e map[string]any) bool {
		position = e["position"]
		return e["event"] == "message" && e["text"] == text
	})
	if err != nil {
		return err
	}
	return p.do(`{"do":"taken","friend":%q,"position":%q}`, p.friend, position)
}

func (p *peer) do(command string, args ...any) error {
	_, err := fmt.Fprintf(p.in, command+"\n", args...)
	return err
}

// kill ends the peer as a power cut would.
func (p *peer) kill() {
	if p.cmd != nil && p.cmd.ProcessState == nil {
		p.cmd.Process.Signal(syscall.SIGKILL)
		for range p.events {
		}
		p.cmd.Wait()
	}
}

// quit ends the peer in order.
func (p *peer) quit() error {
	if err := p.do(`{"do":"quit"}`); err != nil {
		return err
	}
	for range p.events {
	}
	return p.cmd.Wait()
}

// again ends the peer and starts it.
func (p *peer) again(ctx context.Context) error {
	if err := p.quit(); err != nil {
		return err
	}
	return p.start(ctx)
}
