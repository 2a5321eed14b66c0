// Package importrules holds no code, only the test that keeps the folders of this module apart: which folder may import
// which, and why. A breach is reported with its file, the rule and the reason; whoever wants another rule changes the
// table below and says in the commit why the reason no longer holds.
package importrules

// A room is one folder of the module with everything below it, unless a deeper folder has a row of its own.
type room struct {
	dir  string
	why  string   // what the restriction protects
	ours []string // our packages that it may import, each with everything below it
	mods []string // modules of others, or folders of them, that it may import
	// pure rooms are state machines and parsers without I/O: bytes and a time go in, bytes and events come out. So the
	// same code runs in the program, in the simulator, for a vector and for a conformance case, and repeats bit by bit.
	pure bool
	// testOurs and testMods come on top for _test.go files.
	testOurs, testMods []string
}

var rooms = []room{
	{
		dir: "spec",
		why: "the text leads and everything else follows it, so it depends on nothing",
	},
	{
		dir: "wire", pure: true,
		why:      "the parser of strangers' bytes is read and fuzzed alone, so it is the standard library and itself",
		testOurs: []string{"testvectors", "spec"},
	},
	{
		dir: "dht", pure: true,
		why:      "the node knows bytes and time only; sockets belong to internal/udp, and other state machines to their own rooms",
		ours:     []string{"wire", "internal/curve25519"},
		testOurs: []string{"testvectors", "spec", "internal/sim"},
	},
	{
		dir: "handshake", pure: true,
		why:      "secrets of two people before the first message key: it knows bytes and time, and neither the ratchet nor the network",
		ours:     []string{"wire", "internal/curve25519"},
		mods:     []string{"github.com/cloudflare/circl/kem", "golang.org/x/crypto"},
		testOurs: []string{"testvectors", "spec"},
		testMods: []string{"filippo.io/edwards25519"},
	},
	{
		dir: "ratchet", pure: true,
		why:      "message keys of one conversation: what came before them is handed in as bytes, so that it can be read and proved alone",
		ours:     []string{"wire", "internal/curve25519"},
		mods:     []string{"golang.org/x/crypto"},
		testOurs: []string{"testvectors", "spec"},
	},
	{
		dir: "peer", pure: true,
		why:      "what a conversation needs around handshake, ratchet and node: it is handed bytes and a time, so that a simulation can take every rule away",
		ours:     []string{"wire", "handshake", "ratchet", "dht", "peer/durable", "peer/conversation", "peer/rendezvous"},
		testOurs: []string{"testvectors", "spec", "internal/sim"},
	},
	{
		dir: "internal/powercut",
		why: "what a power cut leaves follows from system calls alone, whatever program made them",
	},
	{
		dir: "peer/durable", pure: true,
		why: "the order of duty is one idea, used by all below peer: it knows no value and no store",
	},
	{
		dir: "peer/conversation", pure: true,
		why:      "one conversation and its streams: where the friend is, and how he was found, is not its business",
		ours:     []string{"wire", "handshake", "ratchet", "peer/durable"},
		testOurs: []string{"testvectors", "spec", "internal/sim"},
	},
	{
		dir: "peer/rendezvous", pure: true,
		why:      "finding each other is a matter of third parties and time: it knows no message",
		ours:     []string{"wire", "handshake", "dht"},
		testOurs: []string{"spec", "internal/sim"},
	},
	{
		dir:  "peer/store",
		why:  "sealed values in one file that survives a power cut: what they mean is the business of package peer",
		mods: []string{"go.etcd.io/bbolt", "golang.org/x/crypto", "golang.org/x/sys"},
		// Its tests replay what the disk may have of it.
		testOurs: []string{"internal/powercut"},
	},
	{
		dir:      "peer/host",
		why:      "the one place where a peer, its sockets and its file meet",
		ours:     []string{"wire", "dht", "handshake", "peer", "internal/udp"},
		mods:     []string{"golang.org/x/sys"},
		testOurs: []string{"internal/sim"},
	},
	{
		dir: "internal/curve25519", pure: true,
		why:  "which keys and signatures count is one rule for all rooms, and libraries differ on it: here it stands around them, once",
		mods: []string{"github.com/cloudflare/circl", "filippo.io/edwards25519"},
	},
	{
		dir:      "testvectors",
		why:      "the vectors are derived a second time from the formulas of the spec; with our code they would share its faults",
		mods:     []string{"golang.org/x/crypto"},
		testOurs: []string{"spec", "internal/shim"},
		testMods: []string{"github.com/santhosh-tekuri/jsonschema/v6"},
	},
	{
		dir:  "internal/udp",
		why:  "the driver runs any machine with its four methods, so it knows none of them",
		mods: []string{"golang.org/x/sys"},
		// The driver's tests run a real node over loopback.
		testOurs: []string{"dht", "wire"},
	},
	{
		dir: "internal/sim", pure: true,
		why:  "a simulation repeats by its seed only as long as nothing but the seed and the machines decides what happens",
		ours: []string{"dht", "wire"},
	},
	{
		dir: "internal/shim", pure: true,
		why:  "the reference behind the shim protocol: it calls the rooms that it shows and adds nothing of its own",
		ours: []string{"wire", "dht", "handshake", "ratchet", "peer"},
		mods: []string{"golang.org/x/crypto"}, // what lies between, computed a second time
		// Its answers are compared with the vectors.
		testOurs: []string{"testvectors", "spec"},
		testMods: []string{"github.com/santhosh-tekuri/jsonschema/v6"},
	},
	{
		dir: "internal/mutate",
		why: "the mutator reads Go source and runs the Go tool; what judges the mutants is handed to it",
	},
	{
		dir:  "internal/mutate/vectors",
		why:  "the judge of mutants is the vectors alone, asked of the packages as they are",
		ours: []string{"testvectors", "internal/shim", "internal/mutate"},
	},
	{
		dir: "internal/ablate",
		why: "what the simulation has to notice is planted from the outside, so that the product has no switch for it",
	},
	{
		dir: "internal/importrules",
		why: "the rules are checked from the outside",
	},
	{
		dir: "conformance",
		why: "the suite judges other people's programs: it may look at the spec and use our codecs and node, never the command line",
		ours: []string{
			"spec", "wire", "dht", "testvectors", "internal/udp", "conformance",
		},
		mods:     []string{"filippo.io/edwards25519", "golang.org/x/sys"},
		testOurs: []string{"internal/sim"},
		testMods: []string{"github.com/santhosh-tekuri/jsonschema/v6"},
	},
	{
		dir: "conformance/dht", pure: true,
		why:  "cases do no I/O: only the runner has sockets and a clock, so that a recorded run can be judged again",
		ours: []string{"spec", "wire", "dht", "testvectors", "conformance"},
		mods: []string{"filippo.io/edwards25519"},
	},
	{
		dir: "conformance/lenient", pure: true,
		why: "the suite's own decoder is a second opinion: with our codec in it, a fault of wire would agree with itself",
	},
	{
		dir:  "cmd/kith",
		why:  "the binary is thin: it parses flags, wires rooms together and prints",
		ours: []string{"spec", "wire", "dht", "handshake", "ratchet", "testvectors", "conformance", "internal/udp", "internal/shim", "peer"},
		mods: []string{"github.com/spf13/cobra", "golang.org/x/term", "golang.org/x/sys", "filippo.io/age", "rsc.io/qr"},
		// The command's tests check its reports against their schemas.
		testMods: []string{"github.com/santhosh-tekuri/jsonschema/v6", "golang.org/x/crypto"},
	},
}

