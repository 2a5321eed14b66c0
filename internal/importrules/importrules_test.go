package importrules

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestTheTreeKeepsTheRules(t *testing.T) {
	c, err := check(os.DirFS("../.."))
	require.NoError(t, err)
	for _, b := range c.found {
		t.Error(b)
	}
	require.Greater(t, c.files, 10, "the walk must have seen the module")
}

func TestRulesAreWellFormed(t *testing.T) {
	for _, r := range rooms {
		require.NotEmpty(t, r.why, r.dir)
		require.DirExists(t, "../../"+r.dir, "a row without a folder keeps nothing apart")
		for _, other := range slices.Concat(r.ours, r.testOurs) {
			_, ok := roomOf(other)
			require.True(t, ok, "%s may import %s, which is no room", r.dir, other)
		}
		for _, m := range slices.Concat(r.mods, r.testMods) {
			require.True(t, withinAny(m, slices.Collect(maps.Keys(modules))), "%s may import %s, which go.mod has not", r.dir, m)
		}
	}
	for name, why := range modules {
		require.NotEmpty(t, why, name)
	}
}

// Imports point down: if a chain of allowed imports leads back to where it began, there is no down.
func TestAllowedImportsHaveNoCycle(t *testing.T) {
	var visit func(dir string, path []string)
	visit = func(dir string, path []string) {
		require.NotContains(t, path, dir, "%v", append(path, dir))
		r, ok := roomOf(dir)
		require.True(t, ok, dir)
		for _, below := range r.ours {
			if !within(dir, below) && below != r.dir {
				visit(below, append(slices.Clone(path), dir))
			}
		}
	}
	for _, r := range rooms {
		visit(r.dir, nil)
	}
}

const goMod = "module kith\n\ngo 1.26.0\n\nrequire (\n\tgithub.com/spf13/cobra v1.10.2\n\tgithub.com/spf13/pflag v1.0.9 // indirect\n)\n"

