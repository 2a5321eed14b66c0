package conformance_test

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"testing"
	"time"

	"kith/conformance"
	"kith/conformance/lenient"
	"kith/internal/udp"
)

// targetVariable makes the test binary a target instead, so that tests have a process that can die.
const targetVariable = "KITH_TEST_TARGET"

func TestMain(m *testing.M) {
	if os.Getenv(targetVariable) == "" {
		os.Exit(m.Run())
	}
	n, err := conformance.NewReference(nil, conformance.Now())
	if err != nil {
		panic(err)
	}
	d, err := udp.Listen(udp.Config{Listen: []netip.AddrPort{netip.MustParseAddrPort(os.Args[1])}})
	if err != nil {
		panic(err)
	}
	fmt.Println("listening")
	d.Start(&fragile{Machine: n}, nil)
	select {}
}

// fragile dies of a negative port.
type fragile struct{ conformance.Machine }

func (f *fragile) HandleDatagram(now time.Time, from netip.AddrPort, b []byte) {
	if m, err := lenient.Parse(b); err == nil {
		if port, ok := m.A.Get("port"); ok && port.Int < 0 {
			fmt.Fprintln(os.Stderr, "panic: a port below zero")
			os.Exit(2)
		}
	}
	f.Machine.HandleDatagram(now, from, b)
}

func writers(w ...io.Writer) []io.Writer { return w }

// after is a Progress that calls f when so many results are in.
func after(n int, f func()) conformance.Progress { return &counter{n: n, f: f} }

type counter struct {
	n int
	f func()
}

func (c *counter) Begin(conformance.Header) {}
func (c *counter) Result(*conformance.Result) {
	if c.n--; c.n == 0 {
		c.f()
	}
}
func (c *counter) Round(int, int, int)      {}
func (c *counter) Note(string)              {}
func (c *counter) End(*conformance.Summary) {}
