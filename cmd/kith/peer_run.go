package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kith/handshake"
	"kith/internal/udp"
	"kith/peer"
	"kith/peer/host"
)

const (
	mostUnwritten = 256 << 10       // bytes of events that wait for the reader before no more are taken
	answerTime    = 5 * time.Second // how long the store may take for what was asked before the end
	readTime      = time.Second     // how long a reader may take for the rest after a signal
)

// A lineRun is kith peer in lines while it runs.
type lineRun struct {
	cmd  *cobra.Command
	host *host.Host
	s    *lineSession
	in   *commandPump
	out  *linePump

	events []peer.Event // taken and not told
	held   []byte       // lines that are offered to out
	ended  bool         // no more commands are taken
	fault  error        // why, unless it was asked for
}

// runLines drives a peer by standard input, and tells what happens on standard output. // shim-peer-lines
func runLines(ctx context.Context, cmd *cobra.Command, h *host.Host, own handshake.PublicKey) error {
	r := &lineRun{cmd: cmd, host: h, s: newLineSession(own), out: newLinePump(cmd.OutOrStdout())}
	_ = h.Do(func(now time.Time, p *peer.Peer) { r.s.ready(now, p, h.LocalAddrs()) })
	r.in = newCommandPump(cmd.InOrStdin())
	defer close(r.in.stop)
	r.loop(ctx, func() bool { return r.ended })
	return r.end(ctx)
}

// loop goes on until done says so, a signal comes, nobody reads, or the peer has ended. One thing at a time: what waits for the reader is bounded, and nothing else waits for him.
func (r *lineRun) loop(ctx context.Context, done func() bool) {
	for !done() {
		if r.held == nil && r.s.out.len() > 0 {
			r.held = r.s.out.take()
		}
		var offer chan<- []byte
		if r.held != nil {
			offer = r.out.lines
		}
		room := r.s.out.len() < mostUnwritten
		if room && len(r.events) > 0 {
			r.tell()
			continue
		}
		var commands <-chan readLine
		var more <-chan struct{}
		if room {
			more = r.host.More()
			if r.s.waiting < mostWaiting && !r.ended {
				commands = r.in.lines
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-r.host.Done():
			return
		case <-r.out.over:
			return
		case offer <- r.held:
			r.held = nil
		case c := <-commands:
			r.obey(c)
		case <-more:
			r.events = r.host.Take()
		}
	}
}

// tell turns events into lines, as far as there is room.
func (r *lineRun) tell() {
	now := udp.Now()
	for len(r.events) > 0 && r.s.out.len() < mostUnwritten {
		r.s.event(now, r.events[0])
		r.events[0] = peer.Event{}
		r.events = r.events[1:]
	}
}

// obey does what a command says, and what those say that came with it.
func (r *lineRun) obey(c readLine) {
	err := r.host.Do(func(now time.Time, p *peer.Peer) {
		for {
			switch {
			case c.over:
				r.ended = true
				if !errors.Is(c.err, io.EOF) {
					r.fault = fmt.Errorf("cannot read standard input: %w", c.err)
				}
			case c.err != nil:
				r.s.fault(now, c.command, c.err)
			default:
				r.s.do(now, p, c.command)
				r.ended = c.command.do == "quit"
			}
			if r.ended || r.s.waiting >= mostWaiting || r.s.out.len() >= mostUnwritten {
				return
			}
			select {
			case c = <-r.in.lines:
			default:
				return
			}
		}
	})
	if err != nil {
		r.ended = true // the host has ended, and says why
	}
}

// end answers what was asked, ends the conversations and says the last words. After a signal it waits for a slow reader a moment only. // shim-peer-quit
func (r *lineRun) end(ctx context.Context) error {
	r.ended = true
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
	r.loop(last, func() bool { return r.s.waiting == 0 })
	cancel()
	fault := r.host.Close()
	for events := r.host.Take(); len(events) > 0; events = r.host.Take() {
		r.events = append(r.events, events...)
	}
	now := udp.Now()
	for _, e := range r.events {
		r.s.event(now, e)
	}
	if fault != nil {
		fault = trimmed(fault)
	} else {
		fault = r.fault
	}
	stopped := lineEvent{Event: "stopped", Ref: r.s.quit}
	if fault != nil {
		stopped.Why = fault.Error()
	}
	r.s.out.add(now, stopped)
	r.flush(ctx)
	select {
	case <-r.out.over:
		if err := r.out.err; err != nil && !errors.Is(err, syscall.EPIPE) && fault == nil {
			fault = fmt.Errorf("cannot write the events: %w", err)
		}
	default: // it still writes: who does not read has been waited for
	}
	if fault != nil {
		return failed(r.cmd, exitFailed, fault)
	}
	return nil
}

// flush hands all that is left to the reader.
func (r *lineRun) flush(ctx context.Context) {
	impatient := make(chan struct{})
	defer context.AfterFunc(ctx, func() { time.AfterFunc(readTime, func() { close(impatient) }) })()
	for _, b := range [][]byte{r.held, r.s.out.take()} {
		if len(b) == 0 {
			continue
		}
		select {
		case r.out.lines <- b:
		case <-r.out.over:
			return
		case <-impatient:
			return
		}
	}
	close(r.out.lines)
	select {
	case <-r.out.over:
	case <-impatient:
	}
}
