package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kith/conformance"
)

// conformDefault is kith conform alone: the reference node, then one with planted faults.
func conformDefault(cmd *cobra.Command, f *conformFlags) error {
	if f.json || f.report != "" || f.transcripts != "" {
		return usage(cmd, errors.New("without a target there are two runs: give reports to kith conform dht"))
	}
	if err := f.check(cmd.Flags().Changed); err != nil {
		return usage(cmd, err)
	}
	f.chooseSeed(cmd.Flags().Changed("seed"), true)
	p := f.begin(cmd)
	defer p.stop()
	code := p.embeddedTwice()
	if err := p.out.fault(); err != nil {
		return failed(cmd, exitCode(conformance.ExitHarness), err)
	}
	return code
}

// embeddedTwice plays the plan against both nodes, and says whether each was judged as it has to be.
func (p *playing) embeddedTwice() error {
	fmt.Fprintf(p.out, "The reference node\n\n")
	good, err := p.embedded(func() (conformance.Machine, error) { return conformance.NewReference(nil, conformance.Now()) })
	if err != nil {
		return err
	}
	if good.Exit() != conformance.ExitConformant {
		return exit(good.Exit())
	}
	fmt.Fprintf(p.out, "\nA node with planted faults, so that you see failures: each of these is meant to be found\n\n")
	for _, x := range conformance.Planted {
		fmt.Fprintf(p.out, "  it %s\n", x.What)
	}
	fmt.Fprintln(p.out)
	bad, err := p.embedded(func() (conformance.Machine, error) { return conformance.NewFaulty(nil, conformance.Now()) })
	if err != nil {
		return err
	}
	if !bad.Footer.Whole || bad.Footer.Counts[conformance.Flaky] > 0 {
		return exit(bad.Exit())
	}
	missed, extra := conformance.ComparePlanted(bad)
	if len(missed)+len(extra) > 0 {
		fmt.Fprintf(p.out, "\nThe suite is broken: planted and not found: %s; found and not planted: %s\n", words(missed), words(extra))
		return exit(conformance.ExitHarness)
	}
	faulty := "the faulty one failed exactly where faults were planted"
	if bad.Footer.Counts[conformance.Fail] == 0 {
		faulty = "none of the cases played is one that finds a planted fault"
	}
	fmt.Fprintf(p.out, "\nThe reference node conforms, and %s.\nNow yours: kith conform dht ADDR\n", faulty)
	return nil
}

func words(ids []string) string {
	if len(ids) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(slices.Values(ids)), " ")
}

// embedded serves a machine on loopback and plays the plan against it.
func (p *playing) embedded(machine func() (conformance.Machine, error)) (*conformance.Summary, error) {
	m, err := machine()
	if err != nil {
		return nil, err
	}
	addr, stop, err := conformance.Serve(m)
	if err != nil {
		return nil, failed(p.cmd, exitCode(conformance.ExitHarness), fmt.Errorf("no socket on loopback: %w", err))
	}
	defer func() { stop() }()
	r, done, err := p.runner(addr)
	if err != nil {
		return nil, usage(p.cmd, err)
	}
	defer done()
	r.Renew = func() (addr conformance.Address, err error) {
		stop()
		stop = func() {}
		if m, err = machine(); err == nil {
			addr, stop, err = conformance.Serve(m)
		}
		return addr, err
	}
	sum, err := p.play(r)
	if err != nil {
		return nil, usage(p.cmd, err)
	}
	return sum, nil
}
