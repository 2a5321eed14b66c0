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

// markerVariable names a file that a target leaves for its next life.
const markerVariable = "KITH_TEST_MARKER"

func TestMain(m *testing.M) {
	way := os.Getenv(targetVariable)
	if way == "" {
		os.Exit(m.Run())
	}
	if _, err := os.Stat(os.Getenv(markerVariable)); way == "lives once" && err == nil {
		fmt.Println("I had my life")
		os.Exit(3)
	}
	n, err := conformance.NewReference(nil, conformance.Now())
	if err != nil {
		panic(err)
	}
	var listen []netip.AddrPort
	for _, a := range os.Args[1:] {
		listen = append(listen, netip.MustParseAddrPort(a))
	}
	d, err := udp.Listen(udp.Config{Listen: listen})
	if err != nil {
		panic(err)
	}
	fmt.Println("listening")
	d.Start(&fragile{Machine: n, way: way}, nil)
	select {}
}

// fragile is a good node that does not survive everything.
type fragile struct {
	conformance.Machine
	way string
}

func (f *fragile) HandleDatagram(now time.Time, from netip.AddrPort, b []byte) {
	m, err := lenient.Parse(b)
	port, _ := m.A.Get("port")
	id, _ := m.A.ID("id")
	target, _ := m.A.ID("target")
	_, marked := os.Stat(os.Getenv(markerVariable))
	switch {
	case err != nil || m.Y != "q":
	case f.way == "is two ways fragile" && m.Q == "pings":
		end("panic: too many pings")
	case f.way == "hangs" && port.Int < 0:
		select {}
	case f.way == "dies in its first life", f.way == "lives once":
		if port.Int < 0 && marked != nil {
			os.WriteFile(os.Getenv(markerVariable), nil, 0o600)
			end("panic: once")
		}
	case f.way == "dies of its neighbours":
		if m.Q == "find_node" && target == id {
			end("panic: a neighbour")
		}
	case port.Int < 0:
		end("panic: a port below zero")
	}
	f.Machine.HandleDatagram(now, from, b)
}

func end(word string) {
	fmt.Fprintln(os.Stderr, word)
	os.Exit(2)
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
