// Command anacrolix starts github.com/anacrolix/dht/v2 as a plain Mainline node, for the conformance suite to judge,
// and uses it as a client, to see whether what it stores can be read by others and the other way round.
//
// It adds nothing to the package: configuration is its default one, but for what README.md lists.
package main

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/bep44"
	"github.com/anacrolix/dht/v2/exts/getput"
	"github.com/anacrolix/dht/v2/krpc"
	peer_store "github.com/anacrolix/dht/v2/peer-store"
	"golang.org/x/time/rate"
)

const usage = `usage: anacrolix COMMAND [flags] [arguments]

  node                      run a node until SIGTERM; prints "listening ADDR" when it answers
  put VALUE                 store VALUE as a byte string, mutable with --seed; prints the target
  get TARGET                print the item as bencoding, then "seq N"
  announce INFOHASH PORT    announce a peer at PORT; prints "announced N", the nodes that took it
  peers INFOHASH            print the peers found, one address a line

flags, before the arguments:
`

var errUsage = errors.New("usage")

// options are the flags of all commands.
type options struct {
	listen    string
	bootstrap string
	id        string
	limit     float64
	seed      string
	salt      string
	seq       int64
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "anacrolix:", err)
		if errors.Is(err, errUsage) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	var o options
	fs := flag.NewFlagSet("anacrolix", flag.ContinueOnError)
	fs.Usage = func() {
		fmt.Fprint(os.Stderr, usage)
		fs.PrintDefaults()
	}
	fs.StringVar(&o.listen, "listen", "127.0.0.1:0", "`address` of the socket, [::1]:0 for IPv6")
	fs.StringVar(&o.bootstrap, "bootstrap", "", "`addresses` of the first nodes, by commas; none: start alone")
	fs.StringVar(&o.id, "id", "", "node id, 40 `hex` digits; none: random, as the package does")
	fs.Float64Var(&o.limit, "send-limit", 25, "datagrams a `second` for the whole process, as the package's default; 0: no limit")
	fs.StringVar(&o.seed, "seed", "", "put: Ed25519 seed, 64 `hex` digits; makes the item mutable")
	fs.StringVar(&o.salt, "salt", "", "put, get: `salt` of the mutable item")
	fs.Int64Var(&o.seq, "seq", 1, "put: sequence `number` of the mutable item")
	if len(args) == 0 {
		fs.Usage()
		return fmt.Errorf("%w: no command", errUsage)
	}
	if err := fs.Parse(args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return fmt.Errorf("%w: %w", errUsage, err)
	}

	commands := map[string]struct {
		arguments int
		do        func(context.Context, *dht.Server, options, []string) error
	}{
		"node":     {0, node},
		"put":      {1, put},
		"get":      {1, get},
		"announce": {2, announce},
		"peers":    {1, peers},
	}
	c, ok := commands[args[0]]
	if !ok {
		return fmt.Errorf("%w: unknown command %q", errUsage, args[0])
	}
	if fs.NArg() != c.arguments {
		return fmt.Errorf("%w: %s takes %d arguments, got %d", errUsage, args[0], c.arguments, fs.NArg())
	}
	s, err := start(o)
	if err != nil {
		return err
	}
	defer s.Close()
	return c.do(ctx, s, o, fs.Args())
}

// start opens the socket and the node on it.
func start(o options) (*dht.Server, error) {
	c := dht.NewDefaultServerConfig()
	if o.id != "" {
		id, err := parseID(o.id)
		if err != nil {
			return nil, err
		}
		c.NodeId = id
	}
	first, err := parseAddrs(o.bootstrap)
	if err != nil {
		return nil, err
	}
	c.StartingNodes = func() ([]dht.Addr, error) { return first, nil }
	// Without a peer store the package gives no token to get_peers and forgets what is announced.
	c.PeerStore = &peer_store.InMemory{}
	// The default limiter is one for all servers of the process; a limiter of our own lifts it for this one.
	c.SendLimiter = rate.NewLimiter(rate.Limit(o.limit), int(o.limit))
	if o.limit == 0 {
		c.SendLimiter = rate.NewLimiter(rate.Inf, 0)
	}
	if c.Conn, err = net.ListenPacket("udp", o.listen); err != nil {
		return nil, err
	}
	return dht.NewServer(c)
}

