package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"kith/internal/mutate/mutants"
)

// A process is a judge that runs and answers.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr tail
}

// start starts the judge. The mutant first is on from its first instruction if it is not 0.
func (j *judge) start(ctx context.Context, first uint32) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, j.path)}
	p.cmd.Dir = j.dir
	p.cmd.Env = append(os.Environ(), mutants.EnvServe+"=1", fmt.Sprintf("%s=%d", mutants.EnvMutant, first))
	p.cmd.Stderr = &p.stderr
	p.cmd.WaitDelay = 5 * time.Second
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	return p, p.cmd.Start()
}

// stop ends the process and waits for it.
func (p *process) stop() {
	p.in.Close()
	_ = p.cmd.Process.Kill() // it may have ended
	_ = p.cmd.Wait()
}

// A death is why a process gave no answer.
type death struct {
	how  string // crash or timeout
	text string
}

func (d *death) Error() string { return d.how + ": " + d.text }

// ask waits for an answer, at most for the deadline. After a *death the process is gone.
func (p *process) ask(r mutants.Request, deadline time.Duration) (mutants.Answer, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return mutants.Answer{}, err
	}
	late := make(chan struct{})
	timer := time.AfterFunc(deadline, func() {
		close(late)
		_ = p.cmd.Process.Kill() // it may have ended
	})
	_, err = p.in.Write(append(b, '\n'))
	var line []byte
	if err == nil {
		line, err = p.out.ReadBytes('\n')
	}
	if !timer.Stop() && err != nil {
		<-late
		p.stop()
		return mutants.Answer{}, &death{"timeout", fmt.Sprintf("no answer within %v", deadline)}
	}
	if err != nil {
		p.stop() // so that all it complained of is there
		d := &death{"crash", p.stderr.cause()}
		if strings.Contains(d.text, "runs away") {
			d.how = "runaway"
		}
		return mutants.Answer{}, d
	}
	var a mutants.Answer
	if err := json.Unmarshal(line, &a); err != nil {
		return a, err
	}
	if a.Mutant != r.Mutant {
		return a, errors.New("the judge answered for another mutant")
	}
	return a, nil
}

// A tail keeps the beginning of what a process complains of, where its panic stands.
type tail struct{ bytes.Buffer }

func (t *tail) Write(b []byte) (int, error) {
	if room := 16<<10 - t.Len(); room > 0 {
		t.Buffer.Write(b[:min(len(b), room)])
	}
	return len(b), nil
}

// cause returns the line that says why a program died.
func (t *tail) cause() string {
	for line := range strings.Lines(t.String()) {
		if strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:") {
			return strings.TrimSpace(line)
		}
	}
	first, _, _ := strings.Cut(strings.TrimSpace(t.String()), "\n")
	return first
}