// testMods may be imported by every _test.go file.
var testMods = []string{"github.com/stretchr/testify", "github.com/google/go-cmp", "pgregory.net/rapid"}

// modules are all that go.mod may require directly, each with what it is for. Other people's DHT nodes and bencode
// packages are measured in bench/ and judged in conformance/interop/, which are modules of their own: whoever builds
// kith downloads no rival of it.
var modules = map[string]string{
	"filippo.io/age":                           "the identity file, so that people can open it with a tool they know",
	"filippo.io/edwards25519":                  "signing with BEP 44's published key, which is an expanded one; points of small order, and those outside of the prime-order subgroup",
	"github.com/cloudflare/circl":              "the cryptography that the standard library has not",
	"github.com/google/go-cmp":                 "tests: structures compared",
	"github.com/santhosh-tekuri/jsonschema/v6": "tests: vectors and reports against their schemas",
	"github.com/spf13/cobra":                   "the command line",
	"github.com/stretchr/testify":              "tests: checks",
	"go.etcd.io/bbolt":                         "the peer's state: one file, transactions, no other dependency",
	"golang.org/x/crypto":                      "ChaCha20-Poly1305",
	"golang.org/x/sys":                         "batched reads and writes of datagrams",
	"golang.org/x/term":                        "whether a terminal is there, and how wide it is",
	"pgregory.net/rapid":                       "tests: properties",
	"rsc.io/qr":                                "an address that a telephone can read",
}

// ownModules are folders whose Go files must stand below a go.mod of their own.
var ownModules = map[string]string{
	"bench":               "it measures rivals, and main must never depend on one",
	"conformance/interop": "it runs other people's nodes, and main must never depend on one",
	"conformance/second":  "it is another language's peer, and takes nothing from this module",
}

// badNames are folder names that say nothing, so that everything ends up in them.
var badNames = []string{"util", "common", "types", "errors", "pkg", "docs"}

const sansIO = "a state machine without I/O is handed its datagrams, its time and its randomness, so that one run can be repeated"

// pureBans are packages that no pure room imports (package net's part net/netip does no I/O and is allowed).
var pureBans = map[string]string{
	"net":       sansIO + "; net/netip has the addresses",
	"os":        sansIO + "; state is returned as bytes and its keeper writes the file",
	"sync":      "a machine is not safe for concurrent use and says so; locks belong to the driver",
	"context":   "a deadline is a field and a time an argument; cancelling is a method",
	"log":       "what happened is an event or a counter; the driver logs",
	"log/slog":  "what happened is an event or a counter; the driver logs",
	"math/rand": "the global generator cannot be seeded by Config.Rand; use math/rand/v2's ChaCha8",
}

// clock reads are kept in one file of internal/udp; the other names wait, which only a driver may.
var (
	clockReads = []string{"Now", "Since", "Until"}
	clockWaits = []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Tick"}
)

// seeded are the names of math/rand/v2 that draw nothing from its global generator.
var seeded = []string{"New", "NewChaCha8", "NewPCG", "NewZipf", "Rand", "ChaCha8", "PCG", "Zipf", "Source"}

const (
	whyClock = "time.Now stands in one file of internal/udp: everything else is handed the time, so that tests, the simulator and transcripts can say what it is"
	whySleep = "a sleep makes a test slow when it is long and flaky when it is short: wait for the event, or use virtual time"
	whyRand  = "randomness comes from Config.Rand; crypto/rand.Reader stands only where that is nil"
	whyJudge = "the suite judges with a lenient decoder of its own: a fault of wire must not be able to agree with itself"
)
