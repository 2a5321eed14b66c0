// Command node measures what a reply costs: the CPU time, by getrusage, that a server process spends for each ping and
// find_node that it answers, beside what a plain Go UDP echo spends in the same run.
//
//	go run ./node
//
// Each server is a process of its own. This process generates the load, from many addresses of 127/8 as a node meets it (so
// the default limit for each source stays in force), and keeps a window of queries under way. All servers take their
// turns, in rounds whose order alternates, and a figure is the median of the rounds; a ratio is the median of the ratios
// to the plain echo of the same round, so that whatever else the machine does weighs on both. Linux only.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"log"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"time"
)

// A contestant is a server and what it is asked.
type contestant struct {
	name   string
	server string // its kind, for serve
	query  []byte
	reply  int // shortest reply that counts, in bytes
	limit  float64

	addr  netip.AddrPort
	in    io.WriteCloser
	out   *bufio.Scanner
	costs []float64 // ns for each reply, by round
}

func main() {
	log.SetFlags(0)
	server := flag.String("serve", "", "")
	rounds := flag.Int("rounds", 9, "rounds that count")
	replies := flag.Int("replies", 100000, "replies in a round, for each server")
	window := flag.Int("window", 256, "queries under way")
	flag.Parse()
	if *server != "" {
		if err := serve(*server); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := compare(*rounds, *replies, *window); err != nil {
		log.Fatal(err)
	}
}

func compare(rounds, replies, window int) error {
	ping := []byte("d1:ad2:id20:abcdefghij0123456789e1:q4:ping2:roi1e1:t4:aaaa1:y1:qe")
	find := []byte("d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node2:roi1e1:t4:aaaa1:y1:qe")
	all := []*contestant{
		{name: "plain Go echo", server: "echo", query: ping},
		{name: "batched echo (x/net)", server: "batch", query: ping},
		{name: "batched echo (internal/udp)", server: "driver", query: ping},
		{name: "kith ping", server: "node", query: ping, reply: 47, limit: 1},
		{name: "kith find_node", server: "node", query: find, reply: 47 + 8*26, limit: 1.15},
	}
	for _, c := range all {
		if err := c.start(); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		defer c.in.Close()
	}
	l, err := newLoad(window)
	if err != nil {
		return err
	}
	start := time.Now()
	for round := -1; round < rounds; round++ { // the first warms up
		for _, c := range all {
			before, err := c.usage()
			if err != nil {
				return err
			}
			n, err := l.run(c, replies)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			after, err := c.usage()
			if err != nil {
				return err
			}
			if round >= 0 {
				c.costs = append(c.costs, float64(after-before)/float64(n))
			}
		}
		slices.Reverse(all)
	}
	slices.SortFunc(all, func(a, b *contestant) int { return slices.Index(order, a.name) - slices.Index(order, b.name) })
	fmt.Printf("%d rounds of %d replies, %d under way, from %d addresses; %.0f s\n\n", rounds, replies, window, sources, time.Since(start).Seconds())
	fmt.Printf("%-30s %12s %8s %8s\n", "CPU of the server", "µs/reply", "× plain", "goal")
	met := true
	for _, c := range all {
		ratios := make([]float64, len(c.costs))
		for i := range ratios {
			ratios[i] = c.costs[i] / all[0].costs[i]
		}
		goal := ""
		if c.limit > 0 {
			goal = fmt.Sprintf("≤ %.2f", c.limit)
			met = met && median(ratios) <= c.limit
		}
		fmt.Printf("%-30s %12.2f %8.2f %8s\n", c.name, median(c.costs)/1000, median(ratios), goal)
	}
	if l.resent > 0 {
		fmt.Printf("\n%d queries were sent again, because an answer did not come\n", l.resent)
	}
	if !met {
		return fmt.Errorf("a goal is not met")
	}
	return nil
}

// order is that of the table.
var order = []string{"plain Go echo", "batched echo (x/net)", "batched echo (internal/udp)", "kith ping", "kith find_node"}

// start starts the server's process, which prints its address.
func (c *contestant) start() error {
	cmd := exec.Command(os.Args[0], "-serve", c.server)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.in, c.out = in, bufio.NewScanner(out)
	if !c.out.Scan() {
		return fmt.Errorf("the server gave no address")
	}
	c.addr, err = netip.ParseAddrPort(c.out.Text())
	return err
}

// usage asks the server for the CPU time that it has used, in ns.
func (c *contestant) usage() (int64, error) {
	if _, err := fmt.Fprintln(c.in); err != nil {
		return 0, err
	}
	if !c.out.Scan() {
		return 0, fmt.Errorf("%s: the server is gone", c.name)
	}
	var ns int64
	_, err := fmt.Sscan(c.out.Text(), &ns)
	return ns, err
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
