package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kith/dht"
	"kith/wire"
)

// getFlags are those of kith dht get.
type getFlags struct {
	clientFlags
	key  string
	salt string
	raw  bool
}

func getCommand() *cobra.Command {
	f := &getFlags{}
	cmd := &cobra.Command{
		Use:   "get [TARGET | --key HEX]",
		Short: "Get an item that somebody put",
		Long: `Get an item (BEP 44): an immutable one by its target, or a mutable one by its owner's
public key, or by its target. Of a mutable item all nodes are asked, and the newest
version counts. --salt is needed for an item that has one, also with its target.

A string is printed as what it says, any other value as it stands, bencoded.`,
		Example: `  kith dht get e5f96f6f38320f0f33959cb4d3d656452117aadb
  kith dht get --key 77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548
  kith dht get --key 77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548 --salt foobar --json`,
		RunE: func(cmd *cobra.Command, args []string) error { return runGet(cmd, f, args) },
	}
	f.add(cmd, time.Minute)
	l := cmd.Flags()
	l.StringVar(&f.key, "key", "", "the owner's public key, 64 hexadecimal `digits`")
	l.StringVar(&f.salt, "salt", "", "the item's salt, as `text`")
	l.BoolVar(&f.raw, "raw", false, "print the bencoded value, byte for byte")
	return cmd
}

func runGet(cmd *cobra.Command, f *getFlags, args []string) error {
	var target wire.ID
	switch key, err := hex.DecodeString(f.key); {
	case f.key != "" && len(args) > 0 || f.key == "" && len(args) != 1:
		return misused(cmd, "it takes either a target or --key")
	case err != nil || f.key != "" && len(key) != 32:
		return misused(cmd, "--key %s: not 64 hexadecimal digits", f.key)
	case f.key != "":
		target = wire.MutableTarget(key, []byte(f.salt))
	default:
		if target, err = parseID(args[0]); err != nil {
			return misused(cmd, "%v", err)
		}
	}
	if len(f.salt) > dht.MaxSalt {
		return misused(cmd, "--salt: %d bytes, at most %d", len(f.salt), dht.MaxSalt)
	}
	c, err := f.client(cmd, true)
	if err != nil {
		return err
	}
	defer c.close()
	e, err := c.run(&target, func(now time.Time) dht.Op { return c.n.Get(now, target, dht.GetOptions{Salt: []byte(f.salt)}) }, c.follow)
	if err != nil {
		return err
	}
	if e.Item != nil && !f.json {
		if e.Item.Mutable {
			c.say("seq %d, signed by %x", e.Item.Seq, e.Item.Key)
		}
		c.write(f.shown(e.Item.Value, newLiveLine(c.out).on))
	}
	return c.finish(e, &target)
}

// shown is how a value is printed: byte for byte, except on a terminal, where what a stranger wrote must not move the cursor.
func (f *getFlags) shown(value []byte, terminal bool) string {
	s, ok := text(value)
	if f.raw || !ok {
		s = string(value)
	}
	if terminal {
		s = plain(s) + "\n"
	}
	return s
}

// putFlags are those of kith dht put.
type putFlags struct {
	clientFlags
	file    string
	bencode bool
	seed    string
	keyFile string
	newKey  bool
	salt    string
	seq     int64
	cas     int64
}

func putCommand() *cobra.Command {
	f := &putFlags{}
	cmd := &cobra.Command{
		Use:   "put [VALUE | --file FILE]",
		Short: "Put an item where others can get it",
		Long: `Put an item (BEP 44) of at most 1,000 bytes. Without a key it is immutable, and found
under the hash of its value. With --key-file or --seed it is mutable: found under the
public key and the salt, and replaced by the owner's next. Nodes forget items after two
hours: put them again in time. Prints the target.

Without --seq kith gets the item first and puts the next seq in place of just that
one (cas), so that a version in between is never overwritten unseen.

VALUE is text. With --bencode it is a bencoded value of any kind.`,
		Example: `  kith dht put "Hello World!"
  kith dht put --file note.txt
  kith dht put --key-file me.key --new-key "first version"
  kith dht put --key-file me.key "second version"
  kith dht put --key-file me.key --salt profile --bencode 'd4:name5:Alicee'`,
		RunE: func(cmd *cobra.Command, args []string) error { return runPut(cmd, f, args) },
	}
	f.add(cmd, 2*time.Minute)
	l := cmd.Flags()
	l.StringVar(&f.file, "file", "", "read the value from a `file`; - is standard input")
	l.BoolVar(&f.bencode, "bencode", false, "the value is bencoded already")
	l.StringVar(&f.keyFile, "key-file", "", "`file` with the 32-byte seed of an Ed25519 key, in hexadecimal")
	l.BoolVar(&f.newKey, "new-key", false, "make a new key, and the --key-file for it")
	l.StringVar(&f.seed, "seed", "", "the seed itself, 64 hexadecimal `digits`; other users of this machine can see it")
	l.StringVar(&f.salt, "salt", "", "`text` that tells apart the items of one key, at most 64 bytes")
	l.Int64Var(&f.seq, "seq", 0, "version `number`; the highest counts (default the next)")
	l.Int64Var(&f.cas, "cas", 0, "replace only the version with this `seq`")
	filesAt(cmd, "file", "key-file")
	return cmd
}

