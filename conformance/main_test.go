package conformance_test

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kith/conformance"
	"kith/conformance/lenient"
	"kith/internal/udp"
)

// asTarget is the first argument that makes the test binary a target, so that tests have a process that can die. Behind it stand the way in which
// it is fragile, a file that it leaves for its next life, and its addresses.
const asTarget = "as-a-target"

// fragileCommand starts such a target; to its arguments belong {listen} and its like.
func fragileCommand(t *testing.T, way, arguments string) *conformance.Command {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &conformance.Command{Line: fmt.Sprintf("%q %s %q %q %s", exe, asTarget, way, filepath.Join(t.TempDir(), "marker"), arguments)}
}

func TestMain(m *testing.M) {
	if len(os.Args) < 5 || os.Args[1] != asTarget {
		os.Exit(m.Run())
	}
	way, marker := os.Args[2], os.Args[3]
	if _, err := os.Stat(marker); way == "lives once" && err == nil {
		fmt.Println("I had my life")
		os.Exit(3)
	}
	n, err := conformance.NewReference(nil, conformance.Now())
	if err != nil {
		panic(err)
	}
	var listen []netip.AddrPort
	for _, a := range os.Args[4:] {
		listen = append(listen, netip.MustParseAddrPort(a))
	}
	d, err := udp.Listen(udp.Config{Listen: listen})
	if err != nil {
		panic(err)
	}
	fmt.Println("listening")
	d.Start(&fragile{Machine: n, way: way, marker: marker}, nil)
	select {}
}

// fragile is a good node that does not survive everything.
type fragile struct {
	conformance.Machine
	way, marker string
}

func (f *fragile) HandleDatagram(now time.Time, from netip.AddrPort, b []byte) {
	m, err := lenient.Parse(b)
	port, _ := m.A.Get("port")
	id, _ := m.A.ID("id")
	target, _ := m.A.ID("target")
	_, unmarked := os.Stat(f.marker)
	switch {
	case err != nil || m.Y != "q":
	case f.way == "is two ways fragile" && m.Q == "pings":
		end("panic: too many pings")
	case f.way == "hangs" && port.Int < 0:
		select {}
	case f.way == "dies in its first life", f.way == "lives once":
		if port.Int < 0 && unmarked != nil {
			os.WriteFile(f.marker, nil, 0o600)
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
