package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"kith/internal/mutate/mutants"
)

// A case that executes more than slack times the places that it executes without a mutant, and slackMin more, runs away.
const (
	slack    = 20
	slackMin = 100_000
)

// A trial has the mutants judged.
type trial struct {
	judge    *judge
	mutants  []*mutant
	users    users
	parallel int           // processes
	deadline time.Duration // for one mutant
	progress func(done, of int)

	baseline []mutants.Ran
	init     map[uint32]bool // places executed before the first case
	queue    []*mutant       // that are to be judged

	mu   sync.Mutex
	done int
	err  error
}

// run judges all mutants.
func (t *trial) run(ctx context.Context) error {
	if err := t.measure(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queue := make(chan *mutant)
	var wg sync.WaitGroup
	for range t.parallel {
		wg.Go(func() {
			w := worker{trial: t}
			defer w.close()
			for m := range queue {
				err := w.judgeOne(ctx, m)
				t.mu.Lock()
				t.err = cmp.Or(t.err, err)
				t.done++
				t.progress(t.done, len(t.queue))
				t.mu.Unlock()
				if err != nil {
					cancel()
					return
				}
			}
		})
	}
feed:
	for _, m := range t.queue {
		select {
		case queue <- m:
		case <-ctx.Done():
			break feed
		}
	}
	close(queue)
	wg.Wait()
	return cmp.Or(t.err, ctx.Err())
}

// measure runs all cases twice without a mutant, and finds out what they execute.
func (t *trial) measure(ctx context.Context) error {
	visited := map[uint32]bool{}
	for range 2 {
		p, err := t.judge.start(ctx, 0)
		if err != nil {
			return err
		}
		a, err := p.ask(mutants.Request{}, 10*time.Minute)
		if err != nil {
			return fmt.Errorf("the judge fails without a mutant: %w", err)
		}
		p.stop()
		switch {
		case a.Killer != "":
			return fmt.Errorf("the judge complains without a mutant: %s: %s: %s", a.Killer, a.How, a.Text)
		case len(a.Baseline) == 0:
			return errors.New("the judge has no cases")
		case t.baseline == nil:
			t.baseline = a.Baseline
		}
		t.init = map[uint32]bool{}
		for _, first := range a.Init {
			t.init[first] = true
			visited[first] = true
		}
		for i, ran := range a.Baseline {
			b := &t.baseline[i]
			b.Steps = max(b.Steps, ran.Steps)
			b.Places = slices.Compact(slices.Sorted(slices.Values(slices.Concat(b.Places, ran.Places))))
			for _, first := range ran.Places {
				visited[first] = true
			}
		}
	}
	t.queue = executed(t.mutants, t.users, visited)
	return nil
}

// A worker judges mutants one after another, in one process for as long as that lives.
type worker struct {
	*trial
	process *process
}

func (w *worker) close() {
	if w.process != nil {
		w.process.stop()
		w.process = nil
	}
}

// judgeOne decides the fate of a mutant, which must not depend on the mutants that the process has seen before. So a case that
// notices it counts only if the same case passes afterwards without a mutant; and one that no case notices, or that ends its
// process, is judged again in a new one: there may be something left that blinds a case, and a busy machine is slow.
func (w *worker) judgeOne(ctx context.Context, m *mutant) error {
	r := w.request(m)
	if w.init[m.first] {
		return w.alone(ctx, m, r)
	}
	if w.process == nil {
		p, err := w.judge.start(ctx, 0)
		if err != nil {
			return err
		}
		w.process = p
	}
	a, err := w.process.ask(r, w.deadline)
	if err == nil && a.Killer != "" {
		i := slices.IndexFunc(r.Cases, func(ask mutants.Asked) bool { return w.baseline[ask.Case].Name == a.Killer })
		var control mutants.Answer
		control, err = w.process.ask(mutants.Request{Cases: r.Cases[i : i+1]}, w.deadline)
		if err == nil && control.Killer != "" {
			w.close()
			return w.alone(ctx, m, r)
		}
	}
	var d *death
	switch {
	case errors.As(err, &d):
		w.process = nil
		return w.alone(ctx, m, r)
	case err != nil:
		return err
	case a.Killer == "":
		return w.alone(ctx, m, r)
	}
	m.settle(a)
	return nil
}

// alone decides the fate of a mutant in a process of its own, in which it is on from the first instruction if its place is
// executed before the first case.
func (w *worker) alone(ctx context.Context, m *mutant, r mutants.Request) error {
	first := uint32(0)
	if w.init[m.first] {
		first = m.ID
	}
	p, err := w.judge.start(ctx, first)
	if err != nil {
		return err
	}
	a, err := p.ask(r, 3*w.deadline)
	var d *death
	switch {
	case errors.As(err, &d):
		if ctx.Err() != nil {
			return ctx.Err()
		}
		m.Fate, m.How = killed, d.how
		return nil
	case err != nil:
		return err
	}
	p.stop()
	m.settle(a)
	return nil
}

func (m *mutant) settle(a mutants.Answer) {
	m.Fate = survived
	if a.Killer != "" {
		m.Fate, m.Killer, m.How = killed, a.Killer, a.How
	}
}

// request asks for the cases that execute the place of the mutant, those that execute little first.
func (t *trial) request(m *mutant) mutants.Request {
	r := mutants.Request{Mutant: m.ID}
	for i, ran := range t.baseline {
		if _, reached := slices.BinarySearch(ran.Places, m.first); reached || t.init[m.first] {
			r.Cases = append(r.Cases, mutants.Asked{Case: i, Limit: slack*ran.Steps + slackMin})
		}
	}
	slices.SortStableFunc(r.Cases, func(a, b mutants.Asked) int { return cmp.Compare(a.Limit, b.Limit) })
	return r
}
