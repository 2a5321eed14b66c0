package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kith/conformance"
)

// conformDefault is kith conform alone: the reference node, then one with planted faults.
func conformDefault(cmd *cobra.Command, f *conformFlags) error {
	if f.json || f.report != "" || f.transcripts != "" {
		return usage(cmd, fmt.Errorf("without a target there are two runs: give reports to kith conform dht"))
	}
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "The reference node\n\n")
	good, err := f.embedded(cmd, func() (conformance.Machine, error) { return conformance.NewReference(nil, conformance.Now()) })
	if err != nil {
		return err
	}
	if good.Exit() != conformance.ExitConformant {
		return exit(good.Exit())
	}
	fmt.Fprintf(out, "\nA node with planted faults, so that you see failures: each of these is meant to be found\n\n")
	for _, p := range conformance.Planted {
		fmt.Fprintf(out, "  it %s\n", p.What)
	}
	fmt.Fprintln(out)
	bad, err := f.embedded(cmd, func() (conformance.Machine, error) { return conformance.NewFaulty(nil, conformance.Now()) })
	if err != nil {
		return err
	}
	missed, extra := conformance.ComparePlanted(bad)
	if len(missed)+len(extra) > 0 {
		fmt.Fprintf(out, "\nThe suite is broken: planted and not found: %s; found and not planted: %s\n", words(missed), words(extra))
		return exit(conformance.ExitHarness)
	}
	fmt.Fprintf(out, "\nThe reference node conforms, and the faulty one failed exactly where faults were planted.\nNow yours: kith conform dht ADDR\n")
	return nil
}

func words(ids []string) string {
	if len(ids) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(slices.Values(ids)), " ")
}

// embedded serves a machine on loopback and plays the plan against it.
func (f *conformFlags) embedded(cmd *cobra.Command, machine func() (conformance.Machine, error)) (*conformance.Summary, error) {
	m, err := machine()
	if err != nil {
		return nil, err
	}
	addr, stop, err := conformance.Serve(m)
	if err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "kith: no socket on loopback: %v\n", err)
		return nil, exit(conformance.ExitHarness)
	}
	defer stop()
	r, done, err := f.runner(cmd, addr)
	if err != nil {
		return nil, usage(cmd, err)
	}
	defer done()
	sum, err := f.play(cmd, r)
	if err != nil {
		return nil, usage(cmd, err)
	}
	return sum, nil
}