// value returns the bencoded value that is to be put.
func (f *putFlags) value(cmd *cobra.Command, args []string) ([]byte, error) {
	var b []byte
	var err error
	switch {
	case f.file == "" && len(args) == 1:
		b = []byte(args[0])
	case f.file == "-" && len(args) == 0:
		b, err = io.ReadAll(io.LimitReader(cmd.InOrStdin(), dht.MaxValue+1))
	case f.file != "" && len(args) == 0:
		b, err = readSome(f.file)
	default:
		return nil, misused(cmd, "it takes either one value or --file")
	}
	if err != nil {
		return nil, failed(cmd, exitFailed, err)
	}
	if !f.bencode {
		b = wire.AppendString(nil, b)
	}
	return b, nil
}

// readSome reads a file, or so much of it that it is clear that it is too long.
func readSome(name string) ([]byte, error) {
	r, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, dht.MaxValue+1))
}

// key returns the owner's key, nil for an immutable item.
func (f *putFlags) key(cmd *cobra.Command) (ed25519.PrivateKey, error) {
	digits := f.seed
	switch {
	case f.seed != "" && f.keyFile != "":
		return nil, misused(cmd, "--seed and --key-file exclude each other")
	case f.newKey && f.keyFile == "":
		return nil, misused(cmd, "--new-key needs --key-file, where the key is kept")
	case f.newKey:
		var err error
		if digits, err = makeKey(f.keyFile); err != nil {
			return nil, failed(cmd, exitFailed, err)
		}
	case f.keyFile != "":
		b, err := readSome(f.keyFile)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w; --new-key makes it", err)
		}
		if err != nil {
			return nil, failed(cmd, exitFailed, err)
		}
		digits = strings.TrimSpace(string(b))
	case f.seed == "":
		for _, flag := range []string{"salt", "seq", "cas"} {
			if cmd.Flags().Changed(flag) {
				return nil, misused(cmd, "--%s belongs to a mutable item: it needs --key-file or --seed", flag)
			}
		}
		return nil, nil
	}
	seed, err := hex.DecodeString(digits)
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, misused(cmd, "the seed of a key is 64 hexadecimal digits")
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// makeKey makes a key file, which must not be there yet.
func makeKey(name string) (digits string, err error) {
	var seed [ed25519.SeedSize]byte
	rand.Read(seed[:]) // never fails: see its documentation
	w, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	digits = hex.EncodeToString(seed[:])
	_, err = fmt.Fprintln(w, digits)
	if err = errors.Join(err, w.Sync(), w.Close()); err != nil {
		return "", errors.Join(err, os.Remove(name))
	}
	return digits, nil
}

func runPut(cmd *cobra.Command, f *putFlags, args []string) error {
	value, err := f.value(cmd, args)
	if err != nil {
		return err
	}
	// Whatever is wrong with the item is known before a key is made or anybody is asked.
	probe := dht.Item{Value: value}
	switch err := probe.Check(); {
	case errors.Is(err, dht.ErrLimit):
		return misused(cmd, "the value has more than %d bytes, bencoded", dht.MaxValue)
	case err != nil:
		return misused(cmd, "the value is not one canonical bencoded value")
	case len(f.salt) > dht.MaxSalt:
		return misused(cmd, "--salt: %d bytes, at most %d", len(f.salt), dht.MaxSalt)
	case f.seq < 0 || f.cas < 0:
		return misused(cmd, "--seq and --cas are not negative")
	}
	key, err := f.key(cmd)
	if err != nil {
		return err
	}
	c, err := f.client(cmd, true)
	if err != nil {
		return err
	}
	defer c.close()
	item, opt := dht.Item{Value: value}, dht.PutOptions{}
	if key != nil {
		if cmd.Flags().Changed("cas") {
			opt.CAS = &f.cas
		}
		if !cmd.Flags().Changed("seq") {
			if err := f.next(c, key, &opt); err != nil {
				return err
			}
		}
		if item, err = dht.SignItem([]byte(key), []byte(f.salt), f.seq, value); err != nil {
			return failed(cmd, exitFailed, err)
		}
	}
	target := item.Target()
	newer := int64(-1)
	e, err := c.run(&target, func(now time.Time) dht.Op { return c.n.Put(now, item, opt) }, func(e dht.Event) {
		c.follow(e)
		switch {
		case e.Kind == dht.EventRefused && !f.json:
			c.say("refused  %v  %v  error %d %s", e.Node.ID, e.Node.Addr, e.Code, plain(e.Text))
		case e.Kind == dht.EventItem:
			newer = max(newer, e.Item.Seq)
		}
	})
	if err != nil {
		return err
	}
	if !f.json && e.Err == nil {
		if item.Mutable {
			c.say("seq %d of key %x, stored by %d nodes", item.Seq, item.Key, e.Stored)
		} else {
			c.say("stored by %d nodes", e.Stored)
		}
		c.print(target.String())
	}
	if item.Mutable && newer > item.Seq {
		c.say("kith: seq %d is out there already: who gets the item gets that one", newer)
	}
	return c.finish(e, &target)
}

// next finds the seq to put: the one behind the newest that there is.
func (f *putFlags) next(c *client, key ed25519.PrivateKey, opt *dht.PutOptions) error {
	target := wire.MutableTarget(key[ed25519.SeedSize:], []byte(f.salt))
	e, err := c.run(&target, func(now time.Time) dht.Op { return c.n.Get(now, target, dht.GetOptions{Salt: []byte(f.salt)}) }, nil)
	switch {
	case err != nil:
		return err
	case e.Item != nil:
		f.seq = e.Item.Seq + 1
		if opt.CAS == nil {
			opt.CAS = &e.Item.Seq
		}
		return nil
	case errors.Is(e.Err, dht.ErrNotFound):
		f.seq = 1
		return nil
	}
	return c.finish(e, &target)
}
