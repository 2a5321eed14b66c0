// Command network lets nodes of three programs share networks, and sees whether what one of them puts is got by the others: items
// of BEP 44 and peers of BEP 5. It runs programs and reads what they print; it knows no protocol itself.
//
// With --talk two peers of kith talk in networks of foreign nodes instead, through restarts of everybody.
//
// Everything goes once through a single node of each program, so that a cell of the tables names who gave, who kept and who took, and
// once through one network in which all three live.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

const (
	limit  = 3 * time.Minute // for everything
	atOnce = 10              // commands: most of them wait, for nodes that have gone
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := run(ctx, os.Args[1:])
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "network:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("network", flag.ContinueOnError)
	kith := fs.String("kith", "kith", "`path` of kith")
	anacrolix := fs.String("anacrolix", "anacrolix", "`path` of conformance/interop/anacrolix")
	webtorrent := fs.String("bittorrent-dht", "bittorrent-dht/index.mjs", "`path` of conformance/interop/bittorrent-dht/index.mjs")
	expect := fs.String("expect", "", "`file` of known deviations, each with its reason")
	talks := fs.Bool("talk", false, "let two peers of kith talk in networks of the others, and nothing else")
	report := fs.String("report", "", "`file` for the result of each step, lines of JSON")
	if err := fs.Parse(args); err != nil {
		return err
	}
	known, err := readExpectations(*expect)
	if err != nil {
		return err
	}
	programs := []*program{
		kithProgram(*kith),
		foreignProgram("anacrolix", *anacrolix),
		foreignProgram("bittorrent-dht", "node", *webtorrent),
	}
	if *talks {
		foreign := programs[1:]
		networks := map[string][]*program{"both": slices.Repeat(foreign, 4)}
		for _, p := range foreign {
			networks[p.name] = slices.Repeat([]*program{p}, 8)
		}
		errs := make(chan error)
		for name, members := range networks {
			go func() { errs <- talk(ctx, *kith, name, members) }()
		}
		for range networks {
			err = errors.Join(err, <-errs)
		}
		return err
	}
	r := &results{known: known}
	networks := map[string][]*program{"all": slices.Repeat(programs, 3)}
	for _, p := range programs {
		networks[p.name] = []*program{p}
	}
	errs := make(chan error)
	slots := make(chan struct{}, atOnce)
	for name, members := range networks {
		go func() { errs <- through(ctx, r, programs, name, members, slots) }()
	}
	for range networks { // each ends its nodes before it returns
		err = errors.Join(err, <-errs)
	}
	if err != nil {
		return err
	}
	r.print(programs)
	if *report != "" {
		if err := r.write(*report); err != nil {
			return err
		}
	}
	return r.verdict()
}

// through starts a network of one node for each of members and plays everything through it. The first node is the one that all the
// others begin at.
func through(ctx context.Context, r *results, programs []*program, name string, members []*program, slots chan struct{}) (err error) {
	var nodes []*node
	defer func() {
		for _, n := range nodes {
			err = errors.Join(err, n.end())
		}
	}()
	for i, p := range members {
		bootstrap := ""
		if len(nodes) > 0 {
			bootstrap = nodes[0].addr
		}
		n, err := p.start(ctx, bootstrap, idOf([]byte{lowEnd, lowEnd, lowEnd, byte(1 + i)}, name, p.name))
		if err != nil {
			return err
		}
		nodes = append(nodes, n)
	}
	if err := settled(ctx, programs[0], nodes); err != nil {
		return err
	}
	s := &scene{name: name, nodes: nodes, programs: programs, results: r, slots: slots}
	s.play(ctx)
	return ctx.Err()
}

// settled waits until a look-up that begins at the last node is answered by as many as a look-up looks for.
func settled(ctx context.Context, asker *program, nodes []*node) error {
	want := min(8, len(nodes))
	got := 0
	for range 20 {
		out, err := asker.call(ctx, asker.find(nodes[len(nodes)-1].addr))
		if got = countLines(out); err == nil && got >= want {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
	return fmt.Errorf("a look-up in a network of %d nodes was answered by %d of them, and not by %d", len(nodes), got, want)
}
