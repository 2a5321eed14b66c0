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

// A worker judges mutants one after another, in processes that it keeps for as long as they live and are good.
type worker struct {
	*trial
	process *process // for all mutants that are not executed before the first case
	clean   *process // has seen no mutant that was noticed, for a second opinion on those that are not
}

func (w *worker) close() {
	for _, p := range []*process{w.process, w.clean} {
		if p != nil {
			p.stop()
		}
	}
	w.process, w.clean = nil, nil
}

// judgeOne decides the fate of a mutant, which must not depend on the mutants before it. So a case that notices it counts only if
// the same case passes afterwards without a mutant. One that no case notices is asked again in a process in which no case has ever
// failed, because a failure may leave something behind that blinds a case. And one that ends its process is judged again in a
// new one, with a longer deadline, because a busy machine is slow.
func (w *worker) judgeOne(ctx context.Context, m *mutant) error {
	r := w.request(m)
	if w.init[m.first] {
		return w.alone(ctx, m, r)
	}
	a, err := w.ask(ctx, &w.process, r)
	if err == nil && a.Killer == "" {
		if a, err = w.ask(ctx, &w.clean, r); err == nil && a.Killer != "" {
			w.clean.stop()
			w.clean = nil
			return w.alone(ctx, m, r)
		}
	}
	if err == nil && a.Killer != "" {
		i := slices.IndexFunc(r.Cases, func(ask mutants.Asked) bool { return w.baseline[ask.Case].Name == a.Killer })
		var control mutants.Answer
		control, err = w.ask(ctx, &w.process, mutants.Request{Cases: r.Cases[i : i+1]})
		if err == nil && control.Killer != "" {
			w.process.stop()
			w.process = nil
			return w.alone(ctx, m, r)
		}
	}
	var d *death
	switch {
	case errors.As(err, &d):
		return w.alone(ctx, m, r)
	case err != nil:
		return err
	}
	m.settle(a)
	return nil
}

// ask asks the process that p points to, or a new one if there is none. One that dies is gone.
func (w *worker) ask(ctx context.Context, p **process, r mutants.Request) (mutants.Answer, error) {
	if *p == nil {
		started, err := w.judge.start(ctx, 0)
		if err != nil {
			return mutants.Answer{}, err
		}
		*p = started
	}
	a, err := (*p).ask(r, w.deadline)
	var d *death
	if errors.As(err, &d) {
		*p = nil
	}
	return a, err
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
