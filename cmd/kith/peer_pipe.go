package main

import (
	"io"
)

// A linePump writes lines in a goroutine of its own, so that a reader who is slow, or gone, holds nothing else up.
type linePump struct {
	lines chan []byte   // whole lines
	over  chan struct{} // closed when nothing more is written
	err   error         // why, nil after finish; set before over is closed
}

func newLinePump(w io.Writer) *linePump {
	p := &linePump{lines: make(chan []byte), over: make(chan struct{})}
	go func() {
		defer close(p.over)
		for b := range p.lines {
			if _, err := w.Write(b); err != nil {
				p.err = err
				return
			}
		}
	}()
	return p
}

// A commandPump reads commands in a goroutine of its own, as far ahead as lines has room.
type commandPump struct {
	lines chan readLine
	stop  chan struct{}
}

// A readLine is a command, or why there is none.
type readLine struct {
	command lineCommand
	err     error
	over    bool // nothing comes behind it
}

// mostAhead is how many commands are read ahead.
const mostAhead = 256

func newCommandPump(r io.Reader) *commandPump {
	p := &commandPump{lines: make(chan readLine, mostAhead), stop: make(chan struct{})}
	go p.read(newLineReader(r))
	return p
}

// read ends with the input, or after stop, should a line come then.
func (p *commandPump) read(r *lineReader) {
	for {
		var c readLine
		line, err := r.next()
		switch {
		case err == nil:
			c.command, c.err = parseLine(line)
		case err == errLongLine:
			c.err = err
		default:
			c.err, c.over = err, true
		}
		select {
		case p.lines <- c:
		case <-p.stop:
			return
		}
		if c.over {
			return
		}
	}
}