// Every fixture is a tree with one breach, and its twin is the nearest tree without one.
func TestTheRulesCanFail(t *testing.T) {
	const now = "package udp\nimport \"time\"\nvar x = time.Now\n"
	for _, tc := range []struct {
		name      string
		file      string
		bad, good string
		want      string // part of the breach
		why       string // part of its reason
	}{
		{"wire and a module", "wire/a.go", "import _ \"golang.org/x/net/ipv4\"", "import _ \"encoding/hex\"", "wire imports golang.org/x/net/ipv4", "strangers' bytes"},
		{"wire and ours", "wire/a.go", "import _ \"kith/dht\"", "import _ \"kith/wire/inner\"", "wire imports kith/dht", "strangers' bytes"},
		{"wire and a name that only begins alike", "wire/a.go", "import _ \"kith/wirex\"", "import _ \"kith/wire\"", "wire imports kith/wirex", "strangers' bytes"},
		{"wire's tests and the node", "wire/a_test.go", "import _ \"kith/dht\"", "import _ \"kith/testvectors\"", "wire imports kith/dht", "strangers' bytes"},
		{"test helpers in the product", "wire/a.go", "import _ \"github.com/stretchr/testify/require\"", "import _ \"errors\"", "testify", "strangers' bytes"},
		{"vectors from our own code", "testvectors/gen/a.go", "import _ \"kith/wire\"", "import _ \"crypto/ed25519\"", "testvectors imports kith/wire", "share its faults"},
		{"vectors from a module", "testvectors/gen/a.go", "import _ \"github.com/cloudflare/circl/kem\"", "import _ \"crypto/sha1\"", "circl", "share its faults"},
		{"signatures past their rules", "handshake/a.go", "import _ \"github.com/cloudflare/circl/sign/ed25519\"", "import _ \"github.com/cloudflare/circl/kem\"", "handshake imports", "bytes and time"},
		{"dht and the driver", "dht/a.go", "import _ \"kith/internal/udp\"", "import _ \"kith/wire\"", "dht imports kith/internal/udp", "sockets belong"},
		{"dht and net", "dht/a.go", "import _ \"net\"", "import _ \"net/netip\"", "dht imports net", "net/netip has"},
		{"dht and net/http", "dht/a.go", "import _ \"net/http\"", "import _ \"net/netip\"", "dht imports net/http", "handed"},
		{"dht and os", "dht/a.go", "import _ \"os\"", "import _ \"io\"", "dht imports os", "writes the file"},
		{"dht and sync", "dht/a.go", "import _ \"sync\"", "import _ \"io\"", "dht imports sync", "locks belong"},
		{"dht and sync/atomic", "dht/a.go", "import _ \"sync/atomic\"", "import _ \"io\"", "dht imports sync/atomic", "handed"},
		{"dht and context", "dht/a.go", "import _ \"context\"", "import _ \"io\"", "dht imports context", "deadline"},
		{"dht and log", "dht/a.go", "import _ \"log/slog\"", "import _ \"io\"", "dht imports log/slog", "event"},
		{"a file for one system only", "dht/a_windows.go", "import _ \"os\"", "import _ \"io\"", "dht imports os", "writes the file"},
		{"dht reads the clock", "dht/a.go", "import \"time\"\nvar x = time.Now()", "import \"time\"\nvar x time.Time", "dht calls time.Now", "one file"},
		{"under another name", "dht/a.go", "import tm \"time\"\nvar x = tm.Since(tm.Time{})", "import tm \"time\"\nvar x tm.Time", "dht calls time.Since", "one file"},
		{"through a dot", "dht/a.go", "import . \"time\"\nvar x = Now()", "import \"time\"\nvar x time.Time", "dot import of time", "hides"},
		{"dht's tests read the clock", "dht/a_test.go", "import \"time\"\nvar x = time.Now()", "import \"time\"\nvar x = time.Unix(0, 0)", "dht calls time.Now", "one file"},
		{"dht waits", "dht/a.go", "import \"time\"\nvar x = time.After(1)", "import \"time\"\nvar x = time.Second", "dht calls time.After", "handed"},
		{"the command reads the clock", "cmd/kith/a.go", "import \"time\"\nvar x = time.Now()", "import \"time\"\nvar x = time.NewTicker(1)", "cmd/kith calls time.Now", "one file"},
		{"the driver reads it twice", "internal/udp/b.go", "import \"time\"\nvar x = time.Now()", "import \"time\"\nvar x time.Time", "internal/udp/b.go", "one file"},
		{"a test sleeps for real", "cmd/kith/a_test.go", "import \"time\"\nfunc f() { time.Sleep(1) }", "import (\"testing/synctest\"; \"time\")\nfunc f() { synctest.Wait(); time.Sleep(1) }", "calls time.Sleep", "virtual time"},
		{"a test sleeps", "cmd/kith/a_test.go", "import \"time\"\nfunc f() { time.Sleep(1) }", "import \"time\"\nfunc f() { <-time.After(1) }", "calls time.Sleep", "flaky"},
		{"crypto/rand past Config.Rand", "dht/a.go", "import \"crypto/rand\"\nvar x = rand.Reader",
			"import \"crypto/rand\"\nfunc f(cfg C) { if cfg.Rand == nil { cfg.Rand = rand.Reader } }", "dht uses crypto/rand.Reader", "Config.Rand"},
		{"crypto/rand in the else", "dht/a.go", "import \"crypto/rand\"\nfunc f(cfg C) { if cfg.Rand == nil { } else { cfg.Rand = rand.Reader } }",
			"import \"crypto/rand\"\nfunc f(cfg C) { if cfg.Rand == nil { cfg.Rand = rand.Reader } else { } }", "dht uses crypto/rand.Reader", "Config.Rand"},
		{"crypto/rand.Read", "dht/a.go", "import \"crypto/rand\"\nfunc f(cfg C) { if cfg.Rand == nil { rand.Read(nil) } }",
			"import \"crypto/rand\"\nfunc f(cfg C) { if cfg.Rand == nil { cfg.Rand = rand.Reader } }", "dht uses crypto/rand.Read", "Config.Rand"},
		{"the global generator", "dht/a.go", "import \"math/rand/v2\"\nvar x = rand.IntN(5)", "import \"math/rand/v2\"\nvar x = rand.New(nil)", "math/rand/v2's IntN", "no seed"},
		{"the old generator", "dht/a.go", "import _ \"math/rand\"", "import _ \"math/rand/v2\"", "dht imports math/rand", "ChaCha8"},
		{"a case with a socket", "conformance/dht/a.go", "import _ \"net\"", "import _ \"net/netip\"", "conformance/dht imports net", "net/netip has"},
		{"a case and the driver", "conformance/dht/a.go", "import _ \"kith/internal/udp\"", "import _ \"kith/conformance\"", "conformance/dht imports kith/internal/udp", "judged again"},
		{"a verdict by wire", "conformance/a.go", "import \"kith/wire\"\nvar x = wire.ParseMessage", "import \"kith/wire\"\nvar x = wire.AppendMessage", "calls wire.ParseMessage", "agree with itself"},
		{"the lenient decoder and ours", "conformance/lenient/a.go", "import _ \"kith/wire\"", "import _ \"math/big\"", "conformance/lenient imports kith/wire", "second opinion"},
		{"the suite and the command", "conformance/a.go", "import _ \"kith/cmd/kith\"", "import _ \"kith/spec\"", "conformance imports kith/cmd/kith", "command line"},
		{"the driver and a machine", "internal/udp/b.go", "import _ \"kith/dht\"", "import _ \"golang.org/x/sys/unix\"", "internal/udp imports kith/dht", "knows none"},
		{"a folder without a row", "gossip/a.go", "", "-", "gossip has no row", "says first"},
		{"a folder that says nothing", "dht/util/a.go", "", "-", "called util", "everything ends up"},
		{"bench in main", "bench/a.go", "", "-", "bench belongs to the main module", "go.mod of its own"},
		{"interop in main", "conformance/interop/x/a.go", "", "-", "conformance/interop belongs", "go.mod of its own"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tree := func(body string) fstest.MapFS {
				m := fstest.MapFS{
					"go.mod":               {Data: []byte(goMod)},
					"internal/udp/udp.go":  {Data: []byte(now)},
					"bench/go.mod":         {Data: []byte("module bench\n")},
					"bench/rival.go":       {Data: []byte("package bench\nimport _ \"github.com/zeebo/bencode\"\n")},
					"dht/testdata/x/a.go":  {Data: []byte("not Go")},
					"node_modules/a/a.go":  {Data: []byte("not Go")},
					".hidden/a.go":         {Data: []byte("not Go")},
					"dht/nothing_here.txt": {Data: []byte("time.Now()")},
				}
				if body != "-" {
					m[tc.file] = &fstest.MapFile{Data: []byte("package p\n" + body + "\n")}
				}
				return m
			}
			bad := tree(tc.bad)
			if strings.HasPrefix(tc.file, "bench/") {
				delete(bad, "bench/go.mod")
				delete(bad, "bench/rival.go")
			}
			c, err := check(bad)
			require.NoError(t, err)
			require.Len(t, c.found, 1, "%v", c.found)
			require.Contains(t, c.found[0].at+c.found[0].what, tc.want)
			require.Contains(t, c.found[0].why, tc.why)

			c, err = check(tree(tc.good))
			require.NoError(t, err)
			require.Empty(t, c.found)
		})
	}
}

func TestGoModCanFail(t *testing.T) {
	for bad, want := range map[string]string{
		goMod + "require github.com/anacrolix/dht/v2 v2.23.0\n":                          "main requires github.com/anacrolix/dht/v2",
		goMod + "require (\n\tgithub.com/zeebo/bencode v1.0.0\n)\n":                      "main requires github.com/zeebo/bencode",
		goMod + "replace github.com/spf13/cobra => ../cobra\n":                           "replace",
		strings.Replace(goMod, "spf13/cobra v1.10.2", "spf14/cobra v1.10.2 // newer", 1): "main requires github.com/spf14/cobra",
	} {
		c, err := check(fstest.MapFS{"go.mod": {Data: []byte(bad)}})
		require.NoError(t, err)
		require.Len(t, c.found, 1, bad)
		require.Contains(t, c.found[0].what, want)
	}
	c, err := check(fstest.MapFS{"go.mod": {Data: []byte(goMod)}})
	require.NoError(t, err)
	require.Empty(t, c.found)
}