// node keeps the table as anacrolix/torrent does, until the process is told to end.
func node(ctx context.Context, s *dht.Server, _ options, _ []string) error {
	go s.TableMaintainer()
	fmt.Println("listening", s.Addr())
	<-ctx.Done()
	return nil
}

func put(ctx context.Context, s *dht.Server, o options, args []string) error {
	p := bep44.Put{V: args[0]}
	var key ed25519.PrivateKey
	if o.seed != "" {
		seed, err := hex.DecodeString(o.seed)
		if err != nil || len(seed) != ed25519.SeedSize {
			return fmt.Errorf("%w: --seed is not %d hex digits", errUsage, 2*ed25519.SeedSize)
		}
		key = ed25519.NewKeyFromSeed(seed)
		p.K = (*[32]byte)(key.Public().(ed25519.PublicKey))
		p.Seq = o.seq
		if o.salt != "" { // the package sends a salt that is empty and not nil
			p.Salt = []byte(o.salt)
		}
		p.Sign(key)
	}
	target := p.Target()
	_, err := getput.Put(ctx, target, s, p.Salt, func(int64) bep44.Put { return p })
	if err != nil {
		return err
	}
	fmt.Printf("%x\n", target)
	return nil
}

func get(ctx context.Context, s *dht.Server, o options, args []string) error {
	target, err := parseID(args[0])
	if err != nil {
		return err
	}
	r, _, err := getput.Get(ctx, target, s, nil, []byte(o.salt))
	if err != nil {
		return err
	}
	fmt.Printf("%s\nseq %d\n", r.V, r.Seq)
	return nil
}

func announce(ctx context.Context, s *dht.Server, _ options, args []string) error {
	port, err := strconv.ParseUint(args[1], 10, 16)
	if err != nil || port == 0 {
		return fmt.Errorf("%w: bad port %q", errUsage, args[1])
	}
	if _, err := lookup(ctx, s, args[0], dht.AnnouncePeer(dht.AnnouncePeerOpts{Port: int(port)})); err != nil {
		return err
	}
	n := s.Stats().SuccessfulOutboundAnnouncePeerQueries
	fmt.Println("announced", n)
	if n == 0 {
		return errors.New("no node took the announcement")
	}
	return nil
}

func peers(ctx context.Context, s *dht.Server, _ options, args []string) error {
	found, err := lookup(ctx, s, args[0])
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return errors.New("no peers found")
	}
	for _, p := range found {
		fmt.Println(p)
	}
	return nil
}

// lookup runs a get_peers traversal to its end and returns each peer once.
func lookup(ctx context.Context, s *dht.Server, infoHash string, opts ...dht.AnnounceOpt) ([]string, error) {
	target, err := parseID(infoHash)
	if err != nil {
		return nil, err
	}
	a, err := s.AnnounceTraversal(target, opts...)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	var found []string
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case v, ok := <-a.Peers:
			if !ok {
				slices.Sort(found)
				return slices.Compact(found), nil
			}
			for _, p := range v.Peers {
				found = append(found, p.String())
			}
		}
	}
}

func parseID(s string) (id krpc.ID, err error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(id) {
		return id, fmt.Errorf("%w: %q is not %d hex digits", errUsage, s, 2*len(id))
	}
	return krpc.ID(b), nil
}

func parseAddrs(list string) (addrs []dht.Addr, err error) {
	for s := range strings.SplitSeq(list, ",") {
		if s == "" {
			continue
		}
		a, err := netip.ParseAddrPort(s)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errUsage, err)
		}
		addrs = append(addrs, dht.NewAddr(net.UDPAddrFromAddrPort(a)))
	}
	return addrs, nil
}
